//! What `check` found, for programs and for comments: JSON, SARIF, JUnit and Markdown.
//!
//! For people a problem is shown in its line, with a caret and a remedy ([`crate::diagnostic`]).
//! Programs get the same piece by piece: [`checked::CheckedFile`] is a scenario file with what is
//! wrong with it, `json.rs` writes all that is known, `told.rs` turns problems into the results of
//! SARIF and the cases of JUnit, and `rule.rs` gives each kind of problem a name.
//!
//! It owns the format of `check --format json`, and what a problem is called. It asks nobody but
//! the problems themselves. Begin with `checked.rs`.

pub mod checked;
pub mod json;
pub mod markdown;
mod rule;
pub mod told;

pub use checked::CheckedFile;
