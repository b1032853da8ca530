//! Looking at the replicas, and the end of a replication.
//!
//! Replicas are looked at in regular intervals, so that an observer sees them at the same times
//! however the run goes. A look never changes what will happen.

use super::World;
use super::event::Event;
use crate::engine::progress::Progress;
use crate::observe::{Observation, Observer, State};
use crate::plan::{Extent, Run};
use crate::units::{Instant, SECOND, Span};

/// How often replicas are looked at: every second, so that incidents end at the same time however
/// long the run is; less often in runs of more than two million seconds, more often if bins are
/// narrower.
pub(super) fn look_every(run: &Run) -> Span {
    let fits =
        |look: &Span| run.bin.0.is_multiple_of(look.0) && run.horizon.0 / look.0 <= 2_000_000;
    let seconds = [1, 2, 5, 10, 30, 60, 300].map(|seconds| Span(seconds * SECOND));
    seconds.into_iter().find(fits).unwrap_or(run.bin)
}

impl<O: Observer> World<'_, O> {
    /// Warm-up's end, the ends of windows, and the first bin.
    pub(super) fn schedule_boundaries(&mut self) {
        let run = &self.plan.run;
        self.schedule(Instant::ZERO + self.look_every, Event::Look);
        self.schedule(run.warm_up, Event::Boundary);
        for window in &self.plan.windows {
            if let Extent::Between(from, to) = window.extent {
                self.schedule(from, Event::Boundary);
                self.schedule(to, Event::Boundary);
            }
        }
    }

    pub(super) fn pass_boundary(&mut self) {
        if self.now == self.plan.run.warm_up {
            self.advance_all();
            self.present.iter().for_each(|id| self.replicas[*id].forget_peak());
        }
        self.tell(Observation::Boundary);
    }

    /// Looks, and puts the next look on the calendar.
    pub(super) fn look(&mut self) {
        self.read_all(self.now.0.is_multiple_of(self.plan.run.bin.0));
        self.schedule(self.now + self.look_every, Event::Look);
    }

    /// Lets every replica work until this moment.
    pub(super) fn advance_all(&mut self) {
        for id in &self.present {
            self.replicas[*id].advance(self.now.0, &mut self.exit, self.observer);
        }
    }

    /// Brings every replica to this moment and tells the observer what each shows.
    fn read_all(&mut self, bin_ends: bool) {
        self.advance_all();
        let Self { present, replicas, readings, now, .. } = self;
        readings.clear();
        readings.extend(present.iter().map(|id| replicas[*id].reading(*now)));
        let connecting = match self.feeds_back() {
            true => self.attempts.iter().filter(|attempt| self.is_open(attempt)).count(),
            false => self.attempts.len(),
        };
        self.observer.looked(self.now, &self.readings, connecting as u64);
        if bin_ends {
            self.observer.bin_ended(self.now, &self.readings);
            self.bury();
        }
    }

    /// Forgets the ended replicas; what is left of them costs next to no memory.
    fn bury(&mut self) {
        let Self { present, replicas, idle, .. } = self;
        present.retain(|id| {
            let replica = &mut replicas[*id];
            let ended = replica.state == State::Terminated;
            if ended {
                (replica.inbox, replica.server) = (Vec::new(), idle.clone());
                (replica.name, replica.slow) = (String::new(), Vec::new());
            }
            !ended
        });
    }

    /// Tells who watches how far the replication is.
    pub(super) fn note_progress(&mut self, at: Instant, progress: &Progress) {
        let passed = at.since(std::mem::replace(&mut self.noted, at));
        progress.advance(passed.0, std::mem::take(&mut self.offered));
    }

    /// The end: the last bin, the requests in flight, and the drain.
    pub(super) fn finish(&mut self, end: Instant, progress: &Progress) {
        self.route_until(end);
        self.now = end;
        let under_way = self.still_under_way(end);
        self.read_all(true);
        self.note_progress(end, progress);
        if self.feeds_back() {
            let (in_flight, attempts) = self.still_open();
            self.observer.attempts_left(&attempts);
            self.observer.attempts_left(&under_way);
            self.observer.horizon(end, &in_flight, &under_way);
            return self.drain_flow();
        }
        let connecting = self.attempts.iter().map(|attempt| Instant(attempt.sent));
        let mut in_flight: Vec<Instant> = connecting.collect();
        for id in &self.present {
            let jobs = self.replicas[*id].server.in_service_jobs();
            in_flight.extend(jobs.map(|job| Instant(job.sent)));
        }
        in_flight.sort_unstable();
        self.observer.horizon(end, &in_flight, &under_way);
        for id in &self.present {
            let replica = &mut self.replicas[*id];
            replica.advance(u64::MAX / 2, &mut self.exit, self.observer);
        }
    }
}
