//! The search for the capacity of every gateway in every mode.
//!
//! What all replicas together cannot serve is not carried, whatever the objectives make of it in
//! the time that is judged: the backlog grows for as long as the load lasts. More than the
//! survivors serve may be carried, if a loss ends soon enough.

use crate::experiment::Runner;
use crate::scenario::Scenario;
use crate::study::capacity::binding;
use crate::study::capacity::finding::{Candidate, Finding, LoadProbe, SearchEffort};
use crate::study::capacity::mode::{self, Mode};
use crate::study::capacity::probe::{is_overload, probe};
use crate::study::capacity::regimes;
use crate::study::capacity::search::{self, Capacity, Range};

/// Experiments that a search takes, about.
const PROBES: u64 = 9;
/// The least load that counts, of what theory gives.
const LEAST: f64 = 0.01;
/// The greatest.
const MOST: f64 = 1.3;
/// A demand beyond this is not tried: where requests are answered early theory says little.
const FAR: f64 = 20.0;
/// Where loads above a band are tried once more, of what theory gives.
const TOP: f64 = 0.93;
/// Where a search begins that has nothing else to go by.
const GUESS: f64 = 0.8;

/// Finds the capacity of every candidate in every mode. It ends early if it is stopped; what was
/// found by then is given.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(
    runner: &Runner<'_>,
    candidates: &[Candidate],
    modes: &[Mode],
    effort: SearchEffort,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let cells: Vec<(usize, Mode)> =
        (0..candidates.len()).flat_map(|c| modes.iter().map(move |mode| (c, *mode))).collect();
    for (done, (index, mode)) in cells.iter().enumerate() {
        let candidate = &candidates[*index];
        let progress = runner.progress();
        progress.enter(format!("{}, {}", candidate.name, mode.label()));
        let before = (progress.simulated(), progress.completed());
        let rest = cells[done..].iter().map(|(c, mode)| cost(&candidates[*c], *mode, effort));
        let replications = PROBES as usize * effort.replications * (cells.len() - done);
        progress.expect(before.1 + replications, before.0 + rest.sum::<u64>());
        let base = candidate.scenario(*mode);
        let guess = guess(&findings, *index, base, *mode);
        let finding = find(runner, base, *mode, effort, guess);
        findings.push(Finding { candidate: *index, ..finding });
        if runner.is_cancelled() {
            break;
        }
    }
    findings
}

/// Simulated nanoseconds that a search takes, about.
fn cost(candidate: &Candidate, mode: Mode, effort: SearchEffort) -> u64 {
    let one = mode::scenario(candidate.scenario(mode), mode, effort.trial, 1.0).plan.run.horizon.0;
    one * effort.replications as u64 * PROBES
}

/// What the first mode of the candidate came to, for as many replicas as are left.
fn guess(findings: &[Finding], candidate: usize, base: &Scenario, mode: Mode) -> f64 {
    let theory = mode::fluid_limit(&base.plan, mode);
    let first = findings.iter().find(|finding| finding.candidate == candidate);
    let share = first.and_then(|first| match first.capacity {
        Capacity::Between { point, .. } if first.theory > 0.0 => Some(point / first.theory),
        _ => None,
    });
    theory * share.unwrap_or(GUESS).clamp(2.0 * LEAST, 1.0)
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
    let theory = mode::fluid_limit(&base.plan, mode);
    let range = range(base, mode, effort, guess);
    let changes = regimes::changes(&base.plan, mode, effort.trial);
    let mut finding = Finding { theory, ..Finding::none(mode) };
    finding.capacity = search::search(range, &regimes::watched(&changes), |load| {
        let probe = probe(runner, base, mode, effort, load)?;
        let excess = probe.excess;
        finding.add(probe);
        Some(excess)
    });
    try_top(runner, base, effort, &mut finding);
    try_demand(runner, base, effort, range, &mut finding);
    if finding.capacity != Capacity::Stopped {
        let with_cause = |band| (band, regimes::cause(&changes, band));
        finding.bands = search::bands(&finding.tried()).into_iter().map(with_cause).collect();
    }
    // Of what all replicas cannot serve, the least that was tried lies a little above.
    if let Capacity::Between { point, .. } = &mut finding.capacity
        && is_overload(&base.plan, *point)
    {
        *point = mode::arrivals(&base.plan, base.plan.most_replicas());
    }
    finding.binding = binding::of(runner, base, effort, &finding);
    finding
}

/// Where a capacity is looked for: about what theory gives, or if nobody survives about what a
/// replica serves; and up or down to the demand, unless that is more than all replicas serve.
fn range(base: &Scenario, mode: Mode, effort: SearchEffort, guess: f64) -> Range {
    let theory = mode::fluid_limit(&base.plan, mode);
    let scale = if theory > 0.0 { theory } else { mode::arrivals(&base.plan, 1) };
    let is_far = |demand: f64| demand > FAR * scale || is_overload(&base.plan, demand);
    let demand = effort.demand.filter(|demand| !is_far(*demand));
    let least = (LEAST * scale).min(demand.unwrap_or(f64::INFINITY));
    let most = (MOST * scale).max(demand.unwrap_or(0.0));
    Range { least, guess: guess.max(LEAST * scale), most, tolerance: effort.tolerance }
}

/// Tries the demand itself, as what greater and smaller loads come to says nothing of it where more
/// load may be better; unless it lies among loads that miss.
fn try_demand(
    runner: &Runner<'_>,
    base: &Scenario,
    effort: SearchEffort,
    range: Range,
    finding: &mut Finding,
) {
    let Some(demand) = effort.demand.filter(|demand| *demand <= range.most) else { return };
    let misses = |probe: &LoadProbe| probe.excess.least > 0.0;
    let place = finding.probes.partition_point(|probe| probe.load < demand);
    let below = finding.probes[..place].last().is_some_and(misses);
    let above = finding.probes.get(place).is_none_or(misses);
    if !(below && above) {
        try_load(runner, base, effort, demand, finding);
    }
}

/// Tries how far the loads reach that meet the objectives above a band.
fn try_top(runner: &Runner<'_>, base: &Scenario, effort: SearchEffort, finding: &mut Finding) {
    let band = search::bands(&finding.tried()).pop();
    let top = search::rounded(TOP * finding.theory);
    if band.is_some_and(|band| band.until < top) {
        try_load(runner, base, effort, top, finding);
    }
}

fn try_load(
    runner: &Runner<'_>,
    base: &Scenario,
    effort: SearchEffort,
    load: f64,
    finding: &mut Finding,
) {
    if finding.capacity == Capacity::Stopped || finding.at(load).is_some() {
        return;
    }
    match probe(runner, base, finding.mode, effort, load) {
        Some(probe) => finding.add(probe),
        None => finding.capacity = Capacity::Stopped,
    }
}
