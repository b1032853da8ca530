//! Cost against capacity: which sizings carry more than anything as cheap, and which of them carry
//! the demand.

use super::load::{interval, known, sound, words as interval_words};
use crate::plot::canvas::dots::{DOT, dot, ring, upright};
use crate::plot::canvas::fonts::shorten;
use crate::plot::canvas::{Anchor, Figure, LABEL, LEFT, Point, Role, WIDTH};
use crate::plot::layout::{
    Frame, LabelPlacement, LegendRow, PlotAxis, Rect, SeriesPoint, lines as marks,
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
    /// The capacity between the ends of its interval.
    capacity: (f64, f64, f64),
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
    let caption = format!("capacity ({}/s)", input.arrivals);
    figure.label((frame.left, frame.top - 14.0), &caption, Role::Text);
    let corner = (frame.right + 10.0, frame.bottom - 1.0);
    let within = Rect::between((frame.left + 2.0, frame.top - 8.0), corner);
    let mut places = LabelPlacement { within, taken: Vec::new() };
    let level = known(&input.demand).map(|(demand, name)| (frame.down(demand), name));
    if let Some((y, _)) = level {
        figure.dashes((frame.left, y), (frame.right, y), Role::Text, 1.2);
        places.taken.push(Rect::between((frame.left, y - 1.0), (frame.right, y + 1.0)));
    }
    draw_steps(&mut figure, &frame, &sizings, &mut places);
    for sizing in sizings.iter().rev() {
        draw_sizing(&mut figure, &frame, sizing, &mut places);
    }
    if let Some((y, name)) = level {
        // At the right end or where there is room.
        let name = shorten(name, LABEL, 300.0);
        let steps = (0..40).map(|step| frame.right - 14.0 * f64::from(step));
        let wishes = steps.flat_map(|x| [(x, y - 6.0), (x, y + 14.0)]).map(|at| (at, Anchor::End));
        places.write_anyway(&mut figure, (&name, Role::Text), wishes);
    }
    let unnamed = sizings.iter().filter(|s| !name(&mut figure, &frame, s, &mut places)).count();
    if sizings.is_empty() {
        frame.draw_remark(&mut figure, "no sizing has a cost and a capacity");
    }
    draw_key(&mut figure, &sizings, (unnamed, hidden));
    figure
}

/// The sizings that have a place: first those of the frontier by cost, then the others.
fn sizings<'a>(input: &'a FrontierInput) -> Vec<Sizing<'a>> {
    let of = |point: &'a FrontierPoint| {
        let (cost, capacity) = (sound(point.cost)?, interval(point.low, point.point, point.high)?);
        Some(Sizing { label: &point.label, cost, capacity, efficient: false })
    };
    let mut sizings: Vec<Sizing> = input.points.iter().filter_map(of).collect();
    sizings.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(b.capacity.1.total_cmp(&a.capacity.1)));
    let mut best: Option<(f64, f64)> = None;
    for sizing in &mut sizings {
        let place = (sizing.cost, sizing.capacity.1);
        sizing.efficient = best.is_none_or(|best| place.1 > best.1 || place == best);
        best = if sizing.efficient { Some(place) } else { best };
    }
    sizings.sort_by_key(|sizing| !sizing.efficient);
    sizings
}

fn frame(input: &FrontierInput, sizings: &[Sizing], top: f64) -> Frame {
    let costs = sizings.iter().map(|sizing| sizing.cost);
    let demand = known(&input.demand).map(|demand| demand.0);
    let loads = sizings.iter().map(|sizing| sizing.capacity.2).chain(demand);
    let x = PlotAxis::count(costs.fold(0.0, f64::max) * 1.08, 10);
    let y = PlotAxis::count(loads.fold(0.0, f64::max) * 1.04, 6);
    Frame { left: LEFT, right: WIDTH - 30.0, top, bottom: HEIGHT - 82.0, x, y }
}

fn place(frame: &Frame, sizing: &Sizing) -> Point {
    (frame.across(sizing.cost), frame.down(sizing.capacity.1))
}

