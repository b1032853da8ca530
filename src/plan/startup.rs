//! The phases that a new replica passes through.

use crate::random::Law;
use crate::units::{SECOND, Share, Span};

/// The share of boots that a start-up probe should allow.
const MOST: f64 = 0.99;

/// The phases of a new replica, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Startup {
    /// From the creation of the pod to its binding to a node.
    pub schedule: Law,
    /// Creation of the pod's sandbox and network.
    pub sandbox: Law,
    /// Image pull.
    pub image: Law,
    /// From the container's start until the process can take its configuration.
    pub boot: Law,
    /// CPU that its container uses meanwhile; at most what a replica has.
    pub boot_cpu: f64,
    /// For how long a process uses CPU beside its requests once it is ready, and how much, which is
    /// less than a replica has.
    pub after_ready: (Span, f64),
    /// Where the API configuration comes from.
    pub configuration: Configuration,
    /// Contracts, if the APIs use them.
    pub contracts: Option<Contracts>,
    /// The start-up probe, if the container has one: liveness and readiness wait for its first
    /// success.
    pub probe: Option<Probe>,
    /// The readiness probe.
    pub readiness: Probe,
}

impl Startup {
    /// Whether a start takes CPU beside that of requests.
    pub fn takes_cpu(&self) -> bool {
        self.boot_cpu > 0.0 || self.after_ready.1 > 0.0
    }
}

/// A replica that, just become ready, has less CPU for requests than its share of the load takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StarvedStart {
    /// Cores that are left to requests, …
    pub left: f64,
    /// … cores that they take at the peak, …
    pub needs: f64,
    /// … and for how long.
    pub lasts: Span,
}

impl StarvedStart {
    /// What comes of it.
    pub fn message(&self) -> String {
        let StarvedStart { left, needs, lasts } = self;
        format!(
            "a replica that has become ready has {left:.2} cores for requests for {lasts}, and its \
             share of the peak load takes {needs:.2}: they wait in it until that is over"
        )
    }

    /// What would prevent it.
    pub fn remedy(&self) -> &'static str {
        "lower startup.after-ready-cpu, or write balancing = \"least-request\" in [ingress]"
    }
}

/// Where a starting replica finds its API configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Configuration {
    /// In the cluster (managed gateway; a cache filled by an earlier replica): read during boot.
    Local,
    /// From the control plane, at every start.
    Download(ControlPlaneCall),
}

/// A fetch from the control plane, repeated until it succeeds.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlPlaneCall {
    /// Duration of a successful fetch.
    pub duration: Law,
    /// An attempt while the control plane is down fails after this time.
    pub timeout: Span,
    /// Pause between a failed attempt and the next.
    pub backoff: Span,
}

/// Contracts and what waits for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Contracts {
    /// How they are fetched at start.
    pub fetch: ControlPlaneCall,
    /// How often a running replica refreshes them; a failed refresh keeps the last ones.
    pub poll: Span,
    /// What a replica without contracts may do.
    pub gate: Gate,
}

/// What waits for contracts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// The whole replica: it does not become ready without them.
    Replica,
    /// Only the APIs that use contracts, which are this share of the requests: they are refused
    /// until the contracts are there.
    Api(Share),
}

/// A kubelet probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// From the container's start to the first probe.
    pub initial_delay: Span,
    /// Between probes; zero = checked continuously.
    pub period: Span,
    /// A probe without an answer fails after this time.
    pub timeout: Span,
    /// Failures in a row that count.
    pub failures: u32,
}

impl Probe {
    /// A probe of which nothing is said.
    pub const KUBERNETES: Probe = Probe {
        initial_delay: Span::ZERO,
        period: Span(10 * SECOND),
        timeout: Span(SECOND),
        failures: 3,
    };

    /// From the container's start until the last probe of so many failures in a row as count, if
    /// each fails at once.
    pub fn patience(&self) -> Span {
        self.initial_delay + self.period * u64::from(self.failures.max(1) - 1)
    }
}

/// A boot that may last longer than the probes of its container allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowBoot {
    /// Whether a start-up probe kills it; else liveness does.
    by_startup: bool,
    /// The longest that is allowed.
    longest: Span,
    /// Of a hundred boots one is shorter than this, …
    least: Span,
    /// … they last so long in the mean, …
    mean: Span,
    /// … and 99 in 100 at most.
    most: Span,
    /// Failures of a start-up probe in a row that would allow these.
    failures: u64,
}

impl SlowBoot {
    /// The boot, if more than one in a hundred lasts longer than the probes allow.
    pub(super) fn of(startup: &Startup, liveness: &Probe) -> Option<SlowBoot> {
        let probe = startup.probe.unwrap_or(Probe::KUBERNETES);
        let longest = startup.probe.as_ref().unwrap_or(liveness).patience();
        let mean = Span::from_secs(startup.boot.mean_secs());
        let least = Span::from_secs(startup.boot.quantile_secs(1.0 - MOST));
        let most = Span::from_secs(startup.boot.quantile_secs(MOST));
        let late = Span(most.0.saturating_sub(probe.initial_delay.0));
        let failures = late.0.div_ceil(probe.period.0.max(1)) + 1;
        let by_startup = startup.probe.is_some();
        let slow = SlowBoot { by_startup, longest, least, mean, most, failures };
        (most > longest).then_some(slow)
    }

    /// What kills it, and after how long.
    pub fn title(&self) -> String {
        let probe = if self.by_startup { "start-up" } else { "liveness" };
        format!("the {probe} probe kills a container that boots for more than {}", self.longest)
    }

    /// How long it takes.
    pub fn takes(&self) -> String {
        format!("a boot takes {} in the mean, 99 % of them at most {}", self.mean, self.most)
    }

    /// What comes of it.
    pub fn effect(&self) -> &'static str {
        match self.least > self.longest {
            true => {
                "replicas that are added, replaced or restarted are killed again and again; those \
                 that run from the beginning are up already"
            }
            false => {
                "replicas that are added, replaced or restarted may be killed and boot again; \
                 those that run from the beginning are up already"
            }
        }
    }

    /// What would allow it.
    pub fn remedy(&self) -> String {
        match self.by_startup {
            true => format!("raise probes.startup-failures to {}", self.failures),
            false => format!(
                "give the container a start-up probe: startup = true and startup-failures = {} in \
                 [probes]",
                self.failures
            ),
        }
    }
}
