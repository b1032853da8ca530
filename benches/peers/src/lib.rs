//! The task, apart from who simulates it: replicas that share their cores, the round robin over
//! those that are up, the random numbers, and what is measured.
//!
//! All three crates draw the same numbers, so with one seed they must say the same. None of them
//! has processor sharing: it is the clock of attained service here, with a heap of the clock's
//! readings at which jobs depart, which costs O(log n) an event. What differs is the kernel.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rand::SeedableRng;
use rand_distr::{Distribution, Exp1, LogNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

pub const CORES: f64 = 2.0;
const MEAN_DEMAND: f64 = 0.01;
pub const KILLED_AT: f64 = 200.0;
pub const BACK_AT: f64 = 230.0;

#[derive(Clone, Copy)]
pub struct Task {
    pub replicas: usize,
    pub rate: f64,
    pub kill: bool,
    pub seconds: f64,
}

/// When requests come and how much CPU each takes.
pub struct Streams {
    rate: f64,
    demand: LogNormal<f64>,
    gaps: Xoshiro256PlusPlus,
    demands: Xoshiro256PlusPlus,
}

impl Streams {
    pub fn new(task: &Task, seed: u64) -> Self {
        let variance = 2.0_f64.ln(); // of the logarithm, for a cv of 1
        let demand = LogNormal::new(MEAN_DEMAND.ln() - variance / 2.0, variance.sqrt());
        Self {
            rate: task.rate,
            demand: demand.expect("a law"),
            gaps: Xoshiro256PlusPlus::seed_from_u64(2 * seed),
            demands: Xoshiro256PlusPlus::seed_from_u64(2 * seed + 1),
        }
    }

    pub fn gap(&mut self) -> f64 {
        let unit: f64 = Exp1.sample(&mut self.gaps);
        unit / self.rate
    }

    pub fn demand(&mut self) -> f64 {
        self.demand.sample(&mut self.demands)
    }
}

/// A request under way.
struct Job {
    departs: f64, // the clock's reading
    arrived: f64,
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Job {}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        other.departs.total_cmp(&self.departs) // the heap has the first to depart on top
    }
}

/// A replica of two cores: with n jobs each runs at the rate min(1, 2/n).
///
/// An arrival mostly makes the next departure later. So a timer once set is left alone, and set
/// anew when it fires early; only an earlier departure sets a further one. That takes no longer
/// than to cancel a timer at each arrival, which simu-des cannot do.
#[derive(Default)]
pub struct Replica {
    jobs: BinaryHeap<Job>,
    clock: f64, // what a job has got that has been there since the replica was idle
    at: f64,    // when the clock was read
    timer: Option<f64>,
}

impl Replica {
    fn rate(&self) -> f64 {
        (CORES / self.jobs.len() as f64).min(1.0)
    }

    fn next_departure(&self) -> Option<f64> {
        let job = self.jobs.peek()?;
        Some(self.at + (job.departs - self.clock) / self.rate())
    }

    fn arrive(&mut self, now: f64, demand: f64) {
        if self.jobs.is_empty() {
            self.clock = 0.0;
        } else {
            self.clock += (now - self.at) * self.rate();
        }
        self.at = now;
        self.jobs.push(Job { departs: self.clock + demand, arrived: now });
    }

    /// Sets the timer, if none is set that fires in time.
    fn arm(&mut self) -> Option<f64> {
        let due = self.next_departure()?;
        if self.timer.is_some_and(|timer| timer <= due) {
            return None;
        }
        self.timer = Some(due);
        Some(due)
    }

    /// The timer that was set for `due` fires: when a job arrived that departs now.
    fn fire(&mut self, due: f64) -> Option<f64> {
        if self.timer != Some(due) {
            return None; // one that was set later fired first, or the replica was killed
        }
        self.timer = None;
        if self.next_departure()? > due {
            return None;
        }
        let job = self.jobs.pop()?;
        (self.clock, self.at) = (job.departs, due);
        Some(job.arrived)
    }

