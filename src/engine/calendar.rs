//! The calendar (future event list) of the rare events that change what the system is.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::units::Instant;

/// Events in order of time; simultaneous ones by rank, then in order of insertion.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    heap: BinaryHeap<Entry<E>>,
    inserted: u64,
}

#[derive(Clone, Debug)]
struct Entry<E> {
    at: Instant,
    rank: u8,
    sequence: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> (Instant, u8, u64) {
        (self.at, self.rank, self.sequence)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Reversed, because the standard heap gives the greatest first.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Calendar { heap: BinaryHeap::new(), inserted: 0 }
    }
}

impl<E> Calendar<E> {
    /// Enters an event; one at [`Instant::NEVER`] is dropped. Of simultaneous events the lower
    /// `rank` comes first.
    pub fn insert(&mut self, at: Instant, rank: u8, event: E) {
        if at < Instant::NEVER {
            self.heap.push(Entry { at, rank, sequence: self.inserted, event });
            self.inserted += 1;
        }
    }

    /// The time of the next event; [`Instant::NEVER`] if there is none.
    pub fn next_at(&self) -> Instant {
        self.heap.peek().map_or(Instant::NEVER, |entry| entry.at)
    }

    /// Takes out the next event.
    pub fn pop(&mut self) -> Option<(Instant, E)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
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
