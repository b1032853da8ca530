//! `check` on damaged scenarios, with damaged changes of settings, of damaged recordings.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::desk::{Desk, texts};
use crate::mutate::{Chance, damage, path, value};

/// Files that are checked at once.
const BATCH: usize = 50;

/// Recordings that are damaged beside the samples of every format.
const RECORDINGS: [(&str, &str); 3] = [
    ("times.csv", "time_s\n0.1\n0.2\n1.5\n30\n"),
    ("full.csv", "time_s,demand_ms,replica,api\n0.5,1.4,0,orders\n0.75,2.5,1,\n2,0,,orders\n"),
    ("numbers.jsonl", "{\"ts\": 1700000000.5, \"path\": \"/x\"}\n{\"ts\": 1700000007}\n"),
];

/// Recordings of every kind, from which arrivals are played, and files of rates.
fn recordings() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recordings");
    let entries = std::fs::read_dir(folder).expect("samples").map(|entry| entry.unwrap().path());
    let sample = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A few lines are more likely to be hit where it hurts.
        let text = std::fs::read_to_string(path).expect("text");
        let whole = text.lines().count() < 9;
        let few = text.lines().take(9).map(|line| format!("{line}\n")).collect();
        (name, if whole { text } else { few })
    };
    let mut all: Vec<_> = entries.map(sample).collect();
    all.sort();
    all.extend(RECORDINGS.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert!(all.len() > 30, "{} recordings", all.len());
    all
}

/// Checks so many damaged files.
pub fn all(count: usize, seed: u64) {
    let desk = Desk::new(&format!("check-{seed}-{count}"));
    let scenarios = [texts("scenarios", "toml"), texts("tests/problems", "toml")].concat();
    let recordings = recordings();
    assert!(scenarios.len() > 80, "{} scenarios", scenarios.len());
    for (batch, first) in (0..count).step_by(BATCH).enumerate() {
        let mut args = vec!["check".to_owned()];
        let mut chance = Chance::new(seed, first);
        if batch % 2 == 1 {
            args.push("--settings".to_owned());
        }
        if batch % 3 == 2 {
            args.push(format!("--set={}={}", path(&mut chance), value(&mut chance)));
        }
        let files: Vec<String> = (first..count.min(first + BATCH))
            .map(|number| match number % 4 {
                3 => recording(&desk, number, seed, &recordings),
                _ => scenario(&desk, number, seed, &scenarios),
            })
            .collect();
        args.extend(files.iter().cloned());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = desk.run(&args, Duration::from_secs(300));
        let what = args[..args.len().min(3)].join(" ");
        desk.assert_in_order(&output, &[0, 2], &format!("batch {batch}: {what} ..."));
        let verdicts = String::from_utf8_lossy(&output.stdout);
        for file in &files {
            let verdict = format!("\n{file}: ");
            assert!(format!("\n{verdicts}").contains(&verdict), "{file} has no verdict, {what}");
        }
        assert_placed(&String::from_utf8_lossy(&output.stderr));
    }
}

/// Asserts that every problem has a place.
fn assert_placed(talk: &str) {
    let lines: Vec<&str> = talk.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with("error") || line.starts_with("warning") {
            let place = lines.get(index + 1).map_or("", |next| next.trim_start());
            assert!(place.starts_with("--> ") || place.starts_with("::: "), "{line}\n{place}");
        }
    }
}

fn scenario(
    desk: &Desk,
    number: usize,
    seed: u64,
    from: &[(std::path::PathBuf, String)],
) -> String {
    let mut chance = Chance::new(seed, number);
    let (_, text) = chance.of(from);
    let name = format!("{number}.toml");
    desk.write(&name, damage(text, &mut chance));
    name
}

fn recording(desk: &Desk, number: usize, seed: u64, from: &[(String, String)]) -> String {
    let mut chance = Chance::new(seed, number);
    let (file, text) = chance.of(from);
    let (file, name) = (format!("{number}-{file}"), format!("{number}.toml"));
    let mut bytes = damage(text, &mut chance).into_bytes();
    if chance.below(10) == 0 {
        bytes.push(0xff);
    }
    if chance.below(8) == 0 {
        bytes = compressed(&bytes);
        let cut = chance.below(bytes.len() * 3);
        bytes.truncate(cut.max(1));
    }
    desk.write(&file, bytes);
    let options = [
        "",
        "replay-loop = true\n",
        "replay-speed = 1e-9\n",
        "replay-speed = 1e300\n",
        "replay-from = \"1s\"\nreplay-to = \"2026-05-04T11:21:00Z\"\nreplay-loop = true\n",
        "replay-share = \"3%\"\nreplay-series = \"0\"\n",
    ];
    let option = chance.of(&options);
    let scenario = format!(
        "question = \"?\"\n[traffic]\nreplay = \"{file}\"\n{option}\n[run]\nhorizon = \"1m\"\n\
         [[api]]\nname = \"orders\"\ncpu-per-request = \"1ms\"\n"
    );
    desk.write(&name, scenario);
    name
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}
