//! Faults that meet each other, or a replica that is not well already.

use crate::common;
use crate::common::troubles::{named, random};
use crate::common::witness::witnessed;
use crate::common::{at, plan, secs};
use crate::derived::evenly;
use brownout::observe::ledger::Failure;
use brownout::observe::{Observation, Sent, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Share};

/// Slot 0 has this share of its CPU for so many seconds.
fn slow(name: &str, share: f64, seconds: f64, lasts: f64) -> FaultPlan {
    let lasts = Law::Constant(secs(lasts));
    named(name, Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share(share), lasts), seconds)
}

fn call(duration: f64) -> ControlPlaneCall {
    ControlPlaneCall {
        duration: Law::Constant(secs(duration)),
        timeout: secs(10.0),
        backoff: secs(15.0),
    }
}

/// Contracts that take so many seconds to fetch.
fn contracts(duration: f64, gate: Gate) -> Option<Contracts> {
    Some(Contracts { fetch: call(duration), poll: secs(15.0), gate })
}

#[test]
fn a_replica_restarted_without_contracts_configures_and_serves_again() {
    let mut plan = plan(2, 100.0, 600.0);
    plan.startup.configuration = Configuration::Download(call(1.0));
    plan.startup.contracts = contracts(500.0, Gate::Api(Share(0.5)));
    plan.faults = vec![
        named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 10.0),
        named("hang", Fault::ReplicaHang(ReplicaTarget::Slot(0)), 60.0),
    ];
    let outcome = common::replicate(&plan, 0);
    // Crash: some 12 s. Hang: at most 25 s unnoticed, 51 s to the kill and 30 s of grace, 20 s to
    // be ready again. So one replica serves for less than 150 s of 600.
    let alone = outcome.time_with_serving[1];
    assert!(alone > secs(30.0) && alone < secs(150.0), "{alone}");
}

#[test]
fn a_slow_down_ends_with_the_process_that_was_slow() {
    let mut plan = plan(2, 100.0, 400.0);
    plan.faults = vec![
        slow("slow", 0.5, 50.0, 300.0),
        named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 60.0),
    ];
    let (witness, outcome) = witnessed(&plan, 0);
    let ended = witness.times(|fact| matches!(fact, Observation::FaultEnded { .. }));
    assert_eq!(ended, [at(60.0)]);
    assert_eq!(outcome.incidents[0].restored, Some(at(60.0)));
    assert!(outcome.incidents[0].lasted().unwrap() < secs(30.0), "{:?}", outcome.incidents[0]);
}

#[test]
fn a_slow_replica_that_hangs_stays_hung_when_the_slow_time_is_over() {
    let mut plan = plan(2, 100.0, 60.0);
    let hang = named("hang", Fault::ReplicaHang(ReplicaTarget::Slot(0)), 15.0);
    plan.faults = vec![slow("slow", 0.5, 10.0, 10.0), hang];
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(witness.times(|fact| matches!(fact, Observation::FaultEnded { .. })), [at(20.0)]);
    let worked = |request: &&brownout::observe::Served| {
        request.replica == 0 && request.finished > at(15.0) && request.finished < at(60.0)
    };
    assert_eq!(witness.served_in_time().filter(worked).count(), 0);
}

#[test]
fn of_slow_downs_at_the_same_time_the_worst_holds() {
    let mut plan = plan(1, 10.0, 200.0);
    plan.gateway.demand = Law::Constant(secs(0.01));
    evenly(&mut plan);
    plan.faults = vec![slow("severe", 0.2, 20.0, 100.0), slow("mild", 0.5, 40.0, 30.0)];
    let (witness, _) = witnessed(&plan, 0);
    for request in &witness.served {
        let is_slow = request.sent >= at(20.0) && request.sent < at(119.99);
        let is_mixed = request.sent >= at(119.9) && request.sent < at(120.1);
        let latency = request.finished.since(request.sent).as_secs();
        let expected = if is_slow { 0.05 } else { 0.01 };
        assert!(is_mixed || (latency - expected).abs() < 1e-6, "{request:?}");
    }
}

