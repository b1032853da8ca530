//! `brownout compare`: variants of a scenario side by side.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::availability::expect_random_faults;
use crate::cli::args::CompareArgs;
use crate::cli::exit::Exit;
use crate::cli::gate;
use crate::cli::load::{self, Session, stem};
use crate::cli::work::warnings::Warnings;
use crate::cli::work::{Output, Work, memory};
use crate::report::availability::report::AvailabilityReport;
use crate::report::compare::report::CompareReport;
use crate::report::compare::{charts, files, text};
use crate::report::export::write_comparison;
use crate::report::html;
use crate::report::manifest::{RunRecord, digests};
use crate::report::markdown;
use crate::report::screen;
use crate::study::compare::{self, Variant};
use crate::study::variation::{Variation, cross, products};

/// Compares what `args` name.
pub(in crate::cli) fn compare(args: &CompareArgs, session: &mut Session) -> anyhow::Result<Exit> {
    let prices = load::prices(args.prices.as_deref())?;
    let variations = variations(args)?;
    let loaded = variants(&args.files, &variations, args.common.work.quiet, session);
    let Some(mut all) = loaded else { return Ok(Exit::Error) };
    anyhow::ensure!(
        all.len() > 1,
        "there is nothing to compare with\n  = help: name a second scenario, or make variants with \
         --tier, --variant, or --set PATH=VALUE,VALUE"
    );
    compare::align(&mut all, args.common.seed, args.replications.map(|count| count as usize));
    distinct(&all)?;
    let name = format!("compare-{}", stem(&args.files[0]));
    let scenarios: Vec<_> = all.iter().map(|variant| &variant.scenario).collect();
    gate::expect(&args.fail.fail_if, &scenarios)?;
    memory::afford(&args.common.work, &scenarios, scenarios[0].plan.run.replications)?;
    let wanted = months(args, &all, session)?;
    let work = Work::begin(&args.common, (&name, None), &scenarios, session)?;
    let done = work.run(|runner| {
        let runs = compare::run(runner, &all);
        (runs, compare::months(runner, &all, &wanted, args.requests as f64))
    })?;
    let (runs, studies) = match done {
        ControlFlow::Continue(done) => done,
        ControlFlow::Break(exit) => return Ok(exit),
    };
    let months = all.iter().zip(&studies).map(|(variant, study)| {
        study.as_ref().map(|study| AvailabilityReport::demanded(&variant.scenario, study))
    });
    let months = months.map(Option::transpose).collect::<anyhow::Result<Vec<_>>>()?;
    let report = CompareReport::new(&all, &runs, &prices, months);
    let report = report.with_conditions(&args.fail.fail_if);
    let record = |((of, run), months): ((&Variant, _), &Option<AvailabilityReport>)| {
        let mut outcomes = digests(run);
        outcomes.extend(months.iter().map(AvailabilityReport::digest));
        RunRecord::new(&of.name, &of.scenario, outcomes)
    };
    let records = all.iter().zip(&runs).zip(&report.months).map(record).collect();
    let exports = args.export.exports();
    let output = Output {
        tables: files::write_tables,
        exports: Box::new(|report, staging| write_comparison(report, &exports, staging)),
        charts: charts::charts,
        html: html::compare,
        text: text::render,
        markdown: markdown::compare::render,
        screen: screen::studies::compare,
        verdict: text::verdicts_only,
        json: ("comparison.json", files::write_json),
    };
    let lacks = |(wanted, study): (&bool, &Option<_>)| *wanted && study.is_none();
    let interrupted = report.is_interrupted() || wanted.iter().zip(&studies).any(lacks);
    let interrupted = work.end(&report, output, interrupted, &scenarios, records)?;
    Ok(gate::end(&report.fails, interrupted, &args.common.work, session.terminal))
}

