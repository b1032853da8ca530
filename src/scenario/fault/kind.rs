//! The kinds of faults, and the keys that a fault may have.

use crate::diagnostic::{Flaw, Place, Problem};
use crate::plan::{
    Dependencies, Down, Fault, Gray, Heeded, LostMetrics, Notice, Policy, PolicyKind, Release,
    Starts,
};
use crate::policy::limit::Sharing;
use crate::random::Law;
use crate::scenario::fault::target::FaultReader;
use crate::scenario::fault::typical::Every;
use crate::scenario::reader::{Only, Parsed, SectionReader, keys};
use crate::scenario::text::word::{choice, unknown};
use crate::scenario::text::{Value, ValueShape, words};
use crate::units::{Share, Span};

words! {
    /// Who heeds the notice of a shutdown.
    enum HeededBy { Handler = "handler", Kubelet = "kubelet", Nobody = "nobody" }
}

words! {
    LostMetrics { All = "all", Resource = "resource", Custom = "custom" }
    Starts { Well = "well", Crashes = "crashes", NeverReady = "never-ready" }
}

const SERVES: Only =
    Only::Unless("starts", &["\"crashes\"", "\"never-ready\""], "it never takes a request");

keys! { key "fault" list {
    NAME: String = "name", "", Inferred, "its kind",
        "The name by which objectives and reports speak of it.";
    KIND: &'static FaultKind = "kind", "", Given, "", "What goes wrong.";
    AT: Span = "at", "", Given, "", "When it is injected, once.";
    EVERY: Every = "every", "", Given, "",
        "Or: the time from coming up to failing, anew for each thing that the target covers; \
         \"typical\" takes what is known or assumed of the kind, and its `for`.";
    AFTER: String = "after", "", Given, "",
        "Or: the name of another fault, with which it is injected each time that this strikes.";
    DELAY: Law = "delay", "0s", Inferred, "both at once",
        "How much later than that, drawn each time.", With(&["after"]);
    REGION: String = "region", "", Given, "",
        "The region that it strikes, where there are several.";
    FOR: Law = "for", "", Given, "", "How long it lasts, unless a replacement ends it.";
    PART: Share = "share", "100%", Inferred, "the whole zone",
        "Share of a zone's nodes that an outage takes, those with replicas first.";
    CPU: Share = "cpu", "", Given, "", "Share of its CPU that a slow replica keeps.";
    SILENT: bool = "silent", "false", Assumed, "a stopped process refuses",
        "Whether a host that is down is silent instead of refusing (upstream-outage only).";
    FACTOR: f64 = "factor", "", Given, "",
        "How many times as long a slow upstream takes (upstream-slow only).";
    METRICS: LostMetrics = "metrics", "all", Inferred, "the autoscaler sees nothing",
        "Which metrics are lost: of CPU and memory (metrics-server), custom ones (the adapter of \
         Prometheus), or all (metrics-outage only).";
    WORK: f64 = "work", "1", Inferred, "as before",
        "How many times the CPU time a request takes, in the new version or meanwhile (rollout and \
         gray-failure only; of a gray failure below 1 only with `failing`).", SERVES;
    FAILING: Share = "failing", "0%", Inferred, "as before",
        "Share of the requests that replicas answer with an error of their own, 500, in the new \
         version or meanwhile (rollout and gray-failure only).", SERVES;
    STARTS: Starts = "starts", "well", Inferred, "as before",
        "What becomes of containers of the new version: they crash at each start, or run and are \
         never ready (rollout only).";
    AFFECTED: Share = "affected", "100%", Inferred, "all of them",
        "Share of the new replicas that are so, each by chance (rollout only).",
        With(&["work", "failing", "starts"]);
    BACK_AFTER: Span = "roll-back-after", "", Assumed, "nobody does it",
        "From the start of a rollout until it is rolled back, if it is not over or the version is \
         not as before (rollout only).";
    NOTICE: Span = "notice", "", Given, "",
        "How long before a node is taken away that is told: 2m for spot instances of AWS, 30s of \
         Google Cloud and Azure (node-shutdown only).";
    HEEDED: HeededBy = "heeded-by", "nobody", Documented, "Kubernetes: shutdownGracePeriod is 0",
        "Who does something about it: a termination handler drains the node, the kubelet ends its \
         pods (as GKE has it), or nobody (node-shutdown only).";
    GRACE: Span = "shutdown-grace", "15s", Documented, "GKE: 30 s, 15 s of it for critical pods",
        "The most time that the kubelet gives each pod then: shutdownGracePeriod less that of \
         critical pods (node-shutdown only).", If("heeded-by", &["\"kubelet\""]);
    TARGET: String = "target", "any", Inferred, "one at random, or the only one",
        "\"any\", \"all\", \"zone b\", \"same zone\" (with `after`), a replica (\"b-1\"), an \
         ingress instance (\"2\"), an upstream (\"orders\"), its host (\"orders/2\") or a client \
         (\"3\").";
} instead {
    "zone": "target = \"zone b\"", "replica": "target = \"b-1\"", "duration": "for = \"10m\"",
    "mtbf": "every = \"exponential(30d)\"", "follows": "after = \"NAME\"",
}}

