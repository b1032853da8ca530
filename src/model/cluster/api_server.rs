//! The API server of Kubernetes: while it is away nothing is decided and nothing is published.
//!
//! ```text
//! up ─ outage ─► away: decisions and changes of the endpoints wait ─ all outages over ─► up
//!                                                     what waited happens, leases count anew ◄──┘
//! ```
//!
//! It is not the control plane of the product (`control_plane.rs`), from which replicas fetch
//! contracts. Without it
//!
//! - nobody is scheduled, replaced, evicted, scaled or rolled out, and no node registers, is
//!   deleted or taken for lost: these events wait and happen, in their order, when it is back;
//! - the ingress hears of no replica that leaves or joins: the address of a dead one stays. A
//!   replica that is still in rotation and works again is found there;
//! - kubelets go on with what they know: they probe, kill and restart containers on their nodes, go
//!   on with the start of replicas that are bound, and end those that were deleted.
//!
//! When it is back, endpoints are known after their propagation. The controllers have lost their
//! leadership and begin anew: a lost node is not ready when it was not heard of for the whole grace
//! since then, and pods on nodes that are marked are tolerated for the whole time again.
//!
//! Source: `leader-elect-renew-deadline` of the controller manager (10 s), after which it exits;
//! `monitorNodeHealth` and the taint eviction controller keep their times in memory.
//!
//! Assumptions: it is away for everyone alike, and the controllers begin anew after any outage;
//! machines that come back meanwhile get their pods (and the ingress instances that went with a
//! zone) when it is back; a process starts with the configuration that its node has. Left out:
//! webhooks, expired tokens, the rush of all clients when it is back.

use super::Cluster;
use super::node::Health;
use crate::model::context::Context;
use crate::model::event::Event;
use crate::observe::{Observation, State};
use crate::plan::AfterCrash;

/// Whether the API server can be reached, and what waits for it.
#[derive(Clone, Debug, Default)]
pub(super) struct ApiServer {
    /// Outages in progress.
    away: u32,
    /// What would have happened since the first of them began, in order.
    held: Vec<Event>,
}

impl ApiServer {
    pub fn is_up(&self) -> bool {
        self.away == 0
    }
}

impl Cluster {
    /// The API server cannot be reached any more.
    pub fn lose_api_server(&mut self) {
        self.api.away += 1;
    }

    /// Holds an event back that cannot happen without the API server; says whether it did.
    pub fn holds_back(&mut self, event: &Event) -> bool {
        let held = !self.api.is_up() && self.needs_api_server(event);
        if held {
            self.api.held.push(*event);
        }
        held
    }

    fn needs_api_server(&self, event: &Event) -> bool {
        match *event {
            // The ingress has the address of one that is still in rotation.
            Event::Joins { replica, .. } => !self.fleet[replica].in_rotation,
            Event::PhaseEnds { replica, .. } => self.fleet[replica].state() == State::Scheduling,
            Event::CrashNoticed { then, .. } => then == AfterCrash::Replaced,
            Event::Leaves { .. }
            | Event::NodeNotReady { .. }
            | Event::NodesMarked { .. }
            | Event::Evicted { .. }
            | Event::NodeDeleted { .. }
            | Event::NodeAdded { .. }
            | Event::NodesReturn { .. }
            | Event::RegionReturns { .. }
            | Event::ZoneReturns { .. }
            | Event::EmptiedReturns { .. }
            | Event::RolloutSteps
            | Event::RolloutOverdue { .. }
            | Event::RolledBack { .. }
            | Event::EvictionTried { .. }
            | Event::DrainTimedOut { .. }
            | Event::Synced => true,
            _ => false,
        }
    }

    /// An outage of the API server is over; if it was the last, what waited happens.
    pub fn return_api_server(&mut self, cx: &mut Context, fault: usize, incident: usize) {
        assert!(self.api.away > 0, "the API server is up");
        self.api.away -= 1;
        cx.end_fault(fault, incident);
        if !self.api.is_up() {
            return;
        }
        let held = std::mem::take(&mut self.api.held);
        let is_endpoint =
            |event: &&Event| matches!(event, Event::Joins { .. } | Event::Leaves { .. });
        let endpoints = held.iter().filter(is_endpoint).count();
        let is_slot =
            |event: &&Event| matches!(event, Event::CrashNoticed { .. } | Event::PhaseEnds { .. });
        let slots = held.iter().filter(is_slot).count() + self.scheduler.waiting();
        cx.tell(Observation::ApiServerBack { region: 0, endpoints, slots });
        held.into_iter().for_each(|event| self.release(cx, event));
        self.begin_anew(cx);
        self.note_all_emptier(cx);
        self.serve_waiting(cx, "the API server is back");
    }

    /// What was held back happens now, or is known once it has spread.
    fn release(&mut self, cx: &mut Context, event: Event) {
        match event {
            Event::Joins { replica, .. } | Event::Leaves { replica, .. } => {
                let known = self.fleet.ingress_knows(cx, replica);
                cx.schedule(known, event);
            }
            // The controllers look at every node anew.
            Event::NodeNotReady { .. } | Event::Evicted { .. } => {}
            Event::NodesMarked { zone } => self.zones.review[zone] = None,
            _ => cx.schedule(cx.now, event),
        }
    }

    /// The controllers of nodes begin anew.
    fn begin_anew(&mut self, cx: &mut Context) {
        let zones = 0..cx.plan.topology.zones.len();
        let all: Vec<_> = zones.flat_map(|zone| self.nodes.machines_of(zone)).collect();
        for id in all {
            let detection = &cx.plan.detection;
            let found = self.nodes.next_pass(cx.now + detection.node_grace, detection);
            let node = self.nodes.get_mut(id);
            if node.health == Health::Lost {
                node.epoch += 1;
                cx.schedule(found, Event::NodeNotReady { node: id, epoch: node.epoch });
            }
            if node.marked {
                node.marks += 1;
                let evicted = cx.now + detection.toleration;
                cx.schedule(evicted, Event::Evicted { node: id, mark: node.marks });
            }
        }
        self.review_evictions(cx);
    }
}
