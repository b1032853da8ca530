//! Clients that react: who sends, how long they wait, and what they do when an answer does not
//! come.
//!
//! ```text
//! traffic, or a user who has thought ─► request ─► attempt ─┬─ answered ──────────► outcome ─┐
//!                                         ▲                 └─ failed, given up ┬─► outcome ─┤
//!                                         └──── back-off ◄── tries, tokens left ┘            │
//! user thinks ◄──────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The latency of a request runs from its first sending to its final answer, whatever attempts that
//! took. Patience is counted for each attempt from its sending.
//!
//! Assumptions: a client learns of a failure at the moment at which it happens; it has any number
//! of requests under way. Rejections by a limit (429) are tried again only if the plan says so;
//! what a revoked contract refuses (401) never is. A retry budget is filled by requests, and full
//! at the start. Which client sends a request is drawn for each, in closed loops and sessions too:
//! users are nobody in particular. Left out: hedged requests, `Retry-After`.

use super::World;
use super::flow::Step;
use super::handshake::Met;
use super::open::{AttemptId, Content, Limit, OpenAttempt, OpenRequest, Stage, Waiting, WaitingId};
use super::routing::note_failure;
use super::traffic::Request;
use crate::observe::Observer;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::plan::{Clients as Spec, Jitter, Plan, Popularity, Population, Retry};
use crate::random::{Law, Sampler, Seed, Stream, Weighted};
use crate::units::{Instant, Span};

/// What is known of one client.
#[derive(Clone, Copy, Debug)]
struct Client {
    /// Tokens of its retry budget.
    tokens: f64,
    /// Attempts it made and how many of these failed.
    attempts: u64,
    failed: u64,
}

/// One API as requests are drawn for it.
#[derive(Debug)]
struct ApiLuck {
    demand: Option<(Sampler, Stream)>,
    resources: Option<Weighted>,
    resource: Stream,
    /// The number of its first resource among those of all APIs.
    first_resource: u32,
}

/// The clients and their luck.
#[derive(Debug)]
pub(super) struct Clients {
    /// From the moment at which an arrival is handled to its reaching the ingress: all of the
    /// constant delay, or nothing if a network comes in between.
    pub entry_delay: u64,
    /// Whether the ingress may give up on a replica before a client, who would end the work, gives
    /// up on both.
    pub may_read_time_out: bool,
    clients: Vec<Client>,
    popularity: Option<Weighted>,
    apis: Vec<ApiLuck>,
    weights: Option<Weighted>,
    network: Option<(Sampler, Stream)>,
    demand: (Sampler, Stream),
    which_client: Stream,
    which_api: Stream,
    cacheable: Stream,
    backoff: Stream,
    thinking: Stream,
    session: Stream,
    /// When the next request can be sent at the earliest.
    free: u64,
}

/// How keys are drawn; `None` if there is only one.
pub(super) fn weighted(popularity: &Popularity) -> Option<Weighted> {
    let weight = |key: usize| ((key + 1) as f64).powf(-popularity.zipf);
    (popularity.keys > 1).then(|| Weighted::new((0..popularity.keys).map(weight).collect()))
}

