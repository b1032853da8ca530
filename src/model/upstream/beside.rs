//! The tries that an attempt has open at an upstream at once, where they are hedged.
//!
//! ```text
//! attempt ─ the current try: its own fields
//!      └─── others, which took long: here ◄─ turn to one of them ─► it is the current one
//! ```
//!
//! Almost every attempt has one try at a time, of which nothing stands here: its number is that of
//! the tries that were made. Whoever hears of a try turns to it first, and goes on as if it were
//! the only one.

use std::collections::BTreeMap;

use crate::model::request::attempt::{Attempt, AttemptId, Stage};

/// A try at a host, or one that waits for a connection.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct UpstreamTry {
    /// How many its attempt had made before.
    pub number: u16,
    pub stage: Stage,
    /// Whether a host works on it, and whether it has one of the connections that this accepts.
    pub in_service: bool,
    pub connected: bool,
    /// Whether it has a place among the retries of its replica.
    pub retrying: bool,
    /// Whether it has taken longer than a try may, which its host was blamed for.
    pub late: bool,
}

/// What an attempt has open beside its current try, and what its own fields do not say of that.
#[derive(Debug, Default)]
struct Several {
    number: u16,
    late: bool,
    others: Vec<UpstreamTry>,
}

/// The attempts with a try that took long and goes on.
#[derive(Debug, Default)]
pub(in crate::model) struct Beside {
    of: BTreeMap<AttemptId, Several>,
}

/// Takes the current try out of its attempt.
fn take(record: &mut Attempt, number: u16, late: bool) -> UpstreamTry {
    let Attempt { stage, in_service, connected, retrying, .. } = *record;
    debug_assert!(matches!(stage, Stage::Upstream(_) | Stage::Pending), "{stage:?} is no try");
    record.stage = Stage::UnderWay;
    (record.in_service, record.connected, record.retrying) = (false, false, false);
    UpstreamTry { number, stage, in_service, connected, retrying, late }
}

/// Makes a try the current one of its attempt.
fn put(record: &mut Attempt, several: &mut Several, one: UpstreamTry) {
    debug_assert_eq!(record.stage, Stage::UnderWay, "it has a current try");
    record.stage = one.stage;
    (record.in_service, record.connected) = (one.in_service, one.connected);
    record.retrying = one.retrying;
    (several.number, several.late) = (one.number, one.late);
}

impl Beside {
    /// The number of the current try.
    #[inline(always)]
    pub fn number(&self, attempt: AttemptId, record: &Attempt) -> u16 {
        self.of.get(&attempt).map_or(record.upstream_tries, |several| several.number)
    }

    /// Whether it is open beside others.
    pub fn has_others(&self, attempt: AttemptId) -> bool {
        self.of.get(&attempt).is_some_and(|several| !several.others.is_empty())
    }

    /// Whether it is open beside one that was made before.
    pub fn is_ahead(&self, attempt: AttemptId) -> bool {
        let Some(several) = self.of.get(&attempt) else { return false };
        several.others.iter().any(|other| other.number < several.number)
    }

    /// Makes the try of that number the current one; says whether it is open, if the attempt is at
    /// its upstream at all.
    #[inline(always)]
    pub fn turn_to(&mut self, attempt: AttemptId, record: &mut Attempt, number: u16) -> bool {
        if self.of.is_empty() {
            return record.upstream_tries == number;
        }
        self.turn(attempt, record, number)
    }

    #[cold]
    fn turn(&mut self, attempt: AttemptId, record: &mut Attempt, number: u16) -> bool {
        let Some(several) = self.of.get_mut(&attempt) else {
            return record.upstream_tries == number;
        };
        if several.number == number {
            return true;
        }
        let place = several.others.iter().position(|other| other.number == number);
        let Some(place) = place else { return false };
        let before = take(record, several.number, several.late);
        let one = std::mem::replace(&mut several.others[place], before);
        put(record, several, one);
        true
    }

    /// The current try has taken too long, and stays open.
    pub fn note_late(&mut self, attempt: AttemptId, record: &Attempt) {
        let number = record.upstream_tries;
        let several = self.of.entry(attempt).or_insert(Several { number, ..Several::default() });
        debug_assert!(!several.late, "a try is late once");
        several.late = true;
    }

    /// The current try goes on beside the next one, whose number the attempt has already.
    pub fn put_aside(&mut self, attempt: AttemptId, record: &mut Attempt) {
        let several = self.of.get_mut(&attempt).expect("a try that was late is known");
        debug_assert!(several.number < record.upstream_tries, "the next try has a new number");
        several.others.push(take(record, several.number, several.late));
        (several.number, several.late) = (record.upstream_tries, false);
    }

    /// The current try is over, of several: the newest of the others is the current one.
    pub fn take_out(&mut self, attempt: AttemptId, record: &mut Attempt) -> UpstreamTry {
        let several = self.of.get_mut(&attempt).expect("there are several tries");
        let ended = take(record, several.number, several.late);
        let newest = (0..several.others.len()).max_by_key(|place| several.others[*place].number);
        let newest = several.others.remove(newest.expect("there is another try"));
        put(record, several, newest);
        ended
    }

    /// All tries are over, the current one first.
    pub fn take_all(
        &mut self,
        attempt: AttemptId,
        record: &mut Attempt,
    ) -> (UpstreamTry, Vec<UpstreamTry>) {
        let several = if self.of.is_empty() { None } else { self.of.remove(&attempt) };
        let Several { number, late, others } = several.unwrap_or_default();
        (take(record, number, late), others)
    }

    /// All that are open, the current one first.
    pub fn open(&self, attempt: AttemptId, record: &Attempt) -> Vec<UpstreamTry> {
        let number = self.number(attempt, record);
        let several = self.of.get(&attempt);
        let late = several.is_some_and(|several| several.late);
        let others = several.iter().flat_map(|several| several.others.iter().copied());
        std::iter::once(take(&mut record.clone(), number, late)).chain(others).collect()
    }

    /// A host is down: what goes on there beside a current try is lost. Gives whose it is.
    pub fn break_at(&mut self, host: Stage) -> Vec<(AttemptId, u16)> {
        let mut hit = Vec::new();
        for (attempt, several) in &mut self.of {
            for other in several.others.iter_mut().filter(|other| other.stage == host) {
                (other.in_service, other.connected) = (false, false);
                hit.push((*attempt, other.number));
            }
        }
        hit
    }
}
