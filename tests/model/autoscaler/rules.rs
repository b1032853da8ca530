//! Cases of stabilisation and of the speed of changes.

use brownout::autoscaler::behavior::*;
use brownout::autoscaler::controller::{AutoscalerSpec, Settings, limit_speed, limit_step};
use brownout::autoscaler::decision::Restraint;
use brownout::autoscaler::log::{PastRecommendation, RecommendationLog};
use serde_json::Value;

use super::cases::{NOW, int, span, time};
use super::{Check, same};

/// The rules of one direction.
pub fn rules(value: &Value) -> Rules {
    let policy = |policy: &Value| ScalingPolicy {
        unit: if policy["type"] == "Pods" { PolicyUnit::Pods } else { PolicyUnit::Percent },
        value: int(&policy["value"]),
        period: span(&policy["periodSeconds"]),
    };
    let window = &value["stabilizationWindowSeconds"];
    Rules {
        policies: value["policies"].as_array().expect("policies").iter().map(policy).collect(),
        select: match value["selectPolicy"].as_str() {
            Some("Min") => Select::Min,
            Some("Disabled") => Select::Disabled,
            _ => Select::Max,
        },
        window: (!window.is_null()).then(|| span(window)),
    }
}

/// Recommendations with their times.
pub fn entries(value: &Value) -> Vec<PastRecommendation> {
    let entry = |pair: &Value| PastRecommendation {
        replicas: int(&pair[0]),
        at: time(&pair[1]).expect("a time"),
    };
    value.as_array().expect("recommendations").iter().map(entry).collect()
}

fn events(value: &Value) -> ScaleEvents {
    let event = |event: &Value| ScaleEvent {
        change: int(&event["change"]),
        at: time(&event["t"]).expect("a time"),
    };
    ScaleEvents(value.as_array().expect("events").iter().map(event).collect())
}

fn history(input: &Value) -> History {
    History { up: events(&input["scale_up_events"]), down: events(&input["scale_down_events"]) }
}

fn sizes(input: &Value) -> (i32, i32) {
    (int(&input["current_replicas"]), int(&input["desired_replicas"]))
}

fn bounds(input: &Value) -> (i32, i32) {
    (int(&input["min_replicas"]), int(&input["max_replicas"]))
}

fn limit_is(found: (i32, Restraint), expected: &Value) -> Check {
    same("replicas", found.0, int(&expected["replicas"]))?;
    same("condition", found.1.label(), expected["condition"].as_str().expect("a condition"))
}

/// The limits without `behavior`.
pub fn converted(case: &Value) -> Check {
    let input = &case["input"];
    let ((min, max), (current, desired)) = (bounds(input), sizes(input));
    let settings = Settings {
        step_factor: input["scale_up_limit_factor"].as_f64().expect("a number"),
        step_least: input["scale_up_limit_minimum"].as_f64().expect("a number"),
        ..Settings::default()
    };
    let spec = AutoscalerSpec { min, max, goals: Vec::new(), behavior: None, settings };
    limit_is(limit_step(&spec, current, desired), &case["expected"])
}

/// Stabilisation without `behavior`.
pub fn stabilised(case: &Value) -> Check {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut log = RecommendationLog(entries(&input["recommendations"]));
    let found = log.stabilise(int(&input["desired_replicas"]), span(&input["window_s"]), NOW);
    same("replicas", found, int(&expected["replicas"]))?;
    same("length", log.0.len() as i32, int(&expected["log_length"]))
}

/// The limits with `behavior`.
pub fn scaled(case: &Value) -> Check {
    let input = &case["input"];
    let behavior = Behavior {
        up: rules(&input["scale_up_rules_effective"]),
        down: rules(&input["scale_down_rules_effective"]),
    };
    let found = limit_speed(bounds(input), &behavior, &history(input), sizes(input), NOW);
    let head = &case["expected_head"];
    limit_is(found, if head.is_null() { &case["expected"] } else { head })
}

/// The limit of one direction.
pub fn limited(case: &Value) -> Check {
    let input = &case["input"];
    let limit = if input["direction"] == "up" { limit_up } else { limit_down };
    let current = int(&input["current_replicas"]);
    let found = limit(&rules(&input["rules"]), &history(input), current, NOW);
    same("limit", found, int(&case["expected"]["limit"]))
}

/// What is kept of earlier changes. Without `behavior` nothing is.
pub fn stored(case: &Value) -> Check {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut found = events(&input["prev_events"]);
    let before = found.within(span(&input["period_s_for_change"]), NOW);
    same("change before", before, int(&expected["change_in_period_before"]))?;
    if !input["rules"].is_null() {
        found.store(int(&input["replica_change"]), &rules(&input["rules"]), NOW);
    }
    let after: Vec<i32> = found.0.iter().map(|event| event.change).collect();
    let listed = expected["events_after"].as_array().expect("events").iter();
    same("events", after, listed.map(|event| int(&event["change"])).collect())
}

fn log_is(log: &RecommendationLog, expected: &Value) -> Check {
    let Some(listed) = expected.as_array() else { return Ok(()) };
    let found: Vec<i32> = log.0.iter().map(|entry| entry.replicas).collect();
    same("log", found, listed.iter().map(int).collect())
}

/// Stabilisation with `behavior`.
pub fn stabilised_both(case: &Value) -> Check {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut log = RecommendationLog(entries(&input["recommendations"]));
    let windows = (span(&input["up_window_s"]), span(&input["down_window_s"]));
    let (current, desired) = sizes(input);
    let found = log.stabilise_both(current, desired, windows, NOW);
    same("replicas", found, int(&expected["replicas"]))?;
    log_is(&log, &expected["log_after"])
}

/// Both kinds of stabilisation.
pub fn stabilised_at_random(case: &Value) -> Check {
    let (input, expected) = (&case["input"], &case["expected"]);
    let (current, desired) = sizes(input);
    let mut plain = RecommendationLog(entries(&input["recommendations"]));
    let mut both = plain.clone();
    let found = plain.stabilise(desired, span(&input["no_behavior_window_s"]), NOW);
    same("replicas", found, int(&expected["no_behavior"]["replicas"]))?;
    log_is(&plain, &expected["no_behavior"]["log"])?;
    let windows = (span(&input["up_window_s"]), span(&input["down_window_s"]));
    let found = both.stabilise_both(current, desired, windows, NOW);
    same("replicas with behavior", found, int(&expected["behavior_head"]["replicas"]))?;
    log_is(&both, &expected["behavior_head"]["log"])
}
