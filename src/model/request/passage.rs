//! The way of an attempt through the ingress: the instance that it meets, the replica that it is
//! given, and connections that come to nothing.
//!
//! ```text
//! reaches ─► instance ─┬─► choice ─┬─ replica ──────────────────────► work
//!       turned away ◄──┘           ├─ connects, or hangs ─ time-out ─┬─► again, at once or later
//!                                  └─ nobody, or a broken connection ┴─► fails
//! ```
//!
//! What the ingress makes of it is in `ingress/routing`, and whether it is tried again in
//! `ingress/retries`.

use super::Requests;
use super::attempt::{AttemptId, Origin, Stage, Step};
use super::handshake::Met;
use crate::model::context::Context;
use crate::model::ingress::connections::Sender;
use crate::model::ingress::routing::{Connecting, Routed};
use crate::model::region::Region;
use crate::observe::Observer;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::units::Span;

/// What becomes of an attempt whose connection came to nothing.
enum Further {
    /// This, at once.
    Now(Routed),
    /// It waits.
    Later,
    /// It is not tried again.
    Never,
}

impl Requests {
    /// Who sends an attempt, if that is known: its user, or one of several clients.
    #[inline(always)]
    fn client_of(&self, cx: &Context, attempt: AttemptId) -> Option<u32> {
        let record = &cx.in_flight.attempts[attempt];
        let client = self.clients.popularity.as_ref().map(|_| record.content.client);
        self.origin_of(attempt, record).user().or(client)
    }

    /// An attempt reaches the ingress, unless its client gave up and stopped it.
    pub fn reach(&mut self, cx: &mut Context, region: &mut Region, at: u64, attempt: AttemptId) {
        if let Some(reached) = cx.in_flight.get(attempt) {
            debug_assert_eq!(reached.stage, Stage::UnderWay, "an attempt reaches the ingress once");
            let what = (reached.content.demand, reached.origin());
            self.reach_ingress(cx, region, at, attempt, what);
        }
    }

    #[inline(always)]
    pub(super) fn reach_ingress(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        at: u64,
        attempt: AttemptId,
        what: (f64, Origin),
    ) {
        let sender = Sender { at, user: what.1.user(), client: None };
        let born = |cx: &Context| cx.in_flight.attempts[attempt].content.born;
        if let Some(instance) = region.ingress.passed_by(|| born(cx)) {
            return self.pass_by(cx, region, (at, attempt), instance, what);
        }
        let instance = match self.meet_on_connection(cx, &mut region.ingress, sender, attempt) {
            Met::Anyone => region.ingress.meet(at, self.client_of(cx, attempt)),
            Met::Instance(instance) => Some(instance),
            Met::Nobody => None,
            Met::Later => return,
        };
        match instance {
            Some(instance) => self.pass_ingress(cx, region, (at, attempt), instance, what),
            None => {
                let fleet = &mut region.cluster.fleet;
                self.fail_attempt(cx, fleet, attempt, at, Failure::IngressDown);
            }
        }
    }

    /// The handshake of an attempt's connection is done, unless its client stopped it.
    pub fn end_handshake(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        at: u64,
        attempt: AttemptId,
    ) {
        let Some(met) = cx.in_flight.get(attempt) else { return };
        debug_assert_eq!(met.stage, Stage::UnderWay, "an attempt waits for one handshake");
        let what = (met.content.demand, met.origin());
        let instance = met.instance as usize;
        self.pass_ingress(cx, region, (at, attempt), instance, what);
    }

    /// An instance has an attempt and finds a replica for it.
    #[inline(always)]
    fn pass_ingress(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        (at, attempt): (u64, AttemptId),
        instance: usize,
        (demand, origin): (f64, Origin),
    ) {
        if let Some(gates) = &mut self.gates
            && !gates.admits(at, instance)
        {
            let fleet = &mut region.cluster.fleet;
            return self.end_attempt(cx, fleet, attempt, at, Failure::NotAdmitted);
        }
        let slot = origin.slot().map(|slot| slot as usize);
        let sticks = cx.plan.ingress.is_sticky();
        let client = if sticks { self.client_of(cx, attempt) } else { None };
        let sender = Sender { at, user: origin.user(), client };
        let fleet = &region.cluster.fleet;
        match region.ingress.choose(&cx.seen, fleet, instance, slot, sender) {
            Some(id) if fleet[id].listens => {
                self.enter_replica(cx, region, (at, attempt), (instance, id));
            }
            chosen => {
                let what = (at, attempt.into(), demand);
                let routed =
                    region.ingress.miss(cx, fleet, what, (instance, client), (slot, chosen));
                // The ingress has it from now on, and may try again what a broken connection ends.
                let had = &mut cx.in_flight.attempts[attempt];
                (had.instance, had.arrived) = (instance as u32, at);
                self.deliver(cx, region, routed);
            }
        }
    }

