//! What all commands that simulate have in common: a place for results, threads, progress, a way to
//! stop, a manifest, an end.
//!
//! [`Work`] begins with a folder for the results beside its place, a checkpoint from which earlier
//! work goes on, and Ctrl-C; a command does its simulating within it, writes its files and charts
//! into the folder, and ends it, whereupon the folder moves to its place and the exit code follows.
//! `progress.rs` shows meanwhile, on standard error, how far the work is; `memory.rs` refuses what
//! there is no room for.
//!
//! It owns the order of these steps, so that no command forgets one; it may ask for what was typed
//! (`args`, `load`) and for the terminal, and knows no command. Begin with [`Work`].

pub(in crate::cli) mod memory;
mod progress;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::cli::args::{CommonArgs, Format, WorkArgs};
use crate::cli::exit::Exit;
use crate::cli::load::Session;
use crate::cli::terminal::Terminal;
use crate::experiment::{Progress, Runner, store};
use crate::plot::theme::Theme;
use crate::plot::{Figure, png, svg};
use crate::report::checkpoint::Checkpoint;
use crate::report::files::lock::FolderLock;
use crate::report::files::staging::{FilesError, MARK, Staging};
use crate::report::format::page::Written;
use crate::report::manifest::{Manifest, RunRecord};
use crate::scenario::Scenario;
use progress::Show;

/// Work in progress.
pub(in crate::cli) struct Work<'a> {
    args: &'a WorkArgs,
    draws: bool,
    session: &'a Session,
    staging: Staging,
    checkpoint: Checkpoint,
    progress: Arc<Progress>,
    /// Nobody else writes there until the rest is done.
    lock: FolderLock,
}

impl<'a> Work<'a> {
    /// Prepares the folder for the results of a command on scenarios; `name` = what it is called if
    /// nobody says.
    pub(in crate::cli) fn begin(
        args: &'a CommonArgs,
        name: &str,
        scenarios: &[&Scenario],
        session: &'a Session,
    ) -> anyhow::Result<Work<'a>> {
        let CommonArgs { work: args, no_charts, name: given, .. } = args;
        let directory = args.output.join(given.as_deref().unwrap_or(name));
        let request = session.request.clone();
        let subject = Manifest::new(request, false, scenarios, Vec::new()).subject();
        let words = subject.to_string();
        let lock = FolderLock::take(&directory, &words)?;
        let staging = Staging::prepare(&directory, &subject, args.force)?;
        let plans = store::digest_all(scenarios.iter().map(|scenario| &scenario.plan));
        let checkpoint = Checkpoint::open(&directory, (&words, plans), args.resume)?;
        for note in checkpoint.notes().iter().filter(|_| !args.quiet) {
            session.terminal.say(&format!("warning: {note}\n"));
        }
        let progress = Arc::new(Progress::with_room(args.memory.0));
        listen(&progress, staging.place(), lock.path(), session.terminal);
        let draws = !no_charts;
        Ok(Work { args, draws, session, staging, checkpoint, progress, lock })
    }

    /// Does the work proper, with progress.
    pub(in crate::cli) fn run<T>(&self, work: impl FnOnce(&Runner<'_>) -> T) -> anyhow::Result<T> {
        let jobs = self.args.jobs.map(usize::from);
        let runner = Runner::new(jobs, &self.progress, &self.checkpoint)?;
        let terminal = self.session.terminal;
        let show = Show::new(self.args.progress, self.args.quiet, terminal);
        Ok(progress::during(show, &self.progress, terminal, || work(&runner)))
    }

    /// Writes and draws a report, puts the results in their place with a manifest of what ran, of
    /// which scenarios, and prints what was asked for. Says whether it was stopped, be it in the
    /// course of this.
    ///
    /// # Errors
    /// The results are not those of the manifest that is repeated, though they are written.
    pub(in crate::cli) fn end<R>(
        self,
        report: &R,
        output: Output<R>,
        mut interrupted: bool,
        scenarios: &[&Scenario],
        runs: Vec<RunRecord>,
    ) -> anyhow::Result<bool> {
        let Work { args, draws, session, mut staging, checkpoint, progress, lock } = self;
        let (name, json) = output.json;
        let text = (output.text)(report, None, false);
        staging.add("report.txt", |out| out.write_all(text.as_bytes()))?;
        staging.add(name, |out| json(report, out))?;
        (output.tables)(report, &mut staging)?;
        // Whoever stops it does not wait for charts.
        interrupted |= progress.is_cancelled();
        if draws && !interrupted {
            let charts = (output.charts)(report);
            draw(charts, &mut staging, &progress)?;
            interrupted |= progress.is_cancelled();
        }
        let manifest = Manifest::new(session.request.clone(), interrupted, scenarios, runs);
        staging.add(MARK, |out| manifest.write(out))?;
        let published = match interrupted {
            true => staging.publish_partial(&manifest)?,
            false => staging.publish(&manifest)?,
        };
        let written = Written { directory: &published.directory, names: &published.names };
        let written = Some(written).filter(|_| !published.is_fuller);
        let colour = session.terminal.prints_colour();
        let mut out = Vec::new();
        match (args.format, args.quiet) {
            (Format::Json, _) => json(report, &mut out)?,
            (Format::Text, true) => out.extend((output.verdict)(report, colour).into_bytes()),
            (Format::Text, false) => {
                out.extend((output.text)(report, written, colour).into_bytes());
            }
        }
        session.terminal.print(&String::from_utf8(out)?)?;
        if published.is_fuller && !args.quiet {
            let place = published.directory.display();
            session.terminal.say(&format!("{place} stays: it has more replications than this\n"));
        }
        close(checkpoint, interrupted, args.quiet, session.terminal)?;
        drop(lock);
        if let Some(overflow) = progress.overflowed() {
            anyhow::bail!(memory::exceeded(&overflow, &progress.stage(), args.memory));
        }
        match &session.repeated {
            Some((old, _)) if !interrupted => repeats(old, &manifest)?,
            _ => {}
        }
        Ok(interrupted)
    }
}

