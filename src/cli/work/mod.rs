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
use crate::report::files::staging::{MARK, Staging};
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
    /// Set when the work is done.
    manifest: Option<Manifest>,
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
        let (draws, manifest) = (!no_charts, None);
        Ok(Work { args, draws, session, directory, staging, checkpoint, progress, manifest })
    }

    /// Does the work proper, with progress.
    pub(in crate::cli) fn run<T>(&self, work: impl FnOnce(&Runner<'_>) -> T) -> anyhow::Result<T> {
        let jobs = self.args.jobs.map(usize::from);
        let runner = Runner::new(jobs, &self.progress, &self.checkpoint)?;
        let terminal = self.session.terminal;
        let show = Show::new(self.args.progress, self.args.quiet, terminal);
        Ok(progress::during(show, &self.progress, terminal, || work(&runner)))
    }

    /// Where files are written until the work ends.
    pub(in crate::cli) fn staging(&mut self) -> &mut Staging {
        &mut self.staging
    }

    /// Writes down what was asked for, of which scenarios, and what ran.
    pub(in crate::cli) fn record(
        &mut self,
        interrupted: bool,
        scenarios: &[&Scenario],
        runs: Vec<RunRecord>,
    ) -> anyhow::Result<()> {
        let request = self.session.request.clone();
        let manifest = Manifest::new(request, interrupted, scenarios, runs);
        self.staging.add(MARK, |out| manifest.write(out))?;
        self.manifest = Some(manifest);
        Ok(())
    }

    /// Adds charts, unless none are wanted: each in SVG, which follows the reader's light or dark
    /// setting, and in PNG.
    pub(in crate::cli) fn draw(
        &mut self,
        charts: impl FnOnce() -> Vec<(&'static str, Figure)>,
    ) -> anyhow::Result<()> {
        let figures = if self.draws { charts() } else { Vec::new() };
        for (name, figure) in figures {
            let (svg, png) = (svg(&figure)?, png(&figure, Theme::Light)?);
            self.staging.add(&format!("{name}.svg"), |out| out.write_all(svg.as_bytes()))?;
            self.staging.add(&format!("{name}.png"), |out| out.write_all(&png))?;
        }
        Ok(())
    }

    /// Puts the results in their place and prints what `output` makes of that.
    ///
    /// # Errors
    /// The results are not those of the manifest that is repeated, though they are written.
    pub(in crate::cli) fn end(
        self,
        output: impl FnOnce(Printed<'_>) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let Work { args, session, directory, staging, checkpoint, manifest, .. } = self;
        let interrupted = manifest.as_ref().is_some_and(|manifest| manifest.interrupted);
        let names = staging.publish()?;
        close(checkpoint, interrupted, args.quiet, session.terminal)?;
        let written = Written { directory: &directory, names: &names };
        let colour = session.terminal.prints_colour();
        let printed = match (args.format, args.quiet) {
            (Format::Json, _) => Printed::Json,
            (Format::Text, true) => Printed::Verdict { colour },
            (Format::Text, false) => Printed::Text { written, colour },
        };
        session.terminal.print(&output(printed)?)?;
        match (&session.repeated, &manifest) {
            (Some((old, _)), Some(new)) if !interrupted => repeats(old, new),
            _ => Ok(()),
        }
    }
}

/// Refuses results that are not those of the manifest that was repeated.
fn repeats(old: &Manifest, new: &Manifest) -> anyhow::Result<()> {
    let reason = match (old.interrupted, old.engine == new.engine) {
        (true, _) => "what it describes was stopped early",
        (_, false) => "it was written with another engine",
        _ => "a file that the scenario names may have changed",
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

/// What goes to standard output.
pub(in crate::cli) enum Printed<'a> {
    /// The report for people.
    Text { written: Written<'a>, colour: bool },
    /// Its first lines.
    Verdict { colour: bool },
    /// The content of the JSON file.
    Json,
}

/// What a writer of text writes.
pub(in crate::cli) fn text_of(
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> anyhow::Result<String> {
    let mut out = Vec::new();
    write(&mut out)?;
    Ok(String::from_utf8(out)?)
}
