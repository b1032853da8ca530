//! Replicas exchanged on purpose: rollouts, and machines that are emptied.
//!
//! ```text
//! rollout      new ones up to wanted + surge ─► available ─► old ones drain, as long as
//!              wanted − unavailable stay available ─► … ─► over when the last old one has ended
//! drain-node   cordon ─► evict each replica, if the disruption budget allows it, else again later
//!              ─► empty ─► away for a while ─► back
//! maintenance  the same for every machine with replicas, one after the other
//! ```
//!
//! A replica is available when it has been ready for `min-ready`. Shares of the replicas are of
//! those wanted at the moment, rounded as a Deployment does it.
//!
//! A replica that is exchanged leaves the endpoints and has the drain time to finish what it has.
//! A replica that is evicted is replaced at once; the budget counts replicas that are ready.
//!
//! Assumptions: the controllers act at once; the spread over zones counts replicas of one version
//! (`matchLabelKeys`), so that a rollout restores an even spread; a rollout that begins during
//! another makes all replicas old. What a version may have wrong, deadlines and roll-backs are in
//! `release`. Left out: requests moved from old to new.

use super::Cluster;
use super::release::{Rollout, Versions};
use super::waiting::WaitingSlot;
use crate::model::context::Context;
use crate::model::event::{Event, NodeId};
use crate::model::replica::process::Replica;
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{Slot, Target};
use crate::random::Law;

/// Machines being emptied, one after the other.
#[derive(Clone, Debug)]
struct Emptying {
    fault: usize,
    incident: usize,
    node: NodeId,
    /// Those whose turn comes later, the next last.
    later: Vec<NodeId>,
    /// Whether the node is empty and away.
    away: bool,
}

/// Exchanges in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges {
    pub rollout: Option<Rollout>,
    pub versions: Versions,
    emptying: Vec<Emptying>,
    /// Whether a step of the rollout is on the calendar for this moment.
    pending: bool,
}

impl Cluster {
    /// The version that is wanted takes the place of all others.
    pub(super) fn roll_out(&mut self, cx: &mut Context, fault: usize, incident: usize) {
        assert!(self.exchanges.rollout.is_none(), "one rollout at a time");
        let old = self.fleet.holders().filter(|id| self.is_old(*id)).collect();
        // What found no node yet is made anew.
        let version = self.exchanges.versions.wanted;
        self.scheduler.waiting.iter_mut().for_each(|waiting| waiting.version = version);
        let (progress, advanced, is_overdue) = (None, cx.now, false);
        self.exchanges.rollout =
            Some(Rollout { fault, incident, old, progress, advanced, is_overdue });
        self.note_progress_of_rollout(cx);
    }

    /// Something that a rollout waits for may have happened.
    pub fn note_progress_of_rollout(&mut self, cx: &mut Context) {
        if self.exchanges.rollout.is_some() && !self.exchanges.pending {
            self.exchanges.pending = true;
            cx.schedule(cx.now, Event::RolloutSteps);
        }
    }

    /// A step of the rollout: as many new replicas as it may have, as few old ones.
    pub fn step_rollout(&mut self, cx: &mut Context) {
        self.exchanges.pending = false;
        // It may have ended since the step was put on the calendar.
        let Some(Rollout { fault, incident, .. }) = self.exchanges.rollout else { return };
        self.grow_new(cx);
        self.shrink_old(cx);
        self.note_counts(cx);
        let gone = |id: &ReplicaId| self.fleet[*id].state() == State::Terminated;
        let rollout = self.exchanges.rollout.as_ref();
        let all_gone = rollout.is_none_or(|rollout| rollout.old.iter().all(gone));
        if all_gone
            && self.scheduler.waiting() == 0
            && self.count_available(cx) >= self.fleet.desired()
        {
            self.exchanges.rollout = None;
            let beyond = self.fleet.count_held().saturating_sub(self.fleet.desired());
            (0..beyond).for_each(|_| self.remove_one(cx, "the rollout left one over"));
            let (held, wanted) = (self.fleet.count_held(), self.fleet.desired());
            assert_eq!(held, wanted, "a rollout leaves more or fewer replicas than are wanted");
            self.end_rollout(cx, fault, incident);
        } else {
            self.await_available(cx);
        }
    }

    /// Whether a rollout counts on a replica: it has been ready for long enough.
    pub(super) fn is_available(&self, cx: &Context, id: ReplicaId) -> bool {
        self.fleet[id].is_available(cx.now, cx.plan.upgrade.min_ready)
    }

    fn count_available(&self, cx: &Context) -> usize {
        self.fleet.holders().filter(|id| self.is_available(cx, *id)).count()
    }

