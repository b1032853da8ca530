//! The panels of the incident timeline above the replicas: traffic, failures, latency and CPU.

use super::axis::{Axis, si};
use super::figure::{Figure, Point};
use super::frame::{Frame, Key, Sign};
use super::input::TimelineInput;
use super::lives::capacity;
use super::marks;
use super::theme::Ink;
use super::thin::Sample;
use crate::observe::timeline::{Latency, TotalRow};
use crate::units::Span;

/// Middle and width of each bin, in seconds; the last may be shorter.
fn bins(input: &TimelineInput) -> Vec<(f64, f64)> {
    let (rows, width) = (&input.timeline.total, input.timeline.bin.as_secs());
    let bin = |row: &TotalRow| {
        let start = row.start.as_secs();
        let width = width.min(input.horizon.as_secs() - start).max(1e-9);
        (start + width / 2.0, width)
    };
    rows.iter().map(bin).collect()
}

/// What `of` says of each bin, per second.
fn rates(input: &TimelineInput, of: impl Fn(&TotalRow) -> u64) -> Vec<Sample> {
    let rows = input.timeline.total.iter().zip(bins(input));
    rows.map(|(row, (middle, width))| (middle, Some(of(row) as f64 / width))).collect()
}

fn failed(row: &TotalRow) -> u64 {
    row.failures.iter().sum()
}

