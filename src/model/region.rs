//! A region: a gateway with what it runs on and the ingress before it.
//!
//! Nothing of a region reaches into another but through what they share: the clients with their
//! requests, the control plane, and the moment.

use super::cluster::Cluster;
use super::ingress::routing::Ingress;
use crate::plan::Plan;
use crate::random::Seed;

/// A region.
#[derive(Debug)]
pub(super) struct Region {
    pub cluster: Cluster,
    pub ingress: Ingress,
}

impl Region {
    /// A region without replicas.
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        Region { cluster: Cluster::new(plan, seed), ingress: Ingress::new(plan, seed) }
    }
}
