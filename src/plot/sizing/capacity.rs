//! Capacity by tier and failure mode: a dot with a whisker for each, from zero, beside today's
//! demand and what theory predicts.

use super::load::{interval, known, sound, words as interval_words};
use crate::plot::canvas::dots::{DOT, arrow, diamond, dot, whisker};
use crate::plot::canvas::fonts::{self, shorten};
use crate::plot::canvas::{Anchor, Figure, LABEL, MARGIN, Role, WIDTH};
use crate::plot::layout::{AxisScale, Frame, LabelPlacement, LegendRow, PlotAxis, Rect, si};
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
    /// Loads above the capacity that miss below loads that pass again.
    pub bands: Vec<CapacityBand>,
    /// The capacity that theory predicts, per second.
    pub theory: Option<f64>,
    /// The constraint that binds, such as "p99, CPU of the survivors".
    pub words: String,
}

/// Loads that miss, and those above that pass again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CapacityBand {
    /// From where to where loads miss, per second.
    pub missed: (f64, f64),
    /// From where to where they pass again.
    pub passed: (f64, f64),
}

/// A capacity per second, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
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

use CapacityFound::{AtLeast, Between, Nothing};

/// A line of the table that the chart is, at the height of its middle: a failure mode, or the
/// name of a tier.
struct TableLine<'a> {
    y: f64,
    tier: &'a str,
    mode: Option<&'a CapacityRow>,
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
/// Half the height of a band, and its least width.
const BAND: (f64, f64) = (5.0, 3.0);
/// Between the frame and the words: an arrow or a number may reach into it.
const GUTTER: f64 = 46.0;

/// Lays out the chart of capacities.
pub fn capacity(input: &CapacityInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.alt = words(input);
    let (lines, bottom, left_out) = lines(input, head + 24.0);
    let frame = frame(input, head + 24.0, bottom);
    figure.height = bottom + 78.0;
    let scale = if frame.x.scale == AxisScale::Log { ", log scale" } else { "" };
    frame.draw_foot(&mut figure, &format!("capacity ({}/s{scale})", input.arrivals));
    figure.upright(frame.left, (frame.top, bottom), Role::Axis, 1.0);
    for line in lines.iter().filter(|line| line.mode.is_some_and(has_marks)) {
        // Leads from the name of a mode to its marks.
        figure.level((frame.left, frame.right), line.y, Role::Grid, 1.0);
    }
    draw_demand(&mut figure, &frame, input);
    for line in &lines {
        draw_name(&mut figure, &frame, line);
        draw_row(&mut figure, &frame, line, known(&input.demand).map(|demand| demand.0));
    }
    if lines.is_empty() {
        frame.draw_remark(&mut figure, "no capacity was looked for");
    }
    draw_key(&mut figure, &lines, left_out);
    figure
}

/// A capacity as it can be drawn: finite, positive and in order.
fn shown(found: &CapacityFound) -> CapacityFound {
    let sound = match found {
        Between { low, point, high } => interval(*low, *point, *high)
            .map(|(low, point, high)| Between { low, point, high })
            .filter(|_| *point > 0.0),
        AtLeast(load) => sound(*load).filter(|load| *load > 0.0).map(AtLeast),
        Nothing(why) => Some(Nothing(why.clone())),
    };
    sound.unwrap_or_else(|| Nothing("no load was found".to_owned()))
}

fn has_marks(row: &CapacityRow) -> bool {
    !matches!(shown(&row.found), Nothing(_))
}

fn theory(row: &CapacityRow) -> Option<f64> {
    row.theory.and_then(sound).filter(|load| *load > 0.0)
}

/// The bands of a row that have a place on the axis.
fn bands(row: &CapacityRow) -> impl Iterator<Item = CapacityBand> {
    let is_sound = |band: &&CapacityBand| {
        let ends = [band.missed.0, band.missed.1, band.passed.0, band.passed.1];
        ends.is_sorted() && ends.iter().all(|load| sound(*load).is_some())
    };
    row.bands.iter().filter(is_sound).copied()
}

fn rows<'a>(input: &'a CapacityInput) -> impl Iterator<Item = &'a CapacityRow> {
    input.groups.iter().flat_map(|group| &group.rows)
}

/// The lines with their heights, the foot of the last, and how many rows have none.
fn lines<'a>(input: &'a CapacityInput, top: f64) -> (Vec<TableLine<'a>>, f64, usize) {
    let (mut lines, mut y, mut left_out) = (Vec::new(), top, 0);
    for group in &input.groups {
        if y + 2.0 * ROW > top + MOST_HEIGHT {
            left_out += group.rows.len();
            continue;
        }
        y += if lines.is_empty() { 0.0 } else { GROUP_GAP };
        let most = ((top + MOST_HEIGHT - y - ROW) / ROW).max(0.0) as usize;
        left_out += group.rows.len().saturating_sub(most);
        let modes = group.rows.iter().take(most).map(Some);
        for mode in std::iter::once(None).chain(modes) {
            lines.push(TableLine { y: y + ROW / 2.0, tier: &group.name, mode });
            y += ROW;
        }
    }
    let bottom = if lines.is_empty() { top + 90.0 } else { y + 4.0 };
    (lines, bottom, left_out)
}

