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

use std::fmt;

use super::behavior::{Behavior, History, limit_down, limit_up};
use super::calculator::{Blind, Ground, Recommendation, Snapshot, Target, recommend};
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

/// What held a recommendation back, or that nothing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing.
    DesiredWithinRange,
    /// The speed of growth.
    ScaleUpLimit,
    /// The speed of shrinking.
    ScaleDownLimit,
    /// The greatest number allowed.
    TooManyReplicas,
    /// The least number allowed.
    TooFewReplicas,
}

impl Limit {
    /// Kubernetes' word for it.
    pub fn label(self) -> &'static str {
        match self {
            Limit::DesiredWithinRange => "DesiredWithinRange",
            Limit::ScaleUpLimit => "ScaleUpLimit",
            Limit::ScaleDownLimit => "ScaleDownLimit",
            Limit::TooManyReplicas => "TooManyReplicas",
            Limit::TooFewReplicas => "TooFewReplicas",
        }
    }
}

/// Why an autoscaler decided as it did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// It is set to no replicas by hand, and is therefore off.
    Disabled,
    /// There were more replicas than allowed.
    AboveMax,
    /// There were fewer replicas than allowed.
    BelowMin,
    /// It sees nothing.
    Blind(Blind),
    /// The utilisation.
    Utilisation {
        /// What it asked for.
        recommended: Recommendation,
        /// What was left of that after stabilisation.
        stable: i32,
        /// What held it back then.
        limit: Limit,
        /// The target in percent.
        target_pct: i32,
    },
}

/// What an autoscaler decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Replicas before.
    pub current: i32,
    /// Replicas from now on.
    pub desired: i32,
    /// Why.
    pub reason: Reason,
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

impl Decision {
    /// Whether another decision says the same, but for the percentages.
    pub fn is_like(&self, other: &Decision) -> bool {
        let blurred = |decision: &Decision| {
            let Reason::Utilisation { recommended, stable, limit, .. } = decision.reason else {
                return (decision.current, decision.desired, None);
            };
            let Recommendation { replicas, ready, unready, missing, ground, .. } = recommended;
            let ground = std::mem::discriminant(&ground);
            let counts = (replicas, ready, unready, missing, stable);
            (decision.current, decision.desired, Some((counts, limit, ground)))
        };
        let same_kind =
            std::mem::discriminant(&self.reason) == std::mem::discriminant(&other.reason);
        same_kind && blurred(self) == blurred(other)
    }

    /// Whether the utilisation of the ready pods alone would have led to another number from `min`
    /// to `max`.
    pub fn is_held_back(&self, min: i32, max: i32) -> bool {
        match self.reason {
            Reason::Utilisation { recommended, target_pct, .. } => {
                let grows = recommended.utilisation_pct > target_pct;
                let end = if grows { max } else { min };
                let asked = recommended.replicas.clamp(min, max);
                (recommended.is_filled() || asked != self.desired) && self.desired != end
            }
            Reason::Blind(_) => true,
            Reason::Disabled | Reason::AboveMax | Reason::BelowMin => false,
        }
    }
}

impl fmt::Display for Decision {
    /// `grown from 2 to 3: 84 % > 77 %`, `held at 2: replacement not ready counts as 0 %; …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { current, desired, .. } = self;
        match desired.cmp(current) {
            std::cmp::Ordering::Greater => write!(f, "grown from {current} to {desired}: ")?,
            std::cmp::Ordering::Less => write!(f, "shrunk from {current} to {desired}: ")?,
            std::cmp::Ordering::Equal => write!(f, "held at {current}: ")?,
        }
        match self.reason {
            Reason::Disabled => write!(f, "scaling is off at 0 replicas"),
            Reason::AboveMax => write!(f, "more than allowed"),
            Reason::BelowMin => write!(f, "fewer than allowed"),
            Reason::Blind(blind) => write!(f, "{blind}"),
            Reason::Utilisation { recommended, stable, limit, target_pct } => {
                write!(f, "{}", Grounds { recommended, target_pct })?;
                restraint(f, recommended.replicas, stable, *desired, limit)
            }
        }
    }
}

/// The utilisation in words, and what was filled in.
struct Grounds {
    recommended: Recommendation,
    target_pct: i32,
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recommendation { utilisation_pct, unready, missing, ground, replicas, .. } =
            self.recommended;
        let target = self.target_pct;
        let (Ground::Tolerated { filled_pct }
        | Ground::Asked { filled_pct }
        | Ground::TurnedRound { filled_pct }) = ground;
        if filled_pct != utilisation_pct {
            match (unready, missing) {
                (0, _) => write!(f, "{missing} without a sample")?,
                (_, 0) => write!(f, "{unready} not ready counts as 0 %")?,
                _ => write!(f, "{unready} not ready, {missing} without a sample")?,
            }
            write!(f, ": {utilisation_pct} % becomes {filled_pct} %; ")?;
        }
        match ground {
            Ground::Tolerated { .. } => {
                write!(f, "{filled_pct} % is within the tolerance of the target of {target} %")
            }
            Ground::Asked { .. } => {
                write!(f, "{filled_pct} % of a target of {target} % asks for {replicas}")
            }
            Ground::TurnedRound { .. } => write!(f, "{filled_pct} % asks for the opposite"),
        }
    }
}

/// What came between a recommendation and the decision, in words.
fn restraint(
    f: &mut fmt::Formatter<'_>,
    wanted: i32,
    stable: i32,
    desired: i32,
    limit: Limit,
) -> fmt::Result {
    if stable != wanted {
        write!(f, ", but earlier recommendations keep it at {stable}")?;
    }
    match limit {
        Limit::DesiredWithinRange => Ok(()),
        Limit::ScaleUpLimit | Limit::ScaleDownLimit => write!(f, ", as fast as allowed"),
        Limit::TooManyReplicas => write!(f, ", but {desired} is the most"),
        Limit::TooFewReplicas => write!(f, ", but {desired} is the least"),
    }
}
