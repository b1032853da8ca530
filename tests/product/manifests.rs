//! Every command can be done again from the manifest that it leaves, to the same bytes.

use std::fs;
use std::path::Path;

use crate::desk::{Desk, err};
use brownout::engine::ENGINE;
use brownout::report::manifest::Manifest;

/// The commands, small, with options of every kind.
const COMMANDS: [(&str, &[&str]); 5] = [
    ("small", &["run", "small.toml", "-n", "2", "-s", "99", "--requests-every", "10"]),
    ("small", &["run", "small.toml", "--precision", "50%", "--at-most", "12", "--no-charts"]),
    (
        "compare-small",
        &[
            "compare",
            "small.toml",
            "other.toml",
            "--variant",
            "slow; startup.boot=uniform(20s, 60s)",
            "--set",
            "gateway.replicas=2,3",
            "--prices",
            "large=1200.5",
            "-n",
            "2",
        ],
    ),
    (
        "a name",
        &[
            "sweep",
            "small.toml",
            "--set",
            "traffic.rate=20/s..60/s:3",
            "--set",
            "objectives=[\"p99 < 1s\"]",
            "--name",
            "a name",
            "-n",
            "2",
        ],
    ),
    (
        "plan-small",
        &[
            "plan",
            "small.toml",
            "--tier",
            "small",
            "--mode",
            "healthy",
            "--mode",
            "replica-loss",
            "--judged",
            "30s",
            "--tolerance",
            "30%",
            "-n",
            "2",
        ],
    ),
];

/// Does a command, then again without its scenarios.
fn assert_repeats(folder: &str, command: &[&str]) {
    let desk = Desk::with("\"p99 < 100s\"");
    let other = fs::read_to_string(desk.path("small.toml")).unwrap().replace("50/s", "60/s");
    fs::write(desk.path("other.toml"), other).unwrap();
    let first = desk.run(command);
    assert!(!err(&first).contains("error"), "{command:?}: {}", err(&first));
    fs::remove_file(desk.path("small.toml")).unwrap();
    fs::remove_file(desk.path("other.toml")).unwrap();
    let results = Path::new("results").join(folder);
    let results = results.to_str().unwrap();
    let again = desk.run(&["rerun", results, "--output", "again", "--jobs", "1"]);
    assert_eq!(again.status.code(), first.status.code(), "{command:?}: {}", err(&again));
    let (once, twice) = (desk.results(results), desk.results(&format!("again/{folder}")));
    assert!(once.iter().any(|(name, _)| name == "manifest.json"));
    assert!(once == twice, "{command:?} gives other files the second time");
}

#[test]
fn every_command_is_done_again_to_the_same_bytes() {
    COMMANDS.into_iter().for_each(|(folder, command)| assert_repeats(folder, command));
}

#[test]
fn paths_in_a_scenario_start_where_one_says() {
    let desk = Desk::with("");
    fs::create_dir(desk.path("recorded")).unwrap();
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let text = text.replace("rate = \"50/s\"", "replay = \"day.csv\"");
    fs::write(desk.path("recorded/small.toml"), text).unwrap();
    let day = |step: u32| (0..300).map(|i| format!("{}\n", i * step / 10)).collect::<String>();
    fs::write(desk.path("recorded/day.csv"), format!("time_s\n{}", day(2))).unwrap();
    let run = desk.run(&["run", "recorded/small.toml", "-n", "1"]);
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    let rerun =
        |more: &[&str]| desk.run(&[&["rerun", "results/small", "-o", "again"], more].concat());
    assert!(err(&rerun(&[])).contains("day.csv"));
    let again = rerun(&["--base", "recorded"]);
    assert_eq!(again.status.code(), Some(0), "{}", err(&again));
    assert_eq!(desk.results("results/small"), desk.results("again/small"));
    fs::write(desk.path("recorded/day.csv"), format!("time_s\n{}", day(1))).unwrap();
    let other = rerun(&["--base", "recorded"]);
    let said = "error: the results differ from the manifest: a file that the scenario names";
    assert_eq!(other.status.code(), Some(2));
    assert!(err(&other).contains(said), "{}", err(&other));
}

#[test]
fn what_cannot_be_done_again_is_explained() {
    let desk = Desk::with("");
    assert_eq!(desk.code(&["run", "small.toml", "-n", "1", "--no-charts"]), 0);
    let manifest = fs::read_to_string(desk.path("results/small/manifest.json")).unwrap();
    let rerun = |from: &str, to: &str| {
        assert!(manifest.contains(from), "{from} is not in {manifest}");
        fs::write(desk.path("changed.json"), manifest.replace(from, to)).unwrap();
        let output = desk.run(&["rerun", "changed.json", "-o", "again"]);
        (output.status.code(), err(&output))
    };
    for (from, to, said) in [
        (
            "brownout/manifest/2",
            "brownout/manifest/1",
            "this program reads \"brownout/manifest/2\"",
        ),
        ("Does it hold?", "Does it?", "the scenario \"small.toml\" in the manifest does not match"),
        ("--no-charts", "--no-nonsense", "changed.json cannot be run again: error: unexpected"),
        ("\"run\"", "\"check\"", "changed.json cannot be run again"),
        ("\"interrupted\"", "\"stopped\"", "this is no manifest"),
    ] {
        let (code, talk) = rerun(from, to);
        assert!(code == Some(2) && talk.contains(said), "{to}: {talk}");
        assert!(!desk.path("again").exists(), "{to}");
    }
    let digests = Manifest::read(&manifest).unwrap().runs.remove(0).outcomes;
    let engine = format!("\"engine\": {ENGINE}");
    let (code, talk) = rerun(&engine, "\"engine\": 4294967295");
    assert!(code == Some(0) && talk.contains("with engine 4294967295, this is engine"), "{talk}");
    let (code, talk) = rerun(&digests[0], "0123456789abcdef");
    assert!(code == Some(2) && talk.contains("differ from the manifest"), "{talk}");
    assert!(desk.path("again/small/manifest.json").exists());
}

/// The engine's number with what it gives: who changes one of the digests has to raise the number.
#[test]
fn an_engine_that_gives_other_results_has_another_number() {
    const RESULTS: [(&str, u32, &str); 7] = [
        ("replica-crash", 8, "484a7edbce1be383"),
        ("retry-storm-with-budget", 8, "17e6a5bae7208068"),
        ("autoscale-step", 8, "b485936cf3c73894"),
        ("rolling-upgrade-long-requests", 8, "6e7905c1dfde0941"),
        ("keep-alive-skew", 8, "f7a0aba6a03d2373"),
        ("runtime-fabric", 8, "bd509c2a4afa74e1"),
        ("zone-loss", 8, "00edd7dcf55e5bb7"),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for (name, engine, digest) in RESULTS {
        let desk = Desk::new();
        let scenario = root.join(format!("{name}.toml"));
        let scenario = scenario.to_str().unwrap();
        desk.run(&[
            "run",
            scenario,
            "-n",
            "1",
            "--no-charts",
            "--set",
            "run.horizon=7m",
            "--set",
            "objectives=[]",
        ]);
        let manifest = desk.path("results").join(name).join("manifest.json");
        let manifest = Manifest::read(&fs::read_to_string(manifest).unwrap()).unwrap();
        let found = (manifest.engine, &*manifest.runs[0].outcomes[0]);
        assert_eq!(found, (engine, digest), "{name}: raise ENGINE, then write down both");
    }
}
