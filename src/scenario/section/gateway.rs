//! The section `[gateway]`.

use crate::diagnostic::Problem;
use crate::plan::{Gateway, Memory, Throttling};
use crate::policy::overload::{LoadTrigger, OverloadSpec};
use crate::random::Law;
use crate::scenario::reader::{Mark, Parsed, Reader, SectionReader, TypedKey, keys};
use crate::scenario::text::{Word, words};
use crate::units::{Bytes, Cores, Rate, SECOND, Share, Span};

words! {
    /// Who runs the gateway.
    enum Management { Managed = "managed", SelfManaged = "self-managed" }
    /// Where the gateway runs.
    enum Platform { CloudHub2 = "cloudhub-2", RuntimeFabric = "runtime-fabric" }
    /// The size of a replica.
    enum Tier { Small = "small", Large = "large", XLarge = "xlarge" }
    /// The release whose ratings the tiers follow.
    enum Catalogue { V1_11 = "1.11", V1_12 = "1.12", V1_13 = "1.13", V1_14 = "1.14" }
}

keys! { key "gateway" {
    MANAGEMENT: Management = "management", "managed", Inferred, "the product simulated",
        "Who runs the gateway.";
    PLATFORM: Platform = "platform", "cloudhub-2", Inferred, "the usual place", "Where it runs.";
    TIER: Tier = "tier", "large", Assumed, "the smallest size for production",
        "The size of a replica; or give cores and cpu-per-request.";
    CATALOGUE: Catalogue = "catalogue", "1.14", Documented, "gateway prerequisites page",
        "The release whose ratings the tiers follow.";
    REPLICAS: u64 = "replicas", "2", Documented, "the product's least number",
        "Replicas wanted at first, 1 to 1000; with no [autoscaler], at all times.";
    CONTRACTS: bool = "contracts", "false", Inferred, "the simpler case",
        "Whether APIs use contracts.";
    CORES: Cores = "cores", "", Assumed, "the tier; no CPU limits are published",
        "CPU of one replica.";
    DEMAND: Law = "cpu-per-request", "", Assumed,
        "the tier: log-normal, mean cores / saturation rate, cv 0.2",
        "CPU time that one request takes.";
    THROTTLING: bool = "throttling", "false", Assumed,
        "an average hides the slices; switch it on to see them",
        "Whether the CPU limit is enforced in slices instead of on average.";
    THROTTLING_PERIOD: Span = "throttling-period", "100ms", Documented,
        "the kubelet's cpuCFSQuotaPeriod",
        "How often the CPU quota is refilled (throttling only).", If("throttling", &["true"]);
    THREADS: u64 = "threads", "", Assumed, "cores, rounded up",
        "Cores that a replica uses at once until its quota is used up (throttling only).",
        If("throttling", &["true"]);
    MEMORY: Bytes = "memory", "", Assumed, "none",
        "Memory limit of one replica; one that needs more is killed and restarted (OOMKilled).";
    MEMORY_PER_REQUEST: Bytes = "memory-per-request", "", Assumed, "none",
        "What a request in flight holds of the memory.";
    MEMORY_BASE: Bytes = "memory-base", "0B", Assumed,
        "nothing is published; Envoy by itself takes some 50 MiB, more with its configuration",
        "What a replica takes of its memory without any request.", With(&["memory"]);
    SHED_REQUESTS: u64 = "shed-requests", "", Assumed, "none",
        "Requests in flight in a replica from which on it answers further ones with 503, 1 to \
         1000000.";
    SHED_MEMORY: Share = "shed-memory", "", Documented, "Envoy: only if configured",
        "Share of its memory in use from which on a replica answers all further requests with 503 \
         (overload manager, stop_accepting_requests).";
    SHED_MEMORY_FROM: Share = "shed-memory-from", "", Documented,
        "Envoy: a threshold, unless scaled",
        "Share from which on it answers some so, more and more (scaled trigger).",
        With(&["shed-memory"]);
    SHED_CPU: Share = "shed-cpu", "", Documented, "Envoy: only if configured",
        "Share of its CPU in use, smoothed, from which on it answers all further requests so.";
    SHED_CPU_FROM: Share = "shed-cpu-from", "", Documented, "Envoy: a threshold, unless scaled",
        "Share from which on it answers some so, more and more.", With(&["shed-cpu"]);
    SHED_REFRESH: Span = "shed-refresh", "1s", Documented, "Envoy's refresh_interval",
        "How often a replica looks at its memory and CPU.", With(&["shed-memory", "shed-cpu"]);
} instead {
    "size": "tier = \"large\"", "cpu": "cores = 1", "vcpu": "cores = 1",
}}

