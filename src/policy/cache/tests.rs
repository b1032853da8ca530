use super::*;
use crate::random::Seed;

fn secs(seconds: f64) -> Instant {
    Instant::from_secs(seconds)
}

fn spec(shared: bool, replication: usize) -> CacheSpec {
    CacheSpec { shared, replication, ..CacheSpec::for_keys(5_000) }
}

/// Caches with a replica in each slot.
fn caches(spec: CacheSpec, slots: usize) -> Caches {
    let mut caches = Caches::new(spec, slots);
    (0..slots).for_each(|slot| caches.joined(slot));
    caches
}

/// A request: looked up, and filled in no time if it is missed.
fn request(caches: &mut Caches, now: Instant, slot: usize, key: u32) -> bool {
    let hit = caches.lookup(now, slot, key);
    if !hit {
        caches.fill(now, slot, key);
    }
    hit
}

/// Fills this many keys from slot 0 at 0 s and says how many are found a second later.
fn found_after(caches: &mut Caches, change: impl Fn(&mut Caches)) -> usize {
    (0..4_000).for_each(|key| caches.fill(Instant::ZERO, 0, key));
    change(caches);
    let slot = (0..).find(|slot| caches.holders.is_present(*slot)).unwrap();
    (0..4_000).filter(|key| caches.lookup(secs(1.0), slot, *key)).count()
}

/// How requests are spread over the replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spread {
    Shared,
    Random(usize),
    InTurn(usize),
}

/// Requests a second for a key, TTL in seconds, spread, hit ratio, tolerance for 10^6 requests:
/// the family `cache_ttl`.
const VECTORS: [(f64, f64, Spread, f64, f64); 10] = [
    (0.1, 10.0, Spread::Shared, 0.5, 0.004),
    (0.1, 10.0, Spread::Random(3), 0.25, 0.0034641016151377548),
    (0.02, 60.0, Spread::Shared, 0.5454545454545454, 0.003983436781855754),
    (0.02, 60.0, Spread::Random(2), 0.37499999999999994, 0.003872983346207417),
    (0.02, 60.0, Spread::InTurn(3), 0.108748694105865, 0.0024905892075395685),
    (2.0, 60.0, Spread::Shared, 0.9917355371900827, 0.0007242612330646812),
    (2.0, 60.0, Spread::Random(2), 0.9836065573770492, 0.0010158644842511262),
    (2.0, 60.0, Spread::InTurn(2), 0.9835390946502056, 0.0010179176845261152),
    (2.0, 60.0, Spread::Random(3), 0.975609756097561, 0.0012340595746998559),
    (2.0, 60.0, Spread::InTurn(3), 0.9754098360655735, 0.0012389799100125428),
];

#[test]
fn hit_ratios_are_those_of_the_vectors() {
    for (number, (rate, ttl, spread, value, tolerance)) in VECTORS.into_iter().enumerate() {
        let spec = CacheSpec { ttl: Span::from_secs(ttl), ..spec(spread == Spread::Shared, 1) };
        let mut caches = caches(spec, 3);
        let mut stream = Seed { seed: 5, replication: number as u64 }.stream("arrivals", 0);
        let (mut at, mut hits) = (0.0, 0);
        for turn in 0..1_000_000 {
            at += stream.exponential() / rate;
            let slot = match spread {
                Spread::Shared => turn % 3,
                Spread::Random(slots) => stream.below(slots),
                Spread::InTurn(slots) => turn % slots,
            };
            hits += i32::from(request(&mut caches, secs(at), slot, 7));
        }
        let sample = f64::from(hits) / 1e6;
        assert!((sample - value).abs() < tolerance, "{rate} {ttl} {spread:?}: {sample} {value}");
    }
}

