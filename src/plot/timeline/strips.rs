//! The panel of replicas: a strip per replica or slot that shows its condition, or, for many slots,
//! how many are in each condition.

use super::conditions::{Condition, ConditionSpan, intervals, totals};
use crate::observe::timeline::ReplicaLife;
use crate::plot::canvas::{Anchor, Figure, Role, SMALL, fonts};
use crate::plot::layout::{Frame, LegendEntry, PlotAxis, Swatch, lines as marks};

/// Up to this many replicas each has a strip.
const MOST_REPLICAS: usize = 12;
/// Up to this many slots each has a strip.
const MOST_SLOTS: usize = 24;
/// A strip that shows trouble is at least this wide.
const LEAST_WIDTH: f64 = 1.5;
/// A narrower gap between two intervals of one condition is not drawn.
const GAP: f64 = 0.4;

/// How the replicas of a run are shown.
pub(crate) enum Rows {
    /// Named lanes with the intervals to draw in each.
    Lanes(Vec<(String, Vec<ConditionSpan>)>),
    /// How many replicas are in each condition.
    Counts(Vec<ConditionSpan>),
}

impl Rows {
    /// Chooses what the number of replicas and slots allows.
    pub(crate) fn of(lives: &[ReplicaLife], horizon: f64) -> Self {
        let slots = lives.iter().map(|life| life.slot + 1).max().unwrap_or(0);
        if lives.len() <= MOST_REPLICAS {
            let lane = |life: &ReplicaLife| (life.name.clone(), intervals(life, horizon));
            Rows::Lanes(lives.iter().map(lane).collect())
        } else if slots <= MOST_SLOTS {
            Rows::Lanes((0..slots).map(|slot| slot_lane(lives, slot, horizon)).collect())
        } else {
            Rows::Counts(lives.iter().flat_map(|life| intervals(life, horizon)).collect())
        }
    }

    /// What the panel is called.
    pub(crate) fn title(&self, lives: &[ReplicaLife]) -> String {
        match self {
            Rows::Counts(_) => "Replicas by state".to_owned(),
            Rows::Lanes(lanes) if lanes.len() < lives.len() => {
                format!("Slots, held by {} replicas", lives.len())
            }
            Rows::Lanes(_) => "Replicas".to_owned(),
        }
    }

    /// Height that the panel needs.
    pub(crate) fn height(&self) -> f64 {
        let legend = 4.0 + 16.0 * self.conditions().count() as f64;
        match self {
            Rows::Lanes(lanes) => legend.max(lanes.len() as f64 * least_height(lanes.len())),
            Rows::Counts(_) => legend.max(130.0),
        }
    }

    fn all(&self) -> Box<dyn Iterator<Item = &ConditionSpan> + '_> {
        match self {
            Rows::Lanes(lanes) => Box::new(lanes.iter().flat_map(|lane| &lane.1)),
            Rows::Counts(all) => Box::new(all.iter()),
        }
    }

    /// The conditions that occur, in the order of the legend.
    fn conditions(&self) -> impl Iterator<Item = (Condition, &'static str, Role)> {
        let occurs = |(condition, ..): &(Condition, &str, Role)| {
            self.all().any(|span| span.condition == *condition)
        };
        Condition::ALL.into_iter().filter(occurs)
    }

    /// Draws the panel into `frame`, whose y axis is replaced.
    pub(crate) fn draw(&self, figure: &mut Figure, frame: &mut Frame) {
        match self {
            Rows::Lanes(lanes) if lanes.is_empty() => frame.draw_remark(figure, "no replicas"),
            Rows::Lanes(lanes) => draw_lanes(figure, frame, lanes),
            Rows::Counts(all) => draw_counts(figure, frame, all),
        }
        figure.level((frame.left, frame.right), frame.bottom, Role::Axis, 1.0);
        let keys = self.conditions().enumerate().map(|(row, (_, text, role))| LegendEntry {
            y: frame.top + 9.0 + 16.0 * row as f64,
            role,
            sign: Swatch::Square,
            text: text.to_owned(),
        });
        frame.draw_keys(figure, &keys.collect::<Vec<_>>());
    }
}

fn least_height(lanes: usize) -> f64 {
    if lanes <= MOST_REPLICAS { 18.0 } else { 14.0 }
}

fn slot_lane(lives: &[ReplicaLife], slot: usize, horizon: f64) -> (String, Vec<ConditionSpan>) {
    let holders = lives.iter().filter(|life| life.slot == slot);
    let intervals = holders.flat_map(|life| intervals(life, horizon)).collect();
    (format!("slot {slot}"), intervals)
}

