//! The table of keys, last part: the life of replicas, what goes wrong, and the run.

use crate::autoscaler::behavior::Select;
use crate::plan::AfterCrash;
use crate::random::Law;
use crate::scenario::Mark;
use crate::scenario::key::{Entry, Key, table};
use crate::scenario::supply::Supply;
use crate::scenario::value::Located;
use crate::scenario::word::{FaultKind, GateKind, Provisioner, ScalePreset, Store};
use crate::units::{Cores, Share, Span};

table! {
    startup "startup" {
        SCHEDULE: Law = "schedule", "uniform(0.1s, 1s)", Inferred, "Kubernetes' pod start target",
            "From the creation of a pod to its binding to a node.";
        SANDBOX: Law = "sandbox", "uniform(1s, 3s)", Inferred, "Kubernetes' pod start target",
            "Creation of the sandbox and its network.";
        IMAGE: Law = "image", "uniform(0s, 2s)", Inferred, "the image is mostly on the node",
            "Image pull.";
        BOOT: Law = "boot", "uniform(2s, 6s)", Assumed, "no boot time is published",
            "From the container's start until it can take its configuration.";
        CONFIGURATION: Store = "configuration", "", Documented,
            "the product page: managed keeps it in the cluster, self-managed downloads it",
            "Where a starting replica finds its API configuration.";
        DOWNLOAD: Law = "download", "uniform(5s, 20s)", Assumed, "no duration is published",
            "A successful download of the configuration.";
        DOWNLOAD_TIMEOUT: Span = "download-timeout", "10s", Assumed, "as for contracts",
            "When a download fails while the control plane is down.";
        DOWNLOAD_BACKOFF: Span = "download-backoff", "15s", Assumed, "as for contracts",
            "Pause between a failed download and the next.";
        FETCH: Law = "contract-fetch", "uniform(3s, 9s)", Inferred,
            "boot with contracts less boot without",
            "A successful download of the contracts.";
        FETCH_TIMEOUT: Span = "contract-timeout", "10s", Documented, "the contracts library",
            "When a download fails while the control plane is down.";
        FETCH_BACKOFF: Span = "contract-backoff", "15s", Documented, "the contracts library",
            "Pause between a failed download and the next.";
        POLL: Span = "contract-poll", "15s", Documented, "the contracts library",
            "How often a running replica refreshes its contracts.";
        GATE: GateKind = "contract-gate", "replica", Assumed,
            "the product page reads as the whole gateway",
            "What waits for contracts.";
        SHARE: Share = "contract-share", "100%", Assumed, "every API uses contracts",
            "Share of requests to APIs with contracts (gate \"api\" only).";
    }
    probes "probes" {
        READINESS_DELAY: Span = "readiness-initial-delay", "10s", Documented, "Helm chart",
            "From the container's start to the first readiness probe.";
        READINESS_PERIOD: Span = "readiness-period", "10s", Documented, "Helm chart",
            "Between readiness probes; 0s = checked continuously.";
        READINESS_TIMEOUT: Span = "readiness-timeout", "5s", Documented, "Helm chart",
            "When a readiness probe without an answer fails.";
        READINESS_FAILURES: u64 = "readiness-failures", "2", Documented, "Helm chart",
            "Failed readiness probes in a row that count.";
        LIVENESS_DELAY: Span = "liveness-initial-delay", "10s", Documented, "Helm chart",
            "From the container's start to the first liveness probe.";
        LIVENESS_PERIOD: Span = "liveness-period", "10s", Documented, "Helm chart",
            "Between liveness probes; 0s = checked continuously.";
        LIVENESS_TIMEOUT: Span = "liveness-timeout", "1s", Documented, "Helm chart",
            "When a liveness probe without an answer fails.";
        LIVENESS_FAILURES: u64 = "liveness-failures", "5", Documented, "Helm chart",
            "Failed liveness probes in a row that count.";
        COMPETE: bool = "compete", "false", Inferred, "the simpler case",
            "Whether probes take CPU of their replica and fail when they are not done in time.";
        CPU: Span = "cpu", "5ms", Assumed, "a probe starts a process",
            "CPU time that one probe takes (with compete only).";
    }
    detection "detection" {
        CRASH: Law = "crash", "uniform(0s, 1s)", Inferred, "the kubelet looks once a second",
            "From a crash until a replacement is created.";
        GRACE: Span = "grace", "30s", Documented, "Kubernetes' termination grace period",
            "From the liveness failure until a hung process is killed.";
        LEASE: Span = "lease", "10s", Documented, "Kubernetes' node heartbeats",
            "How often a node renews its lease.";
        NODE_GRACE: Span = "node-grace", "50s", Documented, "kube-controller-manager reference",
            "The age of a renewal at which the node is declared not ready.";
        MONITOR: Span = "monitor", "5s", Documented, "kube-controller-manager reference",
            "How often that age is checked.";
        TOLERATION: Span = "toleration", "300s", Documented, "Kubernetes adds it to every pod",
            "How long a pod on an unreachable node is tolerated.";
        AFTER_CRASH: AfterCrash = "after-crash", "replaced", Documented, "product page",
            "Whether a crashed replica is replaced, or restarted in its pod as Kubernetes does.";
        BACKOFF: Span = "backoff", "10s", Documented, "Kubernetes",
            "Wait before a container's second restart, doubled each time; the first is at once.";
        BACKOFF_LIMIT: Span = "backoff-limit", "300s", Documented, "Kubernetes",
            "The longest wait before a restart.";
        BACKOFF_RESET: Span = "backoff-reset", "10m", Documented, "Kubernetes",
            "A container that ran this long has its earlier restarts forgotten.";
    }
    termination "termination" {
        DRAIN: Span = "drain", "25s", Documented, "Helm chart and gateway documentation",
            "From the deletion of a replica until its process exits, whatever it still has.";
    }
    nodes "nodes" {
        PER_ZONE: Supply = "per-zone", "as-needed", Assumed, "a warm node is always there",
            "Nodes that each zone has at the start, or \"as-needed\".";
        ROOM: u64 = "room", "1", Assumed, "a node for each replica",
            "Replicas that one node has room for.";
        PROVISIONER: Provisioner = "provisioner", "none", Assumed, "what is there must do",
            "Who adds nodes for replicas that find no room.";
        NEW_NODE: Law = "new-node", "", Measured, "the provisioner",
            "From the wish for a node until it is ready.";
        NEW_IMAGE: Law = "new-image", "uniform(10s, 25s)", Inferred,
            "the image is not on a new node",
            "Image pull of the first replica on a node that was added.";
        EVICTION_EVERY: Span = "eviction-every", "10s", Documented, "0.1 nodes a second",
            "Between two nodes of a zone that are marked for eviction.";
        PARTIAL: Share = "partial-outage", "55%", Documented, "kube-controller-manager",
            "Share of nodes not ready, more than two, from which a zone is partly disrupted.";
        LARGE_ZONE: u64 = "large-zone", "50", Documented, "kube-controller-manager",
            "Nodes up to which evictions stop in a partly disrupted zone.";
        EVICTION_SLOWLY: Span = "eviction-slowly", "100s", Documented, "0.01 nodes a second",
            "Between two nodes that are marked in a larger one.";
        DELETED: Share = "deleted", "0%", Inferred, "the cloud's controller is not counted on",
            "Share of lost nodes that the cloud's controller deletes before the toleration ends.";
        DELETION: Law = "deletion", "uniform(0s, 5s)", Inferred,
            "the cloud's controller looks every 5 s",
            "From not ready until such a node is deleted.";
    }
    upgrade "upgrade" {
        SURGE: u64 = "surge", "1", Documented, "25 % of 2 or 3, rounded up",
            "Replicas that a rollout may have beyond those wanted.";
        UNAVAILABLE: u64 = "unavailable", "0", Documented, "25 % of 2 or 3, rounded down",
            "Replicas that a rollout may lack.";
        BUDGET: u64 = "disruption-budget", "1", Inferred, "30 % of 2 or 3, rounded up",
            "Replicas that may be unavailable when a node is emptied.";
        RETRY: Span = "eviction-retry", "5s", Documented, "kubectl drain",
            "Until an eviction that the budget forbids is tried again.";
    }
    autoscaler "autoscaler" {
        PRESET: ScalePreset = "preset", "cloudhub-2", Assumed, "the product simulated",
            "Whose policy holds where nothing else is said.";
        MIN: u64 = "min", "", Assumed, "the preset", "The fewest replicas.";
        MAX: u64 = "max", "", Assumed, "the preset", "The most replicas.";
        TARGET: Share = "target", "", Assumed, "the preset",
            "CPU to hold, of what a replica requests.";
        TOLERANCE_UP: Share = "tolerance-up", "10%", Documented, "Kubernetes",
            "How far above the target nothing is added.";
        TOLERANCE_DOWN: Share = "tolerance-down", "10%", Documented, "Kubernetes",
            "How far below the target nothing is removed.";
        UP: Vec<Located<String>> = "scale-up", "", Assumed, "the preset",
            "The fastest growth, such as \"4 pods in 15s\" or \"100% in 180s\".";
        DOWN: Vec<Located<String>> = "scale-down", "", Documented, "Kubernetes: 100% in 15s",
            "The fastest shrinking.";
        UP_SELECT: Select = "up-select", "max", Documented, "Kubernetes",
            "Which of the policies for growth holds; \"disabled\" = it never grows.";
        DOWN_SELECT: Select = "down-select", "max", Documented, "Kubernetes",
            "Which of the policies for shrinking holds; \"disabled\" = it never shrinks.";
        UP_WINDOW: Span = "up-window", "", Documented, "Kubernetes: 0s",
            "How long a lower recommendation holds growth back.";
        DOWN_WINDOW: Span = "down-window", "", Assumed, "the preset",
            "How long a higher recommendation holds shrinking back.";
        CPU_REQUEST: Cores = "cpu-request", "", Assumed, "the limit",
            "CPU that a replica requests, at most its cores; utilisation is of this.";
        SYNC: Span = "sync", "15s", Documented, "kube-controller-manager",
            "Between two steps of the autoscaler.";
        RESOLUTION: Span = "resolution", "15s", Documented, "metrics-server's manifests",
            "Between two scrapes of the metrics-server.";
        KUBELET: Span = "kubelet", "10s", Documented, "the cluster autoscaler's FAQ",
            "Between two readings of a replica's CPU by its kubelet.";
        INITIALIZATION: Span = "initialization", "300s", Documented, "kube-controller-manager",
            "Age up to which a sample counts only if it began after the replica was ready.";
        INITIAL_READINESS: Span = "initial-readiness", "30s", Documented,
            "kube-controller-manager",
            "Age up to which a replica that is not ready is taken for one that never was.";
    }
    fault "fault" {
        NAME: String = "name", "", Inferred, "its kind",
            "The name by which objectives and reports speak of it.";
        KIND: FaultKind = "kind", "", Given, "", "What goes wrong.";
        AT: Span = "at", "", Given, "", "When it strikes, once.";
        EVERY: Law = "every", "", Given, "",
            "Or: the time from coming up to failing, anew for each thing that the target covers.";
        FOR: Law = "for", "", Given, "", "How long it lasts, unless a replacement ends it.";
        PART: Share = "share", "100%", Inferred, "the whole zone",
            "Share of a zone's nodes that an outage takes, those with replicas first.";
        CPU: Share = "cpu", "", Given, "", "Share of its CPU that a slow replica keeps.";
        SILENT: bool = "silent", "false", Assumed, "a stopped process refuses",
            "Whether a host that is down is silent instead of refusing (upstream-outage only).";
        FACTOR: f64 = "factor", "", Given, "",
            "How many times as long a slow upstream takes (upstream-slow only).";
        TARGET: String = "target", "any", Inferred, "one at random, or the only one",
            "\"any\", \"all\", \"zone b\", a replica (\"b-1\"), an ingress instance (\"2\"), an \
             upstream (\"orders\"), a host of it (\"orders/2\") or a client (\"3\").";
    }
    run "run" {
        HORIZON: Span = "horizon", "", Given, "", "The end of simulated time.";
        WARM_UP: Span = "warm-up", "", Assumed, "a tenth of the horizon, a minute at most",
            "Requests sent before this are not counted.";
        SEED: u64 = "seed", "1", Assumed, "any will do", "Seed of all randomness.";
        REPLICATIONS: u64 = "replications", "10", Assumed, "enough for an interval",
            "Independent repetitions, 1 to 100000.";
    }
}
