//! The section `[ingress]`: its table of keys, the presets that alter its defaults, the reading.
//!
//! ```text
//! preset ─► defaults ─┐
//! file ───────────────┴─► keys ─► reading (here, `retries`, `health`) ─► plan::Ingress
//! ```
//!
//! - `keys` is the table, with the words that settings choose between.
//! - `preset` is what ingresses do that people run, `condition` what their retries may be for.
//! - `retries` reads what is tried again, `health` what instances find out of replicas.
//!
//! What is wrong with a file is noted where it is read; what the rest of the plan makes of it is in
//! `scenario/check.rs`. Start with `keys`.

mod condition;
mod health;
mod keys;
mod preset;
mod retries;

use crate::diagnostic::{Place, Problem};
use crate::plan::{
    Answers, Balancing, Closing, Failover, FailoverBy, InCluster, Ingress, Topology,
};
use crate::policy::latency::Decay;
use crate::policy::slow_start::SlowStart;
use crate::random::Law;
use crate::scenario::reader::{Mark, Parsed, Reader, SectionReader};
use crate::scenario::section::gateway::{GatewayPart, Platform};
use crate::units::{Share, Span};
pub(crate) use keys::key;
use keys::{IngressDefaults, TlsHandling};
use preset::{Choice, Preset};

/// Reads `[ingress]` for a gateway in these zones.
pub(crate) fn read(reader: &Reader<'_>, gateway: &GatewayPart, topology: &Topology) -> Ingress {
    let section = reader.section(&key::SPEC);
    let preset = section.find(key::PRESET);
    check_preset(&section, preset.as_ref());
    let defaults = IngressDefaults::of(preset.map(|preset| preset.value));
    check_tls(&section, &gateway.platform);
    let count = section.count(key::INSTANCES, 1..=1_000).value as usize;
    let in_zones = section.get(key::IN_ZONES);
    let home = |instance: usize| in_zones.then_some(instance % topology.zones.len().max(1));
    let balancing = balancing(&section, &defaults);
    let further = defaults.parsed(&section, key::RETRIES, |preset| preset.retries);
    let further = section.within(key::RETRIES, 0..=100, further).value as u32;
    let read_timeout = defaults.parsed(&section, key::READ_TIMEOUT, |preset| preset.read_timeout);
    section.not_tiny(&key::READ_TIMEOUT, &read_timeout);
    let request_timeout = request_timeout(&section, &defaults);
    let connect = key::CONNECT_TIMEOUT;
    let in_order = key::ENDPOINTS_IN_ORDER;
    let (delay, hop) = (section.get(key::DELAY), section.get(key::HOP));
    let health = health::checks(&section, &defaults);
    let outliers = health::outliers(&section, &defaults, gateway.replicas.value as usize);
    let avoids = health.is_some() || outliers.is_some();
    let ingress = Ingress {
        instances: (0..count).map(home).collect(),
        balancing,
        slow_start: slow_start(&section),
        delay,
        hop,
        connect_timeout: defaults.parsed(&section, connect, |preset| preset.connect_timeout).value,
        read_timeout: read_timeout.value,
        request_timeout,
        retries: further,
        retry: retries::rules(&section, &defaults, further, (read_timeout.value, request_timeout)),
        closing: match balancing {
            Balancing::PerConnection { .. } => closing(&section, delay + hop),
            _ => Closing::NEVER,
        },
        answers: defaults.values.as_ref().map_or(Answers::USUAL, |preset| preset.answers),
        dead_address: section.get(key::DEAD_ADDRESS),
        health,
        outliers,
        admission: health::admission(&section),
        panic: health::panic(&section, &defaults, avoids),
        prefer_zone: section.get(key::PREFER_ZONE),
        in_cluster: in_cluster(&section),
        failover: failover(&section, &defaults),
        propagation: section.get(key::PROPAGATION),
        endpoints_in_order: defaults
            .parsed(&section, in_order, |preset| preset.endpoints_in_order)
            .value,
    };
    check_zones(&section, &ingress, topology);
    ingress
}

/// How clients leave a lost instance: each for itself, or as the checks of a load balancer have it,
/// of which a target group's are documented.
fn failover(section: &SectionReader<'_>, defaults: &IngressDefaults) -> Failover {
    let by = defaults.parsed(section, key::FAILOVER_BY, |preset| preset.failover_by).value;
    let checks = "AWS target groups: a check each 30 s, two must fail, each after 10 s";
    let after = match by {
        FailoverBy::Clients => section.get(key::FAILOVER),
        FailoverBy::HealthCheck => {
            let law = Law::uniform_secs(40.0, 70.0);
            section.get_or(key::FAILOVER, law, Mark::Documented, checks).value
        }
    };
    Failover { after, by }
}

