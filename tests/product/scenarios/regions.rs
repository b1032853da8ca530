//! Shipped scenarios of several regions: how clients get from one to the other, and after how long.

use super::*;
use brownout::metric::{Metric, Restored};
use brownout::observe::failover::FailoverStep;
use brownout::plan::{DisruptionKind, Extent, Window};
use brownout::report::compare::{self, report::CompareReport};
use brownout::stats::Confidence;
use brownout::study::compare::Variant;
use brownout::study::cost::Prices;

/// The scenario with settings changed, and its replications.
fn changed(name: &str, changes: &[&str], replications: usize) -> Ran {
    let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
    let loaded = read::load_changed(&folder().join(format!("{name}.toml")), &changes);
    let mut scenario = loaded.scenario.unwrap_or_else(|| panic!("{name}: {:?}", loaded.problems));
    scenario.plan.run.replications = replications;
    let experiment =
        experiment::run(&scenario.plan, Options::default(), &Progress::default()).unwrap();
    Ran { scenario, experiment }
}

/// The mean time of a part of the fail-over.
fn mean(ran: &Ran, of: Restored) -> f64 {
    let metric = Metric::Recovery(of);
    let figure = metric.estimate(&ran.experiment.outcomes, 0, Confidence::USUAL);
    figure.unwrap_or_else(|| panic!("{metric:?}")).point
}

fn step(ran: &Ran, step: FailoverStep) -> f64 {
    mean(ran, Restored::Step(step))
}

/// Of sixteen checkers with phases of their own, a region is unhealthy when at most two find it
/// healthy: fourteen are through. That is the 14th of 16 uniform times: 14/17 of the interval in
/// the mean, on top of two intervals and the time-out.
fn found_out(interval: f64) -> f64 {
    (2.0 + 14.0 / 17.0) * interval + 4.0
}

/// Of clients with 2 % of stragglers and a TTL of a minute, 95 % have looked again after 95/98 of
/// it, less what stragglers have done by then.
const LED: std::ops::RangeInclusive<f64> = 56.5..=59.5;

#[test]
fn regions_active_active_lose_clients_until_dns_has_drained_and_the_survivor_grows() {
    let ran = Ran::of("regions-active-active");
    let (detection, led) = (step(&ran, FailoverStep::Detection), step(&ran, FailoverStep::Switch));
    assert!((detection - found_out(30.0)).abs() < 4.0, "{detection}");
    assert!(LED.contains(&led), "{led}");
    assert_eq!(ran.verdict("rto < 5m"), Verdict::Met);
    let grown = ran.experiment.outcomes.iter().flat_map(|outcome| &outcome.incidents);
    let grown = grown.filter(|incident| incident.failover.as_ref().unwrap().grown.is_some());
    assert!(grown.count() >= 1, "somewhere the third replica comes before all is answered");
    // λ of the region times the time until half of its clients have looked again, stragglers apart.
    let lost = ran.failed() as f64 / ran.experiment.outcomes.len() as f64;
    let expected = 900.0 * (detection + 30.0 + 0.02 * 540.0);
    assert!((lost / expected - 1.0).abs() < 0.1, "{lost} of {expected}");
}

#[test]
fn regions_hot_standby_serves_after_detection_and_a_ttl() {
    let ran = Ran::of("regions-hot-standby");
    assert_eq!(ran.report().overall(), Overall::Met);
    let told = brownout::report::run::text::render(&ran.report(), None, false);
    let failover = told.split("\n\n").find(|part| part.starts_with("Fail-over (region-lost"));
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(failover.expect("it is told").trim_end()), "the README shows {told}");
    let report = ran.report();
    let rows = report.disruptions.iter();
    let tested: Vec<_> =
        rows.filter_map(|row| Some((row.disruption, row.tested.clone()?))).collect();
    let [(DisruptionKind::Region, region)] = &tested[..] else { panic!("{tested:?}") };
    assert_eq!((report.disruptions.len(), region.overall()), (5, Overall::Met));
    assert_eq!(region.rto.unwrap().point, mean(&ran, Restored::Answers));
    let fast = step(&ran, FailoverStep::Detection);
    assert!((fast - found_out(10.0)).abs() < 1.5, "{fast}");
    let default = changed("regions-hot-standby", &["global.preset=route53"], 10);
    let slow = step(&default, FailoverStep::Detection);
    assert!((slow - found_out(30.0)).abs() < 4.0, "{slow}");
    assert_eq!(default.verdict("rto < 2m"), Verdict::Missed);
    for ran in [&ran, &default] {
        let sum: f64 = FailoverStep::ALL.map(|one| step(ran, one)).iter().sum();
        assert!((sum - mean(ran, Restored::Answers)).abs() < 0.1, "steps add up to {sum}");
    }
}