    fn kill(&mut self) -> u64 {
        let lost = self.jobs.len() as u64;
        self.jobs.clear();
        self.timer = None;
        lost
    }
}

/// Replicas, the round robin over those that are up, and what is measured.
pub struct Cluster {
    replicas: Vec<Replica>,
    up: Vec<bool>,
    last: usize,
    streams: Streams,
    pub figures: Figures,
}

impl Cluster {
    pub fn new(task: &Task, seed: u64) -> Self {
        Self {
            replicas: (0..task.replicas).map(|_| Replica::default()).collect(),
            up: vec![true; task.replicas],
            last: task.replicas - 1,
            streams: Streams::new(task, seed),
            figures: Figures::default(),
        }
    }

    /// From one arrival to the next.
    pub fn gap(&mut self) -> f64 {
        self.streams.gap()
    }

    /// A request comes: the replica that gets it, and the timer to set there.
    pub fn arrive(&mut self, now: f64) -> Option<(usize, f64)> {
        loop {
            self.last = if self.last + 1 == self.up.len() { 0 } else { self.last + 1 };
            if self.up[self.last] {
                break;
            }
        }
        let demand = self.streams.demand();
        self.replicas[self.last].arrive(now, demand);
        Some((self.last, self.replicas[self.last].arm()?))
    }

    /// A timer fires: the next one to set there.
    pub fn fire(&mut self, replica: usize, due: f64) -> Option<f64> {
        if let Some(arrived) = self.replicas[replica].fire(due) {
            self.figures.record(due - arrived);
        }
        self.replicas[replica].arm()
    }

    pub fn kill(&mut self) {
        self.up[0] = false;
        self.figures.lost += self.replicas[0].kill();
    }

    pub fn back(&mut self) {
        self.up[0] = true;
    }
}

const BUCKETS: usize = 64 * 128; // 128 an octave, from 2^-32 s to 2^32 s
const FIRST: u64 = (1023 - 32) << 7;

/// How many requests were served and how fast.
#[derive(Clone)]
pub struct Figures {
    served: u64,
    lost: u64,
    sum: f64,
    counts: Vec<u64>,
}

impl Default for Figures {
    fn default() -> Self {
        Self { served: 0, lost: 0, sum: 0.0, counts: vec![0; BUCKETS] }
    }
}

impl Figures {
    fn record(&mut self, latency: f64) {
        self.served += 1;
        self.sum += latency;
        let bucket = (latency.to_bits() >> 45).saturating_sub(FIRST) as usize;
        self.counts[bucket.min(BUCKETS - 1)] += 1;
    }

    fn p99(&self) -> f64 {
        let edge = |bucket: usize| f64::from_bits((bucket as u64 + FIRST) << 45);
        let rank = 0.99 * self.served as f64;
        let mut below = 0.0;
        for (bucket, count) in self.counts.iter().enumerate() {
            let count = *count as f64;
            if count > 0.0 && below + count >= rank {
                let part = (rank - below) / count;
                return edge(bucket) + part * (edge(bucket + 1) - edge(bucket));
            }
            below += count;
        }
        f64::NAN
    }
}

/// Runs the replications that the command line asks for and prints a line of JSON for each.
pub fn main(simulate: impl Fn(&Task, u64) -> Figures) {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [task, seconds, seed, replications] = words.as_slice() else {
        eprintln!("usage: PEER one|b2|b3 SECONDS SEED REPLICATIONS");
        std::process::exit(2);
    };
    let number = |word: &String| word.parse::<f64>().expect("a number");
    let (replicas, rate) = if task == "one" { (1, 140.0) } else { (3, 420.0) };
    let task = Task { replicas, rate, kill: task == "b3", seconds: number(seconds) };
    for replication in 0..number(replications) as u64 {
        let figures = simulate(&task, number(seed) as u64 + replication);
        println!(
            "{{\"served\": {}, \"lost\": {}, \"mean\": {}, \"p99\": {}}}",
            figures.served,
            figures.lost,
            figures.sum / figures.served as f64,
            figures.p99()
        );
    }
}
