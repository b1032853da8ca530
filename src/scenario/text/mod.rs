//! What stands behind a key, as text.
//!
//! [`value::Value`] is the one trait of all types that a setting can have: how a value is called,
//! read and written back so that reading it gives the same. Quantities are read by
//! `crate::quantity`; laws (`law.rs`) and words (`word.rs`, a table each beside the section that
//! chooses between them) are read here, and so are the files that a scenario may name (`file.rs`).
//!
//! The room knows values and their places in a text, and nothing of keys and sections. A text that
//! is no value gives a flaw with what is wrong, where in the text, and the remedy. Start with
//! `value.rs`.

pub(crate) mod file;
pub(crate) mod law;
pub(crate) mod shape;
pub(crate) mod value;
pub(crate) mod word;

pub(crate) use shape::ValueShape;
pub(crate) use value::{Located, Value, is_name};
pub(crate) use word::{Word, words};
