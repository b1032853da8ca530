//! What the cluster does by itself: notice failures, end replicas, change their number.

use super::Probe;
use crate::autoscaler::controller::AutoscalerSpec;
use crate::autoscaler::goals::MetricGoal;
use crate::random::Law;
use crate::units::{Bytes, Share, Span};

/// How failures are noticed.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// From a crash until the runtime reports it and a replacement is created.
    pub crash: Law,
    /// The liveness probe, which finds hung replicas and those that boot for too long.
    pub liveness: Probe,
    /// CPU time that one probe takes of its replica; `None` = probes cost nothing and are always
    /// answered in time by a process that works. Then no period may be zero.
    pub probe_cpu: Option<Span>,
    /// Which of them ask an upstream. Then no period may be zero either.
    pub asks: ProbesAsk,
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

impl Detection {
    /// Whether each probe is followed, as what comes of it depends on more than its process.
    pub fn follows_probes(&self) -> bool {
        self.probe_cpu.is_some() || self.asks != ProbesAsk::default()
    }
}

/// The upstreams that probes ask: such a probe succeeds only if its upstream answers in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbesAsk {
    /// That of readiness.
    pub readiness: Option<usize>,
    /// That of liveness.
    pub liveness: Option<usize>,
}

/// The machines that replicas run on.
#[derive(Clone, Debug, PartialEq)]
pub struct Nodes {
    /// Nodes of each zone at the start; `None` = a zone that is up always has a node with room.
    pub per_zone: Option<usize>,
    /// Replicas that one node has room for; at least 1.
    pub room: usize,
    /// From the wish for another node until it is ready; `None` = nobody adds nodes.
    pub provisioning: Option<Law>,
    /// Image pull on a node that was added, for its first replica.
    pub image: Law,
    /// When pods on nodes that are not ready are given up.
    pub eviction: Eviction,
    /// Share of the lost nodes whose machine the cloud says is gone, …
    pub deleted: Share,
    /// … and from not ready until such a node is deleted, and its pods with it.
    pub deletion: Law,
}

/// How fast a zone's nodes that are not ready are marked for eviction
/// (`nodelifecycle` controller).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// Between two nodes of a zone.
    pub every: Span,
    /// A zone with more than two nodes that are not ready, and this share of its nodes in per cent
    /// but not all, is partly disrupted.
    pub partial_pct: u32,
    /// In a partly disrupted zone with more nodes than this evictions go on, …
    pub large_zone: usize,
    /// … with this time between two nodes; in a smaller one they stop.
    pub slowly: Span,
}

impl Default for Nodes {
    /// A node wherever one is needed, and Kubernetes' rules of eviction.
    fn default() -> Self {
        let eviction = Eviction {
            every: Span::from_secs(10.0),
            partial_pct: 55,
            large_zone: 50,
            slowly: Span::from_secs(100.0),
        };
        Nodes {
            per_zone: None,
            room: 1,
            provisioning: None,
            image: Law::ZERO,
            eviction,
            deleted: Share::ZERO,
            deletion: Law::ZERO,
        }
    }
}

/// How replicas are exchanged on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Replicas that a rollout may have beyond those wanted.
    pub surge: Portion,
    /// Replicas that a rollout may lack; not zero together with `surge`.
    pub unavailable: Portion,
    /// From when a replica is ready until a rollout counts on it.
    pub min_ready: Span,
    /// Without progress for so long a rollout is said to have failed; nothing else comes of it.
    pub deadline: Span,
    /// The disruption budget: which evictions on purpose are allowed.
    pub budget: Budget,
    /// When it lets a replica go that runs and is not ready.
    pub unhealthy: UnhealthyEvictions,
    /// Until a refused eviction is tried again.
    pub retry: Span,
    /// How long whoever empties a machine waits for the budget; `None` = for ever.
    pub drain_timeout: Option<Span>,
    /// What becomes of the machine then.
    pub after_timeout: AfterTimeout,
}

/// What a disruption budget asks for; shares are rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// At most so many of those wanted may be missing (`maxUnavailable`).
    Unavailable(Portion),
    /// At least so many must be ready (`minAvailable`).
    Available(Portion),
}

/// When a replica that runs and is not ready may be evicted (`unhealthyPodEvictionPolicy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnhealthyEvictions {
    /// While as many are ready as must stay.
    IfHealthyBudget,
    /// At any time.
    AlwaysAllow,
}

/// What becomes of a machine that could not be emptied in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterTimeout {
    /// What it holds is deleted, whatever the budget says.
    Forced,
    /// It stays, and so does what would have been emptied after it.
    GivenUp,
}

impl Default for Upgrade {
    /// One more and none less; one may be unavailable for an eviction; a new try every 5 s.
    fn default() -> Self {
        Upgrade {
            surge: Portion::Count(1),
            unavailable: Portion::Count(0),
            min_ready: Span::ZERO,
            deadline: Span::from_secs(600.0),
            budget: Budget::Unavailable(Portion::Count(1)),
            unhealthy: UnhealthyEvictions::IfHealthyBudget,
            retry: Span::from_secs(5.0),
            drain_timeout: None,
            after_timeout: AfterTimeout::Forced,
        }
    }
}

