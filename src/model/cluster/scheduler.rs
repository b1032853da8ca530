//! Who replaces a replica that is lost or deleted, where the new one goes, and the nodes that are
//! added for those that find no room.
//!
//! ```text
//! crash   ─ runtime reports ─► a new replica at once, or restarted in place
//! memory used up ─ runtime reports ─► restarted in place
//! deleted ─► endpoint removed; time to finish what it has, then gone
//!
//! replica wanted ─► a node with room in a zone that the spread allows ─► Scheduling …
//!        └─ none ─► waits ─► a node is on its way (if somebody adds nodes) ─► again
//!                     └────► a node comes back, is deleted, gets room ──────► again
//! ```
//!
//! Of the zones allowed the one with the fewest replicas is taken; of equals the zone of the
//! replica that is replaced, then the first. With do-not-schedule a zone is allowed if it would
//! not exceed the zone with the fewest by more than the skew, and a dead zone counts with the
//! replicas it has left: none. If taints are honoured (`nodeTaintsPolicy`), nodes that are cordoned
//! or not ready do not count, nor do the replicas on them, nor a zone without others. Replicas are
//! counted by version (`matchLabelKeys`), so that a rollout restores an even spread, or all
//! together. Replicas that were deleted never count.
//!
//! Replicas that were lost are served before those wanted beyond.
//!
//! Assumptions: one node is added for as many waiting replicas as it has room for, in the zone that
//! the spread prefers among those that are up; a wish is never taken back. Without a stated number
//! of nodes the scheduler knows at once which zones are up. Left out: scores other than spread and
//! occupancy, preemption, affinity to nodes (and so `nodeAffinityPolicy`).

use super::Cluster;
use super::node::Health;
use super::waiting::WaitingSlot;
use crate::model::context::Context;
use crate::model::event::{Event, NodeId};
use crate::model::replica::version::Version;
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{AfterCrash, Slot, Spread, ZoneId};

/// What facts call it.
const OUT_OF_MEMORY: &str = "out of memory (OOMKilled)";

impl Cluster {
    /// A replica is given up, and a new one takes its slot.
    pub fn replace(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        let version = self.fleet[id].version;
        let (slot, zone) = self.fleet.vacate(id);
        self.terminate(cx, id, cause);
        self.refill(cx, slot, (zone, version), "replaces a lost replica");
    }

    /// A slot that lost its replica in a zone gets another one of the same version, unless a
    /// rollout has enough new ones already.
    pub fn refill(
        &mut self,
        cx: &mut Context,
        slot: Slot,
        (zone, version): (ZoneId, Version),
        cause: &'static str,
    ) {
        if self.has_enough_new() {
            return cx.tell(Observation::SlotGone { slot });
        }
        self.place(cx, slot, (Some(zone), version), cause);
    }

    /// A replica is gone for good, and its node has room again.
    fn terminate(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        self.fleet.enter(cx, id, State::Terminated, cause);
        self.fleet.announce_leave(cx, id);
        let node = self.nodes.get_mut(self.fleet[id].node);
        assert!(node.held > 0, "{} holds nothing", node.name);
        node.held -= 1;
        self.note_emptier(cx, self.fleet[id].node);
        self.serve_waiting(cx, "a node has room");
    }

    /// A replica is deleted: it leaves the endpoints and has some time to finish what it has. One
    /// that does not serve is gone at once.
    pub fn drain(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        let replica = &self.fleet[id];
        assert!(!self.fleet.holds_slot(id), "{} is deleted and keeps its slot", replica.name);
        if replica.probes.stopping {
            return self.fleet.announce_leave(cx, id); // its end is set already
        }
        let works_on = replica.state() == State::Unready && replica.works();
        let lasts = match replica.is_ready() || works_on {
            true => cx.plan.drain(),
            // Nothing in it hears the polite signal.
            false if replica.hung => cx.plan.detection.grace,
            false => return self.end_drain(cx, id, cause),
        };
        self.fleet.enter(cx, id, State::Draining, cause);
        self.fleet.announce_leave(cx, id);
        let (ends, epoch) = (cx.now + lasts, self.fleet[id].epoch);
        cx.schedule(ends, Event::DrainEnds { replica: id, epoch });
    }

