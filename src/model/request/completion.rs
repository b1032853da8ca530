//! How attempts end, where requests feed back.
//!
//! ```text
//! answer at the replica ─ hop, network ─► client: served, or too late and wasted
//! failure, time-out, loss of the replica or of the ingress instance ─► client reacts
//! loss of the replica's machine ─► nobody says so: until a time-out, the client's or the ingress's
//! client gave up before ─► nobody waits: the work is stopped, or goes on and is wasted
//! ```
//!
//! Assumptions: TCP gives up a connection on which nothing comes from a machine that has vanished
//! as late as one on which something is sent again.

use super::Requests;
use super::attempt::{Attempt, AttemptId, Content, Origin, RequestState, Stage, Step, Timeout};
use crate::model::context::{Context, Loss};
use crate::model::ingress::connections::RETRANSMISSION;
use crate::model::ingress::retries::{FailedTry, Tried};
use crate::model::ingress::seen::response;
use crate::model::region::Region;
use crate::model::replica::fleet::Fleet;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::{Observer, ReplicaId, Sent, Served};
use crate::policy::outlier::Response;
use crate::units::{Instant, Span};

/// How an attempt ends that is lost.
type LosesAttempt = fn(&mut Requests, &mut Context, &mut Fleet, AttemptId, u64, Failure);

/// An attempt that is answered at `finished`.
#[inline(always)]
fn served(record: &Attempt, finished: u64) -> Served {
    Served {
        sent: Instant(record.content.born),
        arrived: Instant(record.arrived),
        finished: Instant(finished),
        demand: record.content.demand as f32,
        api: record.content.api,
        replica: record.replica,
    }
}

/// An ingress instance sees how a replica did with an attempt, if that says anything.
#[cold]
fn note_end(
    cx: &mut Context,
    fleet: &mut Fleet,
    attempt: AttemptId,
    at: u64,
    how: Option<Response>,
) {
    let Attempt { instance, replica, arrived, .. } = cx.in_flight.attempts[attempt];
    fleet[replica].end_from(instance as usize);
    if let Some(how) = how {
        let took = Span(at.saturating_sub(arrived)) + cx.plan.ingress.hop;
        cx.seen.note_latency(Instant(at), instance as usize, replica, took);
        cx.note_response(at, instance, replica, how);
    }
}

impl Requests {
    /// A replica has the answer to an attempt and gives it to the ingress at `at`.
    #[inline(always)]
    pub fn answer(&mut self, cx: &mut Context, fleet: &mut Fleet, attempt: AttemptId, at: u64) {
        if cx.seen.tracks {
            note_end(cx, fleet, attempt, at, Some(Response::Fine));
            let instance = cx.in_flight.attempts[attempt].instance;
            self.note_at_gate(cx, instance, at, None);
        }
        self.retries.end(attempt.into());
        self.pass_on(cx, fleet, attempt, at);
    }

    /// An ingress instance sees what came of a request that it had let through.
    #[cold]
    fn note_at_gate(&mut self, cx: &Context, instance: u32, at: u64, failure: Option<Failure>) {
        // What ends after the horizon decides nothing any more.
        if let Some(gates) = self.gates.as_mut().filter(|_| cx.now <= cx.plan.run.horizon) {
            gates.note(at, instance as usize, failure);
        }
    }

    /// The ingress has the answer to an attempt and passes it on.
    #[inline(always)]
    fn pass_on(&mut self, cx: &mut Context, fleet: &mut Fleet, attempt: AttemptId, at: u64) {
        let record = &cx.in_flight.attempts[attempt];
        debug_assert!(record.arrived <= at, "an attempt is answered before it arrived");
        let seen = at.saturating_add(cx.plan.ingress.hop.0);
        let in_time = record.due[Timeout::Patience as usize] > seen;
        let Some(RequestState { origin, .. }) = record.request.filter(|_| in_time) else {
            return self.return_answer(cx, fleet, attempt, at);
        };
        if self.clients.has_network() {
            return self.return_answer(cx, fleet, attempt, at);
        }
        let answered = served(record, at);
        cx.in_flight.attempts.remove(attempt);
        fleet[answered.replica].served += 1;
        self.tell_answered(cx, &answered, origin);
    }