/// The frame between the names and the words.
fn frame(input: &CapacityInput, top: f64, bottom: f64) -> Frame {
    let longest = |text: fn(&CapacityRow) -> &str, most: f64| {
        let shortened: Vec<String> =
            rows(input).map(|row| shorten(text(row), LABEL, most)).collect();
        fonts::widest(&shortened, LABEL, 0.0)
    };
    let (names, words) =
        (longest(|row| &row.mode, NAME_ROOM), longest(|row| &row.words, WORDS_ROOM));
    let mut marks: Vec<f64> = known(&input.demand).map(|demand| demand.0).into_iter().collect();
    for row in rows(input) {
        marks.extend(theory(row));
        marks.extend(bands(row).flat_map(|band| [band.missed.0, band.passed.1]));
        match shown(&row.found) {
            Between { point, high, .. } => marks.extend([point, high]),
            AtLeast(load) => marks.push(load),
            Nothing(_) => {}
        }
    }
    let left = MARGIN + INDENT + names.max(60.0) + 14.0;
    let beside = if words > 0.0 { words.max(60.0) + GUTTER } else { GUTTER - MARGIN };
    let (x, y) = (PlotAxis::load(&marks, 9), PlotAxis::percent());
    Frame { left, right: WIDTH - MARGIN - beside, top, bottom, x, y }
}

/// The place of a load, which is an edge of the frame for what lies beyond.
fn across(frame: &Frame, load: f64) -> f64 {
    let part = if load <= frame.x.low { 0.0 } else { frame.x.place(load).min(1.0) };
    frame.left + part * (frame.right - frame.left)
}

fn draw_name(figure: &mut Figure, frame: &Frame, line: &TableLine) {
    let baseline = line.y + 4.1;
    let Some(row) = line.mode else {
        return figure.bold((MARGIN, baseline), &shorten(line.tier, LABEL, WIDTH / 2.0));
    };
    let (name, words) =
        (shorten(&row.mode, LABEL, NAME_ROOM), shorten(&row.words, LABEL, WORDS_ROOM));
    figure.label((MARGIN + INDENT, baseline), &name, Role::Text);
    figure.label((frame.right + GUTTER, baseline), &words, Role::Muted);
}

/// An upright at the demand with its name above, and the heading of the words beside it.
fn draw_demand(figure: &mut Figure, frame: &Frame, input: &CapacityInput) {
    let y = frame.top - 8.0;
    let mut end = WIDTH - MARGIN;
    if rows(input).any(|row| !row.words.is_empty()) {
        end = frame.right + 20.0;
        figure.remark((frame.right + GUTTER, y), "limited by");
    }
    let Some((demand, name)) = known(&input.demand) else { return };
    let x = across(frame, demand);
    figure.dashes((x, frame.top - 2.0), (x, frame.bottom), Role::Text, 1.2);
    let name = shorten(name, LABEL, end - MARGIN);
    let half = fonts::width(&name, LABEL, false) / 2.0;
    let middle = x.min(end - half).max(MARGIN + half);
    figure.text((middle, y), &name, Anchor::Middle, Role::Text, LABEL);
}

/// The marks of a row and its number, or why it has none.
fn draw_row(figure: &mut Figure, frame: &Frame, line: &TableLine, demand: Option<f64>) {
    let Some(row) = line.mode else { return };
    let (y, place) = (line.y, |load: f64| across(frame, load));
    let enough = |load: f64| demand.is_none_or(|demand| load >= demand);
    let bands = draw_bands(figure, frame, line, row);
    match shown(&row.found) {
        Between { low, point, high } => {
            let (x, ends) = (place(point), (place(low), place(high)));
            let role = if enough(point) { Role::Blue } else { Role::Vermilion };
            whisker(figure, ends, y, role);
            dot(figure, (x, y), role);
            let marks = Rect::between((ends.0.min(x - DOT), y), (ends.1.max(x + DOT), y));
            write_number(figure, frame, &si(point), (marks, bands), demand);
        }
        AtLeast(load) => {
            let (x, role) = (place(load), if enough(load) { Role::Blue } else { Role::Muted });
            arrow(figure, (x, x + ARROW), y, role);
            dot(figure, (x, y), role);
            let marks = Rect::between((x - DOT, y), (x + ARROW, y));
            let number = format!("at least {}", si(load));
            write_number(figure, frame, &number, (marks, bands), demand);
        }
        Nothing(why) => {
            // Beside the bands, above which nobody looks for a reason.
            let end = bands.iter().map(|band| band.right).fold(frame.left, f64::max);
            let start = if bands.is_empty() { frame.left } else { end };
            let why = shorten(&why, LABEL, (frame.right + GUTTER - 10.0 - start).max(0.0));
            figure.label((start + 8.0, y + 4.1), &why, Role::FaultText);
        }
    }
    theory(row).into_iter().for_each(|load| diamond(figure, (place(load), y), Role::Text));
}

