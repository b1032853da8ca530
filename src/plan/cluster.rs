//! What the cluster does by itself: notice failures, end replicas, change their number.

use super::Probe;
use crate::autoscaler::controller::Spec;
use crate::random::Law;
use crate::units::Span;

/// How failures are noticed.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// From a crash until the runtime reports it and a replacement is created.
    pub crash: Law,
    /// The liveness probe, which finds hung replicas.
    pub liveness: Probe,
    /// CPU time that one probe takes of its replica; `None` = probes cost nothing and are always
    /// answered in time by a process that works. Then no period may be zero.
    pub probe_cpu: Option<Span>,
    /// From the liveness failure until a hung process is killed (it ignores the polite signal).
    pub grace: Span,
    /// What becomes of a replica whose process crashed.
    pub after_crash: AfterCrash,
    /// How long a container that is restarted in its pod waits.
    pub backoff: Backoff,
    /// A node renews its lease this often.
    pub lease: Span,
    /// A node whose last renewal is this old is declared not ready.
    pub node_grace: Span,
    /// How often that is checked.
    pub monitor: Span,
    /// How long a pod on an unreachable node is tolerated before it is replaced.
    pub toleration: Span,
}

/// What becomes of a replica whose process crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterCrash {
    /// A new replica takes its slot.
    Replaced,
    /// Its container is restarted in its pod.
    Restarted,
}

/// The wait before a container is restarted in its pod: nothing, then `first`, then twice as long
/// each time up to `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait before the second restart.
    pub first: Span,
    /// The longest wait.
    pub limit: Span,
    /// A container that ran this long has its restarts forgotten.
    pub reset: Span,
}

impl Default for Backoff {
    /// Kubernetes' values.
    fn default() -> Self {
        let secs = Span::from_secs;
        Backoff { first: secs(10.0), limit: secs(300.0), reset: secs(600.0) }
    }
}

/// How replicas that are deleted end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Termination {
    /// From the deletion until the process exits, whatever it still has.
    pub drain: Span,
}

/// An autoscaler and its view of the replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscaling {
    /// What it is told to do; its least number is at least 1.
    pub spec: Spec,
    /// CPU that a replica requests, in milli-cores; utilisation is of this.
    pub request_milli: i64,
    /// Between two steps of the autoscaler.
    pub sync: Span,
    /// Between two scrapes of the metrics-server (its resolution).
    pub scrape: Span,
    /// Between two readings of a kubelet.
    pub kubelet: Span,
}
