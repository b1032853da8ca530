//! What all commands that simulate have in common: a place for results, threads, progress, a way to
//! stop, a manifest, an end.
//!
//! [`Work`] begins with a folder for the results beside its place, a checkpoint from which earlier
//! work goes on, and Ctrl-C; a command does its simulating within it, writes its files and charts
//! into the folder, and ends it, whereupon the folder moves to its place and the exit code follows.
//! `progress.rs` shows meanwhile, on standard error, how far the work is; `memory.rs` refuses what
//! there is no room for; `share.rs` is what differs if several processes share the work: a shard
//! leaves its part and nothing else, and a merge takes all from such parts; `warnings.rs` says what
//! scenarios share once.
//!
//! It owns the order of these steps, so that no command forgets one; it may ask for what was typed
//! (`args`, `load`) and for the terminal, and knows no command. Begin with [`Work`].

pub(in crate::cli) mod memory;
mod progress;
mod share;
pub(in crate::cli) mod warnings;

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::cli::args::{CommonArgs, Format, WorkArgs};
use crate::cli::exit::Exit;
use crate::cli::load::{Session, WorkPart};
use crate::cli::shards::submit::submit;
use crate::cli::terminal::Terminal;
use crate::experiment::partition::Partition;
use crate::experiment::store::OutcomeStore;
use crate::experiment::{Progress, Runner, store};
use crate::plot::theme::Theme;
use crate::plot::{Figure, png, svg};
use crate::report::checkpoint::Checkpoint;
use crate::report::files::lock::FolderLock;
use crate::report::files::staging::{FilesError, MARK, Staging};
use crate::report::format::page::Written;
use crate::report::html::{PageError, PageParts};
use crate::report::manifest::{Manifest, RunRecord, Subject};
use crate::report::screen::{Screen, folded};
use crate::scenario::Scenario;
use progress::Show;
use share::{Layers, SharedWork};

/// The file of the page.
const PAGE: &str = "report.html";

/// Work in progress.
pub(in crate::cli) struct Work<'a> {
    args: &'a WorkArgs,
    draws: bool,
    session: &'a Session,
    progress: Arc<Progress>,
    place: WorkPlace,
}

/// What work makes.
enum WorkPlace {
    /// Results.
    Results(ResultsPlace),
    /// The part of a shard.
    Part(Box<SharedWork>),
    /// The job files of a scheduler, for results that are to lie there, of a study that begins with
    /// plans of this digest.
    Jobs(PathBuf, Box<Manifest>, u64),
}

/// Where results are made.
struct ResultsPlace {
    staging: Staging,
    checkpoint: Checkpoint,
    /// Nobody else writes there until the rest is done.
    lock: FolderLock,
}

