//! One replica: a pod with its process, its server and its place in the life cycle.
//!
//! ```text
//! Scheduling → Sandbox → Image → Booting → Configuring → Contracts → Probing → Ready
//!                 ▲                 ▲
//!                 │                 └─ killed by liveness: Hung or Unready after a hang; after a
//!                 │                    BackOff if that was not the first time
//!                 └─ its zone returns: Failed or Unready after a lost machine
//!
//! Ready ─ crash ───────► Failed ─ noticed ────────► Terminated ─► a new replica in the slot
//! Ready ─ hang ────────► Hung ─── readiness lost ─► Unready
//! Ready ─ overloaded, probes missed ─► Unready or Draining: see `probing.rs`
//! any ─── machine lost ► Failed ─ node not ready ─► Unready ─ evicted ─► Terminated ─► a new one
//! ```
//!
//! Assumptions: a crashed replica is replaced by a new one (its pod is gone), unless the plan has
//! it restarted; a hung one is restarted in its pod; one on a lost machine comes back with the
//! machine unless it was replaced before. Starting costs no CPU of the gateway. If the CPU limit is
//! enforced in slices, each replica has a phase of its own, which a restart does not move, and a
//! container that starts has a whole quota. Left out: memory pressure.

use super::backoff::Backoff;
use super::flow::{Departure, Exit};
use super::node::NodeId;
use super::open::{AttemptId, Stage};
use super::probing::Probing;
use super::routing::note_failure;
use crate::engine::digest::Digest;
use crate::engine::jobs::Job;
use crate::engine::quota::{Bandwidth, Metered};
use crate::engine::server::{Server, Sink};
use crate::observe::ledger::Failure;
use crate::observe::{Observer, Reading, ReplicaId, Served, State};
use crate::plan::{Gateway, Probe, Slot, ZoneId};
use crate::random::{Seed, Stream};
use crate::units::{Instant, Share, Span};

/// What a request meets at a replica's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A process that works (a hung one accepts, and its server is frozen).
    Accepts,
    /// Nobody.
    Dead,
}

/// A request on its way into a replica.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inbound {
    pub at: u64,
    pub sent: u64,
    pub demand: f64,
    pub instance: u32,
}

/// A slow-down in progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slowdown {
    pub fault: usize,
    pub incident: usize,
    /// What it leaves of the CPU.
    pub share: Share,
}

/// The server that every replica begins with: on average `cores`, or all its threads until the
/// quota is used up. Its requests expire after `patience`.
pub(super) fn idle_server(gateway: &Gateway, patience: Span) -> Metered {
    let cores = gateway.throttling.map_or(gateway.cores.0, |slices| f64::from(slices.threads));
    let bandwidth = gateway
        .throttling
        .map(|slices| Bandwidth { quota: slices.quota(gateway.cores), period: slices.period.0 });
    Metered::new(Server::new(cores, patience.0), bandwidth)
}

/// A replica.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub id: ReplicaId,
    pub name: String,
    pub slot: Slot,
    pub zone: ZoneId,
    pub node: NodeId,
    pub state: State,
    pub fate: Fate,
    /// Whether the API server takes it for ready, and since when it does or does not.
    pub known_ready: bool,
    pub known_since: Instant,
    /// Counts restarts; see [`super::event::Event`].
    pub epoch: u32,
    /// Counts how often it became ready after it had not been.
    pub readiness: u32,
    /// When its container started, from which probes count.
    pub container_started: Instant,
    /// How far into a probe period the container was then, if it runs from the beginning.
    pub probe_phase: Option<Span>,
    /// Whether its APIs with contracts must be refused.
    pub lacks_contracts: bool,
    /// Clients whose contracts it knows to be revoked.
    pub revoked: Vec<u32>,
    /// Slow-downs in progress; the worst holds.
    pub slow: Vec<Slowdown>,
    /// Whether its process does nothing at all.
    pub hung: bool,
    /// Whether its machine is gone, so that nobody is left to refuse a connection.
    pub silent: bool,
    /// Its probes, if they compete for CPU.
    pub probing: Probing,
    /// Restarts of its container.
    pub backoff: Backoff,
    /// Durations of its start-up and detection.
    pub luck: Stream,
    pub server: Metered,
    pub inbox: Vec<Inbound>,
    /// Its place in [`super::wakes::Wakes`], if it has one.
    pub wake: usize,
    /// Requests it has that wait for something other than its CPU, and most that it had in all.
    pub held: usize,
    peak: usize,
    pub arrived: u64,
    pub served: u64,
}