/// What each cost buys at best.
fn draw_steps(figure: &mut Figure, frame: &Frame, sizings: &[Sizing], places: &mut LabelPlacement) {
    let efficient = sizings.iter().filter(|sizing| sizing.efficient);
    let corners: Vec<SeriesPoint> = efficient.map(|s| (s.cost, Some(s.capacity.1))).collect();
    let runs = marks::steps(frame, &corners, frame.x.high);
    for ends in runs.iter().flat_map(|run| run.windows(2)) {
        let Rect { left, top, right, bottom } = Rect::between(ends[0], ends[1]);
        places.taken.push(Rect::between((left - 1.0, top - 1.0), (right + 1.0, bottom + 1.0)));
    }
    figure.lines(runs, Role::Sky, 1.5);
}

fn draw_sizing(figure: &mut Figure, frame: &Frame, sizing: &Sizing, places: &mut LabelPlacement) {
    let at = place(frame, sizing);
    let ends = (frame.down(sizing.capacity.0), frame.down(sizing.capacity.2));
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

/// Names a sizing beside its dot; whether there was room.
fn name(figure: &mut Figure, frame: &Frame, sizing: &Sizing, places: &mut LabelPlacement) -> bool {
    let (x, y) = place(frame, sizing);
    let (top, foot) = (frame.down(sizing.capacity.2) - 6.0, frame.down(sizing.capacity.0) + 14.0);
    let (before, after) = (x - DOT - 5.0, x + DOT + 5.0);
    let left = [4.1, -6.0, 14.0, -16.0].map(|dy| ((before, y + dy), Anchor::End));
    let right = [4.1, 14.0, -6.0, 24.0, -16.0].map(|dy| ((after, y + dy), Anchor::Start));
    let middle = [(x, top), (x, foot)].map(|at| (at, Anchor::Middle));
    // Above the frontier there is nothing, below it are the others.
    let (wishes, role) = match sizing.efficient {
        true => ([&left[..], &middle, &right].concat(), Role::Text),
        false => ([&right[..], &middle, &left].concat(), Role::Muted),
    };
    let text = shorten(sizing.label, LABEL, NAME_ROOM);
    places.write(figure, (&text, role), wishes).is_some()
}

/// Says what filled and hollow dots are, and how many sizings have no name or no dot.
fn draw_key(figure: &mut Figure, sizings: &[Sizing], (unnamed, hidden): (usize, usize)) {
    let mut key = LegendRow { x: LEFT, y: figure.height - 16.0, gap: 22.0 };
    if sizings.iter().any(|sizing| !sizing.efficient) {
        let (x, y) = key.add(figure, 16.0, "the most for its cost");
        dot(figure, (x + 6.0, y), Role::Blue);
        let (x, y) = key.add(figure, 16.0, "another costs no more and carries no less");
        ring(figure, (x + 6.0, y), Role::Unready);
    }
    if unnamed > 0 {
        key.add(figure, 0.0, &format!("{unnamed} have no name for want of room"));
    }
    if hidden > 0 {
        key.add(figure, 0.0, &format!("{hidden} more are not drawn"));
    }
}

/// The picture in words.
fn words(input: &FrontierInput, sizings: &[Sizing]) -> String {
    let what = input.arrivals;
    let mut text = format!("Capacity in {what} per second against cost in {}.", input.cost_label);
    if let Some((demand, name)) = known(&input.demand) {
        let carries = |sizing: &&Sizing| sizing.efficient && sizing.capacity.0 >= demand;
        let first = sizings.iter().find(carries);
        let first = first.map_or("no sizing carries it".to_owned(), |sizing| {
            format!("the cheapest that carries it with its whole interval is {}", sizing.label)
        });
        text += &format!(" Demand: {} ({name}); {first}.", Rate(demand));
    }
    for Sizing { label, cost, capacity, efficient } in sizings {
        let rank = if *efficient { "" } else { ", but another costs no more" };
        let capacity = interval_words(*capacity);
        text += &format!(" {label}: {capacity} for {}{rank}.", three_digits(*cost));
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
