//! Shares of the requests that are answered, in words.

use crate::stats::Interval;

/// What is answered, of so many failing, with as many digits as matter.
pub(in crate::report) fn answered(failing: f64) -> String {
    let digits = match failing {
        failing if failing <= 0.0 => return "100 %".to_owned(),
        failing => (2.0 - (failing * 100.0).log10()).ceil().clamp(1.0, 7.0) as usize,
    };
    format!("{:.digits$} %", 100.0 * (1.0 - failing))
}

/// A share that is answered, between these that fail.
pub(super) fn between(interval: Interval) -> String {
    format!("{} to {}", answered(interval.high), answered(interval.low))
}
