//! Charts: figures as data, drawn to SVG text or PNG bytes. Nothing here touches files or clocks.
//!
//! A chart is a function from an input, which holds every word and number that is shown, to a
//! [`Figure`]: marks in logical pixels, coloured by what they mean. [`svg`] and [`png()`] render
//! any figure. So the charts know no drawing library, and the renderers know no charts.
//!
//! The rooms, each of which knows only those before it:
//!
//! 1. `canvas`: what a figure consists of, its colour roles, its typeface and its symbols;
//! 2. `layout`: axes, frames, lines through values, and room for labels;
//! 3. the charts by what they are about: `timeline` (one run over time), `comparison` (variants
//!    side by side), `sweep` (a setting that varies), `sizing` (capacity, cost and growth) and
//!    `availability` (months and years);
//! 4. `render`: from a figure to bytes. With `canvas::fonts`, it alone knows the plotting library.
//!
//! From the rest of the crate the charts use units, what was observed (histograms and timelines),
//! and what was made of it: judgements and comparisons. `tests` says what holds for every picture,
//! and what tests of charts share.

mod availability;
mod canvas;
mod comparison;
mod layout;
mod render;
mod sizing;
mod sweep;
#[cfg(test)]
mod tests;
pub mod timeline;

pub use availability::{burn, months, outages};
pub use canvas::{Figure, theme};
pub use comparison::{forest, overlay, percentile};
pub use render::{PlotError, inline_style_sheet, inline_svg, png, style_sheet, svg};
pub use sizing::{budget, capacity, frontier, headroom};
pub use sweep::{heatmap, hockey};
