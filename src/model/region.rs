//! A region: a gateway with what it runs on and the ingress before it.
//!
//! Nothing of a region reaches into another but through what they share: the clients with their
//! requests, the control plane, and the moment.

use super::cluster::Cluster;
use super::context::{Context, Loss};
use super::ingress::routing::Ingress;

/// A region.
#[derive(Debug)]
pub(super) struct Region {
    pub cluster: Cluster,
    pub ingress: Ingress,
}

impl Region {
    /// A region without replicas.
    pub fn new(cx: &Context) -> Self {
        Region { cluster: Cluster::new(cx), ingress: Ingress::new(cx.plan, cx.seed) }
    }

    /// Takes care of what an event has left, where requests do not feed back.
    pub fn settle_losses(&mut self, cx: &mut Context) {
        for loss in cx.take_losses() {
            match loss {
                Loss::InFlight(id, count) => {
                    let unknown = std::iter::repeat_n(None, count);
                    self.ingress.close_in_flight(&self.cluster.fleet, id, unknown);
                }
                Loss::Stranded { replica, id, arrived, instance } => {
                    self.ingress.strand(cx, (id, arrived), replica, instance);
                }
                _ => unreachable!("{loss:?} is of requests that feed back"),
            }
        }
    }
}
