//! An incident in progress: what of its own is missing, and what its replacements go through.

use std::collections::{BTreeMap, BTreeSet};

use crate::observe::failover::FailoverCourse;
use crate::observe::histogram::Histogram;
use crate::observe::incident::{Incident, RolloutCourse};
use crate::observe::ledger::Ledger;
use crate::observe::{Avoided, Observation, ReplicaId, RolloutStage, State};
use crate::units::{Instant, SECOND, Span};

/// What a replica that joins changes is seen at the next sample.
const SAMPLED: Span = Span(SECOND);

/// An incident in progress.
#[derive(Clone, Debug)]
pub(in crate::observe) struct InProgress {
    pub number: usize,
    pub incident: Incident,
    /// Slots without a replica in rotation, and the replicas that held them.
    slots: BTreeSet<usize>,
    victims: BTreeSet<ReplicaId>,
    /// Replicas that no ingress instance used at some time.
    ejected: BTreeSet<ReplicaId>,
    /// Slots whose replica was killed in consequence and is not back.
    killed: BTreeSet<usize>,
    /// Slots that were lost to it at any time.
    lost: BTreeSet<usize>,
    lasting: bool,
    /// Whether it is over when as many replicas are in rotation as before, whichever these are.
    by_count: bool,
    /// How many of its own are missing, and since when.
    missing: usize,
    missing_since: Instant,
    zones_before: usize,
    /// Whether what hits clients now is counted as its effect.
    pub hits: bool,
    /// When replicas of other regions than its own joined the rotation.
    joins: Vec<Instant>,
    /// What ended from this injection until the next one.
    pub gathered: Gathered,
    /// What the replicas of each slot went through since the injection.
    recoveries: BTreeMap<usize, SlotRecovery>,
}

/// What is known when a fault is injected.
#[derive(Clone, Debug)]
pub(in crate::observe) struct Injection {
    pub number: usize,
    pub at: Instant,
    pub fault: usize,
    pub slots: BTreeSet<usize>,
    pub victims: BTreeSet<ReplicaId>,
    pub lasting: bool,
    pub by_count: bool,
    pub subject: String,
    pub serving: Serving,
    pub failover: Option<FailoverCourse>,
}

/// Requests that ended in some time.
#[derive(Clone, Debug, Default)]
pub(in crate::observe) struct Gathered {
    pub latency: Histogram,
    pub ledger: Ledger,
}

/// What serves at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::observe) struct Serving {
    /// Replicas in rotation and ready.
    pub ready: usize,
    /// Replicas in rotation.
    pub in_rotation: usize,
    /// Replicas that lack nothing, and the zones that these are in.
    pub whole: usize,
    pub zones: usize,
}

/// Replicas that incidents lack: that are out of rotation, and that are not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::observe) struct Lacking {
    pub in_rotation: usize,
    pub whole: usize,
}

impl Lacking {
    /// Both together.
    pub fn with(self, other: Lacking) -> Lacking {
        Lacking {
            in_rotation: self.in_rotation + other.in_rotation,
            whole: self.whole + other.whole,
        }
    }
}

impl Gathered {
    pub fn merge(&mut self, other: &Gathered) {
        self.latency.merge(&other.latency);
        self.ledger += &other.ledger;
    }
}

impl InProgress {
    pub fn new(injection: Injection, normal_before: bool, p99_before: Option<Span>) -> Self {
        let Injection { number, at, fault, slots, victims, lasting, .. } = injection;
        let Injection { by_count, subject, serving, failover, .. } = injection;
        let incident = Incident {
            fault,
            subject,
            at,
            serving_before: serving.ready,
            serving_least: serving.ready,
            taken: slots.len(),
            missing: 0,
            missing_for: Span::ZERO,
            fewer: Span::ZERO,
            out_of_rotation: None,
            left_by: None,
            restored: None,
            normal: None,
            normal_before,
            service: Some(at),
            answers: Some(at),
            redundancy: Some(at),
            p99_before,
            p99_during: None,
            ledger: Ledger::default(),
            rollout: None,
            failover,
            phases: Vec::new(),
        };
        let lost = slots.clone();
        let recoveries = slots.iter().map(|slot| (*slot, SlotRecovery::default())).collect();
        let mut begun = InProgress {
            number,
            incident,
            missing: 0,
            missing_since: at,
            zones_before: serving.zones,
            slots,
            victims,
            killed: BTreeSet::new(),
            lost,
            ejected: BTreeSet::new(),
            lasting,
            by_count,
            hits: false,
            joins: Vec::new(),
            gathered: Gathered::default(),
            recoveries,
        };
        begun.settle(at, serving);
        begun
    }

