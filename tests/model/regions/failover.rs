//! When the loss of a region is found out, when clients are elsewhere, and what is lost meanwhile.

use super::{check, gateway, hours, manager, regions};
use crate::common::troubles::fault;
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, secs};
use brownout::observe::{Observation, RegionNews, Sent};
use brownout::plan::{
    Asks, Failback, Fault, Plan, RegionCheck, RegionRole, ReplicaTarget, RoundTrip, Routing,
};
use brownout::random::Law;
use brownout::units::{Instant, Share};

const LOST_AT: f64 = 100.0;

fn lost_region(roles: &[RegionRole], busy: f64, horizon: f64) -> Plan {
    let mut plan = gateway(busy, horizon);
    plan.faults.push(fault(Fault::RegionOutage(Law::Constant(hours(10.0))), LOST_AT));
    regions(plan, roles, &[Some(0)])
}

fn news(witness: &Witness, of: usize, what: RegionNews) -> Option<f64> {
    let told =
        |observation: &Observation| *observation == Observation::Region { region: of, news: what };
    witness.times(told).first().map(|at| at.as_secs() - LOST_AT)
}

/// The greatest distance of a sample from the uniform law on an interval, times the root of its
/// size (Kolmogorov and Smirnov): above 1.63 in one of a hundred samples.
fn distance(mut sample: Vec<f64>, (low, high): (f64, f64)) -> f64 {
    sample.sort_by(f64::total_cmp);
    let count = sample.len() as f64;
    let away = |(index, value): (usize, &f64)| {
        let share = (value - low) / (high - low);
        (share - index as f64 / count).abs().max((share - (index + 1) as f64 / count).abs())
    };
    sample.iter().enumerate().map(away).fold(0.0, f64::max) * count.sqrt()
}

#[test]
fn a_loss_is_found_out_between_one_interval_less_than_the_threshold_and_the_threshold() {
    let plan = lost_region(&[RegionRole::Active, RegionRole::Active], 0.05, 140.0);
    let found = |replication| {
        let (witness, _) = witnessed(&plan, replication);
        news(&witness, 0, RegionNews::Unhealthy).expect("three failures in 34 s")
    };
    let found: Vec<f64> = (0..300).map(found).collect();
    // Uniform over ((k − 1)·I, k·I), and the time-out.
    let distance = distance(found, (24.0, 34.0));
    assert!(distance < 1.63, "{distance}");
}

#[test]
fn of_resolvers_with_uniform_ages_the_share_that_has_not_expired_still_sends() {
    let mut plan = lost_region(&[RegionRole::Active, RegionRole::Active], 0.05, 260.0);
    manager(&mut plan).routing = Routing::Dns {
        ttl: secs(60.0),
        stragglers: Share(0.2),
        overtime: Law::Constant(secs(30.0)),
        connections: Law::Constant(secs(20.0)),
    };
    // How many of the groups that sent to it, half of all, have left after so long.
    let mut left = [0_usize; 4];
    let after = [15.0, 30.0, 45.0, 75.0];
    let (seeds, groups) = (40, 500);
    for replication in 0..seeds {
        let (witness, _) = witnessed(&plan, replication);
        let moved = witness.times(|told| matches!(told, Observation::ClientsMoved { to: 1, .. }));
        assert_eq!(moved.len(), groups);
        let withdrawn = news(&witness, 0, RegionNews::Withdrawn).unwrap();
        for (left, after) in left.iter_mut().zip(after) {
            let by = at(LOST_AT + withdrawn + after);
            *left += moved.iter().filter(|moved| **moved <= by).count();
        }
    }
    // Connections to what is lost are broken, so they hold nobody.
    let expected = |after: f64| {
        let expired = |after: f64| (after / 60.0).clamp(0.0, 1.0);
        0.8 * expired(after) + 0.2 * expired(after - 30.0)
    };
    for (left, after) in left.into_iter().zip(after) {
        let (share, wanted) = (left as f64 / (seeds as usize * groups) as f64, expected(after));
        // Four standard errors.
        let error = 4.0 * (wanted * (1.0 - wanted) / (seeds as usize * groups) as f64).sqrt();
        assert!((share - wanted).abs() < error.max(1e-9), "{after}: {share}, not {wanted}");
    }
}

#[test]
fn what_is_lost_is_the_rate_of_the_region_until_its_clients_are_away() {
    let plan = lost_region(&[RegionRole::Active, RegionRole::Active], 0.3, 220.0);
    let lost = |replication| witnessed(&plan, replication).1.windows[0].ledger.failed() as f64;
    let seeds = 60;
    let lost: Vec<f64> = (0..seeds).map(lost).collect();
    let mean = lost.iter().sum::<f64>() / seeds as f64;
    // Half of 30/s, for the detection of 29 s in the mean and half of the TTL.
    let expected = 15.0 * (29.0 + 30.0);
    // Of the detection ± 2.9 s, of the requests √λt: four standard errors of the mean.
    let error = 4.0 * ((15.0_f64 * 2.89).powi(2) + expected).sqrt() / (seeds as f64).sqrt();
    assert!((mean - expected).abs() < error, "{mean}, not {expected} ± {error}");
}

