//! The delays that follow from the documented settings: their means and their 5, 50 and 95 %
//! quantiles, to the tenth of a second to which they were derived.

use brownout::observe::{Observation, ProbeKind, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Instant;

use crate::common::witness::witnessed;
use crate::common::{plan, secs};
use crate::derived::{Sample, call, fault, warm_start};

const INJECTED: f64 = 20.0;

/// Two replicas with next to no traffic and this fault.
fn quiet(what: Fault, horizon: f64) -> Plan {
    let mut quiet = plan(2, 0.5, INJECTED + horizon);
    quiet.run.bin = secs(1_000.0);
    warm_start(&mut quiet, (2.0, 6.0));
    quiet.faults.push(fault(what, INJECTED));
    quiet
}

/// Seconds from the injection until the first fact that fits, over many replications.
fn delay(plan: &Plan, fits: impl Fn(&Observation) -> bool) -> Sample {
    between(plan, |fact| matches!(fact, Observation::FaultInjected { .. }), fits)
}

/// Seconds from the first fact that fits `from` until the next that fits `to`.
fn between(
    plan: &Plan,
    from: impl Fn(&Observation) -> bool,
    to: impl Fn(&Observation) -> bool,
) -> Sample {
    Sample::of(4_000, |replication| {
        let (witness, _) = witnessed(plan, replication);
        let mut facts = witness.facts.iter();
        let start = facts.find(|(_, fact)| from(fact)).map(|(at, _)| *at);
        let end = facts.find(|(_, fact)| to(fact)).map(|(at, _)| *at);
        let (start, end): (Instant, Instant) = start.zip(end).expect("both happen");
        end.since(start).as_secs()
    })
}

fn enters(wanted: State) -> impl Fn(&Observation) -> bool {
    move |fact| matches!(fact, Observation::Entered { state, .. } if *state == wanted)
}

/// The table gives mean, 5 %, 50 % and 95 % rounded to `unit`: each must be possible.
#[track_caller]
fn expect(sample: &Sample, [mean, low, middle, high]: [f64; 4], unit: f64) {
    let error = 4.0 * sample.standard_error();
    let rows = [
        (mean, (sample.mean() - error, sample.mean() + error)),
        (low, sample.quantile(0.05)),
        (middle, sample.quantile(0.50)),
        (high, sample.quantile(0.95)),
    ];
    for (value, (least, most)) in rows {
        let rounded = (value - unit / 2.0)..=(value + unit / 2.0);
        let touches = least <= *rounded.end() && most >= *rounded.start();
        assert!(touches, "{value} is not between {least} and {most}");
    }
}

#[test]
fn a_crash_is_noticed_after_half_a_second() {
    let plan = quiet(Fault::ReplicaCrash(ReplicaTarget::Any), 5.0);
    let noticed = delay(&plan, enters(State::Terminated));
    noticed.expect_within(0.0, 1.0);
    expect(&noticed, [0.5, 0.1, 0.5, 1.0], 0.1);
}

#[test]
fn a_hang_costs_readiness_after_twenty_seconds() {
    let plan = quiet(Fault::ReplicaHang(ReplicaTarget::Any), 30.0);
    let unready = delay(&plan, enters(State::Unready));
    unready.expect_within(15.0, 25.0);
    expect(&unready, [20.0, 15.5, 20.0, 24.5], 0.1);
}

#[test]
fn a_hung_replica_is_killed_after_liveness_and_grace() {
    let plan = quiet(Fault::ReplicaHang(ReplicaTarget::Any), 90.0);
    let killed = delay(&plan, enters(State::Failed));
    killed.expect_within(71.0, 81.0);
    expect(&killed, [46.0, 41.5, 46.0, 50.5].map(|noticed| noticed + 30.0), 0.1);
}

#[test]
fn a_hang_is_found_at_the_same_times_by_probes_that_compete_for_cpu() {
    let mut plan = quiet(Fault::ReplicaHang(ReplicaTarget::Any), 90.0);
    plan.detection.probe_cpu = Some(secs(0.005));
    let failed = |wanted: bool| {
        delay(&plan, move |fact| match fact {
            Observation::ProbesFailed { probe, .. } => (*probe == ProbeKind::Liveness) == wanted,
            _ => false,
        })
    };
    // A probe that is under way when the replica hangs fails as well.
    let unready = failed(false);
    unready.expect_within(14.99, 25.0);
    expect(&unready, [20.0, 15.5, 20.0, 24.5], 0.1);
    let dead = failed(true);
    dead.expect_within(40.99, 51.0);
    expect(&dead, [46.0, 41.5, 46.0, 50.5], 0.1);
    let killed = delay(&plan, enters(State::Failed));
    killed.expect_within(70.99, 81.0);
    expect(&killed, [46.0, 41.5, 46.0, 50.5].map(|noticed| noticed + 30.0), 0.1);
}

#[test]
fn a_lost_node_is_noticed_by_its_lease() {
    let mut plan = quiet(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e6))), 60.0);
    let noticed = delay(&plan, enters(State::Unready));
    noticed.expect_within(40.0, 55.0);
    expect(&noticed, [47.5, 42.2, 47.5, 52.8], 0.1);
    plan.detection.node_grace = secs(40.0);
    expect(&delay(&plan, enters(State::Unready)), [37.5, 32.2, 37.5, 42.8], 0.1);
}

#[test]
fn a_lost_node_costs_six_minutes_of_capacity() {
    let plan = quiet(Fault::ZoneOutage(Some(0), Law::Constant(secs(1e6))), 400.0);
    expect(&delay(&plan, enters(State::Ready)), [361.0, 356.0, 361.0, 367.0], 1.0);
}

#[test]
fn a_replacement_on_a_warm_node_is_ready_at_a_probe() {
    let mut plan = quiet(Fault::ReplicaCrash(ReplicaTarget::Any), 60.0);
    for (boot, expected) in [
        ((2.0, 6.0), [13.6, 12.1, 13.6, 15.0]),
        ((5.0, 15.0), [18.5, 12.4, 15.9, 24.7]),
        ((10.0, 30.0), [28.5, 22.4, 25.8, 34.7]),
    ] {
        warm_start(&mut plan, boot);
        let ready = between(&plan, enters(State::Scheduling), enters(State::Ready));
        expect(&ready, expected, 0.1);
    }
}

#[test]
fn readiness_reaches_the_ingress_after_the_propagation_delay() {
    let mut plan = quiet(Fault::ReplicaCrash(ReplicaTarget::Any), 60.0);
    plan.startup.contracts =
        Some(Contracts { fetch: call(), poll: secs(15.0), gate: Gate::Replica });
    let joins = |fact: &Observation| matches!(fact, Observation::JoinedRotation { .. });
    let leaves = |fact: &Observation| matches!(fact, Observation::LeftRotation { .. });
    let started = between(&plan, enters(State::Probing), enters(State::Ready));
    started.expect_within(0.0, 10.0);
    for heard in [
        between(&plan, enters(State::Terminated), leaves),
        between(&plan, |fact| enters(State::Probing)(fact), joins),
    ] {
        heard.expect_within(0.5, 12.0);
    }
    let left = between(&plan, enters(State::Terminated), leaves);
    left.expect_within(0.5, 2.0);
    left.expect_mean(1.25, 0.01);
}
