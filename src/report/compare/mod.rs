//! Variants side by side, told.
//!
//! `report.rs` is a comparison with all that is said of it. `text.rs` tells the verdicts, a table
//! for each window with a column for each variant, and the paired differences, which `contrast.rs`
//! words; `charts.rs` draws them, `files.rs` writes them.

pub mod charts;
pub mod contrast;
pub mod files;
pub mod report;
pub mod text;
