//! The forest plot: paired differences to a baseline with their intervals, a panel for each metric
//! and a row for each variant. What lies left or right of zero is told from it at a glance.

use crate::metric::Preferred;
use crate::plot::canvas::fonts::{self, shorten};
use crate::plot::canvas::{Anchor, Figure, LABEL, MARGIN, PANEL, Point, Role, Symbol, WIDTH};
use crate::plot::layout::{AxisScale, Frame, LegendRow, PlotAxis, ends, short};
use crate::stats::paired::Call;

/// What the forest plot shows.
#[derive(Clone, Debug)]
pub struct ForestInput<'a> {
    /// The finding or the question.
    pub title: &'a str,
    /// What was simulated, what the baseline is, and what the intervals cover.
    pub subtitle: &'a str,
    /// The metrics, from the top.
    pub panels: Vec<ForestPanel>,
}

/// The differences in one metric.
#[derive(Clone, Debug)]
pub struct ForestPanel {
    /// What is compared, such as "p99 latency".
    pub metric: String,
    /// The unit of every difference in the panel, such as "ms"; empty if there is none.
    pub unit: String,
    /// Which direction is good.
    pub better: Preferred,
    /// The variants, from the top.
    pub rows: Vec<ForestRow>,
}

/// The difference between a variant and the baseline.
#[derive(Clone, Debug)]
pub struct ForestRow {
    /// The variant.
    pub label: String,
    /// The estimate of the difference, in the unit of the panel; no mark if it is not finite.
    pub point: f64,
    /// Its interval, in the unit of the panel. An infinite end is drawn as an arrow.
    pub interval: Option<(f64, f64)>,
    /// The interval that runs without common random numbers would have given: a pale whisker.
    pub unpaired: Option<(f64, f64)>,
    /// The estimate in words, such as "-3.1 ms (-3.3 to -2.9), x0.74".
    pub words: String,
    /// Which of the two is greater.
    pub call: Call,
}

/// What to make of a difference, in words with their colour, and the mark with its colour.
fn shown(call: Call, better: Preferred) -> (&'static str, Role, Symbol, Role) {
    use Symbol::{Circle, Diamond, Down, Up};
    match (call, better) {
        (Call::Equal, _) => ("the same", Role::Muted, Circle, Role::Offered),
        (Call::TooClose | Call::Unknown, _) => {
            ("too close to call", Role::Muted, Circle, Role::Offered)
        }
        (_, Preferred::Neither) => ("differs", Role::Text, Diamond, Role::Blue),
        (Call::Less, Preferred::Less) | (Call::Greater, Preferred::More) => {
            ("better", Role::RecoveredText, Up, Role::Green)
        }
        _ => ("worse", Role::FaultText, Down, Role::Vermilion),
    }
}

/// What lies to the left and to the right of zero, and that in words.
fn sides(better: Preferred) -> (&'static str, &'static str, &'static str) {
    match better {
        Preferred::Less => ("better", "worse", "lower is better"),
        Preferred::More => ("worse", "better", "higher is better"),
        Preferred::Neither => ("less", "more", "neither direction is better"),
    }
}

/// From row to row.
const PITCH: f64 = 25.0;
/// The most rows and panels that are drawn; a picture of more could not be read, nor held.
const MOST_ROWS: usize = 48;
const MOST_PANELS: usize = 8;
/// No difference beyond this has a place.
const MOST: f64 = 1e12;
/// Differences of which one is so many times another are shown by their logarithm.
const FAR: f64 = 30.0;
/// Room for the longest label, the longest estimate, and between columns.
const LABELS: f64 = 180.0;
const WORDS: f64 = 270.0;
const GAP: f64 = 18.0;
/// The least room for a tick and its label.
const TICK: f64 = 40.0;
/// Pale whiskers may make the axis this many times as long as it would be without them.
const PALE_REACH: f64 = 1.5;

