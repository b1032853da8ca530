//! How attempts end, where something surrounds the replicas.
//!
//! ```text
//! answer at the replica ─ hop, network ─► client: served, or too late and wasted
//! failure, time-out, loss of the replica or of the ingress instance ─► client reacts
//! client gave up before ─► nobody waits: the work is stopped, or goes on and is wasted
//! ```

use super::World;
use super::flow::Step;
use super::open::{AttemptId, Limit, OpenAttempt, Stage};
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::{Observer, ReplicaId, Served};
use crate::units::Instant;

/// An attempt that is answered at `finished`.
#[inline(always)]
fn served(open: &OpenAttempt, finished: u64) -> Served {
    Served {
        sent: Instant(open.content.born),
        arrived: Instant(open.arrived),
        finished: Instant(finished),
        demand: open.content.demand as f32,
        replica: open.replica,
    }
}

impl<O: Observer> World<'_, O> {
    /// A replica has the answer to an attempt and gives it to the ingress at `at`.
    #[inline(always)]
    pub(super) fn answer(&mut self, attempt: AttemptId, at: u64) {
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        let seen = at.saturating_add(self.plan.ingress.hop.0);
        let in_time = open.request.is_some() && open.due[Limit::Patience as usize] > seen;
        if !in_time || self.clients.has_network() {
            return self.return_answer(attempt, seen);
        }
        let answered = served(open, at);
        self.exit.attempts.remove(attempt);
        self.replicas[answered.replica].served += 1;
        self.tell_answered(&answered);
    }

    /// An answer goes through a network, or to a client that gave up or will have by then.
    #[inline(never)]
    fn return_answer(&mut self, attempt: AttemptId, seen: u64) {
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        if open.request.is_none() {
            return self.end_in_vain(attempt);
        }
        self.replicas[open.replica].served += 1;
        // Without a network it stays until its client gives up.
        open.due[Limit::Read as usize] = u64::MAX;
        open.stage = Stage::Returning;
        if self.clients.has_network() {
            let seen = seen + self.clients.network_delay();
            self.flow.schedule(seen, Step::Returns { attempt });
        }
    }

    /// An attempt for which nobody waits any more ends with its answer.
    pub(super) fn end_in_vain(&mut self, attempt: AttemptId) {
        if let Some(open) = self.exit.attempts.remove(attempt) {
            self.observer.counted(Instant(open.content.born), Count::Wasted);
        }
    }

    /// An answer reaches its client through a network.
    pub(super) fn receive_answer(&mut self, attempt: AttemptId) {
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        if open.request.is_none() {
            return self.end_in_vain(attempt);
        }
        // The latency ends when the answer is there, less the hop that every latency has added to
        // it.
        let answered = served(open, self.flow.now - self.plan.ingress.hop.0);
        self.exit.attempts.remove(attempt);
        self.tell_answered(&answered);
    }

    #[inline(always)]
    fn tell_answered(&mut self, answered: &Served) {
        let Served { sent, finished, .. } = *answered;
        self.exit.digest.in_any_order(finished.0, sent.0);
        self.observer.served(answered);
        self.end_request((finished + self.plan.ingress.hop).0);
    }

    /// An attempt fails at `at`; whatever work it had in a replica is over.
    #[inline(never)]
    pub(super) fn fail_attempt(&mut self, attempt: AttemptId, at: u64, failure: Failure) {
        self.leave_queue(attempt);
        let Some(open) = self.exit.attempts.remove(attempt) else { return };
        if open.waits() {
            self.replicas[open.replica].held -= 1;
        }
        if let Some(request) = open.request {
            self.observer.attempt_failed(Instant(open.content.born), failure);
            self.react(open.content, request, at, failure);
        }
    }

    /// An attempt fails at `at` and its work is stopped.
    pub(super) fn abort(&mut self, attempt: AttemptId, at: u64, failure: Failure) {
        self.stop_work(attempt);
        self.fail_attempt(attempt, at, failure);
    }

    /// Stops the work for an attempt, wherever it is.
    pub(super) fn stop_work(&mut self, attempt: AttemptId) {
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        let id = open.replica;
        match open.stage {
            Stage::Cpu(_) => {
                self.replicas[id].cancel(attempt, self.flow.now, &mut self.exit);
                self.touch(id);
            }
            Stage::Upstream(_) | Stage::Pending => self.leave_upstream(attempt),
            _ => {}
        }
    }

    /// Every attempt that a replica has fails with it at this moment.
    pub(super) fn lose_held(&mut self, id: ReplicaId) {
        let held = |open: &OpenAttempt| open.is_held() && open.replica == id;
        self.lose_attempts(held, |stage| !matches!(stage, Stage::Cpu(_)));
    }

    /// Every attempt through an ingress instance fails with it at this moment.
    pub(super) fn lose_through(&mut self, instance: usize) {
        self.handshakes.forget(instance);
        let through = |open: &OpenAttempt| {
            open.instance as usize == instance && open.stage != Stage::Returning
        };
        self.lose_attempts(through, |_| true);
    }

    /// Attempts fail; the work of those in a stage that is `stoppable` is stopped.
    fn lose_attempts(
        &mut self,
        lost: impl Fn(&OpenAttempt) -> bool,
        stoppable: impl Fn(Stage) -> bool,
    ) {
        self.flow.now = self.now.0;
        let attempts = self.exit.attempts.iter().filter(|(_, open)| lost(open));
        // Those that wait go first, or they would get the places that the others leave.
        let works = |open: &OpenAttempt| match open.stage {
            Stage::Pending => 0,
            Stage::Upstream(_) if !open.in_service => 1,
            _ => 2,
        };
        let mut lost: Vec<_> =
            attempts.map(|(id, open)| ((works(open), open.content.born, id), open.stage)).collect();
        lost.sort_unstable_by_key(|(order, _)| *order);
        for ((_, _, attempt), stage) in lost {
            if stoppable(stage) {
                self.stop_work(attempt);
            }
            self.fail_attempt(attempt, self.now.0, Failure::LostInFlight);
        }
    }

    /// The sending times of the requests without an outcome and of those whose attempt has no end.
    pub(super) fn still_open(&self) -> (Vec<Instant>, Vec<Instant>) {
        let waited_for = self.exit.attempts.values().filter(|attempt| attempt.request.is_some());
        let mut attempts: Vec<_> =
            waited_for.map(|attempt| Instant(attempt.content.born)).collect();
        let waiting = self.flow.waiting.values().map(|waiting| Instant(waiting.content.born));
        let mut requests: Vec<_> = waiting.chain(attempts.iter().copied()).collect();
        requests.sort_unstable();
        attempts.sort_unstable();
        (requests, attempts)
    }
}
