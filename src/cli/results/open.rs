//! Results of `run` that are looked at again: a folder with its manifest and its summary.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use crate::cli::load;
use crate::cli::terminal::Terminal;
use crate::engine::ENGINE;
use crate::report::files::staging::MARK;
use crate::report::manifest::Manifest;
use crate::scenario::Scenario;
use crate::scenario::read::parse_changed;

/// What a folder of results of `run` holds.
pub(super) struct OpenedResult {
    /// The scenario as it was run.
    pub(super) scenario: Scenario,
    /// summary.json.
    pub(super) summary: Value,
}

/// Opens a folder of results, or the manifest in it; `base` = the folder from which the paths in
/// the scenario start.
pub(super) fn open(path: &Path, base: &Path, terminal: Terminal) -> anyhow::Result<OpenedResult> {
    let folder: PathBuf = match path.file_name().is_some_and(|name| name == MARK) {
        true => path.parent().unwrap_or(Path::new("")).to_owned(),
        false => path.to_owned(),
    };
    let read = |name: &str| {
        let file = folder.join(name);
        let text = fs::read_to_string(&file);
        text.with_context(|| format!("cannot read {}", file.display())).with_context(|| {
            format!("{} holds no results of run: name a folder that run wrote", path.display())
        })
    };
    let shown = folder.display().to_string();
    let manifest = Manifest::read(&read(MARK)?).with_context(|| shown.clone())?;
    let (command, engine) = (&manifest.request.command, manifest.engine);
    anyhow::ensure!(
        command == "run",
        "{shown} holds results of {command}, and only those of run can be looked at so"
    );
    anyhow::ensure!(
        engine == ENGINE,
        "{shown} was written with engine {engine}, this is engine {ENGINE}\n  = help: run the \
         scenario again"
    );
    let summary: Value = serde_json::from_str(&read("summary.json")?)?;
    let (run, text) = manifest
        .runs
        .first()
        .zip(manifest.scenarios.first())
        .with_context(|| format!("{shown} has no run"))?;
    let loaded = parse_changed(&text.file, &text.text, base, &run.set);
    let scenario = load::scenario(loaded, true, terminal);
    let mut scenario = scenario.with_context(|| format!("{shown}: its scenario is wrong"))?;
    load::change(&mut scenario, Some(manifest.seed), None);
    Ok(OpenedResult { scenario, summary })
}
