//! The choice of a replica for each request, by every ingress instance on its own.
//!
//! ```text
//! client ──► one of the instances, alike ──► pick() over the endpoints in rotation ──► replica
//! ```
//!
//! Round robin is exact: an instance takes the endpoints in order of their slot and never skips
//! one, so while membership is constant its counts differ by at most one. When an endpoint leaves
//! or joins, the turn goes on where it was.
//!
//! Where instances may use less than the rotation, each has a view of its own (`views`); where they
//! may not, no request pays for that.
//!
//! Assumptions: all instances learn of a change at the same time, and start their turns at
//! different endpoints. Left out: weights.

use super::connections::{Broken, Connections, OnConnection, Peer, RETRANSMISSION, Sender};
use super::seen::Seen;
use super::views::{Endpoint, Views};
use crate::observe::ReplicaId;
use crate::plan::{Balancing, Ingress, Plan, Slot};
use crate::random::{Seed, Stream};
use crate::units::Span;

/// How many turns a retry passes over to find a replica that was not tried.
const PICKS: usize = 64;

/// A set of endpoints and one turn per ingress instance.
#[derive(Clone, Debug, Default)]
struct Ring {
    endpoints: Vec<Endpoint>,
    turns: Vec<usize>,
}

impl Ring {
    fn new(instances: usize) -> Self {
        Ring { endpoints: Vec::new(), turns: (0..instances).collect() }
    }

    #[inline(always)]
    fn pick(&mut self, instance: usize) -> Option<Endpoint> {
        let turn = &mut self.turns[instance];
        // The end of a round comes at no fixed time, so it should cost no branch.
        let mut place = if *turn == self.endpoints.len() { 0 } else { *turn };
        if place >= self.endpoints.len() {
            place %= self.endpoints.len().max(1);
        }
        let endpoint = *self.endpoints.get(place)?;
        *turn = place + 1;
        debug_assert!(*turn <= self.endpoints.len(), "turn {turn} is beyond the last endpoint");
        Some(endpoint)
    }

    fn join(&mut self, endpoint: Endpoint) {
        let place = self.endpoints.partition_point(|other| *other < endpoint);
        assert!(
            self.endpoints.get(place) != Some(&endpoint),
            "{endpoint:?} is in the rotation already"
        );
        self.endpoints.insert(place, endpoint);
        debug_assert!(self.endpoints.is_sorted(), "endpoints stand in order of their slots");
        let len = self.endpoints.len();
        if len > 1 {
            self.turns.iter_mut().filter(|turn| **turn > place).for_each(|turn| *turn += 1);
        }
    }

    /// Lets instance i begin at endpoint i.
    fn align(&mut self) {
        self.turns.iter_mut().enumerate().for_each(|(instance, turn)| *turn = instance);
    }

    fn leave(&mut self, replica: ReplicaId) {
        if let Some(place) = self.endpoints.iter().position(|e| e.replica == replica) {
            self.endpoints.remove(place);
            self.turns.iter_mut().filter(|turn| **turn > place).for_each(|turn| *turn -= 1);
        }
    }
}

/// How the next replica is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    RoundRobin,
    ZoneThenReplica,
    Random,
    LeastRequest,
    PerConnection,
    /// By the rule, over what an instance uses.
    Viewed,
}

impl Way {
    fn of(ingress: &Ingress) -> Way {
        match ingress.balancing {
            Balancing::PerConnection { .. } => Way::PerConnection,
            _ if ingress.is_selective() => Way::Viewed,
            Balancing::RoundRobin => Way::RoundRobin,
            Balancing::ZoneThenReplica => Way::ZoneThenReplica,
            Balancing::Random => Way::Random,
            Balancing::LeastRequest => Way::LeastRequest,
        }
    }
}

