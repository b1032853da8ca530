//! Curves over a swept setting: lines through measured points, with bands, marks and names.

use super::hockey_input::HockeyPoint;
use crate::plot::canvas::figure::dashes;
use crate::plot::canvas::fonts::shorten;
use crate::plot::canvas::{Anchor, Figure, LABEL, Point, Role, Style};
use crate::plot::layout::{Frame, LabelPlacement, lines as marks, short, spread};

/// A curve with what can be drawn of it.
#[derive(Clone, Debug)]
pub(crate) struct SweptCurve<'a> {
    pub(crate) label: &'a str,
    pub(crate) style: Style,
    /// In order of the setting; values and intervals are finite and have a place on the axis.
    pub(crate) points: Vec<HockeyPoint>,
}

/// Distance between names.
const NAME_GAP: f64 = 15.0;
/// Marks closer than this are not all drawn.
const MARK_GAP: f64 = 8.0;
/// No setting and no value beyond these has a place.
const MOST_X: f64 = 1e12;
const MOST_Y: f64 = 1e9;

impl<'a> SweptCurve<'a> {
    /// A curve of the values of `points` that are not below `least`.
    pub(crate) fn of(label: &'a str, points: &[HockeyPoint], style: Style, least: f64) -> Self {
        let mut points: Vec<HockeyPoint> =
            points.iter().filter(|point| point.x.abs() <= MOST_X).cloned().collect();
        for point in &mut points {
            point.y = point.y.filter(|y| (least..=MOST_Y).contains(y));
            let ends =
                point.interval.filter(|ends| point.y.is_some() && !(ends.0 + ends.1).is_nan());
            let held = |end: f64| end.clamp(least, MOST_Y);
            point.interval = ends.map(|(a, b)| (held(a.min(b)), held(a.max(b))));
        }
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        SweptCurve { label, style, points }
    }

    /// Values and ends of intervals, for the axis. An interval without end does not stretch it.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        let ends = |point: &HockeyPoint| {
            let interval = point.interval.filter(|ends| ends.0 > 1e-9 && ends.1 < MOST_Y);
            [point.y, interval.map(|ends| ends.0), interval.map(|ends| ends.1)]
        };
        self.points.iter().flat_map(ends).flatten()
    }

    /// Parts in which every point has a value.
    fn runs(&self) -> impl Iterator<Item = &[HockeyPoint]> {
        self.points.split(|point| point.y.is_none()).filter(|run| !run.is_empty())
    }

    /// The lines that the curve consists of.
    pub(crate) fn paths(&self, frame: &Frame) -> impl Iterator<Item = Vec<Point>> {
        self.runs().map(|run| run.iter().map(|point| place(frame, point)).collect())
    }

    /// Where the last value is.
    pub(crate) fn end(&self, frame: &Frame) -> Option<Point> {
        self.paths(frame).last()?.last().copied()
    }

    /// Draws the intervals: a band along neighbours, and a whisker where there are none.
    pub(crate) fn draw_band(&self, figure: &mut Figure, frame: &Frame) {
        for run in self.runs() {
            for part in run.split(|point| point.interval.is_none()) {
                let row = |point: &HockeyPoint| {
                    let (low, high) = point.interval?;
                    let clamped = |end: f64| end.clamp(frame.y.low, frame.y.high);
                    Some((point.x, clamped(low), clamped(high)))
                };
                let rows: Vec<_> = part.iter().filter_map(row).collect();
                match &rows[..] {
                    [] => {}
                    [(x, low, high)] => {
                        let x = frame.across(*x);
                        let ends = vec![(x, frame.down(*low)), (x, frame.down(*high))];
                        figure.line(ends, self.style.role, 1.6);
                    }
                    rows => figure.fills(marks::band(frame, rows), self.style.role, 0.2),
                }
            }
        }
    }

    /// Draws the line, dashed next to points that did not settle, and the marks.
    pub(crate) fn draw_line(&self, figure: &mut Figure, frame: &Frame) {
        for run in self.runs() {
            let sure = |pair: &[HockeyPoint]| pair[0].settled && pair[1].settled;
            let pairs: Vec<&[HockeyPoint]> = run.windows(2).collect();
            for part in pairs.chunk_by(|a, b| sure(a) == sure(b)) {
                let first = part.iter().take(1).map(|pair| place(frame, &pair[0]));
                let path = first.chain(part.iter().map(|pair| place(frame, &pair[1]))).collect();
                match sure(part[0]) {
                    true => figure.line(path, self.style.role, 2.2),
                    false => figure.lines(dashes(&path), self.style.role, 2.2),
                }
            }
        }
        self.draw_marks(figure, frame);
    }

    /// Draws as many marks as are told apart; the last one always.
    fn draw_marks(&self, figure: &mut Figure, frame: &Frame) {
        let last = self.points.iter().rposition(|point| point.y.is_some());
        let mut free = f64::MIN;
        for (index, point) in self.points.iter().enumerate().filter(|(_, p)| p.y.is_some()) {
            let at = place(frame, point);
            if at.0 >= free || Some(index) == last {
                self.style.symbol.draw(figure, at, 3.8, self.style.role, !point.settled);
                free = at.0 + MARK_GAP;
            }
        }
    }

    /// The curve in words: every value with its interval.
    pub(crate) fn words(&self, shown: impl Fn(f64) -> String) -> String {
        let point = |point: &HockeyPoint| {
            let Some(y) = point.y else { return format!("nothing at {}", short(point.x)) };
            let ends = point.interval.map(|(a, b)| format!(" ({} to {})", shown(a), shown(b)));
            let unsure = if point.settled { "" } else { ", not settled" };
            format!("{}{} at {}{unsure}", shown(y), ends.unwrap_or_default(), short(point.x))
        };
        let points: Vec<String> = self.points.iter().map(point).collect();
        match points.is_empty() {
            true => format!(" {}: nothing.", self.label),
            false => format!(" {}: {}.", self.label, points.join("; ")),
        }
    }
}