/// A kind of fault.
pub struct FaultKind {
    /// What a file calls it.
    pub word: &'static str,
    /// How long it lasts.
    pub(crate) lasts: Lasts,
    /// What its target names.
    pub(crate) target: Aim,
    /// The keys that it alone has.
    pub keys: &'static [&'static str],
    /// Makes it.
    pub(crate) build: Build,
}

/// How long a fault lasts.
pub(crate) enum Lasts {
    /// As long as `for` says.
    For,
    /// As long as `for` says; without it, for good.
    Optional,
    /// As long as `for` says; without it, as long as an emptied machine is away.
    Emptied,
    /// Until something ends it, so there is no `for`.
    Until(&'static str),
}

/// What a target names.
pub(crate) enum Aim {
    /// One of several at random unless it says more.
    Any,
    /// An upstream or a host of it.
    Host,
    /// A client.
    Client,
    /// A zone; all of them unless it says more.
    Everywhere,
    /// There is nothing to choose from.
    Nothing(&'static str),
}

use Aim::{Any, Client, Everywhere, Host, Nothing};
use Lasts::{Emptied, For, Optional, Until};

const REPLACED: Lasts = Until("it ends when the replica is replaced or restarted");
const REGION_AS_A_WHOLE: &str = "it concerns the region as a whole";
const CLUSTER: Aim = Nothing("it concerns the cluster as a whole");

const OF_RELEASE: &[&str] = &["work", "failing", "starts", "affected", "roll-back-after"];

const ALL_REPLICAS: Aim = Nothing("it concerns all replicas; replica-slow has a target");

const OF_SHUTDOWN: &[&str] = &["notice", "heeded-by", "shutdown-grace"];

const CACHES: Aim = Nothing("it empties every cache");

/// What makes a fault of what is written; nothing if that is not sound.
type Build = fn(&FaultReader<'_>) -> Option<Fault>;

const fn kind(
    word: &'static str,
    lasts: Lasts,
    target: Aim,
    keys: &'static [&'static str],
    build: Build,
) -> FaultKind {
    FaultKind { word, lasts, target, keys, build }
}

/// Every kind, in the order of the reference.
pub static KINDS: [FaultKind; 23] = [
    kind("replica-crash", REPLACED, Any, &[], |fault| Some(Fault::ReplicaCrash(fault.replica()))),
    kind("replica-hang", REPLACED, Any, &[], |fault| Some(Fault::ReplicaHang(fault.replica()))),
    kind("replica-slow", For, Any, &["cpu"], |fault| {
        let cpu = slow_cpu(fault);
        Some(Fault::ReplicaSlow(fault.replica(), cpu, fault.duration.clone()))
    }),
    kind("gray-failure", For, ALL_REPLICAS, &["work", "failing"], gray_failure),
    kind("zone-outage", For, Any, &["share"], |fault| {
        let (part, zone, lasts) = (part(fault), fault.zone(), fault.duration.clone());
        Some(match part {
            Some(part) => Fault::PartialOutage(zone, part, lasts),
            None => Fault::ZoneOutage(zone, lasts),
        })
    }),
    kind("control-plane-outage", For, Nothing("there is one control plane"), &[], |fault| {
        Some(Fault::ControlPlaneOutage(fault.duration.clone()))
    }),
    kind("metrics-outage", For, Nothing("there is one autoscaler"), &["metrics"], metrics_outage),
    kind("ingress-loss", For, Any, &[], |fault| {
        Some(Fault::IngressLoss(fault.instance(), fault.duration.clone()))
    }),
    kind("node-loss", Optional, Any, &[], |fault| {
        let lasts = (fault.duration != Law::ZERO).then(|| fault.duration.clone());
        Some(Fault::NodeLoss(fault.replica(), lasts))
    }),
    kind("node-shutdown", Optional, Any, OF_SHUTDOWN, node_shutdown),
    kind("provisioning-outage", For, Everywhere, &[], provisioning_outage),
    kind("api-server-outage", For, Nothing("there is one API server"), &[], |fault| {
        Some(Fault::ApiServerOutage(fault.duration.clone()))
    }),
    kind("rollout", Until("it ends when every replica is replaced"), CLUSTER, OF_RELEASE, rollout),
    kind("drain-node", Emptied, Any, &[], |fault| {
        Some(Fault::DrainNode(fault.replica(), fault.duration.clone()))
    }),
    kind("maintenance", Emptied, CLUSTER, &[], |fault| {
        Some(Fault::Maintenance(fault.duration.clone()))
    }),
    kind("upstream-outage", For, Host, &["silent"], |fault| {
        let silent = fault.section.get(key::SILENT);
        let down = if silent { Down::Silent } else { Down::Refuses };
        Some(Fault::UpstreamOutage(fault.hosts()?, down, fault.duration.clone()))
    }),
    kind("upstream-slow", For, Host, &["factor"], upstream_slow),
    kind("storage-outage", For, Nothing("replicas share one storage"), &[], storage_outage),
    kind(
        "contract-revoked",
        Until("a contract is revoked for good"),
        Client,
        &[],
        contract_revoked,
    ),
    kind("region-outage", For, Nothing(REGION_AS_A_WHOLE), &[], |fault| {
        Some(Fault::RegionOutage(fault.duration.clone()))
    }),
    kind("planned-failover", For, Nothing(REGION_AS_A_WHOLE), &[], |fault| {
        Some(Fault::PlannedFailover(fault.duration.clone()))
    }),
    kind("traffic-manager-outage", For, Nothing("there is one traffic manager"), &[], |fault| {
        Some(Fault::ManagerFrozen(fault.duration.clone()))
    }),
    kind("cache-purge", Until("caches fill again by themselves"), CACHES, &[], cache_purge),
];

impl FaultKind {
    /// The kinds that alone have this key.
    pub(crate) fn with_key(key: &str) -> Vec<&'static str> {
        KINDS.iter().filter(|kind| kind.keys.contains(&key)).map(|kind| kind.word).collect()
    }
}

fn words() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.word).collect()
}

