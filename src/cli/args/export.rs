//! Options on what becomes of results elsewhere: files for other programs, what is printed for
//! them, and when a study fails.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::report::export::{Epoch, ExportKind, Exports};
use crate::report::fail_if::FailCondition;

/// Further files of a run.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExportArgs {
    /// Write further files for other programs, several between commas: perfetto (a trace),
    /// openmetrics (for Prometheus and Grafana), hdr (latencies), junit and sarif (verdicts)
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds())]
    export: Vec<ExportKind>,
    /// The moment that stands for the start of the run where a format knows calendars only, such
    /// as 2026-03-01T09:00:00Z [default: 2025-01-01T00:00:00Z]
    #[arg(long, value_name = "TIME", requires = "export", value_parser = epoch)]
    export_epoch: Option<Epoch>,
}

impl ExportArgs {
    /// What is to be written.
    pub(in crate::cli) fn exports(&self) -> Exports {
        let epoch = self.export_epoch.unwrap_or_default();
        Exports { kinds: self.export.clone(), epoch }
    }
}

/// Further files of a study.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct VerdictExportArgs {
    /// Write a further file for other programs: junit (verdicts)
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = of_verdicts())]
    export: Vec<ExportKind>,
}

impl VerdictExportArgs {
    /// What is to be written.
    pub(in crate::cli) fn exports(&self) -> Exports {
        Exports { kinds: self.export.clone(), ..Exports::default() }
    }
}

/// When a study is to fail.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FailArgs {
    /// Fail (exit code 1) if any variant misses an objective (missed), if a figure of any is worse
    /// than that of the first (worse), or if it changes too much, such as 'p99 > +10%',
    /// 'p99 during crash > +200ms' or 'failed > +0.1 points'; as often as needed
    #[arg(long, value_name = "CONDITION", value_parser = condition)]
    pub(in crate::cli) fail_if: Vec<FailCondition>,
}

/// What `status` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum StatusFormat {
    /// A table for people
    Text,
    /// The same as JSON
    Json,
}

/// What `check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckFormat {
    /// A line for each file; problems are shown on standard error
    Text,
    /// Every problem with its place, piece by piece
    Json,
    /// The same as SARIF 2.1.0, for code scanners and editors
    Sarif,
    /// A suite for each file as JUnit XML, for build servers
    Junit,
    /// For a comment on a change: tables as GitHub and GitLab show them
    Markdown,
}

fn kinds() -> impl TypedValueParser<Value = ExportKind> {
    let kind = |key: String| ExportKind::of(&key).expect("it is one of the values");
    PossibleValuesParser::new(ExportKind::ALL.map(ExportKind::key)).map(kind)
}

fn of_verdicts() -> impl TypedValueParser<Value = ExportKind> {
    PossibleValuesParser::new([ExportKind::Junit.key()]).map(|_| ExportKind::Junit)
}

fn epoch(text: &str) -> Result<Epoch, String> {
    let help = "write a moment from 1970 to 2099 by RFC 3339, such as 2026-03-01T09:00:00Z";
    Epoch::read(text).ok_or_else(|| help.to_owned())
}

fn condition(text: &str) -> Result<FailCondition, String> {
    FailCondition::read(text).map_err(|flaw| flaw.to_string())
}
