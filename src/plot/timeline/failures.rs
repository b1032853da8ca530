//! The panel of failed requests: bars on a scale of their own, coloured by what went wrong.

use super::input::TimelineInput;
use super::panels::{peak, rates};
use crate::observe::ledger::{Failure, Mechanism};
use crate::observe::timeline::TotalRow;
use crate::plot::canvas::{Figure, Point, Role};
use crate::plot::layout::{Frame, LegendEntry, PlotAxis, SeriesPoint, Swatch, si};

/// Least height of a mechanism in a bar, so that a few failures among many are seen too.
const LEAST: f64 = 2.0;

/// What went wrong, but for what was rejected on purpose, from the foot of a bar to its head, with
/// words and colours.
const MECHANISMS: [(Mechanism, &str, Role); 3] = [
    (Mechanism::Lost, "lost in flight", Role::Lost),
    (Mechanism::Refused, "refused", Role::Failure),
    (Mechanism::TimedOut, "timed out", Role::TimedOut),
];

/// How many requests of a bin failed by a mechanism.
fn count(mechanism: Mechanism, row: &TotalRow) -> u64 {
    let of_it = Failure::ALL.into_iter().filter(|failure| failure.mechanism() == mechanism);
    of_it.map(|failure| row.failures[failure as usize]).sum()
}

/// One colour of the bars: per bin, what it adds and how far up it reaches, both per second.
struct Layer {
    label: &'static str,
    role: Role,
    total: u64,
    own: Vec<SeriesPoint>,
    reach: Vec<SeriesPoint>,
}

/// The mechanisms that occur, the one at the foot first.
fn layers(input: &TimelineInput) -> Vec<Layer> {
    let layer = |(depth, (mechanism, label, role)): (usize, (Mechanism, _, _))| {
        let up_to = &MECHANISMS[..=depth];
        let total = input.timeline.total.iter().map(|row| count(mechanism, row)).sum();
        let own = rates(input, |row| count(mechanism, row));
        let reach = rates(input, |row| up_to.iter().map(|below| count(below.0, row)).sum());
        Layer { label, role, total, own, reach }
    };
    let all = MECHANISMS.into_iter().enumerate().map(layer);
    all.filter(|layer| layer.total > 0).collect()
}

/// Height that the panel needs.
pub(crate) fn height(input: &TimelineInput) -> f64 {
    match layers(input).len() {
        0 => 18.0,
        1 | 2 => 40.0,
        _ => 48.0,
    }
}

/// Failed requests by what went wrong.
pub(crate) fn failures(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let layers = layers(input);
    if layers.is_empty() {
        frame.y.ticks.clear();
        frame.draw_levels(figure);
        return frame.draw_remark(figure, "none");
    }
    frame.y = PlotAxis::count(layers.iter().map(|layer| peak(&layer.reach)).fold(0.0, f64::max), 4);
    let (first, last) = (frame.y.ticks.first().cloned(), frame.y.ticks.last().cloned());
    frame.y.ticks = first.into_iter().chain(last).collect();
    frame.draw_levels(figure);
    let width = (frame.across(input.timeline.bin.as_secs()) - frame.left).max(1.5);
    for (depth, layer) in layers.iter().enumerate().rev() {
        draw_bars(figure, frame, layer, (width, LEAST * (depth + 1) as f64));
    }
    frame.draw_keys(figure, &keys(frame, &layers));
}

/// Names and counts, in the order of the colours from head to foot.
fn keys(frame: &Frame, layers: &[Layer]) -> Vec<LegendEntry> {
    let middle = (frame.top + frame.bottom) / 2.0;
    let key = |(row, layer): (usize, &Layer)| {
        let text = format!("{} {}", si(layer.total as f64), layer.label);
        LegendEntry { y: middle + row as f64, role: layer.role, sign: Swatch::Square, text }
    };
    layers.iter().rev().enumerate().map(key).collect()
}

/// A bar for each bin with failures of a layer, down to the foot: layers below are drawn over it.
/// Neighbours become one shape.
fn draw_bars(figure: &mut Figure, frame: &Frame, layer: &Layer, (width, least): (f64, f64)) {
    let mut bars: Vec<(f64, f64)> = Vec::new();
    let of_it = layer.own.iter().zip(&layer.reach).filter(|(own, _)| own.1 > Some(0.0));
    for (_, (middle, rate)) in of_it {
        let from = (frame.across(*middle) - width / 2.0).clamp(frame.left, frame.right - width);
        let top = frame.down(rate.unwrap_or(0.0)).min(frame.bottom - least);
        match bars.last_mut() {
            Some(last) if from - last.0 < 0.75 * width => last.1 = last.1.min(top),
            _ => bars.push((from, top)),
        }
    }
    let joined = bars.chunk_by(|a, b| b.0 - a.0 < 1.3 * width);
    let outlines = joined.map(|bars| skyline(bars, width, frame.bottom));
    figure.fills(outlines.collect(), layer.role, 1.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_belongs_to_one_mechanism() {
        let failures = Failure::ALL.map(|failure| 1 << failure as usize);
        let row = TotalRow { failures, ..TotalRow::default() };
        let [lost, refused, timed_out] = MECHANISMS.map(|known| count(known.0, &row));
        assert_eq!(lost + refused + timed_out, row.failed());
        assert_eq!((lost, timed_out), (1, 1 << 4 | 1 << 6 | 1 << 12));
    }

    #[test]
    fn bars_side_by_side_share_an_outline() {
        let outline = skyline(&[(10.0, 4.0), (12.0, 1.0)], 2.0, 9.0);
        let expected =
            [(10.0, 9.0), (10.0, 4.0), (12.0, 4.0), (12.0, 1.0), (14.0, 1.0), (14.0, 9.0)];
        assert_eq!(outline, expected);
    }
}
