//! The services behind the gateway: what a replica asks when its CPU has done its part.
//!
//! ```text
//! replica ─► circuit breaker ─┬─ no room ──► refused
//!                             └─ room, or a place to wait for it
//!                 ┌─────────────────┘
//!                 ▼
//!       host, in turn ─┬─ down and refuses ─────────────► failed upstream, or tried again
//!                      ├─ down and silent ──┐
//!                      └─ a worker is free ─┼─ latency ─► answer, or an error
//!                          │  else waits ───┘    └─ not in time: timed out upstream
//! ```
//!
//! A host works on as many requests at once as it has workers, each for a time drawn from its law
//! (G/G/c, first come first served), or on any number if it has no limit. Each request that it has
//! already can add to that time.
//!
//! Assumptions: every replica has its own turn over the hosts; a replica that stands still passes
//! nothing on; the time-out is for all tries of a replica together. Unless the plan says so, a host
//! goes on with work that nobody waits for any more. Left out: connections and their set-up,
//! HTTP/2 streams.

use super::World;
use super::flow::Step;
use super::hosts::Upstreams;
use super::open::{AttemptId, Limit, Stage};
use crate::observe::Observer;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::plan::{Down, Upstream as Spec};
use crate::policy::breaker::Admission;
use crate::policy::outlier::{Outliers, Response};
use crate::units::Instant;

/// Stands for the host of an attempt for which there is none.
const NOWHERE: usize = u32::MAX as usize;