/// Draws loads that miss and loads above them that pass again; gives where they lie.
fn draw_bands(
    figure: &mut Figure,
    frame: &Frame,
    line: &TableLine,
    row: &CapacityRow,
) -> Vec<Rect> {
    let (half, least) = BAND;
    let mut taken = Vec::new();
    for band in bands(row) {
        let parts = [(band.passed, Role::Blue, 0.25), (band.missed, Role::Failure, 0.55)];
        for ((from, to), role, strength) in parts {
            let (from, to) = (across(frame, from), across(frame, to));
            let to = to.max(from + least);
            figure.block((from, line.y - half), (to, line.y + half), role, strength);
            taken.push(Rect::between((from, line.y - half), (to, line.y + half)));
        }
    }
    taken
}

/// Writes a number beside its marks, where it lies neither over a band nor over the demand if that
/// can be.
fn write_number(
    figure: &mut Figure,
    frame: &Frame,
    number: &str,
    (marks, bands): (Rect, Vec<Rect>),
    demand: Option<f64>,
) {
    let (top, bottom, baseline) = (marks.top - ROW, marks.top + ROW, marks.top + 4.1);
    let dashes = demand.map(|demand| across(frame, demand));
    let after = |x: f64| ((x + 6.0, baseline), Anchor::Start);
    let before = |x: f64| ((x - 6.0, baseline), Anchor::End);
    let beyond = dashes.into_iter().flat_map(|x| [after(x), before(x)]);
    let wishes = [after(marks.right), before(marks.left)].into_iter().chain(beyond);
    let mut taken = vec![marks];
    taken.extend(bands);
    taken.extend(dashes.map(|x| Rect::between((x - 1.0, top), (x + 1.0, bottom))));
    let within = Rect::between((frame.left + 2.0, top), (frame.right + GUTTER - 1.0, bottom));
    LabelPlacement { within, taken }.write_anyway(figure, (number, Role::Text), wishes);
}

/// Says what the marks are that there are.
fn draw_key(figure: &mut Figure, lines: &[TableLine], left_out: usize) {
    let any = |is: fn(&CapacityRow) -> bool| lines.iter().filter_map(|line| line.mode).any(is);
    let mut key = LegendRow { x: MARGIN, y: figure.height - 16.0, gap: 26.0 };
    if any(|row| matches!(shown(&row.found), Between { .. })) {
        let (x, y) = key.add(figure, 30.0, "capacity found, with its interval");
        whisker(figure, (x, x + 22.0), y, Role::Muted);
        dot(figure, (x + 11.0, y), Role::Muted);
    }
    if any(|row| matches!(shown(&row.found), AtLeast(_))) {
        let (x, y) = key.add(figure, 34.0, "at least: the search ended there");
        arrow(figure, (x + 4.0, x + 26.0), y, Role::Muted);
        dot(figure, (x + 4.0, y), Role::Muted);
    }
    if any(|row| bands(row).next().is_some()) {
        for (role, strength, name) in
            [(Role::Failure, 0.55, "missed"), (Role::Blue, 0.25, "met again, not counted")]
        {
            let (x, y) = key.add(figure, 24.0, name);
            figure.block((x, y - BAND.0), (x + 16.0, y + BAND.0), role, strength);
        }
    }
    if any(|row| theory(row).is_some()) {
        let (x, y) = key.add(figure, 22.0, "theory");
        diamond(figure, (x + 8.0, y + 10.4), Role::Text);
    }
    if left_out > 0 {
        key.add(figure, 0.0, &format!("{left_out} more rows are not drawn"));
    }
}

/// The picture in words.
fn words(input: &CapacityInput) -> String {
    let what = input.arrivals;
    let mut text = format!("Capacity in {what} per second by tier and failure mode.");
    let demand = known(&input.demand);
    if let Some((demand, name)) = demand {
        text += &format!(" Demand: {} ({name}).", Rate(demand));
    }
    for group in &input.groups {
        let rows: Vec<String> =
            group.rows.iter().map(|row| row_words(row, demand.map(|demand| demand.0))).collect();
        let rows = if rows.is_empty() { "nothing was tried".to_owned() } else { rows.join("; ") };
        text += &format!(" {}: {rows}.", group.name);
    }
    if input.groups.is_empty() {
        text += " No capacity was looked for.";
    }
    text
}

fn row_words(row: &CapacityRow, demand: Option<f64>) -> String {
    let against = |load: f64, exact: bool| match demand {
        Some(demand) if load >= demand => ", which carries the demand",
        Some(_) if exact => ", which is less than the demand",
        _ => "",
    };
    let found = match shown(&row.found) {
        Between { low, point, high } => interval_words((low, point, high)) + against(point, true),
        AtLeast(load) => format!("at least {}{}", Rate(load), against(load, false)),
        Nothing(why) => why,
    };
    let mut text = format!("{}: {found}", row.mode);
    for CapacityBand { missed, passed } in bands(row) {
        let range = |(from, to): (f64, f64)| format!("from {} to {}", Rate(from), Rate(to));
        text += &format!(", missed {} and met again {}", range(missed), range(passed));
    }
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
