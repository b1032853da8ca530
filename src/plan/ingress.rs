//! The path from the client to a replica.

use super::ZoneId;
use crate::policy::admission::AdmissionSpec;
use crate::policy::latency::Decay;
use crate::policy::outlier::OutlierSpec;
use crate::policy::retries::RetryLimit;
use crate::policy::slow_start::SlowStart;
use crate::random::Law;
use crate::units::{Share, Span};

/// The path from the client to a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingress {
    /// Independent instances, each with its own round-robin pointer; at least 1. A request meets
    /// each with equal probability. Each has the zone in which it lives; `None` = outside them.
    pub instances: Vec<Option<ZoneId>>,
    /// How an instance chooses a replica.
    pub balancing: Balancing,
    /// How a new replica is given its share of that; `None` = at once.
    pub slow_start: Option<SlowStart>,
    /// From the client's sending to the choice of a replica.
    pub delay: Span,
    /// Network between ingress and replica, both ways together; passed after the service.
    pub hop: Span,
    /// How long a connection attempt to an address that does not answer lasts.
    pub connect_timeout: Span,
    /// How long a replica may take to answer before the ingress gives up on it.
    pub read_timeout: Span,
    /// How long a request may take over all its tries before the ingress gives up with 504;
    /// [`Span::MAX`] = without limit.
    pub request_timeout: Span,
    /// Further replicas tried for a request; 0 = no retry.
    pub retries: u32,
    /// When it is tried again.
    pub retry: RetryRules,
    /// When connections that keep their replica are closed though nothing is wrong.
    pub closing: Closing,
    /// The HTTP statuses that it answers with.
    pub answers: Answers,
    /// What the address of a dead replica does.
    pub dead_address: DeadAddress,
    /// How each instance checks the addresses that it knows; `None` = it does not.
    pub health: Option<HealthCheck>,
    /// How each instance judges replicas by their answers; `None` = it does not. Its share for
    /// panic is of no account.
    pub outliers: Option<OutlierSpec>,
    /// When an instance turns requests away because of how those before ended; `None` = never.
    pub admission: Option<AdmissionSpec>,
    /// An instance that would use a smaller share of its addresses uses all.
    pub panic: Share,
    /// Whether an instance uses the replicas of its own zone alone while there are some.
    pub prefer_zone: bool,
    /// Clients that reach replicas past it; `None` = there are none.
    pub in_cluster: Option<InCluster>,
    /// How clients leave an ingress instance that is lost.
    pub failover: Failover,
    /// From a change of readiness until every ingress instance knows the new endpoints.
    pub propagation: Law,
    /// Whether it learns of changes in the order in which they were made.
    pub endpoints_in_order: bool,
}

/// Clients inside the cluster, who use the address of the Service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InCluster {
    /// Share of the requests that they send, above 0.
    pub share: Share,
    /// Connections that they keep; at least 1.
    pub connections: usize,
}

/// When connections that keep their replica are closed though nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The age at which one is closed; `None` = never.
    pub age: Option<Span>,
    /// The pause after which the replica closes one, …
    pub server_idle: Span,
    /// … and its client; [`Span::MAX`] = never.
    pub client_idle: Span,
}

impl Closing {
    /// None is ever closed.
    pub const NEVER: Closing =
        Closing { age: None, server_idle: Span::MAX, client_idle: Span::MAX };
}

/// When the ingress tries a request again with another replica.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryRules {
    /// After a failed connection attempt: nothing of the request was sent.
    pub on_connect_failure: bool,
    /// After the connection broke on which it was sent.
    pub on_reset: bool,
    /// After the replica took longer than the read timeout.
    pub on_timeout: bool,
    /// After the replica answered with one of these statuses.
    pub on_statuses: Vec<u16>,
    /// Whether that holds for requests which are not idempotent, once they were sent.
    pub non_idempotent: bool,
    /// Share of the requests that are idempotent.
    pub idempotent: Share,
    /// Before the k-th further try it waits anything up to 2ᵏ − 1 times this, ten times at most.
    pub backoff: Span,
    /// Which replica a further try goes to.
    pub host: RetryHost,
    /// Further tries that an instance has under way at once, those that wait among them.
    pub at_once: RetryLimit,
    /// Whether a try that takes longer than the read timeout stays open, and another one is sent
    /// beside it (Envoy's `hedge_on_per_try_timeout`).
    pub hedges: bool,
}

