//! Time-outs of attempts, which are mostly never met.
//!
//! ```text
//! entered ─► ring of its kind ─┬─ tidied up ─► void: the attempt has ended
//!    └─► calendar, if not in   └─ its turn ──► does it still hold? ─┬─ no: nothing
//!        order of time ────────────────────────────────┘            └─ yes: it is over
//! ```
//!
//! Almost every attempt ends long before its time-outs, so one is entered at the end of a ring and
//! nothing is taken out when the attempt ends: whoever meets a time-out has to ask whether it still
//! holds. What is void is thrown out whenever it may have become the greater part.
//!
//! Where requests do not feed back there are no attempts, and the read time-out is the patience of
//! servers (`engine/deadline.rs`): a replica that works through its inbox alone meets it then. Here
//! an attempt is also with an upstream or in a queue, where no server has it, and its end decides
//! what others meet, so it needs a place in the order of all that happens. When it is due is one
//! rule for both, [`crate::engine::deadline::due`].

use std::collections::VecDeque;

use super::Requests;
use super::attempt::{AttemptId, Step, Timeout};
use crate::model::context::Context;
use crate::model::replica::fleet::Fleet;

/// Few enough not to be worth a look.
const FEW: usize = 256;

/// Time-outs of one kind, in order of time.
#[derive(Clone, Debug, Default)]
struct TimeoutRing {
    entries: VecDeque<(u64, AttemptId)>,
    /// The last time ever entered.
    last: u64,
    /// The number of entries at which it is worth throwing out what is void.
    limit: usize,
}

impl TimeoutRing {
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
pub(in crate::model) struct Timeouts {
    rings: [TimeoutRing; Timeout::ALL.len()],
    /// The first, void ones included.
    first: (u64, Timeout),
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { rings: Default::default(), first: (u64::MAX, Timeout::Patience) }
    }
}

impl Timeouts {
    /// When the first is due, and which; `u64::MAX` if there is none.
    #[inline(always)]
    pub fn first(&self) -> (u64, Timeout) {
        self.first
    }

    /// Takes out the first of a kind.
    ///
    /// # Panics
    /// If there is none of it.
    pub fn take(&mut self, timeout: Timeout) -> AttemptId {
        debug_assert_eq!(self.first.1, timeout, "another kind comes first");
        let entry = self.rings[timeout as usize].entries.pop_front();
        self.find_first();
        entry.expect("the first was asked for").1
    }

    fn find_first(&mut self) {
        let first = |timeout: Timeout| (self.rings[timeout as usize].first(), timeout);
        let soonest = Timeout::ALL.map(first).into_iter().min_by_key(|(due, _)| *due);
        debug_assert!(
            self.rings
                .iter()
                .all(|ring| ring.entries.back().is_none_or(|last| last.0 <= ring.last)),
            "time-outs are entered in order"
        );
        self.first = soonest.unwrap_or((u64::MAX, Timeout::Patience));
    }
}

impl Requests {
    /// An attempt is to meet a time-out at `due`.
    pub(in crate::model) fn set_timeout(
        &mut self,
        cx: &mut Context,
        attempt: AttemptId,
        timeout: Timeout,
        due: u64,
    ) {
        cx.in_flight.attempts[attempt].due[timeout as usize] = due;
        self.enter_timeout(cx, attempt, timeout, due);
    }

    /// An attempt is known to meet a time-out at `due`; `u64::MAX` = it has none.
    #[inline(always)]
    pub(super) fn enter_timeout(
        &mut self,
        cx: &Context,
        attempt: AttemptId,
        timeout: Timeout,
        due: u64,
    ) {
        let timeouts = &mut self.timeouts;
        debug_assert!(due >= cx.now.0, "{timeout:?} at {due} is over before {}", cx.now.0);
        if due == u64::MAX {
            return;
        }
        let ring = &mut timeouts.rings[timeout as usize];
        if !ring.push(due, attempt) {
            return self.schedule(due, Step::Due { attempt, timeout, due });
        }
        if due < timeouts.first.0 {
            timeouts.first = (due, timeout);
            self.stirred = true;
        }
        if ring.is_crowded() {
            let attempts = &cx.in_flight.attempts;
            ring.tidy(|due, attempt| {
                attempts.get(attempt).is_some_and(|attempt| attempt.due[timeout as usize] == due)
            });
            timeouts.find_first();
            self.stirred = true;
        }
    }

    /// A time-out ends, if the attempt is still subject to it.
    #[inline(never)]
    pub fn meet_timeout(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        timeout: Timeout,
        due: u64,
    ) {
        let holds = cx.in_flight.get(attempt);
        if holds.is_none_or(|attempt| attempt.due[timeout as usize] != due) {
            return;
        }
        debug_assert_eq!(cx.now.0, due, "{timeout:?} strikes early or late");
        match timeout {
            Timeout::Patience => self.give_up(cx, fleet, attempt, due),
            Timeout::Read => self.end_patience_of_ingress(cx, fleet, attempt, due),
            Timeout::Upstream => self.time_out_upstream(cx, fleet, attempt, due),
        }
    }
}
