//! Whether a gateway comes back once what troubled it is gone: a retry storm that goes on by
//! itself, and what ends it.

use crate::common;
use crate::common::dependencies::{retries, upstream, with_upstream};
use crate::common::troubles::{named, rates, step};
use crate::common::{at, secs};
use brownout::experiment::recovery::stability::{Loop, StabilitySummary};
use brownout::experiment::summary::summarize;
use brownout::experiment::{Options, Progress, run};
use brownout::observe::recovery::Unclear;
use brownout::plan::*;
use brownout::random::Law;

/// Clients that wait a second and try twice, at once; an upstream that can do 300 requests a second
/// and works on what nobody waits for; 280 come, and it is out of order for 10 s.
fn storm(budget: Option<RetryBudget>, down: Fault) -> Plan {
    let host = upstream(Law::Constant(secs(0.01)));
    let mut dependencies =
        with_upstream(Upstream { workers: Some(3), timeout: secs(60.0), ..host });
    dependencies.clients.patience = Some(secs(1.0));
    dependencies.clients.retry = Some(Retry { budget, ..retries(2) });
    dependencies.clients.cancels = false;
    let mut plan = common::plan(2, 280.0, 300.0);
    plan.dependencies = dependencies;
    plan.run.warm_up = at(10.0);
    plan.faults = vec![named("outage", down, 60.0)];
    plan
}

/// The plan's upstream is slow for ten seconds.
fn slow() -> Fault {
    let all = HostTarget { upstream: 0, host: None };
    Fault::UpstreamSlow(all, 50.0, Law::Constant(secs(10.0)))
}

fn found(mut plan: Plan, replications: usize) -> StabilitySummary {
    plan.run.replications = replications;
    let run = run(&plan, Options::default(), &Progress::default()).unwrap();
    summarize(&plan, &run.outcomes, run.confidence).stability
}

#[test]
fn a_retry_storm_goes_on_when_what_began_it_is_over() {
    let found = found(storm(None, slow()), 20);
    assert!(found.stuck.count >= 19 && found.stuck.of == 20, "{found:?}");
    let (before, last) = (found.goodput_before.unwrap().point, found.goodput_last.unwrap().point);
    assert!(before > 0.999 && last < 0.05, "{before} before, {last} at the end");
    // Twice 280 attempts a second keep what can do 300 busy with what nobody waits for.
    let retries =
        found.sustaining_loops.iter().find(|feedback| feedback.of == Loop::Retries).unwrap();
    assert!((1.0..1.001).contains(&retries.before.point), "{retries:?}");
    assert!(retries.last.point > 1.95, "{retries:?}");
}

#[test]
fn a_retry_budget_lets_it_come_back() {
    // One further attempt for fifty requests: 286 attempts a second, so that a backlog of some
    // 3 000 requests goes down by 14 a second and more, in some 200 s.
    let budget = RetryBudget { per_request: 0.02, size: 10.0 };
    let mut plan = storm(Some(budget), slow());
    plan.run.horizon = at(900.0);
    let found = found(plan, 20);
    assert!(found.recovered.count >= 19 && found.stuck.count == 0, "{found:?}");
    let after = found.recovered_after.unwrap().point;
    assert!((100.0..400.0).contains(&after), "{after}");
}

#[test]
fn an_upstream_that_refuses_leaves_no_backlog_to_hold_it() {
    let all = HostTarget { upstream: 0, host: None };
    let refuses = Fault::UpstreamOutage(all, Down::Refuses, Law::Constant(secs(10.0)));
    let found = found(storm(None, refuses), 10);
    assert_eq!((found.recovered.count, found.unclear.len()), (10, 0), "{found:?}");
}

#[test]
fn a_rise_of_the_rate_alone_can_begin_it() {
    let mut plan = storm(None, slow());
    plan.faults.clear();
    let risen = |plan: &mut Plan, rate: f64| {
        plan.traffic = rates(Scatter::Poisson, &[(0.0, rate)]);
        step(plan, 60.0, 600.0);
        step(plan, 80.0, rate);
    };
    risen(&mut plan, 280.0);
    let stuck = found(plan.clone(), 10);
    assert!(stuck.stuck.count >= 9 && stuck.stuck.of == 10, "{stuck:?}");
    // At 70/s even two attempts each leave room for 160 a second: a backlog of 20 s at 900/s is
    // gone in some 110 s.
    risen(&mut plan, 70.0);
    plan.run.horizon = at(600.0);
    let back = found(plan, 10);
    assert_eq!((back.recovered.count, back.recovered.of), (10, 10), "{back:?}");
}

#[test]
fn nothing_troubles_a_run_without_trigger() {
    let mut plan = storm(None, slow());
    plan.faults.clear();
    let found = found(plan, 2);
    assert_eq!((found.untroubled, found.recovered.of), (2, 0));
}

#[test]
fn a_run_that_ends_too_soon_says_so() {
    let mut plan = storm(None, slow());
    plan.run.horizon = at(85.0);
    assert_eq!(found(plan.clone(), 2).unclear, [(Unclear::TooShort, 2)]);
    plan.run.horizon = at(65.0);
    assert_eq!(found(plan, 2).unclear, [(Unclear::TriggerLasts, 2)]);
}
