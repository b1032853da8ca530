//! What a strategy of several regions comes to, so that it can be set beside others.

use crate::experiment::Experiment;
use crate::metric::{Dimension, Metric, Restored, Statistic, estimator};
use crate::observe::outcome::WindowOutcome;
use crate::plan::{Plan, StateItem, StateLoss};
use crate::units::Span;

/// A strategy in figures, of the whole run after warm-up.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// Until requests were answered again.
    pub rto: RestoredTime,
    /// Until 95 % of the clients of a region that was lost or left were led elsewhere.
    pub clients_back: RestoredTime,
    /// The oldest that is lost with a region, what that is, and why; `None` if no region is.
    pub rpo: Option<(Span, StateItem, StateLoss)>,
    /// Requests that failed in a replication.
    pub lost: Option<Statistic>,
}

/// How long it took to restore something.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoredTime {
    /// The longest of a replication, in the mean; a lower bound if some were not restored.
    pub longest: Option<Statistic>,
    /// Incidents in which that was seen, …
    pub seen: u64,
    /// … and those in which it was not.
    pub not_over: u64,
}

impl RestoredTime {
    fn of(restored: Restored, windows: &[&WindowOutcome], run: &Experiment) -> Self {
        let each = || windows.iter().map(|window| restored.of(window));
        RestoredTime {
            longest: Metric::Recovery(restored).of_windows(windows, run.confidence),
            seen: each().map(|one| one.seen.count()).sum(),
            not_over: each().map(|one| one.unseen()).sum(),
        }
    }

    /// Whether it was never seen.
    pub fn is_never(&self) -> bool {
        self.seen == 0 && self.not_over > 0
    }
}

impl Strategy {
    /// That of an experiment on a plan.
    pub fn of(run: &Experiment, plan: &Plan) -> Strategy {
        let windows = estimator::windows(&run.outcomes, 0);
        let lost: Vec<f64> = windows.iter().map(|one| one.ledger.failed() as f64).collect();
        Strategy {
            rto: RestoredTime::of(Restored::Answers, &windows, run),
            clients_back: RestoredTime::of(Restored::Clients(95), &windows, run),
            rpo: plan.recovery_point(0, None),
            lost: Statistic::mean(Dimension::Count, &lost, run.confidence),
        }
    }
}
