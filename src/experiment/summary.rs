//! Everything that reports say of an experiment, as estimates. Latencies are in seconds.
//!
//! What is here is what `summary.json` holds: names of fields are its keys unless said otherwise.

use std::collections::BTreeSet;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::experiment::recovery::incidents::{FailoverSummary, Recovery, failovers, recoveries};
use crate::experiment::recovery::stability::{self, StabilitySummary};
use crate::metric::{Dimension, Metric, Statistic, cpu_of_region, estimator, nine_digits};
use crate::observe::incident::Incident;
use crate::observe::ledger::Ledger;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::observe::tally::Tally;
use crate::plan::{Extent, Plan, StateItem, StateLoss, Window};
use crate::stats::Confidence;
use crate::stats::law::gamma;
use crate::units::Span;

/// An experiment in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// One for each window of the plan, in its order.
    pub windows: Vec<WindowSummary>,
    /// One for each API of which the plan has windows, in its order.
    pub apis: Vec<ApiSummary>,
    /// The gateway after warm-up.
    pub gateway: GatewaySummary,
    /// One for each fault of the plan, in its order.
    pub faults: Vec<FaultSummary>,
    /// Whether replications came back from what troubled them.
    pub stability: StabilitySummary,
}

/// A window in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowSummary {
    /// How reports call it.
    pub label: String,
    /// The API whose requests count (index into the plan's); `None` = those of all.
    pub api: Option<usize>,
    /// Requests of all replications together.
    pub ledger: Ledger,
    /// What is known of its requests.
    pub figures: Figures,
    /// The greatest latency of all replications: what was seen, not an estimate.
    pub greatest: Option<Span>,
    /// Latencies that the figures rest on.
    pub samples: u64,
    /// The attempts for its requests; `None` unless requests feed back.
    pub attempts: Option<AttemptSummary>,
}

/// The requests for one API, in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiSummary {
    /// Its name.
    pub name: String,
    /// Availability of its worst minute: the mean over replications.
    #[serde(rename = "worst_minute_availability")]
    pub worst_availability: Option<Statistic>,
    /// p99 of its worst minute, of served and failed requests: the mean over replications.
    #[serde(rename = "worst_minute_p99_ms")]
    pub worst_p99: Option<Statistic>,
    /// Of a region: work done over the capacity of its replicas that served; nothing where it never
    /// had any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Option<Statistic>>,
    /// Its windows: the whole run, then parts of it.
    pub windows: Vec<WindowSummary>,
}

/// The attempts for the requests of a window, in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptSummary {
    /// Attempts of all replications together.
    pub ledger: Ledger,
    /// What is known of them.
    pub figures: Figures,
}

/// Figures of one thing, in the order of the catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(Vec<(Metric, Option<Statistic>)>);

impl Figures {
    fn of(metrics: Vec<Metric>, windows: &[&WindowOutcome], confidence: Confidence) -> Self {
        let one = |metric: Metric| (metric, metric.of_windows(windows, confidence));
        Figures(metrics.into_iter().map(one).collect())
    }

    /// One of them.
    pub fn get(&self, metric: Metric) -> Option<&Statistic> {
        self.0.iter().find(|(known, _)| *known == metric)?.1.as_ref()
    }

    /// Writes them by their keys; `before` is told when a group begins.
    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        before: impl Fn(&mut M, &str) -> Result<(), M::Error>,
    ) -> Result<(), M::Error> {
        let mut groups: Vec<&str> = Vec::new();
        for (metric, figure) in &self.0 {
            let (group, key) = metric.entry().key;
            let Some(group) = group else {
                map.serialize_entry(&*key, figure)?;
                continue;
            };
            if !groups.contains(&group) {
                groups.push(group);
                before(map, group)?;
                map.serialize_entry(group, &self.group(group))?;
            }
        }
        Ok(())
    }

    /// The figures of a group.
    fn group(&self, wanted: &str) -> std::collections::BTreeMap<String, Option<Statistic>> {
        let entry = |(metric, figure): &(Metric, Option<Statistic>)| {
            let (group, key) = metric.entry().key;
            let is_wanted = group.is_some_and(|group| group == wanted);
            is_wanted.then(|| (key.into_owned(), *figure))
        };
        self.0.iter().filter_map(entry).collect()
    }
}

impl Summary {
    /// The windows of the requests for all APIs.
    pub fn windows_of_all(&self) -> impl Iterator<Item = &WindowSummary> {
        self.windows.iter().filter(|window| window.api.is_none())
    }
}

