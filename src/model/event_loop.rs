//! Requests in order of time, where what becomes of one decides when others come.
//!
//! ```text
//! arrivals ─┐                                   ┌─► client: outcome, or another attempt ─┐
//! steps ────┼─► the earliest ─► what happens ───┼─► upstream, cache, limit ──────────────┤
//! time-outs ┤        ▲                          └─► replica's server                     │
//! servers ──┘        └───────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Nothing may be worked out ahead: of all that can happen next the earliest happens. What happens
//! at the same moment is ordered as in blocks: completions, then time-outs, then connections, steps
//! and new requests, and these after the rare events of the same moment. Where requests do not feed
//! back they are routed in blocks instead (`open_loop`); both ways give the same outcome.

use super::request::attempt::{Step, Timeout};
use super::world::World;
use crate::units::Instant;

/// After so many dispatches it is noted how many attempts are in flight.
const DISPATCHED_NOTED: u32 = 1 << 14;

/// What happens next, if it is not a server.
#[derive(Clone, Copy, Debug)]
enum Next {
    Timeout(Timeout),
    Connection,
    Step,
    Arrival,
}

impl World<'_> {
    /// Lets everything happen that happens before `until`; servers and time-outs, until then.
    pub(super) fn dispatch_until(&mut self, until: u64) {
        // Who has run out of memory was killed, or is before anything else.
        self.cx.is_out_of_memory = false;
        let fleet = &mut self.region.cluster.fleet;
        self.requests.refresh_completions(fleet);
        self.requests.settle(&mut self.cx, fleet);
        loop {
            let (at, next) = self.next();
            if self.work_until(at.min(until)) {
                continue;
            }
            let is_done =
                self.requests.over && at.min(self.requests.next_completions.first().0) > until;
            if !is_done && self.cx.is_stopped() {
                // All that comes before it has happened.
                self.cx.now.0 = at.min(until).max(self.cx.now.0);
                break;
            }
            if at < until || (at == until && matches!(next, Next::Timeout(_))) {
                self.dispatch(at, next);
                if self.cx.is_out_of_memory {
                    break;
                }
            } else {
                break;
            }
        }
        let left = self.cx.in_flight.departures.len();
        assert_eq!(left, 0, "{left} attempts left a server and nobody took them");
        // Rare events may change any server.
        self.requests.next_completions.clear();
    }

    /// Finishes the work that began before the horizon; nobody sends anything any more.
    pub(super) fn drain(&mut self) {
        self.requests.over = true;
        self.dispatch_until(u64::MAX - 1);
    }

    /// Lets servers work until `until`, but no further than to where something else may come next;
    /// says whether it did.
    #[inline(always)]
    fn work_until(&mut self, until: u64) -> bool {
        let Self { cx, region, requests, .. } = self;
        requests.stirred = false;
        loop {
            let (at, place) = requests.next_completions.first();
            if at > until || requests.stirred {
                return requests.stirred;
            }
            if requests.over && cx.is_cancelled() {
                return false;
            }
            requests.work(cx, &mut region.cluster.fleet, place, at);
        }
    }

    #[inline(always)]
    fn next(&mut self) -> (u64, Next) {
        let Self { region, requests, arrivals, .. } = self;
        let (due, timeout) = requests.timeouts.first();
        let mut first = (due, Next::Timeout(timeout));
        let step = requests.next_step_at();
        if step < first.0 {
            first = (step, Next::Step);
        }
        if requests.over {
            return first;
        }
        let connection = region.ingress.next_connect_timeout();
        if connection <= first.0 && !matches!(first.1, Next::Timeout(_)) || connection < first.0 {
            first = (connection, Next::Connection);
        }
        let delay = requests.clients.entry_delay;
        let arrival = arrivals.next_sent().map_or(u64::MAX, |at| at.saturating_add(delay));
        if arrival < first.0 { (arrival, Next::Arrival) } else { first }
    }

    #[inline(always)]
    fn dispatch(&mut self, at: u64, next: Next) {
        let Self { cx, region, requests, arrivals, .. } = self;
        // What a server does is rounded to a nanosecond once: the loop may have come to the next.
        debug_assert!(at + 1 >= cx.now.0, "{next:?} at {at} is before {}", cx.now.0);
        cx.now = Instant(at);
        self.dispatched = self.dispatched.wrapping_add(1);
        if self.dispatched.is_multiple_of(DISPATCHED_NOTED) {
            cx.note_held(cx.in_flight.attempts.len());
        }
        match next {
            Next::Timeout(timeout) => {
                let attempt = requests.timeouts.take(timeout);
                requests.meet_timeout(cx, &mut region.cluster.fleet, attempt, timeout, at);
            }
            Next::Connection => requests.end_connection(cx, region),
            Next::Step => self.take_step(),
            Next::Arrival => requests.receive(cx, region, at, arrivals.take()),
        }
        // Seldom has a server done anything by that.
        if !self.cx.in_flight.departures.is_empty() {
            self.settle_rest();
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_rest(&mut self) {
        self.requests.settle(&mut self.cx, &mut self.region.cluster.fleet);
    }

    #[inline(never)]
    fn take_step(&mut self) {
        let Self { cx, region, requests, .. } = self;
        let (Instant(at), step) = requests.pop_step().expect("a step comes next");
        match step {
            Step::UserSends { .. }
            | Step::Again { .. }
            | Step::TriesElsewhere { .. }
            | Step::Reaches { .. }
            | Step::Handshaken { .. }
            | Step::Sweep { .. }
            | Step::Look { .. }
                if requests.over => {}
            Step::UserSends { user } => requests.send_next(cx, region, at, user),
            Step::Again { request } => requests.try_again(cx, region, at, request),
            Step::TriesElsewhere { attempt } => requests.try_elsewhere(cx, region, at, attempt),
            Step::Reaches { attempt } => requests.reach(cx, region, at, attempt),
            Step::Handshaken { attempt } => requests.end_handshake(cx, region, at, attempt),
            Step::Sweep { upstream } => requests.sweep(cx.plan, at, upstream as usize),
            Step::Look { slot } => {
                let fleet = &mut region.cluster.fleet;
                requests.look_at_itself(cx, fleet, at, slot as usize);
            }
            Step::Returns { attempt } => requests.receive_answer(cx, attempt),
            Step::Enters { attempt } => {
                requests.enter_again(cx, &mut region.cluster.fleet, at, attempt);
            }
            Step::HostDone { attempt, host, tries, outages, failed } => {
                let done = (attempt, tries, outages);
                let fleet = &mut region.cluster.fleet;
                requests.end_at_host(cx, fleet, at, done, host as usize, !failed);
            }
            Step::TryOver { attempt, tries } => {
                let fleet = &mut region.cluster.fleet;
                requests.end_patience_of_try(cx, fleet, at, (attempt, tries));
            }
            Step::Due { attempt, timeout, due } => {
                requests.meet_timeout(cx, &mut region.cluster.fleet, attempt, timeout, due);
            }
        }
    }
}
