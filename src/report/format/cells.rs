//! Numbers as files hold them: exact where they come from integers, else of fixed precision, and
//! empty where there is none.

use std::io::{Result, Write};

use serde::Serialize;

use crate::engine::digest::fnv_1a;
use crate::metric::nine_digits;
use crate::stats::{Estimate, Interval};
use crate::units::{Instant, SECOND, Span};

/// `whole.fraction` without trailing zeros, from a count of the smallest unit.
fn decimal(count: u64, per_unit: u64) -> String {
    let digits = per_unit.ilog10() as usize;
    let (whole, rest) = (count / per_unit, count % per_unit);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:0digits$}").trim_end_matches('0').to_owned()
}

/// An instant in seconds, exactly.
pub(crate) fn time(at: Instant) -> String {
    decimal(at.0, SECOND)
}

/// A span in seconds, exactly.
pub(crate) fn secs(span: Span) -> String {
    decimal(span.0, SECOND)
}

/// A span in milliseconds, exactly.
pub(crate) fn millis(span: Span) -> String {
    decimal(span.0, SECOND / 1_000)
}

/// A share or ratio with six decimals.
pub(crate) fn share(value: f64) -> String {
    format!("{value:.6}")
}

/// The text of a value, or nothing.
pub(crate) fn optional<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map_or_else(String::new, show)
}

/// A number in nine digits; empty if it is infinite or undefined.
pub(crate) fn number(value: f64) -> String {
    optional(nine_digits(value), |value| value.to_string())
}

/// Point, low and high; empty where there is none.
pub(crate) fn numbers(estimate: Option<&Estimate>) -> [String; 3] {
    let [low, high] = ends(estimate.and_then(|estimate| estimate.interval));
    [optional(estimate, |estimate| number(estimate.point)), low, high]
}

/// Low and high; empty where there is none.
pub(crate) fn ends(interval: Option<Interval>) -> [String; 2] {
    [optional(interval, |i| number(i.low)), optional(interval, |i| number(i.high))]
}

/// Writes a value as JSON for people, with a line feed at the end.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write_json(value: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// A digest as text.
pub(crate) fn digest(value: u64) -> String {
    format!("{value:016x}")
}

/// The digest of a text, as text.
pub(crate) fn text_digest(text: &str) -> String {
    digest(fnv_1a(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_exactly() {
        assert_eq!(time(Instant(1_500_000_001)), "1.500000001");
        assert_eq!((secs(Span(2 * SECOND)), millis(Span(1_230_000))), ("2".into(), "1.23".into()));
    }
}
