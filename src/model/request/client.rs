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
//! refusals of the client itself (401) never are. A retry budget is filled by requests, and full at
//! the start. Users of closed loops and sessions own their connections and no more: which client's
//! budget and limit a request falls under is drawn for each. Left out: clients that hedge,
//! `Retry-After`.

use super::Requests;
use super::attempt::{
    Attempt, AttemptId, BackedOff, Content, Origin, RequestId, RequestState, Stage, Step, Timeout,
};
use crate::model::context::Context;
use crate::model::region::Region;
use crate::model::replica::fleet::Fleet;
use crate::model::traffic::arrivals::Request;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::{ApiId, Observer};
use crate::plan::{Clients as Spec, Dependencies, Jitter, Plan, Popularity, Population, Retry};
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

/// One API, as requests are drawn for it.
#[derive(Debug)]
struct ApiStreams {
    demand: Option<(Sampler, Stream)>,
    resources: Option<Weighted>,
    resource: Stream,
    /// The number of its first resource among those of all APIs.
    first_resource: u32,
}

/// The clients and their random streams.
#[derive(Debug)]
pub(in crate::model) struct Clients {
    /// From the moment at which an arrival is handled to its reaching the ingress: all of the
    /// constant delay, or nothing if a network comes in between.
    pub entry_delay: u64,
    /// Whether the ingress may give up on a replica before a client, who would end the work, gives
    /// up on both.
    pub may_read_time_out: bool,
    clients: Vec<Client>,
    pub(super) popularity: Option<Weighted>,
    apis: Vec<ApiStreams>,
    weights: Option<Weighted>,
    network: Option<(Sampler, Stream)>,
    demand: (Sampler, Stream),
    which_client: Stream,
    which_api: Stream,
    cacheable: Stream,
    backoff: Stream,
    thinking: Stream,
    session: Stream,
    /// Users so far.
    users: u32,
    /// When the next request can be sent at the earliest.
    free: u64,
}

/// How keys are drawn; `None` if there is only one.
pub fn weighted(popularity: &Popularity) -> Option<Weighted> {
    let weight = |key: usize| ((key + 1) as f64).powf(-popularity.zipf);
    (popularity.keys > 1).then(|| Weighted::new((0..popularity.keys).map(weight).collect()))
}

