//! Axes: bounds, a scale, and ticks that carry their own label.

/// How values spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AxisScale {
    /// Evenly.
    Linear,
    /// By their logarithm.
    Log,
    /// By the logarithm of what is missing to one: equal steps are equal numbers of nines.
    Nines,
    /// By the logarithm on both sides of zero, and evenly within so much of it.
    SignedLog(f64),
}

/// One axis. `low < high` always, and both are finite; on a log axis both are positive.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PlotAxis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) scale: AxisScale,
    pub(crate) ticks: Vec<(f64, String)>,
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

impl PlotAxis {
    /// Simulated time from zero, in seconds, with at most `most` steps.
    pub(crate) fn time(horizon: f64, most: usize) -> Self {
        let high = sound(horizon, 1.0);
        let step = time_step(high / most.max(1) as f64);
        let label = |seconds: f64| time_label(seconds, high, step);
        PlotAxis { low: 0.0, high, scale: AxisScale::Linear, ticks: multiples(high, step, label) }
    }

    /// Counts from zero to at least `peak`, with about `most` steps.
    pub(crate) fn count(peak: f64, most: usize) -> Self {
        let peak = sound(peak, 1.0);
        let step = nice_step(peak / most.max(1) as f64);
        let high = step * (peak / step - 1e-9).ceil().max(1.0);
        PlotAxis { low: 0.0, high, scale: AxisScale::Linear, ticks: multiples(high, step, si) }
    }

    /// Shares from 0 to 100 %.
    pub(crate) fn percent() -> Self {
        let ticks = [0.0, 0.5, 1.0].map(|share| (share, percent(share))).into();
        PlotAxis { low: 0.0, high: 1.0, scale: AxisScale::Linear, ticks }
    }

    /// Durations in seconds from `low` to `high`, each moved outwards to a 1, 2 or 5, with at most
    /// `most` labels.
    pub(crate) fn latency(low: f64, high: f64, most: usize) -> Self {
        let low = sound(low, 0.001).clamp(1e-9, 1e9);
        let high = sound(high, low).clamp(low, 1e9);
        let (mut first, mut last) = (one_two_five(low, false), one_two_five(high, true));
        while step_value(last) / step_value(first) < 4.9 {
            (first, last) = (first - 1, last + 1);
        }
        let ticks = latency_ticks(first, last, most.max(1));
        let (low, high) = (step_value(first), step_value(last));
        PlotAxis { low, high, scale: AxisScale::Log, ticks }
    }

    /// Durations that hold all of `seconds` that are positive, and `factor` times the longest.
    pub(crate) fn latencies(seconds: impl Iterator<Item = f64>, factor: f64, most: usize) -> Self {
        let (low, high) = ends(seconds.filter(|value| *value > 0.0)).unwrap_or((0.001, 0.001));
        PlotAxis::latency(low, high * factor, most)
    }

    /// Numbers of either sign from `low` to `high`, each moved outwards to a tick, with at most
    /// `most` steps, or two.
    pub(crate) fn linear(low: f64, high: f64, most: usize) -> Self {
        let (low, high) = apart(within_reach(low), within_reach(high));
        let step = nice_step((high - low) / most.max(1) as f64 * (1.0 - 1e-9));
        let enough = |step: f64| (high / step).ceil() - (low / step).floor() <= most.max(2) as f64;
        let wider = std::iter::successors(Some(step), |step| Some(nice_step(step * 1.5)));
        let step = wider.take(4).find(|step| enough(*step)).unwrap_or(step);
        let (first, last) = ((low / step + 1e-6).floor(), (high / step - 1e-6).ceil());
        let steps = (last - first).max(1.0) as usize;
        let values: Vec<f64> = (0..=steps).map(|i| (first + i as f64) * step).collect();
        let (low, high) = (values[0], values[steps]);
        PlotAxis { low, high, scale: AxisScale::Linear, ticks: number_labels(&values, step) }
    }

