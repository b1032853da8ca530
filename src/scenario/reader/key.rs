//! What is known about a key and about a section of the format, and how a section's table is
//! written.

use std::marker::PhantomData;

use crate::diagnostic::Flaw;
use crate::scenario::reader::setting::Mark;
use crate::scenario::text::ValueShape;
use crate::scenario::text::value::{Node, Value};

/// What is known about a key.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// The section it stands in; empty for the top of the file, `fault` for `[[fault]]`.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: fn() -> String,
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
    /// On what it depends: unless all of it is so, the key has no effect.
    pub only: &'static [Only],
    /// The form of its value.
    pub(crate) shape: fn() -> ValueShape,
    /// Whether what is written is a value.
    pub(crate) check: fn(&Node<'_>) -> Result<(), Vec<Flaw>>,
}

/// On what a key depends. Values are as a file has them, with their quotes.
#[derive(Clone, Copy, Debug)]
pub enum Only {
    /// On another key of its section, or on a key of another section by its path: it must have one
    /// of these values.
    If(&'static str, &'static [&'static str]),
    /// On another key that must have none of these values, and why.
    Unless(&'static str, &'static [&'static str], &'static str),
    /// On one of these keys being written.
    With(&'static [&'static str]),
}

impl Only {
    /// Why a key has no effect, in a few words.
    pub(crate) fn reason(&self) -> String {
        match self {
            Only::Unless(_, _, reason) => (*reason).to_owned(),
            Only::With(keys) => format!("only with `{}`", keys.join("` or `")),
            Only::If(key, values) => match key.split_once('.') {
                Some((home, key)) => {
                    format!("only with {key} = {} in [{home}]", values.join(" or "))
                }
                None => format!("only with {key} = {}", values.join(" or ")),
            },
        }
    }
}

/// A section of the format.
#[derive(Clone, Copy, Debug)]
pub struct SectionSpec {
    /// Its name, such as `traffic.change`; empty for the top of the file.
    pub name: &'static str,
    /// Whether it may appear more than once, in double brackets.
    pub list: bool,
    /// Its keys, in the order of the reference.
    pub keys: &'static [KeySpec],
    /// What keys of other programs are called here: the key, and the line to write instead.
    pub(crate) instead: &'static [(&'static str, &'static str)],
}

impl SectionSpec {
    /// Its name in the brackets that its header has.
    pub fn header(&self) -> String {
        if self.list { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }

    /// Its key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static KeySpec> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The section that it stands in and its name there: `traffic` and `change`.
    pub(crate) fn home(&self) -> (&'static str, &'static str) {
        self.name.rsplit_once('.').unwrap_or(("", self.name))
    }
}

/// A key with the type of its value.
pub(crate) struct TypedKey<T> {
    pub(crate) spec: KeySpec,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for TypedKey<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for TypedKey<T> {}

impl<T> std::ops::Deref for TypedKey<T> {
    type Target = KeySpec;

    fn deref(&self) -> &KeySpec {
        &self.spec
    }
}

impl<T: Value> TypedKey<T> {
    /// A key in a section, with its default, how well founded that is, what the key means and on
    /// what it depends.
    pub(crate) const fn new(
        (section, name): (&'static str, &'static str),
        (default, mark, source): (&'static str, Mark, &'static str),
        about: &'static str,
        only: &'static [Only],
    ) -> Self {
        let (kind, shape) = (T::kind as fn() -> String, T::shape as fn() -> ValueShape);
        let (bare, check) = (T::BARE, check::<T>);
        let spec =
            KeySpec { section, name, kind, bare, default, mark, source, about, only, shape, check };
        TypedKey { spec, kind: PhantomData }
    }
}

fn check<T: Value>(node: &Node<'_>) -> Result<(), Vec<Flaw>> {
    T::read(node).map(|_| ())
}

/// The table of a section: a module with a constant for each key, and `SPEC` for all of them.
///
/// A line is `IDENTIFIER: Type = "name", "default", Mark, "source", "meaning", conditions…;`.
macro_rules! keys {
    ($module:ident $section:literal $($list:ident)? {
        $($id:ident: $type:ty = $name:literal, $default:literal, $mark:ident, $source:literal,
            $about:literal $(, $only:expr)*;)*
    } $(instead { $($other:literal: $line:literal,)* })?) => {
        pub(crate) mod $module {
            #[allow(unused_imports)] // not every table has words and conditions
            use super::*;
            #[allow(unused_imports)]
            use $crate::scenario::reader::key::{Only::*, SectionSpec, TypedKey};
            use $crate::scenario::reader::setting::Mark;
            $(pub(crate) const $id: TypedKey<$type> = TypedKey::new(
                ($section, $name), ($default, Mark::$mark, $source), $about, &[$($only),*],
            );)*
            /// The section.
            pub(crate) static SPEC: SectionSpec = SectionSpec {
                name: $section,
                list: !stringify!($($list)?).is_empty(),
                keys: &[$($id.spec),*],
                instead: &[$($(($other, $line),)*)?],
            };
        }
    };
}
pub(crate) use keys;
