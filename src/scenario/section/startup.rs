//! The sections `[startup]`, `[probes]` and `[detection]`.

use crate::diagnostic::Problem;
use crate::plan::{
    AfterCrash, Api, Backoff, Configuration, Contracts, ControlPlaneCall, Detection, Gate, Probe,
    ProbesAsk, Startup, Upstream,
};
use crate::random::Law;
use crate::scenario::reader::{Mark, Parsed, Reader, SectionReader, TypedKey, keys};
use crate::scenario::request::named::find;
use crate::scenario::section::gateway::{GatewayPart, Management};
use crate::scenario::text::words;
use crate::units::{Cores, Share, Span};

words! {
    /// Where a starting replica finds its configuration.
    enum Store { Local = "local", Download = "download", Cached = "cached" }
    /// What waits for contracts.
    enum GateKind { Replica = "replica", Api = "api" }
    AfterCrash { Replaced = "replaced", Restarted = "restarted" }
}

keys! { key "startup" {
    SCHEDULE: Law = "schedule", "uniform(0.1s, 1s)", Inferred, "Kubernetes' pod start target",
        "From the creation of a pod to its binding to a node.";
    SANDBOX: Law = "sandbox", "uniform(1s, 3s)", Inferred, "Kubernetes' pod start target",
        "Creation of the sandbox and its network.";
    IMAGE: Law = "image", "uniform(0s, 2s)", Inferred, "the image is mostly on the node",
        "Image pull.";
    BOOT: Law = "boot", "uniform(2s, 6s)", Assumed, "no boot time is published",
        "From the container's start until it can take its configuration.";
    BOOT_CPU: Cores = "boot-cpu", "", Assumed, "none",
        "CPU that a container uses while it boots.";
    AFTER_READY: Span = "after-ready", "", Assumed, "no time",
        "How long a process uses CPU beside requests once it is ready: compilation, caches.",
        With(&["after-ready-cpu"]);
    AFTER_READY_CPU: Cores = "after-ready-cpu", "", Assumed, "none",
        "CPU that it uses meanwhile, which requests lack.", With(&["after-ready"]);
    CONFIGURATION: Store = "configuration", "", Documented,
        "the product page: managed keeps it in the cluster, self-managed downloads it",
        "Where a starting replica finds its API configuration.";
    DOWNLOAD: Law = "download", "uniform(5s, 20s)", Assumed, "no duration is published",
        "A successful download of the configuration.", If("configuration", &["\"download\""]);
    DOWNLOAD_TIMEOUT: Span = "download-timeout", "10s", Assumed, "as for contracts",
        "When a download fails while the control plane is down.",
        If("configuration", &["\"download\""]);
    DOWNLOAD_BACKOFF: Span = "download-backoff", "15s", Assumed, "as for contracts",
        "Pause between a failed download and the next.", If("configuration", &["\"download\""]);
    FETCH: Law = "contract-fetch", "uniform(3s, 9s)", Inferred,
        "boot with contracts less boot without",
        "A successful download of the contracts.", If("gateway.contracts", &["true"]);
    FETCH_TIMEOUT: Span = "contract-timeout", "10s", Documented, "the contracts library",
        "When a download fails while the control plane is down.",
        If("gateway.contracts", &["true"]);
    FETCH_BACKOFF: Span = "contract-backoff", "15s", Documented, "the contracts library",
        "Pause between a failed download and the next.", If("gateway.contracts", &["true"]);
    POLL: Span = "contract-poll", "15s", Documented, "the contracts library",
        "How often a running replica refreshes its contracts.", If("gateway.contracts", &["true"]);
    GATE: GateKind = "contract-gate", "replica", Assumed,
        "the product page reads as the whole gateway",
        "What waits for contracts.", If("gateway.contracts", &["true"]);
    SHARE: Share = "contract-share", "100%", Assumed, "every API uses contracts",
        "Share of requests to APIs with contracts (gate \"api\" only).",
        If("gateway.contracts", &["true"]), If("contract-gate", &["\"api\""]);
}}

keys! { probes "probes" {
    STARTUP: bool = "startup", "false", Documented, "Helm chart: none",
        "Whether there is a start-up probe: liveness and readiness wait for its first success.";
    STARTUP_DELAY: Span = "startup-initial-delay", "0s", Documented, "Kubernetes",
        "From the container's start to the first start-up probe.", If("startup", &["true"]);
    STARTUP_PERIOD: Span = "startup-period", "10s", Documented, "Kubernetes",
        "Between start-up probes.", If("startup", &["true"]);
    STARTUP_TIMEOUT: Span = "startup-timeout", "1s", Documented, "Kubernetes",
        "When a start-up probe without an answer fails; a process that boots refuses it at once.",
        If("startup", &["true"]);
    STARTUP_FAILURES: u64 = "startup-failures", "3", Documented, "Kubernetes",
        "Failed start-up probes in a row after which a container that boots is killed.",
        If("startup", &["true"]);
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
    READINESS_ASKS: String = "readiness-asks", "", Documented, "Helm chart: the gateway alone",
        "Upstream that a readiness probe asks: all replicas leave rotation with it.";
    LIVENESS_ASKS: String = "liveness-asks", "", Documented, "Helm chart: the gateway alone",
        "Upstream that a liveness probe asks: all replicas are restarted with it.";
    CPU: Span = "cpu", "5ms", Assumed, "a probe starts a process",
        "CPU time that one probe takes (with compete only).", If("compete", &["true"]);
}}

