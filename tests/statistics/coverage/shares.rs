//! Coverage where few of the things that count happen.

use brownout::metric::Metric;
use brownout::observe::outcome::Outcome;
use brownout::plan::{Fault, Plan};
use brownout::random::Law;
use brownout::stats::{Confidence, Estimate, proportion};

use super::{Figure, expect_coverage, systems};
use crate::common::troubles::random;
use crate::common::{plan, secs};

const USUAL: Confidence = Confidence::USUAL;

/// A counted thing has only so many values, so an interval that is exact for the worst truth holds
/// others more often than it claims.
const MOST: f64 = 1.0;

/// Where nothing or everything was seen the whole error of 5 % lies on one side, instead of half of
/// it. A truth that can be missed there, and with 2.5 % on its other side, is held in 92.5 of 100.
const LEAST_AT_EDGES: f64 = 0.925;

fn availability(outcomes: &[Outcome]) -> Option<Estimate> {
    Metric::Availability.estimate(outcomes, 0, USUAL).as_deref().copied()
}

/// The share of the replications in which the fault was injected.
fn injected(outcomes: &[Outcome]) -> Option<Estimate> {
    let count = outcomes.iter().filter(|outcome| outcome.faults[0].injected > 0).count();
    let interval = proportion::clopper_pearson(count as u64, outcomes.len() as u64, USUAL);
    let point = count as f64 / outcomes.len() as f64;
    Some(Estimate { point, interval: Some(interval), n: outcomes.len() })
}

/// A second in which the control plane fails with this probability.
fn failing(probability: f64) -> Plan {
    let mut plan = plan(1, 1.0, 1.0);
    let mean = -1.0 / (-probability).ln_1p();
    let outage = Fault::ControlPlaneOutage(Law::Constant(secs(10.0)));
    plan.faults = vec![random("outage", outage, Law::Exponential(secs(mean)))];
    plan
}

/// Two failures are expected in 10 000 requests, or seven.
#[test]
fn of_an_availability_with_few_failures() {
    for (rate, replications) in [(500.0, 5), (700.0, 5)] {
        let truth = 1.0 - systems::refused(rate / 1_000.0, 5);
        let figures = [Figure { name: "availability", truth, of: availability }];
        let expected = 2_000.0 * replications as f64 * (1.0 - truth);
        let system = format!("{expected:.1} failures expected");
        let plan = systems::refusing(rate, 5, 2_000.0);
        expect_coverage(&system, &plan, replications, 0.93..=MOST, &figures);
    }
}

/// With three failures expected it is worst: none is seen in one of twenty experiments, and those
/// that are seen depend a little on each other.
#[test]
fn of_an_availability_where_none_may_be_seen() {
    let truth = 1.0 - systems::refused(0.5, 5);
    let figures = [Figure { name: "availability", truth, of: availability }];
    let plan = systems::refusing(500.0, 5, 2_000.0);
    let least = LEAST_AT_EDGES - 0.025;
    expect_coverage("3.2 failures expected", &plan, 10, least..=MOST, &figures);
}

#[test]
fn of_a_probability_over_replications() {
    for probability in [0.5, 0.25, 0.05] {
        let figures = [Figure { name: "probability", truth: probability, of: injected }];
        let system = format!("1 of {} fails", 1.0 / probability);
        expect_coverage(&system, &failing(probability), 20, 0.93..=MOST, &figures);
    }
}

/// What the interval of Clopper and Pearson holds of a probability, summed up over all that can be
/// seen.
fn exact_coverage(probability: f64, trials: u64) -> f64 {
    let mut weight = (1.0 - probability).powi(trials as i32);
    let mut sum = 0.0;
    for hits in 0..=trials {
        let interval = proportion::clopper_pearson(hits, trials, USUAL);
        if interval.low <= probability && probability <= interval.high {
            sum += weight;
        }
        weight *= (trials - hits) as f64 / (hits + 1) as f64 * probability / (1.0 - probability);
    }
    sum
}

#[test]
fn an_exact_interval_misses_at_most_what_it_may_at_both_edges() {
    let mut least = (1.0, 0.0, 0);
    for trials in [10, 20, 59] {
        for probability in (1..400).map(|n| f64::from(n) / 400.0) {
            let found = exact_coverage(probability, trials);
            if found < least.0 {
                least = (found, probability, trials);
            }
        }
    }
    println!("least of Clopper and Pearson: {least:?}");
    assert!(least.0 >= LEAST_AT_EDGES - 1e-9, "{least:?}");
    assert!(exact_coverage(0.5, 20) >= 0.95);
}
