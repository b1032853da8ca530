//! A replication is a function of plan, seed and index, and of nothing else.

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, poisson, replicate, secs};
use brownout::experiment::replicate as run;
use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::Keep;
use brownout::observe::{Observation, ReplicaId, Sent};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Cores, Instant, Rate, Share, Span};
use rayon::prelude::*;

/// Everything at once: three replicas, scripted and random faults, delays, retries, contracts.
fn troubled() -> Plan {
    let mut plan = plan(3, 1_500.0, 120.0);
    plan.gateway.demand = Law::LogNormal(secs(0.0012), 1.0);
    plan.ingress = Ingress {
        instances: vec![None; 3],
        delay: secs(0.0002),
        hop: secs(0.0005),
        retries: 1,
        propagation: Law::uniform_secs(0.5, 2.0),
        read_timeout: secs(2.0),
        ..plan.ingress
    };
    let call = ControlPlaneCall {
        duration: Law::uniform_secs(0.2, 1.0),
        timeout: secs(10.0),
        backoff: secs(15.0),
    };
    let gate = Gate::Api(Share(0.3));
    plan.startup.contracts = Some(Contracts { fetch: call, poll: secs(15.0), gate });
    let random = |mean: f64| Schedule::Random(Law::Exponential(secs(mean)));
    let lasts = || Law::Exponential(secs(20.0));
    let any = ReplicaTarget::Any;
    plan.faults = faults(vec![
        (Fault::ReplicaCrash(any), random(100.0)),
        (Fault::ReplicaHang(any), random(200.0)),
        (Fault::ReplicaSlow(ReplicaTarget::Slot(1), Share(0.4), lasts()), random(60.0)),
        (Fault::ZoneOutage(Some(2), Law::Constant(secs(40.0))), Schedule::At(at(50.0))),
        (Fault::ControlPlaneOutage(lasts()), random(50.0)),
        (Fault::IngressLoss(InstanceTarget::Any, lasts()), random(90.0)),
    ]);
    plan
}

fn faults(all: Vec<(Fault, Schedule)>) -> Vec<FaultPlan> {
    let named = |(number, (fault, schedule))| {
        let name = format!("fault {number}");
        FaultPlan { name, fault, schedule }
    };
    all.into_iter().enumerate().map(named).collect()
}

/// Overload that swings daily, with a time-out.
fn swinging() -> Plan {
    let mut plan = plan(2, 1.0, 90.0);
    plan.gateway.cores = Cores(0.5);
    plan.ingress.balancing =
        Balancing::PerConnection { connections: 8, requests: Some(100), idle_check: secs(2.0) };
    plan.ingress.read_timeout = secs(1.0);
    plan.traffic = profile(&[(0.0, 400.0), (20.0, 1_500.0)], Some(30.0));
    plan
}

/// The troubles of a gateway whose CPU limit is enforced in slices.
fn throttled() -> Plan {
    let mut plan = troubled();
    plan.gateway.throttling = Some(Throttling { period: secs(0.1), threads: 3 });
    plan
}

fn profile(corners: &[(f64, f64)], period: Option<f64>) -> Traffic {
    Traffic::Process(ArrivalProcess {
        scatter: Scatter::Poisson,
        corners: corners.iter().map(|(time, rate)| (at(*time), Rate(*rate))).collect(),
        period: period.map(secs),
    })
}

fn all(plan: &Plan, threads: usize) -> Vec<Outcome> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    let keep = Keep { trace: true, timeline: true, journal: true, requests_every: Some(100) };
    let one = |replication| run(plan, replication, keep, &Default::default());
    pool.install(|| (0..8).into_par_iter().map(one).collect())
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for plan in [troubled(), throttled(), swinging()] {
        let alone = all(&plan, 1);
        assert!(alone.windows(2).all(|pair| pair[0].digest != pair[1].digest));
        assert_eq!(all(&plan, 2), alone);
        assert_eq!(all(&plan, 8), alone);
    }
}

fn without_history(outcome: Outcome) -> Outcome {
    let trace = Vec::new();
    Outcome { trace, timeline: None, journal: Vec::new(), requests: Vec::new(), ..outcome }
}

#[test]
fn an_observer_changes_nothing() {
    for plan in [troubled(), throttled(), swinging()] {
        for replication in 0..4 {
            let unseen = replicate(&plan, replication);
            let (_, mut seen) = witnessed(&plan, replication);
            assert!(seen.timeline.is_some() && !seen.requests.is_empty());
            // What became of a run, and what its faults tell, is judged apart from what observers
            // see.
            seen.recovery = unseen.recovery.clone();
            for (window, other) in seen.windows.iter_mut().zip(&unseen.windows) {
                window.strikes.clone_from(&other.strikes);
            }
            assert_eq!(without_history(seen), unseen);
            let every =
                Keep { trace: true, timeline: true, journal: true, requests_every: Some(1) };
            let followed = run(&plan, replication, every, &Default::default());
            assert_eq!(without_history(followed), unseen);
        }
    }
}

