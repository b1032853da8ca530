//! Percentiles of latency, pooled over the replications.

use crate::metric::estimator::merged;
use crate::metric::evidence::Evidence;
use crate::observe::histogram::{Histogram, Ranked};
use crate::observe::outcome::WindowOutcome;
use crate::stats::paired::Room;
use crate::stats::sections::{self, Section};
use crate::stats::{self, Confidence, Estimate, Interval, Sample, jackknife};
use crate::units::Span;

/// Requests that must lie beyond a percentile for it to mean something.
pub const ENOUGH_BEYOND: f64 = 10.0;

/// Which requests of a window a percentile is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// Those that were served.
    Served,
    /// Those that were served or never answered; the latter are slower than any other.
    NotFailed,
    /// Those that were sent; whatever failed or was never answered is slower than any other.
    Sent,
}

impl Among {
    /// How many of a window's requests are slower than any latency.
    pub fn endless(self, window: &WindowOutcome) -> u64 {
        match self {
            Among::Served => 0,
            Among::NotFailed => window.unanswered,
            Among::Sent => window.ledger.failed() + window.unanswered,
        }
    }

    /// How many requests of a window there are.
    pub fn count(self, window: &WindowOutcome) -> u64 {
        window.latency.count() + self.endless(window)
    }
}

/// The latency that a share `q` of the requests did not exceed, in seconds; infinite if it lies
/// among those that are slower than any.
///
/// The interval is that of Woodruff (J. American Statistical Association 47, 1952): the share of
/// the requests up to the pooled percentile is a ratio over replications, whose interval reaches
/// from a below it to b above. It holds q at the pooled percentiles of q − b to q + a, which are
/// the ends, and covers the buckets that they lie in. Where less than a request lies beyond one of
/// them, the data end before the interval does; then it also covers what sections say, but never
/// less than the fastest request.
pub fn estimate(
    windows: &[&WindowOutcome],
    q: f64,
    among: Among,
    confidence: Confidence,
) -> Option<Estimate> {
    let speaking: Vec<&WindowOutcome> =
        windows.iter().copied().filter(|window| among.count(window) > 0).collect();
    let pool = Pool::of(&speaking, among);
    let point = pool.at(q)?;
    let share = pool.share_up_to(point)?.estimate(confidence);
    let interval = reach(q, &share).map(|shares| {
        let Interval { low, high } = pool.between(shares);
        let sections = pool.sections(q).filter(|_| pool.ends_before(shares));
        let sections = sections.and_then(|sections| sections.estimate(confidence).interval);
        sections.map_or(Interval { low, high }, |sections| Interval {
            low: low.min(sections.low.max(pool.fastest())),
            high: high.max(sections.high),
        })
    });
    let evidence = interval.and_then(|_| Evidence::of(&speaking, confidence));
    let tail = evidence.map(|evidence| Tail { pool: &pool, evidence, confidence });
    let interval = interval.map(|usual| tail.map_or(usual, |tail| tail.interval(1.0 - q, usual)));
    Some(Estimate { point, interval, n: share.n })
}

/// The greatest latency of the requests of all replications, in seconds. It is what was seen and
/// no estimate of what can be, so that it is at least this; and at most this, or what the mean of
/// the greatest of each replication may be, if that is more.
pub fn greatest(
    windows: &[&WindowOutcome],
    among: Among,
    confidence: Confidence,
) -> Option<Estimate> {
    let of = |window: &&WindowOutcome| match among.endless(window) {
        0 => window.latency.greatest().map(Span::as_secs),
        _ => Some(f64::INFINITY),
    };
    let all: Vec<f64> = windows.iter().filter_map(of).collect();
    let (low, n) = (all.iter().copied().reduce(f64::max)?, all.len());
    let interval = (n > 1).then(|| {
        let mean = stats::mean(&all, confidence).and_then(|mean| mean.interval);
        let high = mean.map_or(low, |mean| mean.high.max(low));
        let evidence = Evidence::of(windows, confidence);
        let unseen = evidence.filter(|evidence| !evidence.seldom().is_empty());
        let longest = unseen.map_or(0.0, |evidence| longest(&evidence, among));
        Interval { low, high: high.max(longest) }
    });
    Some(Estimate { point: low, interval, n })
}

/// The longest in seconds that a request may take in a strike that was not seen; one that fails
/// takes longer than any.
fn longest(evidence: &Evidence, among: Among) -> f64 {
    match among {
        Among::Sent => f64::INFINITY,
        Among::Served | Among::NotFailed => evidence.lasts(),
    }
}

