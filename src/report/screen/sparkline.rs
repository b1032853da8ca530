//! A curve in one line of letters.

/// The steps of a curve.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where the greatest value is so many times the least, steps are those of the logarithm.
const FAR: f64 = 20.0;

/// A curve with a letter for each value or for several, of which the greatest is shown; at most so
/// many letters. Blank where there is no value.
pub fn sparkline(values: &[Option<f64>], letters: usize) -> String {
    let each = values.len().div_ceil(letters.max(1)).max(1);
    let greatest = |some: &[Option<f64>]| some.iter().flatten().copied().reduce(f64::max);
    let shown: Vec<Option<f64>> = values.chunks(each).map(greatest).collect();
    let all = || shown.iter().flatten().copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    let by_log = low > 0.0 && high > FAR * low;
    let scale = |value: f64| if by_log { value.ln() } else { value };
    // From half the greatest at most, so that small changes look small.
    let floor = if by_log { scale(low) } else { low.min(high / 2.0) };
    let letter = |value: f64| {
        let share = (scale(value) - floor) / (scale(high) - floor);
        let step = if share.is_finite() { (share * 7.0).round() } else { 0.0 };
        STEPS[step.clamp(0.0, 7.0) as usize]
    };
    shown.iter().map(|value| value.map_or(' ', letter)).collect()
}

/// Which letter of such a curve shows the value of this index.
pub fn letter_of(index: usize, values: usize, letters: usize) -> usize {
    index / values.div_ceil(letters.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64], letters: usize) -> String {
        sparkline(&values.iter().map(|value| Some(*value)).collect::<Vec<_>>(), letters)
    }

    #[test]
    fn the_greatest_of_several_is_shown() {
        assert_eq!(of(&[0.0, 7.0, 1.0, 1.0], 2), "█▁");
        assert_eq!([0, 1, 2, 3].map(|index| letter_of(index, 4, 2)), [0, 0, 1, 1]);
    }

    #[test]
    fn far_values_are_shown_by_their_logarithm() {
        assert_eq!(of(&[1.0, 10.0, 100.0], 9), "▁▅█");
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0], 9), "▁▃▆█");
    }

    #[test]
    fn what_hardly_changes_looks_so() {
        assert_eq!(of(&[95.0, 100.0], 9), "▇█");
        assert_eq!(of(&[0.0, 0.0], 9), "▁▁");
    }

    #[test]
    fn nothing_is_blank() {
        assert_eq!(sparkline(&[Some(1.0), None, Some(1.0)], 9), "█ █");
        assert_eq!(sparkline(&[], 9), "");
    }
}
