//! Variants side by side, told.
//!
//! `report.rs` is a comparison with all that is said of it. `text.rs` tells the verdicts, a table
//! for each window with a column for each variant, and the paired differences, which `contrast.rs`
//! words; `charts.rs` draws them, `files.rs` writes them.
//!
//! It owns the words and the layout of a comparison, and which of two variants is called better.
//! The differences themselves come from `study::compare` and `stats::paired`, each variant's
//! figures from its experiment's summary; `report::run` lends what a single experiment says.
//!
//! Begin with `report.rs`, then `text.rs`.

pub mod charts;
pub mod contrast;
pub mod files;
pub mod report;
pub mod text;
