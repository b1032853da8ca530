//! The panels of the incident timeline that show lines: traffic, latency and CPU.

use super::axis::{Axis, si};
use super::figure::{Anchor, Figure, SMALL};
use super::fonts;
use super::frame::{Frame, Key, Sign};
use super::input::{Goal, TimelineInput};
use super::lives::capacity;
use super::marks;
use super::scaling;
use super::theme::Ink;
use super::thin::Sample;
use crate::observe::count::Count;
use crate::observe::timeline::{Latency, TotalRow};
use crate::units::{Instant, Span};

/// Capacity up to this many times the load is shown.
const MOST_HEADROOM: f64 = 6.0;

/// Middle and width of each bin, in seconds; the last may be shorter.
pub(super) fn bins(input: &TimelineInput) -> Vec<(f64, f64)> {
    let (rows, width) = (&input.timeline.total, input.timeline.bin.as_secs());
    let bin = |row: &TotalRow| {
        let start = row.start.as_secs();
        let width = width.min(input.horizon.as_secs() - start).max(1e-9);
        (start + width / 2.0, width)
    };
    rows.iter().map(bin).collect()
}

/// What `of` says of each bin, per second.
pub(super) fn rates(input: &TimelineInput, of: impl Fn(&TotalRow) -> u64) -> Vec<Sample> {
    let rows = input.timeline.total.iter().zip(bins(input));
    rows.map(|(row, (middle, width))| (middle, Some(of(row) as f64 / width))).collect()
}

pub(super) fn peak(samples: &[Sample]) -> f64 {
    samples.iter().filter_map(|sample| sample.1).fold(0.0, f64::max)
}

/// The mean of the last few values: where a noisy line ends for the eye.
fn last_level(samples: &[Sample]) -> Option<f64> {
    let last: Vec<f64> = samples.iter().rev().take(15).filter_map(|sample| sample.1).collect();
    (!last.is_empty()).then(|| last.iter().sum::<f64>() / last.len() as f64)
}

fn key(y: f64, ink: Ink, width: f64, text: impl Into<String>) -> Key {
    Key { y, ink, sign: Sign::Line(width), text: text.into() }
}

/// Requests offered and served, the attempts for them if clients make more than one, and the
/// capacity that is ready for them.
pub(super) fn traffic(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let (offered, served) = (rates(input, |row| row.offered), rates(input, |row| row.served));
    let attempts = attempts(input);
    let per_replica = input.capacity_per_replica.0;
    let capacity: Vec<Sample> = capacity(&input.timeline.replicas, input.horizon.as_secs())
        .into_iter()
        .map(|(time, replicas)| (time, Some(replicas * per_replica)))
        .collect();
    let load = peak(&offered).max(peak(&served)).max(peak(&attempts));
    // Capacity very far above the load would flatten the load.
    let shown =
        if load > 0.0 { peak(&capacity).min(MOST_HEADROOM * load) } else { peak(&capacity) };
    frame.y = Axis::count(shown.max(load) * 1.02, 4);
    frame.draw_levels(figure);
    figure.fills(marks::area(frame, &served), Ink::Served, 0.12);
    figure.lines(marks::steps(frame, &capacity, input.horizon.as_secs()), Ink::Capacity, 2.0);
    marks::draw(figure, frame, &attempts, Ink::Vermilion, 1.3);
    marks::draw(figure, frame, &offered, Ink::Offered, 1.1);
    marks::draw(figure, frame, &served, Ink::Served, 1.5);
    let mut keys = Vec::from_iter(capacity_key(frame, &capacity));
    keys.extend(load_keys(frame, &offered, &served));
    let level = last_level(&attempts).map(|level| frame.down(level));
    keys.extend(level.map(|y| key(y, Ink::Vermilion, 1.3, "attempts")));
    frame.draw_keys(figure, &keys);
}

/// Attempts, if there ever are more of them than requests.
fn attempts(input: &TimelineInput) -> Vec<Sample> {
    let more = |row: &TotalRow| row.attempts > row.offered;
    match input.timeline.total.iter().any(more) {
        true => rates(input, |row| row.attempts),
        false => Vec::new(),
    }
}

