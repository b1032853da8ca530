//! What one replication says.

use serde::{Deserialize, Serialize};

use super::count::Counts;
use super::histogram::Histogram;
use super::incident::Incident;
use super::ledger::Ledger;
use super::recovery::RunRecovery;
use super::tally::Tally;
use super::timeline::Timeline;
use super::{Observation, ReplicaId};
use crate::units::{Instant, Span};

/// One replication's result. A function of (plan, seed, replication index) and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Requests in flight at the horizon that replicas would have answered afterwards; their
    /// latencies are in the windows.
    pub drained: u64,
    /// Most requests that any one replica held at once after warm-up.
    pub in_flight_peak: u64,
    /// How often probes that compete for CPU failed often enough to count, after warm-up.
    pub probes_failed: ProbesFailed,
    /// Whether it came back from what troubled it.
    pub recovery: RunRecovery,
    /// Digest of every event: equal digests mean equal runs.
    pub digest: u64,
    /// Bin by bin; kept for the first replication only.
    #[serde(skip)]
    pub timeline: Option<Timeline>,
    /// State changes in order of time; kept for the first replication only.
    #[serde(skip)]
    pub journal: Vec<JournalEntry>,
    /// Changes after the first [`JOURNAL_LIMIT`], which are not kept.
    pub journal_cut: u64,
    /// Sampled requests; kept for the first replication only, if asked for.
    #[serde(skip)]
    pub requests: Vec<RequestRecord>,
}

/// How often probes of each kind failed often enough to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbesFailed {
    /// Each took a replica out of rotation.
    pub readiness: u64,
    /// Each restarted a replica.
    pub liveness: u64,
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
    /// Requests that reached the ingress, had no outcome at the horizon, and were not served in the
    /// drain either: their replica hangs, stands still or let them time out, or they wait for a
    /// connection. Nobody knows their latency.
    pub unanswered: u64,
    /// How long the window was open.
    pub open: Span,
    /// The incidents that began in it, or of its fault.
    pub incidents: Tally,
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
    /// When a replica took it on, and which; `None` if none did.
    pub taken: Option<(Instant, ReplicaId)>,
    /// Its CPU demand in nanoseconds, if it reached a replica.
    pub demand: Option<f32>,
    /// When it was answered or failed; `None` = still in flight at the horizon.
    pub ended: Option<Instant>,
    /// How it failed, if it did.
    pub failure: Option<super::ledger::Failure>,
}
