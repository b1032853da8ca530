//! The outcomes of an experiment, and how it came to end.

use crate::observe::outcome::Outcome;
use crate::stats::Confidence;

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
    pub(super) fn gather(mut outcomes: Vec<Outcome>, asked: usize) -> Experiment {
        let complete = outcomes.iter().filter(|outcome| !outcome.interrupted).count();
        if complete > 0 {
            outcomes.retain(|outcome| !outcome.interrupted);
        }
        let (interrupted, confidence) = (complete < asked, Confidence::USUAL);
        Experiment { outcomes, interrupted, asked, confidence, sequence: None }
    }
}
