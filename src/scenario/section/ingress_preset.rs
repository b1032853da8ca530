//! What ingresses do that people run, where a scenario says nothing else. Facts from the
//! documentation of each (2026).

use crate::plan::{Answers, CheckBy, FailoverBy, HealthCheck};
use crate::scenario::text::words;
use crate::units::{Share, Span};

words! {
    /// How an ingress instance chooses a replica.
    enum Choice {
        RoundRobin = "round-robin", ZoneThenReplica = "zone-then-replica",
        PerConnection = "per-connection", Random = "random", LeastRequest = "least-request",
    }
    /// When the ingress tries a request again.
    enum RetryCondition {
        ConnectFailure = "connect-failure", Reset = "reset", Timeout = "timeout",
        ServerError = "5xx", BadGateway = "502", Unavailable = "503", GatewayTimeout = "504",
    }
    /// An ingress whose defaults hold.
    enum Preset {
        EnvoyGateway = "envoy-gateway", Istio = "istio", Haproxy = "haproxy", Traefik = "traefik",
        AwsAlb = "aws-alb", IngressNginx = "ingress-nginx",
    }
}

impl RetryCondition {
    /// The answers of a replica that it means.
    pub(crate) fn statuses(self) -> &'static [u16] {
        match self {
            RetryCondition::ServerError => &[500, 502, 503, 504],
            RetryCondition::BadGateway => &[502],
            RetryCondition::Unavailable => &[503],
            RetryCondition::GatewayTimeout => &[504],
            RetryCondition::ConnectFailure | RetryCondition::Reset | RetryCondition::Timeout => &[],
        }
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
    pub(crate) requests_per_connection: Option<u64>,
    pub(crate) endpoints_in_order: bool,
    pub(crate) failover_by: FailoverBy,
    pub(crate) answers: Answers,
    pub(crate) health: Option<HealthCheck>,
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
    requests_per_connection: None,
    endpoints_in_order: true,
    // The load balancer of a Kubernetes Service stands before it.
    failover_by: FailoverBy::HealthCheck,
    answers: Answers::USUAL,
    // None unless configured.
    health: None,
    panic: Share::ZERO,
};

impl Preset {
    /// What it says.
    pub(crate) fn values(self) -> PresetValues {
        match self {
            // A route has 15 s as in Envoy, and retries only where a policy asks for them.
            Preset::EnvoyGateway => PresetValues {
                balancing: Choice::LeastRequest,
                connect_timeout: secs(10),
                read_timeout: secs(15),
                request_timeout: Some(secs(15)),
                retry_non_idempotent: true,
                retry_backoff: Span(25_000_000),
                answers: Answers::ENVOY,
                panic: Share(0.5),
                ..COMMON
            },
            // Two retries of what no replica has begun; since 1.24 none after a 503. With outlier
            // detection its panic is `minHealthPercent`, which is 0 unless written.
            Preset::Istio => PresetValues {
                balancing: Choice::LeastRequest,
                connect_timeout: secs(10),
                retries: 2,
                retry_non_idempotent: true,
                retry_backoff: Span(25_000_000),
                answers: Answers::ENVOY,
                ..COMMON
            },
            // `retries 3` with redispatch; `retry-on conn-failure`.
            Preset::Haproxy => PresetValues {
                read_timeout: secs(50),
                retries: 3,
                answers: Answers { refused: 503, connect_timeout: 503, reset: 502 },
                // `check` is on: a connection every 2 s, `fall 3`, `rise 2`.
                health: Some(HealthCheck {
                    interval: secs(2),
                    timeout: secs(2),
                    unhealthy: 3,
                    healthy: 2,
                    by: CheckBy::Tcp,
                }),
                ..COMMON
            },
            // Retries are a middleware that has to be asked for.
            Preset::Traefik => PresetValues { connect_timeout: secs(30), ..COMMON },
            // Targets without readiness gates learn of endpoints in any order; its nodes are
            // several addresses in DNS.
            Preset::AwsAlb => PresetValues {
                connect_timeout: secs(10),
                read_timeout: secs(60),
                endpoints_in_order: false,
                failover_by: FailoverBy::Clients,
                // A request every 30 s; if no target is healthy all are used.
                health: Some(HealthCheck::default()),
                panic: Share(0.001),
                ..COMMON
            },
            // `proxy_next_upstream error timeout`, three tries, each with the read timeout.
            Preset::IngressNginx => PresetValues {
                read_timeout: secs(60),
                retries: 2,
                retry_on: &[
                    RetryCondition::ConnectFailure,
                    RetryCondition::Reset,
                    RetryCondition::Timeout,
                ],
                requests_per_connection: Some(1_000),
                ..COMMON
            },
        }
    }
}
