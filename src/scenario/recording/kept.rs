//! The arrivals of a recording that a run plays: kept as integers, within a window of time, up to a
//! limit of memory.
//!
//! Lines come in any order, so the first arrival is only known at the end. What is later than a run
//! could play from the earliest arrival so far is not kept: that can only move to earlier times.

use crate::plan::RecordedDetail;
use crate::random::mix;
use crate::scenario::recording::moment::{Moment, whole_second};
use crate::scenario::traffic::format::ReplayTime;
use crate::units::{Bytes, SECOND};

/// The most memory that the arrivals of a recording take.
pub(crate) const MEMORY_LIMIT: Bytes = Bytes(1 << 30);

/// Which arrivals of a file are wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RecordingWindow {
    /// From when on.
    pub(crate) from: Option<ReplayTime>,
    /// Until when.
    pub(crate) to: Option<ReplayTime>,
    /// How much recorded time the run plays.
    pub(crate) length: Moment,
    /// This share of them, drawn by the number of the arrival in the file.
    pub(crate) share: f64,
}

impl RecordingWindow {
    /// Where it begins and ends in a recording with this zero.
    pub(crate) fn bounds(&self, zero: Moment) -> (Moment, Moment) {
        let at = |time: ReplayTime| match time {
            ReplayTime::After(span) => zero.saturating_add_unsigned(span.0),
            ReplayTime::At(moment) => moment,
        };
        let from = self.from.map_or(zero, at);
        (from, self.to.map_or(Moment::MAX, at))
    }

    /// Whether the file may have arrivals that are not wanted.
    pub(crate) fn is_part(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }
}

/// Arrivals while they are read.
pub(crate) struct KeptArrivals {
    window: RecordingWindow,
    /// The zero of a table; `None` = the first arrival.
    zero: Option<Moment>,
    times: Vec<Moment>,
    /// As many as times, or none.
    details: Vec<RecordedDetail>,
    memory: u64,
    /// What came after memory was full.
    over: u64,
    /// What was drawn by its share.
    total: u64,
    number: u64,
    first: Moment,
    last: Moment,
    before: Moment,
    disordered: u64,
    coarse: bool,
    has_parts: bool,
}

/// Arrivals as they were read, in order.
#[derive(Debug, PartialEq)]
pub(crate) struct SortedArrivals {
    /// Nanoseconds from the beginning of the window.
    pub(crate) times: Vec<Moment>,
    /// As many as times, or none.
    pub(crate) details: Vec<RecordedDetail>,
    /// Arrivals outside the window or after the run.
    pub(crate) left_out: u64,
    /// How much time the recording takes; `None` if it has not two times.
    pub(crate) length: Option<Moment>,
    /// The last arrival in the file or window, from its beginning.
    pub(crate) last: Moment,
    /// How many lines told an earlier time than the one before.
    pub(crate) disordered: u64,
    /// Whether times are known to the second only.
    pub(crate) to_the_second: bool,
}

impl KeptArrivals {
    /// Nothing yet of a recording whose times are those of the run, or begin with the first.
    pub(crate) fn new(window: RecordingWindow, own_zero: bool) -> KeptArrivals {
        KeptArrivals {
            window,
            zero: own_zero.then_some(0),
            times: Vec::new(),
            details: Vec::new(),
            memory: 0,
            over: 0,
            total: 0,
            number: 0,
            first: Moment::MAX,
            last: Moment::MIN,
            before: Moment::MIN,
            disordered: 0,
            coarse: false,
            has_parts: false,
        }
    }

    /// Takes an arrival, known to the second if it is `coarse`.
    pub(crate) fn push(&mut self, at: Moment, coarse: bool, detail: RecordedDetail) {
        self.number += 1;
        let drawn = mix(self.number) as f64 / u64::MAX as f64;
        if drawn >= self.window.share && self.window.share < 1.0 {
            return;
        }
        self.total += 1;
        self.disordered += u64::from(at < self.before);
        self.before = at;
        self.coarse |= coarse;
        self.has_parts |= at % SECOND as Moment != 0;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        let (from, to) = self.bounds();
        // Parts of a second may be dropped at the end.
        let second = SECOND as Moment;
        let is_early = self.window.from.is_some_and(|from| matches!(from, ReplayTime::At(_)))
            && at < from.saturating_sub(second);
        if is_early || at >= to.saturating_add(second) {
            return;
        }
        let has_details = !self.details.is_empty() || detail != RecordedDetail::default();
        self.memory += size_of::<Moment>() as u64;
        self.memory += u64::from(has_details) * size_of::<RecordedDetail>() as u64;
        if self.memory > MEMORY_LIMIT.0 {
            self.over += 1;
            return;
        }
        if has_details {
            self.details.resize(self.times.len(), RecordedDetail::default());
            self.details.push(detail);
        }
        self.times.push(at);
    }