    /// The process of a deleted replica ends, and what it still has is cut off.
    pub fn end_drain(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        if self.fleet[id].works() {
            self.fleet.lose_memory(cx, id, true);
        }
        self.fleet.stop_process(cx, id, cause);
        self.terminate(cx, id, cause);
    }

    /// The runtime reports a crash.
    pub fn note_crash(&mut self, cx: &mut Context, id: ReplicaId, then: AfterCrash) {
        match then {
            AfterCrash::Replaced => self.replace(cx, id, "crash noticed"),
            AfterCrash::Restarted if self.is_closing(id) => {
                self.replace(cx, id, "not restarted by a node that shuts down");
            }
            AfterCrash::Restarted => self.fleet.restart_in_place(cx, id),
        }
    }

    /// The kernel kills a process that has used up its memory. Its container is started again in
    /// its pod, whatever becomes of crashes; of a replica that was deleted nothing is left to do.
    pub fn run_out_of_memory(&mut self, cx: &mut Context, id: ReplicaId) {
        assert!(cx.plan.gateway.memory.is_some(), "replica {id} is killed, and no memory is given");
        cx.tell(Observation::OutOfMemory { replica: id });
        if self.fleet.holds_slot(id) {
            return self.fleet.die(cx, id, OUT_OF_MEMORY, AfterCrash::Restarted);
        }
        self.fleet.stop_process(cx, id, OUT_OF_MEMORY);
        self.terminate(cx, id, OUT_OF_MEMORY);
    }

    /// A start-up phase is over.
    pub fn enter_next_phase(&mut self, cx: &mut Context, id: ReplicaId) {
        match self.fleet[id].state() {
            State::Scheduling => self.bind(cx, id),
            State::Sandbox => {
                let node = self.nodes.get_mut(self.fleet[id].node);
                let is_new = std::mem::take(&mut node.is_new);
                self.fleet.begin_image(cx, id, is_new);
            }
            _ => self.fleet.enter_next_phase(cx, id),
        }
    }

    /// The scheduler's choice takes effect, whatever became of the node meanwhile.
    fn bind(&mut self, cx: &mut Context, id: ReplicaId) {
        match self.nodes.get(self.fleet[id].node).health {
            Health::Ready => self.fleet.begin_sandbox(cx, id, "bound to a node"),
            Health::Lost => self.lose_machine(cx, id),
            Health::NotReady | Health::Deleted => {
                self.fleet[id].end_process(cx.now.0);
                self.replace(cx, id, "its node was lost before it was bound");
            }
        }
    }

    /// A replica that was deleted, or whose node shuts down, has had its time to finish.
    pub fn end_on_time(&mut self, cx: &mut Context, id: ReplicaId) {
        match self.fleet.holds_slot(id) {
            true => self.fail_pod(cx, id),
            false => self.end_drain(cx, id, "drained"),
        }
    }

    /// A container that its kubelet stops has ended.
    pub fn end_stopped(&mut self, cx: &mut Context, id: ReplicaId) {
        if self.fleet.holds_slot(id) {
            self.fleet.kill_hung(cx, id);
        } else {
            self.end_drain(cx, id, "drained"); // deleted while it was being stopped
        }
    }

    /// A new replica for a slot that lost one in this zone, or is new.
    pub fn place(
        &mut self,
        cx: &mut Context,
        slot: Slot,
        (lost, version): (Option<ZoneId>, Version),
        cause: &'static str,
    ) {
        let waiting = WaitingSlot { slot, lost, version };
        match self.choose_node(cx, waiting).filter(|_| self.api.is_up()) {
            Some(node) => self.start_on(cx, waiting, node, cause),
            None => {
                assert!(!self.scheduler.has_waiting(slot), "slot {slot} waits already");
                self.scheduler.waiting.push(waiting);
                let reason = self.why_unschedulable(cx, version);
                cx.tell(Observation::Unschedulable { slot, reason });
                self.launch_nodes(cx);
            }
        }
    }

    fn start_on(
        &mut self,
        cx: &mut Context,
        WaitingSlot { slot, version, .. }: WaitingSlot,
        node: NodeId,
        cause: &'static str,
    ) {
        let id = self.create(cx, (slot, version), node);
        self.fleet.begin_scheduling(cx, id, cause);
    }

