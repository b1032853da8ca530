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
//! for only where it can be, and nothing of a region that is lost.
//!
//! Of several regions the load is that of all clients together: `regions` says which part each has
//! to carry, `losses` what is lost, `limits` what theory makes of it (`gateway`: of one by itself),
//! and `objectives` what is judged.
//!
//! Assumed: of several regions a loss strikes the one where it leaves least, of equal ones one that
//! no objective is for; the zone that is lost is the one with the most replicas, and neither it nor
//! a region comes back while judged; the control plane goes 30 s before the replica does and does
//! not come back either; a day climbs from its trough to its peak within 15 minutes, faster than
//! any real one, so that an autoscaler is tried harder. Start at [`scenario`].

pub mod gateway;
mod kind;
pub mod limits;
mod losses;
pub mod objectives;
pub(super) mod regions;

pub use kind::{Mode, Moot};

use crate::plan::{ArrivalProcess, Extent, Plan, Scatter, Traffic, Window};
use crate::scenario::Scenario;
use crate::units::{Instant, Rate, SECOND, Span};

/// Steady time before a loss, which shows what is normal.
const NORMAL: Span = Span(60 * SECOND);
/// Warm-up if there is an autoscaler that does not begin with what it holds: it finds it first.
const AUTOSCALER_WARM_UP: Span = Span(300 * SECOND);
/// The climb to the peak of a day, and the plateau after it.
const RAMP: Span = Span(900 * SECOND);
const PLATEAU: Span = Span(600 * SECOND);

/// Why a mode means nothing for a plan, if it does not: for no gateway of it.
pub fn moot(plan: &Plan, mode: Mode) -> Option<Moot> {
    let all = regions::gateways(plan);
    if mode == Mode::RegionLoss {
        return (all.len() == 1).then_some(Moot::OnlyRegion);
    }
    let means_something = all.iter().any(|gateway| gateway::moot_of(gateway, mode).is_none());
    gateway::moot_of(all[0], mode).filter(|_| !means_something)
}

/// The name of the region that the loss of a mode strikes, if there are several.
pub fn struck_region(base: &Scenario, mode: Mode) -> Option<&str> {
    let region = regions::struck(base, mode)?;
    base.plan.regions.as_ref().map(|regions| regions.all[region].name.as_str())
}

/// How modes are tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// From the injection on, so long is judged.
    pub judged: Span,
    /// The rate at the peak of a day over that at its trough; at least 1.
    pub peak_ratio: f64,
}

/// A scenario in a mode, at a load of `rate` requests per second (at the peak, if it changes), of
/// all regions together.
pub fn scenario(base: &Scenario, mode: Mode, trial: Trial, rate: f64) -> Scenario {
    let mut scenario = base.clone();
    let plan = &mut scenario.plan;
    let finds = |plan: &Plan| {
        plan.autoscaling.as_ref().is_some_and(|scaling| !scaling.settled || plan.ends_early())
    };
    if regions::gateways(plan).into_iter().any(finds) {
        plan.run.warm_up = plan.run.warm_up.max(Instant::ZERO + AUTOSCALER_WARM_UP);
    }
    let warm_up = plan.run.warm_up;
    let injection = warm_up + if mode.loses() { NORMAL } else { Span::ZERO };
    let (from, to, corners) = match mode {
        Mode::DailyPeak => {
            let (top, end) = (warm_up + RAMP, warm_up + RAMP + PLATEAU);
            let trough = Rate(rate / trial.peak_ratio);
            let corners = vec![(Instant::ZERO, trough), (warm_up, trough), (top, Rate(rate))];
            (warm_up + RAMP / 2, end, corners)
        }
        _ => (injection, injection + trial.judged, vec![(Instant::ZERO, Rate(rate))]),
    };
    let losses = losses::of(base, mode, injection);
    plan.traffic =
        Traffic::Process(ArrivalProcess { scatter: scatter(plan), corners, period: None });
    plan.run.horizon = to;
    let extent = Extent::Between(from, to);
    let judged = |api: Option<usize>| match api {
        Some(index) => {
            let label = format!("judged for {}", objectives::api_name(base, index));
            Window { label, extent, api }
        }
        None => Window::of_all("judged", extent),
    };
    plan.windows = vec![Window::of_all("the run", Extent::Run)];
    plan.windows.extend(objectives::judged_apis(base, mode).into_iter().map(judged));
    scenario.objectives = objectives::of(base, mode);
    losses::settle(plan, losses);
    scenario
}