keys! { detection "detection" {
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
}}

/// All probes.
pub(crate) struct Probes {
    startup: Option<Probe>,
    readiness: Probe,
    liveness: Probe,
    /// CPU time of one, if they compete for CPU.
    cpu: Option<Span>,
    asks: ProbesAsk,
}

/// Reads `[startup]`; `apis` are those of the file, which say one by one whether they need
/// contracts; `None` if it says nothing of APIs.
pub(crate) fn read(
    reader: &Reader<'_>,
    gateway: &GatewayPart,
    probes: &Probes,
    apis: Option<&[Api]>,
) -> Startup {
    let section = reader.section(&key::SPEC);
    Startup {
        schedule: section.get(key::SCHEDULE),
        sandbox: section.get(key::SANDBOX),
        image: section.get(key::IMAGE),
        boot: section.get(key::BOOT),
        boot_cpu: boot_cpu(&section, gateway),
        after_ready: after_ready(&section, gateway),
        configuration: configuration(&section, gateway.management),
        contracts: gateway.contracts.then(|| contracts(&section, apis)),
        probe: probes.startup,
        readiness: probes.readiness,
    }
}

/// CPU of a boot.
fn boot_cpu(section: &SectionReader<'_>, gateway: &GatewayPart) -> f64 {
    let (cores, found) = (gateway.plan.cores, section.find(key::BOOT_CPU));
    if let Some(beyond) = found.as_ref().filter(|found| found.value > cores) {
        let help = format!("a replica has {} (gateway.cores)", cores.0);
        section.error(beyond, "a boot uses more CPU than a replica has", help);
    }
    found.map_or(0.0, |found| found.value.0)
}

/// What a process that is ready does beside requests: for how long, and how much CPU it takes.
fn after_ready(section: &SectionReader<'_>, gateway: &GatewayPart) -> (Span, f64) {
    let (cores, lasts) = (gateway.plan.cores, section.find(key::AFTER_READY));
    let found = section.find(key::AFTER_READY_CPU);
    if let Some(all) = found.as_ref().filter(|found| found.value >= cores) {
        let help = format!("write less than the {} of a replica (gateway.cores)", cores.0);
        section.error(all, "no CPU is left for requests", help);
    }
    match (lasts, found) {
        (Some(lasts), Some(cpu)) => (lasts.value, cpu.value.0),
        _ => (Span::ZERO, 0.0),
    }
}

fn configuration(section: &SectionReader<'_>, management: Management) -> Configuration {
    let (default, source) = match management {
        Management::Managed => (Store::Local, "a managed gateway keeps it in the cluster"),
        Management::SelfManaged => (Store::Download, "a self-managed gateway downloads it"),
    };
    let store = section.get_or(key::CONFIGURATION, default, Mark::Documented, source);
    if store.value != Store::Download {
        return Configuration::Local;
    }
    Configuration::Download(ControlPlaneCall {
        duration: section.get(key::DOWNLOAD),
        timeout: section.get(key::DOWNLOAD_TIMEOUT),
        backoff: section.period(key::DOWNLOAD_BACKOFF).value,
    })
}

fn contracts(section: &SectionReader<'_>, apis: Option<&[Api]>) -> Contracts {
    let fetch = ControlPlaneCall {
        duration: section.get(key::FETCH),
        timeout: section.get(key::FETCH_TIMEOUT),
        backoff: section.period(key::FETCH_BACKOFF).value,
    };
    let poll = section.period(key::POLL).value;
    let gate = match section.get(key::GATE) {
        GateKind::Replica => Gate::Replica,
        GateKind::Api => Gate::Api(match apis {
            Some(apis) => {
                section.idle(&key::SHARE, "APIs say whether they need contracts");
                if apis.iter().any(|api| api.contracts) { Share::ONE } else { Share::ZERO }
            }
            None => section.get(key::SHARE),
        }),
    };
    Contracts { fetch, poll, gate }
}

