//! A load against the capacity that is ready for it: what the panels of all and of a region share.

use super::conditions::capacity;
use super::input::TimelineInput;
use crate::observe::timeline::ReplicaLife;
use crate::plot::canvas::Role;
use crate::plot::layout::{Frame, LegendEntry, SeriesPoint, Swatch, lines as marks, si};

/// Capacity up to this many times the load is shown.
pub(super) const MOST_HEADROOM: f64 = 6.0;

/// Requests per second that replicas in rotation can serve: of one region, or of all.
pub(crate) fn ready(input: &TimelineInput, region: Option<usize>) -> Vec<SeriesPoint> {
    let count = input.regions.len();
    let region_of = |life: &ReplicaLife| life.slot.checked_rem(count);
    let each = |life: &ReplicaLife| {
        let region = region_of(life).map(|region| &input.regions[region]);
        region.map_or(input.capacity_per_replica, |region| region.capacity_per_replica).0
    };
    let counts = |life: &&ReplicaLife| region.is_none() || region_of(life) == region;
    let lives = input.timeline.replicas.iter().filter(counts);
    let ready = capacity(lives, input.horizon.as_secs(), each);
    ready.into_iter().map(|(time, rate)| (time, Some(rate))).collect()
}

pub(crate) fn peak(samples: &[SeriesPoint]) -> f64 {
    samples.iter().filter_map(|sample| sample.1).fold(0.0, f64::max)
}

pub(super) fn key(y: f64, role: Role, width: f64, text: impl Into<String>) -> LegendEntry {
    LegendEntry { y, role, sign: Swatch::Line(width), text: text.into() }
}

pub(super) fn capacity_key(frame: &Frame, ready: &[SeriesPoint]) -> Option<LegendEntry> {
    let (most, level) = (peak(ready), ready.last()?.1?);
    let above = most > frame.y.high;
    let text =
        if above { format!("capacity {}, above", si(most)) } else { "ready capacity".into() };
    Some(key(frame.down(level).clamp(frame.top, frame.bottom), Role::Capacity, 2.0, text))
}

/// One key if the lines lie on each other all the time; else two, which say whether they do so at
/// the end.
pub(super) fn load_keys(
    frame: &Frame,
    offered: &[SeriesPoint],
    served: &[SeriesPoint],
) -> Vec<LegendEntry> {
    let (Some(a), Some(b)) = (marks::last_level(offered), marks::last_level(served)) else {
        return Vec::new();
    };
    let near = |a: f64, b: f64| (a - b).abs() < 0.1 * peak(offered).max(peak(served));
    let pairs = offered.iter().zip(served);
    if pairs.into_iter().all(|(a, b)| near(a.1.unwrap_or(0.0), b.1.unwrap_or(0.0))) {
        return vec![key(frame.down(b), Role::Served, 1.5, "offered = served")];
    }
    let offered = if near(a, b) { "offered, if different" } else { "offered" };
    let below = if near(a, b) { a.min(b) } else { b };
    vec![
        key(frame.down(a), Role::Offered, 1.1, offered),
        key(frame.down(below), Role::Served, 1.5, "served"),
    ]
}