    /// Numbers of either sign that differ in size: by their logarithm from `least` on, evenly
    /// below; with at most `most` ticks.
    pub(crate) fn signed_log(low: f64, high: f64, least: f64, most: usize) -> Self {
        let (low, high) = apart(within_reach(low).min(0.0), within_reach(high).max(0.0));
        let greatest = low.abs().max(high);
        let even = 10f64.powf(sound(least, greatest).log10().floor());
        let decades = (greatest / even * (1.0 + 1e-9)).log10().max(0.0) as usize;
        let sides = usize::from(low < 0.0) + usize::from(high > 0.0);
        let each = (most.saturating_sub(1) / sides.max(1)).max(1);
        let stride = (decades + 1).div_ceil(each).max(1);
        let sizes: Vec<f64> = (0..=decades)
            .rev()
            .step_by(stride)
            .map(|decade| even * 10f64.powi(decade as i32))
            .collect();
        let shown = |value: &f64| (low..=high).contains(value);
        let signs = [-1.0, 1.0].into_iter().flat_map(|sign| sizes.iter().map(move |it| sign * it));
        let mut values: Vec<f64> = signs.filter(shown).chain([0.0]).collect();
        values.sort_by(f64::total_cmp);
        let label = |value: f64| match value.abs() >= 999.5 {
            true => si(value),
            false => short(value),
        };
        let ticks = values.into_iter().map(|at| (at, label(at).replace('-', "\u{2212}")));
        let ticks = ticks.map(|(at, text)| (at, if at == 0.0 { "0".to_owned() } else { text }));
        PlotAxis { low, high, scale: AxisScale::SignedLog(even), ticks: ticks.collect() }
    }

    /// Shares from zero to at least `peak`, in percent, with about `most` steps.
    pub(crate) fn share(peak: f64, most: usize) -> Self {
        if !(peak > 0.0 && peak <= 0.6) {
            return PlotAxis::percent();
        }
        let axis = PlotAxis::linear(0.0, peak.max(1e-5) * 100.0, most);
        let tick = |(value, label): &(f64, String)| (value / 100.0, format!("{label} %"));
        PlotAxis { high: axis.high / 100.0, ticks: axis.ticks.iter().map(tick).collect(), ..axis }
    }

    /// Quantiles from 0 to the one that `nines` (the 3 of 99.9 %) stands for.
    pub(crate) fn nines(nines: f64) -> Self {
        let nines = if nines.is_finite() { nines.clamp(1.0, 12.0) } else { 1.0 };
        let mut ticks = vec![(0.0, "0 %".to_owned()), (0.5, "50 %".to_owned())];
        let whole = 1..=(nines + 1e-9).floor() as i32;
        ticks.extend(whole.map(|n| (1.0 - 10f64.powi(-n), nines_label(n))));
        PlotAxis { low: 0.0, high: 1.0 - 10f64.powf(-nines), scale: AxisScale::Nines, ticks }
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end, and outside beyond these. NaN for
    /// what has no place on the scale.
    pub(crate) fn place(&self, value: f64) -> f64 {
        match self.scale {
            AxisScale::Linear => (value - self.low) / (self.high - self.low),
            AxisScale::Log if value > 0.0 => (value / self.low).ln() / (self.high / self.low).ln(),
            AxisScale::Nines if value < 1.0 => (1.0 - value).log10() / (1.0 - self.high).log10(),
            AxisScale::SignedLog(even) => {
                let at = |value: f64| value.signum() * (1.0 + value.abs() / even).ln();
                (at(value) - at(self.low)) / (at(self.high) - at(self.low))
            }
            AxisScale::Log | AxisScale::Nines => f64::NAN,
        }
    }
}

/// The least and the greatest of `values`, if there are any.
pub(crate) fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.map(|value| (value, value)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// `value` if an axis can reach it, else `otherwise`.
fn sound(value: f64, otherwise: f64) -> f64 {
    if value.is_finite() && value >= 1e-9 { value.min(1e15) } else { otherwise }
}

/// `value` between the greatest numbers that an axis can show; 0 for NaN.
fn within_reach(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-1e15, 1e15) }
}

