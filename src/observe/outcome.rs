//! What one replication says.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::count::Counts;
use super::histogram::Histogram;
use super::incident::Incident;
use super::ledger::Ledger;
use super::recovery::RunRecovery;
use super::strikes::Strikes;
use super::tally::Tally;
use super::timeline::{BinTrace, Timeline};
use super::{ApiId, Observation, ReplicaId};
use crate::units::{Instant, Span};

/// One replication's result. A function of (plan, seed, replication index) and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Index of the replication.
    pub replication: u64,
    /// The end of simulated time: the horizon, or earlier if the run was interrupted.
    pub ended: Instant,
    /// Whether the run was interrupted before its horizon.
    pub interrupted: bool,
    /// All requests of the run, warm-up included; always balanced.
    pub ledger: Ledger,
    /// The attempts that clients made for them; always balanced. Empty unless requests feed
    /// back.
    pub attempts: Ledger,
    /// One entry per window of the plan, in its order.
    pub windows: Vec<WindowOutcome>,
    /// Time spent with exactly k replicas in rotation and working, at index k, from the end of
    /// warm-up; the sum is `ended − warm-up`.
    pub time_with_serving: Vec<Span>,
    /// What each fault of the plan did after warm-up, in its order: all incidents summed up.
    pub faults: Vec<Tally>,
    /// Faults that were injected, in order, with what they did. At most [`INCIDENT_LIMIT`], the
    /// first to be over.
    pub incidents: Vec<Incident>,
    /// Incidents that are not in that list.
    pub incidents_unlisted: u64,
    /// Core-seconds worked in the bins after warm-up.
    pub busy_secs: f64,
    /// Core-seconds that the serving replicas had in the same bins.
    pub capacity_secs: f64,
    /// The same of each region, if there are several.
    #[serde(default)]
    pub cpu_by_region: Vec<CpuUse>,
    /// Requests in flight at the horizon that replicas would have answered afterwards; their
    /// latencies are in the windows.
    pub drained: u64,
    /// Most requests that any one replica held at once after warm-up.
    pub in_flight_peak: u64,
    /// How often probes of what works or boots failed often enough to count, after warm-up.
    pub probes_failed: ProbesFailed,
    /// How often a replica was killed because its memory was used up, after warm-up.
    pub out_of_memory: u64,
    /// What monitoring would have seen.
    pub monitored: Monitored,
    /// Whether it came back from what troubled it.
    pub recovery: RunRecovery,
    /// Digest of every event: equal digests mean equal runs.
    pub digest: u64,
    /// The first time that each fault found nothing to hit, in order of time.
    pub missed: Vec<MissedFault>,
    /// What every bin came to; of the first [`TRACES`] replications of a run that is drawn, and of
    /// the first of a cell.
    #[serde(default)]
    pub trace: Vec<BinTrace>,
    /// Bin by bin; kept for the replication that is told only.
    #[serde(skip)]
    pub timeline: Option<Timeline>,
    /// State changes in order of time; kept for the replication that is told only.
    #[serde(skip)]
    pub journal: Vec<JournalEntry>,
    /// Changes after the first [`JOURNAL_LIMIT`], which are not kept.
    pub journal_cut: u64,
    /// Sampled requests; kept for the replication that is told only, if asked for.
    #[serde(skip)]
    pub requests: Vec<RequestRecord>,
}

/// A fault that had no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedFault {
    /// Index of the fault in the plan.
    pub fault: usize,
    /// When.
    pub at: Instant,
    /// Why, in words.
    pub reason: Cow<'static, str>,
}

/// How CPU was used after warm-up, in core-seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuUse {
    /// Worked by replicas that served or worked on.
    pub busy: f64,
    /// What these had.
    pub capacity: f64,
}

/// What monitoring would see of a run after warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Monitored {
    /// The greatest average of the CPU over a minute; over a bin, if bins are longer.
    pub cpu: Option<f64>,
    /// Requests that replicas, and connections to them, were seen to hold, times how long: in
    /// seconds.
    pub in_flight_secs: f64,
    /// How long they were watched.
    pub sampled_secs: f64,
}

