//! Searches on systems that are known, without a simulation.

use super::*;

const RANGE: Range = Range {
    least: 1.0,
    guess: 700.0,
    most: 2_000.0,
    full: f64::INFINITY,
    tolerance: 0.005,
    enough: 0.0,
    demand: None,
};

/// A latency that grows as that of a queue of this capacity, with a bound of 20 service times,
/// known to this share.
fn queue(capacity: f64, error: f64) -> impl Fn(f64) -> Excess {
    move |load| {
        let latency = if load < capacity { 1.0 / (1.0 - load / capacity) } else { 1e6 };
        let point = (latency / 20.0_f64).ln();
        Excess { least: point - error, point, most: point + error }
    }
}

fn count(range: Range, excess: impl Fn(f64) -> Excess) -> (Capacity, usize) {
    let mut tried = 0;
    let found = search(range, &[], |load, _| {
        tried += 1;
        Some(excess(load))
    });
    (found, tried)
}

#[test]
fn the_capacity_lies_where_the_latency_reaches_its_bound() {
    for capacity in [3.0, 50.0, 731.0, 1_400.0, 1_999.0] {
        let (found, tried) = count(RANGE, queue(capacity, 0.02));
        let Capacity::Between { low, point, high } = found else { panic!("{found:?}") };
        // 1 − 1/20 of it; an error of e moves that by about (1/20)·e of the capacity.
        let truth = 0.95 * capacity;
        assert!(low < truth && truth < high, "{truth}: {found:?}");
        assert!((point / truth - 1.0).abs() < 0.004, "{truth}: {found:?}");
        // From guesses up to 250 times too high, and within a factor of three.
        let few = if capacity < 100.0 { 32 } else { 18 };
        assert!(high / low < 1.013 && tried <= few, "{tried}: {found:?}");
    }
}

#[test]
fn a_wide_interval_stays_wide() {
    let (found, _) = count(RANGE, queue(1_000.0, 1.0));
    let Capacity::Between { low, high, .. } = found else { panic!("{found:?}") };
    // Latency 20/e and 20·e: 1 − e/20 and 1 − 1/(20 e).
    assert!((low / 864.1 - 1.0).abs() < 0.006 && low <= 864.1, "{found:?}");
    assert!((high / 981.6 - 1.0).abs() < 0.006 && high >= 981.6, "{found:?}");
}

#[test]
fn what_is_never_or_always_met_is_said() {
    let flat = |point: f64| move |_| Excess { least: point - 0.1, point, most: point + 0.1 };
    assert_eq!(count(RANGE, flat(1.0)).0, Capacity::Nothing);
    assert_eq!(count(RANGE, flat(-1.0)).0, Capacity::AtLeast(2_000.0));
    let unsure = count(RANGE, flat(0.05)).0;
    assert_eq!(unsure, Capacity::AtMost(f64::INFINITY));
    assert_eq!(count(RANGE, flat(-0.05)).0, Capacity::AtLeast(0.0));
    // No request fails, and none may: nothing is ever missed.
    let bound = |_| Excess { least: 0.0, point: 0.0, most: 0.1 };
    assert_eq!(count(RANGE, bound).0, Capacity::AtLeast(0.0));
    let (least, most) = (f64::NEG_INFINITY, f64::INFINITY);
    let no_data = count(RANGE, |_| Excess { least, point: most, most }).0;
    assert_eq!(no_data, Capacity::AtMost(f64::INFINITY));
    let slight = |load: f64| {
        let point = 0.05 + load / 1e3;
        Excess { least: point - 0.1, point, most: point + 0.1 }
    };
    let Capacity::AtMost(high) = count(RANGE, slight).0 else { panic!("a point") };
    assert!((50.0..51.0).contains(&high), "{high}");
}

#[test]
fn a_point_beyond_the_noise_of_one_load_does_not_end_an_interval() {
    // One load below the capacity misses by chance, with all that its interval holds.
    let found = search(RANGE, &[], |load, _| {
        let Excess { point, .. } = queue(1_000.0, 0.0)(load);
        let unlucky = (700.0..=700.0).contains(&load);
        let point = if unlucky { 0.6 } else { point };
        Some(Excess { least: point - 0.5, point, most: point + 0.5 })
    });
    let Capacity::Between { high, .. } = found else { panic!("{found:?}") };
    assert!(high > 950.0, "{found:?}");
}

#[test]
fn a_load_that_misses_by_chance_does_not_bound_what_greater_loads_do_not_miss() {
    let found = search(RANGE, &[], |load, _| {
        let Excess { point, .. } = queue(1_000.0, 0.0)(load);
        let point = if (860.0..880.0).contains(&load) { 0.6 } else { point };
        Some(Excess { least: point - 0.5, point, most: point + 0.5 })
    });
    let Capacity::Between { low, high, .. } = found else { panic!("{found:?}") };
    assert!(low < 920.0 && high > 965.0, "{found:?}");
}

/// Two replicas whose survivor is full at 700; from 1,100 on a third is there, and 1,400 can be
/// carried.
fn scaled(error: f64) -> impl Fn(f64) -> Excess {
    move |load| queue(if load < 1_050.0 { 700.0 } else { 1_400.0 }, error)(load)
}

fn below(load: f64) -> Watched {
    Watched { load, look: Look::Few, is_beyond: false }
}

fn beyond(load: f64) -> Watched {
    Watched { is_beyond: true, ..below(load) }
}

