//! What replicas share, and what becomes of it when one of them dies: limits and caches.
//!
//! Requests take no time here, so one is counted at the moment at which it is sent.

use brownout::observe::count::Count;
use brownout::observe::ledger::Failure;
use brownout::observe::{Observer, Sent, Served};
use brownout::plan::*;
use brownout::policy::cache::CacheSpec;
use brownout::policy::limit::{OnUnknown, Sharing};
use brownout::random::Law;
use brownout::units::Instant;

use crate::common::dependencies::{cache, limit, windows, with_policies};
use crate::common::witness::observe;
use crate::common::{at, plan, secs, take_away};
use crate::derived::{Sample, evenly, fault};

/// Requests of a key in a window, and its length in seconds.
const QUOTA: u64 = 100;
const WINDOW: f64 = 10.0;

/// What was counted, by the sending of the request.
#[derive(Clone, Debug, Default, PartialEq)]
struct Counted {
    counts: Vec<(Instant, Count)>,
    failed: Vec<(Instant, Failure)>,
    offered: Vec<Instant>,
    /// The replicas that served, in order.
    served: Vec<usize>,
}

impl Observer for Counted {
    fn offered(&mut self, Sent { at: sent, .. }: Sent) {
        self.offered.push(sent);
    }
    fn served(&mut self, request: &Served) {
        self.served.push(request.replica);
    }
    fn failed(&mut self, Sent { at: sent, .. }: Sent, _at: Instant, failure: Failure) {
        self.failed.push((sent, failure));
    }
    fn counted(&mut self, Sent { at: sent, .. }: Sent, count: Count) {
        self.counts.push((sent, count));
    }
}

fn between<T>(times: &[T], of: impl Fn(&T) -> Instant, from: f64, to: f64) -> u64 {
    times.iter().filter(|time| (at(from)..at(to)).contains(&of(time))).count() as u64
}

impl Counted {
    fn of(plan: &Plan, replication: u64) -> Self {
        let mut counted = Counted::default();
        observe(plan, replication, &mut counted);
        counted
    }

    /// How often something was counted for requests sent between two times in seconds.
    fn count(&self, wanted: Count, from: f64, to: f64) -> u64 {
        let mine: Vec<_> = self.counts.iter().filter(|(_, count)| *count == wanted).collect();
        between(&mine, |(sent, _)| *sent, from, to)
    }

    fn failures(&self, wanted: Failure, from: f64, to: f64) -> u64 {
        let mine: Vec<_> = self.failed.iter().filter(|(_, failure)| *failure == wanted).collect();
        between(&mine, |(sent, _)| *sent, from, to)
    }

    fn demand(&self, from: f64, to: f64) -> u64 {
        between(&self.offered, |sent| *sent, from, to)
    }

    fn admitted_in_window(&self, window: usize) -> u64 {
        let from = window as f64 * WINDOW;
        self.count(Count::Admitted, from, from + WINDOW)
    }

    /// The share of the requests sent between two times in seconds that found an answer.
    fn hit_ratio(&self, from: f64, to: f64) -> f64 {
        let hits = self.count(Count::Hit, from, to) as f64;
        hits / (hits + self.count(Count::Miss, from, to) as f64)
    }
}

/// Requests that take no time, at a rate, before these policies.
fn before(policies: impl IntoIterator<Item = PolicyKind>, replicas: usize, rate: f64) -> Plan {
    let mut plan = plan(replicas, rate, 6.0 * WINDOW);
    plan.gateway.demand = Law::ZERO;
    plan.dependencies = with_policies(policies);
    plan
}

/// The same with the quota of this file, and a load of so many times the quota.
fn limited(sharing: Sharing, replicas: usize, load: f64) -> Plan {
    let quota = limit(windows(QUOTA, secs(WINDOW)), sharing);
    before([quota], replicas, load * QUOTA as f64 / WINDOW)
}

fn dependencies(plan: &mut Plan) -> &mut Dependencies {
    &mut plan.dependencies
}

const SHARED: [Sharing; 2] = [Sharing::LEASES, Sharing::Counter];

