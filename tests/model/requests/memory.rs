//! Replicas whose memory is used up by the requests that they have: the kernel kills them.

use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Bytes, Span};

use crate::common::dependencies::{bystanders, upstream, with_upstream};
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, replicate, secs};
use crate::derived::{evenly, fault};

/// One replica that holds so many requests, asked 100 times a second for more than it can do.
fn flooded(holds: u64, horizon: f64) -> Plan {
    let mut plan = plan(1, 100.0, horizon);
    evenly(&mut plan);
    plan.gateway.demand = Law::Constant(secs(1_000.0));
    plan.gateway.memory = Some(memory(holds));
    plan.detection.crash = Law::ZERO;
    plan
}

fn memory(holds: u64) -> Memory {
    // The last request does not quite fit.
    Memory { limit: Bytes((holds << 20) + 1_000), base: Bytes(0), per_request: Bytes(1 << 20) }
}

/// The same requests in blocks, and one by one.
fn both_ways(plan: Plan) -> [Plan; 2] {
    [Plan { dependencies: bystanders(), ..plan.clone() }, plan]
}

/// When replicas were killed for their memory, in seconds.
fn kills(witness: &Witness) -> Vec<f64> {
    let killed = |fact: &Observation| matches!(fact, Observation::OutOfMemory { .. });
    witness.times(killed).iter().map(|at| at.as_secs()).collect()
}

fn lost(outcome: &Outcome) -> u64 {
    outcome.ledger.failed_by(Failure::LostInFlight)
}

#[test]
fn what_the_process_takes_by_itself_leaves_less_room() {
    let mut plan = flooded(50, 1.0);
    let whole = Memory { limit: Bytes((70 << 20) + 1_000), ..memory(0) };
    for (base, first) in [(Bytes(20 << 20), 0.51), (Bytes(60 << 20), 0.11)] {
        plan.gateway.memory = Some(Memory { base, ..whole });
        for plan in both_ways(plan.clone()) {
            assert_eq!(kills(&witnessed(&plan, 0).0)[0], first);
        }
    }
    assert_eq!(Memory { base: Bytes(20), ..whole }.used(3), Bytes(20 + (3 << 20)));
}

#[test]
fn the_request_that_is_one_too_many_kills_the_process_and_all_that_it_has() {
    let mut plan = flooded(50, 5.0);
    plan.detection.crash = Law::Constant(secs(0.5));
    plan.ingress.dead_address = DeadAddress::Refuses;
    for plan in both_ways(plan) {
        let (witness, outcome) = witnessed(&plan, 0);
        // The first request comes after 10 ms, the 51st after 510 ms.
        assert_eq!((kills(&witness), lost(&outcome)), (vec![0.51], 51));
        let states = witness.states(0);
        assert_eq!(states[1..3], [(at(0.51), State::Failed), (at(1.01), State::Booting)]);
        assert_eq!(outcome.out_of_memory, 1);
        assert!(outcome.ledger.balances());
        // Until that is noticed its address is known, and those from 520 ms to 1 s find nobody.
        assert_eq!(outcome.ledger.failed_by(Failure::DeadAddress), 49);
    }
}

#[test]
fn what_fits_is_left_alone_and_costs_nothing() {
    let mut given = plan(2, 1_400.0, 60.0);
    let free = replicate(&given, 0);
    given.gateway.memory = Some(memory(free.in_flight_peak));
    for one in [given.clone(), Plan { dependencies: bystanders(), ..given.clone() }] {
        let outcome = replicate(&one, 0);
        assert_eq!((outcome.out_of_memory, outcome.ledger.failed()), (0, 0));
        assert_eq!(outcome.windows[0].latency, free.windows[0].latency);
    }
    given.gateway.memory = Some(memory(free.in_flight_peak - 1));
    assert!(replicate(&given, 0).out_of_memory > 0);
}

