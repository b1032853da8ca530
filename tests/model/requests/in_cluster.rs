//! Clients inside the cluster reach replicas by the address of the Service, past the ingress.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observation, ReplicaId};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Share, Span};

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::fault;

/// So many replicas of which all requests come from inside, over so many connections. A dead
/// address refuses; endpoints are known 2 s after they changed.
fn inside(replicas: usize, connections: usize, rate: f64, horizon: f64) -> Plan {
    let mut plan = plan(replicas, rate, horizon);
    plan.ingress.in_cluster = Some(InCluster { share: Share::ONE, connections });
    plan.ingress.dead_address = DeadAddress::Refuses;
    plan.ingress.propagation = Law::Constant(secs(2.0));
    plan.detection.crash = Law::ZERO;
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan
}

fn served_by(witness: &Witness, replica: ReplicaId) -> usize {
    witness.served.iter().filter(|served| served.replica == replica).count()
}

#[test]
fn connections_are_spread_multinomially_and_requests_with_them() {
    // With n = 20 connections to k = 4 replicas and m = 2,000 requests, each on any connection, the
    // share of one replica has the mean 1/k and the variance p(1 − p)(1/n + (1 − 1/n)/m).
    let (n, k, runs) = (20.0, 4.0, 200);
    let mut shares = Vec::new();
    let mut requests = 0.0;
    for replication in 0..runs {
        let (witness, _) = witnessed(&inside(4, 20, 100.0, 20.0), replication);
        let all = witness.served.len() as f64;
        shares.push(served_by(&witness, 0) as f64 / all);
        requests += all / runs as f64;
    }
    let mean = shares.iter().sum::<f64>() / runs as f64;
    let deviations = shares.iter().map(|share| (share - mean).powi(2));
    let variance = deviations.sum::<f64>() / (runs - 1) as f64;
    let p = 1.0 / k;
    let expected = p * (1.0 - p) * (1.0 / n + (1.0 - 1.0 / n) / requests);
    // Both are within 3.3 standard errors in 99.9 % of all cases.
    assert!((mean - p).abs() < 3.3 * (expected / runs as f64).sqrt(), "{mean}");
    let error = (2.0 / (runs - 1) as f64).sqrt();
    assert!((variance / expected - 1.0).abs() < 3.3 * error, "{variance} and not {expected}");
}

#[test]
fn where_the_service_prefers_a_zone_clients_keep_to_their_own() {
    let mut plan = inside(4, 30, 200.0, 100.0);
    plan.topology.zones = ["a", "b", "c"].map(str::to_owned).into();
    plan.topology.placement = vec![0, 1, 2, 0];
    plan.ingress.prefer_zone = true;
    let (witness, _) = witnessed(&plan, 0);
    let all = witness.served.len() as f64;
    let share = |replica| served_by(&witness, replica) as f64 / all;
    // A third of the clients is in each zone, and so is a third of their requests; the first zone
    // has two replicas. Of 20,000 a share of 1/3 has a deviation of 0.0033.
    for share in [share(1), share(2), share(0) + share(3)] {
        assert!((share - 1.0 / 3.0).abs() < 3.3 * 0.003_3, "{share}");
    }
    assert!(share(0) > 0.0 && share(3) > 0.0);
    let due = plan.ingress.shares(&plan.topology.placement, 3);
    let right = [1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0];
    assert!(due.iter().zip(right).all(|(due, right)| (due - right).abs() < 1e-9), "{due:?}");
    // A zone without a replica goes to all of them.
    plan.topology.placement = vec![0, 1, 1, 0];
    let (witness, _) = witnessed(&plan, 0);
    let all = witness.served.len() as f64;
    let of_a = (served_by(&witness, 0) + served_by(&witness, 3)) as f64 / all;
    // 10 of 30 connections are spread over both zones: 1/2 ± 3.3 · √10/2/30.
    assert!((of_a - 0.5).abs() < 3.3 * 10.0_f64.sqrt() / 60.0 + 0.012, "{of_a}");
}

