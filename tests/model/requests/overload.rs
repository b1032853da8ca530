//! Overload makes answers slower and refuses none; errors have a named cause.

use brownout::observe::Sent;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::Keep;
use brownout::observe::timeline::TotalRow;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Share, Span};

use crate::common::witness::witnessed;
use crate::common::{at, plan, poisson, replicate, secs};
use crate::derived::{Sample, call, crash, fault, rates, warm_start};

fn rows(outcome: &Outcome) -> &[TotalRow] {
    &outcome.timeline.as_ref().expect("the timeline is kept").total
}

#[test]
fn property_17_goodput_stays_at_capacity_however_great_the_overload() {
    for load in [1.2, 2.0, 5.0] {
        let mut plan = plan(2, 2_000.0 * load, 10.0);
        plan.ingress.read_timeout = Span::MAX;
        let keep = Keep { timeline: true, ..Keep::default() };
        let goodput = Sample::of(20, |replication| {
            let outcome =
                brownout::experiment::replicate(&plan, replication, keep, &Default::default());
            assert_eq!(outcome.ledger.failed(), 0);
            let served: u64 = rows(&outcome)[3..].iter().map(|row| row.served).sum();
            served as f64 / 7.0
        });
        goodput.expect_mean(2_000.0, 5.0);
        goodput.expect_within(0.9 * 2_000.0, 1.1 * 2_000.0);
    }
}

#[test]
fn property_18_latency_does_not_fall_when_more_is_offered() {
    for replication in 0..5 {
        let (mut mean, mut tail) = (Span::ZERO, Span::ZERO);
        for load in [0.05, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.97, 1.1, 1.5] {
            // As many requests at every load, so that each has the same random numbers.
            let mut plan = plan(2, 2_000.0 * load, 60.0 / load);
            plan.run.bin = secs(60.0);
            let latency = &replicate(&plan, replication).windows[0].latency;
            let figures = latency.mean().zip(latency.quantile(0.99)).expect("answers");
            assert!(figures.0 >= mean && figures.1 >= tail, "at {load}: {figures:?}");
            (mean, tail) = figures;
        }
    }
}

/// One replica at 1.3 of its capacity for 20 s, then at half of it.
fn burst() -> Plan {
    let mut burst = plan(1, 1.0, 80.0);
    burst.run.bin = secs(0.05);
    burst.ingress.read_timeout = Span::MAX;
    let corners = [(0.0, 1_300.0), (20.0, 1_300.0), (20.0, 500.0)];
    burst.traffic = rates(Scatter::Poisson, &corners);
    burst
}

#[test]
fn property_19_latency_returns_once_the_backlog_is_worked_off() {
    let plan = burst();
    let (mut drain, mut latency) = (Vec::new(), Vec::new());
    for replication in 0..24 {
        let (witness, outcome) = witnessed(&plan, replication);
        let rows = rows(&outcome);
        let backlog = rows[399].in_flight as f64;
        assert!(backlog > 4_000.0, "{backlog}");
        let empty = rows[400..].iter().position(|row| row.in_flight <= 3).expect("it drains");
        drain.push((empty + 1) as f64 * 0.05 - (backlog - 3.0) / 500.0);
        let late = witness.served.iter().filter(|request| request.sent >= at(40.0));
        let millis: Vec<f64> =
            late.map(|request| request.finished.since(request.sent).as_millis()).collect();
        latency.push(millis.iter().sum::<f64>() / millis.len() as f64);
    }
    Sample(drain).expect_mean(0.0, 0.2);
    // M/M/1 at one half of capacity: 1/(1000 − 500) s.
    Sample(latency).expect_mean(2.0, 0.02);
}

#[test]
fn as_many_are_in_flight_as_come_while_one_of_them_stays() {
    // Little's law, of an M/M/1 queue at 0.8 of its capacity: 0.8 / (1 − 0.8) on average.
    let mut plan = plan(1, 800.0, 300.0);
    plan.ingress.read_timeout = Span::MAX;
    let outcomes: Vec<_> = (0..30).map(|replication| replicate(&plan, replication)).collect();
    let held = |o: &Outcome| o.monitored.in_flight_secs / o.monitored.sampled_secs;
    let stayed =
        |o: &Outcome| o.windows[0].latency.sum() as f64 / 1e9 / o.windows[0].open.as_secs();
    Sample(outcomes.iter().map(held).collect()).expect_mean(4.0, 0.25);
    let law = outcomes.iter().map(|outcome| held(outcome) - stayed(outcome)).collect();
    Sample(law).expect_mean(0.0, 0.2);
}

