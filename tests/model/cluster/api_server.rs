//! The API server of Kubernetes away, and nodes that cannot be had: what waits, and what goes on.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Span};

use crate::cluster::scaling::published;
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{crash, entered, evenly, fault, rotated, step, warm_start};

/// Three replicas in three zones of two nodes, on a regular stream of 30/s. A node that vanishes is
/// not ready after 50 s sharp.
fn three(horizon: f64) -> Plan {
    let mut plan = plan(3, 30.0, horizon);
    warm_start(&mut plan, (2.0, 6.0));
    evenly(&mut plan);
    plan.run.bin = secs(10.0);
    plan.nodes.per_zone = Some(2);
    (plan.detection.lease, plan.detection.monitor) = (Span::ZERO, Span::ZERO);
    plan.detection.crash = Law::ZERO;
    plan
}

fn lasting(seconds: f64) -> Law {
    Law::Constant(secs(seconds))
}

/// The API server is away between two times.
fn away(from: f64, until: f64) -> FaultPlan {
    fault(Fault::ApiServerOutage(lasting(until - from)), from)
}

fn lost_node(seconds: f64) -> FaultPlan {
    fault(Fault::NodeLoss(ReplicaTarget::Slot(0), None), seconds)
}

/// When replicas were created after the start.
fn created(witness: &Witness) -> Vec<Instant> {
    let all = witness.times(|fact| matches!(fact, Observation::Created { .. }));
    all.into_iter().filter(|time| *time > at(0.0)).collect()
}

