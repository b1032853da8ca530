//! The services behind the gateway: what a replica asks when its CPU has done its part.
//!
//! ```text
//! replica ─► admission control ─ too much of what was let through failed ──► refused
//!        └─► circuit breaker ─┬─ no room ──► refused
//!                             └─ room, or a place to wait for it
//!                 ┌─────────────────┘
//!                 ▼
//!       host, in turn ─┬─ down and refuses ─────────────► failed upstream, or tried again
//!                      ├─ has all the connections that it accepts ─► refused, or tried again
//!                      ├─ down and silent ──┐
//!                      └─ a worker is free ─┼─ latency ─► answer, or an error
//!                          │  else waits ───┘    └─ not in time: timed out upstream
//! ```
//!
//! A host works on as many requests at once as it has workers, each for a time drawn from its law
//! (G/G/c, first come first served), or on any number if it has no limit. Each request that it has
//! already can add to that time.
//!
//! A host may accept so many connections over all replicas only, idle ones included
//! (`policy/pool.rs`); and the connections of the circuit breaker may be a number that all replicas
//! share: divided by those of the start for good, or by those that are ready whenever that changes.
//! Then what a replica has under way beyond its new part goes on, and what it keeps idle is closed.
//!
//! Assumptions: every replica has its own turn over the hosts; a replica that stands still passes
//! nothing on; the time-out is for all tries of a replica together (`tries` has that of one).
//! Unless the plan says so, a host goes on with work that nobody waits for any more. Left out:
//! connections and their set-up, HTTP/2 streams.

use crate::model::context::Context;
use crate::model::replica::fleet::Fleet;
use crate::model::request::Requests;
use crate::model::request::attempt::{AttemptId, Stage, Step, Timeout};
use crate::model::upstream::hosts::Upstreams;
use crate::observe::Observer;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::plan::{Divided, Down, Plan};
use crate::policy::breaker::Admission;
use crate::policy::outlier::{Outliers, Response};
use crate::units::Instant;

/// Stands for the host of an attempt for which there is none.
const NOWHERE: usize = u32::MAX as usize;

impl Requests {
    /// The upstream of an attempt's API and the slot of its replica.
    pub(super) fn upstream_of(
        &self,
        cx: &Context,
        fleet: &Fleet,
        attempt: AttemptId,
    ) -> (usize, usize) {
        let asking = &cx.in_flight.attempts[attempt];
        let upstream = cx.plan.dependencies.apis[asking.content.api as usize].upstream;
        (upstream.expect("its API has an upstream"), fleet[asking.replica].slot)
    }

    /// Outlier detection looks at its hosts from the beginning on.
    pub fn begin_sweeps(&mut self, plan: &Plan) {
        for upstream in 0..self.upstreams.views.len() {
            self.await_sweep(plan, 0, upstream);
        }
    }

    fn await_sweep(&mut self, plan: &Plan, at: u64, upstream: usize) {
        if let Some(outliers) = plan.dependencies.upstreams[upstream].outliers {
            let at = at.saturating_add(outliers.interval.0);
            self.schedule(at, Step::Sweep { upstream: upstream as u32 });
        }
    }

    /// Every replica looks at how the hosts of an upstream did.
    pub fn sweep(&mut self, plan: &Plan, at: u64, upstream: usize) {
        let views = self.upstreams.views[upstream].iter_mut();
        views.filter_map(|view| view.outliers.as_mut()).for_each(|o| o.sweep(Instant(at)));
        self.await_sweep(plan, at, upstream);
    }

    /// A replica asks the upstream of an attempt's API.
    #[inline(never)]
    pub fn ask_upstream(&mut self, cx: &mut Context, fleet: &mut Fleet, attempt: AttemptId) {
        let (upstream, slot) = self.upstream_of(cx, fleet, attempt);
        if let Some(gates) = &mut self.upstreams.gates[upstream]
            && !gates.admits(cx.now.0, slot)
        {
            return self.fail_attempt(cx, fleet, attempt, cx.now.0, Failure::NotAdmitted);
        }
        self.begin_try(cx, fleet, attempt, false);
    }