impl WindowSummary {
    /// One of its figures.
    pub fn get(&self, metric: Metric) -> Option<&Statistic> {
        self.figures.get(metric)
    }
}

impl Serialize for WindowSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("label", &self.label)?;
        self.figures.write(&mut map, |map, group| match group {
            "latency_ms" => map.serialize_entry("latency_samples", &self.samples),
            _ => Ok(()),
        })?;
        let greatest = self.greatest.and_then(|greatest| nine_digits(greatest.as_millis()));
        map.serialize_entry("latency_greatest_ms", &greatest)?;
        if let Some(attempts) = &self.attempts {
            map.serialize_entry("attempts", attempts)?;
        }
        map.end()
    }
}

impl Serialize for AttemptSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.figures.write(&mut map, |_, _| Ok(()))?;
        map.end()
    }
}

/// The gateway after warm-up, in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GatewaySummary {
    /// Work done over the capacity of the replicas that served.
    pub cpu: Option<Statistic>,
    /// The greatest average of the CPU over a minute of monitoring: the mean over replications.
    pub cpu_monitored: Option<Statistic>,
    /// Availability of the worst minute: the mean over replications.
    #[serde(rename = "worst_minute_availability")]
    pub worst_availability: Option<Statistic>,
    /// p99 of the worst minute, of served and failed requests: the mean over replications.
    #[serde(rename = "worst_minute_p99_ms")]
    pub worst_p99: Option<Statistic>,
    /// Requests in flight, on average over time.
    pub in_flight_mean: Option<Statistic>,
    /// Most requests that any replica held at once: the mean over replications.
    pub in_flight_peak: Option<Statistic>,
    /// The greatest of these peaks.
    pub in_flight_greatest: u64,
    /// Share of the time with exactly k replicas serving, at index k.
    #[serde(rename = "time_share_serving")]
    pub serving: Vec<Option<Statistic>>,
    /// Until clients were hit no more, in all incidents.
    pub recovery: Recovery,
    /// Until as many replicas and zones served as before.
    pub redundancy: Recovery,
    /// Incidents beyond the number that a replication lists.
    pub incidents_unlisted: u64,
    /// What probes did; `None` unless they compete for CPU, ask an upstream,
    /// or restarted a container that booted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<ProbeSummary>,
    /// Replicas killed because their memory was used up, per replication; `None` where no memory is
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_memory: Option<Statistic>,
}

/// What probes did to replicas that work or boot, per replication after warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProbeSummary {
    /// Times that readiness probes took a replica out of rotation.
    pub readiness_losses: Option<Statistic>,
    /// Restarts that liveness and start-up probes caused.
    pub restarts: Option<Statistic>,
}

/// What one fault did, over all replications.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultSummary {
    /// How objectives and reports call it.
    pub name: String,
    /// Times that it was injected, per replication.
    pub injected: Option<Statistic>,
    /// Replications in which it was injected.
    pub replications: usize,
    /// How long it took until clients were hit no more.
    pub recovery: Recovery,
    /// How long until as many replicas and zones served as before.
    pub redundancy: Recovery,
    /// The fail-overs that followed; `None` without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<FailoverSummary>,
    /// What of the state of the region that was lost or left another one lacks; empty without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rpo: Vec<LostItem>,
    /// Least and greatest p99 before it was injected.
    #[serde(rename = "p99_before_ms", serialize_with = "millis")]
    pub p99_before: Option<(Span, Span)>,
    /// Least and greatest p99 while it lasted.
    #[serde(rename = "p99_during_ms", serialize_with = "millis")]
    pub p99_during: Option<(Span, Span)>,
    /// Least and greatest number of requests that failed while it lasted, whatever they failed of.
    pub failed: Option<(u64, u64)>,
    /// The other faults that lasted at the same time in some replication: what failed then may be
    /// theirs.
    #[serde(skip)]
    pub shared_with: Vec<String>,
    /// The fewest replicas that served.
    pub serving_least: Option<usize>,
}

/// An item of state, and what becomes of it where a region is lost or left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LostItem {
    /// Its word.
    pub item: &'static str,
    /// Whether it is `lost`, `kept`, or `absent` from the scenario.
    pub state: &'static str,
    /// How old what is lost is at most.
    #[serde(rename = "most_s")]
    pub most: Option<f64>,
    /// Why.
    pub why: Option<&'static str>,
}

