//! Studies that several processes share, as a user meets them: whatever the number of shards, their
//! order, and what became of them, the results are those of the command by itself.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::desk::{Desk, err, out};

/// A study on a desk, and what it gives by itself.
struct Study {
    desk: Desk,
    name: &'static str,
    command: Vec<&'static str>,
}

impl Study {
    fn new(name: &'static str, command: &str) -> Study {
        let desk = Desk::with("\"p99 < 100s\", \"availability > 90%\"");
        let command: Vec<&'static str> = command.to_owned().leak().split(' ').collect();
        let whole = desk.run(&[&command[..], &["--output", "whole"]].concat());
        assert!(matches!(whole.status.code(), Some(0 | 1 | 3)), "{}", err(&whole));
        Study { desk, name, command }
    }

    fn shard(&self, shard: &str) {
        let done = self.desk.run(&[&self.command[..], &["--shard", shard]].concat());
        assert_eq!(done.status.code(), Some(0), "{}", err(&done));
        assert!(out(&done).starts_with(&format!("shard {}: done", shard.replace('/', " of "))));
    }

    fn folder(&self) -> String {
        format!("results/{}.shards", self.name)
    }

    /// Puts together what is there; how it ended, and what was said.
    fn merge(&self, more: &[&str]) -> (i32, String) {
        let folder = self.folder();
        let ended = self.desk.run(&[&["merge", &folder, "--output", "merged"], more].concat());
        (ended.status.code().unwrap(), err(&ended))
    }

    fn assert_same(&self) {
        let results = |root: &str| self.desk.results(&format!("{root}/{}", self.name));
        let (whole, merged) = (results("whole"), results("merged"));
        let names = |all: &[(String, Vec<u8>)]| {
            all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&whole), names(&merged));
        for ((name, one), (_, other)) in whole.iter().zip(&merged) {
            assert!(one == other, "{name} differs");
        }
    }
}

const SWEEP: &str = "sweep small.toml --set traffic.rate=20/s,40/s,60/s --set gateway.replicas=2,3 \
                     -n 4 --no-charts";

#[test]
fn shards_of_any_number_in_any_order_give_the_same_bytes() {
    let study = Study::new("sweep-small", SWEEP);
    for count in [1, 3, 7] {
        (1..=count).rev().for_each(|index| study.shard(&format!("{index}/{count}")));
        assert_eq!(study.merge(&[]).0, 0);
        study.assert_same();
        // What was there already is not made again, whoever made it.
        let again = study.desk.run(&[&study.command[..], &["--shard", "1/2"]].concat());
        assert!(out(&again).contains("0 replications made"), "{}", out(&again));
        fs::remove_dir_all(study.desk.path(&study.folder())).unwrap();
        fs::remove_dir_all(study.desk.path("merged")).unwrap();
    }
}

#[test]
fn runs_and_comparisons_are_shared_as_well() {
    for (name, command) in [
        ("small", "run small.toml -n 7 --requests-every 10 --no-charts"),
        ("compare-small", "compare small.toml --set gateway.replicas=2,3 -n 5 --no-charts"),
    ] {
        let study = Study::new(name, command);
        (1..=3).for_each(|index| study.shard(&format!("{index}/3")));
        assert_eq!(study.merge(&[]).0, 0);
        study.assert_same();
    }
}

/// Rounds until the results are there.
fn rounds(study: &Study, count: u64) -> usize {
    for round in 1..20 {
        (1..=count).for_each(|index| study.shard(&format!("{index}/{count}")));
        let (code, said) = study.merge(&[]);
        if study.desk.path("merged").join(study.name).exists() {
            return round;
        }
        assert_eq!(code, 3, "{said}");
        assert!(
            said.contains("that are next are missing") && said.contains("next round"),
            "{said}"
        );
    }
    panic!("it never ends");
}

#[test]
fn what_decides_as_it_goes_is_shared_in_rounds() {
    let precise = Study::new(
        "small",
        "run small.toml --precision 0.01% --at-most 25 --no-charts --set objectives=[]",
    );
    let rounds_of_run = rounds(&precise, 2);
    // Three looks: 10, 20, 25. A shard that comes later finds what the others left of a round.
    assert!((2..=3).contains(&rounds_of_run), "{rounds_of_run}");
    precise.assert_same();
    let cells = Study::new(
        "sweep-small",
        "sweep small.toml --set traffic.rate=20/s,40/s --set objectives=[] --precision 0.01% \
         --at-most 12 --no-charts",
    );
    // A cell is done from begin to end by one shard.
    assert_eq!(rounds(&cells, 3), 1);
    cells.assert_same();
}

