//! Capacity: for each tier and each failure mode the largest load that meets the objectives.
//!
//! The objectives of a mode share the confidence: with k of them, each has intervals of 1 − 5 %/k,
//! so that the interval of the capacity, which any of them can bound, has 95 %. Every load meets
//! the same luck, and so does every tier.
//!
//! What all replicas together cannot serve is not carried, whatever the objectives make of it in
//! the time that is judged: the backlog grows for as long as the load lasts. More than the
//! survivors serve may be carried, if a loss ends soon enough.
//!
//! A percentile is of the served requests. Here it is judged as such if another objective bounds
//! the availability, and with it the failures. Without one, no more requests may fail than the
//! percentile leaves out, which is judged by the interval of their share.

use crate::experiment::{Course, Experiment, Runner};
use crate::metric::estimator::{self, Unanswered};
use crate::objective::Metric;
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::Outcome;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::stats::Confidence;
use crate::study::binding::{self, Binding};
use crate::study::excess;
use crate::study::mode::{self, Mode, Trial};
use crate::study::search::{self, Capacity, Excess, Range};
use crate::verdict::{self, Judgement};

/// Experiments that a search takes, about.
const PROBES: u64 = 9;
/// The least load that counts, of what theory gives.
const LEAST: f64 = 0.01;
/// The greatest.
const MOST: f64 = 1.3;
/// By how much an overload exceeds objectives at least: as much as to be missed by far, so that a
/// search halves the way to it.
const OVERLOAD: f64 = 1.0;
/// A demand beyond this is not tried: where requests are answered early theory says little.
const FAR: f64 = 20.0;
/// Where a search begins that has nothing else to go by.
const GUESS: f64 = 0.8;

/// A gateway that might be had.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its name, such as `large`.
    pub name: String,
    /// What it is.
    pub scenario: Scenario,
    /// The same with APIs that use contracts.
    pub with_contracts: Scenario,
}

impl Candidate {
    /// What is tried in a mode.
    pub fn scenario(&self, mode: Mode) -> &Scenario {
        if mode.needs_contracts() { &self.with_contracts } else { &self.scenario }
    }
}

/// How capacities are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// How modes are tried.
    pub trial: Trial,
    /// Replications at each load.
    pub replications: usize,
    /// Loads that are so close are not told apart, such as 0.005.
    pub tolerance: f64,
    /// A load that is tried by itself wherever it may be carried.
    pub demand: Option<f64>,
}

/// What was found for one candidate in one mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Index of the candidate.
    pub candidate: usize,
    /// The mode.
    pub mode: Mode,
    /// The capacity in requests per second.
    pub capacity: Capacity,
    /// The load at which the CPU of the survivors is full.
    pub theory: f64,
    /// What is in the way of more, if something is.
    pub binding: Option<Binding>,
    /// Every load that was tried, in order of load.
    pub probes: Vec<Probe>,
}

/// One load that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Requests per second.
    pub load: f64,
    /// By how much the objectives are exceeded; above zero in an overload.
    pub excess: Excess,
    /// Each objective as judged, and by how much it is exceeded.
    pub judged: Vec<(Judgement, Excess)>,
    /// Whether it is more than all replicas serve, for as long as it lasts.
    pub overload: bool,
    /// Failed requests over all that have an outcome, in the judged time.
    pub failed: f64,
    /// How most of them failed.
    pub failure: Option<Failure>,
    /// Work that was done for each request that met a replica, times the load, over the CPU of the
    /// survivors.
    pub utilisation: f64,
    /// The share of their CPU that working replicas used after warm-up.
    pub in_use: f64,
    /// Replicas that worked, on average after warm-up.
    pub working: f64,
    /// The digest of each replication.
    pub digests: Vec<u64>,
}

impl Finding {
    /// What came of a load, if it was tried.
    pub fn at(&self, load: f64) -> Option<&Probe> {
        self.probes.iter().find(|probe| probe.load == load)
    }

    fn add(&mut self, probe: Probe) {
        let place = self.probes.partition_point(|other| other.load < probe.load);
        self.probes.insert(place, probe);
    }
}

