//! Whether a system comes back once what troubled it is gone.
//!
//! ```text
//!  warm-up │ before │ 10 s │ trigger │      after       │ last part     │ D │ end
//!          │ normal │      │         │ back in a window │ stuck?        │   │
//! ```
//!
//! The **trigger** lasts from the first injection of a fault, or the first increase of the rate,
//! after warm-up until every fault is over, its capacity is restored and the rate is back for good.
//! **Before** it, but for its last 10 s, whose requests may meet the trigger, is what counts as
//! normal. **D** is the longest that a request of that time took to its outcome: what is sent later
//! than D before the end is left out, and what is sent earlier and has no outcome is not answered.
//!
//! A window of 10 s, or of so long as it takes for 100 requests to come before, is **good** if its
//! goodput (requests answered, at whatever attempt, over requests sent) is at most a point below
//! normal, and three standard errors of the difference between so many requests, and the mean
//! latency at most twice the normal one. **Recovered** is a run from the first good window after
//! the trigger from which on at least 19 of 20 windows are good, if the last part, a fifth of
//! the time after the trigger and at least a window, is good as a whole. It is **stuck** if in the
//! last part the goodput is below half of the normal one, and **degraded** if neither. With
//! less than two windows after the trigger, or 20 s before it, nothing is said; nor if before it
//! less than nine of ten requests were answered: such a gateway has nothing to come back to.
//!
//! Assumed: what is normal stays so, apart from the rate, whose rises count and whose falls do not;
//! bursts and recorded traffic count as normal.

use crate::experiment::recovery::load_increase::load_increase;
use crate::observe::incident::Incident;
use crate::observe::outcome::Outcome;
use crate::observe::recovery::{RunRecovery, Stability, Trigger, Unclear};
use crate::observe::time_series::{IntervalStats, TimeSeries, total};
use crate::plan::Plan;
use crate::units::{Instant, SECOND, Span};

/// What is judged together if enough requests come in it.
const WINDOW: Span = Span(10 * SECOND);
/// Requests that are enough.
const ENOUGH: u64 = 100;
/// How much goodput may lie below normal.
const MARGIN: f64 = 0.01;
/// Standard errors by which it may lie below that.
const ERRORS: f64 = 3.0;
/// How much the mean latency may grow.
const SLOWER: f64 = 2.0;
/// One bad window in so many may follow a recovery.
const ONE_BAD_IN: usize = 20;
/// Below this share of the normal goodput a system is stuck.
const STUCK: f64 = 0.5;
/// Below this share of requests that get an answer nothing is normal.
const WORKS: f64 = 0.9;
/// The last part is one in so many of the time after the trigger.
const LAST_PART: usize = 5;

/// The trigger of a run that ended at `ended`: its faults after `warm_up`, and the increase of its
/// rate.
fn trigger(
    warm_up: Instant,
    increase: Option<(Instant, Instant)>,
    (incidents, all_listed): (&[Incident], bool),
    ended: Instant,
) -> Option<Trigger> {
    let late = incidents.iter().filter(|one| one.restored.is_none_or(|over| over > warm_up));
    let faults = late.map(|one| (one.at.max(warm_up), one.restored));
    let increase = increase.map(|(from, to)| (from, Some(to)));
    let all: Vec<Trigger> = faults.chain(increase).filter(|(from, _)| *from < ended).collect();
    let from = all.iter().map(|(from, _)| *from).min()?;
    let over = all.iter().map(|(_, to)| to.filter(|to| *to < ended)).collect::<Option<Vec<_>>>();
    Some((from, over.filter(|_| all_listed).and_then(|over| over.into_iter().max())))
}

/// Judges the run of a plan by its outcome and its time series, which can be left out unless the
/// plan [`may_be_troubled`].
pub(crate) fn recovery(plan: &Plan, outcome: &Outcome, series: Option<&TimeSeries>) -> RunRecovery {
    let incidents = (&outcome.incidents[..], outcome.incidents_unlisted == 0);
    let (warm_up, ended) = (plan.run.warm_up, outcome.ended);
    judge(series, warm_up, trigger(warm_up, load_increase(plan), incidents, ended), ended)
}

