//! Rate limits: may this request of this client pass?
//!
//! ```text
//! request ─► local lease left ───────────────────────────► Admitted
//!        └─► needs the shared state ─► unreachable ──────► Unknown (blocked or passed, as set)
//!                                  └─► reachable ─► room ► Admitted
//!                                               └─► none ► Limited (429)
//! ```
//!
//! Sources: the documentation of the Flex Gateway policies Rate Limiting (fixed windows, several
//! quotas, `blockOnUnknownQuota`) and Spike Control (sliding window), and the rate-limiting library
//! of the Policy Development Kit (leases; see `lease.rs`).
//!
//! Assumed: a step on the shared state is atomic and takes no time here (the caller adds the delay
//! of one that asked); every request looks at all quotas, so a window starts at the first request
//! after the last one ended, be it admitted or not; the shared state lives as long as any replica
//! does.
//!
//! Left out: the queue of Spike Control (it holds nothing unless set), conflicts between replicas
//! that take leases at once, and the limit on the number of keys that a replica keeps.
//!
//! Memory: 16 bytes for a key and quota, on pages of 128 keys that are in use; leases and limits of
//! each replica's own, once for each slot. A sliding window keeps the times of up to `limit`
//! requests instead.

mod lease;
mod meter;
mod spec;
#[cfg(test)]
mod tests;

use crate::units::Instant;
use lease::Leased;
use meter::{Exact, FixedWindows, SlidingWindow, TokenBucket};
pub use spec::{
    Algorithm, Answer, LimitDecision, LimitSpec, OnUnknown, Quota, Sharing, WindowOrigin,
};

/// A limit with what is counted for all keys and replicas.
#[derive(Clone, Debug)]
pub struct Limiter {
    on_unknown: OnUnknown,
    counts: Counters,
}

#[derive(Clone, Debug)]
enum Counters {
    Windows(Exact<FixedWindows>),
    Tokens(Exact<TokenBucket>),
    Sliding(Exact<SlidingWindow>),
    Leased(Leased),
}

/// The same call for whatever is counted.
macro_rules! each {
    ($counts:expr, $found:ident => $call:expr) => {
        match $counts {
            Counters::Windows($found) => $call,
            Counters::Tokens($found) => $call,
            Counters::Sliding($found) => $call,
            Counters::Leased($found) => $call,
        }
    };
}

impl Limiter {
    /// A limit for the keys from 0 to `keys` at the replicas in the slots from 0 to `slots`, with
    /// nothing counted yet.
    pub fn new(spec: &LimitSpec, keys: u32, slots: usize) -> Self {
        if let Algorithm::FixedWindow { quotas, .. } = &spec.algorithm {
            assert!(!quotas.is_empty(), "a limit has a quota");
        }
        let tables = if spec.sharing == Sharing::PerReplica { Some(slots) } else { None };
        let counts = match (&spec.algorithm, spec.sharing) {
            (Algorithm::FixedWindow { quotas, start }, Sharing::Leases { fraction }) => {
                Counters::Leased(Leased::new(quotas, *start, fraction, keys, slots))
            }
            (Algorithm::FixedWindow { quotas, start }, _) => {
                let windows = FixedWindows { quotas: quotas.clone(), start: *start };
                Counters::Windows(Exact::new(windows, keys, tables))
            }
            (Algorithm::TokenBucket { per_sec, size }, _) => {
                Counters::Tokens(Exact::new(TokenBucket::new(*per_sec, *size), keys, tables))
            }
            (Algorithm::SlidingWindow { limit, window }, _) => {
                let sliding = SlidingWindow { limit: *limit, window: *window };
                Counters::Sliding(Exact::new(sliding, keys, tables))
            }
        };
        Limiter { on_unknown: spec.on_unknown, counts }
    }

    /// Decides about a request of `key` at the replica in `slot`, and counts it if it is admitted.
    /// `reachable` says whether the replica can reach the shared state at `now`.
    pub fn decide(&mut self, now: Instant, slot: usize, key: u32, reachable: bool) -> Answer {
        each!(&mut self.counts, counts => counts.decide(now, slot, key, reachable))
    }

    /// Whether a request with this answer goes on.
    pub fn passes(&self, answer: Answer) -> bool {
        answer.decision.passes(self.on_unknown)
    }

    /// The process in `slot` is gone, in good order or not: what it kept by itself is lost. What it
    /// had taken of a shared quota and not spent stays taken until the window ends.
    pub fn lost(&mut self, slot: usize) {
        each!(&mut self.counts, counts => counts.lost(slot));
    }

    /// All processes are gone at once, and with them the state that they shared: all starts anew.
    pub fn all_lost(&mut self) {
        each!(&mut self.counts, counts => counts.all_lost());
    }
}
