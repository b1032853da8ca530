//! The events that change what the system is, and the order of simultaneous ones.

use crate::observe::ReplicaId;
use crate::plan::{AfterCrash, Slot, ZoneId};
use crate::units::Instant;

/// Index of a node within a replication.
pub(super) type NodeId = usize;

/// Whom a random fault is meant for: it is void if that replica is gone or another one by now.
pub(super) type Guard = Option<(Slot, ReplicaId, u32)>;

/// What a starting replica fetches from the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Configuration,
    Contracts,
}

/// Which probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CompetingProbe {
    Readiness,
    Liveness,
}

/// How ingress instances look at replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TargetCheck {
    /// An instance checks the address of a replica.
    Sent { replica: ReplicaId, instance: usize },
    /// It got no answer in time.
    Failed { replica: ReplicaId, instance: usize },
    /// Every instance looks at how replicas did.
    Swept,
}

/// A rare event. Those of a replica carry its epoch: every restart begins a new one, and an event
/// of an older epoch is void.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    /// Replicas are sampled; at some samples a bin of the timeline ends.
    Sampled,
    /// Warm-up or a window with fixed ends begins or ends.
    Boundary,
    /// A start-up phase is over.
    PhaseEnds { replica: ReplicaId, epoch: u32 },
    /// An attempt to fetch from the control plane ends.
    FetchEnds { replica: ReplicaId, epoch: u32, wanted: Wanted, began: Instant, answered: bool },
    /// Time for the next attempt.
    FetchAgain { replica: ReplicaId, epoch: u32, wanted: Wanted },
    /// A running replica's refresh of its contracts would end.
    RefreshEnds { replica: ReplicaId, epoch: u32, outage: u32 },
    /// The readiness probe succeeds.
    ProbeSucceeds { replica: ReplicaId, epoch: u32 },
    /// The ingress learns that a replica can serve.
    Joins { replica: ReplicaId, epoch: u32, readiness: u32 },
    /// The ingress learns that it cannot; void once the replica has become ready again.
    Leaves { replica: ReplicaId, readiness: u32 },
    /// The runtime reports that a process ended, and what comes then.
    CrashNoticed { replica: ReplicaId, epoch: u32, then: AfterCrash },
    /// The readiness probe has failed often enough.
    ReadinessLost { replica: ReplicaId, epoch: u32 },
    /// A process is stopped after liveness failures: a hung one is killed after the grace, one that
    /// works ends after its drain, one that boots at once.
    HungKilled { replica: ReplicaId, epoch: u32 },
    /// A node's lease is too old.
    NodeNotReady { node: NodeId, epoch: u32 },
    /// A node is marked for eviction, if it is time.
    NodesMarked { zone: ZoneId },
    /// The pods on a lost node are given up.
    Evicted { node: NodeId, mark: u32 },
    /// The cloud finds a node's machine gone.
    NodeDeleted { node: NodeId, epoch: u32 },
    /// A node that was asked for is ready.
    NodeAdded { zone: ZoneId },
    /// The notice of machines is over: they vanish.
    NoticeEnds { fault: usize, incident: usize },
    /// Some machines that vanished are back.
    NodesReturn { fault: usize, incident: usize },
    /// New machines can be had again.
    ProvisioningReturns { fault: usize, incident: usize },
    /// The API server of Kubernetes is back.
    ApiServerReturns { fault: usize, incident: usize },
    /// The rollout goes on.
    RolloutSteps,
    /// A rollout has made no progress since then.
    RolloutOverdue { incident: usize, since: Instant },
    /// Somebody rolls back what this incident brought.
    RolledBack { incident: usize },
    /// What a cordoned machine still holds is evicted.
    EvictionTried { incident: usize, node: NodeId },
    /// Whoever empties a machine has waited for long enough.
    DrainTimedOut { incident: usize, node: NodeId },
    /// An emptied machine is back.
    EmptiedReturns { incident: usize },
    /// A deleted replica has had its time to finish.
    DrainEnds { replica: ReplicaId, epoch: u32 },
    /// A kubelet reads the CPU counter of a replica.
    KubeletReads { replica: ReplicaId },
    /// The metrics-server scrapes the kubelets.
    Scraped,
    /// A process that is ready is done with what it did beside requests.
    StartIsOver { replica: ReplicaId, epoch: u32 },
    /// Prometheus scrapes how many requests a replica had.
    RequestsScraped { replica: ReplicaId },
    /// The autoscaler takes a step.
    Synced,
    /// A slow replica is itself again.
    SpeedReturns { replica: ReplicaId, incident: usize },
    /// The zone's machines are back.
    ZoneReturns { zone: ZoneId, fault: usize, incident: usize },
    /// A region is back, with everything in it.
    RegionReturns { fault: usize, incident: usize },
    /// The control plane is back.
    ControlPlaneReturns { fault: usize, incident: usize },
    /// Clients no longer reach a vanished ingress instance.
    IngressAvoided { instance: usize, incident: usize },
    /// Clients no longer reach any ingress instance that vanished with a zone.
    ZoneAvoided { fault: usize, incident: usize },
    /// An ingress instance is back.
    IngressReturns { instance: usize, fault: usize, incident: usize },
    /// A fault is cleared: its target is itself again.
    Cleared { fault: usize, incident: usize },
    /// A replica refreshes its contracts and finds one revoked.
    LearnsRevocation { replica: ReplicaId, epoch: u32, client: u32 },
    /// A fault is injected; see [`Guard`].
    Injected { fault: usize, entity: usize, guard: Guard },
    /// A probe that takes CPU is sent; void once its process is gone.
    ProbeSent { replica: ReplicaId, process: u32, kind: CompetingProbe },
    /// It is checked.
    ProbeChecked { replica: ReplicaId, process: u32, kind: CompetingProbe },
    /// A container has waited long enough to be restarted.
    BackOffEnds { replica: ReplicaId, epoch: u32 },
    /// A replica has more requests than its memory holds.
    OutOfMemory { replica: ReplicaId, epoch: u32 },
    /// Ingress instances look at replicas.
    Check(TargetCheck),
}

