//! The words that a scenario chooses between.

use crate::autoscaler::behavior::Select;
use crate::plan::{AfterCrash, DeadAddress, Jitter, Scatter, Spread};
use crate::scenario::value::Word;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$about:meta])* $variant:ident = $word:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$about])* $variant,)* }

        impl Word for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $name::$variant),)*];
        }
    )*};
}

words! {
    /// Who runs the gateway.
    Management {
        /// The vendor, in a private space.
        Managed = "managed",
        /// The user.
        SelfManaged = "self-managed",
    }
    /// Where the gateway runs.
    Platform {
        /// A private space of CloudHub 2.0.
        CloudHub2 = "cloudhub-2",
        /// Runtime Fabric.
        RuntimeFabric = "runtime-fabric",
    }
    /// The size of a replica.
    Tier {
        /// For tests.
        Small = "small",
        /// For production.
        Large = "large",
        /// For production with more throughput.
        XLarge = "xlarge",
    }
    /// The release whose ratings the tiers follow.
    Catalogue {
        /// Small 100, Large 500 requests per second.
        V1_11 = "1.11",
        /// Small 50, Large 1500, Extra Large 4000.
        V1_12 = "1.12",
        /// As 1.12.
        V1_13 = "1.13",
    }
    /// Whose policy an autoscaler follows.
    ScalePreset {
        /// 70 %, 2 to 3.
        CloudHub2 = "cloudhub-2",
        /// 50 %, 2 to 11.
        HelmChart = "helm-chart",
        /// 80 %, from 1.
        Kubernetes = "kubernetes",
    }
    /// Who adds nodes.
    Provisioner {
        /// Nobody.
        None = "none",
        /// In about a minute.
        Karpenter = "karpenter",
        /// In minutes.
        ClusterAutoscaler = "cluster-autoscaler",
    }
    /// How an ingress instance chooses a replica.
    Choice {
        /// In turn over the replicas.
        RoundRobin = "round-robin",
        /// In turn over the zones, then over the replicas of each.
        ZoneThenReplica = "zone-then-replica",
        /// Once per connection.
        PerConnection = "per-connection",
        /// At random.
        Random = "random",
    }
    /// A set of ingress defaults.
    Preset {
        /// Those of ingress-nginx.
        IngressNginx = "ingress-nginx",
    }
    /// A change of the rate.
    ChangeKind {
        /// To another rate at once.
        Step = "step",
        /// To another rate little by little.
        Ramp = "ramp",
        /// To another rate and back.
        Spike = "spike",
    }
    /// A day of the week, counted from Monday.
    Weekday {
        /// Monday.
        Monday = "mon",
        /// Tuesday.
        Tuesday = "tue",
        /// Wednesday.
        Wednesday = "wed",
        /// Thursday.
        Thursday = "thu",
        /// Friday.
        Friday = "fri",
        /// Saturday.
        Saturday = "sat",
        /// Sunday.
        Sunday = "sun",
    }
    /// What a file of recorded arrivals is.
    ReplayFormat {
        /// A table with the column `time_s`.
        Csv = "csv",
        /// The common or combined log format of Apache and nginx.
        AccessLog = "access-log",
        /// An object with a time on each line.
        JsonLines = "json-lines",
    }
    /// Where a starting replica finds its configuration.
    Store {
        /// In the cluster.
        Local = "local",
        /// At the control plane.
        Download = "download",
        /// In a cache that an earlier replica filled.
        Cached = "cached",
    }
    /// What waits for contracts.
    GateKind {
        /// The whole replica.
        Replica = "replica",
        /// The APIs that use contracts.
        Api = "api",
    }
    /// How requests come about.
    Loop {
        /// At a rate of their own.
        Open = "open",
        /// From users who wait for the outcome of one before the next.
        Closed = "closed",
        /// From users who come at a rate of their own and stay for some requests.
        Sessions = "sessions",
    }
    /// How waits before further attempts grow.
    BackoffKind {
        /// Twice as long each time.
        Exponential = "exponential",
        /// Not at all.
        Fixed = "fixed",
    }
    /// What a policy does.
    PolicyWord {
        /// It only takes time.
        Work = "work",
        /// Answers from a cache.
        Cache = "cache",
        /// Rejects what is over a limit.
        RateLimit = "rate-limit",
        /// Rejects or holds back what is over a limit of each replica.
        SpikeControl = "spike-control",
    }
    /// How a rate limit counts.
    Counting {
        /// So many in a window.
        FixedWindow = "fixed-window",
        /// One for each token.
        TokenBucket = "token-bucket",
    }
    /// When windows start.
    WindowStart {
        /// At the first request after the last window.
        FirstRequest = "first-request",
        /// One after the other.
        Clock = "clock",
    }
    /// How replicas share a limit.
    SharingKind {
        /// Each takes a part at a time.
        Leases = "leases",
        /// Each asks for every request.
        Counter = "counter",
        /// Not at all.
        PerReplica = "per-replica",
    }
    /// Whose requests a limit counts together.
    Per {
        /// All of them.
        All = "all",
        /// Those of a client.
        Client = "client",
    }
    /// What becomes of requests of which nobody knows whether they are within a limit.
    Unknown {
        /// They are rejected.
        Block = "block",
        /// They pass.
        Pass = "pass",
    }
    /// Where TLS connections end.
    Termination {
        /// At the ingress.
        Ingress = "ingress",
        /// At the replica.
        Replica = "replica",
    }
    /// What goes wrong.
    FaultKind {
        /// The process dies.
        ReplicaCrash = "replica-crash",
        /// The process stops answering.
        ReplicaHang = "replica-hang",
        /// The process gets less CPU.
        ReplicaSlow = "replica-slow",
        /// A zone vanishes.
        ZoneOutage = "zone-outage",
        /// The control plane cannot be reached.
        ControlPlaneOutage = "control-plane-outage",
        /// An ingress instance vanishes.
        IngressLoss = "ingress-loss",
        /// The machine of a replica vanishes.
        NodeLoss = "node-loss",
        /// No new machines can be had.
        ProvisioningOutage = "provisioning-outage",
        /// Every replica is replaced by a new version.
        Rollout = "rollout",
        /// The machine of a replica is emptied.
        DrainNode = "drain-node",
        /// Every machine is emptied in turn.
        Maintenance = "maintenance",
        /// Hosts of an upstream are down.
        UpstreamOutage = "upstream-outage",
        /// Hosts of an upstream take longer.
        UpstreamSlow = "upstream-slow",
        /// The storage that replicas share their limits in cannot be reached.
        StorageOutage = "storage-outage",
        /// A client loses its contract.
        ContractRevoked = "contract-revoked",
    }
}

