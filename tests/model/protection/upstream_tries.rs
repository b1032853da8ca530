//! The time of a try at an upstream, and tries beside each other. Theory: with i.i.d. exponential
//! services of mean m without queueing a try of time t is late with probability q = e^(−t/m), and
//! what is left of one that goes on is exponential again.

use brownout::observe::count::Count;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::policy::outlier::OutlierSpec;
use brownout::policy::retries::RetryLimit;
use brownout::random::Law;
use brownout::units::{Share, Span};

use crate::common::dependencies::{upstream, with_upstream};
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, replicate, secs};
use crate::derived::{evenly, fault};

/// The mean time of the upstream, and the time that a try has.
const MEAN: f64 = 0.1;
const TIME: f64 = 0.08;

/// 600/s for 50 s to a gateway that costs nothing, before this upstream.
fn before(upstream: Upstream) -> Plan {
    of(2, 600.0, upstream)
}

/// So many requests a second to so many replicas of it.
fn of(replicas: usize, rate: f64, upstream: Upstream) -> Plan {
    let mut plan = plan(replicas, rate, 50.0);
    plan.gateway.demand = Law::ZERO;
    (plan.ingress.delay, plan.ingress.hop) = (Span::ZERO, Span::ZERO);
    plan.dependencies = with_upstream(upstream);
    plan
}

/// One that takes so long, of which a try has so long.
fn tried(latency: Law, time: f64, retries: u32, hedges: bool) -> Upstream {
    Upstream { try_timeout: Some(secs(time)), retries, hedges, ..upstream(latency) }
}

fn memoryless(retries: u32, hedges: bool) -> Upstream {
    tried(Law::Exponential(secs(MEAN)), TIME, retries, hedges)
}

fn counted(outcome: &Outcome, count: Count) -> f64 {
    outcome.windows[0].counts[count as usize] as f64
}

/// Four standard errors of a share hold in 99.99 % of the cases.
#[track_caller]
fn expect_share(found: f64, share: f64, of: f64) {
    let error = (share * (1.0 - share) / of).sqrt();
    assert!((found - share).abs() < 4.0 * error, "{found}, not {share} of {of}");
}

/// How many of all requests were not served within so many seconds.
fn beyond(witness: &Witness, seconds: f64) -> f64 {
    let longer = witness.served.iter().filter(|one| one.finished.since(one.sent) > secs(seconds));
    (longer.count() + witness.failed.len()) as f64
}

#[test]
fn a_request_fails_when_all_of_its_tries_are_late_and_at_that_time() {
    for (retries, cancels) in [(0, false), (1, true), (2, false)] {
        let (witness, outcome) =
            witnessed(&before(Upstream { cancels, ..memoryless(retries, false) }), 0);
        let sent = outcome.ledger.offered as f64;
        let late = (-TIME / MEAN).exp();
        let failed = outcome.ledger.failed_by(Failure::UpstreamTimedOut);
        expect_share(failed as f64 / sent, late.powi(retries as i32 + 1), sent);
        assert_eq!(failed, outcome.ledger.failed());
        let all = secs(TIME * f64::from(retries + 1));
        assert!(witness.failed.iter().all(|(sent, end, _)| end.since(sent.at) == all));
        // The mean number of tries: (1 − q^(r + 1))/(1 − q).
        let again: f64 = (1..=retries as i32).map(|k| late.powi(k)).sum();
        let made = counted(&outcome, Count::UpstreamRetry);
        assert!((made - again * sent).abs() <= 4.0 * (again * sent).sqrt(), "{made} of {sent}");
        // A try that begins anew where one ended is as one that goes on: P(L > x) = e^(−x/m).
        for x in [0.02, 0.05, 0.07, 0.1, 0.15, 0.2, 0.23] {
            if x < all.as_secs() {
                expect_share(beyond(&witness, x) / sent, (-x / MEAN).exp(), sent);
            }
        }
        assert_eq!(counted(&outcome, Count::UpstreamHedge), 0.0);
    }
}

