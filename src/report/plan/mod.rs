//! A capacity plan, told.
//!
//! `report.rs` is a plan with all that is said of it: which gateway is chosen, and which finding
//! the choice depends on. `text.rs` gives the recommendation first, then every capacity with what
//! bounds it and what it is sensitive to; `words.rs` puts capacities and constraints in words,
//! `caveats.rs` says what limits it all, `charts.rs` draws it and `files.rs` writes it.
//!
//! It owns the words of a recommendation, never the recommendation: capacities, what binds them and
//! what they are sensitive to come from `study::capacity`, prices from `study::cost`.
//!
//! Begin with `report.rs`, then `text.rs`.

pub(crate) mod caveats;
pub mod charts;
pub mod files;
pub mod report;
pub mod text;
pub mod words;
