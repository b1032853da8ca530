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

use slotmap::SlotMap;

use super::World;
use super::limits::Limits;
use super::open::{AttemptId, Attempts, Limit, Stage, Then, Waiting, WaitingId};
use super::policies::whole_way;
use super::replica::Replica;
use super::wakes::Wakes;
use crate::engine::calendar::Calendar;
use crate::engine::digest::Digest;
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
    /// Whether there is a flow.
    pub feeds_back: bool,
    /// What servers have done for the flow since that was last settled.
    pub departures: Vec<Departure>,
    /// The attempts of the flow.
    pub attempts: Attempts,
}

/// Something that happens to a request or an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A user sends the next request.
    UserSends,
    /// A client tries again.
    Again { request: WaitingId },
    /// An attempt reaches the ingress through the network.
    Reaches { attempt: AttemptId },
    /// The handshake of the connection on which an attempt comes is done.
    Shaken { attempt: AttemptId },
    /// An answer reaches its client through the network.
    Returns { attempt: AttemptId },
    /// A replica takes an attempt on that it had put off.
    Enters { attempt: AttemptId },
    /// A host of an upstream is done with an attempt.
    HostDone { attempt: AttemptId, host: u32, tries: u16, outages: u32, failed: bool },
    /// Replicas look at how the hosts of an upstream did.
    Sweep { upstream: u32 },
    /// A time-out that was not entered in order.
    Due { attempt: AttemptId, limit: Limit, due: u64 },
}

/// What happens next, if it is not a server.
#[derive(Clone, Copy, Debug)]
enum Next {
    Limit(Limit),
    Connection,
    Step,
    Arrival,
}

/// The requests that are under way and what will happen to them.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Requests between two attempts; every other is with its attempt.
    pub waiting: SlotMap<WaitingId, Waiting>,
    pub steps: Calendar<Step>,
    pub limits: Limits,
    wakes: Wakes,
    /// Whether a step or a time-out was entered that may be the next to happen.
    pub stirred: bool,
    /// The moment that it has come to.
    pub now: u64,
    /// Whether the horizon is past and only work that began is finished.
    pub over: bool,
}

impl Flow {
    /// Puts a step on the calendar.
    pub fn schedule(&mut self, at: u64, step: Step) {
        self.steps.insert(Instant(at), 0, step);
        self.stirred = true;
    }
}

