//! From values to places: lines with gaps, steps, areas and bands, cut at the frame.

use super::frame::{Frame, LegendEntry, Swatch};
use super::series::{Bucket, SeriesPoint, cells};
use crate::plot::canvas::{Figure, Point, Role};
use crate::units::Span;

/// Opacity of the range around a line of medians.
const RANGE: f64 = 0.4;
/// Columns that share a median.
const COLUMNS: usize = 3;

/// If there are more samples than a line could show one by one: the time that shares a median.
fn cell(frame: &Frame, samples: usize) -> Option<f64> {
    let seconds = (frame.x.high - frame.x.low) / (frame.columns() / COLUMNS).max(1) as f64;
    (samples > frame.columns()).then_some(seconds)
}

/// What lines and shades mean if there are too many values for a line through all of them.
pub(crate) fn ranges(frame: &Frame, samples: usize) -> String {
    let span = |secs: f64| Span::from_secs(if secs > 2.0 { secs.round() } else { secs });
    let words = |secs| format!("; lines: medians of {}, shades: their range", span(secs));
    cell(frame, samples).map(words).unwrap_or_default()
}

fn dense(frame: &Frame, samples: &[SeriesPoint]) -> bool {
    cell(frame, samples.len()).is_some()
}

/// Draws a line through `samples`, or, if these are dense, one through the medians of every few
/// columns, over the range from the least value to the greatest.
pub(crate) fn draw(
    figure: &mut Figure,
    frame: &Frame,
    samples: &[SeriesPoint],
    role: Role,
    width: f64,
) {
    let cells = if dense(frame, samples) { by_columns(frame, samples) } else { Vec::new() };
    for run in cells.split(|cell| cell.range.is_none()).filter(|run| run.len() > 1) {
        let row = |cell: &Bucket| cell.range.map(|(low, high)| (cell.middle, low, high));
        figure.fills(band(frame, &run.iter().filter_map(row).collect::<Vec<_>>()), role, RANGE);
    }
    figure.lines(path(frame, samples), role, width);
}

/// The lines that [`draw`] draws.
pub(crate) fn path(frame: &Frame, samples: &[SeriesPoint]) -> Vec<Vec<Point>> {
    line(frame, &calmed(frame, samples))
}

/// `samples`, or their medians if they are dense.
fn calmed(frame: &Frame, samples: &[SeriesPoint]) -> Vec<SeriesPoint> {
    if !dense(frame, samples) {
        return samples.to_vec();
    }
    by_columns(frame, samples).iter().map(|cell| (cell.middle, cell.median)).collect()
}

/// Cells of a few columns, which reach from the first sample to the last.
fn by_columns(frame: &Frame, samples: &[SeriesPoint]) -> Vec<Bucket> {
    let count = (frame.columns() / COLUMNS).max(1);
    let mut cells = cells(samples, frame.x.low, frame.x.high, count);
    if let ([first, .., last], [start, .., end]) = (&mut cells[..], samples) {
        (first.middle, last.middle) = (start.0, end.0);
    }
    cells
}

/// A line, how it looks and what it is called.
pub(crate) struct NamedLine<'a> {
    samples: &'a [SeriesPoint],
    role: Role,
    width: f64,
    name: &'a str,
}

impl<'a> NamedLine<'a> {
    pub(crate) fn of(samples: &'a [SeriesPoint], role: Role, width: f64, name: &'a str) -> Self {
        NamedLine { samples, role, width, name }
    }

    /// Draws the line, with medians where it is dense; gives its key, at the level of its end.
    pub(crate) fn draw(&self, figure: &mut Figure, frame: &Frame) -> Option<LegendEntry> {
        draw(figure, frame, self.samples, self.role, self.width);
        let level = last_level(self.samples)?;
        Some(self.key(frame, level))
    }

    /// Draws level lines from each value to the next, the last to `end`; gives their key.
    pub(crate) fn draw_steps(
        &self,
        figure: &mut Figure,
        frame: &Frame,
        end: f64,
    ) -> Option<LegendEntry> {
        figure.lines(steps(frame, self.samples, end), self.role, self.width);
        let level = self.samples.iter().rev().find_map(|sample| sample.1)?;
        Some(self.key(frame, level))
    }

