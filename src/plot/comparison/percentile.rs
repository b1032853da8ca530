//! The percentile plot: latency against the share of requests that are no slower, with an axis on
//! which every further nine takes the same room.

use crate::observe::histogram::Histogram;
use crate::plot::canvas::fonts::{self, shorten};
use crate::plot::canvas::{Figure, LABEL, LEFT, Point, WIDTH};
use crate::plot::layout::{
    Frame, LegendEntry, PlotAxis, Rect, SeriesPoint, Swatch, lines as marks,
};
use crate::units::{Share, Span};

pub use crate::plot::canvas::Role;

/// One curve.
#[derive(Clone, Debug)]
pub struct PercentileCurve<'a> {
    /// How to call it.
    pub label: String,
    /// What was measured.
    pub histogram: &'a Histogram,
    /// What it stands for.
    pub role: Role,
    /// The replications one by one: their least and greatest value makes a band.
    pub band: Option<Vec<&'a Histogram>>,
}

/// An objective: this share of the requests within this time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyBound {
    /// The share, such as 0.99.
    pub quantile: f64,
    /// The time.
    pub latency: Span,
}

/// What the percentile plot shows.
#[derive(Clone, Debug)]
pub struct PercentileInput<'a> {
    /// The finding or the question.
    pub title: &'a str,
    /// What was simulated.
    pub subtitle: &'a str,
    /// The curves.
    pub curves: Vec<PercentileCurve<'a>>,
    /// The objectives to compare them with.
    pub bounds: Vec<LatencyBound>,
}

/// A curve ends where fewer samples than this remain above it.
const LEAST_SAMPLES: f64 = 10.0;
const HEIGHT: f64 = 480.0;
/// The longest name of a curve.
const NAME_ROOM: f64 = 180.0;

/// Lays out the percentile plot.
pub fn percentile(input: &PercentileInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.height = HEIGHT;
    figure.alt = words(input);
    let frame = frame(input, head + 14.0);
    frame.draw_levels(&mut figure);
    draw_uprights(&mut figure, &frame);
    frame.draw_foot(&mut figure, "percentile of requests");
    for curve in &input.curves {
        draw_band(&mut figure, &frame, curve);
    }
    bounds(input).for_each(|bound| draw_bound(&mut figure, &frame, bound));
    let paths: Vec<_> = input.curves.iter().map(|c| path(&mut figure, &frame, c)).collect();
    if paths.iter().all(Vec::is_empty) {
        frame.draw_remark(&mut figure, "too few requests were served");
    }
    draw_names(&mut figure, &frame, input, &paths);
    name_bounds(&mut figure, &frame, input, &paths);
    figure
}

/// The bounds that have a place on the axes.
fn bounds<'a>(input: &'a PercentileInput) -> impl Iterator<Item = &'a LatencyBound> {
    let inside = |bound: &&LatencyBound| bound.quantile > 0.0 && bound.quantile < 1.0;
    input.bounds.iter().filter(inside).filter(|bound| bound.latency > Span::ZERO)
}

/// The frame, with axes that hold every curve and bound.
fn frame(input: &PercentileInput, top: f64) -> Frame {
    let most = input.curves.iter().map(|curve| nines(curve.histogram)).fold(1.0, f64::max);
    let asked = bounds(input).map(|bound| -(1.0 - bound.quantile).log10());
    let x = PlotAxis::nines(asked.fold(most, f64::max) + 0.05);
    let curves = input.curves.iter().flat_map(|curve| samples(curve.histogram));
    let bands = input.curves.iter().flat_map(band).flat_map(|row| [row.1, row.2]);
    let bounds = bounds(input).map(|bound| bound.latency.as_secs());
    let values = curves.filter_map(|sample| sample.1).chain(bands).chain(bounds);
    let y = PlotAxis::latencies(values, 1.05, 10);
    let longest = fonts::widest(input.curves.iter().map(|curve| &curve.label), LABEL, 40.0);
    let right = WIDTH - 56.0 - longest.min(NAME_ROOM);
    Frame { left: LEFT, right, top, bottom: HEIGHT - 56.0, x, y }
}

/// Nines up to which a histogram has enough samples.
fn nines(histogram: &Histogram) -> f64 {
    (histogram.count() as f64 / LEAST_SAMPLES).log10().clamp(0.0, 12.0)
}

/// Positions along the axis, up to `last` nines.
fn quantiles(last: f64) -> impl Iterator<Item = f64> {
    let steps = (last / 0.02).floor() as usize;
    let inner = (0..=steps).map(|step| step as f64 * 0.02).filter(move |nines| *nines < last);
    inner.chain((last > 0.0).then_some(last)).map(|nines| 1.0 - 10f64.powf(-nines))
}

fn samples(histogram: &Histogram) -> Vec<SeriesPoint> {
    let value = |q: f64| (q, histogram.quantile(q).map(|span| span.as_secs().max(1e-9)));
    quantiles(nines(histogram)).map(value).collect()
}

/// Quantile, least and greatest value over the replications, as far as at least two have samples.
fn band(curve: &PercentileCurve) -> Vec<(f64, f64, f64)> {
    let replications = curve.band.as_deref().unwrap_or(&[]);
    let mut reach: Vec<f64> = replications.iter().map(|histogram| nines(histogram)).collect();
    reach.sort_by(|a, b| b.total_cmp(a));
    let last = reach.get(1).map_or(0.0, |nines| nines.min(self::nines(curve.histogram)));
    let row = |q: f64| {
        let enough =
            replications.iter().filter(|h| h.count() as f64 * (1.0 - q) >= LEAST_SAMPLES * 0.99);
        let values =
            || enough.clone().filter_map(|h| h.quantile(q)).map(|span| span.as_secs().max(1e-9));
        (q, values().fold(f64::MAX, f64::min), values().fold(0.0, f64::max))
    };
    quantiles(last).map(row).filter(|row| row.1 <= row.2).collect()
}

