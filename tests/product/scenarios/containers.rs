//! Shipped scenarios of containers that end: killed by their probes or for their memory, or while
//! nobody can replace them; and of nodes that are taken away, emptied or lost.

use super::*;

/// The scenario with settings changed, run in full.
fn changed(name: &str, changes: &[&str]) -> Ran {
    let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
    let loaded = read::load_changed(&folder().join(format!("{name}.toml")), &changes);
    let scenario = loaded.scenario.unwrap_or_else(|| panic!("{name}: {:?}", loaded.problems));
    let experiment =
        experiment::run(&scenario.plan, Options::default(), &Progress::default()).unwrap();
    Ran { scenario, experiment }
}

#[test]
fn slow_boot_never_comes_back_unless_a_start_up_probe_lets_it() {
    let ran = Ran::of("slow-boot");
    assert_eq!(ran.verdict("redundancy-restored < 5m"), Verdict::Missed);
    assert!(ran.incidents("crash").iter().all(|incident| incident.restored.is_none()));
    for outcome in &ran.experiment.outcomes {
        // The crash is noticed after 180 to 181 s, the container starts 1 to 6 s later. It is
        // killed 50 s after each start, with waits of 0, 10, 20, 40, 80 and 160 s: after 50, 100,
        // 160, 230, 320, 450 and 660 s. The next would be after 1,010 s, beyond the end.
        assert_eq!(outcome.probes_failed.liveness, 7);
    }
    let mended = changed("slow-boot", &["probes.startup=true", "probes.startup-failures=9"]);
    assert_eq!(mended.verdict("redundancy-restored < 5m"), Verdict::Met);
    for incident in mended.incidents("crash") {
        // 65 to 75 s are seen at the probe after 70 or 80 s; the ingress hears of it within 2 s.
        assert!((71.0..=90.0).contains(&seconds(incident.lasted())), "{incident:?}");
    }
}

#[test]
fn out_of_memory_kills_both_replicas_again_and_again_unless_a_breaker_limits_what_waits() {
    let ran = Ran::of("out-of-memory");
    assert_eq!(ran.report().overall(), Overall::Missed);
    for outcome in &ran.experiment.outcomes {
        // Full 7 s after each time that they are in rotation, which they are 11 to 13 s after their
        // start: with waits of 0, 10, 20 and 40 s five times in three minutes.
        assert_eq!(outcome.out_of_memory, 10);
        // Each time with all that it holds, and the one that was too many.
        assert_eq!(outcome.ledger.failed_by(Failure::LostInFlight), 10 * 2_049);
    }
    for incident in ran.incidents("slow") {
        let service = seconds(incident.service.map(|at| at.since(incident.at)));
        assert!((200.0..=260.0).contains(&service), "{incident:?}");
    }
    let broken = changed("out-of-memory", &["upstream.orders.breaker=true"]);
    assert_eq!(broken.report().overall(), Overall::Met);
    for outcome in &broken.experiment.outcomes {
        assert_eq!(outcome.out_of_memory, 0);
        assert_eq!(outcome.ledger.failed(), outcome.ledger.failed_by(Failure::BreakerOpen));
    }
}

#[test]
fn api_server_outage_makes_a_crash_last_unless_the_kubelet_restarts_the_container() {
    let ran = Ran::of("api-server-outage");
    assert_eq!(ran.report().overall(), Overall::Missed);
    for outcome in &ran.experiment.outcomes {
        // Half of 900/s from 5:00 until 13:00 and the propagation of 0.5 to 2 s.
        let dead = outcome.ledger.failed_by(Failure::DeadAddress) as f64;
        assert!((dead - 450.0 * 481.25).abs() < 450.0 * 2.0 + 4.0 * dead.sqrt(), "{dead}");
    }
    for incident in ran.incidents("crash") {
        let redundancy = seconds(incident.redundancy.map(|at| at.since(incident.at)));
        assert!((490.0..=505.0).contains(&redundancy), "{incident:?}");
    }
    let restarted = changed("api-server-outage", &["detection.after-crash=\"restarted\""]);
    assert_eq!(restarted.verdict("redundancy-restored < 5m"), Verdict::Met);
    for outcome in &restarted.experiment.outcomes {
        // Noticed within a second, and it boots for 2 to 6 s.
        let dead = outcome.ledger.failed_by(Failure::DeadAddress);
        assert!((800..=3_300).contains(&dead), "{dead}");
    }
}

/// From the injection until as many served as before, of each incident of a fault, in order.
fn redundancy_after(ran: &Ran, fault: &str) -> Vec<f64> {
    let after = |one: &Incident| seconds(one.redundancy.map(|at| at.since(one.at)));
    let mut all: Vec<f64> = ran.incidents(fault).iter().map(after).collect();
    all.sort_by(f64::total_cmp);
    all
}

