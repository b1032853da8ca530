//! Faults: when they strike, whom, and how they end.
//!
//! ```text
//! at a given time ──────────────┐                         crash · hang · slow · zone
//!                               ├─► strike ─► victims ─► · control plane · ingress
//! after a random time of health ┘      └─► incident n (a strike that hit something)
//! ```
//!
//! A random fault has a clock of its own for each entity it may hit: a slot, a zone, an ingress
//! instance, the control plane. A replica's clock starts when it comes into rotation and is thrown
//! away when the replica restarts or is replaced, whatever the cause; the others start at the
//! beginning and again whenever this fault is over. Its draws come from a stream keyed by the
//! fault's name and the entity, so another scenario with the same fault meets the same luck.
//!
//! Assumptions: faults are independent of load and of each other.

use super::World;
use super::event::Event;
use super::replica::Slowdown;
use crate::observe::{Observation, Observer, ReplicaId, State};
use crate::plan::{Fault, Plan, ReplicaTarget, Schedule, Slot, Target};
use crate::random::{Law, Seed, Stream};
use crate::units::{Instant, Share, Span};

/// The luck of every fault, by fault and entity, and the number of incidents so far.
#[derive(Clone, Debug)]
pub(super) struct Misfortune {
    streams: Vec<Vec<Stream>>,
    incidents: usize,
}

impl Misfortune {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let of_fault = |fault: &crate::plan::FaultPlan| {
            let purpose = format!("fault {}", fault.name);
            (0..entities(plan, &fault.fault)).map(|e| seed.stream(&purpose, e as u64)).collect()
        };
        Misfortune { streams: plan.faults.iter().map(of_fault).collect(), incidents: 0 }
    }

    /// One of `count` things that a fault may hit, each with equal probability.
    pub fn choose(&mut self, fault: usize, count: usize) -> usize {
        self.streams[fault][0].below(count)
    }
}

/// How many entities a fault may hit.
fn entities(plan: &Plan, fault: &Fault) -> usize {
    match fault.target() {
        Target::Replicas(_) => plan.slots(),
        Target::Zone(_) => plan.topology.zones.len(),
        Target::ControlPlane | Target::Cluster | Target::Surroundings => 1,
        Target::Ingress(_) => plan.ingress.instances.len(),
    }
}

/// Whom a strike hits.
pub(super) type Guard = Option<(Slot, ReplicaId, u32)>;

