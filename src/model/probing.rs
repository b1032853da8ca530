//! Probes that compete for CPU: each is a piece of work that its replica must get done in time.
//!
//! ```text
//! sent at its period ─► shares the CPU with the requests ─┬─ done within the timeout ─► success
//!                                                         └─ not done: killed ────────► miss
//! readiness: misses in a row ─► Unready ─ one success ─► Ready (the process went on all the time)
//! liveness:  misses in a row ─► hung: killed after the grace ─────────┬─► back-off ─► restarted
//!                           └─► works: Draining, ends after its drain ┘
//! ```
//!
//! With n requests on c cores a probe of d CPU seconds takes about d·(n+1)/c, so an overloaded
//! replica misses its probes as a hung one does, and the kubelet treats both alike. A process that
//! still works hears the polite signal: it says no to readiness from then on, works for the time of
//! its drain (the grace at most), and what it has then is lost. It stays in the endpoints until
//! readiness has failed often enough or it has ended.
//!
//! A success that makes a replica ready counts from when it is looked at: while one is waited for,
//! every 10 ms. All others count from the probe's timeout, which changes nothing: only their number
//! matters.
//!
//! Assumptions: probing begins when the process is able to serve (before, readiness would fail and
//! liveness is taken to succeed); a probe costs the same each time; the next probe is sent at the
//! first period after the answer or the timeout of the last one; liveness is not asked any more
//! once it has failed or the replica is deleted. Random faults whose time comes while a replica is
//! unready find nothing to hit; their clocks start again when it is back in rotation. Left out:
//! probes by HTTP, start-up probes, a success threshold above one.

use super::World;
use super::event::Event;
use crate::observe::{Observation, Observer, ReplicaId, State};
use crate::plan::Probe;
use crate::units::{Instant, Span};

/// How often a probe is looked at whose success is waited for.
const LOOK: Span = Span(10_000_000);

/// Which probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Readiness,
    Liveness,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Readiness, Kind::Liveness];

    /// The mark of its work in a server; no ingress instance has such a number.
    fn mark(self) -> u32 {
        u32::MAX - self as u32
    }

    /// What facts call it.
    fn cause(self) -> &'static str {
        match self {
            Kind::Readiness => "readiness probe",
            Kind::Liveness => "liveness probe",
        }
    }
}

/// What is known of the probes of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    /// When the last one was sent.
    sent: Instant,
    answered: bool,
    /// Misses in a row.
    misses: u32,
}

/// The probes of a replica.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probing {
    /// Counts processes; events of an older one are void.
    pub process: u32,
    /// Whether the process was told to stop because of its liveness.
    pub stopping: bool,
    watches: [Watch; 2],
}

impl Probing {
    /// The process ended.
    pub fn end(&mut self) {
        *self = Probing { process: self.process + 1, ..Probing::default() };
    }

    /// The work of a probe is done.
    pub fn answer(&mut self, mark: u32) {
        for kind in Kind::ALL {
            self.watches[kind as usize].answered |= kind.mark() == mark;
        }
    }
}

