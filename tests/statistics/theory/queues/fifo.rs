//! Queues in order of arrival: hosts of an upstream behind a replica that takes no time itself.
//!
//! One host of c workers is M/M/c or M/G/c; several hosts of one worker that take requests in turn
//! see Erlang arrivals. A circuit breaker makes the capacity: of a system that refuses whoever
//! would have to wait, as many connections as workers and none pending; of M/M/1/K, K requests.

use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::random::Law;
use brownout::units::{Instant, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::common;
use crate::common::dependencies::{upstream, with_upstream};
use crate::theory::Group;
use crate::theory::queues::queue::law;
use crate::theory::queues::queued::{Figures, Retention, Shape};
use crate::theory::queues::sojourns::UNIT;
use crate::theory::vectors::{Params, Vector};
use crate::theory::verdict::{Measured, mean_and_error};

/// Enough for errors that nobody states.
const REPLICATIONS: u64 = 50;
/// For a variance of estimates: known to 3.5 per cent, a quarter of the stated tolerance.
const MANY: u64 = 1_600;

pub fn measure(group: &Group, effort: Effort) -> Vec<Measured> {
    let is_slow = group.vectors.iter().any(|vector| vector.stress);
    let (requests, warm_up) = match (effort, is_slow) {
        (Effort::Sample, _) => (enough_to_tell(group), 2_000.0),
        (Effort::Full, false) => (1e6, 10_000.0),
        (Effort::Full, true) => (1e7, 50_000.0),
    };
    let mut parts =
        run(group, REPLICATIONS, (requests / REPLICATIONS as f64, warm_up), |seen| seen);
    let mut whole = Figures::default();
    parts.iter().for_each(|part| whole.merge(part));
    let factor = (1e6 / requests).sqrt();
    let judge = |vector: &Vector| {
        let Some(got) = quantity(&vector.quantity, &mut whole) else {
            return Measured::unanswered("a quantity that nothing measures yet");
        };
        let each: Vec<f64> =
            parts.iter_mut().filter_map(|part| quantity(&vector.quantity, part)).collect();
        let estimate = (got, mean_and_error(&each).1);
        match vector.tolerance.requests {
            Some(_) => Measured::stated(estimate, factor),
            None => Measured::by_error(estimate),
        }
    };
    group.vectors.iter().map(judge).collect()
}

/// Requests of a sample: at least as many as make the stated tolerances small against the values.
fn enough_to_tell(group: &Group) -> f64 {
    let stated = |vector: &Vector| Some(vector.tolerance.around(vector.value)? / vector.rarer());
    let widest = group.vectors.iter().filter_map(stated).fold(0.0, f64::max);
    (1e6 * (4.0 * widest).powi(2)).clamp(2e5, 1e6)
}

/// How far means of long runs scatter. A run lasts a hundred relaxation times, 1/(1 − √ρ)².
pub fn measure_spread(group: &Group) -> Vec<Measured> {
    let rate = group.params().number("arrival_rate");
    let relaxation = rate / (1.0 - rate.sqrt()).powi(2);
    let sizes = (100.0 * relaxation, 10.0 * relaxation);
    let seen: Vec<[(f64, f64); 2]> = run(group, MANY, sizes, |figures| {
        let number = (figures.mean_number(), figures.time());
        [number, (mean(&figures.waits), figures.waits.len() as f64)]
    });
    let judge = |vector: &Vector| {
        let which = usize::from(!vector.quantity.ends_with("number"));
        let (values, sizes): (Vec<f64>, Vec<f64>) = seen.iter().map(|pair| pair[which]).unzip();
        let (error, size) = (mean_and_error(&values).1, mean_and_error(&sizes).0);
        let spread = size * error * error * MANY as f64;
        Measured::stated((spread, spread * (2.0 / MANY as f64).sqrt()), 1.0)
    };
    group.vectors.iter().map(judge).collect()
}

/// What each of so many replications comes to, of so many requests after so many to warm up.
fn run<T: Send>(
    group: &Group,
    replications: u64,
    (requests, warm_up): (f64, f64),
    of: impl Fn(Figures) -> T + Sync,
) -> Vec<T> {
    let params = group.params();
    let rate = rate(params);
    let mut plan = plan(params, rate, Instant(((warm_up + requests) / rate * UNIT) as u64));
    plan.run.warm_up = Instant((warm_up / rate * UNIT) as u64);
    plan.run.seed = group.seed();
    let dependencies = &plan.dependencies;
    let (hosts, workers) =
        (dependencies.upstreams[0].hosts, dependencies.upstreams[0].workers.unwrap_or(1));
    let shape = Shape { hosts, workers, from: plan.run.warm_up, until: plan.run.horizon };
    let one = |replication| {
        let mut seen = Retention::new(shape);
        crate::common::witness::observe(&plan, replication, &mut seen);
        of(seen.figures())
    };
    (0..replications).into_par_iter().map(one).collect()
}

fn rate(params: &Params) -> f64 {
    let given = ["arrival_rate", "total_arrival_rate", "offered_load"];
    given.iter().find_map(|key| params.find(key)).expect("a rate")
}

fn plan(params: &Params, rate: f64, horizon: Instant) -> Plan {
    let mut plan = common::plan(1, rate * 1e9 / UNIT, 1.0);
    plan.gateway.demand = Law::ZERO;
    plan.ingress.read_timeout = Span::MAX;
    plan.run.horizon = horizon;
    plan.run.bin = Span(horizon.0);
    let workers = params.find("servers").unwrap_or(1.0) as usize;
    let latency = match params.word("service") {
        // Whatever the law, so one that is far from exponential.
        "any (insensitive)" => law("hyperexp_balanced_cv2_4"),
        name => law(name),
    };
    let breaker = match params.find("capacity") {
        Some(capacity) => BreakerSpec { requests: Some(capacity as u32), ..BreakerSpec::NONE },
        None if params.find("offered_load").is_some() => {
            BreakerSpec { connections: Some(workers as u32), pending: Some(0), ..BreakerSpec::NONE }
        }
        None => BreakerSpec::NONE,
    };
    plan.dependencies = with_upstream(Upstream {
        hosts: params.find("replicas").unwrap_or(1.0) as usize,
        workers: Some(workers),
        breaker,
        ..upstream(latency)
    });
    plan
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f32]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}

