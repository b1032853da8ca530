//! The sections `[nodes]`, `[upgrade]` and `[termination]`.

use crate::diagnostic::{Flaw, Place, Problem};
use crate::plan::{Detection, Eviction, Nodes, Plan, Portion, Termination, Upgrade};
use crate::random::Law;
use crate::scenario::reader::{Mark, Only, Parsed, Reader, SectionReader, TypedKey, keys};
use crate::scenario::text::value::{Node, Value};
use crate::scenario::text::words;
use crate::units::{Share, Span};

words! {
    /// Who adds nodes.
    enum Provisioner {
        None = "none", Karpenter = "karpenter", ClusterAutoscaler = "cluster-autoscaler",
    }
}

const COUNTED: Only = Only::Unless(
    "per-zone",
    &["\"as-needed\""],
    "without nodes.per-zone a node with room is always there",
);

const ADDED: Only = Only::Unless("provisioner", &["\"none\""], "nodes.provisioner adds none");

keys! { termination "termination" {
    DRAIN: Span = "drain", "25s", Documented, "Helm chart and gateway documentation",
        "From the deletion of a replica until its process exits, whatever it still has.";
}}

keys! { key "nodes" {
    PER_ZONE: Supply = "per-zone", "as-needed", Assumed, "a warm node is always there",
        "Nodes that each zone has at the start, or \"as-needed\".";
    ROOM: u64 = "room", "1", Assumed, "a node for each replica",
        "Replicas that one node has room for.", COUNTED;
    PROVISIONER: Provisioner = "provisioner", "none", Assumed, "what is there must do",
        "Who adds nodes for replicas that find no room.", COUNTED;
    NEW_NODE: Law = "new-node", "", Measured, "the provisioner",
        "From the wish for a node until it is ready.", COUNTED, ADDED;
    NEW_IMAGE: Law = "new-image", "uniform(10s, 25s)", Inferred, "the image is not on a new node",
        "Image pull of the first replica on a node that was added.", COUNTED, ADDED;
    EVICTION_EVERY: Span = "eviction-every", "10s", Documented, "0.1 nodes a second",
        "Between two nodes of a zone that are marked for eviction.";
    PARTIAL: Share = "partial-outage", "55%", Documented, "kube-controller-manager",
        "Share of nodes not ready, more than two, from which a zone is partly disrupted.", COUNTED;
    LARGE_ZONE: u64 = "large-zone", "50", Documented, "kube-controller-manager",
        "Nodes up to which evictions stop in a partly disrupted zone.", COUNTED;
    EVICTION_SLOWLY: Span = "eviction-slowly", "100s", Documented, "0.01 nodes a second",
        "Between two nodes that are marked in a larger one.", COUNTED;
    DELETED: Share = "deleted", "0%", Inferred, "the cloud's controller is not counted on",
        "Share of lost nodes that the cloud's controller deletes before the toleration ends.";
    DELETION: Law = "deletion", "uniform(0s, 5s)", Inferred,
        "the cloud's controller looks every 5 s",
        "From not ready until such a node is deleted.",
        Unless("deleted", &["\"0%\""], "nodes.deleted is 0%");
}}

keys! { upgrade "upgrade" {
    SURGE: Portion = "surge", "25%", Documented, "Kubernetes",
        "Replicas that a rollout may have beyond those wanted; a share is rounded up.";
    UNAVAILABLE: Portion = "unavailable", "25%", Documented, "Kubernetes",
        "Replicas that a rollout may lack; a share is rounded down.";
    MIN_READY: Span = "min-ready", "0s", Documented, "Kubernetes' minReadySeconds",
        "From when a new replica is ready until a rollout counts on it.";
    DEADLINE: Span = "progress-deadline", "600s", Documented,
        "Kubernetes' progressDeadlineSeconds",
        "Without progress for so long a rollout is said to have failed; nothing rolls it back.";
    BUDGET: Portion = "disruption-budget", "30%", Inferred, "CloudHub 2.0 moves 30 % at a time",
        "Replicas that may be unavailable when a node is emptied; a share is rounded up.";
    RETRY: Span = "eviction-retry", "5s", Documented, "kubectl drain",
        "Until an eviction that the budget forbids is tried again.";
}}

