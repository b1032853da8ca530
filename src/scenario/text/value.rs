//! What may stand behind a key: one trait, implemented by every type that a setting can have.

use std::ops::Range;
use std::path::Path;

use toml::de::DeValue;

use crate::diagnostic::{Flaw, clip};
use crate::quantity;
use crate::random::Law;
use crate::scenario::text::shape::ValueShape;
use crate::scenario::text::{file, law};
use crate::units::{Bytes, Cores, Rate, Share, Span};

/// A value in a file, with what is needed to read it.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    /// The value.
    pub(crate) value: &'a DeValue<'a>,
    /// Where it stands in `text`.
    pub(crate) span: Range<usize>,
    /// The whole file.
    pub(crate) text: &'a str,
    /// The folder that paths in the file start from.
    pub(crate) base: &'a Path,
}

/// A type that a setting can have. Flaws of [`Value::parse`] have ranges within the text given;
/// flaws of [`Value::read`] have ranges within the file.
pub(crate) trait Value: Sized {
    /// Whether a value stands without quotes.
    const BARE: bool = false;
    /// What a value is, with its article: `a duration, such as "30s"`.
    fn kind() -> String;
    /// What form it has in a file.
    fn shape() -> ValueShape;
    /// Reads text.
    fn parse(text: &str) -> Result<Self, Flaw>;
    /// The value as a scenario writes it, with quotes where needed.
    fn show(&self) -> String;

    /// Reads what stands in a file; a string unless the type says otherwise.
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        match node.value.as_str() {
            Some(text) => Self::parse(text).map_err(|flaw| vec![node.within(flaw, text)]),
            None => Err(vec![node.mistyped::<Self>()]),
        }
    }

    /// Whether the value is better shown as the file has it.
    fn is_long(&self) -> bool {
        false
    }

    /// How a bare number was probably meant.
    fn quoted(number: &str) -> Option<String> {
        let _ = number;
        None
    }
}

/// Where `range` of the string `text`, which stands at `span` of the file, stands in the file; all
/// of it if the string is written with escapes.
pub(crate) fn inside(
    file: &str,
    span: &Range<usize>,
    text: &str,
    range: Range<usize>,
) -> Range<usize> {
    let raw = file.get(span.clone()).unwrap_or("");
    let plain = raw.len() == text.len() + 2 && raw.get(1..=text.len()) == Some(text);
    let start = span.start + 1;
    if plain && !range.is_empty() { start + range.start..start + range.end } else { span.clone() }
}

impl Node<'_> {
    /// Moves the range of a flaw of `text`, the string at this node, to where it is in the file.
    pub(crate) fn within(&self, flaw: Flaw, text: &str) -> Flaw {
        let range = flaw.range.clone().unwrap_or(0..0);
        flaw.within(inside(self.text, &self.span, text, range))
    }

    /// The flaw of a value that has the wrong type.
    pub(crate) fn mistyped<T: Value>(&self) -> Flaw {
        let found = match self.value {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "a bare number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let flaw = Flaw::new(format!("{found} does not fit here")).within(self.span.clone());
        let help = self.number().and_then(T::quoted);
        Flaw { help, ..flaw.label(format!("expected {}", T::kind())) }
    }

    /// The digits of a bare decimal number.
    fn number(&self) -> Option<&str> {
        match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str()),
            DeValue::Float(float) => Some(float.as_str()),
            _ => None,
        }
    }
}

/// Implements [`Value`] for a quantity that is read by a function of `quantity`.
macro_rules! quantities {
    ($($type:ty, $kind:literal, $shape:expr, $parse:path, $show:path, $quoted:literal;)*) => {$(
        impl Value for $type {
            fn kind() -> String {
                $kind.to_owned()
            }
            fn shape() -> ValueShape {
                $shape
            }
            fn parse(text: &str) -> Result<Self, Flaw> {
                $parse(&clip(text))
            }
            fn show(&self) -> String {
                format!("\"{}\"", $show(*self))
            }
            fn quoted(number: &str) -> Option<String> {
                Some($quoted.replace('#', number))
            }
        }
    )*};
}

quantities! {
    Span, "a duration, such as \"30s\"", ValueShape::span(), quantity::span, law::show_span,
        "write \"#s\" for seconds or \"#ms\" for milliseconds";
    Rate, "a rate, such as \"900/s\"", ValueShape::number("k?\\s*/\\s*(s|m|min|h|d)"),
        quantity::rate, law::show_rate,
        "write \"#/s\" for requests per second";
    Share, "a share, such as \"30%\"", ValueShape::number("%?"), quantity::share, law::show_share,
        "write \"#%\"";
    Bytes, "an amount of memory, such as \"512MiB\"", ValueShape::number("([KMGT]i)?B"),
        quantity::bytes, law::show_bytes,
        "write \"#MiB\" or \"#GiB\"";
}

impl Value for Law {
    fn kind() -> String {
        "a duration or a law, such as \"5s\" or \"uniform(2s, 6s)\"".to_owned()
    }
    fn shape() -> ValueShape {
        ValueShape::law(&law::names())
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        law::parse(text)
    }
    fn show(&self) -> String {
        format!("\"{}\"", law::show(self))
    }
    fn quoted(number: &str) -> Option<String> {
        Span::quoted(number)
    }
    fn is_long(&self) -> bool {
        matches!(self, Law::Empirical(values) if values.len() > 20)
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        let Some(text) = node.value.as_str() else {
            return Err(vec![node.mistyped::<Self>()]);
        };
        let law = match law::named_file(text) {
            Some((path, range)) => file::values(&node.base.join(path)).map_err(|title| {
                let label = "the path starts from the scenario's folder";
                Flaw::new(title).within(range).label(label)
            }),
            None => law::parse(text),
        };
        law.map_err(|flaw| vec![node.within(flaw, text)])
    }
}

