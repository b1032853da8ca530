//! Machines that are going to be taken away: spot instances, preempted ones, maintenance of hosts.
//!
//! ```text
//! notice ─┬─ termination handler ─► cordon ─► evictions, as far as the budget allows ─────────┐
//!         ├─ kubelet ─► cordon ─► its pods are told to stop, ready all the same              │
//!         │               ├─ readiness fails often enough ─► they leave the endpoints        │
//!         │               └─ drain, cut off by the kubelet's time ─► pod failed ─► replaced  │
//!         └─ nobody                                                                          │
//! notice is over ─► the machine vanishes, with what is still on it ◄─────────────────────────┘
//! ```
//!
//! A termination handler (AWS node termination handler, Karpenter) drains the node: a replacement
//! starts at once and the old replica leaves the endpoints at once. The kubelet's graceful node
//! shutdown (`shutdownGracePeriod` less that of critical pods) deletes nothing: a pod that it stops
//! is replaced when it has ended and is marked failed, and it stays ready until then, unless its
//! readiness probe fails before. Neither asks the budget longer than the notice lasts.
//!
//! Source: `nodeshutdown` and the status manager of the kubelet, which calls no pod failed whose
//! containers may run; endpoints during such a shutdown: kubernetes#116965 (open).
//!
//! Assumptions: a handler and the kubelet act at once when the notice is given; a process that was
//! told to stop says no to readiness probes; the machine takes no new pod from then on. A machine
//! that is back takes pods again. Left out: notices that come to nothing, rebalance
//! recommendations, priorities of pods.

use std::collections::BTreeMap;

use super::Cluster;
use crate::model::context::Context;
use crate::model::event::{Event, NodeId};
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{Heeded, Slot};
use crate::random::Law;
use crate::units::Span;

/// Machines whose notice has been given, by incident.
#[derive(Clone, Debug, Default)]
pub(super) struct Shutdowns {
    given: BTreeMap<usize, Vec<NodeId>>,
}

impl Shutdowns {
    /// Whether an incident shuts no machine down.
    pub fn is_free(&self, incident: usize) -> bool {
        !self.given.contains_key(&incident)
    }
}

impl Cluster {
    /// The notice of machines is given.
    pub fn begin_shutdown(
        &mut self,
        cx: &mut Context,
        (fault, incident): (usize, usize),
        nodes: Vec<NodeId>,
        heeded: Heeded,
    ) {
        let before = self.shutdowns.given.insert(incident, nodes.clone());
        assert!(before.is_none(), "incident {incident} gives notice twice");
        for node in &nodes {
            self.tell_node(cx, *node, "about to shut down");
            match heeded {
                Heeded::Nobody => {}
                Heeded::Handler => self.begin_order(cx, (fault, incident), *node, Vec::new()),
                Heeded::Kubelet(most) => self.stop_with_node(cx, *node, (incident, most)),
            }
        }
    }

    /// A kubelet ends all pods of its node, and takes no more.
    fn stop_with_node(&mut self, cx: &mut Context, node: NodeId, (incident, most): (usize, Span)) {
        let closing = self.nodes.get_mut(node);
        (closing.cordons, closing.closing) = (closing.cordons + 1, closing.closing + 1);
        self.tell_node(cx, node, "cordoned");
        for id in self.held_by(node) {
            let slot = self.fleet[id].slot;
            cx.tell(Observation::FaultTakes { incident, slot });
            self.stop_in_pod(cx, id, most);
        }
    }

    /// A pod is told to stop, and keeps its slot until it has ended.
    fn stop_in_pod(&mut self, cx: &mut Context, id: ReplicaId, most: Span) {
        let replica = &self.fleet[id];
        assert!(self.is_closing(id), "{} is stopped by a kubelet that goes on", replica.name);
        let works_on = replica.is_ready() || replica.state() == State::Unready && replica.works();
        let lasts = match works_on || replica.probes.stopping {
            true => cx.plan.drain(),
            false if replica.hung => cx.plan.detection.grace,
            false => return self.fail_pod(cx, id),
        };
        self.fleet.stop_politely(cx, id, NODE_SHUTDOWN);
        let (ends, epoch) = (cx.now + lasts.min(most), self.fleet[id].epoch);
        cx.schedule(ends, Event::DrainEnds { replica: id, epoch });
    }

    /// A pod has ended with its node and is marked failed: another one takes its slot.
    pub(super) fn fail_pod(&mut self, cx: &mut Context, id: ReplicaId) {
        let version = self.fleet[id].version;
        let (slot, zone) = self.fleet.vacate(id);
        self.end_drain(cx, id, NODE_SHUTDOWN);
        self.refill(cx, slot, (zone, version), "replaces a replica that its node took along");
    }

    /// Whether a replica's kubelet starts no container any more.
    pub(super) fn is_closing(&self, id: ReplicaId) -> bool {
        self.nodes.get(self.fleet[id].node).closing > 0
    }

    /// The notice is over: the machines vanish, for a time or for good, with what they still hold.
    pub fn end_notice(
        &mut self,
        cx: &mut Context,
        (fault, incident): (usize, usize),
        returns: Option<&Law>,
    ) {
        let nodes = self.shutdowns.given.remove(&incident).expect("its notice was given");
        assert!(!nodes.is_empty(), "incident {incident} takes no machine away");
        self.exchanges.emptying.retain(|one| one.incident != incident);
        let held = nodes.iter().flat_map(|node| self.held_by(*node));
        let slots: Vec<Slot> = held.map(|id| self.fleet[id].slot).collect();
        slots.into_iter().for_each(|slot| cx.tell(Observation::FaultTakes { incident, slot }));
        self.lose_nodes(cx, &nodes, returns.map(|_| incident));
        cx.end_fault(fault, incident);
        if let Some(law) = returns {
            let back = cx.now + cx.lasting(fault, 0, law);
            cx.schedule(back, Event::NodesReturn { fault, incident });
        }
    }

    /// Machines that were shut down are back, and take pods again.
    pub(super) fn reopen(&mut self, cx: &mut Context, heeded: Heeded, nodes: &[NodeId]) {
        for id in nodes {
            let node = self.nodes.get_mut(*id);
            assert!(node.down > 0, "{} was not away", node.name);
            match heeded {
                Heeded::Nobody => continue,
                Heeded::Handler => {}
                Heeded::Kubelet(_) => {
                    assert!(node.closing > 0, "{} does not close", node.name);
                    node.closing -= 1;
                }
            }
            self.uncordon(cx, *id, "uncordoned");
        }
    }
}

/// What facts call it.
const NODE_SHUTDOWN: &str = "its node shuts down (Terminated)";
