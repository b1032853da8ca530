//! Timelines of several variants over one time axis: a panel for each metric, a line for each
//! variant, and the events that all of them share as rules through all panels.

use crate::plot::canvas::fonts::{self, shorten};
use crate::plot::canvas::{Figure, LABEL, LEFT, MARGIN, Point, Role, Style, WIDTH};
use crate::plot::layout::{
    Flag, Frame, PlotAxis, SeriesPoint, ends as extremes, lanes, lines as marks, shade, si, spread,
    stack, time_unit,
};
use crate::units::{Instant, Share, Span};

/// What the timelines show.
#[derive(Clone, Debug)]
pub struct OverlayInput<'a> {
    /// The finding or the question.
    pub title: &'a str,
    /// What was simulated: sizes, seed, replication.
    pub subtitle: &'a str,
    /// The variants; their styles follow from the order.
    pub names: Vec<String>,
    /// The metrics, from the top.
    pub panels: Vec<OverlayPanel>,
    /// Moments to mark through all panels, each with a few words; those after the end are left out.
    pub rules: Vec<(Instant, String)>,
    /// End of the warm-up, which is shaded.
    pub warm_up: Instant,
    /// End of the run.
    pub horizon: Instant,
}

/// One metric over time.
#[derive(Clone, Debug)]
pub struct OverlayPanel {
    /// What is shown, with its unit unless the scale says it.
    pub title: String,
    /// What the values are.
    pub scale: PanelScale,
    /// Whether a value holds until the next; else a line leads from one to the other.
    pub steps: bool,
    /// For each variant its values in order of time: seconds since the start, and the value or
    /// `None` for a gap.
    pub series: Vec<Vec<(f64, Option<f64>)>>,
}

/// What the values of a panel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelScale {
    /// Seconds, on an axis of powers of ten; what is not above zero is a gap.
    Latency,
    /// Shares from 0 to 1, as percentages; what is beyond is a gap.
    Share,
    /// Numbers from zero upwards; what is below is a gap.
    Count,
}

/// From one panel's foot to the next panel's head.
const GAP: f64 = 34.0;
/// By how much the line of a variant is wider for each that may lie on it, where lines are level.
const WIDER: f64 = 2.4;
/// Height of a lane of labels, or of a row of names.
const LANE: f64 = 16.0;
const MOST_LANES: usize = 5;
/// The most variants and panels that are drawn; the lines of more could not be followed.
const MOST_VARIANTS: usize = 12;
const MOST_PANELS: usize = 8;
/// The longest name at a line end, or in the row of names.
const NAME: f64 = 170.0;
/// Distance between names at line ends, and how far each may be from its line end.
const NAME_GAP: f64 = 15.0;
const NAME_MOVED: f64 = 11.0;
/// Symbols along each line.
const SYMBOLS: usize = 5;

/// Lays out the timelines.
pub fn overlay(input: &OverlayInput) -> Figure {
    let (mut figure, mut top) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.alt = words(input);
    let panels = input.panels.iter().take(MOST_PANELS);
    let panels: Vec<DrawnPanel> = panels.map(|panel| DrawnPanel::of(panel, input)).collect();
    let right = at_line_ends(&panels, input);
    if right.is_none() {
        top = draw_names(&mut figure, input, top);
    }
    let frame = first_frame(input, right.unwrap_or(WIDTH - MARGIN - 8.0));
    let chosen = choose_labels(input, &frame);
    let used = chosen.iter().flatten().max().map_or(0.0, |lane| *lane as f64 + 1.0);
    let floor = top + LANE * used + 4.0;
    let frames = stacked(&frame, &panels, floor + GAP - 6.0);
    let Some(last) = frames.last() else {
        figure.label((MARGIN, top + 20.0), "no metric to show", Role::Muted);
        figure.height = top + 50.0;
        return figure;
    };
    let warm_up = input.warm_up.as_secs().min(input.horizon.as_secs());
    shade(&mut figure, &frames, warm_up);
    let shaded = if warm_up > 0.0 { "; shaded: warm-up" } else { "" };
    frames.iter().for_each(|frame| frame.draw_levels(&mut figure));
    draw_rules(&mut figure, (floor, last), &chosen, input);
    for (panel, frame) in panels.iter().zip(&frames) {
        panel.draw(&mut figure, frame, right.is_some().then_some(input));
    }
    let dense = panels.iter().flat_map(|panel| &panel.series).map(Vec::len).max();
    let caption = format!(
        "simulated time ({}){shaded}{}",
        time_unit(&last.x),
        marks::ranges(last, dense.unwrap_or(0))
    );
    last.draw_foot(&mut figure, &caption);
    figure.height = (last.bottom + 50.0).ceil();
    figure
}

