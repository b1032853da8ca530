//! `brownout run`: simulate a scenario, write its results, report.

use std::sync::Arc;

use super::args::{Format, RunArgs};
use super::exit::Exit;
use super::keep;
use super::load::{self, Job};
use super::progress::{self, Show};
use super::terminal::Terminal;
use super::{charts, interrupt};
use crate::experiment::{Course, Experiment, Runner, Watch};
use crate::report::checkpoint::Checkpoint;
use crate::report::files::{self, Staging};
use crate::report::manifest::Manifest;
use crate::report::text::{self, Written};
use crate::report::{Report, json};
use crate::study::precision;

/// Runs a scenario or a manifest.
pub(super) fn run(args: &RunArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let Some(job) = load::job(args, terminal)? else { return Ok(Exit::Error) };
    let directory = args.output.join(&job.scenario.name);
    let mut staging = Staging::prepare(&directory)?;
    let checkpoint = Checkpoint::open(&directory, args.resume)?;
    let experiment = simulate(args, &job, (&staging, &checkpoint), terminal)?;
    let report = Report::new(&job.scenario, &experiment, job.requests_every);
    files::write_all(&report, &mut staging)?;
    if !args.no_charts {
        for (name, content) in charts::charts(&report)? {
            staging.add(&name, |out| out.write_all(&content))?;
        }
    }
    let names = staging.publish()?;
    keep::end(checkpoint, experiment.interrupted, args.quiet, terminal)?;
    let written = Written { directory: &directory, names: &names };
    terminal.print(&output(args, &report, written, terminal)?)?;
    let exit = match repeats(job.manifest.as_ref(), &report, terminal) {
        true => Exit::of(&report),
        false => Exit::Error,
    };
    Ok(exit)
}

fn simulate(
    args: &RunArgs,
    job: &Job,
    (staging, checkpoint): (&Staging, &Checkpoint),
    terminal: Terminal,
) -> anyhow::Result<Experiment> {
    let plan = &job.scenario.plan;
    let watch = Arc::new(Watch::default());
    interrupt::listen(&watch, staging.place(), terminal);
    let runner = Runner::new(args.jobs.map(usize::from), &watch, checkpoint)?;
    let course = Course::First { requests_every: job.requests_every };
    let show = Show::new(args.progress, args.quiet, terminal);
    let work = || match job.precision {
        Some(precision) => precision::run(&runner, &job.scenario, precision, course),
        None => runner.run_all(plan, course),
    };
    Ok(progress::during(show, &watch, terminal, work))
}

/// What goes to standard output.
fn output(
    args: &RunArgs,
    report: &Report,
    written: Written,
    terminal: Terminal,
) -> anyhow::Result<String> {
    let colour = terminal.prints_colour();
    Ok(match (args.format, args.quiet) {
        (Format::Json, _) => {
            let mut out = Vec::new();
            json::write(report, &mut out)?;
            String::from_utf8(out)?
        }
        (Format::Text, true) => text::verdict_only(report, colour),
        (Format::Text, false) => text::render(report, Some(written), colour),
    })
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
