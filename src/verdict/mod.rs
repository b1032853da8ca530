//! Whether objectives are met: a judgement on intervals, not on points.
//!
//! An objective is met or missed only if the whole interval lies on one side of its bound. In all
//! other cases it is undecided, and the reason is given; no data never passes.

mod guard;

use crate::experiment::Experiment;
use crate::experiment::recovery::stability;
use crate::metric::{Statistic, estimator};
use crate::objective::{Bound, Metric, Objective, Relation};
use crate::observe::outcome::WindowOutcome;
use crate::stats::{Estimate, Interval};

/// The judgement on one objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// It holds with the confidence of the intervals.
    Met,
    /// It does not hold, with the same confidence.
    Missed,
    /// The data do not say.
    Undecided(Doubt),
}

/// Why an objective is undecided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// Nothing was measured: no request, no incident.
    NoData,
    /// The run was stopped: replications end before the horizon, or are fewer than asked for.
    Interrupted,
    /// One replication has no interval.
    OneReplication,
    /// The bound lies within the interval.
    Straddles,
    /// This many incidents were not over at the end of the run.
    Unrecovered(u64),
    /// More requests failed, or were never answered, than the percentile leaves out: this share of
    /// them. A percentile is of
    /// the served requests, and would pass because the worst ones are missing from it.
    Failed(f64),
    /// This share of the requests was in flight at the end and would not have been answered soon:
    /// what becomes of them decides.
    Unanswered(f64),
    /// Fewer than ten served requests are expected beyond the percentile.
    FewBeyond,
    /// So many replications do not say whether they came back, and what became of them decides.
    Unclear(u64),
}

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

/// Any missed makes the whole missed, else any undecided makes it undecided.
pub fn overall(judgements: &[Judgement]) -> Overall {
    let undecided = |j: &Judgement| matches!(j.verdict, Verdict::Undecided(_));
    if judgements.is_empty() {
        Overall::NoObjectives
    } else if judgements.iter().any(|judgement| judgement.verdict == Verdict::Missed) {
        Overall::Missed
    } else if judgements.iter().any(undecided) {
        Overall::Undecided
    } else {
        Overall::Met
    }
}

fn judge_one(run: &Experiment, objective: &Objective) -> Judgement {
    let (metric, confidence) = (objective.metric, run.confidence);
    let windows = estimator::windows(&run.outcomes, objective.window);
    let figure = metric.estimate(&run.outcomes, objective.window, confidence);
    let judged = judge(objective, figure.as_deref());
    let mut verdict = match (metric, judged) {
        (Metric::Latency(q), Verdict::Met) => guard::percentile(q, &windows),
        (Metric::MeanLatency, Verdict::Met) => guard::mean(&windows),
        (Metric::Availability, Verdict::Met | Verdict::Missed) => {
            guard::availability(objective, judged, &windows, confidence)
        }
        (Metric::Recovery, _) => judge_recovery(objective, judged, &windows),
        (_, Verdict::Met | Verdict::Missed) if metric.is_of_replications() => {
            judge_share(run, objective, judged)
        }
        _ => judged,
    };
    let has_data = verdict != Verdict::Undecided(Doubt::NoData);
    if (run.interrupted || run.is_partial()) && has_data {
        verdict = Verdict::Undecided(Doubt::Interrupted);
    }
    let margin = figure.map(|figure| margin(objective, figure.point));
    Judgement { objective: objective.clone(), figure, verdict, margin }
}

/// The judgement on a figure.
pub fn judge(objective: &Objective, figure: Option<&Estimate>) -> Verdict {
    let Some(figure) = figure else { return Verdict::Undecided(Doubt::NoData) };
    let Some(Interval { low, high }) = figure.interval else {
        return Verdict::Undecided(Doubt::OneReplication);
    };
    let bound = bound(objective);
    let (met, missed) = match objective.relation {
        Relation::Below => (high < bound, low >= bound),
        Relation::AtMost => (high <= bound, low > bound),
        Relation::Above => (low > bound, high <= bound),
        Relation::AtLeast => (low >= bound, high < bound),
    };
    match (met, missed) {
        (true, _) => Verdict::Met,
        (_, true) => Verdict::Missed,
        _ => Verdict::Undecided(Doubt::Straddles),
    }
}

/// What a judgement on recovery is worth. While incidents are not over the figure is a lower bound:
/// it can miss the objective, and meets none.
fn judge_recovery(objective: &Objective, judged: Verdict, windows: &[&WindowOutcome]) -> Verdict {
    let unrecovered = windows.iter().map(|window| window.incidents.unrecovered).sum();
    let upper = matches!(objective.relation, Relation::Below | Relation::AtMost);
    match judged {
        _ if unrecovered == 0 => judged,
        Verdict::Missed if upper => judged,
        Verdict::Undecided(Doubt::OneReplication) => judged,
        _ => Verdict::Undecided(Doubt::Unrecovered(unrecovered)),
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
    match stands(true) && stands(false) {
        true => judged,
        false => Verdict::Undecided(Doubt::Unclear(stability::unclear(&run.outcomes))),
    }
}

/// The bound in the unit of the figure: seconds, or a share.
pub fn bound(objective: &Objective) -> f64 {
    match objective.bound {
        Bound::Span(span) => span.as_secs(),
        Bound::Share(share) => share.0,
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
