//! The table of `[ingress]`, its words, and where its defaults come from.

use super::condition::RetryCondition;
use super::preset::{Choice, Preset, PresetValues};
use crate::diagnostic::Flaw;
use crate::plan::{CheckBy, DeadAddress, FailoverBy};
use crate::random::Law;
use crate::scenario::reader::{Mark, Only, Parsed, SectionReader, TypedKey, keys};
use crate::scenario::text::{Located, Value, ValueShape, Word, words};
use crate::units::{Rate, Share, Span};

words! {
    DeadAddress { Drops = "drops", Refuses = "refuses" }
    FailoverBy { Clients = "clients", HealthCheck = "health-check" }
    CheckBy { Http = "http", Tcp = "tcp" }
}

const EJECTS: Only = Only::If("outlier-detection", &["true"]);
const ADMITS: Only = Only::If("admission-control", &["true"]);

keys! { key "ingress" {
    PRESET: Preset = "preset", "", Assumed, "none",
        "Whose defaults hold for what this section does not say: balancing, time-outs, retries, \
         HTTP statuses, the order of endpoints, fail-over; ingress-nginx was retired by its \
         project in March 2026.";
    TLS: TlsHandling = "tls", "", Documented, "CloudHub 2.0 networking guide",
        "What the ingress does with TLS; true means \"terminates\".";
    INSTANCES: u64 = "instances", "3", Assumed, "one per zone",
        "Independent ingress instances, 1 to 1000.";
    IN_ZONES: bool = "in-zones", "true", Assumed, "one per zone",
        "Instances live in the zones, in turn, and vanish with theirs.";
    BALANCING: Choice = "balancing", "round-robin", Documented, "product page",
        "How an instance chooses a replica.";
    EWMA_DECAY: Span = "ewma-decay", "10s", Documented, "ingress-nginx and Linkerd",
        "How long an instance remembers how fast a replica answered (ewma and peak-ewma only).",
        If("balancing", &["\"ewma\"", "\"peak-ewma\""]);
    SLOW_START: Span = "slow-start", "", Documented, "Envoy and HAProxy: only if configured",
        "How long a replica that is new in the endpoints gets less than its share, more and more.",
        Unless("balancing", &["\"hash\""], "a hash knows no weights");
    AGGRESSION: f64 = "slow-start-aggression", "1", Documented, "Envoy's default: linear",
        "Its weight at a part x of that time is x^(1/this).", With(&["slow-start"]);
    SLOW_LEAST: Share = "slow-start-least", "10%", Documented, "Envoy's min_weight_percent",
        "Its least weight, beside 1 of the others.", With(&["slow-start"]);
    CONNECTIONS: u64 = "connections", "100", Assumed, "a small fleet of clients",
        "Client connections open at any time (per-connection balancing only).",
        If("balancing", &["\"per-connection\""]);
    IN_CLUSTER: Share = "in-cluster", "0%", Inferred, "all clients come through the ingress",
        "Share of the requests that clients inside the cluster send to the address of the Service, \
         past the ingress.";
    IN_CLUSTER_CONNECTIONS: u64 = "in-cluster-connections", "100", Assumed, "a small fleet",
        "Connections that these keep; each stays with the replica that kube-proxy drew for it.",
        With(&["in-cluster"]);
    PER_CONNECTION: u64 = "requests-per-connection", "", Assumed, "connections never close",
        "Requests after which a connection closes (per-connection balancing only).",
        If("balancing", &["\"per-connection\""]);
    AGE: Span = "max-connection-age", "", Documented, "Envoy's max_connection_duration: off",
        "Age at which a connection closes, between two requests (per-connection balancing only).",
        If("balancing", &["\"per-connection\""]);
    SERVER_IDLE: Span = "server-idle", "1h", Documented, "Envoy's idle_timeout of connections",
        "Pause after which the replica closes a connection (per-connection balancing only).",
        If("balancing", &["\"per-connection\""]);
    CLIENT_IDLE: Span = "client-idle", "", Assumed, "clients keep what is open",
        "Pause after which its client closes a connection (per-connection balancing only).",
        If("balancing", &["\"per-connection\""]);
    IDLE_CHECK: Span = "idle-check", "2s", Documented,
        "Apache HttpClient's validateAfterInactivity",
        "After a longer pause a client looks whether its connection was reset before it uses it; \
         clients that see every reset at once have 0s (per-connection balancing only).",
        If("balancing", &["\"per-connection\""]);
    DELAY: Span = "delay", "0.2ms", Measured, "HAProxy, nginx and Envoy: 0.09 to 0.3 ms",
        "From the client's sending to the choice of a replica.";
    HOP: Span = "hop", "0.5ms", Assumed, "a network between zones",
        "Network between ingress and replica, both ways together.";
    CONNECT_TIMEOUT: Span = "connect-timeout", "5s", Documented, "Envoy's default",
        "How long an attempt to connect to a silent address lasts.";
    READ_TIMEOUT: Span = "read-timeout", "300s", Documented, "CloudHub 2.0 private spaces",
        "How long a replica may take before the ingress gives up on it.";
    REQUEST_TIMEOUT: Span = "request-timeout", "", Assumed, "none",
        "How long a request may take over all its tries before the ingress answers 504.";
    RETRIES: u64 = "retries", "0", Assumed, "no retry policy is published",
        "Further replicas tried for a request, 0 to 100.";
    RETRY_ON: Vec<Located<RetryCondition>> = "retry-on", "connect-failure", Assumed,
        "what was not sent can be sent again",
        "When a request is tried again: the connection failed, or broke; the replica took longer \
         than read-timeout; it answered with such a status, or with 502, 503 or 504 \
         (\"gateway-error\"). As in Envoy \"5xx\" and \"gateway-error\" cover the first three too.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    NON_IDEMPOTENT: bool = "retry-non-idempotent", "false", Assumed, "nginx",
        "Whether requests that are not idempotent are tried again once they were sent.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    IDEMPOTENT: Share = "idempotent", "100%", Assumed, "an API that is read from",
        "Share of the requests that are idempotent (GET, HEAD, PUT, DELETE).",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    BACKOFF: Span = "retry-backoff", "0s", Assumed, "nginx",
        "Before the k-th further try the ingress waits anything up to 2^k - 1 times this, 10 times \
         at most.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    AT_ONCE: u64 = "retries-at-once", "", Assumed, "no limit",
        "Requests that an instance may be trying again at once, 1 to 1000000.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    BUDGET: Share = "retry-budget", "", Documented, "Envoy: none unless configured, then 20%",
        "Share of the requests of an instance under way that it may be trying again at once, \
         instead of `retries-at-once`.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    BUDGET_LEAST: u64 = "retry-budget-least", "3", Documented, "Envoy's min_retry_concurrency",
        "Requests that it may be trying again at once however few are under way, 0 to 1000000.",
        With(&["retry-budget"]);
    OTHER_HOST: bool = "retry-other-host", "true", Assumed, "nginx and HAProxy",
        "Whether a further try avoids replicas that the request has met.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    HOST_ATTEMPTS: u64 = "retry-host-attempts", "", Assumed, "until another one is found",
        "How often the choice is made anew if it falls on a replica that the request has met, 1 to \
         1000; then it stands.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`"),
        If("retry-other-host", &["true"]);
    HEDGES: bool = "hedge", "false", Documented, "Envoy: hedge_policy, only if configured",
        "Whether a try that takes longer than read-timeout stays open and another one is sent \
         beside it, whatever `retry-on` says (hedge_on_per_try_timeout): the first good answer \
         counts, and request-timeout ends them all.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    DEAD_ADDRESS: DeadAddress = "dead-address", "drops", Assumed, "the worse case",
        "What the address of a dead replica does.";
    HEALTH_CHECK: CheckInterval = "health-check", "", Documented,
        "Envoy, Traefik, nginx: only if configured",
        "From one check of an address by an ingress instance to the next; \"none\" = it does not \
         check, whatever a preset says.";
    HEALTH_TIMEOUT: Span = "health-timeout", "5s", Documented, "AWS target groups",
        "A health check that is not answered for so long has failed.";
    HEALTH_BY: CheckBy = "health-check-by", "http", Documented, "AWS target groups",
        "What a health check asks for: an answer, or a connection, which a process that hangs \
         accepts.";
    UNHEALTHY: u64 = "unhealthy-threshold", "2", Documented, "AWS target groups",
        "Failures in a row after which an instance does not use an address, 1 to 100.";
    FIRST: bool = "health-check-first", "false", Documented, "HAProxy and nginx",
        "Whether a new address is used only once it has passed a check (AWS, Envoy).";
    HEALTHY: u64 = "healthy-threshold", "5", Documented, "AWS target groups",
        "Successes in a row after which it is used again, 1 to 100.";
    OUTLIERS: bool = "outlier-detection", "false", Documented, "Envoy: only if configured",
        "Whether instances avoid replicas whose answers fail.";
    OUTLIER_INTERVAL: Span = "outlier-interval", "10s", Documented, "Envoy's default",
        "Between two sweeps of outlier detection.", EJECTS;
    BASE_EJECTION: Span = "base-ejection", "30s", Documented, "Envoy's default",
        "How long the first ejection of a replica lasts; the n-th n times as long.", EJECTS;
    MAX_EJECTION: Span = "max-ejection", "300s", Documented, "Envoy's default",
        "The longest ejection.", EJECTS;
    MAX_EJECTED: Share = "max-ejected", "10%", Documented, "Envoy's default",
        "Share of the replicas that may be out at once.", EJECTS;
    ALWAYS_EJECT_ONE: bool = "always-eject-one", "false", Documented,
        "Envoy since 1.28 (always_eject_one_host); before it was true",
        "Whether one replica may be out even if that is more than max-ejected.", EJECTS;
    CONSECUTIVE: u64 = "consecutive-errors", "5", Documented, "Envoy's default",
        "Errors in a row that eject a replica: 5xx, resets, time-outs, failed connections.",
        EJECTS;
    PANIC: Share = "panic", "0%", Assumed, "never; Envoy has 50%",
        "An instance that would use a smaller share of the replicas uses all; 0% = never.";
    ADMISSION: bool = "admission-control", "false", Documented, "Envoy: only if configured",
        "Whether an instance turns requests away (503) when too many of those before failed (5xx).";
    ADMISSION_WINDOW: Span = "admission-window", "30s", Documented, "Envoy's sampling_window",
        "How long an answer counts for that, 1 s or more.", ADMITS;
    ADMISSION_SUCCESS: Share = "admission-success", "95%", Documented, "Envoy's sr_threshold",
        "Nothing is turned away while this share of the answers is below 500.", ADMITS;
    ADMISSION_AGGRESSION: f64 = "admission-aggression", "1", Documented, "Envoy's default: linear",
        "Below that what is missing is turned away, to the power of 1 over this; 1 or more.",
        ADMITS;
    ADMISSION_LEAST: Rate = "admission-least", "0/s", Documented, "Envoy's rps_threshold",
        "Nothing is turned away while fewer are answered.", ADMITS;
    ADMISSION_MOST: Share = "admission-most", "80%", Documented,
        "Envoy's max_rejection_probability", "The most that is ever turned away.", ADMITS;
    PREFER_ZONE: bool = "prefer-zone", "false", Documented,
        "Kubernetes: trafficDistribution is not set",
        "Whether an instance uses the replicas of its own zone alone while one is ready there, \
         however busy they are (trafficDistribution: PreferSameZone, formerly PreferClose).",
        If("in-zones", &["true"]);
    FAILOVER: Law = "failover", "uniform(0s, 20s)", Assumed,
        "time-outs and resolvers of clients vary; with health checks uniform(40s, 70s)",
        "From the loss of an ingress instance until a client avoids it.";
    FAILOVER_BY: FailoverBy = "failover-by", "clients", Assumed, "several addresses in DNS",
        "Whether each client leaves a lost ingress instance for itself, after a time of its own, \
         or the health checks of a load balancer decide once for all.";
    PROPAGATION: Law = "propagation", "uniform(0.5s, 2s)", Measured, "reports from small clusters",
        "From a change of readiness until every ingress instance knows it.";
    ENDPOINTS_IN_ORDER: bool = "endpoints-in-order", "true", Documented,
        "Kubernetes: who watches sees changes in the order in which they were made",
        "Whether the ingress learns of changes of readiness in their order, so that no removal \
         overtakes an addition. A cloud load balancer whose targets have no readiness gates does \
         not.";
}}

