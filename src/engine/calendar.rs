//! The calendar (future event list) of the rare events that change what the system is.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::units::Instant;

/// Events in order of time; simultaneous ones by rank, then in order of insertion.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    heap: BinaryHeap<Scheduled<E>>,
    inserted: u64,
    /// The time of the last event that was taken out.
    now: Instant,
}

#[derive(Clone, Debug)]
struct Scheduled<E> {
    at: Instant,
    rank: u8,
    sequence: u64,
    event: E,
}

impl<E> Scheduled<E> {
    fn key(&self) -> (Instant, u8, u64) {
        (self.at, self.rank, self.sequence)
    }
}

impl<E> PartialEq for Scheduled<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Scheduled<E> {}

impl<E> PartialOrd for Scheduled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Reversed, because the standard heap gives the greatest first.
impl<E> Ord for Scheduled<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Calendar { heap: BinaryHeap::new(), inserted: 0, now: Instant::ZERO }
    }
}

impl<E> Calendar<E> {
    /// Enters an event; one at [`Instant::NEVER`] is dropped. Of simultaneous events the lower
    /// `rank` comes first.
    ///
    /// # Panics
    /// It lies in the past.
    pub fn insert(&mut self, at: Instant, rank: u8, event: E) {
        assert!(at >= self.now, "an event at {at:?} when it is {:?}", self.now);
        if at < Instant::NEVER {
            self.heap.push(Scheduled { at, rank, sequence: self.inserted, event });
            self.inserted += 1;
        }
    }

    /// The time of the next event; [`Instant::NEVER`] if there is none.
    pub fn next_at(&self) -> Instant {
        self.heap.peek().map_or(Instant::NEVER, |next| next.at)
    }

    /// Takes out the next event.
    pub fn pop(&mut self) -> Option<(Instant, E)> {
        let Scheduled { at, event, .. } = self.heap.pop()?;
        assert!(at >= self.now && at <= self.next_at(), "events come in order of time");
        self.now = at;
        Some((at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simultaneous_events_leave_by_rank_then_by_insertion() {
        let mut calendar = Calendar::default();
        for (at, rank, name) in [(5, 1, "d"), (5, 0, "b"), (5, 0, "c"), (3, 9, "a"), (7, 0, "e")] {
            calendar.insert(Instant(at), rank, name);
        }
        calendar.insert(Instant::NEVER, 0, "never");
        let order: Vec<_> = std::iter::from_fn(|| calendar.pop()).map(|(_, name)| name).collect();
        assert_eq!(order, ["a", "b", "c", "d", "e"]);
        assert_eq!(calendar.next_at(), Instant::NEVER);
    }
}
