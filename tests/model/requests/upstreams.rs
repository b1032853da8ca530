//! Upstreams when requests end before their answer comes: nobody's place is given away twice, and
//! nothing is sent for those that are lost.

use brownout::observe::ledger::Failure;
use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::policy::limit::{Algorithm, Sharing};
use brownout::policy::outlier::OutlierSpec;
use brownout::random::Law;
use brownout::units::Share;

use crate::common::dependencies::{limit, upstream, with_policies, with_upstream};
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{evenly, fault};

/// This many requests a second on one replica that takes no time, with an upstream behind it.
fn behind(upstream: Upstream, rate: f64, horizon: f64) -> Plan {
    let mut plan = plan(1, rate, horizon);
    plan.gateway.demand = Law::ZERO;
    plan.dependencies = with_upstream(upstream);
    plan
}

fn connections(connections: u32, pending: u32) -> BreakerSpec {
    BreakerSpec { connections: Some(connections), pending: Some(pending), ..BreakerSpec::NONE }
}

fn served_between(witness: &Witness, from: f64, to: f64) -> usize {
    let inside = |time| (at(from)..at(to)).contains(&time);
    witness.served_in_time().filter(|request| inside(request.finished)).count()
}

#[test]
fn a_worker_does_one_request_after_the_other_whether_work_can_be_cancelled_or_not() {
    // 300 requests/s on one worker that takes 10 ms for each: a hundred a second are done.
    for cancels in [false, true] {
        let slow = Upstream { workers: Some(1), cancels, ..upstream(Law::Constant(secs(0.01))) };
        let mut plan = behind(slow, 300.0, 20.0);
        evenly(&mut plan);
        let (witness, _) = witnessed(&plan, 0);
        let done = served_between(&witness, 5.0, 15.0);
        assert!(done.abs_diff(1_000) <= 1, "{done} with cancels = {cancels}");
    }
}

#[test]
fn work_that_can_be_cancelled_leaves_its_worker_to_the_next() {
    // A worker takes 30 s instead of 0.3 s for what it begins between 10 s and 20 s; clients give
    // up after one. If it goes on with that nobody else is answered until 40 s.
    for cancels in [true, false] {
        let host = Upstream { workers: Some(1), cancels, ..upstream(Law::Constant(secs(0.3))) };
        let mut plan = behind(host, 2.0, 60.0);
        evenly(&mut plan);
        plan.dependencies.clients.patience = Some(secs(1.0));
        let target = HostTarget { upstream: 0, host: None };
        let slow = Fault::UpstreamSlow(target, 100.0, Law::Constant(secs(10.0)));
        plan.faults.push(fault(slow, 10.0));
        let (witness, _) = witnessed(&plan, 0);
        let served = [(22.0, 39.0), (45.0, 60.0)].map(|(a, b)| served_between(&witness, a, b));
        let expected = if cancels { 34_usize } else { 0 };
        assert!(served[0].abs_diff(expected) <= 1, "{served:?} with cancels = {cancels}");
        assert!(served[1].abs_diff(30) <= 1, "{served:?} with cancels = {cancels}");
    }
}

#[test]
fn requests_that_wait_for_a_connection_are_never_sent_once_their_replica_is_lost() {
    // 100 requests/s for 10 connections of 1 s: a crowd waits. Each request that the host has makes
    // the next slower, so the lost ones would be felt.
    let host = Upstream {
        breaker: connections(10, 10_000),
        per_request: secs(0.01),
        ..upstream(Law::Constant(secs(1.0)))
    };
    let mut plan = behind(host, 100.0, 60.0);
    evenly(&mut plan);
    plan.topology.zones.push("b".to_owned());
    plan.gateway.replicas = 2;
    plan.topology.placement = vec![0, 1];
    plan.faults.push(fault(Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 30.0));
    let (witness, _) = witnessed(&plan, 0);
    // The survivor has the host to itself: 10 connections of at most 1.2 s each.
    let done = served_between(&witness, 32.0, 40.0);
    assert!(done >= 60, "{done}");
}

