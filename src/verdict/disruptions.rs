//! The grid that reviewers of resilience know: disruption by disruption, how long it took until
//! requests were answered again, how old what is lost may be, and whether that is what is demanded.

use std::collections::BTreeSet;

use super::{Judgement, Overall, judge_one, overall};
use crate::experiment::Experiment;
use crate::metric::{Metric, Restored, Statistic};
use crate::objective::Objective;
use crate::observe::incident::Incident;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::observe::tally::Tally;
use crate::plan::{
    DisruptionKind, Extent, Plan, RecoveryPoint, Schedule, StateItem, StateLoss, StateLosses,
};
use crate::units::Span;

/// A row of the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct DisruptionRow {
    /// What is disrupted.
    pub disruption: DisruptionKind,
    /// What was found; `None` if no fault of the scenario does that.
    pub tested: Option<TestedDisruption>,
}

/// What a fault came to.
#[derive(Clone, Debug, PartialEq)]
pub struct TestedDisruption {
    /// Index of the fault in the plan.
    pub fault: usize,
    /// Times that it was injected, in all replications.
    pub injected: u64,
    /// Until requests were answered again: the longest of each replication, in the mean.
    pub rto: Option<Statistic>,
    /// Within how long 95 % of its incidents were over; `None` while incidents of which no end was
    /// seen leave that open.
    pub rto_p95: Option<Statistic>,
    /// Incidents whose end was not seen: then `rto` is a lower bound.
    pub not_over: u64,
    /// The faults whose incidents lasted while those of this one did: what failed then counts for
    /// each.
    pub shared_with: BTreeSet<usize>,
    /// What of the state is lost.
    pub state: StateLosses,
    /// The objectives on recovery times and points, judged by the incidents of this fault alone.
    pub judgements: Vec<Judgement>,
}

impl TestedDisruption {
    /// The oldest that is lost, which item that is, and why or why not.
    pub fn rpo(&self) -> Option<(Span, StateItem, &StateLoss)> {
        let aged = self.state.iter().filter_map(|(item, loss)| Some((loss.most()?, *item, loss)));
        // Of those that are as old the first.
        aged.reduce(|one, other| if other.0 > one.0 { other } else { one })
    }

    /// The judgement on all of its objectives.
    pub fn overall(&self) -> Overall {
        overall(&self.judgements)
    }
}

/// Whether a grid says something: there are several regions, or recovery times or points are
/// demanded.
pub fn has_grid(plan: &Plan, objectives: &[Objective]) -> bool {
    plan.regions.is_some() || objectives.iter().any(|one| is_rto(one) || one.metric.is_given())
}

