//! Upstreams that accept so many connections over all replicas.

use brownout::observe::ledger::Failure;
use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::random::Law;

use crate::common::dependencies::{upstream, with_upstream};
use crate::common::witness::witnessed;
use crate::common::{at, plan, secs, take_away};
use crate::derived::{Sample, evenly};

/// So many replicas that take no time before a host that accepts so many connections and takes
/// 50 ms in the mean.
fn behind(replicas: usize, rate: f64, accepts: u32, keep_alive: f64, latency: Law) -> Plan {
    let accepts = Some(HostLimit { connections: accepts, keep_alive: secs(keep_alive) });
    let mut plan = plan(replicas, rate, 60.0);
    plan.gateway.demand = Law::ZERO;
    plan.ingress.balancing = Balancing::Random;
    plan.dependencies = with_upstream(Upstream { accepts, ..upstream(latency) });
    plan
}

/// The share of the requests sent between two moments that the upstream has no connection for.
fn refused(plan: &Plan, replication: u64, (from, to): (f64, f64)) -> f64 {
    let (witness, outcome) = witnessed(plan, replication);
    let ledger = &outcome.ledger;
    assert_eq!(ledger.failed(), ledger.failed_by(Failure::UpstreamFull));
    let within = |time| (at(from)..at(to)).contains(&time);
    let sent = witness.offered.iter().filter(|sent| within(sent.at)).count();
    let failed = witness.failed.iter().filter(|(sent, ..)| within(sent.at)).count();
    failed as f64 / sent as f64
}

/// The share that is lost of a load of so many Erlangs by so many servers.
fn erlang_loss(load: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |loss, server| load * loss / (f64::from(server) + load * loss))
}

#[test]
fn replicas_that_keep_nothing_idle_lose_together_what_erlangs_formula_says() {
    // 20 Erlangs on 20 connections: 15.89 % (any table of B); whatever the law of the latency and
    // the number of replicas.
    assert!((erlang_loss(20.0, 20) - 0.158_892).abs() < 1e-6);
    for (replicas, latency) in [
        (1, Law::Exponential(secs(0.05))),
        (3, Law::Exponential(secs(0.05))),
        (3, Law::Constant(secs(0.05))),
    ] {
        let plan = behind(replicas, 400.0, 20, 0.0, latency);
        let losses = Sample::of(12, |replication| refused(&plan, replication, (2.0, 60.0)));
        losses.expect_mean(erlang_loss(20.0, 20), 2e-3);
    }
}

#[test]
fn one_replica_loses_as_much_if_it_keeps_its_connections() {
    let plan = behind(1, 400.0, 24, 3_600.0, Law::Exponential(secs(0.05)));
    let losses = Sample::of(12, |replication| refused(&plan, replication, (2.0, 60.0)));
    losses.expect_mean(erlang_loss(20.0, 24), 2e-3);
}

/// Three replicas, of which the third begins with the traffic of the others only after 20 s: its
/// slot is taken away from 1 s to 20 s, while the others keep up to 50 connections each.
fn third_comes_late(divided: Divided) -> Plan {
    let mut plan = behind(3, 600.0, 100, 3_600.0, Law::Constant(secs(0.2)));
    let connections = match divided {
        Divided::No => 50,
        _ => 100,
    };
    let limit = BreakerSpec { connections: Some(connections), ..BreakerSpec::NONE };
    let upstream = &mut plan.dependencies.upstreams[0];
    (upstream.breaker, upstream.divided) = (limit, divided);
    plan.ingress.balancing = Balancing::RoundRobin;
    evenly(&mut plan);
    take_away(&mut plan, &[2], at(0.005), secs(20.0));
    plan
}

#[test]
fn a_replica_that_comes_when_the_others_keep_all_connections_has_none() {
    // 600/s at 200 ms keep 60 connections of each of two replicas in use, of 50 that they may have:
    // all 100 are theirs. Then the third gets a third of the requests, and none of the connections.
    let plan = third_comes_late(Divided::No);
    assert_eq!(refused(&plan, 0, (10.0, 20.0)), 0.0);
    let share = refused(&plan, 0, (40.0, 55.0));
    assert!((share - 1.0 / 3.0).abs() < 1e-3, "{share}");
}

#[test]
fn connections_that_are_divided_by_the_ready_replicas_are_enough_for_all() {
    // 33 of 100 each from when the third is ready on; what the others had under way then goes on
    // for 200 ms at most.
    let plan = third_comes_late(Divided::ByReady);
    assert_eq!(refused(&plan, 0, (1.0, 20.0)), 0.0);
    assert_eq!(refused(&plan, 0, (20.5, 60.0)), 0.0);
    // Divided by those of the start each has 33 all the time: two replicas have 66 in use.
    let fixed = third_comes_late(Divided::AtStart);
    assert_eq!(refused(&fixed, 0, (0.0, 60.0)), 0.0);
    let done = |plan: &Plan| {
        let (witness, _) = witnessed(plan, 0);
        let within = |time| (at(10.0)..at(20.0)).contains(&time);
        witness.served_in_time().filter(|served| within(served.finished)).count() as f64
    };
    // In 200 ms 2 × 50 or 2 × 33 are done.
    assert!((done(&plan) / 5_000.0 - 1.0).abs() < 0.01, "{}", done(&plan));
    assert!((done(&fixed) / 3_300.0 - 1.0).abs() < 0.01, "{}", done(&fixed));
}