#[test]
fn survivors_of_active_regions_carry_what_the_lost_one_did() {
    let mut plan = lost_region(&[RegionRole::Active; 3], 0.9, 400.0);
    manager(&mut plan).routing = Routing::AtOnce(Law::Constant(secs(1.0)));
    let (witness, _) = witnessed(&plan, 0);
    let in_time = |from: f64, to: f64| move |sent: &Instant| (at(from)..at(to)).contains(sent);
    let to = |region: u32, within: &dyn Fn(&Instant) -> bool| {
        let sent = witness.offered.iter().filter(|sent| sent.api == region);
        sent.filter(|sent| within(&sent.at)).count() as f64
    };
    // 90/s in all: 30/s each, then 45/s, or R/(R − 1) of it.
    for region in [1, 2] {
        let before = to(region, &in_time(0.0, 100.0)) / 100.0;
        let after = to(region, &in_time(150.0, 400.0)) / 250.0;
        assert!((before - 30.0).abs() < 4.0 * (30.0_f64 / 100.0).sqrt(), "{before}");
        assert!((after - 45.0).abs() < 4.0 * (45.0_f64 / 250.0).sqrt(), "{after}");
    }
    assert_eq!(to(0, &in_time(150.0, 400.0)), 0.0);
}

#[test]
fn a_standby_serves_while_no_active_region_does() {
    let plan = lost_region(&[RegionRole::Active, RegionRole::Standby], 0.3, 400.0);
    let (witness, outcome) = witnessed(&plan, 3);
    let early = witness.offered.iter().filter(|sent| sent.at < at(LOST_AT));
    assert!(early.map(|sent| sent.api).all(|region| region == 0));
    let late = witness.offered.iter().filter(|sent| sent.at > at(LOST_AT + 34.0 + 60.0));
    let late: Vec<u32> = late.map(|sent| sent.api).collect();
    assert!(late.len() > 5_000 && late.iter().all(|region| *region == 1));
    assert!(outcome.incidents[0].recovery().is_some());
}

fn cold(control_plane: bool) -> (Witness, f64) {
    let mut plan = gateway(0.3, 900.0);
    plan.startup.contracts = Some(crate::regions::contracts());
    plan.faults.push(fault(Fault::RegionOutage(Law::Constant(hours(10.0))), LOST_AT));
    let mut plan = regions(plan, &[RegionRole::Active, RegionRole::Cold], &[Some(0)]);
    if control_plane {
        plan.regions.as_mut().unwrap().control_plane = Some((0, Law::Constant(hours(72.0))));
    }
    let (witness, outcome) = witnessed(&plan, 1);
    let last = &outcome.timeline.expect("it is kept").total;
    let served = last.iter().rev().take(60).map(|row| row.served).sum::<u64>();
    (witness, served as f64 / 60.0)
}

#[test]
fn a_cold_standby_is_deployed_by_a_control_plane_that_is_there_and_by_no_other() {
    let (witness, served) = cold(false);
    assert!(news(&witness, 1, RegionNews::Deployed).unwrap() < 34.0);
    // 30/s, for a minute.
    assert!((served - 30.0).abs() < 4.0 * (30.0_f64 / 60.0).sqrt(), "{served}");
    let (witness, served) = cold(true);
    assert_eq!((news(&witness, 1, RegionNews::Deployed), served), (None, 0.0));
}

#[test]
fn clients_go_back_after_the_region_was_healthy_for_long_enough() {
    let mut plan = gateway(0.2, 600.0);
    plan.faults.push(fault(Fault::RegionOutage(Law::Constant(secs(60.0))), LOST_AT));
    let mut plan = regions(plan, &[RegionRole::Active, RegionRole::Standby], &[Some(0)]);
    manager(&mut plan).failback = Failback::After(Law::Constant(secs(120.0)));
    let (witness, _) = witnessed(&plan, 0);
    let healthy = news(&witness, 0, RegionNews::Healthy).unwrap();
    let given = news(&witness, 0, RegionNews::Given).unwrap();
    assert!(healthy > 60.0 && (given - healthy - 120.0).abs() < 1e-6, "{healthy}, {given}");
    let last = witness.offered.iter().filter(|sent| sent.at > at(LOST_AT + given + 60.0));
    let last: Vec<u32> = last.map(|sent| sent.api).collect();
    assert!(last.len() > 1_000 && last.iter().all(|region| *region == 0));
}

#[test]
fn a_manager_that_is_frozen_leads_nobody_away() {
    let mut plan = gateway(0.2, 300.0);
    plan.faults.push(fault(Fault::RegionOutage(Law::Constant(hours(10.0))), LOST_AT));
    plan.faults.push(fault(Fault::ManagerFrozen(Law::Constant(secs(100.0))), 90.0));
    let plan = regions(plan, &[RegionRole::Active, RegionRole::Active], &[Some(0), None]);
    let (witness, _) = witnessed(&plan, 0);
    assert!(news(&witness, 0, RegionNews::Unhealthy).unwrap() < 34.0);
    // It holds from the end of that on.
    assert_eq!(news(&witness, 0, RegionNews::Withdrawn), Some(90.0));
}

