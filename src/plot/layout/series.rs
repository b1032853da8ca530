//! Fewer points without a visible difference: per column of pixels the least and the greatest
//! value, so that every spike stays, and the ends of the whole.

/// A value over time; `None` is a gap.
pub(crate) type SeriesPoint = (f64, Option<f64>);

/// Thins `samples`, which are in order of time, to a few for each of `columns` between `low` and
/// `high`.
pub(crate) fn thin(
    samples: &[SeriesPoint],
    low: f64,
    high: f64,
    columns: usize,
) -> Vec<SeriesPoint> {
    if samples.len() <= columns.max(1) * 2 {
        return samples.to_vec();
    }
    let column =
        |sample: &SeriesPoint| ((sample.0 - low) / (high - low) * columns as f64).floor() as i64;
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

/// What the samples of an interval of time have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    /// Half way between its first sample and its last.
    pub(crate) middle: f64,
    /// Least and greatest value; `None` is a gap.
    pub(crate) range: Option<(f64, f64)>,
    /// The value that half of them do not exceed; `None` is a gap.
    pub(crate) median: Option<f64>,
}

/// Sums `samples`, which are in order of time, up in `count` cells between `low` and `high`.
pub(crate) fn cells(samples: &[SeriesPoint], low: f64, high: f64, count: usize) -> Vec<Bucket> {
    let cell =
        |sample: &SeriesPoint| ((sample.0 - low) / (high - low) * count as f64).floor() as i64;
    samples.chunk_by(|a, b| cell(a) == cell(b)).map(sum_up).collect()
}

fn sum_up(group: &[SeriesPoint]) -> Bucket {
    let known = group.iter().filter_map(|sample| sample.1).filter(|value| value.is_finite());
    let mut values: Vec<f64> = known.collect();
    values.sort_by(f64::total_cmp);
    let ends = values.first().zip(values.last());
    let middle = (group[0].0 + group[group.len() - 1].0) / 2.0;
    let range = ends.map(|(least, greatest)| (*least, *greatest));
    Bucket { middle, range, median: values.get(values.len().saturating_sub(1) / 2).copied() }
}

/// Indices of the least and the greatest value and of the first gap, in order.
fn extremes(group: &[SeriesPoint]) -> Vec<usize> {
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
        let mut samples: Vec<SeriesPoint> =
            (0..20_000).map(|i| (f64::from(i), Some(1.0))).collect();
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
        let mut samples: Vec<SeriesPoint> = (0..5_000).map(|i| (f64::from(i), Some(1.0))).collect();
        samples[2_502].1 = None;
        let thinned = thin(&samples, 0.0, 5_000.0, 100);
        assert!(thinned.contains(&(2_502.0, None)));
    }

    #[test]
    fn cells_tell_the_range_and_the_middle_of_their_values() {
        let samples = [
            (0.0, Some(3.0)),
            (1.0, Some(9.0)),
            (2.0, Some(4.0)),
            (5.0, None),
            (6.0, Some(f64::NAN)),
        ];
        let cells = cells(&samples, 0.0, 10.0, 2);
        let (range, median) = (Some((3.0, 9.0)), Some(4.0));
        assert_eq!(cells[0], Bucket { middle: 1.0, range, median });
        assert_eq!(cells[1], Bucket { middle: 5.5, range: None, median: None });
        assert_eq!(cells.len(), 2);
    }

    #[test]
    fn few_points_are_left_alone_and_nothing_hangs_on_nonsense() {
        let samples = [(1.0, Some(2.0)), (2.0, None)];
        assert_eq!(thin(&samples, 0.0, 2.0, 10), samples);
        let nonsense = vec![(f64::NAN, Some(f64::NAN)); 100];
        assert!(thin(&nonsense, 0.0, 0.0, 1).len() < 5);
    }
}
