//! A figure: marks in logical pixels, coloured by meaning. It knows nothing of how it is drawn.

use super::fonts;
use super::theme::Role;

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

impl Anchor {
    /// Where a text of this width starts, from its point.
    pub(crate) fn start(self, width: f64) -> f64 {
        match self {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        }
    }
}

/// A line of text; `at` lies on its baseline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) at: Point,
    pub(crate) text: String,
    pub(crate) role: Role,
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) anchor: Anchor,
    /// Whether a rim in the background colour keeps it legible over other marks.
    pub(crate) halo: bool,
}

/// One mark.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Primitive {
    /// An open path.
    Line { points: Vec<Point>, role: Role, width: f64 },
    /// A filled polygon.
    Fill { points: Vec<Point>, role: Role, opacity: f64 },
    /// A filled rectangle from its upper left to its lower right corner.
    Block { from: Point, to: Point, role: Role, opacity: f64 },
    /// Text.
    Text(Text),
}

impl Primitive {
    /// Whether it has a size, and every coordinate is a number that a picture can have.
    fn is_drawable(&self) -> bool {
        let fine = |point: &Point| point.0.abs() < 1e6 && point.1.abs() < 1e6;
        match self {
            Primitive::Line { points, .. } => points.len() > 1 && points.iter().all(fine),
            Primitive::Fill { points, .. } => points.len() > 2 && points.iter().all(fine),
            Primitive::Block { from, to, .. } => {
                fine(from) && fine(to) && from.0 < to.0 && from.1 < to.1
            }
            Primitive::Text(text) => fine(&text.at) && !text.text.is_empty(),
        }
    }
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
    pub(crate) shapes: Vec<Primitive>,
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
        let (title_, alt, shapes) = (title.to_owned(), String::new(), Vec::new());
        let mut figure = Figure { title: title_, alt, width, height: 0.0, shapes };
        let mut y = 12.0;
        let heads =
            [(title, 22.0, Role::Text, 19.0, true), (subtitle, 18.0, Role::Muted, 13.0, false)];
        for (text, pitch, role, size, bold) in heads {
            for line in fonts::wrap(&fonts::spell(text), size, bold, width - 2.0 * MARGIN, 2) {
                y += pitch;
                figure.push((MARGIN, y), line, Anchor::Start, (role, size), (bold, false));
            }
            y += 3.0;
        }
        (figure, y + 5.0)
    }

    /// Width and height in logical pixels.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// The background, and every mark that has a place in a picture.
    pub(crate) fn visible(&self) -> impl Iterator<Item = Primitive> {
        let (from, to) = ((0.0, 0.0), self.size());
        let ground = Primitive::Block { from, to, role: Role::Background, opacity: 1.0 };
        let drawable = self.shapes.iter().filter(|primitive| primitive.is_drawable());
        std::iter::once(ground).chain(drawable.cloned())
    }

    fn push(
        &mut self,
        at: Point,
        text: String,
        anchor: Anchor,
        (role, size): (Role, f64),
        (bold, halo): (bool, bool),
    ) {
        self.shapes.push(Primitive::Text(Text { at, text, role, size, bold, anchor, halo }));
    }

    /// Adds text.
    pub(crate) fn text(&mut self, at: Point, text: &str, anchor: Anchor, role: Role, size: f64) {
        self.push(at, fonts::spell(text), anchor, (role, size), (false, true));
    }

    /// Adds text of the size of labels that starts at `at`.
    pub(crate) fn label(&mut self, at: Point, text: &str, role: Role) {
        self.text(at, text, Anchor::Start, role, LABEL);
    }

    /// Adds a small muted remark that starts at `at`.
    pub(crate) fn remark(&mut self, at: Point, text: &str) {
        self.text(at, text, Anchor::Start, Role::Muted, SMALL);
    }

    /// Adds text without a rim, which would stain the colour beneath.
    pub(crate) fn plain(&mut self, at: Point, text: &str, anchor: Anchor, role: Role, size: f64) {
        self.push(at, text.to_owned(), anchor, (role, size), (false, false));
    }

    /// Adds semi-bold text in the colour of text.
    pub(crate) fn bold(&mut self, at: Point, text: &str) {
        self.push(at, fonts::spell(text), Anchor::Start, (Role::Text, PANEL), (true, true));
    }

    /// Adds a semi-bold sign without a rim, centred on its baseline.
    pub(crate) fn sign(&mut self, at: Point, sign: char, role: Role, size: f64) {
        self.push(at, sign.to_string(), Anchor::Middle, (role, size), (true, false));
    }

    /// Adds a line through `points`.
    pub(crate) fn line(&mut self, points: Vec<Point>, role: Role, width: f64) {
        self.shapes.push(Primitive::Line { points, role, width });
    }

    /// Adds lines through each of `runs`.
    pub(crate) fn lines(&mut self, runs: Vec<Vec<Point>>, role: Role, width: f64) {
        runs.into_iter().for_each(|points| self.line(points, role, width));
    }

    /// Adds a filled polygon.
    pub(crate) fn fill(&mut self, points: Vec<Point>, role: Role, opacity: f64) {
        self.shapes.push(Primitive::Fill { points, role, opacity });
    }

    /// Adds filled polygons.
    pub(crate) fn fills(&mut self, runs: Vec<Vec<Point>>, role: Role, opacity: f64) {
        runs.into_iter().for_each(|points| self.fill(points, role, opacity));
    }

    /// Adds a filled rectangle.
    pub(crate) fn block(&mut self, from: Point, to: Point, role: Role, opacity: f64) {
        self.shapes.push(Primitive::Block { from, to, role, opacity });
    }

    /// Adds a level hairline of this thickness.
    pub(crate) fn level(&mut self, (from, to): (f64, f64), y: f64, role: Role, thick: f64) {
        self.block((from, y - thick / 2.0), (to, y + thick / 2.0), role, 1.0);
    }

    /// Adds an upright hairline of this thickness.
    pub(crate) fn upright(&mut self, x: f64, (from, to): (f64, f64), role: Role, thick: f64) {
        self.block((x - thick / 2.0, from), (x + thick / 2.0, to), role, 1.0);
    }

    /// Adds a dashed line.
    pub(crate) fn dashes(&mut self, from: Point, to: Point, role: Role, width: f64) {
        self.lines(dashes(&[from, to]), role, width);
    }
}

