//! The months and years of gateways at the demand.

use crate::experiment::Runner;
use crate::plan::{Plan, Traffic};
use crate::study::availability::{self, AvailabilityStudy};
use crate::study::capacity::finding::Candidate;
use crate::units::Rate;

/// The months and years of the candidates that are `wanted` at the demand, with about so many
/// requests each. They meet the same strikes, as far as they have faults in common. Those that were
/// stopped are left out.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(
    runner: &Runner<'_>,
    candidates: &[Candidate],
    wanted: &[bool],
    (demand, requests): (f64, f64),
) -> Vec<Option<AvailabilityStudy>> {
    let one = |(candidate, wanted): (&Candidate, &bool)| {
        if !wanted {
            return None;
        }
        runner.progress().enter(format!("{}, months", candidate.name));
        let study = availability::run(runner, &at(&candidate.scenario.plan, demand), requests);
        (!study.interrupted).then_some(study)
    };
    candidates.iter().zip(wanted).map(one).collect()
}

/// A plan whose rates are such that the highest is this.
fn at(plan: &Plan, demand: f64) -> Plan {
    let mut plan = plan.clone();
    if let Traffic::Process(process) = &mut plan.traffic {
        let highest = process.corners.iter().map(|(_, rate)| rate.0).fold(0.0, f64::max);
        for (_, rate) in &mut process.corners {
            *rate = Rate(rate.0 / highest * demand);
        }
    }
    plan
}
