//! Cost against capacity: which sizings carry more than anything as cheap, and which of them carry
//! the demand.

use crate::plot::canvas::dots::{DOT, dot, ring, upright};
use crate::plot::canvas::{Anchor, Figure, LABEL, Point, Role, SMALL, WIDTH, fonts};
use crate::plot::layout::{
    Frame, LabelPlacement, MOST_LOAD, PlotAxis, Rect, SeriesPoint, lines as marks, shorten,
};
use crate::units::{Rate, three_digits};

/// What the chart of cost and capacity shows.
#[derive(Clone, Debug)]
pub struct FrontierInput<'a> {
    /// The finding.
    pub title: &'a str,
    /// How the capacities were found, and what the whiskers are.
    pub subtitle: &'a str,
    /// What the cost counts, with its unit, such as "entitlements (Large)".
    pub cost_label: &'a str,
    /// The sizings, in any order.
    pub points: Vec<FrontierPoint>,
    /// What arrives: "requests", or "sessions".
    pub arrivals: &'a str,
    /// Today's demand per second and what to call it, such as "today: 900/s".
    pub demand: Option<(f64, String)>,
}

/// One sizing.
#[derive(Clone, Debug)]
pub struct FrontierPoint {
    /// How to call it, such as "3 × Large".
    pub label: String,
    /// What it costs, in the unit of the cost label; not negative.
    pub cost: f64,
    /// Low end of the interval of its capacity, in requests/s.
    pub low: f64,
    /// Its capacity, in requests/s.
    pub point: f64,
    /// High end of the interval of its capacity, in requests/s.
    pub high: f64,
}

/// A sizing that has a place.
#[derive(Clone, Copy)]
struct Sizing<'a> {
    label: &'a str,
    cost: f64,
    capacity: f64,
    /// Ends of the interval, around the capacity.
    ends: (f64, f64),
    /// Whether nothing else carries as much for no more cost.
    efficient: bool,
}

const HEIGHT: f64 = 500.0;
const NAME_ROOM: f64 = 170.0;
/// More sizings than this are counted only.
const MOST: usize = 600;

/// Lays out the chart of cost and capacity.
pub fn frontier(input: &FrontierInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.height = HEIGHT;
    let mut sizings = sizings(input);
    figure.alt = words(input, &sizings);
    let hidden = sizings.len().saturating_sub(MOST);
    sizings.truncate(MOST);
    let frame = frame(input, &sizings, head + 30.0);
    frame.draw_levels(&mut figure);
    frame.draw_foot(&mut figure, &shorten(input.cost_label, LABEL, 600.0));
    let at = (frame.left, frame.top - 14.0);
    let caption = format!("capacity ({}/s)", input.arrivals);
    figure.text(at, &caption, Anchor::Start, Role::Text, LABEL);
    let mut places = LabelPlacement { within: within(&frame), taken: Vec::new() };
    let level = demand(input);
    level.into_iter().for_each(|level| draw_level(&mut figure, &frame, level, &mut places));
    draw_steps(&mut figure, &frame, &sizings, &mut places);
    for sizing in sizings.iter().rev() {
        draw_sizing(&mut figure, &frame, sizing, &mut places);
    }
    if let (Some(level), Some((_, name))) = (level, &input.demand) {
        name_level(&mut figure, frame.down(level), frame.right, name, &mut places);
    }
    let unnamed = sizings.iter().filter(|s| !name(&mut figure, &frame, s, &mut places)).count();
    if sizings.is_empty() {
        frame.draw_remark(&mut figure, "no sizing has a cost and a capacity");
    }
    draw_key(&mut figure, &sizings, (unnamed, hidden));
    figure
}

fn sound(value: f64) -> Option<f64> {
    (0.0..=MOST_LOAD).contains(&value).then_some(value)
}

fn demand(input: &FrontierInput) -> Option<f64> {
    input.demand.as_ref().and_then(|demand| sound(demand.0))
}

