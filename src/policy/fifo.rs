//! Entries with an end, in the order in which they were put in.
//!
//! ```text
//! first ─► entry ⇄ entry ⇄ entry ◄─ last      put: at the end; an old entry of the key goes first
//! ```
//!
//! A linked list over dense keys, so that an entry is found, added and taken out in constant time,
//! and nothing but the entries themselves is kept.

use super::pages::Pages;
use crate::units::Instant;

/// No key.
const NONE: u32 = u32::MAX;

/// A key's entry, or its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    is_in: bool,
    before: u32,
    after: u32,
    /// The first moment at which it no longer counts.
    ends: Instant,
}

impl Default for Node {
    fn default() -> Self {
        Node { is_in: false, before: NONE, after: NONE, ends: Instant::ZERO }
    }
}

/// The entries of one cache.
#[derive(Clone, Debug)]
pub(super) struct Fifo {
    nodes: Pages<Node>,
    first: u32,
    last: u32,
    len: usize,
}

impl Fifo {
    /// None of the keys from 0 to `keys`.
    pub(super) fn new(keys: u32) -> Self {
        Fifo { nodes: Pages::new(keys, 1), first: NONE, last: NONE, len: 0 }
    }

    fn look(&self, key: u32) -> Option<&Node> {
        self.nodes.look(key).map(|row| &row[0]).filter(|node| node.is_in)
    }

    fn node(&mut self, key: u32) -> &mut Node {
        &mut self.nodes.row(key)[0]
    }

    /// Entries, ended or not.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether the key has an entry that counts at `now`.
    pub(super) fn has(&self, key: u32, now: Instant) -> bool {
        self.look(key).is_some_and(|node| now < node.ends)
    }

    /// The key of the oldest entry.
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    /// The keys in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = u32> + '_ {
        let next = |key: &u32| self.look(*key).map(|node| node.after).filter(|key| *key != NONE);
        std::iter::successors(self.oldest(), next)
    }

    /// Puts an entry at the end.
    pub(super) fn put(&mut self, key: u32, ends: Instant) {
        self.remove(key);
        let before = std::mem::replace(&mut self.last, key);
        *self.node(key) = Node { is_in: true, before, after: NONE, ends };
        match before {
            NONE => self.first = key,
            _ => self.node(before).after = key,
        }
        self.len += 1;
    }

    /// Takes the key's entry out, if it has one.
    pub(super) fn remove(&mut self, key: u32) {
        let Some(&Node { before, after, .. }) = self.look(key) else { return };
        match before {
            NONE => self.first = after,
            _ => self.node(before).after = after,
        }
        match after {
            NONE => self.last = before,
            _ => self.node(after).before = before,
        }
        *self.node(key) = Node::default();
        self.len -= 1;
    }

    /// Takes out the entries that no longer count at `now`, as far as they are the oldest.
    pub(super) fn drop_ended(&mut self, now: Instant) {
        while let Some(key) = self.oldest().filter(|key| !self.has(*key, now)) {
            self.remove(key);
        }
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        (self.first, self.last, self.len) = (NONE, NONE, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_queue_without_doubles(
            steps in prop::collection::vec((0..3_u8, 0..9_u32), 0..200),
        ) {
            let (mut fifo, mut queue) = (Fifo::new(9), Vec::new());
            for (step, key) in steps {
                queue.retain(|other| *other != key);
                match step {
                    0 => fifo.remove(key),
                    _ => {
                        fifo.put(key, Instant(1));
                        queue.push(key);
                    }
                }
                prop_assert_eq!(fifo.keys().collect::<Vec<_>>(), queue.clone());
                prop_assert_eq!((fifo.len(), fifo.oldest()), (queue.len(), queue.first().copied()));
                let has = (0..9).filter(|key| fifo.has(*key, Instant::ZERO)).count();
                prop_assert_eq!(has, queue.len());
            }
        }
    }

    #[test]
    fn an_entry_counts_until_its_end() {
        let mut fifo = Fifo::new(3);
        (0..3).for_each(|key| fifo.put(key, Instant(u64::from(key) + 1)));
        assert!(fifo.has(1, Instant(1)) && !fifo.has(1, Instant(2)));
        fifo.drop_ended(Instant(2));
        assert_eq!(fifo.keys().collect::<Vec<_>>(), [2]);
        fifo.clear();
        assert_eq!((fifo.len(), fifo.has(2, Instant(2))), (0, false));
    }
}