impl Event {
    /// The order of simultaneous events, after the completions and before the arrivals of the same
    /// instant: first what only samples, then what restores, then what degrades, faults last.
    pub fn rank(&self) -> u8 {
        match self {
            Event::Sampled | Event::KubeletReads { .. } | Event::RequestsScraped { .. } => 0,
            Event::Boundary | Event::Scraped => 1,
            Event::ZoneReturns { .. }
            | Event::RegionReturns { .. }
            | Event::ControlPlaneReturns { .. }
            | Event::IngressReturns { .. }
            | Event::NodesReturn { .. }
            | Event::NodeAdded { .. }
            | Event::EmptiedReturns { .. }
            | Event::ProvisioningReturns { .. }
            | Event::ApiServerReturns { .. }
            | Event::Cleared { .. }
            | Event::StartIsOver { .. }
            | Event::SpeedReturns { .. } => 2,
            Event::PhaseEnds { .. }
            | Event::FetchEnds { .. }
            | Event::FetchAgain { .. }
            | Event::RefreshEnds { .. }
            | Event::LearnsRevocation { .. }
            | Event::ProbeSucceeds { .. }
            | Event::ProbeSent { .. }
            | Event::BackOffEnds { .. }
            | Event::Joins { .. } => 3,
            Event::Leaves { .. }
            | Event::IngressAvoided { .. }
            | Event::ZoneAvoided { .. }
            | Event::CrashNoticed { .. }
            | Event::ReadinessLost { .. }
            | Event::ProbeChecked { .. }
            | Event::HungKilled { .. }
            | Event::OutOfMemory { .. }
            | Event::Check(_)
            | Event::NodeNotReady { .. }
            | Event::DrainEnds { .. }
            | Event::NodeDeleted { .. }
            | Event::Evicted { .. } => 4,
            Event::Synced
            | Event::NodesMarked { .. }
            | Event::RolloutSteps
            | Event::RolloutOverdue { .. }
            | Event::RolledBack { .. }
            | Event::EvictionTried { .. }
            | Event::DrainTimedOut { .. } => 5,
            Event::Injected { .. } | Event::NoticeEnds { .. } => 6,
        }
    }

