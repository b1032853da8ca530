//! The catalogue: every figure, what is said of it, and what it is estimated from.

use std::borrow::Cow;

use super::estimator::{Estimator, Extract};
use super::percentile::Among;
use super::statistic::Dimension;
use crate::observe::count::Count;
use crate::observe::failover::{CLIENTS_BACK, FailoverStep};
use crate::observe::ledger::Failure;
use crate::observe::outcome::{MINUTE_PERCENTILES, Outcome, WindowOutcome, WorstMinute};
use crate::observe::recovery::Stability;
use crate::observe::tally::Restorations;
use crate::plan::{RecoveryPoint, StateItem};
use crate::units::Span;

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
    /// Requests that failed or were rejected in this way.
    FailedBy(Failure),
    /// Answered requests, be it by a rejection, over all that have an outcome: `availability`.
    Availability,
    /// Failed requests over all that have an outcome: `failed`.
    Failed,
    /// Those that failed, or were rejected, in this way over all that have an outcome: `failed by
    /// timed-out`.
    ShareOf(Failure),
    /// Rejected requests over all that have an outcome: `rejected`.
    Rejected,
    /// Requests answered per second while the window was open.
    Throughput,
    /// The mean latency of the served requests: `mean`.
    MeanLatency,
    /// The latency that this share of the served requests did not exceed: `p99 of served` is 0.99.
    Latency(f64),
    /// The same of all that were sent; one that failed or was never answered is slower than any:
    /// `p99` is 0.99.
    SentLatency(f64),
    /// The greatest latency of any of these requests: `greatest`.
    Greatest(Among),
    /// The longest time in a replication from a fault's injection until this is restored:
    /// `recovery`, of the service, and `redundancy-restored`.
    Recovery(Restored),
    /// The time within which a share of the incidents has it restored: `p95 recovery` is 0.95.
    RecoveryWithin(Restored, f64),
    /// How old what is lost of a gateway's state is at most: `rpo`. It follows from the scenario
    /// alone, which says how old.
    Rpo(RecoveryPoint),
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
    /// Work done over the capacity of the replicas that served, after warm-up: `cpu`.
    Cpu,
    /// The greatest average of the CPU over a minute, after warm-up: `cpu as monitored`.
    CpuMonitored,
    /// The least share of the requests that ended in a minute that were answered, after warm-up:
    /// `availability … in the worst minute`.
    WorstAvailability,
    /// The greatest percentile of the requests that ended in a minute, after warm-up; one that
    /// failed is slower than any: `p99 … in the worst minute`.
    WorstLatency(f64),
    /// Requests in flight, on average over the time after warm-up.
    InFlightMean,
    /// Most requests that any replica held at once, after warm-up.
    InFlightPeak,
    /// Restarts that liveness and start-up probes caused, after warm-up.
    LivenessRestarts,
    /// Replicas killed because their memory was used up, after warm-up.
    OutOfMemory,
    /// Times that readiness probes took a replica out of rotation, after warm-up.
    ReadinessLosses,
    /// The probability that the system comes back once what troubled it is gone: `recovered`.
    Recovered,
    /// The probability that it then neither comes back nor stays below half.
    Degraded,
    /// The probability that it then stays below half of what it answered: `stuck`.
    Stuck,
}

/// What an incident takes away, and what is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// Clients are hit no more.
    Service,
    /// As many replicas and zones serve as before.
    Redundancy,
    /// Requests are answered again: `rto`.
    Answers,
    /// So many percent of the clients of a region are led to another one: `clients-back 99%`.
    Clients(u8),
    /// The end of a step of a fail-over, from the end of the one before.
    Step(FailoverStep),
}

impl Restored {
    /// How long it took in the incidents of a window.
    pub fn of(self, window: &WindowOutcome) -> &Restorations {
        match self {
            Restored::Service => &window.incidents.service,
            Restored::Redundancy => &window.incidents.redundancy,
            Restored::Answers => &window.incidents.answers,
            Restored::Clients(percent) => {
                let index = CLIENTS_BACK.iter().position(|known| *known == percent);
                &window.incidents.failover.led[index.expect("a share of clients is followed")]
            }
            Restored::Step(step) => &window.incidents.failover.steps[step as usize],
        }
    }

