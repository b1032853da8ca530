//! Where requests leave a replica's server: to the observer at once, or to the event loop.

use super::probes::Probes;
use crate::engine::jobs::{Job, JobId};
use crate::engine::server::Sink;
use crate::model::context::Context;
use crate::model::request::attempt::{AttemptId, Departure, InFlight, Stage};
use crate::observe::ledger::Failure;
use crate::observe::{Observer, ReplicaId, Served};
use crate::units::Instant;

/// Tells the observer and the digest of requests that leave a replica.
pub(super) struct Outlet<'o, 'p> {
    pub replica: ReplicaId,
    pub served: u64,
    pub probes: &'o mut Probes,
    pub cx: &'o mut Context<'p>,
}

impl Sink for Outlet<'_, '_> {
    #[inline(always)]
    fn done(&mut self, job: &Job, at: u64) {
        debug_assert!(job.arrived <= at, "{job:?} is done at {at}, before it arrived");
        self.served += 1;
        self.cx.digest.in_any_order(at, job.id.number());
        self.cx.listener.served(&Served {
            sent: job.id.into(),
            arrived: Instant(job.arrived),
            finished: Instant(at),
            demand: job.demand,
            api: 0,
            replica: self.replica,
        });
    }

    #[cold]
    fn background_done(&mut self, mark: u32, _at: u64) {
        self.probes.answer(mark);
    }

    fn expired(&mut self, id: JobId, at: u64) {
        self.cx.note_failure(Instant::from(id).into(), at, Failure::TimedOut);
    }
}

/// Collects the attempts that leave a replica, for the event loop.
pub(super) struct Collector<'o> {
    pub probes: &'o mut Probes,
    pub in_flight: &'o mut InFlight,
}

impl Sink for Collector<'_> {
    #[inline(always)]
    fn done(&mut self, job: &Job, at: u64) {
        debug_assert!(!self.is_cancelled(job.id), "{job:?} was cancelled and is done");
        self.in_flight.departures.push(Departure { attempt: job.id.into(), at });
    }

    #[inline(always)]
    fn is_cancelled(&self, id: JobId) -> bool {
        let attempt = self.in_flight.attempts.get(AttemptId::from(id));
        attempt.is_none_or(|attempt| !matches!(attempt.stage, Stage::Cpu(_)))
    }

    #[cold]
    fn background_done(&mut self, mark: u32, _at: u64) {
        self.probes.answer(mark);
    }

    fn expired(&mut self, _id: JobId, at: u64) {
        unreachable!("a server gave up on an attempt at {at}, which has time-outs of its own");
    }
}
