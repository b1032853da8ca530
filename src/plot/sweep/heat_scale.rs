//! From values of a heat map to its colours.

use super::heatmap_cells::{HeatmapCell, HeatmapInput, value};
use crate::plot::canvas::ramp;
use crate::plot::layout::ends;

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
