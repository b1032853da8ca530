//! The catalogue: every figure, and where it is shown.

use std::borrow::Cow;

use super::estimator::{Estimator, Proportion, Unanswered, availability, replications, windows};
use super::{Dimension, Statistic, percentile};
use crate::observe::aftermath::Stability;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::stats::{Confidence, Sample};

/// A figure of an experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// How long a window was open.
    Length,
    /// Requests sent.
    Offered,
    /// Requests served.
    Served,
    /// Requests without an outcome at the horizon.
    InFlight,
    /// Requests of these that nobody would have answered soon after it either.
    Unanswered,
    /// Requests that failed in this way.
    FailedBy(Failure),
    /// Answered requests over all that have an outcome: `availability`.
    Availability,
    /// Failed requests over all that have an outcome.
    Failed,
    /// Requests answered per second while the window was open.
    Throughput,
    /// The mean latency of the served requests: `mean`.
    MeanLatency,
    /// The latency that this share of the served requests did not exceed: `p99` is 0.99.
    Latency(f64),
    /// The longest time in a replication from a fault's strike until back to normal: `recovery`.
    Recovery,
    /// Attempts that clients made.
    Attempts,
    /// Attempts answered.
    AttemptsServed,
    /// Attempts without an end at the horizon.
    AttemptsInFlight,
    /// Attempts that failed in this way.
    AttemptsFailedBy(Failure),
    /// Attempts for each request.
    AttemptsPerRequest,
    /// Attempts after the first.
    Retries,
    /// Answers that came when nobody waited any more, over all answers that replicas gave.
    WastedWork,
    /// Answers found in a cache, over the times that one was asked.
    CacheHits,
    /// How often this happened.
    Counted(Count),
    /// Work done over the capacity of the replicas that served, after warm-up.
    Cpu,
    /// Most requests that any replica held at once, after warm-up.
    InFlightPeak,
    /// Restarts that liveness probes caused, after warm-up.
    LivenessRestarts,
    /// Times that readiness probes took a replica out of rotation, after warm-up.
    ReadinessLosses,
    /// The probability that the system comes back once what troubled it is gone: `recovered`.
    Recovered,
    /// The probability that it then neither comes back nor stays below half.
    Degraded,
    /// The probability that it then stays below half of what it answered: `stuck`.
    Stuck,
}

/// What is said of a figure.
pub struct Entry {
    /// How objectives, tables and files of studies call it.
    pub name: Cow<'static, str>,
    /// Its key in `summary.json`, and the group that it is in.
    pub key: (Option<&'static str>, Cow<'static, str>),
    /// What kind it is.
    pub dimension: Dimension,
    /// Which direction is better.
    pub better: Better,
}

/// Which direction is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Better {
    More,
    Less,
    Neither,
}

/// What a figure is of, and how it is estimated from that.
pub enum Basis {
    /// A window of each replication.
    Window(Estimator<WindowOutcome>),
    /// A window, as requests that were served over those that have an outcome.
    Availability,
    /// A window, as the latency that a share of the served requests did not exceed.
    Percentile(f64),
    /// A replication after warm-up.
    Run(Estimator<Outcome>),
    /// The share of the replications that came to this.
    Replications(fn(Stability) -> bool),
}

/// What an objective can say of a figure, in words for whoever writes one.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// Such as `availability >= 99.9%`.
    pub example: &'static str,
    /// What a value of it is called.
    pub noun: &'static str,
    /// What an objective demands that bounds it on the wrong side.
    pub contrary: &'static str,
}

/// In which windows figures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// In all.
    Everywhere,
    /// In those that are as long in every system. A window that lasts as long as a fault has its
    /// effect is longer where recovery is slower, and the share that fails in it less.
    InFixedWindows,
    /// In the whole run alone.
    InTheRun,
}

/// Places in which figures are shown, each in its order.
impl Metric {
    /// The percentiles that every report shows.
    pub const PERCENTILES: [Metric; 5] = [
        Metric::Latency(0.5),
        Metric::Latency(0.9),
        Metric::Latency(0.95),
        Metric::P99,
        Metric::Latency(0.999),
    ];

    /// The percentile that charts are about.
    pub const P99: Metric = Metric::Latency(0.99);

