//! Options on what becomes of results elsewhere: files for other programs.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::report::export::{Epoch, ExportKind, Exports};

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

fn kinds() -> impl TypedValueParser<Value = ExportKind> {
    let kind = |key: String| ExportKind::of(&key).expect("it is one of the values");
    PossibleValuesParser::new(ExportKind::ALL.map(ExportKind::key)).map(kind)
}

fn epoch(text: &str) -> Result<Epoch, String> {
    let help = "write a moment from 1970 to 2099 by RFC 3339, such as 2026-03-01T09:00:00Z";
    Epoch::read(text).ok_or_else(|| help.to_owned())
}
