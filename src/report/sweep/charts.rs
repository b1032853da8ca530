//! The charts of a sweep: which there are, and what they show.

use crate::metric::Statistic;
use crate::objective::{Bound, Metric, Objective};
use crate::observe::histogram::Histogram;
use crate::plan::{Plan, Traffic};
use crate::plot::Figure;
use crate::plot::heatmap::{HeatmapCell, HeatmapInput, heatmap};
use crate::plot::hockey::{HockeyInput, HockeyLine, HockeyPoint, hockey};
use crate::plot::percentile::{PercentileCurve, PercentileInput, Role, percentile};
use crate::report::format::words::NOTHING;
use crate::report::run::charts::bounds;
use crate::report::sweep::ladder::{Ladder, Scale, ladders};
use crate::report::sweep::report::{DRAWN_WHOLE, Row, SweepReport};
use crate::report::sweep::titles;
use crate::report::sweep::usable::usable;
use crate::study::variation::Axis;
use crate::units::Span;
use crate::verdict::Overall;

/// Lines that a chart can hold and still be read.
pub(crate) const LINES: usize = DRAWN_WHOLE;
/// The percentiles of a chart with a line for each.
const PERCENTILES: [Metric; 3] = [Metric::Latency(0.5), Metric::Latency(0.95), Metric::P99];

/// A kind of chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Latency over the setting of this index.
    Latency(usize),
    /// A cell for each choice of two settings, the one of this index across.
    Map(usize),
    /// The distribution of latency for each value.
    Percentiles,
}

/// The charts, each with the name of its files.
pub fn charts(report: &SweepReport) -> Vec<(&'static str, Figure)> {
    if report.rows.is_empty() {
        return Vec::new();
    }
    let draw = |kind: Kind| match kind {
        Kind::Latency(axis) => Some(("latency", latency(report, axis)?)),
        Kind::Map(axis) => Some(("map", map(report, axis))),
        Kind::Percentiles => Some(("percentiles", percentiles(report))),
    };
    kinds(&report.axes).into_iter().filter_map(draw).collect()
}

/// Whether there is a chart for settings that vary in this way.
pub(crate) fn is_drawn(axes: &[Axis]) -> bool {
    !kinds(axes).is_empty()
}

/// Which charts show settings that vary in this way. Of more than two settings, or of many that are
/// no numbers, none does.
fn kinds(axes: &[Axis]) -> Vec<Kind> {
    let scales: Vec<Option<Scale>> = axes.iter().map(Scale::of).collect();
    let is_load = |axis: usize| scales[axis].as_ref().is_some_and(|scale| scale.is_load);
    let count = |axis: usize| axes[axis].values.len();
    match axes.len() {
        1 if scales[0].is_some() => vec![Kind::Latency(0)],
        1 if count(0) <= LINES => vec![Kind::Percentiles],
        2 => {
            let drawable = |axis: &usize| scales[*axis].is_some() && count(1 - *axis) <= LINES;
            let best = (0..2).filter(drawable).max_by_key(|axis| (is_load(*axis), count(*axis)));
            let numbers = scales.iter().all(Option::is_some);
            let mut kinds: Vec<Kind> = best.map(Kind::Latency).into_iter().collect();
            if numbers || best.is_none() || (0..2).any(|axis| count(axis) > LINES) {
                let across = (0..2).max_by_key(|axis| (is_load(*axis), count(*axis)));
                kinds.push(Kind::Map(across.unwrap_or(0)));
            }
            kinds
        }
        _ => Vec::new(),
    }
}

/// What a setting is, with its unit.
pub(crate) fn caption(axis: &Axis, scale: Option<&Scale>) -> String {
    match scale {
        Some(scale) if scale.is_load => "offered load (requests/s)".to_owned(),
        Some(scale) if !scale.unit.is_empty() => {
            format!("{} ({})", axis.path, scale.unit.trim_start())
        }
        _ => axis.path.clone(),
    }
}

fn subtitle(report: &SweepReport) -> String {
    let question = report.grid.first.sentence();
    format!("{question} {}.", report.sample())
}

fn latency(report: &SweepReport, axis: usize) -> Option<Figure> {
    let scale = Scale::of(&report.axes[axis])?;
    let begins_sessions = report.grid.first.plan.requests_per_arrival() > 1.0;
    let scale = match scale.is_load && begins_sessions {
        // Not to be compared with the requests that are served.
        true => Scale { unit: " sessions/s".to_owned(), is_load: false, ..scale },
        false => scale,
    };
    let mut all = ladders(report, axis, &scale);
    // Of labels that begin alike the shorter comes first, so that each is found by its beginning.
    all.sort_by_key(|ladder| ladder.name.len());
    let single = report.axes.len() == 1;
    let lines = if single { percentile_lines(&all) } else { p99_lines(&all) };
    let throughput = all.iter().map(|ladder| HockeyLine {
        label: if single { "served".to_owned() } else { titles::short(&ladder.name) },
        points: points(ladder, |row| row.get(0, Metric::Throughput)),
    });
    let plan = &report.grid.first.plan;
    let usable = usable(report).into_iter().next().filter(|usable| single && !usable.is_last);
    let usable = usable.and_then(|usable| usable.upto);
    Some(hockey(&HockeyInput {
        title: &titles::of_ladders(report, axis, &scale, &all),
        subtitle: &subtitle(report),
        x_label: &caption(&report.axes[axis], Some(&scale)),
        lines,
        objectives: levels(report, single),
        usable: usable.map(|upto| (upto, format!("usable up to {}", scale.show(upto)))),
        throughput: throughput.filter(|_| scale.is_load).collect(),
        is_load: scale.is_load && has_one_rate(plan),
    }))
}

