//! Arrivals: when requests are sent and how much CPU each needs.
//!
//! ```text
//! unit-rate gaps ──► inverse of the integrated rate ──► sending times ┐
//! demand law ──────────────────────────────────────────► demands ─────┴► block of requests
//! ```
//!
//! Gaps are drawn at unit rate and stretched by the rate function (`rate.rs`), so the k-th request
//! has the same random numbers at any rate; recorded times (`playback.rs`) take the place of both.
//! Demands come from a stream of their own, so two tiers see the same ones in units of their mean.
//!
//! Left out: clients. Nobody retries, waits for an answer or goes away; requests come in an open
//! loop.

use super::playback::Playback;
use super::rate::RateClock;
use crate::plan::{Scatter, Slot, Traffic};
use crate::random::{Law, Sampler, Seed, Stream};
use crate::units::Instant;

/// Requests generated together.
pub(in crate::model) const BLOCK: usize = 1024;

/// A request as it is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::model) struct Request {
    /// When, in nanoseconds.
    pub sent: u64,
    /// CPU demand in nanoseconds of one core.
    pub demand: f64,
    /// The slot that it is bound to (recorded traffic only).
    pub slot: Option<Slot>,
    /// The API that it is for, if that was recorded.
    pub api: Option<u32>,
}

/// Requests in the order in which they are sent, in columns.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct RequestBlock {
    sent: Vec<u64>,
    demands: Vec<f64>,
    /// Of recorded requests: no longer than the others, and what is missing at its end is none.
    targets: Vec<(Option<Slot>, Option<u32>)>,
}

impl RequestBlock {
    fn with_room() -> Self {
        RequestBlock {
            sent: Vec::with_capacity(BLOCK),
            demands: Vec::with_capacity(BLOCK),
            targets: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.sent.clear();
        self.demands.clear();
        self.targets.clear();
    }

    /// Adds those of some requests, all sent after the ones that it has, whose place is this one.
    pub fn extend_where(&mut self, more: RequestSlice<'_>, places: &[usize], place: usize) {
        let RequestSlice { sent, demands, targets } = more;
        assert_eq!(places.len(), sent.len(), "each request has a place");
        debug_assert!(self.sent.last() < sent.first() || sent.is_empty(), "out of order");
        let begin = self.sent.len();
        if !targets.is_empty() {
            self.targets.resize(begin, (None, None));
            let here = targets.iter().zip(places).filter(|(_, other)| **other == place);
            self.targets.extend(here.map(|(target, _)| *target));
        }
        self.sent.resize(begin + sent.len(), 0);
        self.demands.resize(begin + sent.len(), 0.0);
        let (to_sent, to_demands) = (&mut self.sent[begin..], &mut self.demands[begin..]);
        // Where a request goes cannot be foretold: each is written, and then kept or not.
        let mut kept = 0;
        for ((sent, demand), other) in sent.iter().zip(demands).zip(places) {
            (to_sent[kept], to_demands[kept]) = (*sent, *demand);
            kept += usize::from(*other == place);
        }
        self.sent.truncate(begin + kept);
        self.demands.truncate(begin + kept);
    }

    fn append(&mut self, other: &mut RequestBlock) {
        if !other.targets.is_empty() {
            self.targets.resize(self.sent.len(), (None, None));
            self.targets.append(&mut other.targets);
        }
        self.sent.append(&mut other.sent);
        self.demands.append(&mut other.demands);
    }

    #[inline(always)]
    fn at(&self, index: usize) -> Request {
        let (slot, api) = self.targets.get(index).copied().unwrap_or_default();
        Request { sent: self.sent[index], demand: self.demands[index], slot, api }
    }
}

/// Some requests of a block.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct RequestSlice<'a> {
    pub sent: &'a [u64],
    pub demands: &'a [f64],
    /// As many, or none.
    targets: &'a [(Option<Slot>, Option<u32>)],
}

/// Produces requests in order of time, a block at a time.
pub(in crate::model) struct Arrivals {
    source: ArrivalSource,
    demand: Sampler,
    demand_stream: Stream,
    /// The current block and the place in it.
    block: RequestBlock,
    next: usize,
    horizon: u64,
    /// When the last request so far is sent.
    last: Option<u64>,
    exhausted: bool,
}

enum ArrivalSource {
    Process {
        gaps: Stream,
        even: bool,
        rate: RateClock,
    },
    Replay(Playback),
    /// Whoever has them hands them over one by one.
    Fed,
}

