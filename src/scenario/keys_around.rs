//! The table of keys, middle part: what surrounds the replicas and answers back.

use crate::plan::Jitter;
use crate::random::Law;
use crate::scenario::Mark;
use crate::scenario::key::{Entry, Key, table};
use crate::scenario::skew::Skew;
use crate::scenario::value::Located;
use crate::scenario::word::{
    BackoffKind, Counting, Loop, Per, PolicyWord, SharingKind, Termination, Unknown, WindowStart,
};
use crate::units::{Bytes, Cores, Rate, Share, Span};

table! {
    clients "clients" {
        LOOP: Loop = "loop", "open", Inferred, "many independent clients",
            "Whether requests, or sessions, come whatever became of those before.";
        USERS: u64 = "users", "", Given, "", "Users of a closed loop, 1 to 1000000.";
        THINK: Law = "think", "exponential(1s)", Assumed, "no behaviour of clients is published",
            "From an outcome to the user's next request (closed loop and sessions).";
        REQUESTS: f64 = "requests-per-session", "", Given, "",
            "Mean number of requests of a session, geometrically distributed (sessions only).";
        COUNT: u64 = "count", "1", Inferred, "clients are not told apart",
            "Clients, 1 to 1000000; each has its own retry budget, contract and limit.";
        POPULARITY: Skew = "popularity", "uniform", Assumed, "no client is said to send more",
            "How often each client sends.";
        TIMEOUT: Span = "timeout", "", Assumed, "none: clients wait for ever",
            "How long a client waits for the answer to an attempt.";
        CANCELS: bool = "cancels", "true", Inferred, "a proxy ends work when its client is gone",
            "Whether giving up ends the work in the gateway (with timeout only).";
        NETWORK: Law = "network", "", Assumed, "none beside ingress.delay",
            "Network between client and ingress, each way of each attempt.";
        ATTEMPTS: u64 = "attempts", "1", Inferred, "the simpler case",
            "Attempts that a client makes in all, 1 to 100.";
        BACKOFF: BackoffKind = "backoff", "exponential", Assumed, "usual in client libraries",
            "Whether the wait before an attempt doubles each time.";
        BACKOFF_FIRST: Span = "backoff-first", "100ms", Assumed, "usual in client libraries",
            "The wait before the second attempt.";
        BACKOFF_LIMIT: Span = "backoff-limit", "20s", Assumed, "usual in client libraries",
            "The longest wait (exponential only).";
        JITTER: Jitter = "jitter", "full", Assumed, "usual in client libraries",
            "How much of the wait is drawn at random: nothing, half of it or all of it.";
        BUDGET: Share = "retry-budget", "", Assumed, "none",
            "Further attempts for each request that a client may make in the long run.";
        BUDGET_SIZE: f64 = "retry-budget-size", "10", Assumed, "enough for a short fault",
            "Further attempts that a client may have saved up (with retry-budget only).";
        BREAKER: Share = "retry-breaker", "", Assumed, "none",
            "No further attempt while more than this share of a client's attempts has failed.";
        LIMITED: bool = "retry-limited", "false", Assumed, "429 asks to wait",
            "Whether an attempt that a limit rejected (429) is made again.";
    }
    api "api" {
        NAME: String = "name", "", Given, "", "Its name.";
        SHARE: Share = "share", "", Inferred, "what the others leave, evenly",
            "Its share of the requests.";
        DEMAND: Law = "cpu-per-request", "", Inferred, "gateway.cpu-per-request",
            "CPU time that a request takes if it goes all the way, without that of the policies.";
        PAYLOAD: Bytes = "payload", "1KiB", Assumed, "as in the vendor's sizing guide",
            "What a request and its answer carry, for policies with cpu-per-kb.";
        POLICIES: Vec<Located<String>> = "policies", "", Inferred,
            "none; without any [[api]] all of the file",
            "Names of its policies, in the order in which they act.";
        UPSTREAM: String = "upstream", "", Inferred,
            "none, the gateway answers; without any [[api]] the only one of the file",
            "Name of the upstream that answers.";
        RESOURCES: u64 = "resources", "1", Assumed, "the simpler case",
            "Resources that a cache tells apart; those of all APIs are 1000000 at most.";
        POPULARITY: Skew = "popularity", "uniform", Assumed, "the worse case for a cache",
            "How often each resource is asked for.";
        CACHEABLE: Share = "cacheable", "", Assumed, "100% with a cache, else 0%",
            "Share of its requests that may be cached (GET and HEAD).";
        CONTRACTS: bool = "contracts", "", Inferred, "gateway.contracts",
            "Whether it needs contracts.";
    }
    policy "policy" {
        NAME: String = "name", "", Given, "", "Its name.";
        KIND: PolicyWord = "kind", "", Given, "", "What it does.";
        CPU: Span = "cpu", "0s", Inferred, "the tiers' ratings are with four light policies",
            "CPU time that it takes, beside that of the request.";
        CPU_PER_KB: Span = "cpu-per-kb", "0s", Inferred, "the same",
            "CPU time that it takes for each 1024 bytes of payload.";
        SPENT: Share = "spent", "20%", Assumed, "an early answer is cheap",
            "Share of the request's own CPU time that is spent when this policy has ended it.";
        ENTRIES: u64 = "entries", "10000", Documented, "policy HTTP Caching",
            "The most entries: of all replicas together if they share, else of each.";
        TTL: Span = "ttl", "600s", Documented, "policy HTTP Caching",
            "How long an entry counts.";
        SHARED: bool = "shared", "", Documented,
            "managed: the product page, replicas share it; self-managed: policy HTTP Caching",
            "Whether all replicas share one cache.";
        REPLICATION: u64 = "replication", "1", Assumed, "not published",
            "Copies of a shared entry beside the first, each with another replica.";
        PERSIST: bool = "persist", "false", Documented, "policy HTTP Caching",
            "Whether a new replica has what its predecessor cached (not if shared).";
        ALGORITHM: Counting = "algorithm", "fixed-window", Documented, "policy Rate Limiting",
            "How a rate limit counts.";
        QUOTAS: Vec<Located<String>> = "quotas", "", Given, "",
            "Several limits that all hold, such as [\"100/10s\", \"1000/1h\"].";
        LIMIT: u64 = "limit", "", Given, "", "Requests in a window.";
        WINDOW: Span = "window", "", Given, "", "Length of the window.";
        WINDOW_START: WindowStart = "window-start", "first-request", Documented,
            "policy Rate Limiting", "When windows start (fixed-window only).";
        RATE: Rate = "rate", "", Given, "", "Tokens that flow in (token-bucket only).";
        SIZE: u64 = "size", "", Assumed, "the tokens of a second",
            "Tokens that the bucket holds (token-bucket only).";
        SHARING: SharingKind = "sharing", "leases", Documented, "the rate-limiting library",
            "How replicas share a rate limit.";
        LEASE_FRACTION: Share = "lease-fraction", "10%", Documented, "the rate-limiting library",
            "Part of what is left that a replica takes at a time (leases only).";
        PER: Per = "per", "all", Inferred, "the simpler case",
            "Whose requests a limit counts together.";
        WHEN_UNKNOWN: Unknown = "when-unknown", "block", Documented, "policy Rate Limiting",
            "What becomes of requests while the shared storage cannot be reached.";
        STORAGE_LATENCY: Span = "storage-latency", "1ms", Assumed, "a call between replicas",
            "How long a replica waits for the shared storage.";
        DELAY: Span = "delay", "1s", Documented, "policy Spike Control",
            "From one try of a waiting request to the next (with queue only).";
        ATTEMPTS: u64 = "attempts", "1", Documented, "policy Spike Control",
            "Tries after the first, 1 to 1000 (with queue only).";
        QUEUE: u64 = "queue", "0", Documented, "policy Spike Control",
            "Requests over the limit that may wait in a replica; the others are rejected.";
    }
    upstream "upstream" {
        NAME: String = "name", "", Given, "", "Its name.";
        HOSTS: u64 = "hosts", "1", Assumed, "the simpler case",
            "Hosts that it runs on, 1 to 1000; each replica takes them in turn.";
        LATENCY: Law = "latency", "", Given, "", "How long a host works on a request.";
        PER_REQUEST: Span = "latency-per-request", "0s", Assumed, "a host that scales",
            "What each request that the host has already adds to that.";
        WORKERS: u64 = "workers", "", Assumed, "none: any number at once",
            "Requests that a host works on at once; more wait in order of arrival.";
        ERRORS: Share = "errors", "0%", Assumed, "the simpler case",
            "Share of the requests that it answers with an error.";
        IDLE_TIMEOUT: Span = "idle-timeout", "300s", Documented, "gateway documentation",
            "How long nothing may come from it before the replica gives 504, if that is shorter.";
        TIMEOUT: Span = "timeout", "15s", Documented, "gateway documentation",
            "How long a replica waits for its answer before it gives 504.";
        CANCELS: bool = "cancels", "false", Assumed, "servers mostly finish what they began",
            "Whether a host stops work that nobody waits for any more.";
        RETRIES: u64 = "retries", "0", Documented, "Envoy: none unless configured",
            "Further tries of a replica after an error, 0 to 100.";
        BREAKER: bool = "breaker", "false", Documented, "the gateway's is optional",
            "Whether each replica limits what it has under way (503 beyond).";
        CONNECTIONS: u64 = "connections", "1024", Documented, "Envoy's default",
            "Connections of a replica, hence its active requests (with breaker only).";
        PENDING: u64 = "pending", "1024", Documented, "Envoy's default",
            "Requests of a replica that wait for a connection (with breaker only).";
        REQUESTS: u64 = "requests", "1024", Documented, "Envoy's default",
            "Requests of a replica, active or waiting (with breaker only).";
        MAX_RETRIES: u64 = "max-retries", "3", Documented, "Envoy's default",
            "Retries of a replica that are under way (with breaker only).";
        OUTLIERS: bool = "outlier-detection", "false", Documented, "Envoy: only if configured",
            "Whether replicas avoid hosts that fail.";
        INTERVAL: Span = "interval", "10s", Documented, "Envoy's default",
            "Between two sweeps of outlier detection.";
        BASE_EJECTION: Span = "base-ejection", "30s", Documented, "Envoy's default",
            "How long the first ejection of a host lasts; the n-th n times as long.";
        MAX_EJECTION: Span = "max-ejection", "300s", Documented, "Envoy's default",
            "The longest ejection.";
        MAX_EJECTED: Share = "max-ejected", "10%", Documented,
            "Envoy's default; that one always may: Envoy up to 1.30",
            "Share of the hosts that may be out at once; one always may.";
        CONSECUTIVE: u64 = "consecutive-errors", "5", Documented, "Envoy's default",
            "Errors in a row that eject a host.";
        PANIC: Share = "panic", "50%", Documented, "Envoy's default",
            "With a smaller share of hosts in use, all are used; 0% = never.";
    }
    tls "tls" {
        AT: Termination = "at", "ingress", Documented, "CloudHub 2.0 networking guide",
            "Where TLS connections of clients end; \"replica\" is last-mile security.";
        INGRESS_CORES: Cores = "ingress-cores", "2", Assumed, "not published",
            "Cores that an ingress instance has for handshakes (at the ingress only).";
        CONNECTIONS: u64 = "connections", "100", Assumed, "a small fleet of clients",
            "Client connections open at any time (at the ingress only).";
        PER_CONNECTION: u64 = "requests-per-connection", "", Assumed, "connections never close",
            "Requests after which a connection closes (at the ingress only).";
        HANDSHAKE: Span = "handshake", "0.9ms", Inferred,
            "ECDSA P-256 in Runtime Fabric's tables: messages with and without reuse",
            "CPU time of a full handshake.";
        RESUMPTION: Span = "resumption", "0.1ms", Assumed, "no asymmetric cryptography",
            "CPU time of a handshake that resumes a session.";
        RESUMED: Share = "resumed", "0%", Assumed, "the worse case",
            "Share of the handshakes that resume a session.";
    }
}
