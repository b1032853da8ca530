//! What both renderers share: a drawing area of the plotting library with a scale and a theme.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::error::PlotError;
use super::figure::{Point, Shape};
use super::theme::{Ink, Theme};

/// A drawing area with a scale and a theme.
pub(super) struct Stage<'a, DB: DrawingBackend> {
    pub(super) area: &'a DrawingArea<DB, Shift>,
    pub(super) scale: f64,
    pub(super) theme: Theme,
}

impl<DB: DrawingBackend> Stage<'_, DB> {
    pub(super) fn at(&self, point: Point) -> (i32, i32) {
        ((point.0 * self.scale).round() as i32, (point.1 * self.scale).round() as i32)
    }

    pub(super) fn colour(&self, ink: Ink) -> RGBColor {
        let (red, green, blue) = ink.colour(self.theme);
        RGBColor(red, green, blue)
    }

    pub(super) fn width(&self, width: f64) -> u32 {
        (width * self.scale).round().max(1.0) as u32
    }

    /// Puts one element on the area.
    pub(super) fn draw<E>(&self, element: &E) -> Result<(), PlotError>
    where
        for<'b> &'b E: plotters::element::PointCollection<'b, (i32, i32)>,
        E: plotters::element::Drawable<DB>,
    {
        self.area.draw(element).map_err(|error| PlotError::Drawing(error.to_string()))
    }

    pub(super) fn fill(&self, points: &[Point], ink: Ink, opacity: f64) -> Result<(), PlotError> {
        let points: Vec<_> = points.iter().map(|point| self.at(*point)).collect();
        self.draw(&Polygon::new(points, self.colour(ink).mix(opacity).filled()))
    }

    pub(super) fn block(&self, corners: [Point; 2], ink: Ink, alpha: f64) -> Result<(), PlotError> {
        let corners = corners.map(|corner| self.at(corner));
        self.draw(&Rectangle::new(corners, self.colour(ink).mix(alpha).filled()))
    }
}

/// Whether every coordinate is a number that a picture can have.
pub(super) fn drawable(shape: &Shape) -> bool {
    let fine = |point: &Point| point.0.abs() < 1e6 && point.1.abs() < 1e6;
    match shape {
        Shape::Line { points, .. } => points.len() > 1 && points.iter().all(fine),
        Shape::Fill { points, .. } => points.len() > 2 && points.iter().all(fine),
        Shape::Block { from, to, .. } => fine(from) && fine(to) && from.0 < to.0 && from.1 < to.1,
        Shape::Text(text) => fine(&text.at) && !text.text.is_empty(),
    }
}
