//! The model of a replicated gateway: what happens to requests, replicas, zones and the control
//! plane, and when.
//!
//! ```text
//!  arrivals ──► ingress instance ──► balancer ──► replica (processor sharing) ──► observer
//!                                      ▲               ▲
//!                                      │ endpoints     │ crash, hang, slow, restart
//!  faults ──► detection ──► endpoints ─┘               │
//!     └──────────────► supervisor ──► start-up ────────┘
//!                                        ▲ configuration, contracts
//!                                        └── control plane
//! ```
//!
//! Rare events stand on a calendar. Between two of them replicas do not influence each other, so
//! requests are routed in blocks and each replica then works through its share alone; the result is
//! the same as event by event, and far faster. Simultaneous happenings are ordered: completions and
//! time-outs first, then events by the rank of their kind, then new requests.
//!
//! A replication is a function of the plan, the seed and its index. Observers are told of
//! everything and can change nothing.

mod around;
mod backoff;
mod balancer;
mod client;
mod control_plane;
mod ending;
mod entrance;
mod event;
mod fault;
mod flow;
mod handshake;
mod hosts;
mod lifecycle;
mod limits;
mod look;
mod node;
mod open;
mod outage;
mod playback;
mod policies;
mod probing;
mod rate;
mod replica;
mod routing;
mod scaler;
mod scheduler;
mod startup;
mod supervisor;
mod traffic;
mod upgrade;
mod upstream;
mod wakes;
mod zone;

use std::collections::VecDeque;

use crate::engine::calendar::Calendar;
use crate::engine::progress::Progress;
use crate::engine::quota::Metered;
use crate::observe::{Observation, Observer, Reading, ReplicaId, State};
use crate::random::{Law, Seed};
use crate::units::{Instant, Span};

use crate::plan::{Plan, Slot};
use balancer::{Balancer, Endpoint};
use client::Clients;
use control_plane::ControlPlane;
use entrance::Entrance;
use event::Event;
use fault::Misfortune;
use flow::{Exit, Flow};
use handshake::Handshakes;
use hosts::Upstreams;
use node::Nodes;
use policies::Policies;
use replica::{Fate, Replica};
use routing::Attempt;
use scaler::Scaler;
use scheduler::Scheduler;
use traffic::Arrivals;
use upgrade::Exchanges;
use zone::Zones;

/// How a replication ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The horizon, or the event at which a stop was asked for.
    pub at: Instant,
    /// Whether it was stopped before the horizon.
    pub interrupted: bool,
    /// Digest of everything that happened.
    pub digest: u64,
}

/// Simulates replication `replication` of `plan` and tells `observer` everything.
///
/// `progress` takes note of how far it is and may ask for an early end.
///
/// # Panics
/// If the plan breaks a rule that its types document (no replicas, no zones, no corners): the
/// scenario checker refuses such plans.
pub fn simulate(
    plan: &Plan,
    replication: u64,
    observer: &mut impl Observer,
    progress: &Progress,
) -> End {
    World::new(plan, replication, observer).run(progress)
}

/// How long servers let requests wait: the flow has time-outs of its own.
fn patience(plan: &Plan) -> Span {
    if plan.surroundings.is_some() { Span::MAX } else { plan.ingress.read_timeout }
}

/// All state of a replication.
struct World<'a, O> {
    plan: &'a Plan,
    seed: Seed,
    observer: &'a mut O,
    /// Where requests leave replicas, and the digest of all that happens.
    exit: Exit,
    calendar: Calendar<Event>,
    now: Instant,
    /// The server that every replica begins with.
    idle: Metered,
    /// Every replica that existed, by id.
    replicas: Vec<Replica>,
    /// Those that exist, and those that ended in the current bin.
    present: Vec<ReplicaId>,
    /// The replica that holds each slot, if it has one.
    slots: Vec<Option<ReplicaId>>,
    /// For each slot, the slot of the replica that plays the part of its first one: rollouts
    /// exchange them.
    roles: Vec<Slot>,
    /// How many replicas are wanted.
    desired: usize,
    scaler: Option<Scaler>,
    zones: Zones,
    nodes: Nodes,
    scheduler: Scheduler,
    exchanges: Exchanges,
    balancer: Balancer,
    entrance: Entrance,
    arrivals: Arrivals,
    /// What surrounds the replicas, and requests in order of time; unused without surroundings.
    flow: Flow,
    clients: Clients,
    handshakes: Handshakes,
    policies: Policies,
    upstreams: Upstreams,
    /// Clients whose contracts are revoked.
    revoked: Vec<u32>,
    /// Connection attempts that wait for their time-out, in order of it.
    attempts: VecDeque<Attempt>,
    control_plane: ControlPlane,
    misfortune: Misfortune,
    /// Requests since the progress was noted last, and when that was.
    offered: u64,
    noted: Instant,
    /// Time between two looks at the replicas.
    look_every: Span,
    readings: Vec<Reading>,
}