    /// A replica makes a try, beside another that is open or not; one that is `retrying` has its
    /// place among the retries already.
    pub(super) fn begin_try(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        retrying: bool,
    ) {
        let at = cx.now.0;
        let (upstream, slot) = self.upstream_of(cx, fleet, attempt);
        let until = at.saturating_add(cx.plan.dependencies.upstreams[upstream].timeout.0);
        let view = &mut self.upstreams.views[upstream][slot];
        let entry = view.breaker.enter();
        let record = &mut cx.in_flight.attempts[attempt];
        let is_beside = matches!(record.stage, Stage::Upstream(_) | Stage::Pending);
        if let Admission::Refused(_) = entry {
            if retrying {
                view.breaker.leave_retry();
            }
            return match is_beside {
                true => {} // what is open goes on
                false => self.fail_upstream(cx, fleet, attempt, at, Failure::BreakerOpen),
            };
        }
        if is_beside {
            self.upstreams.beside.put_aside(attempt, record);
        } else {
            let replica = &mut fleet[record.replica];
            replica.held += 1;
            replica.note_peak();
        }
        debug_assert!(!record.in_service, "a host works on an attempt that asks");
        (record.stage, record.retrying) = (Stage::Pending, retrying);
        // The time-out is for all tries together.
        let number = record.upstream_tries;
        if number == 0 {
            self.set_timeout(cx, attempt, Timeout::Upstream, until);
        }
        match entry {
            Admission::Pending => {
                self.upstreams.views[upstream][slot].pending.push_back((attempt, number));
            }
            _ => self.go_to_host(cx, fleet, at, attempt),
        }
    }

    /// A try that has a connection goes to the host whose turn it is.
    fn go_to_host(&mut self, cx: &mut Context, fleet: &mut Fleet, at: u64, attempt: AttemptId) {
        let (upstream, slot) = self.upstream_of(cx, fleet, attempt);
        let outliers = self.upstreams.views[upstream][slot].outliers.as_ref();
        let panics = outliers.is_some_and(Outliers::is_panicking);
        let host = self.upstreams.pick(upstream, slot);
        let record = &mut cx.in_flight.attempts[attempt];
        debug_assert_eq!(record.stage, Stage::Pending, "a try goes to one host");
        if panics {
            cx.listener.counted(record.content.sent(), Count::Panic);
        }
        let hung = fleet[record.replica].hung;
        let host = host.filter(|_| !hung);
        record.stage = Stage::Upstream(host.unwrap_or(NOWHERE) as u32);
        record.in_service = false;
        if hung {
            return; // nothing leaves it
        }
        let Some(host) = host else {
            let none = (Failure::UpstreamFailed, false);
            return self.end_try(cx, fleet, at, attempt, none);
        };
        self.await_end_of_try(cx, at, attempt, upstream);
        self.enter_host(cx, fleet, at, attempt, host);
    }

    fn enter_host(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        index: usize,
    ) {
        let upstream = self.upstreams.hosts[index].upstream;
        let workers = cx.plan.dependencies.upstreams[upstream].workers;
        let host = &mut self.upstreams.hosts[index];
        if host.silent > 0 {
            return; // its time-out ends it
        }
        if host.down > 0 {
            return self.fail_at_host(cx, fleet, at, attempt, (index, Failure::UpstreamFailed));
        }
        if !self.connect(cx, fleet, at, attempt, index) {
            return self.fail_at_host(cx, fleet, at, attempt, (index, Failure::UpstreamFull));
        }
        let host = &mut self.upstreams.hosts[index];
        if workers.is_some_and(|workers| host.busy >= workers) {
            let number = self.upstreams.beside.number(attempt, &cx.in_flight.attempts[attempt]);
            return host.waiting.push_back((attempt, number));
        }
        self.begin_at_host(cx, at, attempt, index);
    }

