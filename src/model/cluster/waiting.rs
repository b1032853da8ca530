//! Slots that wait for a node, and nodes on their way.

use crate::model::replica::version::Version;
use crate::plan::{Slot, ZoneId};
use crate::random::{Seed, Stream};

/// A slot that no node may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct WaitingSlot {
    pub(super) slot: Slot,
    /// Zone of the replica that it lost.
    pub(super) lost: Option<ZoneId>,
    /// What its replica will be.
    pub(super) version: Version,
}

/// Slots that wait, and nodes on their way.
#[derive(Clone, Debug)]
pub(super) struct Scheduler {
    pub(super) waiting: Vec<WaitingSlot>,
    /// Zones of the nodes on their way.
    pub(super) launching: Vec<ZoneId>,
    /// Faults that keep new nodes from being had: everywhere, and by zone.
    short_everywhere: u32,
    short_in: Vec<u32>,
    pub(super) stream: Stream,
}

impl Scheduler {
    pub fn new(zones: usize, seed: Seed) -> Self {
        Scheduler {
            waiting: Vec::new(),
            launching: Vec::new(),
            short_everywhere: 0,
            short_in: vec![0; zones],
            stream: seed.stream("provisioning", 0),
        }
    }

    /// Whether new nodes can be had in a zone that is up.
    pub fn is_supplied(&self, zone: ZoneId) -> bool {
        self.short_everywhere == 0 && self.short_in[zone] == 0
    }

    /// The faults that keep new nodes from being had there; `None` = everywhere.
    pub fn shortages(&mut self, zone: Option<ZoneId>) -> &mut u32 {
        match zone {
            Some(zone) => &mut self.short_in[zone],
            None => &mut self.short_everywhere,
        }
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
