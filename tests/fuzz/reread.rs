//! Damaged manifests that are done again, damaged checkpoints that are gone on with, and damaged
//! work files that are merged.

use std::fs;
use std::time::Duration;

use crate::desk::Desk;
use crate::mutate::{Chance, damage};

const SCENARIO: &str = "question = \"Does it hold?\"\nobjectives = [\"p99 < 1s\"]\n\n[gateway]\n\
    tier = \"small\"\n\n[traffic]\nrate = \"20/s\"\n\n[[fault]]\nkind = \"replica-crash\"\n\
    at = \"20s\"\n\n[run]\nhorizon = \"60s\"\nwarm-up = \"5s\"\nreplications = 5\n";

/// Every end that is in order.
const ENDS: [i32; 5] = [0, 1, 2, 3, 130];

const PATIENCE: Duration = Duration::from_secs(5);

/// Reads so many damaged manifests and work files, and twice as many checkpoints.
pub fn all(count: usize, seed: u64) {
    manifests(count, seed);
    checkpoints(count, seed);
    work_files(count, seed);
}

fn manifests(count: usize, seed: u64) {
    let desk = Desk::new(&format!("manifest-{seed}-{count}"));
    desk.write("small.toml", SCENARIO);
    let sweep = ["sweep", "small.toml", "--set", "traffic.rate=10/s,20/s", "-n", "2"];
    let run = ["run", "small.toml", "-n", "2", "--precision", "50%"];
    let texts = [&sweep[..], &run[..4]].map(|args| {
        desk.assert_in_order(&desk.run(args, PATIENCE), &[0, 1, 3], "the work to be repeated");
        let folder = if args[0] == "sweep" { "results/sweep-small" } else { "results/small" };
        fs::read_to_string(desk.path(folder).join("manifest.json")).expect("a manifest")
    });
    for number in 0..count {
        let mut chance = Chance::new(seed, number);
        let text = chance.of(&texts);
        desk.write("manifest.json", damage(text, &mut chance));
        let args = ["rerun", "manifest.json", "--output", "again", "--no-charts", "--force"];
        let output = desk.run(&[&args[..4], &args[5..]].concat(), PATIENCE);
        desk.assert_in_order(&output, &ENDS, &format!("manifest {number}"));
    }
}

fn checkpoints(count: usize, seed: u64) {
    let desk = Desk::new(&format!("checkpoint-{seed}-{count}"));
    desk.write("small.toml", SCENARIO);
    let run = |more: &[&str]| {
        let args = [&["run", "small.toml", "-n", "5", "--no-charts", "--jobs", "1"], more].concat();
        desk.run(&args, PATIENCE)
    };
    desk.assert_in_order(&run(&[]), &ENDS, "the whole run");
    let replications = || fs::read(desk.path("results/small/replications.csv")).expect("results");
    let whole = replications();
    let path = desk.path("results/.small.checkpoint.jsonl");
    let long = ["run", "small.toml", "-n", "100000", "--jobs", "1"];
    let mut left = String::new();
    while left.lines().count() < 7 {
        assert!(desk.kill(&long, Duration::from_millis(500)), "a long run ended");
        left = fs::read_to_string(&path).unwrap_or_default();
    }
    let left: String = left.lines().take(6).map(|line| format!("{line}\n")).collect();
    for number in 0..count * 2 {
        let mut chance = Chance::new(seed, number);
        let forged = number % 2 == 1;
        let text =
            if forged { forged_line(&left, &mut chance) } else { damage(&left, &mut chance) };
        fs::write(&path, &text).expect("written");
        let output = run(&["--resume"]);
        desk.assert_in_order(&output, &ENDS, &format!("checkpoint {number}"));
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(2) {
            let kept = fs::read_to_string(&path).unwrap_or_default();
            assert!(kept == text && said.contains("--resume"), "checkpoint {number}: {said}");
        } else if !forged {
            assert!(replications() == whole, "checkpoint {number} gives other results: {said}");
        }
    }
}

fn work_files(count: usize, seed: u64) {
    let desk = Desk::new(&format!("shards-{seed}-{count}"));
    desk.write("small.toml", SCENARIO);
    let run = |more: &[&str]| {
        let args = [&["run", "small.toml", "-n", "6", "--no-charts", "--jobs", "1"], more].concat();
        let output = desk.run(&args, PATIENCE);
        desk.assert_in_order(&output, &[0, 1, 3], "the work that is shared");
    };
    run(&["--output", "whole"]);
    run(&["--shard", "1/2"]);
    run(&["--shard", "2/2"]);
    let results = |root: &str| {
        let path = desk.path(root).join("small/replications.csv");
        fs::read(path).expect("results")
    };
    let path = desk.path("results/small.shards/1-of-2.jsonl.gz");
    let left = fs::read(&path).expect("a work file");
    for number in 0..count {
        let mut chance = Chance::new(seed, number);
        fs::write(&path, damaged_bytes(&left, &mut chance)).expect("written");
        let merge = ["merge", "results/small.shards", "--fill", "--output", "merged"];
        let output = desk.run(&merge, PATIENCE);
        desk.assert_in_order(&output, &ENDS, &format!("work file {number}"));
        if output.status.code() != Some(2) {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(results("merged") == results("whole"), "work file {number}: {said}");
        }
    }
}

/// Alters, cuts, doubles or moves bytes of a file.
fn damaged_bytes(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(3) {
        let (one, other) = (chance.below(bytes.len().max(1)), chance.below(bytes.len().max(1)));
        let (from, to) = (one.min(other), one.max(other));
        match chance.below(5) {
            0 => bytes.truncate(one),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let part = bytes[from..to].to_vec();
                bytes.splice(from..from, part);
            }
            3 => bytes[from..to].reverse(),
            _ => bytes.iter_mut().skip(one).take(1).for_each(|byte| *byte ^= 1 << (other % 8)),
        }
    }
    bytes
}

/// Damages one line, and gives it the checksum that fits.
fn forged_line(text: &str, chance: &mut Chance) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let place = chance.below(lines.len());
    let json = damage(&lines[place][12..lines[place].len() - 1], chance).replace('\n', " ");
    lines[place] = format!("[\"{:08x}\",{json}]", crc32fast::hash(json.as_bytes()));
    lines.join("\n") + "\n"
}
