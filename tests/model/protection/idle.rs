//! Connections that close because nobody uses them, or because they are old.

use brownout::observe::ledger::Failure;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Span;

use crate::common::witness::witnessed;
use crate::common::{at, plan, secs};
use crate::derived::{Sample, crash};

/// So many connections of clients to two replicas, which carry a request a second each.
fn connections(count: usize, horizon: f64, closing: Closing) -> Plan {
    let mut plan = plan(2, count as f64, horizon);
    plan.ingress.balancing =
        Balancing::PerConnection { connections: count, requests: None, idle_check: secs(2.0) };
    plan.gateway.demand = Law::ZERO;
    plan.ingress.closing = closing;
    plan
}

/// The share of the requests that meet the end of their idle connection.
fn met(plan: &Plan, replication: u64) -> f64 {
    let (_, outcome) = witnessed(plan, replication);
    let ledger = &outcome.ledger;
    assert_eq!(ledger.failed(), ledger.failed_by(Failure::IdleClosed));
    ledger.failed_by(Failure::IdleClosed) as f64 / ledger.offered as f64
}

#[test]
fn what_comes_within_a_round_trip_before_the_end_of_an_idle_connection_is_lost() {
    // Gaps X on a connection are exponential with mean 1 s. Of the requests that find it open the
    // share p = P(T − r ≤ X < T) is lost; the next one opens a new connection and cannot be. So
    // f = p·(1 − f) of all are lost.
    let (idle, trip) = (1.0_f64, 0.2_f64);
    let p = (-(idle - trip)).exp() - (-idle).exp();
    let mut plan = connections(200, 100.0, Closing { server_idle: secs(idle), ..Closing::NEVER });
    (plan.ingress.delay, plan.ingress.hop) = (secs(0.05), secs(trip - 0.05));
    let lost = Sample::of(12, |replication| met(&plan, replication));
    lost.expect_mean(p / (1.0 + p), 1e-3);
    // Where clients close first, by a round trip, nothing is lost; and without one nothing can be.
    plan.ingress.closing.client_idle = secs(idle - trip);
    assert_eq!(met(&plan, 0), 0.0);
    plan.ingress.closing.client_idle = Span::MAX;
    (plan.ingress.delay, plan.ingress.hop) = (Span::ZERO, Span::ZERO);
    assert_eq!(met(&plan, 0), 0.0);
}

#[test]
fn clients_that_close_almost_too_late_lose_the_rest_of_the_window() {
    // They close after T − r/2: what is lost comes in the half of the window before.
    let (idle, trip) = (1.0_f64, 0.2_f64);
    let p = (-(idle - trip)).exp() - (-(idle - trip / 2.0)).exp();
    let closing =
        Closing { server_idle: secs(idle), client_idle: secs(idle - trip / 2.0), ..Closing::NEVER };
    let mut plan = connections(200, 100.0, closing);
    plan.ingress.hop = secs(trip);
    let lost = Sample::of(12, |replication| met(&plan, replication));
    lost.expect_mean(p / (1.0 + p), 1e-3);
}

#[test]
fn what_the_ingress_tries_again_is_not_lost() {
    let closing = Closing { server_idle: secs(1.0), ..Closing::NEVER };
    let mut plan = connections(200, 60.0, closing);
    plan.ingress.hop = secs(0.2);
    plan.ingress.retries = 1;
    plan.ingress.retry.on_reset = true;
    assert_eq!(met(&plan, 0), 0.0);
}

/// The share of the requests of the last 30 s that the replacement of a crashed replica serves.
fn of_the_replacement(age: Option<f64>, replication: u64) -> f64 {
    let closing = Closing { age: age.map(secs), ..Closing::NEVER };
    let mut plan = connections(200, 200.0, closing);
    plan.faults = vec![crash(60.0)];
    let (witness, _) = witnessed(&plan, replication);
    let late = witness.served.iter().filter(|served| served.sent >= at(170.0));
    let (mut all, mut new) = (0.0, 0.0);
    for served in late {
        all += 1.0;
        new += f64::from(u8::from(served.replica == 2));
    }
    new / all
}

#[test]
fn connections_of_a_maximal_age_come_back_to_a_replacement() {
    // For good they stay with the survivor. After a minute each draws anew: half of them in the
    // mean, by a binomial law of 200.
    assert_eq!(of_the_replacement(None, 0), 0.0);
    let share = Sample::of(40, |replication| of_the_replacement(Some(60.0), replication));
    share.expect_mean(0.5, 0.01);
    let binomial = (0.25_f64 / 200.0).sqrt();
    assert!(share.variance().sqrt() < 1.6 * binomial, "{}", share.variance().sqrt());
}
