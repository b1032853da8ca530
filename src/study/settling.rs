//! Whether warm-up suffices at the loads that matter: for each gateway one replication in which
//! nothing fails, at its capacity in the mode in which it carries least, or where there is none at
//! the demand, as far as all replicas serve it. It keeps its timeline, in which a transient shows;
//! the experiments of a plan do not.

use crate::experiment::{Experiment, Retention, Runner};
use crate::scenario::Scenario;
use crate::study::capacity::advice;
use crate::study::capacity::finding::{Candidate, Finding, SearchEffort};
use crate::study::capacity::search::Capacity;
use crate::study::mode::{self, Mode, limits};

/// A gateway that may be settling still.
#[derive(Clone, Debug, PartialEq)]
pub struct Settling {
    /// Index of the candidate.
    pub candidate: usize,
    /// The load.
    pub load: f64,
    /// What ran.
    pub scenario: Scenario,
    /// What came of it.
    pub run: Experiment,
}

/// Runs every candidate that has findings, until it is stopped.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(
    runner: &Runner<'_>,
    candidates: &[Candidate],
    findings: &[Finding],
    effort: SearchEffort,
    demand: f64,
) -> Vec<Settling> {
    let one = |(index, candidate): (usize, &Candidate)| {
        let weakest = advice::weakest(findings, index, demand)?;
        let plan = &candidate.scenario.plan;
        let own = findings.iter().filter(|finding| finding.candidate == index);
        let healthy = own.into_iter().find(|finding| finding.mode == Mode::Healthy);
        let load = match (weakest.capacity, healthy.map(|finding| finding.capacity)) {
            (Capacity::Between { point, .. }, _) => point,
            (_, Some(Capacity::Between { point, .. })) => demand.min(point),
            _ => demand.min(limits::most(plan)),
        };
        if runner.is_cancelled() {
            return None;
        }
        runner.progress().enter(format!("{}, warm-up", candidate.name));
        let scenario = mode::scenario(&candidate.scenario, Mode::Healthy, effort.trial, load);
        let runner = runner.as_unit(index as u64);
        let run = runner.run(&scenario.plan, 1, Retention::First { requests_every: None });
        Some(Settling { candidate: index, load, scenario, run }).filter(|one| !one.run.interrupted)
    };
    candidates.iter().enumerate().filter_map(one).collect()
}
