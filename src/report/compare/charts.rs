//! The charts of a comparison: paired differences, percentiles with a line for each variant, and
//! timelines on a common axis.

use crate::metric::{Metric, estimator};
use crate::observe::histogram::Histogram;
use crate::observe::timeline::{Timeline, TotalRow};
use crate::plot::Figure;
use crate::plot::forest::{ForestInput, ForestPanel, ForestRow, forest};
use crate::plot::overlay::{OverlayInput, OverlayPanel, PanelScale, overlay};
use crate::plot::percentile::{PercentileCurve, PercentileInput, Role, percentile};
use crate::report::availability::beside;
use crate::report::compare::contrast;
use crate::report::compare::report::CompareReport;
use crate::report::format::words::{distinct, grouped};
use crate::report::run::charts::bounds;
use crate::stats::paired::{self, Comparison};
use crate::study::compare::Contrast;
use crate::units::Instant;

/// Variants that a percentile plot can hold and still be read.
const CURVES: usize = 6;
/// Panels that a forest plot can hold.
const PANELS: usize = 6;
/// Points of a timeline: longer ones are taken together, the worst of each bin.
const POINTS: usize = 2_000;

/// The charts, each with the name of its files.
pub fn charts(report: &CompareReport) -> Vec<(&'static str, Figure)> {
    let mut charts = vec![("differences", differences(report))];
    charts.push(("percentiles", percentiles(report)));
    charts.extend(timelines(report).map(|figure| ("timelines", figure)));
    let rows = report.beside();
    let sample = format!("seed {}", report.variants[0].scenario.plan.run.seed);
    let budgets = beside::chart(report.prices.unit(), &sample, &rows);
    charts.extend(budgets.map(|figure| ("budgets", figure)));
    charts
}

fn differences(report: &CompareReport) -> Figure {
    let panels = report.contrasts.iter().filter(|contrast| is_shown(contrast)).take(PANELS);
    forest(&ForestInput {
        title: &title(report),
        subtitle: &format!(
            "Differences to {}, replication by replication; {}; 95 % intervals, pale: of \
             independent runs.",
            report.label(0),
            report.sample()
        ),
        panels: panels.map(|contrast| panel(report, contrast)).collect(),
    })
}

/// The median and p95 are in the tables.
fn is_shown(contrast: &Contrast) -> bool {
    contrast.metric != Metric::Latency(0.5) && contrast.metric != Metric::Latency(0.95)
}

/// What the comparison comes to: p99 of the run of each further variant.
fn title(report: &CompareReport) -> String {
    let p99 = report.contrasts.iter().find(|contrast| contrast.metric == Metric::P99);
    let said = |(index, found): (usize, &Option<Comparison>)| {
        let found = found.as_ref()?;
        let name = report.label(index + 1);
        let ratio = found.ratio.as_ref().map(|ratio| ratio.point);
        Some(match (found.call(), ratio) {
            (paired::Call::Less, Some(ratio)) if ratio < 0.1 => {
                format!("{} times lower with {name}", grouped(1.0 / ratio, 0))
            }
            (paired::Call::Less, Some(ratio)) => {
                format!("{:.0} % lower with {name}", 100.0 * (1.0 - ratio))
            }
            (paired::Call::Greater, Some(ratio)) if ratio >= 2.0 => {
                let decimals = usize::from(ratio < 10.0);
                format!("{} times as high with {name}", grouped(ratio, decimals))
            }
            (paired::Call::Greater, Some(ratio)) => {
                format!("{:.0} % higher with {name}", 100.0 * (ratio - 1.0))
            }
            _ => format!("too close to call with {name}"),
        })
    };
    let all = p99.into_iter().flat_map(|contrast| contrast.against.iter().enumerate());
    let parts: Vec<String> = all.filter_map(said).take(3).collect();
    match parts.is_empty() {
        true => format!("{} compared", report.variants.len()),
        false => format!("p99 against {}: {}", report.label(0), parts.join("; ")),
    }
}

