//! Laws of several regions, each a gateway of its own among others, whatever happens to them.

use super::plans::any_plan;
use super::{ledger_of, serving_times};
use crate::common::troubles::named;
use crate::common::witness::witnessed;
use crate::common::{replicate, secs};
use brownout::plan::{
    AllUnhealthy, Asks, Failback, Fault, Plan, Population, RegionCheck, RegionPlan, RegionRole,
    Regions, RoundTrip, Routing, Steering, TrafficManager,
};
use brownout::random::Law;
use brownout::units::Share;
use proptest::prelude::*;

fn any_routing() -> impl Strategy<Value = Routing> {
    let dns =
        (0.0..60.0_f64, 0.0..0.3_f64, 0.0..30.0_f64).prop_map(|(ttl, late, kept)| Routing::Dns {
            ttl: secs(ttl),
            stragglers: Share(late),
            overtime: Law::Exponential(secs(20.0)),
            connections: Law::Exponential(secs(kept)),
        });
    prop_oneof![dns, (0.0..10.0_f64).prop_map(|takes| Routing::AtOnce(Law::Constant(secs(takes))))]
}

fn any_check() -> impl Strategy<Value = RegionCheck> {
    let asks = prop_oneof![Just(Asks::Ingress), Just(Asks::Replica), Just(Asks::Api)];
    (asks, 2.0..15.0_f64, 1..4_u32, 1..4_u32, 1..5_usize, 0.0..0.5_f64).prop_map(
        |(asks, interval, failures, successes, locations, quorum)| RegionCheck {
            asks,
            interval: secs(interval),
            timeout: secs(interval / 2.0),
            failures,
            successes,
            locations,
            quorum: Share(quorum),
        },
    )
}

fn any_manager() -> impl Strategy<Value = TrafficManager> {
    let failback = prop_oneof![
        Just(Failback::Never),
        (0.0..30.0_f64).prop_map(|after| Failback::After(Law::Constant(secs(after)))),
    ];
    let unhealthy = prop_oneof![Just(AllUnhealthy::All), Just(AllUnhealthy::Stay)];
    let check = prop::option::weighted(0.9, any_check());
    let parts = (any_routing(), check, 0.0..20.0_f64, failback, unhealthy, 1..60_usize);
    parts.prop_map(|(routing, check, decision, failback, unhealthy, groups)| TrafficManager {
        routing,
        check,
        decision: Law::Exponential(secs(decision)),
        failback,
        unhealthy,
        groups,
    })
}

/// Two or three regions like a plan of one gateway, with its faults in any of them, the loss of a
/// region, a fail-over on purpose and a traffic manager that stands still.
fn any_regions() -> impl Strategy<Value = Plan> {
    let open = any_plan().prop_filter("users would move with what they wait for", |plan| {
        !matches!(plan.dependencies.clients.population, Population::Closed { .. })
    });
    let role =
        || prop_oneof![Just(RegionRole::Active), Just(RegionRole::Standby), Just(RegionRole::Cold)];
    let others = prop::collection::vec((role(), 0.2..3.0_f64), 1..3);
    let steering = prop_oneof![Just(Steering::Weighted), Just(Steering::Nearest)];
    let home = prop::option::of(0..2_usize);
    (open, any_manager(), others, steering, home, any::<u64>()).prop_map(
        |(mut plan, manager, others, steering, home, pick)| {
            let count = others.len() + 1;
            let region = |(index, (role, weight)): (usize, (RegionRole, f64))| RegionPlan {
                name: format!("r{index}"),
                role,
                weight,
                round_trip: RoundTrip::default(),
                gateway: plan.clone(),
            };
            let roles = [(RegionRole::Active, 1.0)].into_iter().chain(others);
            let all = roles.enumerate().map(region).collect();
            let length = plan.run.horizon.as_secs();
            let lasts = || Law::Exponential(secs(length / 4.0));
            let control_plane = home.map(|home| (home, lasts()));
            let mut of_fault: Vec<Option<usize>> = (plan.faults.iter().enumerate())
                .map(|(index, _)| Some((pick >> (index % 60)) as usize % count))
                .collect();
            for (name, fault, at, region) in [
                ("region", Fault::RegionOutage(lasts()), 0.3, Some(pick as usize % count)),
                ("left", Fault::PlannedFailover(lasts()), 0.5, Some(0)),
                ("frozen", Fault::ManagerFrozen(lasts()), 0.4, None),
            ] {
                plan.faults.push(named(name, fault, at * length));
                of_fault.push(region);
            }
            let data_loss = secs(0.0);
            let regions = Regions { all, steering, manager, control_plane, data_loss, of_fault };
            Plan::of_regions(plan, regions)
        },
    )
}

/// Sixty plans, each of them several gateways.
fn few() -> ProptestConfig {
    ProptestConfig { cases: 60, ..super::config() }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn every_request_goes_to_one_region_and_has_one_outcome(plan in any_regions()) {
        let (witness, outcome) = witnessed(&plan, 0);
        prop_assert!(outcome.ledger.balances(), "{:?}", outcome.ledger);
        prop_assert_eq!(outcome.ledger, ledger_of(&witness, |_| true));
        let regions = plan.regions.as_ref().map_or(0, |regions| regions.all.len());
        prop_assert!(witness.offered.iter().all(|sent| (sent.api as usize) < regions));
        let mut times: Vec<_> = witness.offered.iter().map(|sent| sent.at).collect();
        times.sort_unstable();
        prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "one arrival is one request");
        // The time with each number of replicas, worked out from the facts of all regions.
        let end = outcome.ended.since(plan.run.warm_up);
        let served: u64 = outcome.time_with_serving.iter().map(|time| time.0).sum();
        prop_assert_eq!(served, end.0);
        prop_assert_eq!(&outcome.time_with_serving, &serving_times(&witness, plan.run.warm_up));
        prop_assert!(outcome.busy_secs <= outcome.capacity_secs * (1.0 + 1e-9));
        prop_assert_eq!(outcome.digest, replicate(&plan, 0).digest);
    }
}
