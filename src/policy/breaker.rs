//! The circuit breaker of one replica towards one upstream: counts with thresholds.
//!
//! ```text
//! enter ─► active + pending = requests ─────────────► Refused (503)
//!      └─► a connection is free ─────► active  ──leave──► the oldest pending one becomes active
//!      └─► pending has room ─────────► pending ──leave──► gone (it gave up)
//!      └─► else ──────────────────────────────────────► Refused (503)
//! retry ─► retries under way < limit (`retries`) ─► goes on, else the failure stands
//! ```
//!
//! Sources: Envoy's documentation of circuit breaking and `circuit_breaker.proto` (thresholds and
//! their defaults); the Flex Gateway documentation of circuit breakers (for each API, upstream and
//! replica; 503).
//!
//! Assumed: HTTP/1.1, where each active request takes a connection; a connection that becomes free
//! serves the next request at once; as in Envoy, one connection is always allowed. Requests that
//! wait count towards `requests`, which so bounds all that is under way; Envoy's connection pool
//! looks at that threshold only when a request gets its connection, which is the same as no
//! `requests` here as long as it is not below `connections`.
//!
//! Left out: how long connections take to be made and how long they idle, priorities, the number of
//! pools, and the overshoot of worker threads that count at the same time.
//!
//! Only counts are kept; the caller has the queue, and takes its oldest when told so.

use super::retries::RetryLimit;

/// Thresholds; `None` = no limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSpec {
    /// Connections, hence active requests. 0 counts as 1.
    pub connections: Option<u32>,
    /// Requests that wait for a connection.
    pub pending: Option<u32>,
    /// Requests, active or waiting.
    pub requests: Option<u32>,
    /// Retries under way.
    pub retries: RetryLimit,
}

impl BreakerSpec {
    /// No threshold at all.
    pub const NONE: BreakerSpec =
        BreakerSpec { connections: None, pending: None, requests: None, retries: RetryLimit::None };
}

impl Default for BreakerSpec {
    /// Envoy's own: 1 024 each, and 3 retries.
    fn default() -> Self {
        BreakerSpec {
            connections: Some(1_024),
            pending: Some(1_024),
            requests: Some(1_024),
            retries: RetryLimit::Count(3),
        }
    }
}

/// Which threshold refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many requests wait.
    Pending,
    /// Too many requests are under way.
    Requests,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It goes to the upstream.
    Active,
    /// It waits for a connection.
    Pending,
    /// It is answered with 503.
    Refused(Refusal),
}

/// The requests of one replica that are under way to one upstream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    spec: BreakerSpec,
    active: u32,
    pending: u32,
    retries: u32,
}

fn has_room(count: u32, limit: Option<u32>) -> bool {
    limit.is_none_or(|limit| count < limit)
}

impl Breaker {
    /// Nothing is under way.
    pub fn new(spec: BreakerSpec) -> Self {
        let connections = spec.connections.map(|connections| connections.max(1));
        let spec = BreakerSpec { connections, ..spec };
        Breaker { spec, active: 0, pending: 0, retries: 0 }
    }

    /// A request comes; it is counted unless it is refused.
    pub fn enter(&mut self) -> Admission {
        if !has_room(self.active + self.pending, self.spec.requests) {
            return Admission::Refused(Refusal::Requests);
        }
        debug_assert!(self.is_sound(), "{self:?}");
        if has_room(self.active, self.spec.connections) {
            debug_assert_eq!(self.pending, 0, "nobody is overtaken");
            self.active += 1;
            return Admission::Active;
        }
        if has_room(self.pending, self.spec.pending) {
            self.pending += 1;
            return Admission::Pending;
        }
        Admission::Refused(Refusal::Pending)
    }

    /// Whether all counts are within their thresholds, and nobody waits in vain.
    fn is_sound(&self) -> bool {
        let within = |count: u32, limit: Option<u32>| limit.is_none_or(|limit| count <= limit);
        within(self.pending, self.spec.pending)
            && within(self.active + self.pending, self.spec.requests)
            && (self.pending == 0 || !has_room(self.active, self.spec.connections))
    }

