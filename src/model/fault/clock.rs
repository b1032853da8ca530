//! The clocks of faults: when a random one comes next, how long a fault lasts, whom it hits.
//!
//! Every fault has a stream for each entity that it may hit, keyed by the fault's name and the
//! entity, so another scenario with the same fault meets the same times.

use crate::plan::{Fault, FaultPlan, InstanceTarget, Plan, Schedule, Target};
use crate::random::{Law, Seed, Stream};
use crate::units::Span;

/// The streams of every fault, by fault and entity, and the number of incidents so far.
#[derive(Clone, Debug)]
pub(in crate::model) struct Clocks {
    streams: Vec<Vec<Stream>>,
    incidents: usize,
}

impl Clocks {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let of_fault = |fault: &FaultPlan| {
            let purpose = format!("fault {}", fault.name);
            (0..entities(plan, &fault.fault)).map(|e| seed.stream(&purpose, e as u64)).collect()
        };
        Clocks { streams: plan.faults.iter().map(of_fault).collect(), incidents: 0 }
    }

    /// How many entities a fault may hit.
    pub fn entities(&self, fault: usize) -> usize {
        self.streams[fault].len()
    }

    /// One of `count` things that a fault may hit, each with equal probability.
    pub fn choose(&mut self, fault: usize, count: usize) -> usize {
        debug_assert!(count > 0, "fault {fault} has nothing to choose from");
        self.streams[fault][0].below(count)
    }

    /// A time drawn for an entity that a fault may hit.
    pub fn draw(&mut self, fault: usize, entity: usize, law: &Law) -> Span {
        law.draw(&mut self.streams[fault][entity])
    }

    /// How long an entity stays well before a random fault hits it; `None` for a scripted one.
    pub fn next(&mut self, fault: usize, entity: usize, schedule: &Schedule) -> Option<Span> {
        match schedule {
            Schedule::At(_) | Schedule::After(_) | Schedule::Elsewhere => None,
            Schedule::Random(law) => Some(self.draw(fault, entity, law)),
        }
    }

    /// Whether an incident of this number has begun.
    pub fn has_begun(&self, incident: usize) -> bool {
        incident < self.incidents
    }

    /// The number that the next incident will have.
    pub fn next_incident(&self) -> usize {
        self.incidents
    }

    /// The number of a new incident.
    pub fn number_incident(&mut self) -> usize {
        self.incidents += 1;
        self.incidents - 1
    }
}

/// How many entities a fault may hit.
fn entities(plan: &Plan, fault: &Fault) -> usize {
    match fault.target() {
        Target::Replicas(_) => plan.slots(),
        Target::Zone(_) => plan.topology.zones.len(),
        Target::ControlPlane
        | Target::Cluster
        | Target::Dependencies
        | Target::Ingress(InstanceTarget::All) => 1,
        Target::Ingress(_) => plan.ingress.instances.len(),
    }
}
