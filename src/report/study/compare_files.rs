//! The files of a comparison.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::compare::{CompareReport, render};
use super::contrast;
use super::manifest::{StudyManifest, digests};
use crate::metric::nine_digits;
use crate::report::cells::{self, number, numbers, optional};
use crate::report::files::{FilesError, MARK, Staging};
use crate::report::manifest::VERSION;
use crate::report::{Report, json};
use crate::stats::Interval;
use crate::stats::paired::Comparison;
use crate::study::compare::Contrast;
use crate::study::cost::tier;

/// The schema of `comparison.json`.
const SCHEMA: &str = "brownout/comparison/1";
/// Columns of `comparison.csv`.
const COLUMNS: [&str; 21] = [
    "variant",
    "window",
    "measure",
    "unit",
    "point",
    "low",
    "high",
    "n",
    "baseline",
    "pairs",
    "difference",
    "difference_low",
    "difference_high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "call",
    "unpaired_low",
    "unpaired_high",
    "variance_reduction",
    "times_narrower",
];

/// Writes every file but the charts.
///
/// # Errors
/// Those of the file system.
pub fn write_all(
    report: &CompareReport,
    staging: &mut Staging,
) -> std::result::Result<(), FilesError> {
    let text = render(report, None, false);
    staging.add("report.txt", |out| out.write_all(text.as_bytes()))?;
    staging.add("comparison.json", |out| write_json(report, out))?;
    staging.add("comparison.csv", |out| write_csv(report, out))?;
    let digests: Vec<Vec<String>> = report.runs.iter().map(digests).collect();
    let runs: Vec<_> = (report.variants.iter().zip(&digests))
        .map(|(variant, digests)| (variant.name.as_str(), &variant.scenario, &digests[..]))
        .collect();
    let asked = report.runs.first().map(|run| run.asked);
    let choices = json!({ "replications": asked, "prices": report.prices.given() });
    let manifest = StudyManifest::new("compare", choices, report.is_interrupted(), &runs);
    staging.add(MARK, |out| manifest.write(out))
}

/// Writes `comparison.json`: the summary of every variant, and the differences.
///
/// # Errors
/// Those of the writer.
pub fn write_json(report: &CompareReport, out: &mut dyn Write) -> Result<()> {
    let variant = |(index, one): (usize, &Report)| {
        let cost = report.prices.of(tier(one.scenario).as_deref());
        Ok(json!({
            "name": report.name(index),
            "cost": cost.amount,
            "cost_words": cost.words,
            "summary": json::value(one)?,
        }))
    };
    let variants = report.reports.iter().enumerate().map(variant);
    let file = json!({
        "schema": SCHEMA,
        "version": VERSION,
        "cost_unit": report.prices.unit(),
        "interrupted": report.is_interrupted(),
        "variants": variants.collect::<Result<Vec<Value>>>()?,
        "contrasts": report.contrasts.iter().map(|c| contrast_value(report, c)).collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &file)?;
    out.write_all(b"\n")
}

fn contrast_value(report: &CompareReport, contrast: &Contrast) -> Value {
    let against = contrast.against.iter().enumerate().map(|(index, found)| {
        let interval =
            |i: Interval| json!({ "low": nine_digits(i.low), "high": nine_digits(i.high) });
        json!({
            "variant": report.name(index + 1),
            "difference": found.as_ref().map(|found| found.difference),
            "ratio": found.as_ref().and_then(|found| found.ratio),
            "unpaired": found.as_ref().and_then(|found| found.unpaired.map(interval)),
            "variance_reduction": found.as_ref().and_then(|f| f.reduction).and_then(nine_digits),
            "call": found.as_ref().map(|found| contrast::call(contrast.metric, found.call())),
        })
    });
    json!({
        "window": contrast.window,
        "measure": contrast.metric.name(),
        "unit": contrast.metric.dimension().key(),
        "baseline": report.name(0),
        "against": against.collect::<Vec<_>>(),
    })
}

/// Writes `comparison.csv`: a row for every variant, window and measure.
///
/// # Errors
/// Those of the writer.
pub fn write_csv(report: &CompareReport, out: &mut dyn Write) -> Result<()> {
    let mut rows = cells::rows(out);
    rows.write_record(COLUMNS)?;
    for contrast in &report.contrasts {
        rows.write_record(row(report, contrast, 0, None))?;
        for (index, found) in contrast.against.iter().enumerate() {
            rows.write_record(row(report, contrast, index + 1, found.as_ref()))?;
        }
    }
    rows.flush()
}

fn row(
    report: &CompareReport,
    contrast: &Contrast,
    variant: usize,
    found: Option<&Comparison>,
) -> Vec<String> {
    let figure = contrast.figures[variant].as_ref();
    let unit = contrast.metric.dimension().key();
    let mut row = vec![report.name(variant).to_owned(), contrast.window.clone()];
    row.extend([contrast.metric.name().into_owned(), unit.to_owned()]);
    row.extend(numbers(figure.map(|figure| &**figure)));
    row.push(optional(figure, |figure| figure.n.to_string()));
    row.push(report.name(0).to_owned());
    row.push(optional(found, |found| found.difference.n.to_string()));
    row.extend(numbers(found.map(|found| &found.difference)));
    row.extend(numbers(found.and_then(|found| found.ratio.as_ref())));
    row.push(optional(found, |found| contrast::call(contrast.metric, found.call()).to_owned()));
    let unpaired = found.and_then(|found| found.unpaired);
    row.extend([optional(unpaired, |i| number(i.low)), optional(unpaired, |i| number(i.high))]);
    row.push(optional(found.and_then(|found| found.reduction), number));
    row.push(optional(found.and_then(Comparison::narrower), number));
    row
}