/// Which replica a further try goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryHost {
    /// One that the request has not met, while there is any (nginx, HAProxy).
    Other,
    /// The one that is chosen as for any request; if the request has met it, the choice is made so
    /// many times anew, and then stands (Envoy: 0 without `previous_hosts`).
    Chosen(u32),
}

impl RetryRules {
    /// Those that hold where nothing else is known: after failed connections.
    pub const CONNECT_FAILURE: RetryRules = RetryRules {
        on_connect_failure: true,
        on_reset: false,
        on_timeout: false,
        on_statuses: Vec::new(),
        non_idempotent: true,
        idempotent: Share::ONE,
        backoff: Span::ZERO,
        host: RetryHost::Other,
        at_once: RetryLimit::None,
        hedges: false,
    };

    /// Whether any request is tried again that was sent to a replica.
    pub fn of_sent(&self) -> bool {
        self.on_reset || self.ends_waiting() || !self.on_statuses.is_empty()
    }

    /// Whether another try is made when a replica takes longer than the read timeout.
    pub fn ends_waiting(&self) -> bool {
        self.on_timeout || self.hedges
    }

    /// Whether further tries wait, or depend on others.
    fn is_held_back(&self) -> bool {
        self.backoff > Span::ZERO || self.at_once.is_limit()
    }
}

/// How an ingress instance checks an address: at regular times, whatever requests meet there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// From one check to the next.
    pub interval: Span,
    /// A check that is not answered in this time has failed; at most `interval`.
    pub timeout: Span,
    /// Failures in a row after which the address is not used, at least 1.
    pub unhealthy: u32,
    /// Successes in a row after which it is used again, at least 1.
    pub healthy: u32,
    /// What a check asks for.
    pub by: CheckBy,
    /// Whether a new address is used only once it has passed a check.
    pub first: bool,
}

impl Default for HealthCheck {
    /// That of an AWS target group.
    fn default() -> Self {
        let (interval, timeout) = (Span::from_secs(30.0), Span::from_secs(5.0));
        HealthCheck { interval, timeout, unhealthy: 2, healthy: 5, by: CheckBy::Http, first: false }
    }
}

/// What a health check asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckBy {
    /// An answer to a request.
    Http,
    /// A connection: one that hangs accepts it.
    Tcp,
}

/// The HTTP statuses with which the ingress answers what fails between it and a replica. What takes
/// too long is 504, and where no replica is ready 503, with all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The connection is refused.
    pub refused: u16,
    /// The connection attempt times out.
    pub connect_timeout: u16,
    /// The connection breaks before the answer is there.
    pub reset: u16,
}

impl Answers {
    /// Those of the gateways' standard: 502 is a bad answer or none, 504 one that is late.
    pub const USUAL: Answers = Answers { refused: 502, connect_timeout: 504, reset: 502 };
    /// Envoy's: the upstream is unavailable.
    pub const ENVOY: Answers = Answers { refused: 503, connect_timeout: 503, reset: 503 };
}

impl Ingress {
    /// From a client to a replica and back.
    pub fn round_trip(&self) -> Span {
        self.delay + self.hop
    }

    /// How long the first replica may take to answer.
    #[inline(always)]
    pub fn first_timeout(&self) -> Span {
        self.read_timeout.min(self.request_timeout)
    }

    /// Whether what became of a try decides what replicas meet next.
    pub(super) fn feeds_back(&self) -> bool {
        let limited = self.request_timeout < Span::MAX;
        let again = self.retry.of_sent() || self.retry.is_held_back() || limited;
        let others = self.in_cluster.is_some() || self.is_sticky();
        (self.retries > 0 && again) || self.tracks() || others
    }

