//! Which version of the gateway a replica is of, and in what that differs.

use crate::observe::ReplicaId;
use crate::plan::{Plan, Release};
use crate::random::{Seed, mix};

/// A version of the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::model) struct Version {
    /// Counts versions; that of the start is 0.
    pub number: u32,
    /// The rollout that brought it.
    pub fault: Option<usize>,
}

impl Version {
    /// In what a replica of it differs from those before: a share of them does.
    pub fn make(self, plan: &Plan, seed: Seed, id: ReplicaId) -> Release {
        assert_eq!(self.number > 0, self.fault.is_some(), "{self:?} comes from nowhere");
        let release = self.fault.and_then(|fault| plan.faults[fault].fault.release());
        let Some(release) = release.filter(|release| !release.is_sound()) else {
            return Release::SOUND;
        };
        let entity = mix(u64::from(self.number)) ^ id as u64;
        match seed.stream("affected by a release", entity).unit() < release.affected.0 {
            true => *release,
            false => Release::SOUND,
        }
    }
}
