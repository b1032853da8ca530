//! What Prometheus makes of a counter: the rate that an adapter gives the autoscaler.
//!
//! ```text
//! counter ── scraped, every minute ──► samples ── rate over two, when asked ──► autoscaler
//! ```
//!
//! Source: `extrapolatedRate` in `promql/functions.go` of Prometheus. The growth between the first
//! and the last sample of the window is extrapolated to its ends where these are near, else by half
//! the usual distance of two samples, and never to below nothing. Two samples are needed.

use std::collections::VecDeque;

use crate::units::{Instant, Span};

/// A window's end is near a sample if it is no further than so many of the usual distances.
const NEAR: f64 = 1.1;

/// The samples of a counter that are not older than the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CounterSamples {
    samples: VecDeque<(Instant, f64)>,
}

impl CounterSamples {
    /// The counter is scraped.
    pub fn scrape(&mut self, at: Instant, count: f64, window: Span) {
        assert!(self.samples.back().is_none_or(|last| last.0 < at && last.1 <= count), "{self:?}");
        self.samples.push_back((at, count));
        while self.samples.front().is_some_and(|first| first.0 + window <= at) {
            self.samples.pop_front();
        }
    }

    /// The rate per second over a window that ends now.
    pub fn rate(&self, now: Instant, window: Span) -> Option<f64> {
        let within = || self.samples.iter().filter(|sample| sample.0 + window > now);
        let (first, last) = (within().next()?, within().next_back()?);
        let sampled = last.0.since(first.0).as_secs();
        let growth = last.1 - first.1;
        if sampled <= 0.0 {
            return None;
        }
        let usual = sampled / (within().count() - 1) as f64;
        let reach = |distance: f64| if distance >= NEAR * usual { usual / 2.0 } else { distance };
        let mut before = reach(window.as_secs() - now.since(first.0).as_secs());
        if growth > 0.0 {
            before = before.min(sampled * first.1 / growth);
        }
        let after = reach(now.since(last.0).as_secs());
        debug_assert!(before >= 0.0 && after >= 0.0, "{before} s before, {after} s after");
        Some(growth * (sampled + before + after) / sampled / window.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Span = Span(120_000_000_000);

    fn rate(samples: &[(f64, f64)], now: f64) -> Option<f64> {
        let mut all = CounterSamples::default();
        for (at, count) in samples {
            all.scrape(Instant::from_secs(*at), *count, WINDOW);
        }
        all.rate(Instant::from_secs(now), WINDOW)
    }

    #[test]
    fn a_steady_counter_has_its_rate_at_any_moment() {
        let steady: Vec<(f64, f64)> =
            (0..60).map(|n| (60.0 * f64::from(n), 6e3 * f64::from(n))).collect();
        for now in [3_540.0, 3_555.0, 3_599.0] {
            let found = rate(&steady, now).unwrap();
            assert!((found - 100.0).abs() < 1e-9, "{found} at {now}");
        }
    }

    #[test]
    fn a_young_counter_is_extrapolated_by_half_a_distance_and_not_below_nothing() {
        assert_eq!(rate(&[(100.0, 50.0)], 110.0), None, "one sample says nothing");
        // 600 in 60 s, seen 10 s later: 10 s to the end, 50 s to the beginning, and 1,000 before.
        let found = rate(&[(100.0, 1_000.0), (160.0, 1_600.0)], 170.0).unwrap();
        assert!((found - 600.0 * 120.0 / 60.0 / 120.0).abs() < 1e-9, "{found}");
        // It was nothing 5 s before its first sample.
        let found = rate(&[(100.0, 50.0), (160.0, 650.0)], 170.0).unwrap();
        assert!((found - 600.0 * 75.0 / 60.0 / 120.0).abs() < 1e-9, "{found}");
        // 15 s apart and 60 s of nothing: half of 15 s is added, and 7.5 s at the end.
        let found = rate(&[(60.0, 900.0), (75.0, 1_050.0), (90.0, 1_200.0)], 150.0).unwrap();
        assert!((found - 300.0 * 45.0 / 30.0 / 120.0).abs() < 1e-9, "{found}");
        assert_eq!(rate(&[(0.0, 0.0), (60.0, 600.0)], 185.0), None, "all is too old");
    }
}
