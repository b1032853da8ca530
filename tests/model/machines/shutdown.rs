//! Machines that are taken away after a notice: who heeds it, when the replacement serves, and what
//! is lost.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;

use super::starting_within;
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, poisson, secs};
use crate::derived::{entered, fault, rotated};

/// One of two machines is to be taken away `ahead` seconds after 100 s.
fn notice(ahead: f64, heeded: Heeded, returns: Option<f64>) -> FaultPlan {
    let notice = Notice { ahead: secs(ahead), heeded };
    let returns = returns.map(|after| Law::Constant(secs(after)));
    fault(Fault::NodeShutdown(ReplicaTarget::Slot(0), notice, returns), 100.0)
}

/// Two replicas with a drain of 25 s whose replacements serve 10 s after they are made.
fn two(ahead: f64, heeded: Heeded) -> Plan {
    let mut plan = starting_within(2, 10.0, 600.0);
    plan.startup.readiness.failures = 1;
    plan.faults = vec![notice(ahead, heeded, None)];
    plan
}

fn entered_at(witness: &Witness, replica: usize, state: State) -> Option<f64> {
    entered(witness, replica, state).map(|at| at.as_secs())
}

fn lost_at(witness: &Witness) -> Vec<f64> {
    let lost = |fact: &_| matches!(fact, Observation::Node { what: "lost", .. });
    witness.times(lost).iter().map(|at| at.as_secs()).collect()
}

#[test]
fn a_handler_drains_the_node_at_once_and_nothing_is_lost() {
    // Two minutes, as spot instances of AWS have them.
    let (witness, outcome) = witnessed(&two(120.0, Heeded::Handler), 0);
    assert_eq!(rotated(&witness, 0, false), Some(at(100.0)));
    assert_eq!(entered_at(&witness, 2, State::Ready), Some(110.0), "it starts at once");
    assert_eq!(entered_at(&witness, 0, State::Terminated), Some(125.0), "after its drain");
    assert_eq!(lost_at(&witness), [220.0], "when the notice is over");
    assert!(witness.failed.is_empty(), "{} failed", witness.failed.len());
    assert_eq!(outcome.incidents[0].restored, Some(at(220.0)));
}

#[test]
fn a_kubelet_replaces_nothing_before_it_has_ended() {
    // The drain of 25 s is cut off after the kubelet's 15 s; with 30 s it is not.
    for (grace, ended) in [(15.0, 115.0), (30.0, 125.0)] {
        let (witness, _) = witnessed(&two(60.0, Heeded::Kubelet(secs(grace))), 0);
        assert_eq!(entered_at(&witness, 0, State::Draining), Some(100.0));
        assert_eq!(rotated(&witness, 0, false), Some(at(100.0)), "its probes are asked at once");
        assert_eq!(entered_at(&witness, 0, State::Terminated), Some(ended));
        assert_eq!(entered_at(&witness, 2, State::Ready), Some(ended + 10.0));
        assert_eq!((witness.failed.len(), lost_at(&witness)), (0, vec![160.0]));
    }
}

#[test]
fn a_pod_that_the_kubelet_stops_stays_in_the_endpoints_until_its_probes_fail_or_it_has_ended() {
    let mut plan = two(60.0, Heeded::Kubelet(secs(15.0)));
    // Three failures with ten seconds between them take longer than the pod has.
    (plan.startup.readiness.period, plan.startup.readiness.failures) = (secs(10.0), 3);
    plan.ingress.propagation = Law::Constant(secs(1.0));
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(entered_at(&witness, 0, State::Terminated), Some(115.0));
    assert_eq!(rotated(&witness, 0, false), Some(at(116.0)), "its end is known a second later");
    // Every other request of that second meets the dead address.
    let sent = witness.offered.iter().filter(|one| one.at > at(115.0) && one.at < at(116.0));
    let (dead, sent) = (witness.failed.len() as f64, sent.count() as f64);
    assert!((dead - sent / 2.0).abs() <= 1.0, "{dead} of {sent}");
    // With one failure it leaves at a probe within ten seconds.
    plan.startup.readiness.failures = 1;
    let (witness, _) = witnessed(&plan, 0);
    let left = rotated(&witness, 0, false).expect("it leaves");
    assert!(left > at(101.0) && left <= at(111.0), "{left}");
    assert!(witness.failed.is_empty());
}

#[test]
fn a_notice_that_nobody_heeds_ends_like_the_loss_of_a_machine() {
    let (witness, _) = witnessed(&two(30.0, Heeded::Nobody), 0);
    assert_eq!(entered_at(&witness, 0, State::Failed), Some(130.0));
    let mut lost = two(0.0, Heeded::Nobody);
    lost.faults = vec![fault(Fault::NodeLoss(ReplicaTarget::Slot(0), None), 130.0)];
    let (loss, _) = witnessed(&lost, 0);
    assert_eq!(witness.failed, loss.failed, "the same requests meet the dead address");
    assert!(witness.failed.len() > 300, "{} for some 45 s", witness.failed.len());
}

#[test]
fn what_the_budget_holds_back_is_lost_when_the_notice_is_over() {
    let mut plan = two(30.0, Heeded::Handler);
    plan.upgrade.budget = Budget::Available(Portion::Percent(100));
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(entered_at(&witness, 0, State::Draining), None);
    assert_eq!(entered_at(&witness, 0, State::Failed), Some(130.0));
}

#[test]
fn requests_are_lost_only_if_the_notice_is_shorter_than_the_drain() {
    // Some requests of 8 s of CPU each are in hand when the notice comes.
    let lost = |ahead: f64| {
        let mut lost = 0;
        for replication in 0..30 {
            let mut plan = two(ahead, Heeded::Handler);
            (plan.traffic, plan.gateway.demand) = (poisson(0.05), Law::Constant(secs(8.0)));
            plan.ingress.read_timeout = secs(60.0);
            let (witness, _) = witnessed(&plan, replication);
            for (sent, failed, how) in &witness.failed {
                // The machine has vanished, and nobody says so.
                assert_eq!((failed.since(sent.at), *how), (secs(60.0), Failure::TimedOut));
                assert!(sent.at < at(100.0), "it came before the replica left the endpoints");
                lost += 1;
            }
        }
        lost
    };
    let (short, long) = (lost(2.0), lost(120.0));
    assert!(short >= 3, "{short} of some 0.05 × 8 / 2 × 6/8 in each of 30 replications");
    assert_eq!(long, 0);
}

#[test]
fn a_machine_that_is_back_takes_replicas_again() {
    for heeded in [Heeded::Handler, Heeded::Kubelet(secs(15.0)), Heeded::Nobody] {
        let mut plan = two(30.0, heeded);
        (plan.nodes.per_zone, plan.nodes.room) = (Some(1), 1);
        plan.faults = vec![notice(30.0, heeded, Some(60.0))];
        let (witness, outcome) = witnessed(&plan, 0);
        // There is no other machine for it, and this one is back at 190 s.
        // One that was not deleted starts again in its pod.
        let replica = if heeded == Heeded::Nobody { 0 } else { 2 };
        let joined = Observation::JoinedRotation { replica };
        assert_eq!(witness.times(|fact| *fact == joined).last(), Some(&at(200.0)), "{heeded:?}");
        assert_eq!(outcome.incidents[0].restored, Some(at(200.0)), "{heeded:?}");
    }
}