fn scatter(plan: &Plan) -> Scatter {
    match &plan.traffic {
        Traffic::Process(process) => process.scatter,
        Traffic::Replay(_) => Scatter::Poisson,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Objective;
    use crate::plan::Schedule;
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
            objectives::of(&base(), mode).iter().map(|one| one.text.clone()).collect()
        };
        assert_eq!(texts(Mode::Healthy), ["p99 < 50ms", "availability >= 99%"]);
        assert_eq!(texts(Mode::ZoneLoss).len(), 3);
        assert!(objectives::of(&base(), Mode::Healthy).iter().all(|one| one.window == 1));
    }

    fn of_regions(regions: &str) -> Scenario {
        let text = format!("{}{regions}", TEXT.replace("during crash", "for x"));
        let text =
            text.replace("kind = \"replica-crash\"", "kind = \"replica-crash\"\nregion = \"x\"");
        let text = text.replace("zones = [\"a\", \"b\"]", "zones = [\"a\", \"b\", \"c\"]");
        let loaded = read::parse("regions.toml", &text, Path::new(""));
        loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.problems))
    }

    fn region(name: &str, more: &str) -> String {
        format!("[[region]]\nname = \"{name}\"\n{more}\n")
    }

    #[test]
    fn regions_carry_their_parts_of_a_load_and_the_others_that_of_a_lost_one() {
        let limits = |scenario: &Scenario| {
            let modes = [Mode::Healthy, Mode::ReplicaLoss, Mode::ZoneLoss, Mode::RegionLoss];
            // In what one region carries.
            let one = 3.0 * scenario.plan.saturation().0;
            modes.map(|mode| limits::fluid_limit(scenario, mode) / one)
        };
        let near = |found: [f64; 4], truth: [f64; 4]| {
            let close = found.iter().zip(truth).all(|(one, other)| (one - other).abs() < 1e-9);
            assert!(close, "{found:?}, not {truth:?}");
        };
        let two = of_regions(&(region("x", "") + &region("y", "")));
        near(limits(&two), [2.0, 4.0 / 3.0, 4.0 / 3.0, 1.0]);
        // By weight: of the loss of the small one the large one gets two thirds of a quarter.
        let small = region("y", "") + &region("z", "");
        let three = of_regions(&(region("x", "weight = 2") + &small));
        near(limits(&three), [2.0, 4.0 / 3.0, 4.0 / 3.0, 1.5]);
        assert_eq!(struck_region(&three, Mode::RegionLoss), Some("y"));
        // Where a control plane is at home counts among equals alone.
        let at_home =
            of_regions(&(region("x", "weight = 2") + &small + "[control-plane]\nhome = \"x\"\n"));
        assert_eq!(struck_region(&at_home, Mode::RegionLoss), Some("y"));
        assert_eq!(struck_region(&three, Mode::ReplicaLoss), Some("x"));
        assert_eq!(struck_region(&three, Mode::Healthy), None);
        let standby = region("y", "role = \"standby\"\n[region.gateway]\nreplicas = 2");
        let pair = of_regions(&(region("x", "") + &standby));
        near(limits(&pair), [1.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]);
        let cold = region("y", "role = \"cold\"");
        near(limits(&of_regions(&(region("x", "") + &cold))), [1.0, 2.0 / 3.0, 2.0 / 3.0, 1.0]);
        // Nothing deploys it where the control plane goes along.
        let home = "[control-plane]\nhome = \"x\"\n";
        let alone = of_regions(&(region("x", "") + &cold + home));
        near(limits(&alone), [1.0, 2.0 / 3.0, 2.0 / 3.0, 0.0]);
        let (busy, _) = limits::utilisation(&alone, Mode::RegionLoss, 1.0, 1.0);
        assert!(busy.is_infinite(), "{busy}");
    }

    #[test]
    fn a_region_has_the_replicas_of_its_own_part_when_it_gets_the_part_of_another() {
        let large = |text: &str| text.replace("replicas = 3", "tier = \"large\"");
        let text =
            large(TEXT).replace("during crash", "for x") + &region("x", "") + &region("y", "");
        let text = text.replace("at = \"3m\"", "at = \"3m\"\nregion = \"x\"");
        let loaded = read::parse("regions.toml", &text, Path::new(""));
        let base = loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.problems));
        let plan = &base.plan;
        let one = plan.saturation().0;
        // A pair of Large holds half of what it gets then with two replicas, and may have three.
        assert!((limits::fluid_limit(&base, Mode::RegionLoss) / one - 2.0).abs() < 1e-9);
        assert!((limits::full_scale_limit(&base, Mode::RegionLoss) / one - 3.0).abs() < 1e-9);
        assert!((limits::most(plan) / one - 6.0).abs() < 1e-9);
        // Of what one replica serves each has half, and two replicas; then one has all of it.
        let (busy, region) = limits::utilisation(&base, Mode::RegionLoss, one, plan.demand_secs());
        // As an objective is for the first, the second is lost.
        assert_eq!(region, Some(0));
        assert!((busy - 0.5).abs() < 1e-9, "{busy}");
    }

    #[test]
    fn of_equal_regions_one_is_lost_that_no_objective_is_for() {
        let pair = region("x", "") + &region("y", "");
        let home = |at: &str| format!("[control-plane]\nhome = \"{at}\"\n");
        let lost = |more: &str, objectives: &[(&str, &str)]| {
            let mut base = of_regions(&(pair.clone() + more));
            let x = base.objectives.iter().find(|one| one.text.ends_with("for x")).cloned();
            base.objectives.retain(|one| !one.text.ends_with("for x"));
            let window_of = |name: &str| {
                let api = base.plan.names_told_apart().iter().position(|one| *one == name);
                let is_it = |one: &Window| (one.extent, one.api) == (Extent::Run, api);
                base.plan.windows.iter().position(is_it).expect("told apart")
            };
            let added = objectives.iter().map(|(text, name)| Objective {
                text: (*text).to_owned(),
                window: window_of(name),
                ..x.clone().expect("one is for x")
            });
            let added: Vec<Objective> = added.collect();
            base.objectives.extend(added);
            let texts = objectives::of(&base, Mode::RegionLoss).into_iter().map(|one| one.text);
            let texts: Vec<String> = texts.filter(|text| text.contains(" for ")).collect();
            (struck_region(&base, Mode::RegionLoss).map(str::to_owned), texts)
        };
        let named = |name: &str, texts: &[&str]| {
            (Some(name.to_owned()), texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(lost("", &[]), named("x", &[]));
        assert_eq!(lost(&home("y"), &[]), named("y", &[]));
        // Nothing would tell of the home once it is lost.
        assert_eq!(lost(&home("x"), &[("p95 for x", "x")]), named("y", &["p95 for x"]));
        // It cannot be helped where there is one for each: what is for the lost one is not judged.
        let both = [("p95 for x", "x"), ("p95 for y", "y")];
        assert_eq!(lost(&home("y"), &both), named("y", &["p95 for x"]));
    }

    #[test]
    fn the_loss_of_a_region_is_planned_with_all_that_regions_share() {
        let base = of_regions(&(region("x", "") + &region("y", "")));
        assert_eq!(moot(&base.plan, Mode::RegionLoss), None);
        assert_eq!(moot(&self::tests::base().plan, Mode::RegionLoss), Some(Moot::OnlyRegion));
        let lost = scenario(&base, Mode::RegionLoss, TRIAL, 500.0).plan;
        let regions = lost.regions.as_ref().unwrap();
        assert_eq!(regions.of_fault, [Some(1)]);
        let schedules: Vec<&Schedule> =
            regions.all.iter().map(|one| &one.gateway.faults[0].schedule).collect();
        let injection = Instant::from_secs(120.0);
        assert_eq!(schedules, [&Schedule::Elsewhere, &Schedule::At(injection)]);
        for region in &regions.all {
            assert_eq!(
                (region.gateway.run.horizon, &region.gateway.windows),
                (lost.run.horizon, &lost.windows)
            );
            assert_eq!(region.gateway.traffic, lost.traffic);
        }
        assert_eq!(lost.windows[2].label, "judged for x");
        let without = scenario(&base, Mode::WithoutControlPlane, TRIAL, 500.0).plan;
        assert_eq!(without.regions.unwrap().of_fault, [None, Some(0)]);
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
        let base = loaded.scenario.expect("sound");
        let per_replica = 715.0;
        let near = |mode, replicas: f64| {
            let limit = limits::fluid_limit(&base, mode);
            assert!((limit - replicas * per_replica).abs() < 1.0, "{mode:?}: {limit}");
        };
        // A third replica comes above 1,101/s: at 715/s there are two, of which one is left.
        near(Mode::ReplicaLoss, 1.0);
        near(Mode::Healthy, 3.0);
        assert!(
            (limits::full_scale_limit(&base, Mode::ReplicaLoss) - 2.0 * per_replica).abs() < 1.0
        );
    }

    #[test]
    fn survivors_are_counted_by_mode() {
        let base = base();
        let left = Mode::ALL.map(|mode| gateway::survivors(&base.plan, mode));
        // Zone a has two of three.
        assert_eq!(left, [3, 2, 1, 2, 3, 3]);
        let limit = limits::fluid_limit(&base, Mode::ReplicaLoss);
        assert!((limit - 2.0 * 715.0).abs() < 1.0, "{limit}");
    }
}
