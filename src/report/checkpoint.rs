//! The checkpoint: complete replications of work in progress, one to a line, so that work that was
//! stopped in any way can go on. It is removed when the work is complete.
//!
//! A replication is a function of plan, seed, index and engine, so what a checkpoint answers is
//! what would be simulated again, to the last bit. Each line is `["checksum",content]`: what was
//! altered or cut off is found, said, and simulated again. A checkpoint of other work, or that
//! another program left, is never gone on with, and never removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::files::FilesError;
use super::files::staging::beside;
use super::manifest::VERSION;
use crate::engine::ENGINE;
use crate::experiment::store::{OutcomeStore, ReplicationKey};
use crate::observe::outcome::Outcome;

/// The schema of the file.
const SCHEMA: &str = "brownout/checkpoint/5";

/// The first line: who left it, in the midst of which work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    schema: String,
    #[serde(default)]
    version: String,
    engine: u32,
    /// The work in words.
    #[serde(default)]
    work: String,
    /// The digest of the plans that it began with.
    #[serde(default)]
    plans: u64,
}

impl Head {
    fn ours(work: &str, plans: u64) -> Self {
        let (schema, version) = (SCHEMA.to_owned(), VERSION.to_owned());
        Head { schema, version, engine: ENGINE, work: work.to_owned(), plans }
    }

    /// Whether replications of `other` are ours.
    fn is_of(&self, other: &Head) -> bool {
        self.is_by(other) && self.plans == other.plans
    }

    /// Whether the same program left both.
    fn is_by(&self, other: &Head) -> bool {
        let by = |head: &Head| (head.schema.clone(), head.version.clone(), head.engine);
        by(self) == by(other)
    }

    /// The program that left it: `version 0.2.0 with engine 1`.
    fn program(&self) -> String {
        match self.version.as_str() {
            "" => format!("another version, with engine {}", self.engine),
            version => format!("version {version} with engine {}", self.engine),
        }
    }
}

/// Any other line.
#[derive(Serialize, Deserialize)]
struct CheckpointLine<O> {
    plan: u64,
    outcome: O,
}

/// Why a checkpoint cannot be used. None of these changes it.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is of a program whose replications may not be ours.
    #[error(
        "{path} was left by {theirs}, this is {ours}: there is nothing to go on with\n  = help: \
         begin anew, without --resume, or go on with the program that left it"
    )]
    Program {
        /// Which file.
        path: PathBuf,
        /// Who left it.
        theirs: String,
        /// Who reads it.
        ours: String,
    },
    /// It is of other work.
    #[error(
        "{path} was left by brownout {theirs}, with other settings, another seed or another text \
         of the scenario: there is nothing to go on with\n  = help: begin anew, without \
         --resume, or repeat the command that was stopped"
    )]
    Work {
        /// Which file.
        path: PathBuf,
        /// What work that was.
        theirs: String,
    },
    /// It is none.
    #[error(
        "{path} is no checkpoint of brownout, or its first line was altered: there is nothing to \
         go on with\n  = help: begin anew, without --resume"
    )]
    Garbage {
        /// Which file.
        path: PathBuf,
    },
}

/// A file of complete replications, and those that it had.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: Mutex<io::Result<File>>,
    found: BTreeMap<ReplicationKey, Outcome>,
    /// What the file has.
    kept: Mutex<BTreeSet<ReplicationKey>>,
    notes: Vec<String>,
}