#[test]
fn an_outage_of_the_control_plane_cuts_a_download_in_progress() {
    let mut plan = plan(2, 100.0, 200.0);
    plan.startup.contracts = contracts(5.0, Gate::Replica);
    plan.detection.crash = Law::Constant(secs(1.0));
    plan.faults = vec![
        named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 30.0),
        named("cut", Fault::ControlPlaneOutage(Law::Constant(secs(1.0))), 33.0),
    ];
    let (witness, _) = witnessed(&plan, 0);
    let states = witness.states(2);
    let entered = |wanted| states.iter().find(|(_, state)| *state == wanted).map(|(at, _)| *at);
    // Asked at 31 s, cut at 33 s, given up at 41 s, asked again at 56 s, there at 61 s.
    assert_eq!(entered(State::Contracts), Some(at(31.0)));
    assert_eq!(witness.times(|fact| matches!(fact, Observation::FetchFailed { .. })), [at(41.0)]);
    assert_eq!(entered(State::Probing), Some(at(61.0)));
}

#[test]
fn a_download_may_take_longer_than_the_time_out_of_its_requests() {
    let mut plan = plan(2, 100.0, 200.0);
    plan.startup.contracts = contracts(12.0, Gate::Replica);
    plan.detection.crash = Law::ZERO;
    plan.faults = vec![named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 30.0)];
    let (witness, _) = witnessed(&plan, 0);
    let probing = witness.states(2).iter().find(|(_, state)| *state == State::Probing).copied();
    assert_eq!(probing.map(|(at, _)| at), Some(at(42.0)));
    plan.faults.push(named("cut", Fault::ControlPlaneOutage(Law::Constant(secs(1.0))), 41.0));
    let (witness, _) = witnessed(&plan, 0);
    let failed = witness.times(|fact| matches!(fact, Observation::FetchFailed { .. }));
    assert_eq!(failed, [at(42.0)]);
}

#[test]
fn what_the_ingress_was_about_to_hear_is_not_forgotten_when_the_zone_fails() {
    let mut plan = plan(2, 100.0, 200.0);
    plan.ingress.propagation = Law::Constant(secs(40.0));
    let hang = named("hang", Fault::ReplicaHang(ReplicaTarget::Slot(0)), 30.0);
    let outage = Fault::ZoneOutage(Some(0), Law::Constant(secs(1e4)));
    plan.faults = vec![hang, named("zone", outage, 60.0)];
    let (witness, _) = witnessed(&plan, 0);
    let unready = witness.states(0).iter().find(|(_, state)| *state == State::Unready).unwrap().0;
    assert!(unready < at(60.0), "readiness was lost at {unready}");
    let left = witness.times(|fact| *fact == Observation::LeftRotation { replica: 0 });
    assert_eq!(left, [unready + secs(40.0)]);
}

#[test]
fn a_replacement_goes_to_the_zone_with_the_fewest_replicas() {
    let mut plan = plan(3, 100.0, 60.0);
    plan.topology.placement = vec![0, 0, 1];
    plan.faults = vec![named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 30.0)];
    let (witness, _) = witnessed(&plan, 0);
    let zones: Vec<usize> = witness
        .facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Observation::Created { zone, .. } => Some(*zone),
            _ => None,
        })
        .collect();
    assert_eq!(zones, [0, 0, 1, 2]);
}

#[test]
fn a_replica_whose_zone_returns_before_it_was_replaced_starts_again_in_its_place() {
    let mut plan = plan(2, 100.0, 400.0);
    plan.startup.boot = Law::Constant(secs(4.0));
    plan.ingress.propagation = Law::Constant(secs(1.5));
    let outage = Fault::ZoneOutage(Some(0), Law::Constant(secs(100.0)));
    plan.faults = vec![named("zone", outage, 30.0)];
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(witness.replicas(), 2);
    let states = witness.states(0);
    let sandbox = states.iter().find(|(_, state)| *state == State::Sandbox).unwrap().0;
    assert_eq!(sandbox, at(130.0));
    let ready = states.iter().rev().find(|(_, state)| *state == State::Ready).unwrap().0;
    assert_eq!(ready, at(140.0));
    // What is ready is in rotation a propagation delay later.
    let joined = witness.times(|fact| *fact == Observation::JoinedRotation { replica: 0 });
    assert_eq!(joined, [Instant::ZERO, ready + secs(1.5)]);
}

