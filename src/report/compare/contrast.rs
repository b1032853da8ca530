//! Paired differences in words.

use crate::metric::{Metric, Preferred};
use crate::report::format::words::{self, NOTHING};
use crate::stats::paired::{Call, Comparison};
use crate::stats::{Estimate, Interval};

/// Differences that are shown as figures reach so far from zero, in their unit.
const SMALLEST: f64 = 0.0001;

/// What a comparison says, as the cells of a table: difference, ratio (without its interval if
/// `brief`), call, gain of pairing.
pub fn cells(metric: Metric, comparison: Option<&Comparison>, brief: bool) -> [String; 4] {
    let Some(found) = comparison else {
        return [NOTHING.to_owned(), NOTHING.to_owned(), "no data".to_owned(), NOTHING.to_owned()];
    };
    let ratio = found.ratio.as_ref().map_or(NOTHING.to_owned(), |found| ratio(found, brief));
    let gain = found.gain().map_or(NOTHING.to_owned(), |times| match times {
        many if many > 100.0 => "> 100×".to_owned(),
        times => format!("{times:.1}×"),
    });
    [difference(metric, &found.difference), ratio, call(metric, found.call()).to_owned(), gain]
}

/// A difference with its sign: `-3.1 ms (-3.3 to -2.9)`, `+0.12 points (+0.10 to +0.14)`.
pub fn difference(metric: Metric, difference: &Estimate) -> String {
    let (scale, unit) = unit(metric, difference.point);
    let half = difference.half_width().unwrap_or(0.0) * scale;
    let point = difference.point * scale;
    let decimals = decimals(if half > 0.0 { half } else { point.abs() / 10.0 }, 4);
    let number = |value: f64| {
        let text = words::grouped(value, decimals);
        if value > 0.0 && text.chars().any(|c| c.is_ascii_digit() && c != '0') {
            format!("+{text}")
        } else {
            text
        }
    };
    match difference.interval.filter(|interval| interval.low < interval.high) {
        Some(Interval { low, high }) if low.abs().max(high.abs()) * scale < SMALLEST => {
            format!("below {SMALLEST} {unit}")
        }
        Some(Interval { low, high }) => format!(
            "{} {unit} ({} to {})",
            number(point),
            number(low * scale),
            number(high * scale)
        ),
        None => format!("{} {unit}", number(point)),
    }
}

/// By what differences are multiplied to be shown, and the unit that they then have.
pub fn unit(metric: Metric, seconds: f64) -> (f64, &'static str) {
    match seconds.abs() {
        _ if metric.is_share() => (100.0, "points"),
        long if long >= 1.0 => (1.0, "s"),
        short if short < 1e-4 && short > 0.0 => (1e6, "µs"),
        _ => (1e3, "ms"),
    }
}

/// Enough decimals for two digits of this size, up to `most`.
fn decimals(size: f64, most: i32) -> usize {
    if size > 0.0 { (1 - size.log10().floor() as i32).clamp(0, most) as usize } else { 0 }
}

/// `×0.74 (0.72–0.76)`, in as many digits as count; without its interval if `brief`.
fn ratio(ratio: &Estimate, brief: bool) -> String {
    let half = ratio.half_width().filter(|half| *half > 0.0);
    let size = half.unwrap_or(ratio.point / 10.0);
    // A small ratio needs its digits.
    let most = if ratio.point < 0.01 { 9 } else { 4 };
    let decimals = decimals(size, most);
    let number = |value: f64| words::grouped(value, decimals);
    match ratio.interval.filter(|interval| interval.low < interval.high && !brief) {
        Some(Interval { low, high }) => {
            format!("×{} ({}–{})", number(ratio.point), number(low), number(high))
        }
        None => format!("×{}", number(ratio.point)),
    }
}

/// Whether a call is on the bad side for certain.
pub fn is_worse(metric: Metric, call: Call) -> bool {
    let bad = match metric.entry().better {
        Preferred::Less => Call::Greater,
        Preferred::More => Call::Less,
        Preferred::Neither => return false,
    };
    call == bad
}

/// What is called.
pub fn call(metric: Metric, call: Call) -> &'static str {
    match (call, metric.entry().better) {
        (Call::TooClose, _) => "too close to call",
        (Call::Equal, _) => "the same",
        (Call::Unknown, _) => "unknown",
        (Call::Less, Preferred::Less) => "better",
        (Call::Greater, Preferred::Less) => "worse",
        (Call::Less, _) => "less",
        (Call::Greater, _) => "more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Confidence, Sample, paired};

    fn found(point: f64, half: f64) -> Estimate {
        let interval = Some(Interval { low: point - half, high: point + half });
        Estimate { point, interval, n: 10 }
    }

    #[test]
    fn differences_have_a_sign_and_as_many_digits_as_count() {
        let said = |metric, point, half| difference(metric, &found(point, half));
        assert_eq!(said(Metric::MeanLatency, -0.0031, 0.0002), "-3.10 ms (-3.30 to -2.90)");
        assert_eq!(said(Metric::RECOVERY, 12.0, 1.5), "+12.0 s (+10.5 to +13.5)");
        assert_eq!(said(Metric::Failed, 0.0012, 0.0002), "+0.120 points (+0.100 to +0.140)");
        assert_eq!(said(Metric::Failed, -1e-9, 4e-9), "below 0.0001 points");
        assert_eq!(difference(Metric::MeanLatency, &Estimate::alone(0.0, 1)), "0 ms");
    }

    #[test]
    fn a_comparison_is_called_or_too_close() {
        let sample = |values: &[f64]| Sample::of(values).unwrap();
        let (one, other) = (sample(&[1.0, 2.0, 3.0]), sample(&[2.0, 3.1, 4.0]));
        let call = |metric, a, b| {
            cells(metric, Some(&paired::compare(a, b, Confidence::USUAL)), false)[2].clone()
        };
        assert_eq!(call(Metric::MeanLatency, &one, &other), "better");
        assert_eq!(call(Metric::MeanLatency, &other, &one), "worse");
        assert_eq!(call(Metric::Cpu, &one, &other), "less");
        assert_eq!(call(Metric::MeanLatency, &one, &one), "the same");
        let scattered = sample(&[2.0, 2.1, 1.9]);
        assert_eq!(call(Metric::MeanLatency, &one, &scattered), "too close to call");
        assert_eq!(cells(Metric::MeanLatency, None, false)[2], "no data");
    }
}
