//! The files of a capacity plan.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::capacity::{CapacityReport, headline, render};
use super::capacity_caveats::texts;
use super::capacity_words as words;
use super::manifest::StudyManifest;
use crate::metric::nine_digits;
use crate::report::cells::{self, number, numbers, optional};
use crate::report::files::{FilesError, MARK, Staging};
use crate::report::manifest::VERSION;
use crate::scenario::Scenario;
use crate::study::advice::Carries;
use crate::study::capacity::{Finding, Probe};
use crate::study::search::{Capacity, Excess};
use crate::study::sensitivity::FACTORS;

/// The schema of `plan.json`.
const SCHEMA: &str = "brownout/plan/1";
/// Columns of `capacity.csv`.
const COLUMNS: [&str; 12] = [
    "gateway",
    "mode",
    "state",
    "low",
    "point",
    "high",
    "fluid_limit",
    "objective",
    "constraint",
    "cost",
    "demand",
    "experiments",
];
/// Columns of `probes.csv`.
const PROBE_COLUMNS: [&str; 13] = [
    "gateway",
    "mode",
    "load",
    "objective",
    "verdict",
    "point",
    "low",
    "high",
    "excess",
    "failed",
    "utilisation",
    "overload",
    "replications",
];
/// Columns of `sensitivity.csv`.
const SWING_COLUMNS: [&str; 7] =
    ["gateway", "mode", "setting", "value", "factor", "with", "capacity_ratio"];

/// Writes every file but the charts.
///
/// # Errors
/// Those of the file system.
pub fn write_all(
    report: &CapacityReport,
    staging: &mut Staging,
) -> std::result::Result<(), FilesError> {
    let text = render(report, None, false);
    staging.add("report.txt", |out| out.write_all(text.as_bytes()))?;
    staging.add("plan.json", |out| write_json(report, out))?;
    staging.add("capacity.csv", |out| write_csv(report, out))?;
    staging.add("probes.csv", |out| write_probes(report, out))?;
    if !report.swings.is_empty() {
        staging.add("sensitivity.csv", |out| write_swings(report, out))?;
    }
    let manifest = manifest(report);
    staging.add(MARK, |out| manifest.write(out))
}

/// Every finding with the digests of all its replications, in order of load.
fn manifest(report: &CapacityReport) -> StudyManifest {
    let digests = |finding: &Finding| -> Vec<String> {
        finding.probes.iter().flat_map(|probe| &probe.digests).map(|d| cells::digest(*d)).collect()
    };
    let named = |finding: &Finding| {
        let candidate = &report.candidates[finding.candidate];
        let name = format!("{}, {}", candidate.name, finding.mode.key());
        (name, candidate.scenario(finding.mode), digests(finding))
    };
    let all: Vec<(String, &Scenario, Vec<String>)> = report.findings.iter().map(named).collect();
    let runs: Vec<(&str, &Scenario, &[String])> =
        all.iter().map(|(name, scenario, all)| (name.as_str(), *scenario, &all[..])).collect();
    StudyManifest::new("plan", choices(report), report.interrupted, &runs)
}

fn choices(report: &CapacityReport) -> Value {
    json!({
        "demand_per_s": nine_digits(report.demand),
        "modes": report.modes.iter().map(|mode| mode.key()).collect::<Vec<_>>(),
        "judged_s": nine_digits(report.effort.trial.judged.as_secs()),
        "peak_ratio": report.effort.trial.peak_ratio,
        "replications": report.effort.replications,
        "tolerance": report.effort.tolerance,
        "prices": report.prices.given(),
        "sensitivity": !report.swings.is_empty(),
    })
}

