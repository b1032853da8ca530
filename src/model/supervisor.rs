//! Who notices a failure, and who replaces the replica.
//!
//! ```text
//! crash      ─ runtime reports ─► endpoint removed (after propagation), new replica at once, or
//!                                 restarted in place
//! hang       ─ readiness probes fail ─► endpoint removed
//!            ─ liveness probes fail, grace over ─► restarted in place, after the back-off
//! overload   ─ as a hang, where probes compete for CPU: see `probing.rs`
//! deleted    ─► endpoint removed; time to finish what it has, then gone
//! ```
//!
//! What becomes of lost machines is told in `lifecycle`, where replacements go in `scheduler`.

use super::World;
use super::event::Event;
use crate::observe::{Observation, Observer, ReplicaId, State};
use crate::plan::{AfterCrash, Slot, ZoneId};
use crate::units::Share;

impl<O: Observer> World<'_, O> {
    /// A replica stops being ready; the ingress hears of it after the propagation delay.
    pub(super) fn lose_readiness(&mut self, id: ReplicaId, cause: &'static str) {
        self.enter(id, State::Unready, cause);
        self.announce_leave(id);
    }

    pub(super) fn announce_leave(&mut self, id: ReplicaId) {
        if self.balancer.knows(id) {
            let at = self.now + self.draw(id, &self.plan.ingress.propagation);
            let readiness = self.replicas[id].readiness;
            self.schedule(at, Event::Leaves { replica: id, readiness });
        }
    }

    /// A replica is given up, and a new one takes its slot.
    pub(super) fn replace(&mut self, id: ReplicaId, cause: &'static str) {
        let (slot, zone) = (self.replicas[id].slot, self.replicas[id].zone);
        self.slots[slot] = None;
        self.terminate(id, cause);
        self.refill(slot, zone, "replaces a lost replica");
    }

    /// A slot that lost its replica gets another one, unless a rollout has enough new ones already.
    pub(super) fn refill(&mut self, slot: Slot, zone: ZoneId, cause: &'static str) {
        if self.has_enough_new() {
            return self.tell(Observation::SlotGone { slot });
        }
        self.place(slot, Some(zone), cause);
    }

    /// A replica is gone for good, and its node has room again.
    fn terminate(&mut self, id: ReplicaId, cause: &'static str) {
        self.enter(id, State::Terminated, cause);
        self.announce_leave(id);
        self.nodes.get_mut(self.replicas[id].node).held -= 1;
        self.note_emptier(self.replicas[id].node);
        self.serve_waiting("a node has room");
    }

    /// A replica is deleted: it leaves the endpoints and has some time to finish what it has. One
    /// that does not serve is gone at once.
    pub(super) fn drain(&mut self, id: ReplicaId, cause: &'static str) {
        let replica = &self.replicas[id];
        if replica.probing.stopping {
            return self.announce_leave(id); // its end is set already
        }
        let works_on = replica.state == State::Unready && replica.works();
        let lasts = match replica.is_ready() || works_on {
            true => self.plan.drain(),
            // Nothing in it hears the polite signal.
            false if replica.hung => self.plan.detection.grace,
            false => return self.end_drain(id, cause),
        };
        self.enter(id, State::Draining, cause);
        self.announce_leave(id);
        let (ends, epoch) = (self.now + lasts, self.replicas[id].epoch);
        self.schedule(ends, Event::DrainEnds { replica: id, epoch });
    }

    /// The process of a deleted replica ends, and what it still has is cut off.
    pub(super) fn end_drain(&mut self, id: ReplicaId, cause: &'static str) {
        if self.replicas[id].works() {
            self.note_down(id, true);
        }
        self.stop_process(id, cause);
        self.terminate(id, cause);
    }

    /// A crash: the process is gone, and its requests with it.
    pub(super) fn crash(&mut self, id: ReplicaId) {
        self.stop_process(id, "crash");
        let noticed = self.now + self.draw(id, &self.plan.detection.crash);
        self.schedule(noticed, Event::CrashNoticed { replica: id, epoch: self.replicas[id].epoch });
    }

    /// The runtime reports a crash.
    pub(super) fn note_crash(&mut self, id: ReplicaId) {
        match self.plan.detection.after_crash {
            AfterCrash::Replaced => self.replace(id, "crash noticed"),
            AfterCrash::Restarted => self.restart_in_place(id),
        }
    }

    /// The process dies at this moment; what it had in hand is lost.
    pub(super) fn stop_process(&mut self, id: ReplicaId, cause: &'static str) {
        let now = self.now.0;
        let replica = &mut self.replicas[id];
        replica.advance(now, &mut self.exit, self.observer);
        let (lost, slow) = replica.end_process(now);
        if !slow.is_empty() {
            self.tell(Observation::Speed { replica: id, share: Share::ONE });
        }
        if self.feeds_back() {
            self.lose_held(id);
            self.note_down(id, false);
        } else {
            self.lose(lost);
        }
        self.enter(id, State::Failed, cause);
        slow.iter().for_each(|slow| self.end_fault(slow.fault, slow.incident));
    }

    /// The process stops working but keeps its address.
    pub(super) fn hang(&mut self, id: ReplicaId) {
        let now = self.now;
        let replica = &mut self.replicas[id];
        replica.advance(now.0, &mut self.exit, self.observer);
        replica.hung = true;
        replica.set_speed(now.0);
        replica.epoch += 1;
        let epoch = replica.epoch;
        if self.plan.detection.probe_cpu.is_some() {
            return self.enter(id, State::Hung, "hang"); // its probes will find it
        }
        let detection = &self.plan.detection;
        let unready = replica.probe_failure(&self.plan.startup.readiness, now);
        let killed = replica.probe_failure(&detection.liveness, now) + detection.grace;
        self.enter(id, State::Hung, "hang");
        self.schedule(unready, Event::ReadinessLost { replica: id, epoch });
        self.schedule(killed, Event::HungKilled { replica: id, epoch });
    }

    /// Liveness failed and the process had its time: it is killed and started again in its pod.
    pub(super) fn kill_hung(&mut self, id: ReplicaId) {
        self.stop_process(id, "killed by the liveness probe");
        self.restart_in_place(id);
    }
}
