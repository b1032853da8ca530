//! The availability of months and years, told.
//!
//! `report.rs` is a study with all that is said of it; `text.rs` tells it: verdict, long run,
//! months and years, what uses the error budget, outages, what it rests on; `charts.rs` draws it,
//! `files.rs` writes it.
//!
//! It owns the words. Figures come from `study::availability`.
//!
//! Begin with `report.rs`.

pub mod charts;
pub mod files;
pub mod report;
pub mod text;
