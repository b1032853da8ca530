//! What a replica does with a request before its own work: its API's policies, one after the other.
//!
//! ```text
//! taken on ─► policy ─► policy ─► … ─► the rest of the work ─► upstream, or the answer
//!               │ cache has it ──────► a part of the work ──► the answer
//!               │ over a limit ──┬───► a part of the work ──► rejected: 429
//!               │                └───► waits, and is looked at again (spike control)
//!               └ storage asked ─────► goes on when it has answered
//! ```
//!
//! A request that a policy ends costs the CPU of the policies up to that one and the stated share
//! of its own; so a rejection is cheap, and a hit spares what comes behind the cache.
//!
//! Assumptions: policies decide at the moment at which the replica takes the request on, not when
//! its CPU gets to them; a cache stores an answer when the replica has it; several requests that
//! miss the same entry all go on. Left out: replicas' CPU for the storage they share.

use super::World;
use super::flow::Step;
use super::open::{AttemptId, Content, OpenAttempt, Then};
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::{Observer, ReplicaId};
use crate::plan::{Api, LimitKey, Plan, Policy, PolicyKind, SpikeQueue};
use crate::policy::cache::Caches;
use crate::policy::limit::{Answer, LimitDecision, Limiter};
use crate::units::{Instant, Span};

/// What a policy remembers.
#[derive(Debug)]
enum Memory {
    Nothing,
    Cache(Box<Caches>),
    Limit(Box<Limiter>),
}

/// What all policies remember.
#[derive(Debug)]
pub(super) struct Policies {
    memory: Vec<Memory>,
    /// Requests that wait in the queue of each policy, by slot.
    waiting: Vec<Vec<u32>>,
    /// Faults that keep the shared storage out of reach.
    pub storage_down: u32,
    /// Slots in which a process is up.
    up: Vec<bool>,
}

impl Policies {
    pub fn new(plan: &Plan) -> Self {
        let around = plan.surroundings.as_ref();
        let slots = plan.slots();
        let clients = around.map_or(1, |around| around.clients.popularity.keys as u32);
        let memory = |policy: &Policy| match &policy.kind {
            PolicyKind::Work => Memory::Nothing,
            PolicyKind::Cache(spec) => Memory::Cache(Box::new(Caches::new(*spec, slots))),
            PolicyKind::Limit { spec, of, .. } => {
                let keys = if *of == LimitKey::Client { clients } else { 1 };
                Memory::Limit(Box::new(Limiter::new(spec, keys, slots)))
            }
        };
        let policies = around.map_or(&[][..], |around| &around.policies);
        Policies {
            memory: policies.iter().map(memory).collect(),
            waiting: vec![vec![0; slots]; policies.len()],
            storage_down: 0,
            up: vec![false; slots],
        }
    }

    fn caches(&mut self) -> impl Iterator<Item = &mut Caches> {
        self.memory.iter_mut().filter_map(|memory| match memory {
            Memory::Cache(caches) => Some(&mut **caches),
            _ => None,
        })
    }

    fn limits(&mut self) -> impl Iterator<Item = &mut Limiter> {
        self.memory.iter_mut().filter_map(|memory| match memory {
            Memory::Limit(limiter) => Some(&mut **limiter),
            _ => None,
        })
    }

    /// A process is up in a slot.
    pub fn join(&mut self, slot: usize) {
        self.up[slot] = true;
        self.caches().for_each(|caches| caches.joined(slot));
    }

    /// The process in a slot is gone at `now`; one that ends in good order hands over.
    pub fn lose(&mut self, now: Instant, slot: usize, in_order: bool) {
        if !std::mem::take(&mut self.up[slot]) {
            return;
        }
        self.caches().for_each(|caches| match in_order {
            true => caches.left(slot),
            false => caches.lost(now, slot),
        });
        self.limits().for_each(|limiter| limiter.lost(slot));
        if !self.up.contains(&true) {
            self.limits().for_each(Limiter::all_lost);
        }
    }
}

/// What comes of a policy's look at a request.
enum Ruling {
    /// It goes on.
    Passes,
    /// It goes on when the storage has answered.
    PassesLater(Span),
    /// It waits and is looked at again.
    Waits(Span),
    /// It ends here.
    Ends(Then),
}

/// What follows the work for an attempt that nothing ends before.
#[inline(always)]
pub(super) fn whole_way(api: &Api) -> Then {
    if api.upstream.is_some() { Then::Upstream } else { Then::Answer }
}

