//! The section `[ingress]`.

use crate::diagnostic::{Place, Problem};
use crate::plan::{Balancing, DeadAddress, Ingress};
use crate::random::Law;
use crate::scenario::reader::{Mark, Parsed, Reader, SectionReader, TypedKey, keys};
use crate::scenario::section::gateway::{GatewayPart, Platform};
use crate::scenario::text::{Value, Word, words};
use crate::units::Span;

words! {
    /// How an ingress instance chooses a replica.
    enum Choice {
        RoundRobin = "round-robin", ZoneThenReplica = "zone-then-replica",
        PerConnection = "per-connection", Random = "random",
    }
    /// A set of ingress defaults.
    enum Preset { IngressNginx = "ingress-nginx" }
    DeadAddress { Drops = "drops", Refuses = "refuses" }
}

keys! { key "ingress" {
    PRESET: Preset = "preset", "", Assumed, "none",
        "A set of defaults for retries, read-timeout and requests-per-connection; ingress-nginx \
         was retired by its project in March 2026.";
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
    DELAY: Span = "delay", "0.2ms", Measured, "HAProxy, nginx and Envoy: 0.09 to 0.3 ms",
        "From the client's sending to the choice of a replica.";
    HOP: Span = "hop", "0.5ms", Assumed, "a network between zones",
        "Network between ingress and replica, both ways together.";
    CONNECT_TIMEOUT: Span = "connect-timeout", "5s", Documented, "Envoy's default",
        "How long an attempt to connect to a silent address lasts.";
    READ_TIMEOUT: Span = "read-timeout", "300s", Documented, "CloudHub 2.0 private spaces",
        "How long a replica may take before the ingress answers 504.";
    RETRIES: u64 = "retries", "0", Assumed, "no retry policy is published",
        "Further replicas tried after a failed connection attempt, 0 to 100.";
    DEAD_ADDRESS: DeadAddress = "dead-address", "drops", Assumed, "the worse case",
        "What the address of a dead replica does.";
    FAILOVER: Law = "failover", "10s", Assumed, "a load balancer's health checks",
        "From the loss of an ingress instance until clients avoid it.";
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

/// What a preset says instead of the table.
struct PresetValues {
    word: &'static str,
    retries: u64,
    read_timeout: Span,
    requests_per_connection: u64,
}

impl PresetValues {
    fn of(preset: Preset) -> PresetValues {
        let (retries, requests_per_connection) = match preset {
            Preset::IngressNginx => (2, 1_000),
        };
        let read_timeout = Span::from_secs(60.0);
        PresetValues { word: preset.word(), retries, read_timeout, requests_per_connection }
    }
}

/// Reads `[ingress]` for a gateway in so many zones.
pub(crate) fn read(reader: &Reader<'_>, gateway: &GatewayPart, zones: usize) -> Ingress {
    let section = reader.section(&key::SPEC);
    let preset = section.find(key::PRESET).map(|preset| PresetValues::of(preset.value));
    check_tls(&section, &gateway.platform);
    let count = section.count(key::INSTANCES, 1..=1_000).value as usize;
    let in_zones = section.get(key::IN_ZONES);
    let home = |instance: usize| in_zones.then_some(instance % zones.max(1));
    let balancing = balancing(&section, preset.as_ref());
    let retries = preset_or_table(&section, preset.as_ref(), key::RETRIES, |preset| preset.retries);
    let retries = section.within(key::RETRIES, 0..=100, retries);
    let timeout = key::READ_TIMEOUT;
    let timeout = preset_or_table(&section, preset.as_ref(), timeout, |preset| preset.read_timeout);
    section.not_tiny(&key::READ_TIMEOUT, &timeout);
    Ingress {
        instances: (0..count).map(home).collect(),
        balancing,
        delay: section.get(key::DELAY),
        hop: section.get(key::HOP),
        connect_timeout: section.get(key::CONNECT_TIMEOUT),
        read_timeout: timeout.value,
        retries: retries.value as u32,
        dead_address: section.get(key::DEAD_ADDRESS),
        failover: section.get(key::FAILOVER),
        propagation: section.get(key::PROPAGATION),
        endpoints_in_order: section.get(key::ENDPOINTS_IN_ORDER),
    }
}

/// What is written, or what the preset says, or else the table.
fn preset_or_table<T: Value>(
    section: &SectionReader<'_>,
    preset: Option<&PresetValues>,
    key: TypedKey<T>,
    of: fn(&PresetValues) -> T,
) -> Parsed<T> {
    let Some(preset) = preset else { return section.parsed(key) };
    let source = format!("preset \"{}\"", preset.word);
    section.get_or(key, of(preset), Mark::Documented, &source)
}

fn balancing(section: &SectionReader<'_>, preset: Option<&PresetValues>) -> Balancing {
    match section.get(key::BALANCING) {
        Choice::RoundRobin => return Balancing::RoundRobin,
        Choice::ZoneThenReplica => return Balancing::ZoneThenReplica,
        Choice::Random => return Balancing::Random,
        Choice::PerConnection => {}
    }
    let connections = section.count(key::CONNECTIONS, 1..=1_000_000).value as usize;
    let requests = key::PER_CONNECTION;
    let requests = match preset {
        Some(_) => {
            Some(preset_or_table(section, preset, requests, |it| it.requests_per_connection))
        }
        None => section.find(requests),
    };
    let requests = requests.map(|requests| {
        if !(1..=u64::from(u32::MAX)).contains(&requests.value) {
            let title = "`ingress.requests-per-connection` is out of range";
            let problem = Problem::error(requests.place, title).label("1 to 4294967295");
            section.note(problem.help("leave it out if connections never close"));
        }
        u32::try_from(requests.value).unwrap_or(u32::MAX).max(1)
    });
    Balancing::PerConnection { connections, requests }
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
