//! What both renderers share: a drawing area of the plotting library with a scale and a theme.

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;

use crate::plot::canvas::theme::Theme;
use crate::plot::canvas::{Point, Primitive, Role};

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The drawing back end refused a mark.
    #[error("drawing failed: {0}")]
    Drawing(String),
    /// The picture could not be encoded.
    #[error("encoding the picture failed: {0}")]
    Encoding(#[from] ::png::EncodingError),
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for PlotError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        PlotError::Drawing(error.to_string())
    }
}

/// A drawing area with a scale and a theme.
pub(crate) struct Surface<'a, DB: DrawingBackend> {
    pub(crate) area: &'a DrawingArea<DB, Shift>,
    pub(crate) scale: f64,
    pub(crate) theme: Theme,
}

impl<DB: DrawingBackend> Surface<'_, DB> {
    pub(crate) fn at(&self, point: Point) -> (i32, i32) {
        ((point.0 * self.scale).round() as i32, (point.1 * self.scale).round() as i32)
    }

    pub(crate) fn colour(&self, role: Role) -> RGBColor {
        let (red, green, blue) = role.colour(self.theme);
        RGBColor(red, green, blue)
    }

    /// Puts one element on the area.
    pub(crate) fn draw<E>(&self, element: &E) -> Result<(), PlotError>
    where
        for<'b> &'b E: PointCollection<'b, (i32, i32)>,
        E: Drawable<DB>,
    {
        Ok(self.area.draw(element)?)
    }

    /// Draws a polygon or a block; other primitives are the renderer's own.
    pub(crate) fn fill(&self, primitive: &Primitive) -> Result<(), PlotError> {
        match primitive {
            Primitive::Fill { points, role, opacity } => {
                let points: Vec<_> = points.iter().map(|point| self.at(*point)).collect();
                self.draw(&Polygon::new(points, self.colour(*role).mix(*opacity).filled()))
            }
            Primitive::Block { from, to, role, opacity } => {
                let corners = [self.at(*from), self.at(*to)];
                self.draw(&Rectangle::new(corners, self.colour(*role).mix(*opacity).filled()))
            }
            Primitive::Line { .. } | Primitive::Text(_) => Ok(()),
        }
    }
}