    /// What objectives can bound, beside further percentiles.
    pub const DEMANDED: [Metric; 9] = [
        Metric::Latency(0.5),
        Metric::Latency(0.95),
        Metric::P99,
        Metric::Latency(0.999),
        Metric::MeanLatency,
        Metric::Availability,
        Metric::Recovery,
        Metric::Recovered,
        Metric::Stuck,
    ];

    /// The rows of tables of windows, before the percentiles.
    pub const ROWS: [Metric; 5] = [
        Metric::Length,
        Metric::Offered,
        Metric::Throughput,
        Metric::Availability,
        Metric::MeanLatency,
    ];

    /// The figures that the files of a sweep have of each cell.
    pub const SWEPT: [Metric; 8] = [
        Metric::MeanLatency,
        Metric::Latency(0.5),
        Metric::Latency(0.95),
        Metric::P99,
        Metric::Latency(0.999),
        Metric::Availability,
        Metric::Throughput,
        Metric::Cpu,
    ];

    /// The figures that are compared, and where.
    pub const COMPARED: [(Metric, Compared); 7] = [
        (Metric::MeanLatency, Compared::Everywhere),
        (Metric::Latency(0.5), Compared::Everywhere),
        (Metric::Latency(0.95), Compared::Everywhere),
        (Metric::P99, Compared::Everywhere),
        (Metric::Failed, Compared::InFixedWindows),
        (Metric::Recovery, Compared::InTheRun),
        (Metric::Cpu, Compared::InTheRun),
    ];

    /// What is summed up of the requests of every window.
    pub fn of_requests() -> Vec<Metric> {
        use Metric::*;
        let mut all = vec![Length, Offered, Served, InFlight, Unanswered];
        all.extend(Failure::ALL.map(FailedBy));
        all.extend([Availability, Throughput, MeanLatency]);
        all.extend(Metric::PERCENTILES);
        all
    }

    /// What is summed up of the attempts for the requests of every window, if something surrounds
    /// the replicas.
    pub fn of_attempts() -> Vec<Metric> {
        use Metric::*;
        let mut all = vec![Attempts, AttemptsServed, AttemptsInFlight];
        all.extend(Failure::ALL.map(AttemptsFailedBy));
        all.extend([AttemptsPerRequest, Retries, WastedWork, CacheHits]);
        all.extend(Count::ALL.map(Counted));
        all
    }
}

impl Metric {
    /// What is said of it.
    pub fn entry(self) -> Entry {
        use Better::{Less, More, Neither};
        use Dimension::{Count as Number, Factor, Rate, Share, Time};
        let as_named = |name, dimension, better| entry(name, name, dimension, better);
        match self {
            Metric::Length => entry("length", "open_s", Time, Neither),
            Metric::Offered => entry("requests", "offered", Number, Neither),
            Metric::Served | Metric::AttemptsServed => as_named("served", Number, More),
            Metric::InFlight | Metric::AttemptsInFlight => {
                entry("in flight", "in_flight", Number, Less)
            }
            Metric::Unanswered => as_named("unanswered", Number, Less),
            Metric::FailedBy(kind) | Metric::AttemptsFailedBy(kind) => {
                entry(kind.label(), kind.key(), Number, Less).within("failed")
            }
            Metric::Availability => as_named("availability", Share, More),
            Metric::Failed => as_named("failed", Share, Less),
            Metric::Throughput => entry("throughput", "throughput_per_s", Rate, More),
            Metric::MeanLatency => as_named("mean", Time, Less).within("latency_ms"),
            Metric::Latency(share) => {
                let name = format!("p{}", (share * 1e8).round() / 1e6);
                entry(name.clone(), name, Time, Less).within("latency_ms")
            }
            Metric::Recovery => entry("recovery", "recovery_s", Time, Less),
            Metric::Attempts => entry("attempts", "offered", Number, Less),
            Metric::AttemptsPerRequest => {
                entry("attempts per request", "per_request", Factor, Less)
            }
            Metric::Retries => as_named("retries", Number, Less),
            Metric::WastedWork => entry("wasted work", "wasted_share", Share, Less),
            Metric::CacheHits => entry("cache hits", "cache_hit_ratio", Share, More),
            Metric::Counted(count) => as_named(count.key(), Number, Neither).within("counts"),
            Metric::Cpu => entry("CPU", "cpu", Share, Neither),
            Metric::InFlightPeak => entry("most in flight", "in_flight_peak", Number, Less),
            Metric::LivenessRestarts => as_named("restarts", Number, Less),
            Metric::ReadinessLosses => entry("readiness losses", "readiness_losses", Number, Less),
            Metric::Recovered => as_named("recovered", Share, More),
            Metric::Degraded => as_named("degraded", Share, Less),
            Metric::Stuck => as_named("stuck", Share, Less),
        }
    }

