//! One step of the autoscaler: from what it is shown to a number of replicas, with the reason.
//!
//! ```text
//! size 0, or outside min..max ─► corrected without a look at metrics
//! else recommend ─► blind: as it is
//!                └► stabilise ─► limit ─► Decision
//! ```
//!
//! Source: `reconcileAutoscaler` in `horizontal.go`. Without `behavior` a step at most doubles the
//! number, or reaches 4; with it, its policies hold.

use super::average::AverageTarget;
use super::behavior::{Behavior, History, limit_down, limit_up};
use super::calculator::{CpuTarget, Snapshot};
use super::decision::{Decision, Reason, Restraint};
use super::goals::{MetricGoal, Together, recommend_together};
use super::log::{PastRecommendation, RecommendationLog};
use crate::units::{Instant, Span};

/// What an autoscaler is told to do.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoscalerSpec {
    /// The fewest replicas.
    pub min: i32,
    /// The most replicas.
    pub max: i32,
    /// The metrics to hold; at least one.
    pub goals: Vec<MetricGoal>,
    /// The speed of changes; `None` = the field is absent, which is not the same as its defaults.
    pub behavior: Option<Behavior>,
    /// How the controller is set.
    pub settings: Settings,
}

impl AutoscalerSpec {
    /// What is demanded of the CPU, if it is a metric.
    pub fn cpu(&self) -> Option<&CpuTarget> {
        self.goals.iter().find_map(|goal| match goal {
            MetricGoal::Resource(target) if !target.of_memory => Some(target),
            _ => None,
        })
    }

    /// What is demanded of the requests of each replica, if they are a metric.
    pub fn requests(&self) -> Option<&AverageTarget> {
        self.goals.iter().find_map(|goal| match goal {
            MetricGoal::Requests(target) => Some(target),
            MetricGoal::Resource(_) => None,
        })
    }
}

/// Settings of the controller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// For how long recommendations keep the number from falling
    /// (`--horizontal-pod-autoscaler-downscale-stabilization`).
    pub downscale_window: Span,
    /// Without `behavior` a step goes at most to this multiple of the number …
    pub step_factor: f64,
    /// … or to this number, whichever is more.
    pub step_least: f64,
}

impl Default for Settings {
    /// Kubernetes' own: 300 s, twice, 4.
    fn default() -> Self {
        let downscale_window = Span::from_secs(300.0);
        Settings { downscale_window, step_factor: 2.0, step_least: 4.0 }
    }
}

/// What an autoscaler remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AutoscalerState {
    /// What it recommended; `None` = it never looked.
    pub log: Option<RecommendationLog>,
    /// What it changed, if it has `behavior`.
    pub history: History,
}

/// One step at `now`; `shown` is what is known of each metric.
pub fn step(
    spec: &AutoscalerSpec,
    memory: &mut AutoscalerState,
    shown: &[Snapshot],
    current: i32,
    now: Instant,
) -> Decision {
    assert!(0 <= spec.min && spec.min <= spec.max, "from {} to {} replicas", spec.min, spec.max);
    assert!(current >= 0, "{current} replicas");
    memory.log.get_or_insert_with(|| {
        RecommendationLog(vec![PastRecommendation { replicas: current, at: now }])
    });
    let (desired, reason) = if current == 0 && spec.min != 0 {
        (0, Reason::Disabled)
    } else if current > spec.max {
        (spec.max, Reason::AboveMax)
    } else if current < spec.min {
        (spec.min, Reason::BelowMin)
    } else {
        match recommend_together(&spec.goals, shown, current, now) {
            Err(blind) => (current, Reason::Blind(blind)),
            Ok(together) => normalise(spec, memory, together, current, now),
        }
    };
    assert!(
        reason == Reason::Disabled || (spec.min..=spec.max).contains(&desired),
        "{desired} replicas, not from {} to {}",
        spec.min,
        spec.max
    );
    if let Some(behavior) = spec.behavior.as_ref().filter(|_| desired != current) {
        memory.history.store(current, desired, behavior, now);
    }
    Decision { current, desired, reason }
}

fn normalise(
    spec: &AutoscalerSpec,
    memory: &mut AutoscalerState,
    Together { recommended, measure, cpu_pct }: Together,
    current: i32,
    now: Instant,
) -> (i32, Reason) {
    let log = memory.log.get_or_insert_default();
    let wanted = recommended.replicas;
    let (stable, (desired, limit)) = match &spec.behavior {
        None => {
            let stable = log.stabilise(wanted, spec.settings.downscale_window, now);
            (stable, limit_step(spec, current, stable))
        }
        Some(behavior) => {
            let up = behavior.up.window.unwrap_or_default();
            let down = behavior.down.window.unwrap_or(spec.settings.downscale_window);
            let stable = log.stabilise_both(current, wanted, (up, down), now);
            let limited = limit_speed(
                (spec.min, spec.max),
                behavior,
                &memory.history,
                (current, stable),
                now,
            );
            (stable, limited)
        }
    };
    (desired, Reason::Utilisation { recommended, stable, limit, measure, cpu_pct })
}

/// The limits without `behavior`.
pub fn limit_step(spec: &AutoscalerSpec, current: i32, desired: i32) -> (i32, Restraint) {
    let Settings { step_factor, step_least, .. } = spec.settings;
    let step = (step_factor * f64::from(current)).max(step_least) as i32;
    debug_assert!(step >= 0, "a step leads to a number of replicas");
    let (most, limit) = match spec.max > step {
        true => (step, Restraint::ScaleUpLimit),
        false => (spec.max, Restraint::TooManyReplicas),
    };
    if desired < spec.min {
        (spec.min, Restraint::TooFewReplicas)
    } else if desired > most {
        (most, limit)
    } else {
        (desired, Restraint::DesiredWithinRange)
    }
}

/// The limits with `behavior`, for a change from the first to the second of `sizes`. A rule never
/// pushes past the current number.
pub fn limit_speed(
    (min, max): (i32, i32),
    behavior: &Behavior,
    history: &History,
    (current, desired): (i32, i32),
    now: Instant,
) -> (i32, Restraint) {
    if desired > current {
        let step = limit_up(&behavior.up, history, current, now).max(current);
        let (most, limit) = match max > step {
            true => (step, Restraint::ScaleUpLimit),
            false => (max, Restraint::TooManyReplicas),
        };
        debug_assert!(most <= max, "rules for growth allow no more than the most");
        if desired > most {
            return (most, limit);
        }
    } else if desired < current {
        let step = limit_down(&behavior.down, history, current, now).min(current);
        let (least, limit) = match min < step {
            true => (step, Restraint::ScaleDownLimit),
            false => (min, Restraint::TooFewReplicas),
        };
        debug_assert!(least >= min, "rules for shrinking allow no less than the least");
        if desired < least {
            return (least, limit);
        }
    }
    (desired, Restraint::DesiredWithinRange)
}
