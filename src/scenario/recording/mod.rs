//! Recorded arrivals, as files have them.
//!
//! `formats.rs` is the table of formats and recognises them by the first lines of a file; the
//! lines are read in `text_log.rs`, `w3c.rs`, `objects.rs` (JSON) and `rows.rs` (CSV), each into a
//! [`line::Logged`] (`line.rs`), with times from `moment.rs`. `source.rs` hands out the lines of a
//! file of any size, compressed or not. `kept.rs` keeps the arrivals that a run plays,
//! `bad_lines.rs` counts what could not be read, and `named.rs` says what a file is that is no
//! recording at all. A new format is a line in the table and the function that reads its lines.
//!
//! The room knows of a scenario what lines may name, and of the plan what a recording holds. Start
//! with `formats.rs`.

pub(crate) mod bad_lines;
pub(crate) mod formats;
pub(crate) mod kept;
pub(crate) mod line;
pub(crate) mod moment;
pub(crate) mod named;
mod objects;
mod rows;
pub(crate) mod source;
mod text_log;
mod w3c;
