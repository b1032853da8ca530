//! Time, rates and shares as types, so that no bare number carries a unit by convention.
//!
//! Simulated time is integer nanoseconds: it never drifts, it compares exactly, and it is the
//! same on every machine. A [`Span`] covers 584 years.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// Nanoseconds in one second.
pub const SECOND: u64 = 1_000_000_000;

/// A point of simulated time: nanoseconds since the start of the run.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Instant(pub u64);

/// A length of simulated time in nanoseconds; never negative.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span(pub u64);

impl Instant {
    /// The start of the run.
    pub const ZERO: Instant = Instant(0);
    /// Later than every event: the time of something that will not happen.
    pub const NEVER: Instant = Instant(u64::MAX);

    /// The instant `seconds` after the start; see [`Span::from_secs`].
    pub fn from_secs(seconds: f64) -> Self {
        Instant(Span::from_secs(seconds).0)
    }

    /// Seconds since the start.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// Time passed since `earlier`; zero if `earlier` lies ahead.
    pub fn since(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest span; stands for "without limit".
    pub const MAX: Span = Span(u64::MAX);

    /// The span nearest to `seconds`; negative and NaN become zero, too long becomes [`Span::MAX`].
    pub fn from_secs(seconds: f64) -> Self {
        Span((seconds * SECOND as f64).round() as u64)
    }

    /// The length in seconds.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// The length in milliseconds.
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add<Span> for Instant {
    type Output = Instant;
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.saturating_mul(times))
    }
}

impl Div<u64> for Span {
    type Output = Span;
    fn div(self, by: u64) -> Span {
        Span(self.0 / by)
    }
}

/// Clock notation for positions in a run: `3:00`, `1:02:03`, `3:14.2`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.saturating_add(SECOND / 20) / (SECOND / 10);
        let (seconds, tenth) = (tenths / 10, tenths % 10);
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 {
            write!(f, "{hours}:{minutes:02}:{rest:02}")?;
        } else {
            write!(f, "{minutes}:{rest:02}")?;
        }
        if tenth > 0 { write!(f, ".{tenth}") } else { Ok(()) }
    }
}

/// Three significant digits with the unit a person would choose: `41.3 ms`, `14.2 s`, `3 min 20 s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&show_span(*self))
    }
}

fn show_span(span: Span) -> String {
    let ns = span.0 as f64;
    match span.0 {
        u64::MAX => "unlimited".to_owned(),
        0 => "0 s".to_owned(),
        1..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", three_digits(ns / 1e3)),
        1_000_000..1_000_000_000 => format!("{} ms", three_digits(ns / 1e6)),
        1_000_000_000..120_000_000_000 => format!("{} s", three_digits(ns / 1e9)),
        _ => show_long_span(span.0 / SECOND + (span.0 % SECOND) / (SECOND / 2)),
    }
}

fn show_long_span(seconds: u64) -> String {
    let pair = |big: u64, unit: &str, small: u64, sub: &str| match small {
        0 => format!("{big} {unit}"),
        _ => format!("{big} {unit} {small} {sub}"),
    };
    match seconds {
        0..7_200 => pair(seconds / 60, "min", seconds % 60, "s"),
        7_200..172_800 => pair(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}

/// `value` with three significant digits and no trailing zeros; thousands stay whole numbers.
pub fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Something that happens this many times a second; finite and not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/s", three_digits(self.0)))
    }
}

/// A part of a whole, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl Share {
    /// Nothing of it.
    pub const ZERO: Share = Share(0.0);
    /// All of it.
    pub const ONE: Share = Share(1.0);
}

/// As many decimals as it takes to tell the share from 100 %: `42.5 %`, `99.98 %`, `99.9993 %`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} %", show_percent(self.0)))
    }
}

fn show_percent(share: f64) -> String {
    let percent = share * 100.0;
    let missing = (100.0 - percent).abs();
    if missing > 5.0 || missing == 0.0 {
        return three_digits(percent);
    }
    let decimals = (1.0 - missing.log10().floor()).clamp(1.0, 9.0) as usize;
    let text = format!("{percent:.decimals$}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "100" => "100".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

/// CPU cores; fractions are what a container limit grants on average. Finite and above zero.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Cores(pub f64);

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} vCPU", three_digits(self.0)))
    }
}

/// An amount of memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        let text = match units.iter().find(|(_, size)| self.0 >= *size) {
            Some((unit, size)) => format!("{} {unit}", three_digits(self.0 as f64 / *size as f64)),
            None => format!("{} B", self.0),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_a_person_would_write_them() {
        let shown = |seconds: f64| Span::from_secs(seconds).to_string();
        assert_eq!(shown(0.0), "0 s");
        assert_eq!(shown(0.000_25), "250 µs");
        assert_eq!(shown(0.041_34), "41.3 ms");
        assert_eq!(shown(14.2), "14.2 s");
        assert_eq!(shown(200.0), "3 min 20 s");
        assert_eq!((shown(299.9), shown(200.4)), ("5 min".to_owned(), "3 min 20 s".to_owned()));
        assert_eq!(shown(7_200.0), "2 h");
        assert_eq!(shown(200_000.0), "2 d 7 h");
        assert_eq!(Span::MAX.to_string(), "unlimited");
    }

    #[test]
    fn instants_read_as_a_clock() {
        assert_eq!(Instant::from_secs(180.0).to_string(), "3:00");
        assert_eq!(Instant::from_secs(194.23).to_string(), "3:14.2");
        assert_eq!(Instant::from_secs(3_723.0).to_string(), "1:02:03");
        assert_eq!(Instant::from_secs(59.97).to_string(), "1:00");
    }

    #[test]
    fn shares_near_one_keep_the_digits_that_matter() {
        assert_eq!(Share(0.425).to_string(), "42.5 %");
        assert_eq!(Share(0.999).to_string(), "99.9 %");
        assert_eq!(Share(0.999_993).to_string(), "99.9993 %");
        assert_eq!(Share::ONE.to_string(), "100 %");
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Instant::NEVER + Span(1), Instant::NEVER);
        assert_eq!(Span(1) - Span(2), Span::ZERO);
        assert_eq!(Span::MAX * 2, Span::MAX);
        assert_eq!(Span::from_secs(f64::NAN), Span::ZERO);
    }
}
