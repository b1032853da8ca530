//! Everything that reports say of an experiment, as estimates. Latencies are in seconds.

use super::attempts::{self, AttemptSummary};
use super::figures::{self, Recovery, Unanswered};
use super::stability::{self, StabilitySummary};
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::{Outcome, ProbesFailed, WindowOutcome};
use crate::observe::tally::Tally;
use crate::plan::Plan;
use crate::stats::{Confidence, Estimate};
use crate::units::Span;

/// The percentiles that every report shows, with their names.
pub const PERCENTILES: [(f64, &str); 5] =
    [(0.5, "p50"), (0.9, "p90"), (0.95, "p95"), (0.99, "p99"), (0.999, "p99.9")];

/// An experiment in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// One for each window of the plan, in its order.
    pub windows: Vec<WindowSummary>,
    /// The gateway after warm-up.
    pub gateway: GatewaySummary,
    /// One for each fault of the plan, in its order.
    pub faults: Vec<FaultSummary>,
    /// Whether replications came back; `None` unless something surrounds the replicas.
    pub stability: Option<StabilitySummary>,
}

/// A window in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowSummary {
    /// How reports call it.
    pub label: String,
    /// Requests of all replications together.
    pub ledger: Ledger,
    /// Requests sent per replication.
    pub offered: Option<Estimate>,
    /// Requests served per replication.
    pub served: Option<Estimate>,
    /// Requests failed per replication, in the order of [`Failure::ALL`].
    pub failures: Vec<(Failure, Option<Estimate>)>,
    /// Requests per replication without an outcome at the horizon.
    pub in_flight: Option<Estimate>,
    /// Requests per replication of these that nobody would have answered soon after it either.
    pub unanswered: Option<Estimate>,
    /// Served over all that have an outcome.
    pub availability: Option<Estimate>,
    /// Mean latency.
    pub mean: Option<Estimate>,
    /// Percentiles of the latency, in the order of [`PERCENTILES`].
    pub percentiles: Vec<Option<Estimate>>,
    /// The greatest latency of all replications: what was seen, not an estimate.
    pub greatest: Option<Span>,
    /// Requests served per second.
    pub throughput: Option<Estimate>,
    /// Latencies that the figures rest on.
    pub samples: u64,
    /// Seconds that the window was open, per replication.
    pub open: Option<Estimate>,
    /// The attempts for its requests; `None` unless something surrounds the replicas.
    pub attempts: Option<AttemptSummary>,
}

/// The gateway after warm-up, in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewaySummary {
    /// Work done over the capacity of the replicas that served.
    pub cpu: Option<Estimate>,
    /// Most requests that any replica held at once: the mean over replications.
    pub in_flight_peak: Option<Estimate>,
    /// The greatest of these peaks.
    pub in_flight_greatest: u64,
    /// Share of the time with exactly k replicas serving, at index k.
    pub serving: Vec<Option<Estimate>>,
    /// Recovery from all incidents.
    pub recovery: Recovery,
    /// Incidents beyond the number that a replication lists.
    pub incidents_unlisted: u64,
    /// What probes did; `None` unless they compete for CPU.
    pub probes: Option<ProbeSummary>,
}

/// Probes that compete for CPU, per replication after warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeSummary {
    /// Restarts that liveness probes caused.
    pub restarts: Option<Estimate>,
    /// Times that readiness probes took a replica out of rotation.
    pub readiness_losses: Option<Estimate>,
}

/// What one fault did, over all replications.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSummary {
    /// How objectives and reports call it.
    pub name: String,
    /// Times that it struck, per replication.
    pub struck: Option<Estimate>,
    /// Replications in which it struck.
    pub replications: usize,
    /// How long it took to be back to normal.
    pub recovery: Recovery,
    /// Least and greatest p99 before it struck.
    pub p99_before: Option<(Span, Span)>,
    /// Least and greatest p99 while it lasted.
    pub p99_during: Option<(Span, Span)>,
    /// Least and greatest number of requests that failed while it lasted.
    pub failed: Option<(u64, u64)>,
    /// The fewest replicas that served.
    pub serving_least: Option<usize>,
}

/// Sums up the outcomes of `plan`, with intervals of this confidence.
pub fn summarize(plan: &Plan, outcomes: &[Outcome], confidence: Confidence) -> Summary {
    let window = |(index, window): (usize, &crate::plan::Window)| {
        let windows = figures::windows(outcomes, index);
        let attempts =
            plan.surroundings.as_ref().map(|_| attempts::summarize(&windows, confidence));
        WindowSummary { attempts, ..summarize_window(window.label.clone(), &windows, confidence) }
    };
    let fault = |(index, fault): (usize, &crate::plan::FaultPlan)| {
        summarize_fault(fault.name.clone(), index, outcomes, confidence)
    };
    Summary {
        windows: plan.windows.iter().enumerate().map(window).collect(),
        gateway: summarize_gateway(plan, outcomes, confidence),
        faults: plan.faults.iter().enumerate().map(fault).collect(),
        stability: stability::summarize(outcomes, confidence),
    }
}

