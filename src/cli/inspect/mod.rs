//! The commands that say something and leave no results.
//!
//! ```text
//! check          what is wrong with a scenario
//! ```
//!
//! One file each. None of them writes to the folder of results, and none needs Ctrl-C: what takes
//! longer than a moment belongs to `simulate`.

pub(in crate::cli) mod check;