    /// What it is estimated from, and how.
    fn basis(self) -> Basis {
        let of = |count: Count, w: &WindowOutcome| w.counts[count as usize];
        match self {
            Metric::Length => value(|w| Some(w.open.as_secs())),
            Metric::Offered => value(|w| Some(w.ledger.offered as f64)),
            Metric::Served => value(|w| Some(w.ledger.served as f64)),
            Metric::InFlight => value(|w| Some(w.ledger.in_flight as f64)),
            Metric::Unanswered => value(|w| Some(w.unanswered as f64)),
            Metric::FailedBy(kind) => events(move |w| w.ledger.failed_by(kind)),
            Metric::Availability => Basis::Availability,
            Metric::Failed => {
                let failed = |w: &WindowOutcome| w.ledger.failed() as f64;
                ratio(move |w| (failed(w), failed(w) + w.ledger.served as f64))
            }
            Metric::Throughput => ratio(|w| (w.ledger.served as f64, w.open.as_secs())),
            Metric::MeanLatency => {
                ratio(|w| (w.latency.sum() as f64 / 1e9, w.latency.count() as f64))
            }
            Metric::Latency(share) => Basis::Percentile(share),
            Metric::Recovery => {
                let longest = |w: &WindowOutcome| w.incidents.longest().as_secs();
                value(move |w| (w.incidents.struck > 0).then(|| longest(w)))
            }
            Metric::Attempts => events(|w| w.attempts.offered),
            Metric::AttemptsServed => events(|w| w.attempts.served),
            Metric::AttemptsInFlight => events(|w| w.attempts.in_flight),
            Metric::AttemptsFailedBy(kind) => events(move |w| w.attempts.failed_by(kind)),
            Metric::AttemptsPerRequest => {
                ratio(|w| (w.attempts.offered as f64, w.ledger.offered as f64))
            }
            Metric::Retries => events(|w| w.attempts.offered.saturating_sub(w.ledger.offered)),
            Metric::WastedWork => part(move |w| (of(Count::Wasted, w), w.attempts.served)),
            Metric::CacheHits => part(move |w| (of(Count::Hit, w), of(Count::Miss, w))),
            Metric::Counted(count) => events(move |w| of(count, w)),
            Metric::Cpu => {
                let pair = |o: &Outcome| (o.busy_secs, o.capacity_secs);
                Basis::Run(Estimator::Ratio(Box::new(pair)))
            }
            Metric::InFlightPeak => {
                Basis::Run(Estimator::Mean(Box::new(|o| Some(o.in_flight_peak as f64))))
            }
            Metric::LivenessRestarts => run_events(|o| o.probes_failed.liveness),
            Metric::ReadinessLosses => run_events(|o| o.probes_failed.readiness),
            Metric::Recovered => {
                Basis::Replications(|found| matches!(found, Stability::Recovered { .. }))
            }
            Metric::Degraded => Basis::Replications(|found| found == Stability::Degraded),
            Metric::Stuck => Basis::Replications(|found| found == Stability::Stuck),
        }
    }

    /// What objectives can say of it; `None` if they can say nothing.
    pub fn demand(self) -> Option<Demand> {
        let demand = |example, noun, contrary| Some(Demand { example, noun, contrary });
        match self {
            Metric::Latency(_) => demand("p99 < 250ms", "latency", "a high latency"),
            Metric::MeanLatency => demand("mean < 50ms", "latency", "a high latency"),
            Metric::Availability => {
                demand("availability >= 99.9%", "availability", "a low availability")
            }
            Metric::Recovery => demand("recovery < 60s", "recovery", "a slow recovery"),
            Metric::Recovered => {
                demand("recovered > 95%", "probability", "that the system seldom comes back")
            }
            Metric::Stuck => demand("stuck < 5%", "probability", "that the system stays stuck"),
            _ => None,
        }
    }

