//! What the target of a fault names.

use crate::autoscaler::goals::MetricGoal;
use crate::diagnostic::{Place, clip, suggestion};
use crate::plan::{
    Dependencies, FaultPlan, HostTarget, InstanceTarget, Nodes, ReplicaTarget, Topology,
};
use crate::random::Law;
use crate::scenario::reader::{Parsed, SectionReader};

/// The zone of the fault that is followed.
pub(crate) const SAME_ZONE: &str = "same zone";

/// What a target may name.
pub(crate) struct Targets<'t> {
    pub(crate) topology: &'t Topology,
    pub(crate) instances: usize,
    /// What replicas run on.
    pub(crate) nodes: &'t Nodes,
    /// The metrics of the autoscaler; none if there is none.
    pub(crate) goals: &'t [MetricGoal],
    /// Whether the gateway may have an autoscaler at all.
    pub(crate) scales: bool,
    /// Clients and upstreams.
    pub(crate) dependencies: &'t Dependencies,
    /// Whether the gateway knows contracts.
    pub(crate) contracts: bool,
    /// Whether the sections that declare them are free of errors.
    pub(crate) sound: bool,
}

impl Targets<'_> {
    /// How many clients there are.
    pub(crate) fn clients(&self) -> usize {
        self.dependencies.clients.popularity.keys
    }
}

/// A fault as read.
pub(crate) struct PlacedFault {
    pub(crate) plan: FaultPlan,
    /// The region that it strikes, of several; `None` = what they share.
    pub(crate) region: Option<usize>,
    /// Where it is written.
    pub(crate) place: Place,
}

/// A fault while it is read, with what its kind takes.
pub(crate) struct FaultReader<'f> {
    pub(crate) section: &'f SectionReader<'f>,
    pub(crate) targets: &'f Targets<'f>,
    /// Its target as written.
    pub(crate) target: Parsed<String>,
    /// How long it lasts; zero for those that something else ends.
    pub(crate) duration: Law,
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

impl FaultReader<'_> {
    /// Reads `any`, `all`, `zone b` or `b-1`.
    pub(crate) fn replica(&self) -> ReplicaTarget {
        let (text, zones) = (self.target.value.trim(), &self.targets.topology.zones);
        let names = replica_names(self.targets.topology);
        match text {
            "any" => return ReplicaTarget::Any,
            "all" => return ReplicaTarget::All,
            // All of the zone that another fault will strike.
            SAME_ZONE => return ReplicaTarget::All,
            _ => {}
        }
        if let Some(slot) = names.iter().position(|name| name == text) {
            return ReplicaTarget::Slot(slot);
        }
        let named = text.strip_prefix("zone ").map(str::trim);
        if let Some(zone) = named.and_then(|name| zones.iter().position(|zone| zone == name)) {
            return ReplicaTarget::Zone(zone);
        }
        let zone_names = zones.iter().map(|zone| format!("zone {zone}"));
        let choices = ["any".to_owned(), "all".to_owned()].into_iter().chain(zone_names);
        let zone = zones.iter().any(|zone| zone == text);
        let help = zone.then(|| format!("write \"zone {text}\" for every replica in it"));
        self.unknown("replica or zone", help, choices.chain(names));
        ReplicaTarget::Any
    }

    /// Reads `any`, `zone b` or `b`.
    pub(crate) fn zone(&self) -> Option<usize> {
        self.zone_or("any")
    }

    /// Reads `all`, `zone b` or `b`.
    pub(crate) fn supply(&self) -> Option<usize> {
        self.zone_or("all")
    }

    fn zone_or(&self, other: &str) -> Option<usize> {
        let (text, zones) = (self.target.value.trim(), &self.targets.topology.zones);
        let name = text.strip_prefix("zone ").map_or(text, str::trim);
        let found = zones.iter().position(|zone| zone == name);
        if found.is_none() && text != other && text != SAME_ZONE {
            let names = zones.iter().map(|zone| format!("zone {zone}"));
            self.unknown("zone", None, [other.to_owned()].into_iter().chain(names));
        }
        found
    }

    /// Reads `any`, `all` or the number of an ingress instance.
    pub(crate) fn instance(&self) -> InstanceTarget {
        let (text, instances) = (self.target.value.trim(), self.targets.instances);
        if text == "all" {
            return InstanceTarget::All;
        }
        let number = text.parse().ok().filter(|number| (1..=instances).contains(number));
        if number.is_none() && text != "any" {
            let numbers = (1..=instances).map(|number| number.to_string());
            let words = ["any", "all"].map(str::to_owned).into_iter();
            self.unknown("ingress instance", None, words.chain(numbers));
        }
        number.map_or(InstanceTarget::Any, |number: usize| InstanceTarget::One(number - 1))
    }

    /// Reads `orders` or `orders/2`.
    pub(crate) fn hosts(&self) -> Option<HostTarget> {
        let upstreams = &self.targets.dependencies.upstreams;
        if upstreams.is_empty() {
            let help = "write an [[upstream]] with name and latency";
            self.section.error(self.section, "this scenario has no upstream", help);
            return None;
        }
        let text = self.target.value.trim();
        if text.is_empty() {
            return None;
        }
        let (name, host) = match text.split_once('/') {
            Some((name, host)) => (name.trim(), Some(host.trim())),
            None => (text, None),
        };
        let Some(upstream) = upstreams.iter().position(|one| one.name == name) else {
            let names = upstreams.iter().map(|one| one.name.as_str());
            let help = suggestion(name, names).unwrap_or_default();
            self.refuse(format!("no upstream is called {:?}", clip(name)), help);
            return None;
        };
        let count = upstreams[upstream].hosts;
        let Some(host) = host else { return Some(HostTarget { upstream, host: None }) };
        let number = host.parse().ok().filter(|number| (1..=count).contains(number));
        if number.is_none() {
            let help = match count {
                1 => format!("it has one: write {name:?}"),
                _ => format!("its hosts are \"{name}/1\" to \"{name}/{count}\""),
            };
            self.refuse(format!("the upstream {name:?} has no host {:?}", clip(host)), help);
        }
        number.map(|number: usize| HostTarget { upstream, host: Some(number - 1) })
    }

    /// Reads the number of a client.
    pub(crate) fn client(&self) -> Option<usize> {
        let (text, count) = (self.target.value.trim(), self.targets.clients());
        let number = text.parse().ok().filter(|number| (1..=count).contains(number));
        if number.is_none() && !text.is_empty() {
            let help = format!("clients are counted from 1 to {count} (`clients.count`)");
            self.refuse(format!("there is no client {:?}", clip(text)), help);
        }
        number.map(|number: usize| number - 1)
    }

    fn unknown(&self, what: &str, help: Option<String>, choices: impl Iterator<Item = String>) {
        let choices: Vec<String> = choices.collect();
        let text = &self.target.value;
        let help = help.or_else(|| suggestion(text, choices.iter().map(String::as_str)));
        let title = format!("the target {text:?} is no {what} of this scenario");
        self.refuse(title, help.unwrap_or_default());
    }

    /// Notes that the target names nothing, unless that follows from other errors.
    fn refuse(&self, title: String, help: String) {
        if self.targets.sound {
            self.section.error(&self.target, title, help);
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
        let neutral = crate::plan::Plan::neutral().topology;
        let topology = Topology { zones, placement: vec![0, 1, 0], spread, ..neutral };
        assert_eq!(replica_names(&topology), ["a-1", "b-1", "a-2"]);
    }
}
