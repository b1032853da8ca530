//! `brownout status`: how far the shards are that write into a folder, from the folder alone.
//!
//! Each file says how many replications it holds and, by the clock of who wrote it, how long they
//! took. Clocks of different machines are compared for one thing only: for how long nothing was
//! written.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::cli::args::{StatusArgs, StatusFormat};
use crate::cli::exit::Exit;
use crate::cli::shards::submit::STUDY;
use crate::cli::terminal::Terminal;
use crate::report::format::table::Table;
use crate::report::format::words::{plural, whole};
use crate::report::manifest::Manifest;
use crate::report::shards::{WorkFile, WorkFiles, WorkFilesError};
use crate::units::{SECOND, Span, three_digits};

/// The schema of the JSON.
const SCHEMA: &str = "brownout/status/1";
/// A shard that wrote nothing for so many times its mean time for a replication, and for a minute,
/// is told as silent.
const SILENT: f64 = 10.0;

/// How far a study is.
#[derive(Debug, Serialize)]
struct StudyStatus {
    schema: &'static str,
    /// The command, as it would be typed.
    study: String,
    /// Replications that are there.
    replications: usize,
    /// Of how many; `None` = that is decided as it goes.
    of: Option<u64>,
    /// Seconds until the last shard is done, at the pace of each so far; `None` = not known.
    left_s: Option<f64>,
    shards: Vec<ShardStatus>,
}

/// How far a shard is.
#[derive(Debug, Serialize)]
struct ShardStatus {
    shard: u64,
    state: ShardState,
    /// Files that it began: one for each time that it was started.
    starts: usize,
    /// Replications in them, each counted once.
    replications: usize,
    /// Replications in a second, of the start that made most.
    per_second: Option<f64>,
    /// Seconds since something was written.
    silent_s: Option<f64>,
}

/// What a shard does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum ShardState {
    /// It left nothing.
    Missing,
    /// It wrote something lately and is not at its end.
    Running,
    /// It is not at its end and has written nothing for long.
    Silent,
    /// Nothing was left to do when its last start ended.
    Done,
}

impl ShardState {
    fn words(self) -> &'static str {
        match self {
            ShardState::Missing => "not begun",
            ShardState::Running => "running",
            ShardState::Silent => "silent",
            ShardState::Done => "done",
        }
    }
}

/// Says how far the shards in a folder are.
pub(in crate::cli) fn status(args: &StatusArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let status = match WorkFiles::open(std::slice::from_ref(&args.folder)) {
        Ok(files) => {
            for note in files.notes() {
                terminal.say(&format!("warning: {note}\n"));
            }
            of(&files, SystemTime::now())
        }
        Err(nothing @ WorkFilesError::Nothing { .. }) => {
            not_begun(&args.folder.join(STUDY)).ok_or(nothing)?
        }
        Err(error) => return Err(error.into()),
    };
    match args.format {
        StatusFormat::Text => terminal.print(&text(&status))?,
        StatusFormat::Json => terminal.print(&(serde_json::to_string_pretty(&status)? + "\n"))?,
    }
    Ok(if status.is_done() { Exit::Met } else { Exit::Undecided })
}

/// How far a study is that was submitted, if it was and no shard has begun.
fn not_begun(study: &Path) -> Option<StudyStatus> {
    let study = std::fs::read_to_string(study).ok()?;
    let study = Manifest::read(&study).ok()?.subject().to_string();
    let (of, left_s, shards) = (None, None, Vec::new());
    Some(StudyStatus { schema: SCHEMA, study, replications: 0, of, left_s, shards })
}

impl StudyStatus {
    /// Whether nothing is left to do for now: no shard has more to make, or all of a known number
    /// of replications are there, whoever made them.
    fn is_done(&self) -> bool {
        let all_ended = self.shards.iter().all(|shard| shard.state == ShardState::Done);
        let all_there = self.of.is_some_and(|all| self.replications as u64 >= all);
        !self.shards.is_empty() && (all_ended || all_there)
    }
}

fn of(files: &WorkFiles, now: SystemTime) -> StudyStatus {
    let count = files.shards();
    let amount = files.files().iter().filter_map(|file| file.amount).max();
    let shards: Vec<ShardStatus> = (1..=count)
        .map(|shard| {
            let own = |file: &&WorkFile| (file.shard, file.shards) == (shard, count);
            shard_of(shard, &files.files().iter().filter(own).collect::<Vec<_>>(), now)
        })
        .collect();
    let left = amount.and_then(|amount| left(&shards, amount as f64 / count as f64));
    StudyStatus {
        schema: SCHEMA,
        study: files.study().to_string(),
        replications: files.replications(),
        of: amount,
        left_s: left,
        shards,
    }
}

