//! Limits that are counted exactly, for all replicas together or for each by itself.
//!
//! ```text
//! fixed window     ends ──now ≥ ends──► a new window, nothing used ── used < limit ─► used + 1
//! token bucket     spent ── falls by the inflow ── size − spent ≥ 1 ─► spent + 1
//! sliding window   times of the last ones ── fewer than limit younger than window ─► one more
//! ```
//!
//! Tokens are floats, and times whole nanoseconds: what flows in during one may lack, so that a
//! request that comes just when its token is there does not depend on rounding.

use std::collections::VecDeque;

use super::spec::{Answer, LimitDecision, Quota, WindowOrigin};
use crate::policy::pages::Pages;
use crate::units::{Instant, Rate, SECOND, Span};

/// A rule that needs one row of state per key.
pub(super) trait CountingRule {
    /// What is kept for a key.
    type Count: Clone + Default;

    /// Cells of a row.
    fn width(&self) -> usize {
        1
    }

    /// Whether a request at `now` is within the limit; if so, it is counted.
    fn admits(&self, row: &mut [Self::Count], now: Instant) -> bool;
}

/// A rule with its counts.
#[derive(Clone, Debug)]
pub(super) struct Exact<R: CountingRule> {
    rule: R,
    is_shared: bool,
    /// One table for all slots, or one for each.
    tables: Vec<Pages<R::Count>>,
}

impl<R: CountingRule> Exact<R> {
    /// One count for all, or one for each of this many slots.
    pub(super) fn new(rule: R, keys: u32, slots: Option<usize>) -> Self {
        let tables = vec![Pages::new(keys, rule.width()); slots.unwrap_or(1)];
        Exact { rule, is_shared: slots.is_none(), tables }
    }

    pub(super) fn decide(
        &mut self,
        now: Instant,
        slot: usize,
        key: u32,
        reachable: bool,
    ) -> Answer {
        let asked = self.is_shared;
        if asked && !reachable {
            return Answer { decision: LimitDecision::Unknown, asked };
        }
        let table = if self.is_shared { 0 } else { slot };
        let decision = match self.rule.admits(self.tables[table].row(key), now) {
            true => LimitDecision::Admitted,
            false => LimitDecision::Limited,
        };
        Answer { decision, asked }
    }

    pub(super) fn lost(&mut self, slot: usize) {
        if !self.is_shared {
            self.tables[slot].clear();
        }
    }

    pub(super) fn all_lost(&mut self) {
        self.tables.iter_mut().for_each(Pages::clear);
    }
}

/// A window of one key and quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WindowCount {
    /// The first moment that no longer belongs to it; the start of the run if there was none.
    pub(super) ends: Instant,
    /// Requests counted in it, or given out in leases.
    pub(super) used: u64,
}

impl WindowCount {
    /// Starts a new window if the old one is over.
    pub(super) fn roll(&mut self, length: Span, start: WindowOrigin, now: Instant) {
        if now >= self.ends {
            *self = WindowCount { ends: start.end(now, length), used: 0 };
        }
        debug_assert!(now < self.ends, "a request falls into its window");
    }
}

/// Fixed windows, one for each quota.
#[derive(Clone, Debug)]
pub(super) struct FixedWindows {
    pub(super) quotas: Vec<Quota>,
    pub(super) start: WindowOrigin,
}

impl CountingRule for FixedWindows {
    type Count = WindowCount;

    fn width(&self) -> usize {
        self.quotas.len()
    }

    fn admits(&self, row: &mut [WindowCount], now: Instant) -> bool {
        debug_assert_eq!(row.len(), self.quotas.len(), "a window for each quota");
        let mut has_room = true;
        for (quota, window) in self.quotas.iter().zip(row.iter_mut()) {
            window.roll(quota.window, self.start, now);
            has_room &= window.used < quota.limit;
        }
        if has_room {
            row.iter_mut().for_each(|window| window.used += 1);
        }
        let mut both = row.iter().zip(&self.quotas);
        debug_assert!(both.all(|(window, quota)| window.used <= quota.limit), "within the quota");
        has_room
    }
}

/// A bucket of tokens.
#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    per_ns: f64,
    size: f64,
}

impl TokenBucket {
    pub(super) fn new(per_sec: Rate, size: u64) -> Self {
        assert!(size >= 1 && per_sec.0 >= 0.0 && per_sec.0.is_finite(), "{size}, {per_sec:?}");
        TokenBucket { per_ns: per_sec.0 / SECOND as f64, size: size as f64 }
    }
}

/// The tokens that lack in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spent {
    tokens: f64,
    at: Instant,
}

impl CountingRule for TokenBucket {
    type Count = Spent;

    fn admits(&self, row: &mut [Spent], now: Instant) -> bool {
        let spent = &mut row[0];
        debug_assert!(now >= spent.at, "time does not go back");
        let inflow = now.since(spent.at).0 as f64 * self.per_ns;
        *spent = Spent { tokens: (spent.tokens - inflow).max(0.0), at: now };
        let is_there = self.size - spent.tokens >= 1.0 - self.per_ns;
        if is_there {
            spent.tokens += 1.0;
        }
        let burst = self.size + self.per_ns;
        debug_assert!((0.0..=burst).contains(&spent.tokens), "no more than the bucket holds");
        is_there
    }
}

/// A window that ends now, at every moment.
#[derive(Clone, Debug)]
pub(super) struct SlidingWindow {
    pub(super) limit: u64,
    pub(super) window: Span,
}

impl CountingRule for SlidingWindow {
    type Count = VecDeque<Instant>;

    fn admits(&self, row: &mut [VecDeque<Instant>], now: Instant) -> bool {
        let passed = &mut row[0];
        debug_assert!(passed.back().is_none_or(|last| *last <= now), "time does not go back");
        while passed.front().is_some_and(|at| now.since(*at) >= self.window) {
            passed.pop_front();
        }
        let has_room = (passed.len() as u64) < self.limit;
        if has_room {
            passed.push_back(now);
        }
        debug_assert!(passed.len() as u64 <= self.limit, "within the limit");
        has_room
    }
}
