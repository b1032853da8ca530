//! What ingresses do that people run, where a scenario says nothing else. Facts from the
//! documentation of each (2026).

use super::condition::RetryCondition;
use crate::plan::{Answers, CheckBy, FailoverBy, HealthCheck, RetryHost};
use crate::scenario::text::words;
use crate::units::{Share, Span};

words! {
    /// How an ingress instance chooses a replica.
    enum Choice {
        RoundRobin = "round-robin", ZoneThenReplica = "zone-then-replica",
        PerConnection = "per-connection", Random = "random", LeastRequest = "least-request",
        Ewma = "ewma", PeakEwma = "peak-ewma", Cookie = "cookie", Hash = "hash",
    }
    /// An ingress whose defaults hold.
    enum Preset {
        EnvoyGateway = "envoy-gateway", Istio = "istio", Haproxy = "haproxy", Traefik = "traefik",
        AwsAlb = "aws-alb", IngressNginx = "ingress-nginx",
    }
}

/// What a preset says instead of the table of the section.
pub(crate) struct PresetValues {
    pub(crate) balancing: Choice,
    pub(crate) connect_timeout: Span,
    pub(crate) read_timeout: Span,
    pub(crate) request_timeout: Option<Span>,
    pub(crate) retries: u64,
    pub(crate) retry_on: &'static [RetryCondition],
    pub(crate) retry_non_idempotent: bool,
    pub(crate) retry_backoff: Span,
    pub(crate) retry_host: RetryHost,
    pub(crate) retries_at_once: Option<u64>,
    pub(crate) requests_per_connection: Option<u64>,
    pub(crate) endpoints_in_order: bool,
    pub(crate) failover_by: FailoverBy,
    pub(crate) answers: Answers,
    pub(crate) health: Option<HealthCheck>,
    pub(crate) first_check: bool,
    pub(crate) outlier_interval: Span,
    pub(crate) panic: Share,
}

const fn secs(seconds: u64) -> Span {
    Span(seconds * crate::units::SECOND)
}

/// What has no limit is given an hour.
const NO_LIMIT: Span = secs(3_600);

/// What most have in common: nothing is tried again but failed connections, requests in turn.
const COMMON: PresetValues = PresetValues {
    balancing: Choice::RoundRobin,
    connect_timeout: secs(5),
    read_timeout: NO_LIMIT,
    request_timeout: None,
    retries: 0,
    retry_on: &[RetryCondition::ConnectFailure],
    retry_non_idempotent: false,
    retry_backoff: Span::ZERO,
    retry_host: RetryHost::Other,
    retries_at_once: None,
    requests_per_connection: None,
    endpoints_in_order: true,
    // The load balancer of a Kubernetes Service stands before it.
    failover_by: FailoverBy::HealthCheck,
    answers: Answers::USUAL,
    // None unless configured.
    health: None,
    first_check: false,
    outlier_interval: secs(10),
    panic: Share::ZERO,
};

/// A route has 15 s as in Envoy, and retries only where a policy asks for them: with
/// `previous_hosts` and five attempts to choose (`route.go` of its translator to xDS), at most 1024
/// at once (`maxParallelRetries` of `circuitbreaker_types.go`, where Envoy has 3). Its passive
/// health checks sweep every 3 s.
const ENVOY_GATEWAY: PresetValues = PresetValues {
    balancing: Choice::LeastRequest,
    connect_timeout: secs(10),
    read_timeout: secs(15),
    request_timeout: Some(secs(15)),
    retry_non_idempotent: true,
    retry_backoff: Span(25_000_000),
    retry_host: RetryHost::Chosen(5),
    retries_at_once: Some(1_024),
    answers: Answers::ENVOY,
    first_check: true,
    outlier_interval: secs(3),
    panic: Share(0.5),
    ..COMMON
};

/// Two retries of what no replica has begun, with `previous_hosts` and five attempts to choose
/// (`retry.go`); since 1.24 none after a 503. With outlier detection its panic is
/// `minHealthPercent`, which is 0
/// unless written.
const ISTIO: PresetValues = PresetValues {
    balancing: Choice::LeastRequest,
    connect_timeout: secs(10),
    retries: 2,
    retry_non_idempotent: true,
    retry_backoff: Span(25_000_000),
    retry_host: RetryHost::Chosen(5),
    answers: Answers::ENVOY,
    first_check: true,
    ..COMMON
};

/// `retries 3` with redispatch; `retry-on conn-failure`; `check` is on: a connection every 2 s,
/// `fall 3`, `rise 2`.
const HAPROXY: PresetValues = PresetValues {
    read_timeout: secs(50),
    retries: 3,
    answers: Answers { refused: 503, connect_timeout: 503, reset: 502 },
    health: Some(HealthCheck {
        interval: secs(2),
        timeout: secs(2),
        unhealthy: 3,
        healthy: 2,
        by: CheckBy::Tcp,
        first: false,
    }),
    ..COMMON
};

/// Retries are a middleware that has to be asked for; it asks the balancer again.
const TRAEFIK: PresetValues =
    PresetValues { connect_timeout: secs(30), retry_host: RetryHost::Chosen(0), ..COMMON };

/// Targets without readiness gates learn of endpoints in any order; its nodes are several addresses
/// in DNS. A check every 30 s, of which a new target must pass one; if no target is healthy all are
/// used.
const AWS_ALB: PresetValues = PresetValues {
    connect_timeout: secs(10),
    read_timeout: secs(60),
    endpoints_in_order: false,
    failover_by: FailoverBy::Clients,
    health: Some(HealthCheck {
        interval: secs(30),
        timeout: secs(5),
        unhealthy: 2,
        healthy: 5,
        by: CheckBy::Http,
        first: true,
    }),
    first_check: true,
    panic: Share(0.001),
    ..COMMON
};

/// `proxy_next_upstream error timeout`, three tries, each with the read timeout; its balancer is
/// asked again and does not know what was tried.
const INGRESS_NGINX: PresetValues = PresetValues {
    read_timeout: secs(60),
    retries: 2,
    retry_on: &[RetryCondition::ConnectFailure, RetryCondition::Reset, RetryCondition::Timeout],
    retry_host: RetryHost::Chosen(0),
    requests_per_connection: Some(1_000),
    ..COMMON
};

impl Preset {
    /// What it says.
    pub(crate) fn values(self) -> PresetValues {
        match self {
            Preset::EnvoyGateway => ENVOY_GATEWAY,
            Preset::Istio => ISTIO,
            Preset::Haproxy => HAPROXY,
            Preset::Traefik => TRAEFIK,
            Preset::AwsAlb => AWS_ALB,
            Preset::IngressNginx => INGRESS_NGINX,
        }
    }
}