impl Value for &'static FaultKind {
    fn kind() -> String {
        choice(&words())
    }
    fn shape() -> ValueShape {
        ValueShape::Words(words())
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        let found = KINDS.iter().find(|kind| kind.word == text);
        found.ok_or_else(|| unknown(text, &words()))
    }
    fn show(&self) -> String {
        format!("\"{}\"", self.word)
    }
}

/// The CPU that a slow replica keeps.
fn slow_cpu(fault: &FaultReader<'_>) -> Share {
    let found = fault.section.require(key::CPU, "cpu = \"30%\"");
    if let Some(whole) = found.as_ref().filter(|found| found.value == Share::ONE) {
        let help = "write a smaller share; \"0%\" pauses it";
        fault.section.error(whole, "a replica with 100% of its CPU is not slow", help);
    }
    found.map_or(Share::ZERO, |found| found.value)
}

/// The share of a zone's nodes that an outage takes, if not all.
fn part(fault: &FaultReader<'_>) -> Option<Share> {
    let part = fault.section.parsed(key::PART);
    if part.value == Share::ZERO {
        let help = "write a share above \"0%\"";
        fault.section.error(&part, "an outage of no nodes is none", help);
    } else if part.value < Share::ONE && fault.targets.nodes.per_zone.is_none() {
        let help = "write per-zone = 3 in [nodes]";
        fault.section.error(&part, "a share of the nodes needs their number", help);
    }
    (part.value < Share::ONE).then_some(part.value)
}

