//! Machines that are emptied on purpose, and the disruption budget that holds this up.
//!
//! ```text
//! drain-node   cordon ─► evict each replica, if the budget allows it, else again later
//!                ─► empty ─► away for a while ─► back
//!                └─ drain time-out ─► forced: the rest is deleted, whatever the budget says
//!                                └──► given up: uncordoned, nothing else is emptied
//! maintenance  the same for every machine with replicas, one after the other
//! ```
//!
//! A replica that is evicted is replaced at once. The budget counts replicas that are ready, and
//! says how many must stay (`min-available`) or may be missing (`max-unavailable`). A replica that
//! was never started may always be evicted. One that runs and is not ready counts for nothing: by
//! default it may go while as many as must stay are ready, so that a gateway whose replicas are all
//! unready keeps its machines; with `always-allow` it may always go.
//!
//! Source: `EvictionREST.Create` and `checkAndDecrement` of the API server. By default an unready
//! replica goes without asking only if some must stay; else one more must be ready than must stay,
//! as for those that are ready.
//!
//! Assumptions: the controllers act at once; a drain that is given up uncordons its machine, as AKS
//! does it. Left out: several budgets, pods of others on the machine.

use super::Cluster;
use crate::model::context::Context;
use crate::model::event::{Event, NodeId};
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{AfterTimeout, Target, UnhealthyEvictions};

/// Machines being emptied, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Emptying {
    fault: usize,
    pub(super) incident: usize,
    node: NodeId,
    /// Those whose turn comes later, the next last.
    later: Vec<NodeId>,
    /// Whether the node is empty and away.
    away: bool,
    /// Whether the budget has refused an eviction from this node.
    refused: bool,
}

impl Cluster {
    /// Machines begin to be emptied, the first at once.
    pub fn begin_emptying(
        &mut self,
        cx: &mut Context,
        fault: usize,
        nodes: Vec<NodeId>,
        subject: String,
    ) {
        let mut later: Vec<NodeId> = nodes.into_iter().rev().collect();
        let node = later.pop().expect("there is a machine to empty");
        let incident = cx.begin_incident(fault, Vec::new(), true, subject);
        let is_new = |one: &Emptying| one.incident != incident;
        assert!(self.exchanges.emptying.iter().all(is_new), "incident {incident} empties twice");
        self.begin_order(cx, (fault, incident), node, later);
    }

    pub(super) fn begin_order(
        &mut self,
        cx: &mut Context,
        (fault, incident): (usize, usize),
        node: NodeId,
        later: Vec<NodeId>,
    ) {
        let (away, refused) = (false, false);
        let order = Emptying { fault, incident, node, later, away, refused };
        self.exchanges.emptying.push(order);
        self.cordon(cx, node, incident);
    }

    fn cordon(&mut self, cx: &mut Context, node: NodeId, incident: usize) {
        self.nodes.get_mut(node).cordons += 1;
        self.tell_node(cx, node, "cordoned");
        cx.schedule(cx.now, Event::EvictionTried { incident, node });
        // Of one that shuts down the notice is all the time that there is.
        let is_timed = self.shutdowns.is_free(incident);
        if let Some(timeout) = cx.plan.upgrade.drain_timeout.filter(|_| is_timed) {
            cx.schedule(cx.now + timeout, Event::DrainTimedOut { incident, node });
        }
    }

    /// The order of an incident to empty this machine, if it waits for that.
    fn emptying(&self, incident: usize, node: NodeId) -> Option<usize> {
        let waits = |one: &Emptying| one.incident == incident && one.node == node && !one.away;
        self.exchanges.emptying.iter().position(waits)
    }

    /// What somebody waits for who empties machines has come.
    pub fn go_on_emptying(&mut self, cx: &mut Context, event: Event) {
        match event {
            Event::EvictionTried { incident, node } => self.try_evictions(cx, incident, node),
            Event::DrainTimedOut { incident, node } => self.time_out_drain(cx, incident, node),
            Event::EmptiedReturns { incident } => self.return_emptied(cx, incident),
            other => unreachable!("{other:?} empties nothing"),
        }
    }

    /// Evicts what a machine still holds, as far as the budget allows.
    fn try_evictions(&mut self, cx: &mut Context, incident: usize, node: NodeId) {
        // What the node held may have ended by itself while it waited for this try.
        let Some(place) = self.emptying(incident, node) else { return };
        assert!(self.nodes.get(node).cordons > 0, "{} takes replicas", self.nodes.get(node).name);
        for id in self.held_by(node) {
            if self.may_evict(cx, id) {
                self.evict_on_purpose(cx, id, incident);
            } else {
                if !std::mem::replace(&mut self.exchanges.emptying[place].refused, true) {
                    self.tell_node(cx, node, "keeps what the disruption budget protects");
                }
                let again = cx.now + cx.plan.upgrade.retry;
                return cx.schedule(again, Event::EvictionTried { incident, node });
            }
        }
        self.note_emptier(cx, node);
    }

    /// The replicas on a machine that are still wanted.
    pub(super) fn held_by(&self, node: NodeId) -> Vec<ReplicaId> {
        let mut there = self.fleet.replicas_on(node);
        there.retain(|id| self.fleet.holds_slot(*id));
        there
    }

