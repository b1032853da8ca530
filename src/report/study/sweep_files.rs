//! The files of a sweep.

use std::io::{Result, Write};

use serde_json::{Map, Value, json};

use super::manifest::StudyManifest;
use super::sweep::{Row, SweepReport};
use super::sweep_text::render;
use crate::report::cells::{self, numbers};
use crate::report::files::{FilesError, MARK, Staging};
use crate::report::json;
use crate::report::manifest::VERSION;
use crate::study::sweep::Effort;

/// The schema of `sweep.json`.
const SCHEMA: &str = "brownout/sweep/1";
/// Columns of `sweep.csv` after those of the settings that vary.
const COLUMNS: [&str; 9] =
    ["replications", "settled", "window", "measure", "unit", "point", "low", "high", "verdict"];

/// Writes every file but the charts.
///
/// # Errors
/// Those of the file system.
pub fn write_all(
    report: &SweepReport,
    staging: &mut Staging,
) -> std::result::Result<(), FilesError> {
    let text = render(report, None, false);
    staging.add("report.txt", |out| out.write_all(text.as_bytes()))?;
    staging.add("sweep.json", |out| write_json(report, out))?;
    staging.add("sweep.csv", |out| write_csv(report, out))?;
    let scenario = |row: &Row| &report.cells[row.cell].scenario;
    let runs: Vec<_> = (report.rows.iter())
        .map(|row| (report.name(row.cell), scenario(row), &row.digests[..]))
        .collect();
    let choices = choices(report.effort);
    let manifest = StudyManifest::new("sweep", choices, report.is_interrupted(), &runs);
    staging.add(MARK, |out| manifest.write(out))
}

fn choices(effort: Effort) -> Value {
    match effort {
        Effort::Replications(replications) => json!({ "replications": replications }),
        Effort::Precision(precision) => {
            json!({ "precision": precision.relative, "most_replications": precision.most })
        }
    }
}

/// Writes `sweep.json`: the settings, and what came of every cell.
///
/// # Errors
/// Those of the writer.
pub fn write_json(report: &SweepReport, out: &mut dyn Write) -> Result<()> {
    let axes = report.axes.iter();
    let axes = axes.map(|axis| json!({ "path": axis.path, "values": axis.values }));
    let cells = report.rows.iter().map(|row| cell_value(report, row));
    let file = json!({
        "schema": SCHEMA,
        "version": VERSION,
        "scenario": report.cells.first().map(|cell| {
            let scenario = &cell.scenario;
            json!({
                "name": scenario.name,
                "question": scenario.question,
                "digest": cells::text_digest(&scenario.text),
            })
        }),
        "seed": report.cells.first().map(|cell| cell.scenario.plan.run.seed),
        "axes": axes.collect::<Vec<_>>(),
        "cells_asked": report.cells.len(),
        "interrupted": report.is_interrupted(),
        "looks": report.looks(),
        "cells": cells.collect::<Result<Vec<Value>>>()?,
    });
    serde_json::to_writer_pretty(&mut *out, &file)?;
    out.write_all(b"\n")
}

fn cell_value(report: &SweepReport, row: &Row) -> Result<Value> {
    let settings = report.axes.iter().zip(report.values(row.cell));
    let settings = settings.map(|(axis, value)| (axis.path.clone(), json!(value)));
    let windows = (0..row.windows.len()).map(|index| window_value(row, index));
    Ok(json!({
        "name": report.name(row.cell),
        "settings": settings.collect::<Map<_, _>>(),
        "set": report.cells[row.cell].scenario.changes,
        "replications": row.replications,
        "settled": row.is_settled(),
        "unsettled_by": row.unsettled,
        "verdict": json::overall(row.overall),
        "objectives": json::objectives(&row.windows, &row.judgements)?,
        "windows": windows.collect::<Vec<_>>(),
    }))
}

fn window_value(row: &Row, window: usize) -> Value {
    let figures = row.measures(window).map(|metric| {
        let unit = metric.dimension().key();
        json!({ "measure": metric.name(), "unit": unit, "figure": row.get(window, metric) })
    });
    json!({
        "label": row.windows[window].label,
        "latency_samples": row.windows[window].samples,
        "figures": figures.collect::<Vec<_>>(),
    })
}

