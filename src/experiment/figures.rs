//! Figures of an experiment, each pooled over the replications. Latencies are in seconds.

use crate::observe::histogram::Histogram;
use crate::observe::ledger::Ledger;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::observe::tally::Tally;
use crate::stats::sections::{self, Section};
use crate::stats::{self, Confidence, Estimate, Interval, Sample, jackknife, proportion};
use crate::units::Span;

/// Below this many failures in all, the failures are taken as independent as well, which widens
/// the interval of availability.
const FEW_FAILURES: u64 = 10;

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

/// All requests of a window together.
pub fn total(windows: &[&WindowOutcome]) -> Ledger {
    let mut all = Ledger::default();
    windows.iter().for_each(|window| all += &window.ledger);
    all
}

/// The mean over replications of a count or length, of which each has one.
pub fn count_of<T>(
    items: &[T],
    value: impl Fn(&T) -> f64,
    confidence: Confidence,
) -> Option<Estimate> {
    let values: Vec<f64> = items.iter().map(value).collect();
    stats::mean(&values, confidence).map(|mean| mean.within(0.0, f64::INFINITY))
}

/// Corrects the interval of a mean count of which none was seen: zero in n replications does not
/// prove that there can be none, only that the mean is below −ln(1−c)/n for confidence c, about 3/n
/// for 95 % (Hanley and Lippman-Hand, JAMA 249, 1983).
pub fn none_seen(mut mean: Estimate, confidence: Confidence) -> Estimate {
    if let Some(interval) = mean.interval.as_mut().filter(|_| mean.point == 0.0) {
        interval.high = -confidence.error().ln() / mean.n as f64;
    }
    mean
}

