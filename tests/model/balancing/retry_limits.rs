//! How many tries an ingress or a replica may have under way, and which replica they meet.

use brownout::observe::count::Count;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::policy::retries::RetryLimit;
use brownout::random::Law;
use brownout::units::{Share, Span};

use crate::common::dependencies::{bystanders, upstream, with_upstream};
use crate::common::witness::witnessed;
use crate::common::{plan, replicate, secs};
use crate::derived::fault;

fn counted(outcome: &Outcome, count: Count) -> f64 {
    outcome.windows[0].counts[count as usize] as f64
}

/// An upstream that answers everything with an error after 0.1 s, behind a gateway that costs
/// nothing: 2,000/s are 200 first tries under way.
fn hopeless() -> Plan {
    let mut plan = plan(1, 2_000.0, 60.0);
    plan.gateway.demand = Law::ZERO;
    let answers = upstream(Law::Constant(secs(0.1)));
    plan.dependencies = with_upstream(Upstream { errors: Share(1.0), ..answers });
    plan
}

/// Retries per request where a budget of a fifth is always spent: of F first tries under way and R
/// retries R = (F + R)/5, so R/F = 1/4 = b/(1 − b), rounded down to whole retries.
fn expect_a_quarter(outcome: &Outcome, count: Count) {
    let ratio = counted(outcome, count) / outcome.ledger.decided() as f64;
    assert!((0.243..0.25).contains(&ratio), "{ratio}");
}

#[test]
fn a_budget_of_an_ingress_keeps_the_part_of_retries_whatever_fails() {
    let mut plan = hopeless();
    plan.ingress.retries = 2;
    plan.ingress.retry = RetryRules { on_statuses: vec![503], ..RetryRules::CONNECT_FAILURE };
    let all = replicate(&plan, 0);
    let of_each = counted(&all, Count::IngressRetry) / all.ledger.decided() as f64;
    assert!((1.99..2.01).contains(&of_each), "{of_each} without a budget");
    plan.ingress.retry.at_once = RetryLimit::Budget { share: Share(0.2), least: 3 };
    expect_a_quarter(&replicate(&plan, 0), Count::IngressRetry);
}

#[test]
fn a_budget_of_a_replica_does_the_same_towards_its_upstream() {
    let mut plan = hopeless();
    let retries = RetryLimit::Budget { share: Share(0.2), least: 3 };
    let upstream = &mut plan.dependencies.upstreams[0];
    (upstream.retries, upstream.breaker) = (2, BreakerSpec { retries, ..BreakerSpec::NONE });
    expect_a_quarter(&replicate(&plan, 0), Count::UpstreamRetry);
}

/// Three replicas at 300/s, chosen at random, of which one is silent from the beginning and never
/// taken out: a connection to it is given up after 1 s, and then another is tried once.
fn one_silent() -> Plan {
    let mut plan = plan(3, 300.0, 100.0);
    plan.gateway.demand = Law::Constant(secs(0.000_1));
    plan.ingress.balancing = Balancing::Random;
    plan.ingress.connect_timeout = secs(1.0);
    plan.ingress.retries = 1;
    plan.detection.node_grace = secs(3_600.0);
    plan.startup.readiness.failures = 1_000;
    plan.detection.liveness.failures = 1_000;
    plan.faults = vec![fault(Fault::NodeLoss(ReplicaTarget::Slot(0), None), 0.0)];
    plan
}

#[test]
fn tries_after_failed_connections_are_counted_in_both_ways_of_simulating() {
    let plan = one_silent();
    let one_by_one = Plan { dependencies: bystanders(), ..plan.clone() };
    assert!(plan.is_open_loop() && !one_by_one.is_open_loop());
    for plan in [plan, one_by_one] {
        let (witness, outcome) = witnessed(&plan, 0);
        assert_eq!(outcome.ledger.failed_by(Failure::DeadAddress), 0);
        let late = witness.served.iter().filter(|one| one.arrived.since(one.sent) >= secs(1.0));
        let late = late.count() as f64;
        // A third of all.
        assert!((9_600.0..10_300.0).contains(&late), "{late}");
        assert_eq!(counted(&outcome, Count::IngressRetry), late);
    }
}

