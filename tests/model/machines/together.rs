//! Faults that strike together, or one after the other: one clock for all of them, a delay of each
//! one's own, and the same zone where that is asked for.

use brownout::observe::Observation;
use brownout::observe::incident::Incident;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Share;

use super::starting_within;
use crate::common::troubles::{named, random};
use crate::common::witness::witnessed;
use crate::common::{at, secs};

/// A fault that follows another one.
fn after(fault: usize, delay: Law, same_zone: bool, name: &str, what: Fault) -> FaultPlan {
    let schedule = Schedule::After(Followed { fault, delay, same_zone });
    FaultPlan { schedule, ..named(name, what, 0.0) }
}

fn lasting(seconds: f64) -> Law {
    Law::Constant(secs(seconds))
}

/// Three replicas in three zones on two machines each, where more can be had after ten seconds.
fn three_zones(horizon: f64) -> Plan {
    let mut plan = starting_within(3, 5.0, horizon);
    (plan.nodes.per_zone, plan.nodes.provisioning) = (Some(1), Some(lasting(10.0)));
    plan.traffic = crate::common::poisson(0.1);
    plan
}

/// The incidents of a fault.
fn incidents(plan: &Plan, replication: u64, fault: usize) -> Vec<Incident> {
    let incidents = witnessed(plan, replication).1.incidents;
    incidents.into_iter().filter(|one| one.fault == fault).collect()
}

#[test]
fn zones_that_fail_at_random_take_launches_and_the_api_server_along_each_time() {
    let mut plan = three_zones(12_000.0);
    let zones = Fault::ZoneOutage(None, Law::uniform_secs(10.0, 90.0));
    plan.faults = vec![
        after(1, Law::ZERO, true, "launches", Fault::ProvisioningOutage(None, lasting(60.0))),
        random("zones", zones, Law::Exponential(secs(3_000.0))),
        after(1, Law::ZERO, false, "api", Fault::ApiServerOutage(lasting(20.0))),
    ];
    let mut struck = [0; 3];
    for replication in 0..5 {
        let [launches, zones, api] = [0, 1, 2].map(|fault| incidents(&plan, replication, fault));
        let times = |of: &[Incident]| of.iter().map(|one| one.at).collect::<Vec<_>>();
        assert_eq!(times(&launches), times(&zones), "one clock for both");
        assert_eq!(times(&api), times(&zones), "and for all three");
        for (launch, zone) in launches.iter().zip(&zones) {
            let wanted = format!("the supply of new nodes in {}", zone.subject);
            assert_eq!(launch.subject, wanted);
            struck[["zone a", "zone b", "zone c"]
                .iter()
                .position(|z| *z == zone.subject)
                .unwrap()] += 1;
        }
        // What is random of the zones is as without those that follow them.
        let alone = Plan { faults: vec![plan.faults[1].clone()], ..plan.clone() };
        assert_eq!(times(&incidents(&alone, replication, 0)), times(&zones));
    }
    assert!(struck.iter().all(|count| *count > 3), "{struck:?}");
}

#[test]
fn a_fault_follows_one_that_follows_another_and_each_takes_its_time() {
    let mut plan = three_zones(1_500.0);
    let part = Fault::PartialOutage(Some(1), Share::ONE, lasting(900.0));
    let delay = Law::uniform_secs(100.0, 200.0);
    plan.faults = vec![
        named("zone", part, 500.0),
        after(0, lasting(300.0), true, "launches", Fault::ProvisioningOutage(None, lasting(60.0))),
        after(1, delay, false, "crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0))),
    ];
    let mut delays = Vec::new();
    for replication in 0..20 {
        let [launches, crash] = [1, 2].map(|fault| incidents(&plan, replication, fault));
        let [launch] = &launches[..] else { panic!("it is injected once") };
        assert_eq!((launch.at, launch.restored), (at(800.0), Some(at(860.0))));
        assert_eq!(launch.subject, "the supply of new nodes in zone b");
        let [crash] = &crash[..] else { panic!("it is injected once") };
        delays.push(crash.at.since(launch.at).as_secs());
    }
    // U(100, 200): a mean of 150 with a standard error of 28.9 / √20.
    assert!(delays.iter().all(|delay| (100.0..200.0).contains(delay)), "{delays:?}");
    let mean = delays.iter().sum::<f64>() / 20.0;
    assert!((mean - 150.0).abs() < 4.0 * 28.9 / 20.0_f64.sqrt(), "{mean}");
}

#[test]
fn nothing_follows_what_struck_nothing() {
    let mut plan = starting_within(1, 500.0, 1_000.0);
    plan.faults = vec![
        named("first", Fault::ReplicaCrash(ReplicaTarget::Any), 100.0),
        named("second", Fault::ReplicaCrash(ReplicaTarget::Any), 200.0),
        after(1, Law::ZERO, false, "metrics", Fault::ControlPlaneOutage(lasting(60.0))),
    ];
    let (witness, outcome) = witnessed(&plan, 0);
    let missed = witness.times(|fact| matches!(fact, Observation::FaultMissed { fault: 1, .. }));
    assert_eq!(missed, [at(200.0)], "nobody was left to crash");
    assert!(outcome.incidents.iter().all(|one| one.fault == 0));
}

#[test]
fn replicas_of_the_same_zone_are_struck_and_no_others() {
    let mut plan = three_zones(1_000.0);
    let part = Fault::PartialOutage(Some(2), Share(0.001), lasting(1.0));
    plan.nodes.per_zone = Some(3);
    plan.topology.placement = vec![2, 2, 0];
    let hang = Fault::ReplicaHang(ReplicaTarget::All);
    plan.faults = vec![named("part", part, 100.0), after(0, Law::ZERO, true, "hang", hang)];
    let [hang] = &incidents(&plan, 0, 1)[..] else { panic!("it is injected once") };
    // One of the two of zone c is gone with its machine.
    assert_eq!(hang.subject, "replica c-2");
}

#[test]
fn without_launches_anywhere_a_lost_zone_is_not_made_up_for_until_they_are_back() {
    let ready_again = |launches: Option<f64>| {
        let mut plan = three_zones(4_000.0);
        (plan.detection.toleration, plan.nodes.eviction.every) = (secs(60.0), secs(1.0));
        plan.faults = vec![named("zone", Fault::ZoneOutage(Some(0), lasting(3_000.0)), 100.0)];
        plan.faults.extend(launches.map(|lasts| {
            let supply = Fault::ProvisioningOutage(None, lasting(lasts));
            after(0, lasting(10.0), false, "launches", supply)
        }));
        let redundancy = incidents(&plan, 0, 0)[0].restored.expect("replaced elsewhere");
        redundancy.as_secs()
    };
    let usual = ready_again(None);
    // Not ready after 40 to 55 s, given up a minute later, a machine in 10 s, ready in 5.
    assert!((215.0..=235.0).contains(&usual), "{usual}");
    // Launches are back 1 010 s after the loss of the zone.
    assert_eq!(ready_again(Some(1_000.0)), 100.0 + 10.0 + 1_000.0 + 10.0 + 5.0);
}