    /// Of the window and what a run plays of it.
    fn bounds(&self) -> (Moment, Moment) {
        let (from, to) = self.window.bounds(self.zero.unwrap_or(self.first));
        (from, to.min(from.saturating_add(self.window.length)))
    }

    /// How much memory would be needed, and for how many arrivals, if that is too much.
    pub(crate) fn excess(&self) -> Option<(u64, Bytes)> {
        (self.over > 0).then(|| (self.times.len() as u64 + self.over, Bytes(self.memory)))
    }

    /// The arrivals in order, from the beginning of the window; those known to the second at its
    /// start.
    pub(crate) fn sorted(mut self) -> SortedArrivals {
        let to_the_second = self.zero.is_none() && (self.coarse || !self.has_parts);
        if to_the_second {
            self.times.iter_mut().for_each(|at| *at = whole_second(*at));
            self.first = if self.total > 0 { whole_second(self.first) } else { 0 };
            self.last = if self.total > 0 { whole_second(self.last) } else { 0 };
        }
        self.sort();
        let (from, to) = self.bounds();
        let kept =
            self.times.partition_point(|at| *at < from)..self.times.partition_point(|at| *at < to);
        self.details.truncate(kept.end);
        self.details.drain(..kept.start.min(self.details.len()));
        self.times.truncate(kept.end);
        self.times.drain(..kept.start);
        self.times.iter_mut().for_each(|at| *at = at.saturating_sub(from));
        let left_out = self.total - self.times.len() as u64;
        let end = self.window.bounds(self.zero.unwrap_or(self.first)).1;
        let (length, last) = (self.length(from, end), self.last.min(end).saturating_sub(from));
        SortedArrivals {
            times: self.times,
            details: self.details,
            left_out,
            length,
            last,
            disordered: self.disordered,
            to_the_second,
        }
    }

    /// To the end of the window if it is given; else from the first arrival to the last and one
    /// mean gap on, of times known to the second at least the last second.
    fn length(&self, from: Moment, end: Moment) -> Option<Moment> {
        if end < Moment::MAX {
            return Some(end.saturating_sub(from)).filter(|length| *length > 0);
        }
        let whole = self.last.saturating_sub(self.first);
        let gap =
            whole / i64::try_from(self.total).ok()?.checked_sub(1).filter(|gaps| *gaps > 0)?;
        let least =
            if self.zero.is_none() && (self.coarse || !self.has_parts) { SECOND } else { 0 };
        let start = if self.window.from.is_some() { from } else { self.first };
        let length = self.last.saturating_sub(start).saturating_add(gap.max(least as Moment));
        Some(length).filter(|length| *length > 0)
    }

