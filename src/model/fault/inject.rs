//! From kinds of faults to what they do.
//!
//! A random fault has a clock of its own for each entity it may hit: a slot, a zone, an ingress
//! instance, the control plane. A replica's clock starts when it comes into rotation and is thrown
//! away when the replica restarts or is replaced, whatever the cause; the others start at the
//! beginning and again whenever this fault is over.
//!
//! A fault that follows another has no clock: it is injected each time that the other one strikes
//! something, after a delay, in the same zone if it is to.
//!
//! Assumptions: faults are independent of load, and of each other unless they follow one.

use super::{dependencies, machines, platform, replicas};
use crate::model::context::Context;
use crate::model::event::{Event, Guard};
use crate::model::region::Region;
use crate::model::replica::fleet::Fleet;
use crate::model::request::Requests;
use crate::observe::ReplicaId;
use crate::plan::{Fault, Followed, InstanceTarget, ReplicaTarget, Schedule, Target, ZoneId};

/// Enters the scripted faults, and the random ones that do not wait for a replica.
pub(in crate::model) fn schedule_all(cx: &mut Context) {
    for (fault, entry) in cx.plan.faults.iter().enumerate() {
        match (&entry.schedule, entry.fault.target()) {
            (Schedule::At(at), _) => {
                cx.schedule(*at, Event::Injected { fault, entity: 0, guard: None });
            }
            (Schedule::Random(_), Target::Zone(None) | Target::Ingress(InstanceTarget::Any)) => {
                let all = 0..cx.faults.entities(fault);
                all.for_each(|entity| cx.await_again(fault, entity, cx.now));
            }
            (
                Schedule::Random(_),
                Target::Zone(Some(only)) | Target::Ingress(InstanceTarget::One(only)),
            ) => cx.await_again(fault, only, cx.now),
            (
                Schedule::Random(_),
                Target::ControlPlane
                | Target::Cluster
                | Target::Dependencies
                | Target::Ingress(InstanceTarget::All),
            ) => {
                cx.await_again(fault, 0, cx.now);
            }
            // Their clocks start when replicas come into rotation.
            (Schedule::Random(_), Target::Replicas(_)) => {}
            // They wait for another fault.
            (Schedule::After(_) | Schedule::Elsewhere, _) => {}
        }
    }
}

/// A replica came into rotation: the random faults that may hit it start their clocks.
pub(in crate::model) fn await_faults_of(cx: &mut Context, fleet: &Fleet, id: ReplicaId) {
    let replica = &fleet[id];
    let guard = Some((replica.slot, id, replica.incarnation()));
    for (fault, entry) in cx.plan.faults.iter().enumerate() {
        let Target::Replicas(target) = entry.fault.target() else { continue };
        let covers = match target {
            ReplicaTarget::Any | ReplicaTarget::All => true,
            ReplicaTarget::Zone(wanted) => wanted == replica.zone,
            ReplicaTarget::Slot(wanted) => fleet.role(wanted) == replica.slot,
        };
        if covers {
            cx.await_fault(fault, replica.slot, cx.now, guard);
        }
    }
}

/// A fault is injected, unless the replica that it was meant for is another one by now, and those
/// that follow it if it struck anything.
pub(in crate::model) fn inject(
    cx: &mut Context,
    region: &mut Region,
    requests: &mut Requests,
    (fault, entity, guard): (usize, usize, Guard),
) {
    let fleet = &region.cluster.fleet;
    let of_replicas = matches!(cx.plan.faults[fault].fault.target(), Target::Replicas(_));
    assert!(guard.is_none() || of_replicas, "fault {fault} is meant for a replica and hits none");
    if let Some((slot, id, incarnation)) = guard
        && (fleet.holder(slot) != Some(id) || fleet[id].incarnation() != incarnation)
    {
        return;
    }
    region.cluster.fleet.advance_all(cx);
    let entry = &cx.plan.faults[fault];
    let is_of_entity = matches!(entry.schedule, Schedule::Random(_)) || entry.strikes_same_zone();
    let only = is_of_entity.then_some(entity);
    // The zone that is struck is chosen here, for others may strike it too.
    let zone = match &entry.fault {
        Fault::ZoneOutage(zone, _) | Fault::PartialOutage(zone, ..) => {
            Some(only.or(*zone).unwrap_or_else(|| machines::choose_zone(cx, fault)))
        }
        _ => None,
    };
    let next = cx.faults.next_incident();
    strike(cx, region, requests, (fault, zone.or(only), guard));
    if cx.faults.has_begun(next) {
        inject_followers(cx, fault, zone);
    }
}

