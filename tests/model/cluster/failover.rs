//! What a failure costs: requests that meet the dead address, and those in flight.

use brownout::observe::ledger::Failure;
use brownout::observe::recorder::Keep;
use brownout::observe::{Observation, Observer, Served};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Span;

use crate::common::witness::{Witness, observe, witnessed};
use crate::common::{plan, replicate, secs};
use crate::derived::{Sample, crash, evenly, fault, gap, taken, warm_start};

const INJECTED: f64 = 30.0;

/// Replicas that take 100 requests a second each, evenly, on a warm node.
fn even(replicas: usize, horizon: f64) -> Plan {
    let mut even = plan(replicas, 100.0 * replicas as f64, horizon);
    warm_start(&mut even, (2.0, 6.0));
    evenly(&mut even);
    even
}

#[test]
fn property_9_the_survivors_take_n_over_n_minus_one_until_the_replacement_joins() {
    for replicas in [2, 3] {
        let mut plan = even(replicas, 80.0);
        plan.faults.push(crash(INJECTED));
        for replication in 0..20 {
            let (witness, _) = witnessed(&plan, replication);
            let (left, joined) = gap(&witness, replicas);
            assert!((INJECTED + 0.5..INJECTED + 3.0).contains(&left), "left at {left}");
            assert!((left + 9.0..INJECTED + 20.0).contains(&joined), "joined at {joined}");
            let surge = replicas as f64 / (replicas - 1) as f64;
            for (from, to, factor) in [
                (0.0, INJECTED, 1.0),
                (INJECTED, left, 1.0),
                (left, joined, surge),
                (joined, 80.0, 1.0),
            ] {
                for survivor in 1..replicas {
                    let expected = 100.0 * factor * (to - from);
                    let count = taken(&witness, survivor, from, to) as f64;
                    // One for the turn and one for the ends of the period.
                    assert!((count - expected).abs() <= 2.0, "{count}, not {expected}");
                }
            }
        }
    }
}

/// Requests that failed in these ways, per replication.
fn failures(plan: &Plan, count: u64, ways: &[Failure]) -> Sample {
    Sample::of(count, |replication| {
        let ledger = replicate(plan, replication).ledger;
        ways.iter().map(|way| ledger.failed_by(*way) as f64).sum()
    })
}

#[test]
fn property_10_the_share_of_a_crashed_replica_fails_until_it_is_out_of_rotation() {
    for dead_address in [DeadAddress::Drops, DeadAddress::Refuses] {
        let mut plan = even(3, 50.0);
        plan.ingress.dead_address = dead_address;
        plan.faults.push(crash(INJECTED));
        // Noticed after 0.5 s, heard of after 1.25 s.
        let failed = failures(&plan, 200, &[Failure::DeadAddress]);
        failed.expect_mean(100.0 * (0.5 + 1.25), 4.0);
        for replication in 0..10 {
            let (witness, outcome) = witnessed(&plan, replication);
            let expected = 100.0 * (gap(&witness, 3).0 - INJECTED);
            let failed = outcome.ledger.failed_by(Failure::DeadAddress) as f64;
            assert!((failed - expected).abs() <= 2.0, "{failed}, not {expected}");
        }
    }
}

#[test]
fn property_10_the_share_of_a_hung_replica_is_lost_until_readiness_fails() {
    let mut plan = even(3, 130.0);
    plan.faults.push(fault(Fault::ReplicaHang(ReplicaTarget::Slot(0)), INJECTED));
    // Readiness lost after 20 s, heard of after 1.25 s; killed long before the read time-out.
    let lost = failures(&plan, 200, &[Failure::LostInFlight]);
    lost.expect_mean(100.0 * (20.0 + 1.25 + 0.001), 25.0);
    plan.ingress.read_timeout = secs(5.0);
    let timed_out = failures(&plan, 200, &[Failure::TimedOut]);
    timed_out.expect_mean(100.0 * (20.0 + 1.25 + 0.001), 25.0);
}

#[test]
fn property_10_the_share_of_a_lost_node_fails_until_its_lease_is_too_old() {
    let mut plan = even(3, 100.0);
    plan.faults.push(fault(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e4))), INJECTED));
    let failed = failures(&plan, 200, &[Failure::DeadAddress]);
    failed.expect_mean(100.0 * (47.5 + 1.25), 25.0);
}

/// Requests answered five seconds or more after their sending.
#[derive(Default)]
struct Late(u64);

impl Observer for Late {
    fn served(&mut self, request: &Served) {
        self.0 += u64::from(request.finished.since(request.sent) >= secs(5.0));
    }
}

