//! Tests of work files: what was cut off, altered, doubled, or is of something else.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::file::{EntryWriter, FileLook, LookedThrough, look_through};
use super::*;
use crate::engine::ENGINE;
use crate::experiment::partition::Shard;
use crate::experiment::store::{OutcomeStore, ReplicationKey};
use crate::experiment::tests::example;
use crate::observe::outcome::Outcome;
use crate::report;
use crate::report::manifest::{Manifest, Request};

fn study(options: &[&str]) -> Manifest {
    let options = options.iter().map(|&option| option.to_owned()).collect();
    let request = Request { command: "run".to_owned(), options };
    Manifest::new(request, false, &[&report::sample::scenario()], Vec::new())
}

fn head(index: u64) -> WorkHead {
    WorkHead::new(Shard { index, count: 4 }, 7, study(&["--replications=9"]))
}

fn key(replication: u64) -> ReplicationKey {
    ReplicationKey { plan: 42, replication }
}

/// A replication without what files do not keep.
fn outcome(replication: u64) -> Outcome {
    let mut outcome = example::experiment().outcomes[1].clone();
    outcome.replication = replication;
    outcome.forget_details();
    outcome
}

/// What a part is watched by in tests: nothing takes any time.
struct Still(Arc<AtomicBool>);

impl PartWatch for Still {
    fn elapsed(&self) -> u64 {
        5
    }

    fn amount(&self) -> Option<u64> {
        Some(9)
    }

