//! A capacity plan with all that is said of it.

use crate::report::availability::beside::BesideRow;
use crate::report::availability::report::AvailabilityReport;
use crate::report::format::words::plural;
use crate::scenario::Scenario;
use crate::study::capacity::advice::{self, Carries};
use crate::study::capacity::finding::{Candidate, Finding, SearchEffort};
use crate::study::capacity::search::Capacity;
use crate::study::capacity::sensitivity::Sensitivity;
use crate::study::cost::{Cost, Prices};
use crate::study::mode::Mode;
use crate::study::settling::Settling;
use crate::verdict::Overall;

/// A capacity plan with all that is said of it.
#[derive(Debug)]
pub struct CapacityReport<'a> {
    /// The gateways that might be had.
    pub candidates: &'a [Candidate],
    /// The modes in which some candidate was looked at.
    pub modes: &'a [Mode],
    /// How capacities were looked for.
    pub effort: SearchEffort,
    /// What was found.
    pub findings: &'a [Finding],
    /// Runs that show whether warm-up suffices.
    pub settling: &'a [Settling],
    /// Requests per second that are to be carried.
    pub demand: f64,
    /// Whether the demand is the scenario's own.
    pub demand_is_own: bool,
    /// What each costs.
    pub prices: &'a Prices,
    /// What the assumed settings do to the capacity of the candidate that is recommended, or of the
    /// last, in its weakest mode.
    pub sensitivities: &'a [Sensitivity],
    /// The months and years at the demand of each that was asked for.
    pub months: Vec<Option<AvailabilityReport<'a>>>,
    /// Whether these are as demanded.
    pub kept: &'a [Overall],
    /// Whether it was stopped.
    pub interrupted: bool,
}

impl<'a> CapacityReport<'a> {
    /// The scenario of the first candidate.
    pub(crate) fn base(&self) -> &'a Scenario {
        &self.candidates[0].scenario
    }

    /// Whether each candidate carries the demand.
    pub fn carries(&self) -> Vec<Carries> {
        let one = |(index, candidate): (usize, &Candidate)| {
            advice::carries(self.findings, index, candidate.modes.len(), self.demand)
        };
        self.candidates.iter().enumerate().map(one).collect()
    }

    /// Whether each candidate carries the demand and its months are as demanded.
    pub fn fits(&self) -> Vec<Carries> {
        let months = self.carries().into_iter().zip(self.kept);
        months.map(|(carries, kept)| advice::fit(carries, *kept)).collect()
    }

    /// The months and years of those that have any.
    pub(crate) fn beside(&self) -> Vec<BesideRow<'_>> {
        let mut rows = Vec::new();
        for (index, months) in self.months.iter().enumerate() {
            let Some(report) = months else { continue };
            let name = self.candidates[index].name.as_str();
            rows.push(BesideRow { label: name.to_owned(), name, cost: self.cost(index), report });
        }
        rows
    }

    /// What a candidate costs.
    pub(crate) fn cost(&self, candidate: usize) -> Cost {
        self.prices.of(&self.candidates[candidate].scenario)
    }

    /// The candidate that is recommended.
    pub fn chosen(&self) -> Option<usize> {
        advice::recommended(self.candidates, self.findings, self.kept, self.demand, self.prices)
    }

    /// Whether some search was stopped, or not begun.
    pub(crate) fn is_incomplete(&self) -> bool {
        let stopped = |finding: &Finding| finding.capacity == Capacity::Stopped;
        let modes: usize = self.candidates.iter().map(|candidate| candidate.modes.len()).sum();
        self.findings.len() < modes || self.findings.iter().any(stopped)
    }

    /// The findings of a candidate in the order of the modes.
    pub(crate) fn of(&self, candidate: usize) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.candidate == candidate)
    }

    pub(crate) fn weakest(&self, candidate: usize) -> Option<&'a Finding> {
        advice::weakest(self.findings, candidate, self.demand)
    }

    /// The finding of which it was tried what it hangs on.
    pub(crate) fn critical_case(&self) -> Option<&'a Finding> {
        advice::critical_case(self.candidates, self.findings, self.chosen(), self.demand)
    }

    /// What loads count.
    pub(crate) fn arrivals(&self) -> &'static str {
        match self.base().plan.requests_per_arrival() > 1.0 {
            true => "sessions",
            false => "requests",
        }
    }

    /// How the figures came about, in words.
    pub(crate) fn sample(&self) -> String {
        let seed = self.base().plan.run.seed;
        let replications = match self.effort.looks()[..] {
            [plain, few, all] => {
                format!("{plain}, {few} or {all} replications at a load, until it is decided")
            }
            _ => format!("{} at each load", plural(self.effort.replications as u64, "replication")),
        };
        format!("{replications}, seed {seed}; 95 % intervals")
    }
}