impl Arrivals {
    /// The arrivals of one replication, up to `horizon` (exclusive).
    pub fn new(traffic: &Traffic, demand: &Law, seed: Seed, horizon: Instant) -> Self {
        let source = match traffic {
            Traffic::Process(process) => ArrivalSource::Process {
                gaps: seed.stream("arrivals", 0),
                even: process.scatter == Scatter::Deterministic,
                rate: RateClock::new(process, seed),
            },
            Traffic::Replay(recording) => ArrivalSource::Replay(Playback::new(recording, seed)),
        };
        Arrivals {
            source,
            demand: demand.sampler(),
            demand_stream: seed.stream("demand", 0),
            block: RequestBlock::with_room(),
            next: 0,
            horizon: horizon.0,
            last: None,
            exhausted: false,
        }
    }

    /// Arrivals that are handed over: a region gets a share of what all regions get.
    pub fn fed(demand: &Law, seed: Seed) -> Self {
        Arrivals {
            source: ArrivalSource::Fed,
            demand: demand.sampler(),
            demand_stream: seed.stream("demand", 0),
            block: RequestBlock::default(),
            next: 0,
            horizon: u64::MAX,
            last: None,
            exhausted: false,
        }
    }

    /// Hands requests over, which are sent after all that were, and takes them out of `more`.
    /// `same` says that their demand is of the region's law; else it is drawn here.
    pub fn feed(&mut self, more: &mut RequestBlock, same: bool) {
        assert!(matches!(self.source, ArrivalSource::Fed), "nobody feeds what draws its own");
        let Some(first) = more.sent.first() else { return };
        assert!(self.last.is_none_or(|last| last < *first), "requests come in order");
        self.last = more.sent.last().copied();
        if !same {
            let stream = &mut self.demand_stream;
            more.demands.iter_mut().for_each(|demand| *demand = self.demand.draw(stream));
        }
        if self.next == self.block.sent.len() {
            self.next = 0;
            self.block.clear();
            std::mem::swap(&mut self.block, more);
        } else {
            self.block.append(more);
        }
    }

    /// When the next request is sent; `None` when there is none before the horizon.
    #[inline(always)]
    pub fn next_sent(&mut self) -> Option<u64> {
        if self.next == self.block.sent.len() {
            self.refill();
        }
        self.block.sent.get(self.next).copied()
    }

    /// Takes out the next request. Only after [`Arrivals::next_sent`] gave `Some`.
    #[inline(always)]
    pub fn take(&mut self) -> Request {
        self.next += 1;
        self.block.at(self.next - 1)
    }

    /// Takes the requests of the current block that are sent before `until`, so many at most. Only
    /// after [`Arrivals::next_sent`] gave `Some`.
    pub fn take_before(&mut self, until: u64, most: usize) -> RequestSlice<'_> {
        let RequestBlock { sent, demands, targets } = &self.block;
        let from = self.next;
        let coming = &sent[from..sent.len().min(from.saturating_add(most))];
        let to = from + coming.partition_point(|sent| *sent < until);
        self.next = to;
        let targets = targets.get(from..to).unwrap_or_default();
        RequestSlice { sent: &sent[from..to], demands: &demands[from..to], targets }
    }

    /// Whether some requests of the current block may be bound to a slot, or for an API.
    pub fn have_targets(&self) -> bool {
        !self.block.targets.is_empty()
    }

    /// Moves requests of the same instant a nanosecond apart.
    fn separate(&mut self) {
        let mut free = self.last.map_or(0, |last| last + 1);
        for sent in &mut self.block.sent {
            *sent = (*sent).max(free);
            free = *sent + 1;
        }
        self.last = free.checked_sub(1);
        debug_assert!(self.block.sent.is_sorted(), "requests come in order");
        debug_assert_eq!(
            self.block.sent.len(),
            self.block.demands.len(),
            "every request has a demand"
        );
        debug_assert!(
            self.block.demands.iter().all(|demand| *demand >= 0.0 && demand.is_finite()),
            "no demand is negative or endless"
        );
    }

    #[cold]
    fn refill(&mut self) {
        self.next = 0;
        self.block.clear();
        if self.exhausted {
            return;
        }
        match &mut self.source {
            ArrivalSource::Process { gaps, even, rate } => {
                let RequestBlock { sent, demands, .. } = &mut self.block;
                demands.resize(BLOCK, 1.0);
                if !*even {
                    gaps.fill(demands, Stream::exponential);
                }
                self.exhausted = !fill(demands, rate, self.horizon, sent);
                demands.resize(sent.len(), 0.0);
                self.demand.fill(&mut self.demand_stream, demands);
            }
            ArrivalSource::Fed => return,
            ArrivalSource::Replay(playback) => {
                let horizon = Instant(self.horizon);
                let records = std::iter::from_fn(|| playback.next(horizon));
                for record in records.take(BLOCK) {
                    let drawn = self.demand.draw(&mut self.demand_stream);
                    self.block.sent.push(record.at.0);
                    self.block.demands.push(record.demand.unwrap_or(drawn));
                    self.block.targets.push((record.slot, record.api));
                }
                self.exhausted = self.block.sent.len() < BLOCK;
            }
        }
        self.separate();
    }
}

