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
//! Where a client keeps its replica, by a cookie or by a hash, all instances agree on it. A new
//! replica may be given its share little by little (slow start): it is passed over with the
//! probability that it lacks, which gives it its weight under every rule.
//!
//! Assumptions: all instances learn of a change at the same time, and start their turns at
//! different endpoints. Left out: weights.

use super::connections::{Broken, Connections, OnConnection, Peer, RETRANSMISSION, Sender};
use super::seen::Seen;
use super::views::{Endpoint, Views};
use crate::observe::ReplicaId;
use crate::plan::{Balancing, Ingress, Plan, Slot};
use crate::policy::slow_start::SlowStart;
use crate::random::{Seed, Stream};
use crate::units::{Instant, Span};

/// How many choices are passed over at most: of what was tried, or is new.
const PICKS: usize = 64;
/// Cookies that are remembered at a time, so many clients apart.
const COOKIES: usize = 1 << 20;
/// Whoever has no name and no connection.
const NOBODY: Sender = Sender { at: 0, user: None, client: None };

/// A set of endpoints and one turn per ingress instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    endpoints: Vec<Endpoint>,
    turns: Vec<usize>,
}

impl Ring {
    fn new(instances: usize) -> Self {
        Ring { endpoints: Vec::new(), turns: (0..instances).collect() }
    }

    /// Those whose turn comes.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> {
        self.endpoints.iter().map(|endpoint| endpoint.replica)
    }

    /// The replica whose turn it is at an instance.
    #[inline(always)]
    pub fn next(&mut self, instance: usize) -> Option<ReplicaId> {
        self.pick(instance).map(|endpoint| endpoint.replica)
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
    Latency,
    Cookie,
    Hash,
    /// By the rule, over what an instance uses.
    Viewed,
    /// As else, but some replicas are new and get less than their share.
    Warming,
}

impl Way {
    fn of(ingress: &Ingress) -> Way {
        match ingress.balancing {
            Balancing::PerConnection { .. } => Way::PerConnection,
            Balancing::Latency(_) => Way::Latency,
            Balancing::Cookie => Way::Cookie,
            Balancing::Hash => Way::Hash,
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
    /// How the next is found now, and when no replica is new.
    way: Way,
    settled: Way,
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
    /// How new replicas are given their share, and which are new since when.
    slow_start: Option<SlowStart>,
    warming: Vec<(ReplicaId, Instant)>,
    has_begun: bool,
    /// The replica that each client has by its cookie.
    cookies: Vec<Option<(u32, ReplicaId)>>,
    seed: Seed,
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
            settled: Way::of(ingress),
            all: Ring::new(instances),
            views: ingress.is_selective().then(|| Views::new(ingress, zones)),
            by_zone: vec![Ring::new(instances); zones],
            zone_turns: (0..instances).collect(),
            connections,
            opened: false,
            broken: None,
            slow_start: ingress.slow_start,
            warming: Vec::new(),
            has_begun: false,
            cookies: Vec::new(),
            seed,
            stream: seed.stream("balancing", 0),
        }
    }

    /// The first endpoints are in: every instance begins at another one.
    pub fn begin(&mut self) {
        self.has_begun = true;
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

    /// The turns over all endpoints, if that is how every request finds its replica.
    pub fn turns(&mut self) -> Option<&mut Ring> {
        (self.way == Way::RoundRobin).then_some(&mut self.all)
    }

    pub fn join(&mut self, now: Instant, endpoint: Endpoint) {
        assert!(self.has_begun || self.warming.is_empty(), "nobody is new at the beginning");
        if self.slow_start.is_some() && self.has_begun {
            self.warming.push((endpoint.replica, now));
            self.way = Way::Warming;
        }
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
        self.warming.retain(|(new, _)| *new != replica);
        if self.warming.is_empty() {
            self.way = self.settled;
        }
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
            Way::Warming if self.settled == Way::PerConnection => {
                self.pick_by_connection(seen, instance, sender, peer)
            }
            _ => self.pick_endpoint(seen, instance, sender, requests_at),
        }
    }

    /// The replica whose turn it is at `instance`, or any where there are no turns.
    #[inline(always)]
    pub fn pick_endpoint(
        &mut self,
        seen: &Seen,
        instance: usize,
        sender: Sender,
        requests_at: impl Fn(ReplicaId) -> u32,
    ) -> Option<ReplicaId> {
        match self.way {
            Way::Warming => self.pick_warming(seen, instance, sender, requests_at),
            way => self.pick_by(way, seen, instance, sender, requests_at),
        }
    }

    #[inline(always)]
    fn pick_by(
        &mut self,
        way: Way,
        seen: &Seen,
        instance: usize,
        sender: Sender,
        requests_at: impl Fn(ReplicaId) -> u32,
    ) -> Option<ReplicaId> {
        match way {
            Way::RoundRobin => self.all.next(instance),
            Way::ZoneThenReplica => self.pick_by_zone(instance),
            Way::LeastRequest => self.pick_least(requests_at),
            Way::Random => self.pick_at_random(),
            Way::Latency => self.pick_fastest(seen, instance, sender.at, requests_at),
            Way::Cookie => self.pick_by_cookie(seen, instance, sender),
            Way::Hash => self.pick_by_hash(seen, instance, sender),
            Way::Viewed | Way::PerConnection => self.pick_viewed(seen, instance, requests_at),
            Way::Warming => unreachable!("that is no way of its own"),
        }
    }

