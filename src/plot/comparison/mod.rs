//! Charts that compare: variants, or parts of one run.
//!
//! [`forest`] shows paired differences to a baseline with their intervals; [`overlay`] lays the
//! timelines of variants over each other;
//! [`percentile`] draws whole latency distributions, on an axis on which every further nine takes
//! the same room. Things compared are told apart by colour and symbol, both by their order.
//!
//! The charts ask `observe` for histograms, and `canvas` and `layout` for everything drawn.

pub mod forest;
pub mod overlay;
pub mod percentile;