/// Writes `plan.json`.
///
/// # Errors
/// Those of the writer.
pub fn write_json(report: &CapacityReport, out: &mut dyn Write) -> Result<()> {
    let carries = report.carries();
    let candidate = |(index, candidate): (usize, &crate::study::capacity::Candidate)| {
        let cost = report.cost(index);
        json!({
            "name": candidate.name,
            "cost": cost.amount,
            "cost_words": cost.words,
            "carries_demand": word(carries[index]),
            "capacity": report.of(index).map(finding).collect::<Vec<_>>(),
        })
    };
    let hinge = report.hinge();
    let swing = |swing: &crate::study::sensitivity::Swing| {
        json!({
            "setting": swing.path,
            "value": swing.value,
            "factors": FACTORS,
            "capacity_ratio": swing.capacity.map(|ratio| ratio.and_then(nine_digits)),
        })
    };
    let value = json!({
        "schema": SCHEMA,
        "version": VERSION,
        "scenario": report.base().name,
        "seed": report.base().plan.run.seed,
        "replications": report.effort.replications,
        "judged_s": nine_digits(report.effort.trial.judged.as_secs()),
        "peak_ratio": report.effort.trial.peak_ratio,
        "tolerance": report.effort.tolerance,
        "interrupted": report.interrupted,
        "demand_per_s": nine_digits(report.demand),
        "cost_unit": report.prices.unit(),
        "recommendation": headline(report),
        "chosen": report.chosen().map(|index| report.candidates[index].name.as_str()),
        "gateways": report.candidates.iter().enumerate().map(candidate).collect::<Vec<_>>(),
        "sensitivity": {
            "gateway": hinge.as_ref().map(|hinge| report.candidates[hinge.candidate].name.as_str()),
            "mode": hinge.as_ref().map(|hinge| hinge.mode.key()),
            "settings": report.swings.iter().map(swing).collect::<Vec<_>>(),
        },
        "caveats": texts(report),
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    out.write_all(b"\n")
}

fn word(carries: Carries) -> &'static str {
    match carries {
        Carries::Yes => "yes",
        Carries::No => "no",
        Carries::Undecided => "undecided",
    }
}

/// State, low, point and high of a capacity.
fn parts(capacity: Capacity) -> (&'static str, [Option<f64>; 3]) {
    match capacity {
        Capacity::Between { low, point, high } => {
            ("between", [Some(low), Some(point), Some(high).filter(|high| high.is_finite())])
        }
        Capacity::AtLeast(low) => ("at_least", [Some(low), None, None]),
        Capacity::AtMost(high) => {
            ("at_most", [None, None, Some(high).filter(|high| high.is_finite())])
        }
        Capacity::Nothing => ("nothing", [None; 3]),
        Capacity::Uneven { .. } => ("uneven", [None; 3]),
        Capacity::Stopped => ("stopped", [None; 3]),
    }
}

fn finding(finding: &Finding) -> Value {
    let (state, [low, point, high]) = parts(finding.capacity);
    let binding = finding.binding.as_ref();
    let (met, missed) = match finding.capacity {
        Capacity::Uneven { missed, met } => (Some(met), Some(missed)),
        _ => (None, None),
    };
    json!({
        "mode": finding.mode.key(),
        "state": state,
        "low_per_s": low.and_then(nine_digits),
        "point_per_s": point.and_then(nine_digits),
        "high_per_s": high.and_then(nine_digits),
        "met_at_per_s": met.and_then(nine_digits),
        "missed_at_per_s": missed.and_then(nine_digits),
        "fluid_limit_per_s": nine_digits(finding.theory),
        "objective": binding.map(|binding| binding.objective.as_str()),
        "constraint": binding.map(words::why),
        "experiments": finding.probes.len(),
    })
}

/// Writes `capacity.csv`: a row for every gateway and mode.
///
/// # Errors
/// Those of the writer.
pub fn write_csv(report: &CapacityReport, out: &mut dyn Write) -> Result<()> {
    let mut rows = cells::rows(out);
    rows.write_record(COLUMNS)?;
    for finding in report.findings {
        let (state, numbers) = parts(finding.capacity);
        let binding = finding.binding.as_ref();
        let mut row = vec![report.candidates[finding.candidate].name.clone()];
        row.extend([finding.mode.key().to_owned(), state.to_owned()]);
        row.extend(numbers.map(|value| optional(value, number)));
        row.push(number(finding.theory));
        row.push(optional(binding, |binding| binding.objective.clone()));
        row.push(optional(binding, words::why));
        row.push(report.cost(finding.candidate).words);
        row.extend([number(report.demand), finding.probes.len().to_string()]);
        rows.write_record(row)?;
    }
    rows.flush()
}

/// Writes `probes.csv`: a row for every load that was tried and every objective.
///
/// # Errors
/// Those of the writer.
pub fn write_probes(report: &CapacityReport, out: &mut dyn Write) -> Result<()> {
    let mut rows = cells::rows(out);
    rows.write_record(PROBE_COLUMNS)?;
    for finding in report.findings {
        let gateway = &report.candidates[finding.candidate].name;
        for probe in &finding.probes {
            for row in probe_rows(probe, report.effort.replications) {
                let head = [gateway.clone(), finding.mode.key().to_owned()];
                rows.write_record(head.into_iter().chain(row))?;
            }
        }
    }
    rows.flush()
}

fn probe_rows(probe: &Probe, replications: usize) -> impl Iterator<Item = Vec<String>> {
    probe.judged.iter().map(move |(judgement, excess)| {
        let verdict = match excess {
            Excess { most, .. } if *most < 0.0 => "met",
            Excess { least, .. } if *least > 0.0 => "missed",
            _ => "undecided",
        };
        let [point, low, high] = numbers(judgement.figure.as_deref());
        vec![
            number(probe.load),
            judgement.objective.text.clone(),
            verdict.to_owned(),
            point,
            low,
            high,
            number(excess.point),
            number(probe.failed),
            number(probe.utilisation),
            probe.overload.to_string(),
            replications.to_string(),
        ]
    })
}

/// Writes `sensitivity.csv`: a row for every setting and factor.
///
/// # Errors
/// Those of the writer.
pub fn write_swings(report: &CapacityReport, out: &mut dyn Write) -> Result<()> {
    let mut rows = cells::rows(out);
    rows.write_record(SWING_COLUMNS)?;
    let Some(hinge) = report.hinge() else {
        return rows.flush();
    };
    let gateway = &report.candidates[hinge.candidate].name;
    for swing in report.swings {
        for (index, factor) in FACTORS.iter().enumerate() {
            rows.write_record([
                gateway.clone(),
                hinge.mode.key().to_owned(),
                swing.path.clone(),
                swing.value.clone(),
                factor.to_string(),
                swing.values[index].clone(),
                optional(swing.capacity[index], number),
            ])?;
        }
    }
    rows.flush()
}