/// Lays out the forest plot.
pub fn forest(input: &ForestInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.alt = words(input);
    let columns = Columns::of(input);
    let most = (MOST_ROWS / input.panels.len().clamp(1, MOST_PANELS)).max(1);
    let mut top = head + 22.0;
    for panel in input.panels.iter().take(MOST_PANELS) {
        top = columns.draw_panel(&mut figure, panel, most, top) + 30.0;
    }
    let hidden = input.panels.len().saturating_sub(MOST_PANELS);
    let remark = match (input.panels.len(), hidden) {
        (0, _) => "nothing was compared",
        (_, 0) => "",
        _ => &format!("and {hidden} more metrics"),
    };
    if !remark.is_empty() {
        figure.label((MARGIN, top), remark, Role::Muted);
        top += 24.0;
    }
    draw_key(&mut figure, &mut top, input);
    figure.height = top.ceil();
    figure
}

/// Where the columns of the table around the plots are.
struct Columns {
    left: f64,
    right: f64,
    words: f64,
    calls: f64,
}

impl Columns {
    /// Columns as wide as their longest text, up to a limit.
    fn of(input: &ForestInput) -> Self {
        let rows = || input.panels.iter().flat_map(|panel| panel.rows.iter());
        let calls = |panel: &ForestPanel| -> Vec<String> {
            panel.rows.iter().map(|row| shown(row.call, panel.better).0.to_owned()).collect()
        };
        let calls: Vec<String> = input.panels.iter().flat_map(calls).collect();
        let labels = fonts::widest(rows().map(|row| &row.label), LABEL, 60.0).min(LABELS);
        let words = fonts::widest(rows().map(|row| &row.words), LABEL, 150.0).min(WORDS) + 1.0;
        let calls = WIDTH - MARGIN - fonts::widest(&calls, LABEL, 40.0);
        let words = calls - GAP - words;
        Columns { left: MARGIN + labels + GAP, right: words - GAP, words, calls }
    }

    /// Draws a panel below `top` and gives its foot.
    fn draw_panel(&self, figure: &mut Figure, panel: &ForestPanel, most: usize, top: f64) -> f64 {
        let title = fonts::fit(&fonts::spell(&panel.metric), PANEL, true, WIDTH - 2.0 * MARGIN);
        figure.bold((MARGIN, top), &title);
        let rows = &panel.rows[..panel.rows.len().min(most)];
        let hidden = panel.rows.len() - rows.len();
        let lines = rows.len() + usize::from(hidden > 0 || rows.is_empty());
        let (top, height) = (top + 10.0, PITCH * lines as f64);
        let (x, y) = (axis(rows, self.right - self.left), PlotAxis::percent());
        let frame = Frame { left: self.left, right: self.right, top, bottom: top + height, x, y };
        self.draw_ground(figure, &frame, panel);
        for (index, row) in rows.iter().enumerate() {
            let y = top + PITCH * (index as f64 + 0.5);
            self.draw_row(figure, &frame, (row, panel.better), y);
        }
        let last = (MARGIN, top + height - 0.5 * PITCH + 4.1);
        if rows.is_empty() {
            figure.label(last, "no variant", Role::Muted);
        } else if hidden > 0 {
            let text = format!("and {hidden} more");
            figure.label(last, &text, Role::Muted);
        }
        frame.bottom + 40.0
    }

    /// The axis, the line of no difference, and which side is better.
    fn draw_ground(&self, figure: &mut Figure, frame: &Frame, panel: &ForestPanel) {
        let foot = frame.bottom;
        figure.level((frame.left, frame.right), foot, Role::Axis, 1.0);
        figure.upright(frame.across(0.0), (frame.top, foot + 4.0), Role::Text, 1.6);
        let unit = if panel.unit.is_empty() { "" } else { &format!(" ({})", panel.unit) };
        let room = frame.right - frame.left - 130.0;
        let by_log = matches!(frame.x.scale, AxisScale::SignedLog(_));
        let scale = if by_log { ", log scale to both sides" } else { "" };
        frame.draw_foot(figure, &shorten(&format!("difference{unit}{scale}"), LABEL, room));
        let (less, more, _) = sides(panel.better);
        let y = foot + 36.0;
        figure.label((frame.left + 10.0, y), less, Role::Muted);
        figure.text((frame.right - 10.0, y), more, Anchor::End, Role::Muted, LABEL);
        arrow(figure, (frame.left, y - 4.0), -1.0, Role::Muted);
        arrow(figure, (frame.right, y - 4.0), 1.0, Role::Muted);
    }

