//! `manifest.json`: what was chosen, of every command alike, and what came of it: enough to do the
//! same again, to the same bytes.

use std::fmt;
use std::io::{Result, Write};

use serde::{Deserialize, Serialize};

use super::format::cells;
use crate::engine::ENGINE;
use crate::experiment::Experiment;
use crate::scenario::Scenario;

/// The schema of the file.
pub const SCHEMA: &str = "brownout/manifest/2";
/// How the schema of every version begins.
pub const SCHEMAS: &str = "brownout/manifest/";
/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What was done, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the program that did it.
    pub version: String,
    /// [`ENGINE`] of that program.
    pub engine: u32,
    /// What was asked for.
    pub request: Request,
    /// The seed of all replications, whether from the scenario or the command line.
    pub seed: u64,
    /// Whether it was stopped; then it does not repeat to the same bytes.
    pub interrupted: bool,
    /// The scenarios as read.
    pub scenarios: Vec<ScenarioText>,
    /// What ran, in order.
    pub runs: Vec<RunRecord>,
}

/// A command with its options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The command: `run`, `compare`, `sweep`, `plan`.
    pub command: String,
    /// Its options as one would type them, `--name=value`: all that results depend on, those that
    /// have their default value too.
    pub options: Vec<String>,
}

impl Request {
    /// Whether it decides as it goes how much there is to do.
    pub fn is_adaptive(&self) -> bool {
        let decides = |option: &String| option.starts_with("--precision") || option == "--months";
        ["plan", "availability"].contains(&&*self.command) || self.options.iter().any(decides)
    }
}

/// What work is about: two of the same subject answer the same question, and the later takes the
/// place of the earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    command: String,
    options: Vec<String>,
    /// The file and the digest of the text of each scenario.
    scenarios: Vec<(String, String)>,
}

/// Options that say how well something is found out, or drawn, and not what.
const HOW: [&str; 14] = [
    "--replications",
    "--precision",
    "--at-most",
    "--seed",
    "--tolerance",
    "--no-sensitivity",
    "--prices",
    "--demand",
    "--requests-every",
    "--no-charts",
    "--name",
    "--export",
    "--export-epoch",
    "--fail-if",
];

impl Subject {
    /// Whether both are about the same: the same command on scenarios of the same text, or of the
    /// same file, which may have been edited.
    pub fn is(&self, other: &Subject) -> bool {
        let pairs = || self.scenarios.iter().zip(&other.scenarios);
        (&self.command, &self.options, self.scenarios.len())
            == (&other.command, &other.options, other.scenarios.len())
            && pairs().all(|(one, other)| one.0 == other.0 || one.1 == other.1)
    }
}

impl fmt::Display for Subject {
    /// As one would type it: `run scenarios/one.toml --set a.b=1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)?;
        self.scenarios.iter().try_for_each(|(file, _)| write!(f, " {file}"))?;
        self.options.iter().try_for_each(|option| write!(f, " {}", option.replacen('=', " ", 1)))
    }
}

/// A scenario as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioText {
    /// Its file as it was named, from the folder in which the work began if it lies there.
    pub file: String,
    /// The digest of its text.
    pub digest: String,
    /// Its text.
    pub text: String,
}

/// One experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Its name.
    pub name: String,
    /// The file of its scenario.
    pub file: String,
    /// What was changed in it.
    pub set: Vec<String>,
    /// The digest of each complete replication: equal digests mean equal runs.
    pub outcomes: Vec<String>,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not the JSON that a manifest is.
    #[error("this is no manifest")]
    Malformed(#[from] serde_json::Error),
    /// A manifest of a kind that this program does not know.
    #[error(
        "the manifest has schema {schema:?}{by}, this program reads {SCHEMA:?} (version {VERSION}, \
         engine {ENGINE})\n  = help: name the manifest.json in the results of brownout run, \
         compare, sweep or plan; those of another version of brownout only that version can do \
         again"
    )]
    Schema {
        /// Its schema.
        schema: String,
        /// Who wrote it, in brackets, as far as it says.
        by: String,
    },
    /// A scenario in it was changed by hand.
    #[error("the scenario {file:?} in the manifest does not match its digest {digest}")]
    Digest {
        /// The scenario's file.
        file: String,
        /// The digest that its text should have.
        digest: String,
    },
}

impl RunRecord {
    /// What became of a scenario; `outcomes` are the digests of its replications.
    pub fn new(name: &str, scenario: &Scenario, outcomes: Vec<String>) -> Self {
        let (name, set) = (name.to_owned(), scenario.changes.clone());
        RunRecord { name, file: file(scenario), set, outcomes }
    }

    /// The same of a scenario with other changes.
    pub fn with_changes(self, changes: &[String]) -> Self {
        RunRecord { set: changes.to_vec(), ..self }
    }
}