    /// An answer goes through a network, or to a client that gave up or will have by then.
    #[inline(never)]
    fn return_answer(&mut self, cx: &mut Context, fleet: &mut Fleet, attempt: AttemptId, at: u64) {
        let record = &cx.in_flight.attempts[attempt];
        debug_assert_ne!(record.stage, Stage::Returning, "an attempt is answered once");
        if record.request.is_none() {
            return match self.win(cx, fleet, attempt, at) {
                true => self.pass_on(cx, fleet, attempt, at),
                false => self.end_in_vain(cx, attempt),
            };
        }
        let seen = at.saturating_add(cx.plan.ingress.hop.0);
        let record = &mut cx.in_flight.attempts[attempt];
        fleet[record.replica].served += 1;
        // Without a network it stays until its client gives up.
        record.due[Timeout::Read as usize] = u64::MAX;
        record.stage = Stage::Returning;
        if self.clients.has_network() {
            let seen = seen + self.clients.network_delay();
            self.schedule(seen, Step::Returns { attempt });
        }
    }

    /// An attempt for which nobody waits any more ends with its answer.
    pub fn end_in_vain(&mut self, cx: &mut Context, attempt: AttemptId) {
        let record = cx.in_flight.attempts.remove(attempt).expect("an attempt ends once");
        debug_assert!(record.request.is_none(), "somebody waits for what ends in vain");
        cx.listener.counted(record.content.sent(), Count::Wasted);
    }

    /// An answer reaches its client through a network.
    pub fn receive_answer(&mut self, cx: &mut Context, attempt: AttemptId) {
        let record = &cx.in_flight.attempts[attempt];
        debug_assert_eq!(record.stage, Stage::Returning, "an answer comes back once");
        let Some(RequestState { origin, .. }) = record.request else {
            return self.end_in_vain(cx, attempt);
        };
        // The latency ends when the answer is there, less the hop that every latency has added to
        // it.
        let answered = served(record, cx.now.0 - cx.plan.ingress.hop.0);
        cx.in_flight.attempts.remove(attempt);
        self.tell_answered(cx, &answered, origin);
    }

    #[inline(always)]
    fn tell_answered(&mut self, cx: &mut Context, answered: &Served, origin: Origin) {
        let Served { sent, finished, .. } = *answered;
        debug_assert!(sent <= finished, "a request sent at {sent} was answered at {finished}");
        cx.digest.in_any_order(finished.0, sent.0);
        cx.listener.served(answered);
        self.end_request(cx.plan, (finished + cx.plan.ingress.hop).0, origin);
    }

    /// An attempt fails at `at`; whatever work it had in a replica is over. The ingress may try it
    /// again elsewhere.
    #[inline(never)]
    pub fn fail_attempt(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
        failure: Failure,
    ) {
        match self.after_failure(cx, fleet, attempt, at, failure) {
            Some(next) => self.leave_for_another(cx, fleet, attempt, at, failure, next),
            None => {
                if cx.plan.ingress.hedges() && self.is_final(cx, failure) {
                    self.reset_others(cx, fleet, attempt, at);
                }
                self.end_attempt(cx, fleet, attempt, at, failure);
            }
        }
    }

    /// What is known of a try that failed.
    pub(super) fn failed_try(
        &self,
        fleet: &Fleet,
        attempt: AttemptId,
        record: &Attempt,
        at: u64,
        failure: Failure,
    ) -> FailedTry {
        let is_with_one = record.replica != usize::MAX;
        FailedTry {
            id: attempt.into(),
            born: record.content.born,
            instance: record.instance as usize,
            slot: is_with_one.then(|| fleet[record.replica].slot),
            arrived: record.arrived,
            at,
            failure,
        }
    }

    /// How the ingress goes on with an attempt that fails, if it does.
    fn after_failure(
        &mut self,
        cx: &Context,
        fleet: &Fleet,
        attempt: AttemptId,
        at: u64,
        failure: Failure,
    ) -> Option<(Tried, Span)> {
        let ingress = &cx.plan.ingress;
        if !ingress.retry.of_sent() {
            return None;
        }
        let record = &cx.in_flight.attempts[attempt];
        let may = self.may_be_tried_again(attempt, record);
        if !may && ingress.hedges() {
            return None; // what another try is made beside is known no more
        }
        let may = may && self.request_of(attempt, record).is_some();
        let failed = self.failed_try(fleet, attempt, record, at, failure);
        let next = self.retries.after(ingress, fleet, failed);
        next.filter(|_| may && !self.over)
    }

