//! Random plans: small, fast, and full of trouble.

use brownout::plan::*;
use brownout::policy::latency::Decay;
use brownout::policy::outlier::OutlierSpec;
use brownout::policy::overload::{LoadTrigger, OverloadSpec};
use brownout::policy::retries::RetryLimit;
use brownout::policy::slow_start::SlowStart;
use brownout::random::Law;
use brownout::units::{Bytes, Cores, Instant, Rate, Share, Span};
use proptest::prelude::*;

use super::clusters::any_cluster;
use super::dependencies::admission;
use crate::common::{at, plan, secs};

/// A plan of any kind.
pub fn any_plan() -> impl Strategy<Value = Plan> {
    (gateway(), ingress(), life(), detection(), prop::collection::vec(fault(), 0..4), run())
        .prop_flat_map(|(gateway, ingress, startup, detection, faults, (horizon, warm, bin))| {
            let capacity = gateway.cores.0 * gateway.replicas as f64 / gateway.demand.mean_secs();
            let slots = gateway.replicas;
            let frame =
                (Just(gateway), Just(ingress), Just(startup), Just(detection), Just(faults));
            let times = Just((horizon, warm, bin));
            (frame, topology(slots), traffic(capacity, horizon, slots), any_cluster(), times)
        })
        .prop_map(|(frame, topology, traffic, cluster, times)| {
            let (gateway, ingress, startup, detection, faults) = frame;
            let (horizon, warm, bin) = times;
            let mut plan = Plan { gateway, ingress, startup, detection, ..plan(1, 1.0, horizon) };
            if plan.startup.readiness.period == Span::ZERO {
                plan.detection.probe_cpu = None;
            }
            plan.termination.drain = secs(1.5);
            (plan.topology, plan.traffic) = (topology, traffic);
            cluster.put_under(&mut plan);
            plan.faults = aim(faults, horizon, &plan);
            plan.run.warm_up = at(horizon * warm);
            plan.run.bin = secs(bin);
            plan.windows = windows(&plan);
            plan
        })
}

/// A plan without faults, and without probes or a memory that could take a replica out of rotation.
pub fn calm_plan() -> impl Strategy<Value = Plan> {
    any_plan().prop_map(|plan| Plan { faults: Vec::new(), autoscaling: None, ..plan }).prop_map(
        |mut plan| {
            plan.windows = windows(&plan);
            plan.detection.probe_cpu = None;
            plan.gateway.memory = None;
            plan
        },
    )
}

/// A plan whose faults are followed by minutes of light load, so that all can be well again.
pub fn quiet_plan() -> impl Strategy<Value = Plan> {
    any_plan().prop_map(|mut plan| {
        let busy = plan.run.horizon;
        for fault in &mut plan.faults {
            if let Schedule::Random(_) = fault.schedule {
                fault.schedule = Schedule::At(Instant(busy.0 / 2));
            }
        }
        // One version that is not as before is rolled back; the one before that is good.
        let mut releases = plan.faults.iter_mut().filter_map(|one| match &mut one.fault {
            Fault::Rollout(release) => Some(release),
            _ => None,
        });
        if let Some(first) = releases.next() {
            first.back_after = first.back_after.or(Some(secs(10.0)));
        }
        releases.for_each(|later| *later = Release::SOUND);
        plan.run.horizon = busy + secs(400.0);
        // Some replicas are too small for their probes and are restarted for ever.
        plan.detection.probe_cpu = None;
        // Nothing comes at the very end, so that the autoscaler is at rest.
        let rest = busy + secs(320.0);
        let corners = vec![(Instant::ZERO, Rate(2.0)), (rest, Rate(2.0)), (rest, Rate::default())];
        let scatter = Scatter::Poisson;
        plan.traffic = Traffic::Process(ArrivalProcess { scatter, corners, period: None });
        plan.windows = windows(&plan);
        plan
    })
}

