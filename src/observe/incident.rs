//! An incident: one fault, from its injection until the gateway is back to normal.

use serde::{Deserialize, Serialize};

use super::State;
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
    /// The fewest replicas in rotation and working during the incident.
    pub serving_least: usize,
    /// When the last address it killed left the rotation; `None` if none had to.
    pub out_of_rotation: Option<Instant>,
    /// How long fewer replicas than before were in rotation, until capacity was back.
    pub fewer: Span,
    /// When capacity was back: every slot it hit has a replica in rotation, its lasting part over.
    /// `None` = not before the end of the run.
    pub restored: Option<Instant>,
    /// When all was as before: after `restored`, the first sample (every second) at which no more
    /// requests were in flight than at the busiest of the last 60 calm samples, and none had failed
    /// since the sample before. `None` = not before the end of the run.
    pub normal: Option<Instant>,
    /// 99th percentile of the latency before: over the quiet time since the previous incident.
    pub p99_before: Option<Span>,
    /// 99th percentile of the latency of requests answered during the incident.
    pub p99_during: Option<Span>,
    /// Requests that ended during the incident, by outcome (`offered` and `in_flight` stay 0).
    pub ledger: Ledger,
    /// Time that the slowest replacement spent in each state until it was in rotation.
    pub phases: Vec<(State, Span)>,
}

impl Incident {
    /// From the injection until back to normal; `None` if that was not seen.
    pub fn recovery(&self) -> Option<Span> {
        self.normal.map(|normal| normal.since(self.at))
    }

    /// The factor by which the load of the survivors grew once the dead were out of rotation:
    /// N/(N−k); `None` if nobody was lost or nobody survived.
    pub fn surge(&self) -> Option<f64> {
        let (before, least) = (self.serving_before, self.serving_least);
        (least > 0 && least < before).then(|| before as f64 / least as f64)
    }
}