    /// Creates a replica in a slot on a node; it does nothing yet.
    fn create(
        &mut self,
        cx: &mut Context,
        (slot, version): (Slot, Version),
        node: NodeId,
    ) -> ReplicaId {
        assert!(!self.scheduler.has_waiting(slot), "slot {slot} waits for a node and gets one");
        let place = self.nodes.get_mut(node);
        assert_eq!(place.cordons, 0, "{} takes no replicas", place.name);
        let known_gone = matches!(place.health, Health::NotReady | Health::Deleted);
        assert!(!known_gone, "{} gets a replica and is {:?}", place.name, place.health);
        place.held += 1;
        assert!(place.held <= cx.plan.nodes.room, "{} holds too many replicas", place.name);
        let id = self.fleet.create(cx, slot, (node, place.zone), version);
        if self.is_old(id) {
            self.exchanges.rollout.iter_mut().for_each(|rollout| _ = rollout.old.insert(id));
        }
        id
    }

    /// Gives the slots that wait another chance.
    pub fn serve_waiting(&mut self, cx: &mut Context, cause: &'static str) {
        if self.scheduler.waiting.is_empty() || !self.api.is_up() {
            return;
        }
        let mut all = std::mem::take(&mut self.scheduler.waiting);
        // Those that lost a replica come before those that are wanted beyond.
        all.sort_by_key(|waiting| waiting.lost.is_none());
        for waiting in all {
            match self.choose_node(cx, waiting) {
                Some(node) => self.start_on(cx, waiting, node, cause),
                None => self.scheduler.waiting.push(waiting),
            }
        }
        self.launch_nodes(cx);
    }

    /// A slot has a replica at the start, in this zone.
    ///
    /// # Panics
    /// If there is no room; the scenario checker refuses such plans.
    pub fn create_first(&mut self, cx: &mut Context, slot: Slot, zone: ZoneId) -> ReplicaId {
        let node = self.node_in(cx, zone).expect("the nodes have room for the replicas");
        self.create(cx, (slot, Version::default()), node)
    }

    fn choose_node(&mut self, cx: &mut Context, waiting: WaitingSlot) -> Option<NodeId> {
        let counts = self.replicas_by_zone(cx, waiting.version);
        self.allowed_zones(cx, &counts, waiting.lost)
            .into_iter()
            .find_map(|zone| self.node_in(cx, zone))
    }

    /// A node with room in a zone; one more if nodes are of no concern.
    fn node_in(&mut self, cx: &mut Context, zone: ZoneId) -> Option<NodeId> {
        if !self.nodes.unlimited {
            return self.nodes.with_room(zone);
        }
        if !self.zones.is_up(zone) {
            return None;
        }
        let node = self.nodes.with_room(zone);
        Some(node.unwrap_or_else(|| self.nodes.add(zone, &cx.plan.topology.zones[zone], false)))
    }

    fn replicas_by_zone(&self, cx: &Context, version: Version) -> Vec<usize> {
        let mut counts = vec![0_usize; cx.plan.topology.zones.len()];
        let topology = &cx.plan.topology;
        let counted = |id: &ReplicaId| {
            let replica = &self.fleet[*id];
            let is_alike = !topology.by_version || replica.version == version;
            is_alike && self.nodes.counts(replica.node, topology.taints)
        };
        let counted = self.fleet.holders().filter(counted);
        counted.for_each(|id| counts[self.fleet[id].zone] += 1);
        counts
    }

    /// The zones that the spread allows, the best first.
    fn allowed_zones(&self, cx: &Context, counts: &[usize], lost: Option<ZoneId>) -> Vec<ZoneId> {
        let taints = cx.plan.topology.taints;
        let domain =
            |zone: &ZoneId| self.nodes.is_spread_over(*zone, self.zones.is_up(*zone), taints);
        assert!(cx.plan.topology.max_skew > 0, "no zone may have more than another");
        let least = (0..counts.len()).filter(domain).map(|zone| counts[zone]).min().unwrap_or(0);
        let allowed = |zone: &ZoneId| match cx.plan.topology.spread {
            Spread::ScheduleAnyway => true,
            Spread::DoNotSchedule => counts[*zone] < least + cx.plan.topology.max_skew,
        };
        let mut zones: Vec<ZoneId> = (0..counts.len()).filter(allowed).collect();
        zones.sort_by_key(|zone| (counts[*zone], Some(*zone) != lost, *zone));
        zones
    }

