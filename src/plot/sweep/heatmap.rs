//! The heat map: a quantity for every combination of two swept settings, as colour and in words,
//! with the edge of the region in which the objectives are met.

use super::heatmap_cells::{HeatScale, cell, value, words};
use crate::plot::canvas::fonts::{self, shorten};
use crate::plot::canvas::{Anchor, Figure, LABEL, MARGIN, Point, Role, SMALL, WIDTH};
use crate::verdict::Overall;

pub use super::heatmap_cells::{HeatmapCell, HeatmapInput};

/// The longest value of the upward setting.
const NAME: f64 = 150.0;
/// Room for the colour bar with its labels.
const BAR: f64 = 120.0;
/// Room for what the upward setting is, and for what the colours are.
const CAPTION: f64 = 395.0;
/// The most columns and rows; cells of more could not be told apart.
const MOST_COLUMNS: usize = 120;
const MOST_ROWS: usize = 100;
/// A cell is neither larger nor, if it has text, smaller.
const LARGEST: (f64, f64) = (104.0, 44.0);
const SMALLEST_TEXT: f64 = 9.0;
/// In a cell of this height the mark of the verdict stands above the text, else beside it.
const TALL: f64 = 42.0;
/// Marks of verdicts are no closer to each other than this.
const MARK: f64 = 10.0;
/// Half of the gap between cells.
const HALF_GAP: f64 = 0.5;

/// Lays out the heat map.
pub fn heatmap(input: &HeatmapInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.alt = words(input);
    let grid = Grid::of(input, head + 34.0);
    if grid.columns * grid.rows == 0 {
        figure.label((MARGIN, grid.top + 20.0), "no combination of settings", Role::Muted);
        figure.height = grid.top + 60.0;
        return figure;
    }
    grid.draw_captions(&mut figure, input);
    let colours = HeatScale::of(input);
    let size = grid.text_size(input);
    for (column, row) in grid.places() {
        grid.draw_cell(&mut figure, input, &colours, (column, row), size);
    }
    grid.draw_edges(&mut figure, input);
    grid.draw_verdicts(&mut figure, input, &colours, size);
    grid.draw_names(&mut figure, input);
    grid.draw_bar(&mut figure, input, &colours);
    let foot = grid.draw_key(&mut figure, input);
    figure.height = foot.ceil();
    figure
}

/// The name of the upward setting, as far as there is room for it.
fn up_caption(input: &HeatmapInput) -> String {
    shorten(input.y_label, LABEL, CAPTION)
}

/// Where the cells are.
struct Grid {
    left: f64,
    top: f64,
    wide: f64,
    high: f64,
    /// Where the colour bar begins: next to the cells, and where its caption leaves the other one
    /// room.
    bar: f64,
    columns: usize,
    rows: usize,
}

impl Grid {
    fn of(input: &HeatmapInput, top: f64) -> Self {
        let left = MARGIN + fonts::widest(&input.y, LABEL, 20.0).min(NAME) + 10.0;
        let some = |count: usize| count * usize::from(!input.x.is_empty() && !input.y.is_empty());
        let columns = some(input.x.len()).min(MOST_COLUMNS);
        let rows = some(input.y.len()).min(MOST_ROWS);
        let wide = ((WIDTH - left - BAR - MARGIN) / columns.max(1) as f64).min(LARGEST.0);
        let high = (440.0 / rows.max(1) as f64).min(LARGEST.1);
        let captioned = MARGIN + fonts::width(&up_caption(input), LABEL, false) + 24.0;
        let bar = (left + wide * columns as f64 + 28.0).max(captioned);
        Grid { left, top, wide, high, bar, columns, rows }
    }

    fn right(&self) -> f64 {
        self.left + self.wide * self.columns as f64
    }

    fn bottom(&self) -> f64 {
        self.top + self.high * self.rows as f64
    }

