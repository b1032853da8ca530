//! Faults and changing rates to put into a plan.

use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Rate;

use super::at;

/// A fault at a time in seconds, by a name of its own.
pub fn named(name: &str, fault: Fault, seconds: f64) -> FaultPlan {
    FaultPlan { name: name.to_owned(), fault, schedule: Schedule::At(at(seconds)) }
}

/// A fault at a time in seconds.
pub fn fault(fault: Fault, seconds: f64) -> FaultPlan {
    named(&format!("{fault:?}"), fault, seconds)
}

/// A fault that is injected after so long in health.
pub fn random(name: &str, fault: Fault, after: Law) -> FaultPlan {
    FaultPlan { schedule: Schedule::Random(after), ..named(name, fault, 0.0) }
}

/// Rates at times in seconds, with straight lines between them.
pub fn rates(scatter: Scatter, corners: &[(f64, f64)]) -> Traffic {
    let corners = corners.iter().map(|(time, rate)| (at(*time), Rate(*rate))).collect();
    Traffic::Process(ArrivalProcess { scatter, corners, period: None })
}

/// Another rate from a time on.
pub fn step(plan: &mut Plan, seconds: f64, rate: f64) {
    if let Traffic::Process(ArrivalProcess { corners, .. }) = &mut plan.traffic {
        let before = corners.last().map_or(Rate(rate), |(_, rate)| *rate);
        corners.extend([(at(seconds), before), (at(seconds), Rate(rate))]);
    }
}
