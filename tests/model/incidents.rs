//! How incidents are followed: what belongs to one, when it is over, and that none is left out.

use crate::common;
use crate::common::troubles::{named, rates};
use crate::common::{at, plan, secs};
use brownout::observe::State;
use brownout::observe::outcome::{INCIDENT_LIMIT, WindowOutcome};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Share, Span};

fn crash(schedule: Schedule) -> FaultPlan {
    FaultPlan { schedule, ..named("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 0.0) }
}

fn zone_outage(zone: usize, seconds: f64, lasts: f64) -> FaultPlan {
    named("zone", Fault::ZoneOutage(Some(zone), Law::Constant(secs(lasts))), seconds)
}

fn window(extent: Extent) -> Window {
    Window::of_all("", extent)
}

#[test]
fn incidents_beyond_the_list_are_in_the_tallies() {
    let mut plan = plan(3, 5.0, 40_000.0);
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan.startup.readiness.period = secs(1.0);
    let often = Schedule::Random(Law::Exponential(secs(20.0)));
    plan.faults = vec![crash(often), zone_outage(1, 39_950.0, 1e5)];
    let outcome = common::replicate(&plan, 0);
    let (crashes, zone) = (&outcome.faults[0], &outcome.faults[1]);
    assert!(crashes.injected > INCIDENT_LIMIT as u64 + 100);
    let all = outcome.incidents.len() as u64 + outcome.incidents_unlisted;
    assert_eq!((outcome.incidents.len(), crashes.injected + zone.injected), (INCIDENT_LIMIT, all));
    assert!(outcome.incidents.iter().all(|incident| incident.fault == 0), "the zone is listed");
    assert_eq!((zone.injected, zone.redundancy.unseen()), (1, 1));
    assert_eq!(zone.redundancy.longest(), secs(50.0));
    let run = &outcome.windows[0].incidents;
    let unrecovered = crashes.service.unseen() + zone.service.unseen();
    assert_eq!((run.injected, run.service.unseen()), (all, unrecovered));
    let listed = outcome.incidents.iter().filter_map(|incident| incident.recovery()).max();
    assert!(crashes.service.range().unwrap().1 >= listed.unwrap());
}

#[test]
fn incidents_that_pile_up_are_followed_up_to_a_limit_and_count_as_unrecovered_beyond_it() {
    // Overloaded from the start: requests time out all the time, so no incident is ever over.
    let mut plan = plan(2, 200.0, 20_000.0);
    plan.gateway.demand = Law::Constant(secs(0.02));
    plan.ingress.read_timeout = secs(5.0);
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan.startup.readiness.period = secs(1.0);
    plan.faults = vec![crash(Schedule::Random(Law::Exponential(secs(10.0))))];
    let outcome = common::replicate(&plan, 0);
    let tally = &outcome.faults[0];
    assert!(tally.injected > INCIDENT_LIMIT as u64);
    assert_eq!(tally.injected, outcome.incidents.len() as u64 + outcome.incidents_unlisted);
    let open = outcome.incidents.iter().filter(|incident| incident.normal.is_none()).count();
    // Nothing was normal before any of them.
    assert_eq!(tally.abnormal + tally.service.unknown, tally.injected);
    assert!(tally.service.unknown > 0 && tally.redundancy.unknown == tally.service.unknown);
    assert!(open > INCIDENT_LIMIT / 2);
}

#[test]
fn overlapping_incidents_each_have_all_that_ended_while_they_lasted() {
    let mut plan = plan(3, 300.0, 700.0);
    plan.windows.push(window(Extent::Between(at(100.0), at(101.0))));
    plan.faults = vec![zone_outage(1, 100.0, 1e5), crash(Schedule::At(at(120.0)))];
    let (witness, outcome) = common::witness::witnessed(&plan, 0);
    for incident in &outcome.incidents {
        let until = incident.normal.unwrap_or(at(700.0));
        let within = |time| incident.at < time && time <= until;
        let served = witness.served.iter().filter(|request| within(request.finished)).count();
        let failed = witness.failed.iter().filter(|(_, at, _)| within(*at)).count();
        let seen = (incident.ledger.served, incident.ledger.failed());
        assert_eq!(seen, (served as u64, failed as u64), "{incident:?}");
    }
    assert!(outcome.incidents[0].normal > outcome.incidents[1].normal);
    assert_eq!(outcome.windows[1].incidents.injected, 1);
}

#[test]
fn incidents_that_end_together_count_each_request_once() {
    let mut plan = plan(3, 100.0, 70.0);
    plan.faults = vec![crash(Schedule::At(at(60.0))), crash(Schedule::At(at(60.0)))];
    plan.faults[1].fault = Fault::ReplicaCrash(ReplicaTarget::Slot(1));
    let outcome = common::replicate(&plan, 0);
    let [one, other] = &outcome.incidents[..] else { unreachable!() };
    assert!(one.normal.is_none() && other.normal.is_none(), "both are open at the end");
    assert_eq!((one.ledger, one.p99_during), (other.ledger, other.p99_during));
    assert!(one.ledger.failed() <= outcome.ledger.failed() && one.ledger.failed() > 0);
}

#[test]
fn requests_that_still_wait_for_a_dead_address_belong_to_the_incident() {
    let mut plan = plan(2, 200.0, 120.0);
    plan.detection.crash = Law::ZERO;
    plan.ingress.propagation = Law::Constant(secs(1.0));
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan.startup.readiness.period = secs(1.0);
    plan.faults = vec![crash(Schedule::At(at(60.0)))];
    let outcome = common::replicate(&plan, 0);
    // Half of the requests of one second wait for five: from 65 s to 66 s they fail.
    let incident = &outcome.incidents[0];
    assert_eq!(incident.ledger.failed(), outcome.ledger.failed());
    assert!((60..=140).contains(&incident.ledger.failed()), "{:?}", incident.ledger);
    assert!((6.0..=8.0).contains(&incident.lasted().unwrap().as_secs()), "{incident:?}");
}

#[test]
fn a_zone_that_had_only_an_ingress_instance_is_over_when_clients_avoid_it() {
    let mut plan = plan(2, 3.0, 300.0);
    plan.topology.zones = ["a", "b", "c"].map(str::to_owned).to_vec();
    plan.ingress.instances = vec![Some(0), Some(1), Some(2)];
    plan.faults = vec![zone_outage(2, 100.0, 150.0)];
    for replication in 0..20 {
        let outcome = common::replicate(&plan, replication);
        let incident = &outcome.incidents[0];
        assert_eq!(incident.restored, Some(at(110.0)));
        assert!((10.0..=13.0).contains(&incident.lasted().unwrap().as_secs()));
        assert_eq!(incident.ledger.failed(), outcome.ledger.failed());
    }
}

#[test]
fn an_outage_on_top_of_another_keeps_what_it_keeps_away() {
    let mut plan = plan(2, 100.0, 900.0);
    plan.faults = vec![zone_outage(1, 100.0, 60.0), zone_outage(1, 155.0, 1e5)];
    let (witness, outcome) = common::witness::witnessed(&plan, 0);
    // Its machines were lost once, at 100 s, so it is replaced 340 to 355 s later.
    let failed = witness.states(1).iter().filter(|(_, state)| *state == State::Failed).count();
    assert_eq!(failed, 1);
    let [one, other] = &outcome.incidents[..] else { unreachable!() };
    assert!(other.restored >= Some(at(440.0)) && other.restored == one.restored, "{other:?}");
}

#[test]
fn a_replica_without_its_contracts_does_not_end_an_incident() {
    let mut plan = plan(2, 100.0, 200.0);
    let duration = Law::Constant(secs(30.0));
    let fetch = ControlPlaneCall { duration, timeout: secs(10.0), backoff: secs(15.0) };
    let gate = Gate::Api(brownout::units::Share(0.01));
    plan.startup.contracts = Some(Contracts { fetch, poll: secs(15.0), gate });
    plan.detection.crash = Law::ZERO;
    plan.faults = vec![crash(Schedule::At(at(60.0)))];
    let (witness, outcome) = common::witness::witnessed(&plan, 0);
    let ready = witness.states(2).iter().find(|(_, state)| *state == State::Ready).unwrap().0;
    assert_eq!((ready, outcome.incidents[0].restored), (at(70.0), Some(at(90.0))));
}

#[test]
fn what_was_before_an_incident_is_what_was_calm() {
    // Twice as slow for a while; the p99 before the second fault knows nothing of the first.
    let mut plan = plan(1, 10.0, 400.0);
    plan.gateway.demand = Law::Constant(secs(0.01));
    let lasts = Law::Constant(secs(50.0));
    let slow = Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share(0.1), lasts);
    let slow = |seconds| named(&format!("slow at {seconds}"), slow.clone(), seconds);
    plan.faults = vec![slow(100.0), slow(120.0), slow(300.0)];
    let outcome = common::replicate(&plan, 0);
    let before: Vec<_> = outcome.incidents.iter().map(|incident| incident.p99_before).collect();
    let calm = |p99: Option<Span>| p99.is_some_and(|p99| p99 < secs(0.05));
    assert!(calm(before[0]) && before[1].is_none() && calm(before[2]), "{before:?}");
    assert!(outcome.incidents[0].p99_during.unwrap() > secs(0.1));
}

#[test]
fn the_last_address_to_leave_ends_the_time_in_rotation_and_later_losses_count_for_others() {
    let mut plan = plan(4, 100.0, 400.0);
    plan.topology.zones.truncate(2);
    plan.topology.placement = vec![0, 0, 1, 1];
    // So that the second loss is known before the first.
    plan.ingress.propagation = Law::uniform_secs(0.0, 5.0);
    plan.ingress.endpoints_in_order = false;
    plan.faults = vec![zone_outage(0, 100.0, 1e5), crash(Schedule::At(at(120.0)))];
    plan.faults[1].fault = Fault::ReplicaCrash(ReplicaTarget::Slot(2));
    let (witness, outcome) = common::witness::witnessed(&plan, 0);
    let left = |replica| {
        let fact = brownout::observe::Observation::LeftRotation { replica };
        witness.times(|told| *told == fact).first().copied()
    };
    let zone = &outcome.incidents[0];
    assert_eq!(zone.out_of_rotation, left(0).max(left(1)));
    assert!(left(2) < left(0) && left(0) != left(1));
    assert_eq!((zone.serving_before, zone.serving_least), (4, 1));
    assert_eq!(outcome.incidents[1].serving_least, 1);
}

#[test]
fn an_incident_is_over_only_when_the_backlog_is_gone() {
    let mut plan = plan(2, 160.0, 300.0);
    plan.gateway.demand = Law::Constant(secs(0.01));
    common::take_away(&mut plan, &[0], at(60.0), secs(20.0));
    let outcome = common::replicate(&plan, 0);
    let incident = &outcome.incidents[0];
    assert_eq!(incident.restored, Some(at(80.0)));
    // The survivor falls behind by 60 requests a second for 20 s and then catches up by 20 a
    // second, so for 60 s; by five standard deviations of the arrivals less or more.
    let margin = 5.0 * (160.0 * 20.0 + 80.0 * 60.0_f64).sqrt() / 20.0;
    let normal = incident.normal.unwrap().as_secs();
    assert!((normal - 140.0).abs() < margin + 1.0, "{normal}");
}

#[test]
fn the_phases_of_a_replacement_that_waits_for_a_zone_add_up_to_its_restoration() {
    let mut plan = plan(2, 100.0, 1_000.0);
    plan.topology.spread = Spread::DoNotSchedule;
    plan.startup.boot = Law::Constant(secs(4.0));
    plan.ingress.propagation = Law::Constant(secs(1.0));
    plan.faults = vec![zone_outage(1, 100.0, 600.0)];
    let outcome = common::replicate(&plan, 0);
    let incident = &outcome.incidents[0];
    let phase = |wanted| {
        let spans = incident.phases.iter().filter(|(state, _)| *state == wanted);
        spans.map(|(_, span)| *span).fold(Span::ZERO, |sum, span| sum + span)
    };
    let all = incident.phases.iter().fold(Span::ZERO, |sum, (_, span)| sum + *span);
    assert_eq!(Some(all), incident.restored.map(|restored| restored.since(at(100.0))));
    let noticed = phase(State::Failed) + phase(State::Unready);
    assert!((340.0..=356.0).contains(&noticed.as_secs()), "{noticed}");
    assert_eq!(phase(State::Scheduling), secs(600.0) - noticed);
    assert_eq!((phase(State::Booting), phase(State::Ready)), (secs(4.0), secs(1.0)));
}

#[test]
fn nothing_of_an_incident_before_the_end_of_warm_up_counts() {
    let mut plan = plan(2, 100.0, 400.0);
    plan.run.warm_up = at(60.0);
    plan.windows.push(window(Extent::During(0)));
    plan.windows.push(window(Extent::Between(at(30.0), at(90.0))));
    plan.faults = vec![crash(Schedule::At(at(50.0)))];
    let outcome = common::replicate(&plan, 0);
    let normal = outcome.incidents[0].normal.unwrap();
    assert!(normal > at(60.0), "over at {normal}, too early for this test");
    assert_eq!(outcome.windows[1].open, normal.since(at(60.0)));
    assert_eq!(outcome.windows[2].open, secs(30.0));
    assert_eq!(outcome.faults[0].injected, 0);
    assert!(outcome.windows.iter().all(|window| window.incidents.injected == 0));
}

#[test]
fn the_cpu_in_use_counts_from_the_end_of_warm_up() {
    let mut plan = plan(1, 0.0, 400.0);
    plan.run.warm_up = at(100.0);
    plan.gateway.demand = Law::Constant(secs(0.001));
    let corners = [(0.0, 900.0), (100.0, 900.0), (100.0, 500.0)];
    plan.traffic = rates(Scatter::Deterministic, &corners);
    let outcome = common::replicate(&plan, 0);
    assert!((outcome.busy_secs - 150.0).abs() < 0.01, "{}", outcome.busy_secs);
    assert!((outcome.capacity_secs - 300.0).abs() < 1e-6, "{}", outcome.capacity_secs);
}

#[test]
fn the_most_in_flight_counts_from_the_end_of_warm_up() {
    // A burst in warm-up, and one tenth of it afterwards.
    let mut plan = plan(1, 0.0, 100.0);
    plan.run.warm_up = at(50.0);
    plan.gateway.demand = Law::Constant(secs(0.001));
    let burst = |start: f64, count: usize| {
        (0..count).map(move |_| Recorded { at: at(start), demand: None, slot: None, api: None })
    };
    plan.traffic = Traffic::Replay(burst(10.0, 1_000).chain(burst(60.0, 100)).collect());
    assert_eq!(common::replicate(&plan, 0).in_flight_peak, 100);
    plan.run.warm_up = at(5.0);
    assert_eq!(common::replicate(&plan, 0).in_flight_peak, 1_000);
}

#[test]
fn requests_of_one_instant_are_told_apart() {
    let mut plan = plan(1, 0.0, 10.0);
    let recorded =
        |demand: f64| Recorded { at: at(1.0), demand: Some(demand * 1e9), slot: None, api: None };
    plan.traffic = Traffic::Replay([0.1, 0.001, 0.01].map(recorded).into_iter().collect());
    let (_, outcome) = common::witness::witnessed(&plan, 0);
    let demands = outcome.requests.iter().map(|request| request.demand.unwrap() as f64 / 1e9);
    let close = |(found, given): (f64, f64)| (found - given).abs() < 1e-6;
    assert!(demands.zip([0.1, 0.001, 0.01]).all(close), "{:?}", outcome.requests);
    let ended = outcome.requests[0].ended.unwrap();
    assert!(ended.since(at(1.11)) < secs(0.002), "{ended}");
}

#[test]
fn a_replica_that_is_not_bound_to_a_node_yet_is_placed_in_another_zone() {
    let mut plan = plan(2, 10.0, 100.0);
    plan.detection.crash = Law::ZERO;
    plan.startup.schedule = Law::Constant(secs(5.0));
    plan.faults = vec![crash(Schedule::At(at(20.0))), zone_outage(0, 22.0, 1e5)];
    let (witness, outcome) = common::witness::witnessed(&plan, 0);
    assert_eq!(witness.replicas(), 4);
    let ready = witness.states(3).iter().find(|(_, state)| *state == State::Ready).unwrap().0;
    assert!(ready < at(50.0), "ready at {ready}");
    assert_eq!(outcome.incidents[1].restored, Some(ready));
}

#[test]
fn what_was_in_flight_and_is_killed_belongs_to_the_window_of_the_fault() {
    // Behind an upstream that takes 5 s a crash kills a third of what was sent in the 5 s before.
    let mut plan = plan(3, 50.0, 200.0);
    let slow = common::dependencies::upstream(Law::Constant(secs(5.0)));
    plan.dependencies = common::dependencies::with_upstream(slow);
    plan.windows.push(window(Extent::During(0)));
    plan.windows.push(window(Extent::Between(at(99.0), at(100.0))));
    common::take_away(&mut plan, &[0], at(100.0), secs(10.0));
    let outcome = common::replicate(&plan, 0);
    let [run, during, before] = &outcome.windows[..] else { unreachable!() };
    let lost = |window: &WindowOutcome| window.ledger.failed();
    assert!((60..=110).contains(&lost(run)), "{:?}", run.ledger);
    assert_eq!(lost(during), lost(run));
    assert!(lost(before) > 10 && lost(before) < lost(run));
    for window in [run, during, before] {
        assert!(window.ledger.balances() && window.attempts.balances(), "{window:?}");
    }
    assert_eq!(run.ledger, outcome.ledger);
    assert_eq!(outcome.incidents[0].recovery(), Some(Span::ZERO));
}

#[test]
fn service_and_redundancy_are_restored_each_in_its_own_time() {
    let mut plan = plan(3, 300.0, 400.0);
    plan.detection.crash = Law::Constant(secs(2.5));
    plan.ingress.propagation = Law::ZERO;
    plan.startup.boot = Law::Constant(secs(17.5));
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan.startup.readiness.period = Span::ZERO;
    let outage = Fault::ControlPlaneOutage(Law::Constant(secs(200.0)));
    plan.faults = vec![named("cp", outage, 60.0), crash(Schedule::At(at(100.0)))];
    let outcome = common::replicate(&plan, 0);
    let [control_plane, crash] = &outcome.incidents[..] else { unreachable!() };
    // Nobody notices the outage, whatever else happens while it lasts.
    let recoveries = (control_plane.recovery(), control_plane.redundancy_recovery());
    assert_eq!(recoveries, (Some(Span::ZERO), Some(Span::ZERO)));
    assert!(control_plane.lasted().unwrap() >= secs(200.0));
    // Requests meet the dead address for 2.5 s, and wait 5 s each for a connection.
    let recovery = crash.recovery().unwrap();
    assert!((7.0..=9.0).contains(&recovery.as_secs()), "{recovery}");
    assert_eq!(crash.redundancy_recovery(), Some(secs(20.0)));
    assert_eq!((crash.taken, crash.missing, crash.missing_for), (1, 1, secs(17.5)));
}

#[test]
fn a_zone_whose_replicas_moved_elsewhere_is_not_redundant_again() {
    let mut plan = plan(3, 30.0, 900.0);
    plan.faults = vec![zone_outage(0, 100.0, 60.0)];
    let outcome = common::replicate(&plan, 0);
    // Back before its replica was evicted, it holds it again.
    assert!(outcome.incidents[0].redundancy_recovery().unwrap() < secs(120.0));
    plan.faults = vec![zone_outage(0, 100.0, 1e5)];
    let outcome = common::replicate(&plan, 0);
    let zone = &outcome.incidents[0];
    assert!(zone.restored.is_some() && zone.normal.is_some(), "{zone:?}");
    assert_eq!((zone.taken, zone.redundancy), (1, None));
    assert_eq!(outcome.faults[0].redundancy.longest(), secs(800.0));
}

#[test]
fn a_gateway_beyond_its_capacity_has_nothing_to_come_back_to() {
    let mut plan = plan(2, 500.0, 300.0);
    plan.gateway.demand = Law::Constant(secs(0.02));
    plan.windows.push(window(Extent::During(0)));
    common::take_away(&mut plan, &[0], at(100.0), secs(10.0));
    let outcome = common::replicate(&plan, 0);
    let incident = &outcome.incidents[0];
    assert_eq!((incident.normal_before, incident.recovery()), (false, None));
    assert_eq!((outcome.faults[0].abnormal, outcome.faults[0].service.count()), (1, 0));
    assert!(incident.redundancy_recovery().is_some());
}

#[test]
fn a_release_that_stops_is_not_said_to_have_taken_what_a_crash_beside_it_takes() {
    // One of four goes for a version that is never ready; a crash takes another for half a minute.
    let release = Release { starts: Starts::NeverReady, ..Release::SOUND };
    let mut plan = plan(4, 30.0, 400.0);
    plan.startup.boot = Law::Constant(secs(20.0));
    (plan.upgrade.surge, plan.upgrade.unavailable) = (Portion::Count(0), Portion::Count(1));
    plan.faults = vec![named("release", Fault::Rollout(release), 60.0)];
    let alone = common::replicate(&plan, 0).incidents.remove(0);
    assert_eq!((alone.serving_before, alone.missing), (4, 1));
    plan.faults.push(FaultPlan {
        fault: Fault::ReplicaCrash(ReplicaTarget::Any),
        ..crash(Schedule::At(at(200.0)))
    });
    for replication in 0..10 {
        let [release, crash] = &common::replicate(&plan, replication).incidents[..] else {
            panic!("two incidents")
        };
        assert_eq!((release.missing, crash.missing, crash.serving_before), (1, 1, 3));
        assert_eq!(release.serving_least, 2, "whoever took the others");
        assert_eq!(release.redundancy, None, "its own is still missing");
        // Noticed within a second, a start of 20 s, and the probe after 10 s each.
        let redundancy = crash.redundancy_recovery().expect("it is replaced").as_secs();
        assert!((20.0..=41.0).contains(&redundancy), "{redundancy}");
    }
}

#[test]
fn a_crash_beside_a_release_that_only_adds_leaves_its_redundancy_untouched() {
    let release = Release { starts: Starts::NeverReady, ..Release::SOUND };
    let mut plan = plan(2, 30.0, 400.0);
    plan.faults =
        vec![named("release", Fault::Rollout(release), 60.0), crash(Schedule::At(at(200.0)))];
    let [release, crash] = &common::replicate(&plan, 0).incidents[..] else {
        panic!("two incidents")
    };
    assert_eq!((release.missing, release.redundancy), (0, Some(at(60.0))));
    assert_eq!(crash.missing, 1);
    assert!(crash.redundancy.is_some_and(|redundancy| redundancy > at(200.0)));
}
