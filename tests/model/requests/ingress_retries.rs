//! What an ingress tries again, and which replica it chooses by the requests that each has.

use std::path::Path;

use brownout::observe::Served;
use brownout::observe::count::Count;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::plan::*;
use brownout::policy::retries::RetryLimit;
use brownout::random::Law;
use brownout::scenario::read::load_changed;
use brownout::units::{Share, Span};

use crate::common::dependencies::{bystanders, upstream, with_upstream};
use crate::common::witness::witnessed;
use crate::common::{plan, replicate, secs, take_away};
use crate::derived::crash;

/// `proxy_next_upstream error timeout` with three tries.
fn nginx() -> RetryRules {
    RetryRules {
        on_reset: true,
        on_timeout: true,
        non_idempotent: false,
        ..RetryRules::CONNECT_FAILURE
    }
}

/// A fault at so many seconds.
fn fault(fault: Fault, time: f64) -> FaultPlan {
    let schedule = Schedule::At(crate::common::at(time));
    FaultPlan { name: format!("{fault:?}"), fault, schedule }
}

/// Three replicas with requests of 400 ms at 15/s, of which one hangs after two minutes; the
/// ingress waits for 3 s.
fn hanging() -> Plan {
    let mut plan = plan(3, 15.0, 300.0);
    plan.gateway.cores.0 = 64.0;
    plan.gateway.demand = Law::Constant(secs(0.4));
    plan.ingress.dead_address = DeadAddress::Refuses;
    (plan.ingress.read_timeout, plan.ingress.retries) = (secs(3.0), 2);
    plan.ingress.retry = nginx();
    plan.faults = vec![fault(Fault::ReplicaHang(ReplicaTarget::Slot(1)), 120.0)];
    plan
}

fn retries(outcome: &Outcome) -> u64 {
    outcome.windows[0].counts[Count::IngressRetry as usize]
}

#[test]
fn what_times_out_at_a_hung_replica_is_answered_by_another() {
    // Real nginx 1.22: 150 of 150 GETs answered, the slowest after 3.41 s.
    let (witness, outcome) = witnessed(&hanging(), 0);
    assert_eq!((outcome.ledger.failed(), outcome.ledger.balances()), (0, true));
    let longest = witness.served.iter().map(|served| served.finished.since(served.sent).as_secs());
    let longest = longest.fold(0.0, f64::max);
    assert!((3.4..3.45).contains(&longest), "{longest}");
    let slow =
        witness.served.iter().filter(|served| served.finished.since(served.sent) > secs(3.0));
    assert_eq!(slow.count() as u64, retries(&outcome));
    // Without retries so many time out; a retry takes a turn, and the hung replica's comes sooner.
    let mut without = hanging();
    without.ingress.retry = RetryRules::CONNECT_FAILURE;
    let timed_out = replicate(&without, 0).ledger.failed_by(Failure::TimedOut);
    assert!(timed_out > 30, "{timed_out}");
    assert!(retries(&outcome) >= timed_out, "{} for {timed_out}", retries(&outcome));
}

#[test]
fn what_was_sent_is_tried_again_only_if_it_is_idempotent() {
    let failed = |idempotent: f64| {
        let mut plan = hanging();
        plan.ingress.retry.idempotent = Share(idempotent);
        let outcomes = (0..20).map(|replication| replicate(&plan, replication).ledger);
        outcomes.map(|ledger| ledger.failed_by(Failure::TimedOut)).sum::<u64>() as f64
    };
    let (none, some) = (failed(0.0), failed(0.7));
    // Binomial: four standard errors hold in 99.99 % of the cases.
    assert!((some / none - 0.3).abs() < 4.0 * (0.21 / none).sqrt(), "{some} of {none}");
    let mut all = hanging();
    (all.ingress.retry.idempotent, all.ingress.retry.non_idempotent) = (Share::ZERO, true);
    assert_eq!(replicate(&all, 0).ledger.failed(), 0);
}

#[test]
fn what_was_in_flight_at_a_crash_begins_anew_elsewhere() {
    let mut plan = hanging();
    take_away(&mut plan, &[0], crate::common::at(120.0), secs(5.0));
    let (witness, outcome) = witnessed(&plan, 0);
    assert_eq!(outcome.ledger.failed(), 0);
    let again = retries(&outcome);
    assert!((1..20).contains(&again), "{again}");
    // Each of these takes what it had lost and then all of its time.
    let slow = witness.served.iter().filter(|one| one.finished.since(one.sent) > secs(0.401));
    assert!(slow.clone().all(|one| one.finished.since(one.sent) <= secs(0.8)));
    assert!(slow.count() as u64 >= again - 1);
    plan.ingress.retry.on_reset = false;
    let lost = replicate(&plan, 0).ledger.failed_by(Failure::LostInFlight);
    assert_eq!(lost, again);
}

