//! What an ingress finds out by itself: health checks, and outlier detection.

use brownout::observe::Observation;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::plan::*;
use brownout::policy::outlier::OutlierSpec;
use brownout::random::Law;
use brownout::units::{Cores, Share, Span};

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, replicate, secs};
use crate::derived::{Sample, crash, fault};

const LOST: f64 = 100.0;

/// A check every `interval` seconds of which so many in a row must fail, or succeed.
fn checks(interval: f64, timeout: f64, unhealthy: u32, healthy: u32) -> HealthCheck {
    let (interval, timeout) = (secs(interval), secs(timeout));
    HealthCheck { interval, timeout, unhealthy, healthy, by: CheckBy::Http, first: false }
}

/// Three replicas at 60/s, of which something befalls the first; Kubernetes finds out after an
/// hour at the earliest.
fn unnoticed(what: Fault) -> Plan {
    let mut plan = plan(3, 60.0, LOST + 150.0);
    plan.gateway.demand = Law::Constant(secs(0.000_1));
    plan.ingress.connect_timeout = secs(1.0);
    plan.detection.node_grace = secs(3_600.0);
    plan.detection.crash = Law::Constant(secs(3_600.0));
    plan.startup.readiness.failures = 1_000;
    plan.detection.liveness.failures = 1_000;
    plan.faults = vec![fault(what, LOST)];
    plan
}

fn lost_node() -> Plan {
    unnoticed(Fault::NodeLoss(ReplicaTarget::Slot(0), None))
}

