//! One gateway, as the sections of a file describe it together: a plan without faults and windows.

use crate::diagnostic::Place;
use crate::plan::{Plan, Run};
use crate::scenario::fault::target::Targets;
use crate::scenario::reader::{Parsed, Reader};
use crate::scenario::request::dependencies;
use crate::scenario::section::gateway::{GatewayPart, Tier};
use crate::scenario::section::topology::TopologyPart;
use crate::scenario::section::{autoscaler, gateway, nodes, run, startup, topology};
use crate::scenario::traffic::arrivals::{self, TrafficPart};
use crate::scenario::{check, ingress};
use crate::units::{Instant, Rate, Share};

/// A gateway that was read.
pub(crate) struct Assembled {
    /// Its plan, without faults and windows.
    pub(crate) plan: Plan,
    pub(crate) gateway: GatewayPart,
    pub(crate) topology: TopologyPart,
    pub(crate) traffic: TrafficPart,
    /// Of one that cannot be had: how its tier is sold, and what this is instead.
    pub(crate) what_if: Option<String>,
    /// Where the nodes are described.
    pub(crate) supply: Place,
    pub(crate) sound: GatewaySound,
}

/// Which sections are free of errors, so that checks across them make sense.
pub(crate) struct GatewaySound {
    pub(crate) gateway: bool,
    pub(crate) ingress: bool,
    pub(crate) dependencies: bool,
}

/// Reads every section that describes a gateway. Its run gets this `part` of the traffic at first.
pub(crate) fn read(reader: &Reader<'_>, run: Option<Run>, part: Share) -> Assembled {
    let (gateway, capacity_sound) = reader.is_sound(|| gateway::read(reader));
    let (topology, placed) = reader.is_sound(|| topology::read(reader, &gateway.replicas));
    let gateway_sound = capacity_sound && placed;
    let zones = &topology.plan;
    let (ingress, ingress_sound) = reader.is_sound(|| ingress::read(reader, &gateway, zones));
    let (dependencies, dependencies_sound) =
        reader.is_sound(|| dependencies::read(reader, &gateway, &ingress));
    let probes = startup::read_probes(reader, &gateway, &dependencies.upstreams);
    let apis = reader.has_any(&dependencies::SECTIONS).then_some(&dependencies.apis[..]);
    let startup = startup::read(reader, &gateway, &probes, apis);
    let detection = startup::read_detection(reader, &probes);
    let termination = nodes::read_termination(reader, &detection);
    let (nodes, supply) = nodes::read(reader);
    let (upgrade, budget) = nodes::read_upgrade(reader);
    let (autoscaling, scaling_sound) = reader.is_sound(|| autoscaler::read(reader, &gateway));
    let what_if = match gateway_sound && scaling_sound {
        true => check::product(reader, &gateway, autoscaling.as_ref(), &topology),
        false => None,
    };
    let replicas = gateway.plan.replicas;
    let traffic = arrivals::read(reader, run.map(|run| run.horizon), replicas, &dependencies);
    let plan = Plan {
        gateway: gateway.plan.clone(),
        topology: topology.plan.clone(),
        ingress,
        traffic: traffic.plan.clone(),
        dependencies,
        startup,
        detection,
        nodes,
        upgrade,
        termination,
        autoscaling,
        faults: Vec::new(),
        windows: Vec::new(),
        run: run.unwrap_or_else(stand_in),
        regions: None,
    };
    let sound = GatewaySound {
        gateway: gateway_sound,
        ingress: ingress_sound,
        dependencies: dependencies_sound,
    };
    let mut read = Assembled { plan, gateway, topology, traffic, what_if, supply, sound };
    let budget = Some(budget).filter(|_| gateway_sound && scaling_sound);
    read.settle(reader, part, budget);
    read
}

/// Stands in for a run that could not be read, so that the rest can be checked.
fn stand_in() -> Run {
    let horizon = Instant::NEVER;
    Run { horizon, warm_up: Instant::ZERO, seed: 0, replications: 1, bin: run::bin(horizon) }
}

impl Assembled {
    /// Gives an autoscaled gateway the replicas to start with, if nobody says which.
    fn settle(&mut self, reader: &Reader<'_>, part: Share, budget: Option<Place>) {
        if !self.topology.placed {
            self.plan.settle(part);
        }
        nodes::check_room(reader, &self.plan, self.supply.clone());
        if let Some(budget) = budget {
            nodes::check_budget(reader, &self.plan, budget);
        }
    }

    /// What faults of it may name.
    pub(crate) fn targets(&self) -> Targets<'_> {
        let Assembled { plan, sound, .. } = self;
        Targets {
            topology: &plan.topology,
            instances: plan.ingress.instances.len(),
            nodes: &plan.nodes,
            goals: plan.autoscaling.as_ref().map_or(&[][..], |one| &one.spec.goals),
            scales: self.gateway.tier.is_none_or(Tier::scales),
            dependencies: &plan.dependencies,
            contracts: self.gateway.contracts,
            sound: sound.gateway && sound.ingress && sound.dependencies,
        }
    }

    /// Notes what cannot work, or probably means something else, in this gateway alone. It gets
    /// this `part` of the traffic at most; with the faults of its plan that strike it.
    pub(crate) fn check(&self, reader: &Reader<'_>, plan: &Plan, part: Share, faults_sound: bool) {
        let part_of =
            |peak: &Parsed<Rate>| Parsed { value: Rate(peak.value.0 * part.0), ..peak.clone() };
        let peak = &self.traffic.peak.as_ref().map(part_of);
        let peak = peak.as_ref();
        if self.sound.gateway {
            check::load(reader, plan, peak, self.gateway.rating);
            check::starved_start(reader, plan, peak);
            check::admission(reader, plan, peak);
            check::overload(reader, plan, peak);
        }
        check::boot(reader, plan);
        check::upstreams(reader, plan);
        check::retries(reader, plan);
        check::sticky(reader, plan);
        if faults_sound {
            check::failover(reader, plan);
        }
        if faults_sound && self.sound.gateway {
            check::rollout(reader, plan);
        }
    }
}
