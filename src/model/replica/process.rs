//! One replica: a pod with its process, its server and its place in the life cycle.
//!
//! ```text
//! Scheduling → Sandbox → Image → Booting → Configuring → Contracts → Probing → Ready
//!                 ▲                 ▲
//!                 │                 └─ killed by liveness: Hung or Unready after a hang, Booting
//!                 │                    for too long; after a BackOff if not for the first time
//!                 └─ its zone returns: Failed or Unready after a lost machine
//!
//! Ready ─ crash ───────► Failed ─ noticed ────────► Terminated ─► a new replica in the slot
//! any that has requests ─ out of memory ─► Failed ─ noticed ─► BackOff ─► Booting
//! Ready ─ hang ────────► Hung ─── readiness lost ─► Unready
//! Ready ─ overloaded, probes missed ─► Unready or Draining: see `probing.rs`
//! any ─── machine lost ► Failed ─ node not ready ─► Unready ─ evicted ─► Terminated ─► a new one
//! ```
//!
//! Assumptions: a crashed replica is replaced by a new one (its pod is gone), unless the plan has
//! it restarted; a hung one is restarted in its pod; one on a lost machine comes back with the
//! machine unless it was replaced before. What a start takes of the CPU is in `start_cpu`. If the
//! CPU limit is enforced in slices, each replica has a phase of its own, which a restart does not
//! move, and a container that starts has a whole quota. Where memory is given, a request holds the
//! same of it from its arrival to its end, and nothing else holds any; the one that is too many
//! ends the process at once. Left out: swapping and reclaiming, memory of the process by itself,
//! memory that is not given back, evictions by a machine without memory.

use super::crash_loop::CrashLoop;
use super::lifecycle;
use super::outlet::{Collector, Outlet};
use super::probes::Probes;
use super::start_cpu::StartCpu;
use super::version::Version;
use crate::engine::jobs::JobId;
use crate::engine::quota::{Bandwidth, Metered};
use crate::engine::server::{Coming, Server};
use crate::model::context::Context;
use crate::model::event::NodeId;
use crate::model::request::attempt::{AttemptId, InFlight, Stage};
use crate::observe::{Reading, ReplicaId, State};
use crate::plan::{Gray, Plan, Probe, Release, Slot, ZoneId};
use crate::random::{Seed, Stream};
use crate::units::{Instant, Share, Span};

/// A slow-down in progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::model) struct Slowdown {
    pub fault: usize,
    pub incident: usize,
    /// What it leaves of the CPU.
    pub share: Share,
}

/// The server that every replica begins with: on average `cores`, or all its threads until the
/// quota is used up. Its requests expire after the ingress's read time-out, unless attempts have
/// time-outs of their own: see `request/timeouts.rs`.
pub(super) fn idle_server(cx: &Context) -> Metered {
    let gateway = &cx.plan.gateway;
    let patience = if cx.feeds_back() { Span::MAX } else { cx.plan.ingress.first_timeout() };
    let cores = gateway.throttling.map_or(gateway.cores.0, |slices| f64::from(slices.threads));
    let bandwidth = gateway
        .throttling
        .map(|slices| Bandwidth { quota: slices.quota(gateway.cores), period: slices.period.0 });
    Metered::new(Server::new(cores, patience.0), bandwidth)
}

