//! What all commands that simulate have in common: a place for results, threads, progress, a way to
//! stop, a manifest, an end.
//!
//! [`Work`] begins with a folder for the results beside its place, a checkpoint from which earlier
//! work goes on, and Ctrl-C; a command does its simulating within it, writes its files and charts
//! into the folder, and ends it, whereupon the folder moves to its place and the exit code follows.
//! `progress.rs` shows meanwhile, on standard error, how far the work is.
//!
//! It owns the order of these steps, so that no command forgets one; it may ask for what was typed
//! (`args`, `load`) and for the terminal, and knows no command. Begin with [`Work`].

mod progress;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::args::{CommonArgs, Format, WorkArgs};
use crate::cli::exit::Exit;
use crate::cli::load::Session;
use crate::cli::terminal::Terminal;
use crate::experiment::{Progress, Runner};
use crate::plot::theme::Theme;
use crate::plot::{Figure, png, svg};
use crate::report::checkpoint::Checkpoint;
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
    directory: PathBuf,
    staging: Staging,
    checkpoint: Checkpoint,
    progress: Arc<Progress>,
}

impl<'a> Work<'a> {
    /// Prepares the folder `name` for the results of a command.
    pub(in crate::cli) fn begin(
        args: &'a CommonArgs,
        name: &str,
        session: &'a Session,
    ) -> anyhow::Result<Work<'a>> {
        let CommonArgs { work: args, no_charts, .. } = args;
        let directory = args.output.join(name);
        let staging = Staging::prepare(&directory, &session.request.command)?;
        let checkpoint = Checkpoint::open(&directory, args.resume)?;
        let progress = Arc::new(Progress::default());
        listen(&progress, staging.place(), session.terminal);
        let draws = !no_charts;
        Ok(Work { args, draws, session, directory, staging, checkpoint, progress })
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
    /// which scenarios, and prints what was asked for.
    ///
    /// # Errors
    /// The results are not those of the manifest that is repeated, though they are written.
    pub(in crate::cli) fn end<R>(
        self,
        report: &R,
        output: Output<R>,
        interrupted: bool,
        scenarios: &[&Scenario],
        runs: Vec<RunRecord>,
    ) -> anyhow::Result<()> {
        let Work { args, draws, session, directory, mut staging, checkpoint, .. } = self;
        let (name, json) = output.json;
        let text = (output.text)(report, None, false);
        staging.add("report.txt", |out| out.write_all(text.as_bytes()))?;
        staging.add(name, |out| json(report, out))?;
        (output.tables)(report, &mut staging)?;
        let manifest = Manifest::new(session.request.clone(), interrupted, scenarios, runs);
        staging.add(MARK, |out| manifest.write(out))?;
        // In SVG, which follows the reader's light or dark setting, and in PNG.
        for (name, figure) in if draws { (output.charts)(report) } else { Vec::new() } {
            let (svg, png) = (svg(&figure)?, png(&figure, Theme::Light)?);
            staging.add(&format!("{name}.svg"), |out| out.write_all(svg.as_bytes()))?;
            staging.add(&format!("{name}.png"), |out| out.write_all(&png))?;
        }
        let names = staging.publish()?;
        let written = Written { directory: &directory, names: &names };
        let colour = session.terminal.prints_colour();
        let mut out = Vec::new();
        match (args.format, args.quiet) {
            (Format::Json, _) => json(report, &mut out)?,
            (Format::Text, true) => out.extend((output.verdict)(report, colour).into_bytes()),
            (Format::Text, false) => {
                out.extend((output.text)(report, Some(written), colour).into_bytes());
            }
        }
        session.terminal.print(&String::from_utf8(out)?)?;
        close(checkpoint, interrupted, args.quiet, session.terminal)?;
        match &session.repeated {
            Some((old, _)) if !interrupted => repeats(old, &manifest),
            _ => Ok(()),
        }
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

/// Listens for Ctrl-C, or a signal to end: the first stops the work at the next bin, the second
/// ends the program; then `unfinished` is removed.
fn listen(progress: &Arc<Progress>, unfinished: &Path, terminal: Terminal) {
    let (progress, unfinished) = (Arc::clone(progress), unfinished.to_owned());
    let listening = ctrlc::set_handler(move || {
        if progress.is_cancelled() {
            let _ = std::fs::remove_dir_all(&unfinished);
            std::process::exit(Exit::Interrupted as i32);
        }
        progress.cancel();
        terminal.say("stopping at the next bin to write what there is; Ctrl-C again to give up\n");
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
