//! The nodes: machines that hold replicas, and what the cluster knows of them.
//!
//! ```text
//! Ready ─ vanishes ─► Lost ─ lease too old ─► NotReady ─ its machine is found gone ─► Deleted
//!   ▲                   └───────── back ─────────┤
//!   └─────────────────────────────────────────────┘
//! ```
//!
//! A machine that comes back after its node was deleted registers anew. A node may be cordoned,
//! whatever its health: it takes no new replica then. Each node renews its lease with a phase of
//! its own; one controller looks at all of them at common times, so nodes that vanish together are
//! found in the same or in neighbouring passes.
//!
//! Assumptions: nodes without a stated number come into being as they are needed and fall and
//! return with their zone; a node has room for a number of replicas, whatever their size. Left out:
//! nodes shared with other workloads, pressure, nodes that are slow or partly cut off.

use crate::model::event::NodeId;
use crate::plan::{Detection, NodeTaints, Plan, ZoneId};
use crate::random::{Seed, Stream};
use crate::units::{Instant, Share, Span};

/// What the cluster knows of a node's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Health {
    /// It works.
    Ready,
    /// It is gone, and nobody knows.
    Lost,
    /// Its lease is too old.
    NotReady,
    /// It is no part of the cluster any more.
    Deleted,
}

/// A node.
#[derive(Clone, Debug)]
pub(in crate::model) struct Node {
    pub zone: ZoneId,
    pub name: String,
    pub health: Health,
    /// Faults that keep it away.
    pub down: u32,
    /// Counts how often it was lost; events of an earlier loss are void.
    pub epoch: u32,
    /// Orders to empty it that keep new replicas away.
    pub cordons: u32,
    /// Shutdowns for which its kubelet ends all pods and starts none.
    pub closing: u32,
    /// Whether its pods are being given up, and how often that began.
    pub marked: bool,
    pub marks: u32,
    /// Whether it was added and has not pulled the image yet.
    pub is_new: bool,
    /// Replicas that it holds.
    pub held: usize,
    stream: Stream,
}

impl Node {
    /// Whether its pods are still being given up since its `mark`-th mark.
    pub fn is_marked(&self, mark: u32) -> bool {
        self.marked && self.marks == mark
    }
}

/// All nodes that existed.
#[derive(Clone, Debug)]
pub(in crate::model) struct Nodes {
    all: Vec<Node>,
    /// Nodes created so far, by zone.
    created: Vec<u32>,
    /// Whether nodes come into being as they are needed.
    pub unlimited: bool,
    room: usize,
    /// When within its period the controller looks.
    pass: f64,
    seed: Seed,
}