impl Value for Cores {
    const BARE: bool = true;
    fn kind() -> String {
        "a number of cores, such as 0.5 or \"500m\"".to_owned()
    }
    fn shape() -> ValueShape {
        ValueShape::Either(vec![ValueShape::Number, ValueShape::number("m?\\s*(vCPU|cores?)?")])
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        quantity::cores(&clip(text))
    }
    fn show(&self) -> String {
        self.0.to_string()
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        match (node.number(), node.value.as_str()) {
            (Some(text), _) | (None, Some(text)) => {
                Self::parse(text).map_err(|flaw| vec![node.within(flaw, text)])
            }
            (None, None) => Err(vec![node.mistyped::<Self>()]),
        }
    }
}

impl Value for u64 {
    const BARE: bool = true;
    fn kind() -> String {
        "a whole number".to_owned()
    }
    fn shape() -> ValueShape {
        ValueShape::Whole
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        text.parse().map_err(|_| Flaw::new(format!("{text:?} is no whole number from 0")))
    }
    fn show(&self) -> String {
        self.to_string()
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        match node.value {
            DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix())
                .map_err(|_| {
                    let negative = integer.as_str().starts_with('-');
                    let wrong = if negative { "negative" } else { "too large" };
                    let title = format!("{integer} is {wrong}");
                    vec![Flaw::new(title).within(node.span.clone())]
                }),
            _ => {
                let flaw = node.mistyped::<Self>();
                let unquoted = node.value.as_str().filter(|text| text.parse::<u64>().is_ok());
                let help = unquoted.map(|text| format!("write {text} without quotes"));
                Err(vec![Flaw { help, ..flaw }])
            }
        }
    }
}

impl Value for f64 {
    const BARE: bool = true;
    fn kind() -> String {
        "a number from 0, such as 1.5".to_owned()
    }
    fn shape() -> ValueShape {
        ValueShape::Number
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        let number = quantity::plain_number(text).filter(|number| *number <= 1e6);
        number.ok_or_else(|| Flaw::new(format!("{text} is no number from 0 to 1000000")))
    }
    fn show(&self) -> String {
        self.to_string()
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        match node.number() {
            Some(text) => Self::parse(text).map_err(|flaw| vec![flaw.within(node.span.clone())]),
            None => Err(vec![node.mistyped::<Self>()]),
        }
    }
}

impl Value for bool {
    const BARE: bool = true;
    fn kind() -> String {
        "true or false".to_owned()
    }
    fn shape() -> ValueShape {
        ValueShape::Truth
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        text.parse().map_err(|_| Flaw::new(format!("{text:?} is neither true nor false")))
    }
    fn show(&self) -> String {
        self.to_string()
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        let wrong = || vec![node.mistyped::<Self>()];
        node.value.as_bool().ok_or_else(wrong)
    }
}

impl Value for String {
    fn kind() -> String {
        "text in quotes".to_owned()
    }
    fn shape() -> ValueShape {
        ValueShape::anything()
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        if text.trim().is_empty() {
            return Err(Flaw::new("the text is empty"));
        }
        Ok(text.to_owned())
    }
    fn show(&self) -> String {
        quote(self)
    }
    fn quoted(number: &str) -> Option<String> {
        Some(format!("write \"{number}\""))
    }
}

/// A basic string of the file format.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// What names of things consist of.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 64 && text.chars().all(plain)
}

/// An element of a list and where it stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Located<T> {
    /// The element.
    pub(crate) value: T,
    /// Its place.
    pub(crate) span: Range<usize>,
}

impl<T: Value> Value for Vec<Located<T>> {
    const BARE: bool = true;
    fn kind() -> String {
        format!("a list; each element is {}", T::kind())
    }
    fn shape() -> ValueShape {
        ValueShape::List(Box::new(T::shape()))
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        Ok(vec![Located { value: T::parse(text)?, span: 0..0 }])
    }
    fn show(&self) -> String {
        let shown: Vec<String> = self.iter().map(|element| element.value.show()).collect();
        format!("[{}]", shown.join(", "))
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        let Some(array) = node.value.as_array() else {
            let flaw = node.mistyped::<Self>();
            let one = node.text.get(node.span.clone()).filter(|_| T::read(node).is_ok());
            let help = one.map(|one| format!("write [{one}]"));
            return Err(vec![Flaw { help, ..flaw }]);
        };
        let (mut elements, mut flaws) = (Vec::new(), Vec::new());
        for element in array.iter() {
            let node = Node { value: element.get_ref(), span: element.span(), ..node.clone() };
            match T::read(&node) {
                Ok(value) => elements.push(Located { value, span: element.span() }),
                Err(more) => flaws.extend(more.into_iter().map(expected::<T>)),
            }
        }
        if flaws.is_empty() { Ok(elements) } else { Err(flaws) }
    }
}

/// The flaw with a label that says what an element is.
fn expected<T: Value>(flaw: Flaw) -> Flaw {
    match flaw.label.as_str() {
        "" => flaw.label(format!("expected {}", T::kind())),
        _ => flaw,
    }
}
