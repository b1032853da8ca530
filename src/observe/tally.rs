//! What incidents did together: a sum that leaves none out, however many there were.

use serde::{Deserialize, Serialize};

use super::incident::Incident;
use crate::units::{Instant, Span};

/// The incidents of one kind together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Times that a fault was injected.
    pub injected: u64,
    /// Incidents of these whose end was not seen: not over at the end of the run, or injected while
    /// too many others were in progress to be followed.
    pub unrecovered: u64,
    /// The longest that one of these had lasted by the end of the run.
    pub waited: Span,
    /// The least and the greatest recovery of those that ended.
    pub recovery: Option<(Span, Span)>,
    /// Least and greatest p99 before they were injected.
    pub p99_before: Option<(Span, Span)>,
    /// Least and greatest p99 while they lasted.
    pub p99_during: Option<(Span, Span)>,
    /// Least and greatest number of requests that failed while one lasted.
    pub failed: Option<(u64, u64)>,
    /// The fewest replicas that served.
    pub serving_least: Option<usize>,
}

impl Tally {
    /// Adds an incident of a run that ended at `ended`.
    pub fn add(&mut self, incident: &Incident, ended: Instant) {
        let p99 = |span: Option<Span>| span.map(|span| (span, span));
        let failed = incident.ledger.failed();
        let recovery = incident.recovery();
        self.merge(&Tally {
            injected: 1,
            unrecovered: u64::from(recovery.is_none()),
            waited: recovery.map_or(ended.since(incident.at), |_| Span::ZERO),
            recovery: p99(recovery),
            p99_before: p99(incident.p99_before),
            p99_during: p99(incident.p99_during),
            failed: Some((failed, failed)),
            serving_least: Some(incident.serving_least),
        });
    }

    /// Adds an incident of which nothing is known but that it was injected.
    pub fn add_unfollowed(&mut self) {
        self.injected += 1;
        self.unrecovered += 1;
    }

    /// Adds other incidents.
    pub fn merge(&mut self, other: &Tally) {
        self.injected += other.injected;
        self.unrecovered += other.unrecovered;
        self.waited = self.waited.max(other.waited);
        self.recovery = hull(self.recovery, other.recovery);
        self.p99_before = hull(self.p99_before, other.p99_before);
        self.p99_during = hull(self.p99_during, other.p99_during);
        self.failed = hull(self.failed, other.failed);
        let least = [self.serving_least, other.serving_least];
        self.serving_least = least.into_iter().flatten().min();
    }

    /// All of these together.
    pub fn sum<'a>(tallies: impl IntoIterator<Item = &'a Tally>) -> Tally {
        let mut all = Tally::default();
        tallies.into_iter().for_each(|tally| all.merge(tally));
        all
    }

    /// The longest recovery; of incidents that were not over, the time that they had lasted.
    pub fn longest(&self) -> Span {
        self.recovery.map_or(self.waited, |(_, longest)| longest.max(self.waited))
    }
}

/// The least range that covers both.
fn hull<T: Ord>(one: Option<(T, T)>, other: Option<(T, T)>) -> Option<(T, T)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(seconds: f64) -> Tally {
        let span = Span::from_secs(seconds);
        Tally { injected: 1, recovery: Some((span, span)), ..Tally::default() }
    }

    #[test]
    fn an_incident_that_is_open_has_lasted_at_least_so_long() {
        let mut tally = Tally::sum(&[ended(10.0), ended(30.0), ended(20.0)]);
        assert_eq!(tally.longest(), Span::from_secs(30.0));
        let open = |waited| Tally { injected: 1, unrecovered: 1, waited, ..Tally::default() };
        tally.merge(&open(Span::from_secs(5.0)));
        assert_eq!((tally.injected, tally.longest()), (4, Span::from_secs(30.0)));
        tally.merge(&open(Span::from_secs(50.0)));
        assert_eq!((tally.injected, tally.longest()), (5, Span::from_secs(50.0)));
        let range = tally.recovery.map(|(least, greatest)| (least.as_secs(), greatest.as_secs()));
        assert_eq!(range, Some((10.0, 30.0)));
    }
}