    /// A request is done or given up: an active one, or else one that waits. If this is true, the
    /// oldest of those that wait is active from now on.
    pub fn leave(&mut self, was_active: bool) -> bool {
        let is_over = self.spec.connections.is_some_and(|most| self.active > most);
        let promotes = was_active && self.pending > 0 && !is_over;
        if promotes || !was_active {
            debug_assert!(self.pending > 0, "nobody waits");
            self.pending -= 1;
        } else {
            debug_assert!(self.active > 0, "nobody is active");
            self.active -= 1;
        }
        debug_assert!(self.is_sound(), "{self:?}");
        promotes
    }

    /// So many connections from now on: how many of those that wait are active at once. What is
    /// active beyond that goes on.
    pub fn resize(&mut self, connections: u32) -> u32 {
        let connections = connections.max(1);
        self.spec.connections = Some(connections);
        let promoted = connections.saturating_sub(self.active).min(self.pending);
        (self.active, self.pending) = (self.active + promoted, self.pending - promoted);
        debug_assert!(self.is_sound(), "{self:?}");
        promoted
    }

    /// Its threshold of connections.
    pub fn connections(&self) -> Option<u32> {
        self.spec.connections
    }

    /// Whether a request that has just failed, and left, may be tried again; it is counted if so.
    pub fn enter_retry(&mut self) -> bool {
        self.enter_beside(1)
    }

    /// Whether another try may be made beside a request that is under way; it is counted if so.
    pub fn enter_hedge(&mut self) -> bool {
        self.enter_beside(0)
    }

    /// The same where so many requests more than are known count as under way.
    fn enter_beside(&mut self, more: u32) -> bool {
        let requests = self.active + self.pending + more;
        let may = self.spec.retries.has_room(self.retries, || requests);
        self.retries += u32::from(may);
        debug_assert!(self.retries > 0 || !may, "{self:?}");
        may
    }

    /// A retry is over, whatever came of it.
    pub fn leave_retry(&mut self) {
        debug_assert!(self.retries > 0, "no retry is under way");
        self.retries -= 1;
    }

    /// Requests at the upstream.
    pub fn active(&self) -> u32 {
        self.active
    }

    /// Requests that wait.
    pub fn pending(&self) -> u32 {
        self.pending
    }