fn has_one_rate(plan: &Plan) -> bool {
    let Traffic::Process(process) = &plan.traffic else { return false };
    process.corners.windows(2).all(|pair| pair[0].1 == pair[1].1)
}

fn percentile_lines(ladders: &[Ladder]) -> Vec<HockeyLine> {
    let line = |ladder: &Ladder, metric: Metric| HockeyLine {
        label: metric.name().into_owned(),
        points: points(ladder, move |row| row.get(0, metric)),
    };
    let all = ladders.iter().take(1);
    all.flat_map(|ladder| PERCENTILES.map(|percentile| line(ladder, percentile))).collect()
}

fn p99_lines(ladders: &[Ladder]) -> Vec<HockeyLine> {
    let line = |ladder: &Ladder| HockeyLine {
        label: format!("{}, p99", titles::short(&ladder.name)),
        points: points(ladder, |row| row.get(0, Metric::P99)),
    };
    ladders.iter().map(line).collect()
}

fn points<'r>(
    ladder: &Ladder<'r>,
    figure: impl Fn(&'r Row) -> Option<&'r Statistic>,
) -> Vec<HockeyPoint> {
    let point = |(x, row): &(f64, &'r Row)| {
        let figure = figure(row);
        HockeyPoint {
            x: *x,
            y: figure.map(|figure| figure.point),
            interval: figure.and_then(|f| f.interval).map(|interval| (interval.low, interval.high)),
            settled: row.is_settled(),
        }
    };
    ladder.steps.iter().map(point).collect()
}

/// The latencies that the objectives allow over the whole run: all of them, or those on p99.
fn levels(report: &SweepReport, all: bool) -> Vec<(String, f64)> {
    let objectives = &report.grid.first.objectives;
    let level = |objective: &Objective| {
        let is_p99 = objective.metric.quantile() == Some(0.99);
        let drawn = is_p99 || all && objective.metric.is_latency();
        match objective.bound {
            Bound::Span(bound) if drawn && objective.window == 0 => {
                Some((objective.text.clone(), bound.as_secs()))
            }
            _ => None,
        }
    };
    objectives.iter().filter_map(level).collect()
}

fn map(report: &SweepReport, across: usize) -> Figure {
    let up = 1 - across;
    let (x, y) = (Steps::of(&report.axes[across]), Steps::of(&report.axes[up]));
    let at = |column: usize, row: usize| {
        let mut place = [0, 0];
        (place[across], place[up]) = (x.order[column], y.order[row]);
        let found = report.rows.iter().find(|row| report.place(row.cell) == place);
        found.map_or_else(nothing, map_cell)
    };
    let rows = 0..y.order.len();
    let unsettled = match report.rows.iter().all(Row::is_settled) {
        true => "",
        false => " ~: depends on how long the run is.",
    };
    let cells = rows.flat_map(|row| (0..x.order.len()).map(move |column| (column, row)));
    heatmap(&HeatmapInput {
        title: &titles::of_map(report),
        subtitle: &format!("{}{unsettled}", subtitle(report)),
        x_label: &x.caption,
        cells: cells.map(|(column, row)| at(column, row)).collect(),
        x: x.names,
        y_label: &y.caption,
        y: y.names,
        quantity: "p99 latency",
        log: true,
    })
}

/// The values of a setting in the order of a map: numbers from the least on.
struct Steps {
    caption: String,
    order: Vec<usize>,
    names: Vec<String>,
}

impl Steps {
    fn of(axis: &Axis) -> Steps {
        let scale = Scale::of(axis);
        let mut order: Vec<usize> = (0..axis.values.len()).collect();
        if let Some(scale) = &scale {
            order.sort_by(|a, b| scale.values[*a].total_cmp(&scale.values[*b]));
        }
        let name = |index: &usize| match &scale {
            Some(scale) => scale.bare(scale.values[*index]),
            None => axis.values[*index].clone(),
        };
        Steps {
            caption: caption(axis, scale.as_ref()),
            names: order.iter().map(name).collect(),
            order,
        }
    }
}

fn nothing() -> HeatmapCell {
    HeatmapCell { value: None, text: NOTHING.to_owned(), verdict: Overall::NoObjectives }
}

fn map_cell(row: &Row) -> HeatmapCell {
    let verdict = row.overall;
    let Some(p99) = row.get(0, Metric::P99) else { return HeatmapCell { verdict, ..nothing() } };
    let mark = if row.is_settled() { "" } else { "~" };
    let text = format!("{mark}{}", Span::from_secs(p99.point));
    HeatmapCell { value: Some(p99.point), text, verdict }
}

fn percentiles(report: &SweepReport) -> Figure {
    let pooled: Vec<Histogram> = report.rows.iter().map(Row::latency).collect();
    let rows = report.rows.iter().zip(&pooled).enumerate();
    let curves = rows.map(|(index, (row, histogram))| PercentileCurve {
        label: report.values(row.cell).join(", "),
        histogram,
        role: Role::Compared(index),
        band: (row.latencies.len() > 1).then(|| row.latencies.iter().collect()),
    });
    let objectives = &report.grid.first.objectives;
    percentile(&PercentileInput {
        title: &titles::of_extremes(report),
        subtitle: &format!("{} Bands: least to greatest.", subtitle(report)),
        curves: curves.collect(),
        bounds: bounds(objectives, &[]),
    })
}

#[cfg(test)]
#[path = "charts_tests.rs"]
mod tests;
