//! The parts of a replication, and the one place where events are taken and handed to them.
//!
//! A part gets an event, the [`Context`] and no more of the world than the event concerns. What it
//! did that concerns others — states that replicas entered, requests that were lost — is settled
//! when the event is over, before anything else happens.

use super::context::Context;
use super::event::{CompetingProbe, Event};
use super::fault::{dependencies, inject, machines, platform, replicas};
use super::region::Region;
use super::replica::fleet::Fleet;
use super::replica::version::Version;
use super::request::Requests;
use super::sample_clock::Sampling;
use super::traffic::arrivals::Arrivals;
use crate::engine::progress::Progress;
use crate::observe::listener::Listener;
use crate::observe::{ReplicaId, State};
use crate::plan::Plan;
use crate::units::Instant;

/// How a replication ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The horizon, or the moment at which a stop was asked for.
    pub at: Instant,
    /// Whether it was stopped before the horizon, or while the rest was finished after it.
    pub interrupted: bool,
    /// Digest of everything that happened.
    pub digest: u64,
}

/// All state of a replication.
pub(super) struct World<'a> {
    pub cx: Context<'a>,
    pub region: Region,
    pub arrivals: Arrivals,
    /// Requests one by one; unused where they do not feed back.
    pub requests: Requests,
    pub sampling: Sampling,
    /// How much was dispatched where requests are taken one by one.
    pub dispatched: u32,
}

impl<'a> World<'a> {
    pub fn new(
        plan: &'a Plan,
        replication: u64,
        listener: Listener<'a>,
        progress: &'a Progress,
    ) -> Self {
        let replicas = plan.gateway.replicas;
        assert!(replicas > 0, "a plan has replicas");
        assert_eq!(plan.topology.placement.len(), replicas, "every replica has a zone");
        let cx = Context::new(plan, replication, listener, progress);
        let (traffic, demand) = (&plan.traffic, &plan.gateway.demand);
        let arrivals = Arrivals::new(traffic, demand, cx.seed, plan.run.horizon);
        let mut world = World::idle(cx, arrivals);
        world.schedule_boundaries();
        world.begin();
        world
    }