impl<O: Observer> World<'_, O> {
    /// The upstream of an attempt's API and the slot of its replica.
    fn upstream_of(&self, attempt: AttemptId) -> Option<(usize, usize)> {
        let open = self.exit.attempts.get(attempt)?;
        let api = &self.plan.surroundings.as_ref()?.apis[open.content.api as usize];
        Some((api.upstream?, self.replicas[open.replica].slot))
    }

    fn upstream_spec(&self, upstream: usize) -> &Spec {
        // An attempt can be at an upstream only in surroundings that have it.
        &self.plan.surroundings.as_ref().expect("there are surroundings").upstreams[upstream]
    }

    /// Outlier detection looks at its hosts from the beginning on.
    pub(super) fn begin_sweeps(&mut self) {
        for upstream in 0..self.upstreams.views.len() {
            self.await_sweep(0, upstream);
        }
    }

    fn await_sweep(&mut self, at: u64, upstream: usize) {
        if let Some(outliers) = self.upstream_spec(upstream).outliers {
            let at = at.saturating_add(outliers.interval.0);
            self.flow.schedule(at, Step::Sweep { upstream: upstream as u32 });
        }
    }

    /// Every replica looks at how the hosts of an upstream did.
    pub(super) fn sweep(&mut self, at: u64, upstream: usize) {
        let views = self.upstreams.views[upstream].iter_mut();
        views.filter_map(|view| view.outliers.as_mut()).for_each(|o| o.sweep(Instant(at)));
        self.await_sweep(at, upstream);
    }

    /// A replica asks the upstream of an attempt's API.
    #[inline(never)]
    pub(super) fn ask_upstream(&mut self, attempt: AttemptId) {
        let at = self.flow.now;
        let Some((upstream, slot)) = self.upstream_of(attempt) else { return };
        let until = at.saturating_add(self.upstream_spec(upstream).timeout.0);
        let view = &mut self.upstreams.views[upstream][slot];
        let entry = view.breaker.enter();
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        if let Admission::Refused(_) = entry {
            if std::mem::take(&mut open.retrying) {
                view.breaker.leave_retry();
            }
            return self.fail_attempt(attempt, at, Failure::BreakerOpen);
        }
        open.stage = Stage::Pending;
        let replica = &mut self.replicas[open.replica];
        replica.held += 1;
        replica.note_peak();
        // The time-out is for all tries together.
        if open.upstream_tries == 0 {
            self.limit(attempt, Limit::Upstream, until);
        }
        match entry {
            Admission::Pending => self.upstreams.views[upstream][slot].pending.push_back(attempt),
            _ => self.go_to_host(at, attempt),
        }
    }

    /// An attempt that has a connection goes to the host whose turn it is.
    fn go_to_host(&mut self, at: u64, attempt: AttemptId) {
        let Some((upstream, slot)) = self.upstream_of(attempt) else { return };
        let outliers = self.upstreams.views[upstream][slot].outliers.as_ref();
        let panics = outliers.is_some_and(Outliers::is_panicking);
        let host = self.upstreams.pick(upstream, slot);
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        if panics {
            self.observer.counted(Instant(open.content.born), Count::Panic);
        }
        let hung = self.replicas[open.replica].hung;
        let host = host.filter(|_| !hung);
        open.stage = Stage::Upstream(host.unwrap_or(NOWHERE) as u32);
        open.in_service = false;
        if hung {
            return; // nothing leaves it
        }
        let Some(host) = host else {
            self.leave_upstream(attempt);
            return self.fail_attempt(attempt, at, Failure::UpstreamFailed);
        };
        self.enter_host(at, attempt, host);
    }

    fn enter_host(&mut self, at: u64, attempt: AttemptId, index: usize) {
        let upstream = self.upstreams.hosts[index].upstream;
        let workers = self.upstream_spec(upstream).workers;
        let host = &mut self.upstreams.hosts[index];
        if host.silent > 0 {
            return; // its time-out ends it
        }
        if host.down > 0 {
            return self.fail_at_host(at, attempt, index);
        }
        if workers.is_some_and(|workers| host.busy >= workers) {
            return host.waiting.push_back(attempt);
        }
        self.begin_at_host(at, attempt, index);
    }

    fn begin_at_host(&mut self, at: u64, attempt: AttemptId, index: usize) {
        let Some(around) = &self.plan.surroundings else { return };
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        let Upstreams { hosts, latency, errors, .. } = &mut self.upstreams;
        let host = &mut hosts[index];
        let spec = &around.upstreams[host.upstream];
        let (law, stream) = &mut latency[host.upstream];
        let crowd = spec.per_request.0 as f64 * host.busy as f64;
        let factor = host.slow.iter().map(|(_, factor)| *factor).fold(1.0, f64::max);
        let takes = ((law.draw(stream) + crowd) * factor).round() as u64;
        let failed = spec.errors.0 > 0.0 && errors.unit() < spec.errors.0;
        host.busy += 1;
        open.in_service = true;
        let done = Step::HostDone {
            attempt,
            host: index as u32,
            tries: open.upstream_tries,
            outages: host.outages,
            failed,
        };
        self.flow.schedule(at.saturating_add(takes), done);
    }

    /// A host goes down; what it had begun is lost.
    pub(super) fn take_host_down(&mut self, index: usize, down: Down) {
        self.flow.now = self.now.0;
        let host = &mut self.upstreams.hosts[index];
        host.down += 1;
        host.silent += u32::from(down == Down::Silent);
        host.outages += 1;
        host.busy = 0;
        host.waiting.clear();
        let here = Stage::Upstream(index as u32);
        let open = self.exit.attempts.iter_mut().filter(|(_, open)| open.stage == here);
        let mut hit: Vec<_> = open
            .map(|(id, open)| {
                open.in_service = false;
                (open.content.born, id)
            })
            .collect();
        hit.sort_unstable();
        if down == Down::Refuses {
            hit.into_iter().for_each(|(_, id)| self.fail_at_host(self.now.0, id, index));
        }
    }

    /// A host is done with an attempt, and begins with the next.
    pub(super) fn end_at_host(
        &mut self,
        at: u64,
        done: (AttemptId, u16, u32),
        index: usize,
        ok: bool,
    ) {
        let (attempt, tries, outages) = done;
        if self.upstreams.hosts[index].outages != outages {
            return;
        }
        let here = Stage::Upstream(index as u32);
        let is_wanted = self.exit.attempts.get(attempt).is_some_and(|open| {
            open.stage == here && open.upstream_tries == tries && open.in_service
        });
        let cancels = self.upstream_spec(self.upstreams.hosts[index].upstream).cancels;
        if let Some(open) = self.exit.attempts.get_mut(attempt).filter(|_| is_wanted) {
            open.in_service = false;
        }
        // Where work can be cancelled, its worker was freed when it was.
        if is_wanted || !cancels {
            self.free_worker(at, index);
        }
        match (is_wanted, ok) {
            (false, _) => {}
            (true, false) => self.fail_at_host(at, attempt, index),
            (true, true) => self.use_answer(at, attempt, index),
        }
    }

    /// A replica has the answer of a host.
    fn use_answer(&mut self, at: u64, attempt: AttemptId, index: usize) {
        self.note_response(at, attempt, index, Response::Fine);
        self.leave_upstream(attempt);
        if self.keep_if_hung(attempt) {
            return;
        }
        self.store_and_answer(at, attempt);
    }

    /// A replica takes note of how a host did; one that stands still does not, nor did it send what
    /// it gives up.
    fn note_response(&mut self, at: u64, attempt: AttemptId, index: usize, response: Response) {
        let Some((upstream, slot)) = self.upstream_of(attempt) else { return };
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        if self.replicas[open.replica].hung {
            return;
        }
        let host = index - self.upstreams.ranges[upstream].0;
        if let Some(outliers) = &mut self.upstreams.views[upstream][slot].outliers {
            outliers.note(Instant(at), host, response);
        }
    }

    fn free_worker(&mut self, at: u64, index: usize) {
        let host = &mut self.upstreams.hosts[index];
        host.busy = host.busy.saturating_sub(1);
        let here = Stage::Upstream(index as u32);
        while let Some(next) = self.upstreams.hosts[index].waiting.pop_front() {
            let open = self.exit.attempts.get(next);
            if open.is_some_and(|open| open.stage == here && !open.in_service) {
                return self.begin_at_host(at, next, index);
            }
        }
    }

    /// An attempt waits no longer for its upstream or a connection to it; one that waits for a
    /// connection gets its own.
    pub(super) fn leave_upstream(&mut self, attempt: AttemptId) {
        let Some((upstream, slot)) = self.upstream_of(attempt) else { return };
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        let (stage, was_in_service) = (open.stage, open.in_service);
        (open.stage, open.in_service) = (Stage::UnderWay, false);
        let retried = std::mem::take(&mut open.retrying);
        self.replicas[open.replica].held -= 1;
        let view = &mut self.upstreams.views[upstream][slot];
        if retried {
            view.breaker.leave_retry();
        }
        let promotes = view.breaker.leave(matches!(stage, Stage::Upstream(_)));
        if let Stage::Upstream(host) = stage
            && was_in_service
            && self.upstream_spec(upstream).cancels
        {
            self.free_worker(self.flow.now, host as usize);
        }
        if promotes {
            self.promote(upstream, slot);
        }
    }

    /// The first that waits for a connection has one. If that ends at once, it makes room for the
    /// next: one after the other, not one within the other.
    fn promote(&mut self, upstream: usize, slot: usize) {
        let view = &mut self.upstreams.views[upstream][slot];
        view.owed += 1;
        if view.owed > 1 {
            return;
        }
        while self.upstreams.views[upstream][slot].owed > 0 {
            self.promote_one(upstream, slot);
            self.upstreams.views[upstream][slot].owed -= 1;
        }
    }

    fn promote_one(&mut self, upstream: usize, slot: usize) {
        while let Some(next) = self.upstreams.views[upstream][slot].pending.pop_front() {
            let open = self.exit.attempts.get(next);
            if open.is_some_and(|open| open.stage == Stage::Pending) {
                return self.go_to_host(self.flow.now, next);
            }
        }
    }

    /// Keeps an attempt whose replica stands still and passes nothing on; says whether it does.
    fn keep_if_hung(&mut self, attempt: AttemptId) -> bool {
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return false };
        let hung = self.replicas[open.replica].hung;
        if hung {
            open.stage = Stage::Stuck;
            self.replicas[open.replica].held += 1;
        }
        hung
    }

    /// A host fails an attempt; its replica may try once more.
    fn fail_at_host(&mut self, at: u64, attempt: AttemptId, index: usize) {
        self.note_response(at, attempt, index, Response::Error);
        self.leave_upstream(attempt);
        if self.keep_if_hung(attempt) {
            return;
        }
        let Some((upstream, slot)) = self.upstream_of(attempt) else { return };
        let retries = self.upstream_spec(upstream).retries;
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        let breaker = &mut self.upstreams.views[upstream][slot].breaker;
        if u32::from(open.upstream_tries) < retries && !self.flow.over && breaker.enter_retry() {
            open.upstream_tries += 1;
            open.retrying = true;
            self.observer.counted(Instant(open.content.born), Count::UpstreamRetry);
            return self.ask_upstream(attempt);
        }
        self.fail_attempt(attempt, at, Failure::UpstreamFailed);
    }

    /// The upstream did not answer in time.
    pub(super) fn time_out_upstream(&mut self, attempt: AttemptId, at: u64) {
        match self.exit.attempts.get(attempt).map(|open| open.stage) {
            Some(Stage::Upstream(host)) => {
                self.note_response(at, attempt, host as usize, Response::GatewayFailure);
            }
            Some(Stage::Pending) => {}
            _ => return, // there was an answer in time
        }
        self.leave_upstream(attempt);
        if !self.keep_if_hung(attempt) {
            self.fail_attempt(attempt, at, Failure::UpstreamTimedOut);
        }
    }
}
