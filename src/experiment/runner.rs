//! Replications over the cores.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::outcomes::Experiment;
use super::partition::{Absent, Partition};
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
    /// Of none, but a few figures of every bin of the first.
    FirstTrace,
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
            Retention::FirstTrace => Keep { trace: replication == 0, ..Keep::default() },
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

/// Carries out replications: threads, progress and cancellation, a store for what is complete, and
/// which of them are to be simulated here.
#[derive(Clone)]
pub struct Runner<'a> {
    pool: Arc<rayon::ThreadPool>,
    progress: &'a Progress,
    store: &'a dyn OutcomeStore,
    partition: Partition,
    absent: Arc<Absent>,
    /// The unit that all replications belong to; `None` = each is one by itself.
    unit: Option<u64>,
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
        let (pool, absent, partition) = (Arc::new(pool), Arc::default(), Partition::Whole);
        Ok(Runner { pool, progress, store, partition, absent, unit: None })
    }

    /// The same, simulating no more than it is to.
    pub fn with_partition(self, partition: Partition) -> Self {
        Runner { partition, ..self }
    }

    /// The same for a search that is done from begin to end, by the shard that has this unit.
    pub fn as_unit(&self, unit: u64) -> Self {
        Runner { unit: Some(unit), ..self.clone() }
    }

    /// What is simulated here.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// What was asked for and is not there.
    pub fn absent(&self) -> &Absent {
        &self.absent
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

    /// Adds replications to those that an experiment of the plan was asked for, unless it was
    /// stopped.
    ///
    /// # Panics
    /// As [`replicate`].
    pub fn extend(&self, plan: &Plan, run: &mut Experiment, asked: usize, retention: Retention) {
        // What is lacking where work is shared is with others.
        if !run.interrupted || self.partition != Partition::Whole {
            let mut outcomes = std::mem::take(&mut run.outcomes);
            outcomes.extend(self.outcomes(plan, run.asked..asked, retention));
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

    /// Outcomes in order of their index; those that did not begin before a stop are missing, and
    /// those that are simulated elsewhere.
    fn outcomes(&self, plan: &Plan, range: Range<usize>, retention: Retention) -> Vec<Outcome> {
        let digest = store::digest(plan);
        let one = |index: usize| {
            let key = ReplicationKey { plan: digest, replication: index as u64 };
            let keep = retention.keep(key.replication);
            match self.partition {
                Partition::Whole => self.one(plan, key, keep),
                Partition::Shard(_) | Partition::ShardAlone(_) => {
                    self.shared(plan, key, keep.without_details())
                }
                Partition::Nothing => self.shared(plan, key, keep),
            }
        };
        let all: Vec<Option<Outcome>> =
            self.pool.install(|| range.into_par_iter().map(one).collect());
        all.into_iter().flatten().collect()
    }

    /// One replication of work that is shared; `None` if it is simulated elsewhere.
    fn shared(&self, plan: &Plan, key: ReplicationKey, keep: Keep) -> Option<Outcome> {
        let unit = self.unit.unwrap_or(key.unit());
        if self.partition.has(unit) {
            return self.one(plan, key, keep);
        }
        let is_needed = !matches!(self.partition, Partition::ShardAlone(_));
        let stored = || self.stored(plan, key, keep.without_details());
        let Some(stored) = is_needed.then(stored).flatten() else {
            self.absent.note(unit);
            if self.partition.is_shard() {
                self.pass(plan.run.horizon.0, 0);
            }
            return None;
        };
        if !keep.has_details() {
            self.pass(stored.ended.0, stored.ledger.offered);
            return Some(stored);
        }
        let made = self.one(plan, key, keep)?;
        let is_same = made.interrupted || made.digest == stored.digest;
        assert!(
            is_same,
            "replication {} differs from what was simulated elsewhere",
            key.replication
        );
        Some(made)
    }

    /// One replication; `None` if it was stopped before it began, which the first never is.
    fn one(&self, plan: &Plan, key: ReplicationKey, keep: Keep) -> Option<Outcome> {
        let progress = self.progress;
        if progress.is_cancelled() && key.replication > 0 {
            return None;
        }
        let plain = !keep.has_details();
        if let Some(outcome) = self.stored(plan, key, keep).filter(|_| plain) {
            self.pass(outcome.ended.0, outcome.ledger.offered);
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

    /// What the store has of a replication, if that is all that is to be kept but for details.
    fn stored(&self, plan: &Plan, key: ReplicationKey, keep: Keep) -> Option<Outcome> {
        let traced = |outcome: &Outcome| !keep.trace || !outcome.trace.is_empty();
        self.store.get(key).filter(|outcome| traced(outcome) && fits(plan, outcome))
    }

    /// Passes over a replication that need not be simulated here.
    pub fn pass(&self, nanoseconds: u64, requests: u64) {
        self.progress.advance(nanoseconds, requests);
        self.progress.complete_one();
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
