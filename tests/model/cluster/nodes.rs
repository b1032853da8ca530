//! Nodes, zones and planned change: where replacements go, when, and when not.

use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Share;

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{Sample, crash, entered, evenly, fault, rotated, warm_start};

/// Three replicas in three zones with so many nodes each, as warm as the derived delays assume.
fn three(per_zone: usize, horizon: f64) -> Plan {
    let mut plan = plan(3, 30.0, horizon);
    warm_start(&mut plan, (2.0, 6.0));
    plan.run.bin = secs(10.0);
    plan.nodes.per_zone = Some(per_zone);
    plan
}

fn zone_outage(lasts: f64) -> Fault {
    Fault::ZoneOutage(Some(0), Law::Constant(secs(lasts)))
}

/// The zones of the replicas created after the start.
fn later_zones(witness: &Witness) -> Vec<usize> {
    let zone = |(time, fact): &(_, Observation)| match fact {
        Observation::Created { zone, .. } if *time > at(0.0) => Some(*zone),
        _ => None,
    };
    witness.facts.iter().filter_map(zone).collect()
}

/// The fewest replicas that were ready at the end of any instant, as the API server knows it.
fn least_ready(witness: &Witness) -> usize {
    let mut ready = std::collections::BTreeSet::new();
    let (mut least, mut last) = (usize::MAX, at(0.0));
    for (time, fact) in &witness.facts {
        let Observation::Entered { replica, state, .. } = fact else { continue };
        if *time > last {
            (least, last) = (least.min(ready.len()), *time);
        }
        match state {
            State::Ready => ready.insert(*replica),
            _ => ready.remove(replica),
        };
    }
    least.min(ready.len())
}

fn unschedulable(witness: &Witness) -> Option<&'static str> {
    witness.facts.iter().find_map(|(_, fact)| match fact {
        Observation::Unschedulable { reason, .. } => Some(*reason),
        _ => None,
    })
}

/// Seconds from the injection until the replica of this number is ready.
fn ready_after(plan: &Plan, injection: f64, replica: usize, count: u64) -> Sample {
    Sample::of(count, |replication| {
        let (witness, _) = witnessed(plan, replication);
        let ready = entered(&witness, replica, State::Ready).expect("it becomes ready");
        ready.as_secs() - injection
    })
}

#[test]
fn property_4_with_schedule_anyway_the_replacement_appears_in_a_zone_that_survived() {
    let mut plan = three(2, 500.0);
    plan.faults = vec![fault(zone_outage(1e6), 50.0)];
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(later_zones(&witness), [1]);
    // With a node for each replica none of them waits for another one's eviction.
    plan.nodes.per_zone = None;
    let silent = ready_after(&plan, 50.0, 3, 400);
    assert!((silent.mean() - 361.0).abs() < 1.0 + 4.0 * silent.standard_error());
    silent.expect_within(340.0 + 1.1 + 10.0, 355.0 + 6.0 + 10.0);
    plan.faults = vec![crash(50.0)];
    let crashed = ready_after(&plan, 50.0, 3, 400);
    assert!((crashed.mean() - 14.1).abs() < 0.1 + 4.0 * crashed.standard_error());
}

#[test]
fn property_4_with_do_not_schedule_it_waits_while_the_dead_zone_has_nodes() {
    let mut plan = three(2, 1_500.0);
    plan.topology.spread = Spread::DoNotSchedule;
    plan.faults = vec![fault(zone_outage(1e6), 50.0)];
    for replication in 0..20 {
        assert!(later_zones(&witnessed(&plan, replication).0).is_empty(), "{replication}");
    }
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(
        unschedulable(&witness),
        Some("the spread over zones forbids the zones that have room")
    );
    assert_eq!(outcome.incidents[0].restored, None);
    // It is placed as soon as the nodes are gone from the cluster, or the zone is back.
    plan.nodes.deleted = Share::ONE;
    plan.nodes.deletion = Law::Constant(secs(30.0));
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(later_zones(&witness), [1]);
    plan.nodes.deleted = Share::ZERO;
    plan.faults = vec![fault(zone_outage(700.0), 50.0)];
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(later_zones(&witness), [0]);
    // A greater skew lets it go elsewhere.
    plan.topology.max_skew = 2;
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(later_zones(&witness), [1]);
}

