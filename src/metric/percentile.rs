//! Percentiles of latency, pooled over the replications.

use crate::metric::estimator::merged;
use crate::observe::histogram::Histogram;
use crate::observe::outcome::WindowOutcome;
use crate::stats::sections::{self, Section};
use crate::stats::{Confidence, Estimate, Interval, Sample, jackknife};
use crate::units::Span;

/// Served requests that must lie beyond a percentile for it to mean something.
pub const ENOUGH_BEYOND: f64 = 10.0;

/// The latency that a share `q` of the served requests did not exceed.
///
/// The interval is that of Woodruff (J. American Statistical Association 47, 1952): the share of
/// the requests up to the pooled percentile is a ratio over replications, whose interval reaches
/// from a below it to b above. It holds q at the pooled percentiles of q − b to q + a, which are
/// the ends. Where less than a request lies beyond one of them, the data end before the interval
/// does; then it also covers what sections say, but never less than the fastest request.
pub fn estimate(windows: &[&WindowOutcome], q: f64, confidence: Confidence) -> Option<Estimate> {
    let all = merged(windows);
    let pooled = all.quantile(q)?;
    let mut estimate = of_sections(windows, pooled, q).estimate(confidence);
    estimate = estimate.within(0.0, f64::INFINITY);
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
pub fn sample(windows: &[&WindowOutcome], q: f64) -> Option<Sample> {
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

/// How many of `samples` are expected beyond the percentile `q`, if those are too few.
pub fn too_few_beyond(samples: u64, q: f64) -> Option<f64> {
    let beyond = samples as f64 * (1.0 - q);
    // 1 − q is not exact: ten of a hundred beyond p90 are enough.
    (beyond < ENOUGH_BEYOND - 1e-6).then_some(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_merged_and_not_averaged() {
        let (mut fast, mut slow) = (WindowOutcome::default(), WindowOutcome::default());
        (0..990).for_each(|_| fast.latency.record(Span::from_secs(0.01)));
        (0..10).for_each(|_| slow.latency.record(Span::from_secs(1.0)));
        let median = estimate(&[&fast, &slow], 0.5, Confidence::USUAL).unwrap();
        assert!((median.point - 0.01).abs() < 1e-4, "{median:?}");
        assert!(estimate(&[&fast, &slow], 0.999, Confidence::USUAL).unwrap().point > 0.99);
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
        let found = estimate(&windows, 0.95, Confidence::USUAL).unwrap();
        // Whoever has more slow requests has the greater percentile; and so far do they vary.
        let sample = sample(&windows, 0.95).unwrap();
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
        let interval = estimate(&windows, 0.99, Confidence::USUAL).unwrap().interval.unwrap();
        assert!(interval.high >= all.greatest().unwrap().as_secs(), "{interval:?}");
        // What is known of none is still not below the fastest request.
        let few: Vec<WindowOutcome> = [1, 500, 1_000].map(window).into();
        let wide = estimate(&few.iter().collect::<Vec<_>>(), 0.5, Confidence::USUAL).unwrap();
        assert!((0.001..0.001_01).contains(&wide.interval.unwrap().low), "{wide:?}");
    }

    #[test]
    fn equal_latencies_leave_no_doubt_and_one_replication_says_none() {
        let mut window = WindowOutcome::default();
        (0..100).for_each(|_| window.latency.record(Span::from_secs(0.25)));
        let two = estimate(&[&window, &window], 0.5, Confidence::USUAL).unwrap();
        assert_eq!(two.interval, Some(Interval { low: two.point, high: two.point }));
        let one = estimate(&[&window], 0.5, Confidence::USUAL).unwrap();
        assert_eq!((one.interval, one.n), (None, 1));
    }
}