/// The percentiles that are followed minute by minute.
pub const MINUTE_PERCENTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];

/// The worst that any minute came to, each figure by itself. Requests count in the minute in which
/// they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorstMinute {
    /// Answered requests of the minute in which the least share was, rejected ones among them.
    pub answered: u64,
    /// All that ended in it.
    pub decided: u64,
    /// The greatest of each of [`MINUTE_PERCENTILES`], of served and failed requests together;
    /// `None` = it lies among those that failed.
    pub latency: [Option<Span>; MINUTE_PERCENTILES.len()],
}

impl WorstMinute {
    /// The worse of two, figure by figure.
    pub fn or_worse(self, other: WorstMinute) -> WorstMinute {
        let product = |one: u64, other: u64| u128::from(one) * u128::from(other);
        let is_worse =
            product(other.answered, self.decided) < product(self.answered, other.decided);
        let least = if is_worse { other } else { self };
        let longer = |index: usize| match (self.latency[index], other.latency[index]) {
            (Some(one), Some(other)) => Some(one.max(other)),
            _ => None,
        };
        WorstMinute { latency: std::array::from_fn(longer), ..least }
    }
}

/// Replications of which a trace is kept: enough to see how far they differ.
pub const TRACES: u64 = 200;

/// How often probes of each kind failed often enough to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbesFailed {
    /// Each took a replica out of rotation.
    pub readiness: u64,
    /// Each restarted a replica; start-up probes are among them.
    pub liveness: u64,
    /// Of both, for the upstream that they ask, …
    pub asking: u64,
    /// … and how often no replica was left in rotation then.
    pub emptied: u64,
}

impl Outcome {
    /// Lets go of what is kept of the replication that is told only.
    pub fn forget_details(&mut self) {
        (self.timeline, self.journal, self.requests) = (None, Vec::new(), Vec::new());
    }
}

/// Incidents listed per replication, and followed at a time: enough for any timeline, bounded for
/// any random law.
pub const INCIDENT_LIMIT: usize = 1_000;

/// State changes that the journal keeps, the first of the run: some eight thousand crashes.
pub const JOURNAL_LIMIT: usize = 100_000;

/// The figures of one window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowOutcome {
    /// Requests sent in the window.
    pub ledger: Ledger,
    /// Attempts made for them, whenever that was.
    pub attempts: Ledger,
    /// What happened to them or for them, whenever that was.
    pub counts: Counts,
    /// Latency of those of them that were answered, be it after the horizon.
    pub latency: Histogram,
    /// Requests that reached the ingress, had no outcome at the horizon, and were neither served
    /// nor rejected in the drain: their replica hangs, stands still or let them time out, or they
    /// wait for a connection. Nobody knows their latency.
    pub unanswered: u64,
    /// The worst of the whole minutes in which any of them ended; `None` if there was none, or the
    /// window is not the whole run.
    pub worst_minute: Option<WorstMinute>,
    /// How long the window was open.
    pub open: Span,
    /// The incidents that began in it, or of its fault.
    pub incidents: Tally,
    /// One for each fault that may strike at random, in the order of the plan.
    pub strikes: Vec<Strikes>,
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// When.
    pub at: Instant,
    /// What.
    pub observation: Observation,
}

/// A sampled request with its stages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestRecord {
    /// Its number in order of sending, from 0.
    pub number: u64,
    /// When its client sent it.
    pub sent: Instant,
    /// For which API.
    pub api: ApiId,
    /// When a replica took it on, and which; `None` if none did.
    pub taken: Option<(Instant, ReplicaId)>,
    /// Its CPU demand in nanoseconds, if it reached a replica.
    pub demand: Option<f32>,
    /// When it was answered or failed; `None` = still in flight at the horizon.
    pub ended: Option<Instant>,
    /// How it failed, if it did.
    pub failure: Option<super::ledger::Failure>,
}