/// A row for each fault that disrupts something, and for each disruption that no fault is; a
/// planned fail-over, which is none, only if there is one. Nothing where `has_grid` says so.
pub fn disruptions(run: &Experiment, plan: &Plan, objectives: &[Objective]) -> Vec<DisruptionRow> {
    if !has_grid(plan, objectives) {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for disruption in DisruptionKind::ALL {
        let faults = plan.faults.iter().enumerate();
        let of_it = faults.filter(|(_, fault)| fault.fault.disruption() == Some(disruption));
        let found = of_it.map(|(fault, _)| DisruptionRow {
            disruption,
            tested: Some(tested(run, plan, objectives, fault)),
        });
        let before = rows.len();
        rows.extend(found);
        if rows.len() == before && disruption != DisruptionKind::Planned {
            rows.push(DisruptionRow { disruption, tested: None });
        }
    }
    rows
}

fn tested(
    run: &Experiment,
    plan: &Plan,
    objectives: &[Objective],
    fault: usize,
) -> TestedDisruption {
    let alone = of_fault(run, fault);
    let windows: Vec<&WindowOutcome> = alone.outcomes.iter().map(|one| &one.windows[0]).collect();
    let all = Tally::sum(windows.iter().map(|window| &window.incidents));
    let rto_p95 = Metric::RecoveryWithin(Restored::Answers, 0.95);
    let is_seen = all.answers.unseen() == 0 && all.abnormal == 0;
    let judged = objectives.iter().filter_map(|one| of_objective(plan, one, fault));
    TestedDisruption {
        fault,
        injected: all.injected,
        rto: Metric::RTO.of_windows(&windows, run.confidence),
        rto_p95: rto_p95.of_windows(&windows, run.confidence).filter(|_| is_seen),
        not_over: all.answers.unseen(),
        shared_with: shared_with(run, fault),
        // Whoever is led to another region finds nothing there, whatever the fault has left.
        state: match all.failover.is_empty() {
            true => plan.state_after(fault),
            false => plan.state_elsewhere(fault),
        },
        judgements: judged.map(|objective| judge_one(&alone, &objective)).collect(),
    }
}

/// The faults of which an incident lasted while requests of one of this fault were not answered.
fn shared_with(run: &Experiment, fault: usize) -> BTreeSet<usize> {
    let of = |outcome: &Outcome| {
        let mine = || outcome.incidents.iter().filter(|it| it.fault == fault);
        let others = outcome.incidents.iter().filter(|it| it.fault != fault);
        let meets = |other: &&Incident| {
            other.ledger.failed() > 0
                && mine().any(|it| it.ledger.failed() > 0 && it.overlaps(other, outcome.ended))
        };
        others.filter(meets).map(|it| it.fault).collect::<Vec<_>>()
    };
    run.outcomes.iter().flat_map(of).collect()
}

/// The experiment as if nothing but this fault had been injected: one window with its incidents.
fn of_fault(run: &Experiment, fault: usize) -> Experiment {
    let window = |outcome: &Outcome| WindowOutcome {
        incidents: outcome.faults[fault].clone(),
        strikes: outcome.windows[0].strikes.iter().filter(|s| s.fault == fault).copied().collect(),
        ..WindowOutcome::default()
    };
    let outcome = |outcome: &Outcome| Outcome {
        replication: outcome.replication,
        ended: outcome.ended,
        interrupted: outcome.interrupted,
        windows: vec![window(outcome)],
        ..Outcome::default()
    };
    let Experiment { interrupted, asked, confidence, sequence, .. } = *run;
    let outcomes = run.outcomes.iter().map(outcome).collect();
    Experiment { outcomes, interrupted, asked, confidence, sequence }
}

fn is_rto(objective: &Objective) -> bool {
    objective.metric.restored() == Some(Restored::Answers)
}

/// An objective as one on the incidents of this fault, if it speaks of them.
fn of_objective(plan: &Plan, objective: &Objective, fault: usize) -> Option<Objective> {
    let window = &plan.windows[objective.window];
    let speaks = match (window.extent, &plan.faults[fault].schedule) {
        (Extent::Run, _) => true,
        (Extent::During(other), _) => other == fault,
        (Extent::Between(from, to), Schedule::At(at)) => from <= *at && *at < to,
        (Extent::Between(..), _) => false,
    };
    let metric = match objective.metric {
        Metric::Rpo(RecoveryPoint { item, .. }) if plan.leaves_region(fault) => {
            let losses = plan.state_after(fault).into_iter();
            let aged = losses.filter(|(one, _)| item.is_none_or(|item| item == *one));
            let most = aged.filter_map(|(_, loss)| loss.most()).max()?;
            Metric::Rpo(RecoveryPoint { item, most })
        }
        metric if is_rto(objective) => metric,
        _ => return None,
    };
    speaks.then(|| Objective { metric, window: 0, ..objective.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::objective::{Bound, Relation};
    use crate::plan::{Fault, FaultPlan, ReplicaTarget};
    use crate::random::Law;
    use crate::units::{Instant, Share};
    use crate::verdict::{Doubt, Verdict};

    fn objective(text: &str, metric: Metric, secs: f64, window: usize) -> Objective {
        let (relation, bound) = (Relation::Below, Bound::Span(Span::from_secs(secs)));
        Objective { text: text.to_owned(), metric, relation, bound, window }
    }

    /// A crash after which requests are answered again within so many seconds, replication by
    /// replication, and an outage of a zone after which that takes ten times as long.
    fn run(took: &[f64]) -> (Experiment, Plan) {
        let (mut run, mut plan) = (example::experiment(), example::plan());
        plan.faults.push(FaultPlan {
            name: "zone".to_owned(),
            fault: Fault::ZoneOutage(None, Law::Constant(Span::from_secs(60.0))),
            schedule: Schedule::At(Instant::from_secs(400.0)),
        });
        run.outcomes.truncate(took.len());
        for (outcome, took) in run.outcomes.iter_mut().zip(took) {
            let known = outcome.incidents[0].clone();
            let tally = |factor: f64| {
                let mut tally = Tally::default();
                let answers = Some(known.at + Span::from_secs(took * factor));
                tally.add(&Incident { answers, ..known.clone() }, outcome.ended);
                tally
            };
            outcome.faults = vec![tally(1.0), tally(10.0)];
            outcome.windows[0].incidents = Tally::sum(&outcome.faults);
        }
        run.asked = run.outcomes.len();
        (run, plan)
    }

    #[test]
    fn each_disruption_is_judged_by_its_own_incidents() {
        let (run, plan) = run(&[10.0, 11.0, 12.0]);
        let all = [objective("rto < 30s", Metric::RTO, 30.0, 0)];
        let rows = disruptions(&run, &plan, &all);
        let kinds: Vec<_> = rows.iter().map(|row| (row.disruption, row.tested.is_some())).collect();
        use DisruptionKind::*;
        let wanted = [
            (Software, true),
            (Hardware, false),
            (Zone, true),
            (Region, false),
            (ControlPlane, false),
        ];
        assert_eq!(kinds, wanted);
        let of = |row: usize| rows[row].tested.clone().unwrap();
        let (crash, zone) = (of(0), of(2));
        assert!((crash.rto.unwrap().point - 11.0).abs() < 1e-6, "{crash:?}");
        assert!((zone.rto.unwrap().point - 110.0).abs() < 1e-6, "{zone:?}");
        assert_eq!((crash.overall(), zone.overall()), (Overall::Met, Overall::Missed));
        // Of three the 95th percentile is the last; histograms tell it within half a percent.
        assert!((crash.rto_p95.unwrap().point / 12.0 - 1.0).abs() < 0.005);
        // The run as a whole is as its worst.
        assert_eq!(judge_one(&run, &all[0]).verdict, Verdict::Missed);
        // One that speaks of the crash says nothing of the zone.
        let alone = [objective("rto < 30s during crash", Metric::RTO, 30.0, 1)];
        let rows = disruptions(&run, &plan, &alone);
        let verdict = |row: &DisruptionRow| row.tested.as_ref().unwrap().overall();
        assert_eq!(verdict(&rows[0]), Overall::Met);
        assert_eq!(verdict(&rows[2]), Overall::NoObjectives);
    }

    #[test]
    fn a_row_knows_the_faults_whose_incidents_overlap_its_own() {
        let (mut run, plan) = run(&[10.0, 11.0, 12.0]);
        let all = [objective("rto < 30s", Metric::RTO, 30.0, 0)];
        let shared = |run: &Experiment, row: usize| -> Vec<usize> {
            let row = disruptions(run, &plan, &all)[row].tested.clone().unwrap();
            Vec::from_iter(row.shared_with)
        };
        assert!(shared(&run, 0).is_empty() && shared(&run, 2).is_empty());
        let crash = run.outcomes[1].incidents[0].clone();
        run.outcomes[1].incidents.push(Incident { fault: 1, ..crash.clone() });
        assert_eq!((shared(&run, 0), shared(&run, 2)), (vec![1], vec![0]));
        // One that begins when all is normal again shares nothing, nor one that hits nobody.
        run.outcomes[1].incidents[1].at = crash.normal.unwrap();
        assert!(shared(&run, 0).is_empty());
        run.outcomes[1].incidents[1] = Incident { fault: 1, ledger: Default::default(), ..crash };
        assert!(shared(&run, 0).is_empty());
    }

    #[test]
    fn an_incident_without_end_is_not_met_and_has_no_percentile() {
        let (mut run, plan) = run(&[10.0, 11.0, 12.0]);
        let mut open = run.outcomes[0].incidents[0].clone();
        open.answers = None;
        run.outcomes[0].faults[0].add(&open, Instant::from_secs(200.0));
        let all = [objective("rto < 30s", Metric::RTO, 30.0, 0)];
        let row = disruptions(&run, &plan, &all)[0].tested.clone().unwrap();
        assert_eq!((row.not_over, row.rto_p95, row.injected), (1, None, 4));
        assert_eq!(row.judgements[0].verdict, Verdict::Undecided(Doubt::Unrecovered(1)));
        assert_eq!(row.overall(), Overall::Undecided);
    }

    #[test]
    fn there_is_no_grid_where_nobody_asks_for_recovery_times_or_points() {
        let (run, plan) = run(&[10.0, 11.0]);
        let recovery = objective("recovery < 30s", Metric::RECOVERY, 30.0, 0);
        assert_eq!(disruptions(&run, &plan, &[recovery]), []);
        assert!(!has_grid(&plan, &[]));
        let p95 = Metric::RecoveryWithin(Restored::Answers, 0.95);
        assert!(has_grid(&plan, &[objective("p95 rto < 30s", p95, 30.0, 0)]));
        assert!(Fault::CachePurge.disruption().is_none());
        let slow = Fault::ReplicaSlow(ReplicaTarget::Any, Share(0.5), Law::ZERO);
        assert_eq!(slow.disruption(), Some(DisruptionKind::Software));
    }
}