/// How much requests differ in the CPU time that they take, as long as nobody says: the coefficient
/// of variation, a little above what fits the one published measurement of an Envoy-based gateway
/// in overload (echo requests, 1,000 users; see decision 11).
const DEMAND_CV: f64 = 0.2;
/// The most replicas that a scenario may have.
pub(crate) const REPLICA_LIMIT: u64 = 1_000;
const THREAD_LIMIT: u64 = 4_096;
const REQUESTS_LIMIT: u64 = 1_000_000;
/// The periods that a kubelet takes.
const PERIOD_LEAST: Span = Span(SECOND / 1_000);
const PERIOD_MOST: Span = Span(SECOND);
/// The least quota that the kernel grants.
const QUOTA_LEAST: Span = Span(SECOND / 1_000);

/// `[gateway]` as read.
pub(crate) struct GatewayPart {
    pub(crate) plan: Gateway,
    pub(crate) management: Management,
    pub(crate) platform: Parsed<Platform>,
    pub(crate) contracts: bool,
    pub(crate) replicas: Parsed<u64>,
    /// The tier, unless the capacity is the scenario's own.
    pub(crate) tier: Option<Tier>,
    /// Requests per second that the vendor rates the managed tier for.
    pub(crate) rating: Option<Rate>,
}

impl GatewayPart {
    /// The tier as the product is sold, of a managed gateway on CloudHub 2.0 that has one. On
    /// Runtime Fabric the number of replicas is its owner's.
    pub(crate) fn sold_tier(&self) -> Option<Tier> {
        let sold =
            self.management == Management::Managed && self.platform.value == Platform::CloudHub2;
        self.tier.filter(|_| sold)
    }
}

impl Tier {
    /// Whether the product scales it (documented: Large and Extra Large, from 2 to 3 replicas).
    pub(crate) fn scales(self) -> bool {
        self != Tier::Small
    }
}

/// What a tier gives to one replica.
pub(crate) struct Size {
    /// Its CPU.
    pub(crate) cores: f64,
    /// Requests per second when that is full: the rating over the most replicas (3; Small 2) at the
    /// autoscaler's 70 % of CPU, except for Small from 1.12 on, which has room to spare.
    pub(crate) saturation: f64,
    /// The vendor's rating of the whole gateway in requests per second.
    pub(crate) rating: f64,
}

/// What a tier gives in a release, if it has that tier.
pub(crate) fn size(tier: Tier, catalogue: Catalogue) -> Option<Size> {
    let (cores, saturation, rating) = match (tier, catalogue) {
        (Tier::Small, Catalogue::V1_11) => (0.1, 71.0, 100.0),
        (Tier::Large, Catalogue::V1_11) => (1.0, 238.0, 500.0),
        (Tier::XLarge, Catalogue::V1_11) => return None,
        (Tier::Small, _) => (0.1, 60.0, 50.0),
        (Tier::Large, _) => (1.0, 715.0, 1_500.0),
        (Tier::XLarge, _) => (2.0, 1_905.0, 4_000.0),
    };
    Some(Size { cores, saturation, rating })
}

/// Reads `[gateway]`.
pub(crate) fn read(reader: &Reader<'_>) -> GatewayPart {
    let section = reader.section(&key::SPEC);
    let management = section.get(key::MANAGEMENT);
    let platform = section.parsed(key::PLATFORM);
    let capacity = capacity(&section);
    let replicas = section.count(key::REPLICAS, 1..=REPLICA_LIMIT);
    let contracts = section.get(key::CONTRACTS);
    let memory = memory(&section);
    let (cores, demand) = (capacity.cores, capacity.demand);
    let throttling = throttling(&section, cores);
    let overload = overload(&section, memory);
    let replicas_wanted = replicas.value as usize;
    let plan = Gateway { cores, throttling, demand, replicas: replicas_wanted, memory, overload };
    let rating = capacity.rating.filter(|_| management == Management::Managed);
    let tier = capacity.tier;
    GatewayPart { plan, management, platform, contracts, replicas, tier, rating }
}

/// What one replica can do.
struct ReplicaSize {
    cores: Cores,
    demand: Law,
    tier: Option<Tier>,
    rating: Option<Rate>,
}

