//! One experiment, told: the verdict first, then the figures, where every request ended, what went
//! wrong and when, and what limits it all.
//!
//! [`report::Report`] is an experiment summed up and judged, with its caveats; all else here turns
//! it into something to read. `text.rs` has the order of the sections; `tables`, `attempts`,
//! `incidents`, `recovery` and `cluster` word one of them each. `json.rs` writes `summary.json`,
//! `charts.rs` says which charts there are and what their titles find, `files.rs` puts everything
//! into a results directory.
//!
//! Comparisons and sweeps show reports too, many at a time: they use the report and its tables, and
//! nothing here knows of them.

pub(crate) mod attempts;
pub mod charts;
pub(crate) mod cluster;
pub mod files;
pub(crate) mod incidents;
pub mod json;
pub(crate) mod recovery;
pub mod report;
pub(crate) mod tables;
pub mod text;
