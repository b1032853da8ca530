//! The page of a study of months and years.

use maud::{Markup, html};

use super::page::{Page, PagePart, Picture};
use super::pieces::{caveats, chart, paragraphs, said, table, table_under};
use super::run::title;
use super::{PageError, PageParts, provenance};
use crate::report::availability::report::AvailabilityReport;
use crate::report::availability::{text, verdict};
use crate::report::format::words::{plural, whole};
use crate::verdict::Overall;

/// The page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn availability(report: &AvailabilityReport, parts: PageParts) -> Result<String, PageError> {
    let scenario = report.scenario;
    let page = Page {
        command: "availability",
        name: scenario.name.clone(),
        title: title(&scenario.question, &scenario.name),
        sample: vec![format!(
            "availability of months and years: {} simulated, {} requests, seed {}",
            plural(report.pieces() as u64, "piece"),
            whole(report.requests() as u64),
            scenario.plan.run.seed
        )],
        overall: report.overall(),
        headline: headline(report),
        verdict: said(&verdict::said(report)),
        picture: picture(parts)?,
        parts: sections(report, parts)?,
        data: None,
    };
    page.render()
}

fn headline(report: &AvailabilityReport) -> String {
    let word = match report.overall() {
        Overall::NoObjectives => return "No target to meet or miss".to_owned(),
        Overall::Met => "Met",
        Overall::Missed => "Missed",
        Overall::Undecided => "Undecided",
    };
    let target = report.budget().map(|target| format!(": availability of {target}"));
    format!("{word}{}", target.unwrap_or_default())
}

fn picture(parts: PageParts) -> Result<Option<Picture>, PageError> {
    let Some(figure) = parts.chart("budget") else { return Ok(None) };
    Ok(Some(Picture::drawn(figure)?))
}

fn sections(report: &AvailabilityReport, parts: PageParts) -> Result<Vec<PagePart>, PageError> {
    let drawn = |name: &str| -> Result<Markup, PageError> {
        let figure = parts.chart(name).map(|figure| chart(figure, &html! {})).transpose()?;
        Ok(figure.unwrap_or_default())
    };
    let (rows, latency) = text::in_the_long_run(report);
    let long_run = html! {
        (table_under(
            "Shares of the requests and of the time",
            &["", "share", "95 % interval"],
            &rows,
        ))
        (paragraphs(&[latency]))
    };
    let months = html! {
        (table("Answered, in months and years", &text::months(report)))
        (drawn("months")?)
    };
    let outages = html! {
        (table_under(&text::outages_title(), &["how often", "how long"], &text::outages(report)))
        (drawn("outages")?)
    };
    let faults = html! {
        (table_under(
            "Faults",
            &["fault", "how often", "how long", "forgotten"],
            &text::fault_table(report),
        ))
        (paragraphs(&text::typical(report)))
    };
    Ok(vec![
        PagePart::new("long-run", "In the long run", long_run),
        PagePart::new("months", "Months and years", months),
        PagePart::new("causes", "What fails requests", table("Causes", &text::burn(report))),
        PagePart::new("outages", "Outages", outages),
        PagePart::new("faults", "Faults", faults),
        PagePart::new("caveats", "Caveats", caveats(&text::caveats(report))),
        PagePart::new("assumptions", "Assumptions", provenance::assumptions(report.scenario)),
        PagePart::new("reproduce", "How to reproduce", provenance::reproduce(parts.manifest)),
    ])
}