fn windows(plan: &Plan) -> Vec<Window> {
    let middle = Instant(plan.run.horizon.0 / 3);
    let last = Instant(plan.run.horizon.0 / 4 * 3);
    let during = (0..plan.faults.len()).map(Extent::During);
    [Extent::Run, Extent::Between(middle, last), Extent::Between(Instant::ZERO, middle)]
        .into_iter()
        .chain(during)
        .map(|extent| Window::of_all(format!("{extent:?}"), extent))
        .collect()
}

fn gateway() -> impl Strategy<Value = Gateway> {
    let cores = prop::sample::select(vec![0.25, 0.5, 1.0, 1.5, 2.0, 4.0]);
    let slices = prop::option::weighted(0.3, (0..4_u32, 5..300_u64));
    let memory = prop::option::weighted(0.3, 8..60_u64);
    let overload = prop::option::weighted(0.2, overload());
    (cores, slices, demand(), 1..=6_usize, (memory, overload)).prop_map(
        |(cores, slices, demand, replicas, (holds, overload))| Gateway {
            overload,
            cores: Cores(cores),
            throttling: slices.map(|(beyond, millis)| Throttling {
                period: secs(millis as f64 / 1e3),
                threads: cores.ceil() as u32 + beyond,
            }),
            demand,
            replicas,
            memory: holds.map(|holds| Memory {
                limit: Bytes(holds),
                base: Bytes(0),
                per_request: Bytes(1),
            }),
        },
    )
}

/// A replica that does not take on everything.
fn overload() -> impl Strategy<Value = OverloadSpec> {
    let requests = prop::option::of(1..30_u32);
    let trigger = || {
        prop::option::of((0.3..1.0_f64, 0.0..=1.0_f64)).prop_map(|found| {
            found.map(|(full, part)| LoadTrigger { from: Share(full * part), full: Share(full) })
        })
    };
    (requests, trigger(), trigger(), 0.05..2.0_f64).prop_map(|(requests, memory, cpu, refresh)| {
        OverloadSpec { requests, memory, cpu, refresh: secs(refresh) }
    })
}

fn demand() -> impl Strategy<Value = Law> {
    (5.0..60.0_f64, 0..6_u8).prop_map(|(millis, kind)| {
        let mean = secs(millis / 1e3);
        match kind {
            0 => Law::Constant(mean),
            1 => Law::Uniform(Span::ZERO, mean + mean),
            2 => Law::LogNormal(mean, 1.5),
            3 => Law::Hyperexponential(mean, 3.0),
            4 => Law::Gamma(mean, 0.5),
            _ => Law::Exponential(mean),
        }
    })
}

fn topology(slots: usize) -> impl Strategy<Value = Topology> {
    (1..=4_usize).prop_flat_map(move |zones| {
        let spread = prop::sample::select(vec![Spread::ScheduleAnyway, Spread::DoNotSchedule]);
        let placement = prop::collection::vec(0..zones, slots);
        let skew = 1..3_usize;
        let counted = (any::<bool>(), any::<bool>());
        let all = (placement, spread, skew, counted);
        all.prop_map(move |(placement, spread, max_skew, (by_version, honors))| Topology {
            zones: ["a", "b", "c", "d"][..zones].iter().map(|zone| (*zone).to_owned()).collect(),
            placement,
            spread,
            max_skew,
            by_version,
            taints: if honors { NodeTaints::Honor } else { NodeTaints::Ignore },
        })
    })
}