fn panel(report: &CompareReport, contrast: &Contrast) -> ForestPanel {
    let found = || contrast.against.iter().flatten();
    let size = found().map(|found| found.difference.point.abs()).fold(0.0, f64::max);
    let (scale, unit) = contrast::unit(contrast.metric, size);
    let row = |(index, found): (usize, &Option<Comparison>)| {
        let found = found.as_ref()?;
        let scaled = |i: crate::stats::Interval| (i.low * scale, i.high * scale);
        let words = match found.call() {
            paired::Call::Equal => "the same in every replication".to_owned(),
            _ => contrast::difference(contrast.metric, &found.difference),
        };
        Some(ForestRow {
            label: report.full_name(index + 1),
            point: found.difference.point * scale,
            interval: found.difference.interval.map(scaled),
            unpaired: found.unpaired.map(scaled),
            words,
            call: found.call(),
        })
    };
    ForestPanel {
        metric: format!("{}, {}", contrast.metric.name(), contrast.window),
        unit: unit.to_owned(),
        better: contrast.metric.entry().better,
        rows: contrast.against.iter().enumerate().filter_map(row).collect(),
    }
}

fn percentiles(report: &CompareReport) -> Figure {
    let pooled: Vec<Histogram> = (report.runs.iter().take(CURVES))
        .map(|run| estimator::merged(&estimator::windows(&run.outcomes, 0)))
        .collect();
    let curve = |(index, histogram)| PercentileCurve {
        label: report.full_name(index),
        histogram,
        role: Role::Compared(index),
        band: None,
    };
    let bounds = report.variants.iter().flat_map(|v| bounds(&v.scenario.objectives, &[]));
    percentile(&PercentileInput {
        title: "Latency by percentile, one line for each variant",
        subtitle: &format!("The whole run; {}.", report.sample()),
        curves: pooled.iter().enumerate().map(curve).collect(),
        bounds: distinct(bounds),
    })
}

/// The first replication of every variant, which all have the same random numbers.
fn timelines(report: &CompareReport) -> Option<Figure> {
    let kept: Option<Vec<&Timeline>> = (report.runs.iter())
        .map(|run| run.outcomes.first().and_then(|outcome| outcome.timeline.as_ref()))
        .collect();
    let kept = kept.filter(|kept| !kept.is_empty())?;
    let ended = report.runs.iter().filter_map(|run| run.outcomes.first()).map(|o| o.ended);
    let names = (0..report.variants.len()).map(|index| report.full_name(index)).collect();
    Some(overlay(&OverlayInput {
        title: &title(report),
        subtitle: &format!(
            "The same moments in every variant: first replication; {}.",
            report.sample()
        ),
        names,
        panels: panels(&kept),
        rules: rules(report),
        warm_up: report.variants[0].scenario.plan.run.warm_up,
        horizon: ended.max().unwrap_or(Instant::ZERO),
    }))
}

fn panels(kept: &[&Timeline]) -> Vec<OverlayPanel> {
    let panel = |title: &str, scale, steps, value: &dyn Fn(&TotalRow) -> Option<f64>| {
        let series = kept.iter().map(|timeline| points(timeline, value)).collect();
        OverlayPanel { title: title.to_owned(), scale, steps, series }
    };
    let mut all = vec![
        panel("p99 latency of each bin", PanelScale::Latency, false, &|row| {
            row.latency.map(|latency| latency.p99.as_secs())
        }),
        panel("CPU in use", PanelScale::Share, false, &|row| row.cpu.map(|cpu| cpu.min(1.0))),
        panel("replicas in rotation", PanelScale::Count, true, &|row| Some(row.in_rotation as f64)),
    ];
    if kept.iter().flat_map(|timeline| &timeline.total).any(|row| row.failed() > 0) {
        let title = "failed requests in each bin";
        all.push(panel(title, PanelScale::Count, false, &|row| Some(row.failed() as f64)));
    }
    all
}

/// The values of a timeline, the greatest of several bins if there are very many.
fn points(
    timeline: &Timeline,
    value: &dyn Fn(&TotalRow) -> Option<f64>,
) -> Vec<(f64, Option<f64>)> {
    let together = timeline.total.len().div_ceil(POINTS).max(1);
    let greatest = |rows: &[TotalRow]| {
        let values = rows.iter().filter_map(value);
        (rows[0].start.as_secs(), values.reduce(f64::max))
    };
    timeline.total.chunks(together).map(greatest).collect()
}

/// When faults were injected in any variant.
fn rules(report: &CompareReport) -> Vec<(Instant, String)> {
    let injected = report.runs.iter().zip(report.variants).flat_map(|(run, variant)| {
        let incidents = run.outcomes.first().into_iter().flat_map(|outcome| &outcome.incidents);
        let name = |fault: usize| variant.scenario.plan.faults[fault].name.clone();
        incidents.map(move |incident| (incident.at, name(incident.fault)))
    });
    let mut all = distinct(injected);
    all.sort();
    all.truncate(12);
    all
}
