//! A figure: marks in logical pixels, coloured by meaning. It knows nothing of how it is drawn.

use super::fonts;
use super::theme::Ink;

/// A place in logical pixels, from the upper left corner.
pub(crate) type Point = (f64, f64);

/// Where a text lies relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// The text starts there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

/// A line of text; `at` lies on its baseline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) at: Point,
    pub(crate) text: String,
    pub(crate) ink: Ink,
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) anchor: Anchor,
    /// Whether a rim in the background colour keeps it legible over other marks.
    pub(crate) halo: bool,
}

/// One mark.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// An open path.
    Line { points: Vec<Point>, ink: Ink, width: f64 },
    /// A filled polygon.
    Fill { points: Vec<Point>, ink: Ink, opacity: f64 },
    /// A filled rectangle from its upper left to its lower right corner.
    Block { from: Point, to: Point, ink: Ink, opacity: f64 },
    /// Text.
    Text(Text),
}

/// A finished picture that can be rendered any number of times, always to the same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What the picture says.
    pub title: String,
    /// The whole story in words, for those who do not see the picture.
    pub alt: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}

/// Size of tick labels and remarks.
pub(crate) const SMALL: f64 = 11.5;
/// Size of labels.
pub(crate) const LABEL: f64 = 12.0;
/// Size of panel titles.
pub(crate) const PANEL: f64 = 12.5;
/// Width of most charts.
pub(crate) const WIDTH: f64 = 860.0;
/// Nothing comes closer to the sides.
pub(crate) const MARGIN: f64 = 20.0;
/// Where a panel begins that has the labels of its values to the left.
pub(crate) const LEFT: f64 = 72.0;

impl Figure {
    /// An empty figure with a title and a subtitle, and the height that these take.
    pub(crate) fn new(width: f64, title: &str, subtitle: &str) -> (Self, f64) {
        let mut figure = Figure {
            title: title.to_owned(),
            alt: String::new(),
            width,
            height: 0.0,
            shapes: Vec::new(),
        };
        let room = width - 2.0 * MARGIN;
        let mut y = 12.0;
        for line in fonts::wrap(&fonts::spell(title), 19.0, true, room, 2) {
            y += 22.0;
            figure.heading(y, line, Ink::Text, 19.0, true);
        }
        y += 3.0;
        for line in fonts::wrap(&fonts::spell(subtitle), 13.0, false, room, 2) {
            y += 18.0;
            figure.heading(y, line, Ink::Muted, 13.0, false);
        }
        (figure, y + 8.0)
    }

    fn heading(&mut self, y: f64, text: String, ink: Ink, size: f64, bold: bool) {
        let (at, anchor) = ((MARGIN, y), Anchor::Start);
        self.shapes.push(Shape::Text(Text { at, text, ink, size, bold, anchor, halo: false }));
    }

    /// Width and height in logical pixels.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// Adds text.
    pub(crate) fn text(&mut self, at: Point, text: &str, anchor: Anchor, ink: Ink, size: f64) {
        let text = fonts::spell(text);
        let (bold, halo) = (false, true);
        self.shapes.push(Shape::Text(Text { at, text, ink, size, bold, anchor, halo }));
    }

    /// Adds semi-bold text in the colour of text.
    pub(crate) fn bold(&mut self, at: Point, text: &str, anchor: Anchor) {
        let text = fonts::spell(text);
        let (ink, size, bold, halo) = (Ink::Text, PANEL, true, true);
        self.shapes.push(Shape::Text(Text { at, text, ink, size, bold, anchor, halo }));
    }

    /// Adds a line through `points`.
    pub(crate) fn line(&mut self, points: Vec<Point>, ink: Ink, width: f64) {
        self.shapes.push(Shape::Line { points, ink, width });
    }

    /// Adds lines through each of `runs`.
    pub(crate) fn lines(&mut self, runs: Vec<Vec<Point>>, ink: Ink, width: f64) {
        runs.into_iter().for_each(|points| self.line(points, ink, width));
    }

    /// Adds filled polygons.
    pub(crate) fn fills(&mut self, runs: Vec<Vec<Point>>, ink: Ink, opacity: f64) {
        let fills = runs.into_iter().map(|points| Shape::Fill { points, ink, opacity });
        self.shapes.extend(fills);
    }

    /// Adds a filled rectangle.
    pub(crate) fn block(&mut self, from: Point, to: Point, ink: Ink, opacity: f64) {
        self.shapes.push(Shape::Block { from, to, ink, opacity });
    }

    /// Adds a level or upright line, dashed.
    pub(crate) fn dashes(&mut self, from: Point, to: Point, ink: Ink, width: f64) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let along = |d: f64| {
            let part = d.min(length) / length;
            (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1))
        };
        for dash in 0..(length / 9.0).ceil() as usize {
            let start = 9.0 * dash as f64;
            self.line(vec![along(start), along(start + 5.5)], ink, width);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small figure with every kind of mark.
    pub(crate) fn sample() -> Figure {
        let (mut figure, top) = Figure::new(400.0, "A title", "A subtitle with <tags> & more");
        figure.height = top + 60.0;
        figure.alt = "Words & <signs> for \"all\".".to_owned();
        figure.line(vec![(10.0, 70.0), (50.0, 90.0), (90.0, 65.0)], Ink::Served, 2.0);
        figure.fills(vec![vec![(100.0, 70.0), (120.0, 90.0), (140.0, 65.0)]], Ink::Cpu, 0.4);
        figure.block((150.0, 70.0), (190.0, 90.0), Ink::Ready, 1.0);
        figure.dashes((10.0, 100.0), (190.0, 100.0), Ink::Text, 1.0);
        figure.text((100.0, 95.0), "middle ≤ 3", Anchor::Middle, Ink::Muted, LABEL);
        figure
    }
}
