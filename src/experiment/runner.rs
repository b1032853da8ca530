//! Replications over the cores.

use std::ops::Range;

use rayon::prelude::*;

use super::outcomes::Experiment;
use super::replication::replicate;
use super::store::{self, OutcomeStore, ReplicationKey};
use crate::engine::progress::Progress;
use crate::observe::ledger::Ledger;
use crate::observe::outcome::{Outcome, TRACES};
use crate::observe::recorder::Keep;
use crate::plan::Plan;

/// Whether the details of a replication are kept: timeline, journal and requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Of none.
    None,
    /// Of the first, with every so-manyth request if asked for.
    First {
        /// Every so-manyth request; `None` = no requests.
        requests_every: Option<u64>,
    },
    /// The same, and a few figures of every bin of all: for a run whose typical replication is told
    /// ([`Runner::tell_typical`]).
    Told {
        /// Every so-manyth request; `None` = no requests.
        requests_every: Option<u64>,
    },
}

impl Retention {
    fn keep(self, replication: u64) -> Keep {
        match self {
            Retention::First { requests_every } if replication == 0 => {
                Keep { timeline: true, journal: true, requests_every, ..Keep::default() }
            }
            Retention::Told { requests_every } => {
                let trace = replication < TRACES;
                match replication {
                    0 => Keep { trace, timeline: true, journal: true, requests_every },
                    _ => Keep { trace, ..Keep::default() },
                }
            }
            _ => Keep::default(),
        }
    }
}

/// Carries out replications: threads, progress and cancellation, and a store for what is complete.
pub struct Runner<'a> {
    pool: rayon::ThreadPool,
    progress: &'a Progress,
    store: &'a dyn OutcomeStore,
}

impl<'a> Runner<'a> {
    /// Starts the threads; `None` = one for each core.
    ///
    /// # Errors
    /// The threads cannot be started.
    pub fn new(
        jobs: Option<usize>,
        progress: &'a Progress,
        store: &'a dyn OutcomeStore,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).build()?;
        Ok(Runner { pool, progress, store })
    }

    /// How far it is.
    pub fn progress(&self) -> &'a Progress {
        self.progress
    }

    /// Replications that are made at a time.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Whether it was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.progress.is_cancelled()
    }

    /// Does something with each of several things, several at a time, and gives what came of it in
    /// their order. What is done may make replications itself.
    pub fn side_by_side<T: Sync, R: Send>(
        &self,
        things: &[T],
        each: impl Fn(&T) -> R + Sync + Send,
    ) -> Vec<R> {
        self.pool.install(|| things.par_iter().map(each).collect())
    }

    /// All replications of a plan, which are all there is to do.
    ///
    /// # Panics
    /// As [`replicate`].
    pub fn run_all(&self, plan: &Plan, retention: Retention) -> Experiment {
        let asked = plan.run.replications;
        self.progress.expect(asked, plan.run.horizon.0.saturating_mul(asked as u64));
        self.run(plan, asked, retention)
    }

    /// The first `asked` replications of a plan.
    ///
    /// # Panics
    /// As [`replicate`].
    pub fn run(&self, plan: &Plan, asked: usize, retention: Retention) -> Experiment {
        Experiment::gather(self.outcomes(plan, 0..asked, retention), asked)
    }

    /// Adds replications to those that an experiment of the plan has, unless it was stopped.
    ///
    /// # Panics
    /// As [`replicate`].
    pub fn extend(&self, plan: &Plan, run: &mut Experiment, asked: usize, retention: Retention) {
        if !run.interrupted {
            let mut outcomes = std::mem::take(&mut run.outcomes);
            outcomes.extend(self.outcomes(plan, outcomes.len()..asked, retention));
            let (confidence, sequence) = (run.confidence, run.sequence);
            *run = Experiment { confidence, sequence, ..Experiment::gather(outcomes, asked) };
        }
    }

    /// Sees to it that the details of the typical replication are kept instead of those of the
    /// first: it is made again, which gives the same. Those of the first stay if that is stopped.
    ///
    /// # Panics
    /// As [`replicate`]; and if the replication is not the same, which would be an error of this
    /// program.
    pub fn tell_typical(&self, plan: &Plan, run: &mut Experiment, requests_every: Option<u64>) {
        let Some(index) = run.typical().filter(|_| !run.interrupted) else { return };
        if index == 0 || self.is_cancelled() {
            return;
        }
        let (progress, known) = (self.progress, run.outcomes[index].replication);
        let once_more = |all: u64| all.saturating_add(plan.run.horizon.0);
        progress.expect(progress.replications() + 1, once_more(progress.expected()));
        let keep = Retention::Told { requests_every }.keep(0);
        let keep = Keep { trace: known < TRACES, ..keep };
        let outcome = replicate(plan, known, keep, progress);
        if outcome.interrupted {
            return;
        }
        assert_eq!(outcome.digest, run.outcomes[index].digest, "replication {known} differs");
        run.outcomes[0].forget_details();
        run.outcomes[index] = outcome;
        progress.complete_one();
    }

    /// Outcomes in order of their index; those that did not begin before a stop are missing.
    fn outcomes(&self, plan: &Plan, range: Range<usize>, retention: Retention) -> Vec<Outcome> {
        let digest = store::digest(plan);
        let one = |index: usize| {
            let key = ReplicationKey { plan: digest, replication: index as u64 };
            self.one(plan, key, retention.keep(key.replication))
        };
        let all: Vec<Option<Outcome>> =
            self.pool.install(|| range.into_par_iter().map(one).collect());
        all.into_iter().flatten().collect()
    }

    /// One replication; `None` if it was stopped before it began, which the first never is.
    fn one(&self, plan: &Plan, key: ReplicationKey, keep: Keep) -> Option<Outcome> {
        let progress = self.progress;
        if progress.is_cancelled() && key.replication > 0 {
            return None;
        }
        let plain = !keep.has_details();
        let traced = |outcome: &Outcome| !keep.trace || !outcome.trace.is_empty();
        let fits = |outcome: &Outcome| plain && traced(outcome) && fits(plan, outcome);
        let stored = self.store.get(key).filter(fits);
        if let Some(outcome) = stored {
            progress.advance(outcome.ended.0, outcome.ledger.offered);
            progress.complete_one();
            return Some(outcome);
        }
        let outcome = replicate(plan, key.replication, keep, progress);
        if plain && !outcome.interrupted {
            self.store.put(key, &outcome);
        }
        if !outcome.interrupted {
            progress.complete_one();
        }
        Some(outcome)
    }
}

/// Whether what a store has can be of this plan: it may have been written by anybody.
fn fits(plan: &Plan, outcome: &Outcome) -> bool {
    let ledgers = outcome.windows.iter().flat_map(|window| [&window.ledger, &window.attempts]);
    let whole = !outcome.interrupted && outcome.ended == plan.run.horizon;
    let parts = (outcome.windows.len(), outcome.faults.len());
    whole
        && parts == (plan.windows.len(), plan.faults.len())
        && outcome.incidents.iter().all(|incident| incident.fault < plan.faults.len())
        && ledgers.chain([&outcome.ledger, &outcome.attempts]).all(Ledger::balances)
}
