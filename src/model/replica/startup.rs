//! What a new replica passes through before it takes requests.
//!
//! ```text
//! Scheduling → Sandbox → Image → Booting → Configuring → Contracts → Probing → Ready → in rotation
//!                               └ container starts: probes count from here
//!                                 booting for too long ─► killed ─► back-off ─► Booting
//! ```
//!
//! Configuring is skipped when the configuration is local (a managed gateway keeps it in the
//! cluster; a cache that an earlier replica filled does the same). Contracts are skipped when the
//! APIs use none, or when only the APIs with contracts wait for them: then they are fetched beside
//! the rest. Readiness is seen by a probe, so it comes at the first probe after the process is
//! able. Where probes compete for CPU (`probing.rs`) that probe must be done in time as well.
//!
//! Liveness is asked from the container's start and its initial delay on, whether the process is
//! up or not: one that boots refuses the connection, and after so many failures in a row the
//! kubelet kills it, again and again. With a start-up probe that one decides alone: liveness and
//! readiness are asked from its first success on.
//!
//! Assumptions: phases follow one another; a pull never waits for another pull; the start-up probe
//! and liveness succeed once the process has booted, also while it waits for its configuration and
//! its contracts; a process that boots ends at once when it is told to. Left out: init containers,
//! slow start of the balancer.

use super::crash_loop::CrashLoop;
use super::fleet::Fleet;
use super::process::Replica;
use crate::model::context::Context;
use crate::model::event::{Event, Wanted};
use crate::observe::{Observation, ProbeKind, ReplicaId, State};
use crate::plan::{Configuration, Gate, Starts};
use crate::random::Law;
use crate::units::Span;

impl Fleet {
    /// A new replica begins at the scheduler.
    pub fn begin_scheduling(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        let law = &cx.plan.startup.schedule;
        self.begin_phase(cx, id, State::Scheduling, law, cause);
    }

    /// A replica is given a new sandbox on its old place.
    pub fn begin_sandbox(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        self[id].crash_loop = CrashLoop::default();
        let law = &cx.plan.startup.sandbox;
        self.begin_phase(cx, id, State::Sandbox, law, cause);
    }

    /// The container starts; probes count from now.
    pub fn begin_container(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        assert!(!self[id].silent, "{} starts on a machine that is gone", self[id].name);
        let replica = &mut self[id];
        (replica.container_started, replica.started, replica.probe_phase) = (cx.now, cx.now, None);
        self.enter(cx, id, State::Booting, cause);
        if cx.plan.startup.boot_cpu > 0.0 {
            self[id].start_cpu.begin(cx.now, cx.plan.startup.boot_cpu, 1.0);
        }
        let boot = self.draw(id, &cx.plan.startup.boot);
        let (longest, epoch) = (cx.plan.longest_boot(), self[id].epoch);
        match boot > longest {
            true => cx.schedule(cx.now + longest, Event::HungKilled { replica: id, epoch }),
            false => cx.schedule(cx.now + boot, Event::PhaseEnds { replica: id, epoch }),
        }
    }

    /// A container has waited long enough to be started again.
    pub fn end_back_off(&mut self, cx: &mut Context, id: ReplicaId) {
        self.begin_container(cx, id, "back-off over");
    }

    fn begin_phase(
        &mut self,
        cx: &mut Context,
        id: ReplicaId,
        state: State,
        law: &Law,
        cause: &'static str,
    ) {
        self.enter(cx, id, state, cause);
        let ends = cx.now + self.draw(id, law);
        cx.schedule(ends, Event::PhaseEnds { replica: id, epoch: self[id].epoch });
    }

    /// The current phase is over. What comes after scheduling and the sandbox depends on the node:
    /// see the cluster.
    pub fn enter_next_phase(&mut self, cx: &mut Context, id: ReplicaId) {
        match self[id].state() {
            State::Image => self.begin_container(cx, id, "image present"),
            State::Booting if self[id].made.starts == Starts::Crashes => {
                self.stop_process(cx, id, "crashed when it started");
                self.restart_in_place(cx, id);
            }
            State::Booting => {
                if let Some(probe) = &cx.plan.startup.probe {
                    self[id].started = self[id].next_probe(probe, cx.now);
                }
                self.begin_configuring(cx, id);
            }
            State::Configuring => self.begin_contracts(cx, id),
            State::Contracts => self.begin_probing(cx, id),
            state => unreachable!("a replica has no phase to end that is {state:?}"),
        }
    }

    /// The sandbox is there; a node that is new has to pull the image.
    pub fn begin_image(&mut self, cx: &mut Context, id: ReplicaId, on_new_node: bool) {
        let (nodes, startup) = (&cx.plan.nodes, &cx.plan.startup);
        let law = if on_new_node { &nodes.image } else { &startup.image };
        self.begin_phase(cx, id, State::Image, law, "sandbox ready");
    }

    fn begin_configuring(&mut self, cx: &mut Context, id: ReplicaId) {
        match cx.plan.startup.configuration {
            Configuration::Local => self.begin_contracts(cx, id),
            Configuration::Download(_) => {
                self.enter(cx, id, State::Configuring, "downloads its configuration");
                self.begin_fetch(cx, id, Wanted::Configuration);
            }
        }
    }

