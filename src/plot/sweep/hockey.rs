//! Latency against a swept setting with 95 % bands, on an axis of powers of ten, and the throughput
//! beneath. Against the offered load the curves look like hockey sticks: level, then steep.

use super::curves::{EndLabel, SweptCurve, name_ends, names};
use crate::plot::canvas::fonts::{self, shorten};
use crate::plot::canvas::{Anchor, Figure, LABEL, LEFT, MARGIN, Role, Style, Symbol, WIDTH};
use crate::plot::layout::{Frame, LabelPlacement, PlotAxis, Rect, ends, short, si};
use crate::units::Span;

pub use super::hockey_input::{HockeyInput, HockeyLine, HockeyPoint};

const UPPER: f64 = 290.0;
const LOWER: f64 = 120.0;
/// From the foot of the upper panel to the head of the lower.
const GAP: f64 = 38.0;
/// The longest name of a line.
const NAME: f64 = 170.0;

/// Lays out the picture.
pub fn hockey(input: &HockeyInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.alt = words(input);
    let named = usable(input).is_some_and(|(_, label)| !label.is_empty());
    let top = head + 30.0 + if named { 20.0 } else { 0.0 };
    let frame = upper_frame(input, top);
    let lower = (!input.throughput.is_empty()).then(|| lower_frame(input, &frame));
    let last = lower.as_ref().unwrap_or(&frame);
    draw_usable(&mut figure, input, &frame, last.bottom);
    draw_latency(&mut figure, input, &frame);
    if let Some(lower) = &lower {
        for (value, _) in &frame.x.ticks {
            let x = frame.across(*value);
            figure.upright(x, (frame.bottom, frame.bottom + 4.0), Role::Axis, 1.0);
        }
        draw_throughput(&mut figure, input, lower);
    }
    last.draw_foot(&mut figure, &shorten(input.x_label, LABEL, frame.right - frame.left));
    figure.height = (last.bottom + 50.0).ceil();
    figure
}

/// Where the usable region ends, if that has a place.
fn usable<'a>(input: &'a HockeyInput) -> Option<(f64, &'a str)> {
    let (x, label) = input.usable.as_ref()?;
    (x.is_finite() && x.abs() <= 1e12).then_some((*x, label.as_str()))
}

/// Objectives that have a place on the axis.
fn objectives<'a>(input: &'a HockeyInput) -> impl Iterator<Item = &'a (String, f64)> {
    input.objectives.iter().filter(|objective| (1e-9..1e9).contains(&objective.1))
}

/// An axis for the setting that holds every point; from zero unless that would waste half of it.
fn x_axis(input: &HockeyInput) -> PlotAxis {
    let curves = [latencies(input), throughputs(input)].concat();
    let points = curves.iter().flat_map(|curve| &curve.points).map(|point| point.x);
    let values = points.chain(usable(input).map(|usable| usable.0));
    let ends = ends(values);
    let steps = if ends.is_some() { 10 } else { 8 };
    match ends.unwrap_or((0.0, 1.0)) {
        (low, high) if low >= 0.0 && low < 0.5 * high => PlotAxis::linear(0.0, high, steps),
        (low, high) => PlotAxis::linear(low, high, steps),
    }
}

fn upper_frame(input: &HockeyInput, top: f64) -> Frame {
    let curves = latencies(input);
    let levels = objectives(input).map(|objective| objective.1);
    let y = PlotAxis::latencies(curves.iter().flat_map(SweptCurve::values).chain(levels), 1.02, 12);
    let labels = input.lines.iter().map(|line| &line.label);
    let labels = labels.chain(input.throughput.iter().map(|line| &line.label));
    let least = fonts::width("offered", LABEL, false);
    let longest = fonts::widest(labels, LABEL, least).min(NAME);
    let right = WIDTH - MARGIN - longest - 38.0;
    Frame { left: LEFT, right, top, bottom: top + UPPER, x: x_axis(input), y }
}