#[test]
fn property_5_after_a_zone_returns_placement_stays_until_the_next_rollout() {
    let mut plan = three(3, 2_500.0);
    plan.faults = vec![fault(zone_outage(600.0), 50.0)];
    let serving = |witness: &Witness| {
        let mut zones = vec![0, 1, 2];
        let mut in_rotation = [0_usize; 3];
        for (_, fact) in &witness.facts {
            match fact {
                Observation::Created { zone, replica, .. } if *replica > 2 => zones.push(*zone),
                Observation::JoinedRotation { replica } => in_rotation[zones[*replica]] += 1,
                Observation::LeftRotation { replica } => in_rotation[zones[*replica]] -= 1,
                _ => {}
            }
        }
        in_rotation
    };
    for replication in 0..20 {
        assert_eq!(serving(&witnessed(&plan, replication).0), [0, 2, 1], "{replication}");
    }
    plan.faults.push(fault(Fault::Rollout(Release::SOUND), 1_500.0));
    for replication in 0..20 {
        assert_eq!(serving(&witnessed(&plan, replication).0), [1, 1, 1], "{replication}");
    }
}

#[test]
fn property_22_a_node_delays_the_third_replica_and_without_nodes_it_never_comes() {
    let mut plan = plan(3, 30.0, 250.0);
    warm_start(&mut plan, (2.0, 6.0));
    plan.run.bin = secs(10.0);
    plan.nodes = Nodes { per_zone: Some(1), ..Nodes::default() };
    plan.faults = vec![fault(Fault::NodeLoss(ReplicaTarget::Slot(0), None), 20.0)];
    // The node is found gone at once and its replica given up: from here the wait for a node.
    plan.detection.node_grace = secs(0.0);
    (plan.detection.lease, plan.detection.monitor) = (secs(0.0), secs(0.0));
    plan.detection.toleration = secs(0.0);
    assert_eq!(unschedulable(&witnessed(&plan, 0).0), Some("no node has room"));
    plan.nodes.provisioning = Some(Law::uniform_secs(45.0, 65.0));
    plan.nodes.image = Law::uniform_secs(10.0, 25.0);
    let delay = ready_after(&plan, 20.0, 3, 400);
    // Derived: mean 86 s, 5 % 74 s, 95 % 98 s, each rounded to the second.
    let error = 4.0 * delay.standard_error();
    assert!((delay.mean() - 86.0).abs() <= 0.5 + error && error < 2.0, "{}", delay.mean());
    let (low, high) = (delay.quantile(0.05), delay.quantile(0.95));
    assert!(low.0 <= 74.5 && low.1 >= 73.5, "5 %: {low:?}");
    assert!(high.0 <= 98.5 && high.1 >= 97.5, "95 %: {high:?}");
    let cut = Fault::ProvisioningOutage(None, Law::Constant(secs(1e6)));
    plan.faults.push(fault(cut, 10.0));
    assert!(later_zones(&witnessed(&plan, 0).0).is_empty());
    plan.faults[1] = fault(Fault::ProvisioningOutage(None, Law::Constant(secs(60.0))), 10.0);
    let late = ready_after(&plan, 70.0, 3, 50);
    assert!((late.mean() - 86.0).abs() <= 4.0 * late.standard_error() + 0.5, "{}", late.mean());
}

