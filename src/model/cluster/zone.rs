//! What is known of the zones as wholes.

use std::collections::BTreeMap;

use crate::model::event::NodeId;
use crate::plan::ZoneId;
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
    /// When marks are checked next, by zone.
    pub review: Vec<Option<Instant>>,
    /// Whether evictions have stopped, by zone.
    pub evictions_stopped: Vec<bool>,
}

impl Zones {
    pub fn new(zones: usize) -> Self {
        Zones {
            down: vec![0; zones],
            away: BTreeMap::new(),
            next_mark: vec![Instant::ZERO; zones],
            review: vec![None; zones],
            evictions_stopped: vec![false; zones],
        }
    }

    /// Whether a zone has not gone down as a whole.
    pub fn is_up(&self, zone: ZoneId) -> bool {
        self.down[zone] == 0
    }
}
