//! How fast the autoscaler may go: the field `behavior` of its specification.
//!
//! Source: `calculateScaleUpLimitWithScalingRules` and its counterparts in `horizontal.go`. An
//! event counts in a period of p seconds if it is younger than p.

use crate::units::{Instant, Span};

/// What a policy measures a change in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyUnit {
    /// Pods.
    Pods,
    /// Percent of the replicas at the start of the period.
    Percent,
}

/// At most so much change in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingPolicy {
    /// What `value` counts.
    pub unit: PolicyUnit,
    /// The greatest change.
    pub value: i32,
    /// The period.
    pub period: Span,
}

/// Which of several policies holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// The one that allows the greatest change.
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: no change in this direction.
    Disabled,
}

/// The rules for one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The policies.
    pub policies: Vec<ScalingPolicy>,
    /// Which of them holds.
    pub select: Select,
    /// How far back recommendations hold the number; `None` = as the controller is set.
    pub window: Option<Span>,
}

impl Rules {
    /// What holds for growth if nothing is given: 4 pods or 100 % in 15 s, the greater.
    pub fn up() -> Self {
        let period = Span::from_secs(15.0);
        let policies = vec![
            ScalingPolicy { unit: PolicyUnit::Pods, value: 4, period },
            ScalingPolicy { unit: PolicyUnit::Percent, value: 100, period },
        ];
        Rules { policies, select: Select::Max, window: Some(Span::ZERO) }
    }

    /// What holds for shrinking if nothing is given: 100 % in 15 s.
    pub fn down() -> Self {
        let period = Span::from_secs(15.0);
        let policies = vec![ScalingPolicy { unit: PolicyUnit::Percent, value: 100, period }];
        Rules { policies, select: Select::Max, window: None }
    }

    fn longest_period(&self) -> Span {
        self.policies.iter().map(|policy| policy.period).max().unwrap_or_default()
    }
}

/// The rules for both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behavior {
    /// For growth.
    pub up: Rules,
    /// For shrinking.
    pub down: Rules,
}

impl Default for Behavior {
    fn default() -> Self {
        Behavior { up: Rules::up(), down: Rules::down() }
    }
}

/// A change of the number of replicas that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleEvent {
    /// Replicas added, or removed.
    pub change: i32,
    /// When.
    pub at: Instant,
}

/// The changes of one direction that may still count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScaleEvents(pub Vec<ScaleEvent>);

impl ScaleEvents {
    /// Replicas changed within `period` before `now`.
    pub fn within(&self, period: Span, now: Instant) -> i32 {
        let counts = |event: &&ScaleEvent| event.at + period > now;
        debug_assert!(self.0.iter().all(|event| event.change > 0), "only changes are kept");
        self.0.iter().filter(counts).map(|event| event.change).sum()
    }

    /// Notes a change; the last of those that are too old for every policy gives up its place.
    pub fn store(&mut self, change: i32, rules: &Rules, now: Instant) {
        assert!(change > 0, "a change of {change} replicas");
        let longest = rules.longest_period();
        let event = ScaleEvent { change, at: now };
        match self.0.iter_mut().rev().find(|event| event.at + longest < now) {
            Some(old) => *old = event,
            None => self.0.push(event),
        }
        debug_assert!(self.0.contains(&event), "what was changed is kept");
    }
}

/// The changes of both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Growth.
    pub up: ScaleEvents,
    /// Shrinking.
    pub down: ScaleEvents,
}

impl History {
    /// Replicas at the start of a policy's period.
    fn start(&self, current: i32, policy: &ScalingPolicy, now: Instant) -> i32 {
        current - self.up.within(policy.period, now) + self.down.within(policy.period, now)
    }

    /// Notes that `from` replicas became `to`.
    pub fn store(&mut self, from: i32, to: i32, behavior: &Behavior, now: Instant) {
        assert!(from >= 0 && to >= 0 && from != to, "from {from} to {to} replicas");
        match to > from {
            true => self.up.store(to - from, &behavior.up, now),
            false => self.down.store(from - to, &behavior.down, now),
        }
    }
}

/// The most replicas that the rules for growth allow.
pub fn limit_up(rules: &Rules, history: &History, current: i32, now: Instant) -> i32 {
    debug_assert!(rules.policies.iter().all(|policy| policy.value >= 0), "a speed");
    let allowed = |policy: &ScalingPolicy| {
        let start = history.start(current, policy, now);
        match policy.unit {
            PolicyUnit::Pods => start.saturating_add(policy.value),
            PolicyUnit::Percent => {
                (f64::from(start) * (1.0 + f64::from(policy.value) / 100.0)).ceil() as i32
            }
        }
    };
    let limits = rules.policies.iter().map(allowed);
    match rules.select {
        Select::Disabled => Some(current),
        Select::Min => limits.min(),
        Select::Max => limits.max(),
    }
    .unwrap_or(current)
}

/// The fewest replicas that the rules for shrinking allow.
pub fn limit_down(rules: &Rules, history: &History, current: i32, now: Instant) -> i32 {
    debug_assert!(rules.policies.iter().all(|policy| policy.value >= 0), "a speed");
    let allowed = |policy: &ScalingPolicy| {
        let start = history.start(current, policy, now);
        match policy.unit {
            PolicyUnit::Pods => start.saturating_sub(policy.value),
            PolicyUnit::Percent => {
                (f64::from(start) * (1.0 - f64::from(policy.value) / 100.0)) as i32
            }
        }
    };
    let limits = rules.policies.iter().map(allowed);
    match rules.select {
        Select::Disabled => Some(current),
        Select::Min => limits.max(),
        Select::Max => limits.min(),
    }
    .unwrap_or(current)
}
