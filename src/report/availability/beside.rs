//! The months and years of several gateways side by side, for comparisons and plans.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::files::{figure, objective};
use super::report::AvailabilityReport;
use super::verdict::of_budget;
use crate::plot::Figure;
use crate::plot::budget::{BudgetInput, BudgetPoint, budget};
use crate::report::format::cells;
use crate::report::format::page::{Paint, SaidLine, overall};
use crate::report::format::table::{Table, write_csv};
use crate::report::format::words::{NOTHING, share_of};
use crate::stats::Interval;
use crate::study::cost::Cost;
use crate::units::Share;

/// Characters of a title that fit into the chart of the least width.
const TITLE_MOST: usize = 66;

/// One of several gateways.
pub(crate) struct BesideRow<'a> {
    /// How tables call it.
    pub(crate) label: String,
    /// Its name in full.
    pub(crate) name: &'a str,
    /// What it costs.
    pub(crate) cost: Cost,
    /// Its months and years.
    pub(crate) report: &'a AvailabilityReport<'a>,
}

impl BesideRow<'_> {
    /// What it uses of its error budget: low end, point and high end; 1 = all of it.
    fn used(&self) -> Option<[f64; 3]> {
        let budget = 1.0 - self.report.budget()?.0;
        let run = &self.report.run;
        let Interval { low, high } = run.failing_interval;
        Some([low, run.failing, high].map(|share| share / budget))
    }
}

/// The section of a report; `unit` = what costs count.
pub(crate) fn section(title: &str, unit: &str, rows: &[BesideRow], paint: Paint) -> String {
    let lines = said(rows).iter().map(|line| line.for_text(paint)).collect::<String>();
    paint.section(&titled(title, unit, rows), table(rows).text() + &lines)
}

/// The title with what the figures below it count.
pub(crate) fn titled(title: &str, unit: &str, rows: &[BesideRow]) -> String {
    let of = match targets(rows)[..] {
        [one] => format!("; error budget of {one}"),
        _ => String::new(),
    };
    format!("{title} (cost in {unit}{of}; 95 % intervals)")
}

/// A row for each.
pub(crate) fn table(rows: &[BesideRow]) -> Table {
    let mut table = Table::default();
    table.row(["", "cost", "answered", "of the error budget", "months over it", "years over it"]);
    for row in rows {
        let run = &row.report.run;
        let used = row.used().map_or(NOTHING.to_owned(), shares);
        let chances = row.report.chances.map(|all| {
            all.map(|one| {
                let Interval { low, high } = one.interval;
                shares([low, one.point, high])
            })
        });
        let [months, years] = chances.unwrap_or_else(|| [NOTHING, NOTHING].map(str::to_owned));
        let answered = answered(run.failing, run.failing_interval);
        table.row([row.label.clone(), row.cost.words.clone(), answered, used, months, years]);
    }
    table
}

/// The verdicts on objectives of months and years, and what is to be said of them.
pub(crate) fn said(rows: &[BesideRow]) -> Vec<SaidLine> {
    let mut lines = Vec::new();
    for row in rows {
        for judged in &row.report.budgets {
            let name = format!("{}: {}", row.label, judged.objective.text);
            lines.extend(of_budget(judged, &name));
        }
    }
    if targets(rows).is_empty() {
        let help = "no error budget: write an objective such as availability >= 99.95% per month";
        lines.push(SaidLine::plain(help));
    }
    lines.extend(unsettled(rows));
    lines
}

/// What was not back to normal: `brownout availability` has more to say of it.
fn unsettled(rows: &[BesideRow]) -> Vec<SaidLine> {
    let any = rows.iter().filter(|row| row.report.run.unsettled.0 > 0);
    any.map(|row| {
        let (count, all) = row.report.run.unsettled;
        let text = format!(
            "{}: {count} of {all} pieces were not back to normal at their end → brownout \
             availability",
            row.label
        );
        SaidLine::warning(text)
    })
    .collect()
}

/// The different targets of the error budgets.
fn targets(rows: &[BesideRow]) -> Vec<Share> {
    let mut all: Vec<Share> = rows.iter().filter_map(|row| row.report.budget()).collect();
    all.dedup();
    all
}