    /// How objectives, tables and files of studies call it.
    pub fn name(self) -> Cow<'static, str> {
        self.entry().name
    }

    /// What kind of figure it is.
    pub fn dimension(self) -> Dimension {
        self.entry().dimension
    }

    /// Whether it is a share rather than a duration.
    pub fn is_share(self) -> bool {
        self.dimension() == Dimension::Share
    }

    /// Whether it is of whole replications, and not of a part of the run.
    pub fn is_of_replications(self) -> bool {
        matches!(self.basis(), Basis::Replications(_))
    }

    /// Whether more of it is better.
    pub fn is_better_high(self) -> bool {
        self.entry().better == Better::More
    }

    /// Its estimate from a window of every replication.
    pub fn estimate(
        self,
        outcomes: &[Outcome],
        window: usize,
        confidence: Confidence,
    ) -> Option<Statistic> {
        let estimate = match self.basis() {
            Basis::Run(estimator) => {
                estimator.estimate(&outcomes.iter().collect::<Vec<_>>(), confidence)
            }
            Basis::Replications(_) => {
                return self.of_replications(outcomes, None, confidence).estimate;
            }
            _ => return self.of_windows(&windows(outcomes, window), confidence),
        };
        estimate.map(|estimate| Statistic::new(self.dimension(), estimate))
    }

    /// Its estimate from these windows, one of each replication; `None` if it is not of windows.
    pub fn of_windows(
        self,
        windows: &[&WindowOutcome],
        confidence: Confidence,
    ) -> Option<Statistic> {
        let estimate = match self.basis() {
            Basis::Window(estimator) => estimator.estimate(windows, confidence),
            Basis::Availability => availability(windows, Unanswered::LeftOut, confidence),
            Basis::Percentile(share) => percentile::estimate(windows, share, confidence),
            Basis::Run(_) | Basis::Replications(_) => None,
        };
        estimate.map(|estimate| Statistic::new(self.dimension(), estimate))
    }

    /// The replications that came to this, and of how many that say; those that do not say count as
    /// `unclear` says, if it does. Nothing if it is not of replications.
    pub fn of_replications(
        self,
        outcomes: &[Outcome],
        unclear: Option<bool>,
        confidence: Confidence,
    ) -> Proportion {
        match self.basis() {
            Basis::Replications(wanted) => replications(outcomes, wanted, unclear, confidence),
            _ => Proportion::default(),
        }
    }

    /// The same with what each replication deviates; `None` for what is not compared.
    pub fn sample(self, outcomes: &[&Outcome], window: usize) -> Option<Sample> {
        let windows = || outcomes.iter().map(|o| &o.windows[window]).collect::<Vec<_>>();
        match self.basis() {
            Basis::Window(estimator) => estimator.sample(&windows()),
            Basis::Percentile(share) => percentile::sample(&windows(), share),
            Basis::Run(estimator) => estimator.sample(outcomes),
            Basis::Availability | Basis::Replications(_) => None,
        }
    }

    /// Whether a replication has it at all.
    pub fn speaks(self, outcome: &Outcome, window: usize) -> bool {
        let window = &outcome.windows[window];
        match self.basis() {
            Basis::Window(estimator) => estimator.speaks(window),
            Basis::Percentile(_) => window.latency.count() > 0,
            Basis::Availability => window.ledger.availability().is_some(),
            Basis::Run(estimator) => estimator.speaks(outcome),
            Basis::Replications(_) => outcome.aftermath.is_some(),
        }
    }
}

fn entry(
    name: impl Into<Cow<'static, str>>,
    key: impl Into<Cow<'static, str>>,
    dimension: Dimension,
    better: Better,
) -> Entry {
    Entry { name: name.into(), key: (None, key.into()), dimension, better }
}

impl Entry {
    fn within(mut self, group: &'static str) -> Entry {
        self.key.0 = Some(group);
        self
    }
}

