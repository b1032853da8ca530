use super::*;
use crate::random::{Seed, Stream};
use crate::units::{Rate, SECOND, Span};

fn secs(seconds: f64) -> Instant {
    Instant::from_secs(seconds)
}

fn window(limit: u64, seconds: f64) -> Quota {
    Quota { limit, window: Span::from_secs(seconds) }
}

fn fixed(quotas: &[Quota], start: WindowOrigin) -> Algorithm {
    Algorithm::FixedWindow { quotas: quotas.to_vec(), start }
}

fn limiter(algorithm: Algorithm, sharing: Sharing, slots: usize) -> Limiter {
    let spec = LimitSpec { algorithm, sharing, on_unknown: OnUnknown::Block };
    Limiter::new(&spec, 1_000, slots)
}

/// Whether a request at these seconds is admitted; key 0, in reach.
fn admits(limiter: &mut Limiter, at: f64, slot: usize) -> bool {
    limiter.decide(secs(at), slot, 0, true).decision == LimitDecision::Admitted
}

fn stream(number: u64) -> Stream {
    Seed { seed: 11, replication: number }.stream("arrivals", 0)
}

/// Of 10^6 Poisson arrivals at `rate` a second, spread evenly over the slots: the share admitted,
/// the mean number admitted in a window of this many seconds, and the number of windows.
fn poisson(limiter: &mut Limiter, rate: f64, length: f64, slots: usize) -> (f64, f64, f64) {
    let mut stream = stream((rate * length) as u64);
    let (mut at, mut admitted, mut windows) = (0.0, 0_u64, Vec::new());
    for _ in 0..1_000_000 {
        at += stream.exponential() / rate;
        windows.resize((at / length) as usize + 1, 0.0);
        let slot = if slots > 1 { stream.below(slots) } else { 0 };
        if admits(limiter, at, slot) {
            admitted += 1;
            *windows.last_mut().unwrap() += 1.0;
        }
    }
    windows.pop();
    let number = windows.len() as f64;
    (admitted as f64 / 1e6, windows.iter().sum::<f64>() / number, number)
}

/// The variance of the lesser of `limit` and a Poisson number with this mean.
fn capped_variance(mean: f64, limit: u64) -> f64 {
    let mass = |k: f64| (k * mean.ln() - mean - libm::lgamma(k + 1.0)).exp();
    // What lacks to the limit has the same variance, and no long sum.
    let lacks = (0..limit).map(|k| (mass(k as f64), (limit - k) as f64));
    let (first, second) = lacks.fold((0.0, 0.0), |(first, second), (mass, lack)| {
        (first + mass * lack, second + mass * lack * lack)
    });
    second - first * first
}

/// Arrivals a second, seconds of a window, limit, replicas with a limit of their own, mean admitted
/// per window, share rejected with its tolerance for 10^6 requests: `rate_limit_fixed_window`.
type FixedVector = (f64, f64, u64, usize, Option<f64>, Option<(f64, f64)>);

const FIXED: [FixedVector; 8] = [
    (90.0, 1.0, 100, 1, None, Some((0.008331918340554356, 0.0007271862474968323))),
    (90.0, 1.0, 100, 3, Some(89.99999999999874), None),
    (100.0, 1.0, 100, 1, None, Some((0.03986099680914923, 0.0015650604638549701))),
    (100.0, 1.0, 100, 2, Some(99.99999999939496), None),
    (
        120.0,
        1.0,
        100,
        1,
        Some(99.87684531741999),
        Some((0.16769295568816678, 0.0029887471976142335)),
    ),
    (120.0, 1.0, 100, 3, Some(119.9999999999992), None),
    (10.0, 10.0, 100, 2, Some(99.99999999939496), None),
    (10.0, 10.0, 100, 3, Some(99.99999999999852), None),
];

