//! The page of a run.

use maud::{Markup, html};

use super::page::{Page, PagePart, Picture};
use super::pieces::{behind, caveats, chart, facts, paragraphs, table, table_under};
use super::{PageError, PageParts, data, provenance};
use crate::plot::timeline::TimelineInput;
use crate::report::availability::judging::not_judged;
use crate::report::caveats::caveat::Caveat;
use crate::report::format::table::Table;
use crate::report::format::words::{plural, whole};
use crate::report::resilience::grid;
use crate::report::run::report::Report;
use crate::report::run::text::{decides, failovers, intervals, objective_row, which};
use crate::report::run::{attempts, charts, cluster, incidents, recovery, tables};
use crate::report::screen::run::narrative;
use crate::units::Span;
use crate::verdict::{Judgement, Overall, Verdict};

/// Incidents told one by one.
const INCIDENTS_TOLD: usize = 20;

/// The page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn run(report: &Report, parts: PageParts) -> Result<String, PageError> {
    let scenario = report.scenario;
    let data = charts::with_timeline(report, |input| data::told(input, scenario));
    let page = Page {
        command: "run",
        name: scenario.name.clone(),
        title: title(&scenario.question, &scenario.name),
        sample: sample(report),
        overall: report.overall(),
        headline: headline(report.overall(), &report.judgements),
        verdict: html! { (objectives(report)) (story(report)) },
        picture: picture(report, parts)?,
        parts: sections(report, parts)?,
        data,
    };
    page.render()
}

/// The question, or the name where there is none.
pub(super) fn title(question: &str, name: &str) -> String {
    if question.trim().is_empty() { name.to_owned() } else { question.to_owned() }
}

/// How many objectives are as they should be.
pub(super) fn headline(overall: Overall, judgements: &[Judgement]) -> String {
    let all = plural(judgements.len() as u64, "objective");
    let count = |wanted: fn(&Verdict) -> bool| {
        whole(judgements.iter().filter(|one| wanted(&one.verdict)).count() as u64)
    };
    match overall {
        Overall::NoObjectives => "No objectives: nothing to meet or miss".to_owned(),
        Overall::Met => format!("Met: {all}"),
        Overall::Missed => format!("Missed: {} of {all}", count(|it| *it == Verdict::Missed)),
        Overall::Undecided => {
            let open = count(|it| matches!(it, Verdict::Undecided(_)));
            format!("Undecided: {open} of {all}")
        }
    }
}

fn sample(report: &Report) -> Vec<String> {
    let (run, outcomes) = (&report.scenario.plan.run, &report.experiment.outcomes);
    let stopped = outcomes.iter().filter(|outcome| outcome.interrupted).map(|it| it.ended).min();
    let stopped = stopped.map_or(String::new(), |ended| format!(", stopped at {ended}"));
    let mut lines = vec![format!(
        "{} of {}{stopped}, warm-up {}, seed {}; {}",
        plural(outcomes.len() as u64, "replication"),
        Span(run.horizon.0),
        Span(run.warm_up.0),
        run.seed,
        intervals(report)
    )];
    if !report.scenario.changes.is_empty() {
        lines.push(format!("with {}", report.scenario.changes.join(", ")));
    }
    lines
}

/// Each objective with its verdict, and what would decide it.
fn objectives(report: &Report) -> Markup {
    let mut rows = Table::default();
    let plan = &report.scenario.plan;
    report.judgements.iter().for_each(|one| rows.row(objective_row(one, plan)));
    let head = ["verdict", "objective", "found", "margin"];
    let further: Vec<String> =
        decides(report).into_iter().chain(not_judged(report.scenario)).collect();
    html! {
        (table_under("Objectives", &head, &rows))
        (paragraphs(&further))
    }
}

/// What happened, in a few sentences.
fn story(report: &Report) -> Markup {
    html! { div.story { (paragraphs(&narrative(report))) } }
}

/// The timeline, drawn and to be explored, with its figures behind it.
fn picture(report: &Report, parts: PageParts) -> Result<Option<Picture>, PageError> {
    let Some((title, figures)) =
        charts::with_timeline(report, |input| (input.title.to_owned(), timeline_table(input)))
    else {
        return Ok(None);
    };
    let still = parts.chart("timeline").map(|figure| chart(figure, &figures)).transpose()?;
    let is_drawn = still.is_some();
    let body = html! {
        div #explorer {}
        @if let Some(still) = still { div.still { (still) } }
        @if !is_drawn { (behind("Figures", figures)) }
    };
    Ok(Some(Picture { title, body, is_drawn }))
}

fn timeline_table(input: &TimelineInput) -> Markup {
    html! {
        (table("One replication over time", &data::table(input)))
        p { "Rates are means, latencies and requests held the greatest of the bins in each row. \
             timeline.csv has every bin and every replica." }
    }
}