    /// The next step, when the next replica that is ready has been so for long enough.
    fn await_available(&self, cx: &mut Context) {
        let ready = self.fleet.holders().filter(|id| self.fleet[*id].known_ready);
        let young = ready.filter(|id| !self.is_available(cx, *id));
        let due = young.map(|id| self.fleet[id].known_since + cx.plan.upgrade.min_ready).min();
        if let Some(due) = due {
            cx.schedule(due, Event::RolloutSteps);
        }
    }

    /// The replicas of the old version that hold a slot, in order of age.
    fn old_replicas(&self) -> Vec<ReplicaId> {
        let holders = self.fleet.holders();
        let mut old: Vec<ReplicaId> = holders.filter(|id| self.is_old(*id)).collect();
        old.sort_unstable();
        old
    }

    /// Replicas of the new version, and wishes for them.
    pub(super) fn count_new(&self) -> usize {
        let wanted = self.exchanges.versions.wanted;
        let waiting = self.scheduler.waiting.iter().filter(|waiting| waiting.version != wanted);
        let (all, old) = (self.count_all(), self.old_replicas().len() + waiting.count());
        assert!(old <= all, "{old} of {all} replicas are old");
        all - old
    }

    /// Replicas that hold a slot, and wishes for more.
    pub(super) fn count_all(&self) -> usize {
        self.fleet.count_held() + self.scheduler.waiting()
    }

    /// Whether a rollout has as many new replicas as are wanted.
    pub fn has_enough_new(&self) -> bool {
        self.exchanges.rollout.is_some() && self.count_new() >= self.fleet.desired()
    }

    fn grow_new(&mut self, cx: &mut Context) {
        let most = cx.plan.upgrade.most(self.fleet.desired());
        while self.count_new() < self.fleet.desired() {
            let room = self.count_all() < most;
            // The rest comes when old ones have gone.
            let Some(slot) = self.free_slot().filter(|_| room) else { return };
            self.place(cx, slot, (None, self.exchanges.versions.wanted), "rollout");
            assert!(self.count_all() <= most, "a rollout has more than {most} replicas");
        }
    }

    /// Old replicas go: those that are not ready first, then as many as may be missing. New ones
    /// that are not ready are missing already.
    fn shrink_old(&mut self, cx: &mut Context) {
        let least = cx.plan.upgrade.least(self.fleet.desired());
        assert!(least <= self.fleet.desired(), "a rollout keeps more than are wanted: {least}");
        let is_available = |id: &ReplicaId| self.is_available(cx, *id);
        let is_available_and_new = |id: &ReplicaId| !self.is_old(*id) && is_available(id);
        let available = self.fleet.holders().filter(is_available_and_new).count();
        assert!(available <= self.count_new(), "{available} new replicas are ready, and not new");
        let missing = self.count_new() - available;
        let mut old = self.old_replicas();
        old.sort_by_key(|id| (is_available(id), *id));
        let beyond = self.count_all().saturating_sub(least + missing);
        let beyond = beyond - self.drop_waiting_old(cx, beyond);
        for id in old.into_iter().take(beyond) {
            if self.is_available(cx, id) && self.count_available(cx) <= least {
                return;
            }
            self.fleet.vacate(id);
            self.drain(cx, id, "rollout");
        }
    }

    /// Of those that wait for a node and are old so many go at most; gives how many.
    fn drop_waiting_old(&mut self, cx: &mut Context, most: usize) -> usize {
        let wanted = self.exchanges.versions.wanted;
        let is_old = |waiting: &mut WaitingSlot| waiting.version != wanted;
        let gone: Vec<_> = self.scheduler.waiting.extract_if(.., is_old).take(most).collect();
        gone.iter().for_each(|one| cx.tell(Observation::SlotGone { slot: one.slot }));
        gone.len()
    }

