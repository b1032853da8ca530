//! What clients meet from sample to sample, what of that is normal, and when they are hit.

use std::collections::VecDeque;

use crate::units::Instant;

/// Calm samples that say what is normal.
const CALM_SAMPLES: usize = 60;
/// What is beyond so many times the worst of the calm samples is not normal.
const WORSE: u64 = 2;
/// Requests of the usual latency that are added to those that were answered, so that few say
/// little.
const SPARE_ANSWERS: f64 = 10.0;
/// If one in so many requests fails, or is left waiting, nothing is normal.
const ONE_BAD_IN: u64 = 10;

/// What clients met between two samples, and the requests in flight at the second.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::observe) struct Encounter {
    pub answered: u64,
    /// The sum of their latencies in nanoseconds.
    pub latency: u128,
    /// Requests that a policy turned away, which is an answer.
    pub rejected: u64,
    /// Requests that failed; what a policy turns away does not.
    pub failed: u64,
    /// When the last of them did.
    pub failed_until: Instant,
    pub in_flight: u64,
}

/// The last samples without an incident.
#[derive(Clone, Debug, Default)]
pub(in crate::observe) struct Calm {
    recent: VecDeque<Encounter>,
    any_failed: bool,
}

/// What is normal.
#[derive(Clone, Copy, Debug)]
pub(in crate::observe) struct Normal {
    /// The most that were in flight at a sample, and that failed before one.
    in_flight: u64,
    failed: u64,
    /// The most that were answered before a sample.
    answered: u64,
    /// Failures of which there may be so many more, because there were some.
    spare_failed: u64,
    /// The mean latency in nanoseconds, and the greatest mean before a sample.
    mean: f64,
    slowest: f64,
    /// Whether this is a gateway that works.
    works: bool,
}

impl Encounter {
    /// The mean latency, as if some more had had the `usual` one.
    fn latency_with(&self, usual: f64) -> f64 {
        let spare = SPARE_ANSWERS * usual;
        (self.latency as f64 + spare) / (self.answered as f64 + SPARE_ANSWERS)
    }
}

impl Calm {
    /// A calm sample.
    pub fn note(&mut self, met: Encounter) {
        self.any_failed |= met.failed > 0;
        self.recent.push_back(met);
        if self.recent.len() > CALM_SAMPLES {
            self.recent.pop_front();
        }
    }

    /// What is normal by these samples; `None` before the first.
    pub fn normal(&self) -> Option<Normal> {
        let (first, last) = (self.recent.front()?, self.recent.back()?);
        let sum = |of: fn(&Encounter) -> u64| self.recent.iter().map(of).sum::<u64>();
        let most = |of: fn(&Encounter) -> u64| self.recent.iter().map(of).max().unwrap_or(0);
        let (answered, failed) = (sum(|met| met.answered), sum(|met| met.failed));
        // A longer time than any that a request takes, unless too many come.
        let grown = match self.recent.len() {
            CALM_SAMPLES => last.in_flight.saturating_sub(first.in_flight),
            _ => 0,
        };
        let latency: u128 = self.recent.iter().map(|met| met.latency).sum();
        let mean = latency as f64 / answered.max(1) as f64;
        let means = self.recent.iter().map(|met| met.latency_with(mean));
        Some(Normal {
            in_flight: most(|met| met.in_flight),
            failed: most(|met| met.failed),
            answered: most(|met| met.answered),
            spare_failed: u64::from(self.any_failed),
            mean,
            slowest: if answered > 0 { means.fold(mean, f64::max) } else { f64::INFINITY },
            works: (failed + grown) * ONE_BAD_IN <= answered + failed + grown,
        })
    }
}

impl Normal {
    /// Whether it is what a gateway that works shows.
    pub fn works(&self) -> bool {
        self.works
    }

    /// Whether more are in flight than twice as many as at the fullest and what is answered between
    /// two samples: whoever comes waits that long.
    pub fn is_piled_up(&self, met: &Encounter) -> bool {
        met.in_flight > WORSE * self.in_flight + self.answered.max(2)
    }

    fn has_failures(&self, met: &Encounter) -> bool {
        met.failed > WORSE * (self.failed + self.spare_failed)
    }

