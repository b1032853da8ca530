//! What gathers between two cuts, and how the run goes on from slot to slot of time.
//!
//! A request that is sent in the slot in progress, and answered in it, costs a count and an entry
//! of the live histogram; how many there were the slot learns when it is over, from the difference.
//! All others are put into the slot in which they were sent one by one.

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

/// What of [`Live`] the slots have already.
#[derive(Clone, Copy, Debug, Default)]
struct Settled {
    offered: u64,
    answered: u64,
    latency: u128,
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

/// The slots of time of a run, if they are followed.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    series: Option<TimeSeries>,
    /// The slot in progress.
    begins: Instant,
    ends: Instant,
    /// Whether a request that was sent in it was answered.
    answered: bool,
    settled: Settled,
}

impl Slots {
    /// Follows slots of this length; `None` = follows nothing.
    pub fn new(slot: Option<Span>) -> Self {
        let ends = slot.map_or(Instant::NEVER, |slot| Instant::ZERO + slot);
        let series = slot.map(TimeSeries::new);
        Slots { series, begins: Instant::ZERO, ends, answered: false, settled: Settled::default() }
    }

    /// The series, if there is one.
    pub fn series(&mut self) -> Option<&mut TimeSeries> {
        self.series.as_mut()
    }

    /// The series, if there is one; nothing is followed from now on.
    pub fn take_series(&mut self) -> Option<TimeSeries> {
        self.series.take()
    }

    /// The part of the slot in progress that is not before `segment`.
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
        let slot = series.at(sent);
        slot.answer(latency);
        // How long those of the slot in progress take is settled when it ends.
        match self.begins <= sent && sent < self.ends {
            true => self.answered = true,
            false => slot.decide(latency),
        }
    }

    /// Puts what is live into the slot in progress.
    pub fn settle(&mut self, live: &Live) {
        let (answered, latency) = (live.answered.count(), live.answered.sum());
        let now = Settled { offered: live.offered, answered, latency };
        let before = std::mem::replace(&mut self.settled, now);
        let (offered, answered) = (now.offered - before.offered, now.answered - before.answered);
        if let Some(series) = self.series.as_mut().filter(|_| offered + answered > 0) {
            let slot = series.at(self.begins);
            slot.sent += offered;
            slot.answered += answered;
            slot.latency += Span((now.latency - before.latency) as u64);
            self.answered |= answered > 0;
        }
    }

    /// What is live has been cut off.
    pub fn forget_live(&mut self) {
        self.settled = Settled::default();
    }

    /// A sample: the slot in progress may be over. Of the requests that were answered in the slot
    /// in which they were sent it knows only that none took longer. Whether another slot begins.
    pub fn turn(&mut self, now: Instant, live: &Live) -> bool {
        let Some(series) = &mut self.series else { return false };
        series.sample(now);
        if now < self.ends {
            return false;
        }
        self.settle(live);
        self.close(now);
        true
    }

    /// Ends the slot in progress; the next one is the one that holds `now`.
    fn close(&mut self, now: Instant) {
        let Some(series) = &mut self.series else { return };
        let width = series.slot();
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

    const SLOT: Span = Span(SECOND);
    const SLOTS: u64 = 8;

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
        let samples = (1..=SLOTS).map(|slot| (slot * SECOND, Fact::Sampled));
        let cuts = cuts.iter().map(|at| (*at, Fact::Cut));
        let mut all: Vec<_> = sent.chain(answered).chain(samples).chain(cuts).collect();
        all.retain(|(at, _)| *at <= SLOTS * SECOND);
        all.sort_unstable();
        all
    }

    /// The slots, if a cut changes the windows, and requests are told apart by [`Near`] or not.
    fn followed(facts: &[(u64, Fact)], near: bool) -> Vec<IntervalStats> {
        let (mut slots, mut live) = (Slots::new(Some(SLOT)), Live::default());
        let mut segment = Instant::ZERO;
        for (at, fact) in facts {
            let (now, near) = (Instant(*at), near.then(|| slots.near(segment)));
            let simple = |sent| near.is_some_and(|near| near.holds(Instant(sent)));
            match *fact {
                Fact::Sampled => _ = slots.turn(now, &live),
                Fact::Cut => {
                    slots.settle(&live);
                    live = Live::default();
                    slots.forget_live();
                    segment = now;
                }
                Fact::Offered(sent) => {
                    live.offered += u64::from(Instant(sent) >= segment);
                    if !simple(sent) {
                        slots.offer(Instant(sent), Instant(sent) >= segment);
                    }
                }
                Fact::Answered(sent) => {
                    let latency = now.since(Instant(sent));
                    let is_live = Instant(sent) >= segment;
                    if is_live {
                        live.answered.record(latency);
                    }
                    if !simple(sent) {
                        slots.answer(Instant(sent), latency, is_live);
                    }
                }
            }
        }
        let series = slots.take_series().unwrap();
        series.between(Instant::ZERO, Instant(SLOTS * SECOND)).to_vec()
    }

    proptest! {
        #[test]
        fn slots_hold_what_was_sent_in_them_whichever_way_it_was_told(
            requests in prop::collection::vec((0..SLOTS * SECOND, 1..3 * SECOND), 0..200),
            cuts in prop::collection::vec(0..SLOTS * SECOND, 0..6),
        ) {
            let facts = facts(&requests, &cuts);
            let slots = followed(&facts, true);
            prop_assert_eq!(&slots, &followed(&facts, false));
            for (index, slot) in slots.iter().enumerate() {
                let (from, end) = (index as u64 * SECOND, SLOTS * SECOND);
                let mine = requests.iter().filter(|(sent, _)| (from..from + SECOND).contains(sent));
                let in_time = |(sent, took): &&(u64, u64)| sent + took <= end;
                let answered: Vec<_> = mine.clone().filter(in_time).collect();
                prop_assert_eq!(slot.sent, mine.count() as u64);
                prop_assert_eq!(slot.answered, answered.len() as u64);
                prop_assert_eq!(slot.latency.0, answered.iter().map(|(_, took)| took).sum::<u64>());
                let greatest = answered.iter().map(|(_, took)| *took).max().unwrap_or(0);
                let least = if greatest > 0 { SECOND } else { 0 };
                prop_assert!(slot.slowest.0 == greatest || slot.slowest.0 == least.max(greatest));
            }
        }
    }
}