impl<'a, O: Observer> World<'a, O> {
    fn new(plan: &'a Plan, replication: u64, observer: &'a mut O) -> Self {
        assert!(
            plan.gateway.replicas > 0 && plan.topology.placement.len() == plan.gateway.replicas
        );
        let seed = Seed { seed: plan.run.seed, replication };
        let (ingress, zones) = (&plan.ingress, plan.topology.zones.len());
        let mut world = World {
            plan,
            seed,
            observer,
            exit: Exit { feeds_back: plan.surroundings.is_some(), ..Exit::default() },
            calendar: Calendar::default(),
            now: Instant::ZERO,
            idle: replica::idle_server(&plan.gateway, patience(plan)),
            replicas: Vec::new(),
            present: Vec::new(),
            slots: vec![None; plan.slots()],
            roles: (0..plan.slots()).collect(),
            desired: plan.gateway.replicas,
            scaler: None,
            zones: Zones::new(zones, plan.slots()),
            nodes: Nodes::new(plan, seed),
            scheduler: Scheduler::new(seed),
            exchanges: Exchanges::default(),
            balancer: Balancer::new(ingress.balancing, ingress.instances.len(), zones, seed),
            entrance: Entrance::new(ingress.instances.len(), seed),
            arrivals: Arrivals::new(&plan.traffic, &plan.gateway.demand, seed, plan.run.horizon),
            flow: Flow::default(),
            clients: Clients::new(plan, seed),
            handshakes: Handshakes::new(plan, seed),
            policies: Policies::new(plan),
            upstreams: Upstreams::new(plan, seed),
            revoked: Vec::new(),
            attempts: VecDeque::new(),
            control_plane: ControlPlane::new(seed),
            misfortune: Misfortune::new(plan, seed),
            offered: 0,
            noted: Instant::ZERO,
            look_every: look::look_every(&plan.run),
            readings: Vec::new(),
        };
        world.schedule_boundaries();
        world.begin_scaling();
        world.begin_with_all_ready();
        world.begin_clients();
        world.begin_sweeps();
        world.schedule_faults();
        world
    }

    fn run(mut self, progress: &Progress) -> End {
        let horizon = self.plan.run.horizon;
        while self.calendar.next_at() < horizon && !progress.is_cancelled() {
            self.route_until(self.calendar.next_at());
            let Some((at, event)) = self.calendar.pop() else { break };
            self.flow.now = at.0;
            if event == Event::Look {
                self.note_progress(at, progress);
            }
            self.now = at;
            self.handle(event);
        }
        let interrupted = progress.is_cancelled() && self.calendar.next_at() < horizon;
        let end = if interrupted { self.now } else { horizon };
        self.finish(end, progress);
        End { at: end, interrupted, digest: self.exit.digest.value() }
    }

    /// Puts an event on the calendar.
    fn schedule(&mut self, at: Instant, event: Event) {
        self.calendar.insert(at, event.rank(), event);
    }

    /// Tells the observer a fact of this moment.
    fn tell(&mut self, observation: Observation) {
        self.observer.observe(self.now, &observation);
    }

    fn handle(&mut self, event: Event) {
        if self.is_void(&event) {
            return;
        }
        match event {
            Event::Look => return self.look(),
            Event::Boundary => self.pass_boundary(),
            Event::PhaseEnds { replica, .. } => self.enter_next_phase(replica),
            Event::FetchEnds { replica, wanted, began, answered, .. } => {
                self.end_fetch(replica, wanted, began, answered);
            }
            Event::FetchAgain { replica, wanted, .. } => self.begin_fetch(replica, wanted),
            Event::RefreshEnds { replica, outage, .. } => self.end_refresh(replica, outage),
            Event::ProbeSucceeds { replica, .. } => self.become_ready(replica),
            Event::Joins { replica, .. } => self.join_rotation(replica),
            Event::Leaves { replica, .. } => self.leave_rotation(replica),
            Event::CrashNoticed { replica, .. } => self.note_crash(replica),
            Event::ReadinessLost { replica, .. } => self.lose_readiness(replica, "readiness probe"),
            Event::HungKilled { replica, .. } => self.end_stopped(replica),
            Event::NodeNotReady { node, .. } => self.note_not_ready(node),
            Event::NodesMarked { zone } => self.mark_nodes(zone),
            Event::Evicted { node, .. } => self.evict(node),
            Event::NodeDeleted { node, .. } => self.delete_node(node),
            Event::NodeAdded { zone } => self.add_node(zone),
            Event::NodesReturn { incident } => self.return_some(incident),
            Event::ProvisioningReturns { fault, incident } => {
                self.resume_provisioning(fault, incident);
            }
            Event::RolloutSteps => self.step_rollout(),
            Event::EvictionTried { incident } => self.try_evictions(incident),
            Event::EmptiedReturns { incident } => self.return_emptied(incident),
            Event::DrainEnds { replica, .. } => self.end_drain(replica, "drained"),
            Event::KubeletReads { replica } => return self.read_counter(replica),
            Event::Scraped => return self.scrape(),
            Event::Synced => self.sync(),
            Event::SpeedReturns { replica, incident } => self.return_speed(replica, incident),
            Event::ZoneReturns { zone, fault, incident } => {
                self.return_zone(zone, fault, incident);
            }
            Event::ControlPlaneReturns { fault, incident } => {
                self.return_control_plane(fault, incident);
            }
            Event::IngressAvoided { instance, incident } => {
                self.avoid_ingress(instance, incident);
            }
            Event::ZoneAvoided { fault, incident } => self.end_fault(fault, incident),
            Event::IngressReturns { instance, fault, incident } => {
                self.return_ingress(instance, fault, incident);
            }
            Event::Strikes { fault, entity, guard } => self.strike(fault, entity, guard),
            Event::ProbeSent { replica, kind, .. } => self.send_probe(replica, kind),
            Event::ProbeLooked { replica, kind, .. } => self.look_at_probe(replica, kind),
            Event::Relieved { fault, incident, relief } => self.relieve(fault, incident, relief),
            Event::LearnsRevocation { replica, client, .. } => {
                self.learn_revocation(replica, client);
            }
            Event::BackOffEnds { replica, .. } => self.begin_container(replica, "back-off over"),
        }
        self.exit.digest.in_order(self.now.0, event.tag(), self.balancer.endpoints().len() as u64);
    }

