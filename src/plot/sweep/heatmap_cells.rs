//! What a heat map shows: its cells, their colours, and the whole in words.

use crate::plot::canvas::ramp;
use crate::plot::layout::{ends, short};
use crate::verdict::Overall;

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
    /// Whether the objectives are met: a cross if not, a question mark if it cannot be told.
    pub verdict: Overall,
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
        count(Overall::Met),
        cells.len(),
        count(Overall::Missed),
    )
}

fn cell_words(cell: &HeatmapCell) -> String {
    let verdict = match cell.verdict {
        Overall::Met => ", objectives met",
        Overall::Missed => ", objective missed",
        Overall::Undecided => ", undecided",
        Overall::NoObjectives => "",
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

/// What the colours range over.
pub(crate) struct HeatScale {
    low: f64,
    high: f64,
    log: bool,
}

impl HeatScale {
    /// HeatScale from the least to the greatest value that can be shown.
    pub(crate) fn of(input: &HeatmapInput) -> Self {
        let shown = |value: &f64| !input.log || *value > 0.0;
        let values = input.cells.iter().filter_map(value).filter(shown);
        let (low, high) = ends(values).unwrap_or((f64::MAX, f64::MIN));
        HeatScale { low, high, log: input.log }
    }

    /// How far between the least and the greatest value.
    fn share(&self, value: f64) -> f64 {
        match (self.low < self.high, self.log) {
            (false, _) => 0.5,
            (true, true) if value <= self.low => 0.0,
            (true, true) => (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln()),
            (true, false) => (value - self.low) / (self.high - self.low),
        }
    }

    /// The level of a value in a heat map.
    pub(crate) fn level(&self, value: f64) -> u8 {
        ramp::level(self.share(value))
    }

    /// Cells to name at the bar: those with the least and the greatest value, and some between that
    /// are far enough apart.
    pub(crate) fn named<'a>(&self, input: &'a HeatmapInput, length: f64) -> Vec<(f64, &'a str)> {
        let known = |cell: &'a HeatmapCell| {
            let shown = value(cell).filter(|value| !input.log || *value > 0.0)?;
            Some((self.share(shown), cell.text.as_str()))
        };
        let known: Vec<(f64, &str)> = input.cells.iter().filter_map(known).collect();
        let mut named: Vec<(f64, &str)> = Vec::new();
        for wanted in [0.0, 1.0, 0.5, 0.25, 0.75] {
            let off = |entry: &(f64, &str)| (entry.0 - wanted).abs();
            let nearest = known.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
            let apart = |entry: &&(f64, &str)| {
                named.iter().all(|other| (other.0 - entry.0).abs() * length >= 22.0)
            };
            named.extend(nearest.filter(apart));
        }
        named
    }
}
