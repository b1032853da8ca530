//! The table of keys, first part: the gateway, where it stands and what reaches it.

use crate::plan::{DeadAddress, Scatter, Spread};
use crate::random::Law;
use crate::scenario::Mark;
use crate::scenario::key::{Entry, Key, table};
use crate::scenario::value::Located;
use crate::scenario::word::{
    Catalogue, ChangeKind, Choice, Management, Platform, Preset, ReplayFormat, Tier, Tls, Weekday,
};
use crate::units::{Bytes, Cores, Rate, Span};

table! {
    top "" {
        QUESTION: String = "question", "", Given, "", "The question that the scenario answers.";
        OBJECTIVES: Vec<Located<String>> = "objectives", "", Assumed, "none",
            "What is demanded, such as \"p99 < 250ms during crash\".";
    }
    gateway "gateway" {
        MANAGEMENT: Management = "management", "managed", Inferred, "the product simulated",
            "Who runs the gateway.";
        PLATFORM: Platform = "platform", "cloudhub-2", Inferred, "the usual place",
            "Where it runs.";
        TIER: Tier = "tier", "large", Assumed, "the smallest size for production",
            "The size of a replica; or give cores and cpu-per-request.";
        CATALOGUE: Catalogue = "catalogue", "1.12", Documented, "gateway prerequisites page",
            "The release whose ratings the tiers follow.";
        REPLICAS: u64 = "replicas", "2", Documented, "the product's least number",
            "Replicas wanted at all times, 1 to 1000.";
        CONTRACTS: bool = "contracts", "false", Inferred, "the simpler case",
            "Whether APIs use contracts.";
        CORES: Cores = "cores", "", Assumed, "the tier; no CPU limits are published",
            "CPU of one replica.";
        DEMAND: Law = "cpu-per-request", "", Assumed, "the tier: cores / saturation rate",
            "CPU time that one request takes.";
        THROTTLING: bool = "throttling", "false", Assumed,
            "an average hides the slices; switch it on to see them",
            "Whether the CPU limit is enforced in slices instead of on average.";
        THROTTLING_PERIOD: Span = "throttling-period", "100ms", Documented,
            "the kubelet's cpuCFSQuotaPeriod",
            "How often the CPU quota is refilled (throttling only).";
        THREADS: u64 = "threads", "", Assumed, "cores, rounded up",
            "Cores that a replica uses at once until its quota is used up (throttling only).";
        MEMORY: Bytes = "memory", "", Assumed, "none", "Memory limit of one replica.";
        MEMORY_PER_REQUEST: Bytes = "memory-per-request", "", Assumed, "none",
            "What a request in flight holds of the memory.";
    }
    topology "topology" {
        ZONES: Vec<Located<String>> = "zones", "", Inferred,
            "up to three replicas in as many zones", "Names of the zones.";
        PER_ZONE: Vec<Located<u64>> = "replicas-per-zone", "", Documented,
            "replicas are spread evenly", "How many replicas each zone has at first.";
        SPREAD: Spread = "spread", "schedule-anyway", Inferred, "Kubernetes' own default",
            "What the scheduler does when zones would become uneven.";
        SKEW: u64 = "max-skew", "1", Documented, "advice for Runtime Fabric",
            "By how many replicas a zone may exceed the zone with the fewest.";
    }
    ingress "ingress" {
        PRESET: Preset = "preset", "", Assumed, "none",
            "A set of defaults for retries, read-timeout and requests-per-connection.";
        TLS: Tls = "tls", "", Documented, "CloudHub 2.0 networking guide",
            "What the ingress does with TLS; true means \"terminates\".";
        INSTANCES: u64 = "instances", "3", Assumed, "one per zone",
            "Independent ingress instances, 1 to 1000.";
        IN_ZONES: bool = "in-zones", "true", Assumed, "one per zone",
            "Instances live in the zones, in turn, and vanish with theirs.";
        BALANCING: Choice = "balancing", "round-robin", Documented, "product page",
            "How an instance chooses a replica.";
        CONNECTIONS: u64 = "connections", "100", Assumed, "a small fleet of clients",
            "Client connections open at any time (per-connection balancing only).";
        PER_CONNECTION: u64 = "requests-per-connection", "", Assumed, "connections never close",
            "Requests after which a connection closes (per-connection balancing only).";
        DELAY: Span = "delay", "0.2ms", Measured, "HAProxy, nginx and Envoy: 0.09 to 0.3 ms",
            "From the client's sending to the choice of a replica.";
        HOP: Span = "hop", "0.5ms", Assumed, "a network between zones",
            "Network between ingress and replica, both ways together.";
        CONNECT_TIMEOUT: Span = "connect-timeout", "5s", Documented, "Envoy's default",
            "How long an attempt to connect to a silent address lasts.";
        READ_TIMEOUT: Span = "read-timeout", "300s", Documented, "CloudHub 2.0 private spaces",
            "How long a replica may take before the ingress answers 504.";
        RETRIES: u64 = "retries", "0", Assumed, "no retry policy is published",
            "Further replicas tried after a failed connection attempt, 0 to 100.";
        DEAD_ADDRESS: DeadAddress = "dead-address", "drops", Assumed, "the worse case",
            "What the address of a dead replica does.";
        FAILOVER: Law = "failover", "10s", Assumed, "a load balancer's health checks",
            "From the loss of an ingress instance until clients avoid it.";
        PROPAGATION: Law = "propagation", "uniform(0.5s, 2s)", Measured,
            "reports from small clusters",
            "From a change of readiness until every ingress instance knows it.";
    }
    traffic "traffic" {
        RATE: Rate = "rate", "", Given, "", "Requests per unit of time, or sessions.";
        ARRIVALS: Scatter = "arrivals", "poisson", Inferred, "many independent clients",
            "How arrivals scatter around the rate.";
        DAILY: Vec<Located<f64>> = "daily", "", Assumed, "none",
            "24 factors of the rate, one per hour of the day, linear in between.";
        DAY_START: Span = "day-start", "0s", Inferred, "midnight",
            "The time of day at which the run starts (with daily or weekly only).";
        WEEKLY: Vec<Located<f64>> = "weekly", "", Assumed, "none",
            "7 factors, one per day from Monday on, that multiply those of daily.";
        WEEK_START: Weekday = "week-start", "mon", Inferred, "a week's first day",
            "The weekday on which the run starts (with weekly only).";
        REPLAY: String = "replay", "", Assumed, "none",
            "A file of recorded arrivals, from the scenario's folder.";
        REPLAY_FORMAT: ReplayFormat = "replay-format", "", Inferred, "the file's first line",
            "What that file is (with replay only).";
        REPLAY_SPEED: f64 = "replay-speed", "1", Inferred, "as recorded",
            "How many times as fast it is played: 2 doubles the rate (with replay only).";
        REPLAY_LOOP: bool = "replay-loop", "false", Inferred, "a recording is played once",
            "Whether it begins again when it ends (with replay only).";
    }
    change "traffic.change" {
        KIND: ChangeKind = "kind", "", Given, "", "Which way the rate changes.";
        AT: Span = "at", "", Given, "", "When a step or a spike happens.";
        FROM: Span = "from", "", Given, "", "When a ramp begins.";
        TO: Span = "to", "", Given, "", "When a ramp ends.";
        FOR: Span = "for", "", Given, "", "How long a spike lasts.";
        RATE: Rate = "rate", "", Given, "", "The new rate.";
    }
    bursts "traffic.bursts" {
        FACTOR: f64 = "factor", "", Given, "",
            "The rate in a burst over that in calm; traffic.rate stays the mean of both.";
        EVERY: Span = "every", "", Given, "",
            "Mean time from the end of a burst to the next, exponential.";
        FOR: Span = "for", "", Given, "", "Mean length of a burst, exponential.";
    }
}
