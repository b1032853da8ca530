//! How many retries may be under way at once: a number, or a budget that grows with the load.
//!
//! ```text
//! failed ─► retries under way < limit ─► one more, counted until it ends
//!                                  └───► none: the failure stands
//! limit of a budget = max(least, share · requests under way, rounded down)
//! ```
//!
//! A number holds retries back when the load is high, and a budget when it is low as well: it keeps
//! their part of the load, and so the amplification, where it is.
//!
//! Sources: `circuit_breaker.proto` of Envoy (`max_retries`, `retry_budget`; a budget overrides the
//! number) and its `resource_manager_impl.h` (what is counted and how it is rounded).
//!
//! Assumed: the request that failed still counts as under way when it is decided, as in Envoy when
//! an answer has failed it. Left out: budgets over the requests of an interval.

use crate::units::Share;

/// What a budget allows at least, unless something else is said: Envoy's `min_retry_concurrency`.
pub const LEAST: u32 = 3;

/// How many retries may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RetryLimit {
    /// Any number.
    None,
    /// So many.
    Count(u32),
    /// A share of the requests under way, retries among them, and so many at least.
    Budget {
        /// Of the requests.
        share: Share,
        /// Allowed whatever the load is.
        least: u32,
    },
}

impl RetryLimit {
    /// Whether one more may be made beside those under way, of so many requests under way.
    pub fn has_room(self, retries: u32, requests: impl FnOnce() -> u32) -> bool {
        match self {
            RetryLimit::None => true,
            RetryLimit::Count(most) => retries < most,
            RetryLimit::Budget { share, least } => {
                retries < least || f64::from(retries) < (share.0 * f64::from(requests())).floor()
            }
        }
    }

    /// Whether there is any limit.
    pub fn is_limit(self) -> bool {
        self != RetryLimit::None
    }

    /// Whether it depends on the requests under way.
    pub fn is_budget(self) -> bool {
        matches!(self, RetryLimit::Budget { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_of_what_is_under_way_and_a_few_at_least() {
        let budget = RetryLimit::Budget { share: Share(0.2), least: LEAST };
        let room = |requests| (0..).take_while(|one| budget.has_room(*one, || requests)).count();
        // Envoy: max(20 % of the active requests, 3), rounded down.
        assert_eq!([0, 1, 15, 19, 20, 24, 25, 1_000].map(room), [3, 3, 3, 3, 4, 4, 5, 200]);
        let none = RetryLimit::Budget { share: Share::ZERO, least: 0 };
        assert!(!none.has_room(0, || 1_000_000));
    }

    #[test]
    fn a_number_holds_whatever_the_load_is() {
        let few = RetryLimit::Count(3);
        assert!(few.has_room(2, || unreachable!()) && !few.has_room(3, || unreachable!()));
        assert!(RetryLimit::None.has_room(u32::MAX, || unreachable!()));
        assert!(few.is_limit() && !few.is_budget() && !RetryLimit::None.is_limit());
    }
}
