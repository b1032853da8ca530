//! The availability of months and years, as a user meets it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::desk::{Desk, err, out};

/// A pair of replicas that crash now and then, and whose zone is lost seldom.
fn desk() -> Desk {
    let desk = Desk::with("\"availability >= 99.9%\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let faults = "[[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\n\
                  every = \"exponential(30d)\"\n[[fault]]\nname = \"zone\"\n\
                  kind = \"zone-outage\"\nevery = \"exponential(2000d)\"\nfor = \"20m\"\n";
    fs::write(desk.path("small.toml"), text + faults).unwrap();
    desk
}

const COMMAND: [&str; 5] = ["availability", "small.toml", "--requests", "2M", "--no-charts"];

#[test]
fn it_tells_how_many_nines_and_what_eats_them_to_the_same_bytes_at_any_number_of_threads() {
    let desk = desk();
    let done = desk.run(&[&COMMAND[..], &["-v"]].concat());
    let said = out(&done);
    assert_eq!(done.status.code(), Some(0), "{}{said}", err(&done));
    for part in [
        "✓ met availability >= 99.9 % in the long run",
        "of the months use more than their error budget",
        "requests answered",
        "worst of a hundred",
        "crash",
        "zone",
        "once a year",
        "each of 2 replicas every 30 d",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let one = [&COMMAND[..], &["--jobs", "1", "--output", "one"]].concat();
    assert_eq!(desk.code(&one), 0);
    let name = "availability-small";
    let results = |root: &str| desk.results(&format!("{root}/{name}"));
    assert_eq!(results("results"), results("one"));
    let names = desk.names(&format!("results/{name}"));
    let right = [
        "availability.json",
        "causes.csv",
        "manifest.json",
        "months.csv",
        "pieces.csv",
        "report.html",
        "report.txt",
    ];
    assert_eq!(names, right);
    assert_eq!(desk.code(&["rerun", &format!("results/{name}"), "--output", "again"]), 0);
    assert_eq!(results("results"), results("again"));
    // More than it can keep.
    let strict = [&COMMAND[..], &["--target", "99.9999999%", "--force"]].concat();
    assert_eq!(desk.code(&strict), 1);
}

#[test]
fn objectives_of_months_are_judged_by_it_alone() {
    let desk = desk();
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let with = |name: &str, objectives: &str| {
        let text = text.replace("\"availability >= 99.9%\"", objectives);
        fs::write(desk.path(name), text).unwrap();
    };
    let month = "\"availability >= 99% per month\"";
    with("met.toml", &format!("{month}, \"availability >= 99.99999% in 90% of years\""));
    let mut command = COMMAND;
    command[1] = "met.toml";
    let done = desk.run(&[&command[..], &["--rto", "2s", "-v"]].concat());
    let said = out(&done);
    assert_eq!(done.status.code(), Some(1), "{}{said}", err(&done));
    for part in [
        "✓ met availability >= 99% per month: 0 % of the months use more than their budget",
        "✗ missed availability >= 99.99999% in 90% of years: ",
        "an outage longer than 2 s (--rto): in ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = fs::read_to_string(desk.path("results/availability-met/availability.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let [first, year] = [&json["objectives"][0], &json["objectives"][1]];
    assert_eq!((&first["verdict"], &first["of"]), (&"met".into(), &"month".into()));
    assert_eq!((&year["verdict"], &year["of"]), (&"missed".into(), &"year".into()));
    assert!((year["may_use_more"].as_f64().unwrap() - 0.1).abs() < 1e-9);
    assert_eq!((&json["verdict"], &json["target"]), (&"missed".into(), &serde_json::Value::Null));
    let outages = &json["longer_outages"];
    let of = |what: &str| outages[what]["point"].as_f64().unwrap();
    // A Poisson number with this mean.
    let right = 1.0 - (-of("per_year") / 12.0).exp();
    assert!(of("per_year") > 0.0 && (of("month") - right).abs() < 1e-9, "{outages}");
    // A run says that it does not judge it, and is of what is left.
    with("run.toml", month);
    let done = desk.run(&["run", "run.toml", "--no-charts", "-n", "2"]);
    let said = out(&done);
    assert_eq!(done.status.code(), Some(0), "{}{said}", err(&done));
    assert!(said.starts_with("No objectives"), "{said}");
    let line = "not judged here: availability >= 99% per month → brownout availability judges it";
    assert!(said.contains(line), "{said}");
}

#[test]
fn it_is_shared_in_rounds() {
    let desk = desk();
    assert_eq!(desk.code(&[&COMMAND[..], &["--output", "whole"]].concat()), 0);
    let merge = ["merge", "results/availability-small.shards", "--output", "merged"];
    for round in 1.. {
        for shard in ["1/2", "2/2"] {
            let done = desk.run(&[&COMMAND[..], &["--shard", shard]].concat());
            assert_eq!(done.status.code(), Some(0), "{}", err(&done));
        }
        if desk.code(&merge) == 0 {
            break;
        }
        assert!(round < 8, "it takes too many rounds");
    }
    let results = |root: &str| desk.results(&format!("{root}/availability-small"));
    assert_eq!(results("whole"), results("merged"));
}

/// A shipped scenario in a folder with what it needs, with changes in its text.
fn shipped(name: &str, change: impl Fn(String) -> String) -> Desk {
    let desk = Desk::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let text = fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
    fs::write(desk.path("it.toml"), change(text)).unwrap();
    let log = "recorded-traffic.log";
    fs::copy(folder.join(log), desk.path(log)).unwrap();
    desk
}

fn json(desk: &Desk, path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(desk.path(path)).unwrap()).unwrap()
}

/// Requests that fail each time, of a cause.
fn failed_each(desk: &Desk, cause: &str) -> f64 {
    let table = fs::read_to_string(desk.path("results/availability-it/causes.csv")).unwrap();
    let row = table.lines().find(|row| row.starts_with(&format!("{cause},"))).unwrap().to_owned();
    row.split(',').nth(2).unwrap().parse().unwrap()
}

#[test]
fn a_region_that_is_lost_costs_what_a_run_of_its_loss_shows() {
    let once = |text: String| text.replace("rate = \"900/s\"", "rate = \"60/s\"");
    let desk = shipped("regions-hot-standby", once);
    let ended = desk.code(&["run", "it.toml", "-n", "12", "--no-charts", "--quiet"]);
    assert!([0, 1, 3].contains(&ended), "{ended}");
    let summary = json(&desk, "results/it/summary.json");
    let failed = summary["windows"][0]["failed"].as_object().unwrap();
    let each: f64 = failed.values().map(|one| one["point"].as_f64().unwrap()).sum();
    let often = |text: String| once(text).replace("at = \"5m\"", "every = \"exponential(50d)\"");
    let desk = shipped("regions-hot-standby", often);
    let done = desk.run(&["availability", "it.toml", "--requests", "4M", "--no-charts"]);
    assert!(done.status.code() != Some(2), "{}", err(&done));
    let ours = failed_each(&desk, "region-lost");
    assert!((ours / each - 1.0).abs() < 0.15, "{ours} each time, and {each} in runs");
}

#[test]
fn recorded_traffic_repeats_from_anywhere() {
    let desk = shipped("recorded-traffic", |text| text);
    let done = desk.run(&[
        "availability",
        "it.toml",
        "--typical",
        "--requests",
        "2M",
        "--no-charts",
        "-v",
    ]);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    let said = out(&done);
    assert!(said.contains("crash: at a given time, which says nothing of months"), "{said}");
    assert!(said.contains("zone-outage (inferred): once in 20 years and zone"), "{said}");
    // 3,214 requests in two minutes, at twice the speed.
    let rate = json(&desk, "results/availability-it/availability.json")["requests_per_s"].as_f64();
    assert!((rate.unwrap() / (3_214.0 / 60.0) - 1.0).abs() < 0.05, "{rate:?}");
}

#[test]
fn what_says_nothing_of_months_is_refused_with_what_to_do() {
    let desk = desk();
    let refused = |change: &dyn Fn(String) -> String, said: &str| {
        let text = fs::read_to_string(desk.path("small.toml")).unwrap();
        fs::write(desk.path("other.toml"), change(text)).unwrap();
        let done = desk.run(&["availability", "other.toml"]);
        assert_eq!(done.status.code(), Some(2), "{}", out(&done));
        assert!(err(&done).contains(said), "{}", err(&done));
    };
    let none = |text: String| text.split("[[fault]]").next().unwrap().to_owned();
    refused(&none, "no fault strikes at random");
    let often = |text: String| text.replace("exponential(30d)", "exponential(1m)");
    refused(&often, "faults strike so often");
    let wrong = desk.run(&["availability", "small.toml", "--target", "100%"]);
    assert!(err(&wrong).contains("such as 99.95%"), "{}", err(&wrong));
    let wrong = desk.run(&["availability", "small.toml", "--requests", "10"]);
    assert!(err(&wrong).contains("such as 200M"), "{}", err(&wrong));
}
