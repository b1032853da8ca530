//! New versions that are not as the one before: how far their rollout comes, what requests meet,
//! and what a roll-back leaves.

use brownout::observe::incident::RolloutCourse;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::observe::{Observation, RolloutStage, State};
use brownout::plan::*;
use brownout::policy::outlier::OutlierSpec;
use brownout::random::Law;
use brownout::units::Share;

use super::scaling::{changes, published};
use crate::common::dependencies::retries;
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{crash, entered, fault, rates, step, warm_start};

/// A version of this many replicas that comes after a minute, with Kubernetes' 25 % and 25 %.
fn released(replicas: usize, horizon: f64, release: Release) -> Plan {
    let mut plan = plan(replicas, 50.0, horizon);
    warm_start(&mut plan, (2.0, 6.0));
    plan.upgrade.surge = Portion::Percent(25);
    plan.upgrade.unavailable = Portion::Percent(25);
    plan.faults = vec![fault(Fault::Rollout(release), 60.0)];
    plan
}

fn starts(starts: Starts) -> Release {
    Release { starts, ..Release::SOUND }
}

fn course(outcome: &Outcome) -> RolloutCourse {
    outcome.incidents[0].rollout.expect("it is told of a version that is not as before")
}

fn stages(witness: &Witness, wanted: RolloutStage) -> Vec<f64> {
    let is =
        |fact: &Observation| matches!(fact, Observation::Rollout { stage, .. } if *stage == wanted);
    witness.times(is).iter().map(|at| at.as_secs()).collect()
}

#[test]
fn a_version_that_is_never_ready_stops_where_a_deployment_does_and_costs_nothing() {
    // Of 10 with 3 beyond and 2 fewer 8 old and 5 new are left, as Kubernetes' documentation of
    // Deployments has it; of 4 with 1 and 1, 3 and 2; of 2 with 1 and none, 2 and 1.
    for (replicas, old, new) in [(10, 8, 5), (4, 3, 2), (2, 2, 1), (1, 1, 1)] {
        for starts in [Starts::Crashes, Starts::NeverReady].map(starts) {
            let (witness, outcome) = witnessed(&released(replicas, 700.0, starts), 0);
            let RolloutCourse { overdue, rolled_back, .. } = course(&outcome);
            let found = course(&outcome);
            let counts = (found.wanted, found.old, found.new, found.available);
            assert_eq!(counts, (replicas, old, new, 0), "{starts:?}");
            // The last progress is that of the beginning.
            assert_eq!((overdue, rolled_back), (Some(at(660.0)), None), "{starts:?}");
            assert_eq!(stages(&witness, RolloutStage::Overdue), [660.0]);
            assert_eq!(outcome.ledger.failed(), 0, "what is not ready takes no request");
            assert_eq!(outcome.incidents[0].restored, None, "nobody ends it");
        }
    }
}

#[test]
fn a_container_that_crashes_at_each_start_backs_off() {
    let mut plan = released(1, 400.0, starts(Starts::Crashes));
    plan.startup.boot = Law::Constant(secs(4.0));
    let (witness, _) = witnessed(&plan, 0);
    let states = witness.states(1);
    let of = |wanted| states.iter().filter(move |(_, state)| *state == wanted).map(|one| one.0);
    let died: Vec<_> = of(State::Failed).collect();
    let began: Vec<_> = of(State::Booting).collect();
    for (died, began) in died.iter().zip(&began) {
        assert_eq!(died.since(*began), secs(4.0));
    }
    let waits: Vec<f64> =
        died.iter().zip(&began[1..]).map(|(died, began)| began.since(*died).as_secs()).collect();
    assert_eq!(waits[..5], [0.0, 10.0, 20.0, 40.0, 80.0]);
    assert_eq!(of(State::Probing).count(), 0);
}

#[test]
fn a_roll_back_leaves_those_that_were_never_exchanged() {
    let release = Release { back_after: Some(secs(300.0)), ..starts(Starts::NeverReady) };
    let (witness, outcome) = witnessed(&released(2, 500.0, release), 0);
    assert_eq!(stages(&witness, RolloutStage::RolledBack), [360.0]);
    let left = |id| witness.states(id).last().map(|(_, state)| *state);
    assert_eq!([0, 1, 2].map(left), [State::Ready, State::Ready, State::Terminated].map(Some));
    assert_eq!(witness.replicas(), 3, "nothing new is made for the version before");
    let ended = witness.times(|fact| matches!(fact, Observation::FaultEnded { .. }));
    assert_eq!(ended, [at(360.0)]);
    let found = course(&outcome);
    assert_eq!((found.new, found.old, found.rolled_back), (1, 2, Some(at(360.0))));
    assert_eq!((found.overdue, outcome.ledger.failed()), (None, 0));
}