#[test]
fn requests_of_a_lost_replica_are_lost_in_flight_and_nothing_else() {
    let host = Upstream {
        hosts: 2,
        breaker: connections(10, 10_000),
        retries: 3,
        ..upstream(Law::Constant(secs(1.0)))
    };
    let mut plan = behind(host, 200.0, 40.0);
    let down = HostTarget { upstream: 0, host: Some(0) };
    let lasts = Law::Constant(secs(1.0));
    plan.faults.push(fault(Fault::UpstreamOutage(down, Down::Refuses, lasts), 29.5));
    plan.faults.push(fault(Fault::ReplicaCrash(ReplicaTarget::All), 30.0));
    let (witness, _) = witnessed(&plan, 0);
    let here = witness.failed.iter().filter(|(_, time, _)| *time == at(30.0));
    let ways: Vec<Failure> = here.map(|(.., failure)| *failure).collect();
    assert!(ways.len() > 100 && ways.iter().all(|way| *way == Failure::LostInFlight));
}

#[test]
fn a_crowd_that_waits_for_a_connection_to_a_host_that_refuses_fails_one_by_one() {
    let host =
        Upstream { breaker: connections(1, 1_000_000), ..upstream(Law::Constant(secs(5.0))) };
    let mut plan = behind(host, 20_000.0, 11.0);
    evenly(&mut plan);
    let target = HostTarget { upstream: 0, host: None };
    let lasts = Law::Constant(secs(10.0));
    plan.faults.push(fault(Fault::UpstreamOutage(target, Down::Refuses, lasts), 10.0));
    let (_, outcome) = witnessed(&plan, 0);
    assert!(outcome.ledger.failed_by(Failure::UpstreamFailed) > 190_000);
}

#[test]
fn a_replica_that_stands_still_gives_up_what_it_never_sent() {
    // The host answers the one request that it has; the next gets its connection and stays where it
    // is, until its time-out.
    let host = Upstream {
        breaker: connections(1, 1_000),
        timeout: secs(5.0),
        outliers: Some(OutlierSpec::default()),
        ..upstream(Law::Constant(secs(1.0)))
    };
    let mut plan = behind(host, 10.0, 40.0);
    plan.faults.push(fault(Fault::ReplicaHang(ReplicaTarget::All), 10.5));
    let (witness, outcome) = witnessed(&plan, 0);
    // One a second, as long as the front of the crowd has not waited for more than four.
    assert!((4..=6).contains(&served_between(&witness, 0.0, 10.5)));
    assert_eq!(served_between(&witness, 10.5, 40.0), 0);
    assert!(outcome.ledger.failed_by(Failure::UpstreamTimedOut) > 30);
}

#[test]
fn a_replica_that_stands_still_passes_on_no_error_and_no_time_out() {
    let host = Upstream {
        errors: Share(1.0),
        timeout: secs(15.0),
        ..upstream(Law::Uniform(secs(5.0), secs(40.0)))
    };
    let mut plan = behind(host, 100.0, 65.0);
    plan.detection.liveness.failures = 100;
    plan.faults.push(fault(Fault::ReplicaHang(ReplicaTarget::All), 40.0));
    let (witness, _) = witnessed(&plan, 0);
    let upstream = [Failure::UpstreamFailed, Failure::UpstreamTimedOut];
    let of = |from: f64, to: f64| {
        let here = |time| (at(from)..at(to)).contains(time);
        let failed = witness.failed.iter().filter(|(_, time, _)| here(time));
        failed.filter(|(.., way)| upstream.contains(way)).count()
    };
    assert!(of(20.0, 40.0) > 500, "{}", of(20.0, 40.0));
    assert_eq!(of(40.001, 65.0), 0);
}

#[test]
fn each_spike_control_gives_turns_of_its_own() {
    // Both admit ten, the first in any second, the second in any 1.5 s, and let the others try once
    // more after a second. Of fifteen at once five wait at the first; when they come to the second
    // the ten before them still count there, so they wait once more.
    let spike = |window: f64| {
        let window = Algorithm::SlidingWindow { limit: 10, window: secs(window) };
        let PolicyKind::Limit { spec, of, storage, .. } = limit(window, Sharing::PerReplica) else {
            unreachable!("limits are limits")
        };
        let queue = Some(SpikeQueue { delay: secs(1.0), attempts: 1, limit: 1_000 });
        PolicyKind::Limit { spec, of, queue, storage }
    };
    let mut plan = plan(1, 1.0, 60.0);
    plan.gateway.demand = Law::ZERO;
    plan.dependencies = with_policies([spike(1.0), spike(1.5)]);
    let records = (0..15).map(|_| Recorded { at: at(10.0), demand: None, slot: None, api: None });
    plan.traffic = Traffic::Replay(records.collect());
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!((outcome.ledger.served, outcome.ledger.failed()), (15, 0));
    assert_eq!(served_between(&witness, 11.9, 12.1), 5);
}
