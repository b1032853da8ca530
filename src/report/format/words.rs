//! Numbers as people read them: one way for each kind, with the interval always beside the point.

use crate::metric::{Dimension, Statistic};
use crate::stats::Interval;
use crate::units::{Share, Span};

/// Shown where there is no figure.
pub(crate) const NOTHING: &str = "–";

/// Shown where a percentile lies among requests that failed: no latency is enough.
pub(crate) const NONE: &str = "none";

/// An interval that is narrower than this share of its point is there by rounding alone.
const ROUNDING: f64 = 1e-12;

/// A share that is above zero though it may be tiny: never `0 %` for something.
pub(crate) fn share_of(share: f64) -> String {
    let is_tiny = share > 0.0 && share < 0.000_01;
    if is_tiny { "< 0.001 %".to_owned() } else { Share(share).to_string() }
}

/// A figure in the unit of its kind, or a dash: `41.3 ms (40.1–42.5)`, `99.82 % (99.80–99.84)`,
/// `5,387 (5,385–5,389)`, `9.97/s (9.96–9.98)`.
pub(crate) fn shown(figure: Option<&Statistic>) -> String {
    use Dimension::{Count, Factor, Latency, Rate, Share, Time};
    let Some(figure) = figure else { return NOTHING.to_owned() };
    let finite =
        figure.interval.map(|interval| interval.low).filter(|_| figure.point.is_infinite());
    let (per, unit, most) = match (figure.dimension(), finite.unwrap_or(figure.point).abs()) {
        (Share, _) => (100.0, " %", 7),
        (Count, _) => (1.0, "", 2),
        (Factor, _) => (1.0, "", 4),
        (Rate, rare) if rare > 0.0 && rare < 0.05 => (3_600.0, "/h", 3),
        (Rate, _) => (1.0, "/s", 3),
        (Time | Latency, 0.0) => (1.0, " s", 3),
        (Time | Latency, small) if small < 1e-3 => (1e6, " µs", 3),
        (Time | Latency, medium) if medium < 1.0 => (1e3, " ms", 3),
        (Time | Latency, _) => (1.0, " s", 3),
    };
    let point = figure.point * per;
    // Without spread, or when nothing was seen, an interval would look surer than it is.
    let noise = finite.unwrap_or(figure.point).abs() * ROUNDING;
    let spread = |i: &Interval| i.high - i.low > noise && figure.point != 0.0;
    if figure.point.is_infinite() && !figure.interval.is_some_and(|i| spread(&i)) {
        return NONE.to_owned();
    }
    let Some(Interval { low, high }) = figure.interval.filter(spread) else {
        let number = grouped(point, decimals(point, 0.0, most));
        let number = match number.contains('.') {
            true => number.trim_end_matches('0').trim_end_matches('.'),
            false => &number,
        };
        return format!("{number}{unit}");
    };
    // An end that is far off says no digits of the point, and has a unit of its own.
    let is_time = figure.dimension().is_time();
    let is_far = is_time && high.is_finite() && high > 100.0 * figure.point;
    let half = if high.is_finite() && !is_far { per * (high - low) / 2.0 } else { 0.0 };
    let decimals = decimals(if point.is_finite() { point } else { per * low }, half, most);
    // The greatest value there can be needs no decimals.
    let number = |value: f64| match value == figure.dimension().greatest() {
        _ if value.is_infinite() => NONE.to_owned(),
        true => grouped(value * per, 0),
        false => grouped(value * per, decimals),
    };
    match point.is_finite() {
        true if is_far => {
            let (point, low) = (number(figure.point), number(low));
            format!("{point}{unit} ({low}{unit} – {})", Span::from_secs(high))
        }
        // How many there may be is open.
        true if high.is_infinite() && !is_time => {
            format!("{}{unit} (from {})", number(figure.point), number(low))
        }
        true => format!("{}{unit} ({}–{})", number(figure.point), number(low), number(high)),
        false => format!("{NONE} (from {}{unit})", number(low)),
    }
}

/// A share of which nothing was seen, with how much there may be: `0 % (up to 4.1)`.
pub(crate) fn from_nothing(figure: &Statistic) -> String {
    let point = shown(Some(figure));
    let high = figure.interval.map(|interval| 100.0 * interval.high).filter(|high| *high > 0.0);
    match high.filter(|_| figure.dimension() == Dimension::Share) {
        Some(high) => format!("{point} (up to {})", grouped(high, decimals(high, high, 7))),
        None => point,
    }
}

/// Enough decimals for two digits of the half width; without one, for three digits of the point.
fn decimals(point: f64, half: f64, most: i32) -> usize {
    let (size, digits) = if half > 0.0 { (half, 2) } else { (point.abs(), 3) };
    if size == 0.0 {
        return 0;
    }
    (digits - 1 - size.log10().floor() as i32).clamp(0, most) as usize
}

/// With commas between thousands: `1,234,567.5`.
pub(crate) fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = if value < 0.0 && !is_zero { "-" } else { "" };
    format!("{sign}{out}{rest}")
}

/// A whole number with commas between thousands.
pub(crate) fn whole(count: u64) -> String {
    grouped(count as f64, 0)
}

