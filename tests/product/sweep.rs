//! `brownout sweep` as a user meets it.

use std::collections::BTreeSet;
use std::fs;

use crate::desk::{Desk, err, out};

/// The rows of a file of comma-separated values, without its head.
fn rows(desk: &Desk, path: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(desk.path(path)).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn every_cell_has_its_rows_and_the_load_its_verdict() {
    let desk = Desk::with("\"p99 < 40ms\"");
    let sweep = ["sweep", "small.toml", "--set", "traffic.rate=100/s,200/s,1500/s"];
    let output = desk.run(&[&sweep[..], &["--set", "gateway.replicas=2"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(
        out(&output).contains("→ p99 < 40ms is met up to 200/s; at 1,500/s"),
        "{}",
        out(&output)
    );
    assert!(out(&output).lines().all(|line| line.chars().count() <= 100), "{}", out(&output));
    assert!(err(&output).contains("note: with traffic.rate=1500/s"), "{}", err(&output));
    let rows = rows(&desk, "results/sweep-small/sweep.csv");
    assert_eq!(rows.len(), 3 * 8);
    let rates: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(rates, ["100/s", "200/s", "1500/s"].into());
    let settled = |rate: &str| rows.iter().filter(|row| row[0] == rate).all(|row| row[3] == "true");
    assert!(settled("100/s") && settled("200/s") && !settled("1500/s"));
    let names = desk.results("results/sweep-small");
    let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    let files = ["latency.png", "latency.svg", "manifest.json", "report.html", "report.txt"];
    assert_eq!(names[..5], files);
    assert_eq!(names[5..], ["sweep.csv", "sweep.json"]);
}

#[test]
fn the_bytes_do_not_depend_on_threads() {
    let desk = Desk::with("\"p99 < 40ms\"");
    let sweep = |jobs: &str, output: &str| {
        let set = ["--set", "traffic.rate=50/s..150/s:3", "--set", "gateway.replicas=2,3"];
        let args = ["sweep", "small.toml", "--jobs", jobs, "--output", output, "--quiet"];
        let output = desk.run(&[&args[..], &set].concat());
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert!(out(&output).starts_with("Verdicts\n"), "{}", out(&output));
        assert_eq!(err(&output), "");
    };
    sweep("1", "one");
    sweep("4", "four");
    let one = desk.results("one/sweep-small");
    assert_eq!(one, desk.results("four/sweep-small"));
    assert!(one.iter().any(|(name, _)| name == "map.svg"));
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_stopped_can_be_resumed_to_the_same_bytes() {
    let desk = Desk::with("");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    fs::write(desk.path("small.toml"), text.replace("60s", "30m")).unwrap();
    let many = ["sweep", "small.toml", "--set", "traffic.rate=50/s..350/s:7", "-n", "40"];
    let later = |line: &str| line.contains(" of 7: traffic.rate=") && !line.contains("cell 1 of");
    let output = desk.stopped(&many, "-INT", later);
    let said = err(&output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("--resume goes on from here"), "{said}");
    let part = fs::read_to_string(desk.path("results/sweep-small.partial/report.txt")).unwrap();
    assert!(part.contains("stopped early: "), "{part}");
    let cells = rows(&desk, "results/sweep-small.partial/sweep.csv").len() / 8;
    assert!((1..7).contains(&cells), "{cells}");
    // What another command left is not gone on with, and not lost.
    let other = ["sweep", "small.toml", "--set", "traffic.rate=50/s,60/s", "-n", "40", "--resume"];
    assert_eq!(desk.code(&other), 2);
    assert!(desk.path("results/.sweep-small.checkpoint.jsonl").exists());
    assert_eq!(desk.code(&[&many[..], &["--resume"]].concat()), 0);
    assert!(!desk.path("results/.sweep-small.checkpoint.jsonl").exists());
    assert_eq!(desk.code(&[&many[..], &["--output", "whole"]].concat()), 0);
    assert_eq!(desk.results("results/sweep-small"), desk.results("whole/sweep-small"));
}

#[test]
fn what_cannot_be_swept_is_refused_before_anything_runs() {
    let desk = Desk::with("");
    let said = |set: &[&str]| {
        let output = desk.run(&[&["sweep", "small.toml"][..], set].concat());
        assert_eq!(output.status.code(), Some(2), "{set:?}");
        err(&output)
    };
    assert!(said(&["--set", "gateway.replicas=2"]).contains("nothing varies"));
    assert!(said(&[]).contains("--set"));
    assert!(said(&["--set", "run.seed=1..5:5"]).contains("the same in all cells"));
    let wrong = said(&["--set", "traffic.rate=50/s,60/h", "--set", "gateway.replicas=3,0"]);
    assert!(wrong.contains("note: with traffic.rate=50/s, gateway.replicas=0"), "{wrong}");
    assert!(!wrong.contains("60/h"), "{wrong}");
    assert!(!desk.path("results").exists());
}

#[test]
fn a_warning_is_said_once_with_the_number_of_its_cells() {
    let desk = Desk::with("");
    let sweep = ["sweep", "small.toml", "--set", "traffic.rate=100/s,1600/s,1700/s,1800/s"];
    let output = desk.run(&[&sweep[..], &["-n", "1", "--format", "json"]].concat());
    assert_eq!(err(&output).matches("warning: ").count(), 1, "{}", err(&output));
    let more = "with traffic.rate=1600/s (and likewise in 2 more of 4 cells)";
    assert!(err(&output).contains(more), "{}", err(&output));
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(json["cells"].as_array().unwrap().len(), 4);
    let file = fs::read_to_string(desk.path("results/sweep-small/sweep.json")).unwrap();
    assert_eq!(out(&output), file);
}

#[test]
fn cells_go_on_until_they_are_precise() {
    let desk = Desk::with("");
    let sweep = ["sweep", "small.toml", "--set", "traffic.rate=50/s,900/s"];
    let precision = ["--precision", "4%", "--at-most", "15"];
    assert_eq!(desk.code(&[&sweep[..], &precision].concat()), 0);
    let rows = rows(&desk, "results/sweep-small/sweep.csv");
    assert!(rows.iter().all(|row| row[2] == "10" || row[2] == "15"), "{rows:?}");
    let report = fs::read_to_string(desk.path("results/sweep-small/report.txt")).unwrap();
    assert!(report.contains("corrected for 2 looks"), "{report}");
}

/// One replica with one core and exponential demand of 10 ms in processor sharing: a mean sojourn
/// of 1/(μ − λ) (M/M/1-PS: Kleinrock, Queueing Systems II, section 4.4), and before and after it
/// the constant delays of the way.
#[test]
fn mean_latency_follows_theory_over_the_load() {
    let desk = Desk::new();
    let text = "question = \"M/M/1-PS?\"\n[gateway]\nreplicas = 1\ncores = 1\n\
                cpu-per-request = \"exponential(10ms)\"\n[ingress]\ndelay = \"1ms\"\n\
                hop = \"2ms\"\n[traffic]\nrate = \"10/s\"\n[run]\nhorizon = \"20m\"\n\
                warm-up = \"1m\"\nreplications = 20\n";
    fs::write(desk.path("mm1.toml"), text).unwrap();
    let set = ["--set", "traffic.rate=10/s,30/s,50/s,70/s,80/s", "--no-charts"];
    let output = desk.run(&[&["sweep", "mm1.toml"][..], &set].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let rows = rows(&desk, "results/sweep-mm1/sweep.csv");
    let means: Vec<_> = rows.iter().filter(|row| row[5] == "mean").collect();
    assert_eq!(means.len(), 5);
    for row in means {
        let number = |column: usize| row[column].parse::<f64>().unwrap();
        let theory = 1e3 / (100.0 - number(1)) + 3.0;
        let (point, half) = (number(7), (number(9) - number(8)) / 2.0);
        // Five intervals of 95 % would miss once in four times; twice as wide they do not.
        assert!((point - theory).abs() < 2.0 * half, "{row:?}: {theory}");
        assert!(half < 0.03 * theory, "{row:?}");
    }
}
