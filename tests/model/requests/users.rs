//! Users of a closed loop, each on a connection of its own.
//!
//! A replica with n users who keep their connections is a queue of its own with a finite
//! population: with exponential demands of mean S and think times of mean Z the number k in it has
//! the weights n!/(n−k)! · (S/Z)^k, whatever the other replica does (processor sharing, one core).

use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Cores;

use crate::common::witness::witnessed;
use crate::common::{at, plan, replicate, secs};

const DEMAND: f64 = 0.001;

/// So many users, who think for so long in the mean, on so many connections.
fn users(users: usize, connections: usize, replicas: usize, think: f64, seconds: f64) -> Plan {
    let mut plan = plan(replicas, 0.0, seconds);
    plan.run.warm_up = at(seconds / 5.0);
    plan.run.bin = secs(seconds);
    plan.gateway.cores = Cores(1.0);
    plan.gateway.demand = Law::Exponential(secs(DEMAND));
    plan.ingress.balancing =
        Balancing::PerConnection { connections, requests: None, idle_check: secs(2.0) };
    let think = Law::Exponential(secs(think));
    plan.dependencies.clients.population = Population::Closed { users, think };
    plan
}

/// Throughput and mean time in a replica of so many users.
fn finite_population(users: usize, think: f64) -> (f64, f64) {
    let (mut weight, mut total, mut inside) = (1.0, 1.0, 0.0);
    for k in 1..=users {
        weight *= (users - k + 1) as f64 * DEMAND / think;
        total += weight;
        inside += k as f64 * weight;
    }
    let rate = (1.0 - 1.0 / total) / DEMAND;
    (rate, inside / total / rate)
}

/// What each replica does after warm-up: requests a second, and the mean time of one.
fn by_replica(plan: &Plan, replication: u64) -> Vec<(f64, f64)> {
    let (witness, _) = witnessed(plan, replication);
    let (from, end) = (plan.run.warm_up, plan.run.horizon);
    let figures = |replica: usize| {
        let mine = witness.served_in_time().filter(|request| request.replica == replica);
        let times = mine.filter(|request| request.sent >= from);
        let times: Vec<f64> =
            times.map(|request| request.finished.since(request.sent).as_secs()).collect();
        let count = times.len() as f64;
        (count / end.since(from).as_secs(), times.iter().sum::<f64>() / count)
    };
    (0..plan.gateway.replicas).map(figures).collect()
}

#[test]
fn each_replica_serves_its_own_users_as_a_queue_of_a_finite_population() {
    let think = 0.09;
    let plan = users(180, 180, 2, think, 60.0);
    for replication in 0..5 {
        let found = by_replica(&plan, replication);
        // Little's law says how many users each has.
        let little: Vec<f64> = found.iter().map(|(rate, time)| rate * (think + time)).collect();
        let owned: Vec<usize> = little.iter().map(|users| users.round() as usize).collect();
        assert!((little.iter().sum::<f64>() - 180.0).abs() < 1.0, "{little:?}");
        for ((rate, time), users) in found.iter().zip(owned) {
            let expected = finite_population(users, think);
            assert!((rate / expected.0 - 1.0).abs() < 0.02, "{users}: {rate}, not {expected:?}");
            assert!((time / expected.1 - 1.0).abs() < 0.15, "{users}: {time}, not {expected:?}");
        }
    }
}

#[test]
fn six_hundred_users_on_connections_of_their_own_keep_every_replica_busy() {
    let think = 0.1;
    let plan = users(600, 600, 3, think, 20.0);
    let outcome = replicate(&plan, 0);
    let window = &outcome.windows[0];
    let rate = window.ledger.served as f64 / window.open.as_secs();
    assert!((rate / 3_000.0 - 1.0).abs() < 0.01, "{rate}/s of 3 000");
    // So n = X (R + Z) gives a mean of 100 ms; a request takes its demand times as many as there
    // are, which is exponential too: the median is ln 2 and p99 ln 100 times the mean.
    let quantile = |q: f64| window.latency.quantile(q).expect("answers").as_secs();
    let (median, slow) = (quantile(0.5), quantile(0.99));
    assert!((median / 0.0693 - 1.0).abs() < 0.05, "a median of {median}");
    assert!((slow / 0.4605 - 1.0).abs() < 0.08, "a p99 of {slow}");
}

#[test]
fn users_share_connections_in_a_fixed_way() {
    // 50 users on one connection are all with one replica, and stay there.
    let one = by_replica(&users(50, 1, 2, 0.01, 10.0), 0);
    let served: Vec<f64> = one.iter().map(|(rate, _)| *rate).collect();
    assert!(served.contains(&0.0) && served.iter().any(|rate| *rate > 950.0), "{served:?}");
    // Of more connections than users only those of users are used: each user has one replica.
    for replication in 0..10 {
        let mut plan = users(1, 1_000, 2, 0.001, 5.0);
        plan.run.warm_up = at(0.0);
        let one = by_replica(&plan, replication);
        assert!(one.iter().any(|(rate, _)| *rate == 0.0), "{one:?}");
    }
}

#[test]
fn a_session_keeps_its_connection() {
    // One session after the other, of many requests: each is served by one replica.
    let mut plan = users(1, 100, 2, 0.001, 200.0);
    plan.run.warm_up = at(0.0);
    plan.traffic = crate::common::poisson(0.05);
    plan.dependencies.clients.population =
        Population::Sessions { requests: 500.0, think: Law::Constant(secs(0.001)) };
    let (witness, _) = witnessed(&plan, 0);
    let mut served: Vec<_> = witness.served.iter().map(|one| (one.sent, one.replica)).collect();
    served.sort_unstable();
    let changes = served.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    assert!(served.len() > 1_000 && changes < 50, "{changes} changes in {}", served.len());
}
