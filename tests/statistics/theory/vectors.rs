//! The vectors: quantities whose true value is known, and what a correct run must meet.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The file.
#[derive(Deserialize)]
pub struct Reference {
    /// Families that the model does not express.
    pub not_covered: Vec<NotCovered>,
    /// Everything else.
    pub vectors: Vec<Vector>,
}

/// A family that the model does not express, and why.
#[derive(Deserialize)]
pub struct NotCovered {
    pub family: String,
    pub vectors: usize,
    pub reason: String,
}

/// One quantity of one system.
#[derive(Clone, Debug, Deserialize)]
pub struct Vector {
    pub id: String,
    pub family: String,
    pub params: Params,
    pub quantity: String,
    pub value: f64,
    #[serde(default)]
    pub tolerance: Tolerance,
    /// Mixes slowly: needs ten million requests.
    pub stress: bool,
}

impl Vector {
    /// Its full name.
    pub fn name(&self) -> String {
        format!("{}::{}::{}", self.family, self.quantity, self.id)
    }

    /// A seed of its own, so that verdicts on different systems do not share their randomness: the
    /// digits of its name.
    pub fn seed(&self) -> u64 {
        let digits: String = self.id.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_default()
    }

    /// How long its replicas live; zero if they do not fail.
    pub fn mean_life(&self) -> f64 {
        self.params.find("mtbf_s").unwrap_or(0.0)
    }

    /// Its value, or what lacks to one if it is a probability that is nearer to that: what its
    /// tolerance must be small against.
    pub fn rarer(&self) -> f64 {
        let shares = ["prob_", "hit_ratio", "availability", "utilization", "admitted", "sigma"];
        let is_share = shares.iter().any(|share| self.quantity.contains(share));
        if is_share && self.value > 0.5 && self.value < 1.0 { 1.0 - self.value } else { self.value }
    }

    /// Whether it speaks of requests of one size among others.
    pub fn is_tagged(&self) -> bool {
        self.params.find("tagged_size").is_some()
    }
}

/// What a correct run of the stated size meets.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Tolerance {
    pub abs: Option<f64>,
    pub rel: Option<f64>,
    /// Requests after warm-up.
    pub requests: Option<f64>,
    /// Simulated time in units of the mean demand.
    pub sim_time: Option<f64>,
}

impl Tolerance {
    /// The absolute tolerance around `value` at the stated size.
    pub fn around(&self, value: f64) -> Option<f64> {
        self.abs.or(self.rel.map(|rel| rel * value.abs()))
    }
}

/// The system that a vector speaks of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// A number, if it is given.
    pub fn find(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// A number that must be given.
    pub fn number(&self, key: &str) -> f64 {
        self.find(key).unwrap_or_else(|| panic!("a vector lacks the number {key}: {:?}", self.0))
    }

    /// A word; empty if it is not given.
    pub fn word(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The number of replicas in each zone, if zones are given.
    pub fn zones(&self) -> Option<Vec<usize>> {
        let zones = self.0.get("zones")?.as_object()?;
        Some(zones.values().filter_map(Value::as_u64).map(|size| size as usize).collect())
    }
}

/// Reads the file that lies beside the tests.
pub fn read() -> Reference {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/queueing_vectors.json");
    let text = std::fs::read_to_string(path).expect("the vectors are part of the project");
    serde_json::from_str(&text).expect("the vectors are well formed")
}
