//! What gathers between two cuts, and how the run goes on from interval to interval of time.
//!
//! A request that is sent in the interval in progress, and answered in it, costs a count and an
//! entry of the live histogram; how many there were the interval learns when it is over, from the
//! difference. All others are put into the interval in which they were sent one by one.

use crate::observe::histogram::Histogram;
use crate::observe::time_series::TimeSeries;
use crate::units::{Instant, Span};

/// Since the last cut, of the requests sent since the open windows changed last.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    /// Their answers.
    pub answered: Histogram,
    /// How many of them were sent since the cut.
    pub offered: u64,
}

/// Sums over [`Live`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LiveSums {
    /// Requests that were sent.
    pub offered: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// How long those took.
    pub latency: u128,
}

impl Live {
    /// Puts all of it into another, and begins again.
    pub fn move_to(&mut self, other: &mut Live) {
        other.answered.merge(&self.answered);
        other.offered += std::mem::take(&mut self.offered);
        self.answered.clear();
    }
}

impl LiveSums {
    /// With those over some more.
    pub fn and(self, more: &Live) -> LiveSums {
        LiveSums {
            offered: self.offered + more.offered,
            answered: self.answered + more.answered.count(),
            latency: self.latency + more.answered.sum(),
        }
    }
}

/// An interval of time in which requests are sent that need no more than [`Live`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    from: Instant,
    length: u64,
}

impl Near {
    /// No time at all.
    pub const NONE: Near = Near { from: Instant::ZERO, length: 0 };

    /// Whether this moment lies in it: one comparison, since what is earlier wraps round.
    #[inline(always)]
    pub fn holds(self, sent: Instant) -> bool {
        sent.0.wrapping_sub(self.from.0) < self.length
    }
}

/// The intervals of time of a run, if they are followed.
#[derive(Clone, Debug)]
pub(super) struct Intervals {
    series: Option<TimeSeries>,
    /// The interval in progress.
    begins: Instant,
    ends: Instant,
    /// Whether a request that was sent in it was answered.
    answered: bool,
    /// What of [`Live`] they have already.
    settled: LiveSums,
}

impl Intervals {
    /// Follows intervals of this length; `None` = follows nothing.
    pub fn new(interval: Option<Span>) -> Self {
        let ends = interval.map_or(Instant::NEVER, |interval| Instant::ZERO + interval);
        let series = interval.map(TimeSeries::new);
        Intervals {
            series,
            begins: Instant::ZERO,
            ends,
            answered: false,
            settled: LiveSums::default(),
        }
    }

    /// The series, if there is one.
    pub fn series(&mut self) -> Option<&mut TimeSeries> {
        self.series.as_mut()
    }

    /// The series, if there is one; nothing is followed from now on.
    pub fn take_series(&mut self) -> Option<TimeSeries> {
        self.series.take()
    }

    /// The part of the interval in progress that is not before `segment`.
    pub fn near(&self, segment: Instant) -> Near {
        let from = segment.max(self.begins);
        Near { from, length: self.ends.0.saturating_sub(from.0) }
    }

    /// A request was sent; `live` tells whether [`Live`] counts it.
    pub fn offer(&mut self, sent: Instant, live: bool) {
        self.settled.offered += u64::from(live);
        if let Some(series) = &mut self.series {
            series.at(sent).sent += 1;
        }
    }

    /// A request was answered; `live` tells whether [`Live`] has it.
    pub fn answer(&mut self, sent: Instant, latency: Span, live: bool) {
        if live {
            self.settled.answered += 1;
            self.settled.latency += u128::from(latency.0);
        }
        let Some(series) = &mut self.series else { return };
        let interval = series.at(sent);
        interval.answer(latency);
        // How long those of the interval in progress take is settled when it ends.
        match self.begins <= sent && sent < self.ends {
            true => self.answered = true,
            false => interval.decide(latency),
        }
    }

    /// Puts what is live into the interval in progress.
    pub fn settle(&mut self, now: LiveSums) {
        let before = std::mem::replace(&mut self.settled, now);
        let (offered, answered) = (now.offered - before.offered, now.answered - before.answered);
        if let Some(series) = self.series.as_mut().filter(|_| offered + answered > 0) {
            let interval = series.at(self.begins);
            interval.sent += offered;
            interval.answered += answered;
            interval.latency += Span((now.latency - before.latency) as u64);
            self.answered |= answered > 0;
        }
    }

    /// What is live has been cut off.
    pub fn forget_live(&mut self) {
        self.settled = LiveSums::default();
    }

