//! What the incident timeline shows.

use super::bands::TimelineBands;
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
    /// The autoscaler changed the number of replicas, or refused to.
    Decided,
}

/// A moment that is marked through all panels.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineRule {
    /// When.
    pub at: Instant,
    /// A few words.
    pub label: String,
    /// What kind of moment.
    pub kind: RuleKind,
}

/// What the picture needs to know of an autoscaler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Autoscaler {
    /// The most replicas that it may want.
    pub most: usize,
    /// The CPU that a replica requests as a share of what it has: utilisation is of the former, the
    /// picture of the latter.
    pub requested: f64,
}

/// One of several regions, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineRegion {
    /// Its name.
    pub name: String,
    /// Requests per second that one of its replicas serves when its CPU is full.
    pub capacity_per_replica: Rate,
}

/// A latency objective over a part of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// How to call it; empty if the same goal is named at another part of the run.
    pub label: String,
    /// The share of the requests that it speaks of, such as 0.99; `None` for the mean.
    pub quantile: Option<f64>,
    /// The time that it allows.
    pub bound: Span,
    /// Where it begins to hold.
    pub from: Instant,
    /// Where it ends to hold.
    pub to: Instant,
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
    /// How far all replications differ, if there are several.
    pub bands: Option<TimelineBands>,
    /// CPU as a dashboard shows it, for each row: [`Timeline::monitored`].
    pub monitored: Vec<Option<f64>>,
    /// Requests per second that one replica serves when its CPU is full.
    pub capacity_per_replica: Rate,
    /// The regions, if there are several: slots are theirs in turn, and so are the rows of APIs.
    pub regions: Vec<TimelineRegion>,
    /// The autoscaler, if there is one.
    pub autoscaler: Option<Autoscaler>,
    /// Faults and what followed, and decisions of the autoscaler.
    pub rules: Vec<TimelineRule>,
    /// The latency objectives.
    pub goals: Vec<Goal>,
    /// End of the warm-up.
    pub warm_up: Instant,
    /// End of the run.
    pub horizon: Instant,
}
