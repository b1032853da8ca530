//! The charts of a report: which there are, what they are called, and what their titles find.

use crate::experiment::recovery::incidents::Recovery;
use crate::metric::percentile::Among;
use crate::metric::{Dimension, Statistic, estimator};
use crate::objective::{Bound, Metric, Objective};
use crate::observe::failover::FailoverStep;
use crate::observe::histogram::Histogram;
use crate::observe::incident::Incident;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::observe::timeline::{BinTrace, Timeline, TotalRow};
use crate::plan::{Extent, Plan, RegionPlan, Routing};
use crate::plot::Figure;
use crate::plot::percentile::{self, PercentileCurve, PercentileInput, Role};
use crate::plot::timeline::{
    Autoscaler, Goal, RuleKind, TimelineBands, TimelineInput, TimelineRegion, TimelineRule,
    WaterfallInput, WaterfallStep, timeline, waterfall,
};
use crate::report::files::timeline::DASHBOARD_BUCKET;
use crate::report::format::words::{capitalised, plural, shown};
use crate::report::run::report::Report;
use crate::report::run::{cluster, recovery};
use crate::units::{Instant, Span};

/// Curves that a percentile plot can hold and still be read.
const CURVES: usize = 4;

/// The charts of a report, each with the name of its files.
pub fn charts(report: &Report) -> Vec<(&'static str, Figure)> {
    let mut charts = vec![("percentiles", percentiles(report))];
    charts.extend(incident_timeline(report).map(|figure| ("timeline", figure)));
    charts.extend(failover(report).map(|figure| ("failover", figure)));
    charts
}

/// The steps of the fail-overs of the first fault that led to any.
fn failover(report: &Report) -> Option<Figure> {
    let regions = report.scenario.plan.regions.as_ref()?;
    let by_dns = matches!(regions.manager.routing, Routing::Dns { .. });
    let mut all = report.summary.faults.iter();
    let (fault, found) = all.find_map(|fault| Some((fault, fault.failover.as_ref()?)))?;
    let took = |name: &str, of: &Recovery| {
        let longest = of.longest.as_ref();
        WaterfallStep {
            name: name.to_owned(),
            took: longest.map_or(0.0, |longest| longest.point),
            interval: longest.and_then(|longest| longest.interval).map(|it| (it.low, it.high)),
            is_open: of.unrecovered > 0,
            words: recovery::figure(of),
        }
    };
    let steps = found.steps.iter().filter(|step| step.took.longest.is_some());
    let steps = steps.map(|step| match step.step {
        FailoverStep::Switch if by_dns => took("DNS", &step.took),
        other => took(other.label(), &step.took),
    });
    let whole = took("RTO", &found.rto);
    let name = &fault.name;
    let title = match found.rto.unrecovered {
        0 => format!("After the fault {name:?} requests are answered again in {}", whole.words),
        count => {
            let open = plural(count, "incident");
            format!("Requests are not answered again at the end of {open} of {name:?}")
        }
    };
    let bound = |objective: &Objective| match (objective.metric, objective.bound) {
        (Metric::RTO, Bound::Span(bound)) => Some(bound.as_secs()),
        _ => None,
    };
    let subtitle = format!("{} {}; whiskers: 95 %.", report.scenario.sentence(), sample(report));
    Some(waterfall(&WaterfallInput {
        title: &title,
        subtitle: &subtitle,
        steps: steps.collect(),
        whole,
        goal: report.scenario.objectives.iter().find_map(bound),
    }))
}

fn incident_timeline(report: &Report) -> Option<Figure> {
    with_timeline(report, timeline)
}

/// What `of` makes of the timeline of the replication that is told, if it was kept.
pub(crate) fn with_timeline<T>(report: &Report, of: impl FnOnce(&TimelineInput) -> T) -> Option<T> {
    let plan = &report.scenario.plan;
    let outcome = report.experiment.told()?;
    let kept = outcome.timeline.as_ref()?;
    Some(of(&TimelineInput {
        title: &timeline_title(report, outcome, kept),
        subtitle: &format!("{} {}", report.scenario.sentence(), told(report, outcome)),
        timeline: kept,
        bands: bands(report),
        monitored: kept.monitored(DASHBOARD_BUCKET),
        capacity_per_replica: plan.saturation(),
        regions: regions(plan),
        autoscaler: plan.autoscaling.as_ref().map(|autoscaling| Autoscaler {
            most: plan.most_replicas(),
            requested: autoscaling.request_milli as f64 / 1e3 / plan.gateway.cores.0,
        }),
        rules: rules(plan, outcome),
        goals: goals(report, &outcome.incidents, outcome.ended),
        warm_up: plan.run.warm_up,
        horizon: outcome.ended,
    }))
}

/// What the timeline shows of several regions.
fn regions(plan: &Plan) -> Vec<TimelineRegion> {
    let regions = plan.regions.iter().flat_map(|regions| &regions.all);
    let one = |region: &RegionPlan| TimelineRegion {
        name: region.name.clone(),
        capacity_per_replica: region.gateway.saturation(),
    };
    regions.map(one).collect()
}

