//! A grid of settings, told.
//!
//! `report.rs` sums up each cell as it completes and forgets its outcomes. A setting that takes
//! numbers is a ladder (`ladder.rs`); `usable.rs` says up to which load the objectives are met.
//! `text.rs` tells it all, `charts.rs` chooses the charts that fit what varies, `titles.rs` says
//! what they find, and `files.rs` writes a row for every cell, window and figure.
//!
//! It owns the choice of tables and charts for a grid, and what is said of a load between two
//! steps. The cells come from `study::sweep`, their settings from `study::variation`, verdicts from
//! `verdict`.
//!
//! Begin with `report.rs`, then `text.rs`.

pub mod charts;
pub mod files;
mod ladder;
pub mod report;
pub mod text;
mod titles;
pub(crate) mod usable;
