//! The files of a sweep.

use std::io::{Result, Write};

use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::engine::ENGINE;
use crate::quantity;
use crate::report::caveats::caveat::Caveat;
use crate::report::fail_if::judged as fail_if;
use crate::report::files::staging::{FilesError, Staging};
use crate::report::format::cells;
use crate::report::format::page::overall;
use crate::report::format::table::{self, Cell};
use crate::report::manifest::VERSION;
use crate::report::run::json;
use crate::report::sweep::report::{Row, SweepReport};
use crate::study::variation::Axis;

/// The schema of `sweep.json`.
const SCHEMA: &str = "brownout/sweep/2";
/// Columns of `sweep.csv` after those of the settings that vary.
const COLUMNS: [&str; 9] =
    ["replications", "settled", "window", "measure", "unit", "point", "low", "high", "verdict"];

/// Writes every table.
///
/// # Errors
/// Those of the file system.
pub fn write_tables(
    report: &SweepReport,
    staging: &mut Staging,
) -> std::result::Result<(), FilesError> {
    staging.add("sweep.csv", |out| write_csv(report, out))
}

/// `sweep.json`. The keys are in the order of the alphabet, as everywhere.
#[derive(Serialize)]
struct SweepFile<'a> {
    axes: Vec<Value>,
    cells: CellValues<'a>,
    cells_asked: usize,
    engine: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fail_if: Vec<Value>,
    interrupted: bool,
    looks: usize,
    scenario: Value,
    schema: &'static str,
    seed: u64,
    version: &'static str,
}

/// What came of every cell; each is written before the next is made, for there may be very many.
struct CellValues<'a>(&'a SweepReport<'a>);

impl Serialize for CellValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let report = self.0;
        let mut cells = serializer.serialize_seq(Some(report.rows.len()))?;
        for row in &report.rows {
            cells.serialize_element(&cell_value(report, row).map_err(S::Error::custom)?)?;
        }
        cells.end()
    }
}

/// Writes `sweep.json`: the settings, and what came of every cell.
///
/// # Errors
/// Those of the writer.
pub fn write_json(report: &SweepReport, out: &mut dyn Write) -> Result<()> {
    let first = &report.grid.first;
    let axes = report.axes.iter();
    let axes = axes.map(|axis| json!({ "path": axis.path, "values": axis.values }));
    let file = SweepFile {
        axes: axes.collect(),
        cells: CellValues(report),
        cells_asked: report.grid.cells.len(),
        engine: ENGINE,
        fail_if: fail_if::values(report.fails.judged()),
        interrupted: report.is_interrupted(),
        looks: report.looks(),
        scenario: json!({
            "name": first.name,
            "question": first.question,
            "digest": cells::text_digest(&first.text),
        }),
        schema: SCHEMA,
        seed: first.plan.run.seed,
        version: VERSION,
    };
    cells::write_json(&file, out)
}

fn cell_value(report: &SweepReport, row: &Row) -> Result<Value> {
    let settings = report.axes.iter().zip(report.values(row.cell));
    let settings = settings.map(|(axis, value)| (axis.path.clone(), json!(value)));
    let windows = (0..row.windows.len()).map(|index| window_value(row, index));
    Ok(json!({
        "name": report.name(row.cell),
        "settings": settings.collect::<Map<_, _>>(),
        "set": report.grid.cells[row.cell].changes,
        "replications": row.replications,
        "settled": row.is_settled(),
        "unsettled_by": row.unsettled.iter().map(Caveat::key).collect::<Vec<_>>(),
        "verdict": overall(row.overall),
        "objectives": json::objectives(&row.windows, &row.judgements)?,
        "windows": windows.collect::<Vec<_>>(),
    }))
}

fn window_value(row: &Row, window: usize) -> Value {
    let figures = row.measures(window).map(|metric| {
        let (unit, _) = metric.dimension().unit();
        json!({ "measure": metric.name(), "unit": unit, "figure": row.get(window, metric) })
    });
    json!({
        "label": row.windows[window].label,
        "latency_samples": row.windows[window].samples,
        "figures": figures.collect::<Vec<_>>(),
    })
}

/// Reads a value as a number.
type ReadNumber = fn(&str) -> Option<f64>;

/// A setting as numbers: the name of the column, with the unit, and how a value is read.
type NumberColumn = (String, ReadNumber);

/// The columns of settings that are quantities, as numbers.
fn number_columns(axes: &[Axis]) -> Vec<Option<NumberColumn>> {
    const UNITS: [(&str, ReadNumber); 3] = [
        ("per_s", |text| Some(quantity::rate(text).ok()?.0)),
        ("s", |text| Some(quantity::span(text).ok()?.as_secs())),
        ("share", |text| Some(quantity::share(text).ok()?.0)),
    ];
    let of = |axis: &Axis| {
        let (unit, read) = UNITS.into_iter().find(|(_, read)| {
            let is_one = |text: &String| read(text).is_some() && text.parse::<f64>().is_err();
            axis.values.iter().all(is_one)
        })?;
        Some((format!("{}_{unit}", axis.path), read))
    };
    axes.iter().map(of).collect()
}

/// Writes `sweep.csv`: a row for every cell, window and measure. A setting that is a rate, a
/// duration or a share is written as the file has it, and as a number.
fn write_csv(report: &SweepReport, out: &mut dyn Write) -> Result<()> {
    let numbers = number_columns(&report.axes);
    let names = numbers.iter().flatten().map(|(name, _)| name.as_str());
    let header = report.axes.iter().map(|axis| axis.path.as_str()).chain(names).chain(COLUMNS);
    let numbers = &numbers;
    let rows = report.rows.iter().flat_map(|row| {
        let windows = row.windows.iter().enumerate();
        windows.flat_map(move |(index, window)| {
            row.measures(index).map(move |metric| {
                let values = report.values(row.cell);
                let mut cells: Vec<Cell> = values.iter().copied().map(Cell::from).collect();
                let number = |(column, text): (&Option<NumberColumn>, &&str)| {
                    column.as_ref().map(|(_, read)| Cell::from(read(text)))
                };
                cells.extend(numbers.iter().zip(&values).filter_map(number));
                cells.extend([row.replications.into(), row.is_settled().into()]);
                cells.extend([(&window.label).into(), metric.name().into()]);
                cells.extend([metric.dimension().unit().0.into()]);
                cells.extend([Cell::Figure(row.get(index, metric).copied())]);
                cells.extend([Cell::from(overall(row.overall))]);
                cells
            })
        })
    });
    table::write_csv(out, header, rows)
}
