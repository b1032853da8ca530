//! The section `[traffic]`: when requests come.
//!
//! `format.rs` has the tables of the section and of the changes and bursts in it. `arrivals.rs`
//! reads rates, changes and bursts into a process; `profile.rs` the shape of days and weeks.
//! `recording.rs` reads recorded arrivals instead, which stand in another file: a table of times
//! (`table.rs`), or a log (`log.rs`). What is wrong in such a file is noted with its line
//! (`lines.rs`).
//!
//! The room may know clients and APIs as read, for recordings name APIs and users of a closed loop
//! need no rate. Start with `arrivals.rs`.

pub(crate) mod arrivals;
pub(crate) mod format;
mod lines;
mod log;
mod profile;
mod recording;
mod table;
