//! What the incident timeline shows.

use crate::observe::timeline::Timeline;
use crate::units::{Instant, Rate, Span};

/// What kind of moment a rule marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// Something went wrong.
    Fault,
    /// It was noticed.
    Detected,
    /// It was over.
    Recovered,
}

/// A moment that is marked through all panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// When.
    pub at: Instant,
    /// A few words.
    pub label: String,
    /// What kind of moment.
    pub kind: RuleKind,
}

/// What the timeline shows.
#[derive(Clone, Debug)]
pub struct TimelineInput<'a> {
    /// The finding or the question.
    pub title: &'a str,
    /// What was simulated: sizes, seed, replication.
    pub subtitle: &'a str,
    /// The replication.
    pub timeline: &'a Timeline,
    /// CPU as a dashboard shows it, for each row: [`Timeline::monitored`].
    pub monitored: Vec<Option<f64>>,
    /// Requests per second that one replica serves when its CPU is full.
    pub capacity_per_replica: Rate,
    /// Faults and what followed.
    pub rules: Vec<Rule>,
    /// The latency objective, if there is one: how to call it, and its bound.
    pub objective: Option<(String, Span)>,
    /// End of the warm-up.
    pub warm_up: Instant,
    /// End of the run.
    pub horizon: Instant,
}
