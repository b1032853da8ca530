use proptest::prelude::*;

use super::*;
use crate::random::{Seed, Stream};
use crate::stats::Interval;

const USUAL: Confidence = Confidence::USUAL;

/// A stationary process of mean 0 in which each value keeps the part `phi` of the one before.
fn ar1(phi: f64, length: usize, stream: &mut Stream) -> Vec<f64> {
    let mut value = stream.normal() / (1.0 - phi * phi).sqrt();
    let mut next = || {
        value = phi * value + stream.normal();
        value
    };
    (0..length).map(|_| next()).collect()
}

/// What becomes of a thousand such processes.
fn of_a_thousand<T>(what: &str, mut one: impl FnMut(&mut Stream) -> T) -> Vec<T> {
    let stream = |trial| Seed { seed: 1, replication: trial }.stream(what, 0);
    (0..1_000).map(|trial| one(&mut stream(trial))).collect()
}

/// Of a thousand processes, how many have an interval, and how many of these contain the mean.
fn intervals(phi: f64, length: usize) -> (usize, usize) {
    let all = of_a_thousand("intervals", |stream| {
        batch_means(&ar1(phi, length, stream), USUAL).and_then(|estimate| estimate.interval)
    });
    let given: Vec<Interval> = all.into_iter().flatten().collect();
    (given.len(), given.iter().filter(|i| i.low <= 0.0 && 0.0 <= i.high).count())
}

/// Five of each of these values.
fn in_fives(batches: &[f64]) -> Vec<f64> {
    batches.iter().flat_map(|value| [*value; BATCH]).collect()
}

#[test]
fn a_start_worked_out_by_hand() {
    let batches = [9.0, 5.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0];
    let by_hand = [56.0 / 100.0, 16.0 / 81.0, 8.0 / 64.0, 48.0 / 343.0, 6.0 / 36.0, 4.8 / 25.0];
    for (found, expected) in squared_errors(&batches).iter().zip(by_hand) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }
    assert_eq!(mser5(&in_fives(&batches)), Some(Start::Over(10)));
    // Four values that fill no batch change nothing.
    let longer = [in_fives(&batches), vec![99.0; 4]].concat();
    assert_eq!(mser5(&longer), Some(Start::Over(10)));
}

#[test]
fn what_never_settles_is_refused() {
    let rising: Vec<f64> = (0..200).map(f64::from).collect();
    assert_eq!(mser5(&rising), Some(Start::NotOver));
    let step = |low: usize| [vec![0.0; low], vec![1.0; 200 - low]].concat();
    assert_eq!(mser5(&step(100)), Some(Start::Over(100)), "half may go");
    assert_eq!(mser5(&step(105)), Some(Start::NotOver));
}

#[test]
fn equal_values_are_steady_from_the_start() {
    assert_eq!(mser5(&[0.1; 50]), Some(Start::Over(0)));
    let interval = batch_means(&[0.1; 50], USUAL).unwrap().interval.unwrap();
    assert!((interval.low - 0.1).abs() < 1e-12 && (interval.high - 0.1).abs() < 1e-12);
}

#[test]
fn too_few_values_say_nothing() {
    assert_eq!(mser5(&[1.0; 49]), None);
    assert_eq!(mser5(&[]), None);
    assert_eq!(batch_means(&[1.0; 39], USUAL), None);
    assert_eq!(batch_ratio(&[(0.0, 0.0); 400], USUAL), None);
    let hardly_any = |index: usize| if index < 9 { (1.0, 1.0) } else { (0.0, 0.0) };
    assert_eq!(batch_ratio(&(0..40).map(hardly_any).collect::<Vec<_>>(), USUAL), None);
}

