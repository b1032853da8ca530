//! A key of the format: its name, its type, its default and what it means.

use std::marker::PhantomData;

use crate::scenario::Mark;
use crate::scenario::value::Value;

/// What is known about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The section it stands in; empty for the top of the file, `fault` for `[[fault]]`.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: String,
    /// Whether its value is written without quotes.
    pub bare: bool,
    /// The default as it would be written, without quotes; empty if there is none or if it follows
    /// from other settings.
    pub default: &'static str,
    /// How well founded the default is.
    pub mark: Mark,
    /// Where the default comes from, or from which settings it follows.
    pub source: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// A key with the type of its value.
pub(crate) struct Key<T> {
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    pub(crate) mark: Mark,
    pub(crate) source: &'static str,
    pub(crate) about: &'static str,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    /// A key in a section, with its default, how well founded that is, and what the key means.
    pub(crate) const fn new(
        (section, name): (&'static str, &'static str),
        (default, mark, source): (&'static str, Mark, &'static str),
        about: &'static str,
    ) -> Self {
        Key { section, name, default, mark, source, about, kind: PhantomData }
    }
}

impl<T: Value> Key<T> {
    /// What is known about it.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            section: self.section,
            name: self.name,
            kind: T::kind(),
            bare: T::BARE,
            default: self.default,
            mark: self.mark,
            source: self.source,
            about: self.about,
        }
    }
}

/// A part of the table of keys: a module of keys for each section, the entries of all, and the
/// names of the keys of a section.
macro_rules! table {
    ($($module:ident $section:literal {
        $($id:ident: $type:ty = $name:literal, $default:literal, $mark:ident, $source:literal,
            $about:literal;)*
    })*) => {
        $(pub(crate) mod $module {
            use super::*;
            $(pub(crate) const $id: Key<$type> =
                Key::new(($section, $name), ($default, Mark::$mark, $source), $about);)*
        })*

        /// Every key of this part, section by section.
        pub(crate) fn entries() -> Vec<Entry> {
            vec![$($($module::$id.entry(),)*)*]
        }

        /// The names of the keys of a section of this part.
        pub(crate) fn names(section: &str) -> Option<&'static [&'static str]> {
            match section {
                $($section => Some(&[$($name,)*]),)*
                _ => None,
            }
        }
    };
}
pub(crate) use table;
