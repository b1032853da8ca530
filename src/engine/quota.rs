//! A server that may do only so much work in each period (bandwidth control).
//!
//! From the beginning of a period the server works as it would anyway, until it has done the work
//! of its quota; then it stands still until the period is over. Quota that is left then is
//! forfeited.
//!
//! ```text
//! work │      ┌─────────       ┌───        quota used up: the server is frozen
//!      │     ╱          ╲     ╱
//!      │    ╱ all cores      ╱
//!      └───┴────────────┴───┴──────────►   a period ends and the quota is whole again
//! ```
//!
//! When a quota will be used up depends on departures that are still to come, but these only make
//! it later. So the server is advanced to the earliest moment at which it could be used up, what is
//! left is measured there, and so on, until less is left than a nanosecond takes. These moments
//! follow from the jobs alone, never from when somebody looks. Whole periods in which the jobs that
//! are there cannot use up a quota are passed over in one step.

use std::ops::Deref;

use super::jobs::{Job, JobId};
use super::server::{Coming, Server, Sink};
use super::service_rate::{ServiceRate, nanoseconds};

/// How much work a server may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bandwidth {
    /// Work allowed in each period, in core-nanoseconds; at least one for each core of the server,
    /// which otherwise would never do any.
    pub quota: f64,
    /// Length of a period in nanoseconds, above 0.
    pub period: u64,
}

/// A [`Server`] that may have a quota; without one it is that server and no more. What looking can
/// tell it tells as the server does.
#[derive(Clone, Debug)]
pub struct Metered {
    server: Server,
    meter: Option<Meter>,
}

/// The quota of a server.
#[derive(Clone, Debug)]
struct Meter {
    bandwidth: Bandwidth,
    /// When the current period ends.
    ends: u64,
    /// Work that the server had done when the period began.
    base: f64,
    /// Nothing has to be decided before this: the end of the period, or the earliest moment at
    /// which the quota could be used up.
    review: u64,
    frozen: bool,
    /// The service rate that is not in force: a standstill, or while the server is frozen the one
    /// at which it will go on.
    other: ServiceRate,
}

impl Deref for Metered {
    type Target = Server;

    #[inline(always)]
    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Metered {
    /// An idle server at time 0, with a quota or without. Its first period begins then.
    pub fn new(server: Server, bandwidth: Option<Bandwidth>) -> Self {
        let meter = bandwidth.map(|bandwidth| {
            assert!(bandwidth.quota >= 1.0 && bandwidth.period > 0, "{bandwidth:?}");
            let (ends, other) = (bandwidth.period, server.standstill());
            Meter { bandwidth, ends, base: 0.0, review: ends, frozen: false, other }
        });
        Metered { server, meter }
    }

    /// The same before anything has happened to it, with this share of its first period, from 0 to
    /// less than 1, over at time 0 and nothing used.
    pub fn at_phase(&self, share: f64) -> Self {
        assert!((0.0..1.0).contains(&share), "{share} of a period");
        let mut shifted = self.clone();
        if let Some(meter) = &mut shifted.meter {
            let period = meter.bandwidth.period;
            meter.ends = period - ((share * nanoseconds(period)) as u64).min(period - 1);
            meter.review = meter.ends;
        }
        shifted
    }

    /// Whether it has a quota. Its periods go on while it is idle, of which
    /// [`Metered::next_change`] says nothing.
    #[inline(always)]
    pub fn has_quota(&self) -> bool {
        self.meter.is_some()
    }

    /// See [`Server::forget_peak`].
    pub fn forget_peak(&mut self) {
        self.server.forget_peak();
    }

    /// Lets everything happen that happens until `now`, `now` included.
    #[inline(always)]
    pub fn advance(&mut self, now: u64, sink: &mut impl Sink) {
        match &mut self.meter {
            None => self.server.advance(now, sink),
            Some(meter) => meter.advance(&mut self.server, now, sink),
        }
    }

    /// [`Metered::advance`], and then [`Metered::next_change`].
    #[inline(always)]
    pub fn advance_and_next(&mut self, now: u64, sink: &mut impl Sink) -> u64 {
        if self.meter.is_none() {
            return self.server.advance_and_next(now, sink);
        }
        self.advance(now, sink);
        self.next_change()
    }

    /// Takes on jobs in order of time; see [`Server::take_all`].
    #[inline(always)]
    pub fn take_all(&mut self, coming: &[Coming], sink: &mut impl Sink) {
        match &mut self.meter {
            None => self.server.take_all(coming, sink),
            Some(meter) => {
                for job in coming {
                    meter.advance(&mut self.server, job.at, sink);
                    self.server.push(job.at, job.id, job.demand, job.mark);
                    meter.schedule_review(&mut self.server, job.at);
                }
            }
        }
    }

    /// Adds a job at `now`, to which the server has been advanced; see [`Server::push`].
    #[inline(always)]
    pub fn push(&mut self, now: u64, id: JobId, demand: f64, mark: u32) {
        self.server.push(now, id, demand, mark);
        if let Some(meter) = &mut self.meter {
            meter.schedule_review(&mut self.server, now);
        }
    }

    /// Adds a background job at `now`, to which the server has been advanced; see
    /// [`Server::push_background`].
    pub fn push_background(&mut self, now: u64, demand: f64, mark: u32) {
        self.server.push_background(now, demand, mark);
        if let Some(meter) = &mut self.meter {
            meter.schedule_review(&mut self.server, now);
        }
    }

    /// Changes the speed at `now`, to which the server has been advanced; 0 = it stands still. A
    /// slower server progresses and uses its quota more slowly alike.
    pub fn set_speed(&mut self, now: u64, speed: f64) {
        match &mut self.meter {
            Some(meter) if meter.frozen => meter.other = meter.other.at_speed(speed),
            Some(meter) => {
                self.server.set_speed(now, speed);
                meter.schedule_review(&mut self.server, now);
            }
            None => self.server.set_speed(now, speed),
        }
    }

    /// The first moment to which the server must be advanced for a job to be done or for its quota
    /// to be reviewed, if nothing else happens before; `u64::MAX` if it is idle or stands still for
    /// good.
    #[inline(always)]
    pub fn next_change(&self) -> u64 {
        match &self.meter {
            None => self.server.next_done(),
            Some(meter) if self.server.is_idle() || meter.stands_still(&self.server) => u64::MAX,
            Some(meter) => self.server.next_done().min(meter.review),
        }
    }

    /// Takes out one job; see [`Server::cancel`].
    pub fn cancel(&mut self, now: u64, sink: &impl Sink) {
        self.server.cancel(now, sink);
    }

    /// Removes every job at `now`, to which the server has been advanced unless it is idle, and
    /// gives their sending times in order. What comes after has a whole quota.
    pub fn kill(&mut self, now: u64) -> Vec<JobId> {
        let killed = self.server.kill(now);
        if let Some(meter) = &mut self.meter {
            meter.refill(&mut self.server, now);
        }
        killed
    }

    /// Removes at `now` the jobs that `leaves` names; see [`Server::remove`].
    pub fn remove(&mut self, now: u64, leaves: impl Fn(&Job) -> bool) -> Vec<JobId> {
        self.server.remove(now, leaves)
    }

    /// See [`Server::drop_tombstones`].
    pub fn drop_tombstones(&mut self, sink: &impl Sink) {
        self.server.drop_tombstones(sink);
    }
}

impl Meter {
    /// Whether the server does no work whatever its quota.
    fn stands_still(&self, server: &Server) -> bool {
        if self.frozen { self.other.is_zero() } else { server.usage() == 0.0 }
    }