/// A panel with what can be drawn of its series.
struct DrawnPanel<'a> {
    panel: &'a OverlayPanel,
    series: Vec<Vec<SeriesPoint>>,
    axis: PlotAxis,
}

impl<'a> DrawnPanel<'a> {
    fn of(panel: &'a OverlayPanel, input: &OverlayInput) -> Self {
        let count = input.names.len().min(MOST_VARIANTS);
        let series = panel.series.iter().take(count);
        let series: Vec<_> = series.map(|samples| sound(samples, panel.scale)).collect();
        let axis = y_axis(panel.scale, &series);
        DrawnPanel { panel, series, axis }
    }

    /// The lines of each variant.
    fn paths(&self, frame: &Frame) -> Vec<Vec<Vec<Point>>> {
        let path = |samples: &Vec<SeriesPoint>| match self.in_steps(frame, samples) {
            true => marks::steps(frame, samples, frame.x.high),
            false => marks::path(frame, samples),
        };
        self.series.iter().map(path).collect()
    }

    /// Whether to draw steps: not if there are more than could be told apart.
    fn in_steps(&self, frame: &Frame, samples: &[SeriesPoint]) -> bool {
        self.panel.steps && samples.len() <= 2 * frame.columns()
    }

    /// Draws lines, symbols and the title, and the names of `named` at the line ends.
    fn draw(&self, figure: &mut Figure, frame: &Frame, named: Option<&OverlayInput>) {
        for (index, samples) in self.series.iter().enumerate() {
            let role = Style::nth(index).role;
            // Lines that lie on each other are told apart by those below being wider.
            let above = (self.series.len() - 1 - index) as f64;
            let width = 2.0 + WIDER * above.min(3.0);
            match self.in_steps(frame, samples) {
                true => figure.lines(marks::steps(frame, samples, frame.x.high), role, width),
                false => marks::draw(figure, frame, samples, role, 2.0),
            }
        }
        let paths = self.paths(frame);
        if paths.len() > 1 {
            draw_symbols(figure, frame, &paths);
        }
        if paths.iter().all(Vec::is_empty) {
            frame.draw_remark(figure, "nothing was measured");
        }
        let remark = if self.panel.scale == PanelScale::Latency { "log scale" } else { "" };
        frame.draw_title(figure, &self.panel.title, 9.0, (remark, 7.0));
        if let Some(input) = named {
            name_ends(figure, frame, &paths, input);
        }
    }
}

fn y_axis(scale: PanelScale, series: &[Vec<SeriesPoint>]) -> PlotAxis {
    let values = series.iter().flatten().filter_map(|sample| sample.1);
    let (low, high) = extremes(values).unwrap_or_default();
    let high = high.max(0.0);
    match scale {
        PanelScale::Latency if high > 0.0 => PlotAxis::latency(low, high, 8),
        PanelScale::Latency => PlotAxis::latency(0.001, 1.0, 8),
        PanelScale::Share => PlotAxis::share(high, 4),
        PanelScale::Count => PlotAxis::count(high, 4),
    }
}

/// The frame that all panels share but for their height and values.
fn first_frame(input: &OverlayInput, right: f64) -> Frame {
    let x = PlotAxis::time(input.horizon.as_secs(), 10);
    Frame { left: LEFT, right, top: 0.0, bottom: 100.0, x, y: PlotAxis::percent() }
}

/// Frames below each other.
fn stacked(frame: &Frame, panels: &[DrawnPanel], top: f64) -> Vec<Frame> {
    let height = [190.0, 150.0, 132.0, 120.0][panels.len().clamp(1, 4) - 1];
    stack(frame, top, panels.iter().map(|panel| (height, panel.axis.clone())), GAP)
}

