//! Faults that take machines: a zone, a part of it, single nodes; and orders to empty them.
//!
//! A whole zone takes its ingress instances with it, a part of one does not. An outage on top of
//! another finds the machines gone already, and they are back when both are over. Which nodes a
//! part of a zone is: those with replicas first, because that is what is asked about.

use std::collections::BTreeSet;

use super::replicas::{NONE_READY, slots_of, victims};
use crate::model::cluster::Cluster;
use crate::model::context::Context;
use crate::model::event::{Event, Guard, NodeId};
use crate::model::ingress::routing::Ingress;
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{Fault, Notice, ReplicaTarget, Slot, ZoneId};
use crate::random::Law;
use crate::units::{Instant, Share};

/// A zone vanishes with everything in it.
pub(super) fn lose_zone(
    cx: &mut Context,
    cluster: &mut Cluster,
    ingress: &mut Ingress,
    (fault, zone): (usize, ZoneId),
    lasts: &Law,
) {
    let first = cluster.sink_zone(zone);
    let nodes = cluster.nodes.machines_of(zone);
    let slots = slots_on(cluster, &nodes);
    let subject = format!("zone {}", cx.plan.topology.zones[zone]);
    let takes_ingress = first && cx.plan.ingress.instances.contains(&Some(zone));
    let incident = cx.begin_incident(fault, slots, takes_ingress, subject);
    let returns = cx.now + cx.lasting(fault, zone, lasts);
    cluster.lose_nodes(cx, &nodes, Some(incident));
    // The loss of the instances lasts until clients avoid them all, or until the zone returns.
    if takes_ingress
        && let Some(avoided) = ingress.lose_zone(cx, &mut cluster.fleet, zone, (fault, incident))
    {
        cx.schedule(avoided.min(returns), Event::ZoneAvoided { fault, incident });
    }
    cx.schedule(returns, Event::ZoneReturns { zone, fault, incident });
    cx.await_again(fault, zone, returns);
}

/// Machines are back: single ones, those of a zone, or those of the region; or a notice is over.
pub(in crate::model) fn go_on(
    cx: &mut Context,
    cluster: &mut Cluster,
    ingress: &mut Ingress,
    event: Event,
) {
    match event {
        Event::NoticeEnds { fault, incident } => end_notice(cx, cluster, (fault, incident)),
        Event::NodesReturn { fault, incident } => cluster.return_lost_in(cx, fault, incident),
        Event::ZoneReturns { zone, fault, incident } => {
            return_zone(cx, cluster, ingress, (zone, fault, incident));
        }
        Event::RegionReturns { fault, incident } => {
            return_region(cx, cluster, ingress, (fault, incident));
        }
        other => unreachable!("{other:?} brings no machine back"),
    }
}

/// A zone's machines are back, and its ingress instances if nothing else keeps the zone down.
fn return_zone(
    cx: &mut Context,
    cluster: &mut Cluster,
    ingress: &mut Ingress,
    (zone, fault, incident): (ZoneId, usize, usize),
) {
    if cluster.raise_zone(zone) {
        cx.tell(Observation::ZoneReturned { fault, zone });
        ingress.return_zone(cx, zone);
    }
    cluster.return_lost_in(cx, fault, incident);
}

/// Everything vanishes silently: machines in every zone, and all ingress instances.
pub(super) fn lose_region(
    cx: &mut Context,
    cluster: &mut Cluster,
    ingress: &mut Ingress,
    fault: usize,
    lasts: &Law,
) {
    let zones = 0..cx.plan.topology.zones.len();
    let mut nodes = Vec::new();
    for zone in zones {
        cluster.sink_zone(zone);
        nodes.extend(cluster.nodes.machines_of(zone));
    }
    let slots = slots_on(cluster, &nodes);
    let incident = cx.begin_incident(fault, slots, true, "the region".to_owned());
    let returns = cx.now + cx.lasting(fault, 0, lasts);
    cluster.lose_nodes(cx, &nodes, Some(incident));
    for instance in 0..cx.plan.ingress.instances.len() {
        ingress.take_down(cx, &mut cluster.fleet, instance, (fault, 0, incident));
    }
    ingress.tell_instances(cx);
    cx.schedule(returns, Event::RegionReturns { fault, incident });
    cx.await_again(fault, 0, returns);
}

/// The region is back, with what nothing else keeps down.
fn return_region(
    cx: &mut Context,
    cluster: &mut Cluster,
    ingress: &mut Ingress,
    (fault, incident): (usize, usize),
) {
    for zone in 0..cx.plan.topology.zones.len() {
        if cluster.raise_zone(zone) {
            cx.tell(Observation::ZoneReturned { fault, zone });
        }
    }
    ingress.return_all(cx);
    cluster.return_lost_in(cx, fault, incident); // ends the fault
}

/// A zone at random.
pub(super) fn choose_zone(cx: &mut Context, fault: usize) -> ZoneId {
    cx.faults.choose(fault, cx.plan.topology.zones.len())
}