/// How many times the CPU time a request takes.
fn work(section: &SectionReader<'_>) -> Parsed<f64> {
    let work = section.parsed(key::WORK);
    if work.value == 0.0 {
        section.error(&work, "a request always takes CPU time", "write 2 for twice as much");
    }
    work
}

/// Replicas that pass for healthy and are not.
fn gray_failure(fault: &FaultReader<'_>) -> Option<Fault> {
    let section = fault.section;
    let (work, failing) = (work(section), section.parsed(key::FAILING));
    // Of what cannot be read that has been said, and nothing follows from it.
    let whole = Place::from(section);
    let is_read = |given: bool, place: &Place| !given || *place != whole;
    let are_read = is_read(work.given, &work.place) && is_read(failing.given, &failing.place);
    let none_fails = failing.value == Share::ZERO && are_read;
    if none_fails && work.value == 1.0 {
        let help = "write failing = \"30%\" or work = 3";
        section.error(section, "a gray failure in which nothing differs is none", help);
    } else if none_fails && 0.0 < work.value && work.value < 1.0 {
        let title = "a gray failure that makes requests cheaper and fails none is none";
        let help = "write work above 1, or failing as well: errors may be cheap";
        section.error(&work, title, help);
    }
    let gray = Gray { work: work.value, failing: failing.value };
    Some(Fault::GrayFailure(gray, fault.duration.clone()))
}

/// A rollout, and the version that it brings.
fn rollout(fault: &FaultReader<'_>) -> Option<Fault> {
    let section = fault.section;
    let work = work(section).value;
    let affected = section.parsed(key::AFFECTED);
    if affected.value == Share::ZERO {
        let help = "write a share above \"0%\"";
        section.error(&affected, "a version with no replica that differs is as before", help);
    }
    let back_after = section.find(key::BACK_AFTER);
    if let Some(at_once) = back_after.as_ref().filter(|found| found.value == Span::ZERO) {
        let help = "write how long somebody needs to see that it is bad";
        section.error(at_once, "a rollout that is rolled back at once brings nothing", help);
    }
    Some(Fault::Rollout(Release {
        work,
        failing: section.get(key::FAILING),
        starts: section.get(key::STARTS),
        affected: affected.value,
        back_after: back_after.map(|found| found.value),
    }))
}

/// A node that is taken away after a notice.
fn node_shutdown(fault: &FaultReader<'_>) -> Option<Fault> {
    let section = fault.section;
    let notice = section.require(key::NOTICE, "notice = \"2m\"");
    let heeded = section.get(key::HEEDED);
    let grace = section.parsed(key::GRACE);
    let heeded = match heeded {
        HeededBy::Handler => Heeded::Handler,
        HeededBy::Kubelet => Heeded::Kubelet(grace.value),
        HeededBy::Nobody => Heeded::Nobody,
    };
    let ahead = notice?.value;
    if grace.given && grace.value > ahead {
        let help = format!("the node is gone after {ahead}");
        section.warn(&grace, "no pod is given that much time", help);
    }
    let lasts = section.has(&key::FOR).then(|| fault.duration.clone());
    Some(Fault::NodeShutdown(fault.replica(), Notice { ahead, heeded }, lasts))
}