#[test]
fn a_planned_failover_loses_nothing() {
    let mut plan = gateway(0.2, 400.0);
    plan.faults.push(fault(Fault::PlannedFailover(Law::Constant(secs(200.0))), LOST_AT));
    let plan = regions(plan, &[RegionRole::Active, RegionRole::Standby], &[Some(0)]);
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(outcome.ledger.failed(), 0);
    let there = |sent: &&Sent| (at(LOST_AT + 60.0)..at(LOST_AT + 200.0)).contains(&sent.at);
    let regions: Vec<u32> = witness.offered.iter().filter(there).map(|sent| sent.api).collect();
    assert!(regions.len() > 2_000 && regions.iter().all(|region| *region == 1));
}

#[test]
fn a_check_of_the_ingress_never_notices_that_nothing_behind_it_works() {
    let found = |asks, detail: Fault| {
        let mut plan = gateway(0.2, 400.0);
        plan.faults.push(fault(detail, LOST_AT));
        let mut plan = regions(plan, &[RegionRole::Active, RegionRole::Active], &[Some(0)]);
        manager(&mut plan).check = Some(RegionCheck { asks, ..check() });
        news(&witnessed(&plan, 0).0, 0, RegionNews::Unhealthy).is_some()
    };
    // Both replicas hang, so that none is in rotation until they are restarted.
    let hang = || Fault::ReplicaHang(ReplicaTarget::All);
    assert!(!found(Asks::Ingress, hang()));
    assert!(found(Asks::Replica, hang()));
    // At a two-hundredth of its CPU a replica answers nobody in time.
    let slow = || Fault::ReplicaSlow(ReplicaTarget::All, Share(0.005), Law::Constant(hours(1.0)));
    assert!(!found(Asks::Ingress, slow()));
    assert!(found(Asks::Api, slow()));
}

#[test]
fn a_connection_to_a_region_that_works_is_used_to_its_end() {
    let mut plan = gateway(0.2, 500.0);
    plan.faults.push(fault(Fault::PlannedFailover(Law::Constant(hours(1.0))), LOST_AT));
    let mut plan = regions(plan, &[RegionRole::Active, RegionRole::Standby], &[Some(0)]);
    manager(&mut plan).routing = Routing::Dns {
        ttl: secs(30.0),
        stragglers: Share::ZERO,
        overtime: Law::ZERO,
        connections: Law::Constant(secs(200.0)),
    };
    let (witness, _) = witnessed(&plan, 0);
    let moved = witness.times(|told| matches!(told, Observation::ClientsMoved { to: 1, .. }));
    assert_eq!(moved.len(), 1_000);
    let early = |moved: &Instant| *moved < at(LOST_AT + 200.0);
    let late = |moved: &Instant| *moved > at(LOST_AT + 230.0);
    assert!(!moved.iter().any(|moved| early(moved) || late(moved)));
}

#[test]
fn clients_that_come_from_another_region_have_a_longer_way() {
    let mut plan = gateway(0.2, 500.0);
    plan.gateway.demand = Law::Constant(secs(0.001));
    plan.faults.push(fault(Fault::PlannedFailover(Law::Constant(hours(1.0))), LOST_AT));
    let mut plan = regions(plan, &[RegionRole::Active, RegionRole::Active], &[Some(0)]);
    let round_trip = RoundTrip { own: secs(0.02), others: secs(0.08) };
    plan.regions.as_mut().unwrap().all[1].round_trip = round_trip;
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!((outcome.ledger.failed(), outcome.ledger.in_flight), (0, 0));
    // So long are the ways of those that are sent to a region in a time, in milliseconds.
    let ways = |region: usize, from: f64, to: f64| -> Vec<u64> {
        let served = witness.served_in_time().filter(|one| one.api as usize == region);
        let within = served.filter(|one| (at(from)..at(to)).contains(&one.sent));
        within.map(|one| one.finished.since(one.sent).0 / 1_000_000).collect()
    };
    let share = |ways: &[u64], from: u64| {
        ways.iter().filter(|way| (from..from + 19).contains(way)).count() as f64 / ways.len() as f64
    };
    assert_eq!(share(&ways(0, 0.0, LOST_AT), 0), 1.0, "it is beside its clients");
    assert_eq!(share(&ways(1, 0.0, LOST_AT), 20), 1.0, "these are at home");
    // Half of the clients have come from the other region.
    let after = ways(1, LOST_AT + 70.0, 490.0);
    let (own, others) = (share(&after, 20), share(&after, 80));
    assert!((own + others - 1.0).abs() < 1e-9, "{own} and {others}");
    let error = (0.25 / after.len() as f64).sqrt();
    assert!((others - 0.5).abs() < 4.0 * error, "{others} of {}", after.len());
}
