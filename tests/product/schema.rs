//! The JSON Schema of scenario files: what is committed is what the program prints, every sound
//! file keeps to it, and what is wrong with a single key of a file it finds.
//!
//! After a change of keys: `UPDATE_GOLDEN=1 cargo test --test product schema`.

use std::fs;
use std::path::{Path, PathBuf};

use brownout::quantity;
use brownout::scenario::keys;
use brownout::scenario::read::load;
use brownout::scenario::schema;
use jsonschema::Validator;
use serde_json::{Value, json};

const COMMITTED: &str = "docs/schema/scenario.schema.json";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema::scenario()).unwrap()
}

/// A file as the validators of editors see it; nothing if it is no TOML.
fn content(path: &Path) -> Option<Value> {
    toml::from_str(&fs::read_to_string(path).unwrap()).ok()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

fn faults(validator: &Validator, content: &Value) -> Vec<String> {
    let fault = |error: jsonschema::ValidationError| format!("{}: {error}", error.instance_path());
    validator.iter_errors(content).map(fault).collect()
}

#[test]
fn the_committed_schema_is_that_of_the_program() {
    let (path, now) = (root().join(COMMITTED), schema::text());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, now).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == now, "{COMMITTED} is of other keys than the program has");
    assert!(jsonschema::meta::is_valid(&schema::scenario()));
}

#[test]
fn every_shipped_scenario_keeps_to_the_schema() {
    let validator = validator();
    let files = files("scenarios");
    assert!(files.len() > 50);
    for path in files {
        let found = faults(&validator, &content(&path).unwrap());
        assert!(found.is_empty(), "{}: {found:#?}", path.display());
    }
}

/// Problems that follow from one key by itself.
const OF_ONE_KEY: [&str; 5] =
    ["unknown key", "does not fit here", "lacks a unit", "is no duration", "is no rate"];

#[test]
fn what_is_wrong_with_one_key_the_schema_finds_too() {
    let validator = validator();
    let (mut refused, mut missed) = (0, Vec::new());
    for path in files("tests/problems") {
        let Some(content) = content(&path) else { continue };
        let problems = load(&path).problems;
        let of_one_key = |part: &&&str| problems.iter().any(|one| one.title.contains(**part));
        let found = faults(&validator, &content);
        match (OF_ONE_KEY.iter().find(of_one_key), found.is_empty()) {
            (Some(part), true) => missed.push(format!("{}: {part}", path.display())),
            (_, found) => refused += usize::from(!found),
        }
    }
    assert!(missed.is_empty(), "the schema allows\n{}", missed.join("\n"));
    assert!(refused >= 20, "only {refused} wrong files are refused");
}

#[test]
fn every_default_has_the_form_that_the_schema_asks_for() {
    let whole = schema::scenario();
    for key in keys::reference().filter(|key| !key.default.is_empty()) {
        let table = match key.section {
            "" => &whole,
            section => &whole["definitions"][section],
        };
        let form = &table["properties"][key.name];
        let value = match (key.bare, serde_json::from_str(key.default)) {
            (true, Ok(bare)) => bare,
            _ => json!(key.default),
        };
        let value = if form["type"] == "array" { json!([value]) } else { value };
        let validator = jsonschema::validator_for(form).unwrap();
        let found = faults(&validator, &value);
        assert!(found.is_empty(), "{}.{}: {found:?}", key.section, key.name);
    }
}

#[test]
fn quantities_are_taken_and_refused_as_the_program_does() {
    let whole = schema::scenario();
    let form = |section: &str, key: &str| {
        jsonschema::validator_for(&whole["definitions"][section]["properties"][key]).unwrap()
    };
    type Reads = fn(&str) -> bool;
    let of: [(Validator, Reads); 4] = [
        (form("run", "horizon"), |text| quantity::span(text).is_ok()),
        (form("traffic", "rate"), |text| quantity::rate(text).is_ok()),
        (form("gateway", "memory"), |text| quantity::bytes(text).is_ok()),
        (form("gateway", "cores"), |text| quantity::cores(text).is_ok()),
    ];
    let texts = [
        "30s",
        "2m30s",
        "1.5 s",
        "250ms",
        "5min",
        "1h",
        "30d",
        "3µs",
        "0",
        "0.0",
        ".5s",
        "900/s",
        "54k/min",
        "54000 / min",
        "1e3/s",
        "512MiB",
        "2 GiB",
        "64KiB",
        "5B",
        "500m",
        "2 vCPU",
        "1",
        "0.5",
        "4 cores",
        "",
        " ",
        "30",
        "-5s",
        "s",
        "nan",
        "5 parsecs",
        "900",
        "/s",
        "5/y",
        "5MB",
        "MiB",
        "vCPU",
        "fast",
    ];
    for (number, (validator, reads)) in of.iter().enumerate() {
        for text in texts {
            // The program refuses zero cores, which is a question of size.
            let is_zero = number == 3 && quantity::plain_number(text) == Some(0.0);
            let taken = validator.is_valid(&json!(text));
            assert!(is_zero || taken == reads(text), "{number}: {text:?} taken: {taken}");
        }
    }
}
