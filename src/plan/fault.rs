//! What goes wrong, when, and on whom.

use super::{Slot, ZoneId};
use crate::random::Law;
use crate::units::{Instant, Share};

/// One fault: what, when, on whom.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultPlan {
    /// The name by which objectives and reports speak of it.
    pub name: String,
    /// What happens.
    pub fault: Fault,
    /// When it happens.
    pub schedule: Schedule,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The process dies; requests in flight are lost; a new replica replaces it.
    ReplicaCrash(ReplicaTarget),
    /// The process stops working but keeps its address; probes find it; it is restarted in place.
    ReplicaHang(ReplicaTarget),
    /// The replica works at this share of its CPU; nothing notices.
    ReplicaSlow(ReplicaTarget, Share, Law),
    /// Every replica in a zone vanishes silently; `None` = any zone. The zone returns after the
    /// duration.
    ZoneOutage(Option<ZoneId>, Law),
    /// The control plane cannot be reached for this long.
    ControlPlaneOutage(Law),
    /// An ingress instance vanishes for this long; `None` = any instance.
    IngressLoss(Option<usize>, Law),
}

/// What a fault may hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Replicas.
    Replicas(ReplicaTarget),
    /// This zone; `None` = any.
    Zone(Option<ZoneId>),
    /// The control plane.
    ControlPlane,
    /// This ingress instance; `None` = any.
    Ingress(Option<usize>),
}

impl Fault {
    /// What it may hit.
    pub fn target(&self) -> Target {
        match self {
            Fault::ReplicaCrash(target)
            | Fault::ReplicaHang(target)
            | Fault::ReplicaSlow(target, ..) => Target::Replicas(*target),
            Fault::ZoneOutage(zone, _) => Target::Zone(*zone),
            Fault::ControlPlaneOutage(_) => Target::ControlPlane,
            Fault::IngressLoss(instance, _) => Target::Ingress(*instance),
        }
    }
}

/// Which replicas a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaTarget {
    /// One that is ready, chosen at random.
    Any,
    /// All of them.
    All,
    /// All in this zone.
    Zone(ZoneId),
    /// The one that now holds this slot.
    Slot(Slot),
}

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Once.
    At(Instant),
    /// At random: each entity that the target covers (slot, zone, ingress instance, the control
    /// plane) fails after a time drawn from this law, counted from when it last came up.
    Random(Law),
}
