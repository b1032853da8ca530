//! One load, tried in one mode: by how much each objective is exceeded, and how CPU was used.
//!
//! The objectives of a mode share the confidence: with k of them, each has intervals of 1 − 5 %/k,
//! so that the interval of the capacity, which any of them can bound, has 95 %. A load is looked at
//! after two replications, after a few and after all, and the looks share the confidence as well:
//! what is decided at any of them is, with 95 %, not decided wrongly. Every load meets the same
//! random numbers, and so does every tier.

use std::collections::BTreeMap;

use crate::experiment::{Experiment, Retention, Runner};
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::Outcome;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::stats::Confidence;
use crate::study::capacity::excess::{self, BY_FAR};
use crate::study::capacity::finding::{LoadProbe, ProbedCpu, SearchEffort, Unserved};
use crate::study::capacity::search::{Excess, Look};
use crate::study::mode::{self, Mode, limits};
use crate::verdict::{self, Judgement};

/// Tries a load with all replications; `None` if it was stopped before they were complete.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn probe(
    runner: &Runner<'_>,
    base: &Scenario,
    mode: Mode,
    effort: SearchEffort,
    load: f64,
) -> Option<LoadProbe> {
    let scenario = mode::scenario(base, mode, effort.trial, load);
    let run = runner.run(&scenario.plan, effort.replications, Retention::None);
    judged(base, &scenario, (mode, load), run, 1)
}

/// Looks at loads of a scenario in a mode.
pub struct Prober<'a> {
    runner: &'a Runner<'a>,
    base: &'a Scenario,
    mode: Mode,
    effort: SearchEffort,
    /// What did not decide a load, by the bits of that, for another look.
    open: BTreeMap<u64, Experiment>,
}

impl<'a> Prober<'a> {
    /// One that has not looked yet.
    pub fn new(
        runner: &'a Runner<'a>,
        base: &'a Scenario,
        mode: Mode,
        effort: SearchEffort,
    ) -> Prober<'a> {
        Prober { runner, base, mode, effort, open: BTreeMap::new() }
    }

    /// Tries a load with as many replications as it is worth: until it is decided, a few, or all if
    /// it is looked at thoroughly. Two suffice where the outcome is plain, or known beforehand, as
    /// of what all replicas cannot serve. `None` if it was stopped.
    ///
    /// # Panics
    /// As [`crate::experiment::replicate`].
    pub fn look(&mut self, load: f64, look: Look) -> Option<LoadProbe> {
        let scenario = mode::scenario(self.base, self.mode, self.effort.trial, load);
        let (plan, looks) = (&scenario.plan, self.effort.looks());
        let known = self.open.remove(&load.to_bits());
        let mut run = known.unwrap_or_else(|| self.runner.run(plan, looks[0], Retention::None));
        for (index, count) in looks.iter().enumerate() {
            if *count > run.outcomes.len() {
                self.runner.extend(plan, &mut run, *count, Retention::None);
            }
            let probe = judged(self.base, &scenario, (self.mode, load), run.clone(), looks.len())?;
            let is_enough = match index {
                _ if index + 1 == looks.len() => true,
                0 => probe.overload || probe.excess.is_plain(),
                _ => look == Look::Few || probe.excess.is_decided(),
            };
            if is_enough {
                if !probe.excess.is_decided() {
                    self.open.insert(load.to_bits(), run);
                }
                return Some(probe);
            }
        }
        None
    }
}

/// What an experiment at a load says, which is looked at so often.
fn judged(
    base: &Scenario,
    scenario: &Scenario,
    (mode, load): (Mode, f64),
    mut run: Experiment,
    looks: usize,
) -> Option<LoadProbe> {
    if run.interrupted || scenario.objectives.is_empty() {
        return None;
    }
    run.confidence = Confidence::USUAL.of_each(scenario.objectives.len() * looks);
    let judgements = verdict::judge_all(&run, &scenario.objectives);
    let windows = 1..scenario.plan.windows.len();
    let unserved = windows.map(|window| unserved(&run, window)).collect();
    let judged = judgements.into_iter().map(|judgement| {
        let excess = excess::of(&judgement);
        (judgement, excess)
    });
    let judged: Vec<(Judgement, Excess)> = judged.collect();
    let overload = is_overload(&scenario.plan, load);
    let floor = Excess::exactly(if overload { BY_FAR } else { f64::NEG_INFINITY });
    let excess = judged.iter().fold(floor, |greatest, (_, excess)| greatest.max(*excess));
    let cpu = cpu(&run, base, &scenario.plan, (mode, load));
    let digests = run.outcomes.iter().map(|outcome| outcome.digest).collect();
    Some(LoadProbe { load, excess, judged, overload, unserved, cpu, digests })
}