/// The digests of three plans; they change with every change of what is simulated.
const DIGESTS: [u64; 3] =
    [1_677_996_895_398_442_587, 1_842_121_867_770_143_288, 12_058_851_502_036_166_556];

#[test]
fn debug_and_release_builds_agree_on_these_digests() {
    let mut calm = plan(3, 900.0, 100.0);
    calm.gateway.demand = Law::Gamma(secs(0.002), 0.5);
    let digests = [troubled(), swinging(), calm].map(|plan| replicate(&plan, 0).digest);
    assert_eq!(digests, DIGESTS);
}

/// When faults were injected, and into whom.
fn injections(witness: &Witness) -> Vec<(Instant, String)> {
    let injection = |(at, fact): &(Instant, Observation)| match fact {
        Observation::FaultInjected { subject, .. } => Some((*at, subject.clone())),
        _ => None,
    };
    witness.facts.iter().filter_map(injection).collect()
}

/// Sending time, demand and replica of the requests that a replica took on, in order of sending.
fn demands(outcome: &Outcome) -> Vec<(Instant, f32, ReplicaId)> {
    let taken = outcome.requests.iter().filter_map(|request| {
        let ((_, replica), demand) = request.taken.zip(request.demand)?;
        Some((request.sent, demand, replica))
    });
    taken.collect()
}

#[test]
fn tiers_that_differ_in_cores_meet_the_same_luck() {
    let small = troubled();
    let mut large = small.clone();
    large.gateway.cores = Cores(2.0);
    let ((slow, _), (fast, _)) = (witnessed(&small, 0), witnessed(&large, 0));
    assert_eq!(slow.offered, fast.offered);
    assert_eq!(injections(&slow), injections(&fast));
    assert!(injections(&slow).len() > 5, "{:?}", injections(&slow));
    assert_ne!(slow.served, fast.served);
}

#[test]
fn a_limit_in_slices_leaves_all_luck_as_it_was() {
    let ((average, _), (slices, _)) = (witnessed(&troubled(), 0), witnessed(&throttled(), 0));
    assert_eq!(average.offered, slices.offered);
    assert_eq!(injections(&average), injections(&slices));
    assert_ne!(average.served, slices.served);
}

#[test]
fn demands_are_the_same_in_units_of_their_mean() {
    let mut small = plan(2, 800.0, 60.0);
    small.ingress.read_timeout = Span::MAX;
    let mut large = small.clone();
    large.gateway.cores = Cores(3.0);
    large.gateway.demand = small.gateway.demand.scaled(4.0);
    let ((_, slow), (_, fast)) = (witnessed(&small, 1), witnessed(&large, 1));
    let (slow, fast) = (demands(&slow), demands(&fast));
    assert!(slow.len() > 40_000 && slow.len() == fast.len());
    for ((sent, demand, replica), other) in slow.iter().zip(&fast) {
        assert_eq!((*sent, *replica), (other.0, other.2));
        let ratio = other.1 / demand;
        assert!((ratio - 4.0).abs() <= 4.0 * f32::EPSILON, "{demand} and {}", other.1);
    }
}

#[test]
fn another_rate_stretches_the_same_arrivals() {
    let sent = |rate: f64, horizon: f64| witnessed(&plan(2, rate, horizon), 2).0.offered;
    let (slow, fast) = (sent(100.0, 200.0), sent(200.0, 100.0));
    assert_eq!(slow.len(), fast.len());
    // Each time is rounded to the nanosecond.
    assert!(slow.iter().zip(&fast).all(|(slow, fast)| slow.at.0.abs_diff(2 * fast.at.0) <= 2));
}

#[test]
fn a_corner_that_changes_nothing_changes_no_arrival() {
    let sent = |traffic: Traffic, replication| {
        let mut plan = plan(2, 1.0, 100.0);
        plan.traffic = traffic;
        witnessed(&plan, replication).0.offered
    };
    for replication in 0..20 {
        let plain = sent(poisson(5.0), replication);
        for corners in [&[(0.0, 5.0), (100.0, 5.0)][..], &[(0.0, 5.0), (40.0, 5.0), (130.0, 5.0)]] {
            for period in [None, Some(170.0)] {
                let cornered = sent(profile(corners, period), replication);
                assert_eq!(cornered.len(), plain.len(), "replication {replication}, {corners:?}");
                let same = |(a, b): (&Sent, &Sent)| a.at.0.abs_diff(b.at.0) <= 1;
                assert!(cornered.iter().zip(&plain).all(same));
            }
        }
    }
}