fn draw_uprights(figure: &mut Figure, frame: &Frame) {
    for (quantile, _) in &frame.x.ticks {
        let x = frame.across(*quantile);
        let role = if *quantile == 0.0 { Role::Axis } else { Role::Grid };
        figure.upright(x, (frame.top, frame.bottom), role, 1.0);
    }
}

fn draw_band(figure: &mut Figure, frame: &Frame, curve: &PercentileCurve) {
    let rows = band(curve);
    if rows.len() > 1 {
        figure.fills(marks::band(frame, &rows), curve.role, 0.18);
    }
}

/// Draws a curve with a mark at its end, and gives its path.
fn path(figure: &mut Figure, frame: &Frame, curve: &PercentileCurve) -> Vec<Point> {
    let colour = curve.role;
    let runs = marks::line(frame, &samples(curve.histogram));
    let path = runs.concat();
    figure.lines(runs, colour, 2.2);
    if let Some((x, y)) = path.last() {
        figure.block((x - 2.5, y - 2.5), (x + 2.5, y + 2.5), colour, 1.0);
    }
    path
}

/// Names the curves at their ends if nothing is in the way, else all of them at the right.
fn draw_names(figure: &mut Figure, frame: &Frame, input: &PercentileInput, paths: &[Vec<Point>]) {
    let name = |(curve, path): (&PercentileCurve, &Vec<Point>)| {
        let (end, text) = (*path.last()?, shorten(&curve.label, LABEL, NAME_ROOM));
        let to = end.0 + 14.0 + fonts::width(&text, LABEL, false);
        let beside = Rect::between((end.0 + 5.0, end.1 - 9.0), (to, end.1 + 9.0));
        let sign = Swatch::Line(2.2);
        Some(((end, beside), LegendEntry { y: end.1, role: curve.role, sign, text }))
    };
    let named = input.curves.iter().zip(paths).filter_map(name);
    let (ends, names): (Vec<(Point, Rect)>, Vec<LegendEntry>) = named.unzip();
    let covered = |i: usize| ends[..i].iter().any(|(_, other)| other.meets(&ends[i].1));
    let free =
        |i: usize| !crossed(paths, &ends[i].1) && !covered(i) && ends[i].1.right < figure.width;
    if !(0..ends.len()).all(free) {
        return frame.draw_keys(figure, &names);
    }
    for ((end, _), name) in ends.iter().zip(&names) {
        figure.label((end.0 + 9.0, end.1 + 4.1), &name.text, Role::Text);
    }
}

fn crossed(paths: &[Vec<Point>], rect: &Rect) -> bool {
    paths.iter().flatten().any(|point| Rect::around(*point, 0.0).meets(rect))
}

/// A corner that curves should pass below: dashes across to the bound and down to its percentile.
fn draw_bound(figure: &mut Figure, frame: &Frame, bound: &LatencyBound) {
    let (x, y) = (frame.across(bound.quantile), frame.down(bound.latency.as_secs()));
    figure.dashes((frame.left, y), (x, y), Role::Text, 1.2);
    figure.dashes((x, y), (x, frame.bottom), Role::Text, 1.2);
    figure.block((x - 3.0, y - 3.0), (x + 3.0, y + 3.0), Role::Text, 1.0);
}

/// Names the bounds where no curve and no other name is in the way: above the dashes, or higher.
fn name_bounds(figure: &mut Figure, frame: &Frame, input: &PercentileInput, paths: &[Vec<Point>]) {
    let mut taken: Vec<Rect> = Vec::new();
    for bound in bounds(input) {
        let (x, y) = (frame.across(bound.quantile), frame.down(bound.latency.as_secs()));
        let short = format!("{} of served within {}", Share(bound.quantile), bound.latency);
        let long = format!("objective: {short}");
        let fits = fonts::width(&long, LABEL, false) + 16.0 <= x - frame.left;
        let text = if fits { long } else { short };
        let place = |step: i32| (frame.left + 8.0, y - 6.0 - 6.0 * f64::from(step));
        let rect = |at: Point| {
            let to = at.0 + fonts::width(&text, LABEL, false) + 4.0;
            Rect::between((at.0 - 4.0, at.1 - 12.0), (to, at.1 + 3.0))
        };
        let free = |at: &Point| {
            let covered = taken.iter().any(|other| other.meets(&rect(*at)));
            !crossed(paths, &rect(*at)) && !covered && at.1 - 12.0 > frame.top
        };
        let at = (0..6).map(place).find(free).unwrap_or(place(0));
        figure.label(at, &text, Role::Text);
        taken.push(rect(at));
    }
}

/// The picture in words.
fn words(input: &PercentileInput) -> String {
    let mut text = "Latency by percentile of requests, both on scales of powers of ten.".to_owned();
    for curve in &input.curves {
        let figures = [0.5, 0.95, 0.99, 0.999].into_iter().filter_map(|q| {
            let enough = curve.histogram.count() as f64 * (1.0 - q) >= LEAST_SAMPLES * 0.99;
            let value = curve.histogram.quantile(q).filter(|_| enough)?;
            Some(format!("{value} at {}", Share(q)))
        });
        let figures: Vec<String> = figures.collect();
        let figures =
            if figures.is_empty() { "too few requests".to_owned() } else { figures.join(", ") };
        text += &format!(" {}: {figures}.", curve.label);
    }
    for bound in bounds(input) {
        text += &format!(
            " Objective: {} of those served within {}.",
            Share(bound.quantile),
            bound.latency
        );
    }
    text
}
