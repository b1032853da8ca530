//! How figures are estimated from outcomes, each pooled over the replications. Latencies are in
//! seconds.

use serde::Serialize;

use super::evidence::Evidence;
use super::statistic::{Dimension, Statistic};
use crate::observe::histogram::Histogram;
use crate::observe::ledger::Ledger;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::observe::recovery::Stability;
use crate::stats::{Confidence, Estimate, Interval, Sample, jackknife, proportion};

/// Below this many failures in all, the failures are taken as independent as well, which widens
/// the interval of availability; and their share is not compared, as so few do not show how much
/// they vary.
pub const FEW_FAILURES: u64 = 10;

/// What is read of a replication.
pub type Extract<T, V> = Box<dyn Fn(&T) -> V>;

/// What a replication gives that a figure is estimated from.
pub enum Estimator<T> {
    /// The mean of one value for each replication that has it.
    Mean(Extract<T, Option<f64>>),
    /// The mean of a number for each replication, of which none may have been seen.
    Events(Extract<T, u64>),
    /// The ratio of two totals over all replications.
    Ratio(Extract<T, (f64, f64)>),
}

impl<T> Estimator<T> {
    /// Whether a replication has the figure at all.
    pub fn speaks(&self, item: &T) -> bool {
        match self {
            Estimator::Mean(value) => value(item).is_some(),
            Estimator::Events(_) => true,
            Estimator::Ratio(pair) => pair(item).1 > 0.0,
        }
    }

    /// The figure with what each replication deviates.
    pub fn sample(&self, items: &[&T]) -> Option<Sample> {
        let items = items.iter();
        match self {
            Estimator::Mean(value) => {
                Sample::of(&items.filter_map(|item| value(item)).collect::<Vec<_>>())
            }
            Estimator::Events(count) => {
                Sample::of(&items.map(|item| count(item) as f64).collect::<Vec<_>>())
            }
            Estimator::Ratio(pair) => {
                jackknife::ratio_sample(&items.map(|item| pair(item)).collect::<Vec<_>>())
            }
        }
    }

    /// The figure with its interval.
    pub fn estimate(&self, items: &[&T], confidence: Confidence) -> Option<Estimate> {
        let sample = self.sample(items)?;
        if sample.point.is_infinite() {
            // What may last for ever does so on average, for sure.
            let interval = Interval { low: f64::INFINITY, high: f64::INFINITY };
            let interval = (sample.n() > 1).then_some(interval);
            return Some(Estimate { point: sample.point, interval, n: sample.n() });
        }
        let estimate = sample.estimate(confidence);
        Some(match self {
            Estimator::Events(_) => none_seen(estimate.within(0.0, f64::INFINITY), confidence),
            _ => estimate,
        })
    }
}

/// The window `index` of every replication.
pub fn windows(outcomes: &[Outcome], index: usize) -> Vec<&WindowOutcome> {
    outcomes.iter().map(|outcome| &outcome.windows[index]).collect()
}

/// All latencies of a window together.
pub fn merged(windows: &[&WindowOutcome]) -> Histogram {
    let mut all = Histogram::default();
    windows.iter().for_each(|window| all.merge(&window.latency));
    all
}

/// All requests of these ledgers together.
pub fn total<'a>(ledgers: impl IntoIterator<Item = &'a Ledger>) -> Ledger {
    let mut all = Ledger::default();
    ledgers.into_iter().for_each(|ledger| all += ledger);
    all
}

/// Corrects the interval of a mean count of which none was seen: zero in n replications does not
/// prove that there can be none, only that the mean is below −ln(1−c)/n for confidence c, about 3/n
/// for 95 % (Hanley and Lippman-Hand, JAMA 249, 1983).
fn none_seen(mut mean: Estimate, confidence: Confidence) -> Estimate {
    if let Some(interval) = mean.interval.as_mut().filter(|_| mean.point == 0.0) {
        interval.high = -confidence.error().ln() / mean.n as f64;
    }
    mean
}

/// What requests count as that nobody ever answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// As nothing: they have no outcome.
    LeftOut,
    /// As failed: the worst that can be.
    Failed,
    /// As served: the best that can be.
    Served,
}

/// Answered requests over all that have an outcome.
pub fn availability(
    windows: &[&WindowOutcome],
    unanswered: Unanswered,
    confidence: Confidence,
) -> Option<Estimate> {
    let counts = |w: &WindowOutcome| {
        let (answered, decided) = (w.ledger.answered(), w.ledger.decided());
        match unanswered {
            Unanswered::LeftOut => (answered, decided),
            Unanswered::Failed => (answered, decided + w.unanswered),
            Unanswered::Served => (answered + w.unanswered, decided + w.unanswered),
        }
    };
    let (windows, counts) = counted(windows, counts);
    let (mut estimate, sample) = ratio(&counts, confidence)?;
    if let Some(interval) = &mut estimate.interval
        && let Some(evidence) = Evidence::of(&windows, confidence)
    {
        let usual = Interval { low: 1.0 - interval.high, high: 1.0 - interval.low };
        interval.low = 1.0 - evidence.share(&sample.lacking(), usual).high;
    }
    Some(estimate)
}

/// Some requests over others that hold them, from both numbers of each replication, of which more
/// is worse.
pub fn share(
    windows: &[&WindowOutcome],
    counts: impl Fn(&WindowOutcome) -> (u64, u64),
    confidence: Confidence,
) -> Option<Estimate> {
    let (windows, counts) = counted(windows, counts);
    let (mut estimate, sample) = ratio(&counts, confidence)?;
    if let Some(interval) = &mut estimate.interval
        && let Some(evidence) = Evidence::of(&windows, confidence)
    {
        *interval = evidence.share(&sample, *interval);
    }
    Some(estimate)
}

