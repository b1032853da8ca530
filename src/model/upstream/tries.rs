//! Tries of a replica at an upstream that take long, and tries that fail.
//!
//! ```text
//! try ─ time of a try over ─┬─ not hedged ─► given up ──┬─► another try, if one is left
//!        │                  └─ hedged ─► stays open     └─► none: timed out upstream
//!        │                                └─► another try beside it, if one is left
//!        └─ answered before, well or not
//! several open ─► the first good answer counts, the others are given up
//!            └──► one that fails is dropped; the last that was made may be tried again
//! ```
//!
//! The time of a try begins when it has a connection; that of all tries together is the time-out of
//! the upstream. What is given up goes on at its host or is stopped there, as the plan says of work
//! that nobody waits for.
//!
//! Source: Envoy's `per_try_timeout` and `hedge_on_per_try_timeout` (`router.cc`,
//! `upstream_request.cc`: the timer starts in `onPoolReady`), with retries on `5xx`, which cover a
//! try that timed out. A hedge takes its place among the retries, of which an attempt has one at
//! most; what is late counts as a time-out for outlier detection at once, and not again at its end.
//! Assumed: a further try is made at once, as after an error; a hedge for which there is no room is
//! not made later; a replica that stands still gives up nothing.

use super::beside::UpstreamTry;
use crate::model::context::Context;
use crate::model::replica::fleet::Fleet;
use crate::model::request::Requests;
use crate::model::request::attempt::{AttemptId, Stage, Step, Timeout};
use crate::observe::Observer;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::policy::outlier::Response;

impl Requests {
    /// Makes the try of that number the current one of its attempt; says whether it is open, if the
    /// attempt is at its upstream at all.
    #[inline(always)]
    pub(super) fn turn_to(&mut self, cx: &mut Context, attempt: AttemptId, number: u16) -> bool {
        let record = cx.in_flight.attempts.get_mut(attempt);
        record.is_some_and(|record| self.upstreams.beside.turn_to(attempt, record, number))
    }

    /// The current try has a connection: its time begins, unless that of all tries is over before.
    pub(super) fn await_end_of_try(
        &mut self,
        cx: &Context,
        at: u64,
        attempt: AttemptId,
        upstream: usize,
    ) {
        let Some(lasts) = cx.plan.dependencies.upstreams[upstream].try_timeout else { return };
        let record = &cx.in_flight.attempts[attempt];
        let until = at.saturating_add(lasts.0);
        if until < record.due[Timeout::Upstream as usize] {
            let number = self.upstreams.beside.number(attempt, record);
            self.schedule(until, Step::TryOver { attempt, tries: number });
        }
    }

    /// A try has taken as long as one may.
    pub fn end_patience_of_try(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        (attempt, number): (AttemptId, u16),
    ) {
        if !self.turn_to(cx, attempt, number) {
            return;
        }
        let record = &cx.in_flight.attempts[attempt];
        let Stage::Upstream(host) = record.stage else { return };
        if fleet[record.replica].hung {
            return;
        }
        self.note_response(cx, fleet, at, attempt, host as usize, Response::GatewayFailure);
        let (upstream, slot) = self.upstream_of(cx, fleet, attempt);
        match cx.plan.dependencies.upstreams[upstream].hedges {
            true => self.hedge_try(cx, fleet, attempt, (upstream, slot)),
            false => {
                self.end_try(cx, fleet, at, attempt, (Failure::UpstreamTimedOut, true));
            }
        }
    }

    /// The current try stays open though it is late, and another is made beside it, if that may be.
    fn hedge_try(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        (upstream, slot): (usize, usize),
    ) {
        let record = &mut cx.in_flight.attempts[attempt];
        let is_last = self.upstreams.beside.number(attempt, record) == record.upstream_tries;
        self.upstreams.beside.note_late(attempt, record);
        let left =
            u32::from(record.upstream_tries) < cx.plan.dependencies.upstreams[upstream].retries;
        if !is_last || !left || self.over {
            return;
        }
        let breaker = &mut self.upstreams.views[upstream][slot].breaker;
        if std::mem::take(&mut record.retrying) {
            breaker.leave_retry();
        }
        if breaker.enter_hedge() {
            record.upstream_tries += 1;
            let sent = record.content.sent();
            cx.listener.counted(sent, Count::UpstreamRetry);
            cx.listener.counted(sent, Count::UpstreamHedge);
            self.begin_try(cx, fleet, attempt, true);
        }
    }

    /// The current try has failed; its replica may make another, if `again`.
    pub(super) fn end_try(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        (failure, again): (Failure, bool),
    ) {
        if self.upstreams.beside.has_others(attempt) {
            return self.drop_try(cx, fleet, attempt, again);
        }
        self.leave_upstream(cx, fleet, attempt);
        if self.keep_if_hung(cx, fleet, attempt)
            || again && self.try_upstream_again(cx, fleet, attempt)
        {
            return;
        }
        self.fail_upstream(cx, fleet, attempt, at, failure);
    }

    /// The current try has failed, and others are open.
    fn drop_try(&mut self, cx: &mut Context, fleet: &mut Fleet, attempt: AttemptId, again: bool) {
        let place = self.upstream_of(cx, fleet, attempt);
        let record = &mut cx.in_flight.attempts[attempt];
        let (tries, hung) = (record.upstream_tries, fleet[record.replica].hung);
        let ended = self.upstreams.beside.take_out(attempt, record);
        debug_assert!(ended.number <= tries, "a try was never made");
        self.release(cx, fleet, place, ended);
        // Its connection may have gone to another of its tries, which may have ended them all.
        let is_open = cx.in_flight.get(attempt).is_some_and(|record| {
            matches!(record.stage, Stage::Upstream(_) | Stage::Pending)
                && record.upstream_tries == tries
        });
        if again && ended.number == tries && is_open && !hung {
            self.try_upstream_again(cx, fleet, attempt);
        }
    }

    /// Makes another try after one that has failed, if one is left and there is room for it; says
    /// whether it did.
    fn try_upstream_again(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
    ) -> bool {
        let (upstream, slot) = self.upstream_of(cx, fleet, attempt);
        let retries = cx.plan.dependencies.upstreams[upstream].retries;
        let record = &mut cx.in_flight.attempts[attempt];
        let breaker = &mut self.upstreams.views[upstream][slot].breaker;
        let may = u32::from(record.upstream_tries) < retries && !self.over && breaker.enter_retry();
        if may {
            record.upstream_tries += 1;
            cx.listener.counted(record.content.sent(), Count::UpstreamRetry);
            self.begin_try(cx, fleet, attempt, true);
        }
        may
    }

    /// A try is over: what it had goes to others.
    pub(super) fn release(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        (upstream, slot): (usize, usize),
        ended: UpstreamTry,
    ) {
        let UpstreamTry { stage, in_service, connected, retrying, .. } = ended;
        if let (true, Stage::Upstream(host)) = (connected, stage) {
            self.upstreams.close(host as usize);
        }
        let view = &mut self.upstreams.views[upstream][slot];
        if retrying {
            view.breaker.leave_retry();
        }
        let promotes = view.breaker.leave(matches!(stage, Stage::Upstream(_)));
        if let Stage::Upstream(host) = stage
            && in_service
            && cx.plan.dependencies.upstreams[upstream].cancels
        {
            self.free_worker(cx, cx.now.0, host as usize);
        }
        if promotes {
            self.promote(cx, fleet, upstream, slot);
        }
    }
}
