//! What is compared: figures of a window of the run, each with what every replication adds to its
//! error.

use crate::experiment::figures;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::plan::Plan;
use crate::stats::{Sample, jackknife};

/// Failures below which their share is not compared: so few do not show how much they vary.
pub const FEW_FAILURES: u64 = 10;

/// A figure of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// The mean latency, in seconds.
    Mean,
    /// The latency that this share of the served requests did not exceed, in seconds.
    Percentile(f64),
    /// Failed requests over all that have an outcome.
    Failed,
    /// The longest recovery from an incident, in seconds.
    Recovery,
    /// Work done over the capacity of the replicas that served; of the run after warm-up.
    Cpu,
}

impl Kind {
    /// Those of every window, in the order of reports.
    pub const OF_WINDOWS: [Kind; 4] =
        [Kind::Mean, Kind::Percentile(0.5), Kind::Percentile(0.95), Kind::Percentile(0.99)];

    /// Those of windows that are as long in every system. A window that lasts as long as a fault
    /// has its effect is longer where recovery is slower, and the share that fails in it less.
    pub const OF_FIXED_WINDOWS: [Kind; 1] = [Kind::Failed];

    /// Those of the whole run alone.
    pub const OF_RUNS: [Kind; 2] = [Kind::Recovery, Kind::Cpu];

    /// How tables call it.
    pub fn name(self) -> String {
        match self {
            Kind::Mean => "mean".to_owned(),
            Kind::Percentile(q) => format!("p{}", (q * 1e8).round() / 1e6),
            Kind::Failed => "failed".to_owned(),
            Kind::Recovery => "recovery".to_owned(),
            Kind::Cpu => "CPU".to_owned(),
        }
    }

    /// Whether it is a share; else it is in seconds.
    pub fn is_share(self) -> bool {
        matches!(self, Kind::Failed | Kind::Cpu)
    }

    /// Whether less of it is better; of CPU it is neither.
    pub fn is_better_low(self) -> bool {
        self != Kind::Cpu
    }
}

/// The figures of several systems from the replications in which all of them have one; `None` if
/// there are none, too few failures to speak of, or recoveries that were not over.
pub fn samples(kind: Kind, systems: &[System<'_>]) -> Option<Vec<Sample>> {
    let count = systems.iter().map(|system| system.outcomes.len()).min()?;
    let says = |index: &usize| systems.iter().all(|system| speaks(kind, system, *index));
    let common: Vec<usize> = (0..count).filter(says).collect();
    let samples = systems.iter().map(|system| sample(kind, system, &common));
    let samples = samples.collect::<Option<Vec<Sample>>>()?;
    let few = kind == Kind::Failed && systems.iter().all(|s| s.failures() < FEW_FAILURES);
    let open = kind == Kind::Recovery && systems.iter().any(System::has_open_incidents);
    (!few && !open).then_some(samples)
}

/// The outcomes of a system, and the window of its plan that is meant.
#[derive(Clone, Copy, Debug)]
pub struct System<'a> {
    /// By replication.
    pub outcomes: &'a [Outcome],
    /// Index into the windows of its plan.
    pub window: usize,
}

impl System<'_> {
    /// Whether the end of some incident was not seen: how long it lasted is then not known.
    fn has_open_incidents(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.windows[self.window].incidents.unrecovered > 0)
    }

    fn failures(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.windows[self.window].ledger.failed()).sum()
    }
}

/// Whether a replication has the figure at all.
fn speaks(kind: Kind, system: &System<'_>, replication: usize) -> bool {
    let outcome = &system.outcomes[replication];
    let window = &outcome.windows[system.window];
    match kind {
        Kind::Mean | Kind::Percentile(_) => window.latency.count() > 0,
        Kind::Failed => window.ledger.served + window.ledger.failed() > 0,
        Kind::Recovery => window.incidents.struck > 0,
        Kind::Cpu => outcome.capacity_secs > 0.0,
    }
}

fn sample(kind: Kind, system: &System<'_>, replications: &[usize]) -> Option<Sample> {
    let outcomes = replications.iter().map(|index| &system.outcomes[*index]);
    let outcomes: Vec<&Outcome> = outcomes.collect();
    let window = system.window;
    let windows: Vec<&WindowOutcome> =
        outcomes.iter().map(|outcome| &outcome.windows[window]).collect();
    let ratio = |pair: &dyn Fn(&Outcome) -> (f64, f64)| {
        jackknife::ratio_sample(&outcomes.iter().map(|outcome| pair(outcome)).collect::<Vec<_>>())
    };
    match kind {
        Kind::Mean => figures::mean_latency_sample(&windows),
        Kind::Percentile(q) => figures::percentile_sample(&windows, q),
        Kind::Failed => ratio(&|outcome| {
            let ledger = &outcome.windows[window].ledger;
            (ledger.failed() as f64, (ledger.failed() + ledger.served) as f64)
        }),
        Kind::Recovery => {
            let longest = |window: &&WindowOutcome| window.incidents.longest().as_secs();
            Sample::of(&windows.iter().map(longest).collect::<Vec<_>>())
        }
        Kind::Cpu => ratio(&|outcome| (outcome.busy_secs, outcome.capacity_secs)),
    }
}

/// The windows that all plans have, by their labels: the label and the index in each plan.
pub fn common_windows(plans: &[&Plan]) -> Vec<(String, Vec<usize>)> {
    let Some(first) = plans.first() else { return Vec::new() };
    let find = |label: &str| {
        let index = |plan: &&Plan| plan.windows.iter().position(|window| window.label == label);
        plans.iter().map(index).collect::<Option<Vec<usize>>>()
    };
    let labels = first.windows.iter().map(|window| window.label.clone());
    labels.filter_map(|label| find(&label).map(|indices| (label, indices))).collect()
}
