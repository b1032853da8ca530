//! Client connections that keep their replica, when that replica or its machine is lost.
//!
//! Of n connections each leads to one of two replicas, and half of them to the one that is lost. A
//! connection that is opened meets the dead address with probability ½, so that 1 request in the
//! mean (½ + ¼ + …) is refused before it leads to the other.

use brownout::observe::ledger::Failure;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Cores, Instant, Span};

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, replicate, secs};
use crate::derived::{Sample, crash, fault};

const CONNECTIONS: usize = 20;

/// When a replica or its machine is lost, and for how long the ingress does not know it.
const LOST: f64 = 4.0;
const UNKNOWN: f64 = 3.0;

/// 1 000 requests a second on 20 connections to two replicas of four cores.
fn kept(horizon: f64) -> Plan {
    let mut plan = plan(2, 1_000.0, horizon);
    plan.gateway.cores = Cores(4.0);
    plan.gateway.demand = Law::Exponential(secs(0.000_5));
    plan.ingress.balancing = Balancing::PerConnection {
        connections: CONNECTIONS,
        requests: None,
        idle_check: secs(2.0),
    };
    plan.ingress.dead_address = DeadAddress::Refuses;
    plan.ingress.propagation = Law::Constant(secs(UNKNOWN));
    plan.detection.crash = Law::ZERO;
    plan
}

fn crashed() -> Plan {
    Plan { faults: vec![crash(LOST)], ..kept(LOST + UNKNOWN + 1.0) }
}

fn failed(plan: &Plan, count: u64) -> Sample {
    Sample::of(count, |replication| replicate(plan, replication).ledger.failed() as f64)
}

/// The failures of a kind: when sent, and how long they took.
fn of(witness: &Witness, kind: Failure) -> Vec<(f64, Span)> {
    let mine = witness.failed.iter().filter(|(_, _, failure)| *failure == kind);
    mine.map(|(sent, at, _)| (sent.at.as_secs(), at.since(sent.at))).collect()
}

#[test]
fn each_reset_connection_costs_one_request_and_each_refusal_another() {
    // Half of 20 are reset: 10 requests in flight or sent next, and 10 refusals.
    failed(&crashed(), 400).expect_mean(20.0, 0.4);
    // A refused connection that is tried elsewhere leaves the resets.
    let mut retries = crashed();
    retries.ingress.retries = 1;
    failed(&retries, 200).expect_mean(10.0, 0.2);
}

#[test]
fn clients_that_see_every_reset_lose_what_is_in_flight_and_what_is_refused() {
    let mut plan = crashed();
    let Balancing::PerConnection { idle_check, .. } = &mut plan.ingress.balancing else { return };
    *idle_check = Span::ZERO;
    // Each replica has 500/s · 0.5 ms in flight.
    failed(&plan, 400).expect_mean(10.25, 0.3);
}

#[test]
fn where_a_client_owns_a_connection_one_connection_meets_one_reset_at_most() {
    let mut plan = crashed();
    let Balancing::PerConnection { connections, .. } = &mut plan.ingress.balancing else { return };
    *connections = 1;
    for replication in 0..20 {
        let (witness, _) = witnessed(&plan, replication);
        let mut reset = of(&witness, Failure::LostInFlight);
        reset.retain(|(sent, _)| *sent >= LOST);
        assert!(reset.len() <= 1, "{reset:?}");
        let refused = of(&witness, Failure::DeadAddress);
        let last = refused.last().map_or(LOST, |(sent, _)| *sent);
        assert!(last < LOST + 0.1, "the connection opens elsewhere at once, not after {last} s");
    }
}

#[test]
fn a_container_that_is_restarted_at_once_has_reset_its_connections_all_the_same() {
    let mut plan = crashed();
    plan.detection.after_crash = AfterCrash::Restarted;
    plan.ingress.propagation = Law::Constant(secs(1e3));
    plan.faults = vec![crash(LOST)];
    let lost = |replication| replicate(&plan, replication).ledger;
    let sample =
        Sample::of(200, |replication| lost(replication).failed_by(Failure::LostInFlight) as f64);
    sample.expect_mean(10.0, 0.2);
    // Nobody is refused where somebody listens again.
    assert_eq!(lost(0).failed_by(Failure::DeadAddress), 0);
}