#[test]
fn a_partial_outage_of_a_small_zone_stops_evictions_and_a_full_one_does_not() {
    for (per_zone, share, replaced) in
        [(5, 0.6, false), (5, 0.4, true), (3, 0.67, true), (5, 1.0, true), (51, 0.6, true)]
    {
        let mut plan = three(per_zone, 800.0);
        let lasts = Law::Constant(secs(1e6));
        let part = Fault::PartialOutage(Some(0), Share(share), lasts.clone());
        plan.faults = vec![match share {
            1.0 => fault(Fault::ZoneOutage(Some(0), lasts), 50.0),
            _ => fault(part, 50.0),
        }];
        // All nodes are found in one look, so none is marked before the zone counts as disrupted.
        (plan.detection.lease, plan.detection.monitor) = (secs(0.0), secs(0.0));
        for replication in 0..5 {
            let (witness, _) = witnessed(&plan, replication);
            let what = format!("{share} of {per_zone}");
            assert_eq!(!later_zones(&witness).is_empty(), replaced, "{what}");
            let stopped = |(_, fact): &(_, Observation)| {
                matches!(fact, Observation::Evictions { zone: 0, stopped: true })
            };
            assert_eq!(witness.facts.iter().any(stopped), !replaced, "{what}");
        }
    }
}

#[test]
fn evictions_follow_each_other_at_their_rate_and_begin_again_with_a_node_that_is_back() {
    let mut plan = three(4, 1_200.0);
    plan.gateway.replicas = 6;
    plan.topology.placement = vec![0, 0, 0, 1, 2, 2];
    plan.faults = vec![fault(zone_outage(1e6), 50.0)];
    (plan.detection.lease, plan.detection.monitor) = (secs(0.0), secs(0.0));
    let created = |plan: &Plan| {
        let (witness, _) = witnessed(plan, 0);
        let created = witness.times(|fact| matches!(fact, Observation::Created { .. }));
        let late = created.iter().filter(|time| **time > at(0.0));
        late.map(|time| time.as_secs()).collect::<Vec<_>>()
    };
    // Not ready after 50 s, tolerated for 300 s, 10 s between two nodes.
    assert_eq!(created(&plan), [400.0, 410.0, 420.0]);
    // Three of four nodes: evictions stop until one of them is back.
    let lasts = Law::Constant(secs(500.0));
    plan.faults = vec![fault(Fault::PartialOutage(Some(0), Share(0.75), lasts), 50.0)];
    assert!(created(&plan).is_empty(), "all three come back after 500 s");
    let one = Fault::NodeLoss(ReplicaTarget::Slot(0), Some(Law::Constant(secs(300.0))));
    let two = |slot| Fault::NodeLoss(ReplicaTarget::Slot(slot), None);
    plan.faults = vec![fault(one, 50.0), fault(two(1), 50.0), fault(two(2), 50.0)];
    // The first is back at 350 s; the others are marked then, one after the other.
    assert_eq!(created(&plan), [650.0, 660.0]);
}

#[test]
fn if_every_zone_is_dead_nothing_is_evicted() {
    let mut plan = three(1, 1_000.0);
    plan.faults = (0..3)
        .map(|zone| fault(Fault::ZoneOutage(Some(zone), Law::Constant(secs(700.0))), 50.0))
        .collect();
    let (witness, outcome) = witnessed(&plan, 0);
    assert!(later_zones(&witness).is_empty());
    assert!(outcome.incidents.iter().all(|incident| incident.restored.is_some()));
    let restarted = witness.states(0).into_iter().any(|(_, state)| state == State::Sandbox);
    assert!(restarted, "each starts again where it was");
}

#[test]
fn property_35_a_rolling_patch_loses_nothing_that_finishes_within_the_drain() {
    for replicas in [2, 3] {
        let mut plan = plan(replicas, 60.0, 600.0);
        warm_start(&mut plan, (2.0, 6.0));
        evenly(&mut plan);
        plan.gateway.demand = Law::Constant(secs(0.01));
        plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 100.0)];
        for replication in 0..10 {
            let (witness, outcome) = witnessed(&plan, replication);
            assert_eq!(outcome.ledger.failed(), 0);
            assert_eq!(least_ready(&witness), replicas, "of {replicas}");
            assert_eq!(later_zones(&witness).len(), replicas);
            assert!(outcome.incidents[0].restored.is_some());
        }
    }
}

