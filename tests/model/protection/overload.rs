//! Replicas that take on no more than they can: limits of requests, and the overload manager.

use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::plan::*;
use brownout::policy::overload::{LoadTrigger, OverloadSpec};
use brownout::random::Law;
use brownout::units::{Bytes, Share};

use crate::common::witness::witnessed;
use crate::common::{at, plan, replicate, secs};
use crate::derived::fault;

/// What one replica serves a second.
const CAPACITY: f64 = 100.0;

/// One replica of a core that is asked so often for 10 ms, in the mean, for so many seconds.
fn one(load: f64, horizon: f64) -> Plan {
    let mut plan = plan(1, load * CAPACITY, horizon);
    plan.gateway.demand = Law::Exponential(secs(0.01));
    plan
}

fn at_once(requests: u32) -> Option<OverloadSpec> {
    Some(OverloadSpec { requests: Some(requests), ..OverloadSpec::NONE })
}

/// Refuses all from this share of the memory on, at a look each so many seconds.
fn by_memory(full: f64, refresh: f64) -> Option<OverloadSpec> {
    let memory = Some(LoadTrigger { from: Share(full), full: Share(full) });
    Some(OverloadSpec { memory, refresh: secs(refresh), ..OverloadSpec::NONE })
}

fn shed(outcome: &Outcome) -> f64 {
    let ledger = &outcome.windows[0].ledger;
    assert_eq!(ledger.failed(), ledger.failed_by(Failure::Overloaded));
    ledger.failed() as f64 / ledger.decided() as f64
}

/// Four standard errors of (λ − served)/λ, where both are counted over a time.
fn error(load: f64, seconds: f64) -> f64 {
    let sent = load * CAPACITY * seconds;
    4.0 * (2.0 / sent).sqrt()
}

#[test]
fn a_limit_of_requests_loses_what_the_formula_of_processor_sharing_says() {
    // M/G/1/K-PS: (1 − ρ)ρ^K/(1 − ρ^(K + 1)), whatever the law of the demand.
    for (load, most) in [(0.8, 5), (1.5, 3), (1.5, 40)] {
        for demand in [Law::Exponential(secs(0.01)), Law::Constant(secs(0.01))] {
            let mut plan = one(load, 600.0);
            (plan.gateway.demand, plan.gateway.overload) = (demand, at_once(most));
            assert!(!plan.is_open_loop());
            let outcome = replicate(&plan, 0);
            let power = |k| load.powi(k);
            let k = most as i32;
            let expected = (1.0 - load) * power(k) / (1.0 - power(k + 1));
            let found = shed(&outcome);
            assert!((found - expected).abs() < error(load, 600.0), "{found}, not {expected}");
            assert!(outcome.in_flight_peak <= u64::from(most));
        }
    }
    // With much room that is what is beyond the capacity.
    let mut plan = one(1.5, 600.0);
    plan.gateway.overload = at_once(40);
    assert!((shed(&replicate(&plan, 0)) - 1.0 / 3.0).abs() < error(1.5, 600.0));
}

#[test]
fn a_replica_that_would_be_killed_for_its_memory_sheds_what_is_beyond_its_capacity() {
    let mut plan = one(1.5, 600.0);
    plan.gateway.memory = Some(Memory { limit: Bytes(400), base: Bytes(0), per_request: Bytes(1) });
    plan.run.warm_up = at(20.0);
    assert!(replicate(&plan, 0).out_of_memory > 3, "it is killed again and again");
    plan.gateway.overload = by_memory(0.8, 0.25);
    let outcome = replicate(&plan, 0);
    assert_eq!(outcome.out_of_memory, 0);
    let found = shed(&outcome);
    assert!((found - 1.0 / 3.0).abs() < error(1.5, 580.0), "{found}");
    // It never has more than 320 and what comes until the next look.
    assert!((320..400).contains(&outcome.in_flight_peak), "{}", outcome.in_flight_peak);
}

#[test]
fn a_replica_that_looks_too_seldom_is_killed_all_the_same() {
    // 150/s come and 100/s go: 200 more between two looks, and room for 80.
    let mut plan = one(1.5, 120.0);
    plan.gateway.memory = Some(Memory { limit: Bytes(400), base: Bytes(0), per_request: Bytes(1) });
    plan.gateway.overload = by_memory(0.8, 4.0);
    assert!(replicate(&plan, 0).out_of_memory > 1);
}

#[test]
fn a_scaled_trigger_of_the_cpu_settles_where_what_it_sheds_is_what_it_needs_to() {
    // The documentation's example: 80 % to 95 %, each 0.25 s. What is taken on uses u = ρ(1 − s)
    // with s = (u − a)/(b − a), so that u = ρ·b/(b − a + ρ).
    let mut plan = plan(1, 1_500.0, 300.0);
    plan.gateway.demand = Law::Constant(secs(0.001));
    let cpu = Some(LoadTrigger { from: Share(0.8), full: Share(0.95) });
    plan.gateway.overload = Some(OverloadSpec { cpu, refresh: secs(0.25), ..OverloadSpec::NONE });
    plan.run.warm_up = at(60.0);
    let (load, a, b) = (1.5_f64, 0.8, 0.95);
    let used = load * b / (b - a + load);
    let found = shed(&replicate(&plan, 0));
    let expected = (used - a) / (b - a);
    assert!((expected - (1.0 - used / load)).abs() < 1e-12);
    assert!((found - expected).abs() < 0.01, "{found}, not {expected}");
}

#[test]
fn nothing_is_shed_below_the_thresholds_and_a_new_process_knows_nothing() {
    let cpu = Some(LoadTrigger { from: Share(0.8), full: Share(0.95) });
    let overload = Some(OverloadSpec { cpu, requests: Some(1_000), ..OverloadSpec::NONE });
    let mut calm = one(0.5, 300.0);
    let free = replicate(&calm, 0);
    calm.gateway.overload = overload;
    let outcome = replicate(&calm, 0);
    assert_eq!(outcome.ledger, free.ledger);
    assert_eq!(outcome.windows[0].latency, free.windows[0].latency);
    // A crash amid an overload: whoever takes its place begins without pressure.
    let mut busy = one(1.5, 300.0);
    busy.gateway.overload = overload;
    busy.faults = vec![fault(Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 150.0)];
    busy.detection.after_crash = AfterCrash::Restarted;
    busy.detection.crash = Law::Constant(secs(1.0));
    let (_, outcome) = witnessed(&busy, 0);
    let bins = &outcome.timeline.as_ref().unwrap().total;
    let shed = |second: usize| bins[second].failures[Failure::Overloaded as usize];
    assert!((100..150).all(|second| shed(second) > 10), "it sheds before");
    let back = (150..300).find(|second| bins[*second].served > 0).unwrap();
    assert!((back..back + 5).all(|second| shed(second) == 0), "from {back} s on it has room");
    assert!((280..300).all(|second| shed(second) > 10), "and then sheds again");
}
