//! By how much an objective is exceeded at a load, with what the intervals leave possible.
//!
//! Durations by the logarithm of their ratio to the bound, shares by the distance in units of what
//! the bound leaves. What is missed by far, such as a percentile that lies among the requests that
//! failed, is exceeded by as much as anything can be, so that a search halves the way to it.

use crate::objective::{Objective, Relation};
use crate::stats::Interval;
use crate::verdict::{self, Doubt, Judgement, Verdict};

/// By how much the objectives are exceeded: below zero is met, above is missed. Each is the
/// greatest over the objectives; infinite where nothing is known, never not a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    /// At the optimistic ends of the intervals.
    pub least: f64,
    /// At the points.
    pub point: f64,
    /// At the pessimistic ends of the intervals.
    pub most: f64,
}

impl Excess {
    /// One that is known exactly.
    pub(crate) fn exactly(point: f64) -> Excess {
        Excess { least: point, point, most: point }
    }

    /// Whether it is met or missed with confidence.
    pub fn is_decided(&self) -> bool {
        self.least > 0.0 || self.most < 0.0
    }

    /// Whether it is met or missed by twice what its interval takes: not by chance, however many
    /// loads are tried.
    pub fn is_plain(&self) -> bool {
        self.misses_plainly() || (self.most < 0.0 && 2.0 * self.most < self.point)
    }

    /// Whether it is missed by twice what its interval takes.
    pub(crate) fn misses_plainly(&self) -> bool {
        self.least > 0.0 && 2.0 * self.least > self.point
    }

    /// The greater of two, part by part.
    pub(crate) fn max(self, other: Excess) -> Excess {
        let Excess { least, point, most } = other;
        Excess {
            least: self.least.max(least),
            point: self.point.max(point),
            most: self.most.max(most),
        }
    }
}

const UNKNOWN: Excess =
    Excess { least: f64::NEG_INFINITY, point: f64::INFINITY, most: f64::INFINITY };

/// By how much a duration is exceeded at most.
pub(crate) const BY_FAR: f64 = 1.0;

/// The excess of a judged objective.
pub(crate) fn of(judgement: &Judgement) -> Excess {
    let known = judgement.figure.and_then(|figure| Some((figure.point, figure.interval?)));
    let Some((point, Interval { low, high })) = known else { return UNKNOWN };
    let of = |value: f64| over(&judgement.objective, value);
    let ends = (of(low), of(high));
    let mut excess =
        Excess { least: ends.0.min(ends.1), point: of(point), most: ends.0.max(ends.1) };
    match judgement.verdict {
        Verdict::Undecided(Doubt::Straddles | Doubt::FewStrikes(_)) => {}
        Verdict::Undecided(_) => {
            excess.most = f64::INFINITY;
            if excess.point < 0.0 {
                excess.least = f64::NEG_INFINITY;
            }
        }
        // An interval may end just at the bound.
        Verdict::Met => excess.most = excess.most.min(-f64::MIN_POSITIVE),
        Verdict::Missed => excess.least = excess.least.max(f64::MIN_POSITIVE),
    }
    excess
}

fn over(objective: &Objective, value: f64) -> f64 {
    let bound = verdict::bound(objective);
    let is_least = matches!(objective.relation, Relation::Above | Relation::AtLeast);
    let longer = (value.max(1e-9) / bound.max(1e-9)).ln().min(BY_FAR);
    match (objective.metric.is_share(), is_least) {
        (true, true) => (bound - value) / (1.0 - bound).max(1e-6),
        (true, false) => (value - bound) / bound.max(1e-6),
        (false, true) => -longer,
        (false, false) => longer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Dimension, Statistic};
    use crate::objective::{Bound, Metric};
    use crate::stats::Estimate;
    use crate::units::Span;

    fn estimate(low: f64, point: f64, high: f64) -> Estimate {
        Estimate { point, interval: Some(Interval { low, high }), n: 10 }
    }

    fn p99(figure: Option<Estimate>, verdict: Verdict) -> Judgement {
        let objective = Objective {
            text: "p99 < 1s".to_owned(),
            metric: Metric::SentLatency(0.99),
            relation: Relation::Below,
            bound: Bound::Span(Span::from_secs(1.0)),
            window: 1,
        };
        let figure = figure.map(|figure| Statistic::new(Dimension::Time, figure));
        let (margin, without_latency, rejected) = (None, None, None);
        Judgement { objective, figure, verdict, margin, without_latency, rejected, not_over: 0 }
    }

    #[test]
    fn a_percentile_is_exceeded_by_its_latency() {
        let excess = of(&p99(Some(estimate(0.5, 0.6, 0.7)), Verdict::Met));
        assert!((excess.point - 0.6_f64.ln()).abs() < 1e-12);
        assert!(excess.least < excess.point && excess.point < excess.most && excess.most < 0.0);
    }

    #[test]
    fn a_least_latency_is_missed_below_it() {
        let mut judged = p99(Some(estimate(1.5, 1.6, 1.7)), Verdict::Met);
        judged.objective.relation = Relation::Above;
        let excess = of(&judged);
        assert!(excess.least < excess.point && excess.point < excess.most && excess.most < 0.0);
    }

    #[test]
    fn a_percentile_among_the_failed_is_exceeded_by_far_and_no_data_says_nothing() {
        let never = f64::INFINITY;
        assert_eq!(of(&p99(Some(estimate(never, never, never)), Verdict::Missed)).least, BY_FAR);
        let straddles = Verdict::Undecided(Doubt::Straddles);
        let unsure = of(&p99(Some(estimate(0.5, 0.6, never)), straddles));
        assert!(unsure.point < 0.0 && unsure.most == BY_FAR, "{unsure:?}");
        // However long the served ones took, its parts stay in order.
        let slow = of(&p99(Some(estimate(66.0, 82.0, never)), Verdict::Missed));
        assert_eq!((slow.least, slow.point, slow.most), (BY_FAR, BY_FAR, BY_FAR));
        let unknown = of(&p99(None, Verdict::Undecided(Doubt::NoData)));
        assert!(unknown.most > 0.0 && unknown.least < 0.0);
    }
}
