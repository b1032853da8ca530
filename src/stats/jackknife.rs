//! The jackknife over replications, for ratios of totals: the point comes from everything pooled,
//! its error from leaving out one replication at a time.

use super::{Confidence, Estimate, Sample};

/// A figure θ from its pooled value and its values with each replication left out.
///
/// With pseudo-values Jᵢ = n·θ − (n−1)·θ₍₋ᵢ₎ (Tukey 1958; Efron, The Jackknife, the Bootstrap and
/// Other Resampling Plans, 1982), the error is √(Σ(Jᵢ − J̄)² / (n(n−1))).
pub fn sample(pooled: f64, left_out: &[f64]) -> Sample {
    let count = left_out.len() as f64;
    let centre = left_out.iter().sum::<f64>() / count;
    // Jᵢ − J̄ = (n−1)·(mean of the θ₍₋ᵢ₎ − θ₍₋ᵢ₎)
    let deviation = |value: &f64| (count - 1.0) * (centre - value);
    Sample { point: pooled, deviations: left_out.iter().map(deviation).collect() }
}

/// The ratio of two totals, Σx/Σy, from one pair (x, y) per replication. Pairs with y = 0 say
/// nothing and are left aside; `None` if no other remains.
pub fn ratio_sample(pairs: &[(f64, f64)]) -> Option<Sample> {
    let pairs: Vec<_> = pairs.iter().filter(|(_, y)| *y > 0.0).collect();
    let x: f64 = pairs.iter().map(|(x, _)| x).sum();
    let y: f64 = pairs.iter().map(|(_, y)| y).sum();
    let left_out = |pair: &&(f64, f64)| (x - pair.0) / (y - pair.1);
    match pairs.len() {
        0 => None,
        1 => Some(Sample { point: x / y, deviations: vec![0.0] }),
        _ => Some(sample(x / y, &pairs.iter().map(left_out).collect::<Vec<_>>())),
    }
}

/// [`ratio_sample`] with its interval.
pub fn ratio(pairs: &[(f64, f64)], confidence: Confidence) -> Option<Estimate> {
    ratio_sample(pairs).map(|sample| sample.estimate(confidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mean;
    use crate::stats::tests::{coverage, exponential};

    #[test]
    fn for_a_mean_the_jackknife_gives_the_t_interval() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
        let by_ratio = ratio(&values.map(|value| (value, 1.0)), Confidence::USUAL).unwrap();
        let direct = mean(&values, Confidence::USUAL).unwrap();
        assert!((by_ratio.point - direct.point).abs() < 1e-12);
        let widths = (by_ratio.half_width().unwrap(), direct.half_width().unwrap());
        assert!((widths.0 - widths.1).abs() < 1e-12, "{widths:?}");
    }

    #[test]
    fn replications_without_weight_do_not_count() {
        assert_eq!(
            ratio(&[(0.0, 0.0), (3.0, 4.0)], Confidence::USUAL),
            Some(Estimate::alone(0.75, 1))
        );
        assert_eq!(ratio(&[(0.0, 0.0)], Confidence::USUAL), None);
    }

    #[test]
    fn intervals_of_ratios_cover_the_truth_as_often_as_they_claim() {
        let covered = coverage(1_000, 2.0, |stream| {
            let mut total = || (0..30).map(|_| exponential(stream)).sum::<f64>();
            let pairs: Vec<_> = (0..20).map(|_| (2.0 * total(), total())).collect();
            ratio(&pairs, Confidence::USUAL).unwrap()
        });
        assert!((0.93..=0.97).contains(&covered), "{covered}");
    }
}