impl LostItem {
    fn of((item, loss): (StateItem, StateLoss)) -> Self {
        let most = loss.most().and_then(|most| nine_digits(most.as_secs()));
        LostItem { item: item.word(), state: loss.word(), most, why: loss.why() }
    }
}

fn millis<S: Serializer>(range: &Option<(Span, Span)>, to: S) -> Result<S::Ok, S::Error> {
    range.map(|range| [range.0, range.1].map(|end| nine_digits(end.as_millis()))).serialize(to)
}

/// Sums up the outcomes of `plan`, with intervals of this confidence.
pub fn summarize(plan: &Plan, outcomes: &[Outcome], confidence: Confidence) -> Summary {
    let window = |(index, window): (usize, &Window)| {
        let windows = estimator::windows(outcomes, index);
        let attempts = (!plan.is_open_loop()).then(|| AttemptSummary {
            ledger: estimator::total(windows.iter().map(|window| &window.attempts)),
            figures: Figures::of(Metric::of_attempts(), &windows, confidence),
        });
        let merged = estimator::merged(&windows);
        WindowSummary {
            label: window.label.clone(),
            api: window.api,
            ledger: estimator::total(windows.iter().map(|window| &window.ledger)),
            figures: Figures::of(Metric::of_requests(), &windows, confidence),
            greatest: merged.greatest(),
            samples: merged.count(),
            attempts,
        }
    };
    let fault = |fault| summarize_fault((fault, plan), outcomes, confidence);
    let windows: Vec<WindowSummary> = plan.windows.iter().enumerate().map(window).collect();
    let apis = plan.names_told_apart().into_iter().enumerate();
    let api = |api| summarize_api(api, plan, &windows, (outcomes, confidence));
    Summary {
        apis: apis.filter_map(api).collect(),
        windows,
        gateway: summarize_gateway(plan, outcomes, confidence),
        faults: (0..plan.faults.len()).map(fault).collect(),
        stability: stability::summarize(outcomes, confidence),
    }
}

/// What is known of an API, if its requests are followed over the whole run.
fn summarize_api(
    (api, name): (usize, &str),
    plan: &Plan,
    windows: &[WindowSummary],
    (outcomes, confidence): (&[Outcome], Confidence),
) -> Option<ApiSummary> {
    let is_run = |window: &Window| (window.extent, window.api) == (Extent::Run, Some(api));
    let run = plan.windows.iter().position(is_run)?;
    let of = |metric: Metric| metric.estimate(outcomes, run, confidence);
    Some(ApiSummary {
        name: name.to_owned(),
        worst_availability: of(Metric::WorstAvailability),
        worst_p99: of(Metric::WorstLatency(0.99)),
        cpu: plan.regions.is_some().then(|| cpu_of_region(outcomes, api, confidence)),
        windows: windows.iter().filter(|window| window.api == Some(api)).cloned().collect(),
    })
}

fn summarize_gateway(plan: &Plan, outcomes: &[Outcome], confidence: Confidence) -> GatewaySummary {
    let of = |metric: Metric| metric.estimate(outcomes, 0, confidence);
    let length = |o: &Outcome| o.time_with_serving.iter().map(|time| time.as_secs()).sum::<f64>();
    let most = outcomes.iter().map(|o| o.time_with_serving.len()).max().unwrap_or(0);
    let share = |k: usize| {
        let time = |o: &Outcome| o.time_with_serving.get(k).map_or(0.0, |time| time.as_secs());
        Statistic::share(outcomes, |o| (time(o), length(o)), confidence)
    };
    let incidents = outcomes.iter().map(|outcome| &outcome.windows[0].incidents);
    let (recovery, redundancy) = recoveries(&incidents.collect::<Vec<_>>(), confidence);
    let probed = plan.detection.follows_probes()
        || outcomes.iter().any(|outcome| outcome.probes_failed.liveness > 0);
    GatewaySummary {
        cpu: of(Metric::Cpu),
        cpu_monitored: of(Metric::CpuMonitored),
        worst_availability: of(Metric::WorstAvailability),
        worst_p99: of(Metric::WorstLatency(0.99)),
        in_flight_mean: of(Metric::InFlightMean),
        in_flight_peak: of(Metric::InFlightPeak),
        in_flight_greatest: outcomes.iter().map(|o| o.in_flight_peak).max().unwrap_or(0),
        serving: (0..most).map(share).collect(),
        recovery: Recovery { longest: of(Metric::RECOVERY), ..recovery },
        redundancy: Recovery { longest: of(Metric::REDUNDANCY), ..redundancy },
        incidents_unlisted: outcomes.iter().map(|o| o.incidents_unlisted).sum(),
        probes: probed.then(|| ProbeSummary {
            readiness_losses: of(Metric::ReadinessLosses),
            restarts: of(Metric::LivenessRestarts),
        }),
        out_of_memory: plan.gateway.memory.and_then(|_| of(Metric::OutOfMemory)),
    }
}

