//! Which windows a request belongs to: those that were open when its client sent it, and that of a
//! fault that was injected while it was in flight, if it fails while that lasts.
//!
//! Time is cut into segments at every opening and closing. Each distinct set of open windows is a
//! class with one histogram and one ledger, so a request is counted once however many windows it
//! belongs to; a window is the sum of the classes that contain it.

use crate::observe::histogram::Histogram;
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::WindowOutcome;
use crate::units::Instant;

/// A set of windows open at the same time, and what was sent while they were.
#[derive(Clone, Debug, Default)]
struct Class {
    open: Vec<usize>,
    total: WindowOutcome,
    /// Attempts less requests that came to it from other classes, or went there.
    moved: i64,
}

/// Segments, classes and the current one of each.
#[derive(Clone, Debug)]
pub(super) struct OpenWindows {
    classes: Vec<Class>,
    /// Start and class of each segment, in order of time; never empty.
    segments: Vec<(Instant, usize)>,
}

impl OpenWindows {
    pub fn new() -> Self {
        OpenWindows { classes: vec![Class::default()], segments: vec![(Instant::ZERO, 0)] }
    }

    /// Start of the current segment.
    pub fn segment_start(&self) -> Instant {
        self.segments[self.segments.len() - 1].0
    }

    fn current(&mut self) -> &mut WindowOutcome {
        let class = self.segments[self.segments.len() - 1].1;
        &mut self.classes[class].total
    }

    /// From `now` on exactly these windows are open.
    pub fn change(&mut self, now: Instant, open: Vec<usize>) {
        let last = self.segments[self.segments.len() - 1];
        if self.classes[last.1].open == open {
            return;
        }
        self.current().open += now.since(last.0);
        let class = self.class_of(open);
        if last.0 == now {
            self.segments.pop();
        }
        self.segments.push((now, class));
    }

    /// The class of what is sent while exactly these windows are open.
    fn class_of(&mut self, open: Vec<usize>) -> usize {
        let known = self.classes.iter().position(|class| class.open == open);
        known.unwrap_or_else(|| {
            self.classes.push(Class { open, ..Class::default() });
            self.classes.len() - 1
        })
    }

    /// Adds what was sent in the current segment.
    pub fn add(&mut self, answered: &Histogram, offered: u64) {
        let total = self.current();
        total.latency.merge(answered);
        total.ledger.served += answered.count();
        total.ledger.offered += offered;
    }

    /// Adds the attempts that nobody told of: the first of each request, and the one by which it
    /// was answered.
    pub fn count_attempts(&mut self) {
        for Class { total, moved, .. } in &mut self.classes {
            let made = total.attempts.offered + total.ledger.offered;
            total.attempts.offered = made.checked_add_signed(*moved).expect("attempts were made");
            total.attempts.served += total.ledger.served;
        }
    }

    /// The class of a request sent at `sent`.
    pub fn at(&mut self, sent: Instant) -> &mut WindowOutcome {
        let class = self.class_at(sent);
        &mut self.classes[class].total
    }

    fn class_at(&self, sent: Instant) -> usize {
        let place = self.segments.partition_point(|(start, _)| *start <= sent).max(1) - 1;
        self.segments[place].1
    }

    /// Notes a failure of a request that belongs to these windows as well.
    pub fn fail(&mut self, sent: Instant, failure: Failure, struck: &[usize]) {
        let (from, to) = self.moves(sent, struck);
        if from != to {
            self.classes[from].total.ledger.offered -= 1;
            self.classes[to].total.ledger.offered += 1;
            self.classes[from].moved += 1;
            self.classes[to].moved -= 1;
        }
        self.classes[to].total.ledger.failures[failure as usize] += 1;
    }

    /// Notes the failure of an attempt for such a request.
    pub fn fail_attempt(&mut self, sent: Instant, failure: Failure, struck: &[usize]) {
        let (from, to) = self.moves(sent, struck);
        self.classes[from].moved -= i64::from(from != to);
        self.classes[to].moved += i64::from(from != to);
        self.classes[to].total.attempts.failures[failure as usize] += 1;
    }

    /// The class in which a request was sent, and that to which it belongs if it belongs to these
    /// windows as well.
    fn moves(&mut self, sent: Instant, struck: &[usize]) -> (usize, usize) {
        let from = self.class_at(sent);
        let mut open = self.classes[from].open.clone();
        let others = struck.iter().filter(|window| !open.contains(window)).copied();
        let others: Vec<usize> = others.collect();
        if others.is_empty() {
            return (from, from);
        }
        open.extend(others);
        open.sort_unstable();
        (from, self.class_of(open))
    }

    /// All requests of the run.
    pub fn ledger(&self) -> Ledger {
        let mut all = Ledger::default();
        self.classes.iter().for_each(|class| all += &class.total.ledger);
        all
    }

    /// All attempts of the run.
    pub fn attempts(&self) -> Ledger {
        let mut all = Ledger::default();
        self.classes.iter().for_each(|class| all += &class.total.attempts);
        all
    }

    /// The figures of each of `count` windows; the last segment ends at `end`.
    pub fn finish(mut self, end: Instant, count: usize) -> Vec<WindowOutcome> {
        let start = self.segment_start();
        self.current().open += end.since(start);
        let sum = |window: usize| {
            let mut sum = WindowOutcome::default();
            for class in self.classes.iter().filter(|class| class.open.contains(&window)) {
                sum.latency.merge(&class.total.latency);
                sum.ledger += &class.total.ledger;
                sum.attempts += &class.total.attempts;
                let counts = sum.counts.iter_mut().zip(class.total.counts);
                counts.for_each(|(mine, theirs)| *mine += theirs);
                sum.unanswered += class.total.unanswered;
                sum.open += class.total.open;
            }
            sum
        };
        (0..count).map(sum).collect()
    }
}
