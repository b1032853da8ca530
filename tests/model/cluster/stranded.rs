//! Requests in flight on a machine that vanishes: nobody is left to say so, and they hang until
//! whoever waits for them gives up.

use brownout::observe::Observation;
use brownout::observe::ledger::Failure;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Share, Span};

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, poisson, secs};
use crate::derived::fault;

/// When the machine vanishes, before any of its requests is answered that was sent since 90 s.
const LOST: f64 = 100.0;

/// Three replicas in three zones at 6/s, whose requests take ten seconds of a core's many, so that
/// each replica has some twenty at a time; the ingress waits for a minute.
fn long(lost: Fault) -> Plan {
    let mut plan = plan(3, 6.0, 300.0);
    plan.gateway.cores = brownout::units::Cores(64.0);
    plan.gateway.demand = Law::Constant(secs(10.0));
    plan.ingress.read_timeout = secs(60.0);
    plan.faults = vec![fault(lost, LOST)];
    plan
}

fn lasting(seconds: f64) -> Law {
    Law::Constant(secs(seconds))
}

/// The ways in which a machine vanishes, all with the replica of slot 0.
fn losses() -> [Fault; 4] {
    let notice = Notice { ahead: Span::ZERO, heeded: Heeded::Nobody };
    [
        Fault::NodeLoss(ReplicaTarget::Slot(0), None),
        Fault::ZoneOutage(Some(0), lasting(1e4)),
        Fault::PartialOutage(Some(0), Share::ONE, lasting(5.0)),
        Fault::NodeShutdown(ReplicaTarget::Slot(0), notice, None),
    ]
}

/// Failures of what had been sent before the machine vanished: after how long, and how.
fn stranded(witness: &Witness) -> Vec<(Span, Failure)> {
    let before = witness.failed.iter().filter(|(sent, ..)| sent.at < at(LOST));
    before.map(|(sent, failed, how)| (failed.since(sent.at), *how)).collect()
}

/// A third of 60 requests, within five standard deviations.
fn is_a_third(count: usize) -> bool {
    (count as f64 - 20.0).abs() < 5.0 * 20.0_f64.sqrt()
}

#[test]
fn what_a_vanished_machine_has_hangs_until_the_ingress_gives_up() {
    for lost in losses() {
        let mut plan = long(lost);
        let (witness, outcome) = witnessed(&plan, 0);
        let ends = stranded(&witness);
        assert!(is_a_third(ends.len()), "{}", ends.len());
        assert!(ends.iter().all(|one| *one == (secs(60.0), Failure::TimedOut)), "{ends:?}");
        assert!(outcome.ledger.balances());
        // Taken one by one it is the same.
        plan.dependencies.clients.patience = Some(secs(1e5));
        assert_eq!(witnessed(&plan, 0).1.ledger, outcome.ledger);
    }
}

#[test]
fn a_client_that_is_less_patient_gives_up_first_and_one_that_nobody_limits_waits_for_tcp() {
    for lost in losses() {
        let mut plan = long(lost);
        plan.dependencies.clients.patience = Some(secs(15.0));
        let ends = stranded(&witnessed(&plan, 0).0);
        assert!(is_a_third(ends.len()), "{}", ends.len());
        assert!(ends.iter().all(|one| *one == (secs(15.0), Failure::GivenUp)), "{ends:?}");
    }
    for patience in [None, Some(secs(1e5))] {
        let mut plan = long(Fault::NodeLoss(ReplicaTarget::Slot(0), None));
        (plan.ingress.read_timeout, plan.run.horizon) = (Span::MAX, at(1_100.0));
        plan.dependencies.clients.patience = patience;
        let (witness, _) = witnessed(&plan, 0);
        let sent_before =
            |(sent, ..): &&(brownout::observe::Sent, Instant, Failure)| sent.at < at(LOST);
        let ends: Vec<_> = witness.failed.iter().filter(sent_before).collect();
        assert!(is_a_third(ends.len()), "{}", ends.len());
        // Linux with tcp_retries2 = 15.
        let given_up = (at(LOST + 924.6), Failure::DeadAddress);
        assert!(ends.iter().all(|(_, at, how)| (*at, *how) == given_up), "{ends:?}");
    }
}

