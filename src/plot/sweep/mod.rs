//! Charts of settings that vary.
//!
//! [`hockey`] shows latency and throughput against one setting (`hockey_input` says what it
//! shows, `curves` draws lines through measured points with their intervals); [`heatmap`] shows
//! a quantity for each combination of two (`heatmap_cells` says what it shows, in words and in
//! colours).
//!
//! The charts own no statistics: points come with their intervals. They ask `canvas` and `layout`
//! for everything drawn.

mod curves;
pub mod heatmap;
mod heatmap_cells;
pub mod hockey;
mod hockey_input;
