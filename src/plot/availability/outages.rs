//! How often outages come back that last so long or longer.

use crate::plot::canvas::{Figure, Role, WIDTH};
use crate::plot::layout::{AxisScale, Frame, PlotAxis, SeriesPoint, lines};

/// What the chart of outages shows.
#[derive(Clone, Debug)]
pub struct OutagesInput<'a> {
    /// The finding.
    pub title: &'a str,
    /// What counts as an outage.
    pub subtitle: &'a str,
    /// Lengths in seconds, falling, each with how often in a year one comes that is so long or
    /// longer.
    pub outages: Vec<(f64, f64)>,
}

const HEIGHT: f64 = 420.0;
const NAMES: f64 = 140.0;
/// How often in a year, and what to call it.
const OFTEN: [(f64, &str); 7] = [
    (365.25, "once a day"),
    (52.0, "once a week"),
    (12.0, "once a month"),
    (1.0, "once a year"),
    (0.1, "once in 10 years"),
    (0.01, "once in 100 years"),
    (0.001, "once in 1,000 years"),
];

/// Lays out the chart of outages.
pub fn outages(input: &OutagesInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.height = HEIGHT;
    let seen: Vec<(f64, f64)> = input
        .outages
        .iter()
        .copied()
        .filter(|(length, rate)| *length > 0.0 && *rate > 0.0)
        .collect();
    let lengths = seen.iter().map(|(length, _)| *length);
    let x = PlotAxis::latencies(lengths, 1.1, 8);
    let rates = || seen.iter().map(|(_, rate)| *rate);
    let (low, high) = (rates().fold(1.0, f64::min), rates().fold(1.0, f64::max));
    let bound = |inside: fn(f64, f64) -> bool, value: f64| {
        OFTEN.iter().map(|(often, _)| *often).find(|often| inside(*often, value))
    };
    let low = bound(|often, low| often <= low, low).unwrap_or(0.001).max(0.001);
    let high = OFTEN.iter().rev().map(|(often, _)| *often).find(|often| *often >= high);
    let high = high.unwrap_or(365.25).max(low * 10.0);
    let ticks = OFTEN.iter().filter(|(often, _)| (low..=high).contains(often));
    let ticks = ticks.map(|(often, name)| (*often, (*name).to_owned())).collect();
    let y = PlotAxis { low, high, scale: AxisScale::Log, ticks };
    let (left, right) = (NAMES, WIDTH - 40.0);
    let frame = Frame { left, right, top: head + 12.0, bottom: HEIGHT - 52.0, x, y };
    frame.draw_levels(&mut figure);
    frame.draw_foot(&mut figure, "an outage that lasts so long or longer");
    let points: Vec<SeriesPoint> =
        seen.iter().rev().map(|(length, rate)| (*length, Some(rate.clamp(low, high)))).collect();
    let first = points.first().map(|(_, rate)| (frame.x.low, *rate));
    let points: Vec<SeriesPoint> = first.into_iter().chain(points).collect();
    figure.lines(lines::path(&frame, &points), Role::Failure, 2.0);
    if seen.is_empty() {
        frame.draw_remark(&mut figure, "no outage was seen");
    }
    figure.alt = format!("{}. ", input.subtitle);
    for (often, name) in OFTEN {
        if let Some((length, _)) = seen.iter().find(|(_, rate)| *rate >= often) {
            figure.alt += &format!("{name}: {length:.0} s or longer. ");
        }
    }
    figure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::tests::{assert_tells, count, lines as drawn};

    #[test]
    fn longer_outages_come_more_seldom() {
        let outages = vec![(600.0, 0.05), (120.0, 0.5), (30.0, 8.0)];
        let figure = super::outages(&OutagesInput { title: "t", subtitle: "s", outages });
        let line = &drawn(&figure, Role::Failure)[0];
        assert!(line.windows(2).all(|ends| ends[0].0 <= ends[1].0 && ends[0].1 <= ends[1].1));
        assert_eq!(count(&figure, "once a year"), 1);
        assert_tells(&figure, &["once a year: 30 s or longer", "once in 10 years: 120 s"]);
        let none = super::outages(&OutagesInput { title: "t", subtitle: "s", outages: Vec::new() });
        assert_eq!(count(&none, "no outage was seen"), 1);
    }
}
