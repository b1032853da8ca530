//! What a replica does with a request before its own work: its API's policies, one after the other.
//!
//! ```text
//! taken on ─► policy ─► policy ─► … ─► the rest of the work ─► upstream, or the answer
//!               │ cache has it ──────► a part of the work ──► the answer
//!               │ who is it? ────────► a part of the work ──► rejected: 401
//!               │ over a limit ──┬───► a part of the work ──► rejected: 429
//!               │                └───► waits, and is judged again (spike control)
//!               └ storage asked ─────► goes on when it has answered
//! ```
//!
//! A request that a policy ends costs the CPU of the policies up to that one and the stated share
//! of its own; so a rejection is cheap, and a hit spares what comes behind the cache.
//!
//! Assumptions: policies decide at the moment at which the replica takes the request on, not when
//! its CPU gets to them; a cache stores an answer when the replica has it; several requests that
//! miss the same entry all go on; whether a request proves who sends it is drawn for each request,
//! whoever its client is, and the same at every attempt, in every replica and in every variant that
//! is compared and has the same policies before it. Left out: replicas' CPU for the storage they
//! share, keys that are fetched to check tokens.

use super::Requests;
use super::attempt::{Attempt, AttemptId, Content, Stage, Step, Then};
use crate::model::context::Context;
use crate::model::replica::fleet::Fleet;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::{Observer, ReplicaId, Sent};
use crate::plan::{Api, LimitKey, Plan, Policy, PolicyKind, SpikeQueue};
use crate::policy::cache::Caches;
use crate::policy::limit::{Answer, LimitDecision, Limiter};
use crate::random::{Seed, mix};
use crate::units::{Instant, Share, Span};

/// What a policy remembers.
#[derive(Debug)]
enum PolicyMemory {
    Nothing,
    Cache(Box<Caches>),
    Limit(Box<Limiter>),
}

/// What all policies remember.
#[derive(Debug)]
pub(in crate::model) struct Policies {
    memory: Vec<PolicyMemory>,
    /// Requests that wait in the queue of each policy, by slot.
    waiting: Vec<Vec<u32>>,
    /// Faults that keep the shared storage out of reach.
    storage_down: u32,
    /// Slots in which a process is up.
    up: Vec<bool>,
    seed: Seed,
}

impl Policies {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let slots = plan.slots();
        let clients = plan.dependencies.clients.popularity.keys as u32;
        let memory = |policy: &Policy| match &policy.kind {
            PolicyKind::Work | PolicyKind::Authentication { .. } => PolicyMemory::Nothing,
            PolicyKind::Cache(spec) => PolicyMemory::Cache(Box::new(Caches::new(*spec, slots))),
            PolicyKind::Limit { spec, of, .. } => {
                let keys = if *of == LimitKey::Client { clients } else { 1 };
                PolicyMemory::Limit(Box::new(Limiter::new(spec, keys, slots)))
            }
        };
        let policies = &plan.dependencies.policies;
        Policies {
            memory: policies.iter().map(memory).collect(),
            waiting: vec![vec![0; slots]; policies.len()],
            storage_down: 0,
            up: vec![false; slots],
            seed,
        }
    }

    /// Whether a policy that rejects this share rejects the request that was born then. A larger
    /// share rejects the same requests and more.
    fn rejects(&self, policy: usize, share: Share, born: u64) -> bool {
        let drawn = || self.seed.stream("authentication", mix(policy as u64) ^ born).unit();
        share > Share::ZERO && drawn() < share.0
    }

    fn caches(&mut self) -> impl Iterator<Item = &mut Caches> {
        self.memory.iter_mut().filter_map(|memory| match memory {
            PolicyMemory::Cache(caches) => Some(&mut **caches),
            _ => None,
        })
    }

    fn limits(&mut self) -> impl Iterator<Item = &mut Limiter> {
        self.memory.iter_mut().filter_map(|memory| match memory {
            PolicyMemory::Limit(limiter) => Some(&mut **limiter),
            _ => None,
        })
    }

    /// Every cache is emptied at once.
    pub fn purge_caches(&mut self) {
        self.caches().for_each(Caches::purge);
    }

    /// The shared storage goes out of reach.
    pub fn lose_storage(&mut self) {
        self.storage_down += 1;
    }

    /// One of the faults that keep it out of reach is over.
    pub fn restore_storage(&mut self) {
        assert!(self.storage_down > 0, "the storage can be reached");
        self.storage_down -= 1;
    }

    /// A process is up in a slot.
    pub fn join(&mut self, slot: usize) {
        assert!(slot < self.up.len(), "slot {slot} does not exist");
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
    /// It waits and is judged again.
    Waits(Span),
    /// It ends here.
    Ends(Then),
}

