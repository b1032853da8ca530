//! The sections `[gateway]` and `[topology]`.

use std::ops::Range;

use crate::diagnostic::{Place, Problem};
use crate::plan::{Gateway, Memory, Spread, Throttling, Topology, ZoneId};
use crate::random::Law;
use crate::scenario::Mark;
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::keys::{gateway as key, topology};
use crate::scenario::value::{Located, Value};
use crate::scenario::word::{Catalogue, Management, Platform, Tier};
use crate::units::{Cores, Rate, SECOND, Span};

/// The most replicas that a scenario may have.
pub(crate) const REPLICA_LIMIT: u64 = 1_000;
const ZONE_LIMIT: usize = 100;
const THREAD_LIMIT: u64 = 4_096;
/// The periods that a kubelet takes.
const PERIOD_LEAST: Span = Span(SECOND / 1_000);
const PERIOD_MOST: Span = Span(SECOND);
/// The least quota that the kernel grants.
const QUOTA_LEAST: Span = Span(SECOND / 1_000);

/// `[gateway]` as read.
pub(crate) struct GatewayPart {
    pub(crate) plan: Gateway,
    pub(crate) management: Management,
    pub(crate) platform: Found<Platform>,
    pub(crate) contracts: bool,
    pub(crate) replicas: Found<u64>,
    /// The tier, unless the capacity is the scenario's own.
    pub(crate) tier: Option<Tier>,
    /// Requests per second that the vendor rates the managed tier for.
    pub(crate) rating: Option<Rate>,
}

/// What a tier gives to one replica.
struct Size {
    /// Its CPU.
    cores: f64,
    /// Requests per second when that is full: the rating over the most replicas (3; Small 2) at the
    /// autoscaler's 70 % of CPU, except for Small from 1.12 on, which has room to spare.
    saturation: f64,
    /// The vendor's rating of the whole gateway in requests per second.
    rating: f64,
}

fn size(tier: Tier, catalogue: Catalogue) -> Option<Size> {
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
pub(crate) fn read<'a>(book: &mut Book<'a>, top: &Section<'a>) -> GatewayPart {
    let section = book.section(top, "gateway");
    let management = book.get(&section, key::MANAGEMENT).value;
    let platform = book.get(&section, key::PLATFORM);
    let capacity = capacity(book, &section);
    let replicas = book.count(&section, key::REPLICAS, 1..=REPLICA_LIMIT);
    let contracts = book.get(&section, key::CONTRACTS).value;
    let memory = memory(book, &section);
    let (cores, demand) = (capacity.cores, capacity.demand);
    let throttling = throttling(book, &section, cores);
    let plan = Gateway { cores, throttling, demand, replicas: replicas.value as usize, memory };
    let rating = capacity.rating.filter(|_| management == Management::Managed);
    let tier = capacity.tier;
    GatewayPart { plan, management, platform, contracts, replicas, tier, rating }
}

/// What one replica can do.
struct Capacity {
    cores: Cores,
    demand: Law,
    tier: Option<Tier>,
    rating: Option<Rate>,
}

fn capacity<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Capacity {
    if section.has(&key::CORES) && !section.has(&key::TIER) {
        return own_capacity(book, section);
    }
    let tier = book.get(section, key::TIER);
    let catalogue = book.get(section, key::CATALOGUE);
    let Some(size) = size(tier.value, catalogue.value) else {
        let place = if catalogue.given { catalogue.place } else { tier.place };
        let title = "the catalogue \"1.11\" has no tier \"xlarge\"";
        book.error(place, title, "Extra Large exists from \"1.12\" on".to_owned());
        return Capacity::of(&Size { cores: 1.0, saturation: 1.0, rating: 1.0 }, None);
    };
    let tiered = Capacity::of(&size, Some(tier.value));
    let source = format!("tier {}: {} vCPU, not published", tier.value.show(), size.cores);
    let cores = book.get_or(section, key::CORES, tiered.cores, Mark::Assumed, &source);
    if cores.value != tiered.cores {
        let title = "`gateway.tier` and `gateway.cores` contradict each other";
        let help = "a tier has its own cores: drop one of the two".to_owned();
        book.error(cores.place, title, help);
    }
    let rate = size.saturation;
    let source = format!("tier {}: {rate}/s at full CPU, from its rating", tier.value.show());
    let demand = tiered.demand.clone();
    let demand = book.get_or(section, key::DEMAND, demand, Mark::Assumed, &source).value;
    Capacity { demand: above_zero(book, section, demand), ..tiered }
}

impl Capacity {
    fn of(size: &Size, tier: Option<Tier>) -> Capacity {
        Capacity {
            cores: Cores(size.cores),
            demand: Law::Exponential(Span::from_secs(size.cores / size.saturation)),
            tier,
            rating: tier.map(|_| Rate(size.rating)),
        }
    }
}