    /// Whether the event speaks of what is no longer so.
    fn is_void(&self, event: &Event) -> bool {
        match (event.life(), *event) {
            // Nobody joins who has become unready in the meantime.
            (Some((id, epoch)), Event::Joins { readiness, .. }) => {
                let replica = &self.replicas[id];
                let same = replica.epoch == epoch && replica.readiness == readiness;
                !(same && replica.is_ready())
            }
            (Some((replica, epoch)), _) => self.replicas[replica].epoch != epoch,
            (None, Event::ProbeSent { replica, process, .. })
            | (None, Event::ProbeLooked { replica, process, .. }) => {
                self.replicas[replica].probing.process != process
            }
            (None, Event::Leaves { replica, readiness }) => {
                self.replicas[replica].readiness != readiness
            }
            (None, Event::NodeNotReady { node, epoch } | Event::NodeDeleted { node, epoch }) => {
                self.nodes.get(node).epoch != epoch
            }
            (None, Event::Evicted { node, mark }) => !self.nodes.get(node).is_marked(mark),
            _ => false,
        }
    }

    /// At the start every slot has a replica in rotation, somewhere between two of its probes.
    fn begin_with_all_ready(&mut self) {
        for slot in 0..self.plan.gateway.replicas {
            let node = self.first_node(self.plan.topology.placement[slot]);
            let id = self.create(slot, node);
            let replica = &mut self.replicas[id];
            let probe = self.plan.startup.readiness;
            let phase = (replica.luck.unit() * probe.period.0 as f64) as u64;
            // Probes count from the container's start; the run begins `phase` into a period.
            replica.container_started = Instant::ZERO;
            replica.probe_phase = Some(Span(phase));
            replica.fate = Fate::Accepts;
            self.enter(id, State::Ready, "start of the run");
            self.join_rotation(id);
            if self.probes_compete() {
                self.begin_probes(id);
            }
        }
        self.balancer.begin();
    }

    /// Draws from a replica's own luck.
    fn draw(&mut self, replica: ReplicaId, law: &Law) -> Span {
        law.draw(&mut self.replicas[replica].luck)
    }

    /// Moves a replica to a state.
    fn enter(&mut self, replica: ReplicaId, state: State, cause: &'static str) {
        if state == State::Ready {
            self.note_up(replica);
        }
        self.replicas[replica].enter(state, self.now);
        self.exit.digest.in_order(self.now.0, event::STATE_TAGS + state as u64, replica as u64);
        self.tell(Observation::Entered { replica, state, cause });
        if self.scaler.is_some() {
            self.note_state(replica, state);
        }
        self.note_progress_of_rollout();
    }

    fn join_rotation(&mut self, id: ReplicaId) {
        let Replica { slot, zone, .. } = self.replicas[id];
        if !self.balancer.knows(id) {
            self.balancer.join(Endpoint { slot, replica: id, zone });
        }
        self.tell(Observation::JoinedRotation { replica: id });
        self.await_random_faults(id);
    }

    /// The ingress drops an address.
    fn leave_rotation(&mut self, id: ReplicaId) {
        if self.balancer.knows(id) {
            self.balancer.leave(id);
            self.tell(Observation::LeftRotation { replica: id });
        }
    }
}
