//! Limits, caches and clients that try again. Requests take no time, so nothing else has a say.
//!
//! Where a vector states no tolerance, or one that is about its formula, the standard error is that
//! of the exact law: admitted requests of a window are min(Poisson, limit), attempts are
//! geometric up to their number. The run must be within four of these.

use brownout::observe::count::Count;
use brownout::observe::ledger::{Failure, Ledger};
use brownout::observe::outcome::Outcome;
use brownout::plan::*;
use brownout::policy::limit::{Algorithm, Sharing};
use brownout::random::Law;
use brownout::units::{Rate, Share, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::common;
use crate::common::dependencies::with_upstream;
use crate::common::dependencies::{cache, limit, retries, upstream, windows, with_policies};
use crate::theory::Group;
use crate::theory::vectors::{Params, Vector};
use crate::theory::verdict::{Accept, Measured, mean_and_error};

const REPLICATIONS: u64 = 8;
/// Requests that the vectors state.
const STATED: f64 = 1e6;

pub fn measure(group: &Group, effort: Effort) -> Vec<Measured> {
    let requests = if effort == Effort::Full { 4.0 * STATED } else { enough_to_tell(group) };
    let plan = plan(group, requests / REPLICATIONS as f64);
    let seen: Vec<Outcome> =
        (0..REPLICATIONS).into_par_iter().map(|n| common::replicate(&plan, n)).collect();
    let end = plan.run.horizon.as_secs() * REPLICATIONS as f64;
    group.vectors.iter().map(|vector| judge(vector, &seen, end)).collect()
}

/// Requests of a sample: at least as many as see a rare failure 200 times.
fn enough_to_tell(group: &Group) -> f64 {
    let failures = group.vectors.iter().filter(|vector| vector.quantity == "final_failure_prob");
    let rarest = failures.map(Vector::rarer).fold(1.0, f64::min);
    (200.0 / rarest).clamp(STATED / 4.0, STATED)
}

fn judge(vector: &Vector, seen: &[Outcome], secs: f64) -> Measured {
    let params = &vector.params;
    let total = seen.iter().map(|outcome| outcome.ledger.offered).sum::<u64>() as f64;
    let each =
        |share: fn(&Outcome) -> f64| mean_and_error(&seen.iter().map(share).collect::<Vec<_>>());
    let by_law = |got: f64, variance: f64, count: f64| {
        let error = (variance / count).sqrt();
        Measured { got, error: Some(error), accept: Accept::Within(4.0 * error) }
    };
    let stated = |estimate| Measured::stated(estimate, (STATED / total).sqrt());
    match vector.quantity.as_str() {
        "rejected_fraction" => stated(each(|o| rejected(&o.ledger) / offered(o))),
        "admitted_fraction" => stated(each(|o| count(o, Count::Admitted) / offered(o))),
        "hit_ratio" => stated(each(|o| {
            let hits = count(o, Count::Hit);
            hits / (hits + count(o, Count::Miss))
        })),
        "mean_admitted_per_window" => {
            let windows = (secs / params.number("window_s")).round();
            let admitted: f64 = seen.iter().map(|outcome| count(outcome, Count::Admitted)).sum();
            by_law(admitted / windows, admitted_variance(params), windows)
        }
        "mean_attempts" => {
            let attempts: u64 = seen.iter().map(|outcome| outcome.attempts.offered).sum();
            by_law(attempts as f64 / total, attempts_variance(params), total)
        }
        "final_failure_prob" => {
            let failed: u64 = seen.iter().map(|outcome| outcome.ledger.failed()).sum();
            let chance = params.number("attempt_failure_prob").powf(params.number("max_attempts"));
            by_law(failed as f64 / total, chance * (1.0 - chance), total)
        }
        _ => Measured::unanswered("a quantity that nothing measures yet"),
    }
}

fn offered(outcome: &Outcome) -> f64 {
    outcome.ledger.offered as f64
}

fn rejected(ledger: &Ledger) -> f64 {
    ledger.failed_by(Failure::RateLimited) as f64
}

fn count(outcome: &Outcome, count: Count) -> f64 {
    outcome.windows[0].counts[count as usize] as f64
}

/// How a vector splits requests over replicas: the number of these, and whether each goes by
/// itself.
fn split(text: &str) -> (usize, bool) {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    match words.find_map(|word| word.parse().ok()) {
        Some(replicas) => (replicas, true),
        None => (3, false),
    }
}

/// The variance of what the limits of all replicas admit in a window.
fn admitted_variance(params: &Params) -> f64 {
    let (replicas, apart) = split(params.word("policy"));
    let parts = if apart { replicas as f64 } else { 1.0 };
    let mean = params.number("arrival_rate") * params.number("window_s") / parts;
    let limit = params.number("limit_per_window");
    // Of the requests that lack to the limit.
    let (mut log, mut lack, mut squares) = (-mean, 0.0, 0.0);
    for number in 0..limit as u64 {
        let missing = limit - number as f64;
        lack += missing * log.exp();
        squares += missing * missing * log.exp();
        log += (mean / (number + 1) as f64).ln();
    }
    parts * (squares - lack * lack)
}

/// The variance of the number of attempts: P(more than k) is the k-th power of the chance to fail.
fn attempts_variance(params: &Params) -> f64 {
    let chance = params.number("attempt_failure_prob");
    let more_than = (0..params.number("max_attempts") as i32).map(|k| (k, chance.powi(k)));
    let mean: f64 = more_than.clone().map(|(_, share)| share).sum();
    let squares: f64 = more_than.map(|(k, share)| f64::from(2 * k + 1) * share).sum();
    squares - mean * mean
}

/// The plan of a replication of about so many requests; of whole windows if there are windows.
fn plan(group: &Group, requests: f64) -> Plan {
    let params = group.params();
    let rate = params.find("arrival_rate").or(params.find("key_request_rate")).unwrap_or(100.0);
    let window = params.find("window_s").unwrap_or(1.0);
    let end = (requests / rate / window).ceil() * window;
    let text = [params.word("policy"), params.word("sharing")];
    let (replicas, apart) = split(if text[1].is_empty() { text[0] } else { text[1] });
    let mut plan = common::plan(replicas, rate, end);
    plan.gateway.demand = Law::ZERO;
    if !text.concat().contains("round robin") {
        plan.ingress.balancing = Balancing::Random;
    }
    plan.run.seed = group.seed();
    // Caches are empty at first.
    plan.run.warm_up = common::at(10.0 * params.find("ttl_s").unwrap_or_default());
    plan.run.horizon += Span(plan.run.warm_up.0);
    plan.run.bin = Span(plan.run.horizon.0);
    plan.dependencies = dependencies(params, apart);
    plan
}

fn dependencies(params: &Params, apart: bool) -> Dependencies {
    let sharing = if apart { Sharing::PerReplica } else { Sharing::Counter };
    if let Some(quota) = params.find("limit_per_window") {
        let window = Span::from_secs(params.number("window_s"));
        return with_policies([limit(windows(quota as u64, window), sharing)]);
    }
    if let Some(rate) = params.find("refill_per_s") {
        let size = params.number("bucket") as u64;
        let bucket = Algorithm::TokenBucket { per_sec: Rate(rate), size };
        return with_policies([limit(bucket, sharing)]);
    }
    if let Some(ttl) = params.find("ttl_s") {
        return with_policies([cache(Span::from_secs(ttl), !apart, 1)]);
    }
    let errors = Share(params.number("attempt_failure_prob"));
    let mut dependencies = with_upstream(Upstream { errors, ..upstream(Law::ZERO) });
    dependencies.clients.retry = Some(retries(params.number("max_attempts") as u32));
    dependencies
}