    /// Whether the disruption budget allows a replica to be evicted.
    fn may_evict(&self, cx: &Context, id: ReplicaId) -> bool {
        let (replica, ready) = (&self.fleet[id], self.fleet.count_ready());
        let least = cx.plan.upgrade.budgeted(self.fleet.desired());
        // Nothing in it runs yet: its pod is pending, and no budget protects that.
        if matches!(replica.state(), State::Scheduling | State::Sandbox | State::Image) {
            return true;
        }
        debug_assert!(ready > 0 || !replica.known_ready, "{} is ready", replica.name);
        match (replica.known_ready, cx.plan.upgrade.unhealthy) {
            (false, UnhealthyEvictions::AlwaysAllow) => true,
            (false, UnhealthyEvictions::IfHealthyBudget) if least > 0 => ready >= least,
            _ => ready > least,
        }
    }

    fn evict_on_purpose(&mut self, cx: &mut Context, id: ReplicaId, incident: usize) {
        let version = self.fleet[id].version;
        let (slot, zone) = self.fleet.vacate(id);
        cx.tell(Observation::FaultTakes { incident, slot });
        self.drain(cx, id, "evicted on purpose");
        self.refill(cx, slot, (zone, version), "replaces an evicted replica");
    }

    /// Whoever empties a machine has waited for long enough.
    fn time_out_drain(&mut self, cx: &mut Context, incident: usize, node: NodeId) {
        let Some(place) = self.emptying(incident, node) else { return };
        let timeout = cx.plan.upgrade.drain_timeout;
        assert!(timeout.is_some(), "incident {incident} waits for ever, and has timed out");
        match cx.plan.upgrade.after_timeout {
            AfterTimeout::Forced => {
                self.tell_node(cx, node, "emptied by force");
                for id in self.held_by(node) {
                    self.evict_on_purpose(cx, id, incident);
                }
                self.note_emptier(cx, node);
            }
            AfterTimeout::GivenUp => self.give_up_emptying(cx, place),
        }
    }

    /// What holds an order up stays where it is.
    fn give_up_emptying(&mut self, cx: &mut Context, place: usize) {
        let Emptying { fault, incident, node, away, .. } = self.exchanges.emptying.remove(place);
        assert!(!away, "incident {incident} has emptied its machine and gives it up");
        self.uncordon(cx, node, "given up and uncordoned");
        cx.end_fault(fault, incident);
        self.await_next_emptying(cx, fault);
        self.serve_waiting(cx, "a machine is not emptied after all");
    }

    pub(super) fn uncordon(&mut self, cx: &mut Context, node: NodeId, what: &'static str) {
        let cordoned = self.nodes.get_mut(node);
        assert!(cordoned.cordons > 0, "{} is not cordoned", cordoned.name);
        cordoned.cordons -= 1;
        self.tell_node(cx, node, what);
    }

    /// The clock of maintenance at random begins anew; of single machines it did so already.
    fn await_next_emptying(&self, cx: &mut Context, fault: usize) {
        if cx.plan.faults[fault].fault.target() == Target::Cluster {
            cx.await_again(fault, 0, cx.now);
        }
    }

    /// A machine holds fewer replicas than before: perhaps none, as somebody waits for.
    pub fn note_emptier(&mut self, cx: &mut Context, node: NodeId) {
        if self.nodes.get(node).held > 0 || !self.api.is_up() {
            return;
        }
        let waits = |emptying: &&Emptying| emptying.node == node && !emptying.away;
        let waiting = self.exchanges.emptying.iter().filter(waits);
        let incidents: Vec<usize> = waiting.map(|emptying| emptying.incident).collect();
        incidents.into_iter().for_each(|incident| self.note_empty(cx, incident, node));
    }

    /// Machines may have become empty while nobody could know.
    pub fn note_all_emptier(&mut self, cx: &mut Context) {
        let nodes: Vec<NodeId> = self.exchanges.emptying.iter().map(|one| one.node).collect();
        nodes.into_iter().for_each(|node| self.note_emptier(cx, node));
    }

    fn note_empty(&mut self, cx: &mut Context, incident: usize, node: NodeId) {
        let place = self.emptying(incident, node).expect("only those that go on are asked");
        let emptying = &mut self.exchanges.emptying[place];
        emptying.away = true;
        let (fault, is_last) = (emptying.fault, emptying.later.is_empty());
        self.tell_node(cx, node, "emptied");
        // Of one that shuts down the end is that of its notice.
        let Some(away) = cx.plan.faults[fault].fault.away() else { return };
        if is_last {
            cx.end_fault(fault, incident);
        }
        let back = cx.now + cx.lasting(fault, 0, away);
        cx.schedule(back, Event::EmptiedReturns { incident });
    }

    /// An emptied machine is back; the next one's turn.
    fn return_emptied(&mut self, cx: &mut Context, incident: usize) {
        let is_over = |one: &Emptying| one.incident == incident && one.away;
        let place = self.exchanges.emptying.iter().position(is_over);
        let place = place.expect("it goes on until its last machine is back");
        let Emptying { fault, node, .. } = self.exchanges.emptying[place];
        self.uncordon(cx, node, "uncordoned");
        match self.exchanges.emptying[place].later.pop() {
            Some(next) => {
                let emptying = &mut self.exchanges.emptying[place];
                (emptying.node, emptying.away, emptying.refused) = (next, false, false);
                self.cordon(cx, next, incident);
            }
            None => {
                self.exchanges.emptying.remove(place);
                self.await_next_emptying(cx, fault);
            }
        }
        self.serve_waiting(cx, "a machine is back");
    }
}
