//! What incidents did together: a sum that leaves none out, however many there were.

use serde::{Deserialize, Serialize};

use super::failover::{CLIENTS_BACK, FailoverCourse, FailoverStep};
use super::histogram::Histogram;
use super::incident::Incident;
use crate::units::{Instant, Span};

/// The incidents of one kind together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Times that a fault was injected.
    pub injected: u64,
    /// Incidents of these before which the gateway did not serve as one that works, so that nothing
    /// says when it does so again.
    pub abnormal: u64,
    /// From the injection until clients were hit no more; of those that had a normal before.
    pub service: Restorations,
    /// From the injection until as many replicas and zones served as before.
    pub redundancy: Restorations,
    /// From the injection until requests were answered again; of those that had a normal before.
    #[serde(default)]
    pub answers: Restorations,
    /// The fail-overs that followed.
    #[serde(default, skip_serializing_if = "FailoverTally::is_empty")]
    pub failover: FailoverTally,
    /// Least and greatest p99 before they were injected.
    pub p99_before: Option<(Span, Span)>,
    /// Least and greatest p99 while they lasted.
    pub p99_during: Option<(Span, Span)>,
    /// Least and greatest number of requests that failed while one lasted.
    pub failed: Option<(u64, u64)>,
    /// The fewest replicas that served.
    pub serving_least: Option<usize>,
}

/// How long it took in several incidents to restore something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Restorations {
    /// Of those in which that was seen.
    pub seen: Histogram,
    /// Of those in which it was not by the end of the run: how long they had lasted then.
    pub open: Histogram,
    /// Incidents that were not followed, as too many others were in progress: nobody knows.
    pub unknown: u64,
}

impl Restorations {
    pub(super) fn add(&mut self, took: Option<Span>, waited: Span) {
        match took {
            Some(took) => self.seen.record(took),
            None => self.open.record(waited),
        }
    }

    pub(super) fn merge(&mut self, other: &Restorations) {
        self.seen.merge(&other.seen);
        self.open.merge(&other.open);
        self.unknown += other.unknown;
    }

    /// Incidents of which the end was not seen.
    pub fn unseen(&self) -> u64 {
        self.open.count() + self.unknown
    }

    /// All of them.
    pub fn count(&self) -> u64 {
        self.seen.count() + self.unseen()
    }

    /// The least and the greatest of those that were seen.
    pub fn range(&self) -> Option<(Span, Span)> {
        self.seen.least().zip(self.seen.greatest())
    }

    /// The longest; of incidents that were not over, the time that they had lasted.
    pub fn longest(&self) -> Span {
        let ends = [&self.seen, &self.open].map(|spans| spans.greatest().unwrap_or_default());
        ends[0].max(ends[1])
    }
}

impl Tally {
    /// Adds an incident of a run that ended at `ended`.
    pub fn add(&mut self, incident: &Incident, ended: Instant) {
        let both = |span: Option<Span>| span.map(|span| (span, span));
        let (failed, waited) = (incident.ledger.failed(), ended.since(incident.at));
        self.injected += 1;
        match incident.normal_before {
            true => {
                self.service.add(incident.recovery(), waited);
                self.answers.add(incident.answers_after(), waited);
            }
            false => self.abnormal += 1,
        }
        if let Some(course) = incident.failover.as_ref().filter(|course| course.is_followed()) {
            self.failover.add(course, incident.at, incident.answers, ended);
        }
        self.redundancy.add(incident.redundancy_recovery(), waited);
        self.p99_before = hull(self.p99_before, both(incident.p99_before));
        self.p99_during = hull(self.p99_during, both(incident.p99_during));
        self.failed = hull(self.failed, Some((failed, failed)));
        self.note_serving(Some(incident.serving_least));
    }

    /// Adds an incident of which nothing is known but that it was injected.
    pub fn add_unfollowed(&mut self) {
        self.injected += 1;
        self.service.unknown += 1;
        self.answers.unknown += 1;
        self.redundancy.unknown += 1;
    }

