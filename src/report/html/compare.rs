//! The page of a comparison.

use maud::{Markup, html};

use super::page::{Page, PagePart, Picture};
use super::pieces::{
    caveats, cell, chart, head_row, paragraphs, said, scrolling, table, table_under,
};
use super::run::title;
use super::{PageError, PageParts, provenance};
use crate::report::availability::beside;
use crate::report::compare::report::CompareReport;
use crate::report::compare::text;
use crate::report::format::table::Table;
use crate::report::format::words::{distinct, plural};
use crate::report::resilience::strategies;
use crate::report::run::tables;
use crate::scenario::Scenario;
use crate::verdict::Overall;

/// The page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn compare(report: &CompareReport, parts: PageParts) -> Result<String, PageError> {
    let first = &report.variants[0].scenario;
    let questions = distinct(report.variants.iter().map(|one| one.scenario.question.as_str()));
    let count = plural(report.variants.len() as u64, "variant");
    let names: Vec<&str> = (0..report.variants.len()).map(|index| report.name(index)).collect();
    let mut sample = vec![format!("{count} ({}): {}", names.join(" | "), report.sample())];
    if let Some(run) = report.runs.first().filter(|run| run.interrupted) {
        sample.push(format!("stopped early: {} of {} replications", run.outcomes.len(), run.asked));
    }
    let page = Page {
        command: "compare",
        name: first.name.clone(),
        title: title(&questions.join(" "), &first.name),
        sample,
        overall: overall(report),
        headline: headline(report),
        verdict: verdicts(report),
        picture: picture(parts)?,
        parts: sections(report, parts)?,
        data: None,
    };
    page.render()
}

/// The best that any variant comes to: a comparison is to find one that is as it should be.
fn overall(report: &CompareReport) -> Overall {
    let all: Vec<Overall> = report.reports.iter().map(|one| one.overall()).collect();
    let order = [Overall::Met, Overall::Undecided, Overall::Missed];
    order.into_iter().find(|wanted| all.contains(wanted)).unwrap_or(Overall::NoObjectives)
}

fn headline(report: &CompareReport) -> String {
    let names = |wanted: Overall| {
        let all = report.reports.iter().enumerate().filter(|(_, one)| one.overall() == wanted);
        all.map(|(index, _)| report.label(index)).collect::<Vec<_>>().join(", ")
    };
    let count = report.variants.len();
    match overall(report) {
        Overall::NoObjectives => format!("{count} variants, no objectives"),
        Overall::Met => format!("Met by {}", names(Overall::Met)),
        Overall::Undecided => format!("Undecided for {}", names(Overall::Undecided)),
        Overall::Missed => format!("Missed by all {count} variants"),
    }
}

/// What each variant costs, and whether it meets its objectives.
fn verdicts(report: &CompareReport) -> Markup {
    let mut rows = Table::default();
    for (index, one) in report.reports.iter().enumerate() {
        let cost = report.prices.of(one.scenario).words;
        rows.row([report.full_name(index), cost, text::verdict(one)]);
    }
    let cost = format!("cost in {}", report.prices.unit());
    html! {
        (table_under("Verdicts", &["variant", &cost, "objectives"], &rows))
        (paragraphs(&text::unjudged(report)))
    }
}

fn picture(parts: PageParts) -> Result<Option<Picture>, PageError> {
    let Some(figure) = parts.chart("differences") else { return Ok(None) };
    Ok(Some(Picture::drawn(figure)?))
}

fn sections(report: &CompareReport, parts: PageParts) -> Result<Vec<PagePart>, PageError> {
    let drawn = |name: &str| -> Result<Markup, PageError> {
        let figure = parts.chart(name).map(|figure| chart(figure, &html! {})).transpose()?;
        Ok(figure.unwrap_or_default())
    };
    let rows = report.beside();
    let months = html! {
        @if !rows.is_empty() {
            @let title = beside::titled("Months and years", report.prices.unit(), &rows);
            (table(&title, &beside::table(&rows)))
            (said(&beside::said(&rows)))
            (drawn("budgets")?)
        }
    };
    let strategies = html! {
        @if let Some((times, rest, notes)) = strategies::told(report) {
            (table("What recovers, and when", &times))
            (table("What that takes", &rest))
            (paragraphs(&notes))
        }
    };
    let settings: Vec<(String, &Scenario)> = report
        .variants
        .iter()
        .enumerate()
        .map(|(index, one)| (report.label(index), &one.scenario))
        .collect();
    let rest = html! {
        (provenance::differences(&settings))
        h3 { "Of " (report.full_name(0)) }
        (provenance::assumptions(settings[0].1))
    };
    Ok(vec![
        PagePart::new("differences", "Differences", differences(report)),
        PagePart::new("timelines", "The same moments in every variant", drawn("timelines")?),
        PagePart::new("percentiles", "Latency by percentile", drawn("percentiles")?),
        PagePart::new("load", "Load and latency", windows(report)),
        PagePart::new("months", "Months and years", months),
        PagePart::new("strategies", "Strategies", strategies),
        PagePart::new("caveats", "Caveats", caveats(&text::limits(report))),
        PagePart::new("assumptions", "Assumptions", rest),
        PagePart::new("reproduce", "How to reproduce", provenance::reproduce(parts.manifest)),
    ])
}

/// A table for each window, with a column for each variant.
fn windows(report: &CompareReport) -> Markup {
    html! {
        @for (title, all) in text::by_window(report) {
            (table(&title, &tables::window_table(&all.iter().collect::<Vec<_>>())))
        }
    }
}

fn differences(report: &CompareReport) -> Markup {
    html! {
        @for variant in 1..report.variants.len() { (difference(report, variant)) }
        p { (text::gain(report)) "." }
    }
}

/// The differences of a variant, window by window.
fn difference(report: &CompareReport, variant: usize) -> Markup {
    let rows = text::difference_rows(report, variant, false);
    let Some((_, rows)) = rows.rows().split_first() else { return html! {} };
    let told = text::told(report);
    let rows: Vec<_> = told.iter().map(|one| one.window.as_str()).zip(rows).collect();
    let head = ["figure", "difference", "ratio", "called", "gain"].map(str::to_owned);
    let caption = text::against(report, variant);
    scrolling(
        &caption,
        html! {
            table {
                caption { (caption) }
                thead { (head_row(&head)) }
                @for window in rows.chunk_by(|a, b| a.0 == b.0) {
                    tbody {
                        tr.group { th colspan="5" scope="rowgroup" { (window[0].0) } }
                        @for (_, row) in window { (difference_row(row)) }
                    }
                }
            }
        },
    )
}

fn difference_row(row: &[String]) -> Markup {
    html! {
        tr {
            @for (index, text) in row.iter().enumerate() {
                @if index == 0 { th scope="row" { (text) } }
                @else { td { (cell(text)) } }
            }
        }
    }
}
