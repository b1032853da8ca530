//! The JSON Schema of scenario files, from the tables of the format: what editors complete, explain
//! and mark while a scenario is written.
//!
//! It says what one key can be seen by: that it exists, where, and what form its value has. What
//! several keys mean together only `brownout check` knows. It is of draft 7, which the validators
//! of editors for TOML (tombi, taplo and so Even Better TOML) all understand.

use serde_json::{Map, Value, json};

use crate::scenario::keys::{self, KeySpec, SectionSpec};
use crate::scenario::region::split::OWN;
use crate::scenario::text::ValueShape;

/// Keys without which a section says nothing, whatever else it has.
const REQUIRED: [(&str, &[&str]); 8] = [
    ("", &["question", "run"]),
    ("traffic.change", &["kind", "rate"]),
    ("traffic.bursts", &["factor", "every", "for"]),
    ("policy", &["name"]),
    ("upstream", &["name"]),
    ("region", &["name"]),
    ("fault", &["kind"]),
    ("run", &["horizon"]),
];

/// Keys whose lists hold text of a form of its own: path, expression, and what to write.
const ELEMENTS: [(&str, &str, &str); 1] = [("objectives", "[<>≤≥]", "p99 < 250ms during crash")];

/// The schema, with its keys in order of the alphabet, so that it is the same everywhere.
pub fn scenario() -> Value {
    let mut definitions = Map::new();
    for section in keys::FORMAT.iter().filter(|section| !section.name.is_empty()) {
        definitions.insert(section.name.to_owned(), of_section(section));
    }
    let top = keys::section("").expect("the format has a top");
    let mut schema = of_section(top);
    let whole = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://brownout.invalid/schema/scenario.schema.json",
        "title": "A scenario of brownout",
        "description": "Every key is told in docs/SCENARIOS.md and by `brownout explain KEY`.",
        "definitions": definitions,
    });
    schema.as_object_mut().into_iter().for_each(|object| {
        object.extend(whole.as_object().cloned().into_iter().flatten());
    });
    schema.sort_all_objects();
    schema
}

/// The schema as it is committed and printed.
pub fn text() -> String {
    format!("{:#}\n", scenario())
}

/// A table: its keys, the sections within it, and nothing else.
fn of_section(section: &SectionSpec) -> Value {
    let mut properties = Map::new();
    for key in section.keys {
        properties.insert(key.name.to_owned(), of_key(key));
    }
    let is_inner = |inner: &&&SectionSpec| {
        !inner.name.is_empty() && inner.home().0 == section.name && inner.name != section.name
    };
    for inner in keys::FORMAT.iter().filter(is_inner) {
        properties.insert(inner.home().1.to_owned(), reference(inner));
    }
    if section.name == "region" {
        for own in OWN.iter().filter_map(|name| keys::section(name)) {
            properties.insert(own.name.to_owned(), reference(own));
        }
    }
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let Some((_, required)) = REQUIRED.iter().find(|(name, _)| *name == section.name) {
        object["required"] = json!(required);
    }
    object
}

/// What stands under the name of a section: a table, or a list of them.
fn reference(section: &SectionSpec) -> Value {
    let table = json!({ "$ref": format!("#/definitions/{}", section.name) });
    match section.list {
        true => json!({ "type": "array", "items": table }),
        false => table,
    }
}

fn of_key(key: &KeySpec) -> Value {
    let mut schema = of_shape(&(key.shape)());
    let path = match key.section {
        "" => key.name.to_owned(),
        section => format!("{section}.{}", key.name),
    };
    if let Some((_, pattern, example)) = ELEMENTS.iter().find(|(of, ..)| *of == path) {
        schema["items"] = json!({ "type": "string", "pattern": pattern, "examples": [example] });
    }
    schema["title"] = json!(path);
    schema["description"] = json!(description(key));
    schema
}

/// Meaning, value, default and where that comes from, as an editor shows it.
fn description(key: &KeySpec) -> String {
    let mut text = format!("{}\n\nValue: {}.", key.about, (key.kind)());
    let quote = if key.bare { "" } else { "\"" };
    match (key.default, key.source) {
        ("", "") => {}
        ("", source) => text += &format!("\n\nIf left out: {source} ({}).", key.mark.label()),
        (default, source) => {
            let mark = key.mark.label();
            text += &format!("\n\nDefault: {quote}{default}{quote} ({mark}: {source}).");
        }
    }
    for only in key.only {
        text += &format!("\n\nNo effect otherwise: {}.", only.reason());
    }
    text
}

fn of_shape(shape: &ValueShape) -> Value {
    match shape {
        ValueShape::Text(pattern) => json!({ "type": "string", "pattern": pattern }),
        ValueShape::Words(words) => json!({ "type": "string", "enum": words }),
        ValueShape::Whole => json!({ "type": "integer", "minimum": 0 }),
        ValueShape::Number => json!({ "type": "number", "minimum": 0 }),
        ValueShape::Truth => json!({ "type": "boolean" }),
        ValueShape::List(element) => json!({ "type": "array", "items": of_shape(element) }),
        ValueShape::Either(forms) => {
            json!({ "anyOf": forms.iter().map(of_shape).collect::<Vec<_>>() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_required_is_missed_by_the_program() {
        for (section, required) in REQUIRED {
            let section = keys::section(section).expect(section);
            for key in required {
                let inner = keys::section(key).is_some();
                assert!(inner || section.key(key).is_some(), "{}.{key}", section.name);
            }
        }
    }

    #[test]
    fn every_default_has_the_form_of_its_key() {
        for key in keys::reference().filter(|key| !key.default.is_empty()) {
            let forms = match (key.shape)() {
                ValueShape::Either(forms) => forms,
                one => vec![one],
            };
            let fits = forms.iter().any(|form| match form {
                ValueShape::Words(words) => words.contains(&key.default),
                ValueShape::Whole => key.default.parse::<u64>().is_ok(),
                ValueShape::Number => key.default.parse::<f64>().is_ok(),
                ValueShape::Truth => key.default.parse::<bool>().is_ok(),
                // Whether an expression matches is tried with whole files.
                ValueShape::Text(_) | ValueShape::List(_) => true,
                ValueShape::Either(_) => unreachable!("forms are not nested twice"),
            });
            assert!(fits, "{}.{} = {}", key.section, key.name, key.default);
        }
    }
}
