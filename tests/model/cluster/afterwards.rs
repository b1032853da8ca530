//! What is left when every fault and every rollout is over: as many replicas are ready as are
//! wanted, no more and no fewer, nobody waits for a node, and every incident has ended.

use std::collections::BTreeSet;

use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Share;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::common::troubles::named;
use crate::common::witness::{Witness, witnessed};
use crate::common::{plan, secs};

/// Until then everything begins; it is over some seconds later.
const BUSY: f64 = 30.0;

/// Starts and detection in seconds, so that little time is enough.
fn hasty(replicas: usize, zones: usize, (per_zone, room): (usize, usize)) -> Plan {
    let mut plan = plan(replicas, 1.0, BUSY + 270.0);
    plan.topology.zones = ["a", "b", "c"][..zones].iter().map(|zone| (*zone).to_owned()).collect();
    plan.topology.placement = (0..replicas).map(|slot| slot % zones).collect();
    (plan.nodes.per_zone, plan.nodes.room) = (Some(per_zone), room);
    plan.startup.boot = Law::uniform_secs(0.0, 2.0);
    for probe in [&mut plan.startup.readiness, &mut plan.detection.liveness] {
        (probe.initial_delay, probe.period, probe.timeout) = (secs(1.0), secs(1.0), secs(0.5));
    }
    let detection = &mut plan.detection;
    (detection.grace, detection.lease, detection.monitor) = (secs(2.0), secs(1.0), secs(0.5));
    detection.backoff = Backoff { first: secs(1.0), limit: secs(4.0), reset: secs(9.0) };
    plan.nodes.eviction.every = secs(1.0);
    plan.termination.drain = secs(2.0);
    plan.upgrade.retry = secs(0.7);
    plan
}

/// The replicas that are ready at the end, and those that are in rotation.
fn left(witness: &Witness) -> (usize, usize) {
    let is_ready =
        |id: &usize| witness.states(*id).last().is_some_and(|(_, state)| *state == State::Ready);
    let ready = (0..witness.replicas()).filter(is_ready).count();
    let mut known = BTreeSet::new();
    for (_, fact) in &witness.facts {
        match fact {
            Observation::JoinedRotation { replica } => drop(known.insert(*replica)),
            Observation::LeftRotation { replica } => drop(known.remove(replica)),
            _ => {}
        }
    }
    (ready, known.len())
}

/// What goes wrong of the machines, by a number; all of it is over after at most half a minute.
fn trouble(zones: usize) -> impl Strategy<Value = (Fault, f64)> {
    let lasts = (0.0..20.0_f64).prop_map(|most| Law::uniform_secs(0.0, most));
    (0..9_u8, 0..zones, lasts, 0.1..1.0_f64, 0.0..BUSY).prop_map(
        |(kind, zone, lasts, share, when)| {
            let (any, there) = (ReplicaTarget::Any, ReplicaTarget::Zone(zone));
            let ahead = secs(3.0 * share);
            let fault = match kind {
                0 => Fault::ZoneOutage(Some(zone), lasts),
                1 | 2 => Fault::PartialOutage(Some(zone), Share(share), lasts),
                3 => Fault::NodeLoss(there, Some(lasts)),
                4 => Fault::ReplicaCrash(there),
                5 => Fault::ReplicaHang(any),
                6 => Fault::DrainNode(any, lasts),
                7 => Fault::ApiServerOutage(lasts),
                _ => {
                    let heeded = [Heeded::Handler, Heeded::Kubelet(ahead), Heeded::Nobody][zone];
                    Fault::NodeShutdown(any, Notice { ahead, heeded }, Some(lasts))
                }
            };
            (fault, when)
        },
    )
}

/// A version that somebody rolls back, and perhaps a good one before or after it.
fn releases() -> impl Strategy<Value = Vec<(Fault, f64)>> {
    let starts = prop::sample::select(vec![Starts::Crashes, Starts::NeverReady, Starts::Well]);
    let affected = prop::sample::select(vec![1.0, 0.5]);
    let good = prop::option::of(0.0..BUSY);
    (starts, affected, 0.0..20.0_f64, 0.0..BUSY, good).prop_map(
        |(starts, affected, back, when, good)| {
            let (affected, back_after) = (Share(affected), Some(secs(back)));
            let bad = Release { starts, affected, back_after, ..Release::SOUND };
            let good = good.map(|when| (Fault::Rollout(Release::SOUND), when));
            good.into_iter().chain([(Fault::Rollout(bad), when)]).collect()
        },
    )
}

