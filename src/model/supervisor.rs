//! Who notices a failure, and who replaces the replica.
//!
//! ```text
//! crash      ─ runtime reports ─► endpoint removed (after propagation), new replica at once, or
//!                                 restarted in place
//! hang       ─ readiness probes fail ─► endpoint removed
//!            ─ liveness probes fail, grace over ─► restarted in place, after the back-off
//! overload   ─ as a hang, where probes compete for CPU: see `probing.rs`
//! lost node  ─ lease too old ─► endpoint removed
//!            ─ toleration over ─► new replica in a zone that is up
//! zone back  ─ replicas that were not replaced start again where they were; nothing is rebalanced
//! ```
//!
//! Assumptions: each replica has a node of its own and zones have room; the scheduler knows at once
//! which zones are up. Left out: eviction rates, node provisioning, disruption budgets.

use super::World;
use super::event::Event;
use super::replica::Replica;
use crate::observe::{Observation, Observer, ReplicaId, State};
use crate::plan::{AfterCrash, Slot, Spread, ZoneId};
use crate::random::Law;
use crate::units::{Share, Span};

/// Zones, and the slots that wait for one.
#[derive(Clone, Debug)]
pub(super) struct Zones {
    /// Outages in progress, by zone.
    pub down: Vec<u32>,
    /// Replicas created so far, by zone and by slot.
    created: Vec<u32>,
    generations: Vec<u64>,
    /// Slots whose replacement no zone may take, with the zone of the replica lost.
    waiting: Vec<(Slot, Option<ZoneId>)>,
}

impl Zones {
    pub fn new(zones: usize, slots: usize) -> Self {
        Zones {
            down: vec![0; zones],
            created: vec![0; zones],
            generations: vec![0; slots],
            waiting: Vec::new(),
        }
    }

    /// Counts a new replica: how many its slot had before, and its number in the zone from 1.
    pub fn count_new(&mut self, slot: Slot, zone: ZoneId) -> (u64, u32) {
        self.created[zone] += 1;
        self.generations[slot] += 1;
        (self.generations[slot] - 1, self.created[zone])
    }

    /// How many slots wait for a zone.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a slot waits for a zone.
    pub fn has_waiting(&self, slot: Slot) -> bool {
        self.waiting.iter().any(|(other, _)| *other == slot)
    }

    /// Gives up the slot that began to wait last.
    pub fn drop_waiting(&mut self) -> Option<Slot> {
        self.waiting.pop().map(|(slot, _)| slot)
    }

