//! Whether objectives are met: a judgement on intervals, not on points.
//!
//! An objective is met or missed only if the whole interval lies on one side of its bound. In all
//! other cases it is undecided, and the reason is given; no data never passes. Every command judges
//! by this one rule.
//!
//! `judgement.rs` has what a verdict is and how an interval is held against a bound. A figure can
//! look good because requests that nobody answered are missing from it: `guard.rs` says what a
//! judgement is worth then. [`judge_all`] takes an experiment and its objectives and gives a
//! [`Judgement`] for each, which reports tell and exit codes follow. [`disruptions()`] judges
//! recovery times and points fault by fault.
//!
//! It owns the rule, and may ask the experiment for its outcomes and `metric` for estimates; it
//! makes no estimate of its own. Begin with [`judge_all`].

mod disruptions;
mod guard;
mod judgement;

use crate::experiment::Experiment;
use crate::experiment::recovery::stability;
use crate::metric::percentile::Among;
use crate::metric::{Restored, Statistic, estimator, incidents};
use crate::objective::{Metric, Objective, Relation};
use crate::observe::outcome::WindowOutcome;
pub use disruptions::{DisruptionRow, TestedDisruption, disruptions};
pub use judgement::{Doubt, FewStrikes, Verdict, bound, judge, judge_budget};

/// An objective with what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// What was demanded.
    pub objective: Objective,
    /// What was measured.
    pub figure: Option<Statistic>,
    /// Whether it holds.
    pub verdict: Verdict,
    /// How far the point lies on the right side of the bound; negative = on the wrong side.
    pub margin: Option<f64>,
    /// Of a latency: the share of the requests that failed or were never answered.
    pub without_latency: Option<f64>,
    /// Of a latency of all that were sent: the share of the requests that were rejected, of which
    /// it is not.
    pub rejected: Option<f64>,
    /// Of a recovery: incidents that were not over at the end of the run, or of their window. While
    /// there are any the figure is a lower bound.
    pub not_over: u64,
}

/// The judgement on all objectives of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    /// The scenario demands nothing.
    NoObjectives,
    /// All are met.
    Met,
    /// At least one is missed.
    Missed,
    /// None is missed, and at least one is undecided.
    Undecided,
}

/// Judges every objective of a scenario.
pub fn judge_all(run: &Experiment, objectives: &[Objective]) -> Vec<Judgement> {
    objectives.iter().map(|objective| judge_one(run, objective)).collect()
}

/// The judgement on all objectives.
pub fn overall(judgements: &[Judgement]) -> Overall {
    overall_of(judgements.iter().map(|judgement| judgement.verdict))
}

/// Any missed makes the whole missed, else any undecided makes it undecided.
pub fn overall_of(verdicts: impl Iterator<Item = Verdict>) -> Overall {
    verdicts.fold(Overall::NoObjectives, |so_far, verdict| match (so_far, verdict) {
        (Overall::Missed, _) | (_, Verdict::Missed) => Overall::Missed,
        (Overall::Undecided, _) | (_, Verdict::Undecided(_)) => Overall::Undecided,
        _ => Overall::Met,
    })
}

fn judge_one(run: &Experiment, objective: &Objective) -> Judgement {
    let (metric, confidence) = (objective.metric, run.confidence);
    let windows = estimator::windows(&run.outcomes, objective.window);
    let figure = metric.estimate(&run.outcomes, objective.window, confidence);
    let judged = judge(objective, figure.as_deref());
    let mut verdict = match (metric, judged) {
        (Metric::SentLatency(q), Verdict::Met) => {
            guard::percentile(objective, (q, Among::Sent), &windows, confidence)
        }
        (Metric::Latency(q), Verdict::Met) => {
            guard::percentile(objective, (q, Among::Served), &windows, confidence)
        }
        (Metric::MeanLatency | Metric::Greatest(Among::Served), Verdict::Met) => {
            guard::answered(&windows)
        }
        (Metric::Availability, Verdict::Met | Verdict::Missed) => {
            guard::availability(objective, judged, &windows, confidence)
        }
        (Metric::Recovery(restored), _) => judge_recovery(objective, judged, restored, &windows),
        (Metric::RecoveryWithin(restored, q), _) => {
            judge_within(run, judged, (restored, q), &windows)
        }
        _ if metric.is_of_replications() => judge_share(run, objective, judged),
        _ => judged,
    };
    if matches!(verdict, Verdict::Undecided(Doubt::Straddles | Doubt::NoData)) {
        verdict = guard::few_strikes(objective, verdict, &run.outcomes, confidence);
    }
    let has_data = judged != Verdict::Undecided(Doubt::NoData);
    if (run.interrupted || run.is_partial()) && has_data {
        verdict = Verdict::Undecided(Doubt::Interrupted);
    }
    let margin = figure.map(|figure| margin(objective, figure.point));
    let has_latency = metric.is_latency() || matches!(metric, Metric::Greatest(_));
    let without_latency = has_latency.then(|| guard::without_latency(&windows));
    let of_sent = matches!(metric, Metric::SentLatency(_) | Metric::Greatest(Among::Sent));
    let rejected = of_sent.then(|| guard::rejected(&windows));
    let not_over = match metric {
        Metric::Recovery(restored) => unseen(restored, &windows),
        _ => 0,
    };
    let objective = objective.clone();
    Judgement { objective, figure, verdict, margin, without_latency, rejected, not_over }
}