fn quantile(values: &mut [f32], percent: &str) -> Option<f64> {
    let share = percent.parse::<f64>().ok()? / 100.0;
    let place = (share * values.len() as f64).ceil().max(1.0) as usize - 1;
    Some(f64::from(*values.select_nth_unstable_by(place, f32::total_cmp).1))
}

fn quantity(name: &str, seen: &mut Figures) -> Option<f64> {
    if let Some(percent) = name.strip_prefix("sojourn_p") {
        return quantile(&mut seen.sojourns, percent);
    }
    if let Some(percent) = name.strip_prefix("wait_p") {
        return quantile(&mut seen.waits, percent);
    }
    if let Some(number) = name.strip_prefix("prob_n_eq_") {
        return Some(seen.probability(number.parse().ok()?));
    }
    match name {
        "mean_sojourn" | "mean_sojourn_of_accepted" => Some(mean(&seen.sojourns)),
        "mean_wait" => Some(mean(&seen.waits)),
        "sojourn_sd" => Some(deviation(&seen.sojourns)),
        "mean_number_in_system" => Some(seen.mean_number()),
        // Sigma is the share of arrivals that find the host busy.
        "prob_wait_positive" | "sigma" => {
            let waited = seen.waits.iter().filter(|wait| **wait > 0.0).count();
            Some(waited as f64 / seen.waits.len() as f64)
        }
        "utilization" => Some(1.0 - seen.probability(0)),
        "blocking_probability" => Some(seen.refused / seen.offered),
        "throughput" => Some((seen.offered - seen.refused) / seen.time()),
        _ => None,
    }
}