    fn draw_row(
        &self,
        figure: &mut Figure,
        frame: &Frame,
        (row, better): (&ForestRow, Preferred),
        y: f64,
    ) {
        let label = shorten(&row.label, LABEL, self.left - GAP - MARGIN);
        let start = MARGIN + fonts::width(&label, LABEL, false) + 8.0;
        figure.level((start, self.words - 8.0), y, Role::Grid, 1.0);
        figure.upright(frame.across(0.0), (y - 2.0, y + 2.0), Role::Text, 1.6);
        let known = is_known(row);
        let estimate = match row.words.as_str() {
            "" if known => plain_words(row),
            "" => "no estimate".to_owned(),
            words => words.to_owned(),
        };
        let estimate = shorten(&estimate, LABEL, self.calls - GAP - self.words);
        figure.label((MARGIN, y + 4.1), &label, Role::Text);
        figure.label((self.words, y + 4.1), &estimate, Role::Text);
        if known {
            let (call, role, symbol, mark) = shown(row.call, better);
            figure.label((self.calls, y + 4.1), call, role);
            draw_estimate(figure, frame, row, y, (symbol, mark));
        }
    }
}

/// Whether a row has an estimate that an axis can show.
fn is_known(row: &ForestRow) -> bool {
    row.point.abs() <= MOST
}

/// The whiskers and the mark of an estimate.
fn draw_estimate(
    figure: &mut Figure,
    frame: &Frame,
    row: &ForestRow,
    y: f64,
    (symbol, role): (Symbol, Role),
) {
    if let Some(ends) = row.unpaired.and_then(ordered) {
        whisker(figure, frame, ends, y, (Role::Capacity, 1.4, 4.0));
    }
    if let Some(ends) = row.interval.and_then(ordered) {
        whisker(figure, frame, ends, y, (role, 2.6, 5.0));
    }
    let at = (frame.across(row.point), y);
    symbol.draw(figure, at, 4.2, role, matches!(row.call, Call::TooClose | Call::Unknown));
}

/// A level line between two values, with a cap where it ends and an arrow where it leaves the
/// frame.
fn whisker(
    figure: &mut Figure,
    frame: &Frame,
    ends: (f64, f64),
    y: f64,
    (role, width, cap): (Role, f64, f64),
) {
    let (from, to) = (frame.across(ends.0), frame.across(ends.1));
    let held = |x: f64| x.clamp(frame.left, frame.right);
    let (start, stop) = (held(from), held(to));
    figure.level((start, stop), y, role, width);
    for (x, shown, side) in [(from, start, -1.0), (to, stop, 1.0)] {
        if x == shown {
            figure.upright(x, (y - cap, y + cap), role, 1.4);
        } else {
            arrow(figure, (shown, y), side, role);
        }
    }
}

/// An arrow head that points left for a `side` of -1 and right for 1.
fn arrow(figure: &mut Figure, tip: Point, side: f64, role: Role) {
    let back = tip.0 - 6.5 * side;
    figure.fill(vec![tip, (back, tip.1 - 4.0), (back, tip.1 + 4.0)], role, 1.0);
}

/// The ends of an interval from the lesser to the greater; `None` if one is not a number.
fn ordered((a, b): (f64, f64)) -> Option<(f64, f64)> {
    (!a.is_nan() && !b.is_nan()).then(|| (a.min(b), a.max(b)))
}

