//! A figure together with what each replication adds to its error.

use super::{Confidence, Estimate, skewness};

/// A figure from n replications, and by how much each deviates from it.
///
/// The deviations dᵢ are such that the standard error is √(Σdᵢ² / (n(n−1))): for a mean xᵢ − x̄,
/// for a ratio the jackknife's pseudo-values less their mean, for a percentile those of the share
/// of the requests up to it, times its slope. Two such figures of the same replications can be
/// compared pair by pair: see [`super::paired`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The best single value.
    pub point: f64,
    /// One for each replication, in their order.
    pub deviations: Vec<f64>,
}

impl Sample {
    /// The mean of one value per replication; `None` without values.
    pub fn of(values: &[f64]) -> Option<Sample> {
        let point = values.iter().sum::<f64>() / values.len() as f64;
        let deviations = values.iter().map(|value| value - point).collect();
        (!values.is_empty()).then_some(Sample { point, deviations })
    }

    /// What a share lacks to one.
    pub fn lacking(&self) -> Sample {
        let deviations = self.deviations.iter().map(|deviation| -deviation).collect();
        Sample { point: 1.0 - self.point, deviations }
    }

    /// Replications.
    pub fn n(&self) -> usize {
        self.deviations.len()
    }

    /// The standard error; not a number with fewer than two replications.
    pub fn error(&self) -> f64 {
        let n = self.n() as f64;
        let squares: f64 = self.deviations.iter().map(|deviation| deviation.powi(2)).sum();
        (squares / (n * (n - 1.0))).sqrt()
    }

    /// The point with its interval, from ten replications on corrected for the skewness of the
    /// deviations.
    pub fn estimate(&self, confidence: Confidence) -> Estimate {
        let error = (self.error(), skewness::of(&self.deviations));
        Estimate::with_skewed_error(self.point, error, self.n(), confidence)
    }

    /// The same without that correction: for differences, whose tails are alike, and which are
    /// compared with others by their width.
    pub fn plain(&self, confidence: Confidence) -> Estimate {
        Estimate::with_error(self.point, self.error(), self.n(), confidence)
    }
}