/// Whether a cache was asked.
pub(super) fn has_cache(input: &TimelineInput) -> bool {
    input.timeline.total.iter().any(|row| looked_up(row) > 0)
}

fn looked_up(row: &TotalRow) -> u64 {
    row.counts[Count::Hit as usize] + row.counts[Count::Miss as usize]
}

/// The share of the look-ups that find the answer in a cache.
pub(super) fn cache(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    frame.y = Axis::percent();
    frame.draw_levels(figure);
    let ratio = |row: &TotalRow| {
        let asked = looked_up(row);
        (asked > 0).then(|| row.counts[Count::Hit as usize] as f64 / asked as f64)
    };
    let rows = input.timeline.total.iter().zip(bins(input));
    let hits: Vec<Sample> = rows.map(|(row, (middle, _))| (middle, ratio(row))).collect();
    figure.fills(marks::area(frame, &hits), Ink::Green, 0.12);
    marks::draw(figure, frame, &hits, Ink::Green, 1.5);
    let level = last_level(&hits).map(|level| frame.down(level));
    let keys = level.map(|y| key(y, Ink::Green, 1.5, "cache hits"));
    frame.draw_keys(figure, &Vec::from_iter(keys));
}

fn capacity_key(frame: &Frame, ready: &[Sample]) -> Option<Key> {
    let (most, level) = (peak(ready), ready.last()?.1?);
    let above = most > frame.y.high;
    let text =
        if above { format!("capacity {}, above", si(most)) } else { "ready capacity".into() };
    Some(key(frame.down(level).clamp(frame.top, frame.bottom), Ink::Capacity, 2.0, text))
}

/// One key if the lines lie on each other all the time; else two, which say whether they do so at
/// the end.
fn load_keys(frame: &Frame, offered: &[Sample], served: &[Sample]) -> Vec<Key> {
    let (Some(a), Some(b)) = (last_level(offered), last_level(served)) else { return Vec::new() };
    let near = |a: f64, b: f64| (a - b).abs() < 0.1 * peak(offered).max(peak(served));
    let pairs = offered.iter().zip(served);
    if pairs.into_iter().all(|(a, b)| near(a.1.unwrap_or(0.0), b.1.unwrap_or(0.0))) {
        return vec![key(frame.down(b), Ink::Served, 1.5, "offered = served")];
    }
    let offered = if near(a, b) { "offered, if different" } else { "offered" };
    let below = if near(a, b) { a.min(b) } else { b };
    vec![
        key(frame.down(a), Ink::Offered, 1.1, offered),
        key(frame.down(below), Ink::Served, 1.5, "served"),
    ]
}

/// A latency percentile over time, and how it is drawn.
struct Curve {
    samples: Vec<Sample>,
    name: &'static str,
    ink: Ink,
    width: f64,
}

fn curves(input: &TimelineInput) -> [Curve; 3] {
    let samples = |of: fn(&Latency) -> Span| -> Vec<Sample> {
        let rows = input.timeline.total.iter().zip(bins(input));
        rows.map(|(row, bin)| (bin.0, row.latency.as_ref().map(|l| of(l).as_secs()))).collect()
    };
    let curve = |of, name, ink, width| Curve { samples: samples(of), name, ink, width };
    [
        curve(|latency| latency.p50, "p50", Ink::Median, 1.3),
        curve(|latency| latency.p95, "p95", Ink::P95, 1.4),
        curve(|latency| latency.p99, "p99", Ink::P99, 1.7),
    ]
}