impl Checkpoint {
    /// Opens the checkpoint of the results directory `target` for work, in words, that begins with
    /// plans of this digest; `resume` = with what it has. What the same work left is kept until it
    /// is complete, even if it is not used; what others left is put aside.
    ///
    /// # Errors
    /// Those of the file system, or it is to be resumed and cannot be.
    pub fn open(
        target: &Path,
        (work, plans): (&str, u64),
        resume: bool,
    ) -> Result<Self, CheckpointError> {
        let path = beside(target, "checkpoint.jsonl");
        let at = |source| FilesError::Io { path: path.clone(), source };
        let ours = Head::ours(work, plans);
        let mut notes = Vec::new();
        let bytes = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(at(error).into()),
        };
        let known = bytes.as_deref().map(|bytes| usable(&path, bytes, &ours)).transpose();
        let known = match known {
            Err(error) if resume => return Err(error),
            Err(_) => {
                let aside = beside(target, "checkpoint.old.jsonl");
                fs::rename(&path, &aside).map_err(at)?;
                notes.push(format!("what other work left to go on with is now {}", shown(&aside)));
                None
            }
            Ok(known) => known,
        };
        if resume && known.is_none() {
            notes.push(format!("{} is not there: nothing to go on with", shown(&path)));
        }
        let lines = known.unwrap_or_default();
        notes.extend(lines.trouble(&path));
        let file = lines.append(&path, &ours).map_err(at)?;
        let kept = Mutex::new(lines.outcomes.keys().copied().collect());
        let found = if resume { lines.outcomes } else { BTreeMap::new() };
        Ok(Checkpoint { path, file: Mutex::new(Ok(file)), found, kept, notes })
    }

    /// Replications that it had.
    pub fn found(&self) -> usize {
        self.found.len()
    }

    /// What is to be said of what was found, each in a line.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether there is nothing in it to go on with.
    pub fn is_empty(&self) -> bool {
        self.kept.lock().is_ok_and(|kept| kept.is_empty())
    }

    /// Why it could not keep everything, if so.
    pub fn trouble(&self) -> Option<String> {
        let file = self.file.lock().ok()?;
        file.as_ref().err().map(|error| format!("cannot write {}: {error}", shown(&self.path)))
    }

    /// Ends it: the work is complete.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove(self) -> Result<(), FilesError> {
        let Checkpoint { path, file, .. } = self;
        drop(file);
        removed(path)
    }

    /// Removes it if there is nothing in it to go on with.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn discard(&self) -> Result<(), FilesError> {
        if self.is_empty() { removed(self.path.clone()) } else { Ok(()) }
    }
}

fn removed(path: PathBuf) -> Result<(), FilesError> {
    match fs::remove_file(&path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(FilesError::Io { path, source }),
        _ => Ok(()),
    }
}

fn shown(path: &Path) -> std::path::Display<'_> {
    path.display()
}

/// What a checkpoint of ours has.
#[derive(Default)]
struct Lines {
    outcomes: BTreeMap<ReplicationKey, Outcome>,
    /// The length of the whole lines, in bytes; 0 = there is no file.
    length: u64,
    /// Numbers of the lines that were altered.
    altered: Vec<usize>,
    /// Whether the last line was cut off.
    cut: bool,
}

impl Lines {
    /// What was wrong with it, in words.
    fn trouble(&self, path: &Path) -> Vec<String> {
        let path = shown(path);
        let altered = match self.altered.as_slice() {
            [] => None,
            [line] => Some(format!("line {line} of {path} was altered since it was written")),
            [first, ..] => Some(format!(
                "{} lines of {path}, from line {first} on, were altered since they were written",
                self.altered.len()
            )),
        };
        let altered = altered.map(|what| format!("{what}: these replications are made again"));
        let cut = format!("the last line of {path} was cut off: its replication is made again");
        altered.into_iter().chain(self.cut.then_some(cut)).collect()
    }

    /// Opens the file to add lines after these, without what was cut off.
    fn append(&self, path: &Path, head: &Head) -> io::Result<File> {
        if self.length == 0 {
            let mut open = OpenOptions::new();
            let mut file = open.write(true).create(true).truncate(true).open(path)?;
            write(&mut file, head)?;
            return Ok(file);
        }
        let file = OpenOptions::new().append(true).open(path)?;
        file.set_len(self.length)?;
        Ok(file)
    }
}