/// The lesser and the greater of two numbers, moved apart if too close for ticks between them.
fn apart(a: f64, b: f64) -> (f64, f64) {
    let (low, high) = (a.min(b), a.max(b));
    let least = (low.abs().max(high.abs()) * 1e-6).max(1e-9);
    match high - low {
        width if width >= least => (low, high),
        _ if low.abs() < 1e-9 => (0.0, 1.0),
        _ => (low - 0.5 * low.abs(), high + 0.5 * high.abs()),
    }
}

/// Numbers with their labels: thousands as 1.2k as long as that tells them apart.
fn number_labels(values: &[f64], step: f64) -> Vec<(f64, String)> {
    let decimals = (-step.log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize;
    let plain = |value: &f64| match *value {
        0.0 => "0".to_owned(),
        value => format!("{value:.decimals$}"),
    };
    let great = values.iter().any(|value| value.abs() >= 999.5);
    let mut labels: Vec<String> = values.iter().map(|value| si(*value)).collect();
    let alike = labels.windows(2).any(|pair| pair[0] == pair[1]);
    if alike || !great {
        labels = values.iter().map(plain).collect();
    }
    let signed = labels.into_iter().map(|label| label.replace('-', "\u{2212}"));
    values.iter().copied().zip(signed).collect()
}

/// `value`, which is a number, with three significant digits, however small; for words.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    } else if !value.is_finite() {
        return if value > 0.0 { "infinity" } else { "-infinity" }.to_owned();
    }
    let decimals = (2.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Ticks at the multiples of `step` from zero to `high`.
fn multiples(high: f64, step: f64, label: impl Fn(f64) -> String) -> Vec<(f64, String)> {
    let last = (high / step + 1e-9).floor() as usize;
    (0..=last).map(|i| i as f64 * step).map(|value| (value, label(value))).collect()
}

/// The least 1, 2 or 5 times a power of ten that is not below `least`.
fn nice_step(least: f64) -> f64 {
    step_value(one_two_five(least, true))
}

/// The position of `value` in …, 0.5, 1, 2, 5, 10, … where 1 has position 0.
fn one_two_five(value: f64, up: bool) -> i32 {
    let guess = (value.log10() * 3.0).floor() as i32 - 2;
    let above = (guess..guess + 6).find(|i| step_value(*i) >= value * (1.0 - 1e-9));
    let above = above.unwrap_or(guess + 6);
    let exact = step_value(above) <= value * (1.0 + 1e-9);
    if up || exact { above } else { above - 1 }
}

fn step_value(position: i32) -> f64 {
    let factor = [1.0, 2.0, 5.0][position.rem_euclid(3) as usize];
    let power = position.div_euclid(3);
    if power < 0 { factor / 10f64.powi(-power) } else { factor * 10f64.powi(power) }
}

fn latency_ticks(first: i32, last: i32, most: usize) -> Vec<(f64, String)> {
    let all: Vec<i32> = (first..=last).collect();
    let decades: Vec<i32> = all.iter().copied().filter(|i| i.rem_euclid(3) == 0).collect();
    let chosen = match (all.len() <= most, decades.len()) {
        (false, 2..) => thin_out(decades, most),
        (false, _) => thin_out(all, most),
        (true, _) => all,
    };
    chosen.into_iter().map(|i| (step_value(i), duration(step_value(i)))).collect()
}

/// Every second, third, … of `positions` until no more than `most` are left.
fn thin_out(positions: Vec<i32>, most: usize) -> Vec<i32> {
    let stride = positions.len().div_ceil(most);
    positions.into_iter().step_by(stride).collect()
}

/// The least customary step of time that is not below `least` seconds.
fn time_step(least: f64) -> f64 {
    let seconds = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0];
    let minutes = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0].map(|n| n * MINUTE);
    let hours = [1.0, 2.0, 3.0, 6.0, 12.0].map(|n| n * HOUR);
    let days = [1.0, 2.0, 7.0, 14.0, 28.0].map(|n| n * DAY);
    let customary = [&seconds[..], &minutes, &hours, &days].concat();
    let fits = customary.into_iter().find(|step| *step >= least * (1.0 - 1e-9));
    fits.unwrap_or_else(|| nice_step(least / DAY) * DAY)
}

