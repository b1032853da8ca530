//! When requests arrive.

use std::sync::Arc;

use super::Slot;
use crate::units::{Instant, Rate, Share, Span};

/// When requests arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Traffic {
    /// A process with a rate that may change over time.
    Process(ArrivalProcess),
    /// Recorded arrivals.
    Replay(Recording),
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

impl ArrivalProcess {
    /// The highest rate that the process ever has, in a burst if there are bursts.
    pub fn peak(&self) -> Rate {
        let highest = self.corners.iter().map(|(_, rate)| rate.0).fold(0.0, f64::max);
        Rate(highest * self.scatter.peak())
    }
}

/// How arrivals scatter around the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scatter {
    /// A Poisson process.
    Poisson,
    /// Evenly spaced.
    Deterministic,
    /// A Poisson process whose rate jumps up and down.
    Bursty(Bursts),
}

impl Scatter {
    /// The highest rate over the long-run mean, at a constant rate.
    pub fn peak(self) -> f64 {
        match self {
            Scatter::Poisson | Scatter::Deterministic => 1.0,
            Scatter::Bursty(bursts) => bursts.peak(),
        }
    }
}

/// Calm and burst in turn, each of exponential length (a Markov-modulated Poisson process). The
/// rate of the process stays the long-run mean: calm times have less, so that bursts may have more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// The rate in a burst over that in calm; at least 1.
    pub factor: f64,
    /// Mean length of calm; not zero.
    pub every: Span,
    /// Mean length of a burst; not zero.
    pub length: Span,
}

impl Bursts {
    /// Share of time that is burst.
    pub fn share(&self) -> Share {
        let (calm, burst) = (self.every.as_secs(), self.length.as_secs());
        Share(burst / (calm + burst))
    }

    /// The rate in calm over the long-run mean.
    pub fn calm(&self) -> f64 {
        1.0 / (1.0 + (self.factor - 1.0) * self.share().0)
    }

    /// The rate in a burst over the long-run mean.
    pub fn peak(&self) -> f64 {
        self.factor * self.calm()
    }
}

/// Recorded arrivals and how they are played.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// The requests in order of time.
    pub records: Arc<[Recorded]>,
    /// What the recorded times are rounded down to: those of one instant are sent at random within
    /// so much after it, in their order. Zero = the times are exact.
    pub resolution: Span,
    /// It begins again after this, if given: not zero, and not before the last request may be
    /// sent.
    pub period: Option<Span>,
}

impl From<Vec<Recorded>> for Recording {
    /// Exact times, played once.
    fn from(records: Vec<Recorded>) -> Self {
        Recording { records: records.into(), ..Recording::default() }
    }
}

impl FromIterator<Recorded> for Recording {
    /// Exact times, played once.
    fn from_iter<T: IntoIterator<Item = Recorded>>(records: T) -> Self {
        records.into_iter().collect::<Vec<_>>().into()
    }
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
    /// The API that it is for (index into [`super::Dependencies::apis`]); `None` = drawn.
    pub api: Option<u32>,
}
