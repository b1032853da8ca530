//! Which tries that failed the ingress makes again, with another replica.
//!
//! ```text
//! sent ─► fails ─► of a kind that is tried again? ─► tries, time and room left? ─► waits ─► sent
//!            └──────────── no ──────────────────────────── no ───► outcome
//! ```
//!
//! Assumptions: a try goes to a replica that this request has not met, if there is one; whether a
//! request is idempotent is its own, however often it is tried. The time that a request has over
//! all its tries begins when it reaches the ingress; no try begins after it or lasts longer. Failed
//! connection attempts, of which nothing was sent, are tried again in `routing`; the number of
//! tries is one for both. Left out: tries that may meet the same replica again (Envoy without
//! `previous_hosts`), a limit of those after failed connections, hedged requests, budgets in
//! percent.

use std::collections::BTreeMap;

use super::routing::Connecting;
use crate::engine::jobs::JobId;
use crate::observe::ledger::Failure;
use crate::plan::{Ingress, RetryRules};
use crate::random::{Seed, Stream};
use crate::units::Span;

/// Times the back-off that a wait is at most.
const LONGEST: f64 = 10.0;

/// What is known of a request that is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) struct Tried {
    /// Further tries that it has left.
    pub left: u32,
    /// Slots that were tried, one bit each; those from 64 on are not remembered.
    pub slots: u64,
    /// After this no try begins, and the last ends.
    pub until: u64,
    /// The instance that tries.
    pub instance: usize,
}

/// A try that failed.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct FailedTry {
    pub id: JobId,
    /// When its request was sent first, which names it.
    pub born: u64,
    pub instance: usize,
    /// The slot of the replica that had it, as a bit.
    pub slot: u64,
    /// When that took it on, and when it failed.
    pub arrived: u64,
    pub at: u64,
    pub failure: Failure,
}

/// The tries that are under way and not the first of their request.
#[derive(Debug)]
pub(in crate::model) struct Retries {
    tried: BTreeMap<u64, Tried>,
    seed: Seed,
    waiting: Stream,
}

/// Whether a failure is of a kind that is tried again.
fn covers(rules: &RetryRules, failure: Failure) -> bool {
    match failure {
        Failure::LostInFlight | Failure::IdleClosed => rules.on_reset,
        Failure::TimedOut => rules.on_timeout,
        // These have tried what there is, are not the ingress's, or are the client's.
        Failure::NoReadyReplica
        | Failure::DeadAddress
        | Failure::IngressDown
        | Failure::GivenUp => false,
        answered => answered.status().is_some_and(|status| rules.on_statuses.contains(&status)),
    }
}

impl Retries {
    /// Nothing is tried again yet.
    pub fn new(seed: Seed) -> Self {
        let waiting = seed.stream("back-off of the ingress", 0);
        Retries { tried: BTreeMap::new(), seed, waiting }
    }

    /// What is known of a try, if it is not the first of its request.
    pub fn of(&self, id: JobId) -> Option<&Tried> {
        self.tried.get(&id.number())
    }

    /// Until when a try may last, beside its own time-out.
    #[inline(always)]
    pub fn until(&self, id: JobId) -> u64 {
        match self.tried.is_empty() {
            true => u64::MAX,
            false => self.of(id).map_or(u64::MAX, |tried| tried.until),
        }
    }

    /// A try ends.
    #[inline(always)]
    pub fn end(&mut self, id: JobId) {
        if !self.tried.is_empty() {
            self.tried.remove(&id.number());
        }
    }

    /// A try begins that is not the first of its request.
    pub fn begin(&mut self, id: JobId, tried: Tried) {
        self.tried.insert(id.number(), tried);
    }

    /// A try comes to a replica, or fails, after others or where it is known what it met.
    pub fn note(&mut self, ingress: &Ingress, connecting: &Connecting) {
        let counts = ingress.retry.of_sent() || connecting.until < u64::MAX;
        if counts && (connecting.retries_left < ingress.retries || connecting.tried != 0) {
            let Connecting { id, retries_left: left, tried: slots, until, instance, .. } =
                *connecting;
            self.begin(id, Tried { left, slots, until, instance });
        }
    }

    /// How a failed try goes on, and after which wait; `None` if it does not.
    #[cold]
    pub fn after(&mut self, ingress: &Ingress, failed: FailedTry) -> Option<(Tried, Span)> {
        // It is under way no more.
        let known = self.tried.remove(&failed.id.number());
        let rules = &ingress.retry;
        if ingress.retries == 0 || !covers(rules, failed.failure) {
            return None;
        }
        let first = Tried {
            left: ingress.retries,
            slots: 0,
            until: failed.arrived.saturating_add(ingress.request_timeout.0),
            instance: failed.instance,
        };
        let tried = known.unwrap_or(first);
        assert!(tried.left <= ingress.retries, "more tries are left than there were");
        let may =
            tried.left > 0 && (rules.non_idempotent || self.is_idempotent(rules, failed.born));
        if !may || !self.has_room(rules, failed.instance) {
            return None;
        }
        let wait = self.wait(rules, ingress.retries - tried.left + 1);
        let begins = failed.at.saturating_add(wait.0);
        let slots = tried.slots | failed.slot;
        (begins < tried.until).then_some((Tried { left: tried.left - 1, slots, ..tried }, wait))
    }

    fn is_idempotent(&self, rules: &RetryRules, born: u64) -> bool {
        rules.idempotent.0 >= 1.0
            || self.seed.stream("idempotent", born).unit() < rules.idempotent.0
    }

    /// Whether an instance may have one more try under way.
    fn has_room(&self, rules: &RetryRules, instance: usize) -> bool {
        let of_instance = self.tried.values().filter(|tried| tried.instance == instance);
        rules.at_once.is_none_or(|most| of_instance.count() < most)
    }

    /// The wait before the k-th further try (Envoy's: exponential, and fully jittered).
    fn wait(&mut self, rules: &RetryRules, further: u32) -> Span {
        debug_assert!(further > 0, "the first try waits for nothing");
        let longest = (2.0_f64.powi(further.min(16) as i32) - 1.0).min(LONGEST);
        match rules.backoff {
            Span::ZERO => Span::ZERO,
            step => Span((step.0 as f64 * longest * self.waiting.unit()).round() as u64),
        }
    }
}
