//! A small made-up experiment, for tests of what follows from outcomes.

use crate::experiment::Experiment;
use crate::observe::count::Count;
use crate::observe::histogram::Histogram;
use crate::observe::incident::Incident;
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::{
    JournalEntry, MissedFault, Monitored, Outcome, ProbesFailed, RequestRecord, WindowOutcome,
    WorstMinute,
};
use crate::observe::recovery::RunRecovery;
use crate::observe::tally::Tally;
use crate::observe::timeline::{Latency, ReplicaLife, ReplicaRow, Timeline, TotalRow};
use crate::observe::{Observation, State};
use crate::plan::*;
use crate::random::{Law, Seed, Stream};
use crate::stats::Confidence;
use crate::units::{Bytes, Instant, Rate, Share, Span};

/// Why the fault found nothing to hit at 5:00.
const NO_REPLICA: &str = "no replica in rotation";

fn secs(seconds: f64) -> Span {
    Span::from_secs(seconds)
}

fn at(seconds: f64) -> Instant {
    Instant::from_secs(seconds)
}

/// The neutral plan at 10 requests per second with delays and start-up times; one of the replicas
/// crashes at 3:00 of 10:00.
pub fn plan() -> Plan {
    let mut plan = Plan::neutral();
    plan.gateway.demand = Law::Exponential(secs(0.01));
    plan.gateway.memory =
        Some(Memory { limit: Bytes(1 << 30), base: Bytes(0), per_request: Bytes(1 << 20) });
    plan.ingress = Ingress {
        instances: vec![Some(0), Some(1)],
        delay: secs(0.001),
        hop: secs(0.001),
        connect_timeout: secs(1.0),
        read_timeout: secs(15.0),
        dead_address: DeadAddress::Refuses,
        propagation: Law::Constant(secs(1.0)),
        endpoints_in_order: true,
        ..plan.ingress
    };
    plan.traffic = Traffic::poisson(Rate(10.0));
    plan.startup.sandbox = Law::Constant(secs(1.0));
    plan.startup.boot = Law::Constant(secs(10.0));
    plan.startup.readiness = probe();
    plan.detection.crash = Law::Constant(secs(1.0));
    // A boot may last for 12 s.
    plan.detection.liveness = Probe { initial_delay: secs(10.0), ..probe() };
    plan.faults = vec![FaultPlan {
        name: "crash".to_owned(),
        fault: Fault::ReplicaCrash(ReplicaTarget::Slot(1)),
        schedule: Schedule::At(at(180.0)),
    }];
    plan.windows = vec![
        Window::of_all("the run", Extent::Run),
        Window::of_all("during crash", Extent::During(0)),
    ];
    plan.run.warm_up = at(60.0);
    (plan.run.seed, plan.run.replications, plan.run.bin) = (42, 5, secs(10.0));
    plan
}

fn probe() -> Probe {
    Probe { initial_delay: Span::ZERO, period: secs(1.0), timeout: secs(1.0), failures: 3 }
}

/// All replications of [`plan`], with the timeline of the first.
pub fn experiment() -> Experiment {
    let plan = plan();
    let mut outcomes: Vec<Outcome> =
        (0..plan.run.replications as u64).map(|index| outcome(&plan, index)).collect();
    for outcome in &mut outcomes[1..] {
        (outcome.timeline, outcome.journal, outcome.requests) = (None, vec![], vec![]);
    }
    let asked = plan.run.replications;
    Experiment {
        outcomes,
        interrupted: false,
        asked,
        confidence: Confidence::USUAL,
        sequence: None,
    }
}