/// Cores and CPU per request without a tier.
fn own_capacity<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Capacity {
    book.idle(section, key::CATALOGUE, "no tier is used");
    let cores = book.find(section, key::CORES).map_or(Cores(1.0), |cores| cores.value);
    let demand = book.require(section, key::DEMAND, "cpu-per-request = \"exponential(1.4ms)\"");
    let demand = demand.map_or(Law::Exponential(Span::from_secs(1e-3)), |demand| demand.value);
    let demand = above_zero(book, section, demand);
    Capacity { cores, demand, tier: None, rating: None }
}

fn above_zero<'a>(book: &mut Book<'a>, section: &Section<'a>, demand: Law) -> Law {
    if demand.mean_secs() <= 0.0 {
        let title = "requests that take no CPU cannot be simulated";
        let help = "give `cpu-per-request` a mean above zero".to_owned();
        book.error(section.key_place(&key::DEMAND), title, help);
    }
    demand
}

/// How the CPU limit is enforced.
fn throttling<'a>(book: &mut Book<'a>, section: &Section<'a>, cores: Cores) -> Option<Throttling> {
    let on = book.get(section, key::THROTTLING);
    if !on.value {
        let reason = "only with throttling = true";
        book.idle(section, key::THROTTLING_PERIOD, reason);
        book.idle(section, key::THREADS, reason);
        return None;
    }
    let period = book.get(section, key::THROTTLING_PERIOD);
    let default = (cores.0.ceil() as u64, key::THREADS.mark, key::THREADS.source);
    let threads = book.count_or(section, key::THREADS, 1..=THREAD_LIMIT, default);
    let throttling = Throttling { period: period.value, threads: threads.value as u32 };
    if !(PERIOD_LEAST..=PERIOD_MOST).contains(&period.value) {
        let title = "`gateway.throttling-period` is out of range";
        let help = format!("the kubelet takes {PERIOD_LEAST} to {PERIOD_MOST}");
        book.error(period.place, title, help);
    } else if throttling.quota(cores) < QUOTA_LEAST.0 as f64 {
        let title = format!("{cores} is less than {QUOTA_LEAST} of CPU in each period");
        let help = "the kernel grants no less: raise `gateway.cores` or the throttling-period";
        let place = if period.given { period.place } else { section.key_place(&key::CORES) };
        book.error(place, title, help.to_owned());
    }
    check_threads(book, section, cores, (&on, &threads));
    Some(throttling)
}

/// Notes threads that cannot use the limit, and those that cannot exceed it.
fn check_threads<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    cores: Cores,
    (on, threads): (&Found<bool>, &Found<u64>),
) {
    let used = threads.value as f64;
    if used < cores.0 {
        let title = format!("fewer threads than cores: the limit of {cores} is out of reach");
        let help = format!("write threads = {} or more, or lower the cores", cores.0.ceil());
        book.error(threads.place.clone(), title, help);
    } else if used == cores.0 {
        let place = if section.has(&key::THREADS) { &threads.place } else { &on.place };
        let problem = Problem::warning(place.clone(), "`gateway.throttling` has no effect")
            .label(format!("threads = {used} never uses more than {cores}"))
            .help("raise `gateway.threads` above the cores");
        book.problems.push(problem);
    }
}

fn memory<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Option<Memory> {
    let limit = book.find(section, key::MEMORY);
    let per_request = book.find(section, key::MEMORY_PER_REQUEST);
    let (here, lacking) = match (section.has(&key::MEMORY), section.has(&key::MEMORY_PER_REQUEST)) {
        (true, false) => (section.key_place(&key::MEMORY), "memory-per-request"),
        (false, true) => (section.key_place(&key::MEMORY_PER_REQUEST), "memory"),
        _ => {
            let memory = |(limit, per): (Found<_>, Found<_>)| Memory {
                limit: limit.value,
                per_request: per.value,
            };
            return limit.zip(per_request).map(memory);
        }
    };
    let help = "memory is reported from both together".to_owned();
    book.error(here, format!("`gateway.{lacking}` is missing"), help);
    None
}

/// `[topology]` as read.
pub(crate) struct TopologyPart {
    pub(crate) plan: Topology,
    pub(crate) place: Place,
}

