//! How long, how often, and which periods count.

use crate::units::{Instant, Span};

/// The most replications that a run may have.
pub const REPLICATIONS_MOST: u64 = 100_000;

/// A period of the run for which figures are kept. A request belongs to the period in which its
/// client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// How reports call it: `the run`, `during crash`, `2:00 to 5:00 for orders`.
    pub label: String,
    /// Its extent.
    pub extent: Extent,
    /// The API whose requests count (index into [`super::Dependencies::apis`]); `None` = those of
    /// all.
    pub api: Option<usize>,
}

impl Window {
    /// A window of the requests for all APIs.
    pub fn of_all(label: impl Into<String>, extent: Extent) -> Self {
        Window { label: label.into(), extent, api: None }
    }
}

/// The extent of a [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// From the end of warm-up to the horizon.
    Run,
    /// Between two instants.
    Between(Instant, Instant),
    /// From each time that this fault (index into [`super::Plan::faults`]) is injected until the
    /// incident is over: capacity restored and backlog gone.
    During(usize),
}

/// How long, how often, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The end of simulated time.
    pub horizon: Instant,
    /// Requests sent before this are not counted in the estimates.
    pub warm_up: Instant,
    /// Seed of all randomness.
    pub seed: u64,
    /// Independent repetitions; at least 1.
    pub replications: usize,
    /// Width of a row of the timeline.
    pub bin: Span,
}
