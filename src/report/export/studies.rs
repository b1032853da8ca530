//! The verdicts of studies as suites: of comparisons, sweeps, plans and months.

use super::cases::{self, Case, CaseResult, Suite};
use crate::report::availability::report::AvailabilityReport;
use crate::report::availability::verdict;
use crate::report::compare::report::CompareReport;
use crate::report::fail_if::FailJudged;
use crate::report::format::page::SaidLine;
use crate::report::plan::report::CapacityReport;
use crate::report::plan::text;
use crate::report::sweep::report::SweepReport;
use crate::study::capacity::advice::Carries;
use crate::verdict::Overall;

/// A suite for each variant, and one for the conditions of `--fail-if`.
pub(crate) fn of_comparison(report: &CompareReport) -> Vec<Suite> {
    let variant = |index: usize| {
        let mut suite = cases::of_report(&report.full_name(index), &report.reports[index]);
        if let Some(months) = &report.months[index] {
            suite.cases.retain(|case| case.result != CaseResult::Skipped);
            suite.cases.extend(of_months(months));
        }
        suite
    };
    let variants = (0..report.variants.len()).map(variant);
    variants.chain(of_conditions(&report.fails)).collect()
}

/// A suite for each cell, and one for the conditions of `--fail-if`.
pub(crate) fn of_sweep(report: &SweepReport) -> Vec<Suite> {
    let cells = report.rows.iter().map(|row| {
        let judged = row.judgements.iter().map(|judgement| cases::case(judgement, ""));
        let budgets = report.grid.first.budgets.iter().map(cases::not_judged);
        let (name, cases) = (report.name(row.cell).to_owned(), judged.chain(budgets).collect());
        let caveats = row.unsettled.iter().map(|caveat| format!("{}\n", caveat.text()));
        Suite { name, cases, said: caveats.collect() }
    });
    cells.chain(of_conditions(report.fails.judged())).collect()
}

/// One case, as the exit code: whether any gateway carries the demand. Why each does or does not
/// is said beside.
pub(crate) fn of_plan(report: &CapacityReport) -> Vec<Suite> {
    let result = match report.chosen() {
        _ if report.is_incomplete() => CaseResult::Undecided,
        Some(_) => CaseResult::Met,
        None if report.fits().contains(&Carries::Undecided) => CaseResult::Undecided,
        None => CaseResult::Missed,
    };
    let found = text::headline(report).for_text();
    let name = "a gateway carries the demand".to_owned();
    let carries = report.carries().into_iter().enumerate();
    let reasons = carries.map(|(index, carries)| text::reason(report, index, carries) + "\n");
    let said = reasons.collect();
    vec![Suite {
        name: report.base().name.clone(),
        cases: vec![Case { name, result, found }],
        said,
    }]
}

/// The target in the long run, and each objective of months and years.
pub(crate) fn of_availability(report: &AvailabilityReport) -> Vec<Suite> {
    let name = report.scenario.name.clone();
    vec![Suite { name, cases: of_months(report), said: String::new() }]
}

fn of_months(report: &AvailabilityReport) -> Vec<Case> {
    let of = |line: SaidLine| {
        let (name, found) = line.text.split_once(": ").unwrap_or((&line.text, ""));
        let result = line.verdict?.into();
        Some(Case { name: name.to_owned(), result, found: found.to_owned() })
    };
    verdict::said(report).into_iter().filter_map(of).collect()
}

/// A suite of conditions, if there are any.
fn of_conditions(all: &[FailJudged]) -> Option<Suite> {
    let case = |one: &FailJudged| {
        let result = match one.verdict {
            Overall::Missed => CaseResult::Missed,
            Overall::Undecided => CaseResult::Undecided,
            Overall::Met | Overall::NoObjectives => CaseResult::Met,
        };
        let (name, found) = (one.condition.text().to_owned(), one.reasons().join("; "));
        Case { name, result, found }
    };
    let cases: Vec<Case> = all.iter().map(case).collect();
    let suite = Suite { name: "--fail-if".to_owned(), cases, said: String::new() };
    (!suite.cases.is_empty()).then_some(suite)
}
