//! Percentiles of how long incidents took, over all of them.

use crate::metric::catalogue::Restored;
use crate::metric::evidence::Evidence;
use crate::observe::histogram::Histogram;
use crate::observe::outcome::WindowOutcome;
use crate::observe::tally::Restorations;
use crate::stats::proportion::clopper_pearson;
use crate::stats::{Confidence, Estimate, Interval, jackknife};
use crate::units::Span;

/// What a percentile rests on.
struct IncidentPool {
    /// What was seen to end, and the same with what was not, as if it had ended with the run.
    seen: Histogram,
    all: Histogram,
    /// How many incidents there are, with those of which nothing is known.
    count: u64,
}

/// The time within which a share `q` of the incidents was over, in seconds.
///
/// The interval goes from one rank to another: from the greatest of which too few incidents lie
/// below, to the least of which enough do, by the exact interval for a probability (Clopper and
/// Pearson); and, as incidents of one replication may be alike, by that of the share over
/// replications (Woodruff, as for latencies), whichever reaches further. An incident that was not
/// over has lasted at least to the end of its run, and perhaps for ever: without enough incidents
/// the upper end is infinite.
pub fn estimate(
    windows: &[&WindowOutcome],
    restored: Restored,
    q: f64,
    confidence: Confidence,
) -> Option<Estimate> {
    let each: Vec<&Restorations> = windows.iter().map(|window| restored.of(window)).collect();
    let pool = pool(&each);
    let point = pool.all.quantile(q)?;
    let replications = each.iter().filter(|one| one.count() > 0).count();
    let interval = (replications > 1).then(|| {
        let exact = ranks(pool.count, q, confidence);
        let shares = reach(&each, point, q, confidence);
        let below = exact.0.min((shares.low.max(0.0) * pool.count as f64).floor() as u64);
        let above = exact.1.max((shares.high * pool.count as f64).ceil() as u64);
        let above = above.saturating_add(unseen(windows, confidence));
        interval(&pool, below, above)
    });
    Some(Estimate { point: point.as_secs(), interval, n: replications })
}

/// Incidents of a kind that was not seen, and that may take longer than all others. The twentieth
/// of one is none.
fn unseen(windows: &[&WindowOutcome], confidence: Confidence) -> u64 {
    let evidence = Evidence::of(windows, confidence);
    let strikes = evidence.map_or(0.0, |evidence| evidence.unseen());
    (strikes * windows.len() as f64 - confidence.error()).ceil() as u64
}

fn pool(each: &[&Restorations]) -> IncidentPool {
    let (mut seen, mut open) = (Histogram::default(), Histogram::default());
    each.iter().for_each(|one| {
        seen.merge(&one.seen);
        open.merge(&one.open);
    });
    open.merge(&seen);
    IncidentPool { seen, all: open, count: each.iter().map(|one| one.count()).sum() }
}

/// The least number of incidents that can bound this percentile from above.
pub fn needed(q: f64, confidence: Confidence) -> u64 {
    (confidence.error().ln() / q.ln()).ceil() as u64
}

