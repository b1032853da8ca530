//! A comparison in text.

use crate::experiment::summary::WindowSummary;
use crate::report::availability::{self, beside};
use crate::report::caveats::caveat::Caveat;
use crate::report::caveats::merged::{Found, Limits};
use crate::report::compare::contrast;
use crate::report::compare::report::CompareReport;
use crate::report::fail_if::judged as fail_if;
use crate::report::format::page::{Paint, Written};
use crate::report::format::table::{Table, fits};
use crate::report::format::words::{capitalised, distinct, plural, wrapped};
use crate::report::resilience::strategies;
use crate::report::run::report::Report;
use crate::report::run::tables;
use crate::study::compare::Contrast;
use crate::verdict::{Overall, Verdict};

const GAIN: &str = "mean and percentiles are of the served requests; gain: how many times \
                    narrower the interval is than that of independent runs would be; its square is \
                    the reduction of variance";

/// What an interval without a gain is.
const NO_GAIN: &str = "; – where more runs would hardly narrow the interval: most of it is what \
                       histograms, or faults at random that struck too seldom, do not tell";

/// Windows of single APIs up to which the text tells all of them.
const API_WINDOWS_TOLD: usize = 6;

/// The report in text.
pub fn render(report: &CompareReport, written: Option<Written>, colour: bool) -> String {
    let paint = Paint { colour };
    let mut sections = vec![head(report), verdicts(report, paint)];
    sections.push(fail_if::section(&report.fails, paint));
    sections.push(months(report, paint));
    sections.push(strategies(report, paint));
    sections.extend(windows(report, paint));
    sections.extend([differences(report, paint), caveats(report, paint)]);
    paint.page(sections, written)
}

/// The verdicts alone.
pub fn verdicts_only(report: &CompareReport, colour: bool) -> String {
    let legend = if report.has_letters() { variants(report) } else { String::new() };
    let paint = Paint { colour };
    let verdicts = legend + &verdicts(report, paint) + &months(report, paint);
    verdicts + &fail_if::section(&report.fails, paint)
}

fn head(report: &CompareReport) -> String {
    let mut questions: Vec<&str> =
        report.variants.iter().map(|variant| variant.scenario.question.as_str()).collect();
    questions.dedup();
    let mut out = variants(report);
    questions.iter().for_each(|question| out.push_str(&wrapped("  ", question)));
    if let Some(run) = report.runs.first().filter(|run| run.interrupted) {
        let (kept, asked) = (run.outcomes.len(), run.asked);
        out.push_str(&match report.contrasts.is_empty() {
            true => "  stopped before every variant had a complete replication\n".to_owned(),
            false => format!("  stopped early: {kept} of {asked} replications of each\n"),
        });
    }
    out
}

/// What is compared, in a line or, if names are long, in one for each.
fn variants(report: &CompareReport) -> String {
    let all = 0..report.variants.len();
    let (count, sample) = (plural(all.len() as u64, "variant"), report.sample());
    if !report.has_letters() {
        let names: Vec<&str> = all.map(|index| report.name(index)).collect();
        return wrapped("", &format!("{count} ({}): {sample}", names.join(" | ")));
    }
    let name = |index| wrapped(&format!("  {}  ", report.label(index)), report.name(index));
    wrapped("", &format!("{count}: {sample}")) + &all.map(name).collect::<String>()
}

/// What each variant costs and whether it meets its objectives, with the figure of each.
fn verdicts(report: &CompareReport, paint: Paint) -> String {
    let cost = |one: &Report| report.prices.of(one.scenario).words;
    let mut heads = Table::default();
    for (index, one) in report.reports.iter().enumerate() {
        heads.row([report.label(index), cost(one), String::from("|")]);
    }
    let heads = heads.text();
    let rows = heads.lines().zip(&report.reports);
    let rows = rows.map(|(head, one)| wrapped(head.trim_end_matches('|'), &verdict(one)));
    let rows = rows.collect::<String>() + &not_judged(report);
    let title = format!("Verdicts (cost in {})", report.prices.unit());
    paint.section(&title, rows)
}

/// Objectives of months of which no months are looked at.
fn not_judged(report: &CompareReport) -> String {
    unjudged(report).iter().map(|line| wrapped("  – ", line)).collect()
}

/// The same, line by line.
pub(crate) fn unjudged(report: &CompareReport) -> Vec<String> {
    let without = report.variants.iter().zip(&report.months).enumerate();
    let lines =
        without.filter(|(_, (_, months))| months.is_none()).filter_map(|(index, (it, _))| {
            let said = availability::judging::not_judged(&it.scenario)?;
            Some(format!("{}: {said}", report.label(index)))
        });
    lines.collect()
}

/// Months and years side by side.
fn months(report: &CompareReport, paint: Paint) -> String {
    let rows = report.beside();
    match rows.is_empty() {
        true => String::new(),
        false => beside::section("Months and years", report.prices.unit(), &rows, paint),
    }
}

/// Strategies of several regions side by side.
fn strategies(report: &CompareReport, paint: Paint) -> String {
    paint.section("Strategies (95 % interval)", strategies::text(report))
}

