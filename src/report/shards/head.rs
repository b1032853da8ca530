//! Who left a work file, as a part of which study.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::ENGINE;
use crate::experiment::partition::Shard;
use crate::report::files::staging::FilesError;
use crate::report::manifest::{Manifest, Request, VERSION};

/// The schema of work files.
pub const SCHEMA: &str = "brownout/shard/2";
/// Shards that a study may have, at most.
pub const SHARDS_MOST: u64 = 100_000;
/// How the schema of every version begins.
const SCHEMAS: &str = "brownout/shard/";

/// The first entry of a work file: all that is needed to do the study, and which part of it this
/// is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkHead {
    /// [`SCHEMA`].
    pub schema: String,
    /// Which shard, from one.
    pub shard: u64,
    /// Of how many.
    pub shards: u64,
    /// The digest of the plans that the study begins with.
    pub plans: String,
    /// The study: its command, options and scenarios; nothing ran yet.
    pub study: Manifest,
}

/// What every version says of itself.
#[derive(Deserialize)]
struct Program {
    #[serde(default)]
    schema: String,
    #[serde(default)]
    study: StudyWriter,
}

/// The part of a manifest that says who wrote it.
#[derive(Default, Deserialize)]
struct StudyWriter {
    #[serde(default)]
    version: String,
    #[serde(default)]
    engine: u32,
}

/// Why work files cannot be used. None of these changes one.
#[derive(Debug, thiserror::Error)]
pub enum WorkFilesError {
    /// The operating system refused.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A file cannot be read.
    #[error(
        "cannot read {path}: {why}\n  = help: name the folder that shards write into, \
         NAME.shards, or files of it"
    )]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// There is nothing to merge.
    #[error(
        "{place} has no work files\n  = help: name the folder that shards left, such as {}, or \
         files of it: they end with .jsonl.gz",
        example.display()
    )]
    Nothing {
        /// Where.
        place: PathBuf,
        /// A folder that may be meant.
        example: PathBuf,
    },
    /// It is of a program whose replications may not be ours.
    #[error(
        "{path} is too {age}: it was left by version {version} with engine {engine} ({schema}), \
         this is version {VERSION} with engine {ENGINE} ({SCHEMA})\n  = help: {help}"
    )]
    Program {
        /// Which file.
        path: PathBuf,
        /// Old or new.
        age: &'static str,
        /// Who left it, …
        version: String,
        /// … with which engine, …
        engine: u32,
        /// … and the schema of the file.
        schema: String,
        /// What can be done.
        help: &'static str,
    },
    /// It is of other work than the rest.
    #[error(
        "{path} is a part of brownout {theirs} {how}, and not of brownout {ours}\n  = help: keep \
         each study in a folder of its own: give it another --name or --output, or remove what is \
         not needed any more"
    )]
    Study {
        /// Which file.
        path: PathBuf,
        /// What it is of.
        theirs: String,
        /// What is asked for.
        ours: String,
        /// In what they differ.
        how: String,
    },
    /// Two files say different things of the same.
    #[error(
        "{first} and {second} differ in replication {replication} of the same plan, which is \
         impossible on sound machines\n  = help: remove the file that is wrong, or both, and run \
         its shard again; if they differ once more, the program is at fault"
    )]
    Contradiction {
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The index of the replication.
        replication: u64,
    },
}

impl WorkFilesError {
    /// There is nothing at a place; if folders of shards lie in it, the first may be meant.
    pub(super) fn nothing(place: &Path) -> Self {
        let found = std::fs::read_dir(place).into_iter().flatten().flatten();
        let is_shards = |path: &PathBuf| path.extension().is_some_and(|end| end == "shards");
        let meant = found.map(|entry| entry.path()).filter(is_shards).min();
        let example = meant.unwrap_or_else(|| PathBuf::from("results/NAME.shards"));
        WorkFilesError::Nothing { place: place.to_owned(), example }
    }
}

impl WorkHead {
    /// Of a shard of a study, which begins with plans of this digest.
    pub fn new(shard: Shard, plans: u64, study: Manifest) -> Self {
        let Shard { index, count } = shard;
        let plans = crate::report::manifest::digest(plans);
        WorkHead { schema: SCHEMA.to_owned(), shard: index + 1, shards: count, plans, study }
    }

    /// Reads the first entry of a file; `None` if it is none.
    ///
    /// # Errors
    /// It is of another version.
    pub(super) fn read(
        path: &Path,
        value: serde_json::Value,
    ) -> Result<Option<Self>, WorkFilesError> {
        let Ok(program) = Program::deserialize(&value) else { return Ok(None) };
        let Program { schema, study: StudyWriter { version, engine } } = program;
        let number = |schema: &str| schema.strip_prefix(SCHEMAS)?.parse::<u64>().ok();
        let age = |engine: u32, version: &str, schema: u64| (engine, parts(version), schema);
        let Some(numbered) = number(&schema) else { return Ok(None) };
        let theirs = age(engine, &version, numbered);
        let (age, help) = match theirs.cmp(&age(ENGINE, VERSION, number(SCHEMA).expect("ours"))) {
            Ordering::Less => ("old", "do the study again, or merge it with the version it is of"),
            Ordering::Greater => ("new", "merge it with the version it is of"),
            Ordering::Equal => {
                let head: Option<WorkHead> = serde_json::from_value(value).ok();
                return Ok(head.filter(WorkHead::is_of_a_shard));
            }
        };
        Err(WorkFilesError::Program { path: path.to_owned(), age, version, engine, schema, help })
    }

    fn is_of_a_shard(&self) -> bool {
        (1..=self.shards).contains(&self.shard) && self.shards <= SHARDS_MOST
    }

    /// Whether its shards began with plans of this digest: with the same files that its scenarios
    /// name.
    pub fn begins_with(&self, plans: u64) -> bool {
        self.plans == crate::report::manifest::digest(plans)
    }

    /// In what the study of this one differs from that of another, in words.
    pub(super) fn difference(&self, other: &WorkHead) -> String {
        let (theirs, ours) = (&self.study.request, &other.study.request);
        let only = |one: &Request, other: &Request| {
            let all = one.options.iter().filter(|option| !other.options.contains(option));
            all.cloned().collect::<Vec<_>>().join(" ")
        };
        match (&*only(theirs, ours), &*only(ours, theirs)) {
            ("", "") if self.study.scenarios == other.study.scenarios => {
                "as the files that its scenario names were then".to_owned()
            }
            ("", "") => "as its scenario was then".to_owned(),
            ("", less) => format!("(made without {less})"),
            (more, "") => format!("(made with {more})"),
            (more, less) => format!("(made with {more} in place of {less})"),
        }
    }

    /// Whether both are parts of the same study.
    pub fn is_with(&self, other: &WorkHead) -> bool {
        (&self.plans, &self.study) == (&other.plans, &other.study)
    }
}

/// The numbers of a version, the weightiest first.
fn parts(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}
