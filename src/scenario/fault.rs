//! The sections `[[fault]]`.

use crate::diagnostic::{Place, Problem, suggestion};
use crate::plan::{Fault, FaultPlan, ReplicaTarget, Schedule, Surroundings, Topology};
use crate::random::Law;
use crate::scenario::Mark;
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::fault_around as around;
use crate::scenario::gateway::is_name;
use crate::scenario::keys::{Key, fault as key};
use crate::scenario::value::Value;
use crate::scenario::word::FaultKind;
use crate::units::{Instant, Share, Span};

const FAULT_LIMIT: usize = 1_000;

/// The most strikes of one fault that a replication may have on average.
const STRIKE_LIMIT: f64 = 1e7;

/// What a target may name.
pub(crate) struct Targets<'t> {
    pub(crate) topology: &'t Topology,
    pub(crate) instances: usize,
    /// Whether the file says how many nodes there are.
    pub(crate) known_nodes: bool,
    /// Whether somebody adds nodes.
    pub(crate) provisioner: bool,
    /// What surrounds the replicas, if the file says anything of it.
    pub(crate) around: Option<&'t Surroundings>,
    /// Whether the gateway knows contracts.
    pub(crate) contracts: bool,
    /// Whether the sections that declare them are free of errors.
    pub(crate) sound: bool,
}

/// Reads every `[[fault]]`, in the order of the file.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    targets: &Targets<'_>,
) -> Vec<(FaultPlan, Place)> {
    let sections = book.elements(top, "fault", FAULT_LIMIT);
    let mut names: Vec<String> = Vec::new();
    let mut faults = Vec::new();
    for section in &sections {
        if let Some(mut found) = fault(book, section, targets) {
            found.name = name(book, section, &found.name, &names);
            names.push(found.name.clone());
            faults.push((found, section.place.clone()));
        }
    }
    faults
}

/// The name that is given, or the kind with a number if an earlier fault is called so.
fn name<'a>(book: &mut Book<'a>, section: &Section<'a>, kind: &str, used: &[String]) -> String {
    let free = |name: &String| !used.contains(name);
    let numbered = (2..).map(|number| format!("{kind}-{number}"));
    let default = std::iter::once(kind.to_owned()).chain(numbered).find(free).unwrap_or_default();
    let name = book.get_or(section, key::NAME, default, Mark::Assumed, key::NAME.source);
    if !is_name(&name.value) {
        let title = format!("{:?} cannot name a fault", name.value);
        book.error(name.place, title, "use letters, digits, -, _ and .".to_owned());
    } else if used.contains(&name.value) {
        let title = format!("two faults are called {:?}", name.value);
        book.error(name.place, title, "give every fault a name of its own".to_owned());
    }
    name.value
}

fn fault<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    targets: &Targets<'_>,
) -> Option<FaultPlan> {
    let kind = book.require(section, key::KIND, "kind = \"replica-crash\"");
    let schedule = schedule(book, section);
    let kind = kind?.value;
    let duration = duration(book, section, kind);
    let share = cpu(book, section, kind);
    let part = part(book, section, kind, targets);
    around::forbid_others(book, section, kind);
    let target = target(book, section, kind, targets);
    let fault = match kind {
        FaultKind::ReplicaCrash => Fault::ReplicaCrash(replica(book, &target, targets)),
        FaultKind::ReplicaHang => Fault::ReplicaHang(replica(book, &target, targets)),
        FaultKind::ReplicaSlow => {
            Fault::ReplicaSlow(replica(book, &target, targets), share, duration)
        }
        FaultKind::ZoneOutage => {
            let zone = zone(book, &target, targets);
            match part {
                Some(part) => Fault::PartialOutage(zone, part, duration),
                None => Fault::ZoneOutage(zone, duration),
            }
        }
        FaultKind::ControlPlaneOutage => Fault::ControlPlaneOutage(duration),
        FaultKind::IngressLoss => Fault::IngressLoss(instance(book, &target, targets), duration),
        FaultKind::NodeLoss => {
            let lasts = section.has(&key::FOR).then_some(duration);
            Fault::NodeLoss(replica(book, &target, targets), lasts)
        }
        FaultKind::ProvisioningOutage => {
            if !targets.provisioner {
                let title = "an outage of what nobody provides";
                let problem = Problem::warning(section.place.clone(), title);
                let help = "write per-zone and provisioner in [nodes]";
                book.problems.push(problem.label("no node is ever added").help(help));
            }
            Fault::ProvisioningOutage(duration)
        }
        FaultKind::Rollout => Fault::Rollout,
        FaultKind::DrainNode => Fault::DrainNode(replica(book, &target, targets), duration),
        FaultKind::Maintenance => Fault::Maintenance(duration),
        FaultKind::UpstreamOutage => around::outage(book, section, &target, duration, targets)?,
        FaultKind::UpstreamSlow => around::slow(book, section, &target, duration, targets)?,
        FaultKind::StorageOutage => around::storage(book, section, duration, targets),
        FaultKind::ContractRevoked => around::contract(book, section, &target, targets)?,
    };
    let name = kind.show().trim_matches('"').to_owned();
    Some(FaultPlan { name, fault, schedule: schedule? })
}

