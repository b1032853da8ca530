//! Which windows a request belongs to: those that were open when its client sent it.
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
        let known = self.classes.iter().position(|class| class.open == open);
        let class = known.unwrap_or_else(|| {
            self.classes.push(Class { open, total: WindowOutcome::default() });
            self.classes.len() - 1
        });
        if last.0 == now {
            self.segments.pop();
        }
        self.segments.push((now, class));
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
        for Class { total, .. } in &mut self.classes {
            total.attempts.offered += total.ledger.offered;
            total.attempts.served += total.ledger.served;
        }
    }

    /// The class of a request sent at `sent`.
    pub fn at(&mut self, sent: Instant) -> &mut WindowOutcome {
        let place = self.segments.partition_point(|(start, _)| *start <= sent).max(1) - 1;
        let class = self.segments[place].1;
        &mut self.classes[class].total
    }

    /// Notes a failure.
    pub fn fail(&mut self, sent: Instant, failure: Failure) {
        self.at(sent).ledger.failures[failure as usize] += 1;
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