    /// The same where some are new: one of weight w is passed over with probability 1 − w.
    #[cold]
    fn pick_warming(
        &mut self,
        seen: &Seen,
        instance: usize,
        sender: Sender,
        requests_at: impl Fn(ReplicaId) -> u32,
    ) -> Option<ReplicaId> {
        let way = self.settled;
        let mut picked = self.pick_by(way, seen, instance, sender, &requests_at);
        // Those heed it where a client gets a replica, if they do.
        if matches!(way, Way::Cookie | Way::Hash) {
            return picked;
        }
        for _ in 0..PICKS {
            if picked.is_none_or(|id| self.takes(sender.at, id)) {
                break;
            }
            picked = self.pick_by(way, seen, instance, sender, &requests_at);
        }
        picked
    }

    /// Whether a replica that may be new takes a request. When none is new any more, all is as
    /// before.
    fn takes(&mut self, at: u64, id: ReplicaId) -> bool {
        let Some(spec) = self.slow_start else { return true };
        let since = |from: Instant| Span(at.saturating_sub(from.0));
        debug_assert!(self.way != Way::Warming || !self.warming.is_empty(), "nobody is new");
        self.warming.retain(|(_, joined)| since(*joined) < spec.window);
        if self.warming.is_empty() {
            self.way = self.settled;
        }
        let joined = self.warming.iter().find(|(new, _)| *new == id);
        joined.is_none_or(|(_, joined)| self.stream.unit() < spec.weight(since(*joined)))
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
            Balancing::RoundRobin | Balancing::ZoneThenReplica => {
                let way = self.settled;
                let mut picks =
                    (0..PICKS).filter_map(|_| self.pick_by(way, seen, instance, NOBODY, |_| 0));
                picks.find(|id| left.contains(id)).or(Some(first))
            }
            _ => Some(left[self.stream.below(left.len())]),
        }
    }

    /// The one of two drawn at random that has fewer requests, the first if they are equal.
    fn pick_least(&mut self, requests_at: impl Fn(ReplicaId) -> u32) -> Option<ReplicaId> {
        let (one, other) = (self.pick_at_random()?, self.pick_at_random()?);
        Some(if requests_at(other) < requests_at(one) { other } else { one })
    }

    /// The one of two drawn at random, if there are two, that has answered faster lately.
    #[cold]
    fn pick_fastest(
        &mut self,
        seen: &Seen,
        instance: usize,
        at: u64,
        requests_at: impl Fn(ReplicaId) -> u32,
    ) -> Option<ReplicaId> {
        let count = self.choices(seen, instance).len();
        let first = self.stream.below(count.max(1));
        let second = (first + 1 + self.stream.below(count.max(2) - 1)) % count.max(1);
        let choices = self.choices(seen, instance);
        let (one, other) = (choices.get(first)?.replica, choices.get(second)?.replica);
        debug_assert!(one != other || count == 1, "two different ones are drawn");
        let score = |id| seen.score(Instant(at), instance, id, requests_at(id));
        Some(if score(other) < score(one) { other } else { one })
    }

    /// The replica that a client has by its cookie, or any.
    #[cold]
    fn pick_by_cookie(
        &mut self,
        seen: &Seen,
        instance: usize,
        sender: Sender,
    ) -> Option<ReplicaId> {
        let place = sender.client.map(|client| client as usize % COOKIES);
        let known = place.and_then(|place| *self.cookies.get(place)?);
        let its = known.filter(|(client, _)| Some(*client) == sender.client);
        let choices = self.choices(seen, instance);
        let stays = |id: &ReplicaId| choices.iter().any(|endpoint| endpoint.replica == *id);
        if let Some((_, id)) = its.filter(|(_, id)| stays(id)) {
            return Some(id);
        }
        let count = choices.len();
        let mut id = self.any_of(seen, instance, count)?;
        for _ in 0..PICKS {
            if self.takes(sender.at, id) {
                break;
            }
            id = self.any_of(seen, instance, count)?;
        }
        debug_assert!(count > 0, "{id} is chosen of nobody");
        if let (Some(place), Some(client)) = (place, sender.client) {
            self.cookies.resize(self.cookies.len().max(place + 1), None);
            self.cookies[place] = Some((client, id));
        }
        Some(id)
    }

    fn any_of(&mut self, seen: &Seen, instance: usize, count: usize) -> Option<ReplicaId> {
        let drawn = self.stream.below(count.max(1));
        self.choices(seen, instance).get(drawn).map(|endpoint| endpoint.replica)
    }

    /// The replica whose hash with the client is the greatest, or any.
    #[cold]
    fn pick_by_hash(&mut self, seen: &Seen, instance: usize, sender: Sender) -> Option<ReplicaId> {
        let count = self.choices(seen, instance).len();
        let Some(client) = sender.client else { return self.any_of(seen, instance, count) };
        let seed = self.seed;
        let hash = |id: ReplicaId| {
            seed.stream("hash of a client", u64::from(client) << 32 | id as u64).unit()
        };
        let ids = self.choices(seen, instance).iter().map(|endpoint| endpoint.replica);
        ids.max_by(|one, other| hash(*one).total_cmp(&hash(*other)))
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
        let mut fresh = self.pick_viewed(seen, instance, |_| 0)?;
        for _ in 0..PICKS {
            if self.takes(sender.at, fresh) {
                break;
            }
            fresh = self.pick_viewed(seen, instance, |_| 0)?;
        }
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
#[path = "balancer_tests.rs"]
mod tests;
