//! What goes wrong, when, and on whom.

use super::{LostMetrics, Slot, ZoneId};
use crate::random::Law;
use crate::units::{Instant, Share, Span};

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
    /// Every replica that there is meanwhile is slower, or fails some of its requests, and answers
    /// its probes all the same.
    GrayFailure(Gray, Law),
    /// Every machine of a zone vanishes silently, and its ingress instances; `None` = any zone. The
    /// zone returns after the duration.
    ZoneOutage(Option<ZoneId>, Law),
    /// This share of a zone's machines vanishes silently, those with replicas first; `None` = any
    /// zone. They return after the duration. The zone's ingress instances stay.
    PartialOutage(Option<ZoneId>, Share, Law),
    /// The machine of a replica vanishes silently, and returns after the duration if there is one.
    NodeLoss(ReplicaTarget, Option<Law>),
    /// The machine of a replica is taken away after a notice, and returns after the duration if
    /// there is one.
    NodeShutdown(ReplicaTarget, Notice, Option<Law>),
    /// No new machines can be had in this zone for this long; `None` = in none. Those that run go
    /// on, those on their way still come.
    ProvisioningOutage(Option<ZoneId>, Law),
    /// The API server of Kubernetes cannot be reached for this long.
    ApiServerOutage(Law),
    /// Every replica is replaced by one of a new version.
    Rollout(Release),
    /// The machine of a replica is emptied on purpose; it is away for this long after that.
    DrainNode(ReplicaTarget, Law),
    /// Every machine with replicas is emptied on purpose, one after the other; each is away for
    /// this long before the next one's turn.
    Maintenance(Law),
    /// The autoscaler is given none of these metrics for this long.
    MetricsOutage(LostMetrics, Law),
    /// Everything of a region vanishes silently for this long: its zones, and all of its ingress.
    RegionOutage(Law),
    /// The traffic manager of several regions changes nothing for this long.
    ManagerFrozen(Law),
    /// Clients are led away from the region on purpose, for this long.
    PlannedFailover(Law),
    /// The control plane cannot be reached for this long.
    ControlPlaneOutage(Law),
    /// Ingress instances vanish for this long.
    IngressLoss(InstanceTarget, Law),
    /// Hosts of an upstream are down for this long.
    UpstreamOutage(HostTarget, Down, Law),
    /// Hosts of an upstream take so many times as long, for this long.
    UpstreamSlow(HostTarget, f64, Law),
    /// The storage that replicas share their limits in cannot be reached for this long.
    StorageOutage(Law),
    /// The contract of this client is revoked for good.
    ContractRevoked(usize),
    /// Every cache is emptied at once.
    CachePurge,
}

/// A new version of the gateway: in what it differs from the one before, in some of its replicas
/// or in all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Release {
    /// CPU time that a request takes, as a multiple of what it took before; above 0.
    pub work: f64,
    /// Share of the requests that it answers with an error of its own.
    pub failing: Share,
    /// What becomes of its containers.
    pub starts: Starts,
    /// Share of its replicas that are so, each by chance; the others are as before.
    pub affected: Share,
    /// From the beginning of its rollout until somebody rolls it back, if it is not as before or
    /// its rollout is not over by then.
    pub back_after: Option<Span>,
}

/// How replicas differ from what they were, though they pass for healthy (Huang et al., "Gray
/// Failure: The Achilles' Heel of Cloud-Scale Systems", HotOS 2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gray {
    /// How many times the CPU time a request takes that begins meanwhile; above 0.
    pub work: f64,
    /// The share of the requests that fail, after their CPU time.
    pub failing: Share,
}

/// What becomes of a container that starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// It is ready when it has started.
    Well,
    /// Its process exits when it has booted, each time.
    Crashes,
    /// It runs, and its readiness probe never succeeds.
    NeverReady,
}

impl Release {
    /// A version that differs in nothing that matters here.
    pub const SOUND: Release = Release {
        work: 1.0,
        failing: Share::ZERO,
        starts: Starts::Well,
        affected: Share::ONE,
        back_after: None,
    };

    /// Whether it differs in nothing from the one before.
    pub fn is_sound(&self) -> bool {
        let as_before = !self.meets_requests() && self.starts == Starts::Well;
        as_before || self.affected == Share::ZERO
    }

