//! Headroom against the growth of demand: how long each tier lasts.

use super::load::{interval as sound_interval, sound, words as interval_words};
use crate::plot::canvas::dots::{DOT, dot, whisker};
use crate::plot::canvas::fonts::shorten;
use crate::plot::canvas::{Anchor, Figure, LABEL, Role, WIDTH};
use crate::plot::layout::{Frame, LEAST_LOAD, LabelPlacement, PlotAxis, Rect, lines as marks, si};
use crate::units::Rate;

/// What the chart of headroom shows.
#[derive(Clone, Debug)]
pub struct HeadroomInput<'a> {
    /// The finding.
    pub title: &'a str,
    /// How the capacities were found, and what the bands are.
    pub subtitle: &'a str,
    /// Today's demand, in requests/s.
    pub demand: f64,
    /// The tiers, in the order in which colours are given.
    pub tiers: Vec<HeadroomTier>,
}

/// One tier.
#[derive(Clone, Debug)]
pub struct HeadroomTier {
    /// How to call it, such as "Large".
    pub name: String,
    /// Low end of the interval of its capacity, in requests/s.
    pub low: f64,
    /// Its capacity, in requests/s.
    pub point: f64,
    /// High end of the interval of its capacity, in requests/s.
    pub high: f64,
}

/// How much more than today a tier carries, as a share of today's demand.
#[derive(Clone, Copy)]
struct TierHeadroom<'a> {
    name: &'a str,
    low: f64,
    point: f64,
    high: f64,
    role: Role,
}

const HEIGHT: f64 = 500.0;
const NAME_ROOM: f64 = 150.0;
/// Least and most growth that the chart reaches to.
const REACH: (f64, f64) = (0.2, 4.0);
/// Points of a band along the axis.
const STEPS: u32 = 160;
/// More tiers than this are counted only.
const MOST: usize = 24;

/// Lays out the chart of headroom.
pub fn headroom(input: &HeadroomInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    figure.height = HEIGHT;
    figure.alt = words(input);
    let all = lasts(input);
    let tiers = &all[..all.len().min(MOST)];
    let frame = frame(tiers, head + 30.0);
    draw_ground(&mut figure, &frame);
    let mut places = places(&frame, tiers);
    for tier in tiers.iter().filter(|tier| tier.point >= 0.0) {
        draw_tier(&mut figure, &frame, tier);
    }
    name_zone(&mut figure, &frame, &mut places);
    draw_lack(&mut figure, &frame, tiers, &mut places);
    let unnamed = draw_names(&mut figure, &frame, tiers, &mut places);
    draw_remarks(&mut figure, &frame, unnamed, all.len() - tiers.len());
    figure
}

/// The tiers that can be compared with the demand.
fn lasts<'a>(input: &'a HeadroomInput) -> Vec<TierHeadroom<'a>> {
    // Without the colour of the zone where objectives are not met.
    const ROLES: [Role; 5] = [Role::Blue, Role::Green, Role::Purple, Role::Orange, Role::Sky];
    let of = |(index, tier): (usize, &'a HeadroomTier)| {
        let demand = sound(input.demand).filter(|demand| *demand >= LEAST_LOAD)?;
        let (low, point, high) = sound_interval(tier.low, tier.point, tier.high)?;
        let [low, point, high] = [low, point, high].map(|load| load / demand - 1.0);
        Some(TierHeadroom { name: &tier.name, low, point, high, role: ROLES[index % ROLES.len()] })
    };
    input.tiers.iter().enumerate().filter_map(of).collect()
}

/// What is left of a capacity that lasts until `lasts` at `growth`, as a share of it.
fn left(lasts: f64, growth: f64) -> f64 {
    if lasts > -1.0 { 1.0 - (1.0 + growth) / (1.0 + lasts) } else { f64::NEG_INFINITY }
}

fn frame(tiers: &[TierHeadroom], top: f64) -> Frame {
    let enough = || tiers.iter().filter(|tier| tier.point >= 0.0);
    let most = enough().map(|tier| tier.point).fold(0.0, f64::max);
    let x = PlotAxis::growth((1.25 * most).clamp(REACH.0, REACH.1), 8);
    let today = enough().map(|tier| left(tier.high, 0.0)).fold(0.0, f64::max);
    let y = PlotAxis::headroom(1.05 * today);
    Frame { left: 76.0, right: WIDTH - 80.0, top, bottom: HEIGHT - 70.0, x, y }
}

/// Levels, axes, and a tint where the objectives are not met.
fn draw_ground(figure: &mut Figure, frame: &Frame) {
    let zero = frame.down(0.0);
    figure.block((frame.left, zero), (frame.right, frame.bottom), Role::Failure, 0.09);
    frame.draw_levels(figure);
    figure.level((frame.left, frame.right), zero, Role::Text, 1.2);
    frame.draw_foot(figure, "growth of demand");
    figure.label((frame.left, frame.top - 14.0), "headroom (% of capacity)", Role::Text);
}

