//! What `[ingress]` says, against the documentation of those that people run.

use std::path::Path;

use crate::plan::{Answers, Balancing, Ingress, RetryHost, RetryRules};
use crate::policy::retries::RetryLimit;
use crate::scenario::read::parse;
use crate::units::Share;

const LEAST: &str = "question = \"?\"\ntraffic.rate = \"900/s\"\nrun.horizon = \"10m\"\n";

/// The ingress of a scenario that says this beside the least.
fn ingress(text: &str) -> Ingress {
    let loaded = parse("own.toml", &format!("{LEAST}{text}"), Path::new(""));
    let problems = loaded.problems;
    loaded.scenario.unwrap_or_else(|| panic!("{problems:?}")).plan.ingress
}

#[test]
fn every_ingress_has_the_retries_and_statuses_of_its_documentation() {
    let preset_of = |preset: &str| ingress(&format!("[ingress]\npreset = \"{preset}\"\n"));
    // Retries; whether what broke or timed out after it was sent is tried again; what a refused,
    // a silent and a broken connection are answered with.
    for (preset, retries, sent, statuses) in [
        ("envoy-gateway", 0, false, (503, 503, 503)),
        ("istio", 2, false, (503, 503, 503)),
        ("haproxy", 3, false, (503, 503, 502)),
        ("traefik", 0, false, (502, 504, 502)),
        ("aws-alb", 0, false, (502, 504, 502)),
        ("ingress-nginx", 2, true, (502, 504, 502)),
    ] {
        let ingress = preset_of(preset);
        let Answers { refused, connect_timeout, reset } = ingress.answers;
        assert_eq!((refused, connect_timeout, reset), statuses, "{preset}");
        let rules = &ingress.retry;
        assert_eq!(
            (ingress.retries, rules.on_reset && rules.on_timeout),
            (retries, sent),
            "{preset}"
        );
        assert!(retries == 0 || rules.on_connect_failure, "{preset}");
        let least = ingress.balancing == Balancing::LeastRequest;
        assert_eq!(least, preset == "istio" || preset == "envoy-gateway", "{preset}");
    }
    assert!(!preset_of("aws-alb").endpoints_in_order);
}

#[test]
fn further_tries_avoid_what_was_tried_as_each_ingress_does_it() {
    // Envoy Gateway and Istio: `previous_hosts`, host_selection_retry_max_attempts = 5; Envoy
    // Gateway: maxParallelRetries = 1024. ingress-nginx and Traefik ask their balancer once more.
    for (preset, host, limit) in [
        ("envoy-gateway", RetryHost::Chosen(5), RetryLimit::Count(1_024)),
        ("istio", RetryHost::Chosen(5), RetryLimit::None),
        ("haproxy", RetryHost::Other, RetryLimit::None),
        ("traefik", RetryHost::Chosen(0), RetryLimit::None),
        ("ingress-nginx", RetryHost::Chosen(0), RetryLimit::None),
    ] {
        let text = format!("[ingress]\npreset = \"{preset}\"\nretries = 2\n");
        let RetryRules { host: found, at_once, .. } = ingress(&text).retry;
        assert_eq!((found, at_once), (host, limit), "{preset}");
    }
    let own = |text: &str| ingress(&format!("[ingress]\nretries = 1\n{text}")).retry;
    assert_eq!(own("").host, RetryHost::Other);
    assert_eq!(own("retry-other-host = false\n").host, RetryHost::Chosen(0));
    assert_eq!(own("retry-host-attempts = 2\n").host, RetryHost::Chosen(2));
    let budget = own("retry-budget = \"25%\"\n").at_once;
    assert_eq!(budget, RetryLimit::Budget { share: Share(0.25), least: 3 });
    let budget = own("retry-budget = \"25%\"\nretry-budget-least = 0\n").at_once;
    assert_eq!(budget, RetryLimit::Budget { share: Share(0.25), least: 0 });
    assert_eq!(own("retries-at-once = 3\n").at_once, RetryLimit::Count(3));
}

#[test]
fn retries_are_for_what_is_listed() {
    let own = |on: &str| ingress(&format!("[ingress]\nretries = 1\nretry-on = {on}\n")).retry;
    let rules = own("[\"reset\", \"5xx\"]");
    assert!(rules.on_reset && rules.on_connect_failure && rules.on_timeout);
    assert!(
        !rules.non_idempotent
            && [500, 502, 503, 504].map(|s| rules.on_statuses.contains(&s)) == [true; 4]
    );
    // Envoy's gateway-error: 502, 503, 504, and where no answer comes at all.
    let rules = own("[\"gateway-error\", 429]");
    assert!(rules.on_reset && rules.on_connect_failure && rules.on_timeout);
    assert_eq!(rules.on_statuses, [429, 502, 503, 504]);
    let rules = own("[\"502\"]");
    assert!(!rules.on_reset && !rules.on_connect_failure && !rules.on_timeout);
    assert_eq!(rules.on_statuses, [502]);
}

#[test]
fn health_checks_are_those_of_the_documentation_or_none() {
    let with = |lines: &str| ingress(&format!("[ingress]\n{lines}"));
    // A registered target of AWS gets requests once it has passed one check, a server of HAProxy
    // at once; of Envoy a single success is enough at the beginning.
    let first = |preset: &str| {
        let own = "health-check = \"10s\"\nhealth-timeout = \"1s\"\n";
        with(&format!("preset = \"{preset}\"\n{own}")).health.expect("it checks").first
    };
    let presets = ["aws-alb", "haproxy", "envoy-gateway", "istio", "traefik"];
    assert_eq!(presets.map(first), [true, false, true, true, false]);
    assert_eq!(with("preset = \"aws-alb\"\nhealth-check = \"none\"\n").health, None);
    // Envoy Gateway's passive health checks: every 3 s; Envoy's outlier detection: every 10 s.
    let sweeps = |preset: &str| {
        let detects = "outlier-detection = true\nmax-ejected = \"50%\"\n";
        let ingress = with(&format!("preset = \"{preset}\"\n{detects}"));
        ingress.outliers.expect("it detects").interval.as_secs()
    };
    assert_eq!(["envoy-gateway", "istio"].map(sweeps), [3.0, 10.0]);
}

#[test]
fn a_check_that_outlasts_its_interval_is_an_error_though_it_is_the_default() {
    let shown = |lines: &str| {
        let loaded = parse("own.toml", &format!("{LEAST}[ingress]\n{lines}"), Path::new(""));
        (loaded.scenario.is_some(), format!("{:?}", loaded.problems))
    };
    let (sound, told) = shown("health-check = \"2s\"\n");
    assert!(!sound && told.contains("`health-timeout` is 5 s by default"), "{told}");
    assert!(shown("health-check = \"2s\"\nhealth-timeout = \"2s\"\n").0);
    let ejects = "outlier-detection = true\nmax-ejected = \"50%\"\nmax-ejection = \"10s\"\n";
    let (sound, told) = shown(ejects);
    assert!(sound && told.contains("the longest ejection is shorter than the first"), "{told}");
}
