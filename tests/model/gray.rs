//! Gray failures: replicas that fail requests, or are slow, and pass for healthy.

use crate::common::witness::witnessed;
use crate::common::{at, plan, secs};
use crate::derived::{crash, fault, warm_start};
use brownout::observe::ledger::Failure;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Share;

fn gray(work: f64, failing: f64, lasts: f64) -> Fault {
    Fault::GrayFailure(Gray { work, failing: Share(failing) }, Law::Constant(secs(lasts)))
}

/// Two replicas at 50/s for ten minutes.
fn gateway(faults: Vec<FaultPlan>) -> Plan {
    let mut plan = plan(2, 50.0, 600.0);
    warm_start(&mut plan, (2.0, 6.0));
    plan.faults = faults;
    plan
}

/// Requests sent in a time, over ten replications, and those of them that a replica failed.
fn failed(plan: &Plan, from: f64, to: f64) -> (f64, f64) {
    let within = |sent: f64| (from..to).contains(&sent);
    (0..10).fold((0.0, 0.0), |(offered, failed), replication| {
        let (witness, outcome) = witnessed(plan, replication);
        assert!(outcome.ledger.balances());
        let sent = witness.offered.iter().filter(|one| within(one.at.as_secs())).count();
        let all = witness.failed.iter().filter(|one| one.2 == Failure::ReplicaError);
        let bad = all.filter(|one| within(one.0.at.as_secs())).count();
        (offered + sent as f64, failed + bad as f64)
    })
}

fn near(found: (f64, f64), share: f64) {
    let (offered, failed) = found;
    let error = (offered * share * (1.0 - share)).sqrt();
    assert!((failed - offered * share).abs() <= 4.0 * error, "{failed} of {offered}, not {share}");
}

#[test]
fn as_long_as_it_lasts_its_share_of_the_requests_fails_also_in_replicas_that_start_meanwhile() {
    let mut plan = gateway(vec![fault(gray(1.0, 0.2, 300.0), 100.0)]);
    near(failed(&plan, 101.0, 399.0), 0.2);
    near(failed(&plan, 0.0, 99.0), 0.0);
    near(failed(&plan, 401.0, 600.0), 0.0);
    // Both are replaced within half a minute.
    plan.faults.push(FaultPlan { fault: Fault::ReplicaCrash(ReplicaTarget::All), ..crash(200.0) });
    near(failed(&plan, 260.0, 399.0), 0.2);
    near(failed(&plan, 401.0, 600.0), 0.0);
}

#[test]
fn of_two_at_once_what_neither_fails_is_answered() {
    let named = |name: &str, plan: FaultPlan| FaultPlan { name: name.to_owned(), ..plan };
    let first = named("first", fault(gray(1.0, 0.2, 300.0), 100.0));
    let plan = gateway(vec![first, named("second", fault(gray(1.0, 0.5, 100.0), 200.0))]);
    near(failed(&plan, 101.0, 199.0), 0.2);
    near(failed(&plan, 201.0, 299.0), 1.0 - 0.8 * 0.5);
    near(failed(&plan, 301.0, 399.0), 0.2);
}

#[test]
fn requests_take_as_many_times_the_cpu_as_it_says() {
    let mut plan = gateway(vec![fault(gray(3.0, 0.0, 200.0), 200.0)]);
    plan.gateway.demand = Law::Constant(secs(0.004));
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(outcome.ledger.failed(), 0);
    // At 0.1 of capacity, and 0.3, hardly anybody waits.
    let least = |from: f64, to: f64| {
        let all = witness.served_in_time();
        let within = all.filter(|one| (at(from)..at(to)).contains(&one.sent));
        within.map(|one| one.finished.since(one.arrived).as_secs()).fold(f64::MAX, f64::min)
    };
    assert!((least(0.0, 199.0) - 0.004).abs() < 1e-6, "{}", least(0.0, 199.0));
    assert!((least(201.0, 399.0) - 0.012).abs() < 1e-6, "{}", least(201.0, 399.0));
    assert!((least(401.0, 600.0) - 0.004).abs() < 1e-6, "{}", least(401.0, 600.0));
}
