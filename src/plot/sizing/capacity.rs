//! Capacity by tier and failure mode: a dot with a whisker for each, from zero, beside today's
//! demand and what theory predicts.

use crate::plot::canvas::dots::{DOT, arrow, diamond, dot, whisker};
use crate::plot::canvas::{Anchor, Figure, LABEL, MARGIN, Role, SMALL, WIDTH, fonts};
use crate::plot::layout::{
    AxisScale, Frame, LabelPlacement, MOST_LOAD, PlotAxis, Rect, shorten, si,
};
use crate::units::Rate;

/// What the chart of capacities shows.
#[derive(Clone, Debug)]
pub struct CapacityInput<'a> {
    /// The finding.
    pub title: &'a str,
    /// How the capacities were found, and what the whiskers are.
    pub subtitle: &'a str,
    /// What arrives: "requests", or "sessions".
    pub arrivals: &'a str,
    /// Today's demand per second and what to call it, such as "today: 900/s".
    pub demand: Option<(f64, String)>,
    /// The tiers, from the top down.
    pub groups: Vec<CapacityGroup>,
}

/// The failure modes of one tier.
#[derive(Clone, Debug)]
pub struct CapacityGroup {
    /// Name of the tier, such as "Large".
    pub name: String,
    /// Its failure modes, from the top down.
    pub rows: Vec<CapacityRow>,
}

/// One failure mode of a tier.
#[derive(Clone, Debug)]
pub struct CapacityRow {
    /// The failure mode, such as "a replica is lost".
    pub mode: String,
    /// The capacity under it.
    pub found: CapacityFound,
    /// The capacity that theory predicts, per second.
    pub theory: Option<f64>,
    /// The constraint that binds, such as "p99, CPU of the survivors".
    pub words: String,
}

/// A capacity per second, as far as it is known.
#[derive(Clone, Debug)]
pub enum CapacityFound {
    /// It was found.
    Between {
        /// Low end of its interval.
        low: f64,
        /// The estimate.
        point: f64,
        /// High end of its interval.
        high: f64,
    },
    /// It is this or more: the search ended there.
    AtLeast(f64),
    /// There is none, and why, such as "no load meets the objectives".
    Nothing(String),
}

/// A capacity as it can be drawn: finite, positive and in order.
enum Shown {
    Between(f64, f64, f64),
    AtLeast(f64),
    Nothing(String),
}

/// A line of the table that the chart is, at the height of its middle.
struct Line<'a> {
    y: f64,
    what: What<'a>,
}

enum What<'a> {
    Tier(&'a str),
    Mode(&'a CapacityRow),
}

/// Modes are set in from the name of their tier.
const INDENT: f64 = 12.0;
const ROW: f64 = 28.0;
const GROUP_GAP: f64 = 8.0;
/// Rows that would make the chart higher than this are counted only.
const MOST_HEIGHT: f64 = 1_100.0;
const NAME_ROOM: f64 = 215.0;
const WORDS_ROOM: f64 = 225.0;
const ARROW: f64 = 26.0;
/// Between the frame and the words: an arrow or a number may reach into it.
const GUTTER: f64 = 46.0;

/// Lays out the chart of capacities.
pub fn capacity(input: &CapacityInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.alt = words(input);
    let (lines, bottom, left_out) = lines(input, head + 24.0);
    let frame = frame(input, head + 24.0, bottom);
    figure.height = bottom + 78.0;
    frame.draw_foot(&mut figure, &caption(&frame, input.arrivals));
    figure.block((frame.left - 0.5, frame.top), (frame.left + 0.5, bottom), Role::Axis, 1.0);
    lines.iter().for_each(|line| draw_guide(&mut figure, &frame, line));
    draw_demand(&mut figure, &frame, input);
    for line in &lines {
        draw_name(&mut figure, &frame, line);
        draw_row(&mut figure, &frame, line, demand(input));
    }
    if lines.is_empty() {
        frame.draw_remark(&mut figure, "no capacity was looked for");
    }
    draw_key(&mut figure, &lines, left_out);
    figure
}

/// A load that has a place on an axis.
fn sound(load: f64) -> Option<f64> {
    (0.0..=MOST_LOAD).contains(&load).then_some(load)
}

fn demand(input: &CapacityInput) -> Option<f64> {
    input.demand.as_ref().and_then(|demand| sound(demand.0))
}

fn shown(found: &CapacityFound) -> Shown {
    let positive = |load: f64| sound(load).filter(|load| *load > 0.0);
    match found {
        CapacityFound::Between { low, point, high } => match positive(*point) {
            Some(point) => {
                let end = |end: f64| sound(end).unwrap_or(point);
                Shown::Between(end(*low).min(point), point, end(*high).max(point))
            }
            None => Shown::Nothing("no load was found".to_owned()),
        },
        CapacityFound::AtLeast(load) => match positive(*load) {
            Some(load) => Shown::AtLeast(load),
            None => Shown::Nothing("no load was found".to_owned()),
        },
        CapacityFound::Nothing(why) => Shown::Nothing(why.clone()),
    }
}

fn theory(row: &CapacityRow) -> Option<f64> {
    row.theory.and_then(sound).filter(|load| *load > 0.0)
}

fn rows<'a>(input: &'a CapacityInput) -> impl Iterator<Item = &'a CapacityRow> {
    input.groups.iter().flat_map(|group| &group.rows)
}

