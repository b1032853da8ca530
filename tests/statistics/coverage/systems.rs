//! Systems whose true figures are known. Demands have a mean of 1 ms.

use brownout::plan::{Plan, Upstream};
use brownout::policy::breaker::BreakerSpec;
use brownout::random::Law;

use crate::common::dependencies::{upstream, with_upstream};
use crate::common::{at, plan, secs};

/// Requests per second with which a queue is busy half of the time.
pub const RATE: f64 = 500.0;
/// Relaxation times from an empty system to the first request that counts, 1/(√μ − √λ)² each: what
/// is left of the start then is a three-thousandth.
const RELAXATIONS: f64 = 8.0;

/// A plan of one replica for so many requests after warm-up.
fn of_requests(rate: f64, requests: f64) -> Plan {
    let relaxation = 1.0 / (1_000.0_f64.sqrt() - rate.sqrt()).powi(2);
    // A loss system of several workers forgets within a few demands.
    let warm_up = if rate < 1_000.0 { RELAXATIONS * relaxation } else { 0.1 };
    let mut plan = plan(1, rate, warm_up + requests / rate);
    plan.run.warm_up = at(warm_up);
    plan
}

/// M/M/1 with processor sharing: a replica.
pub fn sharing(requests: f64) -> Plan {
    of_requests(RATE, requests)
}

/// M/M/1 in order of arrival: a host with one worker, behind a replica that takes no time.
pub fn in_order(rate: f64, requests: f64) -> Plan {
    let mut plan = of_requests(rate, requests);
    plan.gateway.demand = Law::ZERO;
    let host = upstream(Law::Exponential(secs(0.001)));
    plan.dependencies = with_upstream(Upstream { workers: Some(1), ..host });
    plan
}

/// M/M/c/c: a host that refuses whoever would have to wait.
pub fn refusing(rate: f64, workers: usize, requests: f64) -> Plan {
    let mut plan = of_requests(rate, requests);
    plan.gateway.demand = Law::ZERO;
    let breaker =
        BreakerSpec { connections: Some(workers as u32), pending: Some(0), ..BreakerSpec::NONE };
    let host = upstream(Law::Exponential(secs(0.001)));
    let host = Upstream { workers: Some(workers), breaker, ..host };
    plan.dependencies = with_upstream(host);
    plan
}

/// The share that M/M/c/c refuses at this load (Erlang's loss formula, by its recursion).
pub fn refused(load: f64, workers: usize) -> f64 {
    (1..=workers).fold(1.0, |blocked, c| load * blocked / (c as f64 + load * blocked))
}

#[test]
fn the_loss_formula_gives_published_values() {
    assert_eq!(refused(1.0, 1), 0.5);
    assert_eq!(refused(2.0, 2), 0.4);
    // Erlang B of 5 erlangs on 10 lines, as tabulated.
    assert!((refused(5.0, 10) - 0.018_385).abs() < 1e-6);
}
