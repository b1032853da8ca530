//! Systems whose capacity is known: replicas, an objective, and hardly anything around them.

use std::path::Path;

use brownout::objective::Bound;
use brownout::scenario::{Scenario, read};
use brownout::study::capacity::finding::SearchEffort;
use brownout::study::mode::{Mode, Trial};
use brownout::units::Span;

/// The mean demand of a request, in seconds of one core.
pub const DEMAND: f64 = 0.01;
/// Loads closer than this are not told apart, well below the width of the intervals.
const TOLERANCE: f64 = 0.005;
const REPLICATIONS: usize = 10;

/// A system.
#[derive(Clone, Debug)]
pub struct System {
    pub scenario: Scenario,
    pub mode: Mode,
    pub effort: SearchEffort,
    text: String,
    bound: f64,
}

impl System {
    /// `replicas` with so many cores each, one ingress instance that takes them in turn, and a
    /// bound in seconds on a metric of the latency.
    pub fn of(replicas: usize, cores: f64, metric: &str, bound: f64) -> System {
        let text = format!(
            "question = \"?\"\nobjectives = [\"{metric} < 1s\"]\n[gateway]\nreplicas = {replicas}\n\
             cores = {cores}\ncpu-per-request = \"exponential(10ms)\"\n[traffic]\nrate = \"1/s\"\n\
             [run]\nhorizon = \"1m\"\nwarm-up = \"4s\"\n[ingress]\ninstances = 1\n"
        );
        let trial = Trial { judged: Span::from_secs(1_500.0 * DEMAND), peak_ratio: 1.0 };
        let effort =
            SearchEffort { trial, replications: REPLICATIONS, tolerance: TOLERANCE, demand: None };
        let scenario = parse(&text);
        let bare = System { scenario, mode: Mode::Healthy, effort, text, bound };
        bare.with("delay", "0s").with("hop", "0s")
    }

    /// Sets a setting of the ingress.
    pub fn with(&self, key: &str, value: &str) -> System {
        self.changed(&format!("ingress.{key}"), value)
    }

    /// The same with a setting changed.
    pub fn changed(&self, path: &str, value: &str) -> System {
        let mut system = self.clone();
        let changes = [&self.scenario.changes[..], &[format!("{path}={value}")]].concat();
        let loaded = read::parse_changed("system.toml", &self.text, Path::new(""), &changes);
        system.scenario = loaded.scenario.expect("sound");
        system.scenario.objectives[0].bound = Bound::Span(Span::from_secs(self.bound));
        system
    }

    /// The same, judged for so many mean demands.
    pub fn judged(&self, demands: f64) -> System {
        let mut system = self.clone();
        system.effort.trial.judged = Span::from_secs(demands * DEMAND);
        system
    }

    /// The same in another mode.
    pub fn through(&self, mode: Mode) -> System {
        System { mode, ..self.clone() }
    }

    /// The same with random numbers of its own.
    pub fn seeded(&self, seed: u64) -> System {
        let mut system = self.clone();
        system.scenario.plan.run.seed = seed;
        system
    }
}

fn parse(text: &str) -> Scenario {
    let loaded = read::parse("system.toml", text, Path::new(""));
    loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.problems))
}
