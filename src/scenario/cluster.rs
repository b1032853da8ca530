//! The sections `[nodes]`, `[upgrade]` and `[termination]`.

use crate::diagnostic::Problem;
use crate::plan::{Detection, Eviction, Nodes, Termination, Topology, Upgrade};
use crate::random::Law;
use crate::scenario::Mark;
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::ingress::not_tiny;
use crate::scenario::keys::{nodes as key, termination, upgrade};
use crate::scenario::supply::Supply;
use crate::scenario::word::Provisioner;
use crate::units::{Share, Span};

const NODE_LIMIT: u64 = 1_000;

/// Reads `[termination]`.
pub(crate) fn read_termination<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    detection: &Detection,
) -> Termination {
    let section = book.section(top, "termination");
    let drain = book.get(&section, termination::DRAIN);
    if drain.given && drain.value > detection.grace {
        let help = format!("`detection.grace` cuts it off after {}", detection.grace);
        let problem = Problem::warning(drain.place, "no replica drains that long");
        book.problems.push(problem.help(help));
    }
    Termination { drain: drain.value }
}

/// Reads `[upgrade]`.
pub(crate) fn read_upgrade<'a>(book: &mut Book<'a>, top: &Section<'a>) -> Upgrade {
    let section = book.section(top, "upgrade");
    let limit = 0..=NODE_LIMIT;
    let surge = book.count(&section, upgrade::SURGE, limit.clone());
    let unavailable = book.count(&section, upgrade::UNAVAILABLE, limit);
    if surge.value == 0 && unavailable.value == 0 {
        let help = "raise `upgrade.unavailable` or `upgrade.surge`".to_owned();
        book.error(surge.place.clone(), "a rollout could neither add nor remove a replica", help);
    }
    let budget = book.count(&section, upgrade::BUDGET, 1..=NODE_LIMIT);
    let retry = book.get(&section, upgrade::RETRY);
    not_tiny(book, &retry, "upgrade.eviction-retry");
    Upgrade {
        surge: surge.value as usize,
        unavailable: unavailable.value as usize,
        budget: budget.value as usize,
        retry: retry.value,
    }
}

/// Reads `[nodes]` for replicas that are placed so.
pub(crate) fn read<'a>(book: &mut Book<'a>, top: &Section<'a>, topology: &Topology) -> Nodes {
    let section = book.section(top, "nodes");
    let (eviction, deleted) = (eviction(book, &section), book.get(&section, key::DELETED).value);
    let deletion = match deleted == Share::ZERO {
        true => {
            book.idle(&section, key::DELETION, "nodes.deleted is 0%");
            Law::ZERO
        }
        false => book.get(&section, key::DELETION).value,
    };
    let supply = book.get(&section, key::PER_ZONE);
    let Supply::Nodes(count) = supply.value else {
        let reason = "without nodes.per-zone a node with room is always there";
        book.idle(&section, key::PARTIAL, reason);
        book.idle(&section, key::LARGE_ZONE, reason);
        book.idle(&section, key::EVICTION_SLOWLY, reason);
        book.idle(&section, key::ROOM, reason);
        book.idle(&section, key::PROVISIONER, reason);
        book.idle(&section, key::NEW_NODE, reason);
        book.idle(&section, key::NEW_IMAGE, reason);
        return Nodes { eviction, deleted, deletion, ..Nodes::default() };
    };
    let room = book.count(&section, key::ROOM, 1..=NODE_LIMIT);
    if !(1..=NODE_LIMIT).contains(&count) {
        let title = "`nodes.per-zone` is out of range";
        let problem = Problem::error(supply.place.clone(), title);
        book.problems.push(problem.label(format!("1 to {NODE_LIMIT}, or \"as-needed\"")));
    }
    let (value, place) = (count.clamp(1, NODE_LIMIT), supply.place);
    let per_zone = Found { value, place, given: supply.given };
    check_room(book, topology, &per_zone, room.value);
    let provisioning = provisioning(book, &section);
    let image = match provisioning {
        None => Law::ZERO,
        Some(_) => book.get(&section, key::NEW_IMAGE).value,
    };
    Nodes {
        per_zone: Some(per_zone.value as usize),
        room: room.value as usize,
        provisioning,
        image,
        eviction,
        deleted,
        deletion,
    }
}

fn check_room(book: &mut Book<'_>, topology: &Topology, per_zone: &Found<u64>, room: u64) {
    let room = per_zone.value * room;
    let placed = |zone| topology.placement.iter().filter(|home| **home == zone).count() as u64;
    let most = (0..topology.zones.len()).map(placed).max().unwrap_or(0);
    if most > room {
        let title = format!("a zone has {most} replicas and room for {room}");
        let help = "raise nodes.per-zone or nodes.room, or use more zones".to_owned();
        book.error(per_zone.place.clone(), title, help);
    }
}

fn provisioning<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Option<Law> {
    let seconds = |least, most| Law::Uniform(Span::from_secs(least), Span::from_secs(most));
    let (takes, source) = match book.get(section, key::PROVISIONER).value {
        Provisioner::None => {
            book.idle(section, key::NEW_NODE, "nodes.provisioner adds none");
            return None;
        }
        Provisioner::Karpenter => (seconds(45.0, 65.0), "Karpenter: a new node in about a minute"),
        Provisioner::ClusterAutoscaler => {
            (seconds(180.0, 300.0), "the cluster autoscaler: a new node in 3 to 5 minutes")
        }
    };
    Some(book.get_or(section, key::NEW_NODE, takes, Mark::Measured, source).value)
}

fn eviction<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Eviction {
    Eviction {
        every: book.get(section, key::EVICTION_EVERY).value,
        partial_pct: (book.get(section, key::PARTIAL).value.0 * 100.0).round() as u32,
        large_zone: book.get(section, key::LARGE_ZONE).value as usize,
        slowly: book.get(section, key::EVICTION_SLOWLY).value,
    }
}