#[test]
fn property_10_with_a_retry_they_succeed_five_seconds_later() {
    let lost_zone = Fault::ZoneOutage(Some(0), Law::Constant(secs(1e4)));
    let crashed = Fault::ReplicaCrash(ReplicaTarget::Slot(0));
    for (what, noticed, error) in [(crashed, 0.5, 4.0), (lost_zone, 47.5, 25.0)] {
        let mut plan = even(3, 100.0);
        plan.ingress.retries = 1;
        plan.faults.push(fault(what, INJECTED));
        let refused = failures(&plan, 100, &[Failure::DeadAddress]);
        refused.expect_within(0.0, 0.0);
        let late = Sample::of(200, |replication| {
            let mut late = Late::default();
            observe(&plan, replication, &mut late);
            late.0 as f64
        });
        late.expect_mean(100.0 * (noticed + 1.25), error);
    }
}

#[test]
fn retries_reach_every_other_replica_before_they_give_up() {
    let mut plan = even(4, 60.0);
    plan.topology.placement = vec![0, 0, 0, 1];
    plan.ingress.connect_timeout = Span::ZERO;
    plan.faults.push(fault(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e4))), INJECTED));
    // Each request opens one.
    let one_connection =
        Balancing::PerConnection { connections: 1, requests: Some(1), idle_check: Span::ZERO };
    // By zones the second attempt is at the zone that lives.
    for (balancing, needed) in [
        (Balancing::RoundRobin, 3),
        (Balancing::Random, 3),
        (one_connection, 3),
        (Balancing::ZoneThenReplica, 1),
    ] {
        plan.ingress.balancing = balancing;
        plan.ingress.retries = needed;
        assert_eq!(replicate(&plan, 0).ledger.failed_by(Failure::DeadAddress), 0, "{balancing:?}");
        plan.ingress.retries = needed - 1;
        assert!(replicate(&plan, 0).ledger.failed_by(Failure::DeadAddress) > 0, "{balancing:?}");
    }
}

#[test]
fn property_11_what_is_in_flight_at_a_crash_is_lost_as_little_says() {
    // Random splitting makes each replica an M/M/1 queue: E[N] = ρ/(1−ρ) = λ/N · E[R].
    for (rate, load) in [(600.0, 0.3_f64), (1_400.0, 0.7)] {
        let mut plan = plan(2, rate, 1.1);
        plan.ingress.balancing = Balancing::Random;
        plan.faults.push(crash(1.0));
        let lost = failures(&plan, 5_000, &[Failure::LostInFlight]);
        lost.expect_mean(load / (1.0 - load), 0.05);
    }
}

#[test]
fn a_hung_replica_answers_nothing_and_a_dead_one_takes_nothing() {
    let mut plan = even(2, 130.0);
    plan.ingress.read_timeout = Span::MAX;
    plan.faults.push(fault(Fault::ReplicaHang(ReplicaTarget::Slot(0)), INJECTED));
    let (witness, _): (Witness, _) = witnessed(&plan, 0);
    assert_eq!(taken(&witness, 0, INJECTED, INJECTED + 71.0 + 10.0), 0);
    assert!(taken(&witness, 0, INJECTED + 93.0, 130.0) > 0);
    let kept = brownout::experiment::replicate(&plan, 0, Keep::default(), &Default::default());
    assert_eq!(kept.incidents[0].serving_least, 1);
}