fn provisioning_outage(fault: &FaultReader<'_>) -> Option<Fault> {
    if fault.targets.nodes.provisioning.is_none() {
        let title = "an outage of what nobody provides";
        let problem = Problem::warning(fault.section.into(), title);
        let help = "write per-zone and provisioner in [nodes]";
        fault.section.note(problem.label("no node is ever added").help(help));
    }
    Some(Fault::ProvisioningOutage(fault.supply(), fault.duration.clone()))
}

/// Metrics that the autoscaler is not given.
fn metrics_outage(fault: &FaultReader<'_>) -> Option<Fault> {
    let lost = fault.section.get(key::METRICS);
    let goals = fault.targets.goals;
    let asks = goals.iter().any(|goal| lost.takes(goal));
    if fault.targets.sound && !asks {
        let problem = Problem::warning(fault.section.into(), "an outage of what nobody asks");
        let (label, help) = match (fault.targets.scales, goals.is_empty()) {
            (false, _) => ("a small gateway does not scale", "choose a larger gateway.tier"),
            (_, true) => {
                ("there is no autoscaler", "write [autoscaler], or leave out gateway.replicas")
            }
            (_, false) => ("the autoscaler has other metrics", "write metrics = \"all\""),
        };
        fault.section.note(problem.label(label).help(help));
    }
    Some(Fault::MetricsOutage(lost, fault.duration.clone()))
}

/// Hosts that take longer.
fn upstream_slow(fault: &FaultReader<'_>) -> Option<Fault> {
    let factor = fault.section.require(key::FACTOR, "factor = 10");
    let hosts = fault.hosts();
    let factor = factor?;
    if factor.value <= 1.0 {
        let help = "write how many times as long it takes, such as 10";
        fault.section.error(&factor, "this upstream is not slow", help);
    }
    Some(Fault::UpstreamSlow(hosts?, factor.value, fault.duration.clone()))
}

/// The storage that nobody reaches.
fn storage_outage(fault: &FaultReader<'_>) -> Option<Fault> {
    let targets = fault.targets;
    if targets.sound && !asks_storage(targets.dependencies) {
        let problem = Problem::warning(fault.section.into(), "an outage of what nobody asks");
        let help = "write a [[policy]] of kind \"rate-limit\" that is not \"per-replica\"";
        fault.section.note(problem.label("no limit is shared by replicas").help(help));
    }
    Some(Fault::StorageOutage(fault.duration.clone()))
}

/// Whether an API has a limit that replicas share.
fn asks_storage(others: &Dependencies) -> bool {
    let used = others.apis.iter().flat_map(|api| &api.policies);
    used.map(|index| &others.policies[*index].kind).any(|kind| match kind {
        PolicyKind::Limit { spec, .. } => spec.sharing != Sharing::PerReplica,
        _ => false,
    })
}

/// Caches that are emptied.
fn cache_purge(fault: &FaultReader<'_>) -> Option<Fault> {
    let targets = fault.targets;
    let caches = |policy: &Policy| matches!(policy.kind, PolicyKind::Cache(_));
    if targets.sound && !targets.dependencies.policies.iter().any(caches) {
        let help = "write a [[policy]] of kind \"cache\"";
        fault.section.error(fault.section, "no API of this scenario has a cache", help);
    }
    Some(Fault::CachePurge)
}

/// A contract that ends.
fn contract_revoked(fault: &FaultReader<'_>) -> Option<Fault> {
    let targets = fault.targets;
    let needed = targets.dependencies.apis.iter().any(|api| api.contracts);
    if targets.sound && !(targets.contracts && needed) {
        let help = match targets.contracts {
            true => "write [clients] with count = 10, or an [[api]] with contracts = true",
            false => "write contracts = true in [gateway], and count = 10 in [clients]",
        };
        fault.section.error(fault.section, "no API of this scenario has contracts", help);
    }
    fault.client().map(Fault::ContractRevoked)
}
