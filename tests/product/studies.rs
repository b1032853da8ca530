//! Studies as a user meets them: replications until they are enough, and work that goes on.

use std::fs;

use crate::desk::{Desk, err, out};

#[cfg(unix)]
#[test]
fn a_stopped_run_can_be_resumed_to_the_same_bytes() {
    let desk = Desk::with("\"p99 < 100s\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    fs::write(desk.path("small.toml"), text.replace("60s", "20m")).unwrap();
    assert_eq!(desk.code(&["run", "small.toml", "-n", "20", "--output", "whole"]), 0);
    let many = ["run", "small.toml", "-n", "100000"];
    desk.stop_on_the_way(&many);
    let checkpoint = desk.path("results/.small.checkpoint.jsonl");
    assert!(fs::read_to_string(&checkpoint).unwrap().lines().count() > 20);
    assert_eq!(desk.code(&["run", "small.toml", "-n", "20", "--resume"]), 0);
    assert_eq!(desk.results("results/small"), desk.results("whole/small"));
    assert!(!checkpoint.exists());
}

#[test]
fn replications_go_on_until_figures_are_precise() {
    let desk = Desk::with("");
    let run = |args: &[&str]| {
        let all = [&["run", "small.toml", "--format", "json"], args].concat();
        let output = desk.run(&all);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        serde_json::from_str::<serde_json::Value>(&out(&output)).unwrap()
    };
    let rough = run(&["--precision", "50%"]);
    assert_eq!(rough["run"]["precision"]["end"], "precise");
    assert_eq!(rough["run"]["replications"], 10);
    let capped = run(&["--precision", "0.01%", "--at-most", "25"]);
    assert_eq!(capped["run"]["precision"]["end"], "most_replications");
    assert_eq!(capped["run"]["replications"], 25);
    // Three looks: 10, 20, 25.
    assert_eq!(capped["run"]["confidence"], 0.983_333_333);
    assert_eq!(desk.code(&["rerun", "results/small", "--output", "again"]), 0);
    assert_eq!(desk.results("results/small"), desk.results("again/small"));
    let wrong = desk.run(&["run", "small.toml", "--precision", "2"]);
    assert!(err(&wrong).contains("such as 2%"), "{}", err(&wrong));
}

#[test]
fn variants_with_long_names_have_letters_in_the_tables() {
    let desk = Desk::with("\"p99 < 100s\"");
    let boots = "startup.boot=uniform(2s, 6s),uniform(20s, 60s)";
    let output =
        desk.run(&["compare", "small.toml", "--set", boots, "--tier", "large", "-n", "2", "-v"]);
    let report = out(&output);
    assert!(report.lines().all(|line| line.chars().count() <= 100), "{report}");
    assert!(report.contains("  B  large, startup.boot=uniform(20s, 60s)\n"), "{report}");
    assert!(report.contains("\nB against A (paired"), "{report}");
    let csv = fs::read_to_string(desk.path("results/compare-small/comparison.csv")).unwrap();
    assert!(csv.contains("\"large, startup.boot=uniform(20s, 60s)\""), "{csv}");
}

#[test]
fn a_study_does_not_replace_the_results_of_a_run() {
    let desk = Desk::with("");
    assert_eq!(desk.code(&["run", "small.toml", "-n", "1"]), 0);
    let before = desk.results("results/small");
    let sweep = ["sweep", "small.toml", "--set", "gateway.replicas=2,3", "-n", "1"];
    let output = desk.run(&[&sweep[..], &["--name", "small"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("holds the results of brownout run"), "{}", err(&output));
    assert_eq!(desk.results("results/small"), before);
}

#[test]
fn what_makes_no_comparison_is_explained_and_letters_have_their_names() {
    let desk = Desk::with("\"p99 < 100s\"");
    let unknown = desk.run(&["compare", "small.toml", "--tier", "nope"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(err(&unknown).contains("'nope'"), "{}", err(&unknown));
    let alone = desk.run(&["compare", "small.toml"]);
    assert!(err(&alone).contains("nothing to compare with"), "{}", err(&alone));
    let boots = "startup.boot=uniform(2s, 6s),uniform(20s, 60s)";
    let quiet = desk.run(&["compare", "small.toml", "--set", boots, "-n", "2", "-q"]);
    let said = out(&quiet);
    assert!(said.contains("  B  startup.boot=uniform(20s, 60s)\n"), "{said}");
}

#[test]
fn files_of_one_name_are_told_apart_by_their_folders() {
    let desk = Desk::with("\"p99 < 100s\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    for (folder, rate) in [("main", "50/s"), ("pr", "60/s")] {
        fs::create_dir(desk.path(folder)).unwrap();
        let path = desk.path(folder).join("small.toml");
        fs::write(path, text.replace("50/s", rate)).unwrap();
    }
    let output = desk.run(&["compare", "main/small.toml", "pr/small.toml", "-n", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("  pr/small ") && said.contains("Against main/small, "), "{said}");
}

#[test]
fn one_change_is_compared_with_the_scenario_as_it_is() {
    let desk = Desk::with("\"p99 < 100s\"");
    let variant = ["--variant", "slower; startup.boot=60s", "-n", "2"];
    let output = desk.run(&[&["compare", "small.toml"], &variant[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("Against as it is, "), "{}", out(&output));
    // What is there already is no change.
    let same = desk.run(&["compare", "small.toml", "--tier", "large", "-n", "2"]);
    assert_eq!(same.status.code(), Some(2));
    assert!(err(&same).contains("\"as it is\" and \"large\" are the same"), "{}", err(&same));
}