/// Hits of a run with 400 entries for 5 000 keys, some more popular; `change` is made on the way.
fn hits(spec: CacheSpec, slots: usize, change: impl Fn(&mut Caches, Instant)) -> Vec<bool> {
    let spec = CacheSpec { entries: 400, ttl: Span::from_secs(30.0), ..spec };
    let mut caches = caches(spec, slots);
    let mut stream = Seed { seed: 6, replication: 0 }.stream("keys", 0);
    let turns = 0..20_000_u64;
    let hit = turns.map(|turn| {
        let now = Instant(turn * 10_000_000);
        if turn == 10_000 {
            change(&mut caches, now);
        }
        let key = (5_000.0 * stream.unit().powi(4)) as u32;
        request(&mut caches, now, turn as usize % slots, key)
    });
    hit.collect()
}

#[test]
fn when_shared_the_number_of_replicas_and_one_loss_change_nothing() {
    let nothing = |_: &mut Caches, _| ();
    let alone = hits(spec(true, 1), 1, nothing);
    let count = |hits: &[bool]| hits.iter().filter(|hit| **hit).count();
    assert!((4_000..16_000).contains(&count(&alone)), "{}", count(&alone));
    assert!(hits(spec(true, 1), 3, nothing) == alone);
    assert!(hits(spec(true, 1), 8, nothing) == alone);
    // A crash and a replacement at once, with a copy elsewhere.
    let crash = |caches: &mut Caches, now| {
        caches.lost(now, 1);
        caches.joined(1);
    };
    assert!(hits(spec(true, 1), 3, crash) == alone);
    // Each by itself has fewer.
    assert!(count(&hits(spec(false, 0), 3, nothing)) < count(&alone));
}

#[test]
fn after_a_crash_one_in_n_requests_misses_what_each_had_by_itself() {
    for (shared, found) in [(false, 200), (true, 300)] {
        let mut caches = caches(spec(shared, 1), 3);
        let each = || (0..3).flat_map(|slot| (0..100).map(move |key| (slot, key)));
        each().for_each(|(slot, key)| caches.fill(Instant::ZERO, slot, key));
        caches.lost(secs(0.5), 1);
        caches.joined(1);
        let hits = each().filter(|(slot, key)| caches.lookup(secs(1.0), *slot, *key));
        assert_eq!(hits.count(), found);
    }
}

#[test]
fn an_entry_is_lost_with_the_last_of_its_copies() {
    let lose = |replication, slots: &'static [(f64, usize)]| {
        found_after(&mut caches(spec(true, replication), 3), |caches| {
            slots.iter().for_each(|(at, slot)| caches.lost(secs(*at), *slot));
        })
    };
    assert_eq!(lose(1, &[(0.5, 0)]), 4_000);
    assert_eq!(lose(1, &[(0.5, 0), (0.6, 1)]), 4_000, "made good in between");
    assert_eq!(lose(2, &[(0.5, 0), (0.5, 1)]), 4_000);
    assert_eq!(lose(9, &[(0.5, 0), (0.5, 1)]), 4_000);
    // One in three has its copy, or both, with those lost; five standard deviations are 150.
    let third = |found: usize| assert!(found.abs_diff(2_667) < 150, "{found}");
    third(lose(0, &[(0.5, 0)]));
    third(lose(0, &[(0.5, 2)]));
    third(lose(1, &[(0.5, 0), (0.5, 1)]));
    third(lose(1, &[(0.5, 2), (0.5, 0)]));
    let two_thirds = lose(0, &[(0.5, 0), (0.5, 1)]);
    assert!(two_thirds.abs_diff(1_333) < 150, "{two_thirds}");
    assert_eq!(two_thirds, lose(0, &[(0.5, 1), (0.5, 0)]));
}

#[test]
fn who_leaves_hands_over_and_who_comes_holds_copies() {
    let found = found_after(&mut caches(spec(true, 0), 3), |caches| {
        caches.left(0);
        caches.left(1);
    });
    assert_eq!(found, 4_000);
    let handed_over = found_after(&mut caches(spec(true, 1), 2), |caches| {
        caches.left(0);
        caches.joined(0);
        caches.lost(secs(0.5), 1);
    });
    assert_eq!(handed_over, 4_000);
}

