//! The section `[autoscaler]`.

use crate::autoscaler::average::AverageTarget;
use crate::autoscaler::behavior::{Behavior, PolicyUnit, Rules, ScalingPolicy, Select};
use crate::autoscaler::calculator::{CpuTarget, Tolerance};
use crate::autoscaler::controller::{AutoscalerSpec, Settings};
use crate::autoscaler::goals::MetricGoal;
use crate::autoscaler::pods::Care;
use crate::diagnostic::{Flaw, Problem};
use crate::plan::{Autoscaling, GATEWAY, RequestRate, Sidecar};
use crate::quantity;
use crate::scenario::reader::{Mark, Only, Parsed, Reader, SectionReader, TypedKey, keys};
use crate::scenario::section::gateway::{GatewayPart, REPLICA_LIMIT, Tier};
use crate::scenario::text::{Located, Value, ValueShape, words};
use crate::units::{Bytes, Cores, Rate, Share, Span};

words! {
    /// Whose policy an autoscaler follows.
    enum ScalePreset {
        CloudHub2 = "cloudhub-2", HelmChart = "helm-chart", Kubernetes = "kubernetes",
    }
    Select { Max = "max", Min = "min", Disabled = "disabled" }
}

const NEVER_GROWS: &str = "up-select = \"disabled\": it never grows";
const NEVER_SHRINKS: &str = "down-select = \"disabled\": it never shrinks";

/// What is of the CPU has no effect where that is no metric.
const MEASURED: Only = Only::Unless("target", &["\"none\""], "target = \"none\": CPU is no metric");

keys! { key "autoscaler" {
    PRESET: ScalePreset = "preset", "cloudhub-2", Assumed, "the product simulated",
        "Whose policy holds where nothing else is said.";
    MIN: u64 = "min", "", Assumed, "the preset", "The fewest replicas.";
    MAX: u64 = "max", "", Assumed, "the preset", "The most replicas.";
    TARGET: CpuGoal = "target", "", Assumed, "the preset",
        "CPU to hold, of what a replica requests; \"none\" = CPU is no metric.";
    MEMORY_TARGET: Share = "memory-target", "", Assumed, "memory is no metric",
        "Memory to hold, of what a replica requests (needs gateway.memory).";
    MEMORY_REQUEST: Bytes = "memory-request", "", Assumed, "the limit, gateway.memory",
        "Memory that a replica requests.", With(&["memory-target"]);
    REQUESTS: Rate = "requests-per-replica", "", Assumed, "requests are no metric",
        "Requests per second of each replica to hold (a metric of pods with averageValue).";
    REQUESTS_SCRAPE: Span = "requests-scrape", "1m", Documented, "Prometheus' scrape_interval",
        "Between two scrapes of a replica's requests by Prometheus.",
        With(&["requests-per-replica"]);
    REQUESTS_WINDOW: Span = "requests-window", "2m", Documented,
        "prometheus-adapter's configuration walkthrough",
        "Time over which the adapter takes the rate of requests.",
        With(&["requests-per-replica"]);
    TOLERANCE_UP: Share = "tolerance-up", "10%", Documented, "Kubernetes",
        "How far above the target nothing is added.";
    TOLERANCE_DOWN: Share = "tolerance-down", "10%", Documented, "Kubernetes",
        "How far below the target nothing is removed.";
    UP: Vec<Located<String>> = "scale-up", "", Assumed, "the preset",
        "The fastest growth, such as \"4 pods in 15s\" or \"100% in 180s\".",
        Unless("up-select", &["\"disabled\""], NEVER_GROWS);
    DOWN: Vec<Located<String>> = "scale-down", "", Documented, "Kubernetes: 100% in 15s",
        "The fastest shrinking.", Unless("down-select", &["\"disabled\""], NEVER_SHRINKS);
    UP_SELECT: Select = "up-select", "max", Documented, "Kubernetes",
        "Which of the policies for growth holds; \"disabled\" = it never grows.";
    DOWN_SELECT: Select = "down-select", "max", Documented, "Kubernetes",
        "Which of the policies for shrinking holds; \"disabled\" = it never shrinks.";
    UP_WINDOW: Span = "up-window", "", Documented, "Kubernetes: 0s",
        "How long a lower recommendation holds growth back.",
        Unless("up-select", &["\"disabled\""], NEVER_GROWS);
    DOWN_WINDOW: Span = "down-window", "", Assumed, "the preset",
        "How long a higher recommendation holds shrinking back.",
        Unless("down-select", &["\"disabled\""], NEVER_SHRINKS);
    CPU_REQUEST: Cores = "cpu-request", "", Assumed, "the limit",
        "CPU that the gateway's container requests, at most its cores; utilisation is of this.",
        MEASURED;
    SIDECAR_REQUEST: Cores = "sidecar-request", "", Assumed, "there is no sidecar",
        "CPU that a sidecar requests beside the gateway in each replica.", MEASURED;
    SIDECAR_USAGE: Cores = "sidecar-usage", "", Assumed, "none",
        "CPU that the sidecar uses at all times.", MEASURED;
    CONTAINER: bool = "container", "false", Documented,
        "Kubernetes: Resource, and not ContainerResource",
        "Whether the CPU of the gateway's container alone is measured (ContainerResource).",
        With(&["sidecar-request", "sidecar-usage"]), MEASURED;
    SYNC: Span = "sync", "15s", Documented, "kube-controller-manager",
        "Between two steps of the autoscaler.";
    RESOLUTION: Span = "resolution", "15s", Documented, "metrics-server's manifests",
        "Between two scrapes of the metrics-server.";
    KUBELET: Span = "kubelet", "10s", Documented, "the cluster autoscaler's FAQ",
        "Between two readings of a replica's CPU by its kubelet.";
    INITIALIZATION: Span = "initialization", "300s", Documented, "kube-controller-manager",
        "Age up to which a sample counts only if it began after the replica was ready.";
    INITIAL_READINESS: Span = "initial-readiness", "30s", Documented, "kube-controller-manager",
        "Age up to which a replica that is not ready is taken for one that never was.";
}}

