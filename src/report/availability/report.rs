//! A study of availability with all that is said of it.

use anyhow::Context;

use super::judging::{self, JudgedBudget, LongRunDemands, judge_budgets, judge_long_run};
use crate::engine::digest::fnv_1a;
use crate::report::manifest;
use crate::scenario::Scenario;
use crate::stats::Confidence;
use crate::study::availability::AvailabilityStudy;
use crate::study::availability::chances::{Chance, OutageOdds};
use crate::study::availability::estimate::LongRun;
use crate::study::availability::months::MonthScatter;
use crate::units::Share;
use crate::verdict::{Overall, overall_of};

/// Percentiles of latency that are told.
pub const PERCENTILES: [f64; 4] = [0.5, 0.99, 0.999, 0.9999];
/// In how many years an outage comes back that is told.
pub const RETURNS: [(f64, &str); 4] = [
    (1.0 / 12.0, "once a month"),
    (1.0, "once a year"),
    (3.0, "once in 3 years"),
    (10.0, "once in 10 years"),
];

/// A study with all that is said of it.
#[derive(Debug)]
pub struct AvailabilityReport<'a> {
    /// What was studied.
    pub scenario: &'a Scenario,
    /// What was simulated.
    pub study: &'a AvailabilityStudy,
    /// What is demanded of the long run.
    pub demands: LongRunDemands,
    /// The long run.
    pub run: LongRun,
    /// Latencies that [`PERCENTILES`] of the served requests do not exceed, in seconds.
    pub percentiles: Vec<f64>,
    /// How months and years scatter.
    pub scatter: MonthScatter,
    /// The chances that a month, and a year, uses more than its error budget, of
    /// [`AvailabilityReport::budget`].
    pub chances: Option<[Chance; 2]>,
    /// The judgement on each objective of months and years.
    pub budgets: Vec<JudgedBudget>,
    /// How often outages last longer than is demanded.
    pub outages: Option<OutageOdds>,
}

impl<'a> AvailabilityReport<'a> {
    /// Sums up a study.
    ///
    /// # Errors
    /// Nothing healthy was simulated.
    pub fn new(
        scenario: &'a Scenario,
        study: &'a AvailabilityStudy,
        demands: LongRunDemands,
    ) -> anyhow::Result<Self> {
        let run = study.long_run(Confidence::USUAL).context("nothing was simulated")?;
        let percentiles = study.percentiles(&PERCENTILES).unwrap_or_default();
        let seed = scenario.plan.run.seed;
        let scatter = study.scatter(&run, seed);
        let budgets = judge_budgets(scenario, study, &run, requests(study));
        let outages = judging::outages(study, &demands);
        let mut report = AvailabilityReport {
            scenario,
            study,
            demands,
            run,
            percentiles,
            scatter,
            chances: None,
            budgets,
            outages,
        };
        let target = report.budget();
        report.chances = target.map(|target| study.chances(&report.run, 1.0 - target.0, seed));
        Ok(report)
    }

    /// Sums up a study by what the scenario demands.
    ///
    /// # Errors
    /// Nothing healthy was simulated.
    pub fn demanded(scenario: &'a Scenario, study: &'a AvailabilityStudy) -> anyhow::Result<Self> {
        AvailabilityReport::new(scenario, study, LongRunDemands::of(scenario, None, None))
    }

    /// The share of the requests that is to be answered, by which the error budget is told: in the
    /// long run, else the greatest of those of months and years.
    pub fn budget(&self) -> Option<Share> {
        let most = |one: &Share, other: &Share| one.0.total_cmp(&other.0);
        self.demands
            .target
            .or_else(|| self.budgets.iter().map(|one| one.objective.target).max_by(most))
    }

    /// The verdict on the target in the long run and on every objective of months and years.
    pub fn overall(&self) -> Overall {
        let target = self.demands.target;
        let long_run = target.map(|target| judge_long_run(&self.run, target));
        overall_of(long_run.into_iter().chain(self.budgets.iter().map(|one| one.verdict)))
    }

    /// Requests that were simulated.
    pub fn requests(&self) -> f64 {
        requests(self.study)
    }

    /// Pieces that were simulated.
    pub fn pieces(&self) -> usize {
        let struck = self.study.strata.iter().map(|stratum| stratum.pieces.len());
        struck.sum::<usize>() + self.study.healthy.len()
    }

    /// A digest of what was simulated.
    pub fn digest(&self) -> String {
        let struck = self.study.strata.iter().flat_map(|stratum| &stratum.pieces);
        let figures = self.study.healthy.iter().chain(struck.map(|piece| &piece.figures));
        let bytes: Vec<u8> = figures
            .flat_map(|one| {
                let sum = one.latency.sum() as u64;
                [one.decided.to_bits(), one.failed.to_bits(), sum].map(u64::to_le_bytes).concat()
            })
            .collect();
        manifest::digest(fnv_1a(&bytes))
    }
}

/// Requests that were simulated.
fn requests(study: &AvailabilityStudy) -> f64 {
    let struck = study.strata.iter().flat_map(|stratum| &stratum.pieces);
    let healthy = study.healthy.iter().map(|piece| piece.simulated).sum::<f64>();
    struck.map(|piece| piece.figures.simulated).sum::<f64>() + healthy
}