/// Where the frames end if the names of the variants fit at the line ends of every panel.
fn at_line_ends(panels: &[DrawnPanel], input: &OverlayInput) -> Option<f64> {
    let longest = fonts::widest(input.names.iter().take(MOST_VARIANTS), LABEL, 0.0);
    let right = WIDTH - MARGIN - longest.min(NAME) - 24.0;
    let fits = input.names.len() <= MOST_VARIANTS
        && stacked(&first_frame(input, right), panels, 0.0).iter().zip(panels).all(
            |(frame, panel)| {
                let ends = ends(&panel.paths(frame));
                let places = places(frame, &ends);
                ends.iter().zip(places).all(|(end, place)| (end.1 - place).abs() <= NAME_MOVED)
            },
        );
    fits.then_some(right)
}

/// Which variants have a line, and how far down it ends.
fn ends(paths: &[Vec<Vec<Point>>]) -> Vec<(usize, f64)> {
    let end = |(index, path): (usize, &Vec<Vec<Point>>)| Some((index, path.last()?.last()?.1));
    paths.iter().enumerate().filter_map(end).collect()
}

/// How far down the names of `ends` lie, so that none covers another.
fn places(frame: &Frame, ends: &[(usize, f64)]) -> Vec<f64> {
    let wanted: Vec<f64> = ends.iter().map(|end| end.1).collect();
    spread(&wanted, NAME_GAP, frame.top, frame.bottom)
}

fn name_ends(figure: &mut Figure, frame: &Frame, paths: &[Vec<Vec<Point>>], input: &OverlayInput) {
    let ends = ends(paths);
    for ((index, _), y) in ends.iter().zip(places(frame, &ends)) {
        let style = Style::nth(*index);
        style.symbol.draw(figure, (frame.right + 10.0, y), 3.6, style.role, false);
        let room = figure.width - frame.right - 30.0;
        let name = shorten(&input.names[*index], LABEL, room);
        figure.label((frame.right + 19.0, y + 4.1), &name, Role::Text);
    }
}

/// Names all variants in rows below the subtitle; gives where they end.
fn draw_names(figure: &mut Figure, input: &OverlayInput, top: f64) -> f64 {
    let (mut x, mut y) = (MARGIN, top + 8.0);
    let hidden = input.names.len().saturating_sub(MOST_VARIANTS);
    let more = (hidden > 0).then(|| format!("and {hidden} more"));
    let names = input.names.iter().take(MOST_VARIANTS).chain(&more).enumerate();
    for (index, name) in names {
        let name = shorten(name, LABEL, 1.5 * NAME);
        let width = 26.0 + fonts::width(&name, LABEL, false);
        if x > MARGIN && x + width > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + 1.25 * LANE);
        }
        if index < MOST_VARIANTS {
            Style::nth(index).sample(figure, (x, y));
        }
        figure.label((x + 26.0, y + 4.1), &name, Role::Text);
        x += width + 22.0;
    }
    y + 12.0
}

/// Puts symbols on the lines, each variant at its own times, so that lines are told apart where
/// they cross.
fn draw_symbols(figure: &mut Figure, frame: &Frame, paths: &[Vec<Vec<Point>>]) {
    let count = (SYMBOLS * paths.len()) as f64;
    for (index, path) in paths.iter().enumerate() {
        let style = Style::nth(index);
        for turn in 0..SYMBOLS {
            let part = ((turn * paths.len() + index) as f64 + 0.37) / count;
            let x = frame.left + part * (frame.right - frame.left);
            if let Some(at) = point_at(path, x) {
                style.symbol.draw(figure, at, 3.4, style.role, false);
            }
        }
    }
}

/// The place on a line that is `x` across.
fn point_at(path: &[Vec<Point>], x: f64) -> Option<Point> {
    let mut segments = path.iter().flat_map(|run| run.windows(2));
    let over = segments.find(|ends| ends[0].0 <= x && x <= ends[1].0 && ends[0].0 < ends[1].0)?;
    let part = (x - over[0].0) / (over[1].0 - over[0].0);
    Some((x, over[0].1 + part * (over[1].1 - over[0].1)))
}

/// A label at its rule: where it begins, and its width. It lies to the right of the rule, or to the
/// left if it would leave the picture.
fn flag(frame: &Frame, (at, label): &(Instant, String)) -> Flag {
    let x = frame.across(at.as_secs());
    let width = fonts::width(&fonts::spell(label), LABEL, false) + 14.0;
    match x + width > WIDTH - 6.0 {
        true => Flag { x: (x - width).max(MARGIN), width: width.min(x - MARGIN) },
        false => Flag { x, width },
    }
}

