//! Experiments that others have published, repeated with this model. What they state is in
//! `data/published_experiments.json`; each test says which part it takes and how near it comes.
//!
//! Left out, because what is published does not determine the system: moonpool's trigger lengths
//! (neither workers nor deadline nor attempts are given), the SRE book's cascade (no capacity, and
//! what a task does when it has too much to do is not said), AgentMail's incident (demand is a
//! range, retries are not described).

mod collapse;
mod retry;
mod rules;

use serde_json::Value;

/// What was published of an experiment.
pub fn published(experiment: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/published_experiments.json");
    let text = std::fs::read_to_string(path).expect("the facts are part of the project");
    let facts: Value = serde_json::from_str(&text).expect("the facts are well formed");
    facts[experiment].clone()
}

/// A number that must be there.
pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A list of numbers that must be there.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

/// Mean and sum of squared deviations from it.
pub fn mean_and_squares(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum())
}
