//! Nodes that vanish and come back, and what the cluster does about it.
//!
//! ```text
//! vanishes ─ lease too old, at a look of the controller ─► not ready: its replicas leave
//!    ├─ machine found gone (some) ─► node deleted: its replicas are replaced
//!    └─ marked for eviction, one node of a zone at a time ─ toleration ─► replicas replaced
//! back ─► replicas that were not replaced start again where they were; nothing is rebalanced
//! ```
//!
//! A zone is fully disrupted if none of its nodes is ready; partly if more than two and at least
//! 55 % are not. In a partly disrupted zone that is not large nothing is marked: its replicas are
//! not replaced until the nodes are back. If all zones are fully disrupted, nothing is marked
//! anywhere, and marks are taken back.
//!
//! Source: `ComputeZoneState`, `ReducedQPSFunc` and `doNoExecuteTaintingPass` of the node lifecycle
//! controller. The documentation measures "large" by the cluster, the source by the zone; the
//! source is followed.
//!
//! Assumptions: without a stated number of nodes a zone is disrupted as a whole or not at all; the
//! controller that marks nodes acts at once when it may. Left out: unreachable but working nodes.

use super::World;
use super::event::Event;
use super::node::{Health, NodeId};
use crate::observe::{Observation, Observer, ReplicaId, State};
use crate::plan::ZoneId;
use crate::units::{Instant, Span};

/// How many of a zone's nodes are ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disruption {
    None,
    Partial,
    Full,
}

