//! Versions of the gateway: which one new replicas are of, when a rollout is said to have failed,
//! and how it is rolled back.
//!
//! ```text
//! a version is wanted ─► rollout ─ no progress for the deadline ─► said to have failed; goes on
//!                           │
//!                           └─ somebody rolls back ─► the version before is wanted: its replicas
//!                                                     that are left stay, the others go
//! ```
//!
//! Progress is what the Deployment controller takes for it: more replicas of the new version, fewer
//! of others, more that are ready, or more that are available. Kubernetes never rolls back by
//! itself: the deadline only sets a condition (`ProgressDeadlineExceeded`).
//!
//! While a rollout goes on there are replicas of several versions, as there are of several
//! ReplicaSets: one that is lost is replaced by one of its own version, and those that the
//! autoscaler adds are shared out in proportion (`GetReplicaSetProportion` of the Deployment
//! controller).
//!
//! Assumptions: whoever rolls back does so at a given time after the rollout began, and once; a
//! request that a version fails fails in every replica that is so; it costs its own CPU time and
//! ends before policies and upstreams. Left out: canaries, analysis, pauses.

use std::collections::{BTreeMap, BTreeSet};

use super::Cluster;
use crate::model::context::Context;
use crate::model::event::Event;
use crate::model::replica::version::Version;
use crate::observe::{Observation, ReplicaId, RolloutStage};
use crate::plan::{Plan, Release};
use crate::units::Instant;

/// The version that was brought last.
#[derive(Clone, Copy, Debug)]
struct Launched {
    fault: usize,
    incident: usize,
    /// The version that was wanted before.
    before: Version,
}

/// A version that is not as before, and whose incident lasts until it is gone.
#[derive(Clone, Copy, Debug)]
struct Lingering {
    version: Version,
    fault: usize,
    incident: usize,
}

/// Which versions there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Versions {
    /// That of new replicas.
    pub wanted: Version,
    /// How many were brought.
    brought: u32,
    latest: Option<Launched>,
    lingering: Vec<Lingering>,
}

/// A rollout in progress.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    pub fault: usize,
    pub incident: usize,
    /// Those of other versions that held a slot when it began, or took one since.
    pub old: BTreeSet<ReplicaId>,
    /// How far it was, and when it came further last.
    pub progress: Option<RolloutCounts>,
    pub advanced: Instant,
    /// Whether it was said to have failed.
    pub is_overdue: bool,
}

/// How far a rollout is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RolloutCounts {
    new: usize,
    old: usize,
    ready: usize,
    available: usize,
    /// Of the new version alone.
    new_available: usize,
}

impl RolloutCounts {
    fn is_beyond(&self, before: &RolloutCounts) -> bool {
        self.new > before.new
            || self.old < before.old
            || self.ready > before.ready
            || self.available > before.available
    }
}

/// What a rollout brings.
fn release(plan: &Plan, fault: usize) -> &Release {
    plan.faults[fault].fault.release().expect("a version comes with a rollout")
}

impl Cluster {
    /// Whether a replica is of another version than the one that is wanted.
    pub(super) fn is_old(&self, id: ReplicaId) -> bool {
        self.fleet[id].version != self.exchanges.versions.wanted
    }

    /// What a rollout waits for has come.
    pub fn go_on_with_rollout(&mut self, cx: &mut Context, event: Event) {
        match event {
            Event::RolloutSteps => self.step_rollout(cx),
            Event::RolloutOverdue { .. } => self.note_overdue(cx),
            Event::RolledBack { .. } => self.roll_back(cx),
            other => unreachable!("{other:?} is of no rollout"),
        }
    }

