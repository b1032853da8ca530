//! What is seen of requests that queue in order of arrival: when each came, began and went.
//!
//! An observer is not told when a host begins with a request, but in a queue in order of arrival
//! that follows from the arrivals and departures: as soon as the request is there and a worker is
//! done with one of those before.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observer, Sent, Served};
use brownout::units::Instant;

use crate::theory::queues::sojourns::UNIT;

/// How the system is built.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Hosts that take requests in turn.
    pub hosts: usize,
    /// Workers of each.
    pub workers: usize,
    /// Requests that are sent from here to the horizon count.
    pub from: Instant,
    pub until: Instant,
}

/// What is kept of one replication.
pub struct Retention {
    shape: Shape,
    times: Vec<(u64, u64)>,
    offered: f64,
    refused: f64,
}

/// What it comes to, in units of the mean demand.
#[derive(Clone, Default)]
pub struct Figures {
    pub sojourns: Vec<f32>,
    pub waits: Vec<f32>,
    pub offered: f64,
    pub refused: f64,
    /// Time with so many requests in the system.
    pub time_with: Vec<f64>,
}

impl Observer for Retention {
    fn offered(&mut self, request: Sent) {
        self.offered += f64::from(u8::from(self.counts(request.at.0)));
    }
    fn served(&mut self, request: &Served) {
        self.times.push((request.arrived.0, request.finished.0));
    }
    fn failed(&mut self, request: Sent, _at: Instant, failure: Failure) {
        assert_eq!(failure, Failure::BreakerOpen);
        self.refused += f64::from(u8::from(self.counts(request.at.0)));
    }
}

impl Retention {
    pub fn new(shape: Shape) -> Self {
        Retention { shape, times: Vec::new(), offered: 0.0, refused: 0.0 }
    }

    fn counts(&self, sent: u64) -> bool {
        (self.shape.from.0..self.shape.until.0).contains(&sent)
    }

    pub fn figures(mut self) -> Figures {
        self.times.sort_unstable();
        let (sojourns, waits) = self.sojourns_and_waits();
        let (offered, refused, time_with) = (self.offered, self.refused, self.time_with());
        Figures { sojourns, waits, offered, refused, time_with }
    }

    fn sojourns_and_waits(&self) -> (Vec<f32>, Vec<f32>) {
        let Shape { hosts, workers, .. } = self.shape;
        let mut free = vec![vec![0; workers]; hosts];
        let (mut sojourns, mut waits) = (Vec::new(), Vec::new());
        for (place, (arrived, finished)) in self.times.iter().enumerate() {
            let first = free[place % hosts].iter_mut().min().expect("there are workers");
            let began = *arrived.max(first);
            assert!(began <= *finished, "a request was overtaken");
            *first = *finished;
            if self.counts(*arrived) {
                waits.push(((began - arrived) as f64 / UNIT) as f32);
                sojourns.push(((finished - arrived) as f64 / UNIT) as f32);
            }
        }
        (sojourns, waits)
    }

    fn time_with(&self) -> Vec<f64> {
        let comes = self.times.iter().map(|(arrived, _)| (*arrived, 1));
        let goes = self.times.iter().map(|(_, finished)| (*finished, -1));
        let mut changes: Vec<(u64, i32)> = comes.chain(goes).collect();
        changes.sort_unstable();
        let (from, until) = (self.shape.from.0, self.shape.until.0);
        let (mut time_with, mut number, mut since) = (Vec::new(), 0_usize, from);
        for (at, change) in changes.into_iter().chain([(until, 0)]) {
            let now = at.clamp(from, until);
            if time_with.len() <= number {
                time_with.resize(number + 1, 0.0);
            }
            time_with[number] += (now - since) as f64 / UNIT;
            (number, since) = (number.saturating_add_signed(change as isize), now);
        }
        time_with
    }
}

impl Figures {
    /// Adds what another replication saw.
    pub fn merge(&mut self, other: &Figures) {
        self.sojourns.extend_from_slice(&other.sojourns);
        self.waits.extend_from_slice(&other.waits);
        self.offered += other.offered;
        self.refused += other.refused;
        let longer = self.time_with.len().max(other.time_with.len());
        self.time_with.resize(longer, 0.0);
        self.time_with.iter_mut().zip(&other.time_with).for_each(|(mine, it)| *mine += it);
    }

    pub fn time(&self) -> f64 {
        self.time_with.iter().sum()
    }

    /// The share of the time with exactly so many in the system.
    pub fn probability(&self, number: usize) -> f64 {
        self.time_with.get(number).copied().unwrap_or_default() / self.time()
    }

    pub fn mean_number(&self) -> f64 {
        let weighted = self.time_with.iter().enumerate().map(|(number, time)| number as f64 * time);
        weighted.sum::<f64>() / self.time()
    }
}