/// The ratio of two totals over replications, from both values for each.
pub fn ratio_of<T>(
    items: &[T],
    pair: impl Fn(&T) -> (f64, f64),
    confidence: Confidence,
) -> Option<Estimate> {
    jackknife::ratio(&items.iter().map(pair).collect::<Vec<_>>(), confidence)
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

/// Served requests over all that have an outcome. Few failures do not show how much they vary,
/// and none seem to say that none can be: then the interval also covers the exact one for
/// independent requests.
pub fn availability(
    windows: &[&WindowOutcome],
    unanswered: Unanswered,
    confidence: Confidence,
) -> Option<Estimate> {
    let counts = |w: &&WindowOutcome| {
        let (served, failed) = (w.ledger.served, w.ledger.failed());
        match unanswered {
            Unanswered::LeftOut => (served, served + failed),
            Unanswered::Failed => (served, served + failed + w.unanswered),
            Unanswered::Served => (served + w.unanswered, served + failed + w.unanswered),
        }
    };
    let pair = |w: &&WindowOutcome| (counts(w).0 as f64, counts(w).1 as f64);
    let mut estimate = ratio_of(windows, pair, confidence)?.within(0.0, 1.0);
    let sum = |sum: (u64, u64), one: (u64, u64)| (sum.0 + one.0, sum.1 + one.1);
    let (served, decided) = windows.iter().map(counts).fold((0, 0), sum);
    if let Some(interval) = &mut estimate.interval
        && (decided - served).min(served) < FEW_FAILURES
    {
        let exact = proportion::clopper_pearson(served, decided, confidence);
        let (low, high) = (interval.low.min(exact.low), interval.high.max(exact.high));
        *interval = Interval { low, high };
    }
    Some(estimate)
}

/// The mean latency of the served requests.
pub fn mean_latency(windows: &[&WindowOutcome], confidence: Confidence) -> Option<Estimate> {
    mean_latency_sample(windows).map(|mean| positive(mean.estimate(confidence)))
}

/// The same with what each replication deviates.
pub fn mean_latency_sample(windows: &[&WindowOutcome]) -> Option<Sample> {
    let pair = |w: &&WindowOutcome| (w.latency.sum() as f64 / 1e9, w.latency.count() as f64);
    jackknife::ratio_sample(&windows.iter().map(pair).collect::<Vec<_>>())
}

fn positive(estimate: Estimate) -> Estimate {
    estimate.within(0.0, f64::INFINITY)
}

/// The latency that a share `q` of the served requests did not exceed.
///
/// The interval is that of Woodruff (J. American Statistical Association 47, 1952): the share of
/// the requests up to the pooled percentile is a ratio over replications, whose interval reaches
/// from a below it to b above. It holds q at the pooled percentiles of q − b to q + a, which are
/// the ends. Where less than a request lies beyond one of them, the data end before the interval
/// does; then it also covers what sections say, but never less than the fastest request.
pub fn percentile(windows: &[&WindowOutcome], q: f64, confidence: Confidence) -> Option<Estimate> {
    let all = merged(windows);
    let pooled = all.quantile(q)?;
    let mut estimate = positive(of_sections(windows, pooled, q).estimate(confidence));
    let share = share_up_to(windows, pooled)?.estimate(confidence);
    if let (Some(sections), Some(shares)) = (&mut estimate.interval, reach(q, &share)) {
        let (low, high) = between(&all, shares);
        let beyond = shares.low.min(1.0 - shares.high) * all.count() as f64;
        let (fastest, _) = between(&all, Interval { low: 0.0, high: 1.0 });
        *sections = match beyond < 1.0 {
            true => {
                Interval { low: low.min(sections.low.max(fastest)), high: high.max(sections.high) }
            }
            false => Interval { low, high },
        };
    }
    Some(estimate)
}

/// The same with what each replication deviates: by how much the share of its requests up to the
/// pooled percentile differs, times how fast the pooled percentile grows with the share, across the
/// interval of the share. Where the data end before that interval does, by what sections say.
pub fn percentile_sample(windows: &[&WindowOutcome], q: f64) -> Option<Sample> {
    let all = merged(windows);
    let pooled = all.quantile(q)?;
    let share = share_up_to(windows, pooled)?;
    let shares =
        reach(q, &share.estimate(Confidence::USUAL)).unwrap_or(Interval { low: q, high: q });
    if shares.low.min(1.0 - shares.high) * (all.count() as f64) < 1.0 {
        // The data end before the interval does: they do not say how fast.
        return Some(of_sections(windows, pooled, q));
    }
    let (low, high) = between(&all, shares);
    let width = shares.high - shares.low;
    let slope = if width > 0.0 { (high - low) / width } else { 0.0 };
    let deviations = share.deviations.iter().map(|deviation| -slope * deviation).collect();
    Some(Sample { point: pooled.as_secs(), deviations })
}

/// The share of the requests that took no longer than `latency`.
fn share_up_to(windows: &[&WindowOutcome], latency: Span) -> Option<Sample> {
    let pair = |w: &&WindowOutcome| (w.latency.up_to(latency), w.latency.count() as f64);
    jackknife::ratio_sample(&windows.iter().map(pair).collect::<Vec<_>>())
}

/// The least and the greatest share that could have been seen for its interval to hold `q`.
fn reach(q: f64, share: &Estimate) -> Option<Interval> {
    let Interval { low, high } = share.interval?;
    Some(Interval { low: q + share.point - high, high: q + share.point - low })
}

/// The percentiles at the ends of an interval of shares, in seconds.
fn between(all: &Histogram, shares: Interval) -> (f64, f64) {
    let at = |share: f64| all.quantile(share.clamp(0.0, 1.0)).unwrap_or_default().as_secs();
    (at(shares.low), at(shares.high))
}

fn of_sections(windows: &[&WindowOutcome], pooled: Span, q: f64) -> Sample {
    let section = |w: &&WindowOutcome| {
        let weight = w.latency.count() as f64;
        w.latency.quantile(q).map(|value| Section { value: value.as_secs(), weight })
    };
    let sections: Vec<Section> = windows.iter().filter_map(section).collect();
    sections::sample(pooled.as_secs(), &sections)
}

/// Served requests that must lie beyond a percentile for it to mean something.
pub const ENOUGH_BEYOND: f64 = 10.0;

/// How many of `samples` are expected beyond the percentile `q`, if those are too few.
pub fn too_few_beyond(samples: u64, q: f64) -> Option<f64> {
    let beyond = samples as f64 * (1.0 - q);
    // 1 − q is not exact: ten of a hundred beyond p90 are enough.
    (beyond < ENOUGH_BEYOND - 1e-6).then_some(beyond)
}

/// Requests answered per second while the window was open.
pub fn throughput(windows: &[&WindowOutcome], confidence: Confidence) -> Option<Estimate> {
    ratio_of(windows, |w| (w.ledger.served as f64, w.open.as_secs()), confidence)
        .map(|estimate| estimate.within(0.0, f64::INFINITY))
}

/// How long it took to be back to normal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovery {
    /// The longest recovery of a replication, averaged over those with incidents. An incident that
    /// was not over counts with the time that it had lasted, so this is a lower bound if any are
    /// unrecovered.
    pub longest: Option<Estimate>,
    /// The least and the greatest recovery of any incident.
    pub range: Option<(Span, Span)>,
    /// Incidents of which the end was seen.
    pub recovered: u64,
    /// Incidents that were not over at the end of the run.
    pub unrecovered: u64,
}

