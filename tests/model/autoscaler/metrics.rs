//! Metrics beside the CPU of a whole pod: requests, memory, one container, several at once, and
//! none.

use brownout::autoscaler::average::{AverageTarget, recommend_average};
use brownout::autoscaler::calculator::{Blind, CpuTarget, Recommendation, Snapshot, Tolerance};
use brownout::autoscaler::goals::{Measure, MetricGoal, recommend_together};
use brownout::autoscaler::pods::{Container, Phase, Pod, Readiness};
use brownout::observe::Observation;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Bytes, Cores, Instant, Span};

use crate::cluster::scaling::{changes, published};
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{fault, rates, step, warm_start};

const LONG_AGO: Instant = Instant(0);
const NOW: Instant = Instant(1_000_000_000_000_000);

/// A pod that uses so much; `None` = nobody knows.
fn pod(usage_milli: Option<i64>, (phase, ready): (Phase, bool)) -> Pod {
    let container = Container { name: "one".to_owned(), request_milli: Some(1_000), usage_milli };
    Pod {
        phase,
        deleted: false,
        started: Some(LONG_AGO),
        readiness: Some(Readiness { ready, since: LONG_AGO }),
        containers: vec![container],
        sampled: (NOW, Span::ZERO),
    }
}

const RUNS: (Phase, bool) = (Phase::Running, true);
const UNREADY: (Phase, bool) = (Phase::Running, false);
const PENDING: (Phase, bool) = (Phase::Pending, false);

fn shown(pods: &[(Option<i64>, (Phase, bool))]) -> Snapshot {
    let pods = pods.iter().map(|(usage, state)| pod(*usage, *state)).collect();
    Snapshot { pods, stray_samples: 0 }
}

fn requests(milli: i64) -> AverageTarget {
    AverageTarget { milli, tolerance: Tolerance::default() }
}

#[test]
fn a_mean_over_pods_asks_for_what_kubernetes_own_cases_say() {
    // Target, pods, replicas, and the mean: TestReplicaCalc…CM of replica_calculator_test.go.
    let is = |milli, state| (Some(milli), state);
    let cases = [
        (15_000, vec![is(20_000, RUNS), is(10_000, RUNS), is(30_000, RUNS)], 4, 20_000),
        // Readiness plays no part.
        (15_000, vec![is(50_000, RUNS), is(10_000, RUNS), is(30_000, UNREADY)], 6, 30_000),
        (15_000, vec![is(50_000, UNREADY), is(15_000, RUNS), is(30_000, UNREADY)], 7, 31_666),
        (20_000, vec![is(12_000, RUNS); 5], 3, 12_000),
        (20_000, vec![is(20_000, RUNS), is(21_000, RUNS), is(21_000, RUNS)], 3, 20_666),
        // Missing: at the target when shrinking, (5 + 5 + 10)/3 = 6.67 and 2; at nothing when
        // growing, 40/3 = 13.3 and 4. Pending: at nothing when growing.
        (10_000, vec![is(5_000, RUNS), is(5_000, RUNS), (None, RUNS)], 2, 5_000),
        (10_000, vec![is(20_000, RUNS), is(20_000, RUNS), (None, RUNS)], 4, 20_000),
        (10_000, vec![is(20_000, RUNS), is(20_000, RUNS), (None, PENDING)], 4, 20_000),
        // 26/3 = 8.7 asks for the opposite of what 13 did.
        (10_000, vec![is(13_000, RUNS), is(13_000, RUNS), (None, PENDING)], 3, 13_000),
    ];
    for (target, pods, replicas, mean) in cases {
        let current = pods.len() as i32;
        let found = recommend_average(&requests(target), &shown(&pods), current).unwrap();
        assert_eq!((found.replicas, found.average_milli), (replicas, mean), "{pods:?}");
    }
    let blind = |pods: &[_]| recommend_average(&requests(1), &shown(pods), 1).unwrap_err();
    assert_eq!(blind(&[(None, RUNS)]), Blind::NoRequests);
    assert_eq!(blind(&[]), Blind::NoRequests);
}