fn summarize_window(
    label: String,
    windows: &[&WindowOutcome],
    confidence: Confidence,
) -> WindowSummary {
    let count = |value: &dyn Fn(&Ledger) -> u64| {
        figures::count_of(windows, |window| value(&window.ledger) as f64, confidence)
    };
    let failures = |kind| {
        let mean = count(&|ledger| ledger.failed_by(kind));
        (kind, mean.map(|mean| figures::none_seen(mean, confidence)))
    };
    let merged = figures::merged(windows);
    WindowSummary {
        label,
        ledger: figures::total(windows),
        offered: count(&|ledger| ledger.offered),
        served: count(&|ledger| ledger.served),
        failures: Failure::ALL.map(failures).to_vec(),
        in_flight: count(&|ledger| ledger.in_flight),
        unanswered: figures::count_of(windows, |window| window.unanswered as f64, confidence),
        availability: figures::availability(windows, Unanswered::LeftOut, confidence),
        mean: figures::mean_latency(windows, confidence),
        percentiles: PERCENTILES.map(|(q, _)| figures::percentile(windows, q, confidence)).to_vec(),
        greatest: merged.greatest(),
        throughput: figures::throughput(windows, confidence),
        samples: merged.count(),
        open: figures::count_of(windows, |window| window.open.as_secs(), confidence),
        attempts: None,
    }
}

fn summarize_gateway(plan: &Plan, outcomes: &[Outcome], confidence: Confidence) -> GatewaySummary {
    let length = |o: &Outcome| o.time_with_serving.iter().map(|time| time.as_secs()).sum::<f64>();
    let most = outcomes.iter().map(|o| o.time_with_serving.len()).max().unwrap_or(0);
    let share = |k: usize| {
        let time = |o: &Outcome| o.time_with_serving.get(k).map_or(0.0, |time| time.as_secs());
        figures::ratio_of(outcomes, |o| (time(o), length(o)), confidence)
            .map(|e| e.within(0.0, 1.0))
    };
    let incidents = figures::incidents(&figures::windows(outcomes, 0));
    GatewaySummary {
        cpu: figures::ratio_of(outcomes, |o| (o.busy_secs, o.capacity_secs), confidence)
            .map(|cpu| cpu.within(0.0, f64::INFINITY)),
        in_flight_peak: figures::count_of(outcomes, |o| o.in_flight_peak as f64, confidence),
        in_flight_greatest: outcomes.iter().map(|o| o.in_flight_peak).max().unwrap_or(0),
        serving: (0..most).map(share).collect(),
        recovery: figures::recovery(&incidents, confidence),
        incidents_unlisted: outcomes.iter().map(|o| o.incidents_unlisted).sum(),
        probes: plan.detection.probe_cpu.map(|_| summarize_probes(outcomes, confidence)),
    }
}

fn summarize_probes(outcomes: &[Outcome], confidence: Confidence) -> ProbeSummary {
    let count = |value: &dyn Fn(&ProbesFailed) -> u64| {
        let mean = figures::count_of(outcomes, |o| value(&o.probes_failed) as f64, confidence);
        mean.map(|mean| figures::none_seen(mean, confidence))
    };
    let restarts = count(&|failed| failed.liveness);
    ProbeSummary { restarts, readiness_losses: count(&|failed| failed.readiness) }
}

fn summarize_fault(
    name: String,
    fault: usize,
    outcomes: &[Outcome],
    confidence: Confidence,
) -> FaultSummary {
    let tallies: Vec<Tally> = outcomes.iter().map(|o| o.faults[fault].clone()).collect();
    let all = Tally::sum(&tallies);
    FaultSummary {
        name,
        struck: figures::count_of(&tallies, |tally| tally.struck as f64, confidence),
        replications: tallies.iter().filter(|tally| tally.struck > 0).count(),
        recovery: figures::recovery(&tallies, confidence),
        p99_before: all.p99_before,
        p99_during: all.p99_during,
        failed: all.failed,
        serving_least: all.serving_least,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sample;

    fn summary() -> Summary {
        summarize(&sample::plan(), &sample::experiment().outcomes, Confidence::USUAL)
    }

    #[test]
    fn counts_per_replication_add_up() {
        let window = &summary().windows[0];
        let failed: f64 = window.failures.iter().map(|(_, e)| e.unwrap().point).sum();
        let rest = window.served.unwrap().point + failed + window.in_flight.unwrap().point;
        assert!((window.offered.unwrap().point - rest).abs() < 1e-9);
        assert!(window.ledger.balances());
    }

    #[test]
    fn percentiles_grow_and_stay_below_the_greatest() {
        let window = &summary().windows[0];
        let points: Vec<f64> = window.percentiles.iter().map(|e| e.unwrap().point).collect();
        assert!(points.is_sorted() && points[4] <= window.greatest.unwrap().as_secs());
    }

    #[test]
    fn time_shares_add_up_to_one() {
        let gateway = summary().gateway;
        let shares: f64 = gateway.serving.iter().flatten().map(|share| share.point).sum();
        assert!((shares - 1.0).abs() < 1e-12);
        assert!((gateway.cpu.unwrap().point - 0.051).abs() < 0.003);
    }

    #[test]
    fn a_fault_is_summed_up_over_replications() {
        let fault = &summary().faults[0];
        assert_eq!((fault.replications, fault.serving_least), (5, Some(1)));
        assert_eq!(fault.struck.unwrap().point, 1.0);
        let (least, greatest) = fault.recovery.range.unwrap();
        assert!(least >= Span::from_secs(14.0) && greatest <= Span::from_secs(16.0));
    }
}
