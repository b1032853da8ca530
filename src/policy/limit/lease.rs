//! Fixed windows shared with leases: replicas take a part of the quota at a time.
//!
//! ```text
//! bucket (shared)  ends, taken ──now ≥ ends──► a new window, nothing taken
//!                    │ takes max(10 % of what is left, 1), but not more than is left
//!                    ▼
//! lease (a slot's) ends, left ── left > 0 and now < ends ─► left − 1, nobody is asked
//!                    └── else a new lease; if it is empty: Limited
//! ```
//!
//! Source: the rate-limiting library of the Policy Development Kit (`bucket/cluster.rs`,
//! `distribution_formula.rs`): the end of the window lies in the bucket, so all replicas reset
//! together, and windows under 10 s are stretched. Never more than the quota is admitted in a
//! window, whoever asks in whatever order; a replica that is lost takes its unspent lease with it.
//!
//! Assumed: a replica forgets that the bucket was empty, and asks again for the next request; it
//! does not give a lease back when it ends in good order. 10 % is rounded down to whole requests.
//!
//! Left out: a bucket that vanishes while replicas live, which they would fill with what they know
//! and so admit too much.

use super::meter::WindowCount;
use super::spec::{Answer, LimitDecision, Quota, WindowOrigin};
use crate::policy::pages::Pages;
use crate::units::{Instant, Share};

/// What a replica may still admit by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lease {
    /// When the window ends that it is for.
    ends: Instant,
    /// Requests.
    left: u64,
}

impl Lease {
    fn is_good(&self, now: Instant) -> bool {
        self.left > 0 && now < self.ends
    }

    /// Requests that can still be admitted at `now`.
    #[cfg(test)]
    pub(super) fn unspent(&self, now: Instant) -> u64 {
        if now < self.ends { self.left } else { 0 }
    }
}

/// Buckets and leases of all keys.
#[derive(Clone, Debug)]
pub(super) struct Leased {
    quotas: Vec<Quota>,
    start: WindowOrigin,
    fraction: Share,
    buckets: Pages<WindowCount>,
    /// A table for each slot.
    pub(super) leases: Vec<Pages<Lease>>,
}

impl Leased {
    pub(super) fn new(
        quotas: &[Quota],
        start: WindowOrigin,
        fraction: Share,
        keys: u32,
        slots: usize,
    ) -> Self {
        assert!((0.0..=1.0).contains(&fraction.0), "{fraction:?} of what is left");
        let quotas: Vec<Quota> = quotas.iter().map(|quota| quota.stretched()).collect();
        let buckets = Pages::new(keys, quotas.len());
        let leases = vec![Pages::new(keys, quotas.len()); slots];
        Leased { quotas, start, fraction, buckets, leases }
    }

    pub(super) fn decide(
        &mut self,
        now: Instant,
        slot: usize,
        key: u32,
        reachable: bool,
    ) -> Answer {
        let leases = self.leases[slot].row(key);
        let asked = !leases.iter().all(|lease| lease.is_good(now));
        if asked && !reachable {
            return Answer { decision: LimitDecision::Unknown, asked };
        }
        if asked {
            let buckets = self.buckets.row(key).iter_mut().zip(&self.quotas);
            for (lease, (bucket, quota)) in leases.iter_mut().zip(buckets) {
                if !lease.is_good(now) {
                    bucket.roll(quota.window, self.start, now);
                    *lease = take(bucket, quota.limit, self.fraction);
                }
            }
        }
        if leases.iter().any(|lease| lease.left == 0) {
            return Answer { decision: LimitDecision::Limited, asked };
        }
        debug_assert!(leases.iter().all(|lease| lease.is_good(now)), "admitted by good leases");
        leases.iter_mut().for_each(|lease| lease.left -= 1);
        Answer { decision: LimitDecision::Admitted, asked }
    }

    pub(super) fn lost(&mut self, slot: usize) {
        self.leases[slot].clear();
    }

    pub(super) fn all_lost(&mut self) {
        self.leases.iter_mut().for_each(Pages::clear);
        self.buckets.clear();
    }
}

/// Takes a lease out of a bucket.
fn take(bucket: &mut WindowCount, limit: u64, fraction: Share) -> Lease {
    debug_assert!(bucket.used <= limit, "no more is given out than there is");
    let rest = limit - bucket.used;
    // The billionth keeps 0.3 of 10 from being 2.
    let part = (rest as f64 * fraction.0 + 1e-9) as u64;
    let left = part.max(1).min(rest);
    bucket.used += left;
    debug_assert!((left > 0) == (rest > 0) && bucket.used <= limit, "a part of what is left");
    Lease { ends: bucket.ends, left }
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