/// One made-up replication.
pub fn outcome(plan: &Plan, replication: u64) -> Outcome {
    let mut stream = Seed { seed: plan.run.seed, replication }.stream("sample", 0);
    let recovery = 14.0 + 2.0 * stream.unit();
    let run = window(5_400, 3, 0.04, &mut stream);
    let during = WindowOutcome { open: secs(recovery), ..window(150, 0, 0.2, &mut stream) };
    let open = plan.run.horizon.since(plan.run.warm_up);
    let run = WindowOutcome { open, worst_minute: Some(worst_minute()), ..run };
    let extra = |extent| if extent == Extent::Run { run.clone() } else { during.clone() };
    let incident = incident(recovery, &mut stream);
    let mut outcome = Outcome {
        replication,
        ended: plan.run.horizon,
        interrupted: false,
        ledger: run.ledger,
        attempts: Ledger::default(),
        windows: plan.windows.iter().map(|window| extra(window.extent)).collect(),
        time_with_serving: vec![Span::ZERO, secs(recovery), open - secs(recovery)],
        faults: vec![],
        incidents: vec![],
        incidents_unlisted: 0,
        busy_secs: 53.0 + 2.0 * stream.unit(),
        capacity_secs: 1_065.0,
        cpu_by_region: Vec::new(),
        drained: 2,
        monitored: Monitored { cpu: Some(0.25), in_flight_secs: 216.0, sampled_secs: 540.0 },
        in_flight_peak: 40 + stream.below(10) as u64,
        probes_failed: ProbesFailed::default(),
        out_of_memory: 0,
        recovery: RunRecovery::default(),
        digest: 0x1234_5678_9abc_def0 ^ replication,
        missed: vec![MissedFault { fault: 0, at: at(300.0), reason: NO_REPLICA.into() }],
        trace: Vec::new(),
        timeline: Some(timeline()),
        journal: journal(),
        journal_cut: 0,
        requests: requests(),
    };
    set_incidents(&mut outcome, vec![incident]);
    outcome
}

/// The minute of the crash.
fn worst_minute() -> WorstMinute {
    let latency = [90.0, 180.0, 250.0, 400.0, 900.0].map(|ms| Some(secs(ms / 1e3)));
    WorstMinute { answered: 588, decided: 600, latency }
}

/// Gives an outcome of [`plan`] these incidents instead of its own.
pub fn set_incidents(outcome: &mut Outcome, incidents: Vec<Incident>) {
    let mut tally = Tally::default();
    incidents.iter().for_each(|incident| tally.add(incident, outcome.ended));
    outcome.windows.iter_mut().for_each(|window| window.incidents = tally.clone());
    outcome.faults = vec![tally];
    outcome.incidents = incidents;
}

/// Changes the one incident of an outcome of [`plan`].
pub fn change_incident(outcome: &mut Outcome, change: impl Fn(&mut Incident)) {
    let mut incidents = outcome.incidents.clone();
    incidents.iter_mut().for_each(change);
    set_incidents(outcome, incidents);
}

fn window(offered: u64, in_flight: u64, median: f64, stream: &mut Stream) -> WindowOutcome {
    let lost = 10 + stream.below(5) as u64;
    let served = offered - in_flight - lost;
    let mut latency = Histogram::default();
    (0..served).for_each(|_| latency.record(secs(median * (0.5 * stream.normal()).exp())));
    let mut ledger = Ledger { offered, served, in_flight, ..Ledger::default() };
    ledger.failures[Failure::LostInFlight as usize] = lost;
    WindowOutcome { ledger, latency, ..WindowOutcome::default() }
}

fn incident(recovery: f64, stream: &mut Stream) -> Incident {
    let mut ledger = Ledger { served: 130, ..Ledger::default() };
    ledger.failures[Failure::LostInFlight as usize] = 10 + stream.below(5) as u64;
    Incident {
        fault: 0,
        subject: "replica b-1".to_owned(),
        at: at(180.0),
        serving_before: 2,
        serving_least: 1,
        taken: 1,
        missing: 1,
        missing_for: secs(recovery - 3.0),
        out_of_rotation: Some(at(182.0)),
        left_by: None,
        fewer: secs(recovery - 3.0),
        restored: Some(at(180.0 + recovery - 1.0)),
        normal: Some(at(180.0 + recovery)),
        normal_before: true,
        service: Some(at(180.0 + recovery)),
        answers: Some(at(180.0 + recovery)),
        redundancy: Some(at(180.0 + recovery - 1.0)),
        p99_before: Some(secs(0.041)),
        p99_during: Some(secs(0.22 + 0.02 * stream.unit())),
        ledger,
        rollout: None,
        failover: None,
        phases: vec![(State::Sandbox, secs(1.0)), (State::Booting, secs(10.0))],
    }
}

