//! An incident: one fault, from its injection until the gateway is back to normal.

use serde::{Deserialize, Serialize};

use super::State;
use super::failover::FailoverCourse;
use super::ledger::Ledger;
use crate::units::{Instant, Span};

/// What one fault did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Index of the fault in the plan.
    pub fault: usize,
    /// Whom it hit, in words: `replica b-1`, `zone b`, `the control plane`.
    pub subject: String,
    /// When the fault was injected.
    pub at: Instant,
    /// Replicas in rotation and working just before.
    pub serving_before: usize,
    /// The fewest replicas in rotation and working during the incident, whoever took the others.
    pub serving_least: usize,
    /// Replicas that it took, all at once or one after the other.
    pub taken: usize,
    /// The most of these that were out of rotation at a time; of a rollout, by how many fewer than
    /// before were in rotation.
    pub missing: usize,
    /// How long so many were.
    pub missing_for: Span,
    /// How long any of them were.
    pub fewer: Span,
    /// When the last address it killed was used no more: it left the rotation, or every ingress
    /// instance avoids it; `None` if none had to.
    pub out_of_rotation: Option<Instant>,
    /// What told the ingress before Kubernetes did, if anything.
    pub left_by: Option<String>,
    /// When capacity was back: every slot it hit has a replica in rotation, its lasting part over.
    /// `None` = not before the end of the run.
    pub restored: Option<Instant>,
    /// When it was over: after `restored`, the first sample (every second) at which no more
    /// requests were in flight, and no more had failed since the sample before, than at the worst
    /// of the last 60 calm samples. `None` = not before the end of the run.
    pub normal: Option<Instant>,
    /// Whether the gateway served before it as one that works: else nothing says when it does so
    /// again.
    pub normal_before: bool,
    /// When it hit clients no more; `None` = not before the end of the run.
    pub service: Option<Instant>,
    /// When requests were answered again: the last that failed while more than a twentieth of those
    /// of the clients that it struck did; `None` = not before the end of the run.
    pub answers: Option<Instant>,
    /// When as many replicas and zones served as before; `None` = not before the end of the run.
    pub redundancy: Option<Instant>,
    /// 99th percentile of the latency before: over the quiet time since the previous incident.
    pub p99_before: Option<Span>,
    /// 99th percentile of the latency of requests answered during the incident.
    pub p99_during: Option<Span>,
    /// Requests that ended during the incident, by outcome (`offered` and `in_flight` stay 0).
    pub ledger: Ledger,
    /// What became of its rollout, if it is one that is told: see
    /// [`Observation::Rollout`](super::Observation::Rollout).
    pub rollout: Option<RolloutCourse>,
    /// The fail-over of the region that it struck, of several.
    pub failover: Option<FailoverCourse>,
    /// Time that the slowest replacement spent in each state until it was in rotation.
    pub phases: Vec<(State, Span)>,
}

/// What became of a rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutCourse {
    /// Replicas of the new version at last, or when it was rolled back.
    pub new: usize,
    /// Those of other versions.
    pub old: usize,
    /// Those of the new version that were available.
    pub available: usize,
    /// Replicas wanted in all.
    pub wanted: usize,
    /// When its progress deadline was exceeded.
    pub overdue: Option<Instant>,
    /// When it was rolled back.
    pub rolled_back: Option<Instant>,
    /// Of the new ones, those that differed from the version before.
    #[serde(default)]
    pub affected: usize,
    /// Replicas that no ingress instance used for what it had seen of their answers, at any time.
    #[serde(default)]
    pub ejected: usize,
}

impl Incident {
    /// From the injection until clients were hit no more; `None` if that was not seen, or if
    /// nothing was normal before.
    pub fn recovery(&self) -> Option<Span> {
        self.service.filter(|_| self.normal_before).map(|service| service.since(self.at))
    }

    /// From the injection until requests were answered again: what a recovery time objective
    /// bounds; `None` if that was not seen, or if nothing was normal before.
    pub fn answers_after(&self) -> Option<Span> {
        self.answers.filter(|_| self.normal_before).map(|answers| answers.since(self.at))
    }

    /// From the injection until as many replicas and zones served as before; `None` if that was
    /// not seen.
    pub fn redundancy_recovery(&self) -> Option<Span> {
        self.redundancy.map(|redundancy| redundancy.since(self.at))
    }

    /// From the injection until it was over; `None` if that was not seen.
    pub fn lasted(&self) -> Option<Span> {
        self.normal.map(|normal| normal.since(self.at))
    }

    /// Whether another lasted at the same time; what is not over lasts until `ended`.
    pub fn overlaps(&self, other: &Incident, ended: Instant) -> bool {
        let until = |incident: &Incident| incident.normal.unwrap_or(ended);
        other.at < until(self) && self.at < until(other)
    }

    /// The factor by which the load of the others grew while the most of those that it took were
    /// out of rotation: N/(N−k); `None` if nobody was lost or nobody survived.
    pub fn surge(&self) -> Option<f64> {
        let (before, missing) = (self.serving_before, self.missing);
        (0 < missing && missing < before).then(|| before as f64 / (before - missing) as f64)
    }
}
