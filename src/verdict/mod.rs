//! Whether objectives are met: a judgement on intervals, not on points.
//!
//! An objective is met or missed only if the whole interval lies on one side of its bound. In all
//! other cases it is undecided, and the reason is given; no data never passes.

mod guard;

use crate::experiment::Experiment;
use crate::experiment::figures::{self, Recovery, Unanswered};
use crate::experiment::stability;
use crate::objective::{Bound, Metric, Objective, Relation};
use crate::observe::aftermath::Stability;
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
    /// What was measured: seconds, or a share for availability.
    pub figure: Option<Estimate>,
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
    let windows = || figures::windows(&run.outcomes, objective.window);
    let confidence = run.confidence;
    let (figure, mut verdict) = match objective.metric {
        Metric::Latency(q) => plain(objective, figures::percentile(&windows(), q, confidence)),
        Metric::MeanLatency => plain(objective, figures::mean_latency(&windows(), confidence)),
        Metric::Availability => {
            plain(objective, figures::availability(&windows(), Unanswered::LeftOut, confidence))
        }
        Metric::Recovery => {
            let found = figures::recovery(&figures::incidents(&windows()), confidence);
            (found.longest, judge_recovery(objective, &found))
        }
        Metric::Recovered => judge_share(run, objective, stability::is_recovered),
        Metric::Stuck => judge_share(run, objective, stability::is_stuck),
    };
    verdict = match (objective.metric, verdict) {
        (Metric::Latency(q), Verdict::Met) => guard::percentile(q, &windows()),
        (Metric::MeanLatency, Verdict::Met) => guard::mean(&windows()),
        (Metric::Availability, Verdict::Met | Verdict::Missed) => {
            guard::availability(objective, verdict, &windows(), confidence)
        }
        _ => verdict,
    };
    let has_data = verdict != Verdict::Undecided(Doubt::NoData);
    if (run.interrupted || run.is_partial()) && has_data {
        verdict = Verdict::Undecided(Doubt::Interrupted);
    }
    let margin = figure.map(|figure| margin(objective, figure.point));
    Judgement { objective: objective.clone(), figure, verdict, margin }
}

fn plain(objective: &Objective, figure: Option<Estimate>) -> (Option<Estimate>, Verdict) {
    (figure, judge(objective, figure.as_ref()))
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

/// The judgement on recovery. While incidents are not over the figure is a lower bound: it can miss
/// the objective, and meets none.
fn judge_recovery(objective: &Objective, found: &Recovery) -> Verdict {
    let judged = judge(objective, found.longest.as_ref());
    let upper = matches!(objective.relation, Relation::Below | Relation::AtMost);
    match judged {
        _ if found.unrecovered == 0 => judged,
        Verdict::Missed if upper => judged,
        Verdict::Undecided(Doubt::OneReplication) => judged,
        _ => Verdict::Undecided(Doubt::Unrecovered(found.unrecovered)),
    }
}

/// The judgement on a share of the replications. It stands only if it stands whatever became of
/// those that do not say.
fn judge_share(
    run: &Experiment,
    objective: &Objective,
    wanted: fn(Stability) -> bool,
) -> (Option<Estimate>, Verdict) {
    let found = |unclear| stability::share(&run.outcomes, wanted, unclear, run.confidence).estimate;
    let (figure, verdict) = plain(objective, found(None));
    let stands = |as_wanted| judge(objective, found(Some(as_wanted)).as_ref()) == verdict;
    match verdict {
        Verdict::Met | Verdict::Missed if !(stands(true) && stands(false)) => {
            let unclear = stability::unclear(&run.outcomes);
            (figure, Verdict::Undecided(Doubt::Unclear(unclear)))
        }
        _ => (figure, verdict),
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
