//! Comparisons under common random numbers: the sign is what theory says, the interval is narrower
//! than that of independent runs by the factor that is reported, and it contains the truth as often
//! as it claims.

use std::path::Path;

use brownout::experiment::store::NoStore;
use brownout::experiment::{Experiment, Progress, Runner};
use brownout::metric::Metric;
use brownout::scenario::read;
use brownout::stats::paired::{Call, Comparison};
use brownout::study::compare::{Contrast, Variant, align, contrasts, run};

/// A shipped scenario with settings changed.
fn shipped(file: &str, changes: &[&str]) -> Variant {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
    let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
    let scenario = read::load_changed(&path, &changes).scenario.expect(file);
    Variant { name: format!("{file} {changes:?}"), scenario }
}

fn experiments(variants: &[Variant]) -> Vec<Experiment> {
    let progress = Progress::default();
    run(&Runner::new(None, &progress, &NoStore).unwrap(), variants)
}

/// Both variants with 20 replications of this seed, shortened to save time.
fn compared(variants: [Variant; 2]) -> (Vec<Contrast>, [Variant; 2], Vec<Experiment>) {
    let mut variants = variants;
    align(&mut variants, None, Some(20));
    let runs = experiments(&variants);
    (contrasts(&variants, &runs), variants, runs)
}

fn found(contrasts: &[Contrast], metric: Metric) -> Comparison {
    let contrast = contrasts.iter().find(|one| one.metric == metric && one.window == "the run");
    contrast.and_then(|contrast| contrast.against[0]).expect("compared")
}

/// The half width of the difference of the means of two independent runs.
fn unpaired_half_width(variants: &[Variant; 2], first: &Experiment) -> f64 {
    let mut other = [variants[1].clone()];
    align(&mut other, Some(4_711), Some(20));
    let other = experiments(&other);
    let means = |run: &Experiment| -> Vec<f64> {
        let mean = |outcome: &brownout::observe::outcome::Outcome| {
            let latency = &outcome.windows[0].latency;
            latency.sum() as f64 / latency.count() as f64 / 1e9
        };
        run.outcomes.iter().map(mean).collect()
    };
    let variance = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        squares / (values.len() as f64 * (values.len() as f64 - 1.0))
    };
    // t(38, 0.975)
    2.024 * (variance(&means(first)) + variance(&means(&other[0]))).sqrt()
}

#[test]
fn shipped_comparisons_have_the_right_sign_and_the_gain_that_they_report() {
    let short = "run.horizon=4m";
    let steady = |rate: &str| shipped("steady.toml", &[rate, short]);
    let boot = |boot: &str| shipped("replica-crash.toml", &[boot, "fault.crash.at=2m", short]);
    let table = [
        // A little more load: more latency.
        (steady("traffic.rate=850/s"), steady("traffic.rate=900/s"), Call::Greater, 2.0),
        // The same work on more replicas: less.
        (steady("gateway.replicas=2"), steady("gateway.replicas=3"), Call::Less, 1.1),
        // A replacement that takes longer: more.
        (boot("startup.boot=4s"), boot("startup.boot=30s"), Call::Greater, 1.5),
    ];
    for (first, second, call, least) in table {
        let name = format!("{} against {}", second.name, first.name);
        let (contrasts, variants, runs) = compared([first, second]);
        let mean = found(&contrasts, Metric::MeanLatency);
        assert_eq!(mean.call(), call, "{name}: {mean:?}");
        let narrower = mean.narrower.unwrap();
        assert!(narrower > least, "{name}: {narrower}");
        assert!((mean.reduction.unwrap().sqrt() / narrower - 1.0).abs() < 0.05, "{name}: {mean:?}");
        // What is reported of independent runs is what these have. A width from 20 replications
        // has an error of a sixth.
        let apart =
            unpaired_half_width(&variants, &runs[0]) / mean.difference.half_width().unwrap();
        assert!((0.6..1.6).contains(&(apart / narrower)), "{name}: {narrower}, not {apart}");
        println!("{name}: {narrower:.1} times narrower, {apart:.1} measured");
    }
}

#[test]
fn slower_replacements_take_longer_by_what_the_download_takes() {
    let managed = shipped("managed-start.toml", &[]);
    let own = shipped("self-managed-start.toml", &[]);
    let (contrasts, ..) = compared([managed, own]);
    let recovery = found(&contrasts, Metric::REDUNDANCY);
    assert_eq!(recovery.call(), Call::Greater);
    // Downloads take 5 to 20 s, and readiness is probed every 10 s.
    let difference = recovery.difference.interval.unwrap();
    assert!(difference.low > 5.0 && difference.high < 30.0, "{recovery:?}");
}

const QUEUE: &str = r#"
question = "A single server with processor sharing"
[gateway]
cores = "1"
cpu-per-request = "exponential(10ms)"
replicas = 1
[topology]
zones = ["a"]
[ingress]
instances = 1
delay = "0ms"
hop = "0ms"
[traffic]
rate = "40/s"
[run]
horizon = "130s"
warm-up = "10s"
"#;

#[test]
fn the_interval_of_a_difference_contains_what_theory_says() {
    let variant = |rate: &str, name: &str| {
        let changes = [format!("traffic.rate={rate}")];
        let loaded = read::parse_changed("queue.toml", QUEUE, Path::new(""), &changes);
        Variant { name: name.to_owned(), scenario: loaded.scenario.expect("sound") }
    };
    // M/M/1 with processor sharing: 1/(μ − λ), μ = 100/s.
    let truth = 1.0 / (100.0 - 45.0) - 1.0 / (100.0 - 40.0);
    let trials = 300;
    let mut covered = 0;
    for seed in 0..trials {
        let mut variants = [variant("40/s", "calm"), variant("45/s", "busy")];
        align(&mut variants, Some(seed), Some(10));
        let mean = found(&contrasts(&variants, &experiments(&variants)), Metric::MeanLatency);
        let interval = mean.difference.interval.unwrap();
        covered += u64::from((interval.low..=interval.high).contains(&truth));
    }
    let share = covered as f64 / trials as f64;
    // 95 % of 300 have a standard error of 1.26 %.
    assert!((0.912..=0.988).contains(&share), "{share}");
}
