//! One run that goes on for long: where its start is over, and how sure the mean of the rest is.
//!
//! Values of one run that follow each other are not independent. Means of long batches of them
//! nearly are, and that is all that is used here.

use super::{Confidence, Estimate, jackknife};

/// Values in a batch of MSER-5.
pub const BATCH: usize = 5;
/// The fewest batches that MSER-5 is asked about.
const FEWEST: usize = 10;
/// Batches at the end where MSER-5 does not truncate: so few may lie close together by chance
/// (Hoad, Robinson and Davies, Winter Simulation Conference 2008).
const LAST: usize = 5;

/// What MSER-5 says of the start of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The first so many values are the transient, a multiple of [`BATCH`]; zero = there is none.
    Over(usize),
    /// More than half would have to go: no steady state is seen.
    NotOver,
}

/// Where a series becomes steady: at the batch of five from which on the standard error of the mean
/// is least (White, Simulation 69, 1997; White, Cobb and Spratt, Winter Simulation Conference
/// 2000). `None` with fewer than 50 values, or if one is not finite. What does not fill the last
/// batch is left aside.
pub fn mser5(values: &[f64]) -> Option<Start> {
    let batches: Vec<f64> =
        values.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    if batches.len() < FEWEST || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let candidates = &squared_errors(&batches)[..=batches.len() - LAST];
    let least = candidates.iter().copied().fold(f64::INFINITY, f64::min);
    let cut = candidates.iter().position(|error| *error == least)?;
    let in_second_half = 2 * cut > batches.len();
    Some(if in_second_half { Start::NotOver } else { Start::Over(cut * BATCH) })
}

/// For each number of batches left out at the start, the squared standard error of the mean of the
/// other k: Σ(x − x̄)² / k².
fn squared_errors(batches: &[f64]) -> Vec<f64> {
    let (mut mean, mut squares) = (0.0, 0.0);
    let mut errors: Vec<f64> = Vec::with_capacity(batches.len());
    // From the end, one more at a time (Welford, Technometrics 4, 1962): no digits are lost.
    for (value, count) in batches.iter().rev().zip(1..) {
        let (count, off) = (f64::from(count), value - mean);
        mean += off / count;
        squares += off * (value - mean);
        errors.push(squares / (count * count));
    }
    errors.reverse();
    errors
}

/// In how many batches a series is cut to see whether they still depend on each other.
const TRIED: [usize; 4] = [320, 160, 80, 40];
/// The most batches that an interval rests on; more make it hardly narrower (Schmeiser, Operations
/// Research 30, 1982).
const MOST: usize = 20;
/// The fewest.
const LEAST: usize = 10;
/// A normal variable exceeds this once in twenty times.
const ONE_IN_TWENTY: f64 = 1.644_853_627;

/// The mean of a steady series by batch means; see [`batch_ratio`].
pub fn batch_means(values: &[f64], confidence: Confidence) -> Option<Estimate> {
    let pairs: Vec<_> = values.iter().map(|value| (*value, 1.0)).collect();
    batch_ratio(&pairs, confidence)
}

/// The ratio of two totals Σx/Σy over one steady run, from pairs (x, y) in order of time: the
/// jackknife over batches that follow each other. [`Estimate::n`] is the number of batches.
///
/// The series is cut into 320 batches, or 160, 80 or 40 if it is shorter. While neighbours are
/// correlated, by the test of von Neumann at 5 %, pairs of them are merged (Fishman, Management
/// Science 24, 1978). Few batches show only a strong correlation, so the interval rests on batches
/// four times as long as the first that pass: on 20, or 10 where 40 passed. `None` if 40 are still
/// correlated, if there are fewer than 40 pairs, or fewer than 10 batches with y > 0.
pub fn batch_ratio(pairs: &[(f64, f64)], confidence: Confidence) -> Option<Estimate> {
    let possible = TRIED.into_iter().filter(|number| *number <= pairs.len());
    let passed = { possible }.find(|number| are_uncorrelated(&cut(pairs, *number)))?;
    in_batches(pairs, (passed / 4).min(MOST), confidence)
        .filter(|estimate| estimate.n >= LEAST && estimate.interval.is_some())
}

/// The same over so many batches, whether they are correlated or not: where they are, the interval
/// is too narrow.
pub fn in_batches(pairs: &[(f64, f64)], number: usize, confidence: Confidence) -> Option<Estimate> {
    jackknife::ratio(&cut(pairs, number), confidence)
}

/// Totals of so many batches of nearly the same length.
fn cut(pairs: &[(f64, f64)], number: usize) -> Vec<(f64, f64)> {
    let bound = |index: usize| index * pairs.len() / number;
    let total = |batch: &[(f64, f64)]| {
        batch.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
    };
    (0..number).map(|index| total(&pairs[bound(index)..bound(index + 1)])).collect()
}

/// Whether what batches are off the common ratio does not follow what their neighbours are. False
/// for what are no numbers.
fn are_uncorrelated(batches: &[(f64, f64)]) -> bool {
    let (x, y) = batches.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let off: Vec<f64> = batches.iter().map(|pair| pair.0 - x / y * pair.1).collect();
    let scale: f64 = batches.iter().map(|pair| pair.0 * pair.0).sum();
    let squares: f64 = off.iter().map(|off| off * off).sum();
    // What is off by rounding alone has no order to speak of.
    squares <= 1e-24 * scale || von_neumann(&off, squares) <= ONE_IN_TWENTY
}

/// The ratio of von Neumann (Annals of Mathematical Statistics 12, 1941) for values whose mean is
/// zero, in a form that is nearly standard normal if they are independent, and larger if neighbours
/// are alike.
fn von_neumann(values: &[f64], squares: f64) -> f64 {
    let count = values.len() as f64;
    let steps: f64 = values.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    (1.0 - steps / (2.0 * squares)) * ((count * count - 1.0) / (count - 2.0)).sqrt()
}

#[cfg(test)]
#[path = "steady_tests.rs"]
mod tests;