#[test]
fn of_a_service_that_is_slow_now_and_then_the_slow_tries_are_given_up() {
    // A quarter take a second, and the others 5 ms: 5 ms, 105 ms, 205 ms or not at all.
    let latency = Law::Empirical([5e6, 5e6, 5e6, 1e9].into());
    let (witness, outcome) = witnessed(&before(tried(latency, 0.1, 2, false)), 0);
    let sent = outcome.ledger.offered as f64;
    for (k, share) in [0.75, 0.75 * 0.25, 0.75 / 16.0].into_iter().enumerate() {
        let took = secs(0.005 + 0.1 * k as f64);
        let so = witness.served.iter().filter(|one| one.finished.since(one.sent) == took);
        expect_share(so.count() as f64 / sent, share, sent);
    }
    expect_share(outcome.ledger.failed() as f64 / sent, 1.0 / 64.0, sent);
}

#[test]
fn a_try_that_is_hedged_races_the_next_one() {
    for retries in [1, 2] {
        let (witness, outcome) = witnessed(&before(memoryless(retries, true)), 0);
        let sent = outcome.ledger.offered as f64;
        assert_eq!(outcome.ledger.failed(), 0);
        // At rate 1/m up to t, 2/m up to 2t, then 2/m or 3/m.
        let survives = |x: f64| {
            let parts = [x.min(TIME), 2.0 * (x - TIME).clamp(0.0, TIME)];
            let last = f64::from(retries + 1) * (x - 2.0 * TIME).max(0.0);
            (-(parts.iter().map(|part| part.max(0.0)).sum::<f64>() + last) / MEAN).exp()
        };
        for x in [0.02, 0.07, 0.1, 0.13, 0.155, 0.18, 0.22, 0.26] {
            expect_share(beyond(&witness, x) / sent, survives(x), sent);
        }
        let first = (-TIME / MEAN).exp();
        let second = if retries == 1 { 0.0 } else { first.powi(3) };
        let hedges = counted(&outcome, Count::UpstreamHedge);
        assert_eq!(hedges, counted(&outcome, Count::UpstreamRetry));
        let expected = sent * (first + second);
        assert!((hedges - expected).abs() < 4.0 * expected.sqrt(), "{hedges}, not {expected}");
        if retries == 1 {
            expect_share(counted(&outcome, Count::UpstreamHedgeWon) / hedges, 0.5, hedges);
        }
    }
}

#[test]
fn the_time_of_all_tries_ends_those_that_are_open() {
    let mut upstream = memoryless(1, true);
    upstream.timeout = secs(0.2);
    let (witness, outcome) = witnessed(&before(upstream), 0);
    let sent = outcome.ledger.offered as f64;
    let failed = outcome.ledger.failed_by(Failure::UpstreamTimedOut) as f64;
    // P(S1 > T)·P(S2 > T − t).
    expect_share(failed / sent, (-(0.2 + 0.2 - TIME) / MEAN).exp(), sent);
    assert!(witness.failed.iter().all(|(sent, end, _)| end.since(sent.at) == secs(0.2)));
}

#[test]
fn a_failure_is_dropped_while_another_try_is_open() {
    // Every try takes 0.15 s and is late after 0.1 s: the second is over after 0.25 s.
    let mut upstream = tried(Law::Constant(secs(0.15)), 0.1, 1, true);
    upstream.errors = Share(0.3);
    let (witness, outcome) = witnessed(&before(upstream), 0);
    let sent = outcome.ledger.offered as f64;
    for (took, share) in [(0.15, 0.7), (0.25, 0.3 * 0.7)] {
        let so = witness.served.iter().filter(|one| one.finished.since(one.sent) == secs(took));
        expect_share(so.count() as f64 / sent, share, sent);
    }
    expect_share(outcome.ledger.failed_by(Failure::UpstreamFailed) as f64 / sent, 0.09, sent);
    assert!(witness.failed.iter().all(|(sent, end, _)| end.since(sent.at) == secs(0.25)));
}

/// One request a second to one replica with one connection to its upstream, whose every try takes
/// 0.15 s and is late after 0.1 s.
fn one_connection(errors: f64, retries: RetryLimit) -> Plan {
    let breaker = BreakerSpec { connections: Some(1), retries, ..BreakerSpec::NONE };
    let hedged = tried(Law::Constant(secs(0.15)), 0.1, 1, true);
    let mut plan = of(1, 1.0, Upstream { breaker, errors: Share(errors), ..hedged });
    evenly(&mut plan);
    plan
}

