//! How often each window was struck by each of the faults that strike at random.

use crate::observe::incident::Incident;
use crate::observe::outcome::Outcome;
use crate::observe::strikes::Strikes;
use crate::plan::{Extent, Plan, Schedule};
use crate::units::{Instant, Span};

/// The times in which a window is open, from and to.
type OpenTimes = Vec<(Instant, Instant)>;

/// Notes the strikes of every window.
pub(super) fn note(plan: &Plan, outcome: &mut Outcome) {
    for (index, window) in plan.windows.iter().enumerate() {
        let times = times(plan, window.extent, outcome);
        let strikes = (0..plan.faults.len())
            .filter(|fault| may_strike(plan, *fault, outcome.ended))
            .map(|fault| strikes(plan, fault, window.extent, outcome, &times));
        outcome.windows[index].strikes = strikes.collect();
    }
}

/// Whether a fault may strike at random before `end`.
fn may_strike(plan: &Plan, fault: usize, end: Instant) -> bool {
    match &plan.faults[fault].root(&plan.faults).schedule {
        Schedule::Random(law) => law.least_secs() < end.as_secs(),
        _ => false,
    }
}

fn times(plan: &Plan, extent: Extent, outcome: &Outcome) -> OpenTimes {
    match extent {
        Extent::Run => vec![(plan.run.warm_up, outcome.ended)],
        Extent::Between(from, to) => vec![(from, to.min(outcome.ended))],
        Extent::During(fault) => {
            let own = outcome.incidents.iter().filter(|incident| incident.fault == fault);
            own.map(|incident| (incident.at, end(incident, outcome))).collect()
        }
    }
}

fn end(incident: &Incident, outcome: &Outcome) -> Instant {
    incident.normal.unwrap_or(outcome.ended)
}

fn strikes(
    plan: &Plan,
    fault: usize,
    extent: Extent,
    outcome: &Outcome,
    times: &OpenTimes,
) -> Strikes {
    let own = extent == Extent::During(fault);
    let is_in = |incident: &&Incident| {
        let over = end(incident, outcome);
        incident.fault == fault
            && (own || times.iter().any(|(from, to)| incident.at < *to && over > *from))
    };
    let struck: Vec<&Incident> = outcome.incidents.iter().filter(is_in).collect();
    let length: Span = times.iter().fold(Span::ZERO, |sum, (from, to)| sum + to.since(*from));
    let lasted = |incident: &&Incident| incident.lasted().unwrap_or(length);
    // A window of its own incidents is there only because it struck.
    let rate = plan.strikes_per_second(&plan.faults[fault]).filter(|_| !own);
    Strikes {
        fault,
        own,
        struck: struck.len() as u64,
        longest: struck.iter().map(lasted).max().unwrap_or_default(),
        rate,
        after: rate.map_or(1.0, |rate| after(rate, times)),
    }
}

/// The share of some times that is expected to come after the first of strikes at this rate.
fn after(rate: f64, times: &OpenTimes) -> f64 {
    let (mut length, mut before) = (0.0, 0.0);
    for (from, to) in times {
        let (from, to) = (from.as_secs(), to.as_secs());
        length += to - from;
        before += ((-rate * from).exp() - (-rate * to).exp()) / rate;
    }
    if length > 0.0 { 1.0 - before / length } else { 0.0 }
}
