//! The reference loop: what a request costs at least, written out for one scenario alone.
//!
//! Three replicas of two cores in strict turn, log-normal demands, each core shared by the jobs
//! there; one replica is away for 30 s of 600 s. It draws, queues and counts as the engine does,
//! and knows nothing else: no plan, no events, no life cycle, no observer. It uses nothing of the
//! crate, so that it stays as it is when the crate changes. What a case costs in units of it hardly
//! depends on the machine, because both wait for the same things: wrong guesses of the branch
//! predictor first of all.

use rand::SeedableRng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

const REPLICAS: usize = 3;
const CORES: f64 = 2.0;
const GAP: f64 = 1.0 / 420.0;
const DEMAND: f64 = 0.01;
const BLOCK: usize = 1_024;
/// When the first replica dies, and when it is back.
const AWAY: (f64, f64) = (200.0, 230.0);
const HORIZON: f64 = 600.0;
const BUCKETS: usize = 8_192;
/// Buckets by the upper bits of a float: 128 an octave, from about a microsecond on.
const SHIFT: u32 = 45;
const LOWEST: usize = 1_003 << 7;

/// What is counted of answers.
struct Counts {
    latencies: Vec<u64>,
    by_second: Vec<(u64, f64)>,
}

impl Counts {
    #[inline(always)]
    fn answer(&mut self, at: f64, latency: f64) {
        let bucket = (latency.to_bits() >> SHIFT) as usize;
        self.latencies[bucket.saturating_sub(LOWEST).min(BUCKETS - 1)] += 1;
        let second = &mut self.by_second[(at as usize).min(HORIZON as usize)];
        (second.0, second.1) = (second.0 + 1, second.1 + latency);
    }
}

/// Jobs in descending order of when they are done by the server's clock, which advances as each of
/// them progresses.
#[derive(Default)]
struct Replica {
    jobs: Vec<(f64, f64)>,
    clock: f64,
    now: f64,
}

impl Replica {
    #[inline(always)]
    fn advance(&mut self, until: f64, counts: &mut Counts) {
        while let Some((tag, arrived)) = self.jobs.last().copied() {
            let rate = (CORES / self.jobs.len() as f64).min(1.0);
            let at = self.now + (tag - self.clock) / rate;
            if at > until {
                self.clock += (until - self.now) * rate;
                break;
            }
            self.jobs.pop();
            (self.clock, self.now) = (tag, at);
            counts.answer(at, at - arrived);
        }
        self.now = until;
    }

    #[inline(always)]
    fn push(&mut self, now: f64, demand: f64) {
        self.clock = if self.jobs.is_empty() { 0.0 } else { self.clock };
        let tag = self.clock + demand;
        let mut place = self.jobs.len();
        self.jobs.push((tag, now));
        while place > 0 && self.jobs[place - 1].0 < tag {
            self.jobs[place] = self.jobs[place - 1];
            place -= 1;
        }
        self.jobs[place] = (tag, now);
    }
}

/// Simulates 600 s; gives how many requests there were and a figure that depends on all of them.
pub fn run(seed: u64) -> (u64, u64) {
    let mut gaps = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut demands = Xoshiro256PlusPlus::seed_from_u64(!seed);
    let sigma = 2.0_f64.ln().sqrt();
    let median = DEMAND * (-sigma * sigma / 2.0).exp();
    let mut counts =
        Counts { latencies: vec![0; BUCKETS], by_second: vec![(0, 0.0); HORIZON as usize + 1] };
    let mut replicas: [Replica; REPLICAS] = Default::default();
    let (mut block, mut now, mut requests, mut turn) = (Vec::new(), 0.0, 0, 0);
    while now < HORIZON {
        block.clear();
        for _ in 0..BLOCK {
            let gap: f64 = Exp1.sample(&mut gaps);
            let normal: f64 = StandardNormal.sample(&mut demands);
            now += GAP * gap;
            block.push((now, median * (sigma * normal).exp()));
        }
        requests += BLOCK as u64;
        let (from, to) = (block[0].0, now);
        let is_away = |at: f64| AWAY.0 <= at && at < AWAY.1;
        if is_away(to) && !is_away(from) {
            replicas[0].advance(from, &mut counts);
            replicas[0].jobs.clear();
        }
        let here = if is_away(to) { &mut replicas[1..] } else { &mut replicas[..] };
        let count = here.len();
        for (place, replica) in here.iter_mut().enumerate() {
            let first = (place + count - turn % count) % count;
            for (at, demand) in block.iter().skip(first).step_by(count) {
                replica.advance(*at, &mut counts);
                replica.push(*at, *demand);
            }
        }
        turn = (turn + BLOCK) % count;
    }
    let busiest = counts.by_second.iter().map(|second| second.0).max().unwrap_or(0);
    (requests, busiest + counts.latencies.iter().sum::<u64>())
}
