//! Incidents in words.

use crate::experiment::summary::FaultSummary;
use crate::observe::State;
use crate::observe::incident::Incident;
use crate::observe::ledger::{Failure, Ledger};
use crate::plan::Plan;
use crate::report::format::words::{NOTHING, plural, range_of, span_range, whole};
use crate::units::{Instant, Share, Span, three_digits};

/// One incident: when, who, what it meant for the others, for requests, and until when.
/// `all` are those of the same replication: what failed while several lasted belongs to none alone.
pub(crate) fn sentence(
    plan: &Plan,
    incident: &Incident,
    all: &[Incident],
    ended: Instant,
) -> String {
    let fault = &plan.faults[incident.fault].fault;
    let mut parts = vec![format!("{} {}", incident.subject, fault.verb())];
    parts.extend(loss(incident).filter(|_| fault.takes_replicas()));
    parts.extend(latency(incident));
    parts.push(failures(&incident.ledger) + shared(plan, incident, all, ended).as_str());
    parts.extend(replacement(incident));
    parts.push(end(incident, ended));
    parts.join("; ")
}

/// What the loss of replicas meant for the survivors, and for how long.
fn loss(incident: &Incident) -> Option<String> {
    let (before, least) = (incident.serving_before, incident.serving_least);
    if least >= before {
        return None;
    }
    let kept = match least {
        0 => format!("none of {} kept serving", plural(before as u64, "replica")),
        _ => format!("{least} of {before} replicas kept serving"),
    };
    let out = incident.out_of_rotation.filter(|out| *out > incident.at);
    let noticed = out.map(|out| format!("out of rotation after {}", out.since(incident.at)));
    let surge = incident.surge().map(|surge| surge_text(surge, incident));
    Some([Some(kept), noticed, surge].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn surge_text(surge: f64, incident: &Incident) -> String {
    let length = incident.restored.map(|_| format!(" for {}", incident.fewer));
    format!("survivors' load ×{}{}", three_digits(surge), length.unwrap_or_default())
}

fn latency(incident: &Incident) -> Option<String> {
    match (incident.p99_before, incident.p99_during) {
        (Some(before), Some(during)) => Some(format!("p99 {before} → {during}")),
        (None, Some(during)) => Some(format!("p99 {during}")),
        (Some(before), None) => Some(format!("p99 {before} → {NOTHING}")),
        (None, None) => None,
    }
}

/// Which other incidents the failures of this one are shared with.
fn shared(plan: &Plan, incident: &Incident, all: &[Incident], ended: Instant) -> String {
    let until = |incident: &Incident| incident.normal.unwrap_or(ended);
    let overlaps = |other: &&Incident| {
        **other != *incident && other.at < until(incident) && incident.at < until(other)
    };
    let mut names: Vec<&str> =
        all.iter().filter(overlaps).map(|other| plan.faults[other.fault].name.as_str()).collect();
    names.dedup();
    match names.len() {
        0 => String::new(),
        _ if incident.ledger.failed() == 0 => String::new(),
        _ => format!(" (shared with {})", names.join(", ")),
    }
}

fn failures(ledger: &Ledger) -> String {
    let failed = told(ledger, false).unwrap_or_else(|| "no request failed".to_owned());
    [Some(failed), told(ledger, true)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How many requests failed, or were rejected, and how.
fn told(ledger: &Ledger, rejected: bool) -> Option<String> {
    let count = |kind: &Failure| ledger.failed_by(*kind);
    let kinds: Vec<_> = (Failure::ALL.iter())
        .filter(|kind| kind.is_rejection() == rejected && count(kind) > 0)
        .map(|kind| (count(kind), kind.label()))
        .collect();
    let requests = plural(kinds.iter().map(|(count, _)| count).sum(), "request");
    match &kinds[..] {
        [] => None,
        [(_, label)] => Some(format!("{requests} {label}")),
        _ => {
            let each = kinds.iter().map(|(count, label)| format!("{} {label}", whole(*count)));
            let what = if rejected { "rejected" } else { "failed" };
            Some(format!("{requests} {what} ({})", each.collect::<Vec<_>>().join(", ")))
        }
    }
}

/// The phases of the slowest replacement that took time.
fn replacement(incident: &Incident) -> Option<String> {
    let took = incident.phases.iter().filter(|(_, span)| *span > Span::ZERO);
    let phases: Vec<_> = took.map(|(state, span)| format!("{} {span}", phase(*state))).collect();
    (!phases.is_empty()).then(|| format!("replacement: {}", phases.join(", ")))
}

fn phase(state: State) -> &'static str {
    match state {
        State::Failed | State::Hung => "unnoticed",
        State::Unready => "not yet replaced",
        State::Ready => "becoming known",
        other => other.label(),
    }
}

fn end(incident: &Incident, ended: Instant) -> String {
    match (incident.normal, incident.restored) {
        (Some(normal), _) => {
            format!("back to normal at {normal}, after {}", normal.since(incident.at))
        }
        (None, Some(restored)) => {
            format!("capacity back at {restored}, backlog not gone by the end at {ended}")
        }
        (None, None) => format!("not over by the end at {ended}"),
    }
}

/// What one fault did over all replications; `None` if it never was injected.
pub(crate) fn over_replications(fault: &FaultSummary, replications: usize) -> Option<String> {
    let recovery = &fault.recovery;
    let incidents = recovery.recovered + recovery.unrecovered;
    if incidents == 0 {
        return None;
    }
    let of = plural(replications as u64, "replication");
    let mut parts =
        vec![format!("{} in {} of {of}", plural(incidents, "incident"), fault.replications)];
    parts.extend(
        recovery
            .least
            .zip(recovery.greatest)
            .map(|range| format!("recovery {}", span_range(range))),
    );
    if recovery.unrecovered > 0 {
        parts.push(format!("{} not over", plural(recovery.unrecovered, "incident")));
    }
    parts.extend(fault.p99_during.map(|range| format!("p99 meanwhile {}", span_range(range))));
    parts.extend(fault.failed.map(|(least, greatest)| {
        format!("requests failed each time: {}", range_of(whole(least), whole(greatest)))
    }));
    Some(parts.join("; "))
}

/// A share of time in words: `2.7 %`.
pub(crate) fn time_share(share: f64) -> String {
    Share(share).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;

    #[test]
    fn an_incident_reads_as_a_sentence() {
        let plan = example::plan();
        let mut incident = example::experiment().outcomes[0].incidents[0].clone();
        incident.restored = Some(Instant::from_secs(193.0));
        incident.fewer = Span::from_secs(11.0);
        incident.normal = Some(Instant::from_secs(195.0));
        incident.p99_during = Some(Span::from_secs(0.23));
        incident.ledger.failures[0] = 12;
        assert_eq!(
            sentence(&plan, &incident, &[], plan.run.horizon),
            "replica b-1 crashed; 1 of 2 replicas kept serving, out of rotation after 2 s, \
             survivors' load ×2 for 11 s; p99 41 ms → 230 ms; 12 requests lost in flight; \
             replacement: sandbox 1 s, booting 10 s; back to normal at 3:15, after 15 s"
        );
    }

    #[test]
    fn an_incident_without_loss_or_end_says_so() {
        let plan = example::plan();
        let mut incident = example::experiment().outcomes[0].incidents[0].clone();
        incident.serving_least = 2;
        (incident.normal, incident.restored, incident.p99_before) = (None, None, None);
        incident.ledger = Ledger::default();
        incident.phases.clear();
        let text = sentence(&plan, &incident, &[], plan.run.horizon);
        assert!(text.starts_with("replica b-1 crashed; p99 2"), "{text}");
        assert!(text.ends_with("; no request failed; not over by the end at 10:00"), "{text}");
    }
}
