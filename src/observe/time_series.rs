//! How a run goes on where something may trouble it: for each interval of time, a second unless the
//! run is very long, what was sent in it and what became of that, whenever it did; and what else
//! happened in it.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

use super::count::Count;
use crate::units::{Instant, Span};

/// What was sent in an interval of time, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IntervalStats {
    /// How long it is.
    pub length: Span,
    /// Requests sent.
    pub sent: u64,
    /// Those of them that were answered before the horizon, at whatever attempt.
    pub answered: u64,
    /// Those of them that were rejected on purpose.
    pub rejected: u64,
    /// The sum of the latencies of those that were answered.
    pub latency: Span,
    /// The longest that one of the requests sent took to its outcome; at least the interval, if one
    /// was answered in the interval in which it was sent.
    pub slowest: Span,
    /// Attempts made for them beyond the first.
    pub again: u64,
    /// Answers that came too late in that time.
    pub wasted: u64,
    /// Answers found in caches in that time.
    pub hits: u64,
    /// Answers not found there.
    pub misses: u64,
    /// Restarts by probes or for lack of memory in that time.
    pub restarts: u64,
}

impl IntervalStats {
    /// Goodput: requests answered over requests sent that were not rejected on purpose; `None` if
    /// there was none.
    pub fn goodput(&self) -> Option<f64> {
        ratio(self.answered, self.admissible())
    }

    /// Requests sent that were not rejected on purpose.
    pub fn admissible(&self) -> u64 {
        self.sent - self.rejected
    }

    /// The mean latency of the answered requests in seconds; `None` if none was.
    pub fn mean_latency(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.latency.as_secs() / self.answered as f64)
    }

    /// A request has its outcome, so long after it was sent.
    pub fn decide(&mut self, took: Span) {
        self.slowest = self.slowest.max(took);
    }

    /// A request was answered, with this latency.
    pub fn answer(&mut self, latency: Span) {
        self.answered += 1;
        self.latency += latency;
    }

    fn count(&mut self, count: Count) {
        match count {
            Count::Wasted => self.wasted += 1,
            Count::Hit => self.hits += 1,
            Count::Miss => self.misses += 1,
            _ => {}
        }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl AddAssign<&IntervalStats> for IntervalStats {
    fn add_assign(&mut self, other: &IntervalStats) {
        self.length += other.length;
        self.sent += other.sent;
        self.answered += other.answered;
        self.latency += other.latency;
        self.slowest = self.slowest.max(other.slowest);
        self.rejected += other.rejected;
        self.again += other.again;
        self.wasted += other.wasted;
        self.hits += other.hits;
        self.misses += other.misses;
        self.restarts += other.restarts;
    }
}

/// The intervals of a run, all of one length.
#[derive(Clone, Debug)]
pub struct TimeSeries {
    interval: Span,
    /// The sample before this moment.
    now: Instant,
    intervals: Vec<IntervalStats>,
    /// The interval that was asked for last, and when it begins: most often the next one asked for.
    near: (usize, u64),
}

impl TimeSeries {
    /// Nothing has happened yet; intervals have this length, which is not zero.
    pub fn new(interval: Span) -> Self {
        TimeSeries { interval, now: Instant::ZERO, intervals: Vec::new(), near: (0, u64::MAX) }
    }

    /// Length of an interval.
    pub fn interval(&self) -> Span {
        self.interval
    }

    /// A sample, once a second.
    pub fn sample(&mut self, now: Instant) {
        self.now = now;
    }

    /// Something happened since the last sample. Counts belong to the time in which they happen:
    /// what is wasted now may have been sent long ago.
    pub fn count(&mut self, count: Count) {
        self.at(self.now).count(count);
    }

    /// The interval of what is sent at `sent`.
    #[inline(always)]
    pub fn at(&mut self, sent: Instant) -> &mut IntervalStats {
        let (index, begins) = self.near;
        if sent.0 < begins || sent.0 - begins >= self.interval.0 {
            return self.find(sent);
        }
        &mut self.intervals[index]
    }

    #[cold]
    fn find(&mut self, sent: Instant) -> &mut IntervalStats {
        let index = (sent.0 / self.interval.0) as usize;
        self.near = (index, index as u64 * self.interval.0);
        if index >= self.intervals.len() {
            self.intervals.resize(
                index + 1,
                IntervalStats { length: self.interval, ..IntervalStats::default() },
            );
        }
        &mut self.intervals[index]
    }

    /// The intervals that lie wholly between two instants. The last may be missing if nothing was
    /// sent in them.
    pub fn between(&self, from: Instant, to: Instant) -> &[IntervalStats] {
        let first = from.0.div_ceil(self.interval.0) as usize;
        let end = ((to.0 / self.interval.0) as usize).min(self.intervals.len());
        self.intervals.get(first..end).unwrap_or_default()
    }
}

/// All of them together.
pub fn total(intervals: &[IntervalStats]) -> IntervalStats {
    let mut sum = IntervalStats::default();
    intervals.iter().for_each(|interval| sum += interval);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_interval_counts_what_was_sent_in_it() {
        let at = Instant::from_secs;
        let mut series = TimeSeries::new(Span::from_secs(1.0));
        series.at(at(2.5)).sent += 1;
        series.at(at(2.9)).answer(Span::from_secs(3.0));
        series.at(at(2.9)).decide(Span::from_secs(3.0));
        series.at(at(0.0)).sent += 1;
        let sent = |from, to| series.between(at(from), at(to)).iter().map(|s| s.sent).sum::<u64>();
        assert_eq!((sent(0.0, 3.0), sent(0.1, 3.0), sent(2.0, 2.9)), (2, 1, 0));
        assert_eq!((series.between(at(2.0), at(99.0)).len(), sent(50.0, 99.0)), (1, 0));
        let rejected = IntervalStats { sent: 4, answered: 2, rejected: 1, ..Default::default() };
        assert_eq!((rejected.goodput(), rejected.admissible()), (Some(2.0 / 3.0), 3));
        let last = total(series.between(at(1.0), at(3.0)));
        assert_eq!((last.length, last.goodput()), (Span::from_secs(2.0), Some(1.0)));
        assert_eq!((last.mean_latency(), last.slowest), (Some(3.0), Span::from_secs(3.0)));
    }
}
