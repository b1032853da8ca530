//! The availability of months and years, told.
//!
//! `report.rs` is a study with all that is said of it; `text.rs` tells it: long run, months and
//! years, what uses the error budget, outages, what it rests on; `judging.rs` judges it, which
//! `verdict.rs` tells first; `charts.rs` draws it, `files.rs` writes it. `beside.rs` has several of
//! them side by side, for comparisons and plans.
//!
//! It owns the words. Figures come from `study::availability`.
//!
//! Begin with `report.rs`.

pub(crate) mod beside;
pub mod charts;
pub mod files;
pub mod judging;
pub mod report;
pub mod text;
pub(crate) mod verdict;
pub(in crate::report) mod words;