/// Reads `[topology]` for this many replicas.
pub(crate) fn read_topology<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    replicas: &Found<u64>,
) -> TopologyPart {
    let section = book.section(top, "topology");
    let default: Vec<_> = ["a", "b", "c"].map(|zone| located(zone.to_owned())).into();
    let (mark, source) = (topology::ZONES.mark, topology::ZONES.source);
    let zones = book.get_or(&section, topology::ZONES, default, mark, source);
    check_zones(book, &zones);
    let names: Vec<String> = zones.value.into_iter().map(|zone| zone.value).collect();
    let count = replicas.value as usize;
    let even: Vec<u64> =
        (0..names.len().max(1)).map(|zone| share(count, names.len(), zone)).collect();
    let default = even.iter().copied().map(located).collect();
    let per_zone = book.get_or(
        &section,
        topology::PER_ZONE,
        default,
        Mark::Documented,
        topology::PER_ZONE.source,
    );
    let sound = check_counts(book, &per_zone, names.len(), replicas);
    let counts =
        if sound { per_zone.value.iter().map(|count| count.value).collect() } else { even };
    let spread = book.get(&section, topology::SPREAD).value;
    if spread == Spread::ScheduleAnyway {
        book.idle(&section, topology::SKEW, "spread = \"schedule-anyway\" allows any");
    }
    let max_skew = book.count(&section, topology::SKEW, 1..=REPLICA_LIMIT).value as usize;
    let plan = Topology { zones: names, placement: placement(&counts), spread, max_skew };
    TopologyPart { plan, place: per_zone.place }
}

fn located<T>(value: T) -> Located<T> {
    let span: Range<usize> = 0..0;
    Located { value, span }
}

/// How many of `count` replicas an even spread puts in a zone.
fn share(count: usize, zones: usize, zone: usize) -> u64 {
    let zones = zones.max(1);
    (count / zones + usize::from(zone < count % zones)) as u64
}

/// The zone of each slot: one replica per zone in turn, until every zone has its count.
fn placement(counts: &[u64]) -> Vec<ZoneId> {
    let rounds = counts.iter().copied().max().unwrap_or(0);
    let round = |round| (0..counts.len()).filter(move |zone| counts[*zone] > round);
    (0..rounds).flat_map(round).collect()
}

/// What names of zones and faults consist of.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 64 && text.chars().all(plain)
}

fn check_zones(book: &mut Book<'_>, zones: &Found<Vec<Located<String>>>) {
    if zones.value.is_empty() || zones.value.len() > ZONE_LIMIT {
        let title = format!("{} zones cannot be simulated", zones.value.len());
        book.error(zones.place.clone(), title, format!("name 1 to {ZONE_LIMIT} zones"));
        return;
    }
    for (index, zone) in zones.value.iter().enumerate() {
        let place = Place::Span(zone.span.clone());
        if !is_name(&zone.value) || matches!(zone.value.as_str(), "any" | "all") {
            let title = format!("{:?} cannot name a zone", zone.value);
            book.error(place, title, "use letters, digits, -, _ and .; not any or all".to_owned());
        } else if zones.value[..index].iter().any(|other| other.value == zone.value) {
            let title = format!("the zone {:?} appears twice", zone.value);
            book.error(place, title, "give every zone a name of its own".to_owned());
        }
    }
}

/// Whether the counts fit the zones and the replicas.
fn check_counts(
    book: &mut Book<'_>,
    counts: &Found<Vec<Located<u64>>>,
    zones: usize,
    replicas: &Found<u64>,
) -> bool {
    let sum = counts.value.iter().fold(0_u64, |sum, count| sum.saturating_add(count.value));
    let label = if counts.value.len() != zones {
        format!("{} numbers for {zones} zones", counts.value.len())
    } else if sum != replicas.value {
        format!("these add up to {sum}")
    } else {
        return true;
    };
    if counts.given {
        let title =
            format!("`topology.replicas-per-zone` does not place {} replicas", replicas.value);
        let help = format!(
            "write one number per zone that together make `gateway.replicas`, or leave it out to \
             spread {} replicas evenly",
            replicas.value
        );
        let problem = Problem::error(counts.place.clone(), title).label(label).help(help);
        book.problems.push(problem);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_spread_fills_zone_after_zone() {
        let even =
            |count, zones| (0..zones).map(|zone| share(count, zones, zone)).collect::<Vec<_>>();
        assert_eq!(placement(&even(2, 3)), [0, 1]);
        assert_eq!(placement(&even(5, 3)), [0, 1, 2, 0, 1]);
        assert_eq!(placement(&[2, 0, 1]), [0, 2, 0]);
    }

    #[test]
    fn every_tier_carries_its_rating_below_full_cpu() {
        for catalogue in [Catalogue::V1_11, Catalogue::V1_12, Catalogue::V1_13] {
            for (tier, replicas) in [(Tier::Small, 2.0), (Tier::Large, 3.0), (Tier::XLarge, 3.0)] {
                let Some(size) = size(tier, catalogue) else { continue };
                let busy = size.rating / (size.saturation * replicas);
                assert!((0.4..0.71).contains(&busy), "{tier:?} of {catalogue:?}: {busy}");
            }
        }
    }
}
