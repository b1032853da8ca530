//! The rate of arrivals over time, turned round: from expected arrivals to the time at which they
//! have come.
//!
//! ```text
//! corners ──► pieces, linear in time ──► cut where a burst begins or ends ──► inverse integral
//! ```
//!
//! Between two ends of pieces a request costs one division; what a piece is made of is worked out
//! when it begins, so bursts cost nothing per request.

use crate::plan::{ArrivalProcess, Bursts, Scatter};
use crate::random::{Seed, Stream};
use crate::units::{Instant, SECOND, Span};

/// Turns unit-rate time into time at a piecewise linear rate: the inverse of the integrated rate.
pub(super) struct RateClock {
    shape: Shape,
    bursts: Option<BurstClock>,
    /// The current piece of the shape, and the part of it that lies in one state of the bursts.
    whole: Piece,
    piece: Piece,
    /// Position in the current piece, in nanoseconds.
    within: f64,
}

/// A time in which the rate is linear, in nanoseconds and per nanosecond.
#[derive(Clone, Copy)]
struct Piece {
    start: f64,
    length: f64,
    rate: f64,
    slope: f64,
}

impl RateClock {
    /// The clock at the start of a replication.
    pub fn new(process: &ArrivalProcess, seed: Seed) -> Self {
        let shape = Shape::new(process);
        let bursts = match process.scatter {
            Scatter::Bursty(bursts) => Some(BurstClock::new(&bursts, seed)),
            Scatter::Poisson | Scatter::Deterministic => None,
        };
        let whole = shape.piece();
        let mut clock = RateClock { shape, bursts, whole, piece: whole, within: 0.0 };
        clock.cut(0.0);
        clock
    }

    /// Lets `work` expected arrivals pass and gives the time; `None` if that lies at or beyond
    /// `horizon`.
    #[inline(always)]
    pub fn pass(&mut self, mut work: f64, horizon: f64) -> Option<u64> {
        loop {
            let Piece { start, length, rate, slope } = self.piece;
            let here = rate + slope * self.within;
            // Of a level rate no division waits for the one before it.
            let step = if slope == 0.0 { work / rate } else { ramp_time(here, slope, work) };
            let at = self.within + step;
            if at <= length {
                debug_assert!(at >= self.within, "time goes back from {} to {at}", self.within);
                self.within = at;
                // Through the signed type, whose conversion is a few steps shorter.
                return Some((start + at + 0.5) as i64 as u64);
            }
            let left = length - self.within;
            work = (work - left * (here + slope * left / 2.0)).max(0.0);
            if !self.enter_next_piece(horizon) {
                return None;
            }
        }
    }

    /// Moves on; false if the next piece starts at or beyond `horizon`.
    #[cold]
    fn enter_next_piece(&mut self, horizon: f64) -> bool {
        let end = self.piece.start + self.piece.length;
        if end >= horizon {
            return false;
        }
        self.within = 0.0;
        match &mut self.bursts {
            Some(bursts) if bursts.until < self.whole.start + self.whole.length => bursts.turn(),
            _ => {
                self.shape.advance();
                self.whole = self.shape.piece();
            }
        }
        self.cut(end);
        true
    }

    /// Begins the part of the whole piece from the time `from` on that lies in one state.
    fn cut(&mut self, from: f64) {
        self.piece = match &self.bursts {
            Some(bursts) => self.whole.part(from, bursts.until, bursts.factor()),
            None => self.whole,
        };
        let Piece { start, length, .. } = self.piece;
        debug_assert!(start >= from.min(self.whole.start) && length >= 0.0, "a piece is in order");
    }
}

impl Piece {
    /// What lies between two times, at so many times the rate.
    fn part(self, from: f64, until: f64, factor: f64) -> Piece {
        let passed = (from - self.start).clamp(0.0, self.length);
        Piece {
            start: self.start + passed,
            length: (self.length - passed).min((until - from).max(0.0)),
            rate: factor * (self.rate + self.slope * passed),
            slope: factor * self.slope,
        }
    }
}

/// The corners of the rate, and the place among them.
struct Shape {
    /// Rates per nanosecond at the corners, in time order.
    corners: Vec<(f64, f64)>,
    period: f64,
    /// Start of the current round of the period, and the current piece in it.
    round: f64,
    index: usize,
}

impl Shape {
    fn new(process: &ArrivalProcess) -> Shape {
        let corners = process.corners.iter();
        assert!(process.corners.is_sorted_by_key(|(at, _)| *at), "corners are in order of time");
        assert!(corners.clone().all(|(_, rate)| rate.0 >= 0.0), "no rate is below zero");
        let last = process.corners.last().expect("a rate has corners").0;
        let fits = |period: Span| Instant::ZERO + period >= last;
        assert!(process.period.is_none_or(fits), "a period ends before its last corner");
        Shape {
            corners: corners.map(|(at, rate)| (at.0 as f64, rate.0 / SECOND as f64)).collect(),
            period: process.period.map_or(f64::INFINITY, |period| period.0 as f64),
            round: 0.0,
            index: 0,
        }
    }

