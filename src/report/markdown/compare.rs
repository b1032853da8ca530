//! A comparison in Markdown.

use super::{conditions, said};
use crate::report::availability::beside;
use crate::report::compare::contrast;
use crate::report::compare::report::CompareReport;
use crate::report::compare::text;
use crate::report::format::markdown::{caveats, heading, list, paragraph, table};
use crate::report::format::table::{Cell, Table};
use crate::report::resilience::strategies;

/// The report.
pub fn render(report: &CompareReport) -> String {
    let all = 0..report.variants.len();
    let names: Vec<&str> = all.clone().map(|index| report.name(index)).collect();
    let mut out = heading(2, &format!("Comparison: {}", names.join(" | ")));
    out += &conditions(&report.fails);
    let mut questions: Vec<&str> =
        report.variants.iter().map(|variant| variant.scenario.question.as_str()).collect();
    questions.dedup();
    out += &questions.into_iter().map(paragraph).collect::<String>();
    let mut verdicts = Table::default();
    for (index, one) in report.reports.iter().enumerate() {
        let cost = report.prices.of(one.scenario).words;
        verdicts.row([report.full_name(index), cost, text::verdict(one)]);
    }
    let cost = format!("cost in {}", report.prices.unit());
    out += &table("Verdicts", Some(&["variant", &cost, ""]), &verdicts);
    out += &list(text::unjudged(report));
    out += &paragraph(&report.sample());
    let months = report.beside();
    if !months.is_empty() {
        let title = beside::titled("Months and years", report.prices.unit(), &months);
        out += &(table(&title, None, &beside::table(&months)) + &said(beside::said(&months)));
    }
    if let Some((one, other, notes)) = strategies::told(report) {
        out += &(table("Strategies", None, &one) + &table("", None, &other) + &list(notes));
    }
    for index in all.skip(1) {
        out += &differences(report, index);
    }
    out + &caveats(text::limits(report))
}

/// The figures of a variant beside those of the first.
fn differences(report: &CompareReport, variant: usize) -> String {
    let (first, other) = (report.label(0), report.label(variant));
    let header = ["", "figure", &first, &other, "difference", "ratio", ""];
    let mut rows = Table::default();
    for told in text::told(report) {
        let found = told.against[variant - 1].as_ref();
        let [difference, ratio, call, _] = contrast::cells(told.metric, found, false);
        let figure = |index: usize| Cell::Figure(told.figures[index]);
        let cells = [Cell::from(&told.window), told.metric.name().into(), figure(0)];
        let more = [difference, ratio, call].map(Cell::from);
        rows.row(cells.into_iter().chain([figure(variant)]).chain(more));
    }
    table(&text::against(report, variant), Some(&header), &rows)
}