/// The recovery from the incidents of each replication.
pub fn recovery(tallies: &[Tally], confidence: Confidence) -> Recovery {
    let struck = tallies.iter().filter(|tally| tally.struck > 0);
    let longest: Vec<f64> = struck.map(|tally| tally.longest().as_secs()).collect();
    let all = Tally::sum(tallies);
    Recovery {
        longest: stats::mean(&longest, confidence)
            .map(|estimate| estimate.within(0.0, f64::INFINITY)),
        range: all.recovery,
        recovered: all.struck - all.unrecovered,
        unrecovered: all.unrecovered,
    }
}

/// The incidents of each replication that belong to one window.
pub fn incidents(windows: &[&WindowOutcome]) -> Vec<Tally> {
    windows.iter().map(|window| window.incidents.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sample;
    use crate::observe::ledger::Failure;

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
            let windows = [&window, &window, &window];
            availability(&windows, Unanswered::LeftOut, Confidence::USUAL)
                .unwrap()
                .interval
                .unwrap()
        };
        let exact = proportion::clopper_pearson(8_991, 9_000, Confidence::USUAL);
        assert_eq!((interval(3).low, interval(3).high), (exact.low, exact.high));
        assert!(interval(4).high - interval(4).low < 1e-9, "twelve are not few");
    }

    fn mean(values: &[f64]) -> Estimate {
        stats::mean(values, Confidence::USUAL).unwrap()
    }

    #[test]
    fn a_count_of_zero_has_an_upper_end_above_zero() {
        let interval = none_seen(mean(&[0.0; 10]), Confidence::USUAL).interval.unwrap();
        assert!((interval.high - 0.299_573).abs() < 1e-6);
        let seen = mean(&[1.0, 2.0]);
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

    #[test]
    fn nothing_decided_means_no_availability_and_no_latency() {
        let empty = WindowOutcome::default();
        assert_eq!(availability(&[&empty, &empty], Unanswered::LeftOut, Confidence::USUAL), None);
        assert_eq!(percentile(&[&empty, &empty], 0.99, Confidence::USUAL), None);
        assert_eq!(mean_latency(&[&empty], Confidence::USUAL), None);
        assert_eq!(throughput(&[&empty], Confidence::USUAL), None);
    }

    #[test]
    fn percentiles_are_merged_and_not_averaged() {
        let (mut fast, mut slow) = (WindowOutcome::default(), WindowOutcome::default());
        (0..990).for_each(|_| fast.latency.record(Span::from_secs(0.01)));
        (0..10).for_each(|_| slow.latency.record(Span::from_secs(1.0)));
        let median = percentile(&[&fast, &slow], 0.5, Confidence::USUAL).unwrap();
        assert!((median.point - 0.01).abs() < 1e-4, "{median:?}");
        assert!(percentile(&[&fast, &slow], 0.999, Confidence::USUAL).unwrap().point > 0.99);
    }

    #[test]
    fn the_interval_of_a_percentile_ends_at_requests() {
        // Three replications with 40, 50 and 60 of 1 000 requests slower than the others, which
        // rise evenly to 950 ms: h is t(2, 0.975) · 0.01/√3 = 0.024 841.
        let window = |slow: u64| {
            let mut window = WindowOutcome::default();
            let latency = |ms: u64| Span::from_secs(ms as f64 / 1e3);
            (0..1_000 - slow).for_each(|n| window.latency.record(latency(1 + n % 950)));
            (0..slow).for_each(|n| window.latency.record(latency(2_000 + n)));
            window
        };
        let windows = [40, 50, 60].map(window);
        let windows: Vec<&WindowOutcome> = windows.iter().collect();
        let found = percentile(&windows, 0.95, Confidence::USUAL).unwrap();
        // Whoever has more slow requests has the greater percentile; and so far do they vary.
        let sample = percentile_sample(&windows, 0.95).unwrap();
        let rises = sample.deviations.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(rises && sample.deviations[1].abs() < 0.01, "{sample:?}");
        let half = |estimate: &Estimate| estimate.half_width().unwrap();
        let ratio = half(&sample.plain(Confidence::USUAL)) / half(&found);
        assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
        let interval = found.interval.unwrap();
        let all = merged(&windows);
        let at = |share| all.quantile(share).unwrap().as_secs();
        assert_eq!(found.n, 3);
        // Up to the width of a bucket.
        assert!((interval.low / at(0.95 - 0.024_841) - 1.0).abs() < 0.008, "{interval:?}");
        assert!((interval.high / at(0.95 + 0.024_841) - 1.0).abs() < 0.008, "{interval:?}");
        // Beyond p99 + h there is nobody: the interval goes at least to the end of the data.
        let interval = percentile(&windows, 0.99, Confidence::USUAL).unwrap().interval.unwrap();
        assert!(interval.high >= all.greatest().unwrap().as_secs(), "{interval:?}");
        // What is known of none is still not below the fastest request.
        let few: Vec<WindowOutcome> = [1, 500, 1_000].map(window).into();
        let wide = percentile(&few.iter().collect::<Vec<_>>(), 0.5, Confidence::USUAL).unwrap();
        assert!((0.001..0.001_01).contains(&wide.interval.unwrap().low), "{wide:?}");
    }

    #[test]
    fn equal_latencies_leave_no_doubt_and_one_replication_says_none() {
        let mut window = WindowOutcome::default();
        (0..100).for_each(|_| window.latency.record(Span::from_secs(0.25)));
        let two = percentile(&[&window, &window], 0.5, Confidence::USUAL).unwrap();
        assert_eq!(two.interval, Some(Interval { low: two.point, high: two.point }));
        let one = percentile(&[&window], 0.5, Confidence::USUAL).unwrap();
        assert_eq!((one.interval, one.n), (None, 1));
    }

    #[test]
    fn an_incident_without_end_counts_with_what_it_lasted() {
        let mut outcomes = sample::experiment().outcomes;
        sample::change_incident(&mut outcomes[2], |incident| incident.normal = None);
        let recovery = recovery(&incidents(&windows(&outcomes, 0)), Confidence::USUAL);
        assert_eq!((recovery.recovered, recovery.unrecovered), (4, 1));
        // Four of some 15 s, and the one from 3:00 to the end at 10:00.
        let longest = recovery.longest.unwrap();
        assert_eq!(longest.n, 5);
        assert!((longest.point - (4.0 * 15.0 + 420.0) / 5.0).abs() < 1.0, "{longest:?}");
    }
}
