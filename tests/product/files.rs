//! Every column and field of every file is in `docs/FILES.md`, JSON files keep to their schemas in
//! `docs/schema`, and numbers are numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use jsonschema::{Registry, ValidationError};
use serde_json::Value;

use crate::desk::{Desk, err};

/// Commands that together write every file.
const COMMANDS: [&[&str]; 8] = [
    &["run", "apis.toml", "--requests-every", "10"],
    &["run", "small.toml", "--requests-every", "10"],
    &["run", "clients.toml"],
    &["run", "regions.toml"],
    &["compare", "regions.toml", "--set", "global.ttl=5s,10s"],
    &["compare", "small.toml", "--set", "gateway.replicas=2,3", "--fail-if", "worse"],
    &[
        "sweep",
        "small.toml",
        "--set",
        "traffic.rate=50/s,60/s",
        "--set",
        "run.horizon=40s,1m",
        "--fail-if",
        "missed",
    ],
    &["plan", "small.toml", "--tier", "small", "--mode", "healthy", "--judged", "30s"],
];

/// Those of months and years.
const MONTHS: [&[&str]; 4] = [
    &["availability", "months.toml", "--target", "99%", "--rto", "5s"],
    &["compare", "months.toml", "--set", "gateway.replicas=2,3", "-n", "2"],
    &["plan", "months.toml", "--tier", "small", "--mode", "healthy", "--judged", "30s"],
    &["availability", "months.toml", "--name", "without-target"],
];

/// Fields whose own fields are names that the scenario or a list gives.
const MAPS: [&str; 2] = ["settings", "summary"];

/// Two regions, of which one is lost, with a fault of each kind that a region has for itself.
const REGIONS: &str = r#"question = "Does it hold?"
objectives = ["rto < 2m", "rpo < 1h for configuration"]
[gateway]
tier = "large"
contracts = true
[traffic]
rate = "100/s"
[global]
preset = "route53-fast"
ttl = "10s"
stragglers = "0%"
[control-plane]
home = "us-east-1"
[[region]]
name = "us-east-1"
[[region]]
name = "us-west-2"
[[fault]]
kind = "region-outage"
region = "us-east-1"
at = "30s"
for = "60s"
[[fault]]
kind = "api-server-outage"
region = "us-west-2"
at = "20s"
for = "20s"
[[fault]]
kind = "ingress-loss"
region = "us-west-2"
at = "2m"
for = "5s"
[[fault]]
kind = "control-plane-outage"
at = "130s"
for = "5s"
[run]
horizon = "4m"
warm-up = "10s"
"#;

fn desk() -> Desk {
    let desk = Desk::with("\"p99 < 100s\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let fault = "[[fault]]\nkind = \"replica-crash\"\nat = \"20s\"\n";
    fs::write(desk.path("small.toml"), format!("{text}{fault}")).unwrap();
    let clients = "[clients]\nattempts = 2\ntimeout = \"5s\"\n";
    let apis = "[[api]]\nname = \"orders\"\n[[api]]\nname = \"stock\"\n";
    fs::write(desk.path("apis.toml"), format!("{text}{fault}{apis}")).unwrap();
    fs::write(desk.path("clients.toml"), format!("{text}{fault}{clients}")).unwrap();
    fs::write(desk.path("regions.toml"), REGIONS).unwrap();
    for command in COMMANDS {
        let output = desk.run(&[command, &["-n", "2", "--no-charts"]].concat());
        assert_ne!(output.status.code(), Some(2), "{command:?}: {}", err(&output));
    }
    let often = text + &fault.replace("at = \"20s\"", "every = \"exponential(30d)\"");
    let objectives = "\"p99 < 100s\", \"availability >= 99% per month\"";
    fs::write(desk.path("months.toml"), often.replace("\"p99 < 100s\"", objectives)).unwrap();
    for command in MONTHS {
        let more = ["--requests", "200K", "--no-charts"];
        let output = desk.run(&[command, &more].concat());
        assert_ne!(output.status.code(), Some(2), "{}", err(&output));
    }
    desk
}

/// The parts of `docs/FILES.md`, by title.
fn parts() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FILES.md");
    let page = fs::read_to_string(page).unwrap();
    let parts = page.split("\n## ").map(|part| part.split_once('\n').unwrap_or((part, "")));
    parts.map(|(title, text)| (title.to_owned(), text.to_owned())).collect()
}

/// Whether a name stands in the part of a file, or in what is said of all.
fn is_defined(parts: &[(String, String)], file: &str, name: &str) -> bool {
    let quoted = [format!("`{name}`"), format!("`{name}[]`")];
    let general = parts.iter().filter(|(title, _)| !title.ends_with(".csv"));
    let general = general.filter(|(title, _)| !title.ends_with(".json"));
    let own = parts.iter().filter(|(title, _)| title == file);
    own.chain(general).any(|(_, text)| quoted.iter().any(|name| text.contains(name)))
}

