//! Carrying out a command: as it was typed, or as a manifest has it.
//!
//! A manifest holds the options as one would type them, so that running it again is reading them
//! once more, with the texts of the manifest for the scenarios.

use std::fs;

use anyhow::Context;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser};

use super::args::{Args, Command, MergeArgs, RerunArgs, SubmitArgs, WorkArgs};
use super::exit::Exit;
use super::load::{Session, WorkPart};
use super::shards::scheduler;
use super::shards::submit::Submission;
use super::simulate::{availability, compare, plan, run, sweep};
use super::terminal::Terminal;
use crate::engine::ENGINE;
use crate::report::files::staging::MARK;
use crate::report::manifest::{Manifest, Request};
use crate::report::shards::WorkFiles;

/// Does what was typed.
pub(super) fn perform(
    command: &Command,
    matches: &ArgMatches,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let (name, matches) = matches.subcommand().context("no command")?;
    let request = Request { command: name.to_owned(), options: options(name, matches) };
    let replications = command.replications();
    let part = part(command.work())?;
    dispatch(command, &mut Session { terminal, request, replications, part, repeated: None })
}

/// Does again what a manifest says.
pub(super) fn rerun(args: &RerunArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let path = match args.manifest.is_dir() {
        true => args.manifest.join(MARK),
        false => args.manifest.clone(),
    };
    let shown = path.display();
    let text = fs::read_to_string(&path).map_err(|why| {
        let help = "name the folder of results that a command wrote, or its manifest.json";
        anyhow::anyhow!("cannot read {shown}: {why}\n  = help: {help}")
    })?;
    let manifest = Manifest::read(&text).with_context(|| shown.to_string())?;
    if manifest.engine != ENGINE && !args.work.quiet {
        let Manifest { engine, version, .. } = &manifest;
        terminal.say(&format!(
            "warning: {shown} was written by version {version} with engine {engine}, this is \
             engine {ENGINE}: results may differ\n"
        ));
    }
    let command = recorded(&manifest, &args.work, &shown.to_string())?;
    let (request, replications) = (manifest.request.clone(), command.replications());
    let part = part(Some(&args.work))?;
    let repeated = Some((manifest, args.base.clone()));
    dispatch(&command, &mut Session { terminal, request, replications, part, repeated })
}

/// Puts together what shards left of a command.
pub(super) fn merge(args: &MergeArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let files = WorkFiles::open(&args.parts)?;
    for note in files.notes().iter().filter(|_| !args.work.quiet) {
        terminal.say(&format!("warning: {note}\n"));
    }
    anyhow::ensure!(args.work.shard.is_none(), "shards are merged as a whole, without --shard");
    let study = files.head().study.clone();
    let command = recorded(&study, &args.work, "the study of these files")?;
    let (request, replications) = (study.request.clone(), command.replications());
    let part = WorkPart::Merge { files: Box::new(files), fill: args.fill };
    let repeated = Some((study, args.base.clone()));
    dispatch(&command, &mut Session { terminal, request, replications, part, repeated })
}

/// Writes the job files of a scheduler for the command that was typed after it, once all that the
/// command would refuse has been looked at.
pub(super) fn submit(args: &SubmitArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let typed = std::iter::once("brownout").chain(args.study.iter().map(String::as_str));
    let matches = match Args::command().try_get_matches_from(typed) {
        Ok(matches) => matches,
        // Help, or the version.
        Err(asked) if !asked.use_stderr() => {
            terminal.print(&asked.render().to_string())?;
            return Ok(Exit::Met);
        }
        Err(error) => return Err(mistyped(&error)),
    };
    let mut command = Args::from_arg_matches(&matches).map_err(|error| mistyped(&error))?.command;
    let can_be = command.work().is_some_and(|work| work.shard.is_none());
    anyhow::ensure!(
        can_be,
        "run, compare, sweep and plan can be submitted, without --shard\n  = help: write the \
         command after --, such as -- sweep scenarios/steady.toml --set traffic.rate=100/s,200/s"
    );
    let (name, matches) = matches.subcommand().context("no command")?;
    let request = Request { command: name.to_owned(), options: options(name, matches) };
    let work = command.work_mut().context("no results")?;
    let submission = Submission::new(args, matches, work)?;
    submission.limit(work);
    let replications = command.replications();
    let part = WorkPart::Submit(Box::new(submission));
    let mut session = Session { terminal, request, replications, part, repeated: None };
    let written = dispatch(&command, &mut session)?;
    match &session.part {
        WorkPart::Submit(submission) if written == Exit::Met => submission.run(terminal),
        _ => Ok(written),
    }
}

