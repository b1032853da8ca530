//! Charts of settings that vary.
//!
//! [`hockey`] shows latency and throughput against one setting (`hockey_input` says what it
//! shows, `curves` draws lines through measured points with their intervals); [`heatmap`] shows
//! a quantity for each combination of two (`heatmap_cells` says what it shows, and that in words,
//! `heat_scale` gives values their colours).
//!
//! The charts own no statistics: points come with their intervals. They ask `canvas` and `layout`
//! for everything drawn.

mod curves;
mod heat_scale;
pub mod heatmap;
mod heatmap_cells;
pub mod hockey;
mod hockey_input;
