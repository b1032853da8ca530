//! What a new replica passes through before it takes requests.
//!
//! ```text
//! Scheduling → Sandbox → Image → Booting → Configuring → Contracts → Probing → Ready → in rotation
//!                               └ container starts: probes count from here
//! ```
//!
//! Configuring is skipped when the configuration is local (a managed gateway keeps it in the
//! cluster; a cache that an earlier replica filled does the same). Contracts are skipped when the
//! APIs use none, or when only the APIs with contracts wait for them: then they are fetched beside
//! the rest. Readiness is seen by a probe, so it comes at the first probe after the process is
//! able. Where probes compete for CPU (`probing.rs`) that probe must be done in time as well.
//!
//! Assumptions: phases follow one another; a pull never waits for another pull. Left out: init
//! containers, start-up probes, slow start of the balancer.

use super::World;
use super::backoff::Backoff;
use super::control_plane::Wanted;
use super::event::Event;
use super::node::{Health, NodeId};
use super::replica::{Fate, Replica};
use crate::observe::{Observation, Observer, ReplicaId, State};
use crate::plan::{Configuration, Gate, Slot};
use crate::random::Law;

impl<O: Observer> World<'_, O> {
    /// Creates a replica in a slot on a node; it does nothing yet.
    pub(super) fn create(&mut self, slot: Slot, node: NodeId) -> ReplicaId {
        let id = self.replicas.len();
        let zone = self.nodes.get(node).zone;
        self.nodes.get_mut(node).held += 1;
        let (generation, number) = self.zones.count_new(slot, zone);
        let name = format!("{}-{number}", self.plan.topology.zones[zone]);
        let (ids, place) = ((id, generation), (slot, zone, node));
        self.replicas.push(Replica::new(ids, place, name.clone(), &self.idle, self.seed));
        self.present.push(id);
        self.slots[slot] = Some(id);
        self.tell(Observation::Created { replica: id, slot, zone, name });
        id
    }

    /// A new replica begins at the scheduler.
    pub(super) fn begin_scheduling(&mut self, id: ReplicaId, cause: &'static str) {
        let law = &self.plan.startup.schedule;
        self.begin_phase(id, State::Scheduling, law, cause);
    }

    /// A replica is given a new sandbox on its old place.
    pub(super) fn begin_sandbox(&mut self, id: ReplicaId, cause: &'static str) {
        self.replicas[id].backoff = Backoff::default();
        let law = &self.plan.startup.sandbox;
        self.begin_phase(id, State::Sandbox, law, cause);
    }

    /// The container starts; probes count from now.
    pub(super) fn begin_container(&mut self, id: ReplicaId, cause: &'static str) {
        self.replicas[id].container_started = self.now;
        self.replicas[id].probe_phase = None;
        let law = &self.plan.startup.boot;
        self.begin_phase(id, State::Booting, law, cause);
    }

    fn begin_phase(&mut self, id: ReplicaId, state: State, law: &Law, cause: &'static str) {
        self.enter(id, state, cause);
        let ends = self.now + self.draw(id, law);
        self.schedule(ends, Event::PhaseEnds { replica: id, epoch: self.replicas[id].epoch });
    }

    /// The current phase is over.
    pub(super) fn enter_next_phase(&mut self, id: ReplicaId) {
        match self.replicas[id].state {
            State::Scheduling => self.bind(id),
            State::Sandbox => self.begin_image(id),
            State::Image => self.begin_container(id, "image present"),
            State::Booting => self.begin_configuring(id),
            State::Configuring => self.begin_contracts(id),
            _ => self.begin_probing(id),
        }
    }

    /// The scheduler's choice takes effect, whatever became of the node meanwhile.
    fn bind(&mut self, id: ReplicaId) {
        match self.nodes.get(self.replicas[id].node).health {
            Health::Ready => self.begin_sandbox(id, "bound to a node"),
            Health::Lost => self.lose_machine(id),
            Health::NotReady | Health::Deleted => {
                self.replicas[id].end_process(self.now.0);
                self.replace(id, "its node was lost before it was bound");
            }
        }
    }

    fn begin_image(&mut self, id: ReplicaId) {
        let node = self.nodes.get_mut(self.replicas[id].node);
        let is_new = std::mem::take(&mut node.is_new);
        let law = if is_new { &self.plan.nodes.image } else { &self.plan.startup.image };
        self.begin_phase(id, State::Image, law, "sandbox ready");
    }

    fn begin_configuring(&mut self, id: ReplicaId) {
        match self.plan.startup.configuration {
            Configuration::Local => self.begin_contracts(id),
            Configuration::Download(_) => {
                self.enter(id, State::Configuring, "downloads its configuration");
                self.begin_fetch(id, Wanted::Configuration);
            }
        }
    }

    fn begin_contracts(&mut self, id: ReplicaId) {
        match self.plan.startup.contracts.as_ref().map(|contracts| contracts.gate) {
            None => self.begin_probing(id),
            Some(Gate::Replica) => {
                self.enter(id, State::Contracts, "downloads contracts before it takes traffic");
                self.begin_fetch(id, Wanted::Contracts);
            }
            Some(Gate::Api(_)) => {
                self.replicas[id].lacks_contracts = true;
                self.tell(Observation::ContractsMissing { replica: id });
                self.begin_probing(id);
                self.begin_fetch(id, Wanted::Contracts);
            }
        }
    }

    /// The process is able to serve; the next readiness probe will see it.
    fn begin_probing(&mut self, id: ReplicaId) {
        let replica = &mut self.replicas[id];
        replica.fate = Fate::Accepts;
        let (epoch, seen) =
            (replica.epoch, replica.next_probe(&self.plan.startup.readiness, self.now));
        self.enter(id, State::Probing, "able to serve");
        if self.probes_compete() {
            return self.begin_probes(id);
        }
        self.schedule(seen, Event::ProbeSucceeds { replica: id, epoch });
    }

    /// The readiness probe succeeds; the ingress hears of it after the propagation delay.
    pub(super) fn become_ready(&mut self, id: ReplicaId) {
        self.replicas[id].readiness += 1;
        self.know_revocations(id);
        self.enter(id, State::Ready, "readiness probe succeeded");
        let joins = self.now + self.draw(id, &self.plan.ingress.propagation);
        let Replica { epoch, readiness, .. } = self.replicas[id];
        self.schedule(joins, Event::Joins { replica: id, epoch, readiness });
    }
}
