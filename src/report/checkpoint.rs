//! The checkpoint: complete replications of work in progress, one to a line, so that work that was
//! stopped in any way can go on. It is removed when the work is complete.
//!
//! A replication is a function of plan, seed, index and engine, so what a checkpoint answers is
//! what would be simulated again, to the last bit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::files::FilesError;
use crate::engine::ENGINE;
use crate::experiment::store::{OutcomeStore, ReplicationKey};
use crate::observe::outcome::Outcome;

/// The schema of the file.
const SCHEMA: &str = "brownout/checkpoint/3";

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    schema: String,
    engine: u32,
}

impl Head {
    fn ours() -> Self {
        Head { schema: SCHEMA.to_owned(), engine: ENGINE }
    }
}

/// Any other line.
#[derive(Serialize, Deserialize)]
struct CheckpointLine<O> {
    plan: u64,
    outcome: O,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is of an engine whose replications are not ours.
    #[error(
        "{path} was left by engine {engine}, this is engine {ENGINE}: there is nothing to go on \
         with\n  = help: begin anew, without --resume"
    )]
    Engine {
        /// Which file.
        path: PathBuf,
        /// The engine that left it.
        engine: u32,
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
    /// The plans that were asked for.
    asked: Mutex<BTreeSet<u64>>,
    /// Whether what it had was taken up.
    resumed: bool,
}

impl Checkpoint {
    /// Opens the checkpoint of the results directory `target`; `resume` = with what it has. What an
    /// earlier run left is kept until the work is complete, even if it is not used.
    ///
    /// # Errors
    /// Those of the file system, or it is to be resumed and of another engine.
    pub fn open(target: &Path, resume: bool) -> Result<Self, CheckpointError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.checkpoint.jsonl"));
        let at = |source| FilesError::Io { path: path.clone(), source };
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(at(error).into()),
        };
        let head = text.lines().next().and_then(head);
        let usable = head.as_ref() == Some(&Head::ours());
        if let Some(Head { engine, .. }) = head.filter(|_| resume && !usable) {
            return Err(CheckpointError::Engine { path, engine });
        }
        let mut open = OpenOptions::new();
        let file = match usable {
            true => open.append(true).open(&path),
            false => open.write(true).create(true).truncate(true).open(&path),
        };
        let mut file = file.map_err(at)?;
        let begin = match usable {
            // The last line may have been cut off.
            true if text.ends_with('\n') => Ok(()),
            true => file.write_all(b"\n"),
            false => write(&mut file, &Head::ours()),
        };
        begin.map_err(at)?;
        let found = if usable && resume { outcomes(&text) } else { BTreeMap::new() };
        let kept = Mutex::new(if usable { keys(&text) } else { BTreeSet::new() });
        let asked = Mutex::default();
        Ok(Checkpoint { path, file: Mutex::new(Ok(file)), found, kept, asked, resumed: resume })
    }

    /// Replications that it had.
    pub fn found(&self) -> usize {
        self.found.len()
    }

    /// Whether there is nothing in it to go on with.
    pub fn is_empty(&self) -> bool {
        self.kept.lock().is_ok_and(|kept| kept.is_empty())
    }

    /// Why it could not keep everything, if so.
    pub fn trouble(&self) -> Option<String> {
        let file = self.file.lock().ok()?;
        file.as_ref().err().map(|error| format!("cannot write {}: {error}", self.path.display()))
    }

    /// Ends it: the work is complete. What other work left in it stays, unless it was taken up.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove(self) -> Result<(), FilesError> {
        let Checkpoint { path, file, kept, asked, resumed, .. } = self;
        drop(file);
        let (kept, asked) = (kept.into_inner(), asked.into_inner());
        let others = kept.is_ok_and(|kept| {
            kept.iter().any(|key| asked.as_ref().is_ok_and(|asked| !asked.contains(&key.plan)))
        });
        if others && !resumed {
            return Ok(());
        }
        match fs::remove_file(&path) {
            // Somebody who worked on the same has removed it.
            Err(source) if source.kind() != ErrorKind::NotFound => {
                Err(FilesError::Io { path, source })
            }
            _ => Ok(()),
        }
    }
}

