//! Where the sources of defaults can be read: the one table of words and addresses.
//!
//! A source is a few words beside a default, such as `Helm chart`. What of them can be read in
//! public has its address here; what is worked out or assumed has none. Pages that are replaced by
//! those of the next release are named by the revision that was read.

/// Words of a source, a part of the setting's path that tells apart what is said in the same words
/// (empty where nothing needs to), and the address. The first that fits is taken.
const ADDRESSES: &[(&str, &str, &str)] = &[
    // The product.
    ("gateway prerequisites page", "", PREREQUISITES),
    ("product page", "", PRODUCT),
    ("the product's least number", "", PRODUCT),
    ("replicas are spread evenly", "", PRODUCT),
    ("the product: up to", "", DISASTERS),
    ("Helm chart and gateway documentation", "", PROBES_OF_CHART),
    ("Helm chart of the self-managed gateway", "", HA_OF_CHART),
    ("Helm chart", "probes.", PROBES_OF_CHART),
    ("gateway documentation", "upstream.", TIMEOUTS),
    ("policy HTTP Caching", "", "https://docs.mulesoft.com/api-manager/latest/http-caching-policy"),
    ("policy Rate Limiting", "", RATE_LIMITING),
    ("policy Spike Control", "", SPIKE_CONTROL),
    ("the rate-limiting library", "", "https://crates.io/crates/pdk-rate-limit-lib"),
    ("the contracts library", "", "https://crates.io/crates/pdk-contracts-lib"),
    ("the vendor's sizing guide", "", "https://docs.mulesoft.com/gateway/latest/flex-sizing-guide"),
    // The platform.
    ("CloudHub 2.0 private spaces", "", "https://docs.mulesoft.com/cloudhub-2/ps-config-advanced"),
    ("CloudHub 2.0 networking guide", "", NETWORKING),
    ("applications on CloudHub 2.0", "", SCALING_OF_APPLICATIONS),
    ("CloudHub 2.0 moves 30 %", "", RESTARTS),
    // Kubernetes.
    ("kube-controller-manager", "", CONTROLLER_MANAGER),
    ("nodes a second", "", "https://kubernetes.io/docs/concepts/architecture/nodes/"),
    ("node heartbeats", "", "https://kubernetes.io/docs/concepts/architecture/nodes/"),
    ("cpuCFSQuotaPeriod", "", KUBELET),
    ("shutdownGracePeriod", "", NODE_SHUTDOWN),
    ("progressDeadlineSeconds", "", DEPLOYMENT),
    ("minReadySeconds", "", DEPLOYMENT),
    ("unhealthyPodEvictionPolicy", "", DISRUPTION_BUDGET),
    ("kubectl drain", "", DRAIN),
    ("adds it to every pod", "", TAINTS),
    ("termination grace period", "", POD_LIFECYCLE),
    ("trafficDistribution", "", "https://kubernetes.io/docs/concepts/services-networking/service/"),
    ("Kubernetes", "probes.", PROBES),
    ("Kubernetes", "detection.backoff", POD_LIFECYCLE),
    ("Kubernetes", "topology.", SPREAD),
    ("Kubernetes", "autoscaler.", AUTOSCALER),
    ("Kubernetes", "upgrade.", DEPLOYMENT),
    ("metrics-server's manifests", "", METRICS_SERVER),
    ("the cluster autoscaler's FAQ", "", CLUSTER_AUTOSCALER),
    ("prometheus-adapter's configuration walkthrough", "", ADAPTER),
    // Proxies.
    ("Envoy", "ejection", OUTLIERS),
    ("Envoy", "ejected", OUTLIERS),
    ("Envoy", "outlier", OUTLIERS),
    ("Envoy", "always-eject-one", OUTLIERS),
    ("Envoy", "consecutive-errors", OUTLIERS),
    ("Envoy", "upstream.interval", OUTLIERS),
    ("Envoy", "admission-", ADMISSION),
    ("Envoy", "shed-", OVERLOAD),
    ("Envoy's idle_timeout", "", PROTOCOL),
    ("Envoy's max_connection_duration", "", PROTOCOL),
    ("Envoy", "retry-budget", BREAKERS),
    ("Envoy", "upstream.connections", BREAKERS),
    ("Envoy", "upstream.pending", BREAKERS),
    ("Envoy", "upstream.requests", BREAKERS),
    ("Envoy", "upstream.max-retries", BREAKERS),
    ("Envoy: hedge_policy", "", ROUTES),
    ("Envoy: per_try_timeout", "", ROUTES),
    ("AWS target groups", "", TARGET_GROUPS),
    // What faults are known by.
    ("EC2 launched nothing", "", "https://aws.amazon.com/message/101925/"),
];

const PRODUCT: &str = "https://docs.mulesoft.com/gateway/latest/flex-architecture-managed-dr-ha";
const PREREQUISITES: &str = "https://github.com/mulesoft/docs-gateway/blob/\
    2c085442b24f00fbe4fe6f50aa93531f16435714/gateway/1.13/modules/ROOT/pages/\
    review-prerequisites.adoc";
