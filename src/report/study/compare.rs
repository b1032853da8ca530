//! A comparison in text.

use super::contrast;
use super::limits::{self, Found, Limits};
use crate::experiment::Experiment;
use crate::experiment::summary::WindowSummary;
use crate::report::text::{self, Paint, Written};
use crate::report::words::{capitalised, plural, wrapped};
use crate::report::{Report, tables};
use crate::study::compare::{Contrast, Variant, contrasts};
use crate::study::cost::{Prices, tier};
use crate::units::{Instant, Span};
use crate::verdict::{Overall, Verdict};

const GAIN: &str = "gain: how many times the interval is narrower than that of runs with luck of \
                    their own would be; its square is the reduction of variance";

/// Names that are longer leave tables no room.
const LONGEST_NAME: usize = 24;

/// A comparison with all that is said of it.
#[derive(Debug)]
pub struct CompareReport<'a> {
    /// What was compared.
    pub variants: &'a [Variant],
    /// The experiment of each.
    pub runs: &'a [Experiment],
    /// The report of each.
    pub reports: Vec<Report<'a>>,
    /// The figures of all against the first.
    pub contrasts: Vec<Contrast>,
    /// What each costs.
    pub prices: &'a Prices,
}

impl<'a> CompareReport<'a> {
    /// Sums up and judges the experiments of variants.
    pub fn new(variants: &'a [Variant], runs: &'a [Experiment], prices: &'a Prices) -> Self {
        let pairs = variants.iter().zip(runs);
        let reports = pairs.map(|(variant, run)| Report::new(&variant.scenario, run, None));
        let contrasts = contrasts(variants, runs);
        CompareReport { variants, runs, reports: reports.collect(), contrasts, prices }
    }

    /// Whether it was stopped.
    pub fn is_interrupted(&self) -> bool {
        self.runs.iter().any(|run| run.interrupted)
    }

    pub(super) fn name(&self, variant: usize) -> &str {
        &self.variants[variant].name
    }

    /// What tables and titles call a variant: its name, or a letter if some name is too long to
    /// stand above a column.
    pub(super) fn label(&self, variant: usize) -> String {
        if self.has_letters() { letter(variant) } else { self.name(variant).to_owned() }
    }

    /// Its name, after its letter if it has one.
    pub(super) fn full_name(&self, variant: usize) -> String {
        let name = self.name(variant);
        if self.has_letters() { format!("{}: {name}", letter(variant)) } else { name.to_owned() }
    }

    fn has_letters(&self) -> bool {
        self.variants.iter().any(|one| one.name.chars().count() > LONGEST_NAME)
    }

    /// How many replications of what there are, in words.
    pub(super) fn sample(&self) -> String {
        let run = &self.variants[0].scenario.plan.run;
        let count = plural(self.runs[0].outcomes.len() as u64, "replication");
        let horizons = || self.variants.iter().map(|one| one.scenario.plan.run.horizon);
        let (least, most) = (horizons().min(), horizons().max());
        let span = |at: Option<Instant>| Span(at.unwrap_or_default().0);
        let horizon = match least == most {
            true => span(least).to_string(),
            false => format!("{} to {}", span(least), span(most)),
        };
        format!("{count} of {horizon} each, seed {}, the same luck for all", run.seed)
    }
}