/// A point of time as the axis shows it.
fn time_label(seconds: f64, span: f64, step: f64) -> String {
    let whole = seconds.round() as u64;
    match (span, step) {
        (_, step) if step < 1.0 => format!("{seconds:.1}"),
        (_, step) if step >= DAY => format!("{}", whole / 86_400),
        (span, _) if span > 2.0 * DAY => {
            format!("{}d {}h", whole / 86_400, whole / 3_600 % 24)
        }
        (span, _) if span >= 2.0 * HOUR => format!("{}:{:02}", whole / 3_600, whole / 60 % 60),
        _ => format!("{}:{:02}", whole / 60, whole % 60),
    }
}

/// What the time axis counts in, for its caption.
pub(crate) fn time_unit(axis: &PlotAxis) -> &'static str {
    let step = axis.ticks.get(1).map_or(axis.high, |tick| tick.0);
    match (axis.high, step) {
        (_, step) if step < 1.0 => "s",
        (_, step) if step >= DAY => "days",
        (span, _) if span > 2.0 * DAY => "days, hours",
        (span, _) if span >= 2.0 * HOUR => "h:min",
        _ => "min:s",
    }
}

/// A count with k, M, G behind thousands, millions, thousand millions.
pub(crate) fn si(value: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.iter().find(|(size, _)| value.abs() >= *size * (1.0 - 1e-9)) {
        Some((size, unit)) => format!("{}{unit}", crate::units::three_digits(value / size)),
        None => crate::units::three_digits(value),
    }
}

/// A duration in seconds with its unit.
fn duration(seconds: f64) -> String {
    let (size, unit) = match seconds * (1.0 + 1e-9) {
        long if long >= 1.0 => (1.0, "s"),
        short if short >= 1e-3 => (1e-3, "ms"),
        short if short >= 1e-6 => (1e-6, "µs"),
        _ => (1e-9, "ns"),
    };
    let value = seconds / size;
    if value >= 1e4 { format!("{}s", si(value) + " ") } else { format!("{} {unit}", value.round()) }
}

fn percent(share: f64) -> String {
    format!("{} %", crate::units::three_digits(100.0 * share))
}

