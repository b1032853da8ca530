//! `verdict.sarif`: verdicts, and what is wrong with scenarios, as SARIF 2.1.0 (OASIS), which
//! GitHub, GitLab, Azure DevOps and editors show beside the lines of a file.
//!
//! A missed objective is an error at its line of the scenario, an undecided one is *open*, as SARIF
//! calls what a tool could not decide, a met one passes, and caveats are informational. A problem
//! that `check` finds has its severity as its level and the place where it is. Columns count
//! characters.

use std::io::{Result, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::cases::{self, CaseResult};
use crate::diagnostic::LineExtent;
use crate::report::format::cells;
use crate::report::manifest::VERSION;
use crate::report::run::report::Report;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Characters that a path may have in a URI.
const IN_PATHS: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is told.
pub(crate) struct SarifResult {
    /// What kind of thing it is.
    pub(crate) rule: SarifRule,
    /// SARIF's word for what it means: `fail`, `open`, `pass`, `informational`.
    pub(crate) kind: &'static str,
    /// How grave it is, of what fails: `error`, `warning`.
    pub(crate) level: &'static str,
    /// In words.
    pub(crate) message: String,
    /// The file.
    pub(crate) file: String,
    /// The place in it, if it has one.
    pub(crate) place: Option<LineExtent>,
}

/// A kind of thing that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SarifRule {
    /// Its name for programs.
    pub(crate) id: String,
    /// What it is, in a sentence.
    pub(crate) about: String,
}

/// Writes the verdict and the caveats of a run.
pub(super) fn write_run(report: &Report, out: &mut dyn Write) -> Result<()> {
    let scenario = report.scenario;
    let file = scenario.path.to_string_lossy().into_owned();
    let suite = cases::of_report(&scenario.name, report);
    let mut results: Vec<SarifResult> = Vec::new();
    for case in &suite.cases {
        let (kind, level, word) = match case.result {
            CaseResult::Met => ("pass", "none", "met"),
            CaseResult::Missed => ("fail", "error", "missed"),
            CaseResult::Undecided => ("open", "none", "undecided"),
            CaseResult::Skipped => ("notApplicable", "none", "not judged"),
        };
        let message = format!("{word}: {}: {}", case.name, case.found);
        let place = place_of(&scenario.text, &case.name);
        let rule = SarifRule {
            id: "objective".to_owned(),
            about: "An objective of the scenario holds over the whole interval.".to_owned(),
        };
        results.push(SarifResult { rule, kind, level, message, file: file.clone(), place });
    }
    for caveat in &report.caveats {
        let rule = SarifRule {
            id: format!("caveat/{}", caveat.key()),
            about: "Something limits what the figures are worth.".to_owned(),
        };
        let (kind, level, message) = ("informational", "none", caveat.text());
        results.push(SarifResult { rule, kind, level, message, file: file.clone(), place: None });
    }
    write(&results, out)
}

/// Where an objective stands in the text of a scenario; `None` if it is given elsewhere.
fn place_of(text: &str, objective: &str) -> Option<LineExtent> {
    let quoted = ['"', '\''].map(|quote| format!("{quote}{objective}{quote}"));
    let (at, quoted) = quoted.iter().find_map(|one| Some((text.find(one)?, one)))?;
    let begin = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let (line, from) = (text[..at].matches('\n').count() + 1, text[begin..at].chars().count() + 1);
    Some(LineExtent { line, from, to: from + quoted.chars().count() })
}

/// Writes results as a log of one run.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write(results: &[SarifResult], out: &mut dyn Write) -> Result<()> {
    let mut rules: Vec<&SarifRule> = Vec::new();
    for result in results {
        if !rules.iter().any(|rule| rule.id == result.rule.id) {
            rules.push(&result.rule);
        }
    }
    let told = results.iter().map(|one| result(one, &rules)).collect::<Vec<_>>();
    let rules = rules
        .iter()
        .map(|rule| json!({ "id": rule.id, "shortDescription": { "text": rule.about } }));
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "brownout",
                "semanticVersion": VERSION,
                "rules": rules.collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": told,
        }],
    });
    cells::write_json(&log, out)
}

fn result(result: &SarifResult, rules: &[&SarifRule]) -> Value {
    let mut place = Map::new();
    place.insert("artifactLocation".to_owned(), json!({ "uri": uri(&result.file) }));
    if let Some(LineExtent { line, from, to }) = result.place {
        let region = json!({ "startLine": line, "startColumn": from, "endColumn": to.max(from) });
        place.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": result.rule.id,
        "ruleIndex": rules.iter().position(|rule| rule.id == result.rule.id),
        "kind": result.kind,
        "level": result.level,
        "message": { "text": result.message },
        "locations": [{ "physicalLocation": place }],
    })
}

/// The address of a file, from the folder in which the program ran, or from the root.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let encoded = utf8_percent_encode(&path, &IN_PATHS).to_string();
    match path.starts_with('/') {
        true => format!("file://{encoded}"),
        false => encoded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_found_in_the_text_by_its_line_and_column() {
        let text = "question = \"é?\"\nobjectives = [\n  \"p99 < 1s\", 'cpu < 80%'\n]\n";
        let of = |objective| place_of(text, objective).map(|it| (it.line, it.from, it.to));
        assert_eq!(of("p99 < 1s"), Some((3, 3, 13)));
        assert_eq!(of("cpu < 80%"), Some((3, 15, 26)));
        assert_eq!(of("p95 < 1s"), None);
    }

    #[test]
    fn paths_are_addresses() {
        assert_eq!(uri("scenarios/a b#1.toml"), "scenarios/a%20b%231.toml");
        assert_eq!(uri("a\\b.toml"), "a/b.toml");
        assert_eq!(uri("/x/é.toml"), "file:///x/%C3%A9.toml");
    }

    #[test]
    fn a_rule_is_told_once_and_pointed_to() {
        let one = |id: &str| SarifResult {
            rule: SarifRule { id: id.to_owned(), about: "It is.".to_owned() },
            kind: "fail",
            level: "error",
            message: "no".to_owned(),
            file: "a.toml".to_owned(),
            place: None,
        };
        let mut out = Vec::new();
        write(&[one("a"), one("b"), one("a")], &mut out).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 2);
        let results = run["results"].as_array().unwrap();
        let indices: Vec<_> = results.iter().map(|one| one["ruleIndex"].as_u64()).collect();
        assert_eq!(indices, [Some(0), Some(1), Some(0)]);
        assert!(results[0]["locations"][0]["physicalLocation"].get("region").is_none());
    }
}