    /// Column and row of every cell.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.columns;
        (0..self.rows).flat_map(move |row| (0..columns).map(move |column| (column, row)))
    }

    /// The upper left corner of a cell.
    fn corner(&self, (column, row): (usize, usize)) -> Point {
        (self.left + self.wide * column as f64, self.bottom() - self.high * (row + 1) as f64)
    }

    /// The size at which every text fits into its cell, or else none is written.
    fn text_size(&self, input: &HeatmapInput) -> Option<f64> {
        let cells = self.places().filter_map(|place| cell(input, place));
        let longest = fonts::widest(cells.map(|cell| &cell.text), 1.0, 1.0);
        let room = self.wide - 6.0 - if self.high < TALL { 14.0 } else { 0.0 };
        let size = (room / longest).min(LABEL).min(self.high - 5.0);
        (size >= SMALLEST_TEXT).then_some(size)
    }

    fn draw_cell(
        &self,
        figure: &mut Figure,
        input: &HeatmapInput,
        colours: &HeatScale,
        place: (usize, usize),
        size: Option<f64>,
    ) {
        let (x, y) = self.corner(place);
        let gap = if self.wide.min(self.high) < 8.0 { 0.0 } else { HALF_GAP };
        let (from, to) = ((x + gap, y + gap), (x + self.wide - gap, y + self.high - gap));
        let cell = cell(input, place);
        let level = cell.and_then(value).map(|value| colours.level(value));
        let (ground, role) = level
            .map_or((Role::Grid, Role::Muted), |level| (Role::Scale(level), Role::OnScale(level)));
        figure.block(from, to, ground, 1.0);
        let Some(cell) = cell else { return };
        if let Some(size) = size {
            let at = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0 + 0.36 * size);
            let at = if self.high < TALL { (at.0 - 6.0, at.1) } else { at };
            let text = if level.is_none() && cell.text.is_empty() { "–" } else { &cell.text };
            let text = shorten(text, size, self.wide - 4.0);
            figure.plain(at, &text, Anchor::Middle, role, size);
        }
    }

    /// Marks the verdicts, or, in cells too small for that, those of some of them.
    fn draw_verdicts(
        &self,
        figure: &mut Figure,
        input: &HeatmapInput,
        colours: &HeatScale,
        size: Option<f64>,
    ) {
        let every = |side: f64| (MARK / side).ceil().max(1.0) as usize;
        let (across, up) = (every(self.wide), every(self.high));
        let chosen = self.places().filter(|at| at.0 % across == across / 2 && at.1 % up == up / 2);
        for (place, cell) in chosen.filter_map(|place| Some((place, cell(input, place)?))) {
            let (x, y) = self.corner(place);
            let middle = (x + self.wide / 2.0, y + self.high / 2.0);
            let at = match size {
                Some(_) if self.high < TALL => (x + self.wide - 8.5, middle.1),
                Some(_) => (x + self.wide - 9.5, y + 9.0),
                None => middle,
            };
            let role = value(cell).map_or(Role::Muted, |value| Role::OnScale(colours.level(value)));
            let reach = (0.28 * self.wide.min(self.high)).clamp(3.0, 4.0);
            draw_verdict(figure, at, reach, cell.verdict, role);
        }
    }

    /// Draws the edge of the region in which the objectives are met.
    fn draw_edges(&self, figure: &mut Figure, input: &HeatmapInput) {
        let is_met = |place| cell(input, place).is_some_and(|cell| cell.verdict == Overall::Met);
        let mut edges = Vec::new();
        for place in self.places() {
            let (x, y) = self.corner(place);
            let (right, above) = ((place.0 + 1, place.1), (place.0, place.1 + 1));
            if right.0 < self.columns && is_met(place) != is_met(right) {
                edges.push(((x + self.wide, y), (x + self.wide, y + self.high)));
            }
            if above.1 < self.rows && is_met(place) != is_met(above) {
                edges.push(((x, y), (x + self.wide, y)));
            }
        }
        for (half, role) in [(2.4, Role::Background), (1.3, Role::Text)] {
            for (from, to) in &edges {
                let (from, to) = ((from.0 - half, from.1 - half), (to.0 + half, to.1 + half));
                figure.block(from, to, role, 1.0);
            }
        }
    }

    /// The values of the settings, as many as there is room for, and what the settings are.
    fn draw_names(&self, figure: &mut Figure, input: &HeatmapInput) {
        let stride = (15.0 / self.high).ceil().max(1.0) as usize;
        for row in (0..self.rows).step_by(stride) {
            let (x, y) = self.corner((0, row));
            let (at, name) = ((x - 8.0, y + self.high / 2.0 + 4.1), &input.y[row]);
            figure.plain(at, &shorten(name, LABEL, NAME), Anchor::End, Role::Text, LABEL);
        }
        let longest = fonts::widest(&input.x, LABEL, 0.0).min(self.wide.max(90.0)) + 8.0;
        let stride = (longest / self.wide).ceil().max(1.0) as usize;
        for column in (0..self.columns).step_by(stride) {
            let (x, _) = self.corner((column, 0));
            let name = shorten(&input.x[column], LABEL, self.wide * stride as f64 - 6.0);
            let at = (x + self.wide / 2.0, self.bottom() + 17.0);
            figure.plain(at, &name, Anchor::Middle, Role::Text, LABEL);
        }
    }

    /// What the settings and the colours are: the upward setting above its values, the colours
    /// above their bar.
    fn draw_captions(&self, figure: &mut Figure, input: &HeatmapInput) {
        let y = self.top - 14.0;
        let up = up_caption(input);
        figure.plain((MARGIN, y), &up, Anchor::Start, Role::Muted, LABEL);
        let scale = if input.log { ", log scale" } else { "" };
        let quantity = shorten(&format!("{}{scale}", input.quantity), LABEL, CAPTION);
        let start = self.bar;
        let fits = start + fonts::width(&quantity, LABEL, false) <= WIDTH - MARGIN;
        let (x, anchor) = if fits { (start, Anchor::Start) } else { (WIDTH - MARGIN, Anchor::End) };
        figure.plain((x, y), &quantity, anchor, Role::Muted, LABEL);
        let across = shorten(input.x_label, LABEL, self.bar - MARGIN - 10.0);
        let width = fonts::width(&across, LABEL, false);
        let start = (self.left + self.right() - width) / 2.0;
        let at = (start.min(self.bar - 10.0 - width).max(MARGIN), self.bottom() + 37.0);
        figure.plain(at, &across, Anchor::Start, Role::Muted, LABEL);
    }

    /// Draws the colours with the words of some cells, at the places of their values.
    fn draw_bar(&self, figure: &mut Figure, input: &HeatmapInput, colours: &HeatScale) {
        let (x, top, bottom) = (self.bar, self.top, self.bottom().max(self.top + 88.0));
        let down = |share: f64| bottom - share * (bottom - top);
        let named = colours.named(input, bottom - top);
        if named.is_empty() {
            return;
        }
        let count = f64::from(Role::LEVELS) + 1.0;
        for level in 0..=Role::LEVELS {
            let (from, to) = (f64::from(level) / count, f64::from(level + 1) / count);
            // Each colour reaches under the next, so that no seam shows.
            let from = ((from * count - 0.5) / count).max(0.0);
            figure.block((x, down(to)), (x + 14.0, down(from)), Role::Scale(level), 1.0);
        }
        for (share, text) in named {
            let y = down(share);
            figure.level((x + 14.0, x + 18.0), y, Role::Axis, 1.0);
            let text = shorten(text, SMALL, WIDTH - MARGIN - x - 22.0);
            figure.plain((x + 22.0, y + 3.9), &text, Anchor::Start, Role::Muted, SMALL);
        }
    }

    /// Says what the marks mean, as far as there are any; gives the foot of the figure.
    fn draw_key(&self, figure: &mut Figure, input: &HeatmapInput) -> f64 {
        let cells: Vec<Option<&HeatmapCell>> =
            self.places().map(|place| cell(input, place)).collect();
        let has = |verdict| cells.iter().flatten().any(|cell| cell.verdict == verdict);
        let unknown = |cell: &Option<&HeatmapCell>| cell.and_then(value).is_none();
        let hidden = (input.x.len() - self.columns, input.y.len() - self.rows);
        let cut = format!("{} columns and {} rows are not drawn", hidden.0, hidden.1);
        let mixed = has(Overall::Met)
            && cells.iter().any(|cell| cell.is_none_or(|cell| cell.verdict != Overall::Met));
        let (mut x, y) = (MARGIN, self.bottom() + 66.0);
        let verdicts =
            [(Overall::Missed, "an objective is missed"), (Overall::Undecided, "undecided")];
        for (verdict, text) in verdicts.into_iter().filter(|item| has(item.0)) {
            draw_verdict(figure, (x + 5.0, y - 4.0), 4.0, verdict, Role::Text);
            x = name_sign(figure, (x, y), 14.0, text);
        }
        let bars = [
            (mixed, 1.3, Role::Text, "edge of where all objectives are met"),
            (cells.iter().any(unknown), 5.0, Role::Grid, "no data"),
        ];
        for (_, half, role, text) in bars.into_iter().filter(|item| item.0) {
            figure.level((x, x + 18.0), y - 4.0, role, 2.0 * half);
            x = name_sign(figure, (x, y), 24.0, text);
        }
        if hidden != (0, 0) {
            x = name_sign(figure, (x, y), 0.0, &cut);
        }
        if x > MARGIN { y + 18.0 } else { y - 10.0 }
    }
}

/// Says what a sign of the key means; gives where the next begins.
fn name_sign(figure: &mut Figure, (x, y): Point, wide: f64, text: &str) -> f64 {
    figure.plain((x + wide, y), text, Anchor::Start, Role::Muted, SMALL);
    x + wide + fonts::width(text, SMALL, false) + 24.0
}

/// A cross where an objective is missed, a question mark where that cannot be told.
fn draw_verdict(figure: &mut Figure, at: Point, reach: f64, verdict: Overall, role: Role) {
    match verdict {
        Overall::Missed => {
            for side in [-1.0, 1.0] {
                let start = (at.0 - reach, at.1 - side * reach);
                let end = (at.0 + reach, at.1 + side * reach);
                figure.line(vec![start, end], role, 0.4 * reach);
            }
        }
        Overall::Undecided => {
            let size = 3.1 * reach;
            figure.sign((at.0, at.1 + 0.36 * size), '?', role, size);
        }
        Overall::Met | Overall::NoObjectives => {}
    }
}

#[cfg(test)]
#[path = "heatmap_tests.rs"]
mod tests;
