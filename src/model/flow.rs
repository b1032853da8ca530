//! Requests in order of time, where something surrounds the replicas and answers back.
//!
//! ```text
//! arrivals ─┐                                   ┌─► client: outcome, or another attempt ─┐
//! steps ────┼─► the earliest ─► what happens ───┼─► upstream, cache, limit ──────────────┤
//! time-outs ┤        ▲                          └─► replica's server                     │
//! servers ──┘        └───────────────────────────────────────────────────────────────────┘
//! ```
//!
//! What becomes of one request decides when others come and what they meet, so nothing may be
//! worked out ahead: of all that can happen next the earliest happens. Simultaneous happenings are
//! ordered as without surroundings: completions, then time-outs, then connections, steps and new
//! requests, and these after the rare events of the same moment. Without surroundings requests are
//! routed in blocks instead; both ways give the same outcome.

use std::collections::VecDeque;

use slotmap::SlotMap;

use super::World;
use super::open::{AttemptId, Attempts, Limit, Stage, Then, Waiting, WaitingId};
use super::ring::Ring;
use crate::engine::calendar::Calendar;
use crate::engine::digest::Digest;
use crate::observe::ledger::Failure;
use crate::observe::{Observer, ReplicaId, State};
use crate::units::Instant;

/// An attempt that a server has done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    pub attempt: AttemptId,
    pub at: u64,
}

/// Where requests leave replicas: to the observer at once, or to the flow.
#[derive(Clone, Debug, Default)]
pub(super) struct Exit {
    pub digest: Digest,
    /// What servers have done for the flow; `None` = there is no flow.
    pub departures: Option<VecDeque<Departure>>,
    /// The attempts of the flow.
    pub attempts: Attempts,
}

/// Something that happens to a request or an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A user sends the next request.
    UserSends { user: u32 },
    /// A client tries again.
    Again { request: WaitingId },
    /// An attempt reaches the ingress through the network.
    Reaches { attempt: AttemptId },
    /// The handshake of the connection on which an attempt comes is done.
    Shaken { attempt: AttemptId },
    /// An answer reaches its client through the network.
    Returns { attempt: AttemptId, served: u64 },
    /// A replica takes an attempt on that it had put off.
    Enters { attempt: AttemptId },
    /// A host of an upstream is done with an attempt.
    HostDone { attempt: AttemptId, host: u32, tries: u16, outages: u32, failed: bool },
    /// Replicas look at how the hosts of an upstream did.
    Sweep { upstream: u32 },
    /// A time-out that was not entered in order.
    Due { attempt: AttemptId, limit: Limit, due: u64 },
}

/// When the server of a replica has to be looked at.
#[derive(Clone, Copy, Debug)]
struct Wake {
    at: u64,
    replica: ReplicaId,
}

/// What happens next, if it is not a server.
#[derive(Clone, Copy, Debug)]
enum Next {
    Limit(Limit),
    Connection,
    Step,
    Arrival,
}

/// When the first time-out strikes, and which.
#[derive(Clone, Copy, Debug)]
struct FirstLimit(u64, Limit);

impl Default for FirstLimit {
    fn default() -> Self {
        FirstLimit(u64::MAX, Limit::Patience)
    }
}

/// The requests that are under way and what will happen to them.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Requests between two attempts; every other is with its attempt.
    pub waiting: SlotMap<WaitingId, Waiting>,
    pub steps: Calendar<Step>,
    rings: [Ring; Limit::ALL.len()],
    /// The first time-out in the rings, void ones included.
    first_limit: FirstLimit,
    wakes: Vec<Wake>,
    /// The moment that it has come to.
    pub now: u64,
    /// Whether the horizon is past and only work that began is finished.
    pub over: bool,
}

impl Flow {
    /// Puts a step on the calendar.
    pub fn schedule(&mut self, at: u64, step: Step) {
        self.steps.insert(Instant(at), 0, step);
    }

    fn find_first_limit(&mut self) {
        let first = |limit: Limit| (self.rings[limit as usize].first(), limit);
        let soonest = Limit::ALL.map(first).into_iter().min_by_key(|(due, _)| *due);
        self.first_limit = soonest.map_or_else(FirstLimit::default, |(due, l)| FirstLimit(due, l));
    }

    /// Takes out the first time-out of a kind.
    fn take_limit(&mut self, limit: Limit) -> Option<AttemptId> {
        let attempt = self.rings[limit as usize].pop();
        self.find_first_limit();
        attempt
    }

