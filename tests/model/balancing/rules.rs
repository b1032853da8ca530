//! Slow start, clients that keep their replica, and replicas that answer slowly.

use brownout::observe::{Observation, ReplicaId};
use brownout::plan::*;
use brownout::policy::latency::Decay;
use brownout::policy::slow_start::SlowStart;
use brownout::random::Law;
use brownout::units::{Instant, Share};

use crate::common::dependencies::bystanders;
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, poisson, secs};
use crate::derived::{Sample, crash, fault};

/// A pair at 200/s of which one is replaced at once after a minute.
fn replaced() -> Plan {
    let mut plan = plan(2, 200.0, 140.0);
    plan.gateway.demand = Law::Constant(secs(0.000_1));
    plan.detection.crash = Law::ZERO;
    plan.startup.readiness =
        Probe { initial_delay: secs(1.0), period: secs(1.0), timeout: secs(1.0), failures: 3 };
    plan.faults = vec![crash(60.0)];
    plan
}

/// The replica that came into rotation last, and when.
fn newcomer(witness: &Witness) -> (Instant, ReplicaId) {
    let joined = witness.facts.iter().filter_map(|(at, fact)| match fact {
        Observation::JoinedRotation { replica } => Some((*at, *replica)),
        _ => None,
    });
    joined.max_by_key(|(at, _)| *at).expect("somebody joins")
}

/// How many requests the newcomer had before it had been there for so many seconds.
fn had(plan: &Plan, replication: u64, within: f64) -> f64 {
    let (witness, _) = witnessed(plan, replication);
    let (joined, id) = newcomer(&witness);
    assert!(id > 1, "nobody is new");
    let its = witness.served.iter().filter(|one| one.replica == id);
    its.filter(|one| one.arrived < joined + secs(within)).count() as f64
}

#[test]
fn a_new_replica_gets_the_share_of_its_weight() {
    // Beside one of weight 1 it gets w/(1 + w), with w = max(0.1, t/60 s): of 12,000 requests
    // 0.1²/1.1 + (1 − ln 2) − (0.1 − ln 1.1) = 0.31125. With aggression 2, w = √(t/60 s) from 0.01
    // on: 0.001/1.1 + 2·(½ − 1 + ln 2) − 2·(0.005 − 0.1 + ln 1.1) = 0.38658.
    for (aggression, share) in [(1.0, 0.311_25), (2.0, 0.386_58)] {
        for balancing in [Balancing::RoundRobin, Balancing::Random, Balancing::ZoneThenReplica] {
            let mut plan = replaced();
            plan.ingress.balancing = balancing;
            plan.ingress.slow_start =
                Some(SlowStart { window: secs(60.0), aggression, least: Share(0.1) });
            let had = Sample::of(12, |replication| had(&plan, replication, 60.0));
            had.expect_mean(12_000.0 * share, 40.0);
        }
    }
    // A connection keeps its replica: with one request each it is the same.
    let mut plan = replaced();
    let idle_check = secs(0.0);
    plan.ingress.balancing =
        Balancing::PerConnection { connections: 50, requests: Some(1), idle_check };
    plan.ingress.slow_start =
        Some(SlowStart { window: secs(60.0), aggression: 1.0, least: Share(0.1) });
    let count = Sample::of(12, |replication| had(&plan, replication, 60.0));
    count.expect_mean(12_000.0 * 0.311_25, 40.0);
}

#[test]
fn those_of_the_start_and_those_whose_time_is_over_get_all_of_their_share() {
    let mut plan = replaced();
    let half = Sample::of(6, |replication| had(&plan, replication, 10.0));
    half.expect_mean(1_000.0, 20.0);
    plan.faults.clear();
    let (plain, outcome) = witnessed(&plan, 0);
    plan.ingress.slow_start =
        Some(SlowStart { window: secs(1e3), aggression: 1.0, least: Share::ZERO });
    let (slow, other) = witnessed(&plan, 0);
    assert_eq!((plain.served, outcome.digest), (slow.served, other.digest));
}

/// Two hundred users who each send some two requests a second to three replicas behind three
/// instances, of which one is replaced after a minute.
fn users(balancing: Balancing) -> Plan {
    let mut plan = replaced().with_replicas(3);
    plan.traffic = poisson(0.0);
    plan.dependencies = bystanders();
    plan.dependencies.clients.population =
        Population::Closed { users: 200, think: Law::Exponential(secs(0.5)) };
    plan.ingress.instances = vec![None; 3];
    plan.ingress.balancing = balancing;
    plan
}

#[test]
fn a_cookie_keeps_clients_away_from_who_is_new_and_a_hash_gives_it_its_part() {
    let share = |balancing| {
        let (witness, _) = witnessed(&users(balancing), 0);
        let (joined, id) = newcomer(&witness);
        let since = witness.served.iter().filter(|one| one.sent > joined + secs(5.0));
        let (its, all) = since.fold((0.0, 0.0), |(its, all), one| {
            (its + f64::from(u8::from(one.replica == id)), all + 1.0)
        });
        assert!(all > 20_000.0, "{all}");
        its / all
    };
    // Of the lost one's 67 users only those come to it who asked for nothing meanwhile.
    let kept = share(Balancing::Cookie);
    assert!(kept < 0.06, "{kept}");
    // A third of 200 users: four standard errors.
    let hashed = share(Balancing::Hash);
    assert!((hashed - 1.0 / 3.0).abs() < 4.0 * (2.0 / 9.0 / 200.0_f64).sqrt(), "{hashed}");
}

#[test]
fn a_slow_replica_is_asked_when_it_is_forgotten_how_slow_it_was() {
    // 10 ms, and 100 ms of one that works at a tenth from 30 s on: its score is the least again
    // after 10 s · ln 10 = 23 s without an answer, or 10 s · ln 5 = 16 s where the others are busy,
    // so four to seven times in 100 s. Before that answer is there some more follow.
    let asked = |balancing| {
        let mut plan = plan(3, 60.0, 130.0);
        plan.gateway.demand = Law::Constant(secs(0.01));
        plan.ingress.balancing = balancing;
        let slow =
            Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share(0.1), Law::Constant(secs(1_000.0)));
        plan.faults = vec![fault(slow, 30.0)];
        let (witness, _) = witnessed(&plan, 0);
        let late = witness.served.iter().filter(|one| one.sent > at(31.0));
        late.filter(|one| one.replica == 0).count()
    };
    let time = secs(10.0);
    let turns = asked(Balancing::RoundRobin);
    assert!(turns > 900, "{turns} in turn");
    let peak = asked(Balancing::Latency(Decay { time, peak: true }));
    let plain = asked(Balancing::Latency(Decay { time, peak: false }));
    assert!((4..=80).contains(&peak) && (4..=120).contains(&plain), "{peak} and {plain}");
}