impl Clients {
    /// The clients of a plan.
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let Dependencies { clients: spec, apis, .. } = &plan.dependencies;
        let keys = &spec.popularity;
        let tokens = budget(spec).map_or(0.0, |budget| budget.size);
        let network = spec.network.as_ref();
        let closed = matches!(spec.population, Population::Closed { .. });
        let patience = spec.patience.filter(|_| spec.cancels).unwrap_or(Span::MAX);
        let mut first_resource = 0;
        let streams = |(index, api): (usize, &crate::plan::Api)| {
            let first = first_resource;
            first_resource += api.resources.keys as u32;
            let demand = api.demand.as_ref();
            ApiStreams {
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
            may_read_time_out: plan.ingress.first_timeout() <= patience,
            clients: vec![Client { tokens, attempts: 0, failed: 0 }; keys.keys],
            popularity: weighted(keys),
            apis: apis.iter().enumerate().map(streams).collect(),
            weights: (weights.len() > 1).then(|| Weighted::new(weights)),
            network: network.map(|law| (law.sampler(), seed.stream("network", 0))),
            demand: (plan.gateway.demand.sampler(), seed.stream("demand", u64::from(!closed))),
            which_client: seed.stream("client", 0),
            which_api: seed.stream("api", 0),
            cacheable: seed.stream("cacheable", 0),
            backoff: seed.stream("back-off", 0),
            thinking: seed.stream("thinking", 0),
            session: seed.stream("session", 0),
            users: 0,
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

    /// One more user.
    fn new_user(&mut self) -> u32 {
        self.users = self.users.wrapping_add(1);
        self.users.wrapping_sub(1)
    }

    /// Whose a request of the traffic is.
    #[inline(always)]
    fn origin(&mut self, population: &Population, slot: Option<usize>) -> Origin {
        match (slot, population) {
            (Some(slot), _) => Origin::Slot(slot as u32),
            (None, Population::Open) => Origin::Anyone,
            (None, _) => Origin::User(self.new_user()),
        }
    }

    fn think(&mut self, law: &Law) -> u64 {
        law.draw(&mut self.thinking).0
    }

    /// The API of a request, unless it was recorded.
    #[inline(always)]
    fn draw_api(&mut self, recorded: Option<ApiId>) -> ApiId {
        let drawn = self.weights.as_ref().map_or(0, |keys| keys.draw(&mut self.which_api));
        recorded.unwrap_or(drawn as ApiId)
    }

    /// A request that is sent at `sent`, or just after it if another one is.
    #[inline(always)]
    fn draw(&mut self, request: Request, apis: &[crate::plan::Api]) -> Content {
        let Request { sent, demand, api, .. } = request;
        let born = sent.max(self.free);
        self.free = born + 1;
        let client = self.popularity.as_ref().map_or(0, |keys| keys.draw(&mut self.which_client));
        let api = self.draw_api(api) as usize;
        let (streams, spec) = (&mut self.apis[api], &apis[api]);
        let demand = streams.demand.as_mut().map_or(demand, |(law, stream)| law.draw(stream));
        let resource =
            streams.resources.as_ref().map_or(0, |keys| keys.draw(&mut streams.resource));
        let resource = streams.first_resource + resource as u32;
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
    debug_assert!((0.0..=wait).contains(&scattered), "a wait of {scattered} beyond {wait}");
    Span(scattered.round() as u64)
}

impl Requests {
    /// The users of a closed population begin to think.
    pub fn begin_clients(&mut self, plan: &Plan) {
        if let Population::Closed { users, think } = &plan.dependencies.clients.population {
            for _ in 0..*users {
                let at = self.clients.think(think) + self.clients.entry_delay;
                let user = self.clients.new_user();
                self.schedule(at, Step::UserSends { user });
            }
        }
    }

    /// The API of a request that does not reach the ingress before the horizon.
    pub fn api_of(&mut self, request: &Request) -> ApiId {
        self.clients.draw_api(request.api)
    }

    /// A request of the traffic is handled at `at`.
    #[inline(always)]
    pub fn receive(&mut self, cx: &mut Context, region: &mut Region, at: u64, request: Request) {
        let population = &cx.plan.dependencies.clients.population;
        let origin = self.clients.origin(population, request.slot);
        self.begin_request(cx, region, at, request, origin);
    }

    /// A user has thought and sends a request, handled at `at`.
    pub fn send_next(&mut self, cx: &mut Context, region: &mut Region, at: u64, user: u32) {
        let (law, stream) = &mut self.clients.demand;
        let demand = law.draw(stream);
        let request = Request { sent: at, demand, slot: None, api: None };
        self.begin_request(cx, region, at, request, Origin::User(user));
    }

    #[inline(always)]
    fn begin_request(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        at: u64,
        request: Request,
        origin: Origin,
    ) {
        let request = Request { sent: at - self.clients.entry_delay, ..request };
        let content = self.clients.draw(request, &cx.plan.dependencies.apis);
        cx.offer(content.sent());
        if let Some(budget) = budget(&cx.plan.dependencies.clients) {
            let (per_request, size) = (budget.per_request, budget.size);
            let client = &mut self.clients.clients[content.client as usize];
            client.tokens = (client.tokens + per_request).min(size);
        }
        self.begin_attempt(cx, region, at, content, RequestState { origin, tries: 0 });
    }

    /// A client tries again.
    pub fn try_again(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        at: u64,
        request: RequestId,
    ) {
        let BackedOff { content, request } =
            self.backed_off.remove(request).expect("a request that backed off waits to be tried");
        debug_assert!(request.tries > 0, "a request is tried again that was never sent");
        cx.listener.tried_again(content.sent());
        self.begin_attempt(cx, region, at, content, request);
    }

    #[inline(always)]
    fn begin_attempt(
        &mut self,
        cx: &mut Context,
        region: &mut Region,
        at: u64,
        content: Content,
        request: RequestState,
    ) {
        let request = RequestState { tries: request.tries + 1, ..request };
        self.clients.clients[content.client as usize].attempts += 1;
        let sent = at - self.clients.entry_delay;
        let patience = cx.plan.dependencies.clients.patience;
        let due = patience.map_or(u64::MAX, |patience| sent.saturating_add(patience.0));
        let attempt = cx.in_flight.attempts.insert(Attempt::BLANK);
        // Field by field: a copy as a whole would have to wait until all of it is written.
        if let Some(fresh) = cx.in_flight.attempts.get_mut(attempt) {
            (fresh.content, fresh.request) = (content, Some(request));
            fresh.due[Timeout::Patience as usize] = due;
        }
        self.enter_timeout(cx, attempt, Timeout::Patience, due);
        if self.clients.has_network() {
            let reached = sent + cx.plan.ingress.delay.0 + self.clients.network_delay();
            return self.schedule(reached, Step::Reaches { attempt });
        }
        self.reach_ingress(cx, region, at, attempt, (content.demand, request.origin));
    }

    /// A client gives up on an attempt at `due`.
    #[inline(never)]
    pub fn give_up(&mut self, cx: &mut Context, fleet: &mut Fleet, attempt: AttemptId, due: u64) {
        let cancels = cx.plan.dependencies.clients.cancels;
        let request = cx.in_flight.attempts[attempt].request.take();
        let request = request.or_else(|| self.give_up_hedged(cx, fleet, attempt, due));
        let request = request.expect("a client gives up on an attempt once");
        let given_up = &cx.in_flight.attempts[attempt];
        let (content, stage) = (given_up.content, given_up.stage);
        cx.listener.attempt_failed(content.sent(), Failure::GivenUp);
        match stage {
            // Its answer, without a step of its own, comes too late.
            Stage::Returning if !self.clients.has_network() => {
                self.end_in_vain(cx, attempt);
            }
            Stage::Returning => {}
            _ if cancels => self.abort(cx, fleet, attempt, due, Failure::GivenUp),
            _ => {}
        }
        self.react(cx, content, request, due, Failure::GivenUp);
    }

    /// A client reacts to the failure of its attempt at `at`.
    #[inline(never)]
    pub(super) fn react(
        &mut self,
        cx: &mut Context,
        content: Content,
        request: RequestState,
        at: u64,
        failure: Failure,
    ) {
        let client = &mut self.clients.clients[content.client as usize];
        client.failed += 1;
        debug_assert!(client.failed <= client.attempts, "more attempts failed than were made");
        match self.may_retry(cx, content, request, failure) {
            // Of what ends after the horizon, only answers are told: a rejection is one.
            None if self.over && failure.is_rejection() => {
                cx.listener.failed(content.sent(), Instant(at), failure);
            }
            _ if self.over => {}
            Some(wait) => {
                let at = at.saturating_add(wait.0).saturating_add(self.clients.entry_delay);
                let request = self.backed_off.insert(BackedOff { content, request });
                self.schedule(at, Step::Again { request });
            }
            None => {
                cx.note_failure(content.sent(), at, failure);
                self.end_request(cx.plan, at, request.origin);
            }
        }
    }

    /// How long a client waits before it tries again; `None` if it does not.
    fn may_retry(
        &mut self,
        cx: &mut Context,
        content: Content,
        request: RequestState,
        failure: Failure,
    ) -> Option<Span> {
        let retry = cx.plan.dependencies.clients.retry.as_ref()?;
        let pointless = match failure.status() {
            Some(429) => !retry.limited,
            Some(401) => true,
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
            cx.listener.counted(content.sent(), Count::BudgetSpent);
            return None;
        }
        client.tokens -= 1.0;
        debug_assert!(retry.budget.is_none() || client.tokens >= 0.0, "the budget is overdrawn");
        Some(backoff(retry, request.tries, &mut self.clients.backoff))
    }

    /// A request has its outcome at `at`; its user, if requests are sent by users, goes on.
    #[inline(always)]
    pub(super) fn end_request(&mut self, plan: &Plan, at: u64, origin: Origin) {
        match &plan.dependencies.clients.population {
            Population::Open => {}
            Population::Closed { think, .. } => self.go_on(at, think, origin),
            Population::Sessions { requests, think } => {
                if self.clients.session.unit() * requests >= 1.0 {
                    self.go_on(at, think, origin);
                }
            }
        }
    }

    /// A user thinks from `at` on and then sends the next request.
    #[inline(never)]
    fn go_on(&mut self, at: u64, think: &Law, origin: Origin) {
        if !self.over {
            let user = origin.user().unwrap_or_else(|| self.clients.new_user());
            let at = at.saturating_add(self.clients.think(think)) + self.clients.entry_delay;
            self.schedule(at, Step::UserSends { user });
        }
    }
}
