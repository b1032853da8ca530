//! Nodes that vanish and come back, and what the cluster does about it.
//!
//! ```text
//! vanishes ─ lease too old, at a pass of the controller ─► not ready: its replicas leave
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

use super::Cluster;
use super::node::Health;
use crate::model::context::Context;
use crate::model::event::{Event, NodeId};
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{Fault, Notice, ZoneId};
use crate::units::{Instant, Span};

/// How many of a zone's nodes are ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disruption {
    None,
    Partial,
    Full,
}

impl Cluster {
    /// What the controllers of nodes wait for has come.
    pub fn learn_of_nodes(&mut self, cx: &mut Context, event: Event) {
        match event {
            Event::NodeNotReady { node, .. } => self.note_not_ready(cx, node),
            Event::NodesMarked { zone } => self.mark_nodes(cx, zone),
            Event::Evicted { node, .. } => self.evict(cx, node),
            Event::NodeDeleted { node, .. } => self.delete_node(cx, node),
            Event::NodeAdded { zone } => self.add_node(cx, zone),
            other => unreachable!("{other:?} is of no node"),
        }
    }

    pub fn tell_node(&mut self, cx: &mut Context, node: NodeId, what: &'static str) {
        let (zone, name) = (self.nodes.get(node).zone, self.nodes.get(node).name.clone());
        cx.tell(Observation::Node { zone, name, what });
    }

    /// The replicas that were bound to a machine that is gone, whenever that was.
    fn stranded_on(&self, node: NodeId) -> Vec<ReplicaId> {
        let mut there = self.fleet.replicas_on(node);
        there.retain(|id| self.fleet[*id].silent);
        there
    }

    /// A zone goes down as a whole; says whether it was up.
    pub fn sink_zone(&mut self, zone: ZoneId) -> bool {
        self.zones.down[zone] += 1;
        self.zones.down[zone] == 1
    }

    /// Machines vanish silently; those of an incident will return.
    pub fn lose_nodes(&mut self, cx: &mut Context, nodes: &[NodeId], incident: Option<usize>) {
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
        lost.into_iter().for_each(|node| self.lose_node(cx, node));
        if let Some(incident) = incident {
            let before = self.zones.away.insert(incident, nodes.to_vec());
            assert!(before.is_none(), "incident {incident} takes machines twice");
        }
    }

    fn lose_node(&mut self, cx: &mut Context, node: NodeId) {
        self.tell_node(cx, node, "lost");
        for id in self.fleet.replicas_on(node) {
            match self.fleet[id].state() {
                // Not bound to it yet, it has none to lose; a scheduler that knows the nodes will
                // find out when it binds.
                State::Scheduling if !self.nodes.unlimited => {}
                State::Scheduling => {
                    self.fleet[id].end_process(cx.now.0);
                    self.replace(cx, id, "not bound when its machine was lost");
                }
                // Deleted, whether it drains or hangs: nobody waits for it to come back.
                _ if !self.fleet.holds_slot(id) => {
                    self.fleet[id].silent = true;
                    self.end_drain(cx, id, "machine lost");
                }
                _ => self.lose_machine(cx, id),
            }
        }
        let noticed = self.nodes.noticed(node, cx.now, &cx.plan.detection);
        let epoch = self.nodes.get(node).epoch;
        cx.schedule(noticed, Event::NodeNotReady { node, epoch });
    }

    /// A replica's machine is gone, and nobody is left to refuse a connection.
    pub fn lose_machine(&mut self, cx: &mut Context, id: ReplicaId) {
        assert!(!self.fleet[id].silent, "{} lost its machine already", self.fleet[id].name);
        self.fleet[id].silent = true;
        self.fleet.stop_process(cx, id, "machine lost");
    }

