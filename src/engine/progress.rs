//! Progress and cancellation: what work shares with whoever waits for it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// How far a replication, an experiment or a study of several is, and whether it should stop.
/// Reading it changes nothing in the work; cancelling ends it early, and its results say so.
#[derive(Debug, Default)]
pub struct Progress {
    cancelled: AtomicBool,
    simulated: AtomicU64,
    requests: AtomicU64,
    completed: AtomicUsize,
    replications: AtomicUsize,
    expected: AtomicU64,
    stage: Mutex<String>,
}

impl Progress {
    /// Asks all replications to stop at their next event.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Notes that this much more time was simulated and this many more requests were offered.
    pub fn advance(&self, nanoseconds: u64, requests: u64) {
        self.simulated.fetch_add(nanoseconds, Ordering::Relaxed);
        self.requests.fetch_add(requests, Ordering::Relaxed);
    }

    /// Nanoseconds simulated so far, over all replications.
    pub fn simulated(&self) -> u64 {
        self.simulated.load(Ordering::Relaxed)
    }

    /// Requests offered so far, over all replications.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Notes that one more replication is complete.
    pub fn complete_one(&self) {
        self.completed.fetch_add(1, Ordering::Relaxed);
    }

    /// Replications that reached their end so far.
    pub fn completed(&self) -> usize {
        self.completed.load(Ordering::Relaxed)
    }

    /// Says how much there will be in all: replications, and nanoseconds simulated in them.
    pub fn expect(&self, replications: usize, nanoseconds: u64) {
        self.replications.store(replications, Ordering::Relaxed);
        self.expected.store(nanoseconds, Ordering::Relaxed);
    }

    /// Replications that there will be, as far as is known now.
    pub fn replications(&self) -> usize {
        self.replications.load(Ordering::Relaxed)
    }

    /// Nanoseconds that will be simulated in all, as far as is known now.
    pub fn expected(&self) -> u64 {
        self.expected.load(Ordering::Relaxed)
    }

    /// Says what is being done.
    pub fn enter(&self, stage: impl Into<String>) {
        if let Ok(mut current) = self.stage.lock() {
            *current = stage.into();
        }
    }

    /// What is being done, in a few words; nothing if there is but one thing.
    pub fn stage(&self) -> String {
        self.stage.lock().map(|stage| stage.clone()).unwrap_or_default()
    }
}
