//! A sweep in Markdown.

use super::conditions;
use crate::report::format::markdown::{caveats, heading, list, paragraph, table};
use crate::report::format::words::plural;
use crate::report::sweep::report::SweepReport;
use crate::report::sweep::text;
use crate::report::sweep::usable::usable;

/// Cells that a comment has; the others are in the files.
const CELLS_TOLD: usize = 50;
/// Figures of a cell with their intervals: all.
const DETAIL: usize = 4;

/// The report.
pub fn render(report: &SweepReport) -> String {
    let settings: Vec<String> = report.axes.iter().map(text::setting).collect();
    let cells = plural(report.grid.cells.len() as u64, "cell");
    let mut out = heading(2, &format!("Sweep: {}: {cells}", settings.join(" × ")));
    out += &conditions(report.fails.judged());
    out += &paragraph(&report.grid.first.question);
    out += &table("Verdicts", Some(&["objective", ""]), &text::verdict_table(report));
    out += &list(usable(report).into_iter().map(|one| match one.name.is_empty() {
        true => one.words,
        false => format!("{}: {}", one.name, one.words),
    }));
    out += &paragraph(&report.sample());
    let told = &report.rows[..report.rows.len().min(CELLS_TOLD)];
    out += &table(text::TABLE, None, &text::table_of(report, told, DETAIL, false));
    let more = report.rows.len() - told.len();
    if more > 0 {
        out += &paragraph(&format!("and {}, see sweep.csv", plural(more as u64, "more cell")));
    }
    let unsettled = text::unsettled_said(report).map(|text| format!("~: {text}"));
    out += &list(unsettled);
    out + &caveats(text::limits(report))
}