#[test]
fn nothing_is_rolled_back_that_is_as_before_and_everywhere() {
    let release = Release { back_after: Some(secs(300.0)), ..Release::SOUND };
    let (witness, outcome) = witnessed(&released(2, 500.0, release), 0);
    assert_eq!(stages(&witness, RolloutStage::RolledBack), [0.0; 0]);
    assert_eq!((witness.replicas(), outcome.incidents[0].rollout), (4, None));
    // Before it is everywhere it is.
    let hasty = Release { back_after: Some(secs(12.0)), ..Release::SOUND };
    let (witness, _) = witnessed(&released(2, 500.0, hasty), 0);
    assert_eq!(stages(&witness, RolloutStage::RolledBack), [72.0]);
    assert_eq!(witness.states(0).last().map(|(_, state)| *state), Some(State::Ready));
}

#[test]
fn a_slower_version_uses_so_much_more_cpu_for_the_same_requests() {
    let mut plan = released(2, 400.0, Release { work: 2.5, ..Release::SOUND });
    plan.gateway.demand = Law::Constant(secs(0.01));
    let (witness, outcome) = witnessed(&plan, 0);
    let busy = |second: f64| -> f64 {
        let found = witness.readings.iter().find(|(time, _)| *time == at(second));
        found.expect("a bin ends").1.iter().map(|reading| reading.busy).sum()
    };
    let served = |from: f64, to: f64| {
        let within = |one: &&brownout::observe::Served| (at(from)..at(to)).contains(&one.finished);
        witness.served_in_time().filter(within).count() as f64
    };
    let each = |from: f64, to: f64| (busy(to) - busy(from)) / served(from, to) / 1e6;
    // Both are exchanged after 30 s each, and a drain of 25 s. One request more or less is at work.
    assert!((each(1.0, 60.0) - 10.0).abs() < 0.1, "{} ms", each(1.0, 60.0));
    assert!((each(200.0, 400.0) - 25.0).abs() < 0.1, "{} ms", each(200.0, 400.0));
    assert_eq!((course(&outcome).new, course(&outcome).old), (2, 0));
    assert_eq!(outcome.incidents[0].restored, None, "it stays");
}

#[test]
fn a_version_that_fails_requests_does_so_for_its_share_until_it_is_rolled_back() {
    let release = Release { failing: Share(0.2), back_after: Some(secs(240.0)), ..Release::SOUND };
    let mut plan = released(2, 600.0, release);
    plan.upgrade.unavailable = Portion::Count(2);
    let failed = |plan: &Plan| {
        let (mut offered, mut failed, mut late) = (0.0, 0.0, 0);
        for replication in 0..10 {
            let (witness, outcome) = witnessed(plan, replication);
            let sound = |sent: f64| !(60.0..400.0).contains(&sent);
            late += witness.failed.iter().filter(|one| sound(one.0.at.as_secs())).count();
            let all_new = |sent: f64| (100.0..300.0).contains(&sent);
            offered +=
                witness.offered.iter().filter(|one| all_new(one.at.as_secs())).count() as f64;
            let of = witness.failed.iter().filter(|one| all_new(one.0.at.as_secs()));
            failed += of.filter(|one| one.2 == Failure::ReplicaError).count() as f64;
            assert!(outcome.ledger.balances());
        }
        assert_eq!(late, 0, "the other version fails nothing");
        (offered, failed)
    };
    let (offered, alone) = failed(&plan);
    let error = (offered * 0.2 * 0.8_f64).sqrt();
    assert!((alone - offered * 0.2).abs() < 4.0 * error, "{alone} of {offered}");
    // What fails once fails again.
    plan.dependencies.clients.retry = Some(retries(3));
    let (offered, again) = failed(&plan);
    let error = (offered * 0.2 * 0.8_f64).sqrt();
    assert!((again - offered * 0.2).abs() < 4.0 * error, "{again} of {offered}");
}