impl<O: Observer> World<'_, O> {
    /// Whether requests feed back.
    #[inline(always)]
    pub(super) fn feeds_back(&self) -> bool {
        self.exit.feeds_back
    }

    /// Lets everything happen that happens before `until`; servers and time-outs, until then.
    pub(super) fn flow_until(&mut self, until: u64) {
        self.refresh_wakes();
        self.settle();
        loop {
            let (at, next) = self.next_step();
            if self.work_until(at.min(until)) {
                continue;
            }
            if at < until || (at == until && matches!(next, Next::Limit(_))) {
                self.happen(at, next);
            } else {
                break;
            }
        }
        // Rare events may change any server.
        self.flow.wakes.clear();
    }

    /// Finishes the work that began before the horizon; nobody sends anything any more.
    pub(super) fn drain_flow(&mut self) {
        self.flow.over = true;
        self.flow_until(u64::MAX - 1);
    }

    /// Lets servers work until `until`, but no further than to where something else may come next;
    /// says whether it did.
    #[inline(always)]
    fn work_until(&mut self, until: u64) -> bool {
        self.flow.stirred = false;
        loop {
            let (wake, place) = self.flow.wakes.first();
            if wake > until || self.flow.stirred {
                return self.flow.stirred;
            }
            self.work(place, wake);
        }
    }

    /// Looks up when each server has to be looked at.
    fn refresh_wakes(&mut self) {
        let Self { flow, present, replicas, .. } = self;
        let alive = present.iter().filter(|id| replicas[**id].state != State::Terminated);
        flow.wakes.fill(alive.map(|id| (*id, replicas[*id].server.next_change())));
        for (place, id) in flow.wakes.replicas().iter().enumerate() {
            replicas[*id].wake = place;
        }
    }

    /// The server of a replica has changed.
    #[inline(always)]
    pub(super) fn touch(&mut self, replica: ReplicaId) {
        let Replica { wake, server, .. } = &self.replicas[replica];
        if self.flow.wakes.is_at(*wake, replica) {
            self.flow.wakes.set(*wake, server.next_change());
        }
    }

    #[inline(always)]
    fn work(&mut self, place: usize, at: u64) {
        let replica = self.flow.wakes.replica(place);
        let next = self.replicas[replica].work(at, &mut self.exit);
        self.flow.wakes.set(place, next);
        self.flow.now = at;
        self.settle();
    }

    /// Handles what servers have done.
    #[inline(always)]
    fn settle(&mut self) {
        let mut handled = 0;
        while let Some(departure) = self.exit.departures.get(handled) {
            self.leave_server(*departure);
            handled += 1;
        }
        self.exit.departures.clear();
    }

    #[inline(always)]
    fn next_step(&mut self) -> (u64, Next) {
        let (due, limit) = self.flow.limits.first();
        let mut first = (due, Next::Limit(limit));
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
                if let Some(attempt) = self.flow.limits.take(limit) {
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
        // Seldom has a server done anything by that.
        if !self.exit.departures.is_empty() {
            self.settle_rest();
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_rest(&mut self) {
        self.settle();
    }

    #[inline(never)]
    fn take_step(&mut self, at: u64, step: Step) {
        self.flow.now = at;
        match step {
            Step::UserSends
            | Step::Again { .. }
            | Step::Reaches { .. }
            | Step::Shaken { .. }
            | Step::Sweep { .. }
                if self.flow.over => {}
            Step::UserSends => self.send_next(at),
            Step::Again { request } => self.try_again(at, request),
            Step::Reaches { attempt } => self.reach(at, attempt),
            Step::Shaken { attempt } => self.end_handshake(at, attempt),
            Step::Returns { attempt } => self.receive_answer(attempt),
            Step::Enters { attempt } => self.enter_again(at, attempt),
            Step::HostDone { attempt, host, tries, outages, failed } => {
                self.end_at_host(at, (attempt, tries, outages), host as usize, !failed);
            }
            Step::Sweep { upstream } => self.sweep(at, upstream as usize),
            Step::Due { attempt, limit, due } => self.meet_limit(attempt, limit, due),
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
        if std::mem::take(&mut self.balancer.opened) {
            self.shake_at_replica(attempt);
        }
        if self.clients.may_read_time_out {
            let due = at.saturating_add(self.plan.ingress.read_timeout.0);
            self.limit(attempt, Limit::Read, due);
        }
        let Some(around) = &self.plan.surroundings else { return };
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        let api = &around.apis[open.content.api as usize];
        (open.instance, open.replica, open.arrived) = (instance, id, at);
        open.stage = Stage::Queued;
        let replica = &mut self.replicas[id];
        replica.arrived += 1;
        replica.held += 1;
        if !api.is_plain() {
            return self.take_on(at, attempt);
        }
        open.stage = Stage::Cpu(whole_way(api));
        let demand = open.handshake + open.content.demand;
        self.push_job(at, attempt, (id, instance), demand);
    }

    /// Puts an attempt into its replica's server.
    pub(super) fn begin_work(&mut self, at: u64, attempt: AttemptId, demand: f64, then: Then) {
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        open.stage = Stage::Cpu(then);
        let (id, instance) = (open.replica, open.instance);
        self.push_job(at, attempt, (id, instance), demand);
    }

    /// Puts an attempt into the server of a replica that held it.
    #[inline(always)]
    pub(super) fn push_job(
        &mut self,
        at: u64,
        attempt: AttemptId,
        (id, instance): (ReplicaId, u32),
        demand: f64,
    ) {
        let replica = &mut self.replicas[id];
        let wakes = &mut self.flow.wakes;
        let knows = wakes.is_at(replica.wake, id);
        // A server that has nothing to do before is where it should be, but for its quota.
        if !knows || wakes.time(replica.wake) <= at || replica.server.has_quota() {
            replica.work(at, &mut self.exit);
        }
        replica.server.push(at, attempt.name(), demand, instance);
        replica.held -= 1;
        replica.note_peak();
        if knows {
            wakes.set(replica.wake, replica.server.next_change());
        }
    }

    /// A server is done with an attempt.
    #[inline(always)]
    fn leave_server(&mut self, Departure { attempt, at }: Departure) {
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        match open.stage {
            Stage::Cpu(Then::Answer) if open.content.cacheable => {
                self.store_and_answer(at, attempt);
            }
            Stage::Cpu(Then::Answer) => self.answer(attempt, at),
            Stage::Cpu(Then::Hit) => self.answer(attempt, at),
            Stage::Cpu(Then::Reject(failure)) => self.fail_attempt(attempt, at, failure),
            Stage::Cpu(Then::Upstream) => self.ask_upstream(attempt),
            stage => unreachable!("an attempt in {stage:?} was in a server"),
        }
    }
}
