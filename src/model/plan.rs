//! The plan: a scenario with nothing left to guess. Every number is typed, every default is
//! filled in, every name is an index. A replication is a function of a plan, a seed and an index.

use std::sync::Arc;

use crate::random::Law;
use crate::units::{Bytes, Cores, Instant, Rate, Share, Span};

/// Index into [`Topology::zones`].
pub type ZoneId = usize;

/// A place for one replica, from 0 to the number of replicas. A replacement takes over the slot of
/// the replica it stands in for.
pub type Slot = usize;

/// Everything one replication needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What one replica can do and how many there are.
    pub gateway: Gateway,
    /// Zones and where replicas go.
    pub topology: Topology,
    /// How requests reach the replicas.
    pub ingress: Ingress,
    /// When requests come.
    pub traffic: Traffic,
    /// What a new replica passes through before it serves.
    pub startup: Startup,
    /// How failures are noticed.
    pub detection: Detection,
    /// What goes wrong, in the order of the file.
    pub faults: Vec<FaultPlan>,
    /// Periods that objectives speak of; the first is the whole run after warm-up.
    pub windows: Vec<Window>,
    /// Length, seed and number of replications.
    pub run: Run,
}

/// One replica's capacity, and their number.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// CPU of one replica (its limit).
    pub cores: Cores,
    /// CPU time that one request takes.
    pub demand: Law,
    /// Replicas wanted at all times; at least 1.
    pub replicas: usize,
    /// Memory of one replica and what one request in flight holds of it, if given. Reported, not
    /// enforced: the model does not kill a replica for its memory.
    pub memory: Option<Memory>,
}

/// Memory figures of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The container's limit.
    pub limit: Bytes,
    /// What one request in flight holds.
    pub per_request: Bytes,
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
}

/// What the scheduler does when zones would become uneven (topology spread over zones, maxSkew 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Prefers the zone with the fewest replicas, but takes any that is up.
    ScheduleAnyway,
    /// Waits until a zone is up whose count would exceed the least by at most one. A dead zone
    /// still counts as one with no replicas, because its nodes are still registered.
    DoNotSchedule,
}

/// The path from the client to a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingress {
    /// Independent instances, each with its own round-robin pointer; at least 1. A request meets
    /// each with equal probability. Each has the zone in which it lives; `None` = outside them.
    pub instances: Vec<Option<ZoneId>>,
    /// How an instance chooses a replica.
    pub balancing: Balancing,
    /// From the client's sending to the choice of a replica.
    pub delay: Span,
    /// Network between ingress and replica, both ways together; passed after the service.
    pub hop: Span,
    /// How long a connection attempt to an address that does not answer lasts.
    pub connect_timeout: Span,
    /// How long a replica may take to answer before the ingress gives up with 504.
    pub read_timeout: Span,
    /// Further replicas tried after a failed connection attempt; 0 = no retry.
    pub retries: u32,
    /// What the address of a dead replica does.
    pub dead_address: DeadAddress,
    /// From the loss of an ingress instance until clients no longer reach it.
    pub failover: Law,
    /// From a change of readiness until every ingress instance knows the new endpoints.
    pub propagation: Law,
}

/// The choice of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancing {
    /// Per request, strictly in turn over the replicas.
    RoundRobin,
    /// Per request, in turn over the zones, then in turn over the replicas of the zone.
    ZoneThenReplica,
    /// A connection keeps its replica, chosen at random, until it closes or the replica leaves.
    PerConnection {
        /// Client connections open at any time; each request comes on any of them alike.
        connections: usize,
        /// Requests after which a connection closes and a new one chooses again; `None` = never.
        requests: Option<u32>,
    },
    /// Per request, each replica with equal probability.
    Random,
}

/// What a connection attempt to a dead replica's address meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadAddress {
    /// Silence, until the connect timeout.
    Drops,
    /// A refusal, at once.
    Refuses,
}

/// When requests arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Traffic {
    /// A process with a rate that may change over time.
    Process(ArrivalProcess),
    /// Recorded arrivals.
    Replay(Arc<[Recorded]>),
}

/// Arrivals drawn from a law.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalProcess {
    /// How arrivals scatter around the rate.
    pub scatter: Scatter,
    /// Rate over time: corners of a piecewise linear function, in time order, the first at zero.
    /// Two corners at one instant make a step. After the last corner the rate stays.
    pub corners: Vec<(Instant, Rate)>,
    /// The corners repeat after this span (a day), if given; it is not before the last corner.
    pub period: Option<Span>,
}

/// How arrivals scatter around the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scatter {
    /// A Poisson process.
    Poisson,
    /// Evenly spaced.
    Deterministic,
}

/// One recorded request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// When its client sent it.
    pub at: Instant,
    /// Its CPU demand in nanoseconds; `None` = drawn from the gateway's law.
    pub demand: Option<f64>,
    /// The replica that took it; `None` = chosen by the balancer.
    pub slot: Option<Slot>,
}

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

/// How failures are noticed.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// From a crash until the runtime reports it and a replacement is created.
    pub crash: Law,
    /// The liveness probe, which finds hung replicas.
    pub liveness: Probe,
    /// From the liveness failure until a hung process is killed (it ignores the polite signal).
    pub grace: Span,
    /// A node renews its lease this often.
    pub lease: Span,
    /// A node whose last renewal is this old is declared not ready.
    pub node_grace: Span,
    /// How often that is checked.
    pub monitor: Span,
    /// How long a pod on an unreachable node is tolerated before it is replaced.
    pub toleration: Span,
}

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

/// A period of the run for which figures are kept. A request belongs to the period in which its
/// client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// How reports call it: `the run`, `during crash`, `2:00 to 5:00`.
    pub label: String,
    /// Its extent.
    pub extent: Extent,
}

/// The extent of a [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// From the end of warm-up to the horizon.
    Run,
    /// Between two instants.
    Between(Instant, Instant),
    /// From each time that this fault (index into [`Plan::faults`]) strikes until the incident is
    /// over: capacity restored and backlog gone.
    During(usize),
}

/// How long, how often, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The end of simulated time.
    pub horizon: Instant,
    /// Requests sent before this are not counted in the estimates.
    pub warm_up: Instant,
    /// Seed of all randomness.
    pub seed: u64,
    /// Independent repetitions; at least 1.
    pub replications: usize,
    /// Width of a row of the timeline.
    pub bin: Span,
}

impl Plan {
    /// Work per second offered at `rate` over the capacity of `replicas`; above 1 the backlog
    /// grows.
    pub fn utilisation(&self, rate: Rate, replicas: usize) -> f64 {
        rate.0 * self.gateway.demand.mean_secs() / (self.gateway.cores.0 * replicas as f64)
    }

    /// Requests per second that one replica serves when its CPU is full.
    pub fn saturation(&self) -> Rate {
        Rate(self.gateway.cores.0 / self.gateway.demand.mean_secs())
    }
}
