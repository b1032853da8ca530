//! The sections `[nodes]`, `[upgrade]` and `[termination]`.

use crate::diagnostic::{Flaw, Place, Problem};
use crate::plan::{
    AfterTimeout, Budget, Detection, Eviction, Nodes, Plan, Portion, Termination,
    UnhealthyEvictions, Upgrade,
};
use crate::random::Law;
use crate::scenario::reader::{Mark, Only, Parsed, Reader, SectionReader, TypedKey, keys};
use crate::scenario::text::value::{Node, Value};
use crate::scenario::text::{ValueShape, words};
use crate::units::{Share, Span};

words! {
    UnhealthyEvictions { IfHealthyBudget = "if-healthy-budget", AlwaysAllow = "always-allow" }
    AfterTimeout { Forced = "forced", GivenUp = "given-up" }
}

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
        "Replicas that a rollout may have beyond those wanted; a share is rounded up and may be \
         more than 100 %.";
    UNAVAILABLE: Portion = "unavailable", "25%", Documented, "Kubernetes",
        "Replicas that a rollout may lack; a share is rounded down.";
    MIN_READY: Span = "min-ready", "0s", Documented, "Kubernetes' minReadySeconds",
        "From when a new replica is ready until a rollout counts on it.";
    DEADLINE: Span = "progress-deadline", "600s", Documented,
        "Kubernetes' progressDeadlineSeconds",
        "Without progress for so long a rollout is said to have failed; nothing rolls it back.";
    BUDGET: Portion = "disruption-budget", "30%", Inferred, "CloudHub 2.0 moves 30 % at a time",
        "Replicas that may be unavailable when a node is emptied (the budget's maxUnavailable); a \
         share is rounded up.";
    AVAILABLE: Portion = "min-available", "", Given, "",
        "Or: replicas that must stay ready when a node is emptied (minAvailable); a share is \
         rounded up.";
    UNHEALTHY: UnhealthyEvictions = "unhealthy-evictions", "if-healthy-budget", Documented,
        "Kubernetes' unhealthyPodEvictionPolicy",
        "When a replica that runs and is not ready may be evicted: while as many are ready as must \
         stay, or always.";
    RETRY: Span = "eviction-retry", "5s", Documented, "kubectl drain",
        "Until an eviction that the budget forbids is tried again.";
    DRAIN_TIMEOUT: Span = "drain-timeout", "", Documented, "kubectl drain waits for ever",
        "How long a node is waited for until it is empty: 1h with GKE, 15m with EKS, 30m with AKS.";
    AFTER_TIMEOUT: AfterTimeout = "after-drain-timeout", "forced", Documented, "GKE",
        "What comes then: its replicas are deleted whatever the budget says (GKE), or it is \
         uncordoned and nothing else is emptied (EKS unless forced, AKS).",
        With(&["drain-timeout"]);
}}

const NODE_LIMIT: u64 = 1_000;

/// The largest surge of a rollout: Kubernetes knows no limit, but many more replicas than are
/// wanted are a slip of the pen.
const SURGE_PERCENT: u64 = 1_000;

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
    fn shape() -> ValueShape {
        ValueShape::Either(vec![ValueShape::Whole, ValueShape::Words(vec![AS_NEEDED])])
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
    fn shape() -> ValueShape {
        ValueShape::Either(vec![ValueShape::Whole, ValueShape::text("[0-9]+\\s*%?")])
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
pub(crate) fn read_upgrade(reader: &Reader<'_>) -> (Upgrade, Place) {
    let section = reader.section(&upgrade::SPEC);
    let surge = portion(&section, upgrade::SURGE, SURGE_PERCENT);
    let unavailable = portion(&section, upgrade::UNAVAILABLE, 100);
    if surge.value.is_none() && unavailable.value.is_none() {
        let help = "raise `upgrade.unavailable` or `upgrade.surge`";
        section.error(&surge, "a rollout could neither add nor remove a replica", help);
    }
    let (min_ready, deadline) =
        (section.get(upgrade::MIN_READY), section.parsed(upgrade::DEADLINE));
    let (budget, place) = budget(&section);
    if deadline.value <= min_ready {
        let help = format!("raise it above `upgrade.min-ready`, which is {min_ready}");
        section.error(&deadline, "every rollout would miss this deadline", help);
    }
    let timeout = section.find(upgrade::DRAIN_TIMEOUT);
    let plan = Upgrade {
        surge: surge.value,
        unavailable: unavailable.value,
        min_ready,
        deadline: deadline.value,
        budget,
        unhealthy: section.get(upgrade::UNHEALTHY),
        retry: section.period(upgrade::RETRY).value,
        drain_timeout: timeout.map(|timeout| timeout.value),
        after_timeout: section.get(upgrade::AFTER_TIMEOUT),
    };
    (plan, place)
}

/// The disruption budget, and where it is written.
fn budget(section: &SectionReader<'_>) -> (Budget, Place) {
    let missing = portion(section, upgrade::BUDGET, 100);
    let Some(ready) = section.find(upgrade::AVAILABLE) else {
        return (Budget::Unavailable(missing.value), (&missing).into());
    };
    if missing.given {
        let help = "drop `disruption-budget` or `min-available`";
        section.error(&missing, "a disruption budget says one of the two", help);
    }
    check_portion(section, upgrade::AVAILABLE, &ready, 100);
    (Budget::Available(ready.value), (&ready).into())
}

/// Warns of a disruption budget that allows no eviction whatever is ready.
pub(crate) fn check_budget(reader: &Reader<'_>, plan: &Plan, place: Place) {
    let (least, most) = (plan.fewest_replicas(), plan.most_replicas());
    if (least..=most).any(|wanted| plan.upgrade.allows_any(wanted)) {
        return;
    }
    let title = "the disruption budget never allows an eviction";
    let help = match (plan.upgrade.drain_timeout, plan.upgrade.after_timeout) {
        (None, _) => "a node that is to be emptied waits for ever".to_owned(),
        (Some(timeout), AfterTimeout::Forced) => {
            format!("a node is emptied by force after {timeout}")
        }
        (Some(timeout), AfterTimeout::GivenUp) => {
            format!("no node is emptied: given up after {timeout}")
        }
    };
    let stay = plan.upgrade.budgeted(most);
    let problem = Problem::warning(place, title).label(format!("{stay} of {most} must stay ready"));
    reader.note(problem.help(help));
}

/// A number or share of replicas, of at most so many per cent.
fn portion(section: &SectionReader<'_>, key: TypedKey<Portion>, percent: u64) -> Parsed<Portion> {
    let portion = section.parsed(key);
    check_portion(section, key, &portion, percent);
    portion
}

fn check_portion(
    section: &SectionReader<'_>,
    key: TypedKey<Portion>,
    portion: &Parsed<Portion>,
    percent: u64,
) {
    let (given, most) = match portion.value {
        Portion::Count(count) => (count as u64, NODE_LIMIT),
        Portion::Percent(given) => (u64::from(given), percent),
    };
    if given > most {
        let title = format!("`upgrade.{}` is out of range", key.name);
        let problem = Problem::error(portion.into(), title);
        section.note(problem.label(format!("0 to {NODE_LIMIT}, or 0 to {percent} %")));
    }
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
