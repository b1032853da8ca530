//! Follows incidents: from the injection of a fault until capacity is back and the backlog is gone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::scope::{Scope, WindowExtent};
use crate::observe::histogram::Histogram;
use crate::observe::incident::Incident;
use crate::observe::ledger::Ledger;
use crate::observe::outcome::INCIDENT_LIMIT;
use crate::observe::tally::Tally;
use crate::observe::{ReplicaId, State};
use crate::units::{Instant, Span};

/// Calm samples whose busiest says what is normal.
const CALM_SAMPLES: usize = 60;

/// An incident in progress.
#[derive(Clone, Debug)]
struct Open {
    number: usize,
    incident: Incident,
    /// Since when fewer replicas than before are in rotation.
    fewer_since: Option<Instant>,
    /// Slots without a replica in rotation, and the replicas that held them.
    slots: BTreeSet<usize>,
    victims: BTreeSet<ReplicaId>,
    lasting: bool,
    /// What ended from this injection until the next one.
    gathered: Gathered,
    /// What the replicas of each slot went through since the injection.
    recoveries: BTreeMap<usize, SlotRecovery>,
    /// In-flight requests that count as normal; `None` when nothing was seen before.
    usual: Option<u64>,
}

/// Requests that ended in some time.
#[derive(Clone, Debug, Default)]
struct Gathered {
    latency: Histogram,
    ledger: Ledger,
}

/// Incidents over and in progress. Lists the first [`INCIDENT_LIMIT`] that end, follows as many at
/// a time, and sums up all.
#[derive(Clone, Debug)]
pub(super) struct Tracker {
    warm_up: Instant,
    extents: Vec<WindowExtent>,
    /// In order of their injections.
    open: Vec<Open>,
    closed: Vec<(usize, Incident)>,
    /// The incidents that are over, by fault and by window; without those that began in warm-up.
    by_fault: Vec<Tally>,
    by_window: Vec<Tally>,
    unlisted: u64,
    /// Latencies since the last incident was over.
    calm: Histogram,
    quiet: VecDeque<u64>,
}

/// The incidents of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Incidents {
    /// In order of their injections.
    pub listed: Vec<Incident>,
    pub unlisted: u64,
    pub by_fault: Vec<Tally>,
    pub by_window: Vec<Tally>,
}

impl Tracker {
    pub fn new(scope: &Scope) -> Self {
        Tracker {
            warm_up: scope.warm_up,
            extents: scope.windows.clone(),
            open: Vec::new(),
            closed: Vec::new(),
            by_fault: vec![Tally::default(); scope.faults],
            by_window: vec![Tally::default(); scope.windows.len()],
            unlisted: 0,
            calm: Histogram::default(),
            quiet: VecDeque::new(),
        }
    }

    /// Whether an incident of this fault is in progress.
    pub fn is_open(&self, fault: usize) -> bool {
        self.open.iter().any(|open| open.incident.fault == fault)
    }

    /// Adds what ended since the last call, to the incidents in progress or to the calm.
    pub fn add(&mut self, answered: &Histogram, ended: &Ledger) {
        match self.open.last_mut() {
            Some(open) => {
                open.gathered.latency.merge(answered);
                open.gathered.ledger += ended;
            }
            None => self.calm.merge(answered),
        }
    }

    /// A fault is injected.
    pub fn begin_incident(&mut self, injection: Injection) {
        let Injection { number, at, fault, slots, victims, lasting, subject, serving } = injection;
        if self.open.len() == INCIDENT_LIMIT {
            self.unlisted += 1;
            return self.count(fault, at, Tally::add_unfollowed);
        }
        let alone = self.open.is_empty();
        let incident = Incident {
            fault,
            subject,
            at,
            serving_before: serving,
            serving_least: serving,
            out_of_rotation: None,
            fewer: Span::ZERO,
            restored: None,
            normal: None,
            p99_before: if alone { self.calm.quantile(0.99) } else { None },
            p99_during: None,
            ledger: Ledger::default(),
            phases: Vec::new(),
        };
        let recoveries = slots.iter().map(|slot| (*slot, SlotRecovery::default())).collect();
        let usual = self.quiet.iter().max().copied();
        let gathered = Gathered::default();
        let mut open = Open {
            number,
            incident,
            fewer_since: None,
            slots,
            victims,
            lasting,
            gathered,
            recoveries,
            usual,
        };
        open.settle(at);
        self.open.push(open);
    }

    /// An incident that goes on takes the replica of another slot.
    pub fn widen(&mut self, number: usize, slot: usize, victims: BTreeSet<ReplicaId>) {
        for open in self.open.iter_mut().filter(|open| open.number == number) {
            open.slots.insert(slot);
            open.recoveries.insert(slot, SlotRecovery::default());
            open.victims.extend(&victims);
        }
    }

    /// The lasting part of an incident is over.
    pub fn end_lasting(&mut self, number: usize, now: Instant) {
        for open in self.open.iter_mut().filter(|open| open.number == number) {
            open.lasting = false;
            open.settle(now);
        }
    }

    /// A replica of a slot enters a state.
    pub fn enter(&mut self, slot: usize, now: Instant, state: State) {
        for open in &mut self.open {
            if open.slots.contains(&slot)
                && let Some(recovery) = open.recoveries.get_mut(&slot)
            {
                recovery.enter(now, state);
            }
        }
    }

