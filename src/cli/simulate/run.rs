//! `brownout run`: simulate a scenario, write its results, report.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::cli::args::RunArgs;
use crate::cli::exit::Exit;
use crate::cli::load::{self, Session, stem};
use crate::cli::work::{Output, Work, memory};
use crate::experiment::Retention;
use crate::report::export::write_run;
use crate::report::html;
use crate::report::manifest::{RunRecord, digests};
use crate::report::markdown;
use crate::report::run::report::Report;
use crate::report::run::{charts, files, json, text};
use crate::report::screen;
use crate::study::precision;

/// Runs scenarios one after the other, until one is stopped; ends as the worst of them.
pub(in crate::cli) fn run(args: &RunArgs, session: &Session) -> anyhow::Result<Exit> {
    let files = &args.files;
    let only_one = |option: &str| {
        anyhow::anyhow!("{option} is for one scenario, and there are {}", files.len())
    };
    if files.len() > 1 {
        anyhow::ensure!(args.common.name.is_none(), only_one("--name"));
        anyhow::ensure!(args.common.work.shard.is_none(), only_one("--shard"));
        apart(files)?;
    }
    let mut worst = Exit::Met;
    for (index, file) in files.iter().enumerate() {
        if index > 0 && !args.common.work.quiet {
            session.terminal.print("\n")?;
        }
        worst = worst.worse(run_one(file, args, session)?);
        if worst == Exit::Interrupted {
            break;
        }
    }
    Ok(worst)
}

/// Refuses scenarios whose results would take the same folder.
fn apart(files: &[PathBuf]) -> anyhow::Result<()> {
    for (index, file) in files.iter().enumerate() {
        let same = files[..index].iter().find(|other| stem(other) == stem(file));
        if let Some(other) = same {
            anyhow::bail!(
                "the results of {} and {} would take the same folder\n  = help: run them one by \
                 one with --name or --output; compare sets them side by side",
                other.display(),
                file.display()
            );
        }
    }
    Ok(())
}

/// Runs a scenario.
fn run_one(file: &Path, args: &RunArgs, session: &Session) -> anyhow::Result<Exit> {
    let loaded = session.load(file, &args.set, args.common.work.quiet);
    let Some(mut scenario) = loaded else { return Ok(Exit::Error) };
    load::change(&mut scenario, args.common.seed, args.count.replications);
    let together = args.count.precision().map_or(scenario.plan.run.replications, |one| one.most);
    memory::afford(&args.common.work, &[&scenario], together)?;
    let work = Work::begin(&args.common, (&scenario.name, None), &[&scenario], session)?;
    let retention = Retention::Told { requests_every: args.requests_every };
    let done = work.run(|runner| {
        let mut run = match args.count.precision() {
            Some(precision) => precision::run(runner, &scenario, precision, retention),
            None => runner.run_all(&scenario.plan, retention),
        };
        runner.tell_typical(&scenario.plan, &mut run, args.requests_every);
        run
    })?;
    let experiment = match done {
        ControlFlow::Continue(experiment) => experiment,
        ControlFlow::Break(exit) => return Ok(exit),
    };
    let report = Report::new(&scenario, &experiment, args.requests_every);
    let record = RunRecord::new(&scenario.name, &scenario, digests(&experiment));
    let exports = args.export.exports();
    let output = Output {
        tables: files::write_tables,
        exports: Box::new(|report, staging| write_run(report, &exports, staging)),
        charts: charts::charts,
        html: html::run,
        text: text::render,
        markdown: markdown::run::render,
        screen: screen::run::screen,
        verdict: text::verdict_only,
        json: ("summary.json", json::write),
    };
    let interrupted = experiment.interrupted;
    Ok(match work.end(&report, output, interrupted, &[&scenario], vec![record])? {
        true => Exit::Interrupted,
        false => Exit::of(&report),
    })
}