    fn sort(&mut self) {
        if self.disordered == 0 {
            return;
        }
        if self.details.is_empty() {
            self.times.sort_unstable();
            return;
        }
        let mut both: Vec<_> = self.times.drain(..).zip(self.details.drain(..)).collect();
        both.sort_by_key(|(at, _)| *at);
        (self.times, self.details) = both.into_iter().unzip();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    const S: Moment = SECOND as Moment;
    const ALL: RecordingWindow =
        RecordingWindow { from: None, to: None, length: Moment::MAX, share: 1.0 };

    fn kept(window: RecordingWindow, own_zero: bool, times: &[Moment]) -> SortedArrivals {
        let mut kept = KeptArrivals::new(window, own_zero);
        times.iter().for_each(|at| kept.push(*at, false, RecordedDetail::default()));
        kept.sorted()
    }

    #[test]
    fn times_in_any_order_begin_with_the_first_or_with_the_zero_of_a_table() {
        let sorted = kept(ALL, false, &[500, 200, 900, 200]);
        assert_eq!(
            (sorted.times, sorted.disordered, sorted.left_out),
            (vec![0, 0, 300, 700], 2, 0)
        );
        assert_eq!(kept(ALL, true, &[500, 200]).times, [200, 500]);
        assert!(kept(ALL, false, &[]).times.is_empty());
    }

    #[test]
    fn what_no_run_plays_is_not_kept_in_whatever_order_it_comes() {
        let window = RecordingWindow { length: 10 * S, ..ALL };
        let mut arrivals = KeptArrivals::new(window, false);
        for at in (0..1_000).rev().chain(1_000..100_000) {
            arrivals.push(at * S + 1, false, RecordedDetail::default());
        }
        assert!(arrivals.times.len() < 1_100, "{}", arrivals.times.len());
        let sorted = arrivals.sorted();
        assert_eq!((sorted.times.len(), sorted.left_out), (10, 99_990));
        assert_eq!(sorted.length, Some(100_000 * S));
    }

    #[test]
    fn a_window_is_measured_from_the_beginning_or_by_the_clock() {
        let times: Vec<Moment> = (0..10).map(|second| 1_000 * S + second * S + 5).collect();
        let after = |second: Moment| ReplayTime::After(Span((second * S) as u64));
        let at = |second: Moment| ReplayTime::At(1_000 * S + second * S);
        let of = |from, to| kept(RecordingWindow { from, to, ..ALL }, false, &times);
        let by_clock = of(Some(at(2)), Some(at(5)));
        assert_eq!(by_clock.times, [5, S + 5, 2 * S + 5]);
        assert_eq!((by_clock.length, by_clock.left_out), (Some(3 * S), 7));
        assert_eq!(of(Some(after(2)), Some(after(5))).times, [0, S, 2 * S]);
        assert!(of(Some(at(20)), None).times.is_empty());
        assert_eq!(of(None, Some(after(1))).times, [0]);
    }

    #[test]
    fn a_recording_is_as_long_as_its_arrivals_and_one_gap() {
        let long = |times: &[Moment]| kept(ALL, true, times).length;
        assert_eq!(long(&[10, 20, 40]), Some(45));
        assert_eq!((long(&[7]), long(&[]), long(&[7, 7])), (None, None, None));
        // Known to the second: the last second is whole.
        let mut logged = KeptArrivals::new(ALL, false);
        [0, 0, 0].iter().for_each(|at| logged.push(*at, true, RecordedDetail::default()));
        let sorted = logged.sorted();
        assert_eq!((sorted.length, sorted.to_the_second), (Some(S), true));
    }

    #[test]
    fn details_stay_with_their_arrivals() {
        let mut arrivals = KeptArrivals::new(RecordingWindow { length: 80, ..ALL }, true);
        for (at, slot) in [(50, None), (70, Some(1)), (20, Some(2)), (90, Some(3))] {
            arrivals.push(at, false, RecordedDetail { slot, ..RecordedDetail::default() });
        }
        let sorted = arrivals.sorted();
        let slots: Vec<_> = sorted.details.iter().map(|detail| detail.slot).collect();
        assert_eq!((sorted.times, slots), (vec![20, 50, 70], vec![Some(2), None, Some(1)]));
    }

    #[test]
    fn a_share_is_drawn_the_same_each_time() {
        let window = RecordingWindow { share: 0.3, ..ALL };
        let times: Vec<Moment> = (0..10_000).collect();
        let first = kept(window, true, &times);
        assert_eq!(first, kept(window, true, &times));
        // Binomial: 3,000 with a deviation of 46.
        assert!(first.times.len().abs_diff(3_000) < 200, "{}", first.times.len());
    }

    #[test]
    fn more_than_memory_holds_is_counted_and_not_kept() {
        let mut arrivals = KeptArrivals::new(ALL, true);
        arrivals.memory = MEMORY_LIMIT.0 - 16;
        (0..5).for_each(|at| arrivals.push(at, false, RecordedDetail::default()));
        assert_eq!(arrivals.times.len(), 2);
        assert_eq!(arrivals.excess(), Some((5, Bytes(MEMORY_LIMIT.0 + 24))));
    }
}
