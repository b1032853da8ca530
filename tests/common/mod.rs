//! A plan to start from, for tests that need one to the letter.
#![allow(dead_code)] // each test uses its part

pub mod dependencies;
pub mod troubles;
pub mod witness;

use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::Keep;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Rate, Span};

/// Seconds as a span.
pub fn secs(seconds: f64) -> Span {
    Span::from_secs(seconds)
}

/// Seconds as an instant.
pub fn at(seconds: f64) -> Instant {
    Instant::from_secs(seconds)
}

/// Poisson arrivals at a constant rate.
pub fn poisson(rate: f64) -> Traffic {
    Traffic::poisson(Rate(rate))
}

/// The neutral plan with so many replicas over as many zones, another rate and another length.
pub fn plan(replicas: usize, rate: f64, horizon: f64) -> Plan {
    let plan = Plan::neutral().with_replicas(replicas).with_horizon(at(horizon));
    Plan { traffic: poisson(rate), ..plan }
}

/// Runs one replication without keeping more than its figures.
pub fn replicate(plan: &Plan, replication: u64) -> Outcome {
    brownout::experiment::replicate(plan, replication, Keep::default(), &Default::default())
}

/// The replicas in these slots crash at an instant, known everywhere at once, and are back in
/// rotation after exactly this span.
pub fn take_away(plan: &mut Plan, slots: &[Slot], at: Instant, lasts: Span) {
    plan.detection.crash = Law::ZERO;
    plan.ingress.propagation = Law::ZERO;
    plan.startup.boot = Law::Constant(lasts);
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan.startup.readiness.period = Span::ZERO;
    let crash = |slot: &Slot| FaultPlan {
        name: format!("outage of slot {slot}"),
        fault: Fault::ReplicaCrash(ReplicaTarget::Slot(*slot)),
        schedule: Schedule::At(at),
    };
    plan.faults = slots.iter().map(crash).collect();
}
