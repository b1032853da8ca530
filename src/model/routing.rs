//! The path of a request: ingress instance, choice of a replica, connection, retry.
//!
//! ```text
//! sent ─ delay ─► instance ─┬─ vanished ───────────────► refused: ingress instance down
//!                           ├─ nobody in rotation ─────► refused: no ready replica
//!                           ├─ replica ─┬─ contracts missing ► refused: contracts missing
//!                           │           └─ in its server ────► served, timed out, lost in flight
//!                           └─ dead address ─ timeout ─┬─ retry left ─► next choice
//!                                        or refusal    └─ none ───────► refused: dead address
//! ```
//!
//! Assumptions: the ingress has capacity without limit and constant delays; a hung replica accepts
//! connections. Left out: connection pools, TLS handshakes, the way of the payload.

use super::World;
use super::open::AttemptId;
use super::replica::{Fate, Inbound};
use super::traffic::{BLOCK, Request};
use crate::engine::digest::Digest;
use crate::observe::ledger::Failure;
use crate::observe::{Observer, ReplicaId};
use crate::plan::{DeadAddress, Gate, Slot};
use crate::units::Instant;

fn slot_bit(slot: Slot) -> u64 {
    1_u64.checked_shl(slot as u32).unwrap_or(0)
}

/// A connection attempt to a dead address, until its time-out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub due: u64,
    pub sent: u64,
    pub demand: f64,
    pub instance: usize,
    pub retries_left: u32,
    /// Slots whose address was tried, one bit each; those from 64 on are not remembered.
    pub tried: u64,
}

/// Tells of a request that was sent and failed at these times.
pub(super) fn note_failure<O: Observer>(
    digest: &mut Digest,
    observer: &mut O,
    (sent, at): (u64, u64),
    failure: Failure,
) {
    digest.in_any_order(at, !sent ^ ((failure as u64) << 56));
    observer.failed(Instant(sent), Instant(at), failure);
}