    fn piece(&self) -> Piece {
        let (start, rate) = self.corners[self.index];
        let (end, slope) = match self.corners.get(self.index + 1) {
            Some((end, next)) if *end > start => (*end, (next - rate) / (end - start)),
            Some((end, _)) => (*end, 0.0),
            None => (self.period, 0.0),
        };
        Piece { start: self.round + start, length: end - start, rate, slope }
    }

    fn advance(&mut self) {
        self.index += 1;
        if self.index == self.corners.len() {
            self.index = 0;
            self.round += self.period;
        }
    }
}

/// Calm and burst in turn, from a stream of their own: the same times at any rate.
struct BurstClock {
    stream: Stream,
    /// Factors of the rate and mean lengths in nanoseconds, first of calm, then of bursts.
    states: [(f64, f64); 2],
    state: usize,
    /// When the current state ends.
    until: f64,
}

impl BurstClock {
    /// In the state that the long run has at a moment taken at random. Lengths are exponential, so
    /// what is left of it has the law of the whole.
    fn new(bursts: &Bursts, seed: Seed) -> BurstClock {
        let mut stream = seed.stream("bursts", 0);
        let states =
            [(bursts.calm(), bursts.every.0 as f64), (bursts.peak(), bursts.length.0 as f64)];
        let lasts = |(factor, mean): &(f64, f64)| *factor >= 0.0 && *mean > 0.0;
        assert!(states.iter().all(lasts), "calm and bursts that last: {states:?}");
        let state = usize::from(stream.unit() < bursts.share().0);
        let until = states[state].1 * stream.exponential();
        BurstClock { stream, states, state, until }
    }

    fn factor(&self) -> f64 {
        self.states[self.state].0
    }

    fn turn(&mut self) {
        self.state = 1 - self.state;
        self.until += self.states[self.state].1 * self.stream.exponential();
    }
}

