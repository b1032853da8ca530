//! From what was typed to the variants of scenarios.

use std::path::{Path, PathBuf};

use super::load;
use super::terminal::Terminal;
use super::work::stem;
use crate::diagnostic::Flaw;
use crate::scenario::read;
use crate::study::compare::Variant;
use crate::study::variation::{Axis, Variation, cross};

/// Reads settings that may take several values.
pub(super) fn axes(set: &[String]) -> anyhow::Result<Vec<Axis>> {
    set.iter().map(|text| Axis::read(text).map_err(|flaw| said("--set", flaw))).collect()
}

/// Reads variants such as `faster; startup.boot=1s; startup.schedule=0s`.
pub(super) fn named(texts: &[String]) -> anyhow::Result<Vec<Variation>> {
    let one = |text: &String| {
        let mut parts = text.split(';').map(|part| part.trim().to_owned());
        let name = parts.next().unwrap_or_default();
        anyhow::ensure!(
            !name.is_empty() && !name.contains('='),
            "--variant {text:?} has no name\n  = help: write NAME;PATH=VALUE;PATH=VALUE"
        );
        Ok(Variation { name, changes: parts.filter(|part| !part.is_empty()).collect() })
    };
    texts.iter().map(one).collect()
}

/// A flaw of an argument as an error.
pub(super) fn said(argument: &str, flaw: Flaw) -> anyhow::Error {
    let help = flaw.help.map(|help| format!("\n  = help: {help}")).unwrap_or_default();
    anyhow::anyhow!("{argument}: {}{help}", flaw.title)
}

/// Every choice from the lists, one from each: the names joined, the changes after one another.
pub(super) fn products(lists: &[Vec<Variation>]) -> Vec<Variation> {
    let mut all = vec![Variation::default()];
    for list in lists.iter().filter(|list| !list.is_empty()) {
        let join = |one: &Variation| {
            let with = |next: &Variation| {
                let names = [one.name.as_str(), next.name.as_str()];
                let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
                let changes = one.changes.iter().chain(&next.changes).cloned().collect();
                Variation { name: names.join(", "), changes }
            };
            list.iter().map(with).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(join).collect();
    }
    all
}

/// The tiers as variations.
pub(super) fn tiers(tiers: &[String]) -> Vec<Variation> {
    let one = |tier: &String| Variation {
        name: tier.clone(),
        changes: vec![format!("gateway.tier={tier}")],
    };
    tiers.iter().map(one).collect()
}

/// The settings as variations, one for each choice of values.
pub(super) fn settings(axes: &[Axis]) -> Vec<Variation> {
    cross(axes)
}

/// Reads every file with every variation. `None` if any is wrong, which has then been said.
pub(super) fn load(
    files: &[PathBuf],
    variations: &[Variation],
    quiet: bool,
    terminal: Terminal,
) -> Option<Vec<Variant>> {
    let mut all = Vec::new();
    for path in files {
        for variation in variations {
            let name = name(path, files.len() > 1, variation);
            // Warnings that all variants share are said once.
            let loaded = read::load_changed(path, &variation.changes);
            let scenario = load::scenario(loaded, quiet || !all.is_empty(), terminal)?;
            all.push(Variant { name, scenario });
        }
    }
    Some(all)
}

fn name(path: &Path, several: bool, variation: &Variation) -> String {
    match (several, variation.name.is_empty()) {
        (true, true) | (false, true) => stem(path),
        (true, false) => format!("{}, {}", stem(path), variation.name),
        (false, false) => variation.name.clone(),
    }
}
