//! The events that change what the system is, and the order of simultaneous ones.

use super::control_plane::Wanted;
use super::plan::{Slot, ZoneId};
use crate::observe::ReplicaId;
use crate::units::Instant;

/// A rare event. Those of a replica carry its epoch: every restart begins a new one, and an event
/// of an older epoch is void.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub(super) enum Event {
    /// Replicas are looked at; at some looks a bin of the timeline ends.
    Look,
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
    Joins { replica: ReplicaId, epoch: u32 },
    /// The ingress learns that it cannot; void once the replica has become ready again.
    Leaves { replica: ReplicaId, readiness: u32 },
    /// The runtime reports a crash.
    CrashNoticed { replica: ReplicaId, epoch: u32 },
    /// The readiness probe has failed often enough.
    ReadinessLost { replica: ReplicaId, epoch: u32 },
    /// A hung process is killed after liveness failures and grace.
    HungKilled { replica: ReplicaId, epoch: u32 },
    /// The node's lease is too old.
    NodeNotReady { replica: ReplicaId, epoch: u32 },
    /// The pod on a lost node is given up.
    Evicted { replica: ReplicaId, epoch: u32 },
    /// A slow replica is itself again.
    SpeedReturns { replica: ReplicaId, incident: usize },
    /// The zone's machines are back.
    ZoneReturns { zone: ZoneId, fault: usize },
    /// The control plane is back.
    ControlPlaneReturns { fault: usize, incident: usize },
    /// Clients no longer reach a vanished ingress instance.
    IngressAvoided { instance: usize, incident: usize },
    /// An ingress instance is back.
    IngressReturns { instance: usize, fault: usize, incident: usize },
    /// A fault strikes. `guard` voids a random strike whose victim is no longer the same.
    Strikes { fault: usize, entity: usize, guard: Option<(Slot, ReplicaId, u32)> },
}

impl Event {
    /// The order of simultaneous events, after the completions and before the arrivals of the same
    /// instant: first what only looks, then what restores, then what degrades, faults last.
    pub fn rank(&self) -> u8 {
        match self {
            Event::Look => 0,
            Event::Boundary => 1,
            Event::ZoneReturns { .. }
            | Event::ControlPlaneReturns { .. }
            | Event::IngressReturns { .. }
            | Event::SpeedReturns { .. } => 2,
            Event::PhaseEnds { .. }
            | Event::FetchEnds { .. }
            | Event::FetchAgain { .. }
            | Event::RefreshEnds { .. }
            | Event::ProbeSucceeds { .. }
            | Event::Joins { .. } => 3,
            Event::Leaves { .. }
            | Event::IngressAvoided { .. }
            | Event::CrashNoticed { .. }
            | Event::ReadinessLost { .. }
            | Event::HungKilled { .. }
            | Event::NodeNotReady { .. }
            | Event::Evicted { .. } => 4,
            Event::Strikes { .. } => 5,
        }
    }

    /// A number for the kind of event, for the digest.
    pub fn tag(&self) -> u64 {
        let place = |rank: u8, within: u64| u64::from(rank) << 8 | within;
        let within = match self {
            Event::ControlPlaneReturns { .. } | Event::FetchEnds { .. } => 1,
            Event::IngressReturns { .. } | Event::FetchAgain { .. } => 2,
            Event::SpeedReturns { .. } | Event::RefreshEnds { .. } => 3,
            Event::ProbeSucceeds { .. } | Event::IngressAvoided { .. } => 4,
            Event::Joins { .. } | Event::CrashNoticed { .. } => 5,
            Event::ReadinessLost { .. } => 6,
            Event::HungKilled { .. } => 7,
            Event::NodeNotReady { .. } => 8,
            Event::Evicted { .. } => 9,
            _ => 0,
        };
        place(self.rank(), within)
    }
}