fn peak(samples: &[Sample]) -> f64 {
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

/// Requests offered and served, and the capacity that is ready for them.
pub(super) fn traffic(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let (offered, served) = (rates(input, |row| row.offered), rates(input, |row| row.served));
    let per_replica = input.capacity_per_replica.0;
    let capacity: Vec<Sample> = capacity(&input.timeline.replicas, input.horizon.as_secs())
        .into_iter()
        .map(|(time, replicas)| (time, Some(replicas * per_replica)))
        .collect();
    let load = peak(&offered).max(peak(&served));
    // Capacity far above the load would flatten the load.
    let shown = if load > 0.0 { peak(&capacity).min(2.5 * load) } else { peak(&capacity) };
    frame.y = Axis::count(shown.max(load) * 1.02, 4);
    frame.draw_levels(figure);
    figure.fills(marks::area(frame, &served), Ink::Served, 0.12);
    figure.lines(marks::steps(frame, &capacity, input.horizon.as_secs()), Ink::Capacity, 2.0);
    figure.lines(marks::line(frame, &offered), Ink::Offered, 1.1);
    figure.lines(marks::line(frame, &served), Ink::Served, 1.5);
    frame.draw_keys(figure, &traffic_keys(frame, &offered, &served, &capacity));
}

fn traffic_keys(
    frame: &Frame,
    offered: &[Sample],
    served: &[Sample],
    ready: &[Sample],
) -> Vec<Key> {
    let at = |level: f64| frame.down(level).clamp(frame.top, frame.bottom);
    let mut keys = Vec::new();
    if let Some((_, Some(level))) = ready.last() {
        let most = peak(ready);
        let above = if most > frame.y.high { format!(" {}", si(most)) } else { String::new() };
        keys.push(key(at(*level), Ink::Capacity, 2.0, format!("ready capacity{above}")));
    }
    if let (Some(a), Some(b)) = (last_level(offered), last_level(served)) {
        keys.push(key(at(a.max(b)), Ink::Offered, 1.1, "offered"));
        keys.push(key(at(a.max(b)) + 1.0, Ink::Served, 1.5, "served"));
    }
    keys
}

/// Failed requests on a scale of their own, so that a few are seen too.
pub(super) fn failures(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let rates = rates(input, failed);
    let total: u64 = input.timeline.total.iter().map(failed).sum();
    if total == 0 {
        frame.y.ticks.clear();
        frame.draw_levels(figure);
        return frame.draw_remark(figure, "none");
    }
    frame.y = Axis::count(peak(&rates), 2);
    let both = [frame.y.ticks[0].clone(), frame.y.ticks[frame.y.ticks.len() - 1].clone()];
    frame.y.ticks = both.into();
    frame.draw_levels(figure);
    draw_bars(figure, frame, &rates, input.timeline.bin);
    let text = format!("{} in all", si(total as f64));
    let y = (frame.top + frame.bottom) / 2.0;
    let sign = Sign::Square;
    frame.draw_keys(figure, &[Key { y, ink: Ink::Failure, sign, text }]);
}

/// A bar for each bin with failures, never too small to be seen; neighbours become one shape.
fn draw_bars(figure: &mut Figure, frame: &Frame, rates: &[Sample], bin: Span) {
    let width = (frame.across(bin.as_secs()) - frame.left).max(1.5);
    let mut bars: Vec<(f64, f64)> = Vec::new();
    for (middle, rate) in rates.iter().filter(|sample| sample.1 > Some(0.0)) {
        let from = (frame.across(*middle) - width / 2.0).clamp(frame.left, frame.right - width);
        let top = frame.down(rate.unwrap_or(0.0)).min(frame.bottom - 2.0);
        match bars.last_mut() {
            Some(last) if from - last.0 < 0.75 * width => last.1 = last.1.min(top),
            _ => bars.push((from, top)),
        }
    }
    let joined = bars.chunk_by(|a, b| b.0 - a.0 < 1.3 * width);
    figure.fills(
        joined.map(|bars| skyline(bars, width, frame.bottom)).collect(),
        Ink::Failure,
        1.0,
    );
}

/// The outline of bars that stand side by side.
fn skyline(bars: &[(f64, f64)], width: f64, foot: f64) -> Vec<Point> {
    let mut outline = vec![(bars[0].0, foot)];
    for (index, (from, top)) in bars.iter().enumerate() {
        let to = bars.get(index + 1).map_or(from + width, |next| next.0);
        outline.extend([(*from, *top), (to, *top)]);
    }
    outline.push((outline[outline.len() - 1].0, foot));
    outline
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
    let objective = input.objective.as_ref().map(|(_, bound)| bound.as_secs());
    let seen = curves.iter().flat_map(|curve| &curve.samples).filter_map(|sample| sample.1);
    let values: Vec<f64> = seen.chain(objective).filter(|value| *value > 0.0).collect();
    if values.is_empty() {
        return frame.draw_remark(figure, "no request was answered");
    }
    let low = values.iter().copied().fold(f64::MAX, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    frame.y = Axis::latency(low, high * 1.05, 7);
    frame.draw_levels(figure);
    let mut keys = Vec::new();
    for Curve { samples, name, ink, width } in &curves {
        figure.lines(marks::line(frame, samples), *ink, *width);
        let level = last_level(samples).map(|level| frame.down(level));
        keys.extend(level.map(|y| key(y, *ink, *width, *name)));
    }
    if let Some((text, bound)) = &input.objective {
        let (ink, sign, text) = (Ink::Text, Sign::Dashes, text.clone());
        let y = frame.draw_level(figure, bound.as_secs());
        keys.extend(y.map(|y| Key { y, ink, sign, text }));
    }
    frame.draw_keys(figure, &keys);
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
    figure.lines(marks::line(frame, &used), Ink::Cpu, 1.5);
    keys.extend(last_level(&used).map(|level| key(frame.down(level), Ink::Cpu, 1.5, "true")));
    let level = shown.last().and_then(|sample| sample.1);
    figure.lines(
        marks::steps(frame, &steps_only(&shown), input.horizon.as_secs()),
        Ink::Monitored,
        1.3,
    );
    keys.extend(level.map(|v| key(frame.down(v), Ink::Monitored, 1.3, "as monitored")));
    frame.draw_keys(figure, &keys);
}

/// Only the samples at which the value changes.
fn steps_only(samples: &[Sample]) -> Vec<Sample> {
    let mut changes = samples.to_vec();
    changes.dedup_by(|next, kept| next.1 == kept.1);
    changes
}
