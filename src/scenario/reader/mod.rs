//! Reading a file key by key.
//!
//! A section of the format is a table of keys ([`key::SectionSpec`], written with `keys!` beside
//! the code that uses it): type, default, provenance, meaning, and on what the key depends. The
//! same table reads, guesses at misspelt keys, lists the settings and writes the reference.
//!
//! A [`file::Reader`] goes through one file. It hands out sections
//! ([`section::SectionReader`]), from which values are taken by their keys: each is what the file
//! says or the default, and is noted as a setting. What is wrong is noted as a problem and reading
//! goes on, so that all problems are found at once. When a section has been read, every key that is
//! written but depends on what is not so is noted as without effect.
//!
//! The room knows values and laws (`text`) and nothing of gateways. It owns problems and settings
//! until the end of the file (`notes.rs`). Start with `file.rs` and `section.rs`.

pub(crate) mod file;
pub mod key;
pub(crate) mod notes;
pub(crate) mod section;
pub(crate) mod setting;
pub(crate) mod syntax;

pub(crate) use file::Reader;
pub(crate) use key::{KeySpec, Only, SectionSpec, TypedKey, keys};
pub(crate) use section::{Parsed, SectionReader};
pub(crate) use setting::Mark;