/// What the ingress does with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// It decrypts; replicas get plain HTTP.
    Terminates,
    /// It hands the encrypted stream on.
    PassesThrough,
}

impl Word for Tls {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("terminates", Tls::Terminates),
        ("passes-through", Tls::PassesThrough),
        ("terminate", Tls::Terminates),
    ];
    fn from_bool(value: bool) -> Option<Self> {
        Some(if value { Tls::Terminates } else { Tls::PassesThrough })
    }
}

impl Word for Spread {
    const WORDS: &'static [(&'static str, Self)] =
        &[("schedule-anyway", Spread::ScheduleAnyway), ("do-not-schedule", Spread::DoNotSchedule)];
}

impl Word for DeadAddress {
    const WORDS: &'static [(&'static str, Self)] =
        &[("drops", DeadAddress::Drops), ("refuses", DeadAddress::Refuses)];
}

impl Word for AfterCrash {
    const WORDS: &'static [(&'static str, Self)] =
        &[("replaced", AfterCrash::Replaced), ("restarted", AfterCrash::Restarted)];
}

impl Word for Jitter {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Jitter::None), ("half", Jitter::Half), ("full", Jitter::Full)];
}

impl Word for Select {
    const WORDS: &'static [(&'static str, Self)] =
        &[("max", Select::Max), ("min", Select::Min), ("disabled", Select::Disabled)];
}

impl Word for Scatter {
    const WORDS: &'static [(&'static str, Self)] =
        &[("poisson", Scatter::Poisson), ("deterministic", Scatter::Deterministic)];
}
