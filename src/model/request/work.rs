//! Attempts in replicas' servers: taken on, put into the CPU, done.

use super::Requests;
use super::attempt::{AttemptId, Departure, Stage, Step, Then, Timeout};
use super::policies::whole_way;
use crate::engine::deadline::due;
use crate::model::context::Context;
use crate::model::region::Region;
use crate::model::replica::fleet::Fleet;
use crate::model::replica::process::Replica;
use crate::observe::ledger::Failure;
use crate::observe::{ReplicaId, State};
use crate::plan::{Memory, Release, Slot, TlsEnd};
use crate::random::Seed;
use crate::units::{Instant, Share};

/// Whether a replica of this version fails the request that was born then. A larger share fails the
/// same requests and more.
#[cold]
fn fails(seed: Seed, made: &Release, born: u64) -> bool {
    made.failing > Share::ZERO && seed.stream("failed by a release", born).unit() < made.failing.0
}

impl Requests {
    /// Looks up when the next job of each server will be done.
    pub fn refresh_completions(&mut self, fleet: &mut Fleet) {
        let alive = fleet.present().iter().filter(|id| fleet[**id].state() != State::Terminated);
        self.next_completions.fill(alive.map(|id| (*id, fleet[*id].server.next_change())));
        for (place, id) in self.next_completions.replicas().iter().enumerate() {
            fleet[*id].completion_place = place;
        }
    }

    /// The server of a replica has changed.
    #[inline(always)]
    pub(super) fn touch(&mut self, fleet: &Fleet, id: ReplicaId) {
        let replica = &fleet[id];
        if self.next_completions.is_at(replica.completion_place, id) {
            let next = replica.server.next_change();
            self.next_completions.set(replica.completion_place, next);
        }
    }

    /// The server at a place works until its next job is done, `at`.
    #[inline(always)]
    pub fn work(&mut self, cx: &mut Context, fleet: &mut Fleet, place: usize, at: u64) {
        let replica = self.next_completions.replica(place);
        debug_assert!(at >= cx.now.0, "{replica} is done at {at}, before {}", cx.now.0);
        let next = fleet[replica].work(at, &mut cx.in_flight);
        self.next_completions.set(place, next);
        cx.now.0 = at;
        self.settle(cx, fleet);
    }

    /// Handles what servers are done with.
    #[inline(always)]
    pub fn settle(&mut self, cx: &mut Context, fleet: &mut Fleet) {
        let mut handled = 0;
        while let Some(departure) = cx.in_flight.departures.get(handled) {
            self.leave_server(cx, fleet, *departure);
            handled += 1;
        }
        cx.in_flight.departures.clear();
    }

    #[cold]
    fn needs_contracts(&self, cx: &Context, attempt: AttemptId) -> bool {
        cx.plan.dependencies.apis[cx.in_flight.attempts[attempt].content.api as usize].contracts
    }

    /// A replica takes an attempt on that came through an instance, unless it needs contracts that
    /// this replica lacks.
    #[inline(never)]
    pub(super) fn enter_replica(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        (at, attempt): (u64, AttemptId),
        (instance, id): (usize, ReplicaId),
    ) {
        let (plan, fleet) = (cx.plan, &mut region.cluster.fleet);
        let replica = &fleet[id];
        let is_odd = replica.lacks_contracts | replica.fails | self.managers.is_some();
        if is_odd && replica.lacks_contracts && self.needs_contracts(cx, attempt) {
            return self.refuse(
                cx,
                fleet,
                (at, attempt),
                (instance, id),
                Failure::ContractsMissing,
            );
        }
        if is_odd && self.takes_no_more(fleet, at, id) {
            return self.refuse(cx, fleet, (at, attempt), (instance, id), Failure::Overloaded);
        }
        if let Some(memory) = plan.gateway.memory
            && fleet[id].in_flight() >= memory.holds()
        {
            cx.run_out_of_memory(Instant(at), id, fleet[id].epoch);
        }
        if region.ingress.take_opened()
            && let Some(tls) = plan.dependencies.tls.filter(|tls| tls.at == TlsEnd::Replica)
        {
            let takes = self.handshake(cx, tls, attempt);
            cx.in_flight.attempts[attempt].handshake = takes;
        }
        if self.clients.may_read_time_out {
            // Nobody waits for those who came past the ingress but they themselves.
            if !region.ingress.is_passed_by(instance) {
                let due = due(at, plan.ingress.first_timeout().0);
                let due = due.min(self.retries.until(attempt.into()));
                self.set_timeout(cx, attempt, Timeout::Read, due);
            }
        }
        let taken = &mut cx.in_flight.attempts[attempt];
        let api = &plan.dependencies.apis[taken.content.api as usize];
        (taken.instance, taken.replica, taken.arrived) = (instance as u32, id, at);
        debug_assert_eq!(taken.stage, Stage::UnderWay, "an attempt is with one replica");
        debug_assert!(fleet[id].listens, "nobody listens at replica {id}");
        taken.stage = Stage::Queued;
        let replica = &mut fleet[id];
        replica.arrived += 1;
        replica.held += 1;
        if cx.seen.tracks {
            replica.begin_from(instance);
        }
        let fails = is_odd && fails(cx.seed, &replica.made, taken.content.born);
        if fails | !api.is_plain() {
            return match fails {
                true => {
                    let demand = taken.handshake + taken.content.demand;
                    let then = Then::Reject(Failure::ReplicaError);
                    self.begin_work(cx, fleet, at, attempt, demand, then);
                }
                false => self.take_on(cx, fleet, at, attempt),
            };
        }
        taken.stage = Stage::Cpu(whole_way(api));
        let demand = taken.handshake + taken.content.demand;
        self.push_job(cx, fleet, at, attempt, (id, instance as u32), demand);
    }

