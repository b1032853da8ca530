//! What monitoring would see of a run: its worst minute, the CPU minute by minute, and the requests
//! in flight second by second. All of it after warm-up.
//!
//! As in monitoring, a request counts in the minute in which it ends. A minute begins and ends with
//! a sample; the first begins when warm-up is over, and one that the end cuts short is left out.

use super::by_api::sums_of;
use crate::observe::ApiId;
use crate::observe::histogram::Histogram;
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::{MINUTE_PERCENTILES, Monitored, WorstMinute};
use crate::units::{Instant, SECOND, Span};

const MINUTE: Span = Span(60 * SECOND);

/// Watches a run.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    warm_up: Instant,
    /// Since when the minute in progress lasts; `None` before the first.
    begun: Option<Instant>,
    /// The minutes of all requests, then those of each API.
    minutes: Vec<Minutes>,
    /// Bins that an average of the CPU is taken over, and those of the one in progress.
    per_bucket: usize,
    bucket: CpuAverage,
    sampled: Option<Instant>,
    seen: Monitored,
}

/// The minute in progress of some requests, and the worst before it.
#[derive(Clone, Debug, Default)]
struct Minutes {
    answered: Histogram,
    ended: Ledger,
    worst: Option<WorstMinute>,
}

impl Minutes {
    /// The minute in progress is over.
    fn end(&mut self) {
        self.ended.served = self.answered.count();
        if self.ended.decided() > 0 {
            let minute = of_minute(&self.answered, &self.ended);
            self.worst = Some(self.worst.map_or(minute, |worst| worst.or_worse(minute)));
        }
        self.answered.clear();
        self.ended = Ledger::default();
    }
}

/// An average of the CPU in progress.
#[derive(Clone, Copy, Debug, Default)]
struct CpuAverage {
    begun: Instant,
    bins: usize,
    known: usize,
    sum: f64,
}

impl Monitor {
    /// With so many APIs that are told apart.
    pub fn new(warm_up: Instant, bin: Span, apis: usize) -> Self {
        Monitor {
            warm_up,
            begun: None,
            minutes: vec![Minutes::default(); 1 + apis],
            per_bucket: bins_per_minute(bin),
            bucket: CpuAverage::default(),
            sampled: None,
            seen: Monitored::default(),
        }
    }

    /// Requests were answered that count in the sum of this index.
    pub fn add(&mut self, sum: usize, answered: &Histogram) {
        if self.begun.is_some() {
            self.minutes[sum].answered.merge(answered);
        }
    }

    /// A request failed or was rejected.
    pub fn fail(&mut self, api: ApiId, failure: Failure) {
        if self.begun.is_some() {
            let minutes = sums_of(&mut self.minutes, api);
            minutes.for_each(|minute| minute.ended.failures[failure as usize] += 1);
        }
    }

    /// Whether a minute begins or ends with a sample at this moment.
    pub fn turns(&self, now: Instant) -> bool {
        match self.begun {
            None => now >= self.warm_up,
            Some(begun) => now.since(begun) >= MINUTE,
        }
    }

    /// A minute begins, and the one in progress is over.
    pub fn turn(&mut self, now: Instant) {
        if self.begun.is_some() {
            self.minutes.iter_mut().for_each(Minutes::end);
        }
        self.begun = Some(now);
    }

    /// A sample with this many requests in flight, which count since the one before.
    pub fn hold(&mut self, now: Instant, in_flight: u64) {
        if let Some(before) = self.sampled.filter(|before| *before >= self.warm_up) {
            let passed = now.since(before).as_secs();
            self.seen.in_flight_secs += in_flight as f64 * passed;
            self.seen.sampled_secs += passed;
        }
        self.sampled = Some(now);
    }

    /// A bin from `start` on is over, with this CPU in use.
    pub fn end_bin(&mut self, start: Instant, cpu: Option<f64>) {
        if self.bucket.bins == 0 {
            self.bucket.begun = start;
        }
        self.bucket.bins += 1;
        self.bucket.known += usize::from(cpu.is_some());
        self.bucket.sum += cpu.unwrap_or(0.0);
        if self.bucket.bins == self.per_bucket {
            let CpuAverage { begun, known, sum, .. } = std::mem::take(&mut self.bucket);
            if known > 0 && begun >= self.warm_up {
                let average = sum / known as f64;
                self.seen.cpu = Some(self.seen.cpu.unwrap_or(0.0).max(average));
            }
        }
    }