/// Whether a load is more than all replicas serve, for as long as it lasts.
pub(super) fn is_overload(plan: &Plan, load: f64) -> bool {
    load > limits::most(plan) && !plan.ends_early()
}

/// How CPU was used: of several regions by the busiest.
fn cpu(run: &Experiment, base: &Scenario, plan: &Plan, (mode, load): (Mode, f64)) -> ProbedCpu {
    let sum = |of: &dyn Fn(&Outcome) -> f64| run.outcomes.iter().map(of).sum::<f64>();
    let met = sum(&|o| met_a_replica(&o.windows[0].ledger) as f64);
    let work = if met > 0.0 { sum(&|o| o.busy_secs) / met } else { plan.demand_secs() };
    let length = plan.run.horizon.since(plan.run.warm_up).as_secs() * run.outcomes.len() as f64;
    let (utilisation, busiest) = limits::utilisation(base, mode, load, work);
    let of_region = busiest.and_then(|region| Some((region, plan.regions.as_ref()?)));
    let (busy, capacity, cores) = match of_region {
        Some((region, regions)) => (
            sum(&|o| o.cpu_by_region[region].busy),
            sum(&|o| o.cpu_by_region[region].capacity),
            regions.all[region].gateway.gateway.cores.0,
        ),
        None => (sum(&|o| o.busy_secs), sum(&|o| o.capacity_secs), limits::cores(plan)),
    };
    let in_use = if capacity > 0.0 { (busy / capacity).min(1.0) } else { 0.0 };
    ProbedCpu { utilisation, busiest, in_use, working: capacity / (cores * length) }
}

/// Requests that were not sent to what is gone.
fn met_a_replica(ledger: &Ledger) -> u64 {
    let lost = Failure::ALL.into_iter().filter(|kind| met_nobody(*kind));
    ledger.offered - lost.map(|kind| ledger.failed_by(kind)).sum::<u64>()
}

/// What was not served of the requests of a window.
fn unserved(run: &Experiment, window: usize) -> Unserved {
    let (failed, failure) = failures(run, window, false);
    let (share, rejection) = failures(run, window, true);
    let rejected = rejection.map(|kind| (share, kind));
    Unserved { failed, failure, rejected, turned_away: turned_away(run, window) }
}

/// The share of the requests of a window that admission control or load shedding turned away.
fn turned_away(run: &Experiment, window: usize) -> f64 {
    let ledgers = || run.outcomes.iter().map(|outcome| &outcome.windows[window].ledger);
    let of = |ledger: &Ledger| {
        ledger.failed_by(Failure::NotAdmitted) + ledger.failed_by(Failure::Overloaded)
    };
    let decided: u64 = ledgers().map(|ledger| ledger.decided()).sum();
    ledgers().map(of).sum::<u64>() as f64 / decided.max(1) as f64
}

/// The share of the requests of a window that failed, or were rejected on purpose, and how most of
/// them were.
fn failures(run: &Experiment, window: usize, rejected: bool) -> (f64, Option<Failure>) {
    let windows = || run.outcomes.iter().map(|outcome| &outcome.windows[window].ledger);
    let of = |kind: &Failure| windows().map(|ledger| ledger.failed_by(*kind)).sum::<u64>();
    let kinds = || Failure::ALL.into_iter().filter(|kind| kind.is_rejection() == rejected);
    let count: u64 = kinds().map(|kind| of(&kind)).sum();
    let decided: u64 = windows().map(|ledger| ledger.decided()).sum();
    let most = kinds().max_by_key(of).filter(|kind| of(kind) > 0);
    (count as f64 / decided.max(1) as f64, most)
}

/// Whether requests that fail so did not come to a replica that works.
fn met_nobody(kind: Failure) -> bool {
    matches!(
        kind,
        Failure::LostInFlight
            | Failure::NoReadyReplica
            | Failure::DeadAddress
            | Failure::ContractsMissing
            | Failure::IngressDown
            | Failure::LostWithIngress
    )
}