#[test]
fn a_zone_outage_takes_the_ingress_instances_of_the_zone_until_it_is_over() {
    let mut plan = even(3, 200.0);
    plan.ingress.instances = vec![Some(0), Some(1), Some(2), None];
    plan.ingress.failover.after = Law::Constant(secs(10.0));
    let outage = Fault::ZoneOutage(Some(1), Law::Constant(secs(100.0)));
    plan.faults = vec![fault(outage, INJECTED)];
    // A quarter of 300 requests a second for ten seconds.
    failures(&plan, 50, &[Failure::IngressDown]).expect_mean(750.0, 4.0);
    let (witness, _) = witnessed(&plan, 0);
    let told = witness.facts.iter().filter_map(|(at, fact)| match fact {
        Observation::Ingress { reachable, down, .. } => Some((at.as_secs(), *reachable, *down)),
        _ => None,
    });
    let expected = [(INJECTED, 4, 1), (INJECTED + 10.0, 3, 1), (INJECTED + 100.0, 4, 0)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn clients_avoid_a_lost_ingress_instance_a_failover_after_it_was_lost_last() {
    let mut plan = plan(2, 10.0, 60.0);
    plan.ingress.instances = vec![None; 2];
    plan.ingress.failover.after = Law::Constant(secs(10.0));
    for (from, lasts) in [(5.0, 5.0), (12.0, 30.0), (20.0, 15.0)] {
        let lasts = Law::Constant(secs(lasts));
        plan.faults.push(fault(Fault::IngressLoss(InstanceTarget::One(1), lasts), from));
    }
    let (witness, _) = witnessed(&plan, 0);
    let mut seen = Vec::new();
    for (at, fact) in &witness.facts {
        if let Observation::Ingress { reachable, down, .. } = fact {
            seen.push((at.as_secs(), *reachable, *down));
        }
    }
    let expected = [
        (5.0, 2, 1),
        (10.0, 2, 0),
        (12.0, 2, 1),
        (20.0, 2, 1),
        (22.0, 1, 1),
        (35.0, 1, 1),
        (42.0, 2, 0),
    ];
    assert_eq!(seen, expected);
}

/// Requests at 400/s through four instances, of which one is lost for longer than it takes clients
/// to leave it.
fn instance_lost(after: Law, by: FailoverBy) -> Plan {
    let mut plan = plan(2, 400.0, 150.0);
    plan.gateway.demand = Law::Constant(secs(1e-5));
    plan.ingress.instances = vec![None; 4];
    plan.ingress.failover = Failover { after, by };
    plan.faults =
        vec![fault(Fault::IngressLoss(InstanceTarget::One(1), Law::Constant(secs(1e4))), INJECTED)];
    plan
}

#[test]
fn clients_leave_a_lost_ingress_instance_one_by_one() {
    let mean = 10.0;
    for after in [Law::Exponential(secs(mean)), Law::uniform_secs(0.0, 2.0 * mean)] {
        let plan = instance_lost(after, FailoverBy::Clients);
        // A quarter of 400 a second for ten seconds in the mean, and no more chance than that of a
        // Poisson count.
        let lost = failures(&plan, 100, &[Failure::IngressDown]);
        lost.expect_mean(1_000.0, 4.0);
        assert!(lost.variance() < 1.6 * 1_000.0, "a variance of {}", lost.variance());
    }
}

#[test]
fn of_requests_sent_at_a_time_after_the_loss_as_many_fail_as_clients_have_not_left() {
    let plan = instance_lost(Law::Exponential(secs(10.0)), FailoverBy::Clients);
    let mut sent = [0.0; 6];
    for replication in 0..40 {
        let (witness, _) = witnessed(&plan, replication);
        let down = witness.failed.iter().filter(|(_, _, way)| *way == Failure::IngressDown);
        let periods = down.map(|(sent, ..)| (sent.at.as_secs() - INJECTED) / 5.0);
        periods.filter(|period| *period < 6.0).for_each(|period| sent[period as usize] += 1.0);
    }
    for (period, count) in sent.into_iter().enumerate() {
        let survives = |time: f64| (-time / 10.0).exp();
        let (from, to) = (5.0 * period as f64, 5.0 * (period + 1) as f64);
        let expected = 40.0 * 100.0 * 10.0 * (survives(from) - survives(to));
        assert!((count - expected).abs() < 4.0 * expected.sqrt(), "{count}, not {expected}");
    }
}

#[test]
fn users_leave_a_lost_ingress_instance_each_at_a_time_of_its_own() {
    // A user who is lucky leaves at once and fails no more; one who is not fails for long.
    let mut plan = instance_lost(Law::Exponential(secs(10.0)), FailoverBy::Clients);
    plan.traffic = crate::common::poisson(0.0);
    let think = Law::Exponential(secs(1.0));
    plan.dependencies.clients.population = Population::Closed { users: 400, think };
    let lost = failures(&plan, 60, &[Failure::IngressDown]);
    // A user's requests at a rate of one a second, less what a request takes.
    lost.expect_mean(1_000.0, 12.0);
    // In a count of N users, each with a number of its own: mean m and variance m + m² each.
    let (mean, users) = (2.5, 400.0);
    let expected = users * (mean + mean * mean);
    assert!(lost.variance() > 0.5 * expected && lost.variance() < 2.0 * expected);
}

#[test]
fn a_health_check_decides_once_for_all_clients() {
    let plan = instance_lost(Law::uniform_secs(0.0, 20.0), FailoverBy::HealthCheck);
    let lost = failures(&plan, 100, &[Failure::IngressDown]);
    lost.expect_mean(1_000.0, 80.0);
    // 100 a second times U(0, 20 s): a variance of 100² · 20²/12.
    let expected = 1e4 * 400.0 / 12.0;
    assert!((0.6..1.6).contains(&(lost.variance() / expected)), "{}", lost.variance());
}

#[test]
fn an_instance_that_is_back_while_clients_leave_is_found_by_all() {
    let mut plan = instance_lost(Law::Exponential(secs(10.0)), FailoverBy::Clients);
    plan.faults =
        vec![fault(Fault::IngressLoss(InstanceTarget::One(1), Law::Constant(secs(5.0))), INJECTED)];
    // 100 a second times 10 s · (1 − e^(−½)).
    failures(&plan, 100, &[Failure::IngressDown]).expect_mean(1_000.0 * 0.393_469, 4.0);
    let (witness, _) = witnessed(&plan, 0);
    let told = witness.facts.iter().filter_map(|(at, fact)| match fact {
        Observation::Ingress { reachable, down, .. } => Some((at.as_secs(), *reachable, *down)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [(INJECTED, 4, 1), (INJECTED + 5.0, 4, 0)]);
}
