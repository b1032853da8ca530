//! The clients of several regions, in groups that share a resolver, and where each group sends.
//!
//! ```text
//! answer ─ expires (TTL, or longer) ─► the answer of that moment ─ connection ends ─► sends there
//! ```
//!
//! Ages of answers are uniform: so long after a change, `1 − t/TTL` of the groups still have the
//! old one, but for the stragglers. A connection to a region that is gone is broken, and its
//! clients go by their answer at once; one to a region that answers is used to its end.
//!
//! Which region a group is given: it has a home, as many groups in each as its weight says. Where
//! the home does not serve, groups are spread by weight over those that do, or all go to the next
//! one. Standbys come in where no active region serves.
//!
//! Assumptions: groups are of equal size. Left out: resolvers that ask for health themselves.

use crate::plan::{RegionRole, Regions, Routing, Steering};
use crate::random::{Law, Seed, Stream};
use crate::units::{Instant, Span};

/// Clients behind one resolver.
#[derive(Clone, Debug)]
struct Group {
    /// How old its answer is when the run begins, as a share of the TTL.
    phase: f64,
    /// How much longer than the TTL its resolver keeps an answer.
    overtime: Law,
    /// Whether it will look for another answer, or end a connection, at a time that is known.
    is_due: bool,
}

/// All clients.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    groups: Vec<Group>,
    /// The region that each sends to: apart, since every request asks for it.
    regions: Vec<usize>,
    /// The region that each is at home in.
    homes: Vec<usize>,
    stream: Stream,
}

/// A number in [0, 1) for each group such that any run of groups is spread evenly: the van der
/// Corput sequence.
fn spread(group: usize) -> f64 {
    (group as u64).reverse_bits() as f64 / 2.0_f64.powi(64)
}

/// The region at this place, 0 to 1, among some in proportion to their weights.
fn by_weight(regions: &Regions, among: &[usize], place: f64) -> usize {
    let weight = |region: &usize| regions.all[*region].weight;
    debug_assert!((0.0..1.0).contains(&place), "{place} is no share of the clients");
    let all: f64 = among.iter().map(weight).sum();
    debug_assert!(all > 0.0, "{among:?} have no weight");
    let mut left = place * all;
    for region in among {
        left -= weight(region);
        if left < 0.0 {
            return *region;
        }
    }
    *among.last().expect("a client is sent to one of some regions")
}

/// Which region a group is given, where these serve; `None` if none does.
pub(super) fn target(
    regions: &Regions,
    (group, groups): (usize, usize),
    serves: &[bool],
) -> Option<usize> {
    assert_eq!(serves.len(), regions.all.len(), "each region serves or does not");
    let active: Vec<usize> = regions.active().collect();
    let home = by_weight(regions, &active, (group as f64 + 0.5) / groups as f64);
    if serves[home] {
        return Some(home);
    }
    let others: Vec<usize> = active.into_iter().filter(|region| serves[*region]).collect();
    if others.is_empty() {
        return (0..serves.len())
            .find(|region| regions.all[*region].role != RegionRole::Active && serves[*region]);
    }
    Some(match regions.steering {
        Steering::Weighted => by_weight(regions, &others, spread(group)),
        Steering::Nearest => regions.next_to(home, &others),
    })
}

impl Crowd {
    /// Where all regions serve, and have for long.
    pub fn new(regions: &Regions, seed: Seed) -> Self {
        let mut stream = seed.stream("client groups", 0);
        let count = regions.manager.groups;
        assert!(count > 0, "clients are in groups");
        let serves = vec![true; regions.all.len()];
        let mut group = || {
            let phase = stream.unit();
            let overtime = match &regions.manager.routing {
                Routing::Dns { stragglers, overtime, .. } if stream.unit() < stragglers.0 => {
                    overtime.clone()
                }
                _ => Law::ZERO,
            };
            Group { phase, overtime, is_due: false }
        };
        let groups = (0..count).map(|_| group()).collect();
        let home = |group| target(regions, (group, count), &serves).expect("a region is active");
        let homes: Vec<usize> = (0..count).map(home).collect();
        Crowd { groups, regions: homes.clone(), homes, stream: seed.stream("client moves", 0) }
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Where a group sends.
    #[inline(always)]
    pub fn region(&self, group: usize) -> usize {
        self.regions[group]
    }

    /// Whether a group sends to another region than its own.
    pub fn is_away(&self, group: usize) -> bool {
        self.regions[group] != self.homes[group]
    }

    /// How many groups send to a region.
    pub fn count_in(&self, region: usize) -> usize {
        self.regions.iter().filter(|sends_to| **sends_to == region).count()
    }

    /// The groups that are not about to look again, and are not where they would be sent now.
    pub fn misplaced(&self, regions: &Regions, serves: &[bool]) -> Vec<usize> {
        let count = self.groups.len();
        let is_wrong = |group: &usize| {
            let wanted = target(regions, (*group, count), serves);
            let is_due = self.groups[*group].is_due;
            !is_due && wanted.is_some_and(|wanted| wanted != self.regions[*group])
        };
        (0..count).filter(is_wrong).collect()
    }

    /// A group will look again, or end a connection: when its answer expires after `now`.
    pub fn expire(&mut self, group: usize, now: Instant, ttl: Span) -> Instant {
        let Group { phase, overtime, is_due, .. } = &mut self.groups[group];
        assert!(!*is_due, "group {group} is about to look already");
        *is_due = true;
        assert!((0.0..1.0).contains(phase), "an answer is {phase} of its time old");
        let ttl_ns = ttl.0.max(1);
        let first = (*phase * ttl_ns as f64) as u64;
        let since = now.0.saturating_sub(first);
        let wait = if now.0 < first { first - now.0 } else { ttl_ns - since % ttl_ns };
        let wait = if ttl == Span::ZERO { 0 } else { wait };
        now + Span(wait) + overtime.draw(&mut self.stream)
    }

    /// How much longer a group uses the connection that it has.
    pub fn keep_connection(&mut self, connections: &Law) -> Span {
        connections.draw(&mut self.stream)
    }

    /// A group has looked, and sends to this region from now on; gives the one before, if that was
    /// another.
    pub fn send_to(&mut self, group: usize, region: usize) -> Option<usize> {
        self.groups[group].is_due = false;
        let before = std::mem::replace(&mut self.regions[group], region);
        (before != region).then_some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_groups_go_to_each_region_as_its_share_says() {
        for steering in [Steering::Weighted, Steering::Nearest] {
            let regions = Regions::of_weights(&[3.0, 1.0, 2.0], 1, steering);
            for lost in 0..8_usize {
                let serves = [lost & 1 == 0, lost & 2 == 0, lost & 4 == 0, true];
                let mut count = [0.0_f64; 4];
                for group in 0..1_000 {
                    count[target(&regions, (group, 1_000), &serves).unwrap()] += 1e-3;
                }
                for (count, share) in count.into_iter().zip(regions.shares(&serves)) {
                    // Points of the van der Corput sequence are that evenly spread.
                    assert!((count - share).abs() < 0.012, "{serves:?}: {count}, not {share}");
                }
            }
        }
    }
}
