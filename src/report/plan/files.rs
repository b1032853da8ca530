//! The files of a capacity plan.

use std::io::{Result, Write};

use serde_json::{Value, json};

use crate::engine::ENGINE;
use crate::metric::nine_digits;
use crate::report::availability::beside;
use crate::report::files::staging::{FilesError, Staging};
use crate::report::format::cells;
use crate::report::format::table::{Cell, Column, write_columns};
use crate::report::manifest::VERSION;
use crate::report::plan::caveats::texts;
use crate::report::plan::report::CapacityReport;
use crate::report::plan::text::headline;
use crate::report::plan::words;
use crate::study::capacity::advice::Carries;
use crate::study::capacity::finding::{Finding, LoadProbe};
use crate::study::capacity::regimes::Cause;
use crate::study::capacity::search::{Band, Capacity, Excess};
use crate::study::capacity::sensitivity::{Gives, Instead, Sensitivity};
use crate::study::mode::{Mode, Moot};
use crate::verdict::Judgement;

/// The schema of `plan.json`.
const SCHEMA: &str = "brownout/plan/2";

/// Writes every table.
///
/// # Errors
/// Those of the file system.
pub fn write_tables(
    report: &CapacityReport,
    staging: &mut Staging,
) -> std::result::Result<(), FilesError> {
    staging.add("capacity.csv", |out| write_csv(report, out))?;
    staging.add("probes.csv", |out| write_probes(report, out))?;
    let months = report.beside();
    if !months.is_empty() {
        staging.add("budgets.csv", |out| beside::write("gateway", &months, out))?;
    }
    if !report.sensitivities.is_empty() {
        staging.add("sensitivity.csv", |out| write_sensitivities(report, out))?;
    }
    Ok(())
}

/// Writes `plan.json`.
///
/// # Errors
/// Those of the writer.
pub fn write_json(report: &CapacityReport, out: &mut dyn Write) -> Result<()> {
    let carries = report.carries();
    let candidate = |(index, candidate): (usize, &crate::study::capacity::finding::Candidate)| {
        let cost = report.cost(index);
        json!({
            "name": candidate.name,
            "cost": cost.amount,
            "cost_words": cost.words,
            "carries_demand": word(carries[index]),
            "capacity": report.of(index).map(finding).collect::<Vec<_>>(),
            "left_out": candidate.left_out.iter().map(left_out).collect::<Vec<_>>(),
        })
    };
    let case = report.critical_case();
    let mut value = json!({
        "schema": SCHEMA,
        "version": VERSION,
        "engine": ENGINE,
        "scenario": report.base().name,
        "seed": report.base().plan.run.seed,
        "replications": report.effort.replications,
        "looks": report.effort.looks(),
        "judged_s": nine_digits(report.effort.trial.judged.as_secs()),
        "peak_ratio": report.effort.trial.peak_ratio,
        "tolerance": report.effort.tolerance,
        "interrupted": report.interrupted,
        "demand_per_s": nine_digits(report.demand),
        "cost_unit": report.prices.unit(),
        "recommendation": headline(report).for_text(),
        "chosen": report.chosen().map(|index| report.candidates[index].name.as_str()),
        "gateways": report.candidates.iter().enumerate().map(candidate).collect::<Vec<_>>(),
        "sensitivity": {
            "gateway": case.map(|case| report.candidates[case.candidate].name.as_str()),
            "mode": case.map(|case| case.mode.key()),
            "settings": report.sensitivities.iter().map(sensitivity).collect::<Vec<_>>(),
        },
        "caveats": texts(report),
    });
    let months = report.beside();
    if !months.is_empty() {
        value["months"] = months.iter().map(beside::value).collect();
    }
    cells::write_json(&value, out)
}

fn left_out((mode, why): &(Mode, Moot)) -> Value {
    json!({ "mode": mode.key(), "reason": words::moot(*why) })
}

fn sensitivity(one: &Sensitivity) -> Value {
    let instead = |other: &Instead| {
        let (state, load) = gives(other.gives);
        json!({
            "value": other.value,
            "state": state,
            "capacity_per_s": load.and_then(nine_digits),
            "capacity_ratio": one.ratio(other.gives).and_then(nine_digits),
        })
    };
    json!({
        "setting": one.path,
        "value": one.value,
        "capacity_per_s": one.capacity.and_then(nine_digits),
        "instead": one.instead.iter().map(instead).collect::<Vec<_>>(),
    })
}

/// What another value gives: in a word, and the load.
fn gives(gives: Gives) -> (&'static str, Option<f64>) {
    match gives {
        Gives::Load(load) => ("load", Some(load)),
        Gives::AtLeast(load) => ("at_least", Some(load)),
        Gives::Nothing => ("nothing", None),
        Gives::NotFollowed => ("not_followed", None),
    }
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
        Capacity::Stopped => ("stopped", [None; 3]),
    }
}

fn finding(finding: &Finding) -> Value {
    let (state, [low, point, high]) = parts(finding.capacity);
    let binding = finding.binding.as_ref();
    json!({
        "mode": finding.mode.key(),
        "state": state,
        "low_per_s": low.and_then(nine_digits),
        "point_per_s": point.and_then(nine_digits),
        "high_per_s": high.and_then(nine_digits),
        "bands": finding.bands.iter().map(band).collect::<Vec<_>>(),
        "fluid_limit_per_s": nine_digits(finding.theory),
        "objective": binding.map(|binding| binding.objective.as_str()),
        "constraint": binding.map(words::why),
        "experiments": finding.probes.len(),
    })
}

/// The lowest band.
fn lowest(finding: &Finding) -> Option<Band> {
    finding.bands.first().map(|(band, _)| *band)
}

