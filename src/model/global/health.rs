//! Health checks of regions: locations that ask each region in turn, and what they make of it.
//!
//! ```text
//!            ┌── failure, `failures` in a row ──► unhealthy ─┐
//! healthy ◄──┴── success, `successes` in a row ◄─────────────┘   at each location
//!
//! a region is healthy while more than `quorum` of the locations take it for healthy
//! ```
//!
//! A location asks every `interval` from a phase of its own. After a region falls silent the k-th
//! failure begins between (k − 1) and k intervals later, evenly, and is known a time-out later.
//!
//! What a check asks of a region is worked out from what the region is at that moment: whether an
//! ingress instance answers, whether the replica that it would choose does, and how long that takes
//! with what it has to do. Checks take nothing of a region's time.

use crate::plan::RegionCheck;
use crate::random::{Seed, Stream};
use crate::units::{Instant, Share, Span};

/// What a location makes of a region.
#[derive(Clone, Copy, Debug)]
struct Opinion {
    healthy: bool,
    /// Results in a row that speak against that.
    against: u32,
}

/// What a check finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CheckResult {
    /// Whether it is one of a healthy region.
    pub good: bool,
    /// After how long it is known.
    pub after: Span,
}

impl CheckResult {
    /// A good one.
    pub const GOOD: CheckResult = CheckResult { good: true, after: Span::ZERO };
    /// A bad one, at once.
    pub const BAD: CheckResult = CheckResult { good: false, after: Span::ZERO };

    /// Silence.
    pub fn silence(check: &RegionCheck) -> CheckResult {
        CheckResult { good: false, after: check.timeout }
    }
}

/// The opinions of all locations on all regions.
#[derive(Clone, Debug)]
pub(super) struct Health {
    /// By region, then by location.
    opinions: Vec<Vec<Opinion>>,
    quorum: Share,
    /// Decides what checks meet.
    pub draws: Stream,
}

impl Health {
    /// Everybody takes all regions that run for healthy.
    pub fn new(check: &RegionCheck, runs: &[bool], seed: Seed) -> Self {
        assert!(check.locations > 0, "somebody asks");
        assert!(check.failures > 0 && check.successes > 0, "a check says something");
        assert!((0.0..1.0).contains(&check.quorum.0), "no share is above {}", check.quorum);
        let of = |healthy: &bool| vec![Opinion { healthy: *healthy, against: 0 }; check.locations];
        Health {
            opinions: runs.iter().map(of).collect(),
            quorum: check.quorum,
            draws: seed.stream("region checks", 0),
        }
    }

    /// When each location asks each region first, by region and location.
    pub fn phases(check: &RegionCheck, regions: usize, seed: Seed) -> Vec<Vec<Instant>> {
        assert!(check.interval > Span::ZERO, "a location that asks all the time");
        let mut stream = seed.stream("region check phases", 0);
        let mut phase = || Instant((stream.unit() * check.interval.0 as f64) as u64);
        (0..regions).map(|_| (0..check.locations).map(|_| phase()).collect()).collect()
    }

    /// A location knows what came of its check; says whether the region is healthy now.
    pub fn note(
        &mut self,
        check: &RegionCheck,
        (region, location): (usize, usize),
        good: bool,
    ) -> bool {
        let opinion = &mut self.opinions[region][location];
        let needed = if good { check.successes } else { check.failures };
        debug_assert!(opinion.against < check.failures.max(check.successes), "it changed its mind");
        match opinion.healthy == good {
            true => opinion.against = 0,
            false => {
                opinion.against += 1;
                if opinion.against >= needed {
                    *opinion = Opinion { healthy: good, against: 0 };
                }
            }
        }
        self.is_healthy(region)
    }

    /// Whether enough locations take a region for healthy.
    pub fn is_healthy(&self, region: usize) -> bool {
        let all = &self.opinions[region];
        let healthy = all.iter().filter(|opinion| opinion.healthy).count();
        healthy as f64 > self.quorum.0 * all.len() as f64
    }
}
