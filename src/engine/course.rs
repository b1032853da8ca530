//! How far the work of a processor-sharing server has come.
//!
//! A few numbers, which are copied while a server takes on many jobs in a row: what nothing refers
//! to stays in registers.

use super::service_rate::{Rates, ServiceRate, nanoseconds, rounded};

/// A wait that no run is long enough for, in nanoseconds.
const FAR: f64 = 4.0e18;

/// The state of a server's work at `anchor`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// Attained-service clock, in nanoseconds of one core.
    pub clock: f64,
    /// Time of the last arrival, departure or change of speed.
    pub anchor: u64,
    /// Core-nanoseconds worked.
    pub busy: f64,
    /// Jobs that share the cores.
    sharing: usize,
    /// How fast so many progress.
    rates: Rates,
}

impl Course {
    /// That of an idle server.
    pub fn new(rate: &ServiceRate) -> Self {
        Course { clock: 0.0, anchor: 0, busy: 0.0, sharing: 0, rates: rate.of(0) }
    }

    #[inline(always)]
    pub fn sharing(&self) -> usize {
        self.sharing
    }

    /// Cores in use.
    pub fn usage(&self) -> f64 {
        self.rates.work
    }

    /// So many jobs share the cores from now on, or as many at another rate.
    #[inline(always)]
    pub fn share(&mut self, sharing: usize, rate: &ServiceRate) {
        self.sharing = sharing;
        self.rates = rate.of(sharing);
    }

    /// How long a job with this tag will still take, in nanoseconds; infinite or NaN in a server
    /// that stands still.
    #[inline(always)]
    fn wait_of(&self, tag: f64) -> f64 {
        (tag - self.clock) * self.rates.time_per_work
    }

    /// When a job with this tag will be done, if that is not after `now`.
    #[inline(always)]
    pub fn due(&self, tag: f64, now: u64) -> Option<u64> {
        debug_assert!(now >= self.anchor, "time does not go back");
        let wait = self.wait_of(tag);
        // A frozen server has infinite (or NaN) wait: written so that both mean "not yet".
        if wait <= nanoseconds(now - self.anchor) {
            Some(self.anchor + rounded(wait))
        } else {
            None
        }
    }

    /// The first moment to which the server must be advanced for a job with this tag to be done;
    /// `u64::MAX` if there is none.
    #[inline(always)]
    pub fn moment_of(&self, tag: f64) -> u64 {
        let wait = self.wait_of(tag);
        if wait < FAR {
            let whole = rounded(wait);
            self.anchor + whole + u64::from(nanoseconds(whole) < wait)
        } else {
            u64::MAX
        }
    }

    /// Core-nanoseconds worked until `now`.
    #[inline(always)]
    pub fn busy_until(&self, now: u64) -> f64 {
        debug_assert!(now >= self.anchor, "no look into the past");
        self.busy + nanoseconds(now - self.anchor) * self.rates.work
    }

    /// Moves clock and work to `now`.
    #[inline(always)]
    pub fn settle(&mut self, now: u64) {
        debug_assert!(now >= self.anchor, "time does not go back");
        debug_assert!(self.rates.work >= 0.0, "no work is undone");
        self.clock += nanoseconds(now - self.anchor) * self.rates.each;
        self.busy = self.busy_until(now);
        self.anchor = now;
    }

    /// Moves to where the job with this tag, the least, is done at `at`; the others go on.
    #[inline(always)]
    pub fn complete(&mut self, tag: f64, at: u64, rate: &ServiceRate) {
        debug_assert!(at >= self.anchor, "nothing is done in the past");
        debug_assert!(self.sharing > 0, "who is done has shared");
        debug_assert!(tag >= self.clock - 2.0, "{tag} was due at {}", self.clock);
        self.busy = self.busy_until(at);
        self.clock = tag;
        self.anchor = at;
        self.share(self.sharing - 1, rate);
    }

    /// Moves to the arrival of a job at `now` with this demand, which shares from then on, and
    /// gives its tag.
    #[inline(always)]
    pub fn join(&mut self, now: u64, demand: f64, rate: &ServiceRate) -> f64 {
        debug_assert!(demand >= 0.0 && demand.is_finite(), "a demand of {demand}");
        self.settle(now);
        // A server is idle as often as not, so no branch should depend on that alone.
        self.clock = if self.sharing == 0 { 0.0 } else { self.clock };
        self.share(self.sharing + 1, rate);
        debug_assert!(self.clock >= 0.0, "the clock shows {}", self.clock);
        self.clock + demand
    }
}