impl<'a> Work<'a> {
    /// Prepares the folder for the results of a command on scenarios; `name` = what it is called if
    /// nobody says; `plans` = the digest of all plans, if there are more than those of the
    /// scenarios.
    pub(in crate::cli) fn begin(
        args: &'a CommonArgs,
        (name, plans): (&str, Option<u64>),
        scenarios: &[&Scenario],
        session: &'a Session,
    ) -> anyhow::Result<Work<'a>> {
        let CommonArgs { work: args, no_charts, name: given, .. } = args;
        let directory = args.output.join(given.as_deref().unwrap_or(name));
        let study = Manifest::new(session.request.clone(), false, scenarios, Vec::new());
        let own = || store::digest_all(scenarios.iter().map(|scenario| &scenario.plan));
        let plans = plans.unwrap_or_else(own);
        let progress = Arc::new(Progress::with_room(args.memory.0));
        let terminal = session.terminal;
        let place = match &session.part {
            WorkPart::Submit(_) => WorkPlace::Jobs(directory, Box::new(study), plans),
            WorkPart::Shard(shard) => {
                let shared = SharedWork::begin(&directory, *shard, (plans, study), &progress)?;
                notes(shared.part.known().notes(), args.quiet, terminal);
                listen(&progress, None, terminal);
                WorkPlace::Part(Box::new(shared))
            }
            part => {
                if let WorkPart::Merge { files, .. } = part {
                    share::expect_same_plans(files, plans)?;
                }
                let place = ResultsPlace::prepare(&directory, args, plans, &study.subject())?;
                notes(place.checkpoint.notes(), args.quiet, terminal);
                listen(&progress, Some(place.unfinished()), terminal);
                WorkPlace::Results(place)
            }
        };
        Ok(Work { args, draws: !no_charts, session, progress, place })
    }

    /// Does the work proper, with progress. Breaks off with how the program ends if no results
    /// follow: of the part of a shard, and where parts are missing.
    pub(in crate::cli) fn run<T>(
        &self,
        work: impl FnOnce(&Runner<'_>) -> T,
    ) -> anyhow::Result<ControlFlow<Exit, T>> {
        let Work { args, session, progress, place, .. } = self;
        if let (WorkPlace::Jobs(results, study, plans), WorkPart::Submit(asked)) =
            (place, &session.part)
        {
            session.terminal.print(&submit(asked, results, (study, *plans))?)?;
            return Ok(ControlFlow::Break(Exit::Met));
        }
        let layers;
        let (store, partition): (&dyn OutcomeStore, Partition) = match (place, &session.part) {
            (WorkPlace::Part(shared), _) if session.request.is_adaptive() => {
                (&shared.part, Partition::Shard(shared.shard))
            }
            (WorkPlace::Part(shared), _) => (&shared.part, Partition::ShardAlone(shared.shard)),
            (WorkPlace::Results(place), WorkPart::Merge { files, fill }) => {
                layers = Layers { left: files, made: &place.checkpoint };
                (&layers, if *fill { Partition::Whole } else { Partition::Nothing })
            }
            (WorkPlace::Results(place), _) => (&place.checkpoint, Partition::Whole),
            (WorkPlace::Jobs(..), _) => unreachable!("job files are written by now"),
        };
        let runner = Runner::new(args.jobs.map(usize::from), progress, store)?;
        let runner = runner.with_partition(partition);
        let show = Show::new(args.progress, args.quiet, session.terminal);
        let done = progress::during(show, progress, session.terminal, || work(&runner));
        match (place, &session.part) {
            (WorkPlace::Part(shared), _) => self.end_part(shared).map(ControlFlow::Break),
            (WorkPlace::Results(place), WorkPart::Merge { files, .. }) => {
                let Some(missing) = share::missing(&runner, files) else {
                    return Ok(ControlFlow::Continue(done));
                };
                session.terminal.say(&missing);
                place.checkpoint.discard()?;
                Ok(ControlFlow::Break(Exit::Undecided))
            }
            _ => Ok(ControlFlow::Continue(done)),
        }
    }

    /// Ends the part of a shard, and says so.
    fn end_part(&self, shared: &SharedWork) -> anyhow::Result<Exit> {
        if let Some(overflow) = self.progress.overflowed() {
            anyhow::bail!(memory::exceeded(&overflow, &self.progress.stage(), self.args.memory));
        }
        let (exit, said) = shared.end(self.progress.is_cancelled())?;
        if !self.args.quiet {
            self.session.terminal.print(&said)?;
        }
        Ok(exit)
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
        output: Output<'_, R>,
        mut interrupted: bool,
        scenarios: &[&Scenario],
        runs: Vec<RunRecord>,
    ) -> anyhow::Result<bool> {
        let Work { args, draws, session, progress, place } = self;
        let WorkPlace::Results(place) = place else { unreachable!("a part has no results") };
        let ResultsPlace { mut staging, checkpoint, lock } = place;
        let (name, json) = output.json;
        let text = (output.text)(report, None, false);
        staging.add("report.txt", |out| out.write_all(text.as_bytes()))?;
        staging.add(name, |out| json(report, out))?;
        (output.tables)(report, &mut staging)?;
        (output.exports)(report, &mut staging)?;
        // Whoever stops it does not wait for charts.
        interrupted |= progress.is_cancelled();
        let charts = if draws && !interrupted { (output.charts)(report) } else { Vec::new() };
        draw(&charts, args.jobs, &mut staging, &progress)?;
        interrupted |= progress.is_cancelled();
        let manifest = Manifest::new(session.request.clone(), interrupted, scenarios, runs);
        let page = (output.html)(report, PageParts { charts: &charts, manifest: &manifest })?;
        staging.add(PAGE, |out| out.write_all(page.as_bytes()))?;
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
            (Format::Markdown, _) => out.extend((output.markdown)(report).into_bytes()),
            (Format::Text, true) => out.extend((output.verdict)(report, colour).into_bytes()),
            (Format::Text, false) => {
                let columns = session.terminal.columns();
                let said = match args.verbose {
                    true => folded(&(output.text)(report, written, colour), columns),
                    false => (output.screen)(report, &Screen { colour, columns, written }),
                };
                out.extend(said.into_bytes());
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
        match (&session.repeated, &session.part) {
            // A study that was written down before it ran has nothing to be compared with.
            (Some((old, _)), WorkPart::Whole) if !interrupted && !old.runs.is_empty() => {
                repeats(old, &manifest)?;
            }
            _ => {}
        }
        Ok(interrupted)
    }
}

impl ResultsPlace {
    fn prepare(
        directory: &Path,
        args: &WorkArgs,
        plans: u64,
        subject: &Subject,
    ) -> anyhow::Result<ResultsPlace> {
        let words = subject.to_string();
        let lock = FolderLock::take(directory, &words)?;
        let staging = Staging::prepare(directory, subject, args.force)?;
        let checkpoint = Checkpoint::open(directory, (&words, plans), args.resume)?;
        Ok(ResultsPlace { staging, checkpoint, lock })
    }

    /// What is to be removed if nobody waits for the end.
    fn unfinished(&self) -> Vec<PathBuf> {
        vec![self.staging.place().to_owned(), self.lock.path().to_owned()]
    }
}

/// Says what was found in files.
fn notes(notes: &[String], quiet: bool, terminal: Terminal) {
    for note in notes.iter().filter(|_| !quiet) {
        terminal.say(&format!("warning: {note}\n"));
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

/// Draws charts in SVG, which follows the reader's light or dark setting, and in PNG, side by side
/// on so many threads, until somebody wants it to stop.
fn draw(
    charts: &[(&'static str, Figure)],
    jobs: Option<u16>,
    staging: &mut Staging,
    progress: &Progress,
) -> anyhow::Result<()> {
    let threads = jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let both = |(_, figure): &(&str, Figure)| {
        let drawn = || anyhow::Ok((svg(figure)?, png(figure, Theme::Light)?));
        (!progress.is_cancelled()).then(drawn)
    };
    let drawn: Vec<_> = pool.install(|| charts.par_iter().map(both).collect());
    for ((name, _), drawn) in charts.iter().zip(drawn) {
        let Some(drawn) = drawn else { continue };
        let (svg, png) = drawn?;
        staging.add(&format!("{name}.svg"), |out| out.write_all(svg.as_bytes()))?;
        staging.add(&format!("{name}.png"), |out| out.write_all(&png))?;
    }
    Ok(())
}

/// Listens for Ctrl-C, or a signal to end: the first stops the work, the second ends the program;
/// then what is `unfinished` of results is removed, files or folders. A shard has none.
fn listen(progress: &Arc<Progress>, unfinished: Option<Vec<PathBuf>>, terminal: Terminal) {
    let progress = Arc::clone(progress);
    let stopping = match unfinished {
        Some(_) => "stopping to write what there is, without charts; Ctrl-C again to give up\n",
        None => "stopping: what was made is kept\n",
    };
    /// Stops the work that is in progress. A process has one handler of signals, and of several
    /// scenarios each is work of its own.
    static STOP: Mutex<Option<Box<dyn Fn() + Send>>> = Mutex::new(None);
    let stop = move || {
        if progress.is_cancelled() {
            for path in unfinished.iter().flatten() {
                let _ = std::fs::remove_dir_all(path);
                let _ = std::fs::remove_file(path);
            }
            std::process::exit(Exit::Interrupted as i32);
        }
        progress.cancel();
        terminal.say(stopping);
    };
    let before = STOP.lock().unwrap_or_else(PoisonError::into_inner).replace(Box::new(stop));
    if before.is_some() {
        return;
    }
    let listening = ctrlc::set_handler(|| {
        if let Some(stop) = &*STOP.lock().unwrap_or_else(PoisonError::into_inner) {
            stop();
        }
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
pub(in crate::cli) struct Output<'a, R> {
    /// Writes its tables.
    pub(in crate::cli) tables: fn(&R, &mut Staging) -> Result<(), FilesError>,
    /// Writes what is asked for in formats of other programs.
    pub(in crate::cli) exports: WriteExports<'a, R>,
    /// The charts, each with the name of its files.
    pub(in crate::cli) charts: fn(&R) -> Vec<(&'static str, Figure)>,
    /// The page.
    pub(in crate::cli) html: Html<R>,
    /// The report for people.
    pub(in crate::cli) text: fn(&R, Option<Written<'_>>, bool) -> String,
    /// What is printed of it unless all is asked for.
    pub(in crate::cli) screen: fn(&R, &Screen<'_>) -> String,
    /// The report for a comment on a change.
    pub(in crate::cli) markdown: fn(&R) -> String,
    /// Its first lines.
    pub(in crate::cli) verdict: fn(&R, bool) -> String,
    /// The JSON file: its name and content.
    pub(in crate::cli) json: (&'static str, Json<R>),
}

/// Writes a report as a page.
type Html<R> = fn(&R, PageParts) -> Result<String, PageError>;

/// Writes a report as JSON.
type Json<R> = fn(&R, &mut dyn io::Write) -> io::Result<()>;

/// Writes a report in formats of other programs.
type WriteExports<'a, R> = Box<dyn Fn(&R, &mut Staging) -> Result<(), FilesError> + 'a>;
