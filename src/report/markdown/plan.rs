//! A capacity plan in Markdown.

use super::said;
use crate::report::availability::beside;
use crate::report::format::markdown::{caveats, heading, list, paragraph, table};
use crate::report::format::table::Table;
use crate::report::plan::caveats::{judged, texts};
use crate::report::plan::report::CapacityReport;
use crate::report::plan::{text, words};

/// The report.
pub fn render(report: &CapacityReport) -> String {
    let mut out = heading(2, &text::headline(report).for_text());
    let carries = report.carries().into_iter().enumerate();
    out += &list(carries.map(|(index, carries)| text::reason(report, index, carries)));
    out += &paragraph(&report.base().question);
    out += &paragraph(&format!("{}; {}", judged(report).join(", "), report.sample()));
    let title = format!("Capacity in {}/s, and what is in the way of more", report.arrivals());
    let header = ["gateway", "when", "capacity", "all replicas left are full", ""];
    out += &table(&title, Some(&header), &capacities(report));
    out += &list(text::notes(report));
    let months = report.beside();
    if !months.is_empty() {
        let title = format!("Months and years at {}", words::demand(report.demand));
        let title = beside::titled(&title, report.prices.unit(), &months);
        out += &(table(&title, None, &beside::table(&months)) + &said(beside::said(&months)));
    }
    out + &caveats(texts(report))
}

fn capacities(report: &CapacityReport) -> Table {
    let mut rows = Table::default();
    for (index, candidate) in report.candidates.iter().enumerate() {
        for finding in report.of(index) {
            let binding = finding.binding.as_ref().map(words::binding).into_iter();
            let bands = finding.bands.iter().map(words::band_and_cause);
            rows.row([
                candidate.name.clone(),
                finding.mode.label().to_owned(),
                words::capacity(finding.capacity),
                words::theory(finding),
                binding.chain(bands).collect::<Vec<_>>().join("; "),
            ]);
        }
    }
    rows
}