/// Of which variants months are worked out. Where an objective asks for that it is recorded as if
/// it had been typed: shards of such a comparison go by rounds.
fn months(args: &CompareArgs, all: &[Variant], session: &mut Session) -> anyhow::Result<Vec<bool>> {
    let asked = all.iter().any(|variant| !variant.scenario.budgets.is_empty());
    if !args.months && !asked {
        return Ok(vec![false; all.len()]);
    }
    let can_be = |variant: &Variant| expect_random_faults(&variant.scenario.plan);
    let found: Vec<anyhow::Result<()>> = all.iter().map(can_be).collect();
    let wanted: Vec<bool> = found.iter().map(Result::is_ok).collect();
    if !wanted.contains(&true) && !args.months {
        return Ok(wanted);
    }
    for (variant, why) in all.iter().zip(found) {
        let Err(why) = why else { continue };
        anyhow::ensure!(wanted.contains(&true), "no variant has months: {}: {why}", variant.name);
        if !args.common.work.quiet {
            let why = why.to_string();
            let why = why.lines().next().unwrap_or_default();
            session.terminal.say(&format!("note: {} has no months: {why}\n", variant.name));
        }
    }
    let options = &mut session.request.options;
    if !options.iter().any(|option| option == MONTHS) {
        options.insert(0, MONTHS.to_owned());
    }
    Ok(wanted)
}

/// The scenario without changes, beside one with some.
const AS_IT_IS: &str = "as it is";

/// The option that asks for months, the first that is recorded.
const MONTHS: &str = "--months";

/// What sets the variants apart: tiers, named variants and settings, in every combination.
fn variations(args: &CompareArgs) -> anyhow::Result<Vec<Variation>> {
    let tier = |tier: &String| Variation {
        name: tier.clone(),
        changes: vec![format!("gateway.tier={tier}")],
    };
    let tiers = args.tier.iter().map(tier).collect();
    let mut all = products(&[tiers, named(&args.variant)?, cross(&load::axes(&args.set)?)]);
    // One change by itself is compared with the scenario without it.
    if let ([_], [one]) = (&args.files[..], &all[..])
        && !one.changes.is_empty()
    {
        all.insert(0, Variation { name: AS_IT_IS.to_owned(), changes: Vec::new() });
    }
    Ok(all)
}

/// Refuses variants of the same name, or that are the same.
fn distinct(all: &[Variant]) -> anyhow::Result<()> {
    for (index, one) in all.iter().enumerate() {
        for other in &all[..index] {
            anyhow::ensure!(one.name != other.name, "two variants are called {:?}", one.name);
            anyhow::ensure!(
                one.scenario.plan != other.scenario.plan,
                "the variants {:?} and {:?} are the same: what sets them apart has no effect",
                other.name,
                one.name
            );
        }
    }
    Ok(())
}

/// Reads variants such as `faster; startup.boot=1s; startup.schedule=0s`.
fn named(texts: &[String]) -> anyhow::Result<Vec<Variation>> {
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

/// Reads every file with every variation. `None` if any is wrong, which has then been said.
fn variants(
    files: &[PathBuf],
    variations: &[Variation],
    quiet: bool,
    session: &Session,
) -> Option<Vec<Variant>> {
    let (mut all, mut warnings) = (Vec::new(), Warnings::default());
    let names = told_apart(files);
    for (which, path) in files.iter().enumerate() {
        for variation in variations {
            let name = name(&names[which], files.len() > 1, variation);
            let mut loaded = session.read(path, &variation.changes);
            if !variation.name.is_empty() {
                loaded.source.reading = format!("with {}", variation.name);
            }
            let scenario = warnings.usable(loaded, session.terminal)?;
            all.push(Variant { name, scenario });
        }
    }
    if !quiet {
        warnings.say("variants", session.terminal);
    }
    Some(all)
}

/// What tells files apart: their names, with as many of their folders as that takes.
fn told_apart(files: &[PathBuf]) -> Vec<String> {
    let with_folders = |path: &PathBuf, folders: usize| {
        let parts: Vec<_> = path.parent().into_iter().flat_map(Path::components).collect();
        let kept = &parts[parts.len().saturating_sub(folders)..];
        let folder: PathBuf = kept.iter().collect();
        folder.join(stem(path)).display().to_string()
    };
    let name = |path: &PathBuf| {
        let longest = path.components().count();
        let is_own = |folders: &usize| {
            let own = with_folders(path, *folders);
            files.iter().filter(|other| with_folders(other, *folders) == own).count() == 1
        };
        with_folders(path, (0..longest).find(is_own).unwrap_or(longest))
    };
    files.iter().map(name).collect()
}

fn name(file: &str, several: bool, variation: &Variation) -> String {
    match (several, variation.name.is_empty()) {
        (true, true) | (false, true) => file.to_owned(),
        (true, false) => format!("{file}, {}", variation.name),
        (false, false) => variation.name.clone(),
    }
}
