//! What the recorder does with each fact that it is told.

use super::Recorder;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::{Observation, Observer, Reading, Sent, Served, State};
use crate::units::{Instant, Span};

impl Recorder {
    /// What regions share, what is wanted, and what waits.
    fn note_rarer(&mut self, at: Instant, observation: &Observation) {
        match observation {
            Observation::Region { .. }
            | Observation::ClientsGiven { .. }
            | Observation::ClientsMoved { .. } => {
                self.clients.note(at, observation, self.tracker.failovers());
            }
            Observation::Decided { region, decision, .. } => {
                let wanted = self.clients.note_wanted(*region, decision.desired as usize);
                self.bin_row.wanted = Some(wanted);
                let seen = decision.seen_pct();
                // Of several autoscalers each sees its own.
                let seen = seen.filter(|_| self.scope.regions <= 1);
                self.bin_row.cpu_seen = seen.map(|percent| f64::from(percent) / 100.0);
            }
            // A slot without a replica waits for a node like one whose replica has none yet.
            Observation::Unschedulable { slot, .. } => {
                self.tracker.enter(*slot, at, State::Scheduling);
            }
            Observation::Speed { replica, share } if self.keep.timeline => {
                self.timeline.replicas[*replica].speed.push((at, *share));
            }
            _ => {}
        }
    }
}

impl Observer for Recorder {
    #[inline(always)]
    fn offered(&mut self, request: Sent) {
        if self.near.holds(request.at) {
            self.live.offered += 1;
        } else if self.near_by_api.holds(request.at) {
            self.by_api[request.api as usize].live.offered += 1;
        } else {
            self.offer_apart(request);
        }
    }

    #[inline(always)]
    fn served(&mut self, request: &Served) {
        let latency = crate::observe::latency(request, self.scope.hop);
        if self.near.holds(request.sent) {
            self.live.answered.record(latency);
        } else if self.near_by_api.holds(request.sent) {
            self.by_api[request.api as usize].live.answered.record(latency);
        } else {
            self.serve_apart(*request, latency);
        }
    }

    fn failed(&mut self, request: Sent, at: Instant, failure: Failure) {
        if self.over {
            if failure.is_rejection() {
                self.reject_late(request);
            }
            return;
        }
        let sent = request.at;
        let struck = self.struck_by(sent, failure);
        self.windows.fail(request, failure, &struck);
        self.monitor.fail(request.api, failure);
        self.flow(request.api).into_iter().for_each(|flow| flow.row.fail(failure));
        if !failure.is_of_the_sender() {
            self.failed.failures[failure as usize] += 1;
        }
        if !failure.is_rejection() {
            self.met.failed += 1;
            self.met.failed_until = self.met.failed_until.max(at);
        } else {
            self.met.rejected += 1;
        }
        self.bin_row.failures[failure as usize] += 1;
        self.requests.failed(sent, at, failure);
        if let Some(series) = self.intervals.series() {
            let interval = series.at(sent);
            interval.decide(at.since(sent));
            interval.rejected += u64::from(failure.is_rejection());
        }
    }

    fn tried_again(&mut self, request: Sent) {
        self.bin_row.attempts += 1;
        self.windows.note(request, |window| window.attempts.offered += 1);
        if let Some(series) = self.intervals.series() {
            series.at(request.at).again += 1;
        }
    }

    fn attempt_failed(&mut self, request: Sent, failure: Failure) {
        if !self.over {
            let struck = self.struck_by(request.at, failure);
            self.windows.fail_attempt(request, failure, &struck);
        }
    }

    fn counted(&mut self, request: Sent, count: Count) {
        if !self.over {
            self.windows.note(request, |window| window.counts[count as usize] += 1);
            self.bin_row.counts[count as usize] += 1;
            if let Some(series) = self.intervals.series() {
                series.count(count);
            }
        }
    }

    fn attempts_left(&mut self, requests: &[Sent]) {
        for request in requests {
            self.windows.note(*request, |window| window.attempts.in_flight += 1);
        }
    }

