//! Replicas, zones and the even spread of traffic over them.

use brownout::observe::Observation;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Span;

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{Sample, evenly, fault, random, rotated, taken, warm_start};

/// Zones of the replicas in rotation after each fact, with its time.
fn zones_in_rotation(witness: &Witness) -> Vec<(brownout::units::Instant, Vec<usize>)> {
    let (mut zone_of, mut rotation) = (Vec::new(), Vec::new());
    let mut history = Vec::new();
    for (at, fact) in &witness.facts {
        match fact {
            Observation::Created { zone, .. } => zone_of.push(*zone),
            Observation::JoinedRotation { replica } => rotation.push(*replica),
            Observation::LeftRotation { replica } => rotation.retain(|other| other != replica),
            _ => continue,
        }
        let mut zones: Vec<usize> = rotation.iter().map(|replica| zone_of[*replica]).collect();
        zones.sort_unstable();
        history.push((*at, zones));
    }
    history
}

#[test]
fn property_1_outside_failures_all_replicas_are_ready_in_zones_of_their_own() {
    for replicas in [2, 3] {
        let mut plan = plan(replicas, 20.0, 3_000.0);
        warm_start(&mut plan, (2.0, 6.0));
        let crash = Fault::ReplicaCrash(ReplicaTarget::Any);
        plan.faults = vec![random("crash", crash, Law::Exponential(secs(200.0)))];
        let (witness, outcome) = witnessed(&plan, 0);
        assert!(outcome.incidents.len() > 10);
        let failing = |at| {
            let over = |incident: &&brownout::observe::incident::Incident| {
                incident.at <= at && incident.restored.is_none_or(|restored| at < restored)
            };
            outcome.incidents.iter().any(|incident| over(&incident))
        };
        let whole: Vec<usize> = (0..replicas).collect();
        let start = brownout::units::Instant::ZERO;
        for (at, zones) in zones_in_rotation(&witness) {
            assert!(at == start || failing(at) || zones == whole, "{zones:?} at {at}");
        }
        let least = 1.0 - outcome.incidents.len() as f64 * 17.0 / 3_000.0;
        let full = outcome.time_with_serving[replicas].as_secs() / 3_000.0;
        assert!(full > least, "complete for {full} of the time");
    }
}

#[test]
fn property_3_a_zone_outage_leaves_the_others_with_all_the_load() {
    for (replicas, zones, left) in [(2, 2, 1), (3, 3, 2), (4, 2, 2), (6, 3, 4)] {
        let mut plan = plan(replicas, 120.0, 300.0);
        plan.topology.zones.truncate(zones);
        plan.topology.placement = (0..replicas).map(|slot| slot % zones).collect();
        plan.faults = vec![fault(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e4))), 100.0)];
        evenly(&mut plan);
        let (witness, outcome) = witnessed(&plan, 0);
        assert_eq!(outcome.incidents[0].serving_least, left);
        assert_eq!(zones_in_rotation(&witness).last().map(|(_, zones)| zones.len()), Some(left));
        for replica in (0..replicas).filter(|replica| replica % zones > 0) {
            let share = 120.0 / left as f64 * 100.0;
            let count = taken(&witness, replica, 200.0, 300.0);
            assert!((count as f64 - share).abs() <= 1.0, "{count}, not {share}");
        }
    }
}

#[test]
fn property_6_round_robin_counts_differ_by_at_most_one_for_each_ingress_instance() {
    for (instances, replicas) in [(1, 2), (1, 3), (3, 3), (4, 5)] {
        let mut plan = plan(replicas, 900.0, 20.0);
        plan.ingress.instances = vec![None; instances];
        let (witness, _) = witnessed(&plan, 0);
        let mut taken: Vec<_> =
            witness.served.iter().map(|request| (request.arrived, request.replica)).collect();
        taken.sort_unstable();
        for (one, other) in (0..replicas).flat_map(|one| (0..one).map(move |other| (one, other))) {
            let (mut lead, mut least, mut most) = (0_i64, 0, 0);
            for (_, replica) in &taken {
                lead += i64::from(*replica == one) - i64::from(*replica == other);
                (least, most) = (least.min(lead), most.max(lead));
            }
            assert!(most - least <= instances as i64, "{one} and {other}: {least} to {most}");
        }
    }
}

#[test]
fn property_7_zones_get_equal_shares_whatever_their_number_of_replicas() {
    let mut plan = plan(3, 900.0, 20.0);
    plan.topology.zones.truncate(2);
    plan.topology.placement = vec![0, 0, 1];
    plan.ingress.balancing = Balancing::ZoneThenReplica;
    let (witness, outcome) = witnessed(&plan, 0);
    let total = outcome.ledger.offered as f64;
    for (replica, share) in [0.25, 0.25, 0.5].into_iter().enumerate() {
        let count = taken(&witness, replica, 0.0, 20.0) as f64;
        assert!((count - share * total).abs() <= 1.0, "{count} of {total}, not {share}");
    }
}

#[test]
fn property_8_connections_spread_as_a_multinomial_sample() {
    let (connections, replicas, count) = (20.0, 3, 1_500);
    let mut plan = plan(replicas, 400.0, 5.0);
    plan.ingress.balancing =
        Balancing::PerConnection { connections: 20, requests: None, idle_check: secs(2.0) };
    plan.ingress.read_timeout = Span::MAX;
    plan.gateway.demand = Law::Constant(secs(1e-5));
    let requests = 400.0 * 5.0;
    let shares = Sample::of(count, |replication| {
        let (witness, outcome) = witnessed(&plan, replication);
        taken(&witness, 0, 0.0, 5.0) as f64 / outcome.ledger.offered as f64
    });
    let share = 1.0 / replicas as f64;
    shares.expect_mean(share, 0.004);
    // Connections draw a replica each; requests then draw a connection each.
    let among_connections = share * (1.0 - share) / connections;
    let expected = among_connections + (share * (1.0 - share) - among_connections) / requests;
    let error = expected * (2.0 / (count - 1) as f64).sqrt();
    assert!((shares.variance() - expected).abs() <= 4.0 * error, "{}", shares.variance());
}

#[test]
fn a_replacement_joins_before_the_end_and_nothing_moves_back_after_a_zone_returns() {
    let mut plan = plan(2, 50.0, 900.0);
    warm_start(&mut plan, (2.0, 6.0));
    plan.faults = vec![fault(Fault::ZoneOutage(Some(0), Law::Constant(secs(500.0))), 100.0)];
    let (witness, _) = witnessed(&plan, 0);
    let joined = rotated(&witness, 2, true).expect("a replacement");
    assert!(joined < at(500.0), "{joined}");
    assert_eq!(
        zones_in_rotation(&witness).last().map(|(_, zones)| zones.clone()),
        Some(vec![1, 1])
    );
}