fn lower_frame(input: &HockeyInput, upper: &Frame) -> Frame {
    let curves = throughputs(input);
    let most = curves.iter().flat_map(SweptCurve::values).fold(0.0, f64::max);
    let offered = curves.iter().flat_map(|curve| &curve.points).map(|point| point.x);
    let offered = offered.fold(0.0, f64::max);
    let y = PlotAxis::count(if input.is_load { most.max(offered) } else { most }, 3);
    let top = upper.bottom + GAP;
    Frame { top, bottom: top + LOWER, y, ..upper.clone() }
}

/// The curves of the upper panel.
fn latencies<'a>(input: &'a HockeyInput) -> Vec<SweptCurve<'a>> {
    let styles = latency_styles(input);
    let lines = input.lines.iter().zip(styles);
    lines.map(|(line, style)| SweptCurve::of(&line.label, &line.points, style, 1e-9)).collect()
}

/// Percentiles have the colours that they have elsewhere, and other lines those of things compared.
fn latency_styles(input: &HockeyInput) -> Vec<Style> {
    let known = |line: &HockeyLine| match line.label.as_str() {
        "p50" | "median" => Some(Role::Median),
        "p95" => Some(Role::P95),
        "p99" => Some(Role::P99),
        _ => None,
    };
    let roles: Option<Vec<Role>> = input.lines.iter().map(known).collect();
    let style = |index| match roles.as_ref().filter(|roles| distinct(roles)) {
        Some(roles) => Style { role: roles[index], ..Style::nth(index) },
        None => Style::nth(index),
    };
    (0..input.lines.len()).map(style).collect()
}

fn distinct(roles: &[Role]) -> bool {
    (1..roles.len()).all(|index| !roles[..index].contains(&roles[index]))
}

/// The curves of the lower panel; each styles like the latency whose label begins like its own.
fn throughputs<'a>(input: &'a HockeyInput) -> Vec<SweptCurve<'a>> {
    let styles = latency_styles(input);
    let style = |index: usize, label: &str| {
        let same = |line: &HockeyLine| !label.is_empty() && line.label.starts_with(label);
        match (input.lines.iter().position(same), input.throughput.len()) {
            (Some(line), _) => styles[line],
            (None, 1) => Style { role: Role::Served, symbol: Symbol::Circle },
            (None, _) => Style::nth(index),
        }
    };
    let lines = input.throughput.iter().enumerate();
    lines
        .map(|(index, line)| {
            SweptCurve::of(&line.label, &line.points, style(index, &line.label), 0.0)
        })
        .collect()
}

/// Tints what lies beyond the usable region, and draws its edge with its words above.
fn draw_usable(figure: &mut Figure, input: &HockeyInput, frame: &Frame, foot: f64) {
    let Some((x, label)) = usable(input) else { return };
    let x = frame.across(x);
    figure.block((x, frame.top), (frame.right, foot), Role::Vermilion, 0.07);
    figure.upright(x, (frame.top - 6.0, foot), Role::Text, 1.4);
    let label = shorten(label, LABEL, WIDTH - 2.0 * MARGIN);
    let half = fonts::width(&label, LABEL, false) / 2.0;
    let middle = x.clamp(MARGIN + half, WIDTH - MARGIN - half);
    figure.text((middle, frame.top - 11.0), &label, Anchor::Middle, Role::Text, LABEL);
}

fn draw_latency(figure: &mut Figure, input: &HockeyInput, frame: &Frame) {
    frame.draw_levels(figure);
    let curves = latencies(input);
    let mut remark = "log scale".to_owned();
    let mut points = curves.iter().flat_map(|curve| &curve.points);
    if points.clone().any(|point| point.interval.is_some()) {
        remark += "; bands: 95 % intervals";
    }
    if points.any(|point| !point.settled) {
        remark += "; hollow, dashed: did not settle";
    }
    let named = usable(input).is_some_and(|(_, label)| !label.is_empty());
    frame.draw_title(figure, "Latency", if named { 32.0 } else { 11.0 }, (&remark, 8.0));
    for (_, seconds) in objectives(input) {
        let y = frame.down(*seconds);
        figure.dashes((frame.left, y), (frame.right, y), Role::Text, 1.2);
    }
    let mut places = draw_curves(figure, frame, &curves);
    name_ends(figure, frame, &names(frame, &curves), &mut places);
    if let Some((x, _)) = usable(input) {
        let x = frame.across(x);
        places.take_path(&[(x, frame.top), (x, frame.bottom)]);
    }
    name_objectives(figure, input, frame, &mut places);
}

