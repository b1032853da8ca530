//! One work file: looking through it, and writing a new one.
//!
//! Nobody writes into the file of another, nor goes on with one that was left: each start of a
//! shard makes a file that was not there. So nothing needs a lock, which shared folders often lack,
//! and no clocks are compared: what two starts of the same shard leave is found twice.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::head::{WorkFilesError, WorkHead};
use super::member::{self, EntryHeader, EntryKind, HEADER, MAGIC, TRAILER};
use crate::experiment::store::ReplicationKey;
use crate::report::files::staging::FilesError;

/// How the names of work files end.
pub const ENDING: &str = ".jsonl.gz";

/// The folder for the work files of a study whose results are to lie at `results`.
pub fn folder_of(results: &Path) -> PathBuf {
    let mut name = results.file_name().unwrap_or_default().to_owned();
    name.push(".shards");
    results.with_file_name(name)
}

/// The key of what is no replication.
const NO_KEY: ReplicationKey = ReplicationKey { plan: 0, replication: 0 };

/// Where a replication lies in a work file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryPlace {
    /// From the start of the file, in bytes.
    pub(super) offset: u64,
    /// Bytes of its entry.
    pub(super) length: u32,
    /// Checksum and length of what is compressed in it.
    pub(super) content: [u8; TRAILER],
}

/// What a look through a work file found.
#[derive(Debug)]
pub struct LookedThrough {
    /// Who left it.
    pub head: WorkHead,
    /// Replications that there are in the study, if that was written.
    pub amount: Option<u64>,
    /// Milliseconds from its start to its last entry.
    pub elapsed: u64,
    /// Whether it was written to its end.
    pub is_ended: bool,
    /// Stretches that were altered.
    pub damaged: usize,
    /// Whether the last entry was cut off.
    pub is_cut: bool,
    /// Its replications, in order.
    pub(super) places: Vec<(ReplicationKey, EntryPlace)>,
}

/// What a look at a file came to.
#[derive(Debug)]
pub enum FileLook {
    /// A work file.
    Found(Box<LookedThrough>),
    /// It was cut off before it said anything, or is about to be begun.
    Empty,
    /// None of ours, or its first entry was altered.
    Foreign,
}

/// Looks through a file without opening its replications.
///
/// # Errors
/// It cannot be read, or is of another version.
pub fn look_through(path: &Path) -> Result<FileLook, WorkFilesError> {
    let mut reader = EntryReader::open(path).map_err(at(path))?;
    if !reader.begins_as_ours().map_err(at(path))? {
        return Ok(FileLook::Foreign);
    }
    let first = match reader.next().map_err(at(path))? {
        NextEntry::Entry(header, offset) if header.kind == EntryKind::Head => (header, offset),
        NextEntry::Over => return Ok(FileLook::Empty),
        next => return of_another_version(path, &mut reader, matches!(next, NextEntry::Cut)),
    };
    let value: Option<Value> = reader.content(first).map_err(at(path))?;
    let head = value.map_or(Ok(None), |value| WorkHead::read(path, value))?;
    let Some(head) = head else { return Ok(FileLook::Foreign) };
    let (amount, elapsed, damaged, places) = (None, 0, 0, Vec::new());
    let (is_ended, is_cut) = (false, false);
    let mut found = LookedThrough { head, amount, elapsed, is_ended, damaged, is_cut, places };
    loop {
        match reader.next().map_err(at(path))? {
            NextEntry::Entry(header, offset) => {
                found.elapsed = found.elapsed.max(header.elapsed);
                match header.kind {
                    EntryKind::Head => {}
                    EntryKind::Amount => {
                        found.amount = reader.content((header, offset)).map_err(at(path))?;
                    }
                    EntryKind::Replication => {
                        let content = reader.trailer(header, offset).map_err(at(path))?;
                        let place = EntryPlace { offset, length: header.length, content };
                        found.places.push((header.key, place));
                    }
                    EntryKind::End => found.is_ended = true,
                }
            }
            NextEntry::Damage => found.damaged += 1,
            NextEntry::Cut => found.is_cut = true,
            NextEntry::Over => return Ok(FileLook::Found(Box::new(found))),
        }
    }
}

/// A file whose first entry is not laid out as ours: another version may have left it.
fn of_another_version(
    path: &Path,
    reader: &mut EntryReader,
    is_cut: bool,
) -> Result<FileLook, WorkFilesError> {
    reader.go_to(0).map_err(at(path))?;
    // More than any head takes, and little enough to be read of anything.
    let value: Option<Value> = member::decompressed((&mut reader.file).take(1 << 20));
    let is_other = value.is_some();
    value.map_or(Ok(None), |value| WorkHead::read(path, value))?;
    Ok(if is_cut && !is_other { FileLook::Empty } else { FileLook::Foreign })
}

