//! What one replica can do, how many there are, and where they go.

use super::ZoneId;
use crate::policy::overload::OverloadSpec;
use crate::random::Law;
use crate::units::{Bytes, Cores, Span};

/// One replica's capacity, and their number.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// CPU of one replica (its limit).
    pub cores: Cores,
    /// How the limit is enforced if it is in slices; without, a replica has its `cores` at every
    /// moment, as if the limit were the size of its machine.
    pub throttling: Option<Throttling>,
    /// CPU time that one request takes.
    pub demand: Law,
    /// Replicas wanted at the start, and at all times without an autoscaler; at least 1.
    pub replicas: usize,
    /// Memory of one replica and what one request in flight holds of it, if given: a replica that
    /// needs more is killed. If not, memory plays no part.
    pub memory: Option<Memory>,
    /// What a replica does not take on; `None` = it takes on all.
    pub overload: Option<OverloadSpec>,
}

/// A CPU limit that is enforced in slices, as the Linux kernel does (CFS bandwidth control): a
/// replica works on as many cores as it has threads until it has used the quota of the period, and
/// then stands still until the period is over. What it leaves of a quota is forfeited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttling {
    /// The length of a period, above zero.
    pub period: Span,
    /// The most cores that a replica uses at once; not fewer than [`Gateway::cores`].
    pub threads: u32,
}

impl Throttling {
    /// CPU time that a replica with a limit of `cores` may use in each period, in nanoseconds of
    /// one core. It is to be at least a millisecond, as the kernel has it.
    pub fn quota(&self, cores: Cores) -> f64 {
        cores.0 * self.period.0 as f64
    }
}

/// Memory figures of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The container's limit.
    pub limit: Bytes,
    /// What the process takes without any request.
    pub base: Bytes,
    /// What one request in flight holds.
    pub per_request: Bytes,
}

impl Memory {
    /// How many requests in flight a replica has room for.
    pub fn holds(&self) -> usize {
        (self.limit.0.saturating_sub(self.base.0) / self.per_request.0.max(1)) as usize
    }

    /// What a process with so many requests in flight takes.
    pub fn used(&self, in_flight: u64) -> Bytes {
        Bytes(self.base.0.saturating_add(in_flight.saturating_mul(self.per_request.0)))
    }
}

/// Zones and placement.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    /// Names of the zones; at least one, all different.
    pub zones: Vec<String>,
    /// The zone in which each slot starts; as long as [`Gateway::replicas`].
    pub placement: Vec<ZoneId>,
    /// Where a replacement may go.
    pub spread: Spread,
    /// By how many replicas a zone may exceed the zone with the fewest; at least 1.
    pub max_skew: usize,
    /// Whether the spread counts replicas of one version alone (`matchLabelKeys`), or of all.
    pub by_version: bool,
    /// Whether it counts nodes that take no replica.
    pub taints: NodeTaints,
}

/// What the spread makes of nodes that are cordoned, or known not to be ready
/// (`nodeTaintsPolicy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeTaints {
    /// They count, and so do the replicas on them.
    Ignore,
    /// Neither counts: a zone that has no other nodes is none.
    Honor,
}

/// What the scheduler does when zones would become uneven (topology spread over zones).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Prefers the zone with the fewest replicas, but takes any that is up.
    ScheduleAnyway,
    /// Waits for a zone whose count would not exceed the least by more than the skew. A dead zone
    /// still counts as one with no replicas, as long as its nodes are registered.
    DoNotSchedule,
}