    /// One of several regions, with the requests that it is given; samples and the ends of windows
    /// are taken for all of them together. One that does not run waits until it is deployed.
    pub fn of_region(
        plan: &'a Plan,
        replication: u64,
        listener: Listener<'a>,
        (progress, runs): (&'a Progress, bool),
    ) -> Self {
        let cx = Context::new(plan, replication, listener, progress);
        let arrivals = Arrivals::fed(&plan.gateway.demand, cx.seed);
        let mut world = World::idle(cx, arrivals);
        match runs {
            true => world.begin(),
            false => {
                world.region.cluster.is_deployed = false;
                inject::schedule_all(&mut world.cx);
            }
        }
        world
    }

    fn idle(cx: Context<'a>, arrivals: Arrivals) -> Self {
        let plan = cx.plan;
        World {
            region: Region::new(&cx),
            arrivals,
            requests: Requests::new(plan, cx.seed),
            sampling: Sampling::new(&plan.run),
            dispatched: 0,
            cx,
        }
    }

    /// Every slot gets a replica, which starts like any that is added.
    pub fn deploy(&mut self) {
        let Self { cx, region, .. } = self;
        assert!(!region.cluster.is_deployed, "a region is deployed once");
        region.cluster.is_deployed = true;
        region.cluster.begin_scaling(cx);
        for slot in 0..cx.plan.gateway.replicas {
            region.cluster.place(cx, slot, (None, Version::default()), "deployed");
        }
        region.ingress.begin(cx);
        self.settle();
    }

    /// At the start every slot has a replica in rotation.
    fn begin(&mut self) {
        let Self { cx, region, requests, .. } = self;
        region.cluster.begin_scaling(cx);
        for slot in 0..cx.plan.gateway.replicas {
            let id = region.cluster.begin_ready(cx, slot);
            join_rotation(cx, region, id);
            region.cluster.begin_probes(cx, id);
        }
        let (there, wanted) = (region.ingress.in_rotation(), cx.plan.gateway.replicas);
        assert_eq!(there, wanted, "every slot begins with a replica in rotation");
        region.ingress.begin(cx);
        requests.begin_clients(cx.plan);
        requests.begin_sweeps(cx.plan);
        self.settle();
        inject::schedule_all(&mut self.cx);
    }

    pub fn run(mut self) -> End {
        let (horizon, progress) = (self.cx.plan.run.horizon, self.cx.progress());
        loop {
            let next = self.cx.next_event_at().min(horizon);
            if self.cx.is_stopped() {
                break;
            }
            self.take_requests_until(next);
            // A replica may have run out of memory meanwhile.
            let next = self.cx.next_event_at().min(horizon);
            if self.cx.is_cut || next == horizon {
                break;
            }
            let (at, event) = self.cx.pop_event().expect("an event comes before the horizon");
            if event == Event::Sampled {
                self.sampling.note_progress(at, self.cx.take_offered(), progress);
            }
            self.cx.now = at;
            self.handle(event);
        }
        assert!(self.cx.now <= horizon, "the replication went on to {}", self.cx.now);
        let end = if self.cx.is_cut { self.cx.now } else { horizon };
        self.finish(end);
        End { at: end, interrupted: self.cx.is_cut, digest: self.cx.digest.value() }
    }

    /// Takes the next event off the calendar and hands it on.
    pub fn take_event(&mut self) {
        let (at, event) = self.cx.pop_event().expect("there is an event to take");
        self.cx.now = at;
        self.handle(event);
    }

    /// Takes every request that comes before `until`, in the way that the plan allows.
    pub fn take_requests_until(&mut self, until: Instant) {
        if self.cx.feeds_back() {
            self.dispatch_until(until.0);
        } else {
            self.route_blocks_until(until);
        }
    }

    fn handle(&mut self, event: Event) {
        if self.has_no_effect(&event) || self.region.cluster.holds_back(&event) {
            return;
        }
        match event {
            Event::Sampled => return self.sample(),
            Event::KubeletReads { replica } => {
                return self.region.cluster.read_counter(&mut self.cx, replica);
            }
            Event::Scraped => return self.region.cluster.scrape(&mut self.cx),
            Event::RequestsScraped { replica } => {
                return self.region.cluster.scrape_requests(&mut self.cx, replica);
            }
            Event::Boundary => self.pass_boundary(),
            Event::Injected { fault, entity, guard } => {
                let Self { cx, region, requests, .. } = self;
                inject::inject(cx, region, requests, (fault, entity, guard));
            }
            _ => self.hand_on(event),
        }
        self.settle();
        let in_rotation = self.region.ingress.in_rotation() as u64;
        self.cx.digest.in_order(self.cx.now.0, event.tag(), in_rotation);
    }

    /// Hands an event to the part that it concerns.
    fn hand_on(&mut self, event: Event) {
        let Self { cx, region, requests, .. } = self;
        let Region { cluster, ingress } = region;
        let fleet = &mut cluster.fleet;
        match event {
            Event::Sampled
            | Event::KubeletReads { .. }
            | Event::Scraped
            | Event::RequestsScraped { .. }
            | Event::Boundary
            | Event::Injected { .. } => unreachable!("{event:?} is no part's own"),
            Event::FetchEnds { replica, wanted, began, answered, .. } => {
                fleet.end_fetch(cx, replica, wanted, (began, answered));
            }
            Event::FetchAgain { replica, wanted, .. } => fleet.begin_fetch(cx, replica, wanted),
            Event::RefreshEnds { replica, outage, .. } => fleet.end_refresh(cx, replica, outage),
            Event::LearnsRevocation { replica, client, .. } => {
                fleet.learn_revocation(cx, replica, client);
            }
            Event::ProbeSucceeds { replica, .. } => fleet.become_ready(cx, replica),
            Event::ProbeSent { replica, kind, .. } => probe(cx, fleet, requests, (replica, kind)),
            Event::ProbeChecked { replica, kind, .. } => fleet.check_probe(cx, replica, kind),
            Event::ReadinessLost { replica, .. } => fleet.miss_readiness(cx, replica),
            Event::BackOffEnds { replica, .. } => fleet.end_back_off(cx, replica),
            Event::PhaseEnds { replica, .. } => cluster.enter_next_phase(cx, replica),
            Event::StartIsOver { replica, .. } => fleet.end_after_ready(cx, replica),
            Event::CrashNoticed { replica, then, .. } => cluster.note_crash(cx, replica, then),
            Event::OutOfMemory { replica, .. } => cluster.run_out_of_memory(cx, replica),
            Event::HungKilled { replica, .. } => cluster.end_stopped(cx, replica),
            Event::DrainEnds { replica, .. } => cluster.end_on_time(cx, replica),
            Event::NodeNotReady { .. }
            | Event::NodesMarked { .. }
            | Event::Evicted { .. }
            | Event::NodeDeleted { .. }
            | Event::NodeAdded { .. } => cluster.learn_of_nodes(cx, event),
            Event::EvictionTried { .. }
            | Event::DrainTimedOut { .. }
            | Event::EmptiedReturns { .. } => cluster.go_on_emptying(cx, event),
            Event::RolloutSteps | Event::RolloutOverdue { .. } | Event::RolledBack { .. } => {
                cluster.go_on_with_rollout(cx, event);
            }
            Event::Synced => cluster.sync(cx),
            Event::ProvisioningReturns { fault, incident }
            | Event::ApiServerReturns { fault, incident } => {
                platform::bring_back(cx, cluster, (fault, incident));
            }
            Event::Joins { replica, .. } => join_rotation(cx, region, replica),
            Event::Leaves { replica, .. } => ingress.leave(cx, fleet, replica),
            Event::Check(check) => ingress.check(cx, fleet, check),
            Event::IngressAvoided { instance, incident } => ingress.avoid(cx, instance, incident),
            Event::IngressReturns { instance, fault, incident } => {
                ingress.bring_back(cx, instance, (fault, incident));
            }
            Event::SpeedReturns { replica, incident } => {
                replicas::return_speed(cx, fleet, replica, incident);
            }
            Event::NoticeEnds { .. }
            | Event::NodesReturn { .. }
            | Event::ZoneReturns { .. }
            | Event::RegionReturns { .. } => machines::go_on(cx, cluster, ingress, event),
            Event::ControlPlaneReturns { fault, incident } => {
                cx.return_control_plane(fault, incident);
            }
            Event::ZoneAvoided { fault, incident } => cx.end_loss_of_instances(fault, incident),
            Event::Cleared { fault, incident } => {
                dependencies::clear(cx, (requests, cluster, ingress), (fault, incident));
            }
        }
    }

    /// What the event that is over has left for other parts.
    fn settle(&mut self) {
        let Self { cx, region, requests, .. } = self;
        let entered = region.cluster.settle(cx);
        let stops = |state: State| matches!(state, State::Failed | State::Hung);
        let ends = entered.iter().filter(|(_, state)| *state == State::Terminated);
        let ended: Vec<ReplicaId> = ends.map(|(id, _)| *id).collect();
        for (id, _) in entered.iter().filter(|(_, state)| stops(*state)) {
            region.ingress.watch(cx, &region.cluster.fleet, *id);
        }
        if !cx.feeds_back() {
            region.settle_losses(cx);
            ended.iter().for_each(|id| region.cluster.fleet.retire(*id, cx.now));
            return assert!(cx.in_flight.attempts.is_empty(), "attempts without clients");
        }
        requests.settle_losses(cx, region);
        let fleet = &mut region.cluster.fleet;
        if !entered.is_empty() {
            requests.divide_connections(cx, fleet);
        }
        for (id, state) in entered {
            if state == State::Ready && fleet.holds_slot(id) {
                requests.policies.join(fleet[id].slot);
            }
        }
        ended.iter().for_each(|id| fleet.retire(*id, cx.now));
    }

    /// Whether the event speaks of what is no longer so.
    fn has_no_effect(&self, event: &Event) -> bool {
        let (fleet, nodes) = (&self.region.cluster.fleet, &self.region.cluster.nodes);
        match (event.incarnation(), *event) {
            // Nobody joins who has become unready in the meantime.
            (Some((id, epoch)), Event::Joins { readiness, .. }) => {
                let replica = &fleet[id];
                let same = replica.epoch == epoch && replica.readiness == readiness;
                !(same && replica.is_ready())
            }
            (Some((replica, epoch)), _) => fleet[replica].epoch != epoch,
            (None, Event::ProbeSent { replica, process, .. })
            | (None, Event::ProbeChecked { replica, process, .. }) => {
                fleet[replica].probes.process != process
            }
            (None, Event::Leaves { replica, readiness }) => fleet[replica].readiness != readiness,
            (None, Event::NodeNotReady { node, epoch } | Event::NodeDeleted { node, epoch }) => {
                nodes.get(node).epoch != epoch
            }
            (None, Event::Evicted { node, mark }) => !nodes.get(node).is_marked(mark),
            (None, Event::RolloutOverdue { incident, since }) => {
                !self.region.cluster.is_overdue(incident, since)
            }
            (None, Event::RolledBack { incident }) => {
                !self.region.cluster.may_roll_back(self.cx.plan, incident)
            }
            _ => false,
        }
    }
}

/// A probe is sent, which may ask an upstream.
fn probe(
    cx: &mut Context,
    fleet: &mut Fleet,
    requests: &mut Requests,
    (replica, kind): (ReplicaId, CompetingProbe),
) {
    let asked = requests.upstreams.asked(cx, kind);
    fleet.send_probe(cx, (replica, kind), asked);
}

/// A replica comes into rotation; random faults may hit it from now on.
fn join_rotation(cx: &mut Context, region: &mut Region, id: ReplicaId) {
    region.ingress.join(cx, &mut region.cluster.fleet, id);
    inject::await_faults_of(cx, &region.cluster.fleet, id);
}
