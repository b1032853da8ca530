//! When requests arrive.

use std::sync::Arc;

use super::Slot;
use crate::units::{Instant, Rate, SECOND, Share, Span};

/// When requests arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Traffic {
    /// A process with a rate that may change over time.
    Process(ArrivalProcess),
    /// Recorded arrivals.
    Replay(Recording),
}

/// Arrivals drawn from a law.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalProcess {
    /// How arrivals scatter around the rate.
    pub scatter: Scatter,
    /// Rate over time: corners of a piecewise linear function, in time order, the first at zero.
    /// Two corners at one instant make a step. After the last corner the rate stays.
    pub corners: Vec<(Instant, Rate)>,
    /// The corners repeat after this span (a day), if given; it is not before the last corner.
    pub period: Option<Span>,
}

impl ArrivalProcess {
    /// The highest rate that the process ever has, in a burst if there are bursts.
    pub fn peak(&self) -> Rate {
        let highest = self.corners.iter().map(|(_, rate)| rate.0).fold(0.0, f64::max);
        Rate(highest * self.scatter.peak())
    }

    /// How long it is until everything repeats; `None` if it never does.
    fn round(&self) -> Option<u64> {
        self.period.map(|period| period.0.max(1))
    }

    /// The rate at a time; of two corners there the later.
    pub fn rate_at(&self, at: Instant) -> Rate {
        let at = self.round().map_or(at.0, |round| at.0 % round);
        let after = self.corners.partition_point(|(time, _)| time.0 <= at);
        let Some((from, low)) = after.checked_sub(1).and_then(|index| self.corners.get(index))
        else {
            return self.corners.first().map_or(Rate(0.0), |(_, rate)| *rate);
        };
        let Some((to, high)) = self.corners.get(after) else { return *low };
        let part = (at - from.0) as f64 / (to.0 - from.0) as f64;
        Rate(low.0 + (high.0 - low.0) * part)
    }

    /// The same process as it is from a time on, which is its zero.
    #[must_use]
    pub fn from(&self, start: Span) -> ArrivalProcess {
        let start = self.round().map_or(start.0, |round| start.0 % round);
        let later =
            |(at, rate): &(Instant, Rate)| (at.0 > start).then(|| (Instant(at.0 - start), *rate));
        let first = (Instant::ZERO, self.rate_at(Instant(start)));
        let mut corners: Vec<(Instant, Rate)> =
            std::iter::once(first).chain(self.corners.iter().filter_map(later)).collect();
        if let Some(round) = self.round() {
            // What comes before the start belongs to the end of the round.
            let last = self.corners.last().map_or(Rate(0.0), |(_, rate)| *rate);
            let earlier = self.corners.iter().filter(|(at, _)| at.0 <= start);
            corners.push((Instant(round - start), last));
            corners.extend(earlier.map(|(at, rate)| (Instant(at.0 + round - start), *rate)));
            corners.push((Instant(round), first.1));
        }
        ArrivalProcess { corners, ..self.clone() }
    }

    /// The most arrivals that ever wait until `end` if so many a second are taken in, as a fluid.
    /// Of very many repetitions the first decide.
    pub fn backlog(&self, capacity: f64, end: Instant) -> f64 {
        const PIECES_MOST: usize = 100_000;
        let Some((_, last)) = self.corners.last() else { return 0.0 };
        let round = self.period.map_or(end.0, |period| period.0).max(1);
        let (mut begins, mut pieces, mut waiting) = (0, 0, FluidQueue::default());
        while begins < end.0 && pieces < PIECES_MOST {
            let mut from = (0, self.corners[0].1.0 - capacity);
            let corners = self.corners.iter().map(|(at, rate)| (at.0, rate.0 - capacity));
            for to in corners.chain([(round, last.0 - capacity)]) {
                waiting.pass(from, to, end.0 - begins);
                from = to;
            }
            pieces += self.corners.len() + 1;
            begins = begins.saturating_add(round);
        }
        waiting.most
    }
}

/// What waits, as a fluid.
#[derive(Default)]
struct FluidQueue {
    waiting: f64,
    most: f64,
}

impl FluidQueue {
    /// From one moment, in nanoseconds, to another it grows at a rate that changes evenly, `end` at
    /// the latest.
    fn pass(&mut self, (from, before): (u64, f64), (to, after): (u64, f64), end: u64) {
        if from >= to.min(end) {
            return;
        }
        let whole = Span(to - from).as_secs();
        let length = Span(to.min(end) - from).as_secs();
        let at = |time: f64| before + (after - before) * time / whole;
        // Where it begins to shrink or to grow, the parts count each by itself.
        let turn = whole * before / (before - after);
        let turn = if turn > 0.0 && turn < length { turn } else { length };
        for (from, to) in [(0.0, turn), (turn, length)] {
            let grown = (at(from) + at(to)) / 2.0 * (to - from);
            self.waiting = (self.waiting + grown).max(0.0);
            self.most = self.most.max(self.waiting);
        }
    }
}