fn draw_lanes(figure: &mut Figure, frame: &Frame, lanes: &[(String, Vec<ConditionSpan>)]) {
    let height = ((frame.bottom - frame.top) / lanes.len() as f64).min(30.0);
    for (row, (name, intervals)) in lanes.iter().enumerate() {
        let top = frame.top + row as f64 * height;
        draw_strip(figure, frame, (top + 2.0, top + height - 2.0), intervals);
        let name = fonts::fit_end(name, SMALL, frame.left - 12.0);
        let at = (frame.left - 8.0, top + height / 2.0 + 3.9);
        figure.text(at, &name, Anchor::End, Role::Text, SMALL);
    }
}

/// One strip; trouble last and never too thin to be seen.
fn draw_strip(figure: &mut Figure, frame: &Frame, rows: (f64, f64), intervals: &[ConditionSpan]) {
    let mut order: Vec<&ConditionSpan> = intervals.iter().collect();
    order.sort_by_key(|interval| (paint_order(interval.condition), interval.condition));
    for (condition, from, to) in joined(frame, &order) {
        figure.block((from, rows.0), (to, rows.1), condition.role(), 1.0);
    }
}

/// Where the blocks of a strip begin and end; those that nearly touch are one, so that a strip has
/// no more than there is room for.
fn joined(frame: &Frame, order: &[&ConditionSpan]) -> Vec<(Condition, f64, f64)> {
    let mut blocks: Vec<(Condition, f64, f64)> = Vec::new();
    for interval in order {
        let (mut from, mut to) = (frame.across(interval.from), frame.across(interval.to));
        if to - from < LEAST_WIDTH {
            (from, to) = widened(frame, from, to);
        }
        match blocks.last_mut() {
            Some((condition, _, end)) if *condition == interval.condition && from <= *end + GAP => {
                *end = end.max(to);
            }
            _ => blocks.push((interval.condition, from, to)),
        }
    }
    blocks
}

fn widened(frame: &Frame, from: f64, to: f64) -> (f64, f64) {
    let middle = (from + to) / 2.0;
    let from = (middle - LEAST_WIDTH / 2.0).clamp(frame.left, frame.right - LEAST_WIDTH);
    (from, from + LEAST_WIDTH)
}

fn paint_order(condition: Condition) -> u8 {
    match condition {
        Condition::Ready | Condition::Slow => 0,
        Condition::Joining | Condition::Unready | Condition::BackOff => 1,
        Condition::Starting => 2,
        Condition::Broken => 3,
    }
}

/// Areas stacked on each other, one for each condition.
fn draw_counts(figure: &mut Figure, frame: &mut Frame, all: &[ConditionSpan]) {
    let both_ends = |s: &ConditionSpan| [(s.from, 1.0), (s.to, -1.0)];
    let peak =
        totals(all.iter().flat_map(both_ends)).iter().map(|level| level.1).fold(0.0, f64::max);
    frame.y = PlotAxis::count(peak, 4);
    frame.draw_levels(figure);
    for (depth, (condition, _, role)) in Condition::ALL.into_iter().enumerate().rev() {
        if !all.iter().any(|span| span.condition == condition) {
            continue;
        }
        let stacked = all.iter().filter(|span| span.condition as usize <= depth);
        let levels: Vec<_> = totals(stacked.flat_map(both_ends))
            .into_iter()
            .map(|(time, count)| (time, Some(count)))
            .collect();
        figure.fills(marks::down_to(frame, marks::steps(frame, &levels, frame.x.high)), role, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_of_a_hundred_thousand_crashes_has_no_more_blocks_than_pixels() {
        let (x, y) = (PlotAxis::time(1e6, 6), PlotAxis::percent());
        let frame = Frame { left: 0.0, right: 700.0, top: 0.0, bottom: 20.0, x, y };
        let works = 1.0;
        let interval = |condition, from, to| ConditionSpan { condition, works, from, to };
        let ready = (0..100_000).map(|n| f64::from(n) * 10.0);
        let broken = ready.clone().map(|start| start + 9.0);
        let ready = ready.map(|start| interval(Condition::Ready, start, start + 9.0));
        let broken = broken.map(|start| interval(Condition::Broken, start, start + 1.0));
        let last = [interval(Condition::Ready, 1e6 + 5.0, 1e6 + 6.0)];
        let all: Vec<ConditionSpan> = ready.chain(broken).chain(last).collect();
        let blocks = joined(&frame, &all.iter().collect::<Vec<_>>());
        assert_eq!(blocks.len(), 3);
        let (condition, from, to) = blocks[1];
        assert_eq!(condition, Condition::Broken);
        assert!(from >= 0.0 && to <= 700.0 && to - from > 600.0, "{from} to {to}");
    }
}