impl<O: Observer> World<'_, O> {
    /// Routes every request that reaches the ingress before `until`, and lets replicas take them.
    pub(super) fn route_until(&mut self, until: Instant) {
        if self.feeds_back() {
            return self.flow_until(until.0);
        }
        while self.route_block(until.0) {
            self.take_in();
        }
        self.take_in();
    }

    /// Routes at most a block of requests; false when none is left before `until`.
    fn route_block(&mut self, until: u64) -> bool {
        let delay = self.plan.ingress.delay.0;
        for _ in 0..BLOCK {
            let at = self.arrivals.next_sent().map_or(u64::MAX, |sent| sent.saturating_add(delay));
            let due = self.attempts.front().map_or(u64::MAX, |attempt| attempt.due);
            if due <= at {
                if due >= until {
                    return false;
                }
                self.end_attempt();
            } else {
                if at >= until {
                    return false;
                }
                let request = self.arrivals.take();
                self.admit(at, request);
            }
        }
        true
    }

    /// Requests that were sent but have not reached the ingress by `end`: offered, and in flight.
    pub(super) fn still_under_way(&mut self, end: Instant) -> Vec<Instant> {
        let mut under_way = Vec::new();
        while self.arrivals.next_sent().is_some_and(|sent| sent < end.0) {
            let sent = Instant(self.arrivals.take().sent);
            self.offered += 1;
            self.observer.offered(sent);
            under_way.push(sent);
        }
        under_way
    }

    fn take_in(&mut self) {
        for id in &self.present {
            let replica = &mut self.replicas[*id];
            if !replica.inbox.is_empty() {
                replica.take_in(&mut self.exit.digest, self.observer);
            }
        }
    }

    /// A request reaches the ingress.
    #[inline(always)]
    fn admit(&mut self, at: u64, request: Request) {
        self.offered += 1;
        self.observer.offered(Instant(request.sent));
        self.enter_ingress(at, request);
    }

    /// A request, or an attempt by its name, meets an ingress instance.
    #[inline(always)]
    pub(super) fn enter_ingress(&mut self, at: u64, request: Request) {
        match self.entrance.meet() {
            Some(instance) => self.pass_ingress(at, request, instance),
            None => self.fail(request.sent, at, Failure::IngressDown),
        }
    }

    /// An instance has a request, or an attempt by its name, and finds a replica for it.
    #[inline(always)]
    pub(super) fn pass_ingress(&mut self, at: u64, request: Request, instance: usize) {
        let Request { sent, demand, slot, .. } = request;
        let retries_left = self.plan.ingress.retries;
        let attempt = Attempt { due: at, sent, demand, instance, retries_left, tried: 0 };
        match slot {
            None => self.dispatch(attempt),
            Some(slot) => match self.slots[slot] {
                Some(replica) => self.deliver(attempt, replica),
                None => self.meet_dead_address(attempt, false),
            },
        }
    }

    /// An instance chooses a replica at `attempt.due`.
    #[inline(always)]
    fn dispatch(&mut self, attempt: Attempt) {
        match self.balancer.pick(attempt.instance) {
            Some(replica) => self.deliver(attempt, replica),
            None => self.fail(attempt.sent, attempt.due, Failure::NoReadyReplica),
        }
    }

    #[inline(always)]
    fn deliver(&mut self, attempt: Attempt, id: ReplicaId) {
        let Attempt { due: at, sent, demand, instance, .. } = attempt;
        let replica = &mut self.replicas[id];
        if replica.fate == Fate::Dead {
            let (tried, silent) = (attempt.tried | slot_bit(replica.slot), replica.silent);
            return self.meet_dead_address(Attempt { tried, ..attempt }, silent);
        }
        if replica.lacks_contracts && self.needs_contracts(sent) {
            return self.fail(sent, at, Failure::ContractsMissing);
        }
        if self.feeds_back() {
            return self.enter_replica(at, AttemptId::of(sent), instance as u32, id);
        }
        let replica = &mut self.replicas[id];
        replica.inbox.push(Inbound { at, sent, demand, instance: instance as u32 });
    }

    #[cold]
    fn needs_contracts(&mut self, sent: u64) -> bool {
        if let (Some(around), true) = (&self.plan.surroundings, self.feeds_back()) {
            let attempt = self.exit.attempts.get(AttemptId::of(sent));
            return attempt.is_some_and(|open| around.apis[open.content.api as usize].contracts);
        }
        match self.plan.startup.contracts.as_ref().map(|contracts| contracts.gate) {
            Some(Gate::Api(share)) => self.control_plane.needs_contracts(share),
            _ => false,
        }
    }

    #[cold]
    fn meet_dead_address(&mut self, mut attempt: Attempt, silent: bool) {
        if silent || self.plan.ingress.dead_address == DeadAddress::Drops {
            attempt.due = attempt.due.saturating_add(self.plan.ingress.connect_timeout.0);
            if let Some(open) = self.exit.attempts.get_mut(AttemptId::of(attempt.sent)) {
                open.instance = attempt.instance as u32;
            }
            self.flow.stirred = true;
            return self.attempts.push_back(attempt);
        }
        self.give_up_address(attempt);
    }

    /// The time-out of the attempt that comes first.
    #[cold]
    pub(super) fn end_attempt(&mut self) {
        if let Some(attempt) = self.attempts.pop_front().filter(|attempt| self.is_open(attempt)) {
            self.give_up_address(attempt);
        }
    }

    /// Whether anybody still waits for a connection.
    pub(super) fn is_open(&self, attempt: &Attempt) -> bool {
        !self.feeds_back() || self.exit.attempts.contains_key(AttemptId::of(attempt.sent))
    }

    fn give_up_address(&mut self, mut attempt: Attempt) {
        if attempt.retries_left == 0 {
            return self.fail(attempt.sent, attempt.due, Failure::DeadAddress);
        }
        attempt.retries_left -= 1;
        let tried = |slot: Slot| attempt.tried & slot_bit(slot) != 0;
        match self.balancer.pick_untried(attempt.instance, tried) {
            Some(replica) => self.deliver(attempt, replica),
            None => self.dispatch(attempt),
        }
    }

    /// A request fails.
    #[cold]
    pub(super) fn fail(&mut self, sent: u64, at: u64, failure: Failure) {
        if self.feeds_back() {
            return self.fail_attempt(AttemptId::of(sent), at, failure);
        }
        note_failure(&mut self.exit.digest, self.observer, (sent, at), failure);
    }

    /// Requests lose the server or the connection that they were on, at this moment.
    pub(super) fn lose(&mut self, sent: Vec<u64>) {
        for sent in sent {
            self.fail(sent, self.now.0, Failure::LostInFlight);
        }
    }
}
