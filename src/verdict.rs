//! Whether objectives are met: a judgement on intervals, not on points.
//!
//! An objective is met or missed only if the whole interval lies on one side of its bound. In all
//! other cases it is undecided, and the reason is given; no data never passes.

use crate::experiment::Experiment;
use crate::experiment::figures::{self, Recovery};
use crate::objective::{Bound, Metric, Objective, Relation};
use crate::observe::outcome::WindowOutcome;
use crate::stats::{Estimate, Interval};

/// Answered requests that must lie beyond a percentile for it to mean something.
const LEAST_BEYOND: f64 = 10.0;

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
    /// The replications end before the horizon.
    Interrupted,
    /// One replication has no interval.
    OneReplication,
    /// The bound lies within the interval.
    Straddles,
    /// This many incidents were not over at the end of the run.
    Unrecovered(u64),
    /// More requests failed than the percentile leaves out: this share of them. A percentile is of
    /// the served requests, and would pass because the worst ones are missing from it.
    Failed(f64),
    /// Fewer than ten served requests are expected beyond the percentile.
    FewBeyond,
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
    let (figure, mut verdict) = match objective.metric {
        Metric::Latency(q) => plain(objective, figures::percentile(&windows(), q)),
        Metric::MeanLatency => plain(objective, figures::mean_latency(&windows())),
        Metric::Availability => plain(objective, figures::availability(&windows())),
        Metric::Recovery => {
            let found = figures::recovery(&figures::incidents(&windows()));
            (found.longest, judge_recovery(objective, &found))
        }
    };
    if let (Metric::Latency(q), Verdict::Met) = (objective.metric, verdict) {
        verdict = guard_percentile(q, &windows());
    }
    if (run.interrupted || run.is_partial()) && figure.is_some() {
        verdict = Verdict::Undecided(Doubt::Interrupted);
    }
    let margin = figure.map(|figure| margin(objective, figure.point));
    Judgement { objective: objective.clone(), figure, verdict, margin }
}