impl Manifest {
    /// The manifest of work on scenarios, of which there is at least one; those of the same file
    /// have the same text.
    pub fn new(
        request: Request,
        interrupted: bool,
        read: &[&Scenario],
        runs: Vec<RunRecord>,
    ) -> Self {
        let mut scenarios: Vec<ScenarioText> = Vec::new();
        for scenario in read {
            if !scenarios.iter().any(|known| known.file == file(scenario)) {
                let (digest, text) = (cells::text_digest(&scenario.text), scenario.text.clone());
                scenarios.push(ScenarioText { file: file(scenario), digest, text });
            }
        }
        Manifest {
            schema: SCHEMA.to_owned(),
            version: VERSION.to_owned(),
            engine: ENGINE,
            request,
            seed: read[0].plan.run.seed,
            interrupted,
            scenarios,
            runs,
        }
    }

    /// What it was about.
    pub fn subject(&self) -> Subject {
        let name = |option: &String| option.split('=').next().unwrap_or_default().to_owned();
        let asks = |option: &&String| !HOW.contains(&name(option).as_str());
        let options = self.request.options.iter().filter(asks).cloned().collect();
        let of = |one: &ScenarioText| (one.file.clone(), one.digest.clone());
        let command = self.request.command.clone();
        Subject { command, options, scenarios: self.scenarios.iter().map(of).collect() }
    }

    /// How many complete replications it speaks of.
    pub fn replications(&self) -> usize {
        self.runs.iter().map(|run| run.outcomes.len()).sum()
    }

    /// Reads a manifest and checks that it is whole.
    ///
    /// # Errors
    /// The text is no manifest, of another schema, or a scenario in it was changed.
    pub fn read(text: &str) -> std::result::Result<Self, ManifestError> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let schema = value["schema"].as_str().unwrap_or("").to_owned();
        if schema != SCHEMA {
            return Err(ManifestError::Schema { schema, by: writer(&value) });
        }
        let manifest: Manifest = serde_json::from_value(value)?;
        let changed = |one: &&ScenarioText| one.digest != cells::text_digest(&one.text);
        match manifest.scenarios.iter().find(changed).cloned() {
            Some(ScenarioText { file, digest, .. }) => Err(ManifestError::Digest { file, digest }),
            None => Ok(manifest),
        }
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

/// Who wrote a manifest of another schema, as far as it says: ` (version 0.1.0, engine 1)`.
fn writer(manifest: &serde_json::Value) -> String {
    let version = manifest["version"].as_str().map(|version| format!("version {version}"));
    let engine = manifest["engine"].as_u64().map(|engine| format!("engine {engine}"));
    let known: Vec<String> = version.into_iter().chain(engine).collect();
    if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
}

/// The digests of an experiment's complete replications, as they are written.
pub fn digests(run: &Experiment) -> Vec<String> {
    let complete = run.outcomes.iter().filter(|outcome| !outcome.interrupted);
    complete.map(|outcome| digest(outcome.digest)).collect()
}

/// The digest of a replication, as it is written.
pub fn digest(value: u64) -> String {
    cells::digest(value)
}

/// The file of a scenario as it was named; the same on every system.
fn file(scenario: &Scenario) -> String {
    scenario.path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::report::sample::scenario;

    fn manifest() -> Manifest {
        let options = vec!["--requests-every=100".to_owned()];
        let request = Request { command: "run".to_owned(), options };
        let (scenario, run) = (scenario(), example::experiment());
        let record = |name| RunRecord::new(name, &scenario, digests(&run));
        let runs = vec![record("one"), record("other")];
        Manifest::new(request, false, &[&scenario, &scenario], runs)
    }

    fn text() -> String {
        let mut out = Vec::new();
        manifest().write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_manifest_reads_back_what_was_done() {
        let read = Manifest::read(&text()).unwrap();
        assert_eq!(read, manifest());
        assert_eq!((read.seed, read.engine, read.scenarios.len()), (42, ENGINE, 1));
        assert_eq!(read.scenarios[0].text, scenario().text);
        assert_eq!((read.runs.len(), &*read.runs[1].file), (2, "scenarios/one-crash.toml"));
        assert_eq!(read.runs[1].outcomes.len(), 5);
    }

    #[test]
    fn a_changed_manifest_is_refused() {
        let error = |text: &str| Manifest::read(text).unwrap_err().to_string();
        assert!(error(&text().replace("carry the load", "carry a load")).contains("digest"));
        assert!(error(&text().replace("manifest/2", "manifest/9")).contains("manifest/9"));
        assert!(error("[]").contains("in the results of brownout run"));
        assert!(error("{").contains("no manifest"));
        assert!(error(&text().replace("\"options\"", "\"switches\"")).contains("no manifest"));
    }
}
