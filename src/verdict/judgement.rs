//! What a verdict is, and how an interval is held against the bound of an objective.

use crate::objective::budget::BudgetObjective;
use crate::objective::{Bound, Objective, Relation};
use crate::observe::recovery::Unclear;
use crate::stats::{Estimate, Interval};

/// The judgement on one objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// It holds with the confidence of the intervals.
    Met,
    /// It does not hold, with the same confidence.
    Missed,
    /// The data do not say.
    Undecided(Doubt),
}

/// Why an objective is undecided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// Nothing was measured: no request, no incident.
    NoData,
    /// The run was stopped: replications end before the horizon, or are fewer than asked for.
    Interrupted,
    /// One replication has no interval.
    OneReplication,
    /// The bound lies within the interval.
    Straddles,
    /// This many incidents were not over at the end of the run.
    Unrecovered(u64),
    /// The gateway did not serve as one that works before so many incidents.
    AbnormalBefore(u64),
    /// So many incidents are too few to bound the percentile; so many can.
    FewIncidents(u64, u64),
    /// This share of the requests was in flight at the end and would not have been answered soon:
    /// what becomes of them decides.
    Unanswered(f64),
    /// Fewer than ten requests are expected beyond the percentile.
    FewBeyond,
    /// So many replications do not say whether they came back, most of them for this reason, and
    /// what became of them decides.
    Unclear(u64, Unclear),
    /// Nothing troubled any replication: no fault was injected after warm-up, and the rate did not
    /// rise.
    Untroubled,
    /// A fault that strikes at random was not seen to often enough for its effect to be known, and
    /// what is not known decides.
    FewStrikes(FewStrikes),
}

/// A fault that was seen too seldom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FewStrikes {
    /// Index of the fault in the plan.
    pub fault: usize,
    /// How often it struck.
    pub struck: u64,
    /// Replications in which it can be expected to strike often enough, if that can be said.
    pub needed: Option<u64>,
}

/// The judgement on a figure.
pub fn judge(objective: &Objective, figure: Option<&Estimate>) -> Verdict {
    let Some(figure) = figure else { return Verdict::Undecided(Doubt::NoData) };
    let Some(Interval { low, high }) = figure.interval else {
        return Verdict::Undecided(Doubt::OneReplication);
    };
    let bound = bound(objective);
    let (met, missed) = match objective.relation {
        Relation::Below => (high < bound, low >= bound),
        Relation::AtMost => (high <= bound, low > bound),
        Relation::Above => (low > bound, high <= bound),
        Relation::AtLeast => (low >= bound, high < bound),
    };
    match (met, missed) {
        (true, _) => Verdict::Met,
        (_, true) => Verdict::Missed,
        _ => Verdict::Undecided(Doubt::Straddles),
    }
}

/// The judgement on an error budget, of the chance that a month uses more of it.
pub fn judge_budget(objective: &BudgetObjective, chance: Interval) -> Verdict {
    match chance {
        Interval { high, .. } if high <= objective.spared.0 => Verdict::Met,
        Interval { low, .. } if low > objective.spared.0 => Verdict::Missed,
        _ => Verdict::Undecided(Doubt::Straddles),
    }
}

/// The bound in the unit of the figure: seconds, or a share.
pub fn bound(objective: &Objective) -> f64 {
    match objective.bound {
        Bound::Span(span) => span.as_secs(),
        Bound::Share(share) => share.0,
    }
}