/// The lines with their heights, the foot of the last, and how many rows have none.
fn lines<'a>(input: &'a CapacityInput, top: f64) -> (Vec<Line<'a>>, f64, usize) {
    let (mut lines, mut y, mut left_out) = (Vec::new(), top, 0);
    for group in &input.groups {
        if y + 2.0 * ROW > top + MOST_HEIGHT {
            left_out += group.rows.len();
            continue;
        }
        y += if lines.is_empty() { 0.0 } else { GROUP_GAP };
        lines.push(Line { y: y + ROW / 2.0, what: What::Tier(&group.name) });
        y += ROW;
        let most = ((top + MOST_HEIGHT - y) / ROW).max(0.0) as usize;
        left_out += group.rows.len().saturating_sub(most);
        for row in group.rows.iter().take(most) {
            lines.push(Line { y: y + ROW / 2.0, what: What::Mode(row) });
            y += ROW;
        }
    }
    let bottom = if lines.is_empty() { top + 90.0 } else { y + 4.0 };
    (lines, bottom, left_out)
}

/// The frame between the names and the words.
fn frame(input: &CapacityInput, top: f64, bottom: f64) -> Frame {
    let longest = |texts: &mut dyn Iterator<Item = &String>, most: f64| {
        texts
            .map(|text| fonts::width(&shorten(text, LABEL, most), LABEL, false))
            .fold(0.0, f64::max)
    };
    let names = longest(&mut rows(input).map(|row| &row.mode), NAME_ROOM);
    let words = longest(&mut rows(input).map(|row| &row.words), WORDS_ROOM);
    let mut marks: Vec<f64> = demand(input).into_iter().collect();
    for row in rows(input) {
        marks.extend(theory(row));
        match shown(&row.found) {
            Shown::Between(_, point, high) => marks.extend([point, high]),
            Shown::AtLeast(load) => marks.push(load),
            Shown::Nothing(_) => {}
        }
    }
    let left = MARGIN + INDENT + names.max(60.0) + 14.0;
    let right =
        WIDTH - MARGIN - if words > 0.0 { words.max(60.0) + GUTTER } else { GUTTER - MARGIN };
    Frame { left, right, top, bottom, x: PlotAxis::load(&marks, 9), y: PlotAxis::percent() }
}

fn caption(frame: &Frame, arrivals: &str) -> String {
    match frame.x.scale {
        AxisScale::Log => format!("capacity ({arrivals}/s, log scale)"),
        _ => format!("capacity ({arrivals}/s)"),
    }
}

/// The place of a load, which is an edge of the frame for what lies beyond.
fn across(frame: &Frame, load: f64) -> f64 {
    let part = if load <= frame.x.low { 0.0 } else { frame.x.place(load).min(1.0) };
    frame.left + part * (frame.right - frame.left)
}

