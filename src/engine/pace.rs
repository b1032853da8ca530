//! How fast n jobs progress on c cores, and the arithmetic of times that goes with it.

use std::sync::Arc;

/// A span as a float. Through the signed type, whose conversion is one instruction; no span
/// reaches 2^63 ns.
#[inline(always)]
pub(super) fn nanoseconds(span: u64) -> f64 {
    span as i64 as f64
}

/// The nearest whole number of nanoseconds. Below 2^51 (26 days) by adding 2^52, which leaves the
/// integer in the low bits; the plain conversion checks for NaN and both ends of the range.
#[inline(always)]
pub(super) fn rounded(span: f64) -> u64 {
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    if span < TWO_52 / 2.0 {
        (span.max(0.0) + TWO_52).to_bits() - TWO_52.to_bits()
    } else {
        (span + 0.5) as u64
    }
}

/// How fast n jobs progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Progress of each job per time.
    pub each: f64,
    /// Time per progress of each job.
    pub time_per_work: f64,
    /// Cores at work.
    pub work: f64,
}

/// [`Step`] for every n; the small ones worked out in advance because divisions are slow.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    cores: f64,
    speed: f64,
    table: Arc<[Step; PACE_TABLE]>,
}

const PACE_TABLE: usize = 64;

impl Pace {
    pub fn new(cores: f64, speed: f64) -> Self {
        let table = Arc::new(std::array::from_fn(|n| Pace::step(cores, speed, n)));
        Pace { cores, speed, table }
    }

    /// The same cores at another speed.
    pub fn at_speed(&self, speed: f64) -> Self {
        if speed == self.speed { self.clone() } else { Pace::new(self.cores, speed) }
    }

    /// Whether it is a standstill.
    pub fn is_zero(&self) -> bool {
        self.speed == 0.0
    }

    fn step(cores: f64, speed: f64, n: usize) -> Step {
        let each = speed * (cores / n.max(1) as f64).min(1.0);
        Step { each, time_per_work: 1.0 / each, work: speed * cores.min(n as f64) }
    }

    #[inline(always)]
    pub fn of(&self, n: usize) -> Step {
        if n < PACE_TABLE { self.table[n] } else { Pace::step(self.cores, self.speed, n) }
    }
}
