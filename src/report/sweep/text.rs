//! A sweep in text.

use crate::metric::Metric;
use crate::report::availability::judging::not_judged;
use crate::report::caveats::caveat::Caveat;
use crate::report::caveats::merged::Found;
use crate::report::fail_if::judged as fail_if;
use crate::report::format::page::{Paint, Written};
use crate::report::format::table::{Table, WIDTH, fits};
use crate::report::format::words::{NOTHING, distinct, plural, shown, whole, wrapped};
use crate::report::sweep::charts::{LINES, is_drawn};
use crate::report::sweep::report::{Row, SweepReport};
use crate::report::sweep::usable::usable;
use crate::verdict::{Overall, Verdict};

/// Rows of the table; the others are in the files.
pub(crate) const ROWS_TOLD: usize = 200;
/// The widest cell for the value of a setting, where room is short.
const VALUE_WIDTH: usize = 16;
/// What the table is called.
pub(crate) const TABLE: &str = "The run: latency of the served requests, and more";
/// Marks figures that depend on how long the run is.
const UNSETTLED: char = '~';

/// The report in text.
pub fn render(report: &SweepReport, written: Option<Written>, colour: bool) -> String {
    let paint = Paint { colour };
    let sections = vec![
        head(report),
        verdicts(report, paint),
        fail_if::section(report.fails.judged(), paint),
        table(report, paint),
        caveats(report, paint),
    ];
    paint.page(sections, written)
}

/// The verdicts alone.
pub fn verdicts_only(report: &SweepReport, colour: bool) -> String {
    let paint = Paint { colour };
    verdicts(report, paint) + &fail_if::section(report.fails.judged(), paint)
}

fn head(report: &SweepReport) -> String {
    let settings: Vec<String> = report.axes.iter().map(setting).collect();
    let cells = plural(report.grid.cells.len() as u64, "cell");
    let mut out = wrapped("", &format!("{}: {cells}", settings.join(" × ")));
    let first = Some(&report.grid.first);
    out += &first.map(|scenario| wrapped("  ", &scenario.question)).unwrap_or_default();
    out += &wrapped("  ", &report.sample());
    let fixed = fixed(report);
    if !fixed.is_empty() {
        out += &wrapped("  ", &format!("with {}", fixed.join(", ")));
    }
    out += &not_judged(&report.grid.first).map_or(String::new(), |text| wrapped("  ", &text));
    if report.is_interrupted() {
        out += &format!("  stopped early: {} of {cells} are complete\n", report.rows.len());
    }
    if !is_drawn(&report.axes) {
        let text = format!(
            "no chart is drawn of more than two settings that vary, or of more than {LINES} values \
             that are no numbers; sweep.csv has every figure"
        );
        out += &wrapped("  ", &text);
    }
    out
}

/// A setting with its values: `gateway.replicas (2, 3)`, `traffic.rate (20 values, 100/s to 2k/s)`.
pub(crate) fn setting(axis: &crate::study::variation::Axis) -> String {
    let values = &axis.values;
    match &values[..] {
        [first, .., last] if values.len() > 4 => {
            format!("{} ({} values, {first} to {last})", axis.path, values.len())
        }
        _ => format!("{} ({})", axis.path, values.join(", ")),
    }
}

/// The changes that all cells have.
pub(crate) fn fixed(report: &SweepReport) -> Vec<String> {
    let changes = &report.grid.first.changes;
    let varies = |change: &str| {
        report.axes.iter().any(|axis| change.split_once('=').is_some_and(|(p, _)| p == axis.path))
    };
    changes.iter().filter(|change| !varies(change)).cloned().collect()
}

/// In how many cells each objective is met, and up to which load all are.
fn verdicts(report: &SweepReport, paint: Paint) -> String {
    let texts = objectives(report);
    if report.rows.is_empty() {
        return "No cell is complete: nothing can be said.\n".to_owned();
    }
    if texts.is_empty() {
        return "No objectives: nothing to meet or miss.\n".to_owned();
    }
    let rows = verdict_table(report);
    let mut out = paint.section("Verdicts", rows.text());
    for one in usable(report) {
        let whose = if one.name.is_empty() { String::new() } else { format!("{}: ", one.name) };
        out += &wrapped("  → ", &format!("{whose}{}", one.words));
    }
    out
}

/// Each objective with the cells in which it is met.
pub(crate) fn verdict_table(report: &SweepReport) -> Table {
    let cells = report.rows.len();
    let mut rows = Table::default();
    for text in objectives(report) {
        let [met, undecided, missed] = counts(report, text).map(|count| whole(count as u64));
        let cells = plural(cells as u64, "cell");
        let words =
            format!("met in {met}, undecided in {undecided}, missed in {missed} of {cells}");
        rows.row([text, &words]);
    }
    rows
}

/// The objectives of the cells, each once.
fn objectives<'r>(report: &'r SweepReport) -> Vec<&'r str> {
    let judged = report.rows.iter().flat_map(|row| &row.judgements);
    distinct(judged.map(|judged| judged.objective.text.as_str()))
}

