//! The spike on the survivors: CPU, backlog, and what monitoring shows of it.

use brownout::observe::outcome::Outcome;
use brownout::observe::timeline::{ReplicaRow, Timeline};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Share, Span};

use crate::common::witness::{Witness, witnessed};
use crate::common::{plan, secs};
use crate::derived::{Sample, crash, gap, warm_start};

const BIN: f64 = 0.05;
/// Requests per second that a replica of the common plan serves when its CPU is full.
const CAPACITY: f64 = 1_000.0;

/// A crash among `replicas` that are busy for this share of their time, and some time after it.
fn crashing(replicas: usize, load: f64, injection: f64, after: f64) -> Plan {
    let mut crashing = plan(replicas, load * CAPACITY * replicas as f64, injection + after);
    warm_start(&mut crashing, (2.0, 6.0));
    crashing.run.bin = secs(BIN);
    crashing.ingress.read_timeout = Span::MAX;
    crashing.faults.push(crash(injection));
    crashing
}

fn timeline(outcome: &Outcome) -> &Timeline {
    outcome.timeline.as_ref().expect("the timeline is kept")
}

/// Rows of the replica in slot 1 in the bins that lie within a period.
fn rows(outcome: &Outcome, from: f64, to: f64) -> Vec<&ReplicaRow> {
    let inside = |row: &&ReplicaRow| {
        row.replica == 1 && from <= row.bin as f64 * BIN && (row.bin + 1) as f64 * BIN <= to
    };
    timeline(outcome).by_replica.iter().filter(inside).collect()
}

fn cpu(outcome: &Outcome, from: f64, to: f64) -> f64 {
    let rows = rows(outcome, from, to);
    rows.iter().map(|row| row.cpu).sum::<f64>() / rows.len() as f64
}

fn run(plan: &Plan, replication: u64) -> (Witness, Outcome, f64, f64) {
    let (witness, outcome) = witnessed(plan, replication);
    let (left, joined) = gap(&witness, plan.gateway.replicas);
    (witness, outcome, left, joined)
}

#[test]
fn property_12_survivor_cpu_is_load_times_n_over_n_minus_one_and_at_most_one() {
    for (replicas, load) in [(2, 0.2), (2, 0.45), (3, 0.3), (3, 0.6)] {
        let plan = crashing(replicas, load, 5.0, 20.0);
        let survivor = Sample::of(30, |replication| {
            let (_, outcome, left, joined) = run(&plan, replication);
            cpu(&outcome, left, joined)
        });
        survivor.expect_mean(load * replicas as f64 / (replicas - 1) as f64, 0.01);
    }
    for (replicas, load) in [(2, 0.6), (3, 0.75)] {
        let (_, outcome, left, joined) = run(&crashing(replicas, load, 5.0, 20.0), 0);
        // Full once the queue that grows by an eighth or more of capacity has a second's start.
        assert!(cpu(&outcome, left + 1.0, joined) > 0.999);
    }
}

#[test]
fn property_12_below_saturation_no_backlog_grows() {
    // In M/M/1 at 0.9 the mean number in the system is 9.
    let plan = crashing(2, 0.45, 5.0, 20.0);
    let backlog = Sample::of(60, |replication| {
        let (_, outcome, _, joined) = run(&plan, replication);
        rows(&outcome, joined - 2.0 * BIN, joined).last().map_or(0.0, |row| row.in_flight as f64)
    });
    backlog.expect_mean(9.0, 2.0);
}

/// The survivor's requests in flight when the replacement joins, against the fluid's, and seconds
/// from then until they are gone, against the fluid's.
fn backlog_and_drain(plan: &Plan, replication: u64) -> [f64; 4] {
    let (_, outcome, left, joined) = run(plan, replication);
    let replicas = plan.gateway.replicas as f64;
    let Traffic::Process(process) = &plan.traffic else { return [0.0; 4] };
    let rate = process.corners[0].1.0;
    let growing = rows(&outcome, 0.0, joined).last().expect("a row").in_flight as f64;
    let shrinking = rows(&outcome, joined, plan.run.horizon.as_secs());
    let gone = shrinking.iter().find(|row| row.in_flight <= 5).expect("it drains");
    let drained = (gone.bin + 1) as f64 * BIN - joined;
    let fluid = (rate / (replicas - 1.0) - CAPACITY) * (joined - left);
    [growing, fluid, drained, (growing - 5.0) / (CAPACITY - rate / replicas)]
}