#[test]
fn a_container_that_runs_out_of_memory_is_restarted_in_its_pod_after_its_back_off() {
    for after_crash in [AfterCrash::Replaced, AfterCrash::Restarted] {
        let mut plan = flooded(100, 300.0);
        plan.detection.after_crash = after_crash;
        let (witness, _) = witnessed(&plan, 0);
        assert_eq!(witness.replicas(), 1, "no other replica takes its place");
        let states = witness.states(0);
        let ended = states.iter().filter(|(_, state)| *state == State::Failed);
        let begun = states.iter().filter(|(_, state)| *state == State::Booting);
        let waits: Vec<f64> =
            ended.zip(begun).map(|(end, start)| start.0.since(end.0).as_secs()).collect();
        assert_eq!(waits, [0.0, 10.0, 20.0, 40.0, 80.0]);
    }
}

#[test]
fn kills_for_memory_and_by_liveness_share_one_back_off() {
    let mut plan = flooded(100, 400.0);
    plan.startup.boot = Law::Constant(secs(60.0));
    let (witness, outcome) = witnessed(&plan, 0);
    let ended = witness.states(0).into_iter().filter(|(_, state)| *state == State::Failed);
    let ended: Vec<f64> = ended.map(|(time, _)| time.as_secs()).collect();
    // Restarted at once after 1.01 s; each boot is given up after 50 s, then waits of 10, 20, 40 s.
    assert_eq!(ended[..5], [1.01, 51.01, 111.01, 181.01, 271.01]);
    assert_eq!((outcome.out_of_memory, outcome.probes_failed.liveness), (1, 4));
}

#[test]
fn a_replica_that_hangs_fills_up_long_before_a_probe_sees_it() {
    let mut plan = plan(1, 100.0, 60.0);
    evenly(&mut plan);
    plan.gateway.memory = Some(memory(200));
    plan.faults.push(fault(Fault::ReplicaHang(ReplicaTarget::Any), 10.0));
    for plan in both_ways(plan) {
        let (witness, outcome) = witnessed(&plan, 0);
        let killed = kills(&witness);
        // 201 requests from 10 s on, one every 10 ms.
        assert!(killed.len() == 1 && (killed[0] - 12.01).abs() < 0.011, "{killed:?}");
        assert_eq!(lost(&outcome), 201);
        assert!(outcome.incidents[0].restored.is_some(), "the hang ends with the process");
    }
}

#[test]
fn requests_that_wait_for_an_upstream_hold_memory_without_using_any_cpu() {
    let mut plan = plan(1, 100.0, 20.0);
    evenly(&mut plan);
    plan.gateway.demand = Law::Constant(Span::ZERO);
    plan.dependencies = with_upstream(upstream(Law::Constant(secs(5.0))));
    // 500 wait at once: the 301st comes after 3.01 s.
    plan.gateway.memory = Some(memory(300));
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!((kills(&witness)[0], lost(&outcome) % 301), (3.01, 0));
    plan.gateway.memory = Some(memory(500));
    assert_eq!(replicate(&plan, 0).out_of_memory, 0);
}

#[test]
fn survivors_take_the_load_of_those_that_were_killed_and_follow_them() {
    // Three carry 3,000/s and are asked for 2,000; a fourth of a minute of 4,500 fills them.
    let mut plan = plan(3, 0.0, 200.0);
    plan.startup.boot = Law::uniform_secs(5.0, 25.0);
    plan.startup.readiness.period = secs(0.1);
    let corners = [(0.0, 2_000.0), (20.0, 2_000.0), (20.0, 4_500.0), (35.0, 4_500.0)];
    plan.traffic = crate::derived::rates(Scatter::Poisson, &corners);
    crate::derived::step(&mut plan, 35.0, 2_000.0);
    assert_eq!(replicate(&plan, 0).ledger.failed(), 0);
    plan.gateway.memory = Some(memory(512));
    // All three fall in the spike. Whoever is back before the others has twice what it can do, is
    // full after half a second and falls again, unless the next one is there by then.
    let killed: Vec<u64> =
        (0..8).map(|replication| replicate(&plan, replication).out_of_memory).collect();
    assert!(killed.iter().all(|count| *count >= 3), "{killed:?}");
    assert!(killed.iter().filter(|count| **count > 3).count() >= 6, "{killed:?}");
}
