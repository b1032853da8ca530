//! The panels of the incident timeline that show lines: traffic, latency and CPU.

use super::input::{Goal, TimelineInput};
use super::load::{MOST_HEADROOM, capacity_key, key, load_keys, peak, ready};
use super::{autoscaling, bands};
use crate::observe::count::Count;
use crate::observe::timeline::{Latency, TotalRow};
use crate::plot::canvas::{Anchor, Figure, Role, SMALL, fonts};
use crate::plot::layout::lines::NamedLine;
use crate::plot::layout::{Frame, LegendEntry, PlotAxis, SeriesPoint, Swatch, lines as marks};
use crate::units::{Instant, Span};

/// What `of` says of each bin and its width in seconds, at the middle of the bin; the last may be
/// shorter than the others.
fn by_bin(input: &TimelineInput, of: impl Fn(&TotalRow, f64) -> Option<f64>) -> Vec<SeriesPoint> {
    let point = |row: &TotalRow| {
        let start = row.start.as_secs();
        let width = input.timeline.bin.as_secs().min(input.horizon.as_secs() - start).max(1e-9);
        (start + width / 2.0, of(row, width))
    };
    input.timeline.total.iter().map(point).collect()
}

/// What `of` says of each bin, per second.
pub(crate) fn rates(input: &TimelineInput, of: impl Fn(&TotalRow) -> u64) -> Vec<SeriesPoint> {
    by_bin(input, |row, width| Some(of(row) as f64 / width))
}

/// Requests offered and served, the attempts for them if clients make more than one, and the
/// capacity that is ready for them.
pub(crate) fn traffic(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let (offered, served) = (rates(input, |row| row.offered), rates(input, |row| row.served));
    let attempts = attempts(input);
    let capacity = ready(input, None);
    let others = input.bands.as_ref().map_or(0.0, |bands| bands::peak(&bands.served));
    let load = peak(&offered).max(peak(&served)).max(peak(&attempts)).max(others);
    // Capacity very far above the load would flatten the load.
    let shown =
        if load > 0.0 { peak(&capacity).min(MOST_HEADROOM * load) } else { peak(&capacity) };
    frame.y = PlotAxis::count(shown.max(load) * 1.02, 4);
    frame.draw_levels(figure);
    figure.fills(marks::area(frame, &served), Role::Served, 0.12);
    if let Some(bands) = &input.bands {
        bands::draw(figure, frame, &bands.served, Role::Served);
    }
    figure.lines(marks::steps(frame, &capacity, input.horizon.as_secs()), Role::Capacity, 2.0);
    let tried = NamedLine::of(&attempts, Role::Vermilion, 1.3, "attempts").draw(figure, frame);
    marks::draw(figure, frame, &offered, Role::Offered, 1.1);
    marks::draw(figure, frame, &served, Role::Served, 1.5);
    let mut keys = Vec::from_iter(capacity_key(frame, &capacity));
    keys.extend(load_keys(frame, &offered, &served));
    keys.extend(tried);
    frame.draw_keys(figure, &keys);
}

/// Attempts, if there ever are more of them than requests.
fn attempts(input: &TimelineInput) -> Vec<SeriesPoint> {
    let more = |row: &TotalRow| row.attempts > row.offered;
    match input.timeline.total.iter().any(more) {
        true => rates(input, |row| row.attempts),
        false => Vec::new(),
    }
}

/// Whether a cache was asked.
pub(crate) fn has_cache(input: &TimelineInput) -> bool {
    input.timeline.total.iter().any(|row| looked_up(row) > 0)
}

fn looked_up(row: &TotalRow) -> u64 {
    row.counts[Count::Hit as usize] + row.counts[Count::Miss as usize]
}

/// The share of the look-ups that find the answer in a cache.
pub(crate) fn cache(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    frame.y = PlotAxis::percent();
    frame.draw_levels(figure);
    let hits = by_bin(input, |row, _| {
        let asked = looked_up(row);
        (asked > 0).then(|| row.counts[Count::Hit as usize] as f64 / asked as f64)
    });
    figure.fills(marks::area(frame, &hits), Role::Green, 0.12);
    let key = NamedLine::of(&hits, Role::Green, 1.5, "cache hits").draw(figure, frame);
    frame.draw_keys(figure, &Vec::from_iter(key));
}