/// The sizings that have a place: first those of the frontier by cost, then the others.
fn sizings<'a>(input: &'a FrontierInput) -> Vec<Sizing<'a>> {
    let of = |point: &'a FrontierPoint| {
        let (cost, capacity) = (sound(point.cost)?, sound(point.point)?);
        let end = |end: f64| sound(end).unwrap_or(capacity);
        let ends = (end(point.low).min(capacity), end(point.high).max(capacity));
        Some(Sizing { label: &point.label, cost, capacity, ends, efficient: false })
    };
    let mut sizings: Vec<Sizing> = input.points.iter().filter_map(of).collect();
    sizings.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(b.capacity.total_cmp(&a.capacity)));
    let mut best: Option<(f64, f64)> = None;
    for sizing in &mut sizings {
        let place = (sizing.cost, sizing.capacity);
        sizing.efficient = best.is_none_or(|best| place.1 > best.1 || place == best);
        best = if sizing.efficient { Some(place) } else { best };
    }
    sizings.sort_by_key(|sizing| !sizing.efficient);
    sizings
}

fn frame(input: &FrontierInput, sizings: &[Sizing], top: f64) -> Frame {
    let costs = sizings.iter().map(|sizing| sizing.cost);
    let loads = sizings.iter().map(|sizing| sizing.ends.1).chain(demand(input));
    let x = PlotAxis::count(costs.fold(0.0, f64::max) * 1.08, 10);
    let y = PlotAxis::count(loads.fold(0.0, f64::max) * 1.04, 6);
    Frame { left: 72.0, right: WIDTH - 30.0, top, bottom: HEIGHT - 82.0, x, y }
}

/// Where names may be.
fn within(frame: &Frame) -> Rect {
    Rect::between((frame.left + 2.0, frame.top - 8.0), (frame.right + 10.0, frame.bottom - 1.0))
}

fn place(frame: &Frame, sizing: &Sizing) -> Point {
    (frame.across(sizing.cost), frame.down(sizing.capacity))
}

/// What each cost buys at best.
fn draw_steps(figure: &mut Figure, frame: &Frame, sizings: &[Sizing], places: &mut LabelPlacement) {
    let efficient = sizings.iter().filter(|sizing| sizing.efficient);
    let corners: Vec<SeriesPoint> = efficient.map(|s| (s.cost, Some(s.capacity))).collect();
    let runs = marks::steps(frame, &corners, frame.x.high);
    for ends in runs.iter().flat_map(|run| run.windows(2)) {
        let room = Rect::between(ends[0], ends[1]);
        let (from, to) = ((room.left - 1.0, room.top - 1.0), (room.right + 1.0, room.bottom + 1.0));
        places.taken.push(Rect::between(from, to));
    }
    figure.lines(runs, Role::Sky, 1.5);
}

fn draw_sizing(figure: &mut Figure, frame: &Frame, sizing: &Sizing, places: &mut LabelPlacement) {
    let at = place(frame, sizing);
    let ends = (frame.down(sizing.ends.0), frame.down(sizing.ends.1));
    let role = if sizing.efficient { Role::Blue } else { Role::Unready };
    if ends.0 > ends.1 {
        upright(figure, at.0, ends, role);
    }
    if sizing.efficient {
        dot(figure, at, role)
    } else {
        ring(figure, at, role)
    }
    places.taken.push(Rect::around(at, DOT + 1.0));
    places.taken.push(Rect::between((at.0 - 4.0, ends.0), (at.0 + 4.0, ends.1)));
}

/// Dashes at the level of the demand.
fn draw_level(figure: &mut Figure, frame: &Frame, demand: f64, places: &mut LabelPlacement) {
    let y = frame.down(demand);
    figure.dashes((frame.left, y), (frame.right, y), Role::Text, 1.2);
    places.taken.push(Rect::between((frame.left, y - 1.0), (frame.right, y + 1.0)));
}

/// Names the level of the demand, at its right end or where there is room.
fn name_level(figure: &mut Figure, y: f64, right: f64, name: &str, places: &mut LabelPlacement) {
    let name = shorten(name, LABEL, 300.0);
    let steps = (0..40).map(|step| right - 14.0 * f64::from(step));
    let wishes = steps.flat_map(|x| [(x, y - 6.0), (x, y + 14.0)]).map(|at| (at, Anchor::End));
    let or = ((right, y - 6.0), Anchor::End);
    let (at, anchor) = places.find_or(&name, LABEL, wishes, or);
    figure.text(at, &name, anchor, Role::Text, LABEL);
}

