//! The section `[topology]`.

use std::ops::Range;

use crate::diagnostic::{Place, Problem};
use crate::plan::{NodeTaints, Spread, Topology, ZoneId};
use crate::scenario::reader::{Parsed, Reader, SectionReader, keys};
use crate::scenario::section::gateway::REPLICA_LIMIT;
use crate::scenario::text::{Located, is_name, words};

words! {
    Spread { ScheduleAnyway = "schedule-anyway", DoNotSchedule = "do-not-schedule" }
    NodeTaints { Ignore = "ignore", Honor = "honor" }
}

keys! { key "topology" {
    ZONES: Vec<Located<String>> = "zones", "", Inferred, "up to three replicas in as many zones",
        "Names of the zones.";
    PER_ZONE: Vec<Located<u64>> = "replicas-per-zone", "", Documented, "replicas are spread evenly",
        "How many replicas each zone has at first.";
    SPREAD: Spread = "spread", "schedule-anyway", Inferred, "Kubernetes' own default",
        "What the scheduler does when zones would become uneven.";
    SKEW: u64 = "max-skew", "1", Documented, "advice for Runtime Fabric",
        "By how many replicas a zone may exceed the zone with the fewest.",
        Unless("spread", &["\"schedule-anyway\""], "spread = \"schedule-anyway\" allows any");
    BY_VERSION: bool = "match-label-keys", "true", Inferred, "each version is spread by itself",
        "Whether the spread counts replicas of one version alone (matchLabelKeys with \
         pod-template-hash); else old and new ones together, which leaves rollouts uneven.";
    TAINTS: NodeTaints = "node-taints-policy", "ignore", Documented, "Kubernetes' own default",
        "Whether nodes that are cordoned or not ready count for the spread, with the replicas on \
         them, or (honor) not.";
}}

const ZONE_LIMIT: usize = 100;

/// `[topology]` as read.
pub(crate) struct TopologyPart {
    pub(crate) plan: Topology,
    pub(crate) place: Place,
    /// Whether the file says which zone has how many replicas.
    pub(crate) placed: bool,
}

/// Reads `[topology]` for this many replicas.
pub(crate) fn read(reader: &Reader<'_>, replicas: &Parsed<u64>) -> TopologyPart {
    let section = reader.section(&key::SPEC);
    let default: Vec<_> = ["a", "b", "c"].map(|zone| located(zone.to_owned())).into();
    let zones = section.or(key::ZONES, default.clone());
    check_zones(&section, &zones);
    let mut names: Vec<String> = zones.value.into_iter().map(|zone| zone.value).collect();
    let count = replicas.value as usize;
    let even: Vec<u64> =
        (0..names.len().max(1)).map(|zone| share(count, names.len(), zone)).collect();
    let per_zone = section.or(key::PER_ZONE, even.iter().copied().map(located).collect());
    let sound = check_counts(&section, &per_zone, names.len(), replicas);
    let counts =
        if sound { per_zone.value.iter().map(|count| count.value).collect() } else { even };
    if names.is_empty() {
        // A stand-in, so that the rest of the file can be checked.
        names = default.into_iter().map(|zone| zone.value).collect();
    }
    let spread = section.get(key::SPREAD);
    let max_skew = section.count(key::SKEW, 1..=REPLICA_LIMIT).value as usize;
    let plan = Topology {
        zones: names,
        placement: placement(&counts),
        spread,
        max_skew,
        by_version: section.get(key::BY_VERSION),
        taints: section.get(key::TAINTS),
    };
    TopologyPart { plan, place: per_zone.place, placed: per_zone.given }
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

fn check_zones(section: &SectionReader<'_>, zones: &Parsed<Vec<Located<String>>>) {
    if zones.value.is_empty() || zones.value.len() > ZONE_LIMIT {
        let title = format!("{} zones cannot be simulated", zones.value.len());
        section.error(zones, title, format!("name 1 to {ZONE_LIMIT} zones"));
        return;
    }
    for (index, zone) in zones.value.iter().enumerate() {
        let place = Place::Span(zone.span.clone());
        if !is_name(&zone.value) || matches!(zone.value.as_str(), "any" | "all") {
            let title = format!("{:?} cannot name a zone", zone.value);
            section.error(place, title, "use letters, digits, -, _ and .; not any or all");
        } else if zones.value[..index].iter().any(|other| other.value == zone.value) {
            let title = format!("the zone {:?} appears twice", zone.value);
            section.error(place, title, "give every zone a name of its own");
        }
    }
}

/// Whether the counts fit the zones and the replicas.
fn check_counts(
    section: &SectionReader<'_>,
    counts: &Parsed<Vec<Located<u64>>>,
    zones: usize,
    replicas: &Parsed<u64>,
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
        section.note(problem);
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
}
