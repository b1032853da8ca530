//! The files of a study of availability.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::judging::JudgedBudget;
use super::report::{AvailabilityReport, PERCENTILES, RETURNS};
use crate::engine::ENGINE;
use crate::report::files::staging::{FilesError, Staging};
use crate::report::format::cells;
use crate::report::format::page::{mark, overall};
use crate::report::format::table;
use crate::report::manifest::VERSION;
use crate::stats::Interval;
use crate::study::availability::chances::Chance;
use crate::study::availability::estimate::YEAR;
use crate::study::availability::months::MonthScatter;

/// The schema of `availability.json`.
const SCHEMA: &str = "brownout/availability/1";
/// Quantiles of months and years in files.
const QUANTILES: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/// Writes every table.
///
/// # Errors
/// Those of the file system.
pub fn write_tables(
    report: &AvailabilityReport,
    staging: &mut Staging,
) -> std::result::Result<(), FilesError> {
    staging.add("causes.csv", |out| causes(report, out))?;
    staging.add("pieces.csv", |out| pieces(report, out))?;
    staging.add("months.csv", |out| months(report, out))
}

fn causes(report: &AvailabilityReport, out: &mut dyn Write) -> Result<()> {
    let header = ["cause", "per_year", "failed_each", "failed_per_s", "down_share", "pieces"];
    let rows = report.run.causes.iter().map(|cause| {
        let per_year = cells::optional(cause.per_year, cells::number);
        let figures = [cause.failed_each, cause.failed, cause.down].map(cells::number);
        let [each, failed, down] = figures;
        vec![cause.name.clone(), per_year, each, failed, down, cause.pieces.to_string()]
    });
    table::write_csv(out, header, rows)
}

fn pieces(report: &AvailabilityReport, out: &mut dyn Write) -> Result<()> {
    let header = [
        "faults",
        "per_year",
        "length_s",
        "decided",
        "failed",
        "down_s",
        "longest_outage_s",
        "answers_after_s",
        "normal",
    ];
    let weighted = report.study.weighted();
    let rows = weighted.iter().map(|one| {
        let names = one.piece.kinds.iter().map(|kind| report.study.kinds[*kind].name.as_str());
        let figures = &one.piece.figures;
        vec![
            names.collect::<Vec<_>>().join(" "),
            cells::number(one.rate * YEAR),
            cells::number(figures.length),
            cells::number(figures.decided),
            cells::number(figures.failed),
            cells::number(figures.down),
            cells::number(figures.longest),
            cells::optional(figures.answers, cells::number),
            figures.normal.is_some().to_string(),
        ]
    });
    table::write_csv(out, header, rows)
}

fn months(report: &AvailabilityReport, out: &mut dyn Write) -> Result<()> {
    let rows = QUANTILES.iter().map(|share| {
        let at = |values: &[f64]| cells::number(MonthScatter::quantile(values, *share));
        vec![cells::number(*share), at(&report.scatter.months), at(&report.scatter.years)]
    });
    table::write_csv(out, ["quantile", "failing_in_a_month", "failing_in_a_year"], rows)
}

/// An objective of months or years with what was found.
pub(crate) fn objective(one: &JudgedBudget) -> Value {
    let JudgedBudget { objective, chance, verdict, remedy } = one;
    json!({
        "text": objective.text,
        "of": objective.span.words()[0],
        "target": objective.target.0,
        "may_use_more": objective.spared.0,
        "over_budget": figure(chance.point, chance.interval),
        "verdict": mark(verdict).2,
        "remedy": remedy,
    })
}

/// How often outages last longer than is demanded.
fn longer_outages(report: &AvailabilityReport) -> Value {
    let (Some((longest, from)), Some(odds)) = (&report.demands.rto, &report.outages) else {
        return Value::Null;
    };
    let of = |chance: Chance| figure(chance.point, chance.interval);
    json!({
        "longer_than_s": longest.as_secs(),
        "from": from,
        "per_year": of(odds.per_year),
        "month": of(odds.month),
        "year": of(odds.year),
    })
}

pub(crate) fn figure(point: f64, interval: Interval) -> Value {
    json!({ "point": point, "low": interval.low, "high": interval.high })
}

/// Writes `availability.json`.
///
/// # Errors
/// Those of the writer.
pub fn write_json(report: &AvailabilityReport, out: &mut dyn Write) -> Result<()> {
    let run = &report.run;
    let chances = report.chances.map(|[month, year]| {
        json!({
            "month": figure(month.point, month.interval),
            "year": figure(year.point, year.interval),
        })
    });
    let latency = PERCENTILES.iter().zip(&report.percentiles);
    let latency: serde_json::Map<String, Value> =
        latency.map(|(share, secs)| (format!("p{}", share * 100.0), json!(secs))).collect();
    let outages = RETURNS.iter().map(|(years, _)| {
        let found = report.study.outage_that_returns(*years);
        json!({
            "years": years,
            "outage_s": found.map(|(length, _)| length),
            "pieces": found.map_or(0, |(_, seen)| seen),
        })
    });
    let value = json!({
        "schema": SCHEMA,
        "version": VERSION,
        "engine": ENGINE,
        "name": report.scenario.name,
        "seed": report.scenario.plan.run.seed,
        "verdict": overall(report.overall()),
        "target": report.demands.target.map(|target| target.0),
        "objectives": report.budgets.iter().map(objective).collect::<Vec<_>>(),
        "failing": figure(run.failing, run.failing_interval),
        "down": figure(run.down, run.down_interval),
        "healthy_time": run.healthy,
        "requests_per_s": run.requests,
        "latency_s": latency,
        "mean_latency_s": run.mean,
        "over_budget": chances,
        "outages": outages.collect::<Vec<_>>(),
        "longer_outages": longer_outages(report),
        "pieces": report.pieces(),
        "unsettled": run.unsettled.0,
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    out.write_all(b"\n")
}
