//! The form of a value: what a JSON Schema can say of it.

/// The form of a value in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueShape {
    /// Text in quotes, all of which a regular expression matches.
    Text(String),
    /// One of these words, in quotes.
    Words(Vec<&'static str>),
    /// A whole number from 0.
    Whole,
    /// A number from 0.
    Number,
    /// True or false.
    Truth,
    /// A list of these.
    List(Box<ValueShape>),
    /// One of these forms.
    Either(Vec<ValueShape>),
}

/// A number as people write it.
const NUMBER: &str = "[0-9._]+";

impl ValueShape {
    /// Text that this expression matches, but for blanks around it.
    pub(crate) fn text(pattern: &str) -> ValueShape {
        ValueShape::Text(format!("^\\s*({pattern})\\s*$"))
    }

    /// Any text but blanks.
    pub(crate) fn anything() -> ValueShape {
        ValueShape::Text("\\S".to_owned())
    }

    /// A duration.
    pub(crate) fn span() -> ValueShape {
        ValueShape::text(&span())
    }

    /// A number followed by this.
    pub(crate) fn number(unit: &str) -> ValueShape {
        ValueShape::text(&format!("{NUMBER}\\s*{unit}"))
    }

    /// A duration, or one of these laws.
    pub(crate) fn law(names: &[&str]) -> ValueShape {
        ValueShape::text(&format!("{}|({})\\s*\\(.*\\)", span(), names.join("|")))
    }

    /// A list of these words between commas, or one of those.
    pub(crate) fn words_between_commas(words: &[&str], alone: &[&str]) -> ValueShape {
        let (words, alone) = (words.join("|"), alone.join("|"));
        ValueShape::text(&format!("{alone}|({words})(\\s*,\\s*({words}))*"))
    }
}

/// Numbers with units of time; only zero needs none.
fn span() -> String {
    let number = "([0-9]+\\.?[0-9]*|\\.[0-9]+)";
    format!("({number}\\s*(ns|us|µs|ms|s|min|m|h|d)\\s*)+|0+(\\.0*)?")
}
