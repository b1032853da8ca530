//! The commands that say something and leave no results.
//!
//! ```text
//! check          what is wrong with a scenario
//! init           a commented scenario to begin with
//! tiers          what is sold
//! explain        what words mean (`words.rs` knows them all), what a scenario is before it runs
//!                (`preview.rs`), why latency was what it was at a moment (`moment.rs`)
//! schema         the JSON Schema of scenarios, for editors
//! completions    for shells
//! man            manual pages
//! ```
//!
//! One file each. None of them writes to the folder of results, and none needs Ctrl-C: what takes
//! longer than a few seconds belongs to `simulate`. What is said of words comes from the tables of
//! the format, of faults and of the command line, and from no other.

pub(in crate::cli) mod check;
pub(in crate::cli) mod completions;
pub(in crate::cli) mod explain;
pub(in crate::cli) mod init;
pub(in crate::cli) mod man;
mod preview;
pub(in crate::cli) mod schema;
pub(in crate::cli) mod tiers;
mod words;
