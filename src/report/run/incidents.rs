//! Incidents in words.

use std::borrow::Borrow;

use crate::experiment::recovery::incidents::Recovery;
use crate::experiment::summary::FaultSummary;
use crate::observe::State;
use crate::observe::incident::{Incident, RolloutCourse};
use crate::observe::ledger::{Failure, Ledger};
use crate::plan::{Fault, Plan};
use crate::report::format::words::{NOTHING, plural, range_of, span_range, whole};
use crate::units::{Instant, SECOND, Share, Span, three_digits};

/// A shorter time is not worth telling.
const MOMENT: Span = Span(SECOND / 10);

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
    parts.extend(incident.rollout.map(|course| rollout(&course, incident)));
    parts.extend(incident.rollout.and_then(|course| affected(plan, fault, &course)));
    parts.extend(loss(incident, fault));
    parts.extend(latency(incident));
    parts.push(failures(&incident.ledger) + shared(plan, incident, all, ended).as_str());
    parts.extend(replacement(incident));
    parts.push(end(incident, fault, ended));
    parts.join("; ")
}

/// How far a rollout came, and what was done about it.
fn rollout(course: &RolloutCourse, incident: &Incident) -> String {
    let RolloutCourse { new, old, available, wanted, overdue, rolled_back, .. } = *course;
    let after = |at: Option<Instant>| at.map(|at| at.since(incident.at));
    let which = if available == 0 { "none".to_owned() } else { available.to_string() };
    let went_on = rolled_back.is_none() && incident.restored.is_some();
    let counts = match old {
        0 => format!("{} of the new version, {which} available", plural(new as u64, "replica")),
        _ if went_on => {
            format!("at first {new} of {wanted} replicas new, {which} available, {old} old")
        }
        _ => format!("stopped with {new} of {wanted} replicas new, {which} available, {old} old"),
    };
    let overdue = after(overdue).map(|after| format!("ProgressDeadlineExceeded after {after}"));
    let back = match after(rolled_back) {
        Some(after) => Some(format!("rolled back after {after}")),
        None if went_on && old > 0 => Some("which did not stop it".to_owned()),
        None => incident.restored.is_none().then(|| "not rolled back".to_owned()),
    };
    [Some(counts), overdue, back].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How many of the new replicas differ, where that is by chance, and what the ingress made of them.
fn affected(plan: &Plan, fault: &Fault, course: &RolloutCourse) -> Option<String> {
    let release = fault.release()?;
    let RolloutCourse { new, affected, ejected, .. } = *course;
    let by_chance = release.affected < Share::ONE;
    let told = by_chance.then(|| format!("{affected} of the {new} new ones affected"));
    let judged = release.failing > Share::ZERO && plan.ingress.outliers.is_some();
    let judged = judged.then(|| match ejected {
        0 => "outlier detection ejected none".to_owned(),
        some => format!("outlier detection ejected {some}"),
    });
    let parts: Vec<String> = [told, judged].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What the loss of replicas meant for the others, and for how long.
pub(crate) fn loss(incident: &Incident, fault: &Fault) -> Option<String> {
    let Incident { taken, missing, serving_before: before, missing_for, .. } = incident;
    let all = plural(*before as u64, "replica");
    let lost = match fault {
        Fault::Rollout(_) if *missing == 0 => return None,
        Fault::Rollout(_) => format!("{missing} of {all} fewer in rotation at the most"),
        _ if *taken == 0 => return None,
        // Others were there before the ingress heard of it.
        _ if *missing == 0 => {
            format!(
                "{} taken, never fewer in rotation than before",
                plural(*taken as u64, "replica")
            )
        }
        _ if missing > before => {
            let served = if *before == 0 { "none".to_owned() } else { before.to_string() };
            format!("{} lost, {served} served before", plural(*missing as u64, "replica"))
        }
        _ if missing < taken => format!("{} taken, at most {missing} of {all} at a time", taken),
        _ if missing == before => format!("none of {all} left"),
        _ => format!("{missing} of {all} lost"),
    };
    let out = incident.out_of_rotation.filter(|out| *out > incident.at && missing == taken);
    let by = incident.left_by.as_ref().map_or_else(String::new, |how| format!(" by {how}"));
    let noticed = out.map(|out| format!("out of rotation after {}{by}", out.since(incident.at)));
    let told = *missing_for >= MOMENT;
    // Where a region is lost its clients come later, and not to replicas by their number.
    let of_region = incident.failover.as_ref().is_some_and(|course| course.is_left);
    let load = incident.surge().filter(|_| told && !of_region);
    let load =
        load.map(|surge| format!("load of the others ×{} for {missing_for}", three_digits(surge)));
    let longer = incident.fewer > *missing_for + MOMENT && missing == taken && *missing > 1;
    let some = longer.then(|| format!("some missing for {}", incident.fewer));
    Some([Some(lost), noticed, load, some].into_iter().flatten().collect::<Vec<_>>().join(", "))
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
    let overlaps = |other: &&Incident| **other != *incident && incident.overlaps(other, ended);
    let mut names: Vec<&str> =
        all.iter().filter(overlaps).map(|other| plan.faults[other.fault].name.as_str()).collect();
    names.dedup();
    if incident.ledger.failed() == 0 { String::new() } else { shared_with(&names) }
}

fn shared_with(names: &[impl Borrow<str>]) -> String {
    match names {
        [] => String::new(),
        names => format!(" (shared with {})", names.join(", ")),
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
        State::Contracts => "fetching contracts",
        other => other.label(),
    }
}

/// Until when clients were hit, and until when less was there than before.
fn end(incident: &Incident, fault: &Fault, ended: Instant) -> String {
    let service = match incident.recovery() {
        _ if !incident.normal_before => "not normal before".to_owned(),
        Some(Span::ZERO) if incident.ledger.failed() == 0 => "clients not hit".to_owned(),
        Some(Span::ZERO) => "service restored at once".to_owned(),
        Some(after) => format!("service restored after {after}"),
        None => format!("clients still hit at the end at {ended}"),
    };
    let redundancy = match incident.redundancy_recovery() {
        _ if !fault.takes_replicas() && incident.taken == 0 => return service,
        Some(Span::ZERO) => "redundancy untouched".to_owned(),
        Some(after) => format!("redundancy after {after}"),
        None => format!("redundancy not restored by the end at {ended}"),
    };
    format!("{service}, {redundancy}")
}

/// What one fault did over all replications; `None` if it never was injected.
pub(crate) fn over_replications(fault: &FaultSummary, replications: usize) -> Option<String> {
    let FaultSummary { recovery, redundancy, .. } = fault;
    let incidents = redundancy.recovered + redundancy.unrecovered;
    if incidents == 0 {
        return None;
    }
    let of = plural(replications as u64, "replication");
    let mut parts =
        vec![format!("{} in {} of {of}", plural(incidents, "incident"), fault.replications)];
    let at_once = match fault.failed {
        Some((_, 0)) => "clients not hit",
        _ => "service restored at once",
    };
    parts.extend(restored(("service restored after", at_once), "clients still hit", recovery));
    if recovery.abnormal > 0 {
        parts.push(format!("not normal before {}", whole(recovery.abnormal)));
    }
    let words = ("redundancy after", "redundancy untouched");
    parts.extend(restored(words, "redundancy not restored", redundancy));
    parts.extend(fault.p99_during.map(|range| format!("p99 meanwhile {}", span_range(range))));
    parts.extend(fault.failed.map(|(least, greatest)| {
        let range = range_of(whole(least), whole(greatest));
        format!("requests failed each time: {range}{}", shared_with(&fault.shared_with))
    }));
    Some(parts.join("; "))
}

/// How long it took to restore something, or that it took no time in any, and in how many incidents
/// it was not.
fn restored((after, none): (&str, &str), not: &str, recovery: &Recovery) -> Vec<String> {
    let range = recovery.least.zip(recovery.greatest);
    let told = range.map(|range| match range.1 {
        Span::ZERO => none.to_owned(),
        _ => format!("{after} {}", span_range(range)),
    });
    let open = recovery.unrecovered;
    let not = (open > 0).then(|| format!("{not} at the end of {}", plural(open, "incident")));
    told.into_iter().chain(not).collect()
}

/// A share of time in words: `2.7 %`.
pub(crate) fn time_share(share: f64) -> String {
    Share(share).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::observe::outcome::Outcome;

    fn told(change: impl Fn(&mut Incident)) -> String {
        let plan = example::plan();
        let mut incident = example::experiment().outcomes[0].incidents[0].clone();
        let at = Instant::from_secs;
        (incident.missing_for, incident.fewer) = (Span::from_secs(11.0), Span::from_secs(11.0));
        (incident.service, incident.redundancy) = (Some(at(195.0)), Some(at(193.0)));
        incident.p99_during = Some(Span::from_secs(0.23));
        incident.ledger.failures[0] = 12;
        change(&mut incident);
        sentence(&plan, &incident, &[], plan.run.horizon)
    }

    #[test]
    fn failures_that_are_not_of_one_fault_alone_are_told_so_in_the_summary() {
        use crate::experiment::summary::summarize;
        use crate::stats::Confidence;
        let (mut plan, mut outcomes) = (example::plan(), example::experiment().outcomes);
        let other = crate::plan::FaultPlan { name: "cp".to_owned(), ..plan.faults[0].clone() };
        plan.faults.push(other);
        outcomes.iter_mut().for_each(|outcome| outcome.faults.push(outcome.faults[0].clone()));
        let last = |outcomes: &[Outcome], fault: usize| {
            let summary = summarize(&plan, outcomes, Confidence::USUAL);
            let text = over_replications(&summary.faults[fault], outcomes.len()).unwrap();
            text.split("; ").last().unwrap().to_owned()
        };
        assert_eq!(last(&outcomes, 1).split(" (").count(), 1);
        let first = &mut outcomes[0].incidents;
        let mut second = first[0].clone();
        second.fault = 1;
        first.push(second);
        assert!(last(&outcomes, 0).ends_with(" (shared with cp)"));
        let crash = format!(" (shared with {})", plan.faults[0].name);
        assert!(last(&outcomes, 1).ends_with(&crash));
        // One that began when all was normal again shares nothing.
        outcomes[0].incidents[1].at = outcomes[0].incidents[0].normal.unwrap();
        assert!(!last(&outcomes, 0).contains("shared"));
    }

    #[test]
    fn an_incident_reads_as_a_sentence() {
        assert_eq!(
            told(|_| ()),
            "replica b-1 crashed; 1 of 2 replicas lost, out of rotation after 2 s, load of the \
             others ×2 for 11 s; p99 41 ms → 230 ms; 12 requests lost in flight; replacement: \
             sandbox 1 s, booting 10 s; service restored after 15 s, redundancy after 13 s"
        );
    }

    #[test]
    fn an_incident_without_loss_or_end_says_so() {
        let text = told(|incident| {
            (incident.taken, incident.missing) = (0, 0);
            (incident.service, incident.redundancy, incident.p99_before) = (None, None, None);
            incident.ledger = Ledger::default();
            incident.phases.clear();
        });
        assert_eq!(
            text,
            "replica b-1 crashed; p99 230 ms; no request failed; clients still hit at the end at \
             10:00, redundancy not restored by the end at 10:00"
        );
    }

    #[test]
    fn what_an_incident_took_is_its_own_and_stands_with_its_own_time() {
        let of = |taken, missing, missing_for: f64, fewer: f64| {
            let text = told(|incident| {
                (incident.taken, incident.missing) = (taken, missing);
                (incident.serving_before, incident.serving_least) = (20, 3);
                incident.missing_for = Span::from_secs(missing_for);
                incident.fewer = Span::from_secs(fewer);
                incident.out_of_rotation = None;
            });
            text.split("; ").nth(1).unwrap().to_owned()
        };
        assert_eq!(
            of(5, 5, 60.0, 60.0),
            "5 of 20 replicas lost, load of the others ×1.33 for 60 s"
        );
        // All five were missing for a moment only.
        assert_eq!(of(5, 5, 0.01, 28.4), "5 of 20 replicas lost, some missing for 28.4 s");
        let one_by_one = "20 taken, at most 1 of 20 replicas at a time, load of the others ×1.05";
        assert_eq!(of(20, 1, 300.0, 300.0), format!("{one_by_one} for 5 min"));
        assert_eq!(of(20, 20, 9.0, 9.0), "none of 20 replicas left");
        // What was lost later may be more than what served when it began.
        let more = told(|incident| {
            (incident.taken, incident.missing, incident.serving_before) = (1, 1, 0);
        });
        assert!(more.contains("; 1 replica lost, none served before, out of rotation"), "{more}");
        // Another one came back before the ingress heard of the loss.
        let never = told(|incident| (incident.taken, incident.missing) = (1, 0));
        assert!(
            never.contains("; 1 replica taken, never fewer in rotation than before;"),
            "{never}"
        );
        let checked = told(|incident| incident.left_by = Some("health checks".to_owned()));
        assert!(checked.contains("out of rotation after 2 s by health checks, load"), "{checked}");
    }

    #[test]
    fn what_took_no_time_in_any_replication_is_told_in_words() {
        use crate::experiment::summary::summarize;
        use crate::stats::Confidence;
        let of = |change: fn(&mut Incident)| {
            let (plan, mut outcomes) = (example::plan(), example::experiment().outcomes);
            outcomes.iter_mut().for_each(|outcome| example::change_incident(outcome, change));
            let summary = summarize(&plan, &outcomes, Confidence::USUAL);
            over_replications(&summary.faults[0], outcomes.len()).unwrap()
        };
        let text = of(|incident| {
            (incident.service, incident.redundancy) = (Some(incident.at), Some(incident.at));
        });
        assert!(text.contains("; service restored at once; redundancy untouched;"), "{text}");
        let clean = of(|incident| {
            (incident.service, incident.ledger) = (Some(incident.at), Ledger::default());
        });
        assert!(clean.contains("; clients not hit; redundancy after "), "{clean}");
    }

    #[test]
    fn who_was_not_hit_or_not_normal_is_told_so() {
        let last = |change: fn(&mut Incident)| {
            let text = told(|incident| {
                incident.service = Some(incident.at);
                change(incident);
            });
            text.split("; ").last().unwrap().to_owned()
        };
        assert_eq!(last(|_| ()), "service restored at once, redundancy after 13 s");
        let clean = |incident: &mut Incident| incident.ledger = Ledger::default();
        assert_eq!(last(clean), "clients not hit, redundancy after 13 s");
        let abnormal = |incident: &mut Incident| incident.normal_before = false;
        assert_eq!(last(abnormal), "not normal before, redundancy after 13 s");
        let whole = |incident: &mut Incident| incident.redundancy = Some(incident.at);
        assert_eq!(last(whole), "service restored at once, redundancy untouched");
    }
}