    /// Whether requests meet the difference.
    pub fn meets_requests(&self) -> bool {
        self.work != 1.0 || self.failing > Share::ZERO
    }

    /// The same in a gray failure on top: what fails in neither is answered.
    #[must_use]
    pub fn grayed(self, gray: &Gray) -> Release {
        let answered = (1.0 - self.failing.0) * (1.0 - gray.failing.0);
        Release { work: self.work * gray.work, failing: Share(1.0 - answered), ..self }
    }

    /// In what it differs: " that crashes when it starts".
    fn difference(&self) -> String {
        let slower = (self.work != 1.0).then(|| format!("takes {} times the CPU", self.work));
        let failing =
            (self.failing > Share::ZERO).then(|| format!("fails {} of its requests", self.failing));
        let starts = match self.starts {
            Starts::Well => None,
            Starts::Crashes => Some("crashes when it starts".to_owned()),
            Starts::NeverReady => Some("never becomes ready".to_owned()),
        };
        let all: Vec<String> = [starts, slower, failing].into_iter().flatten().collect();
        match (all.is_empty(), self.affected == Share::ONE) {
            (true, _) => String::new(),
            (false, true) => format!(" that {}", all.join(" and ")),
            (false, false) => {
                format!(" that {}, in {} of its replicas", all.join(" and "), self.affected)
            }
        }
    }
}

/// That a machine is going to be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How long before.
    pub ahead: Span,
    /// By whom it is heeded.
    pub heeded: Heeded,
}

/// Who does something about a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heeded {
    /// A termination handler drains the node as an administrator would.
    Handler,
    /// The kubelet ends its pods, in at most this time.
    Kubelet(Span),
    /// Nobody.
    Nobody,
}

/// What of several regions a fault concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Part of the gateway of a region.
    Gateway,
    /// A region among several.
    Region,
    /// What all of them share, …
    Shared,
    /// … and what only several have.
    Manager,
}

/// What is disrupted, as reviewers of resilience tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisruptionKind {
    /// A process, or a bad release of it.
    Software,
    /// A machine.
    Hardware,
    /// A zone, or a part of it.
    Zone,
    /// A region.
    Region,
    /// The control plane.
    ControlPlane,
    /// Nothing: clients are led to another region on purpose, as in a drill.
    Planned,
}

impl DisruptionKind {
    /// All of them, from the smallest.
    pub const ALL: [DisruptionKind; 6] = [
        DisruptionKind::Software,
        DisruptionKind::Hardware,
        DisruptionKind::Zone,
        DisruptionKind::Region,
        DisruptionKind::ControlPlane,
        DisruptionKind::Planned,
    ];

    /// What reports call it.
    pub fn words(self) -> &'static str {
        match self {
            DisruptionKind::Software => "software",
            DisruptionKind::Hardware => "hardware",
            DisruptionKind::Zone => "zone",
            DisruptionKind::Region => "region",
            DisruptionKind::ControlPlane => "control plane",
            DisruptionKind::Planned => "planned",
        }
    }

    /// What files call it.
    pub fn key(self) -> &'static str {
        match self {
            DisruptionKind::ControlPlane => "control_plane",
            other => other.words(),
        }
    }

    /// A kind of fault that is one.
    pub fn example(self) -> &'static str {
        match self {
            DisruptionKind::Software => "replica-crash",
            DisruptionKind::Hardware => "node-loss",
            DisruptionKind::Zone => "zone-outage",
            DisruptionKind::Region => "region-outage",
            DisruptionKind::ControlPlane => "control-plane-outage",
            DisruptionKind::Planned => "planned-failover",
        }
    }
}

/// Which hosts of which upstream a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostTarget {
    /// Index into [`super::Dependencies::upstreams`].
    pub upstream: usize,
    /// The host of it, from 0; `None` = all.
    pub host: Option<usize>,
}

/// What a request meets at a host that is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// A refusal, at once.
    Refuses,
    /// Silence.
    Silent,
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
    /// The cluster as a whole.
    Cluster,
    /// Ingress instances.
    Ingress(InstanceTarget),
    /// Clients, policies and upstreams.
    Dependencies,
}