/// What a judgement on recovery is worth. While incidents are not over the figure is a lower bound:
/// it can miss the objective, and meets none.
fn judge_recovery(
    objective: &Objective,
    judged: Verdict,
    restored: Restored,
    windows: &[&WindowOutcome],
) -> Verdict {
    let unrecovered = unseen(restored, windows);
    let upper = matches!(objective.relation, Relation::Below | Relation::AtMost);
    match judged {
        _ if abnormal(restored, windows) > 0 => abnormal_before(restored, windows),
        _ if unrecovered == 0 => judged,
        Verdict::Missed if upper => judged,
        Verdict::Undecided(Doubt::OneReplication) => judged,
        _ => Verdict::Undecided(Doubt::Unrecovered(unrecovered)),
    }
}

/// Incidents that were not over when they were seen for the last time.
fn unseen(restored: Restored, windows: &[&WindowOutcome]) -> u64 {
    windows.iter().map(|window| restored.of(window).unseen()).sum()
}

/// Incidents before which the gateway did not serve as one that works: nobody knows how long it
/// took until it did so again.
fn abnormal(restored: Restored, windows: &[&WindowOutcome]) -> u64 {
    match restored {
        Restored::Service | Restored::Answers => {
            windows.iter().map(|window| window.incidents.abnormal).sum()
        }
        Restored::Redundancy | Restored::Clients(_) | Restored::Step(_) => 0,
    }
}

fn abnormal_before(restored: Restored, windows: &[&WindowOutcome]) -> Verdict {
    Verdict::Undecided(Doubt::AbnormalBefore(abnormal(restored, windows)))
}

/// What a judgement on a percentile over incidents is worth.
fn judge_within(
    run: &Experiment,
    judged: Verdict,
    (restored, q): (Restored, f64),
    windows: &[&WindowOutcome],
) -> Verdict {
    let each = windows.iter().map(|window| restored.of(window));
    let (count, unseen) = each.fold((0, 0), |sum, one| (sum.0 + one.count(), sum.1 + one.unseen()));
    let needed = incidents::needed(q, run.confidence);
    match judged {
        _ if abnormal(restored, windows) > 0 => abnormal_before(restored, windows),
        Verdict::Undecided(Doubt::Straddles) if count < needed => {
            Verdict::Undecided(Doubt::FewIncidents(count, needed))
        }
        Verdict::Undecided(Doubt::Straddles) if unseen > 0 => {
            Verdict::Undecided(Doubt::Unrecovered(unseen))
        }
        _ => judged,
    }
}

/// A judgement on a share of the replications stands only if it stands whatever became of those
/// that do not say.
fn judge_share(run: &Experiment, objective: &Objective, judged: Verdict) -> Verdict {
    let stands = |as_wanted| {
        let of = |metric: Metric| {
            metric.of_replications(&run.outcomes, Some(as_wanted), run.confidence).estimate
        };
        judge(objective, of(objective.metric).as_deref()) == judged
    };
    let unclear = stability::unclear(&run.outcomes);
    let most = unclear.iter().max_by_key(|(_, count)| *count).map(|(why, _)| *why);
    let count = unclear.iter().map(|(_, count)| count).sum();
    match (judged, most) {
        (Verdict::Met | Verdict::Missed, _) if stands(true) && stands(false) => judged,
        (Verdict::Undecided(Doubt::NoData), None) => Verdict::Undecided(Doubt::Untroubled),
        (Verdict::Undecided(doubt), _) if doubt != Doubt::NoData => judged,
        (_, Some(why)) => Verdict::Undecided(Doubt::Unclear(count, why)),
        (_, None) => judged,
    }
}

fn margin(objective: &Objective, point: f64) -> f64 {
    match objective.relation {
        Relation::Below | Relation::AtMost => bound(objective) - point,
        Relation::Above | Relation::AtLeast => point - bound(objective),
    }
}

#[cfg(test)]
mod tests;
