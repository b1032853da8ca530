//! The part of a shard, and putting parts together: what is particular to both.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::cli::exit::Exit;
use crate::experiment::partition::Shard;
use crate::experiment::store::{OutcomeStore, ReplicationKey};
use crate::experiment::{Progress, Runner};
use crate::observe::outcome::Outcome;
use crate::report::format::words::{plural, whole};
use crate::report::manifest::Manifest;
use crate::report::shards::{PartWatch, ShardPart, WorkFiles, WorkHead, folder_of};

/// The part of a shard that is being done.
pub(super) struct SharedWork {
    pub(super) shard: Shard,
    pub(super) part: ShardPart,
    folder: PathBuf,
}

impl SharedWork {
    /// Begins with what the shards of a study have left beside the place for its results.
    pub(super) fn begin(
        directory: &Path,
        shard: Shard,
        (plans, study): (u64, Manifest),
        progress: &Arc<Progress>,
    ) -> anyhow::Result<SharedWork> {
        let folder = folder_of(directory);
        let (begun, progress) = (Instant::now(), Arc::clone(progress));
        let watch = Watch { begun, progress, is_adaptive: study.request.is_adaptive() };
        let head = WorkHead::new(shard, plans, study);
        let part = ShardPart::begin(&folder, &head, watch)?;
        Ok(SharedWork { shard, part, folder })
    }

    /// Ends it, and says what was done.
    ///
    /// # Errors
    /// What was made could not all be kept.
    pub(super) fn end(&self, cancelled: bool) -> anyhow::Result<(Exit, String)> {
        if let Some(trouble) = self.part.trouble() {
            anyhow::bail!(
                "{trouble}\n  = help: what was kept stays: make room, and run the shard again"
            );
        }
        if !cancelled {
            self.part.end();
        }
        let Shard { index, count } = self.shard;
        let (made, path) = (plural(self.part.made() as u64, "replication"), self.part.path());
        let (state, next, exit) = match cancelled {
            true => ("stopped", "the same command goes on from here".to_owned(), Exit::Interrupted),
            false => {
                let folder = quoted(&self.folder);
                let next = format!("when all shards are done: brownout merge {folder}");
                ("done", next, Exit::Met)
            }
        };
        let (index, path) = (index + 1, path.display());
        Ok((exit, format!("shard {index} of {count}: {state}, {made} made, in {path}\n{next}\n")))
    }
}

/// The work of a shard, as its part has to know it.
struct Watch {
    begun: Instant,
    progress: Arc<Progress>,
    is_adaptive: bool,
}

impl PartWatch for Watch {
    fn elapsed(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64
    }

    fn amount(&self) -> Option<u64> {
        (!self.is_adaptive).then(|| self.progress.replications() as u64)
    }

    fn full(&self) {
        self.progress.cancel();
    }
}

/// What shards left, and what is made now where that was not enough.
pub(super) struct Layers<'a> {
    pub(super) left: &'a WorkFiles,
    pub(super) made: &'a dyn OutcomeStore,
}

impl OutcomeStore for Layers<'_> {
    fn get(&self, key: ReplicationKey) -> Option<Outcome> {
        self.left.get(key).or_else(|| self.made.get(key))
    }

    fn put(&self, key: ReplicationKey, outcome: &Outcome) {
        self.made.put(key, outcome);
    }
}

/// Refuses work files whose shards read other files than are there now, such as recordings.
pub(super) fn expect_same_plans(files: &WorkFiles, plans: u64) -> anyhow::Result<()> {
    anyhow::ensure!(
        files.head().begins_with(plans),
        "a file that the scenario names, such as a recording, is not what it was when the shards \
         ran\n  = help: name the folder from which its path starts with --base; or run all shards \
         again with another --name"
    );
    Ok(())
}

/// A path as a shell reads it.
pub(in crate::cli) fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    shlex::try_quote(&path).map_or_else(|_| path.clone(), |quoted| quoted.into_owned())
}

/// Shards that are named one by one.
const NAMED: usize = 12;

/// What is missing of work that is put together, in words; `None` if nothing is.
pub(super) fn missing(runner: &Runner<'_>, files: &WorkFiles) -> Option<String> {
    let missing = runner.absent().count() as u64;
    if missing == 0 {
        return None;
    }
    let study = &files.head().study;
    let are = if missing == 1 { "is" } else { "are" };
    let what = match study.request.is_adaptive() {
        true => format!("{} that {are} next {are} missing", plural(missing, "replication")),
        false => {
            let all = plural(runner.progress().replications() as u64, "replication");
            format!("{} of {all} {are} missing", whole(missing))
        }
    };
    let mut out = format!("brownout {}: {what}\n", study.subject());
    let count = files.shards();
    let by_shard = runner.absent().by_shard(count).into_iter().enumerate();
    let lacking: Vec<(usize, usize)> = by_shard.filter(|(_, many)| *many > 0).collect();
    for (index, many) in lacking.iter().take(NAMED) {
        out += &format!("  shard {} of {count}: {}\n", index + 1, whole(*many as u64));
    }
    if let Some(more) = lacking.len().checked_sub(NAMED).filter(|more| *more > 0) {
        out += &format!("  and {more} shards more\n");
    }
    if files.altered() > 0 {
        let had = if files.altered() == 1 {
            "had been altered, and is"
        } else {
            "had been altered, and are"
        };
        let altered = plural(files.altered() as u64, "replication");
        out += &format!("  {altered} in the files {had} left out\n");
    }
    let shards = match study.request.is_adaptive() {
        true => "run all shards again for the next round: each makes its part",
        false => "run these shards again: each makes what is missing of its part",
    };
    let help = format!("{shards}; or have it simulated here with --fill");
    Some(format!("{out}  = help: {help}\n"))
}
