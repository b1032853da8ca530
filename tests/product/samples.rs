//! The committed samples are what the program writes today, to the byte, and the README shows them.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Each sample with the arguments that make it.
const SAMPLES: [(&str, &str); 4] = [
    ("replica-crash", "run scenarios/replica-crash.toml"),
    (
        "control-plane-outage-with-contracts",
        "run scenarios/control-plane-outage-with-contracts.toml",
    ),
    (
        "compare-replica-crash",
        "compare scenarios/replica-crash.toml --tier large --tier xlarge --tier small",
    ),
    (
        "sweep-steady",
        "sweep scenarios/steady.toml --set traffic.rate=100/s..1500/s:15 \
         --set objectives=[\"p99_<_50ms\"] -n 5",
    ),
];
/// The sample of which the page is kept; it has all that the pages of the others have.
const WITH_PAGE: &str = "replica-crash";
/// The page of a sample.
const PAGE: &str = "report.html";
/// Those whose first screen the README shows.
const SHOWN: [&str; 2] = ["replica-crash", "compare-replica-crash"];
/// The sample of a plan, of which only one tier is made again.
const PLAN: &str = "plan-capacity";

/// Runs a command into `output` from the root of the project, as the README does, and gives what it
/// prints, as if into `results`. A `_` in an argument stands for a blank.
fn run(arguments: &str, output: &Path, jobs: &str) -> String {
    let arguments = arguments.split_whitespace().map(|argument| argument.replace('_', " "));
    let done = Command::new(env!("CARGO_BIN_EXE_brownout"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .args(["--jobs", jobs, "--output"])
        .arg(output)
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert!(matches!(done.status.code(), Some(0 | 1 | 3)), "{done:?}");
    String::from_utf8(done.stdout).unwrap().replace(output.to_str().unwrap(), "results")
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
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    for (name, arguments) in SAMPLES {
        let screen = run(arguments, fresh.path(), "2");
        if name != WITH_PAGE {
            fs::remove_file(fresh.path().join(name).join(PAGE)).unwrap();
        }
        assert_same(&samples.join(name), &fresh.path().join(name));
        // Where the files are is wrapped by the length of the path.
        let (said, _) = screen.split_once("\n  Files in ").expect("the end of the screen");
        let is_shown = readme.contains(said);
        assert!(is_shown || !SHOWN.contains(&name), "README.md shows another screen:\n{said}");
    }
    assert_eq!(files(&samples).len(), SAMPLES.len() + 1);
}

/// The lines of a file that begin with a word.
fn lines(path: &Path, word: &str) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|_| panic!("{}", path.display()));
    text.lines().filter(|line| line.starts_with(word)).map(str::to_owned).collect()
}

#[test]
fn the_sample_of_a_plan_is_what_the_program_finds() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/samples").join(PLAN);
    let fresh = tempfile::tempdir().unwrap();
    let arguments = "plan scenarios/capacity.toml --tier small --no-sensitivity --no-charts";
    run(arguments, fresh.path(), "2");
    for (file, least) in [("capacity.csv", 4), ("probes.csv", 40)] {
        let found = lines(&fresh.path().join(PLAN).join(file), "Small,");
        assert!(found.len() >= least, "{file} has {} rows", found.len());
        assert_eq!(found, lines(&sample.join(file), "Small,"), "{file}");
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let (one, eight) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run("run scenarios/small-tier-crash.toml", one.path(), "1");
    run("run scenarios/small-tier-crash.toml", eight.path(), "8");
    assert_same(&one.path().join("small-tier-crash"), &eight.path().join("small-tier-crash"));
}

#[test]
fn the_readme_shows_the_real_report_and_names_every_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let report = root.join("results/samples").join(PLAN).join("report.txt");
    let report = fs::read_to_string(report).unwrap();
    let (shown, _) = report.split_once("\n  3 gateways").expect("the end of what is shown");
    assert!(readme.contains(shown), "README.md shows another plan than the sample");
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
