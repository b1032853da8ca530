//! Faults that take machines: a zone, a part of it, single nodes; and orders to empty them.
//!
//! A whole zone takes its ingress instances with it, a part of one does not. An outage on top of
//! another finds the machines gone already, and they are back when both are over. Which nodes a
//! part of a zone is: those with replicas first, because that is what is asked about.

use std::collections::BTreeSet;

use super::World;
use super::event::Event;
use super::fault::Guard;
use super::node::NodeId;
use crate::observe::{Observer, ReplicaId, State};
use crate::plan::{ReplicaTarget, ZoneId};
use crate::random::Law;
use crate::units::{Instant, Share};

impl<O: Observer> World<'_, O> {
    /// A zone vanishes with everything in it.
    pub(super) fn lose_zone(&mut self, fault: usize, zone: Option<ZoneId>, lasts: &Law) {
        let zone = self.choose_zone(fault, zone);
        self.zones.down[zone] += 1;
        let first = self.zones.down[zone] == 1;
        let nodes = self.nodes.machines_of(zone);
        let victims = self.victims_on(&nodes);
        let subject = format!("zone {}", self.plan.topology.zones[zone]);
        let ingress = first && self.has_ingress(zone);
        let incident = self.begin_incident(fault, &victims, ingress, subject);
        let returns = self.now + self.lasting(fault, zone, lasts);
        self.lose_nodes(&nodes);
        self.zones.away.insert(incident, nodes);
        if ingress {
            self.lose_ingress_of(zone, (fault, incident), returns);
        }
        self.schedule(returns, Event::ZoneReturns { zone, fault, incident });
        self.await_again(fault, zone, returns);
    }

    fn choose_zone(&mut self, fault: usize, zone: Option<ZoneId>) -> ZoneId {
        let zones = self.plan.topology.zones.len();
        zone.unwrap_or_else(|| self.misfortune.choose(fault, zones))
    }

    /// A part of a zone's machines vanishes.
    pub(super) fn lose_part(
        &mut self,
        fault: usize,
        zone: Option<ZoneId>,
        share: Share,
        lasts: &Law,
    ) {
        let zone = self.choose_zone(fault, zone);
        let nodes = self.nodes_hit(zone, share.0);
        let name = &self.plan.topology.zones[zone];
        let all = self.nodes.of_zone(zone).count();
        let subject = format!("{} of {all} nodes of zone {name}", nodes.len());
        let returns = self.lose_for(fault, (zone, Some(lasts)), nodes, subject);
        self.await_again(fault, zone, returns);
    }

    /// Nodes vanish for a time, or for good; gives its end.
    fn lose_for(
        &mut self,
        fault: usize,
        (entity, lasts): (usize, Option<&Law>),
        nodes: Vec<NodeId>,
        subject: String,
    ) -> Instant {
        let victims = self.victims_on(&nodes);
        let incident = self.begin_incident(fault, &victims, false, subject);
        let Some(lasts) = lasts else {
            self.lose_nodes(&nodes);
            return Instant::NEVER;
        };
        let returns = self.now + self.lasting(fault, entity, lasts);
        self.lose_nodes(&nodes);
        self.zones.away.insert(incident, nodes);
        self.schedule(returns, Event::NodesReturn { incident });
        returns
    }

    /// The machines of some replicas vanish, for a time or for good.
    pub(super) fn lose_machines(
        &mut self,
        fault: usize,
        target: ReplicaTarget,
        guard: Guard,
        lasts: Option<&Law>,
    ) {
        let nodes = self.nodes_of_victims(fault, target, guard);
        if nodes.is_empty() {
            return self.miss(fault, "no replica that it could hit was ready");
        }
        let subject = self.name_nodes(&nodes);
        self.lose_for(fault, (0, lasts), nodes, subject);
    }

    /// The machines of some replicas are to be emptied.
    pub(super) fn empty_machines(&mut self, fault: usize, target: ReplicaTarget, guard: Guard) {
        let nodes = self.nodes_of_victims(fault, target, guard);
        if nodes.is_empty() {
            return self.miss(fault, "no replica that it could hit was ready");
        }
        let subject = self.name_nodes(&nodes);
        self.begin_emptying(fault, nodes, subject);
    }

    /// Every machine with replicas is to be emptied, one after the other.
    pub(super) fn maintain(&mut self, fault: usize) {
        let held: BTreeSet<NodeId> =
            self.slots.iter().flatten().map(|id| self.replicas[*id].node).collect();
        if held.is_empty() {
            self.await_again(fault, 0, self.now);
            return self.miss(fault, "no machine had a replica");
        }
        let subject = "every node with a replica".to_owned();
        self.begin_emptying(fault, held.into_iter().collect(), subject);
    }

    fn nodes_of_victims(
        &mut self,
        fault: usize,
        target: ReplicaTarget,
        guard: Guard,
    ) -> Vec<NodeId> {
        let victims = self.victims(fault, target, guard);
        let nodes: BTreeSet<NodeId> =
            victims.into_iter().map(|id| self.replicas[id].node).collect();
        nodes.into_iter().collect()
    }

    fn name_nodes(&self, nodes: &[NodeId]) -> String {
        let names: Vec<&str> =
            nodes.iter().map(|node| self.nodes.get(*node).name.as_str()).collect();
        match names.len() {
            1 => format!("node {}", names[0]),
            _ => format!("nodes {}", names.join(", ")),
        }
    }

    /// The replicas that hold a slot on these nodes.
    fn victims_on(&self, nodes: &[NodeId]) -> Vec<ReplicaId> {
        let there = |id: &ReplicaId| {
            let replica = &self.replicas[*id];
            nodes.contains(&replica.node) && replica.state != State::Terminated
        };
        self.slots.iter().flatten().copied().filter(there).collect()
    }
}
