//! The page of a sweep.

use maud::{Markup, html};

use super::page::{Page, PagePart, Picture};
use super::pieces::{caveats, chart, paragraphs, table, table_under};
use super::run::title;
use super::{PageError, PageParts, provenance};
use crate::report::availability::judging::not_judged;
use crate::report::format::words::{capitalised, plural};
use crate::report::sweep::report::SweepReport;
use crate::report::sweep::text;
use crate::report::sweep::usable::usable;
use crate::verdict::Overall;

/// The page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn sweep(report: &SweepReport, parts: PageParts) -> Result<String, PageError> {
    let first = &report.grid.first;
    let settings: Vec<String> = report.axes.iter().map(text::setting).collect();
    let cells = plural(report.grid.cells.len() as u64, "cell");
    let mut sample = vec![format!("{}: {cells}", settings.join(" × ")), report.sample()];
    let fixed = text::fixed(report);
    if !fixed.is_empty() {
        sample.push(format!("with {}", fixed.join(", ")));
    }
    if report.is_interrupted() {
        sample.push(format!("stopped early: {} of {cells} are complete", report.rows.len()));
    }
    let page = Page {
        command: "sweep",
        name: first.name.clone(),
        title: title(&first.question, &first.name),
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

/// Met, or missed, if all cells are; else it depends.
fn overall(report: &SweepReport) -> Overall {
    let all = |wanted: Overall| report.rows.iter().all(|row| row.overall == wanted);
    match report.rows.is_empty() || all(Overall::NoObjectives) {
        true => Overall::NoObjectives,
        false if all(Overall::Met) => Overall::Met,
        false if all(Overall::Missed) => Overall::Missed,
        false => Overall::Undecided,
    }
}

fn headline(report: &SweepReport) -> String {
    let count = |wanted: Overall| report.rows.iter().filter(|row| row.overall == wanted).count();
    let cells = plural(report.rows.len() as u64, "cell");
    if report.rows.is_empty() {
        return "No cell is complete: nothing can be said".to_owned();
    }
    if count(Overall::NoObjectives) == report.rows.len() {
        return format!("{cells}, no objectives");
    }
    let parts =
        [(Overall::Met, "met"), (Overall::Undecided, "undecided"), (Overall::Missed, "missed")];
    let parts = parts.into_iter().map(|(wanted, word)| (count(wanted), word));
    let parts =
        parts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{word} in {count}"));
    capitalised(&format!("{} of {cells}", parts.collect::<Vec<_>>().join(", ")))
}

/// In how many cells each objective is met, and up to which load all are.
fn verdicts(report: &SweepReport) -> Markup {
    let said = usable(report).into_iter().map(|one| {
        let whose = if one.name.is_empty() { String::new() } else { format!("{}: ", one.name) };
        format!("{}.", capitalised(&format!("{whose}{}", one.words)))
    });
    let said: Vec<String> = said.chain(not_judged(&report.grid.first)).collect();
    html! {
        div.story { (paragraphs(&said)) }
        (table_under("Objectives", &["objective", "cells"], &text::verdict_table(report)))
    }
}

fn picture(parts: PageParts) -> Result<Option<Picture>, PageError> {
    let Some((_, figure)) = parts.charts.first() else { return Ok(None) };
    Ok(Some(Picture::drawn(figure)?))
}

fn sections(report: &SweepReport, parts: PageParts) -> Result<Vec<PagePart>, PageError> {
    let more =
        parts.charts.iter().skip(1).map(|(_, figure)| {
            Ok::<_, PageError>((figure.title.clone(), chart(figure, &html! {})?))
        });
    let more = more.collect::<Result<Vec<_>, _>>()?;
    let more = html! { @for (title, drawn) in &more { h3 { (title) } (drawn) } };
    Ok(vec![
        PagePart::new("charts", "More charts", more),
        PagePart::new("cells", "Cell by cell", cells(report)),
        PagePart::new("caveats", "Caveats", caveats(&text::limits(report))),
        PagePart::new("assumptions", "Assumptions", provenance::assumptions(&report.grid.first)),
        PagePart::new("reproduce", "How to reproduce", provenance::reproduce(parts.manifest)),
    ])
}

/// A row for each cell, with every interval.
fn cells(report: &SweepReport) -> Markup {
    if report.rows.is_empty() {
        return html! {};
    }
    let rows = &report.rows[..report.rows.len().min(text::ROWS_TOLD)];
    let rest = (report.rows.len() - rows.len()) as u64;
    html! {
        (table(text::TABLE, &text::table_of(report, rows, 4, false)))
        @if rest > 0 { p { "and " (plural(rest, "cell")) " more, see sweep.csv" } }
        @if let Some(said) = text::unsettled_said(report) { p { "~ " (said) } }
    }
}