impl Nodes {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let zones = plan.topology.zones.len();
        let mut nodes = Nodes {
            all: Vec::new(),
            created: vec![0; zones],
            unlimited: plan.nodes.per_zone.is_none(),
            room: plan.nodes.room,
            pass: seed.stream("node controller", 0).unit(),
            seed,
        };
        for _ in 0..plan.nodes.per_zone.unwrap_or(0) {
            (0..zones).for_each(|zone| {
                nodes.add(zone, &plan.topology.zones[zone], false);
            });
        }
        nodes
    }

    pub fn get(&self, node: NodeId) -> &Node {
        &self.all[node]
    }

    pub fn get_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.all[node]
    }

    /// Adds a node to a zone.
    pub fn add(&mut self, zone: ZoneId, zone_name: &str, is_new: bool) -> NodeId {
        let id = self.all.len();
        self.created[zone] += 1;
        self.all.push(Node {
            zone,
            name: format!("{zone_name}-node-{}", self.created[zone]),
            health: Health::Ready,
            down: 0,
            epoch: 0,
            cordons: 0,
            closing: 0,
            marked: false,
            marks: 0,
            is_new,
            held: 0,
            stream: self.seed.stream("node", id as u64),
        });
        id
    }

    /// The nodes of a zone that belong to the cluster.
    pub fn of_zone(&self, zone: ZoneId) -> impl Iterator<Item = NodeId> {
        let here = move |node: &Node| node.zone == zone && node.health != Health::Deleted;
        self.all.iter().enumerate().filter(move |(_, node)| here(node)).map(|(id, _)| id)
    }

    /// The machines of a zone, whether they belong to the cluster at the moment or not.
    pub fn machines_of(&self, zone: ZoneId) -> Vec<NodeId> {
        (0..self.all.len()).filter(|id| self.all[*id].zone == zone).collect()
    }

    /// A share of a zone's nodes, those with replicas first.
    pub fn part_of(&self, zone: ZoneId, share: Share) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self.of_zone(zone).collect();
        nodes.sort_by_key(|id| (self.all[*id].held == 0, *id));
        // A share of whole nodes must not gain one by rounding.
        let count = (share.0 * nodes.len() as f64 - 1e-9).ceil() as usize;
        assert!(count <= nodes.len(), "{count} of {} nodes", nodes.len());
        nodes.truncate(count);
        nodes
    }

    /// "node a-node-1", or "nodes a-node-1, b-node-1".
    pub fn name_all(&self, nodes: &[NodeId]) -> String {
        let names: Vec<&str> = nodes.iter().map(|node| self.all[*node].name.as_str()).collect();
        match names.len() {
            1 => format!("node {}", names[0]),
            _ => format!("nodes {}", names.join(", ")),
        }
    }

    /// Whether the scheduler counts a zone that is `up` or not: as long as nodes of it are
    /// registered, dead or alive.
    pub fn is_domain(&self, zone: ZoneId, up: bool) -> bool {
        let spare = self.unlimited && (up || self.created[zone] == 0);
        spare || self.of_zone(zone).next().is_some()
    }

    /// Whether the spread counts a node, and the replicas on it.
    pub fn counts(&self, id: NodeId, taints: NodeTaints) -> bool {
        let node = &self.all[id];
        let tainted = node.cordons > 0 || node.health == Health::NotReady;
        debug_assert!(node.closing <= node.cordons, "{} closes and takes pods", node.name);
        taints == NodeTaints::Ignore || !tainted
    }

    /// Whether the spread counts a zone that is `up` or not.
    pub fn is_spread_over(&self, zone: ZoneId, up: bool, taints: NodeTaints) -> bool {
        match taints {
            NodeTaints::Ignore => self.is_domain(zone, up),
            NodeTaints::Honor => {
                let comes = self.unlimited && up;
                comes || self.of_zone(zone).any(|id| self.counts(id, taints))
            }
        }
    }

    /// Replicas that a zone's nodes have room for, as the scheduler sees them.
    pub fn room_in(&self, zone: ZoneId) -> usize {
        let nodes = self.of_zone(zone).filter(|id| self.takes(*id));
        nodes.map(|id| self.room - self.all[id].held).sum()
    }

    /// The node of a zone that takes the next replica, as the scheduler sees them: of those with
    /// room the one that holds the fewest, the first of equals.
    pub fn with_room(&self, zone: ZoneId) -> Option<NodeId> {
        let nodes = self.of_zone(zone).filter(|id| self.takes(*id));
        nodes.min_by_key(|id| (self.all[*id].held, *id))
    }

    fn takes(&self, id: NodeId) -> bool {
        let node = &self.all[id];
        let looks_well = match node.health {
            Health::Ready => true,
            // Nobody knows of it, unless nodes are of no concern at all.
            Health::Lost => !self.unlimited,
            Health::NotReady | Health::Deleted => false,
        };
        looks_well && node.cordons == 0 && node.held < self.room
    }

    /// When a node that vanishes at `now` is declared not ready: at the first pass of the
    /// controller at which its lease is too old.
    pub fn noticed(&mut self, node: NodeId, now: Instant, detection: &Detection) -> Instant {
        let since_renewal = Span((self.all[node].stream.unit() * detection.lease.0 as f64) as u64);
        assert!(since_renewal <= detection.lease, "a lease is renewed in time");
        self.next_pass(now + (detection.node_grace - since_renewal), detection)
    }

    /// The first pass of the controller from then on.
    pub fn next_pass(&self, old: Instant, detection: &Detection) -> Instant {
        let period = detection.monitor.0;
        if period == 0 {
            return old;
        }
        let first = (self.pass * period as f64) as u64;
        let noticed = Instant(first + old.0.saturating_sub(first).div_ceil(period) * period);
        assert!(noticed >= old, "a lease that is too old at {old} was found so at {noticed}");
        noticed
    }

    /// A node's own random stream.
    pub fn stream(&mut self, node: NodeId) -> &mut Stream {
        &mut self.all[node].stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two zones with three nodes each that have room for two.
    fn nodes() -> Nodes {
        let mut plan = Plan::neutral();
        plan.topology.zones = vec!["a".to_owned(), "b".to_owned()];
        (plan.nodes.per_zone, plan.nodes.room) = (Some(3), 2);
        Nodes::new(&plan, Seed { seed: 1, replication: 0 })
    }

    #[test]
    fn nodes_of_a_zone_are_numbered_in_order() {
        let mut nodes = nodes();
        let added = nodes.add(1, "b", true);
        let names = |zone| nodes.name_all(&nodes.of_zone(zone).collect::<Vec<_>>());
        assert_eq!(names(0), "nodes a-node-1, a-node-2, a-node-3");
        assert_eq!(names(1), "nodes b-node-1, b-node-2, b-node-3, b-node-4");
        assert_eq!(nodes.get(added).zone, 1);
        assert_eq!(nodes.name_all(&[added]), "node b-node-4");
    }

    #[test]
    fn a_zone_counts_while_nodes_are_registered_or_can_come_into_being() {
        let mut limited = nodes();
        assert!(limited.is_domain(0, true) && limited.is_domain(0, false), "dead or alive");
        for id in limited.machines_of(0) {
            limited.get_mut(id).health = Health::Deleted;
        }
        assert!(!limited.is_domain(0, true), "nobody adds nodes");
        let mut plan = Plan::neutral();
        plan.topology.zones = vec!["a".to_owned()];
        plan.nodes.per_zone = None;
        let mut unlimited = Nodes::new(&plan, Seed { seed: 1, replication: 0 });
        assert!(unlimited.is_domain(0, true) && unlimited.is_domain(0, false), "never used");
        let only = unlimited.add(0, "a", false);
        unlimited.get_mut(only).health = Health::Deleted;
        assert!(unlimited.is_domain(0, true), "another comes into being");
        assert!(!unlimited.is_domain(0, false), "its nodes are gone, and it is down");
    }

    #[test]
    fn pods_are_given_up_since_the_last_mark_and_until_it_is_taken_back() {
        let mut nodes = nodes();
        let node = nodes.get_mut(0);
        assert!(!node.is_marked(0), "never marked");
        (node.marked, node.marks) = (true, 2);
        assert!(node.is_marked(2) && !node.is_marked(1), "an earlier mark was taken back");
        node.marked = false;
        assert!(!node.is_marked(2));
    }

    #[test]
    fn the_next_replica_goes_to_the_emptiest_node_that_the_scheduler_thinks_well() {
        let mut nodes = nodes();
        let zone_a: Vec<NodeId> = nodes.of_zone(0).collect();
        assert_eq!((nodes.room_in(0), nodes.with_room(0)), (6, Some(zone_a[0])));
        nodes.get_mut(zone_a[0]).held = 1;
        assert_eq!((nodes.room_in(0), nodes.with_room(0)), (5, Some(zone_a[1])));
        // Of a machine that vanished nobody knows yet; of one that is not ready all do.
        nodes.get_mut(zone_a[1]).health = Health::Lost;
        assert_eq!((nodes.room_in(0), nodes.with_room(0)), (5, Some(zone_a[1])));
        nodes.get_mut(zone_a[1]).health = Health::NotReady;
        assert_eq!((nodes.room_in(0), nodes.with_room(0)), (3, Some(zone_a[2])));
        nodes.get_mut(zone_a[2]).cordons = 1;
        assert_eq!((nodes.room_in(0), nodes.with_room(0)), (1, Some(zone_a[0])));
        nodes.get_mut(zone_a[0]).held = 2;
        assert_eq!((nodes.room_in(0), nodes.with_room(0)), (0, None));
    }

    #[test]
    fn a_share_of_a_zone_is_of_whole_nodes_and_takes_those_with_replicas_first() {
        let mut nodes = nodes();
        let zone_a: Vec<NodeId> = nodes.of_zone(0).collect();
        nodes.get_mut(zone_a[2]).held = 1;
        assert_eq!(nodes.part_of(0, Share(1.0 / 3.0)), [zone_a[2]]);
        assert_eq!(nodes.part_of(0, Share(0.34)), [zone_a[2], zone_a[0]]);
        assert_eq!(nodes.part_of(0, Share::ONE).len(), 3);
        nodes.get_mut(zone_a[0]).health = Health::Deleted;
        assert_eq!(nodes.part_of(0, Share::ONE), [zone_a[2], zone_a[1]]);
        assert_eq!(nodes.machines_of(0), zone_a);
    }
}