const NODE_LIMIT: u64 = 1_000;

const AS_NEEDED: &str = "as-needed";

/// A number of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    /// One with room is always there.
    AsNeeded,
    /// So many.
    Nodes(u64),
}

impl Value for Supply {
    fn kind() -> String {
        format!("a whole number or {AS_NEEDED:?}")
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        if text == AS_NEEDED {
            return Ok(Supply::AsNeeded);
        }
        let wrong = || Flaw::new(format!("{text:?} is no number of nodes"));
        text.parse().map(Supply::Nodes).map_err(|_| wrong())
    }
    fn show(&self) -> String {
        match self {
            Supply::AsNeeded => format!("{AS_NEEDED:?}"),
            Supply::Nodes(count) => count.to_string(),
        }
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        match node.value.as_str() {
            Some(text) if text == AS_NEEDED => Ok(Supply::AsNeeded),
            _ => u64::read(node).map(Supply::Nodes),
        }
    }
}

impl Value for Portion {
    fn kind() -> String {
        "a whole number or a whole share, such as \"25%\"".to_owned()
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        let wrong = || Flaw::new(format!("{text:?} is no number or whole share of replicas"));
        let portion = match text.trim().strip_suffix('%') {
            Some(percent) => percent.trim().parse().map(Portion::Percent),
            None => text.trim().parse().map(Portion::Count),
        };
        portion.map_err(|_| wrong())
    }
    fn show(&self) -> String {
        match self {
            Portion::Count(count) => count.to_string(),
            Portion::Percent(percent) => format!("\"{percent}%\""),
        }
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        match node.value.as_str() {
            Some(text) => Self::parse(text).map_err(|flaw| vec![node.within(flaw, text)]),
            None => u64::read(node).map(|count| Portion::Count(count as usize)),
        }
    }
}

/// Reads `[termination]`.
pub(crate) fn read_termination(reader: &Reader<'_>, detection: &Detection) -> Termination {
    let section = reader.section(&termination::SPEC);
    let drain = section.parsed(termination::DRAIN);
    if drain.given && drain.value > detection.grace {
        let help = format!("`detection.grace` cuts it off after {}", detection.grace);
        section.warn(&drain, "no replica drains that long", help);
    }
    Termination { drain: drain.value }
}

/// Reads `[upgrade]`.
pub(crate) fn read_upgrade(reader: &Reader<'_>) -> Upgrade {
    let section = reader.section(&upgrade::SPEC);
    let surge = portion(&section, upgrade::SURGE, true);
    let unavailable = portion(&section, upgrade::UNAVAILABLE, true);
    if surge.value.is_none() && unavailable.value.is_none() {
        let help = "raise `upgrade.unavailable` or `upgrade.surge`";
        section.error(&surge, "a rollout could neither add nor remove a replica", help);
    }
    let (min_ready, deadline) =
        (section.get(upgrade::MIN_READY), section.parsed(upgrade::DEADLINE));
    if deadline.value <= min_ready {
        let help = format!("raise it above `upgrade.min-ready`, which is {min_ready}");
        section.error(&deadline, "every rollout would miss this deadline", help);
    }
    Upgrade {
        surge: surge.value,
        unavailable: unavailable.value,
        min_ready,
        deadline: deadline.value,
        budget: portion(&section, upgrade::BUDGET, false).value,
        retry: section.period(upgrade::RETRY).value,
    }
}

/// A number or share of replicas.
fn portion(
    section: &SectionReader<'_>,
    key: TypedKey<Portion>,
    may_be_none: bool,
) -> Parsed<Portion> {
    let portion = section.parsed(key);
    let least = u64::from(!may_be_none);
    let (given, most) = match portion.value {
        Portion::Count(count) => (count as u64, NODE_LIMIT),
        Portion::Percent(percent) => (u64::from(percent), 100),
    };
    if !(least..=most).contains(&given) {
        let title = format!("`upgrade.{}` is out of range", key.name);
        let problem = Problem::error((&portion).into(), title);
        section.note(problem.label(format!("{least} to {NODE_LIMIT}, or {least} to 100 %")));
    }
    portion
}

