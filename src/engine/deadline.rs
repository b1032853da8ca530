//! Deadlines of the jobs in a server, all with the same patience.
//!
//! Almost always no job comes near its deadline, so nothing is kept until one does. From then on
//! the deadlines stand in a ring in order of arrival; a job that is done is closed in the ring, and
//! one that expires is left in the server's queue as a tombstone, recognised by its age.
//!
//! [`due`] says when patience ends, for these jobs and for whoever keeps time-outs of their own.

use std::collections::VecDeque;

use super::jobs::{Job, JobId, Jobs};

/// When the patience of what arrived at `arrived` ends, in nanoseconds; `u64::MAX` = never.
#[inline(always)]
pub fn due(arrived: u64, patience: u64) -> u64 {
    arrived.saturating_add(patience)
}

/// A job in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When it arrived.
    pub arrived: u64,
    /// Which job it is.
    pub id: JobId,
    open: bool,
}

/// The deadlines of one server.
#[derive(Clone, Debug)]
pub struct Deadlines {
    patience: u64,
    ring: VecDeque<Deadline>,
    tracked: bool,
}

impl Deadlines {
    /// No jobs; each will expire `patience` after its arrival, `u64::MAX` = never.
    pub fn new(patience: u64) -> Self {
        Deadlines { patience, ring: VecDeque::new(), tracked: false }
    }

    /// When a job that arrives at `arrived` expires.
    #[inline(always)]
    pub fn due(&self, arrived: u64) -> u64 {
        due(arrived, self.patience)
    }

    /// Whether the ring is kept.
    pub fn are_tracked(&self) -> bool {
        self.tracked
    }

    /// Stops keeping the ring.
    #[inline(always)]
    pub fn forget(&mut self) {
        if self.tracked {
            self.ring.clear();
            self.tracked = false;
        }
    }

    /// Starts keeping the ring with the jobs that are there.
    pub fn track(&mut self, jobs: &Jobs) {
        let waiting = |job: &Job| Deadline { arrived: job.arrived, id: job.id, open: true };
        let customers = jobs.iter().filter(|job| !job.is_background());
        let mut all: Vec<Deadline> = customers.map(waiting).collect();
        debug_assert!(!self.tracked && self.ring.is_empty(), "the ring is built once");
        // No two are alike.
        all.sort_unstable_by_key(|waiting| (waiting.arrived, waiting.id));
        self.ring = all.into();
        self.tracked = true;
    }

    /// Enters a job that arrives now; arrivals come in order of time.
    #[inline(always)]
    pub fn add(&mut self, arrived: u64, id: JobId) {
        if self.tracked {
            let last = self.ring.back().map_or(0, |last| last.arrived);
            debug_assert!(last <= arrived, "arrivals come in order of time");
            self.ring.push_back(Deadline { arrived, id, open: true });
        }
    }

    /// Closes a job that is done.
    pub fn close(&mut self, arrived: u64, id: JobId) {
        let from = self.ring.partition_point(|waiting| waiting.arrived < arrived);
        let mut same = self.ring.range_mut(from..).take_while(|w| w.arrived == arrived);
        let job = same.find(|waiting| waiting.open && waiting.id == id);
        debug_assert!(job.is_some() || arrived == Job::BACKGROUND, "every job is in the ring");
        if let Some(waiting) = job {
            waiting.open = false;
        }
    }

    /// The earliest deadline of an open job.
    pub fn first(&mut self) -> Option<u64> {
        while self.ring.front().is_some_and(|waiting| !waiting.open) {
            self.ring.pop_front();
        }
        self.ring.front().map(|waiting| self.due(waiting.arrived))
    }

    /// Takes out the open job with the earliest deadline.
    pub fn pop(&mut self) -> Option<Deadline> {
        self.first()?;
        self.ring.pop_front()
    }

    /// Whether the job's deadline is not after `now`.
    #[inline(always)]
    pub fn has_passed(&self, job: &Job, now: u64) -> bool {
        self.due(job.arrived) <= now
    }

    /// The earliest deadline among `jobs`; `u64::MAX` if there are none.
    pub fn earliest(&self, jobs: &Jobs) -> u64 {
        let oldest = jobs.iter().map(|job| job.arrived).min();
        oldest.map_or(u64::MAX, |arrived| self.due(arrived))
    }
}