    /// A replica refuses an attempt that came through an instance.
    #[cold]
    fn refuse(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        (at, attempt): (u64, AttemptId),
        (instance, id): (usize, ReplicaId),
        failure: Failure,
    ) {
        let refused = &mut cx.in_flight.attempts[attempt];
        debug_assert_eq!(refused.stage, Stage::UnderWay, "what is refused was taken on");
        (refused.instance, refused.replica, refused.arrived) = (instance as u32, id, at);
        if cx.seen.tracks {
            fleet[id].begin_from(instance);
        }
        self.fail_attempt(cx, fleet, attempt, at, failure);
    }

    /// Whether a replica refuses another request.
    #[cold]
    fn takes_no_more(&mut self, fleet: &Fleet, at: u64, id: ReplicaId) -> bool {
        let Some(managers) = &mut self.managers else { return false };
        let Replica { slot, hung, .. } = fleet[id];
        if let Some(at) = managers.first_look(at, slot) {
            self.schedule(at, Step::Look { slot: slot as u32 });
        }
        // One that hangs accepts what comes, and does nothing with it.
        let requests = fleet[id].in_flight();
        !hung && self.managers.as_mut().is_some_and(|managers| managers.refuses(slot, requests))
    }

    /// The overload manager of the replica in a slot looks at it, unless it stands still.
    pub fn look_at_itself(&mut self, cx: &mut Context, fleet: &mut Fleet, at: u64, slot: Slot) {
        let gateway = &cx.plan.gateway;
        let working = fleet.holder(slot).filter(|id| fleet[*id].listens && !fleet[*id].hung);
        let next = match working {
            Some(id) => {
                fleet[id].work(at, &mut cx.in_flight);
                self.touch(fleet, id);
                let held = |memory: Memory| {
                    let used = memory.used(fleet[id].in_flight() as u64);
                    used.0 as f64 / memory.limit.0.max(1) as f64
                };
                let cpu = (fleet[id].used(Instant(at)), gateway.cores.0);
                let memory = gateway.memory.map_or(0.0, held);
                self.managers.as_mut().map(|managers| managers.look(at, slot, memory, cpu))
            }
            None => self.managers.as_ref().map(|managers| managers.next_look(at)),
        };
        if let Some(next) = next {
            self.schedule(next, Step::Look { slot: slot as u32 });
        }
    }

    /// Puts an attempt into its replica's server.
    pub(super) fn begin_work(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        demand: f64,
        then: Then,
    ) {
        let worked_on = &mut cx.in_flight.attempts[attempt];
        worked_on.stage = Stage::Cpu(then);
        let (id, instance) = (worked_on.replica, worked_on.instance);
        self.push_job(cx, fleet, at, attempt, (id, instance), demand);
    }

    /// Puts an attempt into the server of a replica that held it.
    #[inline(always)]
    fn push_job(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        (id, instance): (ReplicaId, u32),
        demand: f64,
    ) {
        let replica = &mut fleet[id];
        let next = &mut self.next_completions;
        let place = replica.completion_place;
        let knows = next.is_at(place, id);
        // A server that has nothing to do before is where it should be, but for its quota.
        if !knows || next.time(place) <= at || replica.server.has_quota() {
            replica.work(at, &mut cx.in_flight);
        }
        debug_assert!(demand >= 0.0 && demand.is_finite(), "a demand of {demand}");
        replica.server.push(at, attempt.into(), demand * replica.made.work, instance);
        debug_assert!(replica.held > 0, "{} holds nothing", replica.name);
        replica.held -= 1;
        replica.note_peak();
        if knows {
            next.set(place, replica.server.next_change());
        }
    }

    /// A server is done with an attempt.
    #[inline(always)]
    fn leave_server(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        Departure { attempt, at }: Departure,
    ) {
        // It may have been stopped, or lost, at the moment at which it was done.
        let Some(done) = cx.in_flight.get(attempt) else { return };
        match done.stage {
            Stage::Cpu(Then::Answer) if done.content.cacheable => {
                self.store_and_answer(cx, fleet, at, attempt);
            }
            Stage::Cpu(Then::Answer | Then::Hit) => self.answer(cx, fleet, attempt, at),
            Stage::Cpu(Then::Reject(failure)) => self.fail_attempt(cx, fleet, attempt, at, failure),
            Stage::Cpu(Then::Upstream) => self.ask_upstream(cx, fleet, attempt),
            stage => unreachable!("an attempt in {stage:?} was in a server"),
        }
    }
}
