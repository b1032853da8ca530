//! Start-up, configuration and contracts, with and without the control plane.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Share, Span};

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, poisson, replicate, secs};
use crate::derived::{Sample, call, crash, entered, fault, rotated, taken, warm_start};

const INJECTED: f64 = 60.0;
const BACK: f64 = 150.0;

/// Two replicas, one of which crashes.
fn crashing(horizon: f64) -> Plan {
    let mut crashing = plan(2, 100.0, horizon);
    warm_start(&mut crashing, (2.0, 6.0));
    crashing.faults.push(crash(INJECTED));
    crashing
}

/// The same while the control plane is away from 0:50 to 2:30.
fn cut_off(horizon: f64) -> Plan {
    let mut cut_off = crashing(horizon);
    let lasts = Law::Constant(secs(BACK - 50.0));
    cut_off.faults.push(fault(Fault::ControlPlaneOutage(lasts), 50.0));
    cut_off
}

fn with_contracts(mut plan: Plan, gate: Gate) -> Plan {
    plan.startup.contracts = Some(Contracts { fetch: call(), poll: secs(15.0), gate });
    plan
}

/// When the replacement is ready.
fn ready(plan: &Plan, replication: u64) -> Option<Instant> {
    entered(&witnessed(plan, replication).0, 2, State::Ready)
}

#[test]
fn property_25_a_managed_replica_is_ready_before_one_that_downloads() {
    let mut managed = crashing(120.0);
    managed.traffic = poisson(5.0);
    let mut own = managed.clone();
    let download = Law::Constant(secs(7.0));
    own.startup.configuration =
        Configuration::Download(ControlPlaneCall { duration: download, ..call() });
    let mut later = 0;
    for replication in 0..200 {
        let pair = ready(&managed, replication).zip(ready(&own, replication));
        let (local, downloaded) = pair.expect("both are ready");
        let difference = downloaded.0 - local.0;
        assert!(local <= downloaded);
        assert_eq!(difference % secs(10.0).0, 0, "probes come every ten seconds");
        later += u32::from(difference > 0);
    }
    assert!((1..200).contains(&later), "{later} of 200 were later: probes hide the others");
    for plan in [&mut managed, &mut own] {
        let probe = &mut plan.startup.readiness;
        (probe.initial_delay, probe.period) = (Span::ZERO, Span::ZERO);
    }
    for replication in 0..50 {
        let pair = ready(&managed, replication).zip(ready(&own, replication));
        let (local, downloaded) = pair.expect("both are ready");
        assert_eq!(downloaded.since(local), secs(7.0));
    }
}

#[test]
fn property_26_without_contracts_a_managed_replica_needs_no_control_plane() {
    for replication in 0..20 {
        assert_eq!(ready(&cut_off(120.0), replication), ready(&crashing(120.0), replication));
        let mut own = cut_off(220.0);
        own.startup.configuration = Configuration::Download(call());
        let ready = ready(&own, replication).expect("in the end it is ready");
        assert!(at(BACK) < ready && ready <= at(BACK + 25.0 + 1.0 + 10.0), "{ready}");
    }
}

#[test]
fn property_27_with_contracts_a_replica_is_ready_only_after_the_control_plane_returns() {
    for replication in 0..100 {
        let plan = with_contracts(cut_off(220.0), Gate::Replica);
        let (witness, _) = witnessed(&plan, replication);
        // A time-out of 10 s, a back-off of 15 s, a fetch of at most 1 s, a probe every 10 s.
        let ready = entered(&witness, 2, State::Ready).expect("in the end it is ready");
        assert!(at(BACK) < ready && ready <= at(BACK + 25.0 + 1.0 + 10.0), "{ready}");
        let able = entered(&witness, 2, State::Probing).expect("it was able before");
        assert!(at(BACK) < able && able <= at(BACK + 25.0 + 1.0), "{able}");
        let others = witness.failed.iter().filter(|(_, _, how)| how.status() == Some(503));
        assert_eq!(others.count(), 0, "the other replica keeps its contracts");
    }
}

/// When the replacement has its contracts.
fn loaded(witness: &Witness) -> Option<Instant> {
    let wanted = Observation::ContractsLoaded { replica: 2 };
    witness.times(|fact| *fact == wanted).first().copied()
}

