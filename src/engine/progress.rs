//! Progress and cancellation: what work shares with whoever waits for it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::units::Instant;

/// How far a replication, an experiment or a study of several is, and whether it should stop.
/// Reading it changes nothing in the work; cancelling ends it early, and its results say so.
#[derive(Debug, Default)]
pub struct Progress {
    cancelled: AtomicBool,
    /// Bytes that may be held; `None` = any number.
    room: Option<u64>,
    /// Bytes that all replications in progress hold.
    held: AtomicU64,
    /// Where there was no room, if there ever was none.
    overflow: Mutex<Option<Overflow>>,
    simulated: AtomicU64,
    requests: AtomicU64,
    completed: AtomicUsize,
    replications: AtomicUsize,
    expected: AtomicU64,
    stage: Mutex<String>,
}

/// A replication that needed more memory than there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// Its index.
    pub replication: u64,
    /// The moment that it had come to.
    pub at: Instant,
    /// What it held then.
    pub held: usize,
    /// Bytes that all replications in progress held then.
    pub bytes: u64,
}

/// What one replication holds of the memory that all share; given back when it is dropped.
#[derive(Debug)]
pub struct Holding<'p> {
    /// What it shares.
    pub progress: &'p Progress,
    bytes: u64,
}

impl<'p> Holding<'p> {
    /// Nothing.
    pub fn new(progress: &'p Progress) -> Self {
        Holding { progress, bytes: 0 }
    }

    /// Holds so many bytes from now on; gives how many all hold if that is more than there is room
    /// for.
    pub fn hold(&mut self, bytes: u64) -> Option<u64> {
        let held = &self.progress.held;
        let before = held.fetch_add(bytes, Ordering::Relaxed);
        held.fetch_sub(self.bytes, Ordering::Relaxed);
        let all = (before + bytes).saturating_sub(std::mem::replace(&mut self.bytes, bytes));
        self.progress.room.filter(|room| all > *room).map(|_| all)
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.progress.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Progress {
    /// Of work that may hold so many bytes of requests at once, over all replications in progress.
    pub fn with_room(bytes: u64) -> Self {
        Progress { room: Some(bytes), ..Progress::default() }
    }

    /// Ends everything, for want of room.
    pub fn overflow(&self, overflow: Overflow) {
        if let Ok(mut first) = self.overflow.lock() {
            first.get_or_insert(overflow);
        }
        self.cancel();
    }

    /// Where there was no room, if there ever was none.
    pub fn overflowed(&self) -> Option<Overflow> {
        self.overflow.lock().ok()?.clone()
    }

    /// Asks all replications to stop at once.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replications_share_the_room_and_give_it_back() {
        let progress = Progress::with_room(100);
        let (mut one, mut other) = (Holding::new(&progress), Holding::new(&progress));
        assert_eq!((one.hold(60), other.hold(40)), (None, None));
        assert_eq!((one.hold(61), one.hold(50)), (Some(101), None));
        assert_eq!(other.hold(50), None);
        drop(one);
        assert_eq!((other.hold(100), other.hold(101)), (None, Some(101)));
        let endless = Progress::default();
        assert_eq!(Holding::new(&endless).hold(u64::MAX), None);
    }
}