    /// The server that has to be looked at first, by its place in the list.
    #[inline(always)]
    fn next_wake(&self) -> (u64, usize) {
        let mut first = (u64::MAX, 0);
        for (place, wake) in self.wakes.iter().enumerate() {
            if wake.at < first.0 {
                first = (wake.at, place);
            }
        }
        first
    }

    fn wake(&mut self, replica: ReplicaId, at: u64) {
        if let Some(wake) = self.wakes.iter_mut().find(|wake| wake.replica == replica) {
            wake.at = at;
        }
    }
}

impl<O: Observer> World<'_, O> {
    /// An attempt is to meet a time-out at `due`.
    #[inline(always)]
    pub(super) fn limit(&mut self, attempt: AttemptId, limit: Limit, due: u64) {
        let Self { flow, exit, .. } = self;
        if due == u64::MAX {
            return;
        }
        if let Some(open) = exit.attempts.get_mut(attempt) {
            open.due[limit as usize] = due;
        }
        let ring = &mut flow.rings[limit as usize];
        if !ring.push(due, attempt) {
            return flow.schedule(due, Step::Due { attempt, limit, due });
        }
        if due < flow.first_limit.0 {
            flow.first_limit = FirstLimit(due, limit);
        }
        if ring.is_crowded() {
            let holds = |due: u64, attempt: AttemptId| {
                exit.attempts.get(attempt).is_some_and(|open| open.due[limit as usize] == due)
            };
            ring.tidy(holds);
            flow.find_first_limit();
        }
    }

    /// Whether requests feed back.
    #[inline(always)]
    pub(super) fn feeds_back(&self) -> bool {
        self.exit.departures.is_some()
    }

    /// Lets everything happen that happens before `until`; servers and time-outs, until then.
    pub(super) fn flow_until(&mut self, until: u64) {
        self.refresh_wakes();
        loop {
            self.settle();
            let (wake, place) = self.flow.next_wake();
            let (at, next) = self.next_step();
            if wake <= at.min(until) {
                self.work(place, wake);
            } else if at < until || (at == until && matches!(next, Next::Limit(_))) {
                self.happen(at, next);
            } else {
                break;
            }
        }
    }

    /// Finishes the work that began before the horizon; nobody sends anything any more.
    pub(super) fn drain_flow(&mut self) {
        self.flow.over = true;
        self.refresh_wakes();
        loop {
            self.settle();
            let (wake, place) = self.flow.next_wake();
            let (at, next) = self.next_step();
            if wake.min(at) == u64::MAX {
                break;
            } else if wake <= at {
                self.work(place, wake);
            } else {
                self.happen(at, next);
            }
        }
    }

    /// Looks up when each server has to be looked at; a rare event may have changed any.
    fn refresh_wakes(&mut self) {
        let Self { flow, present, replicas, .. } = self;
        flow.wakes.clear();
        let alive = present.iter().filter(|id| replicas[**id].state != State::Terminated);
        let wakes = alive.map(|id| Wake { at: replicas[*id].server.next_change(), replica: *id });
        flow.wakes.extend(wakes);
    }

    /// The server of a replica has changed.
    #[inline(always)]
    pub(super) fn touch(&mut self, replica: ReplicaId) {
        let at = self.replicas[replica].server.next_change();
        self.flow.wake(replica, at);
    }

    #[inline(always)]
    fn work(&mut self, place: usize, at: u64) {
        let id = self.flow.wakes[place].replica;
        let replica = &mut self.replicas[id];
        replica.advance(at, &mut self.exit, self.observer);
        self.flow.wakes[place].at = replica.server.next_change();
        self.flow.now = at;
    }

    /// Handles what servers have done.
    #[inline(always)]
    fn settle(&mut self) {
        while let Some(departure) = self.exit.departures.as_mut().and_then(VecDeque::pop_front) {
            self.leave_server(departure);
        }
    }

    #[inline(always)]
    fn next_step(&mut self) -> (u64, Next) {
        let mut first = (u64::MAX, Next::Arrival);
        if self.flow.first_limit.0 < u64::MAX {
            first = (self.flow.first_limit.0, Next::Limit(self.flow.first_limit.1));
        }
        let step = self.flow.steps.next_at().0;
        if step < first.0 {
            first = (step, Next::Step);
        }
        if self.flow.over {
            return first;
        }
        let connection = self.attempts.front().map_or(u64::MAX, |attempt| attempt.due);
        if connection <= first.0 && !matches!(first.1, Next::Limit(_)) || connection < first.0 {
            first = (connection, Next::Connection);
        }
        let entry = self.clients.entry_delay;
        let arrival = self.arrivals.next_sent().map_or(u64::MAX, |at| at.saturating_add(entry));
        if arrival < first.0 { (arrival, Next::Arrival) } else { first }
    }

    #[inline(always)]
    fn happen(&mut self, at: u64, next: Next) {
        self.flow.now = at;
        match next {
            Next::Limit(limit) => {
                if let Some(attempt) = self.flow.take_limit(limit) {
                    self.meet_limit(attempt, limit, at);
                }
            }
            Next::Connection => self.end_attempt(),
            Next::Step => {
                if let Some((at, step)) = self.flow.steps.pop() {
                    self.take_step(at.0, step);
                }
            }
            Next::Arrival => self.receive(at),
        }
    }

    #[inline(never)]
    fn take_step(&mut self, at: u64, step: Step) {
        self.flow.now = at;
        match step {
            Step::UserSends { .. }
            | Step::Again { .. }
            | Step::Reaches { .. }
            | Step::Shaken { .. }
            | Step::Sweep { .. }
                if self.flow.over => {}
            Step::UserSends { user } => self.send_next(at, user),
            Step::Again { request } => self.try_again(at, request),
            Step::Reaches { attempt } => self.reach(at, attempt),
            Step::Shaken { attempt } => self.end_handshake(at, attempt),
            Step::Returns { attempt, served } => self.receive_answer(attempt, served),
            Step::Enters { attempt } => self.enter_again(at, attempt),
            Step::HostDone { attempt, host, tries, outages, failed } => {
                self.end_at_host(at, (attempt, tries, outages), host as usize, !failed);
            }
            Step::Sweep { upstream } => self.sweep(at, upstream as usize),
            Step::Due { attempt, limit, due } => self.meet_limit(attempt, limit, due),
        }
    }

    /// A time-out strikes, if the attempt is still subject to it.
    #[inline(never)]
    fn meet_limit(&mut self, attempt: AttemptId, limit: Limit, due: u64) {
        let holds = self.exit.attempts.get(attempt);
        if holds.is_none_or(|open| open.due[limit as usize] != due) {
            return;
        }
        match limit {
            Limit::Patience => self.give_up(attempt, due),
            Limit::Read => self.abort(attempt, due, Failure::TimedOut),
            Limit::Upstream => self.time_out_upstream(attempt, due),
        }
    }

    /// A replica takes an attempt on.
    #[inline(never)]
    pub(super) fn enter_replica(
        &mut self,
        at: u64,
        attempt: AttemptId,
        instance: u32,
        id: ReplicaId,
    ) {
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        (open.instance, open.replica, open.arrived) = (instance, id, at);
        open.stage = Stage::Queued;
        let replica = &mut self.replicas[id];
        replica.arrived += 1;
        replica.held += 1;
        if std::mem::take(&mut self.balancer.opened) {
            self.shake_at_replica(attempt);
        }
        if self.clients.may_read_time_out {
            let due = at.saturating_add(self.plan.ingress.read_timeout.0);
            self.limit(attempt, Limit::Read, due);
        }
        self.take_on(at, attempt);
    }

    /// Puts an attempt into its replica's server.
    #[inline(always)]
    pub(super) fn begin_work(&mut self, at: u64, attempt: AttemptId, demand: f64, then: Then) {
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        open.stage = Stage::Cpu(then);
        let (id, instance) = (open.replica, open.instance);
        let replica = &mut self.replicas[id];
        replica.held -= 1;
        replica.serve((at, attempt.name()), demand, instance, &mut self.exit);
        replica.note_peak();
        self.touch(id);
    }

    /// A server is done with an attempt.
    #[inline(always)]
    fn leave_server(&mut self, Departure { attempt, at }: Departure) {
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        match open.stage {
            Stage::Cpu(Then::Answer) => {
                let (content, id) = (open.content, open.replica);
                self.store_answer(at, id, content);
                self.answer(attempt, at);
            }
            Stage::Cpu(Then::Hit) => self.answer(attempt, at),
            Stage::Cpu(Then::Reject(failure)) => self.fail_attempt(attempt, at, failure),
            Stage::Cpu(Then::Upstream) => self.ask_upstream(attempt),
            stage => unreachable!("an attempt in {stage:?} was in a server"),
        }
    }
}