    /// The rollout is over. A replica beyond the first slots plays the role of one that is empty
    /// now, so that who is aimed at by name is still there.
    fn end_rollout(&mut self, cx: &mut Context, fault: usize, incident: usize) {
        self.fleet.recast();
        let free: Vec<Slot> = self.fleet.free_slots().collect();
        free.into_iter().for_each(|slot| cx.tell(Observation::SlotGone { slot }));
        self.leave_rollout(cx, fault, incident);
    }

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
        assert!(self.emptying(incident).is_none(), "incident {incident} empties machines twice");
        self.exchanges.emptying.push(Emptying { fault, incident, node, later, away: false });
        self.cordon(cx, node, incident);
    }

    fn cordon(&mut self, cx: &mut Context, node: NodeId, incident: usize) {
        self.nodes.get_mut(node).cordons += 1;
        self.tell_node(cx, node, "cordoned");
        cx.schedule(cx.now, Event::EvictionTried { incident });
    }

    /// Evicts what a machine still holds, as far as the budget allows.
    pub fn try_evictions(&mut self, cx: &mut Context, incident: usize) {
        // What the node held may have ended by itself while it waited for this try.
        let Some(place) = self.emptying(incident) else { return };
        let Emptying { node, away: false, .. } = self.exchanges.emptying[place] else { return };
        assert!(self.nodes.get(node).cordons > 0, "{} takes replicas", self.nodes.get(node).name);
        for id in self.fleet.replicas_on(node) {
            if !self.fleet.holds_slot(id) {
                continue;
            }
            if self.may_evict(cx, id) {
                self.evict_on_purpose(cx, id, incident);
            } else {
                let again = cx.now + cx.plan.upgrade.retry;
                return cx.schedule(again, Event::EvictionTried { incident });
            }
        }
        self.note_emptier(cx, node);
    }

    fn emptying(&self, incident: usize) -> Option<usize> {
        self.exchanges.emptying.iter().position(|emptying| emptying.incident == incident)
    }

    /// Whether the disruption budget allows a replica to be evicted; one that was never started may
    /// always be.
    fn may_evict(&self, cx: &Context, id: ReplicaId) -> bool {
        let Replica { known_ready, .. } = self.fleet[id];
        let least = cx.plan.upgrade.budgeted(self.fleet.desired());
        let enough = self.fleet.count_ready() >= least + usize::from(known_ready);
        enough
            || matches!(self.fleet[id].state(), State::Scheduling | State::Sandbox | State::Image)
    }

    fn evict_on_purpose(&mut self, cx: &mut Context, id: ReplicaId, incident: usize) {
        let version = self.fleet[id].version;
        let (slot, zone) = self.fleet.vacate(id);
        cx.tell(Observation::FaultTakes { incident, slot });
        self.drain(cx, id, "evicted on purpose");
        self.refill(cx, slot, (zone, version), "replaces an evicted replica");
    }

    /// A machine holds fewer replicas than before: perhaps none, as somebody waits for.
    pub fn note_emptier(&mut self, cx: &mut Context, node: NodeId) {
        if self.nodes.get(node).held > 0 || !self.api.is_up() {
            return;
        }
        let waits = |emptying: &&Emptying| emptying.node == node && !emptying.away;
        let waiting = self.exchanges.emptying.iter().filter(waits);
        let incidents: Vec<usize> = waiting.map(|emptying| emptying.incident).collect();
        incidents.into_iter().for_each(|incident| self.note_empty(cx, incident));
    }

    /// Machines may have become empty while nobody could know.
    pub fn note_all_emptier(&mut self, cx: &mut Context) {
        let nodes: Vec<NodeId> = self.exchanges.emptying.iter().map(|one| one.node).collect();
        nodes.into_iter().for_each(|node| self.note_emptier(cx, node));
    }

    fn note_empty(&mut self, cx: &mut Context, incident: usize) {
        let place = self.emptying(incident).expect("only those that go on are asked");
        let emptying = &mut self.exchanges.emptying[place];
        assert!(!emptying.away, "incident {incident} has emptied its machine already");
        emptying.away = true;
        let (fault, node, is_last) = (emptying.fault, emptying.node, emptying.later.is_empty());
        self.tell_node(cx, node, "emptied");
        if is_last {
            cx.end_fault(fault, incident);
        }
        let plan = cx.plan;
        let away = plan.faults[fault].fault.away().unwrap_or(&Law::ZERO);
        let back = cx.now + cx.lasting(fault, 0, away);
        cx.schedule(back, Event::EmptiedReturns { incident });
    }

    /// An emptied machine is back; the next one's turn.
    pub fn return_emptied(&mut self, cx: &mut Context, incident: usize) {
        let place = self.emptying(incident).expect("it goes on until its last machine is back");
        let Emptying { fault, node, .. } = self.exchanges.emptying[place];
        let returned = self.nodes.get_mut(node);
        assert!(returned.cordons > 0, "{} is not cordoned", returned.name);
        returned.cordons -= 1;
        self.tell_node(cx, node, "uncordoned");
        match self.exchanges.emptying[place].later.pop() {
            Some(next) => {
                let emptying = &mut self.exchanges.emptying[place];
                (emptying.node, emptying.away) = (next, false);
                self.cordon(cx, next, incident);
            }
            None => {
                self.exchanges.emptying.remove(place);
                if cx.plan.faults[fault].fault.target() == Target::Cluster {
                    cx.await_again(fault, 0, cx.now);
                }
            }
        }
        self.serve_waiting(cx, "a machine is back");
    }
}
