//! Windows in `summary.json`, and what happened around the replicas in each.

use std::collections::BTreeMap;

use serde::Serialize;

use super::incidents::millis;
use super::{Estimate, estimate};
use crate::experiment::attempts::AttemptSummary;
use crate::experiment::summary::{PERCENTILES, WindowSummary};
use crate::observe::ledger::Failure;
use crate::stats;

#[derive(Serialize)]
pub(super) struct WindowPart<'a> {
    label: &'a str,
    open_s: Option<Estimate>,
    offered: Option<Estimate>,
    served: Option<Estimate>,
    in_flight: Option<Estimate>,
    unanswered: Option<Estimate>,
    failed: BTreeMap<&'static str, Option<Estimate>>,
    availability: Option<Estimate>,
    throughput_per_s: Option<Estimate>,
    latency_samples: u64,
    latency_ms: BTreeMap<&'static str, Option<Estimate>>,
    latency_greatest_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<AttemptPart>,
}

/// Attempts, and what is counted for them.
#[derive(Serialize)]
pub(super) struct AttemptPart {
    offered: Option<Estimate>,
    served: Option<Estimate>,
    in_flight: Option<Estimate>,
    failed: BTreeMap<&'static str, Option<Estimate>>,
    per_request: Option<Estimate>,
    retries: Option<Estimate>,
    wasted_share: Option<Estimate>,
    cache_hit_ratio: Option<Estimate>,
    counts: BTreeMap<&'static str, Option<Estimate>>,
}

pub(super) fn window(window: &WindowSummary) -> WindowPart<'_> {
    let plain = |e: &Option<stats::Estimate>| estimate(e.as_ref(), 1.0);
    let failed = |(kind, e): &(Failure, Option<stats::Estimate>)| (kind.key(), plain(e));
    let percentiles = PERCENTILES.iter().zip(&window.percentiles);
    let latency = percentiles.map(|((_, name), e)| (*name, estimate(e.as_ref(), 1e3)));
    let mean = ("mean", estimate(window.mean.as_ref(), 1e3));
    WindowPart {
        label: &window.label,
        open_s: plain(&window.open),
        offered: plain(&window.offered),
        served: plain(&window.served),
        in_flight: plain(&window.in_flight),
        unanswered: plain(&window.unanswered),
        failed: window.failures.iter().map(failed).collect(),
        availability: plain(&window.availability),
        throughput_per_s: plain(&window.throughput),
        latency_samples: window.samples,
        latency_ms: latency.chain([mean]).collect(),
        latency_greatest_ms: millis(window.greatest),
        attempts: window.attempts.as_ref().map(attempts),
    }
}

fn attempts(attempts: &AttemptSummary) -> AttemptPart {
    let plain = |e: &Option<stats::Estimate>| estimate(e.as_ref(), 1.0);
    AttemptPart {
        offered: plain(&attempts.offered),
        served: plain(&attempts.served),
        in_flight: plain(&attempts.in_flight),
        failed: attempts.failures.iter().map(|(kind, e)| (kind.key(), plain(e))).collect(),
        per_request: plain(&attempts.per_request),
        retries: plain(&attempts.retries),
        wasted_share: plain(&attempts.wasted),
        cache_hit_ratio: plain(&attempts.hit_ratio),
        counts: attempts.counts.iter().map(|(count, e)| (count.key(), plain(e))).collect(),
    }
}
