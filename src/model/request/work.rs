//! Attempts in replicas' servers: taken on, put into the CPU, done.

use super::Requests;
use super::attempt::{AttemptId, Departure, Stage, Then, Timeout};
use super::policies::whole_way;
use crate::engine::deadline::due;
use crate::model::context::Context;
use crate::model::region::Region;
use crate::model::replica::fleet::Fleet;
use crate::observe::ledger::Failure;
use crate::observe::{ReplicaId, State};
use crate::plan::{Release, TlsEnd};
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
        let is_odd = replica.lacks_contracts | replica.fails;
        if is_odd && replica.lacks_contracts && self.needs_contracts(cx, attempt) {
            let refused = &mut cx.in_flight.attempts[attempt];
            (refused.instance, refused.replica, refused.arrived) = (instance as u32, id, at);
            if cx.seen.tracks {
                fleet[id].begin_from(instance);
            }
            return self.fail_attempt(cx, fleet, attempt, at, Failure::ContractsMissing);
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
                    let then = Then::Reject(Failure::NewVersion);
                    self.begin_work(cx, fleet, at, attempt, demand, then);
                }
                false => self.take_on(cx, fleet, at, attempt),
            };
        }
        taken.stage = Stage::Cpu(whole_way(api));
        let demand = taken.handshake + taken.content.demand;
        self.push_job(cx, fleet, at, attempt, (id, instance as u32), demand);
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
