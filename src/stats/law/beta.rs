//! The regularized incomplete beta function, on which the laws of Student and of proportions rest.

use libm::lgamma;

/// I_x(a, b): the probability that a Beta(a, b) variable is at most `x` (NIST DLMF 8.17).
pub(in crate::stats) fn regularized(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let ln_front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The fraction converges fast on this side of the mean; the other follows by symmetry.
    if x < (a + 1.0) / (a + b + 2.0) {
        ln_front.exp() * fraction(x, a, b) / a
    } else {
        1.0 - ln_front.exp() * fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction NIST DLMF 8.17.22 by the modified method of Lentz (1976).
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut value = d;
    for m in (1..1_000_000).map(f64::from) {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            step = c * d;
            value *= step;
        }
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// The `x` between `low` and `high` at which a growing function reaches `goal`, by halving until
/// no number lies between.
pub(in crate::stats) fn solve(
    goal: f64,
    mut low: f64,
    mut high: f64,
    f: impl Fn(f64) -> f64,
) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if f(middle) < goal { low = middle } else { high = middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_gamma_matches_published_values() {
        // Γ(1/2) = √π, Γ(11) = 10!
        assert!((lgamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-14);
        assert!((lgamma(11.0) - 3_628_800_f64.ln()).abs() < 1e-13);
    }

    #[test]
    fn the_beta_function_matches_closed_forms() {
        // I_x(1, b) = 1 − (1 − x)^b, I_x(a, 1) = x^a, I_½(a, a) = ½
        assert!((regularized(0.3, 1.0, 5.0) - (1.0 - 0.7_f64.powi(5))).abs() < 1e-14);
        assert!((regularized(0.3, 4.0, 1.0) - 0.3_f64.powi(4)).abs() < 1e-14);
        assert!((regularized(0.5, 7.5, 7.5) - 0.5).abs() < 1e-13);
        assert_eq!((regularized(-1.0, 2.0, 2.0), regularized(1.0, 2.0, 2.0)), (0.0, 1.0));
    }
}