/// The windows in which anything counts, with both numbers.
fn counted<'a>(
    windows: &[&'a WindowOutcome],
    counts: impl Fn(&WindowOutcome) -> (u64, u64),
) -> (Vec<&'a WindowOutcome>, Vec<(u64, u64)>) {
    windows.iter().map(|window| (*window, counts(window))).filter(|(_, of)| of.1 > 0).unzip()
}

/// A part of a whole over replications. Few of either side do not show how much they vary, and none
/// seem to say that none can be: then the interval also covers the exact one for independent
/// requests.
fn ratio(counts: &[(u64, u64)], confidence: Confidence) -> Option<(Estimate, Sample)> {
    let pairs: Vec<(f64, f64)> = counts.iter().map(|(a, b)| (*a as f64, *b as f64)).collect();
    let sample = jackknife::ratio_sample(&pairs)?;
    let mut estimate = sample.estimate(confidence).within(0.0, 1.0);
    let (part, whole) = counts.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if let Some(interval) = &mut estimate.interval
        && (whole - part).min(part) < FEW_FAILURES
    {
        let exact = proportion::clopper_pearson(part, whole, confidence);
        let (low, high) = (interval.low.min(exact.low), interval.high.max(exact.high));
        *interval = Interval { low, high };
    }
    Some((estimate, sample))
}

/// A number of replications out of those that say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Proportion {
    /// How many.
    #[serde(skip)]
    pub count: u64,
    /// Of how many.
    #[serde(skip)]
    pub of: u64,
    /// The probability, with the exact interval.
    pub estimate: Option<Statistic>,
}

/// The replications that are `wanted`, of those that had a trigger and say what became of it; those
/// that do not say count as `unclear` says, if it does.
pub(crate) fn replications(
    outcomes: &[Outcome],
    wanted: fn(Stability) -> bool,
    unclear: Option<bool>,
    confidence: Confidence,
) -> Proportion {
    let stabilities = outcomes.iter().map(|outcome| outcome.recovery.stability);
    let said = stabilities.filter_map(|stability| match stability {
        Stability::Untroubled => None,
        Stability::Unclear(_) => unclear,
        said => Some(wanted(said)),
    });
    let (count, of) = said.fold((0, 0), |sum, hit| (sum.0 + u64::from(hit), sum.1 + 1));
    let estimate = (of > 0).then(|| {
        let interval = (of > 1).then(|| proportion::clopper_pearson(count, of, confidence));
        let estimate = Estimate { point: count as f64 / of as f64, interval, n: of as usize };
        Statistic::new(Dimension::Share, estimate)
    });
    Proportion { count, of, estimate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::ledger::Failure;
    use crate::stats;

    fn served_and_failed(served: u64, failed: u64) -> WindowOutcome {
        let mut window = WindowOutcome::default();
        window.ledger.served = served;
        window.ledger.failures[Failure::TimedOut as usize] = failed;
        window
    }

    #[test]
    fn no_failure_does_not_prove_that_there_can_be_none() {
        let window = served_and_failed(1_000, 0);
        let estimate =
            availability(&[&window, &window, &window], Unanswered::LeftOut, Confidence::USUAL)
                .unwrap();
        let interval = estimate.interval.unwrap();
        assert_eq!((estimate.point, interval.high), (1.0, 1.0));
        assert!((interval.low - 0.999_001_9).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn few_failures_have_at_least_the_interval_of_independent_requests() {
        // Nine failures of 9 000, alike in each replication: their scatter alone would say nothing.
        let interval = |failed| {
            let window = served_and_failed(3_000 - failed, failed);
            availability(&[&window, &window, &window], Unanswered::LeftOut, Confidence::USUAL)
                .unwrap()
                .interval
                .unwrap()
        };
        let exact = proportion::clopper_pearson(8_991, 9_000, Confidence::USUAL);
        assert_eq!((interval(3).low, interval(3).high), (exact.low, exact.high));
        assert!(interval(4).high - interval(4).low < 1e-9, "twelve are not few");
    }

    #[test]
    fn a_count_of_zero_has_an_upper_end_above_zero() {
        let interval =
            none_seen(stats::mean(&[0.0; 10], Confidence::USUAL).unwrap(), Confidence::USUAL)
                .interval
                .unwrap();
        assert!((interval.high - 0.299_573).abs() < 1e-6);
        let seen = stats::mean(&[1.0, 2.0], Confidence::USUAL).unwrap();
        assert_eq!(none_seen(seen, Confidence::USUAL), seen);
    }

    #[test]
    fn what_nobody_answered_can_count_either_way() {
        let window = WindowOutcome { unanswered: 100, ..served_and_failed(800, 100) };
        let point =
            |unanswered| availability(&[&window], unanswered, Confidence::USUAL).unwrap().point;
        let points = [Unanswered::Failed, Unanswered::LeftOut, Unanswered::Served].map(point);
        assert_eq!(points, [0.8, 8.0 / 9.0, 0.9]);
    }

    #[test]
    fn one_replication_bounds_nothing() {
        let one =
            availability(&[&served_and_failed(1_000, 0)], Unanswered::LeftOut, Confidence::USUAL);
        assert_eq!(one, Some(Estimate::alone(1.0, 1)));
    }
}
