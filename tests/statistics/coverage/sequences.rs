//! Coverage of experiments that go on until they are enough: looking often must not make them
//! wrong more often.
//!
//! The scenario is M/M/1 with processor sharing, of which mean and p99 are known.

use std::path::Path;

use brownout::experiment::runner::{Retention, Runner};
use brownout::experiment::{Experiment, Progress, SequenceEnd, store};
use brownout::metric::{Metric, Statistic};
use brownout::scenario::{Scenario, read};
use brownout::stats::Confidence;
use brownout::study::precision::{self, Precision};
use brownout::verdict::{Verdict, judge_all};

use crate::{Effort, effort};

/// Sequences of each kind. Those of a sample find looks that are wrong in 17 of 100 cases, instead
/// of 5, in nine of ten; all find 10.
fn count() -> u64 {
    if effort() == Effort::Full { 500 } else { 100 }
}

/// The true mean and p99 in seconds.
const MEAN: f64 = 0.002;
const P99: f64 = 12.445_540_731_751e-3;

/// A replica that is busy half of the time for 300 requests after warm-up, with one objective or
/// none.
fn scenario(objective: &str, seed: u64) -> Scenario {
    let text = format!(
        "question = \"How long?\"\nobjectives = [{objective}]\n\
         [gateway]\ncores = 1\ncpu-per-request = \"exponential(1ms)\"\nreplicas = 1\n\
         [ingress]\ninstances = 1\ndelay = \"0s\"\nhop = \"0s\"\n\
         [traffic]\nrate = \"500/s\"\n\
         [run]\nhorizon = \"700ms\"\nwarm-up = \"100ms\"\nreplications = 10\nseed = {seed}\n"
    );
    read::parse("queue", &text, Path::new(".")).scenario.expect("the scenario is sound")
}

/// Runs a sequence for each seed.
fn sequences(objective: &str, precision: Precision) -> Vec<(Scenario, Experiment)> {
    let progress = Progress::default();
    let runner = Runner::new(None, &progress, &store::NoStore).expect("threads");
    let one = |seed| {
        let scenario = scenario(objective, seed);
        let run = precision::run(&runner, &scenario, precision, Retention::None);
        (scenario, run)
    };
    (1..=count()).map(one).collect()
}

fn holds(estimate: Option<Statistic>, truth: f64) -> bool {
    let interval = estimate.and_then(|estimate| estimate.interval).expect("an interval");
    interval.low <= truth && truth <= interval.high
}

/// The mean of the first so many replications.
fn mean(run: &Experiment, replications: usize, confidence: Confidence) -> Option<Statistic> {
    Metric::MeanLatency.estimate(&run.outcomes[..replications], 0, confidence)
}

fn share(found: usize) -> f64 {
    found as f64 / count() as f64
}

/// Three standard errors of a share of 5 % of the sequences.
fn noise() -> f64 {
    3.0 * (0.95 * 0.05 / count() as f64).sqrt()
}

/// At the look at which a sequence ends, its intervals hold the truth.
#[test]
fn the_last_look_is_as_good_as_it_claims() {
    let all = sequences("", Precision { relative: 0.1, most: 160 });
    let (mut means, mut p99s, mut lengths) = (0, 0, [0; 200]);
    for (_, run) in &all {
        let of = |metric: Metric| metric.estimate(&run.outcomes, 0, run.confidence);
        means += usize::from(holds(of(Metric::MeanLatency), MEAN));
        p99s += usize::from(holds(of(Metric::P99), P99));
        lengths[run.outcomes.len()] += 1;
    }
    let ends: Vec<_> = lengths.iter().enumerate().filter(|(_, count)| **count > 0).collect();
    println!("ends {ends:?}, mean in {:.3}, p99 in {:.3}", share(means), share(p99s));
    let least = 0.95 - noise();
    assert!(share(means) >= least && share(p99s) >= least, "{means} and {p99s} of {}", count());
    assert!(ends.len() >= 3, "all sequences end at the same look");
}

/// The bound is the true mean, so whatever is decided is decided by chance; that the mean is below
/// its bound is wrong.
#[test]
fn a_bound_that_is_the_truth_is_hardly_ever_decided() {
    let all = sequences("\"mean < 2ms\"", Precision { relative: 0.0001, most: 160 });
    let (mut met, mut decided, mut naive) = (0, 0, 0);
    for (scenario, run) in &all {
        let verdict = judge_all(run, &scenario.objectives)[0].verdict;
        let is_decided = matches!(verdict, Verdict::Met | Verdict::Missed);
        assert_eq!(is_decided, run.sequence.map(|found| found.end) == Some(SequenceEnd::Decided));
        met += usize::from(verdict == Verdict::Met);
        decided += usize::from(is_decided);
        let misses = |look: usize| !holds(mean(run, look, Confidence::USUAL), MEAN);
        let looks = [10, 20, 40, 80, 160].into_iter().filter(|look| *look <= run.outcomes.len());
        naive += usize::from({ looks }.any(misses));
    }
    println!("met {:.3}, decided {:.3}, naive {:.3}", share(met), share(decided), share(naive));
    assert!(share(met) <= 0.05 && share(decided) <= 0.05 + noise(), "{met}, {decided}");
    // Who looks as often with intervals of 95 % and stops at the first that misses the bound.
    assert!(naive >= 2 * decided && share(naive) > 0.1, "{naive} of {}, not {decided}", count());
}

/// The bound is a hundredth off the truth, on either side.
#[test]
fn a_bound_near_the_truth_is_hardly_ever_decided_wrongly() {
    for (objective, wrong) in
        [("\"mean < 2.02ms\"", Verdict::Missed), ("\"mean < 1.98ms\"", Verdict::Met)]
    {
        let all = sequences(objective, Precision { relative: 0.01, most: 160 });
        let verdict = |(scenario, run): &(Scenario, Experiment)| {
            judge_all(run, &scenario.objectives)[0].verdict
        };
        let found = all.iter().filter(|found| verdict(found) == wrong).count();
        println!("{objective}: wrong {:.3}", share(found));
        assert!(share(found) <= 0.05, "{found} of {} for {objective}", count());
    }
}