/// Appends the next sending times before `horizon`, so many at unit rate apart; false if those were
/// the last. Then it must not be called again: the gap that led beyond the horizon is spent.
fn fill(gaps: &[f64], rate: &mut RateClock, horizon: u64, out: &mut Vec<u64>) -> bool {
    for gap in gaps {
        match rate.pass(*gap, horizon as f64) {
            Some(at) if at < horizon => out.push(at),
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ArrivalProcess;
    use crate::units::{Rate, Span};

    fn arrivals(
        scatter: Scatter,
        corners: &[(f64, f64)],
        period: Option<f64>,
        horizon: f64,
    ) -> Vec<f64> {
        let corners =
            corners.iter().map(|(at, rate)| (Instant::from_secs(*at), Rate(*rate))).collect();
        let period = period.map(Span::from_secs);
        let traffic = Traffic::Process(ArrivalProcess { scatter, corners, period });
        let seed = Seed { seed: 3, replication: 0 };
        let horizon = Instant::from_secs(horizon);
        let mut arrivals = Arrivals::new(&traffic, &Law::ZERO, seed, horizon);
        let mut times = Vec::new();
        while arrivals.next_sent().is_some() {
            times.push(arrivals.take().sent as f64 / 1e9);
        }
        times
    }

    #[test]
    fn a_constant_rate_gives_evenly_spaced_arrivals() {
        let times = arrivals(Scatter::Deterministic, &[(0.0, 4.0)], None, 2.01);
        assert_eq!(times, [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]);
    }

    #[test]
    fn ramps_steps_pauses_and_rounds_keep_the_expected_count() {
        // 0→10/s over 10 s (50), 20/s for 5 s (100), nothing for 5 s: 150 a round of 20 s.
        let corners = [(0.0, 0.0), (10.0, 10.0), (10.0, 20.0), (15.0, 20.0), (15.0, 0.0)];
        let times = arrivals(Scatter::Deterministic, &corners, Some(20.0), 60.0);
        let count = |from: f64, to: f64| times.iter().filter(|t| **t > from && **t <= to).count();
        assert_eq!(times.len(), 450);
        assert!(count(0.0, 5.0).abs_diff(12) <= 1);
        assert_eq!((count(10.0, 15.0), count(15.001, 20.0)), (100, 0));
        assert!(count(20.0, 30.0).abs_diff(50) <= 1);
        let down = arrivals(Scatter::Deterministic, &[(0.0, 10.0), (10.0, 0.0)], None, 30.0);
        assert!(down.len().abs_diff(50) <= 1, "{}", down.len());
    }

    #[test]
    fn poisson_counts_have_the_mean_and_variance_of_their_rate() {
        let times = arrivals(Scatter::Poisson, &[(0.0, 50.0)], None, 2_000.0);
        let mut counts = vec![0.0; 2_000];
        times.iter().for_each(|t| counts[*t as usize] += 1.0);
        let mean = counts.iter().sum::<f64>() / 2_000.0;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / 2_000.0;
        // Four standard errors: of the mean √(50/2000), of the variance 50·√(2/2000).
        assert!((mean - 50.0).abs() < 4.0 * 0.158, "mean {mean}");
        assert!((variance - 50.0).abs() < 4.0 * 1.58, "variance {variance}");
    }

    #[test]
    fn no_traffic_is_no_arrivals() {
        assert!(arrivals(Scatter::Poisson, &[(0.0, 0.0)], None, 100.0).is_empty());
    }

    #[test]
    fn a_higher_rate_meets_the_same_luck() {
        let slow = arrivals(Scatter::Poisson, &[(0.0, 10.0)], None, 100.0);
        let fast = arrivals(Scatter::Poisson, &[(0.0, 20.0)], None, 50.0);
        assert_eq!(slow.len(), fast.len());
        assert!(slow.iter().zip(&fast).all(|(slow, fast)| (slow - 2.0 * fast).abs() < 1e-6));
    }
}
