//! Whether replications came back from what troubled them, as estimates, and what held those that
//! did not.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::metric::estimator::Proportion;
use crate::metric::{Dimension, Metric, Statistic};
use crate::observe::outcome::Outcome;
use crate::observe::recovery::{RunRecovery, Stability, Unclear};
use crate::observe::time_series::IntervalStats;
use crate::stats::{Confidence, Estimate};

/// What is this many times as much as before is elevated, if it is enough to matter.
const ELEVATED: f64 = 1.2;

/// What became of the replications after their triggers. Probabilities are over those that had a
/// trigger and say what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StabilitySummary {
    /// The share that recovered.
    pub recovered: Proportion,
    /// The share that did neither.
    pub degraded: Proportion,
    /// The share that is stuck.
    pub stuck: Proportion,
    /// Replications without a trigger.
    pub untroubled: u64,
    /// Replications that do not say, by reason.
    #[serde(serialize_with = "by_reason")]
    pub unclear: Vec<(Unclear, u64)>,
    /// From the end of the trigger until all was as before, of those that recovered.
    #[serde(rename = "recovered_after_s")]
    pub recovered_after: Option<Statistic>,
    /// Goodput before the trigger, of those that say.
    pub goodput_before: Option<Statistic>,
    /// Goodput in the last part.
    pub goodput_last: Option<Statistic>,
    /// What is elevated in the last part of those that did not recover, the most first.
    pub sustaining_loops: Vec<Feedback>,
}

/// A loop by which a system can hold itself down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// Attempts per request.
    Retries,
    /// Answers that nobody waited for, over all answers.
    WastedWork,
    /// What was not in a cache, over all look-ups.
    CacheMisses,
    /// Restarts by probes or for lack of memory, per minute.
    Restarts,
}

