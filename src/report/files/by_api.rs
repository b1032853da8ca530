//! The columns that a table has for each API, where there are several.

use crate::report::format::cells;
use crate::report::format::table::Cell;
use crate::units::Span;

/// They are called as those of all requests, after the name of the API and a point.
const COLUMNS: [&str; 6] = ["offered", "served", "failed", "rejected", "p50_ms", "p99_ms"];

/// The columns of APIs, one after the other, each with some `further` ones.
pub(super) fn columns<'a>(apis: impl Iterator<Item = &'a str>, further: &[&str]) -> Vec<String> {
    let of = |api: &str| -> Vec<String> {
        COLUMNS.iter().chain(further).map(|column| format!("{api}.{column}")).collect()
    };
    apis.flat_map(of).collect()
}

/// What stands in those of one: requests sent, served, failed and rejected, and two percentiles.
pub(super) fn row(counts: [u64; 4], percentiles: [Option<Span>; 2]) -> impl Iterator<Item = Cell> {
    let millis = |span: Option<Span>| Cell::from(span.map(cells::millis));
    counts.map(Cell::from).into_iter().chain(percentiles.map(millis))
}
