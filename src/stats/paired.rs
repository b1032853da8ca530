//! Comparing two systems under common random numbers.
//!
//! Replication i of both meets the same arrivals, demands and faults, so what chance does to one it
//! does to the other, and most of it is gone from the difference (Law, Simulation Modeling and
//! Analysis, 5th ed., sections 10.2.1 and 11.2). The interval of the difference comes from the
//! differences of the pairs; beside it stands what two independent runs of the same length would
//! have given, and the ratio of the two variances is the reduction that the pairing reached.

use super::law::student;
use super::{Confidence, Estimate, Interval, Sample};

/// One system less, or over, the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The figure of the one less that of the other.
    pub difference: Estimate,
    /// The figure of the one over that of the other; `None` unless both are above zero.
    pub ratio: Option<Estimate>,
    /// What the interval of the difference would be had the two had random numbers of their own
    /// (Welch, Biometrika 34, 1947).
    pub unpaired: Option<Interval>,
    /// The variance of the unpaired difference over that of the paired one; `None` if either is
    /// nothing.
    pub reduction: Option<f64>,
    /// How many times narrower the interval of the difference is than that of independent runs, as
    /// far as chance goes; `None` if either is nothing.
    pub narrower: Option<f64>,
}

/// By how much a figure may differ from what was seen, for reasons other than chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    /// So much less.
    pub below: f64,
    /// So much more.
    pub above: f64,
}

/// Which of two figures is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// The one is less than the other.
    Less,
    /// The one is greater than the other.
    Greater,
    /// The interval of the difference contains zero.
    TooClose,
    /// They are equal in every replication.
    Equal,
    /// There is no interval.
    Unknown,
}

impl Comparison {
    /// Which is greater.
    pub fn call(&self) -> Call {
        match self.difference.interval {
            None => Call::Unknown,
            Some(Interval { low: 0.0, high: 0.0 }) => Call::Equal,
            Some(Interval { high, .. }) if high < 0.0 => Call::Less,
            Some(Interval { low, .. }) if low > 0.0 => Call::Greater,
            Some(_) => Call::TooClose,
        }
    }

    /// How many times narrower the interval is by the pairing; `None` where there is no interval,
    /// or other reasons than chance are more of it, so that it is hardly narrower at all.
    pub fn gain(&self) -> Option<f64> {
        let narrower = self.narrower?;
        let chance = self.unpaired.map(|interval| (interval.high - interval.low) / narrower)?;
        let all = self.difference.interval.map(|interval| interval.high - interval.low)?;
        (all <= 2.0 * chance).then_some(narrower)
    }

    /// The same with the room of both: each with its figure.
    pub fn with_room(mut self, one: (f64, Room), other: (f64, Room)) -> Comparison {
        let ((one, of_one), (other, of_other)) = (one, other);
        if let Some(interval) = &mut self.difference.interval {
            interval.low -= of_one.below + of_other.above;
            interval.high += of_one.above + of_other.below;
        }
        if let Some(interval) = self.ratio.as_mut().and_then(|ratio| ratio.interval.as_mut()) {
            interval.low *= (1.0 - of_one.below / one) / (1.0 + of_other.above / other);
            interval.high *= (1.0 + of_one.above / one) / (1.0 - of_other.below / other);
        }
        self
    }
}

/// Compares figure `one` with figure `other` of the same replications, in the same order.
///
/// # Panics
/// If they have different numbers of replications.
pub fn compare(one: &Sample, other: &Sample, confidence: Confidence) -> Comparison {
    assert_eq!(one.n(), other.n(), "pairs need a partner each");
    let paired = combined(one, other, (1.0, 1.0), cleaned(one.point, other.point));
    let errors = (one.error(), other.error());
    let unpaired = errors.0.hypot(errors.1);
    let reduction = (unpaired / paired.error()).powi(2);
    let has_reduction = unpaired > 0.0 && paired.error() > 0.0;
    let difference = paired.plain(confidence);
    let unpaired = welch(paired.point, errors, one.n(), confidence);
    let independent = unpaired.map(|interval| (interval.high - interval.low) / 2.0);
    let half = difference.half_width().filter(|half| *half > 0.0);
    Comparison {
        difference,
        ratio: ratio(one, other, confidence),
        unpaired,
        reduction: Some(reduction).filter(|_| has_reduction),
        narrower: independent.zip(half).map(|(independent, half)| independent / half),
    }
}

/// By the logarithms, which makes the interval of the inverse the inverse of the interval.
fn ratio(one: &Sample, other: &Sample, confidence: Confidence) -> Option<Estimate> {
    if one.point <= 0.0 || other.point <= 0.0 {
        return None;
    }
    let scales = (1.0 / one.point, 1.0 / other.point);
    let log = combined(one, other, scales, (one.point / other.point).ln()).plain(confidence);
    let interval = log.interval.map(|i| Interval { low: i.low.exp(), high: i.high.exp() });
    Some(Estimate { point: log.point.exp(), interval, n: log.n })
}

fn combined(one: &Sample, other: &Sample, scales: (f64, f64), point: f64) -> Sample {
    let pairs = one.deviations.iter().zip(&other.deviations);
    let difference = |(one, other): (&f64, &f64)| cleaned(scales.0 * one, scales.1 * other);
    Sample { point, deviations: pairs.map(difference).collect() }
}

/// The difference of two numbers; nothing if only rounding sets them apart.
fn cleaned(one: f64, other: f64) -> f64 {
    let difference = one - other;
    if difference.abs() <= 1e-9 * one.abs().max(other.abs()) { 0.0 } else { difference }
}