    /// An attempt from inside the cluster comes past the ingress.
    #[cold]
    fn pass_by(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        (at, attempt): (u64, AttemptId),
        instance: usize,
        (demand, origin): (f64, Origin),
    ) {
        let fleet = &region.cluster.fleet;
        let sender = Sender { at, user: origin.user(), client: None };
        match region.ingress.choose_inside(fleet, sender) {
            Some(id) if fleet[id].listens => {
                self.enter_replica(cx, region, (at, attempt), (instance, id));
            }
            chosen => {
                let what = (at, attempt.into(), demand);
                let routed = region.ingress.miss(cx, fleet, what, (instance, None), (None, chosen));
                let had = &mut cx.in_flight.attempts[attempt];
                (had.instance, had.arrived) = (instance as u32, at);
                self.deliver(cx, region, routed);
            }
        }
    }

    /// The ingress makes a try again, unless its client gave up.
    pub fn try_elsewhere(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        at: u64,
        attempt: AttemptId,
    ) {
        let Some(waiting) = cx.in_flight.get(attempt) else { return };
        debug_assert_eq!(waiting.stage, Stage::UnderWay, "what is tried again is nowhere");
        let tried = *self.retries.of(attempt.into()).expect("a try that is not the first");
        let connecting = Connecting {
            due: at,
            id: attempt.into(),
            demand: waiting.content.demand,
            instance: tried.instance,
            retries_left: tried.left,
            tried: tried.slots,
            until: tried.until,
            connection: tried.connection,
            client: self.client_of(cx, attempt),
            to: None,
            hangs: false,
        };
        let fleet = &region.cluster.fleet;
        let routed = region.ingress.try_elsewhere(cx, fleet, connecting);
        self.deliver(cx, region, routed);
    }

    /// What becomes of an attempt for which no replica was found at once.
    #[cold]
    fn deliver(&mut self, cx: &mut Context, region: &mut Region, mut routed: Routed) {
        while let Routed::Fails(Failure::DeadAddress, connecting) = routed {
            match self.connect_again(cx, region, connecting) {
                Further::Now(next) => routed = next,
                Further::Later => return,
                Further::Never => break,
            }
        }
        match routed {
            Routed::To(replica, connecting) => {
                let Connecting { due: at, id, instance, .. } = connecting;
                self.retries.note(&connecting);
                if self.retries.until(id) <= at {
                    let fleet = &mut region.cluster.fleet;
                    return self.end_attempt(cx, fleet, id.into(), at, Failure::TimedOut);
                }
                self.enter_replica(cx, region, (at, id.into()), (instance, replica));
            }
            Routed::Waits(Connecting { id, instance, .. }) => {
                self.retries.begin_connecting(&cx.plan.ingress, id, instance);
                self.stirred = true;
            }
            Routed::Fails(failure, connecting) => {
                let Connecting { due: at, id, .. } = connecting;
                self.retries.note(&connecting);
                let fleet = &mut region.cluster.fleet;
                self.fail_attempt(cx, fleet, id.into(), at, failure);
            }
        }
    }

    /// The ingress connects an attempt elsewhere whose connection came to nothing, if it may.
    #[cold]
    fn connect_again(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        failed: Connecting,
    ) -> Further {
        let (ingress, fleet) = (&mut region.ingress, &region.cluster.fleet);
        let Some(next) = failed.next_try(&cx.plan.ingress) else { return Further::Never };
        let attempt = next.id.into();
        debug_assert!(next.due >= cx.now.0, "a connection fails at {}, in the past", next.due);
        let sent = cx.in_flight.attempts[attempt].content.sent();
        match self.retries.connect_again(&cx.plan.ingress.retry, fleet, &next) {
            None => Further::Never,
            Some(Span::ZERO) => {
                cx.listener.counted(sent, Count::IngressRetry);
                Further::Now(ingress.try_elsewhere(cx, fleet, next))
            }
            Some(wait) => {
                cx.listener.counted(sent, Count::IngressRetry);
                let at = next.due.saturating_add(wait.0);
                self.schedule(at, Step::TriesElsewhere { attempt });
                Further::Later
            }
        }
    }

    /// The first connection times out, unless nobody waits for it any more.
    pub fn end_connection(&mut self, cx: &mut Context, region: &mut Region) {
        let connecting = region.ingress.take_timed_out();
        self.retries.end_connecting(connecting.id);
        if let Some(waiting) = cx.in_flight.get(connecting.id.into()) {
            debug_assert_eq!(waiting.stage, Stage::UnderWay, "an attempt that connects is nowhere");
            let routed = region.ingress.give_up_address(cx, connecting);
            self.deliver(cx, region, routed);
        }
    }
}
