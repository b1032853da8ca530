//! The search for the capacity of every gateway in every mode.
//!
//! What all replicas together cannot serve is not carried, whatever the objectives make of it in
//! the time that is judged: the backlog grows for as long as the load lasts. More than the
//! survivors serve may be carried, if a loss ends soon enough.

use crate::experiment::Runner;
use crate::scenario::Scenario;
use crate::study::capacity::binding;
use crate::study::capacity::finding::{Candidate, Constraint, Finding, LoadProbe, SearchEffort};
use crate::study::capacity::probe::{Prober, is_overload};
use crate::study::capacity::regimes;
use crate::study::capacity::search::{self, Capacity, Look, Range};
use crate::study::mode::{self, Mode, limits, objectives};
use crate::verdict;

/// Experiments that a search takes, about.
const PROBES: u64 = 6;
/// The least load that counts, of what theory gives.
const LEAST: f64 = 0.01;
/// The greatest.
const MOST: f64 = 1.3;
/// A demand beyond this is not tried: where requests are answered early theory says little.
const FAR: f64 = 20.0;
/// Where loads above a band are tried once more, of what theory gives.
const TOP: f64 = 0.93;
/// Where a search begins that has nothing else to go by, of what theory gives: at least, at most,
/// and in service times that a latency takes over its bound.
const GUESS: (f64, f64, f64) = (0.5, 0.97, 2.5);
/// A capacity that is known to this many times the tolerance is known well enough.
const ENOUGH: f64 = 5.0;

/// Finds the capacity of every candidate in every mode that means something for it, several at a
/// time. It ends early if it is stopped; what was found by then is given.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(runner: &Runner<'_>, candidates: &[Candidate], effort: SearchEffort) -> Vec<Finding> {
    let cost = |candidate: &Candidate| {
        candidate.modes.iter().map(|mode| cost(candidate, *mode, effort)).sum::<u64>()
    };
    let modes: usize = candidates.iter().map(|candidate| candidate.modes.len()).sum();
    let replications = PROBES as usize * effort.few() * modes;
    runner.progress().expect(replications, candidates.iter().map(cost).sum());
    let numbered: Vec<(usize, &Candidate)> = candidates.iter().enumerate().collect();
    let findings = runner.side_by_side(&numbered, |(index, candidate)| {
        of_candidate(runner, (*index, candidate), candidates.len(), effort)
    });
    findings.concat()
}

/// The first mode, and the others from what that came to.
fn of_candidate(
    runner: &Runner<'_>,
    (index, candidate): (usize, &Candidate),
    candidates: usize,
    effort: SearchEffort,
) -> Vec<Finding> {
    let of = |mode: Mode, guess: f64| {
        runner.progress().enter(format!("{}, {}", candidate.name, mode.label()));
        // The first modes, which all others wait for, go to different shards.
        let unit = mode as usize * candidates + index;
        let finding = find(&runner.as_unit(unit as u64), &candidate.scenario, mode, effort, guess);
        Finding { candidate: index, ..finding }
    };
    let Some((first, others)) = candidate.modes.split_first() else { return Vec::new() };
    let first = of(*first, guess(&candidate.scenario, *first));
    if first.capacity == Capacity::Stopped {
        return vec![first];
    }
    let share = match first.capacity {
        Capacity::Between { low, .. } if first.theory > 0.0 => Some(low / first.theory),
        _ => None,
    };
    let others = runner.side_by_side(others, |mode| {
        let limit = limits::fluid_limit(&candidate.scenario, *mode);
        let guess = match share {
            Some(share) => share.clamp(2.0 * LEAST, 1.0) * limit,
            None => guess(&candidate.scenario, *mode),
        };
        (!runner.is_cancelled()).then(|| of(*mode, guess))
    });
    std::iter::once(first).chain(others.into_iter().flatten()).collect()
}

/// Where to begin: a latency nears its bound where few service times are left of it.
pub(super) fn guess(scenario: &Scenario, mode: Mode) -> f64 {
    let plan = &scenario.plan;
    let objectives = objectives::of(scenario, mode);
    let latencies = objectives.iter().filter(|objective| objective.metric.is_latency());
    let bound = latencies.map(verdict::bound).fold(f64::INFINITY, f64::min);
    let service = plan.demand_secs() / plan.gateway.cores.0.min(1.0);
    let (least, most, times) = GUESS;
    (1.0 - times * service / bound).clamp(least, most) * limits::fluid_limit(scenario, mode)
}

/// Simulated nanoseconds that a search takes, about.
fn cost(candidate: &Candidate, mode: Mode, effort: SearchEffort) -> u64 {
    let one = mode::scenario(&candidate.scenario, mode, effort.trial, 1.0).plan.run.horizon.0;
    one * effort.few() as u64 * PROBES
}