/// What follows the work for an attempt that nothing ends before.
#[inline(always)]
pub fn whole_way(api: &Api) -> Then {
    if api.upstream.is_some() { Then::Upstream } else { Then::Answer }
}

impl Requests {
    /// A replica takes an attempt on, or goes on with one that it had put off.
    pub fn take_on(&mut self, cx: &mut Context, fleet: &mut Fleet, at: u64, attempt: AttemptId) {
        let Attempt { content, handshake, .. } = cx.in_flight.attempts[attempt];
        let api = &cx.plan.dependencies.apis[content.api as usize];
        let (own, whole) = (content.demand, whole_way(api));
        let (then, cpu) = match self.screen(cx, fleet, at, attempt) {
            Some((Then::Upstream, spent)) => (whole, spent + own),
            Some(ended) => ended,
            None => return,
        };
        self.begin_work(cx, fleet, at, attempt, handshake + cpu, then);
    }

    /// What a replica finds out about an attempt before it works on it; see [`Requests::apply`].
    #[inline(never)]
    fn screen(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
    ) -> Option<(Then, f64)> {
        let Attempt { content, replica, .. } = cx.in_flight.attempts[attempt];
        let api = &cx.plan.dependencies.apis[content.api as usize];
        if api.contracts && is_revoked(fleet, replica, content.client) {
            return Some((Then::Reject(Failure::ContractRevoked), 0.0));
        }
        self.apply(cx, fleet, at, attempt, content)
    }

    /// Applies the policies that an attempt has not passed yet. Gives what follows and the CPU time
    /// beside or instead of its own; [`Then::Upstream`] stands for the whole way. `None` if it
    /// waits.
    fn apply(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        content: Content,
    ) -> Option<(Then, f64)> {
        let api = &cx.plan.dependencies.apis[content.api as usize];
        let passed = cx.in_flight.attempts[attempt].passed as usize;
        debug_assert!(passed <= api.policies.len(), "an attempt has passed {passed} policies");
        let mut cpu = 0.0;
        for (place, index) in api.policies.iter().enumerate() {
            let policy = &cx.plan.dependencies.policies[*index];
            cpu += policy.cpu.0 as f64 + policy.cpu_per_kb.0 as f64 * api.payload_kb;
            if place < passed {
                continue;
            }
            match self.rule(cx, fleet, at, attempt, content, *index) {
                Ruling::Passes => {}
                Ruling::Ends(then) => return Some((then, cpu + policy.spent.0 * content.demand)),
                Ruling::PassesLater(wait) => {
                    self.put_off(cx, at, attempt, wait, place as u16 + 1);
                    return None;
                }
                Ruling::Waits(wait) => {
                    self.put_off(cx, at, attempt, wait, place as u16);
                    return None;
                }
            }
        }
        Some((Then::Upstream, cpu))
    }

    fn put_off(&mut self, cx: &mut Context, at: u64, attempt: AttemptId, wait: Span, passed: u16) {
        cx.in_flight.attempts[attempt].passed = passed;
        self.schedule(at.saturating_add(wait.0), Step::Enters { attempt });
    }

    /// A replica goes on with an attempt that it had put off.
    pub fn enter_again(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
    ) {
        // Its client may have stopped it meanwhile.
        let Some(waiting) = cx.in_flight.get(attempt) else { return };
        if waiting.stage == Stage::Stranded {
            return; // its replica is gone, and it waits in vain
        }
        debug_assert_eq!(waiting.stage, Stage::Queued, "a replica put off what it had begun");
        if fleet[waiting.replica].hung {
            return; // it keeps what it has and does nothing with it
        }
        self.leave_queue(cx, attempt);
        self.take_on(cx, fleet, at, attempt);
    }

    /// What a policy says to an attempt.
    fn rule(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
        content: Content,
        index: usize,
    ) -> Ruling {
        let slot = fleet[cx.in_flight.attempts[attempt].replica].slot;
        let sent = content.sent();
        match &mut self.policies.memory[index] {
            PolicyMemory::Cache(caches) if content.cacheable => {
                let hit = caches.lookup(Instant(at), slot, content.resource);
                cx.listener.counted(sent, if hit { Count::Hit } else { Count::Miss });
                if hit { Ruling::Ends(Then::Hit) } else { Ruling::Passes }
            }
            PolicyMemory::Limit(limiter) => {
                let reachable = self.policies.storage_down == 0;
                let limits_clients = cx.plan.limits_clients(index);
                let key = if limits_clients { content.client } else { 0 };
                let answer = limiter.decide(Instant(at), slot, key, reachable);
                let passes = limiter.passes(answer);
                self.note_decision(cx, sent, answer, passes);
                self.rule_limit(cx, attempt, index, slot, answer, passes)
            }
            PolicyMemory::Cache(_) => Ruling::Passes,
            PolicyMemory::Nothing => match cx.plan.dependencies.policies[index].kind {
                PolicyKind::Authentication { rejects, .. }
                    if self.policies.rejects(index, rejects, content.born) =>
                {
                    Ruling::Ends(Then::Reject(Failure::Unauthenticated))
                }
                _ => Ruling::Passes,
            },
        }
    }

