//! `manifest.json`: everything it takes to run again to the same bytes.

use std::io::{Result, Write};

use serde::{Deserialize, Serialize};

use super::format::cells;
use super::{Report, study};

/// The schema of the file.
pub const SCHEMA: &str = "brownout/manifest/1";
/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What was run, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the program that ran.
    pub version: String,
    /// The scenario's file name, without its directory.
    pub scenario_file: String,
    /// The digest of the scenario's text.
    pub scenario_digest: String,
    /// The scenario's text.
    pub scenario: String,
    /// What the command line changed in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// The seed, whether from the scenario or the command line.
    pub seed: u64,
    /// The replications asked for, likewise.
    pub replications: usize,
    /// Replications went on until the figures were so precise, if so; then `replications` is the
    /// number that the scenario asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<PrecisionPart>,
    /// Every so-manyth request was kept, if any.
    pub requests_every: Option<u64>,
    /// Whether the run was stopped; then it does not repeat to the same bytes.
    pub interrupted: bool,
    /// The digest of each replication: equal digests mean equal runs.
    pub outcomes: Vec<OutcomeDigest>,
}

/// How precise figures were to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrecisionPart {
    /// Half of an interval over its point.
    pub relative: f64,
    /// The most replications.
    pub most: usize,
}

/// The digest of one replication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeDigest {
    /// Its index.
    pub replication: u64,
    /// The digest of its events.
    pub digest: String,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not the JSON that a manifest is.
    #[error("this is no manifest: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A manifest of a kind that this program does not know.
    #[error(
        "the manifest has schema {0:?}, a run's has {SCHEMA:?}\n  = help: {help}",
        help = remedy(.0)
    )]
    Schema(String),
    /// The scenario in it was changed by hand.
    #[error("the scenario in the manifest does not match its digest {0}")]
    Digest(String),
}

/// What to do with a manifest of this schema.
fn remedy(schema: &str) -> &'static str {
    match schema {
        study::manifest::SCHEMA => {
            "this is the manifest of a study: give its command the scenario, settings and choices \
             that are in it"
        }
        _ => "name the manifest.json in the results of brownout run",
    }
}

impl Manifest {
    /// The manifest of a report.
    pub fn of(report: &Report) -> Self {
        let (scenario, experiment) = (report.scenario, report.experiment);
        let sequence = experiment.sequence;
        let file = scenario.path.file_name().unwrap_or_default().to_string_lossy();
        let outcome = |outcome: &crate::observe::outcome::Outcome| OutcomeDigest {
            replication: outcome.replication,
            digest: cells::digest(outcome.digest),
        };
        Manifest {
            schema: SCHEMA.to_owned(),
            version: VERSION.to_owned(),
            scenario_file: file.into_owned(),
            scenario_digest: cells::text_digest(&scenario.text),
            scenario: scenario.text.clone(),
            set: scenario.changes.clone(),
            seed: scenario.plan.run.seed,
            replications: sequence.map_or(experiment.asked, |_| scenario.plan.run.replications),
            precision: sequence.map(|of| PrecisionPart { relative: of.precision, most: of.most }),
            requests_every: report.requests_every,
            interrupted: experiment.interrupted,
            outcomes: experiment.outcomes.iter().map(outcome).collect(),
        }
    }

    /// Reads a manifest and checks that it is whole.
    ///
    /// # Errors
    /// The text is no manifest, of another schema, or its scenario was changed.
    pub fn read(text: &str) -> std::result::Result<Self, ManifestError> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let schema = value["schema"].as_str().unwrap_or("").to_owned();
        if schema != SCHEMA {
            return Err(ManifestError::Schema(schema));
        }
        let manifest: Manifest = serde_json::from_value(value)?;
        if manifest.scenario_digest != cells::text_digest(&manifest.scenario) {
            return Err(ManifestError::Digest(manifest.scenario_digest));
        }
        Ok(manifest)
    }
}

/// Writes the manifest.
///
/// # Errors
/// Those of the writer.
pub fn write(report: &Report, out: &mut dyn Write) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Manifest::of(report))?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::report::sample::scenario;

    fn text() -> String {
        let (scenario, run) = (scenario(), example::experiment());
        let mut out = Vec::new();
        write(&Report::new(&scenario, &run, Some(100)), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_manifest_reads_back_what_was_run() {
        let manifest = Manifest::read(&text()).unwrap();
        assert_eq!((manifest.seed, manifest.replications), (42, 5));
        assert_eq!(manifest.scenario, scenario().text);
        assert_eq!(manifest.scenario_file, "one-crash.toml");
        assert_eq!((manifest.outcomes.len(), manifest.requests_every), (5, Some(100)));
    }

    #[test]
    fn a_changed_manifest_is_refused() {
        let error = |text: &str| Manifest::read(text).unwrap_err().to_string();
        assert!(error(&text().replace("carry the load", "carry a load")).contains("digest"));
        assert!(error(&text().replace("manifest/1", "manifest/9")).contains("manifest/9"));
        assert!(error("[]").contains("in the results of brownout run"));
        let study = format!("{{\"schema\": {:?}}}", study::manifest::SCHEMA);
        assert!(error(&study).contains("the manifest of a study: give its command"));
        assert!(error("{").contains("no manifest"));
    }
}
