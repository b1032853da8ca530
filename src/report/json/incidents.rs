//! Incidents in `summary.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::metric::nine_digits;
use crate::observe::incident::Incident;
use crate::observe::ledger::Failure;
use crate::report::Report;
use crate::units::Span;

#[derive(Serialize)]
pub(super) struct IncidentPart<'a> {
    fault: &'a str,
    subject: &'a str,
    at_s: Option<f64>,
    serving_before: usize,
    serving_least: usize,
    out_of_rotation_s: Option<f64>,
    restored_s: Option<f64>,
    normal_s: Option<f64>,
    recovery_s: Option<f64>,
    p99_before_ms: Option<f64>,
    p99_during_ms: Option<f64>,
    failed: BTreeMap<&'static str, u64>,
    phases_s: Vec<(&'static str, Option<f64>)>,
}

fn millis(span: Option<Span>) -> Option<f64> {
    span.and_then(|span| nine_digits(span.as_millis()))
}

pub(super) fn incident<'a>(report: &'a Report, incident: &'a Incident) -> IncidentPart<'a> {
    let secs = |span: Span| nine_digits(span.as_secs());
    let at = |instant: crate::units::Instant| nine_digits(instant.as_secs());
    let failed = |kind: Failure| (kind.key(), incident.ledger.failed_by(kind));
    let phases = incident.phases.iter();
    IncidentPart {
        fault: &report.scenario.plan.faults[incident.fault].name,
        subject: &incident.subject,
        at_s: at(incident.at),
        serving_before: incident.serving_before,
        serving_least: incident.serving_least,
        out_of_rotation_s: incident.out_of_rotation.and_then(at),
        restored_s: incident.restored.and_then(at),
        normal_s: incident.normal.and_then(at),
        recovery_s: incident.recovery().and_then(secs),
        p99_before_ms: millis(incident.p99_before),
        p99_during_ms: millis(incident.p99_during),
        failed: Failure::ALL.into_iter().map(failed).collect(),
        phases_s: phases.map(|(state, span)| (state.label(), secs(*span))).collect(),
    }
}
