//! The incident timeline: what happened, what it did to requests, and why, over one time axis.

use super::input::{RuleKind, TimelineInput, TimelineRule};
use super::strips::Rows;
use super::{autoscaling, failures, panels, regions};
use crate::plot::canvas::fonts;
use crate::plot::canvas::{Anchor, Figure, LABEL, LEFT, Role};
use crate::plot::layout::{
    Flag, Frame, PlotAxis, lanes, lines as marks, shade, si, stack, time_unit,
};
use crate::units::Share;

const WIDTH: f64 = 980.0;
const RIGHT: f64 = 816.0;
/// From one panel's foot to the next panel's head.
const GAP: f64 = 28.0;
/// Height of a lane of labels.
const LANE: f64 = 16.0;
const MOST_LANES: usize = 5;
/// So many rules are not read one by one.
const CROWDED: usize = 41;

/// Lays out the incident timeline.
pub fn timeline(input: &TimelineInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.alt = words(input);
    let rows = Rows::of(&input.timeline.replicas, input.horizon.as_secs());
    let time = PlotAxis::time(input.horizon.as_secs(), 12);
    let chosen = choose_labels(input, &time);
    let used = chosen.iter().flatten().max().map_or(0.0, |lane| *lane as f64 + 1.0);
    let floor = head + LANE * used + 4.0;
    let panels = panels_of(input);
    let (x, y) = (time.clone(), PlotAxis::percent());
    let frame = Frame { left: LEFT, right: RIGHT, top: 0.0, bottom: 0.0, x, y };
    let heights = panels.iter().map(|panel| panel.height).chain([rows.height().max(20.0)]);
    let below = heights.map(|height| (height, PlotAxis::percent()));
    let frames = stack(&frame, floor + GAP - 6.0, below, GAP);
    let [first, .., last] = &frames[..] else { return figure };
    let remark = shade_warm_up(&mut figure, &frames, input);
    draw_rules(&mut figure, (floor, last.bottom), &chosen, input, first);
    for (panel, frame) in panels.iter().zip(&frames) {
        (panel.draw)(&mut figure, &mut frame.clone(), input);
    }
    rows.draw(&mut figure, &mut last.clone());
    let replicas = rows.title(&input.timeline.replicas);
    let titles = panels.iter().map(|panel| panel.title.as_str()).chain([replicas.as_str()]);
    for (frame, title) in frames.iter().zip(titles) {
        frame.draw_title(&mut figure, title, 9.0, ("", 0.0));
    }
    let ranges = marks::ranges(first, input.timeline.total.len());
    let caption = format!("simulated time ({}){remark}{ranges}", time_unit(&time));
    last.draw_foot(&mut figure, &caption);
    figure.height = (last.bottom + 50.0).ceil();
    figure
}

/// A panel above that of the replicas.
struct Panel {
    title: String,
    height: f64,
    draw: PanelDrawing,
}

type PanelDrawing = Box<dyn Fn(&mut Figure, &mut Frame, &TimelineInput)>;

fn panels_of(input: &TimelineInput) -> Vec<Panel> {
    type Drawing = fn(&mut Figure, &mut Frame, &TimelineInput);
    let panel = |title: &str, height, draw: Drawing| Panel {
        title: title.to_owned(),
        height,
        draw: Box::new(draw),
    };
    let mut panels = vec![panel("Requests per second", 128.0, panels::traffic)];
    if !input.regions.is_empty() {
        panels.push(panel("Where clients send", regions::SHARES, regions::clients));
        panels.extend(input.regions.iter().enumerate().map(|(index, region)| Panel {
            title: format!("Requests per second: {}", region.name),
            height: regions::ONE,
            draw: Box::new(move |figure, frame, input| regions::one(figure, frame, input, index)),
        }));
    }
    panels.extend([
        panel("Failed requests per second", failures::height(input), failures::failures),
        panel("Latency (log scale)", 138.0, panels::latency),
        panel("CPU in use", 84.0, panels::cpu),
    ]);
    if panels::has_cache(input) {
        panels.push(panel("Cache hits", 56.0, panels::cache));
    }
    if autoscaling::is_there(input) {
        panels.push(panel("Replicas wanted", autoscaling::HEIGHT, autoscaling::replicas));
    }
    panels
}

/// Shades the time before the estimates begin; gives what the caption of the time axis says of it.
fn shade_warm_up(figure: &mut Figure, frames: &[Frame], input: &TimelineInput) -> &'static str {
    let end = input.warm_up.as_secs().min(input.horizon.as_secs());
    shade(figure, &frames[..frames.len().saturating_sub(1)], end);
    let is_seen = frames.first().is_some_and(|first| first.across(end) - first.left >= 1.0);
    if is_seen { "; shaded: warm-up" } else { "" }
}

fn size_of(rule: &TimelineRule) -> f64 {
    fonts::width(&fonts::spell(&rule.label), LABEL, false) + 14.0
}

