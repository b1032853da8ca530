//! What the loss of a region leaves for the others to carry.

use crate::experiment::summary::Summary;
use crate::plan::{Fault, Plan, RegionRole, Regions};
use crate::report::caveats::caveat::Caveat;

/// The greatest load, so many cores of work with this name, against what each region can carry:
/// while all are healthy, else when another one is lost.
pub(super) fn capacity(regions: &Regions, (work, load): (f64, &str)) -> Option<Caveat> {
    region_overload(regions, work, load).or_else(|| region_spare(regions, work))
}

/// The faults of single regions by which requests failed, and that no health check noticed.
pub(super) fn unnoticed(plan: &Plan, summary: &Summary) -> Vec<Caveat> {
    let Some(regions) = &plan.regions else { return Vec::new() };
    let asks = regions.manager.check.as_ref().map(|check| check.asks);
    let found = summary.faults.iter().enumerate().filter_map(|(index, fault)| {
        let is_gray = matches!(plan.faults[index].fault, Fault::GrayFailure(..));
        let failed = fault.failed.is_some_and(|(_, most)| most > 0);
        let region = plan.region_of(index).filter(|_| is_gray && failed)?;
        let (region, fault_name) = (regions.all[region].name.clone(), fault.name.clone());
        let noticed = fault.failover.is_some();
        (!noticed).then_some(Caveat::Unnoticed { fault: fault_name, region, asks })
    });
    found.collect()
}

/// The region that gets more than it can carry while all are healthy, if there is one.
fn region_overload(regions: &Regions, work: f64, load: &str) -> Option<Caveat> {
    let shares = regions.shares(&vec![true; regions.all.len()]);
    let busy = shares.iter().zip(&regions.all).enumerate();
    let busy =
        busy.map(|(one, (part, region))| (work * part / region_cores(regions, one), &region.name));
    let (utilisation, name) = busy.max_by(|one, other| one.0.total_cmp(&other.0))?;
    let load = format!("the part of {load} that region {name} gets");
    (utilisation > 1.0).then_some(Caveat::Overload { load, utilisation })
}

/// Cores of all replicas that a region may have.
fn region_cores(regions: &Regions, region: usize) -> f64 {
    let gateway = &regions.all[region].gateway;
    gateway.gateway.cores.0 * gateway.most_replicas() as f64
}

/// The region that is busiest when another one is lost, if it is too busy.
fn region_spare(regions: &Regions, work: f64) -> Option<Caveat> {
    let lost = regions.active().flat_map(|lost| after_loss(regions, lost, work));
    let worst = lost.max_by(|one, other| one.utilisation.total_cmp(&other.utilisation));
    let Survivor { lost, left, utilisation } = worst.filter(|one| one.utilisation > 1.0)?;
    let [lost, left] = [lost, left].map(|region| regions.all[region].name.clone());
    Some(Caveat::RegionSpare { lost, left, utilisation })
}

/// A region that carries what another one had.
struct Survivor {
    lost: usize,
    left: usize,
    /// Of the CPU of all replicas that it may have.
    utilisation: f64,
}

/// What each region that gets clients then has to carry when one is lost that serves them.
fn after_loss(regions: &Regions, lost: usize, work: f64) -> Vec<Survivor> {
    let serves: Vec<bool> = (0..regions.all.len()).map(|one| one != lost).collect();
    let shares = regions.shares(&serves).into_iter().enumerate().filter(|(_, part)| *part > 0.0);
    let busy = |(left, part): (usize, f64)| {
        let utilisation = work * part / region_cores(regions, left);
        Survivor { lost, left, utilisation }
    };
    shares.map(busy).collect()
}

/// Of the regions that are left when the faults of a plan take or leave one, the utilisation of
/// the busiest by so many cores of work, with all replicas that it may have; `None` if nobody is
/// left or no region is lost. A cold one is none that is left if the control plane goes as well.
pub(super) fn busiest_survivor(plan: &Plan, work: f64) -> Option<f64> {
    let regions = plan.regions.as_ref()?;
    let home = regions.control_plane.as_ref().map(|(home, _)| *home);
    let faults = plan.regions_left_in(0).into_iter();
    let lost: Vec<usize> = faults.filter_map(|fault| plan.region_of(fault)).collect();
    let is_there =
        |one: &Survivor| regions.all[one.left].role != RegionRole::Cold || home != Some(one.lost);
    let all = lost.into_iter().filter(|lost| regions.active().any(|one| one == *lost));
    let all = all.flat_map(|lost| after_loss(regions, lost, work)).filter(is_there);
    all.map(|one| one.utilisation).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_regions_that_is_told_which_is_too_busy_when_another_one_is_lost() {
        let told = |rate: &str, regions: &str| {
            let text = format!(
                "question = \"?\"\ntraffic.rate = \"{rate}\"\nrun.horizon = \"10m\"\n[gateway]\n\
                 tier = \"small\"\n{regions}"
            );
            let loaded = crate::scenario::read::parse("a.toml", &text, std::path::Path::new(""));
            let scenario = loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.problems));
            let (plan, work) = (scenario.plan, |rate: f64| rate / 600.0);
            let all = plan.regions.as_ref().unwrap();
            let rate: f64 = rate.trim_end_matches("/s").parse().unwrap();
            capacity(all, (work(rate), "the load"))
        };
        // Two replicas of a tenth of a core carry 120/s, where a request takes 1/600 s.
        let region = |name: &str, more: &str| format!("[[region]]\nname = \"{name}\"\n{more}");
        let two = region("x", "") + &region("y", "");
        assert_eq!(told("100/s", &two), None);
        let Some(Caveat::RegionSpare { lost, left, utilisation }) = told("200/s", &two) else {
            panic!("one gets what two had")
        };
        assert!((utilisation - 200.0 / 120.0).abs() < 0.01 && lost != left, "{utilisation}");
        // By weight: of 2, 1 and 1 each of the small ones gets a half when the large one is lost.
        let three = region("x", "weight = 2\n") + &region("y", "") + &region("z", "");
        let Some(Caveat::RegionSpare { lost, utilisation, .. }) = told("200/s", &three) else {
            let part = told("200/s", &three);
            panic!("{part:?}")
        };
        assert!((utilisation - 2.0 / 3.0 * 200.0 / 120.0).abs() < 0.01, "{lost}: {utilisation}");
        let standby = region("x", "") + &region("y", "role = \"standby\"\n");
        let overload = told("200/s", &standby);
        assert!(matches!(overload, Some(Caveat::Overload { .. })), "{overload:?}");
    }
}
