//! A row below a picture that says what its marks mean.

use crate::plot::canvas::{Figure, Point, SMALL, fonts};

/// The row: where its next item starts, the baseline of its words, and the room between items.
pub(crate) struct LegendRow {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) gap: f64,
}

impl LegendRow {
    /// Adds the meaning of a sign that takes `sign` of room; gives where to draw that.
    pub(crate) fn add(&mut self, figure: &mut Figure, sign: f64, text: &str) -> Point {
        figure.remark((self.x + sign, self.y), text);
        let at = (self.x, self.y - 4.0);
        self.x += sign + fonts::width(text, SMALL, false) + self.gap;
        at
    }
}
