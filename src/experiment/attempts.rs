//! What clients and replicas did beside outcomes, as estimates: attempts, and what is counted for
//! them. Only where something surrounds the replicas.

use super::figures;
use crate::observe::count::{Count, Counts};
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::WindowOutcome;
use crate::stats::{Confidence, Estimate};

/// The attempts for the requests of a window, in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptSummary {
    /// Attempts of all replications together.
    pub ledger: Ledger,
    /// Attempts per replication.
    pub offered: Option<Estimate>,
    /// Attempts answered per replication.
    pub served: Option<Estimate>,
    /// Attempts failed per replication, in the order of [`Failure::ALL`].
    pub failures: Vec<(Failure, Option<Estimate>)>,
    /// Attempts per replication without an end at the horizon.
    pub in_flight: Option<Estimate>,
    /// Attempts per request.
    pub per_request: Option<Estimate>,
    /// Attempts after the first per replication.
    pub retries: Option<Estimate>,
    /// Answers that came when nobody waited any more, over all answers that replicas gave.
    pub wasted: Option<Estimate>,
    /// Answers found in a cache, over the times that one was asked.
    pub hit_ratio: Option<Estimate>,
    /// Each [`Count`] per replication, in the order of [`Count::ALL`].
    pub counts: Vec<(Count, Option<Estimate>)>,
}

impl AttemptSummary {
    /// The mean number of a count per replication.
    pub fn count(&self, count: Count) -> Option<&Estimate> {
        self.counts[count as usize].1.as_ref()
    }

    /// The attempts that failed in this way, per replication.
    pub fn failed_by(&self, failure: Failure) -> Option<&Estimate> {
        self.failures[failure as usize].1.as_ref()
    }
}

/// Sums up a window of every replication.
pub(super) fn summarize(windows: &[&WindowOutcome], confidence: Confidence) -> AttemptSummary {
    let mean = |value: &dyn Fn(&WindowOutcome) -> u64| {
        let mean = figures::count_of(windows, |window| value(window) as f64, confidence);
        mean.map(|mean| figures::none_seen(mean, confidence))
    };
    let failures = |kind| (kind, mean(&|window| window.attempts.failed_by(kind)));
    let counts = |count: Count| (count, mean(&|window| window.counts[count as usize]));
    let mut ledger = Ledger::default();
    windows.iter().for_each(|window| ledger += &window.attempts);
    AttemptSummary {
        ledger,
        offered: mean(&|window| window.attempts.offered),
        served: mean(&|window| window.attempts.served),
        failures: Failure::ALL.map(failures).to_vec(),
        in_flight: mean(&|window| window.attempts.in_flight),
        per_request: per_request(windows, confidence),
        retries: mean(&|window| window.attempts.offered.saturating_sub(window.ledger.offered)),
        wasted: figures::ratio_of(windows, |w| wasted(&w.attempts, &w.counts), confidence)
            .map(share),
        hit_ratio: figures::ratio_of(windows, |w| hits(&w.counts), confidence).map(share),
        counts: Count::ALL.map(counts).to_vec(),
    }
}

fn share(estimate: Estimate) -> Estimate {
    estimate.within(0.0, 1.0)
}

fn per_request(windows: &[&WindowOutcome], confidence: Confidence) -> Option<Estimate> {
    let pair = |w: &&WindowOutcome| (w.attempts.offered as f64, w.ledger.offered as f64);
    figures::ratio_of(windows, pair, confidence).map(|estimate| estimate.within(0.0, f64::INFINITY))
}

/// Answers of replicas that nobody waited for, and all.
fn wasted(attempts: &Ledger, counts: &Counts) -> (f64, f64) {
    let wasted = counts[Count::Wasted as usize];
    (wasted as f64, (wasted + attempts.served) as f64)
}

/// Answers that caches had, and how often they were asked.
fn hits(counts: &Counts) -> (f64, f64) {
    let of = |count: Count| counts[count as usize] as f64;
    (of(Count::Hit), of(Count::Hit) + of(Count::Miss))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(requests: u64, attempts: u64, wasted: u64, hits: u64, misses: u64) -> WindowOutcome {
        let mut window = WindowOutcome::default();
        (window.ledger.offered, window.ledger.served) = (requests, requests);
        window.attempts = Ledger { offered: attempts, served: requests, ..Ledger::default() };
        window.attempts.failures[Failure::GivenUp as usize] = attempts - requests;
        window.counts[Count::Wasted as usize] = wasted;
        window.counts[Count::Hit as usize] = hits;
        window.counts[Count::Miss as usize] = misses;
        window
    }

    #[test]
    fn ratios_are_of_the_totals_and_counts_are_means() {
        let (one, two) = (window(100, 150, 50, 30, 10), window(300, 330, 0, 0, 0));
        let summary = summarize(&[&one, &two], Confidence::USUAL);
        let point = |estimate: Option<Estimate>| estimate.unwrap().point;
        assert_eq!(point(summary.per_request), 480.0 / 400.0);
        assert_eq!(point(summary.retries), 40.0);
        assert_eq!(point(summary.wasted), 50.0 / 450.0);
        assert_eq!(point(summary.hit_ratio), 0.75);
        assert_eq!(summary.failed_by(Failure::GivenUp).unwrap().point, 40.0);
        assert_eq!(summary.count(Count::Miss).unwrap().point, 5.0);
        assert!(summary.ledger.balances());
    }

    #[test]
    fn nothing_asked_has_no_ratio_and_nothing_seen_is_not_nothing_possible() {
        let plain = window(100, 100, 0, 0, 0);
        let summary = summarize(&[&plain, &plain], Confidence::USUAL);
        assert_eq!(summary.hit_ratio, None);
        let panics = summary.count(Count::Panic).unwrap();
        assert!(panics.point == 0.0 && panics.interval.unwrap().high > 1.0);
    }
}
