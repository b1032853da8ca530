//! The first screens of studies: variants side by side, grids, plans, months and years.

use super::sparkline::sparkline;
use super::{Screen, folded};
use crate::metric::Metric;
use crate::report::availability::{self, report::AvailabilityReport, words::answered};
use crate::report::compare::{self, contrast, report::CompareReport};
use crate::report::format::page::Paint;
use crate::report::format::table::Table;
use crate::report::format::words::{capitalised, share_of};
use crate::report::plan::{self, report::CapacityReport};
use crate::report::sweep::{self, report::SweepReport};
use crate::stats::paired::Call;
use crate::units::Span;

/// Variants of which differences are told.
const VARIANTS: usize = 6;
/// Causes that are told.
const CAUSES: usize = 3;
/// The letters of a curve over a setting.
const LETTERS: usize = 60;

/// Of a comparison: the verdicts, and what of each variant differs from the first.
pub fn compare(report: &CompareReport, screen: &Screen<'_>) -> String {
    let verdicts = compare::text::verdicts_only(report, screen.colour);
    finished([verdicts, differences(report, screen.paint())], screen)
}

/// What each variant has of the objectives' figures and the usual ones, against the first.
fn differences(report: &CompareReport, paint: Paint) -> String {
    let whole = report.contrasts.first().map(|contrast| contrast.window.clone());
    let is_told = |metric: &Metric| {
        matches!(metric, Metric::Latency(p) if *p == 0.99 || *p == 0.5)
            || *metric == Metric::Failed
            || *metric == Metric::RECOVERY
    };
    let told: Vec<_> = report
        .contrasts
        .iter()
        .filter(|one| Some(&one.window) == whole.as_ref() && is_told(&one.metric))
        .collect();
    if told.is_empty() || report.variants.len() < 2 {
        return String::new();
    }
    let mut table = Table::default();
    let names = told.iter().map(|one| one.metric.name().into_owned());
    table.row([String::new()].into_iter().chain(names));
    for index in (1..report.variants.len()).take(VARIANTS) {
        let cell = |one: &&&crate::study::compare::Contrast| {
            let Some(found) = &one.against[index - 1] else { return "no data".to_owned() };
            let bare = crate::stats::Estimate { interval: None, ..found.difference };
            let call = contrast::call(one.metric, found.call());
            match found.call() {
                Call::Less | Call::Greater => {
                    format!("{}, {call}", contrast::difference(one.metric, &bare))
                }
                _ => call.to_owned(),
            }
        };
        table.row([report.label(index)].into_iter().chain(told.iter().map(|one| cell(&one))));
    }
    let title = format!("Against {}, under the same arrivals and faults", report.label(0));
    paint.section(&title, table.text())
}

/// Of a grid: in how many cells each objective is met, up to which load, and p99 over the cells.
pub fn sweep(report: &SweepReport, screen: &Screen<'_>) -> String {
    let verdicts = sweep::text::verdicts_only(report, screen.colour);
    finished([verdicts, curve(report).unwrap_or_default()], screen)
}

/// The p99 of a grid of one setting, as a curve.
fn curve(report: &SweepReport) -> Option<String> {
    let [axis] = &report.axes[..] else { return None };
    let p99 = |row: &sweep::report::Row| row.get(0, Metric::P99).map(|found| found.point);
    let found: Vec<Option<f64>> = report.rows.iter().map(p99).collect();
    let all = || found.iter().flatten().copied().filter(|value| value.is_finite());
    let (low, high) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
    let values = |index: usize| report.values(report.rows[index].cell).join(", ");
    let last = report.rows.len().checked_sub(1).filter(|last| *last > 0)?;
    let (low, high) = (Span::from_secs(low), Span::from_secs(high));
    let curve = sparkline(&found, LETTERS);
    let path = &axis.path;
    Some(format!(
        "  p99 of the served over {path}, {} to {}:\n  {curve}  {low} to {high}\n",
        values(0),
        values(last)
    ))
}

/// Of a plan: which tier to choose, and what speaks against the others.
pub fn plan(report: &CapacityReport, screen: &Screen<'_>) -> String {
    let question = screen.paragraph(&report.base().question);
    finished([plan::text::recommendation_only(report, screen.colour), question], screen)
}

/// Of months and years: the verdict, what is answered, what fails requests, how long outages are.
pub fn availability(report: &AvailabilityReport, screen: &Screen<'_>) -> String {
    let verdict = availability::text::verdicts_only(report, screen.colour);
    let run = &report.run;
    let said = format!(
        "In the long run {} of the requests are answered, and {} of the minutes are up.",
        answered(run.failing),
        answered(run.down)
    );
    let mut causes: Vec<_> = run.causes.iter().filter(|cause| cause.failed > 0.0).collect();
    causes.sort_by(|one, other| other.failed.total_cmp(&one.failed));
    let all: f64 = causes.iter().map(|cause| cause.failed).sum();
    let share = |failed: f64| share_of((1e3 * failed / all).round() / 1e3);
    let told = causes.iter().take(CAUSES);
    let told: Vec<String> =
        told.map(|cause| format!("{} ({})", cause.name, share(cause.failed))).collect();
    let burnt = match told.is_empty() {
        true => "No piece that was simulated failed a request.".to_owned(),
        false => format!("Most of what fails comes from: {}.", told.join(", ")),
    };
    let outage = report.study.outage_that_returns(1.0).map(|(length, _)| {
        let length = Span((length as u64) * crate::units::SECOND);
        capitalised(&format!("once a year an outage lasts {length} or longer."))
    });
    let text: String = [Some(said), Some(burnt), outage]
        .into_iter()
        .flatten()
        .map(|line| screen.paragraph(&line))
        .collect();
    finished([verdict, screen.paragraph(&report.scenario.question) + &text], screen)
}

/// The parts that say something, and where more is.
fn finished<const N: usize>(parts: [String; N], screen: &Screen<'_>) -> String {
    let more = screen.more();
    let parts: Vec<String> =
        parts.into_iter().chain([more]).filter(|part| !part.is_empty()).collect();
    folded(&parts.join("\n"), screen.width())
}
