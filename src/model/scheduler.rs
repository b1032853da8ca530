//! Where a new replica goes, and the nodes that are added for those that find no room.
//!
//! ```text
//! replica wanted ─► a node with room in a zone that the spread allows ─► Scheduling …
//!        └─ none ─► waits ─► a node is on its way (if somebody adds nodes) ─► again
//!                     └────► a node comes back, is deleted, gets room ──────► again
//! ```
//!
//! Of the zones allowed the one with the fewest replicas is taken; of equals the zone of the
//! replica that is replaced, then the first. With do-not-schedule a zone is allowed if it would
//! not exceed the zone with the fewest by more than the skew, and a dead zone counts with the
//! replicas it has left: none.
//!
//! Replicas that were lost are served before those wanted beyond.
//!
//! Assumptions: one node is added for as many waiting replicas as it has room for, in the zone that
//! the spread prefers among those that are up; a wish is never taken back. Without a stated number
//! of nodes the scheduler knows at once which zones are up. Left out: scores other than spread and
//! occupancy, preemption.

use super::World;
use super::event::Event;
use super::node::NodeId;
use crate::observe::{Observation, Observer};
use crate::plan::{Slot, Spread, ZoneId};
use crate::random::{Law, Seed, Stream};

/// A slot that no node may take.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    slot: Slot,
    /// Zone of the replica that it lost.
    lost: Option<ZoneId>,
}

/// Slots that wait, and nodes on their way.
#[derive(Clone, Debug)]
pub(super) struct Scheduler {
    waiting: Vec<Waiting>,
    /// Zones of the nodes on their way.
    launching: Vec<ZoneId>,
    /// Faults that keep new nodes from being had.
    outages: u32,
    luck: Stream,
}

impl Scheduler {
    pub fn new(seed: Seed) -> Self {
        let luck = seed.stream("provisioning", 0);
        Scheduler { waiting: Vec::new(), launching: Vec::new(), outages: 0, luck }
    }

    /// How many slots wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a slot waits.
    pub fn has_waiting(&self, slot: Slot) -> bool {
        self.waiting.iter().any(|waiting| waiting.slot == slot)
    }

    /// Gives up the slot that began to wait last.
    pub fn drop_waiting(&mut self) -> Option<Slot> {
        self.waiting.pop().map(|waiting| waiting.slot)
    }
}