/// How arrivals scatter around the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scatter {
    /// A Poisson process.
    Poisson,
    /// Evenly spaced.
    Deterministic,
    /// A Poisson process whose rate jumps up and down.
    Bursty(Bursts),
}

impl Scatter {
    /// The highest rate over the long-run mean, at a constant rate.
    pub fn peak(self) -> f64 {
        match self {
            Scatter::Poisson | Scatter::Deterministic => 1.0,
            Scatter::Bursty(bursts) => bursts.peak(),
        }
    }
}

/// Calm and burst in turn, each of exponential length (a Markov-modulated Poisson process). The
/// rate of the process stays the long-run mean: calm times have less, so that bursts may have more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// The rate in a burst over that in calm; at least 1.
    pub factor: f64,
    /// Mean length of calm; not zero.
    pub every: Span,
    /// Mean length of a burst; not zero.
    pub length: Span,
}

impl Bursts {
    /// Share of time that is burst.
    pub fn share(&self) -> Share {
        let (calm, burst) = (self.every.as_secs(), self.length.as_secs());
        Share(burst / (calm + burst))
    }

    /// The rate in calm over the long-run mean.
    pub fn calm(&self) -> f64 {
        1.0 / (1.0 + (self.factor - 1.0) * self.share().0)
    }

    /// The rate in a burst over the long-run mean.
    pub fn peak(&self) -> f64 {
        self.factor * self.calm()
    }
}

/// Recorded arrivals and how they are played. Of a log that tells nothing but times, a request
/// takes eight bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// When the requests were sent, in order of time.
    pub times: Arc<Vec<Instant>>,
    /// What else is known of each request, in the same order; empty if nothing is of any.
    pub details: Arc<Vec<RecordedDetail>>,
    /// What the recorded times are rounded down to: those of one instant are sent at random within
    /// so much after it, in their order. Zero = the times are exact.
    pub resolution: Span,
    /// It begins again after this, if given: not zero, and not shorter than the time from the first
    /// request to when the last may be sent.
    pub period: Option<Span>,
    /// What of its first round is left out: it begins with the first request that is not before
    /// this, and all times count from there.
    pub start: Span,
}

impl Recording {
    /// How long it is until it begins again, or could: the mean gap after its last request, and a
    /// second at the least.
    pub fn round(&self) -> Span {
        let [first, last] =
            [self.times.first(), self.times.last()].map(|at| at.map_or(0, |at| at.0));
        let gaps = self.times.len().saturating_sub(1).max(1) as u64;
        let gap = self.resolution.0.max((last - first) / gaps);
        self.period.unwrap_or(Span((last + gap).max(SECOND)))
    }

    /// The same, played again and again, from so long after its first round began.
    #[must_use]
    pub fn from(&self, start: Span) -> Recording {
        let round = self.round();
        // Of one that begins late the first round begins with its first request.
        let first = self.period.and(self.times.first()).map_or(0, |first| first.0);
        let within = start.0 % round.0.max(1);
        // What is known by the minute is cut between minutes.
        let within = within - within % self.resolution.0.max(1);
        Recording { period: Some(round), start: Span(first + within), ..self.clone() }
    }

    /// The request at an index, as recorded.
    pub fn get(&self, index: usize) -> Option<Recorded> {
        let RecordedDetail { demand, slot, api } =
            self.details.get(index).copied().unwrap_or_default();
        self.times.get(index).map(|at| Recorded { at: *at, demand, slot, api })
    }

    /// The requests, as recorded.
    pub fn iter(&self) -> impl Iterator<Item = Recorded> {
        (0..self.times.len()).map_while(|index| self.get(index))
    }
}

impl From<Vec<Recorded>> for Recording {
    /// Exact times, played once.
    fn from(records: Vec<Recorded>) -> Self {
        records.into_iter().collect()
    }
}

impl FromIterator<Recorded> for Recording {
    /// Exact times, played once.
    fn from_iter<T: IntoIterator<Item = Recorded>>(records: T) -> Self {
        let split = |record: Recorded| {
            let Recorded { at, demand, slot, api } = record;
            (at, RecordedDetail { demand, slot, api })
        };
        let (times, mut details): (Vec<_>, Vec<_>) = records.into_iter().map(split).unzip();
        if details.iter().all(|detail| *detail == RecordedDetail::default()) {
            details = Vec::new();
        }
        Recording { times: times.into(), details: details.into(), ..Recording::default() }
    }
}