/// The slow requests of windows in which faults strike at random.
struct Tail<'a> {
    pool: &'a Pool<'a>,
    evidence: Evidence,
    confidence: Confidence,
}

impl Tail<'_> {
    /// The latencies of which the interval of the share of the requests beyond them holds `beyond`:
    /// a strike more or less changes that share, and by that the percentile, by more than the share
    /// at the percentile shows. Covers `usual` too.
    fn interval(&self, beyond: f64, usual: Interval) -> Interval {
        let greatest = self.pool.latencies.greatest().unwrap_or_default().as_secs();
        let high = match self.beyond(greatest) {
            // Strikes that were not seen may have slower requests than all that were.
            Some(share) if share.high >= beyond => {
                longest(&self.evidence, self.pool.among).max(greatest)
            }
            _ => self.last(|share| share.high >= beyond),
        };
        let low = self.last(|share| share.low > beyond);
        Interval { low: usual.low.min(low), high: usual.high.max(high) }
    }

    /// The greatest latency in seconds of which this is so of the share beyond it, if it is of all
    /// that are less.
    fn last(&self, is: impl Fn(Interval) -> bool) -> f64 {
        const STEPS: usize = 24;
        let at = |share: f64| self.pool.at(share).unwrap_or_default();
        let (mut so, mut not) = (0.0, 1.0);
        for _ in 0..STEPS {
            let middle = (so + not) / 2.0;
            match self.beyond(at(middle)).is_some_and(&is) {
                true => so = middle,
                false => not = middle,
            }
        }
        at(so)
    }

    /// The share of the requests that took longer than so many seconds.
    fn beyond(&self, latency: f64) -> Option<Interval> {
        let sample = self.pool.share_up_to(latency)?.lacking();
        let usual = sample.estimate(self.confidence).within(0.0, 1.0).interval?;
        Some(self.evidence.share(&sample, usual))
    }
}

/// The percentile of the served requests with what each replication deviates: by how much the share
/// of its requests up to the pooled percentile differs, times how fast the pooled percentile grows
/// with the share, across the interval of the share. Where the data end before that interval does,
/// by what sections say.
pub fn sample(windows: &[&WindowOutcome], q: f64) -> Option<Sample> {
    let pool = Pool::of(windows, Among::Served);
    let point = pool.at(q)?;
    let share = pool.share_up_to(point)?;
    let shares =
        reach(q, &share.estimate(Confidence::USUAL)).unwrap_or(Interval { low: q, high: q });
    if pool.ends_before(shares) {
        // They do not say how fast.
        return pool.sections(q);
    }
    let at = |share: f64| pool.at(share.clamp(0.0, 1.0)).unwrap_or(point);
    let width = shares.high - shares.low;
    let slope = if width > 0.0 { (at(shares.high) - at(shares.low)) / width } else { 0.0 };
    let deviations = share.deviations.iter().map(|deviation| -slope * deviation).collect();
    Some(Sample { point, deviations })
}

/// By how much the percentile of the served requests may be less or more than where [`sample`]
/// places it, and the ends of its interval too: as far as the buckets reach in which they lie.
pub fn blur(windows: &[&WindowOutcome], q: f64) -> Room {
    let pool = Pool::of(windows, Among::Served);
    let shares = || reach(q, &pool.share_up_to(pool.at(q)?)?.estimate(Confidence::USUAL));
    let Interval { low, high } = shares().unwrap_or(Interval { low: q, high: q });
    let rooms = [low, q, high].map(|share| pool.bucket(share).unwrap_or_default());
    let most = |of: fn(&Room) -> f64, ends: &[Room]| ends.iter().map(of).fold(0.0, f64::max);
    Room {
        below: most(|room| room.below, &rooms[..2]),
        above: most(|room| room.above, &rooms[1..]),
    }
}

/// The least and the greatest share that could have been seen for its interval to hold `q`.
fn reach(q: f64, share: &Estimate) -> Option<Interval> {
    let Interval { low, high } = share.interval?;
    Some(Interval { low: q + share.point - high, high: q + share.point - low })
}

/// Requests of all replications together.
struct Pool<'a> {
    windows: &'a [&'a WindowOutcome],
    among: Among,
    /// Those that have a latency.
    latencies: Histogram,
    /// All.
    count: u64,
}