    /// An attempt needs a connection to a host; says whether it has one, or needs none of its own.
    fn connect(
        &mut self,
        cx: &mut Context,
        fleet: &Fleet,
        at: u64,
        attempt: AttemptId,
        index: usize,
    ) -> bool {
        let record = &mut cx.in_flight.attempts[attempt];
        let connected = self.upstreams.connect(Instant(at), fleet[record.replica].slot, index);
        debug_assert!(!record.connected, "an attempt has one connection");
        record.connected = connected == Some(true);
        connected != Some(false)
    }

    /// Replicas became ready, or are so no more: what is divided among them is divided anew.
    pub fn divide_connections(&mut self, cx: &mut Context, fleet: &mut Fleet) {
        for (upstream, spec) in cx.plan.dependencies.upstreams.iter().enumerate() {
            let total = spec.breaker.connections.filter(|_| spec.divided == Divided::ByReady);
            let Some(total) = total else { continue };
            let part = spec.divided.part(total, fleet.count_ready());
            assert!((1..=total.max(1)).contains(&part), "a replica has {part} of {total}");
            for slot in 0..self.upstreams.views[upstream].len() {
                let promoted = self.upstreams.views[upstream][slot].breaker.resize(part);
                self.upstreams.trim(upstream, slot);
                (0..promoted).for_each(|_| self.promote(cx, fleet, upstream, slot));
            }
        }
    }

    fn begin_at_host(&mut self, cx: &mut Context, at: u64, attempt: AttemptId, index: usize) {
        let record = &mut cx.in_flight.attempts[attempt];
        let Upstreams { hosts, latency, errors, beside, .. } = &mut self.upstreams;
        let host = &mut hosts[index];
        let spec = &cx.plan.dependencies.upstreams[host.upstream];
        let (law, stream) = &mut latency[host.upstream];
        let takes = host.takes(spec, law.draw(stream)).round() as u64;
        let failed = spec.errors.0 > 0.0 && errors.unit() < spec.errors.0;
        assert!(host.down == 0 && host.silent == 0, "host {index} is down and begins");
        assert!(spec.workers.is_none_or(|workers| host.busy < workers), "no worker is free");
        assert!(!record.in_service, "a host works on an attempt once");
        host.busy += 1;
        record.in_service = true;
        let done = Step::HostDone {
            attempt,
            host: index as u32,
            tries: beside.number(attempt, record),
            outages: host.outages,
            failed,
        };
        self.schedule(at.saturating_add(takes), done);
    }

    /// A host goes down; what it had begun is lost.
    pub fn take_host_down(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        index: usize,
        down: Down,
    ) {
        let host = &mut self.upstreams.hosts[index];
        host.down += 1;
        host.silent += u32::from(down == Down::Silent);
        host.outages += 1;
        host.busy = 0;
        host.waiting.clear();
        self.upstreams.break_connections(index);
        let here = Stage::Upstream(index as u32);
        let record = cx.in_flight.attempts.iter_mut().filter(|(_, record)| record.stage == here);
        let mut hit: Vec<_> = record
            .map(|(id, record)| {
                (record.in_service, record.connected) = (false, false);
                (record.content.born, id, self.upstreams.beside.number(id, record))
            })
            .collect();
        let others = self.upstreams.beside.break_at(here).into_iter();
        let born = |id: AttemptId| cx.in_flight.attempts[id].content.born;
        hit.extend(others.map(|(id, number)| (born(id), id, number)));
        hit.sort_unstable();
        if down == Down::Refuses {
            for (_, id, number) in hit {
                // It may have been another try of a request that has just failed for good.
                let is_open = self.turn_to(cx, id, number);
                if is_open && cx.in_flight.attempts[id].stage == here {
                    let failed = (index, Failure::UpstreamFailed);
                    self.fail_at_host(cx, fleet, cx.now.0, id, failed);
                }
            }
        }
    }

