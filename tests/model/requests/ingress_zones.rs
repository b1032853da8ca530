//! Ingress instances that prefer the replicas of their own zone.

use std::collections::BTreeMap;

use brownout::observe::ledger::Failure;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Span;

use crate::common::witness::witnessed;
use crate::common::{at, plan, replicate, secs, take_away};
use crate::derived::{Sample, crash};

/// So many replicas over three zones, each with an instance that prefers it.
fn preferring(replicas: usize, rate: f64, horizon: f64) -> Plan {
    let mut plan = plan(replicas, rate, horizon);
    plan.gateway.demand = Law::Constant(secs(0.000_1));
    plan.topology.zones = ["a", "b", "c"].map(str::to_owned).into();
    plan.topology.placement = (0..replicas).map(|slot| slot % 3).collect();
    plan.ingress.instances = (0..3).map(Some).collect();
    plan.ingress.prefer_zone = true;
    plan
}

/// The share of the requests sent in this time that each slot served, by the names of replicas.
fn shares(plan: &Plan, from: f64, until: f64) -> Vec<f64> {
    let (witness, _) = witnessed(plan, 0);
    let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
    let inside = witness.served.iter().filter(|it| it.sent > at(from) && it.sent < at(until));
    inside.for_each(|served| *counts.entry(served.replica).or_default() += 1.0);
    let all: f64 = counts.values().sum();
    assert!(all > 10_000.0, "{all} are too few");
    counts.into_values().map(|count| count / all).collect()
}

/// Shares of 10,000 requests or more that are due, to four standard deviations.
fn expect(found: &[f64], due: &[f64]) {
    assert_eq!(found.len(), due.len(), "{found:?}");
    for (found, due) in found.iter().zip(due) {
        let deviation = (due * (1.0 - due) / 10_000.0_f64).sqrt();
        assert!((found - due).abs() < 4.0 * deviation, "{found}, and {due} is due");
    }
}

#[test]
fn each_zone_gets_the_share_of_its_instances_however_many_replicas_it_has() {
    let rules = [Balancing::RoundRobin, Balancing::Random, Balancing::LeastRequest];
    for rule in rules.into_iter().chain([Balancing::ZoneThenReplica]) {
        let mut plan = preferring(4, 200.0, 120.0);
        plan.ingress.balancing = rule;
        let due = [1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0];
        expect(&shares(&plan, 0.0, 120.0), &due);
        assert_eq!(plan.ingress.shares(&plan.topology.placement, 3).len(), 4);
        expect(&plan.ingress.shares(&plan.topology.placement, 3), &due);
        plan.ingress.prefer_zone = false;
        if rule != Balancing::ZoneThenReplica {
            expect(&shares(&plan, 0.0, 120.0), &[0.25; 4]);
        }
    }
}

#[test]
fn an_instance_without_a_replica_in_its_zone_or_without_a_zone_uses_all() {
    // A pair in three zones is even, and so is it behind instances outside the zones.
    let mut pair = preferring(2, 200.0, 120.0);
    expect(&shares(&pair, 0.0, 120.0), &[0.5, 0.5]);
    pair.ingress.instances = vec![Some(0), Some(1), Some(0)];
    expect(&shares(&pair, 0.0, 120.0), &[2.0 / 3.0, 1.0 / 3.0]);
    pair.ingress.instances = vec![None; 3];
    expect(&shares(&pair, 0.0, 120.0), &[0.5, 0.5]);
}

#[test]
fn the_others_have_the_requests_of_a_zone_until_its_replica_is_back() {
    let mut plan = preferring(3, 400.0, 150.0);
    take_away(&mut plan, &[1], at(50.0), secs(40.0));
    expect(&shares(&plan, 0.0, 50.0), &[1.0 / 3.0; 3]);
    expect(&shares(&plan, 51.0, 89.0), &[0.5, 0.5]);
    expect(&shares(&plan, 92.0, 150.0), &[1.0 / 3.0; 3]);
}

#[test]
fn a_retry_stays_in_the_zone_while_its_dead_address_is_known() {
    // A third of 300/s meets the dead address of its zone for 20 s, as often as it tries.
    let mut plan = preferring(3, 300.0, 100.0);
    plan.detection.crash = Law::Constant(secs(20.0));
    plan.ingress.dead_address = DeadAddress::Refuses;
    plan.ingress.retries = 2;
    plan.faults = vec![crash(40.0)];
    let refused = |plan: &Plan| {
        Sample::of(60, |replication| {
            replicate(plan, replication).ledger.failed_by(Failure::DeadAddress) as f64
        })
    };
    refused(&plan).expect_mean(2_000.0, 25.0);
    plan.ingress.prefer_zone = false;
    refused(&plan).expect_mean(0.0, 1e-9);
}

#[test]
fn health_checks_let_an_instance_leave_its_zone() {
    let mut plan = preferring(3, 300.0, 100.0);
    plan.detection.crash = Law::Constant(secs(50.0));
    plan.ingress.dead_address = DeadAddress::Refuses;
    plan.faults = vec![crash(40.0)];
    // Two failed checks in a row every 4 s: after 6 s in the mean.
    let (interval, timeout, by) = (secs(4.0), secs(1.0), CheckBy::Http);
    plan.ingress.health =
        Some(HealthCheck { interval, timeout, unhealthy: 2, healthy: 2, by, first: false });
    let failed = Sample::of(200, |replication| {
        replicate(&plan, replication).ledger.failed_by(Failure::DeadAddress) as f64
    });
    failed.expect_mean(600.0, 30.0);
}

#[test]
fn open_connections_stay_where_they_are_when_a_replica_comes_into_the_zone() {
    let mut plan = preferring(3, 400.0, 150.0);
    let (connections, idle_check) = (300, Span::ZERO);
    plan.ingress.balancing = Balancing::PerConnection { connections, requests: None, idle_check };
    take_away(&mut plan, &[1], at(50.0), secs(40.0));
    // Those of the lost one moved, and nobody comes back.
    let found = shares(&plan, 92.0, 150.0);
    assert_eq!(found.len(), 2, "{found:?}");
}
