//! Where complete replications can be kept, so that work that was stopped need not be done again.
//!
//! A replication is a function of the plan, the seed and its index: a store can answer for it
//! exactly.

use crate::engine::digest::fnv_1a;
use crate::observe::outcome::Outcome;
use crate::plan::Plan;

/// Names a replication: a digest of the plan, and the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplicationKey {
    /// The plan, but for the number of its replications.
    pub plan: u64,
    /// The index of the replication.
    pub replication: u64,
}

impl ReplicationKey {
    /// The unit of shared work that it is, by itself (see [`super::partition`]).
    pub fn unit(self) -> u64 {
        self.plan.wrapping_add(self.replication)
    }
}

/// A place for outcomes without the details (timeline, journal, requests).
pub trait OutcomeStore: Sync {
    /// The outcome of this name, if it is here.
    fn get(&self, key: ReplicationKey) -> Option<Outcome>;

    /// Keeps an outcome.
    fn put(&self, key: ReplicationKey, outcome: &Outcome);
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoStore;

impl OutcomeStore for NoStore {
    fn get(&self, _: ReplicationKey) -> Option<Outcome> {
        None
    }

    fn put(&self, _: ReplicationKey, _: &Outcome) {}
}

/// The digest of several plans in their order.
pub fn digest_all<'p>(plans: impl IntoIterator<Item = &'p Plan>) -> u64 {
    let digests: Vec<u8> = plans.into_iter().flat_map(|plan| digest(plan).to_le_bytes()).collect();
    fnv_1a(&digests)
}

/// The digest of everything in a plan that its replications follow from: of how it is shown for
/// debugging, which has every field and every digit.
pub fn digest(plan: &Plan) -> u64 {
    let mut plan = plan.clone();
    plan.run.replications = 1;
    fnv_1a(format!("{plan:?}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;

    #[test]
    fn a_digest_tells_plans_apart_and_not_their_number_of_replications() {
        let plan = example::plan();
        let (mut more, mut other, mut later) = (plan.clone(), plan.clone(), plan.clone());
        more.run.replications = 50;
        other.run.seed += 1;
        later.gateway.cores.0 += 1e-12;
        assert_eq!(digest(&plan), digest(&more));
        assert_ne!(digest(&plan), digest(&other));
        assert_ne!(digest(&plan), digest(&later));
    }
}
