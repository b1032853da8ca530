//! Words of others: what people who know Kubernetes, Envoy, k6, Terraform or AWS write, and what it
//! is called here. Suggestions ask this table before they look for a word that is spelt alike.

/// Values, kinds of faults, figures, commands and options by the words of others. Of several that
/// are meant the first that fits where the word stands is suggested.
#[rustfmt::skip]
static WORDS: &[(&[&str], &[&str])] = &[
    // Kinds of faults, and failure modes of plans.
    (&["zone-loss", "zone-failure", "zone-down", "az-loss", "az-outage", "az-failure", "az-down",
       "availability-zone-outage", "availability-zone-failure"], &["zone-outage", "zone-loss"]),
    (&["crash", "kill", "pod-crash", "pod-kill", "pod-failure", "pod-loss", "pod-delete", "oom",
       "container-crash", "container-kill", "process-crash", "replica-failure", "replica-loss",
       "replica-kill", "instance-failure"], &["replica-crash", "replica-loss"]),
    (&["hang", "freeze", "deadlock", "pod-hang"], &["replica-hang"]),
    (&["slow", "pod-slow", "cpu-stress", "cpu-hog", "pod-cpu-hog", "noisy-neighbour",
       "noisy-neighbor"], &["replica-slow"]),
    (&["node-failure", "node-crash", "node-down", "node-outage", "machine-loss", "server-loss",
       "host-failure", "host-loss", "instance-loss", "vm-loss"], &["node-loss"]),
    (&["spot-interruption", "spot-termination", "spot-reclaim", "spot-notice", "preemption",
       "node-termination"], &["node-shutdown"]),
    (&["drain", "node-drain", "cordon"], &["drain-node"]),
    (&["deploy", "deployment", "rolling-update", "rolling-restart", "rolling-upgrade", "release",
       "bad-release", "canary", "redeploy"], &["rollout"]),
    (&["node-upgrade", "cluster-upgrade", "patching", "upgrade"], &["maintenance"]),
    (&["control-plane-loss", "control-plane-failure", "control-plane-down", "platform-outage"],
     &["control-plane-outage", "control-plane-loss"]),
    (&["ingress-failure", "ingress-crash", "ingress-outage", "load-balancer-failure",
       "load-balancer-loss", "lb-failure", "lb-loss"], &["ingress-loss"]),
    (&["upstream-failure", "upstream-loss", "upstream-down", "backend-outage", "backend-failure",
       "backend-down", "dependency-outage", "abort"], &["upstream-outage"]),
    (&["upstream-latency", "slow-upstream", "backend-slow", "backend-latency", "latency", "delay"],
     &["upstream-slow"]),
    (&["region-loss", "region-failure", "region-down"], &["region-outage", "region-loss"]),
    (&["switchover", "failover", "failover-drill"], &["planned-failover"]),
    (&["dns-outage", "dns-failure", "route53-outage"], &["traffic-manager-outage"]),
    (&["redis-outage", "storage-loss", "storage-failure"], &["storage-outage"]),
    (&["cache-flush", "flush-cache", "cache-clear", "cold-cache"], &["cache-purge"]),
    (&["grey-failure", "partial-failure", "error-injection"], &["gray-failure"]),
    (&["capacity-outage", "insufficient-capacity", "launch-outage", "no-launches"],
     &["provisioning-outage"]),
    (&["apiserver-outage", "kube-apiserver-outage", "api-server-down"], &["api-server-outage"]),
    (&["metrics-server-outage", "prometheus-outage"], &["metrics-outage"]),
    // Figures of objectives.
    (&["latency", "response-time", "rtt", "duration", "ttfb", "http-req-duration"], &["p99"]),
    (&["median", "med"], &["p50"]),
    (&["max", "maximum", "worst"], &["greatest"]),
    (&["avg", "average", "mean-latency"], &["mean"]),
    (&["uptime", "success", "success-rate", "sla"], &["availability"]),
    (&["errors", "error-rate", "error-ratio", "failure-rate", "fail-rate", "http-req-failed"],
     &["failed"]),
    (&["mttr", "ttr", "time-to-recover", "recovery-time", "downtime"], &["recovery"]),
    (&["utilization", "utilisation", "cpu-utilization", "cpu-usage"], &["cpu"]),
    (&["rejections", "rejection-rate", "rate-limited"], &["rejected"]),
    (&["recovery-time-objective", "failover-time"], &["rto"]),
    (&["recovery-point", "recovery-point-objective", "data-loss"], &["rpo"]),
    (&["metastable"], &["stuck"]),
    // Values.
    (&["s"], &["small"]),
    (&["l"], &["large"]),
    (&["xl", "x-large", "extra-large", "extralarge"], &["xlarge"]),
    (&["self-hosted", "connected", "local-mode"], &["self-managed"]),
    (&["cloudhub", "ch2"], &["cloudhub-2"]),
    (&["rtf"], &["runtime-fabric"]),
    (&["rr"], &["round-robin"]),
    (&["least-conn", "least-connections", "leastconn", "least-outstanding-requests", "p2c"],
     &["least-request"]),
    (&["ip-hash", "consistent-hash", "ring-hash", "maglev"], &["hash"]),
    (&["sticky", "sticky-session", "session-affinity", "affinity"], &["cookie"]),
    (&["keep-alive"], &["per-connection"]),
    (&["linear", "ramp-up", "increase"], &["ramp"]),
    (&["jump"], &["step"]),
    (&["burst", "peak", "surge"], &["spike"]),
    (&["arrival-rate", "constant-arrival-rate", "ramping-arrival-rate", "open-loop"], &["open"]),
    (&["vus", "constant-vus", "ramping-vus", "closed-loop"], &["closed"]),
    (&["rate-limiting", "ratelimit", "throttle", "quota"], &["rate-limit"]),
    (&["spike-arrest"], &["spike-control"]),
    (&["http-caching", "caching"], &["cache"]),
    (&["auth", "authn", "jwt", "oauth", "oauth2", "client-id-enforcement"], &["authentication"]),
    (&["leaky-bucket"], &["token-bucket"]),
    (&["cas"], &["cluster-autoscaler"]),
    (&["passthrough", "pass-through"], &["passes-through"]),
    (&["termination", "offload"], &["terminates"]),
    (&["blackhole", "silent"], &["drops"]),
    (&["rst", "reject", "refused"], &["refuses"]),
    (&["geo", "geolocation", "geoproximity", "latency-based"], &["nearest"]),
    (&["global-accelerator"], &["anycast"]),
    (&["primary", "main"], &["active"]),
    (&["constant", "uniform", "fixed"], &["deterministic"]),
    (&["markov", "exponential"], &["poisson"]),
    (&["normal", "gaussian", "pareto"], &["log-normal"]),
    (&["fixed", "const"], &["constant"]),
    (&["exp"], &["exponential"]),
    // Commands.
    (&["simulate", "sim", "start", "execute"], &["run"]),
    (&["validate", "lint", "verify", "test"], &["check"]),
    (&["new", "create", "template", "scaffold", "example"], &["init"]),
    (&["diff", "vs", "versus"], &["compare"]),
    (&["grid", "matrix", "scan"], &["sweep"]),
    (&["size", "sizing", "capacity", "recommend"], &["plan"]),
    (&["nines", "sla", "slo", "reliability", "year"], &["availability"]),
    (&["replay", "reproduce", "repeat"], &["rerun"]),
    (&["glossary", "define", "describe", "docs"], &["explain"]),
    (&["catalogue", "catalog", "sizes", "tier"], &["tiers"]),
    (&["completion"], &["completions"]),
    (&["json-schema"], &["schema"]),
    (&["manual", "manpage"], &["man"]),
    (&["join", "combine", "collect"], &["merge"]),
    (&["k8s", "kube"], &["kubernetes"]),
    (&["hq"], &["hyperqueue"]),
    // Options.
    (&["--reps", "--runs", "--repetitions", "--iterations"], &["--replications"]),
    (&["--threads", "--workers", "--parallel", "--cores", "--cpus"], &["--jobs"]),
    (&["--out", "--outdir", "--output-dir", "--dir"], &["--output"]),
    (&["--overwrite"], &["--force"]),
    (&["--silent"], &["--quiet"]),
    (&["--random-seed", "--rng"], &["--seed"]),
    (&["--no-plots", "--no-plot", "--no-graphs"], &["--no-charts"]),
    (&["--param", "--override", "--var", "--env", "-D"], &["--set"]),
    (&["--slo"], &["--target"]),
    (&["--cost", "--price"], &["--prices"]),
];

