//! Whether intervals are as good as they claim: with the real engine, on systems whose true figures
//! are known, intervals of 95 % must contain the truth in 93 to 97 of 100 experiments.
//!
//! Of a thousand experiments 950 ± 7 should, so the band is three standard errors wide to each
//! side. Seeds are fixed, so the verdict is the same every time; `--nocapture` shows the counts.
//!
//! A sample has 200 experiments and a band as many standard errors wide. It finds a coverage of 87
//! in 91 of 100 cases, that is, intervals that are a quarter too narrow; all suites find 91.5 as
//! surely.

mod figures;
mod sequences;
mod shares;
mod systems;

use crate::common;
use brownout::observe::outcome::Outcome;
use brownout::plan::Plan;
use brownout::stats::Estimate;
use rayon::prelude::*;

use crate::{Effort, effort};

/// Experiments with a system, and how much wider the band is than that of a thousand.
fn experiments() -> (u64, f64) {
    match effort() {
        Effort::Full => (1_000, 0.0),
        Effort::Sample => {
            (200, 3.0 * (0.95_f64 * 0.05).sqrt() * (1.0 / 200_f64.sqrt() - 1.0 / 1e3_f64.sqrt()))
        }
    }
}

/// A figure whose truth is known.
struct Figure {
    name: &'static str,
    truth: f64,
    of: fn(&[Outcome]) -> Option<Estimate>,
}

impl Figure {
    /// Whether an experiment's interval contains the truth.
    fn is_covered(&self, outcomes: &[Outcome]) -> bool {
        let interval = (self.of)(outcomes).and_then(|estimate| estimate.interval);
        interval.is_some_and(|interval| interval.low <= self.truth && self.truth <= interval.high)
    }
}

/// For each figure, the share of the experiments whose interval contains the truth. Each is of so
/// many replications and has a seed of its own.
fn coverage(plan: &Plan, replications: u64, figures: &[Figure]) -> Vec<f64> {
    let experiment = |seed| {
        let mut plan = plan.clone();
        plan.run.seed = seed;
        let outcomes: Vec<Outcome> =
            (0..replications).map(|index| common::replicate(&plan, index)).collect();
        figures.iter().map(|figure| figure.is_covered(&outcomes)).collect::<Vec<bool>>()
    };
    let count = experiments().0;
    let all: Vec<Vec<bool>> = (1..=count).into_par_iter().map(experiment).collect();
    let share = |figure| all.iter().filter(|covered| covered[figure]).count() as f64;
    (0..figures.len()).map(|figure| share(figure) / count as f64).collect()
}

/// Fails with all figures whose coverage lies outside `band`.
fn expect_coverage(
    system: &str,
    plan: &Plan,
    replications: u64,
    band: std::ops::RangeInclusive<f64>,
    figures: &[Figure],
) {
    let wider = experiments().1;
    let band = band.start() - wider..=band.end() + wider;
    let found = coverage(plan, replications, figures);
    let mut offenders = Vec::new();
    for (figure, share) in figures.iter().zip(found) {
        println!("{system}: {} in {:.1} of 100", figure.name, share * 100.0);
        if !band.contains(&share) {
            offenders.push(format!("{} in {:.1} of 100", figure.name, share * 100.0));
        }
    }
    assert!(offenders.is_empty(), "{system}: {}", offenders.join(", "));
}
