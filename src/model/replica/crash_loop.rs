//! How long a container waits before it is started again in its pod (CrashLoopBackOff).
//!
//! ```text
//! ended ─ waits 0, 10, 20, 40, 80, 160, 300, 300 … s ─► started in the same pod
//!           ▲
//!           └─ from the beginning again once it ran for 10 min
//! ```
//!
//! Assumptions: the wait counts from when the kubelet knows of the end; a container that is up from
//! the beginning of the run ran for long. A new pod, and one whose machine was gone, begin without
//! earlier restarts. Left out: the kubelet's scatter of its own work.

use crate::plan;
use crate::units::Span;

/// The restarts of one container that are not forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::model) struct CrashLoop {
    restarts: u32,
}

impl CrashLoop {
    /// The wait of a container that ran this long.
    pub fn wait(&mut self, ran: Span, backoff: &plan::Backoff) -> Span {
        if ran >= backoff.reset {
            self.restarts = 0;
        }
        let earlier = self.restarts;
        self.restarts = earlier.saturating_add(1);
        match earlier.checked_sub(1) {
            None => Span::ZERO,
            Some(doublings) => {
                let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
                Span(backoff.first.0.saturating_mul(factor)).min(backoff.limit)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: f64) -> Span {
        Span::from_secs(seconds)
    }

    #[test]
    fn waits_double_to_the_limit_and_a_long_run_begins_anew() {
        let (mut backoff, plan) = (CrashLoop::default(), plan::Backoff::default());
        let mut wait = |ran: f64| backoff.wait(secs(ran), &plan).as_secs();
        let waits = [599.9; 9].map(&mut wait);
        assert_eq!(waits, [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]);
        assert_eq!([600.0, 1.0, 1.0].map(&mut wait), [0.0, 10.0, 20.0]);
    }

    #[test]
    fn a_wait_never_overflows() {
        let limit = Span::MAX;
        let plan = plan::Backoff { first: secs(10.0), limit, reset: Span::MAX };
        let mut backoff = CrashLoop::default();
        let waits: Vec<Span> = (0..100).map(|_| backoff.wait(Span::ZERO, &plan)).collect();
        assert!(waits.is_sorted() && waits[99] == limit);
    }
}