    /// An attempt leaves its replica for another one.
    fn leave_for_another(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
        failure: Failure,
        (tried, wait): (Tried, Span),
    ) {
        let Attempt { content, request, instance, due, .. } =
            self.take_out(cx, fleet, attempt, (at, failure));
        let next = Attempt { content, request, instance, ..Attempt::BLANK };
        let next = cx.in_flight.attempts.insert(next);
        let is_waited_for = request.is_some() || self.hedges.replace(content.born, attempt, next);
        assert!(is_waited_for, "nobody waits for what is tried again");
        self.set_timeout(cx, next, Timeout::Patience, due[Timeout::Patience as usize]);
        self.make_further_try(cx, next, content, at, (tried, wait));
    }

    /// The ingress makes a try that is not the first of its request, after a wait.
    pub(super) fn make_further_try(
        &mut self,
        cx: &mut Context,
        next: AttemptId,
        content: Content,
        at: u64,
        (tried, wait): (Tried, Span),
    ) {
        self.retries.begin(next.into(), tried);
        debug_assert!(at <= tried.until, "a try begins after the time that its request has");
        cx.listener.counted(content.sent(), Count::IngressRetry);
        self.schedule(at.saturating_add(wait.0), Step::TriesElsewhere { attempt: next });
    }

    /// An attempt that fails is with nobody any more.
    pub(super) fn take_out(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        (at, failure): (u64, Failure),
    ) -> Attempt {
        // It has been with a replica, whatever has become of its work there.
        let record = &cx.in_flight.attempts[attempt];
        if cx.seen.tracks && record.replica != usize::MAX {
            let is_told = failure == Failure::TimedOut && self.was_late(cx, record, at);
            note_end(cx, fleet, attempt, at, response(failure).filter(|_| !is_told));
        }
        self.leave_queue(cx, attempt);
        self.retries.end(attempt.into());
        let record = cx.in_flight.attempts.remove(attempt).expect("an attempt fails once");
        if record.waits() {
            debug_assert!(fleet[record.replica].held > 0, "its replica holds nothing");
            fleet[record.replica].held -= 1;
        }
        record
    }

    /// An attempt fails for good at `at`.
    pub(super) fn end_attempt(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
        failure: Failure,
    ) {
        let record = self.take_out(cx, fleet, attempt, (at, failure));
        let born = record.content.born;
        if let Some(request) = record.request.or_else(|| self.hedges.leave(born, attempt)) {
            if cx.seen.tracks {
                self.note_at_gate(cx, record.instance, at, Some(failure));
            }
            cx.listener.attempt_failed(record.content.sent(), failure);
            self.react(cx, record.content, request, at, failure);
        }
    }

    /// An attempt fails at `at` and its work is stopped.
    pub fn abort(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
        failure: Failure,
    ) {
        self.stop_work(cx, fleet, attempt);
        self.fail_attempt(cx, fleet, attempt, at, failure);
    }

    /// Stops the work for an attempt, wherever it is.
    pub fn stop_work(&mut self, cx: &mut Context, fleet: &mut Fleet, attempt: AttemptId) {
        let record = &cx.in_flight.attempts[attempt];
        let id = record.replica;
        match record.stage {
            Stage::Cpu(_) => {
                fleet[id].cancel(attempt, cx.now.0, &mut cx.in_flight);
                self.touch(fleet, id);
            }
            Stage::Upstream(_) | Stage::Pending => self.leave_upstream(cx, fleet, attempt),
            _ => {}
        }
    }

    /// Takes care of what an event has left.
    pub fn settle_losses(&mut self, cx: &mut Context, region: &mut Region) {
        for loss in cx.take_losses() {
            match loss {
                Loss::HeldBy(id) => self.lose_held(cx, region, id),
                Loss::InFlight(..) | Loss::Stranded { .. } => {
                    unreachable!("{loss:?} is of requests that do not feed back")
                }
                Loss::Through(instance) => {
                    self.lose_through(cx, &mut region.cluster.fleet, instance);
                }
                Loss::Memory { slot, in_order } => {
                    self.policies.lose(cx.now, slot, in_order);
                    self.managers.iter_mut().for_each(|managers| managers.forget(slot));
                    self.upstreams.forget(cx.plan, slot);
                }
            }
        }
    }

