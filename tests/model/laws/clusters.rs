//! Random clusters: nodes, upgrades and autoscalers, all in a hurry.

use brownout::autoscaler::average::AverageTarget;
use brownout::autoscaler::behavior::{Behavior, PolicyUnit, ScalingPolicy};
use brownout::autoscaler::calculator::{CpuTarget, Tolerance};
use brownout::autoscaler::controller::{AutoscalerSpec, Settings};
use brownout::autoscaler::goals::MetricGoal;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Bytes, Share, Span};
use proptest::prelude::*;

use crate::common::secs;

/// What replicas run on.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Without a number of nodes that fits the placement: `per_zone` is what to have beyond.
    nodes: Nodes,
    upgrade: Upgrade,
    autoscaling: Option<Autoscaling>,
    drain: Span,
}

impl Cluster {
    /// Puts the replicas of a plan into the cluster.
    pub fn put_under(self, plan: &mut Plan) {
        let placed = |zone| plan.topology.placement.iter().filter(|home| **home == zone).count();
        let most = (0..plan.topology.zones.len()).map(placed).max().unwrap_or(0);
        plan.nodes = self.nodes;
        let needed = most.div_ceil(plan.nodes.room).max(1);
        plan.nodes.per_zone = plan.nodes.per_zone.map(|beyond| needed + beyond);
        (plan.upgrade, plan.autoscaling) = (self.upgrade, self.autoscaling);
        plan.termination.drain = self.drain;
    }
}

/// A cluster of any kind.
pub fn any_cluster() -> impl Strategy<Value = Cluster> {
    (nodes(), upgrade(), prop::option::weighted(0.3, autoscaling()), 0.0..5.0_f64).prop_map(
        |(nodes, upgrade, autoscaling, drain)| Cluster {
            nodes,
            upgrade,
            autoscaling,
            drain: secs(drain),
        },
    )
}

fn nodes() -> impl Strategy<Value = Nodes> {
    let share = prop_oneof![Just(0.0), 0.0..1.0_f64];
    let adds = prop::option::of(0.0..9.0_f64);
    (prop::option::of(0..5_usize), 1..3_usize, adds, share, 0.0..3.0_f64).prop_map(
        |(per_zone, room, adds, deleted, every)| Nodes {
            per_zone,
            room,
            provisioning: adds.map(|most| Law::uniform_secs(0.0, most)),
            image: Law::uniform_secs(0.0, 3.0),
            eviction: Eviction { every: secs(every), ..Nodes::default().eviction },
            deleted: Share(deleted),
            deletion: Law::uniform_secs(0.0, every),
        },
    )
}

fn upgrade() -> impl Strategy<Value = Upgrade> {
    let portion = |least: usize| {
        let percent = (least as u32 * 10..100).prop_map(Portion::Percent);
        prop_oneof![(least..3_usize).prop_map(Portion::Count), percent]
    };
    let budget = (portion(0), any::<bool>(), any::<bool>());
    let timeout = (prop::option::of(0.0..5.0_f64), any::<bool>());
    (portion(0), portion(0), budget, timeout, 0.0..3.0_f64).prop_map(
        |(surge, unavailable, (budget, least, always), (timeout, forced), min_ready)| Upgrade {
            surge: if unavailable.is_none() { Portion::Count(1) } else { surge },
            unavailable,
            min_ready: secs(min_ready),
            deadline: secs(2.0 * min_ready + 1.0),
            budget: if least { Budget::Available(budget) } else { Budget::Unavailable(budget) },
            unhealthy: match always {
                true => UnhealthyEvictions::AlwaysAllow,
                false => UnhealthyEvictions::IfHealthyBudget,
            },
            retry: secs(0.7),
            drain_timeout: timeout.map(secs),
            after_timeout: if forced { AfterTimeout::Forced } else { AfterTimeout::GivenUp },
        },
    )
}

fn autoscaling() -> impl Strategy<Value = Autoscaling> {
    let requests = prop::option::of(500..50_000_i64);
    let sidecar = prop::option::of((prop::option::of(50..500_i64), 0..500_i64));
    let measured = (requests, sidecar, any::<bool>(), prop::option::of(20..90_i32));
    (1..4_i32, 0..4_i32, 20..90_i32, 100..2_000_i64, measured).prop_map(
        |(min, more, target, request_milli, (requests, sidecar, alone, memory))| {
            let mut behavior = Behavior::default();
            behavior.up.policies =
                vec![ScalingPolicy { unit: PolicyUnit::Pods, value: 2, period: secs(2.0) }];
            behavior.down.window = Some(secs(3.0));
            let mut target = CpuTarget::utilisation(target);
            target.care.initialization = secs(3.0);
            target.care.initial_readiness = secs(1.0);
            target.container = alone.then(|| GATEWAY.to_owned());
            let settings = Settings::default();
            let tolerance = Tolerance::default();
            let requests = requests.map(|milli| AverageTarget { milli, tolerance });
            let goals = std::iter::once(MetricGoal::Resource(target))
                .chain(memory.map(|percent| {
                    let target = CpuTarget::utilisation(percent);
                    MetricGoal::Resource(CpuTarget { of_memory: true, ..target })
                }))
                .chain(requests.map(MetricGoal::Requests))
                .skip(usize::from(alone && requests.is_some()))
                .collect();
            let spec =
                AutoscalerSpec { min, max: min + more, goals, behavior: Some(behavior), settings };
            Autoscaling {
                spec,
                request_milli,
                sidecar: sidecar
                    .map(|(request_milli, usage_milli)| Sidecar { request_milli, usage_milli }),
                memory_request: Bytes(30),
                request_rate: RequestRate { scrape: secs(0.8), window: secs(2.0) },
                sync: secs(1.0),
                scrape: secs(0.9),
                kubelet: secs(0.6),
                settled: false,
            }
        },
    )
}