/// Names the objectives above their level, or below it, where nothing is in the way.
fn name_objectives(
    figure: &mut Figure,
    input: &HockeyInput,
    frame: &Frame,
    places: &mut LabelPlacement,
) {
    for (_, seconds) in objectives(input) {
        let y = frame.down(*seconds);
        places.take_path(&[(frame.left, y), (frame.right, y)]);
    }
    for (label, seconds) in objectives(input) {
        let y = frame.down(*seconds);
        let most = frame.right - frame.left - 20.0;
        let label = shorten(label, LABEL, most);
        let steps = ((most - fonts::width(&label, LABEL, false)) / 12.0).max(0.0) as u32;
        let along =
            |y: f64| (0..=steps).map(move |step| (frame.left + 8.0 + 12.0 * f64::from(step), y));
        let wishes = along(y - 6.0).chain(along(y + 15.0)).map(|at| (at, Anchor::Start));
        places.write_anyway(figure, (&label, Role::Text), wishes);
    }
}

fn draw_throughput(figure: &mut Figure, input: &HockeyInput, frame: &Frame) {
    frame.draw_levels(figure);
    frame.draw_title(figure, "Requests served per second", 11.0, ("", 8.0));
    let curves = throughputs(input);
    let served = curves.iter().any(|curve| curve.end(frame).is_some());
    let high = frame.x.high.min(frame.y.high);
    let low = frame.x.low.max(0.0);
    let place = |load: f64| (frame.across(load), frame.down(load));
    let offered = (input.is_load && served && low < high).then(|| (place(low), place(high)));
    if let Some((from, to)) = offered {
        figure.dashes(from, to, Role::Offered, 1.4);
    }
    let mut places = draw_curves(figure, frame, &curves);
    let mut names = names(frame, &curves);
    if let Some((from, to)) = offered {
        places.take_path(&[from, to]);
        names.push(EndLabel { text: "offered".to_owned(), end: to, style: None });
    }
    name_ends(figure, frame, &names, &mut places);
}

/// Draws bands, lines and marks; gives what these take.
fn draw_curves(figure: &mut Figure, frame: &Frame, curves: &[SweptCurve]) -> LabelPlacement {
    curves.iter().for_each(|curve| curve.draw_band(figure, frame));
    curves.iter().for_each(|curve| curve.draw_line(figure, frame));
    if curves.iter().all(|curve| curve.end(frame).is_none()) {
        frame.draw_remark(figure, "nothing was served");
    }
    let corner = (figure.width - MARGIN + 3.0, frame.bottom + 1.0);
    let within = Rect::between((frame.left, frame.top - 7.0), corner);
    let mut places = LabelPlacement { within, taken: Vec::new() };
    for path in curves.iter().flat_map(|curve| curve.paths(frame)) {
        places.taken.extend(path.iter().map(|at| Rect::around(*at, 4.0)));
        places.take_path(&path);
    }
    places
}

/// The picture in words.
fn words(input: &HockeyInput) -> String {
    let mut text = format!("Latency on a scale of powers of ten against {}.", input.x_label);
    let seconds = |value: f64| Span::from_secs(value).to_string();
    for curve in latencies(input) {
        text += &curve.words(seconds);
    }
    for (label, level) in objectives(input) {
        text += &format!(" Level: {label}, at {}.", seconds(*level));
    }
    if let Some((x, label)) = usable(input) {
        text += &format!(" Tinted beyond {}: {label}.", short(x));
    }
    if !input.throughput.is_empty() {
        text += " Below, requests served per second.";
    }
    for curve in throughputs(input) {
        text += &curve.words(si);
    }
    text
}

#[cfg(test)]
#[path = "hockey_tests.rs"]
mod tests;