/// A replica.
#[derive(Clone, Debug)]
pub(in crate::model) struct Replica {
    pub id: ReplicaId,
    pub name: String,
    pub slot: Slot,
    pub zone: ZoneId,
    pub node: NodeId,
    state: State,
    /// Whether a process is there to accept requests (a hung one accepts, and its server is
    /// frozen); else its address is dead.
    pub listens: bool,
    /// Whether the ingress has its address.
    pub in_rotation: bool,
    /// Whether the API server takes it for ready, and since when it does or does not.
    pub known_ready: bool,
    pub known_since: Instant,
    /// Counts restarts; see [`super::event::Event`].
    pub epoch: u32,
    /// Counts how often it became ready after it had not been.
    pub readiness: u32,
    /// When its container started, from which probes count.
    pub container_started: Instant,
    /// When its start-up probe succeeded, if it has one: liveness and readiness are asked from then
    /// on, else from its start.
    pub started: Instant,
    /// How far into a probe period the container was then, if it runs from the beginning.
    pub probe_phase: Option<Span>,
    /// Which version it is of, and in what this replica differs: by that, or in a gray failure.
    pub version: Version,
    pub made: Release,
    /// Whether it fails requests by itself.
    pub fails: bool,
    /// Whether its APIs with contracts must be refused.
    pub lacks_contracts: bool,
    /// Clients whose contracts it knows to be revoked.
    pub revoked: Vec<u32>,
    /// Slow-downs in progress; the worst holds.
    pub slow: Vec<Slowdown>,
    /// What its start takes of the CPU.
    pub start_cpu: StartCpu,
    /// In which epoch its process was ready for the first time.
    pub after_ready_in: Option<u32>,
    /// Whether its process does nothing at all.
    pub hung: bool,
    /// Whether its machine is gone, so that nobody is left to refuse a connection.
    pub silent: bool,
    /// Its probes, if they compete for CPU.
    pub probes: Probes,
    /// Restarts of its container.
    pub crash_loop: CrashLoop,
    /// Decides the durations of its start-up and detection.
    pub stream: Stream,
    pub server: Metered,
    /// Requests on their way to its server, each with its ingress instance as its mark.
    pub inbox: Vec<Coming>,
    /// Its place in [`crate::model::request::next_completion::NextCompletions`], if it has one.
    pub completion_place: usize,
    /// Requests it has that wait for something other than its CPU, and most that it had in all.
    pub held: usize,
    /// Requests it has from each ingress instance, if these choose by that.
    from_instances: Vec<u32>,
    peak: usize,
    pub arrived: u64,
    pub served: u64,
}

impl Replica {
    /// Works out in what it differs, of the version that it has, while these gray failures last.
    pub fn make(&mut self, plan: &Plan, seed: Seed, gray: &[(usize, Gray)]) {
        let made = self.version.make(plan, seed, self.id);
        self.made = gray.iter().fold(made, |made, (_, gray)| made.grayed(gray));
        self.fails = self.made.failing > Share::ZERO;
    }