#[test]
fn a_plan_is_shared_in_rounds() {
    let plan = Study::new(
        "plan-small",
        "plan small.toml --tier small --mode healthy --judged 10s -n 2 --tolerance 40% \
         --no-charts",
    );
    let needed = rounds(&plan, 2);
    assert!(needed <= 4, "{needed}");
    plan.assert_same();
}

#[test]
fn what_is_missing_is_told_by_shard_and_can_be_made_elsewhere() {
    let study = Study::new("sweep-small", SWEEP);
    study.shard("1/3");
    study.shard("3/3");
    let (code, said) = study.merge(&[]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains(" of 24 replications are missing\n  shard 2 of 3: "), "{said}");
    assert!(said.contains("--fill") && !said.contains("shard 1 of 3"), "{said}");
    assert!(!study.desk.path("merged/sweep-small").exists());
    let status = study.desk.run(&["status", &study.folder()]);
    assert_eq!(status.status.code(), Some(3));
    assert!(out(&status).contains("2 of 3 shards are done"), "{}", out(&status));
    assert!(out(&status).contains("not begun"), "{}", out(&status));
    assert_eq!(study.merge(&["--fill"]).0, 0);
    study.assert_same();
    // A comparison goes on in turn from variant to variant: all that is missing is told at once.
    let study = Study::new("compare-small", "compare small.toml --tier small --tier large -n 40");
    study.shard("1/2");
    let (_, said) = study.merge(&[]);
    let missing = said.split(" of 80 replications are missing").next().unwrap();
    let missing: usize = missing.rsplit(' ').next().unwrap().parse().unwrap();
    let part = fs::read_dir(study.desk.path(&study.folder())).unwrap().count();
    assert!(part == 1 && (39..=41).contains(&missing), "{said}");
}

#[cfg(unix)]
#[test]
fn a_shard_that_was_killed_loses_what_it_was_at() {
    let study = Study::new("small", "run small.toml -n 400 --no-charts --set run.horizon=5m");
    let command = [&study.command[..], &["--shard", "1/2"]].concat();
    let mut child = study.desk.command(&command).stdout(Stdio::null()).spawn().unwrap();
    let path = first_file(&study.desk.path(&study.folder()));
    // Some of its replications, of some 3 kB each.
    while fs::metadata(&path).map_or(0, |file| file.len()) < 30_000 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it was killed");
    }
    Desk::signal(&child, "-KILL");
    child.wait().unwrap();
    study.shard("2/2");
    let (code, said) = study.merge(&[]);
    assert!(code == 3 && said.contains("shard 1 of 2"), "{code} {said}");
    study.shard("1/2");
    let starts = fs::read_dir(study.desk.path(&study.folder())).unwrap().count();
    assert_eq!(starts, 3);
    assert_eq!(study.merge(&[]).0, 0);
    study.assert_same();
}

fn first_file(folder: &Path) -> std::path::PathBuf {
    folder.join("1-of-2.jsonl.gz")
}

#[test]
fn files_that_were_cut_or_altered_cost_what_was_in_them_and_nothing_else() {
    let study = Study::new("sweep-small", SWEEP);
    study.shard("1/2");
    study.shard("2/2");
    let path = first_file(&study.desk.path(&study.folder()));
    let whole = fs::read(&path).unwrap();
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 0x55;
    for damaged in [&whole[..whole.len() - 100], &altered[..], &[]] {
        fs::write(&path, damaged).unwrap();
        let (code, said) = study.merge(&[]);
        assert!(code == 3 && said.contains("shard 1 of 2"), "{said}");
        study.shard("1/2");
        assert_eq!(study.merge(&["--force"]).0, 0);
        study.assert_same();
        fs::remove_file(study.desk.path("results/sweep-small.shards/1-of-2.2.jsonl.gz")).unwrap();
    }
}

#[test]
fn a_shard_makes_again_what_was_altered_in_any_of_its_files() {
    let study = Study::new("sweep-small", SWEEP);
    study.shard("1/2");
    study.shard("2/2");
    let folder = study.desk.path(&study.folder());
    let path = first_file(&folder);
    // Killed in the midst, gone on with, and what it then made is altered: by name that file
    // comes before those that come later.
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    study.shard("1/2");
    let second = folder.join("1-of-2.2.jsonl.gz");
    let mut bytes = fs::read(&second).unwrap();
    // In the last replication: after it comes but the entry that says that nothing is left.
    let at = bytes.len() - 200;
    bytes[at] ^= 0x55;
    fs::write(&second, &bytes).unwrap();
    assert_eq!(study.merge(&[]).0, 3);
    study.shard("1/2");
    assert_eq!(study.merge(&[]).0, 0);
    study.assert_same();
}