#[test]
fn property_30_a_shared_limit_admits_the_lesser_of_quota_and_demand_for_any_replicas() {
    for sharing in SHARED {
        for (replicas, balancing) in [
            (1, Balancing::RoundRobin),
            (2, Balancing::Random),
            (3, Balancing::RoundRobin),
            (8, Balancing::Random),
        ] {
            for load in [0.5, 3.0] {
                let mut plan = limited(sharing, replicas, load);
                plan.ingress.balancing = balancing;
                let seen = Counted::of(&plan, 0);
                for window in 0..6 {
                    let from = window as f64 * WINDOW;
                    let expected = QUOTA.min(seen.demand(from, from + WINDOW));
                    assert_eq!(seen.admitted_in_window(window), expected, "{sharing:?} {load}");
                }
                assert_eq!(seen.failed.is_empty(), load < 1.0);
            }
        }
    }
}

#[test]
fn property_30_each_client_has_its_own_quota() {
    for sharing in SHARED {
        let mut plan = limited(sharing, 3, 30.0);
        dependencies(&mut plan).clients.popularity = Popularity { keys: 10, zipf: 0.0 };
        let PolicyKind::Limit { of, .. } = &mut dependencies(&mut plan).policies[0].kind else {
            return;
        };
        *of = LimitKey::Client;
        let seen = Counted::of(&plan, 0);
        assert!((0..6).all(|window| seen.admitted_in_window(window) == 10 * QUOTA));
    }
}

/// Three times the quota without scatter, and a crash of slot 0 at a time, for so long.
fn crashing(sharing: Sharing, replicas: usize, injection: f64, lasts: f64) -> Plan {
    let mut plan = limited(sharing, replicas, 3.0);
    evenly(&mut plan);
    take_away(&mut plan, &[0], at(injection), secs(lasts));
    plan
}

#[test]
fn property_30_no_crash_lets_a_shared_limit_admit_more_than_the_quota() {
    for sharing in SHARED {
        for (replicas, injection) in [(2, 20.1), (2, 23.0), (3, 21.0), (5, 29.9)] {
            let mut plan = crashing(sharing, replicas, injection, 1e3);
            plan.ingress.balancing = Balancing::Random;
            for replication in 0..20 {
                let seen = Counted::of(&plan, replication);
                let admitted: Vec<u64> = (0..6).map(|w| seen.admitted_in_window(w)).collect();
                // The largest lease is a tenth of the quota.
                let least = if sharing == Sharing::Counter { QUOTA } else { QUOTA - QUOTA / 10 };
                assert!((least..=QUOTA).contains(&admitted[2]), "{admitted:?}");
                let others = [0, 1, 3, 4, 5].map(|window| admitted[window]);
                assert_eq!(others, [QUOTA; 5], "{sharing:?}, {replicas} at {injection}");
            }
        }
    }
}

#[test]
fn property_30_a_crash_costs_exactly_the_unspent_lease() {
    expect_lost_lease(1e3);
    // A successor within the same window does not find what was left of it.
    expect_lost_lease(0.2);
}

fn expect_lost_lease(lasts: f64) {
    // Thirty a second, by turns: after 0.3 s both have spent four or five of their leases.
    let seen = Counted::of(&crashing(Sharing::LEASES, 2, 20.3, lasts), 0);
    // Of each window a hundred are served, so the third begins after two hundred.
    let third = &seen.served[2 * QUOTA as usize..];
    let (spent, is_first) = (seen.demand(20.0, 20.3) as usize, third[0] == 0);
    let of_slot_0 = third[..spent].iter().filter(|replica| **replica == 0).count() as u64;
    assert!((4..=5).contains(&of_slot_0), "{of_slot_0} of {spent}");
    // A tenth of what is left: of 100 for the first, of 90 for the second.
    let lease = if is_first { 10 } else { 9 };
    assert_eq!(seen.admitted_in_window(2), QUOTA - (lease - of_slot_0));
    assert_eq!(seen.admitted_in_window(3), QUOTA);
}

#[test]
fn property_30_limits_that_are_not_shared_admit_the_quota_at_each_replica() {
    for replicas in [1, 2, 3, 5] {
        let seen = Counted::of(&limited(Sharing::PerReplica, replicas, 15.0), 0);
        let expected = replicas as u64 * QUOTA;
        assert!((0..6).all(|window| seen.admitted_in_window(window) == expected), "{replicas}");
    }
}

