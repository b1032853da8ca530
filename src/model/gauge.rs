//! How far replications are, and whether they should stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The one thing that a running replication shares with the outside: how far it is, and whether it
/// should stop. Reading it changes nothing in the run; stopping ends it early and says so.
#[derive(Debug, Default)]
pub struct Gauge {
    stop: AtomicBool,
    simulated: AtomicU64,
    requests: AtomicU64,
}

impl Gauge {
    /// Asks all replications to stop at their next event.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
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
}
