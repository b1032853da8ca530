//! Replicas exchanged on purpose: rollouts. Machines that are emptied are in `emptying`.
//!
//! ```text
//! new ones up to wanted + surge ─► available ─► old ones drain, as long as wanted − unavailable
//! stay available ─► … ─► over when the last old one has ended
//! ```
//!
//! A replica is available when it has been ready for `min-ready`. Shares of the replicas are of
//! those wanted at the moment, rounded as a Deployment does it.
//!
//! A replica that is exchanged leaves the endpoints and has the drain time to finish what it has.
//!
//! Assumptions: the controllers act at once; a rollout that begins during another makes all
//! replicas old. Whether the spread over zones counts one version or all is the topology's to say.
//! What a version may have wrong, deadlines and roll-backs are in `release`. Left out: requests
//! moved from old to new.

use super::Cluster;
use super::emptying::Emptying;
use super::release::{Rollout, Versions};
use super::waiting::WaitingSlot;
use crate::model::context::Context;
use crate::model::event::Event;
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::Slot;

/// Exchanges in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges {
    pub rollout: Option<Rollout>,
    pub versions: Versions,
    pub emptying: Vec<Emptying>,
    /// Whether a step of the rollout is on the calendar for this moment.
    pending: bool,
}

impl Cluster {
    /// The version that is wanted takes the place of all others.
    pub(super) fn roll_out(&mut self, cx: &mut Context, fault: usize, incident: usize) {
        assert!(self.exchanges.rollout.is_none(), "one rollout at a time");
        let old = self.fleet.holders().filter(|id| self.is_old(*id)).collect();
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
        if !gone.is_empty() {
            self.note_progress_of_rollout(cx); // there is room for new ones, and no state tells so
        }
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
}