#[test]
fn fixed_windows_admit_what_the_vectors_say() {
    let slow = (12.0, 60.0, 600, 1, Some(599.999989317185), None);
    for (rate, seconds, limit, slots, mean, rejected) in FIXED.into_iter().chain([slow]) {
        let sharing = if slots > 1 { Sharing::PerReplica } else { Sharing::Counter };
        let algorithm = fixed(&[window(limit, seconds)], WindowOrigin::Clock);
        let mut limiter = limiter(algorithm, sharing, slots);
        let (share, sample, windows) = poisson(&mut limiter, rate, seconds, slots);
        if let Some(mean) = mean {
            let each = rate * seconds / slots as f64;
            let error = (slots as f64 * capped_variance(each, limit) / windows).sqrt();
            assert!((sample - mean).abs() < 4.0 * error, "{rate} {limit} {slots}: {sample} {mean}");
        }
        if let Some((rejected, tolerance)) = rejected {
            let sample = 1.0 - share;
            assert!((sample - rejected).abs() < tolerance, "{rate}: {sample} {rejected}");
        }
    }
}

#[test]
fn token_buckets_admit_what_the_vectors_say() {
    // `rate_limit_token_bucket`: arrivals a second, tokens held, share admitted, tolerance.
    for (rate, size, value, tolerance) in [
        (150.0, 1, 0.4, 0.0039191835884530846),
        (80.0, 1, 0.5555555555555556, 0.003975231959999626),
        (90.0, 10, 0.983369191508916, 0.001123069098742153),
    ] {
        let algorithm = Algorithm::TokenBucket { per_sec: Rate(100.0), size };
        let (share, ..) = poisson(&mut limiter(algorithm, Sharing::Counter, 1), rate, 1.0, 1);
        assert!((share - value).abs() < tolerance, "{rate} {size}: {share} {value}");
    }
}

#[test]
fn a_window_starts_at_the_first_request_or_by_the_clock() {
    let ask = |start| {
        let mut limiter = limiter(fixed(&[window(2, 10.0)], start), Sharing::Counter, 1);
        [7.0, 8.0, 9.0, 10.0, 16.9, 17.0, 20.0].map(|at| admits(&mut limiter, at, 0))
    };
    assert_eq!(ask(WindowOrigin::FirstRequest), [true, true, false, false, false, true, true]);
    assert_eq!(ask(WindowOrigin::Clock), [true, true, false, true, true, false, true]);
}

#[test]
fn every_quota_must_have_room_and_a_refusal_takes_nothing() {
    let quotas = [window(2, 10.0), window(3, 100.0)];
    let mut limiter = limiter(fixed(&quotas, WindowOrigin::FirstRequest), Sharing::Counter, 1);
    let admitted =
        [0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 100.0].map(|at| admits(&mut limiter, at, 0));
    assert_eq!(admitted, [true, true, false, false, true, false, false, true]);
}

#[test]
fn keys_do_not_know_of_each_other() {
    let mut limiter = limiter(fixed(&[window(1, 10.0)], WindowOrigin::Clock), Sharing::Counter, 1);
    for _ in 0..2 {
        let last = [0, 1, 999].map(|key| limiter.decide(secs(0.0), 0, key, true).decision);
        let again = [0, 1, 999].map(|key| limiter.decide(secs(1.0), 0, key, true).decision);
        assert_eq!((last, again), ([LimitDecision::Admitted; 3], [LimitDecision::Limited; 3]));
        limiter.all_lost();
    }
}

#[test]
fn a_token_that_comes_exactly_in_time_is_there() {
    for rate in [3.0, 7.0, 10.0, 300.0] {
        let algorithm = Algorithm::TokenBucket { per_sec: Rate(rate), size: 1 };
        let mut limiter = limiter(algorithm, Sharing::Counter, 1);
        let tick = |number: u64| Instant((number as f64 * SECOND as f64 / rate).ceil() as u64);
        let count = (0..10_000).filter(|number| {
            limiter.decide(tick(*number), 0, 0, true).decision == LimitDecision::Admitted
        });
        assert_eq!(count.count(), 10_000, "{rate}");
    }
}

#[test]
fn a_bucket_starts_full_and_fills_no_further() {
    let algorithm = Algorithm::TokenBucket { per_sec: Rate(1.0), size: 3 };
    let mut limiter = limiter(algorithm, Sharing::PerReplica, 2);
    let burst = |limiter: &mut Limiter, at: f64, slot: usize| {
        (0..9).filter(|_| admits(limiter, at, slot)).count()
    };
    assert_eq!([0.0, 1.5, 2.0, 60.0].map(|at| burst(&mut limiter, at, 0)), [3, 1, 1, 3]);
    assert_eq!(burst(&mut limiter, 60.0, 1), 3);
    limiter.lost(0);
    assert_eq!([0, 1].map(|slot| burst(&mut limiter, 60.0, slot)), [3, 0]);
}

