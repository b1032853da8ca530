//! The files of a comparison.

use std::io::{Result, Write};

use serde_json::{Value, json};

use crate::engine::ENGINE;
use crate::metric::nine_digits;
use crate::report::availability::beside;
use crate::report::compare::contrast;
use crate::report::compare::report::CompareReport;
use crate::report::fail_if::judged as fail_if;
use crate::report::files::staging::{FilesError, Staging};
use crate::report::format::cells;
use crate::report::format::table::{Cell, Column, write_columns};
use crate::report::manifest::VERSION;
use crate::report::resilience::strategies;
use crate::report::run::json;
use crate::report::run::report::Report;
use crate::stats::Interval;
use crate::stats::paired::Comparison;
use crate::study::compare::Contrast;

/// The schema of `comparison.json`.
const SCHEMA: &str = "brownout/comparison/3";

/// Writes every table.
///
/// # Errors
/// Those of the file system.
pub fn write_tables(
    report: &CompareReport,
    staging: &mut Staging,
) -> std::result::Result<(), FilesError> {
    staging.add("comparison.csv", |out| write_csv(report, out))?;
    let months = report.beside();
    if !months.is_empty() {
        staging.add("budgets.csv", |out| beside::write("variant", &months, out))?;
    }
    match strategies::has_any(report) {
        true => staging.add("strategies.csv", |out| strategies::write(report, out)),
        false => Ok(()),
    }
}

/// Writes `comparison.json`: the summary of every variant, and the differences.
///
/// # Errors
/// Those of the writer.
pub fn write_json(report: &CompareReport, out: &mut dyn Write) -> Result<()> {
    let variant = |(index, one): (usize, &Report)| {
        let cost = report.prices.of(one.scenario);
        Ok(json!({
            "name": report.name(index),
            "cost": cost.amount,
            "cost_words": cost.words,
            "summary": json::value(one)?,
        }))
    };
    let variants = report.reports.iter().enumerate().map(variant);
    let mut file = json!({
        "schema": SCHEMA,
        "version": VERSION,
        "engine": ENGINE,
        "cost_unit": report.prices.unit(),
        "interrupted": report.is_interrupted(),
        "variants": variants.collect::<Result<Vec<Value>>>()?,
        "contrasts": report.contrasts.iter().map(|c| contrast_value(report, c)).collect::<Vec<_>>(),
    });
    if strategies::has_any(report) {
        file["strategies"] = strategies::values(report).into();
    }
    if !report.fails.is_empty() {
        file["fail_if"] = fail_if::values(&report.fails).into();
    }
    let months = report.beside();
    if !months.is_empty() {
        file["months"] = months.iter().map(beside::value).collect();
    }
    cells::write_json(&file, out)
}

fn contrast_value(report: &CompareReport, contrast: &Contrast) -> Value {
    let (unit, scale) = contrast.metric.dimension().unit();
    let against = contrast.against.iter().enumerate().map(|(index, found)| {
        let interval = |i: Interval| {
            let i = i.scaled(scale);
            json!({ "low": nine_digits(i.low), "high": nine_digits(i.high) })
        };
        json!({
            "variant": report.name(index + 1),
            "difference": found.as_ref().map(|found| found.difference.scaled(scale)),
            "ratio": found.as_ref().and_then(|found| found.ratio),
            "unpaired": found.as_ref().and_then(|found| found.unpaired.map(interval)),
            "variance_reduction": found.as_ref().and_then(|f| f.reduction).and_then(nine_digits),
            "call": found.as_ref().map(|found| contrast::call(contrast.metric, found.call())),
        })
    });
    json!({
        "window": contrast.window,
        "measure": contrast.metric.name(),
        "unit": unit,
        "baseline": report.name(0),
        "against": against.collect::<Vec<_>>(),
    })
}

/// A figure of a variant, against that of the first unless it is that.
struct ContrastRow<'a> {
    report: &'a CompareReport<'a>,
    contrast: &'a Contrast,
    variant: usize,
    found: Option<&'a Comparison>,
}

impl ContrastRow<'_> {
    fn unit(&self) -> (&'static str, f64) {
        self.contrast.metric.dimension().unit()
    }
}

/// Writes `comparison.csv`: a row for every variant, window and measure.
fn write_csv(report: &CompareReport, out: &mut dyn Write) -> Result<()> {
    let columns: [Column<ContrastRow>; 14] = [
        (&["variant"], |it| it.report.name(it.variant).into()),
        (&["window"], |it| (&it.contrast.window).into()),
        (&["measure"], |it| it.contrast.metric.name().into()),
        (&["unit"], |it| it.unit().0.into()),
        (&["point", "low", "high"], |it| Cell::Figure(it.contrast.figures[it.variant])),
        (&["n"], |it| it.contrast.figures[it.variant].map(|figure| figure.n).into()),
        (&["baseline"], |it| it.report.name(0).into()),
        (&["pairs"], |it| it.found.map(|found| found.difference.n).into()),
        (&["difference", "difference_low", "difference_high"], |it| {
            Cell::Estimate(it.found.map(|found| found.difference.scaled(it.unit().1)))
        }),
        (&["ratio", "ratio_low", "ratio_high"], |it| {
            Cell::Estimate(it.found.and_then(|found| found.ratio))
        }),
        (&["call"], |it| {
            it.found.map(|found| contrast::call(it.contrast.metric, found.call())).into()
        }),
        (&["unpaired_low", "unpaired_high"], |it| {
            let unpaired = it.found.and_then(|found| found.unpaired);
            Cell::Interval(unpaired.map(|interval| interval.scaled(it.unit().1)))
        }),
        (&["variance_reduction"], |it| it.found.and_then(|found| found.reduction).into()),
        (&["times_narrower"], |it| it.found.and_then(|found| found.narrower).into()),
    ];
    let rows = report.contrasts.iter().flat_map(|contrast| {
        let first = ContrastRow { report, contrast, variant: 0, found: None };
        let others = contrast.against.iter().enumerate();
        let others = others.map(move |(index, found)| ContrastRow {
            report,
            contrast,
            variant: index + 1,
            found: found.as_ref(),
        });
        [first].into_iter().chain(others)
    });
    write_columns(out, &columns, rows)
}
