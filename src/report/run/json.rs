//! `summary.json`: every figure with its interval, under a versioned schema.

use std::collections::BTreeMap;
use std::io::{Result, Write};

use serde::Serialize;

use crate::experiment::recovery::stability::StabilitySummary;
use crate::experiment::summary::{FaultSummary, GatewaySummary, WindowSummary};
use crate::experiment::{Sequence, SequenceEnd};
use crate::metric::{Statistic, nine_digits};
use crate::observe::incident::Incident;
use crate::observe::ledger::Failure;
use crate::report::format::cells;
use crate::report::format::page::{mark, overall};
use crate::report::manifest::VERSION;
use crate::report::run::report::Report;
use crate::units::{Instant, Span};
use crate::verdict::{Doubt, Judgement, Verdict};

/// The schema of the file. A change that breaks readers gets a new number.
pub const SCHEMA: &str = "brownout/summary/1";

/// Writes the summary.
///
/// # Errors
/// Those of the writer.
pub fn write(report: &Report, out: &mut dyn Write) -> Result<()> {
    cells::write_json(&summary(report), out)
}

/// The content of `summary.json` as a value.
///
/// # Errors
/// None that are known: every part can be written.
pub(crate) fn value(report: &Report) -> Result<serde_json::Value> {
    Ok(serde_json::to_value(summary(report))?)
}

/// The judgements on objectives over these windows, as a value.
///
/// # Errors
/// None that are known: every part can be written.
pub(crate) fn objectives(
    windows: &[WindowSummary],
    judgements: &[Judgement],
) -> Result<serde_json::Value> {
    let parts: Vec<_> = judgements.iter().map(|j| objective(windows, j)).collect();
    Ok(serde_json::to_value(parts)?)
}

#[derive(Serialize)]
struct SummaryFile<'a> {
    schema: &'static str,
    version: &'static str,
    scenario: ScenarioPart<'a>,
    run: RunPart,
    verdict: &'static str,
    objectives: Vec<ObjectivePart<'a>>,
    windows: &'a [WindowSummary],
    gateway: &'a GatewaySummary,
    faults: &'a [FaultSummary],
    incidents: Vec<IncidentPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stability: Option<&'a StabilitySummary>,
    caveats: Vec<CaveatPart>,
}

#[derive(Serialize)]
struct ScenarioPart<'a> {
    name: &'a str,
    question: &'a str,
    digest: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    set: &'a [String],
}

#[derive(Serialize)]
struct RunPart {
    seed: u64,
    replications: usize,
    replications_asked: usize,
    interrupted: bool,
    horizon_s: Option<f64>,
    warm_up_s: Option<f64>,
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision: Option<SequencePart>,
}

/// How replications went on until they were enough.
#[derive(Serialize)]
struct SequencePart {
    asked: Option<f64>,
    most_replications: usize,
    looks: usize,
    end: &'static str,
}

#[derive(Serialize)]
struct ObjectivePart<'a> {
    text: &'a str,
    window: &'a str,
    verdict: &'static str,
    reason: Option<&'static str>,
    unit: &'static str,
    bound: Option<f64>,
    figure: Option<Statistic>,
    margin: Option<f64>,
}

#[derive(Serialize)]
struct CaveatPart {
    key: &'static str,
    message: String,
    remedy: Option<String>,
}

fn summary<'a>(report: &'a Report) -> SummaryFile<'a> {
    let (scenario, experiment) = (report.scenario, report.experiment);
    let run = &scenario.plan.run;
    let first = experiment.outcomes.first().map_or(&[][..], |outcome| &outcome.incidents);
    SummaryFile {
        schema: SCHEMA,
        version: VERSION,
        scenario: ScenarioPart {
            name: &scenario.name,
            question: &scenario.question,
            digest: cells::text_digest(&scenario.text),
            set: &scenario.changes,
        },
        run: RunPart {
            seed: run.seed,
            replications: experiment.outcomes.len(),
            replications_asked: experiment.asked,
            interrupted: experiment.interrupted,
            horizon_s: nine_digits(run.horizon.as_secs()),
            warm_up_s: nine_digits(run.warm_up.as_secs()),
            confidence: nine_digits(report.experiment.confidence.0),
            precision: report.experiment.sequence.as_ref().map(sequence),
        },
        verdict: overall(report.overall()),
        objectives: report
            .judgements
            .iter()
            .map(|j| objective(&report.summary.windows, j))
            .collect(),
        windows: &report.summary.windows,
        gateway: &report.summary.gateway,
        faults: &report.summary.faults,
        incidents: first.iter().map(|one| incident(report, one)).collect(),
        stability: report.summary.stability.as_ref(),
        caveats: report.caveats.iter().map(caveat).collect(),
    }
}

fn sequence(sequence: &Sequence) -> SequencePart {
    let end = match sequence.end {
        SequenceEnd::Decided => "decided",
        SequenceEnd::Precise => "precise",
        SequenceEnd::Most => "most_replications",
        SequenceEnd::Interrupted => "interrupted",
    };
    let precision = nine_digits(sequence.precision);
    SequencePart { asked: precision, most_replications: sequence.most, looks: sequence.looks, end }
}

