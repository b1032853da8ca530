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

use super::limit::{Answer, Decision, Quota, Start};
use super::pages::Pages;
use crate::units::{Instant, Rate, SECOND, Span};

/// A rule that needs one row of state per key.
pub(super) trait Rule {
    /// A cell of the row.
    type Cell: Clone + Default;

    /// Cells of a row.
    fn width(&self) -> usize {
        1
    }

    /// Whether a request at `now` is within the limit; if so, it is counted.
    fn admits(&self, row: &mut [Self::Cell], now: Instant) -> bool;
}

/// A rule with its counts.
#[derive(Clone, Debug)]
pub(super) struct Exact<R: Rule> {
    rule: R,
    is_shared: bool,
    /// One table for all slots, or one for each.
    tables: Vec<Pages<R::Cell>>,
}

impl<R: Rule> Exact<R> {
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
            return Answer { decision: Decision::Unknown, asked };
        }
        let table = if self.is_shared { 0 } else { slot };
        let decision = match self.rule.admits(self.tables[table].row(key), now) {
            true => Decision::Admitted,
            false => Decision::Limited,
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
pub(super) struct Window {
    /// The first moment that no longer belongs to it; the start of the run if there was none.
    pub(super) ends: Instant,
    /// Requests counted in it, or given out in leases.
    pub(super) used: u64,
}

impl Window {
    /// Starts a new window if the old one is over.
    pub(super) fn roll(&mut self, length: Span, start: Start, now: Instant) {
        if now >= self.ends {
            *self = Window { ends: start.end(now, length), used: 0 };
        }
    }
}

/// Fixed windows, one for each quota.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    pub(super) quotas: Vec<Quota>,
    pub(super) start: Start,
}

impl Rule for Windows {
    type Cell = Window;

    fn width(&self) -> usize {
        self.quotas.len()
    }

    fn admits(&self, row: &mut [Window], now: Instant) -> bool {
        let mut has_room = true;
        for (quota, window) in self.quotas.iter().zip(row.iter_mut()) {
            window.roll(quota.window, self.start, now);
            has_room &= window.used < quota.limit;
        }
        if has_room {
            row.iter_mut().for_each(|window| window.used += 1);
        }
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
        TokenBucket { per_ns: per_sec.0 / SECOND as f64, size: size as f64 }
    }
}

/// The tokens that lack in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spent {
    tokens: f64,
    at: Instant,
}

impl Rule for TokenBucket {
    type Cell = Spent;

    fn admits(&self, row: &mut [Spent], now: Instant) -> bool {
        let spent = &mut row[0];
        let inflow = now.since(spent.at).0 as f64 * self.per_ns;
        *spent = Spent { tokens: (spent.tokens - inflow).max(0.0), at: now };
        let is_there = self.size - spent.tokens >= 1.0 - self.per_ns;
        if is_there {
            spent.tokens += 1.0;
        }
        is_there
    }
}

/// A window that ends now, at every moment.
#[derive(Clone, Debug)]
pub(super) struct SlidingWindow {
    pub(super) limit: u64,
    pub(super) window: Span,
}

impl Rule for SlidingWindow {
    type Cell = VecDeque<Instant>;

    fn admits(&self, row: &mut [VecDeque<Instant>], now: Instant) -> bool {
        let passed = &mut row[0];
        while passed.front().is_some_and(|at| now.since(*at) >= self.window) {
            passed.pop_front();
        }
        let has_room = (passed.len() as u64) < self.limit;
        if has_room {
            passed.push_back(now);
        }
        has_room
    }
}
