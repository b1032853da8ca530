//! Entries with an end, in the order in which they were put in.
//!
//! ```text
//! first ─► entry ⇄ entry ⇄ entry ◄─ last      put: at the end; an old entry of the key goes first
//! ```
//!
//! A linked list over dense keys, so that an entry is found, added and taken out in constant time,
//! and nothing but the entries themselves is kept.

use crate::policy::pages::Pages;
use crate::units::Instant;

/// No key.
const NONE: u32 = u32::MAX;

/// A key's entry, or its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CacheEntry {
    is_in: bool,
    before: u32,
    after: u32,
    /// The first moment at which it no longer counts.
    ends: Instant,
}

impl Default for CacheEntry {
    fn default() -> Self {
        CacheEntry { is_in: false, before: NONE, after: NONE, ends: Instant::ZERO }
    }
}

/// The entries of one cache.
#[derive(Clone, Debug)]
pub(super) struct Fifo {
    entries: Pages<CacheEntry>,
    first: u32,
    last: u32,
    len: usize,
}

impl Fifo {
    /// None of the keys from 0 to `keys`.
    pub(super) fn new(keys: u32) -> Self {
        Fifo { entries: Pages::new(keys, 1), first: NONE, last: NONE, len: 0 }
    }

    fn get(&self, key: u32) -> Option<&CacheEntry> {
        self.entries.get(key).map(|row| &row[0]).filter(|entry| entry.is_in)
    }

    /// Whether the ends of the list are as its length says.
    fn is_linked(&self) -> bool {
        let empty = self.len == 0;
        let first = self.oldest().and_then(|key| self.get(key));
        (self.first == NONE) == empty
            && (self.last == NONE) == empty
            && first.is_none_or(|first| first.before == NONE)
    }

    fn entry(&mut self, key: u32) -> &mut CacheEntry {
        &mut self.entries.row(key)[0]
    }

    /// Entries, ended or not.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether the key has an entry that counts at `now`.
    pub(super) fn has(&self, key: u32, now: Instant) -> bool {
        self.get(key).is_some_and(|entry| now < entry.ends)
    }

    /// The key of the oldest entry.
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    /// The keys in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = u32> + '_ {
        let next = |key: &u32| self.get(*key).map(|entry| entry.after).filter(|key| *key != NONE);
        std::iter::successors(self.oldest(), next)
    }

    /// Puts an entry at the end.
    pub(super) fn put(&mut self, key: u32, ends: Instant) {
        self.remove(key);
        let before = std::mem::replace(&mut self.last, key);
        *self.entry(key) = CacheEntry { is_in: true, before, after: NONE, ends };
        match before {
            NONE => self.first = key,
            _ => self.entry(before).after = key,
        }
        self.len += 1;
        let later = || self.get(before).is_some_and(|before| before.ends <= ends);
        debug_assert!(before == NONE || later(), "entries end in the order of the list");
        debug_assert!(self.is_linked(), "both ends, or none");
    }

    /// Takes the key's entry out, if it has one.
    pub(super) fn remove(&mut self, key: u32) {
        let Some(&CacheEntry { before, after, .. }) = self.get(key) else { return };
        match before {
            NONE => self.first = after,
            _ => self.entry(before).after = after,
        }
        match after {
            NONE => self.last = before,
            _ => self.entry(after).before = before,
        }
        *self.entry(key) = CacheEntry::default();
        self.len -= 1;
        debug_assert!(self.is_linked(), "both ends, or none");
    }

    /// Takes out the entries that no longer count at `now`, as far as they are the oldest.
    pub(super) fn drop_ended(&mut self, now: Instant) {
        while let Some(key) = self.oldest().filter(|key| !self.has(*key, now)) {
            self.remove(key);
        }
        debug_assert!(self.oldest().is_none_or(|key| self.has(key, now)), "what is left counts");
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
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