#[test]
fn where_few_are_sent_the_dns_step_says_that_the_last_failure_ends_it() {
    let few = changed("regions-hot-standby", &["traffic.rate=0.2/s"], 6);
    let told = brownout::report::run::text::render(&few.report(), None, false);
    let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let label =
        "until 95 % of its clients look elsewhere, or requests were answered before scaling";
    assert!(flat.contains(label), "{told}");
    let early = [FailoverStep::Detection, FailoverStep::Decision, FailoverStep::Switch];
    let sum: f64 = early.into_iter().map(|one| step(&few, one)).sum();
    assert!(sum < 0.98 * mean(&few, Restored::Clients(95)), "{sum}: {told}");
    // The report of the many, which the README shows, says it without that: see above.
}

#[test]
fn regions_warm_standby_recovers_when_its_autoscaler_has_grown_and_the_backlog_is_gone() {
    let ran = Ran::of("regions-warm-standby");
    let led = mean(&ran, Restored::Clients(95));
    let rto = mean(&ran, Restored::Answers);
    assert!(rto > led + 20.0, "answered after {rto}, led after {led}");
    let scaling = step(&ran, FailoverStep::Scaling) + step(&ran, FailoverStep::Warming);
    assert!((rto - led - scaling).abs() < 5.0, "{rto} − {led} against {scaling}");
    // With three from the beginning there is nothing to wait for.
    let three = ["region.us-west-2.gateway.replicas=3"];
    let hot = changed("regions-warm-standby", &three, 5);
    assert!(mean(&hot, Restored::Answers) < led + 10.0);
}

#[test]
fn regions_cold_standby_is_deployed_unless_the_control_plane_went_with_the_region() {
    let ran = Ran::of("regions-cold-standby");
    assert_eq!(ran.report().overall(), Overall::Met);
    // A start with contracts and three checks of sixteen locations.
    let scaling = step(&ran, FailoverStep::Scaling);
    assert!((25.0..=60.0).contains(&scaling), "{scaling}");
    let decision = step(&ran, FailoverStep::Decision);
    assert!((300.0..=900.0).contains(&decision), "{decision}");
    let lost = changed("regions-cold-standby", &["control-plane.home=us-east-1"], 2);
    assert_eq!(lost.verdict("rto < 30m"), Verdict::Missed);
    assert!(lost.incidents("region-lost").iter().all(|incident| incident.answers.is_none()));
}

#[test]
fn regions_gray_is_left_only_where_the_checks_ask_an_api() {
    let ran = Ran::of("regions-gray");
    let courses = |ran: &Ran| {
        let all = ran.incidents("gray-failure").into_iter();
        all.map(|incident| incident.failover.unwrap().detected).collect::<Vec<_>>()
    };
    assert!(courses(&ran).iter().all(Option::is_none), "a replica answers");
    assert_eq!(ran.verdict("availability >= 99%"), Verdict::Missed);
    let deep = changed("regions-gray", &["global.check-asks=api"], 2);
    assert!(courses(&deep).iter().all(Option::is_some), "an API fails");
    assert!(deep.failed() < ran.failed() / 4);
    // Who reads the report learns that nobody noticed, and what would have.
    let unnoticed = |ran: &Ran| {
        let caveats = ran.report().caveats.into_iter();
        caveats.filter(|caveat| caveat.key() == "unnoticed").map(|caveat| caveat.message()).next()
    };
    let told = unnoticed(&ran).unwrap();
    assert!(told.contains("us-east-1 (gray-failure), none of its health checks did"), "{told}");
    assert!(told.contains("they ask whether a replica answers"), "{told}");
    assert_eq!(unnoticed(&deep), None);
}

