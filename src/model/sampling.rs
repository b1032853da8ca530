//! Samples of the replicas, and the end of a replication.
//!
//! Replicas are sampled at regular intervals, so that an observer sees them at the same times
//! however the run goes. A sample never changes what will happen.

use super::event::Event;
use super::world::World;
use crate::observe::{Observation, Observer, Sent};
use crate::plan::Extent;
use crate::units::Instant;

impl World<'_> {
    /// Warm-up's end, the ends of windows, and the first sample.
    pub(super) fn schedule_boundaries(&mut self) {
        let plan = self.cx.plan;
        self.cx.schedule(Instant::ZERO + self.sampling.interval, Event::Sampled);
        self.cx.schedule(plan.run.warm_up, Event::Boundary);
        for (index, window) in plan.windows.iter().enumerate() {
            // Windows of several APIs at the same time have their ends in common.
            let is_known = plan.windows[..index].iter().any(|other| other.extent == window.extent);
            if let (Extent::Between(from, to), false) = (window.extent, is_known) {
                assert!(from < to, "a window from {from} ends at {to}");
                self.cx.schedule(from, Event::Boundary);
                self.cx.schedule(to, Event::Boundary);
            }
        }
    }

    /// Warm-up or a window ends or begins.
    pub(super) fn pass_boundary(&mut self) {
        if self.cx.now == self.cx.plan.run.warm_up {
            self.end_warm_up();
        }
        self.cx.tell(Observation::Boundary);
    }

    pub(super) fn end_warm_up(&mut self) {
        let fleet = &mut self.region.cluster.fleet;
        fleet.advance_all(&mut self.cx);
        fleet.forget_peaks();
    }

    /// Takes a sample, and puts the next on the calendar.
    pub(super) fn sample(&mut self) {
        self.read_all(self.cx.now.0.is_multiple_of(self.cx.plan.run.bin.0));
        let cx = &mut self.cx;
        cx.note_held(match cx.feeds_back() {
            true => cx.in_flight.attempts.len(),
            false => self.region.cluster.fleet.count_kept(),
        });
        self.cx.schedule(self.cx.now + self.sampling.interval, Event::Sampled);
    }

    /// Brings every replica to this moment and tells the observer what each shows.
    fn read_all(&mut self, bin_ends: bool) {
        let connecting = self.read();
        let Self { cx, region, sampling, .. } = self;
        cx.listener.sampled(cx.now, &sampling.readings, connecting);
        if bin_ends {
            cx.listener.bin_ended(cx.now, &sampling.readings);
            region.cluster.fleet.reap();
        }
    }

    /// Brings every replica to this moment and reads it; gives how many requests wait for the
    /// time-out of a connection.
    pub(super) fn read(&mut self) -> u64 {
        let Self { cx, region, sampling, .. } = self;
        let fleet = &mut region.cluster.fleet;
        fleet.advance_all(cx);
        fleet.read_all(cx.now, &mut sampling.readings);
        debug_assert!(
            sampling.readings.iter().all(|reading| reading.served <= reading.arrived),
            "a replica served more requests than reached it"
        );
        let connecting = region.ingress.connecting().filter(|connecting| {
            !cx.feeds_back() || cx.in_flight.get(connecting.id.into()).is_some()
        });
        (connecting.count() + cx.in_flight.count_stranded()) as u64
    }

    /// The end: the last bin, the requests in flight, and the drain.
    pub(super) fn finish(&mut self, end: Instant) {
        self.take_requests_until(end);
        self.cx.now = end;
        let under_way = self.still_under_way(end);
        self.read_all(true);
        let (offered, progress) = (self.cx.take_offered(), self.cx.progress());
        self.sampling.note_progress(end, offered, progress);
        let (in_flight, attempts) = self.still_open();
        if self.cx.feeds_back() {
            self.cx.listener.attempts_left(&attempts);
            self.cx.listener.attempts_left(&under_way);
        }
        self.cx.listener.horizon(end, &in_flight, &under_way);
        self.finish_what_began();
    }

    /// The requests that reached the ingress and have no outcome, and those of which an attempt has
    /// none.
    pub(super) fn still_open(&mut self) -> (Vec<Sent>, Vec<Sent>) {
        let Self { cx, region, requests, .. } = self;
        if cx.feeds_back() {
            return requests.still_open(cx);
        }
        let connecting = region.ingress.connecting().map(|connecting| Instant::from(connecting.id));
        let mut in_flight: Vec<Sent> = connecting.map(Sent::from).collect();
        region.cluster.fleet.add_sent(&mut in_flight);
        // Whoever stops it does not wait until millions of requests are in order.
        if !cx.is_cut {
            in_flight.sort_unstable();
            let twice = in_flight.windows(2).find(|pair| pair[0] == pair[1]);
            assert!(twice.is_none(), "a request is in two places: {twice:?}");
        }
        (in_flight, Vec::new())
    }

    /// Lets what began before the end come to its own; whoever stops it does not wait for those
    /// that clients wait for.
    pub(super) fn finish_what_began(&mut self) {
        match self.cx.feeds_back() {
            true if self.cx.is_cut => {}
            true => self.drain(),
            false => self.region.cluster.fleet.drain(&mut self.cx),
        }
    }

    /// Requests that were sent but have not reached the ingress by `end`: offered, and in flight.
    pub(super) fn still_under_way(&mut self, end: Instant) -> Vec<Sent> {
        let mut under_way = Vec::new();
        while self.arrivals.next_sent().is_some_and(|sent| sent < end.0) {
            let request = self.arrivals.take();
            let api = self.requests.api_of(&request);
            let sent = Sent { at: Instant(request.sent), api };
            self.cx.offer(sent);
            under_way.push(sent);
        }
        under_way
    }
}