/// Reads `[probes]`.
pub(crate) fn read_probes(
    reader: &Reader<'_>,
    gateway: &GatewayPart,
    upstreams: &[Upstream],
) -> Probes {
    use probes::*;
    let section = reader.section(&SPEC);
    let probe = |delay, period: &Parsed<Span>, timeout, failures| Probe {
        initial_delay: section.get(delay),
        period: period.value,
        timeout: section.get(timeout),
        failures: section.count(failures, 1..=10_000).value as u32,
    };
    let startup = section.get(STARTUP).then(|| {
        let period = section.period(STARTUP_PERIOD);
        probe(STARTUP_DELAY, &period, STARTUP_TIMEOUT, STARTUP_FAILURES)
    });
    let ready = pause(&section, READINESS_PERIOD);
    let live = pause(&section, LIVENESS_PERIOD);
    let readiness = probe(READINESS_DELAY, &ready, READINESS_TIMEOUT, READINESS_FAILURES);
    let liveness = probe(LIVENESS_DELAY, &live, LIVENESS_TIMEOUT, LIVENESS_FAILURES);
    let alone = gateway.plan.cores.0.min(1.0);
    let least = readiness.timeout.min(liveness.timeout);
    let cpu = probe_cpu(&section, [&ready, &live], Span::from_secs(least.as_secs() * alone));
    let asks = probes_ask(&section, upstreams);
    if asks != ProbesAsk::default() {
        need_periods(&section, [&ready, &live], "asks an upstream");
    }
    Probes { startup, readiness, liveness, cpu, asks }
}

/// The CPU time of a probe if probes compete for it; a replica without other work must have done
/// it within `least` of CPU time.
fn probe_cpu(
    section: &SectionReader<'_>,
    periods: [&Parsed<Span>; 2],
    least: Span,
) -> Option<Span> {
    if !section.get(probes::COMPETE) {
        return None;
    }
    need_periods(section, periods, "takes CPU");
    let cpu = section.parsed(probes::CPU);
    if cpu.value >= least {
        let title = "a probe takes longer than its timeout allows";
        let problem = Problem::error(cpu.place, title)
            .label(format!("an idle replica does less than {least} in the shorter timeout"))
            .help("lower `probes.cpu`, or raise the timeouts");
        section.note(problem);
    }
    Some(cpu.value)
}

/// Probes that do more than look at a process have a period.
fn need_periods(section: &SectionReader<'_>, periods: [&Parsed<Span>; 2], does: &str) {
    for period in periods.into_iter().filter(|period| period.value == Span::ZERO) {
        let problem = Problem::error(period.place.clone(), "nothing checks without a pause")
            .label(format!("where a probe {does} each must have a period"))
            .help("write a period such as \"10s\"");
        section.note(problem);
    }
}

/// The upstreams that probes ask.
fn probes_ask(section: &SectionReader<'_>, upstreams: &[Upstream]) -> ProbesAsk {
    let names: Vec<_> = upstreams.iter().map(|one| one.name.as_str()).collect();
    let asked = |key: TypedKey<String>, effect: &str| {
        let Parsed { value, place, .. } = section.find(key)?;
        let asked = find(section, &value, place.clone(), "upstream", &names)?;
        let title = format!("{effect} when upstream {value:?} fails");
        section.warn(place, title, "let the probe ask for its own replica only: leave this out");
        Some(asked)
    };
    ProbesAsk {
        readiness: asked(probes::READINESS_ASKS, "all replicas leave rotation together"),
        liveness: asked(probes::LIVENESS_ASKS, "all replicas are restarted together"),
    }
}

/// The period of a probe: zero or not tiny.
fn pause(section: &SectionReader<'_>, key: TypedKey<Span>) -> Parsed<Span> {
    let period = section.parsed(key);
    if period.value > Span::ZERO {
        section.not_tiny(&key, &period);
    }
    period
}

/// Reads `[detection]`.
pub(crate) fn read_detection(reader: &Reader<'_>, probes: &Probes) -> Detection {
    use detection::*;
    let section = reader.section(&SPEC);
    let lease = section.period(LEASE);
    let node_grace = section.parsed(NODE_GRACE);
    if node_grace.value <= lease.value {
        let at = if node_grace.given { &node_grace } else { &lease };
        let title = "healthy nodes would be declared not ready between two renewals";
        section.error(at, title, "`detection.node-grace` must exceed `detection.lease`");
    }
    let (first, limit) = (section.parsed(BACKOFF), section.parsed(BACKOFF_LIMIT));
    if limit.value < first.value {
        let at = if limit.given { &limit } else { &first };
        let help = "`detection.backoff-limit` must be at least `detection.backoff`";
        section.error(at, "the longest back-off is shorter than the first", help);
    }
    let reset = section.get(BACKOFF_RESET);
    Detection {
        crash: section.get(CRASH),
        liveness: probes.liveness,
        probe_cpu: probes.cpu,
        asks: probes.asks,
        grace: section.get(GRACE),
        after_crash: section.get(AFTER_CRASH),
        backoff: Backoff { first: first.value, limit: limit.value, reset },
        lease: lease.value,
        node_grace: node_grace.value,
        monitor: section.period(MONITOR).value,
        toleration: section.get(TOLERATION),
    }
}