/// Reads a checkpoint, if it is of ours.
fn usable(path: &Path, bytes: &[u8], ours: &Head) -> Result<Lines, CheckpointError> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let Some(head) = content::<Head>(first).or_else(|| serde_json::from_slice(first).ok()) else {
        return Err(CheckpointError::Garbage { path: path.to_owned() });
    };
    if !head.is_by(ours) {
        let (theirs, ours) = (head.program(), ours.program());
        return Err(CheckpointError::Program { path: path.to_owned(), theirs, ours });
    }
    if !head.is_of(ours) {
        return Err(CheckpointError::Work { path: path.to_owned(), theirs: head.work });
    }
    let mut found = Lines { length: first.len() as u64, ..Lines::default() };
    for (index, line) in lines.enumerate() {
        if !line.ends_with(b"\n") {
            found.cut = true;
            break;
        }
        found.length += line.len() as u64;
        match content::<CheckpointLine<Outcome>>(line) {
            Some(CheckpointLine { plan, outcome }) if outcome.ledger.balances() => {
                let key = ReplicationKey { plan, replication: outcome.replication };
                found.outcomes.insert(key, outcome);
            }
            _ => found.altered.push(index + 2),
        }
    }
    Ok(found)
}

/// The content of a line, if it is as it was written.
fn content<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let line = line.strip_suffix(b"\n")?.strip_prefix(b"[\"")?.strip_suffix(b"]")?;
    let (sum, rest) = line.split_at_checked(8)?;
    let json = rest.strip_prefix(b"\",")?;
    (sum == checksum(json).as_bytes()).then(|| serde_json::from_slice(json).ok())?
}

fn checksum(json: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(json))
}

fn write(file: &mut File, content: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(content)?;
    let sum = checksum(json.as_bytes());
    file.write_all(format!("[\"{sum}\",{json}]\n").as_bytes())
}

impl OutcomeStore for Checkpoint {
    fn get(&self, key: ReplicationKey) -> Option<Outcome> {
        self.found.get(&key).cloned()
    }

