//! How incidents are followed: what belongs to one, when it is over, and that none is left out.

mod common;

use brownout::model::plan::*;
use brownout::observe::State;
use brownout::observe::outcome::INCIDENT_LIMIT;
use brownout::random::Law;
use brownout::units::{Rate, Span};
use common::{at, plan, secs};

fn crash(schedule: Schedule) -> FaultPlan {
    let fault = Fault::ReplicaCrash(ReplicaTarget::Slot(0));
    FaultPlan { name: "crash".to_owned(), fault, schedule }
}

fn zone_outage(zone: usize, seconds: f64, lasts: f64) -> FaultPlan {
    let fault = Fault::ZoneOutage(Some(zone), Law::Constant(secs(lasts)));
    FaultPlan { name: "zone".to_owned(), fault, schedule: Schedule::At(at(seconds)) }
}

fn window(extent: Extent) -> Window {
    Window { label: String::new(), extent }
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
    assert!(crashes.struck > INCIDENT_LIMIT as u64 + 100);
    let all = outcome.incidents.len() as u64 + outcome.incidents_unlisted;
    assert_eq!((outcome.incidents.len(), crashes.struck + zone.struck), (INCIDENT_LIMIT, all));
    assert!(outcome.incidents.iter().all(|incident| incident.fault == 0), "the zone is listed");
    assert_eq!((zone.struck, zone.unrecovered, zone.waited), (1, 1, secs(50.0)));
    let run = &outcome.windows[0].incidents;
    assert_eq!((run.struck, run.longest()), (all, None));
    let listed = outcome.incidents.iter().filter_map(|incident| incident.recovery()).max();
    assert!(crashes.recovery.unwrap().1 >= listed.unwrap());
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
    assert!(tally.struck > INCIDENT_LIMIT as u64);
    assert_eq!(tally.struck, outcome.incidents.len() as u64 + outcome.incidents_unlisted);
    let open = outcome.incidents.iter().filter(|incident| incident.normal.is_none()).count();
    assert_eq!(tally.unrecovered, open as u64 + outcome.incidents_unlisted);
    assert!(open > INCIDENT_LIMIT / 2 && tally.longest().is_none());
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
    assert_eq!(outcome.windows[1].incidents.struck, 1);
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
    assert_eq!(outcome.faults[0].struck, 0);
    assert!(outcome.windows.iter().all(|window| window.incidents.struck == 0));
}

#[test]
fn the_cpu_in_use_counts_from_the_end_of_warm_up() {
    let mut plan = plan(1, 0.0, 400.0);
    plan.run.warm_up = at(100.0);
    plan.gateway.demand = Law::Constant(secs(0.001));
    let corners = vec![(at(0.0), 900.0), (at(100.0), 900.0), (at(100.0), 500.0)];
    plan.traffic = Traffic::Process(ArrivalProcess {
        scatter: Scatter::Deterministic,
        corners: corners.into_iter().map(|(at, rate)| (at, Rate(rate))).collect(),
        period: None,
    });
    let outcome = common::replicate(&plan, 0);
    assert!((outcome.busy_secs - 150.0).abs() < 0.01, "{}", outcome.busy_secs);
    assert!((outcome.capacity_secs - 300.0).abs() < 1e-6, "{}", outcome.capacity_secs);
}