/// What is wrong with the command that is to be submitted.
fn mistyped(error: &clap::Error) -> anyhow::Error {
    let said = error.render().to_string();
    anyhow::anyhow!("the command after --: {}", said.strip_prefix("error: ").unwrap_or(&said))
}

/// Which part of a command is to be simulated.
fn part(work: Option<&WorkArgs>) -> anyhow::Result<WorkPart> {
    let Some(asked) = work.and_then(|work| work.shard) else { return Ok(WorkPart::Whole) };
    let variable = |name: &str| std::env::var(name).ok();
    Ok(WorkPart::Shard(scheduler::shard(asked, &variable)?))
}

/// The command of a manifest, which is shown as `shown`, with work done as is asked for now.
fn recorded(manifest: &Manifest, work: &WorkArgs, shown: &str) -> anyhow::Result<Command> {
    let parsed = Args::try_parse_from(words(manifest));
    let parsed = parsed.map_err(|error| anyhow::anyhow!("{}", error.render()));
    let mut command = parsed.with_context(|| format!("{shown} cannot be run again"))?.command;
    let own = command.work_mut();
    *own.with_context(|| format!("{shown} names no command that has results"))? = work.clone();
    Ok(command)
}

fn dispatch(command: &Command, session: &mut Session) -> anyhow::Result<Exit> {
    match command {
        Command::Run(args) => run::run(args, session),
        Command::Compare(args) => compare::compare(args, session),
        Command::Plan(args) => plan::plan(args, session),
        Command::Sweep(args) => sweep::sweep(args, session),
        Command::Availability(args) => availability::availability(args, session),
        _ => unreachable!("no other is recorded"),
    }
}

/// The options that results depend on, each as `--name=value`, those by default too.
fn options(command: &str, matches: &ArgMatches) -> Vec<String> {
    let work = <WorkArgs as clap::Args>::augment_args(clap::Command::new("work"));
    let all = Args::command();
    let typed = all.find_subcommand(command).expect("it was typed").get_arguments();
    let recorded = typed.filter(|one| work.get_arguments().all(|w| w.get_id() != one.get_id()));
    let mut options = Vec::new();
    for (one, name) in recorded.filter_map(|one| Some((one, one.get_long()?))) {
        match one.get_action() {
            ArgAction::SetTrue if matches.get_flag(one.get_id().as_str()) => {
                options.push(format!("--{name}"));
            }
            ArgAction::SetTrue => {}
            _ => {
                let values = matches.get_raw(one.get_id().as_str()).into_iter().flatten();
                let written =
                    |value| format!("--{name}={}", std::ffi::OsStr::to_string_lossy(value));
                options.extend(values.map(written));
            }
        }
    }
    options
}

/// What one would type to do what a manifest says.
fn words(manifest: &Manifest) -> Vec<String> {
    let Request { command, options } = &manifest.request;
    let mut words = vec!["brownout".to_owned(), command.clone()];
    words.extend(options.iter().cloned());
    // Whatever the files are called, they are no options.
    words.push("--".to_owned());
    words.extend(manifest.scenarios.iter().map(|scenario| scenario.file.clone()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(typed: &str) -> Vec<String> {
        let matches = Args::command().get_matches_from(typed.split(' '));
        let (name, matches) = matches.subcommand().unwrap();
        options(name, matches)
    }

    #[test]
    fn what_results_depend_on_is_recorded_and_how_work_is_done_is_not() {
        let typed = "brownout --color never run a.toml -n 3 --set a.b=1 --set a.c=2 -s 7 -j 2 -q";
        assert_eq!(recorded(typed), ["--replications=3", "--set=a.b=1", "--set=a.c=2", "--seed=7"]);
        let typed = "brownout plan a.toml --no-sensitivity --output x --format json --resume";
        let defaults = ["--judged=10m", "--peak-ratio=2", "--replications=10", "--tolerance=1%"];
        let defaults = [&["--requests=200M"], &defaults[..]].concat();
        assert_eq!(recorded(typed), [&defaults[..], &["--no-sensitivity"]].concat());
    }

    #[test]
    fn what_is_recorded_reads_back_as_itself() {
        let typed = "brownout compare a.toml b.toml --variant=-x;a.b=1 --tier=large --no-charts";
        let options = recorded(typed);
        let again = [&["brownout", "compare"][..], &["--", "a.toml", "b.toml"]].concat();
        let mut words: Vec<String> = again.iter().map(|&word| word.to_owned()).collect();
        words.splice(2..2, options.iter().cloned());
        let matches = Args::command().get_matches_from(words);
        assert_eq!(super::options("compare", matches.subcommand().unwrap().1), options);
    }
}