/// Cells in which an objective is met, undecided and missed.
fn counts(report: &SweepReport, text: &str) -> [usize; 3] {
    let mut counts = [0; 3];
    for judged in report.rows.iter().flat_map(|row| &row.judgements) {
        if judged.objective.text == text {
            counts[match judged.verdict {
                Verdict::Met => 0,
                Verdict::Undecided(_) => 1,
                Verdict::Missed => 2,
            }] += 1;
        }
    }
    counts
}

fn table(report: &SweepReport, paint: Paint) -> String {
    if report.rows.is_empty() {
        return String::new();
    }
    let interval = match report.looks() {
        1 => "95 % interval".to_owned(),
        looks => format!("95 % interval, corrected for {looks} looks"),
    };
    let title = format!("{TABLE} ({interval})");
    let mut out = paint.section(&title, fitting(report));
    let rest = report.rows.len().saturating_sub(ROWS_TOLD) as u64;
    if rest > 0 {
        out += &format!("  and {} more, see sweep.csv\n", plural(rest, "cell"));
    }
    out + &unsettled(report)
}

/// The table with as many intervals as there is room for.
fn fitting(report: &SweepReport) -> String {
    let rows = &report.rows[..report.rows.len().min(ROWS_TOLD)];
    let table = |(detail, clip): (usize, bool)| table_of(report, rows, detail, clip).text();
    let ways = [(4, false), (3, false), (2, false), (1, false), (0, false), (2, true), (1, true)];
    ways.into_iter().map(table).find(|table| fits(table)).unwrap_or_else(|| {
        let lines = table((0, true));
        let cut = |line: &str| line.chars().take(WIDTH).collect::<String>() + "\n";
        lines.lines().map(cut).collect()
    })
}

/// A row for each of these cells; see [`cells`].
pub(crate) fn table_of(report: &SweepReport, rows: &[Row], detail: usize, clip: bool) -> Table {
    let mut table = Table::of_numbers().with(header(report, clip));
    rows.iter().for_each(|row| table.row(cells(report, row, detail, clip)));
    table
}

fn header(report: &SweepReport, clip: bool) -> Vec<String> {
    let paths = report.axes.iter().map(|axis| clipped(&axis.path, clip));
    let rest = ["", "p50", "p99", "availability", "CPU"].map(str::to_owned);
    paths.chain(rest).collect()
}

/// A row of the table; `detail` = how many of its figures have their interval, those that matter
/// most first.
fn cells(report: &SweepReport, row: &Row, detail: usize, clip: bool) -> Vec<String> {
    let figure = |metric: Metric, rank: usize| {
        let figure = row.get(0, metric).map(|f| if rank < detail { *f } else { f.bare() });
        shown(figure.as_ref())
    };
    let mark = |text: String| match row.is_settled() || text == NOTHING {
        true => text,
        false => format!("{UNSETTLED}{text}"),
    };
    let values = report.values(row.cell).into_iter().map(|value| clipped(value, clip));
    let rest = [
        glyph(row.overall).to_owned(),
        mark(figure(Metric::Latency(0.5), 2)),
        mark(figure(Metric::P99, 0)),
        figure(Metric::Availability, 1),
        figure(Metric::Cpu, 3),
    ];
    values.chain(rest).collect()
}

fn clipped(text: &str, clip: bool) -> String {
    match clip && text.chars().count() > VALUE_WIDTH {
        true => text.chars().take(VALUE_WIDTH - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

fn glyph(overall: Overall) -> &'static str {
    match overall {
        Overall::NoObjectives => NOTHING,
        Overall::Met => "✓",
        Overall::Missed => "✗",
        Overall::Undecided => "?",
    }
}

/// What the mark of figures that are not settled means.
fn unsettled(report: &SweepReport) -> String {
    unsettled_said(report).map_or(String::new(), |text| wrapped("  ~ ", &text))
}

/// The same, without the mark.
pub(crate) fn unsettled_said(report: &SweepReport) -> Option<String> {
    let caveats = report.rows.iter().flat_map(|row| &row.unsettled);
    let reasons = distinct(caveats.filter_map(Caveat::unsettles));
    let because = reasons.join(", or ");
    (!reasons.is_empty())
        .then(|| format!("the figures depend on how long the run is, because {because}"))
}

/// What limits the figures, each once, with the number of cells that it concerns.
fn caveats(report: &SweepReport, paint: Paint) -> String {
    paint.caveats(limits(report))
}

/// The same, line by line.
pub(crate) fn limits(report: &SweepReport) -> Vec<String> {
    let cells = report.rows.len();
    let whose = |found: &Found| {
        let gravest = match found.alike {
            true => format!("such as {}", report.name(found.gravest)),
            false => format!("worst at {}", report.name(found.gravest)),
        };
        match (found.whose.len(), found.alike) {
            (all, true) if all == cells => String::new(),
            (1, _) => report.name(found.gravest).to_owned(),
            (all, _) if all == cells => format!("all cells, {gravest}"),
            (some, _) => {
                format!("{} of {} cells, {gravest}", whole(some as u64), whole(cells as u64))
            }
        }
    };
    report.limits.texts(whose)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
