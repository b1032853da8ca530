//! Several tries of one request at once: the ingress hedges what takes long.
//!
//! ```text
//! try ─ time of a try over ─► stays open ──────────────┬─► the first good answer counts,
//!                └─► another try, after its back-off ──┘   the others are reset
//! ```
//!
//! While a request has several tries it belongs to none of them but to its [`Hedged`], so that
//! whoever has an attempt that nobody waits for asks here. A try that fails is dropped while
//! others are open, unless it brings an answer that would not be tried again: that one counts. The
//! try that was made last may be tried again as any other; one beside which another was sent is
//! not. When the time that the request has is over, all of them end.
//!
//! Source: Envoy's `hedge_policy.hedge_on_per_try_timeout` (`route_components.proto`, `router.cc`):
//! a hedge is sent whatever `retry_on` says, as long as tries are left; it takes its place in the
//! limit of retries, of which a request has one at most; what is late counts as a time-out for
//! outlier detection at once, and not again at its end. Assumed: what is reset is abandoned as
//! what a client gave up. A hedge for which there is no room is not made later.

use std::collections::BTreeMap;

use super::Requests;
use super::attempt::{Attempt, AttemptId, Content, Origin, RequestState, Stage, Timeout};
use crate::model::context::Context;
use crate::model::ingress::connections::RETRANSMISSION;
use crate::model::ingress::retries::Tried;
use crate::model::replica::fleet::Fleet;
use crate::observe::Observer;
use crate::observe::Sent;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::policy::outlier::Response;
use crate::units::Span;

/// A request with tries beside each other.
#[derive(Debug)]
struct Hedged {
    content: Content,
    request: RequestState,
    /// Its tries, in the order in which they were made.
    tries: Vec<AttemptId>,
    /// The one that was made last, open or not: it alone may be tried again.
    last: AttemptId,
    /// When the time is over that it has for all of them.
    until: u64,
}

/// The requests with tries beside each other, by the time at which they were sent first.
#[derive(Debug, Default)]
pub(in crate::model) struct Hedges {
    requests: BTreeMap<u64, Hedged>,
}

impl Hedges {
    /// Whose try that is, if it belongs to a request that is hedged.
    fn of(&self, born: u64, attempt: AttemptId) -> Option<&Hedged> {
        self.requests.get(&born).filter(|hedged| hedged.tries.contains(&attempt))
    }

    /// The request that waits for a try, if it is hedged.
    fn request(&self, born: u64, attempt: AttemptId) -> Option<RequestState> {
        Some(self.of(born, attempt)?.request)
    }

    /// Takes out the request of a try, with all its tries.
    fn take(&mut self, born: u64, attempt: AttemptId) -> Option<Hedged> {
        let hedged = self.of(born, attempt)?;
        debug_assert!(!hedged.tries.is_empty(), "a hedged request has no try");
        self.requests.remove(&born)
    }

    /// A try is over. Gives its request if that was the last one.
    pub fn leave(&mut self, born: u64, attempt: AttemptId) -> Option<RequestState> {
        self.of(born, attempt)?;
        let hedged = self.requests.get_mut(&born)?;
        hedged.tries.retain(|other| *other != attempt);
        if !hedged.tries.is_empty() {
            return None;
        }
        Some(self.requests.remove(&born)?.request)
    }

    /// A try is made again; says whether it is one of several.
    pub fn replace(&mut self, born: u64, attempt: AttemptId, next: AttemptId) -> bool {
        let tries = self.requests.get_mut(&born).filter(|hedged| hedged.last == attempt);
        let Some(hedged) = tries else { return false };
        debug_assert!(hedged.tries.contains(&attempt), "a try is made again that is over");
        hedged.tries.retain(|other| *other != attempt);
        hedged.tries.push(next);
        hedged.last = next;
        true
    }