impl Replica {
    /// A replica about to be scheduled, with a copy of the `idle` server; `generation` counts the
    /// replicas of its slot.
    pub fn new(
        (id, generation): (ReplicaId, u64),
        (slot, zone, node): (Slot, ZoneId, NodeId),
        name: String,
        idle: &Metered,
        seed: Seed,
    ) -> Self {
        let key = (slot as u64) << 32 | generation;
        Replica {
            id,
            name,
            slot,
            zone,
            node,
            state: State::Scheduling,
            fate: Fate::Dead,
            known_ready: false,
            known_since: Instant::ZERO,
            epoch: 0,
            readiness: 0,
            container_started: Instant::ZERO,
            probe_phase: None,
            lacks_contracts: false,
            revoked: Vec::new(),
            slow: Vec::new(),
            hung: false,
            silent: false,
            probing: Probing::default(),
            backoff: Backoff::default(),
            luck: seed.stream("replica", key),
            server: idle.at_phase(seed.stream("quota", key).unit()),
            inbox: Vec::new(),
            wake: 0,
            held: 0,
            peak: 0,
            arrived: 0,
            served: 0,
        }
    }

    /// Lets its server work until `now`.
    #[inline(always)]
    pub fn advance<O: Observer>(&mut self, now: u64, exit: &mut Exit, observer: &mut O) {
        let (replica, probing) = (self.id, &mut self.probing);
        if exit.feeds_back {
            return self.server.advance(now, &mut Collector { probing, exit });
        }
        let digest = &mut exit.digest;
        let mut outlet = Outlet { replica, served: 0, probing, digest, observer };
        self.server.advance(now, &mut outlet);
        self.served += outlet.served;
    }

    /// Takes on everything in its inbox, in order.
    #[inline(always)]
    pub fn take_in<O: Observer>(&mut self, digest: &mut Digest, observer: &mut O) {
        let (replica, probing) = (self.id, &mut self.probing);
        let mut outlet = Outlet { replica, served: 0, probing, digest, observer };
        for inbound in &self.inbox {
            let Inbound { at, sent, demand, instance } = *inbound;
            self.server.take((at, sent), demand, instance, &mut outlet);
        }
        self.served += outlet.served;
        self.arrived += self.inbox.len() as u64;
        self.inbox.clear();
    }

    /// Lets its server work for the flow until `now`; gives when it has to be looked at next.
    #[inline(always)]
    pub fn work(&mut self, now: u64, exit: &mut Exit) -> u64 {
        let probing = &mut self.probing;
        self.server.advance_and_next(now, &mut Collector { probing, exit })
    }

    /// Stops its CPU's work for an attempt of the flow at `now`.
    pub fn cancel(&mut self, attempt: AttemptId, now: u64, exit: &mut Exit) {
        self.work(now, exit);
        if let Some(open) = exit.attempts.get_mut(attempt) {
            open.stage = Stage::UnderWay;
        }
        // What else was cancelled at this moment may have let it be done.
        if !exit.departures.iter().any(|departure| departure.attempt == attempt) {
            let probing = &mut self.probing;
            self.server.cancel(now, &Collector { probing, exit });
        }
    }

    /// Takes the background jobs with this mark out of its server at `now`, to which it has been advanced.
    pub fn remove_background(&mut self, mark: u32, now: u64, exit: &mut Exit) {
        self.server.remove(now, |job| job.is_background() && job.mark == mark);
        if exit.feeds_back {
            let probing = &mut self.probing;
            self.server.drop_tombstones(&Collector { probing, exit });
        }
    }

    fn in_flight(&self) -> usize {
        self.server.in_service() + self.held
    }

    /// Takes note of how many requests it has.
    #[inline(always)]
    pub fn note_peak(&mut self) {
        self.peak = self.peak.max(self.in_flight());
    }

    /// Begins to watch for the most requests anew.
    pub fn forget_peak(&mut self) {
        self.server.forget_peak();
        self.peak = self.in_flight();
    }

    /// What it shows at `now`.
    pub fn reading(&self, now: Instant) -> Reading {
        Reading {
            replica: self.id,
            in_flight: self.in_flight() as u64,
            in_flight_peak: self.server.peak().max(self.peak) as u64,
            arrived: self.arrived,
            served: self.served,
            busy: self.server.busy_until(now.0),
        }
    }

    /// The share of its CPU that the slow-downs in progress leave it.
    pub fn share(&self) -> Share {
        Share(self.slow.iter().map(|slow| slow.share.0).fold(1.0, f64::min))
    }

