//! Drains that a disruption budget holds up, and what ends their wait.

use brownout::observe::{Observation, ReplicaId, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Span;

use super::starting_within;
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, secs};
use crate::derived::{entered, fault};

fn lasting(seconds: f64) -> Law {
    Law::Constant(secs(seconds))
}

fn drain(slot: usize) -> FaultPlan {
    fault(Fault::DrainNode(ReplicaTarget::Slot(slot), lasting(5.0)), 100.0)
}

fn told(witness: &Witness, wanted: &str) -> Vec<f64> {
    let is_it = |fact: &_| matches!(fact, Observation::Node { what, .. } if *what == wanted);
    witness.times(is_it).iter().map(|at| at.as_secs()).collect()
}

fn left_at(witness: &Witness, replica: ReplicaId) -> Option<f64> {
    entered(witness, replica, State::Draining).map(|at| at.as_secs())
}

const REFUSED: &str = "keeps what the disruption budget protects";

/// Three replicas that must all stay, and an order to empty the machine of the first.
fn blocked(timeout: Option<f64>, after_timeout: AfterTimeout) -> Plan {
    let mut plan = starting_within(3, 20.0, 900.0);
    plan.upgrade.budget = Budget::Available(Portion::Percent(100));
    (plan.upgrade.drain_timeout, plan.upgrade.after_timeout) = (timeout.map(secs), after_timeout);
    plan.faults = vec![drain(0)];
    plan
}

#[test]
fn a_budget_that_allows_nothing_holds_a_drain_up_for_ever() {
    let (witness, outcome) = witnessed(&blocked(None, AfterTimeout::Forced), 0);
    assert_eq!((told(&witness, "cordoned"), told(&witness, REFUSED)), (vec![100.0], vec![100.0]));
    assert!((0..3).all(|id| left_at(&witness, id).is_none()), "nobody is evicted");
    assert_eq!(witness.replicas(), 3);
    assert!(outcome.incidents[0].restored.is_none(), "the order is never carried out");
}

#[test]
fn a_drain_that_timed_out_is_forced_and_the_replica_is_replaced_at_once() {
    let (witness, outcome) = witnessed(&blocked(Some(120.0), AfterTimeout::Forced), 0);
    assert_eq!(left_at(&witness, 0), Some(220.0), "at the time-out, whatever the budget says");
    assert_eq!(entered(&witness, 3, State::Ready), Some(at(240.0)), "after its start of 20 s");
    // The machine is empty when the drain of 25 s is over.
    assert_eq!(told(&witness, "emptied"), [245.0]);
    assert_eq!(outcome.incidents[0].restored, Some(at(245.0)));
}

