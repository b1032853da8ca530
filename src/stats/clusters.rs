//! What comes in clusters: losses by strikes of which replications see few, or none.
//!
//! The sum of the losses of a Poisson number of strikes has a variance of about the sum of their
//! squares, and its upper limit is that of a gamma variable (Fay and Feuer, Statistics in Medicine
//! 16, 1997): with total y, variance v and greatest single loss w the limit is the quantile of a
//! gamma variable with mean y + w and variance v + w². For equal losses it is Garwood's limit of
//! their number; for very many it is the normal one.

use super::law::gamma;
use super::{Confidence, Interval, Sample};

/// The interval of a sum of weighted losses: with total y, variance v and greatest single loss w
/// the lower end is the quantile of a gamma variable with mean y and variance v, the upper that of
/// one with mean y + w and variance v + w² (Fay and Feuer, as above).
pub fn weighted_interval(
    total: f64,
    variance: f64,
    greatest: f64,
    confidence: Confidence,
) -> Interval {
    let upper = confidence.upper();
    let quantile = |mean: f64, variance: f64, share: f64| {
        let scale = variance / mean;
        if scale > 0.0 { scale * gamma::quantile(mean / scale, share) } else { mean }
    };
    let low = if total > 0.0 { quantile(total, variance, 1.0 - upper) } else { 0.0 };
    let (mean, spread) = (total + greatest, variance + greatest.powi(2));
    let high = if mean > 0.0 { quantile(mean, spread, upper) } else { 0.0 };
    Interval { low: low.min(total), high: high.max(total) }
}

/// The upper limit of a mean over replications of which each was struck so often.
///
/// A loss is by how much a replication lies above those that were not struck, or above the least
/// where all were. Strikes of one replication share its loss, unless replications vary by more
/// than that. A replication that was struck is at the least one loss, so the greatest is no less
/// than the greatest of any strike.
pub fn upper_limit(sample: &Sample, strikes: &[u64], confidence: Confidence) -> f64 {
    let deviations = || sample.deviations.iter().zip(strikes);
    let count = sample.n() as f64;
    let (sum, unstruck) = deviations()
        .filter(|(_, strikes)| **strikes == 0)
        .fold((0.0, 0_u64), |(sum, n), (deviation, _)| (sum + deviation, n + 1));
    let least = || sample.deviations.iter().copied().fold(f64::INFINITY, f64::min);
    let base = if unstruck > 0 { sum / unstruck as f64 } else { least() };
    let greatest = sample.deviations.iter().copied().fold(f64::NEG_INFINITY, f64::max) - base;
    let total = -count * base;
    if sample.n() < 2 || greatest <= 0.0 || strikes.iter().all(|strikes| *strikes == 0) {
        return sample.point;
    }
    let shared =
        deviations().map(|(d, strikes)| (d - base).powi(2) / (*strikes).max(1) as f64).sum();
    let variance = (sample.error() * count).powi(2).max(shared);
    let (mean, variance) = (total.max(0.0) + greatest, variance + greatest.powi(2));
    let scale = variance / mean;
    let limit = scale * gamma::quantile(mean / scale, confidence.upper());
    sample.point + base + limit / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::law::gamma::garwood;

    #[test]
    fn equal_losses_have_the_limit_of_their_number() {
        // Three strikes of ten replications, each costs 2: Garwood's 8.767 strikes times 2 / 10.
        let mut losses = [0.0; 10];
        losses[..3].fill(2.0);
        let mut strikes = [0; 10];
        strikes[..3].fill(1);
        let found = upper_limit(&Sample::of(&losses).unwrap(), &strikes, Confidence::USUAL);
        let limit = garwood(3, Confidence::USUAL).high * 2.0 / 10.0;
        assert!((found - limit).abs() < 1e-9, "{found} for {limit}");
        // What all replications lose besides is added.
        let more = losses.map(|loss| loss + 5.0);
        let found = upper_limit(&Sample::of(&more).unwrap(), &strikes, Confidence::USUAL);
        assert!((found - limit - 5.0).abs() < 1e-9, "{found} for {limit}");
    }

    #[test]
    fn without_strikes_or_losses_there_is_nothing_to_add() {
        let sample = Sample::of(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(upper_limit(&sample, &[0; 3], Confidence::USUAL), 2.0);
        let alike = Sample::of(&[1.0; 3]).unwrap();
        assert_eq!(upper_limit(&alike, &[1, 0, 2], Confidence::USUAL), 1.0);
    }
}