#[test]
fn property_31_leases_stretch_windows_under_ten_seconds() {
    let seen = |quota: u64, window: f64, sharing| {
        let kind = limit(windows(quota, secs(window)), sharing);
        Counted::of(&before([kind], 3, 60.0), 0)
    };
    let stretched = seen(100, 10.0, Sharing::LEASES);
    assert_eq!((stretched.admitted_in_window(0), stretched.admitted_in_window(3)), (100, 100));
    for (quota, window) in [(10, 1.0), (50, 5.0), (90, 9.0)] {
        assert_eq!(seen(quota, window, Sharing::LEASES), stretched, "{quota} in {window} s");
        assert_ne!(seen(quota, window, Sharing::Counter), stretched, "{quota} in {window} s");
    }
    assert_eq!(seen(100, 10.0, Sharing::LEASES), seen(70, 7.0, Sharing::LEASES));
    assert_ne!(seen(200, 20.0, Sharing::LEASES), stretched);
    // Parts of a request are dropped: 3 in 7 s are 4 in 10 s.
    assert_eq!(seen(3, 7.0, Sharing::LEASES), seen(4, 10.0, Sharing::LEASES));
}

/// Storage that cannot be reached from 0:20 to 0:40.
fn without_storage(sharing: Sharing, load: f64, on_unknown: OnUnknown) -> Counted {
    let mut plan = limited(sharing, 3, load);
    if let PolicyKind::Limit { spec, .. } = &mut dependencies(&mut plan).policies[0].kind {
        spec.on_unknown = on_unknown;
    }
    plan.faults.push(fault(Fault::StorageOutage(Law::Constant(secs(20.0))), 20.0));
    Counted::of(&plan, 0)
}

#[test]
fn property_32_without_storage_a_limit_that_blocks_rejects_all_that_need_a_lease() {
    for load in [0.5, 3.0] {
        for sharing in SHARED {
            let seen = without_storage(sharing, load, OnUnknown::Block);
            let demand = seen.demand(20.0, 40.0);
            // Leases ended with their window, just as the storage went.
            assert!(demand > 0 && seen.failures(Failure::QuotaUnknown, 20.0, 40.0) == demand);
            assert_eq!(seen.count(Count::Admitted, 20.0, 40.0), 0);
            assert_eq!(seen.failures(Failure::QuotaUnknown, 0.0, 60.0), demand);
            assert_eq!(seen.admitted_in_window(4), QUOTA.min(seen.demand(40.0, 50.0)));
        }
    }
}

#[test]
fn property_32_without_storage_a_limit_that_passes_limits_nobody() {
    for load in [0.5, 3.0] {
        for sharing in SHARED {
            let seen = without_storage(sharing, load, OnUnknown::Pass);
            assert_eq!(seen.count(Count::Unlimited, 20.0, 40.0), seen.demand(20.0, 40.0));
            assert_eq!(seen.count(Count::Unlimited, 0.0, 60.0), seen.demand(20.0, 40.0));
            assert!(seen.failed.iter().all(|(sent, _)| !(at(20.0)..at(40.0)).contains(sent)));
            assert_eq!(seen.failed.is_empty(), load < 1.0);
        }
    }
}

#[test]
fn property_32_a_lease_lasts_through_an_outage_of_the_storage() {
    let mut plan = limited(Sharing::LEASES, 1, 3.0);
    evenly(&mut plan);
    plan.faults.push(fault(Fault::StorageOutage(Law::Constant(secs(5.0))), 0.1));
    let seen = Counted::of(&plan, 0);
    // The only replica took ten; more it may admit when the storage is back.
    assert_eq!(seen.count(Count::Admitted, 0.0, 5.1), 10);
    assert_eq!(seen.admitted_in_window(0), QUOTA);
}

/// 2 000 requests a second for one of so many resources, before a cache that forgets nothing.
fn cached(shared: bool, replicas: usize, keys: u32, ttl: f64) -> Plan {
    let mut plan = before([cache(secs(ttl), shared, keys)], replicas, 2_000.0);
    plan.run.horizon = at(30.0);
    dependencies(&mut plan).apis[0].resources = Popularity { keys: keys as usize, zipf: 0.0 };
    plan
}