/// Finds the capacity of every candidate in every mode. It ends early if it is stopped; what was
/// found by then is given.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(
    runner: &Runner<'_>,
    candidates: &[Candidate],
    modes: &[Mode],
    effort: Effort,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let cells: Vec<(usize, Mode)> =
        (0..candidates.len()).flat_map(|c| modes.iter().map(move |mode| (c, *mode))).collect();
    for (done, (index, mode)) in cells.iter().enumerate() {
        let candidate = &candidates[*index];
        let watch = runner.watch();
        watch.enter(format!("{}, {}", candidate.name, mode.label()));
        let before = (watch.gauge.simulated(), watch.done());
        let rest = cells[done..].iter().map(|(c, mode)| cost(&candidates[*c], *mode, effort));
        let replications = PROBES as usize * effort.replications * (cells.len() - done);
        watch.expect(before.1 + replications, before.0 + rest.sum::<u64>());
        let base = candidate.scenario(*mode);
        let guess = guess(&findings, *index, base, *mode);
        let finding = find(runner, base, *mode, effort, guess);
        findings.push(Finding { candidate: *index, ..finding });
        if runner.is_stopped() {
            break;
        }
    }
    findings
}

/// Simulated nanoseconds that a search takes, about.
fn cost(candidate: &Candidate, mode: Mode, effort: Effort) -> u64 {
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
    effort: Effort,
    guess: f64,
) -> Finding {
    let theory = mode::fluid_limit(&base.plan, mode);
    let range = range(base, mode, effort, guess);
    let (capacity, binding, probes) = (Capacity::Stopped, None, Vec::new());
    let mut finding = Finding { candidate: 0, mode, capacity, theory, binding, probes };
    finding.capacity = search::search(range, |load| {
        let probe = probe(runner, base, mode, effort, load)?;
        let excess = probe.excess;
        finding.add(probe);
        Some(excess)
    });
    try_demand(runner, base, effort, range, &mut finding);
    let tried: Vec<_> = finding.probes.iter().map(|probe| (probe.load, probe.excess)).collect();
    finding.capacity = match (finding.capacity, search::uneven(&tried)) {
        (Capacity::Stopped, _) => Capacity::Stopped,
        (_, Some(uneven)) => uneven,
        // Of what all replicas cannot serve, the least that was tried lies a little above.
        (Capacity::Between { low, point, high }, _) if is_overload(&base.plan, point) => {
            let most = mode::arrivals(&base.plan, base.plan.most_replicas());
            Capacity::Between { low, point: most, high }
        }
        (found, None) => found,
    };
    finding.binding = binding::of(runner, base, effort, &finding);
    finding
}

/// Where a capacity is looked for: about what theory gives, or if nobody survives about what a
/// replica serves; and up or down to the demand, unless that is more than all replicas serve.
fn range(base: &Scenario, mode: Mode, effort: Effort, guess: f64) -> Range {
    let theory = mode::fluid_limit(&base.plan, mode);
    let scale = if theory > 0.0 { theory } else { mode::arrivals(&base.plan, 1) };
    let is_far = |demand: f64| demand > FAR * scale || is_overload(&base.plan, demand);
    let demand = effort.demand.filter(|demand| !is_far(*demand));
    let least = (LEAST * scale).min(demand.unwrap_or(f64::INFINITY));
    let most = (MOST * scale).max(demand.unwrap_or(0.0));
    Range { least, guess: guess.max(LEAST * scale), most, tolerance: effort.tolerance }
}

/// Tries the demand itself unless it is too much: that greater loads are carried says nothing of it
/// where more load helps.
fn try_demand(
    runner: &Runner<'_>,
    base: &Scenario,
    effort: Effort,
    range: Range,
    finding: &mut Finding,
) {
    let Some(demand) = effort.demand else { return };
    let most = match finding.capacity {
        Capacity::Between { high, .. } | Capacity::AtMost(high) => high.min(range.most),
        Capacity::Stopped => 0.0,
        _ => range.most,
    };
    if demand > most || finding.at(demand).is_some() {
        return;
    }
    match probe(runner, base, finding.mode, effort, demand) {
        Some(probe) => finding.add(probe),
        None => finding.capacity = Capacity::Stopped,
    }
}