/// What a percentile that seems to be met is worth.
fn guard_percentile(q: f64, windows: &[&WindowOutcome]) -> Verdict {
    let answered: u64 = windows.iter().map(|window| window.latency.count()).sum();
    let failed: u64 = windows.iter().map(|window| window.ledger.failed()).sum();
    let share = failed as f64 / (answered + failed).max(1) as f64;
    if share > 1.0 - q {
        Verdict::Undecided(Doubt::Failed(share))
    } else if answered as f64 * (1.0 - q) < LEAST_BEYOND {
        Verdict::Undecided(Doubt::FewBeyond)
    } else {
        Verdict::Met
    }
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

/// The judgement on recovery. An incident without an end has at least lasted until the end of the
/// run: if that alone breaks the objective it is missed, else nobody knows.
fn judge_recovery(objective: &Objective, found: &Recovery) -> Verdict {
    if found.unrecovered == 0 {
        return judge(objective, found.longest.as_ref());
    }
    let (waited, bound) = (found.waited.as_secs(), bound(objective));
    let missed = match objective.relation {
        Relation::Below => waited >= bound,
        Relation::AtMost => waited > bound,
        Relation::Above | Relation::AtLeast => false,
    };
    match missed {
        true => Verdict::Missed,
        false => Verdict::Undecided(Doubt::Unrecovered(found.unrecovered)),
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
mod tests {
    use super::*;
    use crate::experiment::sample;
    use crate::units::{Share, Span};

    fn objective(metric: Metric, relation: Relation, seconds: f64) -> Objective {
        let bound = Bound::Span(Span::from_secs(seconds));
        Objective { text: String::new(), metric, relation, bound, window: 0 }
    }

    fn p99(relation: Relation) -> Objective {
        objective(Metric::Latency(0.99), relation, 0.25)
    }

    fn estimate(low: f64, high: f64) -> Estimate {
        let interval = Some(Interval { low, high });
        Estimate { point: (low + high) / 2.0, interval, n: 10 }
    }

    #[test]
    fn the_whole_interval_must_lie_on_one_side() {
        let judged = |low, high| judge(&p99(Relation::Below), Some(&estimate(low, high)));
        assert_eq!(judged(0.2, 0.24), Verdict::Met);
        assert_eq!(judged(0.26, 0.3), Verdict::Missed);
        assert_eq!(judged(0.2, 0.3), Verdict::Undecided(Doubt::Straddles));
    }

    #[test]
    fn an_interval_that_touches_the_bound_follows_the_relation() {
        let straddles = Verdict::Undecided(Doubt::Straddles);
        let table = [
            (Relation::Below, straddles, Verdict::Missed),
            (Relation::AtMost, Verdict::Met, straddles),
            (Relation::Above, Verdict::Missed, straddles),
            (Relation::AtLeast, straddles, Verdict::Met),
        ];
        for (relation, from_below, from_above) in table {
            let judged = |estimate| judge(&p99(relation), Some(&estimate));
            assert_eq!(judged(estimate(0.2, 0.25)), from_below, "{relation:?} from below");
            assert_eq!(judged(estimate(0.25, 0.3)), from_above, "{relation:?} from above");
        }
    }

    #[test]
    fn a_figure_without_error_on_the_bound_follows_the_relation() {
        let judged = |relation| judge(&p99(relation), Some(&estimate(0.25, 0.25)));
        assert_eq!(judged(Relation::Below), Verdict::Missed);
        assert_eq!(judged(Relation::AtMost), Verdict::Met);
        assert_eq!(judged(Relation::Above), Verdict::Missed);
        assert_eq!(judged(Relation::AtLeast), Verdict::Met);
    }

    #[test]
    fn no_data_never_passes() {
        let mut run = sample::experiment();
        for outcome in &mut run.outcomes {
            outcome.windows.iter_mut().for_each(|window| *window = Default::default());
            sample::set_incidents(outcome, Vec::new());
        }
        let availability = Objective {
            bound: Bound::Share(Share::ZERO),
            ..objective(Metric::Availability, Relation::AtLeast, 0.0)
        };
        let objectives = [
            p99(Relation::Below),
            objective(Metric::MeanLatency, Relation::AtMost, 1e9),
            objective(Metric::Recovery, Relation::AtMost, 1e9),
            availability,
        ];
        let judged = judge_all(&run, &objectives);
        assert!(judged.iter().all(|j| j.verdict == Verdict::Undecided(Doubt::NoData)));
        assert_eq!(overall(&judged), Overall::Undecided);
    }

    #[test]
    fn one_replication_decides_nothing() {
        let mut run = sample::experiment();
        run.outcomes.truncate(1);
        let generous = objective(Metric::Latency(0.99), Relation::Below, 1e6);
        let judged = judge_all(&run, &[generous]);
        assert_eq!(judged[0].verdict, Verdict::Undecided(Doubt::OneReplication));
    }

    #[test]
    fn a_partial_run_decides_nothing() {
        let mut run = sample::experiment();
        run.outcomes.iter_mut().for_each(|outcome| outcome.interrupted = true);
        let generous = objective(Metric::Latency(0.99), Relation::Below, 1e6);
        let judged = judge_all(&run, &[generous]);
        assert_eq!(judged[0].verdict, Verdict::Undecided(Doubt::Interrupted));
    }

    #[test]
    fn an_incident_without_end_misses_only_what_it_already_exceeds() {
        let mut run = sample::experiment();
        sample::change_incident(&mut run.outcomes[3], |incident| incident.normal = None);
        let judged = |seconds| {
            let objective = objective(Metric::Recovery, Relation::AtMost, seconds);
            judge_all(&run, &[objective])[0].verdict
        };
        assert_eq!(judged(419.9), Verdict::Missed);
        assert_eq!(judged(420.0), Verdict::Undecided(Doubt::Unrecovered(1)));
    }

    #[test]
    fn recovery_counts_the_incidents_of_its_window() {
        let run = sample::experiment();
        let mut objective = objective(Metric::Recovery, Relation::Below, 20.0);
        objective.window = 1;
        let judged = judge_all(&run, &[objective]).remove(0);
        assert_eq!(judged.verdict, Verdict::Met);
        assert!((4.0..6.0).contains(&judged.margin.unwrap()));
    }

    #[test]
    fn the_worst_judgement_is_the_overall_one() {
        let with = |verdict| Judgement {
            objective: p99(Relation::Below),
            figure: None,
            verdict,
            margin: None,
        };
        let doubt = Verdict::Undecided(Doubt::Straddles);
        assert_eq!(overall(&[]), Overall::NoObjectives);
        assert_eq!(overall(&[with(Verdict::Met)]), Overall::Met);
        assert_eq!(overall(&[with(Verdict::Met), with(doubt)]), Overall::Undecided);
        assert_eq!(overall(&[with(doubt), with(Verdict::Missed)]), Overall::Missed);
    }
}
