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
//! Assumptions: all instances learn of a change at the same time, and start their turns at
//! different endpoints. Left out: weights, health checks by the ingress itself, zone preference.

use crate::observe::ReplicaId;
use crate::plan::{Balancing, Slot, ZoneId};
use crate::random::{Seed, Stream};

/// How many turns a retry passes over to find a replica that was not tried.
const PICKS: usize = 64;

/// An address that ingress instances know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Endpoint {
    pub slot: Slot,
    pub replica: ReplicaId,
    pub zone: ZoneId,
}

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

/// A client connection: its replica and how many requests it may still carry.
#[derive(Clone, Copy, Debug)]
struct Connection {
    replica: Option<ReplicaId>,
    left: u32,
}

/// The endpoints in rotation, and how each ingress instance takes its turn over them.
#[derive(Clone, Debug)]
pub(super) struct Balancer {
    rule: Balancing,
    all: Ring,
    /// One ring per zone, and one turn per instance over the zones.
    by_zone: Vec<Ring>,
    zone_turns: Vec<usize>,
    connections: Vec<Connection>,
    /// Whether the last pick opened a connection.
    pub opened: bool,
    stream: Stream,
}

impl Balancer {
    pub fn new(rule: Balancing, instances: usize, zones: usize, seed: Seed) -> Self {
        let connections = match rule {
            Balancing::PerConnection { connections, .. } => connections,
            _ => 0,
        };
        Balancer {
            rule,
            all: Ring::new(instances),
            by_zone: vec![Ring::new(instances); zones],
            zone_turns: (0..instances).collect(),
            connections: vec![Connection { replica: None, left: 0 }; connections],
            opened: false,
            stream: seed.stream("balancing", 0),
        }
    }

    /// The first endpoints are in: every instance begins at another one.
    pub fn begin(&mut self) {
        self.all.align();
        self.by_zone.iter_mut().for_each(Ring::align);
    }

