//! What can be asked for, and the moment that stands for the start of a run.

use std::fmt;

use jiff::Timestamp;

/// A format of another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// A trace for Perfetto.
    Perfetto,
    /// Metrics for Prometheus and Grafana.
    Openmetrics,
    /// Latencies for what reads logs of HdrHistogram.
    Hdr,
    /// Verdicts for build servers.
    Junit,
    /// Verdicts for code scanners.
    Sarif,
}

impl ExportKind {
    /// All of them, in the order in which they are written.
    pub const ALL: [ExportKind; 5] = [
        ExportKind::Perfetto,
        ExportKind::Openmetrics,
        ExportKind::Hdr,
        ExportKind::Junit,
        ExportKind::Sarif,
    ];

    /// How it is asked for.
    pub fn key(self) -> &'static str {
        match self {
            ExportKind::Perfetto => "perfetto",
            ExportKind::Openmetrics => "openmetrics",
            ExportKind::Hdr => "hdr",
            ExportKind::Junit => "junit",
            ExportKind::Sarif => "sarif",
        }
    }

    /// The one that is asked for like this.
    pub fn of(key: &str) -> Option<ExportKind> {
        ExportKind::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            ExportKind::Perfetto => "trace.perfetto",
            ExportKind::Openmetrics => "metrics.openmetrics.txt",
            ExportKind::Hdr => "latency.hlog",
            ExportKind::Junit => "junit.xml",
            ExportKind::Sarif => "verdict.sarif",
        }
    }
}

/// The moment that stands for the start of simulated time: nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(pub(super) u64);

impl Default for Epoch {
    /// 2025-01-01T00:00:00Z: no moment that means anything, and the same on every day.
    fn default() -> Self {
        Epoch(1_735_689_600_000_000_000)
    }
}

impl Epoch {
    /// Reads a moment by RFC 3339: `2026-03-01T09:00:00Z`.
    pub fn read(text: &str) -> Option<Epoch> {
        let at = text.parse::<Timestamp>().ok()?;
        // Simulated time is added to it.
        let most = Timestamp::from_second(4_102_444_800).ok()?;
        let nanoseconds = u64::try_from(at.as_nanosecond()).ok()?;
        (at <= most).then_some(Epoch(nanoseconds))
    }

    /// In seconds since 1970.
    pub(super) fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// By RFC 3339.
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default();
        write!(f, "{at}")
    }
}

/// What is to be written beside the results, in formats of other programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exports {
    /// The formats.
    pub kinds: Vec<ExportKind>,
    /// What stands for the start of simulated time.
    pub epoch: Epoch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_read_and_shown_by_the_same_rule() {
        assert_eq!(Epoch::default().to_string(), "2025-01-01T00:00:00Z");
        assert_eq!(Epoch::read("2025-01-01T01:00:00+01:00"), Some(Epoch::default()));
        assert_eq!(Epoch::read("1969-12-31T23:59:59Z"), None);
        assert_eq!(Epoch::read("9000-01-01T00:00:00Z"), None);
        assert_eq!(Epoch::read("tomorrow"), None);
    }

    #[test]
    fn every_format_is_found_by_its_key_and_has_a_file_of_its_own() {
        for kind in ExportKind::ALL {
            assert_eq!(ExportKind::of(kind.key()), Some(kind));
            let same = ExportKind::ALL.iter().filter(|other| other.file() == kind.file());
            assert_eq!(same.count(), 1);
        }
        assert_eq!(ExportKind::of("csv"), None);
    }
}
