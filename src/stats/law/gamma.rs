//! The gamma distribution, on which the limits of counts rest.

use libm::lgamma;

use super::beta;
use crate::stats::{Confidence, Interval};

/// From this shape on the quantile follows Wilson and Hilferty (1931), to six digits.
const MANY: f64 = 1_000.0;

/// P(a, x): the probability that a gamma variable of shape `a` and scale 1 is at most `x` (NIST
/// DLMF 8.2.4).
fn regularized(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (a * x.ln() - x - lgamma(a)).exp();
    if x < a + 1.0 {
        // DLMF 8.7.1: Σ xⁿ / (a (a+1) … (a+n)).
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return front * sum;
    }
    // DLMF 8.9.2 by the modified method of Lentz.
    let (mut b, mut c) = (x + 1.0 - a, 1e300);
    let mut d = 1.0 / b;
    let mut value = d;
    for n in (1..100_000).map(f64::from) {
        let part = -n * (n - a);
        b += 2.0;
        d = 1.0 / (part * d + b);
        c = b + part / c;
        value *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 - front * value
}

/// The value that a gamma variable of this shape and scale 1 stays below with probability `p`,
/// strictly between 0 and 1.
pub(in crate::stats) fn quantile(shape: f64, p: f64) -> f64 {
    if shape > MANY {
        let z = super::student::quantile(1e9, p);
        let ninth = 1.0 / (9.0 * shape);
        return shape * (1.0 - ninth + z * ninth.sqrt()).powi(3);
    }
    let mut high = shape + 1.0;
    while regularized(shape, high) < p {
        high *= 2.0;
    }
    beta::solve(p, 0.0, high, |x| regularized(shape, x))
}

/// The exact interval for the mean of a Poisson count of which `count` was seen (Garwood,
/// Biometrika 28, 1936). Where none was seen the whole error lies above: −ln(1−c) for confidence c,
/// the rule of three (Hanley and Lippman-Hand, JAMA 249, 1983).
pub fn garwood(count: u64, confidence: Confidence) -> Interval {
    if count == 0 {
        return Interval { low: 0.0, high: -confidence.error().ln() };
    }
    let (seen, p) = (count as f64, confidence.upper());
    Interval { low: quantile(seen, 1.0 - p), high: quantile(seen + 1.0, p) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_counts_match_published_values() {
        // Garwood's limits of 95 %, as in R: poisson.test(n)$conf.int.
        for (count, low, high) in [
            (1, 0.025_317_81, 5.571_643),
            (2, 0.242_209_3, 7.224_688),
            (10, 4.795_389, 18.390_36),
            (100, 81.363_97, 121.627_2),
        ] {
            let found = garwood(count, Confidence::USUAL);
            assert!((found.low / low - 1.0).abs() < 1e-5, "{count}: {found:?}");
            assert!((found.high / high - 1.0).abs() < 1e-5, "{count}: {found:?}");
        }
        assert!((garwood(0, Confidence::USUAL).high - 2.995_732).abs() < 1e-6);
    }

    #[test]
    fn many_are_as_few_are() {
        let (exact, cubed) = (quantile(999.0, 0.975), quantile(1_001.0, 0.975));
        // A step of 2 in the shape moves the quantile by a little more than 2.
        assert!((cubed - exact - 2.0).abs() < 0.07, "{exact} and {cubed}");
        assert!((regularized(1.0, 2.0) - (1.0 - (-2.0_f64).exp())).abs() < 1e-14);
        assert!((regularized(0.5, 0.1) - libm::erf(0.1_f64.sqrt())).abs() < 1e-13);
    }
}
