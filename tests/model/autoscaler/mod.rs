//! The autoscaler against cases of Kubernetes' own tests, and of its code executed.
//!
//! `cargo test --test model autoscaler -- --nocapture` prints passed and total by file and kind.
//! The cases are in `tests/data/hpa_*.json`; times in them are seconds from the moment of
//! evaluation, and −1e9 stands for a time that was never set.

mod cases;
mod metrics;
mod rules;

use std::collections::BTreeMap;

use serde_json::Value;

/// The outcome of one case: what differs, if anything.
type Check = Result<(), String>;

/// Passed and total of each kind, and the differences.
#[derive(Default)]
struct Tally {
    kinds: BTreeMap<(String, String), (usize, usize)>,
    differences: Vec<String>,
}

impl Tally {
    fn note(&mut self, file: &str, kind: &str, id: &str, check: Check) {
        let counts = self.kinds.entry((file.to_owned(), kind.to_owned())).or_default();
        counts.1 += 1;
        match check {
            Ok(()) => counts.0 += 1,
            Err(difference) => self.differences.push(format!("{file} {kind} {id}: {difference}")),
        }
    }
}

/// Equality, or both values.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Check {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what} is {found:?}, not {expected:?}"))
}

fn load(file: &str) -> Value {
    let path = format!("{}/tests/data/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the data")).expect("JSON")
}

/// A file, a kind of cases in it, and what checks one.
type Kind = (&'static str, &'static str, fn(&Value) -> Check);

const KINDS: [Kind; 14] = [
    ("hpa_replica_calculator", "cases", cases::calculated),
    ("hpa_replica_calculator", "group_pods", cases::grouped),
    ("hpa_replica_calculator", "random_cases", cases::calculated),
    ("hpa_thresholds", "tables", cases::thresholds),
    ("hpa_failover", "cases", cases::calculated),
    ("hpa_behavior", "convert_desired_replicas_with_rules", rules::converted),
    ("hpa_behavior", "stabilize_no_behavior", rules::stabilised),
    ("hpa_behavior", "scaling_with_rules", rules::scaled),
    ("hpa_behavior", "rate_limits", rules::limited),
    ("hpa_behavior", "store_scale_events", rules::stored),
    ("hpa_behavior", "stabilize_with_behavior", rules::stabilised_both),
    ("hpa_behavior", "controller_end_to_end_cpu", cases::end_to_end),
    ("hpa_behavior", "random_rate_limit", rules::scaled),
    ("hpa_behavior", "random_stabilization", rules::stabilised_at_random),
];

#[test]
fn the_autoscaler_decides_as_kubernetes_does() {
    let mut tally = Tally::default();
    for (file, kind, check) in KINDS {
        for case in load(file)[kind].as_array().expect("a list") {
            let id = case["id"].as_str().expect("an id");
            tally.note(file, kind, id, check(case));
        }
    }
    for case in load("hpa_behavior")["sequences_no_behavior"].as_array().expect("a list") {
        let id = case["id"].as_str().expect("an id");
        tally.note("hpa_behavior", "sequences_no_behavior", id, cases::sequence(case));
    }
    report(&tally);
}

fn report(tally: &Tally) {
    println!("{:<24} {:<38} passed  total", "file", "kind");
    for ((file, kind), (passed, total)) in &tally.kinds {
        println!("{file:<24} {kind:<38} {passed:>6} {total:>6}");
    }
    let sums = tally.kinds.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("{} of {} passed", sums.0, sums.1);
    assert!(sums.1 > 1_000, "only {} cases", sums.1);
    assert!(tally.differences.is_empty(), "{}", tally.differences.join("\n"));
}
