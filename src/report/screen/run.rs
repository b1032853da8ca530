//! The first screen of one experiment.

use super::sparkline::{letter_of, sparkline};
use super::{Screen, folded};
use crate::experiment::recovery::incidents::Recovery;
use crate::experiment::summary::FaultSummary;
use crate::metric::{Metric, Statistic};
use crate::observe::incident::Incident;
use crate::observe::outcome::Outcome;
use crate::observe::timeline::{Timeline, TotalRow};
use crate::plan::Plan;
use crate::report::caveats::caveat::Caveat;
use crate::report::format::words::{capitalised, plural, range_of, shown, span_range, whole};
use crate::report::run::report::Report;
use crate::report::run::{incidents, text};
use crate::units::{Instant, Span};

/// What is shown of the time before an incident and after it, as a share of its length, and at
/// least.
const AROUND: f64 = 0.5;
const AROUND_LEAST: Span = Span(15 * crate::units::SECOND);
/// A p99 that grows by no more than this is not worth a curve where requests failed.
const GROWN: f64 = 2.0;
/// Room for the label before a curve.
const LABEL: usize = 10;

/// The first screen.
pub fn screen(report: &Report, screen: &Screen<'_>) -> String {
    let verdict = text::verdict_only(report, screen.colour);
    let mut question = screen.paragraph(&report.scenario.question);
    if !report.scenario.changes.is_empty() {
        question += &screen.paragraph(&format!("with {}", report.scenario.changes.join(", ")));
    }
    let story: String = narrative(report).iter().map(|line| screen.paragraph(line)).collect();
    let picture = worst(report).and_then(|(outcome, incident)| {
        picture(&report.scenario.plan, outcome, incident, screen.width())
    });
    let parts = [Some(verdict), Some(question + &story), picture, Some(screen.more())];
    folded(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n"), screen.width())
}

/// What happened, who was hit and for how long, and whether it holds: a sentence or two each.
pub fn narrative(report: &Report) -> Vec<String> {
    let plan = &report.scenario.plan;
    let mut lines = match worst(report) {
        Some((outcome, incident)) => {
            let fault = report.summary.faults.get(incident.fault);
            let mut lines = vec![what_happened(plan, outcome, incident)];
            lines.extend(fault.map(|fault| who_was_hit(fault, report)));
            lines
        }
        None => vec![calm(report)],
    };
    lines.extend(holds(report));
    lines
}

/// The incident that hit most, with the replication that it is of.
fn worst<'r>(report: &'r Report) -> Option<(&'r Outcome, &'r Incident)> {
    let told = report.experiment.told()?;
    let hit = |incident: &&Incident| {
        let open = incident.service.is_none() && incident.normal_before;
        let lasted = if open { Span(u64::MAX) } else { incident.recovery().unwrap_or_default() };
        (incident.ledger.failed(), lasted, incident.taken)
    };
    // Of several alike the first.
    let worst = told.incidents.iter().rev().max_by_key(hit)?;
    Some((told, worst))
}

fn what_happened(plan: &Plan, outcome: &Outcome, incident: &Incident) -> String {
    let count = outcome.incidents.len() as u64 + outcome.incidents_unlisted;
    let fault = &plan.faults[incident.fault].fault;
    let lead = match count {
        1 => String::new(),
        _ => format!("{}; the worst: ", plural(count, "incident")),
    };
    let loss = incidents::loss(incident, fault).map(|text| format!(": {text}"));
    let what = format!("{lead}at {} {} {}", incident.at, incident.subject, fault.verb());
    format!("{}{}.", capitalised(&what), loss.unwrap_or_default())
}

/// What a fault did to clients, over all replications.
fn who_was_hit(fault: &FaultSummary, report: &Report) -> String {
    let all = report.experiment.outcomes.len() as u64;
    let mut parts = Vec::new();
    match fault.failed {
        Some((_, 0)) => parts.push("no request failed".to_owned()),
        Some((least, greatest)) => {
            let range = range_of(whole(least), whole(greatest));
            parts.push(format!("{range} requests failed"));
        }
        None => {}
    }
    let rose = fault.p99_before.zip(fault.p99_during);
    parts.extend(rose.map(|(before, during)| {
        format!("p99 went from {} to {}", span_range(before), span_range(during))
    }));
    parts.extend(until(&fault.recovery, "clients were served as before", "was still hit"));
    parts.extend(until(&fault.redundancy, "redundancy was back", "redundancy was not back"));
    let each = if all > 1 { format!("In {} ", seen(fault, all)) } else { String::new() };
    format!("{}.", capitalised(&format!("{each}{}", parts.join("; "))))
}

fn seen(fault: &FaultSummary, all: u64) -> String {
    match fault.replications as u64 == all {
        true => format!("each of {}", plural(all, "replication")),
        false => format!("{} of {}", fault.replications, plural(all, "replication")),
    }
}

/// After how long something was as before.
fn until(found: &Recovery, back: &str, not: &str) -> Vec<String> {
    let after = found.least.zip(found.greatest).map(|range| match range.1 {
        Span::ZERO => format!("{back} at once"),
        _ => format!("{back} after {}", span_range(range)),
    });
    let open = found.unrecovered;
    let open = (open > 0).then(|| {
        let of = plural(open, "incident");
        if not.starts_with("was") {
            format!("at the end of {of} somebody {not}")
        } else {
            format!("at the end of {of} {not}")
        }
    });
    after.into_iter().chain(open).collect()
}