#[test]
fn regions_failback_storm_is_none_where_the_cache_fills_as_fast_as_clients_come() {
    let ran = Ran::of("regions-failback-storm");
    assert_eq!(ran.verdict("availability >= 99.9% from 30m to 40m"), Verdict::Met);
    // All at once: half of them and 99 % of them within the same seconds.
    let [half, all] = [50, 99].map(|percent| mean(&ran, Restored::Clients(percent)));
    assert!(all - half < 0.5, "{half} to {all}");
}

#[test]
fn regions_no_launches_keep_two_replicas_where_three_are_wanted() {
    let ran = Ran::of("regions-no-launches");
    assert_eq!(ran.verdict("p99 < 100ms from 6h to 7h for us-east-1"), Verdict::Missed);
    assert_eq!(ran.verdict("p99 < 100ms from 6h to 7h for us-west-2"), Verdict::Met);
}

/// Requests of a region in a part of the run that an objective speaks of, over `all` of a
/// replication then.
fn part(ran: &Ran, region: usize, all: f64) -> f64 {
    let is_it = |window: &Window| {
        window.api == Some(region) && matches!(window.extent, Extent::Between(..))
    };
    let index = ran.scenario.plan.windows.iter().position(is_it).expect("an objective on it");
    let outcomes = &ran.experiment.outcomes;
    let sent: u64 = outcomes.iter().map(|outcome| outcome.windows[index].ledger.offered).sum();
    sent as f64 / (all * outcomes.len() as f64)
}

#[test]
fn regions_switchover_drill_takes_as_long_as_connections_and_nobody_notices() {
    let ran = changed("regions-switchover-drill", &["global.stragglers=0%"], 3);
    // An answer expires within a minute, and a connection goes on for an exponential time: of the
    // clients 2·(e^½ − 1)·e^(−t/2min) have not moved after t.
    let expected = 120.0 * (2.0 * (0.5_f64.exp() - 1.0) / 0.05).ln();
    let led = mean(&ran, Restored::Clients(95));
    assert!((led - expected).abs() < 30.0, "{led} of {expected}");
    assert_eq!((mean(&ran, Restored::Answers), ran.failed()), (0.0, 0));
    assert_eq!(ran.report().overall(), Overall::Met);
    let rows = ran.report().disruptions;
    let drill = rows.iter().find(|row| row.disruption == DisruptionKind::Planned).unwrap();
    assert_eq!(drill.tested.as_ref().unwrap().overall(), Overall::Met);
    // Back since 25 minutes: e^(−12.5) of them are still away.
    let back = part(&ran, 0, 100.0 * 600.0);
    assert!((0.97..1.03).contains(&back), "{back}");
    // An outage breaks connections: what is left is the TTL.
    let lost = ["fault.drill.kind=region-outage", "global.stragglers=0%"];
    let lost = changed("regions-switchover-drill", &lost, 2);
    let switch = step(&lost, FailoverStep::Switch);
    assert!((switch - 0.95 * 60.0).abs() < 4.0, "{switch}");
    assert_eq!(lost.verdict("rpo < 1h for configuration"), Verdict::Missed);
}

#[test]
fn regions_human_decides_is_what_the_decision_takes_and_nobody_leads_back() {
    let ran = changed("regions-human-decides", &[], 4);
    // The third failure of a check each minute, 10 s later: 130 to 190 s.
    let detection = step(&ran, FailoverStep::Detection);
    assert!((130.0..=190.0).contains(&detection), "{detection}");
    let decision = step(&ran, FailoverStep::Decision);
    assert!((600.0..=3_600.0).contains(&decision), "{decision}");
    let switch = step(&ran, FailoverStep::Switch);
    assert!(LED.contains(&switch), "{switch}");
    let rto = mean(&ran, Restored::Answers);
    assert!((rto - detection - decision - switch).abs() < 10.0, "{rto}");
    assert!(decision > 0.7 * rto, "{decision} of {rto}");
    assert_eq!(ran.verdict("availability >= 99.9% from 2h to 2h 30m"), Verdict::Met);
    // It is back after 105 minutes, and gets nobody but stragglers that never left.
    let last = ran.experiment.outcomes.iter().flat_map(|outcome| &outcome.incidents);
    assert!(last.clone().count() == 4 && last.clone().all(|incident| incident.answers.is_some()));
    let azure = ["global.preset=azure-traffic-manager"];
    let azure = changed("regions-human-decides", &azure, 2);
    // 70 to 100 s, and a TTL.
    let rto = mean(&azure, Restored::Answers);
    assert!((70.0 + 55.0..=100.0 + 62.0).contains(&rto), "{rto}");
}

