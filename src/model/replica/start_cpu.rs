//! CPU that a start takes beside requests.
//!
//! ```text
//! container starts ─ boots: boot-cpu ─► … ─► ready ─ after-ready: after-ready-cpu ─► none
//! ```
//!
//! Assumptions: it is used evenly; what a process uses once it is ready its requests lack, whatever
//! they need; a process that hangs goes on with it. Replicas that run from the beginning are past
//! it. Left out: CPU of fetches and of probes at the start, memory of a start.

use crate::units::{Instant, Span};

/// What the start of a replica takes of its CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::model) struct StartCpu {
    /// Core-nanoseconds that were used by what is over.
    used: f64,
    /// Since when so many cores are used, if they are.
    now: Option<(Instant, f64)>,
    /// The share of the CPU that is left to requests.
    pub left: f64,
}

impl Default for StartCpu {
    fn default() -> Self {
        StartCpu { used: 0.0, now: None, left: 1.0 }
    }
}

impl StartCpu {
    /// So many cores are used from `now` on, of which a share is left to requests.
    pub fn begin(&mut self, now: Instant, cores: f64, left: f64) {
        assert!(self.now.is_none(), "a start takes {:?} and {cores}", self.now);
        assert!(cores >= 0.0 && (0.0..=1.0).contains(&left), "{cores} cores, {left} left");
        (self.now, self.left) = (Some((now, cores)), left);
    }

    /// What is used is used no more, if anything is.
    pub fn end(&mut self, now: Instant) {
        self.used = self.used(now);
        (self.now, self.left) = (None, 1.0);
    }

    /// Core-nanoseconds used until `now`.
    pub fn used(&self, now: Instant) -> f64 {
        let going = self.now.map_or(0.0, |(since, cores)| {
            let lasted: Span = now.since(since);
            cores * lasted.0 as f64
        });
        debug_assert!(self.used >= 0.0 && going >= 0.0, "{self:?} at {now}");
        self.used + going
    }

    /// Whether requests lack something now.
    pub fn takes(&self) -> bool {
        self.left < 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_cores_times_time() {
        let mut start = StartCpu::default();
        let at = Instant::from_secs;
        start.begin(at(10.0), 0.5, 1.0);
        assert_eq!((start.used(at(14.0)), start.takes()), (2e9, false));
        start.end(at(20.0));
        start.end(at(25.0));
        start.begin(at(30.0), 0.2, 0.8);
        assert_eq!((start.used(at(40.0)), start.takes()), (7e9, true));
        start.end(at(40.0));
        assert_eq!((start.used(at(99.0)), start.left), (7e9, 1.0));
    }
}