    /// A rollout begins.
    pub fn begin_rollout(&mut self, cx: &mut Context, fault: usize) {
        if !self.is_deployed {
            cx.await_again(fault, 0, cx.now);
            return cx.miss(fault, "nothing is deployed");
        }
        if let Some(Rollout { fault, incident, .. }) = self.exchanges.rollout.take() {
            self.leave_rollout(cx, fault, incident);
        }
        let incident = cx.begin_incident(fault, Vec::new(), true, "every replica".to_owned());
        let versions = &mut self.exchanges.versions;
        versions.latest = Some(Launched { fault, incident, before: versions.wanted });
        versions.brought += 1;
        versions.wanted = Version { number: versions.brought, fault: Some(fault) };
        let is_new = |one: &Lingering| one.version < versions.wanted;
        assert!(versions.lingering.iter().all(is_new), "a version is brought twice");
        let release = release(cx.plan, fault);
        assert!(release.work > 0.0, "a request takes {} times its CPU time", release.work);
        if !release.is_sound() {
            let version = versions.wanted;
            versions.lingering.push(Lingering { version, fault, incident });
        }
        if let Some(after) = release.back_after {
            cx.schedule(cx.now + after, Event::RolledBack { incident });
        }
        self.roll_out(cx, fault, incident);
    }

    /// Whether there is something to roll back: the version that this incident brought is wanted,
    /// and is not as before or not everywhere.
    pub fn may_roll_back(&self, plan: &Plan, incident: usize) -> bool {
        let latest = self.exchanges.versions.latest;
        latest.is_some_and(|latest| {
            let unfinished = self.exchanges.rollout.is_some();
            latest.incident == incident && (unfinished || !release(plan, latest.fault).is_sound())
        })
    }

    /// The version before is wanted again.
    fn roll_back(&mut self, cx: &mut Context) {
        self.tell_rollout(cx, RolloutStage::RolledBack);
        let versions = &mut self.exchanges.versions;
        let latest = versions.latest.take().expect("there is something to roll back");
        assert_ne!(latest.before, versions.wanted, "a version gives way to itself");
        versions.wanted = latest.before;
        self.exchanges.rollout = None;
        self.roll_out(cx, latest.fault, latest.incident);
    }

    /// A rollout is over, or another one takes its place. The incident of a version that is not as
    /// before lasts until that is gone.
    pub(super) fn leave_rollout(&mut self, cx: &mut Context, fault: usize, incident: usize) {
        assert!(self.exchanges.rollout.is_none(), "a rollout is left while it goes on");
        let lingering = &self.exchanges.versions.lingering;
        if !lingering.iter().any(|one| one.incident == incident) {
            end(cx, fault, incident);
        }
        let wanted = self.exchanges.versions.wanted;
        let is_held =
            |one: &Lingering| self.fleet.holders().any(|id| self.fleet[id].version == one.version);
        let (stays, gone): (Vec<_>, Vec<_>) = (self.exchanges.versions.lingering.iter())
            .partition(|one| one.version == wanted || is_held(one));
        self.exchanges.versions.lingering = stays;
        gone.into_iter().for_each(|one: Lingering| end(cx, one.fault, one.incident));
    }

    /// Takes note of how far the rollout is, and of when it got there.
    pub(super) fn note_counts(&mut self, cx: &mut Context) {
        let now = self.progress(cx);
        let Some(rollout) = &mut self.exchanges.rollout else { return };
        if rollout.progress == Some(now) {
            return;
        }
        let advanced = rollout.progress.is_none_or(|before| now.is_beyond(&before));
        rollout.progress = Some(now);
        let (fault, incident) = (rollout.fault, rollout.incident);
        assert!(rollout.advanced <= cx.now, "a rollout went on at {}", rollout.advanced);
        if advanced {
            rollout.advanced = cx.now;
            let due = cx.now + cx.plan.upgrade.deadline;
            cx.schedule(due, Event::RolloutOverdue { incident, since: cx.now });
        }
        if !release(cx.plan, fault).is_sound() {
            self.tell_rollout(cx, RolloutStage::GoesOn);
        }
    }

    /// Whether a rollout has not come further since then.
    pub fn is_overdue(&self, incident: usize, since: Instant) -> bool {
        let rollout = self.exchanges.rollout.as_ref();
        rollout
            .is_some_and(|one| one.incident == incident && one.advanced == since && !one.is_overdue)
    }

    /// A rollout has made no progress for its deadline.
    fn note_overdue(&mut self, cx: &mut Context) {
        let rollout = self.exchanges.rollout.as_mut().expect("a rollout is overdue");
        assert!(!rollout.is_overdue, "a rollout is overdue twice");
        rollout.is_overdue = true;
        self.tell_rollout(cx, RolloutStage::Overdue);
    }

