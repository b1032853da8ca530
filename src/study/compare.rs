//! Variants of a scenario side by side, under common random numbers.
//!
//! Every variant runs with the same seed and the same number of replications. Each source of
//! randomness has its own stream, so replication i of every variant meets the same arrivals, the
//! same demands and the same faults as far as the variants have them in common. Differences are
//! taken replication by replication, which leaves out the randomness they share.

use std::collections::BTreeSet;

use crate::experiment::{Experiment, Retention, Runner};
use crate::metric::{Compared, Metric, Statistic};
use crate::observe::outcome::Outcome;
use crate::plan::{Extent, Plan};
use crate::scenario::Scenario;
use crate::stats::Confidence;
use crate::stats::paired::{self, Comparison};
use crate::study::availability::{self, AvailabilityStudy};
use crate::study::measure::{self, System};

/// A scenario under the name that sets it apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it is.
    pub scenario: Scenario,
}

/// One figure of all variants against that of the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    /// Which figure.
    pub metric: Metric,
    /// The label of the window, which all variants have.
    pub window: String,
    /// Of each variant.
    pub figures: Vec<Option<Statistic>>,
    /// Each further variant against the first; `None` if the figure does not exist or rests on too
    /// few failures.
    pub against: Vec<Option<Comparison>>,
}

/// Gives all variants the seed and the number of replications of the first, unless others are
/// asked for.
pub fn align(variants: &mut [Variant], seed: Option<u64>, replications: Option<usize>) {
    let Some(run) = variants.first().map(|first| first.scenario.plan.run) else { return };
    for variant in variants {
        let own = &mut variant.scenario.plan.run;
        own.seed = seed.unwrap_or(run.seed);
        own.replications = replications.unwrap_or(run.replications);
    }
}

/// The experiments of all variants, which must be [`align`]ed. If it is stopped, each has the
/// replications that all of them have.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(runner: &Runner<'_>, variants: &[Variant]) -> Vec<Experiment> {
    let plans: Vec<&Plan> = variants.iter().map(|variant| &variant.scenario.plan).collect();
    let asked = plans.first().map_or(0, |plan| plan.run.replications);
    let horizons: u64 = plans.iter().map(|plan| plan.run.horizon.0).sum();
    runner.progress().expect(asked * plans.len(), horizons.saturating_mul(asked as u64));
    let retention = Retention::First { requests_every: None };
    let block = (4 * runner.threads()).min(asked);
    let mut runs = Vec::new();
    for variant in variants {
        runner.progress().enter(&variant.name);
        runs.push(runner.run(&variant.scenario.plan, block, retention));
    }
    // In turn, so that whoever stops it early finds as many replications of each.
    let mut reached = block;
    while reached < asked && !runner.is_cancelled() {
        reached = (reached + block).min(asked);
        for (run, variant) in runs.iter_mut().zip(variants) {
            runner.progress().enter(&variant.name);
            runner.extend(&variant.scenario.plan, run, reached, Retention::None);
        }
    }
    even(runs, asked)
}

/// The months and years of the variants that are `wanted`, with about so many requests each. They
/// meet the same strikes, as far as they have faults in common. Those that were stopped are left
/// out.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn months(
    runner: &Runner<'_>,
    variants: &[Variant],
    wanted: &[bool],
    requests: f64,
) -> Vec<Option<AvailabilityStudy>> {
    let one = |(variant, wanted): (&Variant, &bool)| {
        if !wanted {
            return None;
        }
        runner.progress().enter(&variant.name);
        let study = availability::run(runner, &variant.scenario.plan, requests);
        (!study.interrupted).then_some(study)
    };
    variants.iter().zip(wanted).map(one).collect()
}

fn complete(run: &Experiment) -> BTreeSet<u64> {
    run.outcomes.iter().filter(|o| !o.interrupted).map(|o| o.replication).collect()
}

/// Leaves each the complete replications that all have, if there are any.
fn even(mut runs: Vec<Experiment>, asked: usize) -> Vec<Experiment> {
    let common = runs.iter().map(complete).reduce(|a, b| a.intersection(&b).copied().collect());
    let common = common.unwrap_or_default();
    for run in &mut runs {
        if !common.is_empty() {
            run.outcomes.retain(|outcome| common.contains(&outcome.replication));
        }
        (run.asked, run.interrupted) = (asked, common.len() < asked);
    }
    runs
}