/// `A` to `Z`, then `A1` to `Z1` and so on.
fn letter(index: usize) -> String {
    let letter = char::from(b'A' + (index % 26) as u8);
    match index / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

/// The report in text.
pub fn render(report: &CompareReport, written: Option<Written>, colour: bool) -> String {
    let paint = Paint { colour };
    let mut sections = vec![head(report), verdicts(report, paint)];
    sections.extend(windows(report, paint));
    sections.push(differences(report, paint));
    sections.push(caveats(report, paint));
    sections.extend(written.map(|written| text::files(&written, paint)));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// The verdicts alone.
pub fn verdicts_only(report: &CompareReport, colour: bool) -> String {
    verdicts(report, Paint { colour })
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
    let cost = |one: &Report| report.prices.of(tier(one.scenario).as_deref()).words;
    let heads = (report.reports.iter().enumerate())
        .map(|(index, one)| vec![report.label(index), cost(one), String::from("|")]);
    let heads = tables::left(&heads.collect::<Vec<_>>());
    let rows = heads.lines().zip(&report.reports);
    let rows = rows.map(|(head, one)| wrapped(head.trim_end_matches('|'), &verdict(one)));
    let title = format!("Verdicts (cost in {})", report.prices.unit());
    format!("{}\n{}", paint.title(&title), rows.collect::<String>())
}

fn verdict(report: &Report) -> String {
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

/// A table for each window that all variants have, with a column for each variant.
fn windows(report: &CompareReport, paint: Paint) -> Vec<String> {
    let mut labels: Vec<&str> = Vec::new();
    report.contrasts.iter().for_each(|contrast| {
        if !labels.contains(&contrast.window.as_str()) {
            labels.push(&contrast.window);
        }
    });
    let table = |label: &&str| {
        let of = |(index, one): (usize, &Report)| {
            let window = one.summary.windows.iter().find(|window| window.label == **label)?;
            Some(WindowSummary { label: report.label(index), ..window.clone() })
        };
        let all: Vec<_> = report.reports.iter().enumerate().filter_map(of).collect();
        let title = format!("{}: load, and latency of the served requests (95 % interval)", label);
        format!("{}\n{}", paint.title(&capitalised(&title)), tables::windows(&all))
    };
    labels.iter().map(table).collect()
}

fn differences(report: &CompareReport, paint: Paint) -> String {
    let one = |index: usize| {
        let (other, first) = (report.label(index), report.label(0));
        let title = format!("{other} against {first} (paired; each interval 95 % by itself)");
        format!("{}\n{}", paint.title(&title), difference_table(report, index))
    };
    let all: Vec<String> = (1..report.variants.len()).map(one).collect();
    all.join("\n") + "\n" + &wrapped("  ", GAIN)
}

/// The differences of a variant, window by window; if they are too wide, without the intervals of
/// ratios.
fn difference_table(report: &CompareReport, variant: usize) -> String {
    let table = |brief: bool| {
        let table = tables::left(&difference_rows(report, variant, brief));
        let mut lines = table.lines();
        let mut out = format!("{}\n", lines.next().unwrap_or_default());
        let mut window = "";
        for (line, contrast) in lines.zip(&report.contrasts) {
            if contrast.window != window {
                window = &contrast.window;
                out += &format!("  {window}:\n");
            }
            out += &format!("{line}\n");
        }
        out
    };
    let fits = |table: &String| table.lines().all(|line| line.chars().count() <= tables::WIDTH);
    Some(table(false)).filter(fits).unwrap_or_else(|| table(true))
}

fn difference_rows(report: &CompareReport, variant: usize, brief: bool) -> Vec<Vec<String>> {
    let mut rows = vec![["", "difference", "ratio", "", "gain"].map(str::to_owned).to_vec()];
    for contrast in &report.contrasts {
        let found = contrast.against[variant - 1].as_ref();
        let pairs = found.map_or(0, |found| found.difference.n);
        // Not every replication has every figure.
        let few = found.is_some() && pairs < report.runs[0].outcomes.len();
        let of = if few { format!(", {pairs} pairs") } else { String::new() };
        let cells = contrast::cells(contrast.metric, found, brief);
        let name = contrast.metric.name().into_owned() + &of;
        rows.push([name].into_iter().chain(cells).collect());
    }
    rows
}

/// What limits the figures, each once, with the variants that it concerns.
fn caveats(report: &CompareReport, paint: Paint) -> String {
    let mut limits = Limits::default();
    for (index, one) in report.reports.iter().enumerate() {
        limits.note(&one.caveats, index, limits::text);
    }
    let whose = |found: &Found| match found.whose.len() == report.variants.len() {
        true => String::new(),
        false => {
            let names: Vec<String> = found.whose.iter().map(|one| report.label(*one)).collect();
            names.join(", ")
        }
    };
    limits.section(whose, paint)
}