#[test]
fn a_dead_replica_is_met_by_connections_that_open_until_its_endpoint_is_gone() {
    // Half of 20 connections to two replicas are reset. Each opens again with its next request and
    // meets the dead address with probability 1/2, each time: once in the mean, before the
    // endpoint goes. With 100/s in 2 s nearly every connection is used often enough.
    let (mut refused, runs) = (0, 200);
    for replication in 0..runs {
        let mut plan = inside(2, 20, 100.0, 60.0);
        plan.ingress.retries = 3; // which are the ingress's alone
        plan.faults = vec![fault(Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 30.0)];
        let (witness, _) = witnessed(&plan, replication);
        let left = witness.times(|fact| *fact == Observation::LeftRotation { replica: 0 });
        assert_eq!(left, [at(32.0)]);
        for (_, failed, how) in &witness.failed {
            assert!(*failed >= at(30.0) && *failed <= at(32.0), "{how:?} at {failed}");
            refused += usize::from(*how == Failure::DeadAddress);
        }
        let after = witness.served.iter().filter(|served| served.arrived > at(32.0));
        assert!(after.clone().count() > 2_000, "all are served by the other, and by the next one");
        assert!(after.clone().all(|served| served.replica != 0));
    }
    // Of each run's refusals the mean is 20 · 1/2 · 1 and the variance 10 · 2 + 5 · 1.
    let mean = refused as f64 / runs as f64;
    assert!((mean - 10.0).abs() < 3.3 * (25.0 / runs as f64).sqrt(), "{mean}");
}

#[test]
fn who_comes_past_the_ingress_does_not_miss_it() {
    let mut plan = inside(2, 20, 50.0, 60.0);
    plan.ingress.in_cluster = Some(InCluster { share: Share(0.4), connections: 20 });
    plan.faults =
        vec![fault(Fault::IngressLoss(InstanceTarget::One(0), Law::Constant(secs(10.0))), 30.0)];
    plan.ingress.failover.after = Law::Constant(secs(100.0));
    let (witness, _) = witnessed(&plan, 0);
    let during = |time| time > at(30.0) && time < at(40.0);
    let sent = witness.offered.iter().filter(|one| during(one.at)).count() as f64;
    let failed = witness.failed.iter().filter(|(one, ..)| during(one.at)).count() as f64;
    assert!(witness.failed.iter().all(|(.., how)| *how == Failure::IngressDown));
    // Some 500 are sent, of which 60 % come through the only instance: ± 3.3 · √(0.24/500).
    assert!((failed / sent - 0.6).abs() < 3.3 * (0.24 / sent).sqrt(), "{failed} of {sent}");
}

#[test]
fn a_replica_that_drains_costs_its_clients_inside_nothing() {
    let mut plan = inside(2, 20, 100.0, 200.0);
    plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 50.0)];
    let (witness, _) = witnessed(&plan, 0);
    assert!(witness.failed.is_empty(), "{:?}", witness.failed.first());
    assert!(served_by(&witness, 2) + served_by(&witness, 3) > 5_000, "the new ones serve");
}

#[test]
fn what_is_sent_to_a_machine_that_vanished_hangs_until_its_client_gives_up() {
    let mut plan = inside(2, 20, 100.0, 60.0);
    plan.dependencies.clients.patience = Some(secs(5.0));
    plan.faults = vec![fault(Fault::NodeLoss(ReplicaTarget::Slot(0), None), 30.0)];
    let (witness, _) = witnessed(&plan, 0);
    let given_up: Vec<_> =
        witness.failed.iter().filter(|(.., how)| *how == Failure::GivenUp).collect();
    assert!(given_up.len() > 100, "some 50/s for 5 s: {}", given_up.len());
    assert!(given_up.iter().all(|(sent, failed, _)| failed.since(sent.at) == secs(5.0)));
    // A client that has waited in vain opens another connection.
    let late = given_up.iter().filter(|(sent, ..)| sent.at > at(36.0)).count();
    assert!(late < given_up.len() / 2, "{late} of {}", given_up.len());
}
