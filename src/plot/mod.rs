//! Charts: figures as data, drawn to SVG text or PNG bytes. Nothing here touches files or clocks.
//!
//! Data flows one way, and a file knows only those before it:
//!
//! 1. `ramp` (the colours of heat maps), [`theme`] (ink by meaning), `fonts`, `axis`, `axis_load`,
//!    `thin`, `labels` and `lives`: calculations;
//! 2. [`figure`]: a list of marks in logical pixels, without a notion of how they are drawn;
//! 3. `frame` (a panel and its axes), `marks` (values to places), `dots` (marks of single values),
//!    `symbols` (what tells things compared apart), `places` (room for labels), `strips`
//!    (replicas);
//! 4. the charts, which lay out a [`Figure`]: [`timeline`] with `input` (what it shows), `panels`
//!    and `failures`; [`percentile`], [`capacity`], [`frontier`], [`headroom`] and [`forest`];
//!    [`overlay`] with `overlaid` (what it shows); [`hockey`] with `swept` (what it shows) and
//!    `curves`; [`heatmap`] with `combined` (what it shows) and `colours`;
//! 5. [`svg`] and [`png()`], which render any figure: `render` over `vector` and `raster`, both
//!    over `stage`. Beside `fonts`, only these know the plotting library.

mod axis;
mod axis_load;
pub mod capacity;
#[cfg(test)]
mod check;
mod colours;
mod combined;
mod curves;
mod dots;
mod error;
mod failures;
pub mod figure;
mod fonts;
pub mod forest;
mod frame;
pub mod frontier;
pub mod headroom;
pub mod heatmap;
pub mod hockey;
mod input;
mod labels;
mod lives;
mod marks;
mod overlaid;
pub mod overlay;
mod panels;
pub mod percentile;
mod places;
mod ramp;
mod raster;
mod render;
mod scaling;
mod stage;
mod strips;
mod swept;
mod symbols;
pub mod theme;
mod thin;
pub mod timeline;
mod vector;

pub use error::PlotError;
pub use figure::Figure;
pub use render::{png, style_sheet, svg};