/// All that follows the first screen.
fn sections(report: &Report, parts: PageParts) -> Result<Vec<PagePart>, PageError> {
    let replications = report.experiment.outcomes.len();
    let (plan, summary) = (&report.scenario.plan, &report.summary);
    let memory = plan.gateway.memory;
    let gateway = facts(&tables::gateway(&summary.gateway, &summary.apis, memory));
    let percentiles =
        parts.chart("percentiles").map(|figure| chart(figure, &html! {})).transpose()?;
    let failover = parts.chart("failover").map(|figure| chart(figure, &html! {})).transpose()?;
    let (rows, notes) = grid::told(&report.disruptions, plan, replications);
    let disruptions = html! {
        @if let Some(rows) = rows { (table("Recovery by disruption", &rows)) (paragraphs(&notes)) }
    };
    let stability = facts(&recovery::lines(&summary.stability));
    let limits: Vec<String> = report.caveats.iter().map(Caveat::text).collect();
    Ok(vec![
        PagePart::new("load", "Load and latency", windows(report)),
        PagePart::new("percentiles", "Latency by percentile", percentiles.unwrap_or_default()),
        PagePart::new("apis", format!("By {}", plan.told_apart_by()), apis(report)),
        PagePart::new("outcomes", "Where every request ended", outcomes(report)),
        PagePart::new("gateway", "Gateway", gateway),
        PagePart::new(
            "failover",
            "Fail-over",
            html! {
                @if let Some(figure) = failover { (figure) }
                @for (name, lines) in failovers(report) { h3 { (name) } (facts(&lines)) }
            },
        ),
        PagePart::new("disruptions", "Recovery by disruption", disruptions),
        PagePart::new("incidents", format!("Incidents ({})", which(report)), told(report)),
        PagePart::new("stability", "Back to what it was, once the trigger is gone?", stability),
        PagePart::new("cluster", format!("Cluster ({})", which(report)), cluster_facts(report)),
        PagePart::new("caveats", "Caveats", caveats(&limits)),
        PagePart::new("assumptions", "Assumptions", provenance::assumptions(report.scenario)),
        PagePart::new("reproduce", "How to reproduce", provenance::reproduce(parts.manifest)),
    ])
}

fn windows(report: &Report) -> Markup {
    let of_all: Vec<_> = report.summary.windows_of_all().collect();
    let caption = format!("Load, and latency of the served requests; {}", intervals(report));
    table(&caption, &tables::window_table(&of_all))
}

fn apis(report: &Report) -> Markup {
    let kind = report.scenario.plan.told_apart_by();
    let Some((counts, latencies)) = tables::by_api_tables(kind, &report.summary.apis) else {
        return html! {};
    };
    html! {
        (table(&format!("Requests by {kind}"), &counts))
        (table(&format!("Latency by {kind}"), &latencies))
    }
}

/// Requests and attempts by what became of them, and what clients and upstreams did.
fn outcomes(report: &Report) -> Markup {
    let Some(window) = report.summary.windows.first() else { return html! {} };
    let plan = &report.scenario.plan;
    let lines = window.attempts.as_ref().map(|all| attempts::lines(plan, all)).unwrap_or_default();
    let clients = &plan.dependencies.clients;
    let again = clients.patience.is_some() || clients.retry.is_some();
    html! {
        (table(&format!("Requests ({})", window.label), &tables::ledger_table(window, plan)))
        @if let Some(all) = window.attempts.as_ref().filter(|_| again) {
            (table(&format!("Attempts ({})", window.label), &attempts::table(window, all)))
        }
        (facts(&lines))
    }
}

/// The incidents of the replication that is told.
fn told(report: &Report) -> Markup {
    let plan = &report.scenario.plan;
    let Some(told) = report.experiment.told().filter(|_| !plan.faults.is_empty()) else {
        return html! {};
    };
    let one = |incident| incidents::sentence(plan, incident, &told.incidents, told.ended);
    let listed = told.incidents.iter().take(INCIDENTS_TOLD);
    let lines: Vec<(String, String)> = listed.map(|it| (it.at.to_string(), one(it))).collect();
    let rest = told.incidents.len().saturating_sub(INCIDENTS_TOLD) as u64;
    let rest = rest + told.incidents_unlisted;
    let all = report.experiment.outcomes.len();
    let over =
        report.summary.faults.iter().filter_map(|fault| {
            Some((fault.name.clone(), incidents::over_replications(fault, all)?))
        });
    let over: Vec<(String, String)> = over.collect();
    html! {
        @if lines.is_empty() { p { "None." } }
        (facts(&lines))
        @if !over.is_empty() { h3 { "Over all replications" } (facts(&over)) }
        @if rest > 0 { p { "and " (whole(rest)) " more, see events.csv" } }
    }
}

fn cluster_facts(report: &Report) -> Markup {
    let plan = &report.scenario.plan;
    let told = report.experiment.told();
    let (told, more) = told.map_or_else(Default::default, |it| cluster::facts(plan, &it.journal));
    let lines: Vec<(String, String)> =
        told.into_iter().map(|(at, fact)| (at.to_string(), fact)).collect();
    html! {
        @if lines.is_empty() && plan.autoscaling.is_some() {
            p { "The autoscaler found nothing to change." }
        }
        (facts(&lines))
        @if more > 0 { p { "and " (whole(more as u64)) " more, see events.csv" } }
    }
}
