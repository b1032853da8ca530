//! CPU time per request on one core (per attempt, where clients try again), with all statistics on.
//!
//! ```sh
//! cargo bench --bench requests                    # every case, against the baseline
//! cargo bench --bench requests -- log-normal      # those whose names contain a word
//! cargo bench --bench requests -- --save          # what is measured is the baseline from now on
//! ```
//!
//! The cases run in turn, several rounds, each after the reference loop (`measure/reference.rs`).
//! Printed are the median of each in nanoseconds, its ratio to the loop that ran in the same round,
//! and by how much that ratio has changed since the baseline (`baseline.csv`), with the interval in
//! which the change lies: machines differ and drift, the ratio does so little. Written on one kind
//! of machine, a baseline says more on the same kind than on others. A harness of its own, because
//! the usual ones measure one case after the other.

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use std::hint::black_box;

use brownout::observe::recorder::Keep;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Cores, Share, Span};
use measure::Measured;
use measure::baseline::{self, Baseline};

/// Three Large replicas at 900 requests/s, as the shipped scenarios have them: one core,
/// exponential demand of 1/715 s, three ingress instances, delays, timeline and journal kept.
fn steady() -> Plan {
    let mut plan = common::plan(3, 900.0, 1_200.0);
    plan.gateway.demand = Law::Exponential(Span::from_secs(1.0 / 715.0));
    plan.ingress.instances = vec![None; 3];
    plan.ingress.delay = Span::from_secs(0.0002);
    plan.ingress.hop = Span::from_secs(0.0005);
    plan
}

/// The same with log-normal demand of mean 10 ms on two cores, 0.7 of capacity.
fn log_normal() -> Plan {
    let mut plan = Plan { traffic: common::poisson(420.0), ..steady() };
    plan.run.horizon = common::at(2_400.0);
    plan.gateway.cores = Cores(2.0);
    plan.gateway.demand = Law::LogNormal(Span::from_secs(0.01), 1.0);
    plan
}

/// The case of the reference loop: one ingress instance in strict turn, no delays, one replica away
/// for 30 s.
fn reference() -> Plan {
    let mut plan = common::plan(3, 420.0, 600.0);
    plan.gateway.cores = Cores(2.0);
    plan.gateway.demand = Law::LogNormal(Span::from_secs(0.01), 1.0);
    common::take_away(&mut plan, &[0], common::at(200.0), Span::from_secs(30.0));
    plan.windows.push(Window::of_all("during", Extent::During(0)));
    plan
}

fn crash() -> Plan {
    let mut plan = steady();
    plan.faults = (1..6)
        .map(|n| FaultPlan {
            name: format!("crash {n}"),
            fault: Fault::ReplicaCrash(ReplicaTarget::Any),
            schedule: Schedule::At(common::at(200.0 * f64::from(n))),
        })
        .collect();
    plan.windows.push(Window::of_all("during", Extent::During(0)));
    plan
}

/// Two regions with such a gateway each, which share twice the requests, and five crashes in each:
/// against "crash", what a request costs more than in two gateways by themselves.
fn two_regions() -> Plan {
    let gateway = Plan { faults: Vec::new(), ..crash() };
    let mut shared = Plan { traffic: common::poisson(1_800.0), ..crash() };
    let region = |name: &str| RegionPlan {
        name: name.to_owned(),
        role: RegionRole::Active,
        weight: 1.0,
        round_trip: RoundTrip::default(),
        gateway: gateway.clone(),
    };
    let second = shared
        .faults
        .iter()
        .map(|fault| FaultPlan { name: format!("{} of the second", fault.name), ..fault.clone() });
    shared.faults.extend(second.collect::<Vec<_>>());
    let of_fault = (0..shared.faults.len()).map(|fault| Some(fault / 5)).collect();
    let check = RegionCheck {
        asks: Asks::Replica,
        interval: Span::from_secs(30.0),
        timeout: Span::from_secs(4.0),
        failures: 3,
        successes: 3,
        locations: 16,
        quorum: Share(0.18),
    };
    let manager = TrafficManager {
        routing: Routing::Dns {
            ttl: Span::from_secs(60.0),
            stragglers: Share::ZERO,
            overtime: Law::ZERO,
            connections: Law::ZERO,
        },
        check: Some(check),
        decision: Law::ZERO,
        failback: Failback::After(Law::ZERO),
        unhealthy: AllUnhealthy::All,
        groups: 1_000,
    };
    let regions = Regions {
        all: vec![region("east"), region("west")],
        steering: Steering::Weighted,
        manager,
        control_plane: None,
        data_loss: Span::ZERO,
        of_fault,
    };
    Plan::of_regions(shared, regions)
}