    /// The requests that are hedged.
    pub fn open(&self) -> impl Iterator<Item = Sent> {
        self.requests.values().map(|hedged| hedged.content.sent())
    }
}

/// Who has waited for an attempt for too long: the ingress, or TCP where no ingress gives up on a
/// machine that has vanished.
fn ended_by(cx: &Context, attempt: &Attempt) -> Failure {
    let ingress = &cx.plan.ingress;
    let through = (attempt.instance as usize) < ingress.instances.len();
    let gives_up = through && ingress.first_timeout() <= RETRANSMISSION;
    match gives_up || attempt.stage != Stage::Stranded {
        true => Failure::TimedOut,
        false => Failure::DeadAddress,
    }
}

impl Requests {
    /// The request that waits for an attempt, if any still does.
    pub(super) fn request_of(&self, id: AttemptId, attempt: &Attempt) -> Option<RequestState> {
        attempt.request.or_else(|| self.hedges.request(attempt.content.born, id))
    }

    /// Whose an attempt is, if somebody still waits for it.
    pub(super) fn origin_of(&self, id: AttemptId, attempt: &Attempt) -> Origin {
        self.request_of(id, attempt).map_or(Origin::Anyone, |request| request.origin)
    }

    /// Whether the ingress may try an attempt again that fails: not if another try was sent beside
    /// it, nor if it is bound to a slot.
    pub(super) fn may_be_tried_again(&self, id: AttemptId, attempt: &Attempt) -> bool {
        let is_last = match self.hedges.of(attempt.content.born, id) {
            Some(hedged) => hedged.last == id,
            None => true,
        };
        is_last && self.origin_of(id, attempt).slot().is_none()
    }

    /// A replica has had an attempt for as long as the ingress waits: it gives up on it, or sends
    /// another try beside it.
    pub(super) fn end_patience_of_ingress(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
    ) {
        let record = &cx.in_flight.attempts[attempt];
        let waited_for = self.request_of(attempt, record).is_some();
        if cx.plan.ingress.hedges() && waited_for {
            let until = self.ends_at(cx, attempt, record);
            if at < until {
                return self.wait_longer(cx, fleet, attempt, at, until);
            }
            self.reset_others(cx, fleet, attempt, at);
        }
        let failure = ended_by(cx, &cx.in_flight.attempts[attempt]);
        self.abort(cx, fleet, attempt, at, failure);
    }

    /// When the time is over that the request of an attempt has for all its tries.
    fn ends_at(&self, cx: &Context, id: AttemptId, attempt: &Attempt) -> u64 {
        if let Some(hedged) = self.hedges.of(attempt.content.born, id) {
            return hedged.until;
        }
        let first = attempt.arrived.saturating_add(cx.plan.ingress.request_timeout.0);
        self.retries.of(id.into()).map_or(first, |tried| tried.until)
    }

    /// A try stays open though its time is over, and another is sent beside it, if that may be.
    fn wait_longer(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
        until: u64,
    ) {
        let Attempt { instance, replica, .. } = cx.in_flight.attempts[attempt];
        cx.note_response(at, instance, replica, Response::GatewayFailure);
        self.set_timeout(cx, attempt, Timeout::Read, until);
        let record = &cx.in_flight.attempts[attempt];
        if self.over || !self.may_be_tried_again(attempt, record) {
            return;
        }
        let late = self.failed_try(fleet, attempt, record, at, Failure::TimedOut);
        if let Some((tried, wait)) = self.retries.beside(&cx.plan.ingress, fleet, late) {
            self.hedge(cx, attempt, at, (tried, wait));
        }
    }