#[test]
fn a_decaying_start_is_found() {
    // Ten deviations at first, a deviation after 115 values, a tenth of one after 345.
    let found = of_a_thousand("decay", |stream| {
        let noise = ar1(0.5, 2_000, stream).into_iter().enumerate();
        let values = noise.map(|(index, off)| off + 11.5 * (-(index as f64) / 50.0).exp());
        mser5(&values.collect::<Vec<_>>())
    });
    let reasonable = |start: &&Option<Start>| matches!(start, Some(Start::Over(100..=500)));
    let good = found.iter().filter(reasonable).count();
    assert!(good >= 950, "{good} of 1000");
}

#[test]
fn a_steady_series_keeps_most_of_its_values() {
    let found = of_a_thousand("steady", |stream| mser5(&ar1(0.5, 2_000, stream)));
    let little = |start: &&Option<Start>| matches!(start, Some(Start::Over(0..=200)));
    let good = found.iter().filter(little).count();
    assert!(good >= 950, "{good} of 1000");
}

#[test]
fn intervals_of_batch_means_cover_the_truth_as_often_as_they_claim() {
    for (phi, length) in [(0.0, 240), (0.5, 2_000), (0.8, 10_000), (0.95, 50_000)] {
        let (given, cover) = intervals(phi, length);
        let share = cover as f64 / given as f64;
        assert!(given >= 980, "{given} of 1000 for {phi}, {length}");
        assert!((0.93..=0.97).contains(&share), "{share} for {phi}, {length}");
    }
}

#[test]
fn what_is_too_correlated_for_its_length_gets_no_interval() {
    assert_eq!(intervals(0.98, 540).0, 0);
    // In between, some series look less correlated than they are: few of all get a wrong interval.
    for (phi, length) in [(0.3, 50), (0.5, 120), (0.8, 240), (0.8, 540), (0.95, 2_000)] {
        let (given, cover) = intervals(phi, length);
        assert!(given - cover <= 70, "{} wrong for {phi}, {length}", given - cover);
    }
}

#[test]
fn a_ratio_is_that_of_the_totals() {
    let covered = of_a_thousand("ratio", |stream| {
        // Latency 2 each; the more there are, the slower they are.
        let pair = |_| {
            let served = 50.0 + 5.0 * stream.normal();
            (served * (2.0 + 0.02 * (served - 50.0) + 0.1 * stream.normal()), served)
        };
        let pairs: Vec<(f64, f64)> = (0..500).map(pair).collect();
        let interval = batch_ratio(&pairs, USUAL)?.interval?;
        // E[X]/E[Y] = 2 + 0.02 · Var(Y) / E[Y]
        Some((interval.low..=interval.high).contains(&2.01))
    });
    let given: Vec<bool> = covered.into_iter().flatten().collect();
    let share = given.iter().filter(|covers| **covers).count() as f64 / given.len() as f64;
    assert!(given.len() >= 980 && (0.93..=0.97).contains(&share), "{share} of {}", given.len());
}

#[test]
fn an_interval_rests_on_ten_or_twenty_batches_and_all_values() {
    let number = |length| {
        let series = of_a_thousand("number", |stream| ar1(0.0, length, stream)).swap_remove(0);
        let estimate = batch_means(&series, USUAL).unwrap();
        let mean = series.iter().sum::<f64>() / length as f64;
        assert!((estimate.point - mean).abs() < 1e-12);
        estimate.n
    };
    assert_eq!([41, 79, 80, 333, 1_999].map(number), [10, 10, 20, 20, 20]);
}

proptest! {
    #[test]
    fn no_series_is_too_odd(values in prop::collection::vec(any::<f64>(), 0..400)) {
        if let Some(Start::Over(cut)) = mser5(&values) {
            prop_assert!(cut.is_multiple_of(BATCH) && 2 * cut <= values.len());
        }
        if let Some(estimate) = batch_means(&values, USUAL) {
            prop_assert!(estimate.interval.is_some() && (LEAST..=MOST).contains(&estimate.n));
        }
        let pairs: Vec<_> = values.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        if let Some(estimate) = batch_ratio(&pairs, USUAL) {
            prop_assert!(estimate.interval.is_some());
        }
    }
}