/// Settings by the words of others: paths, or sections by their headers. Of several those of the
/// section in which the word stands are meant, if there are any, else all.
#[rustfmt::skip]
static SETTINGS: &[(&[&str], &[&str])] = &[
    (&["rps", "qps", "tps", "requests-per-second", "req-rate", "request-rate", "arrival-rate",
       "throughput", "target-rps"], &["traffic.rate"]),
    (&["vus", "virtual-users", "concurrency"], &["clients.users"]),
    (&["think-time", "sleep"], &["clients.think"]),
    (&["duration", "run-duration", "test-duration", "simulation-time"],
     &["run.horizon", "fault.for"]),
    (&["warmup-time", "burn-in"], &["run.warm-up"]),
    (&["runs", "reps", "repetitions", "iterations"], &["run.replications"]),
    (&["random-seed", "rng-seed"], &["run.seed"]),
    (&["slo", "slos", "sla", "slas", "thresholds", "assertions", "goals"], &["objectives"]),
    (&["description", "title", "summary"], &["question"]),
    (&["min-replicas", "min-replica-count", "min-pods", "min-size", "min-capacity",
       "replicas-min"], &["autoscaler.min"]),
    (&["max-replicas", "max-replica-count", "max-pods", "max-size", "max-capacity",
       "replicas-max"], &["autoscaler.max"]),
    (&["replica-count", "desired-capacity", "desired-replicas", "num-replicas", "pods",
       "instance-count", "instances", "nodes-count"], &["gateway.replicas"]),
    (&["target-cpu", "cpu-target", "target-utilization", "target-cpu-utilization",
       "target-cpu-utilization-percentage", "average-utilization", "cpu-utilization"],
     &["autoscaler.target"]),
    (&["target-memory", "target-memory-utilization", "target-memory-utilization-percentage"],
     &["autoscaler.memory-target"]),
    (&["cooldown", "cooldown-period", "scale-down-delay", "stabilization-window-seconds",
       "scale-down-stabilization", "stabilization-window"], &["autoscaler.down-window"]),
    (&["scale-up-policies", "scale-up-policy"], &["autoscaler.scale-up"]),
    (&["scale-down-policies", "scale-down-policy"], &["autoscaler.scale-down"]),
    (&["cpus", "vcpu", "vcpus", "cpu-limit", "cpu-limits", "millicores", "cpu"],
     &["gateway.cores"]),
    (&["cpu-requests"], &["autoscaler.cpu-request"]),
    (&["memory-limit", "mem", "mem-limit", "ram"], &["gateway.memory"]),
    (&["service-time", "cpu-time", "request-cost", "cost-per-request"],
     &["gateway.cpu-per-request"]),
    (&["sku", "instance-type", "size"], &["gateway.tier"]),
    (&["version", "release"], &["gateway.catalogue"]),
    (&["az", "azs", "availability-zones", "zone-names"], &["topology.zones"]),
    (&["topology-spread-constraints", "when-unsatisfiable"], &["topology.spread"]),
    (&["lb-policy", "load-balancing", "load-balancer-policy", "load-balancing-algorithm"],
     &["ingress.balancing"]),
    (&["timeout", "request-timeout", "timeout-seconds"],
     &["clients.timeout", "ingress.read-timeout", "upstream.timeout"]),
    (&["proxy-read-timeout", "response-timeout"], &["ingress.read-timeout", "upstream.timeout"]),
    (&["proxy-connect-timeout"], &["ingress.connect-timeout"]),
    (&["per-try-timeout"], &["upstream.try-timeout"]),
    (&["num-retries", "retry-count", "proxy-next-upstream-tries"],
     &["ingress.retries", "upstream.retries"]),
    (&["proxy-next-upstream", "retry-conditions"], &["ingress.retry-on"]),
    (&["max-retries"], &["clients.attempts", "ingress.retries"]),
    (&["circuit-breaker", "circuit-breakers"], &["upstream.breaker"]),
    (&["max-pending-requests"], &["upstream.pending"]),
    (&["consecutive-5xx"], &["ingress.consecutive-errors", "upstream.consecutive-errors"]),
    (&["base-ejection-time"], &["ingress.base-ejection", "upstream.base-ejection"]),
    (&["max-ejection-percent"], &["ingress.max-ejected", "upstream.max-ejected"]),
    (&["healthcheck", "health-check-interval"], &["ingress.health-check"]),
    (&["max-surge"], &["upgrade.surge"]),
    (&["max-unavailable"], &["upgrade.unavailable", "upgrade.disruption-budget"]),
    (&["min-ready-seconds"], &["upgrade.min-ready"]),
    (&["progress-deadline-seconds"], &["upgrade.progress-deadline"]),
    (&["pdb", "pod-disruption-budget"], &["upgrade.disruption-budget"]),
    (&["initial-delay", "initial-delay-seconds"],
     &["probes.readiness-initial-delay", "probes.liveness-initial-delay"]),
    (&["period-seconds"], &["probes.readiness-period", "probes.liveness-period"]),
    (&["failure-threshold"], &["probes.readiness-failures", "probes.liveness-failures"]),
    (&["termination-grace-period", "termination-grace-period-seconds", "grace-period"],
     &["detection.grace"]),
    (&["pre-stop", "prestop", "drain-time"], &["termination.drain"]),
    (&["boot-time", "startup-time", "start-time", "cold-start"], &["startup.boot"]),
    (&["image-pull", "pull-time"], &["startup.image"]),
    (&["access-log", "replay-file", "trace", "recording"], &["traffic.replay"]),
    (&["node-count", "nodes-per-zone"], &["nodes.per-zone"]),
    (&["mtbf", "mttf", "interval", "frequency"], &["fault.every"]),
    (&["mttr", "lasts", "length"], &["fault.for"]),
    (&["type"], &["fault.kind", "policy.kind", "traffic.change.kind"]),
    (&["start", "time", "when"], &["fault.at"]),
    (&["stages", "ramp"], &["[[traffic.change]]"]),
    (&["hpa", "horizontal-pod-autoscaler", "scaling", "autoscaling", "autoscale"],
     &["[autoscaler]"]),
    (&["load-balancer", "lb", "router", "alb"], &["[ingress]"]),
    (&["backend", "backends", "service", "services", "upstreams"], &["[[upstream]]"]),
    (&["faults", "failure", "failures", "outage", "outages", "chaos", "incident", "incidents",
       "events"], &["[[fault]]"]),
    (&["apis", "route", "routes", "endpoints"], &["[[api]]"]),
    (&["policies", "plugins", "filters"], &["[[policy]]"]),
    (&["simulation", "experiment", "options"], &["[run]"]),
    (&["client", "users", "consumers"], &["[clients]"]),
    (&["load", "workload"], &["[traffic]"]),
    (&["regions"], &["[[region]]"]),
    (&["dns", "traffic-manager", "route53", "gslb", "global-load-balancer"], &["[global]"]),
];