/// A light line that leads from the name of a mode to its marks.
fn draw_guide(figure: &mut Figure, frame: &Frame, line: &Line) {
    let What::Mode(row) = line.what else { return };
    if !matches!(shown(&row.found), Shown::Nothing(_)) {
        let (from, to) = ((frame.left, line.y - 0.5), (frame.right, line.y + 0.5));
        figure.block(from, to, Role::Grid, 1.0);
    }
}

fn draw_name(figure: &mut Figure, frame: &Frame, line: &Line) {
    let baseline = line.y + 4.1;
    match &line.what {
        What::Tier(name) => {
            let name = shorten(name, LABEL, WIDTH / 2.0);
            figure.bold((MARGIN, baseline), &name, Anchor::Start);
        }
        What::Mode(row) => {
            let name = shorten(&row.mode, LABEL, NAME_ROOM);
            figure.text((MARGIN + INDENT, baseline), &name, Anchor::Start, Role::Text, LABEL);
            let words = shorten(&row.words, LABEL, WORDS_ROOM);
            let at = (frame.right + GUTTER, baseline);
            figure.text(at, &words, Anchor::Start, Role::Muted, LABEL);
        }
    }
}

/// An upright at the demand with its name above, and the heading of the words beside it.
fn draw_demand(figure: &mut Figure, frame: &Frame, input: &CapacityInput) {
    let y = frame.top - 8.0;
    let mut end = WIDTH - MARGIN;
    if rows(input).any(|row| !row.words.is_empty()) {
        end = frame.right + 20.0;
        figure.text((frame.right + GUTTER, y), "limited by", Anchor::Start, Role::Muted, SMALL);
    }
    let (Some(demand), Some((_, name))) = (demand(input), &input.demand) else { return };
    let x = across(frame, demand);
    figure.dashes((x, frame.top - 2.0), (x, frame.bottom), Role::Text, 1.2);
    let name = shorten(name, LABEL, end - MARGIN);
    let half = fonts::width(&name, LABEL, false) / 2.0;
    let middle = x.min(end - half).max(MARGIN + half);
    figure.text((middle, y), &name, Anchor::Middle, Role::Text, LABEL);
}

/// The marks of a row and its number, or why it has none.
fn draw_row(figure: &mut Figure, frame: &Frame, line: &Line, demand: Option<f64>) {
    let What::Mode(row) = line.what else { return };
    let (y, place) = (line.y, |load: f64| across(frame, load));
    let enough = |load: f64| demand.is_none_or(|demand| load >= demand);
    match shown(&row.found) {
        Shown::Between(low, point, high) => {
            let (x, role) =
                (place(point), if enough(point) { Role::Blue } else { Role::Vermilion });
            let ends = (place(low), place(high));
            whisker(figure, ends, y, role);
            dot(figure, (x, y), role);
            let marks = Rect::between((ends.0.min(x - DOT), y), (ends.1.max(x + DOT), y));
            write_number(figure, frame, &si(point), marks, demand);
        }
        Shown::AtLeast(load) => {
            let (x, role) = (place(load), if enough(load) { Role::Blue } else { Role::Muted });
            arrow(figure, (x, x + ARROW), y, role);
            dot(figure, (x, y), role);
            let marks = Rect::between((x - DOT, y), (x + ARROW, y));
            write_number(figure, frame, &format!("at least {}", si(load)), marks, demand);
        }
        Shown::Nothing(why) => {
            let why = shorten(&why, LABEL, frame.right - frame.left - 8.0);
            let at = (frame.left + 8.0, y + 4.1);
            figure.text(at, &why, Anchor::Start, Role::FaultText, LABEL);
        }
    }
    theory(row).into_iter().for_each(|load| diamond(figure, (place(load), y), Role::Text));
}

