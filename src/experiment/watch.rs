//! What an experiment in progress shares with whoever watches it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::model::Gauge;

/// How far an experiment, or a study of several, is. Watching changes nothing in it.
#[derive(Debug, Default)]
pub struct Watch {
    /// How far the replications are, and whether they should stop.
    pub gauge: Gauge,
    done: AtomicUsize,
    replications: AtomicUsize,
    simulated: AtomicU64,
    stage: Mutex<String>,
}

impl Watch {
    /// Replications that reached their end so far.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Replications that there will be, as far as is known now.
    pub fn replications(&self) -> usize {
        self.replications.load(Ordering::Relaxed)
    }

    /// Nanoseconds that will be simulated in all, as far as is known now.
    pub fn aim(&self) -> u64 {
        self.simulated.load(Ordering::Relaxed)
    }

    /// What is being done, in a few words; nothing if there is but one thing.
    pub fn stage(&self) -> String {
        self.stage.lock().map(|stage| stage.clone()).unwrap_or_default()
    }

    /// Says what is being done.
    pub fn enter(&self, stage: impl Into<String>) {
        if let Ok(mut current) = self.stage.lock() {
            *current = stage.into();
        }
    }

    /// Says how much there will be in all: replications, and nanoseconds simulated in them.
    pub fn expect(&self, replications: usize, nanoseconds: u64) {
        self.replications.store(replications, Ordering::Relaxed);
        self.simulated.store(nanoseconds, Ordering::Relaxed);
    }

    /// Notes that one more replication is complete.
    pub(super) fn complete(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}