    fn words(self) -> (Cow<'static, str>, Cow<'static, str>) {
        match self {
            Restored::Service => ("recovery".into(), "recovery_s".into()),
            Restored::Redundancy => ("redundancy-restored".into(), "redundancy_restored_s".into()),
            Restored::Answers => ("rto".into(), "rto_s".into()),
            Restored::Clients(percent) => (
                format!("clients-back {percent}%").into(),
                format!("clients_back_{percent}_s").into(),
            ),
            Restored::Step(step) => {
                (step.label().into(), format!("{}_s", step.label().to_lowercase()).into())
            }
        }
    }

    /// Whether it is of fail-overs, which only regions have.
    pub fn is_of_regions(self) -> bool {
        matches!(self, Restored::Clients(_) | Restored::Step(_))
    }
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
    pub better: Preferred,
}

/// Which direction is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preferred {
    /// A higher value is better.
    More,
    /// A lower value is better.
    Less,
    /// It depends: a change is shown without praise or blame.
    Neither,
}

/// What a figure is of, and how it is estimated from that.
pub enum Basis {
    /// A window of each replication.
    Window(Estimator<WindowOutcome>),
    /// A window, as requests that were answered over those that have an outcome.
    Availability,
    /// A window, as one number of requests over another that holds it.
    Share(Extract<WindowOutcome, (u64, u64)>),
    /// A window, as the greatest latency of some of its requests.
    Greatest(Among),
    /// A window, as the latency that a share of some of its requests did not exceed.
    Percentile(f64, Among),
    /// The incidents of a window, as the time within which a share of them has this restored.
    Incidents(Restored, f64),
    /// What is simulated does not decide it, but what the scenario says: so many.
    Given(f64),
    /// A window that is the whole run, by its worst minute.
    WorstMinute(Estimator<WindowOutcome>),
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

impl Metric {
    /// How long clients are hit: what users call the time to recover.
    pub const RECOVERY: Metric = Metric::Recovery(Restored::Service);

    /// How long it takes until as much is there as before.
    pub const REDUNDANCY: Metric = Metric::Recovery(Restored::Redundancy);

    /// How long it takes until requests are answered again: what a recovery time objective bounds.
    pub const RTO: Metric = Metric::Recovery(Restored::Answers);

    /// How old what is lost may be, before it is known which item that is, and how old.
    pub const RPO: Metric = Metric::Rpo(RecoveryPoint { item: None, most: Span::ZERO });