fn schedule<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Option<Schedule> {
    match (section.has(&key::AT), section.has(&key::EVERY)) {
        (true, false) => {
            let at = book.find(section, key::AT)?;
            Some(Schedule::At(Instant(at.value.0)))
        }
        (false, true) => every(book, section),
        (true, true) => {
            let title = "a fault strikes once or at random, not both";
            let help = "drop `at` or `every`".to_owned();
            book.error(section.key_place(&key::EVERY), title, help);
            None
        }
        (false, false) => {
            let help = "write at = \"3m\" for once, or every = \"exponential(30d)\" for at random";
            let title = "this fault does not say when it strikes";
            book.error(section.place.clone(), title, help.to_owned());
            None
        }
    }
}

fn every<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Option<Schedule> {
    let every = book.find(section, key::EVERY)?;
    if every.value.mean_secs() <= 0.0 {
        let help = "give `every` a mean above zero".to_owned();
        book.error(every.place, "this fault would strike without end", help);
        return None;
    }
    Some(Schedule::Random(every.value))
}

/// How long the fault lasts; zero for those that a replacement ends.
fn duration<'a>(book: &mut Book<'a>, section: &Section<'a>, kind: FaultKind) -> Law {
    let reason = match kind {
        FaultKind::ReplicaCrash | FaultKind::ReplicaHang => {
            "it ends when the replica is replaced or restarted"
        }
        FaultKind::Rollout => "it ends when every replica is replaced",
        FaultKind::ContractRevoked => "a contract is revoked for good",
        _ => "",
    };
    if !reason.is_empty() {
        forbid(book, section, &key::FOR, kind, reason);
        return Law::ZERO;
    }
    match kind {
        FaultKind::DrainNode | FaultKind::Maintenance => {
            let away = Law::Constant(Span::from_secs(180.0));
            let source = "an emptied machine is away for 3 minutes";
            return book.get_or(section, key::FOR, away, Mark::Assumed, source).value;
        }
        FaultKind::NodeLoss if !section.has(&key::FOR) => return Law::ZERO,
        _ => {}
    }
    let Some(found) = book.require(section, key::FOR, "for = \"10m\"") else { return Law::ZERO };
    if found.value.mean_secs() <= 0.0 {
        let help = "give `for` a mean above zero".to_owned();
        book.error(found.place, "this fault lasts no time", help);
    }
    found.value
}

fn cpu<'a>(book: &mut Book<'a>, section: &Section<'a>, kind: FaultKind) -> Share {
    if kind != FaultKind::ReplicaSlow {
        forbid(book, section, &key::CPU, kind, "only replica-slow has it");
        return Share::ZERO;
    }
    let Some(found) = book.require(section, key::CPU, "cpu = \"30%\"") else { return Share::ZERO };
    if found.value == Share::ONE {
        let title = "a replica with 100% of its CPU is not slow";
        book.error(found.place, title, "write a smaller share; \"0%\" pauses it".to_owned());
    }
    found.value
}

/// The share of a zone's nodes that an outage takes, if not all.
fn part<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    kind: FaultKind,
    targets: &Targets<'_>,
) -> Option<Share> {
    if kind != FaultKind::ZoneOutage {
        forbid(book, section, &key::PART, kind, "only zone-outage has it");
        return None;
    }
    let part = book.get(section, key::PART);
    if part.value == Share::ZERO {
        let help = "write a share above \"0%\"".to_owned();
        book.error(part.place, "an outage of no nodes is none", help);
    } else if part.value < Share::ONE && !targets.known_nodes {
        let help = "write per-zone = 3 in [nodes]".to_owned();
        book.error(part.place, "a share of the nodes needs their number", help);
    }
    (part.value < Share::ONE).then_some(part.value)
}

pub(crate) fn forbid<'a, T>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    key: &Key<T>,
    kind: FaultKind,
    reason: &str,
) {
    if section.has(key) {
        let title = format!("a fault of kind {} has no `{}`", kind.show(), key.name);
        book.problems.push(Problem::error(section.key_place(key), title).label(reason));
    }
}

fn target<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    kind: FaultKind,
    targets: &Targets<'_>,
) -> Found<String> {
    let reason = match kind {
        FaultKind::UpstreamOutage | FaultKind::UpstreamSlow | FaultKind::ContractRevoked => {
            return around::target(book, section, kind, targets);
        }
        FaultKind::StorageOutage => "replicas share one storage",
        FaultKind::ControlPlaneOutage => "there is one control plane",
        FaultKind::ProvisioningOutage | FaultKind::Rollout | FaultKind::Maintenance => {
            "it concerns the cluster as a whole"
        }
        _ => "",
    };
    if !reason.is_empty() {
        forbid(book, section, &key::TARGET, kind, reason);
        return around::no_target();
    }
    book.get(section, key::TARGET)
}

