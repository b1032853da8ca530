//! Axes of load, of its growth and of the headroom above it.

use super::axis::{AxisScale, PlotAxis, si};
use crate::units::three_digits;

/// Loads that differ by more than this factor need a log scale.
const WIDE: f64 = 12.0;
/// Loads that an axis can reach, in requests/s.
pub(crate) const LEAST_LOAD: f64 = 1e-9;
/// See [`LEAST_LOAD`].
pub(crate) const MOST_LOAD: f64 = 1e15;

impl PlotAxis {
    /// Loads in requests/s that hold all of `marks`, with about `most` steps: from zero, or, if the
    /// largest is more than 12 times the smallest that is positive, on a log scale that starts at a
    /// power of ten.
    pub(crate) fn load(marks: &[f64], most: usize) -> Self {
        let sound = |load: &f64| (LEAST_LOAD..=MOST_LOAD).contains(load);
        let marks = || marks.iter().copied().filter(sound);
        let (low, high) = (marks().fold(f64::MAX, f64::min), marks().fold(0.0, f64::max));
        if high > WIDE * low {
            decades(low, high, most.max(1))
        } else {
            PlotAxis::count(high, most)
        }
    }

    /// Growth as a share, from none to at least `high`, with about `most` steps.
    pub(crate) fn growth(high: f64, most: usize) -> Self {
        let whole = PlotAxis::count(100.0 * high, most);
        let label = |percent: f64| match percent {
            0.0 => "today".to_owned(),
            more => format!("+{} %", si(more)),
        };
        let tick = |(percent, _): &(f64, String)| (percent / 100.0, label(*percent));
        let ticks = whole.ticks.iter().map(tick).collect();
        PlotAxis { low: 0.0, high: whole.high / 100.0, scale: AxisScale::Linear, ticks }
    }

    /// Headroom as a share, from at least `high` (if that is between a tenth and all) to about a
    /// third as much below zero.
    pub(crate) fn headroom(high: f64) -> Self {
        let above = PlotAxis::count(if high > 0.1 { 100.0 * high.min(1.0) } else { 10.0 }, 5);
        let step = above.ticks.get(1).map_or(above.high, |tick| tick.0);
        let below = (above.high / step / 3.0).ceil().max(1.0) as usize;
        let under = (1..=below).rev().map(|i| -step * i as f64);
        let label = |percent: f64| match percent {
            under if under < 0.0 => format!("−{} %", three_digits(-under)),
            over => format!("{} %", three_digits(over)),
        };
        let all = under.chain(above.ticks.iter().map(|tick| tick.0));
        let ticks = all.map(|percent| (percent / 100.0, label(percent))).collect();
        let low = -step * below as f64 / 100.0;
        PlotAxis { low, high: above.high / 100.0, scale: AxisScale::Linear, ticks }
    }
}

/// A log scale from the power of ten at or below `low` to a 1, 2 or 5 at or above `high`.
fn decades(low: f64, high: f64, most: usize) -> PlotAxis {
    let first = (low.log10() + 1e-9).floor() as i32;
    let last = (high.log10() - 1e-9).ceil() as i32;
    let steps = |factors: &'static [f64]| {
        let of = |power: i32| factors.iter().map(move |factor| factor * 10f64.powi(power));
        (first..=last).flat_map(of).collect::<Vec<f64>>()
    };
    let fine = steps(&[1.0, 2.0, 5.0]);
    let end = fine.iter().copied().find(|step| *step >= high * (1.0 - 1e-9));
    let high = end.unwrap_or(10f64.powi(last));
    let coarse = steps(&[1.0]);
    let fits = |ticks: &Vec<f64>| ticks.iter().filter(|tick| **tick <= high).count() <= most;
    let stride = coarse.len().div_ceil(most);
    let thin = coarse.iter().copied().step_by(stride).collect();
    let ticks = if fits(&fine) { fine } else { thin };
    let ticks = ticks.into_iter().filter(|tick| *tick <= high * (1.0 + 1e-9));
    let ticks = ticks.map(|tick| (tick, si(tick))).collect();
    PlotAxis { low: 10f64.powi(first), high, scale: AxisScale::Log, ticks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(axis: &PlotAxis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn loads_within_a_factor_of_twelve_start_at_zero() {
        let axis = PlotAxis::load(&[100.0, 1_200.0], 6);
        assert_eq!((axis.low, axis.scale), (0.0, AxisScale::Linear));
        assert_eq!(labels(&axis).last(), Some(&"1.2k"));
    }

    #[test]
    fn loads_further_apart_start_at_a_power_of_ten() {
        let axis = PlotAxis::load(&[0.0, 30.0, f64::NAN, 1_300.0], 9);
        assert_eq!((axis.low, axis.high, axis.scale), (10.0, 2_000.0, AxisScale::Log));
        assert_eq!(labels(&axis), ["10", "20", "50", "100", "200", "500", "1k", "2k"]);
        let wide = PlotAxis::load(&[0.001, 1e6], 6);
        assert_eq!(labels(&wide), ["0.001", "0.1", "10", "1k", "100k"]);
    }

    #[test]
    fn growth_starts_today() {
        assert_eq!(labels(&PlotAxis::growth(0.2, 4)), ["today", "+5 %", "+10 %", "+15 %", "+20 %"]);
        assert!((PlotAxis::growth(4.0, 8).place(2.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn headroom_reaches_below_zero() {
        let axis = PlotAxis::headroom(0.38);
        assert_eq!(labels(&axis), ["−20 %", "−10 %", "0 %", "10 %", "20 %", "30 %", "40 %"]);
    }

    proptest! {
        #[test]
        fn no_input_makes_a_degenerate_axis(
            a in prop::num::f64::ANY, b in prop::num::f64::ANY, most in 1..12_usize
        ) {
            let load = PlotAxis::load(&[a, b], most);
            for axis in [load, PlotAxis::growth(a, most), PlotAxis::headroom(a)] {
                prop_assert!(axis.low.is_finite() && axis.high.is_finite() && axis.low < axis.high);
                prop_assert!((1..=40).contains(&axis.ticks.len()), "{axis:?}");
                for (value, _) in &axis.ticks {
                    let place = axis.place(*value);
                    prop_assert!((-1e-6..=1.0 + 1e-6).contains(&place), "{axis:?} {value}");
                }
            }
        }
    }
}