    fn observe(&mut self, at: Instant, observation: &Observation) {
        match observation {
            Observation::Created { replica, slot, zone, name } => {
                self.create(*replica, *slot, *zone, name);
            }
            Observation::Entered { replica, state, .. } => self.enter(at, *replica, *state),
            Observation::JoinedRotation { replica } => self.rotate(at, *replica, true),
            Observation::LeftRotation { replica } => self.rotate(at, *replica, false),
            Observation::Avoided(one) if one.is_by_all() => self.tracker.avoid(one, at),
            Observation::FaultInjected { fault, incident, slots, lasting, subject } => {
                self.begin_incident(at, *incident, *fault, (slots, *lasting, subject));
            }
            Observation::FaultTakes { incident, slot } => {
                let victims = self.fleet.ready_in(&[*slot].into());
                self.tracker.widen(*incident, *slot, &victims, at);
            }
            Observation::FaultEnded { incident, .. } => {
                self.clients.end(*incident);
                self.tracker.end_lasting(*incident, at, self.fleet.serving());
            }
            Observation::InstancesAvoided { incident, .. } => {
                self.tracker.end_lasting(*incident, at, self.fleet.serving());
            }
            Observation::Rollout { .. } => self.tracker.note_rollout(at, observation),
            Observation::ContractsMissing { replica } => {
                self.fleet.set_contracts(*replica, true);
                self.note_contracts(at, *replica);
            }
            Observation::ContractsLoaded { replica } => {
                self.fleet.set_contracts(*replica, false);
                self.restore(at, *replica);
            }
            Observation::Boundary => self.turn_windows(at),
            Observation::ProbesFailed { replica, probe } => {
                if probe.restarts() {
                    self.note_kill(at, *replica);
                }
                self.fleet.fail_probes(at, *replica, probe.restarts());
            }
            Observation::UpstreamFailedProbe { ready, .. } => self.fleet.fail_asking(at, *ready),
            Observation::OutOfMemory { replica } => {
                self.note_kill(at, *replica);
                self.fleet.kill_for_memory(at);
            }
            Observation::FaultMissed { fault, reason } => self.miss(at, *fault, reason),
            Observation::SlotGone { slot } => {
                self.tracker.give_up(*slot, at, self.fleet.serving());
                self.note_serving(at);
            }
            _ => self.note_rarer(at, observation),
        }
        let is_news = match observation {
            Observation::Boundary
            | Observation::ClientsGiven { .. }
            | Observation::ClientsMoved { .. } => false,
            Observation::Decided { news, .. } => *news,
            _ => true,
        };
        if self.keep.journal && is_news {
            self.note(at, observation);
        }
    }

    fn sampled(&mut self, at: Instant, readings: &[Reading], connecting: u64) {
        if self.intervals.turn(at, self.live_sums()) {
            self.aim();
        }
        let held: u64 = readings.iter().map(|reading| reading.in_flight).sum();
        let in_flight = held + connecting;
        self.monitor.hold(at, in_flight);
        if self.monitor.turns(at) {
            self.cut();
            self.monitor.turn(at);
        }
        if !self.tracker.is_calm() {
            self.cut();
        }
        let met = self.take_met(in_flight);
        if self.tracker.sample(at, met) {
            self.turn_windows(at);
        }
    }

    fn bin_ended(&mut self, at: Instant, readings: &[Reading]) {
        let start = self.bin_row.start;
        let width = at.since(start);
        if width == Span::ZERO {
            return;
        }
        self.cut();
        let (busy, by_region) = self.read(at, width, readings);
        let cpu = self.fleet.utilisation(start, at, (busy, &by_region), &self.scope.cores);
        self.monitor.end_bin(start, cpu);
        let in_flight = readings.iter().map(|reading| reading.in_flight).sum();
        self.close_row(at, in_flight, cpu);
    }

    fn horizon(&mut self, _at: Instant, in_flight: &[Sent], under_way: &[Sent]) {
        self.cut();
        // An interrupted run closes its last bin before it counts the requests on their way.
        let first_attempts = self.first_attempts();
        if let Some(last) = self.timeline.total.last_mut() {
            last.offered += self.bin_row.offered;
            last.attempts += first_attempts;
            let rows = self.timeline.by_api.iter_mut().rev();
            rows.zip(self.by_api.iter().rev()).for_each(|(row, flow)| flow.add_to(row));
        }
        for request in in_flight {
            self.windows.note(*request, |window| {
                window.ledger.in_flight += 1;
                window.unanswered += 1;
            });
        }
        for request in under_way {
            self.windows.note(*request, |window| window.ledger.in_flight += 1);
        }
        self.over = true;
        self.aim();
    }
}
