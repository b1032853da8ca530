//! The verdict on months and years in text.

use super::judging::{JudgedBudget, judge_long_run, not_settled, open_by_unsettled};
use super::report::AvailabilityReport;
use super::words::between;
use crate::report::format::page::{Paint, SaidLine};
use crate::report::format::words::share_of;
use crate::stats::Interval;
use crate::study::availability::chances::{Chance, OutageOdds};
use crate::units::{Span, three_digits};
use crate::verdict::Verdict;

/// The section of the verdict.
pub(super) fn section(report: &AvailabilityReport, paint: Paint) -> String {
    paint.section("Verdict", said(report).iter().map(|line| line.for_text(paint)).collect())
}

/// What it says, line by line.
pub(crate) fn said(report: &AvailabilityReport) -> Vec<SaidLine> {
    let mut lines = long_run(report);
    for judged in &report.budgets {
        lines.extend(of_budget(judged, &judged.objective.text));
    }
    if lines.is_empty() {
        let help = "--target 99.95% judges, or an objective such as availability >= 99.95% per \
                    month";
        lines.push(SaidLine::plain(format!("no target: {help}")));
    }
    if let (Some((longest, from)), Some(odds)) = (&report.demands.rto, &report.outages) {
        lines.push(SaidLine::plain(outages_said(*longest, from, odds)));
    }
    lines
}

/// The verdict on an objective of months or years, which is called so, and what would decide it.
pub(super) fn of_budget(judged: &JudgedBudget, name: &str) -> Vec<SaidLine> {
    let found = SaidLine::judged(judged.verdict, format!("{name}: {}", over(judged)));
    [found].into_iter().chain(judged.remedy.as_ref().map(SaidLine::remedy)).collect()
}

fn long_run(report: &AvailabilityReport) -> Vec<SaidLine> {
    let (Some(target), Some([month, year])) = (report.demands.target, report.chances) else {
        return Vec::new();
    };
    let verdict = judge_long_run(&report.run, target);
    let found = between(report.run.failing_interval);
    let said = format!("availability >= {target} in the long run: {found}");
    let mut lines = vec![SaidLine::judged(verdict, said)];
    for (name, chance) in [("months", month), ("years", year)] {
        let text = format!("{} of the {name} use more than their error budget", said_of(&chance));
        lines.push(SaidLine::more(text));
    }
    if matches!(verdict, Verdict::Undecided(_)) {
        let help = match open_by_unsettled(&report.run, target) {
            true => not_settled(&report.run),
            false => "the interval contains the target: --requests with more makes it narrower"
                .to_owned(),
        };
        lines.push(SaidLine::remedy(help));
    }
    lines
}

/// A chance with its interval.
fn said_of(chance: &Chance) -> String {
    let Interval { low, high } = chance.interval;
    match low < high {
        true => format!("{} ({} to {})", share_of(chance.point), share_of(low), share_of(high)),
        false => share_of(chance.point),
    }
}

/// How many use more than their budget, and how many may.
fn over(judged: &JudgedBudget) -> String {
    let [_, all] = judged.objective.span.words();
    let may = share_of(judged.objective.spared.0);
    format!("{} of the {all} use more than their budget, {may} may", said_of(&judged.chance))
}

/// How often something comes; never 0 for something.
fn often(per_year: f64) -> String {
    let is_tiny = per_year > 0.0 && per_year < 0.0005;
    if is_tiny { "< 0.001".to_owned() } else { three_digits(per_year) }
}

fn outages_said(longest: Span, from: &str, odds: &OutageOdds) -> String {
    let Interval { low, high } = odds.per_year.interval;
    let [often, low, high] = [odds.per_year.point, low, high].map(often);
    format!(
        "an outage longer than {longest} ({from}): in {} of the months, in {} of the years; \
         {often} a year ({low} to {high})",
        said_of(&odds.month),
        said_of(&odds.year),
    )
}