    fn key(&self, frame: &Frame, level: f64) -> LegendEntry {
        let (sign, text) = (Swatch::Line(self.width), self.name.to_owned());
        LegendEntry { y: frame.down(level), role: self.role, sign, text }
    }
}

/// The mean of the last few values: where a noisy line ends for the eye.
pub(crate) fn last_level(samples: &[SeriesPoint]) -> Option<f64> {
    let last: Vec<f64> = samples.iter().rev().take(15).filter_map(|sample| sample.1).collect();
    (!last.is_empty()).then(|| last.iter().sum::<f64>() / last.len() as f64)
}

/// Level lines from each sample to the next, the last to `end`.
pub(crate) fn steps(frame: &Frame, samples: &[SeriesPoint], end: f64) -> Vec<Vec<Point>> {
    let mut corners = Vec::with_capacity(2 * samples.len());
    for (index, (start, value)) in samples.iter().enumerate() {
        let stop = samples.get(index + 1).map_or(end, |next| next.0);
        corners.extend([(*start, *value), (stop, *value)]);
    }
    corners.dedup_by(|next, kept| next.0 == kept.0 && next.1 == kept.1);
    line(frame, &corners)
}

/// Polygons between `samples`, or their medians if they are dense, and the foot of the frame.
pub(crate) fn area(frame: &Frame, samples: &[SeriesPoint]) -> Vec<Vec<Point>> {
    down_to(frame, path(frame, samples))
}

/// Lines, each closed along the foot of the frame.
pub(crate) fn down_to(frame: &Frame, mut lines: Vec<Vec<Point>>) -> Vec<Vec<Point>> {
    for line in &mut lines {
        let (first, last) = (line[0].0, line[line.len() - 1].0);
        line.extend([(last, frame.bottom), (first, frame.bottom)]);
    }
    lines
}

/// The polygon between two curves over the same positions.
pub(crate) fn band(frame: &Frame, rows: &[(f64, f64, f64)]) -> Vec<Vec<Point>> {
    let place = |x: f64, y: f64| (frame.across(x), frame.down(y).clamp(frame.top, frame.bottom));
    let lower = rows.iter().map(|row| place(row.0, row.1));
    let upper = rows.iter().rev().map(|row| place(row.0, row.2));
    vec![lower.chain(upper).collect()]
}

/// Lines through `samples`, broken at gaps and at what has no place. What lies outside the frame is
/// cut off exactly. A value between two gaps becomes a short dash.
pub(crate) fn line(frame: &Frame, samples: &[SeriesPoint]) -> Vec<Vec<Point>> {
    let mut runs = vec![Vec::new()];
    for (x, value) in samples {
        let point = value.map(|value| (frame.across(*x), frame.down(value)));
        match point.filter(|point| point.0.is_finite() && point.1.is_finite()) {
            Some(point) => runs.last_mut().expect("never empty").push(point),
            None => runs.push(Vec::new()),
        }
    }
    runs.iter_mut().filter(|run| run.len() == 1).for_each(widen);
    runs.iter().flat_map(|run| clip(run, frame)).collect()
}

fn widen(run: &mut Vec<Point>) {
    let (x, y) = run[0];
    *run = vec![(x - 1.0, y), (x + 1.0, y)];
}

/// The parts of a path inside the frame.
fn clip(run: &[Point], frame: &Frame) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for ends in run.windows(2) {
        let Some((a, b)) = cut(ends[0], ends[1], frame) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&a) => part.push(b),
            _ => parts.push(vec![a, b]),
        }
    }
    parts
}

