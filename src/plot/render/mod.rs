//! From a figure to bytes: SVG text and PNG.
//!
//! Both renderers draw every primitive of a figure on a `surface`, a drawing area of the plotting
//! library with a scale and a theme. The library's bitmaps have no smooth edges and ragged joints,
//! so `png` draws large, joins lines itself and averages pixels. Its SVG texts have neither a rim
//! nor a place on their baseline, so `svg` writes texts itself between the marks of the library.
//! An SVG document carries its typeface, and a style sheet that gives light colours their dark
//! counterparts; of the figures of a page the page has it once.
//!
//! The room asks `canvas` for the figure, the colours and the typeface. The same figure always
//! gives the same bytes.

mod png;
mod surface;
mod svg;

pub use png::png;
pub use surface::PlotError;
pub use svg::{inline_style_sheet, inline_svg, style_sheet, svg};