#[test]
fn what_an_ingress_instance_had_is_lost_with_it() {
    let mut plan = hanging();
    let lost = Fault::IngressLoss(InstanceTarget::One(0), Law::Constant(secs(30.0)));
    plan.faults = vec![fault(lost, 120.0)];
    let outcome = replicate(&plan, 0);
    let lost = outcome.ledger.failed_by(Failure::LostWithIngress);
    assert!(lost > 0 && outcome.ledger.failed_by(Failure::LostInFlight) == 0);
    assert_eq!(retries(&outcome), 0);
}

/// An upstream that answers half of the requests with an error, behind a gateway that costs
/// nothing, and an ingress that tries what failed with 503 again.
fn erring(errors: f64) -> Plan {
    let mut plan = plan(3, 200.0, 100.0);
    plan.gateway.demand = Law::ZERO;
    let answers = upstream(Law::Constant(secs(0.1)));
    plan.dependencies = with_upstream(Upstream { errors: Share(errors), ..answers });
    plan.ingress.retries = 2;
    plan.ingress.retry = RetryRules { on_statuses: vec![503], ..RetryRules::CONNECT_FAILURE };
    plan
}

#[test]
fn answers_with_a_listed_status_are_tried_again() {
    let outcome = replicate(&erring(0.5), 0);
    let failed = outcome.ledger.failed() as f64 / outcome.ledger.decided() as f64;
    // Three tries fail together in one of eight cases: 20 000 requests, four standard errors.
    assert!((failed - 0.125).abs() < 4.0 * (0.125 * 0.875 / 20_000.0_f64).sqrt(), "{failed}");
    let mut other = erring(0.5);
    other.ingress.retry.on_statuses = vec![502, 504];
    let outcome = replicate(&other, 0);
    let failed = outcome.ledger.failed() as f64 / outcome.ledger.decided() as f64;
    assert!((failed - 0.5).abs() < 0.015 && retries(&outcome) == 0, "{failed}");
}

#[test]
fn an_instance_tries_no_more_at_once_than_it_may() {
    let mut plan = erring(1.0);
    plan.ingress.retry.at_once = RetryLimit::Count(5);
    let outcome = replicate(&plan, 0);
    // Each request that is tried again is so for 0.1 or 0.2 s, in 100 s.
    let most = 5.0 * 100.0 / 0.1;
    let made = retries(&outcome) as f64;
    assert!(made <= most && made > 0.8 * most, "{made} of {most}");
    plan.ingress.retry.at_once = RetryLimit::None;
    let outcome = replicate(&plan, 0);
    assert!(retries(&outcome) as f64 > 1.99 * outcome.ledger.decided() as f64);
}

#[test]
fn no_try_goes_on_after_the_time_that_a_request_has() {
    let mut plan = hanging();
    let hang = |slot: usize| fault(Fault::ReplicaHang(ReplicaTarget::Slot(slot)), 120.0);
    plan.faults = (0..3).map(hang).collect();
    plan.ingress.request_timeout = secs(5.0);
    let (witness, _) = witnessed(&plan, 0);
    let timed_out = witness.failed.iter().filter(|(.., way)| *way == Failure::TimedOut);
    let took: Vec<Span> = timed_out.map(|(sent, at, _)| at.since(sent.at)).collect();
    assert!(took.len() > 30, "{}", took.len());
    assert!(took.iter().all(|took| *took == secs(5.0)), "{took:?}");
    // Without it there are three tries of 3 s.
    plan.ingress.request_timeout = Span::MAX;
    let (witness, _) = witnessed(&plan, 0);
    let longest = witness.failed.iter().map(|(sent, at, _)| at.since(sent.at)).max();
    assert_eq!(longest, Some(secs(9.0)));
}

#[test]
fn the_ingress_waits_longer_before_each_further_try() {
    let mut plan = erring(1.0);
    plan.ingress.retry.backoff = secs(0.5);
    let (witness, _) = witnessed(&plan, 0);
    let took = witness.failed.iter().map(|(sent, at, _)| at.since(sent.at).as_secs());
    let mean = took.sum::<f64>() / witness.failed.len() as f64;
    // Three answers of 0.1 s, and waits of U(0, 0.5) s and U(0, 1.5) s.
    assert!((mean - 1.3).abs() < 0.02, "{mean}");
}

#[test]
fn nothing_is_tried_again_that_its_client_gave_up() {
    let mut plan = hanging();
    plan.dependencies = bystanders();
    plan.dependencies.clients.patience = Some(secs(3.2));
    let (witness, outcome) = witnessed(&plan, 0);
    // 0.2 s are not enough for the second try.
    let given_up = witness.failed.iter().filter(|(.., way)| *way == Failure::GivenUp).count();
    assert!(given_up > 30 && outcome.ledger.balances() && outcome.attempts.balances());
    assert_eq!(given_up as u64, outcome.ledger.failed());
}