    /// What is said of it.
    pub fn entry(self) -> Entry {
        use Dimension::{Count as Number, Factor, Latency, Rate, Share, Time};
        use Preferred::{Less, More, Neither};
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
                let group = if kind.is_rejection() { "rejected" } else { "failed" };
                entry(kind.label(), kind.key(), Number, Less).within(group)
            }
            Metric::Availability => as_named("availability", Share, More),
            Metric::Failed => as_named("failed", Share, Less),
            Metric::Rejected => entry("rejected", "rejected_share", Share, Less),
            Metric::ShareOf(kind) => entry(caused(kind), caused(kind), Share, Less),
            Metric::Throughput => entry("throughput", "throughput_per_s", Rate, More),
            Metric::MeanLatency => as_named("mean", Latency, Less).within("latency_ms"),
            Metric::Latency(share) => {
                entry(percentile(share), percentile(share), Latency, Less).within("latency_ms")
            }
            Metric::SentLatency(share) => {
                entry(percentile(share), percentile(share), Latency, Less)
                    .within("latency_of_sent_ms")
            }
            Metric::Greatest(Among::Sent) => as_named("greatest", Latency, Less),
            Metric::Greatest(_) => as_named("greatest of served", Latency, Less),
            Metric::Recovery(restored) => {
                let (name, key) = restored.words();
                entry(name, key, Time, Less)
            }
            Metric::RecoveryWithin(restored, share) => {
                let (name, key) = restored.words();
                let rank = percentile(share);
                entry(format!("{rank} {name}"), format!("{rank}_{key}"), Time, Less)
            }
            Metric::Rpo(RecoveryPoint { item, .. }) => recovery_point(item),
            Metric::Attempts => entry("attempts", "offered", Number, Less),
            Metric::AttemptsPerRequest => {
                entry("attempts per request", "per_request", Factor, Less)
            }
            Metric::Retries => as_named("retries", Number, Less),
            Metric::WastedWork => entry("wasted work", "wasted_share", Share, Less),
            Metric::CacheHits => entry("cache hits", "cache_hit_ratio", Share, More),
            Metric::Counted(count) => as_named(count.key(), Number, Neither).within("counts"),
            Metric::Cpu => entry("CPU", "cpu", Share, Neither),
            Metric::CpuMonitored => entry("CPU as monitored", "cpu_monitored", Share, Neither),
            Metric::WorstAvailability => {
                entry("availability in the worst minute", "worst_availability", Share, More)
            }
            Metric::WorstLatency(share) => {
                let name = format!("{} in the worst minute", percentile(share));
                entry(name, format!("worst_{}", percentile(share)), Latency, Less)
            }
            Metric::InFlightMean => entry("in flight on average", "in_flight_mean", Number, Less),
            Metric::InFlightPeak => entry("most in flight", "in_flight_peak", Number, Less),
            Metric::LivenessRestarts => as_named("restarts", Number, Less),
            Metric::OutOfMemory => entry("out of memory", "out_of_memory", Number, Less),
            Metric::ReadinessLosses => entry("readiness losses", "readiness_losses", Number, Less),
            Metric::Recovered => as_named("recovered", Share, More),
            Metric::Degraded => as_named("degraded", Share, Less),
            Metric::Stuck => as_named("stuck", Share, Less),
        }
    }

    /// What it is estimated from, and how.
    pub(super) fn basis(self) -> Basis {
        let of = |count: Count, w: &WindowOutcome| w.counts[count as usize];
        match self {
            Metric::Length => value(|w| Some(w.open.as_secs())),
            Metric::Offered => value(|w| Some(w.ledger.offered as f64)),
            Metric::Served => value(|w| Some(w.ledger.served as f64)),
            Metric::InFlight => value(|w| Some(w.ledger.in_flight as f64)),
            Metric::Unanswered => value(|w| Some(w.unanswered as f64)),
            Metric::FailedBy(kind) => events(move |w| w.ledger.failed_by(kind)),
            Metric::Availability => Basis::Availability,
            Metric::Failed => share(|w| (w.ledger.failed(), w.ledger.decided())),
            Metric::Rejected => share(|w| (w.ledger.rejected(), w.ledger.decided())),
            Metric::ShareOf(kind) => share(move |w| (w.ledger.failed_by(kind), w.ledger.decided())),
            Metric::Throughput => ratio(|w| (w.ledger.served as f64, w.open.as_secs())),
            Metric::MeanLatency => {
                ratio(|w| (w.latency.sum() as f64 / 1e9, w.latency.count() as f64))
            }
            Metric::Latency(share) => Basis::Percentile(share, Among::Served),
            Metric::SentLatency(share) => Basis::Percentile(share, Among::Sent),
            Metric::Greatest(among) => Basis::Greatest(among),
            Metric::Recovery(restored) => value(move |window| {
                let of = restored.of(window);
                (of.count() > 0).then(|| of.longest().as_secs())
            }),
            Metric::RecoveryWithin(restored, share) => Basis::Incidents(restored, share),
            Metric::Rpo(point) => Basis::Given(point.most.as_secs()),
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
            Metric::CpuMonitored => of_each(|o| o.monitored.cpu),
            Metric::WorstAvailability => {
                worst_minute(|worst| Some(worst.answered as f64 / worst.decided as f64))
            }
            Metric::WorstLatency(share) => worst_minute(move |worst| {
                let index = MINUTE_PERCENTILES.iter().position(|known| *known == share)?;
                Some(worst.latency[index].map_or(f64::INFINITY, Span::as_secs))
            }),
            Metric::InFlightMean => {
                let pair = |o: &Outcome| (o.monitored.in_flight_secs, o.monitored.sampled_secs);
                Basis::Run(Estimator::Ratio(Box::new(pair)))
            }
            Metric::InFlightPeak => {
                Basis::Run(Estimator::Mean(Box::new(|o| Some(o.in_flight_peak as f64))))
            }
            Metric::LivenessRestarts => run_events(|o| o.probes_failed.liveness),
            Metric::OutOfMemory => run_events(|o| o.out_of_memory),
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
            Metric::SentLatency(_) => demand("p99 < 250ms", "latency", "a high latency"),
            Metric::Latency(_) => demand("p99 of served < 250ms", "latency", "a high latency"),
            Metric::MeanLatency => demand("mean < 50ms", "latency", "a high latency"),
            Metric::Availability => {
                demand("availability >= 99.9%", "availability", "a low availability")
            }
            Metric::Greatest(_) => demand("greatest < 2s", "latency", "a high latency"),
            Metric::Failed => {
                demand("failed < 0.1%", "share of the requests", "that requests fail")
            }
            Metric::ShareOf(_) => {
                let example = "failed by timed-out < 0.1%";
                demand(example, "share of the requests", "that requests fail")
            }
            Metric::Rejected => {
                demand("rejected < 1%", "share of the requests", "that requests are rejected")
            }
            Metric::CpuMonitored => {
                demand("cpu as monitored < 80%", "share of the CPU", "a busy CPU")
            }
            Metric::WorstAvailability => {
                let example = "availability >= 99% in the worst minute";
                demand(example, "availability", "a low availability")
            }
            Metric::WorstLatency(_) => {
                demand("p99 < 500ms in the worst minute", "latency", "a high latency")
            }
            Metric::Recovery(Restored::Service) => {
                demand("recovery < 60s", "recovery", "a slow recovery")
            }
            Metric::Recovery(Restored::Redundancy) => {
                demand("redundancy-restored < 5m", "recovery", "a slow recovery")
            }
            Metric::Recovery(Restored::Answers) => {
                demand("rto < 5m", "recovery", "a slow recovery")
            }
            Metric::Recovery(Restored::Clients(percent)) => {
                let example = match percent {
                    50 => "clients-back 50% < 2m",
                    95 => "clients-back 95% < 5m",
                    _ => "clients-back 99% < 10m",
                };
                demand(example, "recovery", "a slow recovery")
            }
            Metric::RecoveryWithin(..) => {
                demand("p95 recovery < 60s", "recovery", "a slow recovery")
            }
            Metric::Rpo(_) => demand("rpo < 1h for configuration", "age", "that old state is lost"),
            Metric::Cpu => demand("cpu < 80%", "share of the CPU", "a busy CPU"),
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

    /// The word by which objectives ask for it.
    pub fn key(self) -> String {
        self.name().to_lowercase()
    }

    /// What kind of figure it is.
    pub fn dimension(self) -> Dimension {
        self.entry().dimension
    }

    /// Whether it is a share rather than a duration.
    pub fn is_share(self) -> bool {
        self.dimension() == Dimension::Share
    }

    /// What it says how long it takes to restore.
    pub fn restored(self) -> Option<Restored> {
        match self {
            Metric::Recovery(restored) | Metric::RecoveryWithin(restored, _) => Some(restored),
            _ => None,
        }
    }

    /// Whether it is a latency.
    pub fn is_latency(self) -> bool {
        self.quantile().is_some() || self == Metric::MeanLatency
    }

    /// The share of its requests that a percentile of latency is not exceeded by.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Metric::Latency(share) | Metric::SentLatency(share) => Some(share),
            _ => None,
        }
    }

    /// Whether it is of the requests of a part of the run: of what was sent in it.
    pub fn is_of_requests(self) -> bool {
        let of_windows = !self.is_of_replications() && !self.is_of_the_run();
        of_windows && self.restored().is_none() && !self.is_given()
    }

    /// Whether it follows from the scenario alone, whatever is simulated.
    pub fn is_given(self) -> bool {
        matches!(self, Metric::Rpo(_))
    }

    /// Whether there is one of each API: it is of requests, and not of replicas or incidents.
    pub fn is_of_apis(self) -> bool {
        self.is_of_requests() || matches!(self.basis(), Basis::WorstMinute(_))
    }

    /// What it is in the worst minute, if that is followed.
    pub fn in_the_worst_minute(self) -> Option<Metric> {
        match self {
            Metric::Availability => Some(Metric::WorstAvailability),
            Metric::SentLatency(share) if MINUTE_PERCENTILES.contains(&share) => {
                Some(Metric::WorstLatency(share))
            }
            _ => None,
        }
    }

    /// Whether it is of whole replications, and not of a part of the run.
    pub fn is_of_replications(self) -> bool {
        matches!(self.basis(), Basis::Replications(_))
    }

    /// Whether it is of the gateway after warm-up, and not of the requests of a part of the run.
    pub fn is_of_the_run(self) -> bool {
        matches!(self.basis(), Basis::Run(_) | Basis::WorstMinute(_))
    }

    /// Whether more of it is better.
    pub fn is_better_high(self) -> bool {
        self.entry().better == Preferred::More
    }
}

