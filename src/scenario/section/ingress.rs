//! The section `[ingress]`.

use crate::diagnostic::{Place, Problem};
use crate::plan::{Answers, Balancing, DeadAddress, Failover, FailoverBy, Ingress, RetryRules};
use crate::random::Law;
use crate::scenario::reader::{Mark, Parsed, Reader, SectionReader, TypedKey, keys};
use crate::scenario::section::gateway::{GatewayPart, Platform};
use crate::scenario::section::ingress_preset::{Choice, Preset, PresetValues, RetryCondition};
use crate::scenario::text::{Located, Value, Word, words};
use crate::units::{Share, Span};

words! {
    DeadAddress { Drops = "drops", Refuses = "refuses" }
    FailoverBy { Clients = "clients", HealthCheck = "health-check" }
}

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
    CONNECTIONS: u64 = "connections", "100", Assumed, "a small fleet of clients",
        "Client connections open at any time (per-connection balancing only).",
        If("balancing", &["\"per-connection\""]);
    PER_CONNECTION: u64 = "requests-per-connection", "", Assumed, "connections never close",
        "Requests after which a connection closes (per-connection balancing only).",
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
         than read-timeout; it answered with such a status; \"5xx\" is all of these, as in Envoy.",
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
        "Requests that an instance may be trying again at once after they were sent, 1 to 1000000.",
        Unless("retries", &["0"], "nothing is tried again: raise `retries`");
    DEAD_ADDRESS: DeadAddress = "dead-address", "drops", Assumed, "the worse case",
        "What the address of a dead replica does.";
    FAILOVER: Law = "failover", "10s", Assumed, "time-outs and resolvers of clients vary",
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

/// Reads `[ingress]` for a gateway in so many zones.
pub(crate) fn read(reader: &Reader<'_>, gateway: &GatewayPart, zones: usize) -> Ingress {
    let section = reader.section(&key::SPEC);
    let defaults = IngressDefaults::of(section.find(key::PRESET).map(|preset| preset.value));
    check_tls(&section, &gateway.platform);
    let count = section.count(key::INSTANCES, 1..=1_000).value as usize;
    let in_zones = section.get(key::IN_ZONES);
    let home = |instance: usize| in_zones.then_some(instance % zones.max(1));
    let balancing = balancing(&section, &defaults);
    let retries = defaults.parsed(&section, key::RETRIES, |preset| preset.retries);
    let retries = section.within(key::RETRIES, 0..=100, retries).value as u32;
    let read_timeout = defaults.parsed(&section, key::READ_TIMEOUT, |preset| preset.read_timeout);
    section.not_tiny(&key::READ_TIMEOUT, &read_timeout);
    let request_timeout = request_timeout(&section, &defaults);
    let connect = key::CONNECT_TIMEOUT;
    let in_order = key::ENDPOINTS_IN_ORDER;
    Ingress {
        instances: (0..count).map(home).collect(),
        balancing,
        delay: section.get(key::DELAY),
        hop: section.get(key::HOP),
        connect_timeout: defaults.parsed(&section, connect, |preset| preset.connect_timeout).value,
        read_timeout: read_timeout.value,
        request_timeout,
        retries,
        retry: retry_rules(&section, &defaults, retries, (read_timeout.value, request_timeout)),
        answers: defaults.values.as_ref().map_or(Answers::USUAL, |preset| preset.answers),
        dead_address: section.get(key::DEAD_ADDRESS),
        failover: Failover {
            after: section.get(key::FAILOVER),
            by: defaults.parsed(&section, key::FAILOVER_BY, |preset| preset.failover_by).value,
        },
        propagation: section.get(key::PROPAGATION),
        endpoints_in_order: defaults
            .parsed(&section, in_order, |preset| preset.endpoints_in_order)
            .value,
    }
}

/// Where a default comes from: a preset, if there is one, or the table.
struct IngressDefaults {
    values: Option<PresetValues>,
    source: String,
}

impl IngressDefaults {
    fn of(preset: Option<Preset>) -> IngressDefaults {
        let source = preset.map(|preset| format!("preset \"{}\"", preset.word()));
        let values = preset.map(Preset::values);
        IngressDefaults { values, source: source.unwrap_or_default() }
    }