/// Steady in the mean, with bursts of a second.
fn bursts() -> Plan {
    let mut plan = steady();
    let Traffic::Process(process) = &mut plan.traffic else { unreachable!() };
    let (every, length) = (Span::from_secs(9.0), Span::from_secs(1.0));
    process.scatter = Scatter::Bursty(Bursts { factor: 2.0, every, length });
    plan
}

fn overload() -> Plan {
    let mut plan = steady();
    plan.traffic = common::poisson(2_250.0);
    plan.run.horizon = common::at(480.0);
    plan.ingress.read_timeout = Span::MAX;
    plan
}

fn time_outs() -> Plan {
    let mut plan = overload();
    plan.ingress.read_timeout = Span::from_secs(15.0);
    plan
}

fn slow_replica() -> Plan {
    let mut plan = steady();
    plan.faults.push(FaultPlan {
        name: "slow".to_owned(),
        fault: Fault::ReplicaSlow(
            ReplicaTarget::Slot(0),
            Share(0.5),
            Law::Constant(Span::from_secs(60.0)),
        ),
        schedule: Schedule::At(common::at(600.0)),
    });
    plan
}

/// Clients that give up after a second and try three times in all.
fn impatient(mut plan: Plan) -> Plan {
    let backoff = RetryBackoff {
        first: Span::from_secs(0.1),
        factor: 2.0,
        limit: Span::from_secs(10.0),
        jitter: Jitter::Full,
    };
    let retry = Retry { attempts: 3, backoff, budget: None, breaker: None, limited: false };
    let mut dependencies = common::dependencies::bystanders();
    dependencies.clients.patience = Some(Span::from_secs(1.0));
    dependencies.clients.retry = Some(retry);
    plan.dependencies = dependencies;
    plan
}

/// One replication; gives how many attempts there were.
fn replicate(plan: &Plan, replication: u64) -> u64 {
    let keep = Keep { trace: true, timeline: true, journal: true, requests_every: None };
    let outcome =
        brownout::experiment::replicate(black_box(plan), replication, keep, &Default::default());
    let outcome = black_box(outcome);
    outcome.ledger.offered.max(outcome.attempts.offered)
}

/// The cases; those whose names contain an argument, if one is given.
fn cases() -> Vec<(&'static str, Plan)> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let all = [
        ("steady", steady()),
        ("bursts", bursts()),
        ("crash", crash()),
        ("two regions", two_regions()),
        ("log-normal", log_normal()),
        ("as reference", reference()),
        ("overload", overload()),
        ("time-outs", time_outs()),
        ("slow replica", slow_replica()),
        ("retries", impatient(steady())),
        ("retry storm", impatient(overload())),
    ];
    let chosen = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
    all.into_iter().filter(|(name, _)| chosen(name)).collect()
}

fn main() {
    let saves = std::env::args().any(|argument| argument == "--save");
    let cases = cases();
    let measured = measure::measure(&cases, replicate);
    let baseline = Baseline::read();
    let header = ["case", "ns/request", "range", "ratio"];
    let [case, cost, range, ratio] = header;
    println!("{case:<14} {cost:>10} {range:>14} {ratio:>6}  change of the ratio");
    for (place, one) in measured.iter().enumerate() {
        let Measured { name, nanoseconds, ratio } = one;
        let range = format!("{:.1}–{:.1}", nanoseconds.low, nanoseconds.high);
        let change = if place == 0 { String::new() } else { baseline.change(one) };
        let (cost, ratio) = (nanoseconds.value, ratio.value);
        println!("{name:<14} {cost:>10.1} {range:>14} {ratio:>6.2}  {change}");
    }
    if saves {
        baseline::save(&measured);
    }
}
