//! Months and years in Markdown.

use super::said;
use crate::report::availability::report::AvailabilityReport;
use crate::report::availability::{text, verdict};
use crate::report::format::markdown::{caveats, heading, paragraph, table};
use crate::report::format::page::overall;
use crate::verdict::Overall;

/// The report.
pub fn render(report: &AvailabilityReport) -> String {
    let glyph = match report.overall() {
        Overall::Met => "✓ ",
        Overall::Missed => "✗ ",
        Overall::Undecided => "? ",
        Overall::NoObjectives => "",
    };
    let word = overall(report.overall()).replace('_', " ");
    let name = &report.scenario.name;
    let mut out = heading(2, &format!("{name}: availability of months and years: {glyph}{word}"));
    out += &said(verdict::said(report));
    out += &paragraph(&report.scenario.question);
    let (answered, latency) = text::in_the_long_run(report);
    out += &table("In the long run", Some(&["", "", "95 % interval"]), &answered);
    out += &paragraph(&latency);
    out += &table("Months and years", None, &text::months(report));
    out += &table("What fails requests", None, &text::burn(report));
    out += &table(&text::outages_title(), Some(&["comes back", ""]), &text::outages(report));
    out + &caveats(text::caveats(report))
}