#[test]
fn a_random_fault_waits_anew_for_a_replica_that_something_else_took() {
    let mut plan = plan(2, 100.0, 250.0);
    plan.detection.crash = Law::ZERO;
    plan.startup.readiness.initial_delay = secs(5.0);
    plan.startup.readiness.period = secs(1.0);
    let crash = Fault::ReplicaCrash(ReplicaTarget::Slot(0));
    plan.faults = vec![
        random("random", crash, Law::Constant(secs(100.0))),
        named("other", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 50.0),
    ];
    let (witness, _) = witnessed(&plan, 0);
    // Back at 55 s, so a hundred seconds later; not at 100 s.
    let injected = witness.times(|fact| matches!(fact, Observation::FaultInjected { .. }));
    assert_eq!(injected, [at(50.0), at(155.0)]);
}

#[test]
fn a_fault_hits_what_becomes_ready_at_the_same_moment() {
    let mut plan = plan(2, 100.0, 100.0);
    plan.detection.crash = Law::ZERO;
    let crash = || Fault::ReplicaCrash(ReplicaTarget::Slot(0));
    plan.faults = vec![named("one", crash(), 30.0), named("other", crash(), 40.0)];
    let (witness, _) = witnessed(&plan, 0);
    let ready = witness.states(2).iter().find(|(_, state)| *state == State::Ready).copied();
    assert_eq!(ready.map(|(at, _)| at), Some(at(40.0)));
    let injected = witness.times(|fact| matches!(fact, Observation::FaultInjected { .. }));
    assert_eq!(injected, [at(30.0), at(40.0)]);
}

/// Ingress instance `one` is gone for so long.
fn ingress_loss(one: usize, seconds: f64, lasts: f64) -> FaultPlan {
    named(
        "ingress",
        Fault::IngressLoss(InstanceTarget::One(one), Law::Constant(secs(lasts))),
        seconds,
    )
}

#[test]
fn a_lost_ingress_instance_takes_only_what_went_through_it() {
    // Half of the requests hang in a replica that stands still, half wait for a dead address.
    let mut plan = plan(3, 100.0, 36.0);
    plan.ingress.instances = vec![None; 2];
    plan.detection.crash = Law::Constant(secs(100.0));
    plan.faults = vec![
        slow("still", 0.0, 30.0, 1e4),
        named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(1)), 30.0),
        ingress_loss(0, 33.0, 1e4),
    ];
    let (witness, outcome) = witnessed(&plan, 0);
    let at_loss = |(_, time, failure): &&(Sent, Instant, Failure)| {
        *time == at(33.0) && *failure == Failure::LostWithIngress
    };
    let lost = witness.failed.iter().filter(at_loss).count() as f64;
    // Two thirds of 300 requests, and of these the half that came through the instance.
    assert!((lost - 100.0).abs() < 5.0 * 100.0_f64.sqrt(), "{lost}");
    assert!(outcome.ledger.failed_by(Failure::IngressDown) > 0);
}