/// From one health check to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CheckInterval {
    /// So long.
    Every(Span),
    /// There are none.
    None,
}

const NONE: &str = "none";

impl Value for CheckInterval {
    fn kind() -> String {
        format!("{} or {NONE:?}", Span::kind())
    }
    fn shape() -> ValueShape {
        ValueShape::Either(vec![Span::shape(), ValueShape::Words(vec![NONE])])
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        if text == NONE {
            return Ok(CheckInterval::None);
        }
        Span::parse(text).map(CheckInterval::Every)
    }
    fn show(&self) -> String {
        match self {
            CheckInterval::Every(span) => span.show(),
            CheckInterval::None => format!("{NONE:?}"),
        }
    }
    fn quoted(number: &str) -> Option<String> {
        Span::quoted(number)
    }
}

/// What the ingress does with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsHandling {
    /// It decrypts; replicas get plain HTTP.
    Terminates,
    /// It hands the encrypted stream on.
    PassesThrough,
}

impl Word for TlsHandling {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("terminates", TlsHandling::Terminates),
        ("passes-through", TlsHandling::PassesThrough),
        ("terminate", TlsHandling::Terminates),
    ];
    fn from_bool(value: bool) -> Option<Self> {
        Some(if value { TlsHandling::Terminates } else { TlsHandling::PassesThrough })
    }
}