/// A word as words are written here: `minReplicas` and `min_replicas` are `min-replicas`.
pub fn written_here(word: &str) -> String {
    let chars: Vec<char> = word.trim().chars().collect();
    let mut text = String::new();
    for (at, c) in chars.iter().copied().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let next = chars.get(at + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || (before.is_uppercase() && next.is_some_and(|next| next.is_lowercase()))
            });
        match c {
            '_' | ' ' => text.push('-'),
            _ if begins => text.extend(std::iter::once('-').chain(c.to_lowercase())),
            _ => text.extend(c.to_lowercase()),
        }
    }
    text
}

/// Which of the candidates a word of others means: one that is the same but for the way of writing,
/// or one that the table names.
pub fn meant<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = written_here(word);
    let among = |wanted: &str| candidates.iter().copied().find(|one| *one == wanted);
    among(&word).or_else(|| {
        let rows = WORDS.iter().filter(|(others, _)| others.contains(&word.as_str()));
        rows.flat_map(|(_, ours)| *ours).find_map(|ours| among(ours))
    })
}

/// The settings that a word of others means: paths, and headers of sections.
pub fn settings(word: &str) -> &'static [&'static str] {
    let word = written_here(word);
    let row = SETTINGS.iter().find(|(others, _)| others.contains(&word.as_str()));
    row.map_or(&[], |(_, ours)| *ours)
}

