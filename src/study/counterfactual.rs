//! What would have been: the same replication, with the same arrivals, demands and luck, but for
//! one thing.
//!
//! Each source of randomness has its own stream, so that a run without a fault meets the same
//! requests. The differences of several such runs overlap and do not add up: without the crash
//! there is no backlog either. Each is one replication, exact for that one, and says nothing of
//! others.

use crate::experiment::{Progress, replicate};
use crate::observe::recorder::Keep;
use crate::observe::timeline::{Timeline, TotalRow};
use crate::plan::{FaultPlan, Plan, Schedule};
use crate::random::Law;
use crate::units::{Instant, Span};

/// A plan that differs in one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterfactual {
    /// What it is without, or with: `without the fault crash`.
    pub name: String,
    /// The plan.
    pub plan: Plan,
}

/// What could have made latency what it was at a moment: the faults that had struck by then, the
/// starts of replicas, retries, and how late the autoscaler is.
pub fn counterfactuals(plan: &Plan, struck: &[usize]) -> Vec<Counterfactual> {
    let mut all = Vec::new();
    let mut add = |name: String, change: &dyn Fn(&mut Plan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        all.push(Counterfactual { name, plan });
    };
    for index in struck {
        let name = &plan.faults[*index].name;
        add(format!("without the fault {name}"), &|plan| {
            plan.faults[*index].schedule = Schedule::Elsewhere;
        });
    }
    if plan.regions.is_none() {
        if !struck.is_empty() {
            add("without the time to schedule, pull and boot".to_owned(), &boots_at_once);
        }
        if plan.dependencies.clients.retry.is_some() || plan.ingress.retries > 0 {
            add("without retries".to_owned(), &without_retries);
        }
        if plan.may_scale() {
            let most = plan.most_replicas();
            add(format!("with all {most} replicas from the start"), &all_from_the_start);
        }
    }
    all
}

/// What is left of a start is to be noticed, probed and known.
fn boots_at_once(plan: &mut Plan) {
    let nothing = Law::Constant(Span::ZERO);
    let startup = &mut plan.startup;
    for law in [&mut startup.schedule, &mut startup.sandbox, &mut startup.image, &mut startup.boot]
    {
        *law = nothing.clone();
    }
    startup.readiness.initial_delay = Span::ZERO;
}

fn without_retries(plan: &mut Plan) {
    plan.dependencies.clients.retry = None;
    plan.ingress.retries = 0;
}

fn all_from_the_start(plan: &mut Plan) {
    let most = plan.most_replicas();
    let zones = plan.topology.zones.len();
    plan.gateway.replicas = most;
    plan.topology.placement = (0..most).map(|slot| slot % zones).collect();
    plan.autoscaling = None;
}

/// The timeline of one replication of a plan, and the faults by index that struck in it, each with
/// the moment.
pub fn timeline(
    plan: &Plan,
    replication: u64,
    progress: &Progress,
) -> Option<(Timeline, Vec<(usize, Instant)>)> {
    let keep = Keep { timeline: true, ..Keep::default() };
    let outcome = replicate(plan, replication, keep, progress);
    let struck = outcome.incidents.iter().map(|incident| (incident.fault, incident.at)).collect();
    Some((outcome.timeline?, struck))
}

/// The row of a timeline that a moment falls into.
pub fn row_at(timeline: &Timeline, at: Instant) -> Option<&TotalRow> {
    let after = timeline.total.partition_point(|row| row.start <= at);
    timeline.total.get(after.checked_sub(1)?).filter(|row| at < row.start + timeline.bin)
}

/// Whether a fault may have struck something by a moment.
pub fn struck_by(faults: &[(usize, Instant)], all: &[FaultPlan], at: Instant) -> Vec<usize> {
    let by = |index: &usize| faults.iter().any(|(fault, when)| fault == index && *when <= at);
    (0..all.len()).filter(by).collect()
}