/// What is missed, or else undecided.
pub(crate) fn verdict(report: &Report) -> String {
    let which = |wanted: fn(&Verdict) -> bool| {
        let judged = report.judgements.iter().filter(|j| wanted(&j.verdict));
        judged.map(|j| j.objective.text.as_str()).collect::<Vec<_>>().join("; ")
    };
    let undecided = |verdict: &Verdict| matches!(verdict, Verdict::Undecided(_));
    match report.overall() {
        Overall::NoObjectives => "no objectives".to_owned(),
        Overall::Met => "✓ met".to_owned(),
        Overall::Missed => format!("✗ missed: {}", which(|v| *v == Verdict::Missed)),
        Overall::Undecided => format!("? undecided: {}", which(undecided)),
    }
}

/// The differences that the text tells. Of many APIs these are those that objectives speak of; all
/// are in the files.
pub(crate) fn told<'r>(report: &'r CompareReport) -> Vec<&'r Contrast> {
    let first = &report.reports[0];
    let windows = &first.summary.windows;
    let are_few = windows.iter().filter(|window| window.api.is_some()).count() <= API_WINDOWS_TOLD;
    let is_asked = |index| first.judgements.iter().any(|judged| judged.objective.window == index);
    let is_told = |contrast: &&Contrast| {
        let found = windows.iter().position(|window| window.label == contrast.window);
        found.is_none_or(|index| windows[index].api.is_none() || are_few || is_asked(index))
    };
    report.contrasts.iter().filter(is_told).collect()
}

/// A table for each window that all variants have, with a column for each variant.
fn windows(report: &CompareReport, paint: Paint) -> Vec<String> {
    let section = |(title, all): (String, Vec<WindowSummary>)| {
        paint.section(&title, tables::windows(&all.iter().collect::<Vec<_>>()))
    };
    by_window(report).into_iter().map(section).collect()
}

/// Of each window that all variants have the title, and the window of each.
pub(crate) fn by_window(report: &CompareReport) -> Vec<(String, Vec<WindowSummary>)> {
    let labels = distinct(told(report).into_iter().map(|contrast| contrast.window.as_str()));
    let table = |label: &&str| {
        let of = |(index, one): (usize, &Report)| {
            let window = one.summary.windows.iter().find(|window| window.label == **label)?;
            Some(WindowSummary { label: report.label(index), ..window.clone() })
        };
        let all: Vec<_> = report.reports.iter().enumerate().filter_map(of).collect();
        let title = format!("{}: load, and latency of the served requests (95 % interval)", label);
        (capitalised(&title), all)
    };
    labels.iter().map(table).collect()
}

fn differences(report: &CompareReport, paint: Paint) -> String {
    let one =
        |index: usize| paint.section(&against(report, index), difference_table(report, index));
    let all: Vec<String> = (1..report.variants.len()).map(one).collect();
    all.join("\n") + "\n" + &wrapped("  ", &gain(report))
}

/// What the differences of a variant are called.
pub(crate) fn against(report: &CompareReport, variant: usize) -> String {
    let (other, first) = (report.label(variant), report.label(0));
    format!("{other} against {first} (paired; each interval 95 % by itself)")
}

/// What the gain of pairing is.
pub(crate) fn gain(report: &CompareReport) -> String {
    let mut found = told(report).into_iter().flat_map(|contrast| contrast.against.iter().flatten());
    let is_open = found.any(|found| found.narrower.is_some() && found.gain().is_none());
    format!("{GAIN}{}", if is_open { NO_GAIN } else { "" })
}

/// The differences of a variant, window by window; if they are too wide, without the intervals of
/// ratios.
fn difference_table(report: &CompareReport, variant: usize) -> String {
    let table = |brief: bool| {
        let table = difference_rows(report, variant, brief).text();
        let mut lines = table.lines();
        let mut out = format!("{}\n", lines.next().unwrap_or_default());
        let mut window = "";
        for (line, contrast) in lines.zip(told(report)) {
            if contrast.window != window {
                window = &contrast.window;
                out += &format!("  {window}:\n");
            }
            out += &format!("{line}\n");
        }
        out
    };
    Some(table(false)).filter(|table| fits(table)).unwrap_or_else(|| table(true))
}

/// A row for each difference that is told; without the intervals of ratios if `brief`.
pub(crate) fn difference_rows(report: &CompareReport, variant: usize, brief: bool) -> Table {
    let mut table = Table::default().with(["", "difference", "ratio", "", "gain"]);
    for contrast in told(report) {
        let found = contrast.against[variant - 1].as_ref();
        let pairs = found.map_or(0, |found| found.difference.n);
        // Not every replication has every figure.
        let few = found.is_some() && pairs < report.runs[0].outcomes.len();
        let of = if few { format!(", {pairs} pairs") } else { String::new() };
        let cells = contrast::cells(contrast.metric, found, brief);
        let name = contrast.metric.name().into_owned() + &of;
        table.row([name].into_iter().chain(cells));
    }
    table
}

/// What limits the figures, each once, with the variants that it concerns.
fn caveats(report: &CompareReport, paint: Paint) -> String {
    paint.caveats(limits(report))
}

/// The same, line by line.
pub(crate) fn limits(report: &CompareReport) -> Vec<String> {
    let mut limits = Limits::default();
    for (index, one) in report.reports.iter().enumerate() {
        limits.note(&one.caveats, index, Caveat::text);
    }
    let whose = |found: &Found| match found.whose.len() == report.variants.len() {
        true => String::new(),
        false => {
            let names: Vec<String> = found.whose.iter().map(|one| report.label(*one)).collect();
            names.join(", ")
        }
    };
    limits.texts(whose)
}
