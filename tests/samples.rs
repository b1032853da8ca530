//! The committed samples are what the program writes today, to the byte, and the README shows them.

use std::fs;
use std::path::Path;
use std::process::Command;

const SAMPLES: [&str; 2] = ["replica-crash", "control-plane-outage-with-contracts"];

/// Runs a scenario into `output` from the root of the project, as the README does.
fn run(name: &str, output: &Path, jobs: &str) {
    let status = Command::new(env!("CARGO_BIN_EXE_brownout"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", &format!("scenarios/{name}.toml"), "--jobs", jobs, "--quiet", "--output"])
        .arg(output)
        .output()
        .unwrap();
    assert!(matches!(status.status.code(), Some(0 | 1 | 3)), "{status:?}");
}

fn files(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|_| panic!("{} is missing", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Asserts that two folders hold the same files with the same bytes.
fn assert_same(committed: &Path, fresh: &Path) {
    assert_eq!(files(committed), files(fresh));
    for name in files(fresh) {
        let (old, new) = (fs::read(committed.join(&name)), fs::read(fresh.join(&name)));
        let same = old.unwrap() == new.unwrap();
        assert!(same, "{name} differs; results/README.md says how to accept a change");
    }
}

#[test]
fn samples_are_what_the_program_writes() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/samples");
    let fresh = tempfile::tempdir().unwrap();
    for name in SAMPLES {
        run(name, fresh.path(), "2");
        assert_same(&samples.join(name), &fresh.path().join(name));
    }
    assert_eq!(files(&samples).len(), SAMPLES.len());
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let (one, eight) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run("small-tier-crash", one.path(), "1");
    run("small-tier-crash", eight.path(), "8");
    assert_same(&one.path().join("small-tier-crash"), &eight.path().join("small-tier-crash"));
}

#[test]
fn the_readme_shows_the_real_report_and_names_every_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let report = fs::read_to_string(root.join("results/samples/replica-crash/report.txt")).unwrap();
    assert!(readme.contains(&report), "README.md shows another report than the sample");
    let scenario = fs::read_to_string(root.join("scenarios/replica-crash.toml")).unwrap();
    assert!(readme.contains(&scenario), "README.md shows another scenario");
    let problems = fs::read_to_string(root.join("tests/problems/wrong.txt")).unwrap();
    assert!(readme.contains(problems.trim_end()), "README.md shows other problems");
    for entry in fs::read_dir(root.join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(readme.contains(&name), "README.md does not name {name}");
        }
    }
}