/// Which replication is drawn, of how many, and what the light areas are.
fn told(report: &Report, outcome: &Outcome) -> String {
    let (which, seed) = (outcome.replication, report.scenario.plan.run.seed);
    let all = report.experiment.outcomes.len();
    match bands(report) {
        _ if all < 2 => format!("One replication, seed {seed}."),
        Some(bands) => {
            let part = if bands.is_all { "all" } else { "80 % of the first" };
            format!(
                "Replication {which} of {all}, seed {seed}; light: {part} {}.",
                bands.replications
            )
        }
        None => format!("Replication {which} of {all}, seed {seed}."),
    }
}

/// How far replications differ, bin by bin.
fn bands(report: &Report) -> Option<TimelineBands> {
    let traces = report.experiment.outcomes.iter().map(|outcome| &outcome.trace[..]);
    let traces: Vec<&[BinTrace]> = traces.filter(|trace| !trace.is_empty()).collect();
    TimelineBands::of(&traces, report.scenario.plan.run.bin)
}

/// The mean over replications of what failed after warm-up, with its interval.
fn mean_failed(report: &Report) -> String {
    let run = report.experiment;
    let failed = |outcome: &Outcome| outcome.windows[0].ledger.failed() as f64;
    let counts: Vec<f64> = run.outcomes.iter().map(failed).collect();
    match Statistic::mean(Dimension::Count, &counts, run.confidence) {
        Some(mean) if mean.point == 1.0 => "1 failed request".to_owned(),
        mean => format!("{} failed requests", shown(mean.as_ref())),
    }
}

/// How many replications there are, and from which seed.
fn sample(report: &Report) -> String {
    let count = plural(report.experiment.outcomes.len() as u64, "replication");
    format!("{count}, seed {}", report.scenario.plan.run.seed)
}

/// What happened, in one line: of all replications, with the interval.
fn timeline_title(report: &Report, outcome: &Outcome, timeline: &Timeline) -> String {
    let plan = &report.scenario.plan;
    let failed: u64 = timeline.total.iter().map(TotalRow::failed).sum();
    let failures = match report.experiment.outcomes.len() {
        1 => plural(failed, "failed request"),
        _ => mean_failed(report),
    };
    match &outcome.incidents[..] {
        [] => calm_title(failed, &outcome.windows[0].latency),
        [one] => {
            let fault = &plan.faults[one.fault].fault;
            let what = format!("{} {} at {}", one.subject, fault.verb(), one.at);
            let failover = report.summary.faults.iter().find_map(|fault| fault.failover.as_ref());
            let recovery = &report.summary.gateway.recovery;
            let service = match &recovery.longest {
                _ if failover.is_some_and(|found| found.rto.unrecovered == 0) => {
                    let rto = failover.map(|found| recovery::figure(&found.rto));
                    format!("answered again after {}", rto.unwrap_or_default())
                }
                _ if recovery.abnormal > 0 => "not normal before".to_owned(),
                Some(longest) if longest.point == 0.0 => "service restored at once".to_owned(),
                Some(longest) if recovery.unrecovered == 0 => {
                    format!("service restored after {}", shown(Some(longest)))
                }
                _ => "clients still hit at the end".to_owned(),
            };
            capitalised(&format!("{what}: {failures}, {service}"))
        }
        many => {
            let count = many.len() as u64 + outcome.incidents_unlisted;
            let length = outcome.ended.since(Instant::ZERO);
            format!("{} in {length}: {failures}", plural(count, "incident"))
        }
    }
}

/// What a run without incidents came to.
fn calm_title(failed: u64, latency: &Histogram) -> String {
    let told = match failed {
        0 => "no request failed".to_owned(),
        some => plural(some, "failed request"),
    };
    let slowest = latency.quantile(0.99).map(|time| format!(", 99 % took at most {time}"));
    let lead = if failed == 0 { "No incident" } else { "No fault was injected" };
    format!("{lead}: {told}{}", slowest.unwrap_or_default())
}

/// The moments of the incidents (injection, removal of the addresses, end), and the decisions of
/// the autoscaler.
fn rules(plan: &Plan, outcome: &Outcome) -> Vec<TimelineRule> {
    let incidents = &outcome.incidents;
    let several = incidents.len() > 1;
    let decided = |(at, label)| TimelineRule { at, label, kind: RuleKind::Decided };
    let decisions = cluster::decisions(plan, &outcome.journal).into_iter().map(decided);
    let moments = incidents.iter().flat_map(|incident| rules_of(plan, incident, several));
    moments.chain(decisions).collect()
}

