//! Cost against what is used of an error budget: which sizings use less than anything as cheap,
//! and which of them keep within it.

use super::load::sound;
use crate::plot::canvas::dots::{DOT, dot, ring, upright};
use crate::plot::canvas::fonts::{fit, shorten};
use crate::plot::canvas::{Anchor, Figure, LABEL, LEFT, Point, Role, SMALL, WIDTH};
use crate::plot::layout::{
    AxisScale, Frame, LabelPlacement, LegendRow, PlotAxis, Rect, SeriesPoint, lines as marks,
};

/// What the chart of cost and error budget shows.
#[derive(Clone, Debug)]
pub struct BudgetInput<'a> {
    /// The finding.
    pub title: &'a str,
    /// How it was found, and what the whiskers are.
    pub subtitle: &'a str,
    /// What the cost counts, with its unit, such as "entitlements (Large)".
    pub cost_label: &'a str,
    /// What the budget is, such as "error budget of 99.95 %".
    pub budget_label: &'a str,
    /// The sizings, in any order.
    pub points: Vec<BudgetPoint>,
}

/// One sizing.
#[derive(Clone, Debug)]
pub struct BudgetPoint {
    /// How to call it.
    pub label: String,
    /// What it costs in the unit of the cost label; `None` if that cannot be compared.
    pub cost: Option<f64>,
    /// The cost in words.
    pub price: String,
    /// What it uses of the budget, and the ends of the interval; 1 = all of it.
    pub share: [f64; 3],
}

/// A sizing that has a place.
#[derive(Clone, Copy)]
struct BudgetDot<'a> {
    label: &'a str,
    price: &'a str,
    cost: Option<f64>,
    /// Low end, point and high end of its share.
    share: [f64; 3],
    /// Whether nothing that costs no more uses less; not known without a cost.
    efficient: bool,
}

const HEIGHT: f64 = 480.0;
/// Room for each sizing whose cost cannot be compared.
const ASIDE: f64 = 120.0;
/// Room for half of the last label of the costs that can be compared.
const GAP: f64 = 28.0;
/// The widest part of the picture for those.
const ASIDE_MOST: f64 = 480.0;
const NAME_ROOM: f64 = 150.0;
/// From this ratio of the greatest to the least share on the axis is logarithmic.
const WIDE: f64 = 12.0;
/// Times the budget that are drawn, at most.
const MOST: f64 = 10_000.0;
/// Decades of a logarithmic axis, at most.
const DECADES: i32 = 6;

/// Lays out the chart of cost and error budget.
pub fn budget(input: &BudgetInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.height = HEIGHT;
    let dots = dots(input);
    figure.alt = words(input, &dots);
    let (outer, frame) = frames(&dots, head + 34.0);
    outer.draw_levels(&mut figure);
    let caption = format!("used of the {}", input.budget_label);
    figure.label((outer.left, outer.top - 14.0), &caption, Role::Text);
    if frame.right > frame.left {
        frame.draw_foot(&mut figure, &shorten(input.cost_label, LABEL, 400.0));
    }
    let within =
        Rect::between((outer.left + 2.0, outer.top - 6.0), (WIDTH - 4.0, outer.bottom - 1.0));
    let mut places = LabelPlacement { within, taken: Vec::new() };
    let whole = outer.down(1.0);
    figure.dashes((outer.left, whole), (outer.right, whole), Role::Failure, 1.2);
    places.taken.push(Rect::between((outer.left, whole - 1.0), (outer.right, whole + 1.0)));
    draw_steps(&mut figure, &frame, &dots, &mut places);
    let at = draw_dots(&mut figure, (&outer, &frame), &dots, &mut places);
    let wishes = [outer.left + 6.0, outer.right - 6.0].into_iter().flat_map(|x| {
        let anchor = if x < outer.right - 10.0 { Anchor::Start } else { Anchor::End };
        [-6.0, 14.0].map(|dy| ((x, whole + dy), anchor))
    });
    places.write_anyway(&mut figure, ("all of it", Role::Text), wishes);
    for (one, at) in dots.iter().zip(at) {
        name(&mut figure, &outer, (one, at), &mut places);
    }
    if dots.is_empty() {
        outer.draw_remark(&mut figure, "no sizing has a share of the budget");
    }
    draw_key(&mut figure, &dots);
    figure
}