/// Tries a load; `None` if it was stopped before all replications were complete.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn probe(
    runner: &Runner<'_>,
    base: &Scenario,
    mode: Mode,
    effort: Effort,
    load: f64,
) -> Option<Probe> {
    let scenario = mode::scenario(base, mode, effort.trial, load);
    let mut run = runner.run(&scenario.plan, effort.replications, Course::None);
    if run.interrupted || scenario.objectives.is_empty() {
        return None;
    }
    let bounded = scenario.objectives.iter().any(|one| one.metric == Metric::Availability);
    let demands = scenario.objectives.len() + usize::from(!bounded);
    run.confidence = Confidence::USUAL.of_each(demands);
    let judgements = verdict::judge_all(&run, &scenario.objectives);
    let (failed, failure) = failures(&run);
    let windows = estimator::windows(&run.outcomes, 1);
    let served = estimator::availability(&windows, Unanswered::Failed, run.confidence);
    let served = served.filter(|_| !bounded);
    let judged = judgements.into_iter().map(|judgement| {
        let excess = excess::of(&judgement, served.as_ref());
        (judgement, excess)
    });
    let judged: Vec<(Judgement, Excess)> = judged.collect();
    let greatest = |of: fn(&Excess) -> f64| {
        judged.iter().map(|(_, excess)| of(excess)).fold(f64::NEG_INFINITY, f64::max)
    };
    let overload = is_overload(&scenario.plan, load);
    let floor = if overload { OVERLOAD } else { f64::NEG_INFINITY };
    let excess = Excess {
        least: greatest(|excess| excess.least).max(floor),
        point: greatest(|excess| excess.point).max(floor),
        most: greatest(|excess| excess.most).max(floor),
    };
    let Cpu { utilisation, in_use, working } = cpu(&run, &scenario.plan, mode, load);
    let digests = run.outcomes.iter().map(|outcome| outcome.digest).collect();
    Some(Probe {
        load,
        excess,
        judged,
        overload,
        failed,
        failure,
        utilisation,
        in_use,
        working,
        digests,
    })
}

/// Whether a load is more than all replicas serve, for as long as it lasts.
fn is_overload(plan: &Plan, load: f64) -> bool {
    load > mode::arrivals(plan, plan.most_replicas()) && !plan.ends_early()
}

/// How CPU was used: see [`Probe`].
struct Cpu {
    utilisation: f64,
    in_use: f64,
    working: f64,
}

fn cpu(run: &Experiment, plan: &Plan, mode: Mode, load: f64) -> Cpu {
    let sum = |of: fn(&Outcome) -> f64| run.outcomes.iter().map(of).sum::<f64>();
    let (busy, capacity) = (sum(|o| o.busy_secs), sum(|o| o.capacity_secs));
    let met = sum(|o| met_a_replica(&o.windows[0].ledger) as f64);
    let work = if met > 0.0 { busy / met } else { plan.demand_secs() };
    let cores = plan.gateway.cores.0;
    let length = plan.run.horizon.since(plan.run.warm_up).as_secs() * run.outcomes.len() as f64;
    Cpu {
        utilisation: load * plan.requests_per_arrival() * work
            / (cores * mode::survivors(plan, mode) as f64),
        in_use: if capacity > 0.0 { busy / capacity } else { 0.0 },
        working: capacity / (cores * length),
    }
}

/// Requests that were not sent to what is gone.
fn met_a_replica(ledger: &Ledger) -> u64 {
    let lost = Failure::ALL.into_iter().filter(|kind| binding::met_nobody(*kind));
    ledger.offered - lost.map(|kind| ledger.failed_by(kind)).sum::<u64>()
}

/// The share of the requests of the judged time that failed, and how most of them did.
fn failures(run: &Experiment) -> (f64, Option<Failure>) {
    let windows = || run.outcomes.iter().map(|outcome| &outcome.windows[1].ledger);
    let failed: u64 = windows().map(|ledger| ledger.failed()).sum();
    let served: u64 = windows().map(|ledger| ledger.served).sum();
    let of = |kind: &Failure| windows().map(|ledger| ledger.failed_by(*kind)).sum::<u64>();
    let most = Failure::ALL.into_iter().max_by_key(of).filter(|kind| of(kind) > 0);
    (failed as f64 / (failed + served).max(1) as f64, most)
}

/// A load that was tried with these excesses, where nothing failed.
#[cfg(test)]
pub(super) fn made_up(load: f64, least: f64, point: f64, most: f64) -> Probe {
    Probe {
        load,
        excess: Excess { least, point, most },
        judged: Vec::new(),
        overload: false,
        failed: 0.0,
        failure: None,
        utilisation: 0.9,
        in_use: 0.95,
        working: 2.0,
        digests: Vec::new(),
    }
}
