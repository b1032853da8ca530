//! What the autoscaler decides, why, and both in words.

use std::fmt;

use super::calculator::{Blind, Ground, Recommendation};
use super::goals::Measure;

/// What held a recommendation back, or that nothing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restraint {
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

impl Restraint {
    /// Kubernetes' word for it.
    pub fn label(self) -> &'static str {
        match self {
            Restraint::DesiredWithinRange => "DesiredWithinRange",
            Restraint::ScaleUpLimit => "ScaleUpLimit",
            Restraint::ScaleDownLimit => "ScaleDownLimit",
            Restraint::TooManyReplicas => "TooManyReplicas",
            Restraint::TooFewReplicas => "TooFewReplicas",
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
    /// The metric that asked for most.
    Utilisation {
        /// What it asked for.
        recommended: Recommendation,
        /// What was left of that after stabilisation.
        stable: i32,
        /// What held it back then.
        limit: Restraint,
        /// Which metric it is, and its target.
        measure: Measure,
        /// The CPU in percent of the request, if that is a metric and known.
        cpu_pct: Option<i32>,
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

impl Decision {
    /// Whether it changes the number.
    pub fn is_change(&self) -> bool {
        self.desired != self.current
    }

    /// The utilisation of the CPU that it saw, in percent; `None` if it saw none.
    pub fn seen_pct(&self) -> Option<i32> {
        match self.reason {
            Reason::Utilisation { cpu_pct, .. } => cpu_pct,
            _ => None,
        }
    }

    /// Whether another decision says the same, but for the percentages.
    pub fn is_like(&self, other: &Decision) -> bool {
        let blurred = |decision: &Decision| {
            let Reason::Utilisation { recommended, stable, limit, measure, .. } = decision.reason
            else {
                return (decision.current, decision.desired, None);
            };
            let Recommendation { replicas, ready, unready, missing, ground, .. } = recommended;
            let ground = std::mem::discriminant(&ground);
            let counts = (replicas, ready, unready, missing, stable);
            (decision.current, decision.desired, Some((counts, limit, ground, measure)))
        };
        let same_kind = match (self.reason, other.reason) {
            (Reason::Blind(one), Reason::Blind(other)) => one == other,
            (one, other) => std::mem::discriminant(&one) == std::mem::discriminant(&other),
        };
        same_kind && blurred(self) == blurred(other)
    }

    /// Whether another decision is the same in words, whatever its figures.
    pub fn is_of_kind(&self, other: &Decision) -> bool {
        let kind = |decision: &Decision| {
            let change = decision.desired.cmp(&decision.current);
            let Reason::Utilisation { recommended, stable, limit, measure, .. } = decision.reason
            else {
                return (change, None);
            };
            let Recommendation { replicas, unready, missing, ground, .. } = recommended;
            let filled = recommended.is_filled().then_some((unready > 0, missing > 0));
            let ground = std::mem::discriminant(&ground);
            (change, Some((filled, ground, stable != replicas, limit, measure)))
        };
        let same_reason = match (self.reason, other.reason) {
            (Reason::Blind(mine), Reason::Blind(theirs)) => mine == theirs,
            (mine, theirs) => std::mem::discriminant(&mine) == std::mem::discriminant(&theirs),
        };
        same_reason && kind(self) == kind(other)
    }

    /// What was decided, and the first of its reasons, in a few words.
    pub fn brief(&self) -> String {
        let change = ChangeInWords(self);
        let Reason::Utilisation { recommended, stable, measure, .. } = self.reason else {
            return self.to_string();
        };
        let pct = recommended.utilisation_pct;
        match recommended.ground {
            _ if stable != recommended.replicas => format!("{change} by earlier recommendations"),
            _ if recommended.is_filled() => format!("{change}: {}", FilledInWords(recommended)),
            Ground::Asked { .. } => {
                let (name, target) = (measure.name(), measure.target());
                format!("{change}: {name}{pct} % of a target of {target}")
            }
            Ground::TurnedRound { .. } => format!("{change}: {}{pct} %", measure.name()),
            Ground::Tolerated { .. } => self.to_string(),
        }
    }

    /// Whether the utilisation of the ready pods alone would have led to another number from `min`
    /// to `max`.
    pub fn is_held_back(&self, min: i32, max: i32) -> bool {
        match self.reason {
            Reason::Utilisation { recommended, measure, .. } => {
                let grows = recommended.utilisation_pct > measure.target_pct();
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
        write!(f, "{}: ", ChangeInWords(self))?;
        match self.reason {
            Reason::Disabled => write!(f, "scaling is off at 0 replicas"),
            Reason::AboveMax => write!(f, "more than allowed"),
            Reason::BelowMin => write!(f, "fewer than allowed"),
            Reason::Blind(blind) => write!(f, "{blind}"),
            Reason::Utilisation { recommended, stable, limit, measure, .. } => {
                write!(f, "{}", GroundsInWords { recommended, measure })?;
                restraint(f, recommended.replicas, stable, self.desired, limit)
            }
        }
    }
}

/// What becomes of the number, in words.
struct ChangeInWords<'a>(&'a Decision);

impl fmt::Display for ChangeInWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { current, desired, .. } = self.0;
        match desired.cmp(current) {
            std::cmp::Ordering::Greater => write!(f, "grown from {current} to {desired}"),
            std::cmp::Ordering::Less => write!(f, "shrunk from {current} to {desired}"),
            std::cmp::Ordering::Equal => write!(f, "held at {current}"),
        }
    }
}

/// The pods for which something was filled in, in words.
struct FilledInWords(Recommendation);

impl fmt::Display for FilledInWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recommendation { unready, missing, .. } = self.0;
        match (unready, missing) {
            (0, _) => write!(f, "{missing} without a sample"),
            (_, 0) => write!(f, "{unready} not ready counts as 0 %"),
            _ => write!(f, "{unready} not ready, {missing} without a sample"),
        }
    }
}

/// The utilisation in words, and what was filled in.
struct GroundsInWords {
    recommended: Recommendation,
    measure: Measure,
}

impl fmt::Display for GroundsInWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recommendation { utilisation_pct, ground, replicas, .. } = self.recommended;
        let target = self.measure.target();
        write!(f, "{}", self.measure.name())?;
        let (Ground::Tolerated { filled_pct }
        | Ground::Asked { filled_pct }
        | Ground::TurnedRound { filled_pct }) = ground;
        if self.recommended.is_filled() {
            let filled = FilledInWords(self.recommended);
            write!(f, "{filled}: {utilisation_pct} % becomes {filled_pct} %; ")?;
        }
        match ground {
            Ground::Tolerated { .. } => {
                write!(f, "{filled_pct} % is within the tolerance of the target of {target}")
            }
            Ground::Asked { .. } => {
                write!(f, "{filled_pct} % of a target of {target} asks for {replicas}")
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
    limit: Restraint,
) -> fmt::Result {
    if stable != wanted {
        write!(f, ", but earlier recommendations keep it at {stable}")?;
    }
    match limit {
        Restraint::DesiredWithinRange => Ok(()),
        Restraint::ScaleUpLimit | Restraint::ScaleDownLimit => write!(f, ", as fast as allowed"),
        Restraint::TooManyReplicas => write!(f, ", but {desired} is the most"),
        Restraint::TooFewReplicas => write!(f, ", but {desired} is the least"),
    }
}
