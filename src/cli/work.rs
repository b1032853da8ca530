//! What all studies have in common: a place for results, threads, progress, an end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Format, WorkArgs};
use super::charts::Chart;
use super::progress::{self, Show};
use super::terminal::Terminal;
use super::{interrupt, keep};
use crate::experiment::{Runner, Watch};
use crate::report::checkpoint::Checkpoint;
use crate::report::files::staging::Staging;
use crate::report::format::page::Written;

/// Work in progress.
pub(super) struct Work<'a> {
    args: &'a WorkArgs,
    terminal: Terminal,
    directory: PathBuf,
    staging: Staging,
    checkpoint: Checkpoint,
    watch: Arc<Watch>,
}

impl<'a> Work<'a> {
    /// Prepares the folder `name` for the results of a command.
    pub(super) fn begin(
        args: &'a WorkArgs,
        (command, name): (&str, &str),
        terminal: Terminal,
    ) -> anyhow::Result<Work<'a>> {
        let directory = args.output.join(name);
        let staging = Staging::prepare(&directory, command)?;
        let checkpoint = Checkpoint::open(&directory, args.resume)?;
        let watch = Arc::new(Watch::default());
        interrupt::listen(&watch, staging.place(), terminal);
        Ok(Work { args, terminal, directory, staging, checkpoint, watch })
    }

    /// Does the work proper, with progress.
    pub(super) fn run<T>(&self, work: impl FnOnce(&Runner<'_>) -> T) -> anyhow::Result<T> {
        let jobs = self.args.jobs.map(usize::from);
        let runner = Runner::new(jobs, &self.watch, &self.checkpoint)?;
        let show = Show::new(self.args.progress, self.args.quiet, self.terminal);
        Ok(progress::during(show, &self.watch, self.terminal, || work(&runner)))
    }

    /// Where files are written until the work ends.
    pub(super) fn staging(&mut self) -> &mut Staging {
        &mut self.staging
    }

    /// Adds charts, unless none are wanted.
    pub(super) fn draw(
        &mut self,
        charts: impl FnOnce() -> anyhow::Result<Vec<Chart>>,
    ) -> anyhow::Result<()> {
        if !self.args.no_charts {
            for (name, content) in charts()? {
                self.staging.add(&name, |out| out.write_all(&content))?;
            }
        }
        Ok(())
    }

    /// Puts the results in their place and prints what `output` makes of that.
    pub(super) fn end(
        self,
        interrupted: bool,
        output: impl FnOnce(Printed<'_>) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let names = self.staging.publish()?;
        keep::end(self.checkpoint, interrupted, self.args.quiet, self.terminal)?;
        let written = Written { directory: &self.directory, names: &names };
        let colour = self.terminal.prints_colour();
        let printed = match (self.args.format, self.args.quiet) {
            (Format::Json, _) => Printed::Json,
            (Format::Text, true) => Printed::Verdict { colour },
            (Format::Text, false) => Printed::Text { written, colour },
        };
        self.terminal.print(&output(printed)?)?;
        Ok(())
    }
}

/// What goes to standard output.
pub(super) enum Printed<'a> {
    /// The report for people.
    Text { written: Written<'a>, colour: bool },
    /// Its first lines.
    Verdict { colour: bool },
    /// The content of the JSON file.
    Json,
}

/// What a writer of text writes.
pub(super) fn text_of(
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<String> {
    let mut out = Vec::new();
    write(&mut out)?;
    String::from_utf8(out).map_err(io::Error::other)
}

/// The name of a file without folder and extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}