const NONE: &str = "none";

/// What is demanded of the CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CpuGoal {
    /// This share of the request is in use.
    Share(Share),
    /// Nothing.
    None,
}

impl Value for CpuGoal {
    fn kind() -> String {
        format!("{} or {NONE:?}", Share::kind())
    }
    fn shape() -> ValueShape {
        ValueShape::Either(vec![Share::shape(), ValueShape::Words(vec![NONE])])
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        if text == NONE { Ok(CpuGoal::None) } else { Share::parse(text).map(CpuGoal::Share) }
    }
    fn show(&self) -> String {
        match self {
            CpuGoal::Share(share) => share.show(),
            CpuGoal::None => format!("{NONE:?}"),
        }
    }
}

/// What a preset says.
struct Defaults {
    min: u64,
    /// `None` = the file must say it.
    max: Option<u64>,
    target: Share,
    up: Option<&'static str>,
    down_window: Option<Span>,
    mark: Mark,
    source: &'static str,
}

impl Defaults {
    fn of(preset: ScalePreset) -> Defaults {
        let (min, max, target, mark, source) = match preset {
            // The vendor publishes its policy for applications, not for gateways.
            ScalePreset::CloudHub2 => {
                let source = "the policy that is published for applications on CloudHub 2.0";
                (2, Some(3), 0.7, Mark::Assumed, source)
            }
            ScalePreset::HelmChart => {
                let source = "the Helm chart of the self-managed gateway";
                (2, Some(11), 0.5, Mark::Documented, source)
            }
            ScalePreset::Kubernetes => (1, None, 0.8, Mark::Documented, "Kubernetes"),
        };
        let cloudhub = preset == ScalePreset::CloudHub2;
        let up = cloudhub.then_some("100% in 180s");
        let down_window = cloudhub.then(|| Span::from_secs(1_800.0));
        Defaults { min, max, target: Share(target), up, down_window, mark, source }
    }
}

