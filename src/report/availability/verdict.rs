//! The verdict on months and years in text.

use super::judging::{JudgedBudget, judge_long_run};
use super::report::AvailabilityReport;
use super::words::between;
use crate::report::format::page::{Paint, mark};
use crate::report::format::words::{share_of, wrapped};
use crate::stats::Interval;
use crate::study::availability::chances::{Chance, OutageOdds};
use crate::units::{Span, three_digits};
use crate::verdict::Verdict;

/// The section of the verdict.
pub(super) fn section(report: &AvailabilityReport, paint: Paint) -> String {
    let mut out = long_run(report, paint);
    for judged in &report.budgets {
        let said = format!("{}: {}", judged.objective.text, over(judged));
        out += &line(paint, &judged.verdict, &said);
        out += &judged.remedy.as_ref().map_or(String::new(), |text| wrapped("    → ", text));
    }
    if out.is_empty() {
        let help = "--target 99.95% judges, or an objective such as availability >= 99.95% per \
                    month";
        out += &wrapped("  ", &format!("no target: {help}"));
    }
    if let (Some((longest, from)), Some(odds)) = (&report.demands.rto, &report.outages) {
        out += &wrapped("  ", &outages_said(*longest, from, odds));
    }
    paint.section("Verdict", out)
}

/// A verdict and what it is of.
pub(super) fn line(paint: Paint, verdict: &Verdict, said: &str) -> String {
    let (glyph, colour, word) = mark(verdict);
    let text = wrapped("  ", &format!("{glyph} {word} {said}"));
    text.replacen(&format!("{glyph} {word}"), &paint.ink(colour, &format!("{glyph} {word}")), 1)
}

fn long_run(report: &AvailabilityReport, paint: Paint) -> String {
    let (Some(target), Some([month, year])) = (report.demands.target, report.chances) else {
        return String::new();
    };
    let verdict = judge_long_run(&report.run, target);
    let found = between(report.run.failing_interval);
    let said = format!("availability >= {target} in the long run: {found}");
    let mut out = line(paint, &verdict, &said);
    for (name, chance) in [("months", month), ("years", year)] {
        let text = format!("{} of the {name} use more than their error budget", said_of(&chance));
        out += &wrapped("    ", &text);
    }
    if matches!(verdict, Verdict::Undecided(_)) {
        let help = match report.run.unsettled.0 {
            0 => "the interval contains the target: --requests with more makes it narrower",
            _ => "some strikes are never over by themselves: see below",
        };
        out += &wrapped("    → ", help);
    }
    out
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
pub(super) fn over(judged: &JudgedBudget) -> String {
    let [_, all] = judged.objective.span.words();
    let may = share_of(judged.objective.spared.0);
    format!("{} of the {all} use more than their budget, {may} may", said_of(&judged.chance))
}

fn outages_said(longest: Span, from: &str, odds: &OutageOdds) -> String {
    let Interval { low, high } = odds.per_year.interval;
    let [often, low, high] = [odds.per_year.point, low, high].map(three_digits);
    format!(
        "an outage longer than {longest} ({from}): in {} of the months, in {} of the years; \
         {often} a year ({low} to {high})",
        said_of(&odds.month),
        said_of(&odds.year),
    )
}
