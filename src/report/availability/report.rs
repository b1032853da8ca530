//! A study of availability with all that is said of it.

use anyhow::Context;

use crate::engine::digest::fnv_1a;
use crate::report::manifest;
use crate::scenario::Scenario;
use crate::stats::Confidence;
use crate::study::availability::AvailabilityStudy;
use crate::study::availability::estimate::LongRun;
use crate::study::availability::months::{Chance, MonthScatter};
use crate::units::Share;
use crate::verdict::Overall;

/// What is not back to normal by itself is taken to fail everything for so long at most, until
/// somebody ends it.
pub const UNSETTLED_SECS: f64 = 7_200.0;
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
    /// The share of requests that is to be answered.
    pub target: Option<Share>,
    /// The long run.
    pub run: LongRun,
    /// Latencies that [`PERCENTILES`] of the served requests do not exceed, in seconds.
    pub percentiles: Vec<f64>,
    /// How months and years scatter.
    pub scatter: MonthScatter,
    /// The chances that a month, and a year, uses more than its error budget.
    pub chances: Option<[Chance; 2]>,
}

impl<'a> AvailabilityReport<'a> {
    /// Sums up a study.
    ///
    /// # Errors
    /// Nothing healthy was simulated.
    pub fn new(
        scenario: &'a Scenario,
        study: &'a AvailabilityStudy,
        target: Option<Share>,
    ) -> anyhow::Result<Self> {
        let run = study.long_run(Confidence::USUAL).context("nothing was simulated")?;
        let percentiles = study.percentiles(&PERCENTILES).unwrap_or_default();
        let seed = scenario.plan.run.seed;
        let scatter = study.scatter(&run, seed);
        let chances = target.map(|target| study.chances(&run, &scatter, 1.0 - target.0, seed));
        Ok(AvailabilityReport { scenario, study, target, run, percentiles, scatter, chances })
    }

    /// The verdict on the target in the long run.
    pub fn overall(&self) -> Overall {
        let Some(target) = self.target else { return Overall::NoObjectives };
        let budget = 1.0 - target.0;
        let interval = self.run.failing_interval;
        // What has not settled may go on until somebody ends it.
        let high = interval.high + self.run.unsettled_rate * UNSETTLED_SECS;
        match (high <= budget, interval.low > budget) {
            (true, _) => Overall::Met,
            (_, true) => Overall::Missed,
            _ => Overall::Undecided,
        }
    }

    /// Requests that were simulated.
    pub fn requests(&self) -> f64 {
        let struck = self.study.strata.iter().flat_map(|stratum| &stratum.pieces);
        let healthy = self.study.healthy.iter().map(|piece| piece.decided).sum::<f64>();
        struck.map(|piece| piece.figures.decided).sum::<f64>() + healthy
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
