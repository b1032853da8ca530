//! What is lost in each mode, and where.

use crate::plan::{Fault, FaultPlan, Plan, RegionRole, ReplicaTarget, Schedule};
use crate::random::Law;
use crate::scenario::Scenario;
use crate::study::mode::gateway::fullest_zone;
use crate::study::mode::kind::Mode;
use crate::study::mode::regions;
use crate::units::{Instant, SECOND, Share, Span};

/// How long before the replica the control plane is lost.
const BEFORE: Span = Span(30 * SECOND);

/// Faults, each with the region that it strikes, if there are several.
pub(super) type Losses = Vec<(FaultPlan, Option<usize>)>;

/// Longer than any run that is judged.
fn for_good() -> Law {
    Law::Constant(Span(365 * 86_400 * SECOND))
}

/// The faults of a mode, of which what is judged begins with the `injection`.
pub(super) fn of(base: &Scenario, mode: Mode, injection: Instant) -> Losses {
    let plan = &base.plan;
    let region = regions::struck(base, mode);
    let fault = |name: &str, fault, at| {
        let schedule = Schedule::At(at);
        (FaultPlan { name: name.to_owned(), fault, schedule }, region)
    };
    let crash = || fault("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), injection);
    match mode {
        Mode::Healthy | Mode::DailyPeak => Vec::new(),
        Mode::ReplicaLoss => vec![crash()],
        Mode::ZoneLoss => {
            let gateway = regions::gateways(plan)[region.unwrap_or(0)];
            let zone = Fault::ZoneOutage(Some(fullest_zone(gateway)), for_good());
            vec![fault("zone", zone, injection)]
        }
        Mode::WithoutControlPlane => {
            let early = Instant(injection.0.saturating_sub(BEFORE.0));
            let (outage, _) = fault("control-plane", Fault::ControlPlaneOutage(for_good()), early);
            // All regions share it.
            vec![(outage, None), crash()]
        }
        Mode::RegionLoss => vec![fault("region", Fault::RegionOutage(for_good()), injection)],
    }
}

/// Gives every gateway its part of the traffic and of what is lost, and the replicas that it begins
/// with.
pub(super) fn settle(plan: &mut Plan, losses: Losses) {
    let (faults, of_fault) = losses.into_iter().unzip();
    plan.faults = faults;
    let Some(mut regions) = plan.regions.take() else { return plan.settle(Share::ONE) };
    let shares = regions.shares(&vec![true; regions.all.len()]);
    for (region, share) in regions.all.iter_mut().zip(shares) {
        assert!(share > 0.0 || region.role != RegionRole::Active, "{} serves nobody", region.name);
        region.gateway.traffic = plan.traffic.clone();
        region.gateway.settle(Share(share));
    }
    regions.of_fault = of_fault;
    *plan = Plan::of_regions(plan.clone(), *regions);
}