    /// It takes the replica of another slot.
    pub fn widen(&mut self, slot: usize, victims: &BTreeSet<ReplicaId>, now: Instant) {
        self.incident.taken += 1;
        self.lost.insert(slot);
        self.killed.remove(&slot);
        self.slots.insert(slot);
        self.recoveries.insert(slot, SlotRecovery::default());
        self.victims.extend(victims);
        self.incident.redundancy = None;
        self.count_missing(now);
    }

    /// The replica of a slot is killed in consequence: by its kubelet, or for its memory.
    /// Redundancy is not restored before it is back; what its fault took may be.
    pub fn kill(&mut self, slot: usize, victims: &BTreeSet<ReplicaId>, now: Instant) {
        if self.by_count || self.slots.contains(&slot) || !self.killed.insert(slot) {
            return; // missing already, or counted by what serves
        }
        self.incident.taken += usize::from(self.lost.insert(slot));
        self.recoveries.insert(slot, SlotRecovery::default());
        self.victims.extend(victims);
        self.incident.redundancy = None;
        self.count_missing(now);
    }

    /// Its rollout is so far. Once it is rolled back it stays as it was then.
    pub fn note_rollout(&mut self, now: Instant, told: &Observation) {
        let &Observation::Rollout { stage, new, old, available, wanted, affected, .. } = told
        else {
            return;
        };
        let course = self.incident.rollout.get_or_insert_default();
        if course.rolled_back.is_some() {
            return;
        }
        let overdue = course.overdue.or((stage == RolloutStage::Overdue).then_some(now));
        let rolled_back = (stage == RolloutStage::RolledBack).then_some(now);
        let counts = RolloutCourse { new, old, available, wanted, affected, ..*course };
        *course = RolloutCourse { overdue, rolled_back, ..counts };
    }

    /// Its lasting part is over.
    pub fn end_lasting(&mut self, now: Instant, serving: Serving) {
        self.lasting = false;
        self.settle(now, serving);
    }

    /// A replica of a slot enters a state.
    pub fn enter(&mut self, slot: usize, now: Instant, state: State) {
        if self.is_missing(slot)
            && let Some(recovery) = self.recoveries.get_mut(&slot)
        {
            recovery.enter(now, state);
        }
    }

    /// A replica of a slot is in rotation and lacks nothing.
    pub fn join(&mut self, slot: usize, now: Instant, serving: Serving) {
        if self.regain(slot) {
            let recovery = self.recoveries.remove(&slot).unwrap_or_default();
            self.incident.phases = recovery.end(now);
            self.settle(now, serving);
        }
    }

    /// A slot is not wanted any more: nobody misses its replica.
    pub fn give_up(&mut self, slot: usize, now: Instant, serving: Serving) {
        if self.regain(slot) {
            self.settle(now, serving);
        }
    }

    fn is_missing(&self, slot: usize) -> bool {
        self.slots.contains(&slot) || self.killed.contains(&slot)
    }

    /// A slot is missed no more; says whether it was.
    fn regain(&mut self, slot: usize) -> bool {
        let was_missing = self.is_missing(slot);
        self.slots.remove(&slot);
        self.killed.remove(&slot);
        was_missing
    }

    /// How many slots are missed.
    fn missed(&self) -> usize {
        self.slots.len() + self.killed.len()
    }

    /// A replica leaves the rotation.
    pub fn leave(&mut self, replica: ReplicaId, now: Instant) {
        if self.victims.remove(&replica) {
            self.incident.out_of_rotation = Some(now);
            self.count_missing(now);
        }
    }

    /// No ingress instance uses a replica any more, which is in rotation.
    pub fn avoid(&mut self, avoided: &Avoided, now: Instant) {
        if self.ejected.insert(avoided.replica)
            && let Some(course) = &mut self.incident.rollout
        {
            course.ejected += 1;
        }
        if self.victims.contains(&avoided.replica) {
            self.incident.left_by = Some(avoided.how.to_owned());
            self.leave(avoided.replica, now);
        }
    }

    /// Whether it is over when as many replicas are in rotation as before.
    pub fn is_by_count(&self) -> bool {
        self.by_count
    }

