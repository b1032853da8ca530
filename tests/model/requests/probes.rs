//! Probes that share CPU with the requests: overload restarts replicas, and a hang is still found.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observation, ProbeKind, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Share;

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, replicate, secs};
use crate::derived::{fault, random};

/// A load of so much of two replicas' capacity, before probes of 5 ms.
fn loaded(load: f64, horizon: f64) -> Plan {
    let mut plan = plan(2, 2_000.0 * load, horizon);
    plan.detection.probe_cpu = Some(secs(0.005));
    plan
}

/// How often and when probes of a kind failed often enough to count.
fn failed(witness: &Witness, wanted: bool) -> Vec<f64> {
    let failed = |fact: &_| match fact {
        Observation::ProbesFailed { probe, .. } => (*probe == ProbeKind::Liveness) == wanted,
        _ => false,
    };
    witness.times(failed).iter().map(|at| at.as_secs()).collect()
}

#[test]
fn property_21_overload_restarts_replicas_whose_probes_share_their_cpu() {
    for replication in 0..4 {
        for load in [1.2, 2.5] {
            let mut plan = loaded(load, 120.0);
            // Readiness may take enough load away to spare the replicas.
            let both = witnessed(&plan, replication);
            plan.startup.readiness.failures = 10_000;
            let alone = witnessed(&plan, replication);
            assert!(!failed(&alone.0, true).is_empty(), "at {load}: {:?}", alone.1.probes_failed);
            assert!(load < 2.0 || !failed(&both.0, true).is_empty(), "{:?}", both.1.probes_failed);
            for (witness, outcome) in [both, alone] {
                let (restarts, losses) = (failed(&witness, true), failed(&witness, false));
                assert_eq!(outcome.probes_failed.liveness, restarts.len() as u64);
                assert_eq!(outcome.probes_failed.readiness, losses.len() as u64);
                assert!(outcome.ledger.failed() > 0 && outcome.ledger.balances());
                // Probes of replicas that do not serve are no work of those that do.
                assert!(outcome.busy_secs <= outcome.capacity_secs, "{}", outcome.busy_secs);
            }
        }
    }
}

#[test]
fn property_21_probes_that_cost_nothing_restart_nobody() {
    for replication in 0..4 {
        let mut plan = loaded(1.6, 120.0);
        plan.detection.probe_cpu = None;
        let (witness, outcome) = witnessed(&plan, replication);
        assert_eq!(outcome.ledger.failed(), 0);
        let ready = |id| witness.states(id).iter().all(|(_, state)| *state == State::Ready);
        assert!(ready(0) && ready(1));
    }
}

#[test]
fn property_21_without_overload_probes_that_compete_change_next_to_nothing() {
    for replication in 0..4 {
        let outcome = replicate(&loaded(0.7, 300.0), replication);
        assert_eq!(outcome.probes_failed, Default::default());
        assert_eq!(outcome.ledger.failed(), 0);
    }
}

#[test]
fn property_20_what_overloaded_probes_cost_adds_up_by_cause() {
    let ways = [Failure::LostInFlight, Failure::NoReadyReplica, Failure::DeadAddress];
    for replication in 0..4 {
        let mut plan = loaded(1.5, 200.0);
        plan.ingress.propagation = Law::uniform_secs(0.5, 2.0);
        // Without readiness an ended replica keeps its address until that is heard.
        plan.startup.readiness.failures = 10_000;
        let (witness, outcome) = witnessed(&plan, replication);
        let ledger = outcome.ledger;
        for way in Failure::ALL {
            let told = witness.failed.iter().filter(|(_, _, how)| *how == way).count() as u64;
            assert_eq!(ledger.failed_by(way), told);
            assert_eq!(told > 0, ways.contains(&way), "{way:?}: {ledger:?}");
        }
        assert_eq!(ledger.failed(), ways.map(|way| ledger.failed_by(way)).iter().sum::<u64>());
        assert!(ledger.balances());
    }
}

#[test]
fn an_overloaded_replica_is_stopped_after_five_misses_and_its_drain() {
    for replication in 0..4 {
        let mut plan = loaded(2.0, 80.0);
        plan.startup.readiness.failures = 10_000;
        let (witness, _) = witnessed(&plan, replication);
        // A probe of 5 ms takes a second when 199 requests share the CPU: after 0.2 s.
        for replica in 0..2 {
            let entered = |wanted: State| {
                let states = witness.states(replica);
                states.iter().find(|(_, state)| *state == wanted).map(|(at, _)| *at)
            };
            let stopped = entered(State::Draining).expect("it is stopped");
            assert!((at(41.0)..=at(51.5)).contains(&stopped), "{stopped}");
            let ended = Some(stopped + secs(25.0));
            assert_eq!(entered(State::Failed), ended, "after its drain");
            assert_eq!(entered(State::Booting), ended, "the first restart is at once");
        }
    }
}