/// Names a sizing beside its dot; whether there was room.
fn name(figure: &mut Figure, frame: &Frame, sizing: &Sizing, places: &mut LabelPlacement) -> bool {
    let (x, y) = place(frame, sizing);
    let (top, foot) = (frame.down(sizing.ends.1) - 6.0, frame.down(sizing.ends.0) + 14.0);
    let (before, after) = (x - DOT - 5.0, x + DOT + 5.0);
    let left = [4.1, -6.0, 14.0, -16.0].map(|dy| ((before, y + dy), Anchor::End));
    let right = [4.1, 14.0, -6.0, 24.0, -16.0].map(|dy| ((after, y + dy), Anchor::Start));
    let middle = [(x, top), (x, foot)].map(|at| (at, Anchor::Middle));
    // Above the frontier there is nothing, below it are the others.
    let wishes: Vec<_> = match sizing.efficient {
        true => left.into_iter().chain(middle).chain(right).collect(),
        false => right.into_iter().chain(middle).chain(left).collect(),
    };
    let text = shorten(sizing.label, LABEL, NAME_ROOM);
    let role = if sizing.efficient { Role::Text } else { Role::Muted };
    let found = places.find(&text, LABEL, wishes);
    if let Some((at, anchor)) = found {
        figure.text(at, &text, anchor, role, LABEL);
    }
    found.is_some()
}

/// Says what filled and hollow dots are, and how many sizings have no name or no dot.
fn draw_key(figure: &mut Figure, sizings: &[Sizing], (unnamed, hidden): (usize, usize)) {
    let (mut x, y) = (72.0, figure.height - 16.0);
    let mut remark = |figure: &mut Figure, start: f64, text: &str| {
        figure.text((x + start, y), text, Anchor::Start, Role::Muted, SMALL);
        let at = (x + 6.0, y - 4.0);
        x += start + fonts::width(text, SMALL, false) + 22.0;
        at
    };
    if sizings.iter().any(|sizing| !sizing.efficient) {
        let at = remark(figure, 16.0, "the most for its cost");
        dot(figure, at, Role::Blue);
        let at = remark(figure, 16.0, "another costs no more and carries no less");
        ring(figure, at, Role::Unready);
    }
    if unnamed > 0 {
        remark(figure, 0.0, &format!("{unnamed} have no name for want of room"));
    }
    if hidden > 0 {
        remark(figure, 0.0, &format!("{hidden} more are not drawn"));
    }
}

/// The picture in words.
fn words(input: &FrontierInput, sizings: &[Sizing]) -> String {
    let what = input.arrivals;
    let mut text = format!("Capacity in {what} per second against cost in {}.", input.cost_label);
    if let (Some(demand), Some((_, name))) = (demand(input), &input.demand) {
        let carries = |sizing: &&Sizing| sizing.ends.0 >= demand;
        let first = sizings.iter().filter(|sizing| sizing.efficient).find(carries);
        let first = first.map_or("no sizing carries it".to_owned(), |sizing| {
            format!("the cheapest that carries it with its whole interval is {}", sizing.label)
        });
        text += &format!(" Demand: {} ({name}); {first}.", Rate(demand));
    }
    for sizing in sizings {
        let (capacity, low, high) =
            (Rate(sizing.capacity), Rate(sizing.ends.0), Rate(sizing.ends.1));
        let rank = if sizing.efficient { "" } else { ", but another costs no more" };
        let cost = three_digits(sizing.cost);
        text += &format!(" {}: {capacity} ({low} to {high}) for {cost}{rank}.", sizing.label);
    }
    let lost = input.points.len() - sizings.len();
    if lost > 0 {
        text += &format!(" {lost} without a cost or a capacity are left out.");
    }
    if sizings.is_empty() {
        text += " No sizing has a cost and a capacity.";
    }
    text
}

#[cfg(test)]
#[path = "frontier_tests.rs"]
mod tests;
