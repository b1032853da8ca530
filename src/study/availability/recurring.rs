//! The faults of a plan that come again and again: how often, on what, and for how long.

use crate::plan::{Fault, InstanceTarget, Plan, ReplicaTarget, Schedule, Target, Traffic};
use crate::random::{Law, Stream};
use crate::units::{Rate, Span};

/// A fault that strikes at random, as a Poisson process.
#[derive(Clone, Debug, PartialEq)]
pub struct RecurringFault {
    /// Index of the fault in the plan.
    pub fault: usize,
    /// Its name.
    pub name: String,
    /// Strikes in a second on everything that it may strike, while all of that is there.
    pub per_second: f64,
    /// What one strike may hit, each with equal probability: slots, zones, ingress instances. One
    /// that is not there is not hit.
    pub entities: Vec<usize>,
    /// Whether what it hits cannot be hit again before it is over.
    pub is_exclusive: bool,
    /// By what law it lasts, if it is over by itself.
    pub lasts: Option<Law>,
    /// From its end, or from the strike if it has none of its own, until the gateway is surely back
    /// to normal.
    pub settles: Span,
    /// Whether its law has a memory, which a Poisson process of the same rate has not.
    pub is_assumed: bool,
    /// Whether, some time after a strike, all is as it stays until its end.
    pub is_quiet: bool,
}

impl RecurringFault {
    /// The mean time from a strike until all is surely normal again, in seconds.
    pub fn mean_window(&self) -> f64 {
        self.lasts.as_ref().map_or(0.0, Law::mean_secs) + self.settles.as_secs()
    }

    /// A strike of it.
    pub fn strike(&self, kind: usize, at: f64, stream: &mut Stream) -> Strike {
        let entity = self.entities[stream.below(self.entities.len())];
        let lasts = self.lasts.as_ref().map(|law| law.draw(stream));
        let window = lasts.unwrap_or_default() + self.settles;
        Strike { kind, entity, at, lasts, over: at + window.as_secs() }
    }
}

/// One strike of a recurring fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Strike {
    /// Which of the recurring faults.
    pub kind: usize,
    /// What it hits.
    pub entity: usize,
    /// Seconds after the first strike of its cluster.
    pub at: f64,
    /// How long it lasts, if that does not follow from what happens.
    pub lasts: Option<Span>,
    /// Seconds after the first strike at which it is surely forgotten.
    pub over: f64,
}

/// The faults of a plan that strike at random; `ready` = replicas in rotation at the most, of one
/// gateway.
pub fn recurring(plan: &Plan, ready: usize) -> Vec<RecurringFault> {
    let all = plan.faults.iter().enumerate().filter_map(|(fault, entry)| {
        let Schedule::Random(law) = &entry.schedule else { return None };
        let entities = match plan.regions.as_deref() {
            None => entities(plan, &entry.fault, ready),
            Some(regions) => {
                let gateway = &regions.all[regions.of_fault[fault].unwrap_or(0)].gateway;
                entities(gateway, &entry.fault, most_ready(gateway))
            }
        };
        let is_exclusive = !matches!(entry.fault.target(), Target::Replicas(_));
        let lasts = lasts(&entry.fault);
        let mut one = RecurringFault {
            fault,
            name: entry.name.clone(),
            per_second: 0.0,
            entities,
            is_exclusive,
            lasts,
            settles: FIRST_SETTLING,
            is_assumed: !matches!(law, Law::Exponential(_)),
            is_quiet: !plan.faults.iter().any(|one| matches!(one.schedule, Schedule::After(_))),
        };
        one.per_second = one.entities.len() as f64 / law.mean_secs();
        Some(one)
    });
    all.filter(|one| one.per_second > 0.0).collect()
}

/// What is tried first for [`RecurringFault::settles`].
pub const FIRST_SETTLING: Span = Span(400 * crate::units::SECOND);

/// Replicas that a region has at the most when it serves everybody.
fn most_ready(gateway: &Plan) -> usize {
    match &gateway.traffic {
        Traffic::Process(process) => {
            let requests = process.peak().0 * gateway.requests_per_arrival();
            gateway.replicas_at(Rate(requests)).max(gateway.gateway.replicas)
        }
        Traffic::Replay(_) => gateway.most_replicas(),
    }
}

/// What a fault may hit; of replicas there are so many.
fn entities(plan: &Plan, fault: &Fault, ready: usize) -> Vec<usize> {
    let all_or = |one: Option<usize>, count: usize| one.map_or((0..count).collect(), |it| vec![it]);
    match fault.target() {
        Target::Replicas(ReplicaTarget::Any | ReplicaTarget::All) => (0..ready).collect(),
        Target::Replicas(ReplicaTarget::Slot(slot)) => vec![slot],
        Target::Replicas(ReplicaTarget::Zone(wanted)) => {
            let placed = plan.topology.placement.iter().enumerate();
            placed.filter(|(_, zone)| **zone == wanted).map(|(slot, _)| slot).collect()
        }
        Target::Zone(zone) => all_or(zone, plan.topology.zones.len()),
        Target::Ingress(InstanceTarget::Any) => all_or(None, plan.ingress.instances.len()),
        Target::Ingress(InstanceTarget::One(instance)) => vec![instance],
        Target::Ingress(InstanceTarget::All)
        | Target::ControlPlane
        | Target::Cluster
        | Target::Dependencies => vec![0],
    }
}

/// By what law a fault lasts, if it is over by itself.
pub fn lasts(fault: &Fault) -> Option<Law> {
    lasts_mut(&mut fault.clone()).cloned()
}

pub(super) fn lasts_mut(fault: &mut Fault) -> Option<&mut Law> {
    match fault {
        Fault::ReplicaSlow(_, _, lasts)
        | Fault::GrayFailure(_, lasts)
        | Fault::ZoneOutage(_, lasts)
        | Fault::PartialOutage(_, _, lasts)
        | Fault::NodeLoss(_, Some(lasts))
        | Fault::NodeShutdown(_, _, Some(lasts))
        | Fault::ProvisioningOutage(_, lasts)
        | Fault::ApiServerOutage(lasts)
        | Fault::DrainNode(_, lasts)
        | Fault::Maintenance(lasts)
        | Fault::MetricsOutage(_, lasts)
        | Fault::RegionOutage(lasts)
        | Fault::ManagerFrozen(lasts)
        | Fault::PlannedFailover(lasts)
        | Fault::ControlPlaneOutage(lasts)
        | Fault::IngressLoss(_, lasts)
        | Fault::UpstreamOutage(_, _, lasts)
        | Fault::UpstreamSlow(_, _, lasts)
        | Fault::StorageOutage(lasts) => Some(lasts),
        Fault::ReplicaCrash(_)
        | Fault::ReplicaHang(_)
        | Fault::NodeLoss(_, None)
        | Fault::NodeShutdown(_, _, None)
        | Fault::Rollout(_)
        | Fault::ContractRevoked(_)
        | Fault::CachePurge => None,
    }
}
