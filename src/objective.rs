//! Objectives: what a scenario demands of its gateway.

use crate::units::{Share, Span};

/// One objective of a scenario, such as `p99 < 250ms during crash`.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// As written in the scenario.
    pub text: String,
    /// What is measured.
    pub metric: Metric,
    /// How it must compare with the bound.
    pub relation: Relation,
    /// The bound.
    pub bound: Bound,
    /// Over which window (index into the plan's windows).
    pub window: usize,
}

/// A figure that an objective can bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// The latency that this share of the answered requests did not exceed: `p99` is 0.99.
    Latency(f64),
    /// The mean latency of the answered requests: `mean`.
    MeanLatency,
    /// Answered requests over all that have an outcome: `availability`.
    Availability,
    /// The longest time in a replication from a fault's strike until back to normal: `recovery`.
    Recovery,
}

/// How a figure must compare with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// The bound of an objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// For latencies and recovery.
    Span(Span),
    /// For availability.
    Share(Share),
}
