//! Whether replications came back from what troubled them, as estimates, and what held those that
//! did not.

use super::figures;
use crate::observe::aftermath::{Aftermath, Stability, Unclear};
use crate::observe::course::Stretch;
use crate::observe::outcome::Outcome;
use crate::stats::{self, Confidence, Estimate, proportion};

/// What is this many times as much as before is elevated, if it is enough to matter.
const ELEVATED: f64 = 1.2;

/// What became of the replications after their triggers.
#[derive(Clone, Debug, PartialEq)]
pub struct StabilitySummary {
    /// The share that recovered, of those that had a trigger and say what became of it.
    pub recovered: Share,
    /// The share that did neither.
    pub degraded: Share,
    /// The share that is stuck.
    pub stuck: Share,
    /// Replications without a trigger.
    pub untroubled: u64,
    /// Replications that do not say, by reason.
    pub unclear: Vec<(Unclear, u64)>,
    /// From the end of the trigger until all was as before, of those that recovered, in seconds.
    pub recovered_after: Option<Estimate>,
    /// Goodput before the trigger and in the last stretch, of those that say.
    pub goodput: (Option<Estimate>, Option<Estimate>),
    /// What is elevated in the last stretch of those that did not recover, the most first.
    pub held_by: Vec<Feedback>,
}

/// A number of replications out of those that say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The probability, with the exact interval.
    pub estimate: Option<Estimate>,
}

/// A loop by which a system can hold itself down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// Attempts per request.
    Retries,
    /// Answers that nobody waited for, over all answers.
    WastedWork,
    /// What was not in a cache, over all look-ups.
    CacheMisses,
    /// Restarts by liveness probes per minute.
    Restarts,
}

/// A loop at work: its measure before the trigger and in the last stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feedback {
    /// Which loop.
    pub of: Loop,
    /// Before.
    pub before: Estimate,
    /// In the last stretch.
    pub last: Estimate,
}

impl Feedback {
    /// How many times as much it became; infinite if there was none before.
    pub fn factor(&self) -> f64 {
        self.last.point / self.before.point
    }
}

impl Loop {
    /// All of them.
    pub const ALL: [Loop; 4] = [Loop::Retries, Loop::WastedWork, Loop::CacheMisses, Loop::Restarts];

    /// The word that files use.
    pub fn key(self) -> &'static str {
        match self {
            Loop::Retries => "retries",
            Loop::WastedWork => "wasted_work",
            Loop::CacheMisses => "cache_misses",
            Loop::Restarts => "restarts",
        }
    }

    /// Its measure as a ratio.
    fn pair(self, stretch: &Stretch) -> (f64, f64) {
        let (part, whole) = match self {
            Loop::Retries => (stretch.sent + stretch.again, stretch.sent),
            Loop::WastedWork => (stretch.wasted, stretch.wasted + stretch.answered),
            Loop::CacheMisses => (stretch.misses, stretch.misses + stretch.hits),
            Loop::Restarts => {
                return (stretch.restarts as f64, stretch.length.as_secs() / 60.0);
            }
        };
        (part as f64, whole as f64)
    }

    /// What it must have grown by to matter.
    fn least(self) -> f64 {
        match self {
            Loop::Retries | Loop::Restarts => 0.1,
            Loop::WastedWork | Loop::CacheMisses => 0.05,
        }
    }
}

/// What the replications say; `None` unless something surrounds the replicas.
pub(super) fn summarize(outcomes: &[Outcome], confidence: Confidence) -> Option<StabilitySummary> {
    let all: Vec<&Aftermath> = outcomes.iter().filter_map(|o| o.aftermath.as_ref()).collect();
    if all.is_empty() {
        return None;
    }
    let said: Vec<&Aftermath> = all.iter().copied().filter(|one| says(one.stability)).collect();
    let after = |one: &&Aftermath| match one.stability {
        Stability::Recovered { after } => Some(after.as_secs()),
        _ => None,
    };
    let recovered: Vec<f64> = said.iter().filter_map(after).collect();
    let held: Vec<&Aftermath> = said.iter().copied().filter(|one| after(one).is_none()).collect();
    let goodput = |of: fn(&Aftermath) -> &Stretch| {
        let pair = |one: &&Aftermath| (of(one).answered as f64, of(one).sent as f64);
        figures::ratio_of(&said, pair, confidence).map(|estimate| estimate.within(0.0, 1.0))
    };
    let share = |wanted: fn(Stability) -> bool| share(outcomes, wanted, None, confidence);
    let stabilities: Vec<Stability> = all.iter().map(|one| one.stability).collect();
    let number = |of: Stability| stabilities.iter().filter(|one| **one == of).count() as u64;
    let reasons = [Unclear::NothingBefore, Unclear::TriggerLasts, Unclear::TooShort];
    let unclear = reasons.map(|why| (why, number(Stability::Unclear(why))));
    Some(StabilitySummary {
        recovered: share(is_recovered),
        degraded: share(|stability| stability == Stability::Degraded),
        stuck: share(is_stuck),
        untroubled: number(Stability::Untroubled),
        unclear: unclear.into_iter().filter(|(_, count)| *count > 0).collect(),
        recovered_after: stats::mean(&recovered, confidence)
            .map(|mean| mean.within(0.0, f64::INFINITY)),
        goodput: (goodput(|one| &one.before), goodput(|one| &one.last)),
        held_by: held_by(&held, confidence),
    })
}

