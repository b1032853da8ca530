//! `summary.json`: every figure with its interval, under a versioned schema.

#![allow(non_camel_case_types)] // objects have a type for each key, called as it

use std::collections::BTreeMap;
use std::io::{Result, Write};

use serde::Serialize;

use crate::engine::ENGINE;
use crate::experiment::summary::{ApiSummary, FaultSummary, WindowSummary};
use crate::experiment::{Sequence, SequenceEnd};
use crate::metric::nine_digits;
use crate::observe::incident::Incident;
use crate::observe::ledger::Failure;
use crate::plan::Plan;
use crate::report::format::cells;
use crate::report::format::page::{mark, overall};
use crate::report::manifest::VERSION;
use crate::report::resilience::{deciding, grid};
use crate::report::run::report::Report;
use crate::units::{Instant, Span};
use crate::verdict::{DisruptionRow, Doubt, Judgement, TestedDisruption, Verdict};

/// The schema of the file. A change that breaks readers gets a new number.
pub const SCHEMA: &str = "brownout/summary/3";

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

/// An object with these keys, in this order.
macro_rules! object {
    ($($(#[$meta:meta])* $key:ident: $value:expr),+ $(,)?) => {{
        #[derive(Serialize)]
        struct Object<$($key),+> {
            $($(#[$meta])* $key: $key),+
        }
        Object { $($key: $value),+ }
    }};
}

/// What is written only where it applies.
#[derive(Serialize)]
struct RunPart<P> {
    seed: u64,
    replications: usize,
    replications_asked: usize,
    interrupted: bool,
    horizon_s: Option<f64>,
    warm_up_s: Option<f64>,
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision: Option<P>,
}

#[derive(Serialize)]
struct BudgetsPart<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_judged: Vec<&'a String>,
}

#[derive(Serialize)]
struct WindowsPart<'a> {
    windows: Vec<&'a WindowSummary>,
    #[serde(skip_serializing_if = "<[ApiSummary]>::is_empty")]
    apis: &'a [ApiSummary],
}

#[derive(Serialize)]
struct FaultsPart<'a, D> {
    faults: &'a [FaultSummary],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disruptions: Vec<D>,
}

/// An objective, and what would decide it if it is undecided and that can be said.
#[derive(Serialize)]
struct ObjectivePart<O> {
    #[serde(flatten)]
    judged: O,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Serialize)]
struct ScenarioPart<'a> {
    name: &'a str,
    question: &'a str,
    digest: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    set: &'a [String],
}

fn summary(report: &Report) -> impl Serialize {
    let (scenario, experiment) = (report.scenario, report.experiment);
    let run = &scenario.plan.run;
    let told = experiment.told();
    let first = told.map_or(&[][..], |outcome| &outcome.incidents);
    let replications = experiment.outcomes.len();
    let objectives = report.judgements.iter().map(|j| ObjectivePart {
        judged: objective(&report.summary.windows, j),
        remedy: deciding::remedy(j, &scenario.plan, replications),
    });
    let incidents = first.iter().map(|one| incident(&scenario.plan, one));
    let disruptions =
        report.disruptions.iter().map(|row| disruption(&scenario.plan, row, replications));
    let caveats = report.caveats.iter().map(|caveat| {
        object! { key: caveat.key(), message: caveat.message(), remedy: caveat.remedy() }
    });
    object! {
        schema: SCHEMA,
        version: VERSION,
        engine: ENGINE,
        scenario: ScenarioPart {
            name: &scenario.name,
            question: &scenario.question,
            digest: cells::text_digest(&scenario.text),
            set: &scenario.changes,
        },
        run: RunPart {
            seed: run.seed,
            replications,
            replications_asked: experiment.asked,
            interrupted: experiment.interrupted,
            horizon_s: nine_digits(run.horizon.as_secs()),
            warm_up_s: nine_digits(run.warm_up.as_secs()),
            confidence: nine_digits(experiment.confidence.0),
            precision: experiment.sequence.as_ref().map(sequence),
        },
        verdict: overall(report.overall()),
        objectives: objectives.collect::<Vec<_>>(),
        #[serde(flatten)]
        budgets: BudgetsPart {
            not_judged: scenario.budgets.iter().map(|one| &one.text).collect(),
        },
        #[serde(flatten)]
        windows: WindowsPart {
            windows: report.summary.windows_of_all().collect(),
            apis: &report.summary.apis,
        },
        gateway: report.summary.gateway.clone(),
        #[serde(flatten)]
        faults: FaultsPart {
            faults: &report.summary.faults,
            disruptions: disruptions.collect(),
        },
        told_replication: told.map(|outcome| outcome.replication),
        incidents: incidents.collect::<Vec<_>>(),
        stability: report.summary.stability.clone(),
        caveats: caveats.collect::<Vec<_>>(),
    }
}

