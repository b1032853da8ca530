//! A swept setting as a ladder of numbers: its steps in order, for each choice of the others.

use std::collections::BTreeMap;

use crate::quantity;
use crate::report::format::words::grouped;
use crate::report::sweep::report::{Row, SweepReport};
use crate::study::variation::Axis;

/// The setting that is the load.
pub(crate) const LOAD: &str = "traffic.rate";

/// The values of a setting as numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    /// By the index of the value.
    pub(crate) values: Vec<f64>,
    /// Their unit; empty if they have none.
    pub(crate) unit: String,
    /// Whether they are requests per second offered.
    pub(crate) is_load: bool,
}

/// The rows of cells that differ in one setting alone.
#[derive(Clone, Debug)]
pub(crate) struct Ladder<'r> {
    /// The other settings with their values; empty if there are none.
    pub(crate) name: String,
    /// Value of the setting, and what came of it; from the least value on.
    pub(crate) steps: Vec<(f64, &'r Row)>,
}

impl Scale {
    /// The values of a setting, if they are numbers in one unit.
    pub(crate) fn of(axis: &Axis) -> Option<Scale> {
        if axis.path == LOAD {
            let values = read_all(axis, |text| Some(quantity::rate(text).ok()?.0))?;
            return Some(Scale { values, unit: "requests/s".to_owned(), is_load: true });
        }
        let spans = || read_all(axis, |text| Some(quantity::span(text).ok()?.as_secs()));
        let (values, unit) = axis.numbers().or_else(|| Some((spans()?, "s".to_owned())))?;
        Some(Scale { values, unit, is_load: false })
    }

    /// A value in words: `1,025/s`.
    pub(crate) fn show(&self, value: f64) -> String {
        let unit = if self.is_load { "/s" } else { &self.unit };
        format!("{}{unit}", self.bare(value))
    }

    /// A value without its unit.
    pub(crate) fn bare(&self, value: f64) -> String {
        let text = value.to_string();
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        grouped(value, decimals)
    }
}

/// What all values of a setting read as.
fn read_all(axis: &Axis, read: fn(&str) -> Option<f64>) -> Option<Vec<f64>> {
    axis.values.iter().map(|value| read(value.trim_matches(['"', '\'']))).collect()
}

/// The ladders of the setting at this index of those that vary.
pub(crate) fn ladders<'r>(
    report: &'r SweepReport<'_>,
    axis: usize,
    scale: &Scale,
) -> Vec<Ladder<'r>> {
    let mut all: BTreeMap<Vec<usize>, Ladder> = BTreeMap::new();
    for row in &report.rows {
        let mut others = report.place(row.cell);
        let value = scale.values[others.remove(axis)];
        let name = || name(report, axis, row.cell);
        let ladder =
            all.entry(others).or_insert_with(|| Ladder { name: name(), steps: Vec::new() });
        ladder.steps.push((value, row));
    }
    let sorted = |mut ladder: Ladder<'r>| {
        ladder.steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        ladder
    };
    all.into_values().map(sorted).collect()
}

fn name(report: &SweepReport, axis: usize, cell: usize) -> String {
    let settings = report.axes.iter().zip(report.values(cell)).enumerate();
    let others = settings.filter(|(index, _)| *index != axis);
    let others = others.map(|(_, (axis, value))| format!("{}={value}", axis.path));
    others.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sweep::report::sample::{axes, cells, report};

    #[test]
    fn loads_are_rates_whatever_their_unit() {
        let scale = |text: &str| Scale::of(&Axis::read(text).unwrap());
        let load = scale("traffic.rate=6000/min,1.5k/s").unwrap();
        assert_eq!((&load.values[..], load.is_load), (&[100.0, 1500.0][..], true));
        assert_eq!((load.show(1500.0), load.show(0.25)), ("1,500/s".into(), "0.25/s".into()));
        let boot = scale("startup.boot=1s,20s").unwrap();
        assert_eq!((boot.show(20.0), boot.is_load), ("20s".to_owned(), false));
        assert_eq!(scale("startup.boot=500ms,1m").unwrap().values, [0.5, 60.0]);
        assert_eq!(scale("gateway.tier=small,large"), None);
        assert_eq!(scale("traffic.rate=fast,slow"), None);
    }

    #[test]
    fn each_choice_of_the_others_has_its_ladder_from_the_least_value_on() {
        let axes = axes(&["a.z=p,q", "traffic.rate=30/s,10/s,20/s"]);
        let cells = cells(&axes);
        let report = report(&axes, &cells, &[Some(100.0); 5]);
        let scale = Scale::of(&axes[1]).unwrap();
        let found = ladders(&report, 1, &scale);
        let steps = |ladder: &Ladder| -> Vec<(f64, usize)> {
            ladder.steps.iter().map(|(x, row)| (*x, row.cell)).collect()
        };
        assert_eq!(found[0].name, "a.z=p");
        assert_eq!(steps(&found[0]), [(10.0, 1), (20.0, 2), (30.0, 0)]);
        assert_eq!(steps(&found[1]), [(10.0, 4), (30.0, 3)]);
    }
}
