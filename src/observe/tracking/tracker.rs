//! Follows incidents: from the injection of a fault until capacity is back and the backlog is gone,
//! and beyond that until redundancy is.
//!
//! Whom a hit belongs to: hits with less than ten calm seconds between them are one *episode*. It
//! is an effect of the incident in progress that was injected last before it began, and of those
//! that are injected while it goes on.

use std::collections::BTreeSet;

use super::answering::Answering;
use super::in_progress::{Gathered, InProgress, Injection, Lacking, Serving};
use super::normal::{Calm, Encounter, Normal};
use crate::observe::failover::FailoverCourse;
use crate::observe::histogram::Histogram;
use crate::observe::incident::Incident;
use crate::observe::ledger::Ledger;
use crate::observe::outcome::INCIDENT_LIMIT;
use crate::observe::recorder::scope::{Scope, WindowExtent};
use crate::observe::tally::Tally;
use crate::observe::{Avoided, Observation, ReplicaId, State};
use crate::units::{Instant, SECOND, Span};

/// Without a hit for so long, an episode is over.
const EPISODE_GAP: Span = Span(10 * SECOND);

/// Incidents over and in progress. Lists the first [`INCIDENT_LIMIT`] that end, follows as many at
/// a time, and sums up all.
#[derive(Clone, Debug)]
pub(in crate::observe) struct Tracker {
    warm_up: Instant,
    extents: Vec<WindowExtent>,
    /// In order of their injections.
    open: Vec<InProgress>,
    closed: Vec<(usize, Incident)>,
    /// The incidents that are over, by fault and by window; without those that began in warm-up.
    by_fault: Vec<Tally>,
    by_window: Vec<Tally>,
    unlisted: u64,
    /// Those that are over, except that redundancy is not restored.
    watched: Vec<InProgress>,
    /// Latencies since the last incident was over.
    latency: Histogram,
    calm: Calm,
    /// What was normal before the incidents in progress.
    normal: Option<Normal>,
    /// The samples of the last hit, and before it.
    last_hit: Option<Instant>,
    last_sample: Instant,
    answering: Answering,
    /// The sample at which requests were not answered last.
    last_down: Option<Instant>,
}