#[test]
fn property_13_backlog_and_drain_are_those_of_the_fluid() {
    for (replicas, load) in [(2, 0.65), (3, 0.8)] {
        let plan = crashing(replicas, load, 5.0, 45.0);
        let runs: Vec<[f64; 4]> =
            (0..24).map(|replication| backlog_and_drain(&plan, replication)).collect();
        let backlog = Sample(runs.iter().map(|[found, fluid, ..]| found - fluid).collect());
        let drain = Sample(runs.iter().map(|[.., found, fluid]| found - fluid).collect());
        assert!(runs.iter().all(|[found, ..]| *found > 1_000.0));
        backlog.expect_mean(0.0, 50.0);
        drain.expect_mean(0.0, 0.2);
    }
}

#[test]
fn property_16_a_minute_of_monitoring_shows_the_spike_by_its_length() {
    let plan = crashing(2, 0.3, 65.0, 115.0);
    let minute = secs(60.0);
    // The crash at 1:05 and the return by 1:25 lie in one bucket, which the next minute shows.
    let index = (130.0 / BIN) as usize;
    let (mut replica, mut gateway, mut quiet) = (Vec::new(), Vec::new(), Vec::new());
    for replication in 0..30 {
        let (_, outcome, left, joined) = run(&plan, replication);
        let timeline = timeline(&outcome);
        let expected = 0.3 * (1.0 + (joined - left) / 60.0);
        let by_replica = timeline.monitored_by_replica(minute);
        let survivor = |bin: usize| {
            let mine = |row: &ReplicaRow| row.bin == bin && row.replica == 1;
            let place = timeline.by_replica.iter().position(mine).expect("a row");
            by_replica[place].expect("a value")
        };
        replica.push(survivor(index) - expected);
        gateway.push(timeline.monitored(minute)[index].expect("a value") - expected);
        quiet.push(survivor((70.0 / BIN) as usize) - 0.3);
        let bucket = index / 1_200 * 1_200..(index / 1_200 + 1) * 1_200;
        let all = timeline.monitored(minute);
        assert!(all[bucket.clone()].iter().all(|value| *value == all[index]));
        assert_ne!(all[bucket.start - 1], all[index]);
    }
    Sample(replica).expect_mean(0.0, 0.001);
    Sample(gateway).expect_mean(0.0, 0.001);
    Sample(quiet).expect_mean(0.0, 0.001);
}

#[test]
fn a_slow_replica_needs_more_of_its_time_for_the_same_requests() {
    let mut plan = plan(2, 600.0, 60.0);
    plan.run.bin = secs(BIN);
    let slow = Fault::ReplicaSlow(ReplicaTarget::Slot(1), Share(0.5), Law::Constant(secs(1e3)));
    plan.faults.push(crate::derived::fault(slow, 20.0));
    let busy = Sample::of(30, |replication| {
        let (witness, outcome) = witnessed(&plan, replication);
        let served = witness.served_in_time().filter(|request| request.replica == 1);
        let late = served.filter(|request| request.sent.as_secs() >= 21.0);
        let mean = late.map(|request| request.finished.since(request.sent).as_millis());
        let latencies: Vec<f64> = mean.collect();
        assert!(cpu(&outcome, 21.0, 60.0) <= 0.5);
        latencies.iter().sum::<f64>() / latencies.len() as f64
    });
    // Between D/M/1 and M/M/1 with a service of 2 ms at 0.6: 3.56 to 5 ms.
    busy.expect_within(3.56, 5.0);
}

#[test]
fn of_slow_downs_that_overlap_the_greatest_holds_until_it_ends() {
    let mut plan = plan(2, 100.0, 60.0);
    for (share, from, lasts) in [(0.5, 10.0, 30.0), (0.25, 20.0, 5.0), (0.4, 35.0, 15.0)] {
        let (share, lasts) = (Share(share), Law::Constant(secs(lasts)));
        let slow = Fault::ReplicaSlow(ReplicaTarget::Slot(1), share, lasts);
        plan.faults.push(crate::derived::fault(slow, from));
    }
    plan.faults.push(crate::derived::fault(
        Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share(0.5), Law::Constant(secs(1e3))),
        10.0,
    ));
    plan.faults.push(crash(20.0));
    let (_, outcome) = witnessed(&plan, 0);
    let speeds = |replica: usize| -> Vec<(f64, f64)> {
        let changes = timeline(&outcome).replicas[replica].speed.iter();
        changes.map(|(at, share)| (at.as_secs(), share.0)).collect()
    };
    let expected = [(10.0, 0.5), (20.0, 0.25), (25.0, 0.5), (35.0, 0.4), (40.0, 0.4), (50.0, 1.0)];
    assert_eq!(speeds(1), expected);
    assert_eq!(speeds(0), [(10.0, 0.5), (20.0, 1.0)]);
}
