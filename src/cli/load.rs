//! From what was typed to a scenario that can be run.

use std::path::Path;

use anyhow::Context;

use super::args::RunArgs;
use super::terminal::Terminal;
use crate::diagnostic;
use crate::report::manifest::{Manifest, VERSION};
use crate::scenario::{Scenario, read};
use crate::study::precision::Precision;

/// What is to be run.
pub(super) struct Job {
    /// The scenario, with what the command line changes in it.
    pub(super) scenario: Scenario,
    /// Keep every so-manyth request.
    pub(super) requests_every: Option<u64>,
    /// Go on until the figures are so precise; `None` = the scenario's number of replications.
    pub(super) precision: Option<Precision>,
    /// What it has to repeat, if it comes from a manifest.
    pub(super) manifest: Option<Manifest>,
}

/// Reads what `args` ask for; `None` if the scenario is wrong, which has then been said.
pub(super) fn job(args: &RunArgs, terminal: Terminal) -> anyhow::Result<Option<Job>> {
    match (&args.from_manifest, &args.file) {
        (Some(path), _) => from_manifest(path, &args.base, args.work.quiet, terminal),
        (None, Some(path)) => {
            let loaded = scenario(read::load_changed(path, &args.set), args.work.quiet, terminal);
            Ok(loaded.map(|mut scenario| {
                change(&mut scenario, args.work.seed, args.count.replications);
                let precision = args.count.precision();
                Job { scenario, requests_every: args.requests_every, precision, manifest: None }
            }))
        }
        (None, None) => anyhow::bail!("name a scenario, or a manifest with --from-manifest"),
    }
}

fn from_manifest(
    path: &Path,
    base: &Path,
    quiet: bool,
    terminal: Terminal,
) -> anyhow::Result<Option<Job>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let manifest = Manifest::read(&text).with_context(|| shown.to_string())?;
    if manifest.version != VERSION && !quiet {
        let version = &manifest.version;
        terminal.say(&format!("warning: {shown} was written by version {version}\n"));
    }
    let Manifest { scenario_file, scenario: text, set, .. } = &manifest;
    let loaded = read::parse_changed(scenario_file, text, base, set);
    Ok(scenario(loaded, quiet, terminal).map(|mut scenario| {
        change(&mut scenario, Some(manifest.seed), Some(manifest.replications as u64));
        let precision = manifest.precision;
        let precision = precision.map(|p| Precision { relative: p.relative, most: p.most });
        let requests_every = manifest.requests_every;
        Job { scenario, requests_every, precision, manifest: Some(manifest) }
    }))
}

/// Says what is wrong with a scenario, and gives it if it can be used.
pub(super) fn scenario(loaded: read::Loaded, quiet: bool, terminal: Terminal) -> Option<Scenario> {
    let problems: Vec<_> = loaded
        .problems
        .into_iter()
        .filter(|problem| !quiet || problem.severity == diagnostic::Severity::Error)
        .collect();
    terminal.say(&diagnostic::render(&loaded.source, &problems, terminal.says_colour()));
    loaded.scenario
}

/// Puts seed and replications in place of the scenario's. A value that the scenario has already
/// changes nothing, so a manifest leads to the same files as the command line it stands for.
fn change(scenario: &mut Scenario, seed: Option<u64>, replications: Option<u64>) {
    let run = &mut scenario.plan.run;
    let seed = seed.filter(|seed| *seed != run.seed);
    let replications = replications.filter(|count| *count != run.replications as u64);
    run.seed = seed.unwrap_or(run.seed);
    run.replications = replications.map_or(run.replications, |count| count as usize);
    let settings = [("run.seed", seed), ("run.replications", replications)];
    for (path, value) in settings {
        let setting = scenario.settings.iter_mut().find(|setting| setting.path == path);
        if let (Some(setting), Some(value)) = (setting, value) {
            setting.value = value.to_string();
            setting.say_command_line();
        }
    }
}
