//! Words that a scenario chooses between.

use crate::diagnostic::{Flaw, clip, suggestion};
use crate::scenario::text::shape::ValueShape;
use crate::scenario::text::value::{Node, Value};

/// A choice between words.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// The words; where two mean the same, the first is the one that is written.
    const WORDS: &'static [(&'static str, Self)];
    /// What `true` or `false` stands for, if anything.
    fn from_bool(_value: bool) -> Option<Self> {
        None
    }
    /// What to write instead of another word that is often meant.
    fn advice(_text: &str) -> Option<&'static str> {
        None
    }
    /// The word for it, without quotes.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| *word)
    }
}

/// The words that there are to choose from: `"a", "b" or "c"`.
pub(crate) fn choice(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        _ => quoted.concat(),
    }
}

/// The flaw of a text that is none of the words.
pub(crate) fn unknown(text: &str, words: &[&str]) -> Flaw {
    let help = suggestion(text, words.iter().copied());
    Flaw { help, ..Flaw::new(format!("{:?} is not known here", clip(text))) }
}

impl<T: Word> Value for T {
    fn kind() -> String {
        choice(&T::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>())
    }
    fn shape() -> ValueShape {
        let words = ValueShape::Words(T::WORDS.iter().map(|(word, _)| *word).collect());
        match T::from_bool(true) {
            Some(_) => ValueShape::Either(vec![words, ValueShape::Truth]),
            None => words,
        }
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        let found = T::WORDS.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let flaw = unknown(text, &T::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>());
            match T::advice(text) {
                Some(advice) => flaw.help(advice),
                None => flaw,
            }
        })
    }
    fn show(&self) -> String {
        format!("\"{}\"", self.word())
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        if let Some(value) = node.value.as_bool().and_then(T::from_bool) {
            return Ok(value);
        }
        match node.value.as_str() {
            Some(text) => Self::parse(text).map_err(|flaw| vec![node.within(flaw, text)]),
            None => Err(vec![node.mistyped::<Self>()]),
        }
    }
}

/// Tables of words, one after the other: of a new type, `enum Name { Variant = "word", … }`, or of
/// one of the plan, `Name { Variant = "word", … }`.
macro_rules! words {
    () => {};
    ($(#[$doc:meta])* enum $name:ident { $($variant:ident = $word:literal),* $(,)? }
        $($rest:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($variant,)* }
        $crate::scenario::text::word::words!($name { $($variant = $word),* } $($rest)*);
    };
    ($name:ident { $($variant:ident = $word:literal),* $(,)? } $($rest:tt)*) => {
        impl $crate::scenario::text::word::Word for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $name::$variant)),*];
        }
        $crate::scenario::text::word::words!($($rest)*);
    };
}
pub(crate) use words;
