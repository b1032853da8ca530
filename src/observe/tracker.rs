//! Follows incidents: from a fault's strike until capacity is back and the backlog is gone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::histogram::Histogram;
use super::incident::Incident;
use super::ledger::Ledger;
use super::outcome::INCIDENT_LIMIT;
use super::{ReplicaId, State};
use crate::units::{Instant, Span};

/// Calm looks whose busiest says what is normal.
const CALM_LOOKS: usize = 60;

/// An incident in progress.
#[derive(Clone, Debug)]
struct Open {
    number: usize,
    incident: Incident,
    /// Slots without a replica in rotation, and the replicas that held them.
    slots: BTreeSet<usize>,
    victims: BTreeSet<ReplicaId>,
    lasting: bool,
    latency: Histogram,
    /// States that each slot went through since the strike.
    history: BTreeMap<usize, Vec<(Instant, State)>>,
    /// In-flight requests that count as normal; `None` when nothing was seen before.
    usual: Option<u64>,
}

/// Incidents over and in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracker {
    open: Vec<Open>,
    closed: Vec<(usize, Incident)>,
    unlisted: u64,
    /// Latencies since the last incident was over.
    calm: Histogram,
    quiet: VecDeque<u64>,
}

impl Tracker {
    /// Whether an incident of this fault is in progress.
    pub fn is_open(&self, fault: usize) -> bool {
        self.open.iter().any(|open| open.incident.fault == fault)
    }

    /// Adds what ended since the last call, to the incidents in progress or to the calm.
    pub fn add(&mut self, answered: &Histogram, ended: &Ledger) {
        if self.open.is_empty() {
            return self.calm.merge(answered);
        }
        for open in &mut self.open {
            open.latency.merge(answered);
            open.incident.ledger += ended;
        }
    }

    /// A fault strikes.
    pub fn strike(&mut self, strike: Strike) {
        let Strike { number, at, fault, slots, victims, lasting, subject, serving } = strike;
        let alone = self.open.is_empty();
        let incident = Incident {
            fault,
            subject,
            at,
            serving_before: serving,
            serving_least: serving,
            out_of_rotation: None,
            restored: None,
            normal: None,
            p99_before: if alone { self.calm.quantile(0.99) } else { None },
            p99_during: None,
            ledger: Ledger::default(),
            phases: Vec::new(),
        };
        let history = slots.iter().map(|slot| (*slot, Vec::new())).collect();
        let usual = self.quiet.iter().max().copied();
        let latency = Histogram::default();
        let mut open = Open { number, incident, slots, victims, lasting, latency, history, usual };
        open.settle(at);
        self.open.push(open);
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
                && let Some(history) = open.history.get_mut(&slot)
            {
                history.push((now, state));
            }
        }
    }

    /// A replica of a slot is in rotation and ready.
    pub fn join(&mut self, slot: usize, now: Instant) {
        for open in &mut self.open {
            if open.slots.remove(&slot) {
                open.incident.phases = durations(&open.history[&slot], now);
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

    /// The number of serving replicas changes.
    pub fn serving(&mut self, serving: usize) {
        for open in self.open.iter_mut().filter(|open| open.incident.restored.is_none()) {
            open.incident.serving_least = open.incident.serving_least.min(serving);
        }
    }

    /// Whether no incident is in progress.
    pub fn is_calm(&self) -> bool {
        self.open.is_empty()
    }

    /// A look in calm times, with this many requests in flight.
    pub fn note_calm(&mut self, in_flight: u64) {
        self.quiet.push_back(in_flight);
        if self.quiet.len() > CALM_LOOKS {
            self.quiet.pop_front();
        }
    }

    /// A look with this many requests in flight, and `quiet` if none failed since the last one:
    /// ends the incidents that are over; true if there were any.
    pub fn end_over(&mut self, now: Instant, in_flight: u64, quiet: bool) -> bool {
        let is_over = |open: &Open| {
            let drained = open.usual.is_none_or(|usual| in_flight <= usual);
            open.incident.restored.is_some() && drained && quiet
        };
        let (over, open): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.open).into_iter().partition(is_over);
        self.open = open;
        let any = !over.is_empty();
        for mut ended in over {
            ended.incident.normal = Some(now);
            self.list(ended);
        }
        if any && self.open.is_empty() {
            self.calm.clear();
        }
        any
    }

    fn list(&mut self, ended: Open) {
        let Open { number, mut incident, latency, .. } = ended;
        incident.p99_during = latency.quantile(0.99);
        if self.closed.len() < INCIDENT_LIMIT {
            self.closed.push((number, incident));
        } else {
            self.unlisted += 1;
        }
    }

    /// All incidents in order, and how many more there were.
    pub fn finish(mut self) -> (Vec<Incident>, u64) {
        for open in std::mem::take(&mut self.open) {
            self.list(open);
        }
        self.closed.sort_by_key(|(number, _)| *number);
        (self.closed.into_iter().map(|(_, incident)| incident).collect(), self.unlisted)
    }
}

/// What is known when a fault strikes.
#[derive(Clone, Debug)]
pub(super) struct Strike {
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
        }
    }
}

/// Time in each state, in order of first entry; the last one until `end`.
fn durations(history: &[(Instant, State)], end: Instant) -> Vec<(State, Span)> {
    let ends = history.iter().skip(1).map(|(at, _)| *at).chain([end]);
    let mut phases: Vec<(State, Span)> = Vec::new();
    for ((from, state), to) in history.iter().zip(ends) {
        let span = to.since(*from);
        match phases.iter_mut().find(|(known, _)| known == state) {
            Some((_, total)) => *total += span,
            None => phases.push((*state, span)),
        }
    }
    phases.retain(|(state, _)| *state != State::Terminated);
    phases
}