/// The sizings that have a place: those with a cost by it, then the others.
fn dots<'a>(input: &'a BudgetInput) -> Vec<BudgetDot<'a>> {
    let of = |point: &'a BudgetPoint| {
        let [low, middle, high] = point.share.map(|share| share.min(MOST));
        let middle = sound(middle)?;
        let end = |end: f64| sound(end).unwrap_or(middle);
        let share = [end(low).min(middle), middle, end(high).max(middle)];
        let (label, price) = (&*point.label, &*point.price);
        Some(BudgetDot { label, price, cost: point.cost.and_then(sound), share, efficient: false })
    };
    let mut dots: Vec<BudgetDot> = input.points.iter().filter_map(of).collect();
    let cost = |one: &BudgetDot| one.cost.unwrap_or(f64::INFINITY);
    dots.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.share[1].total_cmp(&b.share[1])));
    let mut best: Option<(f64, f64)> = None;
    for one in &mut dots {
        let Some(cost) = one.cost else { continue };
        let place = (cost, one.share[1]);
        one.efficient = best.is_none_or(|best| place.1 < best.1 || place == best);
        best = if one.efficient { Some(place) } else { best };
    }
    dots
}

/// The whole frame, and that of the costs which can be compared.
fn frames(dots: &[BudgetDot], top: f64) -> (Frame, Frame) {
    let (right, bottom) = (WIDTH - 30.0, HEIGHT - 82.0);
    let costs = dots.iter().filter_map(|one| one.cost);
    let x = PlotAxis::count(costs.clone().fold(0.0, f64::max) * 1.08, 8);
    let outer = Frame { left: LEFT, right, top, bottom, x, y: axis(dots) };
    let others = dots.iter().filter(|one| one.cost.is_none()).count();
    let aside = match costs.count() {
        0 => right - LEFT,
        _ if others == 0 => 0.0,
        _ => GAP + (ASIDE * others as f64).min(ASIDE_MOST),
    };
    let inner = Frame { right: right - aside, ..outer.clone() };
    (outer, inner)
}

/// The axis of shares: by their logarithm where they are far apart.
fn axis(dots: &[BudgetDot]) -> PlotAxis {
    let most = dots.iter().map(|one| one.share[2]).fold(1.0, f64::max);
    let positive = dots.iter().flat_map(|one| one.share).filter(|share| *share > 0.0);
    let least = positive.fold(1.0, f64::min);
    let percent = |share: f64| match share * 100.0 {
        percent if percent >= 1_000.0 => format!("{:.0}×", share),
        percent => format!("{percent} %"),
    };
    if most / least < WIDE {
        let axis = PlotAxis::linear(0.0, most * 106.0, 6);
        let ticks = axis.ticks.iter().map(|(value, _)| (value / 100.0, percent(value / 100.0)));
        return PlotAxis { high: axis.high / 100.0, ticks: ticks.collect(), ..axis };
    }
    let last = most.log10().ceil() as i32;
    let first = (least.log10().floor() as i32).max(last - DECADES);
    let power = |decade: i32| 10f64.powi(decade);
    let ticks = (first..=last).map(|decade| {
        let share = if decade < 0 { 1.0 / power(-decade) } else { power(decade) };
        (share, percent(share))
    });
    let (low, high) = (power(first), power(last));
    PlotAxis { low, high, scale: AxisScale::Log, ticks: ticks.collect() }
}

/// The height of a share, at the foot if it is below all.
fn height(frame: &Frame, share: f64) -> f64 {
    frame.down(share.clamp(frame.y.low, frame.y.high))
}

/// What each cost buys at best.
fn draw_steps(figure: &mut Figure, frame: &Frame, dots: &[BudgetDot], places: &mut LabelPlacement) {
    let efficient = dots.iter().filter(|one| one.efficient);
    let share = |one: &BudgetDot| one.share[1].clamp(frame.y.low, frame.y.high);
    let corners: Vec<SeriesPoint> =
        efficient.filter_map(|one| Some((one.cost?, Some(share(one))))).collect();
    let runs = marks::steps(frame, &corners, frame.x.high);
    for ends in runs.iter().flat_map(|run| run.windows(2)) {
        let Rect { left, top, right, bottom } = Rect::between(ends[0], ends[1]);
        places.taken.push(Rect::between((left - 1.0, top - 1.0), (right + 1.0, bottom + 1.0)));
    }
    figure.lines(runs, Role::Sky, 1.5);
}