/// Latency percentiles of the requests answered in each bin, on a logarithmic scale.
pub(crate) fn latency(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let samples = |of: fn(&Latency) -> Span| {
        by_bin(input, |row, _| row.latency.as_ref().map(|latency| of(latency).as_secs()))
    };
    let curves = [
        (samples(|latency| latency.p50), "p50", Role::Median, 1.3),
        (samples(|latency| latency.p95), "p95", Role::P95, 1.4),
        (samples(|latency| latency.p99), "p99", Role::P99, 1.7),
    ];
    let goals = input.goals.iter().map(|goal| goal.bound.as_secs());
    let seen = curves.iter().flat_map(|curve| &curve.0).filter_map(|sample| sample.1);
    let others = input.bands.as_ref().map_or(0.0, |bands| bands::peak(&bands.p99));
    let all = seen.chain(goals).chain([others]);
    let values: Vec<f64> = all.filter(|value| *value > 0.0).collect();
    if values.is_empty() {
        return frame.draw_remark(figure, "no request was served");
    }
    frame.y = PlotAxis::latencies(values.into_iter(), 1.05, 7);
    frame.draw_levels(figure);
    if let Some(bands) = &input.bands {
        bands::draw(figure, frame, &bands.p99, Role::P99);
    }
    let mut keys = Vec::new();
    for (samples, name, role, width) in &curves {
        keys.extend(NamedLine::of(samples, *role, *width, name).draw(figure, frame));
    }
    keys.extend(input.goals.iter().filter_map(|goal| draw_goal(figure, frame, goal)));
    frame.draw_keys(figure, &keys);
}

/// Dashes at the bound while the goal holds. A goal to the end of the run gets a key, another one
/// its name where there is room: above the dashes or next to them.
fn draw_goal(figure: &mut Figure, frame: &Frame, goal: &Goal) -> Option<LegendEntry> {
    let (role, y) = (goal_role(goal), frame.down(goal.bound.as_secs()));
    let place = |time: Instant| frame.across(time.as_secs()).clamp(frame.left, frame.right);
    let (from, to) = (place(goal.from), place(goal.to));
    if to - from >= 1.0 {
        figure.dashes((from, y), (to, y), role, 1.3);
    }
    if to >= frame.right {
        let (sign, text) = (Swatch::Dashes, goal.label.clone());
        return Some(LegendEntry { y, role, sign, text }).filter(|key| !key.text.is_empty());
    }
    let room = fonts::width(&goal.label, SMALL, false) + 4.0;
    let (x, y, anchor) = match (to - from, frame.right - to) {
        (within, _) if within >= room => (from, y - 5.0, Anchor::Start),
        (_, after) if after >= room => (to + 5.0, y + 3.9, Anchor::Start),
        _ => (from - 5.0, y + 3.9, Anchor::End),
    };
    figure.text((x, y), &goal.label, anchor, Role::Text, SMALL);
    None
}

/// The colour of the curve that the goal speaks of.
fn goal_role(goal: &Goal) -> Role {
    match goal.quantile {
        Some(0.5) => Role::Median,
        Some(0.95) => Role::P95,
        Some(0.99) => Role::P99,
        _ => Role::Text,
    }
}

/// CPU in use: what is true, and what a dashboard shows.
pub(crate) fn cpu(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    frame.y = PlotAxis::percent();
    frame.draw_levels(figure);
    let clamped = |value: f64| value.clamp(0.0, 1.0);
    let used = by_bin(input, |row, _| row.cpu.map(clamped));
    let shown = input.timeline.total.iter().zip(&input.monitored);
    let shown: Vec<SeriesPoint> =
        shown.map(|(row, value)| (row.start.as_secs(), value.map(clamped))).collect();
    if used.iter().all(|sample| sample.1.is_none()) {
        return frame.draw_remark(figure, "no replica could work");
    }
    figure.fills(marks::area(frame, &used), Role::Cpu, 0.22);
    let mut keys = Vec::from_iter(NamedLine::of(&used, Role::Cpu, 1.5, "true").draw(figure, frame));
    let level = shown.last().and_then(|sample| sample.1);
    let steps = marks::steps(frame, &steps_only(&shown), input.horizon.as_secs());
    figure.lines(steps, Role::Monitored, 1.3);
    keys.extend(level.map(|v| key(frame.down(v), Role::Monitored, 1.3, "as monitored")));
    keys.extend(autoscaling::seen(figure, frame, input));
    frame.draw_keys(figure, &keys);
}

/// Only the samples at which the value changes.
fn steps_only(samples: &[SeriesPoint]) -> Vec<SeriesPoint> {
    let mut changes = samples.to_vec();
    changes.dedup_by(|next, kept| next.1 == kept.1);
    changes
}