impl Upgrade {
    /// The most replicas that a rollout may have where so many are wanted: a share is rounded up.
    pub fn most(&self, wanted: usize) -> usize {
        wanted + self.surge.up(wanted)
    }

    /// The fewest replicas that a rollout leaves available where so many are wanted: the share that
    /// it may lack is rounded down, but one may be missing if it could do nothing else.
    pub fn least(&self, wanted: usize) -> usize {
        let unavailable = self.unavailable.down(wanted);
        let stands_still = unavailable == 0 && self.most(wanted) == wanted;
        wanted.saturating_sub(unavailable.max(usize::from(stands_still)))
    }

    /// The fewest replicas that an eviction on purpose leaves ready where so many are wanted.
    pub fn budgeted(&self, wanted: usize) -> usize {
        match self.budget {
            Budget::Unavailable(missing) => wanted.saturating_sub(missing.up(wanted)),
            Budget::Available(ready) => ready.up(wanted),
        }
    }

    /// Whether the budget lets one of so many replicas go, if all are ready.
    pub fn allows_any(&self, wanted: usize) -> bool {
        self.budgeted(wanted) < wanted
    }
}

/// A number of replicas: by itself, or in per cent of those that are wanted at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    /// So many.
    Count(usize),
    /// So many in a hundred.
    Percent(u32),
}

impl Portion {
    /// Whether it is nothing of any number.
    pub fn is_none(self) -> bool {
        matches!(self, Portion::Count(0) | Portion::Percent(0))
    }

    fn up(self, wanted: usize) -> usize {
        match self {
            Portion::Count(count) => count,
            Portion::Percent(percent) => (percent as usize * wanted).div_ceil(100),
        }
    }

    fn down(self, wanted: usize) -> usize {
        match self {
            Portion::Count(count) => count,
            Portion::Percent(percent) => percent as usize * wanted / 100,
        }
    }
}

impl From<usize> for Portion {
    fn from(count: usize) -> Self {
        Portion::Count(count)
    }
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
    /// From the deletion until the process exits, whatever it still has; at most the grace period
    /// of [`Detection`].
    pub drain: Span,
}

/// What the gateway's container is called in each replica.
pub const GATEWAY: &str = "gateway";

/// A container beside the gateway's, in each replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// CPU that it requests, in milli-cores, if it says so.
    pub request_milli: Option<i64>,
    /// CPU that it uses at all times, in milli-cores.
    pub usage_milli: i64,
}

/// How Prometheus and an adapter measure a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRate {
    /// Between two scrapes of a replica.
    pub scrape: Span,
    /// The time over which the rate is taken.
    pub window: Span,
}

impl Default for RequestRate {
    /// A scrape each minute, rates over two.
    fn default() -> Self {
        RequestRate { scrape: Span::from_secs(60.0), window: Span::from_secs(120.0) }
    }
}

/// Which metrics an outage takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostMetrics {
    /// All of them.
    All,
    /// CPU and memory: the metrics-server.
    Resource,
    /// Requests: the adapter.
    Custom,
}

impl LostMetrics {
    /// Whether it takes this metric.
    pub fn takes(self, goal: &MetricGoal) -> bool {
        match self {
            LostMetrics::All => true,
            LostMetrics::Resource => matches!(goal, MetricGoal::Resource(_)),
            LostMetrics::Custom => matches!(goal, MetricGoal::Requests(_)),
        }
    }
}

impl Autoscaling {
    /// CPU of the gateway in each replica, in cores, at which this share of what is requested is in
    /// use, as the autoscaler counts it.
    pub fn cores_at(&self, share: f64) -> f64 {
        let of_container = self.spec.cpu().is_some_and(|target| target.container.is_some());
        let sidecar = self.sidecar.filter(|_| !of_container);
        let request = sidecar.and_then(|one| one.request_milli).unwrap_or(0) + self.request_milli;
        let usage = sidecar.map_or(0, |one| one.usage_milli);
        share * (request as f64 / 1e3) - usage as f64 / 1e3
    }
}

/// An autoscaler and its view of the replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscaling {
    /// What it is told to do; its least number is at least 1.
    pub spec: AutoscalerSpec,
    /// CPU that the gateway's container requests, in milli-cores.
    pub request_milli: i64,
    /// What runs beside it in each replica.
    pub sidecar: Option<Sidecar>,
    /// Memory that a replica requests, if memory is a metric.
    pub memory_request: Bytes,
    /// How requests per second are measured, if they are a metric.
    pub request_rate: RequestRate,
    /// Between two steps of the autoscaler.
    pub sync: Span,
    /// Between two scrapes of the metrics-server (its resolution).
    pub scrape: Span,
    /// Between two readings of a kubelet.
    pub kubelet: Span,
    /// Whether a run starts with the replicas that it holds at the first rate, as if it had run for
    /// long; see [`Plan::settle`](super::Plan::settle).
    pub settled: bool,
}
