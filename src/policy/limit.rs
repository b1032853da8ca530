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

use super::lease::Leased;
use super::meter::{Exact, SlidingWindow, TokenBucket, Windows};
use crate::units::{Instant, Rate, Share, Span};

/// So many requests in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests of one key in a window.
    pub limit: u64,
    /// The length of the window; above zero.
    pub window: Span,
}

impl Quota {
    /// The shortest window that leases can be taken for.
    pub const SHORTEST_LEASED: Span = Span(10_000_000_000);

    /// The same rate over at least 10 s, as leases need: 10 in 5 s are 20 in 10 s. Parts of a
    /// request are dropped.
    pub fn stretched(self) -> Quota {
        let Quota { limit, window } = self;
        if window >= Self::SHORTEST_LEASED {
            return self;
        }
        let scaled = u128::from(limit) * u128::from(Self::SHORTEST_LEASED.0);
        let limit = u64::try_from(scaled / u128::from(window.0.max(1))).unwrap_or(u64::MAX);
        Quota { limit, window: Self::SHORTEST_LEASED }
    }
}

/// When the windows of a key start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At the first request after the last window.
    #[default]
    FirstRequest,
    /// One after the other from time 0, for all keys alike.
    Clock,
}

impl Start {
    /// When the window ends that a request at `now` falls into, if none is under way.
    pub(super) fn end(self, now: Instant, window: Span) -> Instant {
        let passed = match self {
            Start::FirstRequest => Span::ZERO,
            Start::Clock => Span(now.0 % window.0.max(1)),
        };
        now + (window - passed)
    }
}

/// How requests are counted.
#[derive(Clone, Debug, PartialEq)]
pub enum Algorithm {
    /// A request passes if every quota has room in its window.
    FixedWindow {
        /// The quotas; at least one.
        quotas: Vec<Quota>,
        /// When windows start.
        start: Start,
    },
    /// A request takes a token and passes if there is a whole one; the bucket starts full.
    TokenBucket {
        /// Tokens that flow in, evenly, up to the size.
        per_sec: Rate,
        /// Tokens that the bucket holds; at least 1.
        size: u64,
    },
    /// A request passes if fewer than `limit` passed in the `window` before it.
    SlidingWindow {
        /// Requests of one key in any window.
        limit: u64,
        /// The length of the window.
        window: Span,
    },
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sharing {
    /// Those of all replicas, with leases: a replica takes a part of the quota at a time. Only for
    /// fixed windows; other algorithms then count exactly.
    Leases {
        /// The part of what is left that a lease takes; never less than one request.
        fraction: Share,
    },
    /// Those of all replicas, exactly: every request asks the shared state.
    Counter,
    /// Those of each replica by themselves: the limit holds for each.
    PerReplica,
}

impl Sharing {
    /// Leases of 10 % of what is left.
    pub const LEASES: Sharing = Sharing::Leases { fraction: Share(0.1) };
}

/// What becomes of a request of which nobody can say whether it is within the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnknown {
    /// It is refused.
    #[default]
    Block,
    /// It passes.
    Pass,
}

/// A limit.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSpec {
    /// How requests are counted.
    pub algorithm: Algorithm,
    /// Whose requests are counted together.
    pub sharing: Sharing,
    /// What becomes of requests while the shared state cannot be reached.
    pub on_unknown: OnUnknown,
}

/// What a limit says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is within the limit, and counted.
    Admitted,
    /// It is over the limit.
    Limited,
    /// It needs the shared state, which cannot be reached.
    Unknown,
}

impl Decision {
    /// Whether the request goes on.
    pub fn passes(self, on_unknown: OnUnknown) -> bool {
        match self {
            Decision::Admitted => true,
            Decision::Limited => false,
            Decision::Unknown => on_unknown == OnUnknown::Pass,
        }
    }
}

/// A decision and what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// Whether the shared state was asked, in vain or not.
    pub asked: bool,
}

/// A limit with what is counted for all keys and replicas.
#[derive(Clone, Debug)]
pub struct Limiter {
    on_unknown: OnUnknown,
    counts: Counts,
}

#[derive(Clone, Debug)]
enum Counts {
    Windows(Exact<Windows>),
    Tokens(Exact<TokenBucket>),
    Sliding(Exact<SlidingWindow>),
    Leased(Leased),
}

/// The same call for whatever is counted.
macro_rules! each {
    ($counts:expr, $found:ident => $call:expr) => {
        match $counts {
            Counts::Windows($found) => $call,
            Counts::Tokens($found) => $call,
            Counts::Sliding($found) => $call,
            Counts::Leased($found) => $call,
        }
    };
}

impl Limiter {
    /// A limit for the keys from 0 to `keys` at the replicas in the slots from 0 to `slots`, with
    /// nothing counted yet.
    pub fn new(spec: &LimitSpec, keys: u32, slots: usize) -> Self {
        let tables = if spec.sharing == Sharing::PerReplica { Some(slots) } else { None };
        let counts = match (&spec.algorithm, spec.sharing) {
            (Algorithm::FixedWindow { quotas, start }, Sharing::Leases { fraction }) => {
                Counts::Leased(Leased::new(quotas, *start, fraction, keys, slots))
            }
            (Algorithm::FixedWindow { quotas, start }, _) => {
                let windows = Windows { quotas: quotas.clone(), start: *start };
                Counts::Windows(Exact::new(windows, keys, tables))
            }
            (Algorithm::TokenBucket { per_sec, size }, _) => {
                Counts::Tokens(Exact::new(TokenBucket::new(*per_sec, *size), keys, tables))
            }
            (Algorithm::SlidingWindow { limit, window }, _) => {
                let sliding = SlidingWindow { limit: *limit, window: *window };
                Counts::Sliding(Exact::new(sliding, keys, tables))
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

#[cfg(test)]
#[path = "limit_tests.rs"]
mod tests;
