//! The ingress instances: which of them clients meet, and what their loss breaks.
//!
//! ```text
//! up ─ own fault, or outage of its zone ─► vanished ─ fail-over ─► avoided ─┐
//! ▲                                           └────────── back ─────────────┤
//! └─────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Assumptions: an instance takes with it every request that went through it; clients meet a
//! vanished one until their fail-over is over and find it again as soon as it is back. An instance
//! lives in a zone, or outside the zones, and comes back with its zone; it is not replaced
//! elsewhere. Left out: health checks of single clients, load that an instance cannot carry.

use super::routing::Ingress;
use crate::model::context::{Context, Loss};
use crate::model::event::Event;
use crate::model::replica::fleet::Fleet;
use crate::observe::Observation;
use crate::observe::ledger::Failure;
use crate::plan::{Plan, ZoneId};
use crate::random::{Seed, Stream};
use crate::units::Instant;

/// The ingress instances as clients see them.
#[derive(Clone, Debug)]
pub(in crate::model) struct Instances {
    /// Instances that clients reach or try to, in order.
    known: Vec<usize>,
    /// How many faults keep each instance down, and the incident that took it down.
    down: Vec<u32>,
    lost_in: Vec<usize>,
    stream: Stream,
}

impl Instances {
    pub fn new(instances: usize, seed: Seed) -> Self {
        Instances {
            known: (0..instances).collect(),
            down: vec![0; instances],
            lost_in: vec![0; instances],
            stream: seed.stream("ingress", 0),
        }
    }

    /// The instance that the next request meets; `None` if it is a vanished one.
    #[inline(always)]
    pub fn meet(&mut self) -> Option<usize> {
        let place = match self.known.len() {
            0 => return None,
            1 => 0,
            count => self.stream.below(count),
        };
        let instance = self.known[place];
        debug_assert!(instance < self.down.len(), "instance {instance} does not exist");
        (self.down[instance] == 0).then_some(instance)
    }

    /// Whether clients reach an instance.
    #[inline(always)]
    pub fn is_reachable(&self, instance: usize) -> bool {
        self.down[instance] == 0 && self.known.contains(&instance)
    }

    /// A fault takes an instance down.
    fn take_down(&mut self, instance: usize, incident: usize) {
        if self.down[instance] == 0 {
            self.lost_in[instance] = incident;
        }
        self.down[instance] += 1;
    }

    /// Clients stop trying an instance that vanished in this incident and was not back since; says
    /// whether that is so.
    fn avoid(&mut self, instance: usize, incident: usize) -> bool {
        let still_lost = self.down[instance] > 0 && self.lost_in[instance] == incident;
        if still_lost {
            self.known.retain(|known| *known != instance);
        }
        still_lost
    }

    /// One of the faults that keep an instance down is over; without any, clients find it again.
    fn bring_back(&mut self, instance: usize) {
        assert!(self.down[instance] > 0, "ingress instance {instance} is up");
        self.down[instance] -= 1;
        if self.down[instance] == 0 {
            let place = self.known.partition_point(|known| *known < instance);
            if self.known.get(place) != Some(&instance) {
                self.known.insert(place, instance);
            }
            assert!(self.known.is_sorted(), "instances {:?} are out of order", self.known);
            assert!(self.known.len() <= self.down.len(), "more instances than there are");
        }
    }
}

/// The instances that live in a zone.
fn instances_in(plan: &Plan, zone: ZoneId) -> impl Iterator<Item = usize> {
    let homes = plan.ingress.instances.iter().enumerate();
    homes.filter(move |(_, home)| **home == Some(zone)).map(|(instance, _)| instance)
}

impl Ingress {
    /// A zone takes its instances with it, by an incident of a fault. Gives the time from which
    /// clients avoid them all; `None` if the zone has none.
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
    /// an entity. Gives the time from which clients avoid it.
    pub fn take_down(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        instance: usize,
        (fault, entity, incident): (usize, usize, usize),
    ) -> Instant {
        self.instances.take_down(instance, incident);
        self.break_connections(cx, fleet, instance);
        let avoided = cx.now + cx.lasting(fault, entity, &cx.plan.ingress.failover);
        cx.schedule(avoided, Event::IngressAvoided { instance, incident });
        avoided
    }

    /// Everything in flight through an instance is lost with it.
    fn break_connections(&mut self, cx: &mut Context, fleet: &mut Fleet, instance: usize) {
        if cx.feeds_back() {
            return cx.lose(Loss::Through(instance));
        }
        let mut lost = fleet.break_connections(cx, instance);
        let broken = self.connecting.iter().filter(|attempt| attempt.instance == instance);
        lost.extend(broken.map(|attempt| attempt.sent));
        self.connecting.retain(|attempt| attempt.instance != instance);
        let now = cx.now.0;
        lost.into_iter().for_each(|sent| cx.note_failure(sent, now, Failure::LostInFlight));
    }

    /// Clients stop trying an instance that vanished in this incident and was not back since.
    pub fn avoid(&mut self, cx: &mut Context, instance: usize, incident: usize) {
        if self.instances.avoid(instance, incident) {
            self.tell_instances(cx);
        }
    }

    /// An instance that a fault of its own took down is back, and clients find it.
    pub fn bring_back(&mut self, cx: &mut Context, instance: usize) {
        self.instances.bring_back(instance);
        self.tell_instances(cx);
    }

    /// Tells how many instances there are for clients.
    pub fn tell_instances(&self, cx: &mut Context) {
        let Instances { known, down, .. } = &self.instances;
        let down = down.iter().filter(|faults| **faults > 0).count();
        cx.tell(Observation::Ingress { reachable: known.len(), down });
    }
}