    /// A replica about to be scheduled, with a copy of the `fresh` server; `generation` counts the
    /// replicas of its slot.
    pub fn new(
        (id, generation): (ReplicaId, u64),
        (slot, zone, node): (Slot, ZoneId, NodeId),
        name: String,
        fresh: &Metered,
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
            listens: false,
            in_rotation: false,
            known_ready: false,
            known_since: Instant::ZERO,
            epoch: 0,
            readiness: 0,
            container_started: Instant::ZERO,
            started: Instant::ZERO,
            probe_phase: None,
            version: Version::default(),
            made: Release::SOUND,
            fails: false,
            lacks_contracts: false,
            revoked: Vec::new(),
            slow: Vec::new(),
            start_cpu: StartCpu::default(),
            after_ready_in: None,
            hung: false,
            silent: false,
            probes: Probes::default(),
            crash_loop: CrashLoop::default(),
            stream: seed.stream("replica", key),
            server: fresh.at_phase(seed.stream("quota", key).unit()),
            inbox: Vec::new(),
            completion_place: 0,
            held: 0,
            from_instances: Vec::new(),
            peak: 0,
            arrived: 0,
            served: 0,
        }
    }

    /// Lets its server work until this moment.
    #[inline(always)]
    pub fn advance(&mut self, cx: &mut Context) {
        self.advance_to(cx.now.0, cx);
    }

    /// Lets its server work until `until`.
    #[inline(always)]
    pub fn advance_to(&mut self, until: u64, cx: &mut Context) {
        let probes = &mut self.probes;
        if cx.feeds_back() {
            let mut collector = Collector { probes, in_flight: &mut cx.in_flight };
            return self.server.advance(until, &mut collector);
        }
        let mut outlet = Outlet { replica: self.id, served: 0, probes, cx };
        self.server.advance(until, &mut outlet);
        self.served += outlet.served;
    }

    /// Takes on everything in its inbox, in order.
    #[inline(always)]
    pub fn take_in(&mut self, cx: &mut Context) {
        let probes = &mut self.probes;
        let mut outlet = Outlet { replica: self.id, served: 0, probes, cx };
        debug_assert!(
            self.inbox.iter().all(|coming| Instant::from(coming.id).0 <= coming.at),
            "one was sent after it arrived"
        );
        self.server.take_all(&self.inbox, &mut outlet);
        self.served += outlet.served;
        self.arrived += self.inbox.len() as u64;
        self.inbox.clear();
    }

    /// Lets its server work until `now`, where requests feed back; gives when its next job will be
    /// done.
    #[inline(always)]
    pub fn work(&mut self, now: u64, in_flight: &mut InFlight) -> u64 {
        let probes = &mut self.probes;
        self.server.advance_and_next(now, &mut Collector { probes, in_flight })
    }

    /// Stops its CPU's work for an attempt at `now`.
    pub fn cancel(&mut self, attempt: AttemptId, now: u64, in_flight: &mut InFlight) {
        self.work(now, in_flight);
        in_flight.attempts[attempt].stage = Stage::UnderWay;
        // What else was cancelled at this moment may have let it be done.
        if !in_flight.departures.iter().any(|departure| departure.attempt == attempt) {
            let probes = &mut self.probes;
            self.server.cancel(now, &Collector { probes, in_flight });
        }
    }

    /// Takes the background jobs with this mark out of its server, which has been advanced to now.
    pub fn remove_background(&mut self, mark: u32, cx: &mut Context) {
        self.server.remove(cx.now.0, |job| job.is_background() && job.mark == mark);
        if cx.feeds_back() {
            let (probes, in_flight) = (&mut self.probes, &mut cx.in_flight);
            self.server.drop_tombstones(&Collector { probes, in_flight });
        }
    }

    /// Requests that it has from an ingress instance, if these choose by that.
    #[inline(always)]
    pub fn requests_from(&self, instance: usize) -> u32 {
        self.from_instances.get(instance).copied().unwrap_or(0)
    }

    /// It gets a request from an instance.
    pub fn begin_from(&mut self, instance: usize) {
        let instances = self.from_instances.len().max(instance + 1);
        self.from_instances.resize(instances, 0);
        self.from_instances[instance] += 1;
    }

    /// It is done with a request from an instance.
    pub fn end_from(&mut self, instance: usize) {
        assert!(self.requests_from(instance) > 0, "{} has none from {instance}", self.name);
        self.from_instances[instance] -= 1;
    }

    /// Requests that it has.
    #[inline(always)]
    pub fn in_flight(&self) -> usize {
        self.server.in_service() + self.held
    }

    /// Takes note of how many requests it has.
    #[inline(always)]
    pub fn note_peak(&mut self) {
        self.peak = self.peak.max(self.in_flight());
    }

    /// Begins to record the most requests anew.
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
            busy: self.used(now),
        }
    }

    /// Core-nanoseconds that its containers used until `now`.
    pub fn used(&self, now: Instant) -> f64 {
        self.server.busy_until(now.0) + self.start_cpu.used(now)
    }

    /// The share of its CPU that slow-downs in progress, and what it does when it is ready, leave
    /// to requests.
    pub fn share(&self) -> Share {
        let slow = self.slow.iter().map(|slow| slow.share.0).fold(1.0, f64::min);
        Share(slow * self.start_cpu.left)
    }

    /// Lets its server work as fast from `now` on as slow-downs and a hang allow.
    pub fn set_speed(&mut self, now: u64) {
        let speed = if self.hung { 0.0 } else { self.share().0 };
        assert!((0.0..=1.0).contains(&speed), "{} works at {speed} of its speed", self.name);
        self.server.set_speed(now, speed);
    }

    /// Its process dies at `now`, and all that belonged to it: gives the requests lost and the
    /// slow-downs that are over.
    pub fn end_process(&mut self, now: u64) -> (Vec<JobId>, Vec<Slowdown>) {
        let lost = self.server.kill(now);
        assert!(self.inbox.is_empty(), "{} dies before it took its requests in", self.name);
        self.epoch += 1;
        self.probes.end();
        self.listens = false;
        (self.hung, self.lacks_contracts) = (false, false);
        self.start_cpu.end(Instant(now));
        let slow = std::mem::take(&mut self.slow);
        self.set_speed(now);
        debug_assert_eq!(self.server.in_service(), 0, "{} works on without a process", self.name);
        (lost, slow)
    }

    /// Moves it to a state, and takes note of what the API server learns of that: nothing of a hang
    /// or a failure until somebody notices.
    pub fn enter(&mut self, state: State, now: Instant) {
        let (name, from) = (&self.name, self.state);
        assert!(lifecycle::may_follow(from, state), "{name} went from {from:?} to {state:?}");
        if from == State::Booting {
            self.start_cpu.end(now);
        }
        self.state = state;
        self.check();
        let known = match state {
            State::Ready => true,
            State::Hung | State::Failed => self.known_ready,
            State::Draining => self.known_ready && self.probes.stopping,
            _ => false,
        };
        self.be_known(known, now);
    }

    /// What must hold in each state, whatever led there.
    fn check(&self) {
        use State::*;
        let (name, state) = (&self.name, self.state);
        match state {
            Probing | Ready | Hung => assert!(self.listens, "{name} is {state:?} and dead"),
            Scheduling | Sandbox | Image | Booting | Configuring | Contracts | BackOff | Failed
            | Terminated => assert!(!self.listens, "{name} is {state:?} and listens"),
            Unready | Draining => {}
        }
        let frozen = matches!(state, Hung | Unready | Draining);
        assert!(!self.hung || frozen, "{name} is {state:?} and hung");
        assert!(!(self.hung && self.silent), "{name} hangs on a machine that is gone");
        let gone = matches!(state, Failed | Unready | Terminated);
        assert!(!self.silent || gone, "{name} is {state:?} on a machine that is gone");
        assert!(self.slow.is_empty() || self.listens, "{name} is {state:?} and slow");
        assert!(!self.lacks_contracts || self.listens, "{name} lacks contracts and is dead");
        assert!(!self.probes.stopping || self.listens, "{name} stops and is dead");
    }

    /// Where it is in its life.
    #[inline(always)]
    pub fn state(&self) -> State {
        self.state
    }

    /// It has ended and will not be sampled again: what it held is given up, with a copy of the
    /// `fresh` server.
    pub fn reap(&mut self, fresh: &Metered) {
        assert_eq!(self.state, State::Terminated, "{} is alive", self.name);
        assert!(self.inbox.is_empty(), "{} has requests to take in", self.name);
        assert_eq!(self.held, 0, "{} holds attempts", self.name);
        (self.inbox, self.server) = (Vec::new(), fresh.clone());
        (self.name, self.slow) = (String::new(), Vec::new());
    }

    /// The API server learns whether it is ready.
    pub fn be_known(&mut self, ready: bool, now: Instant) {
        if ready != self.known_ready {
            let since = self.known_since;
            assert!(since <= now, "{} is known since {since}, after {now}", self.name);
            (self.known_ready, self.known_since) = (ready, now);
        }
    }

    /// Whether the API server has known it to be ready for so long.
    pub fn is_available(&self, now: Instant, min_ready: Span) -> bool {
        // One that runs from the beginning has been ready for long.
        let is_old = self.probe_phase.is_some() || now.since(self.known_since) >= min_ready;
        self.known_ready && is_old
    }

    /// Whether the replica is serving as far as it knows itself.
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// What changes whenever it restarts or becomes ready anew: random faults that were to hit it
    /// are off.
    pub fn incarnation(&self) -> u32 {
        // Neither number ever falls.
        self.epoch.wrapping_add(self.readiness)
    }

    /// Whether its process works, as far as it is seen from inside.
    pub fn works(&self) -> bool {
        self.listens && !self.hung
    }

    /// How long its container has been running at `now`.
    pub fn ran(&self, now: Instant) -> Span {
        // One that runs from the beginning did so for long.
        self.probe_phase.map_or_else(|| now.since(self.container_started), |_| Span::MAX)
    }

    /// The first probe of this kind at or after `time`.
    pub fn next_probe(&self, probe: &Probe, time: Instant) -> Instant {
        if probe.period == Span::ZERO {
            return time.max(self.first_probe(probe));
        }
        // A replica that runs from the beginning has been probed for long: only the phase is left.
        let first = match self.probe_phase {
            None => self.first_probe(probe),
            Some(phase) => self.container_started + Span(phase.0 % probe.period.0),
        };
        let late = time.since(first).0;
        let next = first + probe.period * late.div_ceil(probe.period.0);
        debug_assert!(next >= time, "a probe at {next} is before {time}");
        next
    }

    /// The first probe of this kind after the container's start.
    fn first_probe(&self, probe: &Probe) -> Instant {
        self.started.max(self.container_started + probe.initial_delay)
    }

    /// When a process that says no to every probe after `told` has failed enough of them.
    pub fn probe_refusal(&self, probe: &Probe, told: Instant) -> Instant {
        self.next_probe(probe, told) + probe.period * u64::from(probe.failures.max(1) - 1)
    }

    /// When a process that answers no probe after `hung` has failed enough of them.
    pub fn probe_failure(&self, probe: &Probe, hung: Instant) -> Instant {
        self.probe_refusal(probe, hung) + probe.timeout
    }
}