    /// Retries under way.
    pub fn retries(&self) -> u32 {
        self.retries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Share;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn spec(connections: u32, pending: u32, requests: u32) -> BreakerSpec {
        let [connections, pending, requests] = [connections, pending, requests].map(Some);
        BreakerSpec { connections, pending, requests, retries: RetryLimit::Count(1) }
    }

    #[test]
    fn connections_fill_first_then_the_queue_then_nothing_gets_in() {
        let mut breaker = Breaker::new(spec(2, 1, 9));
        let entries = [(); 4].map(|()| breaker.enter());
        let refused = Admission::Refused(Refusal::Pending);
        assert_eq!(entries, [Admission::Active, Admission::Active, Admission::Pending, refused]);
        // The one that waits takes the connection, and leaves its place to another.
        assert!(breaker.leave(true));
        assert_eq!((breaker.active(), breaker.pending()), (2, 0));
        assert_eq!(breaker.enter(), Admission::Pending);
        // It gives up: the connections are as before.
        assert!(!breaker.leave(false));
        assert_eq!((breaker.active(), breaker.pending()), (2, 0));
        assert!(!breaker.leave(true) && !breaker.leave(true));
        assert_eq!(breaker, Breaker::new(spec(2, 1, 9)));
    }

    #[test]
    fn fewer_connections_let_what_is_active_end_and_more_let_others_in() {
        let mut breaker = Breaker::new(spec(3, 9, 99));
        let entries = [(); 5].map(|()| breaker.enter());
        assert_eq!(entries[2..4], [Admission::Active, Admission::Pending]);
        assert_eq!(breaker.resize(1), 0);
        assert!(!breaker.leave(true) && !breaker.leave(true), "3 and 2 are too many");
        assert!(breaker.leave(true), "the last one leaves its place");
        assert_eq!((breaker.active(), breaker.pending()), (1, 1));
        assert_eq!(breaker.enter(), Admission::Pending);
        assert_eq!(breaker.resize(2), 1);
        assert_eq!((breaker.active(), breaker.pending()), (2, 1));
        assert_eq!(breaker.resize(0), 0, "one is always allowed");
        assert_eq!(breaker.connections(), Some(1));
    }

    #[test]
    fn requests_bound_all_that_is_under_way() {
        let mut breaker = Breaker::new(spec(2, 9, 3));
        let entries = [(); 4].map(|()| breaker.enter());
        let refused = Admission::Refused(Refusal::Requests);
        assert_eq!(entries, [Admission::Active, Admission::Active, Admission::Pending, refused]);
        let mut envoys = Breaker::new(BreakerSpec::default());
        let active = (0..1_024).all(|_| envoys.enter() == Admission::Active);
        assert!(active && envoys.enter() == refused);
    }

    #[test]
    fn retries_have_a_threshold_of_their_own() {
        let mut breaker = Breaker::new(spec(1, 1, 1));
        assert!(breaker.enter_retry() && !breaker.enter_retry());
        breaker.leave_retry();
        assert!(breaker.enter_retry());
        assert_eq!((breaker.retries(), breaker.active()), (1, 0));
    }

    #[test]
    fn a_budget_of_retries_grows_with_the_requests_under_way() {
        let budget = RetryLimit::Budget { share: Share(0.2), least: 1 };
        let mut breaker = Breaker::new(BreakerSpec { retries: budget, ..BreakerSpec::NONE });
        (0..9).for_each(|_| assert_eq!(breaker.enter(), Admission::Active));
        // The tenth has failed: a fifth of ten.
        assert!(breaker.enter_retry() && breaker.enter_retry() && !breaker.enter_retry());
        (0..9).for_each(|_| assert!(!breaker.leave(true)));
        assert!(!breaker.enter_retry(), "two are under way, of one request");
        breaker.leave_retry();
        breaker.leave_retry();
        assert!(breaker.enter_retry(), "one always may");
    }

    #[test]
    fn without_thresholds_all_are_active_and_one_connection_is_always_allowed() {
        let mut breaker = Breaker::new(BreakerSpec::NONE);
        assert!(
            (0..100_000).all(|_| breaker.enter() == Admission::Active && breaker.enter_retry())
        );
        assert_eq!(Breaker::new(spec(0, 1, 9)).enter(), Admission::Active);
    }

    proptest! {
        /// A caller with a queue of its own, whose members give up anywhere in it.
        #[test]
        fn counts_hold_their_thresholds_and_nothing_leaks(
            (connections, pending, requests) in (1..5_u32, 0..5_u32, 1..9_u32),
            steps in prop::collection::vec((0..4_u8, any::<prop::sample::Index>()), 0..300),
        ) {
            let mut breaker = Breaker::new(spec(connections, pending, requests));
            let (mut active, mut queue) = (0_u32, VecDeque::new());
            for (ticket, (step, which)) in steps.into_iter().enumerate() {
                match step {
                    0 if active > 0 => match breaker.leave(true) {
                        true => prop_assert!(queue.pop_front().is_some(), "nobody to promote"),
                        false => active -= 1,
                    },
                    1 if !queue.is_empty() => {
                        queue.remove(which.index(queue.len()));
                        prop_assert!(!breaker.leave(false));
                    }
                    _ => match breaker.enter() {
                        Admission::Active => active += 1,
                        Admission::Pending => queue.push_back(ticket),
                        Admission::Refused(Refusal::Pending) => {
                            prop_assert_eq!(queue.len() as u32, pending)
                        }
                        Admission::Refused(Refusal::Requests) => {
                            prop_assert_eq!(active + queue.len() as u32, requests)
                        }
                    },
                }
                let counted = (breaker.active(), breaker.pending() as usize);
                prop_assert_eq!(counted, (active, queue.len()));
                prop_assert!(active <= connections && queue.len() as u32 <= pending);
                prop_assert!(active + queue.len() as u32 <= requests);
                prop_assert!(queue.is_empty() || active == connections, "a free connection");
            }
            while active > 0 {
                match breaker.leave(true) {
                    true => drop(queue.pop_front()),
                    false => active -= 1,
                }
            }
            prop_assert_eq!(breaker, Breaker::new(spec(connections, pending, requests)));
        }
    }
}
