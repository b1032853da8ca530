//! The one table: cells in rows, written for people or for programs.

use std::io::{Result, Write};

use super::cells;
use super::words::shown;
use crate::metric::Statistic;
use crate::stats::{Estimate, Interval};
use crate::units::{Instant, Span};

/// The widest line of a text.
pub(crate) const WIDTH: usize = 100;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Words.
    Text(String),
    /// A figure with its kind. In files it takes three cells: point, low and high.
    Figure(Option<Statistic>),
    /// An estimate without a kind, such as a difference; in files it takes three cells.
    Estimate(Option<Estimate>),
    /// An interval without a point; in files it takes two cells.
    Interval(Option<Interval>),
}

impl Cell {
    /// As people read it.
    fn words(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Figure(figure) => shown(figure.as_ref()),
            Cell::Estimate(estimate) => cells::numbers(estimate.as_ref())[0].clone(),
            Cell::Interval(interval) => cells::ends(*interval).join("–"),
        }
    }

    /// As files have it.
    fn write(&self, out: &mut csv::Writer<&mut dyn Write>) -> csv::Result<()> {
        let mut fields = |fields: &[String]| fields.iter().try_for_each(|f| out.write_field(f));
        match self {
            Cell::Text(text) => out.write_field(text),
            Cell::Figure(figure) => {
                fields(&cells::numbers(figure.map(Statistic::in_files).as_ref()))
            }
            Cell::Estimate(estimate) => fields(&cells::numbers(estimate.as_ref())),
            Cell::Interval(interval) => fields(&cells::ends(*interval)),
        }
    }
}

/// Rows of cells for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// Whether columns after the first are aligned to the right.
    right: bool,
}

impl Table {
    /// A table whose columns after the first are numbers: aligned to the right.
    pub(crate) fn of_numbers() -> Table {
        Table { rows: Vec::new(), right: true }
    }

    /// Adds a row.
    pub(crate) fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(|cell| cell.into().words()).collect());
    }

    /// The same, as one expression.
    pub(crate) fn with<C: Into<Cell>>(mut self, cells: impl IntoIterator<Item = C>) -> Table {
        self.row(cells);
        self
    }

    /// The rows as people read them.
    pub(crate) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Whether columns after the first are numbers.
    pub(crate) fn is_of_numbers(&self) -> bool {
        self.right
    }

    /// The table as lines with aligned columns.
    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                // Formatting pads to 65,535 characters at most.
                let blanks = " ".repeat(width - cell.chars().count());
                match self.right && column > 0 {
                    true => format!("{blanks}{cell}"),
                    false => format!("{cell}{blanks}"),
                }
            });
            format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned() + "\n"
        };
        self.rows.iter().map(line).collect()
    }
}

/// Whether no line of a text is too wide.
pub(crate) fn fits(text: &str) -> bool {
    text.lines().all(|line| line.chars().count() <= WIDTH)
}

/// Writes a header and rows as comma-separated values that end in one line feed.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write_csv<H: AsRef<[u8]>, C: Into<Cell>>(
    out: &mut dyn Write,
    header: impl IntoIterator<Item = H>,
    rows: impl IntoIterator<Item = impl IntoIterator<Item = C>>,
) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(header)?;
    for row in rows {
        for cell in row {
            cell.into().write(&mut writer)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}

/// Columns of a file: their names, of which a figure has three, and the cell of a row.
pub(crate) type Column<R> = (&'static [&'static str], fn(&R) -> Cell);

/// Writes rows by their columns.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write_columns<R>(
    out: &mut dyn Write,
    columns: &[Column<R>],
    rows: impl IntoIterator<Item = R>,
) -> Result<()> {
    let header = columns.iter().flat_map(|(names, _)| *names);
    let row = |row: R| columns.iter().map(|(_, cell)| cell(&row)).collect::<Vec<_>>();
    write_csv(out, header, rows.into_iter().map(row))
}

/// Makes cells of what is written as it is.
macro_rules! plain {
    ($($of:ty),+) => {$(
        impl From<$of> for Cell {
            fn from(value: $of) -> Cell {
                Cell::Text(value.to_string())
            }
        }
    )+};
}

plain!(&str, &String, u64, usize, bool, std::borrow::Cow<'static, str>);

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

/// A number with nine digits.
impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Text(cells::number(value))
    }
}

/// In seconds, exactly.
impl From<Span> for Cell {
    fn from(span: Span) -> Cell {
        Cell::Text(cells::secs(span))
    }
}

/// In seconds, exactly.
impl From<Instant> for Cell {
    fn from(at: Instant) -> Cell {
        Cell::Text(cells::time(at))
    }
}

/// Empty where there is nothing.
impl<T> From<Option<T>> for Cell
where
    Cell: From<T>,
{
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Text(String::new()), Cell::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Dimension;

    #[test]
    fn a_cell_may_be_of_any_width() {
        let wide = "é".repeat(70_000);
        let table = Table::default().with([&*wide, "a"]).with(["b", "c"]);
        let second = format!("  b{}  c\n", " ".repeat(69_999));
        assert_eq!(table.text(), format!("  {wide}  a\n{second}"));
    }

    #[test]
    fn figures_are_words_for_people_and_numbers_for_programs() {
        let interval = Some(Interval { low: 0.04, high: 0.06 });
        let figure = Statistic::new(Dimension::Time, Estimate { point: 0.05, interval, n: 5 });
        let row = || [Cell::from("p99"), Cell::Figure(Some(figure)), Cell::Figure(None)];
        let table = Table::of_numbers().with(["", "one", "two"]).with(row());
        assert_eq!(
            table.text(),
            "                       one  two\n  p99  50.0 ms (40.0–60.0)    –\n"
        );
        let mut out = Vec::new();
        write_csv(&mut out, ["a", "b", "c", "d", "e", "f", "g"], [row()]).unwrap();
        assert_eq!(out, b"a,b,c,d,e,f,g\np99,0.05,0.04,0.06,,,\n");
    }
}