/// The time in which a rate that starts at `rate` and grows by `slope` lets `work` arrivals pass;
/// infinite if it falls to zero before. The stable root of `rate·t + slope·t²/2 = work`.
fn ramp_time(rate: f64, slope: f64, work: f64) -> f64 {
    let square = rate * rate + 2.0 * slope * work;
    if square < 0.0 { f64::INFINITY } else { 2.0 * work / (rate + square.sqrt()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rate;

    const HORIZON: f64 = 2e5;

    fn bursty(factor: f64, calm: f64, burst: f64) -> Bursts {
        Bursts { factor, every: Span::from_secs(calm), length: Span::from_secs(burst) }
    }

    fn process(scatter: Scatter, corners: &[(f64, f64)], period: Option<f64>) -> ArrivalProcess {
        let corner = |(at, rate): &(f64, f64)| (Instant::from_secs(*at), Rate(*rate));
        let corners = corners.iter().map(corner).collect();
        ArrivalProcess { scatter, corners, period: period.map(Span::from_secs) }
    }

    /// Times in seconds at which each further unit of work has passed: the rate without its
    /// randomness.
    fn passes(process: &ArrivalProcess, unit: f64, horizon: f64, replication: u64) -> Vec<f64> {
        let mut clock = RateClock::new(process, Seed { seed: 5, replication });
        let next = || clock.pass(unit, horizon * 1e9).filter(|at| *at < (horizon * 1e9) as u64);
        std::iter::from_fn(next).map(|at| at as f64 / 1e9).collect()
    }

    /// Counts of Poisson arrivals in windows of this many seconds.
    fn counts(process: &ArrivalProcess, window: f64, windows: usize) -> Vec<f64> {
        let seed = Seed { seed: 11, replication: 0 };
        let (mut clock, mut gaps) = (RateClock::new(process, seed), seed.stream("arrivals", 0));
        let end = window * windows as f64 * 1e9;
        let mut counts = vec![0.0; windows];
        while let Some(at) = clock.pass(gaps.exponential(), end).filter(|at| (*at as f64) < end) {
            counts[(at as f64 / 1e9 / window) as usize] += 1.0;
        }
        counts
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// Mean and standard error of the means of 50 batches.
    fn batched(values: &[f64]) -> (f64, f64) {
        let batches: Vec<f64> = values.chunks(values.len() / 50).map(mean).collect();
        let centre = mean(&batches);
        let variance = batches.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / 49.0;
        (centre, (variance / 50.0).sqrt())
    }

    #[test]
    fn the_rate_stays_the_long_run_mean_whatever_the_bursts() {
        for bursts in [bursty(5.0, 9.0, 3.0), bursty(50.0, 20.0, 0.5), bursty(1.0, 1.0, 1.0)] {
            let process = process(Scatter::Bursty(bursts), &[(0.0, 40.0)], None);
            let (mean, error) = batched(&counts(&process, 10.0, 20_000));
            // Four standard errors of batches that are long beside a burst.
            assert!((mean - 400.0).abs() < 4.0 * error, "{bursts:?}: {mean} ± {error}");
            assert!(error < 0.02 * mean, "{error}");
        }
    }

    #[test]
    fn counts_are_dispersed_as_those_of_two_states_are() {
        // Fischer and Meier-Hellstern, The Markov-modulated Poisson process cookbook (1993): with
        // rates a, b left at r, s: Var/Mean of N(t) = 1 + 2·(a−b)²·r·s/((r+s)²·(a·s+b·r)) ·
        // (1 − (1 − e^(−(r+s)t))/((r+s)t)).
        let (calm, burst) = (3.0, 1.0);
        let bursts = bursty(6.0, calm, burst);
        let process = process(Scatter::Bursty(bursts), &[(0.0, 90.0)], None);
        let (a, b) = (90.0 * bursts.calm(), 90.0 * bursts.peak());
        let (r, s) = (1.0 / calm, 1.0 / burst);
        for window in [0.1, 1.0, 10.0] {
            let turns = (r + s) * window;
            let shape = 1.0 - (1.0 - (-turns).exp()) / turns;
            let excess = 2.0 * (a - b).powi(2) * r * s / ((r + s).powi(2) * (a * s + b * r));
            let expected = 1.0 + excess * shape;
            let counts = counts(&process, window, (40_000.0 / window) as usize);
            let squares: Vec<f64> = counts.iter().map(|n| (n - 90.0 * window).powi(2)).collect();
            let (variance, error) = batched(&squares);
            let (index, error) = (variance / (90.0 * window), error / (90.0 * window));
            // Four standard errors over batches of 800 s, 200 times a calm and a burst.
            assert!((index - expected).abs() < 4.0 * error, "{window}: {index} ± {error}");
            assert!(error < 0.05 * expected, "{window}: {error} of {expected}");
        }
    }

    #[test]
    fn a_run_begins_in_a_burst_as_often_as_the_long_run_is_in_one() {
        let process = process(Scatter::Bursty(bursty(4.0, 3.0, 1.0)), &[(0.0, 10.0)], None);
        let begins = |replication| {
            let clock = RateClock::new(&process, Seed { seed: 5, replication });
            f64::from(u8::from(clock.piece.rate > 10.0 / 1e9))
        };
        let share = mean(&(0..10_000).map(begins).collect::<Vec<_>>());
        // Four standard errors: √(0.25·0.75/10000) = 0.00433.
        assert!((share - 0.25).abs() < 4.0 * 0.00433, "{share}");
    }

    #[test]
    fn bursts_multiply_ramps_steps_and_rounds() {
        // The same bursts over a shape and over a constant: at any time the rates have one ratio.
        let bursts = Scatter::Bursty(bursty(7.0, 0.9, 0.4));
        let corners = [(0.0, 10.0), (4.0, 30.0), (4.0, 5.0), (6.0, 5.0), (10.0, 10.0)];
        let shaped = process(bursts, &corners, Some(10.0));
        let level = process(bursts, &[(0.0, 1.0)], None);
        let factors = passes(&level, 1e-4, 40.0, 0);
        let factor = |at: f64| {
            let next = factors.partition_point(|time| *time <= at).clamp(1, factors.len() - 1);
            1e-4 / (factors[next] - factors[next - 1])
        };
        let rate = |at: f64| {
            let within = at % 10.0;
            let next = corners.iter().position(|(corner, _)| *corner > within).unwrap();
            let ((t0, r0), (t1, r1)) = (corners[next - 1], corners[next]);
            r0 + (r1 - r0) * (within - t0) / (t1 - t0)
        };
        let times = passes(&shaped, 1e-3, 40.0, 0);
        let mut off = 0;
        for pair in times.windows(2) {
            let middle = (pair[0] + pair[1]) / 2.0;
            let expected = rate(middle) * factor(middle);
            off += usize::from((1e-3 / (pair[1] - pair[0]) / expected - 1.0).abs() > 0.01);
        }
        // Only intervals in which the state or a corner lies may differ: some 2 × 40/1.3 + 16.
        assert!(times.len() > 100_000 && off < 150, "{off} of {}", times.len());
    }

    #[test]
    fn bursts_come_at_the_same_times_at_any_rate() {
        let bursts = Scatter::Bursty(bursty(3.0, 5.0, 2.0));
        let slow = passes(&process(bursts, &[(0.0, 10.0)], None), 1.0, 1_000.0, 2);
        let fast = passes(&process(bursts, &[(0.0, 20.0)], None), 2.0, 1_000.0, 2);
        assert!(slow.len() > 5_000 && slow.len() == fast.len());
        assert!(slow.iter().zip(&fast).all(|(slow, fast)| (slow - fast).abs() < 1e-8));
    }

    #[test]
    fn a_pause_in_the_rate_is_a_pause_in_bursts_too() {
        let bursts = Scatter::Bursty(bursty(3.0, 0.5, 0.5));
        let corners = [(0.0, 10.0), (5.0, 10.0), (5.0, 0.0), (10.0, 0.0)];
        let times = passes(&process(bursts, &corners, Some(10.0)), 0.5, 1_000.0, 0);
        assert!(times.len() > 9_000 && times.iter().all(|at| at % 10.0 <= 5.0 + 1e-6));
        let nothing = process(bursts, &[(0.0, 0.0)], None);
        assert!(passes(&nothing, 1.0, HORIZON, 0).is_empty());
    }
}
