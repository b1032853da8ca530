//! Many searches of one capacity, and how many of their intervals hold it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use brownout::experiment::store::NoStore;
use brownout::experiment::{Progress, Runner};
use brownout::study::capacity::find::find;
use brownout::study::capacity::search::Capacity;

use super::system::System;
use crate::{Effort, effort};

/// What many searches came to.
#[derive(Debug, Default)]
pub struct Tally {
    searches: u64,
    held: u64,
    /// Intervals that lie below the truth, and above it.
    below: u64,
    above: u64,
    /// Intervals without an upper end.
    unbounded: u64,
    /// Of the others.
    width: f64,
    points: f64,
    experiments: usize,
}

impl Tally {
    /// Adds an interval, and the experiments that it took, beside the truth.
    pub fn add(&mut self, capacity: Capacity, experiments: usize, truth: f64) {
        let Capacity::Between { low, point, high } = capacity else { panic!("{capacity:?}") };
        self.searches += 1;
        self.held += u64::from((low..=high).contains(&truth));
        self.below += u64::from(high < truth);
        self.above += u64::from(low > truth);
        match high.is_finite() {
            true => self.width += (high - low) / truth,
            false => self.unbounded += 1,
        }
        self.points += point / truth;
        self.experiments += experiments;
    }

    /// Says what was counted, and demands that so many per cent of the intervals hold the truth.
    pub fn judge(&self, name: &str, least: u64) {
        let each = |sum: f64| sum / self.searches as f64;
        println!(
            "{name}: {} of {} hold the truth, {} lie below, {} above, {} have no upper end; width \
             {:.2} %, points {:+.2} %, {:.1} experiments",
            self.held,
            self.searches,
            self.below,
            self.above,
            self.unbounded,
            100.0 * self.width / (self.searches - self.unbounded) as f64,
            100.0 * (each(self.points) - 1.0),
            each(self.experiments as f64),
        );
        assert!(self.held * 100 >= self.searches * least, "{name}: {self:?}");
    }
}

/// Searches the capacity again and again, and demands that the intervals hold the truth as often as
/// they say.
pub fn hold(name: &str, system: &System, truth: f64, searches: u64) {
    let mut tally = Tally::default();
    let (searches, least) = match effort() {
        Effort::Full => (searches, 93),
        Effort::Sample => (searches / 4, 88),
    };
    for (capacity, experiments) in over_seeds(system, searches) {
        tally.add(capacity, experiments, truth);
    }
    tally.judge(name, least);
}

/// What the searches found, and how many experiments each took. Each has one thread.
fn over_seeds(system: &System, searches: u64) -> Vec<(Capacity, usize)> {
    let next = AtomicU64::new(1);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..cores).map(|_| scope.spawn(|| work(system, &next, searches))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    })
}

fn work(system: &System, next: &AtomicU64, searches: u64) -> Vec<(Capacity, usize)> {
    let progress = Progress::default();
    let runner = Runner::new(Some(1), &progress, &NoStore).expect("a thread");
    let mut all = Vec::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed > searches {
            return all;
        }
        let System { scenario, mode, effort, .. } = system.seeded(seed);
        // Half of what theory allows at most: a search does not begin at the truth.
        let guess = 0.5 * brownout::study::mode::limits::fluid_limit(&scenario, mode);
        let finding = find(&runner, &scenario, mode, effort, guess);
        all.push((finding.capacity, finding.probes.len()));
    }
}