fn band(with_cause: &(Band, Option<Cause>)) -> Value {
    let (Band { from, to, again, until }, cause) = with_cause;
    let [from, to, again, until] = [from, to, again, until].map(|load| nine_digits(*load));
    let (replicas, cache) = match cause {
        Some(Cause::Replicas(count)) => (Some(count), None),
        Some(Cause::Cache(name)) => (None, Some(name)),
        None => (None, None),
    };
    json!({
        "missed_from_per_s": from,
        "missed_to_per_s": to,
        "met_again_from_per_s": again,
        "met_again_to_per_s": until,
        "replicas_below": replicas,
        "cold_cache_below": cache,
    })
}

/// Writes `capacity.csv`: a row for every gateway and mode.
fn write_csv(report: &CapacityReport, out: &mut dyn Write) -> Result<()> {
    type Row<'a> = (&'a CapacityReport<'a>, &'a Finding);
    let columns: [Column<Row>; 16] = [
        (&["gateway"], |(report, it)| (&report.candidates[it.candidate].name).into()),
        (&["mode"], |(_, it)| it.mode.key().into()),
        (&["state"], |(_, it)| parts(it.capacity).0.into()),
        (&["low_per_s"], |(_, it)| parts(it.capacity).1[0].into()),
        (&["point_per_s"], |(_, it)| parts(it.capacity).1[1].into()),
        (&["high_per_s"], |(_, it)| parts(it.capacity).1[2].into()),
        (&["missed_from_per_s"], |(_, it)| lowest(it).map(|band| band.from).into()),
        (&["missed_to_per_s"], |(_, it)| lowest(it).map(|band| band.to).into()),
        (&["met_again_from_per_s"], |(_, it)| lowest(it).map(|band| band.again).into()),
        (&["met_again_to_per_s"], |(_, it)| lowest(it).map(|band| band.until).into()),
        (&["fluid_limit_per_s"], |(_, it)| it.theory.into()),
        (&["objective"], |(_, it)| it.binding.as_ref().map(|it| &it.objective).into()),
        (&["constraint"], |(_, it)| it.binding.as_ref().map(words::why).into()),
        (&["cost"], |(report, it)| report.cost(it.candidate).words.into()),
        (&["demand_per_s"], |(report, _)| report.demand.into()),
        (&["experiments"], |(_, it)| it.probes.len().into()),
    ];
    write_columns(out, &columns, report.findings.iter().map(|finding| (report, finding)))
}

/// Writes `probes.csv`: a row for every load that was tried and every objective.
fn write_probes(report: &CapacityReport, out: &mut dyn Write) -> Result<()> {
    type Row<'a> = (&'a CapacityReport<'a>, &'a Finding, &'a LoadProbe, &'a (Judgement, Excess));
    let columns: [Column<Row>; 12] = [
        (&["gateway"], |(report, it, ..)| (&report.candidates[it.candidate].name).into()),
        (&["mode"], |(_, it, ..)| it.mode.key().into()),
        (&["load_per_s"], |(_, _, probe, _)| probe.load.into()),
        (&["objective"], |(.., (judgement, _))| (&judgement.objective.text).into()),
        (&["verdict"], |(.., (_, excess))| verdict(*excess).into()),
        (&["unit"], |(.., (judgement, _))| judgement.objective.metric.dimension().unit().0.into()),
        (&["point", "low", "high"], |(.., (judgement, _))| Cell::Figure(judgement.figure)),
        (&["excess"], |(.., (_, excess))| excess.point.into()),
        (&["failed"], |(_, _, probe, (judgement, _))| {
            probe.unserved_of(&judgement.objective).failed.into()
        }),
        (&["utilisation"], |(_, _, probe, _)| probe.cpu.utilisation.into()),
        (&["overload"], |(_, _, probe, _)| probe.overload.into()),
        (&["replications"], |(_, _, probe, _)| probe.digests.len().into()),
    ];
    let rows = report.findings.iter().flat_map(|finding| {
        finding.probes.iter().flat_map(move |probe| {
            probe.judged.iter().map(move |judged| (report, finding, probe, judged))
        })
    });
    write_columns(out, &columns, rows)
}

fn verdict(excess: Excess) -> &'static str {
    match excess {
        Excess { most, .. } if most < 0.0 => "met",
        Excess { least, .. } if least > 0.0 => "missed",
        _ => "undecided",
    }
}

/// Writes `sensitivity.csv`: a row for every value of an assumption that was tried.
fn write_sensitivities(report: &CapacityReport, out: &mut dyn Write) -> Result<()> {
    type Row<'a> = (&'a CapacityReport<'a>, &'a Finding, &'a Sensitivity, &'a Instead);
    let columns: [Column<Row>; 8] = [
        (&["gateway"], |(report, case, ..)| (&report.candidates[case.candidate].name).into()),
        (&["mode"], |(_, case, ..)| case.mode.key().into()),
        (&["setting"], |(_, _, one, _)| (&one.path).into()),
        (&["value"], |(_, _, one, _)| (&one.value).into()),
        (&["with"], |(.., other)| (&other.value).into()),
        (&["state"], |(.., other)| gives(other.gives).0.into()),
        (&["capacity_per_s"], |(.., other)| gives(other.gives).1.into()),
        (&["capacity_ratio"], |(_, _, one, other)| one.ratio(other.gives).into()),
    ];
    let rows = report.critical_case().into_iter().flat_map(|case| {
        report
            .sensitivities
            .iter()
            .flat_map(move |one| one.instead.iter().map(move |other| (report, case, one, other)))
    });
    write_columns(out, &columns, rows)
}