#[test]
fn a_crashed_replica_is_replaced_and_its_address_dropped_when_the_api_server_is_back() {
    let mut plan = three(600.0);
    plan.faults = vec![away(50.0, 400.0), crash(100.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(created(&witness), [at(400.0)]);
    let left = rotated(&witness, 0, false).expect("it leaves").as_secs();
    assert!((400.5..=402.0).contains(&left), "known after its propagation: {left}");
    // A third of 30/s until then.
    let dead = outcome.ledger.failed_by(Failure::DeadAddress) as f64;
    assert!((dead - 10.0 * (left - 100.0)).abs() <= 2.0, "{dead} until {left}");
    let back = Observation::ApiServerBack { region: 0, endpoints: 0, slots: 1 };
    assert_eq!(witness.times(|fact| *fact == back), [at(400.0)]);
}

#[test]
fn a_container_is_restarted_on_its_node_and_found_where_it_was() {
    let mut plan = three(600.0);
    plan.detection.after_crash = AfterCrash::Restarted;
    plan.faults = vec![away(50.0, 500.0), crash(100.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    let able = entered(&witness, 0, State::Probing).expect("it boots").as_secs();
    assert!((102.0..=106.0).contains(&able), "booted at {able}");
    assert!(created(&witness).is_empty());
    assert_eq!(rotated(&witness, 0, false), None, "nobody drops its address");
    // It takes requests as soon as it can, whether its probe has seen that or not.
    let dead = outcome.ledger.failed_by(Failure::DeadAddress) as f64;
    assert!((dead - 10.0 * (able - 100.0)).abs() <= 2.0, "{dead} until {able}");
    let joined = outcome.incidents[1].restored.expect("it is whole again").as_secs();
    assert!(joined < 125.0, "{joined}: long before the API server is back");
}

#[test]
fn a_hung_replica_is_killed_by_its_kubelet_and_stays_in_rotation() {
    let mut plan = three(600.0);
    plan.faults = vec![away(50.0, 500.0)];
    plan.faults.push(fault(Fault::ReplicaHang(ReplicaTarget::Slot(0)), 100.0));
    let (witness, _) = witnessed(&plan, 0);
    assert!(entered(&witness, 0, State::Unready).is_some_and(|time| time < at(200.0)));
    let booted = entered(&witness, 0, State::Booting).expect("it is restarted");
    assert!(booted < at(250.0) && created(&witness).is_empty());
    assert_eq!(rotated(&witness, 0, false), None);
}

#[test]
fn a_replica_that_becomes_ready_meanwhile_is_known_afterwards() {
    // It starts at 100 s, is bound within a second, and ready some 20 s later.
    let mut plan = three(600.0);
    plan.faults = vec![crash(100.0), away(102.0, 300.0)];
    let (witness, _) = witnessed(&plan, 0);
    let ready = entered(&witness, 3, State::Ready).expect("its kubelet starts it");
    assert!(ready < at(130.0), "{ready}");
    let joined = rotated(&witness, 3, true).expect("it joins").as_secs();
    assert!((300.5..=302.0).contains(&joined), "{joined}");
}

#[test]
fn nodes_are_watched_anew_and_tolerated_anew_afterwards() {
    let replaced = |lost: f64, (from, until): (f64, f64)| {
        let mut plan = three(1_500.0);
        plan.faults = vec![lost_node(lost), away(from, until)];
        created(&witnessed(&plan, 0).0)
    };
    // Not ready after 50 s, tolerated for 300 s more.
    assert_eq!(replaced(50.0, (1_400.0, 1_450.0)), [at(400.0)]);
    // Lost before or during the outage: both from its end.
    assert_eq!(replaced(90.0, (100.0, 120.0)), [at(120.0 + 350.0)]);
    assert_eq!(replaced(110.0, (100.0, 400.0)), [at(400.0 + 350.0)]);
    // Not ready at 100 s and marked: the toleration from its end.
    assert_eq!(replaced(50.0, (200.0, 600.0)), [at(600.0 + 300.0)]);
    assert_eq!(replaced(50.0, (200.0, 210.0)), [at(210.0 + 300.0)]);
}

#[test]
fn a_machine_that_is_back_gets_its_pods_when_the_api_server_is() {
    let mut plan = three(900.0);
    let zone = Fault::ZoneOutage(Some(0), lasting(100.0));
    plan.faults = vec![fault(zone, 50.0), away(60.0, 560.0)];
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(entered(&witness, 0, State::Sandbox), Some(at(560.0)));
    assert!(created(&witness).is_empty());
}

#[test]
fn nobody_scales_or_rolls_out_meanwhile_and_both_happen_afterwards() {
    let mut plan = plan(2, 100.0, 900.0);
    warm_start(&mut plan, (2.0, 6.0));
    evenly(&mut plan);
    plan.gateway.demand = Law::Constant(secs(0.01));
    plan.autoscaling = Some(published());
    step(&mut plan, 120.0, 160.0);
    plan.faults = vec![away(100.0, 400.0), fault(Fault::Rollout(Release::SOUND), 200.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    let decided = witness.times(|fact| matches!(fact, Observation::Decided { .. }));
    assert!(decided.iter().all(|time| *time < at(100.0) || *time >= at(400.0)));
    assert!(decided.iter().any(|time| *time == at(400.0)), "a step that is overdue");
    assert!(created(&witness).iter().all(|time| *time >= at(400.0)));
    assert!(outcome.incidents[1].restored.is_some(), "the rollout ends");
}

#[test]
fn what_was_deleted_ends_and_its_machine_is_known_to_be_empty_afterwards() {
    let mut plan = three(900.0);
    let drain = Fault::DrainNode(ReplicaTarget::Slot(0), lasting(10.0));
    plan.faults = vec![fault(drain, 100.0), away(101.0, 400.0)];
    let (witness, _) = witnessed(&plan, 0);
    let drained = at(100.0) + plan.termination.drain;
    assert_eq!(entered(&witness, 0, State::Terminated), Some(drained));
    let emptied = |fact: &_| matches!(fact, Observation::Node { what: "emptied", .. });
    assert_eq!(witness.times(emptied), [at(400.0)]);
    let back = |fact: &_| matches!(fact, Observation::Node { what: "uncordoned", .. });
    assert_eq!(witness.times(back), [at(410.0)]);
}

#[test]
fn two_outages_that_overlap_are_one() {
    let mut plan = three(900.0);
    plan.faults = vec![away(50.0, 300.0), away(200.0, 450.0), crash(100.0)];
    assert_eq!(created(&witnessed(&plan, 0).0), [at(450.0)]);
}

#[test]
fn nodes_that_cannot_be_had_in_a_zone_are_had_in_another() {
    let zones = |shortage: Option<Option<ZoneId>>| {
        let mut plan = three(900.0);
        (plan.nodes.per_zone, plan.nodes.provisioning) = (Some(1), Some(lasting(50.0)));
        plan.faults = vec![lost_node(50.0)];
        let cut = shortage.map(|zone| Fault::ProvisioningOutage(zone, lasting(1e6)));
        plan.faults.extend(cut.map(|cut| fault(cut, 10.0)));
        let (witness, _) = witnessed(&plan, 0);
        let zone = |(time, fact): &(Instant, Observation)| match fact {
            Observation::Created { zone, .. } if *time > at(0.0) => Some((*zone, *time)),
            _ => None,
        };
        let reason = |(_, fact): &(Instant, Observation)| match fact {
            Observation::Unschedulable { reason, .. } => Some(*reason),
            _ => None,
        };
        let reasons: Vec<&str> = witness.facts.iter().filter_map(reason).collect();
        (witness.facts.iter().filter_map(zone).collect::<Vec<_>>(), reasons)
    };
    // Given up at 400 s; the first zone has the fewest.
    assert_eq!(zones(None).0, [(0, at(450.0))]);
    assert_eq!(zones(Some(Some(0))).0, [(1, at(450.0))]);
    assert_eq!(zones(Some(Some(1))).0, [(0, at(450.0))]);
    let (nobody, reasons) = zones(Some(None));
    assert!(nobody.is_empty());
    assert_eq!(reasons, ["no node has room, and none can be had"]);
}

#[test]
fn a_zone_that_is_lost_takes_its_supply_of_nodes_along() {
    let mut plan = three(900.0);
    (plan.nodes.per_zone, plan.nodes.provisioning) = (Some(1), Some(lasting(50.0)));
    plan.faults = vec![fault(Fault::ZoneOutage(Some(0), lasting(1e6)), 50.0)];
    let added = |plan: &Plan| {
        let (witness, _) = witnessed(plan, 0);
        let zone = |(_, fact): &(Instant, Observation)| match fact {
            Observation::Node { zone, what: "added", .. } => Some(*zone),
            _ => None,
        };
        witness.facts.iter().filter_map(zone).collect::<Vec<_>>()
    };
    assert_eq!(added(&plan), [1], "the next best zone has one");
    plan.topology.spread = Spread::DoNotSchedule;
    assert!(added(&plan).is_empty(), "only the lost zone would be allowed");
}
