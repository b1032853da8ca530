//! What shards left, as a store: all work files of one study.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::file::{self, ENDING, EntryPlace, FileLook, LookedThrough};
use super::head::{WorkFilesError, WorkHead};
use crate::experiment::store::{OutcomeStore, ReplicationKey};
use crate::observe::outcome::Outcome;
use crate::report::format::words::plural;

/// The work files of a study. Replications stay in the files, a few dozen bytes of each are held.
#[derive(Debug)]
pub struct WorkFiles {
    head: WorkHead,
    files: Vec<WorkFile>,
    /// The file and the place of each replication.
    index: BTreeMap<ReplicationKey, (u32, EntryPlace)>,
    /// Where else some are: what one file lost, another may have.
    copies: BTreeMap<ReplicationKey, Vec<(u32, EntryPlace)>>,
    notes: Vec<String>,
    /// Replications that turned out to be altered when they were asked for.
    altered: AtomicUsize,
}

/// A file that was looked through.
#[derive(Debug)]
pub struct WorkFile {
    /// Where it is.
    pub path: PathBuf,
    /// Which shard left it, from one.
    pub shard: u64,
    /// Of how many.
    pub shards: u64,
    /// Replications that there are in the study, as far as it says.
    pub amount: Option<u64>,
    /// Milliseconds from its start to its last entry.
    pub elapsed: u64,
    /// Whether nothing was left to do when it ended.
    pub is_ended: bool,
    /// Replications in it.
    pub replications: usize,
    /// Those of them that no file before it has.
    pub added: usize,
    file: Mutex<File>,
}

impl WorkFiles {
    /// Looks through the files named and those in the folders named.
    ///
    /// # Errors
    /// There are none, or they cannot be read, are of different studies or other versions, or
    /// contradict each other.
    pub fn open(places: &[PathBuf]) -> Result<WorkFiles, WorkFilesError> {
        let mut all: Option<WorkFiles> = None;
        let mut notes = Vec::new();
        for path in paths(places)? {
            match file::look_through(&path)? {
                FileLook::Found(found) => {
                    let first = || WorkFiles::of(found.head.clone());
                    all.get_or_insert_with(first).add(path, *found)?;
                }
                FileLook::Empty => notes.push(empty(&path)),
                FileLook::Foreign => notes.push(foreign(&path)),
            }
        }
        let place = places.first().map_or(Path::new(""), PathBuf::as_path);
        let mut all = all.ok_or_else(|| WorkFilesError::nothing(place))?;
        all.notes.extend(notes);
        Ok(all)
    }

    /// Those of a study in a folder, where there may be none yet.
    ///
    /// # Errors
    /// As [`WorkFiles::open`]; or they are of another study.
    pub fn of_study(folder: &Path, head: &WorkHead) -> Result<WorkFiles, WorkFilesError> {
        let mut all = WorkFiles::of(head.clone());
        if folder.is_dir() {
            for path in inside(folder)? {
                match file::look_through(&path)? {
                    FileLook::Found(found) => all.add(path, *found)?,
                    // Another shard may be about to begin it.
                    FileLook::Empty => {}
                    FileLook::Foreign => all.notes.push(foreign(&path)),
                }
            }
        }
        Ok(all)
    }

    fn of(head: WorkHead) -> WorkFiles {
        let (files, index, notes) = (Vec::new(), BTreeMap::new(), Vec::new());
        let (copies, altered) = (BTreeMap::new(), AtomicUsize::new(0));
        WorkFiles { head, files, index, copies, notes, altered }
    }

    fn add(&mut self, path: PathBuf, found: LookedThrough) -> Result<(), WorkFilesError> {
        if !found.head.is_with(&self.head) {
            let theirs = found.head.study.subject().to_string();
            let (ours, how) = (self.study().to_string(), found.head.difference(&self.head));
            return Err(WorkFilesError::Study { path, theirs, ours, how });
        }
        self.notes.extend(trouble(&path, &found));
        let opened = File::open(&path);
        let file = opened.map_err(|why| WorkFilesError::Unreadable { path: path.clone(), why });
        let LookedThrough { head, amount, elapsed, is_ended, places, .. } = found;
        let WorkHead { shard, shards, .. } = head;
        let (replications, added, file) = (places.len(), 0, Mutex::new(file?));
        let file =
            WorkFile { path, shard, shards, amount, elapsed, is_ended, replications, added, file };
        self.files.push(file);
        places.into_iter().try_for_each(|(key, place)| self.add_place(key, place))
    }