/// The faults that follow another one, which has struck this zone or something else.
fn inject_followers(cx: &mut Context, struck: usize, zone: Option<ZoneId>) {
    for (fault, entry) in cx.plan.faults.iter().enumerate() {
        let Schedule::After(Followed { fault: followed, delay, same_zone }) = &entry.schedule
        else {
            continue;
        };
        if *followed == struck {
            assert!(!same_zone || zone.is_some(), "fault {struck} strikes no zone");
            let entity = zone.filter(|_| *same_zone).unwrap_or(0);
            let at = cx.now + cx.lasting(fault, 0, delay);
            cx.schedule(at, Event::Injected { fault, entity, guard: None });
        }
    }
}

/// What a fault does; to one of the things that it may strike, if that is settled.
fn strike(
    cx: &mut Context,
    region: &mut Region,
    requests: &mut Requests,
    (fault, one, guard): (usize, Option<usize>, Guard),
) {
    let Region { cluster, ingress } = region;
    let fleet = &mut cluster.fleet;
    let entry = &cx.plan.faults[fault];
    let there = one.filter(|_| entry.strikes_same_zone());
    let of = |target: ReplicaTarget| (fault, there.map_or(target, ReplicaTarget::Zone), guard);
    let zone = || one.expect("an outage is of a zone");
    match &entry.fault {
        Fault::ReplicaCrash(target) => replicas::hit(cx, fleet, of(*target), Fleet::crash),
        Fault::ReplicaHang(target) => replicas::hit(cx, fleet, of(*target), Fleet::hang),
        Fault::ReplicaSlow(target, share, lasts) => {
            replicas::slow_down(cx, fleet, of(*target), *share, lasts);
        }
        Fault::GrayFailure(gray, lasts) => replicas::turn_gray(cx, fleet, (fault, gray), lasts),
        Fault::ZoneOutage(_, lasts) => {
            machines::lose_zone(cx, cluster, ingress, (fault, zone()), lasts);
        }
        Fault::PartialOutage(_, share, lasts) => {
            machines::lose_part(cx, cluster, (fault, zone()), *share, lasts);
        }
        Fault::NodeLoss(target, lasts) => {
            machines::lose_machines(cx, cluster, of(*target), lasts.as_ref());
        }
        Fault::NodeShutdown(target, notice, _) => {
            machines::give_notice(cx, cluster, of(*target), *notice);
        }
        Fault::DrainNode(target, _) => machines::empty_machines(cx, cluster, of(*target)),
        Fault::RegionOutage(lasts) => machines::lose_region(cx, cluster, ingress, fault, lasts),
        Fault::ManagerFrozen(_) | Fault::PlannedFailover(_) => {
            unreachable!("what regions share fails by no region's doing")
        }
        Fault::Maintenance(_) => machines::maintain(cx, cluster, fault),
        Fault::Rollout(_) => cluster.begin_rollout(cx, fault),
        Fault::ProvisioningOutage(zone, lasts) => {
            platform::stop_provisioning(cx, cluster, (fault, there.or(*zone)), lasts);
        }
        Fault::MetricsOutage(lost, lasts) => {
            platform::lose_metrics(cx, cluster, (fault, *lost), lasts);
        }
        Fault::ApiServerOutage(lasts) => platform::lose_api_server(cx, cluster, fault, lasts),
        Fault::ControlPlaneOutage(lasts) => platform::cut_control_plane(cx, fleet, fault, lasts),
        Fault::IngressLoss(InstanceTarget::All, lasts) => {
            platform::lose_whole_ingress(cx, ingress, fleet, fault, lasts);
        }
        Fault::IngressLoss(target, lasts) => {
            let one = one.map_or(*target, InstanceTarget::One);
            platform::lose_ingress(cx, ingress, fleet, (fault, one), lasts);
        }
        Fault::UpstreamOutage(target, down, lasts) => {
            dependencies::lose_hosts(cx, requests, fleet, (fault, *target, *down), lasts);
        }
        Fault::UpstreamSlow(target, factor, lasts) => {
            dependencies::slow_hosts(cx, requests, (fault, *target, *factor), lasts);
        }
        Fault::StorageOutage(lasts) => dependencies::lose_storage(cx, requests, fault, lasts),
        Fault::CachePurge => dependencies::purge_caches(cx, requests, fault),
        Fault::ContractRevoked(client) => {
            dependencies::revoke_contract(cx, fleet, fault, *client);
        }
    }
}