/// Reads `[autoscaler]`. Without it there is none but that of the product: a managed Large or Extra
/// Large is sold with one, unless the file says how many replicas there are.
pub(crate) fn read(reader: &Reader<'_>, gateway: &GatewayPart) -> Option<Autoscaling> {
    let section = reader.section(&key::SPEC);
    let sold = gateway.sold_tier().is_some_and(Tier::scales) && !gateway.replicas.given;
    if !section.is_there() && !sold {
        return None;
    }
    let scales = gateway.tier.is_none_or(Tier::scales);
    if !scales {
        let title = "a small gateway does not scale: [autoscaler] has no effect";
        let help = "choose tier = \"large\" or \"xlarge\", or leave out [autoscaler]";
        section.warn(&section, title, help);
    }
    let defaults = Defaults::of(section.get(key::PRESET));
    let (min, max) = bounds(&section, gateway, &defaults);
    let (goals, memory_request) = goals(&section, gateway, &defaults);
    let behavior = behavior(&section, &defaults);
    let spec = AutoscalerSpec { min, max, goals, behavior, settings: Settings::default() };
    let autoscaling = Autoscaling {
        spec,
        request_milli: request(&section, gateway),
        sidecar: sidecar(&section),
        memory_request,
        request_rate: request_rate(&section),
        sync: clock(&section, key::SYNC),
        scrape: clock(&section, key::RESOLUTION),
        kubelet: clock(&section, key::KUBELET),
        settled: !gateway.replicas.given,
    };
    scales.then_some(autoscaling)
}

fn milli(cores: Cores) -> i64 {
    (cores.0 * 1e3).round() as i64
}

/// What the gateway's container requests.
fn request(section: &SectionReader<'_>, gateway: &GatewayPart) -> i64 {
    let cores = gateway.plan.cores;
    let request = section.get_or(key::CPU_REQUEST, cores, Mark::Assumed, "its limit");
    if request.value.0 > cores.0 {
        let help = format!(
            "its limit is {} (gateway.cores); what another container of the replica requests is \
             `sidecar-request`",
            cores.0
        );
        section.error(&request, "a replica cannot request more CPU than it has", help);
    }
    milli(request.value).max(1)
}

fn sidecar(section: &SectionReader<'_>) -> Option<Sidecar> {
    let request = section.find(key::SIDECAR_REQUEST);
    let usage = section.find(key::SIDECAR_USAGE);
    if request.is_none()
        && let Some(usage) = &usage
        && !section.get(key::CONTAINER)
    {
        let title = "a sidecar without a request blinds the autoscaler";
        let help = "write `sidecar-request`, or container = true to leave the sidecar out";
        section.warn(usage, title, help);
    }
    if request.is_none() && usage.is_none() {
        return None;
    }
    let request_milli = request.map(|request| milli(request.value).max(1));
    Some(Sidecar { request_milli, usage_milli: usage.map_or(0, |usage| milli(usage.value)) })
}

/// How requests are measured.
fn request_rate(section: &SectionReader<'_>) -> RequestRate {
    let scrape = clock(section, key::REQUESTS_SCRAPE);
    let window = section.parsed(key::REQUESTS_WINDOW);
    let least = scrape + scrape;
    if window.value < least {
        let title = "the adapter seldom finds two samples in its window";
        section.error(&window, title, format!("write `requests-window` = \"{least}\" or more"));
    }
    RequestRate { scrape, window: window.value }
}

fn tolerance(section: &SectionReader<'_>) -> Tolerance {
    Tolerance { up: section.get(key::TOLERANCE_UP).0, down: section.get(key::TOLERANCE_DOWN).0 }
}