#[test]
fn what_is_sent_on_an_open_connection_to_a_lost_machine_hangs_until_the_read_timeout() {
    let read_timeout = 5.0;
    let mut plan = kept(LOST + 20.0);
    plan.ingress.read_timeout = secs(read_timeout);
    plan.ingress.connect_timeout = secs(1.0);
    plan.faults = vec![fault(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e4))), LOST)];
    let hung = Sample::of(40, |replication| {
        let (witness, _) = witnessed(&plan, replication);
        let hung = of(&witness, Failure::TimedOut);
        assert!(hung.iter().all(|(_, lasted)| *lasted == secs(read_timeout)), "{hung:?}");
        // What was in flight then hangs as well.
        assert!(
            hung.iter().all(|(sent, _)| (LOST - 0.1..LOST + read_timeout + 1.0).contains(sent))
        );
        // Whoever has given up opens another connection, which may meet the dead address.
        let opened = of(&witness, Failure::DeadAddress);
        let well =
            |(sent, lasted): &(f64, Span)| *sent >= LOST + read_timeout && *lasted == secs(1.0);
        assert!(opened.iter().all(well), "{opened:?}");
        hung.len() as f64
    });
    // Half of the connections, each from the first request on it (1/50 s after the loss).
    hung.expect_mean(10.0 * (50.0 * read_timeout + 1.0), 120.0);
}

#[test]
fn a_client_waits_for_a_lost_machine_as_long_as_it_is_patient() {
    let mut plan = kept(LOST + 12.0);
    plan.dependencies.clients.patience = Some(secs(2.0));
    plan.faults = vec![fault(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e4))), LOST)];
    let given_up = Sample::of(40, |replication| {
        let (witness, _) = witnessed(&plan, replication);
        let given_up = of(&witness, Failure::GivenUp);
        assert!(given_up.iter().all(|(_, lasted)| *lasted == secs(2.0)), "{given_up:?}");
        given_up.len() as f64
    });
    // What hangs, and then one connection in the mean that leads nowhere.
    given_up.expect_mean(10.0 * (50.0 * 2.0 + 1.0 + 1.0), 60.0);
}

#[test]
fn tcp_gives_up_what_nobody_else_does() {
    let mut plan = kept(1_000.0);
    if let Traffic::Process(process) = &mut plan.traffic {
        process.corners = vec![(Instant::ZERO, brownout::units::Rate(20.0))];
    }
    plan.ingress.read_timeout = Span::MAX;
    plan.detection.node_grace = secs(1e4);
    plan.faults = vec![fault(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e5))), LOST)];
    let (witness, outcome) = witnessed(&plan, 0);
    // Linux sends again for 924.6 s.
    let (first, lasted) = of(&witness, Failure::DeadAddress)[0];
    assert!((LOST..LOST + 5.0).contains(&first), "the first hangs from {first} s on");
    assert_eq!(lasted, secs(924.6));
    assert_eq!(outcome.ledger.failed_by(Failure::TimedOut), 0);
}

#[test]
fn connections_of_replicas_that_are_all_dead_open_again_when_one_is_back() {
    let mut plan = kept(60.0);
    let crash = Fault::ReplicaCrash(ReplicaTarget::All);
    plan.faults = vec![fault(crash, LOST)];
    let (witness, outcome) = witnessed(&plan, 0);
    let ledger = outcome.ledger;
    assert!(ledger.balances() && ledger.failed_by(Failure::NoReadyReplica) > 0, "{ledger:?}");
    let last = witness.failed.iter().map(|(sent, ..)| sent.at).max();
    let served = witness.served.iter().filter(|request| Some(request.sent) > last);
    assert!(served.count() > 10_000, "the last failed at {last:?}");
    assert!(last < Some(at(40.0)), "{last:?}");
}
