//! The part of a shard: what all shards left so far, and a file of its own for what it adds.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::file::EntryWriter;
use super::head::{WorkFilesError, WorkHead};
use super::store::WorkFiles;
use crate::experiment::store::{OutcomeStore, ReplicationKey};
use crate::observe::outcome::Outcome;

/// The part of a shard.
pub struct ShardPart {
    known: WorkFiles,
    writer: Mutex<Writing>,
    watch: Box<dyn PartWatch>,
}

/// What the part of a shard has to know of the work, and to tell.
pub trait PartWatch: Send + Sync {
    /// Milliseconds since it was begun.
    fn elapsed(&self) -> u64;

    /// Replications that there are in the study; `None` = that is decided as it goes.
    fn amount(&self) -> Option<u64>;

    /// What is made cannot be kept any more.
    fn full(&self);
}

struct Writing {
    writer: EntryWriter,
    made: usize,
    failed: Option<io::Error>,
}

impl ShardPart {
    /// Begins with what is in a folder.
    ///
    /// # Errors
    /// As [`WorkFiles::of_study`], and those of the file system.
    pub fn begin(
        folder: &Path,
        head: &WorkHead,
        watch: impl PartWatch + 'static,
    ) -> Result<ShardPart, WorkFilesError> {
        let known = WorkFiles::of_study(folder, head)?;
        let writer = EntryWriter::create(folder, head)?;
        let writer = Mutex::new(Writing { writer, made: 0, failed: None });
        Ok(ShardPart { known, writer, watch: Box::new(watch) })
    }

    /// What all shards had left when it began.
    pub fn known(&self) -> &WorkFiles {
        &self.known
    }

    /// Replications that it added.
    pub fn made(&self) -> usize {
        self.writing().made
    }

    /// Its file.
    pub fn path(&self) -> PathBuf {
        self.writing().writer.path.clone()
    }

    /// Ends it: nothing is left to do for now.
    pub fn end(&self) {
        let elapsed = self.watch.elapsed();
        let mut writing = self.writing();
        if writing.failed.is_some() {
            return;
        }
        let written = writing.writer.end(elapsed);
        self.note(&mut writing, written);
    }

    /// Why it could not keep everything, if so.
    pub fn trouble(&self) -> Option<String> {
        let writing = self.writing();
        let path = writing.writer.path.display();
        writing.failed.as_ref().map(|error| format!("cannot write {path}: {error}"))
    }

    /// Writes into something else from now on.
    #[cfg(test)]
    pub(super) fn write_into(&self, file: std::fs::File) {
        self.writing().writer.file = file;
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, writing: &mut Writing, written: io::Result<()>) {
        if let Err(error) = written {
            writing.failed.get_or_insert(error);
            self.watch.full();
        }
    }
}

impl OutcomeStore for ShardPart {
    fn get(&self, key: ReplicationKey) -> Option<Outcome> {
        self.known.get(key)
    }

    fn put(&self, key: ReplicationKey, outcome: &Outcome) {
        let elapsed = self.watch.elapsed();
        let mut writing = self.writing();
        if writing.failed.is_some() {
            return;
        }
        let amount = self.watch.amount().filter(|_| writing.made == 0);
        let written = amount.map_or(Ok(()), |amount| writing.writer.add_amount(amount));
        let written = written.and_then(|()| writing.writer.add_replication(key, elapsed, outcome));
        writing.made += usize::from(written.is_ok());
        self.note(&mut writing, written);
    }
}
