//! Measuring cases in turn, and comparing them with what they took before.
//!
//! Each round runs the reference loop and then every case, so that whatever disturbs the machine
//! disturbs all alike; what is compared is the ratio of a case to the loop of its round. The median
//! of the rounds stands for a case, and between the second least and the second greatest of nine
//! lies the true median with 96 % confidence, whatever the noise looks like.

pub mod baseline;
pub mod reference;

use std::time::Instant as Wall;

/// Rounds; odd, so that there is a median.
pub const ROUNDS: usize = 9;

/// A median of rounds, and the interval that contains the true one with 96 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Median {
    pub fn of(mut rounds: Vec<f64>) -> Self {
        assert_eq!(rounds.len(), ROUNDS, "a value from every round");
        rounds.sort_by(f64::total_cmp);
        Median { value: rounds[ROUNDS / 2], low: rounds[1], high: rounds[ROUNDS - 2] }
    }
}

/// What a case took.
pub struct Measured {
    pub name: &'static str,
    /// Nanoseconds of CPU for each request.
    pub nanoseconds: Median,
    /// The same over those of the reference loop.
    pub ratio: Median,
}

/// Nanoseconds that this thread has spent on a CPU: others do not count. Where the system does not
/// tell (it does on Linux), those that have passed.
fn spent(start: Wall) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let first = told.as_deref().and_then(|text| text.split_whitespace().next()?.parse().ok());
    first.unwrap_or_else(|| start.elapsed().as_nanos() as f64)
}

/// Nanoseconds of CPU for each of the requests that `work` says it had.
pub fn cost(start: Wall, work: impl FnOnce() -> u64) -> f64 {
    let before = spent(start);
    let requests = work();
    (spent(start) - before) / requests as f64
}

/// Runs the cases in turn, the reference loop before each round and as the first of the results.
pub fn measure<C>(
    cases: &[(&'static str, C)],
    mut run: impl FnMut(&C, u64) -> u64,
) -> Vec<Measured> {
    let start = Wall::now();
    let mut costs = vec![Vec::new(); cases.len() + 1];
    for round in 0..ROUNDS as u64 {
        let reference = || (0..4).map(|part| reference::run(4 * round + part).0).sum();
        let unit = cost(start, reference);
        costs[0].push((unit, 1.0));
        for (case, costs) in cases.iter().zip(&mut costs[1..]) {
            let cost = cost(start, || run(&case.1, round));
            costs.push((cost, cost / unit));
        }
    }
    let names = ["reference"].into_iter().chain(cases.iter().map(|case| case.0));
    let measured = |(name, costs): (&'static str, Vec<(f64, f64)>)| Measured {
        name,
        nanoseconds: Median::of(costs.iter().map(|cost| cost.0).collect()),
        ratio: Median::of(costs.iter().map(|cost| cost.1).collect()),
    };
    names.zip(costs).map(measured).collect()
}
