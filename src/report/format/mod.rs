//! How things look: figures and numbers in words, tables, sections of a text, and cells of files.
//!
//! `words.rs` writes a figure by its kind, with the interval beside the point. `table.rs` is the
//! one table, for people and for files. `page.rs` has what the texts of all commands are made of:
//! titles, sections, lists of caveats; `markdown.rs` has them for comments. `cells.rs` writes
//! numbers for programs, exactly.
//!
//! It owns how many digits a number has and how wide a column is, so that a figure reads the same
//! wherever it stands. It may ask `metric` for the kind of a figure and `units` for its size;
//! nothing here knows what is told. Begin with `words.rs`.

pub(crate) mod cells;
pub(crate) mod markdown;
pub mod page;
pub(crate) mod table;
pub(crate) mod words;
