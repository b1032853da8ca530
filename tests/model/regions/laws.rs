//! What holds of regions whatever happens to them.

use super::{gateway, regions};
use crate::common::troubles::{named, rates};
use crate::common::witness::witnessed;
use crate::common::{replicate, secs};
use brownout::observe::outcome::CpuUse;
use brownout::plan::{Fault, RegionRole, ReplicaTarget, Scatter};
use brownout::random::Law;

#[test]
fn one_region_is_what_it_is_without_a_region() {
    let mut plan = gateway(0.6, 300.0);
    plan.faults.push(named("crash", Fault::ReplicaCrash(ReplicaTarget::Any), 100.0));
    let alone = replicate(&plan, 0);
    let mut together = replicate(&regions(plan, &[RegionRole::Active], &[Some(0)]), 0);
    together.digest = alone.digest;
    // Its name is told with that of the region.
    together.incidents[0].subject.clone_from(&alone.incidents[0].subject);
    assert!(together.incidents[0].failover.take().is_some_and(|course| course.clients == 1.0));
    assert_eq!(alone, together);
}

#[test]
fn every_request_goes_to_one_region_and_ends_once() {
    let mut plan = gateway(0.7, 400.0);
    plan.traffic = rates(Scatter::Poisson, &[(0.0, 60.0), (200.0, 120.0), (400.0, 40.0)]);
    let outage = |at| named("outage", Fault::RegionOutage(Law::Exponential(secs(60.0))), at);
    plan.faults.push(outage(80.0));
    plan.faults.push(named("zone", Fault::ZoneOutage(None, Law::Exponential(secs(40.0))), 120.0));
    plan.faults.push(named("crash", Fault::ReplicaCrash(ReplicaTarget::Any), 130.0));
    plan.faults.push(named("frozen", Fault::ManagerFrozen(Law::Exponential(secs(50.0))), 90.0));
    let struck = [Some(0), Some(1), Some(2), None];
    let plan =
        regions(plan, &[RegionRole::Active, RegionRole::Active, RegionRole::Standby], &struck);
    for replication in 0..20 {
        // The ledger is checked by whoever records; here every single request is.
        let (witness, outcome) = witnessed(&plan, replication);
        let mut ended: Vec<_> = witness.served_in_time().map(|served| served.request()).collect();
        ended.extend(witness.failed.iter().map(|(sent, ..)| *sent));
        ended.extend(&witness.in_flight);
        ended.sort_unstable();
        let mut offered = witness.offered.clone();
        offered.sort_unstable();
        assert_eq!(offered, ended);
        assert_eq!(outcome.ledger.offered as usize, offered.len());
        assert_eq!(outcome.digest, replicate(&plan, replication).digest);
    }
}

#[test]
fn the_cpu_that_regions_use_adds_up_to_that_of_all() {
    let mut plan = gateway(0.7, 400.0);
    let outage = named("outage", Fault::RegionOutage(Law::Constant(secs(60.0))), 80.0);
    plan.faults.push(outage);
    plan.faults.push(named("crash", Fault::ReplicaCrash(ReplicaTarget::Any), 200.0));
    let roles = [RegionRole::Active, RegionRole::Active, RegionRole::Standby];
    let mut plan = regions(plan, &roles, &[Some(0), Some(1)]);
    // One with other machines than the rest.
    plan.regions.as_mut().unwrap().all[1].gateway.gateway.cores.0 *= 2.0;
    for replication in 0..5 {
        let outcome = replicate(&plan, replication);
        let of = |what: fn(&CpuUse) -> f64| outcome.cpu_by_region.iter().map(what).sum::<f64>();
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9 * other;
        assert_eq!(outcome.cpu_by_region.len(), 3);
        assert!(near(of(|cpu| cpu.busy), outcome.busy_secs), "{outcome:?}");
        assert!(near(of(|cpu| cpu.capacity), outcome.capacity_secs), "{outcome:?}");
        // Each of the active ones works, the one that is lost for less; the standby has CPU.
        let [lost, stays, standby] = outcome.cpu_by_region[..] else { unreachable!() };
        assert!(0.0 < lost.busy && lost.busy < stays.busy && standby.capacity > 0.0);
        assert!(stays.capacity > lost.capacity, "of twice the cores, and never lost");
    }
}

#[test]
fn a_region_works_on_requests_by_a_law_of_its_own() {
    let mut plan = regions(gateway(0.2, 300.0), &[RegionRole::Active; 2], &[]);
    // The first differs from what the plan of all says; the other does not.
    let all = &mut plan.regions.as_mut().unwrap().all;
    all[0].gateway.gateway.demand = Law::Constant(secs(0.005));
    let (witness, _) = witnessed(&plan, 0);
    let of = |region| witness.served.iter().filter(move |served| served.api == region);
    assert!(of(0).count() > 1_000 && of(0).all(|served| served.demand == 5e6));
    // Exponential with a mean of 20 ms: four standard errors.
    let (count, sum) = of(1).fold((0.0, 0.0), |sum, one| (sum.0 + 1.0, sum.1 + one.demand / 1e6));
    let mean: f32 = sum / count;
    assert!((mean - 20.0).abs() < 4.0 * 20.0 / f32::sqrt(count), "{mean} over {count}");
}