/// Reads `[nodes]` for replicas that are placed so.
pub(crate) fn read(reader: &Reader<'_>) -> (Nodes, Place) {
    let section = reader.section(&key::SPEC);
    let deleted = section.get(key::DELETED);
    let mut nodes = Nodes { eviction: eviction(&section), deleted, ..Nodes::default() };
    if deleted > Share::ZERO {
        nodes.deletion = section.get(key::DELETION);
    }
    let supply = section.parsed(key::PER_ZONE);
    let place = supply.place.clone();
    let Supply::Nodes(count) = supply.value else { return (nodes, place) };
    let room = section.count(key::ROOM, 1..=NODE_LIMIT).value;
    if !(1..=NODE_LIMIT).contains(&count) {
        let problem = Problem::error((&supply).into(), "`nodes.per-zone` is out of range");
        section.note(problem.label(format!("1 to {NODE_LIMIT}, or \"as-needed\"")));
    }
    let count = count.clamp(1, NODE_LIMIT);
    (nodes.per_zone, nodes.room) = (Some(count as usize), room as usize);
    nodes.provisioning = provisioning(&section);
    if nodes.provisioning.is_some() {
        nodes.image = section.get(key::NEW_IMAGE);
    }
    (nodes, place)
}

/// Refuses more replicas at the start than there is room for, whether they are written or what the
/// autoscaler holds at the first rate.
pub(crate) fn check_room(reader: &Reader<'_>, plan: &Plan, supply: Place) {
    let Some(count) = plan.nodes.per_zone else { return };
    let (topology, room) = (&plan.topology, count * plan.nodes.room);
    let placed = |zone| topology.placement.iter().filter(|home| **home == zone).count();
    let most = (0..topology.zones.len()).map(placed).max().unwrap_or(0);
    if most > room {
        let title = format!("a zone has {most} replicas at the start and room for {room}");
        let problem = Problem::error(supply, title);
        reader.note(problem.help("raise nodes.per-zone or nodes.room, or use more zones"));
    }
}

fn provisioning(section: &SectionReader<'_>) -> Option<Law> {
    let (least, most, source) = match section.get(key::PROVISIONER) {
        Provisioner::None => return None,
        Provisioner::Karpenter => (45.0, 65.0, "Karpenter: a new node in about a minute"),
        Provisioner::ClusterAutoscaler => {
            (180.0, 300.0, "the cluster autoscaler: a new node in 3 to 5 minutes")
        }
    };
    let takes = Law::Uniform(Span::from_secs(least), Span::from_secs(most));
    Some(section.get_or(key::NEW_NODE, takes, Mark::Measured, source).value)
}

fn eviction(section: &SectionReader<'_>) -> Eviction {
    Eviction {
        every: section.get(key::EVICTION_EVERY),
        partial_pct: (section.get(key::PARTIAL).0 * 100.0).round() as u32,
        large_zone: section.get(key::LARGE_ZONE) as usize,
        slowly: section.get(key::EVICTION_SLOWLY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portion_is_a_whole_number_or_a_whole_share() {
        for (text, portion) in [("3", Portion::Count(3)), ("25%", Portion::Percent(25))] {
            assert_eq!(Portion::parse(text).unwrap(), portion);
        }
        for wrong in ["", "%", "-1", "2.5", "2.5%", "a%", "99999999999999999999999"] {
            assert!(Portion::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_number_or_as_needed() {
        assert_eq!(
            Supply::parse("as-needed").map(|supply| supply.show()).unwrap(),
            "\"as-needed\""
        );
        assert_eq!(Supply::parse("3").unwrap(), Supply::Nodes(3));
        assert!(Supply::parse("three").is_err() && Supply::parse("-1").is_err());
    }
}