impl<O: Observer> World<'_, O> {
    /// Whether probes take CPU of their replicas.
    pub(super) fn probes_compete(&self) -> bool {
        self.plan.detection.probe_cpu.is_some()
    }

    fn probe(&self, kind: Kind) -> &Probe {
        match kind {
            Kind::Readiness => &self.plan.startup.readiness,
            Kind::Liveness => &self.plan.detection.liveness,
        }
    }

    /// A process is able to serve: its probes begin.
    pub(super) fn begin_probes(&mut self, id: ReplicaId) {
        for kind in Kind::ALL {
            self.await_probe(id, kind, self.now);
        }
    }

    /// The next probe is the first at or after `time`.
    fn await_probe(&mut self, id: ReplicaId, kind: Kind, time: Instant) {
        let replica = &self.replicas[id];
        let (at, process) = (replica.next_probe(self.probe(kind), time), replica.probing.process);
        self.schedule(at, Event::ProbeSent { replica: id, process, kind });
    }

    /// A probe is sent.
    pub(super) fn send_probe(&mut self, id: ReplicaId, kind: Kind) {
        let (now, cpu) = (self.now, self.plan.detection.probe_cpu.unwrap_or_default());
        let replica = &mut self.replicas[id];
        replica.advance(now.0, &mut self.exit, self.observer);
        replica.server.push_background(now.0, cpu.0 as f64, kind.mark());
        let watch = &mut replica.probing.watches[kind as usize];
        (watch.sent, watch.answered) = (now, false);
        self.await_answer(id, kind);
    }

    /// The probe is looked at when its time is up; sooner if its success is waited for.
    fn await_answer(&mut self, id: ReplicaId, kind: Kind) {
        let replica = &self.replicas[id];
        let is_awaited = kind == Kind::Readiness && is_waiting(replica.state);
        let due = replica.probing.watches[kind as usize].sent + self.probe(kind).timeout;
        let at = if is_awaited { due.min(self.now + LOOK) } else { due };
        let process = replica.probing.process;
        self.schedule(at, Event::ProbeLooked { replica: id, process, kind });
    }

    /// A probe is looked at: it has succeeded, has failed, or goes on.
    pub(super) fn look_at_probe(&mut self, id: ReplicaId, kind: Kind) {
        let (now, probe) = (self.now, *self.probe(kind));
        let replica = &mut self.replicas[id];
        replica.advance(now.0, &mut self.exit, self.observer);
        let Watch { sent, answered, .. } = replica.probing.watches[kind as usize];
        if !answered && now < sent + probe.timeout {
            return self.await_answer(id, kind);
        }
        if !answered {
            replica.remove_background(kind.mark(), now.0, &mut self.exit);
        }
        // A process that was told to stop says no.
        let succeeded = answered && !(kind == Kind::Readiness && replica.probing.stopping);
        let watch = &mut replica.probing.watches[kind as usize];
        watch.misses = if succeeded { 0 } else { watch.misses.saturating_add(1) };
        let failed = watch.misses == probe.failures.max(1);
        if !(failed && kind == Kind::Liveness) {
            self.await_probe(id, kind, now.max(sent + Span(1)));
        }
        match kind {
            Kind::Readiness if succeeded && is_waiting(self.replicas[id].state) => {
                self.become_ready(id);
            }
            Kind::Readiness if failed => self.fail_readiness(id),
            Kind::Liveness if failed => self.fail_liveness(id),
            _ => {}
        }
    }

    fn fail_readiness(&mut self, id: ReplicaId) {
        match self.replicas[id].state {
            State::Ready | State::Hung => {
                self.tell_failure(id, Kind::Readiness);
                self.lose_readiness(id, Kind::Readiness.cause());
            }
            State::Draining if self.replicas[id].probing.stopping => {
                self.replicas[id].be_known(false, self.now);
                self.announce_leave(id);
            }
            _ => {}
        }
    }

    /// The kubelet stops the container: politely, and by force when the grace is over.
    fn fail_liveness(&mut self, id: ReplicaId) {
        if self.replicas[id].state == State::Draining {
            return; // deleted, and not asked any more
        }
        self.tell_failure(id, Kind::Liveness);
        let grace = self.plan.detection.grace;
        let lasts = match self.replicas[id].hung {
            true => grace,
            false => {
                self.replicas[id].probing.stopping = true;
                self.enter(id, State::Draining, Kind::Liveness.cause());
                grace.min(self.plan.termination.drain)
            }
        };
        let epoch = self.replicas[id].epoch;
        self.schedule(self.now + lasts, Event::HungKilled { replica: id, epoch });
    }

    fn tell_failure(&mut self, id: ReplicaId, kind: Kind) {
        let liveness = kind == Kind::Liveness;
        self.tell(Observation::ProbesFailed { replica: id, liveness });
    }

    /// A container that its kubelet stops has ended.
    pub(super) fn end_stopped(&mut self, id: ReplicaId) {
        // Deleted while it was being stopped.
        if !self.holds_slot(id) {
            return self.end_drain(id, "drained");
        }
        self.kill_hung(id);
    }
}

/// Whether a working process in this state becomes ready at the first success.
fn is_waiting(state: State) -> bool {
    matches!(state, State::Probing | State::Unready)
}