#[test]
fn of_several_metrics_the_largest_wins_and_one_that_is_missing_forbids_to_shrink() {
    let goals =
        [MetricGoal::Resource(CpuTarget::utilisation(50)), MetricGoal::Requests(requests(100_000))];
    let of = |cpu: Option<i64>, rate: Option<i64>| {
        let both = [cpu, rate].map(|figure| shown(&[(figure, RUNS); 4]));
        recommend_together(&goals, &both, 4, NOW)
    };
    let asked = |cpu, rate| {
        let together = of(cpu, rate).unwrap();
        let Recommendation { replicas, .. } = together.recommended;
        (replicas, together.measure)
    };
    let (cpu, rate) = (Measure::Cpu(50), Measure::Requests(100_000));
    // 80 % of 50 % asks for 7, 120/s of 100/s for 5; 25 % for 2, 25/s for 1.
    assert_eq!(asked(Some(800), Some(120_000)), (7, cpu));
    assert_eq!(asked(Some(250), Some(120_000)), (5, rate));
    assert_eq!(asked(Some(250), Some(25_000)), (2, cpu));
    assert_eq!(asked(None, Some(120_000)), (5, rate), "it may grow");
    assert_eq!(asked(Some(800), None), (7, cpu));
    assert_eq!(of(None, Some(25_000)).unwrap_err(), Blind::NoMetrics, "it may not shrink");
    assert_eq!(of(Some(250), None).unwrap_err(), Blind::NoRequests);
    assert_eq!(of(None, None).unwrap_err(), Blind::NoMetrics, "the first is told");
    // As many as there are is no shrinking.
    assert_eq!(asked(None, Some(100_000)), (4, rate));
}

#[test]
fn memory_is_counted_whether_a_pod_is_ready_or_not() {
    let memory = CpuTarget { of_memory: true, ..CpuTarget::utilisation(50) };
    let replicas = |target: &CpuTarget| {
        let shown = shown(&[(Some(1_000), RUNS), (Some(1_000), UNREADY)]);
        recommend_together(&[MetricGoal::Resource(target.clone())], &[shown], 2, NOW)
            .unwrap()
            .recommended
            .replicas
    };
    assert_eq!(replicas(&memory), 4);
}

/// Two replicas at this rate, which steps to another after five minutes; up to ten of them.
fn stepped(rate: f64, later: f64, goals: Vec<MetricGoal>, horizon: f64) -> Plan {
    let mut plan = plan(2, 0.0, horizon);
    warm_start(&mut plan, (2.0, 6.0));
    plan.traffic = rates(Scatter::Deterministic, &[(0.0, rate)]);
    step(&mut plan, 300.0, later);
    let mut autoscaling = published();
    (autoscaling.spec.goals, autoscaling.spec.max) = (goals, 10);
    autoscaling.spec.behavior = None;
    plan.autoscaling = Some(autoscaling);
    plan
}

fn last(witness: &Witness) -> Option<usize> {
    changes(witness).last().map(|(_, size)| *size)
}

#[test]
fn requests_per_replica_are_held_at_their_target_some_minutes_late() {
    // 1,000/s at 300/s each want 4: three would have 333/s, 11 % too many.
    let mut plan = stepped(500.0, 1_000.0, vec![MetricGoal::Requests(requests(300_000))], 900.0);
    plan.gateway.demand = Law::Constant(secs(0.000_1));
    for replication in 0..20 {
        let (witness, _) = witnessed(&plan, replication);
        assert_eq!(last(&witness), Some(4), "{replication}: {:?}", changes(&witness));
        // Rates are taken between scrapes a minute apart: the mean of both is 10 % above the target
        // when 0.32 of their last minutes are new, at the second scrape after it at the latest.
        let first = changes(&witness)[0].0;
        assert!((319.0..=300.0 + 120.0 + 16.0).contains(&first), "{replication}: {first}");
    }
    // The CPU, at 5 %, asks for nothing.
    let cpu = MetricGoal::Resource(CpuTarget::utilisation(70));
    plan.autoscaling.as_mut().unwrap().spec.goals.insert(0, cpu);
    assert_eq!(last(&witnessed(&plan, 0).0), Some(4));
}

#[test]
fn memory_is_held_at_its_target() {
    // Requests of 10 s with a core each and 1 MiB: 40 and then 80 in each of two, of 100 MiB.
    let memory = CpuTarget { of_memory: true, ..CpuTarget::utilisation(50) };
    let mut plan = stepped(8.0, 16.0, vec![MetricGoal::Resource(memory)], 900.0);
    let mebibyte = 1 << 20;
    plan.gateway.cores = Cores(200.0);
    plan.gateway.demand = Law::Constant(secs(10.0));
    let (limit, per_request) = (Bytes(100 * mebibyte), Bytes(mebibyte));
    plan.gateway.memory = Some(Memory { limit, base: Bytes(0), per_request });
    plan.autoscaling.as_mut().unwrap().memory_request = limit;
    let (witness, outcome) = witnessed(&plan, 0);
    // 80 % of 50 % wants ⌈1.6 · 2⌉; with four each has 40.
    assert_eq!((last(&witness), outcome.out_of_memory), (Some(4), 0));
    // With 20 MiB of its own each has 60 %, so there are three, and then 73 %: ⌈1.47 · 3⌉, which
    // have 52 %, within the tolerance.
    plan.gateway.memory = Some(Memory { limit, base: Bytes(20 * mebibyte), per_request });
    assert_eq!(last(&witnessed(&plan, 0).0), Some(5));
}

