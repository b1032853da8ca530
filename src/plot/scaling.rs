//! What the autoscaler saw, wanted and may want: a panel of its own, and a line in that of the CPU.

use super::axis::Axis;
use super::figure::Figure;
use super::frame::{Frame, Key, Sign};
use super::input::TimelineInput;
use super::marks;
use super::theme::Ink;
use super::thin::Sample;
use crate::observe::timeline::TotalRow;

/// Height of the panel.
pub(super) const HEIGHT: f64 = 64.0;

/// Whether there was an autoscaler.
pub(super) fn is_there(input: &TimelineInput) -> bool {
    input.timeline.total.iter().any(|row| row.wanted.is_some())
}

/// A value at the end of each bin, where it changes.
fn steps(input: &TimelineInput, of: impl Fn(&TotalRow) -> Option<f64>) -> Vec<Sample> {
    let width = input.timeline.bin;
    let end = |row: &TotalRow| (row.start + width).min(input.horizon).as_secs();
    let rows = input.timeline.total.iter();
    let mut all: Vec<Sample> = rows.map(|row| (end(row), of(row))).collect();
    all.dedup_by(|next, kept| next.1 == kept.1);
    all
}

/// Replicas wanted and in rotation, as steps.
pub(super) fn replicas(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let wanted = steps(input, |row| row.wanted.map(|count| count as f64));
    let serving = steps(input, |row| Some(row.in_rotation as f64));
    let values = wanted.iter().chain(&serving).filter_map(|sample| sample.1);
    let most = input.autoscaler.map(|autoscaler| autoscaler.most as f64);
    frame.y = Axis::count(values.chain(most).fold(1.0, f64::max) * 1.05, 3);
    frame.draw_levels(figure);
    let mut keys = Vec::new();
    if let Some(most) = most {
        let level = frame.down(most);
        figure.lines(vec![vec![(frame.left, level), (frame.right, level)]], Ink::Muted, 0.8);
        let sign = Sign::Line(0.8);
        keys.push(Key { y: level, ink: Ink::Muted, sign, text: "maximum".to_owned() });
    }
    let lines =
        [(&serving, Ink::Ready, 2.6, "in rotation"), (&wanted, Ink::Monitored, 1.3, "wanted")];
    for (samples, ink, width, text) in lines {
        figure.lines(marks::steps(frame, samples, input.horizon.as_secs()), ink, width);
        let level = samples.iter().rev().find_map(|sample| sample.1);
        keys.extend(level.map(|level| Key {
            y: frame.down(level),
            ink,
            sign: Sign::Line(width),
            text: text.to_owned(),
        }));
    }
    frame.draw_keys(figure, &keys);
}

/// The utilisation as the autoscaler saw it, in a frame of percents; its key, if it saw any.
pub(super) fn seen(figure: &mut Figure, frame: &Frame, input: &TimelineInput) -> Option<Key> {
    let requested = input.autoscaler.map_or(1.0, |autoscaler| autoscaler.requested);
    let seen = |row: &TotalRow| Some((row.cpu_seen? * requested).clamp(0.0, 1.0));
    let seen = steps(input, seen);
    let level = seen.iter().rev().find_map(|sample| sample.1)?;
    figure.lines(marks::steps(frame, &seen, input.horizon.as_secs()), Ink::Orange, 1.5);
    let text = "as autoscaler sees".to_owned();
    Some(Key { y: frame.down(level), ink: Ink::Orange, sign: Sign::Line(1.5), text })
}