impl<'a, O: Observer> World<'a, O> {
    /// A replica takes an attempt on, or goes on with one that it had put off.
    pub(super) fn take_on(&mut self, at: u64, attempt: AttemptId) {
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        let (own, handshake) = (open.content.demand, open.handshake);
        let Some(whole) = self.api_of(open.content.api).map(whole_way) else { return };
        let (then, cpu) = match self.screen(at, attempt) {
            Some((Then::Upstream, spent)) => (whole, spent + own),
            Some(ended) => ended,
            None => return,
        };
        self.begin_work(at, attempt, handshake + cpu, then);
    }

    #[inline(always)]
    pub(super) fn api_of(&self, number: u32) -> Option<&'a Api> {
        self.plan.surroundings.as_ref()?.apis.get(number as usize)
    }

    /// What a replica finds out about an attempt before it works on it; see [`World::apply`].
    #[inline(never)]
    fn screen(&mut self, at: u64, attempt: AttemptId) -> Option<(Then, f64)> {
        let OpenAttempt { content, replica, .. } = *self.exit.attempts.get(attempt)?;
        let api = &self.plan.surroundings.as_ref()?.apis[content.api as usize];
        if api.contracts && self.is_revoked(replica, content.client) {
            return Some((Then::Reject(Failure::ContractRevoked), 0.0));
        }
        self.apply(at, attempt, content)
    }

    /// Applies the policies that an attempt has not passed yet. Gives what follows and the CPU time
    /// beside or instead of its own; [`Then::Upstream`] stands for the whole way. `None` if it
    /// waits.
    fn apply(&mut self, at: u64, attempt: AttemptId, content: Content) -> Option<(Then, f64)> {
        let around = self.plan.surroundings.as_ref()?;
        let api = &around.apis[content.api as usize];
        let passed = self.exit.attempts.get(attempt)?.passed as usize;
        let mut cpu = 0.0;
        for (place, index) in api.policies.iter().enumerate() {
            let policy = &around.policies[*index];
            cpu += policy.cpu.0 as f64 + policy.cpu_per_kb.0 as f64 * api.payload_kb;
            if place < passed {
                continue;
            }
            match self.rule(at, attempt, content, *index) {
                Ruling::Passes => {}
                Ruling::Ends(then) => return Some((then, cpu + policy.spent.0 * content.demand)),
                Ruling::PassesLater(wait) => {
                    self.put_off(at, attempt, wait, place as u16 + 1);
                    return None;
                }
                Ruling::Waits(wait) => {
                    self.put_off(at, attempt, wait, place as u16);
                    return None;
                }
            }
        }
        Some((Then::Upstream, cpu))
    }

    fn put_off(&mut self, at: u64, attempt: AttemptId, wait: Span, passed: u16) {
        if let Some(open) = self.exit.attempts.get_mut(attempt) {
            open.passed = passed;
            self.flow.schedule(at.saturating_add(wait.0), Step::Enters { attempt });
        }
    }

    /// A replica goes on with an attempt that it had put off.
    pub(super) fn enter_again(&mut self, at: u64, attempt: AttemptId) {
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        if self.replicas[open.replica].hung {
            return;
        }
        self.leave_queue(attempt);
        self.take_on(at, attempt);
    }

    /// What a policy says to an attempt.
    fn rule(&mut self, at: u64, attempt: AttemptId, content: Content, index: usize) -> Ruling {
        let Some(open) = self.exit.attempts.get(attempt) else { return Ruling::Passes };
        let slot = self.replicas[open.replica].slot;
        let born = Instant(content.born);
        match &mut self.policies.memory[index] {
            Memory::Cache(caches) if content.cacheable => {
                let hit = caches.lookup(Instant(at), slot, content.resource);
                self.observer.counted(born, if hit { Count::Hit } else { Count::Miss });
                if hit { Ruling::Ends(Then::Hit) } else { Ruling::Passes }
            }
            Memory::Limit(limiter) => {
                let reachable = self.policies.storage_down == 0;
                let limits_clients = self.plan.limits_clients(index);
                let key = if limits_clients { content.client } else { 0 };
                let answer = limiter.decide(Instant(at), slot, key, reachable);
                let passes = limiter.passes(answer);
                self.note_decision(born, answer, passes);
                self.rule_limit(attempt, index, slot, answer, passes)
            }
            _ => Ruling::Passes,
        }
    }

    fn note_decision(&mut self, born: Instant, answer: Answer, passes: bool) {
        if answer.asked && answer.decision != LimitDecision::Unknown {
            self.observer.counted(born, Count::StorageAsked);
        }
        match answer.decision {
            LimitDecision::Admitted => self.observer.counted(born, Count::Admitted),
            LimitDecision::Unknown if passes => self.observer.counted(born, Count::Unlimited),
            _ => {}
        }
    }

    fn rule_limit(
        &mut self,
        attempt: AttemptId,
        index: usize,
        slot: usize,
        answer: Answer,
        passes: bool,
    ) -> Ruling {
        let Some(around) = &self.plan.surroundings else { return Ruling::Passes };
        let PolicyKind::Limit { queue, storage, .. } = &around.policies[index].kind else {
            return Ruling::Passes;
        };
        if let Some(open) = self.exit.attempts.get_mut(attempt).filter(|_| passes) {
            open.turns = 0; // each policy has turns of its own
        }
        match answer.decision {
            _ if passes && answer.asked && *storage > Span::ZERO => Ruling::PassesLater(*storage),
            _ if passes => Ruling::Passes,
            LimitDecision::Unknown => Ruling::Ends(Then::Reject(Failure::QuotaUnknown)),
            _ => match queue.and_then(|queue| self.enter_queue(attempt, index, slot, queue)) {
                Some(wait) => Ruling::Waits(wait),
                None => Ruling::Ends(Then::Reject(Failure::RateLimited)),
            },
        }
    }

    /// An attempt takes a turn in the queue of a policy, if it may: gives how long.
    fn enter_queue(
        &mut self,
        attempt: AttemptId,
        index: usize,
        slot: usize,
        queue: SpikeQueue,
    ) -> Option<Span> {
        let open = self.exit.attempts.get_mut(attempt)?;
        let waiting = &mut self.policies.waiting[index][slot];
        if u32::from(open.turns) >= queue.attempts || *waiting >= queue.limit {
            return None;
        }
        *waiting += 1;
        open.turns += 1;
        open.queue = Some((index as u16, slot as u16));
        Some(queue.delay)
    }

    /// An attempt leaves the queue of a policy, if it is in one.
    pub(super) fn leave_queue(&mut self, attempt: AttemptId) {
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        if let Some((index, slot)) = open.queue.take() {
            self.policies.waiting[usize::from(index)][usize::from(slot)] -= 1;
        }
    }

    /// A replica has the answer to an attempt: it goes into the caches of its API, if that may be,
    /// and to the ingress.
    #[inline(never)]
    pub(super) fn store_and_answer(&mut self, at: u64, attempt: AttemptId) {
        self.store_answer(at, attempt);
        self.answer(attempt, at);
    }

    fn store_answer(&mut self, at: u64, attempt: AttemptId) {
        let Some(around) = &self.plan.surroundings else { return };
        let open = self.exit.attempts.get(attempt).filter(|open| open.content.cacheable);
        let Some(OpenAttempt { content, replica, .. }) = open else { return };
        let slot = self.replicas[*replica].slot;
        for index in &around.apis[content.api as usize].policies {
            if let Memory::Cache(caches) = &mut self.policies.memory[*index] {
                caches.fill(Instant(at), slot, content.resource);
            }
        }
    }

    /// Whether a replica knows that a client's contract is revoked.
    #[inline(always)]
    fn is_revoked(&self, id: ReplicaId, client: u32) -> bool {
        let revoked = &self.replicas[id].revoked;
        !revoked.is_empty() && revoked.contains(&client)
    }

    /// A process is up.
    pub(super) fn note_up(&mut self, id: ReplicaId) {
        if self.feeds_back() && self.holds_slot(id) {
            self.policies.join(self.replicas[id].slot);
        }
    }

    /// A process ends; the state of its slot goes with it unless another replica has the slot.
    pub(super) fn note_down(&mut self, id: ReplicaId, in_order: bool) {
        let slot = self.replicas[id].slot;
        let taken = self.slots[slot].is_some_and(|other| other != id);
        if self.feeds_back() && !taken {
            self.policies.lose(self.now, slot, in_order);
            self.upstreams.forget(self.plan, slot);
        }
    }
}
