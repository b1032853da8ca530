//! Turns, draws and connections of the balancer.

use super::*;
use crate::plan::ZoneId;
use crate::units::SECOND;

/// Somebody who listens, and whose process is that of the beginning.
fn well(_: ReplicaId) -> Peer {
    Peer { process: 0, silent: false }
}

const NOW: Sender = Sender { at: 1_000, user: None, client: None };

fn per_connection(connections: usize, requests: Option<u32>) -> Balancing {
    Balancing::PerConnection { connections, requests, idle_check: Span(SECOND) }
}

fn balancer(rule: Balancing, instances: usize, zones: &[ZoneId]) -> Balancer {
    let count = zones.iter().max().map_or(1, |most| most + 1);
    let mut plan = Plan::neutral();
    plan.ingress.balancing = rule;
    plan.ingress.instances = vec![None; instances];
    plan.topology.zones = vec![String::new(); count];
    let mut balancer = Balancer::new(&plan, Seed { seed: 1, replication: 0 });
    for (replica, zone) in zones.iter().enumerate() {
        balancer.join(Instant::ZERO, Endpoint { slot: replica, replica, zone: *zone });
    }
    balancer
}

fn picks(balancer: &mut Balancer, instance: usize, count: usize) -> Vec<ReplicaId> {
    let seen = Seen::new(&Plan::neutral());
    (0..count).filter_map(|_| balancer.pick(&seen, instance, NOW, |_| 0, well)).collect()
}

#[test]
fn round_robin_is_a_strict_cycle() {
    let mut three = balancer(Balancing::RoundRobin, 1, &[0, 1, 2]);
    assert_eq!(picks(&mut three, 0, 7), [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn instances_begin_at_different_endpoints() {
    for rule in [Balancing::RoundRobin, Balancing::ZoneThenReplica] {
        let mut three = balancer(rule, 4, &[0, 1, 2]);
        three.begin();
        let seen = Seen::new(&Plan::neutral());
        let first = |instance| three.pick_endpoint(&seen, instance, NOW, |_| 0);
        let first: Vec<_> = (0..4).filter_map(first).collect();
        assert_eq!(first, [0, 1, 2, 0], "{rule:?}");
    }
}

#[test]
fn a_retry_meets_what_was_not_tried_and_spends_no_connection() {
    for rule in [
        Balancing::RoundRobin,
        Balancing::ZoneThenReplica,
        Balancing::Random,
        per_connection(1, Some(1_000)),
    ] {
        let mut three = balancer(rule, 1, &[0, 1, 2]);
        let seen = Seen::new(&Plan::neutral());
        let kept = three.pick(&seen, 0, NOW, |_| 0, well);
        for _ in 0..50 {
            assert_eq!(three.pick_untried(&seen, 0, |slot| slot != 1), Some(1), "{rule:?}");
        }
        assert_eq!(three.pick_untried(&seen, 0, |_| true), None);
        if let Balancing::PerConnection { .. } = rule {
            assert_eq!(picks(&mut three, 0, 999), vec![kept.unwrap(); 999]);
        }
    }
}

#[test]
fn the_turn_goes_on_when_an_endpoint_leaves_or_joins() {
    let mut three = balancer(Balancing::RoundRobin, 1, &[0, 1, 2]);
    assert_eq!(picks(&mut three, 0, 2), [0, 1]);
    three.leave(0);
    assert_eq!(picks(&mut three, 0, 3), [2, 1, 2]);
    three.join(Instant::ZERO, Endpoint { slot: 0, replica: 3, zone: 0 });
    assert_eq!(picks(&mut three, 0, 4), [3, 1, 2, 3]);
}

#[test]
fn property_7_zone_then_replica_gives_each_zone_its_share_even_if_zones_are_uneven() {
    let mut uneven = balancer(Balancing::ZoneThenReplica, 1, &[0, 0, 1]);
    assert_eq!(picks(&mut uneven, 0, 8), [0, 2, 1, 2, 0, 2, 1, 2]);
    uneven.leave(2);
    assert_eq!(picks(&mut uneven, 0, 4), [0, 1, 0, 1]);
}

#[test]
fn an_empty_rotation_gives_nobody() {
    for rule in [
        Balancing::RoundRobin,
        Balancing::ZoneThenReplica,
        Balancing::Random,
        per_connection(3, Some(2)),
    ] {
        let mut none = balancer(rule, 2, &[0]);
        none.leave(0);
        assert!(picks(&mut none, 1, 1).is_empty());
        none.join(Instant::ZERO, Endpoint { slot: 0, replica: 1, zone: 0 });
        assert_eq!(picks(&mut none, 1, 1), [1]);
    }
}

#[test]
fn a_connection_to_a_replica_that_left_opens_anew() {
    let rule = per_connection(20, None);
    let mut two = balancer(rule, 1, &[0, 1]);
    assert!(picks(&mut two, 0, 500).contains(&0));
    two.leave(0);
    assert!(picks(&mut two, 0, 500).iter().all(|replica| *replica == 1));
    two.join(Instant::ZERO, Endpoint { slot: 0, replica: 2, zone: 0 });
    assert!(picks(&mut two, 0, 500).iter().all(|replica| *replica == 1), "none is moved back");
}

#[test]
fn a_connection_keeps_its_replica_until_it_closes() {
    let rule = per_connection(1, Some(5));
    let mut one = balancer(rule, 1, &[0, 1, 2]);
    let taken = picks(&mut one, 0, 500);
    assert!(taken.chunks(5).all(|chunk| chunk.iter().all(|replica| *replica == chunk[0])));
    assert!((0..3).all(|replica| taken.contains(&replica)));
}

/// Whom each of a thousand clients has.
fn had(balancer: &mut Balancer, instance: usize) -> Vec<ReplicaId> {
    let seen = Seen::new(&Plan::neutral());
    let pick = |client| {
        let sender = Sender { client: Some(client), ..NOW };
        balancer.pick(&seen, instance, sender, |_| 0, well).expect("somebody is there")
    };
    (0..1_000).map(pick).collect()
}

#[test]
fn the_loss_of_a_replica_moves_its_clients_and_nobody_else() {
    for (rule, newcomer) in [(Balancing::Cookie, 0..=0), (Balancing::Hash, 260..=410)] {
        let mut balancer = balancer(rule, 2, &[0, 0, 0]);
        let before = had(&mut balancer, 0);
        assert_eq!(before, had(&mut balancer, 1), "instances agree");
        let of = |all: &[ReplicaId], id| all.iter().filter(|has| **has == id).count();
        assert!((0..3).all(|id| (260..410).contains(&of(&before, id))), "{rule:?} is even");
        balancer.leave(1);
        let after = had(&mut balancer, 1);
        let moved = |one: &[ReplicaId], other: &[ReplicaId]| -> Vec<ReplicaId> {
            one.iter().zip(other).filter(|(had, has)| had != has).map(|(had, _)| *had).collect()
        };
        let left = moved(&before, &after);
        assert_eq!((left.len(), of(&left, 1)), (of(&before, 1), left.len()), "{rule:?}");
        // Who comes takes its part from all, or waits for new clients.
        balancer.join(Instant::ZERO, Endpoint { slot: 1, replica: 7, zone: 0 });
        let last = had(&mut balancer, 0);
        assert!(newcomer.contains(&of(&last, 7)), "{rule:?}: {}", of(&last, 7));
        assert_eq!(moved(&after, &last).len(), of(&last, 7), "{rule:?}");
    }
}
