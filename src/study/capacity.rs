//! Capacity: for each tier and each failure mode the largest load that meets the objectives.
//!
//! The objectives of a mode share the confidence: with k of them, each has intervals of 1 − 5 %/k,
//! so that the interval of the capacity, which any of them can bound, has 95 %. Every load meets
//! the same luck, and so does every tier.
//!
//! What all replicas together cannot serve is not carried, whatever the objectives make of it in
//! the time that is judged: nothing is lost that would come back, so the backlog grows for as long
//! as the load lasts. A loss may end, and is judged by what it leads to.
//!
//! A percentile is of the served requests. Here it is judged as such if another objective bounds
//! the availability, and with it the failures. Without one, no more requests may fail than the
//! percentile leaves out, which is judged by the interval of their share.

use crate::experiment::figures::{self, Unanswered};
use crate::experiment::{Course, Experiment, Runner};
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
use crate::units::Rate;
use crate::verdict::{self, Judgement};

/// Experiments that a search takes, about.
const PROBES: u64 = 9;
/// The least load that counts, of what theory gives.
const LEAST: f64 = 0.01;
/// The greatest.
const MOST: f64 = 1.3;
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
    let scale = scale(base, mode);
    let range = Range {
        least: LEAST * scale,
        guess: guess.max(LEAST * scale),
        most: MOST * scale,
        tolerance: effort.tolerance,
    };
    let (capacity, binding, probes) = (Capacity::Stopped, None, Vec::new());
    let mut finding = Finding { candidate: 0, mode, capacity, theory, binding, probes };
    finding.capacity = search::search(range, |load| {
        let probe = probe(runner, base, mode, effort, load)?;
        let excess = probe.excess;
        finding.add(probe);
        Some(excess)
    });
    try_demand(runner, base, effort, &mut finding);
    let tried: Vec<_> = finding.probes.iter().map(|probe| (probe.load, probe.excess)).collect();
    finding.capacity = match finding.capacity {
        Capacity::Stopped => Capacity::Stopped,
        // Of what all replicas cannot serve, the least that was tried lies a little above.
        Capacity::Between { low, point, high } if is_overload(&base.plan, mode, point) => {
            Capacity::Between { low, point: theory, high }
        }
        found => search::uneven(&tried).unwrap_or(found),
    };
    finding.binding = binding::of(runner, base, effort, &finding);
    finding
}

/// What theory gives as the capacity; if nobody survives, that of a replica.
fn scale(base: &Scenario, mode: Mode) -> f64 {
    let theory = mode::fluid_limit(&base.plan, mode);
    if theory > 0.0 { theory } else { base.plan.saturation().0 }
}

/// Tries the demand itself unless it is too much: that greater loads are carried says nothing of it
/// where more load helps.
fn try_demand(runner: &Runner<'_>, base: &Scenario, effort: Effort, finding: &mut Finding) {
    let Some(demand) = effort.demand else { return };
    let most = match finding.capacity {
        Capacity::Between { high, .. } | Capacity::AtMost(high) => high,
        Capacity::Stopped => 0.0,
        _ => f64::INFINITY,
    };
    let most = most.min(MOST * scale(base, finding.mode));
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
    let windows = figures::windows(&run.outcomes, 1);
    let served = figures::availability(&windows, Unanswered::Failed, run.confidence);
    let served = served.filter(|_| !bounded);
    let judged = judgements.into_iter().map(|judgement| {
        let excess = excess::of(&judgement, served.as_ref());
        (judgement, excess)
    });
    let judged: Vec<(Judgement, Excess)> = judged.collect();
    let greatest = |of: fn(&Excess) -> f64| {
        judged.iter().map(|(_, excess)| of(excess)).fold(f64::NEG_INFINITY, f64::max)
    };
    let overload = is_overload(&scenario.plan, mode, load);
    let floor = if overload { f64::MIN_POSITIVE } else { f64::NEG_INFINITY };
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
fn is_overload(plan: &Plan, mode: Mode, load: f64) -> bool {
    let busy = plan.utilisation(Rate(load), mode::survivors(plan, mode));
    busy > 1.0 && !mode.loses() && !plan.ends_early()
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
        utilisation: load * work / (cores * mode::survivors(plan, mode) as f64),
        in_use: if capacity > 0.0 { busy / capacity } else { 0.0 },
        working: capacity / (cores * length),
    }
}

/// Requests that were not sent to what is gone.
fn met_a_replica(ledger: &Ledger) -> u64 {
    let lost = Failure::ALL.into_iter().filter(|kind| binding::is_of_loss(*kind));
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