/// A loop at work: its measure before the trigger and in the last part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Feedback {
    /// Which loop.
    #[serde(rename = "what")]
    pub of: Loop,
    /// Before.
    pub before: Statistic,
    /// In the last part.
    pub last: Statistic,
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

    /// What its measure is.
    fn dimension(self) -> Dimension {
        match self {
            Loop::Retries => Dimension::Factor,
            Loop::WastedWork | Loop::CacheMisses => Dimension::Share,
            Loop::Restarts => Dimension::Count,
        }
    }

    /// Its measure as a ratio.
    fn pair(self, interval: &IntervalStats) -> (f64, f64) {
        let (part, whole) = match self {
            Loop::Retries => (interval.sent + interval.again, interval.sent),
            Loop::WastedWork => (interval.wasted, interval.wasted + interval.answered),
            Loop::CacheMisses => (interval.misses, interval.misses + interval.hits),
            Loop::Restarts => {
                return (interval.restarts as f64, interval.length.as_secs() / 60.0);
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

/// What the replications say.
pub(crate) fn summarize(outcomes: &[Outcome], confidence: Confidence) -> StabilitySummary {
    let all: Vec<&RunRecovery> = outcomes.iter().map(|outcome| &outcome.recovery).collect();
    let says =
        |one: &RunRecovery| !matches!(one.stability, Stability::Untroubled | Stability::Unclear(_));
    let said: Vec<&RunRecovery> = all.iter().copied().filter(|one| says(one)).collect();
    let after = |one: &&RunRecovery| match one.stability {
        Stability::Recovered { after } => Some(after.as_secs()),
        _ => None,
    };
    let recovered: Vec<f64> = said.iter().filter_map(after).collect();
    let held: Vec<&RunRecovery> = said.iter().copied().filter(|one| after(one).is_none()).collect();
    let goodput = |of: fn(&RunRecovery) -> &IntervalStats| {
        let pair = |one: &IntervalStats| (one.answered as f64, one.admissible() as f64);
        Statistic::share(&said, |one| pair(of(one)), confidence)
    };
    let share = |of: Metric| of.of_replications(outcomes, None, confidence);
    let number = |of: Stability| all.iter().filter(|one| one.stability == of).count() as u64;
    StabilitySummary {
        recovered: share(Metric::Recovered),
        degraded: share(Metric::Degraded),
        stuck: share(Metric::Stuck),
        untroubled: number(Stability::Untroubled),
        unclear: unclear(outcomes),
        recovered_after: Statistic::mean(Dimension::Time, &recovered, confidence),
        goodput_before: goodput(|one| &one.before),
        goodput_last: goodput(|one| &one.last),
        sustaining_loops: sustaining_loops(&held, confidence),
    }
}

/// How many replications do not say whether they came back, by reason.
pub fn unclear(outcomes: &[Outcome]) -> Vec<(Unclear, u64)> {
    let count = |why: Unclear| {
        let because = |one: &&Outcome| one.recovery.stability == Stability::Unclear(why);
        outcomes.iter().filter(because).count() as u64
    };
    let reasons = Unclear::ALL.map(|why| (why, count(why)));
    reasons.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The loops that are elevated in the last parts.
fn sustaining_loops(held: &[&RunRecovery], confidence: Confidence) -> Vec<Feedback> {
    let feedback = |of: Loop| {
        let measure = |interval: fn(&RunRecovery) -> &IntervalStats| {
            Statistic::ratio(of.dimension(), held, |one| of.pair(interval(one)), confidence)
        };
        let last = measure(|one| &one.last)?;
        // Nothing answered or looked up before is nothing wasted and nothing missed.
        let nothing = Statistic::new(of.dimension(), Estimate::alone(0.0, held.len()));
        let before = measure(|one| &one.before).unwrap_or(nothing);
        let grown = last.point - before.point >= of.least();
        (grown && last.point >= ELEVATED * before.point).then_some(Feedback { of, before, last })
    };
    let mut found: Vec<Feedback> = Loop::ALL.into_iter().filter_map(feedback).collect();
    found.sort_by(|a, b| b.factor().total_cmp(&a.factor()));
    found
}

fn by_reason<S: Serializer>(unclear: &[(Unclear, u64)], to: S) -> Result<S::Ok, S::Error> {
    let key = |why: Unclear| match why {
        Unclear::NothingBefore => "nothing_before",
        Unclear::AbnormalBefore => "abnormal_before",
        Unclear::TriggerLasts => "trigger_lasts",
        Unclear::TooShort => "too_short",
    };
    let all: BTreeMap<_, _> = unclear.iter().map(|(why, count)| (key(*why), count)).collect();
    all.serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::with_clients;
    use crate::units::Span;

    /// The sample with these findings, one for each replication.
    fn with(found: [Stability; 5]) -> Vec<Outcome> {
        let mut outcomes = with_clients::experiment().outcomes;
        for (outcome, stability) in outcomes.iter_mut().zip(found) {
            outcome.recovery.stability = stability;
        }
        outcomes
    }

    fn stuck(outcomes: &[Outcome], unclear: Option<bool>) -> Proportion {
        Metric::Stuck.of_replications(outcomes, unclear, Confidence::USUAL)
    }

    const BACK: Stability = Stability::Recovered { after: Span(2_000_000_000) };

    #[test]
    fn shares_are_of_those_that_say() {
        let short = Stability::Unclear(Unclear::TooShort);
        let found = with([BACK, Stability::Stuck, Stability::Untroubled, short, BACK]);
        let summary = summarize(&found, Confidence::USUAL);
        let counts = |share: Proportion| (share.count, share.of);
        assert_eq!(counts(summary.recovered), (2, 3));
        assert_eq!((counts(summary.stuck), counts(summary.degraded)), ((1, 3), (0, 3)));
        assert_eq!((summary.untroubled, summary.unclear), (1, vec![(Unclear::TooShort, 1)]));
        assert_eq!(summary.recovered_after.unwrap().point, 2.0);
        let interval = summary.stuck.estimate.unwrap().interval.unwrap();
        assert_eq!(interval, crate::stats::proportion::clopper_pearson(1, 3, Confidence::USUAL));
        assert_eq!(counts(stuck(&found, Some(true))), (2, 4));
        assert_eq!(counts(stuck(&found, Some(false))), (1, 4));
    }

    #[test]
    fn what_is_elevated_in_those_that_did_not_recover_holds_them() {
        // In the sample, two of the five replications are stuck.
        let summary = summarize(&with_clients::experiment().outcomes, Confidence::USUAL);
        let loops: Vec<Loop> =
            summary.sustaining_loops.iter().map(|feedback| feedback.of).collect();
        assert_eq!(loops, [Loop::WastedWork, Loop::Retries]);
        let retries = summary.sustaining_loops[1];
        assert_eq!((retries.before.point, retries.last.point), (1.0, 1.9));
        assert!(summary.sustaining_loops[0].factor().is_infinite());
        assert!(summarize(&with([BACK; 5]), Confidence::USUAL).sustaining_loops.is_empty());
    }

    #[test]
    fn one_replication_has_no_interval_and_none_says_nothing() {
        let found = with([Stability::Stuck; 5]);
        assert_eq!(
            stuck(&found[..1], None).estimate,
            Some(Statistic::new(Dimension::Share, Estimate::alone(1.0, 1)))
        );
        let quiet = with([Stability::Untroubled; 5]);
        assert_eq!(stuck(&quiet, None), Proportion::default());
        let summary = summarize(&quiet, Confidence::USUAL);
        assert_eq!((summary.untroubled, summary.goodput_last), (5, None));
    }
}
