//! Command lines that are wrong, and what is answered: each says what is wrong and what to do.
//!
//! After a change of wording: `UPDATE_GOLDEN=1 cargo test --test product wrong_commands`.

use std::fs;
use std::path::Path;

use crate::desk::{Desk, err, out};

/// The command lines. In those that need one, `small.toml` is a sound scenario.
const WRONG: &[&str] = &[
    // Commands by the words of others.
    "simulate small.toml",
    "validate small.toml",
    "lint small.toml",
    "test small.toml",
    "new",
    "small.toml",
    "rnu small.toml",
    "glossary",
    "frobnicate",
    // Options by the words of others.
    "run small.toml --reps 5",
    "run small.toml --threads 4",
    "run small.toml --out elsewhere",
    "run small.toml --json",
    "run small.toml --rps 900",
    "run small.toml --duration 10m",
    "run small.toml --replicas 3",
    "run small.toml --tier large",
    "run small.toml --min-replicas 2",
    "run small.toml --replicatoins 5",
    "run small.toml --nonsense",
    "check small.toml --strict",
    // Values of options.
    "run small.toml --replications 0",
    "run small.toml --replications many",
    "run small.toml --seed x",
    "run small.toml --precision 200%",
    "run small.toml --format yaml",
    "run small.toml --memory 12",
    "run small.toml --shard 5/4",
    "run small.toml -n 5 --precision 2%",
    "run small.toml --name ../elsewhere",
    "compare small.toml --tier xl",
    "compare small.toml --tier huge",
    "compare small.toml --prices large",
    "compare small.toml --prices lrge=3",
    "plan small.toml --mode zone-outage",
    "plan small.toml --demand 900",
    "plan small.toml --judged 1s",
    "availability small.toml --target 99.9",
    "availability small.toml --requests 5",
    // Settings.
    "run small.toml --set gateway.replicas",
    "run small.toml --set gateway.replcas=3",
    "run small.toml --set replicas=3",
    "run small.toml --set gateway.minReplicas=2",
    "run small.toml --set autoscaler.maxReplicas=3",
    "run small.toml --set traffic.rps=900",
    "run small.toml --set timeout=5s",
    "run small.toml --set traffic.rate=900",
    "run small.toml --set gateway.replicas=2..6",
    "run small.toml --set gateway.tier=xl",
    "run small.toml --set fault.crash.at=4m",
    "run small.toml --set quux=1",
    "sweep small.toml --set gateway.replicas=2..6",
    "sweep small.toml --set traffic.rate=100..2000/s",
    "sweep small.toml --set traffic.rate=100/s..2000/s:1",
    "sweep small.toml",
    // Files.
    "run",
    "run smal.toml",
    "run nowhere/at/all.toml",
    "run .",
    "check",
    "rerun nothing",
    "merge nothing",
    "status nothing",
    "submit --engine slurm",
    "submit --engine k8s -- run small.toml",
    // Commands that say what there is.
    "explain undecide",
    "explain zone-loss",
    "explain minReplicas",
    "explain quux",
    "explain",
    "init small.toml",
    "init other.toml --template zone-outage",
    "init nowhere/other.toml",
    "tiers --catalogue 1.9",
    "schema scenarios",
    "completions tcsh",
];

/// What a command line is answered, as a page shows it.
fn answered(desk: &Desk, line: &str) -> String {
    let arguments: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let output = desk.run(&arguments);
    let code = output.status.code().unwrap();
    assert_eq!(code, 2, "{line}: {}{}", out(&output), err(&output));
    assert_eq!(out(&output), "", "{line} prints what only readers of errors should see");
    format!("$ brownout {line}\n{}\n\n", err(&output).trim_end())
}

#[test]
fn every_wrong_command_line_is_answered_as_it_was_before() {
    let desk = Desk::with("\"p99 < 100s\"");
    let now: String = WRONG.iter().map(|line| answered(&desk, line)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/product/wrong_commands.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, now).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    let differs = before.split("$ ").zip(now.split("$ ")).find(|(before, now)| before != now);
    assert!(before == now, "UPDATE_GOLDEN=1 accepts this: {differs:#?}");
    assert!(!desk.path("results").exists(), "a wrong command line left results");
    assert!(!desk.path("other.toml").exists());
}

/// What an answer with a remedy has one of.
const REMEDIES: [&str; 12] = [
    "= help:",
    "tip:",
    "[possible values:",
    "write ",
    "expected ",
    "did you mean",
    "such as",
    "Usage:",
    "overwrites nothing",
    "allow for",
    "judge for",
    "a demand is above",
];

#[test]
fn every_answer_says_what_to_do() {
    let desk = Desk::with("\"p99 < 100s\"");
    let lacking = WRONG.iter().map(|line| answered(&desk, line)).filter(|answer| {
        let usage_alone = answer.lines().count() <= 2;
        usage_alone || !REMEDIES.iter().any(|remedy| answer.contains(remedy))
    });
    let lacking: Vec<String> = lacking.collect();
    assert!(lacking.is_empty(), "{}", lacking.join(""));
}