/// `53 % (48–59)`.
fn shares([low, point, high]: [f64; 3]) -> String {
    let plain = |share: f64| share_of(share).trim_end_matches(" %").to_owned();
    match low < high {
        true => format!("{} ({}–{})", share_of(point), plain(low), plain(high)),
        false => share_of(point),
    }
}

/// What is answered, with its interval, in as many digits as matter of what fails.
fn answered(failing: f64, Interval { low, high }: Interval) -> String {
    if high <= 0.0 {
        return "100 %".to_owned();
    }
    let size = if failing > 0.0 { failing } else { high };
    let digits = (2.0 - (size * 100.0).log10()).ceil().clamp(1.0, 7.0) as usize;
    let percent = |failing: f64| format!("{:.digits$}", 100.0 * (1.0 - failing));
    format!("{} % ({}–{})", percent(failing), percent(high), percent(low))
}

/// The rows as a file: one for each gateway.
pub(crate) fn write(who: &str, rows: &[BesideRow], out: &mut dyn Write) -> Result<()> {
    let triple = |name: &str| ["", "_low", "_high"].map(|end| format!("{name}{end}"));
    let mut header = vec![who.to_owned(), "cost".to_owned()];
    header.extend(triple("failing"));
    header.push("target".to_owned());
    ["budget_used", "months_over", "years_over"].iter().for_each(|it| header.extend(triple(it)));
    header.push("verdict".to_owned());
    let line = |row: &BesideRow| {
        let numbers = |all: Option<[f64; 3]>| {
            let each = |index: usize| cells::optional(all.map(|all| all[index]), cells::number);
            [1, 0, 2].map(each)
        };
        let run = &row.report.run;
        let Interval { low, high } = run.failing_interval;
        let mut line = vec![row.name.to_owned(), row.cost.words.clone()];
        line.extend(numbers(Some([low, run.failing, high])));
        line.push(cells::optional(row.report.budget().map(|target| target.0), cells::number));
        line.extend(numbers(row.used()));
        for which in [0, 1] {
            let chance = row.report.chances.map(|all| all[which]);
            let ends = chance.map(|it| [it.interval.low, it.point, it.interval.high]);
            line.extend(numbers(ends));
        }
        line.push(overall(row.report.overall()).to_owned());
        line
    };
    write_csv(out, header, rows.iter().map(line))
}

/// The months and years of one of them, as a value.
pub(crate) fn value(row: &BesideRow) -> Value {
    let report = row.report;
    let chances = report.chances.map(|[month, year]| {
        json!({
            "month": figure(month.point, month.interval),
            "year": figure(year.point, year.interval),
        })
    });
    json!({
        "name": row.name,
        "verdict": overall(report.overall()),
        "failing": figure(report.run.failing, report.run.failing_interval),
        "target": report.budget().map(|target| target.0),
        "budget_used": row.used().map(|[low, point, high]| figure(point, Interval { low, high })),
        "over_budget": chances,
        "objectives": report.budgets.iter().map(objective).collect::<Vec<_>>(),
        "requests": report.requests(),
        "unsettled": report.run.unsettled.0,
    })
}

/// Cost against error budget; `None` where there is none.
pub(crate) fn chart(unit: &str, sample: &str, rows: &[BesideRow]) -> Option<Figure> {
    let point = |row: &BesideRow| {
        let (label, price) = (row.label.clone(), row.cost.words.clone());
        Some(BudgetPoint { label, cost: row.cost.amount, price, share: row.used()? })
    };
    let points: Vec<BudgetPoint> = rows.iter().filter_map(point).collect();
    if points.is_empty() {
        return None;
    }
    let of = match targets(rows)[..] {
        [one] => format!("error budget of {one}"),
        _ => "error budget of each".to_owned(),
    };
    let each = points.iter().map(|one| format!("{} {}", one.label, share_of(one.share[1])));
    let each: Vec<String> = each.collect();
    let named = format!("Used of the {of}: {}", each.join(", "));
    let title = match named.chars().count() <= TITLE_MOST {
        true => named,
        false => format!("What gateways cost, and what they use of the {of}"),
    };
    Some(budget(&BudgetInput {
        title: &title,
        subtitle: &format!(
            "Failed requests in the long run over those that may fail; 95 % intervals, {sample}."
        ),
        cost_label: unit,
        budget_label: &of,
        points,
    }))
}
