//! The loss of ingress instances, one by one or with their zone, and what it breaks.

use super::connections::RETRANSMISSION;
use super::routing::{Connecting, Ingress};
use crate::engine::deadline::due;
use crate::engine::jobs::JobId;
use crate::model::context::{Context, Loss};
use crate::model::event::Event;
use crate::model::replica::fleet::Fleet;
use crate::observe::ledger::Failure;
use crate::observe::{Leaving, Observation, ReplicaId};
use crate::plan::{Failover, FailoverBy, Plan, ZoneId};
use crate::units::{Instant, Span};

/// The instances that live in a zone.
fn instances_in(plan: &Plan, zone: ZoneId) -> impl Iterator<Item = usize> {
    let homes = plan.ingress.instances.iter().enumerate();
    homes.filter(move |(_, home)| **home == Some(zone)).map(|(instance, _)| instance)
}

impl Ingress {
    /// A zone takes its instances with it, by an incident of a fault. Gives the time from which
    /// all clients avoid them all; `None` if the zone has none.
    pub fn lose_zone(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        zone: ZoneId,
        (fault, incident): (usize, usize),
    ) -> Option<Instant> {
        let hit = (fault, zone, incident);
        let plan = cx.plan;
        let instances = instances_in(plan, zone);
        let avoided = instances.map(|instance| self.take_down(cx, fleet, instance, hit)).max();
        if avoided.is_some() {
            self.tell_instances(cx);
        }
        avoided
    }

    /// A zone is back, and its instances with it.
    pub fn return_zone(&mut self, cx: &mut Context, zone: ZoneId) {
        let mut instances = instances_in(cx.plan, zone).peekable();
        let has_any = instances.peek().is_some();
        instances.for_each(|instance| self.instances.bring_back(instance));
        if has_any {
            self.tell_instances(cx);
        }
    }

    /// An instance is gone until it is brought back as often, by an incident of a fault that hits
    /// an entity. Gives the time from which all clients avoid it.
    pub fn take_down(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        instance: usize,
        (fault, entity, incident): (usize, usize, usize),
    ) -> Instant {
        self.instances.take_down(instance, incident);
        self.break_connections(cx, fleet, instance);
        let Failover { after, by } = &cx.plan.ingress.failover;
        let leaving = match by {
            FailoverBy::Clients => self.instances.begin_leaving(instance, incident, cx.now),
            FailoverBy::HealthCheck => Leaving::all_after(cx.lasting(fault, entity, after)),
        };
        cx.tell(Observation::ClientsLeave { fault, incident, instance, leaving });
        let avoided = cx.now + leaving.last;
        cx.schedule(avoided, Event::IngressAvoided { instance, incident });
        avoided
    }

    /// Everything in flight through an instance is lost with it.
    fn break_connections(&mut self, cx: &mut Context, fleet: &mut Fleet, instance: usize) {
        if cx.feeds_back() {
            return cx.lose(Loss::Through(instance));
        }
        let mut lost = fleet.break_connections(cx, instance);
        let broken = self.connecting().filter(|attempt| attempt.instance == instance);
        lost.extend(broken.map(|attempt| attempt.id));
        self.connecting.retain(|attempt| attempt.instance != instance);
        self.hanging.retain(|attempt| attempt.instance != instance);
        self.find_next_due();
        let now = cx.now.0;
        lost.into_iter()
            .map(Instant::from)
            .for_each(|sent| cx.note_failure(sent.into(), now, Failure::LostWithIngress));
    }

    /// A request that an instance had sent to a replica, which took it on at `arrived`, is never
    /// answered: its machine has vanished. It hangs until the instance gives up; if that vanished
    /// as well, it is lost with it.
    pub fn strand(
        &mut self,
        cx: &mut Context,
        (id, arrived): (JobId, u64),
        replica: ReplicaId,
        instance: usize,
    ) {
        if !self.instances.is_up(instance) {
            let sent = Instant::from(id).into();
            return cx.note_failure(sent, cx.now.0, Failure::LostWithIngress);
        }
        let patience = cx.plan.ingress.first_timeout();
        let due = due(arrived, patience.0).min(cx.now.0.saturating_add(RETRANSMISSION.0));
        assert!(due >= cx.now.0, "a request is stranded that was over at {due}");
        let is_limited = cx.plan.ingress.request_timeout < Span::MAX;
        let stranded = Connecting {
            due,
            id,
            demand: 0.0,
            instance,
            retries_left: 0,
            tried: 0,
            until: if is_limited { due } else { u64::MAX },
            connection: None,
            client: None,
            to: Some(replica),
            hangs: true,
        };
        let place = self.hanging.partition_point(|other| other.due <= due);
        self.hanging.insert(place, stranded);
        self.find_next_due();
    }

    /// Clients stop trying an instance that vanished in this incident and was not back since.
    pub fn avoid(&mut self, cx: &mut Context, instance: usize, incident: usize) {
        if self.instances.avoid(instance, incident) {
            self.tell_instances(cx);
        }
    }

    /// An instance that a fault of its own took down is back, and clients find it.
    pub fn bring_back(
        &mut self,
        cx: &mut Context,
        instance: usize,
        (fault, incident): (usize, usize),
    ) {
        self.instances.bring_back(instance);
        self.tell_instances(cx);
        cx.end_fault(fault, incident);
    }

    /// What took all instances down is over.
    pub fn return_all(&mut self, cx: &mut Context) {
        (0..cx.plan.ingress.instances.len()).for_each(|it| self.instances.bring_back(it));
        self.tell_instances(cx);
    }

    /// Tells how many instances there are for clients.
    pub fn tell_instances(&self, cx: &mut Context) {
        let (reachable, down) = self.instances.counts();
        cx.tell(Observation::Ingress { region: 0, reachable, down });
    }
}
