//! Probes that compete for CPU, or ask an upstream: each must be answered in time.
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
//! A probe that asks an upstream succeeds if that answers as well, within the timeout. All replicas
//! ask the same, so its failure is theirs: readiness empties the rotation, liveness restarts them.
//! What the upstream will say is settled when the probe is sent, see `Upstreams::asked`.
//!
//! A success that makes a replica ready counts from when it is checked: while one is waited for,
//! every 10 ms. All others count from the probe's timeout, which changes nothing: only their number
//! matters.
//!
//! Assumptions: probing begins when the process is able to serve (before, readiness fails; liveness
//! fails while it boots, see `startup.rs`, and succeeds from then on); a probe costs the same each
//! time, and that of the start nothing; the next probe is sent at the
//! first period after the answer or the timeout of the last one; liveness is not asked any more
//! once it has failed or the replica is deleted. Random faults whose time comes while a replica is
//! unready find nothing to hit; their clocks start again when it is back in rotation. Left out:
//! probes by HTTP, a success threshold above one.

use super::fleet::Fleet;
use super::probes::{Asked, ProbeRecord};
use crate::model::context::Context;
use crate::model::event::{CompetingProbe, Event};
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{Plan, Probe, Starts};
use crate::units::{Instant, Span};

/// How often a probe is checked whose success is waited for.
const CHECK: Span = Span(10_000_000);

impl Fleet {
    /// A process is able to serve: its probes begin.
    pub fn begin_probes(&mut self, cx: &mut Context, id: ReplicaId) {
        for kind in CompetingProbe::ALL {
            self.await_probe(cx, id, kind, cx.now);
        }
    }

    /// The next probe is the first at or after `time`.
    fn await_probe(
        &mut self,
        cx: &mut Context,
        id: ReplicaId,
        kind: CompetingProbe,
        time: Instant,
    ) {
        let replica = &self[id];
        let (at, process) =
            (replica.next_probe(probe(cx.plan, kind), time), replica.probes.process);
        cx.schedule(at, Event::ProbeSent { replica: id, process, kind });
    }

    /// A probe is sent; its upstream is going to say what was `asked`.
    pub fn send_probe(
        &mut self,
        cx: &mut Context,
        (id, kind): (ReplicaId, CompetingProbe),
        asked: Option<Asked>,
    ) {
        let now = cx.now;
        let replica = &mut self[id];
        assert!(replica.listens, "{} is sent a probe and has no process", replica.name);
        replica.advance(cx);
        // What costs no CPU is answered by any process that does not hang, which asks nobody.
        let costs = cx.plan.detection.probe_cpu;
        if let Some(cpu) = costs {
            replica.server.push_background(now.0, cpu.0 as f64, kind.mark());
        }
        assert!(asked.is_none_or(|asked| asked.at >= now), "it answered before it was asked");
        let asked = asked.filter(|_| !replica.hung);
        let answered = costs.is_none() && !replica.hung;
        let record = &mut replica.probes.records[kind as usize];
        *record = ProbeRecord { sent: now, answered, asked, ..*record };
        self.await_answer(cx, id, kind);
    }

    /// The probe is checked when its time is up; sooner if its success is waited for.
    fn await_answer(&mut self, cx: &mut Context, id: ReplicaId, kind: CompetingProbe) {
        let replica = &self[id];
        let is_awaited = kind == CompetingProbe::Readiness && is_waiting(replica.state());
        let record = replica.probes.records[kind as usize];
        let due = record.sent + probe(cx.plan, kind).timeout;
        let due = due.min(record.refused_at().unwrap_or(due));
        let at = if is_awaited { due.min(cx.now + CHECK) } else { due };
        let process = replica.probes.process;
        cx.schedule(at, Event::ProbeChecked { replica: id, process, kind });
    }