const DISASTERS: &str = "https://docs.mulesoft.com/cloudhub-2/ch2-ha-dr";
const PROBES_OF_CHART: &str = "https://github.com/mulesoft/docs-gateway/blob/\
    dfca345f13c7701284596fe7d1ad71989f115ddc/gateway/1.13/modules/ROOT/pages/_partials/\
    task-config-readiness-liveness.adoc";
const HA_OF_CHART: &str =
    "https://docs.mulesoft.com/gateway/latest/flex-gateway-k8-high-availability";
const TIMEOUTS: &str = "https://github.com/mulesoft/docs-gateway/blob/\
    5a484638b69df978028e7c4405f0bdf3f7977b54/gateway/1.13/modules/ROOT/pages/_partials/\
    timeout-configuration.adoc";
const RATE_LIMITING: &str =
    "https://docs.mulesoft.com/gateway/latest/policies-included-rate-limiting";
const SPIKE_CONTROL: &str =
    "https://docs.mulesoft.com/gateway/latest/policies-included-spike-control";
const NETWORKING: &str = "https://docs.mulesoft.com/cloudhub-2/ch2-networking-guide";
const SCALING_OF_APPLICATIONS: &str =
    "https://docs.mulesoft.com/cloudhub-2/ch2-configure-horizontal-autoscaling";
const RESTARTS: &str = "https://docs.mulesoft.com/cloudhub-2/ch2-understand-app-restart";
const CONTROLLER_MANAGER: &str = "https://kubernetes.io/docs/reference/\
    command-line-tools-reference/kube-controller-manager/";
const KUBELET: &str = "https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/";
const NODE_SHUTDOWN: &str =
    "https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/";
const DEPLOYMENT: &str = "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/";
const DISRUPTION_BUDGET: &str = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/";
const DRAIN: &str = "https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/";
const TAINTS: &str =
    "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/";
const POD_LIFECYCLE: &str = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/";
const PROBES: &str = "https://kubernetes.io/docs/tasks/configure-pod-container/\
    configure-liveness-readiness-startup-probes/";
const SPREAD: &str =
    "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/";
const AUTOSCALER: &str =
    "https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/";
const METRICS_SERVER: &str = "https://github.com/kubernetes-sigs/metrics-server/blob/\
    2efcd9fe23d41e20660d06eaf15619db25b900ed/manifests/base/deployment.yaml";
const CLUSTER_AUTOSCALER: &str =
    "https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md";
const ADAPTER: &str = "https://github.com/kubernetes-sigs/prometheus-adapter/blob/master/\
    docs/config-walkthrough.md";
const OUTLIERS: &str = "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/\
    outlier_detection.proto";
const BREAKERS: &str = "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/\
    circuit_breaker.proto";
const ADMISSION: &str = "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/\
    http_filters/admission_control_filter";
const OVERLOAD: &str = "https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/\
    overload_manager/overload_manager";
const PROTOCOL: &str =
    "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto";
const ROUTES: &str = "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/\
    route_components.proto";
const TARGET_GROUPS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/\
    application/target-group-health-checks.html";

/// Where the source of a default can be read, if it can: of the setting at a path, such as
/// `probes.liveness-period`, with this source.
pub fn address(path: &str, source: &str) -> Option<&'static str> {
    // Of a list its elements have the same sources.
    let path: String = path.split('[').map(|part| part.trim_start_matches(is_index)).collect();
    let fits =
        |(words, part, _): &&(&str, &str, &str)| source.contains(words) && path.contains(part);
    ADDRESSES.iter().find(fits).map(|(.., address)| *address)
}

fn is_index(c: char) -> bool {
    c.is_ascii_digit() || c == ']'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fault::typical::TYPICAL;
    use crate::scenario::keys::reference;

    /// Sources that presets put in the place of those of the table.
    const OF_PRESETS: [(&str, &str); 2] = [
        ("autoscaler.min", "the policy that is published for applications on CloudHub 2.0"),
        ("autoscaler.min", "the Helm chart of the self-managed gateway"),
    ];

    #[test]
    fn elements_of_lists_have_the_sources_of_their_key() {
        let default = "Envoy's default";
        assert_eq!(address("upstream[2].interval", default), Some(OUTLIERS));
        assert_eq!(address("region.us-west-2.upstream[1].pending", default), Some(BREAKERS));
        assert_eq!(address("gateway.tier", default), None);
    }

    #[test]
    fn every_address_is_used_and_none_has_a_blank() {
        let path = |section: &str, name: &str| format!("{section}.{name}");
        let settings = reference().map(|key| (path(key.section, key.name), key.source));
        let faults = TYPICAL.iter().map(|one| (one.kind.to_owned(), one.source));
        let presets = OF_PRESETS.map(|(path, source)| (path.to_owned(), source));
        let all: Vec<_> = settings.chain(faults).chain(presets).collect();
        for (words, part, url) in ADDRESSES {
            assert!(url.starts_with("https://") && !url.contains(char::is_whitespace), "{url}");
            let used = all.iter().any(|(path, source)| {
                let fits = |(words, part, _): &&(&str, &str, &str)| {
                    source.contains(words) && path.contains(part)
                };
                let first = ADDRESSES.iter().find(fits);
                first.is_some_and(|(w, p, _)| (w, p) == (words, part))
            });
            assert!(used, "no default comes from {words:?} ({part:?})");
        }
    }
}
