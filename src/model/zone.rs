//! What is known of the zones as wholes.

use std::collections::BTreeMap;

use super::node::NodeId;
use crate::plan::{Slot, ZoneId};
use crate::units::Instant;

/// The zones.
#[derive(Clone, Debug)]
pub(super) struct Zones {
    /// Outages of the whole zone in progress, by zone.
    pub down: Vec<u32>,
    /// The nodes that vanished in each incident and will return.
    pub away: BTreeMap<usize, Vec<NodeId>>,
    /// When the next node may be marked for eviction, by zone.
    pub next_mark: Vec<Instant>,
    /// When marks are looked at next, by zone.
    pub review: Vec<Option<Instant>>,
    /// Whether evictions have stopped, by zone.
    pub evictions_stopped: Vec<bool>,
    /// Replicas created so far, by zone and by slot.
    created: Vec<u32>,
    generations: Vec<u64>,
}

impl Zones {
    pub fn new(zones: usize, slots: usize) -> Self {
        Zones {
            down: vec![0; zones],
            away: BTreeMap::new(),
            next_mark: vec![Instant::ZERO; zones],
            review: vec![None; zones],
            evictions_stopped: vec![false; zones],
            created: vec![0; zones],
            generations: vec![0; slots],
        }
    }

    /// Counts a new replica: how many its slot had before, and its number in the zone from 1.
    pub fn count_new(&mut self, slot: Slot, zone: ZoneId) -> (u64, u32) {
        self.created[zone] += 1;
        self.generations[slot] += 1;
        (self.generations[slot] - 1, self.created[zone])
    }

    /// Whether a zone has not gone down as a whole.
    pub fn is_up(&self, zone: ZoneId) -> bool {
        self.down[zone] == 0
    }
}
