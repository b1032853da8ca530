//! Brooker's retry simulator: what four strategies make of a server that fails at random.
//!
//! A hundred clients send ten requests a second each for 10 s over a network that takes Exp(10 ms)
//! each way; the server fails each attempt with the same chance and never queues. Published are
//! means and standard deviations of five runs; the test makes ten.
//!
//! Each mean must lie within four standard errors of the difference, whose variance is pooled from
//! both sides (13 degrees of freedom: a right program misses one figure in 700). What has a closed
//! form must also lie within four exact standard errors of that.
//!
//! Its token bucket lets a retry pass only if *more* than one token is there. Tokens come in
//! tenths, so that is one of 4.9 tokens here, where one token is enough; 5 would agree as well. Its
//! circuit breaker stops retries while failures over calls are above a tenth; here failures are
//! divided by attempts, which allows 0.4 per cent more attempts where a tenth fails. Here a client
//! learns of a failure without the way back through the network, which changes neither figure.

use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Share;
use rayon::prelude::*;
use serde_json::Value;

use super::{mean_and_squares, number, published};
use crate::common::dependencies::{retries, upstream, with_upstream};
use crate::common::{plan, replicate, secs};

const RUNS: u64 = 10;
const PUBLISHED_RUNS: f64 = 5.0;

fn strategy(name: &str) -> Option<Retry> {
    let three = retries(4);
    match name {
        "no_retries" => None,
        "three_retries" => Some(three),
        "adaptive_10pct" => {
            let budget = Some(RetryBudget { per_request: 0.1, size: 4.9 });
            Some(Retry { attempts: u32::MAX, budget, ..three })
        }
        "breaker_10pct" => Some(Retry { breaker: Some(Share(0.1)), ..three }),
        _ => panic!("no such strategy: {name}"),
    }
}

fn clients(name: &str, failure_rate: f64) -> Plan {
    let mut plan = plan(1, 1_000.0, 10.0);
    plan.gateway.demand = Law::ZERO;
    let server = Upstream { errors: Share(failure_rate), ..upstream(Law::ZERO) };
    let mut dependencies = with_upstream(server);
    dependencies.clients.popularity = Popularity { keys: 100, zipf: 0.0 };
    dependencies.clients.network = Some(Law::Exponential(secs(0.01)));
    dependencies.clients.retry = strategy(name);
    plan.dependencies = dependencies;
    plan
}

/// Success rate and attempts for each request, run by run.
fn run(name: &str, failure_rate: f64) -> [Vec<f64>; 2] {
    let plan = clients(name, failure_rate);
    let each = |replication| {
        let outcome = replicate(&plan, replication);
        let load = outcome.attempts.offered as f64 / outcome.ledger.offered as f64;
        (outcome.ledger.availability().expect("requests end"), load)
    };
    let (success, load) = (0..RUNS).into_par_iter().map(each).unzip();
    [success, load]
}

/// Why a figure disagrees with the published one, if it does.
fn against_published(ours: &[f64], mean: f64, sd: f64) -> Option<String> {
    let (got, squares) = mean_and_squares(ours);
    let runs = ours.len() as f64;
    // The published deviation is that of a population.
    let variance = (squares + PUBLISHED_RUNS * sd * sd) / (runs + PUBLISHED_RUNS - 2.0);
    let error = (variance * (1.0 / runs + 1.0 / PUBLISHED_RUNS)).sqrt();
    ((got - mean).abs() > 4.0 * error + 1e-12).then(|| format!("{got}, not {mean} ± {error}"))
}

fn case(result: &Value) -> Vec<String> {
    let name = result["strategy"].as_str().expect("a word");
    let rate = number(&result["failure_rate"]);
    let ours = run(name, rate);
    let figures = ["success_rate", "load_amplification"];
    let disagreement = |(figure, ours): (&str, &Vec<f64>)| {
        let [mean, sd] = ["mean", "sd"].map(|of| number(&result[format!("{figure}_{of}")]));
        let problem = against_published(ours, mean, sd)?;
        Some(format!("{name}, {figure} at {rate}: {problem}"))
    };
    let mut found: Vec<String> = figures.into_iter().zip(&ours).filter_map(disagreement).collect();
    found.extend(against_closed_form(name, rate, &ours));
    found
}

/// The same against 1 − pⁿ and (1 − pⁿ)/(1 − p) with n attempts.
fn against_closed_form(name: &str, p: f64, ours: &[Vec<f64>; 2]) -> Vec<String> {
    let attempts = match name {
        "no_retries" => 1,
        "three_retries" => 4,
        _ => return Vec::new(),
    };
    let requests = 10_000.0 * RUNS as f64;
    let success = 1.0 - p.powi(attempts);
    let load: f64 = (0..attempts).map(|k| p.powi(k)).sum();
    let square: f64 = (0..attempts).map(|k| f64::from(2 * k + 1) * p.powi(k)).sum();
    let variances = [success * (1.0 - success), square - load * load];
    let expected = [success, load].into_iter().zip(variances);
    let far = |((expected, variance), ours): ((f64, f64), &Vec<f64>)| {
        let (got, error) = (mean_and_squares(ours).0, (variance / requests).sqrt());
        // A rare event that did not happen, or happened once, is no disagreement either.
        let allowed = 4.0 * error + 2.0 / requests;
        ((got - expected).abs() > allowed).then(|| format!("{name} at {p}: {got}, not {expected}"))
    };
    expected.zip(ours).filter_map(far).collect()
}

#[test]
fn strategies_of_retrying_succeed_and_cost_as_published() {
    let facts = published("retry");
    let results = facts["results"].as_array().expect("a list");
    assert_eq!(results.len(), 4 * 17);
    let found: Vec<String> = results.par_iter().flat_map_iter(case).collect();
    assert!(found.is_empty(), "{} disagree:\n{}", found.len(), found.join("\n"));
}
