//! Sums and differences of independent estimates from the intervals of each (MOVER: Zou and
//! Donner, Statistics in Medicine 27, 2008): the distances of the ends from their points add up as
//! squares, whatever the estimates are of.

use super::Interval;

/// The upper end of a sum whose parts have these upper ends, each with the points of the others.
/// An end below the point takes nothing away.
pub fn upper(point: f64, ends: impl IntoIterator<Item = f64>) -> f64 {
    let squares = ends.into_iter().map(|end| (end - point).max(0.0).powi(2));
    point + squares.sum::<f64>().sqrt()
}

/// The interval of `after - before`, each a point with its interval.
pub fn difference(before: (f64, Interval), after: (f64, Interval)) -> Interval {
    let point = after.0 - before.0;
    let below = (after.0 - after.1.low).hypot(before.1.high - before.0);
    let above = (after.1.high - after.0).hypot(before.0 - before.1.low);
    Interval { low: point - below, high: point + above }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(point: f64, below: f64, above: f64) -> (f64, Interval) {
        (point, Interval { low: point - below, high: point + above })
    }

    #[test]
    fn distances_add_up_as_squares_each_on_its_side() {
        // What lies above the one and below the other makes the difference less.
        let found = difference(within(10.0, 1.0, 3.0), within(20.0, 4.0, 6.0));
        assert_eq!(found.low, 10.0 - 5.0);
        assert!((found.high - (10.0 + 37.0_f64.sqrt())).abs() < 1e-12, "{found:?}");
        assert_eq!(upper(10.0, [13.0, 14.0, 2.0]), 15.0);
    }

    #[test]
    fn intervals_of_normal_means_give_that_of_their_difference() {
        // 1.96 standard errors each: 1.96 times the root of the sum of the variances.
        let (one, other) =
            (within(0.0, 1.96 * 0.3, 1.96 * 0.3), within(1.0, 1.96 * 0.4, 1.96 * 0.4));
        let found = difference(one, other);
        assert!((found.high - (1.0 + 1.96 * 0.5)).abs() < 1e-12, "{found:?}");
    }
}
