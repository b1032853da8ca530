//! Plays a recording: once or again and again, and spreads what was recorded too coarsely.

use crate::plan::{Recorded, Recording};
use crate::random::{Seed, Stream};
use crate::units::{Instant, Span};

/// A recording while it is played.
pub(super) struct Playback {
    recording: Recording,
    next: usize,
    /// Start of the current round.
    round: Instant,
    /// Where within the resolution of the recording requests are sent.
    stream: Stream,
    /// Requests of the current recorded instant that are still to come, and the part of the
    /// resolution, from 0 to 1, that has passed.
    left: usize,
    passed: f64,
}

impl Playback {
    /// The recording from its start.
    pub fn new(recording: &Recording, seed: Seed) -> Playback {
        let stream = seed.stream("recording", 0);
        let recording = recording.clone();
        let times = &recording.times;
        assert!(times.is_sorted(), "a recording is in order of time");
        let length = times.last().map_or(Span::ZERO, |last| last.since(times[0]));
        let fits = |period: Span| period >= length;
        assert!(recording.period.is_none_or(fits), "a round is over before its last request");
        let next = times.partition_point(|at| at.0 < recording.start.0);
        Playback { recording, next, round: Instant::ZERO, stream, left: 0, passed: 0.0 }
    }

    /// The next request before `horizon`. Not to be asked again after `None`.
    pub fn next(&mut self, horizon: Instant) -> Option<Recorded> {
        if self.next == self.recording.times.len() {
            self.round += self.recording.period.filter(|_| self.next > 0)?;
            self.next = 0;
        }
        let record = self.recording.get(self.next)?;
        let start = Instant((self.round + Span(record.at.0)).0 - self.recording.start.0);
        let at = if start < horizon { start + self.spread(record.at) } else { start };
        self.next += 1;
        (at < horizon).then_some(Recorded { at, ..record })
    }

    /// How long after the recorded instant the next request is sent. Those of one instant fall
    /// where as many uniform points would: the first of n that are left leaves a part of the rest
    /// that is distributed as the greatest of n uniform numbers.
    fn spread(&mut self, instant: Instant) -> Span {
        let resolution = self.recording.resolution.0;
        if resolution == 0 {
            return Span::ZERO;
        }
        if self.left == 0 {
            let rest = &self.recording.times[self.next..];
            self.left = rest.iter().take_while(|at| **at == instant).count();
            self.passed = 0.0;
        }
        debug_assert!(self.left > 0, "no request of {instant} is left");
        let kept = (-self.stream.exponential() / self.left as f64).exp();
        self.passed = 1.0 - (1.0 - self.passed) * kept;
        self.left -= 1;
        Span((self.passed * resolution as f64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SECOND;

    const SEED: Seed = Seed { seed: 3, replication: 0 };

    fn recording(times: &[f64], resolution: f64, period: Option<f64>) -> Recording {
        let record =
            |at| Recorded { at: Instant::from_secs(at), demand: None, slot: None, api: None };
        let records: Recording = times.iter().map(|at| record(*at)).collect();
        let (resolution, period) = (Span::from_secs(resolution), period.map(Span::from_secs));
        Recording { resolution, period, ..records }
    }

    fn played(recording: &Recording, seed: Seed, horizon: f64) -> Vec<f64> {
        let mut playback = Playback::new(recording, seed);
        let next = || playback.next(Instant::from_secs(horizon));
        std::iter::from_fn(next).map(|record| record.at.as_secs()).collect()
    }

    #[test]
    fn a_recording_is_played_as_it_is_or_again_and_again() {
        let once = recording(&[0.5, 1.0, 1.0, 3.0], 0.0, None);
        assert_eq!(played(&once, SEED, 9.0), [0.5, 1.0, 1.0, 3.0]);
        assert_eq!(played(&once, SEED, 3.0), [0.5, 1.0, 1.0]);
        let again = Recording { period: Some(Span(4 * SECOND)), ..once };
        assert_eq!(played(&again, SEED, 8.6), [0.5, 1.0, 1.0, 3.0, 4.5, 5.0, 5.0, 7.0, 8.5]);
        assert!(played(&recording(&[], 0.0, Some(1.0)), SEED, 9.0).is_empty());
        // What begins late comes again after its length, not after its last time.
        let late = recording(&[100.0, 101.0], 0.0, Some(2.0));
        assert_eq!(played(&late, SEED, 104.0), [100.0, 101.0, 102.0, 103.0]);
    }

    #[test]
    fn a_recording_that_begins_later_goes_on_with_its_first_round() {
        let records = recording(&[0.5, 1.0, 1.0, 3.0], 0.0, Some(4.0));
        let later = |start: f64| records.from(Span::from_secs(start));
        assert_eq!(played(&later(0.0), SEED, 4.6), [0.0, 0.5, 0.5, 2.5, 4.0, 4.5, 4.5]);
        assert_eq!(played(&later(1.5), SEED, 5.5), [1.0, 2.5, 3.0, 3.0, 5.0]);
        assert_eq!(played(&later(5.5), SEED, 3.5), [1.0, 2.5, 3.0, 3.0]);
    }

    #[test]
    fn what_is_known_to_the_second_falls_anywhere_in_it_in_order() {
        let seconds: Vec<f64> = (0..1_000).flat_map(|second| [f64::from(second); 8]).collect();
        let times = played(&recording(&seconds, 1.0, None), SEED, 1e4);
        assert_eq!(times.len(), 8_000);
        assert!(times.is_sorted());
        assert!(times.iter().zip(&seconds).all(|(at, second)| at.floor() == *second));
        // The k-th of 8 uniform points has the mean k/9 and the variance k·(9−k)/(81·10).
        for k in 1..=8_usize {
            let mean = times.iter().skip(k - 1).step_by(8).map(|at| at.fract()).sum::<f64>() / 1e3;
            let error = ((k * (9 - k)) as f64 / 810.0 / 1e3).sqrt();
            assert!((mean - k as f64 / 9.0).abs() < 4.0 * error, "{k}: {mean}");
        }
    }

    #[test]
    fn each_replication_and_each_round_spreads_anew() {
        let coarse = recording(&[0.0, 0.0, 1.0], 1.0, Some(2.0));
        let times = played(&coarse, SEED, 4.0);
        assert_eq!(times.len(), 6);
        assert!(times[..3].iter().zip(&times[3..]).all(|(one, other)| one + 2.0 != *other));
        assert_eq!(times, played(&coarse, SEED, 4.0));
        assert_ne!(times, played(&coarse, Seed { replication: 1, ..SEED }, 4.0));
    }
}
