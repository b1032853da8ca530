//! Fewer points without a visible difference: per column of pixels the least and the greatest
//! value, so that every spike stays, and the ends of the whole.

/// A value over time; `None` is a gap.
pub(crate) type Sample = (f64, Option<f64>);

/// Thins `samples`, which are in order of time, to a few for each of `columns` between `low` and
/// `high`.
pub(crate) fn thin(samples: &[Sample], low: f64, high: f64, columns: usize) -> Vec<Sample> {
    if samples.len() <= columns.max(1) * 2 {
        return samples.to_vec();
    }
    let column =
        |sample: &Sample| ((sample.0 - low) / (high - low) * columns as f64).floor() as i64;
    let mut kept = Vec::new();
    for group in samples.chunk_by(|a, b| column(a) == column(b)) {
        kept.extend(extremes(group).into_iter().map(|index| group[index]));
    }
    if kept.first() != samples.first() {
        kept.insert(0, samples[0]);
    }
    if kept.last() != samples.last() {
        kept.push(samples[samples.len() - 1]);
    }
    kept
}

/// Indices of the least and the greatest value and of the first gap, in order.
fn extremes(group: &[Sample]) -> Vec<usize> {
    let known = || (0..group.len()).filter(|i| group[*i].1.is_some_and(f64::is_finite));
    let by_value = |a: &usize, b: &usize| group[*a].1.partial_cmp(&group[*b].1).expect("finite");
    let gap = (0..group.len()).find(|i| group[*i].1.is_none());
    let found = [known().min_by(by_value), known().max_by(by_value), gap];
    let mut indices: Vec<usize> = found.into_iter().flatten().collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_among_thousands_stays() {
        let mut samples: Vec<Sample> = (0..20_000).map(|i| (f64::from(i), Some(1.0))).collect();
        samples[12_345].1 = Some(99.0);
        samples[777].1 = Some(-5.0);
        let thinned = thin(&samples, 0.0, 20_000.0, 700);
        assert!(thinned.len() <= 700 * 2 + 2, "{}", thinned.len());
        assert!(thinned.contains(&(12_345.0, Some(99.0))));
        assert!(thinned.contains(&(777.0, Some(-5.0))));
        assert!(thinned.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!((thinned[0], thinned[thinned.len() - 1]), (samples[0], samples[19_999]));
    }

    #[test]
    fn a_gap_stays() {
        let mut samples: Vec<Sample> = (0..5_000).map(|i| (f64::from(i), Some(1.0))).collect();
        samples[2_502].1 = None;
        let thinned = thin(&samples, 0.0, 5_000.0, 100);
        assert!(thinned.contains(&(2_502.0, None)));
    }

    #[test]
    fn few_points_are_left_alone_and_nothing_hangs_on_nonsense() {
        let samples = [(1.0, Some(2.0)), (2.0, None)];
        assert_eq!(thin(&samples, 0.0, 2.0, 10), samples);
        let nonsense = vec![(f64::NAN, Some(f64::NAN)); 100];
        assert!(thin(&nonsense, 0.0, 0.0, 1).len() < 5);
    }
}
