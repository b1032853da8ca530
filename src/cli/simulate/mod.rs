//! The commands that simulate: one file each, which reads top-down (load, work, write, draw, and
//! print).
//!
//! ```text
//! run            one scenario, judged
//! compare        variants of it, side by side
//! sweep          a grid of settings
//! plan           the load that each tier carries
//! availability   months and years
//! ```
//!
//! What they have in common stands beside this room: `load` reads scenarios with what was typed,
//! `work` has the folder of results, the checkpoint and Ctrl-C.

pub(in crate::cli) mod availability;
pub(in crate::cli) mod compare;
pub(in crate::cli) mod plan;
pub(in crate::cli) mod run;
pub(in crate::cli) mod sweep;