/// Whether every replication of one has its partner in the others.
fn are_paired(runs: &[Experiment]) -> bool {
    runs.iter().all(|run| !run.is_partial() && complete(run) == complete(&runs[0]))
}

/// Every figure of every window that the variants have in common, against the first variant.
/// Nothing if the work was stopped before all variants had a complete replication.
pub fn contrasts(variants: &[Variant], runs: &[Experiment]) -> Vec<Contrast> {
    if !are_paired(runs) {
        return Vec::new();
    }
    let plans: Vec<&Plan> = variants.iter().map(|variant| &variant.scenario.plan).collect();
    let outcomes: Vec<&[Outcome]> = runs.iter().map(|run| &run.outcomes[..]).collect();
    contrasts_of(&plans, &outcomes)
}

/// The same of plans with their outcomes, of which each has its partner in those of the others.
pub fn contrasts_of(plans: &[&Plan], outcomes: &[&[Outcome]]) -> Vec<Contrast> {
    let mut all = Vec::new();
    for (number, (window, indices)) in measure::common_windows(plans).into_iter().enumerate() {
        let systems: Vec<System<'_>> = (outcomes.iter().zip(&indices))
            .map(|(outcomes, window)| System { outcomes, window: *window })
            .collect();
        let extent = |plan: &&Plan, index: &usize| plan.windows[*index].extent;
        let lasting =
            plans.iter().zip(&indices).any(|(p, i)| matches!(extent(p, i), Extent::During(_)));
        let is_shown = |at: Compared| match at {
            Compared::Everywhere => true,
            Compared::InFixedWindows => !lasting,
            Compared::InTheRun => number == 0,
            Compared::AmongRegions => {
                number == 0 && plans.iter().all(|plan| plan.regions.is_some())
            }
        };
        for (metric, _) in Metric::COMPARED.into_iter().filter(|(_, at)| is_shown(*at)) {
            let against = systems[1..].iter().map(|system| contrast(metric, systems[0], *system));
            let against: Vec<_> = against.collect();
            let figures = systems.iter().map(|system| figure(metric, *system)).collect();
            all.push(Contrast { metric, window: window.clone(), figures, against });
        }
    }
    all.retain(|contrast| contrast.against.iter().any(Option::is_some));
    all
}

/// The figure of a system, unless it rests on what does not show how it varies.
fn figure(metric: Metric, system: System<'_>) -> Option<Statistic> {
    measure::samples(metric, &[system])?;
    metric.estimate(system.outcomes, system.window, Confidence::USUAL)
}

fn contrast(metric: Metric, first: System<'_>, other: System<'_>) -> Option<Comparison> {
    let samples = measure::samples(metric, &[first, other])?;
    let [one, two] = &samples[..] else { return None };
    let found = paired::compare(two, one, Confidence::USUAL);
    let room = measure::rooms(metric, &first, &other);
    Some(found.with_room((two.point, room.1), (one.point, room.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;

    #[test]
    fn what_was_stopped_keeps_the_replications_that_all_have() {
        let with = |indices: &[usize], cut: Option<usize>| {
            let mut run = example::experiment();
            let of = |index: &usize| {
                let interrupted = Some(*index) == cut;
                Outcome { interrupted, ..run.outcomes[*index].clone() }
            };
            run.outcomes = indices.iter().map(of).collect();
            run
        };
        let runs = even(vec![with(&[0, 1, 3, 4], None), with(&[0, 2, 3, 4], Some(4))], 5);
        let kept = |run: &Experiment| -> Vec<u64> {
            run.outcomes.iter().map(|outcome| outcome.replication).collect()
        };
        assert_eq!(runs.iter().map(kept).collect::<Vec<_>>(), [[0, 3], [0, 3]]);
        assert!(runs.iter().all(|run| run.interrupted && run.asked == 5));
        assert!(are_paired(&runs));
        assert!(!are_paired(&[with(&[0, 1], None), with(&[0, 2], None)]));
    }
}
