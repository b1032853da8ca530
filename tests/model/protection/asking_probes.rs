//! Probes that ask an upstream: all replicas fail with it.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observation, ProbeKind, State};
use brownout::plan::*;
use brownout::random::Law;

use crate::common::dependencies::{upstream, with_upstream};
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{Sample, fault};

/// What befalls an upstream, and for how long.
type Trouble = fn(HostTarget, Law) -> Fault;

const BEGINS: f64 = 100.0;
const LASTS: f64 = 60.0;

/// Three replicas before an upstream that takes 20 ms, which a probe asks, and its trouble.
fn asking(asks: ProbesAsk, trouble: impl Fn(HostTarget, Law) -> Fault) -> Plan {
    let mut plan = plan(3, 20.0, 200.0);
    plan.dependencies = with_upstream(upstream(Law::Constant(secs(0.02))));
    plan.dependencies.upstreams[0].timeout = secs(15.0);
    plan.detection.asks = asks;
    let target = HostTarget { upstream: 0, host: None };
    plan.faults.push(fault(trouble(target, Law::Constant(secs(LASTS))), BEGINS));
    plan
}

const READINESS: ProbesAsk = ProbesAsk { readiness: Some(0), liveness: None };
const LIVENESS: ProbesAsk = ProbesAsk { readiness: None, liveness: Some(0) };

fn refuses(target: HostTarget, lasts: Law) -> Fault {
    Fault::UpstreamOutage(target, Down::Refuses, lasts)
}

/// From a moment until each of the replicas of the start first is in a state after it.
fn first_after(witness: &Witness, moment: f64, wanted: State) -> Vec<f64> {
    let first = |replica| {
        let states = witness.states(replica);
        let found = states.iter().find(|(time, state)| *state == wanted && *time >= at(moment));
        found.expect("it comes").0.as_secs() - moment
    };
    (0..3).map(first).collect()
}

#[test]
fn readiness_that_asks_takes_every_replica_out_at_its_second_miss() {
    // A replica misses at its next probe, which is U(0, 10) s away, and at the one after that: at
    // once where the upstream refuses, and after the 5 s of the time-out where it is silent or
    // takes 20 s. It is ready at the first probe after the end.
    let silent = |target, lasts| Fault::UpstreamOutage(target, Down::Silent, lasts);
    let slow = |target, lasts| Fault::UpstreamSlow(target, 1_000.0, lasts);
    let troubles: [(Trouble, f64); 3] = [(refuses, 10.0), (silent, 15.0), (slow, 15.0)];
    for (trouble, least) in troubles {
        let plan = asking(READINESS, trouble);
        let (mut left, mut back) = (Vec::new(), Vec::new());
        for replication in 0..40 {
            let (witness, _) = witnessed(&plan, replication);
            left.extend(first_after(&witness, BEGINS, State::Unready));
            back.extend(first_after(&witness, BEGINS + LASTS, State::Ready));
        }
        let (left, back) = (Sample(left), Sample(back));
        left.expect_mean(least + 5.0, 0.4);
        left.expect_within(least, least + 10.0);
        back.expect_mean(5.0, 0.4);
        back.expect_within(0.0, 10.1);
    }
}

#[test]
fn while_every_replica_is_out_every_request_is_refused_whatever_it_needs() {
    let mut plan = asking(READINESS, refuses);
    // Half of the requests are for an API that the gateway answers by itself.
    let own = Api { name: "own".to_owned(), upstream: None, ..plan.dependencies.apis[0].clone() };
    plan.dependencies.apis.push(own);
    let (witness, outcome) = witnessed(&plan, 0);
    let out = |(sent, _, way): &&(_, _, Failure)| {
        let sent: &brownout::observe::Sent = sent;
        (at(120.0)..at(160.0)).contains(&sent.at) && *way == Failure::NoReadyReplica
    };
    let sent = witness.offered.iter().filter(|s| (at(120.0)..at(160.0)).contains(&s.at)).count();
    assert_eq!(witness.failed.iter().filter(out).count(), sent);
    let told: Vec<usize> = (witness.facts.iter())
        .filter_map(|(_, fact)| match fact {
            Observation::UpstreamFailedProbe { ready, probe: ProbeKind::Readiness, .. } => {
                Some(*ready)
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [2, 1, 0], "one after the other, until none is left");
    assert_eq!(outcome.probes_failed.readiness, 3);
}

#[test]
fn liveness_that_asks_restarts_every_replica_though_none_is_ill() {
    // Five misses in a row: the fifth is U(40, 50) s away.
    let plan = asking(LIVENESS, refuses);
    let killed = (0..40).flat_map(|replication| {
        let (witness, outcome) = witnessed(&plan, replication);
        assert!(outcome.probes_failed.liveness >= 3);
        first_after(&witness, BEGINS, State::Draining)
    });
    let killed = Sample(killed.collect());
    killed.expect_mean(45.0, 0.4);
    killed.expect_within(40.0, 50.0);
}

#[test]
fn probes_that_ask_an_upstream_that_is_well_never_fail() {
    for asks in [READINESS, LIVENESS] {
        let mut plan = asking(asks, refuses);
        plan.faults.clear();
        let (witness, outcome) = witnessed(&plan, 0);
        assert_eq!((outcome.ledger.failed(), outcome.probes_failed.liveness), (0, 0));
        assert!((0..3).all(|id| witness.states(id).iter().all(|(_, s)| *s == State::Ready)));
        // A replica that hangs is found as ever: readiness after its second miss, or liveness.
        plan.faults.push(fault(Fault::ReplicaHang(ReplicaTarget::Slot(0)), BEGINS));
        let (witness, _) = witnessed(&plan, 0);
        let out = first_after_hang(&witness);
        assert!((15.0..=25.0).contains(&out), "{out}");
    }
}

fn first_after_hang(witness: &Witness) -> f64 {
    let states = witness.states(0);
    let found = states.iter().find(|(_, state)| *state == State::Unready).expect("it is found");
    found.0.as_secs() - BEGINS
}
