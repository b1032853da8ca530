//! Clients inside the cluster, who reach replicas by the address of their Service and not through
//! the ingress.
//!
//! ```text
//! client ─ a connection of its pool ─┬─ open ──────────────────────────────────────► its replica
//!                                    └─ closed ─► kube-proxy: any known endpoint, alike ─┬─► opens
//!                                                 dead: refused or silent, request fails ◄┘
//! ```
//!
//! kube-proxy gives a connection, not a request, to an endpoint: each is drawn at random when it is
//! opened and stays, so n connections are spread over k replicas multinomially. Nobody checks
//! health, tries again or judges answers. Endpoints are known as the ingress knows them, after the
//! same propagation. A process that ends resets its connections, which clients see at once; they
//! open others, and while the dead endpoint is known each meets it with probability 1/k. A machine
//! that vanishes resets nothing: what is sent hangs until its client gives up. A replica that
//! drains closes its connections when it has left the endpoints.
//!
//! Where the Service prefers a zone (`trafficDistribution`), the node's kube-proxy knows the
//! endpoints of its own zone alone, while there is one. Clients are spread evenly over the zones,
//! connection by connection.
//!
//! Source: kube-proxy's iptables mode (`statistic mode random probability`); conntrack keeps TCP
//! connections to endpoints that are gone.
//!
//! Assumptions: such a request takes as long on its way as one through the ingress, and has the
//! connect time-out of the ingress; whether a request is one is drawn once for it. Left out:
//! session affinity, IPVS' other schedulers, TLS at the ingress, topology-aware hints.

use super::balancer::Balancer;
use super::connections::{Connections, OnConnection, Peer, RETRANSMISSION, Sender};
use super::views::Endpoint;
use crate::observe::ReplicaId;
use crate::plan::Plan;
use crate::random::{Seed, Stream};
use crate::units::Span;

/// The connections of clients inside the cluster.
#[derive(Clone, Debug)]
pub(super) struct InsidePool {
    share: f64,
    /// The number by which attempts know that they came through no instance.
    pub instance: usize,
    connections: Connections,
    stream: Stream,
    seed: Seed,
    /// Of how many zones clients prefer their own; 0 = they prefer none.
    zones: usize,
}

impl InsidePool {
    pub fn new(plan: &Plan, seed: Seed) -> Option<Self> {
        let inside = plan.ingress.in_cluster?;
        let patience = plan.dependencies.clients.patience.unwrap_or(Span::MAX);
        let patience = patience.min(RETRANSMISSION);
        assert!(inside.share.0 > 0.0, "clients inside the cluster send something");
        Some(InsidePool {
            share: inside.share.0,
            instance: plan.ingress.instances.len(),
            connections: Connections::new(inside.connections, None, Span::ZERO, patience),
            stream: seed.stream("kube-proxy", 0),
            seed,
            zones: if plan.ingress.prefer_zone { plan.topology.zones.len() } else { 0 },
        })
    }

    /// Whether the request that was born then comes from inside. A larger share takes the same
    /// requests and more.
    pub fn sends(&self, born: u64) -> bool {
        self.share >= 1.0 || self.seed.stream("in-cluster", born).unit() < self.share
    }

    /// The replica of the connection that a request comes on, which is opened if it is not.
    pub fn choose(
        &mut self,
        balancer: &mut Balancer,
        sender: Sender,
        peer: impl Fn(ReplicaId) -> Peer,
    ) -> Option<ReplicaId> {
        balancer.opened = false;
        match self.connections.find(sender, &mut self.stream, &peer) {
            OnConnection::Open(replica) => return Some(replica),
            OnConnection::Broken(broken, replica) => {
                balancer.broken = Some((broken, replica));
                return None;
            }
            OnConnection::Closed => {}
        }
        let known = balancer.endpoints();
        debug_assert!(known.is_sorted(), "endpoints stand in order of their slots");
        let current = self.connections.current();
        let zone = current.checked_rem(self.zones);
        let is_near = |endpoint: &&Endpoint| Some(endpoint.zone) == zone;
        let near = known.iter().filter(is_near).count();
        let count = if near == 0 { known.len() } else { near };
        let index = (count > 0).then(|| self.stream.below(count))?;
        let drawn = match near {
            0 => known[index].replica,
            _ => known.iter().filter(is_near).nth(index).map(|endpoint| endpoint.replica)?,
        };
        self.connections.open(current, drawn, peer(drawn).process, sender.at);
        balancer.opened = true;
        Some(drawn)
    }

    /// Nobody listens where the connection that was opened last leads.
    pub fn refuse(&mut self) {
        let current = self.connections.current();
        debug_assert!(self.connections.is_open(current), "connection {current} was not opened");
        self.connections.close_current();
    }

    /// A replica that still works has left the endpoints: it closes its connections.
    pub fn leave(&mut self, replica: ReplicaId) {
        self.connections.leave(replica);
    }

    /// A process has ended with requests in flight, of users or of whom it may be.
    pub fn close_in_flight(
        &mut self,
        replica: ReplicaId,
        process: u32,
        users: impl Iterator<Item = Option<u32>>,
    ) {
        self.connections.close_in_flight(replica, process, users, &mut self.stream);
    }
}