    /// A host is done with an attempt, and begins with the next.
    pub fn end_at_host(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
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
        let is_open = self.turn_to(cx, attempt, tries);
        let is_wanted = cx
            .in_flight
            .attempts
            .get(attempt)
            .is_some_and(|record| is_open && record.stage == here && record.in_service);
        let cancels = cx.plan.dependencies.upstreams[self.upstreams.hosts[index].upstream].cancels;
        if let Some(record) = cx.in_flight.attempts.get_mut(attempt).filter(|_| is_wanted) {
            record.in_service = false;
            debug_assert_eq!(record.stage, here, "another host has it");
            if std::mem::take(&mut record.connected) {
                self.upstreams.keep(Instant(at), fleet[record.replica].slot, index);
            }
        }
        // Where work can be cancelled, its worker was freed when it was.
        if is_wanted || !cancels {
            self.free_worker(cx, at, index);
        }
        // The next at the host may be another try of the same attempt.
        let is_open = self.turn_to(cx, attempt, tries);
        debug_assert!(is_open || !is_wanted, "a try is over that its host was done with");
        match (is_wanted, ok) {
            (false, _) => {}
            (true, false) => {
                self.fail_at_host(cx, fleet, at, attempt, (index, Failure::UpstreamFailed));
            }
            (true, true) => self.use_answer(cx, fleet, at, attempt, index),
        }
    }

    /// A replica has the answer of a host.
    fn use_answer(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        index: usize,
    ) {
        self.note_response(cx, fleet, at, attempt, index, Response::Fine);
        if self.upstreams.beside.is_ahead(attempt) {
            let sent = cx.in_flight.attempts[attempt].content.sent();
            cx.listener.counted(sent, Count::UpstreamHedgeWon);
        }
        self.leave_upstream(cx, fleet, attempt);
        if self.keep_if_hung(cx, fleet, attempt) {
            return;
        }
        self.note_at_gate_of(cx, fleet, attempt, at, None);
        self.store_and_answer(cx, fleet, at, attempt);
    }

    /// A replica takes note of how a host did; one that stands still does not, nor did it send what
    /// it gives up.
    pub(super) fn note_response(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        index: usize,
        response: Response,
    ) {
        let (upstream, slot) = self.upstream_of(cx, fleet, attempt);
        let record = &cx.in_flight.attempts[attempt];
        if fleet[record.replica].hung {
            return;
        }
        let of = self.upstreams.hosts[index].upstream;
        debug_assert_eq!(of, upstream, "host {index} belongs to another upstream");
        let host = index - self.upstreams.ranges[upstream].0;
        if let Some(outliers) = &mut self.upstreams.views[upstream][slot].outliers {
            outliers.note(Instant(at), host, response);
        }
    }

    pub(super) fn free_worker(&mut self, cx: &mut Context, at: u64, index: usize) {
        let host = &mut self.upstreams.hosts[index];
        assert!(host.busy > 0, "host {index} works on nothing");
        host.busy -= 1;
        let here = Stage::Upstream(index as u32);
        while let Some((next, number)) = self.upstreams.hosts[index].waiting.pop_front() {
            let is_open = self.turn_to(cx, next, number);
            let record = cx.in_flight.get(next).filter(|_| is_open);
            if record.is_some_and(|record| record.stage == here && !record.in_service) {
                return self.begin_at_host(cx, at, next, index);
            }
        }
    }