fn ingress() -> impl Strategy<Value = Ingress> {
    let balancing = prop_oneof![
        Just(Balancing::RoundRobin),
        Just(Balancing::ZoneThenReplica),
        Just(Balancing::Random),
        Just(Balancing::LeastRequest),
        (1..20_usize, prop::option::of(1..50_u32)).prop_map(|(connections, requests)| {
            Balancing::PerConnection { connections, requests, idle_check: secs(2.0) }
        }),
    ];
    let patience = prop::sample::select(vec![0.02, 0.2, 1.0, 5.0, 300.0]);
    let dead = prop::sample::select(vec![DeadAddress::Drops, DeadAddress::Refuses]);
    let delays = (0.0..0.02_f64, 0.0..0.02_f64, 0.0..2.0_f64, 0.0..3.0_f64);
    let instances = prop::collection::vec(prop::option::of(0..4_usize), 1..=4);
    let by = prop::sample::select(vec![FailoverBy::Clients, FailoverBy::HealthCheck]);
    let told = (any::<bool>(), by, judging(), prop::bool::weighted(0.25));
    (instances, balancing, patience, dead, 0..4_u32, delays, told).prop_map(
        |(instances, balancing, patience, dead_address, retries, delays, told)| Ingress {
            instances,
            balancing: other_rule(balancing, (delays.2 * 1e4) as usize),
            slow_start: slow_start((delays.1 * 1e6) as usize),
            delay: secs(delays.0),
            hop: secs(delays.1),
            connect_timeout: secs(delays.3),
            read_timeout: if patience > 100.0 { Span::MAX } else { secs(patience) },
            retries,
            retry: retry_rules(retries, (delays.3 * 1e3) as usize),
            closing: Closing {
                age: (patience < 1.0).then(|| secs(20.0 * patience)),
                server_idle: if retries > 1 { secs(0.5) } else { Span::MAX },
                client_idle: if retries == 2 { secs(0.4) } else { Span::MAX },
            },
            request_timeout: if patience < 1.0 { secs(3.0 * patience) } else { Span::MAX },
            answers: Answers::USUAL,
            dead_address,
            health: told.2.0,
            outliers: told.2.1,
            admission: admission((delays.2 * 1e5) as usize % 16),
            panic: told.2.2,
            prefer_zone: told.3,
            in_cluster: (delays.2 < 0.3).then(|| InCluster {
                share: Share(0.1 + delays.2 * 3.0),
                connections: 1 + (delays.2 * 40.0) as usize,
            }),
            failover: Failover { after: Law::uniform_secs(0.0, 3.0), by: told.1 },
            propagation: Law::uniform_secs(0.0, delays.2),
            endpoints_in_order: told.0,
        },
    )
}

/// Now and then a rule that knows clients or how fast replicas answer, by a number.
fn other_rule(balancing: Balancing, kind: usize) -> Balancing {
    let decay = |peak| Balancing::Latency(Decay { time: secs(3.0), peak });
    match kind % 16 {
        0 => Balancing::Cookie,
        1 => Balancing::Hash,
        2 => decay(false),
        3 => decay(true),
        _ => balancing,
    }
}

/// Now and then a slow start, by a number.
fn slow_start(kind: usize) -> Option<SlowStart> {
    let (window, aggression) = (secs(5.0), [0.5, 1.0, 2.0][kind / 4 % 3]);
    kind.is_multiple_of(4).then_some(SlowStart { window, aggression, least: Share(0.1) })
}

/// How an ingress judges replicas by itself, if it does.
fn judging() -> impl Strategy<Value = (Option<HealthCheck>, Option<OutlierSpec>, Share)> {
    let by = prop::sample::select(vec![CheckBy::Http, CheckBy::Tcp]);
    let checks = (0.1..3.0_f64, 0.0..1.0_f64, 1..4_u32, 1..4_u32, by).prop_map(
        |(interval, timeout, unhealthy, healthy, by)| HealthCheck {
            interval: secs(interval),
            timeout: secs(interval * timeout),
            unhealthy,
            healthy,
            by,
            first: healthy == 2,
        },
    );
    let outliers = (0.5..5.0_f64, 1..4_u32, any::<bool>()).prop_map(|(time, limit, one)| {
        let (interval, base_ejection) = (secs(time), secs(2.0 * time));
        let (max_ejected, always_eject_one) = (Share(0.5), one);
        let consecutive_5xx = Some(limit);
        let spec = OutlierSpec::default();
        OutlierSpec {
            interval,
            base_ejection,
            max_ejected,
            always_eject_one,
            consecutive_5xx,
            ..spec
        }
    });
    let panic = prop::sample::select(vec![0.0, 0.001, 0.5]);
    let (checks, outliers) =
        (prop::option::weighted(0.3, checks), prop::option::weighted(0.2, outliers));
    (checks, outliers, panic.prop_map(Share))
}