#[test]
fn a_drain_that_is_given_up_leaves_everything_as_it_was() {
    let mut plan = blocked(Some(120.0), AfterTimeout::GivenUp);
    plan.faults = vec![fault(Fault::Maintenance(lasting(5.0)), 100.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(told(&witness, "given up and uncordoned"), [220.0]);
    assert_eq!(told(&witness, "cordoned"), [100.0], "no other machine's turn comes");
    assert_eq!(witness.replicas(), 3);
    assert_eq!(outcome.incidents[0].restored, Some(at(220.0)), "the order is over");
}

#[test]
fn a_time_out_after_the_machine_was_emptied_changes_nothing() {
    let mut plan = blocked(Some(120.0), AfterTimeout::Forced);
    plan.upgrade.budget = Budget::Unavailable(Portion::Count(1));
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(left_at(&witness, 0), Some(100.0));
    assert_eq!((told(&witness, "emptied by force"), witness.replicas()), (vec![], 4));
}

/// So many of three replicas hang from 100 s on, are known to be unready and never restarted; from
/// 150 s on every machine is to be emptied. Gives when each of the three first was evicted.
fn evicted(hung: usize, budget: Budget, unhealthy: UnhealthyEvictions) -> [Option<f64>; 3] {
    evicted_by(Fault::Maintenance(Law::ZERO), hung, (budget, unhealthy))
}

/// The same where this is the order.
fn evicted_by(
    order: Fault,
    hung: usize,
    (budget, unhealthy): (Budget, UnhealthyEvictions),
) -> [Option<f64>; 3] {
    let mut plan = starting_within(3, 1_000.0, 400.0);
    plan.startup.readiness.period = secs(10.0);
    plan.detection.liveness.failures = 1_000;
    (plan.upgrade.budget, plan.upgrade.unhealthy) = (budget, unhealthy);
    let hang = |slot| fault(Fault::ReplicaHang(ReplicaTarget::Slot(slot)), 100.0);
    plan.faults = (0..hung).map(hang).collect();
    plan.faults.push(fault(order, 150.0));
    let (witness, _) = witnessed(&plan, 0);
    [0, 1, 2].map(|id| left_at(&witness, id))
}

#[test]
fn the_policy_of_a_budget_decides_whether_unready_replicas_may_go() {
    use UnhealthyEvictions::{AlwaysAllow, IfHealthyBudget};
    let missing = |count| Budget::Unavailable(Portion::Count(count));
    let first = |hung, budget, policy| evicted(hung, budget, policy)[0];
    // Two of three must stay and two are ready: the unready one may go, a ready one may not.
    let [unready, ready, _] = evicted(1, missing(1), IfHealthyBudget);
    assert_eq!((unready, ready), (Some(150.0), None));
    // Three must stay and two are ready: the budget is not healthy.
    assert_eq!(first(1, missing(0), IfHealthyBudget), None);
    assert_eq!(first(1, missing(0), AlwaysAllow), Some(150.0));
    // None is ready.
    assert_eq!(first(3, missing(1), IfHealthyBudget), None);
    assert_eq!(first(3, missing(1), AlwaysAllow), Some(150.0));
    // None need stay: then an unready one is asked for like a ready one, and none can be spared.
    assert_eq!(first(3, missing(3), IfHealthyBudget), None);
    assert_eq!(first(2, missing(3), IfHealthyBudget), Some(150.0), "one more is ready than must");
}

#[test]
fn a_machine_is_drained_whatever_became_of_its_replica() {
    let budget = Budget::Unavailable(Portion::Count(0));
    let order = || Fault::DrainNode(ReplicaTarget::Slot(0), Law::ZERO);
    let by = |policy| evicted_by(order(), 1, (budget, policy));
    assert_eq!(by(UnhealthyEvictions::AlwaysAllow), [Some(150.0), None, None]);
    assert_eq!(by(UnhealthyEvictions::IfHealthyBudget), [None; 3]);
    // It vanishes as well, though nothing on it is ready.
    let mut plan = starting_within(3, 10.0, 400.0);
    plan.detection.liveness.failures = 1_000;
    let hang = fault(Fault::ReplicaHang(ReplicaTarget::Slot(0)), 100.0);
    let loss = fault(Fault::NodeLoss(ReplicaTarget::Slot(0), None), 150.0);
    plan.faults = vec![hang, loss];
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!((outcome.missed.len(), told(&witness, "lost")), (0, vec![150.0]));
}

#[test]
fn the_tries_for_one_machine_end_with_its_turn() {
    // More than two of three must be ready. The last is away from 99 s on, so the first machine's
    // replica may not go; it crashes at 102 s, and the next machine has its turn, which is asked
    // for at 102, 107, … All are ready at 143 s.
    let mut plan = starting_within(3, 41.0, 400.0);
    plan.upgrade.budget = Budget::Available(Portion::Count(2));
    let crash = |slot, at| fault(Fault::ReplicaCrash(ReplicaTarget::Slot(slot)), at);
    let maintenance = fault(Fault::Maintenance(Law::ZERO), 100.0);
    plan.faults = vec![crash(2, 99.0), maintenance, crash(0, 102.0)];
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(told(&witness, "cordoned")[..2], [100.0, 102.0]);
    assert_eq!(left_at(&witness, 1), Some(147.0), "and not at 145 s, by the tries of the first");
}

#[test]
fn shares_of_a_budget_are_rounded_up_as_kubernetes_does_it() {
    let ready = |percent| Budget::Available(Portion::Percent(percent));
    let missing = |percent| Budget::Unavailable(Portion::Percent(percent));
    for (budget, wanted, stay) in [
        (ready(50), 7, 4), // the example of the documentation: 3.5 is rounded up
        (ready(80), 3, 3), // and so allows nothing
        (missing(50), 7, 3),
        (missing(30), 3, 2),
        (Budget::Available(Portion::Count(4)), 3, 4),
        (missing(0), 3, 3),
    ] {
        let upgrade = Upgrade { budget, ..Upgrade::default() };
        assert_eq!(upgrade.budgeted(wanted), stay, "{budget:?} of {wanted}");
        assert_eq!(upgrade.allows_any(wanted), stay < wanted, "{budget:?} of {wanted}");
    }
    assert_eq!(Upgrade::default().drain_timeout, None::<Span>, "kubectl drain waits for ever");
}
