//! Replications until they are enough.
//!
//! The number doubles from look to look, up to the most that is allowed. After each look it ends if
//! every objective is decided, or if every figure that the objectives speak of is known as
//! precisely as asked for; without objectives these are the mean and p99 of the run. Precise is an
//! interval whose half is at most the asked part of its point; for a share, of the share or of what
//! lacks to one, whichever is less.
//!
//! Who looks often and stops when the picture pleases is wrong more often than the intervals say.
//! So each of the k possible looks has intervals of confidence 1 − 5 %/k: with 95 % the intervals
//! of all looks contain their truths, and so do those of the one at which it ends (Bonferroni; for
//! why it is needed see Armitage, McPherson and Rowe, J. R. Stat. Soc. A 132, 1969).

use crate::experiment::{Experiment, Retention, Runner, Sequence, SequenceEnd};
use crate::objective::{Bound, Metric, Objective, Relation};
use crate::scenario::Scenario;
use crate::stats::{Confidence, Estimate};
use crate::units::Span;
use crate::verdict::{Judgement, Verdict, judge_all};

/// Replications before the first look: with fewer, intervals of percentiles are not to be trusted.
pub const FIRST_LOOK: usize = 10;

/// How precise figures are to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// Half of the interval over its point, above zero.
    pub relative: f64,
    /// The most replications.
    pub most: usize,
}

impl Precision {
    /// How many replications there are at each look, from the number that the scenario asks for.
    pub fn looks(&self, asked: usize) -> Vec<usize> {
        let first = asked.max(FIRST_LOOK).min(self.most.max(1));
        let doubled = |count: &usize| (*count < self.most).then(|| (2 * count).min(self.most));
        std::iter::successors(Some(first), doubled).collect()
    }
}

/// Runs a scenario until its figures are precise or its objectives decided.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(
    runner: &Runner<'_>,
    scenario: &Scenario,
    precision: Precision,
    retention: Retention,
) -> Experiment {
    let horizon = scenario.plan.run.horizon.0;
    let expect =
        |count: usize| runner.progress().expect(count, horizon.saturating_mul(count as u64));
    run_within(runner, scenario, precision, retention, expect)
}

/// The same as a part of something larger: `expect` is told how many replications of the scenario
/// there will be in all, as far as is known.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run_within(
    runner: &Runner<'_>,
    scenario: &Scenario,
    precision: Precision,
    retention: Retention,
    expect: impl Fn(usize),
) -> Experiment {
    let plan = &scenario.plan;
    let looks = precision.looks(plan.run.replications);
    let confidence = Confidence::USUAL.of_each(looks.len());
    expect(looks[0]);
    let mut run = runner.run(plan, looks[0], retention);
    for (index, count) in looks.iter().enumerate() {
        if index > 0 {
            runner.extend(plan, &mut run, *count, retention);
        }
        run.confidence = confidence;
        let (end, more) = state(&run, scenario, precision);
        let last = index + 1 == looks.len();
        if let Some(end) = end.or(last.then_some(SequenceEnd::Most)) {
            let (Precision { relative: precision, most }, looks) = (precision, looks.len());
            run.sequence = Some(Sequence { precision, most, looks, end });
            break;
        }
        let enough = |look: &&usize| **look as f64 >= *count as f64 * more;
        expect(*looks[index + 1..].iter().find(enough).unwrap_or(&precision.most));
    }
    run
}

/// Whether an experiment can end, and how many times its replications it seems to need.
fn state(
    run: &Experiment,
    scenario: &Scenario,
    precision: Precision,
) -> (Option<SequenceEnd>, f64) {
    if run.interrupted {
        return (Some(SequenceEnd::Interrupted), 0.0);
    }
    let asked = match scenario.objectives.is_empty() {
        true => figures(),
        false => scenario.objectives.clone(),
    };
    let judgements = judge_all(run, &asked);
    let is_decided = |j: &&Judgement| !matches!(j.verdict, Verdict::Undecided(_));
    if !scenario.objectives.is_empty() && judgements.iter().all(|j| is_decided(&j)) {
        return (Some(SequenceEnd::Decided), 0.0);
    }
    let open = judgements.iter().filter(|j| scenario.objectives.is_empty() || !is_decided(j));
    let width = |j: &Judgement| relative_width(j.figure.as_deref(), j.objective.metric.is_share());
    let widest = open.map(width).fold(0.0, f64::max) / precision.relative;
    ((widest <= 1.0).then_some(SequenceEnd::Precise), widest.powi(2))
}

/// Half of an interval over its point; infinite if there is none.
fn relative_width(figure: Option<&Estimate>, is_share: bool) -> f64 {
    let half = figure.and_then(|figure| Some((figure.half_width()?, figure.point)));
    half.filter(|(half, _)| half.is_finite()).map_or(f64::INFINITY, |(half, point)| {
        let of = if is_share { point.min(1.0 - point) } else { point };
        if half == 0.0 { 0.0 } else { half / of.abs() }
    })
}

/// What is to be known of a scenario without objectives. The bounds do not matter.
fn figures() -> Vec<Objective> {
    let figure = |text: &str, metric| Objective {
        text: text.to_owned(),
        metric,
        relation: Relation::Below,
        bound: Bound::Span(Span::ZERO),
        window: 0,
    };
    vec![figure("mean", Metric::MeanLatency), figure("p99", Metric::Latency(0.99))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_double_and_end_at_the_most() {
        let looks = |asked, most| Precision { relative: 0.02, most }.looks(asked);
        assert_eq!(looks(10, 100), [10, 20, 40, 80, 100]);
        assert_eq!(looks(3, 15), [10, 15]);
        assert_eq!(looks(50, 20), [20]);
        assert_eq!(looks(1, 1), [1]);
    }

    #[test]
    fn a_width_is_relative_to_what_a_share_leaves() {
        let figure = Estimate::with_error(0.999, 0.0001, 1_000, Confidence::USUAL);
        let half = 1.962 * 0.0001;
        let width = |share| relative_width(Some(&figure), share);
        assert!((width(false) - half / 0.999).abs() < 1e-6);
        assert!((width(true) - half / 0.001).abs() < 1e-3);
        assert_eq!(relative_width(None, false), f64::INFINITY);
        assert_eq!(relative_width(Some(&Estimate::alone(1.0, 1)), false), f64::INFINITY);
    }
}