/// Where a default comes from: a preset, if there is one, or the table.
pub(crate) struct IngressDefaults {
    pub(crate) values: Option<PresetValues>,
    pub(crate) source: String,
}

impl IngressDefaults {
    pub(crate) fn of(preset: Option<Preset>) -> IngressDefaults {
        let source = preset.map(|preset| format!("preset \"{}\"", preset.word()));
        let values = preset.map(Preset::values);
        IngressDefaults { values, source: source.unwrap_or_default() }
    }

    /// What is written, or what the preset says, or else the table.
    pub(crate) fn parsed<T: Value>(
        &self,
        section: &SectionReader<'_>,
        key: TypedKey<T>,
        of: fn(&PresetValues) -> T,
    ) -> Parsed<T> {
        match &self.values {
            Some(preset) => section.get_or(key, of(preset), Mark::Documented, &self.source),
            None => section.parsed(key),
        }
    }

    /// The same of what the table has no default for.
    pub(crate) fn found<T: Value>(
        &self,
        section: &SectionReader<'_>,
        key: TypedKey<T>,
        of: fn(&PresetValues) -> Option<T>,
    ) -> Option<Parsed<T>> {
        match self.values.as_ref().and_then(of) {
            Some(value) => Some(section.get_or(key, value, Mark::Documented, &self.source)),
            None => section.find(key),
        }
    }
}
