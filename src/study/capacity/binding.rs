//! What bounds a capacity: the objective that is missed first above it, and why.
//!
//! Whether it is the CPU is found by trying: the same load under the same random numbers, with a
//! quarter more CPU for every replica. If that meets the objectives, CPU was in the way. Failures
//! are told by their kind.

use crate::experiment::Runner;
use crate::objective::{Metric, Objective};
use crate::observe::ledger::Failure;
use crate::scenario::Scenario;
use crate::study::capacity::finding::{Binding, Constraint, Finding, LoadProbe, SearchEffort};
use crate::study::capacity::probe::probe;
use crate::study::capacity::search::{Capacity, Excess};
use crate::study::mode::{Mode, objectives};
use crate::verdict::Judgement;

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
        _ if finding.mode == Mode::RegionLoss && above.utilisation.is_infinite() => {
            Constraint::NoRegion
        }
        Some(lost) => lost,
        None if !worst_point.is_finite() => Constraint::NoData,
        // More than all replicas serve.
        None if above.overload => cpu(finding.mode, above, None),
        None if above.utilisation.is_infinite() => Constraint::Nobody,
        None => {
            let faster = faster(base);
            let effort = SearchEffort { replications: TRIES.min(effort.replications), ..effort };
            let faster = probe(runner, &faster, finding.mode, effort, above.load)?;
            match (faster.excess.point <= 0.0, failed) {
                (true, _) => {
                    let scales = base.plan.may_scale();
                    cpu(finding.mode, above, scales.then(|| base.plan.most_replicas()))
                }
                (false, Some((share, kind))) => Constraint::Failures(share, kind),
                (false, None) => beside_cpu(finding.mode, worst, above),
            }
        }
    };
    let Objective { text, metric, .. } = worst.objective.clone();
    let api = objectives::api_of(base, &text);
    Some(Binding { objective: text, metric, api, constraint, failed })
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
    let is_late = may_scale_to.is_some_and(|most| probe.working < SCALED * most as f64);
    match mode {
        Mode::Healthy | Mode::DailyPeak if is_late => {
            Constraint::Autoscaler(probe.working, probe.in_use)
        }
        Mode::Healthy | Mode::DailyPeak => Constraint::Cpu(probe.utilisation),
        Mode::ReplicaLoss | Mode::ZoneLoss | Mode::RegionLoss => {
            Constraint::Survivors(probe.utilisation)
        }
        Mode::WithoutControlPlane => Constraint::Contracts(probe.utilisation),
    }
}

/// What is in the way if CPU is not.
fn beside_cpu(mode: Mode, judgement: &Judgement, probe: &LoadProbe) -> Constraint {
    match judgement.objective.metric {
        metric if metric.restored().is_some() => Constraint::Replacement,
        _ if mode.loses() => Constraint::Waiting,
        _ => Constraint::NotCpu(probe.in_use),
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
