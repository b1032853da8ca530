//! Pods as the autoscaler sees them, and the groups that it sorts them into.
//!
//! Source of the rules: `groupPods` in `replica_calculator.go`.

use crate::units::{Instant, Span};

/// The phase of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not all of its containers have started.
    Pending,
    /// Its containers run.
    Running,
    /// All ended well.
    Succeeded,
    /// One ended badly, or the pod was evicted.
    Failed,
}

/// The condition `Ready` of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Whether the pod is ready.
    pub ready: bool,
    /// Since when it is as it is.
    pub since: Instant,
}

/// A container of a pod. CPU is in milli-cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The CPU that it requests, if it says so.
    pub request_milli: Option<i64>,
    /// The CPU that it used over the sample's window; `None` = no sample.
    pub usage_milli: Option<i64>,
}

/// A pod that the autoscaler's selector matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its phase.
    pub phase: Phase,
    /// Whether it is being deleted.
    pub deleted: bool,
    /// When the kubelet started it; `None` = not yet.
    pub started: Option<Instant>,
    /// Its readiness; `None` = not known yet.
    pub readiness: Option<Readiness>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// End of the sample's window, and its length.
    pub sampled: (Instant, Span),
}

impl Pod {
    fn measured<'a>(
        &'a self,
        container: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Container> + 'a {
        self.containers.iter().filter(move |one| container.is_none_or(|name| one.name == name))
    }

    /// CPU used by the pod, or by one container of it; `None` unless all of these have a sample.
    pub fn usage_milli(&self, container: Option<&str>) -> Option<i64> {
        let mut samples = self.measured(container).map(|one| one.usage_milli).peekable();
        samples.peek()?;
        samples.sum()
    }

    /// CPU requested by the pod, or by one container of it; `None` unless all of these say so.
    pub fn request_milli(&self, container: Option<&str>) -> Option<i64> {
        let mut requests = self.measured(container).map(|one| one.request_milli).peekable();
        requests.peek()?;
        requests.sum()
    }
}

/// How long new pods are treated with care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Care {
    /// Time from its start in which a pod's sample counts only if its whole window lies after the
    /// pod became ready (`--horizontal-pod-autoscaler-cpu-initialization-period`).
    pub initialization: Span,
    /// A pod that is unready later than this after its start, and was so from the beginning, has
    /// never been ready (`--horizontal-pod-autoscaler-initial-readiness-delay`).
    pub initial_readiness: Span,
}

impl Default for Care {
    /// Kubernetes' own: 300 s and 30 s.
    fn default() -> Self {
        Care { initialization: Span::from_secs(300.0), initial_readiness: Span::from_secs(30.0) }
    }
}

/// What a pod counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodGroup {
    /// Its usage counts.
    Ready,
    /// It exists, but its usage says nothing: it counts as idle when that keeps others from being
    /// added.
    Unready,
    /// It should have a sample and has none.
    Missing,
    /// It is on its way out and counts for nothing.
    Ignored,
}

/// What a pod counts as where its readiness plays no part: by its phase, and whether it has a
/// figure.
pub fn group_by_phase(pod: &Pod) -> PodGroup {
    if pod.deleted || matches!(pod.phase, Phase::Failed | Phase::Succeeded) {
        PodGroup::Ignored
    } else if pod.phase == Phase::Pending {
        PodGroup::Unready
    } else if pod.usage_milli(None).is_none() {
        PodGroup::Missing
    } else {
        PodGroup::Ready
    }
}

/// What a pod counts as at `now`, if the CPU of `container` (`None` = of all) is measured.
pub fn group(pod: &Pod, container: Option<&str>, care: &Care, now: Instant) -> PodGroup {
    if pod.deleted || matches!(pod.phase, Phase::Failed | Phase::Succeeded) {
        return PodGroup::Ignored;
    }
    if pod.phase == Phase::Pending {
        return PodGroup::Unready;
    }
    if pod.usage_milli(container).is_none() {
        return PodGroup::Missing;
    }
    let (Some(started), Some(readiness)) = (pod.started, pod.readiness) else {
        return PodGroup::Unready;
    };
    let unready = if started + care.initialization > now {
        let (end, window) = pod.sampled;
        !readiness.ready || end < readiness.since + window
    } else {
        !readiness.ready && started + care.initial_readiness > readiness.since
    };
    if unready { PodGroup::Unready } else { PodGroup::Ready }
}
