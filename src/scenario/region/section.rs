//! The sections `[[region]]`, `[global]` and `[control-plane]`.

use crate::diagnostic::{Place, suggestion};
use crate::plan::{
    AllUnhealthy, Asks, Failback, RegionCheck, RegionRole, RoundTrip, Routing, Steering,
    TrafficManager,
};
use crate::random::Law;
use crate::scenario::reader::{Parsed, Reader, SectionReader, keys};
use crate::scenario::region::preset::{ManagerPreset, ManagerValues, RoutingKind};
use crate::scenario::text::word::Word;
use crate::scenario::text::{is_name, words};
use crate::units::{Share, Span};

/// The most regions of a file.
const REGION_LIMIT: usize = 20;

words! {
    Steering { Weighted = "weighted", Nearest = "nearest" }
    Asks { Ingress = "ingress", Replica = "replica", Api = "api" }
    AllUnhealthy { All = "all", Stay = "stay" }
}

impl Word for RegionRole {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("active", RegionRole::Active),
        ("standby", RegionRole::Standby),
        ("cold", RegionRole::Cold),
    ];

    fn advice(text: &str) -> Option<&'static str> {
        let bare = text.strip_suffix("-standby").unwrap_or(text);
        Some(match bare {
            "hot" => {
                "write role = \"standby\": it is hot with as many replicas as what it stands for"
            }
            "warm" | "pilot-light" | "passive" | "secondary" | "dr" => {
                "write role = \"standby\": it is warm with fewer replicas than what it stands for, \
                 such as replicas = 2 in [region.gateway]"
            }
            "backup" => "write role = \"cold\": nothing of it runs until it is deployed",
            "primary" | "main" => "write role = \"active\", or leave it out",
            _ => return None,
        })
    }
}

keys! { region "region" list {
    NAME: String = "name", "", Given, "",
        "The name by which faults, objectives and reports speak of it.";
    ROLE: RegionRole = "role", "active", Inferred, "every region serves",
        "Whether it serves clients whenever it is healthy (active), runs and serves while no \
         active region is healthy (standby: hot or warm by its size), or has nothing until it is \
         deployed through the control plane (cold).";
    WEIGHT: f64 = "weight", "1", Inferred, "all alike",
        "Its share of the clients, as against those of the other regions that serve.";
    LATENCY: Span = "latency", "0s", Inferred, "clients beside it",
        "Round trip between the clients that are at home in it and the region: part of each \
         answer's latency.";
    LATENCY_AWAY: Span = "latency-away", "", Inferred, "as `latency`",
        "Round trip between clients that come from another region and this one.";
} instead {
    "replicas": "[region.gateway] and replicas = 3 below it",
    "tier": "[region.gateway] and tier = \"large\" below it",
    "zones": "[region.topology] and zones = [\"a\", \"b\"] below it",
}}

keys! { global "global" {
    PRESET: ManagerPreset = "preset", "route53", Assumed, "the most used",
        "A traffic manager whose checks, thresholds and times hold where nothing else is written.";
    ROUTING: RoutingKind = "routing", "", Documented, "the preset",
        "How clients learn of a change: by DNS, one resolver after the other, or through a proxy \
         or an anycast address, all at once.";
    STEERING: Steering = "steering", "weighted", Assumed, "the simpler case",
        "Whether clients are spread by weight, or each belongs to a region that is near it.";
    TTL: Span = "ttl", "", Assumed, "60 s; Cloudflare 30 s",
        "Time to live of an answer of DNS.", If("routing", &["\"dns\""]);
    STRAGGLERS: Share = "stragglers", "2%", Assumed, "few resolvers ignore a TTL",
        "Share of the clients whose resolver keeps an answer for longer than its TTL.",
        If("routing", &["\"dns\""]);
    OVERTIME: Law = "overtime", "uniform(0s, 18m)", Measured, "one report: 18 min at a TTL of 60 s",
        "For how much longer.", If("routing", &["\"dns\""]);
    CONNECTIONS: Law = "connections", "0s", Inferred, "a request each",
        "How long clients use a connection to a region that works, beyond the answer's life.",
        If("routing", &["\"dns\""]);
    SWITCH: Law = "switch-time", "uniform(0s, 5s)", Inferred, "a proxy is told within seconds",
        "From a change until all clients meet it.", If("routing", &["\"proxied\"", "\"anycast\""]);
    CHECKS: bool = "checks", "true", Documented, "every traffic manager has them",
        "Whether the health of regions is checked; without it a change is made by plan alone.";
    ASKS: Asks = "check-asks", "", Assumed, "a path that a replica answers",
        "What a check asks: the ingress alone, a replica behind it, or an API.",
        If("checks", &["true"]);
    INTERVAL: Span = "check-interval", "", Documented, "the preset",
        "Between two checks from one location.", If("checks", &["true"]);
    TIMEOUT: Span = "check-timeout", "", Documented,
        "the preset; Cloudflare: three tries of 5 s",
        "After which silence counts as a failure.", If("checks", &["true"]);
    FAILURES: u64 = "check-failures", "", Documented, "the preset",
        "Failures in a row from which on a location takes a region for unhealthy.",
        If("checks", &["true"]);
    SUCCESSES: u64 = "check-successes", "", Documented, "the preset",
        "Successes in a row from which on it takes it for healthy again.",
        If("checks", &["true"]);
    LOCATIONS: u64 = "check-locations", "", Assumed, "Route 53: 16 checkers; others one",
        "Locations that check, each by itself.", If("checks", &["true"]);
    QUORUM: Share = "check-quorum", "", Assumed, "notes on Route 53: 18 %; others any",
        "A region is healthy while more than this share of the locations take it for healthy.",
        If("checks", &["true"]);
    DECISION: Law = "decision", "", Assumed, "the preset: none, or a person's 10 to 60 min",
        "From the detection until a region is withdrawn: a person may have to decide.",
        If("checks", &["true"]);
    FAILBACK: FailbackBy = "failback", "", Documented, "the preset",
        "Whether clients are led back to an active region that is healthy again.",
        If("checks", &["true"]);
    FAILBACK_AFTER: Law = "failback-after", "0s", Documented, "no traffic manager waits",
        "For how long it must have been healthy before.", If("failback", &["\"automatic\""]);
    ALL_UNHEALTHY: AllUnhealthy = "all-unhealthy", "all", Documented, "Route 53",
        "What is answered if no region is healthy: all of them, or what was answered before.";
    GROUPS: u64 = "client-groups", "1000", Assumed, "enough for shares of a thousandth",
        "Groups of clients that share a resolver and move together, 1 to 100000.";
}}