#[test]
fn where_half_of_the_replicas_are_affected_half_of_the_rollouts_of_one_stop() {
    let release = Release { affected: Share(0.5), ..starts(Starts::NeverReady) };
    let plan = released(1, 150.0, release);
    let over = |replication| course(&witnessed(&plan, replication).1).available == 1;
    let over = (0..400).filter(|replication| over(*replication)).count();
    // Four standard errors are 40.
    assert!((160..=240).contains(&over), "{over} of 400 rollouts came to an end");
}

#[test]
fn a_replica_of_the_old_version_that_is_lost_in_a_rollout_is_replaced_by_its_like() {
    let mut plan = released(2, 400.0, starts(Starts::NeverReady));
    plan.faults.push(crash(200.0));
    for replication in 0..10 {
        let (witness, outcome) = witnessed(&plan, replication);
        assert_eq!(witness.replicas(), 4, "two, the new one, and the one for the loss");
        assert!(entered(&witness, 3, State::Ready).is_some(), "it is ready as ever");
        assert_eq!((course(&outcome).new, course(&outcome).old), (1, 2));
    }
}

#[test]
fn a_rollout_that_stops_keeps_the_autoscaler_from_growing() {
    // Two at 90 % and one that is not ready count as 180 / 3 = 60 % of a target of 70 %.
    let grown = |release| {
        let mut plan = released(2, 600.0, release);
        plan.topology.zones = ["a", "b", "c"].map(str::to_owned).to_vec();
        plan.gateway.demand = Law::Constant(secs(0.01));
        plan.traffic = rates(Scatter::Deterministic, &[(0.0, 120.0)]);
        step(&mut plan, 300.0, 180.0);
        plan.autoscaling = Some(published());
        changes(&witnessed(&plan, 0).0)
    };
    assert_eq!(grown(starts(Starts::NeverReady)), []);
    assert_eq!(grown(starts(Starts::Crashes)), []);
    let [(when, 3)] = grown(Release::SOUND)[..] else { panic!("it grows once") };
    assert!((300.0..345.0).contains(&when), "{when}");
    // Rolled back before, it grows as ever.
    let back = Release { back_after: Some(secs(100.0)), ..starts(Starts::NeverReady) };
    let [(when, 3)] = grown(back)[..] else { panic!("it grows once") };
    assert!((300.0..345.0).contains(&when), "{when}");
}

#[test]
fn a_good_version_that_follows_ends_what_a_bad_one_began() {
    let mut plan = released(2, 500.0, starts(Starts::NeverReady));
    plan.faults.push(crate::common::troubles::named("fix", Fault::Rollout(Release::SOUND), 300.0));
    let (witness, outcome) = witnessed(&plan, 0);
    let ended = witness.times(|fact| matches!(fact, Observation::FaultEnded { .. }));
    assert_eq!(ended.len(), 2, "{ended:?}");
    assert!(ended[0] == ended[1] && ended[0] > at(320.0), "{ended:?}");
    assert!(outcome.incidents.iter().all(|incident| incident.restored.is_some()));
    assert_eq!(outcome.ledger.failed(), 0);
}

#[test]
fn the_incident_says_how_many_new_replicas_are_affected_and_what_outlier_detection_made_of_them() {
    // Half of them by chance fail every request: they are those that never serve one.
    let release = Release { failing: Share::ONE, affected: Share(0.5), ..Release::SOUND };
    let mut numbers = Vec::new();
    for replication in 0..5 {
        let mut plan = released(8, 400.0, release);
        let (witness, outcome) = witnessed(&plan, replication);
        let serves = |replica: &usize| witness.served.iter().any(|one| one.replica == *replica);
        let never = (8..16).filter(|replica| !serves(replica)).count();
        let found = course(&outcome);
        assert_eq!((found.new, found.affected, found.ejected), (8, never, 0));
        numbers.push(never);
        // All of them are ejected where the only instance may eject so many.
        let all = OutlierSpec { max_ejected: Share::ONE, success_rate: None, ..rows() };
        plan.ingress.outliers = Some(all);
        let found = course(&witnessed(&plan, replication).1);
        assert_eq!((found.affected, found.ejected), (never, never));
    }
    assert!(numbers.iter().any(|number| *number != numbers[0]), "{numbers:?} are by chance");
}

/// Replicas are ejected after five failures in a row.
fn rows() -> OutlierSpec {
    OutlierSpec { always_eject_one: true, ..OutlierSpec::default() }
}
