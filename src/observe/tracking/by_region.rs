//! Where clients send, of several regions, and the fail-overs that follow from that.

use crate::observe::Observation;
use crate::observe::failover::FailoverCourse;
use crate::observe::recorder::scope::{Scope, StruckRegion};
use crate::units::Instant;

/// The clients of each region.
#[derive(Clone, Debug)]
pub(in crate::observe) struct RegionClients {
    /// Groups that send to each region, of so many in all.
    groups: Vec<usize>,
    of: usize,
    struck: Vec<Option<StruckRegion>>,
    /// Faults that have taken each region, and not given it back.
    lost: Vec<u32>,
    /// Replicas that the autoscaler of each region wants; none before it has said so.
    wanted: Vec<usize>,
}

impl RegionClients {
    pub fn new(scope: &Scope) -> Self {
        RegionClients {
            groups: vec![0; scope.regions],
            of: 0,
            struck: scope.struck.clone(),
            lost: vec![0; scope.regions],
            wanted: vec![0; scope.regions.max(1)],
        }
    }

    /// The share of all clients that a region has.
    fn share(&self, region: usize) -> f64 {
        self.groups[region] as f64 / self.of.max(1) as f64
    }

    /// The fail-over that a fault may lead to.
    pub fn failover(&self, fault: usize) -> Option<FailoverCourse> {
        let StruckRegion { region, is_left, .. } = self.struck[fault]?;
        Some(FailoverCourse::new(region, is_left, self.share(region)))
    }

    /// The autoscaler of a region wants so many replicas; gives how many all want together, of
    /// those that have said so.
    pub fn note_wanted(&mut self, region: usize, wanted: usize) -> usize {
        self.wanted[region] = wanted;
        self.wanted.iter().sum()
    }

    /// A fault begins, or is over: a region is lost meanwhile.
    pub fn strike(&mut self, fault: usize, begins: bool) {
        let Some(struck) = self.struck[fault].filter(|struck| struck.is_lost) else { return };
        let lost = &mut self.lost[struck.region];
        *lost = if begins { *lost + 1 } else { lost.checked_sub(1).expect("it was lost") };
    }

    /// The share of all clients that send to a region or to one that is lost: whoever is led from
    /// one to the other is not served there.
    fn unserved(&self, region: usize) -> f64 {
        let counts = |other: usize| other == region || self.lost[other] > 0;
        let shares = (0..self.groups.len()).filter(|other| counts(*other));
        shares.map(|other| self.share(other)).sum()
    }

    /// The region of a slot.
    pub fn region_of(&self, slot: usize) -> Option<usize> {
        slot.checked_rem(self.groups.len())
    }

    /// Takes note of what regions share, and tells the fail-overs that go on.
    pub fn note<'f>(
        &mut self,
        now: Instant,
        told: &Observation,
        failovers: impl Iterator<Item = &'f mut FailoverCourse>,
    ) {
        match told {
            Observation::ClientsGiven { region, groups, of } => {
                (self.groups[*region], self.of) = (*groups, *of);
            }
            Observation::ClientsMoved { from, to, .. } => {
                assert!(self.groups[*from] > 0, "a group leaves a region that has none");
                self.groups[*from] -= 1;
                self.groups[*to] += 1;
                failovers.for_each(|course| course.note_clients(now, self.unserved(course.region)));
            }
            Observation::Region { region, news } => {
                failovers.for_each(|course| course.note_news(now, *region, *news));
            }
            _ => {}
        }
    }
}