    #[inline(never)]
    fn advance(&mut self, server: &mut Server, now: u64, sink: &mut impl Sink) {
        while self.review <= now {
            let at = self.review;
            debug_assert!(at <= self.ends, "a quota is reviewed within its period");
            server.advance(at, sink);
            if at == self.ends {
                let start = self.pass_whole_periods(server, now);
                server.advance(start, sink);
                self.refill(server, start);
            } else {
                self.schedule_review(server, at);
            }
        }
        server.advance(now, sink);
    }

    /// When the last period begins that has begun by `now`, if the jobs there cannot use up the
    /// quota of any before; else the end of the current one.
    fn pass_whole_periods(&mut self, server: &mut Server, now: u64) -> u64 {
        self.thaw(server, self.ends);
        let Bandwidth { quota, period } = self.bandwidth;
        debug_assert!(now >= self.ends, "the period is over");
        let ample = server.usage() * nanoseconds(period) <= quota;
        if ample { self.ends + (now - self.ends) / period * period } else { self.ends }
    }

    /// Makes the quota whole at `now`.
    fn refill(&mut self, server: &mut Server, now: u64) {
        self.thaw(server, now);
        self.base = server.busy_until(now);
        if self.ends <= now {
            let period = self.bandwidth.period;
            self.ends += ((now - self.ends) / period + 1) * period;
        }
        debug_assert!(self.ends > now && self.ends - now <= self.bandwidth.period, "one period");
        self.schedule_review(server, now);
    }

    /// Works out when the quota could be used up, given what is left of it at `now`; freezes the
    /// server if that is within the nanosecond.
    fn schedule_review(&mut self, server: &mut Server, now: u64) {
        if self.frozen {
            return;
        }
        let left = self.base + self.bandwidth.quota - server.busy_until(now);
        debug_assert!(server.busy_until(now) >= self.base, "work is only added");
        // An idle server has infinite (or NaN) time: the minimum makes the period of both.
        let lasts = (left / server.usage()).min(nanoseconds(self.bandwidth.period)) as u64;
        self.review = self.ends.min(now + lasts);
        if lasts == 0 {
            server.exchange_rate(now, &mut self.other);
            (self.frozen, self.review) = (true, self.ends);
            debug_assert!(server.usage() == 0.0, "frozen, it does no work");
        }
    }

    fn thaw(&mut self, server: &mut Server, now: u64) {
        if self.frozen {
            server.exchange_rate(now, &mut self.other);
            self.frozen = false;
        }
    }
}

#[cfg(test)]
#[path = "quota_tests.rs"]
mod tests;