words! {
    /// Who leads clients back.
    enum FailbackBy { Automatic = "automatic", Manual = "manual" }
}

keys! { control_plane "control-plane" {
    HOME: String = "home", "", Inferred, "in no region of the scenario",
        "The region whose loss takes the control plane along.";
    RECOVERY: Law = "recovery", "72h", Documented, "the product: up to 72 h",
        "From the return of that region until the control plane is back.", With(&["home"]);
    DATA_LOSS: Span = "data-loss", "24h", Documented, "the product: up to 24 h of data",
        "How old the configuration may be that it has then.", With(&["home"]);
}}

/// A region's own keys.
pub(crate) struct RegionKeys {
    pub(crate) name: String,
    pub(crate) role: RegionRole,
    pub(crate) weight: f64,
    pub(crate) round_trip: RoundTrip,
    pub(crate) place: Place,
}

/// Reads every `[[region]]`, in the order of the file.
pub(crate) fn read_regions(reader: &Reader<'_>) -> Vec<RegionKeys> {
    let mut regions: Vec<RegionKeys> = Vec::new();
    for section in &reader.elements(&region::SPEC, REGION_LIMIT) {
        let name = section.require(region::NAME, "name = \"us-east-1\"");
        if let Some(name) = &name {
            check_name(section, name, &regions);
        }
        let weight = section.parsed(region::WEIGHT);
        if weight.value <= 0.0 {
            let help = "write a weight above 0, or role = \"standby\"";
            section.error(&weight, "a region without weight gets no clients", help);
        }
        let name = name.map_or_else(String::new, |name| name.value);
        let (role, place) = (section.get(region::ROLE), section.place.clone());
        let (weight, round_trip) = (weight.value.max(f64::MIN_POSITIVE), round_trip(section));
        regions.push(RegionKeys { name, role, weight, round_trip, place });
    }
    let first = regions.first().map_or(Place::Whole, |region| region.place.clone());
    if !regions.iter().any(|region| region.role == RegionRole::Active) {
        let help = "write role = \"active\", or leave the role of one region out";
        reader.error(first, "no region is active, so nobody serves", help);
    }
    regions
}

fn round_trip(section: &SectionReader<'_>) -> RoundTrip {
    let own = section.get(region::LATENCY);
    let others = section.or(region::LATENCY_AWAY, own);
    if others.given && others.value < own {
        let help = "write a longer one, or a shorter `latency`";
        section.warn(&others, "clients of other regions are nearer to it than its own", help);
    }
    RoundTrip { own, others: others.value }
}

/// Notes what is wrong with `[[region]]` where it is no list of regions.
pub(crate) fn read_regions_if_any(reader: &Reader<'_>) {
    if reader.has_any(&[&region::SPEC]) {
        drop(reader.elements(&region::SPEC, REGION_LIMIT));
    }
}