fn capacity(section: &SectionReader<'_>) -> ReplicaSize {
    if section.has(&key::CORES) && !section.has(&key::TIER) {
        return own_capacity(section);
    }
    let tier = section.parsed(key::TIER);
    let catalogue = section.parsed(key::CATALOGUE);
    let Some(size) = size(tier.value, catalogue.value) else {
        let place = if catalogue.given { catalogue.place } else { tier.place };
        let title = "the catalogue \"1.11\" has no tier \"xlarge\"";
        section.error(place, title, "Extra Large exists from \"1.12\" on");
        return ReplicaSize::of(&Size { cores: 1.0, saturation: 1.0, rating: 1.0 }, None);
    };
    let tiered = ReplicaSize::of(&size, Some(tier.value));
    let word = tier.value.word();
    let source = format!("tier \"{word}\": {} vCPU, not published", size.cores);
    let cores = section.get_or(key::CORES, tiered.cores, Mark::Assumed, &source);
    if cores.value != tiered.cores {
        let title = "`gateway.tier` and `gateway.cores` contradict each other";
        let help = "a tier has its own cores: drop one of the two";
        section.error(&cores, title, help);
    }
    let rate = size.saturation;
    let source = format!("tier \"{word}\": {rate}/s at full CPU, from its rating; shape assumed");
    let demand = tiered.demand.clone();
    let demand = section.get_or(key::DEMAND, demand, Mark::Assumed, &source).value;
    ReplicaSize { demand: above_zero(section, demand), ..tiered }
}

impl ReplicaSize {
    fn of(size: &Size, tier: Option<Tier>) -> ReplicaSize {
        ReplicaSize {
            cores: Cores(size.cores),
            demand: Law::LogNormal(Span::from_secs(size.cores / size.saturation), DEMAND_CV),
            tier,
            rating: tier.map(|_| Rate(size.rating)),
        }
    }
}

/// Cores and CPU per request without a tier.
fn own_capacity(section: &SectionReader<'_>) -> ReplicaSize {
    section.idle(&key::CATALOGUE, "no tier is used");
    let cores = section.find(key::CORES).map_or(Cores(1.0), |cores| cores.value);
    let demand = section.require(key::DEMAND, "cpu-per-request = \"exponential(1.4ms)\"");
    let demand = demand.map_or(Law::Exponential(Span::from_secs(1e-3)), |demand| demand.value);
    let demand = above_zero(section, demand);
    ReplicaSize { cores, demand, tier: None, rating: None }
}

fn above_zero(section: &SectionReader<'_>, demand: Law) -> Law {
    if demand.mean_secs() <= 0.0 {
        let title = "requests that take no CPU cannot be simulated";
        let help = "give `cpu-per-request` a mean above zero";
        section.error(section.key_place(&key::DEMAND), title, help);
    }
    demand
}

/// How the CPU limit is enforced.
fn throttling(section: &SectionReader<'_>, cores: Cores) -> Option<Throttling> {
    let on = section.parsed(key::THROTTLING);
    if !on.value {
        return None;
    }
    let period = section.parsed(key::THROTTLING_PERIOD);
    let threads = section.or(key::THREADS, cores.0.ceil() as u64);
    let threads = section.within(key::THREADS, 1..=THREAD_LIMIT, threads);
    let throttling = Throttling { period: period.value, threads: threads.value as u32 };
    if !(PERIOD_LEAST..=PERIOD_MOST).contains(&period.value) {
        let title = "`gateway.throttling-period` is out of range";
        let help = format!("the kubelet takes {PERIOD_LEAST} to {PERIOD_MOST}");
        section.error(&period, title, help);
    } else if throttling.quota(cores) < QUOTA_LEAST.0 as f64 {
        let title = format!("{cores} is less than {QUOTA_LEAST} of CPU in each period");
        let help = "the kernel grants no less: raise `gateway.cores` or the throttling-period";
        let place = if period.given { period.place } else { section.key_place(&key::CORES) };
        section.error(place, title, help);
    }
    check_threads(section, cores, (&on, &threads));
    Some(throttling)
}

/// Notes threads that cannot use the limit, and those that cannot exceed it.
fn check_threads(
    section: &SectionReader<'_>,
    cores: Cores,
    (on, threads): (&Parsed<bool>, &Parsed<u64>),
) {
    let used = threads.value as f64;
    if used < cores.0 {
        let title = format!("fewer threads than cores: the limit of {cores} is out of reach");
        let help = format!("write threads = {} or more, or lower the cores", cores.0.ceil());
        section.error(threads, title, help);
    } else if used == cores.0 {
        let place = if section.has(&key::THREADS) { &threads.place } else { &on.place };
        let problem = Problem::warning(place.clone(), "`gateway.throttling` has no effect")
            .label(format!("threads = {used} never uses more than {cores}"))
            .help("raise `gateway.threads` above the cores");
        section.note(problem);
    }
}

