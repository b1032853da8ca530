//! Cases that begin with pods.

use brownout::autoscaler::behavior::{Behavior, Rules};
use brownout::autoscaler::calculator::{CpuTarget, Snapshot, Tolerance, recommend};
use brownout::autoscaler::controller::{AutoscalerSpec, AutoscalerState, Settings, step};
use brownout::autoscaler::decision::{Decision, Reason};
use brownout::autoscaler::goals::MetricGoal;
use brownout::autoscaler::log::RecommendationLog;
use brownout::autoscaler::pods::{Care, Container, Phase, Pod, PodGroup, Readiness, group};
use brownout::units::{Instant, Span};
use serde_json::Value;

use super::rules::{entries, rules};
use super::{Check, same};

/// The moment of evaluation: later than a billion seconds, so that any time is representable.
pub const NOW: Instant = Instant(2_000_000_000_000_000_000);

/// A time given in seconds from [`NOW`].
pub fn time(value: &Value) -> Option<Instant> {
    let nanoseconds = (value.as_f64()? * 1e9).round() as i64;
    Some(Instant(NOW.0.checked_add_signed(nanoseconds).expect("in range")))
}

pub fn int(value: &Value) -> i32 {
    value.as_i64().and_then(|int| i32::try_from(int).ok()).unwrap_or_else(|| panic!("{value}"))
}

pub fn span(value: &Value) -> Span {
    Span::from_secs(value.as_f64().unwrap_or_else(|| panic!("{value}")))
}

fn phase(value: &Value) -> Phase {
    match value.as_str() {
        Some("Pending") => Phase::Pending,
        Some("Running") => Phase::Running,
        Some("Succeeded") => Phase::Succeeded,
        Some("Failed") => Phase::Failed,
        _ => panic!("no phase: {value}"),
    }
}

/// A pod without containers.
fn bare(value: &Value, sampled: (Instant, Span)) -> Pod {
    let readiness = |condition: &Value| {
        let since = time(&condition["last_transition_s"])?;
        Some(Readiness { ready: condition["status"] == "True", since })
    };
    Pod {
        phase: phase(&value["phase"]),
        deleted: value["deleted"].as_bool().expect("a flag"),
        started: time(&value["start_time_s"]),
        readiness: readiness(&value["ready_condition"]),
        containers: Vec::new(),
        sampled,
    }
}

/// A pod with a container for each request or usage that is given.
fn pod(value: &Value, sampled: (Instant, Span)) -> Pod {
    let figure = |list: &str, index: usize| value[list].get(index).and_then(Value::as_i64);
    let count = |list: &str| value[list].as_array().map_or(0, Vec::len);
    let container = |index: usize| Container {
        name: format!("container{}", index + 1),
        request_milli: figure("requests_milli", index),
        usage_milli: figure("usage_milli", index),
    };
    let number = count("requests_milli").max(count("usage_milli")).max(1);
    Pod { containers: (0..number).map(container).collect(), ..bare(value, sampled) }
}

fn snapshot(input: &Value) -> Snapshot {
    let end = time(&input["metric_timestamp_s"]).expect("a time");
    let sampled = (end, span(&input["metric_window_s"]));
    let pods = input["pods"].as_array().expect("pods").iter();
    Snapshot {
        pods: pods.map(|one| pod(one, sampled)).collect(),
        stray_samples: input["extra_metrics"].as_array().map_or(0, Vec::len),
    }
}

fn care(input: &Value) -> Care {
    Care {
        initialization: span(&input["cpu_initialization_period_s"]),
        initial_readiness: span(&input["initial_readiness_delay_s"]),
    }
}

fn target(input: &Value) -> CpuTarget {
    CpuTarget {
        utilisation_pct: int(&input["target_utilization_pct"]),
        tolerance: Tolerance {
            up: input["tolerance_up"].as_f64().expect("a number"),
            down: input["tolerance_down"].as_f64().expect("a number"),
        },
        container: input["container"].as_str().map(str::to_owned),
        of_memory: false,
        care: care(input),
    }
}

