//! Whether requests are answered.

use std::collections::VecDeque;

use super::normal::Encounter;
use crate::observe::failover::MOST_CLIENTS;

/// Of the clients that are struck this share may fail when it is over.
const FAILING: f64 = (100 - MOST_CLIENTS) as f64 / 100.0;
/// So many would then fail of those that are looked at: enough that a few stragglers are not taken
/// for more than they are.
const ENOUGH: f64 = 50.0;
/// Fewer failures than these show nothing.
const FEWEST: u64 = 5;
/// So many standard errors beyond what may fail are no chance.
const BEYOND: f64 = 5.0;
/// No share is found among more requests.
const MOST: u64 = 100_000;

/// What became of the last requests: of each sample those that failed, and all that ended.
#[derive(Clone, Debug, Default)]
pub(in crate::observe) struct Answering {
    recent: VecDeque<(u64, u64)>,
    ended: u64,
}

impl Answering {
    /// A sample.
    pub fn note(&mut self, met: &Encounter) {
        let ended = met.failed + met.answered + met.rejected;
        self.recent.push_back((met.failed, ended));
        self.ended += ended;
        while let Some((_, first)) = self.recent.front().copied()
            && self.recent.len() > 1
            && self.ended - first >= MOST
        {
            self.recent.pop_front();
            self.ended -= first;
        }
    }

    /// Whether more fail than there may, where this share of the clients is struck: in the last
    /// sample, and over as many before it as it takes to tell. If one of these stretches has no
    /// more than may fail it is over; it goes on if one has so many more that chance explains it
    /// hardly ever, or if it has as many as are looked at.
    pub fn fails(&self, struck: f64) -> bool {
        let allowed = FAILING * if struck > 0.0 { struck } else { 1.0 };
        let enough = (ENOUGH / allowed) as u64;
        let (mut failed, mut ended) = (0, 0);
        for (also_failed, also_ended) in self.recent.iter().rev() {
            failed += also_failed;
            ended += also_ended;
            let may_fail = allowed * ended as f64;
            let too_many = failed as f64 - may_fail;
            if too_many <= 0.0 {
                return false;
            }
            let is_plain = failed >= FEWEST && too_many > BEYOND * may_fail.sqrt();
            if is_plain || ended >= enough {
                return true;
            }
        }
        failed > 0
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
        many.note(&second(50, 950));
        assert!(!many.fails(1.0) && many.fails(0.5), "50 of 1 000, and 101 of 2 000");
        let rejected = Encounter { rejected: 1_000, ..second(50, 0) };
        many.note(&rejected);
        assert!(!many.fails(1.0), "what is turned away is answered");
    }

    #[test]
    fn of_few_requests_more_samples_are_taken_together() {
        let mut few = Answering::default();
        (0..60).for_each(|_| few.note(&second(0, 20)));
        few.note(&second(20, 0));
        assert!(few.fails(1.0), "all of the last 20");
        few.note(&second(2, 18));
        assert!(few.fails(1.0), "22 of the last 40");
        few.note(&second(1, 19));
        assert!(!few.fails(1.0), "one of the last 20 is no more than may fail");
        (0..4).for_each(|_| few.note(&second(0, 20)));
        few.note(&second(2, 18));
        assert!(!few.fails(1.0), "two of the last 100");
    }

    #[test]
    fn where_little_is_sent_an_outage_is_over_soon_after_it_is() {
        // 4 requests/s; half of the clients fail for 45 s, and a hundredth after that.
        let mut stream = crate::random::Seed { seed: 2, replication: 0 }.stream("test", 0);
        let mut late = Vec::new();
        for _ in 0..200 {
            let mut answering = Answering::default();
            (0..300).for_each(|_| answering.note(&second(0, 4)));
            let mut last = 0;
            for second_of in 0..600_u64 {
                let share = if second_of < 45 { 0.5 } else { 0.01 };
                let failed = (0..4).filter(|_| stream.unit() < share).count() as u64;
                answering.note(&second(failed, 4 - failed));
                last = if answering.fails(0.5) { second_of } else { last };
            }
            late.push(last);
        }
        late.sort_unstable();
        assert!((40..48).contains(&late[100]), "{late:?}");
        // In one outage of twenty stragglers make it half a minute longer.
        assert!(late[0] > 38 && late[190] < 80, "{late:?}");
    }

    #[test]
    fn stragglers_are_not_taken_for_more_than_they_are() {
        // 2 % of the clients fail all the time, as they come, of half of all.
        let mut stream = crate::random::Seed { seed: 1, replication: 0 }.stream("test", 0);
        for rate in [30, 300, 3_000] {
            let mut answering = Answering::default();
            for second_of in 0..3_600 {
                let failed = (0..rate).filter(|_| stream.unit() < 0.01).count() as u64;
                answering.note(&second(failed, rate - failed));
                assert!(second_of < 10 || !answering.fails(0.5), "{rate}/s, at {second_of} s");
            }
        }
    }
}