    fn is_slow(&self, met: &Encounter) -> bool {
        let slow = WORSE as f64 * self.slowest;
        self.is_piled_up(met) || met.answered > 0 && met.latency_with(self.mean) > slow
    }

    /// Until when clients were hit by what they met before the sample of `now`, if they were: if
    /// more requests failed than twice as many as in the worst of the calm samples, if the mean
    /// latency is more than twice that of the slowest, or if more are in flight than twice as many
    /// as at the fullest and what is answered between two samples.
    pub fn hit_until(&self, met: &Encounter, now: Instant) -> Option<Instant> {
        match self.is_slow(met) {
            true => Some(now),
            false => self.has_failures(met).then_some(met.failed_until.min(now)),
        }
    }

    /// Whether nothing is worse than at the worst of the calm samples.
    pub fn is_as_ever(&self, met: &Encounter) -> bool {
        let failed = if self.works { self.failed } else { 0 };
        met.in_flight <= self.in_flight && met.failed <= failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SECOND;

    const NOW: Instant = Instant(9 * SECOND);

    /// A second in which so many were answered, each in so many milliseconds, and so many failed.
    fn second(answered: u64, millis: u64, failed: u64, in_flight: u64) -> Encounter {
        Encounter {
            answered,
            latency: u128::from(answered * millis * 1_000_000),
            rejected: 0,
            failed,
            failed_until: Instant(8 * SECOND),
            in_flight,
        }
    }

    fn after(seconds: impl IntoIterator<Item = Encounter>) -> Normal {
        let mut calm = Calm::default();
        seconds.into_iter().for_each(|met| calm.note(met));
        calm.normal().unwrap()
    }

    #[test]
    fn without_any_failure_before_one_hits() {
        let normal = after(vec![second(100, 10, 0, 3); 5]);
        assert_eq!(normal.hit_until(&second(99, 10, 1, 3), NOW), Some(Instant(8 * SECOND)));
        assert_eq!(normal.hit_until(&second(100, 10, 0, 3), NOW), None);
        // Of one in a while, one more is none.
        let normal = after([vec![second(99, 10, 1, 3)], vec![second(100, 10, 0, 3); 100]].concat());
        let hit = |failed| normal.hit_until(&second(100, 10, failed, 3), NOW).is_some();
        assert_eq!([1, 2, 3].map(hit), [false, false, true]);
    }

    #[test]
    fn twice_the_slowest_or_fullest_calm_second_hits() {
        let normal = after([second(100, 10, 0, 4), second(100, 12, 0, 5), second(100, 8, 0, 2)]);
        // (100 · 12 + 10 · 10) / 110 is 11.8 ms, of 24 and 26 ms it is 22.7 and 24.5.
        let slow = |millis| normal.hit_until(&second(100, millis, 0, 4), NOW);
        assert_eq!([24, 26].map(slow), [None, Some(NOW)]);
        let full = |in_flight| normal.hit_until(&second(100, 10, 0, in_flight), NOW);
        assert_eq!([110, 111].map(full), [None, Some(NOW)]);
        assert!(normal.is_as_ever(&second(100, 99, 0, 5)));
        assert!(!normal.is_as_ever(&second(100, 10, 0, 6)));
    }

    #[test]
    fn one_request_that_takes_long_among_few_is_no_hit() {
        let normal = after(vec![second(1, 10, 0, 0); 60]);
        let hit = |millis| normal.hit_until(&second(1, millis, 0, 0), NOW).is_some();
        assert_eq!([60, 150].map(hit), [false, true]);
    }

    #[test]
    fn a_gateway_that_fails_every_tenth_or_falls_behind_does_not_work() {
        assert!(after([second(900, 10, 100, 5)]).works());
        assert!(!after([second(899, 10, 101, 5)]).works());
        assert!(!after([second(0, 0, 5, 0)]).works());
        let grows = |by: u64| after((0..60).map(move |n| second(100, 10, 0, n * by)));
        assert!(grows(11).works() && !grows(12).works());
        // In its first seconds a gateway fills.
        assert!(after((0..59).map(|n| second(100, 10, 0, n * 50))).works());
        assert!(Calm::default().normal().is_none());
    }
}