/// The percentage with this many nines, exactly.
fn nines_label(nines: i32) -> String {
    match nines {
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        more => format!("99.{} %", "9".repeat(more.max(3) as usize - 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(axis: &PlotAxis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn differences_of_any_size_have_a_place_on_a_scale_by_size() {
        let axis = PlotAxis::signed_log(-5.0, 300.0, 0.1, 9);
        assert_eq!(labels(&axis), ["\u{2212}1", "\u{2212}0.1", "0", "0.1", "1", "10", "100"]);
        let place = |value| axis.place(value);
        assert_eq!((place(-5.0), place(300.0)), (0.0, 1.0));
        // A decade far from zero is as long on either side.
        assert!((place(100.0) - place(10.0) - (place(10.0) - place(1.0))).abs() < 0.02);
        assert!(place(0.1) - place(0.0) > 0.05);
    }

    #[test]
    fn time_ticks_are_customary_steps() {
        let ten_minutes = PlotAxis::time(600.0, 12);
        assert_eq!(labels(&ten_minutes)[..3], ["0:00", "1:00", "2:00"]);
        assert_eq!(labels(&ten_minutes).last(), Some(&"10:00"));
        assert_eq!(labels(&PlotAxis::time(86_400.0, 12))[..3], ["0:00", "2:00", "4:00"]);
        assert_eq!(labels(&PlotAxis::time(30.0 * DAY, 12)).last(), Some(&"28"));
        assert_eq!(labels(&PlotAxis::time(0.0, 12)).last(), Some(&"1.0"));
    }

    #[test]
    fn counts_end_on_a_tick_with_a_short_label() {
        assert_eq!(labels(&PlotAxis::count(1_440.0, 4)), ["0", "500", "1k", "1.5k"]);
        assert_eq!(labels(&PlotAxis::count(3.0, 2)), ["0", "2", "4"]);
        assert_eq!(labels(&PlotAxis::count(0.0, 3)).last(), Some(&"1"));
    }

    #[test]
    fn latency_ticks_are_ones_twos_and_fives_or_decades() {
        let narrow = PlotAxis::latency(0.012, 0.09, 5);
        assert_eq!(labels(&narrow), ["10 ms", "20 ms", "50 ms", "100 ms"]);
        let wide = PlotAxis::latency(0.000_9, 12.0, 6);
        assert_eq!(labels(&wide), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(PlotAxis::latency(0.02, 0.02, 5).low, 0.01);
    }

    #[test]
    fn linear_ticks_have_either_sign_and_hold_both_ends() {
        let around_zero = PlotAxis::linear(-3.4, 0.3, 6);
        assert_eq!(
            labels(&around_zero),
            ["\u{2212}4", "\u{2212}3", "\u{2212}2", "\u{2212}1", "0", "1"]
        );
        assert_eq!((around_zero.low, around_zero.high), (-4.0, 1.0));
        assert_eq!(
            labels(&PlotAxis::linear(0.0, 0.02, 4)),
            ["0", "0.005", "0.010", "0.015", "0.020"]
        );
        assert_eq!(labels(&PlotAxis::linear(0.0, 1_200.0, 6)).last(), Some(&"1.2k"));
        let narrow = PlotAxis::linear(1_000_000.0, 1_000_004.0, 4);
        assert_eq!(labels(&narrow)[..2], ["1000000", "1000001"]);
        assert_eq!(labels(&PlotAxis::linear(5.0, 5.0, 5)), ["2", "4", "6", "8"]);
    }

    #[test]
    fn shares_reach_as_far_as_they_must() {
        assert_eq!(labels(&PlotAxis::share(0.034, 4)), ["0 %", "1 %", "2 %", "3 %", "4 %"]);
        assert_eq!(labels(&PlotAxis::share(0.7, 4)), ["0 %", "50 %", "100 %"]);
        assert_eq!(labels(&PlotAxis::share(0.0, 4)).last(), Some(&"100 %"));
        assert_eq!(labels(&PlotAxis::share(1e-300, 2)), ["0 %", "0.0005 %", "0.0010 %"]);
    }

    #[test]
    fn words_have_three_significant_digits() {
        let shown = [0.0, -0.000_123_4, 2.0, -3.249_9, 41.26, 1_234.6].map(short);
        assert_eq!(short(f64::INFINITY), "infinity");
        assert_eq!(shown, ["0", "-0.000123", "2", "-3.25", "41.3", "1235"]);
    }

    #[test]
    fn percentages_are_labelled_exactly() {
        let axis = PlotAxis::nines(5.0);
        let expected = ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"];
        assert_eq!(labels(&axis), expected);
        assert!((axis.place(0.999) - 0.6).abs() < 1e-9);
        assert!((axis.place(0.5) - 0.0602).abs() < 1e-4);
    }

    #[test]
    fn values_without_a_place_are_not_given_one() {
        assert!(PlotAxis::latency(0.001, 1.0, 5).place(0.0).is_nan());
        assert!(PlotAxis::nines(3.0).place(1.0).is_nan());
        assert!(PlotAxis::percent().place(f64::NAN).is_nan());
    }

    #[test]
    fn si_units_follow_thousands() {
        let shown: Vec<String> = [0.0, 7.0, 999.0, 1_000.0, 1_234.0, 5e6].map(si).into();
        assert_eq!(shown, ["0", "7", "999", "1k", "1.23k", "5M"]);
    }

    proptest! {
        #[test]
        fn no_input_makes_a_degenerate_axis(
            low in prop::num::f64::ANY, high in prop::num::f64::ANY
        ) {
            let axes = [
                PlotAxis::time(high, 12), PlotAxis::count(high, 4), PlotAxis::latency(low, high, 5),
                PlotAxis::nines(high), PlotAxis::linear(low, high, 6), PlotAxis::share(high, 4),
            ];
            for axis in axes {
                prop_assert!(axis.low.is_finite() && axis.high.is_finite() && axis.low < axis.high);
                prop_assert!((1..=20).contains(&axis.ticks.len()), "{axis:?}");
                for (value, _) in &axis.ticks {
                    let place = axis.place(*value);
                    prop_assert!((-1e-6..=1.0 + 1e-6).contains(&place), "{axis:?} {value}");
                }
            }
        }
    }
}
