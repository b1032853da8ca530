//! Admission control: what is turned away is what the formula says of what comes back.

use brownout::observe::ledger::{Failure, Ledger};
use brownout::plan::*;
use brownout::policy::admission::AdmissionSpec;
use brownout::random::Law;
use brownout::units::{Rate, Share, Span};

use crate::common::dependencies::{upstream, with_upstream};
use crate::common::witness::witnessed;
use crate::common::{at, plan, replicate, secs};
use crate::derived::fault;

/// 400/s for so long to one replica that costs nothing, which admits by default what an upstream
/// answers after 0.1 s.
fn admitting(horizon: f64) -> Plan {
    let mut plan = plan(1, 400.0, horizon);
    plan.gateway.demand = Law::ZERO;
    let answers = upstream(Law::Exponential(secs(0.1)));
    let admission = Some(AdmissionSpec::default());
    plan.dependencies = with_upstream(Upstream { admission, ..answers });
    plan
}

fn turned_away(ledger: &Ledger) -> f64 {
    ledger.failed_by(Failure::NotAdmitted) as f64 / ledger.decided() as f64
}

#[test]
fn of_what_fails_by_itself_so_much_is_turned_away_as_the_formula_says() {
    // p = ((n − n·s/0.95)/(n + 1))^(1/a): the success s of what is admitted does not depend on it.
    for (errors, aggression, expected) in [
        (0.5, 1.0, 1.0 - 0.5 / 0.95),
        (0.3, 1.0, 1.0 - 0.7 / 0.95),
        (0.3, 2.0, (1.0 - 0.7 / 0.95_f64).sqrt()),
        (0.04, 1.0, 0.0),
        (0.99, 1.0, 0.8),
    ] {
        let mut plan = admitting(400.0);
        let upstream = &mut plan.dependencies.upstreams[0];
        upstream.errors = Share(errors);
        upstream.admission = Some(AdmissionSpec { aggression, ..AdmissionSpec::default() });
        plan.run.warm_up = at(40.0);
        let outcome = replicate(&plan, 0);
        let ledger = &outcome.windows[0].ledger;
        let found = turned_away(ledger);
        // The answers of a window scatter with √(s(1 − s)/n)/0.95, of which there are twelve.
        let admitted = 144_000.0 * (1.0 - expected);
        let error = (0.25 / 144_000.0_f64).sqrt() + (errors * (1.0 - errors) / admitted).sqrt();
        let error = if aggression > 1.0 { error / expected } else { error };
        assert!((found - expected).abs() < 4.0 * error, "{found}, not {expected}, of {errors}");
        let failed = ledger.failed_by(Failure::UpstreamFailed) as f64;
        let share = failed / (ledger.decided() as f64 * (1.0 - found));
        assert!((share - errors).abs() < 0.01, "{share} of what was admitted");
    }
}

/// Erlang's loss formula.
fn loss(load: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |b, n| load * b / (f64::from(n) + load * b))
}

#[test]
fn an_overload_settles_where_what_is_admitted_succeeds_as_often_as_the_formula_needs_for_that() {
    // 40 Erlang to twenty connections. With the share a admitted 1 − B(40a, 20) of it succeeds, and
    // a = (1 − B)/0.95: the more is admitted, the less succeeds, and there is one such a.
    let mut plan = admitting(400.0);
    let limit = HostLimit { connections: 20, keep_alive: Span::ZERO };
    plan.dependencies.upstreams[0].accepts = Some(limit);
    plan.run.warm_up = at(60.0);
    let ledger = replicate(&plan, 0).windows[0].ledger;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        match (1.0 - loss(40.0 * middle, 20)) / 0.95 > middle {
            true => low = middle,
            false => high = middle,
        }
    }
    assert!((0.6..0.8).contains(&low), "{low} is far from both ends");
    let admitted = 1.0 - turned_away(&ledger);
    assert!((admitted - low).abs() < 0.01, "{admitted}, not {low}");
    let refused = ledger.failed_by(Failure::UpstreamFull) as f64 / ledger.decided() as f64;
    let expected = low * loss(40.0 * low, 20);
    assert!((refused - expected).abs() < 0.01, "{refused}, not {expected}");
}

