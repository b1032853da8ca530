//! Shipped scenarios of containers that end: killed by their probes or for their memory, or while
//! nobody can replace them.

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
