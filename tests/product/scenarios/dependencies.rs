//! The shipped scenarios about clients, caches, limits, upstreams and recorded traffic.

use brownout::experiment::{self, Options, Progress};
use brownout::observe::count::Count;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::WindowOutcome;
use brownout::observe::timeline::TotalRow;
use brownout::verdict::{Overall, Verdict};

use super::{Ran, seconds};

/// Hits among the look-ups.
fn hit_ratio<'a>(windows: impl Iterator<Item = &'a WindowOutcome>) -> f64 {
    let (mut hits, mut lookups) = (0.0, 0.0);
    for window in windows {
        hits += window.counts[Count::Hit as usize] as f64;
        lookups +=
            (window.counts[Count::Hit as usize] + window.counts[Count::Miss as usize]) as f64;
    }
    hits / lookups
}

impl Ran {
    fn windows(&self, label: &str) -> impl Iterator<Item = &WindowOutcome> {
        let labels = &self.scenario.plan.windows;
        let window = labels.iter().position(|window| window.label == label).unwrap();
        self.experiment.outcomes.iter().map(move |outcome| &outcome.windows[window])
    }

    /// Rows of the first replication's timeline from one second to another.
    fn rows(&self, from: f64, to: f64) -> impl Iterator<Item = &TotalRow> {
        let timeline = self.experiment.outcomes[0].timeline.as_ref().unwrap();
        timeline.total.iter().filter(move |row| (from..to).contains(&row.start.as_secs()))
    }

    /// Requests answered per second of the first replication in these seconds.
    fn goodput(&self, from: f64, to: f64) -> f64 {
        self.rows(from, to).map(|row| row.served as f64).sum::<f64>() / (to - from)
    }

    /// Attempts per request of the first replication in these seconds.
    fn amplification(&self, from: f64, to: f64) -> f64 {
        let sum = |of: fn(&TotalRow) -> u64| self.rows(from, to).map(of).sum::<u64>() as f64;
        sum(|row| row.attempts) / sum(|row| row.offered)
    }
}

#[test]
fn retry_storm_outlasts_the_crash_and_a_budget_ends_it() {
    let storm = Ran::of("retry-storm");
    assert_eq!(storm.verdict("stuck < 30%"), Verdict::Missed);
    assert!(storm.goodput(240.0, 360.0) < 0.1 * 1_100.0, "{}", storm.goodput(240.0, 360.0));
    assert!(storm.amplification(240.0, 360.0) > 2.5);
    let budget = Ran::of("retry-storm-with-budget");
    assert!(budget.goodput(240.0, 360.0) > 0.98 * 1_100.0);
    assert!(budget.amplification(240.0, 360.0) < 1.02);
    assert!(budget.amplification(121.0, 150.0) < 1.2, "ten per cent, and what was saved up");
}

#[test]
fn cold_cache_after_total_loss_overloads_the_upstream_until_it_is_warm() {
    let ran = Ran::of("cold-cache-after-total-loss");
    let before = ran.rows(150.0, 180.0).map(hits_of).sum::<f64>() / 30.0;
    let cold = ran.rows(194.0, 198.0).map(hits_of).sum::<f64>() / 4.0;
    let warm = ran.rows(420.0, 480.0).map(hits_of).sum::<f64>() / 60.0;
    assert!(cold < 0.5 * before && warm > 0.9 * before, "{before} {cold} {warm}");
    let incidents = ran.incidents("total-loss");
    assert_eq!(incidents.len(), 10);
    for incident in &incidents {
        // The replicas are back in a quarter of a minute; the cache takes longer.
        let restored = incident.restored.unwrap().since(incident.at).as_secs();
        assert!(restored < 40.0, "{restored}");
        assert!(seconds(incident.lasted()) > 60.0);
    }
}

fn hits_of(row: &TotalRow) -> f64 {
    row.counts[Count::Hit as usize] as f64
}

#[test]
fn a_shared_cache_keeps_its_hit_ratio_through_a_crash_and_a_local_one_does_not() {
    let shared = Ran::of("shared-cache-crash");
    let (run, crash) =
        (hit_ratio(shared.windows("the run")), hit_ratio(shared.windows("during crash")));
    assert!((run - crash).abs() < 0.01, "{run} {crash}");
    let local = Ran::of("local-cache-crash");
    assert!(hit_ratio(local.windows("the run")) < run - 0.1);
    let before = ratio_of(&local, 200.0, 240.0);
    let after = ratio_of(&local, 255.0, 260.0);
    assert!(after < before - 0.03, "the replacement starts with nothing: {before} {after}");
}

fn ratio_of(ran: &Ran, from: f64, to: f64) -> f64 {
    let sum = |count: Count| ran.rows(from, to).map(|row| row.counts[count as usize]).sum::<u64>();
    let (hits, misses) = (sum(Count::Hit) as f64, sum(Count::Miss) as f64);
    hits / (hits + misses)
}

#[test]
fn a_shared_limit_admits_the_same_when_the_gateway_scales_and_a_local_one_more() {
    let admitted = |ran: &Ran| {
        let rows = ran.rows(480.0, 600.0).map(|row| row.counts[Count::Admitted as usize]);
        rows.sum::<u64>() as f64 / 120.0
    };
    let shared = Ran::of("rate-limit-shared-scaling");
    let local = Ran::of("rate-limit-local-scaling");
    for ran in [&shared, &local] {
        let wanted = ran.rows(590.0, 600.0).filter_map(|row| row.wanted).last();
        assert_eq!(wanted, Some(3), "the autoscaler added a replica");
    }
    // 6000 in a window of 10 s that begins with the first request after the last window.
    assert!((590.0..=600.5).contains(&admitted(&shared)), "{}", admitted(&shared));
    assert!((1_750.0..=1_801.0).contains(&admitted(&local)), "{}", admitted(&local));
    assert!(shared.failed() == 0 && shared.failed_by(Failure::RateLimited) > 0);
}