#[test]
fn an_ingress_instance_that_is_back_before_clients_avoid_it_stays_known() {
    let mut plan = plan(2, 100.0, 60.0);
    plan.ingress.instances = vec![None; 2];
    plan.faults = vec![ingress_loss(0, 20.0, 5.0)];
    let (witness, _) = witnessed(&plan, 0);
    let told = witness.facts.iter().filter_map(|(at, fact)| match fact {
        Observation::Ingress { reachable, down, .. } => Some((*at, *reachable, *down)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [(at(20.0), 2, 1), (at(25.0), 2, 0)]);
}

#[test]
fn a_zone_that_is_back_at_once_starts_what_nobody_missed_yet() {
    let mut plan = plan(2, 100.0, 100.0);
    let outage = Fault::ZoneOutage(Some(0), Law::Constant(secs(5.0)));
    plan.faults = vec![named("zone", outage, 30.0)];
    let (witness, _) = witnessed(&plan, 0);
    let states: Vec<State> = witness.states(0).into_iter().map(|(_, state)| state).collect();
    assert!(!states.contains(&State::Unready) && states.contains(&State::Sandbox), "{states:?}");
    // The address is dead until the ingress hears that its replica starts anew.
    let left = witness.times(|fact| *fact == Observation::LeftRotation { replica: 0 });
    assert_eq!(left, [at(35.0)]);
}

#[test]
fn random_outages_of_a_zone_come_again_after_it_is_back() {
    let mut plan = plan(2, 10.0, 1_000.0);
    let outage = Fault::ZoneOutage(Some(0), Law::Constant(secs(50.0)));
    plan.faults = vec![random("zone", outage, Law::Constant(secs(100.0)))];
    let (witness, _) = witnessed(&plan, 0);
    let injected = witness.times(|fact| matches!(fact, Observation::FaultInjected { .. }));
    assert_eq!(injected, [100.0, 250.0, 400.0, 550.0, 700.0, 850.0].map(at));
}

#[test]
fn of_equal_zones_a_replacement_goes_to_that_of_the_lost_replica() {
    let mut plan = plan(2, 100.0, 60.0);
    plan.topology.zones = ["a", "b", "c"].map(str::to_owned).to_vec();
    plan.faults = vec![named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(1)), 30.0)];
    plan.topology.placement = vec![0, 2];
    let (witness, _) = witnessed(&plan, 0);
    let created = witness.facts.iter().filter_map(|(_, fact)| match fact {
        Observation::Created { zone, .. } => Some(*zone),
        _ => None,
    });
    assert_eq!(created.collect::<Vec<_>>(), [0, 2, 2]);
}

#[test]
fn a_lost_machine_is_silent_even_if_dead_addresses_refuse() {
    let mut plan = plan(2, 100.0, 60.0);
    plan.ingress.dead_address = DeadAddress::Refuses;
    plan.ingress.retries = 1;
    let slowest = |fault: Fault| {
        let plan = Plan { faults: vec![named("f", fault, 30.0)], ..plan.clone() };
        common::replicate(&plan, 0).windows[0].latency.greatest().unwrap()
    };
    assert!(slowest(Fault::ReplicaCrash(ReplicaTarget::Slot(0))) < secs(1.0));
    assert!(slowest(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e4)))) >= secs(5.0));
}

#[test]
fn requests_that_no_drain_ends_are_told_apart() {
    // A hung replica has 100 a second for 20 s, a dead address half a second's; the rest drains.
    let mut plan = plan(3, 300.0, 120.0);
    evenly(&mut plan);
    plan.startup.readiness.failures = 100;
    plan.detection.liveness.failures = 100;
    plan.faults = vec![
        named("hang", Fault::ReplicaHang(ReplicaTarget::Slot(0)), 100.0),
        named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(1)), 119.5),
    ];
    let window = &common::replicate(&plan, 0).windows[0];
    let unanswered = window.unanswered as f64;
    assert!((unanswered - 2_050.0).abs() <= 20.0, "{unanswered}");
    assert!(window.ledger.in_flight >= window.unanswered);
    plan.faults.clear();
    let window = &common::replicate(&plan, 0).windows[0];
    assert!(window.unanswered == 0, "{} of {:?}", window.unanswered, window.ledger);
}

#[test]
fn a_hung_replica_that_was_deleted_is_gone_with_its_machine() {
    let mut plan = plan(2, 30.0, 240.0);
    plan.topology.zones.truncate(1);
    plan.topology.placement = vec![0, 0];
    (plan.nodes.per_zone, plan.nodes.room) = (Some(1), 2);
    let drained = Fault::DrainNode(ReplicaTarget::Slot(1), Law::Constant(secs(60.0)));
    plan.faults = vec![
        named("hang", Fault::ReplicaHang(ReplicaTarget::Slot(0)), 61.0),
        named("drain", drained, 62.0),
        named("outage", Fault::ZoneOutage(Some(0), Law::Constant(secs(2.0))), 85.0),
    ];
    let (witness, _) = witnessed(&plan, 0);
    let entered = |replica, state| {
        witness.times(|fact| {
            matches!(*fact, Observation::Entered { replica: one, state: to, .. }
                if (one, to) == (replica, state))
        })
    };
    // The hang is noticed while the replica is on its way out; its machine takes it for good.
    assert_eq!(entered(0, State::Draining).len(), 1);
    assert_eq!(entered(0, State::Terminated), [at(85.0)]);
    assert!(entered(0, State::Sandbox).is_empty(), "it came back");
}
