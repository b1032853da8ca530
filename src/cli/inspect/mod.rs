//! The commands that say something and leave no results.
//!
//! ```text
//! check          what is wrong with a scenario
//! init           a commented scenario to begin with
//! tiers          what is sold
//! explain        what words mean; `words.rs` knows them all
//! schema         the JSON Schema of scenarios, for editors
//! completions    for shells
//! man            manual pages
//! ```
//!
//! One file each. None of them writes to the folder of results, and none needs Ctrl-C: what takes
//! longer than a moment belongs to `simulate`. All but `check` say what the tables of the format,
//! of faults and of the command line hold, and have none of their own.

pub(in crate::cli) mod check;
pub(in crate::cli) mod completions;
pub(in crate::cli) mod explain;
pub(in crate::cli) mod init;
pub(in crate::cli) mod man;
pub(in crate::cli) mod schema;
pub(in crate::cli) mod tiers;
mod words;
