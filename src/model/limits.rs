//! Time-outs of attempts, which are mostly never met.
//!
//! ```text
//! entered ─► ring of its kind ─┬─ tidied up ─► void: the attempt has ended
//!    └─► calendar, if not in   └─ its turn ──► does it still hold? ─┬─ no: nothing
//!        order of time ────────────────────────────────┘            └─ yes: it strikes
//! ```
//!
//! Almost every attempt ends long before its time-outs, so one is entered at the end of a ring and
//! nothing is taken out when the attempt ends: whoever meets a time-out has to ask whether it still
//! holds. What is void is thrown out whenever it may have become the greater part.

use std::collections::VecDeque;

use super::World;
use super::flow::Step;
use super::open::{AttemptId, Limit};
use crate::observe::Observer;
use crate::observe::ledger::Failure;

/// Few enough not to be worth a look.
const FEW: usize = 256;

/// Time-outs of one kind, in order of time.
#[derive(Clone, Debug, Default)]
struct Ring {
    entries: VecDeque<(u64, AttemptId)>,
    /// The last time ever entered.
    last: u64,
    /// The number of entries at which it is worth throwing out what is void.
    limit: usize,
}

impl Ring {
    fn first(&self) -> u64 {
        self.entries.front().map_or(u64::MAX, |entry| entry.0)
    }

    /// Enters a time, unless one that was entered before is later; says whether it did.
    #[inline(always)]
    fn push(&mut self, due: u64, attempt: AttemptId) -> bool {
        let in_order = self.last <= due;
        if in_order {
            self.last = due;
            self.entries.push_back((due, attempt));
        }
        in_order
    }

    #[inline(always)]
    fn is_crowded(&self) -> bool {
        self.entries.len() > self.limit.max(FEW)
    }

    /// Throws out every entry that does not hold.
    #[cold]
    fn tidy(&mut self, holds: impl Fn(u64, AttemptId) -> bool) {
        self.entries.retain(|(due, attempt)| holds(*due, *attempt));
        self.limit = 2 * self.entries.len();
    }
}

/// Time-outs of every kind.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    rings: [Ring; Limit::ALL.len()],
    /// The first, void ones included.
    first: (u64, Limit),
}

impl Default for Limits {
    fn default() -> Self {
        Limits { rings: Default::default(), first: (u64::MAX, Limit::Patience) }
    }
}

impl Limits {
    /// When the first strikes, and which; `u64::MAX` if there is none.
    #[inline(always)]
    pub fn first(&self) -> (u64, Limit) {
        self.first
    }

    /// Takes out the first of a kind.
    pub fn take(&mut self, limit: Limit) -> Option<AttemptId> {
        let entry = self.rings[limit as usize].entries.pop_front();
        self.find_first();
        entry.map(|(_, attempt)| attempt)
    }

    fn find_first(&mut self) {
        let first = |limit: Limit| (self.rings[limit as usize].first(), limit);
        let soonest = Limit::ALL.map(first).into_iter().min_by_key(|(due, _)| *due);
        self.first = soonest.unwrap_or((u64::MAX, Limit::Patience));
    }
}

impl<O: Observer> World<'_, O> {
    /// An attempt is to meet a time-out at `due`.
    pub(super) fn limit(&mut self, attempt: AttemptId, limit: Limit, due: u64) {
        if let Some(open) = self.exit.attempts.get_mut(attempt) {
            open.due[limit as usize] = due;
        }
        self.watch(attempt, limit, due);
    }

    /// An attempt is known to meet a time-out at `due`; `u64::MAX` = it has none.
    #[inline(always)]
    pub(super) fn watch(&mut self, attempt: AttemptId, limit: Limit, due: u64) {
        let Self { flow, exit, .. } = self;
        if due == u64::MAX {
            return;
        }
        let ring = &mut flow.limits.rings[limit as usize];
        if !ring.push(due, attempt) {
            return flow.schedule(due, Step::Due { attempt, limit, due });
        }
        if due < flow.limits.first.0 {
            flow.limits.first = (due, limit);
            flow.stirred = true;
        }
        if ring.is_crowded() {
            let holds = |due: u64, attempt: AttemptId| {
                exit.attempts.get(attempt).is_some_and(|open| open.due[limit as usize] == due)
            };
            ring.tidy(holds);
            flow.limits.find_first();
            flow.stirred = true;
        }
    }

    /// A time-out strikes, if the attempt is still subject to it.
    #[inline(never)]
    pub(super) fn meet_limit(&mut self, attempt: AttemptId, limit: Limit, due: u64) {
        let holds = self.exit.attempts.get(attempt);
        if holds.is_none_or(|open| open.due[limit as usize] != due) {
            return;
        }
        match limit {
            Limit::Patience => self.give_up(attempt, due),
            Limit::Read => self.abort(attempt, due, Failure::TimedOut),
            Limit::Upstream => self.time_out_upstream(attempt, due),
        }
    }
}