    /// What is written, or what the preset says, or else the table.
    fn parsed<T: Value>(
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
    fn found<T: Value>(
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

fn request_timeout(section: &SectionReader<'_>, defaults: &IngressDefaults) -> Span {
    let found = defaults.found(section, key::REQUEST_TIMEOUT, |preset| preset.request_timeout);
    found.map_or(Span::MAX, |timeout| {
        section.not_tiny(&key::REQUEST_TIMEOUT, &timeout);
        timeout.value
    })
}

fn retry_rules(
    section: &SectionReader<'_>,
    defaults: &IngressDefaults,
    retries: u32,
    timeouts: (Span, Span),
) -> RetryRules {
    if retries == 0 {
        return RetryRules::CONNECT_FAILURE;
    }
    let listed = |conditions: &[RetryCondition]| -> Vec<Located<RetryCondition>> {
        conditions.iter().map(|value| Located { value: *value, span: 0..0 }).collect()
    };
    let on = match &defaults.values {
        Some(preset) => {
            let default = listed(preset.retry_on);
            section.get_or(key::RETRY_ON, default, Mark::Documented, &defaults.source).value
        }
        None => section.get(key::RETRY_ON),
    };
    // As in Envoy, where it also means that no answer comes at all.
    let is = |one, condition| one == condition || one == RetryCondition::ServerError;
    let has = |condition| on.iter().any(|one| is(one.value, condition));
    let statuses = on.iter().flat_map(|one| one.value.statuses()).copied().collect();
    let non_idempotent = key::NON_IDEMPOTENT;
    let non_idempotent = defaults.parsed(section, non_idempotent, |it| it.retry_non_idempotent);
    let at_once = section.find(key::AT_ONCE);
    let at_once = at_once.map(|most| section.within(key::AT_ONCE, 1..=1_000_000, most));
    let rules = RetryRules {
        on_connect_failure: has(RetryCondition::ConnectFailure),
        on_reset: has(RetryCondition::Reset),
        on_timeout: has(RetryCondition::Timeout),
        on_statuses: statuses,
        non_idempotent: non_idempotent.value,
        idempotent: section.get(key::IDEMPOTENT),
        backoff: defaults.parsed(section, key::BACKOFF, |preset| preset.retry_backoff).value,
        at_once: at_once.map(|most| most.value as usize),
    };
    check_retries(section, &rules, timeouts);
    rules
}

/// Warns of retries that are never made.
fn check_retries(section: &SectionReader<'_>, rules: &RetryRules, timeouts: (Span, Span)) {
    let (read, request) = timeouts;
    let place = section.key_place(&key::RETRY_ON);
    if !rules.on_connect_failure && !rules.of_sent() {
        let help = "name a condition, such as \"reset\"";
        section.warn(place, "nothing is tried again: `ingress.retry-on` is empty", help);
    } else if rules.on_timeout && request <= read {
        let title = format!("no time is left after a try that times out: it lasts {read}");
        section.warn(place, title, "raise `request-timeout`, or lower `read-timeout`");
    }
}

fn balancing(section: &SectionReader<'_>, defaults: &IngressDefaults) -> Balancing {
    match defaults.parsed(section, key::BALANCING, |preset| preset.balancing).value {
        Choice::RoundRobin => return Balancing::RoundRobin,
        Choice::ZoneThenReplica => return Balancing::ZoneThenReplica,
        Choice::Random => return Balancing::Random,
        Choice::LeastRequest => return Balancing::LeastRequest,
        Choice::PerConnection => {}
    }
    let connections = section.count(key::CONNECTIONS, 1..=1_000_000).value as usize;
    let requests = key::PER_CONNECTION;
    let requests = defaults.found(section, requests, |preset| preset.requests_per_connection);
    let requests = requests.map(|requests| {
        if !(1..=u64::from(u32::MAX)).contains(&requests.value) {
            let title = "`ingress.requests-per-connection` is out of range";
            let problem = Problem::error(requests.place, title).label("1 to 4294967295");
            section.note(problem.help("leave it out if connections never close"));
        }
        u32::try_from(requests.value).unwrap_or(u32::MAX).max(1)
    });
    Balancing::PerConnection { connections, requests, idle_check: section.get(key::IDLE_CHECK) }
}

/// Refuses an ingress that does not terminate TLS where it must.
fn check_tls(section: &SectionReader<'_>, platform: &Parsed<Platform>) {
    if platform.value == Platform::CloudHub2 {
        let tls = section.or(key::TLS, TlsHandling::Terminates);
        if tls.value == TlsHandling::PassesThrough {
            let title = "the ingress of CloudHub 2.0 always terminates TLS";
            section.error(&tls, title, "write tls = \"terminates\", or leave it out");
        }
        return;
    }
    let tls = section.find(key::TLS);
    let misread = section.has(&key::TLS) && tls.is_none();
    if misread || tls.as_ref().is_some_and(|tls| tls.value == TlsHandling::Terminates) {
        return;
    }
    let place = match (tls, &section.place) {
        (Some(tls), _) => tls.place,
        (None, Place::Whole) => platform.place.clone(),
        (None, header) => header.clone(),
    };
    let title = "on Runtime Fabric the ingress must terminate TLS";
    let problem = Problem::error(place, title)
        .label("this gateway would receive TLS")
        .help("Runtime Fabric brings no ingress: yours decrypts before it forwards to the gateway")
        .help("write tls = \"terminates\" in [ingress] once it does");
    section.note(problem);
}
