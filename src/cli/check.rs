//! `brownout check`: mistakes in scenarios, without running them.

use super::args::CheckArgs;
use super::exit::Exit;
use super::load;
use super::terminal::Terminal;
use crate::diagnostic::Severity;
use crate::scenario::{Scenario, Setting, read};

/// Checks every file, says what is wrong on standard error, and prints one line for each.
pub(super) fn check(args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let mut exit = Exit::Met;
    for path in &args.files {
        let loaded = read::load_changed(path, &args.set);
        let number = |severity| {
            loaded.problems.iter().filter(|problem| problem.severity == severity).count()
        };
        let counts = (number(Severity::Error), number(Severity::Warning));
        let scenario = load::scenario(loaded, false, terminal);
        if scenario.is_none() {
            exit = Exit::Error;
        }
        let mut text = format!("{}: {}\n", path.display(), words(scenario.is_some(), counts));
        if let Some(scenario) = scenario.filter(|_| args.settings) {
            text.push_str(&settings(&scenario));
        }
        terminal.print(&text)?;
    }
    Ok(exit)
}

fn words(sound: bool, (errors, warnings): (usize, usize)) -> String {
    let count = |number: usize, noun: &str| match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    };
    match (sound, warnings) {
        (true, 0) => "ok".to_owned(),
        (true, _) => format!("ok, {}", count(warnings, "warning")),
        (false, 0) => count(errors, "error"),
        (false, _) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}

/// The settings as an aligned table: path, value, mark, source.
fn settings(scenario: &Scenario) -> String {
    let cells = |s: &Setting| [s.path.clone(), s.value.clone(), s.mark.label().to_owned()];
    let rows: Vec<_> = scenario.settings.iter().map(cells).collect();
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    let mut out = String::new();
    for (row, setting) in rows.iter().zip(&scenario.settings) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = format!("  {}  {}", cells.collect::<Vec<_>>().join("  "), setting.source);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