/// The part of a segment inside the frame (Liang and Barsky 1984).
fn cut(a: Point, b: Point, frame: &Frame) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let sides = [
        (-dx, a.0 - frame.left),
        (dx, frame.right - a.0),
        (-dy, a.1 - frame.top),
        (dy, frame.bottom - a.1),
    ];
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (towards, room) in sides {
        if towards == 0.0 && room < 0.0 {
            return None;
        } else if towards < 0.0 {
            enter = enter.max(room / towards);
        } else if towards > 0.0 {
            leave = leave.min(room / towards);
        }
    }
    let at = |part: f64| match part {
        0.0 => a,
        1.0 => b,
        _ => (a.0 + part * dx, a.1 + part * dy),
    };
    (enter <= leave).then(|| (at(enter), at(leave)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::Primitive;
    use crate::plot::layout::axis::PlotAxis;
    use crate::plot::tests::drawn;
    use proptest::prelude::*;

    /// 100 by 100 pixels for 10 seconds and shares.
    fn frame() -> Frame {
        let (x, y) = (PlotAxis::time(10.0, 5), PlotAxis::percent());
        Frame { left: 0.0, right: 100.0, top: 0.0, bottom: 100.0, x, y }
    }

    #[test]
    fn a_line_breaks_at_gaps_and_at_values_without_a_place() {
        let samples = [
            (0.0, Some(0.5)),
            (1.0, Some(0.5)),
            (2.0, None),
            (3.0, Some(0.5)),
            (4.0, Some(f64::NAN)),
            (5.0, Some(0.1)),
            (6.0, Some(0.1)),
        ];
        let runs = line(&frame(), &samples);
        assert_eq!(runs.len(), 3);
        assert_eq!(runs[1], [(29.0, 50.0), (31.0, 50.0)]);
    }

    #[test]
    fn many_samples_become_their_medians_and_their_range() {
        let value = |i: u32| if i == 777 { 1.0 } else { 0.5 };
        let many: Vec<SeriesPoint> =
            (0..=1_000).map(|i| (f64::from(i) / 100.0, Some(value(i)))).collect();
        let shapes = drawn(|figure| draw(figure, &frame(), &many, Role::Served, 1.0));
        let [Primitive::Fill { points: range, .. }, Primitive::Line { points: line, .. }] =
            &shapes[..]
        else {
            panic!("{shapes:?}");
        };
        assert!(line.iter().all(|point| point.1 == 50.0), "{line:?}");
        assert!(range.iter().any(|point| point.1 == 0.0), "{range:?}");
        assert_eq!((line[0].0, line[line.len() - 1].0), (0.0, 100.0));
    }

    #[test]
    fn what_leaves_the_frame_is_cut_where_it_leaves() {
        let samples = [(0.0, Some(0.0)), (5.0, Some(2.0)), (10.0, Some(0.0))];
        let runs = line(&frame(), &samples);
        assert_eq!(runs, [vec![(0.0, 100.0), (25.0, 0.0)], vec![(75.0, 0.0), (100.0, 100.0)]]);
    }

    #[test]
    fn steps_stay_level_until_the_next_value() {
        let runs = steps(&frame(), &[(0.0, Some(1.0)), (4.0, Some(0.5))], 10.0);
        assert_eq!(runs, [[(0.0, 0.0), (40.0, 0.0), (40.0, 50.0), (100.0, 50.0)]]);
    }

    #[test]
    fn an_area_stands_on_the_foot_of_the_frame() {
        let polygons = area(&frame(), &[(0.0, Some(0.5)), (10.0, Some(1.0))]);
        assert_eq!(polygons, [[(0.0, 50.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]]);
    }

    proptest! {
        #[test]
        fn cut_segments_lie_inside_and_on_the_line(
            a in (-300.0..300.0_f64, -300.0..300.0_f64), b in (-300.0..300.0_f64, -300.0..300.0_f64)
        ) {
            if let Some((from, to)) = cut(a, b, &frame()) {
                for point in [from, to] {
                    prop_assert!((-1e-6..=100.0 + 1e-6).contains(&point.0));
                    prop_assert!((-1e-6..=100.0 + 1e-6).contains(&point.1));
                    let cross = (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0);
                    prop_assert!(cross.abs() < 1e-6);
                }
            }
        }
    }
}
