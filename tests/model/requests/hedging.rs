//! Tries that the ingress sends beside one that takes long. Theory: with i.i.d. exponential
//! services without queueing what is left of the first try is exponential again, so that beyond the
//! time of a try k tries race with k times the rate.

use brownout::observe::count::Count;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::observe::{Observation, Served};
use brownout::plan::*;
use brownout::policy::outlier::OutlierSpec;
use brownout::policy::retries::RetryLimit;
use brownout::random::Law;
use brownout::units::{Share, Span};

use crate::common::dependencies::{upstream, with_upstream};
use crate::common::witness::witnessed;
use crate::common::{at, plan, replicate, secs};
use crate::derived::fault;

/// The mean time of the upstream, and the time that a try has.
const MEAN: f64 = 0.1;
const TIME: f64 = 0.1;
/// Requests of one run.
const REQUESTS: f64 = 60_000.0;

/// 600/s for 100 s to a gateway that costs nothing, before an upstream that works on any number at
/// once; so many hedges.
fn memoryless(retries: u32) -> Plan {
    let mut plan = plan(3, 600.0, 100.0);
    plan.gateway.demand = Law::ZERO;
    plan.dependencies = with_upstream(upstream(Law::Exponential(secs(MEAN))));
    plan.ingress.retries = retries;
    plan.ingress.retry = RetryRules { hedges: true, ..RetryRules::CONNECT_FAILURE };
    (plan.ingress.read_timeout, plan.ingress.request_timeout) = (secs(TIME), secs(60.0));
    plan
}

fn counted(outcome: &Outcome, count: Count) -> f64 {
    outcome.windows[0].counts[count as usize] as f64
}

/// Four standard errors of a share hold in 99.99 % of the cases.
fn expect_share(found: f64, share: f64, of: f64) {
    let error = (share * (1.0 - share) / of).sqrt();
    assert!((found - share).abs() < 4.0 * error, "{found}, not {share} of {of}");
}

/// The share of the requests that took longer.
fn beyond(served: &[Served], seconds: f64) -> f64 {
    let longer = served.iter().filter(|one| one.finished.since(one.sent) > secs(seconds));
    longer.count() as f64 / served.len() as f64
}

#[test]
fn beyond_the_time_of_a_try_the_rate_of_answers_doubles_and_then_trebles() {
    for retries in [1, 2] {
        let (witness, outcome) = witnessed(&memoryless(retries), 0);
        let served = &witness.served;
        assert_eq!(outcome.ledger.failed(), 0);
        let sent = served.len() as f64;
        // P(L > x): at rate 1/m up to t, 2/m up to 2t, then 2/m or 3/m.
        let survives = |x: f64| {
            let last = if retries == 1 { 2.0 } else { 3.0 };
            let parts = [x.min(TIME), 2.0 * (x - TIME).clamp(0.0, TIME), last * (x - 2.0 * TIME)];
            (-parts.map(|part| part.max(0.0)).iter().sum::<f64>() / MEAN).exp()
        };
        for x in [0.02, 0.05, 0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.35] {
            expect_share(beyond(served, x), survives(x), sent);
        }
        // More load: P(S > t) for the first, and P(S > 2t)·P(S > t) for the second.
        let first = (-TIME / MEAN).exp();
        let second = if retries == 1 { 0.0 } else { first.powi(3) };
        let hedges = counted(&outcome, Count::Hedge);
        assert_eq!(hedges, counted(&outcome, Count::IngressRetry));
        let error = (sent * (first + second)).sqrt();
        assert!((hedges - sent * (first + second)).abs() < 4.0 * error, "{hedges} of {sent}");
        // With one hedge either is as likely to be the first.
        if retries == 1 {
            expect_share(counted(&outcome, Count::HedgeWon) / hedges, 0.5, hedges);
        }
    }
}

#[test]
fn the_mean_is_that_of_theory_and_the_load_of_both_tries_ends_with_the_first_answer() {
    // m(1 − ½·e^(−t/m)); by Little's law so many are with the gateway, and each hedge for m/2.
    let outcome = replicate(&memoryless(1), 0);
    let mean = outcome.windows[0].latency.mean().unwrap().as_secs();
    let expected = MEAN * (1.0 - 0.5 * (-TIME / MEAN).exp());
    let error = MEAN / REQUESTS.sqrt();
    assert!((mean - expected).abs() < 4.0 * error, "{mean}, not {expected}");
}

