//! By how much an objective is exceeded at a load, with what the intervals leave possible.
//!
//! Durations by the logarithm of their ratio to the bound, shares by the distance in units of what
//! the bound leaves. A percentile in a scenario that bounds no failures is exceeded by the greater
//! of two: its latency, and the share of the requests that failed or were never answered over the
//! share that it leaves out.

use crate::objective::{Metric, Objective, Relation};
use crate::stats::{Estimate, Interval};
use crate::study::capacity::search::Excess;
use crate::verdict::{self, Doubt, Judgement, Verdict};

const UNKNOWN: Excess =
    Excess { least: f64::NEG_INFINITY, point: f64::INFINITY, most: f64::INFINITY };

/// The excess of a judged objective; `served` is the share of the requests that were answered, if
/// no objective bounds it.
pub(crate) fn of(judgement: &Judgement, served: Option<&Estimate>) -> Excess {
    let own = of_figure(judgement);
    match (judgement.objective.metric, served) {
        (Metric::Latency(q), Some(served)) => {
            let failing = of_failures(served, 1.0 - q);
            // Where nothing is served there is no latency, and nothing to doubt.
            if judgement.figure.is_none() { failing } else { own.max(failing) }
        }
        _ => own,
    }
}

/// How far the share that fails is above the share `left_out`.
fn of_failures(served: &Estimate, left_out: f64) -> Excess {
    let over = |served: f64| (1.0 - served - left_out) / left_out;
    served.interval.map_or(UNKNOWN, |Interval { low, high }| Excess {
        least: over(high),
        point: over(served.point),
        most: over(low),
    })
}

fn of_figure(judgement: &Judgement) -> Excess {
    let known = judgement.figure.and_then(|figure| Some((figure.point, figure.interval?)));
    let Some((point, Interval { low, high })) = known else { return UNKNOWN };
    let of = |value: f64| over(&judgement.objective, value);
    let ends = (of(low), of(high));
    let mut excess =
        Excess { least: ends.0.min(ends.1), point: of(point), most: ends.0.max(ends.1) };
    match judgement.verdict {
        // Failures are judged by themselves.
        Verdict::Undecided(Doubt::Failed(_) | Doubt::Straddles) => {}
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
    let longer = (value.max(1e-9) / bound.max(1e-9)).ln();
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
    use crate::objective::Bound;
    use crate::units::Span;

    fn estimate(low: f64, point: f64, high: f64) -> Estimate {
        Estimate { point, interval: Some(Interval { low, high }), n: 10 }
    }

    fn p99(figure: Option<Estimate>, verdict: Verdict) -> Judgement {
        let objective = Objective {
            text: "p99 < 1s".to_owned(),
            metric: Metric::Latency(0.99),
            relation: Relation::Below,
            bound: Bound::Span(Span::from_secs(1.0)),
            window: 1,
        };
        let figure = figure.map(|figure| Statistic::new(Dimension::Time, figure));
        Judgement { objective, figure, verdict, margin: None }
    }

    #[test]
    fn a_percentile_is_exceeded_by_its_latency() {
        let excess = of(&p99(Some(estimate(0.5, 0.6, 0.7)), Verdict::Met), None);
        assert!((excess.point - 0.6_f64.ln()).abs() < 1e-12);
        assert!(excess.least < excess.point && excess.point < excess.most && excess.most < 0.0);
    }

    #[test]
    fn a_least_latency_is_missed_below_it() {
        let mut judged = p99(Some(estimate(1.5, 1.6, 1.7)), Verdict::Met);
        judged.objective.relation = Relation::Above;
        let excess = of(&judged, None);
        assert!(excess.least < excess.point && excess.point < excess.most && excess.most < 0.0);
    }

    #[test]
    fn failures_that_nothing_bounds_are_judged_by_their_interval() {
        let judged = p99(Some(estimate(0.5, 0.6, 0.7)), Verdict::Met);
        let found = |low, point, high| of(&judged, Some(&estimate(low, point, high)));
        // From 0.5 % to 1.5 % fail: nobody knows whether that is more than 1 %.
        let unsure = found(0.985, 0.99, 0.995);
        assert!(unsure.least < 0.0 && unsure.most > 0.0, "{unsure:?}");
        assert!(found(0.97, 0.975, 0.98).least > 0.0);
        assert!(found(0.999, 0.9995, 1.0).most < 0.0);
    }

    #[test]
    fn where_nothing_is_served_a_percentile_is_missed_and_no_data_passes() {
        let nothing = p99(None, Verdict::Undecided(Doubt::NoData));
        assert!(of(&nothing, Some(&estimate(0.0, 0.0, 0.001))).least > 0.0);
        let unknown = of(&nothing, None);
        assert!(unknown.most > 0.0 && unknown.least < 0.0);
    }
}