    /// The worst whole minute of all requests, or of those for an API; `None` if none ended in any.
    pub fn worst_minute(&self, api: Option<ApiId>) -> Option<WorstMinute> {
        self.minutes[api.map_or(0, |api| 1 + api as usize)].worst
    }

    pub fn finish(self) -> Monitored {
        self.seen
    }
}

/// How many bins make a minute; one if they are longer.
fn bins_per_minute(bin: Span) -> usize {
    (MINUTE.0 / bin.0.max(1)).max(1) as usize
}

/// What the requests that ended in a minute came to.
fn of_minute(answered: &Histogram, ended: &Ledger) -> WorstMinute {
    let count = answered.count() + ended.failed();
    let latency = MINUTE_PERCENTILES.map(|q| {
        let rank = ((q * count as f64).ceil() as u64).max(1);
        answered.ranked(rank).map(|found| found.value)
    });
    let latency = if count > 0 { latency } else { MINUTE_PERCENTILES.map(|_| Some(Span::ZERO)) };
    WorstMinute { answered: ended.answered(), decided: ended.decided(), latency }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Instant {
        Instant::from_secs(seconds)
    }

    fn answers(count: u64, milliseconds: f64) -> Histogram {
        let mut answered = Histogram::default();
        (0..count).for_each(|_| answered.record(Span::from_secs(milliseconds / 1e3)));
        answered
    }

    #[test]
    fn the_worst_minute_is_the_worst_of_each_figure() {
        let mut monitor = Monitor::new(at(30.0), Span::from_secs(10.0), 1);
        monitor.add(0, &answers(100, 900.0));
        monitor.fail(0, Failure::TimedOut);
        let minutes = [(at(30.0), 100, 5.0, 0), (at(90.0), 90, 2.0, 10), (at(150.0), 100, 4.0, 0)];
        for (begins, count, milliseconds, failed) in minutes {
            assert!(monitor.turns(begins) && !monitor.turns(Instant(begins.0 - 1)));
            monitor.turn(begins);
            monitor.add(0, &answers(count, milliseconds));
            (0..failed).for_each(|_| monitor.fail(7, Failure::LostInFlight));
            monitor.fail(0, Failure::RateLimited);
        }
        // The last minute is not over.
        let worst = monitor.worst_minute(None).unwrap();
        assert_eq!((worst.answered, worst.decided), (91, 101), "what was rejected was answered");
        let [p50, p90, p95, p99, _] = worst.latency;
        let slow = Some(Span::from_secs(5e-3));
        assert_eq!((p50, p90, p95, p99), (slow, slow, None, None), "a tenth failed in the second");
    }

    #[test]
    fn the_cpu_of_a_minute_is_known_when_it_is_over() {
        let mut monitor = Monitor::new(at(60.0), Span::from_secs(20.0), 0);
        let cpu = [0.9, 0.9, 0.9, 0.2, 0.6, 0.4, 0.3, 0.3, 0.3, 1.0];
        for (bin, cpu) in cpu.into_iter().enumerate() {
            monitor.end_bin(at(20.0 * bin as f64), Some(cpu));
        }
        let seen = monitor.finish().cpu.unwrap();
        assert!((seen - 0.4).abs() < 1e-12, "{seen}");
    }

    #[test]
    fn what_is_in_flight_counts_as_long_as_it_is_seen() {
        let mut monitor = Monitor::new(at(1.0), Span::from_secs(10.0), 0);
        for (now, in_flight) in [(0.0, 50), (1.0, 40), (2.0, 10), (2.5, 30)] {
            monitor.hold(at(now), in_flight);
        }
        let seen = monitor.finish();
        assert_eq!((seen.in_flight_secs, seen.sampled_secs), (25.0, 1.5));
    }
}