/// Retries of what was sent, where there are several, of any kind by a number.
fn retry_rules(retries: u32, kind: usize) -> RetryRules {
    let host = [RetryHost::Other, RetryHost::Chosen(0), RetryHost::Chosen(2)][kind % 3];
    let budget = RetryLimit::Budget { share: Share(0.2), least: 1 };
    let at_once = [RetryLimit::None, RetryLimit::Count(3), budget][kind / 3 % 3];
    let hedges = (kind / 9).is_multiple_of(2);
    let all = RetryRules {
        on_connect_failure: true,
        on_reset: true,
        on_timeout: true,
        on_statuses: vec![502, 503, 504],
        non_idempotent: false,
        idempotent: Share(0.7),
        backoff: secs(0.025),
        host,
        at_once,
        hedges,
    };
    match retries {
        0 | 1 => RetryRules { host, hedges, ..RetryRules::CONNECT_FAILURE },
        2 => RetryRules { backoff: Span::ZERO, idempotent: Share::ONE, ..all },
        _ => all,
    }
}

/// Start-up in seconds rather than tens of them.
fn life() -> impl Strategy<Value = Startup> {
    let call = || ControlPlaneCall {
        duration: Law::uniform_secs(0.1, 1.0),
        timeout: secs(2.0),
        backoff: secs(1.0),
    };
    let gate = prop_oneof![Just(Gate::Replica), (0.0..1.0_f64).prop_map(|s| Gate::Api(Share(s)))];
    let contracts = prop::option::of(gate);
    // Above 3 s a boot outlasts the liveness probe.
    (0.0..4.0_f64, any::<bool>(), contracts, 0..3_u32, any::<bool>()).prop_map(
        move |(boot, local, gate, period, started)| {
            let phase = Law::uniform_secs(0.0, boot);
            let configuration =
                if local { Configuration::Local } else { Configuration::Download(call()) };
            Startup {
                schedule: phase.clone(),
                sandbox: phase.clone(),
                image: phase.clone(),
                boot: phase,
                boot_cpu: boot / 20.0,
                after_ready: (secs(boot), if started { 0.2 } else { 0.0 }),
                configuration,
                contracts: gate.map(|gate| Contracts { fetch: call(), poll: secs(2.0), gate }),
                probe: started.then(|| probe(period.max(1), 0.5, 3)),
                readiness: probe(period, 0.5, 2),
            }
        },
    )
}

fn probe(period: u32, timeout: f64, failures: u32) -> Probe {
    let period = secs(f64::from(period));
    Probe { initial_delay: period, period, timeout: secs(timeout), failures }
}

fn detection() -> impl Strategy<Value = Detection> {
    let cpu = prop::option::of((0.001..0.05_f64).prop_map(secs));
    let after = prop::sample::select(vec![AfterCrash::Replaced, AfterCrash::Restarted]);
    (0.0..3.0_f64, 0.0..9.0_f64, cpu, after).prop_map(|(short, long, cpu, after)| Detection {
        crash: Law::uniform_secs(0.0, short),
        liveness: probe(1, 0.2, 3),
        probe_cpu: cpu,
        asks: ProbesAsk::default(),
        grace: secs(short),
        after_crash: after,
        backoff: Backoff { first: secs(short / 2.0), limit: secs(long), reset: secs(4.0) },
        lease: secs(2.0),
        node_grace: secs(short),
        monitor: secs(1.0),
        toleration: secs(long),
    })
}

/// A fault, when it is injected as a share of the run, and whether at random.
type Wild = (Fault, f64, bool);

/// One instance, any, or all of them.
fn instance(one: Option<usize>, share: f64) -> InstanceTarget {
    match one {
        Some(one) => InstanceTarget::One(one),
        None if share < 0.5 => InstanceTarget::All,
        None => InstanceTarget::Any,
    }
}