#[test]
fn a_quota_of_the_heavy_api_keeps_the_other_one_fast() {
    let ran = Ran::of("one-api-limited");
    assert_eq!(ran.report().overall(), Overall::Met, "{:#?}", ran.report().judgements);
    // 300 of some 600 in each window of 10 s while the traffic is double.
    let rejected = ran.report().judgements[3].figure.unwrap().point;
    assert!((rejected - 0.5).abs() < 0.01, "{rejected}");
    let mut free = ran.scenario.clone();
    free.plan.dependencies.apis[1].policies.clear();
    let experiment = experiment::run(&free.plan, Options::default(), &Progress::default()).unwrap();
    let free = Ran { scenario: free, experiment };
    assert_eq!(free.verdict("p99 < 200ms for orders"), Verdict::Missed);
    let p99 = free.report().judgements[0].figure.unwrap().point;
    assert!((0.5..1.2).contains(&p99), "most of a second is not {p99}");
}

#[test]
fn upstream_slow_15s_times_out_all_that_was_sent_and_nothing_else() {
    let ran = Ran::of("upstream-slow-15s");
    assert_eq!(ran.failed(), ran.failed_by(Failure::UpstreamTimedOut));
    let per_run = ran.failed() as f64 / 10.0;
    // 600/s for a minute, but for those under way when it became slow or fast: 20 ms of them.
    assert!((per_run / 36_000.0 - 1.0).abs() < 0.01, "{per_run}");
    for outcome in &ran.experiment.outcomes {
        assert!(outcome.in_flight_peak.abs_diff(4_500) < 300, "15 s of 300/s");
    }
}

#[test]
fn breaker_trips_at_1024_and_lets_the_rest_through() {
    let ran = Ran::of("breaker-trips");
    assert_eq!(ran.failed(), ran.failed_by(Failure::BreakerOpen));
    for outcome in &ran.experiment.outcomes {
        // 1024 at the upstream, and those that the CPU works on.
        assert!((1_024..1_100).contains(&outcome.in_flight_peak), "{}", outcome.in_flight_peak);
    }
    // Two replicas let 1024 through every 5 s: 409.6/s of 600/s, for two minutes.
    let per_run = ran.failed() as f64 / 10.0;
    assert!((per_run / (190.4 * 120.0) - 1.0).abs() < 0.03, "{per_run}");
}

#[test]
fn keep_alive_skew_leaves_the_replacement_idle() {
    let ran = Ran::of("keep-alive-skew");
    assert_eq!(ran.report().overall(), Overall::Missed);
    let timeline = ran.experiment.outcomes[0].timeline.as_ref().unwrap();
    let last = timeline.total.len() - 1;
    let row = |replica| {
        let mut rows = timeline.by_replica.iter();
        rows.find(|row| row.bin == last && row.replica == replica).expect("there at the end")
    };
    let survivor =
        if timeline.by_replica.iter().any(|r| r.bin == last && r.replica == 0) { 0 } else { 1 };
    assert!(row(survivor).cpu > 0.99 && row(survivor).in_flight > 10_000);
    assert_eq!((row(2).arrived, row(2).cpu), (0, 0.0));
}

#[test]
fn tls_reconnect_storm_sets_every_lost_connection_up_anew() {
    let ran = Ran::of("tls-reconnect-storm");
    assert_eq!(ran.verdict("p99 < 500ms"), Verdict::Missed);
    assert_eq!(ran.verdict("recovery < 1m"), Verdict::Met);
    let shakes = |from: f64, to: f64| {
        let counts = ran.rows(from, to).map(|row| row.counts[Count::Handshake as usize]);
        counts.sum::<u64>()
    };
    assert!(shakes(230.0, 240.0) < 20, "all but the last connections are open");
    // A third of 30 000, less those that are never used again.
    assert!((9_000..=10_500).contains(&shakes(240.0, 480.0)), "{}", shakes(240.0, 480.0));
}

#[test]
fn users_keep_connections_waits_as_little_says() {
    let ran = Ran::of("users-keep-connections");
    assert_eq!(ran.verdict("p99 < 250ms"), Verdict::Missed);
    for outcome in &ran.experiment.outcomes {
        let latency = &outcome.windows[0].latency;
        let seconds = |q: f64| latency.quantile(q).expect("answers").as_secs();
        // 600 users over 3 000/s, less 100 ms of thinking; exponential.
        assert!((seconds(0.5) / 0.0693 - 1.0).abs() < 0.05, "{}", seconds(0.5));
        assert!((seconds(0.99) / 0.4605 - 1.0).abs() < 0.08, "{}", seconds(0.99));
    }
}

#[test]
fn recorded_traffic_repeats_its_burst_every_minute() {
    let ran = Ran::of("recorded-traffic");
    let offered = |from: f64, to: f64| {
        ran.rows(from, to).map(|row| row.offered as f64).sum::<f64>() / (to - from)
    };
    for round in [2.0, 3.0, 5.0, 7.0] {
        let start = 60.0 * round;
        let (burst, calm) = (offered(start + 30.0, start + 32.0), offered(start, start + 28.0));
        assert!(burst > 2.5 * calm, "{round}: {burst} against {calm}");
    }
    assert!(ran.incidents("crash").iter().all(|incident| incident.normal.is_some()));
}