/// An axis that holds zero, the estimates and their intervals, and as much of the pale whiskers as
/// leaves these legible.
fn axis(rows: &[ForestRow], width: f64) -> PlotAxis {
    let known = || rows.iter().filter(|row| is_known(row));
    let both = |of: fn(&ForestRow) -> Option<(f64, f64)>| {
        let all = known().filter_map(of).flat_map(|ends| [ends.0, ends.1]);
        all.filter(|value| value.abs() <= MOST)
    };
    let core = known().map(|row| row.point).chain(both(|row| row.interval)).chain([0.0]);
    let (low, high) = ends(core).unwrap_or_default();
    let pale = ends(both(|row| row.unpaired).chain([low, high])).unwrap_or_default();
    let most = if low < high { PALE_REACH * (high - low) } else { f64::MAX };
    let (low, high) = (pale.0.max(low - most), pale.1.min(high + most));
    let sizes = || known().map(|row| row.point.abs()).filter(|size| *size > 0.0);
    let least = sizes().fold(f64::INFINITY, f64::min);
    // Where one variant is far worse than the others they would all lie at zero.
    if least.is_finite() && low.abs().max(high) > FAR * least {
        let wider = |end: f64| if end == 0.0 { 0.0 } else { 1.3 * end };
        return PlotAxis::signed_log(wider(low), wider(high), least, (width / TICK) as usize);
    }
    let edge = 0.03 * (high - low);
    PlotAxis::linear(low - edge, high + edge, (width / TICK) as usize)
}

/// Says what the whiskers are, if there is more than one kind.
fn draw_key(figure: &mut Figure, top: &mut f64, input: &ForestInput) {
    let mut rows = input.panels.iter().flat_map(|panel| panel.rows.iter());
    if !rows.any(|row| row.unpaired.is_some()) {
        return;
    }
    let mut key = LegendRow { x: MARGIN, y: *top + 4.0, gap: 28.0 };
    for (role, width, cap, text) in [
        (Role::Offered, 2.6, 5.0, "interval of the paired difference"),
        (Role::Capacity, 1.4, 4.0, "what independent runs would have given"),
    ] {
        let (x, y) = (key.x, *top);
        figure.level((x, x + 26.0), y, role, width);
        for end in [x, x + 26.0] {
            figure.upright(end, (y - cap, y + cap), role, 1.4);
        }
        key.add(figure, 34.0, text);
    }
    *top += 20.0;
}

/// The picture in words.
fn words(input: &ForestInput) -> String {
    let mut text = "Differences to the baseline, with intervals, by metric and variant.".to_owned();
    for panel in &input.panels {
        let better = sides(panel.better).2;
        let unit = if panel.unit.is_empty() { "" } else { &format!(", in {}", panel.unit) };
        text += &format!(" {}{unit}; {better}:", panel.metric);
        let rows: Vec<String> = panel.rows.iter().map(|row| row_words(row, panel.better)).collect();
        text += &if rows.is_empty() { " no variant.".to_owned() } else { rows.join(";") + "." };
    }
    if input.panels.is_empty() {
        text += " Nothing was compared.";
    }
    text
}

fn row_words(row: &ForestRow, better: Preferred) -> String {
    if !is_known(row) {
        return format!(" {}: no estimate", row.label);
    }
    let estimate = if row.words.is_empty() { &plain_words(row) } else { &row.words };
    let unpaired = row.unpaired.and_then(ordered).map(|(low, high)| {
        format!(", independent runs would have given {} to {}", short(low), short(high))
    });
    let call = shown(row.call, better).0;
    format!(" {}: {estimate}, {call}{}", row.label, unpaired.unwrap_or_default())
}

/// The estimate of a row that comes without words.
fn plain_words(row: &ForestRow) -> String {
    let interval = row.interval.and_then(ordered);
    let interval = interval.map(|(low, high)| format!(" ({} to {})", short(low), short(high)));
    format!("{}{}", short(row.point), interval.unwrap_or_default())
}

#[cfg(test)]
#[path = "forest_tests.rs"]
mod tests;
