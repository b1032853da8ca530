//! `brownout run`: simulate a scenario, write its results, report.

use super::args::RunArgs;
use super::charts;
use super::exit::Exit;
use super::load;
use super::terminal::Terminal;
use super::work::{Printed, Work, text_of};
use crate::experiment::Course;
use crate::report::manifest::Manifest;
use crate::report::run::report::Report;
use crate::report::run::{files, json, text};
use crate::study::precision;

/// Runs a scenario or a manifest.
pub(super) fn run(args: &RunArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let Some(job) = load::job(args, terminal)? else { return Ok(Exit::Error) };
    let mut work = Work::begin(&args.work, ("run", &job.scenario.name), terminal)?;
    let course = Course::First { requests_every: job.requests_every };
    let experiment = work.run(|runner| match job.precision {
        Some(precision) => precision::run(runner, &job.scenario, precision, course),
        None => runner.run_all(&job.scenario.plan, course),
    })?;
    let report = Report::new(&job.scenario, &experiment, job.requests_every);
    files::write_all(&report, work.staging())?;
    work.draw(|| charts::of_report(&report))?;
    work.end(experiment.interrupted, |printed| match printed {
        Printed::Text { written, colour } => Ok(text::render(&report, Some(written), colour)),
        Printed::Verdict { colour } => Ok(text::verdict_only(&report, colour)),
        Printed::Json => Ok(text_of(|out| json::write(&report, out))?),
    })?;
    let exit = match repeats(job.manifest.as_ref(), &report, terminal) {
        true => Exit::of(&report),
        false => Exit::Error,
    };
    Ok(exit)
}

/// Whether a report repeats the manifest it comes from, if any; says so if not.
fn repeats(manifest: Option<&Manifest>, report: &Report, terminal: Terminal) -> bool {
    let Some(manifest) = manifest else { return true };
    let found = Manifest::of(report);
    let same = found.outcomes == manifest.outcomes;
    if !same {
        let reason = match (manifest.interrupted, manifest.version == found.version) {
            (true, _) => "the run it describes was stopped early",
            (_, false) => "it was written by another version",
            _ => "a file that the scenario names may have changed",
        };
        terminal.say(&format!("error: the run differs from its manifest: {reason}\n"));
    }
    same
}
