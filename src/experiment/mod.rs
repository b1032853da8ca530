//! An experiment: the replications of one plan, and the figures that follow from them.

mod aftermath;
pub mod recovery;
mod replication;
mod rise;
pub mod runner;
#[cfg(test)]
pub(crate) mod sample;
pub mod shelf;
pub mod stability;
pub mod summary;
#[cfg(test)]
pub(crate) mod surrounded;
mod watch;

pub use replication::{replicate, scope};
pub use runner::{Course, Runner};
pub use watch::Watch;

use crate::observe::outcome::Outcome;
use crate::plan::Plan;
use crate::stats::Confidence;

/// How an experiment is carried out; none of this changes its outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Threads; `None` = one for each core.
    pub jobs: Option<usize>,
    /// Keep every so-manyth request of the first replication.
    pub requests_every: Option<u64>,
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
    /// What the intervals of its figures are to have.
    pub confidence: Confidence,
    /// How it was found that the replications are enough; `None` = their number was given.
    pub sequence: Option<Sequence>,
}

/// Replications that went on until they were enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequence {
    /// Half the width of an interval over its point that is narrow enough.
    pub precision: f64,
    /// The most replications that were allowed.
    pub most: usize,
    /// How often there could have been a look at the figures, by which [`Experiment::confidence`]
    /// is corrected.
    pub looks: usize,
    /// Why it ended.
    pub end: SequenceEnd,
}

/// Why replications did not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceEnd {
    /// Every objective is decided.
    Decided,
    /// Every figure that is asked for is known as precisely as asked for.
    Precise,
    /// The most replications were made, and some figure is known less precisely.
    Most,
    /// It was stopped.
    Interrupted,
}

impl Experiment {
    /// Whether the outcomes end before the horizon: nothing final can be said of them.
    pub fn is_partial(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.interrupted)
    }

    /// Complete replications, or the partial ones if none is complete, out of `asked`.
    fn gather(mut outcomes: Vec<Outcome>, asked: usize) -> Experiment {
        let complete = outcomes.iter().filter(|outcome| !outcome.interrupted).count();
        if complete > 0 {
            outcomes.retain(|outcome| !outcome.interrupted);
        }
        let (interrupted, confidence) = (complete < asked, Confidence::USUAL);
        Experiment { outcomes, interrupted, asked, confidence, sequence: None }
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
    let runner = Runner::new(options.jobs, watch, &shelf::Nowhere)?;
    let course = Course::First { requests_every: options.requests_every };
    Ok(runner.run_all(plan, course))
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
        let mixed = Experiment::gather(vec![outcome(false), outcome(true)], 3);
        assert_eq!((mixed.outcomes.len(), mixed.interrupted, mixed.is_partial()), (1, true, false));
        let none = Experiment::gather(vec![outcome(true)], 2);
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
