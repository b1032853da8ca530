//! The waterfall of a fail-over: its steps one below the other, each from where the one before
//! ended, and the whole. What a step takes is the mean over replications; a whisker at its end is
//! the interval of that.

use crate::plot::canvas::dots::{arrow, whisker};
use crate::plot::canvas::fonts;
use crate::plot::canvas::{Anchor, Figure, LABEL, MARGIN, Role, WIDTH};
use crate::plot::layout::{Frame, PlotAxis};

/// What the waterfall shows.
#[derive(Clone, Debug)]
pub struct WaterfallInput<'a> {
    /// The finding.
    pub title: &'a str,
    /// What was simulated, and what the whiskers are.
    pub subtitle: &'a str,
    /// The steps in order, from the loss on.
    pub steps: Vec<WaterfallStep>,
    /// All of it, from the loss on.
    pub whole: WaterfallStep,
    /// The bound that an objective sets for the whole, in seconds.
    pub goal: Option<f64>,
}

/// A step of a fail-over.
#[derive(Clone, Debug)]
pub struct WaterfallStep {
    /// How to call it, such as "detection".
    pub name: String,
    /// How long it took, in seconds.
    pub took: f64,
    /// The interval of that.
    pub interval: Option<(f64, f64)>,
    /// Whether it was not over in some incident, so that it took at least so long.
    pub is_open: bool,
    /// The figure in words: `32.7 s (31.7–33.7)`.
    pub words: String,
}

const ROW: f64 = 34.0;
const BAR: f64 = 16.0;
/// Bars let the grid through.
const SOLID: f64 = 0.55;

/// Lays out the waterfall.
pub fn waterfall(input: &WaterfallInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.alt = words(input);
    let rows = || input.steps.iter().chain([&input.whole]);
    let names = fonts::widest(rows().map(|step| &step.name), LABEL, 60.0);
    let said = fonts::widest(rows().map(|step| &step.words), LABEL, 120.0);
    let top = head + if input.goal.is_some() { 30.0 } else { 14.0 };
    let bottom = top + ROW * (input.steps.len() + 1) as f64;
    let frame = Frame {
        left: MARGIN + names + 16.0,
        right: WIDTH - MARGIN - said - 22.0,
        top,
        bottom,
        x: PlotAxis::time(reach(input), 8),
        y: PlotAxis::percent(),
    };
    figure.height = bottom + 56.0;
    for (value, _) in &frame.x.ticks {
        figure.upright(frame.across(*value), (top, bottom), Role::Grid, 1.0);
    }
    figure.level((frame.left, frame.right), bottom, Role::Axis, 1.0);
    frame.draw_foot(&mut figure, "since the region was lost");
    let mut since = 0.0;
    for (row, step) in input.steps.iter().enumerate() {
        draw_row(&mut figure, &frame, (row, step), (since, Role::Blue));
        since += step.took;
    }
    let last = input.steps.len();
    figure.level((MARGIN, frame.right), top + ROW * last as f64, Role::Axis, 1.0);
    draw_row(&mut figure, &frame, (last, &input.whole), (0.0, Role::Offered));
    draw_goal(&mut figure, &frame, input.goal);
    figure
}

/// The last moment that the axis must show.
fn reach(input: &WaterfallInput) -> f64 {
    let mut since = 0.0;
    let mut last: f64 = 0.0;
    for step in &input.steps {
        last = last.max(since + step.interval.map_or(step.took, |(_, high)| high));
        since += step.took;
    }
    let whole = input.whole.interval.map_or(input.whole.took, |(_, high)| high);
    let all = [last, since, whole, input.goal.unwrap_or(0.0)];
    1.04 * all.into_iter().filter(|value| value.is_finite()).fold(1.0, f64::max)
}

fn draw_row(
    figure: &mut Figure,
    frame: &Frame,
    (row, step): (usize, &WaterfallStep),
    (since, role): (f64, Role),
) {
    let y = frame.top + ROW * (row as f64 + 0.5);
    let end = since + step.took;
    let place = |seconds: f64| frame.across(seconds.clamp(frame.x.low, frame.x.high));
    let text = |figure: &mut Figure, x, what: &str, anchor| {
        figure.text((x, y + 4.1), what, anchor, Role::Text, LABEL);
    };
    text(figure, MARGIN, &step.name, Anchor::Start);
    // What took hardly any time is still seen.
    let right = place(end).max(place(since) + 2.0);
    figure.block((place(since), y - BAR / 2.0), (right, y + BAR / 2.0), role, SOLID);
    if step.is_open {
        arrow(figure, (right, frame.right), y, role);
    } else if let Some((low, high)) = step.interval {
        whisker(figure, (place(since + low), place(since + high)), y, Role::Text);
    }
    text(figure, frame.right + 16.0, &step.words, Anchor::Start);
}

fn draw_goal(figure: &mut Figure, frame: &Frame, goal: Option<f64>) {
    let Some(goal) = goal.filter(|goal| *goal <= frame.x.high) else { return };
    let x = frame.across(goal);
    figure.dashes((x, frame.top - 4.0), (x, frame.bottom), Role::FaultText, 1.4);
    figure.text((x, frame.top - 8.0), "objective", Anchor::Middle, Role::FaultText, LABEL);
}

/// What the picture shows, for those who do not see it.
fn words(input: &WaterfallInput) -> String {
    let step = |step: &WaterfallStep| format!("{}: {}", step.name, step.words);
    let steps: Vec<String> = input.steps.iter().map(step).collect();
    format!("{} {}; {}", input.title, steps.join(", "), step(&input.whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::Primitive;

    fn step(name: &str, took: f64) -> WaterfallStep {
        let interval = Some((0.9 * took, 1.1 * took));
        let words = format!("{took} s");
        WaterfallStep { name: name.to_owned(), took, interval, is_open: false, words }
    }

    fn input(goal: Option<f64>) -> WaterfallInput<'static> {
        let steps = vec![step("detection", 30.0), step("DNS", 60.0)];
        WaterfallInput { title: "A loss", subtitle: "", steps, whole: step("RTO", 90.0), goal }
    }

    #[test]
    fn a_step_begins_where_the_one_before_ends() {
        let figure = waterfall(&input(None));
        let blocks: Vec<(f64, f64)> = figure
            .visible()
            .filter_map(|mark| match mark {
                Primitive::Block { from, to, opacity: SOLID, .. } => Some((from.0, to.0)),
                _ => None,
            })
            .collect();
        let [first, second, whole] = blocks[..] else { panic!("{blocks:?}") };
        assert!((first.1 - second.0).abs() < 1e-9 && (whole.0 - first.0).abs() < 1e-9);
        assert!((whole.1 - second.1).abs() < 1e-9, "the whole is the sum");
        assert!(((second.1 - second.0) / (first.1 - first.0) - 2.0).abs() < 1e-6);
    }

    #[test]
    fn the_axis_reaches_to_the_goal_and_the_whiskers() {
        assert!(reach(&input(None)) >= 99.0 && reach(&input(Some(300.0))) >= 300.0);
        let open = WaterfallStep { interval: Some((1.0, f64::INFINITY)), ..step("x", 5.0) };
        let input = WaterfallInput { whole: open, ..input(None) };
        assert!(reach(&input).is_finite() && waterfall(&input).alt.contains("detection: 30 s"));
    }
}