fn place(frame: &Frame, point: &HockeyPoint) -> Point {
    (frame.across(point.x), frame.down(point.y.unwrap_or(f64::NAN)))
}

/// The name of a line that ends somewhere; without a style, the line is dashed.
#[derive(Clone, Debug)]
pub(crate) struct EndLabel {
    pub(crate) text: String,
    pub(crate) end: Point,
    pub(crate) style: Option<Style>,
}

/// The names of the curves that have an end.
pub(crate) fn names(frame: &Frame, curves: &[SweptCurve]) -> Vec<EndLabel> {
    let name = |curve: &SweptCurve| {
        let (text, style) = (curve.label.to_owned(), Some(curve.style));
        Some(EndLabel { text, end: curve.end(frame)?, style })
    };
    curves.iter().filter_map(name).collect()
}

/// Names lines at their ends, or, if something is in the way there, all of them at the right.
pub(crate) fn name_ends(
    figure: &mut Figure,
    frame: &Frame,
    names: &[EndLabel],
    places: &mut LabelPlacement,
) {
    let most = figure.width - frame.right - 54.0;
    let texts: Vec<String> = names.iter().map(|name| shorten(&name.text, LABEL, most)).collect();
    let found = beside_ends(names, &texts, places);
    let wanted: Vec<f64> = names.iter().map(|name| name.end.1).collect();
    let column = spread(&wanted, NAME_GAP, frame.top, frame.bottom);
    for (index, text) in texts.iter().enumerate() {
        let y = column[index];
        let aside = (frame.right + 10.0, y);
        match (&found, names[index].style) {
            (None, Some(style)) => style.sample(figure, aside),
            (None, None) => {
                figure.dashes(aside, (aside.0 + 20.0, y), Role::Offered, 1.4);
            }
            _ => {}
        }
        let at = found.as_ref().map_or((aside.0 + 26.0, y + 4.1), |found| found[index]);
        figure.label(at, text, Role::Text);
    }
}

/// Places beside the ends of lines where names cover nothing, if there is one for each; takes them.
fn beside_ends(
    names: &[EndLabel],
    texts: &[String],
    places: &mut LabelPlacement,
) -> Option<Vec<Point>> {
    let mut tried = places.clone();
    let place = |(name, text): (&EndLabel, &String)| {
        let beside = |moved: f64| (name.end.0 + 10.0, name.end.1 + 4.1 + moved);
        let wishes = [0.0, -3.0, 3.0, -6.0, 6.0, -9.0, 9.0].map(beside);
        let found = tried.find(text, wishes.map(|at| (at, Anchor::Start)));
        found.map(|(at, _)| at)
    };
    let found: Option<Vec<Point>> = names.iter().zip(texts).map(place).collect();
    if found.is_some() {
        *places = tried;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::layout::PlotAxis;

    fn frame() -> Frame {
        let (x, y) = (PlotAxis::linear(0.0, 10.0, 5), PlotAxis::percent());
        Frame { left: 0.0, right: 100.0, top: 0.0, bottom: 100.0, x, y }
    }

    fn point(x: f64, y: Option<f64>) -> HockeyPoint {
        HockeyPoint { x, y, interval: None, settled: true }
    }

    #[test]
    fn a_curve_is_in_order_and_breaks_where_nothing_was_served() {
        let points = [(6.0, Some(0.5)), (0.0, Some(1.0)), (2.0, Some(0.5)), (4.0, None)];
        let points = points.map(|(x, y)| point(x, y));
        let curve = SweptCurve::of("a", &points, Style::nth(0), 0.0);
        let paths: Vec<_> = curve.paths(&frame()).collect();
        assert_eq!(paths, [vec![(0.0, 0.0), (20.0, 50.0)], vec![(60.0, 50.0)]]);
        assert_eq!(curve.end(&frame()), Some((60.0, 50.0)));
    }

    #[test]
    fn values_without_a_place_are_gaps_and_intervals_are_put_in_order() {
        let mut odd = [f64::NAN, -1.0, 0.5, f64::INFINITY].map(|y| point(1.0, Some(y)));
        odd.iter_mut().for_each(|point| point.interval = Some((0.7, 0.2)));
        odd[3].x = f64::NAN;
        let curve = SweptCurve::of("a", &odd, Style::nth(0), 0.0);
        let left: Vec<_> = curve.points.iter().map(|point| (point.y, point.interval)).collect();
        assert_eq!(left, [(None, None), (None, None), (Some(0.5), Some((0.2, 0.7)))]);
        assert_eq!(curve.values().collect::<Vec<_>>(), [0.5, 0.2, 0.7]);
    }

    #[test]
    fn a_curve_tells_every_value_with_its_interval() {
        let mut points = [point(1.0, Some(0.5)), point(2.0, Some(0.25)), point(3.0, None)];
        points[0].interval = Some((0.4, 0.6));
        points[1].settled = false;
        let curve = SweptCurve::of("p99", &points, Style::nth(0), 0.0);
        let words = curve.words(|value| format!("{value} s"));
        let expected = " p99: 0.5 s (0.4 s to 0.6 s) at 1; 0.25 s at 2, not settled; nothing at 3.";
        assert_eq!(words, expected);
        assert_eq!(SweptCurve::of("p99", &[], Style::nth(0), 0.0).words(short), " p99: nothing.");
    }
}