    /// Sends another try beside an attempt, after a wait.
    fn hedge(
        &mut self,
        cx: &mut Context,
        attempt: AttemptId,
        at: u64,
        (tried, wait): (Tried, Span),
    ) {
        let beside = &mut cx.in_flight.attempts[attempt];
        let (content, patience) = (beside.content, beside.due[Timeout::Patience as usize]);
        debug_assert!(at <= tried.until, "a hedge is sent when its request is over");
        let next = Attempt { content, instance: beside.instance, ..Attempt::BLANK };
        let request = beside.request.take();
        let next = cx.in_flight.attempts.insert(next);
        if let Some(request) = request {
            let until = tried.until;
            let hedged = Hedged { content, request, tries: vec![attempt], last: attempt, until };
            let before = self.hedges.requests.insert(content.born, hedged);
            assert!(before.is_none(), "the request of {} is hedged already", content.born);
        }
        let hedged = self.hedges.requests.get_mut(&content.born);
        let hedged = hedged.expect("somebody waits for what is hedged");
        debug_assert_eq!(hedged.last, attempt, "a try is hedged once");
        hedged.tries.push(next);
        hedged.last = next;
        self.set_timeout(cx, next, Timeout::Patience, patience);
        self.make_further_try(cx, next, content, at, (tried, wait));
        cx.listener.counted(content.sent(), Count::Hedge);
    }

    /// The other tries of a request are reset, if it has any: from now on it waits for this one
    /// alone.
    pub(super) fn reset_others(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
    ) {
        let kept = &mut cx.in_flight.attempts[attempt];
        let Some(hedged) = self.hedges.take(kept.content.born, attempt) else { return };
        kept.request = Some(hedged.request);
        self.reset(cx, fleet, &hedged.tries, attempt, at);
    }

    /// Resets tries but for one.
    fn reset(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        tries: &[AttemptId],
        kept: AttemptId,
        at: u64,
    ) {
        for other in tries.iter().filter(|other| **other != kept) {
            // One that waited for a connection may have had it from the one before, and failed.
            if cx.in_flight.get(*other).is_some() {
                self.stop_work(cx, fleet, *other);
                self.take_out(cx, fleet, *other, (at, Failure::GivenUp));
            }
        }
    }

    /// An answer has come that counts, if the request of its try is hedged: says whether it is.
    #[cold]
    pub(super) fn win(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
    ) -> bool {
        let content = cx.in_flight.attempts[attempt].content;
        let Some(hedged) = self.hedges.of(content.born, attempt) else { return false };
        if hedged.tries.first() != Some(&attempt) {
            cx.listener.counted(content.sent(), Count::HedgeWon);
        }
        self.reset_others(cx, fleet, attempt, at);
        true
    }

    /// The client of a hedged request gives up, by one of its tries: the others end as well, or go
    /// on with nobody waiting. Gives the request.
    pub(super) fn give_up_hedged(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
    ) -> Option<RequestState> {
        let born = cx.in_flight.attempts[attempt].content.born;
        let hedged = self.hedges.take(born, attempt)?;
        for other in &hedged.tries {
            cx.in_flight.attempts[*other].due[Timeout::Patience as usize] = u64::MAX;
        }
        if cx.plan.dependencies.clients.cancels {
            self.reset(cx, fleet, &hedged.tries, attempt, at);
        }
        Some(hedged.request)
    }

    /// Whether a try that failed was late already, so that its replica is not blamed again.
    pub(super) fn was_late(&self, cx: &Context, attempt: &Attempt, at: u64) -> bool {
        let lasts = cx.plan.ingress.read_timeout.0;
        cx.plan.ingress.hedges() && attempt.arrived.saturating_add(lasts) < at
    }

    /// Whether a failure is an answer that counts: none that would be tried again, and more than a
    /// connection that breaks or is not made.
    pub(super) fn is_final(&self, cx: &Context, failure: Failure) -> bool {
        use Failure::*;
        let broken = matches!(
            failure,
            LostInFlight
                | IdleClosed
                | DeadAddress
                | NoReadyReplica
                | IngressDown
                | LostWithIngress
                | TimedOut
        );
        !broken && !self.retries.covers(&cx.plan.ingress.retry, failure)
    }
}