/// What is recorded of a request beside its time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RecordedDetail {
    /// Its CPU demand in nanoseconds; `None` = drawn from the gateway's law.
    pub demand: Option<f64>,
    /// The replica that took it; `None` = chosen by the balancer.
    pub slot: Option<Slot>,
    /// The API that it is for (index into [`super::Dependencies::apis`]); `None` = drawn.
    pub api: Option<u32>,
}

/// One recorded request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// When its client sent it.
    pub at: Instant,
    /// Its CPU demand in nanoseconds; `None` = drawn from the gateway's law.
    pub demand: Option<f64>,
    /// The replica that took it; `None` = chosen by the balancer.
    pub slot: Option<Slot>,
    /// The API that it is for (index into [`super::Dependencies::apis`]); `None` = drawn.
    pub api: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(corners: &[(f64, f64)], period: Option<f64>, end: f64) -> f64 {
        let corner = |(at, rate): &(f64, f64)| (Instant::from_secs(*at), Rate(*rate));
        let (corners, period) = (corners.iter().map(corner).collect(), period.map(Span::from_secs));
        let process = ArrivalProcess { scatter: Scatter::Poisson, corners, period };
        process.backlog(100.0, Instant::from_secs(end)).round()
    }

    #[test]
    fn a_process_from_a_time_on_has_the_rates_that_it_has_then() {
        let spike = [(0.0, 50.0), (20.0, 50.0), (20.0, 300.0), (30.0, 300.0), (30.0, 80.0)];
        let corner = |(at, rate): &(f64, f64)| (Instant::from_secs(*at), Rate(*rate));
        let corners: Vec<_> = spike.iter().map(corner).collect();
        for period in [None, Some(Span::from_secs(40.0))] {
            let corners = corners.clone();
            let process = ArrivalProcess { scatter: Scatter::Poisson, corners, period };
            for start in [0.0, 5.0, 20.0, 25.0, 30.0, 39.5, 63.0] {
                let later = process.from(Span::from_secs(start));
                assert!(later.corners.is_sorted_by_key(|(at, _)| *at), "{later:?}");
                for at in [0.0, 1.25, 4.9, 9.9, 14.75, 22.3, 38.1, 44.0, 71.3] {
                    let found = later.rate_at(Instant::from_secs(at)).0;
                    let right = process.rate_at(Instant::from_secs(start + at)).0;
                    assert!((found - right).abs() < 1e-6, "{start} + {at}: {found}, not {right}");
                }
            }
        }
    }

    #[test]
    fn a_recording_from_a_time_on_repeats_all_of_it() {
        let secs = Span::from_secs;
        let at = |at: u64| Recorded { at: Instant(at), demand: None, slot: None, api: None };
        let recording: Recording = [2, 5, 9].map(|secs| at(secs * SECOND)).into_iter().collect();
        let later = recording.from(secs(30.0));
        assert_eq!(
            (recording.round(), later.period, later.start),
            (secs(12.5), Some(secs(12.5)), secs(5.0))
        );
        let late = Recording { period: Some(secs(8.0)), ..recording };
        assert_eq!(late.from(secs(3.0)).start, secs(5.0));
        let coarse = Recording { resolution: secs(4.0), ..late };
        assert_eq!(coarse.from(secs(7.0)).start, secs(6.0));
        // One instant says no rate: not a thousand million a second.
        let one: Recording = [at(0)].into_iter().collect();
        assert_eq!(one.from(Span::ZERO).period, Some(secs(1.0)));
    }

    #[test]
    fn what_waits_is_what_came_above_the_capacity() {
        assert_eq!(backlog(&[(0.0, 90.0)], None, 600.0), 0.0);
        assert_eq!(backlog(&[(0.0, 1_100.0)], None, 600.0), 600_000.0);
        // A spike of 10 s, worked off afterwards; and one that is repeated before it is.
        let spike = [(0.0, 50.0), (20.0, 50.0), (20.0, 300.0), (30.0, 300.0), (30.0, 50.0)];
        assert_eq!(backlog(&spike, None, 600.0), 2_000.0);
        assert_eq!(backlog(&spike, None, 25.0), 1_000.0);
        assert_eq!(backlog(&spike, Some(40.0), 80.0), 2_500.0);
        // A ramp from nothing to twice the capacity: the first half of it leaves nothing.
        assert_eq!(backlog(&[(0.0, 0.0), (100.0, 200.0)], None, 100.0), 2_500.0);
    }
}
