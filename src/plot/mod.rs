//! Charts: figures as data, drawn to SVG text or PNG bytes. Nothing here touches files or clocks.
//!
//! A chart function such as [`timeline::timeline`] lays out a [`canvas::Figure`]: a list of marks
//! in logical pixels, coloured by meaning ([`theme::Ink`]). Rendering comes last, and only there
//! does the plotting library appear.

mod axis;
pub mod canvas;
mod fonts;
mod frame;
mod labels;
mod lives;
mod marks;
mod panels;
pub mod percentile;
mod raster;
mod strips;
pub mod theme;
mod thin;
pub mod timeline;
mod vector;

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The drawing back end refused a mark.
    #[error("drawing failed: {0}")]
    Drawing(String),
    /// The picture could not be encoded.
    #[error("encoding the picture failed: {0}")]
    Encoding(#[from] png::EncodingError),
}