/// Of `count` incidents, up to what rank too few lie below the percentile, and from what rank on
/// enough do; beyond the last if none does.
fn ranks(count: u64, q: f64, confidence: Confidence) -> (u64, u64) {
    let share = |rank: u64| clopper_pearson(rank, count, confidence);
    let least = |is_enough: &dyn Fn(u64) -> bool| {
        let (mut low, mut high) = (0, count + 1);
        while low < high {
            let middle = (low + high) / 2;
            match middle > count || is_enough(middle) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        low
    };
    (least(&|rank| share(rank).high > q), least(&|rank| share(rank).low >= q))
}

/// The shares that could have been seen for their interval over replications to hold `q`.
fn reach(each: &[&Restorations], point: Span, q: f64, confidence: Confidence) -> Interval {
    let pair =
        |one: &&Restorations| (one.seen.up_to(point) + one.open.up_to(point), one.count() as f64);
    let ratio = jackknife::ratio(&each.iter().map(pair).collect::<Vec<_>>(), confidence);
    let found = ratio.and_then(|share| Some((share.point, share.interval?)));
    found.map_or(Interval { low: q, high: q }, |(share, Interval { low, high })| Interval {
        low: q + share - high,
        high: q + share - low,
    })
}

fn interval(pool: &IncidentPool, below: u64, above: u64) -> Interval {
    // What was not followed may have been shorter than all others, or longer.
    let unknown = pool.count - pool.all.count();
    let rank = below.saturating_sub(unknown).min(pool.all.count());
    let low = pool.all.ranked(rank).filter(|_| rank > 0);
    let high = pool.seen.ranked(above.max(1));
    let low = low.map_or(0.0, |found| found.least.as_secs());
    let high = high.map_or(f64::INFINITY, |found| found.greatest.as_secs());
    Interval { low, high }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows with incidents that took so many seconds; those of the second list were not over.
    fn windows(incidents: &[(&[u32], &[u32])]) -> Vec<WindowOutcome> {
        let window = |(seen, open): &(&[u32], &[u32])| {
            let mut window = WindowOutcome::default();
            let service = &mut window.incidents.service;
            seen.iter().for_each(|took| service.seen.record(Span::from_secs(f64::from(*took))));
            open.iter().for_each(|took| service.open.record(Span::from_secs(f64::from(*took))));
            window
        };
        incidents.iter().map(window).collect()
    }

    fn of(windows: &[WindowOutcome], q: f64) -> Estimate {
        let windows: Vec<&WindowOutcome> = windows.iter().collect();
        estimate(&windows, Restored::Service, q, Confidence::USUAL).unwrap()
    }

    fn close(found: f64, wanted: f64) -> bool {
        (found / wanted - 1.0).abs() < 0.008
    }

    #[test]
    fn the_interval_of_a_median_is_that_of_the_binomial_law() {
        // Of 100 values the 40th and the 61st hold the median with 95 % (Conover, Practical
        // Nonparametric Statistics, 1999, table A3; R: qbinom(c(0.025, 0.975), 100, 0.5)).
        assert_eq!(ranks(100, 0.5, Confidence::USUAL), (40, 61));
        let all: Vec<[u32; 1]> = (1..=100).map(|took| [took]).collect();
        let all: Vec<(&[u32], &[u32])> = all.iter().map(|took| (&took[..], &[][..])).collect();
        let found = of(&windows(&all), 0.5);
        let Interval { low, high } = found.interval.unwrap();
        assert!(close(found.point, 50.0) && found.n == 100, "{found:?}");
        assert!(low > 38.0 && low < 40.5 && high > 60.5 && high < 62.5, "{low} to {high}");
    }

    #[test]
    fn few_incidents_bound_no_high_percentile_from_above() {
        assert_eq!([0.5, 0.9, 0.95].map(|q| needed(q, Confidence::USUAL)), [5, 29, 59]);
        for (count, bounded) in [(58, false), (59, true)] {
            let found = of(&windows(&vec![(&[10][..], &[][..]); count]), 0.95);
            let Interval { low, high } = found.interval.unwrap();
            assert_eq!((found.point, low), (10.0, 10.0));
            assert_eq!(high.is_finite(), bounded, "{count} incidents: {high}");
        }
    }

    #[test]
    fn what_is_not_over_may_last_for_ever_but_lasted_so_long() {
        let some = vec![(&[10][..], &[][..]); 90];
        let with = |open: usize| {
            let found =
                of(&windows(&[some.clone(), vec![(&[][..], &[300][..]); open]].concat()), 0.5);
            found.interval.unwrap()
        };
        let Interval { low, high } = with(10);
        assert!(close(low, 10.0) && close(high, 10.0), "{low} to {high}");
        // Half of them: the median may be theirs.
        let Interval { low, high } = with(90);
        assert!(close(low, 10.0) && high.is_infinite());
        assert!(close(with(200).low, 300.0));
    }

    #[test]
    fn incidents_of_one_replication_are_alike() {
        let alone = of(&windows(&[(&[10; 500], &[])]), 0.5);
        assert_eq!((alone.interval, alone.n), (None, 1));
        // Three replications with a hundred each, all of one length within each.
        let found = of(&windows(&[(&[10; 100], &[]), (&[20; 100], &[]), (&[30; 100], &[])]), 0.5);
        let Interval { low, high } = found.interval.unwrap();
        assert!(low <= 10.0 && high >= 29.9, "{low} to {high}");
    }
}