    /// The life of a replica that the event speaks of: the event is void once the replica leads
    /// another one.
    pub fn incarnation(&self) -> Option<(ReplicaId, u32)> {
        match *self {
            Event::PhaseEnds { replica, epoch }
            | Event::StartIsOver { replica, epoch }
            | Event::LearnsRevocation { replica, epoch, .. }
            | Event::FetchEnds { replica, epoch, .. }
            | Event::FetchAgain { replica, epoch, .. }
            | Event::RefreshEnds { replica, epoch, .. }
            | Event::ProbeSucceeds { replica, epoch }
            | Event::Joins { replica, epoch, .. }
            | Event::CrashNoticed { replica, epoch, .. }
            | Event::OutOfMemory { replica, epoch }
            | Event::ReadinessLost { replica, epoch }
            | Event::HungKilled { replica, epoch }
            | Event::BackOffEnds { replica, epoch }
            | Event::DrainEnds { replica, epoch } => Some((replica, epoch)),
            Event::Sampled
            | Event::Cleared { .. }
            | Event::KubeletReads { .. }
            | Event::RequestsScraped { .. }
            | Event::Scraped
            | Event::Synced
            | Event::Boundary
            | Event::Leaves { .. }
            | Event::NodeNotReady { .. }
            | Event::NodesMarked { .. }
            | Event::Evicted { .. }
            | Event::NodeDeleted { .. }
            | Event::NodeAdded { .. }
            | Event::NodesReturn { .. }
            | Event::NoticeEnds { .. }
            | Event::ProvisioningReturns { .. }
            | Event::ApiServerReturns { .. }
            | Event::RolloutSteps
            | Event::RolloutOverdue { .. }
            | Event::RolledBack { .. }
            | Event::EvictionTried { .. }
            | Event::DrainTimedOut { .. }
            | Event::EmptiedReturns { .. }
            | Event::SpeedReturns { .. }
            | Event::ZoneReturns { .. }
            | Event::RegionReturns { .. }
            | Event::ControlPlaneReturns { .. }
            | Event::IngressAvoided { .. }
            | Event::ZoneAvoided { .. }
            | Event::IngressReturns { .. }
            | Event::ProbeSent { .. }
            | Event::ProbeChecked { .. }
            | Event::Check(_)
            | Event::Injected { .. } => None,
        }
    }

    /// A number for the kind of event, for the digest; below [`STATE_TAGS`].
    pub fn tag(&self) -> u64 {
        match self {
            Event::Sampled => 0,
            Event::Boundary => 1,
            Event::PhaseEnds { .. } => 2,
            Event::FetchEnds { .. } => 3,
            Event::FetchAgain { .. } => 4,
            Event::RefreshEnds { .. } => 5,
            Event::ProbeSucceeds { .. } => 6,
            Event::Joins { .. } => 7,
            Event::Leaves { .. } => 8,
            Event::CrashNoticed { .. } => 9,
            Event::ReadinessLost { .. } => 10,
            Event::HungKilled { .. } => 11,
            Event::NodeNotReady { .. } => 12,
            Event::Evicted { .. } => 13,
            Event::SpeedReturns { .. } => 14,
            Event::ZoneReturns { .. } => 15,
            Event::RegionReturns { .. } => 60,
            Event::ControlPlaneReturns { .. } => 16,
            Event::IngressAvoided { .. } => 17,
            Event::IngressReturns { .. } => 18,
            Event::Injected { .. } => 19,
            Event::ZoneAvoided { .. } => 20,
            Event::DrainEnds { .. } => 21,
            Event::KubeletReads { .. } => 22,
            Event::Scraped => 23,
            Event::Synced => 24,
            Event::NodesMarked { .. } => 25,
            Event::NodeDeleted { .. } => 26,
            Event::NodeAdded { .. } => 27,
            Event::NodesReturn { .. } => 28,
            Event::ProvisioningReturns { .. } => 29,
            Event::RolloutSteps => 30,
            Event::EvictionTried { .. } => 31,
            Event::EmptiedReturns { .. } => 32,
            Event::DrainTimedOut { .. } => 45,
            Event::NoticeEnds { .. } => 46,
            Event::ProbeSent { .. } => 33,
            Event::ProbeChecked { .. } => 34,
            Event::BackOffEnds { .. } => 35,
            Event::Cleared { .. } => 36,
            Event::LearnsRevocation { .. } => 37,
            Event::OutOfMemory { .. } => 38,
            Event::RolloutOverdue { .. } => 39,
            Event::RolledBack { .. } => 40,
            Event::RequestsScraped { .. } => 41,
            Event::Check(_) => 42,
            Event::StartIsOver { .. } => 43,
            Event::ApiServerReturns { .. } => 44,
        }
    }
}

/// Where the numbers of states begin in the digest.
pub(super) const STATE_TAGS: u64 = 1_000;