    fn why_unschedulable(&self, cx: &Context, version: Version) -> &'static str {
        let counts = self.replicas_by_zone(cx, version);
        let allowed = self.allowed_zones(cx, &counts, None);
        let has_room = |zone: &ZoneId| {
            let spare = self.nodes.unlimited && self.zones.is_up(*zone);
            spare || self.nodes.with_room(*zone).is_some()
        };
        let elsewhere = (0..counts.len()).any(|zone| !allowed.contains(&zone) && has_room(&zone));
        let supplied = |zone: &ZoneId| self.scheduler.is_supplied(*zone);
        match cx.plan.nodes.provisioning {
            _ if !self.api.is_up() => "the API server cannot be reached",
            _ if elsewhere => "the spread over zones forbids the zones that have room",
            Some(_) if !allowed.iter().any(supplied) => "no node has room, and none can be had",
            _ => "no node has room",
        }
    }

    /// Asks for a node for each slot that waits, unless there will be room: on nodes that are on
    /// their way, or in zones that the spread allows once others are served.
    fn launch_nodes(&mut self, cx: &mut Context) {
        if cx.plan.nodes.provisioning.is_none() || !self.api.is_up() {
            return;
        }
        let mut counts = self.replicas_by_zone(cx, self.exchanges.versions.wanted);
        let mut room: Vec<usize> = (0..counts.len()).map(|zone| self.nodes.room_in(zone)).collect();
        self.scheduler.launching.iter().for_each(|zone| room[*zone] += cx.plan.nodes.room);
        for waiting in self.scheduler.waiting.clone() {
            let zones = self.allowed_zones(cx, &counts, waiting.lost);
            let there = zones.iter().find(|zone| room[**zone] > 0).copied();
            let chosen = there.or_else(|| zones.into_iter().find(|zone| self.can_launch(*zone)));
            // Without a zone that is allowed and has new nodes it waits for one.
            let Some(zone) = chosen else { continue };
            if there.is_none() {
                self.launch_node(cx, zone);
                room[zone] += cx.plan.nodes.room;
            }
            assert!(room[zone] > 0, "a node was asked for where it makes no room");
            room[zone] -= 1;
            counts[zone] += 1;
        }
    }

    fn launch_node(&mut self, cx: &mut Context, zone: ZoneId) {
        let takes = cx.plan.nodes.provisioning.as_ref().expect("somebody adds nodes");
        assert!(self.can_launch(zone), "a node is asked for in zone {zone}, which has none");
        self.scheduler.launching.push(zone);
        let ready = cx.now + takes.draw(&mut self.scheduler.stream);
        cx.schedule(ready, Event::NodeAdded { zone });
    }

    /// A node that was asked for is ready, unless its zone went down meanwhile.
    pub fn add_node(&mut self, cx: &mut Context, zone: ZoneId) {
        let place = self.scheduler.launching.iter().position(|other| *other == zone);
        self.scheduler.launching.remove(place.expect("the node was asked for"));
        if !self.zones.is_up(zone) {
            return self.launch_nodes(cx);
        }
        let node = self.nodes.add(zone, &cx.plan.topology.zones[zone], true);
        self.tell_node(cx, node, "added");
        self.review_evictions(cx);
        self.serve_waiting(cx, "a node was added");
    }

    /// Whether a new node can be had in a zone: a zone that is down has none.
    fn can_launch(&self, zone: ZoneId) -> bool {
        self.zones.is_up(zone) && self.scheduler.is_supplied(zone)
    }

    /// No new node can be had in a zone, or anywhere, for a while; those on their way still come.
    pub fn stop_provisioning(&mut self, incident: usize, zone: Option<ZoneId>) {
        self.scheduler.begin_shortage(incident, zone);
    }

    /// New nodes can be had again, unless another fault still keeps them.
    pub fn resume_provisioning(&mut self, cx: &mut Context, (fault, incident): (usize, usize)) {
        cx.end_fault(fault, incident);
        self.scheduler.end_shortage(incident);
        self.launch_nodes(cx);
    }
}
