//! What can go wrong.

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