/// When so many instances avoid a replica, in seconds after the loss.
fn avoided(witness: &Witness, count: usize) -> Vec<f64> {
    let told = witness.facts.iter().filter_map(|(at, fact)| match fact {
        Observation::Avoided(one) if one.by == count => Some(at.as_secs() - LOST),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_silent_node_is_left_when_so_many_checks_have_failed_in_a_row() {
    // U((k − 1)·I, k·I) and the time-out: mean (k − ½)·I + T, variance I²/12.
    for (interval, timeout, unhealthy) in [(30.0, 5.0, 2), (2.0, 2.0, 3), (10.0, 1.0, 1)] {
        let mut plan = lost_node();
        plan.traffic = crate::common::poisson(0.0);
        plan.ingress.health = Some(checks(interval, timeout, unhealthy, 5));
        let left = Sample::of(400, |replication| {
            let (witness, _) = witnessed(&plan, replication);
            let left = avoided(&witness, 1);
            assert_eq!(left.len(), 1, "{left:?}");
            left[0]
        });
        let k = f64::from(unhealthy);
        left.expect_mean((k - 0.5) * interval + timeout, 0.5);
        left.expect_within((k - 1.0) * interval + timeout, k * interval + timeout);
        let expected = interval * interval / 12.0;
        assert!((left.variance() / expected - 1.0).abs() < 0.2, "{}", left.variance());
    }
}

#[test]
fn what_is_refused_fails_its_check_at_once_and_tcp_sees_no_hang() {
    let time = |what: Fault, by: CheckBy| {
        let mut plan = unnoticed(what);
        plan.ingress.dead_address = DeadAddress::Refuses;
        plan.ingress.health = Some(HealthCheck { by, ..checks(10.0, 4.0, 2, 2) });
        let times: Vec<f64> =
            (0..40).flat_map(|replication| avoided(&witnessed(&plan, replication).0, 1)).collect();
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        (times.len(), least, times.iter().copied().fold(0.0, f64::max))
    };
    let crashed = || Fault::ReplicaCrash(ReplicaTarget::Slot(0));
    let hung = || Fault::ReplicaHang(ReplicaTarget::Slot(0));
    for by in [CheckBy::Http, CheckBy::Tcp] {
        let (count, first, last) = time(crashed(), by);
        assert!(count == 40 && first > 10.0 && last < 20.0, "{count}: {first} to {last}");
    }
    let (count, first, last) = time(hung(), CheckBy::Http);
    assert!(count == 40 && first > 14.0 && last < 24.0, "{count}: {first} to {last}");
    assert_eq!(time(hung(), CheckBy::Tcp).0, 0);
}

#[test]
fn requests_fail_only_until_the_address_is_left() {
    // A third of 60/s until it is left, 15 + 1 s later in the mean.
    let mut plan = lost_node();
    plan.ingress.health = Some(checks(10.0, 1.0, 2, 2));
    let failed = |plan: &Plan, count| {
        Sample::of(count, |replication| {
            replicate(plan, replication).ledger.failed_by(Failure::DeadAddress) as f64
        })
    };
    failed(&plan, 200).expect_mean(20.0 * 16.0, 8.0);
    // Each of many instances for itself: the same in the mean, and less of it is luck.
    plan.ingress.instances = vec![None; 12];
    let of_many = failed(&plan, 100);
    of_many.expect_mean(20.0 * 16.0, 4.0);
    plan.ingress.balancing =
        Balancing::PerConnection { connections: 60, requests: Some(1), idle_check: Span::ZERO };
    failed(&plan, 60).expect_mean(20.0 * 16.0, 5.0);
}

#[test]
fn a_replica_whose_checks_succeed_again_is_used_after_so_many() {
    // The crashed process is back within seconds, before Kubernetes has said anything to the
    // ingress: checks alone keep it away, for three successes in a row every 10 s.
    let mut plan = unnoticed(Fault::ReplicaCrash(ReplicaTarget::Slot(0)));
    plan.detection.crash = Law::Constant(secs(30.0));
    plan.detection.after_crash = AfterCrash::Restarted;
    plan.detection.backoff.first = Span::ZERO;
    plan.startup.readiness =
        Probe { initial_delay: secs(1.0), period: secs(1.0), timeout: secs(1.0), failures: 3 };
    plan.ingress.propagation = Law::Constant(secs(200.0));
    plan.ingress.health = Some(checks(10.0, 1.0, 2, 3));
    for replication in 0..30 {
        let (witness, _) = witnessed(&plan, replication);
        let (left, back) = (avoided(&witness, 1), avoided(&witness, 0));
        assert_eq!((left.len(), back.len()), (1, 1), "{left:?}, {back:?}");
        // Its process listens 30 s after the crash.
        assert!((50.0..=60.0).contains(&back[0]), "back after {}", back[0]);
    }
}

#[test]
fn with_too_few_healthy_all_are_used() {
    let run = |panic: Share, what: ReplicaTarget| -> Outcome {
        let mut plan = unnoticed(Fault::ReplicaHang(what));
        (plan.ingress.read_timeout, plan.ingress.panic) = (secs(5.0), panic);
        plan.ingress.health = Some(checks(5.0, 1.0, 1, 1));
        replicate(&plan, 0)
    };
    // HAProxy has nobody left; an AWS target group uses all.
    let none = run(Share::ZERO, ReplicaTarget::All).ledger;
    let all = run(Share(0.001), ReplicaTarget::All).ledger;
    assert!(none.failed_by(Failure::NoReadyReplica) > 8_000, "{none:?}");
    assert_eq!(all.failed_by(Failure::NoReadyReplica), 0);
    assert!(all.failed_by(Failure::TimedOut) > 8_000, "{all:?}");
    // Two of three are more than half.
    let two = run(Share(0.5), ReplicaTarget::Slot(1)).ledger;
    assert!(two.failed_by(Failure::TimedOut) < 200, "{two:?}");
}

/// Outlier detection that may eject one of three.
fn outliers() -> OutlierSpec {
    OutlierSpec { max_ejected: Share(0.34), success_rate: None, ..OutlierSpec::default() }
}

#[test]
fn five_failures_in_a_row_eject_a_replica_from_each_instance() {
    let mut plan = unnoticed(Fault::ReplicaCrash(ReplicaTarget::Slot(0)));
    plan.ingress.dead_address = DeadAddress::Refuses;
    plan.ingress.instances = vec![None; 4];
    plan.ingress.outliers = Some(outliers());
    plan.run.horizon = at(LOST + 25.0);
    for replication in 0..20 {
        let (witness, outcome) = witnessed(&plan, replication);
        // Twenty refusals in all, and what was in flight counts as one.
        let refused = outcome.ledger.failed_by(Failure::DeadAddress);
        let lost = outcome.ledger.failed_by(Failure::LostInFlight);
        assert_eq!(refused + lost, 20, "{refused} refused, {lost} lost");
        assert_eq!(avoided(&witness, 4).len(), 1);
    }
    // Out for 30 s and until the next sweep, once; then each tries it again.
    plan.run.horizon = at(LOST + 45.0);
    let refused = replicate(&plan, 0).ledger.failed_by(Failure::DeadAddress);
    assert!((38..=40).contains(&refused), "{refused}");
    plan.ingress.outliers = Some(OutlierSpec { max_ejected: Share(0.1), ..outliers() });
    assert!(replicate(&plan, 0).ledger.failed_by(Failure::DeadAddress) > 800);
}

#[test]
fn what_times_out_at_a_replica_is_no_more_under_way_there() {
    // Of what a hung replica had the ingress has given up all; back at work it gets its share.
    let mut plan = plan(3, 100.0, 400.0);
    plan.gateway.cores = Cores(4.0);
    plan.ingress.balancing = Balancing::LeastRequest;
    plan.ingress.read_timeout = secs(3.0);
    plan.faults = vec![fault(Fault::ReplicaHang(ReplicaTarget::Slot(0)), LOST)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert!(outcome.ledger.failed_by(Failure::TimedOut) > 0);
    let late = witness.served.iter().filter(|served| served.sent > at(300.0));
    let (all, first) = late.fold((0.0, 0.0), |(all, first), served| {
        (all + 1.0, first + f64::from(u8::from(served.replica == 0)))
    });
    assert!((first / all - 1.0 / 3.0).abs() < 0.025, "{first} of {all}");
}

#[test]
fn checks_change_nothing_while_all_is_well_or_kubernetes_is_faster() {
    let mut plan = plan(3, 300.0, 200.0);
    plan.ingress.dead_address = DeadAddress::Refuses;
    plan.faults = vec![crash(LOST)];
    let without = replicate(&plan, 0);
    plan.ingress.health = Some(checks(30.0, 5.0, 2, 5));
    let with = replicate(&plan, 0);
    assert_eq!(without.ledger, with.ledger);
    assert_eq!(without.windows[0].latency, with.windows[0].latency);
}

#[test]
fn a_new_target_is_used_once_it_has_passed_a_check() {
    // A crashed replica is replaced in no time; each instance checks the new one at a time of its
    // own within an interval, whatever `healthy` says.
    let first = |first: bool| {
        let mut plan = unnoticed(Fault::ReplicaCrash(ReplicaTarget::Slot(0)));
        plan.detection.crash = Law::ZERO;
        plan.startup.readiness =
            Probe { initial_delay: secs(1.0), period: secs(1.0), timeout: secs(1.0), failures: 3 };
        plan.ingress.health = Some(HealthCheck { first, ..checks(30.0, 1.0, 2, 5) });
        let used = |replication| {
            let (witness, _) = witnessed(&plan, replication);
            let joined = witness.facts.iter().find_map(|(at, fact)| match fact {
                Observation::JoinedRotation { replica } if *replica > 2 => Some((*at, *replica)),
                _ => None,
            });
            let (joined, new) = joined.expect("it is replaced");
            let its = witness.served.iter().filter(|one| one.replica == new);
            let first = its.map(|one| one.arrived).min().expect("it is used");
            first.since(joined).as_secs()
        };
        Sample::of(300, used)
    };
    // U(0, 30 s), and the next of 20/s.
    let waited = first(true);
    waited.expect_mean(15.05, 0.6);
    waited.expect_within(0.0, 30.5);
    first(false).expect_within(0.0, 0.5);
}

#[test]
fn nobody_is_blamed_for_what_an_ingress_instance_took_with_it() {
    // Each of three replicas has some 25 requests when their instance vanishes; it is back before
    // anybody avoids it, and would eject a replica after one failure, and let nothing through.
    let mut plan = plan(3, 150.0, LOST + 60.0);
    plan.gateway.cores = Cores(64.0);
    plan.gateway.demand = Law::Constant(secs(0.5));
    plan.ingress.outliers = Some(OutlierSpec { consecutive_gateway: Some(1), ..outliers() });
    plan.ingress.admission = Some(Default::default());
    plan.faults =
        vec![fault(Fault::IngressLoss(InstanceTarget::One(0), Law::Constant(secs(0.01))), LOST)];
    let (witness, outcome) = witnessed(&plan, 0);
    let lost = outcome.ledger.failed_by(Failure::LostWithIngress);
    assert!((lost as f64 - 75.0).abs() < 5.0 * 75.0_f64.sqrt(), "{lost}");
    assert!(!witness.facts.iter().any(|(_, fact)| matches!(fact, Observation::Avoided(_))));
    assert_eq!(outcome.ledger.failed(), lost + outcome.ledger.failed_by(Failure::IngressDown));
}
