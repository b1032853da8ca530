//! How fast endpoints answered lately, as one that chooses between them remembers it.
//!
//! ```text
//! answered after r ─► mean ← mean · w + r · (1 − w),  w = e^(−t / decay), t since the last answer
//!                     peak: an answer slower than the mean is the mean at once
//! score = mean · e^(−t / decay), and with peak times the requests under way + 1
//! ```
//!
//! Whoever is not asked looks faster and faster, and is asked again some time.
//!
//! Sources: `ewma.lua` of ingress-nginx (decay 10 s; a new endpoint has the mean of the others; no
//! regard to requests under way), and Finagle's and Linkerd's peak EWMA.
//!
//! Assumed: with peak, too, a new endpoint has the mean of the others.

use crate::units::{Instant, Span};

/// How the past counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decay {
    /// After so long without an answer an e-th is left.
    pub time: Span,
    /// Whether a slow answer counts at once, and the requests under way as well.
    pub peak: bool,
}

/// The mean of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct MeanLatency {
    key: usize,
    nanoseconds: f64,
    touched: Instant,
}

/// The means of all endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Latencies {
    decay: Decay,
    known: Vec<MeanLatency>,
}

impl Latencies {
    /// Nobody is known.
    pub fn new(decay: Decay) -> Self {
        assert!(decay.time > Span::ZERO, "the past is forgotten at once");
        Latencies { decay, known: Vec::new() }
    }

    fn weight(&self, since: Instant, now: Instant) -> f64 {
        let passed = now.0.saturating_sub(since.0) as f64;
        debug_assert!(self.decay.time > Span::ZERO, "the past is forgotten at once");
        (-passed / self.decay.time.0 as f64).exp()
    }

    fn place(&self, key: usize) -> Option<usize> {
        self.known.iter().position(|known| known.key == key)
    }

    /// An endpoint comes.
    pub fn join(&mut self, now: Instant, key: usize) {
        assert!(self.place(key).is_none(), "{key} is known already");
        let sum = self.known.iter().map(|known| known.nanoseconds).sum::<f64>();
        let nanoseconds = sum / self.known.len().max(1) as f64;
        self.known.push(MeanLatency { key, nanoseconds, touched: now });
    }

    /// An endpoint goes.
    pub fn leave(&mut self, key: usize) {
        self.known.retain(|known| known.key != key);
    }

    /// An endpoint has answered after so long.
    pub fn note(&mut self, now: Instant, key: usize, took: Span) {
        let Some(place) = self.place(key) else { return };
        let weight = self.weight(self.known[place].touched, now);
        let known = &mut self.known[place];
        let took = took.0 as f64;
        let mean = known.nanoseconds * weight + took * (1.0 - weight);
        let at_once = self.decay.peak && took > known.nanoseconds;
        (known.nanoseconds, known.touched) = (if at_once { took } else { mean }, now);
        debug_assert!(known.nanoseconds >= 0.0 && known.nanoseconds.is_finite(), "{known:?}");
    }

    /// The score of an endpoint with so many requests under way; the least is the best.
    pub fn score(&self, now: Instant, key: usize, requests: u32) -> f64 {
        let Some(place) = self.place(key) else { return 0.0 };
        let known = &self.known[place];
        let mean = known.nanoseconds * self.weight(known.touched, now);
        if self.decay.peak { mean * f64::from(requests + 1) } else { mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(peak: bool) -> Latencies {
        let mut known = Latencies::new(Decay { time: Span::from_secs(10.0), peak });
        known.join(Instant::ZERO, 7);
        known
    }

    #[test]
    fn answers_count_the_more_the_longer_nothing_was_heard() {
        let mut plain = known(false);
        let milliseconds = |one: &Latencies, at: f64| one.score(Instant::from_secs(at), 7, 5) / 1e6;
        plain.note(Instant::from_secs(10.0), 7, Span::from_secs(0.1));
        // 100 ms · (1 − 1/e), and an e-th of that 10 s later.
        assert!((milliseconds(&plain, 10.0) - 63.212).abs() < 1e-3);
        assert!((milliseconds(&plain, 20.0) - 23.254).abs() < 1e-3);
        plain.note(Instant::from_secs(10.0), 7, Span::from_secs(9.0));
        assert!((milliseconds(&plain, 10.0) - 63.212).abs() < 1e-3, "no time has passed");
        let mut peak = known(true);
        peak.note(Instant::from_secs(10.0), 7, Span::from_secs(0.1));
        assert!((milliseconds(&peak, 10.0) - 600.0).abs() < 1e-6, "at once, for five and one more");
    }

    #[test]
    fn a_new_endpoint_has_the_mean_of_the_others() {
        let mut known = known(true);
        known.note(Instant::from_secs(1.0), 7, Span::from_secs(0.2));
        known.join(Instant::from_secs(1.0), 8);
        known.note(Instant::from_secs(1.0), 8, Span::from_secs(0.4));
        known.join(Instant::from_secs(1.0), 9);
        let score = |key| known.score(Instant::from_secs(1.0), key, 0) / 1e6;
        assert_eq!([7, 8, 9].map(score), [200.0, 400.0, 300.0]);
        assert_eq!(score(1), 0.0, "nobody");
    }
}