#[test]
fn what_is_turned_away_grows_to_its_most_and_ends_a_window_after_the_outage() {
    let mut plan = admitting(200.0);
    let target = HostTarget { upstream: 0, host: None };
    let outage = Fault::UpstreamOutage(target, Down::Refuses, Law::Constant(secs(60.0)));
    plan.faults = vec![fault(outage, 60.0)];
    let (witness, outcome) = witnessed(&plan, 0);
    let away = |from: f64, to: f64| {
        let of = |way: Option<Failure>| {
            let failed =
                witness.failed.iter().filter(|(.., failure)| way.is_none_or(|way| way == *failure));
            failed.filter(|(sent, ..)| at(from) <= sent.at && sent.at < at(to)).count() as f64
        };
        (of(Some(Failure::NotAdmitted)), of(None))
    };
    // Nothing before; 4 of 5 once nothing that was good is in the window.
    assert_eq!(away(0.0, 60.0).0, 0.0);
    let (turned, failed) = away(92.0, 120.0);
    let share = turned / failed;
    let error = (0.16 / failed).sqrt();
    assert!(failed > 10_000.0 && (share - 0.8).abs() < 4.0 * error, "{share} of {failed}");
    // Back: less and less, and nothing once the outage is out of the window.
    assert!(away(121.0, 140.0).0 > 100.0);
    assert_eq!(away(151.0, 200.0), (0.0, 0.0));
    assert!(outcome.ledger.balances());
}

/// Three replicas of which one hangs for ever, which nobody notices; the ingress waits for 1 s.
fn one_hangs() -> Plan {
    let mut plan = plan(3, 300.0, 300.0);
    plan.gateway.demand = Law::Constant(secs(0.000_1));
    plan.ingress.read_timeout = secs(1.0);
    plan.ingress.balancing = Balancing::Random;
    plan.ingress.admission = Some(AdmissionSpec::default());
    plan.startup.readiness.failures = 1_000;
    plan.detection.liveness.failures = 1_000;
    plan.faults = vec![fault(Fault::ReplicaHang(ReplicaTarget::Slot(0)), 0.0)];
    plan.run.warm_up = at(60.0);
    plan
}

#[test]
fn an_ingress_turns_away_what_would_fail_by_what_it_saw() {
    let plan = one_hangs();
    assert!(!plan.is_open_loop());
    let ledger = replicate(&plan, 0).windows[0].ledger;
    // A third of what is admitted times out: p = 1 − (2/3)/0.95.
    let expected = 1.0 - 2.0 / 3.0 / 0.95;
    let found = turned_away(&ledger);
    assert!((found - expected).abs() < 0.01, "{found}, not {expected}");
    let timed_out = ledger.failed_by(Failure::TimedOut) as f64 / ledger.decided() as f64;
    assert!((timed_out - (1.0 - expected) / 3.0).abs() < 0.01, "{timed_out}");
}

#[test]
fn nothing_is_turned_away_where_little_comes_and_retries_are_judged_by_their_end() {
    let mut plan = one_hangs();
    plan.ingress.admission =
        Some(AdmissionSpec { least: Rate(1_000.0), ..AdmissionSpec::default() });
    assert_eq!(turned_away(&replicate(&plan, 0).ledger), 0.0);
    // With another try elsewhere every request ends well.
    let mut plan = one_hangs();
    plan.ingress.retries = 1;
    plan.ingress.retry = RetryRules { on_timeout: true, ..RetryRules::CONNECT_FAILURE };
    assert_eq!(replicate(&plan, 0).ledger.failed(), 0);
}