fn cpu_of(container: Option<&str>) -> Vec<MetricGoal> {
    let container = container.map(str::to_owned);
    vec![MetricGoal::Resource(CpuTarget { container, ..CpuTarget::utilisation(70) })]
}

/// Two replicas of a core at 60 % and then 90 %, beside this sidecar.
fn beside(sidecar: Option<Sidecar>, container: Option<&str>) -> Plan {
    let mut plan = stepped(120.0, 180.0, cpu_of(container), 500.0);
    plan.gateway.demand = Law::Constant(secs(0.01));
    plan.autoscaling.as_mut().unwrap().sidecar = sidecar;
    plan
}

#[test]
fn a_sidecar_dilutes_the_utilisation_unless_one_container_is_measured() {
    let sidecar = |request_milli, usage_milli| Some(Sidecar { request_milli, usage_milli });
    let size = |sidecar, container| last(&witnessed(&beside(sidecar, container), 0).0);
    assert_eq!(size(None, None), Some(3), "90 % of 70 % is 2.57");
    // (0.9 + 0) / (1 + 1) = 45 % keeps two, as they are the least.
    assert_eq!(size(sidecar(Some(1_000), 0), None), None);
    assert_eq!(size(sidecar(Some(1_000), 0), Some(GATEWAY)), Some(3));
    // (0.9 + 0.9) / 2 is 90 % again. A busy one asks for more: (1.8 / n + 0.5) / 1.2 is at most
    // 77 % from n = 1.8 / 0.424 = 4.2 on.
    assert_eq!(size(sidecar(Some(1_000), 900), None), Some(3));
    assert_eq!(size(sidecar(Some(200), 500), None), Some(5));
    // Without a request nothing is known of the pod.
    let plan = beside(sidecar(None, 100), None);
    let (witness, _) = witnessed(&plan, 0);
    let blind = |fact: &Observation| match fact {
        Observation::Decided { decision, .. } => {
            decision.to_string().ends_with("missing request for cpu")
        }
        _ => false,
    };
    assert!(last(&witness).is_none() && !witness.times(blind).is_empty());
    assert_eq!(size(sidecar(None, 100), Some(GATEWAY)), Some(3));
}

#[test]
fn a_run_starts_with_what_a_sidecar_and_requests_ask_for() {
    let mut plan = beside(Some(Sidecar { request_milli: Some(500), usage_milli: 200 }), None);
    let size = |plan: &Plan, rate| plan.replicas_at(brownout::units::Rate(rate));
    // 77 % of 1.5 cores less 0.2 is 0.955 cores, 95.5/s: 191/s for two.
    assert_eq!((size(&plan, 190.0), size(&plan, 192.0)), (2, 3));
    plan.autoscaling.as_mut().unwrap().spec.goals.push(MetricGoal::Requests(requests(50_000)));
    // 55/s each.
    assert_eq!((size(&plan, 109.0), size(&plan, 111.0)), (2, 3));
}

