//! Which windows a request belongs to: those that were open when its client sent it, and that of a
//! fault that was injected while it was in flight, if it fails while that lasts.
//!
//! Time is cut into segments at every opening and closing. Each distinct set of open windows is a
//! class with one histogram and one ledger, and one more of each API if these are told apart, so a
//! request is counted once however many windows it belongs to; a window is the sum of the classes
//! that contain it.

use super::by_api::sums_of;
use super::scope::ScopeWindow;
use crate::observe::Sent;
use crate::observe::histogram::Histogram;
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::WindowOutcome;
use crate::units::{Instant, Span};

/// A set of windows open at the same time, and what was sent while they were.
#[derive(Clone, Debug)]
struct Class {
    open: Vec<usize>,
    /// How long they were.
    length: Span,
    /// Of all requests, then of each API.
    sums: Vec<ClassSum>,
}

/// What some requests of a class came to.
#[derive(Clone, Debug, Default)]
struct ClassSum {
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

impl Class {
    fn new(open: Vec<usize>, apis: usize) -> Self {
        Class { open, length: Span::ZERO, sums: vec![ClassSum::default(); 1 + apis] }
    }

    /// Asserts that its requests are those of the APIs, if these are told apart.
    fn check(&self) {
        let (all, by_api) = self.sums.split_at(1);
        let mut sum = WindowOutcome::default();
        by_api.iter().for_each(|api| add(&mut sum, &api.total));
        let counts = |of: &WindowOutcome| (of.ledger, of.attempts, of.counts, of.unanswered);
        assert!(
            by_api.is_empty() || counts(&sum) == counts(&all[0].total),
            "the requests of the APIs are {:?}, all are {:?}",
            counts(&sum),
            counts(&all[0].total)
        );
    }
}

/// Adds the counts of some requests to others.
fn add(sum: &mut WindowOutcome, part: &WindowOutcome) {
    sum.ledger += &part.ledger;
    sum.attempts += &part.attempts;
    sum.counts.iter_mut().zip(part.counts).for_each(|(mine, theirs)| *mine += theirs);
    sum.unanswered += part.unanswered;
}

impl OpenWindows {
    /// With so many APIs that are told apart.
    pub fn new(apis: usize) -> Self {
        let none = Class::new(Vec::new(), apis);
        OpenWindows { classes: vec![none], segments: vec![(Instant::ZERO, 0)] }
    }

    /// Start of the current segment.
    pub fn segment_start(&self) -> Instant {
        self.segments[self.segments.len() - 1].0
    }

    fn current(&mut self) -> &mut Class {
        let class = self.segments[self.segments.len() - 1].1;
        &mut self.classes[class]
    }

    /// From `now` on exactly these windows are open.
    pub fn change(&mut self, now: Instant, open: Vec<usize>) {
        let last = self.segments[self.segments.len() - 1];
        if self.classes[last.1].open == open {
            return;
        }
        self.current().length += now.since(last.0);
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
            let apis = self.classes[0].sums.len() - 1;
            self.classes.push(Class::new(open, apis));
            self.classes.len() - 1
        })
    }

    /// Adds what was sent in the current segment, to the sum of this index.
    pub fn add(&mut self, sum: usize, answered: &Histogram, offered: u64) {
        let total = &mut self.current().sums[sum].total;
        total.latency.merge(answered);
        total.ledger.served += answered.count();
        total.ledger.offered += offered;
    }

    /// Adds the attempts that nobody told of: the first of each request, and the one by which it
    /// was answered.
    pub fn count_attempts(&mut self) {
        for ClassSum { total, moved } in self.classes.iter_mut().flat_map(|class| &mut class.sums) {
            let made = total.attempts.offered + total.ledger.offered;
            total.attempts.offered = made.checked_add_signed(*moved).expect("attempts were made");
            total.attempts.served += total.ledger.served;
        }
    }

    /// Notes something of a request.
    pub fn note(&mut self, request: Sent, note: impl Fn(&mut WindowOutcome)) {
        let class = self.class_at(request.at);
        self.sums(class, request).for_each(|sum| note(&mut sum.total));
    }

    /// The sums of a class in which a request counts.
    fn sums(&mut self, class: usize, request: Sent) -> impl Iterator<Item = &mut ClassSum> {
        sums_of(&mut self.classes[class].sums, request.api)
    }

    fn class_at(&self, sent: Instant) -> usize {
        let place = self.segments.partition_point(|(start, _)| *start <= sent).max(1) - 1;
        self.segments[place].1
    }

    /// Notes a failure of a request that belongs to these windows as well.
    pub fn fail(&mut self, request: Sent, failure: Failure, struck: &[usize]) {
        let (from, to) = self.moves(request.at, struck);
        if from != to {
            self.sums(from, request).for_each(|sum| sum.total.ledger.offered -= 1);
            self.sums(from, request).for_each(|sum| sum.moved += 1);
            self.sums(to, request).for_each(|sum| sum.total.ledger.offered += 1);
            self.sums(to, request).for_each(|sum| sum.moved -= 1);
        }
        self.sums(to, request).for_each(|sum| sum.total.ledger.failures[failure as usize] += 1);
    }

    /// Notes the failure of an attempt for such a request.
    pub fn fail_attempt(&mut self, request: Sent, failure: Failure, struck: &[usize]) {
        let (from, to) = self.moves(request.at, struck);
        if from != to {
            self.sums(from, request).for_each(|sum| sum.moved -= 1);
            self.sums(to, request).for_each(|sum| sum.moved += 1);
        }
        self.sums(to, request).for_each(|sum| sum.total.attempts.failures[failure as usize] += 1);
    }

    /// The class in which a request was sent, and that to which it belongs if it belongs to these
    /// windows as well.
    fn moves(&mut self, sent: Instant, struck: &[usize]) -> (usize, usize) {
        let from = self.class_at(sent);
        let open = &self.classes[from].open;
        let others = struck.iter().filter(|window| !open.contains(window));
        let others: Vec<usize> = others.copied().collect();
        if others.is_empty() {
            return (from, from);
        }
        let mut open = [&open[..], &others].concat();
        open.sort_unstable();
        (from, self.class_of(open))
    }

    /// All requests of the run.
    pub fn ledger(&self) -> Ledger {
        let mut all = Ledger::default();
        self.classes.iter().for_each(|class| all += &class.sums[0].total.ledger);
        all
    }

    /// All attempts of the run.
    pub fn attempts(&self) -> Ledger {
        let mut all = Ledger::default();
        self.classes.iter().for_each(|class| all += &class.sums[0].total.attempts);
        all
    }

    /// The figures of each window; the last segment ends at `end`.
    ///
    /// # Panics
    /// The requests of the APIs are not all requests, which would be an error of this program.
    pub fn finish(mut self, end: Instant, windows: &[ScopeWindow]) -> Vec<WindowOutcome> {
        let start = self.segment_start();
        self.current().length += end.since(start);
        self.classes.iter().for_each(Class::check);
        let sum = |(window, ScopeWindow { api, .. }): (usize, &ScopeWindow)| {
            let place = api.map_or(0, |api| 1 + api as usize);
            let mut sum = WindowOutcome::default();
            for class in self.classes.iter().filter(|class| class.open.contains(&window)) {
                let part = &class.sums[place].total;
                add(&mut sum, part);
                sum.latency.merge(&part.latency);
                sum.open += class.length;
            }
            sum
        };
        windows.iter().enumerate().map(sum).collect()
    }
}