/// One request lost in flight, or none.
fn lost(any: bool) -> [u64; Failure::ALL.len()] {
    let mut failures = [0; Failure::ALL.len()];
    failures[Failure::LostInFlight as usize] = u64::from(any);
    failures
}

fn timeline() -> Timeline {
    let latency = Latency { mean: secs(0.04), p50: secs(0.04), p95: secs(0.08), p99: secs(0.1) };
    let total = |bin: u64| TotalRow {
        start: at(10.0 * bin as f64),
        offered: 100,
        attempts: 0,
        counts: [0; Count::ALL.len()],
        served: 99,
        failures: lost(bin == 18),
        latency: (bin != 19).then_some(latency),
        in_flight: 2,
        in_rotation: if bin == 18 { 1 } else { 2 },
        cpu: (bin != 19).then_some(0.5),
        wanted: None,
        cpu_seen: None,
    };
    let row = |bin: usize, replica| ReplicaRow {
        bin,
        replica,
        arrived: 50,
        served: 49,
        in_flight: 1,
        cpu: 0.25,
        state: State::Ready,
    };
    let ready = |name: &str, zone, since| ReplicaLife {
        name: name.to_owned(),
        zone,
        slot: zone,
        states: vec![(at(since), State::Ready)],
        rotation: vec![(at(since), true)],
        speed: vec![(at(since), Share::ONE)],
    };
    let mut dead = ready("b-1", 1, 0.0);
    dead.states.push((at(180.0), State::Failed));
    dead.rotation.push((at(182.0), false));
    let second = |bin: usize| if bin < 18 { 1 } else { 2 };
    Timeline {
        bin: secs(10.0),
        total: (0..60).map(total).collect(),
        by_api: Vec::new(),
        by_replica: (0..60).flat_map(|bin| [row(bin, 0), row(bin, second(bin))]).collect(),
        replicas: vec![ready("a-1", 0, 0.0), dead, ready("b-2", 1, 193.0)],
    }
}

fn journal() -> Vec<JournalEntry> {
    let entry = |seconds, observation| JournalEntry { at: at(seconds), observation };
    let created = |replica, zone, name: &str| Observation::Created {
        replica,
        slot: zone,
        zone,
        name: name.to_owned(),
    };
    let (slots, subject) = (vec![1], "replica b-1".to_owned());
    vec![
        entry(0.0, created(0, 0, "a-1")),
        entry(0.0, created(1, 1, "b-1")),
        entry(0.0, Observation::Ingress { region: 0, reachable: 2, down: 0 }),
        entry(60.0, Observation::Boundary),
        entry(
            180.0,
            Observation::FaultInjected { fault: 0, incident: 0, slots, lasting: false, subject },
        ),
        entry(
            180.0,
            Observation::Entered { replica: 1, state: State::Failed, cause: "crash, \"hard\"" },
        ),
        entry(181.0, created(2, 1, "b-2")),
        entry(182.0, Observation::LeftRotation { replica: 1 }),
        entry(193.0, Observation::JoinedRotation { replica: 2 }),
        entry(300.0, Observation::FaultMissed { fault: 0, reason: NO_REPLICA }),
    ]
}

fn requests() -> Vec<RequestRecord> {
    let served = RequestRecord {
        number: 0,
        sent: at(0.5),
        api: 0,
        taken: Some((at(0.501), 0)),
        demand: Some(1.0e7),
        ended: Some(at(0.52)),
        failure: None,
    };
    let lost = RequestRecord {
        number: 100,
        sent: at(179.99),
        ended: Some(at(180.0)),
        failure: Some(Failure::LostInFlight),
        ..served
    };
    let open = RequestRecord {
        number: 200,
        sent: at(599.99),
        api: 0,
        taken: None,
        demand: None,
        ended: None,
        failure: None,
    };
    vec![served, lost, open]
}