#[test]
fn two_choices_are_as_good_as_theory_says() {
    // Mitzenmacher (2001), table I: 100 queues at 90 %, two choices: 2.64 service times in the mean
    // (limit of many queues 2.61); at random it is ten.
    let mut plan = plan(100, 9_000.0, 60.0);
    plan.gateway.demand = Law::Exponential(secs(0.01));
    plan.ingress.balancing = Balancing::LeastRequest;
    plan.run.warm_up = crate::common::at(20.0);
    let outcome = replicate(&plan, 0);
    let mean = outcome.windows[0].latency.mean().unwrap().as_secs() / 0.01;
    assert!((2.55..2.75).contains(&mean), "{mean}");
}

#[test]
fn a_replica_that_dies_takes_the_requests_that_it_had_along() {
    let mut plan = plan(3, 300.0, 120.0);
    plan.ingress.balancing = Balancing::LeastRequest;
    plan.gateway.demand = Law::Exponential(secs(0.008));
    plan.faults = vec![crash(60.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    assert!(outcome.ledger.balances() && outcome.ledger.failed_by(Failure::LostInFlight) > 0);
    // Whoever comes for it begins with none: half a minute later all three have alike.
    let late = witness.served.iter().filter(|served| served.sent > crate::common::at(90.0));
    let mut by_replica = std::collections::BTreeMap::new();
    late.for_each(|served| *by_replica.entry(served.replica).or_insert(0.0) += 1.0);
    let mean = by_replica.values().sum::<f64>() / 3.0;
    assert!(by_replica.len() == 3 && mean > 2_500.0, "{by_replica:?}");
    assert!(by_replica.values().all(|count| (count / mean - 1.0).abs() < 0.1), "{by_replica:?}");
}

#[test]
fn the_time_that_a_request_has_holds_while_its_connection_is_tried() {
    let mut plan = hanging();
    let crash = |slot: usize| fault(Fault::ReplicaCrash(ReplicaTarget::Slot(slot)), 120.0);
    plan.faults = (0..2).map(crash).collect();
    plan.detection.crash = Law::Constant(secs(60.0));
    plan.ingress.dead_address = DeadAddress::Drops;
    (plan.ingress.connect_timeout, plan.ingress.request_timeout) = (secs(2.0), secs(3.0));
    for (retries, cut) in [(2, 3.0), (0, 2.0)] {
        plan.ingress.retries = retries;
        let (witness, _) = witnessed(&plan, 0);
        let took = |served: &Served| served.finished.since(served.sent);
        assert!(witness.served.iter().all(|served| took(served) <= secs(3.0)));
        let waited = witness.failed.iter().filter(|(.., way)| *way != Failure::LostInFlight);
        let waited: Vec<Span> = waited.map(|(sent, at, _)| at.since(sent.at)).collect();
        assert!(waited.len() > 100, "{retries} retries: {}", waited.len());
        assert!(waited.iter().all(|waited| *waited == secs(cut)), "{retries} retries: {waited:?}");
    }
}

#[test]
fn what_hangs_on_a_connection_to_a_lost_machine_is_tried_with_another() {
    let mut plan = hanging();
    let connections = 30;
    let idle_check = secs(2.0);
    plan.ingress.balancing = Balancing::PerConnection { connections, requests: None, idle_check };
    plan.ingress.dead_address = DeadAddress::Drops;
    plan.ingress.retries = 1;
    plan.faults = vec![fault(Fault::NodeLoss(ReplicaTarget::Slot(1), None), 120.0)];
    let failed = |plan: &Plan| {
        let outcomes = (0..10).map(|replication| replicate(plan, replication));
        let failed =
            outcomes.map(|one| (one.ledger.failed_by(Failure::DeadAddress), retries(&one)));
        failed.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    };
    // One retry has one try: with any of three machines a third would meet the lost one.
    let (dead, again) = failed(&plan);
    assert!(again > 200 && dead == 0, "{dead} of {again}");
}

/// The product as it is sold: two Large that may become three, of which one crashes at 900/s.
#[test]
fn retries_spare_failures_of_an_autoscaled_pair_and_not_its_backlog() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/replica-crash.toml");
    let run = |changes: &[&str]| {
        let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
        let scenario = load_changed(&path, &changes).scenario.expect("sound");
        replicate(&scenario.plan, 0)
    };
    let p99 = |outcome: &Outcome| outcome.windows[0].latency.quantile(0.99).unwrap().as_secs();
    let (plain, nginx) = (run(&[]), run(&["ingress.preset=\"ingress-nginx\""]));
    assert!(plain.ledger.failed() > 300 && nginx.ledger.failed() == 0);
    // The survivor has 1.26 times what it can serve, whoever tries what again.
    assert!(p99(&plain) > 2.0 && p99(&nginx) > 2.0, "{} and {}", p99(&plain), p99(&nginx));
}