/// What the share that failed or was rejected in a way is called: `failed by timed-out`.
fn caused(kind: Failure) -> String {
    let key = kind.key().replace('_', "-");
    match key.strip_prefix("rejected-") {
        Some(why) => format!("rejected by {why}"),
        None => format!("failed by {key}"),
    }
}

/// What is said of a recovery point.
fn recovery_point(item: Option<StateItem>) -> Entry {
    let said = |name: String, key: String| entry(name, key, Dimension::Time, Preferred::Less);
    match item.map(StateItem::word) {
        None => said("rpo".to_owned(), "rpo_s".to_owned()),
        Some(item) => said(format!("rpo for {item}"), format!("rpo_{item}_s")),
    }
}

/// What a percentile is called.
fn percentile(share: f64) -> String {
    format!("p{}", (share * 1e8).round() / 1e6)
}

fn entry(
    name: impl Into<Cow<'static, str>>,
    key: impl Into<Cow<'static, str>>,
    dimension: Dimension,
    better: Preferred,
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

/// One value for each replication that has it.
fn of_each(of: impl Fn(&Outcome) -> Option<f64> + 'static) -> Basis {
    Basis::Run(Estimator::Mean(Box::new(of)))
}

/// One value for each replication with a whole minute in which any request ended.
fn worst_minute(of: impl Fn(&WorstMinute) -> Option<f64> + 'static) -> Basis {
    let of = move |window: &WindowOutcome| of(window.worst_minute.as_ref()?);
    Basis::WorstMinute(Estimator::Mean(Box::new(of)))
}

fn run_events(of: fn(&Outcome) -> u64) -> Basis {
    Basis::Run(Estimator::Events(Box::new(of)))
}

/// One total over another.
fn ratio(of: impl Fn(&WindowOutcome) -> (f64, f64) + 'static) -> Basis {
    Basis::Window(Estimator::Ratio(Box::new(of)))
}

/// Some requests over others that hold them.
fn share(of: impl Fn(&WindowOutcome) -> (u64, u64) + 'static) -> Basis {
    Basis::Share(Box::new(of))
}

/// One number over itself and another.
fn part(of: impl Fn(&WindowOutcome) -> (u64, u64) + 'static) -> Basis {
    ratio(move |window| {
        let (part, rest) = of(window);
        (part as f64, (part + rest) as f64)
    })
}
