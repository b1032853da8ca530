//! The path from the client to a replica.

use super::ZoneId;
use crate::random::Law;
use crate::units::Span;

/// The path from the client to a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingress {
    /// Independent instances, each with its own round-robin pointer; at least 1. A request meets
    /// each with equal probability. Each has the zone in which it lives; `None` = outside them.
    pub instances: Vec<Option<ZoneId>>,
    /// How an instance chooses a replica.
    pub balancing: Balancing,
    /// From the client's sending to the choice of a replica.
    pub delay: Span,
    /// Network between ingress and replica, both ways together; passed after the service.
    pub hop: Span,
    /// How long a connection attempt to an address that does not answer lasts.
    pub connect_timeout: Span,
    /// How long a replica may take to answer before the ingress gives up with 504.
    pub read_timeout: Span,
    /// Further replicas tried after a failed connection attempt; 0 = no retry.
    pub retries: u32,
    /// What the address of a dead replica does.
    pub dead_address: DeadAddress,
    /// From the loss of an ingress instance until clients no longer reach it.
    pub failover: Law,
    /// From a change of readiness until every ingress instance knows the new endpoints.
    pub propagation: Law,
    /// Whether it learns of changes in the order in which they were made.
    pub endpoints_in_order: bool,
}

/// The choice of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancing {
    /// Per request, strictly in turn over the replicas.
    RoundRobin,
    /// Per request, in turn over the zones, then in turn over the replicas of the zone.
    ZoneThenReplica,
    /// A connection keeps its replica, chosen at random, until it closes or the replica leaves.
    PerConnection {
        /// Client connections open at any time; each request comes on any of them alike.
        connections: usize,
        /// Requests after which a connection closes and a new one chooses again; `None` = never.
        requests: Option<u32>,
    },
    /// Per request, each replica with equal probability.
    Random,
}

/// What a connection attempt to a dead replica's address meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadAddress {
    /// Silence, until the connect timeout.
    Drops,
    /// A refusal, at once.
    Refuses,
}