/// Clients that come past the ingress.
fn in_cluster(section: &SectionReader<'_>) -> Option<InCluster> {
    let share = section.get(key::IN_CLUSTER);
    // Where nobody is there nothing is assumed of them.
    (share > Share::ZERO).then(|| {
        let connections = section.count(key::IN_CLUSTER_CONNECTIONS, 1..=1_000_000).value;
        InCluster { share, connections: connections as usize }
    })
}

/// Warns of an ingress that nobody maintains any more.
fn check_preset(section: &SectionReader<'_>, preset: Option<&Parsed<Preset>>) {
    if let Some(preset) = preset.filter(|preset| preset.value == Preset::IngressNginx) {
        let title =
            "ingress-nginx is retired: since March 2026 it gets no fixes, not even of security";
        let help = "compare with what could follow it: --set ingress.preset=envoy-gateway,haproxy";
        section.warn(preset, title, help);
    }
}

/// Warns of zones that get more than their replicas' share.
fn check_zones(section: &SectionReader<'_>, ingress: &Ingress, topology: &Topology) {
    if !ingress.prefer_zone {
        return;
    }
    let place = section.key_place(&key::PREFER_ZONE);
    if topology.zones.len() == 1 {
        let help = "leave it out, or name more zones in [topology]";
        section.warn(place, "`ingress.prefer-zone` has no effect: there is one zone", help);
        return;
    }
    let shares = ingress.shares(&topology.placement, topology.zones.len());
    let even = 1.0 / shares.len().max(1) as f64;
    let busiest = shares.iter().copied().fold(even, f64::max);
    if busiest > even * 1.000_1 {
        let title = format!(
            "zones are uneven: the busiest replica gets {} of the requests, an even share is {}",
            Share(busiest),
            Share(even),
        );
        let help = "have as many ingress instances and replicas in each zone as in the others, and \
                    mind that the autoscaler sees the mean of all replicas";
        section.warn(place, title, help);
    }
}

fn request_timeout(section: &SectionReader<'_>, defaults: &IngressDefaults) -> Span {
    let found = defaults.found(section, key::REQUEST_TIMEOUT, |preset| preset.request_timeout);
    found.map_or(Span::MAX, |timeout| {
        section.not_tiny(&key::REQUEST_TIMEOUT, &timeout);
        timeout.value
    })
}

fn balancing(section: &SectionReader<'_>, defaults: &IngressDefaults) -> Balancing {
    match defaults.parsed(section, key::BALANCING, |preset| preset.balancing).value {
        Choice::RoundRobin => return Balancing::RoundRobin,
        Choice::ZoneThenReplica => return Balancing::ZoneThenReplica,
        Choice::Random => return Balancing::Random,
        Choice::LeastRequest => return Balancing::LeastRequest,
        Choice::Ewma => return Balancing::Latency(decay(section, false)),
        Choice::PeakEwma => return Balancing::Latency(decay(section, true)),
        Choice::Cookie => return Balancing::Cookie,
        Choice::Hash => return Balancing::Hash,
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

fn decay(section: &SectionReader<'_>, peak: bool) -> Decay {
    Decay { time: section.period(key::EWMA_DECAY).value, peak }
}

/// How a new replica is given its share, if little by little.
fn slow_start(section: &SectionReader<'_>) -> Option<SlowStart> {
    let window = section.find(key::SLOW_START)?;
    section.not_tiny(&key::SLOW_START, &window);
    let aggression = section.parsed(key::AGGRESSION);
    if aggression.value <= 0.0 {
        let title = "`ingress.slow-start-aggression` is zero";
        section.error(&aggression, title, "write 1 for a share that grows evenly");
    }
    let aggression = if aggression.value > 0.0 { aggression.value } else { 1.0 };
    Some(SlowStart { window: window.value, aggression, least: section.get(key::SLOW_LEAST) })
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

/// When connections that keep their replica close; the client should be first by a round trip.
fn closing(section: &SectionReader<'_>, round_trip: Span) -> Closing {
    let age = section.find(key::AGE).inspect(|age| section.not_tiny(&key::AGE, age));
    let server = section.period(key::SERVER_IDLE);
    let client = section.find(key::CLIENT_IDLE);
    let client_idle = client.as_ref().map_or(Span::MAX, |client| client.value);
    if server.given && round_trip > Span::ZERO && client_idle + round_trip > server.value {
        let title = "replicas close idle connections that their clients still use";
        let problem = Problem::warning(server.place.clone(), title);
        let help = format!("write a client-idle that is shorter than {}", server.value);
        section.note(
            problem.label("what is sent just then is lost (502), unless it is retried").help(help),
        );
    }
    Closing { age: age.map(|age| age.value), server_idle: server.value, client_idle }
}

#[cfg(test)]
mod tests;