    /// Lets its server work as fast from `now` on as slow-downs and a hang allow.
    pub fn set_speed(&mut self, now: u64) {
        let speed = if self.hung { 0.0 } else { self.share().0 };
        self.server.set_speed(now, speed);
    }

    /// Its process dies at `now`, and all that belonged to it: gives the sending times of the
    /// requests lost and the slow-downs that are over.
    pub fn end_process(&mut self, now: u64) -> (Vec<u64>, Vec<Slowdown>) {
        let lost = self.server.kill(now);
        self.epoch += 1;
        self.probing.end();
        self.fate = Fate::Dead;
        (self.hung, self.lacks_contracts) = (false, false);
        let slow = std::mem::take(&mut self.slow);
        self.set_speed(now);
        (lost, slow)
    }

    /// Moves it to a state, and takes note of what the API server learns of that: nothing of a hang
    /// or a failure until somebody notices.
    pub fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        let known = match state {
            State::Ready => true,
            State::Hung | State::Failed => self.known_ready,
            State::Draining => self.known_ready && self.probing.stopping,
            _ => false,
        };
        self.be_known(known, now);
    }

    /// The API server learns whether it is ready.
    pub fn be_known(&mut self, ready: bool, now: Instant) {
        if ready != self.known_ready {
            (self.known_ready, self.known_since) = (ready, now);
        }
    }

    /// Whether the replica is serving as far as it knows itself.
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// What changes whenever it restarts or becomes ready anew: random faults that were to hit it
    /// are off.
    pub fn spell(&self) -> u32 {
        // Neither number ever falls.
        self.epoch.wrapping_add(self.readiness)
    }

    /// Whether its process works, as far as it is seen from inside.
    pub fn works(&self) -> bool {
        self.fate == Fate::Accepts && !self.hung
    }

    /// How long its container has been running at `now`.
    pub fn ran(&self, now: Instant) -> Span {
        // One that runs from the beginning did so for long.
        self.probe_phase.map_or_else(|| now.since(self.container_started), |_| Span::MAX)
    }

    /// The first probe of this kind at or after `time`.
    pub fn next_probe(&self, probe: &Probe, time: Instant) -> Instant {
        if probe.period == Span::ZERO {
            return time.max(self.container_started + probe.initial_delay);
        }
        // A replica that runs from the beginning has been probed for long: only the phase is left.
        let first = match self.probe_phase {
            None => self.container_started + probe.initial_delay,
            Some(phase) => self.container_started + Span(phase.0 % probe.period.0),
        };
        let late = time.since(first).0;
        first + probe.period * late.div_ceil(probe.period.0)
    }

    /// When a process that answers no probe after `hung` has failed enough of them.
    pub fn probe_failure(&self, probe: &Probe, hung: Instant) -> Instant {
        let further = u64::from(probe.failures.max(1) - 1);
        self.next_probe(probe, hung) + probe.period * further + probe.timeout
    }
}

/// Tells the observer and the digest of requests that leave a replica.
struct Outlet<'a, O> {
    replica: ReplicaId,
    served: u64,
    probing: &'a mut Probing,
    digest: &'a mut Digest,
    observer: &'a mut O,
}

impl<O: Observer> Sink for Outlet<'_, O> {
    #[inline(always)]
    fn done(&mut self, job: &Job, at: u64) {
        self.served += 1;
        self.digest.in_any_order(at, job.sent);
        self.observer.served(&Served {
            sent: Instant(job.sent),
            arrived: Instant(job.arrived),
            finished: Instant(at),
            demand: job.demand,
            replica: self.replica,
        });
    }

    #[cold]
    fn background_done(&mut self, mark: u32, _at: u64) {
        self.probing.answer(mark);
    }

    fn expired(&mut self, sent: u64, at: u64) {
        note_failure(self.digest, self.observer, (sent, at), Failure::TimedOut);
    }
}

/// Collects the attempts that leave a replica, for the flow.
struct Collector<'a> {
    probing: &'a mut Probing,
    exit: &'a mut Exit,
}

impl Sink for Collector<'_> {
    #[inline(always)]
    fn done(&mut self, job: &Job, at: u64) {
        self.exit.departures.push(Departure { attempt: AttemptId::of(job.sent), at });
    }

    #[inline(always)]
    fn is_cancelled(&self, sent: u64) -> bool {
        let open = self.exit.attempts.get(AttemptId::of(sent));
        open.is_none_or(|open| !matches!(open.stage, Stage::Cpu(_)))
    }

    #[cold]
    fn background_done(&mut self, mark: u32, _at: u64) {
        self.probing.answer(mark);
    }

    fn expired(&mut self, _sent: u64, _at: u64) {} // the flow has its own time-outs
}
