//! What the product's documents promise and what follows from it, property by property. The number
//! in a test's name is that of the property.
//!
//! Where chance plays a part the mean over many replications must lie within four standard errors
//! of the value derived, which a right program misses once in 16 000 times; the seeds are fixed.

pub use crate::common::troubles::{fault, random, rates, step};
use crate::common::witness::Witness;
use crate::common::{at, secs};
use brownout::observe::{Observation, ReplicaId, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Instant;

/// A sample of independent values.
pub struct Sample(pub Vec<f64>);

impl Sample {
    /// One value from each of `count` replications.
    pub fn of(count: u64, value: impl Fn(u64) -> f64) -> Self {
        Sample((0..count).map(value).collect())
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// Their variance, without bias.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        let squares = self.0.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        squares / (self.0.len() - 1) as f64
    }

    /// That of their mean.
    pub fn standard_error(&self) -> f64 {
        (self.variance() / self.0.len() as f64).sqrt()
    }

    /// The mean is within four standard errors of `expected`, and those are at most `most`.
    #[track_caller]
    pub fn expect_mean(&self, expected: f64, most: f64) {
        let (mean, error) = (self.mean(), self.standard_error());
        assert!(error <= most, "a standard error of {error} says too little");
        assert!((mean - expected).abs() <= 4.0 * error, "{mean} ± {error}, not {expected}");
    }

    /// Every value lies between `low` and `high`.
    #[track_caller]
    pub fn expect_within(&self, low: f64, high: f64) {
        let outside = self.0.iter().find(|value| **value < low || **value > high);
        assert!(outside.is_none(), "{outside:?} is outside {low} to {high}");
    }

    /// The values around the quantile `q` at four standard errors of their rank.
    pub fn quantile(&self, q: f64) -> (f64, f64) {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len() as f64;
        let margin = 4.0 * (count * q * (1.0 - q)).sqrt();
        let rank = |rank: f64| sorted[rank.clamp(0.0, count - 1.0) as usize];
        (rank(count * q - margin), rank(count * q + margin))
    }
}

/// The start-up of the derived delays: a warm node, and probes every ten seconds after ten.
pub fn warm_start(plan: &mut Plan, boot: (f64, f64)) {
    plan.startup.schedule = Law::uniform_secs(0.1, 1.0);
    plan.startup.sandbox = Law::uniform_secs(1.0, 3.0);
    plan.startup.image = Law::uniform_secs(0.0, 2.0);
    plan.startup.boot = Law::uniform_secs(boot.0, boot.1);
    plan.ingress.propagation = Law::uniform_secs(0.5, 2.0);
}

/// A crash of the replica in slot 0.
pub fn crash(time: f64) -> FaultPlan {
    fault(Fault::ReplicaCrash(ReplicaTarget::Slot(0)), time)
}

/// The same traffic without scatter.
pub fn evenly(plan: &mut Plan) {
    if let Traffic::Process(process) = &mut plan.traffic {
        process.scatter = Scatter::Deterministic;
    }
}

/// A call to the control plane: U(0.2, 1) s, time-out 10 s, back-off 15 s.
pub fn call() -> ControlPlaneCall {
    ControlPlaneCall {
        duration: Law::uniform_secs(0.2, 1.0),
        timeout: secs(10.0),
        backoff: secs(15.0),
    }
}

/// When a replica first entered a state.
pub fn entered(witness: &Witness, replica: ReplicaId, wanted: State) -> Option<Instant> {
    let states = witness.states(replica);
    states.into_iter().find(|(_, state)| *state == wanted).map(|(at, _)| at)
}

/// When a replica first joined (`true`) or left (`false`) the rotation.
pub fn rotated(witness: &Witness, replica: ReplicaId, joined: bool) -> Option<Instant> {
    let wanted = match joined {
        true => Observation::JoinedRotation { replica },
        false => Observation::LeftRotation { replica },
    };
    witness.times(|fact| *fact == wanted).first().copied()
}

/// When the replica of slot 0 left the rotation and when its replacement, the `next` replica, came.
pub fn gap(witness: &Witness, next: ReplicaId) -> (f64, f64) {
    let left = rotated(witness, 0, false).expect("the victim leaves");
    let joined = rotated(witness, next, true).expect("the replacement joins");
    (left.as_secs(), joined.as_secs())
}

/// Requests that a replica took on between two times in seconds and served.
pub fn taken(witness: &Witness, replica: ReplicaId, from: f64, to: f64) -> usize {
    let period = at(from)..at(to);
    let mine = witness.served.iter().filter(|request| request.replica == replica);
    mine.filter(|request| period.contains(&request.arrived)).count()
}
