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

use super::behavior::{Behavior, History, limit_down, limit_up};
use super::calculator::{Recommendation, Snapshot, Target, recommend};
use super::decision::{Decision, Limit, Reason};
use super::log::{Entry, Log};
use crate::units::{Instant, Span};

/// What an autoscaler is told to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The fewest replicas.
    pub min: i32,
    /// The most replicas.
    pub max: i32,
    /// The utilisation to hold.
    pub target: Target,
    /// The speed of changes; `None` = the field is absent, which is not the same as its defaults.
    pub behavior: Option<Behavior>,
    /// How the controller is set.
    pub settings: Settings,
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
pub struct Memory {
    /// What it recommended; `None` = it never looked.
    pub log: Option<Log>,
    /// What it changed, if it has `behavior`.
    pub history: History,
}

/// One step at `now`.
pub fn step(
    spec: &Spec,
    memory: &mut Memory,
    snapshot: &Snapshot,
    current: i32,
    now: Instant,
) -> Decision {
    memory.log.get_or_insert_with(|| Log(vec![Entry { replicas: current, at: now }]));
    let (desired, reason) = if current == 0 && spec.min != 0 {
        (0, Reason::Disabled)
    } else if current > spec.max {
        (spec.max, Reason::AboveMax)
    } else if current < spec.min {
        (spec.min, Reason::BelowMin)
    } else {
        match recommend(&spec.target, snapshot, current, now) {
            Err(blind) => (current, Reason::Blind(blind)),
            Ok(recommended) => normalise(spec, memory, recommended, current, now),
        }
    };
    if let Some(behavior) = spec.behavior.as_ref().filter(|_| desired != current) {
        memory.history.store(current, desired, behavior, now);
    }
    Decision { current, desired, reason }
}

fn normalise(
    spec: &Spec,
    memory: &mut Memory,
    recommended: Recommendation,
    current: i32,
    now: Instant,
) -> (i32, Reason) {
    let log = memory.log.get_or_insert_default();
    let wanted = recommended.replicas;
    let target_pct = spec.target.utilisation_pct;
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
    (desired, Reason::Utilisation { recommended, stable, limit, target_pct })
}

/// The limits without `behavior`.
pub fn limit_step(spec: &Spec, current: i32, desired: i32) -> (i32, Limit) {
    let Settings { step_factor, step_least, .. } = spec.settings;
    let step = (step_factor * f64::from(current)).max(step_least) as i32;
    let (most, limit) = match spec.max > step {
        true => (step, Limit::ScaleUpLimit),
        false => (spec.max, Limit::TooManyReplicas),
    };
    if desired < spec.min {
        (spec.min, Limit::TooFewReplicas)
    } else if desired > most {
        (most, limit)
    } else {
        (desired, Limit::DesiredWithinRange)
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
) -> (i32, Limit) {
    if desired > current {
        let step = limit_up(&behavior.up, history, current, now).max(current);
        let (most, limit) = match max > step {
            true => (step, Limit::ScaleUpLimit),
            false => (max, Limit::TooManyReplicas),
        };
        if desired > most {
            return (most, limit);
        }
    } else if desired < current {
        let step = limit_down(&behavior.down, history, current, now).min(current);
        let (least, limit) = match min < step {
            true => (step, Limit::ScaleDownLimit),
            false => (min, Limit::TooFewReplicas),
        };
        if desired < least {
            return (least, limit);
        }
    }
    (desired, Limit::DesiredWithinRange)
}
