//! What the metrics pipeline makes of a pod's CPU.
//!
//! ```text
//! container ── kubelet reads its counter, about every 10 s ──► newest reading
//!                       metrics-server scrapes it, every 15 s ──► the last two that differ
//!                                                              rate between them ──► autoscaler
//! ```
//!
//! Source: `pkg/storage/pod.go` of metrics-server. A container younger than the resolution, but at
//! least ten seconds old, is measured from its start; else two readings of one run of the container
//! are needed.

use crate::units::{Instant, Span};

/// A container this old can be measured from its start.
const FRESH: Span = Span(10_000_000_000);

/// A reading of a CPU counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CounterReading {
    /// When the kubelet read it.
    pub at: Instant,
    /// Core-nanoseconds used until then.
    pub used: f64,
}

/// What is kept of a container.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Samples {
    previous: Option<CounterReading>,
    last: Option<CounterReading>,
}

/// A sample as the autoscaler is given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Milli-cores, rounded up as Kubernetes prints them.
    pub milli: i64,
    /// When the later reading was taken.
    pub end: Instant,
    /// Time between the two readings.
    pub window: Span,
}

impl Samples {
    /// A scrape finds `reading`; the container began at `start` with the counter of then. The
    /// reading may still be of the container before it.
    pub fn scrape(&mut self, reading: CounterReading, start: CounterReading, resolution: Span) {
        assert!(self.last.is_none_or(|last| last.at <= reading.at), "time does not go back");
        let age = reading.at.since(start.at);
        if age >= FRESH && age < resolution {
            self.previous = Some(start);
        } else if let Some(last) = self.last.filter(|last| start.at < last.at) {
            if reading.at > last.at {
                self.previous = Some(last);
            }
        } else {
            self.previous = None;
        }
        self.last = Some(reading);
        debug_assert!(self.previous.is_none_or(|before| before.at < reading.at), "two moments");
    }

    /// The rate between the last two readings, if there are two.
    pub fn usage(&self) -> Option<Usage> {
        let (previous, last) = (self.previous?, self.last?);
        let window = last.at.since(previous.at);
        debug_assert!(window > Span::ZERO && last.used >= previous.used, "counters only grow");
        let cores = (last.used - previous.used) / window.0.max(1) as f64;
        Some(Usage { milli: (cores * 1e3).ceil() as i64, end: last.at, window })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(seconds: f64, core_seconds: f64) -> CounterReading {
        CounterReading { at: Instant::from_secs(seconds), used: core_seconds * 1e9 }
    }

    const RESOLUTION: Span = Span(15_000_000_000);

    #[test]
    fn the_rate_is_that_between_the_last_two_readings_that_differ() {
        let start = reading(0.0, 0.0);
        let mut samples = Samples::default();
        samples.scrape(reading(100.0, 50.0), start, RESOLUTION);
        assert_eq!(samples.usage(), None);
        samples.scrape(reading(110.0, 57.0), start, RESOLUTION);
        let usage = samples.usage().unwrap();
        assert_eq!((usage.milli, usage.window), (700, Span::from_secs(10.0)));
        // The kubelet has read nothing new.
        samples.scrape(reading(110.0, 57.0), start, RESOLUTION);
        assert_eq!(samples.usage(), Some(usage));
        samples.scrape(reading(130.0, 61.0), start, RESOLUTION);
        assert_eq!(samples.usage().unwrap().milli, 200);
    }

    #[test]
    fn a_restarted_container_is_measured_from_its_start() {
        let mut samples = Samples::default();
        let (old, new) = (reading(0.0, 0.0), reading(112.0, 60.0));
        samples.scrape(reading(100.0, 50.0), old, RESOLUTION);
        samples.scrape(reading(110.0, 57.0), old, RESOLUTION);
        // Too young, then old enough, then like any other.
        samples.scrape(reading(120.0, 61.0), new, RESOLUTION);
        assert_eq!(samples.usage(), None);
        samples.scrape(reading(124.0, 66.0), new, RESOLUTION);
        assert_eq!(samples.usage().unwrap().milli, 500);
        samples.scrape(reading(134.0, 67.0), new, RESOLUTION);
        assert_eq!(samples.usage().unwrap().milli, 100);
    }
}