#[test]
fn what_may_not_be_tried_again_waits_alone() {
    let mut plan = memoryless(1);
    plan.ingress.retry.non_idempotent = false;
    plan.ingress.retry.idempotent = Share(0.3);
    let (witness, outcome) = witnessed(&plan, 0);
    let sent = witness.served.len() as f64;
    assert_eq!(outcome.ledger.failed(), 0, "nothing is given up at the time of a try");
    let late = (-TIME / MEAN).exp();
    expect_share(counted(&outcome, Count::Hedge) / sent, 0.3 * late, sent);
    let tail = late * (0.3 * (-2.0_f64).exp() + 0.7 * (-1.0_f64).exp());
    expect_share(beyond(&witness.served, 0.2), tail, sent);
}

#[test]
fn hedges_fall_under_the_limit_of_tries_at_once() {
    // Hedges are asked for as a Poisson process and last m/2 each: Erlang's loss formula.
    let mut plan = memoryless(1);
    plan.ingress.retry.at_once = RetryLimit::Count(10);
    let outcome = replicate(&plan, 0);
    let wanted = 600.0 * (-TIME / MEAN).exp();
    let offered = wanted * MEAN / 2.0;
    let blocked = (1..=10).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
    assert!((0.2..0.4).contains(&blocked), "a limit that matters: {blocked}");
    let made = counted(&outcome, Count::Hedge) / 100.0;
    let expected = wanted * (1.0 - blocked);
    assert!((made / expected - 1.0).abs() < 0.02, "{made}, not {expected} a second");
}

#[test]
fn a_bad_answer_is_dropped_while_another_try_is_open_unless_it_would_not_be_tried_again() {
    let mut plan = memoryless(1);
    plan.dependencies.upstreams[0].errors = Share(0.4);
    let failed = |plan: &Plan| {
        let ledger = replicate(plan, 0).ledger;
        assert!(ledger.balances());
        ledger.failed_by(Failure::UpstreamFailed) as f64 / ledger.decided() as f64
    };
    // The first answer counts whatever it is.
    expect_share(failed(&plan), 0.4, REQUESTS);
    // Both tries have to fail, one after the other or beside each other.
    plan.ingress.retry.on_statuses = vec![503];
    expect_share(failed(&plan), 0.16, REQUESTS);
    // With two further tries all three, however they overlap.
    plan.ingress.retries = 2;
    expect_share(failed(&plan), 0.064, REQUESTS);
}

/// Three replicas with requests of 0.4 s, of which so many hang after a minute.
fn hanging(slots: usize) -> Plan {
    let mut plan = plan(3, 15.0, 200.0);
    plan.gateway.cores.0 = 64.0;
    plan.gateway.demand = Law::Constant(secs(0.4));
    plan.ingress.retries = 1;
    plan.ingress.retry = RetryRules { hedges: true, ..RetryRules::CONNECT_FAILURE };
    (plan.ingress.read_timeout, plan.ingress.request_timeout) = (secs(1.0), secs(7.0));
    plan.startup.readiness.failures = 1_000;
    plan.detection.liveness.failures = 1_000;
    let hang = |slot| fault(Fault::ReplicaHang(ReplicaTarget::Slot(slot)), 60.0);
    plan.faults = (0..slots).map(hang).collect();
    plan
}

#[test]
fn a_hung_replica_costs_the_time_of_a_try_though_retries_are_not_for_time_outs() {
    let (witness, outcome) = witnessed(&hanging(1), 0);
    assert_eq!((outcome.ledger.failed(), outcome.ledger.balances()), (0, true));
    let slow = witness.served.iter().filter(|one| one.finished.since(one.sent) > secs(0.41));
    let slow: Vec<f64> = slow.map(|one| one.finished.since(one.sent).as_secs()).collect();
    assert!(slow.len() > 500, "{}", slow.len());
    assert!(slow.iter().all(|took| (1.4..1.401).contains(took)), "{slow:?}");
    let in_time = witness.served_in_time().filter(|one| one.finished.since(one.sent) > secs(0.41));
    assert_eq!(in_time.count() as f64, counted(&outcome, Count::HedgeWon));
}