#[test]
fn property_35_requests_longer_than_the_drain_are_cut() {
    // One request in flight in each replica at any time, of 28 s each: the drain is 25 s.
    let cut = |seconds: f64| {
        let mut plan = plan(2, 0.5, 600.0);
        warm_start(&mut plan, (2.0, 6.0));
        (plan.ingress.read_timeout, plan.gateway.cores.0) = (secs(300.0), 100.0);
        plan.gateway.demand = Law::Constant(secs(seconds));
        plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 200.0)];
        let lost = |replication| witnessed(&plan, replication).1.ledger.failed() as f64;
        Sample::of(100, lost)
    };
    // A request is cut if it came less than its length before the end and before the address left
    // the endpoints: length + propagation − drain, at a quarter of a request each second and
    // replica.
    let expected = 2.0 * 0.25 * (28.0 + 1.25 - 25.0);
    cut(28.0).expect_mean(expected, 0.5);
    assert_eq!(cut(23.0).mean(), 0.0, "23 s and 2 s of propagation fit");
}

#[test]
fn a_rollout_without_surge_takes_one_after_the_other() {
    let mut plan = three(2, 600.0);
    plan.upgrade =
        Upgrade { surge: Portion::Count(0), unavailable: Portion::Count(1), ..Upgrade::default() };
    plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 100.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(later_zones(&witness).len(), 3);
    assert_eq!(outcome.ledger.failed(), 0);
    assert_eq!(least_ready(&witness), 2);
}

#[test]
fn the_disruption_budget_lets_maintenance_take_one_replica_at_a_time() {
    let mut plan = three(2, 1_200.0);
    plan.faults = vec![fault(Fault::Maintenance(Law::Constant(secs(5.0))), 100.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(later_zones(&witness).len(), 3);
    assert_eq!(outcome.ledger.failed(), 0);
    assert_eq!(least_ready(&witness), 2, "never two at a time");
    // Two on one node: the second waits until the first has been replaced.
    let mut plan = three(1, 600.0);
    plan.nodes.room = 2;
    plan.topology.placement = vec![0, 0, 1];
    plan.faults =
        vec![fault(Fault::DrainNode(ReplicaTarget::Slot(0), Law::Constant(secs(5.0))), 100.0)];
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(least_ready(&witness), 2);
    let first = rotated(&witness, 3, true).expect("the first replacement").as_secs();
    let second = entered(&witness, 1, State::Draining).expect("its turn").as_secs();
    assert!(second + 2.0 > first, "{second} after {first}");
    assert!(entered(&witness, 0, State::Draining) == Some(at(100.0)));
}

#[test]
fn a_machine_that_was_deleted_stays_away_while_its_zone_is_down() {
    let mut plan = three(1, 400.0);
    (plan.nodes.deleted, plan.nodes.deletion) = (Share::ONE, Law::ZERO);
    let back = Some(Law::Constant(secs(150.0)));
    plan.faults = vec![fault(Fault::NodeLoss(ReplicaTarget::Slot(0), back), 50.0)];
    plan.faults.push(fault(zone_outage(200.0), 120.0));
    let (witness, _) = witnessed(&plan, 0);
    // Lost at 50 s, deleted by 105 s; its own fault ends at 200 s, that of the zone at 320 s.
    assert_eq!(entered(&witness, 0, State::Terminated).map(|at| at.as_secs() < 106.0), Some(true));
    let placed = witness.times(|fact| matches!(fact, Observation::Created { replica: 3, .. }));
    assert_eq!(placed, [at(320.0)]);
}
