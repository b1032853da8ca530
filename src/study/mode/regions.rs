//! Who carries a load, of several regions: which part of it goes where, and which of them a loss
//! strikes.

use crate::objective::Objective;
use crate::plan::{Extent, Plan, RegionRole, Regions};
use crate::scenario::Scenario;
use crate::study::mode::gateway::{fluid_limit_of, moot_of};
use crate::study::mode::kind::Mode;

/// A gateway, the part of the load that it carries, and what happens to it.
#[derive(Clone, Copy, Debug)]
pub(in crate::study) struct Carrier<'a> {
    pub gateway: &'a Plan,
    /// Above zero.
    pub part: f64,
    /// The part that it carries until a loss.
    pub before: f64,
    pub mode: Mode,
    /// The region that it is, of several.
    pub region: Option<usize>,
}

impl Carrier<'_> {
    /// The load of all at which the CPU of its survivors is full, of the replicas that it has when
    /// the loss comes.
    pub(super) fn fluid_limit(&self) -> f64 {
        fluid_limit_of(self.gateway, self.mode, self.before / self.part) / self.part
    }
}

/// The gateways of a plan: one, or that of each region.
pub(super) fn gateways(plan: &Plan) -> Vec<&Plan> {
    match &plan.regions {
        None => vec![plan],
        Some(regions) => regions.all.iter().map(|region| &region.gateway).collect(),
    }
}

/// Who carries a load in a mode: of a region that is lost, the others, once clients are led there.
pub(super) fn carriers(base: &Scenario, mode: Mode) -> Vec<Carrier<'_>> {
    let Some(regions) = &base.plan.regions else { return vec![alone(&base.plan, mode)] };
    of_regions(regions, mode, struck(base, mode))
}

/// Who carries it while nothing fails.
pub(in crate::study) fn carriers_healthy(plan: &Plan) -> Vec<Carrier<'_>> {
    match &plan.regions {
        None => vec![alone(plan, Mode::Healthy)],
        Some(regions) => of_regions(regions, Mode::Healthy, None),
    }
}

fn alone(gateway: &Plan, mode: Mode) -> Carrier<'_> {
    Carrier { gateway, part: 1.0, before: 1.0, mode, region: None }
}

/// Who carries a load before the loss of a mode, or after it; nobody, if nobody is left after it.
pub(in crate::study) fn carriers_ever(base: &Scenario, mode: Mode) -> Vec<Carrier<'_>> {
    let mut all = carriers(base, mode);
    if mode == Mode::RegionLoss && !all.is_empty() {
        all.extend(carriers_healthy(&base.plan));
    }
    all
}

/// Who carries it where the loss strikes this region.
fn of_regions(regions: &Regions, mode: Mode, struck: Option<usize>) -> Vec<Carrier<'_>> {
    let is_lost = |region| mode == Mode::RegionLoss && struck == Some(region);
    // A cold region is deployed through the control plane.
    let home = regions.control_plane.as_ref().map(|(home, _)| *home);
    let can_deploy = !home.is_some_and(is_lost);
    let can_serve = |region: usize| {
        let is_cold = regions.all[region].role == RegionRole::Cold;
        !is_lost(region) && (can_deploy || !is_cold)
    };
    let serves: Vec<bool> = (0..regions.all.len()).map(can_serve).collect();
    let before = regions.shares(&vec![true; regions.all.len()]);
    let shares = regions.shares(&serves).into_iter().enumerate();
    let carrier = |(index, part): (usize, f64)| {
        let everywhere = !mode.loses();
        let mode = if everywhere || struck == Some(index) { mode } else { Mode::Healthy };
        let (gateway, before) = (&regions.all[index].gateway, before[index]);
        Carrier { gateway, part, before, mode, region: Some(index) }
    };
    shares.filter(|(_, part)| *part > 0.0).map(carrier).collect()
}

/// The region that the loss of a mode strikes, if there are several and something is lost: the one
/// where it leaves least; of equal ones one that no objective is for, which nothing would tell of
/// once it is lost, then the home of the control plane, then the first.
pub(super) fn struck(base: &Scenario, mode: Mode) -> Option<usize> {
    let regions = base.plan.regions.as_ref().filter(|_| mode.loses())?;
    let home = regions.control_plane.as_ref().map(|(home, _)| *home);
    let means_something = |region: &usize| {
        let gateway = &regions.all[*region].gateway;
        mode == Mode::RegionLoss || moot_of(gateway, mode).is_none()
    };
    let is_spoken_of = |region: usize| {
        let is_for = |one: &Objective| {
            let window = &base.plan.windows[one.window];
            (window.extent, window.api) == (Extent::Run, Some(region))
        };
        mode == Mode::RegionLoss && base.objectives.iter().any(is_for)
    };
    let left = |region: usize| {
        let carriers = of_regions(regions, mode, Some(region));
        let rank = (is_spoken_of(region), home != Some(region), region);
        (least_of(carriers, |one| one.fluid_limit()), rank)
    };
    let active = regions.active().filter(means_something).map(left);
    let least = active.min_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    least.map(|(_, (.., region))| region)
}

/// The least of these loads; zero where nobody carries any.
pub(super) fn least_of(all: Vec<Carrier>, of: impl Fn(&Carrier) -> f64) -> f64 {
    all.iter().map(of).reduce(f64::min).unwrap_or_default()
}