#[test]
fn all_tries_end_with_the_time_that_the_request_has() {
    let (witness, outcome) = witnessed(&hanging(3), 0);
    let took = witness.failed.iter().map(|(sent, at, _)| at.since(sent.at));
    let took: Vec<Span> = took.collect();
    assert!(took.len() > 1_500 && took.iter().all(|took| *took == secs(7.0)), "{}", took.len());
    assert_eq!(outcome.ledger.failed(), outcome.ledger.failed_by(Failure::TimedOut));
    assert_eq!(outcome.attempts.offered, outcome.ledger.offered, "a hedge is no attempt");
}

#[test]
fn a_late_try_counts_for_outlier_detection_when_it_is_late_and_once() {
    let mut plan = hanging(1);
    let consecutive_5xx = Some(20);
    let spec = OutlierSpec { consecutive_5xx, max_ejected: Share(0.5), ..OutlierSpec::default() };
    plan.ingress.outliers = Some(spec);
    let (witness, _) = witnessed(&plan, 0);
    let avoided = witness.times(|fact| matches!(fact, Observation::Avoided(_)));
    // About twenty requests, of which a third of 15/s come: 4 s, and the time of a try. If they
    // counted at their end it would be 7 s at least, and if they counted twice half of that.
    let first = avoided.first().unwrap().since(at(60.0)).as_secs();
    let taken = |one: &&Served| {
        one.finished.since(one.sent) > secs(1.0) && one.sent < *avoided.first().unwrap()
    };
    let late = witness.served.iter().filter(taken);
    let before = late.filter(|one| one.sent + secs(1.0) <= *avoided.first().unwrap()).count();
    assert_eq!(before, 20, "ejected after {first} s");
}

#[test]
fn a_client_that_gives_up_ends_all_tries_or_leaves_them_to_go_on() {
    for cancels in [true, false] {
        let mut plan = memoryless(1);
        plan.dependencies.clients.patience = Some(secs(0.15));
        plan.dependencies.clients.cancels = cancels;
        let (witness, outcome) = witnessed(&plan, 0);
        assert!(outcome.ledger.balances() && outcome.attempts.balances());
        let given_up = outcome.ledger.failed_by(Failure::GivenUp) as f64;
        // P(L > 0.15) = e^(−1 − 2·0.5).
        expect_share(given_up / REQUESTS, (-2.0_f64).exp(), REQUESTS);
        let took = witness.failed.iter().all(|(sent, end, _)| end.since(sent.at) == secs(0.15));
        assert!(took && outcome.ledger.failed() as f64 == given_up);
        let wasted = counted(&outcome, Count::Wasted);
        // Of what goes on the first try ends with an answer, and the second, after 0.05 s, if one
        // comes within the time of a try.
        let in_time = 1.0 - (-0.5_f64).exp();
        match cancels {
            true => assert_eq!(wasted, 0.0),
            false => expect_share(wasted / given_up - 1.0, in_time, given_up),
        }
    }
}

#[test]
fn what_dies_with_a_replica_or_an_instance_ends_once() {
    for (kind, lost) in [
        (Fault::IngressLoss(InstanceTarget::One(0), Law::Constant(secs(10.0))), true),
        (Fault::ReplicaCrash(ReplicaTarget::Slot(0)), false),
    ] {
        let mut plan = memoryless(2);
        plan.ingress.dead_address = DeadAddress::Refuses;
        plan.faults = vec![fault(kind, 50.0)];
        let outcome = replicate(&plan, 0);
        assert!(outcome.ledger.balances() && outcome.attempts.balances());
        assert_eq!(outcome.attempts.offered, outcome.ledger.offered);
        let way = if lost { Failure::LostWithIngress } else { Failure::LostInFlight };
        let hit = outcome.ledger.failed_by(way);
        // Some 50 are under way at the instance; of those with the replica the ones with a hedge
        // go on elsewhere.
        assert!(hit > 0 && (hit > 25) == lost, "{hit}");
    }
}
