//! Problems as results of SARIF and cases of JUnit.

use std::io::{Result, Write};

use super::checked::CheckedFile;
use super::{json, rule};
use crate::diagnostic::{Problem, Severity, Source};
use crate::report::export::cases::{Case, CaseResult, Suite};
use crate::report::export::sarif::{self, SarifResult, SarifRule};
use crate::report::export::{Epoch, junit};

/// Writes every problem as SARIF.
///
/// # Errors
/// Those of the writer.
pub fn write_sarif(files: &[CheckedFile], out: &mut dyn Write) -> Result<()> {
    let result = |source: &Source, problem: &Problem| SarifResult {
        rule: SarifRule {
            id: rule::id(problem),
            about: format!("A scenario: {}.", rule::words(problem).join(" ")),
        },
        kind: "fail",
        level: json::severity(problem),
        message: in_words(problem),
        file: problem.file(source).to_owned(),
        place: problem.extent(source),
    };
    let results = files.iter().flat_map(|file| {
        file.problems.iter().map(|problem| result(&file.source, problem)).collect::<Vec<_>>()
    });
    sarif::write(&results.collect::<Vec<_>>(), out)
}

/// Writes every file as a suite: that it can be used, or each error; warnings are said beside.
///
/// # Errors
/// Those of the writer.
pub fn write_junit(files: &[CheckedFile], out: &mut dyn Write) -> Result<()> {
    let suites: Vec<Suite> = files.iter().map(suite).collect();
    junit::write(&suites, Epoch::default(), out)
}

fn suite(file: &CheckedFile) -> Suite {
    let source = &file.source;
    let of = |severity| file.problems.iter().filter(move |one| one.severity == severity);
    let place = |problem: &Problem| place(problem, source);
    let case = |problem: &Problem| Case {
        name: format!("{}: {}", place(problem), problem.title),
        result: CaseResult::Missed,
        found: in_words(problem),
    };
    let mut cases: Vec<Case> = of(Severity::Error).map(case).collect();
    if file.is_sound() {
        let (name, found) = ("the scenario can be used".to_owned(), String::new());
        cases.push(Case { name, result: CaseResult::Met, found });
    }
    let warning = |one: &Problem| format!("{}: warning: {}\n", place(one), in_words(one));
    let said = of(Severity::Warning).map(warning).collect();
    Suite { name: source.name.clone(), cases, said }
}

/// The place of a problem: file, line and column.
pub(super) fn place(problem: &Problem, source: &Source) -> String {
    let (line, column) = problem.position(source).unwrap_or((1, 1));
    format!("{}:{line}:{column}", problem.file(source))
}

/// A problem with its remedies, in a line.
pub(super) fn in_words(problem: &Problem) -> String {
    let title = [&problem.title, &problem.label].into_iter().filter(|text| !text.is_empty());
    let title = title.map(String::as_str).collect::<Vec<_>>().join(": ");
    let all = [title].into_iter().chain(problem.help.iter().map(|help| format!("→ {help}")));
    all.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    fn file() -> CheckedFile {
        let source = Source {
            name: "a b.toml".to_owned(),
            text: "question = \"?\"\nrate = 5\n".to_owned(),
            ..Source::default()
        };
        let error = Problem::error(Place::Span(22..23), "`rate` lacks a unit").help("write 5/s");
        let problems = vec![error, Problem::warning(Place::Whole, "nothing is demanded")];
        CheckedFile { source, problems, scenario: None }
    }

    #[test]
    fn every_problem_has_its_rule_its_level_and_its_place() {
        let mut out = Vec::new();
        write_sarif(&[file()], &mut out).unwrap();
        let log: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let result = |index: usize| log["runs"][0]["results"][index].clone();
        assert_eq!(result(0)["ruleId"], "lacks-a-unit");
        assert_eq!(result(0)["level"], "error");
        let first = result(0);
        let place = &first["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.toml");
        let region = &place["region"];
        let place = ["startLine", "startColumn", "endColumn"].map(|key| region[key].as_u64());
        assert_eq!(place, [Some(2), Some(8), Some(9)]);
        assert_eq!(result(1)["level"], "warning");
        assert_eq!(result(0)["message"]["text"], "`rate` lacks a unit → write 5/s");
    }

    #[test]
    fn a_file_with_an_error_fails_and_its_warnings_are_said() {
        let suite = suite(&file());
        let [case] = &suite.cases[..] else { panic!("one error") };
        assert_eq!(case.result, CaseResult::Missed);
        assert_eq!(case.name, "a b.toml:2:8: `rate` lacks a unit");
        assert_eq!(suite.said, "a b.toml:1:1: warning: nothing is demanded\n");
    }
}