/// The table of strategies of `compare`, of scenarios with settings changed, at a tenth of their
/// load.
fn strategies(variants: &[(&str, &str, &[&str])]) -> (String, Vec<serde_json::Value>) {
    let variant = |(name, file, changes): &(&str, &str, &[&str])| {
        let mut changes: Vec<&str> = changes.to_vec();
        changes.push("traffic.rate=90/s");
        let Ran { scenario, experiment } = changed(file, &changes, 2);
        (Variant { name: (*name).to_owned(), scenario }, experiment)
    };
    let (variants, runs): (Vec<_>, Vec<_>) = variants.iter().map(variant).unzip();
    let prices = Prices::default();
    let report = CompareReport::new(&variants, &runs, &prices, Vec::new());
    let mut json = Vec::new();
    compare::files::write_json(&report, &mut json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let text = compare::text::render(&report, None, false);
    let table = text.split("\n\n").skip_while(|part| !part.starts_with("Strategies"));
    (table.take(2).collect::<Vec<_>>().join("\n"), json["strategies"].as_array().unwrap().clone())
}

#[test]
fn regions_compared_are_a_table_of_strategies_with_what_theory_says() {
    let (hot, cold) = ("regions-hot-standby", "regions-cold-standby");
    let home = "control-plane.home=us-east-1";
    let (table, all) = strategies(&[
        ("hot", hot, &[]),
        ("hot, home", hot, &[home, "control-plane.data-loss=8h"]),
        ("cold", cold, &[]),
        ("cold, home", cold, &[home]),
    ]);
    let number = |row: usize, path: &str| all[row].pointer(path).and_then(|it| it.as_f64());
    // Found out, and looked up again within a minute; then nothing is in the way.
    let rto = number(0, "/rto/longest_s/point").unwrap();
    assert!((rto - found_out(10.0) - 58.0).abs() < 4.0, "{rto}");
    // λ times detection, half a TTL and the stragglers' nine minutes.
    let lost = number(0, "/requests_lost/point").unwrap();
    let expected = 90.0 * (found_out(10.0) + 30.0 + 0.02 * 540.0);
    assert!((lost / expected - 1.0).abs() < 0.15, "{lost} of {expected}");
    // A request takes 1.398601 ms of a core, and the standby may have three.
    let free = 1.0 - 90.0 * 1.398601e-3 / 3.0;
    for (row, headroom) in [Some(free), Some(free), Some(free), None].into_iter().enumerate() {
        let found = number(row, "/headroom_share");
        assert!(found.zip(headroom).is_none_or(|(one, other)| (one - other).abs() < 1e-3));
        assert_eq!(found.is_some(), headroom.is_some(), "{row}: {found:?}");
    }
    let cost = all.iter().map(|row| row["cost_words"].as_str().unwrap());
    assert_eq!(cost.collect::<Vec<_>>(), ["2 Large", "2 Large", "1 Large", "1 Large"]);
    let rpo: Vec<_> = (0..4).map(|row| number(row, "/rpo_s").unwrap() / 3_600.0).collect();
    assert_eq!(rpo, [0.0, 8.0, 0.0, 24.0]);
    // From 5 to 15 minutes until somebody decides; with the control plane lost: never.
    assert!((300.0..=1_100.0).contains(&number(2, "/rto/longest_s/point").unwrap()));
    assert_eq!((number(3, "/rto/seen"), number(3, "/rto/not_over")), (Some(0.0), Some(2.0)));
    assert!(table.contains("not in a run of 70 min"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let table: String = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "RPO of hot, cold: nothing is lost of configuration, the control plane is elsewhere, as \
         assumed",
        "RPO of hot, home: configuration up to 8 h old, the control plane is lost too",
        "RPO of cold, home: configuration up to 24 h old, the control plane is lost too",
    ] {
        assert!(table.contains(said), "{said}: {table}");
    }
    assert!(!table.contains("loads differ"), "{table}");
    assert_eq!(all[3]["verdict"], "missed");
}