/// How replications went on until they were enough.
fn sequence(sequence: &Sequence) -> impl Serialize + use<> {
    let end = match sequence.end {
        SequenceEnd::Decided => "decided",
        SequenceEnd::Precise => "precise",
        SequenceEnd::Most => "most_replications",
        SequenceEnd::Interrupted => "interrupted",
    };
    object! {
        asked: nine_digits(sequence.precision),
        most_replications: sequence.most,
        looks: sequence.looks,
        end: end,
    }
}

fn objective<'a>(windows: &'a [WindowSummary], judgement: &'a Judgement) -> impl Serialize + 'a {
    let Judgement { objective, figure, verdict, margin, without_latency, .. } = judgement;
    let (unit, scale) = objective.metric.dimension().unit();
    object! {
        text: objective.text.as_str(),
        window: windows[objective.window].label.as_str(),
        verdict: mark(verdict).2,
        reason: doubt(verdict),
        unit: unit,
        bound: nine_digits(crate::verdict::bound(objective) * scale),
        figure: *figure,
        incidents_not_over: judgement.not_over,
        margin: margin.and_then(|margin| nine_digits(margin * scale)),
        without_latency_share: without_latency.and_then(nine_digits),
    }
}

/// A row of the grid of disruptions.
fn disruption<'a>(
    plan: &'a Plan,
    row: &'a DisruptionRow,
    replications: usize,
) -> impl Serialize + 'a {
    let tested = row.tested.as_ref();
    let rpo = tested.and_then(TestedDisruption::rpo);
    let judged = tested.map_or(&[][..], |tested| &tested.judgements).iter().map(|judgement| {
        let Judgement { objective, figure, verdict, not_over, .. } = judgement;
        object! {
            text: objective.text.as_str(),
            verdict: mark(verdict).2,
            reason: doubt(verdict),
            bound_s: nine_digits(crate::verdict::bound(objective)),
            figure_s: *figure,
            incidents_not_over: *not_over,
        }
    });
    object! {
        disruption: row.disruption.key(),
        fault: tested.map(|tested| plan.faults[tested.fault].name.as_str()),
        injected: tested.map(|tested| tested.injected),
        rto_s: tested.and_then(|tested| tested.rto),
        rto_p95_s: tested.and_then(|tested| tested.rto_p95),
        incidents_not_over: tested.map(|tested| tested.not_over),
        shared_with: tested.map(|tested| {
            let names = tested.shared_with.iter().map(|fault| plan.faults[*fault].name.as_str());
            names.collect::<Vec<_>>()
        }),
        rpo_s: rpo.and_then(|(most, ..)| nine_digits(most.as_secs())),
        rpo_item: rpo.map(|(_, item, _)| item.word()),
        objectives: judged.collect::<Vec<_>>(),
        verdict: grid::verdict(row),
        remedy: grid::remedy(plan, row, replications),
    }
}

/// Why there is no decision.
pub(crate) fn doubt(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Undecided(doubt) => Some(reason(*doubt)),
        _ => None,
    }
}

