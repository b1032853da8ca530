//! What theory says of one gateway, before anything runs.

use crate::plan::{Configuration, Plan, Policy, PolicyKind, ZoneId};
use crate::study::mode::kind::{Mode, Moot};
use crate::units::Rate;

/// Why a mode means nothing for a gateway, if it does not.
pub(super) fn moot_of(gateway: &Plan, mode: Mode) -> Option<Moot> {
    let asks_at_start = gateway.startup.contracts.is_some()
        || matches!(gateway.startup.configuration, Configuration::Download(_));
    let caches = |policy: &Policy| matches!(policy.kind, PolicyKind::Cache(_));
    let follows = gateway.autoscaling.is_some() || gateway.dependencies.policies.iter().any(caches);
    match mode {
        Mode::WithoutControlPlane => (!asks_at_start).then_some(Moot::ControlPlane),
        Mode::ZoneLoss => (gateway.topology.zones.len() == 1).then_some(Moot::OnlyZone),
        Mode::DailyPeak => (!follows).then_some(Moot::NothingFollows),
        Mode::RegionLoss => Some(Moot::OnlyRegion),
        Mode::Healthy | Mode::ReplicaLoss => None,
    }
}

/// The zone with the most replicas at the start, the first of several.
pub(super) fn fullest_zone(gateway: &Plan) -> ZoneId {
    let placement = &gateway.topology.placement;
    let count = |zone: &ZoneId| placement.iter().filter(|of| *of == zone).count();
    let zones = 0..gateway.topology.zones.len();
    zones.rev().max_by_key(count).unwrap_or(0)
}

/// Replicas of a gateway that work for as long as the loss lasts: of those that there are at most,
/// without those that are lost in it.
pub fn survivors(plan: &Plan, mode: Mode) -> usize {
    survivors_of(plan, mode, plan.most_replicas())
}

/// The same of so many replicas.
pub fn survivors_of(plan: &Plan, mode: Mode, replicas: usize) -> usize {
    let lost = match mode {
        Mode::Healthy | Mode::DailyPeak | Mode::RegionLoss => 0,
        Mode::ReplicaLoss | Mode::WithoutControlPlane => 1,
        Mode::ZoneLoss => {
            // Replicas that are added later are spread evenly as well.
            let zone = fullest_zone(plan);
            let there = plan.topology.placement.iter().filter(|of| **of == zone).count();
            there.max(replicas.div_ceil(plan.topology.zones.len()))
        }
    };
    replicas.saturating_sub(lost)
}

/// The least load of its own at which the CPU of its survivors is full, of the replicas that there
/// are when it has this part of that load: what it has until a loss.
pub(super) fn fluid_limit_of(gateway: &Plan, mode: Mode, before: f64) -> f64 {
    let most = gateway.most_replicas();
    let is_full = |replicas: usize| {
        let load = arrivals(gateway, survivors_of(gateway, mode, replicas));
        (replicas == most || replicas_at(gateway, load * before) <= replicas).then_some(load)
    };
    (replicas_at(gateway, 0.0)..=most).find_map(is_full).unwrap_or_default()
}

/// The replicas that there are at a load, as long as nothing fails.
pub fn replicas_at(plan: &Plan, load: f64) -> usize {
    let held = plan.replicas_at(Rate(load * plan.requests_per_arrival()));
    let settled = plan.autoscaling.as_ref().is_some_and(|scaling| scaling.settled);
    if settled { held } else { held.max(plan.gateway.replicas) }
}

/// The load that so many replicas serve when their CPU is full.
pub fn arrivals(plan: &Plan, replicas: usize) -> f64 {
    plan.saturation().0 * replicas as f64 / plan.requests_per_arrival()
}
