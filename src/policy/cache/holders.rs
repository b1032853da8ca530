//! Which replicas hold the copies of a shared entry, and which entries a loss takes along.
//!
//! ```text
//! holders ── lost at t ─► an entry goes if all its copies are with those lost at t
//!    ▲                                   │ time goes on
//!    └───── those present now ◄──────────┘ (copies are made good, newcomers hold some)
//! ```
//!
//! The copies of a key are with the first of the holders in the key's own order (rendezvous
//! hashing), so nothing is kept for an entry, and a holder more or less moves few copies.

use crate::random::mix;
use crate::units::Instant;

/// The replicas that share.
#[derive(Clone, Debug)]
pub(super) struct Holders {
    /// Copies of an entry beside the first.
    replication: usize,
    /// Who is there now, by slot.
    present: Vec<bool>,
    /// Who held copies before the losses of the instant `at`.
    held: Vec<bool>,
    /// Who was lost at that instant.
    lost: Vec<bool>,
    /// The instant of the last loss.
    at: Option<Instant>,
}

impl Holders {
    /// Nobody is there yet.
    pub(super) fn new(slots: usize, replication: usize) -> Self {
        let nobody = vec![false; slots];
        Holders {
            replication,
            present: nobody.clone(),
            held: nobody.clone(),
            lost: nobody,
            at: None,
        }
    }

    pub(super) fn join(&mut self, slot: usize) {
        self.present[slot] = true;
    }

    /// Goes in good order, after it has handed its copies over.
    pub(super) fn leave(&mut self, slot: usize) {
        self.present[slot] = false;
    }

    /// Goes with its copies.
    pub(super) fn lose(&mut self, now: Instant, slot: usize) {
        debug_assert!(self.at.is_none_or(|at| at <= now), "time does not go back");
        if self.at != Some(now) {
            self.at = Some(now);
            self.held.clone_from(&self.present);
            self.lost.fill(false);
        }
        self.present[slot] = false;
        self.lost[slot] = true;
    }

    pub(super) fn is_present(&self, slot: usize) -> bool {
        self.present[slot]
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.present.contains(&true)
    }

    /// Whether all copies of a key's entry were with those lost at the instant of the last loss.
    pub(super) fn have_lost(&self, key: u32) -> bool {
        let held = || (0..self.held.len()).filter(|slot| self.held[*slot]);
        let copies = (1 + self.replication).min(held().count());
        debug_assert!(self.at.is_some(), "somebody was lost");
        let alive = held().filter(|slot| !self.lost[*slot]);
        let best = alive.map(|slot| weight(key, slot)).max();
        let before = |slot: &usize| best.is_none_or(|best| weight(key, *slot) > best);
        held().filter(before).count() >= copies
    }
}

/// The holders of a key are those for which this is greatest.
fn weight(key: u32, slot: usize) -> u64 {
    mix(mix(u64::from(key)) ^ (slot as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