#[test]
fn a_recording_that_was_changed_is_another_study() {
    let desk = Desk::with("\"p99 < 100s\"");
    let log = |rows: u32| {
        let rows = (0..rows).map(|row| format!("{}.{}\n", row / 10, row % 10));
        "time_s\n".to_owned() + &rows.collect::<String>()
    };
    fs::write(desk.path("log.csv"), log(500)).unwrap();
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let text = text.replace("rate = \"50/s\"", "replay = \"log.csv\"");
    fs::write(desk.path("small.toml"), text).unwrap();
    for shard in ["1/2", "2/2"] {
        let done = desk.run(&["run", "small.toml", "-n", "4", "--no-charts", "--shard", shard]);
        assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    }
    fs::write(desk.path("log.csv"), log(499)).unwrap();
    for more in [&[][..], &["--fill"]] {
        let merged = desk.run(&[&["merge", "results/small.shards"], more].concat());
        assert_eq!(merged.status.code(), Some(2));
        let said = err(&merged);
        assert!(said.contains("is not what it was when the shards ran"), "{said}");
        assert!(said.contains("--base") && !desk.path("results/small").exists(), "{said}");
    }
    fs::write(desk.path("log.csv"), log(500)).unwrap();
    assert_ne!(desk.code(&["merge", "results/small.shards"]), 2);
}

#[test]
fn a_study_is_done_when_all_is_there_whoever_made_it() {
    let study = Study::new("sweep-small", SWEEP);
    let status = || {
        let status = study.desk.run(&["status", &study.folder()]);
        (status.status.code().unwrap(), out(&status))
    };
    let submit = ["submit", "--engine", "slurm", "--shards", "3", "--"];
    let done = study.desk.run(&[&submit[..], &study.command].concat());
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    let (code, said) = status();
    assert!(code == 3 && said.contains("no shard has begun"), "{said}");
    study.shard("1/4");
    study.shard("1/2");
    let (code, said) = status();
    assert!(code == 3 && said.contains("1 of 2 shards"), "{said}");
    study.shard("2/2");
    let (code, said) = status();
    assert!(code == 0 && said.contains("24 of 24 replications are there"), "{said}");
}

#[test]
fn parts_of_other_studies_and_misplaced_options_are_refused() {
    let study = Study::new("sweep-small", SWEEP);
    study.shard("1/2");
    let refused = |args: &[&str]| {
        let ended = study.desk.run(args);
        assert_eq!(ended.status.code(), Some(2), "{}", err(&ended));
        err(&ended)
    };
    let other = [&study.command[..], &["--seed", "9", "--shard", "2/2"]].concat();
    let said = refused(&other);
    assert!(said.contains("(made without --seed=9)"), "{said}");
    assert!(said.contains("another --name or --output"), "{said}");
    for wrong in ["3/2", "0/2", "1", "a/2", "auto/0", "1/0"] {
        let said = refused(&[&study.command[..], &["--shard", wrong]].concat());
        assert!(said.contains("such as 3/8"), "{wrong}: {said}");
    }
    let said = refused(&[&study.command[..], &["--shard", "auto"]].concat());
    assert!(said.contains("no scheduler numbers this task"), "{said}");
    let said = refused(&["merge", "whole"]);
    assert!(said.contains("whole has no work files") && said.contains(".shards"), "{said}");
    let said = refused(&["merge", "results"]);
    assert!(said.contains("such as results/sweep-small.shards,"), "{said}");
    assert!(refused(&["status", "nowhere"]).contains("nowhere"), "a folder that is not there");
    let said = refused(&["merge", &study.folder(), "--shard", "1/2"]);
    assert!(said.contains("without --shard"), "{said}");
}

#[test]
fn a_scheduler_numbers_the_shards() {
    let study = Study::new("sweep-small", SWEEP);
    for index in 0..3 {
        let command = [&study.command[..], &["--shard", "auto/3"]].concat();
        let mut command = study.desk.command(&command);
        let ended = command.env("JOB_COMPLETION_INDEX", index.to_string()).output().unwrap();
        let said = out(&ended);
        assert!(said.starts_with(&format!("shard {} of 3: done", index + 1)), "{said}");
    }
    assert_eq!(study.merge(&[]).0, 0);
    study.assert_same();
}