/// Whether the failures of a run are those named and no others, and add up.
#[track_caller]
pub fn expect_only(plan: &Plan, ways: &[Failure]) {
    let (witness, outcome) = witnessed(plan, 0);
    let ledger = outcome.ledger;
    for failure in Failure::ALL {
        let happens = ledger.failed_by(failure) > 0;
        assert_eq!(happens, ways.contains(&failure), "{failure:?}: {ledger:?}");
    }
    let turned_away = ledger.failed() + ledger.rejected();
    assert_eq!(turned_away, Failure::ALL.map(|way| ledger.failed_by(way)).iter().sum::<u64>());
    assert_eq!(turned_away, witness.failed.len() as u64);
    assert_eq!(ledger.offered, ledger.served + turned_away + ledger.in_flight);
}

#[test]
fn property_20_errors_come_only_through_a_named_mechanism() {
    let mut plain = plan(2, 1_000.0, 60.0);
    warm_start(&mut plain, (2.0, 6.0));
    expect_only(&plain, &[]);
    let overloaded = Plan { traffic: poisson(4_000.0), ..plain.clone() };
    expect_only(&overloaded, &[]);
    let mut impatient = overloaded.clone();
    impatient.ingress.read_timeout = secs(2.0);
    expect_only(&impatient, &[Failure::TimedOut]);
    let mut crashing = plain.clone();
    crashing.faults = vec![crash(20.0)];
    crashing.gateway.demand = Law::Constant(secs(0.0015));
    expect_only(&crashing, &[Failure::LostInFlight, Failure::DeadAddress]);
    let mut all_gone = crashing.clone();
    all_gone.faults = vec![fault(Fault::ReplicaCrash(ReplicaTarget::All), 20.0)];
    let ways = [Failure::LostInFlight, Failure::DeadAddress, Failure::NoReadyReplica];
    expect_only(&all_gone, &ways);
    let mut headless = plain.clone();
    headless.faults =
        vec![fault(Fault::IngressLoss(InstanceTarget::Any, Law::Constant(secs(9.0))), 20.0)];
    headless.gateway.demand = Law::Constant(secs(0.0015));
    expect_only(&headless, &[Failure::LostWithIngress, Failure::IngressDown]);
    let mut unlicensed = plain;
    let gate = Gate::Api(Share(0.5));
    unlicensed.startup.contracts = Some(Contracts { fetch: call(), poll: secs(15.0), gate });
    unlicensed.gateway.demand = Law::Constant(secs(0.0015));
    let lasts = Law::Constant(secs(1e3));
    unlicensed.faults = vec![fault(Fault::ControlPlaneOutage(lasts), 10.0), crash(20.0)];
    let ways = [Failure::LostInFlight, Failure::DeadAddress, Failure::ContractsMissing];
    expect_only(&unlicensed, &ways);
}

#[test]
fn property_20_each_mechanism_has_its_status() {
    let status = Failure::ALL.map(Failure::status);
    let (bad, unavailable, timeout) = (Some(502), Some(503), Some(504));
    let inside = [bad, unavailable, bad, unavailable, timeout, None];
    let unknown = Some(401);
    let early = [None, Some(429), Some(429), unknown, unavailable, unavailable];
    // An idle connection that closes, an upstream that is full, the last two, a replica's error,
    // admission control, a replica that takes on no more, an instance that is gone.
    let late = [bad, unavailable, timeout, unknown, Some(500), unavailable, unavailable, None];
    let outside = [&early[..], &late[..]].concat();
    assert_eq!(status[..], [&inside[..], &outside[..]].concat());
}

#[test]
fn property_20_a_time_out_comes_exactly_after_its_patience() {
    let mut plan = plan(2, 4_000.0, 20.0);
    plan.ingress.read_timeout = secs(1.5);
    plan.ingress.delay = secs(0.01);
    let (witness, outcome) = witnessed(&plan, 0);
    assert!(outcome.ledger.failed_by(Failure::TimedOut) > 10_000);
    let patience = secs(1.5) + plan.ingress.delay;
    let waited = |(sent, at, _): &(Sent, Instant, Failure)| at.since(sent.at);
    assert!(witness.failed.iter().all(|failed| waited(failed) == patience));
    assert!(witness.served.iter().all(|served| served.finished.since(served.sent) <= patience));
}
