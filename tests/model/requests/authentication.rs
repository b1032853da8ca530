//! Requests that do not prove who sends them: how many, what they cost, that nobody tries again.

use std::collections::BTreeSet;

use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Share, Span};

use crate::common::dependencies::{retries, upstream, with_policies};
use crate::common::witness::witnessed;
use crate::common::{at, plan, replicate, secs};
use crate::derived::{crash, warm_start};
use crate::requests::overload::expect_only;

/// A minute of requests that take no time, at a rate, before policies that reject these shares.
fn before(rate: f64, shares: &[f64]) -> Plan {
    let kinds = shares
        .iter()
        .map(|share| PolicyKind::Authentication { rejects: Share(*share), regional: None });
    let mut plan = plan(2, rate, 60.0);
    plan.gateway.demand = Law::ZERO;
    plan.dependencies = with_policies(kinds);
    plan
}

fn rejected(outcome: &Outcome) -> u64 {
    outcome.ledger.failed_by(Failure::Unauthenticated)
}

/// The requests that were rejected, by the time at which they were sent.
fn who(plan: &Plan) -> BTreeSet<Instant> {
    let (witness, _) = witnessed(plan, 0);
    let mine = witness.failed.iter().filter(|(.., way)| *way == Failure::Unauthenticated);
    mine.map(|(sent, ..)| sent.at).collect()
}

#[test]
fn the_share_that_is_asked_for_is_rejected_and_the_ledger_balances() {
    for shares in [&[0.01][..], &[0.1], &[0.5], &[0.97], &[0.5, 0.5], &[0.2, 0.1]] {
        let outcome = replicate(&before(2_000.0, shares), 0);
        let passes: f64 = shares.iter().map(|share| 1.0 - share).product();
        let sent = outcome.ledger.offered as f64;
        // Binomial: four standard errors hold in 99.99 % of the cases.
        let error = (passes * (1.0 - passes) / sent).sqrt();
        let measured = rejected(&outcome) as f64 / sent;
        assert!((measured - (1.0 - passes)).abs() < 4.0 * error, "{shares:?}: {measured}");
        assert!(outcome.ledger.balances() && outcome.attempts.balances());
    }
    expect_only(&before(100.0, &[0.0]), &[]);
    expect_only(&before(100.0, &[0.1]), &[Failure::Unauthenticated]);
    let none = replicate(&before(100.0, &[1.0]), 0);
    assert_eq!((rejected(&none), none.ledger.served), (none.ledger.offered, 0));
}

#[test]
fn a_rejected_request_costs_the_policies_up_to_the_one_that_rejects_it() {
    let mut plan = before(200.0, &[0.3]);
    plan.gateway.demand = Law::Constant(secs(1e-3));
    let dependencies = &mut plan.dependencies;
    dependencies.apis[0].payload_kb = 4.0;
    let check = &mut dependencies.policies[0];
    (check.cpu, check.cpu_per_kb, check.spent) = (secs(2e-4), secs(1e-5), Share(0.25));
    let behind = Policy { kind: PolicyKind::Work, cpu: secs(4e-4), ..check.clone() };
    let before = Policy { cpu: secs(1e-4), ..behind.clone() };
    dependencies.policies.extend([behind, before]);
    dependencies.apis[0].policies = vec![2, 0, 1];
    let outcome = replicate(&plan, 0);
    let (early, whole) = (1.4e-4 + 2.4e-4 + 0.25e-3, 1.4e-4 + 2.4e-4 + 4.4e-4 + 1e-3);
    let expected = rejected(&outcome) as f64 * early + outcome.ledger.served as f64 * whole;
    // Beside what those did that were under way at the end.
    let more = outcome.busy_secs - expected;
    let most = outcome.ledger.in_flight as f64 * whole;
    assert!(rejected(&outcome) > 3_000 && most < 0.02, "{:?}", outcome.ledger);
    assert!((-1e-6..=most + 1e-6).contains(&more), "{more} of {expected}");
}

#[test]
fn nobody_tries_again_and_every_attempt_of_a_request_meets_the_same_answer() {
    let mut plan = before(500.0, &[0.2]);
    let answers = Upstream { errors: Share(0.5), ..upstream(Law::ZERO) };
    plan.dependencies.upstreams.push(Upstream { timeout: secs(15.0), ..answers });
    plan.dependencies.apis[0].upstream = Some(0);
    plan.dependencies.clients.retry = Some(Retry { limited: true, ..retries(4) });
    let outcome = replicate(&plan, 0);
    let (requests, attempts) = (&outcome.ledger, &outcome.attempts);
    let of_attempts = attempts.failed_by(Failure::Unauthenticated);
    // Were it drawn for each attempt, some that failed upstream would be rejected later.
    assert_eq!(rejected(&outcome), of_attempts);
    let error = (0.2 * 0.8 / requests.offered as f64).sqrt();
    let share = of_attempts as f64 / requests.offered as f64;
    assert!((share - 0.2).abs() < 4.0 * error, "{share}");
    assert!(attempts.failed_by(Failure::UpstreamFailed) > requests.offered / 2);
    assert!(requests.balances() && attempts.balances());
    assert_eq!(who(&plan).len() as u64, of_attempts);
}

#[test]
fn other_gateways_and_larger_shares_reject_the_same_requests() {
    let few = who(&before(200.0, &[0.1]));
    let mut other = before(200.0, &[0.1]).with_replicas(5);
    other.gateway.demand = Law::Exponential(Span::from_secs(1e-3));
    other.ingress.balancing = Balancing::Random;
    // Those of the last second may still be under way at the end.
    let early = |all: BTreeSet<Instant>| all.into_iter().filter(|sent| *sent < at(59.0));
    assert!(early(who(&other)).eq(early(few.clone())) && few.len() > 1_000);
    let more = who(&before(200.0, &[0.2]));
    assert!(more.is_superset(&few) && more.len() > few.len());
}

#[test]
fn requests_that_are_always_rejected_keep_no_incident_open() {
    let mut plan = before(900.0, &[0.02]);
    plan.run.horizon = at(180.0);
    warm_start(&mut plan, (2.0, 6.0));
    plan.faults = vec![crash(60.0)];
    let outcome = replicate(&plan, 0);
    let incident = &outcome.incidents[0];
    let recovery = incident.lasted().expect("18 of 900 a second are rejected all the time");
    assert!(recovery < secs(60.0), "{recovery}");
    assert_eq!(incident.ledger.failed_by(Failure::Unauthenticated), 0);
    assert!(incident.ledger.failed_by(Failure::DeadAddress) > 0, "{:?}", incident.ledger);
}