/// Finds the capacity of a scenario in a mode, beginning with a guess.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn find(
    runner: &Runner<'_>,
    base: &Scenario,
    mode: Mode,
    effort: SearchEffort,
    guess: f64,
) -> Finding {
    let theory = limits::fluid_limit(base, mode);
    let range = range(base, mode, effort, guess);
    let mut changes = regimes::changes(base, mode, effort.trial);
    // Beyond these all replicas cannot serve the load, whatever has changed.
    changes.retain(|change| !is_overload(&base.plan, regimes::beyond(change)));
    let mut finding = Finding { theory, ..Finding::none(mode) };
    let watched = regimes::watched(&changes);
    let mut prober = Prober::new(runner, base, mode, effort);
    finding.capacity = search::search(range, &watched, |load, look| {
        let probe = prober.look(load, look)?;
        let excess = probe.excess;
        finding.add(probe);
        Some(excess)
    });
    try_top(&mut prober, base, &mut finding);
    let demand = effort.demand.filter(|demand| *demand <= range.most);
    try_demand(&mut prober, demand, &mut finding);
    if finding.capacity != Capacity::Stopped {
        let bands = search::bands(&finding.tried()).into_iter();
        finding.bands = bands.map(|band| regimes::explained(&changes, band)).collect();
    }
    bound_by_overload(base, &mut finding);
    finding.binding = binding::of(runner, base, effort, &finding);
    let constraint = finding.binding.as_ref().map(|binding| binding.constraint);
    let is_missed = matches!(finding.capacity, Capacity::AtMost(high) if high.is_finite());
    if let (Some(Constraint::FailOver(_, true)), true) = (constraint, is_missed) {
        // What does not hang on the load is not met at less.
        finding.capacity = Capacity::Nothing;
    }
    finding
}

/// Where only the overload is in the way, a capacity is what all replicas serve.
fn bound_by_overload(base: &Scenario, finding: &mut Finding) {
    let Capacity::Between { low, point, high } = finding.capacity else { return };
    let met = |probe: &LoadProbe| probe.judged.iter().all(|(_, excess)| excess.point <= 0.0);
    let is_alone = finding.at(high).is_some_and(|probe| probe.overload && met(probe));
    if is_alone || is_overload(&base.plan, point) {
        let point = limits::most(&base.plan);
        finding.capacity = Capacity::Between { low, point, high };
    }
}

/// Where a capacity is looked for: about what theory gives, or if nobody survives about what a
/// replica serves; and up or down to the demand, unless that is more than all replicas serve.
pub(super) fn range(base: &Scenario, mode: Mode, effort: SearchEffort, guess: f64) -> Range {
    let theory = limits::full_scale_limit(base, mode);
    let scale = if theory > 0.0 { theory } else { limits::of_one_replica(&base.plan) };
    let all = limits::most(&base.plan);
    let full = if base.plan.ends_early() { f64::INFINITY } else { all };
    let is_far = |demand: f64| demand > FAR * scale || is_overload(&base.plan, demand);
    let demand = effort.demand.filter(|demand| !is_far(*demand));
    let least = (LEAST * scale).min(demand.unwrap_or(f64::INFINITY));
    let most = (MOST * scale).max(demand.unwrap_or(0.0));
    let (guess, tolerance) = (guess.max(LEAST * scale), effort.tolerance);
    Range { least, guess, most, full, tolerance, enough: ENOUGH * tolerance, demand }
}

/// Tries the demand itself, as what greater and smaller loads come to says nothing of it where more
/// load may be better; unless it lies among loads that miss.
fn try_demand(prober: &mut Prober<'_>, demand: Option<f64>, finding: &mut Finding) {
    let Some(demand) = demand else { return };
    let misses = |probe: &LoadProbe| probe.excess.least > 0.0;
    let place = finding.probes.partition_point(|probe| probe.load < demand);
    let below = finding.probes[..place].last().is_some_and(misses);
    let above = finding.probes.get(place).is_none_or(misses);
    if !(below && above) {
        try_load(prober, demand, finding);
    }
}

/// Tries how far the loads reach that meet the objectives above a band.
fn try_top(prober: &mut Prober<'_>, base: &Scenario, finding: &mut Finding) {
    let band = search::bands(&finding.tried()).pop();
    let top = search::rounded(TOP * limits::full_scale_limit(base, finding.mode));
    if band.is_some_and(|band| band.until < top) {
        try_load(prober, top, finding);
    }
}

fn try_load(prober: &mut Prober<'_>, load: f64, finding: &mut Finding) {
    if finding.capacity == Capacity::Stopped || finding.at(load).is_some() {
        return;
    }
    match prober.look(load, Look::All) {
        Some(probe) => finding.add(probe),
        None => finding.capacity = Capacity::Stopped,
    }
}