/// Whether anything in a plan can be a trigger.
pub(crate) fn may_be_troubled(plan: &Plan) -> bool {
    !plan.faults.is_empty() || load_increase(plan).is_some()
}

fn judge(
    series: Option<&TimeSeries>,
    warm_up: Instant,
    trigger: Option<Trigger>,
    ended: Instant,
) -> RunRecovery {
    let mut judged = RunRecovery {
        stability: Stability::Untroubled,
        trigger,
        before: IntervalStats::default(),
        last: IntervalStats::default(),
    };
    if let Some(((from, to), series)) = trigger.zip(series) {
        let earlier = |instant: Instant, span: Span| Instant(instant.0.saturating_sub(span.0));
        judged.before = total(series.between(warm_up, earlier(from, WINDOW)));
        let end = earlier(ended, judged.before.slowest);
        let after = to.map(|to| series.between(to, end));
        let window = per_window(&judged.before, series.interval());
        let last = after.map(|after| &after[after.len() - last_intervals(after.len(), window)..]);
        judged.last = last.map(total).unwrap_or_default();
        judged.stability = stability(&judged, after, (window, series.interval()));
    }
    judged
}

/// Intervals in the last part.
fn last_intervals(after: usize, window: usize) -> usize {
    after.div_ceil(LAST_PART).max(window).min(after)
}

/// Intervals of a window.
fn per_window(before: &IntervalStats, interval: Span) -> usize {
    let intervals = before.length.0 / interval.0;
    let enough = (ENOUGH * intervals).div_ceil(before.sent.max(1));
    WINDOW.0.div_ceil(interval.0).max(enough) as usize
}

fn stability(
    judged: &RunRecovery,
    after: Option<&[IntervalStats]>,
    (window, interval): (usize, Span),
) -> Stability {
    let RunRecovery { before, last, .. } = judged;
    let goodput = before.goodput().filter(|goodput| *goodput > 0.0 && before.length >= WINDOW);
    let Some(normal) = goodput else { return Stability::Unclear(Unclear::NothingBefore) };
    if normal < WORKS {
        return Stability::Unclear(Unclear::AbnormalBefore);
    }
    let Some(after) = after else { return Stability::Unclear(Unclear::TriggerLasts) };
    let enough = after.len() >= 2 * window;
    let Some(now) = last.goodput().filter(|_| enough) else {
        return Stability::Unclear(Unclear::TooShort);
    };
    match back(before, after, window) {
        Some(intervals) if is_good(last, before) => {
            Stability::Recovered { after: interval * intervals as u64 }
        }
        _ if now < STUCK * normal => Stability::Stuck,
        _ => Stability::Degraded,
    }
}

/// Intervals from the end of the trigger to the first good window after which almost all are good.
fn back(before: &IntervalStats, after: &[IntervalStats], window: usize) -> Option<usize> {
    let windows = after.windows(window).map(total).enumerate();
    let sent = windows.filter(|(_, window)| window.admissible() > 0);
    let good: Vec<(usize, bool)> =
        sent.map(|(at, window)| (at, is_good(&window, before))).collect();
    let (mut bad, mut first) = (0, None);
    for (later, (at, good)) in good.iter().rev().enumerate() {
        bad += usize::from(!good);
        if *good && bad * ONE_BAD_IN <= later + 1 {
            first = Some(*at);
        }
    }
    first
}

/// Whether an interval is as what was normal `before`.
fn is_good(interval: &IntervalStats, before: &IntervalStats) -> bool {
    let Some(normal) = before.goodput() else { return false };
    // As if two more requests had failed and two more had not (Agresti and Coull, The American
    // Statistician 52, 1998): even a goodput of one has an error.
    let share = (before.answered + 2) as f64 / (before.admissible() + 4) as f64;
    let of = |one: &IntervalStats| 1.0 / one.admissible().max(1) as f64;
    let requests = of(interval) + of(before);
    let error = (share * (1.0 - share) * requests).sqrt();
    let least = normal - MARGIN - ERRORS * error;
    let fast = match (interval.mean_latency(), before.mean_latency()) {
        (Some(now), Some(normal)) => now <= SLOWER * normal,
        _ => false,
    };
    fast && interval.goodput().is_some_and(|goodput| goodput >= least)
}

#[cfg(test)]
#[path = "after_trigger_tests.rs"]
mod tests;