    /// Every attempt that a replica has fails with it at this moment.
    fn lose_held(&mut self, cx: &mut Context, region: &mut Region, id: ReplicaId) {
        let held = |record: &Attempt| record.is_held() && record.replica == id;
        let through = cx.plan.ingress.instances.len() as u32;
        let users = |inside: bool| {
            let came = move |record: &Attempt| (record.instance == through) == inside;
            let lost = cx.in_flight.attempts.iter().filter(move |(_, record)| came(record));
            let lost = lost.filter(|(_, record)| held(record));
            lost.filter_map(|(id, record)| Some(self.request_of(id, record)?.origin.user()))
        };
        region.ingress.close_in_flight(&region.cluster.fleet, id, users(false));
        region.ingress.close_inside(&region.cluster.fleet, id, users(true));
        let fleet = &mut region.cluster.fleet;
        let stoppable = |stage| !matches!(stage, Stage::Cpu(_));
        let then = if fleet[id].silent { Self::strand } else { Self::fail_attempt };
        self.lose_attempts(cx, fleet, held, stoppable, (Failure::LostInFlight, then));
    }

    /// The machine of the replica that has an attempt is gone, and nobody is left to say so: it
    /// waits until whoever waits for it gives up.
    fn strand(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
        _: Failure,
    ) {
        self.leave_queue(cx, attempt);
        cx.in_flight.had_stranded = true;
        let record = &mut cx.in_flight.attempts[attempt];
        if record.waits() {
            fleet[record.replica].held -= 1;
        }
        record.stage = Stage::Stranded;
        record.due[Timeout::Upstream as usize] = u64::MAX;
        let due = record.due[Timeout::Read as usize].min(at.saturating_add(RETRANSMISSION.0));
        debug_assert!(due >= at, "an attempt is stranded at {at}, and was over at {due}");
        self.set_timeout(cx, attempt, Timeout::Read, due);
    }

    /// Every attempt through an ingress instance fails with it at this moment.
    fn lose_through(&mut self, cx: &mut Context, fleet: &mut Fleet, instance: usize) {
        self.handshakes.forget(instance);
        self.gates.iter_mut().for_each(|gates| gates.forget(instance));
        let through = |record: &Attempt| {
            record.instance as usize == instance && record.stage != Stage::Returning
        };
        let failure = Failure::LostWithIngress;
        self.lose_attempts(cx, fleet, through, |_| true, (failure, Self::end_attempt));
    }

    /// Attempts fail so, by `fail`; the work of those in a stage that is `stoppable` is stopped.
    fn lose_attempts(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        lost: impl Fn(&Attempt) -> bool,
        stoppable: impl Fn(Stage) -> bool,
        (failure, fail): (Failure, LosesAttempt),
    ) {
        let attempts = cx.in_flight.attempts.iter().filter(|(_, record)| lost(record));
        // Those that wait go first, or they would get the places that the others leave.
        let works = |record: &Attempt| match record.stage {
            Stage::Pending => 0,
            Stage::Upstream(_) if !record.in_service => 1,
            _ => 2,
        };
        let mut lost: Vec<_> = attempts
            .map(|(id, record)| ((works(record), record.content.born, id), record.stage))
            .collect();
        lost.sort_unstable_by_key(|(order, _)| *order);
        for ((_, _, attempt), stage) in lost {
            if stoppable(stage) {
                self.stop_work(cx, fleet, attempt);
            }
            fail(self, cx, fleet, attempt, cx.now.0, failure);
        }
    }

    /// The requests without an outcome and those whose attempt has no end.
    pub fn still_open(&self, cx: &Context) -> (Vec<Sent>, Vec<Sent>) {
        let waited_for = cx.in_flight.attempts.values().filter(|attempt| attempt.request.is_some());
        // A hedged request is one attempt of its client.
        let one_by_one = waited_for.map(|attempt| attempt.content.sent());
        let mut attempts: Vec<_> = one_by_one.chain(self.hedges.open()).collect();
        let waiting = self.backed_off.values().map(|waiting| waiting.content.sent());
        let mut requests: Vec<_> = waiting.chain(attempts.iter().copied()).collect();
        requests.sort_unstable();
        let twice = requests.windows(2).find(|pair| pair[0].at == pair[1].at);
        assert!(twice.is_none(), "two requests that are open were sent at {twice:?}");
        attempts.sort_unstable();
        (requests, attempts)
    }
}
