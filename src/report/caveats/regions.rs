//! What the loss of a region leaves for the others to carry.

use crate::plan::{RegionRole, Regions, Steering};
use crate::report::caveats::caveat::Caveat;

/// The greatest load, so many cores of work with this name, against what each region can carry:
/// while all are healthy, else when another one is lost.
pub(super) fn capacity(regions: &Regions, (work, load): (f64, &str)) -> Option<Caveat> {
    region_overload(regions, work, load).or_else(|| region_spare(regions, work))
}

/// The region that gets more than it can carry while all are healthy, if there is one.
fn region_overload(regions: &Regions, work: f64, load: &str) -> Option<Caveat> {
    let all: f64 = regions.active().map(|one| regions.all[one].weight).sum();
    let busy = regions.active().map(|one| {
        let part = regions.all[one].weight / all;
        (work * part / region_cores(regions, one), &regions.all[one].name)
    });
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
    let active: Vec<usize> = regions.active().collect();
    let standby = |lost: usize| {
        let stands_by = |one: &usize| regions.all[*one].role != RegionRole::Active && *one != lost;
        (0..regions.all.len()).find(stands_by)
    };
    let busy = |lost: usize, left: usize, part: f64| {
        let utilisation = work * part / region_cores(regions, left);
        let [lost, left] = [lost, left].map(|region| regions.all[region].name.clone());
        Caveat::RegionSpare { lost, left, utilisation }
    };
    let mut all = Vec::new();
    for lost in active.iter().copied() {
        let others: Vec<usize> = active.iter().copied().filter(|one| *one != lost).collect();
        let weight = |regions_of: &[usize]| -> f64 {
            regions_of.iter().map(|one| regions.all[*one].weight).sum()
        };
        let own = |one: usize| regions.all[one].weight / weight(&active);
        match (&others[..], regions.steering) {
            ([], _) => all.extend(standby(lost).map(|left| busy(lost, left, 1.0))),
            (others, Steering::Weighted) => {
                let part = |one: usize| regions.all[one].weight / weight(others);
                all.extend(others.iter().map(|left| busy(lost, *left, part(*left))));
            }
            (others, Steering::Nearest) => {
                let after = |one: &&usize| (**one + regions.all.len() - lost) % regions.all.len();
                let next = others.iter().min_by_key(after);
                all.extend(next.map(|left| busy(lost, *left, own(*left) + own(lost))));
            }
        }
    }
    let share = |caveat: &Caveat| match caveat {
        Caveat::RegionSpare { utilisation, .. } => *utilisation,
        _ => 0.0,
    };
    let worst = all.into_iter().max_by(|one, other| share(one).total_cmp(&share(other)));
    worst.filter(|caveat| share(caveat) > 1.0)
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
