//! The cluster: where replicas live, who replaces them, and how many there are.
//!
//! ```text
//! scaler ── more, fewer ──┐
//! rollout ── old for new ─┼─► scheduler ─► node with room ─► a replica starts
//! eviction ── lost nodes ─┘        └─ none: waits; a node is added
//! ```
//!
//! The [`Cluster`] owns the replicas of a region (its [`Fleet`]), the nodes and zones that they run
//! on, the slots that wait for a node, exchanges in progress and the autoscaler. It may ask the
//! [`Context`] for the moment, the plan, the calendar and the clocks of faults. It knows neither
//! requests nor the ingress.
//!
//! - `scheduler` places and replaces, `waiting` is its queue; `node` and `zone` are what it sees.
//! - `eviction` is what happens to lost nodes and what they held.
//! - `rollout` exchanges replicas on purpose, `release` knows their versions, `emptying` empties
//!   machines as far as the disruption budget allows, `shutdown` heeds that one is to vanish,
//!   `scaler` changes the number of replicas.
//! - `api_server` holds all of this back while nobody reaches the API server.
//!
//! Start reading at `scheduler`.

mod api_server;
mod emptying;
mod eviction;
pub(super) mod node;
mod release;
mod rollout;
mod scaler;
mod scheduler;
mod shutdown;
mod waiting;
mod zone;

use super::context::Context;
use super::replica::fleet::Fleet;
use crate::observe::{ReplicaId, State};
use crate::units::{Instant, Span};
use api_server::ApiServer;
use node::Nodes;
use rollout::Exchanges;
use scaler::Scaler;
use shutdown::Shutdowns;
use waiting::Scheduler;
use zone::Zones;

/// The replicas of a region and what they run on.
#[derive(Debug)]
pub(super) struct Cluster {
    pub fleet: Fleet,
    pub nodes: Nodes,
    zones: Zones,
    api: ApiServer,
    scheduler: Scheduler,
    exchanges: Exchanges,
    shutdowns: Shutdowns,
    scaler: Option<Scaler>,
    /// Whether the gateway is deployed: a cold region has nothing before.
    pub is_deployed: bool,
}

impl Cluster {
    /// A cluster without replicas.
    pub fn new(cx: &Context) -> Self {
        let (plan, seed) = (cx.plan, cx.seed);
        Cluster {
            fleet: Fleet::new(cx),
            nodes: Nodes::new(plan, seed),
            zones: Zones::new(plan.topology.zones.len()),
            api: ApiServer::default(),
            scheduler: Scheduler::new(seed),
            exchanges: Exchanges::default(),
            shutdowns: Shutdowns::default(),
            scaler: plan.autoscaling.as_ref().map(|_| Scaler::new(seed)),
            is_deployed: true,
        }
    }

    /// At the start a slot has a replica that is ready, somewhere between two of its probes.
    pub fn begin_ready(&mut self, cx: &mut Context, slot: usize) -> ReplicaId {
        assert_eq!(cx.now, Instant::ZERO, "slot {slot} begins in the middle of the run");
        let id = self.create_first(cx, slot, cx.plan.topology.placement[slot]);
        let replica = &mut self.fleet[id];
        let period = cx.plan.startup.readiness.period;
        // Probes count from the container's start; the run begins some way into a period.
        replica.probe_phase = Some(Span((replica.stream.unit() * period.0 as f64) as u64));
        replica.container_started = Instant::ZERO;
        replica.listens = true;
        self.fleet.enter(cx, id, State::Ready, "start of the run");
        id
    }

    /// Whether all zones have gone down.
    pub fn is_lost(&self) -> bool {
        (0..self.zones.down.len()).all(|zone| !self.zones.is_up(zone))
    }

    /// The probes of a replica that is ready at the start begin, if each is followed.
    pub fn begin_probes(&mut self, cx: &mut Context, id: ReplicaId) {
        if cx.plan.detection.follows_probes() {
            self.fleet.begin_probes(cx, id);
        }
    }

    /// What the autoscaler and a rollout see of the states that replicas have entered; gives these.
    pub fn settle(&mut self, cx: &mut Context) -> Vec<(ReplicaId, State)> {
        let entered = self.fleet.take_entered();
        for (id, state) in &entered {
            self.note_state(cx, *id, *state);
        }
        if !entered.is_empty() {
            self.note_progress_of_rollout(cx);
        }
        entered
    }
}
