//! Which replicas and which nodes count for an even spread over zones.

use std::collections::BTreeSet;

use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;

use super::starting_within;
use crate::common::secs;
use crate::common::witness::{Witness, witnessed};
use crate::derived::{entered, fault};

/// Three replicas, one in each of three zones that have so many nodes with room for one.
fn three(nodes: usize, horizon: f64) -> Plan {
    let mut plan = starting_within(3, 10.0, horizon);
    (plan.nodes.per_zone, plan.nodes.room) = (Some(nodes), 1);
    plan.topology.spread = Spread::DoNotSchedule;
    plan
}

/// How many replicas in rotation each zone has at the end.
fn by_zone(witness: &Witness) -> [usize; 3] {
    let mut zones = Vec::new();
    let mut there = BTreeSet::new();
    for (_, fact) in &witness.facts {
        match fact {
            Observation::Created { zone, .. } => zones.push(*zone),
            Observation::JoinedRotation { replica } => drop(there.insert(*replica)),
            Observation::LeftRotation { replica } => drop(there.remove(replica)),
            _ => {}
        }
    }
    [0, 1, 2].map(|zone| there.iter().filter(|id| zones[**id] == zone).count())
}

#[test]
fn a_rollout_keeps_the_spread_only_if_versions_are_counted_apart() {
    let rolled = |by_version| {
        let mut plan = three(3, 600.0);
        plan.topology.by_version = by_version;
        plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 100.0)];
        by_zone(&witnessed(&plan, 0).0)
    };
    assert_eq!(rolled(true), [1, 1, 1]);
    // One beyond, none less. Together with the old ones: 2 1 1, an old one of a goes, 2 1 1 again,
    // one of b goes: 2 0 1, so b it is: 2 1 1; the last goes, and the skew is 2 where 1 is allowed.
    assert_eq!(rolled(false), [2, 1, 0]);
}

/// The machine of zone c is emptied at 100 s and away for five minutes. Gives the zone of the
/// replacement and when it is ready.
fn replaced(taints: NodeTaints) -> (usize, f64) {
    let mut plan = three(1, 900.0);
    (plan.topology.taints, plan.nodes.room) = (taints, 2);
    let away = Law::Constant(secs(300.0));
    plan.faults = vec![fault(Fault::DrainNode(ReplicaTarget::Slot(2), away), 100.0)];
    let (witness, _) = witnessed(&plan, 0);
    let mut made = witness.facts.iter().filter_map(|(_, fact)| match fact {
        Observation::Created { replica: 3, zone, .. } => Some(*zone),
        _ => None,
    });
    let zone = made.next_back().expect("it is replaced");
    (zone, entered(&witness, 3, State::Ready).expect("and starts").as_secs())
}

#[test]
fn a_cordoned_zone_counts_unless_taints_are_honoured() {
    // The zone has no replica left, so that only it may have the next one: it waits until the
    // machine is back, 300 s after the drain of 25 s.
    assert_eq!(replaced(NodeTaints::Ignore), (2, 435.0));
    // Without it the other two have one each, and either may have another.
    assert_eq!(replaced(NodeTaints::Honor), (0, 110.0));
}

#[test]
fn a_zone_that_is_known_to_be_down_does_not_count_where_taints_are_honoured() {
    let replacement = |taints| {
        let mut plan = three(1, 900.0);
        plan.nodes.room = 2;
        plan.topology.taints = taints;
        let outage = Fault::ZoneOutage(Some(1), Law::Constant(secs(2_000.0)));
        plan.faults = vec![fault(outage, 100.0)];
        let (witness, _) = witnessed(&plan, 0);
        (by_zone(&witness), entered(&witness, 3, State::Ready).is_some())
    };
    assert_eq!(replacement(NodeTaints::Ignore), ([1, 0, 1], false), "it waits for the zone");
    assert_eq!(replacement(NodeTaints::Honor), ([2, 0, 1], true));
}