fn reason(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::NoData => "no_data",
        Doubt::Interrupted => "interrupted",
        Doubt::OneReplication => "one_replication",
        Doubt::Straddles => "bound_within_interval",
        Doubt::Unrecovered(_) => "unrecovered",
        Doubt::AbnormalBefore(_) => "abnormal_before",
        Doubt::FewIncidents(..) => "too_few_incidents",
        Doubt::Unanswered(_) => "never_answered",
        Doubt::FewBeyond => "too_few_beyond",
        Doubt::Unclear(..) => "unclear",
        Doubt::Untroubled => "untroubled",
        Doubt::FewStrikes(_) => "too_few_strikes",
    }
}

fn incident<'a>(plan: &'a Plan, incident: &'a Incident) -> impl Serialize + 'a {
    let secs = |span: Span| nine_digits(span.as_secs());
    let at = |instant: Instant| nine_digits(instant.as_secs());
    let millis = |span: Option<Span>| span.and_then(|span| nine_digits(span.as_millis()));
    let ended = |rejected| {
        let kinds = Failure::ALL.into_iter().filter(move |kind| kind.is_rejection() == rejected);
        let count = |kind: Failure| (kind.key(), incident.ledger.failed_by(kind));
        kinds.map(count).collect::<BTreeMap<_, _>>()
    };
    let phases = incident.phases.iter().map(|(state, span)| (state.label(), secs(*span)));
    object! {
        fault: plan.faults[incident.fault].name.as_str(),
        subject: incident.subject.as_str(),
        at_s: at(incident.at),
        serving_before: incident.serving_before,
        serving_least: incident.serving_least,
        taken: incident.taken,
        missing: incident.missing,
        missing_for_s: secs(incident.missing_for),
        out_of_rotation_s: incident.out_of_rotation.and_then(at),
        restored_s: incident.restored.and_then(at),
        normal_s: incident.normal.and_then(at),
        normal_before: incident.normal_before,
        recovery_s: incident.recovery().and_then(secs),
        redundancy_restored_s: incident.redundancy_recovery().and_then(secs),
        p99_before_ms: millis(incident.p99_before),
        p99_during_ms: millis(incident.p99_during),
        failed: ended(false),
        rejected: ended(true),
        rollout: incident.rollout.map(|course| object! {
            new: course.new,
            old: course.old,
            available: course.available,
            wanted: course.wanted,
            overdue_s: course.overdue.and_then(at),
            rolled_back_s: course.rolled_back.and_then(at),
            affected: course.affected,
            ejected: course.ejected,
        }),
        phases_s: phases.collect::<Vec<_>>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::{example, with_clients};
    use crate::observe::incident::RolloutCourse;
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
            "engine",
            "scenario",
            "run",
            "verdict",
            "objectives",
            "windows",
            "gateway",
            "faults",
            "told_replication",
            "incidents",
            "stability",
            "caveats",
        ];
        parts.sort_unstable();
        assert_eq!(keys(&json), parts);
        let latency = &json["windows"][1]["latency_ms"];
        assert_eq!(keys(latency), ["mean", "p50", "p90", "p95", "p99", "p99.9"]);
        assert_eq!(keys(&latency["p99"]), ["high", "low", "n", "point"]);
        let ways = |what: &str| keys(&json["windows"][0][what]).len();
        assert_eq!(ways("failed") + ways("rejected"), Failure::ALL.len());
        assert!(ways("rejected") == 3 && json["windows"][0]["rejected_share"]["point"] == 0.0);
    }

    #[test]
    fn a_release_says_how_many_replicas_it_affected_and_how_many_were_ejected() {
        let mut run = example::experiment();
        let course = RolloutCourse { new: 4, affected: 3, ejected: 2, ..Default::default() };
        run.outcomes.iter_mut().for_each(|outcome| outcome.incidents[0].rollout = Some(course));
        let json = parsed(&run);
        let rollout = &json["incidents"][0]["rollout"];
        let told = ["new", "affected", "ejected"].map(|key| rollout[key].as_u64());
        assert_eq!(told, [4, 3, 2].map(Some));
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
    fn attempts_are_told_only_where_requests_feed_back() {
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
        assert_eq!(json["stability"]["sustaining_loops"][1]["what"], "retries");
        assert_eq!(point(&json["stability"]["sustaining_loops"][1]["last"]), 1.9);
        assert_eq!(plain["stability"]["untroubled"], 5);
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