#[test]
fn while_metrics_are_away_nothing_scales_and_a_metric_that_is_left_may_only_add() {
    let outage = |lost| fault(Fault::MetricsOutage(lost, Law::Constant(secs(200.0))), 290.0);
    let mut plan = beside(None, None);
    plan.run.horizon = at(600.0);
    plan.faults = vec![outage(LostMetrics::Resource)];
    for replication in 0..10 {
        let (witness, outcome) = witnessed(&plan, replication);
        let [(when, 3)] = changes(&witness)[..] else { panic!("{:?}", changes(&witness)) };
        // A metrics-server that starts needs two scrapes, 15 s apart, of readings 10 s apart.
        assert!((490.0 + 10.0..=490.0 + 46.0).contains(&when), "{replication}: {when}");
        assert_eq!(outcome.ledger.failed(), 0);
    }
    plan.faults = vec![outage(LostMetrics::Custom)];
    let [(when, 3)] = changes(&witnessed(&plan, 0).0)[..] else { panic!("it grows once") };
    assert!((300.0..=346.0).contains(&when), "{when}");
    // With 180/s of 60/s each requests want three; with 20/s in all they want two, but the CPU is
    // not known.
    let of_requests = MetricGoal::Requests(requests(60_000));
    let both = [cpu_of(None), vec![of_requests]].concat();
    let mut plan = stepped(120.0, 180.0, both, 1_400.0);
    plan.gateway.demand = Law::Constant(secs(0.000_1));
    step(&mut plan, 700.0, 20.0);
    plan.faults = vec![fault(
        Fault::MetricsOutage(LostMetrics::Resource, Law::Constant(secs(1_000.0))),
        290.0,
    )];
    let grown = changes(&witnessed(&plan, 0).0);
    let [(up, 3), (down, 2)] = grown[..] else { panic!("{grown:?}") };
    assert!((300.0..440.0).contains(&up) && down > 1_290.0, "{grown:?}");
}

/// Four replicas of a core with 45 % of their CPU in use are wanted for 1.8 cores at a target of
/// 50 %: two at 90 % ask for ⌈3.6⌉.
fn growing(horizon: f64) -> Plan {
    let mut plan = stepped(80.0, 180.0, vec![], horizon);
    plan.gateway.demand = Law::Constant(secs(0.01));
    let goals = vec![MetricGoal::Resource(CpuTarget::utilisation(50))];
    plan.autoscaling.as_mut().unwrap().spec.goals = goals;
    plan
}

fn most(plan: &Plan) -> usize {
    let sizes = changes(&witnessed(plan, 0).0);
    sizes.into_iter().map(|(_, size)| size).max().expect("it grows")
}

#[test]
fn the_cpu_of_a_boot_is_seen_by_dashboards_and_not_by_the_autoscaler() {
    let mut plan = growing(460.0);
    assert_eq!(most(&plan), 4);
    plan.startup.boot = Law::Constant(secs(40.0));
    plan.startup.boot_cpu = 0.8;
    // It takes 0.8 cores for 40 s of each that starts, whose samples count from its readiness on.
    assert_eq!(most(&plan), 4);
    let (witness, outcome) = witnessed(&plan, 0);
    let first = |wanted| {
        let states = witness.states(2);
        states.into_iter().find(|(_, state)| *state == wanted).expect("it starts").0
    };
    let (boots, ready) =
        (first(brownout::observe::State::Booting), first(brownout::observe::State::Ready));
    let busy = |at: Instant| {
        let found = witness.readings.iter().find(|(time, _)| *time >= at).expect("a bin");
        found
            .1
            .iter()
            .find(|reading| reading.replica == 2)
            .map_or(0.0, |reading| reading.busy / 1e9)
    };
    assert!((busy(ready) - 32.0).abs() < 1e-6, "{} core-seconds", busy(ready));
    assert!((busy(boots + secs(10.0)) - 8.0).abs() < 0.8 + 1e-6, "of a bin more at most");
    assert_eq!(outcome.ledger.failed(), 0);
}

#[test]
fn what_a_replica_burns_once_it_is_ready_makes_the_autoscaler_overshoot() {
    let mut plan = growing(700.0);
    plan.startup.after_ready = (secs(90.0), 0.4);
    // Two of four burn 0.4: (1.8 + 0.8) / 4 = 65 % of 50 % asks for ⌈5.2⌉, and then those burn.
    let (witness, outcome) = witnessed(&plan, 0);
    let sizes: Vec<usize> = changes(&witness).into_iter().map(|(_, size)| size).collect();
    assert_eq!(sizes[..2], [4, 6], "{sizes:?}");
    assert_eq!(outcome.ledger.failed(), 0);
    // It lasts so long and takes so much: 36 core-seconds beside its requests.
    let served = |id| witness.served.iter().filter(|one| one.replica == id).count() as f64;
    let last = witness.readings.last().expect("a bin");
    let reading = last.1.iter().find(|reading| reading.replica == 2).expect("it is there");
    let beside = reading.busy / 1e9 - served(2) * 0.01;
    assert!((beside - 36.0).abs() < 0.05, "{beside} core-seconds");
    let speeds = |fact: &Observation| match fact {
        Observation::Speed { replica: 2, share } => Some(share.0),
        _ => None,
    };
    let told: Vec<f64> = witness.facts.iter().filter_map(|(_, fact)| speeds(fact)).collect();
    assert_eq!(told, [0.6, 1.0]);
}