/// What the table of settings leads to.
#[cfg(test)]
pub(crate) fn all_settings() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().flat_map(|(_, ours)| ours.iter().copied())
}

/// What the table of other words leads to.
#[cfg(test)]
pub(crate) fn all_words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().flat_map(|(_, ours)| ours.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_every_way_of_writing() {
        for (word, here) in [
            ("minReplicas", "min-replicas"),
            ("min_replicas", "min-replicas"),
            ("targetCPUUtilizationPercentage", "target-cpu-utilization-percentage"),
            ("Zone Loss", "zone-loss"),
            ("RPS", "rps"),
            ("p99.9", "p99.9"),
        ] {
            assert_eq!(written_here(word), here);
        }
    }

    #[test]
    fn a_word_means_what_fits_where_it_stands() {
        let faults = ["zone-outage", "upstream-slow"];
        assert_eq!(meant("zone-loss", &faults), Some("zone-outage"));
        assert_eq!(meant("latency", &faults), Some("upstream-slow"));
        assert_eq!(meant("latency", &["p50", "p99"]), Some("p99"));
        assert_eq!(meant("latency", &["small"]), None);
        assert_eq!(settings("maxReplicas"), ["autoscaler.max"]);
        assert_eq!(settings("nonsense"), [""; 0]);
    }

    #[test]
    fn no_word_stands_twice_in_the_table_of_settings() {
        let mut words: Vec<_> = SETTINGS.iter().flat_map(|(others, _)| *others).collect();
        words.sort_unstable();
        let twice: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert!(words.iter().all(|word| written_here(word) == **word));
    }
}
