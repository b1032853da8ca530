//! Whether requests are answered.

use std::collections::VecDeque;

use super::normal::Encounter;

/// Requests that say what share of them fails.
const ENOUGH: u64 = 400;
/// Of the clients that are struck so many percent are answered again when it is over.
const FAILING: f64 = 0.05;

/// What became of the last requests, over as many samples as it takes to have enough of them.
#[derive(Clone, Debug, Default)]
pub(in crate::observe) struct Answering {
    recent: VecDeque<(u64, u64)>,
    failed: u64,
    ended: u64,
}

impl Answering {
    /// A sample.
    pub fn note(&mut self, met: &Encounter) {
        let (failed, ended) = (met.failed, met.failed + met.answered);
        self.recent.push_back((failed, ended));
        self.failed += failed;
        self.ended += ended;
        while let Some((failed, ended)) = self.recent.front().copied()
            && self.recent.len() > 1
            && self.ended - ended >= ENOUGH
        {
            self.recent.pop_front();
            self.failed -= failed;
            self.ended -= ended;
        }
    }

    /// Whether more fail than there may, where this share of the clients is struck.
    pub fn fails(&self, struck: f64) -> bool {
        let struck = if struck > 0.0 { struck } else { 1.0 };
        self.failed as f64 > FAILING * struck * self.ended as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(failed: u64, answered: u64) -> Encounter {
        Encounter { failed, answered, ..Encounter::default() }
    }

    #[test]
    fn one_in_twenty_of_those_who_are_struck_may_fail() {
        let mut many = Answering::default();
        many.note(&second(51, 949));
        assert!(many.fails(1.0));
        many.note(&second(49, 951));
        assert!(!many.fails(1.0) && many.fails(0.5), "one sample has enough");
        many.note(&second(26, 974));
        assert!(many.fails(0.5) && many.fails(0.0) != many.fails(0.5));
    }

    #[test]
    fn of_few_requests_more_samples_are_taken_together() {
        let mut few = Answering::default();
        (0..40).for_each(|_| few.note(&second(0, 20)));
        few.note(&second(20, 0));
        assert!(!few.fails(1.0), "20 of 400");
        few.note(&second(1, 19));
        assert!(few.fails(1.0), "21 of 400");
    }
}