    /// Adds a place in the last file.
    fn add_place(&mut self, key: ReplicationKey, place: EntryPlace) -> Result<(), WorkFilesError> {
        let number = self.files.len() as u32 - 1;
        let last = &mut self.files[number as usize];
        let (known, first) = match self.index.entry(key) {
            Entry::Vacant(free) => {
                last.added += 1;
                free.insert((number, place));
                return Ok(());
            }
            Entry::Occupied(known) => {
                (*known.get(), self.files[known.get().0 as usize].path.clone())
            }
        };
        // Where the checksums differ one of the two may have been altered: only what is sound
        // contradicts.
        let differ = known.1.content != place.content;
        if differ && self.read(key, known).is_some() && self.read(key, (number, place)).is_some() {
            let (second, replication) = (self.files[number as usize].path.clone(), key.replication);
            return Err(WorkFilesError::Contradiction { first, second, replication });
        }
        self.copies.entry(key).or_default().push((number, place));
        Ok(())
    }

    /// The replication at a place; `None` if it is not as it was written.
    fn read(&self, key: ReplicationKey, (file, place): (u32, EntryPlace)) -> Option<Outcome> {
        let file = &self.files[file as usize].file;
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = file::read_at::<Outcome>(&mut file, place).ok().flatten()?;
        (outcome.replication == key.replication && outcome.ledger.balances()).then_some(outcome)
    }

    /// What they are parts of.
    pub fn study(&self) -> crate::report::manifest::Subject {
        self.head.study.subject()
    }

    /// The head of the first file, which has the study of all.
    pub fn head(&self) -> &WorkHead {
        &self.head
    }

    /// The files, in the order in which they were named, those of a folder by their names.
    pub fn files(&self) -> &[WorkFile] {
        &self.files
    }

    /// Of how many shards that file is that was written last; others may have been tried before.
    pub fn shards(&self) -> u64 {
        let written =
            |file: &&WorkFile| fs::metadata(&file.path).and_then(|meta| meta.modified()).ok();
        self.files.iter().max_by_key(written).map_or(self.head.shards, |file| file.shards)
    }

    /// Different replications in all of them.
    pub fn replications(&self) -> usize {
        self.index.len()
    }

    /// What is to be said of the files, each in a line.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Replications that were asked for and had been altered.
    pub fn altered(&self) -> usize {
        self.altered.load(Ordering::Relaxed)
    }
}

/// What is said of a file that hardly began.
fn empty(path: &Path) -> String {
    format!("{} was cut off before it held anything", path.display())
}

/// What is said of a file that is none of ours.
fn foreign(path: &Path) -> String {
    format!(
        "{} is left out: it is no work file of a shard, or its first entry was altered",
        path.display()
    )
}

/// What was wrong with a file, in words.
fn trouble(path: &Path, found: &LookedThrough) -> Vec<String> {
    let path = path.display();
    let (stretches, was) = (plural(found.damaged as u64, "stretch"), found.damaged == 1);
    let (was, is) = if was { ("was", "is") } else { ("were", "are") };
    let damaged = (found.damaged > 0).then(|| {
        format!("{path}: {stretches} {was} altered since they were written, and {is} left out")
    });
    let cut = found.is_cut && found.is_ended;
    let cut = cut.then(|| format!("{path}: its end was altered since it was written"));
    damaged.into_iter().chain(cut).collect()
}

/// The files that are named, and those in folders that are.
fn paths(places: &[PathBuf]) -> Result<Vec<PathBuf>, WorkFilesError> {
    let mut all: Vec<PathBuf> = Vec::new();
    for place in places {
        let found = if place.is_dir() { inside(place)? } else { vec![place.clone()] };
        if found.is_empty() {
            return Err(WorkFilesError::nothing(place));
        }
        let found = found.into_iter().filter(|path| !all.contains(path));
        let found: Vec<PathBuf> = found.collect();
        all.extend(found);
    }
    Ok(all)
}

/// The work files in a folder, by name.
fn inside(folder: &Path) -> Result<Vec<PathBuf>, WorkFilesError> {
    let failed = |why| WorkFilesError::Unreadable { path: folder.to_owned(), why };
    let is_work = |path: &PathBuf| path.to_string_lossy().ends_with(ENDING);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        found.extend(Some(entry.map_err(failed)?.path()).filter(is_work));
    }
    found.sort();
    Ok(found)
}

impl OutcomeStore for WorkFiles {
    fn get(&self, key: ReplicationKey) -> Option<Outcome> {
        let first = self.index.get(&key)?;
        let copies = self.copies.get(&key).into_iter().flatten();
        let outcome = std::iter::once(first).chain(copies).find_map(|place| self.read(key, *place));
        if outcome.is_none() {
            self.altered.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    fn put(&self, _: ReplicationKey, _: &Outcome) {}
}