/// The metrics to hold, CPU first, and the memory that a replica requests.
fn goals(
    section: &SectionReader<'_>,
    gateway: &GatewayPart,
    defaults: &Defaults,
) -> (Vec<MetricGoal>, Bytes) {
    let preset = CpuGoal::Share(defaults.target);
    let target = section.get_or(key::TARGET, preset, defaults.mark, defaults.source);
    let cpu = match target.value {
        CpuGoal::Share(share) => {
            let share = Parsed { value: share, place: target.place.clone(), given: target.given };
            let container = section.get(key::CONTAINER).then(|| GATEWAY.to_owned());
            Some(CpuTarget { container, ..utilisation(section, &share) })
        }
        CpuGoal::None => None,
    };
    let memory = section.find(key::MEMORY_TARGET);
    let limit = gateway.plan.memory.map(|memory| memory.limit);
    let limit_or_none = limit.unwrap_or_default();
    let memory_request = match memory {
        Some(_) => section.or(key::MEMORY_REQUEST, limit_or_none).value,
        None => limit_or_none,
    };
    if let (Some(memory), None) = (&memory, limit) {
        let help = "write gateway.memory and gateway.memory-per-request";
        section.error(memory, "nothing is known of the memory of a replica", help);
    }
    let memory = memory.map(|share| CpuTarget { of_memory: true, ..utilisation(section, &share) });
    let requests = section.find(key::REQUESTS).map(|rate| {
        let milli = (rate.value.0 * 1e3).round() as i64;
        if milli <= 0 {
            let help = "write a rate such as \"300/s\"";
            section.error(&rate, "a target of nothing cannot be held", help);
        }
        AverageTarget { milli: milli.max(1), tolerance: tolerance(section) }
    });
    if cpu.is_none() && memory.is_none() && requests.is_none() {
        let help = "write a share such as \"70%\", or `requests-per-replica` or `memory-target`";
        section.error(&target, "an autoscaler without a metric never acts", help);
    }
    let resources = [cpu, memory].into_iter().flatten().map(MetricGoal::Resource);
    (resources.chain(requests.map(MetricGoal::Requests)).collect(), memory_request)
}

/// A share of what is requested.
fn utilisation(section: &SectionReader<'_>, target: &Parsed<Share>) -> CpuTarget {
    let percent = target.value.0 * 100.0;
    if target.value.0 < 0.01 {
        let help = "write a percentage from \"1%\" to \"100%\"";
        section.error(target, "a target of nothing cannot be held", help);
    }
    if (percent - percent.round()).abs() > 1e-9 {
        let help = "Kubernetes takes whole percents only";
        section.error(target, "this target is no whole percentage", help);
    }
    CpuTarget {
        utilisation_pct: percent.round().max(1.0) as i32,
        tolerance: tolerance(section),
        container: None,
        of_memory: false,
        care: Care {
            initialization: section.get(key::INITIALIZATION),
            initial_readiness: section.get(key::INITIAL_READINESS),
        },
    }
}

fn bounds(section: &SectionReader<'_>, gateway: &GatewayPart, defaults: &Defaults) -> (i32, i32) {
    let count = |key, default| {
        let found = section.get_or(key, default, defaults.mark, defaults.source);
        section.within(key, 1..=REPLICA_LIMIT, found)
    };
    let min = count(key::MIN, defaults.min).value;
    let max = match defaults.max {
        Some(max) => count(key::MAX, max),
        None => {
            let example = "max = 5, because Kubernetes has no default for it";
            let found = section.require(key::MAX, example);
            let Some(found) = found else { return (min as i32, REPLICA_LIMIT as i32) };
            section.within(key::MAX, 1..=REPLICA_LIMIT, found)
        }
    };
    if min > max.value {
        let title = format!("the least of {min} is above the most of {}", max.value);
        section.error(&max, title, "write min and max in [autoscaler]");
    } else if !(min..=max.value).contains(&gateway.replicas.value) {
        let bounds =
            if min == max.value { min.to_string() } else { format!("{min} to {}", max.value) };
        let title = format!("the autoscaler allows {bounds} replicas");
        let problem = Problem::warning((&gateway.replicas).into(), title);
        section.note(problem.label("its first step corrects this"));
    }
    (min as i32, max.value as i32)
}