    /// The controller finds a node's lease too old.
    fn note_not_ready(&mut self, cx: &mut Context, node: NodeId) {
        let lost = self.nodes.get_mut(node);
        assert_eq!(lost.health, Health::Lost, "{} was not lost", lost.name);
        assert!(lost.down > 0, "{} is up", lost.name);
        lost.health = Health::NotReady;
        self.tell_node(cx, node, "not ready");
        for id in self.stranded_on(node) {
            self.fleet.lose_readiness(cx, id, "node not ready");
        }
        self.review_evictions(cx);
        let plan = &cx.plan.nodes;
        if plan.deleted.0 > 0.0 && self.nodes.stream(node).unit() < plan.deleted.0 {
            let deleted = cx.now + plan.deletion.draw(self.nodes.stream(node));
            let epoch = self.nodes.get(node).epoch;
            cx.schedule(deleted, Event::NodeDeleted { node, epoch });
        }
    }

    fn disruption(&self, cx: &Context, zone: ZoneId) -> Disruption {
        if self.nodes.unlimited {
            return if self.zones.is_up(zone) { Disruption::None } else { Disruption::Full };
        }
        let is_ready = |id: &NodeId| self.nodes.get(*id).health != Health::NotReady;
        let all = self.nodes.of_zone(zone).count();
        let ready = self.nodes.of_zone(zone).filter(is_ready).count();
        assert!(ready <= all, "{ready} of {all} nodes are ready");
        let not_ready = all - ready;
        let partial_pct = cx.plan.nodes.eviction.partial_pct as usize;
        if ready == 0 && all > 0 {
            Disruption::Full
        } else if not_ready > 2 && not_ready * 100 >= all * partial_pct {
            Disruption::Partial
        } else {
            Disruption::None
        }
    }

    /// Whether no zone has a node that is ready.
    fn is_all_disrupted(&self, cx: &Context) -> bool {
        let zones = 0..cx.plan.topology.zones.len();
        let mut domains = zones.filter(|zone| self.nodes.is_domain(*zone, self.zones.is_up(*zone)));
        domains.all(|zone| self.disruption(cx, zone) == Disruption::Full)
    }

    /// The time between two marks in a zone; `None` = there are none.
    fn eviction_interval(&self, cx: &Context, zone: ZoneId) -> Option<Span> {
        let eviction = &cx.plan.nodes.eviction;
        match self.disruption(cx, zone) {
            _ if self.is_all_disrupted(cx) => None,
            Disruption::None | Disruption::Full => Some(eviction.every),
            Disruption::Partial => {
                let is_large = self.nodes.of_zone(zone).count() > eviction.large_zone;
                is_large.then_some(eviction.slowly)
            }
        }
    }

    /// How many nodes are ready has changed: what may be marked is judged anew.
    pub fn review_evictions(&mut self, cx: &mut Context) {
        for zone in 0..cx.plan.topology.zones.len() {
            self.review_zone(cx, zone, cx.now);
        }
    }

    /// Marks in a zone are checked then, unless they will be sooner.
    fn review_zone(&mut self, cx: &mut Context, zone: ZoneId, at: Instant) {
        if self.zones.review[zone].is_none_or(|due| at < due) {
            self.zones.review[zone] = Some(at);
            cx.schedule(at, Event::NodesMarked { zone });
        }
    }

    /// Marks the next node of a zone for eviction, if it is time.
    fn mark_nodes(&mut self, cx: &mut Context, zone: ZoneId) {
        if self.zones.review[zone] != Some(cx.now) {
            return; // an earlier pass has taken its place
        }
        self.zones.review[zone] = None;
        if self.is_all_disrupted(cx) {
            return self.unmark_all(cx);
        }
        let interval = self.eviction_interval(cx, zone);
        self.tell_evictions(cx, zone, interval.is_none());
        let Some(interval) = interval else { return }; // nothing may be marked now
        while let Some(node) = self.next_unmarked(zone) {
            if cx.now < self.zones.next_mark[zone] {
                let again = self.zones.next_mark[zone];
                return self.review_zone(cx, zone, again);
            }
            self.zones.next_mark[zone] = cx.now + interval;
            let marked = self.nodes.get_mut(node);
            marked.marked = true;
            marked.marks += 1;
            let mark = marked.marks;
            let evicted = cx.now + cx.plan.detection.toleration;
            cx.schedule(evicted, Event::Evicted { node, mark });
        }
    }

