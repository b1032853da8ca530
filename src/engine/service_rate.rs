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
pub(super) struct Rates {
    /// Progress of each job per time.
    pub each: f64,
    /// Time per progress of each job.
    pub time_per_work: f64,
    /// Cores at work.
    pub work: f64,
}

/// [`Rates`] for every n; the small ones worked out in advance because divisions are slow.
#[derive(Clone, Debug)]
pub(super) struct ServiceRate {
    cores: f64,
    speed: f64,
    table: Arc<[Rates; TABLE]>,
}

const TABLE: usize = 64;

impl ServiceRate {
    pub fn new(cores: f64, speed: f64) -> Self {
        assert!(cores > 0.0 && cores.is_finite(), "{cores} cores");
        assert!(speed >= 0.0 && speed.is_finite(), "a speed of {speed}");
        let table = Arc::new(std::array::from_fn(|n| ServiceRate::rates(cores, speed, n)));
        ServiceRate { cores, speed, table }
    }

    /// The same cores at another speed.
    pub fn at_speed(&self, speed: f64) -> Self {
        if speed == self.speed { self.clone() } else { ServiceRate::new(self.cores, speed) }
    }

    /// Whether it is a standstill.
    pub fn is_zero(&self) -> bool {
        self.speed == 0.0
    }

    fn rates(cores: f64, speed: f64, n: usize) -> Rates {
        let each = speed * (cores / n.max(1) as f64).min(1.0);
        debug_assert!(each <= speed, "no job runs on more than one core");
        Rates { each, time_per_work: 1.0 / each, work: speed * cores.min(n as f64) }
    }

    #[inline(always)]
    pub fn of(&self, n: usize) -> Rates {
        if n < TABLE { self.table[n] } else { ServiceRate::rates(self.cores, self.speed, n) }
    }
}
