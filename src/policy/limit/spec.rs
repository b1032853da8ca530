//! What a limit is, and what it says about a request.

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
        debug_assert!(window > Span::ZERO, "a window has a length");
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
pub enum WindowOrigin {
    /// At the first request after the last window.
    #[default]
    FirstRequest,
    /// One after the other from time 0, for all keys alike.
    Clock,
}

impl WindowOrigin {
    /// When the window ends that a request at `now` falls into, if none is under way.
    pub(super) fn end(self, now: Instant, window: Span) -> Instant {
        let passed = match self {
            WindowOrigin::FirstRequest => Span::ZERO,
            WindowOrigin::Clock => Span(now.0 % window.0.max(1)),
        };
        let end = now + (window - passed);
        debug_assert!(end > now, "a window of {window:?} is over at once");
        end
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
        start: WindowOrigin,
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
pub enum LimitDecision {
    /// It is within the limit, and counted.
    Admitted,
    /// It is over the limit.
    Limited,
    /// It needs the shared state, which cannot be reached.
    Unknown,
}

impl LimitDecision {
    /// Whether the request goes on.
    pub fn passes(self, on_unknown: OnUnknown) -> bool {
        match self {
            LimitDecision::Admitted => true,
            LimitDecision::Limited => false,
            LimitDecision::Unknown => on_unknown == OnUnknown::Pass,
        }
    }
}

/// A decision and what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub decision: LimitDecision,
    /// Whether the shared state was asked, in vain or not.
    pub asked: bool,
}
