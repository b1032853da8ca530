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

use super::World;
use super::event::Event;
use crate::observe::{Observation, Observer};
use crate::plan::ZoneId;
use crate::random::{Law, Seed, Stream};
use crate::units::Instant;

/// The ingress instances as clients see them.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    /// Instances that clients reach or try to.
    pub known: Vec<usize>,
    /// How many faults keep each instance down, and the incident that took it down.
    pub down: Vec<u32>,
    pub lost_in: Vec<usize>,
    stream: Stream,
}

impl Entrance {
    pub fn new(instances: usize, seed: Seed) -> Self {
        Entrance {
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
        (self.down[instance] == 0).then_some(instance)
    }

    /// One of the faults that keep an instance down is over; without any, clients find it again.
    fn bring_back(&mut self, instance: usize) {
        self.down[instance] -= 1;
        if self.down[instance] == 0 {
            let place = self.known.partition_point(|known| *known < instance);
            if self.known.get(place) != Some(&instance) {
                self.known.insert(place, instance);
            }
        }
    }
}

impl<O: Observer> World<'_, O> {
    /// An instance vanishes by a fault of its own.
    pub(super) fn lose_ingress(&mut self, fault: usize, instance: Option<usize>, lasts: &Law) {
        let instances = self.plan.ingress.instances.len();
        let instance = instance.unwrap_or_else(|| self.misfortune.choose(fault, instances));
        let subject = format!("ingress instance {}", instance + 1);
        let incident = self.begin_incident(fault, &[], true, subject);
        self.take_down(instance, (fault, instance), incident);
        let returns = self.now + self.lasting(fault, instance, lasts);
        self.schedule(returns, Event::IngressReturns { instance, fault, incident });
        self.await_again(fault, instance, returns);
        self.tell_ingress();
    }

    /// Whether a zone has any instance.
    pub(super) fn has_ingress(&self, zone: ZoneId) -> bool {
        self.plan.ingress.instances.contains(&Some(zone))
    }

    /// A zone takes its instances with it. That lasts until clients avoid them all, or until the
    /// zone returns.
    pub(super) fn lose_ingress_of(
        &mut self,
        zone: ZoneId,
        (fault, incident): (usize, usize),
        returns: Instant,
    ) {
        let mut avoided = self.now;
        for instance in self.instances_in(zone) {
            avoided = avoided.max(self.take_down(instance, (fault, zone), incident));
        }
        self.schedule(avoided.min(returns), Event::ZoneAvoided { fault, incident });
        self.tell_ingress();
    }

    /// A zone is back, and its instances with it.
    pub(super) fn return_ingress_of(&mut self, zone: ZoneId) {
        let instances = self.instances_in(zone);
        instances.iter().for_each(|instance| self.entrance.bring_back(*instance));
        if !instances.is_empty() {
            self.tell_ingress();
        }
    }

    fn instances_in(&self, zone: ZoneId) -> Vec<usize> {
        let zones = self.plan.ingress.instances.iter().enumerate();
        zones.filter(|(_, home)| **home == Some(zone)).map(|(instance, _)| instance).collect()
    }

    /// An instance is gone until it is brought back as often; `luck` is the fault and the entity
    /// whose stream is drawn from. Gives the time from which clients avoid it.
    fn take_down(&mut self, instance: usize, luck: (usize, usize), incident: usize) -> Instant {
        if self.entrance.down[instance] == 0 {
            self.entrance.lost_in[instance] = incident;
        }
        self.entrance.down[instance] += 1;
        self.break_connections(instance);
        let avoided = self.now + self.lasting(luck.0, luck.1, &self.plan.ingress.failover);
        self.schedule(avoided, Event::IngressAvoided { instance, incident });
        avoided
    }

    /// Everything in flight through an instance is lost with it.
    fn break_connections(&mut self, instance: usize) {
        if self.feeds_back() {
            return self.lose_through(instance);
        }
        for id in self.present.clone() {
            let replica = &mut self.replicas[id];
            replica.advance(self.now.0, &mut self.exit, self.observer);
            let lost = replica.server.remove(self.now.0, |job| job.mark as usize == instance);
            self.lose(lost);
        }
        let (broken, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.attempts).into_iter().partition(|a| a.instance == instance);
        self.attempts = kept.into();
        self.lose(broken.into_iter().map(|attempt| attempt.sent).collect());
    }

    /// Clients stop trying an instance that vanished in this incident and was not back since.
    pub(super) fn avoid_ingress(&mut self, instance: usize, incident: usize) {
        let entrance = &self.entrance;
        if entrance.down[instance] > 0 && entrance.lost_in[instance] == incident {
            self.entrance.known.retain(|known| *known != instance);
            self.tell_ingress();
        }
    }

    /// An instance is back, and clients find it.
    pub(super) fn return_ingress(&mut self, instance: usize, fault: usize, incident: usize) {
        self.entrance.bring_back(instance);
        self.tell_ingress();
        self.end_fault(fault, incident);
    }

    fn tell_ingress(&mut self) {
        let down = self.entrance.down.iter().filter(|faults| **faults > 0).count();
        let reachable = self.entrance.known.len();
        self.tell(Observation::Ingress { reachable, down });
    }
}