    fn begin_contracts(&mut self, cx: &mut Context, id: ReplicaId) {
        match cx.plan.startup.contracts.as_ref().map(|contracts| contracts.gate) {
            None => self.begin_probing(cx, id),
            Some(Gate::Replica) => {
                self.enter(cx, id, State::Contracts, "downloads contracts before it takes traffic");
                self.begin_fetch(cx, id, Wanted::Contracts);
            }
            Some(Gate::Api(_)) => {
                self[id].lacks_contracts = true;
                cx.tell(Observation::ContractsMissing { replica: id });
                self.begin_probing(cx, id);
                self.begin_fetch(cx, id, Wanted::Contracts);
            }
        }
    }

    /// The process is able to serve; the next readiness probe will see it.
    fn begin_probing(&mut self, cx: &mut Context, id: ReplicaId) {
        let replica = &mut self[id];
        assert!(!replica.listens && !replica.hung, "{} has a process", replica.name);
        replica.listens = true;
        let (epoch, seen) = (replica.epoch, replica.next_probe(&cx.plan.startup.readiness, cx.now));
        self.enter(cx, id, State::Probing, "able to serve");
        if cx.plan.detection.follows_probes() {
            return self.begin_probes(cx, id);
        }
        if self[id].made.starts == Starts::NeverReady {
            return;
        }
        cx.schedule(seen, Event::ProbeSucceeds { replica: id, epoch });
    }

    /// The readiness probe succeeds; the ingress hears of it after the propagation delay.
    pub fn become_ready(&mut self, cx: &mut Context, id: ReplicaId) {
        assert!(self[id].works(), "{} is ready without working", self[id].name);
        assert!(!self[id].probes.stopping, "{} is ready while it stops", self[id].name);
        self[id].readiness += 1;
        // It has fetched its contracts, and knows every revocation.
        self[id].revoked = cx.control_plane.revoked().to_vec();
        self.enter(cx, id, State::Ready, "readiness probe succeeded");
        self.begin_after_ready(cx, id);
        let joins = self.ingress_knows(cx, id);
        let Replica { epoch, readiness, .. } = self[id];
        cx.schedule(joins, Event::Joins { replica: id, epoch, readiness });
    }

    /// A process that is ready for the first time uses CPU beside its requests for a while.
    fn begin_after_ready(&mut self, cx: &mut Context, id: ReplicaId) {
        let ((lasts, cores), replica) = (cx.plan.startup.after_ready, &mut self[id]);
        // One that was ready before has done it.
        if cores == 0.0 || replica.after_ready_in == Some(replica.epoch) {
            return;
        }
        let epoch = replica.epoch;
        replica.after_ready_in = Some(epoch);
        replica.advance(cx);
        replica.start_cpu.begin(cx.now, cores, 1.0 - cores / cx.plan.gateway.cores.0);
        self.change_speed(cx, id);
        cx.schedule(cx.now + lasts, Event::StartIsOver { replica: id, epoch });
    }

    /// It uses no more than its requests take.
    pub fn end_after_ready(&mut self, cx: &mut Context, id: ReplicaId) {
        let replica = &mut self[id];
        replica.advance(cx);
        replica.start_cpu.end(cx.now);
        self.change_speed(cx, id);
    }

    /// A container whose process ended leaves the endpoints and is started again in its pod when
    /// its back-off is over.
    pub fn restart_in_place(&mut self, cx: &mut Context, id: ReplicaId) {
        self.announce_leave(cx, id);
        let replica = &mut self[id];
        let ran = replica.ran(cx.now);
        let wait = replica.crash_loop.wait(ran, &cx.plan.detection.backoff);
        assert!(!replica.listens, "{} is restarted while it runs", replica.name);
        if wait == Span::ZERO {
            return self.begin_container(cx, id, "restarted in place");
        }
        let (at, epoch) = (cx.now + wait, replica.epoch);
        self.enter(cx, id, State::BackOff, "waits to be restarted in place");
        cx.schedule(at, Event::BackOffEnds { replica: id, epoch });
    }

    /// Liveness failed and the process had its time, or it booted for too long: it is killed and
    /// started again in its pod.
    pub fn kill_hung(&mut self, cx: &mut Context, id: ReplicaId) {
        let cause = match self[id].state() == State::Booting {
            true => self.give_up_boot(cx, id),
            false => "killed by the liveness probe",
        };
        self.stop_process(cx, id, cause);
        self.restart_in_place(cx, id);
    }

    /// A container has booted for as long as its probes allow.
    fn give_up_boot(&mut self, cx: &mut Context, id: ReplicaId) -> &'static str {
        let (probe, cause) = match cx.plan.startup.probe {
            Some(_) => (ProbeKind::Startup, "killed by the start-up probe while it booted"),
            None => (ProbeKind::Liveness, "killed by the liveness probe while it booted"),
        };
        cx.tell(Observation::ProbesFailed { replica: id, probe });
        cause
    }
}
