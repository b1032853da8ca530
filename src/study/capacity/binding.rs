//! What bounds a capacity: the objective that is missed first above it, and why.
//!
//! Whether it is the CPU is found by trying: the same load under the same random numbers, with a
//! quarter more CPU for every replica. If that meets the objectives, CPU was in the way. Failures
//! are told by their kind.

use crate::experiment::Runner;
use crate::objective::{Metric, Objective};
use crate::observe::ledger::Failure;
use crate::plan::RegionPlan;
use crate::scenario::Scenario;
use crate::study::capacity::finding::{
    Binding, Constraint, Finding, LoadProbe, ProbedCpu, SearchEffort,
};
use crate::study::capacity::probe::probe;
use crate::study::capacity::search::{Capacity, Excess};
use crate::study::mode::{Mode, objectives};
use crate::verdict::{self, Doubt, Judgement, Verdict};

/// An objective that so much more CPU would meet is missed for want of CPU.
const MORE_CPU: f64 = 1.25;
/// Replications of that load: whether its points meet the objectives is all that is asked.
const TRIES: usize = 2;
/// An autoscaler that has not this share of the replicas that it may have is late.
const SCALED: f64 = 0.9;

/// What is missed first above the capacity, and why; `None` if nothing is known to be, or it was
/// stopped.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub(crate) fn of(
    runner: &Runner<'_>,
    base: &Scenario,
    effort: SearchEffort,
    finding: &Finding,
) -> Option<Binding> {
    if let Some(objective) = not_seen(effort, finding) {
        return Some(bound_by(base, objective, Constraint::NotSeen(effort.trial.judged)));
    }
    let above = above(finding)?;
    // One of which nothing is known is in the way only if no other is.
    let known = |excess: &Excess| excess.point.is_finite();
    let (worst, Excess { point: worst_point, .. }) = above.judged.iter().max_by(|a, b| {
        let by_far = |one: &(Judgement, Excess)| known(&one.1) && one.1.point > 0.0;
        by_far(a).cmp(&by_far(b)).then(a.1.point.total_cmp(&b.1.point))
    })?;
    let failed = failed(worst, above);
    let constraint = match failed.and_then(|(share, kind)| lost(finding.mode, share, kind)) {
        _ if above.overload && *worst_point <= 0.0 => Constraint::Overload,
        _ if finding.mode == Mode::RegionLoss && above.cpu.utilisation.is_infinite() => {
            Constraint::NoRegion
        }
        Some(lost) => lost,
        None if !worst_point.is_finite() => Constraint::NoData,
        // More than all replicas serve.
        None if above.overload => cpu(finding.mode, above, None),
        None if above.cpu.utilisation.is_infinite() => Constraint::Nobody,
        None => {
            let faster = faster(base);
            let effort = SearchEffort { replications: TRIES.min(effort.replications), ..effort };
            let faster = probe(runner, &faster, finding.mode, effort, above.load)?;
            match (faster.excess.point <= 0.0, failed) {
                (true, _) => {
                    let gateway = busiest(base, above).map_or(&base.plan, |one| &one.gateway);
                    cpu(finding.mode, above, gateway.may_scale().then(|| gateway.most_replicas()))
                }
                (false, Some((share, kind))) => Constraint::Failures(share, kind),
                (false, None) => beside_cpu(finding, worst, above),
            }
        }
    };
    let region = busiest(base, above).map(|region| region.name.clone());
    let region = region.filter(|_| constraint.is_of_cpu());
    Some(Binding { region, failed, ..bound_by(base, &worst.objective, constraint) })
}

fn bound_by(base: &Scenario, objective: &Objective, constraint: Constraint) -> Binding {
    let Objective { text, metric, .. } = objective.clone();
    let api = objectives::api_of(base, &text);
    Binding { objective: text, metric, api, constraint, region: None, failed: None }
}

/// The objective on a recovery time that leaves a capacity open because the judged time ends
/// before it: a loss that is not over by then may be over before the bound, or not.
fn not_seen(effort: SearchEffort, finding: &Finding) -> Option<&Objective> {
    let is_open = match finding.capacity {
        Capacity::Between { high, .. } | Capacity::AtMost(high) => high.is_infinite(),
        Capacity::AtLeast(_) => true,
        Capacity::Nothing | Capacity::Stopped => false,
    };
    let ends_early = |judgement: &&Judgement| {
        matches!(judgement.verdict, Verdict::Undecided(Doubt::Unrecovered(_)))
            && verdict::bound(&judgement.objective) >= effort.trial.judged.as_secs()
    };
    let judged = finding.probes.iter().flat_map(|probe| &probe.judged);
    let mut cut = judged.map(|(judgement, _)| judgement).filter(ends_early);
    cut.next().filter(|_| is_open).map(|judgement| &judgement.objective)
}

/// The region that is the busiest at a load, of several.
fn busiest<'a>(base: &'a Scenario, probe: &LoadProbe) -> Option<&'a RegionPlan> {
    base.plan.regions.as_ref()?.all.get(probe.cpu.busiest?)
}