    /// Whether another try is sent beside one that takes long.
    pub fn hedges(&self) -> bool {
        self.retries > 0 && self.retry.hedges
    }

    /// Whether it matters for the choice whose a request is.
    pub fn is_sticky(&self) -> bool {
        matches!(self.balancing, Balancing::Cookie | Balancing::Hash)
    }

    /// Whether instances choose by what replicas have from them, or by how they answer, or count
    /// what they have under way or what came of it.
    pub fn tracks(&self) -> bool {
        matches!(self.balancing, Balancing::LeastRequest | Balancing::Latency(_))
            || self.outliers.is_some()
            || self.admission.is_some()
            || (self.retries > 0 && self.retry.at_once.is_budget())
    }

    /// Whether instances may use less than all addresses that they know.
    pub fn is_selective(&self) -> bool {
        self.health.is_some() || self.outliers.is_some() || self.prefer_zone
    }

    /// The share of the requests that each replica gets, of which the zones are these out of
    /// `all`, where instances take them in turn, clients inside the cluster are in all zones
    /// alike, and all are up.
    pub fn shares(&self, zones: &[ZoneId], all: usize) -> Vec<f64> {
        let mut shares = vec![0.0; zones.len()];
        let inside = self.in_cluster.as_ref().map_or(0.0, |inside| inside.share.0);
        let instances =
            self.instances.iter().map(|home| (*home, 1.0 - inside, self.instances.len()));
        for (home, part, of) in instances.chain((0..all).map(|zone| (Some(zone), inside, all))) {
            let is_near = |zone: &ZoneId| self.prefer_zone && Some(*zone) == home;
            let near = zones.iter().filter(|zone| is_near(zone)).count();
            let used = if near == 0 { zones.len() } else { near };
            for (share, zone) in shares.iter_mut().zip(zones) {
                if near == 0 || is_near(zone) {
                    *share += part / (used * of) as f64;
                }
            }
        }
        debug_assert!(shares.iter().sum::<f64>() < 1.0 + 1e-9, "shares of a whole: {shares:?}");
        shares
    }
}

/// How clients leave an ingress instance that is lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Failover {
    /// From the loss until a client no longer tries the instance.
    pub after: Law,
    /// Who decides.
    pub by: FailoverBy,
}

/// Who decides that an ingress instance is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailoverBy {
    /// Each client for itself, by its resolver and its connections: they leave one by one.
    Clients,
    /// A load balancer for all of them.
    HealthCheck,
}

/// The choice of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancing {
    /// Per request, strictly in turn over the replicas.
    RoundRobin,
    /// Per request, in turn over the zones, then in turn over the replicas of the zone.
    ZoneThenReplica,
    /// A connection keeps its replica, chosen at random, until it closes or the replica leaves.
    PerConnection {
        /// Client connections open at any time. User i of a closed loop or of sessions owns
        /// connection i modulo their number; other requests come on any of them alike.
        connections: usize,
        /// Requests after which a connection closes and a new one chooses again; `None` = never.
        requests: Option<u32>,
        /// After a longer pause a client looks whether its connection was reset before it uses it.
        idle_check: Span,
    },
    /// Per request, each replica with equal probability.
    Random,
    /// Per request, that of two replicas drawn at random which has fewer requests under way from
    /// the instance (Envoy's least request; the power of two choices).
    LeastRequest,
    /// Per request, that of two replicas drawn at random which has answered the instance faster
    /// lately (the EWMA of ingress-nginx and Linkerd).
    Latency(Decay),
    /// A client keeps the replica that its first request drew until that leaves, then draws again;
    /// whose client is not told apart draws each time.
    Cookie,
    /// A client has the replica whose hash with it is the greatest: the loss of one moves its
    /// clients alone, and who comes takes an even share from all.
    Hash,
}

/// What a connection attempt to a dead replica's address meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadAddress {
    /// Silence, until the connect timeout.
    Drops,
    /// A refusal, at once.
    Refuses,
}