/// The replicas' names, slot by slot: zone and number within the zone.
pub(crate) fn replica_names(topology: &Topology) -> Vec<String> {
    let mut counts = vec![0_usize; topology.zones.len()];
    let mut name = |zone: &usize| {
        counts[*zone] += 1;
        format!("{}-{}", topology.zones[*zone], counts[*zone])
    };
    topology.placement.iter().map(&mut name).collect()
}

fn replica(book: &mut Book<'_>, target: &Found<String>, targets: &Targets<'_>) -> ReplicaTarget {
    let (text, zones) = (target.value.trim(), &targets.topology.zones);
    let names = replica_names(targets.topology);
    match text {
        "any" => return ReplicaTarget::Any,
        "all" => return ReplicaTarget::All,
        _ => {}
    }
    if let Some(slot) = names.iter().position(|name| name == text) {
        return ReplicaTarget::Slot(slot);
    }
    let named = text.strip_prefix("zone ").map(str::trim);
    if let Some(zone) = named.and_then(|name| zones.iter().position(|zone| zone == name)) {
        return ReplicaTarget::Zone(zone);
    }
    let mut choices = vec!["any".to_owned(), "all".to_owned()];
    choices.extend(zones.iter().map(|zone| format!("zone {zone}")));
    choices.extend(names);
    let zone = zones.iter().any(|zone| zone == text);
    let help = zone.then(|| format!("write \"zone {text}\" for every replica in it"));
    unknown(book, target, "replica or zone", help, targets, &choices);
    ReplicaTarget::Any
}

fn zone(book: &mut Book<'_>, target: &Found<String>, targets: &Targets<'_>) -> Option<usize> {
    let text = target.value.trim();
    let zones = &targets.topology.zones;
    let name = text.strip_prefix("zone ").map_or(text, str::trim);
    let found = zones.iter().position(|zone| zone == name);
    if found.is_none() && text != "any" {
        let mut choices = vec!["any".to_owned()];
        choices.extend(zones.iter().map(|zone| format!("zone {zone}")));
        unknown(book, target, "zone", None, targets, &choices);
    }
    found
}

fn instance(book: &mut Book<'_>, target: &Found<String>, targets: &Targets<'_>) -> Option<usize> {
    let text = target.value.trim();
    let number = text.parse().ok().filter(|number| (1..=targets.instances).contains(number));
    if number.is_none() && text != "any" {
        let numbers = (1..=targets.instances).map(|number| number.to_string());
        let choices: Vec<String> = std::iter::once("any".to_owned()).chain(numbers).collect();
        unknown(book, target, "ingress instance", None, targets, &choices);
    }
    number.map(|number: usize| number - 1)
}

fn unknown(
    book: &mut Book<'_>,
    target: &Found<String>,
    what: &str,
    help: Option<String>,
    targets: &Targets<'_>,
    choices: &[String],
) {
    if !targets.sound {
        return;
    }
    let title = format!("the target {:?} is no {what} of this scenario", target.value);
    let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
    let help = help.or_else(|| suggestion(&target.value, choices)).unwrap_or_default();
    book.error(target.place.clone(), title, help);
}

/// Notes faults that strike outside the run, or too often to be simulated.
pub(crate) fn check_times(
    book: &mut Book<'_>,
    faults: &[(FaultPlan, Place)],
    horizon: Instant,
    warm_up: Instant,
    targets: &Targets<'_>,
) {
    let Topology { zones, placement, .. } = targets.topology;
    let things = zones.len().max(placement.len()).max(targets.instances) as f64;
    for (fault, place) in faults {
        let name = &fault.name;
        match &fault.schedule {
            Schedule::At(at) if *at >= horizon => {
                let title = format!("the fault {name:?} never strikes");
                let help = format!("it is set for {at}, but the run ends at {horizon}");
                book.error(place.clone(), title, help);
            }
            Schedule::At(at) if *at < warm_up => {
                let title = format!("the fault {name:?} strikes during warm-up");
                let help = format!("nothing before {warm_up} is counted; let it strike later");
                book.problems.push(Problem::warning(place.clone(), title).help(help));
            }
            Schedule::Random(law) => {
                let strikes = horizon.as_secs() / law.mean_secs() * things;
                if strikes > STRIKE_LIMIT {
                    let title = format!("the fault {name:?} strikes too often");
                    let help = "lengthen the mean of `every` or shorten the run".to_owned();
                    book.error(place.clone(), title, help);
                }
            }
            Schedule::At(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Spread;

    #[test]
    fn replicas_are_counted_within_their_zone() {
        let zones = vec!["a".to_owned(), "b".to_owned()];
        let spread = Spread::ScheduleAnyway;
        let topology = Topology { zones, placement: vec![0, 1, 0], spread, max_skew: 1 };
        assert_eq!(replica_names(&topology), ["a-1", "b-1", "a-2"]);
    }
}
