//! Failure modes: what a gateway must get through while it carries a load.
//!
//! ```text
//!            0        warm-up     injection                            injection + judged
//!  healthy   │ fills up │            judged                                  │
//!  failures  │ fills up │ normal 60 s │ the loss, and what follows: judged    │
//!  peak      │ trough   │ ramp, judged from its middle on │ plateau: judged   │
//! ```
//!
//! A mode turns a scenario into one with a constant load and one loss, and judges the objectives
//! over a set time from the injection on: *during and after* the loss, and not diluted by a steady
//! run. Objectives of a part of the run are left out: they speak of other losses. Recovery is asked
//! for only where it can be: after the loss of a replica or a zone.
//!
//! Assumed: the zone that is lost is the one with the most replicas, and it does not come back
//! while judged; the control plane goes 30 s before the replica does and does not come back either;
//! a day climbs from its trough to its peak within 15 minutes, faster than any real one, so that an
//! autoscaler is tried harder.

use std::collections::BTreeSet;

use crate::objective::Objective;
use crate::plan::{
    ArrivalProcess, Configuration, Extent, Fault, FaultPlan, Plan, Policy, PolicyKind,
    ReplicaTarget, Scatter, Schedule, Traffic, Window, ZoneId,
};
use crate::random::Law;
use crate::scenario::Scenario;
use crate::units::{Instant, Rate, SECOND, Share, Span};

/// Steady time before a loss, which shows what is normal.
const NORMAL: Span = Span(60 * SECOND);
/// Warm-up if there is an autoscaler that does not begin with what it holds: it finds it first.
const AUTOSCALER_WARM_UP: Span = Span(300 * SECOND);
/// How long before the replica the control plane is lost.
const BEFORE: Span = Span(30 * SECOND);
/// The climb to the peak of a day, and the plateau after it.
const RAMP: Span = Span(900 * SECOND);
const PLATEAU: Span = Span(600 * SECOND);

/// What a gateway must get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing fails.
    Healthy,
    /// A replica crashes.
    ReplicaLoss,
    /// A zone vanishes.
    ZoneLoss,
    /// A replica crashes while the control plane cannot be reached.
    WithoutControlPlane,
    /// The load climbs to the peak of a day.
    DailyPeak,
}

impl Mode {
    /// All of them, in the order of reports.
    pub const ALL: [Mode; 5] = [
        Mode::Healthy,
        Mode::ReplicaLoss,
        Mode::ZoneLoss,
        Mode::WithoutControlPlane,
        Mode::DailyPeak,
    ];

    /// The word by which it is asked for.
    pub fn key(self) -> &'static str {
        match self {
            Mode::Healthy => "healthy",
            Mode::ReplicaLoss => "replica-loss",
            Mode::ZoneLoss => "zone-loss",
            Mode::WithoutControlPlane => "control-plane-loss",
            Mode::DailyPeak => "daily-peak",
        }
    }

    /// How reports call it.
    pub fn label(self) -> &'static str {
        match self {
            Mode::Healthy => "healthy",
            Mode::ReplicaLoss => "a replica is lost",
            Mode::ZoneLoss => "a zone is lost",
            Mode::WithoutControlPlane => "a replica is lost, control plane down",
            Mode::DailyPeak => "the peak of a day",
        }
    }

    /// Whether something is lost in it.
    pub fn loses(self) -> bool {
        match self {
            Mode::ReplicaLoss | Mode::ZoneLoss | Mode::WithoutControlPlane => true,
            Mode::Healthy | Mode::DailyPeak => false,
        }
    }
}

/// Why a mode means nothing for a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moot {
    /// Its replicas start without the control plane.
    ControlPlane,
    /// It has one zone, which takes everything along.
    OnlyZone,
    /// Nothing in it follows the load: a constant load is harder than one that climbs to it.
    NothingFollows,
}

/// Why a mode means nothing for a gateway, if it does not.
pub fn moot(plan: &Plan, mode: Mode) -> Option<Moot> {
    let asks_at_start = plan.startup.contracts.is_some()
        || matches!(plan.startup.configuration, Configuration::Download(_));
    let caches = |policy: &Policy| matches!(policy.kind, PolicyKind::Cache(_));
    let follows = plan.autoscaling.is_some() || plan.dependencies.policies.iter().any(caches);
    match mode {
        Mode::WithoutControlPlane => (!asks_at_start).then_some(Moot::ControlPlane),
        Mode::ZoneLoss => (plan.topology.zones.len() == 1).then_some(Moot::OnlyZone),
        Mode::DailyPeak => (!follows).then_some(Moot::NothingFollows),
        Mode::Healthy | Mode::ReplicaLoss => None,
    }
}