    fn is_up(&self, zone: ZoneId) -> bool {
        self.down[zone] == 0
    }
}

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
        self.enter(id, State::Terminated, cause);
        self.announce_leave(id);
        let (slot, zone) = (self.replicas[id].slot, self.replicas[id].zone);
        self.slots[slot] = None;
        self.place(slot, Some(zone), "replaces a lost replica");
    }

    /// A new replica for a slot that lost one in this zone, or is new.
    pub(super) fn place(&mut self, slot: Slot, lost: Option<ZoneId>, cause: &'static str) {
        match self.choose_zone(lost) {
            Some(zone) => {
                let id = self.create(slot, zone);
                self.begin_scheduling(id, cause);
            }
            None => {
                self.zones.waiting.push((slot, lost));
                self.tell(Observation::Unschedulable { slot });
            }
        }
    }

    /// The zone for a replacement: of those allowed the one with the fewest replicas; of equals the
    /// zone of the replica lost, then the first.
    fn choose_zone(&self, lost: Option<ZoneId>) -> Option<ZoneId> {
        let mut counts = vec![0_usize; self.zones.down.len()];
        self.slots.iter().flatten().for_each(|id| counts[self.replicas[*id].zone] += 1);
        let least = counts.iter().copied().min().unwrap_or(0);
        let allowed = |zone: &ZoneId| match self.plan.topology.spread {
            Spread::ScheduleAnyway => true,
            Spread::DoNotSchedule => counts[*zone] <= least,
        };
        (0..counts.len())
            .filter(|zone| self.zones.is_up(*zone))
            .filter(allowed)
            .min_by_key(|zone| (counts[*zone], Some(*zone) != lost, *zone))
    }

    /// A replica is deleted: it leaves the endpoints and has some time to finish what it has. One
    /// that does not serve is gone at once.
    pub(super) fn drain(&mut self, id: ReplicaId, cause: &'static str) {
        let replica = &self.replicas[id];
        if replica.probing.stopping {
            return self.announce_leave(id); // its end is set already
        }
        let works_on = replica.state == State::Unready && replica.works();
        if !(replica.is_ready() || works_on) {
            return self.end_drain(id, cause);
        }
        self.enter(id, State::Draining, cause);
        self.announce_leave(id);
        let (ends, epoch) = (self.now + self.plan.termination.drain, self.replicas[id].epoch);
        self.schedule(ends, Event::DrainEnds { replica: id, epoch });
    }

    /// The process of a deleted replica ends, and what it still has is cut off.
    pub(super) fn end_drain(&mut self, id: ReplicaId, cause: &'static str) {
        self.stop_process(id, cause);
        self.enter(id, State::Terminated, cause);
        self.announce_leave(id);
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
    fn stop_process(&mut self, id: ReplicaId, cause: &'static str) {
        let now = self.now.0;
        let replica = &mut self.replicas[id];
        replica.advance(now, &mut self.digest, self.observer);
        let (lost, slow) = replica.end_process(now);
        if !slow.is_empty() {
            self.tell(Observation::Speed { replica: id, share: Share::ONE });
        }
        self.lose(lost);
        self.enter(id, State::Failed, cause);
        slow.iter().for_each(|slow| self.end_fault(slow.fault, slow.incident));
    }

    /// The process stops working but keeps its address.
    pub(super) fn hang(&mut self, id: ReplicaId) {
        let now = self.now;
        let replica = &mut self.replicas[id];
        replica.advance(now.0, &mut self.digest, self.observer);
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

    /// A zone goes down with a replica. One that is not bound to a node yet has none to lose and is
    /// placed anew.
    pub(super) fn lose_place(&mut self, id: ReplicaId) {
        match self.replicas[id].state {
            State::Scheduling => {
                self.replicas[id].end_process(self.now.0);
                self.replace(id, "not bound when its zone went down");
            }
            _ => self.lose_node(id),
        }
    }

    /// Replicas that drain in a zone that goes down are gone at once.
    pub(super) fn lose_draining(&mut self, zone: ZoneId) {
        for id in self.present.clone() {
            let Replica { state, zone: home, .. } = self.replicas[id];
            if state == State::Draining && home == zone {
                self.end_drain(id, "machine lost");
            }
        }
    }

    /// A machine vanishes silently with its replica.
    fn lose_node(&mut self, id: ReplicaId) {
        self.stop_process(id, "machine lost");
        self.replicas[id].silent = true;
        let detection = &self.plan.detection;
        let since_renewal = self.draw(id, &Law::Uniform(Span::ZERO, detection.lease));
        let check = self.draw(id, &Law::Uniform(Span::ZERO, detection.monitor));
        let noticed = self.now + (detection.node_grace - since_renewal) + check;
        let epoch = self.replicas[id].epoch;
        self.schedule(noticed, Event::NodeNotReady { replica: id, epoch });
    }

    /// The node is declared not ready; its pod is tolerated for a while.
    pub(super) fn note_lost_node(&mut self, id: ReplicaId) {
        self.lose_readiness(id, "node not ready");
        let evicted = self.now + self.plan.detection.toleration;
        self.schedule(evicted, Event::Evicted { replica: id, epoch: self.replicas[id].epoch });
    }

    /// A zone's machines are back: replicas that still belong there start again, and slots that
    /// waited for a zone are served.
    pub(super) fn return_zone(&mut self, zone: ZoneId, fault: usize) {
        self.zones.down[zone] -= 1;
        if !self.zones.is_up(zone) {
            return;
        }
        self.tell(Observation::ZoneReturned { fault, zone });
        self.return_ingress_of(zone);
        for slot in 0..self.slots.len() {
            let Some(id) = self.slots[slot].filter(|id| self.replicas[*id].zone == zone) else {
                continue;
            };
            if matches!(self.replicas[id].state, State::Failed | State::Unready) {
                self.replicas[id].epoch += 1;
                self.replicas[id].silent = false;
                self.announce_leave(id);
                self.begin_sandbox(id, "its machine is back");
            }
        }
        for (slot, lost) in std::mem::take(&mut self.zones.waiting) {
            self.place(slot, lost, "a zone is back");
        }
    }
}