/// A part of a zone's machines vanishes.
pub(super) fn lose_part(
    cx: &mut Context,
    cluster: &mut Cluster,
    (fault, zone): (usize, ZoneId),
    share: Share,
    lasts: &Law,
) {
    let nodes = cluster.nodes.part_of(zone, share);
    let name = &cx.plan.topology.zones[zone];
    let all = cluster.nodes.of_zone(zone).count();
    let subject = format!("{} of {all} nodes of zone {name}", nodes.len());
    let returns = lose_for(cx, cluster, fault, (zone, Some(lasts)), nodes, subject);
    cx.await_again(fault, zone, returns);
}

/// Nodes vanish for a time, or for good; gives its end.
fn lose_for(
    cx: &mut Context,
    cluster: &mut Cluster,
    fault: usize,
    (entity, lasts): (usize, Option<&Law>),
    nodes: Vec<NodeId>,
    subject: String,
) -> Instant {
    let incident = cx.begin_incident(fault, slots_on(cluster, &nodes), false, subject);
    let Some(lasts) = lasts else {
        cluster.lose_nodes(cx, &nodes, None);
        return Instant::NEVER;
    };
    let returns = cx.now + cx.lasting(fault, entity, lasts);
    cluster.lose_nodes(cx, &nodes, Some(incident));
    cx.schedule(returns, Event::NodesReturn { fault, incident });
    returns
}

/// The machines of some replicas vanish, for a time or for good.
pub(super) fn lose_machines(
    cx: &mut Context,
    cluster: &mut Cluster,
    (fault, target, guard): (usize, ReplicaTarget, Guard),
    lasts: Option<&Law>,
) {
    let nodes = nodes_of_victims(cx, cluster, fault, target, guard);
    if nodes.is_empty() {
        return cx.miss(fault, NONE_READY);
    }
    let subject = cluster.nodes.name_all(&nodes);
    lose_for(cx, cluster, fault, (0, lasts), nodes, subject);
}

/// The machines of some replicas are going to be taken away.
pub(super) fn give_notice(
    cx: &mut Context,
    cluster: &mut Cluster,
    (fault, target, guard): (usize, ReplicaTarget, Guard),
    Notice { ahead, heeded }: Notice,
) {
    let nodes = nodes_of_victims(cx, cluster, fault, target, guard);
    if nodes.is_empty() {
        return cx.miss(fault, NONE_READY);
    }
    let subject = cluster.nodes.name_all(&nodes);
    let incident = cx.begin_incident(fault, Vec::new(), true, subject);
    cx.schedule(cx.now + ahead, Event::NoticeEnds { fault, incident });
    cluster.begin_shutdown(cx, (fault, incident), nodes, heeded);
}

/// Their notice is over.
fn end_notice(cx: &mut Context, cluster: &mut Cluster, (fault, incident): (usize, usize)) {
    let Fault::NodeShutdown(_, _, returns) = &cx.plan.faults[fault].fault else {
        unreachable!("fault {fault} gives no notice")
    };
    cluster.end_notice(cx, (fault, incident), returns.as_ref());
}

/// The machines of some replicas are to be emptied.
pub(super) fn empty_machines(
    cx: &mut Context,
    cluster: &mut Cluster,
    (fault, target, guard): (usize, ReplicaTarget, Guard),
) {
    let nodes = nodes_of_victims(cx, cluster, fault, target, guard);
    if nodes.is_empty() {
        return cx.miss(fault, NONE_READY);
    }
    let subject = cluster.nodes.name_all(&nodes);
    cluster.begin_emptying(cx, fault, nodes, subject);
}

/// Every machine with replicas is to be emptied, one after the other.
pub(super) fn maintain(cx: &mut Context, cluster: &mut Cluster, fault: usize) {
    let held: BTreeSet<NodeId> = cluster.fleet.holders().map(|id| cluster.fleet[id].node).collect();
    if held.is_empty() {
        cx.await_again(fault, 0, cx.now);
        return cx.miss(fault, "no machine had a replica");
    }
    let subject = "every node with a replica".to_owned();
    cluster.begin_emptying(cx, fault, held.into_iter().collect(), subject);
}

fn nodes_of_victims(
    cx: &mut Context,
    cluster: &Cluster,
    fault: usize,
    target: ReplicaTarget,
    guard: Guard,
) -> Vec<NodeId> {
    let fleet = &cluster.fleet;
    let victims = match (target, guard) {
        // A machine is there whatever becomes of the replica on it.
        (ReplicaTarget::Slot(slot), None) => {
            let is_there = |id: &ReplicaId| fleet[*id].state() != State::Terminated;
            fleet.holder(fleet.role(slot)).filter(is_there).into_iter().collect()
        }
        _ => victims(cx, fleet, fault, target, guard),
    };
    let nodes: BTreeSet<NodeId> = victims.into_iter().map(|id| cluster.fleet[id].node).collect();
    nodes.into_iter().collect()
}

/// The slots of the replicas on these nodes.
fn slots_on(cluster: &Cluster, nodes: &[NodeId]) -> Vec<Slot> {
    let fleet = &cluster.fleet;
    let there = fleet
        .holders()
        .filter(|id| nodes.contains(&fleet[*id].node) && fleet[*id].state() != State::Terminated);
    slots_of(fleet, &there.collect::<Vec<_>>())
}
