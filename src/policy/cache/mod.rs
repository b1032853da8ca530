//! The HTTP cache of a gateway: one that all replicas share, or one for each.
//!
//! ```text
//!          fill                       TTL over, or the oldest of too many
//! absent ────────► present until ends ────────────────────────────────────► absent
//!                   │        ▲ fill: a new end, and the youngest again
//!                   └────────┘
//! shared: 1 + replication copies with the replicas present; gone when all copies are lost at once
//! ```
//!
//! Source: the documentation of the Flex Gateway policy HTTP Caching (10 000 entries, 600 s, FIFO,
//! `distributed` and `persistCache`). How many copies there are, and what becomes of them when a
//! replica dies, is not documented.
//!
//! Assumed: a hit does not prolong an entry; concurrent misses all go upstream and each fills;
//! copies are made good again in no time, but not within the instant of a loss, so that a zone
//! takes its entries along; a new replica that shares holds copies at once; a cache that all share
//! has room for `entries` in all.
//!
//! Left out: the size of entries, what responses say about caching, and the way to the copies.
//!
//! Memory: 24 bytes for a key, on pages of 128 keys that are in use; without sharing, once for each
//! slot.

mod fifo;
mod holders;
#[cfg(test)]
mod tests;

use crate::units::{Instant, Span};
use fifo::Fifo;
use holders::Holders;

/// A cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSpec {
    /// The most entries: of all replicas together if they share, else of each.
    pub entries: usize,
    /// How long an entry counts after it was filled.
    pub ttl: Span,
    /// Whether all replicas share one cache.
    pub shared: bool,
    /// Copies of a shared entry beside the first, each with another replica.
    pub replication: usize,
    /// Whether a replica that does not share finds what its predecessor in the slot had.
    pub persist: bool,
    /// Keys that can be asked for, from 0.
    pub keys: u32,
}

impl CacheSpec {
    /// The policy's own values: 10 000 entries, 600 s, one cache for each replica, not persistent;
    /// when shared, one copy beside the first.
    pub fn for_keys(keys: u32) -> Self {
        CacheSpec {
            entries: 10_000,
            ttl: Span::from_secs(600.0),
            shared: false,
            replication: 1,
            persist: false,
            keys,
        }
    }
}

/// The caches of all replicas.
#[derive(Clone, Debug)]
pub struct Caches {
    spec: CacheSpec,
    holders: Holders,
    /// One for all slots, or one for each.
    stores: Vec<Fifo>,
}

impl Caches {
    /// Empty caches for replicas in the slots from 0 to `slots`, none of which is there yet.
    pub fn new(spec: CacheSpec, slots: usize) -> Self {
        let stores = vec![Fifo::new(spec.keys); if spec.shared { 1 } else { slots }];
        Caches { spec, holders: Holders::new(slots, spec.replication), stores }
    }

    fn store(&self, slot: usize) -> usize {
        if self.spec.shared { 0 } else { slot }
    }

    /// Whether the replica in `slot` has an answer for `key` at `now`.
    pub fn lookup(&self, now: Instant, slot: usize, key: u32) -> bool {
        self.holders.is_present(slot) && self.stores[self.store(slot)].has(key, now)
    }

    /// The replica in `slot` stores an answer for `key` at `now`. The oldest entry goes if there
    /// are too many. Nothing happens if the replica is not there.
    pub fn fill(&mut self, now: Instant, slot: usize, key: u32) {
        if !self.holders.is_present(slot) || self.spec.entries == 0 {
            return;
        }
        let store = self.store(slot);
        let store = &mut self.stores[store];
        store.drop_ended(now);
        store.remove(key);
        if store.len() >= self.spec.entries
            && let Some(oldest) = store.oldest()
        {
            store.remove(oldest);
        }
        store.put(key, now + self.spec.ttl);
        debug_assert!(store.len() <= self.spec.entries, "no more than there is room for");
    }

    /// Every entry goes, wherever it is held.
    pub fn purge(&mut self) {
        self.stores.iter_mut().for_each(Fifo::clear);
    }

    /// A replica is there.
    pub fn joined(&mut self, slot: usize) {
        self.holders.join(slot);
    }

    /// The process in `slot` is gone at `now`, and what it held in memory with it. Losses at the
    /// same instant count together.
    pub fn lost(&mut self, now: Instant, slot: usize) {
        self.holders.lose(now, slot);
        self.forget(slot);
        if self.spec.shared && !self.holders.is_empty() {
            let holders = &self.holders;
            let dead: Vec<u32> =
                self.stores[0].keys().filter(|key| holders.have_lost(*key)).collect();
            dead.into_iter().for_each(|key| self.stores[0].remove(key));
        }
    }

    /// The process in `slot` ends in good order: what it held for all is handed over.
    pub fn left(&mut self, slot: usize) {
        self.holders.leave(slot);
        self.forget(slot);
    }

    /// Empties what nobody holds any more: the cache of a slot, or that of all if nobody is left.
    fn forget(&mut self, slot: usize) {
        let is_over = match self.spec.shared {
            true => self.holders.is_empty(),
            false => !self.spec.persist,
        };
        if is_over {
            let store = self.store(slot);
            self.stores[store].clear();
        }
    }

    /// Entries that count at `now`, over all caches, those kept for a successor included.
    pub fn len(&mut self, now: Instant) -> usize {
        self.stores.iter_mut().for_each(|store| store.drop_ended(now));
        debug_assert!(
            self.stores.iter().all(|store| store.len() <= self.spec.entries),
            "in bounds"
        );
        self.stores.iter().map(Fifo::len).sum()
    }
}