/// One value for each replication that has it.
fn value(of: impl Fn(&WindowOutcome) -> Option<f64> + 'static) -> Basis {
    Basis::Window(Estimator::Mean(Box::new(of)))
}

/// A number for each replication, of which none may have been seen.
fn events(of: impl Fn(&WindowOutcome) -> u64 + 'static) -> Basis {
    Basis::Window(Estimator::Events(Box::new(of)))
}

fn run_events(of: fn(&Outcome) -> u64) -> Basis {
    Basis::Run(Estimator::Events(Box::new(of)))
}

/// One total over another.
fn ratio(of: impl Fn(&WindowOutcome) -> (f64, f64) + 'static) -> Basis {
    Basis::Window(Estimator::Ratio(Box::new(of)))
}

/// One number over itself and another.
fn part(of: impl Fn(&WindowOutcome) -> (u64, u64) + 'static) -> Basis {
    ratio(move |window| {
        let (part, rest) = of(window);
        (part as f64, (part + rest) as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Estimate;

    fn point(estimate: Option<Statistic>) -> f64 {
        estimate.map_or(f64::NAN, |estimate| estimate.point)
    }

    fn window(requests: u64, attempts: u64, wasted: u64, hits: u64, misses: u64) -> WindowOutcome {
        let mut window = WindowOutcome::default();
        (window.ledger.offered, window.ledger.served) = (requests, requests);
        (window.attempts.offered, window.attempts.served) = (attempts, requests);
        window.attempts.failures[Failure::GivenUp as usize] = attempts - requests;
        window.counts[Count::Wasted as usize] = wasted;
        window.counts[Count::Hit as usize] = hits;
        window.counts[Count::Miss as usize] = misses;
        window
    }

    #[test]
    fn ratios_are_of_the_totals_and_counts_are_means() {
        let (one, two) = (window(100, 150, 50, 30, 10), window(300, 330, 0, 0, 0));
        let of = |metric: Metric| point(metric.of_windows(&[&one, &two], Confidence::USUAL));
        assert_eq!(of(Metric::AttemptsPerRequest), 480.0 / 400.0);
        assert_eq!(of(Metric::Retries), 40.0);
        assert_eq!(of(Metric::WastedWork), 50.0 / 450.0);
        assert_eq!(of(Metric::CacheHits), 0.75);
        assert_eq!(of(Metric::AttemptsFailedBy(Failure::GivenUp)), 40.0);
        assert_eq!(of(Metric::Counted(Count::Miss)), 5.0);
    }

    #[test]
    fn nothing_asked_has_no_ratio_and_nothing_seen_is_not_nothing_possible() {
        let plain = window(100, 100, 0, 0, 0);
        let of = |metric: Metric| metric.of_windows(&[&plain, &plain], Confidence::USUAL);
        assert_eq!(of(Metric::CacheHits), None);
        let panics = of(Metric::Counted(Count::Panic)).unwrap();
        assert!(panics.point == 0.0 && panics.interval.unwrap().high > 1.0);
    }

    #[test]
    fn nothing_decided_means_no_availability_and_no_latency() {
        let empty = WindowOutcome::default();
        let of = |metric: Metric| metric.of_windows(&[&empty, &empty], Confidence::USUAL);
        let none = [Metric::Availability, Metric::P99, Metric::MeanLatency, Metric::Throughput];
        assert_eq!(none.map(of), [None; 4]);
    }

    #[test]
    fn every_figure_of_windows_has_a_key_of_its_own() {
        for all in [Metric::of_requests(), Metric::of_attempts()] {
            let keys: Vec<_> = all.iter().map(|metric| metric.entry().key).collect();
            assert!((1..keys.len()).all(|index| !keys[..index].contains(&keys[index])), "{keys:?}");
        }
    }

    #[test]
    fn what_objectives_can_bound_has_an_example_that_names_it() {
        for metric in Metric::DEMANDED {
            let example = metric.demand().unwrap().example;
            let name =
                if let Metric::Latency(_) = metric { Metric::P99.name() } else { metric.name() };
            assert!(example.starts_with(&*name), "{example}");
        }
        let plain = Estimate::alone(1.1, 1);
        assert_eq!(Statistic::new(Metric::Cpu.dimension(), plain).point, 1.0);
    }
}