/// The scenario with more CPU for every replica.
fn faster(base: &Scenario) -> Scenario {
    let mut faster = base.clone();
    faster.plan.gateway.cores.0 *= MORE_CPU;
    for region in faster.plan.regions.iter_mut().flat_map(|regions| &mut regions.all) {
        region.gateway.gateway.cores.0 *= MORE_CPU;
    }
    faster
}

/// The load at which something is missed that is nearest to the capacity.
fn above(finding: &Finding) -> Option<&LoadProbe> {
    match finding.capacity {
        Capacity::Between { point, .. } => {
            let missed = |probe: &&LoadProbe| probe.load >= point && probe.excess.point > 0.0;
            finding.probes.iter().find(missed)
        }
        Capacity::Nothing | Capacity::AtMost(_) => {
            finding.probes.iter().find(|probe| probe.excess.point > 0.0)
        }
        Capacity::AtLeast(_) | Capacity::Stopped => None,
    }
}

/// The failures that an objective is missed for, if it is: their share, and how most came about.
fn failed(judgement: &Judgement, probe: &LoadProbe) -> Option<(f64, Failure)> {
    let is_endless = judgement.figure.is_some_and(|figure| figure.point.is_infinite());
    let unserved = probe.unserved_of(&judgement.objective);
    let failed = unserved.failure.map(|kind| (unserved.failed, kind));
    match judgement.objective.metric {
        Metric::Rejected => unserved.rejected,
        Metric::ShareOf(kind) => judgement.figure.map(|share| (share.point, kind)),
        Metric::Availability | Metric::Failed | Metric::WorstAvailability => failed,
        _ => failed.filter(|_| is_endless),
    }
}

/// What is in the way if requests fail because of what was lost.
fn lost(mode: Mode, share: f64, kind: Failure) -> Option<Constraint> {
    match kind {
        _ if !mode.loses() => None,
        Failure::LostInFlight
        | Failure::DeadAddress
        | Failure::IngressDown
        | Failure::LostWithIngress => Some(Constraint::Detection(share, kind)),
        // The loss has been noticed by then.
        Failure::NoReadyReplica => Some(Constraint::Nobody),
        Failure::ContractsMissing => Some(Constraint::Failures(share, kind)),
        _ => None,
    }
}

/// Whose CPU is in the way.
fn cpu(mode: Mode, probe: &LoadProbe, may_scale_to: Option<usize>) -> Constraint {
    let ProbedCpu { utilisation, working, in_use, .. } = probe.cpu;
    let is_late = may_scale_to.is_some_and(|most| working < SCALED * most as f64);
    match mode {
        Mode::Healthy | Mode::DailyPeak if is_late => Constraint::Autoscaler(working, in_use),
        Mode::Healthy | Mode::DailyPeak => Constraint::Cpu(utilisation),
        Mode::ReplicaLoss | Mode::ZoneLoss | Mode::RegionLoss => Constraint::Survivors(utilisation),
        Mode::WithoutControlPlane => Constraint::Contracts(utilisation),
    }
}

/// What is in the way if CPU is not.
fn beside_cpu(finding: &Finding, judgement: &Judgement, probe: &LoadProbe) -> Constraint {
    let is_of_recovery = judgement.objective.metric.restored().is_some();
    match judgement.figure {
        Some(took) if is_of_recovery && finding.mode == Mode::RegionLoss => {
            let any_load = matches!(finding.capacity, Capacity::Nothing | Capacity::AtMost(_));
            Constraint::FailOver(took.point, any_load)
        }
        _ if is_of_recovery => Constraint::Replacement,
        _ if finding.mode.loses() => Constraint::Waiting,
        _ => Constraint::NotCpu(probe.cpu.in_use),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::capacity::finding::made_up;

    #[test]
    fn the_cpu_is_that_of_whoever_has_it() {
        let probe = made_up(100.0, 0.1, 0.2, 0.3);
        assert_eq!(cpu(Mode::Healthy, &probe, Some(2)), Constraint::Cpu(0.9));
        assert_eq!(cpu(Mode::DailyPeak, &probe, Some(3)), Constraint::Autoscaler(2.0, 0.95));
        assert_eq!(cpu(Mode::DailyPeak, &probe, None), Constraint::Cpu(0.9));
        assert_eq!(cpu(Mode::ZoneLoss, &probe, Some(3)), Constraint::Survivors(0.9));
        assert_eq!(cpu(Mode::WithoutControlPlane, &probe, None), Constraint::Contracts(0.9));
    }

    #[test]
    fn failures_after_a_loss_was_noticed_are_not_of_its_detection() {
        let of = |mode, kind| lost(mode, 0.1, kind);
        let dead = Failure::DeadAddress;
        assert_eq!(of(Mode::ZoneLoss, dead), Some(Constraint::Detection(0.1, dead)));
        assert_eq!(of(Mode::ZoneLoss, Failure::NoReadyReplica), Some(Constraint::Nobody));
        assert_eq!(of(Mode::Healthy, dead), None);
    }
}