#[test]
fn without_the_predicate_a_further_try_may_meet_the_same_replica() {
    // One of three is dead: the first try meets it, and so do the further choices, each with
    // probability 1/3; 30,000 requests, four standard errors.
    for one_by_one in [false, true] {
        let failed = |host| {
            let mut plan = one_silent();
            plan.ingress.retry.host = host;
            if one_by_one {
                plan.dependencies = bystanders();
            }
            let ledger = replicate(&plan, 0).ledger;
            ledger.failed_by(Failure::DeadAddress) as f64 / ledger.decided() as f64
        };
        for anew in [0, 1, 2] {
            let share = (1.0_f64 / 3.0).powi(anew + 2);
            let error = (share * (1.0 - share) / 29_000.0).sqrt();
            let found = failed(RetryHost::Chosen(anew as u32));
            assert!((found - share).abs() < 4.0 * error, "{found}, not {share}");
        }
        assert_eq!(failed(RetryHost::Other), 0.0);
    }
}

#[test]
fn failed_connections_fall_under_the_limit_of_tries_under_way() {
    // 100/s come to the dead one, and each try elsewhere takes 0.4 s: five at once are 12.5/s.
    let mut plan = one_silent();
    plan.gateway.demand = Law::Constant(secs(0.4));
    plan.gateway.cores.0 = 1_000.0;
    plan.ingress.retry.at_once = RetryLimit::Count(5);
    let outcome = replicate(&plan, 0);
    let (made, most) = (counted(&outcome, Count::IngressRetry), 12.5 * 99.0);
    assert!(made <= most && made > 0.95 * most, "{made} of {most}");
    let failed = outcome.ledger.failed_by(Failure::DeadAddress) as f64;
    assert!((failed + made - 9_900.0).abs() < 400.0, "{failed} and {made}");
    // A budget counts what is being connected too: 100/s for 1 s and 200/s for 0.4 s are 180, so
    // that R = (180 + R)·b tries have room, half a one less by rounding down. They are offered
    // 100/s for 0.4 s, 40 Erlang, of which Erlang's formula has so much carried.
    for (share, room, carried) in [(0.2, 44.5, 0.941), (0.1, 19.5, 0.468)] {
        plan.ingress.retry.at_once = RetryLimit::Budget { share: Share(share), least: 3 };
        let made = counted(&replicate(&plan, 0), Count::IngressRetry);
        let expected = carried * 100.0 * 99.0;
        assert!((made / expected - 1.0).abs() < 0.03, "{made}, not {expected}, of {room} at once");
    }
}

#[test]
fn a_refused_connection_waits_for_its_back_off_as_any_other_try() {
    let mut plan = one_silent();
    plan.faults = vec![fault(Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 0.0)];
    plan.detection.crash = Law::Constant(secs(3_600.0));
    plan.ingress.dead_address = DeadAddress::Refuses;
    plan.ingress.retry.backoff = secs(0.5);
    assert!(!plan.is_open_loop());
    let (witness, outcome) = witnessed(&plan, 0);
    let waited: Vec<f64> = witness
        .served
        .iter()
        .map(|one| one.arrived.since(one.sent).as_secs())
        .filter(|waited| *waited > 0.0)
        .collect();
    // Some still wait at the end.
    let beyond = counted(&outcome, Count::IngressRetry) - waited.len() as f64;
    assert!((0.0..60.0).contains(&beyond), "{beyond}");
    // U(0, 0.5) s: 10,000 of them, four standard errors.
    let mean = waited.iter().sum::<f64>() / waited.len() as f64;
    assert!((mean - 0.25).abs() < 4.0 * 0.5 / 12.0_f64.sqrt() / 100.0, "{mean}");
    assert!(waited.iter().all(|waited| *waited <= 0.5));
    assert_eq!(plan.ingress.request_timeout, Span::MAX);
}