/// Lanes for the labels of the rules. If they need too many, only faults and recoveries are
/// labelled, then only faults, then as many of these as find room.
fn choose_labels(input: &TimelineInput, time: &PlotAxis) -> Vec<Option<usize>> {
    use RuleKind::{Decided, Detected, Fault, Recovered};
    let mut fallback = vec![None; input.rules.len()];
    let attempts = [
        (&[Fault, Detected, Recovered, Decided][..], MOST_LANES),
        (&[Fault, Recovered, Decided], MOST_LANES),
        (&[Fault, Recovered], MOST_LANES),
        (&[Fault], MOST_LANES),
        // Labels on a few of very many rules are better read side by side.
        (&[Fault], if input.rules.len() < CROWDED { MOST_LANES } else { 1 }),
    ];
    for (kinds, most) in attempts {
        let wanted = |i: &usize| {
            let rule = &input.rules[*i];
            kinds.contains(&rule.kind) && !rule.label.is_empty() && rule.at <= input.horizon
        };
        let wanted: Vec<usize> = (0..input.rules.len()).filter(wanted).collect();
        let flags = wanted.iter().map(|i| {
            let x = LEFT + time.place(input.rules[*i].at.as_secs()) * (RIGHT - LEFT);
            Flag { x, width: size_of(&input.rules[*i]).min(WIDTH - x) }
        });
        let found = lanes(&flags.collect::<Vec<_>>(), most);
        fallback.fill(None);
        wanted.iter().zip(&found).for_each(|(i, lane)| fallback[*i] = *lane);
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    fallback
}

/// Draws the rules, which the panels will cover: faults over the others, and these only where they
/// are not on top of a fault.
fn draw_rules(
    figure: &mut Figure,
    (floor, foot): (f64, f64),
    lanes: &[Option<usize>],
    input: &TimelineInput,
    frame: &Frame,
) {
    let place = |rule: &TimelineRule| frame.across(rule.at.as_secs());
    let is_fault = |rule: &TimelineRule| rule.kind == RuleKind::Fault;
    let faults: Vec<f64> = input.rules.iter().filter(|rule| is_fault(rule)).map(place).collect();
    let alone = |rule: &TimelineRule| faults.iter().all(|x| (x - place(rule)).abs() > 3.0);
    let mut shown: Vec<_> = input.rules.iter().zip(lanes).collect();
    shown.retain(|(rule, lane)| {
        rule.at <= input.horizon && (is_fault(rule) || lane.is_some() || alone(rule))
    });
    shown.sort_by_key(|(rule, _)| is_fault(rule));
    let opacity = match input.rules.len() {
        0..9 => 0.9,
        9..CROWDED => 0.5,
        _ => 0.15,
    };
    for (rule, lane) in shown {
        let x = place(rule);
        let head = lane.map_or(floor + 6.0, |lane| floor - LANE * lane as f64 - 13.0);
        figure.block((x - 0.5, head), (x + 0.5, foot), role(rule.kind), opacity);
        if lane.is_some() {
            let label = fonts::spell(&rule.label);
            let label = fonts::fit(&label, LABEL, false, figure.width - x - 10.0);
            figure.text((x + 5.0, head + 9.5), &label, Anchor::Start, role(rule.kind), LABEL);
        }
    }
}

fn role(kind: RuleKind) -> Role {
    match kind {
        RuleKind::Fault => Role::FaultText,
        RuleKind::Detected => Role::Muted,
        RuleKind::Recovered => Role::RecoveredText,
        RuleKind::Decided => Role::Orange,
    }
}

/// The picture in words.
fn words(input: &TimelineInput) -> String {
    let rows = &input.timeline.total;
    let offered: u64 = rows.iter().map(|row| row.offered).sum();
    let failed: u64 = rows.iter().flat_map(|row| row.failures).sum();
    let slowest = rows.iter().filter_map(|row| row.latency).map(|latency| latency.p99).max();
    let busiest = rows.iter().filter_map(|row| row.cpu).fold(0.0, f64::max);
    let mut text = format!(
        "Incident timeline from 0:00 to {}: traffic, failures, latency, CPU and the state of {} \
         replicas. {} requests were offered and {} failed.",
        input.horizon,
        input.timeline.replicas.len(),
        si(offered as f64),
        si(failed as f64),
    );
    let attempts: u64 = rows.iter().map(|row| row.attempts).sum();
    if attempts > offered {
        text += &format!(" Clients made {} attempts.", si(attempts as f64));
    }
    if let Some(slowest) = slowest {
        text += &format!(" The highest p99 latency of a bin is {slowest}.");
    }
    text += &format!(" The highest CPU use is {}.", Share(busiest.min(1.0)));
    let seen = input.rules.iter().filter(|rule| rule.at <= input.horizon);
    for rule in seen.take(12) {
        text += &format!(" {}: {}.", rule.at, rule.label);
    }
    text
}