/// The moments of one incident; those of several say whose they are.
fn rules_of(plan: &Plan, incident: &Incident, several: bool) -> Vec<TimelineRule> {
    let fault = &plan.faults[incident.fault].fault;
    let rule = |at, label: String, kind| TimelineRule { at, label, kind };
    let mut rules =
        vec![rule(incident.at, format!("{} {}", incident.subject, fault.verb()), RuleKind::Fault)];
    let out = incident.out_of_rotation.filter(|out| out.since(incident.at) >= Span::from_secs(5.0));
    let whose = if several { format!("{}: ", incident.subject) } else { String::new() };
    rules.extend(out.map(|at| rule(at, format!("{whose}out of rotation"), RuleKind::Detected)));
    let restored = |of: Option<Instant>, what: &str| {
        let later = of.filter(|at| *at > incident.at);
        later.map(|at| rule(at, format!("{whose}{what} restored"), RuleKind::Recovered))
    };
    let back = incident.rollout.and_then(|course| course.rolled_back);
    rules.extend(back.map(|at| rule(at, format!("{whose}rolled back"), RuleKind::Decided)));
    rules.extend(restored(incident.service.filter(|_| incident.normal_before), "service"));
    rules.extend(restored(incident.redundancy, "redundancy"));
    rules
}

/// The latency objectives over the whole run; if there are none, those over parts of it.
fn goals(report: &Report, incidents: &[Incident], ended: Instant) -> Vec<Goal> {
    let plan = &report.scenario.plan;
    let (mut whole, mut partial) = (Vec::new(), Vec::new());
    let of_all = |objective: &&Objective| plan.windows[objective.window].api.is_none();
    for objective in report.scenario.objectives.iter().filter(of_all) {
        match plan.windows[objective.window].extent {
            Extent::Run => whole.extend(goal(objective, (plan.run.warm_up, ended), true)),
            Extent::Between(from, to) => partial.extend(goal(objective, (from, to), true)),
            Extent::During(fault) => {
                let lasted = lasted(fault, incidents, ended).enumerate();
                partial.extend(lasted.filter_map(|(nth, time)| goal(objective, time, nth == 0)));
            }
        }
    }
    if whole.is_empty() { partial } else { whole }
}

/// From when to when each incident of a fault lasted.
fn lasted(
    fault: usize,
    incidents: &[Incident],
    ended: Instant,
) -> impl Iterator<Item = (Instant, Instant)> {
    let of_it = incidents.iter().filter(move |incident| incident.fault == fault);
    of_it.map(move |incident| (incident.at, incident.normal.unwrap_or(ended)))
}

fn goal(objective: &Objective, (from, to): (Instant, Instant), named: bool) -> Option<Goal> {
    let Bound::Span(bound) = objective.bound else { return None };
    if !objective.metric.is_latency() {
        return None;
    }
    let quantile = objective.metric.quantile();
    let label = if named { without_period(&objective.text).to_owned() } else { String::new() };
    Some(Goal { label, quantile, bound, from, to })
}

/// An objective without the part of the run, which its place in the picture tells.
fn without_period(text: &str) -> &str {
    let ends = [" during ", " from "].into_iter().filter_map(|word| text.find(word));
    text[..ends.min().unwrap_or(text.len())].trim_end()
}

fn percentiles(report: &Report) -> Figure {
    let plan = &report.scenario.plan;
    let outcomes = &report.experiment.outcomes;
    let pooled: Vec<Histogram> =
        (0..plan.windows.len()).map(|window| pooled(report, window)).collect();
    let shown = |window: &usize| plan.windows[*window].api.is_none() && pooled[*window].count() > 0;
    let chosen: Vec<usize> = (0..plan.windows.len()).filter(shown).take(CURVES).collect();
    let curve = |window: &usize| PercentileCurve {
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
            report.scenario.sentence(),
            sample(report)
        ),
        curves: chosen.iter().map(curve).collect(),
        bounds: bounds(&report.scenario.objectives, &estimator::windows(outcomes, 0)),
    })
}

fn pooled(report: &Report, window: usize) -> Histogram {
    estimator::merged(&estimator::windows(&report.experiment.outcomes, window))
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
            format!("Half of the served requests take at most {half}, 99 % at most {most}")
        }
        _ => "No request was served".to_owned(),
    }
}

/// The latency objectives over the whole run, each at its place among the requests that were served
/// in these windows, if there are any. One of all that were sent has none where more failed than it
/// leaves out.
pub(crate) fn bounds(
    objectives: &[Objective],
    windows: &[&WindowOutcome],
) -> Vec<percentile::LatencyBound> {
    let count = |among: Among| windows.iter().map(|w| among.count(w)).sum::<u64>() as f64;
    let (sent, served) = (count(Among::Sent), count(Among::Served));
    let more = if served > 0.0 { sent / served } else { 1.0 };
    let bound = |objective: &Objective| match objective.bound {
        Bound::Span(latency) if objective.window == 0 => {
            let quantile = match objective.metric {
                Metric::SentLatency(quantile) => quantile * more,
                metric => metric.quantile()?,
            };
            Some(percentile::LatencyBound { quantile, latency }).filter(|_| quantile < 1.0)
        }
        _ => None,
    };
    objectives.iter().filter_map(bound).collect()
}