impl<'a> Pool<'a> {
    fn of(windows: &'a [&'a WindowOutcome], among: Among) -> Self {
        let count = windows.iter().map(|window| among.count(window)).sum();
        Pool { windows, among, latencies: merged(windows), count }
    }

    /// The place of a percentile in order of latency, from 1.
    fn rank(&self, q: f64) -> u64 {
        ((q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).clamp(1, self.count.max(1))
    }

    /// A percentile in seconds; `None` if there are no requests.
    fn at(&self, q: f64) -> Option<f64> {
        let found = self.latencies.ranked(self.rank(q)).map(|found| found.value.as_secs());
        (self.count > 0).then_some(found.unwrap_or(f64::INFINITY))
    }

    /// How far the bucket reaches in which a percentile lies.
    fn bucket(&self, q: f64) -> Option<Room> {
        let Ranked { least, value, greatest } = self.latencies.ranked(self.rank(q))?;
        let [least, value, greatest] = [least, value, greatest].map(Span::as_secs);
        Some(Room { below: value - least, above: greatest - value })
    }

    /// The percentiles at the ends of an interval of shares, as far out as their buckets reach.
    fn between(&self, shares: Interval) -> Interval {
        let at = |share| self.latencies.ranked(self.rank(share));
        Interval {
            low: at(shares.low).map_or(f64::INFINITY, |found| found.least.as_secs()),
            high: at(shares.high).map_or(f64::INFINITY, |found| found.greatest.as_secs()),
        }
    }

    /// The share of the requests that took no longer than so many seconds.
    fn share_up_to(&self, latency: f64) -> Option<Sample> {
        let pair = |window: &&WindowOutcome| {
            let answered = match latency.is_finite() {
                true => window.latency.up_to(Span::from_secs(latency)),
                false => window.latency.count() as f64,
            };
            (answered, self.among.count(window) as f64)
        };
        jackknife::ratio_sample(&self.windows.iter().map(pair).collect::<Vec<_>>())
    }

    /// Whether less than a request lies beyond an end of an interval of shares. Where some are
    /// slower than any latency there is no such end.
    fn ends_before(&self, shares: Interval) -> bool {
        let beyond = shares.low.min(1.0 - shares.high) * self.count as f64;
        self.count == self.latencies.count() && beyond < 1.0
    }

    fn fastest(&self) -> f64 {
        self.latencies.ranked(1).map_or(0.0, |found| found.least.as_secs())
    }

    /// What the percentiles of the served requests of each replication say.
    fn sections(&self, q: f64) -> Option<Sample> {
        let section = |window: &&WindowOutcome| {
            let weight = window.latency.count() as f64;
            let value = window.latency.quantile(q)?.as_secs();
            Some(Section { value, weight })
        };
        let sections: Vec<Section> = self.windows.iter().filter_map(section).collect();
        Some(sections::sample(self.latencies.quantile(q)?.as_secs(), &sections))
    }
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
        let median = estimate(&[&fast, &slow], 0.5, Among::Served, Confidence::USUAL).unwrap();
        assert!((median.point - 0.01).abs() < 1e-4, "{median:?}");
        assert!(
            estimate(&[&fast, &slow], 0.999, Among::Served, Confidence::USUAL).unwrap().point
                > 0.99
        );
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
        let found = estimate(&windows, 0.95, Among::Served, Confidence::USUAL).unwrap();
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
        let interval =
            estimate(&windows, 0.99, Among::Served, Confidence::USUAL).unwrap().interval.unwrap();
        assert!(interval.high >= all.greatest().unwrap().as_secs(), "{interval:?}");
        // What is known of none is still not below the fastest request.
        let few: Vec<WindowOutcome> = [1, 500, 1_000].map(window).into();
        let wide = estimate(&few.iter().collect::<Vec<_>>(), 0.5, Among::Served, Confidence::USUAL)
            .unwrap();
        assert!((0.001..0.001_01).contains(&wide.interval.unwrap().low), "{wide:?}");
    }

    #[test]
    fn what_failed_is_slower_than_any() {
        // Of three replications of 1 000 requests 40, 50 and 60 failed; the others took 1 ms, 2 ms
        // and so on. The share that was served is 0.95 ± t(2, 0.975) · 0.01/√3 = 0.024 841.
        let window = |failed: u64| {
            let mut window = WindowOutcome::default();
            let latency = |ms: u64| Span::from_secs(ms as f64 / 1e3);
            (1..=1_000 - failed).for_each(|n| window.latency.record(latency(n)));
            window.ledger.failures[0] = failed;
            window
        };
        let windows = [40, 50, 60].map(window);
        let windows: Vec<&WindowOutcome> = windows.iter().collect();
        let of = |q| estimate(&windows, q, Among::Sent, Confidence::USUAL).unwrap();
        let never = f64::INFINITY;
        let (none, some) = (Some(Interval { low: never, high: never }), of(0.951));
        assert_eq!((of(0.99).point, of(0.99).interval), (never, none));
        assert!(some.point == never && some.interval.unwrap().low < 0.95, "{some:?}");
        let (last, clear) = (of(0.95), of(0.9));
        assert!((last.point - 0.96).abs() < 0.004, "{last:?}");
        assert_eq!(last.interval.unwrap().high, never);
        // Nobody differs in how many took 900 ms.
        let interval = clear.interval.unwrap();
        assert!((clear.point - 0.9).abs() < 0.004, "{clear:?}");
        assert!(interval.low > 0.892 && interval.high < 0.908, "{interval:?}");
        let served = estimate(&windows, 0.99, Among::Served, Confidence::USUAL).unwrap();
        assert!((served.point - 0.9405).abs() < 0.004, "{served:?}");
    }

    #[test]
    fn the_greatest_is_what_was_seen_exactly_and_endless_if_any_failed() {
        let window = |ms: f64| {
            let mut window = WindowOutcome::default();
            window.latency.record(Span::from_secs(ms / 1e3));
            window
        };
        let mut windows = [10.0, 12.0, 11.0].map(window);
        let of = |windows: &[WindowOutcome], among| {
            greatest(&windows.iter().collect::<Vec<_>>(), among, Confidence::USUAL).unwrap()
        };
        let found = of(&windows, Among::Sent);
        assert_eq!((found.point, found.interval.unwrap().low), (0.012, 0.012));
        // 11 ms ± t(2, 0.975) · 1 ms/√3 = 2.484 ms
        assert!((found.interval.unwrap().high - 0.013_484).abs() < 1e-6, "{found:?}");
        windows[0].ledger.failures[0] = 1;
        let endless = of(&windows, Among::Sent);
        assert_eq!((endless.point, endless.interval.unwrap().low), (f64::INFINITY, f64::INFINITY));
        assert_eq!(of(&windows, Among::Served), found);
    }

    #[test]
    fn an_interval_covers_the_bucket_in_which_it_ends() {
        let mut window = WindowOutcome::default();
        (0..100).for_each(|_| window.latency.record(Span::from_secs(6e-3)));
        window.latency.record(Span::from_secs(6.5e-3));
        let two = estimate(&[&window, &window], 0.5, Among::Served, Confidence::USUAL).unwrap();
        let Interval { low, high } = two.interval.unwrap();
        assert_eq!(low, 6e-3, "the least is known exactly");
        assert!((6.01e-3..6.04e-3).contains(&high) && low <= two.point && two.point <= high);
    }

    #[test]
    fn a_percentile_is_somewhere_in_its_bucket() {
        // Buckets of this octave are 32 768 ns wide; that of 6 ms is from 5.996 544 ms on.
        let mut window = WindowOutcome::default();
        (0..2_000).for_each(|n| window.latency.record(Span(5_900_000 + 100 * n)));
        let Room { below, above } = blur(&[&window, &window], 0.5);
        // The median is 5.999 9 ms.
        assert!((below - 3_356e-9).abs() < 200e-9, "{below}");
        assert!((below + above - 32_767e-9).abs() < 2e-9, "{above}");
        let mut exact = WindowOutcome::default();
        (0..100).for_each(|_| exact.latency.record(Span::from_secs(0.25)));
        assert_eq!(blur(&[&exact, &exact], 0.5), Room::default());
    }

    #[test]
    fn equal_latencies_leave_no_doubt_and_one_replication_says_none() {
        let mut window = WindowOutcome::default();
        (0..100).for_each(|_| window.latency.record(Span::from_secs(0.25)));
        let two = estimate(&[&window, &window], 0.5, Among::Served, Confidence::USUAL).unwrap();
        assert_eq!(two.interval, Some(Interval { low: two.point, high: two.point }));
        let one = estimate(&[&window], 0.5, Among::Served, Confidence::USUAL).unwrap();
        assert_eq!((one.interval, one.n), (None, 1));
    }
}