/// The room for names: the frame and what is right of it, without the lines and their crossings.
fn places(frame: &Frame, tiers: &[TierHeadroom]) -> LabelPlacement {
    let zero = frame.down(0.0);
    let corners = ((frame.left + 2.0, frame.top - 6.0), (WIDTH - 12.0, frame.bottom - 2.0));
    let mut taken = Vec::new();
    for tier in tiers.iter().filter(|tier| tier.point >= 0.0) {
        let lines = marks::line(frame, &line(frame, tier.point));
        taken.extend(lines.concat().into_iter().map(|point| Rect::around(point, 2.0)));
        let (from, to) = crossing(frame, tier);
        taken.push(Rect::between((from, zero - DOT), (to, zero + DOT)));
    }
    taken.push(Rect::between((frame.left, zero - 1.0), (frame.right, zero + 1.0)));
    LabelPlacement { within: Rect::between(corners.0, corners.1), taken }
}

fn steps(frame: &Frame) -> impl Iterator<Item = f64> {
    let high = frame.x.high;
    (0..=STEPS).map(move |step| high * f64::from(step) / f64::from(STEPS))
}

/// The headroom along the axis.
fn line(frame: &Frame, lasts: f64) -> Vec<(f64, Option<f64>)> {
    steps(frame).map(|growth| (growth, Some(left(lasts, growth)))).collect()
}

/// Where the interval of a tier meets the level of no headroom, within the frame.
fn crossing(frame: &Frame, tier: &TierHeadroom) -> (f64, f64) {
    (frame.across(tier.low.max(0.0)), frame.across(tier.high.min(frame.x.high)))
}

/// A line with its band, and where it reaches zero.
fn draw_tier(figure: &mut Figure, frame: &Frame, tier: &TierHeadroom) {
    let rows = steps(frame).map(|growth| (growth, left(tier.low, growth), left(tier.high, growth)));
    figure.fills(marks::band(frame, &rows.collect::<Vec<_>>()), tier.role, 0.18);
    figure.lines(marks::line(frame, &line(frame, tier.point)), tier.role, 2.2);
    if tier.point <= frame.x.high {
        whisker(figure, crossing(frame, tier), frame.down(0.0), tier.role);
        dot(figure, (frame.across(tier.point), frame.down(0.0)), tier.role);
    }
}

fn name_zone(figure: &mut Figure, frame: &Frame, places: &mut LabelPlacement) {
    let text = "objectives not met";
    let across = (0..12).map(|step| frame.right - 8.0 - 30.0 * f64::from(step));
    let wishes = across.map(|x| ((x, frame.bottom - 9.0), Anchor::End));
    places.write_anyway(figure, (text, Role::FaultText), wishes);
}

/// Names the tiers, first those that are short and then the longest-lasting: a name lies above the
/// rules to its right. Gives how many found no room.
fn draw_names(
    figure: &mut Figure,
    frame: &Frame,
    tiers: &[TierHeadroom],
    places: &mut LabelPlacement,
) -> usize {
    let (mut carry, short): (Vec<_>, Vec<_>) = tiers.iter().partition(|tier| tier.point >= 0.0);
    carry.sort_by(|a: &&TierHeadroom, b: &&TierHeadroom| b.point.total_cmp(&a.point));
    let unnamed = short.iter().filter(|tier| !name_short(figure, frame, tier, places)).count();
    unnamed + carry.iter().filter(|tier| !name(figure, frame, tier, places)).count()
}

/// Says of a tier how long it lasts or what is left at the end; whether there was room.
fn name(
    figure: &mut Figure,
    frame: &Frame,
    tier: &TierHeadroom,
    places: &mut LabelPlacement,
) -> bool {
    let (zero, inside) = (frame.down(0.0), tier.point <= frame.x.high);
    let x = frame.across(if inside { tier.point } else { frame.x.high });
    let end = frame.down(left(tier.point, frame.x.high));
    let foot = if inside { zero - 9.0 } else { end - 8.0 };
    let ups = (0..120).map(|step| foot - 4.0 * f64::from(step));
    let (start, anchor) = if inside { (x + 7.0, Anchor::Start) } else { (x - 4.0, Anchor::End) };
    let text = saying(frame, tier);
    let wishes = ups.map(|y| ((start, y), anchor));
    let Some((at, anchor)) = places.find(&text, wishes) else { return false };
    if inside && at.1 < foot - 1.0 {
        let rule = [(x, zero - DOT - 1.0), (x, at.1 - 9.0)];
        figure.line(rule.into(), Role::Muted, 0.8);
        places.taken.push(Rect::between((x - 1.0, rule[0].1), (x + 1.0, rule[1].1)));
    }
    figure.text(at, &text, anchor, Role::Text, LABEL);
    true
}