    /// A replica of a slot is in rotation and ready.
    pub fn join(&mut self, slot: usize, now: Instant) {
        for open in &mut self.open {
            if open.slots.remove(&slot) {
                let recovery = open.recoveries.remove(&slot).unwrap_or_default();
                open.incident.phases = recovery.end(now);
                open.settle(now);
            }
        }
    }

    /// A slot is not wanted any more: nobody misses its replica.
    pub fn give_up(&mut self, slot: usize, now: Instant) {
        for open in &mut self.open {
            if open.slots.remove(&slot) {
                open.settle(now);
            }
        }
    }

    /// A replica leaves the rotation.
    pub fn leave(&mut self, replica: ReplicaId, now: Instant) {
        for open in self.open.iter_mut().filter(|open| open.victims.contains(&replica)) {
            open.incident.out_of_rotation = Some(now);
        }
    }

    /// The number of serving replicas changes, or that of those in rotation.
    pub fn serving(&mut self, now: Instant, serving: usize, in_rotation: usize) {
        for open in self.open.iter_mut().filter(|open| open.incident.restored.is_none()) {
            open.incident.serving_least = open.incident.serving_least.min(serving);
            open.count_fewer(now, in_rotation);
        }
    }

    /// Whether no incident is in progress.
    pub fn is_calm(&self) -> bool {
        self.open.is_empty()
    }

    /// A sample in calm times, with this many requests in flight.
    pub fn note_calm(&mut self, in_flight: u64) {
        self.quiet.push_back(in_flight);
        if self.quiet.len() > CALM_SAMPLES {
            self.quiet.pop_front();
        }
    }

    /// A sample with this many requests in flight, and `quiet` if none failed since the last one:
    /// ends the incidents that are over; true if there were any.
    pub fn end_over(&mut self, now: Instant, in_flight: u64, quiet: bool) -> bool {
        let is_over = |open: &Open| {
            let drained = open.usual.is_none_or(|usual| in_flight <= usual);
            open.incident.restored.is_some() && drained && quiet
        };
        let over = self.take(is_over);
        let any = !over.is_empty();
        for (number, mut incident) in over {
            incident.normal = Some(now);
            self.list(number, incident, now);
        }
        if any && self.open.is_empty() {
            self.calm.clear();
        }
        any
    }

    /// Takes out incidents in progress, in order of their injections. What ended during one is what
    /// gathered since its injection and since every later one.
    fn take(&mut self, wanted: impl Fn(&Open) -> bool) -> Vec<(usize, Incident)> {
        if !self.open.iter().any(&wanted) {
            return Vec::new();
        }
        let mut since = Gathered::default();
        for open in self.open.iter_mut().rev() {
            since.merge(&open.gathered);
            if wanted(open) {
                open.incident.p99_during = since.latency.quantile(0.99);
                open.incident.ledger = since.ledger;
            }
        }
        let mut taken = Vec::new();
        for open in std::mem::take(&mut self.open) {
            if !wanted(&open) {
                self.open.push(open);
                continue;
            }
            if let Some(earlier) = self.open.last_mut() {
                earlier.gathered.merge(&open.gathered);
            }
            taken.push((open.number, open.incident));
        }
        taken
    }

    fn list(&mut self, number: usize, incident: Incident, ended: Instant) {
        self.count(incident.fault, incident.at, |tally| tally.add(&incident, ended));
        if self.closed.len() < INCIDENT_LIMIT {
            self.closed.push((number, incident));
        } else {
            self.unlisted += 1;
        }
    }

    /// Adds an incident to the sums it belongs to.
    fn count(&mut self, fault: usize, at: Instant, add: impl Fn(&mut Tally)) {
        if at < self.warm_up {
            return;
        }
        add(&mut self.by_fault[fault]);
        for (extent, tally) in self.extents.iter().zip(&mut self.by_window) {
            if extent.holds(fault, at) {
                add(tally);
            }
        }
    }

    /// All incidents of a run that ended at `ended`.
    pub fn finish(mut self, ended: Instant) -> Incidents {
        for (number, incident) in self.take(|_| true) {
            self.list(number, incident, ended);
        }
        self.closed.sort_by_key(|(number, _)| *number);
        Incidents {
            listed: self.closed.into_iter().map(|(_, incident)| incident).collect(),
            unlisted: self.unlisted,
            by_fault: self.by_fault,
            by_window: self.by_window,
        }
    }
}

impl Gathered {
    fn merge(&mut self, other: &Gathered) {
        self.latency.merge(&other.latency);
        self.ledger += &other.ledger;
    }
}

/// What is known when a fault is injected.
#[derive(Clone, Debug)]
pub(super) struct Injection {
    pub number: usize,
    pub at: Instant,
    pub fault: usize,
    pub slots: BTreeSet<usize>,
    pub victims: BTreeSet<ReplicaId>,
    pub lasting: bool,
    pub subject: String,
    pub serving: usize,
}

impl Open {
    /// Capacity is restored once nothing is missing and nothing lasts.
    fn settle(&mut self, now: Instant) {
        if self.slots.is_empty() && !self.lasting && self.incident.restored.is_none() {
            self.incident.restored = Some(now);
            self.count_fewer(now, usize::MAX);
        }
    }

    /// So many replicas are in rotation from now on.
    fn count_fewer(&mut self, now: Instant, in_rotation: usize) {
        if in_rotation < self.incident.serving_before {
            self.fewer_since.get_or_insert(now);
        } else if let Some(since) = self.fewer_since.take() {
            self.incident.fewer += now.since(since);
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