fn shard_of(shard: u64, files: &[&WorkFile], now: SystemTime) -> ShardStatus {
    let written = |file: &&WorkFile| std::fs::metadata(&file.path).ok()?.modified().ok();
    let last = files.iter().filter_map(|file| Some((written(file)?, file.is_ended))).max();
    let has_ended = last.is_some_and(|(_, is_ended)| is_ended);
    // A clock that is ahead of ours has written just now.
    let silent =
        last.map(|(last, _)| now.duration_since(last).unwrap_or(Duration::ZERO).as_secs_f64());
    let most = files.iter().max_by_key(|file| file.replications);
    let pace = |file: &&WorkFile| file.replications as f64 / (file.elapsed as f64 / 1e3);
    let pace = most.map(pace).filter(|pace| pace.is_finite() && *pace > 0.0);
    let patience = pace.map_or(0.0, |pace| SILENT / pace).max(60.0);
    let state = match silent {
        _ if has_ended => ShardState::Done,
        None => ShardState::Missing,
        Some(silent) if silent > patience => ShardState::Silent,
        Some(_) => ShardState::Running,
    };
    ShardStatus {
        shard,
        state,
        starts: files.len(),
        replications: files.iter().map(|file| file.added).sum(),
        per_second: pace,
        silent_s: silent,
    }
}

/// Seconds until the last shard has made its part, if every one that is not done is running.
fn left(shards: &[ShardStatus], part: f64) -> Option<f64> {
    let open = shards.iter().filter(|shard| shard.state != ShardState::Done);
    let left = open.map(|shard| {
        let is_running = shard.state == ShardState::Running;
        let pace = shard.per_second.filter(|_| is_running)?;
        Some((part - shard.replications as f64).max(0.0) / pace)
    });
    left.collect::<Option<Vec<f64>>>().map(|all| all.into_iter().fold(0.0, f64::max))
}

fn text(status: &StudyStatus) -> String {
    let there = match status.of {
        Some(all) => {
            let all = plural(all, "replication");
            format!("{} of {all} are there", whole(status.replications as u64))
        }
        None => format!("{} are there", plural(status.replications as u64, "replication")),
    };
    let count = |state: ShardState| status.shards.iter().filter(|one| one.state == state).count();
    let (done, all) = (count(ShardState::Done), status.shards.len());
    let left = status.left_s.filter(|_| done < all);
    let left = left.map_or(String::new(), |left| {
        format!(", about {} left at this pace", Span((left.ceil() as u64).saturating_mul(SECOND)))
    });
    if all == 0 {
        return format!("brownout {}\n  no shard has begun\n", status.study);
    }
    let mut table = Table::of_numbers();
    table.row(["shard", "state", "replications", "per second", "starts", "last written"]);
    for one in &status.shards {
        let written = one.silent_s.map(|secs| format!("{} ago", Span(secs as u64 * SECOND)));
        let written = written.filter(|_| one.state != ShardState::Done);
        table.row([
            one.shard.to_string(),
            one.state.words().to_owned(),
            whole(one.replications as u64),
            one.per_second.map_or_else(|| "–".to_owned(), three_digits),
            one.starts.to_string(),
            written.unwrap_or_else(|| "–".to_owned()),
        ]);
    }
    format!(
        "brownout {}\n  {there}; {done} of {} {} done{left}\n\n{}",
        status.study,
        plural(all as u64, "shard"),
        if all == 1 { "is" } else { "are" },
        table.text()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(state: ShardState, replications: usize, per_second: Option<f64>) -> ShardStatus {
        let (shard, starts, silent_s) = (1, 1, Some(3.0));
        ShardStatus { shard, state, starts, replications, per_second, silent_s }
    }

    #[test]
    fn the_slowest_shard_says_when_all_are_done() {
        let done = || shard(ShardState::Done, 100, Some(5.0));
        let running = |made, pace| shard(ShardState::Running, made, Some(pace));
        let all = [done(), running(60, 2.0), running(90, 0.25)];
        assert_eq!(left(&all, 100.0), Some(40.0));
        assert_eq!(left(&[done(), running(120, 1.0)], 100.0), Some(0.0));
        assert_eq!(
            left(&[running(60, 2.0), shard(ShardState::Silent, 60, Some(2.0))], 100.0),
            None
        );
        assert_eq!(left(&[shard(ShardState::Missing, 0, None)], 100.0), None);
    }
}