/// The first line of a checkpoint of this schema.
fn head(line: &str) -> Option<Head> {
    serde_json::from_str(line).ok().filter(|head: &Head| head.schema == SCHEMA)
}

/// The part of a line that names its replication.
#[derive(Deserialize)]
struct Name {
    replication: u64,
}

/// The replications that a text has.
fn keys(text: &str) -> BTreeSet<ReplicationKey> {
    let key = |line: &str| {
        let CheckpointLine { plan, outcome: Name { replication } } =
            serde_json::from_str(line).ok()?;
        Some(ReplicationKey { plan, replication })
    };
    text.lines().skip(1).filter_map(key).collect()
}

/// What a text has; lines that were cut off are left out.
fn outcomes(text: &str) -> BTreeMap<ReplicationKey, Outcome> {
    let read = |line: &str| {
        let CheckpointLine { plan, outcome } =
            serde_json::from_str::<CheckpointLine<Outcome>>(line).ok()?;
        Some((ReplicationKey { plan, replication: outcome.replication }, outcome))
    };
    text.lines().skip(1).filter_map(read).collect()
}

fn write(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    file.write_all(text.as_bytes())
}

impl OutcomeStore for Checkpoint {
    fn get(&self, key: ReplicationKey) -> Option<Outcome> {
        if let Ok(mut asked) = self.asked.lock() {
            asked.insert(key.plan);
        }
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

    #[test]
    fn outcomes_come_back_as_they_were() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("a run");
        let first = Checkpoint::open(&target, false).unwrap();
        plain().iter().for_each(|outcome| first.put(key(outcome.replication), outcome));
        assert_eq!((first.found(), first.trouble(), first.is_empty()), (0, None, false));
        let second = Checkpoint::open(&target, true).unwrap();
        assert_eq!(second.found(), 8);
        for outcome in plain() {
            assert_eq!(second.get(key(outcome.replication)), Some(outcome));
        }
        assert_eq!(second.get(ReplicationKey { plan: 1, replication: 1 }), None);
        // Nobody asked for the plan: it may be of other work.
        Checkpoint::open(&target, false).unwrap().remove().unwrap();
        assert_eq!(Checkpoint::open(&target, true).unwrap().found(), 8);
        second.remove().unwrap();
        let third = Checkpoint::open(&target, true).unwrap();
        assert!(third.found() == 0 && third.is_empty());
    }

    #[test]
    fn what_is_not_used_is_kept_and_what_is_cut_off_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("run");
        let outcomes = plain();
        Checkpoint::open(&target, false).unwrap().put(key(0), &outcomes[0]);
        let path = root.path().join(".run.checkpoint.jsonl");
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{}", &whole[whole.len() / 2..whole.len() - 9])).unwrap();
        Checkpoint::open(&target, false).unwrap().put(key(1), &outcomes[1]);
        assert_eq!(Checkpoint::open(&target, true).unwrap().found(), 2);
    }

    #[test]
    fn what_another_engine_left_is_not_gone_on_with() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("run");
        Checkpoint::open(&target, false).unwrap().put(key(0), &plain()[0]);
        let path = root.path().join(".run.checkpoint.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        let engine = format!("\"engine\":{ENGINE}");
        assert!(text.contains(&engine), "{text}");
        fs::write(&path, text.replacen(&engine, "\"engine\":4294967295", 1)).unwrap();
        let refused = Checkpoint::open(&target, true).unwrap_err().to_string();
        assert!(refused.contains("left by engine 4294967295, this is engine"), "{refused}");
        assert_eq!(Checkpoint::open(&target, false).unwrap().found(), 0);
        fs::write(&path, text.replacen(SCHEMA, "brownout/checkpoint/0", 1)).unwrap();
        assert_eq!(Checkpoint::open(&target, true).unwrap().found(), 0);
    }
}