    /// Adds other incidents.
    pub fn merge(&mut self, other: &Tally) {
        self.injected += other.injected;
        self.abnormal += other.abnormal;
        self.service.merge(&other.service);
        self.redundancy.merge(&other.redundancy);
        self.answers.merge(&other.answers);
        self.failover.merge(&other.failover);
        self.p99_before = hull(self.p99_before, other.p99_before);
        self.p99_during = hull(self.p99_during, other.p99_during);
        self.failed = hull(self.failed, other.failed);
        self.note_serving(other.serving_least);
    }

    fn note_serving(&mut self, least: Option<usize>) {
        self.serving_least = [self.serving_least, least].into_iter().flatten().min();
    }

    /// All of these together.
    pub fn sum<'a>(tallies: impl IntoIterator<Item = &'a Tally>) -> Tally {
        let mut all = Tally::default();
        tallies.into_iter().for_each(|tally| all.merge(tally));
        all
    }
}

/// The fail-overs of several incidents together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FailoverTally {
    /// How long the steps took.
    pub steps: [Restorations; FailoverStep::ALL.len()],
    /// Until half, 95 and 99 % of the clients were led elsewhere.
    pub led: [Restorations; CLIENTS_BACK.len()],
}

impl FailoverTally {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.led[0].count() == 0
    }

    /// Adds one of a run that ended at `ended`; requests were answered again at `answers`.
    fn add(
        &mut self,
        course: &FailoverCourse,
        at: Instant,
        answers: Option<Instant>,
        ended: Instant,
    ) {
        let ends = course.ends(at);
        let mut goes_on = true;
        for (index, took) in course.steps(at, answers.unwrap_or(ended)).into_iter().enumerate() {
            let is_over = answers.is_some() || ends.get(index).is_some_and(Option::is_some);
            if goes_on {
                self.steps[index].add(is_over.then_some(took), took);
            }
            goes_on &= is_over;
        }
        for (led, tally) in course.led.iter().zip(&mut self.led) {
            tally.add(led.map(|led| led.since(at)), ended.since(at));
        }
    }

    /// Adds others.
    fn merge(&mut self, other: &FailoverTally) {
        let pairs = |one: &mut [Restorations], other: &[Restorations]| {
            one.iter_mut().zip(other).for_each(|(one, other)| one.merge(other));
        };
        pairs(&mut self.steps, &other.steps);
        pairs(&mut self.led, &other.led);
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

    #[test]
    fn what_is_not_restored_has_lasted_at_least_so_long() {
        let secs = Span::from_secs;
        let mut all = Restorations::default();
        [10.0, 30.0, 0.0].iter().for_each(|took| all.add(Some(secs(*took)), secs(100.0)));
        assert_eq!((all.longest(), all.range()), (secs(30.0), Some((secs(0.0), secs(30.0)))));
        all.add(None, secs(5.0));
        assert_eq!((all.count(), all.unseen(), all.longest()), (4, 1, secs(30.0)));
        let mut other = Restorations { unknown: 2, ..Restorations::default() };
        other.add(None, secs(50.0));
        all.merge(&other);
        assert_eq!((all.count(), all.unseen(), all.longest()), (7, 4, secs(50.0)));
        assert_eq!(all.range(), Some((secs(0.0), secs(30.0))));
    }

    #[test]
    fn a_fail_over_that_nobody_noticed_has_come_to_no_second_step() {
        let at = |secs: u64| Instant(secs * 1_000_000_000);
        let course = FailoverCourse::new(0, true, 1.0);
        let mut tally = FailoverTally::default();
        tally.add(&course, at(100), None, at(700));
        assert_eq!((tally.steps[0].unseen(), tally.steps[1].count()), (1, 0));
        assert_eq!(tally.led[0].unseen(), 1);
        // Over by the return of the region, it was detection all the time.
        let mut tally = FailoverTally::default();
        tally.add(&course, at(100), Some(at(400)), at(700));
        assert_eq!(tally.steps[0].longest(), Span::from_secs(300.0));
        assert_eq!((tally.steps[4].count(), tally.steps[4].longest()), (1, Span::ZERO));
    }
}