    fn put(&self, key: ReplicationKey, outcome: &Outcome) {
        let (Ok(mut file), Ok(mut kept)) = (self.file.lock(), self.kept.lock()) else { return };
        if kept.contains(&key) {
            return;
        }
        let written = match &mut *file {
            Ok(file) => write(file, &CheckpointLine { plan: key.plan, outcome }),
            Err(_) => return,
        };
        match written {
            Ok(()) => drop(kept.insert(key)),
            Err(error) => *file = Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::{example, with_clients};

    const WORK: (&str, u64) = ("run small.toml", 7);

    fn key(replication: u64) -> ReplicationKey {
        ReplicationKey { plan: u64::MAX - 1, replication }
    }

    /// The replications that a checkpoint can keep.
    fn plain() -> Vec<Outcome> {
        let all = [example::experiment(), with_clients::experiment()];
        let outcomes = all.into_iter().flat_map(|run| run.outcomes.into_iter().skip(1));
        let number = |(index, outcome)| Outcome { replication: index as u64, ..outcome };
        outcomes.enumerate().map(number).collect()
    }

    /// A folder with the checkpoint of a run, in which are the first few of [`plain`].
    fn left(count: usize) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let (target, path) = (root.path().join("run"), root.path().join(".run.checkpoint.jsonl"));
        let checkpoint = Checkpoint::open(&target, WORK, false).unwrap();
        plain()[..count]
            .iter()
            .for_each(|outcome| checkpoint.put(key(outcome.replication), outcome));
        (root, target, path)
    }

    #[test]
    fn outcomes_come_back_as_they_were() {
        let (_root, target, path) = left(8);
        let second = Checkpoint::open(&target, WORK, true).unwrap();
        assert_eq!((second.found(), second.trouble(), second.is_empty()), (8, None, false));
        assert!(second.notes().is_empty(), "{:?}", second.notes());
        for outcome in plain() {
            assert_eq!(second.get(key(outcome.replication)), Some(outcome));
        }
        assert_eq!(second.get(ReplicationKey { plan: 1, replication: 1 }), None);
        second.remove().unwrap();
        assert!(!path.exists());
        let third = Checkpoint::open(&target, WORK, true).unwrap();
        assert!(third.found() == 0 && third.is_empty());
        assert!(third.notes()[0].ends_with("is not there: nothing to go on with"));
    }

    #[test]
    fn what_is_not_used_is_kept_and_what_is_cut_off_is_left_out_and_told() {
        let (_root, target, path) = left(2);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let second = Checkpoint::open(&target, WORK, false).unwrap();
        assert!(second.notes()[0].contains("was cut off"), "{:?}", second.notes());
        second.put(key(5), &Outcome { replication: 5, ..plain()[1].clone() });
        let third = Checkpoint::open(&target, WORK, true).unwrap();
        assert_eq!(third.found.keys().map(|key| key.replication).collect::<Vec<_>>(), [0, 5]);
        assert!(third.notes().is_empty(), "{:?}", third.notes());
    }

    #[test]
    fn every_altered_digit_is_found() {
        let (_root, target, path) = left(1);
        let whole = fs::read(&path).unwrap();
        let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let digits = (second..whole.len()).filter(|index| whole[*index].is_ascii_digit());
        let digits: Vec<usize> = digits.collect();
        assert!(digits.len() > 100);
        for index in digits {
            let mut altered = whole.clone();
            altered[index] = b'0' + (altered[index] - b'0' + 1) % 10;
            fs::write(&path, &altered).unwrap();
            let checkpoint = Checkpoint::open(&target, WORK, true).unwrap();
            assert_eq!(checkpoint.found(), 0, "the digit at {index}");
            assert!(checkpoint.notes()[0].starts_with("line 2 of "), "{:?}", checkpoint.notes());
        }
    }

    #[test]
    fn a_ledger_that_does_not_balance_is_not_believed() {
        let (_root, target, _) = left(1);
        let mut outcome = plain()[1].clone();
        outcome.ledger.served += 1;
        Checkpoint::open(&target, WORK, false).unwrap().put(key(1), &outcome);
        let second = Checkpoint::open(&target, WORK, true).unwrap();
        assert_eq!((second.found(), second.notes().len()), (1, 1));
    }

    /// Asserts that a text is not gone on with, left alone, and put aside by new work.
    fn assert_refused(text: &[u8], said: &str) {
        let (root, target, path) = left(1);
        fs::write(&path, text).unwrap();
        let refused = Checkpoint::open(&target, WORK, true).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), text);
        let anew = Checkpoint::open(&target, WORK, false).unwrap();
        assert_eq!(anew.found(), 0);
        assert!(anew.notes()[0].contains(".run.checkpoint.old.jsonl"), "{:?}", anew.notes());
        assert_eq!(fs::read(root.path().join(".run.checkpoint.old.jsonl")).unwrap(), text);
    }

    #[test]
    fn what_others_left_is_not_gone_on_with_and_not_lost() {
        let with = |head: Head| {
            let json = serde_json::to_string(&head).unwrap();
            format!("[\"{}\",{json}]\n", checksum(json.as_bytes())).into_bytes()
        };
        let ours = || Head::ours(WORK.0, WORK.1);
        let program = format!("version {VERSION} with engine {ENGINE}");
        let this = format!("this is {program}: there is nothing");
        assert_refused(&with(Head { engine: u32::MAX, ..ours() }), &this);
        assert_refused(
            &with(Head { version: "0.0.9".to_owned(), ..ours() }),
            &format!("was left by version 0.0.9 with engine {ENGINE}, {this}"),
        );
        let three = b"{\"schema\":\"brownout/checkpoint/3\",\"engine\":1}\n{\"plan\":1}\n";
        assert_refused(three, "was left by another version, with engine 1, this is version");
        assert_refused(&with(Head::ours("run other.toml", 8)), "by brownout run other.toml, with");
        for garbage in [&b""[..], b"\n", b"[]\n", b"\xff\xfe\x00", b"years of work\n"] {
            assert_refused(garbage, "is no checkpoint of brownout");
        }
    }
}