#[test]
fn property_27_a_gate_per_api_refuses_only_the_apis_with_contracts() {
    let plan = with_contracts(cut_off(220.0), Gate::Api(Share(0.3)));
    let refused = Sample::of(40, |replication| {
        let (witness, outcome) = witnessed(&plan, replication);
        let usual = ready(&crashing(220.0), replication);
        assert_eq!(entered(&witness, 2, State::Ready), usual, "it is ready as usual");
        let loaded = loaded(&witness).expect("in the end it has them");
        assert!(at(BACK) < loaded && loaded <= at(BACK + 25.0 + 1.0), "{loaded}");
        let joined = rotated(&witness, 2, true).expect("it joins");
        let missing = |how: &Failure| *how == Failure::ContractsMissing;
        let mut times = witness.failed.iter().filter(|(_, _, how)| missing(how));
        assert!(times.all(|(_, at, _)| (joined..loaded).contains(at)));
        let served = taken(&witness, 2, joined.as_secs(), loaded.as_secs()) as f64;
        let refused = outcome.ledger.failed_by(Failure::ContractsMissing) as f64;
        refused / (refused + served)
    });
    refused.expect_mean(0.3, 0.005);
}

/// All replicas crash while the control plane is away.
fn all_crash(gate: Option<Gate>) -> Plan {
    let mut plan = cut_off(140.0);
    plan.faults[0] = fault(Fault::ReplicaCrash(ReplicaTarget::All), INJECTED);
    match gate {
        Some(gate) => with_contracts(plan, gate),
        None => plan,
    }
}

#[test]
fn property_28_apis_with_contracts_are_down_when_all_replicas_restart_in_an_outage() {
    for gate in [Gate::Replica, Gate::Api(Share::ONE)] {
        let (witness, outcome) = witnessed(&all_crash(Some(gate)), 0);
        let after = witness.served.iter().filter(|request| request.sent >= at(INJECTED));
        assert_eq!(after.count(), 0, "{gate:?}");
        let refused = match gate {
            Gate::Replica => Failure::NoReadyReplica,
            Gate::Api(_) => Failure::ContractsMissing,
        };
        assert!(outcome.ledger.failed_by(refused) > 100 * 50, "{:?}", outcome.ledger);
    }
    let (witness, _) = witnessed(&all_crash(None), 0);
    assert!(witness.served.iter().any(|request| request.sent >= at(INJECTED)));
}

#[test]
fn property_28_availability_with_contracts_is_below_that_without() {
    for replication in 0..20 {
        let availability =
            |gate| replicate(&all_crash(gate), replication).ledger.availability().unwrap_or(1.0);
        let without = availability(None);
        let mut last = without;
        for share in [0.1, 0.5, 1.0] {
            let with = availability(Some(Gate::Api(Share(share))));
            assert!(with < last, "{with} with {share} of them, {last} with fewer");
            last = with;
        }
        assert!(availability(Some(Gate::Replica)) < without);
    }
}

#[test]
fn property_36_running_replicas_keep_serving_while_refreshes_fail() {
    for gate in [Gate::Replica, Gate::Api(Share(0.5))] {
        let mut plan = with_contracts(plan(3, 300.0, 300.0), gate);
        let lasts = Law::Constant(secs(200.0));
        plan.faults = vec![fault(Fault::ControlPlaneOutage(lasts), 50.0)];
        let (witness, outcome) = witnessed(&plan, 0);
        for replica in 0..3 {
            assert_eq!(witness.states(replica), [(Instant::ZERO, State::Ready)]);
            let what = "refresh of contracts";
            let failed = Observation::FetchFailed { replica, what };
            let times = witness.times(|fact| *fact == failed);
            // A poll every 15 s and a time-out of 10 s after the loss.
            assert_eq!(times.len(), 1);
            assert!((at(60.0)..=at(75.0)).contains(&times[0]), "{}", times[0]);
        }
        assert_eq!(outcome.ledger.failed(), 0);
        assert_eq!(outcome.time_with_serving[3], secs(300.0));
    }
    let mut busy = plan(2, 1.0, 100.0);
    busy.traffic = poisson(1_500.0);
    let quiet = replicate(&busy, 0);
    busy.faults = vec![fault(Fault::ControlPlaneOutage(Law::Constant(secs(50.0))), 20.0)];
    let cut = replicate(&with_contracts(busy, Gate::Replica), 0);
    assert_eq!(cut.ledger, quiet.ledger, "an outage that nothing needs changes no request");
}