#[test]
fn an_ingress_that_tries_what_timed_out_again_finds_another_replica() {
    let mut plan = long(Fault::NodeLoss(ReplicaTarget::Slot(0), None));
    plan.traffic = poisson(6.0);
    (plan.ingress.read_timeout, plan.ingress.retries) = (secs(15.0), 1);
    plan.ingress.retry = RetryRules {
        on_timeout: true,
        idempotent: Share::ONE,
        host: RetryHost::Other,
        ..RetryRules::CONNECT_FAILURE
    };
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(outcome.ledger.failed(), 0);
    // The time-out, and then all of their ten seconds.
    let late = witness.served.iter().filter(|one| one.sent < at(LOST));
    let late: Vec<Span> =
        late.map(|one| one.finished.since(one.sent)).filter(|took| *took > secs(10.5)).collect();
    assert!(is_a_third(late.len()), "{}", late.len());
    assert!(late.iter().all(|took| (took.as_secs() - 25.0).abs() < 1e-6), "{late:?}");
}

#[test]
fn what_came_through_an_ingress_instance_that_vanished_as_well_is_lost_at_once() {
    for patience in [None, Some(secs(1e5))] {
        let mut plan = long(Fault::ZoneOutage(Some(0), lasting(1e4)));
        plan.ingress.instances = vec![Some(0)];
        plan.dependencies.clients.patience = patience;
        let (witness, _) = witnessed(&plan, 0);
        let at_once = |(sent, failed, how): &&(brownout::observe::Sent, Instant, Failure)| {
            sent.at < at(LOST) && (*failed, *how) == (at(LOST), Failure::LostWithIngress)
        };
        // All of 60, whichever replica had them.
        let lost = witness.failed.iter().filter(at_once).count();
        assert!((lost as f64 - 60.0).abs() < 5.0 * 60.0_f64.sqrt(), "{lost}");
    }
}

#[test]
fn a_crash_resets_what_it_had_as_ever() {
    let (witness, _) = witnessed(&long(Fault::ReplicaCrash(ReplicaTarget::Slot(0))), 0);
    let lost = witness.failed.iter().filter(|one| one.2 == Failure::LostInFlight);
    assert!(lost.clone().all(|(_, failed, _)| *failed == at(LOST)));
    assert!(is_a_third(lost.count()));
}

#[test]
fn what_is_stranded_is_in_flight_and_in_no_replica() {
    let lost = Fault::NodeLoss(ReplicaTarget::Slot(0), None);
    let mut plan = long(lost);
    plan.dependencies.clients.patience = Some(secs(1e5));
    // Nobody comes any more from the loss on, and all others are answered ten seconds later.
    plan.traffic = crate::derived::rates(Scatter::Poisson, &[(0.0, 6.0), (LOST, 6.0), (LOST, 0.0)]);
    plan.run.horizon = at(130.0);
    let (witness, outcome) = witnessed(&plan, 0);
    let held = |time: f64| -> u64 {
        let (_, readings) = witness.readings.iter().find(|(bin, _)| *bin == at(time)).unwrap();
        readings.iter().map(|reading| reading.in_flight).sum()
    };
    assert!(held(99.0) > 40 && held(115.0) == 0);
    let left = witness.in_flight.len();
    assert!(is_a_third(left), "{left} of those wait in vain");
    assert_eq!(outcome.ledger.in_flight, left as u64);
    assert!(outcome.incidents[0].normal.is_none(), "they are in flight, and before none was so");
    let told = witness.times(|fact| matches!(fact, Observation::FaultInjected { .. }));
    assert_eq!(told, [at(LOST)]);
}
