//! Several metrics at once: the largest recommendation wins.
//!
//! Source: `computeReplicasForMetrics` in `horizontal.go`. A metric of which nothing is known keeps
//! the number from falling, and does not keep it from growing; if nothing is known of any, nothing
//! changes.

use super::average::{AverageTarget, recommend_average};
use super::calculator::{Blind, CpuTarget, Recommendation, Snapshot, recommend};
use crate::units::{Instant, Rate};

/// A metric and what is demanded of it.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricGoal {
    /// CPU or memory, of what is requested.
    Resource(CpuTarget),
    /// Requests per second of each replica.
    Requests(AverageTarget),
}

/// Which metric led to a recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// CPU, against a target in percent.
    Cpu(i32),
    /// Memory, against a target in percent.
    Memory(i32),
    /// Requests per second, against a target in thousandths.
    Requests(i64),
}

impl Measure {
    /// What reports call it, unless it is the CPU.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Cpu(_) => "",
            Measure::Memory(_) => "memory: ",
            Measure::Requests(_) => "requests: ",
        }
    }

    /// Its target in words.
    pub fn target(self) -> String {
        match self {
            Measure::Cpu(percent) | Measure::Memory(percent) => format!("{percent} %"),
            Measure::Requests(milli) => Rate(milli as f64 / 1e3).to_string(),
        }
    }

    /// Its target in the percents that a recommendation has.
    pub fn target_pct(self) -> i32 {
        match self {
            Measure::Cpu(percent) | Measure::Memory(percent) => percent,
            Measure::Requests(_) => 100,
        }
    }
}

impl MetricGoal {
    /// Which metric it is.
    pub fn measure(&self) -> Measure {
        match self {
            MetricGoal::Resource(target) if target.of_memory => {
                Measure::Memory(target.utilisation_pct)
            }
            MetricGoal::Resource(target) => Measure::Cpu(target.utilisation_pct),
            MetricGoal::Requests(target) => Measure::Requests(target.milli),
        }
    }

    fn recommend(
        &self,
        shown: &Snapshot,
        current: i32,
        now: Instant,
    ) -> Result<Recommendation, Blind> {
        match self {
            MetricGoal::Resource(target) => recommend(target, shown, current, now),
            MetricGoal::Requests(target) => recommend_average(target, shown, current),
        }
    }
}

/// What the metrics ask for together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Together {
    /// What the one that asks for most does.
    pub recommended: Recommendation,
    /// Which one that is.
    pub measure: Measure,
    /// The CPU in percent of the request, if it is one of them and known.
    pub cpu_pct: Option<i32>,
}

/// What metrics ask for together, each with what the autoscaler is shown of it.
///
/// # Errors
/// Says why nothing is known of the first metric of which nothing is, if that decides.
pub fn recommend_together(
    goals: &[MetricGoal],
    shown: &[Snapshot],
    current: i32,
    now: Instant,
) -> Result<Together, Blind> {
    assert_eq!(goals.len(), shown.len(), "each metric has what is shown of it");
    let mut most: Option<(Recommendation, Measure)> = None;
    let (mut blind, mut cpu_pct) = (None, None);
    for (goal, shown) in goals.iter().zip(shown) {
        match goal.recommend(shown, current, now) {
            Err(reason) => blind = blind.or(Some(reason)),
            Ok(found) => {
                if matches!(goal.measure(), Measure::Cpu(_)) {
                    cpu_pct = Some(found.utilisation_pct);
                }
                if most.is_none_or(|(most, _)| found.replicas > most.replicas) {
                    most = Some((found, goal.measure()));
                }
            }
        }
    }
    match (most, blind) {
        (None, blind) => Err(blind.unwrap_or(Blind::NoMetrics)),
        (Some((found, _)), Some(blind)) if found.replicas < current => Err(blind),
        (Some((recommended, measure)), _) => Ok(Together { recommended, measure, cpu_pct }),
    }
}