fn fault() -> impl Strategy<Value = Wild> {
    let target = prop_oneof![
        Just(ReplicaTarget::Any),
        Just(ReplicaTarget::All),
        (0..4_usize).prop_map(ReplicaTarget::Zone),
        (0..6_usize).prop_map(ReplicaTarget::Slot),
    ];
    let lasts = (0.0..15.0_f64).prop_map(|mean| Law::Exponential(secs(mean)));
    let one = prop::option::of(0..4_usize);
    let fault = (0..16_u8, target, lasts, one, 0.0..1.0_f64).prop_map(
        |(kind, target, lasts, one, share)| match kind {
            0 => Fault::ReplicaCrash(target),
            1 => Fault::ReplicaHang(target),
            2 => Fault::ReplicaSlow(target, Share(share), lasts),
            3 => Fault::ZoneOutage(one, lasts),
            4 => Fault::ControlPlaneOutage(lasts),
            5 => Fault::IngressLoss(instance(one, share), lasts),
            6 => Fault::PartialOutage(one, Share(share.max(0.01)), lasts),
            7 => Fault::NodeLoss(target, (share < 0.7).then_some(lasts)),
            8 => Fault::ProvisioningOutage(one, lasts),
            9 => Fault::Rollout(release(share)),
            12 => Fault::ApiServerOutage(lasts),
            14 => Fault::GrayFailure(Gray { work: 1.0 + share, failing: Share(share) }, lasts),
            13 => shutdown(target, share, lasts),
            10 => Fault::DrainNode(target, lasts),
            11 => {
                let lost = [LostMetrics::All, LostMetrics::Resource, LostMetrics::Custom];
                Fault::MetricsOutage(lost[(share * 3.0) as usize], lasts)
            }
            _ => Fault::Maintenance(lasts),
        },
    );
    (fault, 0.0..1.0_f64, any::<bool>())
}

/// A shutdown of any kind, by a number from 0 to 1.
fn shutdown(target: ReplicaTarget, share: f64, lasts: Law) -> Fault {
    let kind = (share * 1e3) as usize;
    let heeded = [Heeded::Handler, Heeded::Kubelet(secs(4.0 * share)), Heeded::Nobody][kind % 3];
    let notice = Notice { ahead: secs([0.0, 5.0 * share][kind / 3 % 2]), heeded };
    Fault::NodeShutdown(target, notice, (kind / 6).is_multiple_of(2).then_some(lasts))
}

/// A version of any kind, by a number from 0 to 1.
fn release(share: f64) -> Release {
    let starts = [Starts::Well, Starts::Crashes, Starts::NeverReady];
    let kind = (share * 1e3) as usize;
    Release {
        work: [1.0, 2.5][kind % 2],
        failing: Share([0.0, share][kind / 2 % 2]),
        starts: starts[kind / 4 % 3],
        affected: Share([1.0, 0.5][kind / 12 % 2]),
        back_after: (kind / 24).is_multiple_of(2).then(|| secs(10.0 * share)),
    }
}