/// Writes `sweep.csv`: a row for every cell, window and measure.
///
/// # Errors
/// Those of the writer.
pub fn write_csv(report: &SweepReport, out: &mut dyn Write) -> Result<()> {
    let mut rows = cells::rows(out);
    rows.write_record(report.axes.iter().map(|axis| axis.path.as_str()).chain(COLUMNS))?;
    for row in &report.rows {
        let settings: Vec<String> =
            report.values(row.cell).into_iter().map(str::to_owned).collect();
        for (index, window) in row.windows.iter().enumerate() {
            for metric in row.measures(index) {
                let settled = row.is_settled().to_string();
                let mut record = settings.clone();
                record.extend([row.replications.to_string(), settled, window.label.clone()]);
                record.extend([metric.name().into_owned(), metric.dimension().key().to_owned()]);
                record.extend(numbers(row.get(index, metric).map(|figure| &**figure)));
                record.push(json::overall(row.overall).to_owned());
                rows.write_record(record)?;
            }
        }
    }
    rows.flush()
}

#[cfg(test)]
mod tests {
    use super::super::sweep::sample::{axes, cells, report};
    use super::*;

    #[test]
    fn the_csv_has_a_row_for_every_cell_window_and_measure() {
        let axes = axes(&["gateway.replicas=2,3", "traffic.rate=10/s,300/s"]);
        let cells = cells(&axes);
        let mut out = Vec::new();
        let report = report(&axes, &cells, &[50.0, 900.0, 50.0].map(Some));
        write_csv(&report, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        // Three cells; eight measures of the run and seven during the crash.
        assert_eq!(lines.len(), 1 + 3 * (8 + 7));
        assert!(lines[0].starts_with("gateway.replicas,traffic.rate,replications,settled,window"));
        let row = |start: &str| *lines.iter().find(|line| line.starts_with(start)).expect(start);
        assert!(row("2,10/s,5,true,the run,p99,s,0.0").ends_with(",met"));
        assert!(row("2,300/s,5,false,during crash,mean,s,").ends_with(",missed"));
        assert!(lines.iter().all(|line| line.split(',').count() == 11));
    }

    #[test]
    fn the_json_has_the_cells_with_their_settings() {
        let axes = axes(&["traffic.rate=10/s,300/s"]);
        let cells = cells(&axes);
        let mut out = Vec::new();
        write_json(&report(&axes, &cells, &[50.0, 900.0].map(Some)), &mut out).unwrap();
        let json: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&json["schema"], &json["cells_asked"]), (&json!(SCHEMA), &json!(2)));
        let cell = &json["cells"][1];
        assert_eq!(cell["settings"], json!({ "traffic.rate": "300/s" }));
        assert_eq!(cell["unsettled_by"], json!(["overload"]));
        assert_eq!((&cell["verdict"], &cell["settled"]), (&json!("missed"), &json!(false)));
        assert_eq!(cell["objectives"][0]["text"], "p99 < 250ms");
        let p99 = &cell["windows"][0]["figures"][3];
        assert_eq!((&p99["measure"], &p99["figure"]["n"]), (&json!("p99"), &json!(5)));
    }

    #[test]
    fn a_sweep_without_a_complete_cell_still_has_its_files() {
        let axes = axes(&["traffic.rate=10/s,300/s"]);
        let cells = cells(&axes);
        let root = tempfile::tempdir().unwrap();
        let mut staging = Staging::prepare(&root.path().join("sweep-one"), "sweep").unwrap();
        write_all(&report(&axes, &cells, &[]), &mut staging).unwrap();
        let names = staging.publish().unwrap();
        assert_eq!(names, ["report.txt", "sweep.json", "sweep.csv", "manifest.json"]);
        let text = std::fs::read_to_string(root.path().join("sweep-one/manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest["choices"], json!({ "replications": 5 }));
    }
}