/// Latency percentiles of the requests answered in each bin, on a logarithmic scale.
pub(super) fn latency(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let curves = curves(input);
    let goals = input.goals.iter().map(|goal| goal.bound.as_secs());
    let seen = curves.iter().flat_map(|curve| &curve.samples).filter_map(|sample| sample.1);
    let values: Vec<f64> = seen.chain(goals).filter(|value| *value > 0.0).collect();
    if values.is_empty() {
        return frame.draw_remark(figure, "no request was served");
    }
    let low = values.iter().copied().fold(f64::MAX, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    frame.y = Axis::latency(low, high * 1.05, 7);
    frame.draw_levels(figure);
    let mut keys = Vec::new();
    for Curve { samples, name, ink, width } in &curves {
        marks::draw(figure, frame, samples, *ink, *width);
        let level = last_level(samples).map(|level| frame.down(level));
        keys.extend(level.map(|y| key(y, *ink, *width, *name)));
    }
    keys.extend(input.goals.iter().filter_map(|goal| draw_goal(figure, frame, goal)));
    frame.draw_keys(figure, &keys);
}

/// Dashes at the bound while the goal holds. A goal to the end of the run gets a key, another one
/// its name where there is room: above the dashes or next to them.
fn draw_goal(figure: &mut Figure, frame: &Frame, goal: &Goal) -> Option<Key> {
    let (ink, y) = (goal_ink(goal), frame.down(goal.bound.as_secs()));
    let place = |time: Instant| frame.across(time.as_secs()).clamp(frame.left, frame.right);
    let (from, to) = (place(goal.from), place(goal.to));
    if to - from >= 1.0 {
        figure.dashes((from, y), (to, y), ink, 1.3);
    }
    if to >= frame.right {
        let (sign, text) = (Sign::Dashes, goal.label.clone());
        return Some(Key { y, ink, sign, text }).filter(|key| !key.text.is_empty());
    }
    let room = fonts::width(&goal.label, SMALL, false) + 4.0;
    let (x, y, anchor) = match (to - from, frame.right - to) {
        (within, _) if within >= room => (from, y - 5.0, Anchor::Start),
        (_, after) if after >= room => (to + 5.0, y + 3.9, Anchor::Start),
        _ => (from - 5.0, y + 3.9, Anchor::End),
    };
    figure.text((x, y), &goal.label, anchor, Ink::Text, SMALL);
    None
}

/// The colour of the curve that the goal speaks of.
fn goal_ink(goal: &Goal) -> Ink {
    match goal.quantile {
        Some(0.5) => Ink::Median,
        Some(0.95) => Ink::P95,
        Some(0.99) => Ink::P99,
        _ => Ink::Text,
    }
}

/// CPU in use: what is true, and what a dashboard shows.
pub(super) fn cpu(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    frame.y = Axis::percent();
    frame.draw_levels(figure);
    let rows = input.timeline.total.iter().zip(bins(input));
    let clamped = |value: f64| value.clamp(0.0, 1.0);
    let used: Vec<Sample> = rows.map(|(row, (middle, _))| (middle, row.cpu.map(clamped))).collect();
    let shown = input.timeline.total.iter().zip(&input.monitored);
    let shown: Vec<Sample> =
        shown.map(|(row, value)| (row.start.as_secs(), value.map(clamped))).collect();
    if used.iter().all(|sample| sample.1.is_none()) {
        return frame.draw_remark(figure, "no replica could work");
    }
    figure.fills(marks::area(frame, &used), Ink::Cpu, 0.22);
    let mut keys = Vec::new();
    marks::draw(figure, frame, &used, Ink::Cpu, 1.5);
    keys.extend(last_level(&used).map(|level| key(frame.down(level), Ink::Cpu, 1.5, "true")));
    let level = shown.last().and_then(|sample| sample.1);
    figure.lines(
        marks::steps(frame, &steps_only(&shown), input.horizon.as_secs()),
        Ink::Monitored,
        1.3,
    );
    keys.extend(level.map(|v| key(frame.down(v), Ink::Monitored, 1.3, "as monitored")));
    keys.extend(scaling::seen(figure, frame, input));
    frame.draw_keys(figure, &keys);
}

/// Only the samples at which the value changes.
fn steps_only(samples: &[Sample]) -> Vec<Sample> {
    let mut changes = samples.to_vec();
    changes.dedup_by(|next, kept| next.1 == kept.1);
    changes
}