/// Refuses results that are not those of the manifest that was repeated.
fn repeats(old: &Manifest, new: &Manifest) -> anyhow::Result<()> {
    let reason = match (old.interrupted, old.engine == new.engine) {
        (true, _) => "what it describes was stopped early",
        (_, false) => "it was written with another engine",
        _ => "a file that the scenario names may have changed, or the manifest",
    };
    anyhow::ensure!(old.runs == new.runs, "the results differ from the manifest: {reason}");
    Ok(())
}

/// Draws charts in SVG, which follows the reader's light or dark setting, and in PNG, until
/// somebody wants it to stop.
fn draw(
    charts: Vec<(&'static str, Figure)>,
    staging: &mut Staging,
    progress: &Progress,
) -> anyhow::Result<()> {
    for (name, figure) in charts {
        if progress.is_cancelled() {
            break;
        }
        let (svg, png) = (svg(&figure)?, png(&figure, Theme::Light)?);
        staging.add(&format!("{name}.svg"), |out| out.write_all(svg.as_bytes()))?;
        staging.add(&format!("{name}.png"), |out| out.write_all(&png))?;
    }
    Ok(())
}

/// Listens for Ctrl-C, or a signal to end: the first stops the work, the second ends the program;
/// then what is `unfinished` and the file of the `lock` are removed.
fn listen(progress: &Arc<Progress>, unfinished: &Path, lock: &Path, terminal: Terminal) {
    let (unfinished, lock) = (unfinished.to_owned(), lock.to_owned());
    let progress = Arc::clone(progress);
    let listening = ctrlc::set_handler(move || {
        if progress.is_cancelled() {
            let _ = std::fs::remove_dir_all(&unfinished);
            let _ = std::fs::remove_file(&lock);
            std::process::exit(Exit::Interrupted as i32);
        }
        progress.cancel();
        terminal.say("stopping to write what there is, without charts; Ctrl-C again to give up\n");
    });
    if let Err(error) = listening {
        terminal.say(&format!("warning: Ctrl-C will not write partial results: {error}\n"));
    }
}

/// Removes the checkpoint if the work is complete, else says how to go on.
fn close(
    checkpoint: Checkpoint,
    interrupted: bool,
    quiet: bool,
    terminal: Terminal,
) -> anyhow::Result<()> {
    if let Some(trouble) = checkpoint.trouble() {
        terminal.say(&format!("warning: {trouble}; --resume will not find everything\n"));
    }
    if !interrupted || checkpoint.is_empty() {
        return Ok(checkpoint.remove()?);
    }
    if !quiet {
        terminal.say("stopped: the same command with --resume goes on from here\n");
    }
    Ok(())
}

/// How a report is written, drawn and printed.
pub(in crate::cli) struct Output<R> {
    /// Writes its tables.
    pub(in crate::cli) tables: fn(&R, &mut Staging) -> Result<(), FilesError>,
    /// The charts, each with the name of its files.
    pub(in crate::cli) charts: fn(&R) -> Vec<(&'static str, Figure)>,
    /// The report for people.
    pub(in crate::cli) text: fn(&R, Option<Written<'_>>, bool) -> String,
    /// Its first lines.
    pub(in crate::cli) verdict: fn(&R, bool) -> String,
    /// The JSON file: its name and content.
    pub(in crate::cli) json: (&'static str, Json<R>),
}

/// Writes a report as JSON.
type Json<R> = fn(&R, &mut dyn io::Write) -> io::Result<()>;