/// A run without an incident.
fn calm(report: &Report) -> String {
    let run = report.experiment;
    let figure = |metric: Metric| {
        let found: Option<Statistic> = metric.estimate(&run.outcomes, 0, run.confidence);
        shown(found.as_ref())
    };
    let availability = Metric::Availability.estimate(&run.outcomes, 0, run.confidence);
    if availability.is_none() {
        return "Of no request it is known what became of it.".to_owned();
    }
    let answered = shown(availability.as_ref());
    let p99 = figure(Metric::SentLatency(0.99));
    let lead = match report.scenario.plan.faults.is_empty() {
        true => "No fault is in the scenario",
        false => "No fault struck",
    };
    format!("{lead}: {answered} of the requests were answered, p99 was {p99}.")
}

/// Whether it comes back, and what the rest can carry: what was found that bears on the decision.
fn holds(report: &Report) -> Vec<String> {
    let found = &report.summary.stability;
    let mut lines = Vec::new();
    if found.stuck.count > 0 {
        let (stuck, of) = (whole(found.stuck.count), plural(found.stuck.of, "replication"));
        lines.push(format!(
            "In {stuck} of {of} it did not come back once the trigger was gone: stuck."
        ));
    }
    let decides = |caveat: &&Caveat| {
        matches!(
            caveat,
            Caveat::NoSpare { .. }
                | Caveat::Overload { .. }
                | Caveat::RegionSpare { .. }
                | Caveat::SlowOverload { .. }
                | Caveat::OutOfMemory { .. }
                | Caveat::Interrupted { .. }
        )
    };
    let told = report.caveats.iter().filter(decides).take(1);
    lines.extend(told.map(|caveat| format!("{}.", capitalised(&caveat.text()))));
    lines
}

/// The course of an incident: p99, or the failed requests where that says more.
fn picture(plan: &Plan, outcome: &Outcome, incident: &Incident, width: usize) -> Option<String> {
    let timeline = outcome.timeline.as_ref()?;
    let (from, to) = around(incident, outcome.ended);
    let rows = rows(timeline, from, to);
    let grown = incident.p99_before.zip(incident.p99_during);
    let grown = grown.is_some_and(|(before, during)| during.as_secs() > GROWN * before.as_secs());
    let by_failed = !grown && incident.ledger.failed() > 0;
    let value = |row: &TotalRow| match by_failed {
        true => Some(row.failed() as f64 / timeline.bin.as_secs()),
        false => row.latency.map(|latency| latency.p99.as_secs()),
    };
    let values: Vec<Option<f64>> = rows.iter().map(value).collect();
    let shown = values.iter().flatten().copied();
    let (low, high) = (shown.clone().fold(f64::INFINITY, f64::min), shown.fold(0.0, f64::max));
    if rows.len() < 3 || !low.is_finite() {
        return None;
    }
    let range = match by_failed {
        true => format!("{} to {}/s", whole(low as u64), whole(high as u64)),
        false => format!("{} to {}", Span::from_secs(low), Span::from_secs(high)),
    };
    let letters = width.saturating_sub(LABEL + 4 + range.chars().count()).max(20);
    let curve = sparkline(&values, letters);
    let name = if by_failed { "failed" } else { "p99" };
    let strikes = rows.iter().position(|row| row.start + timeline.bin > incident.at)?;
    let below = below(plan, incident, letter_of(strikes, values.len(), letters), (from, to));
    Some(format!("  {name:<LABEL$}{curve}  {range}\n  {}\n", below.trim_end()))
}

/// The line below a curve: when it begins, where the fault struck.
fn below(
    plan: &Plan,
    incident: &Incident,
    column: usize,
    (from, to): (Instant, Instant),
) -> String {
    let verb = plan.faults[incident.fault].fault.verb();
    let mark = format!("^ {} {} {verb}", incident.at, incident.subject);
    let lead = format!("{from}–{to}");
    let room = LABEL + column;
    match lead.chars().count() < room {
        true => format!("{lead:<room$}{mark}"),
        false => format!("{}{mark}", " ".repeat(room)),
    }
}

/// What is shown of a run: the incident, with some time before and after it.
fn around(incident: &Incident, ended: Instant) -> (Instant, Instant) {
    let ends = [incident.normal, incident.service, incident.redundancy, incident.restored];
    let over = match incident.service.or(incident.normal) {
        Some(_) => ends.into_iter().flatten().max().unwrap_or(ended),
        None => ended,
    };
    let side = Span::from_secs(AROUND * over.since(incident.at).as_secs()).max(AROUND_LEAST);
    let from = Instant(incident.at.0.saturating_sub(side.0));
    (from, (over + side).min(ended))
}

fn rows(timeline: &Timeline, from: Instant, to: Instant) -> &[TotalRow] {
    let begins = timeline.total.partition_point(|row| row.start + timeline.bin <= from);
    let ends = timeline.total.partition_point(|row| row.start < to);
    &timeline.total[begins..ends.max(begins)]
}
