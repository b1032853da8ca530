//! Replicas that are killed in consequence of a fault belong to its incident.

use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Bytes, Rate, Span};

use super::starting_within;
use crate::common::witness::witnessed;
use crate::common::{at, secs};
use crate::derived::{entered, fault};

/// Two replicas of which one crashes at 100 s, at one and a half times what the other carries.
fn crash_at_one_and_a_half() -> Plan {
    let mut plan = starting_within(2, 20.0, 600.0);
    plan.gateway.demand = Law::Constant(secs(0.01));
    plan.traffic = Traffic::poisson(Rate(150.0));
    plan.faults = vec![fault(Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 100.0)];
    plan
}

#[test]
fn a_replica_that_is_killed_for_its_memory_is_lost_to_the_incident_that_overloaded_it() {
    let mut plan = crash_at_one_and_a_half();
    plan.gateway.memory = Some(Memory { limit: Bytes(100), base: Bytes(0), per_request: Bytes(1) });
    let (witness, outcome) = witnessed(&plan, 0);
    let killed = witness.times(|fact| *fact == Observation::OutOfMemory { replica: 1 });
    // 50 requests a second too many fill 100 within some 2 s, long before the replacement is there.
    assert!(killed[0] > at(101.0) && killed[0] < at(110.0), "{killed:?}");
    let incident = &outcome.incidents[0];
    assert_eq!((incident.taken, incident.missing), (2, 2), "both were lost");
    assert_eq!(incident.serving_least, 0);
    // The replacement alone is as overloaded: whoever came back last made two of them again.
    let redundancy = incident.redundancy.expect("both are back before the end");
    let last = killed.iter().rev().find(|kill| **kill < redundancy).expect("one was killed");
    assert!(redundancy.since(*last) >= secs(20.0), "{redundancy} after {last}");
    // What the fault itself took is back when its replacement serves: 20 s after the crash.
    assert_eq!(incident.restored, Some(at(120.0)));
}

#[test]
fn a_replica_that_its_probes_kill_is_lost_to_the_incident_that_overloaded_it() {
    let mut plan = crash_at_one_and_a_half();
    plan.startup.readiness =
        Probe { initial_delay: Span::ZERO, period: secs(1.0), timeout: secs(1.0), failures: 100 };
    plan.detection.liveness =
        Probe { initial_delay: Span::ZERO, period: secs(2.0), timeout: secs(1.0), failures: 2 };
    plan.detection.liveness.initial_delay = secs(30.0);
    plan.detection.probe_cpu = Some(secs(0.01));
    let (witness, outcome) = witnessed(&plan, 0);
    let drained = entered(&witness, 1, State::Draining).expect("it fails its liveness probes");
    assert!(drained > at(100.0) && drained < at(120.0), "{drained}");
    let incident = &outcome.incidents[0];
    assert_eq!(incident.taken, 2, "one crashed and one was killed");
    assert!(incident.redundancy.is_none_or(|redundancy| redundancy > drained));
}

#[test]
fn a_start_that_takes_cpu_starves_where_its_share_of_the_load_takes_more_than_is_left() {
    let mut plan = starting_within(2, 20.0, 600.0);
    plan.startup.after_ready = (secs(30.0), 0.5);
    // 1 ms each: at 1,200/s a replica needs 0.6 of its core, at 900/s it needs 0.45.
    let starved = plan.starved_start(Rate(1_200.0)).expect("half a core is left");
    assert!((starved.needs - 0.6).abs() < 1e-9 && (starved.left - 0.5).abs() < 1e-9);
    assert_eq!(starved.lasts, secs(30.0));
    assert_eq!(plan.starved_start(Rate(900.0)), None);
    assert_eq!(plan.starved_start(Rate(2_200.0)), None, "that is more than it ever carries");
    plan.startup.after_ready = (Span::ZERO, 0.0);
    assert_eq!(plan.starved_start(Rate(1_200.0)), None);
}
