//! The page of a capacity plan.

use maud::{Markup, html};

use super::page::{Page, PagePart, Picture};
use super::pieces::{caveats, cell, chart, head_row, paragraphs, said, scrolling, table};
use super::run::title;
use super::{PageError, PageParts, provenance};
use crate::report::availability::beside;
use crate::report::format::words::plural;
use crate::report::plan::caveats::{judged, texts};
use crate::report::plan::report::CapacityReport;
use crate::report::plan::text::{headline, notes, reason};
use crate::report::plan::words;
use crate::scenario::Scenario;
use crate::study::capacity::finding::Finding;
use crate::study::capacity::sensitivity::Sensitivity;
use crate::verdict::Overall;

/// The page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn plan(report: &CapacityReport, parts: PageParts) -> Result<String, PageError> {
    let base = report.base();
    let (glyph, said) = headline(report).parts();
    let count = plural(report.candidates.len() as u64, "gateway");
    let modes = words::modes(report.modes.len());
    let page = Page {
        command: "plan",
        name: base.name.clone(),
        title: title(&base.question, &base.name),
        sample: vec![
            format!("{count} in {modes}, {}", report.sample()),
            format!(
                "{}; judged for {} from a loss on",
                judged(report).join(", "),
                report.effort.trial.judged
            ),
        ],
        overall: match glyph {
            '✓' => Overall::Met,
            '✗' => Overall::Missed,
            _ => Overall::Undecided,
        },
        headline: said,
        verdict: reasons(report),
        picture: picture(parts)?,
        parts: sections(report, parts)?,
        data: None,
    };
    page.render()
}

/// Why each gateway is chosen or not.
fn reasons(report: &CapacityReport) -> Markup {
    let all = report.carries().into_iter().enumerate();
    let all: Vec<String> = all.map(|(index, carries)| reason(report, index, carries)).collect();
    html! {
        ul.said {
            @for text in &all {
                @let (glyph, rest) = text.split_once(' ').unwrap_or(("", text));
                li { (cell(glyph)) " " (rest) }
            }
        }
    }
}

fn picture(parts: PageParts) -> Result<Option<Picture>, PageError> {
    let Some(figure) = parts.chart("capacity") else { return Ok(None) };
    Ok(Some(Picture::drawn(figure)?))
}

fn sections(report: &CapacityReport, parts: PageParts) -> Result<Vec<PagePart>, PageError> {
    let drawn = |name: &str| -> Result<Markup, PageError> {
        let figure = parts.chart(name).map(|figure| chart(figure, &html! {})).transpose()?;
        Ok(figure.unwrap_or_default())
    };
    let rows = report.beside();
    let title = format!("Months and years at {}", words::demand(report.demand));
    let months = html! {
        @if !rows.is_empty() {
            (table(&beside::titled(&title, report.prices.unit(), &rows), &beside::table(&rows)))
            (said(&beside::said(&rows)))
            (drawn("budgets")?)
        }
    };
    let settings: Vec<(String, &Scenario)> =
        report.candidates.iter().map(|one| (one.name.clone(), &one.scenario)).collect();
    let rest = html! {
        (provenance::differences(&settings))
        h3 { "Of " (settings[0].0) }
        (provenance::assumptions(settings[0].1))
    };
    Ok(vec![
        PagePart::new("capacities", "Capacities, and what is in the way", capacities(report)),
        PagePart::new("growth", "Headroom against growth", drawn("headroom")?),
        PagePart::new("costs", "Cost against capacity", drawn("frontier")?),
        PagePart::new("months", title, months),
        PagePart::new("sensitivity", "What the capacity hangs on", sensitivities(report)),
        PagePart::new("caveats", "Caveats", caveats(&texts(report))),
        PagePart::new("assumptions", "Assumptions", rest),
        PagePart::new("reproduce", "How to reproduce", provenance::reproduce(parts.manifest)),
    ])
}

/// Every capacity with what bounds it.
fn capacities(report: &CapacityReport) -> Markup {
    let caption = format!("Capacity in {}/s", report.arrivals());
    let head = ["when", "capacity", "all replicas left are full at", "what is in the way"];
    let head = head.map(str::to_owned);
    html! {
        (scrolling(&caption, html! {
            table {
                caption { (caption) }
                thead { (head_row(&head)) }
                @for (index, candidate) in report.candidates.iter().enumerate() {
                    tbody {
                        tr.group { th colspan="4" scope="rowgroup" { (candidate.name) } }
                        @for finding in report.of(index) { (capacity_row(finding)) }
                    }
                }
            }
        }))
        (paragraphs(&notes(report)))
    }
}

fn capacity_row(finding: &Finding) -> Markup {
    let binding = finding.binding.iter().map(words::binding);
    let why: Vec<String> = binding.chain(finding.bands.iter().map(words::band_and_cause)).collect();
    html! {
        tr {
            th scope="row" { (finding.mode.label()) }
            td { (cell(&words::capacity(finding.capacity))) }
            td { (words::theory(finding)) }
            td { (why.join("; ")) }
        }
    }
}

/// What the capacity of the critical case hangs on.
fn sensitivities(report: &CapacityReport) -> Markup {
    let Some(case) = report.critical_case().filter(|_| !report.sensitivities.is_empty()) else {
        return html! {};
    };
    let name = &report.candidates[case.candidate].name;
    let caption = format!("What the capacity of {name} hangs on ({})", case.mode.label());
    let head = ["setting", "assumed", "another value gives"].map(str::to_owned);
    let instead = |one: &Sensitivity| {
        one.instead.iter().map(|other| words::instead(one, other)).collect::<Vec<_>>().join("; ")
    };
    scrolling(
        &caption,
        html! {
            table.settings {
                caption { (caption) }
                thead { (head_row(&head)) }
                tbody {
                    @for one in report.sensitivities {
                        tr {
                            th scope="row" { code { (one.path) } }
                            td { code { (one.value) } }
                            td { (instead(one)) }
                        }
                    }
                }
            }
        },
    )
}