#[test]
fn the_capacity_lies_below_a_band_that_misses() {
    for error in [0.01, 0.1, 0.5] {
        let mut tried = Vec::new();
        let found = search(RANGE, &[below(1_035.0), beyond(1_130.0)], |load, _| {
            let excess = scaled(error)(load);
            tried.push((load, excess));
            Some(excess)
        });
        let Capacity::Between { low, high, .. } = found else { panic!("{found:?}") };
        assert!(low < 665.0 && 665.0 < high && high < 700.0, "{found:?}");
        tried.sort_by(|a, b| a.0.total_cmp(&b.0));
        let [band] = bands(&tried)[..] else { panic!("{tried:?}") };
        assert!(band.from == high && band.to < 1_000.0, "{band:?}");
        assert!(band.again == 1_130.0 && band.until >= 1_130.0, "{band:?}");
    }
}

#[test]
fn a_load_is_tried_before_each_change_unless_it_misses_already() {
    // Full at 700, at 1,300 and at 1,700, with a replica more from 1,050 and from 1,400 on.
    let excess = |load: f64| {
        let more = usize::from(load > 1_050.0) + usize::from(load > 1_400.0);
        queue([700.0, 1_300.0, 1_700.0][more], 0.1)(load)
    };
    let watched =
        [below(1_020.0), beyond(1_030.0), beyond(1_060.0), below(1_380.0), beyond(1_420.0)];
    let mut tried = Vec::new();
    search(RANGE, &watched, |load, _| {
        tried.push((load, excess(load)));
        Some(excess(load))
    });
    tried.sort_by(|a, b| a.0.total_cmp(&b.0));
    let is_tried = |load: f64| tried.iter().any(|(other, _)| *other == load);
    assert!(!is_tried(1_020.0) && [1_060.0, 1_380.0, 1_420.0].into_iter().all(is_tried));
    let until: Vec<f64> = bands(&tried).iter().map(|band| band.until).collect();
    assert_eq!(until, [1_060.0, 1_420.0], "{tried:?}");
}

#[test]
fn where_the_least_load_misses_no_load_is_the_capacity_whatever_greater_ones_do() {
    let cold = |load: f64| queue(if load < 18.0 { 0.5 } else { 90.0 }, 0.1)(load);
    let found = search(RANGE, &[10.0, 40.0, 80.0].map(beyond), |load, _| Some(cold(load)));
    assert_eq!(found, Capacity::Nothing);
}

#[test]
fn bands_are_what_misses_below_what_meets() {
    let excess = |point: f64| Excess { least: point - 0.1, point, most: point + 0.1 };
    let tried = |points: &[f64]| -> Vec<(f64, Excess)> {
        points.iter().enumerate().map(|(load, point)| (load as f64, excess(*point))).collect()
    };
    assert_eq!(bands(&tried(&[-1.0, -0.5, 0.0, 0.5])), []);
    assert_eq!(bands(&tried(&[-1.0, 0.15, -0.5, 0.5])), [], "missed by chance");
    let two = bands(&tried(&[-1.0, 0.5, 0.0, 1.0, 0.0, -0.5, -1.0, 1.0, -1.0]));
    let band = |from, to, again, until| Band { from, to, again, until };
    assert_eq!(two, [band(1.0, 3.0, 5.0, 6.0), band(7.0, 7.0, 8.0, 8.0)]);
    assert_eq!(bands(&[]), []);
    // What was met again is so up to the first load of which that is not sure.
    let open = bands(&tried(&[-1.0, 1.0, -1.0, -1.0, 0.0, -1.0]));
    assert_eq!(open, [band(1.0, 1.0, 2.0, 3.0)]);
    let missed = bands(&tried(&[-1.0, 1.0, -1.0, 0.15, -1.0]));
    assert_eq!(missed, [band(1.0, 1.0, 2.0, 2.0)]);
}

#[test]
fn loads_get_all_replications_only_where_a_few_do_not_suffice() {
    let found = |enough: f64, demand: Option<f64>| {
        let mut all: Vec<f64> = Vec::new();
        let capacity = search(Range { enough, demand, ..RANGE }, &[], |load, look| {
            let excess = queue(1_000.0, 0.3)(load);
            if look == Look::Few || excess.is_decided() {
                return Some(excess);
            }
            all.push(load);
            Some(queue(1_000.0, 0.05)(load))
        });
        let Capacity::Between { low, high, .. } = capacity else { panic!("{capacity:?}") };
        (low, high, all)
    };
    // 0.3 either way in the logarithm of the latency: from 932.5 to 963.
    let (low, high, all) = found(0.05, None);
    assert!(high / low <= 1.05 && all.is_empty(), "{low} to {high}, {all:?}");
    let (low, high, all) = found(0.02, None);
    assert!(high / low <= 1.02 && !all.is_empty(), "{low} to {high}, {all:?}");
    assert!(all.iter().all(|load| (900.0..1_000.0).contains(load)), "{all:?}");
    // A demand within the interval is worth it, one outside is not, and far away still less.
    let (low, _, all) = found(0.05, Some(940.0));
    assert!(low >= 940.0 && !all.is_empty(), "{low}, {all:?}");
    assert!(found(0.05, Some(800.0)).2.is_empty());
    assert!(!found(0.025, None).2.is_empty() && found(0.025, Some(100.0)).2.is_empty());
}

#[test]
fn a_stopped_search_says_so() {
    let mut left = 4;
    let found = search(RANGE, &[], |load, _| {
        left -= 1;
        (left > 0).then(|| queue(1_000.0, 0.1)(load))
    });
    assert_eq!(found, Capacity::Stopped);
}