    fn note_decision(&mut self, cx: &mut Context, sent: Sent, answer: Answer, passes: bool) {
        if answer.asked && answer.decision != LimitDecision::Unknown {
            cx.listener.counted(sent, Count::StorageAsked);
        }
        match answer.decision {
            LimitDecision::Admitted => cx.listener.counted(sent, Count::Admitted),
            LimitDecision::Unknown if passes => cx.listener.counted(sent, Count::Unlimited),
            _ => {}
        }
    }

    fn rule_limit(
        &mut self,
        cx: &mut Context,
        attempt: AttemptId,
        index: usize,
        slot: usize,
        answer: Answer,
        passes: bool,
    ) -> Ruling {
        let PolicyKind::Limit { queue, storage, .. } = &cx.plan.dependencies.policies[index].kind
        else {
            unreachable!("policy {index} remembers a limit and is none");
        };
        if passes {
            cx.in_flight.attempts[attempt].turns = 0; // each policy has turns of its own
        }
        match answer.decision {
            _ if passes && answer.asked && *storage > Span::ZERO => Ruling::PassesLater(*storage),
            _ if passes => Ruling::Passes,
            LimitDecision::Unknown => Ruling::Ends(Then::Reject(Failure::QuotaUnknown)),
            _ => match queue.and_then(|queue| self.enter_queue(cx, attempt, index, slot, queue)) {
                Some(wait) => Ruling::Waits(wait),
                None => Ruling::Ends(Then::Reject(Failure::RateLimited)),
            },
        }
    }

    /// An attempt takes a turn in the queue of a policy, if it may: gives how long.
    fn enter_queue(
        &mut self,
        cx: &mut Context,
        attempt: AttemptId,
        index: usize,
        slot: usize,
        queue: SpikeQueue,
    ) -> Option<Span> {
        let queued = &mut cx.in_flight.attempts[attempt];
        let waiting = &mut self.policies.waiting[index][slot];
        if u32::from(queued.turns) >= queue.attempts || *waiting >= queue.limit {
            return None;
        }
        *waiting += 1;
        debug_assert!(queued.queue.is_none(), "an attempt waits in one queue");
        queued.turns += 1;
        queued.queue = Some((index as u16, slot as u16));
        Some(queue.delay)
    }

    /// An attempt leaves the queue of a policy, if it is in one.
    pub fn leave_queue(&mut self, cx: &mut Context, attempt: AttemptId) {
        if let Some((index, slot)) = cx.in_flight.attempts[attempt].queue.take() {
            let waiting = &mut self.policies.waiting[usize::from(index)][usize::from(slot)];
            debug_assert!(*waiting > 0, "the queue of policy {index} is empty");
            *waiting -= 1;
        }
    }

    /// A replica has the answer to an attempt: it goes into the caches of its API, if that may be,
    /// and to the ingress.
    #[inline(never)]
    pub fn store_and_answer(
        &mut self,
        cx: &mut Context,
        fleet: &mut Fleet,
        at: u64,
        attempt: AttemptId,
    ) {
        self.store_answer(cx, fleet, at, attempt);
        self.answer(cx, fleet, attempt, at);
    }

    fn store_answer(&mut self, cx: &mut Context, fleet: &mut Fleet, at: u64, attempt: AttemptId) {
        let Attempt { content, replica, .. } = cx.in_flight.attempts[attempt];
        if !content.cacheable {
            return;
        }
        let slot = fleet[replica].slot;
        for index in &cx.plan.dependencies.apis[content.api as usize].policies {
            if let PolicyMemory::Cache(caches) = &mut self.policies.memory[*index] {
                caches.fill(Instant(at), slot, content.resource);
            }
        }
    }
}

/// Whether a replica knows that a client's contract is revoked.
#[inline(always)]
fn is_revoked(fleet: &Fleet, id: ReplicaId, client: u32) -> bool {
    let revoked = &fleet[id].revoked;
    !revoked.is_empty() && revoked.contains(&client)
}