#[test]
fn spot_notice_costs_nothing_if_a_handler_heeds_it_and_a_silent_node_if_nobody_does() {
    let ran = Ran::of("spot-notice");
    assert_eq!((ran.report().overall(), ran.failed()), (Overall::Met, 0));
    // A start of 8 to 27 s, and 2 s until it is known.
    assert!(redundancy_after(&ran, "spot").iter().all(|after| (8.0..29.0).contains(after)));
    let unheeded = changed("spot-notice", &["fault.spot.heeded-by=\"nobody\""]);
    assert_eq!(unheeded.report().overall(), Overall::Missed);
    for outcome in &unheeded.experiment.outcomes {
        // Half of 500/s for 40 to 55 s of the lease and 0.5 to 2 s of propagation.
        let dead = outcome.ledger.failed_by(Failure::DeadAddress) as f64;
        assert!((250.0 * 40.5 - 500.0..=250.0 * 57.0 + 500.0).contains(&dead), "{dead}");
    }
}

#[test]
fn budget_allows_nothing_and_keeps_even_a_broken_replica_until_the_drain_is_forced() {
    let ran = Ran::of("budget-allows-nothing");
    assert_eq!(ran.verdict("redundancy-restored < 6m during hang"), Verdict::Missed);
    // Five minutes until the upgrade, ten until its time-out, and the start.
    let forced = redundancy_after(&ran, "hang");
    assert!(forced.iter().all(|after| (908.0..=930.0).contains(after)), "{forced:?}");
    // Then the other node's turn, the same, after a drain of 25 s and three minutes away.
    let upgrade = redundancy_after(&ran, "upgrade");
    assert!(upgrade.iter().all(|after| (1_380.0..=1_440.0).contains(after)), "{upgrade:?}");
    let allowed =
        changed("budget-allows-nothing", &["upgrade.unhealthy-evictions=\"always-allow\""]);
    assert_eq!(allowed.verdict("redundancy-restored < 6m during hang"), Verdict::Met);
    let at_once = redundancy_after(&allowed, "hang");
    assert!(at_once.iter().all(|after| (308.0..=330.0).contains(after)), "{at_once:?}");
}

#[test]
fn in_cluster_clients_hang_on_a_lost_node_from_which_the_ingress_shields_all_others() {
    let ran = Ran::of("in-cluster-clients");
    assert_eq!(ran.verdict("availability >= 99.9%"), Verdict::Missed);
    let each = |ran: &Ran, failure| ran.failed_by(failure) as f64 / 10.0;
    // A third of 60 connections, each with 3/s, hangs for 30 s; what opens again may hang anew.
    let given_up = each(&ran, Failure::GivenUp);
    assert!((20.0 * 3.0 * 28.0..=20.0 * 3.0 * 40.0).contains(&given_up), "{given_up}");
    let outside = changed("in-cluster-clients", &["ingress.in-cluster=\"0%\""]);
    assert_eq!(outside.report().overall(), Overall::Met);
    // Every request finds another replica when its connection times out.
    assert!(each(&outside, Failure::GivenUp) + each(&outside, Failure::DeadAddress) < 1.0);
}

#[test]
fn zone_loss_without_launches_lasts_until_the_zone_is_back() {
    let ran = Ran::of("zone-loss-without-launches");
    assert_eq!(ran.report().overall(), Overall::Missed);
    for (zone, supply) in ran.incidents("zone-lost").iter().zip(ran.incidents("no-launches")) {
        assert_eq!(supply.at.since(zone.at), Span::from_secs(60.0), "one clock for both");
    }
    let restored = |ran: &Ran| -> Vec<f64> {
        let after = |one: &Incident| seconds(one.restored.map(|at| at.since(one.at)));
        ran.incidents("zone-lost").iter().map(after).collect()
    };
    // 45 minutes, and a start in the zone that is back.
    let late = restored(&ran);
    assert!(late.iter().all(|after| (2_708.0..=2_730.0).contains(after)), "{late:?}");
    let usual = changed("zone-loss-without-launches", &["fault.no-launches.for=\"1s\""]);
    // The lease of 40 to 55 s, five minutes of toleration, 45 to 65 s for a node, and a start with
    // an image to pull.
    let sooner = restored(&usual);
    assert!(sooner.iter().all(|after| (390.0..=480.0).contains(after)), "{sooner:?}");
}

#[test]
fn nodes_eat_most_of_the_nines_of_an_ordinary_year() {
    // A tenth of the traffic, as what counts are shares.
    let ran = changed("availability", &["traffic.rate=50/s"]);
    assert!(ran.scenario.plan.may_scale() && ran.scenario.plan.faults.len() == 5);
    let progress = Progress::default();
    let runner = experiment::Runner::new(None, &progress, &experiment::store::NoStore).unwrap();
    let study = brownout::study::availability::run(&runner, &ran.scenario.plan, 2e6);
    let run = study.long_run(brownout::stats::Confidence::USUAL).unwrap();
    // A silent machine loses half of the requests for some 45 s twice a year: 1.4e-6 of a year.
    assert!(run.failing_interval.low < 2e-6 && run.failing_interval.high > 1.2e-6, "{run:?}");
    assert!(run.failing_interval.high < 5e-4, "the objective of 99.95 % is met: {run:?}");
    let most = run.causes.iter().max_by(|one, other| one.failed.total_cmp(&other.failed));
    assert_eq!(most.map(|cause| cause.name.as_str()), Some("node"));
}
