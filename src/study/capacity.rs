//! Capacity: for each tier and each failure mode the largest load that meets the objectives.
//!
//! The objectives of a mode share the confidence: with k of them, each has intervals of 1 − 5 %/k,
//! so that the interval of the capacity, which any of them can bound, has 95 %. Every load meets
//! the same luck, and so does every tier.
//!
//! A percentile is of the served requests. Here it is judged as such if another objective bounds
//! the availability, and with it the failures. Without one, no more requests may fail than the
//! percentile leaves out, which is judged by the interval of their share.

use crate::experiment::figures::{self, Unanswered};
use crate::experiment::{Course, Experiment, Runner};
use crate::objective::Metric;
use crate::observe::ledger::Failure;
use crate::scenario::Scenario;
use crate::stats::Confidence;
use crate::study::excess;
use crate::study::mode::{self, Mode, Trial};
use crate::study::search::{self, Capacity, Excess, Range};
use crate::verdict::{self, Doubt, Judgement, Verdict};

/// Experiments that a search takes, about.
const PROBES: u64 = 9;
/// The least load that counts, of what theory gives.
const LEAST: f64 = 0.01;
/// The greatest.
const MOST: f64 = 1.3;
/// Where a search begins that has nothing else to go by.
const GUESS: f64 = 0.8;
/// Survivors that are busier than this bound what latency objectives allow; below it requests wait
/// for something else.
const BUSY: f64 = 0.5;
/// Below this share of busy CPU requests hardly meet.
const IDLE: f64 = 0.05;

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

/// What bounds a capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The objective that is missed first, as written.
    pub objective: String,
    /// Why.
    pub constraint: Constraint,
}

/// Why an objective is missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constraint {
    /// What a request takes by itself: this small a share of the CPU is in use.
    Alone(f64),
    /// No replica is left until one is replaced.
    Nobody,
    /// The CPU of all replicas: this share of it is in use.
    Cpu(f64),
    /// The CPU of those that are left until replacements serve.
    Survivors(f64),
    /// The CPU of those that are left, for as long as contracts cannot be downloaded.
    Contracts(f64),
    /// This share of the requests fails in this way, most of them, until a loss is noticed: the
    /// time of detection times the share of the traffic that was lost.
    Detection(f64, Failure),
    /// This share of the requests fails in this way, most of them, though nothing is lost.
    Failures(f64, Failure),
    /// Requests wait for what is lost, not for CPU.
    Waiting,
    /// Recovery takes longer whatever the load.
    Replacement,
}

/// One load that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Requests per second.
    pub load: f64,
    /// By how much the objectives are exceeded.
    pub excess: Excess,
    /// Each objective as judged, and by how much it is exceeded.
    pub judged: Vec<(Judgement, Excess)>,
    /// Failed requests over all that have an outcome, in the judged time.
    pub failed: f64,
    /// How most of them failed.
    pub failure: Option<Failure>,
    /// Offered work over the capacity of the survivors.
    pub utilisation: f64,
    /// The digest of each replication.
    pub digests: Vec<u64>,
}

/// Finds the capacity of every candidate in every mode, and tells each finding to `each`. It ends
/// early if it is stopped; what was found by then is given.
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
    let scale = if theory > 0.0 { theory } else { base.plan.saturation().0 };
    let range = Range {
        least: LEAST * scale,
        guess: guess.max(LEAST * scale),
        most: MOST * scale,
        tolerance: effort.tolerance,
    };
    let mut probes: Vec<Probe> = Vec::new();
    let capacity = search::search(range, |load| {
        let probe = probe(runner, base, mode, effort, load)?;
        let excess = probe.excess;
        let place = probes.partition_point(|other| other.load < load);
        probes.insert(place, probe);
        Some(excess)
    });
    let binding = binding(mode, capacity, &probes);
    Finding { candidate: 0, mode, capacity, theory, binding, probes }
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
    let excess = Excess {
        least: greatest(|excess| excess.least),
        point: greatest(|excess| excess.point),
        most: greatest(|excess| excess.most),
    };
    let demand = scenario.plan.gateway.demand.mean_secs() / scenario.plan.gateway.cores.0;
    let survivors = mode::survivors(&scenario.plan, mode) as f64;
    let utilisation = load * demand / survivors;
    let digests = run.outcomes.iter().map(|outcome| outcome.digest).collect();
    Some(Probe { load, excess, judged, failed, failure, utilisation, digests })
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

/// What is missed first above the capacity, and why.
fn binding(mode: Mode, capacity: Capacity, probes: &[Probe]) -> Option<Binding> {
    let above = match capacity {
        Capacity::Between { point, .. } => {
            probes.iter().find(|probe| probe.load >= point && probe.excess.point >= 0.0)
        }
        Capacity::Nothing | Capacity::AtMost(_) => probes.first(),
        Capacity::AtLeast(_) | Capacity::Stopped => None,
    }?;
    let (worst, _) = above.judged.iter().max_by(|a, b| a.1.point.total_cmp(&b.1.point))?;
    let constraint = constraint(mode, worst, above);
    Some(Binding { objective: worst.objective.text.clone(), constraint })
}

fn constraint(mode: Mode, judgement: &Judgement, probe: &Probe) -> Constraint {
    let busy = probe.utilisation;
    let cpu = match mode {
        Mode::Healthy | Mode::DailyPeak => Constraint::Cpu(busy),
        Mode::ReplicaLoss | Mode::ZoneLoss => Constraint::Survivors(busy),
        Mode::WithoutControlPlane => Constraint::Contracts(busy),
    };
    let is_lost = !matches!(mode, Mode::Healthy | Mode::DailyPeak);
    let failed = matches!(judgement.verdict, Verdict::Undecided(Doubt::Failed(_)))
        || judgement.objective.metric == Metric::Availability;
    match (judgement.objective.metric, probe.failure) {
        (_, Some(kind)) if failed && is_of_loss(kind) && is_lost => {
            Constraint::Detection(probe.failed, kind)
        }
        (_, Some(kind)) if failed => Constraint::Failures(probe.failed, kind),
        (Metric::Recovery, _) if busy < BUSY => Constraint::Replacement,
        _ if busy.is_infinite() => Constraint::Nobody,
        _ if busy < BUSY && is_lost => Constraint::Waiting,
        _ if busy < IDLE => Constraint::Alone(busy),
        _ => cpu,
    }
}

/// Whether requests fail so because what they were sent to is gone.
fn is_of_loss(kind: Failure) -> bool {
    matches!(
        kind,
        Failure::LostInFlight
            | Failure::NoReadyReplica
            | Failure::DeadAddress
            | Failure::ContractsMissing
            | Failure::IngressDown
    )
}