#[test]
fn after_all_are_gone_the_cache_is_cold() {
    let together = found_after(&mut caches(spec(true, 1), 3), |caches| {
        (0..3).for_each(|slot| caches.lost(secs(0.5), slot));
        caches.joined(1);
    });
    let one_by_one = found_after(&mut caches(spec(true, 2), 3), |caches| {
        (0..3).for_each(|slot| caches.lost(secs(0.5 + slot as f64 / 10.0), slot));
        caches.joined(1);
    });
    let in_order = found_after(&mut caches(spec(true, 2), 2), |caches| {
        (0..2).for_each(|slot| caches.left(slot));
        caches.joined(1);
    });
    assert_eq!([together, one_by_one, in_order], [0; 3]);
}

#[test]
fn a_replica_by_itself_starts_empty_or_with_what_its_predecessor_kept() {
    let found = |persist, crash: bool| {
        let spec = CacheSpec { persist, ..spec(false, 1) };
        found_after(&mut caches(spec, 2), |caches| {
            match crash {
                true => caches.lost(secs(0.5), 0),
                false => caches.left(0),
            }
            assert!(!caches.lookup(secs(0.5), 0, 1), "nobody is there");
            caches.joined(0);
        })
    };
    assert_eq!([found(false, true), found(false, false)], [0; 2]);
    assert_eq!([found(true, true), found(true, false)], [4_000; 2]);
    let mut caches = caches(spec(false, 1), 2);
    caches.fill(Instant::ZERO, 0, 1);
    assert_eq!([0, 1].map(|slot| caches.lookup(secs(1.0), slot, 1)), [true, false]);
}

#[test]
fn the_oldest_goes_and_a_hit_keeps_nobody() {
    let spec = CacheSpec { entries: 3, ..spec(true, 1) };
    let mut caches = caches(spec, 2);
    (0..3).for_each(|key| caches.fill(secs(f64::from(key)), 0, key));
    assert!(caches.lookup(secs(3.0), 1, 0));
    caches.fill(secs(4.0), 0, 3);
    let there =
        |caches: &Caches, at| (0..5).filter(|key| caches.lookup(secs(at), 0, *key)).collect();
    let now: Vec<u32> = there(&caches, 4.0);
    assert_eq!(now, [1, 2, 3]);
    // A second fill makes an entry the youngest, and takes nobody's place.
    caches.fill(secs(5.0), 0, 1);
    caches.fill(secs(6.0), 0, 4);
    let now: Vec<u32> = there(&caches, 6.0);
    assert_eq!((now, caches.len(secs(6.0))), (vec![1, 3, 4], 3));
}

#[test]
fn an_entry_counts_until_its_time_is_over_since_the_last_fill() {
    let mut caches = caches(spec(false, 1), 1);
    let ttl = 600.0;
    caches.fill(secs(0.0), 0, 1);
    let just_before = Instant(secs(ttl).0 - 1);
    assert!(caches.lookup(just_before, 0, 1) && !caches.lookup(secs(ttl), 0, 1));
    caches.fill(secs(100.0), 0, 1);
    assert!(caches.lookup(secs(699.0), 0, 1) && !caches.lookup(secs(700.0), 0, 1));
    assert_eq!([699.0, 700.0].map(|at| caches.len(secs(at))), [1, 0]);
}

#[test]
fn entries_that_are_over_take_no_place() {
    let spec = CacheSpec { entries: 2, ttl: Span::from_secs(10.0), ..spec(true, 1) };
    let mut caches = caches(spec, 1);
    caches.fill(secs(0.0), 0, 0);
    caches.fill(secs(5.0), 0, 1);
    caches.fill(secs(10.0), 0, 2);
    assert!(caches.lookup(secs(10.0), 0, 1), "it gave way to nobody");
    let mut none = super::Caches::new(CacheSpec { entries: 0, ..spec }, 1);
    none.joined(0);
    none.fill(secs(0.0), 0, 0);
    assert_eq!(none.len(secs(0.0)), 0);
}
