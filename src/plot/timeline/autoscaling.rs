//! What the autoscaler saw, wanted and may want: a panel of its own, and a line in that of the CPU.

use super::input::TimelineInput;
use crate::observe::timeline::TotalRow;
use crate::plot::canvas::{Figure, Role};
use crate::plot::layout::lines::NamedLine;
use crate::plot::layout::{Frame, LegendEntry, PlotAxis, SeriesPoint, Swatch};

/// Height of the panel.
pub(crate) const HEIGHT: f64 = 64.0;

/// Whether there was an autoscaler.
pub(crate) fn is_there(input: &TimelineInput) -> bool {
    input.timeline.total.iter().any(|row| row.wanted.is_some())
}

/// A value at the end of each bin, where it changes.
fn steps(input: &TimelineInput, of: impl Fn(&TotalRow) -> Option<f64>) -> Vec<SeriesPoint> {
    let width = input.timeline.bin;
    let end = |row: &TotalRow| (row.start + width).min(input.horizon).as_secs();
    let rows = input.timeline.total.iter();
    let mut all: Vec<SeriesPoint> = rows.map(|row| (end(row), of(row))).collect();
    all.dedup_by(|next, kept| next.1 == kept.1);
    all
}

/// Replicas wanted and in rotation, as steps.
pub(crate) fn replicas(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    let wanted = steps(input, |row| row.wanted.map(|count| count as f64));
    let serving = steps(input, |row| Some(row.in_rotation as f64));
    let values = wanted.iter().chain(&serving).filter_map(|sample| sample.1);
    let most = input.autoscaler.map(|autoscaler| autoscaler.most as f64);
    frame.y = PlotAxis::count(values.chain(most).fold(1.0, f64::max) * 1.05, 3);
    frame.draw_levels(figure);
    let mut keys = Vec::new();
    if let Some(most) = most {
        let level = frame.down(most);
        figure.lines(vec![vec![(frame.left, level), (frame.right, level)]], Role::Muted, 0.8);
        let sign = Swatch::Line(0.8);
        keys.push(LegendEntry { y: level, role: Role::Muted, sign, text: "maximum".to_owned() });
    }
    let (ready, asked) = ((&serving, Role::Ready, 2.6), (&wanted, Role::Monitored, 1.3));
    for ((samples, role, width), name) in [(ready, "in rotation"), (asked, "wanted")] {
        let line = NamedLine::of(samples, role, width, name);
        keys.extend(line.draw_steps(figure, frame, input.horizon.as_secs()));
    }
    frame.draw_keys(figure, &keys);
}

/// The utilisation as the autoscaler saw it, in a frame of percents; its key, if it saw any.
pub(crate) fn seen(
    figure: &mut Figure,
    frame: &Frame,
    input: &TimelineInput,
) -> Option<LegendEntry> {
    let requested = input.autoscaler.map_or(1.0, |autoscaler| autoscaler.requested);
    let seen = |row: &TotalRow| Some((row.cpu_seen? * requested).clamp(0.0, 1.0));
    let seen = steps(input, seen);
    let line = NamedLine::of(&seen, Role::Orange, 1.5, "as autoscaler sees");
    line.draw_steps(figure, frame, input.horizon.as_secs())
}
