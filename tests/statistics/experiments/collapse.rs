//! Brooker's simulator of collapse: a spike of 5 s, after which some runs never recover.
//!
//! Requests come at 40 a second, 80 from 0:20 to 0:25, over a network that takes Exp(0.1 s) each
//! way. The server takes 1 s and 10 ms for each request that it has, those that nobody waits for
//! any more included. Clients give up after 3 s and try three times in all.
//!
//! A run either recovers or does not, so the share of those that do not is judged, by exact
//! binomial intervals at 95 %, and until the two kinds part the means of each second, by four
//! standard errors. Published are 40 runs for the former and 10 for the latter.

use brownout::experiment::replicate;
use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::Keep;
use brownout::observe::timeline::TotalRow;
use brownout::plan::*;
use brownout::random::Law;
use brownout::stats::Confidence;
use brownout::stats::proportion::clopper_pearson;
use brownout::units::Span;
use rayon::prelude::*;
use serde_json::Value;

use super::{mean_and_squares, numbers, published};
use crate::common::dependencies::{retries, upstream, with_upstream};
use crate::common::troubles::rates;
use crate::common::{plan, secs};

const RUNS: u64 = 200;
const PUBLISHED_RUNS: f64 = 10.0;

/// `first` is the longest wait before the second try; before the third it is twice that. Published
/// is U(0, 20·2ᵏ) s before retry k; k counts from 0, as the answers in the half-minute after the
/// spike say.
fn spike(first: f64) -> Plan {
    let mut plan = plan(1, 40.0, 80.0);
    plan.gateway.demand = Law::ZERO;
    let corners = [(0.0, 40.0), (20.0, 40.0), (20.0, 80.0), (25.0, 80.0), (25.0, 40.0)];
    plan.traffic = rates(Scatter::Poisson, &corners);
    let server = Upstream { per_request: secs(0.01), ..upstream(Law::Constant(secs(1.0))) };
    let mut dependencies = with_upstream(server);
    let backoff =
        RetryBackoff { first: secs(first), factor: 2.0, limit: Span::MAX, jitter: Jitter::Full };
    dependencies.clients.network = Some(Law::Exponential(secs(0.1)));
    dependencies.clients.patience = Some(secs(3.0));
    dependencies.clients.cancels = false;
    dependencies.clients.retry = Some(Retry { backoff, ..retries(3) });
    plan.dependencies = dependencies;
    plan
}

/// Second by second, run by run.
fn runs(plan: &Plan) -> Vec<Vec<TotalRow>> {
    let keep = Keep { timeline: true, ..Keep::default() };
    let rows = |outcome: Outcome| outcome.timeline.expect("it is kept").total;
    let one = |replication| rows(replicate(plan, replication, keep, &Default::default()));
    (0..RUNS).into_par_iter().map(one).collect()
}

/// Answers from 65 to 75 s over the requests that come in that time on average.
fn late_goodput(run: &[TotalRow]) -> f64 {
    run[65..75].iter().map(|row| row.served).sum::<u64>() as f64 / 400.0
}

/// The seconds in which the mean of a figure is not the published one.
fn disagreements(
    runs: &[Vec<TotalRow>],
    figure: fn(&TotalRow) -> u64,
    means: &Value,
    seconds: std::ops::Range<usize>,
) -> Vec<String> {
    let means = numbers(means);
    let one = |second: usize| {
        let values: Vec<f64> = runs.iter().map(|run| figure(&run[second]) as f64).collect();
        let (mean, squares) = mean_and_squares(&values);
        let variance = squares / (values.len() - 1) as f64;
        let error = (variance * (1.0 / values.len() as f64 + 1.0 / PUBLISHED_RUNS)).sqrt();
        let far = (mean - means[second]).abs() > 4.0 * error;
        far.then(|| format!("{second} s: {mean} ± {error}, not {}", means[second]))
    };
    seconds.filter_map(one).collect()
}

fn collapsed(goodput: impl Iterator<Item = f64>) -> u64 {
    goodput.filter(|goodput| *goodput < 0.5).count() as u64
}

#[test]
fn without_a_back_off_as_many_runs_stay_collapsed_as_published() {
    let facts = &published("collapse")["spike_no_backoff"];
    let runs = runs(&spike(0.0));
    let published = numbers(&facts["goodput_65_75s"]);
    let count = collapsed(published.iter().copied());
    let theirs = clopper_pearson(count, published.len() as u64, Confidence::USUAL);
    let ours = collapsed(runs.iter().map(|run| late_goodput(run)));
    let share = ours as f64 / RUNS as f64;
    assert!((theirs.low..=theirs.high).contains(&share), "{share}, not {theirs:?}");
    for run in &runs {
        let goodput = late_goodput(run);
        assert!(goodput < 0.05 || (0.75..1.25).contains(&goodput), "{goodput}: neither");
        // Who collapses sends each request three times, for good.
        let attempts: u64 = run[65..75].iter().map(|row| row.attempts).sum();
        let per_request = if goodput < 0.5 { 3.0 } else { 1.0 };
        let expected = 400.0 * per_request;
        let most = 4.5 * per_request * 400.0_f64.sqrt();
        assert!((attempts as f64 - expected).abs() < most, "{attempts}, not {expected}");
    }
    let mut found = disagreements(&runs, |row| row.served, &facts["successes"], 0..26);
    found.extend(disagreements(&runs, |row| row.offered, &facts["starts"], 0..80));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn with_back_off_and_jitter_no_run_stays_collapsed() {
    let facts = &published("collapse")["spike_backoff_and_jitter"];
    let runs = runs(&spike(20.0));
    let published = numbers(&facts["goodput_65_75s"]);
    assert_eq!(collapsed(published.iter().copied()), 0);
    assert_eq!(collapsed(runs.iter().map(|run| late_goodput(run))), 0);
    let mut found = disagreements(&runs, |row| row.served, &facts["successes"], 0..80);
    found.extend(disagreements(&runs, |row| row.offered, &facts["starts"], 0..80));
    assert!(found.is_empty(), "{}", found.join("\n"));
}
