//! The phases that a new replica passes through.

use crate::random::Law;
use crate::units::{Share, Span};

/// The phases of a new replica, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Startup {
    /// From the creation of the pod to its binding to a node.
    pub schedule: Law,
    /// Creation of the pod's sandbox and network.
    pub sandbox: Law,
    /// Image pull.
    pub image: Law,
    /// From the container's start until the process can take its configuration.
    pub boot: Law,
    /// Where the API configuration comes from.
    pub configuration: Configuration,
    /// Contracts, if the APIs use them.
    pub contracts: Option<Contracts>,
    /// The readiness probe.
    pub readiness: Probe,
}

/// Where a starting replica finds its API configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Configuration {
    /// In the cluster (managed gateway; a cache filled by an earlier replica): read during boot.
    Local,
    /// From the control plane, at every start.
    Download(ControlPlaneCall),
}

/// A fetch from the control plane, repeated until it succeeds.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlPlaneCall {
    /// Duration of a successful fetch.
    pub duration: Law,
    /// An attempt while the control plane is down fails after this time.
    pub timeout: Span,
    /// Pause between a failed attempt and the next.
    pub backoff: Span,
}

/// Contracts and what waits for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Contracts {
    /// How they are fetched at start.
    pub fetch: ControlPlaneCall,
    /// How often a running replica refreshes them; a failed refresh keeps the last ones.
    pub poll: Span,
    /// What a replica without contracts may do.
    pub gate: Gate,
}

/// What waits for contracts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// The whole replica: it does not become ready without them.
    Replica,
    /// Only the APIs that use contracts, which are this share of the requests: they are refused
    /// until the contracts are there.
    Api(Share),
}

/// A kubelet probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// From the container's start to the first probe.
    pub initial_delay: Span,
    /// Between probes; zero = checked continuously.
    pub period: Span,
    /// A probe without an answer fails after this time.
    pub timeout: Span,
    /// Failures in a row that count.
    pub failures: u32,
}