/// Says what a tier lacks, in the upper right corner, which falling lines leave free; whether there
/// was room.
fn name_short(
    figure: &mut Figure,
    frame: &Frame,
    tier: &TierHeadroom,
    places: &mut LabelPlacement,
) -> bool {
    let (first, right) = (frame.top + 18.0, frame.right - 6.0);
    let across = (0..20).map(|step| right - 30.0 * f64::from(step));
    let wishes = across
        .flat_map(|x| (0..30).map(move |step| ((x, first + 17.0 * f64::from(step)), Anchor::End)));
    let text = saying(frame, tier);
    places.write(figure, (&text, Role::FaultText), wishes).is_some()
}

/// A remark in the middle if there is no line.
fn draw_lack(
    figure: &mut Figure,
    frame: &Frame,
    tiers: &[TierHeadroom],
    places: &mut LabelPlacement,
) {
    let remark = match tiers {
        [] => "there is no demand and capacity to compare",
        short if short.iter().all(|tier| tier.point < 0.0) => "no tier carries today's demand",
        _ => return,
    };
    frame.draw_remark(figure, remark);
    let middle = ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0 + 4.0);
    places.taken.push(Rect::of_text(middle, remark, Anchor::Middle));
}

/// Says how many tiers have no name or no line.
fn draw_remarks(figure: &mut Figure, frame: &Frame, unnamed: usize, hidden: usize) {
    let mut remarks = Vec::new();
    if unnamed > 0 {
        remarks.push(format!("{unnamed} tiers have no name for want of room"));
    }
    if hidden > 0 {
        remarks.push(format!("{hidden} more tiers are not drawn"));
    }
    figure.remark((frame.left, HEIGHT - 12.0), &remarks.join("; "));
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        size if size < 9.95 => format!("{}", (percent * 10.0).round() / 10.0 + 0.0),
        size if size < 10_000.0 => format!("{}", percent.round()),
        _ => si(percent),
    }
}

/// The ends of an interval, if it has any width: " (35–41)".
fn interval(low: f64, high: f64) -> String {
    let ends = [low, high].map(|end| percent(end).replace('-', "−"));
    match ends {
        [low, high] if low == high => String::new(),
        [below, high] if below.starts_with('−') => format!(" ({below} to {high})"),
        [low, high] => format!(" ({low}–{high})"),
    }
}

/// What a tier lacks today, with its interval.
fn lack(tier: &TierHeadroom) -> String {
    format!("{} % short today{}", percent(-tier.point), interval(-tier.high, -tier.low))
}

/// How far the demand may grow: as far as it is sure to be carried, in whole per cents, and at the
/// most.
fn until(tier: &TierHeadroom) -> String {
    let low = percent((100.0 * tier.low + 1e-7).floor() / 100.0);
    let high = percent((100.0 * tier.high - 1e-7).ceil() / 100.0);
    match tier.low {
        short if short < 0.0 => format!("may last until +{high} %"),
        same if same == tier.high => format!("lasts until +{low} %"),
        _ => format!("lasts until +{low} %, at most +{high} %"),
    }
}

fn saying(frame: &Frame, tier: &TierHeadroom) -> String {
    let name = shorten(tier.name, LABEL, NAME_ROOM);
    let end = frame.x.high;
    match tier.point {
        lacks if lacks < 0.0 => format!("{name}: {}", lack(tier)),
        lasts if lasts <= end => format!("{name} {}", until(tier)),
        lasts => format!("{name}: {} % left at +{} %", percent(left(lasts, end)), percent(end)),
    }
}

/// The picture in words.
fn words(input: &HeadroomInput) -> String {
    let mut text = "Headroom in percent of capacity against the growth of demand.".to_owned();
    let tiers = lasts(input);
    if !tiers.is_empty() {
        text += &format!(" Demand today: {}.", Rate(input.demand));
    }
    for tier in &tiers {
        let load = |lasts: f64| (1.0 + lasts) * input.demand;
        let capacity = interval_words((load(tier.low), load(tier.point), load(tier.high)));
        let said = match tier.point {
            lacks if lacks < 0.0 => lack(tier),
            lasts => format!("{} % headroom today, {}", percent(left(lasts, 0.0)), until(tier)),
        };
        text += &format!(" {}: capacity {capacity}, {said}.", tier.name);
    }
    let lost = input.tiers.len() - tiers.len();
    if lost > 0 {
        text += &format!(" {lost} without a capacity or a demand to compare are left out.");
    }
    if tiers.is_empty() {
        text += " There is no demand and capacity to compare.";
    }
    text
}

#[cfg(test)]
#[path = "headroom_tests.rs"]
mod tests;
