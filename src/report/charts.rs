//! The charts of a report: which there are, what they are called, and what their titles find.

use super::Report;
use super::incidents::verb;
use super::words::plural;
use crate::model::plan::{Extent, Plan};
use crate::objective::{Bound, Metric, Objective};
use crate::observe::histogram::Histogram;
use crate::observe::incident::Incident;
use crate::plot::Figure;
use crate::plot::percentile::{self, Curve, PercentileInput, Role};
use crate::plot::timeline::{Rule, RuleKind, TimelineInput, timeline};
use crate::units::Span;

/// The dashboard's buckets: the product shows its metrics per minute.
pub const DASHBOARD_BUCKET: Span = Span(60_000_000_000);

/// Curves that a percentile plot can hold and still be read.
const CURVES: usize = 4;

/// The charts of a report, each with the name of its files.
pub fn charts(report: &Report) -> Vec<(&'static str, Figure)> {
    let mut charts = vec![("percentiles", percentiles(report))];
    charts.extend(incident_timeline(report).map(|figure| ("timeline", figure)));
    charts
}

fn incident_timeline(report: &Report) -> Option<Figure> {
    let plan = &report.scenario.plan;
    let outcome = report.experiment.outcomes.first()?;
    let kept = outcome.timeline.as_ref()?;
    Some(timeline(&TimelineInput {
        title: &timeline_title(report, &outcome.incidents),
        subtitle: &format!("{} First of {}.", report.scenario.question, sample(report)),
        timeline: kept,
        monitored: kept.monitored(DASHBOARD_BUCKET),
        capacity_per_replica: plan.saturation(),
        rules: outcome.incidents.iter().flat_map(|incident| rules(plan, incident)).collect(),
        objective: latency_objective(&report.scenario.objectives),
        warm_up: plan.run.warm_up,
        horizon: outcome.ended,
    }))
}

/// How many replications there are, and from which seed.
fn sample(report: &Report) -> String {
    let count = plural(report.experiment.outcomes.len() as u64, "replication");
    format!("{count}, seed {}", report.scenario.plan.run.seed)
}

/// What happened, in one line.
fn timeline_title(report: &Report, incidents: &[Incident]) -> String {
    let plan = &report.scenario.plan;
    match incidents {
        [] => report.scenario.question.clone(),
        [one] => {
            let what =
                format!("{} {} at {}", one.subject, verb(&plan.faults[one.fault].fault), one.at);
            let end = one.recovery().map(|time| format!("back to normal after {time}"));
            let end = end.unwrap_or_else(|| "not over by the end".to_owned());
            capitalised(&format!(
                "{what}: {}, {end}",
                plural(one.ledger.failed(), "failed request")
            ))
        }
        many => {
            let failed: u64 = many.iter().map(|incident| incident.ledger.failed()).sum();
            let count = plural(many.len() as u64, "incident");
            format!("{count}: {} while they lasted", plural(failed, "failed request"))
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// The moments of an incident: strike, removal of the addresses, end.
fn rules(plan: &Plan, incident: &Incident) -> Vec<Rule> {
    let fault = &plan.faults[incident.fault].fault;
    let rule = |at, label: String, kind| Rule { at, label, kind };
    let mut rules =
        vec![rule(incident.at, format!("{} {}", incident.subject, verb(fault)), RuleKind::Fault)];
    let out = incident.out_of_rotation.filter(|out| out.since(incident.at) >= Span::from_secs(5.0));
    rules.extend(out.map(|at| rule(at, "out of rotation".to_owned(), RuleKind::Detected)));
    let normal = incident.normal.map(|at| (at, "back to normal"));
    rules.extend(normal.map(|(at, label)| rule(at, label.to_owned(), RuleKind::Recovered)));
    rules
}

/// The tightest latency objective over the whole run, else over any window.
fn latency_objective(objectives: &[Objective]) -> Option<(String, Span)> {
    let bound = |objective: &Objective| match (objective.metric, objective.bound) {
        (Metric::Latency(_) | Metric::MeanLatency, Bound::Span(span)) => Some(span),
        _ => None,
    };
    let found = objectives.iter().filter_map(|o| Some((o.window != 0, bound(o)?, o)));
    let (_, span, objective) = found.min_by_key(|(part, span, _)| (*part, *span))?;
    Some((objective.text.clone(), span))
}

fn percentiles(report: &Report) -> Figure {
    let plan = &report.scenario.plan;
    let outcomes = &report.experiment.outcomes;
    let pooled: Vec<Histogram> =
        (0..plan.windows.len()).map(|window| pool(report, window)).collect();
    let shown = |window: &usize| pooled[*window].count() > 0;
    let chosen: Vec<usize> = (0..plan.windows.len()).filter(shown).take(CURVES).collect();
    let curve = |window: &usize| Curve {
        label: plan.windows[*window].label.clone(),
        histogram: &pooled[*window],
        role: role(plan.windows[*window].extent, *window),
        band: (outcomes.len() > 1)
            .then(|| outcomes.iter().map(|outcome| &outcome.windows[*window].latency).collect()),
    };
    percentile::percentile(&PercentileInput {
        title: &percentile_title(&pooled[0]),
        subtitle: &format!(
            "{} {}; bands: least to greatest.",
            report.scenario.question,
            sample(report)
        ),
        curves: chosen.iter().map(curve).collect(),
        bounds: bounds(&report.scenario.objectives),
    })
}

fn pool(report: &Report, window: usize) -> Histogram {
    let mut pooled = Histogram::default();
    for outcome in &report.experiment.outcomes {
        pooled.merge(&outcome.windows[window].latency);
    }
    pooled
}

fn role(extent: Extent, window: usize) -> Role {
    match extent {
        Extent::Run => Role::Run,
        Extent::During(_) if window == 1 => Role::During,
        _ => Role::Compared(window),
    }
}

fn percentile_title(all: &Histogram) -> String {
    match (all.quantile(0.5), all.quantile(0.99)) {
        (Some(half), Some(most)) => {
            format!("Half of the requests take at most {half}, 99 % at most {most}")
        }
        _ => "No request was answered".to_owned(),
    }
}

fn bounds(objectives: &[Objective]) -> Vec<percentile::Bound> {
    let bound = |objective: &Objective| match (objective.metric, objective.bound) {
        (Metric::Latency(quantile), Bound::Span(latency)) if objective.window == 0 => {
            Some(percentile::Bound { quantile, latency })
        }
        _ => None,
    };
    objectives.iter().filter_map(bound).collect()
}