/// The incidents of a run.
#[derive(Clone, Debug, Default)]
pub(in crate::observe) struct Incidents {
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
            extents: scope.windows.iter().map(|window| window.extent).collect(),
            open: Vec::new(),
            closed: Vec::new(),
            by_fault: vec![Tally::default(); scope.faults],
            by_window: vec![Tally::default(); scope.windows.len()],
            unlisted: 0,
            watched: Vec::new(),
            latency: Histogram::default(),
            calm: Calm::default(),
            normal: None,
            last_hit: None,
            last_sample: Instant::ZERO,
            answering: Answering::default(),
            last_down: None,
        }
    }

    /// Whether an incident of this fault is in progress.
    pub fn is_open(&self, fault: usize) -> bool {
        self.open.iter().any(|open| open.incident.fault == fault)
    }

    /// Whether a fault was injected after this moment and the end of warm-up, and lasts.
    pub fn has_struck(&self, fault: usize, sent: Instant) -> bool {
        let since = |open: &InProgress| open.incident.at > sent && open.incident.at >= self.warm_up;
        self.open.iter().any(|open| open.incident.fault == fault && since(open))
    }

    /// Adds what ended since the last call, to the incidents in progress or to the calm.
    pub fn add(&mut self, answered: &Histogram, ended: &Ledger) {
        match self.open.last_mut() {
            Some(open) => {
                open.gathered.latency.merge(answered);
                open.gathered.ledger += ended;
            }
            None => self.latency.merge(answered),
        }
    }

    /// A fault is injected.
    pub fn begin_incident(&mut self, injection: Injection) {
        if self.open.len() + self.watched.len() == INCIDENT_LIMIT {
            self.unlisted += 1;
            return self.count(injection.fault, injection.at, Tally::add_unfollowed);
        }
        let alone = self.open.is_empty();
        if alone {
            self.normal = self.calm.normal();
        }
        let works = self.normal.is_some_and(|normal| normal.works());
        let p99_before = if alone { self.latency.quantile(0.99) } else { None };
        self.open.push(InProgress::new(injection, works, p99_before));
    }

    /// Those that are followed.
    fn followed(&mut self) -> impl Iterator<Item = &mut InProgress> {
        self.open.iter_mut().chain(&mut self.watched)
    }

    fn numbered(&mut self, number: usize) -> impl Iterator<Item = &mut InProgress> {
        self.open.iter_mut().filter(move |open| open.number == number)
    }

    /// An incident that goes on takes the replica of another slot.
    pub fn widen(
        &mut self,
        number: usize,
        slot: usize,
        victims: &BTreeSet<ReplicaId>,
        now: Instant,
    ) {
        self.numbered(number).for_each(|open| open.widen(slot, victims, now));
    }

    /// A replica is killed by its kubelet or the kernel: an effect of the incident that was
    /// injected last, if one is in progress.
    pub fn kill(&mut self, slot: usize, victims: &BTreeSet<ReplicaId>, now: Instant) {
        if let Some(open) = self.open.last_mut() {
            open.kill(slot, victims, now);
        }
    }

    /// The fail-overs of the incidents in progress.
    pub fn failovers(&mut self) -> impl Iterator<Item = &mut FailoverCourse> {
        self.open.iter_mut().filter_map(|open| open.incident.failover.as_mut())
    }

    /// A replica of a region, of several, joins the rotation.
    pub fn grow(&mut self, region: Option<usize>, now: Instant) {
        region.into_iter().for_each(|region| {
            self.open.iter_mut().for_each(|open| open.grow(region, now));
        });
    }

    /// The rollout of an incident is so far.
    pub fn note_rollout(&mut self, now: Instant, told: &Observation) {
        if let Observation::Rollout { incident, .. } = told {
            self.numbered(*incident).for_each(|open| open.note_rollout(now, told));
        }
    }

    /// The lasting part of an incident is over.
    pub fn end_lasting(&mut self, number: usize, now: Instant, serving: Serving) {
        self.numbered(number).for_each(|open| open.end_lasting(now, serving));
    }

    /// A replica of a slot enters a state.
    pub fn enter(&mut self, slot: usize, now: Instant, state: State) {
        self.open.iter_mut().for_each(|open| open.enter(slot, now, state));
    }

    /// A replica of a slot is in rotation and lacks nothing.
    pub fn join(&mut self, slot: usize, now: Instant, serving: Serving) {
        self.followed().for_each(|open| open.join(slot, now, serving));
    }

    /// A slot is not wanted any more: nobody misses its replica.
    pub fn give_up(&mut self, slot: usize, now: Instant, serving: Serving) {
        self.followed().for_each(|open| open.give_up(slot, now, serving));
    }

    /// A replica leaves the rotation.
    pub fn leave(&mut self, replica: ReplicaId, now: Instant) {
        self.open.iter_mut().for_each(|open| open.leave(replica, now));
    }

    /// No ingress instance uses a replica, which is in rotation.
    pub fn avoid(&mut self, avoided: &Avoided, now: Instant) {
        self.open.iter_mut().for_each(|open| open.avoid(avoided, now));
    }

    /// Other replicas serve than before.
    pub fn note(&mut self, now: Instant, serving: Serving) {
        // What a single fault took is no doing of a rollout that goes on.
        let rolls = self.followed().any(|one| one.is_by_count());
        let single: Vec<(Instant, Lacking)> = match rolls {
            true => self.followed().map(|one| (one.incident.at, one.lacking())).collect(),
            false => Vec::new(),
        };
        for open in self.followed() {
            let since = open.incident.at;
            let mut others = Lacking::default();
            if open.is_by_count() {
                let later = single.iter().filter(|(at, _)| *at >= since);
                others = later.fold(others, |sum, (_, one)| sum.with(*one));
            }
            open.note(now, serving, others);
        }
        let restored = |open: &mut InProgress| open.incident.redundancy.is_some();
        for whole in self.watched.extract_if(.., restored).collect::<Vec<_>>() {
            self.list(whole.number, whole.incident, now);
        }
    }

    /// Whether what serves matters to anything.
    pub fn follows_any(&self) -> bool {
        !self.open.is_empty() || !self.watched.is_empty()
    }

    /// Whether no incident is in progress.
    pub fn is_calm(&self) -> bool {
        self.open.is_empty()
    }

    /// A sample: ends the incidents that are over; true if there were any.
    pub fn sample(&mut self, now: Instant, met: Encounter) -> bool {
        self.answering.note(&met);
        if self.is_calm() {
            self.calm.note(met);
            self.last_sample = now;
            return false;
        }
        self.note_hits(now, &met);
        self.note_answers(now, &met);
        self.last_sample = now;
        // Without anything to compare with, whatever is in flight is as ever.
        let as_ever = match &self.normal {
            Some(normal) => normal.is_as_ever(&met),
            None => met.failed == 0,
        };
        let over = self.take(|open| open.incident.restored.is_some() && as_ever);
        let any = !over.is_empty();
        for mut open in over {
            open.incident.normal = Some(now);
            open.close(now);
            match open.incident.redundancy {
                Some(_) => self.list(open.number, open.incident, now),
                None => self.watched.push(open),
            }
        }
        if any && self.open.is_empty() {
            self.latency.clear();
        }
        any
    }

    /// Notes whom clients were hit by since the last sample, if they were.
    fn note_hits(&mut self, now: Instant, met: &Encounter) {
        let Some(until) = self.normal.and_then(|normal| normal.hit_until(met, now)) else { return };
        let since = self.last_sample;
        let goes_on = self.last_hit.is_some_and(|last| since.since(last) < EPISODE_GAP);
        let newest = self.open.iter().map(|open| open.incident.at).max();
        for open in &mut self.open {
            let injected = open.incident.at;
            open.hits = match goes_on {
                true => open.hits || injected >= since,
                false => Some(injected) == newest,
            };
            if open.hits {
                open.incident.service = Some(until.max(injected));
            }
        }
        self.last_hit = Some(now);
    }

    /// Notes which incidents keep requests from being answered.
    fn note_answers(&mut self, now: Instant, met: &Encounter) {
        let Some(normal) = self.normal else { return };
        let until = match normal.is_piled_up(met) {
            true => now,
            false if met.failed > 0 => met.failed_until.min(now),
            false => return,
        };
        for open in self.open.iter_mut().filter(|open| open.hits) {
            let struck = open.incident.failover.as_ref().map_or(1.0, |course| course.clients);
            if normal.is_piled_up(met) || self.answering.fails(struck) {
                open.incident.answers = Some(until.max(open.incident.at));
                self.last_down = Some(now);
            }
        }
    }

    /// Takes out incidents in progress, in order of their injections. What ended during one is what
    /// gathered since its injection and since every later one.
    fn take(&mut self, wanted: impl Fn(&InProgress) -> bool) -> Vec<InProgress> {
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
            taken.push(open);
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
        let lately =
            |last: Option<Instant>| last.is_some_and(|last| ended.since(last) < EPISODE_GAP);
        let (hit_lately, down_lately) = (lately(self.last_hit), lately(self.last_down));
        let mut left = self.take(|_| true);
        for open in &mut left {
            open.close(ended);
            if open.hits && hit_lately {
                open.incident.service = None;
            }
            if open.hits && down_lately {
                open.incident.answers = None;
            }
        }
        left.append(&mut self.watched);
        for open in left {
            self.list(open.number, open.incident, ended);
        }
        // Several regions number theirs in turn.
        self.closed.sort_by_key(|(number, incident)| (incident.at, *number));
        Incidents {
            listed: self.closed.into_iter().map(|(_, incident)| incident).collect(),
            unlisted: self.unlisted,
            by_fault: self.by_fault,
            by_window: self.by_window,
        }
    }
}