/// A cluster that has room for what is wanted and, if no replica may be missing, for what a rollout
/// has beyond; faults of its machines, and versions that come meanwhile.
fn troubled() -> impl Strategy<Value = Plan> {
    let size = (1..=4_usize, 1..=3_usize, 1..=2_usize);
    let exchange = (0..=2_usize, 0..=2_usize, 0.0..2.0_f64, any::<bool>());
    let delays = (0.0..3.0_f64, 0.0..8.0_f64, 0.0..2.0_f64, 0..2_usize);
    (size, exchange, delays)
        .prop_flat_map(|(size, exchange, delays)| {
            let (replicas, zones, room) = size;
            let (surge, unavailable, min_ready, in_order) = exchange;
            let (grace, toleration, propagation, spare) = delays;
            let surge = if unavailable == 0 { surge.max(1) } else { surge };
            let beyond = if unavailable == 0 { surge } else { 0 };
            let nodes = (replicas + beyond)
                .div_ceil(room)
                .max(replicas.div_ceil(zones).div_ceil(room) * zones);
            let mut plan = hasty(replicas, zones, (nodes.div_ceil(zones) + spare, room));
            plan.upgrade.surge = surge.into();
            plan.upgrade.unavailable = unavailable.into();
            plan.upgrade.min_ready = secs(min_ready);
            // Where nothing else has room the budget would hold up a drain for ever.
            plan.upgrade.drain_timeout = Some(secs(20.0));
            let forced = if in_order { AfterTimeout::Forced } else { AfterTimeout::GivenUp };
            plan.upgrade.after_timeout = forced;
            plan.ingress.endpoints_in_order = in_order;
            plan.ingress.propagation = Law::uniform_secs(0.0, propagation);
            (plan.detection.node_grace, plan.detection.toleration) =
                (secs(1.0 + grace), secs(toleration));
            (Just(plan), prop::collection::vec(trouble(zones), 0..4), releases())
        })
        .prop_map(|(mut plan, troubles, releases)| {
            let all = troubles.into_iter().chain(releases).enumerate();
            let fault = |(number, (fault, when))| named(&format!("fault {number}"), fault, when);
            plan.faults = all.map(fault).collect();
            plan
        })
}

/// Three replicas on four machines, of which a zone's two are away when a version comes that never
/// starts, and come back when it was rolled back.
fn rolled_back_without_room() -> Plan {
    let mut plan = hasty(3, 2, (2, 1));
    plan.topology.placement = vec![0, 1, 1];
    (plan.upgrade.surge, plan.upgrade.unavailable) = (Portion::Count(2), Portion::Count(1));
    (plan.detection.node_grace, plan.detection.toleration) = (secs(2.0), secs(200.0));
    let back_after = Some(secs(20.0));
    let bad = Release { starts: Starts::Crashes, back_after, ..Release::SOUND };
    let lasts = Law::Constant(secs(100.0));
    plan.faults = vec![
        named("outage", Fault::PartialOutage(Some(0), Share::ONE, lasts), 10.0),
        named("bad", Fault::Rollout(bad), 30.0),
    ];
    plan
}

#[test]
fn what_waits_for_a_machine_when_its_version_is_rolled_back_goes_with_it() {
    for replication in 0..20 {
        let (witness, outcome) = witnessed(&rolled_back_without_room(), replication);
        assert_eq!(left(&witness), (3, 3), "{replication}");
        // While the version was out: two that served, and three of its own that found no machine.
        let course = outcome.incidents[1].rollout.expect("it is told of");
        assert_eq!((course.old, course.new, course.available), (2, 3, 0), "{replication}");
        assert!(outcome.incidents[1].restored.is_some(), "{replication}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(11),
        ..Default::default()
    })]

    #[test]
    fn as_many_are_ready_as_are_wanted_and_every_incident_has_ended(plan in troubled()) {
        let (witness, outcome) = witnessed(&plan, 0);
        let wanted = plan.gateway.replicas;
        prop_assert_eq!(left(&witness), (wanted, wanted));
        let open = outcome.incidents.iter().filter(|one| one.restored.is_none());
        prop_assert_eq!(open.count(), 0, "{:?}", outcome.incidents);
    }
}
