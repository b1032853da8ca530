//! Rolling updates as the ingress sees them: what Kubernetes promises of a Deployment holds there
//! too, as it learns of changes in the order in which they were made.

use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::units::Instant;

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{entered, fault, warm_start};

/// A rollout after a minute of this many replicas, with so many more and fewer at a time.
fn rollout(replicas: usize, surge: usize, unavailable: usize) -> Plan {
    let mut plan = plan(replicas, 50.0, 400.0);
    warm_start(&mut plan, (2.0, 6.0));
    plan.upgrade =
        Upgrade { surge: surge.into(), unavailable: unavailable.into(), ..Upgrade::default() };
    plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 60.0)];
    plan
}

/// The fewest in rotation after an instant.
fn least_in_rotation(witness: &Witness, after: Instant) -> usize {
    let (mut now, mut least) = (0_usize, usize::MAX);
    for (time, fact) in &witness.facts {
        match fact {
            Observation::JoinedRotation { .. } => now += 1,
            Observation::LeftRotation { .. } => now -= 1,
            _ => continue,
        }
        least = if *time > after { least.min(now) } else { now };
    }
    least
}

#[test]
fn no_fewer_are_in_rotation_than_may_be_and_nothing_fails() {
    for (replicas, surge, unavailable) in [(1, 1, 0), (2, 1, 0), (10, 3, 2), (4, 0, 1)] {
        let plan = rollout(replicas, surge, unavailable);
        for replication in 0..20 {
            let (witness, outcome) = witnessed(&plan, replication);
            let least = least_in_rotation(&witness, at(59.0));
            assert_eq!(least, replicas - unavailable, "{replicas} replicas, {replication}");
            assert_eq!(outcome.windows[0].ledger.failed(), 0, "{replicas}, {replication}");
        }
    }
}

#[test]
fn where_changes_come_in_any_order_a_removal_overtakes_an_addition() {
    let mut plan = rollout(1, 1, 0);
    plan.ingress.endpoints_in_order = false;
    // Both come after U(0.5, 2) s: the removal first in half of all, and nobody is there for a
    // third of 1.5 s in the mean, at 50 requests a second.
    let outcomes = (0..200).map(|replication| witnessed(&plan, replication));
    let failed: Vec<u64> = outcomes.map(|(_, one)| one.windows[0].ledger.failed()).collect();
    let hit = failed.iter().filter(|count| **count > 0).count();
    assert!((72..=128).contains(&hit), "{hit} of 200 rollouts failed requests");
    let each = failed.iter().sum::<u64>() as f64 / hit as f64;
    assert!((19.0..=31.0).contains(&each), "{each} requests each time");
}

/// The same with shares of the replicas.
fn shares(replicas: usize, surge: u32, unavailable: u32) -> Plan {
    let mut plan = rollout(replicas, 1, 0);
    plan.upgrade.surge = Portion::Percent(surge);
    plan.upgrade.unavailable = Portion::Percent(unavailable);
    plan
}

#[test]
fn shares_are_rounded_as_a_deployment_does_it() {
    // maxSurge up, maxUnavailable down; both nothing: one may be missing.
    for (replicas, surge, unavailable, most, least) in [
        (10, 25, 25, 13, 8),
        (2, 25, 25, 3, 2),
        (3, 25, 25, 4, 3),
        (4, 25, 25, 5, 3),
        (20, 25, 25, 25, 15),
        (3, 0, 25, 3, 2),
        (1, 0, 99, 1, 0),
        (5, 100, 100, 10, 0),
        (2, 150, 0, 5, 2),
        (3, 150, 100, 8, 0),
    ] {
        let plan = shares(replicas, surge, unavailable);
        assert_eq!((plan.upgrade.most(replicas), plan.upgrade.least(replicas)), (most, least));
    }
    // The disruption budget is rounded up.
    let budget =
        Upgrade { budget: Budget::Unavailable(Portion::Percent(30)), ..Upgrade::default() };
    assert_eq!([1, 2, 3, 4, 10].map(|wanted| wanted - budget.budgeted(wanted)), [1, 1, 1, 2, 3]);
}

#[test]
fn a_share_is_of_the_replicas_that_are_wanted() {
    let (witness, _) = witnessed(&shares(10, 25, 25), 0);
    assert_eq!(least_in_rotation(&witness, at(59.0)), 8);
    let made = |fact: &Observation| matches!(fact, Observation::Created { .. });
    let at_once = witness.times(made).into_iter().filter(|time| *time == at(60.0)).count();
    assert_eq!(at_once, 5, "three beyond, and two for those that go at once");
}

#[test]
fn a_rollout_counts_on_a_replica_that_has_been_ready_for_long_enough() {
    let mut plan = rollout(3, 1, 0);
    plan.upgrade.min_ready = secs(45.0);
    plan.run.horizon = at(400.0);
    let (witness, outcome) = witnessed(&plan, 0);
    let old = (0..3).map(|old| entered(&witness, old, State::Draining).expect("it goes"));
    let new = (3..6).map(|new| entered(&witness, new, State::Ready).expect("it comes"));
    for (gone, ready) in old.zip(new) {
        assert_eq!(gone, ready + secs(45.0));
    }
    assert_eq!(outcome.ledger.failed(), 0);
    let ended = witness.times(|fact| matches!(fact, Observation::FaultEnded { .. }));
    // Three times 10 s and what a start takes before the container, and 45 s; then the last drain.
    assert!(ended.len() == 1 && ended[0] > at(60.0 + 3.0 * 55.0 + 25.0), "{ended:?}");
}
