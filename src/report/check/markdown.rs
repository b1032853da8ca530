//! What `check --format markdown` prints: a row for each file, and every problem in a list.

use super::checked::CheckedFile;
use super::json::severity;
use super::told::{in_words, place};
use crate::diagnostic::Severity;
use crate::report::format::markdown::{heading, list, table};
use crate::report::format::table::Table;
use crate::report::format::words::plural;

/// Files with what is wrong with them.
pub fn render(files: &[CheckedFile]) -> String {
    let wrong = files.iter().filter(|file| !file.is_sound()).count();
    let all = plural(files.len() as u64, "scenario");
    let title = match wrong {
        0 => format!("✓ {all} can be used"),
        some => format!("✗ {some} of {all} cannot be used"),
    };
    let mut rows = Table::default();
    for file in files {
        let number = |severity| file.number(severity).to_string();
        let verdict = if file.is_sound() { "✓ ok" } else { "✗ cannot be used" };
        let counts = [number(Severity::Error), number(Severity::Warning)];
        rows.row([file.source.name.clone(), verdict.to_owned()].into_iter().chain(counts));
    }
    let problems = files.iter().flat_map(|file| {
        let one = |problem| {
            let place = place(problem, &file.source);
            format!("{place}: {}: {}", severity(problem), in_words(problem))
        };
        file.problems.iter().map(one).collect::<Vec<_>>()
    });
    let header = ["scenario", "", "errors", "warnings"];
    heading(2, &title) + &table("", Some(&header), &rows) + &list(problems)
}