    /// Endpoints in rotation, in order of their slots.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.all.endpoints
    }

    pub fn join(&mut self, endpoint: Endpoint) {
        assert!(endpoint.zone < self.by_zone.len(), "{endpoint:?} is in no zone");
        self.all.join(endpoint);
        self.by_zone[endpoint.zone].join(endpoint);
    }

    pub fn leave(&mut self, replica: ReplicaId) {
        let before = self.all.endpoints.len();
        self.all.leave(replica);
        assert_eq!(self.all.endpoints.len() + 1, before, "replica {replica} was not in rotation");
        self.by_zone.iter_mut().for_each(|ring| ring.leave(replica));
        let in_zones: usize = self.by_zone.iter().map(|ring| ring.endpoints.len()).sum();
        assert_eq!(in_zones, self.all.endpoints.len(), "every endpoint is in one zone");
        let held = self.connections.iter_mut().filter(|c| c.replica == Some(replica));
        held.for_each(|connection| connection.replica = None);
    }

    /// The replica for the next request at `instance`, from which a replica has so many requests;
    /// `None` if none is in rotation.
    #[inline(always)]
    pub fn pick(
        &mut self,
        instance: usize,
        requests_at: impl Fn(ReplicaId) -> u32,
    ) -> Option<ReplicaId> {
        match self.rule {
            Balancing::RoundRobin => self.all.pick(instance).map(|endpoint| endpoint.replica),
            Balancing::ZoneThenReplica => self.pick_by_zone(instance),
            Balancing::Random => self.pick_at_random(),
            Balancing::LeastRequest => self.pick_least(requests_at),
            Balancing::PerConnection { requests, .. } => self.pick_by_connection(requests),
        }
    }

    /// A replica in a slot that was not tried yet, for a retry: the next in turn, or any where
    /// there are no turns; no connection is spent. `None` if all were tried.
    #[cold]
    pub fn pick_untried(
        &mut self,
        instance: usize,
        tried: impl Fn(Slot) -> bool,
    ) -> Option<ReplicaId> {
        self.opened = false;
        let untried = self.all.endpoints.iter().filter(|endpoint| !tried(endpoint.slot));
        let left: Vec<ReplicaId> = untried.map(|endpoint| endpoint.replica).collect();
        let first = *left.first()?;
        match self.rule {
            Balancing::Random | Balancing::LeastRequest | Balancing::PerConnection { .. } => {
                Some(left[self.stream.below(left.len())])
            }
            Balancing::RoundRobin | Balancing::ZoneThenReplica => {
                let mut picks = (0..PICKS).filter_map(|_| self.pick(instance, |_| 0));
                picks.find(|id| left.contains(id)).or(Some(first))
            }
        }
    }

    /// The one of two drawn at random that has fewer requests, the first if they are equal.
    fn pick_least(&mut self, requests_at: impl Fn(ReplicaId) -> u32) -> Option<ReplicaId> {
        let (one, other) = (self.pick_at_random()?, self.pick_at_random()?);
        Some(if requests_at(other) < requests_at(one) { other } else { one })
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

    fn pick_by_connection(&mut self, requests: Option<u32>) -> Option<ReplicaId> {
        let index = self.stream.below(self.connections.len());
        let Connection { replica, left } = self.connections[index];
        self.opened = left == 0 || replica.is_none();
        if self.opened {
            let fresh = self.pick_at_random();
            self.connections[index] =
                Connection { replica: fresh, left: requests.unwrap_or(u32::MAX) };
        }
        let connection = &mut self.connections[index];
        debug_assert!(
            connection.replica.is_none_or(|id| self.all.endpoints.iter().any(|e| e.replica == id)),
            "{connection:?} leads to a replica that left the rotation"
        );
        if requests.is_some() {
            connection.left = connection.left.saturating_sub(1);
        }
        connection.replica
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balancer(rule: Balancing, instances: usize, zones: &[ZoneId]) -> Balancer {
        let count = zones.iter().max().map_or(1, |most| most + 1);
        let mut balancer = Balancer::new(rule, instances, count, Seed { seed: 1, replication: 0 });
        for (replica, zone) in zones.iter().enumerate() {
            balancer.join(Endpoint { slot: replica, replica, zone: *zone });
        }
        balancer
    }

    fn picks(balancer: &mut Balancer, instance: usize, count: usize) -> Vec<ReplicaId> {
        (0..count).filter_map(|_| balancer.pick(instance, |_| 0)).collect()
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
            let first: Vec<_> = (0..4).filter_map(|instance| three.pick(instance, |_| 0)).collect();
            assert_eq!(first, [0, 1, 2, 0], "{rule:?}");
        }
    }

    #[test]
    fn a_retry_meets_what_was_not_tried_and_spends_no_connection() {
        for rule in [
            Balancing::RoundRobin,
            Balancing::ZoneThenReplica,
            Balancing::Random,
            Balancing::PerConnection { connections: 1, requests: Some(1_000) },
        ] {
            let mut three = balancer(rule, 1, &[0, 1, 2]);
            let kept = three.pick(0, |_| 0);
            for _ in 0..50 {
                assert_eq!(three.pick_untried(0, |slot| slot != 1), Some(1), "{rule:?}");
            }
            assert_eq!(three.pick_untried(0, |_| true), None);
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
            Balancing::PerConnection { connections: 3, requests: Some(2) },
        ] {
            let mut none = balancer(rule, 2, &[0]);
            none.leave(0);
            assert_eq!(none.pick(1, |_| 0), None);
            none.join(Endpoint { slot: 0, replica: 1, zone: 0 });
            assert_eq!(none.pick(1, |_| 0), Some(1));
        }
    }

    #[test]
    fn a_connection_to_a_replica_that_left_opens_anew() {
        let rule = Balancing::PerConnection { connections: 20, requests: None };
        let mut two = balancer(rule, 1, &[0, 1]);
        assert!(picks(&mut two, 0, 500).contains(&0));
        two.leave(0);
        assert!(picks(&mut two, 0, 500).iter().all(|replica| *replica == 1));
        two.join(Endpoint { slot: 0, replica: 2, zone: 0 });
        assert!(picks(&mut two, 0, 500).iter().all(|replica| *replica == 1), "none is moved back");
    }

    #[test]
    fn a_connection_keeps_its_replica_until_it_closes() {
        let rule = Balancing::PerConnection { connections: 1, requests: Some(5) };
        let mut one = balancer(rule, 1, &[0, 1, 2]);
        let taken = picks(&mut one, 0, 500);
        assert!(taken.chunks(5).all(|chunk| chunk.iter().all(|replica| *replica == chunk[0])));
        assert!((0..3).all(|replica| taken.contains(&replica)));
    }
}