impl<O: Observer> World<'_, O> {
    pub(super) fn tell_node(&mut self, node: NodeId, what: &'static str) {
        let (zone, name) = (self.nodes.get(node).zone, self.nodes.get(node).name.clone());
        self.tell(Observation::Node { zone, name, what });
    }

    /// The replicas that were bound to a machine that is gone, whenever that was.
    fn stranded_on(&self, node: NodeId) -> Vec<ReplicaId> {
        let mut there = self.replicas_on(node);
        there.retain(|id| self.replicas[*id].silent);
        there
    }

    /// The replicas that a node holds, bound to it or on their way.
    pub(super) fn replicas_on(&self, node: NodeId) -> Vec<ReplicaId> {
        let here = |id: &ReplicaId| {
            let replica = &self.replicas[*id];
            replica.node == node && replica.state != State::Terminated
        };
        self.present.iter().copied().filter(here).collect()
    }

    /// Machines vanish silently.
    pub(super) fn lose_nodes(&mut self, nodes: &[NodeId]) {
        let mut lost = Vec::new();
        for id in nodes {
            let node = self.nodes.get_mut(*id);
            node.down += 1;
            if node.down == 1 && node.health == Health::Ready {
                node.health = Health::Lost;
                node.epoch += 1;
                lost.push(*id);
            }
        }
        lost.into_iter().for_each(|node| self.lose_node(node));
    }

    fn lose_node(&mut self, node: NodeId) {
        self.tell_node(node, "lost");
        for id in self.replicas_on(node) {
            match self.replicas[id].state {
                // Not bound to it yet, it has none to lose; a scheduler that knows the nodes will
                // find out when it binds.
                State::Scheduling if !self.nodes.unlimited => {}
                State::Scheduling => {
                    self.replicas[id].end_process(self.now.0);
                    self.replace(id, "not bound when its machine was lost");
                }
                State::Draining if !self.holds_slot(id) => self.end_drain(id, "machine lost"),
                _ => self.lose_machine(id),
            }
        }
        let noticed = self.nodes.noticed(node, self.now, &self.plan.detection);
        let epoch = self.nodes.get(node).epoch;
        self.schedule(noticed, Event::NodeNotReady { node, epoch });
    }

    /// Whether a replica is still wanted: one that was deleted has given up its slot.
    pub(super) fn holds_slot(&self, id: ReplicaId) -> bool {
        self.slots[self.replicas[id].slot] == Some(id)
    }

    /// A replica's machine is gone, and nobody is left to refuse a connection.
    pub(super) fn lose_machine(&mut self, id: ReplicaId) {
        self.stop_process(id, "machine lost");
        self.replicas[id].silent = true;
    }

    /// The controller finds a node's lease too old.
    pub(super) fn note_not_ready(&mut self, node: NodeId) {
        self.nodes.get_mut(node).health = Health::NotReady;
        self.tell_node(node, "not ready");
        for id in self.stranded_on(node) {
            self.lose_readiness(id, "node not ready");
        }
        self.review_evictions();
        let plan = &self.plan.nodes;
        if plan.deleted.0 > 0.0 && self.nodes.luck(node).unit() < plan.deleted.0 {
            let deleted = self.now + plan.deletion.draw(self.nodes.luck(node));
            let epoch = self.nodes.get(node).epoch;
            self.schedule(deleted, Event::NodeDeleted { node, epoch });
        }
    }

    fn disruption(&self, zone: ZoneId) -> Disruption {
        if self.nodes.unlimited {
            return if self.zones.is_up(zone) { Disruption::None } else { Disruption::Full };
        }
        let is_ready = |id: &NodeId| self.nodes.get(*id).health != Health::NotReady;
        let all = self.nodes.of_zone(zone).count();
        let ready = self.nodes.of_zone(zone).filter(is_ready).count();
        let not_ready = all - ready;
        let partial_pct = self.plan.nodes.eviction.partial_pct as usize;
        if ready == 0 && all > 0 {
            Disruption::Full
        } else if not_ready > 2 && not_ready * 100 >= all * partial_pct {
            Disruption::Partial
        } else {
            Disruption::None
        }
    }

    /// Whether no zone has a node that is ready.
    fn is_all_disrupted(&self) -> bool {
        let zones = 0..self.plan.topology.zones.len();
        let mut domains = zones.filter(|zone| self.nodes.is_domain(*zone, self.zones.is_up(*zone)));
        domains.all(|zone| self.disruption(zone) == Disruption::Full)
    }

    /// The time between two marks in a zone; `None` = there are none.
    fn eviction_interval(&self, zone: ZoneId) -> Option<Span> {
        let eviction = &self.plan.nodes.eviction;
        match self.disruption(zone) {
            _ if self.is_all_disrupted() => None,
            Disruption::None | Disruption::Full => Some(eviction.every),
            Disruption::Partial => {
                let is_large = self.nodes.of_zone(zone).count() > eviction.large_zone;
                is_large.then_some(eviction.slowly)
            }
        }
    }

    /// How many nodes are ready has changed: what may be marked is judged anew.
    pub(super) fn review_evictions(&mut self) {
        for zone in 0..self.plan.topology.zones.len() {
            self.review_zone(zone, self.now);
        }
    }

    /// Marks in a zone are looked at then, unless they will be sooner.
    fn review_zone(&mut self, zone: ZoneId, at: Instant) {
        if self.zones.review[zone].is_none_or(|due| at < due) {
            self.zones.review[zone] = Some(at);
            self.schedule(at, Event::NodesMarked { zone });
        }
    }

    /// Marks the next node of a zone for eviction, if it is time.
    pub(super) fn mark_nodes(&mut self, zone: ZoneId) {
        if self.zones.review[zone] != Some(self.now) {
            return; // an earlier look has taken its place
        }
        self.zones.review[zone] = None;
        if self.is_all_disrupted() {
            return self.unmark_all();
        }
        let interval = self.eviction_interval(zone);
        self.tell_evictions(zone, interval.is_none());
        let Some(interval) = interval else { return };
        while let Some(node) = self.next_unmarked(zone) {
            if self.now < self.zones.next_mark[zone] {
                let again = self.zones.next_mark[zone];
                return self.review_zone(zone, again);
            }
            self.zones.next_mark[zone] = self.now + interval;
            let marked = self.nodes.get_mut(node);
            marked.marked = true;
            marked.marks += 1;
            let mark = marked.marks;
            let evicted = self.now + self.plan.detection.toleration;
            self.schedule(evicted, Event::Evicted { node, mark });
        }
    }

    fn next_unmarked(&self, zone: ZoneId) -> Option<NodeId> {
        let waits = |id: &NodeId| {
            let node = self.nodes.get(*id);
            node.health == Health::NotReady && !node.marked
        };
        self.nodes.of_zone(zone).find(waits)
    }

    fn unmark_all(&mut self) {
        for zone in 0..self.plan.topology.zones.len() {
            self.tell_evictions(zone, true);
            for node in self.nodes.of_zone(zone).collect::<Vec<_>>() {
                self.nodes.get_mut(node).marked = false;
            }
        }
    }

    fn tell_evictions(&mut self, zone: ZoneId, stopped: bool) {
        let known = &mut self.zones.evictions_stopped[zone];
        if *known != stopped {
            *known = stopped;
            self.tell(Observation::Evictions { zone, stopped });
        }
    }

    /// The toleration of a node's pods is over.
    pub(super) fn evict(&mut self, node: NodeId) {
        for id in self.stranded_on(node) {
            self.replace(id, "evicted from a lost node");
        }
    }

    /// The cloud's controller finds a machine gone and removes its node.
    pub(super) fn delete_node(&mut self, node: NodeId) {
        self.nodes.get_mut(node).health = Health::Deleted;
        self.tell_node(node, "deleted");
        for id in self.stranded_on(node) {
            self.replace(id, "its node was deleted");
        }
        self.review_evictions();
        self.serve_waiting("a node was deleted");
    }

    /// Machines are back, each unless something else keeps it away.
    pub(super) fn return_nodes(&mut self, nodes: &[NodeId]) {
        for id in nodes {
            let node = self.nodes.get_mut(*id);
            node.down -= 1;
            if node.down == 0 {
                self.return_node(*id);
            }
        }
        self.review_evictions();
        self.serve_waiting("a machine is back");
    }

    fn return_node(&mut self, node: NodeId) {
        let back = self.nodes.get_mut(node);
        (back.health, back.marked) = (Health::Ready, false);
        back.epoch += 1;
        self.tell_node(node, "back");
        for id in self.stranded_on(node) {
            let replica = &mut self.replicas[id];
            replica.epoch += 1;
            replica.silent = false;
            self.announce_leave(id);
            self.begin_sandbox(id, "its machine is back");
        }
    }

    /// A zone loses this share of its nodes, those with replicas first; gives them.
    pub(super) fn nodes_hit(&self, zone: ZoneId, share: f64) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self.nodes.of_zone(zone).collect();
        nodes.sort_by_key(|id| (self.nodes.get(*id).held == 0, *id));
        // A share of whole nodes must not gain one by rounding.
        let count = (share * nodes.len() as f64 - 1e-9).ceil() as usize;
        nodes.truncate(count);
        nodes
    }

    /// A zone's machines are back.
    pub(super) fn return_zone(&mut self, zone: ZoneId, fault: usize, incident: usize) {
        let nodes = self.zones.away.remove(&incident).unwrap_or_default();
        self.zones.down[zone] -= 1;
        if self.zones.is_up(zone) {
            self.tell(Observation::ZoneReturned { fault, zone });
            self.return_ingress_of(zone);
        }
        self.return_nodes(&nodes);
    }

    /// Machines that vanished alone, or with a part of a zone, are back.
    pub(super) fn return_some(&mut self, incident: usize) {
        let nodes = self.zones.away.remove(&incident).unwrap_or_default();
        self.return_nodes(&nodes);
    }
}
