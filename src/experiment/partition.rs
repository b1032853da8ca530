//! Who simulates what, where several processes share the work of a study.
//!
//! A study is cut into units: each is one replication, or a search that is done from begin to end.
//! Unit u belongs to shard u mod n of n. What a unit gives does not depend on who simulates it, so
//! that shards of any number, in any order and however often they are made again, leave the same.

use std::sync::{Mutex, PoisonError};

/// One of several shards of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Which, from zero.
    pub index: u64,
    /// Of how many, at least one; more than `index`.
    pub count: u64,
}

/// What a process simulates itself; all else it takes from a store, or does without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partition {
    /// Everything.
    #[default]
    Whole,
    /// The units of a shard; no details are kept of these. All else is taken from the store.
    Shard(Shard),
    /// The same of work that is known beforehand: nothing else is needed.
    ShardAlone(Shard),
    /// Nothing but, once more, the replications that are told, if the store has them.
    Nothing,
}

impl Partition {
    /// Whether a unit is simulated here.
    pub fn has(self, unit: u64) -> bool {
        match self {
            Partition::Whole => true,
            Partition::Shard(Shard { index, count })
            | Partition::ShardAlone(Shard { index, count }) => unit % count == index,
            Partition::Nothing => false,
        }
    }

    /// Whether this is one of several.
    pub fn is_shard(self) -> bool {
        matches!(self, Partition::Shard(_) | Partition::ShardAlone(_))
    }
}

/// The units of replications that were asked for and are not there: nobody simulated them yet, or
/// another shard does.
#[derive(Debug, Default)]
pub struct Absent(Mutex<Vec<u64>>);

impl Absent {
    pub(super) fn note(&self, unit: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(unit);
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many each of so many shards has to make.
    pub fn by_shard(&self, count: u64) -> Vec<usize> {
        let mut all = vec![0; count as usize];
        let units = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        units.iter().for_each(|unit| all[(unit % count) as usize] += 1);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_belongs_to_one_shard() {
        for count in [1, 2, 7, 64] {
            let shards = (0..count).map(|index| Partition::Shard(Shard { index, count }));
            let shards: Vec<Partition> = shards.collect();
            for unit in [0, 1, 63, 64, u64::MAX - 1, u64::MAX] {
                assert_eq!(shards.iter().filter(|shard| shard.has(unit)).count(), 1);
            }
        }
        assert!(Partition::Whole.has(5) && !Partition::Nothing.has(5));
    }

    #[test]
    fn what_is_absent_is_counted_for_each_shard() {
        let absent = Absent::default();
        [0, 3, 4, 7].into_iter().for_each(|unit| absent.note(unit));
        assert_eq!((absent.count(), absent.by_shard(4)), (4, vec![2, 0, 0, 2]));
    }
}
