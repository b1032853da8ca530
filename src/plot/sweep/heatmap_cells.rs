//! What a heat map shows, and that in words.

use crate::plot::layout::short;

/// What the heat map shows.
#[derive(Clone, Debug)]
pub struct HeatmapInput<'a> {
    /// The finding or the question.
    pub title: &'a str,
    /// What was simulated, with the number of replications.
    pub subtitle: &'a str,
    /// The setting that is swept across, with its unit.
    pub x_label: &'a str,
    /// Its values, from the left.
    pub x: Vec<String>,
    /// The setting that is swept upwards, with its unit.
    pub y_label: &'a str,
    /// Its values, from the bottom.
    pub y: Vec<String>,
    /// What the cells show, such as "p99 latency".
    pub quantity: &'a str,
    /// The cells: that of `x[i]` and `y[j]` is at `j * x.len() + i`. Missing ones have no data.
    pub cells: Vec<HeatmapCell>,
    /// Whether equal steps of colour are equal factors; what is not above zero then looks like the
    /// least value that is.
    pub log: bool,
}

/// One combination of settings.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatmapCell {
    /// The quantity, in any unit that all cells share; grey if `None` or not finite.
    pub value: Option<f64>,
    /// The quantity in words, such as "41 ms".
    pub text: String,
    /// Whether the objectives are met.
    pub verdict: CellVerdict,
}

/// Whether the objectives are met with a combination of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellVerdict {
    /// All are met.
    Met,
    /// One is missed at least: a cross.
    Missed,
    /// It cannot be told: a question mark.
    Undecided,
    /// There are none.
    None,
}

/// Cells of more than this many are not told one by one.
const MOST_TOLD: usize = 600;

/// The cell of a combination, if there is one.
pub(crate) fn cell<'a>(
    input: &'a HeatmapInput,
    (column, row): (usize, usize),
) -> Option<&'a HeatmapCell> {
    (column < input.x.len()).then(|| input.cells.get(row * input.x.len() + column)).flatten()
}

/// The value of a cell if it has one that can be shown.
pub(crate) fn value(cell: &HeatmapCell) -> Option<f64> {
    cell.value.filter(|value| value.abs() <= 1e300)
}

/// The picture in words.
pub(crate) fn words(input: &HeatmapInput) -> String {
    let (x, y) = (input.x_label, input.y_label);
    let mut text = format!("Heat map of {} by {x} and {y}.", input.quantity);
    for (row, name) in input.y.iter().enumerate() {
        let cells = (0..input.x.len()).map(|column| cell(input, (column, row)));
        let told = match input.x.len() * input.y.len() <= MOST_TOLD {
            true => every_cell(input, cells),
            false => summed_up(cells.flatten().collect()),
        };
        text += &format!(" With {y} {name}: {told}.");
    }
    text
}

fn every_cell<'a>(
    input: &HeatmapInput,
    cells: impl Iterator<Item = Option<&'a HeatmapCell>>,
) -> String {
    let told = |(cell, across): (Option<&HeatmapCell>, &String)| {
        format!("{} at {across}", cell.map_or("no data".to_owned(), cell_words))
    };
    cells.zip(&input.x).map(told).collect::<Vec<_>>().join("; ")
}

/// The range of a row, and how many of its cells have which verdict.
fn summed_up(cells: Vec<&HeatmapCell>) -> String {
    let known = || cells.iter().filter_map(|cell| Some((value(cell)?, *cell)));
    let least = known().min_by(|a, b| a.0.total_cmp(&b.0));
    let most = known().max_by(|a, b| a.0.total_cmp(&b.0));
    let Some((least, most)) = least.zip(most) else { return "no data".to_owned() };
    let count = |verdict| cells.iter().filter(|cell| cell.verdict == verdict).count();
    format!(
        "from {} to {}, objectives met in {} of {} cells, missed in {}",
        value_words(least.1),
        value_words(most.1),
        count(CellVerdict::Met),
        cells.len(),
        count(CellVerdict::Missed),
    )
}

fn cell_words(cell: &HeatmapCell) -> String {
    let verdict = match cell.verdict {
        CellVerdict::Met => ", objectives met",
        CellVerdict::Missed => ", objective missed",
        CellVerdict::Undecided => ", undecided",
        CellVerdict::None => "",
    };
    value_words(cell) + verdict
}

fn value_words(cell: &HeatmapCell) -> String {
    match (value(cell), cell.text.as_str()) {
        (None, "") => "no data".to_owned(),
        (Some(value), "") => short(value),
        (_, text) => text.to_owned(),
    }
}
