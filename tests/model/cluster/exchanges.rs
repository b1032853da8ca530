//! Exchanges that meet each other, failures or the autoscaler: nobody is forgotten, nobody is left
//! over, and what ends is said to end.

use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Share;

use crate::cluster::scaling::{changes, published};
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{crash, entered, evenly, fault, random, rotated, step, warm_start};

/// Replicas in rotation at the end.
fn in_rotation(witness: &Witness) -> usize {
    let mut now = std::collections::BTreeSet::new();
    for (_, fact) in &witness.facts {
        match fact {
            Observation::JoinedRotation { replica } => drop(now.insert(*replica)),
            Observation::LeftRotation { replica } => drop(now.remove(replica)),
            _ => {}
        }
    }
    now.len()
}

fn three(horizon: f64) -> Plan {
    let mut plan = plan(3, 30.0, horizon);
    warm_start(&mut plan, (2.0, 6.0));
    plan.run.bin = secs(10.0);
    plan
}

fn drain(slot: usize, away: f64) -> Fault {
    Fault::DrainNode(ReplicaTarget::Slot(slot), Law::Constant(secs(away)))
}

fn injections(witness: &Witness, wanted: usize) -> Vec<f64> {
    let injection =
        |fact: &_| matches!(fact, Observation::FaultInjected { fault, .. } if *fault == wanted);
    witness.times(injection).iter().map(|at| at.as_secs()).collect()
}

#[test]
fn an_eviction_during_a_rollout_leaves_no_replica_over() {
    for seconds in 100..140 {
        let mut plan = three(600.0);
        plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 100.0)];
        plan.faults.push(fault(drain(2, 5.0), f64::from(seconds)));
        let (witness, outcome) = witnessed(&plan, 0);
        assert_eq!(in_rotation(&witness), 3, "drained at {seconds} s");
        assert!(outcome.incidents.iter().all(|incident| incident.normal.is_some()));
    }
}

#[test]
fn two_orders_to_empty_a_machine_both_end_and_it_stays_cordoned_for_the_longer() {
    let mut plan = three(1_500.0);
    (plan.nodes.per_zone, plan.nodes.room) = (Some(1), 3);
    plan.topology.placement = vec![0, 0, 1];
    plan.faults = vec![fault(drain(0, 5.0), 100.0), fault(drain(1, 600.0), 101.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(outcome.incidents.len(), 2);
    assert!(outcome.incidents.iter().all(|incident| incident.normal.is_some()));
    let in_zone_a = |(time, fact): &(_, Observation)| match fact {
        Observation::Created { zone: 0, .. } => *time > at(0.0),
        _ => false,
    };
    assert!(!witness.facts.iter().any(in_zone_a), "nothing is placed on it");
}

#[test]
fn a_rollout_that_waits_goes_on_when_fewer_replicas_are_wanted() {
    let mut plan = three(1_500.0);
    plan.nodes.per_zone = Some(1);
    let mut autoscaling = published();
    autoscaling.spec.behavior.as_mut().unwrap().down.window = Some(secs(120.0));
    plan.autoscaling = Some(autoscaling);
    plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 70.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(changes(&witness).last().map(|(_, size)| *size), Some(2));
    assert_eq!(in_rotation(&witness), 2);
    assert!(outcome.incidents[0].normal.is_some(), "{:?}", outcome.incidents[0]);
}

#[test]
fn replicas_that_are_there_from_the_beginning_are_old_to_the_autoscaler() {
    // One of three is not ready for long; the other two show 90 %. Unready and old it counts as
    // without a sample (idle, when growing); were it new, it would be left out of the mean.
    let grown_after = |time: f64| {
        let mut plan = plan(2, 80.0, time + 300.0);
        warm_start(&mut plan, (2.0, 6.0));
        evenly(&mut plan);
        plan.gateway.demand = Law::Constant(secs(0.01));
        plan.detection.probe_cpu = Some(secs(0.005));
        plan.detection.liveness.failures = 1_000;
        let mut autoscaling = published();
        autoscaling.spec.max = 6;
        plan.autoscaling = Some(autoscaling);
        step(&mut plan, time, 400.0);
        let (witness, _) = witnessed(&plan, 0);
        changes(&witness).first().map(|(at, _)| at - time)
    };
    let (young, old) = (grown_after(60.0).unwrap(), grown_after(405.0).unwrap());
    assert!(young < 60.0 && old < 60.0, "{young} and {old}");
}

#[test]
fn a_random_rollout_that_is_superseded_comes_again() {
    let mut plan = three(4_000.0);
    plan.faults =
        vec![random("Rollout", Fault::Rollout(Release::SOUND), Law::Constant(secs(600.0)))];
    plan.faults.push(fault(Fault::Rollout(Release::SOUND), 605.0));
    let (witness, _) = witnessed(&plan, 0);
    assert!(injections(&witness, 0).len() >= 5, "{:?}", injections(&witness, 0));
}

#[test]
fn a_new_node_ends_the_disruption_that_stopped_evictions() {
    let mut plan = three(2_000.0);
    plan.nodes = Nodes {
        per_zone: Some(1),
        provisioning: Some(Law::Constant(secs(50.0))),
        deleted: Share(0.4),
        ..Nodes::default()
    };
    plan.faults = vec![fault(Fault::NodeLoss(ReplicaTarget::All, None), 50.0)];
    let mut some_deleted = 0;
    for replication in 0..10 {
        let (witness, _) = witnessed(&plan, replication);
        let deleted = |fact: &_| matches!(fact, Observation::Node { what: "deleted", .. });
        let count = witness.times(deleted).len();
        some_deleted += usize::from(count > 0 && count < 3);
        // Without any node nothing is evicted; with one of them everything is.
        assert_eq!(in_rotation(&witness), if count == 0 { 0 } else { 3 }, "{count} deleted");
    }
    assert!(some_deleted >= 3, "{some_deleted}");
}

#[test]
fn a_fault_aimed_at_a_replica_finds_the_one_that_plays_its_part_after_a_rollout() {
    for slot in 0..3 {
        let mut plan = three(900.0);
        plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 100.0)];
        plan.faults.push(fault(Fault::ReplicaCrash(ReplicaTarget::Slot(slot)), 500.0));
        let (witness, _) = witnessed(&plan, 0);
        assert_eq!(injections(&witness, 1), [500.0], "slot {slot}");
    }
}