fn memory(section: &SectionReader<'_>) -> Option<Memory> {
    let limit = section.find(key::MEMORY);
    let per_request = section.find(key::MEMORY_PER_REQUEST);
    let (whole, each) = (&*key::MEMORY, &*key::MEMORY_PER_REQUEST);
    for (here, lacking) in [(whole, each), (each, whole)] {
        if section.has(here) && !section.has(lacking) {
            let title = format!("`gateway.{}` is missing", lacking.name);
            let problem = Problem::missing(section.key_place(here), title);
            section
                .note(problem.help("how many requests a replica holds follows from both together"));
        }
    }
    let (limit, per_request) = (limit?, per_request?);
    let base = section.get(key::MEMORY_BASE);
    let memory = Memory { limit: limit.value, base, per_request: per_request.value };
    if memory.holds() == 0 {
        let title = format!("a request needs {} of {}", memory.used(1), memory.limit);
        section.error(
            &limit,
            title,
            "every request would kill its replica: raise `gateway.memory`",
        );
    }
    Some(memory)
}

/// What a replica does not take on.
fn overload(section: &SectionReader<'_>, memory: Option<Memory>) -> Option<OverloadSpec> {
    let requests =
        section.bounded(key::SHED_REQUESTS, 1..=REQUESTS_LIMIT, section.find(key::SHED_REQUESTS));
    let by_memory = trigger(section, key::SHED_MEMORY, key::SHED_MEMORY_FROM);
    // Of one of the two it has been said that the other is missing.
    let is_begun = section.has(&key::MEMORY) || section.has(&key::MEMORY_PER_REQUEST);
    if by_memory.is_some() && memory.is_none() && !is_begun {
        let title = "`gateway.memory` is missing: `shed-memory` is a share of it";
        let problem = Problem::missing(section.key_place(&key::SHED_MEMORY), title);
        section.note(problem.help("write `memory` and `memory-per-request`"));
    }
    let cpu = trigger(section, key::SHED_CPU, key::SHED_CPU_FROM);
    if requests.is_none() && by_memory.is_none() && cpu.is_none() {
        return None;
    }
    let refresh = section.period(key::SHED_REFRESH);
    let requests = requests.map(|requests| requests as u32);
    if let (Some(most), Some(memory)) = (requests, memory)
        && most as usize > memory.holds()
    {
        let title = format!("a replica is killed before it has {most} requests at once");
        let help = format!("its memory holds {}: lower `shed-requests`", memory.holds());
        section.warn(section.key_place(&key::SHED_REQUESTS), title, &help);
    }
    Some(OverloadSpec { requests, memory: by_memory, cpu, refresh: refresh.value })
}

/// A trigger by a share, perhaps one that begins below it.
fn trigger(
    section: &SectionReader<'_>,
    full: TypedKey<Share>,
    from: TypedKey<Share>,
) -> Option<LoadTrigger> {
    let found = section.find(full)?;
    if found.value == Share::ZERO {
        let title = format!("`gateway.{}` of nothing: no request is ever taken on", full.name);
        section.error(&found, title, "write a share such as \"95%\", or leave it out");
    }
    let begins = section.find(from);
    if let Some(begins) = begins.as_ref().filter(|begins| begins.value >= found.value) {
        let title = format!("`gateway.{}` is not below `{}`", from.name, full.name);
        section.error(begins, title, "lower it, or leave it out for a threshold");
    }
    let from = begins.map_or(found.value, |begins| begins.value);
    Some(LoadTrigger { from: Share(from.0.min(found.value.0)), full: found.value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_carries_its_rating_below_full_cpu() {
        for catalogue in [Catalogue::V1_11, Catalogue::V1_12, Catalogue::V1_13, Catalogue::V1_14] {
            for (tier, replicas) in [(Tier::Small, 2.0), (Tier::Large, 3.0), (Tier::XLarge, 3.0)] {
                let Some(size) = size(tier, catalogue) else { continue };
                let busy = size.rating / (size.saturation * replicas);
                assert!((0.4..0.71).contains(&busy), "{tier:?} of {catalogue:?}: {busy}");
            }
        }
    }
}
