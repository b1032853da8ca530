//! A frame: the rectangle of a panel with its two axes, and what every panel has.

use super::axis::PlotAxis;
use super::label_lanes::spread;
use crate::plot::canvas::{Anchor, Figure, LABEL, PANEL, Point, Role, SMALL, fonts};

/// Where a panel draws.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    pub(crate) x: PlotAxis,
    pub(crate) y: PlotAxis,
}

/// How a key shows what it names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Swatch {
    /// A piece of line of this width.
    Line(f64),
    /// A dashed line.
    Dashes,
    /// A filled square.
    Square,
}

/// Names a mark: at the height where it ends, to the right of the frame.
#[derive(Clone, Debug)]
pub(crate) struct LegendEntry {
    pub(crate) y: f64,
    pub(crate) role: Role,
    pub(crate) sign: Swatch,
    pub(crate) text: String,
}

/// Frames below each other from `top` on that share the x axis of `frame`, each with its height
/// and its y axis.
pub(crate) fn stack(
    frame: &Frame,
    mut top: f64,
    panels: impl Iterator<Item = (f64, PlotAxis)>,
    gap: f64,
) -> Vec<Frame> {
    let below = |(height, y)| {
        let bottom = top + height;
        let next = Frame { top, bottom, y, ..frame.clone() };
        top = bottom + gap;
        next
    };
    panels.map(below).collect()
}

/// Shades the time before `end` in each of `frames`.
pub(crate) fn shade<'a>(
    figure: &mut Figure,
    frames: impl IntoIterator<Item = &'a Frame>,
    end: f64,
) {
    for frame in frames.into_iter().filter(|_| end > 0.0) {
        let corner = (frame.across(end), frame.bottom);
        figure.block((frame.left, frame.top), corner, Role::Shade, 1.0);
    }
}

/// Distance between keys.
const KEY_GAP: f64 = 16.0;

impl Frame {
    /// The place of a value along the x axis.
    pub(crate) fn across(&self, value: f64) -> f64 {
        self.left + self.x.place(value) * (self.right - self.left)
    }

    /// The place of a value along the y axis.
    pub(crate) fn down(&self, value: f64) -> f64 {
        self.bottom - self.y.place(value) * (self.bottom - self.top)
    }

    /// Columns that a picture of twice the logical size can show.
    pub(crate) fn columns(&self) -> usize {
        (self.right - self.left).max(1.0) as usize
    }

    /// Level grid lines, and the labels of the y axis.
    pub(crate) fn draw_levels(&self, figure: &mut Figure) {
        for (value, label) in &self.y.ticks {
            let y = self.down(*value);
            let role = if *value == self.y.low { Role::Axis } else { Role::Grid };
            figure.level((self.left, self.right), y, role, 1.0);
            figure.text((self.left - 8.0, y + 3.9), label, Anchor::End, Role::Muted, SMALL);
        }
        figure.level((self.left, self.right), self.bottom, Role::Axis, 1.0);
    }

    /// Tick marks, labels and the caption of the x axis, below the frame.
    pub(crate) fn draw_foot(&self, figure: &mut Figure, caption: &str) {
        let mut free = f64::MIN;
        for (value, label) in &self.x.ticks {
            let x = self.across(*value);
            figure.upright(x, (self.bottom, self.bottom + 4.0), Role::Axis, 1.0);
            let half = fonts::width(label, SMALL, false) / 2.0;
            if x - half > free {
                let at = (x, self.bottom + 17.0);
                figure.text(at, label, Anchor::Middle, Role::Muted, SMALL);
                free = x + half + 3.0;
            }
        }
        let at = ((self.left + self.right) / 2.0, self.bottom + 36.0);
        figure.text(at, caption, Anchor::Middle, Role::Text, LABEL);
    }

    /// A title `rise` above the frame on a ground of its own, with a remark `gap` after it.
    pub(crate) fn draw_title(
        &self,
        figure: &mut Figure,
        title: &str,
        rise: f64,
        (remark, gap): (&str, f64),
    ) {
        let (x, y) = (self.left, self.top - rise);
        let room = self.right - x - fonts::width(remark, SMALL, false) - 8.0;
        let title = fonts::fit(&fonts::spell(title), PANEL, true, room);
        let after = x + fonts::width(&title, PANEL, true) + gap;
        let end = after + fonts::width(remark, SMALL, false);
        figure.block((x - 2.0, y - 11.0), (end + 3.0, y + 4.0), Role::Background, 1.0);
        figure.bold((x, y), &title);
        figure.remark((after, y), remark);
    }

    /// A remark in the middle of an empty frame.
    pub(crate) fn draw_remark(&self, figure: &mut Figure, text: &str) {
        let at = ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0 + 4.0);
        figure.text(at, text, Anchor::Middle, Role::Muted, LABEL);
    }

    /// Keys to the right of the frame, each near its height, none over another.
    pub(crate) fn draw_keys(&self, figure: &mut Figure, keys: &[LegendEntry]) {
        let wanted: Vec<f64> = keys.iter().map(|key| key.y).collect();
        let places = spread(&wanted, KEY_GAP, self.top + 4.0, self.bottom.max(self.top + 5.0));
        for (key, y) in keys.iter().zip(places) {
            self.draw_key(figure, key, y);
        }
    }

    fn draw_key(&self, figure: &mut Figure, key: &LegendEntry, y: f64) {
        let x = self.right + 10.0;
        match key.sign {
            Swatch::Line(width) => figure.line(vec![(x, y), (x + 14.0, y)], key.role, width),
            Swatch::Dashes => figure.dashes((x, y), (x + 14.5, y), key.role, 1.2),
            Swatch::Square => figure.block((x, y - 5.0), (x + 14.0, y + 5.0), key.role, 1.0),
        }
        let room = figure.width - x - 20.0 - 6.0;
        let text = fonts::fit(&fonts::spell(&key.text), LABEL, false, room);
        figure.label((x + 20.0, y + 4.1), &text, Role::Text);
    }
}

/// A row below a picture that says what its marks mean: where its next item starts, the baseline of
/// its words, and the room between items.
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
