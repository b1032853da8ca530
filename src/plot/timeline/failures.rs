//! The panel of failed requests: bars on a scale of their own, coloured by what went wrong.

use super::bands;
use super::input::TimelineInput;
use super::load::peak;
use super::panels::rates;
use crate::observe::ledger::{Failure, Mechanism};
use crate::observe::timeline::TotalRow;
use crate::plot::canvas::{Figure, Point, Role};
use crate::plot::layout::{Frame, LegendEntry, PlotAxis, SeriesPoint, Swatch, si};

/// A lower bar is too low to be seen: a tick below the foot marks its place, off the scale.
const SEEN: f64 = 1.0;
/// Height of the ticks.
const TICK: f64 = 3.0;

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
    let others = input.bands.as_ref().map_or(0.0, |bands| bands::peak(&bands.failed));
    if layers.is_empty() && others == 0.0 {
        frame.y.ticks.clear();
        frame.draw_levels(figure);
        return frame.draw_remark(figure, "none");
    }
    let most = layers.iter().map(|layer| peak(&layer.reach)).fold(others, f64::max);
    frame.y = PlotAxis::count(most, 4);
    let (first, last) = (frame.y.ticks.first().cloned(), frame.y.ticks.last().cloned());
    frame.y.ticks = first.into_iter().chain(last).collect();
    frame.draw_levels(figure);
    let width = (frame.across(input.timeline.bin.as_secs()) - frame.left).max(1.5);
    if let Some(bands) = &input.bands {
        bands::draw(figure, frame, &bands.failed, Role::Failure);
    }
    layers.iter().rev().for_each(|layer| draw_bars(figure, frame, layer, width));
    draw_ticks(figure, frame, &layers, width);
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
fn draw_bars(figure: &mut Figure, frame: &Frame, layer: &Layer, width: f64) {
    let mut bars: Vec<(f64, f64)> = Vec::new();
    let of_it = layer.own.iter().zip(&layer.reach).filter(|(own, _)| own.1 > Some(0.0));
    for (_, (middle, rate)) in of_it {
        let from = (frame.across(*middle) - width / 2.0).clamp(frame.left, frame.right - width);
        let top = frame.down(rate.unwrap_or(0.0));
        match bars.last_mut() {
            Some(last) if from - last.0 < 0.75 * width => last.1 = last.1.min(top),
            _ => bars.push((from, top)),
        }
    }
    let joined = bars.chunk_by(|a, b| b.0 - a.0 < 1.3 * width);
    let outlines = joined.map(|bars| skyline(bars, width, frame.bottom));
    figure.fills(outlines.collect(), layer.role, 1.0);
}

/// Ticks below the foot where requests failed and the bar is too low to be seen, in the colour of
/// what most of them failed by; neighbours of one colour join.
fn draw_ticks(figure: &mut Figure, frame: &Frame, layers: &[Layer], width: f64) {
    let Some(last) = layers.last() else { return };
    let is_low = |rate: f64| rate > 0.0 && frame.bottom - frame.down(rate) < SEEN;
    let mut ticks: Vec<(f64, f64, Role)> = Vec::new();
    for (bin, (middle, rate)) in last.reach.iter().enumerate() {
        let own = |layer: &&Layer| layer.own[bin].1.unwrap_or(0.0);
        let most = layers.iter().max_by(|a, b| own(a).total_cmp(&own(b)));
        let Some(role) = most.filter(|_| rate.is_some_and(is_low)).map(|layer| layer.role) else {
            continue;
        };
        let from = (frame.across(*middle) - width / 2.0).clamp(frame.left, frame.right - width);
        match ticks.last_mut() {
            Some((_, to, known)) if *known == role && from <= *to + 0.5 => *to = from + width,
            _ => ticks.push((from, from + width, role)),
        }
    }
    for (from, to, role) in ticks {
        let (top, foot) = (frame.bottom + 1.0, frame.bottom + 1.0 + TICK);
        figure.block((from, top), (to, foot), role, 1.0);
    }
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
    use crate::plot::canvas::Primitive;
    use crate::plot::tests::drawn;

    #[test]
    fn every_failure_belongs_to_one_mechanism() {
        let failures = Failure::ALL.map(|failure| 1 << failure as usize);
        let row = TotalRow { failures, ..TotalRow::default() };
        let [lost, refused, timed_out] = MECHANISMS.map(|known| count(known.0, &row));
        assert_eq!(lost + refused + timed_out, row.failed());
        let late = [Failure::TimedOut, Failure::GivenUp, Failure::UpstreamTimedOut];
        let gone = [Failure::LostInFlight, Failure::IdleClosed, Failure::LostWithIngress];
        let bits = |kinds: &[Failure]| kinds.iter().map(|kind| 1 << *kind as u64).sum::<u64>();
        assert_eq!((lost, timed_out), (bits(&gone), bits(&late)));
    }

    #[test]
    fn a_bar_is_as_high_as_what_failed_and_a_tick_marks_what_is_too_low() {
        let (x, y) = (PlotAxis::time(10.0, 5), PlotAxis::count(6_000.0, 4));
        let frame = Frame { left: 0.0, right: 100.0, top: 0.0, bottom: 60.0, x, y };
        let reach = vec![(1.5, Some(6_000.0)), (4.5, Some(49.0)), (7.5, Some(0.0))];
        let (own, label) = (reach.clone(), "refused");
        let layer = Layer { label, role: Role::Failure, total: 1, own, reach };
        let shapes = drawn(|figure| {
            draw_bars(figure, &frame, &layer, 10.0);
            draw_ticks(figure, &frame, &[layer], 10.0);
        });
        let [Primitive::Fill { points: high, .. }, Primitive::Fill { points: low, .. }, tick] =
            &shapes[..]
        else {
            panic!("{shapes:?}")
        };
        let top = |points: &[Point]| points.iter().map(|point| point.1).fold(60.0, f64::min);
        assert_eq!((top(high), top(low)), (frame.down(6_000.0), frame.down(49.0)));
        assert!(matches!(tick, Primitive::Block { from, .. } if from.0 == 40.0), "{tick:?}");
    }

    #[test]
    fn bars_side_by_side_share_an_outline() {
        let outline = skyline(&[(10.0, 4.0), (12.0, 1.0)], 2.0, 9.0);
        let expected =
            [(10.0, 9.0), (10.0, 4.0), (12.0, 4.0), (12.0, 1.0), (14.0, 1.0), (14.0, 9.0)];
        assert_eq!(outline, expected);
    }
}