impl Clients {
    /// The clients of a plan; a single one that never reacts if it says nothing of them.
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let around = plan.surroundings.as_ref();
        let spec = around.map(|around| &around.clients);
        let keys = spec.map_or(&Popularity::ONE, |spec| &spec.popularity);
        let tokens = spec.and_then(budget).map_or(0.0, |budget| budget.size);
        let network = spec.and_then(|spec| spec.network.as_ref());
        let closed = spec.is_some_and(|spec| matches!(spec.population, Population::Closed { .. }));
        let apis = around.map_or(&[][..], |around| &around.apis);
        let mut first_resource = 0;
        let luck = |(index, api): (usize, &crate::plan::Api)| {
            let first = first_resource;
            first_resource += api.resources.keys as u32;
            let demand = api.demand.as_ref();
            ApiLuck {
                demand: demand
                    .map(|law| (law.sampler(), seed.stream("demand of API", index as u64))),
                resources: weighted(&api.resources),
                resource: seed.stream("resource", index as u64),
                first_resource: first,
            }
        };
        let weights: Vec<f64> = apis.iter().map(|api| api.weight).collect();
        Clients {
            entry_delay: if network.is_some() { 0 } else { plan.ingress.delay.0 },
            may_read_time_out: spec.is_none_or(|spec| {
                let patience = spec.patience.filter(|_| spec.cancels).unwrap_or(Span::MAX);
                plan.ingress.read_timeout <= patience
            }),
            clients: vec![Client { tokens, attempts: 0, failed: 0 }; keys.keys],
            popularity: weighted(keys),
            apis: apis.iter().enumerate().map(luck).collect(),
            weights: (weights.len() > 1).then(|| Weighted::new(weights)),
            network: network.map(|law| (law.sampler(), seed.stream("network", 0))),
            demand: (plan.gateway.demand.sampler(), seed.stream("demand", u64::from(!closed))),
            which_client: seed.stream("client", 0),
            which_api: seed.stream("api", 0),
            cacheable: seed.stream("cacheable", 0),
            backoff: seed.stream("back-off", 0),
            thinking: seed.stream("thinking", 0),
            session: seed.stream("session", 0),
            free: 0,
        }
    }

    /// Whether a network lies between clients and ingress.
    #[inline(always)]
    pub fn has_network(&self) -> bool {
        self.network.is_some()
    }

    /// How long the network takes one way.
    pub fn network_delay(&mut self) -> u64 {
        self.network.as_mut().map_or(0, |(law, stream)| law.draw(stream).round() as u64)
    }

    fn think(&mut self, law: &Law) -> u64 {
        law.draw(&mut self.thinking).0
    }

    /// A request that is sent at `sent`, or just after it if another one is.
    #[inline(always)]
    fn draw(&mut self, request: Request, around: &[crate::plan::Api]) -> Content {
        let Request { sent, demand, api, .. } = request;
        let born = sent.max(self.free);
        self.free = born + 1;
        let client = self.popularity.as_ref().map_or(0, |keys| keys.draw(&mut self.which_client));
        let drawn = self.weights.as_ref().map_or(0, |keys| keys.draw(&mut self.which_api));
        let api = api.map_or(drawn, |api| api as usize);
        let (luck, spec) = (&mut self.apis[api], &around[api]);
        let demand = luck.demand.as_mut().map_or(demand, |(law, stream)| law.draw(stream));
        let resource = luck.resources.as_ref().map_or(0, |keys| keys.draw(&mut luck.resource));
        let resource = luck.first_resource + resource as u32;
        let cacheable = match spec.cacheable.0 {
            never if never <= 0.0 => false,
            always if always >= 1.0 => true,
            share => self.cacheable.unit() < share,
        };
        let (client, api) = (client as u32, api as u32);
        Content { born, demand, client, api, resource, cacheable }
    }
}

fn budget(spec: &Spec) -> Option<&crate::plan::RetryBudget> {
    spec.retry.as_ref()?.budget.as_ref()
}

/// The wait before the k-th further attempt, from k = 1.
fn backoff(retry: &Retry, further: u32, stream: &mut Stream) -> Span {
    let backoff = &retry.backoff;
    let grown = backoff.first.0 as f64 * backoff.factor.powi(further as i32 - 1);
    let wait = grown.min(backoff.limit.0 as f64);
    let scattered = match backoff.jitter {
        Jitter::None => wait,
        Jitter::Half => wait * (0.5 + 0.5 * stream.unit()),
        Jitter::Full => wait * stream.unit(),
    };
    Span(scattered.round() as u64)
}

/// An attempt as the ingress sees it.
#[inline(always)]
fn as_request(attempt: AttemptId, content: &Content, request: Option<&OpenRequest>) -> Request {
    let slot = request.and_then(|request| request.slot).map(|slot| slot as usize);
    Request { sent: attempt.name(), demand: content.demand, slot, api: None }
}

