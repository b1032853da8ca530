//! How many replicas a target utilisation asks for.
//!
//! ```text
//! ratio = utilisation / target, over the ready pods
//!   nobody missing, nobody unready that matters ─► inside tolerance: as it is,
//!                                                  else ⌈ratio · ready⌉
//!   else fill in: missing at least as its request when shrinking, idle when growing; unready idle
//!        when growing; the ratio anew ─► inside tolerance or turned round: as it is,
//!                                        else ⌈ratio' · pods with a figure⌉, never the other way
//! ```
//!
//! Source: `GetResourceReplicas` in `replica_calculator.go`. The utilisation is truncated to whole
//! percents, and the product is rounded up as a float.

use std::fmt;

use super::pods::{Care, Pod, PodGroup, group, group_by_phase};
use crate::units::Instant;

/// How far from a target nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// How far above the target the ratio may lie without growing: 0.1 for 10 %.
    pub up: f64,
    /// How far below it may lie without shrinking.
    pub down: f64,
}

impl Tolerance {
    pub(super) fn holds(self, ratio: f64) -> bool {
        debug_assert!(self.up >= 0.0 && self.down >= 0.0, "{self:?}");
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

impl Default for Tolerance {
    /// Kubernetes' own: 10 %.
    fn default() -> Self {
        Tolerance { up: 0.1, down: 0.1 }
    }
}

/// What is demanded of the CPU, or of the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuTarget {
    /// The utilisation to hold, in percent of the request.
    pub utilisation_pct: i32,
    /// How far from it nothing is changed.
    pub tolerance: Tolerance,
    /// The container measured; `None` = all of the pod.
    pub container: Option<String>,
    /// Whether it is memory that is measured, where readiness plays no part.
    pub of_memory: bool,
    /// How new pods are treated.
    pub care: Care,
}

impl CpuTarget {
    /// This utilisation, with Kubernetes' own tolerance of 10 % and periods.
    pub fn utilisation(percent: i32) -> Self {
        CpuTarget {
            utilisation_pct: percent,
            tolerance: Tolerance::default(),
            container: None,
            of_memory: false,
            care: Care::default(),
        }
    }

    /// The greatest utilisation that brings no replica, as a share of what is requested.
    pub fn held(&self) -> f64 {
        f64::from(self.utilisation_pct) / 100.0 * (1.0 + self.tolerance.up)
    }

    /// The least that surely brings one: it is seen in whole per cents, cut.
    pub fn exceeded(&self) -> f64 {
        ((f64::from(self.utilisation_pct) * (1.0 + self.tolerance.up)).floor() + 1.0) / 100.0
    }

    fn ratio(&self, utilisation: i32) -> f64 {
        assert!(self.utilisation_pct > 0, "a target of {} %", self.utilisation_pct);
        f64::from(utilisation) / f64::from(self.utilisation_pct)
    }
}

/// What the autoscaler is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The pods that its selector matches.
    pub pods: Vec<Pod>,
    /// Samples of pods that the selector does not match any more: their number counts.
    pub stray_samples: usize,
}

/// Why there is no recommendation: the autoscaler leaves everything as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blind {
    /// The metrics API gave nothing of the CPU.
    NoMetrics,
    /// It gave nothing of the memory.
    NoMemory,
    /// The adapter gave nothing of the requests.
    NoRequests,
    /// The selector matches no pod.
    NoPods,
    /// All samples are of pods that do not count.
    NoneCounts,
    /// A container does not say what it requests.
    NoRequest,
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Blind::NoMetrics => {
                "unable to get metrics for resource cpu: no metrics returned from resource metrics \
                 API"
            }
            Blind::NoMemory => {
                "unable to get metrics for resource memory: no metrics returned from resource \
                 metrics API"
            }
            Blind::NoRequests => {
                "unable to get metric requests: no metrics returned from custom metrics API"
            }
            Blind::NoPods => "no pods returned by selector while calculating replica count",
            Blind::NoneCounts => {
                "did not receive metrics for targeted pods (pods might be unready)"
            }
            Blind::NoRequest => "missing request for cpu",
        })
    }
}

/// What led to a recommendation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ground {
    /// The ratio lies within the tolerance.
    Tolerated {
        /// Utilisation over the pods that count, filled in where samples are missing.
        filled_pct: i32,
    },
    /// The ratio asks for another number.
    Asked {
        /// As above.
        filled_pct: i32,
    },
    /// Filled in, the ratio asks for the opposite of what it asked for before.
    TurnedRound {
        /// As above.
        filled_pct: i32,
    },
}

/// What the utilisation asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recommendation {
    /// Replicas.
    pub replicas: i32,
    /// Utilisation of the ready pods in whole percents, truncated.
    pub utilisation_pct: i32,
    /// Their mean usage in milli-cores, truncated.
    pub average_milli: i64,
    /// Pods that count as ready, as unready, and without a sample.
    pub ready: usize,
    /// Pods that count as idle when the autoscaler would grow.
    pub unready: usize,
    /// Pods that should have a sample and have none.
    pub missing: usize,
    /// What led to it.
    pub ground: Ground,
}

impl Recommendation {
    /// Whether pods without a usable sample changed the utilisation.
    pub fn is_filled(&self) -> bool {
        let (Ground::Tolerated { filled_pct }
        | Ground::Asked { filled_pct }
        | Ground::TurnedRound { filled_pct }) = self.ground;
        filled_pct != self.utilisation_pct
    }
}