/// How often a fault was injected in a replication. What strikes at random has at least the
/// interval of a Poisson count of all its strikes, and none seen is not none possible.
fn injected(tallies: &[&Tally], at_random: bool, confidence: Confidence) -> Option<Statistic> {
    let counts = tallies.iter().map(|tally| tally.injected as f64).collect::<Vec<_>>();
    let mut mean = *Statistic::mean(Dimension::Count, &counts, confidence)?;
    if let Some(interval) = mean.interval.as_mut().filter(|_| at_random) {
        let strikes = tallies.iter().map(|tally| tally.injected).sum();
        let limits = gamma::garwood(strikes, confidence);
        interval.low = interval.low.min(limits.low / counts.len() as f64);
        interval.high = interval.high.max(limits.high / counts.len() as f64);
    }
    Some(Statistic::new(Dimension::Count, mean))
}

/// The other faults of which an incident lasted while one of this lasted and requests failed.
fn shared_with(fault: usize, outcomes: &[Outcome]) -> BTreeSet<usize> {
    let mut others = BTreeSet::new();
    for Outcome { incidents: all, ended, .. } in outcomes {
        let mine = all.iter().filter(|it| it.fault == fault && it.ledger.failed() > 0);
        let meets = |other: &Incident| mine.clone().any(|it| it.overlaps(other, *ended));
        others.extend(all.iter().filter(|it| it.fault != fault && meets(it)).map(|it| it.fault));
    }
    others
}

fn summarize_fault(
    (fault, whole): (usize, &Plan),
    outcomes: &[Outcome],
    confidence: Confidence,
) -> FaultSummary {
    let (faults, plan) = (&whole.faults, &whole.faults[fault]);
    let tallies: Vec<&Tally> = outcomes.iter().map(|outcome| &outcome.faults[fault]).collect();
    let all = Tally::sum(tallies.iter().copied());
    let (recovery, redundancy) = recoveries(&tallies, confidence);
    let at_random = plan.is_random(faults);
    let failover = failovers(&tallies, confidence);
    let leaves = whole.leaves_region(fault) || failover.is_some();
    let state = leaves.then(|| whole.state_elsewhere(fault));
    FaultSummary {
        name: plan.name.clone(),
        injected: injected(&tallies, at_random, confidence),
        replications: tallies.iter().filter(|tally| tally.injected > 0).count(),
        recovery,
        redundancy,
        failover,
        rpo: state.into_iter().flatten().map(LostItem::of).collect(),
        p99_before: all.p99_before,
        p99_during: all.p99_during,
        failed: all.failed,
        shared_with: shared_with(fault, outcomes).iter().map(|f| faults[*f].name.clone()).collect(),
        serving_least: all.serving_least,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::observe::ledger::Failure;

    fn summary() -> Summary {
        summarize(&example::plan(), &example::experiment().outcomes, Confidence::USUAL)
    }

    #[test]
    fn counts_per_replication_add_up() {
        let window = &summary().windows[0];
        let point = |metric| window.get(metric).unwrap().point;
        let failed: f64 = Failure::ALL.map(|kind| point(Metric::FailedBy(kind))).iter().sum();
        let rest = point(Metric::Served) + failed + point(Metric::InFlight);
        assert!((point(Metric::Offered) - rest).abs() < 1e-9);
        assert!(window.ledger.balances());
    }

    #[test]
    fn percentiles_grow_and_stay_below_the_greatest() {
        let window = &summary().windows[0];
        let points = Metric::PERCENTILES.map(|metric| window.get(metric).unwrap().point);
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
        assert_eq!(fault.injected.unwrap().point, 1.0);
        let Recovery { least, greatest, .. } = fault.recovery;
        assert!(least >= Some(Span::from_secs(14.0)) && greatest <= Some(Span::from_secs(16.0)));
    }
}