/// The endpoints in rotation, and how each ingress instance takes its turn over them.
#[derive(Clone, Debug)]
pub(super) struct Balancer {
    rule: Balancing,
    way: Way,
    all: Ring,
    /// What each instance uses, if that may be less than all.
    views: Option<Views>,
    /// One ring per zone, and one turn per instance over the zones.
    by_zone: Vec<Ring>,
    zone_turns: Vec<usize>,
    /// Connections that keep their replica, if they do.
    connections: Option<Connections>,
    /// Whether the last pick opened a connection.
    pub opened: bool,
    /// Why the last pick gave nobody, if its connection is to blame, and where that leads.
    pub broken: Option<(Broken, ReplicaId)>,
    stream: Stream,
}

impl Balancer {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let (ingress, zones) = (&plan.ingress, plan.topology.zones.len());
        let instances = ingress.instances.len();
        let connections = match ingress.balancing {
            Balancing::PerConnection { connections, requests, idle_check } => {
                let patience = plan.dependencies.clients.patience.unwrap_or(Span::MAX);
                let patience = patience.min(ingress.first_timeout()).min(RETRANSMISSION);
                let all = Connections::new(connections, requests, idle_check, patience);
                Some(all.closing(ingress.closing, ingress.round_trip()))
            }
            _ => None,
        };
        Balancer {
            rule: ingress.balancing,
            way: Way::of(ingress),
            all: Ring::new(instances),
            views: ingress.is_selective().then(|| Views::new(ingress, zones)),
            by_zone: vec![Ring::new(instances); zones],
            zone_turns: (0..instances).collect(),
            connections,
            opened: false,
            broken: None,
            stream: seed.stream("balancing", 0),
        }
    }

    /// The first endpoints are in: every instance begins at another one.
    pub fn begin(&mut self) {
        self.all.align();
        self.by_zone.iter_mut().for_each(Ring::align);
        if let Some(views) = &mut self.views {
            views.align(&self.all.endpoints);
        }
    }

    /// What an instance may choose from.
    fn choices(&mut self, seen: &Seen, instance: usize) -> &[Endpoint] {
        match &mut self.views {
            None => &self.all.endpoints,
            Some(views) => {
                views.refresh(&self.all.endpoints, seen);
                views.of(instance)
            }
        }
    }

    /// An instance finds a replica unhealthy, or healthy again; gives how many do not use it.
    pub fn judge(
        &mut self,
        seen: &Seen,
        instance: usize,
        replica: ReplicaId,
        healthy: bool,
    ) -> usize {
        let views = self.views.as_mut().expect("instances that check have views");
        views.judge(instance, replica, healthy);
        views.refresh(&self.all.endpoints, seen);
        views.avoided_by(replica)
    }

    /// Endpoints in rotation, in order of their slots.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.all.endpoints
    }

    pub fn join(&mut self, endpoint: Endpoint) {
        assert!(endpoint.zone < self.by_zone.len(), "{endpoint:?} is in no zone");
        self.all.join(endpoint);
        self.by_zone[endpoint.zone].join(endpoint);
        self.views.iter_mut().for_each(Views::change);
    }

    pub fn leave(&mut self, replica: ReplicaId) {
        let before = self.all.endpoints.len();
        self.all.leave(replica);
        assert_eq!(self.all.endpoints.len() + 1, before, "replica {replica} was not in rotation");
        self.by_zone.iter_mut().for_each(|ring| ring.leave(replica));
        let in_zones: usize = self.by_zone.iter().map(|ring| ring.endpoints.len()).sum();
        assert_eq!(in_zones, self.all.endpoints.len(), "every endpoint is in one zone");
        if let Some(connections) = &mut self.connections {
            connections.leave(replica);
        }
        self.views.iter_mut().for_each(|views| views.forget(replica));
    }

    /// The replica for the next request at `instance`, from which a replica has so many requests;
    /// `None` if none is in rotation, or if the request's connection is broken.
    #[inline(always)]
    pub fn pick(
        &mut self,
        seen: &Seen,
        instance: usize,
        sender: Sender,
        requests_at: impl Fn(ReplicaId) -> u32,
        peer: impl Fn(ReplicaId) -> Peer,
    ) -> Option<ReplicaId> {
        match self.way {
            Way::PerConnection => self.pick_by_connection(seen, instance, sender, peer),
            _ => self.pick_endpoint(seen, instance, requests_at),
        }
    }

    /// The replica whose turn it is at `instance`, or any where there are no turns.
    #[inline(always)]
    pub fn pick_endpoint(
        &mut self,
        seen: &Seen,
        instance: usize,
        requests_at: impl Fn(ReplicaId) -> u32,
    ) -> Option<ReplicaId> {
        match self.way {
            Way::RoundRobin => self.all.pick(instance).map(|endpoint| endpoint.replica),
            Way::ZoneThenReplica => self.pick_by_zone(instance),
            Way::LeastRequest => self.pick_least(requests_at),
            Way::Random => self.pick_at_random(),
            Way::Viewed | Way::PerConnection => self.pick_viewed(seen, instance, requests_at),
        }
    }

    /// The same where instances may use less than the rotation.
    #[inline(never)]
    fn pick_viewed(
        &mut self,
        seen: &Seen,
        instance: usize,
        requests_at: impl Fn(ReplicaId) -> u32,
    ) -> Option<ReplicaId> {
        let Some(views) = &mut self.views else { return self.pick_at_random() };
        views.refresh(&self.all.endpoints, seen);
        views.pick(instance, self.rule, &mut self.stream, requests_at)
    }

    /// A replica in a slot that was not tried yet, for a retry: the next in turn, or any where
    /// there are no turns; no connection is spent. `None` if all were tried.
    #[cold]
    pub fn pick_untried(
        &mut self,
        seen: &Seen,
        instance: usize,
        tried: impl Fn(Slot) -> bool,
    ) -> Option<ReplicaId> {
        self.opened = false;
        let choices = self.choices(seen, instance).iter();
        let untried = choices.filter(|endpoint| !tried(endpoint.slot));
        let left: Vec<ReplicaId> = untried.map(|endpoint| endpoint.replica).collect();
        let first = *left.first()?;
        match self.rule {
            Balancing::Random | Balancing::LeastRequest | Balancing::PerConnection { .. } => {
                Some(left[self.stream.below(left.len())])
            }
            Balancing::RoundRobin | Balancing::ZoneThenReplica => {
                let mut picks =
                    (0..PICKS).filter_map(|_| self.pick_endpoint(seen, instance, |_| 0));
                picks.find(|id| left.contains(id)).or(Some(first))
            }
        }
    }

    /// The one of two drawn at random that has fewer requests, the first if they are equal.
    fn pick_least(&mut self, requests_at: impl Fn(ReplicaId) -> u32) -> Option<ReplicaId> {
        let (one, other) = (self.pick_at_random()?, self.pick_at_random()?);
        Some(if requests_at(other) < requests_at(one) { other } else { one })
    }

    /// Nobody listens where the last pick leads: the connection that it opened, if it did, is
    /// closed. Gives that connection.
    pub fn refuse(&mut self) -> Option<usize> {
        let connections = self.connections.as_mut().filter(|_| self.opened)?;
        self.opened = false;
        connections.close_current();
        Some(connections.current())
    }

    /// A retry opens a connection to a process of a replica at last.
    pub fn open(&mut self, connection: usize, replica: ReplicaId, process: u32, at: u64) {
        if let Some(connections) = &mut self.connections {
            connections.open(connection, replica, process, at);
            self.opened = true;
        }
    }

    /// A process of a replica has ended with requests in flight, of users or of whom it may be:
    /// they know that their connections are closed.
    pub fn close_in_flight(
        &mut self,
        replica: ReplicaId,
        process: u32,
        users: impl Iterator<Item = Option<u32>>,
    ) {
        if let Some(connections) = &mut self.connections {
            connections.close_in_flight(replica, process, users, &mut self.stream);
        }
    }

    fn pick_by_zone(&mut self, instance: usize) -> Option<ReplicaId> {
        let zones = self.by_zone.len();
        let first = self.zone_turns[instance];
        let zone = (first..first + zones)
            .map(|zone| zone % zones)
            .find(|zone| !self.by_zone[*zone].endpoints.is_empty())?;
        self.zone_turns[instance] = zone + 1;
        let endpoint = self.by_zone[zone].pick(instance)?;
        debug_assert_eq!(endpoint.zone, zone, "{endpoint:?} stands in the ring of another zone");
        Some(endpoint.replica)
    }

    fn pick_at_random(&mut self) -> Option<ReplicaId> {
        let endpoints = &self.all.endpoints;
        match endpoints.len() {
            0 => None,
            count => Some(endpoints[self.stream.below(count)].replica),
        }
    }

    fn pick_by_connection(
        &mut self,
        seen: &Seen,
        instance: usize,
        sender: Sender,
        peer: impl Fn(ReplicaId) -> Peer,
    ) -> Option<ReplicaId> {
        let connections = self.connections.as_mut()?;
        self.opened = false;
        match connections.find(sender, &mut self.stream, &peer) {
            // What is found unhealthy has its connections closed.
            OnConnection::Open(id) | OnConnection::Broken(_, id)
                if !self.keeps(seen, instance, id) => {}
            OnConnection::Open(replica) => return Some(replica),
            OnConnection::Broken(broken, replica) => {
                self.broken = Some((broken, replica));
                return None;
            }
            OnConnection::Closed => {}
        }
        let fresh = self.pick_viewed(seen, instance, |_| 0)?;
        let connections = self.connections.as_mut()?;
        connections.open(connections.current(), fresh, peer(fresh).process, sender.at);
        self.opened = true;
        Some(fresh)
    }

    /// Whether an instance keeps a connection to a replica that is in rotation.
    #[inline(always)]
    fn keeps(&mut self, seen: &Seen, instance: usize, replica: ReplicaId) -> bool {
        self.views.as_mut().is_none_or(|views| {
            views.refresh(&self.all.endpoints, seen);
            views.keeps(instance, replica)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ZoneId;
    use crate::units::SECOND;

    /// Somebody who listens, and whose process is that of the beginning.
    fn well(_: ReplicaId) -> Peer {
        Peer { process: 0, silent: false }
    }

    const NOW: Sender = Sender { at: 1_000, user: None };

    fn per_connection(connections: usize, requests: Option<u32>) -> Balancing {
        Balancing::PerConnection { connections, requests, idle_check: Span(SECOND) }
    }

    fn balancer(rule: Balancing, instances: usize, zones: &[ZoneId]) -> Balancer {
        let count = zones.iter().max().map_or(1, |most| most + 1);
        let mut plan = Plan::neutral();
        plan.ingress.balancing = rule;
        plan.ingress.instances = vec![None; instances];
        plan.topology.zones = vec![String::new(); count];
        let mut balancer = Balancer::new(&plan, Seed { seed: 1, replication: 0 });
        for (replica, zone) in zones.iter().enumerate() {
            balancer.join(Endpoint { slot: replica, replica, zone: *zone });
        }
        balancer
    }

    fn picks(balancer: &mut Balancer, instance: usize, count: usize) -> Vec<ReplicaId> {
        let seen = Seen::new(&Plan::neutral());
        (0..count).filter_map(|_| balancer.pick(&seen, instance, NOW, |_| 0, well)).collect()
    }

    #[test]
    fn round_robin_is_a_strict_cycle() {
        let mut three = balancer(Balancing::RoundRobin, 1, &[0, 1, 2]);
        assert_eq!(picks(&mut three, 0, 7), [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn instances_begin_at_different_endpoints() {
        for rule in [Balancing::RoundRobin, Balancing::ZoneThenReplica] {
            let mut three = balancer(rule, 4, &[0, 1, 2]);
            three.begin();
            let seen = Seen::new(&Plan::neutral());
            let first = |instance| three.pick_endpoint(&seen, instance, |_| 0);
            let first: Vec<_> = (0..4).filter_map(first).collect();
            assert_eq!(first, [0, 1, 2, 0], "{rule:?}");
        }
    }

    #[test]
    fn a_retry_meets_what_was_not_tried_and_spends_no_connection() {
        for rule in [
            Balancing::RoundRobin,
            Balancing::ZoneThenReplica,
            Balancing::Random,
            per_connection(1, Some(1_000)),
        ] {
            let mut three = balancer(rule, 1, &[0, 1, 2]);
            let seen = Seen::new(&Plan::neutral());
            let kept = three.pick(&seen, 0, NOW, |_| 0, well);
            for _ in 0..50 {
                assert_eq!(three.pick_untried(&seen, 0, |slot| slot != 1), Some(1), "{rule:?}");
            }
            assert_eq!(three.pick_untried(&seen, 0, |_| true), None);
            if let Balancing::PerConnection { .. } = rule {
                assert_eq!(picks(&mut three, 0, 999), vec![kept.unwrap(); 999]);
            }
        }
    }

    #[test]
    fn the_turn_goes_on_when_an_endpoint_leaves_or_joins() {
        let mut three = balancer(Balancing::RoundRobin, 1, &[0, 1, 2]);
        assert_eq!(picks(&mut three, 0, 2), [0, 1]);
        three.leave(0);
        assert_eq!(picks(&mut three, 0, 3), [2, 1, 2]);
        three.join(Endpoint { slot: 0, replica: 3, zone: 0 });
        assert_eq!(picks(&mut three, 0, 4), [3, 1, 2, 3]);
    }

    #[test]
    fn property_7_zone_then_replica_gives_each_zone_its_share_even_if_zones_are_uneven() {
        let mut uneven = balancer(Balancing::ZoneThenReplica, 1, &[0, 0, 1]);
        assert_eq!(picks(&mut uneven, 0, 8), [0, 2, 1, 2, 0, 2, 1, 2]);
        uneven.leave(2);
        assert_eq!(picks(&mut uneven, 0, 4), [0, 1, 0, 1]);
    }

    #[test]
    fn an_empty_rotation_gives_nobody() {
        for rule in [
            Balancing::RoundRobin,
            Balancing::ZoneThenReplica,
            Balancing::Random,
            per_connection(3, Some(2)),
        ] {
            let mut none = balancer(rule, 2, &[0]);
            none.leave(0);
            assert!(picks(&mut none, 1, 1).is_empty());
            none.join(Endpoint { slot: 0, replica: 1, zone: 0 });
            assert_eq!(picks(&mut none, 1, 1), [1]);
        }
    }

    #[test]
    fn a_connection_to_a_replica_that_left_opens_anew() {
        let rule = per_connection(20, None);
        let mut two = balancer(rule, 1, &[0, 1]);
        assert!(picks(&mut two, 0, 500).contains(&0));
        two.leave(0);
        assert!(picks(&mut two, 0, 500).iter().all(|replica| *replica == 1));
        two.join(Endpoint { slot: 0, replica: 2, zone: 0 });
        assert!(picks(&mut two, 0, 500).iter().all(|replica| *replica == 1), "none is moved back");
    }

    #[test]
    fn a_connection_keeps_its_replica_until_it_closes() {
        let rule = per_connection(1, Some(5));
        let mut one = balancer(rule, 1, &[0, 1, 2]);
        let taken = picks(&mut one, 0, 500);
        assert!(taken.chunks(5).all(|chunk| chunk.iter().all(|replica| *replica == chunk[0])));
        assert!((0..3).all(|replica| taken.contains(&replica)));
    }
}
