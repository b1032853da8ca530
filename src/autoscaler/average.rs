//! How many replicas a mean over the pods asks for: a metric of pods with an average value, such as
//! requests per second.
//!
//! ```text
//! ratio = mean of the pods with a figure / target
//!   nobody missing, nobody pending that matters ─► inside tolerance: as it is,
//!                                                  else ⌈ratio · pods that run⌉
//!   else fill in: missing at the target when shrinking, at nothing when growing; pending at
//!        nothing when growing; the ratio anew ─► inside tolerance or turned round: as it is,
//!                                        else ⌈ratio' · pods with a figure⌉, never the other way
//! ```
//!
//! Source: `calcPlainMetricReplicas` in `replica_calculator.go`. Values are integers of a
//! thousandth, and the mean is truncated. Readiness plays no part: a pod that runs and has a figure
//! counts.

use super::calculator::{Blind, Ground, Recommendation, Snapshot, Tolerance, ceil};
use super::pods::{Pod, PodGroup, group_by_phase};

/// What is demanded of the mean over the replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AverageTarget {
    /// The mean to hold, in thousandths; above 0.
    pub milli: i64,
    /// How far from it nothing is changed.
    pub tolerance: Tolerance,
}

impl AverageTarget {
    /// The greatest mean that brings no replica.
    pub fn held(&self) -> f64 {
        self.milli as f64 / 1e3 * (1.0 + self.tolerance.up)
    }

    fn ratio(&self, mean: i64) -> f64 {
        assert!(self.milli > 0, "a target of {} thousandths", self.milli);
        mean as f64 / self.milli as f64
    }

    fn percent(&self, mean: i64) -> i32 {
        (mean.saturating_mul(100) / self.milli).min(i64::from(i32::MAX)) as i32
    }
}

/// The mean of figures, truncated; `None` if there are none.
fn mean(figures: &[i64]) -> Option<i64> {
    figures.iter().sum::<i64>().checked_div(figures.len() as i64)
}

/// The number of replicas that the target asks for, before limits and stabilisation. Percents are
/// of the target.
///
/// # Errors
/// Says why nothing can be said.
pub fn recommend_average(
    target: &AverageTarget,
    snapshot: &Snapshot,
    current: i32,
) -> Result<Recommendation, Blind> {
    let usage = |pod: &Pod| pod.usage_milli(None);
    if snapshot.pods.iter().all(|pod| usage(pod).is_none()) {
        return Err(Blind::NoRequests);
    }
    let groups: Vec<_> = snapshot.pods.iter().map(group_by_phase).collect();
    let count = |wanted| groups.iter().filter(|group| **group == wanted).count();
    let (ready, unready) = (count(PodGroup::Ready), count(PodGroup::Unready));
    let missing = count(PodGroup::Missing);
    let pods = snapshot.pods.iter().zip(&groups);
    let known = pods.filter(|(_, group)| **group == PodGroup::Ready);
    let mut figures: Vec<i64> = known.filter_map(|(pod, _)| usage(pod)).collect();
    let first = mean(&figures).ok_or(Blind::NoneCounts)?;
    debug_assert_eq!(figures.len(), ready, "who counts has a figure");
    let ratio = target.ratio(first);
    let recommendation = |replicas, ground| Recommendation {
        replicas,
        utilisation_pct: target.percent(first),
        average_milli: first,
        ready,
        unready,
        missing,
        ground,
    };
    let unready_matters = unready > 0 && ratio > 1.0;
    if !unready_matters && missing == 0 {
        let filled_pct = target.percent(first);
        return Ok(match target.tolerance.holds(ratio) {
            true => recommendation(current, Ground::Tolerated { filled_pct }),
            false => recommendation(ceil(ratio, ready), Ground::Asked { filled_pct }),
        });
    }
    let fill = if ratio < 1.0 { target.milli } else { 0 };
    figures.extend(std::iter::repeat_n(fill, missing));
    figures.extend(std::iter::repeat_n(0, if unready_matters { unready } else { 0 }));
    let second = mean(&figures).ok_or(Blind::NoneCounts)?;
    let (again, filled_pct) = (target.ratio(second), target.percent(second));
    let wanted = ceil(again, figures.len());
    let crossed = (ratio < 1.0 && again > 1.0) || (ratio > 1.0 && again < 1.0);
    let contrary = (again < 1.0 && wanted > current) || (again > 1.0 && wanted < current);
    Ok(if target.tolerance.holds(again) {
        recommendation(current, Ground::Tolerated { filled_pct })
    } else if crossed || contrary {
        recommendation(current, Ground::TurnedRound { filled_pct })
    } else {
        recommendation(wanted, Ground::Asked { filled_pct })
    })
}