impl Gray {
    fn verb(&self) -> String {
        let failing = format!("failed {} of their requests", self.failing);
        let slow = format!("took {} times the CPU", self.work);
        match (self.failing > Share::ZERO, self.work != 1.0) {
            (true, false) => failing,
            (false, _) => slow,
            (true, true) => format!("{failing} and {slow}"),
        }
    }
}

impl Fault {
    /// What of several regions it concerns.
    pub fn reach(&self) -> Reach {
        match self {
            Fault::RegionOutage(_) | Fault::PlannedFailover(_) => Reach::Region,
            Fault::ControlPlaneOutage(_) => Reach::Shared,
            Fault::ManagerFrozen(_) => Reach::Manager,
            _ => Reach::Gateway,
        }
    }

    /// Whether clients of the region that it strikes are to be led away, whatever is found out: the
    /// region is lost, or left, or nobody comes in.
    pub fn leads_away(&self) -> bool {
        self.shuts_out() || matches!(self, Fault::PlannedFailover(_))
    }

    /// Whether the region that it strikes serves nobody meanwhile.
    pub fn shuts_out(&self) -> bool {
        matches!(self, Fault::RegionOutage(_) | Fault::IngressLoss(InstanceTarget::All, _))
    }

    /// What it disrupts of a gateway or around it, if that is among what reviewers ask for.
    pub fn disruption(&self) -> Option<DisruptionKind> {
        Some(match self {
            Fault::ReplicaCrash(_)
            | Fault::ReplicaHang(_)
            | Fault::ReplicaSlow(..)
            | Fault::GrayFailure(..)
            | Fault::Rollout(_) => DisruptionKind::Software,
            Fault::NodeLoss(..) | Fault::NodeShutdown(..) => DisruptionKind::Hardware,
            Fault::ZoneOutage(..) | Fault::PartialOutage(..) => DisruptionKind::Zone,
            Fault::RegionOutage(_) => DisruptionKind::Region,
            Fault::ControlPlaneOutage(_) => DisruptionKind::ControlPlane,
            Fault::PlannedFailover(_) => DisruptionKind::Planned,
            _ => return None,
        })
    }

    /// How long a machine stays away after it was emptied, if the fault empties machines.
    pub fn away(&self) -> Option<&Law> {
        match self {
            Fault::DrainNode(_, away) | Fault::Maintenance(away) => Some(away),
            _ => None,
        }
    }

    /// What its subject did: "replica b-1 crashed".
    pub fn verb(&self) -> String {
        match self {
            Fault::ReplicaCrash(_) => "crashed".to_owned(),
            Fault::ReplicaHang(_) => "hung".to_owned(),
            Fault::ReplicaSlow(_, share, _) => format!("slowed down to {share} of its CPU"),
            Fault::GrayFailure(gray, _) => gray.verb(),
            Fault::ZoneOutage(..) | Fault::PartialOutage(..) | Fault::RegionOutage(_) => {
                "went down".to_owned()
            }
            Fault::ManagerFrozen(_) => "could not be changed".to_owned(),
            Fault::PlannedFailover(_) => "was left on purpose".to_owned(),
            Fault::NodeLoss(..) => "vanished".to_owned(),
            Fault::NodeShutdown(_, notice, _) => {
                format!("was taken away with a notice of {}", notice.ahead)
            }
            Fault::ProvisioningOutage(..) => "ceased".to_owned(),
            Fault::ApiServerOutage(_) => "could not be reached".to_owned(),
            Fault::Rollout(release) => {
                format!("was to give way to a new version{}", release.difference())
            }
            Fault::DrainNode(..) | Fault::Maintenance(_) => "went into maintenance".to_owned(),
            Fault::ControlPlaneOutage(_) | Fault::MetricsOutage(..) => {
                "could not be reached".to_owned()
            }
            Fault::IngressLoss(..) => "vanished".to_owned(),
            Fault::UpstreamOutage(_, Down::Refuses, _) => "went down".to_owned(),
            Fault::UpstreamOutage(_, Down::Silent, _) => "fell silent".to_owned(),
            Fault::UpstreamSlow(_, factor, _) => format!("took {factor} times as long"),
            Fault::StorageOutage(_) => "could not be reached".to_owned(),
            Fault::ContractRevoked(_) => "was revoked".to_owned(),
            Fault::CachePurge => "was emptied".to_owned(),
        }
    }