#[test]
fn a_hedge_waits_for_a_connection_which_it_may_have_from_the_try_beside_it() {
    for (errors, took) in [(0.0, 0.15), (1.0, 0.3)] {
        let (witness, outcome) = witnessed(&one_connection(errors, RetryLimit::None), 0);
        let ends = witness.served.iter().map(|one| one.finished.since(one.sent));
        let failed = witness.failed.iter().map(|(sent, end, _)| end.since(sent.at));
        let ends: Vec<Span> = ends.chain(failed).collect();
        assert!(ends.len() >= 49 && ends.iter().all(|end| *end == secs(took)), "{ends:?}");
        assert!(counted(&outcome, Count::UpstreamHedge) >= 49.0);
        assert_eq!(counted(&outcome, Count::UpstreamHedgeWon), 0.0);
        let failed = outcome.ledger.failed_by(Failure::UpstreamFailed);
        assert_eq!(failed, if errors > 0.0 { ends.len() as u64 } else { 0 });
    }
}

#[test]
fn what_has_no_place_among_the_retries_is_not_hedged() {
    let (witness, outcome) = witnessed(&one_connection(0.0, RetryLimit::Count(0)), 0);
    assert_eq!(counted(&outcome, Count::UpstreamRetry), 0.0);
    assert!(witness.served.iter().all(|one| one.finished.since(one.sent) == secs(0.15)));
}

#[test]
fn a_host_that_is_silent_costs_the_time_of_a_try_until_it_is_ejected() {
    let silent = |outliers| {
        let hosts =
            Upstream { hosts: 2, outliers, ..tried(Law::Constant(secs(0.01)), 0.1, 1, false) };
        let mut plan = before(hosts);
        let target = HostTarget { upstream: 0, host: Some(0) };
        let outage = Fault::UpstreamOutage(target, Down::Silent, Law::Constant(secs(1e4)));
        plan.faults = vec![fault(outage, 0.0)];
        let outcome = replicate(&plan, 0);
        let failed = outcome.ledger.failed_by(Failure::UpstreamTimedOut);
        assert_eq!(failed, outcome.ledger.failed());
        (outcome.ledger.offered as f64, counted(&outcome, Count::UpstreamRetry), failed as f64)
    };
    // In turn, so that half of the n + r tries are late: r of the first, f of the second ones.
    let (sent, again, failed) = silent(None);
    assert!((2.0 * failed + again - sent).abs() < 200.0, "{failed} and {again} of {sent}");
    assert!((0.45..0.55).contains(&(again / sent)), "{again} of {sent}");
    let rule = OutlierSpec {
        consecutive_gateway: Some(5),
        max_ejected: Share(0.5),
        base_ejection: secs(1e4),
        panic: Share::ZERO,
        ..OutlierSpec::default()
    };
    // Five late tries of each replica, and what was sent there before they were late.
    let (_, again, failed) = silent(Some(rule));
    assert!((10.0..150.0).contains(&again) && failed < again, "{failed} of {again}");
}

#[test]
fn work_that_is_given_up_goes_on_or_leaves_its_worker_to_the_next() {
    // A worker takes 30 s instead of 0.3 s for what it begins between 10 s and 20 s; a try has one.
    for cancels in [true, false] {
        let late = tried(Law::Constant(secs(0.3)), 1.0, 0, false);
        let mut plan = of(1, 2.0, Upstream { workers: Some(1), cancels, ..late });
        evenly(&mut plan);
        let target = HostTarget { upstream: 0, host: None };
        let slow = Fault::UpstreamSlow(target, 100.0, Law::Constant(secs(10.0)));
        plan.faults.push(fault(slow, 10.0));
        let (witness, _) = witnessed(&plan, 0);
        let inside = |time| (at(22.0)..at(39.0)).contains(&time);
        let served = witness.served.iter().filter(|one| inside(one.finished)).count();
        let expected = if cancels { 34_usize } else { 0 };
        assert!(served.abs_diff(expected) <= 1, "{served} with cancels = {cancels}");
    }
}

#[test]
fn a_time_of_tries_that_is_never_over_changes_nothing() {
    let plain = upstream(Law::Exponential(secs(MEAN)));
    let plain = Upstream { timeout: secs(0.3), errors: Share(0.1), retries: 2, ..plain };
    let with = |try_timeout| replicate(&before(Upstream { try_timeout, ..plain.clone() }), 0);
    let without = with(None);
    assert!(without.ledger.failed_by(Failure::UpstreamTimedOut) > 100);
    assert_eq!(with(Some(secs(0.3))).digest, without.digest);
    assert_ne!(with(Some(secs(0.2))).digest, without.digest);
}