/// Names the faults and makes their targets exist.
fn aim(faults: Vec<Wild>, horizon: f64, plan: &Plan) -> Vec<FaultPlan> {
    let (zones, slots) = (plan.topology.zones.len(), plan.gateway.replicas);
    let instances = plan.ingress.instances.len();
    let hit = |target| match target {
        ReplicaTarget::Zone(zone) => ReplicaTarget::Zone(zone % zones),
        ReplicaTarget::Slot(slot) => ReplicaTarget::Slot(slot % slots),
        other => other,
    };
    let aimed = |(number, (fault, when, random)): (usize, Wild)| FaultPlan {
        name: format!("fault {number}"),
        fault: match fault {
            Fault::ReplicaCrash(target) => Fault::ReplicaCrash(hit(target)),
            Fault::ReplicaHang(target) => Fault::ReplicaHang(hit(target)),
            Fault::ReplicaSlow(target, share, lasts) => {
                Fault::ReplicaSlow(hit(target), share, lasts)
            }
            Fault::ZoneOutage(zone, lasts) => Fault::ZoneOutage(zone.map(|z| z % zones), lasts),
            Fault::PartialOutage(zone, share, lasts) => {
                Fault::PartialOutage(zone.map(|z| z % zones), share, lasts)
            }
            Fault::NodeLoss(target, lasts) => Fault::NodeLoss(hit(target), lasts),
            Fault::ProvisioningOutage(zone, lasts) => {
                Fault::ProvisioningOutage(zone.map(|z| z % zones), lasts)
            }
            Fault::DrainNode(target, lasts) => Fault::DrainNode(hit(target), lasts),
            Fault::NodeShutdown(target, notice, lasts) => {
                Fault::NodeShutdown(hit(target), notice, lasts)
            }
            Fault::IngressLoss(InstanceTarget::One(one), lasts) => {
                Fault::IngressLoss(InstanceTarget::One(one % instances), lasts)
            }
            other => other,
        },
        schedule: match random {
            // Now and then one follows another.
            _ if number > 0 && when > 0.8 => Schedule::After(Followed {
                fault: number - 1,
                delay: Law::uniform_secs(0.0, 3.0),
                same_zone: false,
            }),
            true => Schedule::Random(Law::Exponential(secs(1.0 + horizon * when))),
            false => Schedule::At(at(horizon * when)),
        },
    };
    faults.into_iter().enumerate().map(aimed).collect()
}

fn traffic(capacity: f64, horizon: f64, slots: usize) -> impl Strategy<Value = Traffic> {
    let process = (0.05..1.6_f64, 0.0..2.0_f64, 0..4_u8, scatter()).prop_map(
        move |(load, later, shape, scatter)| {
            let (from, to) = (Rate(load * capacity), Rate(later * capacity));
            let (half, most) = (at(horizon / 2.0), at(horizon * 0.8));
            let (corners, period) = match shape {
                0 => (vec![(Instant::ZERO, from), (half, from), (half, to)], None),
                1 => (vec![(Instant::ZERO, from), (most, to)], None),
                2 => (vec![(Instant::ZERO, from), (half, to)], Some(secs(horizon * 0.6))),
                _ => (vec![(Instant::ZERO, from)], None),
            };
            Traffic::Process(ArrivalProcess { scatter, corners, period })
        },
    );
    let demand = prop::option::of(1e5..1e8_f64);
    let record = (0.0..1.0_f64, demand, prop::option::of(0..slots));
    let records = prop::collection::vec(record, 0..400);
    let replay =
        (records, any::<bool>(), any::<bool>()).prop_map(move |(records, coarse, again)| {
            let length = horizon * if again { 0.4 } else { 1.05 };
            let when = |when: f64| if coarse { (when * length).floor() } else { when * length };
            let recorded =
                |(part, demand, slot)| Recorded { at: at(when(part)), demand, slot, api: None };
            let mut records: Vec<Recorded> = records.into_iter().map(recorded).collect();
            records.sort_by_key(|record| record.at);
            let resolution = secs(if coarse { 1.0 } else { 0.0 });
            let period = again.then(|| secs(length + 1.0));
            Traffic::Replay(Recording { resolution, period, ..records.into() })
        });
    prop_oneof![4 => process, 1 => replay]
}

fn scatter() -> impl Strategy<Value = Scatter> {
    let bursts = (1.0..20.0_f64, 0.1..10.0_f64, 0.1..10.0_f64);
    let bursty = bursts.prop_map(|(factor, every, length)| {
        Scatter::Bursty(Bursts { factor, every: secs(every), length: secs(length) })
    });
    prop_oneof![2 => Just(Scatter::Poisson), 1 => Just(Scatter::Deterministic), 1 => bursty]
}

/// Horizon and bin in seconds, warm-up as a share.
fn run() -> impl Strategy<Value = (f64, f64, f64)> {
    let bin = prop::sample::select(vec![0.5, 1.0, 7.0]);
    (5.0..40.0_f64, prop_oneof![Just(0.0), 0.0..0.9_f64], bin)
}