    fn progress(&self, cx: &Context) -> RolloutCounts {
        let (all, new) = (self.count_all(), self.count_new());
        let available = |id: &ReplicaId| self.is_available(cx, *id);
        let new_available = |id: &ReplicaId| available(id) && !self.is_old(*id);
        RolloutCounts {
            new,
            old: all - new,
            ready: self.fleet.count_ready(),
            available: self.fleet.holders().filter(available).count(),
            new_available: self.fleet.holders().filter(new_available).count(),
        }
    }

    fn tell_rollout(&self, cx: &mut Context, stage: RolloutStage) {
        let rollout = self.exchanges.rollout.as_ref().map(|rollout| rollout.incident);
        let latest = self.exchanges.versions.latest.map(|latest| latest.incident);
        let incident = rollout.or(latest).expect("a version was brought");
        let RolloutCounts { new, old, new_available: available, .. } = self.progress(cx);
        let wanted = self.fleet.desired();
        assert!(available <= new, "{available} of {new} new replicas are available");
        let is_affected = |id: &ReplicaId| !self.is_old(*id) && !self.fleet[*id].made.is_sound();
        let affected = self.fleet.holders().filter(is_affected).count();
        assert!(affected <= new, "{affected} of {new} new replicas differ");
        cx.tell(Observation::Rollout { incident, stage, new, old, available, wanted, affected });
    }

    /// Of which versions so many replicas are that the autoscaler adds.
    pub(super) fn versions_of_growth(&self, cx: &Context, more: usize) -> Vec<Version> {
        let mut sizes: BTreeMap<Version, usize> = BTreeMap::new();
        let waiting = self.scheduler.waiting.iter().map(|waiting| waiting.version);
        let held = self.fleet.holders().map(|id| self.fleet[id].version);
        held.chain(waiting).for_each(|version| *sizes.entry(version).or_default() += 1);
        let mut sizes: Vec<_> = sizes.into_iter().collect();
        // Of equals the newer comes first.
        sizes.sort_by_key(|(version, size)| std::cmp::Reverse((*size, *version)));
        if self.exchanges.rollout.is_none() || sizes.is_empty() {
            return vec![self.exchanges.versions.wanted; more];
        }
        let most = [0, more].map(|more| cx.plan.upgrade.most(self.fleet.desired() + more));
        let counts: Vec<usize> = sizes.iter().map(|(_, size)| *size).collect();
        let added = shared_out(&counts, most, more);
        assert_eq!(added.iter().sum::<usize>(), more, "all that are added are of some version");
        let each = sizes.iter().zip(added);
        each.flat_map(|((version, _), added)| vec![*version; added]).collect()
    }
}

/// The fault is over, and its clock begins anew.
fn end(cx: &mut Context, fault: usize, incident: usize) {
    cx.end_fault(fault, incident);
    cx.await_again(fault, 0, cx.now);
}

/// How many of `more` replicas each of several versions gets, the largest first, when the most
/// that a rollout may have grows from one number to another.
fn shared_out(sizes: &[usize], [before, after]: [usize; 2], more: usize) -> Vec<usize> {
    let mut left = more;
    let share = |size: &usize| {
        let wanted = (*size as f64 * after as f64 / before.max(1) as f64).round() as usize;
        let added = wanted.saturating_sub(*size).min(left);
        left -= added;
        added
    };
    let mut added: Vec<usize> = sizes.iter().map(share).collect();
    added[0] += left;
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_shared_out_as_the_documentation_of_deployments_has_it() {
        // "Proportional scaling": 10 replicas with a surge of 3, of which 8 are old and 5 new when
        // the rollout stops; with 15 wanted the old get 3 more and the new 2.
        assert_eq!(shared_out(&[8, 5], [13, 18], 5), [3, 2]);
        // Two of an old version and one of a new one that never starts, and a third is wanted.
        assert_eq!(shared_out(&[2, 1], [3, 4], 1), [1, 0]);
        // What rounding leaves over goes to the largest.
        assert_eq!(shared_out(&[4, 4, 4], [12, 13], 1), [1, 0, 0]);
        assert_eq!(shared_out(&[3], [4, 9], 5), [5]);
    }
}
