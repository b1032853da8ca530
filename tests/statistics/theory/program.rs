//! The whole program against theory: a scenario is written to a file, the program is run on it, and
//! what it says in `summary.json` is compared.
//!
//! The program's own 95 % interval over 30 replications is about 2.045 standard errors wide on
//! either side. Twice that must hold the true value, which a right program misses once in 3 200
//! times. It must also be narrow enough to mean something, as for all vectors.
//!
//! A sample takes one system of every family that a file can say; all of them are taken if all
//! suites are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::theory::vectors::{self, Vector};
use crate::theory::verdict::{Accept, Measured, Verdict, judge};
use crate::theory::written::scenario;
use crate::theory::{table, verdict};
use crate::{Effort, effort};

/// An estimate as the program writes it, in the vector's unit.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    point: f64,
    low: f64,
    high: f64,
}

impl Estimate {
    /// Reads what stands at this place of the summary, in so many of its units to one of the
    /// vector's.
    fn read(summary: &Value, place: &str, unit: f64) -> Self {
        let number = |key: &str| {
            let place = format!("{place}/{key}");
            let number = summary.pointer(&place).and_then(Value::as_f64);
            number.unwrap_or_else(|| panic!("no number at {place}")) / unit
        };
        Estimate { point: number("point"), low: number("low"), high: number("high") }
    }

    /// What lacks to one.
    fn rest(self) -> Self {
        Estimate { point: 1.0 - self.point, low: 1.0 - self.high, high: 1.0 - self.low }
    }

    fn measured(self, truth: f64) -> Measured {
        let Estimate { point, low, high } = self;
        let reach = if truth < point { point - low } else { high - point };
        let error = (high - low) / 2.0 / verdict::T_95_OF_30;
        Measured { got: point, error: Some(error), accept: Accept::Within(2.0 * reach) }
    }
}

/// What the summary says of a vector's quantity; `None` if it does not say that.
fn estimate(summary: &Value, vector: &Vector) -> Option<Estimate> {
    let latency =
        |name: &str| Estimate::read(summary, &format!("/windows/0/latency_ms/{name}"), 10.0);
    let serving =
        |up: usize| Estimate::read(summary, &format!("/gateway/time_share_serving/{up}"), 1.0);
    if let Some(percent) = vector.quantity.strip_prefix("sojourn_p") {
        return Some(latency(&format!("p{percent}")));
    }
    if let Some(up) = vector.quantity.strip_prefix("prob_").and_then(|q| q.strip_suffix("_up")) {
        return Some(serving(up.parse().ok()?));
    }
    match vector.quantity.as_str() {
        "mean_sojourn" | "mean_sojourn_all_requests" | "mean_sojourn_of_accepted" => {
            Some(latency("mean"))
        }
        "blocking_probability" => {
            Some(Estimate::read(summary, "/windows/0/availability", 1.0).rest())
        }
        _ => None,
    }
}

/// Whether the summary has a vector's quantity, and sees it often enough to know it: percentiles up
/// to the 99th, and states that make up more than a thousandth of the time.
fn is_said(vector: &Vector) -> bool {
    let (percentile, state) = (
        vector.quantity.strip_prefix("sojourn_p"),
        vector.quantity.starts_with("prob_") && vector.quantity.ends_with("_up"),
    );
    let known = ["mean_sojourn", "mean_sojourn_all_requests", "mean_sojourn_of_accepted"];
    percentile.is_some_and(|percent| ["50", "90", "95", "99"].contains(&percent))
        || (state && vector.rarer() > 1e-3)
        || known.contains(&vector.quantity.as_str())
        || vector.quantity == "blocking_probability"
}

/// The vectors that go through the program, with their scenarios, by these.
fn written(effort: Effort) -> BTreeMap<String, Vec<Vector>> {
    let mut vectors = vectors::read().vectors;
    vectors.retain(|vector| !vector.stress && is_said(vector));
    let mut files: BTreeMap<String, Vec<Vector>> = BTreeMap::new();
    let mut have = BTreeSet::new();
    for vector in vectors {
        let Some(text) = scenario(&vector) else { continue };
        let is_first = have.insert(vector.family.clone());
        if effort == Effort::Full || is_first || files.contains_key(&text) {
            files.entry(text).or_default().push(vector);
        }
    }
    files
}

/// Runs the program on a file of this text and gives its summary.
fn summary_of(text: &str, seed: u64, folder: &Path) -> Value {
    std::fs::write(folder.join("system.toml"), text).expect("the file can be written");
    let run = ["run", "system.toml", "--quiet", "--no-charts", "--force", "--seed"];
    let done = Command::new(env!("CARGO_BIN_EXE_brownout"))
        .args(run)
        .arg(seed.to_string())
        .current_dir(folder)
        .output()
        .expect("the program can be started");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "the program refuses this scenario:\n{text}\n{said}");
    let path = folder.join("results/system/summary.json");
    let summary = std::fs::read_to_string(path).expect("the program writes a summary");
    serde_json::from_str(&summary).expect("the summary is well formed")
}

#[test]
fn what_the_program_says_of_a_file_agrees() {
    let (effort, folder) = (effort(), tempfile::tempdir().expect("a folder of its own"));
    let mut verdicts: Vec<Verdict> = Vec::new();
    for (text, vectors) in written(effort) {
        let summary = summary_of(&text, vectors[0].seed(), folder.path());
        verdicts.extend(vectors.into_iter().map(|vector| {
            let said = estimate(&summary, &vector).expect("the summary has it");
            let measured = said.measured(vector.value);
            judge(vector, measured, effort)
        }));
    }
    verdicts.sort_by(|a, b| a.vector.id.cmp(&b.vector.id));
    let failed = table::print(&verdicts, &[], true);
    let families: BTreeSet<&str> = verdicts.iter().map(|v| v.vector.family.as_str()).collect();
    assert!(families.len() >= 12, "only {families:?} went through the program");
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
