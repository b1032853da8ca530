//! Losses that come at random: the chance that more than a limit comes together.
//!
//! The sum of a Poisson number of losses, each of one of several sizes, by Panjer's recursion
//! (ASTIN Bulletin 12, 1981) on a grid of `CELLS` steps up to the limit. A loss between two steps
//! is shared out so that its mean is kept; the sum of small ones is normal.

/// Steps of the grid up to the limit.
const CELLS: usize = 1_024;
/// Losses of fewer steps than this are small.
const SMALL: f64 = 8.0;
/// What is less comes from rounding.
const LEAST: f64 = 1e-12;
/// Where terms are scaled down so that none overflows.
const GREAT: f64 = 1e250;

/// The chance that the losses come to more than a limit above zero; each is given by its size and
/// by how many of it are expected.
pub fn exceeds(losses: impl Iterator<Item = (f64, f64)>, limit: f64) -> f64 {
    let step = limit / CELLS as f64;
    let mut expected = vec![0.0; CELLS + 1];
    let (mut mean, mut variance, mut beyond) = (0.0, 0.0, 0.0);
    for (size, count) in losses.filter(|(size, _)| *size > 0.0) {
        if size < SMALL * step {
            mean += count * size;
            variance += count * size * size;
            continue;
        }
        if size > limit {
            beyond += count;
            continue;
        }
        let (whole, part) = ((size / step) as usize, (size / step).fract());
        expected[whole.min(CELLS)] += count * (1.0 - part);
        match expected.get_mut(whole + 1) {
            Some(next) => *next += count * part,
            None => beyond += count * part,
        }
    }
    let (terms, scale) = terms(&expected);
    // What small losses leave room for.
    let fits = |total: usize| {
        let room = (CELLS - total) as f64 * step - mean;
        match variance > 0.0 {
            true => 0.5 * libm::erfc(-room / (2.0 * variance).sqrt()),
            false => 1.0,
        }
    };
    let within: f64 = terms.iter().enumerate().map(|(total, term)| term * fits(total)).sum();
    let chance = 1.0 - (within.ln() + scale - beyond).exp().min(1.0);
    if chance > LEAST { chance } else { 0.0 }
}

/// The chances that losses of these numbers of steps come to each total, and the logarithm of what
/// they are to be multiplied by.
fn terms(expected: &[f64]) -> (Vec<f64>, f64) {
    let sizes: Vec<(usize, f64)> = (1..expected.len())
        .filter(|steps| expected[*steps] > 0.0)
        .map(|steps| (steps, steps as f64 * expected[steps]))
        .collect();
    let mut scale = -sizes.iter().map(|(steps, _)| expected[*steps]).sum::<f64>();
    let mut terms = vec![1.0];
    for total in 1..expected.len() {
        let part = sizes.iter().take_while(|(steps, _)| *steps <= total);
        let sum: f64 = part.map(|(steps, weight)| weight * terms[total - steps]).sum();
        let term = sum / total as f64;
        terms.push(term);
        if term > GREAT {
            terms.iter_mut().for_each(|term| *term /= GREAT);
            scale += GREAT.ln();
        }
    }
    (terms, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chance of more than so many of which so many are expected.
    fn more_than(count: usize, expected: f64) -> f64 {
        let mut term = (-expected).exp();
        let mut sum = term;
        for number in 1..=count {
            term *= expected / number as f64;
            sum += term;
        }
        1.0 - sum
    }

    #[test]
    fn losses_of_one_size_are_a_poisson_number() {
        let cases = [(1.01, 0.3, 0), (0.4, 0.7, 2), (0.24, 6.0, 4), (0.09, 9.0, 11)];
        for (size, expected, most) in cases {
            let found = exceeds([(size, expected)].into_iter(), 1.0);
            let right = more_than(most, expected);
            assert!((found / right - 1.0).abs() < 0.01, "{size}: {found}, not {right}");
        }
        // One that is as large as the limit does not exceed it.
        let found = exceeds([(1.0, 0.3)].into_iter(), 1.0);
        assert!((found - more_than(1, 0.3)).abs() < 1e-9, "{found}");
    }

    #[test]
    fn losses_of_two_sizes_are_counted_together() {
        // Any of the large ones, or more than two of the others beside none of them.
        let found = exceeds([(1.5, 0.02), (0.4, 0.5)].into_iter(), 1.0);
        let right = 1.0 - (-0.02_f64).exp() * (1.0 - more_than(2, 0.5));
        assert!((found / right - 1.0).abs() < 1e-3, "{found}, not {right}");
        assert_eq!(exceeds([].into_iter(), 1.0), 0.0);
    }

    #[test]
    fn very_many_small_losses_are_normal() {
        // 10,000 of 1/10,300 of the limit: three standard deviations below it.
        let of = |expected: f64| exceeds([(1.0 / 10_300.0, expected)].into_iter(), 1.0);
        let found = of(10_000.0);
        assert!((0.0011..0.0017).contains(&found), "{found}");
        assert!((of(10_300.0) - 0.5).abs() < 0.05, "{}", of(10_300.0));
        assert!(of(20_000.0) > 1.0 - 1e-9);
        // A great many of a middle size overflow nothing.
        assert!(exceeds([(0.02, 1e5)].into_iter(), 1.0) > 1.0 - 1e-9);
    }
}