/// `13.1–15.2 s`, or one of them if they read alike.
pub(crate) fn span_range(range: (Span, Span)) -> String {
    let (least, greatest) = (range.0.to_string(), range.1.to_string());
    match (least.split_once(' '), greatest.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same && least != greatest => {
            format!("{number}–{greatest}")
        }
        _ => range_of(least, greatest),
    }
}

/// `10–14`, or one of them if they are alike.
pub(crate) fn range_of(least: String, greatest: String) -> String {
    match least == greatest {
        true => least,
        false if least.contains(' ') => format!("{least} – {greatest}"),
        false => format!("{least}–{greatest}"),
    }
}

/// Each once, in the order in which they come first.
pub(crate) fn distinct<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

/// `1 replica`, `2 replicas`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", whole(count))
}

/// With its first letter as a capital.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Breaks `text` at blanks into lines of at most 98 columns. The first begins with `first`, the
/// others with as many blanks.
pub(crate) fn wrapped(first: &str, text: &str) -> String {
    wrapped_to(98, first, text)
}

/// The same, into lines of at most so many columns.
pub(crate) fn wrapped_to(columns: usize, first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let mut out = first.to_owned();
    let mut column = indent;
    for word in unbreakable(text) {
        let width = word.chars().count();
        if column > indent && column + 1 + width > columns {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        }
        if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word);
        column += width;
    }
    out.push('\n');
    out
}

/// The words of a text, a number and its unit as one.
fn unbreakable(text: &str) -> Vec<String> {
    const UNITS: [&str; 11] = ["ns", "µs", "ms", "s", "min", "h", "d", "%", "MiB", "GiB", "vCPU"];
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let bare = word.trim_end_matches([',', ';', ':', ')', '.']);
        match words.last_mut().filter(|last| last.ends_with(|c: char| c.is_ascii_digit())) {
            Some(last) if UNITS.contains(&bare) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Estimate;

    fn of(dimension: Dimension, point: f64, low: f64, high: f64) -> String {
        let estimate = Estimate { point, interval: Some(Interval { low, high }), n: 10 };
        shown(Some(&Statistic::new(dimension, estimate)))
    }

    #[test]
    fn the_interval_says_how_many_digits_count() {
        assert_eq!(of(Dimension::Time, 0.0413, 0.0401, 0.0425), "41.3 ms (40.1–42.5)");
        assert_eq!(of(Dimension::Time, 15.14, 14.2, 16.1), "15.14 s (14.20–16.10)");
        assert_eq!(of(Dimension::Share, 0.9982, 0.998, 0.9984), "99.820 % (99.800–99.840)");
        assert_eq!(of(Dimension::Share, 1.0, 0.999_99, 1.0), "100 % (99.99900–100)");
        assert_eq!(of(Dimension::Count, 12_345.6, 12_300.0, 12_390.0), "12,346 (12,300–12,390)");
        let alone = Statistic::new(Dimension::Time, Estimate::alone(0.0413, 1));
        assert_eq!((shown(Some(&alone)).as_str(), shown(None).as_str()), ("41.3 ms", NOTHING));
        assert_eq!(of(Dimension::Share, 0.98, 0.98 - 1e-16, 0.98), "98 %");
        assert_eq!(of(Dimension::Time, f64::INFINITY, f64::INFINITY, f64::INFINITY), NONE);
        assert_eq!(of(Dimension::Time, f64::INFINITY, 1.25, f64::INFINITY), "none (from 1.25 s)");
        assert_eq!(of(Dimension::Time, 1.5, 1.25, f64::INFINITY), "1.50 s (1.25–none)");
        assert_eq!(of(Dimension::Count, 3.0, 2.0, f64::INFINITY), "3.00 (from 2.00)");
        // What is far off has a unit of its own.
        assert_eq!(of(Dimension::Time, 0.002, 0.0019, 86_340.0), "2.00 ms (1.90 ms – 23 h 59 min)");
        // Nothing is more than all of it.
        assert_eq!(of(Dimension::Share, 0.9972, 0.9942, 1.0002), "99.72 % (99.42–100)");
        assert_eq!(of(Dimension::Time, 0.0, 0.0, 0.0), "0 s");
        let hourly = Statistic::new(Dimension::Rate, Estimate::alone(1.0 / 3_600.0, 1));
        assert_eq!(shown(Some(&hourly)), "1/h");
    }

    #[test]
    fn what_was_not_seen_is_told_where_it_decides() {
        let of = |dimension, high| {
            let interval = Some(Interval { low: 0.0, high });
            let estimate = Estimate { point: 0.0, interval, n: 10 };
            from_nothing(&Statistic::new(dimension, estimate))
        };
        assert_eq!(of(Dimension::Share, 0.0807), "0 % (up to 8.1)");
        assert_eq!(of(Dimension::Share, 0.000_012_3), "0 % (up to 0.0012)");
        assert_eq!(of(Dimension::Share, 0.0), "0 %");
        assert_eq!(of(Dimension::Latency, 1.0), "0 s");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(1_234_567.5, 1), "1,234,567.5");
        assert_eq!((grouped(-999.0, 0), grouped(-0.001, 1)), ("-999".into(), "0.0".into()));
    }

    #[test]
    fn long_text_keeps_its_indent() {
        let text = wrapped("  - ", &"word ".repeat(60));
        assert!(text.lines().all(|line| line.chars().count() <= 98));
        assert!(text.lines().skip(1).all(|line| line.starts_with("    ")));
    }
}
