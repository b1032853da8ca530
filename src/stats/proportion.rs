//! Intervals for a probability from independent trials.

use super::law::beta;
use super::{Confidence, Interval};

/// The exact interval for a probability of which `hits` in `trials` were seen (Clopper and Pearson,
/// Biometrika 26, 1934). At either edge the whole error lies on one side, so zero misses in n
/// trials give a lower end of 0.05^(1/n) with 95 %, about 1 − 3/n: the rule of three (Hanley and
/// Lippman-Hand, JAMA 249, 1983). Needs at least one trial.
pub fn clopper_pearson(hits: u64, trials: u64, confidence: Confidence) -> Interval {
    assert!(trials > 0 && hits <= trials, "{hits} hits in {trials} trials");
    let (x, n) = (hits as f64, trials as f64);
    let error = confidence.error();
    if hits == trials {
        return Interval { low: error.powf(1.0 / n), high: 1.0 };
    }
    if hits == 0 {
        return Interval { low: 0.0, high: 1.0 - error.powf(1.0 / n) };
    }
    let at = |p: f64, a: f64, b: f64| beta::solve(p, 0.0, 1.0, |x| beta::regularized(x, a, b));
    Interval { low: at(error / 2.0, x, n - x + 1.0), high: at(1.0 - error / 2.0, x + 1.0, n - x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_misses_follow_the_rule_of_three() {
        let interval = clopper_pearson(1_000, 1_000, Confidence::USUAL);
        assert!((interval.low - 0.997_008_7).abs() < 1e-7, "{interval:?}");
        assert_eq!(interval.high, 1.0);
        assert!((clopper_pearson(0, 1_000, Confidence::USUAL).high - 0.002_991_3).abs() < 1e-7);
    }

    #[test]
    fn the_interval_matches_published_values() {
        // R: binom.test(7, 20)$conf.int
        let interval = clopper_pearson(7, 20, Confidence::USUAL);
        assert!((interval.low - 0.153_909_2).abs() < 1e-6, "{interval:?}");
        assert!((interval.high - 0.592_188_5).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn few_misses_among_very_many_trials_stay_exact() {
        let interval = clopper_pearson(99_999_999, 100_000_000, Confidence::USUAL);
        // One miss: the Poisson limits 0.0253 and 5.5716 over n.
        assert!(((1.0 - interval.low) * 1e8 - 5.5716).abs() < 1e-2, "{interval:?}");
        assert!(((1.0 - interval.high) * 1e8 - 0.0253).abs() < 1e-3, "{interval:?}");
    }
}
