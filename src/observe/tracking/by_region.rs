//! Where clients send, of several regions, and the fail-overs that follow from that.

use std::collections::BTreeMap;

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
    /// Incidents in which a region is lost, and which.
    lost: BTreeMap<usize, usize>,
    /// Replicas that the autoscaler of each region wants; none before it has said so.
    wanted: Vec<usize>,
}

impl RegionClients {
    pub fn new(scope: &Scope) -> Self {
        RegionClients {
            groups: vec![0; scope.regions],
            of: 0,
            struck: scope.struck.clone(),
            lost: BTreeMap::new(),
            wanted: vec![0; scope.regions.max(1)],
        }
    }

    /// The share of all clients that a region has, if there are several regions.
    pub fn share_of(&self, region: usize) -> Option<f64> {
        (region < self.groups.len()).then(|| self.share(region))
    }

    /// The same of one that there is.
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

    /// An incident of a fault begins, by which a region may be lost.
    pub fn strike(&mut self, fault: usize, incident: usize) {
        if let Some(struck) = self.struck[fault].filter(|struck| struck.is_lost) {
            self.lost.insert(incident, struck.region);
        }
    }

    /// A fault is over; that of a region may tell so of its zones and its ingress.
    pub fn end(&mut self, incident: usize) {
        self.lost.remove(&incident);
    }

    /// The share of all clients that send to a region or to one that is lost: whoever is led from
    /// one to the other is not served there.
    fn unserved(&self, region: usize) -> f64 {
        let is_lost = |other: usize| self.lost.values().any(|lost| *lost == other);
        let counts = |other: usize| other == region || is_lost(other);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SECOND;

    #[test]
    fn clients_led_to_a_region_that_is_lost_are_not_back() {
        let lost = |region| Some(StruckRegion { region, is_left: true, is_lost: true });
        let mut clients = RegionClients {
            groups: vec![0, 100, 0],
            of: 100,
            struck: vec![lost(0), lost(1)],
            lost: BTreeMap::new(),
            wanted: vec![0; 3],
        };
        clients.strike(0, 0);
        let mut course = clients.failover(1).unwrap();
        clients.strike(1, 1);
        let mut lead = |(from, to), at: u64, clients: &mut RegionClients| {
            let moved = Observation::ClientsMoved { from, to, groups: 100 };
            let at = Instant(at * SECOND);
            clients.note(at, &moved, std::iter::once(&mut course));
            course.led
        };
        for _ in 0..60 {
            assert_eq!(lead((1, 0), 10, &mut clients), [None; 3], "the first is lost as well");
        }
        for _ in 0..49 {
            lead((0, 2), 20, &mut clients);
        }
        let led = lead((1, 2), 30, &mut clients);
        assert_eq!(led, [Some(Instant(30 * SECOND)), None, None]);
        // Whoever still sends to a region that is back is served there.
        clients.end(0);
        for _ in 0..37 {
            lead((1, 2), 40, &mut clients);
        }
        assert_eq!(lead((1, 2), 41, &mut clients)[1], Some(Instant(40 * SECOND)));
    }
}
