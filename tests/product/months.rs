//! Months and years in comparisons and plans, as a user meets them.

use std::fs;

use serde_json::Value;

use crate::desk::{Desk, err, out};

/// A pair of replicas that crash now and then, and whose zone is lost seldom.
fn desk(objectives: &str) -> Desk {
    let desk = Desk::with(objectives);
    let text = fs::read_to_string(desk.path("small.toml")).unwrap().replace("50/s", "20/s");
    let faults = "[[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\n\
                  every = \"exponential(30d)\"\n[[fault]]\nname = \"zone\"\n\
                  kind = \"zone-outage\"\nevery = \"exponential(2000d)\"\nfor = \"20m\"\n";
    fs::write(desk.path("small.toml"), text + faults).unwrap();
    desk
}

const MONTH: &str = "\"p90 < 2s\", \"availability >= 99% per month\"";
const COMPARE: [&str; 9] =
    ["compare", "small.toml", "--tier", "small", "--tier", "large", "-n", "2", "--requests"];
const PLAN: [&str; 11] = [
    "plan",
    "small.toml",
    "--tier",
    "small",
    "--mode",
    "healthy",
    "--judged",
    "30s",
    "-n",
    "5",
    "--requests",
];

fn json(desk: &Desk, file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(desk.path(file)).unwrap()).unwrap()
}

#[test]
fn a_comparison_has_the_months_of_each_variant() {
    let desk = desk(MONTH);
    let done = desk.run(&[&COMPARE[..], &["1M", "-v"]].concat());
    let said = out(&done);
    assert_eq!(done.status.code(), Some(0), "{}{said}", err(&done));
    let title =
        "Months and years (cost in entitlements (Large); error budget of 99 %; 95 % intervals)";
    for part in [title, "✓ met small: availability >= 99% per month: ", "✓ met large: "] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let months = &json(&desk, "results/compare-small/comparison.json")["months"];
    assert_eq!((&months[0]["name"], &months[1]["name"]), (&"small".into(), &"large".into()));
    for one in months.as_array().unwrap() {
        assert_eq!((&one["verdict"], &one["target"]), (&"met".into(), &0.99.into()));
        let used = |key: &str| one["budget_used"][key].as_f64().unwrap();
        let failing = one["failing"]["point"].as_f64().unwrap();
        assert!((used("point") / (failing / 0.01) - 1.0).abs() < 1e-9, "{one}");
        assert!(0.0 < used("low") && used("low") < used("point") && used("point") < used("high"));
    }
    let names = desk.names("results/compare-small");
    assert!(["budgets.csv", "budgets.svg"].iter().all(|name| names.iter().any(|it| it == name)));
    // The objective asked for it, and is recorded so.
    assert_eq!(desk.code(&["rerun", "results/compare-small", "--output", "again"]), 0);
    assert_eq!(desk.results("results/compare-small"), desk.results("again/compare-small"));
}

#[test]
fn months_that_nobody_demands_are_worked_out_if_asked_for() {
    let desk = desk("\"p90 < 2s\"");
    let plain = [&COMPARE[..], &["200K", "--no-charts", "-v"]].concat();
    assert!(!out(&desk.run(&plain)).contains("Months and years"));
    let said = out(&desk.run(&[&plain[..], &["--months", "--force"]].concat()));
    assert!(said.contains("Months and years") && said.contains("no error budget: write"), "{said}");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let none = text.split("[[fault]]").next().unwrap();
    fs::write(desk.path("small.toml"), none).unwrap();
    let refused = desk.run(&[&plain[..], &["--months", "--force"]].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("no fault strikes at random"), "{}", err(&refused));
}

#[test]
fn a_gateway_that_misses_its_months_is_not_recommended() {
    let with = |objective: &str, more: &[&str]| {
        let desk = desk(&format!("\"p90 < 2s\", \"{objective}\""));
        let done = desk.run(&[&PLAN[..], &["500K", "--no-charts", "-v"], more].concat());
        (done.status.code(), out(&done), json(&desk, "results/plan-small/plan.json"))
    };
    let (code, said, plan) = with("availability >= 99% per month", &[]);
    assert_eq!((code, &plan["chosen"]), (Some(0), &"Small".into()), "{said}");
    assert!(said.contains("and keeps its months\n"), "{said}");
    assert!(said.contains("Months and years at 20/s (cost in"), "{said}");
    let (code, said, plan) =
        with("availability >= 99.99999% in 99% of years", &["--no-sensitivity"]);
    assert_eq!((code, &plan["chosen"]), (Some(1), &Value::Null), "{said}");
    assert!(said.contains("✗ NONE of these gateways"), "{said}");
    assert!(said.contains("✗ Small (1 Small) lasts until"), "{said}");
    assert!(said.contains("but its months are not as demanded"), "{said}");
    assert_eq!(plan["months"][0]["objectives"][0]["verdict"], "missed", "{said}");
    assert_eq!(plan["gateways"][0]["carries_demand"], "yes");
}

/// Rounds of two shards until the merge has all, which gives the bytes of the command by itself.
fn expect_same_in_rounds(desk: &Desk, command: &[&str], name: &str) {
    let command = [command, &["--no-charts"]].concat();
    let whole = desk.code(&[&command[..], &["--output", "whole"]].concat());
    let shards = format!("results/{name}.shards");
    let merge = ["merge", &shards, "--output", "merged"];
    for round in 1.. {
        for shard in ["1/2", "2/2"] {
            let done = desk.run(&[&command[..], &["--shard", shard]].concat());
            assert_eq!(done.status.code(), Some(0), "{}", err(&done));
        }
        let merged = desk.run(&merge);
        if !err(&merged).contains("brownout merge") && merged.status.code() == Some(whole) {
            break;
        }
        assert!(round < 12, "it takes too many rounds: {}", err(&merged));
    }
    let results = |root: &str| desk.results(&format!("{root}/{name}"));
    assert_eq!(results("whole"), results("merged"));
}

#[test]
fn months_are_shared_in_rounds() {
    let desk = desk(MONTH);
    expect_same_in_rounds(&desk, &[&COMPARE[..], &["300K"]].concat(), "compare-small");
    let plan = [&PLAN[..], &["300K", "--no-sensitivity"]].concat();
    expect_same_in_rounds(&desk, &plan, "plan-small");
}

#[test]
fn what_was_stopped_in_the_midst_of_months_goes_on_to_the_same_bytes() {
    let desk = desk(MONTH);
    let command = [&COMPARE[..], &["4M", "--no-charts"]].concat();
    desk.stop_on_the_way(&command);
    let resumed = [&command[..], &["--resume"]].concat();
    assert_eq!(desk.code(&resumed), 0);
    assert_eq!(desk.code(&[&command[..], &["--output", "whole"]].concat()), 0);
    assert_eq!(desk.results("results/compare-small"), desk.results("whole/compare-small"));
}
