//! Coverage of the figures that every report shows.

use brownout::metric::Metric;
use brownout::observe::outcome::Outcome;
use brownout::stats::{Confidence, Estimate};

use super::systems::{self, RATE};
use super::{Figure, expect_coverage};

const USUAL: Confidence = Confidence::USUAL;

fn of(metric: Metric, outcomes: &[Outcome]) -> Option<Estimate> {
    metric.estimate(outcomes, 0, USUAL).as_deref().copied()
}

fn mean(outcomes: &[Outcome]) -> Option<Estimate> {
    of(Metric::MeanLatency, outcomes)
}

fn median(outcomes: &[Outcome]) -> Option<Estimate> {
    of(Metric::Latency(0.5), outcomes)
}

fn p99(outcomes: &[Outcome]) -> Option<Estimate> {
    of(Metric::P99, outcomes)
}

fn throughput(outcomes: &[Outcome]) -> Option<Estimate> {
    of(Metric::Throughput, outcomes)
}

fn availability(outcomes: &[Outcome]) -> Option<Estimate> {
    of(Metric::Availability, outcomes)
}

fn cpu(outcomes: &[Outcome]) -> Option<Estimate> {
    of(Metric::Cpu, outcomes)
}

/// Processor sharing: the mean is 1/(μ − λ); the percentiles are those of the reference data, from
/// the absorbing chain of a tagged request.
#[test]
fn of_a_replica_that_shares_its_time() {
    let figures = [
        Figure { name: "mean", truth: 0.002, of: mean },
        Figure { name: "p50", truth: 1.132_002_409_902e-3, of: median },
        Figure { name: "p99", truth: 12.445_540_731_751e-3, of: p99 },
        Figure { name: "throughput", truth: RATE, of: throughput },
        Figure { name: "CPU", truth: 0.5, of: cpu },
    ];
    expect_coverage("M/M/1-PS", &systems::sharing(2_000.0), 10, 0.93..=0.97, &figures);
}

/// In order of arrival: the sojourn is exponential with mean 1/(μ − λ).
fn in_order(rate: f64) -> [Figure; 4] {
    let truth = 1.0 / (1_000.0 - rate);
    [
        Figure { name: "mean", truth, of: mean },
        Figure { name: "p50", truth: truth * 2.0_f64.ln(), of: median },
        Figure { name: "p99", truth: truth * 100.0_f64.ln(), of: p99 },
        Figure { name: "throughput", truth: rate, of: throughput },
    ]
}

#[test]
fn of_a_host_that_works_in_order() {
    let plan = systems::in_order(RATE, 2_000.0);
    expect_coverage("M/M/1", &plan, 10, 0.93..=0.97, &in_order(RATE));
}

/// Where requests depend on each other over hundreds of them. Of half as many the mean is held in
/// 93 of 100: means of replications are skewed more than ten of them show.
#[test]
fn of_a_host_that_is_busy() {
    let plan = systems::in_order(800.0, 4_000.0);
    expect_coverage("M/M/1 at 80 %", &plan, 10, 0.93..=0.97, &in_order(800.0));
}

/// Five requests beyond p99 are expected in each of these replications, and they come in a crowd or
/// two: sections alone hold the truth in 89 of 100.
#[test]
fn of_short_replications() {
    let plan = systems::in_order(RATE, 500.0);
    expect_coverage("M/M/1, short", &plan, 10, 0.93..=0.97, &in_order(RATE));
}

/// Erlang's loss formula: of 1.4 erlangs on 5 workers 1.1 % are refused.
#[test]
fn of_a_host_that_refuses() {
    let (rate, workers) = (1_400.0, 5);
    let served = 1.0 - systems::refused(rate / 1_000.0, workers);
    let figures = [
        Figure { name: "availability", truth: served, of: availability },
        Figure { name: "throughput", truth: rate * served, of: throughput },
        Figure { name: "mean", truth: 0.001, of: mean },
    ];
    let plan = systems::refusing(rate, workers, 2_000.0);
    expect_coverage("M/M/5/5", &plan, 10, 0.93..=0.97, &figures);
}
