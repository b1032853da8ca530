//! By what a mode is judged: the objectives of the whole run, over the judged time.
//!
//! Objectives of a part of the run are left out: they speak of other losses. Recovery is asked for
//! only where it can be. What is for a region that is lost is left out there as well: nothing is
//! left of it that it could be judged by.

use std::collections::BTreeSet;

use crate::objective::{Metric, Objective, Restored};
use crate::plan::Extent;
use crate::scenario::Scenario;
use crate::study::mode::kind::Mode;
use crate::study::mode::regions;

pub(super) fn api_name(scenario: &Scenario, api: usize) -> &str {
    scenario.plan.names_told_apart()[api]
}

/// The objectives that a mode can be judged by, over the judged time.
pub fn of(base: &Scenario, mode: Mode) -> Vec<Objective> {
    let judged = judged_apis(base, mode);
    // The window of the run comes before those that are judged.
    let window = |api| 1 + judged.iter().position(|judged| *judged == api).unwrap_or(0);
    let of = |objective: &Objective| Objective {
        window: window(base.plan.windows[objective.window].api),
        ..objective.clone()
    };
    judged_objectives(base, mode).map(of).collect()
}

/// Whose requests are judged: all, then those for each API that an objective speaks of.
pub(super) fn judged_apis(base: &Scenario, mode: Mode) -> Vec<Option<usize>> {
    let apis = judged_objectives(base, mode).map(|one| base.plan.windows[one.window].api);
    let single: BTreeSet<usize> = apis.flatten().collect();
    [None].into_iter().chain(single.into_iter().map(Some)).collect()
}

/// The name of the API that an objective of a scenario speaks of, by its text.
pub fn api_of(scenario: &Scenario, text: &str) -> Option<String> {
    let objective = scenario.objectives.iter().find(|objective| objective.text == text)?;
    let api = scenario.plan.windows[objective.window].api?;
    Some(api_name(scenario, api).to_owned())
}

fn judged_objectives(base: &Scenario, mode: Mode) -> impl Iterator<Item = &Objective> {
    let lost = regions::struck(base, mode).filter(|_| mode == Mode::RegionLoss);
    base.objectives.iter().filter(move |objective| {
        let window = &base.plan.windows[objective.window];
        let is_of_lost = lost.is_some() && window.api == lost;
        window.extent == Extent::Run
            && !is_of_lost
            && match objective.metric {
                metric if metric.restored().is_some() => restores(mode, metric),
                metric => metric.is_of_requests(),
            }
    })
}

/// Whether a loss has what a recovery time is of, while it is judged: what is lost comes back where
/// it is a replica or a zone; where it is a region, clients are led to another one.
pub fn restores(mode: Mode, recovery: Metric) -> bool {
    match (mode, recovery.restored()) {
        (Mode::ReplicaLoss | Mode::ZoneLoss, Some(restored)) => {
            matches!(restored, Restored::Service | Restored::Redundancy)
        }
        (Mode::RegionLoss, Some(restored)) => restored != Restored::Redundancy,
        _ => false,
    }
}