    /// An attempt waits no longer for its upstream or a connection to it, with none of its tries;
    /// those that wait for a connection get theirs.
    pub fn leave_upstream(&mut self, cx: &mut Context, fleet: &mut Fleet, attempt: AttemptId) {
        let place = self.upstream_of(cx, fleet, attempt);
        let record = &mut cx.in_flight.attempts[attempt];
        let (current, others) = self.upstreams.beside.take_all(attempt, record);
        debug_assert!(fleet[record.replica].held > 0, "its replica holds nothing");
        fleet[record.replica].held -= 1;
        // Those that wait go first, or they would get the places that the others leave.
        let (waiting, at_hosts): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|other| other.stage == Stage::Pending);
        waiting.into_iter().for_each(|other| self.release(cx, fleet, place, other));
        self.release(cx, fleet, place, current);
        at_hosts.into_iter().for_each(|other| self.release(cx, fleet, place, other));
    }

    /// The first that waits for a connection has one. If that ends at once, it makes room for the
    /// next: one after the other, not one within the other.
    pub(super) fn promote(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        upstream: usize,
        slot: usize,
    ) {
        let view = &mut self.upstreams.views[upstream][slot];
        view.owed += 1;
        if view.owed > 1 {
            return;
        }
        while self.upstreams.views[upstream][slot].owed > 0 {
            self.promote_one(cx, fleet, upstream, slot);
            self.upstreams.views[upstream][slot].owed -= 1;
        }
    }

    fn promote_one(&mut self, cx: &mut Context, fleet: &mut Fleet, upstream: usize, slot: usize) {
        let pending =
            |requests: &mut Self| requests.upstreams.views[upstream][slot].pending.pop_front();
        while let Some((next, number)) = pending(self) {
            let is_open = self.turn_to(cx, next, number);
            let record = cx.in_flight.get(next).filter(|_| is_open);
            if record.is_some_and(|record| record.stage == Stage::Pending) {
                return self.go_to_host(cx, fleet, cx.now.0, next);
            }
        }
    }

    /// Keeps an attempt whose replica stands still and passes nothing on; says whether it does.
    pub(super) fn keep_if_hung(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
    ) -> bool {
        let record = &mut cx.in_flight.attempts[attempt];
        let hung = fleet[record.replica].hung;
        if hung {
            record.stage = Stage::Stuck;
            fleet[record.replica].held += 1;
        }
        hung
    }

    /// A host fails an attempt; its replica may try once more.
    fn fail_at_host(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        (index, failure): (usize, Failure),
    ) {
        self.note_response(cx, fleet, at, attempt, index, Response::Error);
        self.end_try(cx, fleet, at, attempt, (failure, true));
    }

    /// A replica fails an attempt that it let through to an upstream.
    pub(super) fn fail_upstream(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
        failure: Failure,
    ) {
        debug_assert_ne!(failure, Failure::NotAdmitted, "what was turned away was let through");
        self.note_at_gate_of(cx, fleet, attempt, at, Some(failure));
        self.fail_attempt(cx, fleet, attempt, at, failure);
    }

    /// A replica sees what came of an attempt that it let through to an upstream.
    fn note_at_gate_of(
        &mut self,
        cx: &Context,
        fleet: &Fleet,
        attempt: AttemptId,
        at: u64,
        failure: Option<Failure>,
    ) {
        let (upstream, slot) = self.upstream_of(cx, fleet, attempt);
        if let Some(gates) = &mut self.upstreams.gates[upstream] {
            gates.note(at, slot, failure);
        }
    }

    /// The upstream did not answer in time.
    pub fn time_out_upstream(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        attempt: AttemptId,
        at: u64,
    ) {
        let Some(record) = cx.in_flight.get(attempt) else { return };
        if !matches!(record.stage, Stage::Upstream(_) | Stage::Pending) {
            return; // there was an answer in time
        }
        for open in self.upstreams.beside.open(attempt, record) {
            if let (Stage::Upstream(host), false) = (open.stage, open.late) {
                self.note_response(cx, fleet, at, attempt, host as usize, Response::GatewayFailure);
            }
        }
        self.leave_upstream(cx, fleet, attempt);
        if !self.keep_if_hung(cx, fleet, attempt) {
            self.fail_upstream(cx, fleet, attempt, at, Failure::UpstreamTimedOut);
        }
    }
}
