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

    /// The index of the replication that is told of all: the one whose failed requests are nearest
    /// the median of all, of several the one whose mean latency is, of these the first.
    pub fn typical(&self) -> Option<usize> {
        let failed = |outcome: &Outcome| outcome.windows[0].ledger.failed() as f64;
        let mean = |outcome: &Outcome| {
            outcome.windows[0].latency.mean().map_or(0.0, |mean| mean.as_secs())
        };
        let away =
            [median(self.outcomes.iter().map(failed)), median(self.outcomes.iter().map(mean))];
        let distance = |outcome: &Outcome| {
            ((failed(outcome) - away[0]).abs(), (mean(outcome) - away[1]).abs())
        };
        let all = self.outcomes.iter().map(distance).enumerate();
        let nearest = all.min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        nearest.map(|(index, _)| index)
    }

    /// The replication that is told: the one whose details are kept.
    pub fn told(&self) -> Option<&Outcome> {
        let detailed = self.outcomes.iter().find(|outcome| outcome.timeline.is_some());
        detailed.or(self.outcomes.first())
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

/// The median; zero of nothing.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    values.get(low).zip(values.get(high)).map_or(0.0, |(low, high)| (low + high) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::units::Span;

    #[test]
    fn the_typical_replication_is_nearest_the_median_loss() {
        let mut run = example::experiment();
        let lose = |run: &mut Experiment, lost: [u64; 5]| {
            for (outcome, lost) in run.outcomes.iter_mut().zip(lost) {
                outcome.windows[0].ledger.failures = Default::default();
                outcome.windows[0].ledger.failures[0] = lost;
            }
        };
        lose(&mut run, [797, 298, 410, 405, 120]);
        assert_eq!(run.typical(), Some(3));
        // The mean of all latencies decides between those that lost alike.
        lose(&mut run, [7; 5]);
        for (outcome, millis) in run.outcomes.iter_mut().zip([90, 10, 30, 20, 31]) {
            outcome.windows[0].latency.clear();
            outcome.windows[0].latency.record(Span::from_secs(f64::from(millis) / 1e3));
        }
        assert_eq!(run.typical(), Some(2));
        run.outcomes.truncate(4);
        // Between two that are as near, the first.
        assert_eq!(run.typical(), Some(2));
        run.outcomes.clear();
        assert_eq!((run.typical(), run.told()), (None, None));
    }

    #[test]
    fn what_is_told_is_what_details_are_kept_of() {
        let mut run = example::experiment();
        assert_eq!(run.told().unwrap().replication, 0);
        run.outcomes[3].timeline = run.outcomes[0].timeline.take();
        assert_eq!(run.told().unwrap().replication, 3);
    }
}