    /// A sample: the interval in progress may be over. Of the requests that were answered in the
    /// interval in which they were sent it knows only that none took longer. Whether another one
    /// begins.
    pub fn turn(&mut self, now: Instant, live: LiveSums) -> bool {
        let Some(series) = &mut self.series else { return false };
        series.sample(now);
        if now < self.ends {
            return false;
        }
        self.settle(live);
        self.close(now);
        true
    }

    /// Ends the interval in progress; the next one is the one that holds `now`.
    fn close(&mut self, now: Instant) {
        let Some(series) = &mut self.series else { return };
        let width = series.interval();
        if std::mem::take(&mut self.answered) {
            series.at(self.begins).decide(now.since(self.begins));
        }
        self.begins = Instant(now.0 - now.0 % width.0);
        self.ends = self.begins + width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::time_series::IntervalStats;
    use crate::units::SECOND;
    use proptest::prelude::*;

    const INTERVAL: Span = Span(SECOND);
    const INTERVALS: u64 = 8;

    /// What happens to a request, in order of time.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Fact {
        Sampled,
        Cut,
        Offered(u64),
        Answered(u64),
    }

    /// The facts of requests, each with when it was sent and how long it took, in nanoseconds.
    fn facts(requests: &[(u64, u64)], cuts: &[u64]) -> Vec<(u64, Fact)> {
        let sent = requests.iter().map(|(sent, _)| (*sent, Fact::Offered(*sent)));
        let answered = requests.iter().map(|(sent, took)| (sent + took, Fact::Answered(*sent)));
        let samples = (1..=INTERVALS).map(|interval| (interval * SECOND, Fact::Sampled));
        let cuts = cuts.iter().map(|at| (*at, Fact::Cut));
        let mut all: Vec<_> = sent.chain(answered).chain(samples).chain(cuts).collect();
        all.retain(|(at, _)| *at <= INTERVALS * SECOND);
        all.sort_unstable();
        all
    }

    /// The intervals, if a cut changes the windows, and requests are told apart by [`Near`] or not.
    fn followed(facts: &[(u64, Fact)], near: bool) -> Vec<IntervalStats> {
        let (mut intervals, mut live) = (Intervals::new(Some(INTERVAL)), Live::default());
        let mut segment = Instant::ZERO;
        for (at, fact) in facts {
            let (now, near) = (Instant(*at), near.then(|| intervals.near(segment)));
            let simple = |sent| near.is_some_and(|near| near.holds(Instant(sent)));
            match *fact {
                Fact::Sampled => _ = intervals.turn(now, LiveSums::default().and(&live)),
                Fact::Cut => {
                    intervals.settle(LiveSums::default().and(&live));
                    live = Live::default();
                    intervals.forget_live();
                    segment = now;
                }
                Fact::Offered(sent) => {
                    live.offered += u64::from(Instant(sent) >= segment);
                    if !simple(sent) {
                        intervals.offer(Instant(sent), Instant(sent) >= segment);
                    }
                }
                Fact::Answered(sent) => {
                    let latency = now.since(Instant(sent));
                    let is_live = Instant(sent) >= segment;
                    if is_live {
                        live.answered.record(latency);
                    }
                    if !simple(sent) {
                        intervals.answer(Instant(sent), latency, is_live);
                    }
                }
            }
        }
        let series = intervals.take_series().unwrap();
        series.between(Instant::ZERO, Instant(INTERVALS * SECOND)).to_vec()
    }

    proptest! {
        #[test]
        fn intervals_hold_what_was_sent_in_them_whichever_way_it_was_told(
            requests in prop::collection::vec((0..INTERVALS * SECOND, 1..3 * SECOND), 0..200),
            cuts in prop::collection::vec(0..INTERVALS * SECOND, 0..6),
        ) {
            let facts = facts(&requests, &cuts);
            let intervals = followed(&facts, true);
            prop_assert_eq!(&intervals, &followed(&facts, false));
            for (index, interval) in intervals.iter().enumerate() {
                let (from, end) = (index as u64 * SECOND, INTERVALS * SECOND);
                let mine = requests.iter().filter(|(sent, _)| (from..from + SECOND).contains(sent));
                let in_time = |(sent, took): &&(u64, u64)| sent + took <= end;
                let answered: Vec<_> = mine.clone().filter(in_time).collect();
                prop_assert_eq!(interval.sent, mine.count() as u64);
                prop_assert_eq!(interval.answered, answered.len() as u64);
                let latency = answered.iter().map(|(_, took)| took).sum::<u64>();
                prop_assert_eq!(interval.latency.0, latency);
                let greatest = answered.iter().map(|(_, took)| *took).max().unwrap_or(0);
                let least = if greatest > 0 { SECOND } else { 0 };
                prop_assert!([greatest, least.max(greatest)].contains(&interval.slowest.0));
            }
        }
    }
}