    /// A probe is checked: it has succeeded, has failed, or goes on.
    pub fn check_probe(&mut self, cx: &mut Context, id: ReplicaId, kind: CompetingProbe) {
        let (now, probe) = (cx.now, *probe(cx.plan, kind));
        let replica = &mut self[id];
        replica.advance(cx);
        let record = replica.probes.records[kind as usize];
        let (sent, has_upstream) = (record.sent, record.has_upstream(now));
        let refused = record.refused_at().is_some_and(|at| at <= now);
        assert!(sent <= now, "a probe of {} was sent at {sent}, after {now}", replica.name);
        assert!(replica.listens, "{} is probed without a process", replica.name);
        let answered = record.answered && has_upstream;
        if !answered && !refused && now < sent + probe.timeout {
            return self.await_answer(cx, id, kind);
        }
        if !record.answered && cx.plan.detection.probe_cpu.is_some() {
            replica.remove_background(kind.mark(), cx);
        }
        // A process that was told to stop says no, and so does one that is never ready.
        let refuses = replica.probes.stopping || replica.made.starts == Starts::NeverReady;
        let succeeded = answered && !(kind == CompetingProbe::Readiness && refuses);
        let record = &mut replica.probes.records[kind as usize];
        record.misses = if succeeded { 0 } else { record.misses.saturating_add(1) };
        let failed = record.misses == probe.failures.max(1);
        if !(failed && kind == CompetingProbe::Liveness) {
            self.await_probe(cx, id, kind, now.max(sent + Span(1)));
        }
        // A process that did answer failed for its upstream alone.
        let fails_with = kind.asks(cx.plan.detection.asks).filter(|_| !has_upstream && !refuses);
        match kind {
            CompetingProbe::Readiness if succeeded && is_waiting(self[id].state()) => {
                self.become_ready(cx, id);
            }
            CompetingProbe::Readiness if failed => self.fail_readiness(cx, id, fails_with),
            CompetingProbe::Liveness if failed => self.fail_liveness(cx, id, fails_with),
            _ => {}
        }
    }

    fn fail_readiness(&mut self, cx: &mut Context, id: ReplicaId, upstream: Option<usize>) {
        match self[id].state() {
            State::Ready | State::Hung => {
                tell_failure(cx, id, CompetingProbe::Readiness);
                self.lose_readiness(cx, id, CompetingProbe::Readiness.cause());
                self.blame(cx, id, CompetingProbe::Readiness, upstream);
            }
            State::Draining if self[id].probes.stopping => {
                self.lose_readiness(cx, id, CompetingProbe::Readiness.cause());
            }
            _ => {}
        }
    }

    /// The kubelet stops the container: politely, and by force when the grace is over.
    fn fail_liveness(&mut self, cx: &mut Context, id: ReplicaId, upstream: Option<usize>) {
        if self[id].state() == State::Draining {
            return; // deleted, and not asked any more
        }
        tell_failure(cx, id, CompetingProbe::Liveness);
        let grace = cx.plan.detection.grace;
        let lasts = match self[id].hung {
            true => grace,
            false => {
                assert!(!self[id].probes.stopping, "{} stops already", self[id].name);
                self[id].probes.stopping = true;
                self.enter(cx, id, State::Draining, CompetingProbe::Liveness.cause());
                grace.min(cx.plan.termination.drain)
            }
        };
        let epoch = self[id].epoch;
        cx.schedule(cx.now + lasts, Event::HungKilled { replica: id, epoch });
        self.blame(cx, id, CompetingProbe::Liveness, upstream);
    }

    /// Tells of the upstream for which a replica failed its probes, and how many are left.
    fn blame(
        &self,
        cx: &mut Context,
        replica: ReplicaId,
        kind: CompetingProbe,
        upstream: Option<usize>,
    ) {
        if let Some(upstream) = upstream {
            let (probe, ready) = (kind.told(), self.count_ready());
            assert!(upstream < cx.plan.dependencies.upstreams.len(), "no upstream {upstream}");
            cx.tell(Observation::UpstreamFailedProbe { replica, probe, upstream, ready });
        }
    }
}

/// Whether a working process in this state becomes ready at the first success.
fn is_waiting(state: State) -> bool {
    matches!(state, State::Probing | State::Unready)
}

/// The settings of a kind of probe.
fn probe(plan: &Plan, kind: CompetingProbe) -> &Probe {
    match kind {
        CompetingProbe::Readiness => &plan.startup.readiness,
        CompetingProbe::Liveness => &plan.detection.liveness,
    }
}

fn tell_failure(cx: &mut Context, replica: ReplicaId, kind: CompetingProbe) {
    cx.tell(Observation::ProbesFailed { replica, probe: kind.told() });
}
