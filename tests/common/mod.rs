//! A plan to start from, for tests that need one to the letter.
#![allow(dead_code)] // each test uses its part

pub mod around;
pub mod troubles;
pub mod witness;

use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::Keep;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Cores, Instant, Rate, SECOND, Span};

/// Seconds as a span.
pub fn secs(seconds: f64) -> Span {
    Span::from_secs(seconds)
}

/// Seconds as an instant.
pub fn at(seconds: f64) -> Instant {
    Instant::from_secs(seconds)
}

/// Poisson arrivals at a constant rate.
pub fn poisson(rate: f64) -> Traffic {
    Traffic::Process(ArrivalProcess {
        scatter: Scatter::Poisson,
        corners: vec![(Instant::ZERO, Rate(rate))],
        period: None,
    })
}

/// `replicas` of one core over as many zones, one ingress instance, no delays on the way,
/// exponential demand of mean 1 ms, no start-up time but the probe, no faults.
pub fn plan(replicas: usize, rate: f64, horizon: f64) -> Plan {
    let probe =
        Probe { initial_delay: secs(10.0), period: secs(10.0), timeout: secs(5.0), failures: 2 };
    let call = Law::ZERO;
    let horizon = at(horizon);
    Plan {
        gateway: Gateway {
            cores: Cores(1.0),
            throttling: None,
            demand: Law::Exponential(secs(0.001)),
            replicas,
            memory: None,
        },
        topology: Topology {
            zones: ["a", "b", "c", "d", "e", "f", "g", "h"][..replicas.clamp(1, 8)]
                .iter()
                .map(|z| (*z).to_owned())
                .collect(),
            placement: (0..replicas).map(|slot| slot % replicas.clamp(1, 8)).collect(),
            spread: Spread::ScheduleAnyway,
            max_skew: 1,
        },
        ingress: Ingress {
            instances: vec![None],
            balancing: Balancing::RoundRobin,
            delay: Span::ZERO,
            hop: Span::ZERO,
            connect_timeout: secs(5.0),
            read_timeout: secs(300.0),
            retries: 0,
            dead_address: DeadAddress::Drops,
            failover: Law::Constant(secs(10.0)),
            propagation: Law::ZERO,
        },
        traffic: poisson(rate),
        surroundings: None,
        startup: Startup {
            schedule: call.clone(),
            sandbox: call.clone(),
            image: call.clone(),
            boot: call.clone(),
            configuration: Configuration::Local,
            contracts: None,
            readiness: probe,
        },
        detection: Detection {
            crash: Law::uniform_secs(0.0, 1.0),
            liveness: Probe { failures: 5, timeout: secs(1.0), ..probe },
            probe_cpu: None,
            grace: secs(30.0),
            after_crash: AfterCrash::Replaced,
            backoff: Backoff::default(),
            lease: secs(10.0),
            node_grace: secs(50.0),
            monitor: secs(5.0),
            toleration: secs(300.0),
        },
        nodes: Nodes::default(),
        upgrade: Upgrade::default(),
        termination: Termination { drain: secs(25.0) },
        autoscaling: None,
        faults: Vec::new(),
        windows: vec![Window { label: "the run".to_owned(), extent: Extent::Run }],
        run: Run {
            horizon,
            warm_up: Instant::ZERO,
            seed: 1,
            replications: 1,
            bin: Span(horizon.0.min(SECOND)),
        },
    }
}

/// Runs one replication without keeping more than its figures.
pub fn replicate(plan: &Plan, replication: u64) -> Outcome {
    brownout::experiment::replicate(plan, replication, Keep::default(), &Default::default())
}

/// The replicas in these slots crash at an instant, known everywhere at once, and are back in
/// rotation after exactly this span.
pub fn take_away(plan: &mut Plan, slots: &[Slot], at: Instant, lasts: Span) {
    plan.detection.crash = Law::ZERO;
    plan.ingress.propagation = Law::ZERO;
    plan.startup.boot = Law::Constant(lasts);
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan.startup.readiness.period = Span::ZERO;
    let crash = |slot: &Slot| FaultPlan {
        name: format!("outage of slot {slot}"),
        fault: Fault::ReplicaCrash(ReplicaTarget::Slot(*slot)),
        schedule: Schedule::At(at),
    };
    plan.faults = slots.iter().map(crash).collect();
}
