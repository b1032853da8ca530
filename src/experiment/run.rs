//! A plan run by itself.

use super::outcomes::Experiment;
use super::runner::{Retention, Runner};
use super::store;
use crate::engine::progress::Progress;
use crate::plan::Plan;

/// How an experiment is carried out; none of this changes its outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Threads; `None` = one for each core.
    pub jobs: Option<usize>,
    /// Keep every so-manyth request of the first replication.
    pub requests_every: Option<u64>,
}

/// Runs all replications of `plan` over the cores. The outcomes do not depend on the number of
/// threads. A cancelled progress ends the experiment early: complete replications are kept, and the
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
    progress: &Progress,
) -> Result<Experiment, rayon::ThreadPoolBuildError> {
    let runner = Runner::new(options.jobs, progress, &store::NoStore)?;
    let retention = Retention::First { requests_every: options.requests_every };
    Ok(runner.run_all(plan, retention))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::observe::outcome::Outcome;

    #[test]
    fn outcomes_come_in_order_whatever_the_number_of_threads() {
        let plan = example::plan();
        let with = |jobs| {
            let options = Options { jobs: Some(jobs), requests_every: None };
            run(&plan, options, &Progress::default()).unwrap()
        };
        let (one, many) = (with(1), with(8));
        assert_eq!(one, many);
        let order: Vec<u64> = one.outcomes.iter().map(|outcome| outcome.replication).collect();
        assert_eq!(order, (0..plan.run.replications as u64).collect::<Vec<_>>());
        assert!(!one.interrupted && !one.is_partial());
    }

    #[test]
    fn only_the_first_replication_keeps_its_timeline() {
        let run = run(&example::plan(), Options::default(), &Progress::default()).unwrap();
        let kept: Vec<bool> = run.outcomes.iter().map(|o| o.timeline.is_some()).collect();
        assert!(kept[0] && !kept[1..].contains(&true));
    }

    #[test]
    fn partial_replications_count_only_if_none_is_complete() {
        let outcome =
            |interrupted| Outcome { interrupted, ..example::experiment().outcomes[1].clone() };
        let mixed = Experiment::gather(vec![outcome(false), outcome(true)], 3);
        assert_eq!((mixed.outcomes.len(), mixed.interrupted, mixed.is_partial()), (1, true, false));
        let none = Experiment::gather(vec![outcome(true)], 2);
        assert_eq!((none.outcomes.len(), none.interrupted, none.is_partial()), (1, true, true));
    }

    #[test]
    fn a_stopped_experiment_still_has_one_outcome() {
        let progress = Progress::default();
        progress.cancel();
        let run = run(&example::plan(), Options::default(), &progress).unwrap();
        assert_eq!((run.outcomes.len(), run.interrupted), (1, true));
    }
}
