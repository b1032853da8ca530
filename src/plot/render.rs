//! From a figure to bytes.

use super::error::PlotError;
use super::figure::Figure;
use super::theme::{Theme, dark_rules};
use super::{fonts, raster, vector};

/// The figure as an SVG document, which carries its typeface and adapts to dark surroundings.
///
/// # Errors
/// If the back end refuses a mark.
pub fn svg(figure: &Figure) -> Result<String, PlotError> {
    vector::document(figure, &style_sheet())
}

/// The figure as PNG, with two pixels for each logical one.
///
/// # Errors
/// If the back end refuses a mark or the encoder fails.
pub fn png(figure: &Figure, theme: Theme) -> Result<Vec<u8>, PlotError> {
    raster::encoded(figure, theme)
}

/// The style sheet of every SVG document: the typeface and the dark colours.
pub fn style_sheet() -> String {
    format!("{}{}", fonts::face_rules(), dark_rules())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::tests::sample;

    #[test]
    fn rendering_twice_gives_the_same_bytes() {
        let figure = sample();
        assert_eq!(svg(&figure).unwrap(), svg(&figure).unwrap());
        assert_eq!(png(&figure, Theme::Dark).unwrap(), png(&figure, Theme::Dark).unwrap());
    }

    #[test]
    fn a_document_is_its_marks_and_one_style_sheet() {
        let document = svg(&sample()).unwrap();
        assert_eq!(document.matches("<style>").count(), 1);
        assert!(document.len() < style_sheet().len() + 5_000);
    }
}