/// What is expected, whether it is an object or a bare number of replicas.
fn expected(case: &Value) -> &Value {
    if case["expected_head"].is_null() { &case["expected"] } else { &case["expected_head"] }
}

/// A recommendation, or why there is none.
pub fn calculated(case: &Value) -> Check {
    let (input, expected) = (&case["input"], expected(case));
    let found = recommend(&target(input), &snapshot(input), int(&input["current_replicas"]), NOW);
    let error = [&expected["error_contains"], &expected["error"]];
    if let Some(part) = error.into_iter().find_map(Value::as_str) {
        return match found {
            Err(blind) if blind.to_string().contains(part) => Ok(()),
            other => Err(format!("{other:?}, not {part:?}")),
        };
    }
    let found = found.map_err(|blind| blind.to_string())?;
    if expected.is_number() {
        return same("replicas", found.replicas, int(expected));
    }
    same("replicas", found.replicas, int(&expected["replicas"]))?;
    same("utilisation", found.utilisation_pct, int(&expected["utilization_pct"]))?;
    same("average", found.average_milli, i64::from(int(&expected["raw_avg_milli"])))
}

/// The groups of pods.
pub fn grouped(case: &Value) -> Check {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut found: [Vec<&str>; 4] = Default::default();
    for value in input["pods"].as_array().expect("pods") {
        let name = value["name"].as_str().expect("a name");
        let metric = &input["metrics"][name];
        let sampled = match metric.is_null() {
            true => (NOW, Span::ZERO),
            false => (time(&metric["timestamp_s"]).expect("a time"), span(&metric["window_s"])),
        };
        let usage_milli = metric["value"].as_i64();
        let (name_of_one, request_milli) = ("one".to_owned(), Some(1));
        let containers = vec![Container { name: name_of_one, request_milli, usage_milli }];
        let pod = Pod { containers, ..bare(value, sampled) };
        found[group(&pod, None, &care(input), NOW) as usize].push(name);
    }
    let names = |group: PodGroup| found[group as usize].clone();
    let listed = |key: &str| -> Vec<&str> {
        expected[key].as_array().expect("names").iter().filter_map(Value::as_str).collect()
    };
    same("ready", names(PodGroup::Ready).len() as i32, int(&expected["ready_pod_count"]))?;
    same("unready", names(PodGroup::Unready), listed("unready"))?;
    same("missing", names(PodGroup::Missing), listed("missing"))?;
    same("ignored", names(PodGroup::Ignored), listed("ignored"))
}

/// Ready pods of 1000 milli-cores that all use so many.
fn alike(count: usize, usage_milli: i64) -> Snapshot {
    let long_ago = Instant::ZERO;
    let container = Container {
        name: "one".to_owned(),
        request_milli: Some(1_000),
        usage_milli: Some(usage_milli),
    };
    let pod = Pod {
        phase: Phase::Running,
        deleted: false,
        started: Some(long_ago),
        readiness: Some(Readiness { ready: true, since: long_ago }),
        containers: vec![container],
        sampled: (NOW, Span::from_secs(15.0)),
    };
    Snapshot { pods: vec![pod; count], stray_samples: 0 }
}

/// The recommendation for every utilisation from 0 to 500 %.
pub fn thresholds(table: &Value) -> Check {
    let (ready, target) = (int(&table["ready_replicas"]), int(&table["target_pct"]));
    for row in table["head"].as_array().expect("rows") {
        for percent in int(&row[0])..=int(&row[1]) {
            let snapshot = alike(ready as usize, i64::from(percent) * 10);
            let found = recommend(&CpuTarget::utilisation(target), &snapshot, ready, NOW);
            let found = found.map_err(|blind| blind.to_string())?.replicas;
            same(&format!("at {percent} %: replicas"), found, int(&row[2]))?;
        }
    }
    Ok(())
}