fn objective<'a>(windows: &'a [WindowSummary], judgement: &'a Judgement) -> ObjectivePart<'a> {
    let reason = match judgement.verdict {
        Verdict::Undecided(doubt) => Some(reason(doubt)),
        _ => None,
    };
    ObjectivePart {
        text: &judgement.objective.text,
        window: &windows[judgement.objective.window].label,
        verdict: mark(&judgement.verdict).2,
        reason,
        unit: judgement.objective.metric.dimension().key(),
        bound: nine_digits(crate::verdict::bound(&judgement.objective)),
        figure: judgement.figure,
        margin: judgement.margin.and_then(nine_digits),
    }
}

fn reason(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::NoData => "no_data",
        Doubt::Interrupted => "interrupted",
        Doubt::OneReplication => "one_replication",
        Doubt::Straddles => "bound_within_interval",
        Doubt::Unrecovered(_) => "unrecovered",
        Doubt::Failed(_) => "too_many_failed",
        Doubt::Unanswered(_) => "never_answered",
        Doubt::FewBeyond => "too_few_beyond",
        Doubt::Unclear(_) => "unclear",
    }
}

fn caveat(caveat: &crate::report::caveats::caveat::Caveat) -> CaveatPart {
    CaveatPart { key: caveat.key(), message: caveat.message(), remedy: caveat.remedy() }
}

#[derive(Serialize)]
struct IncidentPart<'a> {
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

fn incident<'a>(report: &'a Report, incident: &'a Incident) -> IncidentPart<'a> {
    let secs = |span: Span| nine_digits(span.as_secs());
    let at = |instant: Instant| nine_digits(instant.as_secs());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::{example, with_clients};
    use crate::observe::ledger::Failure;
    use crate::report::sample::scenario;
    use crate::scenario::Scenario;

    fn parsed(run: &crate::experiment::Experiment) -> serde_json::Value {
        of(&scenario(), run)
    }

    fn of(scenario: &Scenario, run: &crate::experiment::Experiment) -> serde_json::Value {
        let mut out = Vec::new();
        write(&Report::new(scenario, run, None), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    fn keys(value: &serde_json::Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_schema_has_all_its_parts() {
        let json = parsed(&example::experiment());
        assert_eq!(json["schema"], SCHEMA);
        let mut parts = vec![
            "schema",
            "version",
            "scenario",
            "run",
            "verdict",
            "objectives",
            "windows",
            "gateway",
            "faults",
            "incidents",
            "caveats",
        ];
        parts.sort_unstable();
        assert_eq!(keys(&json), parts);
        let latency = &json["windows"][1]["latency_ms"];
        assert_eq!(keys(latency), ["mean", "p50", "p90", "p95", "p99", "p99.9"]);
        assert_eq!(keys(&latency["p99"]), ["high", "low", "n", "point"]);
        assert_eq!(keys(&json["windows"][0]["failed"]).len(), Failure::ALL.len());
    }

    #[test]
    fn figures_have_their_interval_and_number_of_replications() {
        let json = parsed(&example::experiment());
        let p99 = &json["windows"][0]["latency_ms"]["p99"];
        let number = |key: &str| p99[key].as_f64().unwrap();
        assert!(number("low") < number("point") && number("point") < number("high"));
        assert_eq!(p99["n"], 5);
        assert_eq!(json["objectives"][0]["verdict"], "met");
        assert_eq!(json["incidents"][0]["failed"]["timed_out"], 0);
    }

    #[test]
    fn attempts_are_told_only_where_something_surrounds_the_replicas() {
        let plain = parsed(&example::experiment());
        assert!(plain["windows"][0].get("attempts").is_none());
        let scenario = Scenario { plan: with_clients::plan(), ..scenario() };
        let json = of(&scenario, &with_clients::experiment());
        let attempts = &json["windows"][0]["attempts"];
        let point = |figure: &serde_json::Value| figure["point"].as_f64().unwrap();
        assert!(point(&attempts["per_request"]) > 1.04);
        assert!((0.9..0.92).contains(&point(&attempts["cache_hit_ratio"])));
        assert_eq!(point(&attempts["counts"]["panics"]), 0.0);
        assert_eq!(point(&json["stability"]["stuck"]), 0.4);
        assert_eq!(json["stability"]["held_by"][1]["what"], "retries");
        assert_eq!(point(&json["stability"]["held_by"][1]["last"]), 1.9);
        assert!(plain.get("stability").is_none());
        let json = &json["windows"][0];
        let requests = point(&json["offered"]) + point(&attempts["retries"]);
        assert!((point(&attempts["offered"]) - requests).abs() < 1e-4);
    }

    #[test]
    fn what_is_unknown_is_null_and_never_a_number() {
        let mut run = example::experiment();
        run.outcomes.truncate(1);
        let json = parsed(&run);
        let p99 = &json["windows"][0]["latency_ms"]["p99"];
        assert!(p99["low"].is_null() && p99["high"].is_null() && p99["n"] == 1);
        assert_eq!(json["objectives"][0]["reason"], "one_replication");
    }
}
