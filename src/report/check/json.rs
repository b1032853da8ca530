//! What `check --format json` prints: every problem with its place, piece by piece.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::checked::CheckedFile;
use super::rule;
use crate::diagnostic::{Problem, Severity};
use crate::engine::ENGINE;
use crate::report::format::cells;
use crate::report::manifest::VERSION;
use crate::scenario::Setting;

/// The schema of what is printed. A change that breaks readers gets a new number.
const SCHEMA: &str = "brownout/check/1";

/// Writes files with what is wrong with them, and with every setting if that is asked for.
///
/// # Errors
/// Those of the writer.
pub fn write(files: &[CheckedFile], settings: bool, out: &mut dyn Write) -> Result<()> {
    let file = |file: &CheckedFile| {
        let mut value = json!({
            "file": file.source.name,
            "sound": file.is_sound(),
            "errors": file.number(Severity::Error),
            "warnings": file.number(Severity::Warning),
            "problems": file.problems.iter().map(|one| problem(file, one)).collect::<Vec<_>>(),
        });
        if let Some(scenario) = file.scenario.as_ref().filter(|_| settings) {
            value["settings"] = scenario.settings.iter().map(setting).collect();
        }
        value
    };
    let all = json!({
        "schema": SCHEMA,
        "version": VERSION,
        "engine": ENGINE,
        "files": files.iter().map(file).collect::<Vec<_>>(),
    });
    cells::write_json(&all, out)
}

fn problem(file: &CheckedFile, problem: &Problem) -> Value {
    let extent = problem.extent(&file.source);
    json!({
        "severity": severity(problem),
        "rule": rule::id(problem),
        "message": problem.title,
        "label": problem.label,
        "help": problem.help,
        "file": problem.file(&file.source),
        "line": extent.map(|extent| extent.line),
        "column": extent.map(|extent| extent.from),
        "end_column": extent.map(|extent| extent.to),
    })
}

/// The word for how grave a problem is.
pub(super) fn severity(problem: &Problem) -> &'static str {
    match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn setting(setting: &Setting) -> Value {
    json!({
        "path": setting.path,
        "value": setting.value,
        "mark": setting.mark.label(),
        "source": setting.source,
    })
}
