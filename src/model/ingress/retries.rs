//! Which tries that failed the ingress makes again, with another replica.
//!
//! ```text
//! sent ─► fails ─► of a kind that is tried again? ─► tries, time and room left? ─► waits ─► sent
//!            └──────────── no ──────────────────────────── no ───► outcome
//! ```
//!
//! A try that an instance makes counts from its decision on, while it waits, connects and is with a
//! replica, until it ends; those after failed connections as all others. A budget is a share of the
//! requests that an instance has with replicas or connects.
//!
//! Assumptions: whether a request is idempotent is its own, however often it is tried. The time
//! that a request has over all its tries begins when it reaches the ingress; no try begins after it
//! or lasts longer. Where nothing else is tried again and nothing holds tries back, those after
//! failed connections are made in blocks (`open_loop`). A try may be made beside one that takes
//! long (`request/hedging`): then the earlier one counts no more.

use std::collections::BTreeMap;

use super::routing::{Connecting, slot_bit};
use crate::engine::jobs::JobId;
use crate::model::replica::fleet::Fleet;
use crate::observe::ledger::Failure;
use crate::plan::{Ingress, RetryRules, Slot};
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
    /// The client connection that it is to open, if these keep their replica.
    pub connection: Option<usize>,
}

impl Tried {
    /// What a request has left that is being connected.
    fn of(connecting: &Connecting) -> Tried {
        let Connecting { retries_left: left, tried: slots, until, instance, connection, .. } =
            *connecting;
        Tried { left, slots, until, instance, connection }
    }
}

/// A try that failed.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct FailedTry {
    pub id: JobId,
    /// When its request was sent first, which names it.
    pub born: u64,
    pub instance: usize,
    /// The slot of the replica that had it, if one had.
    pub slot: Option<Slot>,
    /// When that took it on, and when it failed.
    pub arrived: u64,
    pub at: u64,
    pub failure: Failure,
}

/// The tries that are under way of requests that are tried again.
#[derive(Debug)]
pub(in crate::model) struct Retries {
    tried: BTreeMap<u64, Tried>,
    /// How many of these are not the first of their request, by instance.
    under_way: Vec<u32>,
    /// Attempts that are being connected, or hang, and how many of each instance: these are known
    /// only where there is a budget.
    connecting: BTreeMap<u64, usize>,
    /// Further tries that a request has.
    most: u32,
    seed: Seed,
    waiting: Stream,
}

/// Whether a failure is of a kind that is tried again.
fn covers(rules: &RetryRules, failure: Failure) -> bool {
    match failure {
        Failure::LostInFlight | Failure::IdleClosed => rules.on_reset,
        Failure::TimedOut => rules.on_timeout || rules.hedges,
        // These are tried again where connections are made, are not the ingress's, or the client's.
        Failure::NoReadyReplica
        | Failure::DeadAddress
        | Failure::IngressDown
        | Failure::LostWithIngress
        | Failure::GivenUp => false,
        answered => answered.status().is_some_and(|status| rules.on_statuses.contains(&status)),
    }
}

impl Retries {
    /// Nothing is tried again yet.
    pub fn new(ingress: &Ingress, seed: Seed) -> Self {
        let waiting = seed.stream("back-off of the ingress", 0);
        let under_way = vec![0; ingress.instances.len()];
        Retries {
            tried: BTreeMap::new(),
            under_way,
            connecting: BTreeMap::new(),
            most: ingress.retries,
            seed,
            waiting,
        }
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
        if !self.tried.is_empty() || !self.connecting.is_empty() {
            self.take(id);
            self.end_connecting(id);
        }
    }

    /// An instance connects an attempt, or waits for what hangs.
    #[cold]
    pub fn begin_connecting(&mut self, ingress: &Ingress, id: JobId, instance: usize) {
        if ingress.retry.at_once.is_budget() {
            self.connecting.insert(id.number(), instance);
        }
    }

    /// It does so no more.
    pub fn end_connecting(&mut self, id: JobId) {
        self.connecting.remove(&id.number());
    }

    /// How many requests an instance has with replicas, or connects.
    fn requests_of(&self, fleet: &Fleet, instance: usize) -> u32 {
        let with_replicas = fleet.present().iter().map(|id| fleet[*id].requests_from(instance));
        let connecting = self.connecting.values().filter(|its| **its == instance);
        with_replicas.sum::<u32>() + connecting.count() as u32
    }

