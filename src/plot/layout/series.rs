//! Values over time, and what many of them come to where a picture has room for few.

/// A value over time; `None` is a gap.
pub(crate) type SeriesPoint = (f64, Option<f64>);

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
