//! `brownout run`: simulate a scenario, write its results, report.

use std::ops::ControlFlow;

use super::args::RunArgs;
use super::exit::Exit;
use super::load::{self, Session};
use super::work::{Output, Work, memory};
use crate::experiment::Retention;
use crate::report::export::write_run;
use crate::report::manifest::{RunRecord, digests};
use crate::report::run::report::Report;
use crate::report::run::{charts, files, json, text};
use crate::study::precision;

/// Runs a scenario.
pub(super) fn run(args: &RunArgs, session: &Session) -> anyhow::Result<Exit> {
    let loaded = session.load(&args.file, &args.set, args.common.work.quiet);
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
        text: text::render,
        verdict: text::verdict_only,
        json: ("summary.json", json::write),
    };
    let interrupted = experiment.interrupted;
    Ok(match work.end(&report, output, interrupted, &[&scenario], vec![record])? {
        true => Exit::Interrupted,
        false => Exit::of(&report),
    })
}
