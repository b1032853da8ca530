//! Rolling updates as the ingress sees them: what Kubernetes promises of a Deployment holds there
//! too, as it learns of changes in the order in which they were made.

use brownout::observe::Observation;
use brownout::plan::*;
use brownout::units::Instant;

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan};
use crate::derived::{fault, warm_start};

/// A rollout after a minute of this many replicas, with so many more and fewer at a time.
fn rollout(replicas: usize, surge: usize, unavailable: usize) -> Plan {
    let mut plan = plan(replicas, 50.0, 400.0);
    warm_start(&mut plan, (2.0, 6.0));
    plan.upgrade = Upgrade { surge, unavailable, ..Upgrade::default() };
    plan.faults = vec![fault(Fault::Rollout, 60.0)];
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