    fn full(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn begin(folder: &Path, index: u64) -> ShardPart {
    ShardPart::begin(folder, &head(index), Still(Arc::default())).unwrap()
}

/// The file of a shard with so many replications from a first on, ended.
fn left(folder: &Path, index: u64, replications: std::ops::Range<u64>) -> PathBuf {
    let part = begin(folder, index);
    replications.for_each(|n| part.put(key(n), &outcome(n)));
    part.end();
    part.path()
}

fn found(path: &Path) -> LookedThrough {
    match look_through(path).unwrap() {
        FileLook::Found(found) => *found,
        other => panic!("{other:?}"),
    }
}

fn open(folder: &Path) -> Result<WorkFiles, WorkFilesError> {
    WorkFiles::open(&[folder.to_owned()])
}

#[test]
fn what_shards_left_comes_back_whoever_left_it() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    left(folder, 0, 0..3);
    left(folder, 2, 2..5);
    // A second start of the same shard has a file of its own, and finds what was there.
    let again = begin(folder, 0);
    assert_eq!((again.known().replications(), again.get(key(4))), (5, Some(outcome(4))));
    again.put(key(8), &outcome(8));
    let all = open(folder).unwrap();
    assert_eq!((all.replications(), all.files().len(), all.notes().len()), (6, 3, 0));
    let shown = |file: &WorkFile| {
        let name = file.path.file_name().unwrap().to_string_lossy().into_owned();
        (name, file.shard, file.replications, file.is_ended, file.amount)
    };
    let shown: Vec<_> = all.files().iter().map(shown).collect();
    assert_eq!(shown[0], ("1-of-4.2.jsonl.gz".to_owned(), 1, 1, false, Some(9)));
    assert_eq!(shown[1], ("1-of-4.jsonl.gz".to_owned(), 1, 3, true, Some(9)));
    // Replication 2 is in two of them.
    assert_eq!(all.files().iter().map(|file| file.added).collect::<Vec<_>>(), [1, 3, 2]);
    for n in [0, 1, 2, 3, 4, 8] {
        assert_eq!(all.get(key(n)), Some(outcome(n)));
    }
    assert_eq!((all.get(key(5)), all.altered()), (None, 0));
}

#[test]
fn a_file_that_is_cut_off_anywhere_has_all_that_comes_before() {
    let root = tempfile::tempdir().unwrap();
    let path = left(root.path(), 0, 0..3);
    let whole = fs::read(&path).unwrap();
    let ends: Vec<u64> = found(&path)
        .places
        .iter()
        .map(|(_, place)| place.offset + u64::from(place.length))
        .collect();
    for length in (0..whole.len()).step_by(7) {
        fs::write(&path, &whole[..length]).unwrap();
        let kept = ends.iter().filter(|end| **end <= length as u64).count();
        let count = match look_through(&path).unwrap() {
            FileLook::Found(found) => {
                assert!(found.damaged == 0 && !found.is_ended);
                found.places.len()
            }
            FileLook::Empty => 0,
            FileLook::Foreign => panic!("{length} bytes are taken for something else"),
        };
        assert_eq!(count, kept, "{length} bytes of {}", whole.len());
    }
    fs::write(&path, []).unwrap();
    assert!(matches!(open(root.path()), Err(WorkFilesError::Nothing { .. })));
}

#[test]
fn what_is_altered_is_left_out_and_the_rest_is_found() {
    let root = tempfile::tempdir().unwrap();
    let path = left(root.path(), 0, 0..4);
    let whole = fs::read(&path).unwrap();
    let places = found(&path).places;
    let (second, third) = (places[1].1, places[2].1);
    for at in (second.offset..third.offset).step_by(11) {
        let mut altered = whole.clone();
        altered[at as usize] ^= 0x10;
        fs::write(&path, &altered).unwrap();
        let all = open(root.path()).unwrap();
        let got = |n: u64| all.get(key(n)) == Some(outcome(n));
        assert!(got(0) && got(2) && got(3), "byte {at}");
        assert_eq!(all.get(key(1)), None, "byte {at}");
        assert!(all.altered() + all.notes().len() > 0, "byte {at}");
    }
}

/// Alters a byte of the last bytes of a replication in a file, or of what comes before them.
fn alter(path: &Path, replication: u64, in_trailer: bool) {
    let places = found(path).places;
    let place = places.iter().find(|(one, _)| *one == key(replication)).unwrap().1;
    let end = (place.offset + u64::from(place.length)) as usize;
    let mut bytes = fs::read(path).unwrap();
    bytes[if in_trailer { end - 6 } else { place.offset as usize + 60 }] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_altered_is_made_again_whichever_file_comes_first() {
    for in_trailer in [false, true] {
        for damaged_first in [false, true] {
            let root = tempfile::tempdir().unwrap();
            // By name the file of shard 1 comes before that of shard 2.
            let [damaged, sound] = if damaged_first { [0, 1] } else { [1, 0] };
            let altered = left(root.path(), damaged, 0..2);
            alter(&altered, 1, in_trailer);
            let part = begin(root.path(), sound);
            assert_eq!(part.get(key(1)), None);
            part.put(key(1), &outcome(1));
            part.end();
            let all = open(root.path()).unwrap();
            assert_eq!((all.get(key(0)), all.get(key(1))), (Some(outcome(0)), Some(outcome(1))));
            assert_eq!(all.altered(), 0, "{in_trailer} {damaged_first}");
        }
    }
}

#[test]
fn the_number_of_shards_is_that_of_the_file_that_came_last() {
    let root = tempfile::tempdir().unwrap();
    left(root.path(), 0, 0..2);
    let others = WorkHead::new(Shard { index: 1, count: 2 }, 7, study(&["--replications=9"]));
    std::thread::sleep(std::time::Duration::from_millis(20));
    let part = ShardPart::begin(root.path(), &others, Still(Arc::default())).unwrap();
    part.end();
    assert_eq!(open(root.path()).unwrap().shards(), 2);
}

#[test]
fn a_shard_that_cannot_be_is_no_work_file() {
    for (shard, shards) in [(0, 4), (7, 2), (1, SHARDS_MOST + 1)] {
        let root = tempfile::tempdir().unwrap();
        let path = EntryWriter::create(root.path(), &WorkHead { shard, shards, ..head(0) });
        let look = look_through(&path.unwrap().path).unwrap();
        assert!(matches!(look, FileLook::Foreign), "{shard} of {shards}");
    }
}

#[test]
fn files_that_contradict_each_other_are_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    left(root.path(), 0, 0..2);
    let mut writer = EntryWriter::create(root.path(), &head(1)).unwrap();
    let other = Outcome { digest: 1, ..outcome(1) };
    writer.add_replication(key(1), 0, &other).unwrap();
    let refused = open(root.path()).unwrap_err().to_string();
    for part in ["1-of-4.jsonl.gz", "2-of-4.jsonl.gz", "replication 1", "remove the file"] {
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn files_of_something_else_are_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    left(root.path(), 0, 0..2);
    let mut other = head(1);
    other.study = study(&["--replications=9", "--set=a.b=1"]);
    EntryWriter::create(root.path(), &other).unwrap();
    let refused = open(root.path()).unwrap_err().to_string();
    assert!(refused.contains("2-of-4.jsonl.gz is a part of brownout run"), "{refused}");
    let refused = WorkFiles::of_study(root.path(), &head(3)).unwrap_err().to_string();
    assert!(refused.contains("(made with --set=a.b=1), and not of"), "{refused}");
    fs::remove_file(root.path().join("2-of-4.jsonl.gz")).unwrap();
    // What is none of ours is left out and told; so is what has hardly begun.
    fs::write(root.path().join("8-of-9.jsonl.gz"), "something that is no work file").unwrap();
    fs::write(root.path().join("9-of-9.jsonl.gz"), [0x1f, 0x8b, 8]).unwrap();
    let all = open(root.path()).unwrap();
    let [foreign, empty] = all.notes() else { panic!("{:?}", all.notes()) };
    assert!(foreign.contains("8-of-9.jsonl.gz is left out: it is no work file"), "{foreign}");
    assert!(empty.contains("9-of-9.jsonl.gz was cut off"), "{empty}");
    assert_eq!(all.replications(), 2);
}

#[test]
fn files_of_other_versions_are_too_old_or_too_new() {
    let refused = |change: &dyn Fn(&mut WorkHead)| {
        let root = tempfile::tempdir().unwrap();
        let mut head = head(0);
        change(&mut head);
        EntryWriter::create(root.path(), &head).unwrap();
        open(root.path()).unwrap_err().to_string()
    };
    let old = refused(&|head| head.study.engine = ENGINE - 1);
    assert!(old.contains("too old") && old.contains(&format!("engine {}", ENGINE - 1)), "{old}");
    let new = refused(&|head| head.schema = "brownout/shard/9".to_owned());
    assert!(new.contains("too new"), "{new}");
    let new = refused(&|head| head.study.version = "9.1.0".to_owned());
    assert!(new.contains("too new") && new.contains("version 9.1.0"), "{new}");
    let foreign = refused(&|head| head.schema = "something/else".to_owned());
    assert!(foreign.contains("has no work files"), "{foreign}");
}

/// A head as another version lays it out: a gzip member whose extra field has another length.
fn laid_out_otherwise(schema: &str) -> Vec<u8> {
    let head = serde_json::to_vec(&WorkHead { schema: schema.to_owned(), ..head(0) }).unwrap();
    let extra = b"BO\x21\0 thirty-three bytes are in here ".to_vec();
    let mut member = flate2::GzBuilder::new().extra(extra).write(Vec::new(), Default::default());
    member.write_all(&head).unwrap();
    member.finish().unwrap()
}

#[test]
fn files_that_are_laid_out_otherwise_say_which_version_left_them() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("1-of-4.jsonl.gz");
    for (schema, age) in [("brownout/shard/1", "too old"), ("brownout/shard/9", "too new")] {
        let member = laid_out_otherwise(schema);
        fs::write(&path, [member.clone(), member].concat()).unwrap();
        let refused = open(root.path()).unwrap_err().to_string();
        assert!(refused.contains(age) && refused.contains(schema), "{refused}");
    }
    fs::write(&path, laid_out_otherwise("something/else")).unwrap();
    assert!(matches!(look_through(&path).unwrap(), FileLook::Foreign));
}

#[test]
fn nothing_is_said_to_be_kept_that_is_not() {
    let root = tempfile::tempdir().unwrap();
    let full = Arc::new(AtomicBool::new(false));
    // Every write to this device fails as on a full disk.
    let Ok(device) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let part = ShardPart::begin(root.path(), &head(0), Still(Arc::clone(&full))).unwrap();
    part.write_into(device);
    part.put(key(0), &outcome(0));
    part.put(key(1), &outcome(1));
    assert!(full.load(Ordering::Relaxed) && part.made() == 0);
    assert!(part.trouble().unwrap().contains("No space left"));
    part.end();
    assert_eq!(open(root.path()).unwrap().replications(), 0);
}