    /// What of its own is lacking; nothing of one that is counted by what serves.
    pub fn lacking(&self) -> Lacking {
        match self.by_count {
            true => Lacking::default(),
            false => Lacking { in_rotation: self.missing, whole: self.missed() },
        }
    }

    /// Other replicas serve than before; of those that do not, these are others' that came later.
    pub fn note(&mut self, now: Instant, serving: Serving, others: Lacking) {
        if self.incident.restored.is_none() {
            self.incident.serving_least = self.incident.serving_least.min(serving.ready);
        }
        if self.by_count && self.incident.restored.is_none() {
            let before = self.incident.serving_before;
            self.change_missing(
                before.saturating_sub(serving.in_rotation + others.in_rotation),
                now,
            );
            let fewer_zones = others.whole == 0 && serving.zones < self.zones(serving);
            let less = serving.whole + others.whole < before || fewer_zones;
            match less {
                true => self.incident.redundancy = None,
                false => _ = self.incident.redundancy.get_or_insert(now),
            }
        }
        self.note_redundancy(now, serving);
    }

    /// Capacity is restored once nothing is missing and nothing lasts.
    fn settle(&mut self, now: Instant, serving: Serving) {
        self.count_missing(now);
        if self.missed() > 0 {
            self.incident.redundancy = None;
        }
        self.note_redundancy(now, serving);
        if self.slots.is_empty() && !self.lasting && self.incident.restored.is_none() {
            self.incident.restored = Some(now);
            self.incident.failover.iter_mut().for_each(|course| course.note_return(now));
            if self.by_count {
                self.change_missing(0, now);
                self.incident.redundancy.get_or_insert(now);
            }
        }
    }

    /// Redundancy is restored once every slot has a replica again, and as many zones have one as
    /// before, unless fewer replicas are wanted now.
    fn note_redundancy(&mut self, now: Instant, serving: Serving) {
        let none_missing = self.missed() == 0 && serving.zones >= self.zones(serving);
        if !self.by_count && none_missing {
            self.incident.redundancy.get_or_insert(now);
        }
    }

    /// The zones that should have a replica: as many as before, but no more than there are
    /// replicas.
    fn zones(&self, serving: Serving) -> usize {
        self.zones_before.min(serving.whole)
    }

    /// Of its slots those are missing whose replica has left the rotation.
    fn count_missing(&mut self, now: Instant) {
        if !self.by_count {
            let still_there = self.victims.len().min(self.missed());
            self.change_missing(self.missed() - still_there, now);
        }
    }

    fn change_missing(&mut self, missing: usize, now: Instant) {
        let lasted = now.since(std::mem::replace(&mut self.missing_since, now));
        let before = std::mem::replace(&mut self.missing, missing);
        let incident = &mut self.incident;
        if before > incident.missing && lasted > Span::ZERO {
            (incident.missing, incident.missing_for) = (before, Span::ZERO);
        }
        if before > 0 {
            incident.fewer += lasted;
            let most = if before == incident.missing { lasted } else { Span::ZERO };
            incident.missing_for += most;
        }
    }

    /// A replica of a region joins the rotation.
    pub fn grow(&mut self, region: usize, now: Instant) {
        let course = self.incident.failover.as_ref();
        if course.is_some_and(|course| course.region != region) {
            self.joins.push(now);
        }
    }

    /// The run is over, or the incident is: what is missing was so until now.
    pub fn close(&mut self, now: Instant) {
        self.change_missing(self.missing, now);
        let until = self.incident.answers.map_or(now, |answers| answers + SAMPLED);
        if let Some(course) = &mut self.incident.failover {
            course.grown = self.joins.iter().copied().rfind(|joined| *joined <= until);
        }
    }
}

/// What a slot went through: time in each state, in order of first entry.
#[derive(Clone, Debug, Default)]
struct SlotRecovery {
    phases: Vec<(State, Span)>,
    current: Option<(Instant, State)>,
}

impl SlotRecovery {
    fn enter(&mut self, now: Instant, state: State) {
        self.close(now);
        self.current = Some((now, state));
    }

    fn close(&mut self, now: Instant) {
        let Some((since, state)) = self.current.take() else { return };
        let span = now.since(since);
        match self.phases.iter_mut().find(|(known, _)| *known == state) {
            Some((_, total)) => *total += span,
            None => self.phases.push((state, span)),
        }
    }

    fn end(mut self, now: Instant) -> Vec<(State, Span)> {
        self.close(now);
        self.phases.retain(|(state, _)| *state != State::Terminated);
        self.phases
    }
}