impl<O: Observer> World<'_, O> {
    /// A new replica for a slot that lost one in this zone, or is new.
    pub(super) fn place(&mut self, slot: Slot, lost: Option<ZoneId>, cause: &'static str) {
        match self.choose_node(lost) {
            Some(node) => self.start_on(slot, node, cause),
            None => {
                self.scheduler.waiting.push(Waiting { slot, lost });
                let reason = self.why_unschedulable();
                self.tell(Observation::Unschedulable { slot, reason });
                self.launch_nodes();
            }
        }
    }

    fn start_on(&mut self, slot: Slot, node: NodeId, cause: &'static str) {
        let id = self.create(slot, node);
        self.begin_scheduling(id, cause);
    }

    /// Gives the slots that wait another chance.
    pub(super) fn serve_waiting(&mut self, cause: &'static str) {
        if self.scheduler.waiting.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.scheduler.waiting);
        // Those that lost a replica come before those that are wanted beyond.
        all.sort_by_key(|waiting| waiting.lost.is_none());
        for waiting in all {
            match self.choose_node(waiting.lost) {
                Some(node) => self.start_on(waiting.slot, node, cause),
                None => self.scheduler.waiting.push(waiting),
            }
        }
        self.launch_nodes();
    }

    /// A node with room in a zone at the start.
    ///
    /// # Panics
    /// If there is none; the scenario checker refuses such plans.
    pub(super) fn first_node(&mut self, zone: ZoneId) -> NodeId {
        self.node_in(zone).expect("the nodes have room for the replicas")
    }

    fn choose_node(&mut self, lost: Option<ZoneId>) -> Option<NodeId> {
        let counts = self.replicas_by_zone();
        self.allowed_zones(&counts, lost).into_iter().find_map(|zone| self.node_in(zone))
    }

    /// A node with room in a zone; one more if nodes are of no concern.
    fn node_in(&mut self, zone: ZoneId) -> Option<NodeId> {
        if !self.nodes.unlimited {
            return self.nodes.with_room(zone);
        }
        if !self.zones.is_up(zone) {
            return None;
        }
        let node = self.nodes.with_room(zone);
        Some(node.unwrap_or_else(|| self.nodes.add(zone, &self.plan.topology.zones[zone], false)))
    }

    fn replicas_by_zone(&self) -> Vec<usize> {
        let mut counts = vec![0_usize; self.plan.topology.zones.len()];
        let new = self.slots.iter().flatten().filter(|id| !self.exchanges.is_old(**id));
        new.for_each(|id| counts[self.replicas[*id].zone] += 1);
        counts
    }

    /// The zones that the spread allows, the best first.
    fn allowed_zones(&self, counts: &[usize], lost: Option<ZoneId>) -> Vec<ZoneId> {
        let domain = |zone: &ZoneId| self.nodes.is_domain(*zone, self.zones.is_up(*zone));
        let least = (0..counts.len()).filter(domain).map(|zone| counts[zone]).min().unwrap_or(0);
        let allowed = |zone: &ZoneId| match self.plan.topology.spread {
            Spread::ScheduleAnyway => true,
            Spread::DoNotSchedule => counts[*zone] < least + self.plan.topology.max_skew,
        };
        let mut zones: Vec<ZoneId> = (0..counts.len()).filter(allowed).collect();
        zones.sort_by_key(|zone| (counts[*zone], Some(*zone) != lost, *zone));
        zones
    }

    fn why_unschedulable(&self) -> &'static str {
        let counts = self.replicas_by_zone();
        let allowed = self.allowed_zones(&counts, None);
        let has_room = |zone: &ZoneId| {
            let spare = self.nodes.unlimited && self.zones.is_up(*zone);
            spare || self.nodes.with_room(*zone).is_some()
        };
        let elsewhere = (0..counts.len()).any(|zone| !allowed.contains(&zone) && has_room(&zone));
        if elsewhere {
            "the spread over zones forbids the zones that have room"
        } else {
            "no node has room"
        }
    }

    /// Asks for a node for each slot that waits, unless there will be room: on nodes that are on
    /// their way, or in zones that the spread allows once others are served.
    fn launch_nodes(&mut self) {
        if self.plan.nodes.provisioning.is_none() || self.scheduler.outages > 0 {
            return;
        }
        let mut counts = self.replicas_by_zone();
        let mut room: Vec<usize> = (0..counts.len()).map(|zone| self.nodes.room_in(zone)).collect();
        self.scheduler.launching.iter().for_each(|zone| room[*zone] += self.plan.nodes.room);
        for waiting in self.scheduler.waiting.clone() {
            let zones = self.allowed_zones(&counts, waiting.lost);
            let there = zones.iter().find(|zone| room[**zone] > 0).copied();
            let chosen = there.or_else(|| zones.into_iter().find(|zone| self.zones.is_up(*zone)));
            let Some(zone) = chosen else { continue };
            if there.is_none() {
                self.launch_node(zone);
                room[zone] += self.plan.nodes.room;
            }
            room[zone] -= 1;
            counts[zone] += 1;
        }
    }

    fn launch_node(&mut self, zone: ZoneId) {
        let Some(takes) = &self.plan.nodes.provisioning else { return };
        self.scheduler.launching.push(zone);
        let ready = self.now + takes.draw(&mut self.scheduler.luck);
        self.schedule(ready, Event::NodeAdded { zone });
    }

    /// A node that was asked for is ready, unless its zone went down meanwhile.
    pub(super) fn add_node(&mut self, zone: ZoneId) {
        let place = self.scheduler.launching.iter().position(|other| *other == zone);
        place.map(|place| self.scheduler.launching.remove(place));
        if !self.zones.is_up(zone) {
            return self.launch_nodes();
        }
        let node = self.nodes.add(zone, &self.plan.topology.zones[zone], true);
        self.tell_node(node, "added");
        self.review_evictions();
        self.serve_waiting("a node was added");
    }

    /// No new node can be had for a while; those on their way still come.
    pub(super) fn stop_provisioning(&mut self, fault: usize, lasts: &Law) {
        let incident = self.begin_incident(fault, &[], true, "the supply of new nodes".to_owned());
        self.scheduler.outages += 1;
        let returns = self.now + self.lasting(fault, 0, lasts);
        self.schedule(returns, Event::ProvisioningReturns { fault, incident });
        self.await_again(fault, 0, returns);
    }

    /// New nodes can be had again.
    pub(super) fn resume_provisioning(&mut self, fault: usize, incident: usize) {
        self.scheduler.outages -= 1;
        self.end_fault(fault, incident);
        self.launch_nodes();
    }
}
