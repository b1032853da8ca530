//! When the next job of each replica's server will be done, and which of them comes first.
//!
//! There are few replicas and each changes with every request that it takes on or finishes, so the
//! times lie in a plain list and the first is looked for anew at every change: always the same few
//! steps, and no branch that depends on which one changed. Scenarios with very many replicas pay
//! for that in proportion.

use crate::observe::ReplicaId;

/// A time for each of some replicas; of simultaneous ones the first in the list comes first.
#[derive(Clone, Debug)]
pub(in crate::model) struct NextCompletions {
    times: Vec<u64>,
    replicas: Vec<ReplicaId>,
    /// The earliest time and its place.
    first: (u64, usize),
}

impl Default for NextCompletions {
    fn default() -> Self {
        NextCompletions { times: Vec::new(), replicas: Vec::new(), first: (u64::MAX, 0) }
    }
}

impl NextCompletions {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.times.clear();
        self.replicas.clear();
        self.first = (u64::MAX, 0);
    }

    /// Takes these in place of those it had.
    pub fn fill(&mut self, completions: impl Iterator<Item = (ReplicaId, u64)>) {
        self.clear();
        for (replica, at) in completions {
            self.replicas.push(replica);
            self.times.push(at);
        }
        assert_eq!(self.times.len(), self.replicas.len(), "every replica has a time");
        self.find_first();
    }

    /// The earliest time and its place; `u64::MAX` if there is none.
    #[inline(always)]
    pub fn first(&self) -> (u64, usize) {
        self.first
    }

    /// The replicas, each at its place.
    pub fn replicas(&self) -> &[ReplicaId] {
        &self.replicas
    }

    /// The replica at a place.
    #[inline(always)]
    pub fn replica(&self, place: usize) -> ReplicaId {
        self.replicas[place]
    }

    /// The time at a place.
    #[inline(always)]
    pub fn time(&self, place: usize) -> u64 {
        self.times[place]
    }

    /// Whether a replica is at a place.
    #[inline(always)]
    pub fn is_at(&self, place: usize, replica: ReplicaId) -> bool {
        self.replicas.get(place) == Some(&replica)
    }

    /// Changes the time at a place.
    #[inline(always)]
    pub fn set(&mut self, place: usize, at: u64) {
        self.times[place] = at;
        self.find_first();
    }

    #[inline(always)]
    fn find_first(&mut self) {
        let mut first = (u64::MAX, 0);
        for (place, time) in self.times.iter().enumerate() {
            if *time < first.0 {
                first = (*time, place);
            }
        }
        self.first = first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_is_the_earliest_and_of_equals_the_one_in_front(
            begin in prop::collection::vec(0_u64..6, 1..6),
            changes in prop::collection::vec((0_usize..6, 0_u64..6), 0..40),
        ) {
            let mut completions = NextCompletions::default();
            prop_assert_eq!(completions.first().0, u64::MAX);
            let mut times = begin.clone();
            completions.fill(begin.into_iter().enumerate().map(|(place, at)| (10 + place, at)));
            for (place, at) in changes {
                let place = place % times.len();
                times[place] = at;
                completions.set(place, at);
                let least = times.iter().enumerate().map(|(place, at)| (*at, place)).min();
                prop_assert_eq!(Some(completions.first()), least);
                prop_assert!(completions.is_at(place, 10 + place));
                prop_assert!(!completions.is_at(place, 11 + place));
                prop_assert_eq!(completions.time(place), at);
                prop_assert_eq!(completions.replica(place), 10 + place);
            }
            completions.clear();
            prop_assert_eq!((completions.first().0, completions.is_at(0, 10)), (u64::MAX, false));
        }
    }
}
