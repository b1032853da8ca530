//! `manifest.json` of a study: what was studied, and what came of it.

use std::io::{Result, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::experiment::Experiment;
use crate::report::format::cells;
use crate::report::manifest::VERSION;
use crate::scenario::Scenario;

/// The schema of the file.
pub const SCHEMA: &str = "brownout/study/1";

/// What was studied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyManifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the program that ran.
    pub version: String,
    /// Which study: `compare`, `sweep`, `plan`.
    pub study: String,
    /// The seed of all replications.
    pub seed: u64,
    /// What else was chosen, whether by default or not: what it takes, beside the scenarios and
    /// their changes, to study the same again.
    #[serde(default)]
    pub choices: Value,
    /// Whether it was stopped.
    pub interrupted: bool,
    /// The scenarios as read.
    pub scenarios: Vec<ScenarioText>,
    /// What ran, in order.
    pub runs: Vec<RunPart>,
}

/// A scenario as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioText {
    /// Its file name, without its directory.
    pub file: String,
    /// The digest of its text.
    pub digest: String,
    /// Its text.
    pub text: String,
}

/// One experiment of a study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPart {
    /// Its name.
    pub name: String,
    /// The file of its scenario.
    pub file: String,
    /// What was changed in it.
    pub set: Vec<String>,
    /// The digest of each replication: equal digests mean equal runs.
    pub outcomes: Vec<String>,
}

impl StudyManifest {
    /// The manifest of a study with these choices over these experiments.
    pub fn new(
        study: &str,
        choices: Value,
        interrupted: bool,
        runs: &[(&str, &Scenario, &[String])],
    ) -> Self {
        let mut scenarios: Vec<ScenarioText> = Vec::new();
        for (_, scenario, _) in runs {
            let text = ScenarioText {
                file: file(scenario),
                digest: cells::text_digest(&scenario.text),
                text: scenario.text.clone(),
            };
            if !scenarios.contains(&text) {
                scenarios.push(text);
            }
        }
        let run = |(name, scenario, outcomes): &(&str, &Scenario, &[String])| RunPart {
            name: (*name).to_owned(),
            file: file(scenario),
            set: scenario.changes.clone(),
            outcomes: outcomes.to_vec(),
        };
        StudyManifest {
            schema: SCHEMA.to_owned(),
            version: VERSION.to_owned(),
            study: study.to_owned(),
            seed: runs.first().map_or(0, |(_, scenario, _)| scenario.plan.run.seed),
            choices,
            interrupted,
            scenarios,
            runs: runs.iter().map(run).collect(),
        }
    }

    /// Reads one; `None` if the text is no manifest of a study.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|manifest: &Self| manifest.schema == SCHEMA)
    }

    /// Writes it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write) -> Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

/// The digests of an experiment's replications.
pub fn digests(run: &Experiment) -> Vec<String> {
    run.outcomes.iter().map(|outcome| cells::digest(outcome.digest)).collect()
}

fn file(scenario: &Scenario) -> String {
    scenario.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