impl<O: Observer> World<'_, O> {
    /// Enters the scripted faults, and the random ones that do not wait for a replica.
    pub(super) fn schedule_faults(&mut self) {
        for (fault, entry) in self.plan.faults.iter().enumerate() {
            match (&entry.schedule, entry.fault.target()) {
                (Schedule::At(at), _) => {
                    self.schedule(*at, Event::Strikes { fault, entity: 0, guard: None });
                }
                (Schedule::Random(_), Target::Zone(only) | Target::Ingress(only)) => {
                    self.await_each(fault, only);
                }
                (
                    Schedule::Random(_),
                    Target::ControlPlane | Target::Cluster | Target::Surroundings,
                ) => {
                    self.await_each(fault, Some(0));
                }
                // Their clocks start when replicas come into rotation.
                (Schedule::Random(_), Target::Replicas(_)) => {}
            }
        }
    }

    fn await_each(&mut self, fault: usize, only: Option<usize>) {
        for entity in 0..self.misfortune.streams[fault].len() {
            if only.is_none_or(|only| only == entity) {
                self.await_strike(fault, entity, None);
            }
        }
    }

    /// Starts the clock of a random fault for an entity that is up.
    fn await_strike(&mut self, fault: usize, entity: usize, guard: Guard) {
        if let Schedule::Random(law) = &self.plan.faults[fault].schedule {
            let after = law.draw(&mut self.misfortune.streams[fault][entity]);
            self.schedule(self.now + after, Event::Strikes { fault, entity, guard });
        }
    }

    /// A replica came into rotation: the random faults that may hit it start their clocks.
    pub(super) fn await_random_faults(&mut self, id: ReplicaId) {
        let (slot, zone, spell) =
            (self.replicas[id].slot, self.replicas[id].zone, self.replicas[id].spell());
        for fault in 0..self.plan.faults.len() {
            let Target::Replicas(target) = self.plan.faults[fault].fault.target() else {
                continue;
            };
            let covers = match target {
                ReplicaTarget::Any | ReplicaTarget::All => true,
                ReplicaTarget::Zone(wanted) => wanted == zone,
                ReplicaTarget::Slot(wanted) => self.roles[wanted] == slot,
            };
            if covers {
                self.await_strike(fault, slot, Some((slot, id, spell)));
            }
        }
    }

    /// A fault strikes.
    pub(super) fn strike(&mut self, fault: usize, entity: usize, guard: Guard) {
        if let Some((slot, id, spell)) = guard
            && (self.slots[slot] != Some(id) || self.replicas[id].spell() != spell)
        {
            return;
        }
        self.advance_all();
        let random = matches!(self.plan.faults[fault].schedule, Schedule::Random(_));
        let whom = |only: Option<usize>| if random { Some(entity) } else { only };
        let plan = self.plan;
        match &plan.faults[fault].fault {
            Fault::ReplicaCrash(target) => {
                self.hit_replicas(fault, *target, guard, Self::crash);
            }
            Fault::ReplicaHang(target) => self.hit_replicas(fault, *target, guard, Self::hang),
            Fault::ReplicaSlow(target, share, lasts) => {
                self.slow_down(fault, *target, guard, *share, lasts);
            }
            Fault::ZoneOutage(zone, lasts) => self.lose_zone(fault, whom(*zone), lasts),
            Fault::PartialOutage(zone, share, lasts) => {
                self.lose_part(fault, whom(*zone), *share, lasts);
            }
            Fault::NodeLoss(target, lasts) => {
                self.lose_machines(fault, *target, guard, lasts.as_ref());
            }
            Fault::ProvisioningOutage(lasts) => self.stop_provisioning(fault, lasts),
            Fault::Rollout => self.begin_rollout(fault),
            Fault::DrainNode(target, _) => self.empty_machines(fault, *target, guard),
            Fault::Maintenance(_) => self.maintain(fault),
            Fault::ControlPlaneOutage(lasts) => self.cut_control_plane(fault, lasts),
            Fault::UpstreamOutage(target, down, lasts) => {
                self.lose_hosts(fault, *target, *down, lasts);
            }
            Fault::UpstreamSlow(target, factor, lasts) => {
                self.slow_hosts(fault, *target, *factor, lasts);
            }
            Fault::StorageOutage(lasts) => self.lose_storage(fault, lasts),
            Fault::ContractRevoked(client) => self.revoke_contract(fault, *client),
            Fault::IngressLoss(instance, lasts) => self.lose_ingress(fault, whom(*instance), lasts),
        }
    }

    /// The replicas that a strike hits: those that work, of those that the target names.
    pub(super) fn victims(
        &mut self,
        fault: usize,
        target: ReplicaTarget,
        guard: Guard,
    ) -> Vec<ReplicaId> {
        let works = |id: &ReplicaId| self.replicas[*id].state == State::Ready;
        let working: Vec<ReplicaId> = self.slots.iter().flatten().copied().filter(works).collect();
        if let Some((_, id, _)) = guard {
            return working.into_iter().filter(|other| *other == id).collect();
        }
        match target {
            ReplicaTarget::All => working,
            ReplicaTarget::Zone(zone) => {
                working.into_iter().filter(|id| self.replicas[*id].zone == zone).collect()
            }
            ReplicaTarget::Slot(slot) => {
                let slot = self.roles[slot];
                working.into_iter().filter(|id| self.replicas[*id].slot == slot).collect()
            }
            ReplicaTarget::Any if working.is_empty() => working,
            ReplicaTarget::Any => {
                vec![working[self.misfortune.choose(fault, working.len())]]
            }
        }
    }

    /// Announces an incident; gives its number. It must precede its consequences.
    pub(super) fn begin_incident(
        &mut self,
        fault: usize,
        victims: &[ReplicaId],
        lasting: bool,
        subject: String,
    ) -> usize {
        let incident = self.misfortune.incidents;
        self.misfortune.incidents += 1;
        let slots = victims.iter().map(|id| self.replicas[*id].slot).collect();
        self.tell(Observation::FaultStruck { fault, incident, slots, lasting, subject });
        incident
    }

    /// The lasting part of a fault is over.
    pub(super) fn end_fault(&mut self, fault: usize, incident: usize) {
        self.tell(Observation::FaultEnded { fault, incident });
    }

    fn name_all(&self, victims: &[ReplicaId]) -> String {
        let names: Vec<&str> = victims.iter().map(|id| self.replicas[*id].name.as_str()).collect();
        match names.len() {
            1 => format!("replica {}", names[0]),
            _ => format!("replicas {}", names.join(", ")),
        }
    }

    fn hit_replicas(
        &mut self,
        fault: usize,
        target: ReplicaTarget,
        guard: Guard,
        hit: fn(&mut Self, ReplicaId),
    ) {
        let victims = self.victims(fault, target, guard);
        if victims.is_empty() {
            return self.miss(fault, "no replica that it could hit was ready");
        }
        let subject = self.name_all(&victims);
        self.begin_incident(fault, &victims, false, subject);
        victims.into_iter().for_each(|id| hit(self, id));
    }

    pub(super) fn miss(&mut self, fault: usize, reason: &'static str) {
        self.tell(Observation::FaultMissed { fault, reason });
    }

    pub(super) fn lasting(&mut self, fault: usize, entity: usize, law: &Law) -> Span {
        law.draw(&mut self.misfortune.streams[fault][entity])
    }

    fn slow_down(
        &mut self,
        fault: usize,
        target: ReplicaTarget,
        guard: Guard,
        share: Share,
        lasts: &Law,
    ) {
        let victims = self.victims(fault, target, guard);
        if victims.is_empty() {
            return self.miss(fault, "no replica that it could hit was ready");
        }
        for id in victims {
            let subject = self.name_all(&[id]);
            let incident = self.begin_incident(fault, &[], true, subject);
            self.replicas[id].slow.push(Slowdown { fault, incident, share });
            self.set_speed(id);
            let slot = self.replicas[id].slot;
            let returns = self.now + self.lasting(fault, slot, lasts);
            self.schedule(returns, Event::SpeedReturns { replica: id, incident });
        }
    }

    fn set_speed(&mut self, id: ReplicaId) {
        let replica = &mut self.replicas[id];
        let share = replica.share();
        replica.advance(self.now.0, &mut self.exit, self.observer);
        replica.set_speed(self.now.0);
        self.tell(Observation::Speed { replica: id, share });
    }

    /// The slow time is over, unless it ended with the process that was slow.
    pub(super) fn return_speed(&mut self, id: ReplicaId, incident: usize) {
        let replica = &mut self.replicas[id];
        let Some(place) = replica.slow.iter().position(|slow| slow.incident == incident) else {
            return;
        };
        let Slowdown { fault, .. } = replica.slow.remove(place);
        let (slot, spell) = (replica.slot, replica.spell());
        self.end_fault(fault, incident);
        self.set_speed(id);
        // A hung one starts its clocks when it is in rotation again.
        if self.replicas[id].is_ready() {
            self.await_strike(fault, slot, Some((slot, id, spell)));
        }
    }

    /// The next random strike on an entity that comes up again at `up`.
    pub(super) fn await_again(&mut self, fault: usize, entity: usize, up: Instant) {
        if let Schedule::Random(law) = &self.plan.faults[fault].schedule {
            let after = law.draw(&mut self.misfortune.streams[fault][entity]);
            self.schedule(up + after, Event::Strikes { fault, entity, guard: None });
        }
    }

    fn cut_control_plane(&mut self, fault: usize, lasts: &Law) {
        let incident = self.begin_incident(fault, &[], true, "the control plane".to_owned());
        self.lose_control_plane();
        let returns = self.now + self.lasting(fault, 0, lasts);
        self.schedule(returns, Event::ControlPlaneReturns { fault, incident });
        self.await_again(fault, 0, returns);
    }
}
