//! A capacity plan, told.
//!
//! `report.rs` is a plan with all that is said of it: which gateway is chosen, and which finding
//! the choice hangs on. `text.rs` gives the recommendation first, then every capacity with what
//! bounds it and what it is sensitive to; `words.rs` puts capacities and constraints in words,
//! `caveats.rs` says what limits it all, `charts.rs` draws it and `files.rs` writes it.

pub(crate) mod caveats;
pub mod charts;
pub mod files;
pub mod report;
pub mod text;
pub mod words;
