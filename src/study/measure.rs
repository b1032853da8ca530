//! What is compared: figures of a window of the run, each with what every replication adds to its
//! error.

use crate::metric::estimator::{self, FEW_FAILURES};
use crate::metric::evidence::Evidence;
use crate::metric::{Metric, Restored, percentile};
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::plan::Plan;
use crate::stats::paired::Room;
use crate::stats::{Confidence, Sample};

/// The figures of several systems from the replications in which all of them have one; `None` if
/// there are none, too few failures to speak of, or recoveries that were not over.
pub fn samples(metric: Metric, systems: &[System<'_>]) -> Option<Vec<Sample>> {
    let count = systems.iter().map(|system| system.outcomes.len()).min()?;
    let says = |index: &usize| {
        systems.iter().all(|system| metric.speaks(&system.outcomes[*index], system.window))
    };
    let common: Vec<usize> = (0..count).filter(says).collect();
    let samples = systems.iter().map(|system| sample(metric, system, &common));
    let samples = samples.collect::<Option<Vec<Sample>>>()?;
    let few = metric == Metric::Failed && systems.iter().all(|s| s.failures() < FEW_FAILURES);
    let restored = metric.restored();
    let open = restored.is_some_and(|it| systems.iter().any(|system| system.has_open(it)));
    (!few && !open).then_some(samples)
}

/// By how much the figures of two systems may differ from what was seen, beyond chance.
pub fn rooms(metric: Metric, first: &System<'_>, other: &System<'_>) -> (Room, Room) {
    let room = |system: &System<'_>| {
        let blurred = match first.has_latencies_of(other) {
            true => Room::default(),
            false => blur(metric, system),
        };
        Room { above: blurred.above + unseen(metric, system), ..blurred }
    };
    (room(first), room(other))
}

/// What the histograms of a system cannot tell of its figure.
fn blur(metric: Metric, system: &System<'_>) -> Room {
    match metric {
        Metric::Latency(q) => {
            percentile::blur(&estimator::windows(system.outcomes, system.window), q)
        }
        _ => Room::default(),
    }
}

/// By how much the figure of a system may be worse than what was seen shows, because a fault that
/// strikes at random was seen to too seldom.
fn unseen(metric: Metric, system: &System<'_>) -> f64 {
    let windows = estimator::windows(system.outcomes, system.window);
    let evidence = Evidence::of(&windows, Confidence::USUAL);
    if evidence.is_none_or(|evidence| evidence.seldom().is_empty()) {
        return 0.0;
    }
    let seen = || {
        let all: Vec<usize> = (0..system.outcomes.len()).collect();
        sample(metric, system, &all)?.estimate(Confidence::USUAL).interval
    };
    let figure = metric.estimate(system.outcomes, system.window, Confidence::USUAL);
    let ends = figure.and_then(|figure| figure.interval).zip(seen());
    ends.map_or(0.0, |(figure, seen)| (figure.high - seen.high).max(0.0))
}

/// The outcomes of a system, and the window of its plan that is meant.
#[derive(Clone, Copy, Debug)]
pub struct System<'a> {
    /// By replication.
    pub outcomes: &'a [Outcome],
    /// Index into the windows of its plan.
    pub window: usize,
}

impl System<'_> {
    /// Whether the end of some incident was not seen: how long it lasted is then not known.
    fn has_open(&self, restored: Restored) -> bool {
        let mut windows = self.outcomes.iter().map(|outcome| &outcome.windows[self.window]);
        let abnormal = |window: &WindowOutcome| {
            matches!(restored, Restored::Service | Restored::Answers)
                && window.incidents.abnormal > 0
        };
        windows.any(|window| restored.of(window).unseen() > 0 || abnormal(window))
    }

    /// Whether the requests of another took as long in every replication, up to their sum, their
    /// least and their greatest: there is no difference, whatever histograms cannot tell apart.
    fn has_latencies_of(&self, other: &System<'_>) -> bool {
        let mine = self.outcomes.iter().map(|outcome| &outcome.windows[self.window].latency);
        let theirs = other.outcomes.iter().map(|outcome| &outcome.windows[other.window].latency);
        mine.eq(theirs)
    }

    fn failures(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.windows[self.window].ledger.failed()).sum()
    }
}

fn sample(metric: Metric, system: &System<'_>, replications: &[usize]) -> Option<Sample> {
    let outcomes = replications.iter().map(|index| &system.outcomes[*index]);
    metric.sample(&outcomes.collect::<Vec<_>>(), system.window)
}

/// The windows that all plans have, by their labels: the label and the index in each plan.
pub fn common_windows(plans: &[&Plan]) -> Vec<(String, Vec<usize>)> {
    let Some(first) = plans.first() else { return Vec::new() };
    let find = |label: &str| {
        let index = |plan: &&Plan| plan.windows.iter().position(|window| window.label == label);
        plans.iter().map(index).collect::<Option<Vec<usize>>>()
    };
    let labels = first.windows.iter().map(|window| window.label.clone());
    labels.filter_map(|label| find(&label).map(|indices| (label, indices))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::observe::strikes::Strikes;
    use crate::units::Span;

    #[test]
    fn the_cpu_may_be_more_by_what_struck_too_seldom() {
        let unseen = |struck| {
            let mut run = example::experiment();
            let (longest, rate) = (Span::from_secs(20.0), Some(1e-3));
            let strikes = Strikes { fault: 0, own: false, struck, longest, rate, after: 0.25 };
            run.outcomes.iter_mut().for_each(|o| o.windows[0].strikes = vec![strikes]);
            super::unseen(Metric::Cpu, &System { outcomes: &run.outcomes, window: 0 })
        };
        // 5 % of the CPU are in use, and all may be for a quarter of the time.
        assert!((unseen(0) - 0.25 * 0.95).abs() < 0.005, "{}", unseen(0));
        assert_eq!(unseen(10), 0.0);
    }
}