#[test]
fn a_replica_that_readiness_took_out_works_off_its_backlog_and_comes_back() {
    let mut plan = loaded(0.7, 80.0);
    plan.gateway.replicas = 3;
    plan.topology.placement = vec![0, 1, 1];
    // One of three loses most of its CPU for 25 s and keeps what it has.
    let slow = Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share(0.02), Law::Constant(secs(25.0)));
    plan.faults.push(fault(slow, 5.0));
    for replication in 0..8 {
        let (witness, outcome) = witnessed(&plan, replication);
        let states: Vec<State> = witness.states(0).into_iter().map(|(_, state)| state).collect();
        assert_eq!(states, [State::Ready, State::Unready, State::Ready]);
        assert_eq!((outcome.ledger.failed(), outcome.probes_failed.readiness), (0, 1));
        assert!(outcome.busy_secs <= outcome.capacity_secs);
    }
}

#[test]
fn a_random_fault_meets_a_replica_once_however_often_it_came_back() {
    // Unready after 30 s at the latest and back before 60 s: the clock of 60 s starts anew then.
    let mut plan = loaded(0.7, 130.0);
    plan.gateway.replicas = 3;
    plan.topology.placement = vec![0, 1, 1];
    let slow = Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share(0.02), Law::Constant(secs(25.0)));
    plan.faults.push(fault(slow, 5.0));
    let crash = Fault::ReplicaCrash(ReplicaTarget::Slot(0));
    plan.faults.push(random("crash", crash, Law::Constant(secs(60.0))));
    let (witness, _) = witnessed(&plan, 0);
    let joined = witness.times(|fact| *fact == Observation::JoinedRotation { replica: 0 });
    let back = *joined.iter().rfind(|time| **time < at(60.0)).expect("it comes back");
    let injected =
        witness.times(|fact| matches!(fact, Observation::FaultInjected { fault: 1, .. }));
    assert!(back > at(20.0) && injected.first() == Some(&(back + secs(60.0))));
}

/// One replica whose process crashes a while after it is in rotation, and is restarted.
fn crashing(after: f64, horizon: f64) -> Plan {
    let mut plan = plan(1, 1.0, horizon);
    plan.run.bin = secs(100.0);
    plan.detection.after_crash = AfterCrash::Restarted;
    plan.detection.crash = Law::ZERO;
    let crash = Fault::ReplicaCrash(ReplicaTarget::Any);
    plan.faults.push(random("crash", crash, Law::Constant(secs(after))));
    plan
}

/// The time between each crash and the start of the container that follows.
fn waits(witness: &Witness) -> Vec<f64> {
    let states = witness.states(0);
    let ended = states.iter().filter(|(_, state)| *state == State::Failed);
    let begun = states.iter().filter(|(_, state)| *state == State::Booting);
    ended.zip(begun).map(|(ended, begun)| begun.0.since(ended.0).as_secs()).collect()
}

#[test]
fn a_crash_that_is_restarted_waits_for_its_back_off_in_the_same_pod() {
    let (witness, outcome) = witnessed(&crashing(1.0, 995.0), 0);
    assert_eq!(witness.replicas(), 1);
    assert_eq!(waits(&witness), [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]);
    assert!(outcome.ledger.balances());
    let waiting = witness.states(0).into_iter().filter(|(_, state)| *state == State::BackOff);
    assert_eq!(waiting.count(), 7, "the first restart is at once");
}

#[test]
fn a_container_that_ran_for_ten_minutes_is_restarted_at_once() {
    let (witness, _) = witnessed(&crashing(600.0, 4_000.0), 0);
    assert_eq!(waits(&witness), [0.0; 6]);
    let (witness, _) = witnessed(&crashing(580.0, 3_000.0), 0);
    assert_eq!(waits(&witness), [0.0, 10.0, 20.0, 40.0]);
}

#[test]
fn a_zone_that_goes_down_ends_the_back_off_and_the_drain_of_its_replicas() {
    for (injections, before) in [(15.0, State::BackOff), (60.0, State::Draining)] {
        let mut plan = match before {
            State::BackOff => crashing(1.0, 200.0),
            _ => loaded(2.0, 200.0),
        };
        plan.startup.readiness.failures = 10_000;
        let outage = Fault::ZoneOutage(Some(0), Law::Constant(secs(100.0)));
        plan.faults.push(fault(outage, injections));
        let (witness, outcome) = witnessed(&plan, 0);
        let states = witness.states(0);
        let lost = states.iter().position(|(time, _)| *time == at(injections)).expect("it is lost");
        assert_eq!((states[lost - 1].1, states[lost].1), (before, State::Failed));
        let next: Vec<State> = states[lost + 1..].iter().map(|(_, state)| *state).collect();
        assert_eq!(next[..3], [State::Unready, State::Sandbox, State::Image], "{before:?}");
        assert!(states[lost + 2].0 == at(injections + 100.0) && outcome.ledger.balances());
    }
}