/// How modes are tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// From the injection on, so long is judged.
    pub judged: Span,
    /// The rate at the peak of a day over that at its trough; at least 1.
    pub peak_ratio: f64,
}

/// A scenario in a mode, at a load of `rate` requests per second (at the peak, if it changes).
pub fn scenario(base: &Scenario, mode: Mode, trial: Trial, rate: f64) -> Scenario {
    let mut scenario = base.clone();
    let plan = &mut scenario.plan;
    let warm_up = match &plan.autoscaling {
        Some(scaling) if !scaling.settled || plan.ends_early() => {
            plan.run.warm_up.max(Instant::ZERO + AUTOSCALER_WARM_UP)
        }
        _ => plan.run.warm_up,
    };
    plan.run.warm_up = warm_up;
    let injection = warm_up + if mode.loses() { NORMAL } else { Span::ZERO };
    plan.faults = faults(plan, mode, injection);
    let (from, to, corners) = match mode {
        Mode::DailyPeak => {
            let (top, end) = (warm_up + RAMP, warm_up + RAMP + PLATEAU);
            let trough = Rate(rate / trial.peak_ratio);
            let corners = vec![(Instant::ZERO, trough), (warm_up, trough), (top, Rate(rate))];
            (warm_up + RAMP / 2, end, corners)
        }
        _ => (injection, injection + trial.judged, vec![(Instant::ZERO, Rate(rate))]),
    };
    plan.traffic =
        Traffic::Process(ArrivalProcess { scatter: scatter(plan), corners, period: None });
    plan.settle(Share::ONE);
    plan.run.horizon = to;
    let extent = Extent::Between(from, to);
    let judged = |api: Option<usize>| match api {
        Some(index) => {
            Window { label: format!("judged for {}", api_name(base, index)), extent, api }
        }
        None => Window::of_all("judged", extent),
    };
    plan.windows = vec![Window::of_all("the run", Extent::Run)];
    plan.windows.extend(judged_apis(base, mode).into_iter().map(judged));
    scenario.objectives = objectives(base, mode);
    scenario
}

fn api_name(scenario: &Scenario, api: usize) -> &str {
    scenario.plan.names_told_apart()[api]
}

/// The objectives that a mode can be judged by, over the judged time.
pub fn objectives(base: &Scenario, mode: Mode) -> Vec<Objective> {
    let judged = judged_apis(base, mode);
    // The window of the run comes before those that are judged.
    let window = |api| 1 + judged.iter().position(|judged| *judged == api).unwrap_or(0);
    let of = |objective: &Objective| Objective {
        window: window(base.plan.windows[objective.window].api),
        ..objective.clone()
    };
    judged_objectives(base, mode).map(of).collect()
}

/// Whose requests are judged: all, then those for each API that an objective speaks of.
fn judged_apis(base: &Scenario, mode: Mode) -> Vec<Option<usize>> {
    let apis = judged_objectives(base, mode).map(|one| base.plan.windows[one.window].api);
    let single: BTreeSet<usize> = apis.flatten().collect();
    [None].into_iter().chain(single.into_iter().map(Some)).collect()
}

/// The name of the API that an objective of a scenario speaks of, by its text.
pub fn api_of(scenario: &Scenario, text: &str) -> Option<String> {
    let objective = scenario.objectives.iter().find(|objective| objective.text == text)?;
    let api = scenario.plan.windows[objective.window].api?;
    Some(api_name(scenario, api).to_owned())
}

fn judged_objectives(base: &Scenario, mode: Mode) -> impl Iterator<Item = &Objective> {
    base.objectives.iter().filter(move |objective| {
        base.plan.windows[objective.window].extent == Extent::Run
            && match objective.metric {
                metric if metric.restored().is_some() => has_recovery(mode),
                metric => metric.is_of_requests(),
            }
    })
}

/// Whether what is lost in a mode comes back while it is judged.
pub fn has_recovery(mode: Mode) -> bool {
    match mode {
        Mode::ReplicaLoss | Mode::ZoneLoss => true,
        Mode::Healthy | Mode::WithoutControlPlane | Mode::DailyPeak => false,
    }
}