/// Writes a number beside its marks, where it does not lie over the demand if that can be.
fn write_number(
    figure: &mut Figure,
    frame: &Frame,
    number: &str,
    marks: Rect,
    demand: Option<f64>,
) {
    let (top, bottom, baseline) = (marks.top - ROW, marks.top + ROW, marks.top + 4.1);
    let dashes = demand.map(|demand| across(frame, demand));
    let after = |x: f64| ((x + 6.0, baseline), Anchor::Start);
    let before = |x: f64| ((x - 6.0, baseline), Anchor::End);
    let beyond = dashes.into_iter().flat_map(|x| [after(x), before(x)]);
    let wishes: Vec<_> =
        [after(marks.right), before(marks.left)].into_iter().chain(beyond).collect();
    let mut taken = vec![marks];
    taken.extend(dashes.map(|x| Rect::between((x - 1.0, top), (x + 1.0, bottom))));
    let within = Rect::between((frame.left + 2.0, top), (frame.right + GUTTER - 1.0, bottom));
    let found = LabelPlacement { within, taken }.find(number, LABEL, wishes.iter().copied());
    let (at, anchor) = found.unwrap_or(wishes[0]);
    figure.text(at, number, anchor, Role::Text, LABEL);
}

/// Says what the marks are that there are.
fn draw_key(figure: &mut Figure, lines: &[Line], left_out: usize) {
    let modes = || {
        lines.iter().filter_map(|line| match line.what {
            What::Mode(row) => Some(row),
            What::Tier(_) => None,
        })
    };
    let (mut x, y) = (MARGIN, figure.height - 16.0);
    let mut name = |figure: &mut Figure, sign: f64, text: &str| {
        figure.text((x + sign, y), text, Anchor::Start, Role::Muted, SMALL);
        let at = (x, y - 4.0);
        x += sign + fonts::width(text, SMALL, false) + 26.0;
        at
    };
    if modes().any(|row| matches!(shown(&row.found), Shown::Between(..))) {
        let at = name(figure, 30.0, "capacity found, with its interval");
        whisker(figure, (at.0, at.0 + 22.0), at.1, Role::Muted);
        dot(figure, (at.0 + 11.0, at.1), Role::Muted);
    }
    if modes().any(|row| matches!(shown(&row.found), Shown::AtLeast(_))) {
        let at = name(figure, 34.0, "at least: the search ended there");
        arrow(figure, (at.0 + 4.0, at.0 + 26.0), at.1, Role::Muted);
        dot(figure, (at.0 + 4.0, at.1), Role::Muted);
    }
    if modes().any(|row| theory(row).is_some()) {
        let at = name(figure, 22.0, "theory");
        diamond(figure, (at.0 + 8.0, at.1 + 10.4), Role::Text);
    }
    if left_out > 0 {
        name(figure, 0.0, &format!("{left_out} more rows are not drawn"));
    }
}

/// The picture in words.
fn words(input: &CapacityInput) -> String {
    let what = input.arrivals;
    let mut text = format!("Capacity in {what} per second by tier and failure mode.");
    if let (Some(demand), Some((_, name))) = (demand(input), &input.demand) {
        text += &format!(" Demand: {} ({name}).", Rate(demand));
    }
    for group in &input.groups {
        let rows: Vec<String> = group.rows.iter().map(|row| row_words(row, input)).collect();
        let rows = if rows.is_empty() { "nothing was tried".to_owned() } else { rows.join("; ") };
        text += &format!(" {}: {rows}.", group.name);
    }
    if input.groups.is_empty() {
        text += " No capacity was looked for.";
    }
    text
}

fn row_words(row: &CapacityRow, input: &CapacityInput) -> String {
    let against = |load: f64, exact: bool| match demand(input) {
        Some(demand) if load >= demand => ", which carries the demand",
        Some(_) if exact => ", which is less than the demand",
        _ => "",
    };
    let mut text = match shown(&row.found) {
        Shown::Between(low, point, high) => {
            let (low, high, end) = (Rate(low), Rate(high), against(point, true));
            format!("{}: {} ({low} to {high}){end}", row.mode, Rate(point))
        }
        Shown::AtLeast(load) => {
            format!("{}: at least {}{}", row.mode, Rate(load), against(load, false))
        }
        Shown::Nothing(why) => format!("{}: {why}", row.mode),
    };
    if let Some(load) = theory(row) {
        text += &format!(", theory {}", Rate(load));
    }
    if !row.words.is_empty() {
        text += &format!(", limited by {}", row.words);
    }
    text
}

#[cfg(test)]
#[path = "capacity_tests.rs"]
mod tests;