fn welch(point: f64, errors: (f64, f64), n: usize, confidence: Confidence) -> Option<Interval> {
    let (one, other) = (errors.0.powi(2), errors.1.powi(2));
    let freedom = (n as f64 - 1.0) * (one + other).powi(2) / (one.powi(2) + other.powi(2));
    if n < 2 || !freedom.is_finite() {
        return None;
    }
    let half = student::quantile(freedom, confidence.upper()) * (one + other).sqrt();
    Some(Interval { low: point - half, high: point + half })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tests::{coverage, exponential};

    fn sample(values: &[f64]) -> Sample {
        Sample::of(values).unwrap()
    }

    #[test]
    fn the_difference_has_the_interval_of_the_differences() {
        let (one, other) = ([4.0, 6.0, 5.0, 9.0], [1.0, 2.0, 3.0, 4.0]);
        let found = compare(&sample(&one), &sample(&other), Confidence::USUAL);
        let direct = sample(&[3.0, 4.0, 2.0, 5.0]).estimate(Confidence::USUAL);
        assert_eq!(found.difference, direct);
        assert_eq!(found.call(), Call::Greater);
        // Variances 14/3 and 5/3 of the values, 5/3 of the differences.
        assert!((found.reduction.unwrap() - (14.0 + 5.0) / 5.0).abs() < 1e-12, "{found:?}");
        assert!(found.narrower.unwrap() > 1.0);
    }

    #[test]
    fn a_ratio_turned_round_has_the_inverse_interval() {
        let (one, other) = (sample(&[4.0, 6.0, 5.0, 9.0]), sample(&[1.0, 2.0, 3.0, 4.0]));
        let ratio = |a, b| compare(a, b, Confidence::USUAL).ratio.unwrap();
        let (there, back) = (ratio(&one, &other), ratio(&other, &one));
        assert!((there.point - 2.4).abs() < 1e-12);
        let (there, back) = (there.interval.unwrap(), back.interval.unwrap());
        assert!((there.low * back.high - 1.0).abs() < 1e-12);
        let nothing = sample(&[0.0; 4]);
        assert_eq!(compare(&one, &nothing, Confidence::USUAL).ratio, None);
    }

    #[test]
    fn what_was_not_seen_leaves_room_on_its_side() {
        let (one, other) = (sample(&[4.0, 6.0, 5.0, 9.0]), sample(&[1.0, 2.0, 3.0, 4.0]));
        let plain = compare(&one, &other, Confidence::USUAL);
        let room = |below, above| Room { below, above };
        let with = plain.with_room((6.0, room(1.5, 3.0)), (2.5, room(0.5, 10.0)));
        let ends = |c: &Comparison| c.difference.interval.map(|i| (i.low, i.high)).unwrap();
        let (before, after) = (ends(&plain), ends(&with));
        assert_eq!(after, (before.0 - 11.5, before.1 + 3.5));
        assert_eq!((plain.call(), with.call()), (Call::Greater, Call::TooClose));
        assert_eq!(plain.narrower, with.narrower, "chance is what it was");
        // The interval of chance is 4.1 wide: a room of 15 is more of it, one of 2.5 is not.
        let width = before.1 - before.0;
        assert!((width - 4.1).abs() < 0.05, "{width}");
        assert_eq!((plain.gain(), with.gain()), (plain.narrower, None));
        let little = plain.with_room((6.0, room(0.5, 1.0)), (2.5, room(0.5, 0.5)));
        assert_eq!(little.gain(), plain.narrower);
        let ends = |c: &Comparison| c.ratio.and_then(|r| r.interval).unwrap();
        let (before, after) = (ends(&plain), ends(&with));
        assert!((after.low * 5.0 / 0.75 - before.low).abs() < 1e-12);
        assert!((after.high * 0.8 / 1.5 - before.high).abs() < 1e-12);
    }

    #[test]
    fn equal_systems_are_called_so_and_one_replication_says_nothing() {
        let one = sample(&[4.0, 6.0, 5.0]);
        let same = compare(&one, &one, Confidence::USUAL);
        assert_eq!((same.call(), same.reduction, same.narrower), (Call::Equal, None, None));
        let alone = compare(&sample(&[4.0]), &sample(&[3.0]), Confidence::USUAL);
        assert_eq!((alone.call(), alone.unpaired), (Call::Unknown, None));
        assert_eq!(alone.difference, Estimate::alone(1.0, 1));
    }

    #[test]
    fn intervals_of_differences_and_ratios_cover_the_truth_as_often_as_they_claim() {
        // A replication's figure is a mean over many requests.
        let noise =
            |stream: &mut _| (0..20).map(|_| 0.4 * (exponential(stream) - 1.0)).sum::<f64>() / 20.0;
        let pair = |stream: &mut _| {
            let values: Vec<f64> =
                (0..20).map(|_| (0..20).map(|_| exponential(stream)).sum::<f64>() / 20.0).collect();
            let other: Vec<f64> = values.iter().map(|value| 2.0 * value + noise(stream)).collect();
            compare(&sample(&other), &sample(&values), Confidence::USUAL)
        };
        let covered = coverage(1_000, 1.0, |stream| pair(stream).difference);
        assert!((0.93..=0.97).contains(&covered), "{covered}");
        let covered = coverage(1_000, 2.0, |stream| pair(stream).ratio.unwrap());
        assert!((0.93..=0.97).contains(&covered), "{covered}");
    }
}