/// Whether all was as before.
pub fn is_recovered(stability: Stability) -> bool {
    matches!(stability, Stability::Recovered { .. })
}

/// Whether the system is stuck.
pub fn is_stuck(stability: Stability) -> bool {
    stability == Stability::Stuck
}

fn says(stability: Stability) -> bool {
    !matches!(stability, Stability::Untroubled | Stability::Unclear(_))
}

/// The share of the replications that are `wanted`, of those that say; those that are unclear count
/// as `unclear` says, if it does.
pub fn share(
    outcomes: &[Outcome],
    wanted: impl Fn(Stability) -> bool,
    unclear: Option<bool>,
    confidence: Confidence,
) -> Share {
    let (mut count, mut of) = (0, 0);
    for stability in outcomes.iter().filter_map(|o| o.aftermath.as_ref()).map(|a| a.stability) {
        let hit = match stability {
            Stability::Untroubled => None,
            Stability::Unclear(_) => unclear,
            said => Some(wanted(said)),
        };
        count += u64::from(hit == Some(true));
        of += u64::from(hit.is_some());
    }
    let estimate = (of > 0).then(|| {
        let interval = (of > 1).then(|| proportion::clopper_pearson(count, of, confidence));
        Estimate { point: count as f64 / of as f64, interval, n: of as usize }
    });
    Share { count, of, estimate }
}

/// Replications of which nobody knows whether they came back.
pub fn unclear(outcomes: &[Outcome]) -> u64 {
    let all = outcomes.iter().filter_map(|outcome| outcome.aftermath.as_ref());
    all.filter(|one| matches!(one.stability, Stability::Unclear(_))).count() as u64
}

/// The loops that are elevated in the last stretches.
fn held_by(held: &[&Aftermath], confidence: Confidence) -> Vec<Feedback> {
    let feedback = |of: Loop| {
        let measure = |stretch: fn(&Aftermath) -> &Stretch| {
            figures::ratio_of(held, |one| of.pair(stretch(one)), confidence)
                .map(|estimate| estimate.within(0.0, f64::INFINITY))
        };
        let last = measure(|one| &one.last)?;
        // Nothing answered or looked up before is nothing wasted and nothing missed.
        let before = measure(|one| &one.before).unwrap_or(Estimate::alone(0.0, held.len()));
        let grown = last.point - before.point >= of.least();
        (grown && last.point >= ELEVATED * before.point).then_some(Feedback { of, before, last })
    };
    let mut found: Vec<Feedback> = Loop::ALL.into_iter().filter_map(feedback).collect();
    found.sort_by(|a, b| b.factor().total_cmp(&a.factor()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::surrounded;
    use crate::units::Span;

    /// The sample with these findings, one for each replication.
    fn with(found: [Stability; 5]) -> Vec<Outcome> {
        let mut outcomes = surrounded::experiment().outcomes;
        for (outcome, stability) in outcomes.iter_mut().zip(found) {
            outcome.aftermath.as_mut().unwrap().stability = stability;
        }
        outcomes
    }

    const BACK: Stability = Stability::Recovered { after: Span(2_000_000_000) };

    #[test]
    fn shares_are_of_those_that_say() {
        let short = Stability::Unclear(Unclear::TooShort);
        let found = with([BACK, Stability::Stuck, Stability::Untroubled, short, BACK]);
        let summary = summarize(&found, Confidence::USUAL).unwrap();
        let counts = |share: Share| (share.count, share.of);
        assert_eq!(counts(summary.recovered), (2, 3));
        assert_eq!((counts(summary.stuck), counts(summary.degraded)), ((1, 3), (0, 3)));
        assert_eq!((summary.untroubled, summary.unclear), (1, vec![(Unclear::TooShort, 1)]));
        assert_eq!(summary.recovered_after.unwrap().point, 2.0);
        let interval = summary.stuck.estimate.unwrap().interval.unwrap();
        assert_eq!(interval, proportion::clopper_pearson(1, 3, Confidence::USUAL));
        assert_eq!(counts(share(&found, is_stuck, Some(true), Confidence::USUAL)), (2, 4));
        assert_eq!(counts(share(&found, is_stuck, Some(false), Confidence::USUAL)), (1, 4));
    }

    #[test]
    fn what_is_elevated_in_those_that_did_not_recover_holds_them() {
        // In the sample, two of the five replications are stuck.
        let summary = summarize(&surrounded::experiment().outcomes, Confidence::USUAL).unwrap();
        let loops: Vec<Loop> = summary.held_by.iter().map(|feedback| feedback.of).collect();
        assert_eq!(loops, [Loop::WastedWork, Loop::Retries]);
        let retries = summary.held_by[1];
        assert_eq!((retries.before.point, retries.last.point), (1.0, 1.9));
        assert!(summary.held_by[0].factor().is_infinite());
        assert!(summarize(&with([BACK; 5]), Confidence::USUAL).unwrap().held_by.is_empty());
    }

    #[test]
    fn one_replication_has_no_interval_and_none_says_nothing() {
        let found = with([Stability::Stuck; 5]);
        assert_eq!(
            share(&found[..1], is_stuck, None, Confidence::USUAL).estimate,
            Some(Estimate::alone(1.0, 1))
        );
        let quiet = with([Stability::Untroubled; 5]);
        assert_eq!(share(&quiet, is_stuck, None, Confidence::USUAL), Share::default());
        assert_eq!(
            summarize(&crate::experiment::sample::experiment().outcomes, Confidence::USUAL),
            None
        );
    }
}