/// Draws every sizing, and says where.
fn draw_dots(
    figure: &mut Figure,
    (outer, frame): (&Frame, &Frame),
    dots: &[BudgetDot],
    places: &mut LabelPlacement,
) -> Vec<Point> {
    let others = dots.iter().filter(|one| one.cost.is_none()).count();
    let gap = if frame.right > frame.left { GAP } else { 0.0 };
    let pitch = (outer.right - frame.right - gap) / others.max(1) as f64;
    if others > 0 && frame.right > frame.left {
        figure.upright(frame.right, (outer.top, outer.bottom), Role::Axis, 1.0);
        let at = ((frame.right + gap + outer.right) / 2.0, outer.bottom + 36.0);
        figure.text(at, "other costs", Anchor::Middle, Role::Text, LABEL);
    }
    let mut next = frame.right + gap + pitch / 2.0;
    let mut draw = |one: &BudgetDot| {
        let x = one.cost.map_or(next, |cost| frame.across(cost));
        let at = (x, height(outer, one.share[1]));
        let ends = (height(outer, one.share[0]), height(outer, one.share[2]));
        let role = if one.efficient || one.cost.is_none() { Role::Blue } else { Role::Unready };
        if ends.0 > ends.1 {
            upright(figure, x, ends, role);
        }
        match one.efficient || one.cost.is_none() {
            true => dot(figure, at, role),
            false => ring(figure, at, role),
        }
        places.taken.push(Rect::around(at, DOT + 1.0));
        places.taken.push(Rect::between((x - 4.0, ends.1), (x + 4.0, ends.0)));
        if one.cost.is_none() {
            let price = fit(one.price, SMALL, false, pitch - 8.0);
            figure.text((x, outer.bottom + 17.0), &price, Anchor::Middle, Role::Muted, SMALL);
            next += pitch;
        }
        at
    };
    dots.iter().map(&mut draw).collect()
}

/// Names a sizing beside its dot.
fn name(
    figure: &mut Figure,
    frame: &Frame,
    (one, (x, y)): (&BudgetDot, Point),
    places: &mut LabelPlacement,
) {
    let (top, foot) = (height(frame, one.share[2]) - 6.0, height(frame, one.share[0]) + 14.0);
    let (before, after) = (x - DOT - 5.0, x + DOT + 5.0);
    let right = [4.1, 14.0, -6.0, 24.0, -16.0].map(|dy| ((after, y + dy), Anchor::Start));
    let left = [4.1, -6.0, 14.0, -16.0].map(|dy| ((before, y + dy), Anchor::End));
    let middle = [(x, top), (x, foot)].map(|at| (at, Anchor::Middle));
    let wishes = [&right[..], &left, &middle].concat();
    let role = if one.efficient || one.cost.is_none() { Role::Text } else { Role::Muted };
    places.write(figure, (&shorten(one.label, LABEL, NAME_ROOM), role), wishes);
}

/// Says what filled and hollow dots are.
fn draw_key(figure: &mut Figure, dots: &[BudgetDot]) {
    let mut key = LegendRow { x: LEFT, y: figure.height - 16.0, gap: 22.0 };
    if dots.iter().any(|one| one.cost.is_some() && !one.efficient) {
        let (x, y) = key.add(figure, 16.0, "uses least for its cost");
        dot(figure, (x + 6.0, y), Role::Blue);
        let (x, y) = key.add(figure, 16.0, "another costs no more and uses no more");
        ring(figure, (x + 6.0, y), Role::Unready);
    }
}

/// The picture in words.
fn words(input: &BudgetInput, dots: &[BudgetDot]) -> String {
    let mut text =
        format!("What is used of the {} against cost in {}.", input.budget_label, input.cost_label);
    for BudgetDot { label, price, share, efficient, cost } in dots {
        let [low, point, high] = share.map(|share| crate::units::three_digits(100.0 * share));
        let rank = match (cost, efficient) {
            (Some(_), false) => ", but another costs no more and uses no more",
            _ => "",
        };
        text += &format!(" {label}: {point} % ({low} to {high}) for {price}{rank}.");
    }
    if dots.is_empty() {
        text += " No sizing has a share of the budget.";
    }
    text
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