#[test]
fn property_33_a_shared_cache_does_not_care_how_many_share_it_or_that_one_crashes() {
    let one = Counted::of(&cached(true, 1, 3_000, 1.0), 0);
    assert!((0.2..0.8).contains(&one.hit_ratio(0.0, 30.0)));
    for replicas in [2, 3, 5] {
        let mut plan = cached(true, replicas, 3_000, 1.0);
        assert_eq!(Counted::of(&plan, 0).counts, one.counts, "{replicas} replicas");
        take_away(&mut plan, &[0], at(10.3), secs(7.0));
        assert_eq!(Counted::of(&plan, 0).counts, one.counts, "{replicas} replicas");
        // Without a second copy a part of the entries would be gone.
        let PolicyKind::Cache(spec) = &mut dependencies(&mut plan).policies[0].kind else { return };
        *spec = CacheSpec { replication: 0, ..*spec };
        let bare = Counted::of(&plan, 0);
        let (fewer, before) = (bare.hit_ratio(10.3, 10.8), one.hit_ratio(10.3, 10.8));
        assert!(fewer < before - 0.02, "{fewer} and {before}");
    }
}

#[test]
fn property_33_caches_that_are_not_shared_hit_less_with_every_replica() {
    let ratio =
        |replicas: usize| Counted::of(&cached(false, replicas, 3_000, 1.0), 0).hit_ratio(2.0, 30.0);
    let ratios = [1, 2, 3, 5].map(ratio);
    assert!(ratios.windows(2).all(|pair| pair[1] < pair[0] - 0.05), "{ratios:?}");
    assert_eq!(Counted::of(&cached(true, 5, 3_000, 1.0), 0).hit_ratio(2.0, 30.0), ratios[0]);
}

/// Of 2 000 requests a second to `replicas`, the share that a cache empty at first has an answer to
/// in its first tenth of a second, on average: to a key asked before.
fn cold(replicas: usize, keys: f64) -> f64 {
    let asked = 2_000.0 * 0.1 / replicas as f64 / keys;
    1.0 - (1.0 - (-asked).exp()) / asked
}

#[test]
fn property_33_a_restart_empties_the_part_of_its_replica() {
    for replicas in [2_usize, 4] {
        let mut plan = cached(false, replicas, 500, 1e3);
        take_away(&mut plan, &[0], at(20.0), secs(5.0));
        let ratio = Sample::of(60, |replication| {
            let seen = Counted::of(&plan, replication);
            assert_eq!(seen.hit_ratio(15.0, 25.0), 1.0, "all resources are there");
            seen.hit_ratio(25.0, 25.1)
        });
        let part = 1.0 / replicas as f64;
        ratio.expect_mean(1.0 - part * (1.0 - cold(replicas, 500.0)), 0.01);
    }
}

#[test]
fn property_33_when_all_replicas_go_a_shared_cache_is_cold() {
    let mut plan = cached(true, 3, 500, 1e3);
    take_away(&mut plan, &[0, 1, 2], at(20.0), secs(5.0));
    let ratio = Sample::of(60, |replication| {
        let seen = Counted::of(&plan, replication);
        assert_eq!(seen.hit_ratio(15.0, 20.0), 1.0, "all resources are there");
        seen.hit_ratio(25.0, 25.1)
    });
    ratio.expect_mean(cold(1, 500.0), 0.01);
}

#[test]
fn property_34_a_policy_behind_the_cache_sees_only_misses() {
    let shares = [Sharing::LEASES, Sharing::Counter, Sharing::PerReplica];
    for (sharing, quota) in shares.into_iter().flat_map(|s| [(s, 50), (s, 1_000_000)]) {
        let all = |order: [PolicyKind; 2]| {
            let mut plan = before(order, 3, 200.0);
            dependencies(&mut plan).apis[0].resources = Popularity { keys: 300, zipf: 1.0 };
            let seen = Counted::of(&plan, 0);
            let [hits, misses, admitted] = [Count::Hit, Count::Miss, Count::Admitted]
                .map(|count| seen.count(count, 0.0, 60.0));
            let limited = seen.failures(Failure::RateLimited, 0.0, 60.0);
            assert!(hits > 0 && misses > 0 && (limited > 0) == (quota == 50));
            (hits, misses, admitted + limited, admitted, seen.demand(0.0, 60.0))
        };
        let (cache, limit) =
            (cache(secs(5.0), true, 300), limit(windows(quota, secs(WINDOW)), sharing));
        let (hits, misses, asked, _, demand) = all([cache.clone(), limit.clone()]);
        assert_eq!((asked, hits + misses), (misses, demand));
        let (hits, misses, asked, admitted, demand) = all([limit, cache]);
        assert_eq!((asked, hits + misses), (demand, admitted));
    }
}