/// The names of all fields of a value.
fn fields(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| {
            all.insert(name.clone());
            if !MAPS.contains(&name.as_str()) {
                fields(value, all);
            }
        }),
        Value::Array(values) => values.iter().for_each(|value| fields(value, all)),
        _ => {}
    }
}

#[test]
fn every_column_and_field_is_defined() {
    let (desk, parts) = (desk(), parts());
    let (mut missing, mut files) = (BTreeSet::new(), BTreeSet::new());
    for folder in desk.names("results") {
        for (file, content) in desk.results(&format!("results/{folder}")) {
            let names: BTreeSet<String> = match file.rsplit_once('.') {
                Some((_, "csv")) => {
                    let mut reader = csv::Reader::from_reader(&content[..]);
                    reader.headers().unwrap().iter().map(str::to_owned).collect()
                }
                Some((_, "json")) => {
                    let mut names = BTreeSet::new();
                    fields(&serde_json::from_slice(&content).unwrap(), &mut names);
                    names
                }
                _ => continue,
            };
            let known = |name: &String| {
                let apis = ["orders.", "stock.", "us-east-1.", "us-west-2."];
                let of_any_api = apis.iter().fold(name.clone(), |n, api| n.replace(api, "API."));
                is_defined(&parts, &file, &of_any_api) || name.starts_with("run.horizon")
            };
            missing.extend(names.into_iter().filter(|n| !known(n)).map(|n| format!("{file}: {n}")));
            files.insert(file);
        }
    }
    assert!(missing.is_empty(), "docs/FILES.md does not define\n{missing:#?}");
    let described = parts.iter().map(|(title, _)| title).filter(|title| title.contains('.'));
    let written: Vec<&String> = described.filter(|title| !files.contains(*title)).collect();
    // Nothing that is assumed decides in so small a plan.
    assert!(written.iter().all(|title| *title == "sensitivity.csv"), "{written:?} was not written");
}

/// The schema of each JSON file, by the name of that.
fn schemas() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let read = |entry: io::Result<DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap().replace(".schema", "");
        (name, serde_json::from_str(&fs::read_to_string(entry.path()).unwrap()).unwrap())
    };
    let mut schemas: BTreeMap<String, Value> = fs::read_dir(folder).unwrap().map(read).collect();
    // That of what is read, and not written.
    schemas.remove("scenario.json").expect("the schema of scenarios");
    schemas
}

/// What a schema does not allow in a file.
fn faults(schemas: &BTreeMap<String, Value>, file: &str, content: &Value) -> Vec<String> {
    let schema = schemas.get(file).unwrap_or_else(|| panic!("{file} has no schema"));
    let all = schemas.values().fold(Registry::new(), |registry, schema| {
        registry.add(schema["$id"].as_str().unwrap(), schema.clone()).unwrap()
    });
    let all = all.prepare().unwrap();
    let validator = jsonschema::options().with_registry(&all).build(schema).unwrap();
    let fault = |error: ValidationError| format!("{}: {error}", error.instance_path());
    validator.iter_errors(content).map(fault).collect()
}

#[test]
fn every_json_file_keeps_to_its_schema() {
    let (desk, schemas) = (desk(), schemas());
    let mut kept = BTreeSet::new();
    for folder in desk.names("results") {
        for (file, content) in desk.results(&format!("results/{folder}")) {
            if file.ends_with(".json") {
                let content: Value = serde_json::from_slice(&content).unwrap();
                let found = faults(&schemas, &file, &content);
                assert!(found.is_empty(), "{folder}/{file}: {found:#?}");
                // A schema allows nothing else, and wants what it has.
                let mut more = content.clone();
                more["more"] = 1.into();
                assert_eq!(faults(&schemas, &file, &more).len(), 1, "{file}");
                let mut less = content;
                less.as_object_mut().unwrap().remove("engine");
                assert_eq!(faults(&schemas, &file, &less).len(), 1, "{file}");
                kept.insert(file);
            }
        }
    }
    // It leaves no file, but prints one.
    let printed = "check.json";
    let others = schemas.keys().filter(|name| *name != printed);
    assert!(kept.iter().eq(others), "{kept:?} of {:?}", schemas.keys());
    fs::write(desk.path("wrong.toml"), "question = \"?\"\nrate = 5\n").unwrap();
    let output = desk.run(&["check", "small.toml", "wrong.toml", "--settings", "--format", "json"]);
    let content: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = faults(&schemas, printed, &content);
    assert!(found.is_empty(), "{found:#?}");
    assert!(content["files"][0]["settings"].is_array() && content["files"][1]["errors"] != 0);
}