fn check_name(section: &SectionReader<'_>, name: &Parsed<String>, regions: &[RegionKeys]) {
    if !is_name(&name.value) {
        let title = format!("{:?} cannot name a region", name.value);
        section.error(name, title, "use letters, digits, -, _ and .");
    } else if regions.iter().any(|region| region.name == name.value) {
        let title = format!("two regions are called {:?}", name.value);
        section.error(name, title, "give every region a name of its own");
    }
}

/// Reads `[global]`, and how clients are given a region.
pub(crate) fn read_manager(reader: &Reader<'_>) -> (TrafficManager, Steering) {
    let section = reader.section(&global::SPEC);
    let preset = section.get(global::PRESET);
    let values = preset.values();
    let checked = section.get(global::CHECKS);
    let check = checked.then(|| check(&section, &values));
    let failback = failback(&section, &values);
    let manager = TrafficManager {
        routing: routing(&section, &values),
        check,
        decision: section.or(global::DECISION, values.decision).value,
        failback,
        unhealthy: section.get(global::ALL_UNHEALTHY),
        groups: section.count(global::GROUPS, 1..=100_000).value as usize,
    };
    (manager, section.get(global::STEERING))
}

fn check(section: &SectionReader<'_>, values: &ManagerValues) -> RegionCheck {
    let interval = section.or(global::INTERVAL, values.interval);
    section.not_tiny(&global::INTERVAL, &interval);
    let timeout = section.or(global::TIMEOUT, values.timeout.min(interval.value));
    if timeout.value > interval.value {
        let help = format!("write {} or less, or a longer `check-interval`", interval.value);
        section.error(&timeout, "a check would last beyond the next one", help);
    }
    let number = |key, default| section.within(key, 1..=1_000, section.or(key, default)).value;
    RegionCheck {
        asks: section.or(global::ASKS, values.asks).value,
        interval: interval.value,
        timeout: timeout.value.min(interval.value),
        failures: number(global::FAILURES, values.failures) as u32,
        successes: number(global::SUCCESSES, values.successes) as u32,
        locations: number(global::LOCATIONS, values.locations) as usize,
        quorum: quorum(section, values.quorum),
    }
}

/// No share of the locations is more than all of them.
fn quorum(section: &SectionReader<'_>, usual: Share) -> Share {
    let quorum = section.or(global::QUORUM, usual);
    if quorum.value >= Share::ONE {
        let help = "write less than \"100%\": a region is healthy while more than that say so";
        section.error(&quorum, "no region would ever be healthy", help);
    }
    quorum.value
}

fn failback(section: &SectionReader<'_>, values: &ManagerValues) -> Failback {
    let usual = if values.fails_back { FailbackBy::Automatic } else { FailbackBy::Manual };
    let by = section.or(global::FAILBACK, usual).value;
    let after = section.get(global::FAILBACK_AFTER);
    match by {
        FailbackBy::Automatic => Failback::After(after),
        FailbackBy::Manual => Failback::Never,
    }
}

fn routing(section: &SectionReader<'_>, values: &ManagerValues) -> Routing {
    let kind = section.or(global::ROUTING, values.routing).value;
    let ttl = section.or(global::TTL, values.ttl);
    if kind == RoutingKind::Dns {
        section.not_tiny(&global::TTL, &ttl);
    }
    let (stragglers, overtime) = (section.get(global::STRAGGLERS), section.get(global::OVERTIME));
    let connections = section.get(global::CONNECTIONS);
    let switch = section.get(global::SWITCH);
    match kind {
        RoutingKind::Dns => Routing::Dns { ttl: ttl.value, stragglers, overtime, connections },
        RoutingKind::Proxied | RoutingKind::Anycast => Routing::AtOnce(switch),
    }
}

/// Reads `[control-plane]`: the region that has it and how long it takes to recover, and how much
/// it loses.
pub(crate) fn read_home(
    reader: &Reader<'_>,
    regions: &[RegionKeys],
) -> (Option<(usize, Law)>, Span) {
    let section = reader.section(&control_plane::SPEC);
    let recovery = section.get(control_plane::RECOVERY);
    let data_loss = section.get(control_plane::DATA_LOSS);
    let Some(home) = section.find(control_plane::HOME) else { return (None, data_loss) };
    let found = find(regions, &home.value);
    if found.is_none() {
        let title = format!("no region is called {:?}", home.value);
        section.error(&home, title, suggest(regions, &home.value));
    }
    (found.map(|home| (home, recovery)), data_loss)
}

/// The region of this name.
pub(crate) fn find(regions: &[RegionKeys], name: &str) -> Option<usize> {
    regions.iter().position(|region| region.name == name)
}

/// What to write instead of a name that no region has.
pub(crate) fn suggest(regions: &[RegionKeys], name: &str) -> String {
    let names = regions.iter().map(|region| region.name.as_str());
    suggestion(name, names).unwrap_or_else(|| "write [[region]]".to_owned())
}
