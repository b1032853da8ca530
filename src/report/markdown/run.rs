//! A run in Markdown.

use crate::report::availability::judging::not_judged;
use crate::report::caveats::caveat::Caveat;
use crate::report::format::markdown::{caveats, heading, list, paragraph, table};
use crate::report::format::page::mark;
use crate::report::format::table::{Cell, Table};
use crate::report::format::words::plural;
use crate::report::run::report::Report;
use crate::report::run::{tables, text};
use crate::units::Span;

/// The report.
pub fn render(report: &Report) -> String {
    let scenario = report.scenario;
    let verdict = text::verdict_only(report, false);
    let verdict = verdict.lines().next().unwrap_or_default().trim_end_matches('.');
    let windows: Vec<_> = report.summary.windows_of_all().collect();
    let figures = format!("Load, and latency of the served requests ({})", text::intervals(report));
    let mut out = heading(2, &format!("{}: {verdict}", scenario.name));
    out += &paragraph(&scenario.question);
    out += &table("", Some(&["", "objective", "found", ""]), &objectives(report));
    out += &list(text::decides(report).into_iter().chain(not_judged(scenario)));
    out += &paragraph(&sample(report));
    out += &table(&figures, None, &tables::window_table(&windows));
    let apis = tables::by_api_tables(scenario.plan.told_apart_by(), &report.summary.apis);
    if let Some((counts, latencies)) = apis {
        let title = format!("By {}", scenario.plan.told_apart_by());
        out += &(table(&title, None, &counts) + &table("", None, &latencies));
    }
    if let Some(window) = report.summary.windows.first() {
        let title = format!("Where every request ended ({})", window.label);
        out += &table(&title, None, &tables::ledger_table(window, &scenario.plan));
    }
    out + &caveats(report.caveats.iter().map(Caveat::text))
}

fn objectives(report: &Report) -> Table {
    let mut rows = Table::default();
    for judgement in &report.judgements {
        let [word, rest @ ..] = text::objective_row(judgement, &report.scenario.plan);
        let (glyph, _, _) = mark(&judgement.verdict);
        let Cell::Text(word) = word else { unreachable!("a verdict is a word") };
        rows.row([Cell::from(format!("{glyph} {word}"))].into_iter().chain(rest));
    }
    rows
}

/// How many replications of what there are.
fn sample(report: &Report) -> String {
    let run = &report.scenario.plan.run;
    let replications = plural(report.experiment.outcomes.len() as u64, "replication");
    let (horizon, warm_up, seed) = (Span(run.horizon.0), Span(run.warm_up.0), run.seed);
    let stopped = if report.experiment.interrupted { ", stopped early" } else { "" };
    let changes = match &report.scenario.changes[..] {
        [] => String::new(),
        changes => format!(", with {}", changes.join(", ")),
    };
    format!("{replications} of {horizon}, warm-up {warm_up}, seed {seed}{changes}{stopped}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::report::sample::scenario;

    #[test]
    fn the_verdict_is_first_and_the_caveats_are_last() {
        let (scenario, run) = (scenario(), example::experiment());
        let text = render(&Report::new(&scenario, &run, None));
        assert!(text.starts_with("## one-crash: ✗ MISSED: 1 of 3 objectives\n\n"), "{text}");
        assert!(text.contains("| ✓ met | p99 &lt; 250ms | "), "{text}");
        assert!(text.contains("|  | the run | during crash |\n| --- | ---: | ---: |\n"), "{text}");
        let caveats = text.split("### Caveats\n\n").nth(1).unwrap();
        assert!(caveats.lines().filter(|line| !line.is_empty()).all(|it| it.starts_with("- ")));
    }
}