    /// Takes out what is known of a try that is under way no more.
    fn take(&mut self, id: JobId) -> Option<Tried> {
        let tried = self.tried.remove(&id.number())?;
        self.count(&tried, -1);
        Some(tried)
    }

    /// One more or one less of its kind is under way.
    fn count(&mut self, tried: &Tried, by: i32) {
        if tried.left < self.most {
            let count = &mut self.under_way[tried.instance];
            *count = count.checked_add_signed(by).expect("what ends was under way");
        }
    }

    /// A try begins of which it is known what its request has met.
    pub fn begin(&mut self, id: JobId, tried: Tried) {
        assert!(tried.left <= self.most, "more tries are left than there were");
        self.take(id);
        self.count(&tried, 1);
        self.tried.insert(id.number(), tried);
    }

    /// A try comes to a replica, or fails, of which it is known what it met.
    pub fn note(&mut self, connecting: &Connecting) {
        if connecting.tried != 0 || connecting.retries_left < self.most {
            self.begin(connecting.id, Tried::of(connecting));
        }
    }

    /// After which wait an instance connects a request elsewhere, which has its next try now;
    /// `None` if it does not.
    pub fn connect_again(
        &mut self,
        rules: &RetryRules,
        fleet: &Fleet,
        next: &Connecting,
    ) -> Option<Span> {
        // The try that failed is no further one any more, but still a request.
        self.end(next.id);
        let requests = || self.requests_of(fleet, next.instance) + 1;
        if !rules.at_once.has_room(self.under_way[next.instance], requests) {
            return None;
        }
        let wait = self.wait(rules, self.most - next.retries_left);
        let in_time = next.due.saturating_add(wait.0) < next.until;
        if in_time {
            self.begin(next.id, Tried::of(next));
        }
        in_time.then_some(wait)
    }

    /// How a failed try goes on, and after which wait; `None` if it does not.
    #[cold]
    pub fn after(
        &mut self,
        ingress: &Ingress,
        fleet: &Fleet,
        failed: FailedTry,
    ) -> Option<(Tried, Span)> {
        // It is under way no more.
        let known = self.take(failed.id);
        self.next(ingress, fleet, failed, known)
    }

    /// The try that is made beside one that takes too long, and after which wait; `None` if none
    /// is.
    #[cold]
    pub fn beside(
        &mut self,
        ingress: &Ingress,
        fleet: &Fleet,
        late: FailedTry,
    ) -> Option<(Tried, Span)> {
        // A request has one further try at most that counts.
        let known = self.take(late.id);
        let next = self.next(ingress, fleet, late, known);
        if let (None, Some(known)) = (next, known) {
            self.begin(late.id, known);
        }
        next
    }

    /// Whether a failure is of a kind that is tried again.
    pub fn covers(&self, rules: &RetryRules, failure: Failure) -> bool {
        self.most > 0 && covers(rules, failure)
    }

    /// The try that follows one of which this was known.
    fn next(
        &mut self,
        ingress: &Ingress,
        fleet: &Fleet,
        failed: FailedTry,
        known: Option<Tried>,
    ) -> Option<(Tried, Span)> {
        let rules = &ingress.retry;
        let through = failed.instance < ingress.instances.len();
        if ingress.retries == 0 || !through || !covers(rules, failed.failure) {
            return None;
        }
        let first = Tried {
            left: ingress.retries,
            slots: 0,
            until: failed.arrived.saturating_add(ingress.request_timeout.0),
            instance: failed.instance,
            connection: None,
        };
        let tried = known.unwrap_or(first);
        assert!(tried.left <= ingress.retries, "more tries are left than there were");
        let may =
            tried.left > 0 && (rules.non_idempotent || self.is_idempotent(rules, failed.born));
        // One that no replica has is in none of their counts.
        let nowhere = u32::from(failed.slot.is_none());
        let requests = || self.requests_of(fleet, failed.instance) + nowhere;
        if !may || !rules.at_once.has_room(self.under_way[failed.instance], requests) {
            return None;
        }
        let wait = self.wait(rules, ingress.retries - tried.left + 1);
        let begins = failed.at.saturating_add(wait.0);
        let slots = tried.slots | failed.slot.map_or(0, slot_bit);
        (begins < tried.until).then_some((Tried { left: tried.left - 1, slots, ..tried }, wait))
    }

    fn is_idempotent(&self, rules: &RetryRules, born: u64) -> bool {
        rules.idempotent.0 >= 1.0
            || self.seed.stream("idempotent", born).unit() < rules.idempotent.0
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