/// A dash, and a dash with the gap after it.
const DASH: f64 = 5.5;
const DASH_AND_GAP: f64 = 9.0;

/// Dashes along a path, which go on around its bends.
pub(crate) fn dashes(path: &[Point]) -> Vec<Vec<Point>> {
    let (mut found, mut walked) = (Vec::new(), 0.0);
    for ends in path.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |distance: f64| {
            let part = (distance - walked) / length;
            (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1))
        };
        let end = walked + length;
        let mut dash = (walked / DASH_AND_GAP).floor() * DASH_AND_GAP;
        while dash < end && length > 0.0 {
            let (start, stop) = (dash.max(walked), (dash + DASH).min(end));
            if start < stop {
                found.push(vec![at(start), at(stop)]);
            }
            dash += DASH_AND_GAP;
        }
        walked = end;
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small figure with every kind of mark.
    pub(crate) fn sample() -> Figure {
        let (mut figure, top) = Figure::new(400.0, "A title", "A subtitle with <tags> & more");
        figure.height = top + 60.0;
        figure.alt = "Words & <signs> for \"all\".".to_owned();
        figure.line(vec![(10.0, 70.0), (50.0, 90.0), (90.0, 65.0)], Role::Served, 2.0);
        figure.fills(vec![vec![(100.0, 70.0), (120.0, 90.0), (140.0, 65.0)]], Role::Cpu, 0.4);
        figure.block((150.0, 70.0), (190.0, 90.0), Role::Ready, 1.0);
        figure.dashes((10.0, 100.0), (190.0, 100.0), Role::Text, 1.0);
        figure.text((100.0, 95.0), "middle ≤ 3", Anchor::Middle, Role::Muted, LABEL);
        figure
    }

    #[test]
    fn dashes_go_on_around_bends() {
        let found = dashes(&[(0.0, 0.0), (7.0, 0.0), (7.0, 0.0), (7.0, 16.0)]);
        let expected =
            [[(0.0, 0.0), (5.5, 0.0)], [(7.0, 2.0), (7.0, 7.5)], [(7.0, 11.0), (7.0, 16.0)]];
        assert_eq!(found, expected.map(Vec::from));
    }
}
