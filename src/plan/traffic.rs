//! When requests arrive.

use std::sync::Arc;

use super::Slot;
use crate::units::{Instant, Rate, Span};

/// When requests arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Traffic {
    /// A process with a rate that may change over time.
    Process(ArrivalProcess),
    /// Recorded arrivals.
    Replay(Arc<[Recorded]>),
}

/// Arrivals drawn from a law.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalProcess {
    /// How arrivals scatter around the rate.
    pub scatter: Scatter,
    /// Rate over time: corners of a piecewise linear function, in time order, the first at zero.
    /// Two corners at one instant make a step. After the last corner the rate stays.
    pub corners: Vec<(Instant, Rate)>,
    /// The corners repeat after this span (a day), if given; it is not before the last corner.
    pub period: Option<Span>,
}

/// How arrivals scatter around the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scatter {
    /// A Poisson process.
    Poisson,
    /// Evenly spaced.
    Deterministic,
}

/// One recorded request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// When its client sent it.
    pub at: Instant,
    /// Its CPU demand in nanoseconds; `None` = drawn from the gateway's law.
    pub demand: Option<f64>,
    /// The replica that took it; `None` = chosen by the balancer.
    pub slot: Option<Slot>,
}