#[test]
fn a_sliding_window_forgets_each_request_by_itself() {
    let algorithm = Algorithm::SlidingWindow { limit: 2, window: Span::from_secs(10.0) };
    let mut limiter = limiter(algorithm, Sharing::Counter, 1);
    let admitted = [0.0, 4.0, 9.0, 10.0, 13.9, 14.0].map(|at| admits(&mut limiter, at, 0));
    assert_eq!(admitted, [true, true, false, true, false, true]);
}

#[test]
fn a_sliding_window_never_has_more_than_its_limit() {
    let span = Span::from_secs(1.0);
    let algorithm = Algorithm::SlidingWindow { limit: 20, window: span };
    let mut limiter = limiter(algorithm, Sharing::Counter, 1);
    let (mut stream, mut at, mut passed) = (stream(3), 0.0, Vec::new());
    for _ in 0..20_000 {
        at += stream.exponential() / 40.0;
        if admits(&mut limiter, at, 0) {
            passed.push(secs(at));
        }
    }
    assert!(passed.windows(21).all(|times| times[20].since(times[0]) >= span));
    // It is not stricter than that either: 20 a second get through, but for the gaps.
    assert!(passed.len() as f64 > 0.95 * 20.0 * at, "{} in {at} s", passed.len());
}

#[test]
fn out_of_reach_nobody_knows_what_only_all_know() {
    let algorithms = [
        fixed(&[window(1, 10.0)], WindowOrigin::FirstRequest),
        Algorithm::TokenBucket { per_sec: Rate(1.0), size: 1 },
        Algorithm::SlidingWindow { limit: 1, window: Span::from_secs(10.0) },
    ];
    for algorithm in algorithms {
        let ask = |sharing| {
            let mut limiter = limiter(algorithm.clone(), sharing, 1);
            let answers = [(); 2].map(|()| limiter.decide(secs(0.0), 0, 0, false));
            answers.map(|answer| (answer.decision, answer.asked))
        };
        assert_eq!(ask(Sharing::Counter), [(LimitDecision::Unknown, true); 2]);
        assert_eq!(ask(Sharing::LEASES), [(LimitDecision::Unknown, true); 2]);
        let own = ask(Sharing::PerReplica);
        assert_eq!(own, [(LimitDecision::Admitted, false), (LimitDecision::Limited, false)]);
    }
}

#[test]
fn what_nobody_knows_is_blocked_or_passed_as_set() {
    let passes = |decision: LimitDecision| {
        [OnUnknown::Block, OnUnknown::Pass].map(|on_unknown| decision.passes(on_unknown))
    };
    assert_eq!(passes(LimitDecision::Unknown), [false, true]);
    assert_eq!(passes(LimitDecision::Admitted), [true, true]);
    assert_eq!(passes(LimitDecision::Limited), [false, false]);
    let algorithm = fixed(&[window(1, 10.0)], WindowOrigin::Clock);
    let mut limiter = limiter(algorithm, Sharing::Counter, 1);
    let answer = limiter.decide(secs(0.0), 0, 0, false);
    assert!(!limiter.passes(answer));
}

#[test]
fn short_windows_are_stretched_at_the_same_rate() {
    assert_eq!(window(10, 5.0).stretched(), window(20, 10.0));
    assert_eq!(window(10, 3.0).stretched(), window(33, 10.0));
    assert_eq!(window(10, 10.0).stretched(), window(10, 10.0));
    assert_eq!(window(10, 60.0).stretched(), window(10, 60.0));
    // Only leases need it.
    let ask = |sharing| {
        let mut limiter =
            limiter(fixed(&[window(10, 5.0)], WindowOrigin::FirstRequest), sharing, 1);
        let mut burst = |at| (0..99).filter(|_| admits(&mut limiter, at, 0)).count();
        [burst(0.0), burst(5.0), burst(10.0)]
    };
    assert_eq!(ask(Sharing::LEASES), [20, 0, 20]);
    assert_eq!(ask(Sharing::Counter), [10, 10, 10]);
}