fn scatter(plan: &Plan) -> Scatter {
    match &plan.traffic {
        Traffic::Process(process) => process.scatter,
        Traffic::Replay(_) => Scatter::Poisson,
    }
}

/// Longer than any run that is judged.
fn for_good() -> Law {
    Law::Constant(Span(365 * 86_400 * SECOND))
}

fn faults(plan: &Plan, mode: Mode, injection: Instant) -> Vec<FaultPlan> {
    let fault = |name: &str, fault, at| FaultPlan {
        name: name.to_owned(),
        fault,
        schedule: Schedule::At(at),
    };
    let crash = || fault("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), injection);
    match mode {
        Mode::Healthy | Mode::DailyPeak => Vec::new(),
        Mode::ReplicaLoss => vec![crash()],
        Mode::ZoneLoss => {
            let zone = Fault::ZoneOutage(Some(fullest_zone(plan)), for_good());
            vec![fault("zone", zone, injection)]
        }
        Mode::WithoutControlPlane => {
            let outage = Fault::ControlPlaneOutage(for_good());
            let early = Instant(injection.0.saturating_sub(BEFORE.0));
            vec![fault("control-plane", outage, early), crash()]
        }
    }
}

/// The zone with the most replicas at the start, the first of several.
fn fullest_zone(plan: &Plan) -> ZoneId {
    let count = |zone: &ZoneId| plan.topology.placement.iter().filter(|of| *of == zone).count();
    let zones = 0..plan.topology.zones.len();
    zones.rev().max_by_key(count).unwrap_or(0)
}

/// Replicas that work for as long as the loss lasts: of those that there are at most, without those
/// that are lost.
pub fn survivors(plan: &Plan, mode: Mode) -> usize {
    survivors_of(plan, mode, plan.most_replicas())
}

/// The same of so many replicas.
pub fn survivors_of(plan: &Plan, mode: Mode, replicas: usize) -> usize {
    let lost = match mode {
        Mode::Healthy | Mode::DailyPeak => 0,
        Mode::ReplicaLoss | Mode::WithoutControlPlane => 1,
        Mode::ZoneLoss => {
            // Replicas that are added later are spread evenly as well.
            let zone = fullest_zone(plan);
            let there = plan.topology.placement.iter().filter(|of| **of == zone).count();
            there.max(replicas.div_ceil(plan.topology.zones.len()))
        }
    };
    replicas.saturating_sub(lost)
}

/// The least load at which the CPU of the survivors is full, of the replicas that there are at that
/// load: saturation if nothing fails, N−1 headroom if a replica is lost. What a fluid model gives
/// as the capacity if the loss lasts. Like all loads of a plan in arrivals per second: of requests,
/// or of sessions.
pub fn fluid_limit(plan: &Plan, mode: Mode) -> f64 {
    let most = plan.most_replicas();
    let is_full = |replicas: usize| {
        let load = arrivals(plan, survivors_of(plan, mode, replicas));
        (replicas == most || replicas_at(plan, load) <= replicas).then_some(load)
    };
    (replicas_at(plan, 0.0)..=most).find_map(is_full).unwrap_or_default()
}

/// The same if all replicas that there may be are there.
pub fn full_scale_limit(plan: &Plan, mode: Mode) -> f64 {
    arrivals(plan, survivors(plan, mode))
}

/// The replicas that there are at a load, as long as nothing fails.
pub fn replicas_at(plan: &Plan, load: f64) -> usize {
    let held = plan.replicas_at(Rate(load * plan.requests_per_arrival()));
    let settled = plan.autoscaling.as_ref().is_some_and(|scaling| scaling.settled);
    if settled { held } else { held.max(plan.gateway.replicas) }
}

/// The load that so many replicas serve when their CPU is full.
pub fn arrivals(plan: &Plan, replicas: usize) -> f64 {
    plan.saturation().0 * replicas as f64 / plan.requests_per_arrival()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::read;
    use std::path::Path;

    const TEXT: &str = r#"
question = "?"
objectives = ["p99 < 50ms", "availability >= 99%", "recovery < 30s", "p95 < 1s during crash"]
[gateway]
replicas = 3
contracts = true
[topology]
zones = ["a", "b"]
[traffic]
rate = "900/s"
[[fault]]
name = "crash"
kind = "replica-crash"
at = "3m"
[run]
horizon = "10m"
"#;

    fn base() -> Scenario {
        let loaded = read::parse("plan.toml", TEXT, Path::new(""));
        loaded.scenario.expect("sound")
    }

    const TRIAL: Trial = Trial { judged: Span(600 * SECOND), peak_ratio: 2.0 };

    #[test]
    fn a_mode_has_its_load_its_loss_and_its_judged_time() {
        let crash = scenario(&base(), Mode::ReplicaLoss, TRIAL, 500.0);
        let injection = Instant::from_secs(120.0);
        assert_eq!(crash.plan.faults.len(), 1);
        assert_eq!(crash.plan.faults[0].schedule, Schedule::At(injection));
        let end = Instant::from_secs(720.0);
        assert_eq!(crash.plan.windows[1].extent, Extent::Between(injection, end));
        assert_eq!(crash.plan.run.horizon, end);
        let peak = scenario(&base(), Mode::DailyPeak, TRIAL, 500.0);
        let Traffic::Process(process) = &peak.plan.traffic else { panic!("replayed") };
        let rates: Vec<f64> = process.corners.iter().map(|(_, rate)| rate.0).collect();
        assert_eq!((rates, peak.plan.faults.len()), (vec![250.0, 250.0, 500.0], 0));
    }

    #[test]
    fn objectives_are_judged_where_they_make_sense() {
        let texts = |mode| -> Vec<String> {
            objectives(&base(), mode).iter().map(|one| one.text.clone()).collect()
        };
        assert_eq!(texts(Mode::Healthy), ["p99 < 50ms", "availability >= 99%"]);
        assert_eq!(texts(Mode::ZoneLoss).len(), 3);
        assert!(objectives(&base(), Mode::Healthy).iter().all(|one| one.window == 1));
    }

    #[test]
    fn a_mode_that_means_nothing_for_a_gateway_is_told() {
        let plan = base().plan;
        assert_eq!(Mode::ALL.map(|mode| moot(&plan, mode))[..4], [None; 4]);
        assert_eq!(moot(&plan, Mode::DailyPeak), Some(Moot::NothingFollows));
        let with = |from: &str, to: &str| {
            let loaded = read::parse("plan.toml", &TEXT.replace(from, to), Path::new(""));
            loaded.scenario.expect("sound").plan
        };
        let without = with("contracts = true\n", "");
        assert_eq!(moot(&without, Mode::WithoutControlPlane), Some(Moot::ControlPlane));
        let one = with("[\"a\", \"b\"]", "[\"a\"]");
        assert_eq!(moot(&one, Mode::ZoneLoss), Some(Moot::OnlyZone));
        let scaled = with("[topology]", "[autoscaler]\nmin = 3\nmax = 4\n[topology]");
        assert_eq!(moot(&scaled, Mode::DailyPeak), None);
    }

    #[test]
    fn what_theory_gives_is_of_the_replicas_that_there_are_at_that_load() {
        let scaled = TEXT.replace("[topology]", "[autoscaler]\nmin = 2\nmax = 3\n[topology]");
        let loaded = read::parse("plan.toml", &scaled.replace("replicas = 3\n", ""), Path::new(""));
        let plan = loaded.scenario.expect("sound").plan;
        let per_replica = 715.0;
        let near = |mode, replicas: f64| {
            let limit = fluid_limit(&plan, mode);
            assert!((limit - replicas * per_replica).abs() < 1.0, "{mode:?}: {limit}");
        };
        // A third replica comes above 1,101/s: at 715/s there are two, of which one is left.
        near(Mode::ReplicaLoss, 1.0);
        near(Mode::Healthy, 3.0);
        assert!((full_scale_limit(&plan, Mode::ReplicaLoss) - 2.0 * per_replica).abs() < 1.0);
    }

    #[test]
    fn survivors_are_counted_by_mode() {
        let plan = base().plan;
        let left = Mode::ALL.map(|mode| survivors(&plan, mode));
        // Zone a has two of three.
        assert_eq!(left, [3, 2, 1, 2, 3]);
        let limit = fluid_limit(&plan, Mode::ReplicaLoss);
        assert!((limit - 2.0 * 715.0).abs() < 1.0, "{limit}");
    }
}
