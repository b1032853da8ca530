//! How the share of failed requests scatters over months and years, beside the error budget.

use crate::plot::canvas::{Figure, LEFT, Role, WIDTH};
use crate::plot::layout::{Frame, LegendEntry, PlotAxis, SeriesPoint, Swatch, lines};

/// What the chart of months shows.
#[derive(Clone, Debug)]
pub struct MonthsInput<'a> {
    /// The finding.
    pub title: &'a str,
    /// How they were drawn.
    pub subtitle: &'a str,
    /// Shares of failed requests in months, sorted.
    pub months: &'a [f64],
    /// The same of years.
    pub years: &'a [f64],
    /// The share that may fail, and what to call it.
    pub budget: Option<(f64, String)>,
}

const HEIGHT: f64 = 420.0;
const KEYS: f64 = 190.0;
/// Points of a line.
const POINTS: usize = 400;

/// Lays out the chart of months.
pub fn months(input: &MonthsInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.height = HEIGHT;
    let budget = input.budget.as_ref().map(|(share, _)| *share);
    let at = |values: &[f64], share: f64| {
        let index = (share * values.len() as f64) as usize;
        values.get(index.min(values.len().saturating_sub(1))).copied()
    };
    // The worst month in a thousand would leave the rest no room.
    let most = at(input.months, 0.995).into_iter().chain(budget).fold(0.0, f64::max);
    let (x, y) = (PlotAxis::percent(), PlotAxis::share(most * 1.08, 6));
    let (left, right) = (LEFT + 10.0, WIDTH - KEYS);
    let frame = Frame { left, right, top: head + 22.0, bottom: HEIGHT - 52.0, x, y };
    frame.draw_levels(&mut figure);
    frame.draw_foot(&mut figure, "share of the months, or years, in which no more fails");
    figure.label((frame.left, frame.top - 10.0), "requests that fail", Role::Text);
    let mut keys = Vec::new();
    for (values, role, name) in
        [(input.months, Role::Blue, "months"), (input.years, Role::Median, "years")]
    {
        let shares = (0..=POINTS).map(|point| point as f64 / POINTS as f64);
        let points = shares.map(|share| (share, at(values, share)));
        let points: Vec<SeriesPoint> =
            points.map(|(share, value)| (share, value.filter(|it| *it <= frame.y.high))).collect();
        figure.lines(lines::path(&frame, &points), role, 2.0);
        let end = points.iter().rev().find_map(|(_, value)| *value).unwrap_or(0.0);
        keys.push(LegendEntry {
            y: frame.down(end),
            role,
            sign: Swatch::Line(2.0),
            text: name.to_owned(),
        });
        let middle = at(values, 0.5).unwrap_or(0.0);
        figure.alt += &format!("Half of the {name} have {:.5} % or less failing. ", middle * 100.0);
    }
    if let Some((share, name)) = &input.budget {
        let y = frame.down(*share);
        figure.dashes((frame.left, y), (frame.right, y), Role::Text, 1.2);
        let (role, sign, text) = (Role::Text, Swatch::Dashes, name.clone());
        keys.push(LegendEntry { y, role, sign, text });
        figure.alt += &format!("The error budget is {:.5} %. ", share * 100.0);
    }
    frame.draw_keys(&mut figure, &keys);
    figure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::tests::{assert_tells, count, lines as drawn};

    #[test]
    fn months_rise_to_the_worst_and_the_budget_is_a_level() {
        let months: Vec<f64> = (0..1_000).map(|n| f64::from(n) * 1e-6).collect();
        let years = vec![0.000_5; 100];
        let budget = Some((0.000_5, "error budget".to_owned()));
        let input =
            MonthsInput { title: "t", subtitle: "s", months: &months, years: &years, budget };
        let figure = super::months(&input);
        let line = &drawn(&figure, Role::Blue)[0];
        assert!(line.first().unwrap().1 > line.last().unwrap().1, "it rises");
        let level = drawn(&figure, Role::Median)[0][0].1;
        let dash = drawn(&figure, Role::Text)[0][0].1;
        assert!((level - dash).abs() < 1e-6, "{level} {dash}");
        assert_eq!((count(&figure, "months"), count(&figure, "error budget")), (1, 1));
        assert_tells(&figure, &["Half of the months have 0.05000 %", "budget is 0.05000 %"]);
    }
}
