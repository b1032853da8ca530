//! Containers that boot for longer than their probes allow: a kubelet kills them, again and again.

use brownout::observe::{Observation, ProbeKind, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Instant;

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{call, crash, entered, fault, warm_start};

/// Two replicas that boot so long; one crashes after a minute, and the new one has number 2.
fn booting(boot: f64, horizon: f64) -> Plan {
    let mut plan = plan(2, 50.0, horizon);
    plan.startup.boot = Law::Constant(secs(boot));
    plan.faults.push(crash(60.0));
    plan
}

fn startup_probe(delay: f64, failures: u32) -> Option<Probe> {
    Some(Probe { initial_delay: secs(delay), failures, ..Probe::KUBERNETES })
}

/// From the container's first start to each time that it was killed in its boot, in seconds.
fn kills(witness: &Witness, replica: usize, wanted: ProbeKind) -> Vec<f64> {
    let begun = entered(witness, replica, State::Booting).expect("it starts");
    let failed = |fact: &Observation| match fact {
        Observation::ProbesFailed { replica: other, probe } => {
            (*other, *probe) == (replica, wanted)
        }
        _ => false,
    };
    witness.times(failed).iter().map(|at| at.since(begun).as_secs()).collect()
}

/// From the container's first start until it is ready, in seconds.
fn ready_after(plan: &Plan) -> Option<f64> {
    let (witness, _) = witnessed(plan, 0);
    let begun = entered(&witness, 2, State::Booting).expect("it starts");
    entered(&witness, 2, State::Ready).map(|ready| ready.since(begun).as_secs())
}

#[test]
fn liveness_kills_a_slow_boot_for_ever_and_each_wait_is_longer() {
    // Probes after 10, 20, 30, 40 and 50 s fail. Waits of 0, 10, 20, 40, 80, 160 and 300 s.
    let (witness, outcome) = witnessed(&booting(120.0, 2_000.0), 0);
    let killed = [50.0, 100.0, 160.0, 230.0, 320.0, 450.0, 660.0, 1_010.0, 1_360.0, 1_710.0];
    assert_eq!(kills(&witness, 2, ProbeKind::Liveness), killed);
    assert_eq!(entered(&witness, 2, State::Ready), None);
    assert_eq!((witness.replicas(), outcome.probes_failed.liveness), (3, 10));
    assert_eq!(outcome.incidents[0].restored, None, "the slot is never filled again");
}

#[test]
fn a_boot_that_is_over_at_the_last_probe_is_not_killed() {
    for (boot, survives) in [(49.9, true), (50.0, true), (50.1, false)] {
        let ready = ready_after(&booting(boot, 400.0));
        assert_eq!(ready, survives.then_some(50.0), "a boot of {boot} s");
    }
}

#[test]
fn liveness_and_readiness_wait_for_the_start_up_probe() {
    // Probes after 0, 10, … 120 s: the thirteenth sees it, and readiness is asked at once.
    let mut plan = booting(115.0, 400.0);
    plan.startup.probe = startup_probe(0.0, 13);
    assert_eq!(ready_after(&plan), Some(120.0));
    // Readiness keeps its own delay, and counts from there.
    plan.startup.readiness.initial_delay = secs(127.0);
    assert_eq!(ready_after(&plan), Some(127.0));
    // One that is up before its first start-up probe is seen by that.
    let mut plan = booting(1.0, 400.0);
    plan.startup.probe = startup_probe(30.0, 3);
    assert_eq!(ready_after(&plan), Some(30.0));
}

#[test]
fn a_start_up_probe_kills_what_boots_longer_than_its_failures_allow() {
    let mut plan = booting(60.0, 400.0);
    plan.startup.probe = startup_probe(5.0, 4);
    let (witness, _) = witnessed(&plan, 0);
    assert_eq!(kills(&witness, 2, ProbeKind::Startup)[..3], [35.0, 70.0, 115.0]);
    assert!(kills(&witness, 2, ProbeKind::Liveness).is_empty(), "it is not asked before");
}

#[test]
fn what_waits_for_the_control_plane_has_booted() {
    let mut plan = booting(5.0, 600.0);
    plan.startup.contracts =
        Some(Contracts { fetch: call(), poll: secs(15.0), gate: Gate::Replica });
    let outage = Fault::ControlPlaneOutage(Law::Constant(secs(300.0)));
    plan.faults.push(fault(outage, 30.0));
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(outcome.probes_failed.liveness, 0);
    assert!(entered(&witness, 2, State::Ready).is_some_and(|ready| ready > at(330.0)));
}

#[test]
fn a_rollout_waits_for_new_replicas_that_never_boot() {
    for (surge, unavailable) in [(1, 0), (0, 1), (2, 1)] {
        let mut plan = plan(4, 50.0, 1_200.0);
        warm_start(&mut plan, (80.0, 90.0));
        plan.upgrade =
            Upgrade { surge: surge.into(), unavailable: unavailable.into(), ..Upgrade::default() };
        plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 60.0)];
        let (witness, outcome) = witnessed(&plan, 0);
        let new = 4..witness.replicas();
        assert_eq!(new.len(), surge + unavailable, "no further one is tried");
        for replica in new {
            assert_eq!(entered(&witness, replica, State::Ready), None);
        }
        let drained = (0..4).filter(|old| entered(&witness, *old, State::Draining).is_some());
        assert_eq!(drained.count(), unavailable, "as many old ones go as may be missing");
        assert_eq!(outcome.ledger.failed(), 0);
    }
}

#[test]
fn a_replica_on_a_machine_that_is_back_boots_under_the_same_probes() {
    let mut plan = booting(120.0, 500.0);
    plan.faults = vec![fault(Fault::ZoneOutage(Some(0), Law::Constant(secs(100.0))), 60.0)];
    let (witness, _) = witnessed(&plan, 0);
    let killed = kills(&witness, 0, ProbeKind::Liveness);
    assert_eq!(killed[..3], [50.0, 100.0, 160.0], "its restarts count anew");
    let begun: Option<Instant> = entered(&witness, 0, State::Booting);
    assert!(begun.is_some_and(|begun| begun >= at(160.0)));
}
