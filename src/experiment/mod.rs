//! An experiment: the replications of one plan, and the figures that follow from them.

mod aftermath;
pub mod attempts;
pub mod figures;
mod replication;
mod rise;
#[cfg(test)]
pub(crate) mod sample;
pub mod stability;
pub mod summary;
#[cfg(test)]
pub(crate) mod surrounded;

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

pub use replication::{replicate, scope};

use crate::model::Gauge;
use crate::observe::outcome::Outcome;
use crate::observe::recorder::Keep;
use crate::plan::Plan;

/// How an experiment is carried out; none of this changes its outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Threads; `None` = one for each core.
    pub jobs: Option<usize>,
    /// Keep every so-manyth request of the first replication.
    pub requests_every: Option<u64>,
}

/// What an experiment in progress shares with whoever watches it.
#[derive(Debug, Default)]
pub struct Watch {
    /// How far the replications are, and whether they should stop.
    pub gauge: Gauge,
    done: AtomicUsize,
}

impl Watch {
    /// Replications that reached their end so far.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }
}

/// The outcomes of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// By index of the replication. If any replication was completed, only complete ones.
    pub outcomes: Vec<Outcome>,
    /// Whether it was stopped before all replications were complete.
    pub interrupted: bool,
    /// Replications asked for.
    pub asked: usize,
}

impl Experiment {
    /// Whether the outcomes end before the horizon: nothing final can be said of them.
    pub fn is_partial(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.interrupted)
    }
}

/// Runs all replications of `plan` over the cores. The outcomes do not depend on the number of
/// threads. A stopped gauge ends the experiment early: complete replications are kept, and the
/// partial ones only if there is no complete one.
///
/// # Errors
/// The threads cannot be started.
///
/// # Panics
/// A replication lost or invented a request, which is a bug in the model.
pub fn run(
    plan: &Plan,
    options: Options,
    watch: &Watch,
) -> Result<Experiment, rayon::ThreadPoolBuildError> {
    let threads = options.jobs.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let asked = plan.run.replications;
    let outcomes = pool.install(|| {
        let one = |index| one(plan, index as u64, options.requests_every, watch);
        (0..asked).into_par_iter().map(one).collect::<Vec<_>>()
    });
    Ok(gather(outcomes, asked))
}

/// One replication; `None` if the experiment was stopped before it began.
fn one(plan: &Plan, index: u64, requests_every: Option<u64>, watch: &Watch) -> Option<Outcome> {
    let first = index == 0;
    if watch.gauge.is_stopped() && !first {
        return None;
    }
    let requests_every = requests_every.filter(|_| first);
    let keep = Keep { timeline: first, journal: first, requests_every };
    let outcome = replicate(plan, index, keep, &watch.gauge);
    watch.done.fetch_add(1, Ordering::Relaxed);
    Some(outcome)
}

fn gather(outcomes: Vec<Option<Outcome>>, asked: usize) -> Experiment {
    let mut outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
    let complete = outcomes.iter().filter(|outcome| !outcome.interrupted).count();
    if complete > 0 {
        outcomes.retain(|outcome| !outcome.interrupted);
    }
    Experiment { outcomes, interrupted: complete < asked, asked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_come_in_order_whatever_the_number_of_threads() {
        let plan = sample::plan();
        let with = |jobs| {
            let options = Options { jobs: Some(jobs), requests_every: None };
            run(&plan, options, &Watch::default()).unwrap()
        };
        let (one, many) = (with(1), with(8));
        assert_eq!(one, many);
        let order: Vec<u64> = one.outcomes.iter().map(|outcome| outcome.replication).collect();
        assert_eq!(order, (0..plan.run.replications as u64).collect::<Vec<_>>());
        assert!(!one.interrupted && !one.is_partial());
    }

    #[test]
    fn only_the_first_replication_keeps_its_course() {
        let run = run(&sample::plan(), Options::default(), &Watch::default()).unwrap();
        let kept: Vec<bool> = run.outcomes.iter().map(|o| o.timeline.is_some()).collect();
        assert!(kept[0] && !kept[1..].contains(&true));
    }

    #[test]
    fn partial_replications_count_only_if_none_is_complete() {
        let outcome =
            |interrupted| Outcome { interrupted, ..sample::experiment().outcomes[1].clone() };
        let mixed = gather(vec![Some(outcome(false)), Some(outcome(true)), None], 3);
        assert_eq!((mixed.outcomes.len(), mixed.interrupted, mixed.is_partial()), (1, true, false));
        let none = gather(vec![Some(outcome(true)), None], 2);
        assert_eq!((none.outcomes.len(), none.interrupted, none.is_partial()), (1, true, true));
    }

    #[test]
    fn a_stopped_experiment_still_has_one_outcome() {
        let watch = Watch::default();
        watch.gauge.stop();
        let run = run(&sample::plan(), Options::default(), &watch).unwrap();
        assert_eq!((run.outcomes.len(), run.interrupted), (1, true));
    }
}