    fn next_unmarked(&self, zone: ZoneId) -> Option<NodeId> {
        let waits = |id: &NodeId| {
            let node = self.nodes.get(*id);
            node.health == Health::NotReady && !node.marked
        };
        self.nodes.of_zone(zone).find(waits)
    }

    fn unmark_all(&mut self, cx: &mut Context) {
        for zone in 0..cx.plan.topology.zones.len() {
            self.tell_evictions(cx, zone, true);
            for node in self.nodes.of_zone(zone).collect::<Vec<_>>() {
                self.nodes.get_mut(node).marked = false;
            }
        }
    }

    fn tell_evictions(&mut self, cx: &mut Context, zone: ZoneId, stopped: bool) {
        let known = &mut self.zones.evictions_stopped[zone];
        if *known != stopped {
            *known = stopped;
            cx.tell(Observation::Evictions { zone, stopped });
        }
    }

    /// The toleration of a node's pods is over.
    fn evict(&mut self, cx: &mut Context, node: NodeId) {
        for id in self.stranded_on(node) {
            self.replace(cx, id, "evicted from a lost node");
        }
    }

    /// The cloud's controller finds a machine gone and removes its node.
    fn delete_node(&mut self, cx: &mut Context, node: NodeId) {
        let found = self.nodes.get_mut(node);
        assert_eq!(found.health, Health::NotReady, "{} is no lost machine", found.name);
        found.health = Health::Deleted;
        self.tell_node(cx, node, "deleted");
        for id in self.stranded_on(node) {
            self.replace(cx, id, "its node was deleted");
        }
        self.review_evictions(cx);
        self.serve_waiting(cx, "a node was deleted");
    }

    /// Machines are back, each unless something else keeps it away.
    fn return_nodes(&mut self, cx: &mut Context, nodes: &[NodeId]) {
        for id in nodes {
            let node = self.nodes.get_mut(*id);
            assert!(node.down > 0, "{} is up", node.name);
            node.down -= 1;
            if node.down == 0 {
                self.return_node(cx, *id);
            }
        }
        self.review_evictions(cx);
        self.serve_waiting(cx, "a machine is back");
    }

    fn return_node(&mut self, cx: &mut Context, node: NodeId) {
        let back = self.nodes.get_mut(node);
        assert_ne!(back.health, Health::Ready, "{} was not lost", back.name);
        assert_eq!(back.down, 0, "a fault keeps {} away", back.name);
        (back.health, back.marked) = (Health::Ready, false);
        back.epoch += 1;
        self.tell_node(cx, node, "back");
        for id in self.stranded_on(node) {
            let replica = &mut self.fleet[id];
            replica.epoch += 1;
            replica.silent = false;
            self.fleet.announce_leave(cx, id);
            self.fleet.begin_sandbox(cx, id, "its machine is back");
        }
    }

    /// The machines of a whole zone are back; says whether the zone is up again.
    pub fn raise_zone(&mut self, zone: ZoneId) -> bool {
        assert!(self.zones.down[zone] > 0, "zone {zone} is up");
        self.zones.down[zone] -= 1;
        self.zones.is_up(zone)
    }

    /// The machines that vanished in an incident of a fault are back.
    pub fn return_lost_in(&mut self, cx: &mut Context, fault: usize, incident: usize) {
        let nodes = self.zones.away.remove(&incident).expect("an incident takes machines once");
        if let Fault::NodeShutdown(_, Notice { heeded, .. }, _) = &cx.plan.faults[fault].fault {
            self.reopen(cx, *heeded, &nodes);
            return self.return_nodes(cx, &nodes); // the fault was over with its notice
        }
        self.return_nodes(cx, &nodes);
        cx.end_fault(fault, incident);
    }
}