impl<'a, O: Observer> World<'a, O> {
    #[inline(always)]
    fn spec(&self) -> &'a Spec {
        // A flow exists only in surroundings.
        &self.plan.surroundings.as_ref().expect("there are surroundings").clients
    }

    /// The users of a closed population begin to think, or the flow of an open one is ready.
    pub(super) fn begin_clients(&mut self) {
        let Some(around) = &self.plan.surroundings else { return };
        if let Population::Closed { users, think } = &around.clients.population {
            for _ in 0..*users {
                let at = self.clients.think(think) + self.clients.entry_delay;
                self.flow.schedule(at, Step::UserSends);
            }
        }
    }

    /// A request of the traffic is handled at `at`.
    #[inline(always)]
    pub(super) fn receive(&mut self, at: u64) {
        let request = self.arrivals.take();
        self.begin_request(at, request);
    }

    /// A user has thought and sends a request, handled at `at`.
    pub(super) fn send_next(&mut self, at: u64) {
        let (law, stream) = &mut self.clients.demand;
        let demand = law.draw(stream);
        let request = Request { sent: at, demand, slot: None, api: None };
        self.begin_request(at, request);
    }

    #[inline(always)]
    fn begin_request(&mut self, at: u64, request: Request) {
        let request = Request { sent: at - self.clients.entry_delay, ..request };
        let apis = self.plan.surroundings.as_ref().map_or(&[][..], |around| &around.apis);
        let content = self.clients.draw(request, apis);
        self.offered += 1;
        self.observer.offered(Instant(content.born));
        if let Some(budget) = budget(self.spec()) {
            let (per_request, size) = (budget.per_request, budget.size);
            let client = &mut self.clients.clients[content.client as usize];
            client.tokens = (client.tokens + per_request).min(size);
        }
        let slot = request.slot.map(|slot| slot as u32);
        self.begin_attempt(at, content, OpenRequest { slot, tries: 0 });
    }

    /// A client tries again.
    pub(super) fn try_again(&mut self, at: u64, request: WaitingId) {
        if let Some(Waiting { content, request }) = self.flow.waiting.remove(request) {
            self.observer.tried_again(Instant(content.born));
            self.begin_attempt(at, content, request);
        }
    }

    #[inline(always)]
    fn begin_attempt(&mut self, at: u64, content: Content, request: OpenRequest) {
        let request = OpenRequest { tries: request.tries + 1, ..request };
        self.clients.clients[content.client as usize].attempts += 1;
        let sent = at - self.clients.entry_delay;
        let patience = self.spec().patience;
        let due = patience.map_or(u64::MAX, |patience| sent.saturating_add(patience.0));
        let attempt = self.exit.attempts.insert(OpenAttempt::BLANK);
        // Field by field: a copy as a whole would have to wait until all of it is written.
        if let Some(open) = self.exit.attempts.get_mut(attempt) {
            (open.content, open.request) = (content, Some(request));
            open.due[Limit::Patience as usize] = due;
        }
        self.watch(attempt, Limit::Patience, due);
        if self.clients.has_network() {
            let reached = sent + self.plan.ingress.delay.0 + self.clients.network_delay();
            return self.flow.schedule(reached, Step::Reaches { attempt });
        }
        self.reach_as(at, attempt, as_request(attempt, &content, Some(&request)));
    }

    /// An attempt reaches the ingress.
    pub(super) fn reach(&mut self, at: u64, attempt: AttemptId) {
        if let Some(open) = self.exit.attempts.get(attempt) {
            let request = as_request(attempt, &open.content, open.request.as_ref());
            self.reach_as(at, attempt, request);
        }
    }

    #[inline(always)]
    fn reach_as(&mut self, at: u64, attempt: AttemptId, request: Request) {
        match self.meet_on_connection(at, attempt) {
            Met::Anyone => self.enter_ingress(at, request),
            Met::Instance(instance) => self.pass_ingress(at, request, instance),
            Met::Nobody => self.fail_attempt(attempt, at, Failure::IngressDown),
            Met::Later => {}
        }
    }

    /// The handshake of an attempt's connection is done.
    pub(super) fn end_handshake(&mut self, at: u64, attempt: AttemptId) {
        let Some(open) = self.exit.attempts.get(attempt) else { return };
        let request = as_request(attempt, &open.content, open.request.as_ref());
        let instance = open.instance as usize;
        self.pass_ingress(at, request, instance);
    }

    /// A client gives up on an attempt at `due`.
    #[inline(never)]
    pub(super) fn give_up(&mut self, attempt: AttemptId, due: u64) {
        let cancels = self.spec().cancels;
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return };
        let Some(request) = open.request.take() else { return };
        let (content, stage) = (open.content, open.stage);
        self.observer.attempt_failed(Instant(content.born), Failure::GivenUp);
        match stage {
            // Its answer, without a step of its own, comes too late.
            Stage::Returning if !self.clients.has_network() => {
                self.end_in_vain(attempt);
            }
            Stage::Returning => {}
            _ if cancels => self.abort(attempt, due, Failure::GivenUp),
            _ => {}
        }
        self.react(content, request, due, Failure::GivenUp);
    }

    /// A client reacts to the failure of its attempt at `at`.
    #[inline(never)]
    pub(super) fn react(
        &mut self,
        content: Content,
        request: OpenRequest,
        at: u64,
        failure: Failure,
    ) {
        if self.flow.over {
            return;
        }
        self.clients.clients[content.client as usize].failed += 1;
        match self.may_retry(content, request, failure) {
            Some(wait) => {
                let at = at.saturating_add(wait.0).saturating_add(self.clients.entry_delay);
                let request = self.flow.waiting.insert(Waiting { content, request });
                self.flow.schedule(at, Step::Again { request });
            }
            None => {
                let times = (content.born, at);
                note_failure(&mut self.exit.digest, self.observer, times, failure);
                self.end_request(at);
            }
        }
    }

    /// How long a client waits before it tries again; `None` if it does not.
    fn may_retry(
        &mut self,
        content: Content,
        request: OpenRequest,
        failure: Failure,
    ) -> Option<Span> {
        let retry = self.plan.surroundings.as_ref()?.clients.retry.as_ref()?;
        let pointless = match failure {
            Failure::RateLimited | Failure::QuotaUnknown => !retry.limited,
            Failure::ContractRevoked => true,
            _ => false,
        };
        if pointless || request.tries >= retry.attempts {
            return None;
        }
        let client = &mut self.clients.clients[content.client as usize];
        let failed = client.failed as f64 / client.attempts as f64;
        let tripped = retry.breaker.is_some_and(|most| failed > most.0);
        let spent = retry.budget.is_some() && client.tokens < 1.0;
        if tripped || spent {
            let born = Instant(content.born);
            self.observer.counted(born, Count::BudgetSpent);
            return None;
        }
        client.tokens -= 1.0;
        Some(backoff(retry, request.tries, &mut self.clients.backoff))
    }

    /// A request has its outcome at `at`; its user, if requests are sent by users, goes on.
    #[inline(always)]
    pub(super) fn end_request(&mut self, at: u64) {
        match &self.spec().population {
            Population::Open => {}
            Population::Closed { think, .. } => self.go_on(at, think),
            Population::Sessions { requests, think } => {
                if self.clients.session.unit() * requests >= 1.0 {
                    self.go_on(at, think);
                }
            }
        }
    }

    /// A user thinks from `at` on and then sends the next request.
    #[inline(never)]
    fn go_on(&mut self, at: u64, think: &Law) {
        if !self.flow.over {
            let at = at.saturating_add(self.clients.think(think)) + self.clients.entry_delay;
            self.flow.schedule(at, Step::UserSends);
        }
    }
}
