//! What timelines laid over each other show, and that in words.

use crate::plot::layout::{SeriesPoint, si};
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

/// The rules before the end of the run.
pub(crate) fn rules<'a>(input: &'a OverlayInput) -> impl Iterator<Item = &'a (Instant, String)> {
    input.rules.iter().filter(|rule| rule.0 <= input.horizon)
}

/// The samples that have a place, in order of time.
pub(crate) fn sound(samples: &[SeriesPoint], scale: PanelScale) -> Vec<SeriesPoint> {
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
pub(crate) fn words(input: &OverlayInput) -> String {
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
            series.map(|(name, samples)| course(name, samples, panel.scale)).collect();
        text += &if told.is_empty() { " nothing.".to_owned() } else { told.join(";") + "." };
    }
    text
}

/// Least, greatest and last value of a variant.
fn course(name: &str, samples: &[SeriesPoint], scale: PanelScale) -> String {
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
