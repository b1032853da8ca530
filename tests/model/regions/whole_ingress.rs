//! The whole ingress of a region is lost while all behind it works.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observation, RegionNews};
use brownout::plan::{Asks, Fault, InstanceTarget, Plan, RegionRole, Schedule};
use brownout::random::Law;

use super::{gateway, hours, manager, regions};
use crate::common::troubles::fault;
use crate::common::witness::witnessed;
use crate::common::{at, secs};

const LOST: f64 = 100.0;

fn without_ingress(lasts: Law, horizon: f64) -> Plan {
    let mut plan = gateway(0.3, horizon);
    plan.ingress.instances = vec![None; 3];
    plan.faults = vec![fault(Fault::IngressLoss(InstanceTarget::All, lasts), LOST)];
    regions(plan, &[RegionRole::Active, RegionRole::Active], &[Some(0)])
}

#[test]
fn nobody_comes_in_until_clients_are_led_to_the_other_region() {
    let mut plan = without_ingress(Law::Constant(hours(10.0)), 400.0);
    manager(&mut plan).check.as_mut().unwrap().asks = Asks::Ingress;
    let (witness, outcome) = witnessed(&plan, 0);
    let told = |news| Observation::Region { region: 0, news };
    let unhealthy = witness.times(|one| *one == told(RegionNews::Unhealthy));
    // Three failures of a check each 10 s, and the time-out.
    assert!((24.0..=34.0).contains(&(unhealthy[0].as_secs() - LOST)), "{unhealthy:?}");
    let east = witness.failed.iter().filter(|(sent, ..)| sent.api == 0);
    let mut count = 0;
    for (sent, end, how) in east {
        let expected =
            if sent.at < at(LOST) { Failure::LostWithIngress } else { Failure::IngressDown };
        assert_eq!(*how, expected, "sent at {}, over at {end}", sent.at);
        count += 1;
    }
    // Half of 30/s, for 29 s of detection and half a minute of the TTL.
    assert!((600..1_200).contains(&count), "{count}");
    assert!(witness.failed.iter().all(|(sent, ..)| sent.api == 0), "the other one serves all");
    let served = witness.served.iter().filter(|served| served.api == 0);
    assert!(served.clone().count() > 1_000 && served.clone().all(|one| one.sent < at(LOST)));
    // Nothing of its replicas is lost, and requests are answered again when clients are away.
    let incident = &outcome.incidents[0];
    assert_eq!((incident.taken, incident.missing), (0, 0), "{incident:?}");
    assert!(incident.failover.as_ref().is_some_and(|course| course.is_left));
    assert!(incident.answers_after().is_some_and(|rto| rto > secs(50.0) && rto < secs(95.0)));
}

#[test]
fn all_instances_are_back_at_once_and_the_fault_ends_once() {
    let plan = without_ingress(Law::Constant(secs(60.0)), 400.0);
    let (witness, outcome) = witnessed(&plan, 1);
    let ended = witness.times(|one| matches!(one, Observation::FaultEnded { .. }));
    assert_eq!(ended, [at(LOST + 60.0)]);
    let late = |sent: &&_| *sent >= &at(LOST + 60.0);
    assert_eq!(witness.failed.iter().map(|(sent, ..)| &sent.at).filter(late).count(), 0);
    let served = witness.served.iter().filter(|one| one.api == 0);
    assert!(served.map(|one| &one.sent).filter(late).count() > 1_000);
    assert!(outcome.ledger.balances() && outcome.incidents[0].recovery().is_some());
}

#[test]
fn at_random_it_has_one_clock_whatever_the_number_of_instances() {
    let mut plan = gateway(0.05, 20_000.0);
    plan.ingress.instances = vec![None; 5];
    let all = Fault::IngressLoss(InstanceTarget::All, Law::Constant(secs(1.0)));
    plan.faults = vec![fault(all, LOST)];
    plan.faults[0].schedule = Schedule::Random(Law::Constant(secs(99.0)));
    assert_eq!(witnessed(&plan, 0).1.faults[0].injected, 200);
    let any = Fault::IngressLoss(InstanceTarget::Any, Law::Constant(secs(1.0)));
    plan.faults[0].fault = any;
    assert_eq!(witnessed(&plan, 0).1.faults[0].injected, 1_000);
}

#[test]
fn a_region_that_returns_ends_its_fault_once() {
    let mut plan = gateway(0.3, 300.0);
    plan.faults = vec![fault(Fault::RegionOutage(Law::Constant(secs(60.0))), LOST)];
    let plan = regions(plan, &[RegionRole::Active, RegionRole::Active], &[Some(0)]);
    let (witness, _) = witnessed(&plan, 0);
    let ended = witness.times(|one| matches!(one, Observation::FaultEnded { .. }));
    assert_eq!(ended, [at(LOST + 60.0)]);
}
