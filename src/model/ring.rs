//! Deadlines that are mostly never met, kept in order of time.
//!
//! Almost every attempt ends long before its time-outs, so a deadline is entered at the end of a
//! ring and nothing is taken out when the attempt ends: whoever meets a deadline has to ask whether
//! it still holds. What is void is thrown out whenever it has become the greater part.

use std::collections::VecDeque;

use super::open::AttemptId;

/// Few enough not to be worth a look.
const FEW: usize = 256;

/// Deadlines in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    entries: VecDeque<(u64, AttemptId)>,
    /// The number of entries at which it is worth throwing out what is void.
    limit: usize,
}

impl Ring {
    /// The first deadline; `u64::MAX` if there is none.
    #[inline(always)]
    pub fn first(&self) -> u64 {
        self.entries.front().map_or(u64::MAX, |entry| entry.0)
    }

    /// Takes out the first.
    pub fn pop(&mut self) -> Option<AttemptId> {
        self.entries.pop_front().map(|entry| entry.1)
    }

    /// Enters a deadline, unless one that is already there is later; says whether it did.
    #[inline(always)]
    pub fn push(&mut self, due: u64, attempt: AttemptId) -> bool {
        let in_order = self.entries.back().is_none_or(|last| last.0 <= due);
        if in_order {
            self.entries.push_back((due, attempt));
        }
        in_order
    }

    /// Whether it is time for [`Ring::tidy`].
    #[inline(always)]
    pub fn is_crowded(&self) -> bool {
        self.entries.len() > self.limit.max(FEW)
    }

    /// Throws out every entry that does not hold.
    #[cold]
    pub fn tidy(&mut self, holds: impl Fn(u64, AttemptId) -> bool) {
        self.entries.retain(|(due, attempt)| holds(*due, *attempt));
        self.limit = 2 * self.entries.len();
    }
}