/// Lanes for the labels of the rules. A rule with its label on its left may reach up through the
/// labels below its own; it then has none.
fn choose_labels(input: &OverlayInput, frame: &Frame) -> Vec<Option<usize>> {
    let flags: Vec<Flag> = rules(input).map(|rule| flag(frame, rule)).collect();
    let mut chosen = lanes(&flags, MOST_LANES);
    for (index, rule) in rules(input).enumerate() {
        let x = frame.across(rule.0.as_secs());
        let over = |other: &Flag| other.x < x && x < other.x + other.width - 5.0;
        let below = |lane: &Option<usize>| lane.is_some() && *lane < chosen[index];
        if flags[index].x < x && flags.iter().zip(&chosen).any(|(f, lane)| over(f) && below(lane)) {
            chosen[index] = None;
        }
    }
    chosen
}

/// Draws the rules, which the lines of the panels will cover, and their labels above the panels.
fn draw_rules(
    figure: &mut Figure,
    (floor, last): (f64, &Frame),
    lanes: &[Option<usize>],
    input: &OverlayInput,
) {
    let opacity = if lanes.len() <= 8 { 0.6 } else { 0.3 };
    let head = |lane: usize| floor - LANE * lane as f64 - 13.0;
    for ((at, _), lane) in rules(input).zip(lanes) {
        let (x, top) = (last.across(at.as_secs()), lane.map_or(floor + 6.0, head));
        figure.block((x - 0.5, top), (x + 0.5, last.bottom), Role::Text, opacity);
    }
    for (rule, lane) in rules(input).zip(lanes) {
        let Some(y) = lane.map(|lane| head(lane) + 9.5) else { continue };
        let Flag { x, width } = flag(last, rule);
        let label = shorten(&rule.1, LABEL, width - 9.0);
        figure.label((x + 5.0, y), &label, Role::Text);
    }
}

/// The rules before the end of the run.
fn rules<'a>(input: &'a OverlayInput) -> impl Iterator<Item = &'a (Instant, String)> {
    input.rules.iter().filter(|rule| rule.0 <= input.horizon)
}

/// The samples that have a place, in order of time.
fn sound(samples: &[SeriesPoint], scale: PanelScale) -> Vec<SeriesPoint> {
    let range = match scale {
        PanelScale::Latency => 1e-9..=1e9,
        PanelScale::Share => 0.0..=1.0 + 1e-9,
        PanelScale::Count => 0.0..=1e12,
    };
    let has_place = |value: &f64| range.contains(value);
    let timed = samples.iter().filter(|sample| sample.0.abs() <= 1e12);
    let mut sound: Vec<SeriesPoint> = timed.map(|(at, v)| (*at, v.filter(has_place))).collect();
    sound.sort_by(|a, b| a.0.total_cmp(&b.0));
    sound
}

/// The picture in words.
fn words(input: &OverlayInput) -> String {
    let count = input.names.len();
    let mut text = format!(
        "Timelines of {count} variants from 0:00 to {}, one over the other.",
        input.horizon
    );
    for (at, label) in rules(input) {
        text += &format!(" {at}: {label}.");
    }
    for panel in &input.panels {
        text += &format!(" {}:", panel.title);
        let series = input.names.iter().zip(&panel.series);
        let told: Vec<String> =
            series.map(|(name, samples)| range_words(name, samples, panel.scale)).collect();
        text += &if told.is_empty() { " nothing.".to_owned() } else { told.join(";") + "." };
    }
    text
}

/// Least, greatest and last value of a variant.
fn range_words(name: &str, samples: &[SeriesPoint], scale: PanelScale) -> String {
    let known: Vec<(f64, f64)> =
        sound(samples, scale).into_iter().filter_map(|(at, value)| Some((at, value?))).collect();
    let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
    let ends = known.iter().min_by(by_value).zip(known.iter().rev().max_by(by_value));
    let Some(((least, most), last)) = ends.zip(known.last()) else {
        return format!(" {name}: nothing was measured");
    };
    let shown = |value: f64| match scale {
        PanelScale::Latency => Span::from_secs(value).to_string(),
        PanelScale::Share => Share(value).to_string(),
        PanelScale::Count => si(value),
    };
    let peak = Instant::from_secs(most.0.max(0.0));
    let (least, most, last) = (shown(least.1), shown(most.1), shown(last.1));
    format!(" {name}: from {least} to {most}, highest at {peak}, {last} at the end")
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