/// The number of replicas that the target asks for at `now`, before limits and stabilisation.
///
/// # Errors
/// Says why nothing can be said; Kubernetes then changes nothing.
pub fn recommend(
    target: &CpuTarget,
    snapshot: &Snapshot,
    current: i32,
    now: Instant,
) -> Result<Recommendation, Blind> {
    let figures = PodFigures::of(target, snapshot, now)?;
    let first = figures.total(Fill::default()).ok_or(Blind::NoneCounts)?;
    let ratio = target.ratio(first.utilisation_pct);
    let unready_matters = figures.unready > 0 && ratio > 1.0;
    let recommendation = |replicas, ground| Recommendation {
        replicas,
        utilisation_pct: first.utilisation_pct,
        average_milli: first.average_milli,
        ready: figures.ready,
        unready: figures.unready,
        missing: figures.missing,
        ground,
    };
    if !unready_matters && figures.missing == 0 {
        let filled_pct = first.utilisation_pct;
        return Ok(match target.tolerance.holds(ratio) {
            true => recommendation(current, Ground::Tolerated { filled_pct }),
            false => recommendation(ceil(ratio, figures.ready), Ground::Asked { filled_pct }),
        });
    }
    let missing_pct = if ratio < 1.0 {
        Some(i64::from(target.utilisation_pct.max(100)))
    } else {
        (ratio > 1.0).then_some(0)
    };
    let fill = Fill { missing_pct, idle_unready: unready_matters };
    let second = figures.total(fill).ok_or(Blind::NoneCounts)?;
    debug_assert!(second.samples >= first.samples, "filling in takes no sample away");
    let filled_pct = second.utilisation_pct;
    let again = target.ratio(filled_pct);
    if target.tolerance.holds(again) {
        return Ok(recommendation(current, Ground::Tolerated { filled_pct }));
    }
    let wanted = ceil(again, second.samples);
    debug_assert!(wanted >= 0, "{wanted} replicas");
    let crossed = (ratio < 1.0 && again > 1.0) || (ratio > 1.0 && again < 1.0);
    let contrary = (again < 1.0 && wanted > current) || (again > 1.0 && wanted < current);
    Ok(match crossed || contrary {
        true => recommendation(current, Ground::TurnedRound { filled_pct }),
        false => recommendation(wanted, Ground::Asked { filled_pct }),
    })
}

pub(super) fn ceil(ratio: f64, pods: usize) -> i32 {
    debug_assert!(ratio >= 0.0, "no pod uses less than nothing");
    (ratio * pods as f64).ceil() as i32
}

/// How pods without a usable sample are counted.
#[derive(Clone, Copy, Debug, Default)]
struct Fill {
    /// Missing ones at this percentage of their request; `None` = left out.
    missing_pct: Option<i64>,
    /// Unready ones as idle; else they are left out.
    idle_unready: bool,
}

/// Each pod's group, request and usage.
struct PodFigures {
    pods: Vec<(PodGroup, i64, Option<i64>)>,
    ready: usize,
    unready: usize,
    missing: usize,
    stray: usize,
}

/// Sums over the pods that count.
struct Total {
    utilisation_pct: i32,
    average_milli: i64,
    /// Samples, filled in or not, strays included.
    samples: usize,
}

impl PodFigures {
    fn of(target: &CpuTarget, snapshot: &Snapshot, now: Instant) -> Result<Self, Blind> {
        let container = target.container.as_deref();
        let usage = |pod: &Pod| pod.usage_milli(container);
        if snapshot.stray_samples == 0 && snapshot.pods.iter().all(|pod| usage(pod).is_none()) {
            return Err(if target.of_memory { Blind::NoMemory } else { Blind::NoMetrics });
        }
        if snapshot.pods.is_empty() {
            return Err(Blind::NoPods);
        }
        let grouped = |pod| match target.of_memory {
            true => group_by_phase(pod),
            false => group(pod, container, &target.care, now),
        };
        let groups: Vec<PodGroup> = snapshot.pods.iter().map(grouped).collect();
        let count = |wanted| groups.iter().filter(|group| **group == wanted).count();
        let (ready, stray) = (count(PodGroup::Ready), snapshot.stray_samples);
        if ready + stray == 0 {
            return Err(Blind::NoneCounts);
        }
        let (unready, missing) = (count(PodGroup::Unready), count(PodGroup::Missing));
        debug_assert!(ready + unready + missing <= groups.len(), "each pod is in one group");
        let figure = |(pod, group): (&Pod, &PodGroup)| {
            let request = pod.request_milli(container).ok_or(Blind::NoRequest)?;
            Ok((*group, request, usage(pod)))
        };
        let pods: Result<Vec<_>, Blind> = snapshot.pods.iter().zip(&groups).map(figure).collect();
        Ok(PodFigures { pods: pods?, ready, unready, missing, stray })
    }

    /// `None` if no request is known.
    fn total(&self, fill: Fill) -> Option<Total> {
        let counted = self.pods.iter().filter_map(|(group, request, usage)| {
            let usage = match group {
                PodGroup::Ready => *usage,
                PodGroup::Missing => fill.missing_pct.map(|percent| request * percent / 100),
                PodGroup::Unready => fill.idle_unready.then_some(0),
                PodGroup::Ignored => None,
            };
            usage.map(|usage| (usage, *request))
        });
        let (mut used, mut requested, mut entries) = (0_i64, 0_i64, 0_usize);
        for (usage, request) in counted {
            (used, requested, entries) = (used + usage, requested + request, entries + 1);
        }
        let utilisation_pct = (used * 100).checked_div(requested)? as i32;
        assert!(entries > 0, "what was requested was requested by somebody");
        debug_assert!(entries <= self.pods.len(), "one figure for each pod");
        let average_milli = used / entries as i64;
        Some(Total { utilisation_pct, average_milli, samples: entries + self.stray })
    }
}
