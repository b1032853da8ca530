//! Admission control: who finds that what it lets through fails lets less of it through.
//!
//! ```text
//! request ─► turned away with probability p ─ else ─► admitted ─► good, or not ─► window
//!                                         ▲                                          │
//!            min(most, ((n − good/success)/(n + 1))^(1/aggression)) ◄────────────────┘
//! ```
//!
//! n requests were answered in the window, `good` of them with a status below 500. What is turned
//! away is in neither count, so that p goes back to nothing when what is admitted succeeds.
//!
//! Sources: Envoy's documentation of the admission control filter, `admission_control.proto` (the
//! formula and the defaults), `admission_control.cc` and `thread_local_controller.cc` (what is
//! counted, and a window of steps of a second that begin with a request).
//!
//! Assumed: one window for each user of this, where Envoy has one for each of its worker threads.

use std::collections::VecDeque;

use crate::units::{Instant, Rate, SECOND, Share, Span};

/// When how much is turned away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdmissionSpec {
    /// How long an answer counts; at least a second.
    pub window: Span,
    /// Nothing is turned away as long as this share of the answers is good; above zero.
    pub success: Share,
    /// How soon much is turned away below that; at least 1, which is in proportion.
    pub aggression: f64,
    /// Nothing is turned away while fewer are answered a second, over the window.
    pub least: Rate,
    /// The most that is ever turned away.
    pub most: Share,
}

impl Default for AdmissionSpec {
    /// Envoy's own.
    fn default() -> Self {
        AdmissionSpec {
            window: Span::from_secs(30.0),
            success: Share(0.95),
            aggression: 1.0,
            least: Rate(0.0),
            most: Share(0.8),
        }
    }
}

/// What was answered from a moment on, for a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AnsweredSecond {
    since: Instant,
    answered: u64,
    good: u64,
}

/// The answers of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct AdmissionWindow {
    spec: AdmissionSpec,
    steps: VecDeque<AnsweredSecond>,
    answered: u64,
    good: u64,
}

impl AdmissionWindow {
    /// Nothing was answered yet.
    pub fn new(spec: AdmissionSpec) -> Self {
        assert!(spec.window.0 >= SECOND, "a window of {} is shorter than a step", spec.window);
        assert!(spec.success > Share::ZERO && spec.aggression >= 1.0, "{spec:?}");
        AdmissionWindow { spec, steps: VecDeque::new(), answered: 0, good: 0 }
    }

    /// Forgets what is older than the window.
    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.steps.front()
            && now.since(oldest.since) >= self.spec.window
        {
            self.answered -= oldest.answered;
            self.good -= oldest.good;
            self.steps.pop_front();
        }
        debug_assert!(self.good <= self.answered, "more answers are good than there are");
    }

    /// An answer comes, good or not.
    pub fn note(&mut self, now: Instant, good: bool) {
        self.forget(now);
        let current = self.steps.back().filter(|step| now.since(step.since).0 < SECOND);
        if current.is_none() {
            self.steps.push_back(AnsweredSecond { since: now, answered: 0, good: 0 });
        }
        let step = self.steps.back_mut().expect("there is one of this second");
        step.answered += 1;
        step.good += u64::from(good);
        self.answered += 1;
        self.good += u64::from(good);
    }

    /// With which probability a request is turned away that comes now.
    pub fn rejection(&mut self, now: Instant) -> f64 {
        self.forget(now);
        let AdmissionSpec { window, success, aggression, least, most } = self.spec;
        let answered = self.answered as f64;
        let excess = answered - self.good as f64 / success.0;
        // Envoy cuts the rate to a whole number.
        let rate = (answered / window.as_secs()).floor();
        if excess <= 0.0 || rate < least.0 {
            return 0.0;
        }
        let probability = (excess / (answered + 1.0)).powf(1.0 / aggression).min(most.0);
        debug_assert!((0.0..1.0).contains(&probability), "{self:?} gives {probability}");
        probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: f64) -> Instant {
        Instant::from_secs(seconds)
    }

    /// So many answers of each second from 0 on, of which so many are good.
    fn after(spec: AdmissionSpec, seconds: u32, each: u64, good: u64) -> AdmissionWindow {
        let mut admission = AdmissionWindow::new(spec);
        for second in 0..seconds {
            let now = at(f64::from(second));
            (0..each).for_each(|number| admission.note(now, number < good));
        }
        admission
    }

    #[test]
    fn the_probability_is_that_of_the_documentation() {
        let spec = AdmissionSpec::default();
        let given = |spec, good| after(spec, 30, 100, good).rejection(at(29.5));
        // n = 3000: (3000 − good/0.95)/3001.
        assert_eq!(given(spec, 95), 0.0);
        assert!((given(spec, 50) - (3_000.0 - 1_500.0 / 0.95) / 3_001.0).abs() < 1e-12);
        assert_eq!(given(spec, 0), 0.8, "never more than the most");
        let all = AdmissionSpec { most: Share::ONE, ..spec };
        assert!((given(all, 0) - 3_000.0 / 3_001.0).abs() < 1e-12);
        let squared = AdmissionSpec { aggression: 2.0, ..spec };
        let linear = given(spec, 80);
        assert!((given(squared, 80) - linear.sqrt()).abs() < 1e-12, "{linear}");
        // 100 a second are not fewer than 100, but than 101.
        assert!(given(AdmissionSpec { least: Rate(100.0), ..spec }, 50) > 0.4);
        assert_eq!(given(AdmissionSpec { least: Rate(101.0), ..spec }, 50), 0.0);
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let mut admission = after(AdmissionSpec::default(), 10, 10, 0);
        assert_eq!(AdmissionWindow::new(AdmissionSpec::default()).rejection(at(0.0)), 0.0);
        assert_eq!(admission.rejection(at(29.9)), 0.8);
        // Ten good ones beside those of the last second that counts: (20 − 10/0.95)/21.
        (0..10).for_each(|_| admission.note(at(38.5), true));
        assert!((admission.rejection(at(38.6)) - (20.0 - 10.0 / 0.95) / 21.0).abs() < 1e-12);
        assert_eq!(admission.rejection(at(39.0)), 0.0);
    }

    proptest! {
        #[test]
        fn more_good_answers_never_turn_more_away(
            answers in prop::collection::vec((0.0..5.0_f64, any::<bool>()), 0..200),
            aggression in 1.0..4.0_f64,
        ) {
            let spec = AdmissionSpec { aggression, ..AdmissionSpec::default() };
            let (mut one, mut now) = (AdmissionWindow::new(spec), 0.0);
            let mut better = one.clone();
            for (number, (gap, good)) in answers.into_iter().enumerate() {
                now += gap;
                one.note(at(now), good);
                better.note(at(now), good || number.is_multiple_of(3));
                let (worse, less) = (one.rejection(at(now)), better.rejection(at(now)));
                prop_assert!((0.0..=0.8).contains(&worse) && less <= worse, "{less} and {worse}");
            }
            prop_assert_eq!(one.rejection(at(now + 31.0)), 0.0);
        }
    }
}