    /// Whether replicas that are missing during an incident are its doing, and not that of another
    /// one.
    pub fn takes_replicas(&self) -> bool {
        matches!(
            self,
            Fault::ReplicaCrash(_)
                | Fault::ReplicaHang(_)
                | Fault::ZoneOutage(..)
                | Fault::PartialOutage(..)
                | Fault::RegionOutage(_)
                | Fault::NodeLoss(..)
                | Fault::NodeShutdown(..)
                | Fault::Rollout(_)
                | Fault::DrainNode(..)
                | Fault::Maintenance(_)
        )
    }

    /// The version that it rolls out, if it is a rollout.
    pub fn release(&self) -> Option<&Release> {
        if let Fault::Rollout(release) = self { Some(release) } else { None }
    }

    /// What it may hit.
    pub fn target(&self) -> Target {
        match self {
            Fault::ReplicaCrash(target)
            | Fault::ReplicaHang(target)
            | Fault::ReplicaSlow(target, ..)
            | Fault::NodeLoss(target, _)
            | Fault::NodeShutdown(target, ..)
            | Fault::DrainNode(target, _) => Target::Replicas(*target),
            Fault::ZoneOutage(zone, _) | Fault::PartialOutage(zone, ..) => Target::Zone(*zone),
            Fault::ControlPlaneOutage(_) => Target::ControlPlane,
            Fault::GrayFailure(..)
            | Fault::ProvisioningOutage(..)
            | Fault::ApiServerOutage(_)
            | Fault::MetricsOutage(..)
            | Fault::Rollout(_)
            | Fault::Maintenance(_)
            | Fault::RegionOutage(_)
            | Fault::ManagerFrozen(_)
            | Fault::PlannedFailover(_) => Target::Cluster,
            Fault::UpstreamOutage(..)
            | Fault::UpstreamSlow(..)
            | Fault::StorageOutage(_)
            | Fault::ContractRevoked(_)
            | Fault::CachePurge => Target::Dependencies,
            Fault::IngressLoss(instance, _) => Target::Ingress(*instance),
        }
    }
}

/// Which ingress instances a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceTarget {
    /// One at random.
    Any,
    /// All of them at once: nobody comes in.
    All,
    /// This one.
    One(usize),
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

/// When a fault is injected.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Once.
    At(Instant),
    /// At random: each entity that the target covers (slot, zone, ingress instance, the control
    /// plane, the cluster) fails after a time drawn from this law, counted from when it last came
    /// up.
    Random(Law),
    /// Each time that another fault is.
    After(Followed),
    /// Never by this gateway itself: it happens to another region, or to what regions share.
    Elsewhere,
}

/// Which fault another one follows, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// Index of the other one in the plan; it follows none that follows this one.
    pub fault: usize,
    /// How much later, drawn each time.
    pub delay: Law,
    /// Whether it strikes the zone that the other one, an outage of a zone, has struck.
    pub same_zone: bool,
}

impl FaultPlan {
    /// The fault by whose schedule this one of `all` is injected in the end: its own, or that of
    /// the fault that it follows.
    pub fn root<'f>(&'f self, all: &'f [FaultPlan]) -> &'f FaultPlan {
        let mut root = self;
        // As many steps as there are faults: more would lead in a circle.
        for _ in 0..all.len() {
            let Schedule::After(Followed { fault, .. }) = &root.schedule else { break };
            root = &all[*fault];
        }
        assert!(!matches!(root.schedule, Schedule::After(_)), "{} follows itself", self.name);
        root
    }

    /// Whether it is injected at random times.
    pub fn is_random(&self, all: &[FaultPlan]) -> bool {
        matches!(self.root(all).schedule, Schedule::Random(_))
    }

    /// Whether it strikes the zone of the fault that it follows.
    pub fn strikes_same_zone(&self) -> bool {
        matches!(&self.schedule, Schedule::After(followed) if followed.same_zone)
    }
}