#[test]
fn maintenance_lasts_until_what_it_took_is_back() {
    let mut plan = three(4_000.0);
    plan.nodes.per_zone = Some(1);
    plan.faults = vec![fault(Fault::Maintenance(Law::Constant(secs(600.0))), 100.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    let last = (3..6).filter_map(|replica| rotated(&witness, replica, true)).max().unwrap();
    assert_eq!(in_rotation(&witness), 3);
    assert_eq!(outcome.incidents[0].restored, Some(last));
}

#[test]
fn a_zone_that_is_back_serves_what_it_lost_before_what_a_rollout_wants() {
    let mut plan = three(2_500.0);
    plan.nodes.per_zone = Some(1);
    let outage = Fault::ZoneOutage(Some(1), Law::Constant(secs(900.0)));
    plan.faults = vec![fault(outage, 120.0), fault(Fault::Rollout(Release::SOUND), 180.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(in_rotation(&witness), 3);
    assert!(outcome.incidents[0].normal.is_some(), "the zone's outage is over");
    assert!(outcome.incidents[1].normal.is_none(), "the rollout has no room for one more");
}

#[test]
fn the_disruption_budget_counts_what_the_api_server_knows() {
    let mut plan = three(900.0);
    let loss = Fault::NodeLoss(ReplicaTarget::Slot(0), None);
    plan.faults = vec![fault(loss, 300.0), fault(drain(1, 5.0), 301.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    // The machine of the first is gone, but nobody knows: the second is evicted at once.
    assert_eq!(entered(&witness, 1, State::Draining), Some(at(301.0)));
    assert_eq!(outcome.incidents[0].serving_least, 1);
}

#[test]
fn the_one_that_became_ready_last_is_removed_first_whatever_its_zone() {
    let mut plan = plan(3, 200.0, 1_000.0);
    warm_start(&mut plan, (2.0, 6.0));
    evenly(&mut plan);
    plan.gateway.demand = Law::Constant(secs(0.012));
    plan.topology.zones.truncate(2);
    plan.topology.placement = vec![0, 1, 0];
    let mut autoscaling = published();
    autoscaling.spec.behavior.as_mut().unwrap().down.window = Some(secs(60.0));
    plan.autoscaling = Some(autoscaling);
    plan.faults =
        vec![FaultPlan { fault: Fault::ReplicaCrash(ReplicaTarget::Slot(1)), ..crash(120.0) }];
    step(&mut plan, 400.0, 50.0);
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(changes(&witness).last().map(|(_, size)| *size), Some(2));
    assert!(entered(&witness, 3, State::Draining).is_some(), "the replacement goes");
    assert!((0..3).all(|replica| entered(&witness, replica, State::Draining).is_none()));
}

#[test]
fn a_replica_that_was_unready_in_between_joins_once() {
    let mut plan = three(400.0);
    // Known to the ingress long after; hung and well again before that.
    plan.ingress.propagation = Law::Constant(secs(30.0));
    plan.detection.probe_cpu = Some(secs(0.005));
    plan.detection.liveness.failures = 1_000;
    plan.startup.readiness.failures = 1;
    let pause = Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share::ZERO, Law::Constant(secs(8.0)));
    plan.faults = vec![crash(50.0), fault(pause, 66.0)];
    for replication in 0..20 {
        let (witness, _) = witnessed(&plan, replication);
        let joins = witness.times(|fact| *fact == Observation::JoinedRotation { replica: 3 });
        assert_eq!(joins.len(), 1, "replication {replication}");
    }
}

#[test]
fn a_hung_replica_that_is_removed_ends_with_the_grace() {
    let mut plan = three(600.0);
    let hang = Fault::ReplicaHang(ReplicaTarget::Slot(0));
    plan.faults = vec![fault(hang, 100.0), fault(Fault::Rollout(Release::SOUND), 101.0)];
    plan.upgrade =
        Upgrade { surge: Portion::Count(0), unavailable: Portion::Count(1), ..Upgrade::default() };
    let (witness, _) = witnessed(&plan, 0);
    let drained = entered(&witness, 0, State::Draining).expect("it is the first to go");
    let gone = entered(&witness, 0, State::Terminated).expect("and ends");
    assert_eq!((drained, gone.since(drained)), (at(101.0), plan.detection.grace));
}

#[test]
fn the_time_with_fewer_replicas_is_what_was_seen_of_it() {
    let mut plan = three(600.0);
    plan.ingress.propagation = Law::Constant(secs(1.0));
    plan.faults = vec![crash(100.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    let (left, joined) = crate::derived::gap(&witness, 3);
    let fewer = outcome.incidents[0].fewer.as_secs();
    assert!((fewer - (joined - left)).abs() < 1e-6, "{fewer} of {left} to {joined}");
    plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 100.0)];
    let (_, outcome) = witnessed(&plan, 0);
    // With the same delay for joining and leaving the rollout lacks nobody.
    assert_eq!(outcome.incidents[0].fewer, secs(0.0));
}

#[test]
fn a_share_of_whole_nodes_takes_no_node_more() {
    for (nodes, percent, hit) in [(100, 55.0, 55), (25, 28.0, 7), (100, 7.0, 7), (3, 34.0, 2)] {
        let mut plan = three(60.0);
        plan.nodes.per_zone = Some(nodes);
        let lasts = Law::Constant(secs(1e6));
        let part = Fault::PartialOutage(Some(0), Share(percent / 100.0), lasts);
        plan.faults = vec![fault(part, 10.0)];
        let lost = |fact: &_| matches!(fact, Observation::Node { what: "lost", .. });
        assert_eq!(witnessed(&plan, 0).0.times(lost).len(), hit);
    }
}

#[test]
fn no_more_nodes_are_added_than_are_needed() {
    let mut plan = three(1_500.0);
    plan.topology.spread = Spread::DoNotSchedule;
    plan.nodes = Nodes {
        per_zone: Some(1),
        provisioning: Some(Law::Exponential(secs(120.0))),
        ..Nodes::default()
    };
    let mut autoscaling = published();
    (autoscaling.spec.min, autoscaling.spec.max) = (9, 9);
    plan.autoscaling = Some(autoscaling);
    for replication in 0..10 {
        let (witness, _) = witnessed(&plan, replication);
        let added = |fact: &_| matches!(fact, Observation::Node { what: "added", .. });
        assert_eq!(witness.times(added).len(), 6, "replication {replication}");
        assert_eq!(in_rotation(&witness), 9);
    }
}

#[test]
fn old_replicas_that_are_not_ready_count_as_missing_in_a_rollout() {
    // Two of three hang and are found: one may be missing, so nothing is exchanged before their
    // restart.
    let mut plan = three(600.0);
    plan.upgrade =
        Upgrade { surge: Portion::Count(0), unavailable: Portion::Count(1), ..Upgrade::default() };
    plan.detection.liveness.failures = 1_000;
    plan.faults = vec![
        fault(Fault::ReplicaHang(ReplicaTarget::Slot(0)), 100.0),
        fault(Fault::ReplicaHang(ReplicaTarget::Slot(1)), 100.0),
        fault(Fault::Rollout(Release::SOUND), 150.0),
    ];
    let (witness, _) = witnessed(&plan, 0);
    let ended = |replica| entered(&witness, replica, State::Draining).map(|at| at.as_secs());
    assert_eq!(ended(0), Some(150.0), "one may go at once");
    assert!(ended(1) > Some(160.0), "the other when the first new one is ready");
}
