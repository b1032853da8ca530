//! Charts: figures as data, drawn to SVG text or PNG bytes. Nothing here touches files or clocks.
//!
//! Data flows one way, and a file knows only those before it:
//!
//! 1. [`theme`] (ink by meaning), `fonts`, `axis`, `axis_load`, `thin`, `labels` and `lives`:
//!    calculations;
//! 2. [`figure`]: a list of marks in logical pixels, without a notion of how they are drawn;
//! 3. `frame` (a panel and its axes), `marks` (values to places), `dots` (marks of single values),
//!    `places` (room for labels), `strips` (replicas);
//! 4. `input` (what a timeline shows), `panels` and `failures`, and the charts [`timeline`],
//!    [`percentile`], [`capacity`], [`frontier`] and [`headroom`], which lay out a
//!    [`Figure`];
//! 5. [`svg`] and [`png()`], which render any figure: `render` over `vector` and `raster`, both
//!    over `stage`. Beside `fonts`, only these know the plotting library.

mod axis;
mod axis_load;
pub mod capacity;
mod dots;
mod error;
mod failures;
pub mod figure;
mod fonts;
mod frame;
pub mod frontier;
pub mod headroom;
mod input;
mod labels;
mod lives;
mod marks;
mod panels;
pub mod percentile;
mod places;
mod raster;
mod render;
mod scaling;
mod stage;
mod strips;
pub mod theme;
mod thin;
pub mod timeline;
mod vector;

pub use error::PlotError;
pub use figure::Figure;
pub use render::{png, style_sheet, svg};
