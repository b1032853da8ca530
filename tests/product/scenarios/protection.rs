//! The shipped scenarios about what gateways and upstreams do to protect themselves.

use brownout::observe::ledger::Failure;

use super::Ran;

/// The share that is lost of a load of so many Erlangs by so many servers.
fn erlang_loss(load: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |loss, server| load * loss / (f64::from(server) + load * loss))
}

#[test]
fn upstream_connections_used_up_leave_the_third_replica_what_the_others_do_not_keep() {
    let ran = Ran::of("upstream-connections-used-up");
    assert_eq!(ran.failed(), ran.failed_by(Failure::UpstreamFull));
    // The third has 40 connections for 430/s of 100 ms; what the ingress sends in turn comes more
    // evenly than by chance, so somewhat less is lost.
    let most = erlang_loss(43.0, 40) / 3.0;
    let share = ran.lost(300.0, 600.0);
    assert!((0.85 * most..most).contains(&share), "{share} of {most}");
    assert_eq!(ran.lost(60.0, 200.0), 0.0, "the third is not there yet");
}

#[test]
fn shedding_keeps_the_replicas_alive_that_would_run_out_of_memory() {
    let ran = Ran::of("shedding");
    assert_eq!(ran.failed(), ran.failed_by(Failure::Overloaded));
    for outcome in &ran.experiment.outcomes {
        assert_eq!(outcome.out_of_memory, 0);
        // 80 % of 2 048, and what comes at 300/s in a quarter of a second.
        let most = outcome.in_flight_peak;
        assert!((1_638..1_638 + 110).contains(&most), "{most}");
    }
    // It has 1 638, and 75 more or fewer that come or go between two looks: so many leave in 10 s,
    // of 3 000 that come.
    let share = ran.lost(260.0, 415.0);
    assert!((1.0 - 1_713.0 / 3_000.0..1.0 - 1_563.0 / 3_000.0).contains(&share), "{share}");
}

#[test]
fn readiness_asks_upstream_refuses_the_api_that_has_nothing_to_do_with_it() {
    let ran = Ran::of("readiness-asks-upstream");
    // Out after 10 to 20 s at the latest, and 2 s until the ingress knows; back after the end.
    let share = ran.lost(180.0 + 25.0, 300.0);
    assert_eq!(share, 1.0, "of all requests, not of half of them");
    let out = ran.failed_by(Failure::NoReadyReplica) as f64 / 10.0;
    assert!((400.0 * 98.0..400.0 * 125.0).contains(&out), "{out}");
    let mut free = super::load("readiness-asks-upstream");
    free.plan.detection.asks = brownout::plan::ProbesAsk::default();
    let free = brownout::experiment::run(&free.plan, Default::default(), &Default::default());
    let outcomes = free.unwrap().outcomes;
    let failed = |of: Failure| outcomes.iter().map(|one| one.ledger.failed_by(of)).sum::<u64>();
    assert_eq!(failed(Failure::NoReadyReplica), 0);
    let orders = failed(Failure::UpstreamFailed) as f64 / 10.0;
    assert!((orders / (200.0 * 120.0) - 1.0).abs() < 0.02, "half of the requests: {orders}");
}

impl Ran {
    /// The share of the requests that failed in these seconds of all replications.
    fn lost(&self, from: f64, to: f64) -> f64 {
        let timelines = self.experiment.outcomes.iter().filter_map(|one| one.timeline.as_ref());
        let rows = timelines.flat_map(|timeline| &timeline.total);
        let rows = rows.filter(|row| (from..to).contains(&row.start.as_secs()));
        let sum = rows.fold((0, 0), |(failed, offered), row| {
            (failed + row.failures.iter().sum::<u64>(), offered + row.offered)
        });
        sum.0 as f64 / sum.1 as f64
    }
}

#[test]
fn zones_preferred_fill_the_zone_with_one_replica_while_others_have_room() {
    let ran = Ran::of("zones-preferred");
    // Four replicas carry 77.7 %; the one alone in its zone gets a third instead of a quarter.
    for outcome in &ran.experiment.outcomes {
        assert_eq!(outcome.ledger.failed(), 0);
        let p99 = outcome.windows[0].latency.quantile(0.99).unwrap();
        assert!(p99.as_secs() > 10.0, "{p99}");
    }
}