fn behavior(input: &Value) -> Option<Behavior> {
    let (up, down) = (&input["scale_up_rules"], &input["scale_down_rules"]);
    if up.is_null() && down.is_null() {
        return None;
    }
    let or = |value: &Value, default: Rules| if value.is_null() { default } else { rules(value) };
    Some(Behavior { up: or(up, Rules::up()), down: or(down, Rules::down()) })
}

fn spec(input: &Value) -> AutoscalerSpec {
    AutoscalerSpec {
        min: int(&input["min_replicas"]),
        max: int(&input["max_replicas"]),
        goals: vec![MetricGoal::Resource(target(input))],
        behavior: behavior(input),
        settings: Settings {
            downscale_window: span(&input["downscale_stabilization_window_s"]),
            step_factor: input["scale_up_limit_factor"].as_f64().expect("a number"),
            step_least: input["scale_up_limit_minimum"].as_f64().expect("a number"),
        },
    }
}

/// Kubernetes' word for the reason.
fn word(decision: &Decision) -> String {
    match decision.reason {
        Reason::Disabled => "ScalingDisabled".to_owned(),
        Reason::AboveMax => "AboveMax".to_owned(),
        Reason::BelowMin => "BelowMin".to_owned(),
        Reason::Blind(blind) => format!("Error:{blind}"),
        Reason::Utilisation { limit, .. } => limit.label().to_owned(),
    }
}

/// One whole step.
pub fn end_to_end(case: &Value) -> Check {
    let (input, expected) = (&case["input"], &case["expected"]);
    let log = input["recommendations"].is_array().then(|| entries(&input["recommendations"]));
    let mut memory =
        AutoscalerState { log: log.map(RecommendationLog), ..AutoscalerState::default() };
    let current = int(&input["current_replicas"]);
    let decision = step(&spec(input), &mut memory, &[snapshot(input)], current, NOW);
    same("replicas", decision.desired, int(&expected["desired_replicas"]))?;
    let reason = case["reference_reason"].as_str().expect("a reason");
    match word(&decision) {
        found if found.starts_with(reason) => Ok(()),
        found => Err(format!("the reason is {found:?}, not {reason:?}")),
    }
}

/// Eighty steps, each from what the last one decided.
pub fn sequence(case: &Value) -> Check {
    let (input, expected) = (&case["input"], &case["expected"]);
    let target = CpuTarget::utilisation(int(&input["target_utilization_pct"]));
    let settings = Settings {
        downscale_window: span(&input["downscale_stabilization_window_s"]),
        ..Settings::default()
    };
    let (min, max) = (int(&input["min_replicas"]), int(&input["max_replicas"]));
    let goals = vec![MetricGoal::Resource(target)];
    let spec = AutoscalerSpec { min, max, goals, behavior: None, settings };
    let (mut memory, mut replicas) = (AutoscalerState::default(), int(&input["initial_replicas"]));
    for (index, load) in input["total_load_milli"].as_array().expect("loads").iter().enumerate() {
        let each = int(load) / replicas;
        let usage = each.min(int(&input["per_pod_usage_cap_milli"]));
        // An entry of exactly the window's age has expired.
        let late = Span((index as u64 + 1) * 1_000_000);
        let now = NOW + span(&input["sync_period_s"]) * index as u64 + late;
        let snapshot = alike(replicas as usize, i64::from(usage));
        let decision = step(&spec, &mut memory, &[snapshot], replicas, now);
        if let Reason::Utilisation { recommended, .. } = decision.reason {
            let raw = int(&expected["recommendation_raw"][index]);
            same(&format!("recommendation {index}"), recommended.replicas, raw)?;
        }
        replicas = decision.desired;
        let after = int(&expected["replicas_after_step"][index]);
        same(&format!("replicas after step {index}"), replicas, after)?;
    }
    Ok(())
}
