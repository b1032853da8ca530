//! Slots that wait for a node, and nodes on their way.

use std::collections::BTreeMap;

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
    /// Where new nodes cannot be had, by the incident that keeps them; `None` = anywhere.
    short_in: BTreeMap<usize, Option<ZoneId>>,
    pub(super) stream: Stream,
}

impl Scheduler {
    pub fn new(seed: Seed) -> Self {
        Scheduler {
            waiting: Vec::new(),
            launching: Vec::new(),
            short_in: BTreeMap::new(),
            stream: seed.stream("provisioning", 0),
        }
    }

    /// Whether new nodes can be had in a zone that is up.
    pub fn is_supplied(&self, zone: ZoneId) -> bool {
        self.short_in.values().all(|short| short.is_some_and(|short| short != zone))
    }

    /// An incident keeps new nodes from being had there; `None` = anywhere.
    pub fn begin_shortage(&mut self, incident: usize, zone: Option<ZoneId>) {
        let before = self.short_in.insert(incident, zone);
        assert!(before.is_none(), "incident {incident} stops provisioning twice");
    }

    /// It does so no more.
    pub fn end_shortage(&mut self, incident: usize) {
        let zone = self.short_in.remove(&incident);
        assert!(zone.is_some(), "incident {incident} did not stop provisioning");
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