/// The time from one sync of the autoscaler to the next.
fn clock(section: &SectionReader<'_>, key: TypedKey<Span>) -> Span {
    let period = section.parsed(key);
    let least = Span::from_secs(1.0);
    if period.value < least {
        let help = "write \"1s\" or more; the usual values are 10s and 15s";
        section.error(&period, format!("`autoscaler.{}` is too short", key.name), help);
    }
    period.value.max(least)
}

/// How fast it goes; `None` = as Kubernetes does if nobody says anything of it.
fn behavior(section: &SectionReader<'_>, defaults: &Defaults) -> Option<Behavior> {
    let (lists, windows) = ([key::UP, key::DOWN], [key::UP_WINDOW, key::DOWN_WINDOW]);
    let selects = [key::UP_SELECT, key::DOWN_SELECT];
    let given = lists.iter().any(|key| section.has(key))
        || selects.iter().any(|key| section.has(key))
        || windows.iter().any(|key| section.has(key));
    let [up, down] = lists.map(|key| policies(section, key));
    let [up_select, down_select] = selects.map(|key| section.get(key));
    let [up_window, down_window] = windows.map(|key| section.find(key).map(|found| found.value));
    if !given && defaults.up.is_none() {
        return None;
    }
    if up_select == Select::Disabled && down_select == Select::Disabled {
        let help = "leave out `up-select` or `down-select`";
        let title = "an autoscaler that may neither grow nor shrink never acts";
        section.warn(section.key_place(&key::DOWN_SELECT), title, help);
    }
    let up = up.or_else(|| Some(vec![policy(defaults.up?)?]));
    let mut behavior = Behavior::default();
    behavior.up.policies = up.unwrap_or(behavior.up.policies);
    (behavior.up.select, behavior.down.select) = (up_select, down_select);
    behavior.up.window = up_window.or(behavior.up.window);
    behavior.down.policies = down.unwrap_or(Rules::down().policies);
    behavior.down.window = down_window.or(defaults.down_window);
    Some(behavior)
}

fn policies(
    section: &SectionReader<'_>,
    key: TypedKey<Vec<Located<String>>>,
) -> Option<Vec<ScalingPolicy>> {
    let list = section.find(key)?;
    let policies = section.each(&list.value, policy, |text| {
        Flaw::new(format!("{text:?} is no policy"))
            .help("write \"4 pods in 15s\" or \"100% in 180s\"")
    });
    if list.value.is_empty() {
        let help = "name at least one, such as \"100% in 15s\"";
        section.error(&list, format!("`autoscaler.{}` allows no change", key.name), help);
        return None;
    }
    Some(policies)
}

/// Reads `4 pods in 15s` or `100% in 180s`.
fn policy(text: &str) -> Option<ScalingPolicy> {
    let (change, period) = text.split_once(" in ")?;
    let period = quantity::span(period.trim()).ok().filter(|period| *period > Span::ZERO)?;
    let change = change.trim();
    let (number, unit) = match change.strip_suffix('%') {
        Some(number) => (number, PolicyUnit::Percent),
        None => (change.strip_suffix("pods").or(change.strip_suffix("pod"))?, PolicyUnit::Pods),
    };
    let value = number.trim().parse().ok().filter(|value| (1..=1_000_000).contains(value))?;
    Some(ScalingPolicy { unit, value, period })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read_as_they_are_written() {
        let seconds = Span::from_secs;
        let percent =
            ScalingPolicy { unit: PolicyUnit::Percent, value: 100, period: seconds(180.0) };
        let pods = ScalingPolicy { unit: PolicyUnit::Pods, value: 4, period: seconds(15.0) };
        assert_eq!(policy("100% in 180s"), Some(percent));
        assert_eq!(policy("4 pods in 15s"), Some(pods));
        for wrong in ["", "4 in 15s", "-1 pods in 15s", "4 pods in 0s", "4 pods", "1.5% in 3m"] {
            assert_eq!(policy(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_preset_has_policies_that_can_be_read() {
        for preset in [ScalePreset::CloudHub2, ScalePreset::HelmChart, ScalePreset::Kubernetes] {
            assert!(Defaults::of(preset).up.is_none_or(|text| policy(text).is_some()));
        }
    }
}
