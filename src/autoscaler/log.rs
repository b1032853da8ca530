//! What was recommended lately, so that the number of replicas does not follow every dip.
//!
//! Source: `stabilizeRecommendation` and `stabilizeRecommendationWithBehaviors` in `horizontal.go`.
//! What is logged is the recommendation before it is stabilised; an entry too old to count gives up
//! its place to the next one.

use crate::units::{Instant, Span};

/// A recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastRecommendation {
    /// Replicas.
    pub replicas: i32,
    /// When.
    pub at: Instant,
}

/// The recommendations that may still count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecommendationLog(pub Vec<PastRecommendation>);

impl RecommendationLog {
    /// Without `behavior`: the greatest recommendation of the last `window` holds. An entry is too
    /// old if it is older than the window.
    pub fn stabilise(&mut self, wanted: i32, window: Span, now: Instant) -> i32 {
        let is_old = |entry: &PastRecommendation| entry.at + window < now;
        let young = self.0.iter().filter(|entry| !is_old(entry)).map(|entry| entry.replicas);
        let stable = young.fold(wanted, i32::max);
        debug_assert!(stable >= wanted, "the past only keeps the number from falling");
        self.note(wanted, now, is_old);
        stable
    }

    /// With `behavior`: growth is held to the least, shrinking to the greatest recommendation
    /// younger than its window.
    pub fn stabilise_both(
        &mut self,
        current: i32,
        wanted: i32,
        (up, down): (Span, Span),
        now: Instant,
    ) -> i32 {
        let younger = |window: Span| {
            let counts = move |entry: &&PastRecommendation| entry.at + window > now;
            self.0.iter().filter(counts).map(|entry| entry.replicas)
        };
        let least = younger(up).fold(wanted, i32::min);
        let greatest = younger(down).fold(wanted, i32::max);
        debug_assert!(least <= wanted && wanted <= greatest, "the past widens what is wanted");
        self.note(wanted, now, |entry| entry.at + up < now && entry.at + down < now);
        current.max(least).min(greatest)
    }

    fn note(&mut self, replicas: i32, at: Instant, is_old: impl Fn(&PastRecommendation) -> bool) {
        let entry = PastRecommendation { replicas, at };
        match self.0.iter_mut().rev().find(|entry| is_old(entry)) {
            Some(old) => *old = entry,
            None => self.0.push(entry),
        }
        debug_assert!(self.0.contains(&entry), "what was recommended is kept");
    }
}
