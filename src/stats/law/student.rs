//! Student's t distribution.

use super::beta;

/// P(T ≤ t) with `df` degrees of freedom: 1 − ½·I_{df/(df+t²)}(df/2, ½) for t ≥ 0, by symmetry
/// below (Abramowitz and Stegun 26.7.1).
fn cdf(df: f64, t: f64) -> f64 {
    let tail = beta::regularized(df / (df + t * t), df / 2.0, 0.5) / 2.0;
    if t < 0.0 { tail } else { 1.0 - tail }
}

/// The value that T stays below with probability `p`, strictly between 0 and 1.
pub fn quantile(df: f64, p: f64) -> f64 {
    assert!(df > 0.0 && p > 0.0 && p < 1.0, "t quantile of {p} with {df} degrees of freedom");
    if p < 0.5 {
        return -quantile(df, 1.0 - p);
    }
    let mut high = 2.0;
    while cdf(df, high) < p {
        high *= 2.0;
    }
    beta::solve(p, 0.0, high, |t| cdf(df, t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_published_values() {
        let published = [
            (1.0, 0.975, 12.706_204_736_432_095),
            (2.0, 0.975, 4.302_652_729_696_142),
            (4.0, 0.975, 2.776_445_105_197_799),
            (9.0, 0.975, 2.262_157_162_740_991),
            (29.0, 0.975, 2.045_229_642_132_703),
            (9.0, 0.95, 1.833_112_932_712_413_6),
            (1e6, 0.975, 1.959_966_4),
        ];
        for (df, p, expected) in published {
            let found = quantile(df, p);
            let tolerance = if df > 1e5 { 1e-6 } else { 1e-9 };
            assert!((found - expected).abs() < tolerance, "t({df}, {p}) = {found}");
        }
    }

    #[test]
    fn the_law_is_symmetric() {
        assert_eq!(quantile(5.0, 0.025), -quantile(5.0, 0.975));
        assert!(quantile(5.0, 0.5).abs() < 1e-12);
        assert!((cdf(3.0, -1.5) + cdf(3.0, 1.5) - 1.0).abs() < 1e-14);
    }
}