/// Reads what lies at a place of a file.
pub(super) fn read_at<T: DeserializeOwned>(
    file: &mut File,
    place: EntryPlace,
) -> io::Result<Option<T>> {
    let mut member = vec![0; place.length as usize];
    file.seek(SeekFrom::Start(place.offset))?;
    file.read_exact(&mut member)?;
    Ok(member::content(&member))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> WorkFilesError {
    move |why| WorkFilesError::Unreadable { path: path.to_owned(), why }
}

/// A file, read from entry to entry.
struct EntryReader {
    file: BufReader<File>,
    offset: u64,
    size: u64,
}

/// What comes next in a file.
enum NextEntry {
    /// An entry that begins there.
    Entry(EntryHeader, u64),
    /// A stretch that is no entry, with an entry after it.
    Damage,
    /// An entry that is not all there, or a stretch after which nothing comes.
    Cut,
    Over,
}

impl EntryReader {
    fn open(path: &Path) -> io::Result<EntryReader> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(EntryReader { file: BufReader::new(file), offset: 0, size })
    }

    /// Whether the first bytes, as far as there are any, are those of an entry.
    fn begins_as_ours(&mut self) -> io::Result<bool> {
        let mut bytes = vec![0; self.size.min(MAGIC.len() as u64) as usize];
        self.file.read_exact(&mut bytes)?;
        Ok(MAGIC.starts_with(&bytes))
    }

    fn next(&mut self) -> io::Result<NextEntry> {
        let offset = self.offset;
        if offset >= self.size {
            return Ok(NextEntry::Over);
        }
        match self.header(offset)? {
            Some(header) if offset + u64::from(header.length) <= self.size => {
                self.offset = offset + u64::from(header.length);
                Ok(NextEntry::Entry(header, offset))
            }
            Some(_) => {
                self.offset = self.size;
                Ok(NextEntry::Cut)
            }
            None => self.resume(offset),
        }
    }

    /// The header that begins at an offset, if one does.
    fn header(&mut self, offset: u64) -> io::Result<Option<EntryHeader>> {
        if offset + HEADER as u64 > self.size {
            return Ok(None);
        }
        self.go_to(offset)?;
        let mut bytes = [0; HEADER];
        self.file.read_exact(&mut bytes)?;
        Ok(EntryHeader::read(&bytes))
    }

    /// Goes to the next entry after a stretch that is none.
    fn resume(&mut self, from: u64) -> io::Result<NextEntry> {
        self.go_to(from)?;
        let mut rest = Vec::new();
        self.file.read_to_end(&mut rest)?;
        let begins = |at: &usize| {
            let header = rest.get(*at..*at + HEADER);
            let header = header.and_then(|header| EntryHeader::read(header.try_into().ok()?));
            header.is_some()
        };
        let starts = rest.windows(MAGIC.len()).enumerate().skip(1);
        let mut starts = starts.filter(|(_, bytes)| *bytes == MAGIC).map(|(at, _)| at);
        let next = starts.find(begins);
        self.offset = next.map_or(self.size, |at| from + at as u64);
        Ok(if next.is_some() { NextEntry::Damage } else { NextEntry::Cut })
    }

    fn content<T: DeserializeOwned>(
        &mut self,
        (header, offset): (EntryHeader, u64),
    ) -> io::Result<Option<T>> {
        self.go_to(offset)?;
        let mut member = vec![0; header.length as usize];
        self.file.read_exact(&mut member)?;
        Ok(member::content(&member))
    }

    /// The last bytes of an entry.
    fn trailer(&mut self, header: EntryHeader, offset: u64) -> io::Result<[u8; TRAILER]> {
        self.go_to(offset + u64::from(header.length) - TRAILER as u64)?;
        let mut bytes = [0; TRAILER];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Goes to an offset, within what is read already if it lies there.
    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        let here = self.file.stream_position()?;
        self.file.seek_relative(offset as i64 - here as i64)
    }
}

/// A work file that is being written.
pub(super) struct EntryWriter {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl EntryWriter {
    /// Makes the next file of a shard in a folder, and begins it.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn create(folder: &Path, head: &WorkHead) -> Result<EntryWriter, FilesError> {
        let failed = |path: &Path, source| FilesError::Io { path: path.to_owned(), source };
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let digits = head.shards.to_string().len();
        let stem = format!("{:0digits$}-of-{}", head.shard, head.shards);
        let names = (1_u64..).map(|start| match start {
            1 => format!("{stem}{ENDING}"),
            _ => format!("{stem}.{start}{ENDING}"),
        });
        for name in names {
            let path = folder.join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut writer = EntryWriter { path, file };
                    let begun = writer.add(EntryKind::Head, NO_KEY, 0, head);
                    begun.map_err(|error| failed(&writer.path, error))?;
                    return Ok(writer);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&path, error)),
            }
        }
        unreachable!("there is always another name")
    }

    /// Adds a replication.
    pub(super) fn add_replication(
        &mut self,
        key: ReplicationKey,
        elapsed: u64,
        outcome: &impl Serialize,
    ) -> io::Result<()> {
        self.add(EntryKind::Replication, key, elapsed, outcome)
    }

    /// Says how many replications the study has, as far as is known.
    pub(super) fn add_amount(&mut self, replications: u64) -> io::Result<()> {
        self.add(EntryKind::Amount, NO_KEY, 0, &replications)
    }

    /// Ends it: nothing is left to do for now.
    pub(super) fn end(&mut self, elapsed: u64) -> io::Result<()> {
        self.add(EntryKind::End, NO_KEY, elapsed, &())?;
        self.file.sync_all()
    }

    fn add(
        &mut self,
        kind: EntryKind,
        key: ReplicationKey,
        elapsed: u64,
        content: &impl Serialize,
    ) -> io::Result<()> {
        let member = member::write(kind, key, elapsed, content)?;
        self.file.write_all(&member)
    }
}
