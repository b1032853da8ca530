//! From what was typed to scenarios that can be run.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use super::shards::submit::Submission;
use super::terminal::Terminal;
use crate::diagnostic::{self, Flaw, Problem, Severity, Source};
use crate::experiment::partition::Shard;
use crate::report::manifest::{Manifest, Request};
use crate::report::shards::WorkFiles;
use crate::scenario::read::{self, Loaded, SCENARIO_LIMIT};
use crate::scenario::text::file::{STANDARD_INPUT, text_from};
use crate::scenario::{Scenario, Setting};
use crate::study::cost::Prices;
use crate::study::variation::Axis;

/// A command that is carried out.
pub(in crate::cli) struct Session {
    /// Where things are said.
    pub(in crate::cli) terminal: Terminal,
    /// The command, to be recorded.
    pub(in crate::cli) request: Request,
    /// The replications that every scenario is to have, instead of its own.
    pub(in crate::cli) replications: Option<u64>,
    /// Which part of it is simulated.
    pub(in crate::cli) part: WorkPart,
    /// The manifest that it repeats, if any, and the folder from which its scenarios' paths start.
    pub(in crate::cli) repeated: Option<(Manifest, PathBuf)>,
}

/// Which part of a command is simulated.
pub(in crate::cli) enum WorkPart {
    /// All of it.
    Whole,
    /// That of a shard, which gives no results yet.
    Shard(Shard),
    /// Nothing: the job files of a scheduler are written.
    Submit(Box<Submission>),
    /// Nothing: results are put together from what shards left; what is missing is simulated if
    /// `fill` says so.
    Merge {
        /// What they left.
        files: Box<WorkFiles>,
        /// Whether to simulate what is missing.
        fill: bool,
    },
}

impl Session {
    /// Reads a scenario with changes: from its file, or from the manifest that is repeated. What is
    /// wrong with it is said of the replications that there will be.
    pub(in crate::cli) fn read(&self, path: &Path, changes: &[String]) -> Loaded {
        let mut loaded = self.read_as_it_is(path, changes);
        if let Some(count) = self.replications.filter(|_| loaded.scenario.is_some()) {
            let counted = [changes, &[format!("run.replications={count}")]].concat();
            loaded.problems = self.read_as_it_is(path, &counted).problems;
        }
        loaded
    }

    fn read_as_it_is(&self, path: &Path, changes: &[String]) -> Loaded {
        let repeated = self.repeated.as_ref().and_then(|(manifest, base)| {
            let text = manifest.scenarios.iter().find(|one| Path::new(&one.file) == path)?;
            Some(read::parse_changed(&text.file, &text.text, base, changes))
        });
        let mut loaded = repeated.unwrap_or_else(|| read_changed(path, changes));
        if let Some(scenario) = loaded.scenario_mut() {
            scenario.path = plain(&scenario.path);
        }
        loaded
    }

    /// Reads a scenario with changes and says what is wrong with it; gives it if it can be used.
    pub(in crate::cli) fn load(
        &self,
        path: &Path,
        changes: &[String],
        quiet: bool,
    ) -> Option<Scenario> {
        scenario(self.read(path, changes), quiet, self.terminal)
    }
}

/// Reads a scenario with changes, from its file or from standard input. What was read there is
/// kept, as it comes once and is read again with other settings.
pub(in crate::cli) fn read_changed(path: &Path, changes: &[String]) -> Loaded {
    static INPUT: OnceLock<Result<String, String>> = OnceLock::new();
    if path != Path::new(STANDARD_INPUT) {
        return read::load_changed(path, changes);
    }
    let text = INPUT.get_or_init(|| text_from(io::stdin().lock(), SCENARIO_LIMIT));
    read::load_text(path, text.clone(), changes)
}

/// A path as it is recorded: from the current folder if it lies there, and without detours.
fn plain(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(here).unwrap_or(path);
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// Says what is wrong with a scenario, and gives it if it can be used.
pub(in crate::cli) fn scenario(
    loaded: Loaded,
    quiet: bool,
    terminal: Terminal,
) -> Option<Scenario> {
    let said = |problem: &Problem| !quiet || problem.severity == Severity::Error;
    let problems: Vec<_> = loaded.problems.into_iter().filter(said).collect();
    say(&loaded.source, &problems, terminal);
    loaded.scenario
}

/// Says problems, shown in their source.
pub(in crate::cli) fn say(source: &Source, problems: &[Problem], terminal: Terminal) {
    terminal.say(&diagnostic::render(source, problems, terminal.says_colour()));
}

/// Puts seed and replications in place of the scenario's. A value that the scenario has already
/// changes nothing.
pub(in crate::cli) fn change(
    scenario: &mut Scenario,
    seed: Option<u64>,
    replications: Option<u64>,
) {
    let run = &mut scenario.plan.run;
    let seed = seed.filter(|seed| *seed != run.seed);
    let replications = replications.filter(|count| *count != run.replications as u64);
    run.seed = seed.unwrap_or(run.seed);
    run.replications = replications.map_or(run.replications, |count| count as usize);
    for (path, value) in [("run.seed", seed), ("run.replications", replications)] {
        let is_it = |setting: &&mut Setting| setting.path == path;
        if let (Some(setting), Some(value)) = (scenario.settings.iter_mut().find(is_it), value) {
            setting.value = value.to_string();
            setting.say_command_line();
        }
    }
}

/// Reads settings that may take several values.
pub(in crate::cli) fn axes(set: &[String]) -> anyhow::Result<Vec<Axis>> {
    set.iter().map(|text| Axis::read(text).map_err(|flaw| refused("--set", flaw))).collect()
}

/// Reads prices, if any are given.
pub(in crate::cli) fn prices(given: Option<&str>) -> anyhow::Result<Prices> {
    let read = given.map(|text| Prices::read(text).map_err(|flaw| refused("--prices", flaw)));
    Ok(read.transpose()?.unwrap_or_default())
}

/// A flaw of an argument as an error.
fn refused(argument: &str, flaw: Flaw) -> anyhow::Error {
    let help = flaw.help.map(|help| format!("\n  = help: {help}")).unwrap_or_default();
    anyhow::anyhow!("{argument}: {}{help}", flaw.title)
}

/// The name of a file without folder and extension.
pub(in crate::cli) fn stem(path: &Path) -> String {
    read::stem(path)
}
