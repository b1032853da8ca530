//! `brownout check`: mistakes in scenarios, without running them.

use crate::cli::args::CheckArgs;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::terminal::Terminal;
use crate::diagnostic::Severity;
use crate::report::format::table::Table;
use crate::report::format::words::plural;
use crate::scenario::Scenario;

/// Checks every file, says what is wrong on standard error, and prints one line for each.
pub(in crate::cli) fn check(args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let mut exit = Exit::Met;
    for path in &args.files {
        let loaded = load::read_changed(path, &args.set);
        let number = |severity| {
            loaded.problems.iter().filter(|problem| problem.severity == severity).count() as u64
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

fn words(sound: bool, (errors, warnings): (u64, u64)) -> String {
    match (sound, warnings) {
        (true, 0) => "ok".to_owned(),
        (true, _) => format!("ok, {}", plural(warnings, "warning")),
        (false, 0) => plural(errors, "error"),
        (false, _) => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

/// The settings as an aligned table: path, value, mark, source.
fn settings(scenario: &Scenario) -> String {
    let mut table = Table::default();
    for setting in &scenario.settings {
        table.row([&*setting.path, &setting.value, setting.mark.label(), &setting.source]);
    }
    table.text()
}