#[test]
fn settings_of_a_sweep_are_there_as_numbers() {
    let desk = desk();
    let csv = fs::read(desk.path("results/sweep-small/sweep.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(&csv[..]);
    let header = reader.headers().unwrap().clone();
    let first: Vec<&str> = header.iter().take(4).collect();
    let path = ["traffic.rate", "run.horizon", "traffic.rate_per_s", "run.horizon_s"];
    assert_eq!(first, path);
    let last = reader.records().last().unwrap().unwrap();
    assert_eq!(last.iter().take(4).collect::<Vec<_>>(), ["60/s", "1m", "60", "60"]);
}

#[test]
fn facts_and_recovery_times_of_regions_say_of_which_and_how_long() {
    let desk = Desk::new();
    fs::write(desk.path("regions.toml"), REGIONS).unwrap();
    let output = desk.run(&["run", "regions.toml", "-n", "2", "--no-charts"]);
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{}", err(&output));
    let rows = |file: &str| -> Vec<BTreeMap<String, String>> {
        let csv = fs::read(desk.path(&format!("results/regions/{file}"))).unwrap();
        csv::Reader::from_reader(&csv[..]).deserialize().map(|row| row.unwrap()).collect()
    };
    let mut of_each: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows("events.csv") {
        let name = match &row["fault"][..] {
            "" => row["event"].clone(),
            fault => format!("{} {fault}", row["event"]),
        };
        of_each.entry(name).or_default().insert(row["region"].clone());
    }
    let of = |event: &str| of_each[event].iter().map(String::as_str).collect::<Vec<_>>();
    let both = ["us-east-1", "us-west-2"];
    for event in ["created", "entered", "joined_rotation", "autoscaler_decided", "ingress"] {
        assert_eq!(of(event), both, "{event}");
    }
    assert_eq!(of("api_server_back"), ["us-west-2"]);
    assert_eq!(of("fault_injected region-outage"), ["us-east-1"]);
    assert_eq!(of("fault_ended ingress-loss"), ["us-west-2"]);
    assert_eq!(of("fault_injected control-plane-outage"), [""]);
    let ended = |fault: &str| {
        let all = rows("events.csv").into_iter();
        all.filter(|row| row["event"] == "fault_ended" && row["fault"] == fault).count()
    };
    for fault in ["region-outage", "api-server-outage", "ingress-loss", "control-plane-outage"] {
        assert_eq!(ended(fault), 1, "{fault}");
    }
    // Whoever asks again within 10 s after 24 to 34 s is led elsewhere within that.
    for row in rows("replications.csv") {
        let secs = |column: &str| row[column].parse::<f64>().unwrap();
        let [half, most, all] = [50, 95, 99].map(|it| secs(&format!("clients_back_{it}_s")));
        assert!(24.0 < half && half < most && most <= all && all <= 60.0, "{row:?}");
        assert!(half < secs("rto_s") && secs("rto_s") <= secs("recovery_s"), "{row:?}");
    }
}

#[test]
fn what_is_lost_with_a_region_is_told_item_by_item_and_judged() {
    let desk = Desk::new();
    fs::write(desk.path("regions.toml"), REGIONS).unwrap();
    let output = desk.run(&["run", "regions.toml", "-n", "2", "--no-charts"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let summary = fs::read(desk.path("results/regions/summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    let item = |index: usize| {
        let of = |key: &str| summary["faults"][0]["rpo"][index][key].clone();
        (of("item"), of("state"), of("most_s").as_f64())
    };
    // The control plane goes along, with up to a day: contracts of the last day, too.
    assert_eq!(item(0), ("configuration".into(), "lost".into(), Some(86_400.0)));
    assert_eq!(item(1), ("contracts".into(), "lost".into(), Some(86_400.0)));
    for (index, name) in ["cache", "limits", "tokens"].into_iter().enumerate() {
        assert_eq!(item(index + 2), (name.into(), "absent".into(), None));
    }
    // The gateway's CPU is a mean of that of its regions.
    let cpu = |of: &Value| of["cpu"]["point"].as_f64().unwrap();
    let [one, other] = [0, 1].map(|region| cpu(&summary["apis"][region]));
    let all = cpu(&summary["gateway"]);
    assert!(0.0 < one.min(other) && one.min(other) < all && all < one.max(other), "{summary}");
    let objective = &summary["objectives"][1];
    assert_eq!((&objective["verdict"], &objective["unit"]), (&"missed".into(), &"s".into()));
    assert_eq!(objective["figure"]["high"], 86_400.0);
    assert_eq!(objective["margin"], 3_600.0 - 86_400.0);
    let rows = summary["disruptions"].as_array().unwrap().iter();
    let rows =
        rows.map(|row| (row["disruption"].as_str().unwrap(), row["verdict"].as_str().unwrap()));
    let untested = |name| (name, "not_tested");
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            untested("software"),
            untested("hardware"),
            untested("zone"),
            ("region", "missed"),
            ("control_plane", "met"),
        ]
    );
}
