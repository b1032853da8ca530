//! Slow start: a new endpoint is given its share of the requests little by little.
//!
//! ```text
//! joins ─► weight max(least, (t / window)^(1 / aggression)) ─ window over ─► weight 1
//! ```
//!
//! Of N endpoints one of weight w among others of weight 1 gets w / (N − 1 + w) of the requests.
//!
//! Sources: Envoy's documentation of slow start (`slow_start_config`: window, aggression,
//! min_weight_percent) and HAProxy's `slowstart`, which is the same with aggression 1.
//!
//! Left out: HAProxy's steps of a second and its limit of connections in the meantime.

use crate::units::{Share, Span};

/// How a new endpoint is given its share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowStart {
    /// How long that takes.
    pub window: Span,
    /// 1 = linear; above, the share grows fast at first.
    pub aggression: f64,
    /// The weight at the beginning.
    pub least: Share,
}

impl SlowStart {
    /// The weight of an endpoint that has been there for so long.
    pub fn weight(&self, since: Span) -> f64 {
        if since >= self.window {
            return 1.0;
        }
        let part = since.0 as f64 / self.window.0 as f64;
        let weight = part.powf(1.0 / self.aggression).max(self.least.0);
        debug_assert!((0.0..=1.0).contains(&weight), "a weight of {weight}");
        weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_grows_from_the_least_to_one_as_envoy_says() {
        let weight = |aggression, second| {
            let least = Share(0.1);
            SlowStart { window: Span::from_secs(60.0), aggression, least }
                .weight(Span::from_secs(second))
        };
        let linear = [0.0, 3.0, 6.0, 30.0, 59.0, 60.0, 100.0].map(|second| weight(1.0, second));
        assert_eq!(linear[..4], [0.1, 0.1, 0.1, 0.5]);
        assert!(linear[4] < 1.0 && linear[5..] == [1.0, 1.0]);
        // Envoy: aggression 2 is the square root of the time.
        assert!(
            (weight(2.0, 15.0) - 0.5).abs() < 1e-12 && (weight(0.5, 30.0) - 0.25).abs() < 1e-12
        );
    }
}
